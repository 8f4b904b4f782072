//! `xargs`.
//!
//! Source: GNU findutils 4.9 `xargs.c`. MODEL: with `-P` the commands run one after the other all the same.

use crate::{escape::ansi_c, eval::Flow, output::Stdin, text::Options, tool, tool::Call};

const LONG: &[(&str, char)] = &[
    ("no-run-if-empty", 'r'),
    ("null", '0'),
    ("max-args", 'n'),
    ("max-lines", 'L'),
    ("max-procs", 'P'),
    ("replace", 'I'),
    ("delimiter", 'd'),
    ("arg-file", 'a'),
    ("verbose", 't'),
    ("max-chars", 's'),
    ("exit", 'x'),
];

/// `xargs [-0rt] [-n N] [-L N] [-I R] [-P N] [-d C] [-a FILE] [COMMAND…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    // Options end where the command begins.
    let mut own = Vec::new();
    let mut command: Vec<String> = Vec::new();
    let mut args = std::mem::take(&mut call.args).into_iter();
    while let Some(arg) = args.next() {
        if !arg.starts_with('-') {
            command.push(arg);
            command.extend(args.by_ref());
        } else if arg == "--" {
            command.extend(args.by_ref());
        } else if arg == "-i" {
            own.push("-I{}".to_owned());
        } else if !arg.starts_with("--")
            && arg.ends_with(['n', 'I', 'P', 'L', 'd', 'a', 's', 'E'])
            && arg.len() == 2
        {
            own.push(arg);
            own.extend(args.next());
        } else {
            own.push(arg);
        }
    }
    call.args = own;
    let Some(options) = Options::parse(call, "rt0xop", "nIPLdasE", LONG) else { return Ok(1) };
    for letter in ['n', 'L', 'P'] {
        let least = i64::from(letter != 'P');
        match options.value(letter).map(|it| (it, it.parse::<i64>())) {
            Some((typed, Err(_))) => {
                call.out.err(&format!("xargs: invalid number \"{typed}\" for -{letter} option"));
                return Ok(1);
            }
            Some((typed, Ok(number))) if number < least => {
                call.out.err(&format!("xargs: value {typed} for -{letter} option should be >= {least}"));
                return Ok(1);
            }
            _ => {}
        }
    }
    if command.is_empty() {
        command.push("echo".to_owned());
    }
    let text = match options.value('a') {
        None => call.stdin.rest(),
        Some(file) => {
            let machine = &call.shell.machine;
            match machine.files.read(&machine.path(file)) {
                Ok(text) => text.to_string(),
                Err(error) => {
                    call.out.err(&format!("xargs: Cannot open input file ‘{file}’: {error}"));
                    return Ok(1);
                }
            }
        }
    };
    let mark = options.value('I');
    let read = match (options.has('0'), options.value('d')) {
        (true, _) => Ok(parts(&text, "\0")),
        (false, Some(delimiter)) => Ok(parts(&text, &ansi_c(delimiter))),
        (false, None) => words(&text, mark.is_some()),
    };
    let lines = match read {
        Ok(lines) => lines,
        Err(what) => {
            call.out.err(&format!(
                "xargs: unmatched {what} quote; by default quotes are special to xargs unless you use the -0 option"
            ));
            return Ok(1);
        }
    };
    let calls: Vec<Vec<String>> = match mark {
        Some(mark) => lines
            .concat()
            .iter()
            .map(|line| command.iter().map(|word| word.replace(mark, line)).collect())
            .collect(),
        None => {
            let number = |letter| options.value(letter).and_then(|it| it.parse::<usize>().ok());
            let chunks: Vec<Vec<String>> = match (options.last("nL").map(|(letter, _)| letter), number('L')) {
                (Some('L'), Some(per)) => lines.chunks(per.max(1)).map(<[Vec<String>]>::concat).collect(),
                _ => {
                    let all = lines.concat();
                    let per = number('n').unwrap_or(all.len()).max(1);
                    all.chunks(per).map(<[String]>::to_vec).collect()
                }
            };
            if chunks.is_empty() && !options.has('r') {
                vec![command.clone()]
            } else {
                chunks.into_iter().map(|chunk| [command.clone(), chunk].concat()).collect()
            }
        }
    };
    let mut status = 0;
    for words in calls {
        if options.has('t') {
            call.out.err(&words.join(" "));
        }
        let name = words.first().cloned().unwrap_or_default();
        if !tool::is_program(&name) {
            call.out.err(&format!("xargs: {name}: No such file or directory"));
            return Ok(127);
        }
        match call.shell.fields_run(words, &mut Stdin::of(""), call.out)? {
            0 => {}
            255 => {
                call.out.err(&format!("xargs: {name}: exited with status 255; aborting"));
                return Ok(124);
            }
            126 => return Ok(126),
            127 => return Ok(127),
            _ => status = 123,
        }
    }
    Ok(status)
}

/// What stands between delimiters; the last may be left open.
fn parts(text: &str, delimiter: &str) -> Vec<Vec<String>> {
    if text.is_empty() || delimiter.is_empty() {
        return Vec::new();
    }
    let text = text.strip_suffix(delimiter).unwrap_or(text);
    text.split(delimiter).map(|part| vec![part.to_owned()]).collect()
}

/// The words of each line, quotes and backslashes read; `whole` lines are one word. The quote that is not closed, if one is not.
fn words(text: &str, whole: bool) -> Result<Vec<Vec<String>>, &'static str> {
    let mut lines = Vec::new();
    let mut line: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    // A line that ends in a blank goes on in the next one.
    let mut goes_on = false;
    while let Some(c) = chars.next() {
        match c {
            '\n' => {
                line.extend(word.take());
                if !line.is_empty() && (whole || !goes_on) {
                    lines.push(std::mem::take(&mut line));
                }
                goes_on = false;
            }
            ' ' | '\t' if !whole || word.is_none() => {
                line.extend(word.take());
                goes_on = true;
            }
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(end) if end == c => break,
                        Some('\n') | None => return Err(if c == '"' { "double" } else { "single" }),
                        Some(other) => word.push(other),
                    }
                }
                goes_on = false;
            }
            '\\' => {
                word.get_or_insert_default().extend(chars.next());
                goes_on = false;
            }
            c => {
                word.get_or_insert_default().push(c);
                goes_on = false;
            }
        }
    }
    line.extend(word);
    if !line.is_empty() {
        lines.push(line);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn words_become_arguments() {
        for (line, wanted) in [
            ("printf 'a b\\nc\\n' | xargs echo x", "x a b c\n"),
            ("printf 'a b\\nc\\n' | xargs -n1", "a\nb\nc\n"),
            ("printf 'a b\\nc\\n' | xargs -I{} echo '<{}>'", "<a b>\n<c>\n"),
            ("echo \"'a b' c\\ d\" | xargs -n1", "a b\nc d\n"),
            ("printf '1 2\\n3\\n4\\n' | xargs -L2 echo -", "- 1 2 3\n- 4\n"),
            ("printf 'a,b' | xargs -d, -n1", "a\nb\n"),
            ("echo | xargs -r echo none; echo | xargs echo none", "none\n"),
            ("echo a | xargs sh -c 'echo \"$0 $1\"' z", "z a\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
    }

    #[test]
    fn what_fails_is_told_by_the_status() {
        assert_eq!(sh("echo x | xargs false").2, 123);
        assert_eq!(
            sh("echo x | xargs nope"),
            (String::new(), "xargs: nope: No such file or directory\n".to_owned(), 127)
        );
        assert!(sh("echo \"'a\" | xargs").1.starts_with("xargs: unmatched single quote"));
    }
}
