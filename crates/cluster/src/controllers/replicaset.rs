//! Are there as many pods of this ReplicaSet, or ReplicationController, as it wants?
//!
//! Too few are created, too many deleted, the least useful first; pods that match and have no owner are adopted, pods
//! that no longer match are let go. A ReplicationController is read as the ReplicaSet that it would be.
//! Source: `pkg/controller/replicaset/replica_set.go`, `pkg/controller/replication`, `pkg/controller/controller_utils.go`
//! (`ActivePodsWithRanks`).

use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap, rc::Rc};

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::{
        apps::v1::{ReplicaSet, ReplicaSetCondition, ReplicaSetStatus},
        core::v1::{Pod, ReplicationController},
    },
    label::Selector,
    meta::{OwnerReference, Time},
};
use serde_json::json;

use super::{
    controller_of, create_pod, is_active, is_available, is_managed_by, is_ready, let_go, managed_by, manager,
    persistent_volume::{Part, change},
    phase, pod_from, ready_since, sim_time,
};
use crate::{
    Change, ClusterId, Controller, EventType, Key, Next, Store, Turn, client::Rate, crew::counts_the_same,
};

/// Most pods made or removed in one go.
const BURST: usize = 500;

/// The controller of one of the two kinds.
pub(crate) struct ReplicaSetController {
    name: &'static str,
    kind: Kind,
}

/// That of ReplicaSets.
pub(crate) static OF_SETS: ReplicaSetController =
    ReplicaSetController { name: "replicaset-controller", kind: Kind::ReplicaSet };
/// That of ReplicationControllers.
pub(crate) static OF_CONTROLLERS: ReplicaSetController =
    ReplicaSetController { name: "replication-controller", kind: Kind::ReplicationController };

impl Controller for ReplicaSetController {
    fn name(&self) -> &'static str {
        self.name
    }

    fn client(&self) -> Option<Rate> {
        Some(Rate::CONTROLLER_MANAGER)
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == self.kind {
            return wake(change.key.clone());
        }
        if change.key.kind != Kind::Pod {
            return;
        }
        let pods = (change.before.as_deref().and_then(Pod::of), change.after.as_deref().and_then(Pod::of));
        if let (Some(before), Some(after)) = pods
            && counts_the_same(before, after)
        {
            return;
        }
        let (cluster, namespace) = (change.key.cluster, &change.key.namespace);
        for pod in [&change.before, &change.after].into_iter().flatten() {
            if let Some(owner) = manager(pod, self.kind) {
                wake(Key::new(cluster, self.kind, namespace, &owner.name));
            }
        }
        // An orphan may belong to any set that chooses it.
        if let Some(pod) = change.after.as_ref().filter(|pod| controller_of(pod.meta()).is_none()) {
            for (key, object) in store.objects(cluster, self.kind, Some(namespace)) {
                let selector = as_set(object).and_then(|set| selector(&set));
                if chooses(selector.as_ref(), pod.meta().labels.as_ref()) {
                    wake(key.clone());
                }
            }
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(object) = turn.store().object(key).cloned() else { return Ok(Next::Done) };
        let Some(set) = as_set(&object).map(Cow::into_owned) else { return Ok(Next::Done) };
        let info = self.kind.info();
        let owner = OwnerReference {
            api_version: info.api_version(),
            kind: info.kind.to_owned(),
            ..managed_by(&set)
        };
        let set = Owner { set, object, owner };
        claim(turn, &set)?;
        let crew = Crew::of(turn, &set);
        let managed =
            if set.metadata.deletion_timestamp.is_none() { manage(turn, key, &set, &crew) } else { Ok(None) };
        let shown = set.status.as_ref().map_or(0, |status| status.replicas);
        if let Ok(Some(wait)) = managed
            && usize::try_from(shown).unwrap_or(0).abs_diff(crew.pods) < BURST
        {
            // Upstream's sync blocks in the client until its batch is through, and writes the status only then.
            return Ok(Next::After(wait));
        }
        let min_ready = min_ready(&set);
        let status = status_of(turn, &set, &crew, managed.as_ref().err());
        let waits = (min_ready > 0 && status.ready_replicas != status.available_replicas)
            .then(|| next_available(turn, &crew, min_ready));
        write_status(turn, key, set, status)?;
        if let Some(wait) = managed? {
            return Ok(Next::After(wait));
        }
        // A pod becomes available by time alone.
        Ok(waits.map_or(Next::Done, Next::After))
    }
}

