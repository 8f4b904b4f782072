//! What do awk's functions give? Source: POSIX `awk`, "Arithmetic Functions" and "String Functions".

use super::{Awk, Expr, cut, number, shown};
use crate::text::{extended, regex};

impl Awk {
    /// Calls a function of [`super::parse::FUNCTIONS`].
    pub(super) fn call(&mut self, name: &str, given: &[Expr]) -> String {
        match name {
            "length" => match given.first() {
                Some(Expr::Variable(array)) if !self.keys(array).is_empty() => {
                    self.keys(array).len().to_string()
                }
                Some(inner) => self.value(inner).chars().count().to_string(),
                None => self.fields[0].chars().count().to_string(),
            },
            "toupper" => self.text(given, 0).to_uppercase(),
            "tolower" => self.text(given, 0).to_lowercase(),
            "index" => {
                let (text, sought) = (self.text(given, 0), self.text(given, 1));
                text.find(&sought).map_or(0, |at| text[..at].chars().count() + 1).to_string()
            }
            "substr" => self.substr(given),
            "sprintf" => {
                let mut values: Vec<String> = given.iter().map(|it| self.value(it)).collect();
                if values.is_empty() {
                    return String::new();
                }
                let format = values.remove(0);
                crate::text::printf::format(&format, &values)
            }
            "split" => self.split(given),
            "sub" | "gsub" => self.substitute(given, name == "gsub"),
            "match" => self.matched(given),
            "int" => shown(number(&self.text(given, 0)).trunc()),
            "sqrt" => shown(number(&self.text(given, 0)).sqrt()),
            "exp" => shown(number(&self.text(given, 0)).exp()),
            "log" => shown(number(&self.text(given, 0)).ln()),
            "sin" => shown(number(&self.text(given, 0)).sin()),
            "cos" => shown(number(&self.text(given, 0)).cos()),
            _ => String::new(),
        }
    }

    fn text(&mut self, given: &[Expr], at: usize) -> String {
        given.get(at).map(|it| self.value(it)).unwrap_or_default()
    }

    /// A pattern, written as such or as a text.
    fn pattern(&mut self, given: Option<&Expr>) -> String {
        match given {
            Some(Expr::Regex(pattern)) => pattern.clone(),
            Some(other) => self.value(other),
            None => String::new(),
        }
    }

    fn substr(&mut self, given: &[Expr]) -> String {
        let text = self.text(given, 0);
        let from = number(&self.text(given, 1)).round();
        let to = match given.get(2) {
            Some(length) => from + number(&self.value(length)).round(),
            None => f64::INFINITY,
        };
        // Characters are counted from 1, and what lies before it counts too.
        let wanted = |at: usize| (at as f64) >= from && (at as f64) < to;
        text.chars().enumerate().filter(|(i, _)| wanted(i + 1)).map(|(_, c)| c).collect()
    }

    fn split(&mut self, given: &[Expr]) -> String {
        let text = self.text(given, 0);
        let separator = match given.get(2) {
            Some(_) => self.pattern(given.get(2)),
            None => self.get("FS"),
        };
        let Some(Expr::Variable(array)) = given.get(1) else { return "0".to_owned() };
        for key in self.keys(array) {
            self.variables.remove(&format!("{array}[{key}]"));
        }
        let parts = cut(&text, &separator);
        for (i, part) in parts.iter().enumerate() {
            self.set(&format!("{array}[{}]", i + 1), part);
        }
        parts.len().to_string()
    }

    fn substitute(&mut self, given: &[Expr], every: bool) -> String {
        let pattern = self.pattern(given.first());
        let with = self.text(given, 1);
        let whole = Expr::Field(Box::new(Expr::Number(0.0)));
        let place = given.get(2).unwrap_or(&whole);
        let text = self.value(place);
        let Ok(regex) = regex(&extended(&pattern)) else { return "0".to_owned() };
        let (mut out, mut done, mut count) = (String::new(), 0, 0);
        for found in regex.find_iter(&text) {
            if count > 0 && !every {
                break;
            }
            count += 1;
            out.push_str(&text[done..found.start()]);
            out.push_str(&replaced(&with, found.as_str()));
            done = found.end();
        }
        if count > 0 {
            out.push_str(&text[done..]);
            self.assign(place, &out);
        }
        count.to_string()
    }

    fn matched(&mut self, given: &[Expr]) -> String {
        let text = self.text(given, 0);
        let pattern = self.pattern(given.get(1));
        let found = regex(&extended(&pattern)).ok().and_then(|regex| regex.find(&text).map(|it| it.range()));
        let (start, length) = match found {
            Some(range) => (text[..range.start].chars().count() + 1, text[range].chars().count().to_string()),
            None => (0, "-1".to_owned()),
        };
        self.set("RSTART", &start.to_string());
        self.set("RLENGTH", &length);
        start.to_string()
    }
}

/// `&` stands for what was found, `\&` for itself.
fn replaced(with: &str, found: &str) -> String {
    let mut out = String::new();
    let mut chars = with.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('&' | '\\')) => out.extend(chars.next()),
            ('&', _) => out.push_str(found),
            (c, _) => out.push(c),
        }
    }
    out
}
