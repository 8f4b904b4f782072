//! What does kube-scheduler say where no node does?
//!
//! `0/N nodes are available: <counted reasons>.` and then what PostFilter made of it.
//! Source: `framework.FitError`, `RunPostFilterPlugins` and the dynamic-resources plugin's PostFilter, 1.34.

use std::collections::BTreeMap;

use crate::decision::Decision;
use crate::filter::{Ready, Walked};
use crate::plugin::Cycle;
use crate::preempt::{self, Attempt};

/// Completes the decision about a pod for which there is no node: preemption is tried, the message is written.
pub(crate) fn unschedulable(
    cycle: &Cycle,
    mut decision: Decision,
    looked: Option<(&Ready, &Walked)>,
) -> Decision {
    let claims = cycle.profile.version.has_claims();
    let all = cycle.table.len();
    let mut text = match &decision.pre_filter_rejected {
        Some(refusal) => format!("0/{all} nodes are available: {}.", refusal.reasons.join(", ")),
        None => {
            let mut reasons: Vec<(&str, usize)> = Vec::new();
            for refusal in decision.nodes.iter().filter_map(|it| it.rejected.as_ref()) {
                reasons.extend(refusal.reasons.iter().map(|it| (it.as_str(), 1)));
            }
            let narrowed_by = looked.map(|(ready, _)| ready.narrowed_by.join(" ")).unwrap_or_default();
            let absent = format!("node(s) didn't satisfy plugin(s) [{narrowed_by}]");
            reasons.push((&absent, all - decision.nodes.len()));
            fit_error(all, reasons)
        }
    };
    let attempt = preempt::preempt(cycle, looked);
    let post_filter = match &attempt {
        Attempt::Found(_) => None,
        // The dynamic-resources plugin finds no state of its own where PreFilter ended early, and ends PostFilter.
        Attempt::Failed(..) | Attempt::NotTried(_) if claims && looked.is_none() => {
            Some("not found".to_owned())
        }
        Attempt::Failed(why, _) => Some(why.clone()),
        Attempt::NotTried(why) => Some(why.to_string()),
    };
    let post_filter = post_filter.map(|why| match looked {
        None if claims => why,
        Some(_) if claims => format!("no new claims to deallocate, preemption: {why}"),
        None | Some(_) => format!("preemption: {why}"),
    });
    // Where PostFilter ended early, or did not try, nobody says anything of promises.
    decision.promise_lost = matches!(attempt, Attempt::Failed(..)) && !(claims && looked.is_none());
    if let Some(post_filter) = post_filter {
        text.push(' ');
        text.push_str(&post_filter);
    }
    decision.message = Some(text);
    match attempt {
        Attempt::Found(found) => decision.preemption = Some(found),
        Attempt::Failed(_, because) => decision.not_preempted = because,
        Attempt::NotTried(because) => decision.not_preempted = vec![because],
    }
    decision
}

/// `0/3 nodes are available: 1 Too many pods, 2 node(s) were unschedulable.`
///
/// Counted reasons are sorted as strings, so `10 …` comes before `2 …`.
pub(crate) fn fit_error<'r>(all: usize, reasons: impl IntoIterator<Item = (&'r str, usize)>) -> String {
    let mut counts = BTreeMap::new();
    for (reason, count) in reasons {
        *counts.entry(reason).or_insert(0) += count;
    }
    counts.retain(|_, count| *count > 0);
    let mut counted: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    counted.sort();
    let counted = if counted.is_empty() { String::new() } else { format!(" {}.", counted.join(", ")) };
    format!("0/{all} nodes are available:{counted}")
}
