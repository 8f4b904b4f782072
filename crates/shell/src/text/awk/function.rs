//! What do awk's functions give? Source: POSIX `awk`, "Arithmetic Functions" and "String Functions"; gawk's manual, 9.1.

use std::rc::Rc;

use super::{
    machine::{Awk, Done},
    tree::Expr,
    value::{Value, number},
};
use crate::{output::Stdin, text::format::Spec};

impl<'a> Awk<'a, '_, '_> {
    /// Calls a function that awk has.
    pub(super) fn builtin(&mut self, name: &str, given: &'a [Expr]) -> Done<Value> {
        Ok(match name {
            "length" => match given.first() {
                Some(Expr::Variable(array)) if self.is_array(array) => {
                    Value::Number(self.keys(array)?.len() as f64)
                }
                Some(inner) => Value::Number(self.text(inner)?.chars().count() as f64),
                None => Value::Number(self.record.chars().count() as f64),
            },
            "toupper" => Value::text(&self.given(given, 0)?.to_uppercase()),
            "tolower" => Value::text(&self.given(given, 0)?.to_lowercase()),
            "index" => {
                let (text, sought) = (self.given(given, 0)?, self.given(given, 1)?);
                let at = if sought.is_empty() { None } else { text.find(&*sought) };
                Value::Number(at.map_or(0, |at| text[..at].chars().count() + 1) as f64)
            }
            "substr" => self.substr(given)?,
            "sprintf" => Value::text(&self.formatted(given)?),
            "split" => self.split(given)?,
            "sub" | "gsub" => self.substitute(given, name == "gsub")?,
            "gensub" => self.general(given)?,
            "match" => self.matched(given)?,
            "close" => {
                let name = self.given(given, 0)?;
                Value::Number(self.close(&name)?)
            }
            "system" => {
                let line = self.given(given, 0)?;
                Value::Number(f64::from(self.command(&line, &mut Stdin::of(""), false)?.1))
            }
            "fflush" => Value::Number(0.0),
            "asort" | "asorti" => self.sorted(given, name == "asorti")?,
            "strftime" => self.time(given)?,
            "systime" => Value::Number(self.now() as f64),
            "srand" => {
                let before = self.seed;
                self.seed = match given.first() {
                    Some(seed) => self.value(seed)?.number(),
                    None => self.now() as f64,
                };
                self.drawn = 0;
                Value::Number(before)
            }
            "rand" => {
                self.drawn += 1;
                let drawn = cluster::draw::draw(self.seed.to_bits(), "awk", "rand", self.drawn);
                Value::Number((drawn >> 11) as f64 / (1_u64 << 53) as f64)
            }
            _ => Value::Number(self.arithmetic(name, given)?),
        })
    }

    fn arithmetic(&mut self, name: &str, given: &'a [Expr]) -> Done<f64> {
        let mut numbers = Vec::new();
        for it in given {
            let value = self.value(it)?;
            // Only `strtonum` reads the digits of a text otherwise.
            numbers.push(if name == "strtonum" { any_base(&value.shown("%.6g")) } else { value.number() });
        }
        let first = numbers.first().copied().unwrap_or(0.0);
        let second = numbers.get(1).copied().unwrap_or(0.0);
        let bits = |it: f64| it.max(0.0) as u64;
        let fold =
            |with: fn(u64, u64) -> u64| numbers.iter().map(|it| bits(*it)).reduce(with).unwrap_or(0) as f64;
        let shift = u32::try_from(bits(second)).unwrap_or(64);
        Ok(match name {
            "int" => first.trunc(),
            "sqrt" | "log" => {
                if first < 0.0 {
                    self.say(&format!("cmd. line:1: warning: {name}: received negative argument {first}"));
                }
                // The sign of what is no number is as C's library has it.
                if first < 0.0 {
                    -f64::NAN
                } else if name == "log" {
                    first.ln()
                } else {
                    first.sqrt()
                }
            }
            "exp" => first.exp(),
            "sin" => first.sin(),
            "cos" => first.cos(),
            "atan2" => first.atan2(second),
            "and" => fold(|a, b| a & b),
            "or" => fold(|a, b| a | b),
            "xor" => fold(|a, b| a ^ b),
            "lshift" => bits(first).checked_shl(shift).unwrap_or(0) as f64,
            "rshift" => bits(first).checked_shr(shift).unwrap_or(0) as f64,
            // Numbers have 53 bits.
            "compl" => (!bits(first) & ((1 << 53) - 1)) as f64,
            _ => first,
        })
    }

    fn given(&mut self, given: &'a [Expr], at: usize) -> Done<Rc<str>> {
        match given.get(at) {
            Some(it) => self.text(it),
            None => Ok("".into()),
        }
    }

