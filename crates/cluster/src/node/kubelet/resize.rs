//! What happens when the resources of a running pod are changed?
//!
//! What is asked for is compared with what the node has: too much for ever is infeasible, too much for now is deferred, the rest is
//! given to the containers, with a restart where their policy wants one.
//! MODEL: the container runtime takes a change at its next look; a shrinking memory limit is never refused.
//! Source: kubelet `pkg/kubelet/allocation/allocation_manager.go`, `status/status_manager.go`, `kuberuntime_manager.go`
//! (`computePodResizeAction`).

use std::cmp::Reverse;

use api::{
    ApiStatus, Resource, SimDuration,
    default::qos_class,
    k8s::core::v1::{Container, ContainerStatus, Node, Pod, PodCondition, PodStatus, ResourceRequirements},
    kinds::sim::ContainerStep,
    quantity::Quantity,
};
use scheduler::requests::{Requests, allocatable};
use serde_json::json;

use super::{
    admit,
    container::{Pass, runs},
    end::Kill,
    names, say,
};
use crate::{Change, EventType::Normal, Key, Next, Store, Turn, timing};

const PENDING: &str = "PodResizePending";
const IN_PROGRESS: &str = "PodResizeInProgress";
/// From one try of a resize that was put off to the next (`pendingResizesCheckInterval`).
const RETRY: SimDuration = SimDuration::secs(180);

/// Takes a change in, puts it off, or finds it through; says when to look again.
pub(super) fn step(turn: &mut Turn<'_>, pod: &Pod) -> Result<Option<Next>, ApiStatus> {
    let has = |type_: &str| condition(pod, type_).is_some();
    if changed(pod).next().is_none() {
        if has(IN_PROGRESS) {
            let summary = summary(pod);
            say(turn, pod, None, Normal, "ResizeCompleted", &format!("Pod resize completed: {summary}"));
        }
        if has(IN_PROGRESS) || has(PENDING) {
            edit(turn, pod, |status, _| forget(status, &[PENDING, IN_PROGRESS]))?;
        }
        return Ok(None);
    }
    if has(IN_PROGRESS) {
        return Ok(None);
    }
    if let Some((reason, message)) = hindered(turn, pod) {
        let known = condition(pod, PENDING).is_some_and(|it| {
            it.reason.as_deref() == Some(reason) && it.message.as_deref() == Some(message.as_str())
        });
        if !known {
            edit(turn, pod, |status, put| {
                forget(status, &[PENDING]);
                put(status, PENDING, Some((reason, message)));
            })?;
        }
        return Ok(Some(Next::Every(RETRY)));
    }
    edit(turn, pod, |status, put| {
        forget(status, &[PENDING]);
        put(status, IN_PROGRESS, None);
    })?;
    Ok(Some(Next::After(timing::RELIST)))
}

/// What a pod has of its node: what was asked for since, and not given, does not count.
/// Source: `allocation_manager.go` (`UpdatePodFromAllocation`), `NodeInfo.AddPod`.
pub(super) fn allocated(pod: &Pod) -> Option<Requests> {
    let status = pod.status.as_ref();
    let in_progress = condition(pod, IN_PROGRESS).is_some();
    let is_sidecar = |it: &Container| it.restart_policy.as_deref() == Some("Always");
    let spec = pod.spec.as_ref()?;
    let resizes = |name: &str| {
        let init = spec.init_containers.iter().flatten().find(|it| it.name == name);
        init.is_none_or(is_sidecar)
    };
    Some(Requests::with(spec, status, |container| {
        let mut statuses = status.into_iter().flat_map(|it| {
            it.container_statuses.iter().flatten().chain(it.init_container_statuses.iter().flatten())
        });
        let told = statuses.find(|it| it.name == container.name && it.resources.is_some());
        let told = told.filter(|_| !in_progress && resizes(&container.name));
        told.map(|told| told.allocated_resources.as_ref())
    }))
}

