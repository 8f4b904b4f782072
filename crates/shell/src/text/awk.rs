//! `awk`, the part of it that one-liners use.
//!
//! `-F`, `-v`; patterns (`/re/`, comparisons, `NR>1`, `BEGIN`, `END`); `print`, `printf`, assignments, `+=`, `++`, `if`, arithmetic, `~`, `length`.
//! MODEL: no functions of one's own, `for` loops, `getline` or output to files.

use std::collections::BTreeMap;

use crate::{
    eval::Flow,
    text::{Options, extended, inputs, lines, regex},
    tool::Call,
};

mod parse;

use parse::{Expr, Statement, When};

/// `awk [-F C] [-v N=V] PROGRAM [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(mut options) = Options::parse(call, "", "Fv", &[]) else { return Ok(2) };
    if options.operands.is_empty() {
        call.out.err("usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]");
        return Ok(2);
    }
    let program = options.operands.remove(0);
    let rules = match parse::program(&program) {
        Ok(rules) => rules,
        Err(what) => {
            call.out.err(&format!("awk: {what} at source line 1"));
            return Ok(2);
        }
    };
    let mut awk = Awk { variables: BTreeMap::new(), fields: vec![String::new()], out: String::new() };
    awk.set("OFS", " ");
    awk.set("FS", options.value('F').unwrap_or(" "));
    for pair in options.values('v') {
        if let Some((name, value)) = pair.split_once('=') {
            awk.set(name, value);
        }
    }
    for rule in rules.iter().filter(|r| matches!(r.when, When::Begin)) {
        awk.all(&rule.body);
    }
    let (texts, found) = inputs(call, &options.operands);
    let mut number = 0;
    'records: for line in texts.iter().flat_map(|(_, text)| lines(text)) {
        number += 1;
        awk.set("NR", &number.to_string());
        awk.record(line);
        for rule in &rules {
            let applies = match &rule.when {
                When::Begin | When::End => false,
                When::Always => true,
                When::If(test) => awk.truth(test),
            };
            if applies {
                match awk.all(&rule.body) {
                    Step::On => {}
                    Step::Next => continue 'records,
                    Step::Exit => break 'records,
                }
            }
        }
    }
    for rule in rules.iter().filter(|r| matches!(r.when, When::End)) {
        awk.all(&rule.body);
    }
    call.out.out(&awk.out);
    Ok(if found { 0 } else { 2 })
}

/// How a rule goes on.
enum Step {
    On,
    Next,
    Exit,
}

struct Awk {
    variables: BTreeMap<String, String>,
    fields: Vec<String>,
    out: String,
}

impl Awk {
    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    fn get(&self, name: &str) -> String {
        self.variables.get(name).cloned().unwrap_or_default()
    }

    fn record(&mut self, line: &str) {
        let separator = self.get("FS");
        let cut: Vec<String> = match separator.as_str() {
            " " => line.split_whitespace().map(str::to_owned).collect(),
            "\\t" => line.split('\t').map(str::to_owned).collect(),
            one if one.chars().count() == 1 && one != "|" => line.split(one).map(str::to_owned).collect(),
            pattern => match regex(&extended(pattern)) {
                Ok(regex) => regex.split(line).map(str::to_owned).collect(),
                Err(_) => vec![line.to_owned()],
            },
        };
        self.set("NF", &cut.len().to_string());
        self.fields = std::iter::once(line.to_owned()).chain(cut).collect();
    }

    fn all(&mut self, body: &[Statement]) -> Step {
        for statement in body {
            match self.statement(statement) {
                Step::On => {}
                other => return other,
            }
        }
        Step::On
    }

    fn statement(&mut self, statement: &Statement) -> Step {
        match statement {
            Statement::Print(values) => {
                let shown: Vec<String> = if values.is_empty() {
                    vec![self.fields[0].clone()]
                } else {
                    values.iter().map(|v| self.value(v)).collect()
                };
                let separator = self.get("OFS");
                self.out.push_str(&shown.join(&separator));
                self.out.push('\n');
            }
            Statement::Printf(values) => {
                let mut given: Vec<String> = values.iter().map(|v| self.value(v)).collect();
                if !given.is_empty() {
                    let format = given.remove(0);
                    self.out.push_str(&crate::text::printf::format(&format, &given));
                }
            }
            Statement::Do(expr) => {
                self.value(expr);
            }
            Statement::If(test, yes, no) => {
                let branch = if self.truth(test) { yes } else { no };
                return self.all(branch);
            }
            Statement::Next => return Step::Next,
            Statement::Exit => return Step::Exit,
        }
        Step::On
    }

    fn truth(&mut self, expr: &Expr) -> bool {
        if let Expr::Regex(pattern) = expr {
            let whole = self.fields[0].clone();
            return matches(pattern, &whole);
        }
        let value = self.value(expr);
        match value.parse::<f64>() {
            Ok(number) => number != 0.0,
            Err(_) => !value.is_empty(),
        }
    }

