//! One scheduling decision as a table: columns are nodes, rows are plugins.
//!
//! A node's first failing filter ends its column. Filters that passed everywhere fold into one row; so do scores that
//! are the same for all. With one node left the scheduler skips scoring, and no numbers are invented.

use api::{SimTime, k8s::core::v1::Node};
use cluster::ClusterId;
use scheduler::{
    Decision,
    decision::{Arithmetic, Outcome},
};

use super::Moment;

/// A node's column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The node's name.
    pub node: String,
    /// Its type and zone, where the state still holds the node.
    pub about: String,
    /// Pods on it when the pod was looked at, and their limit.
    pub pods: (u32, u32),
    /// CPU and memory requested at that moment, in thousandths of what may be requested.
    pub load: (u32, u32),
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
    /// When it was made.
    pub at: SimTime,
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

/// A part of a whole in thousandths, as meters want it.
fn thousandths((part, whole): (i64, i64)) -> u32 {
    let share = part.saturating_mul(1000).checked_div(whole).unwrap_or(0);
    u32::try_from(share.clamp(0, 1000)).unwrap_or(0)
}

/// The table of a decision made at `at`; `about` says what a node is, for the heads of the columns. How full it was is the
/// decision's own record: the state that is shown beside the table may be that of another moment.
#[must_use]
pub fn table(decision: &Decision, at: SimTime, about: impl Fn(&str) -> String) -> Table {
    let whole = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    let columns: Vec<Column> = decision
        .nodes
        .iter()
        .map(|verdict| Column {
            about: about(&verdict.node),
            node: verdict.node.clone(),
            pods: (whole(verdict.load.pods.0), whole(verdict.load.pods.1)),
            load: (thousandths(verdict.load.milli_cpu), thousandths(verdict.load.memory)),
            chosen: decision.node.as_deref() == Some(verdict.node.as_str()),
            refused: verdict.rejected.as_ref().map(|r| (r.plugin, r.reasons.clone())),
            total: (!verdict.scores.is_empty()).then_some(verdict.total),
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
        at,
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

/// What a node is, in a few words: its instance type and its zone, as far as it has them.
#[must_use]
pub fn about_node(moment: Moment<'_>, cluster: ClusterId, name: &str) -> String {
    let node = moment.store.get::<Node>(cluster, "", name);
    let labels = node.and_then(|node| node.metadata.labels.as_ref());
    let label = |key: &str| labels.and_then(|all| all.get(key)).map(String::as_str);
    let parts = [label("node.kubernetes.io/instance-type"), label("topology.kubernetes.io/zone")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
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

#[cfg(test)]
mod tests {
    use scheduler::{NodeLoad, NodeVerdict};

    use super::*;

    #[test]
    fn the_head_of_a_column_shows_the_moment_of_the_decision() {
        let load = NodeLoad { pods: (11, 11), milli_cpu: (965, 1930), memory: (0, 0) };
        let mut decision = Decision::empty("default/web".to_owned(), Outcome::Unschedulable);
        decision.nodes =
            vec![NodeVerdict { node: "a".to_owned(), load, rejected: None, scores: Vec::new(), total: 0 }];
        let made = table(&decision, SimTime(31_000), |_| "t3.small".to_owned());
        assert_eq!(made.columns[0].pods, (11, 11));
        assert_eq!(made.columns[0].load, (500, 0));
        assert_eq!(made.at, SimTime(31_000));
    }
}
