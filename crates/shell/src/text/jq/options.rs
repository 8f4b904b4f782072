//! What does jq's command line say?
//!
//! Words may stand anywhere between the options: the first is the filter, the rest are files. Wrong ones end with status 2.

use jaq_json::Val;

use super::{
    read::{self, ParseError},
    write::Style,
};
use crate::tool::Call;

/// What the command line says.
#[derive(Default)]
pub(super) struct Options {
    /// Layout of the output.
    pub style: Style,
    /// `-r`: strings as they are.
    pub raw: bool,
    /// `-j`: nothing between two outputs.
    pub join: bool,
    /// `-e`: the last output decides the exit status.
    pub exit_status: bool,
    /// `-n`: nothing is read.
    pub null_input: bool,
    /// `-s`: all inputs as one list.
    pub slurp: bool,
    /// `-R`: lines instead of JSON.
    pub raw_input: bool,
    /// `-f`: the filter stands in a file.
    pub from_file: bool,
    /// `--arg` and its kind.
    pub names: Vec<(String, Val)>,
    /// `--args`, `--jsonargs`.
    pub positional: Vec<Val>,
    /// The filter, or its file.
    pub program: Option<String>,
    /// What is read instead of standard input.
    pub files: Vec<String>,
}

/// Reads the options; what is wrong is said.
pub(super) fn options(call: &mut Call<'_, '_>) -> Result<Options, i32> {
    let mut options = Options::default();
    let mut args = std::mem::take(&mut call.args).into_iter();
    let mut rest: Option<bool> = None;
    let mut only_words = false;
    let help = "Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq";
    while let Some(arg) = args.next() {
        if only_words || !arg.starts_with('-') || arg == "-" {
            if options.program.is_none() {
                options.program = Some(arg);
            } else {
                match rest {
                    None => options.files.push(arg),
                    Some(false) => options.positional.push(Val::from(arg)),
                    Some(true) => options.positional.push(json(call, &arg, "--jsonargs", help)?),
                }
            }
            continue;
        }
        if arg == "--" {
            only_words = true;
            continue;
        }
        let Some(long) = arg.strip_prefix("--") else {
            for letter in arg.chars().skip(1) {
                match letter {
                    'r' => options.raw = true,
                    'j' => (options.raw, options.join) = (true, true),
                    'c' => options.style.indent = None,
                    'e' => options.exit_status = true,
                    'n' => options.null_input = true,
                    's' => options.slurp = true,
                    'R' => options.raw_input = true,
                    'S' => options.style.sorted = true,
                    'a' => options.style.ascii = true,
                    'f' => options.from_file = true,
                    'C' | 'M' => {}
                    'h' => return Err(usage(call)),
                    'V' => return Err(version(call)),
                    _ => {
                        call.out.err(&format!("jq: Unknown option {arg}\n{help}"));
                        return Err(2);
                    }
                }
            }
            continue;
        };
        match long {
            "raw-output" => options.raw = true,
            "join-output" => (options.raw, options.join) = (true, true),
            "compact-output" => options.style.indent = None,
            "exit-status" => options.exit_status = true,
            "null-input" => options.null_input = true,
            "slurp" => options.slurp = true,
            "raw-input" => options.raw_input = true,
            "sort-keys" => options.style.sorted = true,
            "ascii-output" => options.style.ascii = true,
            "from-file" => options.from_file = true,
            "tab" => options.style.indent = Some("\t".to_owned()),
            "color-output" | "monochrome-output" | "unbuffered" => {}
            "args" => rest = Some(false),
            "jsonargs" => rest = Some(true),
            "help" => return Err(usage(call)),
            "version" => return Err(version(call)),
            "indent" => match args.next().and_then(|n| n.parse::<usize>().ok()) {
                Some(0) => options.style.indent = None,
                Some(n) if n <= 7 => options.style.indent = Some(" ".repeat(n)),
                Some(_) => {
                    call.out.err("jq: Cannot indent more than 7 characters");
                    return Err(2);
                }
                None => {
                    call.out.err("jq: --indent takes one parameter");
                    return Err(2);
                }
            },
            "arg" | "argjson" | "slurpfile" | "rawfile" => {
                let (Some(name), Some(value)) = (args.next(), args.next()) else {
                    let what = match long {
                        "arg" => "(e.g. --arg varname value)",
                        "argjson" => "(e.g. --argjson varname text)",
                        _ => "(e.g. --slurpfile varname filename)",
                    };
                    call.out.err(&format!("jq: {arg} takes two parameters {what}\n{help}"));
                    return Err(2);
                };
                let value = match long {
                    "arg" => Val::from(value),
                    "argjson" => json(call, &value, "--argjson", help)?,
                    _ => {
                        let file = call.shell.machine.files.read(&call.shell.machine.path(&value));
                        let values = match file {
                            Ok(text) if long == "rawfile" => Ok(Val::from(text.to_string())),
                            Ok(text) => read::values(&value, &text)
                                .into_iter()
                                .map(|read| read.value)
                                .collect::<Result<Val, _>>()
                                .map_err(|ParseError(words)| words),
                            Err(error) => Err(format!("Could not open {value}: {error}")),
                        };
                        values.map_err(|words| {
                            call.out.err(&format!("jq: Bad JSON in --{long} {name} {value}: {words}"));
                            2
                        })?
                    }
                };
                if !options.names.iter().any(|(known, _)| *known == name) {
                    options.names.push((name, value));
                }
            }
            _ => {
                call.out.err(&format!("jq: Unknown option {arg}\n{help}"));
                return Err(2);
            }
        }
    }
    if options.program.is_none() {
        if call.stdin.terminal {
            return Err(usage(call));
        }
        options.program = Some(".".to_owned());
    }
    Ok(options)
}

fn json(call: &mut Call<'_, '_>, text: &str, option: &str, help: &str) -> Result<Val, i32> {
    let mut values = read::values("", text);
    match (values.pop().map(|read| read.value), values.is_empty()) {
        (Some(Ok(value)), true) => Ok(value),
        _ => {
            call.out.err(&format!("jq: Invalid JSON text passed to {option}\n{help}"));
            Err(2)
        }
    }
}

fn version(call: &mut Call<'_, '_>) -> i32 {
    call.out.line("jq-1.6");
    0
}

fn usage(call: &mut Call<'_, '_>) -> i32 {
    call.out.err("Usage:\tjq [OPTIONS] FILTER [FILES...]\n\tjq [OPTIONS] --args FILTER [ARGUMENTS...]\n\tjq [OPTIONS] --jsonargs FILTER [JSON_VALUES...]");
    2
}
