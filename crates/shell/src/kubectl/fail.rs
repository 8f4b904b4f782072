//! How does kubectl say that something went wrong?
//!
//! Source: kubectl `pkg/cmd/util/helpers.go` (`checkErr`, `StandardErrorMessage`, `MultilineError`).

use api::ApiStatus;

use crate::{eval::Flow, output::Output};

/// Why a command ends early.
#[derive(Clone, Debug)]
pub(crate) enum Fail {
    /// The API server's refusal.
    Server(ApiStatus),
    /// kubectl's own, printed after `error: `.
    Error(String),
    /// A text printed as it is.
    Plain(String),
    /// A text printed as it is, with the status that `diff` keeps for what is no difference.
    Trouble(String),
    /// Everything is said already.
    Exit(i32),
    /// The shell ends the line.
    Flow(Flow),
}

/// The end of a command or of one of its steps.
pub(crate) type Done<T = ()> = Result<T, Fail>;

impl From<ApiStatus> for Fail {
    fn from(status: ApiStatus) -> Self {
        Self::Server(status)
    }
}

impl From<Flow> for Fail {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}

impl Fail {
    /// `error: …`.
    pub(crate) fn error<T>(text: impl Into<String>) -> Done<T> {
        Err(Self::Error(text.into()))
    }

    /// The same failure with what was being done to which file: `error when creating "p.yaml": …`.
    pub(crate) fn when(self, doing: &str, source: &str) -> Self {
        match self {
            Self::Server(mut status) => {
                status.message = format!("error when {doing} {source:?}: {}", status.message);
                Self::Server(status)
            }
            Self::Error(text) => Self::Error(format!("error when {doing} {source:?}: {text}")),
            other => other,
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Server(status) if status.reason == "NotFound")
    }

    /// What went wrong, without who says so.
    pub(crate) fn bare(&self) -> String {
        match self {
            Self::Server(status) => status.message.clone(),
            Self::Error(text) | Self::Plain(text) | Self::Trouble(text) => text.clone(),
            Self::Exit(_) | Self::Flow(_) => String::new(),
        }
    }

    /// What goes to standard error, without the final newline.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Server(status) => server(status),
            Self::Error(text) => format!("error: {text}"),
            Self::Plain(text) | Self::Trouble(text) => text.clone(),
            Self::Exit(_) | Self::Flow(_) => String::new(),
        }
    }

    /// Prints it; the exit status.
    pub(crate) fn print(self, out: &mut Output) -> Result<i32, Flow> {
        match self {
            Self::Flow(flow) => Err(flow),
            Self::Exit(status) => Ok(status),
            other => {
                let text = other.text();
                // Causes get a newline whatever they end with; everything else only where it has none.
                let causes =
                    matches!(&other, Self::Server(it) if it.reason == "Invalid" && !it.causes.is_empty());
                out.err(if causes { &text } else { text.strip_suffix('\n').unwrap_or(&text) });
                Ok(if matches!(other, Self::Trouble(_)) { 2 } else { 1 })
            }
        }
    }
}

fn server(status: &ApiStatus) -> String {
    match status.reason.as_str() {
        "Invalid" => invalid(status),
        "Unauthorized" => {
            "error: You must be logged in to the server (the server has asked for the client to provide credentials)".to_owned()
        }
        "" | "Unknown" => format!("Error from server: {}", status.message),
        reason => format!("Error from server ({reason}): {}", status.message),
    }
}

fn invalid(status: &ApiStatus) -> String {
    let mut said = "The request is invalid".to_owned();
    if !status.kind.is_empty() || !status.name.is_empty() {
        said = format!("The {} {:?} is invalid", status.kind, status.name);
    } else if !status.message.is_empty() && status.causes.is_empty() {
        said = format!("{said}: {}", status.message);
    }
    let mut causes: Vec<String> = Vec::new();
    for cause in &status.causes {
        // UPSTREAM: a cause that is nowhere leaves its place empty, colon and all.
        let text = format!("{}: {}", cause.field, cause.message);
        if !causes.contains(&text) {
            causes.push(text);
        }
    }
    match causes.as_slice() {
        [] => said,
        [only] => format!("{said}: {only}"),
        many => format!("{said}: \n* {}", many.join("\n* ")),
    }
}
