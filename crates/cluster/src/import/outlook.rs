//! What would a cluster's nodes, subnets and waiting pods look like with prefixes, on another instance type, or with other
//! targets of the CNI?
//!
//! For prefixes and types every node is taken to be replaced by one of the new kind that gets the same pods: neither the
//! kubelet's limit nor an ENI that is full changes while a node lives. Targets work on the pools as they are. Nothing is written.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use ::scheduler::{PodInfo, schedule};
use api::{
    Resource, SimTime,
    k8s::core::v1::{Node, Pod},
    kinds::{
        aws::{Attachment, Eni, EniOwner, Instance, Subnet},
        cni::{IpPool, PoolEni, PoolMode},
    },
    meta::ObjectMeta,
    quantity::Quantity,
};
use cni::{
    Attempt, EniLimits, Move, SandboxId, WarmTargets,
    limits::{self, InstanceType},
    max_pods::{Flags, recommended},
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as K8sQuantity;
use serde::Serialize;

use super::account::{Held, NodeRow, instance_of, nodes, pods_with_address};
use crate::{
    ClusterId, Key, Store, World, cloud,
    node::{capacity, ipamd},
    scheduler,
};

/// What could be different; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// `ENABLE_PREFIX_DELEGATION=true`.
    pub prefix_delegation: bool,
    /// Nodes of one type become nodes of another: the type now, and the type then.
    pub instance_type: Option<(String, String)>,
    /// `WARM_ENI_TARGET`.
    pub warm_eni: Option<u32>,
    /// `WARM_IP_TARGET`.
    pub warm_ip: Option<u32>,
    /// `MINIMUM_IP_TARGET`.
    pub minimum_ip: Option<u32>,
    /// `WARM_PREFIX_TARGET`.
    pub warm_prefix: Option<u32>,
}

impl Change {
    /// Whether it takes new nodes; targets of the pool change while nodes live.
    #[must_use]
    pub fn replaces_nodes(&self) -> bool {
        self.prefix_delegation || self.instance_type.is_some()
    }

    /// What the CNI would be told to hold, where it is told this now.
    fn targets(&self, now: &WarmTargets) -> WarmTargets {
        WarmTargets {
            prefix_delegation: now.prefix_delegation || self.prefix_delegation,
            warm_eni: self.warm_eni.unwrap_or(now.warm_eni),
            warm_ip: self.warm_ip.unwrap_or(now.warm_ip),
            minimum_ip: self.minimum_ip.unwrap_or(now.minimum_ip),
            warm_prefix: self.warm_prefix.unwrap_or(now.warm_prefix),
            ..now.clone()
        }
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoOutlook {
    /// No such instance type.
    #[error("unknown instance type {0:?}")]
    UnknownType(String),
    /// No node is of that type.
    #[error("no node is of type {0:?}; there are {types}", types = .1.join(", "))]
    NoNode(String, Vec<String>),
}

/// A node now and then.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeOutlook {
    /// Now.
    pub now: NodeRow,
    /// Its instance type then.
    pub instance_type: String,
    /// Its limit of pods then.
    pub max_pods: u32,
    /// What its interfaces would hold; nothing where the subnet of the node is not known.
    pub held: Option<Held>,
    /// Its pool then, where that is known.
    #[serde(skip)]
    pub pool: Option<IpPool>,
    /// Its interfaces then; addresses that are only imagined are none of EC2's: see [`is_imagined`].
    #[serde(skip)]
    pub enis: Vec<Eni>,
}

/// Whether an address is only imagined: nobody knows which one EC2 would give. 240.0.0.0/4 is nobody's (RFC 1112 §4).
#[must_use]
pub fn is_imagined(address: Ipv4Addr) -> bool {
    address.octets()[0] >= IMAGINED.octets()[0]
}

const IMAGINED: Ipv4Addr = Ipv4Addr::new(240, 0, 0, 0);
/// Interfaces' own imagined addresses, which stand apart from those of pods.
/// And the /80 that it would give, of a block for documents.
const IMAGINED_PREFIX: Result<Ipv6Net, ipnet::PrefixLenError> =
    Ipv6Net::new(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 1, 0, 0, 0), 80);
