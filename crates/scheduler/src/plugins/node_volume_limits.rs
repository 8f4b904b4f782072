//! Can the node attach that many volumes?
//!
//! Limits are those of the node's CSINode, per driver; a volume that several pods use counts once.
//! Source: `nodevolumelimits/csi.go`, 1.34.

use std::collections::BTreeMap;

use api::k8s::storage::v1::{CSINode, CSINodeDriver};

use crate::hint::{Happening, is_own_claim};
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach, Rejection,
    Verdict,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::storage::{self, Storage};
use crate::table::NodeRef;

/// Keeps pods off nodes that can attach no more volumes.
pub struct NodeVolumeLimits;

#[derive(Clone)]
struct Attachable {
    /// Driver by volume.
    volumes: BTreeMap<String, String>,
}

impl Plugin for NodeVolumeLimits {
    fn name(&self) -> &'static str {
        "NodeVolumeLimits"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        let volumes = volumes(&cycle.table.storage, cycle.pod);
        if volumes.is_empty() { PreFilter::Skip } else { PreFilter::Ready(Box::new(Attachable { volumes })) }
    }

    fn reach(&self, pod: &PodInfo) -> Reach {
        if pod.template.claims.is_empty() { Reach::Node } else { Reach::Cluster }
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::CSINode, EventAction::Add),
                ClusterEvent::new(EventResource::CSINode, EventAction::Update),
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Delete),
                ClusterEvent::new(EventResource::PersistentVolumeClaim, EventAction::Add),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        match what {
            Happening::Pod(Some(gone), None) => !gone.template.claims.is_empty(),
            Happening::Claim(_, claim) => is_own_claim(pod, *claim),
            Happening::Drivers(Some(before), Some(after)) => {
                let limits = |node: &CSINode| -> BTreeMap<String, i32> {
                    let limit = |it: &CSINodeDriver| Some((it.name.clone(), it.allocatable.as_ref()?.count?));
                    node.spec.drivers.iter().filter_map(limit).collect()
                };
                let was = limits(before);
                limits(after).iter().any(|(driver, limit)| was.get(driver).is_some_and(|it| limit > it))
            }
            _ => true,
        }
    }
}

/// CSI volumes of a pod with their drivers. A claim that is not bound yet counts for its class's driver.
fn volumes(storage: &Storage, pod: &PodInfo) -> BTreeMap<String, String> {
    let namespace = &pod.key.namespace;
    let volume = |(name, _): (String, bool)| {
        let claim = storage.claim(namespace, &name)?;
        let bound = storage.volume(storage::volume_name(claim));
        if let Some(volume) = bound {
            let csi = volume.spec.as_ref()?.csi.as_ref()?;
            return Some((format!("{}/{}", csi.driver, csi.volume_handle), csi.driver.clone()));
        }
        let class = storage.class(storage::claim_class(claim))?;
        Some((format!("{}/claim {namespace}/{name}", class.provisioner), class.provisioner.clone()))
    };
    pod.claims().filter_map(volume).collect()
}

impl Attachable {
    /// The first driver that would have to attach too many volumes: attached, new, limit.
    fn over<'a>(&'a self, cycle: &Cycle<'a>, node: NodeRef) -> Option<(&'a str, i64, i64, i64)> {
        let row = cycle.table.row(node);
        let limits = cycle.table.storage.limits(&row.name);
        if limits.is_empty() {
            return None;
        }
        let mut attached = BTreeMap::new();
        for pod in &row.pods {
            attached.extend(volumes(&cycle.table.storage, pod));
        }
        let mut counts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for driver in attached.values() {
            counts.entry(driver).or_default().0 += 1;
        }
        for (_, driver) in self.volumes.iter().filter(|(volume, _)| !attached.contains_key(*volume)) {
            counts.entry(driver).or_default().1 += 1;
        }
        limits.into_iter().find_map(|(driver, limit)| {
            let (old, new) = counts.get(driver).copied().filter(|(_, new)| *new > 0)?;
            (old + new > limit).then_some((driver, old, new, limit))
        })
    }
}

impl Filter for Attachable {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        match self.over(cycle, node) {
            Some(_) => Err(Rejection::unschedulable(reason::TOO_MANY_VOLUMES)),
            None => Ok(()),
        }
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let too_many = |(driver, attached, new, limit): (&str, i64, i64, i64)| Reason::TooManyVolumes {
            driver: driver.to_owned(),
            attached,
            new,
            limit,
        };
        self.over(cycle, node).map(too_many).into_iter().collect()
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}
