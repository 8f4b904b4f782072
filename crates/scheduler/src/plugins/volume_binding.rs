//! Are the pod's volumes where the node is, or can they be?
//!
//! Bound claims must be usable on the node; claims that wait for a pod get the smallest volume that fits, or one is made
//! if the class can; claims that should be bound at once and are not keep the pod waiting. Free storage capacity is not
//! tracked, as no driver here publishes it.
//! Source: `volumebinding` and `component-helpers/storage/volume/pv_helpers.go`, 1.34.

use std::collections::BTreeSet;

use api::k8s::core::v1::PersistentVolumeClaim;
use api::k8s::storage::v1::CSINode;

use crate::decision::VolumeBound;
use crate::hint::{Happening, is_own_claim};
use crate::migration;
use crate::node_selector::Labels;
use crate::plugin::{
    ClusterEvent, Code, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach,
    Rejection, Verdict,
};
use crate::pod::PodInfo;
use crate::reason::Reason;
use crate::storage::{self, Storage};
use crate::table::NodeRef;

const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Brings pods and volumes together.
pub struct VolumeBinding;

/// Claims of the pod: bound ones, and those that wait for it.
#[derive(Clone)]
struct Claims {
    bound: Vec<PersistentVolumeClaim>,
    waiting: Vec<PersistentVolumeClaim>,
}

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        "VolumeBinding"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter, Phase::Reserve, Phase::PreBind]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        match claims(cycle) {
            Ok(None) => PreFilter::Skip,
            Ok(Some(claims)) => PreFilter::Ready(Box::new(claims)),
            Err(reason) => PreFilter::Rejected(reason),
        }
    }

    fn reserve(&self, cycle: &Cycle, node: NodeRef) -> Vec<VolumeBound> {
        let Ok(Some(claims)) = claims(cycle) else { return Vec::new() };
        let row = cycle.table.row(node);
        let mut found =
            find(&cycle.table.storage, &claims.waiting, &row.name, &row.labels).unwrap_or_default();
        // In the order of the pod's volumes.
        found.sort_by_key(|it| claims.waiting.iter().position(|claim| key(claim) == it.claim));
        found
    }

    fn reach(&self, pod: &PodInfo) -> Reach {
        if pod.template.has_volumes() { Reach::Cluster } else { Reach::Shape }
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::StorageClass, EventAction::Add),
                ClusterEvent::new(EventResource::StorageClass, EventAction::Update),
                ClusterEvent::new(EventResource::PersistentVolumeClaim, EventAction::Add),
                ClusterEvent::new(EventResource::PersistentVolumeClaim, EventAction::Update),
                ClusterEvent::new(EventResource::PersistentVolume, EventAction::Add),
                ClusterEvent::new(EventResource::PersistentVolume, EventAction::Update),
                ClusterEvent::new(EventResource::Node, EventAction::Add),
                ClusterEvent::new(EventResource::Node, EventAction::UpdateNodeLabel),
                ClusterEvent::new(EventResource::CSINode, EventAction::Add),
                ClusterEvent::new(EventResource::CSINode, EventAction::Update),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        match what {
            Happening::Claim(_, claim) => is_own_claim(pod, *claim),
            Happening::Class(Some(before), Some(after)) => {
                before.allowed_topologies != after.allowed_topologies
            }
            Happening::Drivers(Some(before), Some(after)) => {
                let migrated =
                    |it: &CSINode| it.metadata.annotations.as_ref()?.get(migration::MIGRATED).cloned();
                migrated(before) != migrated(after)
            }
            _ => true,
        }
    }
}

/// The pod's claims; `None` if it has none.
fn claims(cycle: &Cycle) -> Result<Option<Claims>, Reason> {
    let storage = &cycle.table.storage;
    let mut claims = Claims { bound: Vec::new(), waiting: Vec::new() };
    let mut immediate = false;
    for (name, ephemeral) in cycle.pod.claims() {
        let Some(claim) = storage.claim(&cycle.pod.key.namespace, &name) else {
            return Err(if ephemeral {
                Reason::ClaimToBeMade { claim: name }
            } else {
                Reason::ClaimMissing { claim: name }
            });
        };
        usable(cycle, claim, &name, ephemeral)?;
        let class = storage.class(storage::claim_class(claim));
        if storage::fully_bound(claim) {
            claims.bound.push(claim.clone());
        } else if storage::volume_name(claim).is_empty() && class.is_some_and(storage::waits_for_consumer) {
            claims.waiting.push(claim.clone());
        } else {
            immediate = true;
        }
    }
    if immediate {
        return Err(Reason::Unbound {});
    }
    let none = claims.bound.is_empty() && claims.waiting.is_empty();
    Ok(if none { None } else { Some(claims) })
}

