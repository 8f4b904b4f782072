//! What do the commands do that are part of bash itself?
//!
//! Source of the messages: bash 5.2.

pub mod option;
pub mod test;
pub mod trap;
pub mod variable;
pub mod watch;

use crate::{
    eval::Flow,
    files,
    machine::HOME,
    output::{Output, Stdin},
    tool::{self, Call},
};

/// `true`, `:`.
pub fn yes(_: &mut Call<'_, '_>) -> Result<i32, Flow> {
    Ok(0)
}

/// `false`.
pub fn no(_: &mut Call<'_, '_>) -> Result<i32, Flow> {
    Ok(1)
}

/// `cd`.
pub fn cd(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let machine = &mut *call.shell.machine;
    let typed = match call.args.as_slice() {
        [] => machine.variable("HOME").unwrap_or(HOME).to_owned(),
        [dash] if dash == "-" => match machine.before.clone() {
            Some(before) => {
                call.out.line(&before);
                before
            }
            None => {
                call.out.err("bash: cd: OLDPWD not set");
                return Ok(1);
            }
        },
        [one] => one.clone(),
        _ => {
            call.out.err("bash: cd: too many arguments");
            return Ok(1);
        }
    };
    let path = machine.path(&typed);
    if machine.files.is_directory(&path) {
        machine.before = Some(std::mem::replace(&mut machine.cwd, path.clone()));
        machine.export("PWD", &path);
        Ok(0)
    } else {
        let error = match machine.files.read(&path) {
            Ok(_) => files::FileError::NotDirectory,
            Err(error) => error,
        };
        call.out.err(&format!("bash: cd: {typed}: {error}"));
        Ok(1)
    }
}

/// `pwd`.
pub fn pwd(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    call.out.line(&call.shell.machine.cwd);
    Ok(0)
}

/// `clear`: the codes by which a terminal empties its screen.
pub fn clear(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    call.out.out("\u{1b}[H\u{1b}[2J\u{1b}[3J");
    Ok(0)
}

/// `exit`.
pub fn exit(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    Err(Flow::Exit(number(call)))
}

/// `return`.
pub fn back(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if !call.shell.is_in_function() && call.shell.sourced == 0 {
        call.out.err("bash: return: can only `return' from a function or sourced script");
        return Ok(2);
    }
    Err(Flow::Return(number(call)))
}

/// `break`.
pub fn leave(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    Ok(match count(call) {
        Some(count) => return Err(Flow::Break(count)),
        None => 0,
    })
}

/// `continue`.
pub fn go_on(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    Ok(match count(call) {
        Some(count) => return Err(Flow::Continue(count)),
        None => 0,
    })
}

/// How many loops are left; none outside of any, after saying so.
fn count(call: &mut Call<'_, '_>) -> Option<u32> {
    if call.shell.loops == 0 {
        let what = call.name;
        call.out.err(&format!("bash: {what}: only meaningful in a `for', `while', or `until' loop"));
        return None;
    }
    Some(call.args.first().and_then(|a| a.parse().ok()).unwrap_or(1))
}

/// A status: of the last command where none is given, 2 where it is no number.
fn number(call: &mut Call<'_, '_>) -> i32 {
    match call.args.first().map(|a| (a.clone(), a.parse::<i64>())) {
        None => call.shell.machine.status & 0xff,
        Some((_, Ok(number))) => i32::try_from(number & 0xff).unwrap_or(0),
        Some((typed, Err(_))) => {
            call.out.err(&format!("bash: {}: {typed}: numeric argument required", call.name));
            2
        }
    }
}

/// `eval`.
pub fn eval(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let line = call.args.join(" ");
    call.shell.line(&line, call.stdin, call.out)
}

/// `source FILE`.
pub fn source(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(name) = call.args.first().cloned() else {
        call.out.err("bash: source: filename argument required");
        return Ok(2);
    };
    call.shell.sourced += 1;
    let ended = script(call, &name);
    call.shell.sourced -= 1;
    match ended {
        Err(Flow::Return(status)) => Ok(status),
        other => other,
    }
}

