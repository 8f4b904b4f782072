//! Volumes of pods and persistent volumes.
//!
//! Sources are known by the lines they print; what is not listed here prints `<unknown>`.

use serde_json::Value;

use super::{storage, writer::Writer};
use crate::kubectl::field::{at, int, list, map, name_of, text, word};

/// `Volumes:`.
pub(super) fn volumes(w: &mut Writer, all: &[Value], space: &str) {
    if all.is_empty() {
        w.raw(&format!("{space}Volumes:\t<none>\n"));
        return;
    }
    w.raw(&format!("{space}Volumes:\n"));
    for volume in all {
        let indent = if space.is_empty() { "" } else { " " };
        w.line(1, format!("{indent}{}:", name_of(volume)));
        if !source(w, volume) {
            w.line(1, "<unknown>");
        }
    }
}

/// How a field is shown.
#[derive(Clone, Copy)]
enum Shown {
    Text,
    /// A switch, off if it is not there.
    Switch,
    /// A number, 0 if it is not there.
    Number,
    /// A text, and the word for none.
    Or(&'static str),
    /// A list as Go prints it.
    List,
}
use Shown::{List, Number, Or, Switch, Text};

type Field = (&'static str, &'static str, Shown);

/// Sources whose fields stand one a line: field, what it is, title and field of each line.
const PLAIN: &[(&str, &str, &[Field])] = &[
    (
        "hostPath",
        "HostPath (bare host directory volume)",
        &[("Path", "path", Text), ("HostPathType", "type", Or("<none>"))],
    ),
    (
        "awsElasticBlockStore",
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        &[
            ("VolumeID", "volumeID", Text),
            ("FSType", "fsType", Text),
            ("Partition", "partition", Number),
            ("ReadOnly", "readOnly", Switch),
        ],
    ),
    (
        "gcePersistentDisk",
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        &[
            ("PDName", "pdName", Text),
            ("FSType", "fsType", Text),
            ("Partition", "partition", Number),
            ("ReadOnly", "readOnly", Switch),
        ],
    ),
    (
        "gitRepo",
        "GitRepo (a volume that is pulled from git when the pod is created)",
        &[("Repository", "repository", Text), ("Revision", "revision", Text)],
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        &[("SecretName", "secretName", Text), ("Optional", "optional", Switch)],
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        &[("Name", "name", Text), ("Optional", "optional", Switch)],
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[("Server", "server", Text), ("Path", "path", Text), ("ReadOnly", "readOnly", Switch)],
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[("ClaimName", "claimName", Text), ("ReadOnly", "readOnly", Switch)],
    ),
    (
        "local",
        "LocalVolume (a persistent volume backed by local storage on a node)",
        &[("Path", "path", Text)],
    ),
    (
        "cephfs",
        "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        &[
            ("Monitors", "monitors", List),
            ("Path", "path", Text),
            ("User", "user", Text),
            ("SecretFile", "secretFile", Text),
            ("SecretRef", "secretRef", Or("nil")),
            ("ReadOnly", "readOnly", Switch),
        ],
    ),
    (
        "image",
        "Image (a container image or OCI artifact)",
        &[("Reference", "reference", Text), ("PullPolicy", "pullPolicy", Text)],
    ),
];

/// The lines of one source; false if it is none of those known.
pub(super) fn source(w: &mut Writer, volume: &Value) -> bool {
    for (field, what, lines) in PLAIN {
        let Some(of) = volume.get(field) else { continue };
        w.line(2, format!("Type:\t{what}"));
        for (title, field, shown) in *lines {
            w.line(2, format!("{title}:\t{}", one(at(of, field), *shown)));
        }
        return true;
    }
    if let Some(dir) = volume.get("emptyDir") {
        let limit = word(at(dir, "sizeLimit"));
        let limit = if limit.is_empty() || limit == "0" { "<unset>" } else { &limit };
        w.line(2, "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)");
        w.line(2, format!("Medium:\t{}", text(dir, "medium")));
        w.line(2, format!("SizeLimit:\t{limit}"));
    } else if let Some(csi) = volume.get("csi") {
        csi_lines(w, csi);
    } else if let Some(projected) = volume.get("projected") {
        w.line(2, "Type:\tProjected (a volume that contains injected data from multiple sources)");
        for source in list(projected, "sources") {
            projection(w, source);
        }
    } else if let Some(downward) = volume.get("downwardAPI") {
        w.line(2, "Type:\tDownwardAPI (a volume populated by information about the pod)");
        w.line(2, "Items:");
        for item in list(downward, "items") {
            for path in ["fieldRef.fieldPath", "resourceFieldRef.resource"] {
                if !text(item, path).is_empty() {
                    w.line(3, format!("{} -> {}", text(item, path), text(item, "path")));
                }
            }
        }
    } else if let Some(ephemeral) = volume.get("ephemeral") {
        w.line(
            2,
            "Type:\tEphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
        );
        let mut claim = Writer::default();
        storage::claim_lines(&mut claim, at(ephemeral, "volumeClaimTemplate"), None);
        for line in claim.unaligned().lines() {
            w.line(2, line);
        }
    } else {
        return false;
    }
    true
}

fn one(value: &Value, shown: Shown) -> String {
    match shown {
        Text => word(value),
        Switch => (value == &Value::Bool(true)).to_string(),
        Number => value.as_i64().unwrap_or_default().to_string(),
        Or(none) if value.is_null() => none.to_owned(),
        Or(_) => word(value),
        List => {
            let all: Vec<String> = value.as_array().into_iter().flatten().map(word).collect();
            format!("[{}]", all.join(" "))
        }
    }
}

fn csi_lines(w: &mut Writer, csi: &Value) {
    w.line(2, "Type:\tCSI (a Container Storage Interface (CSI) volume source)");
    w.line(2, format!("Driver:\t{}", text(csi, "driver")));
    w.line(2, format!("FSType:\t{}", text(csi, "fsType")));
    if !text(csi, "volumeHandle").is_empty() {
        w.line(2, format!("VolumeHandle:\t{}", text(csi, "volumeHandle")));
    }
    w.line(2, format!("ReadOnly:\t{}", one(at(csi, "readOnly"), Switch)));
    let attributes: Vec<String> =
        map(csi, "volumeAttributes").map(|(k, v)| format!("{k}={}", word(v))).collect();
    match attributes.split_first() {
        None => w.line(2, "VolumeAttributes:\t<none>"),
        Some((first, rest)) => {
            w.line(2, format!("VolumeAttributes:\t    {first}"));
            for line in rest {
                // UPSTREAM: each part of such a line is indented by itself.
                w.line(2, format!("    \t    {line}"));
            }
        }
    }
}

fn projection(w: &mut Writer, source: &Value) {
    let nil = |value: &Value| if value.is_null() { "<nil>".to_owned() } else { value.to_string() };
    if let Some(secret) = source.get("secret") {
        w.line(2, format!("SecretName:\t{}", name_of(secret)));
        w.line(2, format!("SecretOptionalName:\t{}", nil(at(secret, "optional"))));
    } else if source.get("downwardAPI").is_some() {
        w.line(2, "DownwardAPI:\ttrue");
    } else if let Some(map) = source.get("configMap") {
        w.line(2, format!("ConfigMapName:\t{}", name_of(map)));
        w.line(2, format!("ConfigMapOptional:\t{}", nil(at(map, "optional"))));
    } else if let Some(token) = source.get("serviceAccountToken") {
        w.line(2, format!("TokenExpirationSeconds:\t{}", int(token, "expirationSeconds")));
    }
}
