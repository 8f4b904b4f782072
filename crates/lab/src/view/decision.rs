//! One scheduling decision as a table: columns are nodes, rows are plugins.
//!
//! A node's first failing filter ends its column. Filters that passed everywhere fold into one row; so do scores that
//! are the same for all. With one node left the scheduler skips scoring, and no numbers are invented. Above
//! [`OWN_COLUMNS`] nodes those with the same verdict share a column, so that a thousand nodes stay readable.

use std::collections::BTreeMap;

use api::{SimTime, k8s::core::v1::Node};
use cluster::ClusterId;
use scheduler::{
    ClusterEvent, Decision, NodeVerdict, PluginScore, Reason, Refusal, Sampled,
    decision::{Outcome, Preemption},
    formula,
    plugin::Phase,
    registry,
    requests::Amounts,
};

use super::{
    Moment,
    attempts::{Attempt, Turn, Waiting, retries},
};

/// Up to so many nodes each has a column of its own.
pub const OWN_COLUMNS: usize = 8;
/// So many totals below the winner's have columns; those below share one.
const TOTALS: usize = 4;
/// So many refusals are told apart; more are put together by plugin.
const REFUSALS: usize = 5;

/// A node's column, or that of nodes with the same verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The nodes' names; the first speaks for all.
    pub nodes: Vec<String>,
    /// Type and zone of the first, where the state still holds the node.
    pub about: String,
    /// Pods on it when the pod was looked at, and their limit.
    pub pods: (u32, u32),
    /// CPU and memory requested at that moment, in thousandths of what may be requested.
    pub load: (u32, u32),
    /// Whether it was chosen.
    pub chosen: bool,
    /// Whether it had the best total, with others.
    pub tied: bool,
    /// The filter that ended it.
    pub refused: Option<Refusal>,
    /// Lowest and highest sum of scores, if it was scored.
    pub total: Option<(i64, i64)>,
}

/// What a filter said of a column's nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterCell {
    /// It passed; with the sums that show it, where there are any.
    Passed(Vec<(&'static str, String)>),
    /// It refused.
    Refused(Refusal),
    /// It was not asked: an earlier filter had refused.
    NotReached,
}

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterRow {
    /// The plugin.
    pub plugin: &'static str,
    /// By column.
    pub cells: Vec<FilterCell>,
    /// Nodes left after it.
    pub left: usize,
    /// Whether it refused nobody.
    pub passed_everywhere: bool,
}

/// A plugin's score of a column's nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreCell {
    /// Lowest and highest weighted score.
    pub weighted: (i64, i64),
    /// The score of the first of the nodes, with its numbers.
    pub score: PluginScore,
}

/// A plugin's scores.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    /// The plugin.
    pub plugin: &'static str,
    /// What it counts for.
    pub weight: i64,
    /// By column; nothing where the node had been refused.
    pub cells: Vec<Option<ScoreCell>>,
    /// Whether all scored nodes got the same.
    pub same: bool,
    /// By how much it favours the winner over the second, where there are both and the totals differ.
    pub lead: Option<i64>,
    /// Whether no other favours it more.
    pub decided: bool,
}

/// The table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// `namespace/name` of the pod.
    pub pod: String,
    /// What it asks for.
    pub requests: Amounts,
    /// When it was made.
    pub at: SimTime,
    /// How it ended.
    pub outcome: Outcome,
    /// The node.
    pub node: Option<String>,
    /// Nodes; those that were chosen or came near first, where nodes share columns.
    pub columns: Vec<Column>,
    /// Nodes that were looked at.
    pub looked: usize,
    /// How far the scheduler went, where enough nodes had passed before it came to the last.
    pub sampled: Option<Sampled>,
    /// Names of the nodes that PreFilter left, where it left only some.
    pub narrowed: Option<Vec<String>>,
    /// Whether only the promised node was looked at.
    pub nominated_only: bool,
    /// Who refused the pod before any node was looked at.
    pub pre_filter: Option<Refusal>,
    /// Filters that had something to ask, in the scheduler's order.
    pub filters: Vec<FilterRow>,
    /// Filters that had nothing to ask about this pod.
    pub idle: Vec<&'static str>,
    /// Scores.
    pub scores: Vec<ScoreRow>,
    /// Scorers that had nothing to say about this pod.
    pub silent: Vec<&'static str>,
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
    /// What preemption found.
    pub preemption: Option<Preemption>,
    /// Why preemption found nothing.
    pub not_preempted: Vec<Reason>,
    /// What has the pod tried again.
    pub retries: Vec<ClusterEvent>,
    /// The pod's attempts up to this one and after.
    pub attempts: Vec<Attempt>,
    /// Which of them this one is; nothing for a pod that was never tried.
    pub attempt: Option<usize>,
    /// Where it stands among all decisions.
    pub turn: Option<Turn>,
    /// What the queue remembers of it at the moment that is looked at.
    pub waiting: Option<Waiting>,
}

