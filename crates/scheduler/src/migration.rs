//! Which CSI driver attaches a disk that is named in an older way?
//!
//! Disks of four clouds were once known to Kubernetes itself. Their CSI drivers serve those names today, and the
//! scheduler thinks of them in the drivers' terms. An id that the driver would not understand is counted by nobody.
//! Source: `k8s.io/csi-translation-lib`, 1.34.

use api::k8s::core::v1::{
    NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume, PersistentVolumeSpec, PodSpec,
    Volume,
};
use api::k8s::storage::v1::CSINode;

use crate::node_selector::Labels;
use crate::table::ZONE;

/// In-tree plugins whose volumes CSI drivers serve on a node: an annotation of its CSINode.
pub const MIGRATED: &str = "storage.alpha.kubernetes.io/migrated-plugins";

const REGION: &str = "topology.kubernetes.io/region";
const BETA_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
const BETA_REGION: &str = "failure-domain.beta.kubernetes.io/region";

/// A way of naming disks that a CSI driver has taken over.
struct InTree {
    plugin: &'static str,
    driver: &'static str,
    /// The driver's own name for a zone, if zones are given that name.
    zone: Option<&'static str>,
}

const AWS: InTree = InTree {
    plugin: "kubernetes.io/aws-ebs",
    driver: "ebs.csi.aws.com",
    zone: Some("topology.ebs.csi.aws.com/zone"),
};
const GCE: InTree = InTree {
    plugin: "kubernetes.io/gce-pd",
    driver: "pd.csi.storage.gke.io",
    zone: Some("topology.gke.io/zone"),
};
const AZURE: InTree = InTree { plugin: "kubernetes.io/azure-disk", driver: "disk.csi.azure.com", zone: None };
const CINDER: InTree = InTree {
    plugin: "kubernetes.io/cinder",
    driver: "cinder.csi.openstack.org",
    zone: Some("topology.cinder.csi.openstack.org/zone"),
};

/// A disk as its CSI driver knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attached {
    /// Such as `ebs.csi.aws.com`.
    pub driver: String,
    /// Such as `vol-1`.
    pub handle: String,
}

impl Attached {
    fn new(driver: &str, handle: &str) -> Option<Attached> {
        let known = !driver.is_empty() && !handle.is_empty();
        known.then(|| Attached { driver: driver.to_owned(), handle: handle.to_owned() })
    }

    /// The disk behind a volume, if a CSI driver attaches it.
    #[must_use]
    pub fn of(volume: &PersistentVolume) -> Option<Attached> {
        let spec = volume.spec.as_ref()?;
        if let Some(csi) = &spec.csi {
            return Attached::new(&csi.driver, &csi.volume_handle);
        }
        if let Some(disk) = &spec.aws_elastic_block_store {
            return Attached::new(AWS.driver, ebs_id(&disk.volume_id)?);
        }
        if let Some(disk) = &spec.gce_persistent_disk {
            return Attached::new(GCE.driver, &pd_id(volume.metadata.labels.as_ref(), &disk.pd_name)?);
        }
        if let Some(disk) = &spec.azure_disk {
            return managed(disk.kind.as_ref()).then(|| Attached::new(AZURE.driver, &disk.disk_uri))?;
        }
        Attached::new(CINDER.driver, &spec.cinder.as_ref()?.volume_id)
    }

    /// Disks that are written into a pod itself, in the order of its volumes.
    #[must_use]
    pub fn inline(spec: &PodSpec) -> Vec<Attached> {
        spec.volumes.iter().flatten().filter_map(inline).collect()
    }
}

fn inline(volume: &Volume) -> Option<Attached> {
    if let Some(disk) = &volume.aws_elastic_block_store {
        return Attached::new(AWS.driver, ebs_id(&disk.volume_id)?);
    }
    if let Some(disk) = &volume.gce_persistent_disk {
        return Attached::new(GCE.driver, &pd_id(None, &disk.pd_name)?);
    }
    if let Some(disk) = &volume.azure_disk {
        return managed(disk.kind.as_ref()).then(|| Attached::new(AZURE.driver, &disk.disk_uri))?;
    }
    Attached::new(CINDER.driver, &volume.cinder.as_ref()?.volume_id)
}