/// A set whose pods are counted.
struct Owner {
    set: ReplicaSet,
    /// As it is stored.
    object: Rc<Object>,
    /// What its pods carry.
    owner: OwnerReference,
}

impl Owner {
    fn uid(&self) -> &str {
        self.set.metadata.uid.as_deref().unwrap_or_default()
    }
}

impl std::ops::Deref for Owner {
    type Target = ReplicaSet;

    fn deref(&self) -> &ReplicaSet {
        &self.set
    }
}

/// A ReplicaSet, or a ReplicationController as one.
fn as_set(object: &Object) -> Option<Cow<'_, ReplicaSet>> {
    if object.kind() == Kind::ReplicaSet {
        return ReplicaSet::of(object).map(Cow::Borrowed);
    }
    let mut value = object.to_value();
    let info = Kind::ReplicaSet.info();
    value["apiVersion"] = json!(info.api_version());
    value["kind"] = json!(info.kind);
    let labels = value["spec"]["selector"].take();
    value["spec"]["selector"] = json!({"matchLabels": labels});
    serde_json::from_value(value).ok().map(Cow::Owned)
}

/// What a set looks for; nothing if that is illegal or everything.
fn selector(set: &ReplicaSet) -> Option<Selector> {
    let selector = set.spec.as_ref().and_then(|spec| Selector::from_label_selector(&spec.selector).ok());
    selector.filter(|selector| !selector.is_empty())
}

fn chooses(selector: Option<&Selector>, labels: Option<&BTreeMap<String, String>>) -> bool {
    selector.is_some_and(|selector| selector.matches(labels.unwrap_or(&BTreeMap::new())))
}

fn min_ready(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or(0)
}

/// Takes pods that the set chooses and nobody manages, and lets go those that it no longer chooses.
fn claim(turn: &mut Turn<'_>, set: &Owner) -> Result<(), ApiStatus> {
    let namespace = set.metadata.namespace.clone().unwrap_or_default();
    let selector = selector(set);
    let chooses = |labels: Option<&BTreeMap<String, String>>| chooses(selector.as_ref(), labels);
    let (mut lost, mut found) = (Vec::new(), Vec::new());
    let name = |pod: &Pod| pod.metadata.name.clone().unwrap_or_default();
    if turn.store().crew(turn.cluster(), set.uid()).iter().any(|look| !chooses(Some(&look.labels))) {
        lost.extend(
            own(turn.store(), turn.cluster(), set)
                .filter(|pod| !chooses(pod.metadata.labels.as_ref()))
                .map(name),
        );
    }
    let orphans = turn.store().orphan_pods(turn.cluster(), &namespace);
    found.extend(orphans.filter(|pod| is_active(pod) && chooses(pod.metadata.labels.as_ref())).map(name));
    for name in lost {
        let_go(turn, &set.set, &name)?;
    }
    for name in found.iter().filter(|_| set.metadata.deletion_timestamp.is_none()) {
        turn.patch::<Pod>(&namespace, name, |pod| {
            pod.metadata.owner_references.get_or_insert_default().push(set.owner.clone());
        })?;
    }
    Ok(())
}

/// The set's active pods, by namespace and name.
fn own<'t>(store: &'t Store, cluster: ClusterId, set: &'t Owner) -> impl Iterator<Item = &'t Pod> {
    let pods = store.owned_by(cluster, set.uid()).filter_map(|(_, object)| Pod::of(object));
    pods.filter(|pod| is_active(pod) && is_managed_by(&pod.metadata, set.uid()))
}

/// How many pods a set has, as its status counts them.
struct Crew {
    pods: usize,
    /// Those that carry all labels of the template.
    labelled: usize,
    ready: usize,
    available: usize,
    /// Where pods become available by time alone: since when each ready one has been ready.
    since: Vec<Time>,
}

impl Crew {
    fn of(turn: &Turn<'_>, set: &Owner) -> Self {
        let template =
            set.spec.as_ref().and_then(|spec| spec.template.as_ref()?.metadata.as_ref()?.labels.as_ref());
        let labelled = template.map(Selector::from_set);
        let (min_ready, now) = (min_ready(set), turn.stamp());
        let mut crew = Self { pods: 0, labelled: 0, ready: 0, available: 0, since: Vec::new() };
        for look in turn.store().crew(turn.cluster(), set.uid()).iter() {
            crew.pods += look.pods;
            crew.ready += look.ready;
            crew.labelled +=
                if labelled.as_ref().is_none_or(|it| it.matches(&look.labels)) { look.pods } else { 0 };
        }
        crew.available = crew.ready;
        if min_ready > 0 {
            let own = || own(turn.store(), turn.cluster(), set);
            crew.available = own().filter(|pod| is_available(pod, min_ready, &now)).count();
            crew.since = own().filter_map(|pod| ready_since(pod).cloned()).collect();
        }
        crew
    }
}

