//! What would be decided about a pod if something were different, and what would make it fit?
//!
//! Everything here is decided on copies: the world is only read. Edits stay data; what one would type for them comes with
//! each, and sentences are in `words`.

use api::kinds::cni::{IpPool, PoolMode};
use cluster::{ClusterId, World, what_if::Subject};
use scheduler::{
    Decision, Outcome,
    what_if::{Edit, fix, offers},
};

use super::{amount, pod::PodState};

/// Nodes that are named beside the chosen one.
const MOST_OTHERS: usize = 3;

/// How a decision comes out, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The node, if one does.
    pub node: Option<String>,
    /// Its total; none where it is the only one left.
    pub total: Option<i64>,
    /// The next best, with their totals.
    pub others: Vec<(String, i64)>,
    /// Nodes that pass.
    pub fit: usize,
    /// The scheduler's message, if none does.
    pub message: Option<String>,
}

/// An imagined decision beside the one as things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ghost {
    /// As things are.
    pub now: Outlook,
    /// With the edits.
    pub then: Outlook,
    /// The fresh node's name in `then`.
    pub fresh: String,
    /// What one would type; none where no line does.
    pub commands: Option<Vec<String>>,
}

/// What a fix does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caution {
    /// The node would hold more pods than its ENIs have addresses: so many.
    NoAddress(String, u32),
}

/// A way to make the pod fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixView {
    /// The edits.
    pub edits: Vec<Edit>,
    /// The node it would take; none for one that is yet to come.
    pub node: Option<String>,
    /// What one types.
    pub commands: Vec<String>,
    /// What it leads to beyond the scheduler's question.
    pub caution: Option<Caution>,
}

/// What can be asked about a pod's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// Single edits to try.
    pub offers: Vec<Edit>,
    /// The smallest sets of edits after which it fits, if it does not.
    pub fixes: Vec<FixView>,
    /// Whether there may be more of them.
    pub cut_short: bool,
}

impl Outlook {
    fn of(decision: &Decision) -> Self {
        let chosen = |node: &str| decision.node.as_deref() == Some(node);
        let mut scored: Vec<_> = decision.nodes.iter().filter(|it| !it.scores.is_empty()).collect();
        scored.sort_by_key(|it| (std::cmp::Reverse(it.total), it.node.as_str()));
        let others = scored.iter().filter(|it| !chosen(&it.node)).take(MOST_OTHERS);
        Self {
            node: decision.node.clone(),
            total: scored.iter().find(|it| chosen(&it.node)).map(|it| it.total),
            others: others.map(|it| (it.node.clone(), it.total)).collect(),
            fit: decision.feasible().count(),
            message: decision.message.clone().filter(|_| decision.node.is_none()),
        }
    }
}

fn subject<'w>(world: &'w World, cluster: ClusterId, pod: &str) -> Option<Subject<'w>> {
    let (namespace, name) = pod.split_once('/')?;
    Subject::of(world, cluster, namespace, name)
}

/// What the scheduler says of a pod that it does not try because of its gates; nothing for another pod.
#[must_use]
pub fn gated(world: &World, cluster: ClusterId, pod: &str) -> Option<Decision> {
    let subject = subject(world, cluster, pod)?;
    if super::pod::state(subject.pod) != PodState::Gated {
        return None;
    }
    Some(subject.ask(|it| it.decide(&[]))).filter(|it| it.outcome == Outcome::Gated)
}

/// What can be asked about a pod, called `namespace/name`; nothing if it is not there.
#[must_use]
pub fn what_if(world: &World, cluster: ClusterId, pod: &str) -> Option<WhatIf> {
    let subject = subject(world, cluster, pod)?;
    let (offers, found, fresh) = subject.ask(|it| {
        let now = it.decide(&[]);
        let found = (now.outcome != Outcome::Scheduled).then(|| fix::smallest(it));
        (offers(it, &now), found.unwrap_or_default(), it.fresh_name())
    });
    let typed = shell::lab::what_if::typed(&subject, found.fixes).into_iter();
    let fixes = typed.map(|(fix, commands)| {
        let caution = fix.edits.iter().find_map(|it| caution(world, cluster, it));
        FixView { node: (fix.node != fresh).then_some(fix.node), commands, caution, edits: fix.edits }
    });
    let fixes: Vec<FixView> = fixes.collect();
    Some(WhatIf { offers, cut_short: !fixes.is_empty() && !found.complete, fixes })
}

