//! `podpath run SCRIPT [--scenario S] [--seed N]`: a script in the lab, as bash would run it.
//!
//! Prints what the commands print, in order, and ends with the last command's status. No prompt, no echo, no
//! explanation: those are the page's. S is a fixture's name or a folder; without it there is a machine with the tools
//! and no cluster.

use std::{
    fs,
    io::{stderr, stdout},
    path::Path,
    rc::Rc,
};

use lab::{Scenario, Session, library, script};
use shell::Stream;

use crate::{lesson::read_folder, say};

/// The command itself; gives the exit status.
pub(crate) fn command(args: &[String]) -> i32 {
    match run(args) {
        Ok(status) => status,
        Err(message) => {
            say::complain(format_args!("podpath: {message}"));
            2
        }
    }
}

fn run(args: &[String]) -> Result<i32, String> {
    let (mut file, mut scenario, mut seed) = (None, String::new(), 1);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (flag, inline) = match arg.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        let mut value =
            || inline.clone().or_else(|| args.next().cloned()).ok_or_else(|| format!("{flag} needs a value"));
        match flag {
            "--scenario" => scenario = value()?,
            "--seed" => seed = value()?.parse().map_err(|_| "--seed needs a whole number".to_owned())?,
            flag if flag.starts_with("--") => return Err(format!("run has no flag {flag}")),
            path if file.is_none() => file = Some(path.to_owned()),
            path => return Err(format!("one script at a time; what is {path:?}?")),
        }
    }
    let file = file.ok_or("usage: podpath run SCRIPT [--scenario S] [--seed N]")?;
    let text = match file.as_str() {
        "-" => std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())?,
        path => fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?,
    };
    let scenario = find(&scenario)?;
    let mut session = Session::new(scenario, seed).map_err(|wrong| {
        wrong.iter().map(|it| format!("{}: {}", it.field, it.message)).collect::<Vec<_>>().join("\n")
    })?;
    let mut status = 0;
    for (i, line) in script::lines(&text).iter().enumerate() {
        if i > 0 {
            session.pause();
        }
        let result = session.run_line(line);
        status = result.exit;
        print(&result.output);
        if session.machine().exited {
            break;
        }
    }
    Ok(status)
}

/// A fixture by its name, or a folder with a scenario's files.
fn find(name: &str) -> Result<Rc<Scenario>, String> {
    if let Some(scenario) = library::scenario(name) {
        return Ok(scenario);
    }
    if !Path::new(name).is_dir() {
        let known: Vec<&str> = library::packed().fixtures.iter().map(|folder| folder.name.as_str()).collect();
        return Err(format!("no scenario {name:?}: neither a folder nor one of {}", known.join(", ")));
    }
    let folder = read_folder(Path::new(name))?;
    Ok(Rc::new(Scenario { name: folder.name, lesson: None, files: folder.files }))
}

fn print(output: &shell::Output) {
    for (stream, text) in &output.chunks {
        match stream {
            Stream::Out => say::write(stdout().lock(), text),
            Stream::Err => say::write(stderr().lock(), text),
        }
    }
}
