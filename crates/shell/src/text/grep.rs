//! `grep`.
//!
//! Basic, extended (`-E`) and fixed (`-F`) patterns, without back-references. Status 0 if a line was selected, 1 if none, 2 on error.
//! Source: GNU grep 3.11.

use crate::{
    eval::Flow,
    files::Entry,
    text::{Options, basic, extended, lines},
    tool::Call,
};

const LONG: &[(&str, char)] = &[
    ("ignore-case", 'i'),
    ("invert-match", 'v'),
    ("count", 'c'),
    ("extended-regexp", 'E'),
    ("fixed-strings", 'F'),
    ("perl-regexp", 'P'),
    ("only-matching", 'o'),
    ("word-regexp", 'w'),
    ("line-regexp", 'x'),
    ("line-number", 'n'),
    ("quiet", 'q'),
    ("silent", 'q'),
    ("after-context", 'A'),
    ("before-context", 'B'),
    ("context", 'C'),
    ("files-with-matches", 'l'),
    ("files-without-match", 'L'),
    ("recursive", 'r'),
    ("no-filename", 'h'),
    ("with-filename", 'H'),
    ("max-count", 'm'),
    ("regexp", 'e'),
    ("no-messages", 's'),
    ("color", 'K'),
    ("colour", 'K'),
];

/// `grep [OPTION…] PATTERN [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    for arg in &mut call.args {
        let digits = arg.strip_prefix('-');
        if digits.is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_digit())) {
            *arg = format!("-C{}", &arg[1..]);
        }
    }
    let Some(mut options) = Options::parse(call, "ivcEFGPowxnqlrRhHsKL", "ABCme", LONG) else { return Ok(2) };
    let patterns: Vec<String> = if options.values('e').is_empty() {
        if options.operands.is_empty() {
            call.out
                .err("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.");
            return Ok(2);
        }
        options.operands.remove(0).split('\n').map(str::to_owned).collect()
    } else {
        options.values('e').into_iter().map(str::to_owned).collect()
    };
    let regex = match compile(&options, &patterns) {
        Ok(regex) => regex,
        Err(message) => {
            call.out.err(&format!("grep: {message}"));
            return Ok(2);
        }
    };
    let mut number = |letter: char| match options.value(letter).map(str::parse::<usize>) {
        None => Some(None),
        Some(Ok(number)) => Some(Some(number)),
        Some(Err(_)) => {
            let typed = options.value(letter).unwrap_or_default();
            call.out.err(&format!("grep: {typed}: invalid context length argument"));
            None
        }
    };
    let (Some(around), Some(after), Some(before), Some(most)) =
        (number('C'), number('A'), number('B'), number('m'))
    else {
        return Ok(2);
    };
    let around = around.unwrap_or(0);
    let context = (before.unwrap_or(around), after.unwrap_or(around));
    let (texts, all, recursive) = texts(call, &options);
    let many = options.operands.len() > 1 || recursive || options.has('H');
    let named = many && !options.has('h');
    let mut any = false;
    for (name, text) in texts {
        let shown = if name == "-" { "(standard input)" } else { name.as_str() };
        let all_lines: Vec<&str> = lines(&text).collect();
        let selected: Vec<usize> = all_lines
            .iter()
            .enumerate()
            .filter(|(_, line)| regex.is_match(line) != options.has('v'))
            .map(|(i, _)| i)
            .take(most.unwrap_or(usize::MAX))
            .collect();
        any |= !selected.is_empty();
        let file = named.then_some(shown);
        if options.has('q') {
        } else if options.has('c') {
            let name = file.map(|n| format!("{n}:")).unwrap_or_default();
            call.out.line(&format!("{name}{}", selected.len()));
        } else if let Some((kind, _)) = options.last("lL") {
            if selected.is_empty() == (kind == 'L') {
                call.out.line(shown);
            }
        } else if options.has('o') {
            for &at in &selected {
                for found in regex.find_iter(all_lines[at]).filter(|m| !m.is_empty() && !options.has('v')) {
                    let prefix = prefix(file, options.has('n').then_some(at), ':');
                    call.out.line(&format!("{prefix}{}", found.as_str()));
                }
            }
        } else {
            print(call, &all_lines, &selected, context, file, options.has('n'));
        }
    }
    Ok(match (any, all) {
        (true, true) => 0,
        (true, false) if options.has('q') => 0,
        (false, true) => 1,
        (_, false) => 2,
    })
}