/// Wakes the pods of a node whose resize was put off, when something left it or takes less of it: those that want no more
/// than they have first, then by priority, class, and how long they wait.
/// Source: `kubelet.go` (`HandlePodRemoves`, `HandlePodReconcile`), `allocation_manager.go` (`sortPendingResizes`).
pub(super) fn wake_deferred(change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
    let Some(before) = change.before.as_deref().and_then(Pod::of) else { return };
    let Some(node) = before.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) else { return };
    let after = change.after.as_deref().and_then(Pod::of);
    if !after.is_none_or(|after| takes_less(before, after)) {
        return;
    }
    let waits = |pod: &&Pod| {
        condition(pod, PENDING).is_some_and(|it| it.reason.as_deref() == Some("Deferred"))
            && pod.metadata.uid != before.metadata.uid
    };
    let mut waiting: Vec<&Pod> = store.pods_on(change.key.cluster, node).filter(waits).collect();
    waiting.sort_by_key(|pod| {
        let spec = pod.spec.as_ref();
        let wants = spec.map(|spec| Requests::of(spec, None).exact).unwrap_or_default();
        let has = allocated(pod).map(|it| it.exact).unwrap_or_default();
        let class = spec.is_some_and(|spec| qos_class(spec) == "Guaranteed");
        let since = condition(pod, PENDING).and_then(|it| it.last_transition_time.as_ref().map(|at| at.0));
        (
            wants.milli_cpu > has.milli_cpu || wants.memory > has.memory,
            Reverse(spec.and_then(|spec| spec.priority).unwrap_or(0)),
            !class,
            since,
        )
    });
    for pod in waiting {
        wake(super::key_of(change.key.cluster, pod));
    }
}

/// Whether a change of a pod's resources is put off, or on its way.
pub(super) fn is_under_way(pod: &Pod) -> bool {
    condition(pod, PENDING).is_some() || condition(pod, IN_PROGRESS).is_some()
}

fn takes_less(before: &Pod, after: &Pod) -> bool {
    let told = |pod: &Pod| {
        let status = pod.status.as_ref();
        let all = status.into_iter().flat_map(|it| it.container_statuses.iter().flatten());
        all.map(|it| (it.resources.clone(), it.allocated_resources.clone())).collect::<Vec<_>>()
    };
    if before.spec == after.spec && told(before) == told(after) {
        return false;
    }
    let (Some(was), Some(is)) = (allocated(before), allocated(after)) else { return false };
    is.exact.milli_cpu < was.exact.milli_cpu || is.exact.memory < was.exact.memory
}

fn condition<'p>(pod: &'p Pod, type_: &str) -> Option<&'p PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|it| it.type_ == type_)
}

fn forget(status: &mut PodStatus, types: &[&str]) {
    if let Some(all) = &mut status.conditions {
        all.retain(|it| !types.contains(&it.type_.as_str()));
    }
}

type Put<'p> = dyn Fn(&mut PodStatus, &str, Option<(&str, String)>) + 'p;

fn edit(
    turn: &mut Turn<'_>,
    pod: &Pod,
    edit: impl FnOnce(&mut PodStatus, &Put<'_>),
) -> Result<(), ApiStatus> {
    let (namespace, name) = names(pod);
    let stamp = turn.stamp();
    let generation = pod.metadata.generation;
    let put = |status: &mut PodStatus, type_: &str, said: Option<(&str, String)>| {
        let (reason, message) =
            said.map_or((None, None), |(reason, message)| (Some(reason.to_owned()), Some(message)));
        status.conditions.get_or_insert_default().insert(
            0,
            PodCondition {
                type_: type_.to_owned(),
                status: "True".to_owned(),
                reason,
                message,
                last_transition_time: Some(stamp.clone()),
                observed_generation: generation,
                ..PodCondition::default()
            },
        );
    };
    turn.patch_status::<Pod>(namespace, name, |pod| {
        edit(pod.status.get_or_insert_default(), &put);
    })
    .map(|_| ())
}

/// The containers that run with other resources than the spec now has.
fn changed(pod: &Pod) -> impl Iterator<Item = (&Container, &ContainerStatus)> {
    let status = pod.status.as_ref();
    let statuses = move || {
        status.into_iter().flat_map(|it| {
            it.container_statuses.iter().flatten().chain(it.init_container_statuses.iter().flatten())
        })
    };
    containers(pod).filter_map(move |container| {
        let status = statuses().find(|it| it.name == container.name)?;
        let runs = status.state.as_ref().is_some_and(|state| state.running.is_some());
        let has = status.resources.as_ref().filter(|_| runs)?;
        let wants = container.resources.clone().unwrap_or_default();
        differing(has, &wants).next().is_some().then_some((container, status))
    })
}

/// Those that can be resized: all but init containers that end.
fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = pod.spec.as_ref().into_iter();
    let sidecar = |it: &&Container| it.restart_policy.as_deref() == Some("Always");
    spec.flat_map(move |spec| spec.init_containers.iter().flatten().filter(sidecar).chain(&spec.containers))
}

