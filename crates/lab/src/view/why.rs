//! Why is it as it is? The chain of reasons behind one thing of the scene, as data; sentences are in `words`.

use api::{
    Resource,
    k8s::core::v1::{Event, Node, Pod},
    kinds::{
        aws::{EniOwner, Subnet},
        cni::IpPool,
        sim::{Machine, Part, PartRole},
    },
};
use cluster::{ClusterId, node::fargate::Size};
use scheduler::{Decision, Reason};

use super::{
    Moment, amount,
    attempts::Placed,
    behind,
    fargate::{self, FargateWhy},
    pod::{self, PodState},
    pool::{Formula, Pool},
    subnet::SubnetWhy,
};

/// What an ENI is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EniUse {
    /// The one of a micro-VM of Fargate.
    MicroVm,
    /// The control plane's own: EKS's.
    Eks,
    /// To carry branches: how many there are.
    Trunk(usize),
    /// One pod's own: the pod, its VLAN on the trunk, its security groups.
    Branch(String, u32, Vec<String>),
    /// A load balancer's: its name, and the Service that it is for.
    LoadBalancer(String, Option<String>),
    /// An interface endpoint's: the service that it leads to.
    Endpoint(String),
    /// The account's, for nothing that the lab knows: what EC2 says of it.
    Account(String),
    /// Addresses for pods.
    Own,
}

/// Why a pod is where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct PodWhy {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The first letters of its workload, as in its square.
    pub tag: String,
    /// Its state.
    pub state: PodState,
    /// Seconds since it was created.
    pub age_secs: u64,
    /// Its node.
    pub node: Option<String>,
    /// Its address.
    pub ip: Option<String>,
    /// The ENI and its device that the address is on.
    pub card: Option<(String, u32)>,
    /// Whether it uses its node's network.
    pub host_network: bool,
    /// Names of its gates.
    pub gates: Vec<String>,
    /// Reason and message of a container that cannot start, or of what failed last.
    pub trouble: Option<(String, String)>,
    /// How it came to its node, where that is known.
    pub placed: Option<Placed>,
    /// Nodes it was kept from, and why.
    pub nodes: Vec<(String, Vec<Reason>)>,
    /// The full node that matters, and where its limit comes from.
    pub full: Option<(String, Formula)>,
    /// Requested CPU and what the full node has free, in thousandths.
    pub cpu: Option<(i64, i64)>,
    /// The scheduler's message.
    pub raw: Option<String>,
    /// What Fargate makes of it, if a profile took it.
    pub fargate: Option<FargateWhy>,
    /// Whether it waits for a scheduler that does not run.
    pub unseen: bool,
}

/// Why a node is as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeWhy {
    /// Its name.
    pub name: String,
    /// Whether it is ready, and takes pods.
    pub ready: bool,
    /// What its kubelet says is wrong, where it is heard and says so.
    pub complaint: Option<String>,
    /// Whether it is cordoned.
    pub cordoned: bool,
    /// Taints that keep pods away, as `key=value:effect`.
    pub taints: Vec<String>,
    /// Its type, or the size of a micro-VM.
    pub instance_type: String,
    /// The pod that it was made for, if it is a micro-VM.
    pub made_for: Option<String>,
    /// Where its limit comes from, where cards decide it.
    pub formula: Option<Formula>,
    /// Pods and limit.
    pub pods: (u32, u32),
    /// Its address pool.
    pub pool: Option<Pool>,
    /// Whether it is an import's, and its interfaces were not given.
    pub unseen: bool,
    /// What runs beside its pods.
    pub switches: Vec<Switch>,
}

/// Something that can be switched off, and on again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// What it is called.
    pub name: String,
    /// Whether it runs.
    pub running: bool,
    /// The line that turns it.
    pub line: String,
}

impl Switch {
    /// `said` is what `lab fault` calls it.
    fn new(name: &str, running: bool, said: &str) -> Self {
        let verb = if running { "stop" } else { "clear" };
        Self { name: name.to_owned(), running, line: format!("lab fault {verb} {said}") }
    }
}

/// Why a part of the control plane does its work, or does not.
#[derive(Clone, Debug, PartialEq)]
pub struct PartWhy {
    /// What it does.
    pub role: PartRole,
    /// Of its role, how many run and how many there are.
    pub running: (usize, usize),
    /// Whether the role does its work: a majority of etcd, one of anything else.
    pub works: bool,
    /// Seconds until it does, where it has just been started.
    pub starts_in: Option<u64>,
    /// This part, or all of its role.
    pub switches: Vec<Switch>,
}

