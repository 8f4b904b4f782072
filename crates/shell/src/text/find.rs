//! `find`.
//!
//! MODEL: find here knows `-name`, `-iname`, `-path`, `-type`, `-empty`, `-maxdepth`, `-mindepth`, `!`, `-print`, `-delete` and `-exec`, all of
//! which must hold: no `-o`, no times. Entries come sorted.

use crate::{eval::Flow, files::Entry, glob, output::Stdin, tool::Call};

/// What is done with an entry.
enum Action {
    Print,
    Delete,
    /// A command for each, or with `+` for all.
    Run(Vec<String>, bool),
}

/// `find [PATH…] [TEST…] [ACTION]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args = std::mem::take(&mut call.args);
    let begins = args.iter().position(|it| it.starts_with('-') || it == "!").unwrap_or(args.len());
    let (paths, tests) = args.split_at(begins);
    let mut wanted: Vec<(bool, &str, &str)> = Vec::new();
    let mut actions = Vec::new();
    let mut holds = true;
    let mut rest = tests.iter();
    while let Some(test) = rest.next() {
        match (test.as_str(), rest.as_slice().first()) {
            ("-print", _) => actions.push(Action::Print),
            ("-delete", _) => actions.push(Action::Delete),
            ("!" | "-not", _) => {
                holds = false;
                continue;
            }
            ("-empty", _) => wanted.push((holds, "-empty", "")),
            ("-exec" | "-execdir" | "-ok", _) => {
                let end = rest.as_slice().iter().position(|it| it == ";" || it == "+");
                let Some(end) = end else {
                    call.out.err(&format!("find: missing argument to `{test}'"));
                    return Ok(1);
                };
                let command: Vec<String> = rest.by_ref().take(end).cloned().collect();
                actions.push(Action::Run(command, rest.next().is_some_and(|it| it == "+")));
            }
            ("-name" | "-iname" | "-path" | "-type" | "-maxdepth" | "-mindepth", Some(value)) => {
                wanted.push((holds, test.as_str(), value.as_str()));
                rest.next();
            }
            ("-name" | "-iname" | "-path" | "-type" | "-maxdepth" | "-mindepth", None) => {
                call.out.err(&format!("find: missing argument to `{test}'"));
                return Ok(1);
            }
            (other, _) => {
                call.out.err(&format!("find: unknown predicate `{other}'"));
                return Ok(1);
            }
        }
        holds = true;
    }
    if actions.is_empty() {
        actions.push(Action::Print);
    }
    let mut found: Vec<String> = Vec::new();
    let here = [".".to_owned()];
    let mut status = 0;
    for top in if paths.is_empty() { &here[..] } else { paths } {
        let machine = &*call.shell.machine;
        let path = machine.path(top);
        let Some(entry) = machine.files.get(&path).cloned() else {
            call.out.err(&format!("find: ‘{top}’: No such file or directory"));
            status = 1;
            continue;
        };
        let mut all = vec![(top.clone(), 0, entry)];
        for (file, entry) in machine.files.below(&path) {
            let inner = file[path.trim_end_matches('/').len()..].trim_start_matches('/').to_owned();
            if inner.is_empty() {
                continue;
            }
            all.push((
                format!("{}/{inner}", top.trim_end_matches('/')),
                inner.matches('/').count() + 1,
                entry,
            ));
        }
        // What lies in a directory goes before it.
        if actions.iter().any(|it| matches!(it, Action::Delete)) {
            all.reverse();
        }
        for (shown, depth, entry) in all {
            let base = shown.rsplit('/').next().unwrap_or(&shown);
            let is_empty = match &entry {
                Entry::File(text) => text.is_empty(),
                Entry::Directory => {
                    call.shell.machine.files.list(&call.shell.machine.path(&shown)).is_empty()
                }
            };
            let applies = |test: &str, value: &str| match test {
                "-empty" => is_empty,
                "-name" => glob::matches(value, base),
                "-iname" => glob::matches(&value.to_lowercase(), &base.to_lowercase()),
                "-path" => glob::matches(value, &shown),
                "-type" => matches!((&entry, value), (Entry::File(_), "f") | (Entry::Directory, "d")),
                "-maxdepth" => value.parse::<usize>().is_ok_and(|most| depth <= most),
                _ => value.parse::<usize>().is_ok_and(|least| depth >= least),
            };
            if !wanted.iter().all(|(holds, test, value)| applies(test, value) == *holds) {
                continue;
            }
            for action in &actions {
                match action {
                    Action::Print => call.out.line(&shown),
                    Action::Delete => {
                        if is_empty || matches!(entry, Entry::File(_)) {
                            let path = call.shell.machine.path(&shown);
                            call.shell.machine.files.remove(&path);
                        } else {
                            call.out.err(&format!("find: cannot delete ‘{shown}’: Directory not empty"));
                            status = 1;
                        }
                    }
                    // UPSTREAM: one that fails is no failure, but the actions after it are not taken.
                    Action::Run(command, false) => {
                        let words = command.iter().map(|word| word.replace("{}", &shown)).collect();
                        if call.shell.fields_run(words, &mut Stdin::of(""), call.out)? != 0 {
                            break;
                        }
                    }
                    Action::Run(_, true) => {}
                }
            }
            found.push(shown);
        }
    }
    for action in &actions {
        if let Action::Run(command, true) = action
            && !found.is_empty()
        {
            let words = command.iter().filter(|it| *it != "{}").chain(&found).cloned().collect();
            status |= i32::from(call.shell.fields_run(words, &mut Stdin::of(""), call.out)? != 0);
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn entries_are_found_by_name_and_type() {
        let made = "mkdir -p d/e; touch d/a.yaml d/e/b.txt; ";
        assert_eq!(stdout(&format!("{made}find d -name '*.yaml'")), "d/a.yaml\n");
        assert_eq!(stdout(&format!("{made}find d -type f | sort")), "d/a.yaml\nd/e/b.txt\n");
        assert_eq!(stdout(&format!("{made}cd d; find . -maxdepth 1 -type d")), ".\n./e\n");
        assert_eq!(
            stdout(&format!("{made}find d -name a.yaml -exec echo '<{{}}>' \\;; find d ! -type d")),
            "<d/a.yaml>\nd/a.yaml\nd/e/b.txt\n"
        );
        assert_eq!(stdout(&format!("{made}find d -empty -delete; ls")), "");
        assert_eq!(sh("find nope").1, "find: ‘nope’: No such file or directory\n");
    }
}
