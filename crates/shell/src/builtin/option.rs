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
