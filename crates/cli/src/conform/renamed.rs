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
        if let Some(at) = wanted.find('<')
            && let Some(end) = wanted[at..].find('>')
        {
            let (before, name, after) = (&wanted[..at], &wanted[at + 1..at + end], &wanted[at + end + 1..]);
            let Some(rest) = got.strip_prefix(before) else { return false };
            if after.is_empty() {
                return fits(name, rest);
            }
            return rest.char_indices().any(|(i, _)| {
                i > 0 && fits(name, &rest[..i]) && {
                    let mut next = self.clone();
                    let same = next.word(after, &rest[i..]);
                    if same {
                        *self = next;
                    }
                    same
                }
            });
        }
        let (w, g): (Vec<&str>, Vec<&str>) = (wanted.split('-').collect(), got.split('-').collect());
        w.len() == g.len() && w.len() > 1 && w.iter().zip(&g).all(|(w, g)| w == g || self.drawn(w, g))
    }

    fn drawn(&mut self, wanted: &str, got: &str) -> bool {
        let (w, rest_w) = cut(wanted);
        let (g, rest_g) = cut(got);
        let like = |text: &str| (5..=10).contains(&text.len());
        if rest_w != rest_g || !like(w) || !like(g) || (w.len() == 5) != (g.len() == 5) {
            return false;
        }
        let there = self.there.entry(w.to_owned()).or_insert_with(|| g.to_owned()) == g;
        let back = self.back.entry(g.to_owned()).or_insert_with(|| w.to_owned()) == w;
        there && back
    }
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
}
