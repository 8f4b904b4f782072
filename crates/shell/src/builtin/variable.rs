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

/// `unset [-f] [-v] NAME…`.
pub fn unset(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let (mut status, mut only) = (0, None);
    for arg in std::mem::take(&mut call.args) {
        if let Some(flag) = arg.strip_prefix('-') {
            only = flag.chars().next();
            continue;
        }
        if let Some((name, key)) = arg.strip_suffix(']').and_then(|arg| arg.split_once('[')) {
            let key = call.shell.key(name, key, call.out)?;
            if let Some(mut array) = call.shell.machine.array(name) {
                array.remove(&key);
                call.shell.machine.set_array(name, array);
            }
            continue;
        }
        let machine = &mut *call.shell.machine;
        if only != Some('f') && machine.variables.get(&arg).is_some_and(|it| it.attributes.readonly) {
            call.out.err(&format!("bash: unset: {arg}: cannot unset: readonly variable"));
            status = 1;
            continue;
        }
        // A function goes only where no variable has the name.
        let was_variable = only != Some('f') && machine.variables.remove(&arg).is_some();
        if only == Some('f') || (only.is_none() && !was_variable) {
            machine.functions.remove(&arg);
        }
    }
    Ok(status)
}

/// `local`, `declare`, `typeset`, `readonly`: inside a function the name is its own, but for `readonly`.
pub fn declare(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let is_local = call.name == "local";
    if is_local && !call.shell.is_in_function() {
        call.out.err("bash: local: can only be used in a function");
        return Ok(1);
    }
    let (flags, names): (Vec<String>, Vec<String>) =
        call.args.drain(..).partition(|arg| arg.starts_with(['-', '+']));
    let has = |letter: char| flags.iter().any(|flag| flag.starts_with('-') && flag.contains(letter));
    if has('f') || has('F') {
        let functions = &call.shell.machine.functions;
        let known: Vec<String> =
            functions.keys().filter(|it| names.is_empty() || names.contains(it)).cloned().collect();
        known.iter().for_each(|name| {
            call.out.line(&format!("{}{name}", if names.is_empty() { "declare -f " } else { "" }));
        });
        return Ok(i32::from(known.len() < names.len()));
    }
    if has('p') || (names.is_empty() && !is_local) {
        return Ok(print(call, &names));
    }
    let mut status = 0;
    for arg in &names {
        let (name, value) =
            arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        let (name, appends) = name.strip_suffix('+').map_or((name, false), |name| (name, value.is_some()));
        if !is_name(name) {
            call.out.err(&format!("bash: {}: `{arg}': not a valid identifier", call.name));
            status = 1;
            continue;
        }
        let is_readonly = |call: &Call<'_, '_>| {
            call.shell.machine.variables.get(name).is_some_and(|it| it.attributes.readonly)
        };
        if value.is_some() && is_readonly(call) {
            let what = if call.name == "readonly" { String::new() } else { format!("{}: ", call.name) };
            call.out.err(&format!("bash: {what}{name}: readonly variable"));
            status = 1;
            continue;
        }
        if call.name != "readonly" && !has('g') {
            call.shell.keep(name);
        }
        let machine = &mut *call.shell.machine;
        if is_local && !appends {
            machine.variables.remove(name);
        }
        let mut variable = machine.variables.get(name).cloned().unwrap_or_default();
        let known = machine.variables.contains_key(name);
        variable.exported |= has('x');
        variable.attributes.integer |= has('i');
        variable.attributes.upper |= has('u');
        variable.attributes.lower |= has('l');
        let before = variable.value.clone();
        let is_integer = variable.attributes.integer;
        if known || value.is_some() || "xiulr".chars().any(has) || call.name == "readonly" {
            machine.variables.insert(name.to_owned(), variable);
        }
        match value {
            Some(value) if appends && is_integer => machine.set(name, &format!("{before}+{value}")),
            Some(value) if appends => machine.set(name, &format!("{before}{value}")),
            Some(value) => machine.set(name, value),
            None => {}
        }
        if (has('a') || has('A')) && value.is_none() {
            let known = machine.variables.get(name).and_then(|v| v.array.clone());
            let empty = if has('A') { Array::by_name() } else { Array::default() };
            machine.set_array(name, known.unwrap_or(empty));
        }
        if (has('r') || call.name == "readonly")
            && let Some(variable) = machine.variables.get_mut(name)
        {
            variable.attributes.readonly = true;
        }
    }
    Ok(status)
}

