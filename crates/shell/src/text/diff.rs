//! `diff`.
//!
//! Source: GNU diffutils 3.8. MODEL: files have no times of change; headers show the present one.

mod side;

use crate::{
    eval::Flow,
    files::Entry,
    kubectl::diff::{Side, hunks, script},
    text::{Options, inputs, lines},
    tool::Call,
};

const LONG: &[(&str, char)] = &[
    ("unified", 'u'),
    ("context", 'c'),
    ("brief", 'q'),
    ("report-identical-files", 's'),
    ("recursive", 'r'),
    ("new-file", 'N'),
    ("ignore-case", 'i'),
    ("ignore-all-space", 'w'),
    ("ignore-space-change", 'b'),
    ("ignore-blank-lines", 'B'),
    ("ignore-trailing-space", 'Z'),
    ("side-by-side", 'y'),
    ("width", 'W'),
    ("suppress-common-lines", 'S'),
    ("text", 'a'),
    ("color", 'K'),
    ("label", 'L'),
    ("strip-trailing-cr", 'R'),
];

/// One line of both texts in their order, as it is printed.
pub(super) type Line = (Side, String);

/// `diff [-u|-c|-y|-q] [-iwbBZ] [-r] [-U N] FILE FILE`: status 1 where they differ.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let typed: Vec<String> = call.args.iter().take_while(|it| *it != "--").cloned().collect();
    let Some(options) = Options::parse(call, "ucqsrNiwbBZySaKR", "UCWL", LONG) else { return Ok(2) };
    let [first, second] = options.operands.as_slice() else {
        let last = options.operands.get(2).or(options.operands.last());
        let last = last.cloned().unwrap_or_else(|| "diff".to_owned());
        let what = if options.operands.len() > 2 { "extra operand" } else { "missing operand after" };
        call.out.err(&format!("diff: {what} '{last}'\ndiff: Try 'diff --help' for more information."));
        return Ok(2);
    };
    for letter in ['U', 'C'] {
        if let Some(wrong) = options.value(letter).filter(|it| it.parse::<usize>().is_err()) {
            call.out.err(&format!(
                "diff: invalid context length '{wrong}'\ndiff: Try 'diff --help' for more information."
            ));
            return Ok(2);
        }
    }
    let machine = &call.shell.machine;
    let is_directory = |name: &str| machine.files.is_directory(&machine.path(name));
    let (left, right) = (is_directory(first), is_directory(second));
    if left && right {
        let flags: Vec<&str> = typed.iter().map(String::as_str).filter(|it| it.starts_with('-')).collect();
        return directories(call, &options, &flags.join(" "), first, second);
    }
    // UPSTREAM: a file beside a directory is compared with the one of its name in it.
    let inner = |directory: &str, file: &str| {
        format!("{}/{}", directory.trim_end_matches('/'), crate::files::base(file))
    };
    let first = if left { inner(first, second) } else { first.clone() };
    let second = if right { inner(second, &first) } else { second.clone() };
    files(call, &options, &first, &second)
}

fn files(call: &mut Call<'_, '_>, options: &Options, first: &str, second: &str) -> Result<i32, Flow> {
    let names = [first.to_owned(), second.to_owned()];
    let (texts, all) = inputs(call, &names);
    let [(_, before), (_, after)] = texts.as_slice() else { return Ok(2) };
    if !all {
        return Ok(2);
    }
    let compared = compared(before, after, options);
    let differs = compared.iter().any(|(side, _)| *side != Side::Both);
    if !differs {
        if options.has('y') {
            call.out.out(&side::by_side(&compared, options));
        }
        if options.has('s') {
            call.out.line(&format!("Files {first} and {second} are identical"));
        }
        return Ok(0);
    }
    if options.has('q') {
        call.out.line(&format!("Files {first} and {second} differ"));
        return Ok(1);
    }
    let world = &call.shell.world;
    let now = world.stamp(world.now()).0.strftime("%Y-%m-%d %H:%M:%S.000000000 +0000").to_string();
    let labels = options.values('L');
    let label = |i: usize, name: &str| match labels.get(i) {
        Some(label) => (*label).to_owned(),
        None => format!("{name}\t{now}"),
    };
    let context = |letter: char| options.value(letter).and_then(|it| it.parse().ok()).unwrap_or(3);
    let text = match options.last("uUcCy") {
        Some(('u' | 'U', _)) => {
            format!(
                "--- {}\n+++ {}\n{}",
                label(0, first),
                label(1, second),
                hunks(&borrowed(&compared), context('U'))
            )
        }
        Some(('c' | 'C', _)) => format!(
            "*** {}\n--- {}\n{}",
            label(0, first),
            label(1, second),
            side::in_context(&compared, context('C'))
        ),
        Some(_) => side::by_side(&compared, options),
        None => normal(&compared),
    };
    call.out.out(&text);
    Ok(1)
}

