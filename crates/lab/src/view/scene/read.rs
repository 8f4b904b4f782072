//! What of the state does the picture need? Rows in the picture's order, without any place.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

use api::{
    SimTime,
    k8s::core::v1::{Node, Pod},
    kinds::{
        aws::{Attachment, Eni, EniOwner, Instance, Subnet},
        cni::{IpPool, PoolAddress, PoolBlock, PoolMode},
        sim::Machine,
    },
};
use cluster::{
    ClusterId, Store,
    cloud::eni,
    import::outlook::{Outlook, is_imagined},
    node::fargate::Size,
};
use ipnet::{IpNet, Ipv6Net};

use super::{EniState, NodeState, Sixteen, SlotState};
use crate::view::{Moment, amount, pod};

pub(super) struct NodeRow<'s> {
    pub name: &'s str,
    pub about: String,
    pub subnet: Option<&'s str>,
    pub state: NodeState,
    pub tainted: bool,
    /// Whether it is a micro-VM of Fargate: a node of one pod, named after its ENI.
    pub fargate: bool,
    pub max_pods: u32,
    pub cpu: u32,
    pub memory: u32,
    pub pods: Vec<&'s Pod>,
    pub cards: Vec<CardRow<'s>>,
    /// Whether its CNI asks for blocks of 16.
    pub prefixes: bool,
    /// Whether this is how it would be.
    pub imagined: bool,
    /// What runs beside the pods, and does not.
    pub stopped: Vec<&'static str>,
    born: (i64, &'s str),
}

impl NodeRow<'_> {
    /// Whether it keeps most pods away: by a taint, or because it was drained.
    pub(super) fn is_aside(&self) -> bool {
        let drained = || self.pods.iter().all(|it| pod::on_host_network(it));
        self.tainted || (self.state == NodeState::Cordoned && drained())
    }
}

pub(super) struct CardRow<'s> {
    pub device: u32,
    pub eni: Option<&'s str>,
    pub state: EniState,
    pub slots: Vec<SlotRow>,
    /// Whether it only carries branch ENIs.
    pub trunk: bool,
    /// Pods that could sit there.
    pub seats: usize,
}

pub(super) struct SlotRow {
    pub state: SlotState,
    pub address: String,
    pub octet: String,
    /// Whether what it holds is only imagined.
    pub imagined: bool,
    /// Pods in it, as `namespace/name`, by address.
    pub pods: Vec<(String, IpAddr)>,
}

/// `namespace/name` of a pod.
pub(super) fn path(pod: &Pod) -> String {
    let meta = &pod.metadata;
    format!("{}/{}", meta.namespace.as_deref().unwrap_or("default"), meta.name.as_deref().unwrap_or_default())
}

/// Its address, once it has one of its own.
pub(super) fn address(pod: &Pod) -> Option<&str> {
    pod.status.as_ref().and_then(|s| s.pod_ip.as_deref())
}

fn counts(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    !matches!(phase, Some("Succeeded" | "Failed"))
}

/// The nodes of a cluster with what sits on them, in the picture's order.
pub(super) fn nodes(store: &Store, cluster: ClusterId, now: SimTime) -> Vec<NodeRow<'_>> {
    let mut by_node: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in store.list::<Pod>(cluster, None) {
        if let Some(node) = pod.spec.as_ref().and_then(|s| s.node_name.as_deref()) {
            by_node.entry(node).or_default().push(pod);
        }
    }
    let instances: BTreeMap<&str, &Instance> = store
        .list::<Instance>(ClusterId::WORLD, None)
        .filter_map(|instance| Some((instance.node.as_deref()?, instance)))
        .collect();
    let mut rows: Vec<NodeRow<'_>> = store
        .list::<Node>(cluster, None)
        .map(|node| {
            let name = node.metadata.name.as_deref().unwrap_or_default();
            let pods = by_node.remove(name).unwrap_or_default();
            row(store, cluster, node, instances.get(name).copied(), pods, now)
        })
        .collect();
    rows.sort_by(|a, b| a.born.cmp(&b.born));
    rows
}

