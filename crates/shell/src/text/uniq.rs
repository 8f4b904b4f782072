//! `uniq`.

use crate::{
    eval::Flow,
    text::{Options, inputs, lines},
    tool::Call,
};

/// `uniq [-c] [-d] [-D] [-u] [-i] [-f FIELDS] [-s CHARACTERS] [-w CHARACTERS] [FILE [INTO]]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [
        ("count", 'c'),
        ("repeated", 'd'),
        ("all-repeated", 'D'),
        ("unique", 'u'),
        ("ignore-case", 'i'),
        ("skip-fields", 'f'),
        ("skip-chars", 's'),
        ("check-chars", 'w'),
    ];
    let Some(options) = Options::parse(call, "cdDui", "fsw", &long) else { return Ok(1) };
    if let Some(extra) = options.operands.get(2) {
        call.out.err(&format!("uniq: extra operand ‘{extra}’\nTry 'uniq --help' for more information."));
        return Ok(1);
    }
    for (letter, what) in [('f', "fields to skip"), ('s', "bytes to skip"), ('w', "bytes to compare")] {
        if let Some(wrong) = options.value(letter).filter(|it| it.parse::<usize>().is_err()) {
            call.out.err(&format!("uniq: {wrong}: invalid number of {what}"));
            return Ok(1);
        }
    }
    let (texts, all) = inputs(call, options.operands.get(..1).unwrap_or_default());
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
    let mut groups: Vec<Vec<&str>> = Vec::new();
    for line in texts.iter().flat_map(|(_, text)| lines(text)) {
        match groups.last_mut() {
            Some(group) if same(group[0], line) => group.push(line),
            Some(_) | None => groups.push(vec![line]),
        }
    }
    let mut out = String::new();
    for group in groups {
        let count = group.len();
        let repeats = options.has('d') || options.has('D');
        if (repeats && count == 1) || (options.has('u') && count > 1) {
            continue;
        }
        let shown = if options.has('D') { count } else { 1 };
        for line in group.iter().take(shown) {
            let prefix = if options.has('c') { format!("{count:7} ") } else { String::new() };
            out.push_str(&format!("{prefix}{line}\n"));
        }
    }
    match options.operands.get(1) {
        None => call.out.out(&out),
        Some(file) => {
            let path = call.shell.machine.path(file);
            if let Err(error) = call.shell.machine.files.write(&path, &out) {
                call.out.err(&format!("uniq: {file}: {error}"));
                return Ok(1);
            }
        }
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
        assert_eq!(stdout("printf 'a\\na\\nb\\n' | uniq -D"), "a\na\n");
    }
}
