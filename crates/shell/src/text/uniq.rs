//! `uniq`.

use crate::{
    eval::Flow,
    text::{Options, inputs, lines},
    tool::Call,
};

/// `uniq [-c] [-d] [-u] [-i] [-f FIELDS] [-s CHARACTERS] [-w CHARACTERS] [FILE]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "cdui", "fsw", &[("count", 'c'), ("repeated", 'd')]) else {
        return Ok(1);
    };
    let (texts, all) = inputs(call, &options.operands);
    let number = |letter| options.value(letter).and_then(|it| it.parse::<usize>().ok());
    let (fields, skipped, width) = (number('f').unwrap_or(0), number('s').unwrap_or(0), number('w'));
    let looked_at = |line: &str| -> String {
        let mut rest = line;
        for _ in 0..fields {
            rest = rest.trim_start_matches([' ', '\t']);
            rest = &rest[rest.find([' ', '\t']).unwrap_or(rest.len())..];
        }
        rest.chars().skip(skipped).take(width.unwrap_or(usize::MAX)).collect()
    };
    let same = |a: &str, b: &str| {
        let (a, b) = (looked_at(a), looked_at(b));
        if options.has('i') { a.eq_ignore_ascii_case(&b) } else { a == b }
    };
    let mut groups: Vec<(usize, &str)> = Vec::new();
    for line in texts.iter().flat_map(|(_, text)| lines(text)) {
        match groups.last_mut() {
            Some((count, last)) if same(last, line) => *count += 1,
            Some(_) | None => groups.push((1, line)),
        }
    }
    for (count, line) in groups {
        if (options.has('d') && count == 1) || (options.has('u') && count > 1) {
            continue;
        }
        let prefix = if options.has('c') { format!("{count:7} ") } else { String::new() };
        call.out.line(&format!("{prefix}{line}"));
    }
    Ok(i32::from(!all))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn neighbours_are_counted() {
        assert_eq!(stdout("printf 'a\\na\\nb\\n' | uniq -c"), "      2 a\n      1 b\n");
        assert_eq!(stdout("printf 'x a\\ny a\\nz b\\n' | uniq -f1"), "x a\nz b\n");
    }
}