/// `vol-1` may be written `aws://ap-northeast-2a/vol-1`.
fn ebs_id(written: &str) -> Option<&str> {
    let Some(rest) = written.strip_prefix("aws://") else { return Some(written) };
    let (_, path) = rest.split_once('/')?;
    let id = path.trim_matches('/');
    (id.starts_with("vol-") && !id.contains('/')).then_some(id)
}

/// A disk in one zone, or in the region of several.
fn pd_id(labels: Option<&Labels>, name: &str) -> Option<String> {
    let label = |key: &str| labels.and_then(|it| it.get(key)).filter(|it| !it.is_empty());
    let zones = label(BETA_ZONE).or_else(|| label(ZONE)).map_or("UNSPECIFIED", String::as_str);
    let mut regions = zones.split("__").map(|it| it.rsplit_once('-').map(|it| it.0));
    let place = if zones.contains("__") {
        let region = regions.next()??;
        format!("regions/{}", regions.all(|it| it == Some(region)).then_some(region)?)
    } else {
        format!("zones/{zones}")
    };
    Some(format!("projects/UNSPECIFIED/{place}/disks/{name}"))
}

/// Disks in storage accounts have no driver.
fn managed(kind: Option<&String>) -> bool {
    kind.is_none_or(|it| it.eq_ignore_ascii_case("managed"))
}

/// The CSI driver behind a provisioner's name.
#[must_use]
pub fn served_by(provisioner: &str) -> &str {
    let served = [AWS, GCE, AZURE, CINDER].into_iter().find(|it| it.plugin == provisioner);
    served.map_or(provisioner, |it| it.driver)
}

fn in_tree(spec: &PersistentVolumeSpec) -> Option<InTree> {
    let named = [
        (spec.aws_elastic_block_store.is_some(), AWS),
        (spec.gce_persistent_disk.is_some(), GCE),
        (spec.azure_disk.is_some(), AZURE),
        (spec.cinder.is_some(), CINDER),
    ];
    named.into_iter().find(|(is, _)| *is).map(|(_, it)| it)
}

/// Where a volume can be used, in the words of the driver that serves it on a node with these `drivers`: zones are
/// those that the driver knows. `None` if it can be used anywhere.
#[must_use]
pub fn affinity(volume: &PersistentVolume, drivers: Option<&CSINode>) -> Option<NodeSelector> {
    let spec = volume.spec.as_ref()?;
    let affinity = spec.node_affinity.as_ref().and_then(|it| it.required.clone());
    let migrated = drivers.and_then(|it| it.metadata.annotations.as_ref()?.get(MIGRATED));
    let served = |it: &InTree| migrated.is_some_and(|list| list.split(',').any(|plugin| plugin == it.plugin));
    let Some(own_zone) = in_tree(spec).filter(served).and_then(|it| it.zone) else { return affinity };
    let labels = volume.metadata.labels.as_ref();
    let mut terms = affinity.map(|it| it.node_selector_terms).unwrap_or_default();
    let named = |key: &str, terms: &[NodeSelectorTerm]| expressions(terms).any(|it| it.key == key);
    let labelled = |key: &str| labels.is_some_and(|it| it.contains_key(key));
    let beta = !named(ZONE, &terms) && (named(BETA_ZONE, &terms) || (!labelled(ZONE) && labelled(BETA_ZONE)));
    let zone = if beta { BETA_ZONE } else { ZONE };
    let has_values = |key: &str, terms: &[NodeSelectorTerm]| {
        expressions(terms).any(|it| it.key == key && it.values.as_ref().is_some_and(|it| !it.is_empty()))
    };
    if has_values(zone, &terms) {
        rename(&mut terms, zone, own_zone);
    } else if let Some(zones) = labels.and_then(|it| it.get(zone)) {
        add_zones(&mut terms, own_zone, zones);
    }
    if beta && has_values(BETA_REGION, &terms) {
        rename(&mut terms, BETA_REGION, REGION);
    }
    (!terms.is_empty()).then_some(NodeSelector { node_selector_terms: terms })
}

