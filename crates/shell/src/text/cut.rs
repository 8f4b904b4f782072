//! `cut`.

use crate::{
    eval::Flow,
    text::{Options, inputs, lines},
    tool::Call,
};

/// `cut -d C -f LIST`, `cut -c LIST`, the rest with `--complement`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [
        ("delimiter", 'd'),
        ("fields", 'f'),
        ("characters", 'c'),
        ("output-delimiter", 'O'),
        ("complement", 'v'),
    ];
    let Some(options) = Options::parse(call, "s", "dfcbO", &long) else { return Ok(1) };
    let Some((unit, list)) = options.last("fcb") else {
        call.out.err("cut: you must specify a list of bytes, characters, or fields\nTry 'cut --help' for more information.");
        return Ok(1);
    };
    let delimiter = options.value('d').unwrap_or("\t");
    if delimiter.chars().count() != 1 {
        call.out.err("cut: the delimiter must be a single character\nTry 'cut --help' for more information.");
        return Ok(1);
    }
    let Some(ranges) = ranges(list) else {
        call.out.err("cut: invalid field range\nTry 'cut --help' for more information.");
        return Ok(1);
    };
    let chosen = |i: usize| ranges.iter().any(|(from, to)| *from <= i && i <= *to) != options.has('v');
    let (texts, all) = inputs(call, &options.operands);
    for line in texts.iter().flat_map(|(_, text)| lines(text)) {
        if unit != 'f' {
            let kept: String =
                line.chars().enumerate().filter(|(i, _)| chosen(i + 1)).map(|(_, c)| c).collect();
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

fn ranges(list: &str) -> Option<Vec<(usize, usize)>> {
    list.split(',')
        .map(|part| {
            let range = match part.split_once('-') {
                None => part.parse().ok().map(|n| (n, n)),
                Some(("", to)) => to.parse().ok().map(|to| (1, to)),
                Some((from, "")) => from.parse().ok().map(|from| (from, usize::MAX)),
                Some((from, to)) => from.parse().ok().zip(to.parse().ok()),
            };
            range.filter(|(from, to)| *from > 0 && from <= to)
        })
        .collect()
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
