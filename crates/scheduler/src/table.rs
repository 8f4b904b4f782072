//! What does the cluster look like to the scheduler?
//!
//! [`NodeTable`] is columnar: numbers that every cycle reads lie side by side, the rest is in [`Row`]s. It is kept up to
//! date by the changes of the cluster, one at a time, and equals a table built afresh from the same objects, whatever
//! the order of the changes. Pods whose node is unknown wait for it.
//! This module does not know about plugins.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::k8s::core::v1::{Namespace, Node};

use crate::decision::NodeLoad;
use crate::disruption::DisruptionBudget;
use crate::history::{Change, History};
use crate::kin::Kins;
use crate::node_selector::Labels;
use crate::owner::Owners;
use crate::placed::{Placed, Whereabouts};
use crate::pod::{HostPort, Namespaces, PodInfo, PodKey};
use crate::requests;
use crate::storage::Storage;
use crate::taint::Taint;

/// The label that is a node's own name.
pub const HOSTNAME: &str = "kubernetes.io/hostname";
/// Label of a node's zone.
pub const ZONE: &str = "topology.kubernetes.io/zone";

/// A node's place in the table; stays the same as long as the node is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeRef(u32);

impl NodeRef {
    /// Nodes are numbered from 0; a number may come back when its node has gone.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A resource's place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceRef(usize);

impl ResourceRef {
    /// Milli-CPU.
    pub const CPU: ResourceRef = ResourceRef(0);
    /// Bytes of memory.
    pub const MEMORY: ResourceRef = ResourceRef(1);
    /// Bytes of local storage.
    pub const EPHEMERAL_STORAGE: ResourceRef = ResourceRef(2);
}

/// One number for each node.
#[derive(Clone, Debug, Default)]
struct Column {
    allocatable: Vec<i64>,
    requested: Vec<i64>,
}

/// What a cycle reads of a node beside numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: Rc<str>,
    /// Its labels.
    pub labels: Rc<Labels>,
    /// Of those, the two that nearly every pod is spread by: hostname and zone.
    domains: [Option<Rc<str>>; 2],
    /// Its taints, in the node's order.
    pub taints: Rc<[Taint]>,
    /// `kubectl cordon`.
    pub unschedulable: bool,
    /// Images it has, and their bytes.
    pub images: Rc<BTreeMap<String, i64>>,
    /// How many pods it may hold.
    pub allowed_pods: i64,
    /// Its pods, by key.
    pub pods: Vec<Rc<PodInfo>>,
    /// Ports its pods take.
    pub ports: Vec<HostPort>,
}

impl Row {
    /// Its value of a topology's label.
    pub(crate) fn domain(&self, topology_key: &str) -> Option<&str> {
        match topology_key {
            HOSTNAME => self.domains[0].as_deref(),
            ZONE => self.domains[1].as_deref(),
            other => self.labels.get(other).map(String::as_str),
        }
    }
}

/// The nodes that have an image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holders {
    /// How many they are.
    pub nodes: i64,
    /// By place of the node, the bytes that the image has there.
    sizes: Vec<Option<i64>>,
}

impl Holders {
    /// The bytes that the image has on a node that has it.
    pub(crate) fn size(&self, node: NodeRef) -> Option<i64> {
        self.sizes.get(node.index()).copied().flatten()
    }

    fn set(&mut self, node: NodeRef, size: Option<i64>) {
        if self.sizes.len() <= node.index() {
            self.sizes.resize(node.index() + 1, None);
        }
        let before = std::mem::replace(&mut self.sizes[node.index()], size);
        self.nodes += i64::from(size.is_some()) - i64::from(before.is_some());
    }
}