fn script(call: &mut Call<'_, '_>, name: &str) -> Result<i32, Flow> {
    let path = call.shell.machine.path(name);
    match call.shell.machine.files.read(&path) {
        Ok(text) => {
            let mut status = 0;
            for line in crate::grammar::split(&text) {
                status = call.shell.line(&line, call.stdin, call.out)?;
                call.shell.machine.status = status;
            }
            Ok(status)
        }
        Err(error) => {
            call.out.err(&format!("bash: {name}: {error}"));
            Ok(if matches!(call.name, "source" | ".") { 1 } else { 127 })
        }
    }
}

/// `bash FILE`, `bash -c LINE`, or a script on standard input.
pub fn bash(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let (text, file) = match call.args.as_slice() {
        [dash, line, ..] if dash == "-c" => (line.clone(), None),
        [file, ..] if !file.starts_with('-') => (String::new(), Some(file.clone())),
        _ => (call.stdin.rest(), None),
    };
    let before = call.shell.machine.clone();
    call.shell.machine.options = option::Options::default();
    call.shell.machine.traps.clear();
    // After a line come the name and the arguments of what runs it, after a file's name its arguments.
    let (name, given) = match (call.args.as_slice(), &file) {
        ([_, _, name, given @ ..], None) => (name.as_str(), given),
        ([file, given @ ..], Some(_)) => (file.as_str(), given),
        _ => (call.name, &[][..]),
    };
    call.shell.machine.positional = given.iter().map(|it| it.as_str().into()).collect();
    call.shell.machine.name = name.into();
    let mut status = Ok(0);
    match file {
        Some(file) => status = script(call, &file),
        None => {
            for line in crate::grammar::split(&text) {
                status = call.shell.line(&line, &mut Stdin::of(""), call.out);
                if status.is_err() {
                    break;
                }
            }
        }
    }
    let left = call.shell.trapped("EXIT", call.out);
    let machine = &mut *call.shell.machine;
    machine.variables = before.variables;
    machine.positional = before.positional;
    machine.cwd = before.cwd;
    machine.aliases = before.aliases;
    machine.functions = before.functions;
    machine.options = before.options;
    machine.traps = before.traps;
    machine.name = before.name;
    left?;
    match status {
        Err(Flow::Exit(status)) => Ok(status),
        other => other,
    }
}

/// `command NAME …`, `command -v NAME`.
pub fn command(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.first().is_some_and(|a| a == "-v") {
        call.args.remove(0);
        return which(call);
    }
    let args = std::mem::take(&mut call.args);
    call.shell.fields_run(args, call.stdin, call.out)
}

/// Tools that bash has in itself.
const BUILTIN: &[&str] = &[
    ".",
    ":",
    "[",
    "alias",
    "break",
    "cd",
    "command",
    "continue",
    "declare",
    "echo",
    "eval",
    "exit",
    "export",
    "false",
    "getopts",
    "hash",
    "history",
    "let",
    "local",
    "mapfile",
    "printf",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "test",
    "trap",
    "true",
    "type",
    "typeset",
    "unalias",
    "unset",
    "wait",
];

/// Whether a name is bash's own.
pub(crate) fn is_own(name: &str) -> bool {
    BUILTIN.contains(&name)
}

/// Words of bash's grammar.
const KEYWORDS: [&str; 21] = [
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if",
    "in", "select", "then", "time", "until", "while", "{",
];

