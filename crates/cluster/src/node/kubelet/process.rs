//! How long does a container's process run, how does it end, and which files does it leave?
//!
//! Read off its command where that says so (`sleep`, `exit`, `touch`), else as its image's entry says, else for ever.
//! A shell without a command ends at once: nothing is on its standard input. One that uses more memory than its limit is
//! killed. Source of the reason: containerd `internal/cri/server/events.go` (`OOMKilled`).

use api::{SimDuration, k8s::core::v1::Container, kinds::sim::Image, quantity::Quantity};

use super::image::without_tag;
use crate::node::ipamd;

/// MODEL: a process has taken all its memory and written all its files so long after its start.
pub(crate) const FILLS: SimDuration = SimDuration::secs(1);
/// The code of a process that was killed: 128 and the signal's number.
pub(super) const KILLED: i32 = 137;

/// What a started process does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// When it ends by itself, and with which code.
    pub ends: Option<(SimDuration, i32)>,
    /// Whether the kernel ends it, for want of memory.
    pub out_of_memory: bool,
    /// The files that it makes (`true`) and removes, and how long after its start.
    pub files: Vec<(SimDuration, String, bool)>,
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
    ("find", 5),
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
    ("test", 0),
    ("touch", 0),
    ("true", 0),
    ("uname", 0),
    ("wget", 50),
    ("whoami", 0),
];

pub(super) fn of(container: &Container, image: &Image) -> Process {
    let process = unlimited(container, image);
    let limits = container.resources.as_ref().and_then(|it| it.limits.as_ref());
    let limit = limits.and_then(|it| Quantity::parse(&it.get("memory")?.0).ok()).map(|it| it.value());
    let uses = i64::try_from(memory(container, image)).unwrap_or(i64::MAX);
    let lives = process.ends.is_none_or(|(after, _)| after > FILLS);
    if lives && limit.is_some_and(|limit| limit > 0 && uses > limit) {
        return Process { ends: Some((FILLS, KILLED)), out_of_memory: true, ..process };
    }
    process
}

/// Bytes that a container's process wants: what `stress` is told to take, else what its image's entry says.
pub(crate) fn memory(container: &Container, image: &Image) -> u64 {
    let words: Vec<&str> =
        container.command.iter().chain(&container.args).flatten().map(String::as_str).collect();
    let after = |flag: &str| {
        let at = words.iter().position(|word| *word == flag)?;
        bytes(words.get(at + 1)?)
    };
    let workers = |flags: [&str; 2]| {
        let at = words.iter().position(|word| flags.contains(word))?;
        words.get(at + 1)?.parse::<u64>().ok()
    };
    let taken = after("--vm-bytes").map(|each| each.saturating_mul(workers(["--vm", "-m"]).unwrap_or(1)));
    taken.or_else(|| after("-mem-total")).unwrap_or(image.memory)
}

/// The files that a container's script fills, and their bytes: `dd … of=FILE bs=1M count=100`, `fallocate -l 1G FILE`.
pub(crate) fn writes(container: &Container) -> Vec<(String, u64)> {
    let words: Vec<&str> =
        container.command.iter().chain(&container.args).flatten().map(String::as_str).collect();
    let script = words.join(" ");
    let parts = script.split([';', '\n', '&', '|']);
    let written = parts.filter_map(|part| {
        let mut words = part.split_whitespace().skip_while(|word| is_wrapper(word));
        let program = words.next()?;
        let rest: Vec<&str> = words.collect();
        let named = |name: &str| rest.iter().find_map(|word| word.strip_prefix(name));
        match program {
            "dd" => {
                let size = named("bs=").and_then(bytes).unwrap_or(512);
                let count: u64 = named("count=")?.parse().ok()?;
                Some((named("of=")?.to_owned(), size.saturating_mul(count)))
            }
            "fallocate" | "truncate" => {
                let at = rest.iter().position(|word| matches!(*word, "-l" | "-s"))?;
                Some(((*rest.last()?).to_owned(), bytes(rest.get(at + 1)?)?))
            }
            _ => None,
        }
    });
    written.filter(|(path, _)| !path.starts_with("/dev/")).collect()
}

/// `250M`, `100Mi`, `1G` as stress counts them: in steps of 1024.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text[digits.len()..].chars().next().map(|unit| unit.to_ascii_uppercase()) {
        Some('K') => 1 << 10,
        Some('M') => 1 << 20,
        Some('G') => 1 << 30,
        _ => 1,
    };
    digits.parse::<u64>().ok().map(|number| number.saturating_mul(unit))
}

