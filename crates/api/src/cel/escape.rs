//! What is a field called in an expression whose name is no name there?
//!
//! Source: `k8s.io/apiserver/pkg/cel/escaping.go`.

const WORDS: [&str; 18] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
];

/// The name that an expression uses; none for names that cannot be said.
pub(crate) fn escaped(name: &str) -> Option<String> {
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if WORDS.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let mut out = String::new();
    let mut rest = name;
    while let Some(letter) = rest.chars().next() {
        let taken = match letter {
            '_' if rest.starts_with("__") => {
                out.push_str("__underscores__");
                2
            }
            '.' => {
                out.push_str("__dot__");
                1
            }
            '-' => {
                out.push_str("__dash__");
                1
            }
            '/' => {
                out.push_str("__slash__");
                1
            }
            letter if letter.is_ascii_alphanumeric() || letter == '_' => {
                out.push(letter);
                1
            }
            _ => return None,
        };
        rest = &rest[taken..];
    }
    Some(out)
}