/// The chain behind one thing.
#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// A pod.
    Pod(Box<PodWhy>),
    /// A node.
    Node(Box<NodeWhy>),
    /// A subnet.
    Subnet(Box<SubnetWhy>),
    /// An ENI: whose, and its addresses.
    Eni(EniUse, u32),
    /// A Service: its name, address, ready and all pods behind it.
    Service(String, String, usize, usize),
    /// A part of the control plane, or all of one role.
    Part(Box<PartWhy>),
    /// The door.
    Door(usize, usize),
    /// Something that has no chain: its kind, its name.
    Thing(String, String),
}

fn seconds(moment: Moment<'_>, at: Option<&api::meta::Time>) -> u64 {
    at.and_then(|t| u64::try_from(moment.clock.as_second() - t.0.as_second()).ok()).unwrap_or(0)
}

/// Everything the scene can say about the thing with this id.
#[must_use]
pub fn why(moment: Moment<'_>, cluster: ClusterId, id: &str, decision: Option<&Decision>) -> Option<Why> {
    let parts: Vec<&str> = id.splitn(3, '/').collect();
    match parts.as_slice() {
        ["Pod", namespace, name] => {
            pod_why(moment, cluster, namespace, name, decision).map(|w| Why::Pod(Box::new(w)))
        }
        ["Node", name] => node_why(moment, cluster, name).map(|w| Why::Node(Box::new(w))),
        ["Subnet", name] => {
            let subnet = moment.store.get::<Subnet>(ClusterId::WORLD, "", name)?;
            Some(Why::Subnet(Box::new(super::subnet::why(moment.store, subnet))))
        }
        ["Eni", name] => {
            let eni = moment.store.get::<api::kinds::aws::Eni>(ClusterId::WORLD, "", name)?;
            let uses = match &eni.branch {
                _ if eni.trunk => EniUse::Trunk(cluster::cloud::eni::branches(moment.store, eni).count()),
                Some(branch) => EniUse::Branch(branch.pod.clone(), branch.vlan, eni.security_groups.clone()),
                None if eni.owner == EniOwner::Eks => EniUse::Eks,
                None if eni.owner == EniOwner::Fargate => EniUse::MicroVm,
                None => match eni.owner {
                    EniOwner::LoadBalancer => {
                        let (name, balancer) = behind::load_balancer(moment.store, eni);
                        EniUse::LoadBalancer(name.to_owned(), balancer.map(|it| it.service.clone()))
                    }
                    EniOwner::Endpoint => EniUse::Endpoint(behind::endpoint(moment.store, eni).to_owned()),
                    EniOwner::Account => EniUse::Account(behind::description(eni).to_owned()),
                    EniOwner::Instance
                    | EniOwner::Nat
                    | EniOwner::Eks
                    | EniOwner::Fargate
                    | EniOwner::Branch => EniUse::Own,
                },
            };
            Some(Why::Eni(uses, cluster::cloud::eni::addresses(eni)))
        }
        ["Slot", node, ..] => node_why(moment, cluster, node).map(|w| Why::Node(Box::new(w))),
        ["Service", namespace, name] => {
            let service = moment.store.get::<api::k8s::core::v1::Service>(cluster, namespace, name)?;
            let ip = service.spec.as_ref().and_then(|s| s.cluster_ip.clone()).unwrap_or_default();
            let behind: Vec<bool> =
                behind::service(moment.store, cluster, service).into_iter().map(|it| it.ready).collect();
            Some(Why::Service((*name).to_owned(), ip, behind.iter().filter(|r| **r).count(), behind.len()))
        }
        ["Part", name] => part_why(moment, cluster, |part| part.metadata.name.as_deref() == Some(name)),
        ["ControlPlane", word @ ("api" | "etcd" | "scheduler" | "controller-manager")] => {
            part_why(moment, cluster, |part| cluster::parts::word(part.role) == *word)
                .or_else(|| Some(Why::Thing("ControlPlane".to_owned(), (*word).to_owned())))
        }
        ["ControlPlane", "door"] => {
            let states: Vec<PodState> = moment.store.list::<Pod>(cluster, None).map(pod::state).collect();
            let count = |state| states.iter().filter(|s| **s == state).count();
            Some(Why::Door(count(PodState::Pending), count(PodState::Gated)))
        }
        [kind, name, ..] => Some(Why::Thing((*kind).to_owned(), (*name).to_owned())),
        [only] => Some(Why::Thing((*only).to_owned(), (*only).to_owned())),
        [] => None,
    }
}

