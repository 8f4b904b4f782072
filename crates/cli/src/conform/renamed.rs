//! Are two texts the same but for names that were drawn?
//!
//! Generated names and template hashes are compared up to a consistent renaming; runs of blanks count as two, trailing blanks not at all;
//! `<age>` and the other placeholders stand for a value of their shape. Source: FORMAT.md beside the recorded sessions.

use std::collections::BTreeMap;

use regex::Regex;

/// Which drawn name stands for which, both ways.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    there: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
    /// Hashes are to be the same, not only consistent.
    exact_hashes: bool,
}

/// Letters and digits of which generated suffixes and hashes are made.
const DRAWN: &str = "bcdfghjklmnpqrstvwxz2456789";

/// The placeholders and the shapes they stand for.
const PLACEHOLDERS: [(&str, &str); 22] = [
    ("age", r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|[smhdy]))+"),
    ("apiserver-ip", r"[0-9.]+"),
    ("apiserver-port", "[0-9]+"),
    ("cid", r"\S+"),
    ("clusterip", r"[0-9.]+"),
    ("commit", r"\S+"),
    ("cwd", r"\S+"),
    ("hash", r"\w+"),
    ("hex", r"\w+"),
    ("home", r"\S+"),
    ("host", r"\S+"),
    ("imageid", r"\S+"),
    ("klog", r"[IWEF][0-9]{4} [0-9:.]+ +[0-9]+"),
    ("nodeport", "[0-9]+"),
    ("path", r"\S+"),
    ("podip", r"[0-9.]+"),
    ("rnd", "[bcdfghjklmnpqrstvwxz2456789]{5}"),
    ("rv", "[0-9]+"),
    ("server", r"\S+"),
    ("server-addr", r"\S+"),
    (
        "time",
        r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} \+0000 UTC|\w{3}, [0-9]{2} \w{3} [0-9]{4} [0-9:]{8} [+-][0-9]{4})",
    ),
    ("uid", "[0-9a-f-]{36}"),
];

impl Names {
    pub(super) fn new(exact_hashes: bool) -> Self {
        Self { exact_hashes, ..Self::default() }
    }

    /// Whether the lines agree, in their order. Rows that are sorted by names with a hash may come in any.
    pub(super) fn agree(&mut self, wanted: &str, got: &str) -> bool {
        if self.agree_in_order(wanted, got) {
            return true;
        }
        let is_hashed = |line: &&String| {
            let name = line.split(' ').next().unwrap_or_default();
            !self.shape(name).1.is_empty()
        };
        tidy(wanted).iter().filter(is_hashed).count() > 1 && self.agree_as_a_set(wanted, got)
    }

    fn agree_in_order(&mut self, wanted: &str, got: &str) -> bool {
        let mut trial = self.clone();
        let (wanted, got) = (tidy(wanted), tidy(got));
        let same = wanted.len() == got.len() && wanted.iter().zip(&got).all(|(w, g)| trial.line(w, g));
        if same {
            *self = trial;
        }
        same
    }

    /// Whether the lines agree in some order.
    pub(super) fn agree_as_a_set(&mut self, wanted: &str, got: &str) -> bool {
        if self.agree_in_order(wanted, got) {
            return true;
        }
        let (wanted, mut left) = (tidy(wanted), tidy(got));
        if wanted.len() != left.len() {
            return false;
        }
        let mut trial = self.clone();
        for line in &wanted {
            let found = left.iter().position(|other| {
                let mut next = trial.clone();
                let same = next.line(line, other);
                if same {
                    trial = next;
                }
                same
            });
            match found {
                Some(at) => drop(left.remove(at)),
                None => return false,
            }
        }
        *self = trial;
        true
    }

    fn line(&mut self, wanted: &str, got: &str) -> bool {
        if wanted == got {
            return true;
        }
        let (shape, drawn) = self.shape(wanted);
        let Some(found) = Regex::new(&shape).ok().and_then(|shape| shape.captures(got)) else { return false };
        let mut trial = self.clone();
        let same = drawn.iter().zip(found.iter().skip(1).flatten()).all(|(wanted, got)| {
            let got = got.as_str();
            let there = trial.there.entry((*wanted).to_owned()).or_insert_with(|| got.to_owned()) == got;
            there && trial.back.entry(got.to_owned()).or_insert_with(|| (*wanted).to_owned()) == wanted
        });
        if same {
            *self = trial;
        }
        same
    }

    /// A pattern for lines that agree with this one, and the drawn names that its groups stand for.
    fn shape<'w>(&self, wanted: &'w str) -> (String, Vec<&'w str>) {
        let (mut shape, mut drawn) = ("^".to_owned(), Vec::new());
        let mut rest = wanted;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            let placeholder = rest.strip_prefix('<').and_then(|inner| inner.split_once('>'));
            let known = placeholder.and_then(|(name, after)| {
                PLACEHOLDERS.iter().find(|(known, _)| *known == name).map(|(_, stands)| (stands, after))
            });
            if let Some((stands, after)) = known {
                shape.push_str(stands);
                (rest, before) = (after, '>');
                continue;
            }
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            if end == 0 {
                shape.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
                (rest, before) = (&rest[c.len_utf8()..], c);
                continue;
            }
            let (word, after) = rest.split_at(end);
            if self.is_drawn(word, before) {
                let lengths = if word.len() == 5 { "5" } else { "6,10" };
                shape.push_str(&format!("([{DRAWN}]{{{lengths}}})"));
                drawn.push(word);
            } else {
                shape.push_str(&regex::escape(word));
            }
            (rest, before) = (after, 'w');
        }
        shape.push('$');
        (shape, drawn)
    }

    /// Whether a word after this character may be a drawn name: a part of a longer name, or alone, as a label's value is, where it
    /// looks like nothing else.
    fn is_drawn(&self, word: &str, before: char) -> bool {
        (5..=if self.exact_hashes { 5 } else { 10 }).contains(&word.len())
            && word.chars().all(|c| DRAWN.contains(c))
            && (before == '-'
                || self.there.contains_key(word)
                || word.len() >= 8 && word.contains(|c: char| c.is_ascii_digit()))
    }
}

/// Lines with runs of blanks as two and no blanks at their end.
fn tidy(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let mut out = String::new();
        let mut blanks = 0;
        for c in line.trim_end().chars() {
            if c == ' ' || c == '\t' {
                blanks += 1;
                if blanks <= 2 {
                    out.push(' ');
                }
            } else {
                blanks = 0;
                out.push(c);
            }
        }
        out
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_names_are_renamed_one_to_one() {
        let mut names = Names::default();
        assert!(names.agree("web-796cf5c97c-44kkg  <age>\n", "web-6bcdf9d4f8-x2vzl   12s\n"));
        assert!(!names.agree("web-796cf5c97c-44kkg\n", "web-7ddff8f7b5-x2vzl\n"));
        assert!(names.agree("web-796cf5c97c-9z4kq\n", "web-6bcdf9d4f8-bbbbb\n"));
    }

    #[test]
    fn a_hash_is_renamed_beside_a_placeholder_and_alone() {
        let mut names = Names::default();
        assert!(names.agree("web-cc544bdcc-<rnd>  <age>\n", "web-b985f8d7-49gdb  2s\n"));
        assert!(names.agree("pod-template-hash=cc544bdcc\n", "pod-template-hash=b985f8d7\n"));
        assert!(!names.agree("pod-template-hash=cc544bdcc\n", "pod-template-hash=c664b5794\n"));
        assert!(!names.agree("web-<rnd>\n", "web-49gd\n"));
    }
}
