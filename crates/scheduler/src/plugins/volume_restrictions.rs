//! Is a claim or a disk that only one pod may use already in use?
//!
//! Claims with access mode ReadWriteOncePod, anywhere; network disks written into pods themselves, on the same node.
//! Source: `volumerestrictions`, 1.34.

use std::collections::BTreeSet;

use crate::disk::Disk;
use crate::hint::{Happening, is_named_claim};
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach, Rejection,
    Verdict,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::table::NodeRef;

/// Keeps a claim for one pod to one pod.
pub struct VolumeRestrictions;

#[derive(Clone)]
struct Exclusive {
    claims: BTreeSet<String>,
    conflicts: i64,
}

impl Plugin for VolumeRestrictions {
    fn name(&self) -> &'static str {
        "VolumeRestrictions"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        let namespace = &cycle.pod.key.namespace;
        let mut claims = BTreeSet::new();
        for (name, _) in cycle.pod.claims().filter(|(_, ephemeral)| !ephemeral) {
            let Some(claim) = cycle.table.storage.claim(namespace, &name) else {
                return PreFilter::Rejected(Reason::ClaimMissing { claim: name });
            };
            let modes = claim.spec.as_ref().and_then(|it| it.access_modes.as_ref());
            if modes.is_some_and(|it| it.iter().any(|mode| mode == "ReadWriteOncePod")) {
                claims.insert(name);
            }
        }
        let used = |name: &&String| cycle.table.uses_of_claim(namespace, name) > 0;
        let conflicts = i64::try_from(claims.iter().filter(used).count()).unwrap_or(i64::MAX);
        if conflicts == 0 && cycle.pod.template.disks.is_empty() {
            PreFilter::Skip
        } else {
            PreFilter::Ready(Box::new(Exclusive { claims, conflicts }))
        }
    }

    fn reach(&self, pod: &PodInfo) -> Reach {
        if pod.template.has_volumes() { Reach::Cluster } else { Reach::Shape }
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Delete),
                ClusterEvent::new(EventResource::Node, EventAction::Add),
                ClusterEvent::new(EventResource::PersistentVolumeClaim, EventAction::Add),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        match what {
            Happening::Pod(Some(gone), None) => {
                let shares = |(name, ephemeral): (String, bool)| {
                    !ephemeral && gone.claims().any(|other| other == (name.clone(), false))
                };
                let frees = |disk: &Disk| gone.template.disks.iter().any(|other| disk.conflicts(other));
                gone.key.namespace == pod.key.namespace
                    && (pod.claims().any(shares) || pod.template.disks.iter().any(frees))
            }
            Happening::Claim(_, claim) => is_named_claim(pod, *claim),
            _ => true,
        }
    }
}

impl Exclusive {
    /// How many claims a pod that comes or goes seems to share.
    ///
    /// UPSTREAM: claims are compared by name, whatever the namespace.
    fn shared(&self, pod: &PodInfo) -> i64 {
        let shared = pod.claims().filter(|(name, ephemeral)| !ephemeral && self.claims.contains(name));
        i64::try_from(shared.count()).unwrap_or(i64::MAX)
    }
}

/// The pod's disks that pods of a node have taken.
fn taken(cycle: &Cycle, node: NodeRef) -> Vec<String> {
    let pods = &cycle.table.row(node).pods;
    let taken =
        |disk: &&Disk| pods.iter().any(|pod| pod.template.disks.iter().any(|other| disk.conflicts(other)));
    cycle.pod.template.disks.iter().filter(taken).map(|it| it.name.clone()).collect()
}

impl Filter for Exclusive {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        if !taken(cycle, node).is_empty() {
            return Err(Rejection::unschedulable(reason::DISK_TAKEN));
        }
        if self.conflicts > 0 {
            return Err(Rejection::unschedulable(reason::CLAIM_IN_USE));
        }
        Ok(())
    }

    fn pod_added(&mut self, _cycle: &Cycle, pod: &PodInfo, _node: NodeRef) {
        self.conflicts += self.shared(pod);
    }

    fn pod_removed(&mut self, _cycle: &Cycle, pod: &PodInfo, _node: NodeRef) {
        self.conflicts -= self.shared(pod);
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let disks = taken(cycle, node);
        match self.filter(cycle, node) {
            Ok(()) => Vec::new(),
            Err(_) if !disks.is_empty() => vec![Reason::DiskTaken { disks }],
            Err(_) => vec![Reason::ClaimInUse { claims: self.claims.iter().cloned().collect() }],
        }
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{feasible, nodes, pod, why};

    /// `TestGCEDiskConflicts`, `TestAWSDiskConflicts`, `TestRBDDiskConflicts`, `TestISCSIDiskConflicts`.
    #[test]
    fn a_disk_is_attached_once_unless_all_only_read() {
        let with = |volume: &str| format!(r#"{{"volumes": [{{"name": "v", {volume}}}]}}"#);
        let apart = |there: &str, web: &str| {
            let mut table = nodes(&["a", "b"]);
            table.add_pod(&pod("there", &with(there)), "a");
            feasible(&table, &pod("web", &with(web))) == ["b"]
        };
        let ebs = |id: &str| format!(r#""awsElasticBlockStore": {{"volumeID": "{id}", "readOnly": true}}"#);
        assert!(apart(&ebs("vol-1"), &ebs("vol-1")));
        assert!(!apart(&ebs("vol-1"), &ebs("vol-2")));
        let gce = |reads: bool| format!(r#""gcePersistentDisk": {{"pdName": "d", "readOnly": {reads}}}"#);
        assert!(apart(&gce(false), &gce(true)));
        assert!(!apart(&gce(true), &gce(true)));
        let rbd = |monitors: &str| format!(r#""rbd": {{"monitors": {monitors}, "image": "i", "pool": "p"}}"#);
        assert!(apart(&rbd(r#"["x", "y"]"#), &rbd(r#"["y"]"#)));
        assert!(!apart(&rbd(r#"["x"]"#), &rbd(r#"["y"]"#)));
        let mut table = nodes(&["a"]);
        table.add_pod(&pod("there", &with(&ebs("vol-1"))), "a");
        let found = why(&table, &pod("web", &with(&ebs("vol-1"))), "a");
        assert_eq!(found, "VolumeRestrictions: node(s) had no available disk");
    }
}
