//! Where do the columns of a table stand?
//!
//! Cells are left-aligned and three blanks apart; the last column is not padded. Source: kubernetes `pkg/printers/tableprinter.go` with
//! its tabwriter (minimal width 6, tab width 4, padding 3).

/// Rows of cells.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

/// The least width of a cell with its padding.
const LEAST: usize = 6;
/// Blanks between columns.
const PADDING: usize = 3;

impl Table {
    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The text of all rows.
    #[must_use]
    pub fn print(&self) -> String {
        self.with(LEAST, PADDING, false)
    }

    /// The text of all rows in other measures; `all` pads the last column too.
    #[must_use]
    pub fn with(&self, least: usize, padding: usize, all: bool) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| {
                let widest = self.rows.iter().filter_map(|r| r.get(i)).map(|c| width(c)).max().unwrap_or(0);
                (widest + padding).max(least)
            })
            .collect();
        let mut out = String::new();
        for row in &self.rows {
            for (i, cell) in row.iter().enumerate() {
                out.push_str(cell);
                if i + 1 < row.len() || all {
                    out.push_str(&" ".repeat(widths[i].saturating_sub(width(cell))));
                }
            }
            out.push('\n');
        }
        out
    }
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_three_blanks_apart() {
        let mut table = Table::default();
        for row in [["NAME", "READY"], ["a-long-name", "1/1"]] {
            table.row(row.iter().map(|c| (*c).to_owned()).collect());
        }
        assert_eq!(table.print(), "NAME          READY\na-long-name   1/1\n");
    }
}
