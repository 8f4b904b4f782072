//! Which pods wait for a node, in which order, and what becomes of an attempt?
//!
//! The queue of kube-scheduler: a new pod is active; one with gates is not in the queue; one that no node would take
//! waits for an event that its refusers say may help, rests for its back-off (1 s, doubling to 10 s, to the end of that
//! second; from 1.33 on only while others are to be tried) and is tried again; after five minutes it is tried anyway.
//! The most important pod is tried first, of equals the one that waits longer.
//! What the queue remembers is in `sim/QueuedPod`. The decision itself is the `scheduler` crate's; here it becomes a
//! binding, an event, a condition.
//! MODEL: an attempt takes no time; pods are tried one after the other within one instant.
//! Source: `pkg/scheduler/{schedule_one,eventhandlers}.go`, `pkg/scheduler/backend/queue/*.go`, 1.34.

use std::rc::Rc;

use ::scheduler::{
    Decision, Outcome, PodInfo, Profile, Sample, Version, next_start, pick_sampled, schedule_sampled,
};
use api::{
    ApiStatus, Kind, Object, Resource, SimDuration, SimTime,
    k8s::core::v1::{Pod, PodCondition},
    kinds::sim::{ControlPlane, QueuePlace, QueuedPod},
    meta::ObjectMeta,
};

use crate::{Change, ClusterId, Controller, EventType, Key, Next, Store, Turn, What, parts::Process};

mod binding;
mod cache;
mod events;
mod preempt;
mod stored;

pub(crate) use cache::Cache;
pub(crate) use stored::typed;

/// The only profile of the lab's clusters.
const NAME: &str = "default-scheduler";
const INITIAL_BACK_OFF: SimDuration = SimDuration::secs(1);
const MAX_BACK_OFF: SimDuration = SimDuration::secs(10);
/// After this long a pod is tried again, whatever happened or did not.
const FLUSH: SimDuration = SimDuration::secs(300);
/// How often the queue looks for such pods.
const FLUSH_TICK: SimDuration = SimDuration::secs(30);
/// The queue looks for pods whose back-off is over once in this long.
const BACK_OFF_WINDOW: SimDuration = SimDuration::secs(1);
/// Clusters up to this size get the explanation of every attempt at once; in larger ones it is made when asked for.
const EXPLAINED_NODES: usize = 100;

fn bound_to(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|node| !node.is_empty())
}

fn is_finished(pod: &Pod) -> bool {
    matches!(pod.status.as_ref().and_then(|it| it.phase.as_deref()), Some("Succeeded" | "Failed"))
}

fn priority(pod: &Pod) -> i32 {
    pod.spec.as_ref().and_then(|it| it.priority).unwrap_or(0)
}

fn is_gated(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|it| it.scheduling_gates.as_ref()).is_some_and(|gates| !gates.is_empty())
}

/// Whether this scheduler has to find the pod a node.
pub(crate) fn is_waiting(pod: &Pod) -> bool {
    let scheduler = pod.spec.as_ref().and_then(|it| it.scheduler_name.as_deref()).unwrap_or(NAME);
    bound_to(pod).is_none()
        && !is_gated(pod)
        && !is_finished(pod)
        && scheduler == NAME
        && pod.metadata.deletion_timestamp.is_none()
}

/// The queue of a cluster, as a key to wake for.
fn line(cluster: ClusterId) -> Key {
    Key::new(cluster, Kind::QueuedPod, "", "")
}

/// The actor. Wakes for a pod that may have to be forgotten, for a refused pod that something may help
/// (its `QueuedPod`), and for the queue itself.
pub(crate) struct Scheduler;

impl Controller for Scheduler {
    fn name(&self) -> &'static str {
        NAME
    }

    fn process(&self) -> Process {
        Process::Scheduler
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::Pod => {
                let waits = |it: &Option<Rc<Object>>| it.as_deref().and_then(Pod::of).is_some_and(is_waiting);
                match (waits(&change.before), waits(&change.after)) {
                    (false, true) => wake(line(change.key.cluster)),
                    (true, false)
                        if change
                            .after
                            .as_deref()
                            .and_then(Pod::of)
                            .is_none_or(|it| bound_to(it).is_none()) =>
                    {
                        wake(change.key.clone());
                    }
                    (_, _) => {}
                }
            }
            Kind::QueuedPod => {
                let place = change.after.as_deref().and_then(QueuedPod::of).map(|it| it.place);
                if matches!(place, Some(QueuePlace::Active | QueuePlace::BackOff)) {
                    wake(line(change.key.cluster));
                }
                return;
            }
            // With a node there is a point in waiting for pods that were tried without any.
            Kind::Node if change.before.is_none() => wake(line(change.key.cluster)),
            _ => {}
        }
        events::call_back(change, store, wake);
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        if key.kind == Kind::QueuedPod && key.name.is_empty() {
            return run(turn);
        }
        let Some(queued) = turn.get::<QueuedPod>(&key.namespace, &key.name).cloned() else {
            return Ok(Next::Done);
        };
        let pod = turn.get::<Pod>(&key.namespace, &key.name).filter(|pod| is_waiting(pod)).cloned();
        let Some(pod) = pod else {
            turn.remove(&Key { kind: Kind::QueuedPod, ..key.clone() });
            return Ok(Next::Done);
        };
        match queued.place {
            QueuePlace::Unschedulable if key.kind == Kind::QueuedPod => call_back(turn, queued),
            QueuePlace::Binding => return binding::look(turn, &pod, queued),
            QueuePlace::Unschedulable | QueuePlace::BackOff | QueuePlace::Active => {}
        }
        Ok(Next::Done)
    }
}

