//! What the scheduler decides, in English: every reason of every plugin, what formulas are about, what a pod waits for.

use scheduler::{
    ClusterEvent, EventAction, EventResource, Reason, Sampled,
    decision::{Criterion, Outcome},
    formula::{About, amounts},
};

use crate::view::attempts::{Placed, Woken};

/// What a plugin asks.
#[must_use]
pub fn question(plugin: &str) -> &'static str {
    match plugin {
        "SchedulingGates" => "is a gate left",
        "NodeUnschedulable" => "is it cordoned",
        "NodeName" => "is it the named node",
        "TaintToleration" => "are the taints tolerated",
        "NodeAffinity" => "has it the wanted labels",
        "NodePorts" => "are the host ports free",
        "NodeResourcesFit" => "are there seats and resources",
        "VolumeRestrictions" => "is the claim free",
        "NodeVolumeLimits" => "can it attach one more volume",
        "VolumeBinding" => "can the volumes be used here",
        "VolumeZone" => "is it the volume’s zone",
        "PodTopologySpread" => "is it spread evenly",
        "InterPodAffinity" => "near and far from other pods",
        "NodeResourcesBalancedAllocation" => "are CPU and memory in balance",
        "ImageLocality" => "is the image there",
        _ => "",
    }
}

/// A reason in the few words that fit a cell.
#[must_use]
pub fn short(reason: &Reason) -> String {
    match reason {
        Reason::Gated { gates } => format!("gate {}", gates.join(", ")),
        Reason::Cordoned {} => "cordoned".to_owned(),
        Reason::OtherNode { wanted } => format!("wants {wanted}"),
        Reason::Untolerated { key, value, .. } => format!("taint {}", pair(key, value)),
        Reason::NotChosen { broken, .. } => format!("not {}", first(broken)),
        Reason::Conflicting {} => "terms conflict".to_owned(),
        Reason::NothingLeft { .. } => "no node left".to_owned(),
        Reason::PortTaken { ports } => format!("port taken: {}", ports.join(", ")),
        Reason::TooManyPods { pods, limit } => format!("pods {pods}/{limit}"),
        Reason::Insufficient { resource, wanted, used, allocatable } => {
            let [wanted, free] = amounts(resource, [*wanted, (allocatable - used).max(0)]);
            format!("{resource} {wanted} > {free} free")
        }
        Reason::ClaimInUse { claims } => format!("claim in use: {}", claims.join(", ")),
        Reason::DiskTaken { disks } => format!("disk taken: {}", disks.join(", ")),
        Reason::TooManyVolumes { attached, limit, .. } => format!("volumes {attached}/{limit}"),
        Reason::ClaimMissing { claim } => format!("no claim {claim}"),
        Reason::ClaimToBeMade { claim } => format!("claim {claim} not made yet"),
        Reason::ClaimLost { claim, .. } => format!("claim {claim} lost its volume"),
        Reason::ClaimDeleted { claim } => format!("claim {claim} is being deleted"),
        Reason::ClaimOfAnother { claim, .. } => format!("claim {claim} is not its own"),
        Reason::Unbound {} => "claim not bound".to_owned(),
        Reason::VolumeElsewhere { volume, .. } => format!("volume {volume} is elsewhere"),
        Reason::NoVolume { .. } => "no volume to bind".to_owned(),
        Reason::VolumeGone { volume, .. } => format!("volume {volume} is gone"),
        Reason::OtherZone { volume, .. } => format!("volume in {}", volume.join(", ")),
        Reason::ClaimWithoutClass { claim } => format!("claim {claim}: no class"),
        Reason::ClassMissing { class } => format!("no class {class}"),
        Reason::VolumeUnnamed { claim } => format!("claim {claim}: no volume"),
        Reason::VolumeMissing { volume } => format!("no volume {volume}"),
        Reason::NoDomain { key } => format!("no label {key}"),
        Reason::Skewed { domain, pods, own, least, .. } => {
            format!("{domain}: skew {}", pods + own - least)
        }
        Reason::NotNear { .. } => "nobody to be near to".to_owned(),
        Reason::NotFar { pods, .. } => format!("{pods} to stay away from"),
        Reason::OthersKeepAway { pods, .. } => format!("{pods} keep it away"),
        Reason::NeverPreempts {} => "may not evict".to_owned(),
        Reason::MakingRoom { .. } => "room is being made".to_owned(),
        Reason::NotHelpful { nodes } => format!("evicting does not help: {nodes}"),
        Reason::NoVictims { nodes } => format!("nobody less important: {nodes}"),
        Reason::StillNoRoom { nodes, .. } => format!("still no room: {nodes}"),
    }
}

