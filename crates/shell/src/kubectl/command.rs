//! Which of kubectl's commands does a line name, and which flags does that command take?
//!
//! The commands, their flags and what each flag takes are facts about kubectl 1.32, kept in `flags.txt`: a command, a colon, and its
//! flags with their letters; `?` stands alone, `#` takes a whole number, `~` a length of time, `:word` may stand alone and then means
//! the word, and everything else takes a text. [`find`] looks for the command as cobra does.
//! Source: `kubectl COMMAND --help` of v1.32; spf13/cobra `command.go` (`Find`, `stripFlags`).

use std::{collections::BTreeMap, sync::LazyLock};

use crate::flag::{Flag, Takes};

static COMMANDS: LazyLock<BTreeMap<&'static str, Vec<Flag>>> =
    LazyLock::new(|| read(include_str!("flags.txt")));

/// Other names of commands, by their own.
const ALIASES: &[(&str, &[&str])] = &[
    ("config use-context", &["use"]),
    ("create configmap", &["cm"]),
    ("create cronjob", &["cj"]),
    ("create deployment", &["deploy"]),
    ("create ingress", &["ing"]),
    ("create namespace", &["ns"]),
    ("create poddisruptionbudget", &["pdb"]),
    ("create priorityclass", &["pc"]),
    ("create quota", &["resourcequota"]),
    ("create service", &["svc"]),
    ("create serviceaccount", &["sa"]),
    ("set serviceaccount", &["sa"]),
    ("top node", &["nodes", "no"]),
    ("top pod", &["pods", "po"]),
];

fn read(text: &'static str) -> BTreeMap<&'static str, Vec<Flag>> {
    let mut commands: BTreeMap<&'static str, Vec<Flag>> = BTreeMap::new();
    let mut command = "";
    for line in text.lines() {
        let words = match line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, ""))) {
            Some((name, words)) if !line.starts_with(' ') => {
                command = if name == "kubectl" { "" } else { name };
                words
            }
            Some(_) | None => line,
        };
        commands.entry(command).or_default().extend(words.split_whitespace().map(flag));
    }
    commands
}

fn flag(word: &'static str) -> Flag {
    let (name, takes) = match word.split_once(':') {
        Some((name, alone)) => (name, Takes::Optional(alone)),
        None => match word.split_at(word.len().saturating_sub(1)) {
            (name, "?") => (name, Takes::Switch),
            (name, "#") => (name, Takes::Int),
            (name, "~") => (name, Takes::Duration),
            _ => (word, Takes::Value),
        },
    };
    let (long, short) = name.split_once(',').unwrap_or((name, ""));
    Flag { long, short: short.chars().next().unwrap_or('\0'), takes }
}

/// The flags of a command by its whole name, such as `create secret tls`; those of every command by the empty one.
#[must_use]
pub fn flags(command: &str) -> &'static [Flag] {
    COMMANDS.get(command).map_or(&[], Vec::as_slice)
}

/// The words that may follow a command, where it has commands of its own.
#[must_use]
pub fn below(command: &str) -> Vec<&'static str> {
    let prefix = if command.is_empty() { String::new() } else { format!("{command} ") };
    let names = COMMANDS.keys().filter_map(|name| name.strip_prefix(prefix.as_str()));
    names.filter(|name| !name.is_empty() && !name.contains(' ')).collect()
}

/// The command that `word` means after `command`.
fn next(command: &str, word: &str) -> Option<String> {
    let whole = |word: &str| if command.is_empty() { word.to_owned() } else { format!("{command} {word}") };
    let named = below(command).into_iter().find(|name| {
        let aliases =
            ALIASES.iter().find(|(of, _)| *of == whole(name)).map_or(&[][..], |(_, aliases)| *aliases);
        *name == word || aliases.contains(&word)
    });
    named.map(whole)
}

/// The whole name of the command that the arguments name, and the arguments without that name.
#[must_use]
pub fn find(args: &[String]) -> (String, Vec<String>) {
    let (mut command, mut rest) = (String::new(), args.to_vec());
    while let Some((at, deeper)) =
        first(&command, &rest).and_then(|at| Some((at, next(&command, &rest[at])?)))
    {
        rest.remove(at);
        command = deeper;
    }
    (command, rest)
}

/// Where the first word stands that is neither a flag nor, as far as a command's flags are known, a flag's value.
pub(super) fn first(command: &str, args: &[String]) -> Option<usize> {
    let known = || flags(command).iter().chain(flags(""));
    // UPSTREAM: a flag that this command does not know is taken to have a value.
    let alone =
        |flag: Option<&Flag>| flag.is_some_and(|it| matches!(it.takes, Takes::Switch | Takes::Optional(_)));
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        let takes_next = match arg.strip_prefix("--") {
            Some("") => return None,
            Some(name) => !arg.contains('=') && !alone(known().find(|it| it.long == name)),
            None if arg.len() < 2 || !arg.starts_with('-') => return Some(at),
            None => {
                let letter = arg.chars().nth(1);
                arg.len() == 2 && !alone(known().find(|it| Some(it.short) == letter))
            }
        };
        at += if takes_next { 2 } else { 1 };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> (String, String) {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let (command, rest) = find(&args);
        (command, rest.join(" "))
    }

    #[test]
    fn commands_are_found_behind_flags_and_by_their_other_names() {
        for (line, command, rest) in [
            ("get pods", "get", "pods"),
            ("-n shop get pods", "get", "-n shop pods"),
            ("rollout -n status status deploy/web", "rollout status", "-n status deploy/web"),
            ("create svc clusterip web --tcp=80", "create service clusterip", "web --tcp=80"),
            ("create --dry-run=client -o yaml ns a", "create namespace", "--dry-run=client -o yaml a"),
            ("top po", "top pod", ""),
            ("gett pods", "", "gett pods"),
        ] {
            assert_eq!(found(line), (command.to_owned(), rest.to_owned()), "{line}");
        }
    }

    #[test]
    fn each_command_has_its_own_flags() {
        let takes = |command, long| flags(command).iter().find(|it| it.long == long).map(|it| it.takes);
        assert_eq!(takes("get", "watch"), Some(Takes::Switch));
        assert_eq!(takes("create deployment", "replicas"), Some(Takes::Int));
        assert_eq!(takes("create configmap", "replicas"), None);
        assert_eq!(takes("delete", "cascade"), Some(Takes::Optional("background")));
        assert_eq!(takes("wait", "timeout"), Some(Takes::Duration));
        assert!(flags("").iter().any(|it| it.long == "namespace" && it.short == 'n'));
        assert_eq!(below("create service"), ["clusterip", "externalname", "loadbalancer", "nodeport"]);
    }
}
