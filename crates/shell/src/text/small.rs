//! `basename`, `dirname`, `tac`, `rev`, `nl`, `fold`, `yes`, `sha256sum`, `tree`, `whoami`, `hostname`: tools of a few lines.

use sha2::{Digest as _, Sha256};

use crate::{
    eval::Flow,
    files::{Entry, base, parent},
    text::{Options, inputs, lines},
    tool::Call,
};

/// `basename PATH [SUFFIX]`, `basename [-a] [-s SUFFIX] PATH…`.
pub fn basename(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("multiple", 'a'), ("suffix", 's')];
    let Some(options) = Options::parse(call, "a", "s", &long) else { return Ok(1) };
    let help = "Try 'basename --help' for more information.";
    let (paths, suffix) = match (options.operands.as_slice(), options.value('s')) {
        ([], _) => {
            call.out.err(&format!("basename: missing operand\n{help}"));
            return Ok(1);
        }
        (paths, Some(suffix)) => (paths, suffix),
        (paths, None) if options.has('a') => (paths, ""),
        ([_], None) => (options.operands.as_slice(), ""),
        ([_, suffix], None) => (&options.operands[..1], suffix.as_str()),
        ([_, _, extra, ..], None) => {
            call.out.err(&format!("basename: extra operand ‘{extra}’\n{help}"));
            return Ok(1);
        }
    };
    for path in paths {
        let bare = path.trim_end_matches('/');
        let name = if bare.is_empty() && !path.is_empty() { "/" } else { base(bare) };
        let cut = name.strip_suffix(suffix).filter(|cut| !cut.is_empty()).unwrap_or(name);
        call.out.line(cut);
    }
    Ok(0)
}

/// `dirname PATH…`.
pub fn dirname(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.is_empty() {
        call.out.err("dirname: missing operand\nTry 'dirname --help' for more information.");
        return Ok(1);
    }
    for path in &call.args {
        let path = path.trim_end_matches('/');
        call.out.line(if path.contains('/') || path.is_empty() { parent(path) } else { "." });
    }
    Ok(0)
}

/// `tac [FILE…]`: the last line first.
pub fn tac(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    each_line(call, |text| lines(text).rev().map(str::to_owned).collect())
}

/// `rev [FILE…]`: every line from its end.
pub fn rev(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    each_line(call, |text| lines(text).map(|line| line.chars().rev().collect()).collect())
}

/// `nl [-b a|t|n] [-w N] [-s TEXT] [-v N] [-i N] [-n ln|rn|rz] [FILE…]`: lines with numbers, empty ones without.
pub fn nl(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [
        ("body-numbering", 'b'),
        ("number-width", 'w'),
        ("number-separator", 's'),
        ("starting-line-number", 'v'),
        ("line-increment", 'i'),
        ("number-format", 'n'),
    ];
    let Some(options) = Options::parse(call, "p", "bwsvinhf", &long) else { return Ok(1) };
    let number = |letter, default: i64| options.value(letter).map_or(Some(default), |it| it.parse().ok());
    let (Some(width), Some(mut next), Some(step)) = (number('w', 6), number('v', 1), number('i', 1)) else {
        call.out.err("nl: invalid line number field width");
        return Ok(1);
    };
    let width = usize::try_from(width).unwrap_or(6).clamp(1, 1000);
    let mark = options.value('s').unwrap_or("\t");
    let (texts, all) = inputs(call, &options.operands);
    for line in texts.iter().flat_map(|(_, text)| lines(text)) {
        let is_counted = match options.value('b').unwrap_or("t") {
            "a" => true,
            "n" => false,
            _ => !line.is_empty(),
        };
        if !is_counted {
            call.out.line(&format!("{}{line}", " ".repeat(width + mark.chars().count())));
            continue;
        }
        let shown = match options.value('n') {
            Some("ln") => format!("{next:<width$}"),
            Some("rz") => format!("{next:0>width$}"),
            _ => format!("{next:>width$}"),
        };
        call.out.line(&format!("{shown}{mark}{line}"));
        next = next.saturating_add(step);
    }
    Ok(i32::from(!all))
}

/// `fold [-s] [-w WIDTH] [FILE…]`: lines no wider than that, with `-s` cut after a blank.
pub fn fold(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("width", 'w'), ("spaces", 's'), ("bytes", 'b')];
    let Some(options) = Options::parse(call, "sb", "w", &long) else { return Ok(1) };
    let typed = options.value('w').unwrap_or("80");
    let Some(width) = typed.parse::<usize>().ok().filter(|width| *width > 0) else {
        call.out.err(&format!("fold: invalid number of columns: ‘{typed}’"));
        return Ok(1);
    };
    let (texts, all) = inputs(call, &options.operands);
    for line in texts.iter().flat_map(|(_, text)| lines(text)) {
        let mut left: Vec<char> = line.chars().collect();
        while left.len() > width {
            let blank = left[..width].iter().rposition(|c| c.is_whitespace()).filter(|_| options.has('s'));
            let rest = left.split_off(blank.map_or(width, |at| at + 1));
            call.out.line(&left.iter().collect::<String>());
            left = rest;
        }
        call.out.line(&left.iter().collect::<String>());
    }
    Ok(i32::from(!all))
}