/// Nodes, their pods, and what else decisions depend on.
#[derive(Clone, Debug)]
pub struct NodeTable {
    by_name: BTreeMap<Rc<str>, NodeRef>,
    /// The same in a row, for those who walk all.
    in_order: Vec<NodeRef>,
    free: Vec<NodeRef>,
    rows: Vec<Row>,
    resources: BTreeMap<String, ResourceRef>,
    columns: Vec<Column>,
    nonzero_milli_cpu: Vec<i64>,
    nonzero_memory: Vec<i64>,
    placed: Placed,
    waiting: BTreeMap<Rc<str>, BTreeSet<PodKey>>,
    nominated: BTreeMap<String, BTreeMap<PodKey, Rc<PodInfo>>>,
    images: BTreeMap<String, Rc<Holders>>,
    /// Every zone that a node was ever in, and by place of the node which of them it is in.
    zones: Vec<Rc<str>>,
    zone_of: Vec<Option<usize>>,
    namespaces: Namespaces,
    /// Pods that look alike, by node.
    pub(crate) kins: Kins,
    /// Pods with affinity terms of any kind, by node.
    with_affinity: BTreeMap<NodeRef, Vec<Rc<PodInfo>>>,
    budgets: BTreeMap<(String, String), DisruptionBudget>,
    /// What has happened lately, for those who keep up.
    pub(crate) history: History,
    /// Pods on nodes by the claim they name.
    claims: BTreeMap<(String, String), usize>,
    /// Services, ReplicaSets and StatefulSets, for default spreading.
    pub owners: Owners,
    /// Claims, volumes, classes and drivers.
    pub storage: Storage,
}

impl Default for NodeTable {
    fn default() -> Self {
        let names = ["cpu", "memory", "ephemeral-storage"];
        NodeTable {
            by_name: BTreeMap::new(),
            in_order: Vec::new(),
            free: Vec::new(),
            rows: Vec::new(),
            resources: names
                .iter()
                .enumerate()
                .map(|(i, name)| ((*name).to_owned(), ResourceRef(i)))
                .collect(),
            columns: vec![Column::default(); names.len()],
            nonzero_milli_cpu: Vec::new(),
            nonzero_memory: Vec::new(),
            placed: Placed::default(),
            waiting: BTreeMap::new(),
            nominated: BTreeMap::new(),
            images: BTreeMap::new(),
            zones: Vec::new(),
            zone_of: Vec::new(),
            namespaces: Namespaces::new(),
            kins: Kins::default(),
            with_affinity: BTreeMap::new(),
            budgets: BTreeMap::new(),
            history: History::default(),
            claims: BTreeMap::new(),
            owners: Owners::default(),
            storage: Storage::default(),
        }
    }
}

/// Changes.
impl NodeTable {
    /// Adds a node or takes over its changes; its pods stay.
    pub fn set_node(&mut self, node: &Node) {
        let name: Rc<str> = node.metadata.name.as_deref().unwrap_or_default().into();
        let before = self.by_name.get(&name).map(|at| self.standing(*at));
        let at = self.slot(&name);
        let images = images(node);
        self.forget_images(at);
        for (image, size) in &images {
            Rc::make_mut(self.images.entry(image.clone()).or_default()).set(at, Some(*size));
        }
        let spec = node.spec.as_ref();
        let (amounts, allowed_pods) =
            requests::allocatable(node.status.as_ref().and_then(|it| it.allocatable.as_ref()));
        let row = &mut self.rows[at.0 as usize];
        row.labels = Rc::new(node.metadata.labels.clone().unwrap_or_default());
        row.domains = [HOSTNAME, ZONE].map(|key| row.labels.get(key).map(|value| value.as_str().into()));
        let zone = row.domains[1].clone();
        row.taints =
            spec.into_iter().flat_map(|it| it.taints.iter().flatten()).filter_map(Taint::of).collect();
        row.unschedulable = spec.and_then(|it| it.unschedulable).unwrap_or(false);
        row.images = Rc::new(images);
        row.allowed_pods = allowed_pods;
        self.set_zone(at, zone);
        for column in &mut self.columns {
            column.allocatable[at.0 as usize] = 0;
        }
        let fixed = [amounts.milli_cpu, amounts.memory, amounts.ephemeral_storage];
        for (column, amount) in self.columns.iter_mut().zip(fixed) {
            column.allocatable[at.0 as usize] = amount;
        }
        for (resource, amount) in amounts.scalars {
            let column = self.column(&resource);
            self.columns[column.0].allocatable[at.0 as usize] = amount;
        }
        // A node says that it is alive far more often than that it has changed.
        if before.is_none_or(|it| it != self.standing(at)) {
            self.history.nodes += 1;
        }
    }