fn unlimited(container: &Container, image: &Image) -> Process {
    let words: Vec<&str> =
        container.command.iter().chain(&container.args).flatten().map(String::as_str).collect();
    let forever = Process {
        ends: None,
        out_of_memory: false,
        files: files(&words.join(" ")),
        obeys_term: image.obeys_term.unwrap_or(true),
    };
    if named(container) == ipamd::IMAGE && ipamd::refusal(container).is_some() {
        return Process { ends: Some((SimDuration::ZERO, 1)), ..forever };
    }
    let waits = container.stdin == Some(true) && container.stdin_once != Some(true);
    let bare_shell = match words.as_slice() {
        [] => SHELLS.contains(&named(container)),
        [word] => is_shell(word) && !word.ends_with("sleep") && !word.ends_with("tail"),
        _ => false,
    };
    if waits && bare_shell {
        // Its input stays open; nobody types into it here.
        return Process { obeys_term: false, ..forever };
    }
    if !words.is_empty() {
        let obeys_term = image.obeys_term.unwrap_or_else(|| words.iter().any(|word| word.contains("trap")));
        return match command(&words) {
            Some(ends) => Process { ends: Some(ends), obeys_term, ..forever },
            None => Process { obeys_term: image.obeys_term.unwrap_or(!is_shell(words[0])), ..forever },
        };
    }
    if let Some(after) = image.ends_after {
        return Process { ends: Some((SimDuration(after), image.exit_code)), ..forever };
    }
    let at_once = SHELLS.contains(&named(container)).then_some((SimDuration::ZERO, 0));
    Process { ends: at_once, ..forever }
}

/// An image without its registry and tag.
fn named(container: &Container) -> &str {
    let name = without_tag(container.image.as_deref().unwrap_or_default());
    name.rsplit('/').next().unwrap_or_default()
}

/// The files that a script makes and removes, and when: what its `sleep`s say has passed.
fn files(script: &str) -> Vec<(SimDuration, String, bool)> {
    let (mut took, mut all) = (SimDuration::ZERO, Vec::new());
    for part in script.split([';', '\n', '&', '|']) {
        let mut words = part.split_whitespace().skip_while(|word| is_wrapper(word) || *word == "do");
        let program = words.next().map(|word| word.rsplit('/').next().unwrap_or_default());
        let rest: Vec<&str> = words.collect();
        let paths = rest.iter().filter(|word| word.starts_with('/')).map(|word| (*word).to_owned());
        match program {
            Some("sleep") => took = took + rest.first().and_then(|time| seconds(time)).unwrap_or_default(),
            Some("touch") => all.extend(paths.map(|path| (took, path, true))),
            Some("rm") => all.extend(paths.map(|path| (took, path, false))),
            _ => {
                let into = rest.windows(2).find(|pair| matches!(pair[0], ">" | ">>")).map(|pair| pair[1]);
                all.extend(into.map(|path| (took, path.to_owned(), true)));
            }
        }
    }
    all
}

/// What a few images of Docker Hub's library have beside a shell's own words; where the list is not known, nothing is said.
const PROGRAMS: &str = include_str!("programs.txt");

/// Images without an entry point.
const BARE: [&str; 4] = ["alpine", "busybox", "debian", "ubuntu"];

/// The program of a container that is not in its image.
pub(super) fn not_found(container: &Container) -> Option<String> {
    let image = without_tag(container.image.as_deref().unwrap_or_default());
    let command = container.command.as_deref().unwrap_or_default();
    // Those with an entry point of their own hand their arguments to it.
    let bare = BARE.contains(&image);
    let args = container.args.as_deref().filter(|_| bare && command.is_empty()).unwrap_or_default();
    let starts = command.iter().chain(args).next()?;
    let known = bare || ["nginx", "httpd", "redis"].contains(&image);
    let is_name = starts.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.'));
    let there = PROGRAMS.split_whitespace().any(|program| program == starts);
    // No image has a program whose name is a whole line.
    let is_line = starts.contains(' ') && !starts.contains('/');
    (is_line || (known && is_name && !there)).then(|| starts.clone())
}

