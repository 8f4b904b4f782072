//! Who reaches whom?

use crate::{Network, Probe, Verdict, trace};

/// What came of one question; none where somebody would ask itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// How it ended.
    pub verdict: Verdict,
    /// What stopped it first.
    pub blocker: Option<String>,
}

/// What comes of every end (a row) asking every other (a column). `asked` makes the question of a row and a column.
#[must_use]
pub fn cells(
    network: &Network,
    ends: &[String],
    asked: impl Fn(&str, &str) -> Option<Probe>,
) -> Vec<Vec<Option<Cell>>> {
    let cell = |from: &String, to: &String| {
        let found = trace(network, &asked(from, to).filter(|_| from != to)?);
        Some(Cell { verdict: found.verdict(), blocker: found.blockers.into_iter().next().map(|it| it.code) })
    };
    ends.iter().map(|from| ends.iter().map(|to| cell(from, to)).collect()).collect()
}

/// Whether each pod (a row) reaches each pod (a column) on a port; a pod always reaches itself.
#[must_use]
pub fn pods(network: &Network, names: &[String], port: u16, proto: &str) -> Vec<Vec<bool>> {
    let asked = |from: &str, to: &str| {
        let (from, to, proto) = (format!("pod:{from}"), format!("pod:{to}"), proto.to_owned());
        Some(Probe { from, to, port, proto, ..Probe::default() })
    };
    let reached = |cell: Option<Cell>| cell.is_none_or(|it| it.verdict == Verdict::Reached);
    cells(network, names, asked).into_iter().map(|row| row.into_iter().map(reached).collect()).collect()
}