/// What is known of a pod's way beside one decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// When the decision was made.
    pub at: SimTime,
    /// The fact that it is, if it is one.
    pub fact: Option<u64>,
    /// Where it stands among all decisions.
    pub turn: Option<Turn>,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// What the queue remembers of it.
    pub waiting: Option<Waiting>,
}

impl Table {
    /// The attempts of the same pod before this one and after it, as facts.
    #[must_use]
    pub fn other_attempts(&self) -> (Option<u64>, Option<u64>) {
        let Some(at) = self.attempt else { return (None, None) };
        let fact = |at: usize| self.attempts.get(at).map(|it| it.fact);
        (at.checked_sub(1).and_then(fact), fact(at + 1))
    }

    /// Names of the gates that keep the pod from being tried.
    #[must_use]
    pub fn gates(&self) -> Vec<&str> {
        let reasons = self.pre_filter.iter().flat_map(|it| &it.because);
        let gates =
            reasons.filter_map(|it| if let Reason::Gated { gates } = it { Some(gates) } else { None });
        gates.flatten().map(String::as_str).collect()
    }
}

/// Names of the plugins with a phase, in the order in which they run.
fn running(phase: Phase) -> Vec<&'static str> {
    let plugins = registry::default_plugins();
    plugins.iter().filter(|it| it.plugin.phases().contains(&phase)).map(|it| it.plugin.name()).collect()
}

/// A part of a whole in thousandths, as meters want it.
fn thousandths((part, whole): (i64, i64)) -> u32 {
    let share = part.saturating_mul(1000).checked_div(whole).unwrap_or(0);
    u32::try_from(share.clamp(0, 1000)).unwrap_or(0)
}

/// The table of a decision; `about` says what a node is, for the heads of the columns. How full it was is the decision's
/// own record: the state that is shown beside the table may be that of another moment.
#[must_use]
pub fn table(decision: &Decision, past: Past, about: impl Fn(&str) -> String) -> Table {
    let groups = groups(decision);
    let columns: Vec<Column> = groups.iter().map(|group| column(decision, group, &about)).collect();
    let filters = filters(decision, &groups);
    let scores = scores(decision, &groups, &columns);
    let mut totals: Vec<i64> =
        decision.nodes.iter().filter(|it| !it.scores.is_empty()).map(|it| it.total).collect();
    totals.sort_unstable_by(|a, b| b.cmp(a));
    let shown = || scores.iter().filter(|it| !it.same).flat_map(|it| it.cells.iter().flatten());
    let said: Vec<&str> = filters.iter().map(|it| it.plugin).collect();
    let scored: Vec<&str> = scores.iter().map(|it| it.plugin).collect();
    let silent = |it: &&'static str| !scored.is_empty() && !scored.contains(it);
    Table {
        pod: decision.pod.clone(),
        requests: decision.requests.clone(),
        at: past.at,
        outcome: decision.outcome,
        node: decision.node.clone(),
        looked: decision.nodes.len(),
        sampled: decision.sampled.filter(|it| it.looked_at < it.of),
        narrowed: decision.pre_filter_nodes.clone(),
        nominated_only: decision.nominated_only,
        pre_filter: decision.pre_filter_rejected.clone(),
        idle: running(Phase::Filter).into_iter().filter(|it| !said.contains(it)).collect(),
        silent: running(Phase::Score).into_iter().filter(silent).collect(),
        scale: shown().map(|it| it.weighted.1).max().unwrap_or(100).max(1),
        fit: decision.nodes.iter().filter(|it| it.rejected.is_none()).count(),
        gap: (totals.len() > 1).then(|| totals[0] - totals[1]),
        ties: if decision.ties.len() > 1 { decision.ties.clone() } else { Vec::new() },
        message: decision.message.clone(),
        preemption: decision.preemption.clone(),
        not_preempted: decision.not_preempted.clone(),
        retries: retries(decision),
        attempt: past.attempts.iter().position(|it| Some(it.fact) == past.fact),
        attempts: past.attempts,
        turn: past.turn,
        waiting: past.waiting,
        columns,
        filters,
        scores,
    }
}

