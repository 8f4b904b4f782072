//! What does Go say of a regular expression that it cannot read?
//!
//! Source: Go `regexp/syntax`.

/// What Go's parser of regular expressions says; only its commonest complaints are put in its words.
pub(crate) fn go_words(pattern: &str, error: &regex::Error) -> String {
    let count = |sign: char| pattern.chars().filter(|c| *c == sign).count();
    if count('[') > count(']') {
        let from = pattern.rfind('[').unwrap_or(0);
        return format!("error parsing regexp: missing closing ]: `{}`", &pattern[from..]);
    }
    if count('(') > count(')') {
        return format!("error parsing regexp: missing closing ): `{pattern}`");
    }
    if count(')') > count('(') {
        return format!("error parsing regexp: unexpected ): `{pattern}`");
    }
    if let Some(sign) = pattern.chars().next().filter(|sign| matches!(sign, '*' | '+' | '?')) {
        return format!("error parsing regexp: missing argument to repetition operator: `{sign}`");
    }
    error.to_string()
}
