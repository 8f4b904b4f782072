//! Which of the nodes that passed is best?

use crate::decision::{NodeVerdict, PluginScore};
use crate::plugin::{Cycle, Reach, Score};
use crate::profile::Enabled;
use crate::table::NodeRef;

/// The plugins that score this pod.
pub(crate) fn scorers(cycle: &Cycle, nodes: &[NodeRef]) -> Vec<(Enabled, Box<dyn Score>)> {
    let enabled = cycle.profile.plugins.iter();
    enabled.filter_map(|it| Some((*it, it.plugin.pre_score(cycle, nodes)?))).collect()
}

/// Those of them that look no farther.
pub(crate) fn scorers_of(cycle: &Cycle, reach: Reach) -> Vec<(Enabled, Box<dyn Score>)> {
    let near = cycle.profile.plugins.iter().filter(|it| it.plugin.reach(cycle.pod) == reach);
    near.filter_map(|it| Some((*it, it.plugin.pre_score(cycle, &[])?))).collect()
}

/// The weighted total of every node.
pub(crate) fn totals(cycle: &Cycle, nodes: &[NodeRef]) -> Vec<i64> {
    let mut totals = vec![0; nodes.len()];
    let mut scores = vec![0; nodes.len()];
    for (enabled, scorer) in scorers(cycle, nodes) {
        for (score, node) in scores.iter_mut().zip(nodes) {
            *score = scorer.score(cycle, *node);
        }
        scorer.normalize(cycle, nodes, &mut scores);
        for (total, score) in totals.iter_mut().zip(&scores) {
            *total += score * enabled.weight;
        }
    }
    totals
}

/// Writes every plugin's score, and the total, into the verdicts of the nodes that passed.
pub(crate) fn explain(cycle: &Cycle, nodes: &[NodeRef], verdicts: &mut [NodeVerdict]) {
    for (enabled, scorer) in scorers(cycle, nodes) {
        let raw: Vec<i64> = nodes.iter().map(|node| scorer.score(cycle, *node)).collect();
        let scale = scorer.scale(nodes, &raw);
        let mut normalized = raw.clone();
        scorer.normalize(cycle, nodes, &mut normalized);
        // Both are in the order of names.
        let passed = verdicts.iter_mut().filter(|it| it.rejected.is_none());
        for (((verdict, node), raw), normalized) in passed.zip(nodes).zip(raw).zip(normalized) {
            let weighted = normalized * enabled.weight;
            let arithmetic = scorer.arithmetic(cycle, *node);
            let (plugin, weight) = (enabled.plugin.name(), enabled.weight);
            verdict.scores.push(PluginScore { plugin, raw, normalized, scale, weight, weighted, arithmetic });
            verdict.total += weighted;
        }
    }
}
