//! Which flags were given, as Go's pflag reads them?
//!
//! Flags and arguments may be mixed; `--` ends the flags; short ones may be joined; a value may be attached or follow.
//! Source of the messages: spf13/pflag v1.0.

/// Whether a flag takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// `--watch`, `--watch=false`.
    Switch,
    /// `--output yaml`.
    Value,
    /// A whole number, 32 bits.
    Int,
    /// A length of time as Go writes it: `10s`, `1h30m`.
    Duration,
    /// Alone it means this; another value must be attached: `--dry-run=server`.
    Optional(&'static str),
}

/// One flag of a command.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Without dashes.
    pub long: &'static str,
    /// One letter, or `\0`.
    pub short: char,
    /// Whether it takes a value.
    pub takes: Takes,
}

/// A flag that stands alone.
#[must_use]
pub const fn switch(long: &'static str, short: char) -> Flag {
    Flag { long, short, takes: Takes::Switch }
}

/// A flag with a value.
#[must_use]
pub const fn value(long: &'static str, short: char) -> Flag {
    Flag { long, short, takes: Takes::Value }
}

/// A flag with a whole number.
#[must_use]
pub const fn int(long: &'static str) -> Flag {
    Flag { long, short: '\0', takes: Takes::Int }
}

/// A flag with a whole number and a letter.
#[must_use]
pub const fn short_int(long: &'static str, short: char) -> Flag {
    Flag { long, short, takes: Takes::Int }
}

/// A flag with a length of time.
#[must_use]
pub const fn duration(long: &'static str) -> Flag {
    Flag { long, short: '\0', takes: Takes::Duration }
}

/// A flag whose value may be left out.
#[must_use]
pub const fn optional(long: &'static str, alone: &'static str) -> Flag {
    Flag { long, short: '\0', takes: Takes::Optional(alone) }
}

/// Why the flags cannot be read; the text is pflag's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// No such flag.
    #[error("unknown flag: --{0}")]
    Unknown(String),
    /// No such letter.
    #[error("unknown shorthand flag: {0:?} in {1}")]
    UnknownShort(char, String),
    /// The line ended before its value.
    #[error("flag needs an argument: {0}")]
    NeedsValue(String),
    /// The value does not fit; flag, value and why.
    #[error("invalid argument {1:?} for {0:?} flag: {2}")]
    Invalid(String, String, String),
    /// `--=x`, `---x`.
    #[error("bad flag syntax: {0}")]
    Syntax(String),
    /// `-h`, `--help`.
    #[error("help")]
    Help,
}

/// What was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    flags: Vec<(&'static str, String)>,
    /// What is not a flag, in order.
    pub args: Vec<String>,
    /// How many of `args` stand before `--`.
    pub dash: Option<usize>,
}

impl Given {
    /// The first argument, empty if there is none, and those after it.
    pub fn word(&self) -> (String, Vec<String>) {
        let mut args = self.args.iter().cloned();
        (args.next().unwrap_or_default(), args.collect())
    }

    /// Reads `args` by the first list that knows a flag.
    /// # Errors
    /// pflag's words.
    pub fn parse(args: &[String], lists: &[&[Flag]]) -> Result<Self, FlagError> {
        let mut given = Self::default();
        let mut args = args.iter();
        let all = || lists.iter().flat_map(|l| l.iter());
        while let Some(arg) = args.next() {
            if arg == "--" {
                given.dash = Some(given.args.len());
                given.args.extend(args.cloned());
                break;
            }
            if let Some(body) = arg.strip_prefix("--") {
                if body.starts_with(['-', '=']) {
                    return Err(FlagError::Syntax(arg.clone()));
                }
                let (name, attached) = body.split_once('=').map_or((body, None), |(n, v)| (n, Some(v)));
                let Some(flag) = all().find(|f| f.long == name) else {
                    return Err(if name == "help" {
                        FlagError::Help
                    } else {
                        FlagError::Unknown(name.to_owned())
                    });
                };
                let shown = format!("--{name}");
                let value = match (attached, flag.takes) {
                    (Some(value), _) => value.to_owned(),
                    (None, Takes::Switch) => "true".to_owned(),
                    (None, Takes::Optional(alone)) => alone.to_owned(),
                    (None, Takes::Value | Takes::Int | Takes::Duration) => {
                        args.next().cloned().ok_or_else(|| FlagError::NeedsValue(shown.clone()))?
                    }
                };
                given.keep(flag, &value)?;
            } else if arg.len() > 1 && arg.starts_with('-') {
                let mut letters = arg[1..].chars();
                while let Some(letter) = letters.next() {
                    let Some(flag) = all().find(|f| f.short == letter) else {
                        return Err(if letter == 'h' {
                            FlagError::Help
                        } else {
                            FlagError::UnknownShort(letter, format!("-{letter}{}", letters.as_str()))
                        });
                    };
                    let rest = letters.as_str();
                    if let Some(attached) = rest.strip_prefix('=').filter(|it| !it.is_empty()) {
                        given.keep(flag, attached)?;
                        break;
                    }
                    match flag.takes {
                        Takes::Switch => given.keep(flag, "true")?,
                        Takes::Optional(alone) => given.keep(flag, alone)?,
                        Takes::Value | Takes::Int | Takes::Duration if !rest.is_empty() => {
                            given.keep(flag, rest)?;
                            break;
                        }
                        Takes::Value | Takes::Int | Takes::Duration => match args.next() {
                            Some(value) => given.keep(flag, value)?,
                            None => {
                                return Err(FlagError::NeedsValue(format!("{letter:?} in {arg}")));
                            }
                        },
                    }
                }
            } else {
                given.args.push(arg.clone());
            }
        }
        Ok(given)
    }