fn usable(cycle: &Cycle, claim: &PersistentVolumeClaim, name: &str, ephemeral: bool) -> Result<(), Reason> {
    let phase = claim.status.as_ref().and_then(|it| it.phase.as_deref());
    if phase == Some("Lost") {
        let volume = storage::volume_name(claim).to_owned();
        return Err(Reason::ClaimLost { claim: name.to_owned(), volume });
    }
    if claim.metadata.deletion_timestamp.is_some() {
        return Err(Reason::ClaimDeleted { claim: name.to_owned() });
    }
    let mut owners = claim.metadata.owner_references.iter().flatten();
    if ephemeral && !owners.any(|it| it.controller == Some(true) && it.uid == cycle.pod.uid) {
        let key = &cycle.pod.key;
        let claim = format!("{}/{name}", key.namespace);
        return Err(Reason::ClaimOfAnother { claim, pod: key.to_string() });
    }
    Ok(())
}

impl Claims {
    fn refusals(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let storage = &cycle.table.storage;
        let row = cycle.table.row(node);
        let mut reasons = Vec::new();
        let mut gone = None;
        for claim in &self.bound {
            let volume = storage::volume_name(claim);
            let name = || claim.metadata.name.clone().unwrap_or_default();
            match storage.volume(volume) {
                None => {
                    gone = Some(Reason::VolumeGone { claim: name(), volume: volume.to_owned() });
                    break;
                }
                Some(found) if !storage.usable(found, &row.name, &row.labels) => {
                    let recent = cycle.profile.version.names_volume_affinity();
                    reasons.push(Reason::VolumeElsewhere {
                        claim: name(),
                        volume: volume.to_owned(),
                        recent,
                    });
                    break;
                }
                Some(_) => {}
            }
        }
        if find(storage, &self.waiting, &row.name, &row.labels).is_none() {
            let names = self.waiting.iter().map(|it| it.metadata.name.clone().unwrap_or_default());
            reasons.push(Reason::NoVolume { claims: names.collect() });
        }
        reasons.extend(gone);
        reasons
    }
}

impl Filter for Claims {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        let reasons = self.refusals(cycle, node);
        if reasons.is_empty() {
            return Ok(());
        }
        let reasons = reasons.iter().map(Reason::words).collect();
        Err(Rejection { code: Code::UnschedulableAndUnresolvable, reasons })
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        self.refusals(cycle, node)
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// A volume for every waiting claim on one node: first those that are there, then those to be made. `None` if one claim
/// can have neither.
fn find(
    storage: &Storage,
    waiting: &[PersistentVolumeClaim],
    node: &str,
    labels: &Labels,
) -> Option<Vec<VolumeBound>> {
    let mut chosen = BTreeSet::new();
    let mut found = Vec::new();
    let mut to_make: Vec<&PersistentVolumeClaim> = Vec::new();
    let mut to_match: Vec<&PersistentVolumeClaim> = Vec::new();
    for claim in waiting {
        match claim.metadata.annotations.as_ref().and_then(|it| it.get(storage::SELECTED_NODE)) {
            Some(selected) if selected != node => return None,
            Some(_) => to_make.push(claim),
            None => to_match.push(claim),
        }
    }
    // The smallest claims choose first, so that large volumes stay for large claims.
    to_match.sort_by_key(|claim| storage::requested(claim));
    for claim in to_match {
        match storage.best_volume(claim, Some(labels), &chosen) {
            Some(volume) => {
                let name = volume.metadata.name.clone().unwrap_or_default();
                chosen.insert(name.clone());
                found.push(VolumeBound { claim: key(claim), volume: name, provisioned: false });
            }
            None => to_make.push(claim),
        }
    }
    for claim in to_make {
        let class = storage.class(storage::claim_class(claim))?;
        let can = !class.provisioner.is_empty()
            && class.provisioner != NO_PROVISIONER
            && storage::allowed(class.allowed_topologies.as_deref().unwrap_or_default(), labels);
        if !can {
            return None;
        }
        let volume = format!("pvc-{}", claim.metadata.uid.as_deref().unwrap_or_default());
        found.push(VolumeBound { claim: key(claim), volume, provisioned: true });
    }
    Some(found)
}

fn key(claim: &PersistentVolumeClaim) -> String {
    let namespace = claim.metadata.namespace.as_deref().unwrap_or("default");
    format!("{namespace}/{}", claim.metadata.name.as_deref().unwrap_or_default())
}
