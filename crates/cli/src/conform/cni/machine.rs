//! Nodes with an ipamd, a subnet and pods, as the recorder of the warm-pool cases had them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use api::{SimDuration, SimTime};
use cni::{
    Attempt, EniLimits, IpPool, Move, PoolEni, PoolMode, SandboxId, WarmTargets, add_block, add_eni, assign,
    figures, plan, release, remove_block, subnet::SubnetAddresses,
};
use ipnet::{IpNet, Ipv4Net};
use serde_json::{Value, json};

use super::{addresses, environment, number, sorted};

/// ipamd looks this often.
const TICK: SimDuration = SimDuration::secs(5);
/// So many ticks without a call or a pod's change are rest.
const QUIET_TICKS: u32 = 30;
/// A pool that never rests is cut off; the recorder did the same.
const MOST_TICKS: u32 = 2000;
/// After a refusal for want of addresses ipamd asks for nothing this long.
const BACK_OFF: SimDuration = SimDuration::secs(120);

struct Node {
    pool: IpPool,
    targets: WarmTargets,
    limits: EniLimits,
    waiting: Vec<String>,
    running: Vec<String>,
}

struct Bench {
    pod_subnet: SubnetAddresses,
    node_subnet: Option<SubnetAddresses>,
    now: SimTime,
    nodes: Vec<Node>,
    failed: BTreeSet<String>,
    primaries: BTreeMap<String, Ipv4Addr>,
}

impl Bench {
    fn new(pod_subnet: SubnetAddresses, node_subnet: Option<SubnetAddresses>) -> Self {
        Self {
            pod_subnet,
            node_subnet,
            now: SimTime(1_000_000),
            nodes: Vec::new(),
            failed: BTreeSet::new(),
            primaries: BTreeMap::new(),
        }
    }

    /// Starts a node: its primary ENI, a trunk where one is wanted, one growth. Says whether EC2 had an address for it.
    fn start(&mut self, input: &Value) -> bool {
        let primary = match &mut self.node_subnet {
            Some(subnet) => subnet.assign(1),
            None => self.pod_subnet.assign(1),
        };
        let primary = match primary {
            Ok(address) => address,
            Err(error) => {
                self.failed.insert(format!("RunInstances:{error}"));
                return false;
            }
        };
        let targets = WarmTargets::from_env(&environment(input));
        let limits = EniLimits {
            enis: number(input, "enis"),
            ipv4_per_eni: number(input, "ipv4_per_eni"),
            prefix_capable: input["prefix_capable"] == Value::Bool(true),
            trunk_capable: input["trunk_capable"] == Value::Bool(true),
        };
        let mut pool = IpPool {
            mode: limits.mode(&targets),
            custom_networking: targets.custom_networking,
            max_pods: number(input, "max_pods"),
            ..IpPool::default()
        };
        let excluded = targets.custom_networking;
        add_eni(&mut pool, self.eni(&primary, 0, excluded, false));
        let trunk = targets.pod_eni && limits.trunk_capable && limits.max_enis(&targets) > 1;
        if let Some(address) = trunk.then(|| self.pod_subnet.assign(1)).and_then(Result::ok) {
            add_eni(&mut pool, self.eni(&address, 1, false, true));
        }
        self.nodes.push(Node { pool, targets, limits, waiting: Vec::new(), running: Vec::new() });
        let at = self.nodes.len() - 1;
        self.round(at, true);
        true
    }

