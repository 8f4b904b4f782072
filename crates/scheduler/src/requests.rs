//! How much does a pod ask for, and how much does a node have?
//!
//! Sums are exact quantities and are rounded up once, at the end, as upstream does. Milli-CPU for `cpu`, units for
//! everything else.
//! Source: `k8s.io/component-helpers/resource` and `framework.NewResource`, 1.34.

use std::collections::BTreeMap;

use api::k8s::core::v1::{Container, ContainerStatus, PodSpec, PodStatus};
use api::quantity::{Format, Quantity};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use serde::{Deserialize, Serialize};

/// What a container without a CPU request counts for when nodes are scored.
pub const DEFAULT_MILLI_CPU: i64 = 100;
/// What a container without a memory request counts for when nodes are scored.
pub const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

/// Amounts as objects write them, by name.
pub type Listed = BTreeMap<String, Written>;

/// Exact sums by resource name.
type Sums = BTreeMap<String, Quantity>;

/// Amounts of resources: milli-CPU, bytes, and units of everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Thousandths of a CPU.
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// Extended resources, huge pages and attachable volumes.
    pub scalars: BTreeMap<String, i64>,
}

impl Amounts {
    /// Every resource with an amount, by name.
    #[must_use]
    pub fn listed(&self) -> Vec<(&str, i64)> {
        let fixed =
            [("cpu", self.milli_cpu), ("memory", self.memory), ("ephemeral-storage", self.ephemeral_storage)];
        let scalars = self.scalars.iter().map(|(name, amount)| (name.as_str(), *amount));
        fixed.into_iter().chain(scalars).filter(|(_, amount)| *amount > 0).collect()
    }

    /// The amount of one resource.
    #[must_use]
    pub fn of(&self, resource: &str) -> i64 {
        match resource {
            "cpu" => self.milli_cpu,
            "memory" => self.memory,
            "ephemeral-storage" => self.ephemeral_storage,
            scalar => self.scalars.get(scalar).copied().unwrap_or(0),
        }
    }
}

/// What a pod asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// What filters compare with a node's free room.
    pub exact: Amounts,
    /// What it counts for when nodes are scored for it: each container asks at least for the defaults.
    ///
    /// UPSTREAM: requests of the pod as a whole are not looked at here, though balance looks at them.
    pub wanted: CpuAndMemory,
    /// What it counts for when nodes are scored for others and it is there.
    ///
    /// UPSTREAM: differs from `wanted` where the pod asks for something as a whole.
    pub counted: CpuAndMemory,
}

/// Milli-CPU and bytes of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuAndMemory {
    /// Thousandths of a CPU.
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
}

impl Requests {
    /// Containers side by side, init containers one by one beside the sidecars before them, overhead on top. A container
    /// that is being resized counts for the most of what it has, what it was promised, and what it is to have.
    #[must_use]
    pub fn of(spec: &PodSpec, status: Option<&PodStatus>) -> Requests {
        Self::with(spec, status, |_| None)
    }

    /// The same of a pod whose containers ask for something else than is written, where `instead` says so.
    #[must_use]
    pub fn with<'p>(
        spec: &'p PodSpec,
        status: Option<&'p PodStatus>,
        instead: impl Fn(&'p Container) -> Option<Option<&'p Listed>>,
    ) -> Requests {
        let whole = pod_level(spec);
        let asked = Asked::of(spec, instead);
        let now = status.filter(|it| tells_resources(it)).map(|it| asked.resized(it));
        let there = now.as_ref().unwrap_or(&asked);
        let exact = there.total(&Sums::new(), whole.clone());
        let defaults = Sums::from([
            ("cpu".to_owned(), Quantity::from_milli(DEFAULT_MILLI_CPU, Format::DecimalSi)),
            ("memory".to_owned(), Quantity::new(DEFAULT_MEMORY, Format::BinarySi)),
        ]);
        let mut missing = defaults.clone();
        if !whole.is_empty() {
            missing.retain(|name, _| !exact.contains_key(name));
        }
        let sum = |asked: &Asked<'_>, defaults: &Sums, whole: Sums| {
            let sums = asked.total(defaults, whole);
            CpuAndMemory {
                milli_cpu: sums.get("cpu").map_or(0, Quantity::milli_value),
                memory: sums.get("memory").map_or(0, Quantity::value),
            }
        };
        Requests {
            exact: amounts(&exact),
            wanted: sum(&asked, &defaults, Sums::new()),
            counted: sum(there, &missing, whole),
        }
    }
}

