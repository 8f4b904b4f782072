//! The row of a pod: what READY, STATUS and RESTARTS mean.

use api::{
    k8s::core::v1::{Container, ContainerStatus, Pod, PodCondition, PodSpec, PodStatus},
    meta::ObjectMeta,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{created, name, or};
use crate::kubectl::{
    age,
    field::{at, condition, int, list, text},
};

pub(super) fn pod(o: &Value, now: Timestamp) -> Vec<String> {
    let (ready, total) = ready(o);
    let gates = list(o, "spec.readinessGates");
    let passed = gates
        .iter()
        .filter(|g| condition(o, text(g, "conditionType")).is_some_and(|c| text(c, "status") == "True"));
    let gates =
        if gates.is_empty() { "<none>".to_owned() } else { format!("{}/{}", passed.count(), gates.len()) };
    vec![
        name(o),
        format!("{ready}/{total}"),
        display(o),
        restarts(o, now),
        created(o, now),
        or(text(o, "status.podIP"), "<none>").to_owned(),
        or(text(o, "spec.nodeName"), "<none>").to_owned(),
        or(text(o, "status.nominatedNodeName"), "<none>").to_owned(),
        gates,
    ]
}

/// The JSON of all that rows of pods are made of: of ten thousand pods the rest would be written down only to be forgotten.
pub(crate) fn essence(pod: &Pod) -> Value {
    let (meta, spec) = (&pod.metadata, pod.spec.as_ref());
    let bare = |container: &Container| Container {
        name: container.name.clone(),
        restart_policy: container.restart_policy.clone(),
        ..Container::default()
    };
    let spec = spec.map(|spec| PodSpec {
        containers: spec.containers.iter().map(bare).collect(),
        init_containers: spec.init_containers.as_ref().map(|all| all.iter().map(bare).collect()),
        readiness_gates: spec.readiness_gates.clone(),
        node_name: spec.node_name.clone(),
        ..PodSpec::default()
    });
    let metadata = ObjectMeta {
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        labels: meta.labels.clone(),
        creation_timestamp: meta.creation_timestamp.clone(),
        deletion_timestamp: meta.deletion_timestamp.clone(),
        ..ObjectMeta::default()
    };
    let status = pod.status.as_ref().map(|status| PodStatus {
        phase: status.phase.clone(),
        reason: status.reason.clone(),
        pod_ip: status.pod_ip.clone(),
        nominated_node_name: status.nominated_node_name.clone(),
        conditions: status.conditions.as_ref().map(|all| all.iter().map(bare_condition).collect()),
        container_statuses: status
            .container_statuses
            .as_ref()
            .map(|all| all.iter().map(bare_status).collect()),
        init_container_statuses: status
            .init_container_statuses
            .as_ref()
            .map(|all| all.iter().map(bare_status).collect()),
        ..PodStatus::default()
    });
    serde_json::to_value(Pod { metadata, spec, status }).unwrap_or_default()
}

fn bare_condition(condition: &PodCondition) -> PodCondition {
    PodCondition {
        type_: condition.type_.clone(),
        status: condition.status.clone(),
        reason: condition.reason.clone(),
        ..PodCondition::default()
    }
}

fn bare_status(status: &ContainerStatus) -> ContainerStatus {
    ContainerStatus {
        name: status.name.clone(),
        ready: status.ready,
        started: status.started,
        restart_count: status.restart_count,
        state: status.state.clone(),
        last_state: status.last_state.clone(),
        ..ContainerStatus::default()
    }
}

/// Whether an init container goes on beside the main ones.
fn is_sidecar(o: &Value, container: &str) -> bool {
    let found = list(o, "spec.initContainers").iter().find(|c| text(c, "name") == container);
    found.is_some_and(|c| text(c, "restartPolicy") == "Always")
}

fn ready(o: &Value) -> (usize, usize) {
    let is_ready = |s: &&Value| at(s, "ready") == &Value::Bool(true);
    let sidecars =
        list(o, "spec.initContainers").iter().filter(|c| text(c, "restartPolicy") == "Always").count();
    let total = list(o, "spec.containers").len() + sidecars;
    let main = list(o, "status.containerStatuses").iter().filter(is_ready);
    let main = main.filter(|s| initialized(o) && !at(s, "state.running").is_null());
    let beside = looked_at(o).iter().filter(|s| is_started_sidecar(o, s)).filter(is_ready);
    (main.count() + beside.count(), total)
}

fn is_started_sidecar(o: &Value, status: &Value) -> bool {
    is_sidecar(o, text(status, "name")) && at(status, "started") == &Value::Bool(true)
}

/// Whether the row goes on to what comes after this init container.
fn is_through(o: &Value, status: &Value) -> bool {
    let terminated = at(status, "state.terminated");
    let well = !terminated.is_null() && int(terminated, "exitCode") == 0;
    well || is_started_sidecar(o, status)
}

/// The init containers that count. UPSTREAM: a sidecar that is being started again hides those after it.
fn looked_at(o: &Value) -> &[Value] {
    let all = list(o, "status.initContainerStatuses");
    let end = all.iter().position(|status| !is_through(o, status)).map_or(all.len(), |at| at + 1);
    &all[..end]
}

/// The sum of restarts, with the time of the last.
pub(crate) fn restarts(o: &Value, now: Timestamp) -> String {
    let mut count = 0;
    let mut last: Option<Timestamp> = None;
    let (mut init_count, mut init_last): (i64, Option<Timestamp>) = (0, None);
    let finished = |s: &Value| text(s, "lastState.terminated.finishedAt").parse::<Timestamp>().ok();
    for status in looked_at(o) {
        init_count += int(status, "restartCount");
        init_last = init_last.max(finished(status));
        if is_sidecar(o, text(status, "name")) {
            count += int(status, "restartCount");
            last = last.max(finished(status));
        }
    }
    if !initialized(o) {
        (count, last) = (init_count, init_last);
    } else {
        for status in list(o, "status.containerStatuses") {
            count += int(status, "restartCount");
            last = last.max(finished(status));
        }
    }
    match last {
        Some(last) if count > 0 => {
            format!("{count} ({} ago)", age::human(now.as_second() - last.as_second()))
        }
        Some(_) | None => count.to_string(),
    }
}

fn initialized(o: &Value) -> bool {
    init_word(o).is_none() || condition(o, "Initialized").is_some_and(|c| text(c, "status") == "True")
}

/// `Init:…`, while an init container is not through.
fn init_word(o: &Value) -> Option<String> {
    let total = list(o, "spec.initContainers").len();
    for (i, status) in list(o, "status.initContainerStatuses").iter().enumerate() {
        if is_through(o, status) {
            continue;
        }
        let terminated = at(status, "state.terminated");
        let waiting = text(status, "state.waiting.reason");
        return Some(if terminated.is_null() {
            if !waiting.is_empty() && waiting != "PodInitializing" {
                format!("Init:{waiting}")
            } else {
                format!("Init:{i}/{total}")
            }
        } else {
            let reason = text(terminated, "reason");
            match (reason, int(terminated, "signal")) {
                ("", 0) => format!("Init:ExitCode:{}", int(terminated, "exitCode")),
                ("", signal) => format!("Init:Signal:{signal}"),
                (reason, _) => format!("Init:{reason}"),
            }
        });
    }
    None
}

/// The word in the STATUS column.
#[must_use]
pub(crate) fn display(o: &Value) -> String {
    let mut word = text(o, "status.phase").to_owned();
    if !text(o, "status.reason").is_empty() {
        text(o, "status.reason").clone_into(&mut word);
    }
    if condition(o, "PodScheduled").is_some_and(|c| text(c, "reason") == "SchedulingGated") {
        "SchedulingGated".clone_into(&mut word);
    }
    let initializing = init_word(o);
    if let Some(init) = initializing.clone() {
        word = init;
    }
    if initializing.is_none() || condition(o, "Initialized").is_some_and(|c| text(c, "status") == "True") {
        let mut running = false;
        for status in list(o, "status.containerStatuses").iter().rev() {
            let waiting = text(status, "state.waiting.reason");
            let terminated = at(status, "state.terminated");
            if !waiting.is_empty() {
                waiting.clone_into(&mut word);
            } else if !terminated.is_null() {
                word = match (text(terminated, "reason"), int(terminated, "signal")) {
                    ("", 0) => format!("ExitCode:{}", int(terminated, "exitCode")),
                    ("", signal) => format!("Signal:{signal}"),
                    (reason, _) => reason.to_owned(),
                };
            } else if at(status, "ready") == &Value::Bool(true) && !at(status, "state.running").is_null() {
                running = true;
            }
        }
        if word == "Completed" && running {
            let ready = condition(o, "Ready").is_some_and(|c| text(c, "status") == "True");
            (if ready { "Running" } else { "NotReady" }).clone_into(&mut word);
        }
    }
    if !at(o, "metadata.deletionTimestamp").is_null() {
        if text(o, "status.reason") == "NodeLost" {
            return "Unknown".to_owned();
        }
        if !matches!(text(o, "status.phase"), "Succeeded" | "Failed") {
            return "Terminating".to_owned();
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_made_of_no_more_than_its_essence() {
        let pod: Pod = serde_json::from_value(serde_json::json!({
            "metadata": {"name": "a", "namespace": "b", "labels": {"app": "a"}, "creationTimestamp": "2026-03-02T08:00:00Z",
                "deletionTimestamp": "2026-03-02T09:00:00Z", "annotations": {"a": "b"}},
            "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}], "readinessGates": [{"conditionType": "Ready"}],
                "initContainers": [{"name": "first"}, {"name": "side", "restartPolicy": "Always"}]},
            "status": {"phase": "Running", "podIP": "10.0.0.1", "nominatedNodeName": "m", "conditions": [
                {"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "True"}],
                "containerStatuses": [{"name": "c", "image": "i", "imageID": "", "ready": true, "restartCount": 2, "state": {"running": {}},
                    "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-03-02T08:30:00Z"}}}],
                "initContainerStatuses": [{"name": "side", "image": "i", "imageID": "", "ready": true, "started": true, "restartCount": 0}]},
        }))
        .expect("a pod");
        let now = "2026-03-02T09:00:00Z".parse().expect("a time");
        let whole = serde_json::to_value(&pod).expect("JSON");
        let row = super::super::cells(api::Kind::Pod, &essence(&pod), now);
        assert_eq!(row, super::super::cells(api::Kind::Pod, &whole, now));
        assert_eq!(row[..4], ["a", "2/2", "Terminating", "2 (30m ago)"]);
    }

    /// Expected: `printPod` of `pkg/printers/internalversion/printers.go`.
    #[test]
    fn a_sidecar_that_is_started_again_hides_those_after_it() {
        let side = |name: &str, started: bool, state: &str| {
            serde_json::json!({"name": name, "ready": started, "started": started, "restartCount": 1,
                "state": {state: {"exitCode": 0, "reason": "CrashLoopBackOff"}}})
        };
        let pod = |first: Value| {
            serde_json::json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}], "initContainers": [
                {"name": "one", "restartPolicy": "Always"}, {"name": "two", "restartPolicy": "Always"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Initialized", "status": "True"}],
                "initContainerStatuses": [first, side("two", true, "running")],
                "containerStatuses": [{"name": "c", "ready": true, "restartCount": 0, "state": {"running": {}}}]}})
        };
        let now = "2026-03-02T09:00:00Z".parse().expect("a time");
        let row = |first| {
            let pod = pod(first);
            (ready(&pod), display(&pod), restarts(&pod, now))
        };
        let want =
            |ready: usize, word: &str, restarts: &str| ((ready, 3), word.to_owned(), restarts.to_owned());
        assert_eq!(row(side("one", true, "running")), want(3, "Running", "2"));
        assert_eq!(row(side("one", false, "waiting")), want(1, "Init:CrashLoopBackOff", "1"));
        assert_eq!(row(side("one", false, "terminated")), want(2, "Running", "2"));
    }
}
