//! Which what-ifs are worth offering for a decision?
//!
//! One more node, what keeps nodes out, another request, each constraint of the pod. Unlike a fix an offer need not make
//! the pod fit: the point is to see what changes.

use api::k8s::core::v1::PodSpec;
use api::quantity::Quantity;

use super::{Edit, Question, answer::Refused};
use crate::plugin::Cycle;
use crate::{Decision, PodInfo};

/// Nodes whose refusals are looked at.
const MOST_REFUSALS: usize = 3;
/// The request that is offered, if the pod asks for another.
const CPU: i64 = 100;

/// Single edits to try on a decision, in the order in which a menu shows them.
#[must_use]
pub fn offers(question: &Question, decision: &Decision) -> Vec<Edit> {
    let mut edits = Vec::new();
    let spec = question.pod.spec.as_ref();
    edits.extend(
        spec.into_iter()
            .flat_map(|it| it.scheduling_gates.iter().flatten())
            .map(|it| Edit::LiftGate { gate: it.name.clone() }),
    );
    let like = decision.node.clone().or_else(|| decision.nodes.first().map(|it| it.node.clone()));
    edits.extend(like.map(|like| Edit::AddNode { like }));
    edits.extend(at_nodes(question, decision));
    if let Some(spec) = spec {
        edits.extend(request(spec));
        edits.extend(constraints(spec));
    }
    let mut seen = Vec::new();
    edits.retain(|it| {
        let new = !seen.contains(it);
        seen.push(it.clone());
        new
    });
    edits
}

/// What would let the first refused nodes in again.
fn at_nodes(question: &Question, decision: &Decision) -> Vec<Edit> {
    let pod = PodInfo::new(question.pod);
    let cycle = Cycle { profile: question.profile, table: question.table, pod: &pod };
    let refused = decision.nodes.iter().filter_map(|it| Some((it.node.as_str(), it.rejected.as_ref()?)));
    let of = |(name, refusal): (&str, &crate::Refusal)| {
        let node = question.table.find(name)?;
        let reason = refusal.because.first()?;
        let refused = Refused { pod: question.pod, edits: &[], cycle: &cycle, node, fresh: false, reason };
        let answers = refused.answers().into_iter();
        Some(answers.filter(|it| {
            matches!(it, Edit::Uncordon { .. } | Edit::RemoveTaint { .. } | Edit::Tolerate { .. })
        }))
    };
    refused.filter_map(of).take(MOST_REFUSALS).flatten().collect()
}

fn request(spec: &PodSpec) -> Option<Edit> {
    let asked = |it: &api::k8s::core::v1::Container| {
        let requests = it.resources.as_ref()?.requests.as_ref()?;
        Some(Quantity::parse(&requests.get("cpu")?.0).ok()?.milli_value())
    };
    let container = spec.containers.iter().max_by_key(|it| asked(it).unwrap_or(0))?;
    let other = asked(container) != Some(CPU);
    other.then(|| Edit::Request {
        container: container.name.clone(),
        resource: "cpu".to_owned(),
        amount: format!("{CPU}m"),
    })
}

fn constraints(spec: &PodSpec) -> Vec<Edit> {
    let mut edits: Vec<Edit> = spec
        .node_selector
        .iter()
        .flatten()
        .map(|(key, _)| Edit::DropNodeSelector { key: key.clone() })
        .collect();
    let affinity = spec.affinity.as_ref();
    let nodes = affinity.and_then(|it| it.node_affinity.as_ref());
    if nodes.is_some_and(|it| it.required_during_scheduling_ignored_during_execution.is_some()) {
        edits.push(Edit::DropNodeAffinity);
    }
    let near = affinity.and_then(|it| it.pod_affinity.as_ref());
    let near = near.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
    let far = affinity.and_then(|it| it.pod_anti_affinity.as_ref());
    let far = far.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
    let spread = spec.topology_spread_constraints.iter().flatten();
    edits.extend(
        (0..).zip(spread).map(|(at, it)| Edit::DropSpread { at, topology_key: it.topology_key.clone() }),
    );
    edits.extend(
        (0..)
            .zip(near.into_iter().flatten())
            .map(|(at, it)| Edit::DropPodAffinity { at, topology_key: it.topology_key.clone() }),
    );
    edits.extend(
        (0..)
            .zip(far.into_iter().flatten())
            .map(|(at, it)| Edit::DropPodAntiAffinity { at, topology_key: it.topology_key.clone() }),
    );
    let init = spec.init_containers.iter().flatten();
    let ports = init.chain(&spec.containers).flat_map(|it| it.ports.iter().flatten());
    edits.extend(ports.filter_map(|it| {
        let port = it.host_port.filter(|port| *port > 0)?;
        Some(Edit::DropHostPort { port, protocol: it.protocol.clone().unwrap_or_else(|| "TCP".to_owned()) })
    }));
    edits
}