/// `cpu` and `memory`, where they are not as they were.
fn differing(has: &ResourceRequirements, wants: &ResourceRequirements) -> impl Iterator<Item = &'static str> {
    let amounts = |of: &ResourceRequirements, name: &str| {
        [&of.requests, &of.limits].map(|list| {
            let text = list.as_ref().and_then(|list| list.get(name));
            text.and_then(|text| Quantity::parse(&text.0).ok())
        })
    };
    let (has, wants) = (has.clone(), wants.clone());
    ["cpu", "memory"].into_iter().filter(move |name| amounts(&has, name) != amounts(&wants, name))
}

/// Why what is asked for cannot be given, now or ever.
fn hindered(turn: &Turn<'_>, pod: &Pod) -> Option<(&'static str, String)> {
    let spec = pod.spec.as_ref()?;
    let name = spec.node_name.as_deref()?;
    let node = turn.get::<Node>("", name)?;
    let (offers, _) = allocatable(node.status.as_ref()?.allocatable.as_ref());
    let wants = Requests::of(spec, None).exact;
    for resource in ["memory", "cpu"] {
        let (requested, capacity) = (wants.of(resource), offers.of(resource));
        if requested > capacity {
            let why = format!(
                "Node didn't have enough capacity: {resource}, requested: {requested}, capacity: {capacity}"
            );
            return Some(("Infeasible", why));
        }
    }
    admit::unfit(turn, pod, name).map(|why| ("Deferred", why.message))
}

/// What the event says of the new resources: Go's JSON of them.
fn summary(pod: &Pod) -> String {
    let of = |container: &Container| {
        let resources = container.resources.clone().unwrap_or_default();
        json!({"name": container.name, "resources": serde_json::to_value(resources).unwrap_or_default()})
    };
    let spec = pod.spec.as_ref();
    let list = |all: Vec<serde_json::Value>| serde_json::Value::from(all).to_string();
    let init: Vec<_> = spec.iter().flat_map(|spec| spec.init_containers.iter().flatten()).map(of).collect();
    let app: Vec<_> = spec.iter().flat_map(|spec| &spec.containers).map(of).collect();
    let init = if init.is_empty() { String::new() } else { format!("\"initContainers\":{},", list(init)) };
    format!("{{{init}\"containers\":{}}}", list(app))
}

impl Pass<'_, '_> {
    /// Gives the containers what was taken in for them.
    pub(super) fn resize(&mut self) {
        if condition(self.pod, IN_PROGRESS).is_none() {
            return;
        }
        let changes: Vec<(Container, ResourceRequirements)> = changed(self.pod)
            .map(|(container, status)| (container.clone(), status.resources.clone().unwrap_or_default()))
            .collect();
        for (container, has) in changes {
            let Some(at) = self.sandbox.containers.iter().position(|it| it.name == container.name) else {
                continue;
            };
            if !runs(self.sandbox.containers[at].step)
                || self.sandbox.containers[at].step == ContainerStep::Stopping
            {
                continue;
            }
            let wants = container.resources.clone().unwrap_or_default();
            let restarts = |resource: &str| {
                let policy = container.resize_policy.iter().flatten().find(|it| it.resource_name == resource);
                policy.is_some_and(|it| it.restart_policy == "RestartContainer")
            };
            if differing(&has, &wants).any(restarts) {
                let message = format!("Container {} resize requires restart", container.name);
                let grace = self.pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
                self.kill(at, Kill { message, grace, failed: None });
            } else {
                self.edit(at, |s| {
                    s.allocated_resources.clone_from(&wants.requests);
                    s.resources = Some(wants);
                });
            }
        }
    }
}
