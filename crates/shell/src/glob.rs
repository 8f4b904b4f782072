//! Does this text match this shell pattern, and which files do?
//!
//! `*`, `?`, `[a-z]`, `[!a]` and `\x`. Matching is iterative over the last star: no pattern takes exponential time.
//! Source: POSIX shell, 2.13 Pattern Matching Notation.

use crate::files::{self, Files};

/// Whether `text` as a whole matches `pattern`.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let step = one(&pattern, p, text[t]);
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if let Some(next) = step {
            p = next;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Where the pattern goes on if its element at `p` takes `c`.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern.get(p)? {
        '?' => Some(p + 1),
        '*' => None,
        '\\' => (pattern.get(p + 1) == Some(&c)).then_some(p + 2),
        '[' => match class(pattern, p, c) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (c == '[').then_some(p + 1),
        },
        literal => (*literal == c).then_some(p + 1),
    }
}

fn class(pattern: &[char], p: usize, c: char) -> Option<(bool, usize)> {
    let mut i = p + 1;
    let negated = matches!(pattern.get(i), Some('!' | '^'));
    if negated {
        i += 1;
    }
    let first = i;
    let mut found = false;
    loop {
        let low = *pattern.get(i)?;
        if low == ']' && i > first {
            return Some((found != negated, i + 1));
        }
        if pattern.get(i + 1) == Some(&'-') && pattern.get(i + 2).is_some_and(|h| *h != ']') {
            let high = *pattern.get(i + 2)?;
            found |= low <= c && c <= high;
            i += 3;
        } else {
            found |= low == c;
            i += 1;
        }
    }
}

/// Whether a pattern has anything but literal characters.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// Takes the backslashes out of a pattern.
#[must_use]
pub fn unescape(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}

/// The existing paths that match a pattern, sorted, written as the pattern was (relative stays relative).
#[must_use]
pub fn expand(pattern: &str, cwd: &str, files: &Files) -> Vec<String> {
    let (mut found, rest) = match pattern.strip_prefix('/') {
        Some(rest) => (vec!["/".to_owned()], rest),
        None => (vec![String::new()], pattern),
    };
    for part in rest.split('/').filter(|p| !p.is_empty()) {
        let mut next = Vec::new();
        for base in &found {
            let directory = files::resolve(cwd, base);
            if !is_pattern(part) {
                let joined = join(base, &unescape(part));
                if files.get(&files::resolve(cwd, &joined)).is_some() || matches!(part, "." | "..") {
                    next.push(joined);
                }
                continue;
            }
            for name in files.list(&directory) {
                if (!name.starts_with('.') || part.starts_with('.')) && matches(part, &name) {
                    next.push(join(base, &name));
                }
            }
        }
        found = next;
    }
    found
}

fn join(base: &str, name: &str) -> String {
    match base {
        "" => name.to_owned(),
        "/" => format!("/{name}"),
        _ => format!("{base}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_posix() {
        for (pattern, text, wanted) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("a*b*c", "aXXbYYc", true),
            ("[", "[", true),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_finds_files_in_order() {
        let mut files = Files::with_home("/home/user");
        for name in ["b.yaml", "a.yaml", "c.txt", ".hidden.yaml"] {
            files.write(&format!("/home/user/{name}"), "").expect("written");
        }
        assert_eq!(expand("*.yaml", "/home/user", &files), ["a.yaml", "b.yaml"]);
        assert_eq!(expand("/home/*/c.*", "/", &files), ["/home/user/c.txt"]);
    }
}
