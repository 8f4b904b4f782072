//! Does any number that a manifest can hold make the lab fall over?
//!
//! Manifests that fill in the numbers of a kind, each number in turn and then all together at the ends of their ranges, are
//! applied to a small world, which then runs for a while. Refusals are fine; panics (an overflow is one here) are not.

use std::panic::{self, AssertUnwindSafe};

use api::SimDuration;
use cluster::{Budget, World};
use lab::{Session, library};
use serde_json::{Value, json};
use shell::{Machine, Output};

/// The ends of what a field of 32 or 64 bits holds, and what is just outside of sense.
const NUMBERS: [i64; 6] = [2_147_483_647, -2_147_483_648, i64::MAX, i64::MIN, 0, -1];

/// The same for quantities.
const QUANTITIES: [&str; 5] = ["9223372036854775807", "9223372036854775807Ei", "1n", "0", "-1"];

fn pod_spec() -> Value {
    let probe = json!({"tcpSocket": {"port": 80}, "periodSeconds": 10, "initialDelaySeconds": 1, "timeoutSeconds": 1,
        "failureThreshold": 3, "successThreshold": 1});
    json!({
        "terminationGracePeriodSeconds": 30, "priority": 0,
        "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
        "topologySpreadConstraints": [{"maxSkew": 1, "minDomains": 1, "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "x"}}}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "preference": {"matchExpressions": [{"key": "n", "operator": "Gt", "values": ["1"]}]}}]},
            "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm":
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}}}]}},
        "containers": [{"name": "c", "image": "nginx:1.27", "ports": [{"containerPort": 80, "hostPort": 8080}],
            "resources": {"requests": {"cpu": "1m", "memory": "1Mi", "ephemeral-storage": "1Mi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
            "readinessProbe": probe, "livenessProbe": probe, "startupProbe": probe}],
    })
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "x"}}, "spec": pod_spec()})
}

/// One object of each kind that has numbers and a controller, a scheduler or a kubelet that reckons with them.
fn manifests() -> Vec<Value> {
    let meta = json!({"name": "x", "namespace": "default"});
    let selector = json!({"matchLabels": {"app": "x"}});
    let mut job = template();
    job["spec"]["restartPolicy"] = "Never".into();
    let mut plain = pod_spec();
    plain["activeDeadlineSeconds"] = 600.into();
    vec![
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {"app": "x"}}, "spec": plain}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"replicas": 2,
            "minReadySeconds": 1, "revisionHistoryLimit": 2, "progressDeadlineSeconds": 600, "selector": selector, "template": template(),
            "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}}}),
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": {"replicas": 2,
            "minReadySeconds": 1, "selector": selector, "template": template()}}),
        json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": {"minReadySeconds": 1,
            "revisionHistoryLimit": 2, "selector": selector, "template": template(),
            "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}}}),
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": {"replicas": 2,
            "minReadySeconds": 1, "serviceName": "x", "selector": selector, "template": template(),
            "ordinals": {"start": 0}, "updateStrategy": {"rollingUpdate": {"partition": 0}}}}),
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"parallelism": 1, "completions": 1,
            "backoffLimit": 1, "activeDeadlineSeconds": 10, "ttlSecondsAfterFinished": 10, "template": job}}),
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": {"schedule": "* * * * *",
            "startingDeadlineSeconds": 10, "successfulJobsHistoryLimit": 1, "failedJobsHistoryLimit": 1,
            "jobTemplate": {"spec": {"template": job}}}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"type": "NodePort",
            "selector": {"app": "x"}, "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
            "ports": [{"port": 80, "targetPort": 80, "nodePort": 30080}]}}),
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta,
            "spec": {"minAvailable": 1, "selector": selector}}),
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": {
            "minReplicas": 1, "maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}}}),
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "x"}, "value": 1}),
    ]
}

/// Whether text at this place is a quantity.
fn is_quantity(path: &[String]) -> bool {
    path.iter().any(|part| part == "requests" || part == "limits")
}

