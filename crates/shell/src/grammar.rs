//! What did the learner type?
//!
//! bash's grammar is brush-parser's; this file gives its answers bash's words, closes a here-document that the input ended in,
//! cuts a script into the lines a learner would enter one by one, and refuses nesting that no person types.
//! Source of the messages: bash 5.2, interactive.

use brush_parser::{ParseError, Parser, ParserOptions, TokenizerError, ast};

/// Deepest nesting of brackets that is read at all: the parsers behind are recursive.
const DEEPEST: usize = 100;

/// Why a line cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// More input would make it right.
    #[error("{0}")]
    Incomplete(String),
    /// No input can make it right.
    #[error("{0}")]
    Wrong(String),
}

/// A line ready to run, with what bash says while reading it.
#[derive(Debug)]
pub struct Line {
    /// The commands.
    pub program: ast::Program,
    /// Such as the warning about a here-document that was not closed.
    pub warning: Option<String>,
}

/// Reads one line, here-documents and all.
/// # Errors
/// What bash would say.
pub fn parse(text: &str) -> Result<Line, SyntaxError> {
    if depth(text) > DEEPEST {
        return Err(SyntaxError::Wrong(format!(
            "nested more than {DEEPEST} deep: the lab does not read this"
        )));
    }
    match parse_once(text) {
        Ok(program) => Ok(Line { program, warning: None }),
        Err(ParseError::Tokenizing { inner: TokenizerError::UnterminatedHereDocuments(tags, _), .. }) => {
            let tag =
                tags.split(',').next_back().unwrap_or_default().trim().trim_matches(['\'', '"']).to_owned();
            let closed = format!("{}\n{tag}\n", text.trim_end_matches('\n'));
            let warning =
                format!("warning: here-document at line 1 delimited by end-of-file (wanted `{tag}')");
            match parse_once(&closed) {
                Ok(program) => Ok(Line { program, warning: Some(warning) }),
                Err(_) => Err(SyntaxError::Incomplete(warning)),
            }
        }
        Err(error) => Err(said(text, &error)),
    }
}

fn parse_once(text: &str) -> Result<ast::Program, ParseError> {
    let mut parser = Parser::new(text.as_bytes(), &ParserOptions::default());
    parser.parse_program()
}

fn said(text: &str, error: &ParseError) -> SyntaxError {
    match error {
        ParseError::ParsingNear(position) => SyntaxError::Wrong(format!(
            "syntax error near unexpected token `{}'",
            token_at(text, position.index)
        )),
        ParseError::ParsingAtEndOfInput => {
            SyntaxError::Incomplete("syntax error: unexpected end of file".to_owned())
        }
        ParseError::Tokenizing { inner, .. } => {
            let quote = match inner {
                TokenizerError::UnterminatedSingleQuote(_) | TokenizerError::UnterminatedAnsiCQuote(_) => "'",
                TokenizerError::UnterminatedDoubleQuote(_) => "\"",
                TokenizerError::UnterminatedBackquote(_) => "`",
                TokenizerError::UnterminatedCommandSubstitution
                | TokenizerError::UnterminatedExpansion
                | TokenizerError::UnterminatedExtendedGlob(_) => ")",
                TokenizerError::UnterminatedVariable => "}",
                TokenizerError::UnterminatedEscapeSequence
                | TokenizerError::UnterminatedHereDocuments(..)
                | TokenizerError::MissingHereTagForDocumentBody
                | TokenizerError::MissingHereTag(_) => {
                    return SyntaxError::Incomplete("syntax error: unexpected end of file".to_owned());
                }
                TokenizerError::FailedDecoding | TokenizerError::ReadError(_) => {
                    return SyntaxError::Wrong("cannot read the line".to_owned());
                }
            };
            SyntaxError::Incomplete(format!("unexpected EOF while looking for matching `{quote}'"))
        }
    }
}

fn token_at(text: &str, index: usize) -> String {
    let rest: String = text.chars().skip(index).collect();
    let rest = rest.trim_start_matches([' ', '\t']);
    if rest.is_empty() || rest.starts_with('\n') {
        return "newline".to_owned();
    }
    for operator in ["&&", "||", ";;", ">>", "<<", "|", "&", ";", "(", ")", "<", ">"] {
        if rest.starts_with(operator) {
            return operator.to_owned();
        }
    }
    rest.chars().take_while(|c| !c.is_whitespace() && !"|&;()<>".contains(*c)).collect()
}

fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '(' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ')' | '}' => depth = depth.saturating_sub(1),
            // Words that nest without brackets stand first on a line: a newline closes nothing, so the count is of brackets only.
            _ => {}
        }
    }
    deepest
}

