//! `kubectl apply --server-side`, and how an object that was applied on the client's side before changes over.
//!
//! Source: kubectl `pkg/cmd/apply/apply.go` (`saveLastApplyAnnotationIfNecessary`, `migrateToSSAIfNecessary`).

use api::{Kind, managed};
use cluster::PatchKind;
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, apply::LAST, field};

/// What to do about fields that somebody else owns.
const REVIEW: &str = "Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// As whom kubectl applies unless told otherwise.
const KUBECTL: &str = "kubectl";

type At<'a> = (Kind, &'a str, &'a str);

/// Applies a manifest; what the server then has.
pub(super) fn apply(kube: &mut Kube<'_, '_>, at: At<'_>, wanted: &Value, dry: bool) -> Done<Value> {
    let how = PatchKind::Apply { force: kube.given.on("force-conflicts") };
    let applied = kube.patch_part(at, "", how, wanted.clone(), dry).map_err(|fail| match fail {
        Fail::Server(status) if status.reason == "Conflict" => {
            Fail::Error(format!("{}\n{REVIEW}", status.message))
        }
        other => other,
    })?;
    let manager = kube.given.value("field-manager").filter(|it| !it.is_empty()).unwrap_or(KUBECTL).to_owned();
    let mut object = applied;
    let later = |kube: &mut Kube<'_, '_>, what: &str, fail: &Fail| {
        let why = fail.bare();
        kube.out.err(&format!(
            "Warning: {what}. This is non-fatal and will be retried next time you apply. Error: {why}"
        ));
    };
    match save_annotation(kube, at, &object, &manager, dry) {
        Ok(None) => {}
        Ok(Some(saved)) => object = saved,
        Err(fail) => {
            later(
                kube,
                "failed to migrate kubectl.kubernetes.io/last-applied-configuration for Server-Side Apply",
                &fail,
            );
            return Ok(object);
        }
    }
    match migrate(kube, at, &object, &manager, dry) {
        Ok(None) => return Ok(object),
        Ok(Some(migrated)) => object = migrated,
        Err(fail) => {
            later(kube, "server rejected managed fields migration to Server-Side Apply", &fail);
            return Ok(object);
        }
    }
    // Fields that only the old manager had held can go now.
    match kube.patch_part(at, "", how, wanted.clone(), dry) {
        Ok(again) => object = again,
        Err(fail) => later(
            kube,
            "failed to re-apply configuration after performing Server-Side Apply migration",
            &fail,
        ),
    }
    Ok(object)
}

fn owners(object: &Value) -> &[Value] {
    field::at(object, "metadata.managedFields").as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Gives the annotation to a manager of its own, so that it does not go with the first manifest that lacks it.
fn save_annotation(
    kube: &mut Kube<'_, '_>,
    at: At<'_>,
    object: &Value,
    manager: &str,
    dry: bool,
) -> Done<Option<Value>> {
    let annotation = field::at(object, "metadata.annotations").get(LAST);
    let Some(annotation) = annotation.filter(|_| manager == KUBECTL && !managed::is_applied(owners(object)))
    else {
        return Ok(None);
    };
    let mut only = json!({"apiVersion": object["apiVersion"], "kind": object["kind"],
        "metadata": {"name": field::name(object), "annotations": {LAST: annotation}}});
    if !field::namespace(object).is_empty() {
        only["metadata"]["namespace"] = field::namespace(object).into();
    }
    kube.apply_as("kubectl-last-applied", at, only, dry).map(Some)
}

/// Makes who applied on the client's side the one who applies on the server's.
fn migrate(
    kube: &mut Kube<'_, '_>,
    at: At<'_>,
    object: &Value,
    manager: &str,
    dry: bool,
) -> Done<Option<Value>> {
    let Some(owners) = managed::upgraded(owners(object), manager) else { return Ok(None) };
    let patch = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": owners},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": field::at(object, "metadata.resourceVersion")},
    ]);
    kube.patch_part(at, "", PatchKind::Json, patch, dry).map(Some)
}