/// Tries the pod whose turn it is, and says when to look again.
fn run(turn: &mut Turn<'_>) -> Result<Next, ApiStatus> {
    let (cluster, now) = (turn.cluster(), turn.now());
    while let Some((_, key)) =
        turn.world().scheduling().first_parked(cluster).filter(|it| flush_at(it.0) <= now)
    {
        let Some(queued) = turn.get::<QueuedPod>(&key.namespace, &key.name).cloned() else { break };
        call_back(turn, queued);
    }
    let over = |it: &(SimTime, Key)| it.0 <= now;
    while let Some((_, key)) = turn.world().scheduling().first_resting(cluster).filter(over) {
        activate(turn, &key);
    }
    while let Some((_, key)) = turn.world().scheduling().first_failing(cluster).filter(over) {
        activate(turn, &key);
    }
    if let Some(key) = next(turn) {
        attempt(turn, &key)?;
    }
    if next(turn).is_some() {
        return Ok(Next::After(SimDuration::ZERO));
    }
    let waiting = turn.world().scheduling();
    let resting = waiting.first_resting(cluster).map(|(until, _)| until);
    let failing = waiting.first_failing(cluster).map(|(until, _)| until);
    let parked = waiting.first_parked(cluster).map(|(since, _)| flush_at(since));
    let work = resting.is_some() || (failing.is_some() && !waiting.nodes(cluster).is_empty());
    let at = [resting, failing, parked].into_iter().flatten().min();
    Ok(match at.map(|at| at.since(now)) {
        Some(wait) if work => Next::After(wait),
        Some(wait) => Next::Every(wait),
        None => Next::Done,
    })
}

/// Whose turn it is: nobody's while all rest. From 1.33 on a pod that has been called back does not rest while nobody
/// else is to be tried (`SchedulerPopFromBackoffQ`).
fn next(turn: &Turn<'_>) -> Option<Key> {
    let waiting = turn.world().scheduling();
    waiting.first_active(turn.cluster()).or_else(|| {
        let resting = waiting.first_resting(turn.cluster())?;
        pops_resting(profile(turn.store(), turn.cluster()).version).then_some(resting.1)
    })
}

fn pops_resting(version: Version) -> bool {
    version >= Version::new(1, 33, 0)
}

/// The first round of the queue's look for pods that wait too long that finds one waiting since then.
fn flush_at(since: SimTime) -> SimTime {
    let (due, tick) = ((since + FLUSH).0, FLUSH_TICK.0);
    SimTime((due / tick + 1) * tick)
}

/// A refused pod is worth another try: at once, or when its back-off is over.
fn call_back(turn: &mut Turn<'_>, mut queued: QueuedPod) {
    let rests = queued.back_off_until > turn.now();
    queued.place = if rests { QueuePlace::BackOff } else { QueuePlace::Active };
    turn.put(queued.into_object());
}

fn activate(turn: &mut Turn<'_>, key: &Key) {
    if let Some(mut queued) = turn.get::<QueuedPod>(&key.namespace, &key.name).cloned() {
        queued.place = QueuePlace::Active;
        turn.put(queued.into_object());
    }
}

fn attempt(turn: &mut Turn<'_>, key: &Key) -> Result<(), ApiStatus> {
    let Some(pod) = turn.get::<Pod>(&key.namespace, &key.name).cloned() else { return Ok(()) };
    let queued = turn.get::<QueuedPod>(&key.namespace, &key.name).cloned();
    let queued = queued.filter(|it| Some(&it.pod_uid) == pod.metadata.uid.as_ref());
    let attempts = queued.as_ref().map_or(0, |queued| queued.attempts);
    let tie = turn.draw("tie", &Key { kind: Kind::Pod, ..key.clone() }, u64::from(attempts));
    let decision = Rc::new(decide(turn, &PodInfo::new(&pod), tie));
    conclude(turn, &pod, queued, &decision)
}

