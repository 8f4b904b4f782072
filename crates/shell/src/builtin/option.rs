//! How strict is this shell? `set -e`, `-u`, `-x`, `-o pipefail`.
//!
//! Source: bash 5.2 manual, 4.3.1 The Set Builtin.

use crate::{eval::Flow, tool::Call};

/// The options of `set` that change what runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-e`: the first failure that nothing looks at ends the shell.
    pub errexit: bool,
    /// `-u`: a variable that is not set is an error.
    pub nounset: bool,
    /// `-x`: commands are shown before they run.
    pub xtrace: bool,
    /// `-o pipefail`: a pipe fails when any of its commands does.
    pub pipefail: bool,
    /// `shopt -s nullglob`: a pattern that no file matches is nothing.
    pub nullglob: bool,
    /// `shopt -s failglob`: it is an error.
    pub failglob: bool,
}

/// Options of `shopt` that change nothing that can be seen here, and whether bash begins with them.
const SHOPTS: [(&str, bool); 19] = [
    ("autocd", false),
    ("cdspell", false),
    ("checkhash", false),
    ("checkwinsize", true),
    ("cmdhist", true),
    ("complete_fullquote", true),
    ("direxpand", false),
    ("dotglob", false),
    ("execfail", false),
    ("expand_aliases", true),
    ("extglob", false),
    ("globskipdots", true),
    ("globstar", false),
    ("histappend", false),
    ("interactive_comments", true),
    ("lastpipe", false),
    ("nocaseglob", false),
    ("nocasematch", false),
    ("sourcepath", true),
];

/// `shopt [-squ] [NAME…]`.
///
/// MODEL: of the options of `shopt`, `nullglob` and `failglob` change something; the others are only listed.
pub fn shopt(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let (flags, names): (Vec<String>, Vec<String>) =
        call.args.drain(..).partition(|arg| arg.starts_with('-'));
    let has = |letter| flags.iter().any(|flag| flag.contains(letter));
    let mut status = 0;
    let all: Vec<String> = if names.is_empty() {
        let mut all: Vec<&str> =
            SHOPTS.iter().map(|(name, _)| *name).chain(["nullglob", "failglob"]).collect();
        all.sort_unstable();
        all.into_iter().map(str::to_owned).collect()
    } else {
        names
    };
    for name in all {
        let options = &mut call.shell.machine.options;
        let own = match name.as_str() {
            "nullglob" => Some(&mut options.nullglob),
            "failglob" => Some(&mut options.failglob),
            _ => None,
        };
        let known = SHOPTS.iter().find(|(it, _)| *it == name).map(|(_, on)| *on);
        let Some(on) = own.as_deref().copied().or(known) else {
            call.out.err(&format!("bash: shopt: {name}: invalid shell option name"));
            status = 1;
            continue;
        };
        if has('s') || has('u') {
            if let Some(own) = own {
                *own = has('s');
            }
            continue;
        }
        if !has('q') {
            call.out.line(&format!("{name:<15}\t{}", if on { "on" } else { "off" }));
        }
        status |= i32::from(!on);
    }
    Ok(status)
}

/// `getopts LETTERS NAME [ARGUMENT…]`: the next option, its value in `$OPTARG`, the place in `$OPTIND`.
/// Source: bash 5.2 `builtins/getopt.c`.
pub fn getopts(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args = std::mem::take(&mut call.args);
    let [letters, name, given @ ..] = args.as_slice() else {
        call.out.err("getopts: usage: getopts optstring name [arg ...]");
        return Ok(2);
    };
    let machine = &mut *call.shell.machine;
    let all: Vec<String> = if given.is_empty() {
        machine.positional.iter().map(ToString::to_string).collect()
    } else {
        given.to_vec()
    };
    let index = machine.variable("OPTIND").and_then(|it| it.parse::<usize>().ok()).unwrap_or(1).max(1);
    // Where several letters stand in one word, the place in it is kept behind the index.
    let kept = machine.variable("OPTPOS").and_then(|it| it.split_once(':'));
    let inside = kept
        .filter(|(at, _)| *at == index.to_string())
        .and_then(|(_, it)| it.parse().ok())
        .unwrap_or(1_usize);
    let word = all.get(index - 1).cloned().unwrap_or_default();
    let option = word.strip_prefix('-').filter(|it| !it.is_empty()).and_then(|_| word.chars().nth(inside));
    let (Some(letter), true) = (option, word != "--") else {
        machine.set("OPTIND", &(index + usize::from(word == "--")).to_string());
        machine.set(name, "?");
        return Ok(1);
    };
    let is_last = word.chars().count() == inside + 1;
    let (mut next, mut place) = if is_last { (index + 1, 1) } else { (index, inside + 1) };
    let silent = letters.starts_with(':');
    let known = letters.trim_start_matches(':').split(letter).nth(1).filter(|_| letter != ':');
    machine.variables.remove("OPTARG");
    let mut found = letter.to_string();
    match known {
        None => {
            if silent {
                machine.set("OPTARG", &found);
            } else {
                call.out.err(&format!("bash: illegal option -- {letter}"));
            }
            "?".clone_into(&mut found);
        }
        Some(rest) if rest.starts_with(':') => {
            let attached: String = word.chars().skip(inside + 1).collect();
            let value = if attached.is_empty() { all.get(index).cloned() } else { Some(attached.clone()) };
            (next, place) = (index + if attached.is_empty() { 2 } else { 1 }, 1);
            match value {
                Some(value) => machine.set("OPTARG", &value),
                None if silent => {
                    machine.set("OPTARG", &found);
                    ":".clone_into(&mut found);
                    next = index + 1;
                }
                None => {
                    call.out.err(&format!("bash: option requires an argument -- {letter}"));
                    "?".clone_into(&mut found);
                    next = index + 1;
                }
            }
        }
        Some(_) => {}
    }
    let machine = &mut *call.shell.machine;
    machine.set("OPTIND", &next.to_string());
    machine.set("OPTPOS", &format!("{next}:{place}"));
    machine.set(name, &found);
    Ok(0)
}

