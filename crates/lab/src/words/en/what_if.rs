//! What-ifs and fixes in English.

use scheduler::what_if::Edit;

use crate::words::what_if::{Texts, topology};

/// The texts around them.
pub const TEXTS: Texts = Texts {
    what_if: "What if",
    still: "Still",
    then: "Then",
    still_nowhere: "Still nowhere",
    then_nowhere: "Then nowhere",
    only_one: "the only one left, not scored",
    fit: "{} nodes fit",
    fresh: "the new node",
    not_applied: "Only imagined. Nothing was changed.",
    clear: "As it is",
    fixes: "It would fit",
    show_more: "Show {} more",
    cut_short: "There may be more ways: the search was cut short.",
    try_it: "Try",
    apply: "Apply in a branch",
    commands: "Commands",
    no_address: "The scheduler would place it, but the ENIs of {} serve only {} pods: it would start without an address.",
};

/// An edit in a few words.
#[must_use]
pub fn edit(edit: &Edit) -> String {
    match edit {
        Edit::LiftGate { gate } => format!("without gate {gate}"),
        Edit::Tolerate { key, value, .. } if value.is_empty() => format!("tolerate {key}"),
        Edit::Tolerate { key, value, .. } => format!("tolerate {key}={value}"),
        Edit::Request { container, resource, amount } if container.is_empty() => {
            format!("request {resource} {amount}")
        }
        Edit::Request { container, resource, amount } => format!("{container} requests {resource} {amount}"),
        Edit::DropNodeSelector { key } => format!("without nodeSelector {key}"),
        Edit::DropSpread { topology_key, .. } => format!("without spread over {}", topology(topology_key)),
        Edit::DropPodAffinity { topology_key, .. } => {
            format!("without pod affinity ({})", topology(topology_key))
        }
        Edit::DropPodAntiAffinity { topology_key, .. } => {
            format!("without anti-affinity ({})", topology(topology_key))
        }
        Edit::DropNodeAffinity => "without node affinity".to_owned(),
        Edit::DropHostPort { port, .. } => format!("without host port {port}"),
        Edit::Uncordon { node } => format!("uncordon {node}"),
        Edit::Label { node, key, value } => format!("{node} labelled {key}={value}"),
        Edit::Unlabel { node, key } => format!("{node} without label {key}"),
        Edit::RemoveTaint { node, key, .. } => format!("{node} without taint {key}"),
        Edit::AddNode { like } => format!("+1 node like {like}"),
        Edit::RaiseMaxPods { node, pods } => format!("{node} for {pods} pods"),
        Edit::DeletePod { name, .. } => format!("without pod {name}"),
    }
}
