//! Are two texts the same but for names that were drawn?
//!
//! Generated names and template hashes are compared up to a consistent renaming; runs of blanks count as two, trailing blanks not at all;
//! `<age>` and the other placeholders stand for a value of their shape.

use std::collections::BTreeMap;

/// Which drawn name stands for which, both ways.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    there: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

/// Letters and digits of which generated suffixes and hashes are made.
const DRAWN: &str = "bcdfghjklmnpqrstvwxz2456789";

impl Names {
    /// Whether the lines agree, in their order.
    pub(super) fn agree(&mut self, wanted: &str, got: &str) -> bool {
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
        if self.agree(wanted, got) {
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
        let (wanted, got): (Vec<&str>, Vec<&str>) = (words(wanted), words(got));
        wanted.len() == got.len() && wanted.iter().zip(&got).all(|(w, g)| self.word(w, g))
    }

    fn word(&mut self, wanted: &str, got: &str) -> bool {
        if wanted == got {
            return true;
        }
        let mut trial = self.clone();
        let pieces = pieces(wanted);
        // A hash may stand alone, as a label's value does, if it looks like nothing else.
        let may_draw = pieces.len() > 1
            || self.there.contains_key(wanted)
            || (8..=10).contains(&wanted.len()) && wanted.contains(|c: char| c.is_ascii_digit());
        let same = trial.pieces(&pieces, got, may_draw);
        if same {
            *self = trial;
        }
        same
    }

    fn pieces(&mut self, wanted: &[Piece<'_>], got: &str, may_draw: bool) -> bool {
        let Some((first, rest)) = wanted.split_first() else { return got.is_empty() };
        match first {
            Piece::Text(text) => {
                if let Some(after) = got.strip_prefix(text)
                    && self.clone().pieces(rest, after, may_draw)
                {
                    return self.pieces(rest, after, may_draw);
                }
                may_draw && self.drawn(text, got).is_some_and(|after| self.pieces(rest, after, may_draw))
            }
            Piece::Placeholder(name) => {
                let ends = got.char_indices().map(|(i, c)| i + c.len_utf8());
                ends.filter(|end| fits(name, &got[..*end])).any(|end| {
                    let mut next = self.clone();
                    let same = next.pieces(rest, &got[end..], may_draw);
                    if same {
                        *self = next;
                    }
                    same
                })
            }
        }
    }

    /// What is left of `got` after the drawn name that stands for `wanted`.
    fn drawn<'g>(&mut self, wanted: &str, got: &'g str) -> Option<&'g str> {
        let (w, rest_w) = cut(wanted);
        let (g, rest_g) = cut(got);
        let like = |text: &str| (5..=10).contains(&text.len());
        if !like(w) || !like(g) || (w.len() == 5) != (g.len() == 5) {
            return None;
        }
        let left = rest_g.strip_prefix(rest_w)?;
        let there = self.there.entry(w.to_owned()).or_insert_with(|| g.to_owned()) == g;
        let back = self.back.entry(g.to_owned()).or_insert_with(|| w.to_owned()) == w;
        (there && back).then_some(left)
    }
}

/// A part of a recorded word.
#[derive(Clone, Copy)]
enum Piece<'a> {
    /// What stands there, between two hyphens, or a hyphen.
    Text(&'a str),
    /// `<age>`, without its brackets.
    Placeholder(&'a str),
}

fn pieces(word: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        if let Some((name, after)) = rest.strip_prefix('<').and_then(|inner| inner.split_once('>')) {
            pieces.push(Piece::Placeholder(name));
            rest = after;
            continue;
        }
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let at = if rest.starts_with('-') {
            first
        } else {
            rest[first..].find(['-', '<']).map_or(rest.len(), |at| at + first)
        };
        let (text, after) = rest.split_at(at);
        pieces.push(Piece::Text(text));
        rest = after;
    }
    pieces
}

/// The drawn part at the beginning and what follows it.
fn cut(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c| !DRAWN.contains(c)).unwrap_or(text.len()))
}

fn words(line: &str) -> Vec<&str> {
    line.split(|c: char| " \t\"'/,:=()[]".contains(c)).filter(|w| !w.is_empty()).collect()
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

/// Whether a text can stand for a placeholder.
fn fits(name: &str, text: &str) -> bool {
    let all = |allowed: &str| !text.is_empty() && text.chars().all(|c| allowed.contains(c));
    match name {
        "age" => all("0123456789smhdy"),
        "rnd" => text.len() == 5 && all(DRAWN),
        "podip" | "clusterip" | "apiserver-ip" => all("0123456789."),
        "nodeport" | "rv" | "apiserver-port" => all("0123456789"),
        "uid" | "cid" | "imageid" | "hex" | "hash" | "vol" => {
            all("0123456789abcdefghijklmnopqrstuvwxyz-:@/.")
        }
        "time" => all("0123456789TZ:.-+"),
        _ => !text.is_empty(),
    }
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