/// Options of bash that change nothing that can be seen here.
const WITHOUT_EFFECT: &str = "abfhkmnptvBCEHPT";
const NAMES_WITHOUT_EFFECT: [&str; 6] = ["allexport", "history", "monitor", "noclobber", "posix", "verbose"];

impl Options {
    fn letter(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'e' => self.errexit = on,
            'u' => self.nounset = on,
            'x' => self.xtrace = on,
            // MODEL: `set` takes the other letters without effect.
            other => return WITHOUT_EFFECT.contains(other),
        }
        true
    }

    fn name(&mut self, name: &str, on: bool) -> bool {
        match name {
            "errexit" => self.errexit = on,
            "nounset" => self.nounset = on,
            "xtrace" => self.xtrace = on,
            "pipefail" => self.pipefail = on,
            other => return NAMES_WITHOUT_EFFECT.contains(&other),
        }
        true
    }

    /// As `set -o` lists them.
    fn listed(self) -> [(&'static str, bool); 4] {
        [
            ("errexit", self.errexit),
            ("nounset", self.nounset),
            ("pipefail", self.pipefail),
            ("xtrace", self.xtrace),
        ]
    }
}

/// `set`: lists variables; `set -e` and its kind change options; `set -- a b` sets `$1 $2`.
pub fn set(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let machine = &mut *call.shell.machine;
    if call.args.is_empty() {
        for (name, variable) in &machine.variables {
            call.out.line(&format!("{name}={}", variable.value));
        }
        return Ok(0);
    }
    let mut args = call.args.iter().map(String::as_str);
    let mut positional: Option<Vec<&str>> = None;
    while let Some(arg) = args.next() {
        let (on, letters) = match (arg, arg.strip_prefix('-'), arg.strip_prefix('+')) {
            ("--", ..) => {
                positional = Some(args.by_ref().collect());
                break;
            }
            (_, Some(letters), _) if !letters.is_empty() => (true, letters),
            (_, _, Some(letters)) if !letters.is_empty() => (false, letters),
            _ => {
                positional = Some(std::iter::once(arg).chain(args.by_ref()).collect());
                break;
            }
        };
        for letter in letters.chars() {
            if letter == 'o' {
                let Some(name) = args.next() else {
                    for (name, on) in machine.options.listed() {
                        call.out.line(&format!("{name:<15}\t{}", if on { "on" } else { "off" }));
                    }
                    return Ok(0);
                };
                if !machine.options.name(name, on) {
                    call.out.err(&format!("bash: set: {name}: invalid option name"));
                    return Ok(2);
                }
            } else if !machine.options.letter(letter, on) {
                let sign = if on { '-' } else { '+' };
                call.out.err(&format!(
                    "bash: set: {sign}{letter}: invalid option\n\
                     set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]"
                ));
                return Ok(2);
            }
        }
    }
    if let Some(all) = positional {
        machine.positional = all.into_iter().map(Into::into).collect();
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn errexit_ends_at_the_first_failure_nobody_looks_at() {
        assert_eq!(stdout("set -e; echo a; false; echo b"), "a\n");
        assert_eq!(stdout("set -e; false || echo b; ! true; if false; then :; fi; echo c"), "b\nc\n");
        assert_eq!(stdout("set -e; false && true; echo d"), "d\n");
        assert_eq!(stdout("set -e; while false; do :; done; x=$(false; echo in); echo $x"), "in\n");
        assert_eq!(stdout("set -e; x=$(false); echo never"), "");
        assert_eq!(stdout("set -e; set +e; false; echo e"), "e\n");
        assert_eq!(stdout("set -e; f() { false && true; }; f; echo never"), "");
    }

    #[test]
    fn a_pipe_fails_as_its_last_command_or_as_any() {
        assert_eq!(stdout("false | true; echo $?"), "0\n");
        assert_eq!(stdout("set -o pipefail; false | true; echo $?"), "1\n");
        assert_eq!(stdout("set -euo pipefail; false | true; echo never"), "");
    }

    #[test]
    fn nounset_refuses_what_was_never_set() {
        let (out, err, status) = sh("set -u; echo ${x:-none}; echo $x; echo never");
        assert_eq!((out.as_str(), err.as_str(), status), ("none\n", "bash: x: unbound variable\n", 1));
    }

    #[test]
    fn xtrace_shows_words_as_they_are_after_expansion() {
        assert_eq!(sh("set -x; x=1; echo a$x 'b c'").1, "+ x=1\n+ echo a1 'b c'\n");
    }

    #[test]
    fn an_unknown_option_is_named() {
        let (_, err, status) = sh("set -Z");
        assert!(err.starts_with("bash: set: -Z: invalid option\n"));
        assert_eq!(status, 2);
    }
}
