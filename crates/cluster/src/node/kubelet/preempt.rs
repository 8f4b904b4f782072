//! Whom does the kubelet end for a critical pod that finds too little?
//!
//! Those that matter less than it: as few guaranteed pods as will do when all others have gone, then as few burstable ones,
//! then best-effort ones; each time the one that comes nearest to what is lacking. The critical pod waits for their end.
//! Source: kubelet `pkg/kubelet/preemption/preemption.go`, `types/pod_update.go` (`Preemptable`).

use std::fmt::Write as _;

use api::{
    ApiStatus,
    default::qos_class,
    k8s::core::v1::Pod,
    kinds::sim::{Sandbox, StopCause},
};
use scheduler::requests::Requests;

use super::{
    admit::{Lack, Refusal, is_critical},
    names, say,
};
use crate::{EventType::Warning, Next, Turn};

const REASON: &str = "Preempting";
const MESSAGE: &str = "Preempted in order to admit critical pod";
const DISRUPTION: &str = "Pod was preempted by Kubelet to accommodate a critical pod.";

/// A resource by name, and how much of it has still to be found.
type Needs = Vec<(String, i64)>;

/// Ends the pods that a critical one needs gone, or waits for those that were told to go.
pub(super) fn make_room(
    turn: &mut Turn<'_>,
    pod: &Pod,
    node: &str,
    lacks: &[Lack],
) -> Result<Result<Next, Refusal>, ApiStatus> {
    let needs: Needs =
        lacks.iter().map(|it| (it.resource.clone(), it.requested - (it.capacity - it.used))).collect();
    let others: Vec<Pod> = turn.store().pods_on(turn.cluster(), node).cloned().collect();
    let sandboxes = |turn: &Turn<'_>| -> Vec<(Pod, Sandbox)> {
        let of = |pod: &Pod| {
            let (namespace, name) = names(pod);
            Some((pod.clone(), turn.get::<Sandbox>(namespace, name)?.clone()))
        };
        others.iter().filter_map(of).collect()
    };
    let leaves = |it: &Sandbox| it.stopped_for.as_ref().is_some_and(|cause| cause.reason == REASON);
    let (going, staying): (Vec<_>, Vec<_>) = sandboxes(turn).into_iter().partition(|(_, it)| leaves(it));
    let left = subtract(&needs, going.iter().map(|(pod, _)| pod));
    let victims = match choose(pod, staying.iter().map(|(pod, _)| pod), &left) {
        Ok(victims) => victims,
        Err(why) => {
            let message = format!(
                "Unexpected error while attempting to recover from admission failure: preemption: error finding a set of \
                 pods to preempt: no set of running pods found to reclaim resources: {why}"
            );
            return Ok(Err(Refusal { reason: "UnexpectedAdmissionError".to_owned(), message }));
        }
    };
    for victim in victims {
        say(turn, &victim, None, Warning, REASON, MESSAGE);
        let cause = StopCause {
            reason: REASON.to_owned(),
            message: MESSAGE.to_owned(),
            grace: None,
            disruption: Some(DISRUPTION.to_owned()),
        };
        super::end(turn, &victim, cause)?;
    }
    let now = turn.now();
    let ends = sandboxes(turn).into_iter().filter(|(_, it)| leaves(it)).map(|(_, it)| it.due).max();
    // The pods that go are moved on first.
    let wait = ends.map_or(0, |at| at.since(now).0) + 1;
    Ok(Ok(Next::After(api::SimDuration(wait))))
}

/// `getPodsToPreempt`.
/// # Errors
/// What all of them together do not have.
fn choose<'p>(for_: &Pod, pods: impl Iterator<Item = &'p Pod>, needs: &Needs) -> Result<Vec<Pod>, String> {
    let mut classes: [Vec<&Pod>; 3] = Default::default();
    for pod in pods.filter(|pod| is_preemptable(for_, pod)) {
        let class = pod.spec.as_ref().map_or("BestEffort", |spec| qos_class(spec));
        classes[match class {
            "Guaranteed" => 2,
            "Burstable" => 1,
            _ => 0,
        }]
        .push(pod);
    }
    let [best_effort, burstable, guaranteed] = classes;
    let lost = subtract(needs, best_effort.iter().chain(&burstable).chain(&guaranteed).copied());
    if !lost.is_empty() {
        return Err(written(&lost));
    }
    let first = subtract(needs, best_effort.iter().chain(&burstable).copied());
    let guaranteed = nearest(guaranteed, first);
    let second = subtract(needs, best_effort.iter().chain(&guaranteed).copied());
    let burstable = nearest(burstable, second);
    let third = subtract(needs, burstable.iter().chain(&guaranteed).copied());
    let best_effort = nearest(best_effort, third);
    Ok(best_effort.into_iter().chain(burstable).chain(guaranteed).cloned().collect())
}

