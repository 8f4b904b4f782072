//! `cut`.

use crate::{
    eval::Flow,
    text::{Options, inputs, lines},
    tool::Call,
};

const HELP: &str = "Try 'cut --help' for more information.";

/// `cut -d C -f LIST`, `cut -c LIST`, `cut -b LIST`, the rest with `--complement`.
///
/// MODEL: bytes are characters here.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [
        ("delimiter", 'd'),
        ("fields", 'f'),
        ("characters", 'c'),
        ("bytes", 'b'),
        ("only-delimited", 's'),
        ("output-delimiter", 'O'),
        ("complement", 'v'),
        ("zero-terminated", 'z'),
    ];
    let Some(options) = Options::parse(call, "snvz", "dfcbO", &long) else { return Ok(1) };
    let wrong = |call: &mut Call<'_, '_>, what: &str| {
        call.out.err(&format!("cut: {what}\n{HELP}"));
        Ok(1)
    };
    let given = ['f', 'c', 'b'].iter().map(|letter| options.values(*letter).len()).sum::<usize>();
    let Some((unit, list)) = options.last("fcb") else {
        return wrong(call, "you must specify a list of bytes, characters, or fields");
    };
    if given > 1 {
        return wrong(call, "only one list may be specified");
    }
    let delimiter = options.value('d').unwrap_or("\t");
    if delimiter.chars().count() > 1 {
        return wrong(call, "the delimiter must be a single character");
    }
    if unit != 'f' && options.value('d').is_some() {
        return wrong(call, "an input delimiter may be specified only when operating on fields");
    }
    if unit != 'f' && options.has('s') {
        return wrong(call, "suppressing non-delimited lines makes sense\n\tonly when operating on fields");
    }
    let ranges = match ranges(list, unit == 'f') {
        Ok(ranges) => ranges,
        Err(what) => return wrong(call, &what),
    };
    // UPSTREAM: an empty delimiter is a zero.
    let delimiter = if delimiter.is_empty() { "\0" } else { delimiter };
    let chosen = |i: usize| ranges.iter().any(|(from, to)| *from <= i && i <= *to) != options.has('v');
    let (texts, all) = inputs(call, &options.operands);
    for line in texts.iter().flat_map(|(_, text)| lines(text)) {
        if unit != 'f' {
            let mut kept = String::new();
            let mut last = 0;
            for (i, c) in line.chars().enumerate().filter(|(i, _)| chosen(i + 1)) {
                // What stands between ranges, where it was asked for.
                let begins = i > last || ranges.iter().any(|(from, _)| *from == i + 1);
                if begins && !kept.is_empty() {
                    kept.push_str(options.value('O').unwrap_or_default());
                }
                kept.push(c);
                last = i + 1;
            }
            call.out.line(&kept);
        } else if line.contains(delimiter) {
            let kept: Vec<&str> =
                line.split(delimiter).enumerate().filter(|(i, _)| chosen(i + 1)).map(|(_, f)| f).collect();
            call.out.line(&kept.join(options.value('O').unwrap_or(delimiter)));
        } else if !options.has('s') {
            call.out.line(line);
        }
    }
    Ok(i32::from(!all))
}

fn ranges(list: &str, fields: bool) -> Result<Vec<(usize, usize)>, String> {
    let what = if fields { "field" } else { "byte/character" };
    let number = |text: &str| -> Result<usize, String> {
        if text.chars().all(|c| c.is_ascii_digit()) {
            return Ok(text.parse().unwrap_or(usize::MAX));
        }
        let what = if fields { "field value" } else { "byte or character position" };
        // The digits before what is wrong are not said again.
        Err(format!("invalid {what} ‘{}’", text.trim_start_matches(|c: char| c.is_ascii_digit())))
    };
    let mut all = Vec::new();
    for part in list.split([',', ' ']) {
        let range = match part.split_once('-') {
            None => {
                let at = number(part)?;
                (at, at)
            }
            Some(("", "")) => return Err("invalid range with no endpoint: -".to_owned()),
            Some(("", to)) => (1, number(to)?),
            Some((from, "")) => (number(from)?, usize::MAX),
            Some((from, to)) => (number(from)?, number(to)?),
        };
        if part.is_empty() || range.0 == 0 {
            return Err(
                format!("{what}s are numbered from 1").replace("characters are", "character positions are")
            );
        }
        if range.0 > range.1 {
            return Err("invalid decreasing range".to_owned());
        }
        all.push(range);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn fields_and_characters_are_cut() {
        assert_eq!(stdout("echo a:b:c | cut -d: -f1,3"), "a:c\n");
        assert_eq!(stdout("echo abcdef | cut -c2-4"), "bcd\n");
        assert_eq!(
            stdout("echo a:b:c | cut -d: --complement -f2; echo abc | cut --complement -c1"),
            "a:c\nbc\n"
        );
    }
}
