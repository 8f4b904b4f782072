//! Two texts in two columns (`diff -y`), and in context (`diff -c`).
//!
//! Source: GNU diffutils 3.8 `side.c`, `context.c`, and the columns of `diff.c`.

use super::Line;
use crate::{kubectl::diff::Side, text::Options};

/// Blanks between the columns at least.
const GUTTER: usize = 3;
const TAB: usize = 8;

/// Both columns.
pub(super) fn by_side(lines: &[Line], options: &Options) -> String {
    let width = options.value('W').and_then(|it| it.parse().ok()).unwrap_or(130_usize);
    let unit = TAB + GUTTER;
    let middle = (width >> 1) + (unit >> 1) + (width & unit & 1);
    let middle = middle - middle % TAB;
    let half = middle.saturating_sub(GUTTER).min(width.saturating_sub(middle));
    let second = if half > 0 { middle } else { width };
    let mut out = String::new();
    let mut row = |left: Option<&str>, mark: char, right: Option<&str>| {
        let mut column = 0;
        if let Some(left) = left {
            column = put(&mut out, left, 0, half);
        }
        if mark != ' ' {
            column = tab(&mut out, column, (half + second - 1) / 2) + 1;
            out.push(mark);
        }
        if let Some(right) = right.filter(|it| !it.is_empty()) {
            column = tab(&mut out, column, second);
            put(&mut out, right, column, half);
        }
        out.push('\n');
    };
    for group in lines.chunk_by(|x, y| (x.0 == Side::Both) == (y.0 == Side::Both)) {
        if group[0].0 == Side::Both {
            if !options.has('S') {
                group.iter().for_each(|(_, line)| row(Some(line), ' ', Some(line)));
            }
            continue;
        }
        let of = |wanted: Side| {
            group.iter().filter(move |(side, _)| *side == wanted).map(|(_, line)| line.as_str())
        };
        let (mut gone, mut come) = (of(Side::Before), of(Side::After));
        loop {
            match (gone.next(), come.next()) {
                (Some(left), Some(right)) => row(Some(left), '|', Some(right)),
                (Some(left), None) => row(Some(left), '<', None),
                (None, Some(right)) => row(None, '>', Some(right)),
                (None, None) => break,
            }
        }
    }
    out
}

/// Writes as much of a line as fits; the column it ends in.
fn put(out: &mut String, line: &str, from: usize, most: usize) -> usize {
    let line = line.split('\n').next().unwrap_or_default();
    let mut column = 0;
    for c in line.chars() {
        if c == '\t' {
            let next = (column / TAB + 1) * TAB;
            if next > most {
                break;
            }
            out.push_str(&" ".repeat(next - column));
            column = next;
            continue;
        }
        if column >= most {
            break;
        }
        out.push(c);
        column += 1;
    }
    from + column
}

/// Goes to a column, by tabs as far as they lead; the column.
fn tab(out: &mut String, mut from: usize, to: usize) -> usize {
    while from - from % TAB + TAB <= to {
        out.push('\t');
        from = from - from % TAB + TAB;
    }
    out.push_str(&" ".repeat(to.saturating_sub(from)));
    to
}

/// The hunks of `diff -c`: the lines of the first text, then those of the second.
pub(super) fn in_context(lines: &[Line], context: usize) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = lines[at..].iter().position(|(side, _)| *side != Side::Both) {
        let first = at + first;
        let start = first.saturating_sub(context).max(at);
        let mut end = first;
        for (i, (side, _)) in lines.iter().enumerate().skip(first) {
            if *side != Side::Both {
                end = i + 1;
            } else if i >= end + 2 * context {
                break;
            }
        }
        let stop = (end + context).min(lines.len());
        out.push_str("***************\n");
        for (own, other, mark) in [(Side::Before, Side::After, '*'), (Side::After, Side::Before, '-')] {
            let count = |part: &[Line]| part.iter().filter(|(side, _)| *side != other).count();
            let (before, shown) = (count(&lines[..start]), count(&lines[start..stop]));
            let range = match shown {
                0 | 1 => format!("{}", before + shown),
                _ => format!("{},{}", before + 1, before + shown),
            };
            let edge = |times: usize| mark.to_string().repeat(times);
            out.push_str(&format!("{} {range} {}\n", edge(3), edge(4)));
            if !lines[start..stop].iter().any(|(side, _)| *side == own) {
                continue;
            }
            for group in lines[start..stop].chunk_by(|x, y| (x.0 == Side::Both) == (y.0 == Side::Both)) {
                // What is gone on one side and come on the other is changed.
                let changed = group.iter().any(|(side, _)| *side == other);
                let sign = match (group[0].0 == Side::Both, changed) {
                    (true, _) => ' ',
                    (false, true) => '!',
                    (false, false) if own == Side::Before => '-',
                    (false, false) => '+',
                };
                for (_, line) in group.iter().filter(|(side, _)| *side != other) {
                    out.push_str(&format!("{sign} {line}\n"));
                }
            }
        }
        at = stop;
    }
    out
}