/// `declare -p`.
fn print(call: &mut Call<'_, '_>, names: &[String]) -> i32 {
    let variables = &call.shell.machine.variables;
    let all: Vec<String> =
        if names.is_empty() { variables.keys().cloned().collect() } else { names.to_vec() };
    let mut status = 0;
    let quoted = |text: &str| {
        let inner: String =
            text.chars().flat_map(|c| if "\"$`\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect();
        format!("\"{inner}\"")
    };
    for name in all {
        let Some(variable) = variables.get(&name) else {
            call.out.err(&format!("bash: {}: {name}: not found", call.name));
            status = 1;
            continue;
        };
        let it = variable.attributes;
        let mut flags: String = match &variable.array {
            Some(array) if array.by_name => "A".to_owned(),
            Some(_) => "a".to_owned(),
            None => String::new(),
        };
        for (letter, on) in [
            ('i', it.integer),
            ('r', it.readonly),
            ('x', variable.exported),
            ('l', it.lower),
            ('u', it.upper),
        ] {
            if on {
                flags.push(letter);
            }
        }
        let flags = if flags.is_empty() { "-".to_owned() } else { flags };
        let line = match &variable.array {
            None => format!("declare -{flags} {name}={}", quoted(&variable.value)),
            Some(array) => {
                let items = array.keys().into_iter().zip(array.values());
                let items: Vec<String> =
                    items.map(|(key, value)| format!("[{key}]={}", quoted(&value))).collect();
                // UPSTREAM: bash ends an array by words with a blank.
                let end = if array.by_name { " " } else { "" };
                format!("declare -{flags} {name}=({}{end})", items.join(" "))
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

pub(crate) fn is_name(text: &str) -> bool {
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

/// `read [-rs] [-a ARRAY] [-d C] [-n N] [-N N] [-p PROMPT] [-t S] [NAME…]`.
pub fn read(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let (mut raw, mut array, mut end, mut most, mut exact) = (false, None, '\n', None, false);
    let mut names: Vec<String> = Vec::new();
    let mut args = std::mem::take(&mut call.args).into_iter();
    while let Some(arg) = args.next() {
        let Some(flags) = arg.strip_prefix('-').filter(|it| !it.is_empty() && names.is_empty()) else {
            names.push(arg);
            continue;
        };
        if flags == "-" {
            names.extend(args.by_ref());
            break;
        }
        for (at, flag) in flags.char_indices() {
            match flag {
                'r' => raw = true,
                's' | 'e' => {}
                'a' | 'd' | 'n' | 'N' | 'p' | 't' | 'i' | 'u' => {
                    let attached = &flags[at + 1..];
                    let value = if attached.is_empty() { args.next() } else { Some(attached.to_owned()) };
                    let Some(value) = value else {
                        call.out.err(&format!("bash: read: -{flag}: option requires an argument\n{READ}"));
                        return Ok(2);
                    };
                    match flag {
                        'a' => array = Some(value),
                        'd' => end = value.chars().next().unwrap_or('\0'),
                        'n' | 'N' => {
                            let Ok(count) = value.parse::<usize>() else {
                                call.out.err(&format!("bash: read: {value}: invalid number"));
                                return Ok(1);
                            };
                            (most, exact) = (Some(count), flag == 'N');
                        }
                        // A prompt is shown to a terminal only, and nothing here waits.
                        _ => {}
                    }
                    break;
                }
                other => {
                    call.out.err(&format!("bash: read: -{other}: invalid option\n{READ}"));
                    return Ok(2);
                }
            }
        }
    }
    if let Some(wrong) =
        names.iter().chain(&array).find(|name| !is_name(name.split('[').next().unwrap_or_default()))
    {
        call.out.err(&format!("bash: read: `{wrong}': not a valid identifier"));
        return Ok(1);
    }
    let Some((text, ended)) = call.stdin.until(if exact { None } else { Some(end) }, most, raw) else {
        names.iter().for_each(|name| call.shell.machine.set(name, ""));
        return Ok(1);
    };
    let status = i32::from(!ended);
    if names.is_empty() && array.is_none() {
        call.shell.machine.set("REPLY", &text.iter().map(|(c, _)| *c).collect::<String>());
        return Ok(status);
    }
    let ifs = call.shell.machine.variable("IFS").unwrap_or(" \t\n").to_owned();
    let wanted = if array.is_some() { usize::MAX } else { names.len() };
    let words = if exact { vec![text.iter().map(|(c, _)| *c).collect()] } else { split(&text, &ifs, wanted) };
    match array {
        Some(name) => {
            let mut array = Array::default();
            words.iter().for_each(|word| array.push(word));
            call.shell.machine.set_array(&name, array);
        }
        None => {
            for (i, name) in names.iter().enumerate() {
                let word = words.get(i).map_or("", String::as_str);
                match name.strip_suffix(']').and_then(|it| it.split_once('[')) {
                    Some((array, key)) => {
                        let key = call.shell.key(array, key, call.out)?;
                        let mut items = call.shell.machine.array(array).unwrap_or_default();
                        items.put(&key, word);
                        call.shell.machine.set_array(array, items);
                    }
                    None => call.shell.machine.set(name, word),
                }
            }
        }
    }
    Ok(status)
}

const READ: &str = "read: usage: read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] \
                    [-t timeout] [-u fd] [name ...]";

/// Words cut at `$IFS`: blanks of it are one mark together and none at the ends, any other is a mark of its own.
/// What is left beyond the last wanted word belongs to it. Characters that a backslash stood before never cut.
fn split(text: &[(char, bool)], ifs: &str, wanted: usize) -> Vec<String> {
    let is_mark = |(c, escaped): &(char, bool)| !escaped && ifs.contains(*c);
    let is_blank = |it: &(char, bool)| is_mark(it) && it.0.is_ascii_whitespace();
    let blanks = |part: &[(char, bool)]| part.iter().take_while(|it| is_blank(it)).count();
    let shown = |part: &[(char, bool)]| part.iter().map(|(c, _)| *c).collect::<String>();
    let mut rest = &text[blanks(text)..];
    let mut words = Vec::new();
    while !rest.is_empty() {
        if words.len() + 1 == wanted {
            let kept = rest.len() - rest.iter().rev().take_while(|it| is_blank(it)).count();
            let mut last = &rest[..kept];
            // UPSTREAM: one mark that ends the line goes, if it is the only one left.
            if let Some((end, before)) = last.split_last()
                && is_mark(end)
                && !before.iter().any(is_mark)
            {
                last = before;
            }
            words.push(shown(last));
            return words;
        }
        let end = rest.iter().position(is_mark).unwrap_or(rest.len());
        words.push(shown(&rest[..end]));
        rest = &rest[end..];
        rest = &rest[blanks(rest)..];
        if let Some((mark, after)) = rest.split_first().filter(|(it, _)| is_mark(it)) {
            debug_assert!(!is_blank(mark), "blanks were skipped");
            rest = &after[blanks(after)..];
        }
    }
    words
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
