//! How does kubectl say that YAML is broken?
//!
//! saphyr-parser descends from libyaml as Go's parser does, so the same text breaks at the same token; only words and
//! the line that is named differ. Go names the line where it gave up, counts scanner errors from one and parser errors
//! from zero, and names no line at all on the first.
//! Source: goyaml.v2 `decode.go` `parser.fail`, `scannerc.go`, `parserc.go`.

use saphyr_parser::ScanError;

use crate::Span;

/// Why a text could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// As Go's parser says it: `yaml: line 4: did not find expected key`.
    pub message: String,
    /// Where the reader gave up.
    pub span: Span,
}

/// Translates an error.
pub(super) fn broken(scan: &ScanError, text: &str, span: Span) -> Broken {
    let here = scan.marker().line();
    let (words, line) = match scan.info() {
        // Go's parser knows the construct that was open; lines count from zero.
        "while parsing a block mapping, did not find expected key" => {
            ("did not find expected key", parser(here))
        }
        "while parsing a block collection, did not find expected '-' indicator" => {
            ("did not find expected '-' indicator", parser(here))
        }
        "while parsing a flow mapping, did not find expected ',' or '}'" => {
            ("did not find expected ',' or '}'", parser(here))
        }
        "while parsing a flow sequence, expected ',' or ']'" => {
            ("did not find expected ',' or ']'", parser(here))
        }
        "while parsing a node, did not find expected node content" => {
            ("did not find expected node content", parser(here))
        }
        "did not find expected <document start>" | "did not find expected <document-start>" => {
            ("did not find expected <document start>", parser(here))
        }
        "simple key expect ':'" | "simple key expected" => ("could not find expected ':'", Some(here)),
        "while parsing node, found unknown anchor" => {
            let at = text.char_indices().nth(scan.marker().index()).map_or(text.len(), |(at, _)| at);
            let name: String = text[at..]
                .trim_start_matches('*')
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '-')
                .collect();
            return Broken { message: format!("yaml: unknown anchor '{name}' referenced"), span };
        }
        "tab cannot be used as indentation"
        | "tabs disallowed in this context"
        | "tabs disallowed within this context (block indentation)"
        | "a block scalar content cannot start with a tab" => {
            ("found character that cannot start any token", Some(here))
        }
        "while scanning a plain scalar, found a tab" => {
            ("found a tab character that violates indentation", Some(tab_line(text, here)))
        }
        "illegal placement of ':' indicator" => ("did not find expected ',' or ']'", parser(here)),
        "':' may not precede any of `[{` in flow mapping" => {
            ("did not find expected ',' or '}'", parser(here))
        }
        "invalid indentation in quoted scalar" => ("found unexpected end of stream", Some(last_line(text))),
        info if info.ends_with("found unexpected end of stream") => {
            ("found unexpected end of stream", Some(last_line(text)))
        }
        "recursion limit exceeded" => ("exceeded max depth of 200", None),
        info if info.starts_with("unexpected character") => {
            ("found character that cannot start any token", Some(here))
        }
        "invalid trailing content after double-quoted scalar" => ("did not find expected key", parser(here)),
        "'-' must be followed by a valid YAML whitespace" => {
            ("block sequence entries are not allowed in this context", Some(here))
        }
        "misplaced bracket" | "invalid indentation in flow construct" => {
            ("did not find expected node content", parser(here))
        }
        "invalid indentation" | "wrongly indented line in block scalar" => {
            ("did not find expected key", parser(here))
        }
        // The rest is said alike but for the context, which Go leaves out.
        info => (info.split_once(", ").map_or(info, |(_, words)| words), Some(here)),
    };
    // A scanner's line 1 is its mark 0, which Go takes for "no line".
    let message = match line {
        Some(line) if line > 0 && (line > 1 || is_parser(words)) => format!("yaml: line {line}: {words}"),
        _ => format!("yaml: {words}"),
    };
    Broken { message, span }
}

fn is_parser(words: &str) -> bool {
    ["key", "'-' indicator", "',' or '}'", "',' or ']'", "node content", "<document start>"]
        .iter()
        .any(|what| words.strip_prefix("did not find expected ") == Some(what))
}

/// The line where the stream ends.
fn last_line(text: &str) -> usize {
    text.matches('\n').count() + 1
}

/// The first line from `here` on that is indented with a tab.
fn tab_line(text: &str, here: usize) -> usize {
    let tabbed = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    let lines = text.split('\n').enumerate().skip(here.saturating_sub(1));
    lines.filter(|(_, line)| tabbed(line)).map(|(index, _)| index + 1).next().unwrap_or(here)
}

/// A parser's line is counted from zero.
fn parser(here: usize) -> Option<usize> {
    Some(here.saturating_sub(1))
}
