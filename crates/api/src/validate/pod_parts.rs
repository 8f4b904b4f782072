//! May a running pod get these ephemeral containers, or these resources?
//!
//! Both have a door of their own, which takes nothing else of the pod. Source: kubernetes v1.34.1 `pkg/apis/core/validation`
//! `ValidatePodEphemeralContainersUpdate`, `ValidatePodResize`.

use super::{
    internal, meta, pod,
    report::{At, Report},
};
use crate::{
    default::qos_class,
    k8s::core::v1::{Container, Pod, ResourceRequirements},
};

const SPEC: At<'static> = At::root("spec");

/// A pod to which ephemeral containers were added; none that it has may change.
pub(super) fn ephemeral_containers(report: &mut Report, new: &Pod, old: &Pod) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    pod::metadata_and_spec(report, new);
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return };
    let at = SPEC.field("ephemeralContainers");
    let mut had: Vec<_> = old.ephemeral_containers.iter().flatten().collect();
    had.sort_by(|a, b| a.name.cmp(&b.name));
    for container in had {
        let now = new.ephemeral_containers.iter().flatten().find(|it| it.name == container.name);
        let name = &container.name;
        match now {
            None => {
                report
                    .forbidden(&at, &format!("existing ephemeral containers {name:?} may not be removed\n"));
            }
            Some(now) if !meta::same(now, container) => {
                let diff = internal::ephemeral_container_diff(container, now);
                let why = format!("existing ephemeral containers {name:?} may not be changed\n{diff}\n");
                report.forbidden(&at, &why);
            }
            Some(_) => {}
        }
    }
}

/// A pod whose containers ask for other amounts of CPU and memory.
pub(super) fn resize(report: &mut Report, new: &Pod, old: &Pod) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    pod::metadata_and_spec(report, new);
    let (Some(now), Some(before)) = (&new.spec, &old.spec) else { return };
    let class = qos_class(before);
    if class != qos_class(now) {
        report.invalid(&SPEC, class, "Pod QOS Class may not change as a result of resizing");
    }
    let running = old.status.iter().flat_map(|it| it.container_statuses.iter().flatten());
    let mut running = running.filter(|it| it.state.as_ref().is_some_and(|it| it.running.is_some()));
    if running.next().is_some_and(|it| it.resources.is_none()) {
        report.forbidden(&SPEC, "Pod running on node without support for resize");
    }
    let init = |containers: &Option<Vec<Container>>| containers.clone().unwrap_or_default();
    let (now_init, before_init) = (init(&now.init_containers), init(&before.init_containers));
    let ordered = same_containers(report, &now.containers, &before.containers, "containers");
    if !(same_containers(report, &now_init, &before_init, "initContainers") && ordered) {
        return;
    }
    let sidecar = |it: &Container| it.restart_policy.as_deref() == Some("Always");
    for (list, now, before, all) in [
        ("initContainers", &now_init, &before_init, false),
        ("containers", &now.containers, &before.containers, true),
    ] {
        for (index, (now, before)) in now.iter().zip(before).enumerate() {
            if all || sidecar(before) {
                nothing_removed(report, now, before, &SPEC.field(list).index(index).field("resources"));
            }
        }
    }
    for (now, before) in now.containers.iter().zip(&before.containers) {
        if only_amounts(now, before) {
            continue;
        }
        report.forbidden(&SPEC, "only cpu and memory resources are mutable");
    }
    for (now, before) in now_init.iter().zip(&before_init) {
        match sidecar(before) {
            true if !only_amounts(now, before) => {
                report.forbidden(&SPEC, "only cpu and memory resources for sidecar containers are mutable");
            }
            false if !meta::same(now, before) => {
                report.forbidden(&SPEC, "resources for non-sidecar init containers are immutable");
            }
            _ => {}
        }
    }
}

fn same_containers(report: &mut Report, new: &[Container], old: &[Container], list: &str) -> bool {
    let at = SPEC.field(list);
    if new.len() != old.len() {
        report.forbidden(&at, &format!("{list} may not be added or removed on resize"));
        return false;
    }
    let renamed: Vec<usize> = (0..new.len()).filter(|index| new[*index].name != old[*index].name).collect();
    for index in &renamed {
        let why = format!("{list} may not be renamed or reordered on resize");
        report.forbidden(&at.index(*index).field("name"), &why);
    }
    renamed.is_empty()
}

fn nothing_removed(report: &mut Report, new: &Container, old: &Container, at: &At<'_>) {
    let none = ResourceRequirements::default();
    let (new, old) = (new.resources.as_ref().unwrap_or(&none), old.resources.as_ref().unwrap_or(&none));
    for (what, new, old) in [("requests", &new.requests, &old.requests), ("limits", &new.limits, &old.limits)]
    {
        let there = |name: &String| new.as_ref().is_some_and(|it| it.contains_key(name));
        if old.iter().flatten().any(|(name, _)| !there(name)) {
            report.forbidden(&at.field(what), &format!("resource {what} cannot be removed"));
        }
    }
}

/// Whether nothing but the amounts of CPU and memory differs.
fn only_amounts(new: &Container, old: &Container) -> bool {
    let without = |container: &Container| {
        let mut container = container.clone();
        if let Some(resources) = &mut container.resources {
            for amounts in [&mut resources.requests, &mut resources.limits].into_iter().flatten() {
                amounts.retain(|name, _| !matches!(name.as_str(), "cpu" | "memory"));
            }
        }
        container
    };
    meta::same(&without(new), &without(old))
}