/// The words that a container's process is started with, where its manifest says them: its command, or the arguments of an image
/// that has no entry point.
#[must_use]
pub fn words(container: &Container) -> Option<Vec<String>> {
    let command = container.command.as_deref().unwrap_or_default();
    let image = without_tag(container.image.as_deref().unwrap_or_default());
    if command.is_empty() && !BARE.contains(&image) {
        return None;
    }
    let words: Vec<String> = command.iter().chain(container.args.iter().flatten()).cloned().collect();
    Some(words).filter(|words| !words.is_empty())
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
    for (join, part) in parts(&script) {
        // What is not known to fail goes well.
        let failed = last.is_some_and(|code| code != 0);
        if (join == Join::And && failed) || (join == Join::Or && !failed) {
            continue;
        }
        let mut words = part.split_whitespace().skip_while(|word| is_wrapper(word));
        match (words.next().map(|word| word.rsplit('/').next().unwrap_or_default()), words.next()) {
            (Some("sleep"), Some(time)) => {
                took = SimDuration(took.0 + seconds(time)?.0);
                last = Some(0);
            }
            (Some("exit"), code) => return Some((took, code.and_then(|c| c.parse().ok()).unwrap_or(0))),
            (Some("false"), _) => last = Some(1),
            // The agent of EKS Pod Identity prepares its node, before it serves.
            (Some("eks-pod-identity-agent"), Some("initialize")) => {
                took = took + SimDuration(500);
                last = Some(0);
            }
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

/// How a command stands to the one before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    /// It runs whatever came of that.
    Always,
    /// `&&`
    And,
    /// `||`
    Or,
}

/// The commands of a script.
fn parts(script: &str) -> Vec<(Join, &str)> {
    let (mut parts, mut join, mut rest) = (Vec::new(), Join::Always, script);
    while let Some(at) = rest.find([';', '\n', '&', '|']) {
        parts.push((join, &rest[..at]));
        let (next, length) = match &rest[at..] {
            it if it.starts_with("&&") => (Join::And, 2),
            it if it.starts_with("||") => (Join::Or, 2),
            _ => (Join::Always, 1),
        };
        (join, rest) = (next, &rest[at + length..]);
    }
    parts.push((join, rest));
    parts
}

/// How long a script's `sleep`s take together.
pub(super) fn duration(script: &str) -> SimDuration {
    let mut words = script.split([' ', ';', '&', '|', '\n']).map(|word| word.trim_matches(['"', '\'']));
    let mut took = SimDuration::ZERO;
    while let Some(word) = words.next() {
        if word.rsplit('/').next() == Some("sleep") {
            took = took + words.next().and_then(seconds).unwrap_or_default();
        }
    }
    took
}

pub(super) fn is_wrapper(word: &str) -> bool {
    matches!(word, "sh" | "bash" | "/bin/sh" | "/bin/bash" | "-c" | "-ec" | "-xc" | "exec" | "/go-runner")
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
        assert_eq!(ends("busybox", &["sh", "-c", "sleep 5 && exit 3"]), Some((5000, 3)));
        assert_eq!(ends("busybox", &["sh", "-c", "sleep 5 || exit 3"]), Some((5000, 0)));
        assert_eq!(ends("busybox", &["sh", "-c", "false || exit 3"]), Some((0, 3)));
        assert_eq!(ends("busybox", &["sleep", "3600"]), Some((3_600_000, 0)));
        assert_eq!(ends("busybox", &["sh", "-c", "while true; do sleep 1; done"]), None);
        assert_eq!(ends("busybox", &["sh", "-c", "echo hi; false"]), Some((0, 1)));
        assert_eq!(ends("perl:5.34", &["perl", "-Mbignum=bpi", "-wle", "print bpi(2000)"]), Some((4000, 0)));
        assert_eq!(ends("python:3", &["python", "-c", "print(1)"]), Some((0, 0)));
        assert_eq!(ends("python:3", &["python", "app.py"]), None);
    }

    /// The manifest of the Kubernetes documents: "Configure Liveness, Readiness and Startup Probes".
    #[test]
    fn a_script_says_which_files_are_there_and_when() {
        let script = "/bin/sh -c touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600";
        let at = |seconds, is_there| (SimDuration::secs(seconds), "/tmp/healthy".to_owned(), is_there);
        assert_eq!(files(script), [at(0, true), at(30, false)]);
    }

    /// The manifest of the Kubernetes documents: "Assign Memory Resources to Containers and Pods".
    #[test]
    fn a_process_that_takes_more_than_its_limit_is_killed() {
        let container: Container =
            serde_json::from_value(serde_json::json!({"name": "c", "image": "polinux/stress",
            "resources": {"limits": {"memory": "100Mi"}}, "command": ["stress"],
            "args": ["--vm", "1", "--vm-bytes", "250M", "--vm-hang", "1"]}))
            .expect("a container");
        let process = of(&container, &Image::default());
        assert!(process.out_of_memory && process.ends == Some((SimDuration::secs(1), 137)));
    }

    #[test]
    fn a_shell_without_a_command_ends_at_once() {
        assert_eq!(ends("busybox:1.36", &[]), Some((0, 0)));
        assert_eq!(ends("nginx", &[]), None);
    }
}
