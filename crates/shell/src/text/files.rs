//! `ls`, `mkdir`, `rm`, `cp`, `mv`, `touch`: what moves files about.

use crate::{
    eval::Flow,
    files::{Entry, FileError, base},
    text::Options,
    tool::Call,
};

/// `ls [-l] [-a] [-1] [-d] [-R] [PATH…]`, one name a line when not to a terminal, as here always.
pub fn ls(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "la1AdhrtRFG", "", &[("all", 'a'), ("color", 'G')]) else {
        return Ok(2);
    };
    let operands = if options.operands.is_empty() { vec![".".to_owned()] } else { options.operands.clone() };
    let mut status = 0;
    let mut directories = Vec::new();
    let mut names: Vec<(String, Entry)> = Vec::new();
    let machine = &*call.shell.machine;
    for operand in &operands {
        match machine.files.get(&machine.path(operand)) {
            Some(Entry::Directory) if !options.has('d') => directories.push(operand.clone()),
            Some(entry) => names.push((operand.clone(), entry.clone())),
            None => {
                call.out.err(&format!("ls: cannot access '{operand}': {}", FileError::NotFound));
                status = 2;
            }
        }
    }
    for (name, entry) in &names {
        call.out.line(&row(name, entry, &options));
    }
    let titled = operands.len() > 1 || options.has('R');
    let mut first = names.is_empty();
    // With `-R` what lies in a directory comes right after it.
    directories.reverse();
    while let Some(directory) = directories.pop() {
        if titled {
            call.out.out(&format!("{}{directory}:\n", if first { "" } else { "\n" }));
        }
        first = false;
        let path = machine.path(&directory);
        if options.has('l') {
            call.out.line("total 0");
        }
        let mut inner = Vec::new();
        if options.has('a') {
            for name in [".", ".."] {
                call.out.line(&row(name, &Entry::Directory, &options));
            }
        }
        for name in machine.files.list(&path) {
            if name.starts_with('.') && !options.has('a') && !options.has('A') {
                continue;
            }
            if let Some(entry) = machine.files.get(&crate::files::resolve(&path, &name)) {
                call.out.line(&row(&name, entry, &options));
                if options.has('R') && matches!(entry, Entry::Directory) {
                    inner.push(format!("{}/{name}", directory.trim_end_matches('/')));
                }
            }
        }
        directories.extend(inner.into_iter().rev());
    }
    Ok(status)
}

fn row(name: &str, entry: &Entry, options: &Options) -> String {
    // MODEL: files have no times of change; `ls -l` shows the machine's first day.
    match (options.has('l'), entry) {
        (false, _) => name.to_owned(),
        (true, Entry::Directory) => format!("drwxr-xr-x 2 user user 4096 Mar  2 09:00 {name}"),
        (true, Entry::File(text)) => format!("-rw-r--r-- 1 user user {:4} Mar  2 09:00 {name}", text.len()),
    }
}

/// `mkdir [-p] DIR…`.
pub fn mkdir(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "pv", "m", &[("parents", 'p')]) else { return Ok(1) };
    let mut status = 0;
    for name in &options.operands {
        let machine = &mut *call.shell.machine;
        let path = machine.path(name);
        if options.has('p') && !matches!(machine.files.get(&path), Some(Entry::File(_))) {
            machine.files.make_all(&path);
        } else if let Err(error) = machine.files.make(&path) {
            call.out.err(&format!("mkdir: cannot create directory ‘{name}’: {error}"));
            status = 1;
        }
    }
    Ok(status)
}

/// `touch FILE…`.
pub fn touch(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "acm", "dt", &[]) else { return Ok(1) };
    let mut status = 0;
    for name in &options.operands {
        let path = call.shell.machine.path(name);
        match call.shell.machine.files.append(&path, "") {
            Ok(()) | Err(FileError::IsDirectory) => {}
            Err(error) => {
                call.out.err(&format!("touch: cannot touch '{name}': {error}"));
                status = 1;
            }
        }
    }
    Ok(status)
}

