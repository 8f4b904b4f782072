//! `describe` for volumes, claims and what provides them.

use api::Kind;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    template, volume,
    writer::{Writer, flag},
};
use crate::kubectl::{
    Done, Kube, age,
    client::Selection,
    field::{at, int, list, map, name, name_of, namespace, pairs, text, word},
    print::cells::modes,
};

/// `Bound`, or how long it has been going away.
fn status(o: &Value, now: Timestamp) -> String {
    match text(o, "metadata.deletionTimestamp") {
        "" => text(o, "status.phase").to_owned(),
        gone => format!("Terminating (lasts {})", age::since(gone, now)),
    }
}

fn finalizers(o: &Value) -> String {
    let all: Vec<String> = list(o, "metadata.finalizers").iter().map(word).collect();
    format!("[{}]", all.join(" "))
}

/// The annotation came before the field.
pub(super) fn class(o: &Value) -> &str {
    match o.pointer("/metadata/annotations/volume.beta.kubernetes.io~1storage-class") {
        Some(class) => class.as_str().unwrap_or_default(),
        None => text(o, "spec.storageClassName"),
    }
}

pub(super) fn volume(o: &Value, events: Option<&str>, now: Timestamp) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    template::marks(&mut w, o);
    w.line(0, format!("Finalizers:\t{}", finalizers(o)));
    w.line(0, format!("StorageClass:\t{}", class(o)));
    w.line(0, format!("Status:\t{}", status(o, now)));
    let claim = at(o, "spec.claimRef");
    let claim = if claim.is_null() {
        String::new()
    } else {
        format!("{}/{}", text(claim, "namespace"), text(claim, "name"))
    };
    w.line(0, format!("Claim:\t{claim}"));
    w.line(0, format!("Reclaim Policy:\t{}", text(o, "spec.persistentVolumeReclaimPolicy")));
    w.line(0, format!("Access Modes:\t{}", modes(o, "spec.accessModes")));
    if !at(o, "spec.volumeMode").is_null() {
        w.line(0, format!("VolumeMode:\t{}", text(o, "spec.volumeMode")));
    }
    w.line(0, format!("Capacity:\t{}", size(at(o, "spec.capacity.storage"))));
    node_affinity(&mut w, o);
    w.line(0, format!("Message:\t{}", text(o, "status.message")));
    w.line(0, "Source:");
    if !volume::source(&mut w, at(o, "spec")) {
        w.line(1, "<unknown>");
    }
    template::close(w, events)
}

/// An amount; a missing one is 0.
fn size(value: &Value) -> String {
    if value.is_null() { "0".to_owned() } else { word(value) }
}

fn node_affinity(w: &mut Writer, o: &Value) {
    let required = at(o, "spec.nodeAffinity.required");
    if required.is_null() {
        w.line(0, "Node Affinity:\t<none>");
        return;
    }
    w.line(0, "Node Affinity:\t");
    let terms = list(required, "nodeSelectorTerms");
    if terms.is_empty() {
        w.line(1, "Required Terms:\t<none>");
        return;
    }
    w.line(1, "Required Terms:\t");
    for (i, term) in terms.iter().enumerate() {
        let lines: Vec<String> = list(term, "matchExpressions")
            .iter()
            .map(|e| {
                let operator = text(e, "operator").to_lowercase();
                expression(text(e, "key"), &operator, e)
            })
            .collect();
        column(w, 2, &format!("Term {i}"), &lines);
    }
}

fn expression(key: &str, operator: &str, of: &Value) -> String {
    let values: Vec<String> = list(of, "values").iter().map(word).collect();
    if values.is_empty() {
        format!("{key} {operator}")
    } else {
        format!("{key} {operator} [{}]", values.join(", "))
    }
}

fn column(w: &mut Writer, level: usize, title: &str, lines: &[String]) {
    let Some((first, rest)) = lines.split_first() else {
        w.line(level, format!("{title}:\t<none>"));
        return;
    };
    w.line(level, format!("{title}:\t{first}"));
    for line in rest {
        w.line(level, format!("\t{line}"));
    }
}

pub(super) fn claim(
    kube: &mut Kube<'_, '_>,
    o: &Value,
    events: Option<&str>,
    now: Timestamp,
) -> Done<String> {
    let mut w = Writer::default();
    claim_lines(&mut w, o, Some(&status(o, now)));
    let pods = kube.list(Kind::Pod, namespace(o), &Selection::default())?;
    let mounts = |pod: &&Value| {
        list(pod, "spec.volumes").iter().any(|v| text(v, "persistentVolumeClaim.claimName") == name(o))
    };
    let owns = |pod: &Value| {
        list(o, "metadata.ownerReferences")
            .iter()
            .any(|r| text(r, "kind") == "Pod" && at(r, "uid") == at(pod, "metadata.uid"))
    };
    let users: Vec<String> =
        pods.iter().filter(|p| mounts(p) || owns(p)).map(|p| name(p).to_owned()).collect();
    template::column(&mut w, "", "", "Used By", &users);
    let conditions = list(o, "status.conditions");
    if !conditions.is_empty() {
        w.line(0, "Conditions:");
        w.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage");
        w.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
        for c in conditions {
            let moment = |field: &str| age::moment(text(c, field));
            w.line(
                1,
                format!(
                    "{} \t{} \t{} \t{} \t{} \t{}",
                    text(c, "type"),
                    text(c, "status"),
                    moment("lastProbeTime"),
                    moment("lastTransitionTime"),
                    text(c, "reason"),
                    text(c, "message")
                ),
            );
        }
    }
    Ok(template::close(w, events))
}

