//! `alias`, `export`, `local`, `env`, `read`: what bash remembers by name.

use crate::{array::Array, eval::Flow, tool::Call};

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
    for arg in std::mem::take(&mut call.args) {
        if let Some((name, key)) = arg.strip_suffix(']').and_then(|arg| arg.split_once('[')) {
            let key = call.shell.key(name, key, call.out)?;
            if let Some(mut array) = call.shell.machine.array(name) {
                array.remove(&key);
                call.shell.machine.set_array(name, array);
            }
            continue;
        }
        call.shell.machine.variables.remove(&arg);
        call.shell.machine.functions.remove(&arg);
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
    if has('p') || (names.is_empty() && !is_local) {
        return Ok(print(call, &names));
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
        if (has('a') || has('A')) && value.is_none() {
            let known = machine.variables.get(name).and_then(|v| v.array.clone());
            let empty = if has('A') { Array::by_name() } else { Array::default() };
            machine.set_array(name, known.unwrap_or(empty));
        }
    }
    Ok(0)
}

/// `declare -p`.
fn print(call: &mut Call<'_, '_>, names: &[String]) -> i32 {
    let variables = &call.shell.machine.variables;
    let all: Vec<String> =
        if names.is_empty() { variables.keys().cloned().collect() } else { names.to_vec() };
    let mut status = 0;
    for name in all {
        let Some(variable) = variables.get(&name) else {
            call.out.err(&format!("bash: declare: {name}: not found"));
            status = 1;
            continue;
        };
        let line = match &variable.array {
            None if variable.exported => format!("declare -x {name}=\"{}\"", variable.value),
            None => format!("declare -- {name}=\"{}\"", variable.value),
            Some(array) => {
                let items = array.keys().into_iter().zip(array.values());
                let items: Vec<String> = items.map(|(key, value)| format!("[{key}]=\"{value}\"")).collect();
                let flag = if array.by_name { 'A' } else { 'a' };
                // UPSTREAM: bash ends an array by words with a blank.
                let end = if array.by_name { " " } else { "" };
                format!("declare -{flag} {name}=({}{end})", items.join(" "))
            }
        };
        call.out.line(&line);
    }
    status
}

/// `mapfile [-t] [NAME]`: the lines of standard input as an array.
pub fn mapfile(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let bare = call.args.iter().any(|arg| arg == "-t");
    let name = call.args.iter().find(|arg| !arg.starts_with('-')).cloned();
    let mut array = Array::default();
    while let Some((line, ended)) = call.stdin.line() {
        call.shell.count()?;
        array.push(&if ended && !bare { format!("{line}\n") } else { line });
    }
    call.shell.machine.set_array(name.as_deref().unwrap_or("MAPFILE"), array);
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

/// `printenv [NAME…]`.
pub fn printenv(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut status = 0;
    if call.args.is_empty() {
        for (name, variable) in call.shell.machine.variables.iter().filter(|(_, v)| v.exported) {
            call.out.line(&format!("{name}={}", variable.value));
        }
        return Ok(0);
    }
    for wanted in &call.args {
        match call.shell.machine.variables.get(wanted).filter(|v| v.exported) {
            Some(variable) => call.out.line(&variable.value),
            None => status = 1,
        }
    }
    Ok(status)
}

/// `read [-r] NAME…`.
pub fn read(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let (mut raw, mut into_array) = (false, false);
    let mut names: Vec<String> = Vec::new();
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-r" => raw = true,
            "-p" | "-t" | "-n" | "-d" => {
                args.next();
            }
            "-s" => {}
            "-a" => into_array = true,
            "-ra" | "-ar" => (raw, into_array) = (true, true),
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
    if into_array {
        let mut array = Array::default();
        for word in line.split(|c| ifs.contains(c)).filter(|word| !word.is_empty()) {
            array.push(word);
        }
        call.shell.machine.set_array(&names[0], array);
        return Ok(i32::from(!ended));
    }
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
    fn the_environment_and_the_arguments_are_shown_and_moved() {
        assert_eq!(
            stdout("export A=1; B=2; printenv A B; set -- x y z; shift; echo $1 $#; let n=2+3; echo $n"),
            "1\ny 2\n5\n"
        );
    }

    #[test]
    fn a_variable_before_a_command_lasts_for_that_command() {
        assert_eq!(stdout("X=1 env | grep ^X=; echo \"[$X]\""), "X=1\n[]\n");
    }
}