    fn value(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Number(number) => shown(*number),
            Expr::Text(text) => text.clone(),
            Expr::Regex(_) => u8::from(self.truth(expr)).to_string(),
            Expr::Field(inner) => {
                let at = number(&self.value(inner)) as usize;
                self.fields.get(at).cloned().unwrap_or_default()
            }
            Expr::Variable(name) => self.get(name),
            Expr::Item(name, key) => {
                let key = self.value(key);
                self.get(&format!("{name}[{key}]"))
            }
            Expr::Length(inner) => {
                let text = match inner {
                    Some(inner) => self.value(inner),
                    None => self.fields[0].clone(),
                };
                text.chars().count().to_string()
            }
            Expr::Not(inner) => u8::from(!self.truth(inner)).to_string(),
            Expr::Minus(inner) => shown(-number(&self.value(inner))),
            Expr::Assign(op, place, with) => {
                let right = self.value(with);
                let new = if op == "=" {
                    right
                } else {
                    let left = number(&self.value(place));
                    shown(calculate(&op[..1], left, number(&right)))
                };
                self.assign(place, &new);
                new
            }
            Expr::Binary(op, left, right) => self.binary(op, left, right),
        }
    }

    fn assign(&mut self, place: &Expr, value: &str) {
        match place {
            Expr::Variable(name) => self.set(name, value),
            Expr::Item(name, key) => {
                let key = self.value(key);
                self.set(&format!("{name}[{key}]"), value);
            }
            Expr::Field(inner) => {
                let at = (number(&self.value(inner)) as usize).min(1000);
                if self.fields.len() <= at {
                    self.fields.resize(at + 1, String::new());
                }
                value.clone_into(&mut self.fields[at]);
                if at > 0 {
                    let separator = self.get("OFS");
                    self.fields[0] = self.fields[1..].join(&separator);
                }
            }
            _ => {}
        }
    }

    fn binary(&mut self, op: &str, left: &Expr, right: &Expr) -> String {
        let flag = |it: bool| u8::from(it).to_string();
        match op {
            "&&" => return flag(self.truth(left) && self.truth(right)),
            "||" => return flag(self.truth(left) || self.truth(right)),
            "~" | "!~" => {
                let text = self.value(left);
                let pattern = match right {
                    Expr::Regex(pattern) => pattern.clone(),
                    other => self.value(other),
                };
                return flag(matches(&pattern, &text) == (op == "~"));
            }
            _ => {}
        }
        let (l, r) = (self.value(left), self.value(right));
        match op {
            " " => format!("{l}{r}"),
            "==" | "!=" | "<" | ">" | "<=" | ">=" => {
                let literal = matches!(left, Expr::Text(_)) || matches!(right, Expr::Text(_));
                let order = match (l.trim().parse::<f64>(), r.trim().parse::<f64>()) {
                    (Ok(a), Ok(b)) if !literal => a.total_cmp(&b),
                    _ => l.cmp(&r),
                };
                flag(match op {
                    "==" => order.is_eq(),
                    "!=" => order.is_ne(),
                    "<" => order.is_lt(),
                    ">" => order.is_gt(),
                    "<=" => order.is_le(),
                    _ => order.is_ge(),
                })
            }
            _ => shown(calculate(op, number(&l), number(&r))),
        }
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    regex(&extended(pattern)).is_ok_and(|regex| regex.is_match(text))
}

fn calculate(op: &str, l: f64, r: f64) -> f64 {
    match op {
        "+" => l + r,
        "-" => l - r,
        "*" => l * r,
        "/" => l / r,
        "%" => l % r,
        _ => 0.0,
    }
}

/// The number a text begins with.
fn number(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*i == 0 && "+-".contains(*c))))
        .map_or(text.len(), |(i, _)| i);
    text[..end].parse().unwrap_or(0.0)
}

/// Whole numbers without a point, others with six digits.
fn shown(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e15 {
        format!("{}", number as i64)
    } else {
        let text = format!("{number:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn one_liners_work_as_in_awk() {
        let made = "printf 'NAME N\\na 1\\nb 2\\n' | ";
        for (line, wanted) in [
            ("awk '{print $1}'", "NAME\na\nb\n"),
            ("awk 'NR>1{print $2,$1}'", "1 a\n2 b\n"),
            ("awk '{s+=$2} END {print s}'", "3\n"),
            ("awk '/^b/ {print \"found \" $1}'", "found b\n"),
            ("awk '$2==2'", "b 2\n"),
            ("awk '{print $NF}'", "N\n1\n2\n"),
            ("awk 'END{print NR}'", "3\n"),
            ("awk 'NR==2 {printf \"%s=%d\\n\", $1, $2}'", "a=1\n"),
            ("awk '{c[$1]++} END {print c[\"a\"]}'", "1\n"),
            ("awk '{if ($2 > 1) print $1; else print \"-\"}'", "NAME\n-\nb\n"),
            ("awk '$1 ~ /a/ && NR > 1 {print}'", "a 1\n"),
        ] {
            assert_eq!(stdout(&format!("{made}{line}")), wanted, "{line}");
        }
        assert_eq!(stdout("echo a:b:c | awk -F: '{print $2 \"-\" $3}'"), "b-c\n");
        assert_eq!(stdout("echo x | awk -v n=3 '{print n*2}'"), "6\n");
    }
}
