//! Which edits would answer a plugin's refusal?
//!
//! Every reason names a handful of edits, at the pod or at that node. Nothing is promised: another plugin may
//! refuse next. A refusal that no person's edit answers (a node that is not ready, a volume in another zone) has none.
//! Pods with an owner are never named for deletion: their owner would make them again.

use std::collections::BTreeSet;

use api::k8s::core::v1::{Container, NodeSelectorTerm, Pod, PodSpec};
use api::quantity::{Format, Quantity};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use super::{Edit, Side, edit};
use crate::plugin::Cycle;
use crate::pod_affinity::AffinityTerm;
use crate::reason::Reason;
use crate::table::{HOSTNAME, NodeRef, Row};
use crate::{PodInfo, taint};

/// Most labels of nodes that are offered for one key.
const MOST_VALUES: usize = 2;

/// A refusal and what it was said of.
pub(super) struct Refused<'a> {
    /// The pod as it is, before any edit.
    pub pod: &'a Pod,
    /// Edits that are made already.
    pub edits: &'a [Edit],
    /// The cluster and the pod with these edits.
    pub cycle: &'a Cycle<'a>,
    /// The node.
    pub node: NodeRef,
    /// Whether it is the fresh one, which nobody has changed yet.
    pub fresh: bool,
    /// Why it was refused.
    pub reason: &'a Reason,
}