fn expressions(terms: &[NodeSelectorTerm]) -> impl Iterator<Item = &NodeSelectorRequirement> {
    terms.iter().flat_map(|it| it.match_expressions.iter().flatten())
}

fn rename(terms: &mut [NodeSelectorTerm], from: &str, to: &str) {
    let all = terms.iter_mut().flat_map(|it| it.match_expressions.iter_mut().flatten());
    for expression in all.filter(|it| it.key == from) {
        to.clone_into(&mut expression.key);
    }
}

/// Adds the zones of a label, such as `a__b`, to every term.
fn add_zones(terms: &mut Vec<NodeSelectorTerm>, key: &str, zones: &str) {
    let mut zones: Vec<String> =
        zones.split("__").map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    if zones.is_empty() {
        return;
    }
    zones.sort();
    zones.dedup();
    if terms.is_empty() {
        terms.push(NodeSelectorTerm::default());
    }
    for term in terms {
        term.match_expressions.get_or_insert_default().push(NodeSelectorRequirement {
            key: key.to_owned(),
            operator: "In".to_owned(),
            values: Some(zones.clone()),
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn volume(metadata: &Value, spec: &Value) -> PersistentVolume {
        serde_json::from_value(json!({"metadata": metadata, "spec": spec})).expect("a volume")
    }

    fn handle(metadata: &Value, spec: &Value) -> Option<String> {
        Attached::of(&volume(metadata, spec)).map(|it| it.handle)
    }

    /// `KubernetesVolumeIDToEBSVolumeID`.
    #[test]
    fn an_ebs_volume_may_be_written_with_its_zone() {
        let ebs = |id: &str| handle(&json!({}), &json!({"awsElasticBlockStore": {"volumeID": id}}));
        assert_eq!(ebs("vol-1").as_deref(), Some("vol-1"));
        assert_eq!(ebs("aws://ap-northeast-2a/vol-1").as_deref(), Some("vol-1"));
        assert_eq!(ebs("aws:///vol-1").as_deref(), Some("vol-1"));
        assert_eq!(ebs("aws://ap-northeast-2a/disk-1"), None);
    }

    /// `TestTranslatePDInTreePVToCSI` and the regional disks beside it.
    #[test]
    fn a_gce_disk_is_in_a_zone_or_in_a_region() {
        let disk = json!({"gcePersistentDisk": {"pdName": "pd"}});
        let of = |zone: &str| handle(&json!({"labels": {ZONE: zone}}), &disk);
        assert_eq!(of("us-west1-a").as_deref(), Some("projects/UNSPECIFIED/zones/us-west1-a/disks/pd"));
        assert_eq!(
            of("us-west1-a__us-west1-b").as_deref(),
            Some("projects/UNSPECIFIED/regions/us-west1/disks/pd")
        );
        assert_eq!(
            handle(&json!({}), &disk).as_deref(),
            Some("projects/UNSPECIFIED/zones/UNSPECIFIED/disks/pd")
        );
    }

    /// `TestTranslateTopologyFromInTreeToCSI`.
    #[test]
    fn zones_get_the_drivers_name_where_the_driver_serves_the_volume() {
        let spec = json!({"awsElasticBlockStore": {"volumeID": "vol-1"}});
        let volume = volume(&json!({"labels": {BETA_ZONE: "a__b"}}), &spec);
        let node = |plugins: &str| -> CSINode {
            serde_json::from_value(json!({"metadata": {"name": "n", "annotations": {MIGRATED: plugins}},
                "spec": {"drivers": []}}))
            .expect("a CSINode")
        };
        assert_eq!(affinity(&volume, Some(&node("kubernetes.io/gce-pd"))), None);
        let found = affinity(&volume, Some(&node("kubernetes.io/gce-pd,kubernetes.io/aws-ebs")));
        let zones = json!([{"key": "topology.ebs.csi.aws.com/zone", "operator": "In", "values": ["a", "b"]}]);
        assert_eq!(
            serde_json::to_value(found).expect("json"),
            json!({"nodeSelectorTerms": [{"matchExpressions": zones}]})
        );
    }
}