fn borrowed(lines: &[Line]) -> Vec<(Side, &str)> {
    lines.iter().map(|(side, line)| (*side, line.as_str())).collect()
}

/// Both texts line by line, with what the options say is no difference.
fn compared(before: &str, after: &str, options: &Options) -> Vec<Line> {
    let shown = |text: &str| -> Vec<String> {
        let mut all: Vec<String> = lines(text).map(str::to_owned).collect();
        if let Some(last) = all.last_mut().filter(|_| !text.ends_with('\n')) {
            last.push_str("\n\\ No newline at end of file");
        }
        all
    };
    let (a, b) = (shown(before), shown(after));
    let key = |line: &String| -> String {
        let blank = |c: char| c.is_ascii_whitespace();
        let mut key = line.clone();
        if options.has('w') {
            key = key.replace(blank, "");
        } else if options.has('b') {
            let is_led = key.starts_with(blank);
            let words: Vec<&str> = key.split(blank).filter(|word| !word.is_empty()).collect();
            key = format!("{}{}", if is_led { " " } else { "" }, words.join(" "));
        } else if options.has('Z') {
            key = key.trim_end_matches(blank).to_owned();
        }
        if options.has('R') {
            key = key.trim_end_matches('\r').to_owned();
        }
        if options.has('i') { key.to_lowercase() } else { key }
    };
    let (x, y): (Vec<String>, Vec<String>) = (a.iter().map(key).collect(), b.iter().map(key).collect());
    let (x, y): (Vec<&str>, Vec<&str>) =
        (x.iter().map(String::as_str).collect(), y.iter().map(String::as_str).collect());
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    let mut out: Vec<Line> = Vec::new();
    for (side, _) in script(&x, &y) {
        let line = match side {
            Side::Both => {
                b.next();
                a.next()
            }
            Side::Before => a.next(),
            Side::After => b.next(),
        };
        out.push((side, line.unwrap_or_default()));
    }
    if options.has('B') {
        let only_blank = |lines: &[Line]| lines.iter().all(|(_, line)| line.is_empty());
        // Groups of empty lines alone are no difference.
        let mut kept: Vec<Line> = Vec::new();
        for group in out.chunk_by(|x, y| (x.0 == Side::Both) == (y.0 == Side::Both)) {
            if group[0].0 == Side::Both || !only_blank(group) {
                kept.extend_from_slice(group);
            } else {
                kept.extend(group.iter().map(|(_, line)| (Side::Both, line.clone())));
            }
        }
        return kept;
    }
    out
}

/// Directories: files of both by name, and what is only in one.
fn directories(
    call: &mut Call<'_, '_>,
    options: &Options,
    flags: &str,
    first: &str,
    second: &str,
) -> Result<i32, Flow> {
    let machine = &call.shell.machine;
    let list = |name: &str| machine.files.list(&machine.path(name));
    let (a, b) = (list(first), list(second));
    let mut names: Vec<String> = a.iter().chain(&b).cloned().collect();
    names.sort();
    names.dedup();
    let mut status = 0;
    for name in names {
        for (own, other, directory) in [(&a, &b, first), (&b, &a, second)] {
            if own.contains(&name) && !other.contains(&name) {
                call.out.line(&format!("Only in {}: {name}", directory.trim_end_matches('/')));
                status = 1;
            }
        }
        if !a.contains(&name) || !b.contains(&name) {
            continue;
        }
        let (x, y) = (
            format!("{}/{name}", first.trim_end_matches('/')),
            format!("{}/{name}", second.trim_end_matches('/')),
        );
        let machine = &call.shell.machine;
        let kinds =
            [&x, &y].map(|path| matches!(machine.files.get(&machine.path(path)), Some(Entry::Directory)));
        let ended = match kinds {
            [true, true] if options.has('r') => directories(call, options, flags, &x, &y)?,
            [true, true] => {
                call.out.line(&format!("Common subdirectories: {x} and {y}"));
                0
            }
            [false, false] => {
                let mut inner = std::mem::take(call.out);
                let ended = files(call, options, &x, &y)?;
                let own = std::mem::replace(call.out, std::mem::take(&mut inner));
                if ended == 1 && !options.has('q') {
                    call.out.line(&format!("diff {flags}{}{x} {y}", if flags.is_empty() { "" } else { " " }));
                }
                for (stream, text) in own.chunks {
                    call.out.write(stream, &text);
                }
                ended
            }
            [left, _] => {
                let kind = |is: bool| if is { "directory" } else { "regular file" };
                call.out.line(&format!("File {x} is a {} while file {y} is a {}", kind(left), kind(!left)));
                1
            }
        };
        status = status.max(ended);
    }
    Ok(status)
}

