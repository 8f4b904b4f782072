//! How fast is a scheduler?
//!
//! The workload that kube-scheduler's own figures were taken with: nodes of two sizes in three zones, small pods of 20
//! applications, either plain or mixed with spreading and anti-affinity. The same numbers every time.
//! [`figures`] replays it with a clock that it is given. Nodes are loaded and pods are read before the clock starts;
//! compiling pods and putting them on their nodes counts. Every node is scored.

use std::rc::Rc;

use api::k8s::core::v1::{Node, Pod};
use serde_json::{Value, json};

use crate::class::Classes;
use crate::{NodeTable, Profile};

/// Nodes and pods of each figure.
const SIZES: [(usize, usize); 4] = [(100, 1000), (500, 2000), (1000, 2000), (5000, 2000)];
/// How often each is replayed. Others on the machine can only slow a replay down, so the best one counts.
const REPLAYS: usize = 40;
/// How many pods are compiled at a time.
const TOGETHER: usize = 16;
/// Nodes, and pods on them, whose memory is looked at.
const HELD: (usize, usize) = (5000, 20000);

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
    let mut nodes = Vec::with_capacity(count);
    nodes.extend((0..count).filter_map(|i| serde_json::from_value::<Node>(node(i)).ok()));
    nodes
}

/// The first `count` pods, as the API server would have them, read from text.
#[must_use]
pub fn pods(count: usize, mix: Mix) -> Vec<Pod> {
    let mut x: u64 = 42;
    // With room for all: memory that growing gives back would be used again, and escape `bytes`.
    let mut pods = Vec::with_capacity(count);
    pods.extend((0..count).filter_map(|j| {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        serde_json::from_str::<Pod>(&pod(j, x >> 33, mix).to_string()).ok()
    }));
    pods
}

/// Says each figure in a line: name, value, unit.
///
/// `now` is a clock in seconds; `held` is the memory of the process in bytes, where that is known.
pub fn figures(now: impl Fn() -> f64, held: impl Fn() -> Option<usize>, mut say: impl FnMut(String)) {
    // First, while no memory has been given back that could be used again.
    let bytes = bytes(held);
    for (name, mix) in [("plain", Mix::Plain), ("mixed", Mix::Mixed)] {
        for (size, count) in SIZES {
            let (nodes, pods) = (nodes(size), pods(count, mix));
            let best = (0..REPLAYS).map(|_| replay(&nodes, &pods, &now)).fold(f64::INFINITY, f64::min);
            #[allow(clippy::cast_precision_loss, reason = "a few thousand pods")]
            let rate = pods.len() as f64 / best;
            say(format!("scheduler/{name}/{size} {rate:.0} pods/s"));
        }
    }
    for (what, bytes) in bytes.into_iter().flatten() {
        say(format!("scheduler/bytes/{what} {bytes} bytes"));
    }
}

/// How long the pods take to find their nodes.
fn replay(nodes: &[Node], pods: &[Pod], now: impl Fn() -> f64) -> f64 {
    let (mut table, mut classes) = loaded(nodes);
    let start = now();
    place(pods, &mut table, &mut classes);
    now() - start
}

fn loaded(nodes: &[Node]) -> (NodeTable, Classes) {
    let (mut table, mut classes) = (NodeTable::default(), Classes::new(Profile::default_1_34()));
    nodes.iter().for_each(|node| table.set_node(node));
    classes.keep_up(&table);
    (table, classes)
}

fn place(pods: &[Pod], table: &mut NodeTable, classes: &mut Classes) {
    for pods in pods.chunks(TOGETHER) {
        for pod in classes.compile_all(pods) {
            if let Some(found) = classes.pick(table, &pod, 0) {
                table.bind(&Rc::new(pod), found.node);
            }
        }
    }
}

/// What a node and a pod on it take, in the table and in what is remembered of them.
fn bytes(held: impl Fn() -> Option<usize>) -> Option<[(&'static str, usize); 2]> {
    let (nodes, pods) = (nodes(HELD.0), pods(HELD.1, Mix::Mixed));
    let before = held()?;
    let (mut table, mut classes) = loaded(&nodes);
    let between = held()?;
    place(&pods, &mut table, &mut classes);
    let after = held()?;
    let each = |more: usize, less: usize, count: usize| more.saturating_sub(less) / count.max(1);
    Some([("node", each(between, before, nodes.len())), ("pod", each(after, between, pods.len()))])
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
