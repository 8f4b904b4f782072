//! Where does one document end and the next begin?
//!
//! kubectl cuts the stream before it parses: a line that begins with `---` and holds nothing else but a comment. Each
//! piece is parsed alone, so its error messages count lines from the piece's own beginning.
//! Source: apimachinery `util/yaml` `YAMLReader`.

/// One piece of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'t> {
    /// Its text, without the separator.
    pub text: &'t str,
    /// Byte offset in the stream.
    pub offset: usize,
    /// How many lines stand before it.
    pub line: usize,
}

/// The pieces of a stream, empty ones left out.
#[must_use]
pub fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut start_line) = (0, 0);
    let mut at = 0;
    for (line, content) in text.split_inclusive('\n').enumerate() {
        let separates = content
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#'));
        if separates {
            pieces.push(Piece { text: &text[start..at], offset: start, line: start_line });
            start = at + content.len();
            start_line = line + 1;
        }
        at += content.len();
    }
    pieces.push(Piece { text: &text[start..], offset: start, line: start_line });
    pieces.retain(|piece| !piece.text.trim().is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_at_bare_separators_only() {
        let pieces = split("---\na: 1\n--- # next\nb: |\n  ---\n--- x\n");
        let texts: Vec<_> = pieces.iter().map(|p| (p.text, p.offset, p.line)).collect();
        assert_eq!(texts, [("a: 1\n", 4, 1), ("b: |\n  ---\n--- x\n", 20, 3)]);
    }
}