/// Changes as `2c2`, `3d2` and `1a2`.
fn normal(script: &[Line]) -> String {
    let (mut out, mut at, mut i, mut j) = (String::new(), 0, 0, 0);
    while let Some((side, _)) = script.get(at) {
        if *side == Side::Both {
            (at, i, j) = (at + 1, i + 1, j + 1);
            continue;
        }
        let changed = script[at..].iter().take_while(|(side, _)| *side != Side::Both);
        let changed: Vec<&Line> = changed.collect();
        let of = |wanted: Side| {
            changed.iter().filter(move |(side, _)| *side == wanted).map(|(_, line)| line.as_str())
        };
        let (gone, come) = (of(Side::Before).count(), of(Side::After).count());
        let range = |from: usize, count: usize| match count {
            0 => from.to_string(),
            1 => (from + 1).to_string(),
            _ => format!("{},{}", from + 1, from + count),
        };
        let letter = match (gone, come) {
            (0, _) => 'a',
            (_, 0) => 'd',
            _ => 'c',
        };
        out.push_str(&format!("{}{letter}{}\n", range(i, gone), range(j, come)));
        of(Side::Before).for_each(|line| out.push_str(&format!("< {line}\n")));
        if letter == 'c' {
            out.push_str("---\n");
        }
        of(Side::After).for_each(|line| out.push_str(&format!("> {line}\n")));
        (at, i, j) = (at + changed.len(), i + gone, j + come);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    #[test]
    fn changes_are_told_as_diff_tells_them() {
        let (out, _, status) = sh("diff <(printf 'a\\nb\\nc\\nd\\n') <(printf 'a\\nx\\nc\\ne\\nf\\nd\\n')");
        assert_eq!((out.as_str(), status), ("2c2\n< b\n---\n> x\n3a4,5\n> e\n> f\n", 1));
        assert_eq!(sh("diff <(echo a) <(echo a)").2, 0);
        assert_eq!(
            sh("diff a").1,
            "diff: missing operand after 'a'\ndiff: Try 'diff --help' for more information.\n"
        );
    }

    #[test]
    fn some_differences_are_none() {
        for (line, wanted) in [
            ("diff -i <(echo A) <(echo a)", 0),
            ("diff -w <(echo 'a b') <(echo 'a  b ')", 0),
            ("diff -b <(echo 'a b') <(echo 'a  b')", 0),
            ("diff -b <(echo 'ab') <(echo 'a b')", 1),
            ("diff -B <(printf 'a\\n\\nb\\n') <(printf 'a\\nb\\n')", 0),
            ("diff <(echo a) <(printf a)", 1),
        ] {
            assert_eq!(sh(line).2, wanted, "{line}");
        }
    }

    #[test]
    fn files_stand_side_by_side_and_in_context() {
        let made = "printf 'a\\nb\\nc\\n' > x; printf 'a\\nB\\nc\\n' > y; ";
        assert_eq!(sh(&format!("{made}diff -y -W 30 x y")).0, "a\t\ta\nb\t      |\tB\nc\t\tc\n");
        let context = sh(&format!("{made}diff -C1 x y | tail -n +3")).0;
        assert_eq!(context, "***************\n*** 1,3 ****\n  a\n! b\n  c\n--- 1,3 ----\n  a\n! B\n  c\n");
        assert_eq!(
            sh(&format!("{made}mkdir d e; cp x d/f; cp y e/f; touch d/g; diff -rq d e")).0,
            "Files d/f and e/f differ\nOnly in d: g\n"
        );
        let unended = sh("diff -u <(printf 'a') <(printf 'a\\n') | tail -n +3").0;
        assert_eq!(unended, "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    }
}