/// What one container asks for.
#[derive(Clone)]
struct Share<'p> {
    name: &'p str,
    /// Whether its resources may be changed while it runs.
    resizes: bool,
    sidecar: bool,
    asks: Sums,
}

impl<'p> Share<'p> {
    fn of(
        container: &'p Container,
        init: bool,
        instead: &impl Fn(&'p Container) -> Option<Option<&'p Listed>>,
    ) -> Self {
        let written = || container.resources.as_ref().and_then(|it| it.requests.as_ref());
        let sidecar = init && is_sidecar(container);
        let asks = read(instead(container).unwrap_or_else(written));
        Self { name: &container.name, resizes: !init || sidecar, sidecar, asks }
    }
}

/// What a pod's containers ask for, one by one.
struct Asked<'p> {
    containers: Vec<Share<'p>>,
    init: Vec<Share<'p>>,
    overhead: Sums,
}

impl<'p> Asked<'p> {
    fn of(spec: &'p PodSpec, instead: impl Fn(&'p Container) -> Option<Option<&'p Listed>>) -> Self {
        Self {
            containers: spec.containers.iter().map(|it| Share::of(it, false, &instead)).collect(),
            init: spec.init_containers.iter().flatten().map(|it| Share::of(it, true, &instead)).collect(),
            overhead: read(spec.overhead.as_ref()),
        }
    }

    /// What the containers count for while they are resized; one that cannot be resized keeps what it has.
    fn resized(&self, status: &PodStatus) -> Self {
        let mut conditions = status.conditions.iter().flatten();
        let pending = conditions.find(|it| it.type_ == "PodResizePending");
        let infeasible = pending.is_some_and(|it| it.reason.as_deref() == Some("Infeasible"));
        let most = |share: &Share<'p>| {
            let told = statuses(status).find(|it| it.name == share.name).filter(|_| share.resizes);
            let Some((told, has)) = told.and_then(|told| Some((told, told.resources.as_ref()?))) else {
                return share.clone();
            };
            let mut asks = if infeasible { Sums::new() } else { share.asks.clone() };
            raise(&mut asks, &read(has.requests.as_ref()));
            raise(&mut asks, &read(told.allocated_resources.as_ref()));
            Share { asks, ..share.clone() }
        };
        Self {
            containers: self.containers.iter().map(most).collect(),
            init: self.init.iter().map(most).collect(),
            overhead: self.overhead.clone(),
        }
    }

    fn total(&self, missing: &Sums, whole: Sums) -> Sums {
        let asks = |share: &Share<'_>| {
            let mut asks = share.asks.clone();
            for (name, value) in missing {
                asks.entry(name.clone()).or_insert_with(|| value.clone());
            }
            asks
        };
        let mut sums = Sums::new();
        for share in &self.containers {
            add(&mut sums, &asks(share));
        }
        let mut sidecars = Sums::new();
        let mut start_up = Sums::new();
        for share in &self.init {
            let mut needed = asks(share);
            if share.sidecar {
                add(&mut sums, &needed);
                add(&mut sidecars, &needed);
                needed.clone_from(&sidecars);
            } else {
                add(&mut needed, &sidecars);
            }
            raise(&mut start_up, &needed);
        }
        raise(&mut sums, &start_up);
        sums.extend(whole);
        add(&mut sums, &self.overhead);
        sums
    }
}

/// Whether the kubelet says what a container has.
pub(crate) fn tells_resources(status: &PodStatus) -> bool {
    statuses(status).any(|it| it.resources.is_some())
}

fn statuses(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    status.container_statuses.iter().chain(&status.init_container_statuses).flatten()
}

fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// A node's allocatable resources, and how many pods it may hold.
#[must_use]
pub fn allocatable(list: Option<&Listed>) -> (Amounts, i64) {
    let sums = read(list);
    (amounts(&sums), sums.get("pods").map_or(0, Quantity::value))
}

fn amounts(sums: &Sums) -> Amounts {
    let value = |name: &str| sums.get(name).map_or(0, Quantity::value);
    let scalar = |name: &str| {
        name.contains('/') || name.starts_with("hugepages-") || name.starts_with("attachable-volumes-")
    };
    Amounts {
        milli_cpu: sums.get("cpu").map_or(0, Quantity::milli_value),
        memory: value("memory"),
        ephemeral_storage: value("ephemeral-storage"),
        scalars: sums
            .iter()
            .filter(|(name, _)| scalar(name))
            .map(|(name, it)| (name.clone(), it.value()))
            .collect(),
    }
}