    /// `printf`: a format and its values.
    pub(super) fn formatted(&mut self, given: &'a [Expr]) -> Done<String> {
        let format = self.given(given, 0)?;
        let mut values = Vec::new();
        for it in given.iter().skip(1) {
            values.push(self.value(it)?);
        }
        let convert = self.text_of("CONVFMT");
        let mut values = values.into_iter();
        let mut out = String::new();
        let mut chars = format.chars().peekable();
        let mut done = String::new();
        while let Some(c) = chars.next() {
            done.push(c);
            if c != '%' {
                out.push(c);
                continue;
            }
            if chars.next_if_eq(&'%').is_some() {
                out.push('%');
                done.push('%');
                continue;
            }
            let before = chars.clone();
            let spec = Spec::read(&mut chars, || values.next().map_or(0, |it| it.number() as i64));
            let letter = chars.next();
            let typed: String = before.clone().take(before.count() - chars.clone().count()).collect();
            done.push_str(&typed);
            let Some(letter) = letter.filter(|c| "sdiouxXeEfFgGc".contains(*c)) else {
                out.push('%');
                out.push_str(&typed);
                continue;
            };
            let Some(value) = values.next() else {
                let rest: String = chars.collect();
                let blank = " ".repeat(done.chars().count() - 1);
                return self.fatal(&format!(
                    "not enough arguments to satisfy format string\n\t`{done}{rest}'\n\t{blank}^ ran out for this one"
                ));
            };
            out.push_str(&match letter {
                's' => spec.text(&value.shown(&convert)),
                'c' => {
                    let c = match &value {
                        Value::Number(number) => char::from_u32(*number as u32).map(String::from),
                        other => other.shown(&convert).chars().next().map(String::from),
                    };
                    Spec { precision: None, ..spec }.text(&c.unwrap_or_default())
                }
                'd' | 'i' | 'o' | 'x' | 'X' | 'u' => {
                    let number = value.number();
                    if number.is_finite() {
                        spec.integer(number.trunc() as i128, letter)
                    } else {
                        spec.text(&Value::Number(number).shown(&convert))
                    }
                }
                _ => spec.float(value.number(), letter),
            });
        }
        Ok(out)
    }

    fn substr(&mut self, given: &'a [Expr]) -> Done<Value> {
        let text = self.given(given, 0)?;
        // UPSTREAM: gawk rounds both; a start before the first character is the first.
        let round = |it: f64| if it.is_nan() { 0.0 } else { it.round_ties_even() };
        let from = match given.get(1) {
            Some(from) => round(self.value(from)?.number()).max(1.0),
            None => 1.0,
        };
        let to = match given.get(2) {
            Some(length) => from + round(self.value(length)?.number()),
            None => f64::INFINITY,
        };
        let wanted = |at: usize| (at as f64) >= from && (at as f64) < to;
        let cut: String = text.chars().enumerate().filter(|(i, _)| wanted(i + 1)).map(|(_, c)| c).collect();
        Ok(Value::text(&cut))
    }

    fn fill(&mut self, array: &str, values: impl Iterator<Item = Value>) -> Done<usize> {
        let id = self.array(array)?;
        self.arrays[id] = values.enumerate().map(|(i, it)| ((i + 1).to_string().into(), it)).collect();
        Ok(self.arrays[id].len())
    }

    fn split(&mut self, given: &'a [Expr]) -> Done<Value> {
        let text = self.given(given, 0)?;
        let parts = match given.get(2) {
            Some(Expr::Regex(pattern)) if text.is_empty() || pattern.is_empty() => {
                self.cut(&text, pattern, false)
            }
            Some(Expr::Regex(pattern)) => self.regex(pattern)?.split(&text).map(str::to_owned).collect(),
            Some(separator) => {
                let separator = self.text(separator)?;
                self.cut(&text, &separator, false)
            }
            None => {
                let separator = self.text_of("FS");
                self.cut(&text, &separator, false)
            }
        };
        match given.get(1) {
            Some(Expr::Variable(array)) => {
                let count = self.fill(array, parts.iter().map(|part| Value::input(part)))?;
                Ok(Value::Number(count as f64))
            }
            _ => self.fatal("split: second argument is not an array"),
        }
    }

    /// `asort` by values, `asorti` by keys.
    fn sorted(&mut self, given: &'a [Expr], by_key: bool) -> Done<Value> {
        let Some(Expr::Variable(array)) = given.first() else {
            return self.fatal("asort: first argument is not an array");
        };
        let id = self.array(array)?;
        let mut values: Vec<Value> = if by_key {
            self.arrays[id].keys().map(|key| Value::text(key)).collect()
        } else {
            self.arrays[id].values().cloned().collect()
        };
        // Numbers stand before texts.
        values.sort_by(|a, b| {
            let is_text = |it: &Value| matches!(it, Value::Text(_));
            is_text(a).cmp(&is_text(b)).then(a.compare(b, "%.6g").unwrap_or(std::cmp::Ordering::Equal))
        });
        let into = match given.get(1) {
            Some(Expr::Variable(into)) => into,
            _ => array,
        };
        Ok(Value::Number(self.fill(into, values.into_iter())? as f64))
    }

