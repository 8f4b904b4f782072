//! `grep`.
//!
//! Basic, extended (`-E`), fixed (`-F`) and Perl's (`-P`) patterns. Status 0 if a line was selected, 1 if none, 2 on error.
//! Source: GNU grep 3.8.

mod print;

use print::{Printer, say_matches};

use crate::{
    eval::Flow,
    files::{Entry, FileError},
    glob,
    text::{
        Options, lines,
        pattern::{Flavour, fancy, translated},
    },
    tool::Call,
};

const LONG: &[(&str, char)] = &[
    ("ignore-case", 'i'),
    ("no-ignore-case", 'y'),
    ("invert-match", 'v'),
    ("count", 'c'),
    ("basic-regexp", 'G'),
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
    ("dereference-recursive", 'R'),
    ("no-filename", 'h'),
    ("with-filename", 'H'),
    ("max-count", 'm'),
    ("regexp", 'e'),
    ("file", 'f'),
    ("no-messages", 's'),
    ("byte-offset", 'b'),
    ("null", 'Z'),
    ("null-data", 'z'),
    ("initial-tab", 'T'),
    ("text", 'a'),
    ("line-buffered", 'u'),
    ("include", '\u{1}'),
    ("exclude", '\u{2}'),
    ("exclude-dir", '\u{3}'),
    ("label", '\u{4}'),
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
    let flags = "ivyczZTaubEFGPowxnqlrRhHsLK";
    let Some(mut options) = Options::parse(call, flags, "ABCmef\u{1}\u{2}\u{3}\u{4}", LONG) else {
        return Ok(2);
    };
    let Some(patterns) = patterns(call, &mut options) else { return Ok(2) };
    let regexes = match compile(call, &options, &patterns) {
        Ok(regexes) => regexes,
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
            call.out.err(&if letter == 'm' {
                "grep: invalid max count".to_owned()
            } else {
                format!("grep: {typed}: invalid context length argument")
            });
            None
        }
    };
    let (Some(around), Some(after), Some(before), Some(most)) =
        (number('C'), number('A'), number('B'), number('m'))
    else {
        return Ok(2);
    };
    let around = around.unwrap_or(0);
    let (texts, recursive) = texts(call, &options);
    let mut all = true;
    let many = options.operands.len() > 1 || recursive;
    let named = options.last("hH").map_or(many, |(letter, _)| letter == 'H');
    let mut printer = Printer {
        regexes: &regexes,
        options: &options,
        context: (before.unwrap_or(around), after.unwrap_or(around)),
        has_context: options.last("ABC").is_some(),
        named,
        width: 0,
        printed: false,
    };
    let mut any = false;
    for (name, text) in texts {
        // UPSTREAM: where nothing is shown the first match ends it, before files that cannot be read.
        if any && options.has('q') {
            break;
        }
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                if !options.has('s') {
                    call.out.err(&format!("grep: {name}: {error}"));
                }
                // UPSTREAM: a directory is said, and is no failure.
                all &= error == FileError::IsDirectory;
                continue;
            }
        };
        let label = options.value('\u{4}').unwrap_or("(standard input)");
        let shown = if name == "-" { label } else { name.as_str() };
        let all_lines: Vec<&str> = if options.has('z') {
            text.strip_suffix('\0').unwrap_or(&text).split('\0').filter(|_| !text.is_empty()).collect()
        } else {
            lines(&text).collect()
        };
        let mut selected = Vec::new();
        for (i, line) in all_lines.iter().enumerate() {
            if most.is_some_and(|most| selected.len() >= most) {
                break;
            }
            let mut found = false;
            for regex in &regexes {
                match regex.is_match(*line) {
                    Ok(it) => found |= it,
                    Err(_) => {
                        call.out.err(&format!("grep: {shown}: exceeded PCRE's backtracking limit"));
                        return Ok(2);
                    }
                }
            }
            if found != options.has('v') {
                selected.push(i);
            }
        }
        any |= !selected.is_empty();
        printer.width = if options.has('T') { text.len().to_string().len() } else { 0 };
        if options.has('q') {
        } else if let Some((kind, _)) = options.last("lL") {
            if selected.is_empty() == (kind == 'L') {
                call.out.out(&format!("{shown}{}", if options.has('Z') { '\0' } else { '\n' }));
            }
        } else if options.has('c') {
            let mark = if options.has('Z') { '\0' } else { ':' };
            let name = if named { format!("{shown}{mark}") } else { String::new() };
            call.out.line(&format!("{name}{}", selected.len()));
        } else if options.has('o') {
            say_matches(call, &printer, shown, &all_lines, &selected);
        } else {
            printer.print(call, shown, &all_lines, &selected);
        }
    }
    Ok(match (any, all) {
        (true, true) => 0,
        (true, false) if options.has('q') => 0,
        (false, true) => 1,
        (_, false) => 2,
    })
}