/// A reason with its numbers, and what would change it.
#[must_use]
pub fn sentence(reason: &Reason) -> String {
    match reason {
        Reason::Gated { gates } => format!(
            "`schedulingGates` still holds `{}`. The scheduler does not look at the pod until whoever put it there removes it.",
            gates.join("`, `")
        ),
        Reason::Cordoned {} => {
            "The node is cordoned: pods that are there stay, no new ones come. `kubectl uncordon` opens it again.".to_owned()
        }
        Reason::OtherNode { wanted } => {
            format!("The pod’s `nodeName` is `{wanted}`, and this is another node.")
        }
        Reason::Untolerated { key, value, effect, .. } => format!(
            "The node has the taint `{}:{effect}` and the pod has no toleration for it. Either the pod tolerates it or the taint goes.",
            pair(key, value)
        ),
        Reason::NotChosen { broken, labels } => {
            let has = if labels.is_empty() {
                "The node has none of these labels.".to_owned()
            } else {
                format!("The node has `{}`.", labels.join("`, `"))
            };
            format!("The pod demands {}, which does not hold here. {has}", terms(broken, " or "))
        }
        Reason::Conflicting {} => {
            "The pod’s terms name nodes by name, and no node is named by all requirements of a term. No node can do.".to_owned()
        }
        Reason::NothingLeft { plugins } => format!(
            "`{}` leaves only nodes that are not there. No other node was looked at.",
            plugins.join("` and `")
        ),
        Reason::PortTaken { ports } => format!(
            "`{}` of the node is taken by a pod that is there. A host port serves one pod on each node.",
            ports.join("`, `")
        ),
        Reason::TooManyPods { pods, limit } => format!(
            "The node holds {pods} of {limit} pods. `maxPods` (on EKS from the addresses of its ENIs) is full, whatever CPU is left."
        ),
        Reason::Insufficient { resource, wanted, used, allocatable } => {
            let [wanted_text, used_text, all] = amounts(resource, [*wanted, *used, *allocatable]);
            let hope = if wanted > allocatable {
                "The request is larger than the whole node: evicting cannot help."
            } else {
                "Requests count, not what is really used."
            };
            format!(
                "The pod asks for {wanted_text} of {resource}; pods here already ask for {used_text} of {all}. {hope}"
            )
        }
        Reason::ClaimInUse { claims } => format!(
            "`{}` may be used by one pod only (ReadWriteOncePod), and another one uses it.",
            claims.join("`, `")
        ),
        Reason::DiskTaken { disks } => {
            format!("A pod on this node has `{}`, which cannot be attached twice.", disks.join("`, `"))
        }
        Reason::TooManyVolumes { driver, attached, new, limit } => format!(
            "`{driver}` can attach {limit} volumes to this node: {attached} are, the pod would add {new}."
        ),
        Reason::ClaimMissing { claim } => {
            format!("The pod uses the PersistentVolumeClaim `{claim}`, and there is none of this name.")
        }
        Reason::ClaimToBeMade { claim } => {
            format!("The claim `{claim}` is made from the pod itself, and is not there yet.")
        }
        Reason::ClaimLost { claim, volume } => {
            format!("The claim `{claim}` was bound to `{volume}`, and that volume is gone.")
        }
        Reason::ClaimDeleted { claim } => format!("The claim `{claim}` is being deleted."),
        Reason::ClaimOfAnother { claim, pod } => format!(
            "A claim `{claim}` is there, but was not made for `{pod}`: somebody else owns it."
        ),
        Reason::Unbound {} => {
            "A claim of a class that binds at once has no volume yet. The scheduler waits until it is bound.".to_owned()
        }
        Reason::VolumeElsewhere { claim, volume, .. } => format!(
            "`{volume}`, the volume of `{claim}`, cannot be used on this node: its node affinity names others. An EBS volume stays in its zone."
        ),
        Reason::NoVolume { claims } => format!(
            "For `{}` no volume that fits is free here, and its class can make none on this node.",
            claims.join("`, `")
        ),
        Reason::VolumeGone { claim, volume } => {
            format!("The claim `{claim}` is bound to `{volume}`, which does not exist.")
        }
        Reason::OtherZone { label, volume, node } => format!(
            "The volume’s `{label}` is `{}`, the node’s is `{}`.",
            volume.join("`, `"),
            if node.is_empty() { "–" } else { node }
        ),
        Reason::ClaimWithoutClass { claim } => {
            format!("The claim `{claim}` has neither a volume nor a storage class, so nobody will make one.")
        }
        Reason::ClassMissing { class } => format!("There is no StorageClass `{class}`."),
        Reason::VolumeUnnamed { claim } => {
            format!("The claim `{claim}` has no volume yet, though its class binds at once.")
        }
        Reason::VolumeMissing { volume } => format!("There is no PersistentVolume `{volume}`."),
        Reason::NoDomain { key } => format!(
            "The node has no label `{key}`, so it is in no domain and the constraint cannot be kept here."
        ),
        Reason::Skewed { key, domain, pods, own, least, max_skew, domains, min_domains } => {
            let few = if domains < min_domains {
                format!(" There are {domains} domains and `minDomains` is {min_domains}, so the emptiest counts as 0.")
            } else {
                String::new()
            };
            format!(
                "`{key}={domain}` has {pods} matching pods and would have {}; the emptiest domain has {least}. The difference may be {max_skew} at most.{few}",
                pods + own
            )
        }
        Reason::NotNear { places } => format!(
            "The pod must be near pods that its affinity names, and none is in `{}`.",
            places.join("`, `")
        ),
        Reason::NotFar { place, pods } => format!(
            "The pod’s anti-affinity keeps it away from {pods} pods in `{place}`."
        ),
        Reason::OthersKeepAway { place, pods } => format!(
            "{pods} pods in `{place}` have an anti-affinity that means this pod. It holds in both directions."
        ),
        Reason::NeverPreempts {} => {
            "The pod’s `preemptionPolicy` is `Never`: it waits for room and evicts nobody.".to_owned()
        }
        Reason::MakingRoom { node } => {
            format!("Pods on `{node}` are going to make room for this pod. Until they are gone nobody else is evicted.")
        }
        Reason::NotHelpful { nodes } => {
            format!("On {nodes} nodes evicting would change nothing: their reasons are not about room.")
        }
        Reason::NoVictims { nodes } => {
            format!("On {nodes} nodes no pod is less important than this one, so nobody may be evicted for it.")
        }
        Reason::StillNoRoom { nodes, words } => {
            format!("On {nodes} nodes it would not fit even without all less important pods: `{words}`.")
        }
    }
}

