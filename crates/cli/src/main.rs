//! `podpath`: the lab without a page.
//!
//! THE REGISTRY of commands: a new one is a file and a line here.

mod bench;
mod conform;
mod lesson;
mod run;
mod say;

/// A command: its name, how it is used, and what runs it with the words that follow and gives the exit status.
type Command = (&'static str, &'static str, fn(&[String]) -> i32);

const COMMANDS: &[Command] = &[
    ("bench", "bench api|replay|scheduler|settle|trace", bench::command),
    ("conform", "conform SUITE FILE… [--show K]", conform::command),
    ("lesson", "lesson test [PATH…]", lesson::command),
    ("run", "run SCRIPT [--scenario S] [--seed N]", run::command),
];

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let found =
        args.split_first().and_then(|(name, rest)| Some((COMMANDS.iter().find(|it| it.0 == name)?, rest)));
    let status = match found {
        Some(((_, _, run), rest)) => run(rest),
        None => usage(args.first().map(String::as_str)),
    };
    std::process::exit(status);
}

fn usage(asked: Option<&str>) -> i32 {
    let help = matches!(asked, Some("help" | "--help" | "-h"));
    if let Some(unknown) = asked.filter(|_| !help) {
        say::complain(format_args!("podpath: no command {unknown:?}"));
    }
    for (_, usage, _) in COMMANDS {
        let line = format!("usage: podpath {usage}");
        if help { say::line(line) } else { say::complain(line) }
    }
    if help { 0 } else { 2 }
}
