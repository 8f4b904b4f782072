//! Which words does `{a,b}` or `{1..3}` become?
//!
//! Source: bash 5.2 manual, 3.5.1 Brace Expansion.

use brush_parser::{
    ParserOptions,
    word::{self, BraceExpressionMember, BraceExpressionOrText},
};

/// Most words one brace expression may become.
pub(crate) const MOST: usize = 10_000;

/// The words of one word.
pub(crate) fn braces(text: &str) -> Vec<String> {
    // brush-parser stops at a number that is longer than any machine's; to bash it is a word.
    let is_endless = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 18);
    if !text.contains('{') || is_endless {
        return vec![text.to_owned()];
    }
    match word::parse_brace_expansions(text, &ParserOptions::default()) {
        Ok(Some(parts)) => product(&parts, widths(text)),
        Ok(None) | Err(_) => vec![text.to_owned()],
    }
}

/// How wide the numbers of `{01..10}` are: the parser keeps no zeros.
fn widths(text: &str) -> usize {
    let Some(at) = text.find("..") else { return 0 };
    let (before, after) = (&text[..at], &text[at + 2..]);
    let from = before.rsplit(['{', ',']).next().unwrap_or_default();
    let to = after.split(['}', '.', ',']).next().unwrap_or_default();
    let is_padded = |it: &str| {
        let digits = it.trim_start_matches('-');
        digits.len() > 1 && digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit())
    };
    if is_padded(from) || is_padded(to) { from.len().max(to.len()) } else { 0 }
}

fn product(parts: &[BraceExpressionOrText], width: usize) -> Vec<String> {
    let mut words = vec![String::new()];
    for part in parts {
        let endings = match part {
            BraceExpressionOrText::Text(text) => vec![text.clone()],
            BraceExpressionOrText::Expr(members) => {
                members.iter().flat_map(|it| member(it, width)).take(MOST + 1).collect()
            }
        };
        words = words
            .iter()
            .flat_map(|word| endings.iter().map(move |ending| format!("{word}{ending}")))
            .take(MOST + 1)
            .collect();
    }
    words
}

fn member(member: &BraceExpressionMember, width: usize) -> Vec<String> {
    match member {
        BraceExpressionMember::NumberSequence { start, end, increment } => {
            sequence(*start, *end, *increment).map(|n| format!("{n:0width$}")).collect()
        }
        BraceExpressionMember::CharSequence { start, end, increment } => {
            sequence(i64::from(u32::from(*start)), i64::from(u32::from(*end)), *increment)
                .filter_map(|n| u32::try_from(n).ok().and_then(char::from_u32))
                .map(|c| c.to_string())
                .collect()
        }
        BraceExpressionMember::Child(parts) => product(parts, width),
    }
}

fn sequence(start: i64, end: i64, increment: i64) -> impl Iterator<Item = i64> {
    let step = increment.saturating_abs().max(1);
    let step = if start <= end { step } else { -step };
    std::iter::successors(Some(start), move |n| {
        n.checked_add(step).filter(|n| if step > 0 { *n <= end } else { *n >= end })
    })
    .take(MOST + 1)
}

#[cfg(test)]
mod tests {
    use super::braces;

    #[test]
    fn sequences_keep_their_zeros() {
        assert_eq!(braces("{01..03}"), ["01", "02", "03"]);
        assert_eq!(braces("a{b,c}"), ["ab", "ac"]);
        assert_eq!(braces("{5..1..2}"), ["5", "3", "1"]);
    }
}
