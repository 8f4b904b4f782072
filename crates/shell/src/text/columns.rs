//! `expand`, `unexpand`: tabs and blanks.
//!
//! Source: GNU coreutils 9.1.

use crate::{
    eval::Flow,
    text::{Options, inputs},
    tool::Call,
};

/// Where tabs stop: every so many columns, or at these.
fn stops(call: &mut Call<'_, '_>, options: &Options) -> Option<Vec<usize>> {
    let typed = options.value('t').unwrap_or("8");
    let mut all = Vec::new();
    for part in typed.split([',', ' ']).filter(|part| !part.is_empty()) {
        match part.parse::<usize>() {
            Ok(0) => {
                call.out.err(&format!("{}: tab size cannot be 0", call.name));
                return None;
            }
            Ok(size) => all.push(size),
            Err(_) => {
                call.out.err(&format!("{}: tab size contains invalid character(s): ‘{part}’", call.name));
                return None;
            }
        }
    }
    if all.windows(2).any(|pair| pair[0] >= pair[1]) {
        call.out.err(&format!("{}: tab sizes must be ascending", call.name));
        return None;
    }
    Some(all)
}

/// The column of the next stop.
fn next(stops: &[usize], column: usize) -> usize {
    match stops {
        [every] => column - column % every + every,
        many => many.iter().copied().find(|stop| *stop > column).unwrap_or(column + 1),
    }
}

/// `expand [-i] [-t N] [FILE…]`.
pub fn expand(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("tabs", 't'), ("initial", 'i')];
    let Some(options) = Options::parse(call, "i", "t", &long) else { return Ok(1) };
    let Some(stops) = stops(call, &options) else { return Ok(1) };
    let (texts, all) = inputs(call, &options.operands);
    let mut out = String::new();
    for (_, text) in &texts {
        let (mut column, mut leads) = (0, true);
        for c in text.chars() {
            match c {
                '\t' if leads || !options.has('i') => {
                    let to = next(&stops, column).min(column + 10_000);
                    out.push_str(&" ".repeat(to - column));
                    column = to;
                }
                '\n' => {
                    out.push(c);
                    (column, leads) = (0, true);
                }
                c => {
                    out.push(c);
                    column += 1;
                    leads &= c == ' ' || c == '\t';
                }
            }
        }
    }
    call.out.out(&out);
    Ok(i32::from(!all))
}

/// `unexpand [-a] [-t N] [FILE…]`: blanks that lead a line, or all of them, as tabs.
pub fn unexpand(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("tabs", 't'), ("all", 'a'), ("first-only", 'f')];
    let Some(options) = Options::parse(call, "af", "t", &long) else { return Ok(1) };
    let Some(stops) = stops(call, &options) else { return Ok(1) };
    let everywhere = (options.has('a') || options.value('t').is_some()) && !options.has('f');
    let (texts, all) = inputs(call, &options.operands);
    let mut out = String::new();
    for line in texts.iter().flat_map(|(_, text)| text.split_inclusive('\n')) {
        let (mut column, mut begun, mut blanks, mut leads) = (0, 0, 0, true);
        for c in line.chars() {
            let is_blank = (c == ' ' || c == '\t') && (leads || everywhere);
            if is_blank {
                if blanks == 0 {
                    begun = column;
                }
                blanks += 1;
                column = if c == '\t' { next(&stops, column) } else { column + 1 };
                continue;
            }
            // A single blank stays one, unless it leads.
            let mut at = begun;
            while blanks > 0 && (blanks > 1 || leads) && next(&stops, at) <= column {
                out.push('\t');
                at = next(&stops, at);
            }
            if blanks > 0 {
                out.push_str(&" ".repeat(column - at));
            }
            blanks = 0;
            leads &= c == ' ' || c == '\t';
            out.push(c);
            column += 1;
        }
        out.push_str(&" ".repeat(if blanks > 0 { column - begun } else { 0 }));
    }
    call.out.out(&out);
    Ok(i32::from(!all))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn tabs_become_blanks_and_blanks_tabs() {
        assert_eq!(stdout("printf 'a\\tb\\n' | expand"), "a       b\n");
        assert_eq!(stdout("printf 'a\\tb\\tc\\n' | expand -t 2,5"), "a b  c\n");
        assert_eq!(stdout("printf '        a   b\\n' | unexpand"), "\ta   b\n");
    }
}
