//! The steps of a story, in the order in which they happened.
//!
//! Facts are many; a story is told in beats: the request's stages, the door, the scheduler, the node, the address,
//! running. Each beat stands for one fact and keeps its moment, so that the picture can be shown as it was then.

use std::{collections::BTreeSet, rc::Rc};

use api::{
    Kind, Resource, SimTime,
    k8s::core::v1::Pod,
    kinds::aws::{Attachment, Eni},
};
use cluster::{
    Asked, Change, Fact, What,
    request::{Refused, Stage},
};

use super::{
    pod::{self, PodState},
    reason::{self, Reason, Record},
};

/// What a beat shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BeatKind {
    /// A request flies to the API server.
    Request,
    /// It knows who asks.
    Authentication,
    /// They may.
    Authorization,
    /// Defaults, rewrites, checks.
    Admission,
    /// It is written down.
    Storage,
    /// The pod stands at the door.
    Door,
    /// The scheduler looks at the nodes.
    Schedule,
    /// The pod has a node.
    Bind,
    /// The node's kubelet has taken it.
    Kubelet,
    /// The pod has an address.
    Address,
    /// The pod runs.
    Running,
    /// No node fits.
    Misfit,
    /// An ENI comes.
    Attach,
    /// Something goes.
    Gone,
    /// The rules of a Service change on every node at once.
    Rules,
    /// The request was refused.
    Refused,
}

impl BeatKind {
    /// How long it is shown at full speed, in milliseconds.
    #[must_use]
    pub fn millis(self) -> u32 {
        match self {
            BeatKind::Request => 120,
            BeatKind::Authentication | BeatKind::Authorization | BeatKind::Admission | BeatKind::Storage => {
                90
            }
            BeatKind::Kubelet => 120,
            BeatKind::Door | BeatKind::Address | BeatKind::Misfit | BeatKind::Gone => 180,
            BeatKind::Schedule => 340,
            BeatKind::Bind => 430,
            BeatKind::Running | BeatKind::Rules => 100,
            BeatKind::Attach => 600,
            BeatKind::Refused => 250,
        }
    }
}

/// One step of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Number of its fact.
    pub seq: u64,
    /// Its moment.
    pub at: SimTime,
    /// What it shows.
    pub kind: BeatKind,
    /// What it is about, as the scene knows it.
    pub id: String,
    /// A name or address to say with it.
    pub detail: String,
    /// What stands behind it.
    pub reason: Reason,
}

fn id(kind: &str, namespace: &str, name: &str) -> String {
    super::feed::scene_id(kind, namespace, name)
}

/// The beats of a request that passed: each stands for one or more of the server's stages.
const STAGES: [(BeatKind, &[Stage]); 4] = [
    (BeatKind::Authentication, &[Stage::Authentication]),
    (BeatKind::Authorization, &[Stage::Authorization, Stage::Impersonation]),
    (
        BeatKind::Admission,
        &[Stage::MutatingAdmission, Stage::Decoding, Stage::Validation, Stage::ValidatingAdmission],
    ),
    (BeatKind::Storage, &[Stage::Storage]),
];

/// The beats of some facts.
#[must_use]
pub fn beats<'f>(facts: impl Iterator<Item = &'f Rc<Fact>>) -> Vec<Beat> {
    let mut out = Vec::new();
    let mut seen: BTreeSet<(BeatKind, String)> = BTreeSet::new();
    let mut record = Record::default();
    for fact in facts {
        record.follow(fact);
        let mut push = |kind: BeatKind, id: String, detail: String, reason: Reason| {
            // A pod runs once in a story, whatever its status says again later.
            let once =
                matches!(kind, BeatKind::Misfit | BeatKind::Running | BeatKind::Schedule | BeatKind::Address);
            if !once || seen.insert((kind, id.clone())) {
                out.push(Beat { seq: fact.seq, at: fact.at, kind, id, detail, reason });
            }
        };
        match &fact.what {
            What::Asked(asked) => request_beats(asked, &mut push),
            What::Changed(change) => change_beats(change, &record, &mut push),
            What::Decided(_) | What::Planned(_) | What::Traced(_) | What::Noted(_) => {}
        }
    }
    out
}

fn request_beats(asked: &Asked, push: &mut impl FnMut(BeatKind, String, String, Reason)) {
    let writes = matches!(asked.verb, "create" | "update" | "patch" | "delete" | "deletecollection");
    let missing = |no: &Refused| !writes && no.code == 404;
    if !writes && asked.refused.as_ref().is_none_or(missing) {
        return;
    }
    let about = format!("{}/{}", asked.kind.map_or("", |kind| kind.info().kind), asked.name);
    push(BeatKind::Request, about.clone(), asked.verb.to_owned(), reason::asked(asked, &[]));
    for (kind, stages) in STAGES {
        let refused = asked.refused.as_ref().filter(|it| stages.contains(&it.stage));
        if let Some(Refused { message, .. }) = refused {
            push(BeatKind::Refused, about, message.clone(), Reason::Words(message.clone()));
            return;
        }
        push(kind, about.clone(), asked.who.user.clone(), reason::asked(asked, stages));
    }
}

