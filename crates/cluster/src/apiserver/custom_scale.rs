//! How many are there of a custom kind, and how many are wanted?
//!
//! Its definition says where the numbers stand. Source: apiextensions-apiserver `pkg/registry/customresource/etcd.go`, `ScaleREST`.

use api::{ApiStatus, Kind, Object, custom::Scale};
use serde_json::{Value, json};

use crate::{
    ApiVerb,
    apiserver::{Call, decode, definitions, method_not_allowed, no_such_resource, read, update},
    request::Stage,
};

/// Answers a request about the `scale` of a custom object.
pub(super) fn serve(
    call: &mut Call<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    verb: ApiVerb,
) -> Result<Value, ApiStatus> {
    let version = definitions::version(call.world.store(), call.cluster, kind);
    let Some(scale) = version.as_ref().and_then(|version| version.scale.as_ref()) else {
        return Err(no_such_resource());
    };
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
    Ok(shown(scale, &*update::update(call, "", object)?))
}

/// The `autoscaling/v1` Scale of an object.
fn shown(scale: &Scale, object: &Object) -> Value {
    let (value, meta) = (object.to_value(), object.meta());
    let number = |path: &str| definitions::at(&value, path).cloned().unwrap_or(json!(0));
    let mut status = json!({"replicas": number(&scale.status)});
    if let Some(selector) = scale.selector.as_deref().and_then(|path| definitions::at(&value, path)) {
        status["selector"] = selector.clone();
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