const IMAGINED_ENIS: Ipv4Addr = Ipv4Addr::new(250, 0, 0, 0);

/// A subnet now and then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetOutlook {
    /// Its id.
    pub name: String,
    /// Free addresses now.
    pub free: u32,
    /// Free addresses then; below zero, so many lack.
    pub then: i64,
    /// Whole blocks of 16 that are free now: a prefix needs one. Nothing where no prefix is asked for.
    ///
    /// At most so many, where interfaces that were not given hold addresses.
    pub whole_blocks: Option<usize>,
}

/// A waiting pod then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodOutlook {
    /// `namespace/name`.
    pub pod: String,
    /// The node that would take it.
    pub node: Option<String>,
    /// The scheduler's message, if none would.
    pub message: String,
}

/// Everything that would be different.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// Whether it takes new nodes.
    pub replaces_nodes: bool,
    /// Nodes that change.
    pub nodes: Vec<NodeOutlook>,
    /// Subnets of those nodes.
    pub subnets: Vec<SubnetOutlook>,
    /// Pods that no node takes now.
    pub pods: Vec<PodOutlook>,
    /// Nodes whose type cannot hold prefixes.
    pub unable: Vec<String>,
    /// Whether the CNI's settings are not known, so that its defaults are taken.
    pub default_targets: bool,
}

/// What a change would bring.
/// # Errors
/// [`NoOutlook`].
pub fn outlook(world: &World, cluster: ClusterId, change: &Change) -> Result<Outlook, NoOutlook> {
    if let Some((from, to)) = &change.instance_type {
        for name in [from, to] {
            limits::of(name).ok_or_else(|| NoOutlook::UnknownType(name.clone()))?;
        }
    }
    let store = world.store();
    let rows = nodes(store, cluster);
    let mut out = Outlook {
        replaces_nodes: change.replaces_nodes(),
        nodes: Vec::new(),
        subnets: Vec::new(),
        pods: Vec::new(),
        unable: Vec::new(),
        default_targets: false,
    };
    let mut table = (*world.scheduling().nodes(cluster)).clone();
    for row in &rows {
        let Some((of, becomes)) = becomes(row, change) else { continue };
        let now = ipamd::targets_on(store, cluster, &row.name);
        out.default_targets |= now.is_none();
        let pool = store.get::<IpPool>(cluster, "", &row.name);
        let targets = change.targets(&now.unwrap_or_else(|| shipped(pool)));
        if change.prefix_delegation && !becomes.prefix_capable() {
            out.unable.push(row.name.clone());
            continue;
        }
        let max_pods = if change.replaces_nodes() { allowed(becomes, &targets) } else { row.max_pods };
        if let Some(node) = store.get::<Node>(cluster, "", &row.name).filter(|_| change.replaces_nodes()) {
            table.set_node(&rebuilt(node, of, becomes, max_pods));
        }
        let instance = instance_of(store, &row.name).filter(|it| !it.subnet.is_empty());
        let pool = instance.filter(|_| row.held.is_some() || change.replaces_nodes()).map(|_| {
            let first = pool.filter(|_| !change.replaces_nodes()).cloned();
            let pods = pods_with_address(store, cluster, &row.name);
            at_rest(first, becomes, &targets, &pods, max_pods, world.now())
        });
        let enis = instance.zip(pool.as_ref()).map(|(instance, pool)| interfaces(store, instance, pool));
        let (now, instance_type) = (row.clone(), becomes.name.to_owned());
        out.nodes.push(NodeOutlook {
            now,
            instance_type,
            max_pods,
            held: pool.as_ref().map(|pool| held(pool, &targets, world.now())),
            pool,
            enis: enis.unwrap_or_default(),
        });
    }
    if let (Some((from, _)), true) = (&change.instance_type, out.nodes.is_empty() && out.unable.is_empty()) {
        let mut types: Vec<String> = rows.iter().map(|row| row.instance_type.clone()).collect();
        types.sort();
        types.dedup();
        return Err(NoOutlook::NoNode(from.clone(), types));
    }
    out.subnets = subnets(store, &out.nodes, change.prefix_delegation);
    let profile = scheduler::profile(store, cluster);
    for pod in store.list::<Pod>(cluster, None).filter(|pod| scheduler::is_waiting(pod)) {
        let info = PodInfo::new(pod);
        let key = Key::of(cluster, &pod.clone().into_object());
        let tie = world.draw("tie", &key, 0);
        let decision = schedule(&profile, &table, &info, tie);
        if let Some(node) = &decision.node {
            table.add_pod(&info, node);
        }
        out.pods.push(PodOutlook {
            pod: decision.pod.clone(),
            node: decision.node.clone(),
            message: decision.message.unwrap_or_default(),
        });
    }
    Ok(out)
}

