//! Which templates has a set had?
//!
//! A DaemonSet and a StatefulSet keep each as a `ControllerRevision`. The newest is the one wanted now; an old template
//! that comes back becomes the newest again. Source: `pkg/controller/history/controller_history.go`.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    ApiStatus, Kind, Object, Resource, Stored, k8s::core::v1::PodTemplateSpec, label::Selector,
    meta::ObjectMeta, validate::Release,
};
use serde_json::{Value, json};

use super::{controller_of, managed_by};
use crate::{Key, Turn, draw};

/// Tells pods of one revision from those of another.
pub(super) const HASH_LABEL: &str = "controller-revision-hash";

/// One of a set's templates.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Revision {
    key: Key,
    /// Its place among the set's revisions, from 1.
    number: i64,
    /// What the pods of a DaemonSet carry as their hash.
    pub hash: String,
    /// `{"spec": {"template": …}}`, a patch that brings the template back.
    pub data: Value,
}

impl Revision {
    /// Its name, which a StatefulSet's pods carry as their hash.
    pub fn name(&self) -> &str {
        &self.key.name
    }
}

/// From this release on a time that is not set is not written.
/// Source: k8s.io/apimachinery v0.34 `ObjectMeta`, `omitzero`.
const OMITS_ZERO: Release = Release { minor: 34, patch: 0 };

/// A set's template, as a revision of this release keeps it.
pub(super) fn data_of(template: &PodTemplateSpec, release: Release) -> Value {
    let mut template = serde_json::to_value(template).unwrap_or_default();
    if release < OMITS_ZERO && template["metadata"].get("creationTimestamp").is_none() {
        template["metadata"]["creationTimestamp"] = Value::Null;
    }
    template["$patch"] = json!("replace");
    json!({"spec": {"template": template}})
}

/// The hash of a revision: 32-bit FNV-1 of its JSON and the count of collisions, as generated names are written.
pub(super) fn hash_of(data: &Value, collisions: i32) -> String {
    // Go escapes what a browser could take for HTML.
    let text = data.to_string().replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    let bytes = text.bytes().chain(collisions.to_string().into_bytes());
    let number = bytes.fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(byte));
    draw::safe_encode(&number.to_string())
}

fn hash_label(meta: &ObjectMeta) -> String {
    meta.labels.as_ref().and_then(|labels| labels.get(HASH_LABEL)).cloned().unwrap_or_default()
}

/// Every revision of a set, the oldest first.
pub(super) fn all(turn: &Turn<'_>, uid: &str) -> Vec<Revision> {
    let owned = turn.store().owned_by(turn.cluster(), uid);
    let revisions = owned.filter_map(|(key, object)| match &**object {
        Object::Stored(stored) if stored.kind == Kind::ControllerRevision => Some(Revision {
            key: key.clone(),
            number: stored.body.get("revision").and_then(Value::as_i64).unwrap_or(0),
            hash: hash_label(&stored.metadata),
            data: stored.body.get("data").cloned().unwrap_or_default(),
        }),
        _ => None,
    });
    let mut revisions: Vec<Revision> = revisions.collect();
    revisions.sort_by(|a, b| (a.number, &a.key).cmp(&(b.number, &b.key)));
    revisions
}

/// Takes over revisions that belong to nobody and have the set's labels: an earlier set of this name left them.
/// # Errors
/// A refusal by the API server.
pub(super) fn adopt<R: Resource>(
    turn: &mut Turn<'_>,
    set: &R,
    selector: Option<&Selector>,
) -> Result<(), ApiStatus> {
    let nothing = BTreeMap::new();
    let namespace = set.meta().namespace.as_deref();
    let revisions = turn.store().objects(turn.cluster(), Kind::ControllerRevision, namespace);
    let orphans = revisions.filter(|(_, it)| {
        let labels = it.meta().labels.as_ref().unwrap_or(&nothing);
        controller_of(it.meta()).is_none() && selector.is_some_and(|it| it.matches(labels))
    });
    let orphans: Vec<Object> = orphans.map(|(_, it)| (**it).clone()).collect();
    for mut orphan in orphans {
        orphan.meta_mut().owner_references.get_or_insert_default().push(managed_by(set));
        turn.update_object(orphan)?;
    }
    Ok(())
}

