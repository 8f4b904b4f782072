//! `printf`, as bash has it.

use crate::{
    array::Array,
    escape::{Style, escaped},
    eval::Flow,
    text::format::Spec,
    tool::Call,
};

const USAGE: &str = "printf: usage: printf [-v var] format [arguments]";

/// `printf [-v NAME] FORMAT [ARGUMENT…]`: the format is used again while arguments are left.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut rest = std::mem::take(&mut call.args);
    let mut into = None;
    while let Some(option) = rest.first().filter(|it| it.len() > 1 && it.starts_with('-')).cloned() {
        rest.remove(0);
        if option == "--" {
            break;
        }
        match option.strip_prefix("-v") {
            Some("") if rest.is_empty() => {
                call.out.err(&format!("bash: printf: -v: option requires an argument\n{USAGE}"));
                return Ok(2);
            }
            Some("") => into = Some(rest.remove(0)),
            Some(name) => into = Some(name.to_owned()),
            None => {
                let letter = option.chars().nth(1).unwrap_or('-');
                call.out.err(&format!("bash: printf: -{letter}: invalid option\n{USAGE}"));
                return Ok(2);
            }
        }
    }
    if rest.is_empty() {
        call.out.err(USAGE);
        return Ok(2);
    }
    let format = rest.remove(0);
    let mut filled = Filled { args: rest.into_iter(), out: String::new(), failed: Vec::new(), ends: false };
    let world = &call.shell.world;
    let now = world.stamp(world.now()).0.as_second();
    loop {
        let before = filled.args.len();
        filled.once(&format, now);
        if filled.ends || filled.args.len() == 0 || filled.args.len() == before {
            break;
        }
    }
    match into {
        None => call.out.out(&filled.out),
        Some(name) => match name.strip_suffix(']').and_then(|it| it.split_once('[')) {
            Some((array, key)) => {
                let key = call.shell.key(array, key, call.out)?;
                let mut items: Array = call.shell.machine.array(array).unwrap_or_default();
                items.put(&key, &filled.out);
                call.shell.machine.set_array(array, items);
            }
            None if crate::builtin::variable::is_name(&name) => call.shell.machine.set(&name, &filled.out),
            None => {
                call.out.err(&format!("bash: printf: `{name}': not a valid identifier"));
                return Ok(2);
            }
        },
    }
    for message in &filled.failed {
        call.out.err(&format!("bash: printf: {message}"));
    }
    Ok(i32::from(!filled.failed.is_empty()))
}

/// A word as it could be typed: `%q`.
pub(crate) fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if text.chars().any(char::is_control) {
        let inner: String = text
            .chars()
            .map(|c| match c {
                '\n' => "\\n".to_owned(),
                '\t' => "\\t".to_owned(),
                '\r' => "\\r".to_owned(),
                '\u{1b}' => "\\E".to_owned(),
                '\'' | '\\' => format!("\\{c}"),
                c if c.is_control() => format!("\\{:03o}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        return format!("$'{inner}'");
    }
    let is_plain = |i: usize, c: char| {
        c.is_alphanumeric() || "_@%+:./-=".contains(c) || (i > 0 && (c == '#' || c == '~'))
    };
    text.chars()
        .enumerate()
        .map(|(i, c)| if is_plain(i, c) { c.to_string() } else { format!("\\{c}") })
        .collect()
}

struct Filled {
    args: std::vec::IntoIter<String>,
    out: String,
    failed: Vec<String>,
    /// Whether `\c` ended the output.
    ends: bool,
}

impl Filled {
    fn once(&mut self, format: &str, now: i64) {
        let mut chars = format.chars().peekable();
        let mut literal = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\\' => {
                    literal.push(c);
                    literal.extend(chars.next());
                    continue;
                }
                '%' if chars.peek() == Some(&'%') => {
                    chars.next();
                    self.flush(&mut literal);
                    self.out.push('%');
                    continue;
                }
                '%' => {}
                _ => {
                    literal.push(c);
                    continue;
                }
            }
            self.flush(&mut literal);
            let mut stars = Vec::new();
            let spec = Spec::read(&mut chars, || {
                let given = self.args.next().unwrap_or_default();
                integer(&given, &mut stars) as i64
            });
            self.failed.append(&mut stars);
            if chars.peek() == Some(&'(') {
                self.time(&mut chars, spec, now);
                continue;
            }
            let Some(letter) = chars.next() else {
                self.failed.push("`%': missing format character".to_owned());
                return;
            };
            if !"sbqQcdiuxXofFgGeEaA".contains(letter) {
                self.failed.push(format!("`{letter}': invalid format character"));
                self.ends = true;
                return;
            }
            let given = self.args.next();
            let is_missing = given.is_none();
            let given = given.unwrap_or_default();
            let text = match letter {
                's' => spec.text(&given),
                'b' => {
                    let (text, ends) = escaped(&given, Style::Argument);
                    self.out.push_str(&spec.text(&text));
                    self.ends = ends;
                    if ends {
                        return;
                    }
                    continue;
                }
                'q' | 'Q' => spec.text(&quoted(&given)),
                'c' => Spec { precision: None, ..spec }
                    .text(given.get(..given.chars().next().map_or(0, char::len_utf8)).unwrap_or_default()),
                'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                    let mut failed = Vec::new();
                    let number = if is_missing { 0 } else { integer(&given, &mut failed) };
                    self.failed.append(&mut failed);
                    spec.integer(number, letter)
                }
                _ => {
                    let number = self.float(&given);
                    spec.float(number, letter)
                }
            };
            self.out.push_str(&text);
        }
        self.flush(&mut literal);
    }

    fn flush(&mut self, literal: &mut String) {
        self.out.push_str(&escaped(literal, Style::Printf).0);
        literal.clear();
    }

    /// `%(%F %T)T`: seconds since 1970, -1 for now.
    fn time(&mut self, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, spec: Spec, now: i64) {
        chars.next();
        let format: String = chars.by_ref().take_while(|c| *c != ')').collect();
        if chars.next_if_eq(&'T').is_none() {
            self.failed.push("warning: `T': invalid time format specification".to_owned());
            return;
        }
        let mut failed = Vec::new();
        let second = match self.args.next() {
            None => now,
            Some(given) => match integer(&given, &mut failed) {
                -1 | -2 => now,
                second => second as i64,
            },
        };
        self.failed.append(&mut failed);
        let at = jiff::Timestamp::from_second(second).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC);
        let format = if format.is_empty() { "%H:%M:%S" } else { &format };
        self.out.push_str(&spec.text(&crate::text::date::shown(format, &at)));
    }

    fn float(&mut self, given: &str) -> f64 {
        let text = given.trim_start();
        if let Some(c) = text.strip_prefix(['\'', '"']) {
            return c.chars().next().map_or(0.0, |c| f64::from(u32::from(c)));
        }
        match text.parse::<f64>() {
            Ok(number) => number,
            Err(_) if text.is_empty() => 0.0,
            Err(_) => {
                self.failed.push(format!("{given}: invalid number"));
                let end =
                    text.find(|c: char| !c.is_ascii_digit() && !".-+".contains(c)).unwrap_or(text.len());
                text[..end].parse().unwrap_or(0.0)
            }
        }
    }
}