/// Cuts a script into the lines a learner would enter one by one: here-documents, quotes, continuations and compound commands
/// stay whole; comments and blank lines go.
#[must_use]
pub fn split(script: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    let mut scan = Scan::default();
    for line in script.split_inclusive('\n') {
        current.push_str(line);
        scan.line(line.trim_end_matches('\n'));
        if scan.open() {
            continue;
        }
        if scan.compound && matches!(parse_once(&current), Err(error) if incomplete(&current, &error)) {
            continue;
        }
        finish(&mut lines, &mut current);
        scan = Scan::default();
    }
    finish(&mut lines, &mut current);
    lines
}

fn incomplete(text: &str, error: &ParseError) -> bool {
    matches!(said(text, error), SyntaxError::Incomplete(_))
}

fn finish(lines: &mut Vec<String>, current: &mut String) {
    let line = std::mem::take(current);
    let line = line.trim_end_matches('\n');
    let blank = line.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
    if !blank {
        lines.push(line.to_owned());
    }
}

/// What is still open at the end of a line.
#[derive(Default)]
struct Scan {
    quote: Option<char>,
    parens: usize,
    here: Vec<(String, bool)>,
    continued: bool,
    compound: bool,
}

impl Scan {
    fn open(&self) -> bool {
        self.quote.is_some() || self.parens > 0 || !self.here.is_empty() || self.continued
    }

    fn line(&mut self, line: &str) {
        if self.quote.is_none()
            && let Some((tag, tabs)) = self.here.first()
        {
            let text = if *tabs { line.trim_start_matches('\t') } else { line };
            if text == tag {
                self.here.remove(0);
            }
            return;
        }
        self.continued = false;
        let chars: Vec<char> = line.chars().collect();
        let mut i = 0;
        let mut word_start = true;
        while i < chars.len() {
            let c = chars[i];
            match (self.quote, c) {
                (Some('\''), '\'') => self.quote = None,
                (Some('\''), _) => {}
                (_, '\\') if i + 1 == chars.len() => self.continued = true,
                (_, '\\') => i += 1,
                (Some('"'), '"') => self.quote = None,
                (Some('"'), _) => {}
                (None, '\'' | '"') => self.quote = Some(c),
                (None, '#') if word_start => break,
                (None, '(') => self.parens += 1,
                (None, ')') => self.parens = self.parens.saturating_sub(1),
                (None, '<') if chars.get(i + 1) == Some(&'<') && chars.get(i + 2) != Some(&'<') => {
                    let (tag, tabs, next) = here_tag(&chars, i + 2);
                    if !tag.is_empty() {
                        self.here.push((tag, tabs));
                    }
                    i = next;
                    word_start = true;
                    continue;
                }
                (None, '<') if chars.get(i + 1) == Some(&'<') => i += 2,
                _ => {}
            }
            word_start = self.quote.is_none() && (c.is_whitespace() || ";&|(".contains(c));
            i += 1;
        }
        let trimmed = line.trim_end();
        self.compound |= trimmed.ends_with(['|', '&'])
            || line.split(|c: char| c.is_whitespace() || ";&|(".contains(c)).any(|w| {
                matches!(
                    w,
                    "for" | "while" | "until" | "if" | "case" | "{" | "select" | "function" | "do" | "then"
                ) || w.ends_with("()")
                    || w.ends_with('{')
            });
    }
}

fn here_tag(chars: &[char], mut i: usize) -> (String, bool, usize) {
    let tabs = chars.get(i) == Some(&'-');
    if tabs {
        i += 1;
    }
    while chars.get(i).is_some_and(|c| *c == ' ' || *c == '\t') {
        i += 1;
    }
    let mut tag = String::new();
    let mut quote = None;
    while let Some(&c) = chars.get(i) {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(q), c) if c == q => quote = None,
            (None, '\\') => {}
            (None, c) if c.is_whitespace() || ";&|()<>".contains(c) => break,
            _ => tag.push(c),
        }
        i += 1;
    }
    (tag, tabs, i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_cut_where_a_learner_would_press_enter() {
        let script = "# a comment\n\ncat <<EOF | kubectl apply -f -\na: 'b\n# kept\nEOF\nfor i in 1 2\ndo\n  echo $i\ndone\necho a \\\n  b\necho \"x\ny\"\n";
        assert_eq!(
            split(script),
            [
                "cat <<EOF | kubectl apply -f -\na: 'b\n# kept\nEOF",
                "for i in 1 2\ndo\n  echo $i\ndone",
                "echo a \\\n  b",
                "echo \"x\ny\""
            ]
        );
    }

    #[test]
    fn errors_are_bash_s() {
        let say = |text: &str| parse(text).expect_err("wrong").to_string();
        assert_eq!(say("echo 'a"), "unexpected EOF while looking for matching `''");
        assert_eq!(say("for i in a; do echo"), "syntax error: unexpected end of file");
        assert_eq!(say("echo a | | b"), "syntax error near unexpected token `|'");
    }

    #[test]
    fn an_open_here_document_ends_with_the_input() {
        let line = parse("cat <<EOF\na\n").expect("closed");
        assert_eq!(
            line.warning.as_deref(),
            Some("warning: here-document at line 1 delimited by end-of-file (wanted `EOF')")
        );
    }
}