fn part_why(moment: Moment<'_>, cluster: ClusterId, is: impl Fn(&Part) -> bool) -> Option<Why> {
    let shown: Vec<&Part> = cluster::parts::of(moment.store, cluster).filter(|part| is(part)).collect();
    let role = shown.first()?.role;
    let of_role: Vec<&Part> =
        cluster::parts::of(moment.store, cluster).filter(|it| it.role == role).collect();
    let running = of_role.iter().filter(|part| part.running).count();
    let all = of_role.len();
    let begins = of_role.iter().filter(|part| part.running).map(|part| part.acts_from).max();
    let switch = |part: &&Part| {
        let name = part.metadata.name.clone().unwrap_or_default();
        Switch::new(&name, part.running, &name)
    };
    Some(Why::Part(Box::new(PartWhy {
        role,
        running: (running, all),
        works: if role == PartRole::Etcd { running * 2 > all } else { running > 0 },
        starts_in: begins.filter(|at| *at > moment.now).map(|at| at.since(moment.now).0.div_ceil(1000)),
        switches: shown.iter().map(switch).collect(),
    })))
}

fn pod_why(
    moment: Moment<'_>,
    cluster: ClusterId,
    namespace: &str,
    name: &str,
    decision: Option<&Decision>,
) -> Option<PodWhy> {
    let it = moment.store.get::<Pod>(cluster, namespace, name)?;
    let spec = it.spec.as_ref();
    let status = it.status.as_ref();
    let state = pod::state(it);
    let ip = status.and_then(|s| s.pod_ip.clone());
    let raw = (state == PodState::Pending).then(|| unschedulable(it)).flatten();
    let mut why = PodWhy {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        tag: pod::workload(it).chars().take(4).collect(),
        state,
        age_secs: seconds(moment, it.metadata.creation_timestamp.as_ref()),
        node: spec.and_then(|s| s.node_name.clone()),
        card: ip.as_deref().and_then(|ip| card(moment, ip)),
        ip,
        host_network: pod::on_host_network(it),
        gates: spec
            .and_then(|s| s.scheduling_gates.as_ref())
            .map(|all| all.iter().map(|gate| gate.name.clone()).collect())
            .unwrap_or_default(),
        trouble: trouble(moment, cluster, it),
        placed: None,
        nodes: Vec::new(),
        full: None,
        cpu: None,
        raw,
        fargate: fargate::why(moment, cluster, it),
        unseen: state == PodState::Pending
            && cluster::parts::of(moment.store, cluster)
                .any(|part| part.role == PartRole::Scheduler && !part.running),
    };
    if state == PodState::Pending && why.raw.as_deref().is_some_and(|raw| raw.contains("Too many pods")) {
        let full = moment.store.list::<Node>(cluster, None).find_map(|node| {
            let name = node.metadata.name.as_deref()?;
            let about = node_why(moment, cluster, name)?;
            (about.pods.0 >= about.pods.1 && about.taints.is_empty()).then_some((name.to_owned(), about))
        });
        if let Some((node, about)) = full {
            why.cpu = Some((amount::requested(it, "cpu"), amount::free(moment.store, cluster, &node, "cpu")));
            why.full = about.formula.map(|formula| (node, formula));
        }
    }
    if state == PodState::Pending {
        let refused = decision
            .into_iter()
            .flat_map(|d| &d.nodes)
            .filter_map(|verdict| Some((verdict.node.clone(), verdict.rejected.as_ref()?.because.clone())));
        why.nodes.extend(refused);
    }
    Some(why)
}

fn unschedulable(pod: &Pod) -> Option<String> {
    let all = pod.status.as_ref()?.conditions.as_ref()?;
    all.iter().find(|c| c.type_ == "PodScheduled" && c.status == "False")?.message.clone()
}

fn card(moment: Moment<'_>, ip: &str) -> Option<(String, u32)> {
    let ip = ip.parse().ok()?;
    moment.store.list::<api::kinds::aws::Eni>(ClusterId::WORLD, None).find_map(|eni| {
        let holds = eni.secondary_ips.contains(&ip) || eni.prefixes.iter().any(|p| p.contains(&ip));
        holds.then(|| (eni.metadata.name.clone().unwrap_or_default(), eni.device_index))
    })
}

