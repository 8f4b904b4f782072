//! How fast is a scheduler?
//!
//! The workload that kube-scheduler's own figures were taken with: nodes of two sizes in three zones, small pods of 20
//! applications, either plain or mixed with spreading and anti-affinity. The same numbers every time.

use api::k8s::core::v1::{Node, Pod};
use serde_json::{Value, json};

/// What the pods ask for beside room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Nothing.
    Plain,
    /// Four in ten ask for spreading or anti-affinity.
    Mixed,
}

/// The first `count` nodes.
#[must_use]
pub fn nodes(count: usize) -> Vec<Node> {
    (0..count).filter_map(|i| serde_json::from_value(node(i)).ok()).collect()
}

/// The first `count` pods, as the API server would have them.
#[must_use]
pub fn pods(count: usize, mix: Mix) -> Vec<Pod> {
    let mut x: u64 = 42;
    (0..count)
        .filter_map(|j| {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            serde_json::from_value(pod(j, x >> 33, mix)).ok()
        })
        .collect()
}

fn node(i: usize) -> Value {
    let name = format!("node-{i:05}");
    let zone = ["us-west-2a", "us-west-2b", "us-west-2c"][i % 3];
    let (instance, cpu, memory, pods) = if i % 4 == 3 {
        ("m5.large", "1930m", "7220184Ki", "29")
    } else {
        ("m5.xlarge", "3920m", "15147160Ki", "58")
    };
    json!({
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": "us-west-2",
            "node.kubernetes.io/instance-type": instance, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
        "spec": {},
        "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods, "ephemeral-storage": "18242267924"}},
    })
}

fn pod(j: usize, r: u64, mix: Mix) -> Value {
    let pick = |n: u64, list: [&'static str; 4]| list[usize::try_from(n % 4).unwrap_or(0)];
    let (cpu, memory) =
        (pick(r, ["50m", "100m", "250m", "500m"]), pick(r / 4, ["64Mi", "128Mi", "256Mi", "512Mi"]));
    let app = format!("app-{}", (r / 16) % 20);
    let mut labels = json!({"app": app});
    let mut spec = json!({"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"cpu": cpu, "memory": memory}}}]});
    let selector = json!({"matchLabels": {"app": app}});
    let spread = |key: &str, when: &str| json!([{"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": when, "labelSelector": selector}]);
    match (mix, j % 10) {
        (Mix::Mixed, 0) => {
            spec["topologySpreadConstraints"] = spread("topology.kubernetes.io/zone", "DoNotSchedule");
        }
        (Mix::Mixed, 1) => {
            spec["topologySpreadConstraints"] = spread("kubernetes.io/hostname", "ScheduleAnyway");
        }
        (Mix::Mixed, 2) => {
            spec["affinity"] = json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 100, "podAffinityTerm": {"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}}]}});
        }
        (Mix::Mixed, 3) => {
            let unique = format!("u-{}", (j / 10) % 50);
            labels["uniq"] = json!(unique);
            spec["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"labelSelector": {"matchLabels": {"uniq": unique}}, "topologyKey": "kubernetes.io/hostname"}]}});
        }
        (Mix::Plain | Mix::Mixed, _) => {}
    }
    json!({"metadata": {"name": format!("pod-{j:06}"), "namespace": "default", "labels": labels}, "spec": spec})
}
