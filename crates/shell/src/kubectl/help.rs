//! What does `--help` print?
//!
//! Each command's text is kubectl's own, as v1.32 prints it where no terminal tells it a width; `help.txt` keeps them in kubectl's
//! order, each below `### ` and the command's name.

use api::asset::Asset;

use crate::{
    kubectl::command,
    output::{Output, Stream},
};

/// The help of every command of kubectl, in its own words. About 250 kB.
#[cfg(any(not(target_arch = "wasm32"), feature = "carry"))]
pub static HELP: Asset = Asset::carried("help", include_str!("help.txt"));
/// The help of every command of kubectl, in its own words. About 250 kB.
#[cfg(not(any(not(target_arch = "wasm32"), feature = "carry")))]
pub static HELP: Asset = Asset::brought("help");

/// The help of a command by its whole name, such as `create secret tls`; kubectl's own by the empty one.
#[must_use]
pub(super) fn of(command: &str) -> Option<&'static str> {
    let texts = HELP.text().strip_prefix("###")?.split("\n###");
    texts
        .filter_map(|text| text.split_once('\n'))
        .find(|(name, _)| name.trim() == command)
        .map(|(_, text)| text)
}

/// Prints the help of a command.
pub(super) fn print(command: &str, out: &mut Output) {
    write(Stream::Out, of(command).unwrap_or_default(), out);
}

fn write(stream: Stream, text: &str, out: &mut Output) {
    match stream {
        Stream::Out => out.line(text.trim_end_matches('\n')),
        Stream::Err => out.err(text.trim_end_matches('\n')),
    }
}

/// `kubectl help create secret`.
pub(super) fn topic(words: &[String], out: &mut Output) {
    let (command, rest) = command::find(words);
    if command.is_empty() && !rest.is_empty() {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let usage = of("").unwrap_or_default().splitn(5, '\n').last().unwrap_or_default();
        write(Stream::Err, &format!("Unknown help topic [{}]\n\n\n{usage}", words.join(" ")), out);
    } else {
        print(&command, out);
    }
}

/// What a command says that only has commands of its own, when none of them is named: prints it and gives the exit status.
pub(super) fn alone(command: &str, out: &mut Output) -> Option<i32> {
    let (stream, exit) = match command {
        "auth" | "config" | "create secret" | "create service" | "plugin" | "set" | "top" => (Stream::Err, 1),
        "rollout" => (Stream::Out, 1),
        "certificate" => (Stream::Out, 0),
        _ => return None,
    };
    write(stream, of(command)?, out);
    Some(exit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::below;

    #[test]
    fn every_command_has_its_help() {
        for first in below("") {
            for name in
                below(first).into_iter().map(|second| format!("{first} {second}")).chain([first.to_owned()])
            {
                let usage = of(&name).map(|text| text.contains("\nUsage:\n  kubectl "));
                assert!(usage == Some(true) || name == "options" || name == "alpha", "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_topic_is_said_before_the_usage() {
        let mut out = Output::default();
        topic(&["foo".to_owned()], &mut out);
        assert!(
            out.stderr().starts_with("Unknown help topic [`foo`]\n\n\nBasic Commands (Beginner):\n"),
            "{}",
            out.stderr()
        );
    }
}