fn is_preemptable(for_: &Pod, pod: &Pod) -> bool {
    let priority = |pod: &Pod| pod.spec.as_ref().and_then(|spec| spec.priority);
    (is_critical(for_) && !is_critical(pod)) || priority(for_).zip(priority(pod)).is_some_and(|(a, b)| a > b)
}

/// `getPodsToPreemptByDistance`; those given are known to have enough.
fn nearest(mut pods: Vec<&Pod>, mut needs: Needs) -> Vec<&Pod> {
    let mut chosen = Vec::new();
    while !needs.is_empty() && !pods.is_empty() {
        let mut best = 0;
        for at in 1..pods.len() {
            let (here, there) = (distance(&needs, pods[at]), distance(&needs, pods[best]));
            if here < there || (here == there && is_smaller(pods[at], pods[best])) {
                best = at;
            }
        }
        let pod = pods.swap_remove(best);
        needs = subtract(&needs, std::iter::once(pod));
        chosen.push(pod);
    }
    chosen
}

/// How far a pod is from giving what is needed: squares of the parts that would be missing, in millionths.
fn distance(needs: &Needs, pod: &Pod) -> i128 {
    let part = |(resource, needed): &(String, i64)| {
        let left =
            i128::from((needed - request(pod, resource)).max(0)) * 1_000_000 / i128::from((*needed).max(1));
        left * left
    };
    needs.iter().map(part).sum()
}

fn subtract<'p>(needs: &Needs, pods: impl Iterator<Item = &'p Pod>) -> Needs {
    let mut left = needs.clone();
    for pod in pods {
        for (resource, needed) in &mut left {
            *needed -= request(pod, resource);
        }
    }
    left.retain(|(_, needed)| *needed > 0);
    left
}

fn request(pod: &Pod, resource: &str) -> i64 {
    let amounts = || Some(Requests::of(pod.spec.as_ref()?, None).exact.of(resource));
    if resource == "pods" { 1 } else { amounts().unwrap_or(0) }
}

fn is_smaller(a: &Pod, b: &Pod) -> bool {
    let amounts = |pod: &Pod| (request(pod, "memory"), request(pod, "cpu"));
    amounts(a) <= amounts(b)
}

fn written(needs: &Needs) -> String {
    let mut text = "[".to_owned();
    for (resource, amount) in needs {
        let _ = write!(text, "(res: {resource}, q: {amount}), ");
    }
    text + "]"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]

    use api::{Kind, k8s::core::v1::Pod};
    use serde_json::json;

    use crate::{
        ApiVerb, World,
        node::kubelet::tests::{HERE, ask, condition, has_said, phase, pod, run, wait, world},
    };

    /// `p`, which asks for most of the node, and then `q`, a critical pod that came past the scheduler.
    fn meet(cpu: &str) -> World {
        let mut world = world();
        let asks =
            |cpu: &str| json!([{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}]);
        run(&mut world, json!({"containers": asks("1500m")}));
        let critical = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "default"},
            "spec": {"nodeName": "a", "priorityClassName": "system-node-critical", "containers": asks(cpu)}});
        ask(&mut world, Kind::Pod, "", ApiVerb::Create(critical));
        wait(&mut world, 40);
        world
    }

    /// Expected: `preemption.go` (`evictPodsToFreeRequests`).
    #[test]
    fn a_critical_pod_that_finds_too_little_has_others_ended() {
        let world = meet("1");
        let status = pod(&world).status.clone().unwrap();
        assert!(has_said(&world, "Preempting: Preempted in order to admit critical pod"));
        assert_eq!((phase(&world), status.reason.as_deref()), ("Failed", Some("Preempting")));
        assert_eq!(status.message.as_deref(), Some("Preempted in order to admit critical pod"));
        let why = "Pod was preempted by Kubelet to accommodate a critical pod.";
        assert_eq!(
            condition(&world, "DisruptionTarget"),
            Some(("TerminationByKubelet".to_owned(), why.to_owned()))
        );
        let critical = world.store().get::<Pod>(HERE, "default", "q").unwrap();
        assert_eq!(critical.status.as_ref().unwrap().phase.as_deref(), Some("Running"));
    }

    /// Expected: `predicate.go` (`Admit`), `preemption.go` (`getPodsToPreempt`).
    #[test]
    fn a_critical_pod_that_wants_more_than_all_others_have_is_refused() {
        let world = meet("3");
        assert_eq!(phase(&world), "Running");
        let critical = world.store().get::<Pod>(HERE, "default", "q").unwrap().status.clone().unwrap();
        let why = "Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error \
                   finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 1000), ]";
        assert_eq!(
            (critical.reason.as_deref(), critical.message.as_deref()),
            (Some("UnexpectedAdmissionError"), Some(why))
        );
    }
}