/// The decision about a pod with edits; nothing if the pod is not there.
#[must_use]
pub fn ghost(world: &World, cluster: ClusterId, pod: &str, edits: &[Edit]) -> Option<Ghost> {
    let subject = subject(world, cluster, pod)?;
    Some(subject.ask(|it| Ghost {
        now: Outlook::of(&it.decide(&[])),
        then: Outlook::of(&it.decide(edits)),
        fresh: it.fresh_name(),
        commands: shell::lab::what_if::commands(&subject, edits),
    }))
}

/// The scheduler counts pods, the CNI addresses: a higher limit is only as good as the ENIs of the node.
fn caution(world: &World, cluster: ClusterId, edit: &Edit) -> Option<Caution> {
    let Edit::RaiseMaxPods { node, pods } = edit else { return None };
    let pool = world.store().get::<IpPool>(cluster, "", node)?;
    let labels =
        world.store().get::<api::k8s::core::v1::Node>(cluster, "", node)?.metadata.labels.as_ref()?;
    let (enis, addresses) = amount::card_limits(labels.get("node.kubernetes.io/instance-type")?)?;
    let most = cni::max_pods::formula(enis, addresses);
    let beyond = pool.mode == PoolMode::SecondaryIp && *pods > i64::from(most);
    beyond.then(|| Caution::NoAddress(node.clone(), most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Session, library};

    /// A session in a fixture after some lines.
    fn session(fixture: &str, lines: &[&str]) -> Session {
        let scenario = library::scenario(fixture).expect("a fixture");
        let mut session = Session::new(scenario, 1).expect("a session");
        lines.iter().for_each(|line| drop(session.run_line(line)));
        session
    }

    const CLUSTER: ClusterId = ClusterId(1);

    #[test]
    fn a_pod_that_fits_nowhere_has_fixes_and_each_has_its_command() {
        let session = session(
            "duo",
            &["kubectl cordon worker-a worker-b", "kubectl run web --image=nginx", "lab wait 5s"],
        );
        let view = what_if(session.world(), CLUSTER, "default/web").expect("a view");
        let commands: Vec<&str> = view.fixes.iter().flat_map(|it| &it.commands).map(String::as_str).collect();
        let scaled = "eksctl scale nodegroup --cluster=podpath --name=small --nodes=3";
        assert_eq!(commands, ["kubectl uncordon worker-a", "kubectl uncordon worker-b", scaled]);
    }

    #[test]
    fn a_ghost_says_where_the_pod_would_go_and_changes_nothing() {
        let session = session("duo", &["kubectl run web --image=nginx", "lab wait idle"]);
        let before = session.digest();
        let edits = [Edit::AddNode { like: "worker-a".to_owned() }];
        let ghost = ghost(session.world(), CLUSTER, "default/web", &edits).expect("a ghost");
        assert_eq!((ghost.now.fit, ghost.then.fit), (2, 3));
        assert_eq!(ghost.then.node.as_deref(), Some("new-node"));
        assert_eq!(session.digest(), before);
    }

    #[test]
    fn a_gated_pod_is_held_by_its_gates_and_its_fix_is_to_lift_them() {
        let gates = r#"kubectl run web --image=nginx --overrides='{"spec":{"schedulingGates":[{"name":"example.com/quota"}]}}'"#;
        let session = session("duo", &[gates, "lab wait idle"]);
        let decision = gated(session.world(), CLUSTER, "default/web").expect("a gated pod");
        let refusal = decision.pre_filter_rejected.expect("a refusal");
        assert_eq!(refusal.plugin, "SchedulingGates");
        assert_eq!(refusal.reasons, ["waiting for scheduling gates: [example.com/quota]"]);
        let view = what_if(session.world(), CLUSTER, "default/web").expect("a view");
        assert_eq!(view.fixes[0].edits, [Edit::LiftGate { gate: "example.com/quota".to_owned() }]);
    }
}
