//! Sentences in English: present tense, plain verbs; what is seen, then why, then what would change it.

use crate::{
    view::{
        beats::BeatKind,
        inspector::Label,
        outline::{Census, Entry},
        pod::PodState,
        scene::{NodeState, SlotState},
        timeline::Wait,
        why::{EniUse, NodeWhy, PodWhy, Why},
    },
    words::{Mark, Step},
};

/// A pod's state.
#[must_use]
pub fn state(state: PodState) -> &'static str {
    match state {
        PodState::Gated => "Gated",
        PodState::Pending => "Pending",
        PodState::Creating => "Creating",
        PodState::Running => "Running",
        PodState::NotReady => "NotReady",
        PodState::Failed => "Failed",
        PodState::Terminating => "Terminating",
        PodState::Completed => "Completed",
    }
}

/// One sentence for a thing.
#[must_use]
pub fn lead(why: &Why) -> String {
    match why {
        Why::Pod(pod) => pod_lead(pod),
        Why::Node(node) => node_lead(node),
        Why::Subnet(subnet) => format!(
            "{} subnet {}: {} of its {} addresses are free.",
            if subnet.public { "A public" } else { "A private" },
            subnet.cidr,
            subnet.free,
            subnet.total
        ),
        Why::Eni(EniUse::Eks, _) => {
            "EKS owns this ENI. It stands in your subnet and takes one address, but no pod sits here."
                .to_owned()
        }
        Why::Eni(EniUse::Trunk(branches), _) => format!(
            "A trunk: it gives pods no address of its own and carries {branches} branch ENIs, one for each pod with its own security groups."
        ),
        Why::Eni(EniUse::Branch(pod, vlan, groups), _) => format!(
            "The branch ENI of pod {pod}: VLAN {vlan} on the trunk, with the security groups {}.",
            groups.join(", ")
        ),
        Why::Eni(EniUse::MicroVm, _) => {
            "This is the one ENI of a micro-VM: its address is its pod’s, and goes with it.".to_owned()
        }
        Why::Eni(EniUse::LoadBalancer(_, Some(service)), _) => format!(
            "The load balancer of Service {service} stands here, with one address in each of its subnets."
        ),
        Why::Eni(EniUse::LoadBalancer(name, None), _) => {
            format!("The load balancer {name} stands here, with one address in each of its subnets.")
        }
        Why::Eni(EniUse::Endpoint(service), _) => format!(
            "An interface endpoint: inside the VPC the name of {service} answers this address, without a way to the internet."
        ),
        Why::Eni(EniUse::Account(said), _) if said.is_empty() => {
            "An ENI of the account that is on no node. It takes addresses all the same.".to_owned()
        }
        Why::Eni(EniUse::Account(said), _) => {
            format!("“{said}”, says EC2: on no node. It takes addresses all the same.")
        }
        Why::Eni(EniUse::Own, addresses) => {
            format!("This ENI holds {addresses} addresses of its subnet. The first is the ENI’s own.")
        }
        Why::Service(name, ip, ready, all) => format!(
            "The address {ip} of {name} lives only in the rules of every node. Behind it: {all} pods, {ready} ready."
        ),
        Why::Part(part) => super::parts::lead(part),
        Why::Door(0, 0) => "No pod waits.".to_owned(),
        Why::Door(pending, 0) => format!("Pods without a node: {pending}."),
        Why::Door(0, gated) => format!("Gated pods: {gated}. The scheduler does not look at them."),
        Why::Door(pending, gated) => format!("Waiting for a node: {pending}. Waiting at a gate: {gated}."),
        Why::Thing(kind, name) => thing(kind, name),
    }
}

/// What a part of the picture is for.
fn thing(kind: &str, name: &str) -> String {
    let text = match (kind, name) {
        ("ControlPlane", _) => {
            "The control plane: API server, etcd, scheduler, controllers. On EKS it stands in AWS's account."
        }
        ("InternetGateway", _) => "The door between VPC and internet. Only what has a public address passes.",
        ("NatGateway", _) => {
            "It lends its public address to connections out of private subnets. None come in through it."
        }
        ("Vpc", _) => "Your VPC. All addresses of its subnets come from this range.",
        ("Actor", _) => "A machine outside the cluster: one end of a path.",
        ("Internet", _) => "Outside the VPC.",
        ("Az", _) => "An availability zone. A subnet lies in one zone; zones fail one by one.",
        ("Network", "unknown") => "No subnets were given: in which network the nodes are is not known.",
        ("Network", _) => "Nodes of kind are containers, and share this network.",
        ("Socket", _) => "Room for one more ENI.",
        _ => name,
    };
    text.to_owned()
}

