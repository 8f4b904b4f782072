//! Everything a plugin can say against a pod or a node.
//!
//! THE REGISTRY of reasons: each has its plugin, upstream's words (its display) and the numbers of the case at hand.
//! Filters only say the words, which is fast; the numbers are asked for when a decision is explained. Sentences for
//! learners are made from the same data elsewhere; whoever makes them matches every reason.
//! Source: the constants `ErrReason…` of `pkg/scheduler/framework/plugins`, 1.34, and the texts beside them.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

macro_rules! reasons {
    ($($plugin:literal { $($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $type:ty = $sample:expr),* } => $words:expr;)* })*) => {
        /// Why a plugin says no, with the numbers of the case.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub enum Reason {
            $($($(#[$doc])* $name { $($(#[$about])* $field: $type),* },)*)*
        }

        impl Reason {
            /// The plugin that says it.
            #[must_use]
            pub fn plugin(&self) -> &'static str {
                match self {
                    $($(Reason::$name { .. } => $plugin,)*)*
                }
            }

            /// One of each, with numbers as they might be.
            #[must_use]
            pub fn samples() -> Vec<Reason> {
                vec![$($(Reason::$name { $($field: $sample),* },)*)*]
            }

            /// Upstream's words.
            #[must_use]
            pub fn words(&self) -> Cow<'static, str> {
                match self {
                    $($(#[allow(unused_variables, reason = "not all numbers are in upstream's words")]
                    Reason::$name { $($field),* } => Cow::from($words),)*)*
                }
            }
        }
    };
}

pub(crate) const CORDONED: &str = "node(s) were unschedulable";
pub(crate) const OTHER_NODE: &str = "node(s) didn't match the requested node name";
pub(crate) const UNTOLERATED: &str = "node(s) had untolerated taint(s)";
pub(crate) const NOT_CHOSEN: &str = "node(s) didn't match Pod's node affinity/selector";
pub(crate) const PORT_TAKEN: &str = "node(s) didn't have free ports for the requested pod ports";
pub(crate) const TOO_MANY_PODS: &str = "Too many pods";
pub(crate) const CLAIM_IN_USE: &str = "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod";
pub(crate) const DISK_TAKEN: &str = "node(s) had no available disk";
pub(crate) const TOO_MANY_VOLUMES: &str = "node(s) exceed max volume count";
pub(crate) const VOLUME_ELSEWHERE: &str = "node(s) didn't match PersistentVolume's node affinity";
/// Up to 1.32.
pub(crate) const VOLUME_CONFLICT: &str = "node(s) had volume node affinity conflict";
pub(crate) const NO_VOLUME: &str = "node(s) didn't find available persistent volumes to bind";
pub(crate) const VOLUME_GONE: &str =
    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
pub(crate) const OTHER_ZONE: &str = "node(s) had no available volume zone";
pub(crate) const SKEWED: &str = "node(s) didn't match pod topology spread constraints";
pub(crate) const NO_DOMAIN: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";
pub(crate) const NOT_NEAR: &str = "node(s) didn't match pod affinity rules";
pub(crate) const NOT_FAR: &str = "node(s) didn't match pod anti-affinity rules";
pub(crate) const OTHERS_KEEP_AWAY: &str = "node(s) didn't satisfy existing pods anti-affinity rules";
pub(crate) const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
pub(crate) const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

