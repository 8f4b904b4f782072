//! Prints lines, and ends quietly when nobody reads on.
//!
//! `println!` would panic then: `podpath conform … | head`.

use std::{
    fmt::Display,
    io::{ErrorKind, Write, stderr, stdout},
    process::exit,
};

/// How a shell reports a program that SIGPIPE ended: 128 and the signal's number.
const PIPE_CLOSED: i32 = 141;

/// A line of what was asked for.
pub(crate) fn line(text: impl Display) {
    write(stdout().lock(), format_args!("{text}\n"));
}

/// A line about what went wrong.
pub(crate) fn complain(text: impl Display) {
    write(stderr().lock(), format_args!("{text}\n"));
}

/// A text as it is. Where it can otherwise not be written there is nobody to tell.
pub(crate) fn write(mut to: impl Write, text: impl Display) {
    if let Err(error) = write!(to, "{text}").and_then(|()| to.flush())
        && error.kind() == ErrorKind::BrokenPipe
    {
        exit(PIPE_CLOSED);
    }
}
