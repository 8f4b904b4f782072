//! Which parts of an object have a door of their own?
//!
//! `scale` of what has replicas; `eviction`, `binding`, `ephemeralcontainers` and `resize` of a pod. Source: `pkg/registry/apps/*/storage`,
//! `pkg/registry/core/pod/storage/{storage,eviction}.go`.

use std::rc::Rc;

use api::{
    ApiStatus, Kind, Object, Resource,
    k8s::core::v1::{Pod, PodCondition},
    label::Selector,
};
use serde_json::{Value, json};

use crate::{
    ApiVerb, Propagation, Reply,
    apiserver::{Call, delete, method_not_allowed, no_such_resource, read, scale, status, update},
    request::Stage,
};

/// Answers a request about a part of an object.
pub(super) fn serve(
    call: &mut Call<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    part: &'static str,
    verb: ApiVerb,
) -> Result<Reply, ApiStatus> {
    match (kind, part, verb) {
        (
            Kind::Deployment
            | Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::ReplicationController
            | Kind::Custom(_),
            "scale",
            verb,
        ) => scale::serve(call, kind, namespace, name, verb).map(Reply::Value),
        (Kind::Pod, "eviction", ApiVerb::Create(body)) => {
            evict(call, namespace, name, &body).map(Reply::Value)
        }
        (Kind::Pod, "binding", ApiVerb::Create(body)) => {
            let node = body.pointer("/target/name").and_then(Value::as_str).unwrap_or_default();
            bind(call, namespace, name, node).map(Reply::Object)
        }
        (Kind::Pod, "ephemeralcontainers" | "resize", ApiVerb::Get) => {
            read::get(call, kind, namespace, name).map(Reply::Object)
        }
        (Kind::Pod, "ephemeralcontainers" | "resize", ApiVerb::Update(body)) => {
            update::decoded(call, kind, namespace, name, part, &body).map(Reply::Object)
        }
        (Kind::Pod, "ephemeralcontainers" | "resize", ApiVerb::Patch(how, patch)) => {
            update::patched(call, kind, namespace, name, part, how, &patch).map(Reply::Object)
        }
        (Kind::CertificateSigningRequest, "approval", ApiVerb::Get) => {
            read::get(call, kind, namespace, name).map(Reply::Object)
        }
        (Kind::CertificateSigningRequest, "approval", ApiVerb::Update(body)) => {
            update::decoded(call, kind, namespace, name, "approval", &body).map(Reply::Object)
        }
        (Kind::CertificateSigningRequest, "approval", ApiVerb::Patch(how, patch)) => {
            update::patched(call, kind, namespace, name, "approval", how, &patch).map(Reply::Object)
        }
        (_, "" | "status" | "finalize", _) => Err(method_not_allowed()),
        _ => Err(no_such_resource()),
    }
}

/// Deletes a pod, unless a budget holds it.
fn evict(call: &mut Call<'_>, namespace: &str, name: &str, body: &Value) -> Result<Value, ApiStatus> {
    call.look_up();
    let pod = read::get(call, Kind::Pod, namespace, name)?;
    call.enter(Stage::Validation, "");
    let phase = Pod::of(&pod).and_then(|pod| pod.status.as_ref()?.phase.as_deref()).unwrap_or_default();
    if !matches!(phase, "Pending" | "Succeeded" | "Failed") && pod.meta().deletion_timestamp.is_none() {
        spend(call, namespace, &pod)?;
    }
    let grace = body.pointer("/deleteOptions/gracePeriodSeconds").and_then(Value::as_u64);
    delete::delete(call, Kind::Pod, namespace, name, grace, Propagation::Background)?;
    Ok(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}))
}

/// Takes one disruption from the pod's budget, if it has one.
fn spend(call: &mut Call<'_>, namespace: &str, pod: &Object) -> Result<(), ApiStatus> {
    let labels = pod.meta().labels.clone().unwrap_or_default();
    let chooses = |budget: &api::Stored| {
        let selector = budget.body.get("spec").and_then(|spec| spec.get("selector")).cloned();
        let selector = selector.and_then(|selector| serde_json::from_value(selector).ok());
        let selector = selector.and_then(|selector| Selector::from_label_selector(&selector).ok());
        selector.is_some_and(|selector| selector.matches(&labels))
    };
    let budgets = call.world.store().objects(call.cluster, Kind::PodDisruptionBudget, Some(namespace));
    let budgets: Vec<api::Stored> = budgets
        .filter_map(|(_, object)| match &**object {
            Object::Stored(budget) if chooses(budget) => Some((**budget).clone()),
            _ => None,
        })
        .collect();
    let mut budget = match budgets.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        _ => {
            let why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(status(500, "", why));
        }
    };
    let policy = budget.body.get("spec").and_then(|spec| spec.get("unhealthyPodEvictionPolicy"));
    let always = policy.and_then(Value::as_str) == Some("AlwaysAllow");
    let generation = budget.metadata.generation.unwrap_or_default();
    let state = budget.body.entry("status").or_insert_with(|| json!({}));
    let number = |field: &str| state.get(field).and_then(Value::as_i64).unwrap_or(0);
    let (healthy, desired) = (number("currentHealthy"), number("desiredHealthy"));
    if !pod_is_ready(pod) && (always || (healthy >= desired && desired > 0)) {
        return Ok(());
    }
    let allowed = number("disruptionsAllowed");
    if allowed <= 0 || number("observedGeneration") < generation {
        return Err(status(
            429,
            "TooManyRequests",
            "Cannot evict pod as it would violate the pod's disruption budget.",
        ));
    }
    state["disruptionsAllowed"] = json!(allowed - 1);
    // Until the controller sees the pod going, it knows of it by this.
    state["disruptedPods"][pod.name()] = json!(call.world.stamp(call.world.now()));
    call.write(Object::Stored(Box::new(budget)));
    Ok(())
}

fn pod_is_ready(pod: &Object) -> bool {
    let conditions = Pod::of(pod).and_then(|pod| pod.status.as_ref()?.conditions.as_deref());
    conditions.unwrap_or_default().iter().any(|it| it.type_ == "Ready" && it.status == "True")
}

/// Gives a pod its node.
pub(super) fn bind(
    call: &mut Call<'_>,
    namespace: &str,
    name: &str,
    node: &str,
) -> Result<Rc<Object>, ApiStatus> {
    call.look_up();
    let old = read::get(call, Kind::Pod, namespace, name)?;
    let Some(mut pod) = Pod::of(&old).cloned() else { return Err(no_such_resource()) };
    let conflict = |why: String| {
        let mut status = ApiStatus::conflict(Kind::Pod, name, &why);
        status.message = format!("Operation cannot be fulfilled on pods/binding \"{name}\": {why}");
        status
    };
    if pod.metadata.deletion_timestamp.is_some() {
        return Err(conflict(format!("pod {name} is being deleted, cannot be assigned to a host")));
    }
    let spec = pod.spec.get_or_insert_default();
    if let Some(has) = spec.node_name.as_deref().filter(|has| !has.is_empty()) {
        return Err(conflict(format!("pod {name} is already assigned to node \"{has}\"")));
    }
    if spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
        return Err(conflict(format!("pod {name} has non-empty .spec.schedulingGates")));
    }
    spec.node_name = Some(node.to_owned());
    let stamp = call.world.stamp(call.world.now());
    let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
    conditions.retain(|condition| condition.type_ != "PodScheduled");
    conditions.push(PodCondition {
        type_: "PodScheduled".to_owned(),
        status: "True".to_owned(),
        last_transition_time: Some(stamp),
        ..PodCondition::default()
    });
    Ok(call.write(pod.into_object()))
}