impl Refused<'_> {
    /// Edits that would answer it, none of which is made already.
    pub(super) fn answers(&self) -> Vec<Edit> {
        let mut edits = match self.reason {
            Reason::Gated { .. } => self.gates(),
            Reason::Cordoned {} => vec![Edit::Uncordon { node: self.name() }, self.add_node()],
            Reason::Untolerated { key, value, effect, .. } => self.taint(key, value, effect),
            Reason::NotChosen { .. } => self.node_affinity(),
            Reason::Conflicting {} | Reason::NothingLeft { .. } => vec![Edit::DropNodeAffinity],
            Reason::PortTaken { .. } => self.ports(),
            Reason::TooManyPods { pods, .. } => self.too_many(*pods),
            Reason::Insufficient { resource, wanted, used, allocatable } => {
                self.insufficient(resource, *wanted, *used, *allocatable)
            }
            Reason::ClaimInUse { claims } => self.users(claims),
            Reason::DiskTaken { .. } | Reason::TooManyVolumes { .. } => vec![self.add_node()],
            Reason::NoDomain { key } => self.spread(key).into_iter().chain(self.domains(key)).collect(),
            Reason::Skewed { key, .. } => self.spread(key).into_iter().chain([self.add_node()]).collect(),
            Reason::NotNear { .. } => self.near(),
            Reason::NotFar { .. } => self.far().into_iter().chain(self.apart()).collect(),
            Reason::OthersKeepAway { .. } => self.apart(),
            // Volumes are where they are, and what is missing has to be made by whoever knows what belongs there.
            Reason::ClaimMissing { .. }
            | Reason::ClaimToBeMade { .. }
            | Reason::ClaimLost { .. }
            | Reason::ClaimDeleted { .. }
            | Reason::ClaimOfAnother { .. }
            | Reason::Unbound {}
            | Reason::VolumeElsewhere { .. }
            | Reason::NoVolume { .. }
            | Reason::VolumeGone { .. }
            | Reason::OtherZone { .. }
            | Reason::ClaimWithoutClass { .. }
            | Reason::ClassMissing { .. }
            | Reason::VolumeUnnamed { .. }
            | Reason::VolumeMissing { .. } => Vec::new(),
            // Who names its node does not ask the scheduler.
            Reason::OtherNode { .. } => Vec::new(),
            // Said of preemption, which comes after.
            Reason::NeverPreempts {}
            | Reason::MakingRoom { .. }
            | Reason::NotHelpful { .. }
            | Reason::NoVictims { .. }
            | Reason::StillNoRoom { .. } => Vec::new(),
        };
        edits.retain(|it| !self.edits.contains(it) && (!self.fresh || it.side() == Side::Pod));
        edits
    }

    fn row(&self) -> &Row {
        self.cycle.table.row(self.node)
    }

    fn name(&self) -> String {
        self.row().name.to_string()
    }

    fn spec(&self) -> Option<&PodSpec> {
        self.pod.spec.as_ref()
    }

    fn add_node(&self) -> Edit {
        Edit::AddNode { like: self.name() }
    }

    /// Pods of the node that would not come back.
    fn bare(&self) -> impl Iterator<Item = &PodInfo> {
        let pods = self.row().pods.iter().map(|it| &**it);
        pods.filter(|it| it.template.controller.is_none() && !it.terminating)
    }

    fn gates(&self) -> Vec<Edit> {
        let gates = self.spec().into_iter().flat_map(|it| it.scheduling_gates.iter().flatten());
        gates.map(|it| Edit::LiftGate { gate: it.name.clone() }).collect()
    }

    fn taint(&self, key: &str, value: &str, effect: &str) -> Vec<Edit> {
        if key == taint::Taint::unschedulable().key {
            return vec![Edit::Uncordon { node: self.name() }];
        }
        if edit::is_given(key) {
            return Vec::new();
        }
        let (key, effect) = (key.to_owned(), effect.to_owned());
        vec![
            Edit::Tolerate { key: key.clone(), value: value.to_owned(), effect: effect.clone() },
            Edit::RemoveTaint { node: self.name(), key, effect },
        ]
    }

    fn node_affinity(&self) -> Vec<Edit> {
        let labels = &self.row().labels;
        let mut edits = Vec::new();
        let Some(spec) = self.spec() else { return edits };
        let dropped = |key: &str| self.edits.contains(&Edit::DropNodeSelector { key: key.to_owned() });
        let selector = spec.node_selector.iter().flatten();
        let mut unmet = selector.filter(|(key, value)| labels.get(*key) != Some(*value) && !dropped(key));
        if let Some((key, value)) = unmet.next() {
            edits.push(Edit::DropNodeSelector { key: key.clone() });
            if edit::is_ours(key) {
                edits.push(Edit::Label { node: self.name(), key: key.clone(), value: value.clone() });
            }
            return edits;
        }
        let affinity = spec.affinity.as_ref().and_then(|it| it.node_affinity.as_ref());
        let required =
            affinity.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
        if let Some(required) = required {
            edits.push(Edit::DropNodeAffinity);
            edits.extend(required.node_selector_terms.iter().filter_map(|term| self.label_for(term)));
        }
        edits
    }

    /// The first label that an alternative misses, if it is one that a person may set.
    fn label_for(&self, term: &NodeSelectorTerm) -> Option<Edit> {
        let labels = &self.row().labels;
        if term.match_fields.as_ref().is_some_and(|it| !it.is_empty()) {
            return None;
        }
        let of = |it: &api::k8s::core::v1::NodeSelectorRequirement| {
            let has = labels.get(&it.key);
            let values = it.values.as_deref().unwrap_or_default();
            let listed = has.is_some_and(|value| values.contains(value));
            let (node, key) = (self.name(), it.key.clone());
            match it.operator.as_str() {
                "In" if !listed => Some(Edit::Label { node, key, value: values.first()?.clone() }),
                "Exists" if has.is_none() => Some(Edit::Label { node, key, value: String::new() }),
                "NotIn" if listed => Some(Edit::Unlabel { node, key }),
                "DoesNotExist" if has.is_some() => Some(Edit::Unlabel { node, key }),
                _ => None,
            }
        };
        let missing = term.match_expressions.iter().flatten().find_map(of)?;
        match &missing {
            Edit::Label { key, .. } | Edit::Unlabel { key, .. } if edit::is_ours(key) => Some(missing),
            _ => None,
        }
    }

    fn ports(&self) -> Vec<Edit> {
        let taken = &self.row().ports;
        let wanted = &self.cycle.pod.template.host_ports;
        let Some(port) = wanted.iter().find(|port| taken.iter().any(|it| it.conflicts(port))) else {
            return Vec::new();
        };
        let mut edits =
            vec![Edit::DropHostPort { port: port.port, protocol: port.protocol.clone() }, self.add_node()];
        let blocks = |it: &&PodInfo| it.template.host_ports.iter().any(|own| own.conflicts(port));
        edits.extend(self.bare().find(blocks).map(delete));
        edits
    }

    fn too_many(&self, pods: i64) -> Vec<Edit> {
        let raised = Edit::RaiseMaxPods { node: self.name(), pods: pods.saturating_add(1) };
        let least = self.bare().min_by_key(|it| (it.priority(), &it.key)).map(delete);
        [self.add_node(), raised].into_iter().chain(least).collect()
    }

    fn insufficient(&self, resource: &str, wanted: i64, used: i64, allocatable: i64) -> Vec<Edit> {
        let free = allocatable.saturating_sub(used);
        let lacking = wanted.saturating_sub(free);
        let enough = self.bare().filter(|it| amount_of(it, resource) >= lacking && wanted <= allocatable);
        let least = enough.min_by_key(|it| (it.priority(), amount_of(it, resource), &it.key)).map(delete);
        self.lower(resource, free).into_iter().chain([self.add_node()]).chain(least).collect()
    }

    /// The pods that use a claim for one pod.
    fn users(&self, claims: &[String]) -> Vec<Edit> {
        let own = &self.cycle.pod.key.namespace;
        let uses =
            |it: &PodInfo| it.key.namespace == *own && it.claims().any(|(name, _)| claims.contains(&name));
        let users = self.cycle.table.pods().map(|(pod, _)| &**pod).filter(|it| uses(it));
        users.filter(|it| it.template.controller.is_none() && !it.terminating).map(delete).collect()
    }

    /// The request that has to become smaller, and the most it may be then.
    fn lower(&self, resource: &str, free: i64) -> Option<Edit> {
        let pod = edit::edited_pod(self.pod, self.edits);
        let spec = pod.spec.as_ref()?;
        let excess = amount_of(&PodInfo::new(&pod), resource).saturating_sub(free);
        let of = |list: Option<&std::collections::BTreeMap<String, Written>>| {
            let quantity = Quantity::parse(&list?.get(resource)?.0).ok()?;
            Some(if resource == "cpu" { quantity.milli_value() } else { quantity.value() })
        };
        let whole = of(spec.resources.as_ref().and_then(|it| it.requests.as_ref()));
        let (container, asked) = match whole {
            Some(asked) => (String::new(), asked),
            None => {
                let own = |it: &Container| {
                    let asked = of(it.resources.as_ref().and_then(|it| it.requests.as_ref()));
                    (asked.unwrap_or(0), it.name.clone())
                };
                let sum: i64 = spec.containers.iter().map(|it| own(it).0).sum();
                // Init containers run one by one: it is the largest that counts, if it is more than all the others together.
                let first = spec.init_containers.iter().flatten().map(own).max_by_key(|it| it.0);
                let first = first.filter(|(asked, _)| *asked > sum);
                let (asked, name) =
                    first.or_else(|| spec.containers.iter().map(own).max_by_key(|it| it.0))?;
                (name, asked)
            }
        };
        let same = |it: &Edit| matches!(it, Edit::Request { container: c, resource: r, .. } if *c == container && r == resource);
        if self.edits.iter().any(same) {
            return None;
        }
        let amount = amount(resource, asked.saturating_sub(excess))?;
        Some(Edit::Request { container, resource: resource.to_owned(), amount })
    }

    /// The hard constraints over a label.
    fn spread(&self, key: &str) -> Vec<Edit> {
        let all = self.spec().into_iter().flat_map(|it| it.topology_spread_constraints.iter().flatten());
        let hard = |it: &api::k8s::core::v1::TopologySpreadConstraint| {
            it.when_unsatisfiable != "ScheduleAnyway" && it.topology_key == key
        };
        let hard = (0..).zip(all).filter(|(_, it)| hard(it));
        hard.map(|(at, it)| Edit::DropSpread { at, topology_key: it.topology_key.clone() }).collect()
    }

    /// Labels that would put the node into a domain that there is.
    fn domains(&self, key: &str) -> Vec<Edit> {
        if !edit::is_ours(key) {
            return Vec::new();
        }
        let rows = self.cycle.table.nodes().map(|it| self.cycle.table.row(it));
        let values: BTreeSet<&String> = rows.filter_map(|it| it.labels.get(key)).collect();
        let label =
            |value: &String| Edit::Label { node: self.name(), key: key.to_owned(), value: value.clone() };
        values.into_iter().take(MOST_VALUES).map(label).collect()
    }

    fn near(&self) -> Vec<Edit> {
        let near = self.spec().and_then(|it| it.affinity.as_ref()?.pod_affinity.as_ref());
        let near = near.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
        let near = (0..).zip(near.into_iter().flatten());
        near.map(|(at, it)| Edit::DropPodAffinity { at, topology_key: it.topology_key.clone() }).collect()
    }

    fn far(&self) -> Vec<Edit> {
        let far = self.spec().and_then(|it| it.affinity.as_ref()?.pod_anti_affinity.as_ref());
        let far = far.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
        let far = (0..).zip(far.into_iter().flatten());
        far.map(|(at, it)| Edit::DropPodAntiAffinity { at, topology_key: it.topology_key.clone() }).collect()
    }

    /// How two pods that repel each other come apart.
    ///
    /// MODEL: whom to delete is only said where the two may not share a node; a whole zone would have to be emptied.
    fn apart(&self) -> Vec<Edit> {
        let mine = &self.cycle.pod.template.affinity.required_anti;
        let of = |namespace: &str| self.cycle.table.namespace(namespace).cloned().unwrap_or_default();
        let host = |term: &&AffinityTerm| term.topology_key == HOSTNAME;
        let own = of(&self.cycle.pod.key.namespace);
        let repelled = |it: &&PodInfo| {
            mine.iter().filter(host).any(|term| term.matches(it, &of(&it.key.namespace)))
                || it
                    .template
                    .affinity
                    .required_anti
                    .iter()
                    .filter(host)
                    .any(|term| term.matches(self.cycle.pod, &own))
        };
        let other = self.bare().find(repelled).map(delete);
        [self.add_node()].into_iter().chain(other).collect()
    }
}

fn delete(pod: &PodInfo) -> Edit {
    Edit::DeletePod { namespace: pod.key.namespace.clone(), name: pod.key.name.clone() }
}

/// What a pod asks for of a resource: milli-CPU, or units.
pub(super) fn amount_of(pod: &PodInfo, resource: &str) -> i64 {
    let exact = &pod.template.requests.exact;
    match resource {
        "cpu" => exact.milli_cpu,
        "memory" => exact.memory,
        "ephemeral-storage" => exact.ephemeral_storage,
        other => exact.scalars.get(other).copied().unwrap_or(0),
    }
}

/// An amount in the words of a manifest, rounded down to what one would write; `None` if nothing is left.
fn amount(resource: &str, most: i64) -> Option<String> {
    const MEBI: i64 = 1 << 20;
    let quantity = match resource {
        "cpu" if most >= 100 => Quantity::from_milli(most - most % 10, Format::DecimalSi),
        "cpu" => Quantity::from_milli(most, Format::DecimalSi),
        "memory" | "ephemeral-storage" if most >= MEBI => Quantity::new(most - most % MEBI, Format::BinarySi),
        _ => Quantity::new(most, Format::DecimalSi),
    };
    (most > 0).then(|| quantity.canonical())
}
