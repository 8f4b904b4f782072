//! `printf`.

use crate::{eval::Flow, expand::ansi_c, tool::Call};

/// `printf FORMAT [ARGUMENT…]`: the format is used again while arguments are left.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.is_empty() {
        call.out.err("printf: usage: printf [-v var] format [arguments]");
        return Ok(2);
    }
    let mut format = call.args.remove(0);
    match format.strip_prefix('-').and_then(|it| it.chars().next()) {
        Some('-') if format == "--" && !call.args.is_empty() => format = call.args.remove(0),
        Some(option) if option != 'v' => {
            call.out.err(&format!("bash: printf: -{option}: invalid option"));
            call.out.err("printf: usage: printf [-v var] format [arguments]");
            return Ok(2);
        }
        _ => {}
    }
    let mut rest = std::mem::take(&mut call.args);
    let mut status = 0;
    loop {
        let before = rest.len();
        let (text, failed) = once(&format, &mut rest);
        call.out.out(&text);
        for message in failed {
            call.out.err(&format!("bash: printf: {message}"));
            status = 1;
        }
        if rest.is_empty() || rest.len() == before {
            return Ok(status);
        }
    }
}

/// A format filled once, for tools that have a `printf` of their own.
#[must_use]
pub fn format(format: &str, args: &[String]) -> String {
    let mut rest = args.to_vec();
    once(format, &mut rest).0
}

/// A word as it could be typed: `%q`.
fn escaped(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("\\{c}") }).collect()
}

fn once(format: &str, args: &mut Vec<String>) -> (String, Vec<String>) {
    let mut out = String::new();
    let mut failed = Vec::new();
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
                literal.push('%');
                continue;
            }
            '%' => {}
            _ => {
                literal.push(c);
                continue;
            }
        }
        out.push_str(&ansi_c(&std::mem::take(&mut literal)));
        let mut spec = String::new();
        let letter = loop {
            match chars.next() {
                Some('*') => spec.push_str(&next(args)),
                Some(c) if "-+ 0#.123456789".contains(c) => spec.push(c),
                other => break other,
            }
        };
        let given = next(args);
        match letter {
            Some('s') => out.push_str(&pad(&cut(&given, &spec), &spec)),
            Some('b') => out.push_str(&pad(&ansi_c(&given), &spec)),
            Some('q') => out.push_str(&pad(&escaped(&given), &spec)),
            Some('c') => out.extend(given.chars().next()),
            Some('d' | 'i' | 'u' | 'x' | 'X' | 'o') => {
                let number = given.trim().parse::<i64>().unwrap_or_else(|_| {
                    if !given.is_empty() {
                        failed.push(format!("{given}: invalid number"));
                    }
                    0
                });
                let text = match letter {
                    Some('x') => format!("{number:x}"),
                    Some('X') => format!("{number:X}"),
                    Some('o') => format!("{number:o}"),
                    _ => number.to_string(),
                };
                out.push_str(&pad(&text, &spec));
            }
            Some('f' | 'g' | 'e') => {
                let number: f64 = given.trim().parse().unwrap_or(0.0);
                let digits =
                    spec.split_once('.').and_then(|(_, d)| d.parse().ok()).unwrap_or(6_usize).min(100);
                let text = match letter {
                    Some('e') => {
                        let text = format!("{number:.digits$e}");
                        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
                        let power: i32 = power.parse().unwrap_or(0);
                        format!("{digits}e{}{:02}", if power < 0 { '-' } else { '+' }, power.abs())
                    }
                    _ => format!("{number:.digits$}"),
                };
                out.push_str(&pad(&text, spec.split('.').next().unwrap_or_default()));
            }
            Some(other) => failed.push(format!("`{other}': invalid format character")),
            None => failed.push("`%': missing format character".to_owned()),
        }
    }
    out.push_str(&ansi_c(&literal));
    (out, failed)
}

fn next(args: &mut Vec<String>) -> String {
    if args.is_empty() { String::new() } else { args.remove(0) }
}

fn cut(text: &str, spec: &str) -> String {
    match spec.split_once('.').and_then(|(_, d)| d.parse().ok()) {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    }
}

fn pad(text: &str, spec: &str) -> String {
    let left = spec.contains('-');
    let zero = spec.trim_start_matches(['-', '+', ' ', '#']).starts_with('0') && !left;
    let width: usize = spec
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_start_matches(['-', '+', ' ', '#', '0'])
        .parse()
        .unwrap_or(0)
        .min(10_000);
    if left {
        format!("{text:<width$}")
    } else if zero {
        format!("{text:0>width$}")
    } else {
        format!("{text:>width$}")
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

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
}