fn row<'s>(
    store: &'s Store,
    cluster: ClusterId,
    node: &'s Node,
    instance: Option<&'s Instance>,
    pods: Vec<&'s Pod>,
    now: SimTime,
) -> NodeRow<'s> {
    let name = node.metadata.name.as_deref().unwrap_or_default();
    let label = |key: &str| node.metadata.labels.as_ref().and_then(|all| all.get(key)).cloned();
    let internal = node
        .status
        .as_ref()
        .and_then(|s| s.addresses.as_ref())
        .and_then(|all| all.iter().find(|a| a.type_ == "InternalIP").map(|a| a.address.clone()));
    let vm = store.get::<Machine>(cluster, "", name).and_then(|it| it.micro_vm.as_ref());
    let eni = vm.and_then(|vm| eni::get(store, &vm.eni));
    let size = vm.map(|vm| Size { cpu_milli: vm.cpu_milli, memory_mib: vm.memory_mib }.annotation());
    let kind = label("node.kubernetes.io/instance-type")
        .or_else(|| instance.map(|i| i.instance_type.clone()))
        .or(size);
    // EC2 names a host after its address; a node whose own name says it needs no second line for it.
    let host = internal.map(|address| match instance {
        // Too long for a card; its end tells it from others.
        _ if address.contains(':') => format!("…:{}", address.rsplit(':').next().unwrap_or_default()),
        None if vm.is_none() => address,
        _ => format!("ip-{}", address.replace('.', "-")),
    });
    let host = host.filter(|host| !name.starts_with(host.as_str()));
    let about = [host, kind.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let quantity = |name: &str| -> i64 {
        let all = node.status.as_ref().and_then(|s| s.allocatable.as_ref());
        all.and_then(|all| all.get(name)).map_or(0, |q| amount::milli(&q.0))
    };
    let requested =
        |name: &str| -> i64 { pods.iter().filter(|p| counts(p)).map(|p| amount::requested(p, name)).sum() };
    let share = |name: &str| match quantity(name) {
        0 => 0,
        whole => u32::try_from(requested(name).saturating_mul(1000) / whole).unwrap_or(0).min(1000),
    };
    let spec = node.spec.as_ref();
    let taints = spec.and_then(|s| s.taints.as_ref());
    let cordoned = spec.is_some_and(|s| s.unschedulable == Some(true));
    let ready = node
        .status
        .as_ref()
        .and_then(|s| s.conditions.as_ref())
        .is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"));
    let max_pods = u32::try_from(quantity("pods") / 1000).unwrap_or(0);
    NodeRow {
        name,
        about,
        subnet: instance.map(|i| i.subnet.as_str()).or_else(|| eni.map(|eni| eni.subnet.as_str())),
        fargate: vm.is_some(),
        state: match (ready, cordoned) {
            (false, _) => NodeState::NotReady,
            (true, true) => NodeState::Cordoned,
            (true, false) => NodeState::Ready,
        },
        tainted: taints.is_some_and(|all| {
            all.iter().any(|t| {
                matches!(t.effect.as_str(), "NoSchedule" | "NoExecute")
                    && !t.key.starts_with("node.kubernetes.io/")
            })
        }),
        max_pods,
        cpu: share("cpu"),
        memory: share("memory"),
        cards: match (instance, eni) {
            // Every instance has an interface: where there is none, an import was not given any.
            (Some(instance), _)
                if store.enis_of(instance.metadata.name.as_deref().unwrap_or_default()).next().is_none() =>
            {
                Vec::new()
            }
            (Some(instance), _) => cards(store, cluster, instance, name, now),
            (None, Some(eni)) => vec![alone(eni, pods.first().copied())],
            (None, None) => Vec::new(),
        },
        prefixes: store.get::<IpPool>(cluster, "", name).is_some_and(|it| it.mode == PoolMode::Prefix),
        pods: pods.into_iter().filter(|p| counts(p)).collect(),
        imagined: false,
        stopped: parts(store, cluster, name)
            .into_iter()
            .filter(|(_, runs)| !runs)
            .map(|(part, _)| part)
            .collect(),
        born: (node.metadata.creation_timestamp.as_ref().map_or(0, |t| t.0.as_second()), name),
    }
}