/// Lines that `yes` prints. MODEL: in truth it never ends; whoever reads from it here has read enough by then.
const YES: usize = 10_000;

/// `yes [WORD…]`.
pub fn yes(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let line = if call.args.is_empty() { "y\n".to_owned() } else { format!("{}\n", call.args.join(" ")) };
    call.out.out(&line.repeat(YES));
    Ok(0)
}

/// `sha256sum [FILE…]`.
pub fn sha256sum(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "bt", "", &[]) else { return Ok(1) };
    let (texts, all) = inputs(call, &options.operands);
    for (name, text) in &texts {
        let sum: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        call.out.line(&format!("{sum}  {name}"));
    }
    Ok(i32::from(!all))
}

fn each_line(call: &mut Call<'_, '_>, change: fn(&str) -> Vec<String>) -> Result<i32, Flow> {
    let operands = std::mem::take(&mut call.args);
    let (texts, all) = inputs(call, &operands);
    for line in texts.iter().flat_map(|(_, text)| change(text)) {
        call.out.line(&line);
    }
    Ok(i32::from(!all))
}

/// `whoami`.
pub fn whoami(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let user = call.shell.machine.variable("USER").unwrap_or("user").to_owned();
    call.out.line(&user);
    Ok(0)
}

/// `hostname`.
pub fn hostname(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    call.out.line("podpath");
    Ok(0)
}

/// `tree [DIRECTORY]`. Source: tree 1.8.
pub fn tree(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let top = call.args.iter().find(|arg| !arg.starts_with('-')).cloned().unwrap_or_else(|| ".".to_owned());
    let path = call.shell.machine.path(&top);
    if !call.shell.machine.files.is_directory(&path) {
        call.out.line(&format!("{top} [error opening dir]\n\n0 directories, 0 files"));
        return Ok(0);
    }
    call.out.line(&top);
    let mut counts = (0, 0);
    branches(call, &path, "", &mut counts);
    let directories = if counts.0 == 1 { "directory" } else { "directories" };
    let files = if counts.1 == 1 { "file" } else { "files" };
    call.out.line(&format!("\n{} {directories}, {} {files}", counts.0, counts.1));
    Ok(0)
}

fn branches(call: &mut Call<'_, '_>, path: &str, before: &str, counts: &mut (usize, usize)) {
    let names: Vec<String> =
        call.shell.machine.files.list(path).into_iter().filter(|name| !name.starts_with('.')).collect();
    for (i, name) in names.iter().enumerate() {
        let is_last = i + 1 == names.len();
        call.out.line(&format!("{before}{}{name}", if is_last { "└── " } else { "├── " }));
        let inner = crate::files::resolve(path, name);
        match call.shell.machine.files.get(&inner) {
            Some(Entry::Directory) => {
                counts.0 += 1;
                let bar = if is_last { "    " } else { "│   " };
                branches(call, &inner, &format!("{before}{bar}"), counts);
            }
            Some(Entry::File(_)) | None => counts.1 += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn paths_are_cut_into_name_and_directory() {
        assert_eq!(stdout("basename /a/b.txt .txt; dirname /a/b.txt a /a"), "b\n/a\n.\n/\n");
    }

    #[test]
    fn lines_are_turned_and_numbered() {
        assert_eq!(
            stdout("printf '1\\n2\\n' | tac; echo abc | rev; printf 'a\\n\\nb\\n' | nl"),
            "2\n1\ncba\n     1\ta\n       \n     2\tb\n"
        );
    }

    #[test]
    fn lines_are_folded_and_summed() {
        assert_eq!(stdout("echo abcdef | fold -w 4; echo 'ab cd' | fold -sw 4"), "abcd\nef\nab \ncd\n");
        assert_eq!(stdout("yes no | head -2"), "no\nno\n");
        let sum = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  -\n";
        assert_eq!(stdout("echo hello | sha256sum"), sum);
    }

    #[test]
    fn a_tree_has_branches() {
        let wanted = "d\n├── e\n│   └── y\n└── x\n\n1 directory, 2 files\n";
        assert_eq!(stdout("mkdir -p d/e; touch d/x d/e/y; tree d"), wanted);
    }
}
