//! `trap`: what runs when the shell ends, or when a command fails.
//!
//! MODEL: no signal ever comes; what is set for one is only kept and listed.
//! Source: bash 5.2 manual, 4.1 Bourne Shell Builtins.

use crate::{
    eval::{Flow, Shell},
    output::{Output, Stdin},
    tool::Call,
};

/// Signals by number.
const NUMBERED: [(&str, &str); 6] =
    [("0", "EXIT"), ("1", "HUP"), ("2", "INT"), ("3", "QUIT"), ("9", "KILL"), ("15", "TERM")];
/// What is not a signal of the system.
const OWN: [&str; 4] = ["EXIT", "ERR", "DEBUG", "RETURN"];
const SIGNALS: [&str; 9] = ["HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2", "PIPE", "CHLD"];

/// `trap [-p] [[ACTION] SIGNAL…]`.
pub fn trap(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args: Vec<String> = call.args.iter().filter(|arg| *arg != "--").cloned().collect();
    let traps = &mut call.shell.machine.traps;
    let (action, names) = match args.as_slice() {
        [] => {
            for (name, line) in traps.iter() {
                call.out.line(&listed(name, line));
            }
            return Ok(0);
        }
        [flag, names @ ..] if flag == "-p" => {
            let wanted: Vec<Option<String>> = names.iter().map(|name| signal(name)).collect();
            for (name, line) in traps.iter() {
                if names.is_empty() || wanted.contains(&Some(name.clone())) {
                    call.out.line(&listed(name, line));
                }
            }
            return Ok(0);
        }
        [one] => (None, std::slice::from_ref(one)),
        [action, names @ ..] => (Some(action.as_str()).filter(|action| *action != "-"), names),
    };
    let mut status = 0;
    for name in names {
        let Some(signal) = signal(name) else {
            call.out.err(&format!("bash: trap: {name}: invalid signal specification"));
            status = 1;
            continue;
        };
        match action {
            Some(line) => drop(traps.insert(signal, line.into())),
            None => drop(traps.remove(&signal)),
        }
    }
    Ok(status)
}

/// The name without `SIG`, if there is such a signal.
fn signal(typed: &str) -> Option<String> {
    let upper = typed.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let name = NUMBERED.iter().find(|(number, _)| *number == name).map_or(name, |(_, name)| name);
    OWN.iter().chain(&SIGNALS).any(|known| *known == name).then(|| name.to_owned())
}

fn listed(name: &str, line: &str) -> String {
    let prefix = if OWN.contains(&name) { "" } else { "SIG" };
    format!("trap -- '{}' {prefix}{name}", line.replace('\'', "'\\''"))
}

impl Shell<'_> {
    /// Runs what is set for `EXIT` or `ERR`; `$?` stays as it was.
    pub(crate) fn trapped(&mut self, name: &str, out: &mut Output) -> Result<(), Flow> {
        // Not again for what it does itself.
        let Some(line) = self.machine.traps.remove(name) else { return Ok(()) };
        let status = self.machine.status;
        let ended = self.guarded(true, |shell| shell.line(&line, &mut Stdin::terminal(), out));
        self.machine.status = status;
        if name == "ERR" {
            self.machine.traps.insert(name.to_owned(), line);
        }
        match ended {
            Err(stop @ Flow::Stopped(_)) => Err(stop),
            Err(exit @ Flow::Exit(_)) if name == "ERR" => Err(exit),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn a_trap_runs_when_the_shell_ends() {
        assert_eq!(stdout("trap 'echo bye $?' EXIT; echo hi; exit 3"), "hi\nbye 3\n");
        assert_eq!(stdout("( trap 'echo inner' EXIT; echo body ); echo after"), "body\ninner\nafter\n");
        assert_eq!(stdout("bash -c 'trap \"echo end\" EXIT; echo run'; echo next"), "run\nend\nnext\n");
        assert_eq!(stdout("trap 'echo never' EXIT; trap - EXIT; exit"), "");
    }

    #[test]
    fn a_trap_sees_failures() {
        assert_eq!(stdout("trap 'echo failed' ERR; false; true; false || true; echo end"), "failed\nend\n");
        assert_eq!(
            stdout("set -e; trap 'echo failed' ERR; trap 'echo out' EXIT; false; echo never"),
            "failed\nout\n"
        );
    }

    #[test]
    fn traps_are_listed_as_they_could_be_typed() {
        assert_eq!(
            stdout("trap 'echo x' INT; trap : 0; trap"),
            "trap -- ':' EXIT\ntrap -- 'echo x' SIGINT\n"
        );
        assert_eq!(sh("trap x NOPE").1, "bash: trap: NOPE: invalid signal specification\n");
    }
}