reasons! {
    "SchedulingGates" {
        /// Somebody holds the pod back.
        Gated {
            /// Names of the gates.
            gates: Vec<String> = vec!["example.com/quota".to_owned()]
        } => format!("waiting for scheduling gates: [{}]", gates.join(" "));
    }
    "NodeUnschedulable" {
        /// The node takes no new pods.
        Cordoned {} => CORDONED;
    }
    "NodeName" {
        /// The pod names another node.
        OtherNode {
            /// The node it names.
            wanted: String = "node-b".to_owned()
        } => OTHER_NODE;
    }
    "TaintToleration" {
        /// A taint keeps the pod away.
        Untolerated {
            /// Key of the first taint that it does not tolerate.
            key: String = "dedicated".to_owned(),
            /// Value of that taint; may be empty.
            value: String = "gpu".to_owned(),
            /// Effect of that taint.
            effect: &'static str = "NoSchedule",
            /// Whether upstream's words name the taint: up to 1.34.1.
            named: bool = true
        } => if *named { Cow::from(untolerated(key, value)) } else { Cow::from(UNTOLERATED) };
    }
    "NodeAffinity" {
        /// The node lacks labels that the pod demands.
        NotChosen {
            /// What does not hold, as `kubectl -l` writes it; those of one term, for each term.
            broken: Vec<Vec<String>> = vec![vec!["disk=ssd".to_owned()], vec!["zone in (a,b)".to_owned(), "arch=arm64".to_owned()]],
            /// The node's values of the keys in question, as `key=value`.
            labels: Vec<String> = vec!["disk=hdd".to_owned()]
        } => NOT_CHOSEN;
        /// The terms name nodes, and no node is in all of a term.
        Conflicting {} => "pod affinity terms conflict";
        /// PreFilter left only some nodes, and no node at all remains.
        NothingLeft {
            /// The plugins that left only some.
            plugins: Vec<String> = vec!["NodeAffinity".to_owned()]
        } => match &plugins[..] {
            [one] => format!("node(s) didn't satisfy plugin {one}"),
            several => format!("node(s) didn't satisfy plugin(s) [{}] simultaneously", several.join(" ")),
        };
    }
    "NodePorts" {
        /// A host port that the pod wants is taken.
        PortTaken {
            /// The ports, as `TCP 0.0.0.0:8080`.
            ports: Vec<String> = vec!["TCP 0.0.0.0:8080".to_owned()]
        } => PORT_TAKEN;
    }
    "NodeResourcesFit" {
        /// The node has as many pods as it may hold.
        TooManyPods {
            /// Pods on it.
            pods: i64 = 11,
            /// How many it may hold.
            limit: i64 = 11
        } => TOO_MANY_PODS;
        /// The pod asks for more than is left.
        Insufficient {
            /// The resource.
            resource: String = "cpu".to_owned(),
            /// What the pod asks for: thousandths of a CPU, bytes, or units.
            wanted: i64 = 250,
            /// What the node's pods ask for.
            used: i64 = 1800,
            /// What the node has for pods.
            allocatable: i64 = 1930
        } => insufficient(resource);
    }
    "VolumeRestrictions" {
        /// A claim for one pod has its pod.
        ClaimInUse {
            /// The claims.
            claims: Vec<String> = vec!["data".to_owned()]
        } => CLAIM_IN_USE;
        /// A disk that can be attached once is attached to the node for another pod.
        DiskTaken {
            /// The disks.
            disks: Vec<String> = vec!["awsElasticBlockStore vol-1".to_owned()]
        } => DISK_TAKEN;
    }
    "NodeVolumeLimits" {
        /// The driver can attach no more volumes to the node.
        TooManyVolumes {
            /// The CSI driver.
            driver: String = "ebs.csi.aws.com".to_owned(),
            /// Volumes attached.
            attached: i64 = 25,
            /// Volumes the pod would add.
            new: i64 = 1,
            /// How many the driver can attach.
            limit: i64 = 25
        } => TOO_MANY_VOLUMES;
    }
    "VolumeBinding" {
        /// A claim that the pod names does not exist. Other volume plugins say it in the same words.
        ClaimMissing {
            /// The claim.
            claim: String = "data".to_owned()
        } => format!("persistentvolumeclaim {claim:?} not found");
        /// A claim is to be made from the pod, and is not there yet.
        ClaimToBeMade {
            /// The claim.
            claim: String = "web-cache".to_owned()
        } => format!("waiting for ephemeral volume controller to create the persistentvolumeclaim {claim:?}");
        /// The volume of a claim is gone.
        ClaimLost {
            /// The claim.
            claim: String = "data".to_owned(),
            /// The volume it was bound to.
            volume: String = "pv-1".to_owned()
        } => format!("persistentvolumeclaim {claim:?} bound to non-existent persistentvolume {volume:?}");
        /// A claim is on its way out.
        ClaimDeleted {
            /// The claim.
            claim: String = "data".to_owned()
        } => format!("persistentvolumeclaim {claim:?} is being deleted");
        /// A claim has the name of one to be made from the pod, and belongs to somebody else.
        ClaimOfAnother {
            /// `namespace/name` of the claim.
            claim: String = "default/web-cache".to_owned(),
            /// `namespace/name` of the pod.
            pod: String = "default/web".to_owned()
        } => format!("PVC {claim} was not created for pod {pod} (pod is not owner)");
        /// A claim of a class that binds at once is not bound yet.
        Unbound {} => "pod has unbound immediate PersistentVolumeClaims";
        /// The volume can only be used on other nodes.
        VolumeElsewhere {
            /// The claim.
            claim: String = "data".to_owned(),
            /// Its volume.
            volume: String = "pv-1".to_owned(),
            /// Whether upstream speaks of the volume's node affinity: from 1.33 on.
            recent: bool = true
        } => if *recent { VOLUME_ELSEWHERE } else { VOLUME_CONFLICT };
        /// For a claim that waits for its pod there is no volume here, and none can be made.
        NoVolume {
            /// The claims that wait.
            claims: Vec<String> = vec!["data".to_owned()]
        } => NO_VOLUME;
        /// A claim is bound to a volume that does not exist.
        VolumeGone {
            /// The claim.
            claim: String = "data".to_owned(),
            /// The volume.
            volume: String = "pv-1".to_owned()
        } => VOLUME_GONE;
    }
    "VolumeZone" {
        /// The volume stands in another zone or region.
        OtherZone {
            /// The label.
            label: String = "topology.kubernetes.io/zone".to_owned(),
            /// Values of the volume.
            volume: Vec<String> = vec!["us-west-2a".to_owned()],
            /// Value of the node; empty if it has none.
            node: String = "us-west-2b".to_owned()
        } => OTHER_ZONE;
        /// A claim has neither volume nor class.
        ClaimWithoutClass {
            /// The claim.
            claim: String = "data".to_owned()
        } => "PersistentVolumeClaim had no pv name and storageClass name";
        /// The class of a claim does not exist.
        ClassMissing {
            /// The class.
            class: String = "fast".to_owned()
        } => format!("storageclass.storage.k8s.io {class:?} not found");
        /// A claim of a class that binds at once has no volume.
        VolumeUnnamed {
            /// The claim.
            claim: String = "data".to_owned()
        } => "PersistentVolume had no name";
        /// The volume of a claim does not exist.
        VolumeMissing {
            /// The volume.
            volume: String = "pv-1".to_owned()
        } => format!("persistentvolume {volume:?} not found");
    }
    "PodTopologySpread" {
        /// The node has no such label, so it is in no domain.
        NoDomain {
            /// The label.
            key: String = "topology.kubernetes.io/zone".to_owned()
        } => NO_DOMAIN;
        /// The domain would be too much fuller than the emptiest.
        Skewed {
            /// The label whose value makes a domain.
            key: String = "topology.kubernetes.io/zone".to_owned(),
            /// The node's domain.
            domain: String = "us-west-2a".to_owned(),
            /// Matching pods in it.
            pods: i64 = 2,
            /// 1 if the pod itself matches.
            own: i64 = 1,
            /// Matching pods in the emptiest domain.
            least: i64 = 1,
            /// `maxSkew`.
            max_skew: i64 = 1,
            /// Domains there are.
            domains: i64 = 3,
            /// `minDomains`: with fewer domains the emptiest counts as 0.
            min_domains: i64 = 1
        } => SKEWED;
    }
    "InterPodAffinity" {
        /// None of the pods it must be near to is there.
        NotNear {
            /// Labels whose value on the node makes the places: `key=value`, or `key` where the node has none.
            places: Vec<String> = vec!["topology.kubernetes.io/zone=us-west-2a".to_owned()]
        } => NOT_NEAR;
        /// Pods that it must be far from are there.
        NotFar {
            /// `key=value` of the place.
            place: String = "kubernetes.io/hostname=node-a".to_owned(),
            /// How many.
            pods: i64 = 1
        } => NOT_FAR;
        /// Pods that are there must be far from it.
        OthersKeepAway {
            /// `key=value` of the place.
            place: String = "kubernetes.io/hostname=node-a".to_owned(),
            /// How many.
            pods: i64 = 1
        } => OTHERS_KEEP_AWAY;
    }
    "DefaultPreemption" {
        /// The pod may not evict.
        NeverPreempts {} => "not eligible due to preemptionPolicy=Never.";
        /// It has been promised a node, and room is being made there.
        MakingRoom {
            /// The node.
            node: String = "node-a".to_owned()
        } => "not eligible due to a terminating pod on the nominated node.";
        /// The reasons of these nodes stay, whoever is evicted.
        NotHelpful {
            /// How many nodes.
            nodes: i64 = 2
        } => NOT_HELPFUL;
        /// Nobody on these nodes is less important.
        NoVictims {
            /// How many nodes.
            nodes: i64 = 1
        } => NO_VICTIMS;
        /// Even without everybody less important the pod would not fit.
        StillNoRoom {
            /// How many nodes.
            nodes: i64 = 1,
            /// What a filter says then.
            words: String = "Insufficient cpu".to_owned()
        } => words.clone();
    }
}