/// Decimal, `0x1f`, `017`, and `'c` for a character's number; what is wrong with it goes to `failed`.
fn integer(given: &str, failed: &mut Vec<String>) -> i128 {
    let text = given.trim_start();
    if let Some(rest) = text.strip_prefix(['\'', '"']) {
        return rest.chars().next().map_or(0, |c| i128::from(u32::from(c)));
    }
    let digits = text.trim_start_matches(['-', '+']);
    let (body, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if digits.starts_with('0') => (digits, 8),
        None => (digits, 10),
    };
    let end = body.find(|c: char| !c.is_digit(radix)).unwrap_or(body.len());
    let is_bad = end < body.len() || (end == 0 && !text.is_empty());
    if is_bad {
        failed.push(match radix {
            8 if end > 0 && body[end..].starts_with(['8', '9']) => format!("{given}: invalid octal number"),
            16 if end < body.len() => format!("{given}: invalid hex number"),
            _ => format!("{given}: invalid number"),
        });
    }
    let number = i128::from_str_radix(&body[..end], radix).unwrap_or(0);
    let number = if text.starts_with('-') { -number } else { number };
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    if number < least || number > most {
        failed.push(format!("warning: {given}: Numerical result out of range"));
    }
    number.clamp(least, most)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn the_format_is_used_again_while_arguments_are_left() {
        assert_eq!(stdout(r"printf '%s=%d\n' a 1 b 2"), "a=1\nb=2\n");
        assert_eq!(stdout(r"printf '[%5s|%-5s|%03d]\n' a b 7"), "[    a|b    |007]\n");
        assert_eq!(stdout("printf 'a%%\\n'"), "a%\n");
    }

    #[test]
    fn two_dashes_end_the_options_and_a_format_may_begin_with_dashes_then() {
        assert_eq!(stdout(r"printf -- '---\n%s\n' a"), "---\na\n");
        assert_eq!(stdout("printf '---' || echo $?"), "2\n");
    }

    #[test]
    fn numbers_are_read_in_any_base_and_kept_in_variables() {
        assert_eq!(stdout(r#"printf '%d %d %d\n' 0x1f 017 "'a""#), "31 15 97\n");
        assert_eq!(stdout(r"printf -v x '%03d' 7; echo $x; printf '\101\x41\n'"), "007\nAA\n");
        assert_eq!(
            sh(r"printf '%d\n' 3x"),
            ("3\n".to_owned(), "bash: printf: 3x: invalid number\n".to_owned(), 1)
        );
        assert_eq!(stdout("printf '%(%F)T\\n' 0; printf '%q\\n' 'a b'"), "1970-01-01\na\\ b\n");
    }
}