/// What runs on a node beside its pods, and whether it does.
pub(crate) fn parts(store: &Store, cluster: ClusterId, node: &str) -> Vec<(&'static str, bool)> {
    store.get::<Machine>(cluster, "", node).map_or_else(Vec::new, |machine| {
        vec![
            ("kubelet", machine.kubelet_running),
            ("runtime", machine.runtime_stopped.is_none()),
            ("kube-proxy", machine.proxy_stopped.is_none()),
        ]
    })
}

/// The ENI of a micro-VM: its own address is its pod's.
fn alone<'s>(eni: &'s Eni, pod: Option<&Pod>) -> CardRow<'s> {
    let ip = eni.primary_ip.into();
    let pods = pod.filter(|it| address(it).is_some()).map(|it| (path(it), ip)).into_iter().collect();
    let state = SlotState::Used;
    let slot = SlotRow { pods, ..slot(state, ip) };
    let name = eni.metadata.name.as_deref();
    CardRow { device: 0, eni: name, state: EniState::Attached, slots: vec![slot], trunk: false, seats: 1 }
}

fn cards<'s>(
    store: &'s Store,
    cluster: ClusterId,
    instance: &'s Instance,
    node: &str,
    now: SimTime,
) -> Vec<CardRow<'s>> {
    let own = instance.metadata.name.as_deref();
    let mut enis: Vec<&Eni> = store
        .list::<Eni>(ClusterId::WORLD, None)
        .filter(|eni| eni.owner == EniOwner::Instance && eni.instance.as_deref() == own)
        .collect();
    enis.sort_by_key(|eni| eni.device_index);
    in_sockets(store, &enis, store.get::<IpPool>(cluster, "", node), &instance.instance_type, now)
}

/// The ENIs of a node in its sockets, and the empty sockets.
fn in_sockets<'s>(
    store: &'s Store,
    enis: &[&'s Eni],
    pool: Option<&IpPool>,
    instance_type: &str,
    now: SimTime,
) -> Vec<CardRow<'s>> {
    let limits = amount::card_limits(instance_type);
    let mut rows: Vec<CardRow<'s>> = enis
        .iter()
        .map(|eni| match eni.trunk {
            true => trunk(store, eni),
            false => card(eni, pool, limits.map(|l| l.1), now),
        })
        .collect();
    let sockets = limits.map_or(0, |l| l.0);
    for device in 0..sockets {
        if !rows.iter().any(|row| row.device == device) {
            rows.push(CardRow {
                device,
                eni: None,
                state: EniState::None,
                slots: Vec::new(),
                trunk: false,
                seats: 0,
            });
        }
    }
    rows.sort_by_key(|row| row.device);
    rows
}

/// Makes nodes what they would be.
pub(super) fn imagine<'s>(rows: &mut [NodeRow<'s>], moment: Moment<'s>, then: &'s Outlook) {
    for row in rows {
        let Some(it) = then.nodes.iter().find(|it| it.now.name == row.name) else { continue };
        row.imagined = true;
        row.max_pods = it.max_pods;
        if let Some((host, _)) = row.about.rsplit_once(" · ") {
            row.about = format!("{host} · {}", it.instance_type);
        }
        let Some(pool) = &it.pool else { continue };
        let enis: Vec<&Eni> = it.enis.iter().collect();
        // When nothing rests any more.
        let later = SimTime(moment.now.0 + 10 * pool.cooldown.0);
        row.cards = in_sockets(moment.store, &enis, Some(pool), &it.instance_type, later);
        row.prefixes = pool.mode == PoolMode::Prefix;
    }
}

