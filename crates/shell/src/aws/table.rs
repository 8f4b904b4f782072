//! `--output table`.
//!
//! A section for each structure and each list in it, its title over its columns; too wide for the terminal, rows stand upright.
//! Source: AWS CLI 2, `awscli/formatter.py` (`TableFormatter`), `awscli/table.py`.

use super::{
    order::Tree,
    show::{is_scalar, text},
};

/// Columns of a terminal that says nothing about itself.
const TERMINAL: usize = 80;

/// Draws an answer; nothing of an empty one.
/// # Errors
/// In the words of the CLI: a list of lists that have not the same length.
pub(super) fn draw(title: &str, answer: &Tree) -> Result<String, String> {
    let mut table = Table::default();
    if !table.build(Some(title), answer, 0)? {
        return Ok(String::new());
    }
    let mut width = table.width();
    if width > TERMINAL {
        table.sections.iter_mut().for_each(Section::stand_upright);
        width = table.width();
    }
    let mut out = format!("{}\n", "-".repeat(width));
    for section in &table.sections {
        section.draw(width, &mut out);
    }
    Ok(out)
}

#[derive(Default)]
struct Table {
    sections: Vec<Section>,
}

#[derive(Default)]
struct Section {
    title: String,
    indent: usize,
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Names whose values are scalars, and the others, both sorted.
fn split(fields: &[(String, Tree)]) -> (Vec<&String>, Vec<&String>) {
    let (mut flat, mut deep) = (Vec::new(), Vec::new());
    for (name, value) in fields {
        if is_scalar(value) { flat.push(name) } else { deep.push(name) }
    }
    flat.sort();
    deep.sort();
    (flat, deep)
}

fn find<'t>(fields: &'t [(String, Tree)], name: &str) -> Option<&'t Tree> {
    fields.iter().find(|(given, _)| given == name).map(|(_, value)| value)
}

impl Table {
    fn width(&self) -> usize {
        self.sections.iter().map(Section::width).max().unwrap_or_default()
    }

    fn begin(&mut self, title: &str, indent: usize) {
        self.sections.push(Section { title: title.to_owned(), indent, ..Section::default() });
    }

    fn row(&mut self, row: Vec<String>) -> Result<(), String> {
        let Some(section) = self.sections.last_mut() else { return Ok(()) };
        let columns = section.columns();
        if columns.is_some_and(|columns| columns != row.len()) {
            let (has, wanted) = (row.len(), columns.unwrap_or_default());
            return Err(format!("Row should have {wanted} elements, instead it has {has}"));
        }
        section.rows.push(row);
        Ok(())
    }

    fn build(&mut self, title: Option<&str>, current: &Tree, indent: usize) -> Result<bool, String> {
        let empty = match current {
            Tree::Scalar(_) => true,
            Tree::List(items) => items.is_empty(),
            Tree::Fields(fields) => fields.is_empty(),
        };
        if empty {
            return Ok(false);
        }
        if let Some(title) = title {
            self.begin(title, indent);
        }
        match current {
            Tree::List(items) if matches!(items.first(), Some(Tree::Fields(_))) => {
                self.list(items, indent, title.unwrap_or_default())?;
            }
            Tree::List(items) => {
                for item in items {
                    match item {
                        Tree::List(cells) if cells.iter().all(is_scalar) => {
                            self.row(cells.iter().map(text).collect())?;
                        }
                        Tree::Scalar(_) => self.row(vec![text(item)])?,
                        deep => _ = self.build(None, deep, 0)?,
                    }
                }
            }
            Tree::Fields(fields) => self.fields(fields, indent)?,
            Tree::Scalar(_) => {}
        }
        Ok(true)
    }

    fn fields(&mut self, fields: &[(String, Tree)], indent: usize) -> Result<(), String> {
        let (flat, deep) = split(fields);
        let cell = |name: &&String| find(fields, name).map(text).unwrap_or_default();
        match flat.as_slice() {
            [] => {}
            [only] => self.row(vec![(*only).clone(), cell(only)])?,
            all => {
                let row = all.iter().map(cell).collect();
                if let Some(section) = self.sections.last_mut() {
                    section.headers = all.iter().map(|name| (*name).clone()).collect();
                }
                self.row(row)?;
            }
        }
        for name in deep {
            if let Some(value) = find(fields, name) {
                self.build(Some(name), value, indent + 1)?;
            }
        }
        Ok(())
    }