fn trouble(moment: Moment<'_>, cluster: ClusterId, it: &Pod) -> Option<(String, String)> {
    let waiting = it.status.as_ref()?.container_statuses.as_ref().and_then(|all| {
        all.iter().find_map(|c| {
            let waiting = c.state.as_ref()?.waiting.as_ref()?;
            let reason =
                waiting.reason.clone().filter(|r| r != "ContainerCreating" && r != "PodInitializing")?;
            Some((reason, waiting.message.clone().unwrap_or_default()))
        })
    });
    let warned = || {
        let namespace = it.metadata.namespace.as_deref()?;
        let mut events: Vec<&Event> = moment
            .store
            .list::<Event>(cluster, Some(namespace))
            .filter(|e| e.type_.as_deref() == Some("Warning") && e.involved_object.name == it.metadata.name)
            .filter(|e| e.reason.as_deref() != Some("FailedScheduling"))
            .collect();
        events.sort_by_key(|e| e.last_timestamp.as_ref().map_or(0, |t| t.0.as_second()));
        let last = events.last()?;
        Some((last.reason.clone()?, last.message.clone().unwrap_or_default()))
    };
    match pod::state(it) {
        PodState::Failed => waiting.or_else(warned),
        PodState::Creating => warned(),
        PodState::Gated
        | PodState::Pending
        | PodState::Running
        | PodState::NotReady
        | PodState::Terminating
        | PodState::Completed => None,
    }
}

fn node_why(moment: Moment<'_>, cluster: ClusterId, name: &str) -> Option<NodeWhy> {
    let node = moment.store.get::<Node>(cluster, "", name)?;
    let label = |key: &str| node.metadata.labels.as_ref().and_then(|all| all.get(key)).cloned();
    let vm = moment.store.get::<Machine>(cluster, "", name).and_then(|it| it.micro_vm.as_ref());
    let size = vm.map(|vm| Size { cpu_milli: vm.cpu_milli, memory_mib: vm.memory_mib }.annotation());
    let instance_type = label("node.kubernetes.io/instance-type").or(size).unwrap_or_default();
    let here: Vec<&Pod> = moment
        .store
        .list::<Pod>(cluster, None)
        .filter(|p| p.spec.as_ref().and_then(|s| s.node_name.as_deref()) == Some(name))
        .filter(|p| {
            let phase = p.status.as_ref().and_then(|s| s.phase.as_deref());
            !matches!(phase, Some("Succeeded" | "Failed"))
        })
        .collect();
    let pods = u32::try_from(here.len()).unwrap_or(u32::MAX);
    let host_pods = u32::try_from(here.iter().filter(|p| pod::on_host_network(p)).count()).unwrap_or(0);
    let limit = node
        .status
        .as_ref()
        .and_then(|s| s.allocatable.as_ref())
        .and_then(|all| all.get("pods"))
        .map_or(0, |q| u32::try_from(amount::milli(&q.0) / 1000).unwrap_or(0));
    let pool = moment.store.get::<IpPool>(cluster, "", name);
    let known = cni::limits::of(&instance_type);
    let formula = known.zip(pool).map(|(known, pool)| Formula::of(known, pool, limit, pods, host_pods));
    let spec = node.spec.as_ref();
    Some(NodeWhy {
        name: name.to_owned(),
        ready: node
            .status
            .as_ref()
            .and_then(|s| s.conditions.as_ref())
            .is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True")),
        complaint: node
            .status
            .iter()
            .flat_map(|s| s.conditions.iter().flatten())
            .find(|c| c.type_ == "Ready" && c.status == "False")
            .and_then(|c| c.message.clone()),
        cordoned: spec.is_some_and(|s| s.unschedulable == Some(true)),
        taints: spec
            .and_then(|s| s.taints.as_ref())
            .map(|all| {
                let text = |t: &api::k8s::core::v1::Taint| match t.value.as_deref() {
                    Some(value) if !value.is_empty() => format!("{}={value}:{}", t.key, t.effect),
                    _ => format!("{}:{}", t.key, t.effect),
                };
                all.iter().map(text).collect()
            })
            .unwrap_or_default(),
        instance_type,
        made_for: vm.map(|vm| format!("{}/{}", vm.namespace, vm.pod)),
        formula,
        pods: (pods, limit),
        switches: super::scene::parts(moment.store, cluster, name)
            .into_iter()
            .map(|(part, runs)| Switch::new(part, runs, &format!("{part} {name}")))
            .collect(),
        unseen: pool.is_none() && vm.is_none() && behind::imported(moment.store, cluster),
        pool: pool.map(|pool| Pool::of(moment, cluster, pool, known.map_or(0, |it| it.enis))),
    })
}

/// Which kind of thing an id names, as the API calls it; empty for what no API serves.
#[must_use]
pub fn kind_of(id: &str) -> &str {
    match id.split('/').next().unwrap_or_default() {
        "Slot" | "Socket" | "ControlPlane" | "Network" | "Az" => "",
        kind => kind,
    }
}

/// The name of a resource, for those who have only the resource.
#[must_use]
pub fn name_of<R: Resource>(resource: &R) -> &str {
    resource.meta().name.as_deref().unwrap_or_default()
}
