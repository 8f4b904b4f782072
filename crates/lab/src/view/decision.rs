//! One scheduling decision as a table: columns are nodes, rows are plugins.
//!
//! A node's first failing filter ends its column. Filters that passed everywhere fold into one row; so do scores that
//! are the same for all. With one node left the scheduler skips scoring, and no numbers are invented.

use scheduler::{
    Decision,
    decision::{Arithmetic, Outcome},
};

/// A node's column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The node's name.
    pub node: String,
    /// Pods and their limit, as far as known.
    pub pods: Option<(u32, u32)>,
    /// Requested CPU and memory, in thousandths.
    pub load: Option<(u32, u32)>,
    /// Whether it was chosen.
    pub chosen: bool,
    /// The filter that ended it, and its reasons.
    pub refused: Option<(&'static str, Vec<String>)>,
    /// Sum of its scores, if it was scored.
    pub total: Option<i64>,
}

/// What a filter said of one node.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterCell {
    /// It passed.
    Passed,
    /// It refused, with these reasons.
    Refused(Vec<String>),
    /// It was not asked: an earlier filter had refused.
    NotReached,
}

/// A filter that refused some node.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterRow {
    /// The plugin.
    pub plugin: &'static str,
    /// By column.
    pub cells: Vec<FilterCell>,
    /// Nodes left after it.
    pub left: usize,
}

/// A plugin's scores.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    /// The plugin.
    pub plugin: &'static str,
    /// What it counts for.
    pub weight: i64,
    /// Weighted scores by column; nothing where the node had been refused.
    pub cells: Vec<Option<i64>>,
    /// The numbers behind each.
    pub arithmetic: Vec<Option<Arithmetic>>,
    /// Whether all scored nodes got the same.
    pub same: bool,
    /// By how much it favours the winner over the second, if it decided.
    pub decided: Option<i64>,
}

/// The table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// `namespace/name` of the pod.
    pub pod: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Nodes, in the order in which they were looked at.
    pub columns: Vec<Column>,
    /// Filters that refused somebody, in the scheduler's order.
    pub filters: Vec<FilterRow>,
    /// Scores.
    pub scores: Vec<ScoreRow>,
    /// The largest weighted score that is not folded: the end of the bars' scale.
    pub scale: i64,
    /// Nodes that passed all filters.
    pub fit: usize,
    /// Difference between the best total and the next.
    pub gap: Option<i64>,
    /// Nodes with the same best total, if the seeded draw had to choose.
    pub ties: Vec<String>,
    /// Upstream's message.
    pub message: Option<String>,
}

/// Order in which filters of a cycle run. Source: kube-scheduler 1.34, default plugins by `getDefaultPlugins`.
const FILTERS: &[&str] = &[
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
];

fn place(plugin: &str) -> usize {
    FILTERS.iter().position(|name| *name == plugin).unwrap_or(FILTERS.len())
}

/// How full a node is: pods and limit, CPU and memory in thousandths.
pub type Load = ((u32, u32), (u32, u32));

/// The table of a decision; `load` says how full a node is, for the heads of the columns.
#[must_use]
pub fn table(decision: &Decision, load: impl Fn(&str) -> Option<Load>) -> Table {
    let columns: Vec<Column> = decision
        .nodes
        .iter()
        .map(|verdict| {
            let full = load(&verdict.node);
            Column {
                node: verdict.node.clone(),
                pods: full.map(|l| l.0),
                load: full.map(|l| l.1),
                chosen: decision.node.as_deref() == Some(verdict.node.as_str()),
                refused: verdict.rejected.as_ref().map(|r| (r.plugin, r.reasons.clone())),
                total: (!verdict.scores.is_empty()).then_some(verdict.total),
            }
        })
        .collect();
    let mut plugins: Vec<&'static str> =
        columns.iter().filter_map(|c| c.refused.as_ref().map(|r| r.0)).collect();
    plugins.sort_by_key(|plugin| (place(plugin), *plugin));
    plugins.dedup();
    let mut left = columns.len();
    let filters = plugins
        .into_iter()
        .map(|plugin| {
            let cells: Vec<FilterCell> = columns
                .iter()
                .map(|column| match &column.refused {
                    Some((by, reasons)) if *by == plugin => FilterCell::Refused(reasons.clone()),
                    Some((by, _)) if place(by) < place(plugin) => FilterCell::NotReached,
                    Some(_) | None => FilterCell::Passed,
                })
                .collect();
            left -= cells.iter().filter(|c| matches!(c, FilterCell::Refused(_))).count();
            FilterRow { plugin, cells, left }
        })
        .collect();
    let mut totals: Vec<i64> = columns.iter().filter_map(|c| c.total).collect();
    totals.sort_unstable_by(|a, b| b.cmp(a));
    let scores = scores(decision, &columns);
    Table {
        pod: decision.pod.clone(),
        outcome: decision.outcome,
        fit: columns.iter().filter(|c| c.refused.is_none()).count(),
        scale: scores
            .iter()
            .filter(|s| !s.same)
            .flat_map(|s| s.cells.iter().flatten())
            .copied()
            .max()
            .unwrap_or(100)
            .max(1),
        gap: (totals.len() > 1).then(|| totals[0] - totals[1]),
        ties: if decision.ties.len() > 1 { decision.ties.clone() } else { Vec::new() },
        message: decision.message.clone(),
        columns,
        filters,
        scores,
    }
}

fn scores(decision: &Decision, columns: &[Column]) -> Vec<ScoreRow> {
    let Some(first) = decision.nodes.iter().find(|v| !v.scores.is_empty()) else { return Vec::new() };
    let winner = columns.iter().position(|c| c.chosen);
    let second = columns
        .iter()
        .enumerate()
        .filter(|(index, c)| Some(*index) != winner && c.total.is_some())
        .max_by_key(|(index, c)| (c.total, std::cmp::Reverse(*index)))
        .map(|(index, _)| index);
    let mut rows: Vec<ScoreRow> = first
        .scores
        .iter()
        .map(|score| {
            let of = |verdict: &scheduler::decision::NodeVerdict| {
                verdict.scores.iter().find(|s| s.plugin == score.plugin).cloned()
            };
            let all: Vec<_> = decision.nodes.iter().map(of).collect();
            let cells: Vec<Option<i64>> = all.iter().map(|s| s.as_ref().map(|s| s.weighted)).collect();
            let known: Vec<i64> = cells.iter().flatten().copied().collect();
            ScoreRow {
                plugin: score.plugin,
                weight: score.weight,
                same: known.windows(2).all(|pair| pair[0] == pair[1]),
                arithmetic: all.into_iter().map(|s| s.map(|s| s.arithmetic)).collect(),
                cells,
                decided: None,
            }
        })
        .collect();
    if let (Some(winner), Some(second)) = (winner, second) {
        let lead = |row: &ScoreRow| row.cells[winner].unwrap_or(0) - row.cells[second].unwrap_or(0);
        let best = rows.iter().map(&lead).max().unwrap_or(0);
        if best > 0
            && let Some(row) = rows.iter_mut().find(|row| lead(row) == best)
        {
            row.decided = Some(best);
        }
    }
    rows
}
