//! `uniq`.

use crate::{
    eval::Flow,
    text::{Options, inputs, lines},
    tool::Call,
};

/// `uniq [-c] [-d] [-u] [-i] [FILE]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "cdui", "fsw", &[("count", 'c'), ("repeated", 'd')]) else {
        return Ok(1);
    };
    let (texts, all) = inputs(call, &options.operands);
    let same = |a: &str, b: &str| if options.has('i') { a.eq_ignore_ascii_case(b) } else { a == b };
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
    }
}