/// The revision of the template that is wanted now, made the newest. If it has to be made, `mark` says how its name ends and
/// which labels it has.
/// # Errors
/// A refusal by the API server.
pub(super) fn newest<R: Resource>(
    turn: &mut Turn<'_>,
    set: &R,
    data: Value,
    mark: impl FnOnce(&Turn<'_>, &Value) -> (String, BTreeMap<String, String>),
) -> Result<Revision, ApiStatus> {
    let meta = set.meta();
    let had = all(turn, meta.uid.as_deref().unwrap_or_default());
    let highest = had.last().map_or(0, |it| it.number);
    if let Some(same) = had.into_iter().rev().find(|it| it.data == data) {
        if same.number == highest {
            return Ok(same);
        }
        let number = highest + 1;
        if let Some(Object::Stored(mut stored)) = turn.store().object(&same.key).map(|it| (**it).clone()) {
            stored.body.insert("revision".to_owned(), json!(number));
            turn.put(Object::Stored(stored));
        }
        return Ok(Revision { number, ..same });
    }
    let (suffix, marks) = mark(turn, &data);
    let (namespace, set_name) =
        (meta.namespace.clone().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
    let key = turn.key(Kind::ControllerRevision, &namespace, &format!("{set_name}-{suffix}"));
    let number = highest + 1;
    let metadata = ObjectMeta {
        name: Some(key.name.to_string()),
        namespace: Some(namespace),
        labels: Some(marks),
        annotations: meta.annotations.clone(),
        owner_references: Some(vec![managed_by(set)]),
        ..ObjectMeta::default()
    };
    let hash = hash_label(&metadata);
    let body = json!({"revision": number, "data": data}).as_object().cloned().unwrap_or_default();
    turn.create_object(Object::Stored(Box::new(Stored { kind: Kind::ControllerRevision, metadata, body })))?;
    Ok(Revision { key, number, hash, data })
}

/// Removes so many of the oldest revisions that are not among `live`.
/// # Errors
/// A refusal by the API server.
pub(super) fn trim(
    turn: &mut Turn<'_>,
    uid: &str,
    live: &BTreeSet<String>,
    surplus: usize,
) -> Result<(), ApiStatus> {
    let idle = all(turn, uid).into_iter().filter(|it| !live.contains(it.name()));
    for revision in idle.take(surplus).collect::<Vec<_>>() {
        turn.delete(&revision.key, None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use api::k8s::apps::v1::StatefulSet;

    use super::*;

    /// Recorded from a real controller: `vectors/session`, `o-statefulset-ordinals`.
    #[test]
    fn a_stateful_set_of_nginx_has_the_hash_that_the_real_controller_gave_it() {
        let data = |image: &str| {
            json!({"spec": {"template": {"$patch": "replace", "metadata": {"labels": {"app": "db"}}, "spec": {
                "containers": [{"name": "c", "image": image, "resources": {}, "imagePullPolicy": "IfNotPresent",
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
                "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
                "securityContext": {}, "schedulerName": "default-scheduler"}}}})
        };
        assert_eq!(hash_of(&data("nginx:1.27"), 0), "67956f8f98");
        assert_eq!(hash_of(&data("nginx:1.28"), 0), "65f65559f9");
    }

    /// Recorded from 1.32.13: `vectors/kubectl`, state S1.
    #[test]
    fn an_older_release_writes_the_time_that_is_not_set() {
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
            "spec": {"selector": {"matchLabels": {"app": "db"}}, "serviceName": "db", "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [{"name": "pg", "image": "postgres:16", "resources": {}, "imagePullPolicy": "IfNotPresent",
                    "ports": [{"containerPort": 5432, "protocol": "TCP"}],
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
                "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
                "securityContext": {}, "schedulerName": "default-scheduler"}}}});
        let set = Object::from_value(Kind::StatefulSet, set).expect("a set");
        let set = set.get::<StatefulSet>().and_then(|set| set.spec.as_ref()).expect("a spec");
        assert_eq!(hash_of(&data_of(&set.template, Release { minor: 32, patch: 13 }), 0), "546bbb9f7f");
        assert_ne!(hash_of(&data_of(&set.template, OMITS_ZERO), 0), "546bbb9f7f");
    }
}
