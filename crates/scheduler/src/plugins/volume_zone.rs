//! Is the node in the zone of the pod's volumes?
//!
//! By zone and region labels of volumes; node affinity of volumes is [`super::volume_binding`]'s business.
//! Source: `volumezone`, 1.34.

use std::collections::BTreeSet;

use api::k8s::core::v1::PersistentVolume;

use crate::hint::{Happening, is_named_claim};
use crate::node_selector::Labels;
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach, Rejection,
    Verdict,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::storage;
use crate::table::NodeRef;

/// Each label with the other spelling of the same thing.
const LABELS: [(&str, &str); 4] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"),
    ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"),
];

/// Keeps pods in the zones of their volumes.
pub struct VolumeZone;

/// A label that a volume has, its other spelling, and its values.
#[derive(Clone)]
struct Zone {
    label: &'static str,
    spelling: &'static str,
    values: BTreeSet<String>,
}

#[derive(Clone)]
struct Zones(Vec<Zone>);

impl Plugin for VolumeZone {
    fn name(&self) -> &'static str {
        "VolumeZone"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        match zones(cycle) {
            Ok(zones) if zones.is_empty() => PreFilter::Skip,
            Ok(zones) => PreFilter::Ready(Box::new(Zones(zones))),
            Err(reason) => PreFilter::Rejected(reason),
        }
    }

    fn reach(&self, pod: &PodInfo) -> Reach {
        if pod.template.has_volumes() { Reach::Cluster } else { Reach::Shape }
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::StorageClass, EventAction::Add),
                ClusterEvent::new(EventResource::Node, EventAction::Add),
                ClusterEvent::new(EventResource::Node, EventAction::UpdateNodeLabel),
                ClusterEvent::new(EventResource::PersistentVolumeClaim, EventAction::Add),
                ClusterEvent::new(EventResource::PersistentVolumeClaim, EventAction::Update),
                ClusterEvent::new(EventResource::PersistentVolume, EventAction::Add),
                ClusterEvent::new(EventResource::PersistentVolume, EventAction::Update),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        match what {
            Happening::Claim(_, claim) => is_named_claim(pod, *claim),
            Happening::Class(None, Some(class)) => storage::waits_for_consumer(class),
            Happening::Volume(Some(before), Some(after)) => {
                let zone =
                    |it: &PersistentVolume, label: &str| it.metadata.labels.as_ref()?.get(label).cloned();
                LABELS.iter().any(|(label, _)| zone(before, label) != zone(after, label))
            }
            _ => true,
        }
    }
}

fn zones(cycle: &Cycle) -> Result<Vec<Zone>, Reason> {
    let storage = &cycle.table.storage;
    let mut zones = Vec::new();
    for (name, _) in cycle.pod.claims().filter(|(_, ephemeral)| !ephemeral) {
        let claim = storage
            .claim(&cycle.pod.key.namespace, &name)
            .ok_or_else(|| Reason::ClaimMissing { claim: name.clone() })?;
        let volume = storage::volume_name(claim);
        if volume.is_empty() {
            let class = storage::claim_class(claim);
            if class.is_empty() {
                return Err(Reason::ClaimWithoutClass { claim: name });
            }
            let found =
                storage.class(class).ok_or_else(|| Reason::ClassMissing { class: class.to_owned() })?;
            if storage::waits_for_consumer(found) {
                continue;
            }
            return Err(Reason::VolumeUnnamed { claim: name });
        }
        let found =
            storage.volume(volume).ok_or_else(|| Reason::VolumeMissing { volume: volume.to_owned() })?;
        let labels = found.metadata.labels.as_ref();
        for (label, spelling) in LABELS {
            if let Some(value) = labels.and_then(|it| it.get(label)) {
                let values: BTreeSet<String> = value.split("__").map(|it| it.trim().to_owned()).collect();
                // UPSTREAM: a label with an empty zone in it is passed over.
                if values.contains("") {
                    continue;
                }
                zones.push(Zone { label, spelling, values });
            }
        }
    }
    Ok(zones)
}

impl Zone {
    fn of_node<'l>(&self, labels: &'l Labels) -> Option<&'l String> {
        labels.get(self.label).or_else(|| labels.get(self.spelling))
    }

    fn holds(&self, labels: &Labels) -> bool {
        self.of_node(labels).is_some_and(|value| self.values.contains(value))
    }
}

impl Filter for Zones {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        let labels = &cycle.table.row(node).labels;
        // A node that says nothing of its zone is taken to be anywhere.
        if !LABELS.iter().any(|(label, _)| labels.contains_key(*label)) {
            return Ok(());
        }
        if self.0.iter().all(|it| it.holds(labels)) {
            return Ok(());
        }
        Err(Rejection::unresolvable(reason::OTHER_ZONE))
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let labels = &cycle.table.row(node).labels;
        if self.filter(cycle, node).is_ok() {
            return Vec::new();
        }
        let outside = self.0.iter().find(|it| !it.holds(labels));
        let reason = |it: &Zone| Reason::OtherZone {
            label: it.label.to_owned(),
            volume: it.values.iter().cloned().collect(),
            node: it.of_node(labels).cloned().unwrap_or_default(),
        };
        outside.map(reason).into_iter().collect()
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
