//! Can the node attach that many volumes?
//!
//! Limits are those of the node's CSINode, per driver; a volume that several pods use counts once.
//! Source: `nodevolumelimits/csi.go`, 1.34.

use std::collections::BTreeMap;

use api::k8s::storage::v1::{CSINode, CSINodeDriver};

use crate::hint::{Happening, is_own_claim};
use crate::migration::{Attached, served_by};
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
        if pod.template.has_volumes() { Reach::Cluster } else { Reach::Shape }
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
            Happening::Pod(Some(gone), None) => {
                !gone.template.claims.is_empty() || !gone.template.attached.is_empty()
            }
            Happening::Claim(_, claim) => is_own_claim(pod, *claim),
            Happening::Drivers(Some(before), Some(after)) => {
                let limits = |node: &CSINode| -> BTreeMap<String, i32> {
                    let limit = |it: &CSINodeDriver| Some((it.name.clone(), it.allocatable.as_ref()?.count?));
                    node.spec.drivers.iter().filter_map(limit).collect()
                };
                let was = limits(before);
                limits(after).iter().any(|(driver, limit)| limit > was.get(driver).unwrap_or(&0))
            }
            _ => true,
        }
    }
}

/// CSI volumes of a pod with their drivers. A claim that is not bound yet counts for its class's driver.
fn volumes(storage: &Storage, pod: &PodInfo) -> BTreeMap<String, String> {
    let namespace = &pod.key.namespace;
    let claimed = |(name, _): (String, bool)| {
        let claim = storage.claim(namespace, &name)?;
        if let Some(volume) = storage.volume(storage::volume_name(claim)) {
            return Some(counted(Attached::of(volume)?));
        }
        let driver = served_by(&storage.class(storage::claim_class(claim))?.provisioner);
        Some((format!("{driver}/claim {namespace}/{name}"), driver.to_owned()))
    };
    let inline = pod.template.attached.iter().cloned().map(counted);
    pod.claims().filter_map(claimed).chain(inline).collect()
}

fn counted(disk: Attached) -> (String, String) {
    (format!("{}/{}", disk.driver, disk.handle), disk.driver)
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::fixture::{feasible, nodes, pod, why};

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).expect("an object")
    }

    /// `TestCSILimits`: "should count in-tree volumes if migration is enabled".
    #[test]
    fn a_disk_named_in_the_old_way_counts_for_its_csi_driver() {
        let mut table = nodes(&["a"]);
        let drivers = json!([{"name": "ebs.csi.aws.com", "nodeID": "a", "allocatable": {"count": 1}}]);
        table.storage.set_drivers(&read(json!({"metadata": {"name": "a"}, "spec": {"drivers": drivers}})));
        let mut volume = |name: &str, source: Value| {
            let mut spec = source;
            spec["capacity"] = json!({"storage": "1Gi"});
            table.storage.set_volume(&read(json!({"metadata": {"name": name}, "spec": spec})));
            table.storage.set_claim(&read(json!({"metadata": {"name": name, "annotations": {
                "pv.kubernetes.io/bind-completed": "yes"}}, "spec": {"volumeName": name}})));
        };
        volume("old", json!({"awsElasticBlockStore": {"volumeID": "aws://ap-northeast-2a/vol-1"}}));
        volume("new", json!({"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-2"}}));
        volume("same", json!({"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"}}));
        let uses = |claim: &str| {
            let volumes = json!([{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]);
            json!({"volumes": volumes}).to_string()
        };
        table.add_pod(&pod("there", &uses("old")), "a");
        let found = why(&table, &pod("web", &uses("new")), "a");
        assert_eq!(found, "NodeVolumeLimits: node(s) exceed max volume count");
        assert_eq!(feasible(&table, &pod("web", &uses("same"))), ["a"], "it is the same disk");
    }
}
