//! `alias`, `export`, `local`, `env`, `read`: what bash remembers by name.

use crate::{eval::Flow, tool::Call};

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `alias`.
pub fn alias(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut status = 0;
    if call.args.is_empty() || call.args == ["-p"] {
        for (name, value) in &call.shell.machine.aliases {
            call.out.line(&format!("alias {name}={}", quote(value)));
        }
        return Ok(0);
    }
    for arg in &call.args {
        match arg.split_once('=') {
            Some((name, value)) => {
                call.shell.machine.aliases.insert(name.to_owned(), value.into());
            }
            None => match call.shell.machine.aliases.get(arg) {
                Some(value) => call.out.line(&format!("alias {arg}={}", quote(value))),
                None => {
                    call.out.err(&format!("bash: alias: {arg}: not found"));
                    status = 1;
                }
            },
        }
    }
    Ok(status)
}

/// `unalias`.
pub fn unalias(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut status = 0;
    for arg in &call.args {
        if arg == "-a" {
            call.shell.machine.aliases.clear();
        } else if call.shell.machine.aliases.remove(arg).is_none() {
            call.out.err(&format!("bash: unalias: {arg}: not found"));
            status = 1;
        }
    }
    Ok(status)
}

/// `export`.
pub fn export(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let machine = &mut *call.shell.machine;
    if call.args.is_empty() || call.args == ["-p"] {
        for (name, variable) in machine.variables.iter().filter(|(_, v)| v.exported) {
            call.out.line(&format!("declare -x {name}=\"{}\"", variable.value));
        }
        return Ok(0);
    }
    let mut status = 0;
    for arg in call.args.iter().filter(|a| !a.starts_with('-')) {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (arg.as_str(), machine.variable(arg).unwrap_or_default().to_owned()),
        };
        if is_name(name) {
            machine.export(name, &value);
        } else {
            call.out.err(&format!("bash: export: `{arg}': not a valid identifier"));
            status = 1;
        }
    }
    Ok(status)
}

/// `unset`.
pub fn unset(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    for arg in &call.args {
        call.shell.machine.variables.remove(arg);
        call.shell.machine.functions.remove(arg);
    }
    Ok(0)
}

/// `local`, `declare`, `typeset`, `readonly`: inside a function the name is its own, but for `readonly`.
/// MODEL: `readonly` does not refuse later writes.
pub fn declare(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let is_local = call.name == "local";
    if is_local && !call.shell.is_in_function() {
        call.out.err("bash: local: can only be used in a function");
        return Ok(1);
    }
    let (flags, names): (Vec<String>, Vec<String>) =
        call.args.drain(..).partition(|arg| arg.starts_with('-'));
    let has = |letter: char| flags.iter().any(|flag| flag.contains(letter));
    if has('a') || has('A') {
        call.out.err("bash: arrays are not available in this lab");
        return Ok(1);
    }
    for arg in &names {
        let (name, value) =
            arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        if !is_name(name) {
            call.out.err(&format!("bash: {}: `{arg}': not a valid identifier", call.name));
            return Ok(1);
        }
        if call.name != "readonly" && !has('g') {
            call.shell.keep(name);
        }
        let machine = &mut *call.shell.machine;
        match value {
            Some(value) if has('x') => machine.export(name, value),
            Some(value) => machine.set(name, value),
            None if is_local => drop(machine.variables.remove(name)),
            None => {}
        }
    }
    Ok(0)
}

fn is_name(text: &str) -> bool {
    let legal = |(i, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit());
    !text.is_empty() && text.chars().enumerate().all(legal)
}

/// `env`, alone or before a command.
pub fn env(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let assignments = call.args.iter().take_while(|a| a.contains('=')).count();
    let rest = call.args.split_off(assignments);
    let kept = call.shell.machine.variables.clone();
    for arg in &call.args {
        if let Some((name, value)) = arg.split_once('=') {
            call.shell.machine.export(name, value);
        }
    }
    let status = if rest.is_empty() {
        for (name, variable) in call.shell.machine.variables.iter().filter(|(_, v)| v.exported) {
            call.out.line(&format!("{name}={}", variable.value));
        }
        Ok(0)
    } else {
        call.shell.fields_run(rest, call.stdin, call.out)
    };
    call.shell.machine.variables = kept;
    status
}

/// `read [-r] NAME…`.
pub fn read(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut raw = false;
    let mut names: Vec<String> = Vec::new();
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-r" => raw = true,
            "-p" | "-t" | "-n" | "-d" => {
                args.next();
            }
            "-s" => {}
            name => names.push(name.to_owned()),
        }
    }
    let Some((line, ended)) = call.stdin.line() else { return Ok(1) };
    let line = if raw { line } else { line.replace('\\', "") };
    if names.is_empty() {
        call.shell.machine.set("REPLY", &line);
        return Ok(i32::from(!ended));
    }
    let ifs = call.shell.machine.variable("IFS").unwrap_or(" \t\n").to_owned();
    let blank = |c: char| ifs.contains(c) && c.is_ascii_whitespace();
    let mut rest = line.trim_matches(blank);
    for (i, name) in names.iter().enumerate() {
        let at = if i + 1 == names.len() { None } else { rest.find(|c| ifs.contains(c)) };
        let value = match at {
            Some(at) => {
                let value = &rest[..at];
                let width = rest[at..].chars().next().map_or(1, char::len_utf8);
                rest = rest[at + width..].trim_start_matches(blank);
                value
            }
            None => std::mem::take(&mut rest),
        };
        call.shell.machine.set(name, value);
    }
    Ok(i32::from(!ended))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn while_read_sees_every_line_and_field() {
        assert_eq!(stdout("printf 'a 1 x\\nb 2\\n' | while read n v; do echo $v-$n; done"), "1 x-a\n2-b\n");
    }

    #[test]
    fn a_local_variable_ends_with_its_function() {
        assert_eq!(stdout("x=out; f() { local x=in y=1; echo $x; }; f; echo \"$x[$y]\""), "in\nout[]\n");
        assert_eq!(sh("local x=1").1, "bash: local: can only be used in a function\n");
    }

    #[test]
    fn an_alias_stands_for_its_words() {
        assert_eq!(stdout("alias e='echo hi'; e you"), "hi you\n");
        assert_eq!(sh("alias nope").1, "bash: alias: nope: not found\n");
    }

    #[test]
    fn a_variable_before_a_command_lasts_for_that_command() {
        assert_eq!(stdout("X=1 env | grep ^X=; echo \"[$X]\""), "X=1\n[]\n");
    }
}