/// The places of all numbers and quantities.
fn places(value: &Value, at: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    match value {
        Value::Number(_) => out.push(at.clone()),
        Value::String(_) if is_quantity(at) => out.push(at.clone()),
        Value::Object(fields) => {
            for (name, value) in fields {
                at.push(name.clone());
                places(value, at, out);
                at.pop();
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                at.push(i.to_string());
                places(value, at, out);
                at.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn put(manifest: &mut Value, path: &[String], value: Value) {
    let pointer: String = path.iter().map(|part| format!("/{part}")).collect();
    if let Some(place) = manifest.pointer_mut(&pointer) {
        *place = value;
    }
}

/// A small world and the machine before it, both quick to copy.
fn begin() -> (World, Machine) {
    let session = Session::new(library::scenario("tiny").expect("a fixture"), 1).expect("a legal fixture");
    (session.world().clone(), session.machine().clone())
}

/// Applies one manifest, shows and deletes what came of it, and lets time pass in between; whether all that ended well.
fn survives((world, machine): &(World, Machine), manifest: &Value) -> bool {
    let (mut world, mut machine, mut out) = (world.clone(), machine.clone(), Output::default());
    // A page allows a line as much: `replicas: 2147483647` is not to end.
    world.allow(Some(10_000));
    panic::catch_unwind(AssertUnwindSafe(|| {
        let mut line = |text: &str, wait| {
            shell::run(text, &mut machine, &mut world, &mut out);
            let until = world.now() + wait;
            world.run_until(until, Budget::COMMAND);
        };
        line(&format!("kubectl apply -f - <<'EOF'\n{manifest}\nEOF"), SimDuration::secs(20));
        line("kubectl get all", SimDuration::ZERO);
        line("kubectl delete all --all --wait=false", SimDuration::secs(5));
    }))
    .is_ok()
}

#[test]
fn no_single_number_at_its_end_panics() {
    let begun = begin();
    let mut fallen = Vec::new();
    for manifest in manifests() {
        let mut all = Vec::new();
        places(&manifest, &mut Vec::new(), &mut all);
        for path in &all {
            let values: Vec<Value> = if is_quantity(path) {
                QUANTITIES.map(Value::from).to_vec()
            } else {
                NUMBERS.map(Value::from).to_vec()
            };
            for value in values {
                let mut extreme = manifest.clone();
                put(&mut extreme, path, value.clone());
                if !survives(&begun, &extreme) {
                    fallen.push(format!("{} {}: {value}", manifest["kind"], path.join(".")));
                }
            }
        }
    }
    assert!(fallen.is_empty(), "{fallen:#?}");
}

#[test]
fn no_number_with_all_others_at_their_ends_panics() {
    let begun = begin();
    let mut fallen = Vec::new();
    for manifest in manifests() {
        let mut all = Vec::new();
        places(&manifest, &mut Vec::new(), &mut all);
        for (number, quantity) in NUMBERS.iter().zip(QUANTITIES.iter().cycle()) {
            let mut extreme = manifest.clone();
            for path in &all {
                let value = if is_quantity(path) { Value::from(*quantity) } else { Value::from(*number) };
                put(&mut extreme, path, value);
            }
            if !survives(&begun, &extreme) {
                fallen.push(format!("{} {number} {quantity}", manifest["kind"]));
            }
        }
    }
    assert!(fallen.is_empty(), "{fallen:#?}");
}

#[test]
fn no_percentage_panics() {
    let begun = begin();
    let mut fallen = Vec::new();
    let places = [
        ("Deployment", "/spec/strategy/rollingUpdate/maxSurge"),
        ("Deployment", "/spec/strategy/rollingUpdate/maxUnavailable"),
        ("DaemonSet", "/spec/updateStrategy/rollingUpdate/maxUnavailable"),
        ("PodDisruptionBudget", "/spec/minAvailable"),
    ];
    for manifest in manifests() {
        for (_, place) in places.iter().filter(|(kind, _)| manifest["kind"] == *kind) {
            for percentage in ["0%", "100%", "101%", "2147483647%", "99999999999999999999%", "-1%", "%"] {
                let mut extreme = manifest.clone();
                *extreme.pointer_mut(place).expect("the manifest has the field") = percentage.into();
                if !survives(&begun, &extreme) {
                    fallen.push(format!("{} {place}: {percentage}", manifest["kind"]));
                }
            }
        }
    }
    assert!(fallen.is_empty(), "{fallen:#?}");
}