/// What would be decided now about each pod that waits, each as if it were the only one; nothing follows.
pub(crate) fn opinions(turn: &Turn<'_>) -> Vec<Rc<Decision>> {
    let (cluster, profile) = (turn.cluster(), profile(turn.store(), turn.cluster()));
    let table = turn.world().scheduling().nodes(cluster);
    let waiting = turn.list::<Pod>(None).filter(|pod| is_waiting(pod));
    let decided = waiting.map(|pod| {
        let (namespace, name) = (pod.metadata.namespace.as_deref(), pod.metadata.name.as_deref());
        let key = turn.key(Kind::Pod, namespace.unwrap_or_default(), name.unwrap_or_default());
        Rc::new(::scheduler::schedule(&profile, &table, &PodInfo::new(pod), turn.draw("tie", &key, 0)))
    });
    decided.collect()
}

/// The decision: explained in full where the cluster is small enough to read it.
fn decide(turn: &mut Turn<'_>, pod: &PodInfo, tie: u64) -> Decision {
    let (cluster, profile) = (turn.cluster(), profile(turn.store(), turn.cluster()));
    let table = turn.world().scheduling().nodes(cluster);
    if table.len() < EXPLAINED_NODES {
        return ::scheduler::schedule(&profile, &table, pod, tie);
    }
    let (order, start) = turn.world.scheduling_mut().order(cluster);
    let sample = Sample { order: &order, start };
    let decision = match pick_sampled(&profile, &table, pod, tie, &sample) {
        _ if turn.world().explains(&pod.key) => schedule_sampled(&profile, &table, pod, tie, &sample),
        (Some(pick), sampled) => {
            let mut decision = Decision::empty(pod.key.to_string(), Outcome::Scheduled);
            decision.node = Some(table.row(pick.node).name.to_string());
            decision.sampled = sampled;
            decision
        }
        (None, _) => Decision { nodes: Vec::new(), ..schedule_sampled(&profile, &table, pod, tie, &sample) },
    };
    let start = next_start(decision.sampled, start, table.len());
    turn.world.scheduling_mut().set_start(cluster, start);
    decision
}

/// The scheduler's profile in the words of the cluster's version.
pub(crate) fn profile(store: &Store, cluster: ClusterId) -> Profile {
    let profile = Profile::default_1_34();
    let plane = store.list::<ControlPlane>(ClusterId::WORLD, None).find(|it| it.id == cluster.0);
    match plane.and_then(|plane| version(&plane.version)) {
        Some(version) => profile.with_version(version),
        None => profile,
    }
}

/// `v1.34.2-eks-ecaa3a6`; without a patch the newest is meant.
fn version(text: &str) -> Option<Version> {
    let text = text.trim_start_matches('v').split(['-', '+']).next()?;
    let mut numbers = text.split('.').map(str::parse::<u32>);
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let patch = numbers.next().and_then(Result::ok).unwrap_or(99);
    Some(Version::new(major, minor, patch))
}

/// Binds, or says why not.
fn conclude(
    turn: &mut Turn<'_>,
    pod: &Pod,
    queued: Option<QueuedPod>,
    decision: &Rc<Decision>,
) -> Result<(), ApiStatus> {
    // What follows happens because of this decision.
    let decided = turn.fact(What::Decided(Rc::clone(decision)));
    turn.cause = Some(decided);
    if let (Outcome::Scheduled, Some(node)) = (decision.outcome, &decision.node) {
        return match decision.volumes[..] {
            [] => bind(turn, pod, queued, node),
            _ => binding::begin(turn, pod, queued, decision, node),
        };
    }
    let message = decision.message.clone().unwrap_or_default();
    remember(turn, pod, queued, decision, &message);
    let reason = match decision.outcome {
        Outcome::Error => "SchedulerError",
        Outcome::Scheduled | Outcome::Unschedulable | Outcome::Gated => "Unschedulable",
    };
    let said = decision.event_message().unwrap_or_default();
    turn.event_series(
        &pod.clone().into_object(),
        EventType::Warning,
        "Scheduling",
        "FailedScheduling",
        &said,
    );
    preempt::evict(turn, pod, decision)?;
    let promise = match &decision.preemption {
        Some(found) => Some(found.nominated_node.as_str()),
        None => decision.promise_lost.then_some(""),
    };
    say_unschedulable(turn, pod, reason, &message, promise)
}

/// Writes the node into the pod.
fn bind(turn: &mut Turn<'_>, pod: &Pod, queued: Option<QueuedPod>, node: &str) -> Result<(), ApiStatus> {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let name = pod.metadata.name.clone().unwrap_or_default();
    match turn.bind(&namespace, &name, node) {
        Ok(_) => {
            if queued.is_some() {
                let key = turn.key(Kind::QueuedPod, &namespace, &name);
                turn.remove(&key);
            }
            let message = format!("Successfully assigned {namespace}/{name} to {node}");
            turn.event_series(
                &pod.clone().into_object(),
                EventType::Normal,
                "Binding",
                "Scheduled",
                &message,
            );
            Ok(())
        }
        Err(status) => {
            fail(turn, pod, queued, &format!("running Bind plugin \"DefaultBinder\": {}", status.message))
        }
    }
}

