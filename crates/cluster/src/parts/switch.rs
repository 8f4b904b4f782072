//! What happens at the moment a part is stopped or started?
//!
//! A process that stops forgets what it had in mind; what it wrote stays. One that starts has to be found or to become
//! the leader before it acts.

use std::fmt;

use api::{
    Resource, SimDuration, SimTime,
    kinds::{
        aws::{Instance, InstanceState},
        sim::{ControlPlane, KnownService, Machine, Part, PartRole, Provider, QueuedPod, StoppedProxy},
    },
};

use super::{Process, silent_since};
use crate::{
    ClusterId, Refusal, Turn,
    cloud::{
        instance,
        spot::{self, Signal},
        zone,
    },
    network, timing,
};

/// One thing that can be switched off, and on again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A part of the control plane, or all parts that one calls so: `scheduler`, `etcd-a`, `etcd`.
    Part(String),
    /// The kubelet of a node.
    Kubelet(String),
    /// The container runtime of a node: what runs goes on without it.
    Runtime(String),
    /// The kube-proxy of a node: its rules stay as they are.
    KubeProxy(String),
    /// A zone: its instances, and the parts of the control plane in it.
    Zone(String),
    /// EC2 recommends to replace a spot instance: that of a node, or the one with this id.
    Rebalance(String),
    /// EC2 wants a spot instance back.
    Interruption(String),
}

/// Nothing in this cluster is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what} in this cluster; there are {}", .known.join(", "))]
pub struct UnknownFault {
    /// What was said: `part "etdc"`.
    pub what: String,
    /// What could have been said.
    pub known: Vec<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Part(name) => f.write_str(name),
            Fault::Kubelet(node) => write!(f, "kubelet {node}"),
            Fault::Runtime(node) => write!(f, "runtime {node}"),
            Fault::KubeProxy(node) => write!(f, "kube-proxy {node}"),
            Fault::Zone(zone) => write!(f, "az {zone}"),
            Fault::Rebalance(node) => write!(f, "rebalance {node}"),
            Fault::Interruption(node) => write!(f, "interrupt {node}"),
        }
    }
}

/// Switches something off.
/// # Errors
/// Nothing is called so.
pub(crate) fn stop(turn: &mut Turn<'_>, cluster: ClusterId, fault: &Fault) -> Result<(), Refusal> {
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    set(&mut there, fault, false)
}

/// Switches something on again; without a name every part of the cluster and of its nodes.
/// # Errors
/// Nothing is called so, or the cluster is an imported one.
pub(crate) fn clear(turn: &mut Turn<'_>, cluster: ClusterId, fault: Option<&Fault>) -> Result<(), Refusal> {
    let planes = turn.store().list::<ControlPlane>(ClusterId::WORLD, None);
    if planes.into_iter().any(|it| it.id == cluster.0 && it.provider == Provider::Imported) {
        return Err(Refusal::Tool(crate::import::STANDS_STILL.to_owned()));
    }
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    let Some(fault) = fault else {
        let machines: Vec<Machine> = there.list::<Machine>(None).cloned().collect();
        for machine in machines {
            machine_runs(&mut there, &machine, &[NodePart::Kubelet, NodePart::Runtime, NodePart::KubeProxy]);
        }
        let stopped = there.list::<Part>(None).filter(|part| !part.running);
        let stopped: Vec<Part> = stopped.cloned().collect();
        switch_parts(&mut there, stopped, true);
        for zone in zone::failed(there.store()) {
            zone::set(&mut Turn::new(there.world, there.actor, ClusterId::WORLD, there.cause), &zone, true);
        }
        return Ok(());
    };
    set(&mut there, fault, true)
}

fn set(there: &mut Turn<'_>, fault: &Fault, running: bool) -> Result<(), Refusal> {
    let (node, part) = match fault {
        Fault::Part(name) => {
            let called = |part: &&Part| {
                part.metadata.name.as_ref() == Some(name) || super::word(part.role) == name.as_str()
            };
            let parts: Vec<Part> = there.list::<Part>(None).filter(called).cloned().collect();
            if parts.is_empty() {
                let known = there.list::<Part>(None).filter_map(|part| part.metadata.name.clone()).collect();
                let what = format!("part {name:?}");
                return Err(Refusal::Tool(UnknownFault { what, known }.to_string()));
            }
            let parts = parts.into_iter().filter(|part| part.running != running).collect();
            switch_parts(there, parts, running);
            return Ok(());
        }
        Fault::Kubelet(node) => (node, NodePart::Kubelet),
        Fault::Runtime(node) => (node, NodePart::Runtime),
        Fault::KubeProxy(node) => (node, NodePart::KubeProxy),
        Fault::Zone(zone) => {
            return switch_zone(there, zone, running);
        }
        Fault::Rebalance(node) | Fault::Interruption(node) if running => {
            return Err(Refusal::Tool(format!("what EC2 has told {node} is not taken back")));
        }
        Fault::Rebalance(node) => return told(there, node, Signal::Rebalance),
        Fault::Interruption(node) => return told(there, node, Signal::Interruption),
    };
    let Some(machine) = there.get::<Machine>("", node).cloned() else {
        let known = there.list::<Machine>(None).filter_map(|it| it.metadata.name.clone()).collect();
        let what = format!("node {node:?}");
        return Err(Refusal::Tool(UnknownFault { what, known }.to_string()));
    };
    if running {
        machine_runs(there, &machine, &[part]);
    } else {
        machine_lacks(there, machine, part);
    }
    Ok(())
}

