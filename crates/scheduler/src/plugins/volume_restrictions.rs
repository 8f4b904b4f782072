//! Is a claim that only one pod may use already in use?
//!
//! Claims with access mode ReadWriteOncePod. Conflicts between disks written into pods directly are not looked at.
//! Source: `volumerestrictions`, 1.34.

use std::collections::BTreeSet;

use crate::hint::{Happening, is_own_claim};
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
        if conflicts == 0 {
            PreFilter::Skip
        } else {
            PreFilter::Ready(Box::new(Exclusive { claims, conflicts }))
        }
    }

    fn reach(&self, pod: &PodInfo) -> Reach {
        if pod.template.claims.is_empty() { Reach::Node } else { Reach::Cluster }
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Delete),
                ClusterEvent::new(EventResource::PersistentVolumeClaim, EventAction::Add),
                ClusterEvent::new(EventResource::PersistentVolumeClaim, EventAction::Update),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        match what {
            Happening::Pod(Some(gone), None) => {
                let shares = |(name, _): (String, bool)| gone.claims().any(|(other, _)| other == name);
                gone.key.namespace == pod.key.namespace && pod.claims().any(shares)
            }
            Happening::Claim(_, claim) => is_own_claim(pod, *claim),
            _ => true,
        }
    }
}

impl Exclusive {
    fn shared(&self, cycle: &Cycle, pod: &PodInfo) -> i64 {
        if pod.key.namespace != cycle.pod.key.namespace {
            return 0;
        }
        let shared = pod.claims().filter(|(name, ephemeral)| !ephemeral && self.claims.contains(name));
        i64::try_from(shared.count()).unwrap_or(i64::MAX)
    }
}

impl Filter for Exclusive {
    fn filter(&self, _cycle: &Cycle, _node: NodeRef) -> Verdict {
        if self.conflicts > 0 {
            return Err(Rejection::unschedulable(reason::CLAIM_IN_USE));
        }
        Ok(())
    }

    fn pod_added(&mut self, cycle: &Cycle, pod: &PodInfo, _node: NodeRef) {
        self.conflicts += self.shared(cycle, pod);
    }

    fn pod_removed(&mut self, cycle: &Cycle, pod: &PodInfo, _node: NodeRef) {
        self.conflicts -= self.shared(cycle, pod);
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        match self.filter(cycle, node) {
            Ok(()) => Vec::new(),
            Err(_) => vec![Reason::ClaimInUse { claims: self.claims.iter().cloned().collect() }],
        }
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