    fn substitute(&mut self, given: &'a [Expr], every: bool) -> Done<Value> {
        let Some(pattern) = given.first() else { return Ok(Value::Number(0.0)) };
        let regex = self.pattern(pattern)?;
        let with = self.given(given, 1)?;
        let text = match given.get(2) {
            Some(place) => self.text(place)?,
            None => self.record.clone(),
        };
        let (out, count) = replaced(&regex, &text, &with, if every { None } else { Some(1) }, false);
        if count > 0 {
            match given.get(2) {
                Some(place) => self.assign(place, Value::text(&out))?,
                None => self.set_record(&out),
            }
        }
        Ok(Value::Number(count as f64))
    }

    /// `gensub`: brackets of the pattern as `\1`, the result as a value.
    fn general(&mut self, given: &'a [Expr]) -> Done<Value> {
        let Some(pattern) = given.first() else { return Ok(Value::Unset) };
        let regex = self.pattern(pattern)?;
        let (with, how) = (self.given(given, 1)?, self.given(given, 2)?);
        let text = match given.get(3) {
            Some(it) => self.text(it)?,
            None => self.record.clone(),
        };
        let which = if how.starts_with(['g', 'G']) { None } else { Some((number(&how) as usize).max(1)) };
        Ok(Value::text(&replaced(&regex, &text, &with, which, true).0))
    }

    fn matched(&mut self, given: &'a [Expr]) -> Done<Value> {
        let text = self.given(given, 0)?;
        let Some(pattern) = given.get(1) else { return Ok(Value::Number(0.0)) };
        let regex = self.pattern(pattern)?;
        let captures = regex.captures(&text);
        let (start, length) = match captures.as_ref().and_then(|it| it.get(0)) {
            Some(it) => (text[..it.start()].chars().count() + 1, it.as_str().chars().count() as f64),
            None => (0, -1.0),
        };
        self.set_number("RSTART", start as f64);
        self.set_number("RLENGTH", length);
        if let Some(Expr::Variable(array)) = given.get(2) {
            let id = self.array(array)?;
            let groups = captures.iter().flat_map(|it| it.iter().enumerate());
            self.arrays[id] = groups
                .filter_map(|(i, it)| Some((i.to_string().into(), Value::input(it?.as_str()))))
                .collect();
        }
        Ok(Value::Number(start as f64))
    }

    /// Seconds since 1970, of the simulated clock.
    fn now(&self) -> i64 {
        let world = &self.call.shell.world;
        world.stamp(world.now()).0.as_second()
    }

    fn time(&mut self, given: &'a [Expr]) -> Done<Value> {
        let format = match given.first() {
            Some(format) => self.text(format)?,
            None => "%a %b %e %H:%M:%S %Z %Y".into(),
        };
        let second = match given.get(1) {
            Some(at) => self.value(at)?.number() as i64,
            None => self.now(),
        };
        let at = jiff::Timestamp::from_second(second).unwrap_or_default();
        let text = crate::text::date::shown(&format, &at.to_zoned(jiff::tz::TimeZone::UTC));
        Ok(Value::text(&text))
    }
}

/// `0x1f`, `017` and decimal numbers.
fn any_base(text: &str) -> f64 {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        return u64::from_str_radix(&hex[..end], 16).unwrap_or(0) as f64;
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() && octal.chars().all(|c| c.is_digit(8)) => {
            u64::from_str_radix(octal, 8).unwrap_or(0) as f64
        }
        _ => number(text),
    }
}

/// A text with matches replaced: the `which`th or all of them; and how many were.
fn replaced(
    regex: &regex::Regex,
    text: &str,
    with: &str,
    which: Option<usize>,
    groups: bool,
) -> (String, usize) {
    let (mut out, mut done, mut seen, mut count) = (String::new(), 0, 0, 0);
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { break };
        seen += 1;
        if which.is_some_and(|which| which != seen) {
            continue;
        }
        count += 1;
        out.push_str(&text[done..whole.start()]);
        fill(&mut out, with, &found, groups);
        done = whole.end();
    }
    out.push_str(&text[done..]);
    (out, count)
}

/// `&` stands for what was found, `\&` for itself.
fn fill(out: &mut String, with: &str, found: &regex::Captures<'_>, groups: bool) {
    let group = |n: usize| found.get(n).map_or("", |it| it.as_str());
    let mut chars = with.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('&' | '\\')) => out.extend(chars.next()),
            ('\\', Some(digit)) if groups && digit.is_ascii_digit() => {
                let digit = chars.next().and_then(|c| c.to_digit(10)).unwrap_or(0);
                out.push_str(group(usize::try_from(digit).unwrap_or(0)));
            }
            ('&', _) => out.push_str(group(0)),
            (c, _) => out.push(c),
        }
    }
}
