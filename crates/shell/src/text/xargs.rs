//! `xargs`.

use crate::{eval::Flow, output::Stdin, text::Options, tool::Call};

/// `xargs [-n N] [-I R] [-r] [COMMAND…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    // Options end where the command begins.
    let mut own = Vec::new();
    let mut command: Vec<String> = Vec::new();
    let mut args = std::mem::take(&mut call.args).into_iter();
    while let Some(arg) = args.next() {
        if !command.is_empty() || !arg.starts_with('-') {
            command.push(arg);
            command.extend(args.by_ref());
        } else if matches!(arg.as_str(), "-n" | "-I" | "-P" | "-L" | "-d") {
            own.push(arg);
            own.extend(args.next());
        } else {
            own.push(arg);
        }
    }
    call.args = own;
    let Some(options) = Options::parse(call, "rt0", "nIPLd", &[("no-run-if-empty", 'r')]) else {
        return Ok(1);
    };
    if command.is_empty() {
        command.push("echo".to_owned());
    }
    let text = call.stdin.rest();
    let calls: Vec<Vec<String>> = if let Some(mark) = options.value('I') {
        text.lines()
            .map(str::trim_start)
            .filter(|line| !line.is_empty())
            .map(|line| command.iter().map(|word| word.replace(mark, line)).collect())
            .collect()
    } else {
        let words: Vec<&str> = match options.value('d') {
            Some(d) => text.trim_end_matches('\n').split(crate::expand::ansi_c(d).as_str()).collect(),
            None if options.has('0') => text.split('\0').filter(|w| !w.is_empty()).collect(),
            None if options.has('L') => text.lines().collect(),
            None => text.split_whitespace().collect(),
        };
        let per = options.last("nL").and_then(|(_, n)| n.parse().ok()).unwrap_or(usize::MAX).max(1);
        let with =
            |chunk: &[&str]| command.iter().cloned().chain(chunk.iter().map(|w| (*w).to_owned())).collect();
        if words.is_empty() {
            if options.has('r') { Vec::new() } else { vec![command.clone()] }
        } else {
            words.chunks(per.min(words.len())).map(with).collect()
        }
    };
    let mut status = 0;
    for words in calls {
        if options.has('t') {
            call.out.err(&words.join(" "));
        }
        match call.shell.fields_run(words, &mut Stdin::of(""), call.out)? {
            0 => {}
            127 => return Ok(127),
            _ => status = 123,
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn words_become_arguments() {
        assert_eq!(stdout("printf 'a b\\nc\\n' | xargs echo x"), "x a b c\n");
        assert_eq!(stdout("printf 'a b\\nc\\n' | xargs -n1"), "a\nb\nc\n");
        assert_eq!(stdout("printf 'a b\\nc\\n' | xargs -I{} echo '<{}>'"), "<a b>\n<c>\n");
    }
}
