//! How long does a container's process run, and how does it end?
//!
//! Read off its command where that says so (`sleep`, `exit`, `false`), else as its image's entry says, else for ever.
//! A shell without a command ends at once: nothing is on its standard input.

use api::{SimDuration, k8s::core::v1::Container, kinds::sim::Image};

use super::image::without_tag;

/// What a started process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// When it ends by itself, and with which code.
    pub ends: Option<(SimDuration, i32)>,
    /// Whether it ends at once on SIGTERM. UPSTREAM: the first process of a container ignores signals it has no
    /// handler for, so `sleep` waits out the whole grace period.
    pub obeys_term: bool,
}

/// Images whose entry point is a shell.
const SHELLS: [&str; 7] = ["alpine", "bash", "busybox", "debian", "perl", "ubuntu", "amazonlinux"];

/// Programs that do their work and end well, and after how many milliseconds.
/// MODEL: how long they really take depends on what they are given; 2,000 digits of pi by perl take a few seconds.
const ENDING: &[(&str, u64)] = &[
    ("aws", 800),
    ("awk", 5),
    ("cat", 0),
    ("chmod", 0),
    ("chown", 0),
    ("cp", 5),
    ("curl", 50),
    ("date", 0),
    ("echo", 0),
    ("env", 0),
    ("expr", 0),
    ("grep", 5),
    ("gzip", 200),
    ("hostname", 0),
    ("id", 0),
    ("kubectl", 300),
    ("ls", 0),
    ("mkdir", 0),
    ("mv", 0),
    ("mysqldump", 3000),
    ("nslookup", 20),
    ("perl", 4000),
    ("pg_dump", 3000),
    ("printenv", 0),
    ("printf", 0),
    ("rm", 0),
    ("sed", 5),
    ("seq", 0),
    ("tar", 300),
    ("touch", 0),
    ("true", 0),
    ("uname", 0),
    ("wget", 50),
    ("whoami", 0),
];

pub(super) fn of(container: &Container, image: &Image) -> Process {
    let words: Vec<&str> =
        container.command.iter().chain(&container.args).flatten().map(String::as_str).collect();
    let forever = Process { ends: None, obeys_term: image.obeys_term.unwrap_or(true) };
    if !words.is_empty() {
        let obeys_term = image.obeys_term.unwrap_or_else(|| words.iter().any(|word| word.contains("trap")));
        return match command(&words) {
            Some(ends) => Process { ends: Some(ends), obeys_term },
            None => Process { obeys_term: image.obeys_term.unwrap_or(!is_shell(words[0])), ..forever },
        };
    }
    if let Some(after) = image.ends_after {
        return Process { ends: Some((SimDuration(after), image.exit_code)), ..forever };
    }
    let name = without_tag(container.image.as_deref().unwrap_or_default());
    let name = name.rsplit('/').next().unwrap_or_default();
    let at_once = SHELLS.contains(&name).then_some((SimDuration::ZERO, 0));
    Process { ends: at_once, ..forever }
}

fn is_shell(word: &str) -> bool {
    let word = word.rsplit('/').next().unwrap_or_default();
    matches!(word, "sh" | "bash" | "ash" | "sleep" | "tail" | "while")
}

/// When a command line ends; `None` if it does not.
fn command(words: &[&str]) -> Option<(SimDuration, i32)> {
    let script = words.join(" ");
    if ["while true", "while :", "tail -f", "sleep infinity", "sleep inf"].iter().any(|s| script.contains(s))
    {
        return None;
    }
    let mut took = SimDuration::ZERO;
    let mut last = None;
    for part in script.split([';', '\n', '&', '|']) {
        let mut words = part.split_whitespace().skip_while(|word| is_wrapper(word));
        match (words.next().map(|word| word.rsplit('/').next().unwrap_or_default()), words.next()) {
            (Some("sleep"), Some(time)) => {
                took = SimDuration(took.0 + seconds(time)?.0);
                last = Some(0);
            }
            (Some("exit"), code) => return Some((took, code.and_then(|c| c.parse().ok()).unwrap_or(0))),
            (Some("false"), _) => last = Some(1),
            // An interpreter with its program on the line; without one it would serve.
            (Some("python" | "python3" | "node" | "ruby"), Some("-c" | "-e")) => last = Some(0),
            (Some(program), _) => {
                if let Some((_, millis)) = ENDING.iter().find(|(known, _)| *known == program) {
                    took = took + SimDuration(*millis);
                    last = Some(0);
                }
            }
            (None, _) => {}
        }
    }
    last.map(|code| (took, code))
}

fn is_wrapper(word: &str) -> bool {
    matches!(word, "sh" | "bash" | "/bin/sh" | "/bin/bash" | "-c" | "-ec" | "-xc" | "exec")
}

fn seconds(text: &str) -> Option<SimDuration> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, text.chars().last()),
        None => (text, None),
    };
    let each = match unit {
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        _ => 1,
    };
    let number: f64 = number.trim_end_matches(['"', '\'']).parse().ok()?;
    Some(SimDuration((number * 1000.0) as u64 * each))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(image: &str, words: &[&str]) -> Option<(u64, i32)> {
        let container = Container {
            image: Some(image.to_owned()),
            command: (!words.is_empty()).then(|| words.iter().map(|w| (*w).to_owned()).collect()),
            ..Container::default()
        };
        of(&container, &Image::default()).ends.map(|(after, code)| (after.0, code))
    }

    #[test]
    fn a_command_says_when_it_ends() {
        assert_eq!(ends("busybox", &["sh", "-c", "sleep 5; exit 3"]), Some((5000, 3)));
        assert_eq!(ends("busybox", &["sleep", "3600"]), Some((3_600_000, 0)));
        assert_eq!(ends("busybox", &["sh", "-c", "while true; do sleep 1; done"]), None);
        assert_eq!(ends("busybox", &["sh", "-c", "echo hi; false"]), Some((0, 1)));
        assert_eq!(ends("perl:5.34", &["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"]), Some((4000, 0)));
        assert_eq!(ends("python:3", &["python", "-c", "print(1)"]), Some((0, 0)));
        assert_eq!(ends("python:3", &["python", "app.py"]), None);
    }

    #[test]
    fn a_shell_without_a_command_ends_at_once() {
        assert_eq!(ends("busybox:1.36", &[]), Some((0, 0)));
        assert_eq!(ends("nginx", &[]), None);
    }
}