/// Nodes that share a column; with few nodes each has its own, in the order of their names.
fn groups(decision: &Decision) -> Vec<Vec<&NodeVerdict>> {
    if decision.nodes.len() <= OWN_COLUMNS {
        return decision.nodes.iter().map(|it| vec![it]).collect();
    }
    let chosen = |it: &&NodeVerdict| decision.node.as_ref() == Some(&it.node);
    let mut groups: Vec<Vec<&NodeVerdict>> =
        decision.nodes.iter().filter(chosen).map(|it| vec![it]).collect();
    let mut scored: BTreeMap<_, Vec<&NodeVerdict>> = BTreeMap::new();
    for node in decision.nodes.iter().filter(|it| it.rejected.is_none() && !chosen(it)) {
        let scores: Vec<i64> = node.scores.iter().map(|it| it.weighted).collect();
        scored.entry((std::cmp::Reverse(node.total), scores)).or_default().push(node);
    }
    let mut scored = scored.into_values();
    groups.extend(scored.by_ref().take(TOTALS));
    let rest: Vec<&NodeVerdict> = scored.flatten().collect();
    if !rest.is_empty() {
        groups.push(rest);
    }
    let order = running(Phase::Filter);
    let place = |plugin: &str| order.iter().position(|it| *it == plugin);
    let refused = || decision.nodes.iter().filter_map(|it| Some((it, it.rejected.as_ref()?)));
    let mut by_words: BTreeMap<_, Vec<&NodeVerdict>> = BTreeMap::new();
    for (node, refusal) in refused() {
        by_words.entry((place(refusal.plugin), refusal.reasons.clone())).or_default().push(node);
    }
    if by_words.len() > REFUSALS {
        let mut by_plugin: BTreeMap<_, Vec<&NodeVerdict>> = BTreeMap::new();
        for (node, refusal) in refused() {
            by_plugin.entry(place(refusal.plugin)).or_default().push(node);
        }
        groups.extend(by_plugin.into_values());
    } else {
        groups.extend(by_words.into_values());
    }
    groups
}

fn ends(values: impl Iterator<Item = i64> + Clone) -> Option<(i64, i64)> {
    Some((values.clone().min()?, values.max()?))
}

fn column(decision: &Decision, group: &[&NodeVerdict], about: &impl Fn(&str) -> String) -> Column {
    let whole = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    let first = group[0];
    let scored = group.iter().filter(|it| !it.scores.is_empty());
    Column {
        nodes: group.iter().map(|it| it.node.clone()).collect(),
        about: about(&first.node),
        pods: (whole(first.load.pods.0), whole(first.load.pods.1)),
        load: (thousandths(first.load.milli_cpu), thousandths(first.load.memory)),
        chosen: decision.node.as_ref() == Some(&first.node),
        tied: decision.ties.len() > 1 && group.iter().all(|it| decision.ties.contains(&it.node)),
        refused: first.rejected.clone(),
        total: ends(scored.map(|it| it.total)),
    }
}

fn filters(decision: &Decision, groups: &[Vec<&NodeVerdict>]) -> Vec<FilterRow> {
    let order = running(Phase::Filter);
    let place = |plugin: &str| order.iter().position(|it| *it == plugin);
    let mut left = decision.nodes.len();
    let row = |plugin: &&'static str| {
        let plugin = *plugin;
        let here = place(plugin);
        let cell = |group: &Vec<&NodeVerdict>| match &group[0].rejected {
            Some(refusal) if refusal.plugin == plugin => FilterCell::Refused(refusal.clone()),
            Some(refusal) if place(refusal.plugin) < here => FilterCell::NotReached,
            Some(_) | None if plugin == "NodeResourcesFit" && group.len() == 1 => {
                FilterCell::Passed(formula::room(&group[0].load, &decision.requests))
            }
            Some(_) | None => FilterCell::Passed(Vec::new()),
        };
        let refused = decision
            .nodes
            .iter()
            .filter(|it| it.rejected.as_ref().is_some_and(|it| it.plugin == plugin))
            .count();
        left -= refused;
        let cells = groups.iter().map(cell).collect();
        FilterRow { plugin, cells, left, passed_everywhere: refused == 0 }
    };
    decision.asked.iter().map(row).collect()
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

