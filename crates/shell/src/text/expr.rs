//! `expr`.
//!
//! Source: GNU coreutils 9.1 `expr.c`; status 0 where the result is neither empty nor 0, 1 where it is, 2 on error.

use crate::{
    eval::Flow,
    text::pattern::{Flavour, fancy, translated},
    tool::Call,
};

/// Deepest nesting of brackets.
const DEEPEST: usize = 50;

struct Reader<'a> {
    words: &'a [String],
    at: usize,
    depth: usize,
}

/// `expr EXPRESSION`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.is_empty() {
        call.out.err("expr: missing operand\nTry 'expr --help' for more information.");
        return Ok(2);
    }
    let mut reader = Reader { words: &call.args, at: 0, depth: 0 };
    let result = reader.level(0).and_then(|value| match reader.words.get(reader.at) {
        None => Ok(value),
        Some(extra) => Err(format!("syntax error: unexpected argument ‘{extra}’")),
    });
    match result {
        Ok(value) => {
            call.out.line(&value);
            Ok(i32::from(is_null(&value)))
        }
        Err(message) => {
            call.out.err(&format!("expr: {message}"));
            Ok(2)
        }
    }
}

fn is_null(text: &str) -> bool {
    text.is_empty() || text.trim_start_matches('-').chars().all(|c| c == '0')
}

const LEVELS: [&[&str]; 6] =
    [&["|"], &["&"], &["<", "<=", "=", "==", "!=", ">=", ">"], &["+", "-"], &["*", "/", "%"], &[":"]];

impl Reader<'_> {
    fn next(&mut self) -> Result<String, String> {
        let word = self.words.get(self.at).cloned();
        let before = self.at.checked_sub(1).and_then(|at| self.words.get(at)).cloned();
        self.at += 1;
        word.ok_or_else(|| match before {
            Some(before) => format!("syntax error: missing argument after ‘{before}’"),
            None => "syntax error".to_owned(),
        })
    }

    fn level(&mut self, level: usize) -> Result<String, String> {
        let Some(ops) = LEVELS.get(level) else { return self.primary() };
        let mut left = self.level(level + 1)?;
        while let Some(op) = self.words.get(self.at).filter(|op| ops.contains(&op.as_str())).cloned() {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = binary(&op, left, right)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<String, String> {
        if self.depth >= DEEPEST {
            return Err("nested deeper than this lab reads".to_owned());
        }
        self.depth += 1;
        let word = self.next()?;
        let value = match word.as_str() {
            "(" => {
                let inner = self.level(0)?;
                match self.words.get(self.at).map(String::as_str) {
                    Some(")") => self.at += 1,
                    Some(other) => return Err(format!("syntax error: expecting ')' instead of ‘{other}’")),
                    None => return Err(format!("syntax error: expecting ')' after ‘{inner}’")),
                }
                inner
            }
            ")" => return Err("syntax error: unexpected ')'".to_owned()),
            "+" if self.at < self.words.len() => self.next()?,
            "length" if self.at < self.words.len() => self.primary()?.chars().count().to_string(),
            "match" if self.at < self.words.len() => {
                let text = self.primary()?;
                let pattern = self.primary()?;
                binary(":", text, pattern)?
            }
            "index" if self.at < self.words.len() => {
                let text = self.primary()?;
                let sought = self.primary()?;
                text.chars().position(|c| sought.contains(c)).map_or(0, |at| at + 1).to_string()
            }
            "substr" if self.at < self.words.len() => {
                let text = self.primary()?;
                let (from, count) = (self.primary()?, self.primary()?);
                match (from.parse::<usize>(), count.parse::<usize>()) {
                    (Ok(from), Ok(count)) if from > 0 => text.chars().skip(from - 1).take(count).collect(),
                    _ => String::new(),
                }
            }
            _ => word,
        };
        self.depth -= 1;
        Ok(value)
    }
}

fn binary(op: &str, left: String, right: String) -> Result<String, String> {
    let number = |text: &str| text.parse::<i64>().map_err(|_| "non-integer argument".to_owned());
    let flag = |it: bool| u8::from(it).to_string();
    Ok(match op {
        "|" if !is_null(&left) => left,
        "|" if !is_null(&right) => right,
        "|" => "0".to_owned(),
        "&" if is_null(&left) || is_null(&right) => "0".to_owned(),
        "&" => left,
        ":" => {
            let pattern = translated(&right, Flavour::Basic)?;
            let regex = fancy(&format!("^(?:{pattern})"), false, false)?;
            let found = regex.captures(left.as_str()).ok().flatten();
            let groups = regex.captures_len() > 1;
            match found {
                Some(found) if groups => found.get(1).map_or("", |it| it.as_str()).to_owned(),
                Some(found) => found.get(0).map_or(0, |it| it.as_str().chars().count()).to_string(),
                None if groups => String::new(),
                None => "0".to_owned(),
            }
        }
        "<" | "<=" | "=" | "==" | "!=" | ">=" | ">" => {
            let order = match (left.parse::<i64>(), right.parse::<i64>()) {
                (Ok(l), Ok(r)) => l.cmp(&r),
                _ => left.cmp(&right),
            };
            flag(match op {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                ">=" => order.is_ge(),
                _ => order.is_gt(),
            })
        }
        _ => {
            let (l, r) = (number(&left)?, number(&right)?);
            if r == 0 && matches!(op, "/" | "%") {
                return Err("division by zero".to_owned());
            }
            match op {
                "+" => l.wrapping_add(r),
                "-" => l.wrapping_sub(r),
                "*" => l.wrapping_mul(r),
                "/" => l.wrapping_div(r),
                _ => l.wrapping_rem(r),
            }
            .to_string()
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn expressions_are_reckoned() {
        for (line, wanted) in [
            ("expr 1 + 2 \\* 3", "7\n"),
            ("expr abc : 'a\\(.\\)c'", "b\n"),
            ("expr abc : 'a.'; expr length abc; expr substr hello 2 3; expr index abc c", "2\n3\nell\n3\n"),
            ("expr '(' 1 + 2 ')' \\* 3; expr 2 '>' 1; expr '' '|' x", "9\n1\nx\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
        assert_eq!(sh("expr 1 - 1").2, 1);
        assert_eq!(sh("expr 1 / 0").1, "expr: division by zero\n");
        assert_eq!(sh("expr a + 1").1, "expr: non-integer argument\n");
    }
}