/// EKS runs its API servers and etcd's members in several zones, and loses those of the one that fails.
fn switch_zone(there: &mut Turn<'_>, zone: &str, running: bool) -> Result<(), Refusal> {
    let known = zone::all(there.store());
    if !known.iter().any(|it| it == zone) {
        return Err(Refusal::Tool(UnknownFault { what: format!("zone {zone:?}"), known }.to_string()));
    }
    zone::set(&mut Turn::new(there.world, there.actor, ClusterId::WORLD, there.cause), zone, running);
    let of_zone = |it: &&Part| it.zone.as_deref() == Some(zone) && it.running != running;
    let parts = there.list::<Part>(None).filter(of_zone).cloned().collect();
    switch_parts(there, parts, running);
    Ok(())
}

/// EC2 tells a spot instance something.
fn told(there: &mut Turn<'_>, node: &str, signal: Signal) -> Result<(), Refusal> {
    let id = there.get::<Machine>("", node).and_then(|it| it.instance.clone());
    let id = id.or_else(|| instance::get(there.store(), node).and_then(|it| it.metadata.name.clone()));
    let Some(id) = id else {
        let spot = there.store().list::<Instance>(ClusterId::WORLD, None).filter(|it| it.spot);
        let known = spot.filter_map(|it| it.node.clone()).collect();
        return Err(Refusal::Tool(UnknownFault { what: format!("node {node:?}"), known }.to_string()));
    };
    let turn = &mut Turn::new(there.world, there.actor, ClusterId::WORLD, there.cause);
    spot::tell(turn, &id, signal).map_err(Refusal::Tool)
}

/// What runs on a node beside its pods.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NodePart {
    Kubelet,
    Runtime,
    KubeProxy,
}

fn machine_lacks(there: &mut Turn<'_>, mut machine: Machine, part: NodePart) {
    let now = there.now();
    match part {
        NodePart::Kubelet => machine.kubelet_running = false,
        NodePart::Runtime => machine.runtime_stopped = machine.runtime_stopped.or(Some(now)),
        NodePart::KubeProxy => {
            let rules = || StoppedProxy { since: now, services: rules(there) };
            machine.proxy_stopped = Some(machine.proxy_stopped.take().unwrap_or_else(rules));
        }
    }
    there.put(machine.into_object());
}

/// What every kube-proxy knows now.
fn rules(there: &Turn<'_>) -> Vec<KnownService> {
    network::known_services(there.store(), there.cluster())
}

/// Starts parts of a machine; on one that is itself switched off nothing starts.
fn machine_runs(there: &mut Turn<'_>, before: &Machine, parts: &[NodePart]) {
    let own = before.instance.as_deref().and_then(|id| instance::get(there.store(), id));
    if own.is_some_and(|it| it.state != InstanceState::Running) {
        return;
    }
    let mut machine = before.clone();
    for part in parts {
        match part {
            NodePart::Kubelet => machine.kubelet_running = true,
            NodePart::Runtime => machine.runtime_stopped = None,
            NodePart::KubeProxy => machine.proxy_stopped = None,
        }
    }
    if machine != *before {
        there.put(machine.into_object());
    }
}

fn switch_parts(there: &mut Turn<'_>, parts: Vec<Part>, running: bool) {
    let now = there.now();
    let silent = silence(there);
    for mut part in parts {
        if running {
            part.off_for = now.since(part.since);
        }
        part.running = running;
        part.since = now;
        match part.role {
            PartRole::Scheduler if !running => forget_queue(there),
            PartRole::ControllerManager if !running => {
                there.world.forget_process(there.cluster, Process::ControllerManager);
            }
            // Leads once it can ask for its lease: see below while nobody answers.
            PartRole::Scheduler => part.acts_from = now + timing::PART_START,
            PartRole::ControllerManager => part.acts_from = now + timing::LEADER_LEASE,
            PartRole::ApiServer | PartRole::Etcd => {}
        }
        there.put(part.into_object());
    }
    if let (Some(since), None) = (silent, silence(there)) {
        answers_again(there, now.since(since));
    }
}

fn silence(there: &Turn<'_>) -> Option<SimTime> {
    silent_since(&there.list::<Part>(None).collect::<Vec<_>>())
}

/// The API server answers again after `outage`: clients find it, and the leaders lead if nobody noticed.
fn answers_again(there: &mut Turn<'_>, outage: SimDuration) {
    let now = there.now();
    let parts: Vec<Part> = there.list::<Part>(None).filter(|part| part.running).cloned().collect();
    let servers_were_there =
        parts.iter().filter(|part| part.role == PartRole::ApiServer).any(|part| part.since < now);
    // A watch that is still open goes on; a connection that was refused is tried again after longer and longer waits.
    let found = if servers_were_there { SimDuration::ZERO } else { outage.min(timing::RELIST_MAX) };
    // A leader that could not renew its lease has given up, and its successor waits for the lease to run out.
    let leads = if outage < timing::RENEW_DEADLINE { SimDuration::ZERO } else { timing::LEADER_LEASE };
    for mut part in parts {
        let from = match part.role {
            PartRole::ApiServer | PartRole::Etcd if part.since == now => found,
            PartRole::ApiServer | PartRole::Etcd => continue,
            PartRole::Scheduler | PartRole::ControllerManager => leads,
        };
        part.acts_from = part.acts_from.max(now + from);
        there.put(part.into_object());
    }
}

/// The scheduling queue is the scheduler's memory.
fn forget_queue(there: &mut Turn<'_>) {
    let queued = there.store().objects(there.cluster(), QueuedPod::KIND, None);
    let keys: Vec<crate::Key> = queued.map(|(key, _)| key.clone()).collect();
    for key in keys {
        there.remove(&key);
    }
    there.world.forget_process(there.cluster, Process::Scheduler);
}