/// What NodeResourcesFit says of a resource.
pub(crate) fn insufficient(resource: &str) -> Cow<'static, str> {
    match resource {
        "cpu" => Cow::Borrowed("Insufficient cpu"),
        "memory" => Cow::Borrowed("Insufficient memory"),
        "ephemeral-storage" => Cow::Borrowed("Insufficient ephemeral-storage"),
        other => Cow::Owned(format!("Insufficient {other}")),
    }
}

/// What TaintToleration said up to 1.34.1.
pub(crate) fn untolerated(key: &str, value: &str) -> String {
    format!("node(s) had untolerated taint {{{key}: {value}}}")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Phase;
    use crate::registry;

    #[test]
    fn every_plugin_that_can_refuse_has_its_reasons_here() {
        let refuses = |phases: &[Phase]| {
            phases.iter().any(|it| matches!(it, Phase::Filter | Phase::PreEnqueue | Phase::PreFilter))
        };
        for enabled in registry::default_plugins().iter().filter(|it| refuses(it.plugin.phases())) {
            let name = enabled.plugin.name();
            assert!(Reason::samples().iter().any(|it| it.plugin() == name), "{name}");
        }
    }

    #[test]
    fn every_reason_belongs_to_a_plugin_that_runs() {
        let names: Vec<&str> = registry::default_plugins().iter().map(|it| it.plugin.name()).collect();
        for reason in Reason::samples() {
            let plugin = reason.plugin();
            assert!(names.contains(&plugin) || plugin == "DefaultPreemption", "{plugin}");
        }
    }
}
