//! `find`.
//!
//! MODEL: `-name`, `-iname`, `-path`, `-type`, `-maxdepth`, `-mindepth` and `-print`, all of which must hold. Entries come sorted.

use crate::{eval::Flow, files::Entry, glob, tool::Call};

/// `find [PATH…] [TEST…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args = std::mem::take(&mut call.args);
    let begins = args.iter().position(|it| it.starts_with('-')).unwrap_or(args.len());
    let (paths, tests) = args.split_at(begins);
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    let mut rest = tests.iter();
    while let Some(test) = rest.next() {
        match (test.as_str(), rest.as_slice().first()) {
            ("-print", _) => {}
            ("-name" | "-iname" | "-path" | "-type" | "-maxdepth" | "-mindepth", Some(value)) => {
                wanted.push((test.as_str(), value.as_str()));
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
    }
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
        for (shown, depth, entry) in all {
            let base = shown.rsplit('/').next().unwrap_or(&shown);
            let holds = |(test, value): &(&str, &str)| match *test {
                "-name" => glob::matches(value, base),
                "-iname" => glob::matches(&value.to_lowercase(), &base.to_lowercase()),
                "-path" => glob::matches(value, &shown),
                "-type" => matches!((&entry, *value), (Entry::File(_), "f") | (Entry::Directory, "d")),
                "-maxdepth" => value.parse::<usize>().is_ok_and(|most| depth <= most),
                _ => value.parse::<usize>().is_ok_and(|least| depth >= least),
            };
            if wanted.iter().all(holds) {
                call.out.line(&shown);
            }
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
        assert_eq!(sh("find nope").1, "find: ‘nope’: No such file or directory\n");
    }
}