/// Makes or removes pods as far as the client may; how long it then waits, if there is more to do.
fn manage(
    turn: &mut Turn<'_>,
    key: &Key,
    set: &Owner,
    crew: &Crew,
) -> Result<Option<SimDuration>, ApiStatus> {
    let Some(spec) = &set.spec else { return Ok(None) };
    let wanted = usize::try_from(spec.replicas.unwrap_or(1)).unwrap_or(0);
    let done = if crew.pods < wanted {
        create(turn, set, (wanted - crew.pods).min(BURST))?
    } else {
        remove(turn, set, (crew.pods - wanted).min(BURST))?
    };
    if done == wanted.abs_diff(crew.pods) {
        return Ok(None);
    }
    Ok(turn.throttled().map(|wait| turn.wait_in_line(key, wait)))
}

/// Creates up to so many pods, one, two, four, … at a time, until one is refused or the client has to wait. How many.
fn create(turn: &mut Turn<'_>, set: &Owner, count: usize) -> Result<usize, ApiStatus> {
    let template = set.spec.as_ref().and_then(|spec| spec.template.clone()).unwrap_or_default();
    let (namespace, name) = (set.metadata.namespace.as_deref(), set.metadata.name.as_deref());
    let pod = pod_from(&template, namespace.unwrap_or_default(), name.unwrap_or_default(), set.owner.clone());
    let (mut made, mut batch) = (0, 1);
    while made < count {
        let mut refused = None;
        for _ in 0..batch.min(count - made) {
            if turn.throttled().is_some() {
                return refused.map_or(Ok(made), Err);
            }
            match create_pod(turn, &set.object, pod.clone()) {
                Ok(()) => made += 1,
                Err(refusal) => refused = Some(refusal),
            }
        }
        if let Some(refusal) = refused {
            return Err(refusal);
        }
        batch *= 2;
    }
    Ok(made)
}

/// Removes up to so many pods, the least useful first, until the client has to wait. How many.
fn remove(turn: &mut Turn<'_>, set: &Owner, count: usize) -> Result<usize, ApiStatus> {
    if count == 0 {
        return Ok(0);
    }
    let ranks = ranks(turn.store(), turn.cluster(), set);
    let now = turn.stamp().0.as_second();
    let before = turn.store().clone();
    let mut sorted: Vec<&Pod> = own(&before, turn.cluster(), set).collect();
    sorted.sort_by(|a, b| worth(a, b, &ranks, now));
    for (done, pod) in sorted.into_iter().take(count).enumerate() {
        if turn.throttled().is_some() {
            return Ok(done);
        }
        let (namespace, name) = (
            pod.metadata.namespace.as_deref().unwrap_or_default(),
            pod.metadata.name.as_deref().unwrap_or_default(),
        );
        let key = turn.key(Kind::Pod, namespace, name);
        match turn.delete(&key, None) {
            Ok(_) => {
                turn.event(
                    &set.object,
                    EventType::Normal,
                    "SuccessfulDelete",
                    &format!("Deleted pod: {name}"),
                );
            }
            // Somebody was faster.
            Err(refusal) if refusal.code == 404 => {}
            Err(refusal) => {
                let message = format!("Error deleting: {}", refusal.message);
                turn.event(&set.object, EventType::Warning, "FailedDelete", &message);
                return Err(refusal);
            }
        }
    }
    Ok(count)
}

/// Active pods per node of all sets of the same owner.
fn ranks(store: &Store, cluster: ClusterId, set: &ReplicaSet) -> BTreeMap<String, usize> {
    let own = set.metadata.uid.clone().unwrap_or_default();
    let sets: Vec<String> = match controller_of(&set.metadata) {
        Some(owner) => store
            .owned_by(cluster, &owner.uid)
            .filter(|(key, _)| key.kind == Kind::ReplicaSet)
            .filter_map(|(_, set)| set.meta().uid.clone())
            .collect(),
        None => vec![own],
    };
    let mut ranks = BTreeMap::new();
    for uid in sets {
        for pod in
            store.owned_by(cluster, &uid).filter_map(|(_, pod)| Pod::of(pod)).filter(|pod| is_active(pod))
        {
            *ranks.entry(node(pod).to_owned()).or_insert(0) += 1;
        }
    }
    ranks
}

fn node(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default()
}

