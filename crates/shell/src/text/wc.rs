//! `wc`.

use crate::{
    eval::Flow,
    text::{Options, inputs},
    tool::Call,
};

/// `wc [-lwcm] [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm'), ("max-line-length", 'L')];
    let Some(options) = Options::parse(call, "lwcmL", "", &long) else { return Ok(1) };
    let (texts, all) = inputs(call, &options.operands);
    let any = "lwcmL".chars().any(|l| options.has(l));
    let wanted = |l: &char| if any { options.has(*l) } else { "lwc".contains(*l) };
    let wanted: Vec<char> = "lwmcL".chars().filter(wanted).collect();
    let count = |text: &str, letter: char| match letter {
        'l' => text.matches('\n').count(),
        'w' => text.split_whitespace().count(),
        'm' => text.chars().count(),
        'c' => text.len(),
        _ => text.lines().map(|l| l.chars().count()).max().unwrap_or(0),
    };
    let mut rows: Vec<(Vec<usize>, &str)> = texts
        .iter()
        .map(|(name, text)| (wanted.iter().map(|l| count(text, *l)).collect(), name.as_str()))
        .collect();
    // UPSTREAM: one number of one input stands bare; columns are as wide as the bytes of all files need, or 7 for a pipe.
    let width = if rows.len() == 1 && wanted.len() == 1 {
        1
    } else if options.operands.is_empty() {
        7
    } else {
        texts.iter().map(|(_, t)| t.len()).sum::<usize>().to_string().len()
    };
    if options.operands.len() > 1 {
        let total = (0..wanted.len()).map(|i| rows.iter().map(|(counts, _)| counts[i]).sum()).collect();
        rows.push((total, "total"));
    }
    for (counts, name) in &rows {
        let numbers: Vec<String> = counts.iter().map(|n| format!("{n:width$}")).collect();
        let name = if options.operands.is_empty() { String::new() } else { format!(" {name}") };
        call.out.line(&format!("{}{name}", numbers.join(" ")));
    }
    Ok(i32::from(!all))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn numbers_are_as_wide_as_wc_makes_them() {
        assert_eq!(stdout("printf 'a b\\nc\\n' | wc"), "      2       3       6\n");
        assert_eq!(stdout("printf 'a b\\nc\\n' | wc -l"), "2\n");
        assert_eq!(stdout("printf 'a b\\nc\\n' > f; wc f"), "2 3 6 f\n");
    }
}
