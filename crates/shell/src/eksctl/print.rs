//! How does `eksctl get` print what it found?
//!
//! Source: eksctl `pkg/printers`; kops `util/pkg/tables`.

use serde::Serialize;

use crate::{flag::Given, tool::Call};

/// What `--output` asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Columns.
    Table,
    /// JSON, four blanks deep.
    Json,
    /// YAML, its fields by name.
    Yaml,
}

impl Form {
    /// # Errors
    /// In eksctl's words, for another word.
    pub fn of(given: &Given) -> Result<Self, String> {
        match given.value("output") {
            None | Some("table") => Ok(Self::Table),
            Some("json") => Ok(Self::Json),
            Some("yaml") => Ok(Self::Yaml),
            Some(other) => Err(format!(
                "Error: unknown output printer type: expected {{\"yaml\",\"json\",\"table\"}} but got {other:?}"
            )),
        }
    }
}

/// Prints what was found, in one of the forms that are not a table.
pub(super) fn data<T: Serialize>(call: &mut Call<'_, '_>, form: Form, all: &[T]) {
    if form == Form::Yaml {
        call.out.out(&api::emit::yaml(&serde_json::to_value(all).unwrap_or_default()));
        return;
    }
    let mut text = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    // Writing into memory does not fail.
    let _ = all.serialize(&mut serde_json::Serializer::with_formatter(&mut text, format));
    call.out.out(&String::from_utf8_lossy(&text));
}

/// A table, its rows in the order of their columns.
pub(super) fn table(header: &[&str], mut rows: Vec<Vec<String>>) -> String {
    rows.sort();
    rows.insert(0, header.iter().map(|&it| it.to_owned()).collect());
    tabbed(&rows)
}

/// Columns filled with tabs of eight. Source: Go's `text/tabwriter` with the tab as its padding.
fn tabbed(rows: &[Vec<String>]) -> String {
    const TAB: usize = 8;
    let width = |column: usize| {
        let widest = rows.iter().filter_map(|row| row.get(column)).map(|it| it.chars().count()).max();
        (widest.unwrap_or(0) + 1).next_multiple_of(TAB)
    };
    let mut out = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            out.push_str(cell);
            let tabs = (width(column) - cell.chars().count()).div_ceil(TAB);
            out.push_str(&if column + 1 < row.len() { "\t".repeat(tabs) } else { "\n".to_owned() });
        }
    }
    out
}
