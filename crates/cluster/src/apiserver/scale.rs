//! How many are there, and how many are wanted?
//!
//! Where the numbers stand is the same for all workloads; of a custom kind its definition says it. Source:
//! `pkg/registry/apps/*/storage`; `ScaleREST` of apiextensions-apiserver's `pkg/registry/customresource/etcd.go`.

use api::{ApiStatus, Kind, Object, custom::Scale, label::Selector, meta::LabelSelector};
use serde_json::{Value, json};

use crate::{
    ApiVerb,
    apiserver::{Call, decode, definitions, method_not_allowed, read, update},
    request::Stage,
};

/// Answers a request about the `scale` of an object.
pub(super) fn serve(
    call: &mut Call<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    verb: ApiVerb,
) -> Result<Value, ApiStatus> {
    let version = definitions::version(call.world.store(), call.cluster, kind);
    let scale = match kind {
        Kind::Custom(_) => version
            .as_ref()
            .and_then(|it| it.scale.clone())
            .ok_or_else(|| ApiStatus::not_found(kind, name))?,
        _ => {
            Scale { spec: ".spec.replicas".to_owned(), status: ".status.replicas".to_owned(), selector: None }
        }
    };
    let scale = &scale;
    call.look_up();
    let old = read::get(call, kind, namespace, name)?;
    let wanted = match verb {
        ApiVerb::Get => return Ok(shown(scale, &old)),
        ApiVerb::Update(wanted) => wanted,
        ApiVerb::Patch(how, patch) => {
            let mut wanted = shown(scale, &old);
            decode::patch(kind, &mut wanted, how, &patch)?;
            wanted
        }
        ApiVerb::List { .. } | ApiVerb::Create(_) | ApiVerb::Delete { .. } => {
            return Err(method_not_allowed());
        }
    };
    call.enter(Stage::Decoding, "");
    let mut value = old.to_value();
    let replicas = wanted.pointer("/spec/replicas").cloned().unwrap_or(json!(0));
    definitions::put(&mut value, &scale.spec, replicas);
    if let Some(revision) = wanted.pointer("/metadata/resourceVersion") {
        definitions::put(&mut value, ".metadata.resourceVersion", revision.clone());
    }
    let object = decode::strict(kind, version.as_ref(), &value)?;
    Ok(shown(scale, &*update::update(call, "scale", object)?))
}

/// The `autoscaling/v1` Scale of an object.
fn shown(scale: &Scale, object: &Object) -> Value {
    let (value, meta) = (object.to_value(), object.meta());
    let number = |path: &str| definitions::at(&value, path).cloned().unwrap_or(json!(0));
    let mut status = json!({"replicas": number(&scale.status)});
    let selector = match object.kind() {
        Kind::Custom(_) => scale.selector.as_deref().and_then(|path| definitions::at(&value, path)).cloned(),
        _ => Some(json!(chosen(&value["spec"]["selector"]))),
    };
    if let Some(selector) = selector {
        status["selector"] = selector;
    }
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta.name,
            "namespace": meta.namespace,
            "uid": meta.uid,
            "resourceVersion": meta.resource_version,
            "creationTimestamp": meta.creation_timestamp,
        },
        "spec": {"replicas": number(&scale.spec)},
        "status": status,
    })
}

/// Whom a workload's selector chooses, as `kubectl -l` writes it; a ReplicationController's is a map of labels.
fn chosen(selector: &Value) -> String {
    let map = || serde_json::from_value(selector.clone()).ok();
    let labels = || Some(LabelSelector { match_labels: map(), ..LabelSelector::default() });
    let structured = serde_json::from_value(selector.clone()).ok();
    let read = structured.filter(|it: &LabelSelector| *it != LabelSelector::default()).or_else(labels);
    read.and_then(|it| Selector::from_label_selector(&it).ok()).map(|it| it.to_string()).unwrap_or_default()
}