/// What is looked for: from `-e`, from `-f`, or the first operand; each line of it is a pattern.
fn patterns(call: &mut Call<'_, '_>, options: &mut Options) -> Option<Vec<String>> {
    let mut patterns: Vec<String> = Vec::new();
    for given in options.values('e') {
        patterns.extend(given.split('\n').map(str::to_owned));
    }
    for file in options.values('f') {
        let text = if file == "-" {
            call.stdin.rest()
        } else {
            let machine = &call.shell.machine;
            match machine.files.read(&machine.path(file)) {
                Ok(text) => text.to_string(),
                Err(error) => {
                    call.out.err(&format!("grep: {file}: {error}"));
                    return None;
                }
            }
        };
        patterns.extend(lines(&text).map(str::to_owned));
    }
    if options.values('e').is_empty() && options.values('f').is_empty() {
        if options.operands.is_empty() {
            call.out
                .err("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.");
            return None;
        }
        patterns.extend(options.operands.remove(0).split('\n').map(str::to_owned));
    }
    Some(patterns)
}

/// A file's name with its text, or why it cannot be read.
type Text = (String, Result<String, FileError>);

/// The texts to look through, and whether directories were walked.
fn texts(call: &mut Call<'_, '_>, options: &Options) -> (Vec<Text>, bool) {
    let recursive = options.has('r') || options.has('R');
    let here = vec![".".to_owned()];
    let from_here = recursive && options.operands.is_empty();
    let stdin = vec!["-".to_owned()];
    let operands = match (options.operands.is_empty(), recursive) {
        (true, true) => &here,
        (true, false) => &stdin,
        (false, _) => &options.operands,
    };
    let mut texts = Vec::new();
    for operand in operands {
        if operand == "-" {
            texts.push(("-".to_owned(), Ok(call.stdin.rest())));
            continue;
        }
        if operand == "/dev/null" {
            continue;
        }
        let machine = &call.shell.machine;
        let root = machine.path(operand);
        match machine.files.read(&root) {
            Ok(text) => {
                if wanted(options, operand, "") {
                    texts.push((operand.clone(), Ok(text.to_string())));
                }
            }
            Err(FileError::IsDirectory) if recursive => {
                for (path, entry) in machine.files.below(&root) {
                    let Entry::File(text) = entry else { continue };
                    let below = path.strip_prefix(&root).unwrap_or_default().trim_start_matches('/');
                    let name = if from_here {
                        below.to_owned()
                    } else {
                        format!("{}/{below}", operand.trim_end_matches('/'))
                    };
                    let (directories, base) = below.rsplit_once('/').unwrap_or(("", below));
                    if wanted(options, base, directories) {
                        texts.push((name, Ok(text.to_string())));
                    }
                }
            }
            Err(error) => texts.push((operand.clone(), Err(error))),
        }
    }
    (texts, recursive)
}

/// Whether `--include`, `--exclude` and `--exclude-dir` let a file be.
fn wanted(options: &Options, base: &str, directories: &str) -> bool {
    let hits = |letter: char, name: &str| options.values(letter).iter().any(|it| glob::matches(it, name));
    (options.values('\u{1}').is_empty() || hits('\u{1}', base))
        && !hits('\u{2}', base)
        && !directories.split('/').any(|part| hits('\u{3}', part))
}

fn compile(
    call: &mut Call<'_, '_>,
    options: &Options,
    patterns: &[String],
) -> Result<Vec<fancy_regex::Regex>, String> {
    let kind = options.last("EFGP").map_or('G', |(letter, _)| letter);
    let flavour = if kind == 'E' { Flavour::Extended } else { Flavour::Basic };
    let mut read = Vec::new();
    for pattern in patterns {
        read.push(match kind {
            'F' => regex::escape(pattern),
            'P' => pattern.clone(),
            _ => {
                if pattern.starts_with("[:") && pattern.ends_with(":]") {
                    return Err("character class syntax is [[:space:]], not [:space:]".to_owned());
                }
                if let Some(op) = pattern.chars().next().filter(|c| kind == 'E' && "*+?{".contains(*c)) {
                    call.out.err(&format!("grep: warning: {op} at start of expression"));
                }
                translated(pattern, flavour)?
            }
        });
    }
    // What looks back into its own groups stands alone: elsewhere its numbers would be others'.
    let is_apart = patterns.iter().any(|it| it.contains('\\')) || kind == 'P';
    let joined = if is_apart { read } else { vec![read.join("|")] };
    let built = joined.iter().map(|pattern| {
        let whole = if options.has('x') {
            format!("^(?:{pattern})$")
        } else if options.has('w') {
            format!(r"(?<!\w)(?:{pattern})(?!\w)")
        } else {
            pattern.clone()
        };
        fancy(&whole, options.has('i') || options.has('y'), false).map_err(|error| match kind {
            'P' if pattern.matches('(').count() > pattern.matches(')').count() => {
                "missing closing parenthesis".to_owned()
            }
            'P' if pattern.contains('[') && !pattern.contains(']') => {
                "missing terminating ] for character class".to_owned()
            }
            _ => error.to_owned(),
        })
    });
    if patterns.is_empty() { Ok(Vec::new()) } else { built.collect() }
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
            ("grep -b gam f; grep -ob et f", "11:gamma delta\n7:et\n"),
            ("grep -P '^(?!al)\\w+$' f; grep -oP 'gamma \\K\\w+' f", "Beta\ndelta\n"),
            ("printf 'Be\\nal\\n' > p; grep -f p f", "alpha\nBeta\n"),
            ("mkdir d; cp f d/f.md; grep -rl --include='*.md' al .", "./d/f.md\n"),
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