    /// Forgets a node. Its pods wait in case it comes back.
    pub fn remove_node(&mut self, name: &str) {
        let Some((name, at)) = self.by_name.remove_entry(name) else { return };
        self.history.nodes += 1;
        self.forget_images(at);
        self.set_zone(at, None);
        let pods = std::mem::take(&mut self.rows[at.0 as usize].pods);
        for pod in &pods {
            self.count(pod, at, -1);
            if let Some((_, whereabouts)) = self.placed.get_mut(&pod.key) {
                *whereabouts = Whereabouts::WaitsFor(Rc::clone(&name));
            }
        }
        if !pods.is_empty() {
            self.waiting.insert(name, pods.iter().map(|it| it.key.clone()).collect());
        }
        self.with_affinity.remove(&at);
        self.rows[at.0 as usize] = Row::default();
        for column in &mut self.columns {
            column.allocatable[at.0 as usize] = 0;
        }
        self.in_order.retain(|it| *it != at);
        self.free.push(at);
    }

    /// Puts a pod on a node, known or not; a pod that was elsewhere moves.
    pub fn add_pod(&mut self, pod: &PodInfo, node: &str) {
        self.place(Rc::new(pod.clone()), node);
    }

    /// The same for a pod that is shared already.
    pub fn place(&mut self, pod: Rc<PodInfo>, node: &str) {
        let Some(at) = self.find(node) else {
            self.remove_pod(&pod.key);
            let name: Rc<str> = node.into();
            self.waiting.entry(Rc::clone(&name)).or_default().insert(pod.key.clone());
            self.placed.insert(pod, Whereabouts::WaitsFor(name));
            return;
        };
        self.bind(&pod, at);
    }

    /// The same for a node that is known.
    pub fn bind(&mut self, pod: &Rc<PodInfo>, node: NodeRef) {
        if let Some((before, at)) = self.placed.insert(Rc::clone(pod), Whereabouts::On(node)) {
            self.leave(&before, at);
        }
        self.attach(pod, node);
    }

    /// Takes a pod from its node; nothing happens if it is on none.
    pub fn remove_pod(&mut self, key: &PodKey) {
        if let Some((pod, at)) = self.placed.remove(key) {
            self.leave(&pod, at);
        }
    }

    /// Remembers the node that a preemption has promised a pod.
    pub fn nominate(&mut self, pod: &PodInfo, node: &str) {
        self.withdraw(&pod.key);
        self.nominated.entry(node.to_owned()).or_default().insert(pod.key.clone(), Rc::new(pod.clone()));
    }

    /// Forgets such a promise.
    pub fn withdraw(&mut self, key: &PodKey) {
        for pods in self.nominated.values_mut() {
            pods.remove(key);
        }
        self.nominated.retain(|_, pods| !pods.is_empty());
    }

    /// Adds a namespace or takes over its labels.
    pub fn set_namespace(&mut self, namespace: &Namespace) {
        let name = namespace.metadata.name.clone().unwrap_or_default();
        let mut labels = namespace.metadata.labels.clone().unwrap_or_default();
        labels.entry("kubernetes.io/metadata.name".to_owned()).or_insert_with(|| name.clone());
        self.history.namespaces += 1;
        self.namespaces.insert(name, labels);
    }

    /// Forgets a namespace.
    pub fn remove_namespace(&mut self, name: &str) {
        self.history.namespaces += 1;
        self.namespaces.remove(name);
    }

    /// Adds a disruption budget or takes over its changes.
    pub fn set_budget(&mut self, budget: DisruptionBudget) {
        self.budgets.insert((budget.namespace.clone(), budget.name.clone()), budget);
    }

    /// Forgets a disruption budget.
    pub fn remove_budget(&mut self, namespace: &str, name: &str) {
        self.budgets.remove(&(namespace.to_owned(), name.to_owned()));
    }
}

/// Questions.
impl NodeTable {
    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Every node, by name.
    pub fn nodes(&self) -> impl Iterator<Item = NodeRef> {
        self.in_order.iter().copied()
    }

