//! How does `describe` lay out its text?
//!
//! Lines with tabs, aligned by Go's tabwriter: a column is a run of neighbouring lines that have a cell there. Minimal width 0, tab width 8,
//! padding 2, blanks. Source: Go `text/tabwriter`, kubectl `pkg/describe` (`tabbedString`, `PrefixWriter`).

/// A text whose cells are closed by tabs.
#[derive(Default)]
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    /// Adds a line at a level of two blanks each.
    pub(crate) fn line(&mut self, level: usize, text: impl AsRef<str>) {
        self.text.push_str(&"  ".repeat(level));
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }

    /// Adds a text as it is.
    pub(crate) fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The text with its tabs.
    pub(crate) fn unaligned(self) -> String {
        self.text
    }
}

/// `True`, `False`, `<unset>`.
pub(crate) fn flag(value: &serde_json::Value) -> &'static str {
    match value.as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    }
}

const PADDING: usize = 2;

/// Aligns cells as tabwriter does.
pub(crate) fn align(text: &str) -> String {
    let lines: Vec<Vec<&str>> =
        text.strip_suffix('\n').unwrap_or(text).split('\n').map(|l| l.split('\t').collect()).collect();
    let mut widths: Vec<Vec<usize>> = lines.iter().map(|l| vec![0; l.len().saturating_sub(1)]).collect();
    let most = lines.iter().map(Vec::len).max().unwrap_or(0);
    for column in 0..most {
        let mut start = 0;
        while start < lines.len() {
            if lines[start].len() <= column + 1 {
                start += 1;
                continue;
            }
            let mut end = start;
            while end < lines.len() && lines[end].len() > column + 1 {
                end += 1;
            }
            let widest = lines[start..end].iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
            for row in &mut widths[start..end] {
                row[column] = widest + PADDING;
            }
            start = end;
        }
    }
    let mut out = String::new();
    for (line, widths) in lines.iter().zip(&widths) {
        for (i, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(i) {
                out.push_str(&" ".repeat(width.saturating_sub(cell.chars().count())));
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_cells_are_aligned() {
        assert_eq!(
            align("Name:\tweb\nNamespace:\tdefault\n\na:\tb\n"),
            "Name:       web\nNamespace:  default\n\na:  b\n"
        );
    }
}