    fn list(&mut self, items: &[Tree], indent: usize, title: &str) -> Result<(), String> {
        let all: Vec<&[(String, Tree)]> = items
            .iter()
            .filter_map(|item| if let Tree::Fields(fields) = item { Some(fields.as_slice()) } else { None })
            .collect();
        let (mut headers, mut more) = (Vec::new(), Vec::new());
        for fields in &all {
            let (flat, deep) = split(fields);
            headers.extend(flat.into_iter().cloned());
            more.extend(deep.into_iter().cloned());
        }
        for names in [&mut headers, &mut more] {
            names.sort();
            names.dedup();
        }
        for (at, fields) in all.iter().enumerate() {
            if at > 0 && !more.is_empty() {
                self.begin(title, indent);
            }
            if let Some(section) = self.sections.last_mut() {
                section.headers.clone_from(&headers);
            }
            self.row(headers.iter().map(|name| find(fields, name).map(text).unwrap_or_default()).collect())?;
            for name in &more {
                if let Some(value) = find(fields, name) {
                    self.build(Some(name), value, indent + 1)?;
                }
            }
        }
        Ok(())
    }
}

/// Columns of a text: wide letters take two. Source: `unicodedata.east_asian_width`, W and F of Hangul, kana and CJK.
fn length(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

impl Section {
    fn columns(&self) -> Option<usize> {
        if self.headers.is_empty() { self.rows.first().map(Vec::len) } else { Some(self.headers.len()) }
    }

    fn natural(&self) -> Vec<usize> {
        let mut widths = vec![0; self.columns().unwrap_or_default()];
        let headers = (!self.headers.is_empty()).then_some(&self.headers);
        for row in headers.into_iter().chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(length(cell));
            }
        }
        widths.into_iter().map(|width| width + 4).collect()
    }

    fn width(&self) -> usize {
        let outer = 2 * self.indent;
        let rows: usize = self.natural().iter().sum::<usize>() + 2 + outer;
        (length(&self.title) + 2 + outer).max(rows)
    }

    fn stand_upright(&mut self) {
        if self.rows.len() == 1 && !self.headers.is_empty() {
            let row = self.rows.pop().unwrap_or_default();
            let headers = std::mem::take(&mut self.headers);
            self.rows = headers.into_iter().zip(row).map(|(name, value)| vec![name, value]).collect();
        }
    }

    /// The columns' widths, stretched to the table's.
    fn stretched(&self, width: usize) -> Vec<usize> {
        let natural = self.natural();
        let sum: usize = natural.iter().sum::<usize>().max(1);
        // UPSTREAM: Python rounds a half to the even number.
        let mut scaled: Vec<usize> = natural
            .iter()
            .map(|natural| {
                let (whole, rest) = (natural * width / sum, natural * width % sum);
                whole + usize::from(2 * rest > sum || (2 * rest == sum && whole % 2 == 1))
            })
            .collect();
        let mut total: usize = scaled.iter().sum();
        while total > width && scaled.iter().any(|width| *width > 0) {
            for column in &mut scaled {
                if total > width && *column > 0 {
                    *column -= 1;
                    total -= 1;
                }
            }
        }
        while total < width && !scaled.is_empty() {
            for column in scaled.iter_mut().rev() {
                if total < width {
                    *column += 1;
                    total += 1;
                }
            }
        }
        scaled
    }

    fn draw(&self, width: usize, out: &mut String) {
        let edge = "|".repeat(self.indent);
        let width = width.saturating_sub(2 * self.indent);
        let mut line = |text: &str| out.push_str(&format!("{edge}{text}{edge}\n"));
        if !self.title.is_empty() {
            line(&centered(&self.title, width, "|"));
            if self.headers.is_empty() && self.rows.is_empty() {
                line(&format!("+{}+", "-".repeat(width.saturating_sub(2))));
            }
        }
        let widths = self.stretched(width);
        let rule: String = widths
            .iter()
            .enumerate()
            .map(|(at, width)| {
                let (left, dashes) =
                    if at == 0 { ("+", width.saturating_sub(2)) } else { ("", width.saturating_sub(1)) };
                format!("{left}{}+", "-".repeat(dashes))
            })
            .collect();
        let cells = |row: &[String], cell: &dyn Fn(&str, usize, &str) -> String| -> String {
            let left = |at: usize| if at == 0 { "|" } else { "" };
            row.iter()
                .zip(&widths)
                .enumerate()
                .map(|(at, (text, width))| cell(text, *width, left(at)))
                .collect()
        };
        if !self.headers.is_empty() {
            line(&rule);
            line(&cells(&self.headers, &centered));
        }
        // UPSTREAM: a list whose structures hold nothing flat has rows without a column.
        if !widths.is_empty() && !self.rows.is_empty() {
            line(&rule);
            self.rows.iter().for_each(|row| line(&cells(row, &aligned)));
            line(&rule);
        }
    }
}

fn centered(text: &str, width: usize, left: &str) -> String {
    let before = (width / 2).saturating_sub(length(text) / 2 + 1);
    let after = width.saturating_sub(1 + length(left) + before + length(text));
    format!("{left}{}{text}{}|", " ".repeat(before), " ".repeat(after))
}

fn aligned(text: &str, width: usize, left: &str) -> String {
    let padding = if width > length(text) + 2 + length(left) { 2 } else { 0 };
    let after = width.saturating_sub(length(left) + padding + length(text) + 1);
    format!("{left}{}{text}{}|", " ".repeat(padding), " ".repeat(after))
}
