//! `seq`.
//!
//! Source: GNU coreutils 9.1 `seq.c`.

use crate::{eval::Flow, text::format::Spec, tool::Call};

/// Most numbers one call prints.
const MOST: usize = 1_000_000;

const HELP: &str = "Try 'seq --help' for more information.";

/// A number as it was typed: its value, the digits behind its point, and how wide it is.
struct Typed {
    value: f64,
    places: usize,
    width: usize,
}

fn read(text: &str) -> Option<Typed> {
    let value: f64 = text.parse().ok().filter(|it: &f64| !it.is_nan())?;
    let bare = text.trim_start_matches('+');
    let places = match bare.split_once('.') {
        Some((_, after)) => after.find(['e', 'E']).unwrap_or(after.len()),
        None => 0,
    };
    Some(Typed { value, places, width: bare.len() })
}

/// `seq [-w] [-s SEPARATOR] [-f FORMAT] [FIRST [STEP]] LAST`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let (mut separator, mut equal, mut format) = ("\n".to_owned(), false, None);
    let mut values: Vec<Typed> = Vec::new();
    let mut args = std::mem::take(&mut call.args).into_iter();
    let mut wrong = None;
    while let Some(arg) = args.next() {
        let is_number = arg[1.min(arg.len())..].starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if !arg.starts_with('-') || arg == "-" || is_number {
            match read(&arg) {
                Some(_) if values.len() == 3 => wrong = wrong.or(Some(format!("extra operand ‘{arg}’"))),
                Some(number) => values.push(number),
                None => wrong = wrong.or(Some(format!("invalid floating point argument: ‘{arg}’"))),
            }
            continue;
        }
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ if arg.starts_with("--") => (arg.clone(), None),
            _ => {
                let (name, value) = arg.split_at(arg.chars().nth(1).map_or(1, |c| 1 + c.len_utf8()));
                (name.to_owned(), (!value.is_empty()).then(|| value.to_owned()))
            }
        };
        match name.as_str() {
            "-w" | "--equal-width" => equal = true,
            "-s" | "--separator" | "-f" | "--format" => {
                let Some(value) = attached.or_else(|| args.next()) else {
                    let letter = name.trim_start_matches('-');
                    call.out.err(&format!("seq: option requires an argument -- '{letter}'\n{HELP}"));
                    return Ok(1);
                };
                if matches!(name.as_str(), "-s" | "--separator") {
                    separator = value;
                } else {
                    format = Some(value);
                }
            }
            "--" => {}
            long if long.starts_with("--") => {
                call.out.err(&format!("seq: unrecognized option '{long}'\n{HELP}"));
                return Ok(1);
            }
            short => {
                call.out.err(&format!("seq: invalid option -- '{}'\n{HELP}", &short[1..]));
                return Ok(1);
            }
        }
    }
    if wrong.is_none() && values.is_empty() {
        wrong = Some("missing operand".to_owned());
    }
    let step = if values.len() == 3 { values[1].value } else { 1.0 };
    if wrong.is_none() && step == 0.0 {
        wrong = Some("invalid Zero increment value: ‘0’".to_owned());
    }
    let shape = format.as_deref().map(shape);
    if let Some(Err(message)) = &shape {
        wrong = wrong.or(Some(message.clone()));
    }
    if let Some(message) = wrong {
        call.out.err(&format!("seq: {message}\n{HELP}"));
        return Ok(1);
    }
    let one = Typed { value: 1.0, places: 0, width: 1 };
    let (first, last) = (if values.len() > 1 { &values[0] } else { &one }, &values[values.len() - 1]);
    let step_places = if values.len() == 3 { values[1].places } else { 0 };
    let places = first.places.max(step_places);
    // As wide as the wider end, with the places of the numbers between.
    let width =
        |it: &Typed| it.width - it.places - usize::from(it.places > 0) + places + usize::from(places > 0);
    let width = if equal { width(first).max(width(last)) } else { 0 };
    let mut numbers = Vec::new();
    for i in 0.. {
        let value = first.value + step * f64::from(i);
        let done = if step > 0.0 { value > last.value } else { value < last.value };
        // UPSTREAM: what prints as the last number is the last number, whatever the sum's last bit says.
        let is_last =
            format!("{value:.places$}") == format!("{:.places$}", last.value) && last.places <= places;
        if done && !is_last {
            break;
        }
        if numbers.len() >= MOST {
            return Err(Flow::Stopped(format!("{MOST} numbers")));
        }
        numbers.push(match &shape {
            Some(Ok((before, spec, letter, after))) => {
                format!("{before}{}{after}", spec.float(value, *letter))
            }
            _ => Spec { zero: equal, width, precision: Some(places), ..Spec::default() }.float(value, 'f'),
        });
        if done {
            break;
        }
    }
    if !numbers.is_empty() {
        call.out.line(&numbers.join(&separator));
    }
    Ok(0)
}

/// What stands around the one conversion of a format.
fn shape(format: &str) -> Result<(String, Spec, char, String), String> {
    let mut before = String::new();
    let mut chars = format.chars().peekable();
    loop {
        match chars.next() {
            None => return Err(format!("format ‘{format}’ has no % directive")),
            Some('%') if chars.next_if_eq(&'%').is_some() => before.push('%'),
            Some('%') => break,
            Some(c) => before.push(c),
        }
    }
    let spec = Spec::read(&mut chars, || 0);
    match chars.next() {
        None => Err(format!("format ‘{format}’ ends in %")),
        Some(letter) if "aefgAEFG".contains(letter) => {
            let after: String = chars.collect();
            if after.replace("%%", "").contains('%') {
                return Err(format!("format ‘{format}’ has too many % directives"));
            }
            Ok((before, spec, letter, after.replace("%%", "%")))
        }
        Some(letter) => Err(format!("format ‘{format}’ has unknown %{letter} directive")),
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn numbers_run_from_first_to_last() {
        for (line, wanted) in [
            ("seq 2 4", "2\n3\n4\n"),
            ("seq -s, 3 -1 1", "3,2,1\n"),
            ("seq 0.5 0.5 2", "0.5\n1.0\n1.5\n2.0\n"),
            ("seq -w 8 11", "08\n09\n10\n11\n"),
            ("seq -f '%03g' 1 3", "001\n002\n003\n"),
            ("seq -f 'node-%.0f' 2", "node-1\nnode-2\n"),
            ("seq 0 0.1 0.3", "0.0\n0.1\n0.2\n0.3\n"),
            ("seq 3 1", ""),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
        assert_eq!(
            sh("seq -f x 2").1,
            "seq: format ‘x’ has no % directive\nTry 'seq --help' for more information.\n"
        );
    }
}
