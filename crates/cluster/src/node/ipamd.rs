//! How does ipamd keep a node's pool at its targets?
//!
//! ipamd runs where an aws-node pod runs and takes its settings from that pod's environment: what `kubectl set env`
//! changes takes effect when the pod is replaced. Every 5 s it compares ([`cni::plan`]) and asks EC2. While an ENI is
//! being attached it does nothing else. Source: amazon-vpc-cni-k8s `pkg/ipamd/ipamd.go`.

use std::{collections::BTreeMap, rc::Rc};

use api::{
    ApiStatus, Kind, Resource, SimDuration, SimTime,
    k8s::{
        apps::v1::DaemonSet,
        core::v1::{Container, Node, Pod},
    },
    kinds::{
        aws::{Attachment, Eni, EniOwner, Instance, InstanceState, Subnet},
        cni::{EniConfig, IpPool, PoolEni},
        sim::{ContainerStep, Machine, Sandbox},
    },
    meta::ObjectMeta,
};
use cni::{Attempt, EniLimits, Move, PoolMode, PoolPlan, WarmTargets, discovery::Candidate};

use crate::{
    AwsError, Change, ClusterId, Controller, Key, Next, Store, Turn, What,
    cloud::{
        eni::{self, NewEni},
        instance, subnet,
    },
    fact::Planned,
    node::{cluster_named, kubelet},
    parts::Process,
    timing, vpc_resource,
};

/// Keeps every node's pool.
pub struct Ipamd;