    fn eni(&mut self, primary: &[Ipv4Addr], device_index: u32, excluded: bool, trunk: bool) -> PoolEni {
        let name = format!("eni-{}", self.primaries.len() + 1);
        self.primaries.insert(name.clone(), primary.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED));
        PoolEni { name, device_index, excluded, trunk, created_at: self.now, blocks: Vec::new() }
    }

    /// One round of ipamd on one node; says whether anything changed.
    fn round(&mut self, at: usize, growth_only: bool) -> bool {
        let node = &self.nodes[at];
        let moves = plan(&node.pool, &node.targets, &node.limits, self.now).moves;
        let mut changed = false;
        for it in moves {
            changed |= match it {
                Move::Grow { attempts, back_off } => self.grow(at, &attempts, back_off),
                Move::Unassign { eni, blocks } if !growth_only => self.unassign(at, &eni, &blocks),
                Move::DeleteEni { eni } if !growth_only => self.delete(at, &eni),
                Move::Unassign { .. } | Move::DeleteEni { .. } => false,
            };
        }
        changed
    }

    fn take(&mut self, mode: PoolMode, count: u32) -> Result<Vec<Ipv4Net>, cni::subnet::Exhausted> {
        match mode {
            PoolMode::Prefix => self.pod_subnet.assign_prefixes(count),
            PoolMode::SecondaryIp => {
                Ok(self.pod_subnet.assign(count)?.into_iter().map(Ipv4Net::from).collect())
            }
            // No recorded world has IPv6: there such a subnet has nothing to give.
            PoolMode::Ipv6Prefix => Err(cni::subnet::Exhausted::Blocks),
        }
    }

    fn grow(&mut self, at: usize, attempts: &[Attempt], back_off: bool) -> bool {
        let mode = self.nodes[at].pool.mode;
        for attempt in attempts {
            let granted = match attempt {
                Attempt::Assign { eni, count } => {
                    self.take(mode, *count).map(|blocks| (Some(eni.clone()), Vec::new(), blocks))
                }
                Attempt::CreateEni { count } => {
                    self.create(mode, *count).map(|(own, blocks)| (None, own, blocks))
                }
            };
            match granted {
                Ok((eni, own, blocks)) => {
                    self.put(at, eni.as_deref(), &own, &blocks);
                    return true;
                }
                Err(error) => {
                    let call = match attempt {
                        Attempt::Assign { .. } => "AssignPrivateIpAddresses",
                        Attempt::CreateEni { .. } => "CreateNetworkInterface",
                    };
                    self.failed.insert(format!("{call}:{error}"));
                }
            }
        }
        if back_off {
            self.nodes[at].pool.back_off_until = Some(self.now + BACK_OFF);
        }
        false
    }

    /// An ENI's own address and its blocks: all or nothing.
    fn create(
        &mut self,
        mode: PoolMode,
        count: u32,
    ) -> Result<(Vec<Ipv4Addr>, Vec<Ipv4Net>), cni::subnet::Exhausted> {
        let before = self.pod_subnet.clone();
        let granted = self.pod_subnet.assign(1).and_then(|own| Ok((own, self.take(mode, count)?)));
        if granted.is_err() {
            self.pod_subnet = before;
        }
        granted
    }

    fn put(&mut self, at: usize, eni: Option<&str>, own: &[Ipv4Addr], blocks: &[Ipv4Net]) {
        let name = match eni {
            Some(name) => name.to_owned(),
            None => {
                let used: BTreeSet<u32> = self.nodes[at].pool.enis.iter().map(|e| e.device_index).collect();
                let free = (0..).find(|n| !used.contains(n)).unwrap_or_default();
                let eni = self.eni(own, free, false, false);
                let name = eni.name.clone();
                add_eni(&mut self.nodes[at].pool, eni);
                name
            }
        };
        let eni = self.nodes[at].pool.enis.iter_mut().find(|e| e.name == name);
        if let Some(eni) = eni {
            blocks.iter().for_each(|block| add_block(eni, IpNet::V4(*block)));
        }
    }

    fn unassign(&mut self, at: usize, eni: &str, blocks: &[IpNet]) -> bool {
        let pool = &mut self.nodes[at].pool;
        pool.last_shrink = Some(self.now);
        for eni in pool.enis.iter_mut().filter(|e| e.name == eni) {
            blocks.iter().for_each(|block| remove_block(eni, *block));
        }
        blocks.iter().for_each(|block| self.give_back(*block));
        true
    }

    fn give_back(&mut self, block: IpNet) {
        if let IpNet::V4(block) = block {
            self.pod_subnet.give_back_prefix(block);
        }
    }

    fn delete(&mut self, at: usize, eni: &str) -> bool {
        let pool = &mut self.nodes[at].pool;
        let Some(index) = pool.enis.iter().position(|e| e.name == eni) else { return false };
        let gone = pool.enis.remove(index);
        gone.blocks.iter().for_each(|block| self.give_back(block.cidr));
        if let Some(own) = self.primaries.get(&gone.name) {
            self.pod_subnet.give_back(*own);
        }
        true
    }

    fn tick(&mut self) -> bool {
        self.now = self.now + TICK;
        let mut changed = false;
        for at in 0..self.nodes.len() {
            changed |= self.round(at, false);
            changed |= self.seat(at);
        }
        changed
    }

    /// Pods without an address try again, oldest first.
    fn seat(&mut self, at: usize) -> bool {
        let (now, node) = (self.now, &mut self.nodes[at]);
        let before = node.waiting.len();
        let mut waiting = std::mem::take(&mut node.waiting);
        waiting.retain(|pod| {
            let got = assign(&mut node.pool, &SandboxId(pod.clone()), node.targets.cooldown, now).is_ok();
            if got {
                node.running.push(pod.clone());
            }
            !got
        });
        node.waiting = waiting;
        before != node.waiting.len()
    }

    fn rest(&mut self) {
        let mut quiet = 0;
        for _ in 0..MOST_TICKS {
            quiet = if self.tick() { 0 } else { quiet + 1 };
            if quiet >= QUIET_TICKS {
                return;
            }
        }
    }

    fn node(&self, at: usize) -> Value {
        let node = &self.nodes[at];
        let f = figures(&node.pool, node.targets.cooldown, self.now);
        json!({"enis": f.enis, "ips_total": f.attached, "pods_with_ip": node.running.len(), "pods_without_ip": node.waiting.len()})
    }
}