    /// A node by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NodeRef> {
        self.by_name.get(name).copied()
    }

    /// Whether a pod has been promised a node.
    #[must_use]
    pub fn has_nominated(&self) -> bool {
        !self.nominated.is_empty()
    }

    /// What is known of a node beside numbers.
    #[must_use]
    pub fn row(&self, node: NodeRef) -> &Row {
        &self.rows[node.0 as usize]
    }

    /// The column of a resource that some node has or some pod asks for.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<ResourceRef> {
        self.resources.get(name).copied()
    }

    /// What the node has of a resource.
    #[must_use]
    pub fn allocatable(&self, resource: ResourceRef, node: NodeRef) -> i64 {
        self.columns[resource.0].allocatable[node.0 as usize]
    }

    /// What the node's pods ask for of a resource.
    #[must_use]
    pub fn requested(&self, resource: ResourceRef, node: NodeRef) -> i64 {
        self.columns[resource.0].requested[node.0 as usize]
    }

    /// How full a node is.
    #[must_use]
    pub fn load(&self, node: NodeRef) -> NodeLoad {
        let of = |resource| (self.requested(resource, node), self.allocatable(resource, node));
        let row = self.row(node);
        NodeLoad {
            pods: (i64::try_from(row.pods.len()).unwrap_or(i64::MAX), row.allowed_pods),
            milli_cpu: of(ResourceRef::CPU),
            memory: of(ResourceRef::MEMORY),
        }
    }

    /// What the node has of every resource, in the order of the columns.
    pub(crate) fn capacity(&self, node: NodeRef) -> impl Iterator<Item = i64> {
        self.columns.iter().map(move |it| it.allocatable[node.0 as usize])
    }

    /// What the node's pods ask for of every resource, in the order of the columns.
    pub(crate) fn usage(&self, node: NodeRef) -> impl Iterator<Item = i64> {
        self.columns.iter().map(move |it| it.requested[node.0 as usize])
    }

    /// Milli-CPU its pods ask for, each container counting for something.
    #[must_use]
    pub fn nonzero_milli_cpu(&self, node: NodeRef) -> i64 {
        self.nonzero_milli_cpu[node.0 as usize]
    }

    /// Bytes of memory its pods ask for, each container counting for something.
    #[must_use]
    pub fn nonzero_memory(&self, node: NodeRef) -> i64 {
        self.nonzero_memory[node.0 as usize]
    }

    /// A node's pods that speak of other pods.
    pub fn with_affinity(&self) -> impl Iterator<Item = (NodeRef, &[Rc<PodInfo>])> {
        self.with_affinity.iter().map(|(at, pods)| (*at, pods.as_slice()))
    }

    /// Pods promised a node, by key.
    pub fn nominated(&self, node: &str) -> impl Iterator<Item = &Rc<PodInfo>> {
        self.nominated.get(node).into_iter().flat_map(BTreeMap::values)
    }

    /// How many nodes have an image.
    #[must_use]
    pub fn nodes_with_image(&self, image: &str) -> i64 {
        self.images.get(image).map_or(0, |it| it.nodes)
    }

    /// The nodes that have an image; `None` if there is none.
    pub(crate) fn holders(&self, image: &str) -> Option<&Rc<Holders>> {
        self.images.get(image)
    }

    /// The number of the zone that a node is in.
    pub(crate) fn zone_of(&self, node: NodeRef) -> Option<usize> {
        self.zone_of.get(node.index()).copied().flatten()
    }

    /// How many numbers of zones there are.
    pub(crate) fn zone_count(&self) -> usize {
        self.zones.len()
    }

    /// Labels of a namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Labels> {
        self.namespaces.get(name)
    }

    /// Disruption budgets, by namespace and name.
    pub fn budgets(&self) -> impl Iterator<Item = &DisruptionBudget> {
        self.budgets.values()
    }

    /// How many pods on nodes use a claim, of those that name it.
    #[must_use]
    pub fn uses_of_claim(&self, namespace: &str, claim: &str) -> usize {
        self.claims.get(&(namespace.to_owned(), claim.to_owned())).copied().unwrap_or(0)
    }

    /// Pods that are on a node or wait for one, by key.
    pub fn pods(&self) -> impl ExactSizeIterator<Item = (&Rc<PodInfo>, &str)> {
        self.placed.sorted().into_iter().map(|(pod, at)| match at {
            Whereabouts::On(node) => (pod, &*self.row(*node).name),
            Whereabouts::WaitsFor(name) => (pod, &**name),
        })
    }

    /// How many pods are on a node or wait for one.
    pub(crate) fn pod_count(&self) -> usize {
        self.placed.len()
    }
}