/// A claim, or with no status the template of one.
pub(super) fn claim_lines(w: &mut Writer, o: &Value, status: Option<&str>) {
    if status.is_some() {
        template::head(w, o, true);
    }
    w.line(0, format!("StorageClass:\t{}", class(o)));
    if let Some(status) = status {
        w.line(0, format!("Status:\t{status}"));
    }
    let volume = text(o, "spec.volumeName");
    w.line(0, format!("Volume:\t{volume}"));
    template::marks(w, o);
    if status.is_some() {
        w.line(0, format!("Finalizers:\t{}", finalizers(o)));
    }
    let bound = !volume.is_empty();
    let capacity = if bound { size(at(o, "status.capacity.storage")) } else { String::new() };
    w.line(0, format!("Capacity:\t{capacity}"));
    let modes = if bound { modes(o, "status.accessModes") } else { String::new() };
    w.line(0, format!("Access Modes:\t{modes}"));
    if !at(o, "spec.volumeMode").is_null() {
        w.line(0, format!("VolumeMode:\t{}", text(o, "spec.volumeMode")));
    }
    let source = at(o, "spec.dataSource");
    if !source.is_null() {
        w.line(0, "DataSource:");
        for (title, field) in [("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")] {
            if field != "apiGroup" || !at(source, field).is_null() {
                w.line(1, format!("{title}:\t{}", text(source, field)));
            }
        }
    }
}

pub(super) fn storage_class(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    let default =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
            .iter()
            .any(|key| at(o, "metadata.annotations").get(key).and_then(Value::as_str) == Some("true"));
    w.line(0, format!("IsDefaultClass:\t{}", if default { "Yes" } else { "No" }));
    w.line(0, format!("Annotations:\t{}", pairs(o, "metadata.annotations", "<none>")));
    w.line(0, format!("Provisioner:\t{}", text(o, "provisioner")));
    w.line(0, format!("Parameters:\t{}", pairs(o, "parameters", "<none>")));
    w.line(0, format!("AllowVolumeExpansion:\t{}", flag(at(o, "allowVolumeExpansion"))));
    let options = list(o, "mountOptions");
    if options.is_empty() {
        w.line(0, "MountOptions:\t<none>");
    } else {
        w.line(0, "MountOptions:");
        for option in options {
            w.line(1, word(option));
        }
    }
    for (title, field) in [("ReclaimPolicy", "reclaimPolicy"), ("VolumeBindingMode", "volumeBindingMode")] {
        if !at(o, field).is_null() {
            w.line(0, format!("{title}:\t{}", text(o, field)));
        }
    }
    if !list(o, "allowedTopologies").is_empty() {
        w.line(0, "AllowedTopologies:\t");
        for (i, term) in list(o, "allowedTopologies").iter().enumerate() {
            let lines: Vec<String> = list(term, "matchLabelExpressions")
                .iter()
                .map(|e| expression(text(e, "key"), "in", e))
                .collect();
            column(&mut w, 1, &format!("Term {i}"), &lines);
        }
    }
    template::close(w, events)
}

pub(super) fn csi_node(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    template::marks(&mut w, o);
    w.line(0, format!("CreationTimestamp:\t{}", age::long(text(o, "metadata.creationTimestamp"))));
    w.line(0, "Spec:");
    if !at(o, "spec.drivers").is_null() {
        w.line(1, "Drivers:");
    }
    for driver in list(o, "spec.drivers") {
        w.line(2, format!("{}:", name_of(driver)));
        w.line(3, format!("Node ID:\t{}", text(driver, "nodeID")));
        if !at(driver, "allocatable.count").is_null() {
            w.line(3, "Allocatables:");
            w.line(4, format!("Count:\t{}", int(driver, "allocatable.count")));
        }
        if !at(driver, "topologyKeys").is_null() {
            let keys: Vec<String> = list(driver, "topologyKeys").iter().map(word).collect();
            w.line(3, format!("Topology Keys:\t[{}]", keys.join(" ")));
        }
    }
    template::close(w, events)
}

pub(super) fn attributes_class(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    w.line(0, format!("Annotations:\t{}", pairs(o, "metadata.annotations", "<none>")));
    w.line(0, format!("DriverName:\t{}", text(o, "driverName")));
    w.line(0, format!("Parameters:\t{}", pairs(o, "parameters", "<none>")));
    template::close(w, events)
}

pub(super) fn claim_templates(w: &mut Writer, o: &Value) {
    let claims = list(o, "spec.volumeClaimTemplates");
    w.line(0, if claims.is_empty() { "Volume Claims:\t<none>" } else { "Volume Claims:" });
    for claim in claims {
        w.line(1, format!("Name:\t{}", name(claim)));
        w.line(1, format!("StorageClass:\t{}", class(claim)));
        template::indented_labels(w, "  ", "Labels", at(claim, "metadata.labels"));
        template::indented_labels(w, "  ", "Annotations", at(claim, "metadata.annotations"));
        let capacity = map(claim, "spec.resources.requests").find(|(k, _)| *k == "storage");
        w.line(1, format!("Capacity:\t{}", capacity.map_or("<default>".to_owned(), |(_, v)| word(v))));
        let modes: Vec<String> = list(claim, "spec.accessModes").iter().map(word).collect();
        w.line(1, format!("Access Modes:\t[{}]", modes.join(" ")));
    }
}