/// Requests at the level of the pod replace the sums of its containers, for the resources that support it.
fn pod_level(spec: &PodSpec) -> Sums {
    let mut requests = read(spec.resources.as_ref().and_then(|it| it.requests.as_ref()));
    requests.retain(|name, _| name == "cpu" || name == "memory" || name.starts_with("hugepages-"));
    requests
}

fn read(list: Option<&Listed>) -> Sums {
    // A text that is no quantity was refused by decoding.
    list.into_iter()
        .flatten()
        .filter_map(|(name, it)| Some((name.clone(), Quantity::parse(&it.0).ok()?)))
        .collect()
}

fn add(sums: &mut Sums, more: &Sums) {
    for (name, value) in more {
        let sum = sums.remove(name).unwrap_or(Quantity::ZERO);
        sums.insert(name.clone(), sum + value);
    }
}

fn raise(sums: &mut Sums, least: &Sums) {
    for (name, value) in least {
        let at = sums.entry(name.clone()).or_insert_with(|| value.clone());
        if *at < *value {
            *at = value.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(spec: &str) -> Requests {
        Requests::of(&serde_json::from_str(spec).expect("a pod spec"), None)
    }

    #[test]
    fn an_init_container_counts_beside_the_sidecars_before_it() {
        let got = requests(
            r#"{"initContainers": [
                {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
                {"name": "i", "resources": {"requests": {"cpu": "700m"}}}],
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "500m"}}}]}"#,
        );
        assert_eq!(got.exact.milli_cpu, 800);
    }

    #[test]
    fn requests_of_the_pod_replace_those_of_its_containers_and_overhead_comes_on_top() {
        let got = requests(
            r#"{"resources": {"requests": {"cpu": "2"}}, "overhead": {"cpu": "10m"},
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}, {"name": "b"}]}"#,
        );
        assert_eq!((got.exact.milli_cpu, got.exact.memory), (2010, 1 << 30));
        assert_eq!(got.counted.memory, 1 << 30);
        assert_eq!(got.wanted.memory, (1 << 30) + DEFAULT_MEMORY);
        assert_eq!(got.wanted.milli_cpu, 500 + DEFAULT_MILLI_CPU + 10);
    }

    #[test]
    fn a_container_that_asks_for_nothing_counts_for_the_defaults_when_nodes_are_scored() {
        let got = requests(r#"{"containers": [{"name": "a"}, {"name": "b"}]}"#);
        assert_eq!(got.exact, Amounts::default());
        assert_eq!(got.wanted, CpuAndMemory { milli_cpu: 200, memory: 2 * DEFAULT_MEMORY });
        assert_eq!(got.counted, got.wanted);
    }

    /// `determineContainerReqs` of `component-helpers/resource`.
    #[test]
    fn a_container_that_is_resized_counts_for_the_most_of_all() {
        let spec: PodSpec = serde_json::from_str(
            r#"{"containers": [{"name": "a", "resources": {"requests": {"cpu": "1", "memory": "2Gi"}}}]}"#,
        )
        .expect("a pod spec");
        let status = |reason: &str| -> PodStatus {
            let text = r#"{"conditions": [{"type": "PodResizePending", "status": "True", "reason": "REASON"}],
                "containerStatuses": [{"name": "a", "image": "i", "imageID": "", "ready": true, "restartCount": 0,
                    "allocatedResources": {"cpu": "2"}, "resources": {"requests": {"cpu": "3", "memory": "1Gi"}}}]}"#;
            serde_json::from_str(&text.replace("REASON", reason)).expect("a status")
        };
        let deferred = Requests::of(&spec, Some(&status("Deferred")));
        assert_eq!((deferred.exact.milli_cpu, deferred.exact.memory), (3000, 2 << 30));
        assert_eq!(deferred.wanted.milli_cpu, 1000, "what it asks for itself is in its spec");
        let infeasible = Requests::of(&spec, Some(&status("Infeasible")));
        assert_eq!((infeasible.exact.milli_cpu, infeasible.exact.memory), (3000, 1 << 30));
    }
}