fn card<'s>(eni: &'s Eni, pool: Option<&IpPool>, slots: Option<u32>, now: SimTime) -> CardRow<'s> {
    let name = eni.metadata.name.as_deref();
    let rests = pool.map_or(0, |pool| pool.cooldown.0);
    let mode = pool.map(|pool| pool.mode).unwrap_or_default();
    let blocks: &[PoolBlock] = pool
        .and_then(|pool| pool.enis.iter().find(|e| Some(e.name.as_str()) == name))
        .map_or(&[], |e| &e.blocks);
    let mut rows = vec![slot(SlotState::Primary, eni.primary_ip.into())];
    for ip in eni.secondary_ips.iter().copied().map(IpAddr::V4) {
        let held = blocks.iter().flat_map(|b| &b.addresses).find(|a| a.ip == ip);
        let rest = held.and_then(|a| a.unassigned_at).map_or(0, |at| rests.saturating_sub(now.since(at).0));
        rows.push(match held.and_then(|a| a.sandbox.as_ref()) {
            Some(sandbox) => SlotRow { pods: vec![(sandbox.clone(), ip)], ..slot(SlotState::Used, ip) },
            None if rest > 0 => {
                let state = SlotState::Cooldown { left: rest.div_ceil(1000), of: rests.div_ceil(1000) };
                slot(state, ip)
            }
            None if mode != PoolMode::SecondaryIp => slot(SlotState::Stale, ip),
            None => slot(SlotState::Warm, ip),
        });
    }
    for prefix in &eni.prefixes {
        let held = blocks.iter().filter(|b| b.cidr == IpNet::V4(*prefix)).flat_map(|b| &b.addresses);
        let (sixteen, pods) = sixteen(held, rests, now);
        let stale = mode == PoolMode::SecondaryIp && sixteen == Sixteen::default();
        let own =
            slot(if stale { SlotState::Stale } else { SlotState::Prefix(sixteen) }, prefix.network().into());
        let (address, octet) = match own.imagined {
            true => (String::new(), "/28".to_owned()),
            false => (prefix.to_string(), format!("{}/28", own.octet)),
        };
        rows.push(SlotRow { address, octet, pods, ..own });
    }
    if let Some(prefix) = eni.ipv6_prefix {
        rows.extend(bars(prefix, blocks, rests, now));
    }
    // Beside a /80 no slot is ever filled.
    let wanted = slots.filter(|_| eni.ipv6_prefix.is_none()).unwrap_or(0);
    while (rows.len() as u64) < u64::from(wanted) {
        rows.push(SlotRow::empty());
    }
    let seats = rows.iter().map(|row| match row.state {
        SlotState::Primary | SlotState::Stale => 0,
        SlotState::Prefix(_) => 16,
        SlotState::Empty if mode == PoolMode::Prefix => 16,
        SlotState::Empty | SlotState::Used | SlotState::Warm | SlotState::Cooldown { .. } => 1,
    });
    let seats = match mode {
        PoolMode::Ipv6Prefix => {
            pool.filter(|_| eni.ipv6_prefix.is_some()).map_or(0, |it| it.max_pods as usize)
        }
        PoolMode::SecondaryIp | PoolMode::Prefix => seats.sum(),
    };
    CardRow { device: eni.device_index, eni: name, state: state(eni), slots: rows, trunk: false, seats }
}

fn state(eni: &Eni) -> EniState {
    match eni.attachment {
        Attachment::Attached => EniState::Attached,
        Attachment::Attaching | Attachment::Available => EniState::Attaching,
        Attachment::Detaching => EniState::Detaching,
    }
}

/// A trunk's own address, then one slot for each of its branches.
fn trunk<'s>(store: &'s Store, eni: &'s Eni) -> CardRow<'s> {
    let mut rows = vec![slot(SlotState::Primary, eni.primary_ip.into())];
    for branch in eni::branches(store, eni) {
        let pod = branch.branch.as_ref().filter(|it| it.released_at.is_none()).map(|it| it.pod.clone());
        // One whose pod is gone waits to be deleted: nobody else gets it.
        let free = if pod.is_some() { SlotState::Used } else { SlotState::Empty };
        rows.push(SlotRow {
            pods: pod.map(|pod| (pod, branch.primary_ip.into())).into_iter().collect(),
            ..slot(free, branch.primary_ip.into())
        });
    }
    let (name, seats) = (eni.metadata.name.as_deref(), rows.len() - 1);
    CardRow { device: eni.device_index, eni: name, state: state(eni), slots: rows, trunk: true, seats }
}

impl SlotRow {
    /// A slot without an address.
    fn empty() -> Self {
        let (address, octet) = (String::new(), String::new());
        Self { state: SlotState::Empty, address, octet, imagined: false, pods: Vec::new() }
    }
}

/// The last number of an address, with the sign before it.
fn last(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => format!(".{}", ip.octets()[3]),
        IpAddr::V6(ip) => format!(":{:x}", ip.segments()[7]),
    }
}