/// The scheduler itself could not go on with a pod.
fn fail(turn: &mut Turn<'_>, pod: &Pod, queued: Option<QueuedPod>, message: &str) -> Result<(), ApiStatus> {
    let mut decision = Decision::empty(::scheduler::PodKey::of(pod).to_string(), Outcome::Error);
    decision.message = Some(message.to_owned());
    remember(turn, pod, queued, &decision, message);
    turn.event_series(
        &pod.clone().into_object(),
        EventType::Warning,
        "Scheduling",
        "FailedScheduling",
        message,
    );
    say_unschedulable(turn, pod, "SchedulerError", message, Some(""))
}

/// What the queue remembers of a pod that it tries for the first time.
fn fresh(pod: &Pod) -> QueuedPod {
    QueuedPod {
        metadata: ObjectMeta {
            name: pod.metadata.name.clone(),
            namespace: pod.metadata.namespace.clone(),
            ..ObjectMeta::default()
        },
        pod_uid: pod.metadata.uid.clone().unwrap_or_default(),
        ..QueuedPod::default()
    }
}

/// Puts a pod that could not be placed back into the queue (`AddUnschedulableIfNotPresent`).
fn remember(turn: &mut Turn<'_>, pod: &Pod, queued: Option<QueuedPod>, decision: &Decision, message: &str) {
    let mut queued = queued.unwrap_or_else(|| fresh(pod));
    queued.attempts += 1;
    queued.refused_by = decision.rejected_by.iter().map(|it| (*it).to_owned()).collect();
    // Where nobody refused it, nobody can say what would help: it is tried again by itself.
    if queued.refused_by.is_empty() {
        queued.errors += 1;
        queued.place = QueuePlace::BackOff;
    } else {
        queued.refusals += 1;
        queued.errors = 0;
        queued.place = QueuePlace::Unschedulable;
    }
    queued.tried_at = turn.now();
    queued.since = turn.stamp().0.as_second();
    let failures = if queued.errors > 0 { queued.errors } else { queued.refusals };
    queued.back_off_until = rests_until(turn.now(), failures, profile(turn.store(), turn.cluster()).version);
    queued.retries_on = decision.retries_on.iter().copied().map(events::word).collect();
    queued.node = None;
    message.clone_into(&mut queued.message);
    turn.put(queued.into_object());
}

/// One second after the first failure, doubling to ten.
fn back_off(failures: u32) -> SimDuration {
    let doubled = INITIAL_BACK_OFF.0 << failures.saturating_sub(1).min(10);
    SimDuration(doubled.min(MAX_BACK_OFF.0))
}

/// When the back-off of a pod that was tried at `tried` is over: from 1.33 on at the end of that second.
fn rests_until(tried: SimTime, failures: u32, version: Version) -> SimTime {
    let over = tried + back_off(failures);
    if !pops_resting(version) {
        return over;
    }
    SimTime((over.0 / BACK_OFF_WINDOW.0 + 1) * BACK_OFF_WINDOW.0)
}

/// Writes `PodScheduled=False`, unless it says so already, and the node the pod is promised: empty for none, `None` to
/// leave it as it is.
fn say_unschedulable(
    turn: &mut Turn<'_>,
    pod: &Pod,
    reason: &str,
    message: &str,
    promise: Option<&str>,
) -> Result<(), ApiStatus> {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let name = pod.metadata.name.clone().unwrap_or_default();
    let stamp = turn.stamp();
    let Some(found) = turn.get::<Pod>(&namespace, &name) else { return Ok(()) };
    let mut changed = found.clone();
    let generation = changed.metadata.generation;
    let status = changed.status.get_or_insert_default();
    match promise {
        Some("") => status.nominated_node_name = None,
        Some(node) => status.nominated_node_name = Some(node.to_owned()),
        None => {}
    }
    let conditions = status.conditions.get_or_insert_default();
    let had = conditions.iter().position(|it| it.type_ == "PodScheduled");
    let since = had.and_then(|at| conditions.get(at)).filter(|it| it.status == "False");
    let condition = PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "False".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: Some(since.and_then(|it| it.last_transition_time.clone()).unwrap_or(stamp)),
        observed_generation: generation,
        ..PodCondition::default()
    };
    match had {
        Some(at) => conditions[at] = condition,
        None => conditions.push(condition),
    }
    if changed.status == found.status {
        return Ok(());
    }
    turn.update_status(changed).map(drop)
}

#[cfg(test)]
mod tests;