    /// Adds a value, as if it had been given.
    pub fn add(&mut self, long: &'static str, value: String) {
        self.flags.push((long, value));
    }

    fn keep(&mut self, flag: &Flag, value: &str) -> Result<(), FlagError> {
        let shown = || match flag.short {
            '\0' => format!("--{}", flag.long),
            short => format!("-{short}, --{}", flag.long),
        };
        let why = match flag.takes {
            Takes::Switch
                if !matches!(
                    value,
                    "1" | "t"
                        | "T"
                        | "true"
                        | "TRUE"
                        | "True"
                        | "0"
                        | "f"
                        | "F"
                        | "false"
                        | "FALSE"
                        | "False"
                ) =>
            {
                Some(format!("strconv.ParseBool: parsing {value:?}: invalid syntax"))
            }
            Takes::Int => value.parse::<i32>().err().map(|_| {
                let range = value.trim_start_matches(['-', '+']).chars().all(|c| c.is_ascii_digit())
                    && !value.is_empty();
                format!(
                    "strconv.ParseInt: parsing {value:?}: {}",
                    if range { "value out of range" } else { "invalid syntax" }
                )
            }),
            Takes::Duration => wrong_duration(value),
            Takes::Switch | Takes::Value | Takes::Optional(_) => None,
        };
        if let Some(why) = why {
            return Err(FlagError::Invalid(shown(), value.to_owned(), why));
        }
        self.flags.push((flag.long, value.to_owned()));
        Ok(())
    }

    /// The last value of a flag.
    #[must_use]
    pub fn value(&self, long: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(l, _)| *l == long).map(|(_, v)| v.as_str())
    }

    /// All values of a flag, in order.
    #[must_use]
    pub fn values(&self, long: &str) -> Vec<&str> {
        self.flags.iter().filter(|(l, _)| *l == long).map(|(_, v)| v.as_str()).collect()
    }

    /// All values of a flag, each cut at its commas.
    #[must_use]
    pub fn list(&self, long: &str) -> Vec<&str> {
        self.values(long).into_iter().flat_map(|v| v.split(',')).collect()
    }

    /// Whether a switch is on.
    #[must_use]
    pub fn on(&self, long: &str) -> bool {
        self.value(long).is_some_and(|v| matches!(v, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    }

    /// Whether a switch is on, when it is on unless said otherwise.
    #[must_use]
    pub fn not_off(&self, long: &str) -> bool {
        self.value(long).is_none() || self.on(long)
    }

    /// Whether a flag was given at all.
    #[must_use]
    pub fn has(&self, long: &str) -> bool {
        self.value(long).is_some()
    }

    /// The flags that were given as cobra shows them, by name: `--output=yaml`. Those that may be repeated stand in brackets.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        const REPEATED: [&str; 4] = ["env", "filename", "from-file", "from-literal"];
        let mut names: Vec<&str> = self.flags.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        let one = |name: &str| match self.values(name) {
            values if REPEATED.contains(&name) => format!("--{name}=[{}]", values.join(",")),
            values => format!("--{name}={}", values.last().copied().unwrap_or_default()),
        };
        names.into_iter().map(one).collect()
    }

    /// A whole number.
    #[must_use]
    pub fn int(&self, long: &str) -> Option<i64> {
        self.value(long).and_then(|v| v.parse().ok())
    }
}

/// What Go says of a text that is no length of time.
pub(crate) fn wrong_duration(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return None;
    }
    let invalid = || Some(format!("time: invalid duration {text:?}"));
    if rest.is_empty() {
        return invalid();
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        if digits == 0 || rest[..digits].chars().all(|c| c == '.') {
            return invalid();
        }
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        match &rest[..unit] {
            "" => return Some(format!("time: missing unit in duration {text:?}")),
            "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h" => {}
            other => return Some(format!("time: unknown unit {other:?} in duration {text:?}")),
        }
        rest = &rest[unit..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[Flag] =
        &[switch("watch", 'w'), value("output", 'o'), int("replicas"), optional("dry-run", "unchanged")];

    fn parse(line: &str) -> Result<Given, FlagError> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Given::parse(&args, &[FLAGS])
    }

    #[test]
    fn flags_and_arguments_mix() {
        let given = parse("pods -wo yaml a --replicas=3 -- --b").expect("read");
        assert_eq!(
            (given.on("watch"), given.value("output"), given.int("replicas")),
            (true, Some("yaml"), Some(3))
        );
        assert_eq!((given.args.join(" ").as_str(), given.dash), ("pods a --b", Some(2)));
    }

    #[test]
    fn errors_are_pflag_s() {
        for (line, wanted) in [
            ("--frob", "unknown flag: --frob"),
            ("-z", "unknown shorthand flag: 'z' in -z"),
            ("--output", "flag needs an argument: --output"),
            ("-o", "flag needs an argument: 'o' in -o"),
            (
                "--replicas x",
                "invalid argument \"x\" for \"--replicas\" flag: strconv.ParseInt: parsing \"x\": invalid syntax",
            ),
        ] {
            assert_eq!(parse(line).expect_err("wrong").to_string(), wanted);
        }
    }
}
