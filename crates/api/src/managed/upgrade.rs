//! How do the fields that kubectl applied on the client's side become ones that it applies on the server's?
//!
//! The entries of the managers that wrote the annotation of `kubectl apply` are merged into the one of the manager that
//! applies. It happens in kubectl, on the object as it came over the wire.
//! Source: client-go `util/csaupgrade/upgrade.go`.

use serde_json::Value;

use super::{LAST_APPLIED, Set};

fn fields(entry: &Value) -> Set {
    Set::of(&entry["fieldsV1"])
}

fn is(entry: &Value, manager: &str, operation: &str) -> bool {
    entry["manager"] == manager && entry["operation"] == operation && entry.get("subresource").is_none()
}

/// Whether an entry of this sort of operation owns the annotation of `kubectl apply`.
fn owns_annotation(entry: &Value, operation: &str) -> bool {
    let mut path = Set::default();
    path.insert(
        &["f:metadata", "f:annotations"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("f:{LAST_APPLIED}")])
            .collect::<Vec<_>>(),
    );
    entry["operation"] == operation && path.difference(&fields(entry)).is_empty()
}

/// Whether somebody applies the annotation of `kubectl apply`.
#[must_use]
pub fn is_applied(owners: &[Value]) -> bool {
    owners.iter().any(|entry| owns_annotation(entry, "Apply"))
}

/// The owners after what was applied on the client's side has moved to `manager`; nothing if nothing moves.
#[must_use]
pub fn upgraded(owners: &[Value], manager: &str) -> Option<Vec<Value>> {
    let mut all = owners.to_vec();
    for old in owners.iter().filter(|entry| owns_annotation(entry, "Update")) {
        let name = old["manager"].as_str().unwrap_or_default();
        let there = all.iter().position(|entry| is(entry, manager, "Apply"));
        let at = there.or_else(|| all.iter().position(|entry| is(entry, name, "Update")));
        let Some(at) = at else { continue };
        let mut target = all[at].clone();
        target["operation"] = "Apply".into();
        target["manager"] = manager.into();
        let same_version =
            |entry: &&Value| is(entry, name, "Update") && entry["apiVersion"] == target["apiVersion"];
        let moved = all.iter().find(same_version).map(fields).unwrap_or_default();
        target["fieldsV1"] = serde_json::to_value(fields(&target).union(&moved)).unwrap_or_default();
        all[at] = target;
        all.retain(|entry| !is(entry, name, "Update"));
    }
    (all != owners).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn what_was_applied_on_the_client_s_side_moves_to_who_applies() {
        let note = json!({"f:annotations": {LAST_APPLIED_FIELD: {}}});
        let old =
            entry("kubectl-client-side-apply", "Update", &json!({"f:metadata": note, "f:data": {"f:y": {}}}));
        let own = entry("kubectl", "Apply", &json!({"f:data": {"f:x": {}}}));
        let other = entry("kubectl-edit", "Update", &json!({"f:data": {"f:z": {}}}));
        let both = json!({"f:data": {"f:x": {}, "f:y": {}}, "f:metadata": note});
        let wanted = vec![entry("kubectl", "Apply", &both), other.clone()];
        assert_eq!(upgraded(&[own.clone(), old.clone(), other.clone()], "kubectl"), Some(wanted.clone()));
        assert_eq!(upgraded(&wanted, "kubectl"), None);
        assert!(is_applied(&wanted) && !is_applied(&[own, old, other]));
    }

    const LAST_APPLIED_FIELD: &str = "f:kubectl.kubernetes.io/last-applied-configuration";
}