fn pod_lead(pod: &PodWhy) -> String {
    if let (PodState::Pending, Some(fargate)) = (pod.state, &pod.fargate) {
        return super::fargate::lead(fargate);
    }
    match pod.state {
        PodState::Gated => format!(
            "Gates left: {}. The scheduler has not looked yet; room was never the question.",
            pod.gates.len()
        ),
        PodState::Pending if pod.full.is_some() => {
            "It waits at the door because no seat is free. CPU is not the reason.".to_owned()
        }
        PodState::Pending if pod.raw.is_some() => "It waits at the door because no node fits.".to_owned(),
        PodState::Pending if pod.unseen => "It waits for the scheduler, which does not run.".to_owned(),
        PodState::Pending => "It waits for its turn with the scheduler.".to_owned(),
        PodState::Creating => match &pod.trouble {
            Some((reason, _)) => format!("It has a node but cannot start: {reason}."),
            None => "It has a node, and is getting its address and image.".to_owned(),
        },
        PodState::Running if pod.host_network => {
            "It uses its node’s own network and takes no slot.".to_owned()
        }
        PodState::Running => match (&pod.node, &pod.ip) {
            (Some(node), Some(ip)) => format!("It runs on {node} with the address {ip}."),
            _ => "It runs.".to_owned(),
        },
        PodState::NotReady => "It runs but is not ready, so no traffic comes.".to_owned(),
        PodState::Failed => match &pod.trouble {
            Some((reason, _)) => format!("A container cannot start: {reason}."),
            None => "It failed.".to_owned(),
        },
        PodState::Terminating => "It is being deleted, and then gives its seat back.".to_owned(),
        PodState::Completed => "It did what it had to do.".to_owned(),
    }
}

fn node_lead(node: &NodeWhy) -> String {
    let (pods, limit) = node.pods;
    match node {
        NodeWhy { made_for: Some(pod), ready: true, .. } => {
            format!("A micro-VM of Fargate for {pod} alone: no other pod comes, and it goes with its pod.")
        }
        _ if node.complaint.is_some() => {
            "The kubelet says that the node is not ready, so no new pods come.".to_owned()
        }
        _ if !node.ready => "Nothing is heard of this node, so no new pods come.".to_owned(),
        _ if node.cordoned => "It is cordoned: pods that are here stay, no new ones come.".to_owned(),
        _ if pods >= limit && limit > 0 => format!("It is full: {pods} of {limit} pods."),
        _ => format!("It takes {limit} pods and has {pods}."),
    }
}

/// The chain behind a thing.
#[must_use]
pub fn chain(why: &Why) -> Vec<Step> {
    let step = |mark, text: String| Step { mark, text };
    match why {
        Why::Pod(pod) => {
            let mut out = Vec::new();
            for gate in &pod.gates {
                out.push(step(Mark::Gate, format!("gate `{gate}`")));
            }
            if let Some((need, free)) = pod.cpu.filter(|(need, free)| need <= free) {
                out.push(step(Mark::Good, format!("CPU is fine: `{need}m ≤ {free}m`")));
            }
            if pod.state != PodState::Pending && pod.state != PodState::Gated {
                if let Some(placed) = pod.placed.as_ref().filter(|_| pod.fargate.is_none()) {
                    out.push(step(Mark::Good, super::scheduler::placed(placed)));
                }
                if let (Some((eni, device)), Some(ip)) = (&pod.card, &pod.ip) {
                    out.push(step(Mark::Good, format!("It got `{ip}`, held ready on `eth{device}` ({eni})")));
                }
            }
            let address = pod.ip.as_deref();
            out.extend(pod.fargate.iter().flat_map(|it| super::fargate::chain(it, address)));
            if let Some((reason, message)) = &pod.trouble {
                out.push(step(Mark::Bad, format!("**{reason}** {message}")));
            }
            out
        }
        Why::Node(node) => {
            let mut out = Vec::new();
            for switch in node.switches.iter().filter(|it| !it.running) {
                out.push(step(Mark::Bad, super::parts::on_node(&switch.name).to_owned()));
            }
            if let Some(complaint) = &node.complaint {
                out.push(step(Mark::Bad, format!("`{complaint}`")));
            }
            for taint in node.taints.iter().filter(|_| node.made_for.is_none()) {
                out.push(step(Mark::Wait, format!("taint `{taint}`: only pods that tolerate it come")));
            }
            out.extend(node.pool.iter().flat_map(super::address::chain));
            if node.unseen {
                out.push(step(
                    Mark::Wait,
                    "Its network interfaces were not given: what it holds of its subnet is not known"
                        .to_owned(),
                ));
            }
            out
        }
        Why::Subnet(subnet) => vec![
            step(Mark::Number, "AWS keeps the first four addresses of a subnet and the last".to_owned()),
            step(
                Mark::Number,
                match (subnet.whole(), subnet.blocks.len()) {
                    (0, 1) => "Its only block of 16 is not whole: no prefix fits".to_owned(),
                    (0, all) => format!("None of its {all} blocks of 16 is whole: no prefix fits"),
                    (whole, all) => {
                        format!("{whole} of its {all} blocks of 16 are whole: each could become a prefix")
                    }
                },
            ),
        ]
        .into_iter()
        .chain(subnet.ipv6_cidr.map(|cidr| {
            step(
                Mark::Good,
                format!("IPv6 block `{cidr}`: each node gets a prefix /80 of it, and it does not run out"),
            )
        }))
        .collect(),
        Why::Part(part) => super::parts::chain(part),
        Why::Eni(..) | Why::Service(..) | Why::Door(..) | Why::Thing(..) => Vec::new(),
    }
}

