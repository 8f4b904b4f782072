//! `awk`, the part of it that one-liners use.
//!
//! `-F`, `-v`, `-f`; patterns (`/re/`, comparisons, `NR>1`, `BEGIN`, `END`); `print`, `printf`, assignments, `if`, `for`, `while`, arrays,
//! arithmetic, `~`, `in`, `?:`, and the functions on texts and numbers.
//! MODEL: no functions of one's own, ranges of patterns, `getline`, commands or output to files; keys of an array come sorted.

use std::collections::BTreeMap;

use crate::{
    eval::Flow,
    text::{Options, extended, inputs, lines, regex},
    tool::Call,
};

mod function;
mod parse;

use parse::{Expr, Statement, When};

/// Whether an operand is `NAME=VALUE`.
fn is_assignment(operand: &str) -> bool {
    operand.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
            && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    })
}

/// `awk [-F C] [-v N=V] PROGRAM [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(mut options) = Options::parse(call, "", "Fvf", &[]) else { return Ok(2) };
    let file = options.value('f').map(str::to_owned);
    if options.operands.is_empty() && file.is_none() {
        call.out.err("usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]");
        return Ok(2);
    }
    let program = match file {
        None => options.operands.remove(0),
        Some(file) => {
            let machine = &call.shell.machine;
            match machine.files.read(&machine.path(&file)) {
                Ok(text) => text.to_string(),
                Err(error) => {
                    call.out.err(&format!("awk: cannot open {file} ({error})"));
                    return Ok(2);
                }
            }
        }
    };
    let rules = match parse::program(&program) {
        Ok(rules) => rules,
        Err(what) => {
            call.out.err(&format!("awk: {what} at source line 1"));
            return Ok(2);
        }
    };
    let mut awk = Awk {
        variables: BTreeMap::new(),
        fields: vec![String::new()],
        out: String::new(),
        rounds: 0,
        status: None,
    };
    awk.set("OFS", " ");
    awk.set("ORS", "\n");
    awk.set("FS", options.value('F').unwrap_or(" "));
    for pair in options.values('v') {
        if let Some((name, value)) = pair.split_once('=') {
            awk.set(name, value);
        }
    }
    for rule in rules.iter().filter(|r| matches!(r.when, When::Begin)) {
        if let Step::Exit = awk.all(&rule.body) {
            call.out.out(&awk.out);
            return Ok(awk.status.unwrap_or(0));
        }
    }
    // UPSTREAM: an assignment between the files holds from there on; here from the first file on.
    let (assigned, files): (Vec<String>, Vec<String>) =
        options.operands.iter().cloned().partition(|operand| is_assignment(operand));
    for (name, value) in assigned.iter().filter_map(|pair| pair.split_once('=')) {
        awk.set(name, value);
    }
    let reads = rules.iter().any(|rule| !matches!(rule.when, When::Begin));
    let (texts, found) = if reads { inputs(call, &files) } else { (Vec::new(), true) };
    let mut number = 0;
    let numbered = texts
        .iter()
        .flat_map(|(name, text)| lines(text).enumerate().map(move |(i, line)| (name, i + 1, line)));
    'records: for (name, own, line) in numbered {
        number += 1;
        awk.set("NR", &number.to_string());
        awk.set("FNR", &own.to_string());
        awk.set("FILENAME", name);
        awk.record(line);
        for rule in &rules {
            let applies = match &rule.when {
                When::Begin | When::End => false,
                When::Always => true,
                When::If(test) => awk.truth(test),
            };
            if applies {
                match awk.all(&rule.body) {
                    Step::On | Step::Break | Step::Continue => {}
                    Step::Next => continue 'records,
                    Step::Exit => break 'records,
                }
            }
        }
    }
    for rule in rules.iter().filter(|r| matches!(r.when, When::End)) {
        if let Step::Exit = awk.all(&rule.body) {
            break;
        }
    }
    call.out.out(&awk.out);
    if awk.rounds > MOST_ROUNDS {
        call.out.err("awk: a loop went round too often for this lab");
        return Ok(2);
    }
    Ok(awk.status.unwrap_or(if found { 0 } else { 2 }))
}

/// Most rounds of all loops of one program. INVARIANT: no line runs for ever.
const MOST_ROUNDS: u32 = 200_000;
/// Longest output of one program, in bytes.
const MOST_OUTPUT: usize = 4 << 20;

/// How a rule goes on.
enum Step {
    On,
    Next,
    Exit,
    Break,
    Continue,
}

struct Awk {
    /// An array's values stand beside the variables, as `name[key]`.
    variables: BTreeMap<String, String>,
    fields: Vec<String>,
    out: String,
    rounds: u32,
    /// What `exit` said.
    status: Option<i32>,
}

impl Awk {
    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    fn get(&self, name: &str) -> String {
        self.variables.get(name).cloned().unwrap_or_default()
    }

    fn record(&mut self, line: &str) {
        let cut = cut(line, &self.get("FS"));
        self.set("NF", &cut.len().to_string());
        self.fields = std::iter::once(line.to_owned()).chain(cut).collect();
    }

    /// The keys of an array, sorted.
    fn keys(&self, array: &str) -> Vec<String> {
        let begin = format!("{array}[");
        let from = self.variables.range(begin.clone()..).take_while(|(name, _)| name.starts_with(&begin));
        from.filter_map(|(name, _)| Some(name[begin.len()..].strip_suffix(']')?.to_owned())).collect()
    }

