//! What would be if nodes or the CNI's settings were others, in English.

use cluster::import::outlook::{NodeOutlook, Outlook};

use crate::words::{Mark, Step};

/// What would be of a node, its subnet, and pods that wait.
#[must_use]
pub fn would_be(it: &Outlook, node: &str) -> Vec<Step> {
    let step = |mark, text: String| Step { mark, text };
    let mut out = Vec::new();
    let here = it.nodes.iter().find(|of| of.now.name == node);
    out.extend(here.map(|of| limit(of, it.replaces_nodes)).map(|text| step(Mark::Number, text)));
    if let Some((then, of)) = here.and_then(|of| Some((of.held?, of))) {
        let now =
            of.now.held.map_or(String::new(), |now| format!(" (now {} on {})", now.addresses, now.enis));
        let enis = if then.enis == 1 { "ENI" } else { "ENIs" };
        let text = format!(
            "It would hold {} addresses on {} {enis}{now}. {} would be free for pods.",
            then.addresses, then.enis, then.spare
        );
        out.push(step(Mark::Number, text));
    }
    for subnet in &it.subnets {
        let (name, free) = (&subnet.name, subnet.free);
        out.push(match subnet.then {
            then if then < 0 => step(Mark::Bad, format!("Subnet `{name}`: {free} free, {} too few", -then)),
            then => step(Mark::Good, format!("Subnet `{name}`: free {free} → {then}")),
        });
        if let Some(blocks) = subnet.whole_blocks {
            let mark = if blocks == 0 { Mark::Bad } else { Mark::Number };
            out.push(step(mark, format!("Whole blocks for prefixes in `{name}` now: {blocks}")));
        }
    }
    if !it.pods.is_empty() {
        let placed = it.pods.iter().filter(|pod| pod.node.is_some()).count();
        let mark = if placed == it.pods.len() { Mark::Good } else { Mark::Wait };
        out.push(step(mark, format!("Pods that wait and would find a node: {placed} of {}", it.pods.len())));
    }
    if it.unable.iter().any(|name| name == node) {
        out.push(step(Mark::Bad, "A node of this type cannot hold prefixes".to_owned()));
    }
    if it.default_targets {
        let text =
            "The pods of aws-node were not given: the CNI is taken to have the settings it is shipped with";
        out.push(step(Mark::Wait, text.to_owned()));
    }
    out
}

fn limit(of: &NodeOutlook, replaced: bool) -> String {
    match replaced {
        true => format!(
            "A new {} in its place would take {} pods instead of {}.",
            of.instance_type, of.max_pods, of.now.max_pods
        ),
        false => format!("The node stays, and takes {} pods as before.", of.max_pods),
    }
}