/// The addresses of a block of 16 that are held or rest, and the pods that hold them.
fn sixteen<'p>(
    held: impl Iterator<Item = &'p PoolAddress>,
    rests: u64,
    now: SimTime,
) -> (Sixteen, Vec<(String, IpAddr)>) {
    let (mut sixteen, mut pods) = (Sixteen::default(), Vec::new());
    for held in held {
        let bit = 1 << place(held.ip);
        match (&held.sandbox, held.unassigned_at) {
            (Some(sandbox), _) => {
                sixteen.used |= bit;
                pods.push((sandbox.clone(), held.ip));
            }
            (None, Some(at)) if now.since(at).0 < rests => sixteen.resting |= bit,
            (None, _) => {}
        }
    }
    (sixteen, pods)
}

/// The place of an address among the 16 of its block.
pub(super) fn place(ip: IpAddr) -> u8 {
    match ip {
        IpAddr::V4(ip) => ip.octets()[3] % 16,
        IpAddr::V6(ip) => ip.octets()[15] % 16,
    }
}

/// A /80 as bars of 16, as far as its addresses were ever given; nobody sees the rest of the 2^48.
fn bars(prefix: Ipv6Net, blocks: &[PoolBlock], rests: u64, now: SimTime) -> Vec<SlotRow> {
    let all = || blocks.iter().filter(|b| b.cidr == IpNet::V6(prefix)).flat_map(|b| &b.addresses);
    let bar = |ip: IpAddr| match ip {
        IpAddr::V4(_) => 0,
        IpAddr::V6(ip) => (u128::from(ip) - u128::from(prefix.network())) / 16,
    };
    let most = all().map(|held| bar(held.ip)).max().unwrap_or(0);
    let row = |at: u128| {
        let (sixteen, pods) = sixteen(all().filter(|held| bar(held.ip) == at), rests, now);
        let first = Ipv6Addr::from(u128::from(prefix.network()) + 16 * at);
        let octet = if at == 0 { "/80".to_owned() } else { last(first.into()) };
        let own = slot(SlotState::Prefix(sixteen), first.into());
        SlotRow { address: format!("{first}/80"), octet, pods, ..own }
    };
    (0..=most).map(row).collect()
}

/// A slot with an address; one that is only imagined is not said.
fn slot(state: SlotState, ip: IpAddr) -> SlotRow {
    if matches!(ip, IpAddr::V4(ip) if is_imagined(ip)) {
        return SlotRow { state, imagined: true, ..SlotRow::empty() };
    }
    let (address, octet) = (ip.to_string(), last(ip));
    SlotRow { state, address, octet, imagined: false, pods: Vec::new() }
}

/// Whether a subnet's route table leads to an internet gateway.
pub(crate) fn public(store: &Store, subnet: &Subnet) -> bool {
    cluster::cloud::subnet::is_public(store, subnet)
}

/// Addresses of a subnet that can be given out, and those that nobody has.
///
/// The first four and the last are AWS's own. Source: Amazon VPC user guide, "Subnet CIDR blocks".
pub(crate) fn addresses(store: &Store, subnet: &Subnet) -> (u32, u32) {
    (cluster::cloud::subnet::free(store, subnet), cni::subnet::usable(subnet.cidr))
}

/// Whether a node of a subnet wants prefixes and no block of 16 is whole.
pub(super) fn fragmented<'r, 's: 'r>(
    store: &Store,
    subnet: &Subnet,
    rows: impl IntoIterator<Item = &'r &'r NodeRow<'s>>,
) -> bool {
    let wants = rows.into_iter().any(|row| row.prefixes);
    wants && cluster::cloud::subnet::addresses(store, subnet).free_blocks().is_empty()
}

/// Pods that wait for a node, oldest first.
pub(super) fn waiting(store: &Store, cluster: ClusterId) -> Vec<&Pod> {
    let mut pods: Vec<&Pod> = store
        .list::<Pod>(cluster, None)
        .filter(|p| p.spec.as_ref().is_some_and(|s| s.node_name.is_none()) && counts(p))
        .filter(|p| !pod::on_host_network(p) || p.metadata.deletion_timestamp.is_none())
        .collect();
    pods.sort_by_key(|p| p.metadata.creation_timestamp.as_ref().map_or(0, |t| t.0.as_second()));
    pods
}