impl Controller for Ipamd {
    fn name(&self) -> &'static str {
        "ipamd"
    }

    fn process(&self) -> Process {
        Process::Alone
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let object = change.after.as_deref().or(change.before.as_deref());
        let Some(object) = object else { return };
        let pool = |cluster, node: &str| Key::new(cluster, Kind::IpPool, "", node);
        match change.key.kind {
            Kind::IpPool if change.after.is_some() => wake(change.key.clone()),
            Kind::Node => wake(pool(change.key.cluster, &change.key.name)),
            Kind::Pod => {
                let node = Pod::of(object).filter(|pod| is_aws_node(pod)).and_then(|pod| pod.spec.as_ref());
                if let Some(node) = node.and_then(|spec| spec.node_name.as_deref()) {
                    wake(pool(change.key.cluster, node));
                }
            }
            Kind::Eni => {
                let of = Eni::of(object).and_then(|eni| eni.instance.as_deref());
                let of = of.and_then(|name| instance::get(store, name));
                let cluster =
                    of.and_then(|it| it.cluster.as_deref()).and_then(|name| cluster_named(store, name));
                if let (Some(cluster), Some(node)) = (cluster, of.and_then(|it| it.node.as_deref())) {
                    wake(pool(cluster, node));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(here) = Here::on(turn.store(), turn.cluster(), &key.name) else { return Ok(Next::Done) };
        let ready_at = here.ready_at();
        let now = turn.now();
        if now < ready_at {
            return Ok(Next::After(ready_at.since(now)));
        }
        let fresh = turn.get::<IpPool>("", &key.name).is_none();
        let Some(mut pool) = here.adopted(turn, &key.name) else { return Ok(Next::Done) };
        forget_before(&mut pool, here.started_at);
        if pool.gave_up == Some(here.started_at) || here.is_attaching(turn.store()) {
            keep(turn, &key.name, pool);
            return Ok(Next::Done);
        }
        let begins = pool.serves_since != Some(here.started_at);
        if let Some(why) = here.contradiction.clone().filter(|_| begins) {
            here.give_up(turn, &key.name, pool, why);
            return Ok(Next::Done);
        }
        if begins {
            here.ask_for_trunk(turn, &key.name, &mut pool);
        }
        let ticks = now.since(ready_at).0.is_multiple_of(timing::IPAMD_TICK.0);
        let plan = cni::plan(&pool, &here.targets, &here.limits, now);
        if (ticks || fresh) && !plan.moves.is_empty() {
            let moves = plan.moves.clone();
            let node = turn.key(Kind::Node, "", &key.name);
            turn.fact(What::Planned(Rc::new(Planned { node, plan })));
            for it in moves {
                here.make(turn, &mut pool, it);
            }
        }
        if begins && here.targets.custom_networking && here.is_empty(turn.store(), &pool) {
            let why = pool.error.as_ref().map(|why| format!("{why}; {NOTHING_ATTACHED}"));
            here.give_up(turn, &key.name, pool, why.unwrap_or(NOTHING_ATTACHED.to_owned()));
            return Ok(Next::Done);
        }
        pool.serves_since = Some(here.started_at);
        keep(turn, &key.name, pool.clone());
        network_ready(turn, &key.name);
        Ok(here.look_again(&pool, ready_at, now))
    }
}

/// An ipamd that was started again remembers neither that a subnet was full nor when it last gave something back.
/// Source: amazon-vpc-cni-k8s `pkg/ipamd/ipamd.go` (`lastInsufficientCidrError`, `lastDecreaseIPPool`: fields of the process,
/// in no checkpoint).
fn forget_before(pool: &mut IpPool, started_at: SimTime) {
    pool.back_off_until = pool.back_off_until.filter(|until| *until >= started_at + timing::IPAMD_BACK_OFF);
    pool.last_shrink = pool.last_shrink.filter(|at| *at >= started_at);
}

/// Whether a pod is one of the aws-node DaemonSet.
pub(crate) fn is_aws_node(pod: &Pod) -> bool {
    pod.metadata.labels.as_ref().and_then(|l| l.get("k8s-app")).is_some_and(|app| app == "aws-node")
}

/// Whether ipamd answers on a node.
pub(crate) fn answers(turn: &Turn<'_>, node: &str) -> bool {
    let pool = turn.get::<IpPool>("", node);
    Here::on(turn.store(), turn.cluster(), node)
        .is_some_and(|here| pool.is_some_and(|pool| pool.serves_since == Some(here.started_at)))
}

/// Whether the ipamd of a node looks for branch ENIs.
pub(crate) fn gives_branches(turn: &Turn<'_>, node: &str) -> bool {
    Here::on(turn.store(), turn.cluster(), node).is_some_and(|here| here.targets.pod_eni)
}

/// Whether a node's kernel keeps its kubelet's probes from pods with security groups of their own: in strict mode, unless
/// the init container of its aws-node has switched early demultiplexing off.
/// Source: amazon-vpc-cni-k8s README (`DISABLE_TCP_EARLY_DEMUX`, `POD_SECURITY_GROUP_ENFORCING_MODE`).
pub(crate) fn keeps_probes_from_branches(store: &Store, cluster: ClusterId, node: &str) -> bool {
    let pod = store.aws_nodes_on(cluster, node).next();
    let Some(spec) = pod.and_then(|pod| pod.spec.as_ref()) else { return false };
    let is = |container: Option<&Container>, name: &str, value: &str| {
        container.is_some_and(|it| environment(it).get(name).is_some_and(|is| is == value))
    };
    let main = spec.containers.iter().find(|c| c.name == "aws-node");
    let init = spec.init_containers.iter().flatten().find(|c| c.name == "aws-vpc-cni-init");
    !is(main, "POD_SECURITY_GROUP_ENFORCING_MODE", "standard") && !is(init, "DISABLE_TCP_EARLY_DEMUX", "true")
}

/// What the ipamd of a node would do at its next round if nothing changed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextRound {
    /// What its environment tells it to hold.
    pub targets: WarmTargets,
    /// What its instance allows.
    pub limits: EniLimits,
    /// The moves, and the numbers behind them.
    pub plan: PoolPlan,
    /// How long until then; none while an ENI is being attached, for which it waits.
    pub after: Option<SimDuration>,
}

/// The next round of a node's ipamd; none where none answers.
#[must_use]
pub fn next_round(store: &Store, cluster: ClusterId, node: &str, now: SimTime) -> Option<NextRound> {
    let here = Here::on(store, cluster, node).filter(|here| now >= here.ready_at())?;
    let pool = store.get::<IpPool>(cluster, "", node).filter(|pool| pool.gave_up != Some(here.started_at))?;
    let plan = cni::plan(pool, &here.targets, &here.limits, now);
    let after = (!here.is_attaching(store)).then(|| next_tick(here.ready_at(), now).since(now));
    Some(NextRound { plan, after, limits: here.limits, targets: here.targets })
}

/// ipamd's first look at its pool after `now`.
fn next_tick(ready_at: SimTime, now: SimTime) -> SimTime {
    let ticks = now.since(ready_at).0 / timing::IPAMD_TICK.0 + 1;
    SimTime(ready_at.0 + ticks * timing::IPAMD_TICK.0)
}

/// The image that ipamd runs from, without its registry.
pub(crate) const IMAGE: &str = "amazon-k8s-cni";

/// Why an aws-node container does not start, if it does not.
pub(crate) fn refusal(container: &Container) -> Option<String> {
    cni::settings::refusal(&environment(container))
}

/// What an aws-node container writes to its log, with the level of each line.
/// Source: amazon-vpc-cni-k8s `cmd/aws-vpc-cni/main.go`; ipamd itself writes to a file of its node.
#[must_use]
pub fn log(container: &Container) -> Option<Vec<(&'static str, String)>> {
    let image = container.image.as_deref().map(kubelet::image::without_tag).unwrap_or_default();
    if !image.ends_with(IMAGE) || container.name != "aws-node" {
        return None;
    }
    if let Some(why) = refusal(container) {
        return Some(vec![("error", why)]);
    }
    let steps = [
        "Starting IPAM daemon... ",
        "Checking for IPAM connectivity... ",
        "Copying config file... ",
        "Successfully copied CNI plugin binary and config file.",
    ];
    Some(steps.map(|step| ("info", step.to_owned())).to_vec())
}

/// The environment that a cluster's DaemonSet gives aws-node; empty where there is none.
pub(crate) fn settings(store: &Store, cluster: ClusterId) -> BTreeMap<String, String> {
    let set = store.get::<DaemonSet>(cluster, "kube-system", "aws-node");
    let spec = set.and_then(|set| set.spec.as_ref()?.template.spec.as_ref());
    let container = spec.and_then(|spec| spec.containers.iter().find(|c| c.name == "aws-node"));
    container.map(environment).unwrap_or_default()
}

/// The environment that a container's manifest writes out.
pub(crate) fn environment(container: &Container) -> BTreeMap<String, String> {
    let env = container.env.iter().flatten();
    env.filter_map(|var| Some((var.name.clone(), var.value.clone()?))).collect()
}

/// Source: amazon-vpc-cni-k8s `pkg/eniconfig/eniconfig.go` (`ErrNoENIConfig`).
const NO_ENI_CONFIG: &str = "eniconfig: eniconfig is not available";
/// Source: amazon-vpc-cni-k8s `pkg/ipamd/ipamd.go` (`handlePreScaling`).
const NOTHING_ATTACHED: &str = "Failed to attach any ENIs for custom networking";

/// Why ipamd has no more addresses than before.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// As the SDK says it; the id of the request is left out.
    #[error("operation error EC2: {}, https response error StatusCode: 400, api error {}: {}", .0.operation, .0.code, .0.message)]
    Ec2(#[from] AwsError),
    #[error("{0}")]
    Own(String),
}

impl Refused {
    fn is_want_of_addresses(&self) -> bool {
        match self {
            Self::Ec2(error) => {
                matches!(error.code.as_str(), "InsufficientFreeAddressesInSubnet" | "InsufficientCidrBlocks")
            }
            Self::Own(_) => false,
        }
    }
}

/// Whether a subnet is tagged so that no pod gets an address of it.
fn is_kept_from_pods(store: &Store, subnet: &str) -> bool {
    let tags = subnet::get(store, subnet).and_then(|it| it.metadata.labels.as_ref());
    tags.and_then(|tags| tags.get("kubernetes.io/role/cni")).is_some_and(|tag| tag == "0")
}

/// An ipamd at work: its node, its instance, its settings.
struct Here {
    instance: Instance,
    started_at: SimTime,
    max_pods: u32,
    targets: WarmTargets,
    limits: EniLimits,
    /// The ENIConfig that its labels and annotations name.
    config: String,
    /// `CLUSTER_NAME`.
    cluster_name: String,
    /// What its settings ask for that cannot be.
    contradiction: Option<String>,
}

impl Here {
    fn on(store: &Store, cluster: ClusterId, node: &str) -> Option<Self> {
        let machine = store.get::<Machine>(cluster, "", node).filter(|m| m.kubelet_running)?;
        let instance = instance::get(store, machine.instance.as_deref()?)?;
        if instance.state != InstanceState::Running {
            return None;
        }
        let pods = store.aws_nodes_on(cluster, node);
        let running = |pod: &Pod| {
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            let sandbox = store.get::<Sandbox>(cluster, namespace, name)?;
            let work = sandbox.containers.iter().find(|work| work.name == "aws-node")?;
            (work.step == ContainerStep::Running).then_some(work.since)
        };
        let (pod, started_at) = pods.filter_map(|pod| Some((pod, running(pod)?))).next()?;
        let container = pod.spec.as_ref()?.containers.iter().find(|c| c.name == "aws-node")?;
        let limits = EniLimits::of(cni::limits::of(&instance.instance_type)?);
        let node = store.get::<Node>(cluster, "", node)?;
        let environment = environment(container);
        let mut targets = WarmTargets::from_env(&environment);
        targets.paused = node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true));
        Some(Self {
            instance: instance.clone(),
            started_at,
            contradiction: cni::settings::contradiction(
                &targets,
                limits.prefix_capable,
                &instance.instance_type,
            ),
            max_pods: pods_allowed(node),
            targets,
            limits,
            config: config_named(node, &environment),
            cluster_name: environment.get("CLUSTER_NAME").cloned().unwrap_or_default(),
        })
    }

    /// ipamd ends; its container goes on asking for it until the kubelet's liveness probe has had enough.
    fn give_up(&self, turn: &mut Turn<'_>, node: &str, mut pool: IpPool, why: String) {
        pool.gave_up = Some(self.started_at);
        pool.error = Some(why);
        keep(turn, node, pool);
    }

    fn ready_at(&self) -> SimTime {
        self.started_at + timing::IPAMD_START
    }

    fn name(&self) -> &str {
        self.instance.metadata.name.as_deref().unwrap_or_default()
    }

    fn is_attaching(&self, store: &Store) -> bool {
        eni::of_instance(store, self.name()).iter().any(|eni| eni.attachment == Attachment::Attaching)
    }

    /// With `ENABLE_POD_ENI`, tells the controller that a trunk is wanted, if there is room for one.
    fn ask_for_trunk(&self, turn: &mut Turn<'_>, node: &str, pool: &mut IpPool) {
        if !self.targets.pod_eni {
            return;
        }
        let has_room = (pool.enis.len() as u64) < u64::from(self.limits.max_enis(&self.targets));
        if has_room || pool.enis.iter().any(|eni| eni.trunk) {
            let config =
                Some(&*self.config).filter(|name| self.targets.custom_networking && *name != "default");
            vpc_resource::ask_for_trunk(turn, node, config);
        } else {
            pool.error = Some("No slot available for a trunk ENI to be attached.".to_owned());
        }
    }

    /// Only the primary ENI serves, and under custom networking it serves no pods.
    fn is_empty(&self, store: &Store, pool: &IpPool) -> bool {
        pool.enis.iter().all(|eni| eni.device_index == 0 || eni.trunk)
            && eni::of_instance(store, self.name()).iter().all(|eni| eni.device_index == 0 || eni.trunk)
    }

    /// The pool as EC2 has it: ENIs and blocks that are there come in, what is gone goes.
    fn adopted(&self, turn: &Turn<'_>, node: &str) -> Option<IpPool> {
        let mut pool = turn.get::<IpPool>("", node).cloned().unwrap_or_else(|| IpPool {
            metadata: ObjectMeta { name: Some(node.to_owned()), ..ObjectMeta::default() },
            node: node.to_owned(),
            instance_type: self.instance.instance_type.clone(),
            ..IpPool::default()
        });
        pool.mode = self.limits.mode(&self.targets);
        pool.custom_networking = self.targets.custom_networking;
        pool.max_pods = self.max_pods;
        pool.cooldown = self.targets.cooldown;
        let enis = eni::of_instance(turn.store(), self.name());
        let there: Vec<&&Eni> = enis.iter().filter(|eni| eni.attachment == Attachment::Attached).collect();
        let excluded = |eni: &Eni| match self.targets.custom_networking {
            true => eni.device_index == 0,
            false => is_kept_from_pods(turn.store(), &eni.subnet),
        };
        pool.enis.retain(|eni| there.iter().any(|t| t.metadata.name.as_deref() == Some(&eni.name)));
        for eni in there {
            let name = eni.metadata.name.clone()?;
            if !pool.enis.iter().any(|e| e.name == name) {
                let new = PoolEni {
                    name: name.clone(),
                    device_index: eni.device_index,
                    excluded: false,
                    trunk: eni.trunk,
                    created_at: turn.now(),
                    blocks: Vec::new(),
                };
                cni::add_eni(&mut pool, new);
            }
            let blocks = eni::blocks_of(eni);
            if let Some(held) = pool.enis.iter_mut().find(|e| e.name == name) {
                held.excluded = excluded(eni);
                held.blocks.retain(|block| blocks.contains(&block.cidr));
                blocks.iter().for_each(|block| cni::add_block(held, *block));
            }
        }
        Some(pool)
    }

    fn make(&self, turn: &mut Turn<'_>, pool: &mut IpPool, it: Move) {
        pool.served_at_once = 0;
        match it {
            Move::Grow { attempts, back_off } => self.grow(turn, pool, &attempts, back_off),
            Move::Unassign { eni, blocks } => {
                pool.last_shrink = Some(turn.now());
                if let Some(held) = pool.enis.iter_mut().find(|e| e.name == eni) {
                    blocks.iter().for_each(|block| cni::remove_block(held, *block));
                }
                eni::unassign(turn, &eni, &blocks);
            }
            Move::DeleteEni { eni } => {
                pool.enis.retain(|e| e.name != eni);
                eni::detach(turn, &eni);
            }
        }
    }

    fn grow(&self, turn: &mut Turn<'_>, pool: &mut IpPool, attempts: &[Attempt], back_off: bool) {
        let mut subnet_is_full = false;
        for attempt in attempts {
            let granted = match attempt {
                Attempt::Assign { eni, count } => self.fill(turn, pool, eni, *count),
                Attempt::CreateEni { count } => self.create(turn, *count, pool.mode),
            };
            let Err(error) = granted else {
                pool.error = None;
                return;
            };
            subnet_is_full = error.is_want_of_addresses();
            if let Refused::Ec2(error) = &error {
                note_refusal(turn, error);
            }
            pool.error = Some(error.to_string());
        }
        if back_off && subnet_is_full {
            pool.back_off_until = Some(turn.now() + timing::IPAMD_BACK_OFF);
        }
    }

    fn fill(&self, turn: &mut Turn<'_>, pool: &mut IpPool, name: &str, count: u32) -> Result<(), Refused> {
        let blocks = eni::assign(turn, name, count, pool.mode)?;
        if let Some(held) = pool.enis.iter_mut().find(|e| e.name == name) {
            blocks.iter().for_each(|block| cni::add_block(held, *block));
        }
        Ok(())
    }

    /// A new ENI: under custom networking as the node's ENIConfig says, otherwise with the groups of the primary ENI in
    /// the first of the subnets in question that has room.
    fn create(&self, turn: &mut Turn<'_>, count: u32, mode: PoolMode) -> Result<(), Refused> {
        let enis = eni::of_instance(turn.store(), self.name());
        let groups = enis.first().map(|primary| primary.security_groups.clone()).unwrap_or_default();
        if !self.targets.custom_networking {
            let mut tried = Err(Refused::Own(cni::discovery::NoSubnet.to_string()));
            for subnet in self.subnets(turn.store())? {
                tried = self.create_in(turn, &subnet, groups.clone(), count, mode);
                if tried.is_ok() {
                    break;
                }
            }
            return tried;
        }
        let config = turn.get::<EniConfig>("", &self.config).cloned();
        let config = config.ok_or_else(|| Refused::Own(NO_ENI_CONFIG.to_owned()))?;
        let own = Some(config.security_groups()).filter(|own| !own.is_empty());
        self.create_in(turn, config.subnet(), own.unwrap_or(groups), count, mode)
    }

    /// The subnets to try, in order.
    ///
    /// Source: amazon-vpc-cni-k8s `pkg/awsutils/awsutils.go` (`createENI`).
    fn subnets(&self, store: &Store) -> Result<Vec<String>, Refused> {
        let own = &self.instance.subnet;
        if !self.targets.subnet_discovery {
            let refused = "primary subnet is tagged with kubernetes.io/role/cni=0 and subnet discovery is disabled - no valid subnets available for ENI creation";
            return match is_kept_from_pods(store, own) {
                true => Err(Refused::Own(refused.to_owned())),
                false => Ok(vec![own.clone()]),
            };
        }
        let Some(home) = subnet::get(store, own) else { return Ok(vec![own.clone()]) };
        let near = store
            .list::<Subnet>(ClusterId::WORLD, None)
            .filter(|it| it.vpc == home.vpc && it.availability_zone == home.availability_zone);
        let candidates: Vec<Candidate> = near
            .map(|it| Candidate {
                id: it.metadata.name.clone().unwrap_or_default(),
                free: subnet::free(store, it),
                tags: it.metadata.labels.clone().unwrap_or_default(),
            })
            .collect();
        cni::discovery::order(&candidates, own, &self.cluster_name)
            .map_err(|error| Refused::Own(error.to_string()))
    }

    fn create_in(
        &self,
        turn: &mut Turn<'_>,
        subnet: &str,
        security_groups: Vec<String>,
        slots: u32,
        mode: PoolMode,
    ) -> Result<(), Refused> {
        let taken: Vec<u32> =
            eni::of_instance(turn.store(), self.name()).iter().map(|eni| eni.device_index).collect();
        let device = (1..).find(|n| !taken.contains(n)).unwrap_or(1);
        let new = NewEni {
            operation: "CreateNetworkInterface",
            subnet,
            slots,
            mode,
            owner: EniOwner::Instance,
            security_groups,
            address: None,
            description: format!("aws-K8S-{}", self.name()),
        };
        let made = eni::create(turn, new)?;
        eni::attach(turn, &made, self.name(), device).inspect_err(|_| eni::delete(turn, &made))?;
        Ok(())
    }

    /// Growth is work that is waited for; giving back is not.
    fn look_again(&self, pool: &IpPool, ready_at: SimTime, now: SimTime) -> Next {
        let tick_from = |at: SimTime| {
            let since = at.since(ready_at).0.div_ceil(timing::IPAMD_TICK.0) * timing::IPAMD_TICK.0;
            SimDuration((ready_at.0 + since).saturating_sub(now.0))
        };
        let next_tick = next_tick(ready_at, now).since(now);
        let moves = cni::plan(pool, &self.targets, &self.limits, now).moves;
        if moves.iter().any(|it| matches!(it, Move::Grow { .. })) {
            return Next::After(next_tick);
        }
        if !moves.is_empty() {
            return Next::Every(next_tick);
        }
        match cni::changes_at(pool, &self.targets, now) {
            Some(at) => Next::Every(tick_from(at).max(next_tick)),
            None => Next::Done,
        }
    }
}