/// `rm [-r] [-f] PATH…`.
pub fn rm(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long = [("recursive", 'r'), ("force", 'f')];
    let Some(options) = Options::parse(call, "rRfvi", "", &long) else { return Ok(1) };
    let mut status = 0;
    for name in &options.operands {
        let machine = &mut *call.shell.machine;
        let path = machine.path(name);
        let refused = match machine.files.get(&path) {
            _ if path == "/" || machine.cwd == path || machine.cwd.starts_with(&format!("{path}/")) => {
                Some(FileError::IsDirectory)
            }
            Some(Entry::Directory) if !options.has('r') && !options.has('R') => Some(FileError::IsDirectory),
            None if !options.has('f') => Some(FileError::NotFound),
            Some(_) | None => None,
        };
        match refused {
            Some(error) => {
                call.out.err(&format!("rm: cannot remove '{name}': {error}"));
                status = 1;
            }
            None => machine.files.remove(&path),
        }
    }
    Ok(status)
}

/// `rmdir DIRECTORY…`.
pub fn rmdir(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "pv", "", &[]) else { return Ok(1) };
    let mut status = 0;
    for name in &options.operands {
        let machine = &mut *call.shell.machine;
        let path = machine.path(name);
        let refused = match machine.files.get(&path) {
            None => Some("No such file or directory"),
            Some(Entry::File(_)) => Some("Not a directory"),
            Some(Entry::Directory) if !machine.files.list(&path).is_empty() => Some("Directory not empty"),
            Some(Entry::Directory) => None,
        };
        match refused {
            Some(why) => {
                call.out.err(&format!("rmdir: failed to remove '{name}': {why}"));
                status = 1;
            }
            None => machine.files.remove(&path),
        }
    }
    Ok(status)
}

/// `cp [-r] FROM… TO`.
pub fn cp(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    carry(call, false)
}

/// `mv FROM… TO`.
pub fn mv(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    carry(call, true)
}

fn carry(call: &mut Call<'_, '_>, gone: bool) -> Result<i32, Flow> {
    let Some(options) = Options::parse(call, "rRafpvinu", "", &[("recursive", 'r')]) else { return Ok(1) };
    let name = call.name;
    let Some((to, from)) = options.operands.split_last().filter(|(_, from)| !from.is_empty()) else {
        let missing = match options.operands.first() {
            Some(only) => format!("missing destination file operand after '{only}'"),
            None => "missing file operand".to_owned(),
        };
        call.out.err(&format!("{name}: {missing}\nTry '{name} --help' for more information."));
        return Ok(1);
    };
    let recursive = gone || options.has('r') || options.has('R') || options.has('a');
    let machine = &mut *call.shell.machine;
    let into = machine.files.is_directory(&machine.path(to));
    let mut status = 0;
    for source in from {
        let from_path = machine.path(source);
        let to_path =
            if into { crate::files::resolve(&machine.path(to), base(&from_path)) } else { machine.path(to) };
        let entries = machine.files.below(&from_path);
        let refused = match machine.files.get(&from_path) {
            None => Some(format!("cannot stat '{source}': {}", FileError::NotFound)),
            Some(Entry::Directory) if !recursive => {
                Some(format!("-r not specified; omitting directory '{source}'"))
            }
            Some(_) if to_path == from_path => Some(format!("'{source}' and '{to}' are the same file")),
            Some(_) if to_path.starts_with(&format!("{from_path}/")) => {
                Some(format!("cannot copy a directory, '{source}', into itself, '{to}'"))
            }
            Some(_) => entries.iter().find_map(|(path, entry)| {
                let target = format!("{to_path}{}", path.strip_prefix(&from_path).unwrap_or_default());
                match entry {
                    Entry::Directory => {
                        machine.files.make_all(&target);
                        None
                    }
                    Entry::File(text) => {
                        let wrote = machine.files.write(&target, text);
                        wrote.err().map(|error| format!("cannot create regular file '{to}': {error}"))
                    }
                }
            }),
        };
        match refused {
            Some(message) => {
                call.out.err(&format!("{name}: {message}"));
                status = 1;
            }
            None if gone => machine.files.remove(&from_path),
            None => {}
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn files_are_made_carried_and_removed() {
        assert_eq!(
            stdout("mkdir -p a/b; echo x > a/b/c; cp -r a d; mv d/b/c e; ls; cat e; ls d/b"),
            "a\nd\ne\nx\n"
        );
        assert_eq!(sh("rm nope").1, "rm: cannot remove 'nope': No such file or directory\n");
        assert_eq!(sh("mkdir x/y").1, "mkdir: cannot create directory ‘x/y’: No such file or directory\n");
    }
}
