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
    Err(Flow::Return(number(call)))
}

/// `break`.
pub fn leave(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    Err(Flow::Break(count(call)))
}

/// `continue`.
pub fn go_on(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    Err(Flow::Continue(count(call)))
}

fn count(call: &Call<'_, '_>) -> u32 {
    call.args.first().and_then(|a| a.parse().ok()).unwrap_or(1)
}

fn number(call: &Call<'_, '_>) -> i32 {
    call.args.first().and_then(|a| a.parse().ok()).unwrap_or(call.shell.machine.status) & 0xff
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
    script(call, &name)
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
    // After the line come the name and the arguments of what runs it.
    if let [_, _, _, given @ ..] = call.args.as_slice()
        && file.is_none()
    {
        call.shell.machine.positional = given.iter().map(|it| it.as_str().into()).collect();
    }
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

/// `which`, `type`.
pub fn which(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut status = 0;
    for name in &call.args {
        match tool::find(name) {
            Some(tool) if call.name == "type" && BUILTIN.contains(&tool.name) => {
                call.out.line(&format!("{name} is a shell builtin"));
            }
            Some(tool) if call.name == "type" => call.out.line(&format!("{name} is /usr/bin/{}", tool.name)),
            Some(tool) => call.out.line(&format!("/usr/bin/{}", tool.name)),
            None => {
                if call.name == "type" {
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