/// The name of a node's ENIConfig.
///
/// The label of an external controller comes first, then the annotation, then the label that the environment names.
/// Source: amazon-vpc-cni-k8s `pkg/eniconfig/eniconfig.go` (`GetNodeSpecificENIConfigName`).
fn config_named(node: &Node, environment: &BTreeMap<String, String>) -> String {
    const KEY: &str = "k8s.amazonaws.com/eniConfig";
    let key = |name: &str| {
        environment.get(name).filter(|key| !key.is_empty()).map_or(KEY, String::as_str).to_owned()
    };
    let of = |all: &Option<BTreeMap<String, String>>, key: &str| {
        all.as_ref().and_then(|all| all.get(key)).cloned()
    };
    of(&node.metadata.labels, "vpc.amazonaws.com/externalEniConfig")
        .or_else(|| of(&node.metadata.annotations, &key("ENI_CONFIG_ANNOTATION_DEF")))
        .or_else(|| of(&node.metadata.labels, &key("ENI_CONFIG_LABEL_DEF")))
        .unwrap_or_else(|| "default".to_owned())
}

/// The settings that aws-node's pod on a node gives its ipamd; nothing where there is no such pod.
#[must_use]
pub fn targets_on(store: &Store, cluster: ClusterId, node: &str) -> Option<WarmTargets> {
    let pod = store.aws_nodes_on(cluster, node).next()?;
    let container = pod.spec.as_ref()?.containers.iter().find(|it| it.name == "aws-node")?;
    Some(WarmTargets::from_env(&environment(container)))
}

/// The kubelet's limit of pods.
pub(crate) fn pods_allowed(node: &Node) -> u32 {
    let pods = node.status.as_ref().and_then(|s| s.capacity.as_ref()).and_then(|c| c.get("pods"));
    pods.and_then(|pods| pods.0.parse().ok()).unwrap_or(110)
}

fn keep(turn: &mut Turn<'_>, node: &str, pool: IpPool) {
    if turn.get::<IpPool>("", node) != Some(&pool) {
        turn.put(pool.into_object());
    }
}

fn network_ready(turn: &mut Turn<'_>, node: &str) {
    if let Some(mut machine) = turn.get::<Machine>("", node).filter(|m| !m.network_ready).cloned() {
        machine.network_ready = true;
        turn.put(machine.into_object());
    }
}

fn note_refusal(turn: &mut Turn<'_>, error: &AwsError) {
    let about = turn.key(Kind::Instance, "", "");
    turn.fact(What::Noted(error.noted(about)));
}