/// What one line of a formula is about.
#[must_use]
pub fn about(about: &About) -> String {
    match about {
        About::Resource(resource) => (*resource).to_owned(),
        About::Mean => "mean".to_owned(),
        About::Distance => "distance of the two shares".to_owned(),
        About::Image(image) => image.clone(),
        About::NoImage => "has none of the images".to_owned(),
        About::Images => "between 23 MiB and 1000 MiB per container".to_owned(),
        About::Taints => "soft taints not tolerated".to_owned(),
        About::Terms => "weights of the terms that hold".to_owned(),
        About::Domain(key) => format!("{key}: matching pods × weight of the domains"),
        About::Domains => "all domains".to_owned(),
        About::Unspread => "lacks a label of the constraints".to_owned(),
        About::Place(place) => place.clone(),
        About::Places => "all places".to_owned(),
        About::Compared => "compared with the other nodes".to_owned(),
        About::Incomparable => "no difference between nodes".to_owned(),
        About::Weighted => "× weight".to_owned(),
    }
}

/// How a score is meant, in one sentence.
#[must_use]
pub fn meaning(plugin: &str) -> &'static str {
    match plugin {
        "NodeResourcesFit" => {
            "The emptier by requests, the higher. This pod is counted in; a container that asks for nothing counts as 100m and 200Mi."
        }
        "NodeResourcesBalancedAllocation" => "The nearer the shares of CPU and memory, the higher.",
        "ImageLocality" => {
            "The more of the image is there already, the higher; an image on many nodes counts for more."
        }
        "TaintToleration" => "The fewer PreferNoSchedule taints it does not tolerate, the higher.",
        "NodeAffinity" => "The more weight of preferred terms holds, the higher.",
        "PodTopologySpread" => "The fewer matching pods in its domains, the higher.",
        "InterPodAffinity" => "The more weight of affinity, and the less of anti-affinity, the higher.",
        _ => "",
    }
}

/// What preemption compared when it chose.
#[must_use]
pub fn criterion(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::Budgets => "fewest victims that a PodDisruptionBudget protects",
        Criterion::HighestPriority => "its most important victim has the lowest priority",
        Criterion::Priorities => "smallest sum of the victims’ priorities",
        Criterion::Victims => "fewest victims",
        Criterion::Started => "its most important victims started last",
    }
}

/// What would have the pod tried again.
#[must_use]
pub fn event(event: ClusterEvent) -> String {
    let what = match event.resource {
        EventResource::Node => "a node",
        EventResource::AssignedPod => "a pod on a node",
        EventResource::UnscheduledPod => "this pod",
        EventResource::PersistentVolumeClaim => "a PersistentVolumeClaim",
        EventResource::PersistentVolume => "a PersistentVolume",
        EventResource::StorageClass => "a StorageClass",
        EventResource::CSINode => "a CSINode",
    };
    let how = match event.action {
        EventAction::Add => "comes",
        EventAction::Delete => "goes",
        EventAction::Update => "changes",
        EventAction::UpdateNodeAllocatable => "can give out more or less",
        EventAction::UpdateNodeLabel | EventAction::UpdatePodLabel => "changes its labels",
        EventAction::UpdateNodeTaint => "changes its taints",
        EventAction::UpdatePodScaleDown => "asks for less",
        EventAction::UpdatePodToleration => "changes its tolerations",
        EventAction::UpdatePodSchedulingGatesEliminated => "loses its last gate",
    };
    format!("{what} {how}")
}

