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
        // UPSTREAM: a cell that breaks the line begins a line of its own, and a column ends at a line without it.
        let lines: Vec<Vec<&str>> = self.rows.iter().flat_map(|row| broken(row)).collect();
        let closed = |line: &[&str]| if all { line.len() } else { line.len().saturating_sub(1) };
        let mut out = String::new();
        let mut widths: Vec<usize> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            widths.truncate(closed(line));
            while widths.len() < closed(line) {
                let column = widths.len();
                let block = lines[at..].iter().take_while(|line| closed(line) > column);
                let widest = block.map(|line| width(line[column])).max().unwrap_or(0);
                widths.push((widest + padding).max(least));
            }
            for (i, cell) in line.iter().enumerate() {
                out.push_str(cell);
                let wanted = widths.get(i).copied().unwrap_or(0);
                out.push_str(&" ".repeat(wanted.saturating_sub(width(cell))));
            }
            out.push('\n');
        }
        out
    }
}

/// The lines of a row whose cells may break the line.
fn broken(row: &[String]) -> Vec<Vec<&str>> {
    let mut lines = vec![Vec::new()];
    for cell in row {
        for (i, part) in cell.split('\n').enumerate() {
            if i > 0 {
                lines.push(Vec::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(part);
            }
        }
    }
    lines
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

    #[test]
    fn a_broken_line_ends_the_columns_above_it() {
        let mut table = Table::default();
        for row in [["NAME", "DATA"], ["web", "a\nb"], ["a-long-name", "c"]] {
            table.row(row.iter().map(|c| (*c).to_owned()).collect());
        }
        assert_eq!(table.print(), "NAME   DATA\nweb    a\nb\na-long-name   c\n");
    }
}