/// Equal if every question has the same answer, whatever the order of the changes.
impl PartialEq for NodeTable {
    fn eq(&self, other: &Self) -> bool {
        let resources: BTreeSet<&String> = self.resources.keys().chain(other.resources.keys()).collect();
        let numbers = |table: &NodeTable, node: NodeRef| {
            let of = |name: &&String| {
                let resource = table.resource(name);
                resource.map_or((0, 0), |it| (table.allocatable(it, node), table.requested(it, node)))
            };
            let resources = resources.iter().map(of).collect::<Vec<_>>();
            (resources, table.nonzero_milli_cpu(node), table.nonzero_memory(node))
        };
        let same = |(a, b): (NodeRef, NodeRef)| {
            let affinity = self.with_affinity.get(&a) == other.with_affinity.get(&b);
            // The number of a zone depends on what came first; the zone itself is in the row.
            let zoned = self.zone_of(a).is_some() == other.zone_of(b).is_some();
            let sizes = |table: &NodeTable, node: NodeRef| {
                let of = |image: &String| table.holders(image).and_then(|it| it.size(node));
                self.images.keys().map(of).collect::<Vec<_>>()
            };
            affinity
                && zoned
                && self.row(a) == other.row(b)
                && numbers(self, a) == numbers(other, b)
                && sizes(self, a) == sizes(other, b)
        };
        let held = |table: &NodeTable| {
            table.images.iter().map(|(name, it)| (name.clone(), it.nodes)).collect::<Vec<_>>()
        };
        self.len() == other.len()
            && self.nodes().zip(other.nodes()).all(same)
            && self.pods().eq(other.pods())
            && self.waiting == other.waiting
            && self.nominated == other.nominated
            && held(self) == held(other)
            && self.namespaces == other.namespaces
            && self.budgets == other.budgets
            && self.claims == other.claims
            && self.owners == other.owners
            && self.storage == other.storage
    }
}