fn change_beats(change: &Change, record: &Record, push: &mut impl FnMut(BeatKind, String, String, Reason)) {
    let before = change.before.as_deref().and_then(Pod::of);
    let pod_id = || id("Pod", &change.key.namespace, &change.key.name);
    let Some(after) = change.after.as_deref() else {
        if before.is_some() {
            push(BeatKind::Gone, pod_id(), String::new(), Reason::None);
        }
        return;
    };
    if let Some(pod) = Pod::of(after) {
        let path = format!("{}/{}", change.key.namespace, change.key.name);
        for (kind, detail) in pod_beats(before, pod) {
            let reason = match kind {
                BeatKind::Door => reason::door(pod),
                BeatKind::Schedule => record.decided(&path),
                BeatKind::Bind => Reason::Bound(detail.clone()),
                BeatKind::Kubelet => Reason::Taken(detail.clone()),
                BeatKind::Address => record.address(&path, &detail),
                BeatKind::Running => reason::runs(pod),
                BeatKind::Misfit => reason::misfit(pod),
                BeatKind::Request
                | BeatKind::Authentication
                | BeatKind::Authorization
                | BeatKind::Admission
                | BeatKind::Storage
                | BeatKind::Attach
                | BeatKind::Gone
                | BeatKind::Rules
                | BeatKind::Refused => Reason::None,
            };
            push(kind, pod_id(), detail, reason);
        }
    }
    if let Some(eni) = Eni::of(after) {
        let was = change.before.as_deref().and_then(Eni::of).map(|e| e.attachment);
        if was != Some(eni.attachment) && eni.attachment == Attachment::Attaching {
            let device = format!("eth{}", eni.device_index);
            push(BeatKind::Attach, format!("Eni/{}", change.key.name), device, Reason::None);
        }
    }
    if change.key.kind == Kind::EndpointSlice && change.before.is_some() {
        push(BeatKind::Rules, format!("Service/{}", change.key.namespace), String::new(), Reason::None);
    }
}

fn pod_beats(before: Option<&Pod>, after: &Pod) -> Vec<(BeatKind, String)> {
    let node = |p: &Pod| p.spec.as_ref().and_then(|s| s.node_name.clone());
    let ip = |p: &Pod| p.status.as_ref().and_then(|s| s.pod_ip.clone());
    let unfit = |p: &Pod| {
        let all = p.status.as_ref().and_then(|s| s.conditions.as_ref());
        all.is_some_and(|all| {
            all.iter().any(|c| c.type_ == "PodScheduled" && c.reason.as_deref() == Some("Unschedulable"))
        })
    };
    let mut out = Vec::new();
    if before.is_none() && node(after).is_none() {
        out.push((BeatKind::Door, String::new()));
    }
    if node(after).is_some() && before.is_some_and(|b| node(b).is_none()) {
        out.push((BeatKind::Schedule, String::new()));
        out.push((BeatKind::Bind, node(after).unwrap_or_default()));
    }
    if unfit(after) && before.is_some_and(|b| !unfit(b)) {
        out.push((BeatKind::Misfit, String::new()));
    }
    let taken = |p: &Pod| p.status.as_ref().is_some_and(|s| s.container_statuses.is_some());
    if taken(after) && node(after).is_some() && before.is_some_and(|b| !taken(b)) {
        out.push((BeatKind::Kubelet, node(after).unwrap_or_default()));
    }
    if let Some(ip) = ip(after).filter(|_| before.is_some_and(none) && !pod::on_host_network(after)) {
        out.push((BeatKind::Address, ip));
    }
    let running = |p: &Pod| pod::state(p) == PodState::Running;
    if running(after) && before.is_none_or(|b| !running(b)) {
        out.push((BeatKind::Running, String::new()));
    }
    out
}

fn none(pod: &Pod) -> bool {
    pod.status.as_ref().is_none_or(|s| s.pod_ip.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(value: Value) -> Pod {
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn a_pod_is_born_at_the_door_and_bound_later() {
        let born = pod(json!({"spec": {"containers": []}}));
        let bound = pod(json!({"spec": {"containers": [], "nodeName": "a"}}));
        let kinds =
            |b: Option<&Pod>, a: &Pod| pod_beats(b, a).into_iter().map(|(k, _)| k).collect::<Vec<_>>();
        assert_eq!(kinds(None, &born), [BeatKind::Door]);
        assert_eq!(kinds(Some(&born), &bound), [BeatKind::Schedule, BeatKind::Bind]);
        assert!(kinds(Some(&bound), &bound).is_empty());
    }

    #[test]
    fn an_address_comes_once_and_is_told() {
        let without = pod(json!({"spec": {"containers": [], "nodeName": "a"}}));
        let with =
            pod(json!({"spec": {"containers": [], "nodeName": "a"}, "status": {"podIP": "10.0.64.21"}}));
        assert_eq!(pod_beats(Some(&without), &with), [(BeatKind::Address, "10.0.64.21".to_owned())]);
        assert!(pod_beats(Some(&with), &with).is_empty());
    }
}