fn prefix(file: Option<&str>, line: Option<usize>, separator: char) -> String {
    let file = file.map(|f| format!("{f}{separator}")).unwrap_or_default();
    let line = line.map(|l| format!("{}{separator}", l + 1)).unwrap_or_default();
    format!("{file}{line}")
}

fn print(
    call: &mut Call<'_, '_>,
    lines: &[&str],
    selected: &[usize],
    context: (usize, usize),
    file: Option<&str>,
    numbered: bool,
) {
    let mut next = 0;
    for &at in selected {
        let from = at.saturating_sub(context.0).max(next);
        if context != (0, 0) && next > 0 && from > next {
            call.out.line("--");
        }
        let to = at.saturating_add(context.1).min(lines.len() - 1);
        for (i, text) in lines.iter().enumerate().take(to + 1).skip(from) {
            let separator = if selected.binary_search(&i).is_ok() { ':' } else { '-' };
            call.out.line(&format!("{}{text}", prefix(file, numbered.then_some(i), separator)));
        }
        next = next.max(to + 1);
    }
}

fn texts(call: &mut Call<'_, '_>, options: &Options) -> (Vec<(String, String)>, bool, bool) {
    if !options.has('r') && !options.has('R') {
        let kept = call.out.clone();
        let (texts, all) = super::inputs(call, &options.operands);
        if options.has('s') {
            *call.out = kept;
        }
        return (texts, all, false);
    }
    let here = vec![".".to_owned()];
    let operands = if options.operands.is_empty() { &here } else { &options.operands };
    let mut texts = Vec::new();
    let machine = &call.shell.machine;
    for operand in operands {
        let root = machine.path(operand);
        for (path, entry) in machine.files.below(&root) {
            if let Entry::File(text) = entry {
                let below = path.strip_prefix(&root).unwrap_or_default();
                let name = if options.operands.is_empty() {
                    below.trim_start_matches('/').to_owned()
                } else {
                    format!("{operand}{below}")
                };
                texts.push((name, text.to_string()));
            }
        }
    }
    (texts, true, true)
}

fn compile(options: &Options, patterns: &[String]) -> Result<regex::Regex, String> {
    let kind = options.last("EFGP").map_or('G', |(letter, _)| letter);
    let joined: Vec<String> = patterns
        .iter()
        .map(|pattern| match kind {
            'F' => regex::escape(pattern),
            'E' => format!("(?:{})", extended(pattern)),
            'P' => format!("(?:{pattern})"),
            _ => format!("(?:{})", basic(pattern)),
        })
        .collect();
    let mut pattern = joined.join("|");
    if options.has('x') {
        pattern = format!("^(?:{pattern})$");
    } else if options.has('w') {
        pattern = format!(r"\b(?:{pattern})\b");
    }
    let built =
        regex::RegexBuilder::new(&pattern).case_insensitive(options.has('i')).size_limit(4 << 20).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "regular expression too big".to_owned(),
        _ if pattern.contains('[') && !pattern.contains(']') => "Unmatched [, [^, [:, [., or [=".to_owned(),
        _ if patterns.iter().any(|p| p.contains('(')) => "Unmatched ( or \\(".to_owned(),
        _ => "Invalid regular expression".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn options_do_what_grep_s_do() {
        let made = "printf 'alpha\\nBeta\\ngamma delta\\n' > f; ";
        for (line, wanted) in [
            ("grep -i beta f", "Beta\n"),
            ("grep -v a f", ""),
            ("grep -c a f", "3\n"),
            ("grep -n gam f", "3:gamma delta\n"),
            ("grep -o -E '[a-z]+a' f", "alpha\neta\ngamma\ndelta\n"),
            ("grep -w gamma f", "gamma delta\n"),
            ("grep -A1 alpha f", "alpha\nBeta\n"),
            ("grep -B1 gamma f", "Beta\ngamma delta\n"),
            (r"grep 'al\|Be' f", "alpha\nBeta\n"),
            ("grep 'a+' f", ""),
            ("grep -L alpha f; grep -L nope f", "f\n"),
            ("grep -n alpha f f", "f:1:alpha\nf:1:alpha\n"),
        ] {
            assert_eq!(stdout(&format!("{made}{line}")), wanted, "{line}");
        }
    }

    #[test]
    fn the_status_tells_found_from_not_found_from_error() {
        assert_eq!(sh("echo a | grep -q a").2, 0);
        assert_eq!(sh("echo a | grep b").2, 1);
        assert_eq!(
            sh("grep b nope"),
            (String::new(), "grep: nope: No such file or directory\n".to_owned(), 2)
        );
    }
}
