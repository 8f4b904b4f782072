//! What does the scheduler need to know of a pod?
//!
//! [`PodInfo`] is a pod compiled once: requests summed, selectors parsed, ports listed. What pods of one controller
//! share is in [`Template`], behind an `Rc`; what is a pod's own is beside it.
//! This module does not know about nodes.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use api::k8s::core::v1::{Container, Pod, PodSpec};
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::migration::Attached;
use crate::node_selector::{Labels, RequiredNodes, Term};
use crate::pod_affinity::PodAffinity;
use crate::requests::Requests;
use crate::spread::{self, Constraint};
use crate::taint::Toleration;

/// A pod's namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PodKey {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A port that a pod takes on its node. `0.0.0.0` stands for every address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// Protocol: `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// From 1.
    pub port: i32,
    /// Address of the node.
    pub ip: String,
}

/// Where a volume's claim comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// The pod names the claim.
    Named(String),
    /// The claim is made from the pod, for the volume of this name.
    Ephemeral(String),
}

/// Where a template stands among those that [`crate::class::Classes`] has compiled; not part of what it says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Number(Option<u32>);

impl Number {
    /// The number `at`.
    pub(crate) fn of(at: usize) -> Number {
        Number(u32::try_from(at).ok())
    }

    /// The number, if there is one.
    pub(crate) fn get(self) -> Option<usize> {
        usize::try_from(self.0?).ok()
    }
}

impl PartialEq for Number {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Number {}

/// What pods of one template share, compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Labels.
    pub labels: Labels,
    /// Absent is 0.
    pub priority: i32,
    /// `preemptionPolicy: Never`.
    pub never_preempts: bool,
    /// Names of scheduling gates, in the pod's order.
    pub gates: Vec<String>,
    /// `spec.nodeName` as it stands in the manifest; empty for a pod that wants a node.
    pub node_name: String,
    /// What it asks for.
    pub requests: Requests,
    /// Ports it takes on the node.
    pub host_ports: Vec<HostPort>,
    /// Taints it bears.
    pub tolerations: Vec<Toleration>,
    /// Nodes it demands.
    pub required_nodes: Option<RequiredNodes>,
    /// Nodes it would like, with weights; `Some` if it says so at all, if only in words that fit no node.
    pub preferred_nodes: Option<Vec<(i64, Term)>>,
    /// Images of its containers, with a tag.
    pub images: Vec<String>,
    /// How many images the threshold of ImageLocality grows with.
    pub image_count: i64,
    /// Pods it wants near or far.
    pub affinity: PodAffinity,
    /// How evenly it wants to be spread.
    pub spread: Vec<Constraint>,
    /// Its volumes that need a claim, in order.
    pub claims: Vec<ClaimSource>,
    /// Network disks written into it.
    pub disks: Vec<Disk>,
    /// Those that CSI drivers attach.
    pub attached: Vec<Attached>,
    /// The controller that owns it.
    pub controller: Option<Controller>,
    pub(crate) number: Number,
}

/// The owner that made a pod, as the pod names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A pod as the scheduler sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodInfo {
    /// Namespace and name.
    pub key: PodKey,
    /// Its uid; claims made from the pod belong to it.
    pub uid: String,
    /// Node that a preemption has promised it.
    pub nominated_node: Option<String>,
    /// Start, in seconds since 1970; `None` before it has started.
    pub started: Option<i64>,
    /// Being deleted: it still takes its room, but spreading does not count it.
    pub terminating: bool,
    /// Being deleted because the scheduler evicted it.
    pub preempted: bool,
    /// What it shares with its siblings.
    pub template: Rc<Template>,
}

impl PodKey {
    /// A key from its two parts.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The key of a pod; without a namespace it is in `default`.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        Self::new(pod.metadata.namespace.as_deref().unwrap_or("default"), name)
    }
}

impl fmt::Display for PodKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl PodInfo {
    /// Compiles a pod that the API server has accepted and filled in.
    #[must_use]
    pub fn new(pod: &Pod) -> PodInfo {
        PodInfo::of_template(pod, Rc::new(Template::of(pod)))
    }

    /// A pod of a template that has been compiled already.
    pub(crate) fn of_template(pod: &Pod, template: Rc<Template>) -> PodInfo {
        let status = pod.status.as_ref();
        let meta = &pod.metadata;
        let evicted = |it: &api::k8s::core::v1::PodCondition| {
            it.type_ == "DisruptionTarget"
                && it.status == "True"
                && it.reason.as_deref() == Some("PreemptionByScheduler")
        };
        PodInfo {
            key: PodKey::of(pod),
            uid: meta.uid.clone().unwrap_or_default(),
            nominated_node: status.and_then(|it| it.nominated_node_name.clone()).filter(|it| !it.is_empty()),
            started: status.and_then(|it| it.start_time.as_ref()).map(|it| it.0.as_second()),
            terminating: meta.deletion_timestamp.is_some(),
            preempted: status.is_some_and(|it| it.conditions.iter().flatten().any(evicted)),
            template,
        }
    }

    /// Names of its claims, in the order of its volumes; `true` for those made from the pod itself.
    pub fn claims(&self) -> impl Iterator<Item = (String, bool)> {
        self.template.claims.iter().map(|it| match it {
            ClaimSource::Named(claim) => (claim.clone(), false),
            ClaimSource::Ephemeral(volume) => (format!("{}-{volume}", self.key.name), true),
        })
    }

    /// Priority; 0 if none is given.
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.template.priority
    }
}

impl Template {
    /// Whether it has volumes that plugins look at.
    pub(crate) fn has_volumes(&self) -> bool {
        !self.claims.is_empty() || !self.disks.is_empty() || !self.attached.is_empty()
    }