fn scores(decision: &Decision, groups: &[Vec<&NodeVerdict>], columns: &[Column]) -> Vec<ScoreRow> {
    let Some(first) = decision.nodes.iter().find(|it| !it.scores.is_empty()) else { return Vec::new() };
    let mut rows: Vec<ScoreRow> = first
        .scores
        .iter()
        .map(|score| {
            let of = |node: &NodeVerdict| node.scores.iter().find(|it| it.plugin == score.plugin).cloned();
            let cell = |group: &Vec<&NodeVerdict>| {
                let all: Vec<PluginScore> = group.iter().filter_map(|it| of(it)).collect();
                let weighted = ends(all.iter().map(|it| it.weighted))?;
                Some(ScoreCell { weighted, score: all.into_iter().next()? })
            };
            let cells: Vec<Option<ScoreCell>> = groups.iter().map(cell).collect();
            let known = ends(cells.iter().flatten().flat_map(|it| [it.weighted.0, it.weighted.1]));
            ScoreRow {
                plugin: score.plugin,
                weight: score.weight,
                same: known.is_none_or(|(least, most)| least == most),
                cells,
                lead: None,
                decided: false,
            }
        })
        .collect();
    let winner = columns.iter().position(|c| c.chosen);
    let others = columns.iter().enumerate().filter(|(index, c)| Some(*index) != winner && c.total.is_some());
    let second = others.max_by_key(|(index, c)| (c.total.map(|it| it.1), std::cmp::Reverse(*index)));
    if let (Some(winner), Some((second, _))) = (winner, second) {
        let of = |row: &ScoreRow, column: usize| row.cells[column].as_ref().map_or(0, |it| it.weighted.1);
        let lead = |row: &ScoreRow| of(row, winner) - of(row, second);
        if columns[winner].total != columns[second].total {
            let leads: Vec<i64> = rows.iter().map(lead).collect();
            let best = leads.iter().position(|it| leads.iter().max() == Some(it) && *it > 0);
            for (at, (row, lead)) in rows.iter_mut().zip(leads).enumerate() {
                (row.lead, row.decided) = (Some(lead), best == Some(at));
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use scheduler::{
        NodeLoad,
        decision::{Arithmetic, Scale},
        plugin::Code,
    };

    use super::*;

    fn node(name: &str, total: i64) -> NodeVerdict {
        let score = PluginScore {
            plugin: "TaintToleration",
            raw: 0,
            normalized: total,
            scale: Scale::AsItIs,
            weight: 1,
            weighted: total,
            arithmetic: Arithmetic::Taints(Vec::new()),
        };
        let load = NodeLoad::default();
        NodeVerdict { node: name.to_owned(), load, rejected: None, scores: vec![score], total }
    }

    fn refused(name: &str) -> NodeVerdict {
        let refusal = Refusal {
            plugin: "NodeUnschedulable",
            code: Code::UnschedulableAndUnresolvable,
            reasons: vec![Reason::Cordoned {}.to_string()],
            because: vec![Reason::Cordoned {}],
        };
        let load = NodeLoad::default();
        NodeVerdict { node: name.to_owned(), load, rejected: Some(refusal), scores: Vec::new(), total: 0 }
    }

    fn made(nodes: Vec<NodeVerdict>, chosen: Option<&str>) -> Table {
        let mut decision = Decision::empty("default/web".to_owned(), Outcome::Unschedulable);
        decision.asked = vec!["NodeUnschedulable", "TaintToleration"];
        decision.nodes = nodes;
        decision.node = chosen.map(str::to_owned);
        table(&decision, Past::default(), |_| String::new())
    }

    #[test]
    fn the_head_of_a_column_shows_the_moment_of_the_decision() {
        let load = NodeLoad { pods: (11, 11), milli_cpu: (965, 1930), memory: (0, 0) };
        let made = made(vec![NodeVerdict { load, ..node("a", 1) }], None);
        assert_eq!(made.columns[0].pods, (11, 11));
        assert_eq!(made.columns[0].load, (500, 0));
    }

    #[test]
    fn a_refusal_ends_its_column() {
        let made = made(vec![refused("a"), node("b", 1)], Some("b"));
        assert!(matches!(made.filters[0].cells[..], [FilterCell::Refused(_), FilterCell::Passed(_)]));
        assert!(matches!(made.filters[1].cells[..], [FilterCell::NotReached, FilterCell::Passed(_)]));
        assert_eq!((made.filters[0].left, made.filters[1].passed_everywhere), (1, true));
    }

    #[test]
    fn a_thousand_nodes_share_a_few_columns() {
        let mut nodes: Vec<NodeVerdict> = (0..600).map(|n| node(&format!("n{n:03}"), n / 10)).collect();
        nodes.extend((600..1000).map(|n| refused(&format!("n{n:03}"))));
        let made = made(nodes, Some("n599"));
        let sizes: Vec<usize> = made.columns.iter().map(|it| it.nodes.len()).collect();
        assert_eq!(sizes, [1, 9, 10, 10, 10, 560, 400]);
        assert_eq!(made.columns[5].total, Some((0, 55)));
        assert_eq!((made.looked, made.fit, made.filters[0].left), (1000, 600, 600));
    }
}