/// How an attempt ended.
#[must_use]
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Scheduled => "found a node",
        Outcome::Unschedulable => "found none",
        Outcome::Gated => "not tried: gated",
        Outcome::Error => "could not go on",
    }
}

/// What had a pod tried.
#[must_use]
pub fn woken(woken: &Woken) -> String {
    match woken {
        Woken::New => "the pod is new".to_owned(),
        Woken::Changed(kind, name) => format!("{kind} {name} changed"),
        Woken::Came(kind, name) => format!("{kind} {name} came"),
        Woken::Went(kind, name) => format!("{kind} {name} went"),
        Woken::Time => "five minutes had passed".to_owned(),
        Woken::Rested => "its rest was over".to_owned(),
    }
}

/// How a pod came to its node.
#[must_use]
pub fn placed(placed: &Placed) -> String {
    match placed {
        Placed::Scheduler(node) => format!("The scheduler picked `{node}`"),
        Placed::OnlyNode(node) => format!(
            "Its DaemonSet made it for `{node}` (node affinity by name); the scheduler had this one node to check"
        ),
        Placed::ByName(node) => {
            format!(
                "Its manifest says `nodeName: {node}`: the scheduler never looked, nor checked whether there is room"
            )
        }
        Placed::Static(node) => {
            format!(
                "The kubelet of `{node}` runs it from a file; what the API shows is a mirror, and nobody scheduled it"
            )
        }
        Placed::Before(node) => format!("It was on `{node}` when this world began: no decision is recorded"),
    }
}

/// What equal totals came to.
#[must_use]
pub fn tie(ties: &[String], node: &str) -> String {
    format!(
        "{} nodes share the best total: `{}`. kube-scheduler takes one of them at random; here the seed’s draw took `{node}`.",
        ties.len(),
        listed(ties)
    )
}

/// PreFilter left only some nodes.
#[must_use]
pub fn narrowed(names: &[String]) -> String {
    format!("The pod names its nodes, so only these were looked at: `{}`.", listed(names))
}

/// Enough nodes had passed, so that others were not looked at.
#[must_use]
pub fn sampled(sampled: Sampled) -> String {
    let Sampled { looked_at, of, enough, .. } = sampled;
    let rest = of - looked_at.min(of);
    format!(
        "{enough} nodes that pass are enough in a cluster of {of} (`percentageOfNodesToScore`), and they were found among the first {looked_at}. The other {rest} were not looked at; the next pod begins with them."
    )
}

/// Only the promised node was looked at.
#[must_use]
pub fn nominated_only(node: &str) -> String {
    format!("Preemption had promised it `{node}`. The node passes now, so no other was looked at.")
}

/// The pod was refused before any node was looked at.
#[must_use]
pub fn before_nodes(plugin: &str) -> String {
    format!("`{plugin}` refused the pod before any node was looked at, so there are no columns.")
}

/// What decided between the chosen node and the next.
#[must_use]
pub fn decided(plugin: &str, lead: i64, gap: i64) -> String {
    format!("`{plugin}` decided it: +{lead} over the next node, of {gap} in all.")
}

/// Whom preemption evicts.
#[must_use]
pub fn evicts(node: &str, victims: &[String]) -> String {
    format!(
        "`{node}` is promised to the pod (`nominatedNodeName`). To be evicted there: `{}`.",
        victims.join("`, `")
    )
}

/// Why this candidate.
#[must_use]
pub fn chosen_by(by: Option<Criterion>, candidates: usize, ties: usize) -> String {
    match by {
        Some(by) => format!("Of {candidates} candidates this one: {}.", criterion(by)),
        None if ties > 1 => format!("{ties} candidates are equal by every criterion; any may be taken."),
        None => "It is the only candidate.".to_owned(),
    }
}

fn listed(names: &[String]) -> String {
    const MOST: usize = 6;
    let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>().join("`, `");
    if names.len() > MOST { format!("{shown}`, … `+{}", names.len() - MOST) } else { shown }
}

fn pair(key: &str, value: &str) -> String {
    if value.is_empty() { key.to_owned() } else { format!("{key}={value}") }
}

fn first(broken: &[Vec<String>]) -> &str {
    broken.first().and_then(|it| it.first()).map_or("", String::as_str)
}

fn terms(broken: &[Vec<String>], or: &str) -> String {
    let term = |it: &Vec<String>| format!("`{}`", it.join("` `"));
    broken.iter().map(term).collect::<Vec<_>>().join(or)
}