impl NodeTable {
    fn slot(&mut self, name: &Rc<str>) -> NodeRef {
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let at = self.free.pop().unwrap_or_else(|| {
            self.rows.push(Row::default());
            for column in &mut self.columns {
                column.allocatable.push(0);
                column.requested.push(0);
            }
            self.nonzero_milli_cpu.push(0);
            self.nonzero_memory.push(0);
            // INVARIANT: every column is as long as `rows`.
            NodeRef(u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX))
        });
        self.rows[at.0 as usize].name = Rc::clone(name);
        self.by_name.insert(Rc::clone(name), at);
        let before = self.in_order.partition_point(|it| self.rows[it.0 as usize].name < *name);
        self.in_order.insert(before, at);
        for key in self.waiting.remove(name).unwrap_or_default() {
            if let Some((pod, whereabouts)) = self.placed.get_mut(&key) {
                *whereabouts = Whereabouts::On(at);
                let pod = Rc::clone(pod);
                self.attach(&pod, at);
            }
        }
        at
    }

    /// A pod is no longer on a node, known or not.
    fn leave(&mut self, pod: &Rc<PodInfo>, at: Whereabouts) {
        match at {
            Whereabouts::On(node) => self.detach(pod, node),
            Whereabouts::WaitsFor(node) => {
                let Some(keys) = self.waiting.get_mut(&node) else { return };
                keys.remove(&pod.key);
                if keys.is_empty() {
                    self.waiting.remove(&node);
                }
            }
        }
    }

    /// All that is a node's own, whatever its pods.
    fn standing(&self, at: NodeRef) -> (Row, Vec<i64>) {
        let row = Row { pods: Vec::new(), ports: Vec::new(), ..self.row(at).clone() };
        (row, self.columns.iter().map(|it| it.allocatable[at.0 as usize]).collect())
    }

    fn column(&mut self, resource: &str) -> ResourceRef {
        if let Some(at) = self.resources.get(resource) {
            return *at;
        }
        let at = ResourceRef(self.columns.len());
        let zeros = vec![0; self.rows.len()];
        self.columns.push(Column { allocatable: zeros.clone(), requested: zeros });
        self.resources.insert(resource.to_owned(), at);
        at
    }

    fn attach(&mut self, pod: &Rc<PodInfo>, at: NodeRef) {
        insert(&mut self.rows[at.0 as usize].pods, pod);
        if !pod.template.affinity.is_empty() {
            insert(self.with_affinity.entry(at).or_default(), pod);
        }
        self.count(pod, at, 1);
    }

    fn detach(&mut self, pod: &Rc<PodInfo>, at: NodeRef) {
        self.rows[at.0 as usize].pods.retain(|it| it.key != pod.key);
        if let Some(pods) = self.with_affinity.get_mut(&at) {
            pods.retain(|it| it.key != pod.key);
            if pods.is_empty() {
                self.with_affinity.remove(&at);
            }
        }
        self.count(pod, at, -1);
    }

    /// Adds a pod's numbers to its node's, or takes them away.
    fn count(&mut self, pod: &Rc<PodInfo>, at: NodeRef, sign: i64) {
        let requests = &pod.template.requests;
        let exact = &requests.exact;
        let node = at.0 as usize;
        let change = Change { node: at, pod: Rc::clone(pod), came: sign > 0 };
        self.history.push(change, self.rows.len());
        self.kins.count(pod, node, sign);
        let fixed = [exact.milli_cpu, exact.memory, exact.ephemeral_storage];
        for (column, amount) in self.columns.iter_mut().zip(fixed) {
            column.requested[node] = column.requested[node].saturating_add(sign * amount);
        }
        for (resource, amount) in &exact.scalars {
            let column = self.column(resource).0;
            let requested = &mut self.columns[column].requested[node];
            *requested = requested.saturating_add(sign * amount);
        }
        self.nonzero_milli_cpu[node] =
            self.nonzero_milli_cpu[node].saturating_add(sign * requests.counted.milli_cpu);
        self.nonzero_memory[node] = self.nonzero_memory[node].saturating_add(sign * requests.counted.memory);
        for (claim, _) in pod.claims().filter(|(_, ephemeral)| !ephemeral) {
            let key = (pod.key.namespace.clone(), claim);
            let users = self.claims.get(&key).copied().unwrap_or(0).saturating_add_signed(if sign > 0 {
                1
            } else {
                -1
            });
            if users == 0 {
                self.claims.remove(&key)
            } else {
                self.claims.insert(key, users)
            };
        }
        let row = &mut self.rows[node];
        if sign > 0 {
            row.ports.extend(pod.template.host_ports.iter().cloned());
            row.ports.sort_unstable();
        } else {
            for port in &pod.template.host_ports {
                if let Ok(at) = row.ports.binary_search(port) {
                    row.ports.remove(at);
                }
            }
        }
    }

    fn forget_images(&mut self, at: NodeRef) {
        let images = Rc::clone(&self.rows[at.0 as usize].images);
        for image in images.keys() {
            let Some(holders) = self.images.get_mut(image) else { continue };
            Rc::make_mut(holders).set(at, None);
            if holders.nodes == 0 {
                self.images.remove(image);
            }
        }
    }

    fn set_zone(&mut self, at: NodeRef, zone: Option<Rc<str>>) {
        // UPSTREAM: an empty value is not always told from none, so that it has no number.
        let number = zone.filter(|zone| !zone.is_empty()).map(|zone| {
            self.zones.iter().position(|it| *it == zone).unwrap_or_else(|| {
                self.zones.push(zone);
                self.zones.len() - 1
            })
        });
        if self.zone_of.len() <= at.index() {
            self.zone_of.resize(at.index() + 1, None);
        }
        self.zone_of[at.index()] = number;
        self.kins.set_zone(at.index(), number);
    }
}

fn insert(pods: &mut Vec<Rc<PodInfo>>, pod: &Rc<PodInfo>) {
    // Pods mostly come in order.
    let last = pods.last().is_none_or(|it| it.key < pod.key);
    let at = if last { pods.len() } else { pods.partition_point(|it| it.key < pod.key) };
    pods.insert(at, Rc::clone(pod));
}

fn images(node: &Node) -> BTreeMap<String, i64> {
    let images = node.status.iter().flat_map(|it| it.images.iter().flatten());
    let named = images.flat_map(|it| {
        let size = it.size_bytes.unwrap_or(0);
        it.names.iter().flatten().map(move |name| (name.clone(), size))
    });
    named.collect()
}