/// Less is deleted first: without a node, not running, not ready, cheap to delete, crowded, young, often restarted.
fn worth(a: &Pod, b: &Pod, ranks: &BTreeMap<String, usize>, now: i64) -> Ordering {
    let assigned = |pod: &Pod| !node(pod).is_empty();
    let running = |pod: &Pod| match phase(pod) {
        "Pending" => 0,
        "Unknown" => 1,
        _ => 2,
    };
    let cost = |pod: &Pod| {
        let cost = pod
            .metadata
            .annotations
            .as_ref()
            .and_then(|all| all.get("controller.kubernetes.io/pod-deletion-cost"));
        cost.and_then(|text| text.parse::<i32>().ok()).unwrap_or(0)
    };
    let crowd = |pod: &Pod| ranks.get(node(pod)).copied().unwrap_or(0);
    let restarts = |pod: &Pod| {
        let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        statuses.into_iter().flatten().map(|status| status.restart_count).max().unwrap_or(0)
    };
    // UPSTREAM: ages count by powers of two, so that among pods of about one age the choice is random: by uid. There
    // the uid decides as soon as two ages differ within one power, which is no order of three pods; here it comes last.
    let age = |since: Option<i64>| since.map_or(0, |since| (now - since).max(1).ilog2());
    let ready = |pod: &Pod| age(ready_since(pod).map(|time| time.0.as_second()));
    let created = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0.as_second());
    assigned(a)
        .cmp(&assigned(b))
        .then_with(|| running(a).cmp(&running(b)))
        .then_with(|| is_ready(a).cmp(&is_ready(b)))
        .then_with(|| cost(a).cmp(&cost(b)))
        .then_with(|| crowd(b).cmp(&crowd(a)))
        .then_with(|| ready(a).cmp(&ready(b)))
        .then_with(|| restarts(b).cmp(&restarts(a)))
        .then_with(|| age(created(a)).cmp(&age(created(b))))
        .then_with(|| a.metadata.uid.cmp(&b.metadata.uid))
}

fn status_of(turn: &Turn<'_>, set: &ReplicaSet, crew: &Crew, failed: Option<&ApiStatus>) -> ReplicaSetStatus {
    let shown = |number: usize| Some(i32::try_from(number).unwrap_or(i32::MAX)).filter(|number| *number > 0);
    let mut conditions = set.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let wanted = usize::try_from(wanted).unwrap_or(0);
    let had = conditions.iter().position(|condition| condition.type_ == "ReplicaFailure");
    match (failed, had) {
        (Some(refusal), None) => conditions.push(ReplicaSetCondition {
            type_: "ReplicaFailure".to_owned(),
            status: "True".to_owned(),
            reason: Some(if crew.pods < wanted { "FailedCreate" } else { "FailedDelete" }.to_owned()),
            message: Some(refusal.message.clone()),
            last_transition_time: Some(turn.stamp()),
        }),
        (None, Some(at)) => {
            conditions.remove(at);
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    ReplicaSetStatus {
        replicas: i32::try_from(crew.pods).unwrap_or(i32::MAX),
        fully_labeled_replicas: shown(crew.labelled),
        ready_replicas: shown(crew.ready),
        available_replicas: shown(crew.available),
        observed_generation: set.metadata.generation,
        conditions: (!conditions.is_empty()).then_some(conditions),
        ..ReplicaSetStatus::default()
    }
}

/// How long until the next pod has been ready for so many seconds. Ready conditions carry whole seconds.
/// Source: `FindMinNextPodAvailabilityCheck` of `controller_utils.go`, 1.34.
fn next_available(turn: &Turn<'_>, crew: &Crew, min_ready: i32) -> SimDuration {
    let enough = SimDuration::secs(min_ready.unsigned_abs().into());
    let due =
        crew.since.iter().map(|since| sim_time(turn.world(), since) + enough).filter(|due| *due > turn.now());
    due.min().map_or(enough, |due| due.since(turn.now()))
}

fn write_status(
    turn: &mut Turn<'_>,
    key: &Key,
    owner: Owner,
    status: ReplicaSetStatus,
) -> Result<(), ApiStatus> {
    let mut set = owner.set;
    if set.status.as_ref() == Some(&status) {
        return Ok(());
    }
    if key.kind == Kind::ReplicationController {
        let status = serde_json::to_value(status).and_then(serde_json::from_value).ok();
        return change::<ReplicationController>(turn, key, Part::Status, |it| it.status = status);
    }
    set.status = Some(status);
    // Pods made meanwhile do not change the set itself, so the lock holds.
    turn.update_status(set).map(drop)
}
