//! `head` and `tail`.

use crate::{
    eval::Flow,
    text::{Options, inputs},
    tool::Call,
};

/// `head [-n N] [-c N] [FILE…]`.
pub fn head(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    run(call, true)
}

/// `tail [-n N] [-c N] [FILE…]`. MODEL: `-f` prints what is there and ends.
pub fn tail(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    run(call, false)
}

fn run(call: &mut Call<'_, '_>, head: bool) -> Result<i32, Flow> {
    // UPSTREAM: `-2` for `-n 2` is read only where it stands first.
    for arg in call.args.iter_mut().take(1) {
        let digits = arg.strip_prefix('-').or_else(|| arg.strip_prefix('+').filter(|_| !head));
        if digits.is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_digit())) {
            *arg = if arg.starts_with('+') { format!("-n{arg}") } else { format!("-n{}", &arg[1..]) };
        }
    }
    let long = [("lines", 'n'), ("bytes", 'c'), ("quiet", 'q'), ("follow", 'f'), ("verbose", 'v')];
    let Some(options) = Options::parse(call, "qvfF", "nc", &long) else { return Ok(1) };
    let (unit, typed) = options.last("nc").unwrap_or(('n', "10"));
    let Ok(number) = typed.trim_start_matches(['-', '+']).parse::<usize>() else {
        let what = if unit == 'n' { "lines" } else { "bytes" };
        call.out.err(&format!("{}: invalid number of {what}: ‘{typed}’", call.name));
        return Ok(1);
    };
    let (texts, all) = inputs(call, &options.operands);
    let titled = (options.operands.len() > 1 || options.has('v')) && !options.has('q');
    for (i, (name, text)) in texts.iter().enumerate() {
        if titled {
            let name = if name == "-" { "standard input" } else { name };
            call.out.out(&format!("{}==> {name} <==\n", if i > 0 { "\n" } else { "" }));
        }
        let units: Vec<&str> = if unit == 'n' {
            text.split_inclusive('\n').collect()
        } else {
            text.split_inclusive(|_: char| true).collect()
        };
        let len = units.len();
        let range = match (head, typed.chars().next()) {
            (true, Some('-')) => 0..len.saturating_sub(number),
            (true, _) => 0..number.min(len),
            (false, Some('+')) => number.saturating_sub(1).min(len)..len,
            (false, _) => len.saturating_sub(number)..len,
        };
        call.out.out(&units[range].concat());
    }
    Ok(i32::from(!all))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn counts_are_from_either_end() {
        for (line, wanted) in [
            ("seq 5 | head -n 2", "1\n2\n"),
            ("seq 5 | head -2", "1\n2\n"),
            ("seq 5 | head -n -3", "1\n2\n"),
            ("seq 5 | tail -n 2", "4\n5\n"),
            ("seq 5 | tail -n +4", "4\n5\n"),
            ("echo abc | head -c 2", "ab"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
    }
}