    /// Whether plugins that look at one node at a time see no difference between pods of both.
    ///
    /// Labels, owners, and what they say of other pods may differ.
    pub(crate) fn same_class(&self, other: &Template) -> bool {
        self.requests == other.requests
            && self.node_name == other.node_name
            && self.gates == other.gates
            && self.host_ports == other.host_ports
            && self.tolerations == other.tolerations
            && self.required_nodes == other.required_nodes
            && self.preferred_nodes == other.preferred_nodes
            && self.images == other.images
            && self.image_count == other.image_count
            && self.claims == other.claims
            && self.disks == other.disks
            && self.attached == other.attached
    }

    /// A number that templates of one class share, and others not often.
    pub(crate) fn class_print(&self) -> u64 {
        let Requests { exact, wanted, .. } = &self.requests;
        let mut print = 0_u64;
        for number in
            [exact.milli_cpu, exact.memory, exact.ephemeral_storage, wanted.milli_cpu, wanted.memory]
        {
            print = print.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number.cast_unsigned());
        }
        print
    }

    /// The same template under a number.
    pub(crate) fn numbered(mut self, number: Number) -> Template {
        self.number = number;
        self
    }

    /// The template of a pod that differs from those of this one in labels and owners.
    ///
    /// INVARIANT: the pod's spec and namespace are equal, and its terms and constraints read no label of the pod itself.
    pub(crate) fn with_labels_of(&self, pod: &Pod, number: Number) -> Template {
        let labels = pod.metadata.labels.clone().unwrap_or_default();
        Template { labels, controller: controller(pod), number, ..self.clone() }
    }

    /// Compiles what pods like this one share.
    pub(crate) fn of(pod: &Pod) -> Template {
        let meta = &pod.metadata;
        let empty = PodSpec::default();
        let spec = pod.spec.as_ref().unwrap_or(&empty);
        let affinity = spec.affinity.as_ref();
        let namespace = meta.namespace.as_deref().unwrap_or("default");
        let labels = meta.labels.clone().unwrap_or_default();
        let images = || spec.init_containers.iter().flatten().chain(&spec.containers);
        let preferred = affinity.and_then(|it| it.node_affinity.as_ref());
        let preferred =
            preferred.and_then(|it| it.preferred_during_scheduling_ignored_during_execution.as_ref());
        Template {
            priority: spec.priority.unwrap_or(0),
            never_preempts: spec.preemption_policy.as_deref() == Some("Never"),
            gates: spec.scheduling_gates.iter().flatten().map(|it| it.name.clone()).collect(),
            node_name: spec.node_name.clone().unwrap_or_default(),
            requests: Requests::of(spec, pod.status.as_ref()),
            host_ports: host_ports(spec),
            tolerations: spec.tolerations.iter().flatten().filter_map(Toleration::of).collect(),
            required_nodes: RequiredNodes::of(spec),
            preferred_nodes: preferred.filter(|terms| !terms.is_empty()).map(|terms| {
                let terms = terms.iter().map(|it| (i64::from(it.weight), Term::of(&it.preference)));
                terms.filter(|(weight, term)| *weight != 0 && !term.is_empty()).collect()
            }),
            images: images().map(|it| tagged(it.image.as_deref().unwrap_or_default())).collect(),
            image_count: i64::try_from(images().count()).unwrap_or(i64::MAX),
            affinity: PodAffinity::of(affinity, namespace, &labels),
            spread: spread::constraints(spec, &labels),
            claims: claims(spec),
            disks: Disk::of(spec),
            attached: Attached::inline(spec),
            controller: controller(pod),
            number: Number::default(),
            labels,
        }
    }
}

fn controller(pod: &Pod) -> Option<Controller> {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    let owner = owners.find(|it| it.controller == Some(true))?;
    let (api_version, kind) = (owner.api_version.clone(), owner.kind.clone());
    Some(Controller { api_version, kind, name: owner.name.clone() })
}

/// Ports of containers and sidecars; ordinary init containers are gone when the pod runs.
fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecar = |it: &&Container| it.restart_policy.as_deref() == Some("Always");
    let init = spec.init_containers.iter().flatten().filter(sidecar);
    let ports = init.chain(&spec.containers).flat_map(|it| it.ports.iter().flatten());
    let or = |text: &Option<String>, default: &str| {
        text.clone().filter(|it| !it.is_empty()).unwrap_or_else(|| default.to_owned())
    };
    ports
        .filter_map(|it| {
            let port = it.host_port.filter(|port| *port > 0)?;
            Some(HostPort { protocol: or(&it.protocol, "TCP"), port, ip: or(&it.host_ip, "0.0.0.0") })
        })
        .collect()
}

impl HostPort {
    /// Whether both cannot be on one node.
    #[must_use]
    pub fn conflicts(&self, other: &HostPort) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip == "0.0.0.0" || other.ip == "0.0.0.0")
    }
}

fn claims(spec: &PodSpec) -> Vec<ClaimSource> {
    let claim = |it: &api::k8s::core::v1::Volume| match (&it.persistent_volume_claim, &it.ephemeral) {
        (Some(claim), _) => Some(ClaimSource::Named(claim.claim_name.clone())),
        (None, Some(_)) => Some(ClaimSource::Ephemeral(it.name.clone())),
        (None, None) => None,
    };
    spec.volumes.iter().flatten().filter_map(claim).collect()
}

/// The image's name as a node lists it.
fn tagged(image: &str) -> String {
    let after = |c| image.rfind(c).map_or(0, |at| at + 1);
    if after(':') <= after('/') { format!("{image}:latest") } else { image.to_owned() }
}

/// Namespaces and their labels.
pub type Namespaces = BTreeMap<String, Labels>;
