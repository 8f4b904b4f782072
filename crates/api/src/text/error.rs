//! How does kubectl say that YAML is broken?
//!
//! saphyr-parser descends from libyaml as Go's parser does, so the same text breaks at the same token; only words and
//! the line that is named differ. Go names the line where the broken construct began, counts scanner errors from one
//! and parser errors from zero, and names no line at all on the first.
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

/// Translates an error; `open` is the line (from 1) of the innermost list or map that had begun.
pub(super) fn broken(scan: &ScanError, text: &str, open: Option<usize>, span: Span) -> Broken {
    let here = scan.marker().line();
    let (words, line) = match scan.info() {
        // Go's parser knows the construct that was open; lines count from zero.
        "while parsing a block mapping, did not find expected key" => {
            ("did not find expected key", parser(open, here))
        }
        "while parsing a block collection, did not find expected '-' indicator" => {
            ("did not find expected '-' indicator", parser(open, here))
        }
        "while parsing a flow mapping, did not find expected ',' or '}'" => {
            ("did not find expected ',' or '}'", parser(open, here))
        }
        "while parsing a flow sequence, expected ',' or ']'" => {
            ("did not find expected ',' or ']'", parser(open, here))
        }
        "while parsing a node, did not find expected node content" => {
            ("did not find expected node content", parser(Some(here), here))
        }
        "did not find expected <document start>" | "did not find expected <document-start>" => {
            ("did not find expected <document start>", parser(None, here))
        }
        "simple key expect ':'" | "simple key expected" => {
            ("could not find expected ':'", Some(key_line(text, here)))
        }
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
            ("found a tab character that violates indentation", Some(here))
        }
        "invalid indentation in quoted scalar" => ("found unexpected end of stream", Some(here)),
        "recursion limit exceeded" => ("exceeded max depth of 200", None),
        info if info.starts_with("unexpected character") => {
            ("found character that cannot start any token", Some(here))
        }
        "invalid trailing content after double-quoted scalar" => {
            ("did not find expected key", parser(open, here))
        }
        "'-' must be followed by a valid YAML whitespace" => {
            ("block sequence entries are not allowed in this context", Some(here))
        }
        "misplaced bracket" | "invalid indentation in flow construct" => {
            ("did not find expected node content", parser(open, here))
        }
        "invalid indentation" | "wrongly indented line in block scalar" => {
            ("did not find expected key", parser(open, here))
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
    words.starts_with("did not find expected")
}

/// The context's line counted from zero, else the problem's.
fn parser(open: Option<usize>, here: usize) -> Option<usize> {
    match open {
        Some(line) if line > 1 => Some(line - 1),
        _ => Some(here.saturating_sub(1)),
    }
}

/// The last line before `here` that says anything: the key whose colon is missing.
fn key_line(text: &str, here: usize) -> usize {
    let said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let before = text.lines().take(here.saturating_sub(1)).enumerate();
    before.filter(|(_, line)| said(line)).last().map_or(here, |(index, _)| index + 1)
}