pub(super) fn warm_pool(input: &Value) -> Value {
    let Ok(cidr) = "10.0.0.0/16".parse() else { return Value::Null };
    let mut bench = Bench::new(SubnetAddresses::new(cidr), None);
    bench.start(input);
    bench.rest();
    let newest = input["delete_order"] == "newest";
    let (mut born, mut after) = (0, Vec::new());
    let mut order: Vec<String> = Vec::new();
    for target in input["pods"].as_array().into_iter().flatten().filter_map(Value::as_u64) {
        while (order.len() as u64) < target {
            born += 1;
            order.push(format!("default/{born}"));
            bench.nodes[0].waiting.push(format!("default/{born}"));
        }
        bench.seat(0);
        while order.len() as u64 > target {
            let gone = if newest { order.pop() } else { Some(order.remove(0)) };
            let Some(gone) = gone else { break };
            let (now, node) = (bench.now, &mut bench.nodes[0]);
            release(&mut node.pool, &SandboxId(gone.clone()), now);
            node.running.retain(|pod| *pod != gone);
            node.waiting.retain(|pod| *pod != gone);
        }
        bench.rest();
        after.push(state(&bench));
    }
    json!({ "after": after })
}

fn state(bench: &Bench) -> Value {
    let node = &bench.nodes[0];
    let f = figures(&node.pool, node.targets.cooldown, bench.now);
    let blocks = |len: u8| {
        node.pool.enis.iter().flat_map(|e| &e.blocks).filter(|b| b.cidr.prefix_len() == len).count() as u32
    };
    let mut per_eni: Vec<usize> = node.pool.enis.iter().map(|e| e.blocks.len()).collect();
    per_eni.sort_unstable_by(|a, b| b.cmp(a));
    json!({
        "pods_with_ip": node.running.len(),
        "pods_without_ip": node.waiting.len(),
        "enis": f.enis,
        "secondary_ips": blocks(32),
        "prefixes": blocks(28),
        "ips_total": f.attached,
        "ips_assigned": f.used,
        "ips_free": f.available(),
        "per_eni": per_eni,
        "vpc_addresses_held": f.enis + blocks(32) + 16 * blocks(28),
    })
}

pub(super) fn exhaustion(input: &Value) -> Value {
    let Some(subnet) = addresses(input, "subnet") else { return Value::Null };
    let (free_start, blocks_start) = (subnet.free(), subnet.free_blocks().len());
    let mut bench = Bench::new(subnet, None);
    let mut failed = 0;
    for _ in 0..number(input, "nodes") {
        if bench.start(input) {
            bench.rest();
        } else {
            failed += 1;
        }
    }
    let launched = bench.nodes.len();
    for pod in 0..number(input, "pods") as usize {
        if launched > 0 {
            bench.nodes[pod % launched].waiting.push(format!("default/{pod}"));
        }
    }
    for at in 0..launched {
        bench.seat(at);
    }
    bench.rest();
    let sum = |f: fn(&Node) -> usize| bench.nodes.iter().map(f).sum::<usize>();
    let homeless = if launched == 0 { number(input, "pods") as usize } else { 0 };
    json!({
        "subnet_free_at_start": free_start,
        "free_28_blocks_at_start": blocks_start,
        "nodes_launched": launched,
        "nodes_failed": failed,
        "pods_with_ip": sum(|n| n.running.len()),
        "pods_without_ip": sum(|n| n.waiting.len()) + homeless,
        "subnet_free_at_end": bench.pod_subnet.free(),
        "free_28_blocks_at_end": bench.pod_subnet.free_blocks().len(),
        "per_node": (0..launched).map(|at| bench.node(at)).collect::<Vec<_>>(),
        "failed_calls": sorted(bench.failed),
    })
}

pub(super) fn node_init(input: &Value) -> Value {
    let (Some(pods), Ok(nodes)) = (addresses(input, "pod_subnet"), "10.0.0.0/24".parse()) else {
        return Value::Null;
    };
    let mut bench = Bench::new(pods, Some(SubnetAddresses::new(nodes)));
    bench.start(input);
    if bench.nodes.iter().all(|node| node.pool.enis.len() < 2) {
        return json!({"node_ready": false, "error": "Failed to attach any ENIs for custom networking"});
    }
    bench.rest();
    let f = figures(&bench.nodes[0].pool, SimDuration::ZERO, bench.now);
    json!({"node_ready": true, "enis": f.enis, "ips_total": f.attached, "prefixes": f.prefixes})
}