/// How many pods do what, for readers.
#[must_use]
pub fn census(census: Census) -> String {
    let mut parts = vec![format!("{} pods running", census.running)];
    let rest = [(census.pending, "pending"), (census.gated, "gated"), (census.failed, "failed")];
    parts
        .extend(rest.iter().filter(|(count, _)| *count > 0).map(|(count, state)| format!("{count} {state}")));
    parts.join(", ")
}

/// One line of the outline.
#[must_use]
pub fn entry(entry: &Entry) -> String {
    match entry {
        Entry::ControlPlane(name) => format!("Control plane {name}"),
        Entry::Running(name, running) => super::parts::entry(name, *running),
        Entry::Door(pending, gated) => format!("At the door, {pending} pending, {gated} gated"),
        Entry::Network(kind, cidr) => {
            format!("{} {cidr}", super::ui::UI.network(*kind)).trim_end().to_owned()
        }
        Entry::Zone(name) => format!("Availability zone {name}"),
        Entry::Subnet(public, cidr, free, total, fragmented) => {
            format!(
                "{} subnet {cidr}, {free} of {total} addresses free{}",
                if *public { "Public" } else { "Private" },
                if *fragmented { ", no block of 16 whole for a prefix" } else { "" }
            )
        }
        Entry::Node(name, about, state, pods, limit, warm) => {
            let state = match state {
                NodeState::Ready => "Ready",
                NodeState::Cordoned => "cordoned",
                NodeState::NotReady => "NotReady",
            };
            format!("Node {name}, {about}, {state}, {pods} of {limit} pods, {warm} warm IPs")
        }
        Entry::Eni(device, id, used, seats) => format!("ENI {device} {id}, {used} of {seats} seats taken"),
        Entry::Slot(slot, address) => match slot {
            SlotState::Primary => format!("The ENI’s own address {address}"),
            SlotState::Used => format!("In use {address}"),
            SlotState::Warm => format!("Warm {address}"),
            SlotState::Cooldown { left, .. } => format!("Resting {left} s {address}"),
            SlotState::Empty => "Empty".to_owned(),
            SlotState::Stale => format!("Held, but not of the CNI’s mode {address}"),
            SlotState::Prefix(all) => format!("Prefix {address}, {} of 16 in use", all.used.count_ones()),
        },
        Entry::Pod(name, pod, address) => format!("Pod {name}, {}{}", state(*pod), after(address)),
        Entry::HostPod(name, pod) => format!("Pod {name}, {}, host network", state(*pod)),
        Entry::Part(name, address) => format!("{name} {address}"),
        Entry::Service(name, address, pods) => format!("Service {name} {address}, {pods} pods"),
    }
}

fn after(address: &str) -> String {
    if address.is_empty() { String::new() } else { format!(", {address}") }
}

/// One to three words for a beat.
#[must_use]
pub fn beat(kind: BeatKind) -> &'static str {
    match kind {
        BeatKind::Request => "request",
        BeatKind::Authentication => "who is it",
        BeatKind::Authorization => "may they",
        BeatKind::Admission => "admission",
        BeatKind::Storage => "stored",
        BeatKind::Door => "at the door",
        BeatKind::Schedule => "scheduler",
        BeatKind::Bind => "bound",
        BeatKind::Kubelet => "kubelet",
        BeatKind::Address => "IP address",
        BeatKind::Running => "Running",
        BeatKind::Misfit => "no node fits",
        BeatKind::Attach => "ENI attaching",
        BeatKind::Gone => "gone",
        BeatKind::Rules => "rules",
        BeatKind::Refused => "refused",
    }
}

/// The name of a fact.
#[must_use]
pub fn label(label: Label) -> &'static str {
    match label {
        Label::Namespace => "Namespace",
        Label::Node => "Node",
        Label::Address => "Address",
        Label::Status => "Status",
        Label::Restarts => "Restarts",
        Label::Image => "Image",
        Label::Cpu => "CPU",
        Label::Memory => "Memory",
        Label::Owner => "Owner",
        Label::Gates => "Gates",
        Label::InstanceType => "Instance type",
        Label::Price => "List price, us-east-1",
        Label::Zone => "Zone",
        Label::Pods => "Max pods",
        Label::Version => "Version",
        Label::Taints => "Taints",
        Label::Cidr => "CIDR",
        Label::Ipv6 => "IPv6",
        Label::Free => "Free",
        Label::Subnet => "Subnet",
        Label::Attachment => "Attachment",
        Label::Created => "Created",
    }
}

/// What a bar waits for.
#[must_use]
pub fn wait(wait: &Wait, secs: u64) -> String {
    match wait {
        Wait::Attach(device) => format!("attach eth{device} {secs} s"),
        Wait::Boot => format!("boot {secs} s"),
    }
}