/// The settings that the CNI is shipped with; how the node's pool stands tells whether it holds prefixes.
/// Source: cni-spec §1 (`aws-k8s-cni.yaml`).
fn shipped(pool: Option<&IpPool>) -> WarmTargets {
    let prefixes = pool.is_some_and(|pool| pool.mode == PoolMode::Prefix);
    let env = [
        ("WARM_ENI_TARGET", "1"),
        ("WARM_PREFIX_TARGET", "1"),
        ("ENABLE_PREFIX_DELEGATION", if prefixes { "true" } else { "false" }),
    ];
    WarmTargets::from_env(&env.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

/// The type of a node now and then; nothing for a node that stays as it is, or of a type that nobody knows.
fn becomes(row: &NodeRow, change: &Change) -> Option<(&'static InstanceType, &'static InstanceType)> {
    let of = limits::of(&row.instance_type)?;
    match &change.instance_type {
        None => Some((of, of)),
        Some((from, to)) if row.instance_type == *from => Some((of, limits::of(to)?)),
        Some(_) => None,
    }
}

/// The limit of pods that a new node would have.
fn allowed(becomes: &InstanceType, targets: &WarmTargets) -> u32 {
    let flags = Flags {
        prefix_delegation: targets.prefix_delegation && becomes.prefix_capable(),
        custom_networking: targets.custom_networking,
        max_eni: targets.max_eni,
        show_max_allowed: false,
    };
    recommended(becomes, flags)
}

/// The node that would stand in this one's place. One of the same type keeps what it offers but for what more pods make
/// the kubelet keep for itself; one of another type offers what the lab knows of that type.
fn rebuilt(node: &Node, of: &InstanceType, becomes: &InstanceType, max_pods: u32) -> Node {
    let mut node = node.clone();
    let labels = node.metadata.labels.get_or_insert_default();
    for key in ["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"] {
        if let Some(label) = labels.get_mut(key) {
            becomes.name.clone_into(label);
        }
    }
    let status = node.status.get_or_insert_default();
    let read = |text: &str| Quantity::parse(text).map(|it| it.value()).unwrap_or_default();
    let disk = status.capacity.as_ref().and_then(|it| it.get("ephemeral-storage"));
    let disk_ki = disk.map_or(0, |it| read(&it.0) >> 10);
    let (capacity, allocatable) = capacity::of_instance(becomes, max_pods, max_pods, disk_ki);
    if of.name != becomes.name {
        status.capacity.get_or_insert_default().extend(capacity);
        status.allocatable.get_or_insert_default().extend(allocatable);
        return node;
    }
    let before = status.capacity.as_ref().and_then(|it| it.get("pods")?.0.parse().ok()).unwrap_or(max_pods);
    let (_, was) = capacity::of_instance(of, before, before, disk_ki);
    let bytes = |from: &capacity::Resources| from.get("memory").map_or(0, |it| read(&it.0));
    let less = bytes(&was) - bytes(&allocatable);
    let offered = status.allocatable.get_or_insert_default();
    if let Some(memory) = offered.get_mut("memory") {
        let left = read(&memory.0) - less;
        memory.0 = format!("{}Ki", left.max(0) / 1024);
    }
    let pods = || ("pods".to_owned(), K8sQuantity(max_pods.to_string()));
    offered.extend([pods()]);
    status.capacity.get_or_insert_default().extend([pods()]);
    node
}

/// A pool once it has come to rest with these pods: the rounds that ipamd would make, on a subnet with room. It begins as it
/// is, or as that of a new node.
fn at_rest(
    first: Option<IpPool>,
    of: &InstanceType,
    targets: &WarmTargets,
    pods: &[SandboxId],
    max_pods: u32,
    from: SimTime,
) -> IpPool {
    const ROUNDS: u64 = 500;
    let limits = EniLimits::of(of);
    let mut next = Next { block: u32::from(IMAGINED), enis: 0 };
    let mut pool = first.unwrap_or_else(|| {
        let mut pool = IpPool {
            mode: limits.mode(targets),
            custom_networking: targets.custom_networking,
            cooldown: targets.cooldown,
            max_pods,
            ..IpPool::default()
        };
        next.eni(&mut pool, 0, targets);
        pool
    });
    let mut waiting: Vec<&SandboxId> = pods.iter().take(max_pods as usize).collect();
    for round in 0..ROUNDS {
        let now = SimTime(from.0 + round * 5_000);
        waiting.retain(|pod| {
            cni::holder(&pool, pod).is_none() && cni::assign(&mut pool, pod, targets.cooldown, now).is_err()
        });
        let plan = cni::plan(&pool, targets, &limits, now);
        if plan.moves.is_empty() && round > 60 {
            break;
        }
        for it in plan.moves {
            next.make(&mut pool, it, targets);
        }
    }
    pool
}

/// What a pool's interfaces hold, long after anything rests.
fn held(pool: &IpPool, targets: &WarmTargets, now: SimTime) -> Held {
    let blocks = pool.enis.iter().flat_map(|eni| &eni.blocks);
    // A /80 takes no IPv4 address.
    let slots: u32 = blocks
        .filter(|block| matches!(block.cidr, IpNet::V4(_)))
        .map(|block| 1 << (32 - u32::from(block.cidr.prefix_len())))
        .sum();
    let enis = u32::try_from(pool.enis.len()).unwrap_or(u32::MAX);
    let later = SimTime(now.0 + 10 * targets.cooldown.0);
    Held { enis, addresses: enis + slots, spare: cni::figures(pool, targets.cooldown, later).available() }
}

/// The interfaces that a pool stands on: those that are there with what they would hold then, and imagined ones.
fn interfaces(store: &Store, instance: &Instance, pool: &IpPool) -> Vec<Eni> {
    let one = |it: &PoolEni| {
        let blocks = || it.blocks.iter().map(|block| block.cidr);
        let v4 = || blocks().filter_map(|cidr| if let IpNet::V4(cidr) = cidr { Some(cidr) } else { None });
        let secondary_ips = v4().filter(|cidr| cidr.prefix_len() == 32).map(|cidr| cidr.addr()).collect();
        let prefixes = v4().filter(|cidr| cidr.prefix_len() < 32).collect();
        let there = cloud::eni::get(store, &it.name).filter(|eni| eni.instance == instance.metadata.name);
        if let Some(eni) = there {
            return Eni { secondary_ips, prefixes, ..eni.clone() };
        }
        Eni {
            metadata: ObjectMeta { name: Some(it.name.clone()), ..ObjectMeta::default() },
            subnet: instance.subnet.clone(),
            primary_ip: Ipv4Addr::from(u32::from(IMAGINED_ENIS) + it.device_index),
            secondary_ips,
            prefixes,
            ipv6_address: None,
            ipv6_prefix: None,
            security_groups: Vec::new(),
            owner: EniOwner::Instance,
            trunk: it.trunk,
            branch: None,
            instance: instance.metadata.name.clone(),
            device_index: it.device_index,
            attachment: Attachment::Attached,
            created_at: SimTime::ZERO,
            since: SimTime::ZERO,
        }
    };
    pool.enis.iter().map(one).collect()
}

/// The next block and interface that EC2 would give.
struct Next {
    block: u32,
    enis: u32,
}

impl Next {
    fn eni(&mut self, pool: &mut IpPool, slots: u32, targets: &WarmTargets) {
        self.enis += 1;
        let taken = |index: &u32| pool.enis.iter().any(|it| it.device_index == *index);
        let device_index = (0..).find(|index| !taken(index)).unwrap_or_default();
        let mut eni = PoolEni {
            name: format!("imagined-{}", self.enis),
            device_index,
            excluded: targets.custom_networking && device_index == 0,
            trunk: false,
            created_at: SimTime::ZERO,
            blocks: Vec::new(),
        };
        self.fill(&mut eni, pool.mode, slots);
        cni::add_eni(pool, eni);
    }

    fn fill(&mut self, eni: &mut PoolEni, mode: PoolMode, slots: u32) {
        for _ in 0..slots {
            let block = match mode {
                PoolMode::SecondaryIp => Ipv4Net::new(Ipv4Addr::from(self.block), 32).map(IpNet::V4),
                PoolMode::Prefix => Ipv4Net::new(Ipv4Addr::from(self.block), 28).map(IpNet::V4),
                PoolMode::Ipv6Prefix => IMAGINED_PREFIX.map(IpNet::V6),
            };
            if let Ok(block) = block {
                cni::add_block(eni, block);
            }
            self.block += 16;
        }
    }

    fn make(&mut self, pool: &mut IpPool, it: Move, targets: &WarmTargets) {
        match it {
            Move::Grow { attempts, .. } => match attempts.first() {
                Some(Attempt::Assign { eni, count }) => {
                    let mode = pool.mode;
                    if let Some(eni) = pool.enis.iter_mut().find(|it| it.name == *eni) {
                        self.fill(eni, mode, *count);
                    }
                }
                Some(Attempt::CreateEni { count }) => self.eni(pool, *count, targets),
                None => {}
            },
            Move::Unassign { eni, blocks } => {
                if let Some(eni) = pool.enis.iter_mut().find(|it| it.name == eni) {
                    blocks.iter().for_each(|block| cni::remove_block(eni, *block));
                }
            }
            Move::DeleteEni { eni } => pool.enis.retain(|it| it.name != eni),
        }
    }
}

/// Subnets that the nodes' interfaces stand in.
///
/// MODEL: a node's interfaces are counted in the subnet of its first one, also where those of its pods stand in another.
fn subnets(store: &Store, nodes: &[NodeOutlook], prefixes: bool) -> Vec<SubnetOutlook> {
    let mut more: BTreeMap<&str, i64> = BTreeMap::new();
    for node in nodes {
        let (Some(then), Some(now)) = (node.held, node.now.held) else { continue };
        let subnet =
            instance_of(store, &node.now.name).map(|it| it.subnet.as_str()).filter(|it| !it.is_empty());
        if let Some(subnet) = subnet {
            *more.entry(subnet).or_default() += i64::from(then.addresses) - i64::from(now.addresses);
        }
    }
    let seen = more.into_iter().filter_map(|(name, more)| {
        let subnet = store.get::<Subnet>(ClusterId::WORLD, "", name)?;
        let free = cloud::subnet::free(store, subnet);
        let whole_blocks = prefixes.then(|| cloud::subnet::addresses(store, subnet).free_blocks().len());
        Some(SubnetOutlook { name: name.to_owned(), free, then: i64::from(free) - more, whole_blocks })
    });
    seen.collect()
}