/// `which`, `type`, `command -v`.
pub fn which(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let (mut status, mut is_short, mut path_only) = (0, false, false);
    for name in &call.args {
        if let Some(flags) = name.strip_prefix('-').filter(|it| !it.is_empty() && call.name != "command") {
            is_short |= flags.contains('t');
            path_only |= flags.contains(['p', 'P']);
            continue;
        }
        let machine = &call.shell.machine;
        let alias = machine.aliases.get(name);
        let is_function = machine.functions.contains_key(name);
        let is_keyword = KEYWORDS.contains(&name.as_str()) || name == "}";
        let found = tool::find(name);
        let said = match (call.name, found) {
            ("which", Some(tool)) if tool::is_program(tool.name) => Some(format!("/usr/bin/{}", tool.name)),
            ("which", _) => None,
            ("type", _) if is_short || path_only => {
                let kind = if alias.is_some() {
                    Some("alias")
                } else if is_keyword {
                    Some("keyword")
                } else if is_function {
                    Some("function")
                } else {
                    found.map(|tool| if is_own(tool.name) { "builtin" } else { "file" })
                };
                match (kind, found) {
                    (Some("file"), Some(tool)) if path_only => Some(format!("/usr/bin/{}", tool.name)),
                    (Some(_), _) if path_only => continue,
                    (kind, _) => kind.map(str::to_owned),
                }
            }
            ("type", tool) => {
                if let Some(alias) = alias {
                    Some(format!("{name} is aliased to `{alias}'"))
                } else if is_keyword {
                    Some(format!("{name} is a shell keyword"))
                } else if is_function {
                    Some(format!("{name} is a function"))
                } else {
                    tool.map(|tool| {
                        if is_own(tool.name) {
                            format!("{name} is a shell builtin")
                        } else {
                            format!("{name} is /usr/bin/{}", tool.name)
                        }
                    })
                }
            }
            (_, tool) => match (alias, tool) {
                (Some(alias), _) => Some(format!("alias {name}='{alias}'")),
                (None, _) if is_keyword || is_function => Some(name.clone()),
                (None, Some(tool)) if is_own(tool.name) => Some(name.clone()),
                (None, tool) => tool.map(|tool| format!("/usr/bin/{}", tool.name)),
            },
        };
        match said {
            Some(said) => call.out.line(&said),
            None => {
                if call.name == "type" && !is_short && !path_only {
                    call.out.err(&format!("bash: type: {name}: not found"));
                }
                status = 1;
            }
        }
    }
    Ok(status)
}

/// `shift [N]`.
pub fn shift(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let by = call.args.first().map_or(Some(1), |n| n.parse::<usize>().ok());
    let positional = &mut call.shell.machine.positional;
    match by {
        Some(by) if by <= positional.len() => {
            drop(positional.slice(..by));
            Ok(0)
        }
        Some(_) => Ok(1),
        None => {
            call.out.err(&format!("bash: shift: {}: numeric argument required", call.args[0]));
            Ok(1)
        }
    }
}

/// `let EXPRESSION…`: status 1 where the last is 0.
pub fn let_it(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut last = 0;
    if call.args.is_empty() {
        call.out.err("bash: let: expression expected");
        return Ok(1);
    }
    for text in &call.args {
        match crate::arithmetic::evaluate(text, call.shell.machine) {
            Ok(number) => last = number,
            Err(message) => {
                call.out.err(&format!("bash: let: {message}"));
                return Ok(1);
            }
        }
    }
    Ok(i32::from(last == 0))
}

/// `hash`: no paths are kept here.
pub fn hash(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.is_empty() {
        call.out.line("hash: hash table empty");
    }
    Ok(0)
}

/// `history`.
pub fn history(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    for (i, line) in call.shell.machine.history.iter().enumerate() {
        call.out.line(&format!("{:5}  {line}", i + 1));
    }
    Ok(0)
}

/// `timeout SECONDS COMMAND…`: ends what waits at its time, status 124.
pub fn timeout(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut args = std::mem::take(&mut call.args);
    while args.first().is_some_and(|a| a.starts_with('-')) {
        args.remove(0);
    }
    if args.len() < 2 {
        call.out.err("timeout: missing operand\nTry 'timeout --help' for more information.");
        return Ok(125);
    }
    let typed = args.remove(0);
    let Some(limit) = crate::text::sleep::seconds(&typed) else {
        call.out.err(&format!(
            "timeout: invalid time interval ‘{typed}’\nTry 'timeout --help' for more information."
        ));
        return Ok(125);
    };
    let until = call.shell.world.now() + limit;
    let outer = call.shell.until;
    call.shell.until = Some(outer.map_or(until, |o| o.min(until)));
    let mut inner = Output::default();
    let status = call.shell.fields_run(args, call.stdin, &mut inner);
    call.shell.until = outer;
    for (stream, text) in inner.chunks {
        call.out.write(stream, &text);
    }
    call.out.hints.append(&mut inner.hints);
    match status {
        Ok(_) if call.shell.world.now() >= until && limit.0 > 0 => Ok(124),
        other => other,
    }
}
