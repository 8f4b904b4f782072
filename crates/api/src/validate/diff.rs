//! What differs between two texts, in the lines that the API server shows of it?
//!
//! Matching goes by the longest common run of lines, then left and right of it; in a text of 200 lines or more, lines
//! that stand there often begin no run. Source: pmezard/go-difflib, which follows Python's difflib.

use std::collections::BTreeMap;

/// Lines shown around a difference.
const AROUND: usize = 3;
/// From so many lines on, a line is common if it is more than every hundredth.
const LONG: usize = 200;

/// A run of equal lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    old: usize,
    new: usize,
    length: usize,
}

/// What differs, with three lines around it, as `diff -u` shows it without its head.
pub(super) fn unified(old: &[String], new: &[String]) -> String {
    let edits = edits(old, new);
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = (at..edits.len()).find(|index| edits[*index].0 != ' ') {
        let start = first.saturating_sub(AROUND).max(at);
        let mut last = first;
        while let Some(next) = (last + 1..edits.len()).find(|index| edits[*index].0 != ' ') {
            if next - last - 1 > 2 * AROUND {
                break;
            }
            last = next;
        }
        let end = (last + 1 + AROUND).min(edits.len());
        let count = |edits: &[(char, &str)], not: char| edits.iter().filter(|(mark, _)| *mark != not).count();
        let range = |not: char| {
            let (before, length) = (count(&edits[..start], not), count(&edits[start..end], not));
            if length == 1 {
                format!("{}", before + 1)
            } else {
                format!("{},{length}", before + usize::from(length > 0))
            }
        };
        out.push_str(&format!("@@ -{} +{} @@\n", range('+'), range('-')));
        for (mark, line) in &edits[start..end] {
            out.push_str(&format!("{mark}{line}\n"));
        }
        at = end;
    }
    out
}

/// The way from one text to the other: kept, taken and added lines.
fn edits<'t>(old: &'t [String], new: &'t [String]) -> Vec<(char, &'t str)> {
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    for run in runs(old, new).into_iter().chain([Run { old: old.len(), new: new.len(), length: 0 }]) {
        out.extend(old[i..run.old].iter().map(|line| ('-', line.as_str())));
        out.extend(new[j..run.new].iter().map(|line| ('+', line.as_str())));
        out.extend(old[run.old..run.old + run.length].iter().map(|line| (' ', line.as_str())));
        (i, j) = (run.old + run.length, run.new + run.length);
    }
    out
}

/// All runs of equal lines, in order.
fn runs(old: &[String], new: &[String]) -> Vec<Run> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (j, line) in new.iter().enumerate() {
        places.entry(line).or_default().push(j);
    }
    if new.len() >= LONG {
        places.retain(|_, at| at.len() <= new.len() / 100 + 1);
    }
    let mut found = Vec::new();
    let mut open = vec![((0, old.len()), (0, new.len()))];
    while let Some(((from, to), (start, end))) = open.pop() {
        let run = longest(old, new, &places, ((from, to), (start, end)));
        if run.length == 0 {
            continue;
        }
        found.push(run);
        let (after, behind) = (run.old + run.length, run.new + run.length);
        for ((from, to), (start, end)) in [((from, run.old), (start, run.new)), ((after, to), (behind, end))]
        {
            if from < to && start < end {
                open.push(((from, to), (start, end)));
            }
        }
    }
    found.sort_by_key(|run| run.old);
    found
}

/// The longest run within the given lines, the first of several.
fn longest(
    old: &[String],
    new: &[String],
    places: &BTreeMap<&str, Vec<usize>>,
    ((from, to), (start, end)): ((usize, usize), (usize, usize)),
) -> Run {
    let mut best = Run { old: from, new: start, length: 0 };
    // How long the run is that ends at a line of the new text and the last line of the old one.
    let mut ending: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, line) in old.iter().enumerate().take(to).skip(from) {
        let mut now = BTreeMap::new();
        let at = places.get(line.as_str()).map(Vec::as_slice).unwrap_or_default();
        for &j in at.iter().filter(|j| (start..end).contains(*j)) {
            let before = j.checked_sub(1).and_then(|j| ending.get(&j)).copied().unwrap_or(0);
            let length = before + 1;
            now.insert(j, length);
            if length > best.length {
                best = Run { old: i + 1 - length, new: j + 1 - length, length };
            }
        }
        ending = now;
    }
    // Common lines begin no run, but may stand at its ends.
    while best.old > from && best.new > start && old[best.old - 1] == new[best.new - 1] {
        best = Run { old: best.old - 1, new: best.new - 1, length: best.length + 1 };
    }
    while best.old + best.length < to
        && best.new + best.length < end
        && old[best.old + best.length] == new[best.new + best.length]
    {
        best.length += 1;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_difference_is_shown_with_three_lines_around() {
        let old: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        let mut new = old.clone();
        new[5] = "five".to_owned();
        assert_eq!(unified(&old, &new), "@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
        assert_eq!(unified(&old, &old), "");
    }

    #[test]
    fn six_equal_lines_between_two_differences_stay_and_seven_part_them() {
        let hunks = |old: &str, new: &str| unified(&lines(old), &lines(new)).matches("@@ -").count();
        assert_eq!(hunks("x 1 2 3 4 5 6 y", "a 1 2 3 4 5 6 b"), 1);
        assert_eq!(hunks("x 1 2 3 4 5 6 7 y", "a 1 2 3 4 5 6 7 b"), 2);
    }

    /// Expected: Python's `difflib.SequenceMatcher` on the same lines.
    #[test]
    fn the_longer_side_keeps_the_line_that_could_be_of_either() {
        let shown = unified(&lines("h { a } { b } t"), &lines("h { b } t"));
        assert_eq!(shown, "@@ -1,7 +1,4 @@\n h\n-{\n-a\n-}\n {\n b\n }\n");
    }
}
