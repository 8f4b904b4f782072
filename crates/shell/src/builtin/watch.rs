//! `watch`: the same command again and again, while simulated time passes.
//!
//! MODEL: the real one overwrites one screen until it is interrupted. Here every picture that says something new is printed below
//! the last, ages aside, and somebody presses Ctrl+C after a minute without one. Source of the header: procps-ng 4.

use api::SimDuration;

use crate::{
    eval::Flow,
    output::{Output, Stdin},
    text::sleep,
    tool::Call,
};

/// How long nothing may change before the watch ends.
const QUIET: SimDuration = SimDuration::secs(60);
/// Shortest time between two runs.
const SHORTEST: SimDuration = SimDuration(100);
/// Columns of the screen.
const WIDTH: usize = 80;

/// `watch [-n SECONDS] [-t] [-g] [-e] COMMAND…`.
pub fn watch(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut args = std::mem::take(&mut call.args).into_iter().peekable();
    let mut interval = SimDuration::secs(2);
    let (mut title, mut until_change, mut until_error) = (true, false, false);
    while let Some(arg) = args.next_if(|arg| arg.starts_with('-')) {
        match arg.as_str() {
            "-t" | "--no-title" => title = false,
            "-g" | "--chgexit" => until_change = true,
            "-e" | "--errexit" => until_error = true,
            "-d" | "--differences" | "-c" | "--color" | "-b" | "--beep" | "-x" | "--exec" | "-p"
            | "--precise" | "-w" | "--no-wrap" => {}
            "--" => break,
            other => {
                let joined = other.strip_prefix("-n").or_else(|| other.strip_prefix("--interval="));
                let value = match joined {
                    Some("") => args.next(),
                    Some(value) => Some(value.to_owned()),
                    None if other == "--interval" => args.next(),
                    None => {
                        let letter = other.trim_start_matches('-').chars().next().unwrap_or('-');
                        call.out.err(&format!("watch: invalid option -- '{letter}'\n{USAGE}"));
                        return Ok(1);
                    }
                };
                let value = value.unwrap_or_default();
                match sleep::seconds(&value.replace(',', ".")).filter(|_| !value.is_empty()) {
                    Some(given) => interval = given.max(SHORTEST),
                    None => {
                        call.out.err(&format!("watch: failed to parse argument: '{value}'"));
                        return Ok(1);
                    }
                }
            }
        }
    }
    let command: Vec<String> = args.collect();
    if command.is_empty() {
        call.out.err(USAGE);
        return Ok(1);
    }
    let command = command.join(" ");
    let mut shown: Option<String> = None;
    let mut changed_at = call.shell.world.now();
    loop {
        let now = call.shell.world.now();
        let mut inner = Output::default();
        let status = call.shell.subshell(&mut inner, |shell, out| {
            shell.machine.options.errexit = false;
            shell.line(&command, &mut Stdin::of(""), out)
        })?;
        let picture: String = inner.chunks.iter().map(|(_, text)| text.as_str()).collect();
        let without_ages = ageless(&picture);
        if shown.as_ref() != Some(&without_ages) {
            if title {
                let gap = if shown.is_some() { "\n" } else { "" };
                call.out.out(&format!("{gap}{}\n\n", header(call, interval, &command)));
            }
            call.out.out(&picture);
            if until_change && shown.is_some() {
                return Ok(0);
            }
            changed_at = now;
            shown = Some(without_ages);
        }
        if until_error && status != 0 {
            call.out.err("watch: command exit with a non-zero status, press a key to exit");
            return Ok(status);
        }
        let next = now + interval;
        if call.shell.until.is_some_and(|until| next >= until) || call.shell.world.is_exhausted() {
            let until = call.shell.until.unwrap_or(next);
            call.shell.sleep_until(until, call.out);
            return Ok(0);
        }
        if next > changed_at + QUIET {
            return Ok(0);
        }
        call.shell.sleep_until(next, call.out);
    }
}

const USAGE: &str = "Usage:\n watch [options] command";

fn header(call: &Call<'_, '_>, interval: SimDuration, command: &str) -> String {
    let world = &call.shell.world;
    let now = world.stamp(world.now()).0.strftime("%a %b %e %H:%M:%S %Y").to_string();
    let left = format!("Every {:.1}s: {command}", interval.0 as f64 / 1000.0);
    let right = format!("podpath: {now}");
    let gap = WIDTH.saturating_sub(left.chars().count() + right.chars().count()).max(1);
    format!("{left}{}{right}", " ".repeat(gap))
}

/// The text without what only grows older, and without the widths of columns.
fn ageless(text: &str) -> String {
    let is_age = |word: &str| {
        let word = word.trim_matches(['(', ')']);
        word.len() > 1
            && word.starts_with(|c: char| c.is_ascii_digit())
            && word.ends_with(['s', 'm', 'h', 'd', 'y'])
            && word.chars().all(|c| c.is_ascii_digit() || "smhdy".contains(c))
    };
    let line =
        |line: &str| line.split_whitespace().filter(|word| !is_age(word)).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::{sh, stdout};

    #[test]
    fn a_watch_ends_a_minute_after_the_last_change() {
        let wanted = "Every 2.0s: echo a                             podpath: Mon Mar  2 09:00:00 2026\n\na\nMon Mar  2 09:01:00 UTC 2026\n";
        assert_eq!(stdout("watch echo a; date"), wanted);
        assert_eq!(stdout("timeout 7 watch -t -n 5 'date +%S'; date +%T"), "00\n05\n09:00:07\n");
        assert_eq!(stdout("watch -tgn1 false; watch -t -g -n 1 date +%s | wc -l"), "2\n");
    }

    #[test]
    fn ages_are_no_news() {
        assert_eq!(ageless("a   1/1   5 (2m40s ago)   10s\n"), ageless("a 1/1 5 (2m41s ago) 2d3h\n"));
        assert_ne!(ageless("a 0/1"), ageless("a 1/1"));
    }

    #[test]
    fn a_watch_wants_a_command() {
        assert_eq!(sh("watch").2, 1);
        assert_eq!(sh("watch -n x date").1, "watch: failed to parse argument: 'x'\n");
    }
}