    /// Whether a loop may go round once more.
    fn goes_on(&mut self) -> bool {
        self.rounds += 1;
        self.rounds <= MOST_ROUNDS && self.out.len() <= MOST_OUTPUT
    }

    /// A loop: its first, its test, what follows a round, its body.
    fn turn(&mut self, test: Option<&Expr>, step: Option<&Expr>, body: &[Statement]) -> Step {
        while test.is_none_or(|test| self.truth(test)) && self.goes_on() {
            match self.all(body) {
                Step::On | Step::Continue => {}
                Step::Break => break,
                other => return other,
            }
            if let Some(step) = step {
                self.value(step);
            }
        }
        if self.rounds > MOST_ROUNDS { Step::Exit } else { Step::On }
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
                let end = self.get("ORS");
                self.out.push_str(&end);
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
            Statement::For(first, test, step, body) => {
                if let Some(first) = first {
                    self.value(first);
                }
                return self.turn(test.as_ref(), step.as_ref(), body);
            }
            Statement::ForIn(variable, array, body) => {
                for key in self.keys(array) {
                    self.set(variable, &key);
                    if !self.goes_on() {
                        return Step::Exit;
                    }
                    match self.all(body) {
                        Step::On | Step::Continue => {}
                        Step::Break => break,
                        other => return other,
                    }
                }
            }
            Statement::Delete(array, Some(key)) => {
                let key = self.value(key);
                self.variables.remove(&format!("{array}[{key}]"));
            }
            Statement::Delete(array, None) => {
                for key in self.keys(array) {
                    self.variables.remove(&format!("{array}[{key}]"));
                }
            }
            Statement::Break => return Step::Break,
            Statement::Continue => return Step::Continue,
            Statement::Next => return Step::Next,
            Statement::Exit(status) => {
                if let Some(status) = status {
                    self.status = Some(number(&self.value(status)) as i32 & 255);
                }
                return Step::Exit;
            }
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
            Expr::Call(name, given) => self.call(name, given),
            Expr::In(key, array) => {
                let key = self.value(key);
                u8::from(self.variables.contains_key(&format!("{array}[{key}]"))).to_string()
            }
            Expr::Choice(test, yes, no) => {
                let branch = if self.truth(test) { yes } else { no };
                self.value(branch)
            }
            Expr::After(place, change) => {
                let before = number(&self.value(place));
                self.assign(place, &shown(before + change));
                shown(before)
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
                if at == 0 {
                    self.record(value);
                    return;
                }
                if self.fields.len() <= at {
                    self.fields.resize(at + 1, String::new());
                    self.set("NF", &at.to_string());
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

/// A text cut at a separator, as records are.
fn cut(text: &str, separator: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    match separator {
        " " => text.split_whitespace().map(str::to_owned).collect(),
        "\\t" => text.split('\t').map(str::to_owned).collect(),
        one if one.chars().count() == 1 && one != "|" => text.split(one).map(str::to_owned).collect(),
        pattern => match regex(&extended(pattern)) {
            Ok(regex) => regex.split(text).map(str::to_owned).collect(),
            Err(_) => vec![text.to_owned()],
        },
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
        "^" => l.powf(r),
        _ => 0.0,
    }
}

/// The number a text begins with.
fn number(text: &str) -> f64 {
    let text = text.trim_start();
    let digits =
        |from: usize| text[from..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |at| from + at);
    let begin = usize::from(text.starts_with(['+', '-']));
    let mut end = digits(begin);
    if text[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    text[..end].parse().unwrap_or(0.0)
}

/// Whole numbers without a point, others with six digits, as `%.6g` prints them.
fn shown(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    if number == number.trunc() && number.abs() < 1e15 {
        return format!("{}", number as i64);
    }
    let scientific = format!("{number:.5e}");
    let (digits, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let trimmed = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if (-5..6).contains(&power) {
        let places = usize::try_from(5 - power).unwrap_or(0);
        return trimmed(&format!("{number:.places$}"));
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), power.abs())
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
            ("awk '!seen[length($1)]++'", "NAME N\na 1\n"),
            ("awk 'NR>1{c[$1]+=$2} END{for (k in c) print k, c[k]}'", "a 1\nb 2\n"),
            ("awk 'END{for (i=1; i<=3; i++) printf \"%d \", i*i; print \"\"}'", "1 4 9 \n"),
            (
                "awk 'NR==1{print tolower($1), substr($1,2,2), index($1,\"M\"), $2==\"N\" ? \"y\" : \"n\"}'",
                "name AM 3 y\n",
            ),
            (
                "awk 'NR==1{n=split(\"x,y,z\",p,\",\"); gsub(/[AE]/,\"-&\",$1); print n, p[2], $1}'",
                "3 y N-AM-E\n",
            ),
            (
                "awk 'END{if (\"q\" in c) print \"in\"; else print \"out\", 10/4, 2^10, 1e3, 10%3; exit 3}'; echo $?",
                "out 2.5 1024 1000 1\n3\n",
            ),
            ("awk 'BEGIN{while (i<3) {i++; if (i==2) continue; printf \"%s,\", i}}'", "1,3,"),
        ] {
            assert_eq!(stdout(&format!("{made}{line}")), wanted, "{line}");
        }
        assert_eq!(stdout("echo a:b:c | awk -F: '{print $2 \"-\" $3}'"), "b-c\n");
        assert_eq!(stdout("echo x | awk -v n=3 '{print n*2}'"), "6\n");
    }
}
