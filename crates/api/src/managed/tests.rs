#![allow(clippy::needless_pass_by_value, reason = "a line of JSON is handed over")]
use serde_json::{Value, json};

use super::{Of, Writer, apply, unfold, update};
use crate::{
    Kind,
    meta::{FieldsV1, ManagedFieldsEntry, Time},
};

fn writer<'a>(manager: &'a str, now: &'a Time) -> Writer<'a> {
    Writer { manager, part: "", now, splits_status: true }
}

fn now() -> Time {
    Time("2026-03-02T09:00:00Z".parse().expect("a time"))
}

fn owned(entries: &[ManagedFieldsEntry]) -> Vec<String> {
    let fields = |it: &ManagedFieldsEntry| it.fields_v1.as_ref().map(unfolded).unwrap_or_default();
    entries.iter().map(|it| format!("{} {}", it.manager.clone().unwrap_or_default(), fields(it))).collect()
}

fn unfolded(fields: &FieldsV1) -> Value {
    let mut object = json!({"metadata": {"managedFields": [{"fieldsV1": fields}]}});
    unfold(&mut object);
    object["metadata"]["managedFields"][0]["fieldsV1"].take()
}

const CONFIG: Of<'static> = Of { kind: Kind::ConfigMap, schema: None };

fn config(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}, "data": data})
}

#[test]
fn who_creates_owns_what_was_created_and_who_changes_takes_it_over() {
    let now = now();
    let first = update(
        CONFIG,
        &[],
        &Value::Null,
        &config(json!({"a": "1", "b": "1"})),
        writer("kubectl-create", &now),
    );
    assert_eq!(owned(&first), ["kubectl-create {\"f:data\":{\".\":{},\"f:a\":{},\"f:b\":{}}}"]);
    let (old, new) = (config(json!({"a": "1", "b": "1"})), config(json!({"a": "2"})));
    let second = update(CONFIG, &first, &old, &new, writer("kubectl-replace", &now));
    assert_eq!(
        owned(&second),
        ["kubectl-create {\"f:data\":{}}", "kubectl-replace {\"f:data\":{\"f:a\":{}}}"]
    );
}

#[test]
fn what_another_owns_is_a_conflict_unless_forced() {
    let now = now();
    let live = config(json!({"a": "1"}));
    let had = update(CONFIG, &[], &Value::Null, &live, writer("kubectl-replace", &now));
    let wanted = config(json!({"a": "ssa"}));
    let refused = apply(CONFIG, &had, &live, &wanted, writer("kubectl", &now), false);
    assert_eq!(
        refused.expect_err("a conflict").message,
        "Apply failed with 1 conflict: conflict with \"kubectl-replace\" using v1: .data.a"
    );
    let (merged, entries) =
        apply(CONFIG, &had, &live, &wanted, writer("kubectl", &now), true).expect("forced");
    assert_eq!(merged["data"], json!({"a": "ssa"}));
    assert_eq!(owned(&entries), ["kubectl {\"f:data\":{\"f:a\":{}}}", "kubectl-replace {\"f:data\":{}}"]);
    let robot =
        apply(CONFIG, &entries, &merged, &config(json!({"a": "other"})), writer("robot", &now), false);
    assert_eq!(
        robot.expect_err("a conflict").message,
        "Apply failed with 1 conflict: conflict with \"kubectl\": .data.a"
    );
}

#[test]
fn what_is_not_applied_any_more_goes_unless_another_has_it() {
    let now = now();
    let both = config(json!({"a": "1", "b": "1"}));
    let (live, had) =
        apply(CONFIG, &[], &Value::Null, &both, writer("kubectl", &now), false).expect("applied");
    let (live, had) =
        apply(CONFIG, &had, &live, &config(json!({"b": "1"})), writer("robot", &now), false).expect("shared");
    let (live, _) =
        apply(CONFIG, &had, &live, &config(json!({})), writer("kubectl", &now), false).expect("applied");
    assert_eq!(live["data"], json!({"b": "1"}));
}

#[test]
fn items_of_a_keyed_list_have_owners_of_their_own() {
    let now = now();
    let of = Of { kind: Kind::Pod, schema: None };
    let pod = |containers: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}});
    let web = pod(json!([{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}]));
    let (live, had) = apply(of, &[], &Value::Null, &web, writer("kubectl", &now), false).expect("applied");
    let side = pod(json!([{"name": "side", "image": "busybox"}]));
    let (live, had) = apply(of, &had, &live, &side, writer("robot", &now), false).expect("no conflict");
    assert_eq!(live["spec"]["containers"].as_array().map(Vec::len), Some(2));
    let fields = had[0].fields_v1.as_ref().map(unfolded).unwrap_or_default();
    let port = &fields["f:spec"]["f:containers"]["k:{\"name\":\"web\"}"]["f:ports"];
    assert!(port["k:{\"containerPort\":80,\"protocol\":\"TCP\"}"]["f:containerPort"].is_object(), "{fields}");
    let other = pod(json!([{"name": "web", "image": "nginx:2"}]));
    let refused = apply(of, &had, &live, &other, writer("robot", &now), false).expect_err("a conflict");
    assert!(
        refused.message.ends_with("conflict with \"kubectl\": .spec.containers[name=\"web\"].image"),
        "{}",
        refused.message
    );
}

#[test]
fn a_manifest_that_is_not_of_its_kinds_form_is_refused_before_it_is_merged() {
    let now = now();
    let of = Of { kind: Kind::Deployment, schema: None };
    let said = |spec: Value| {
        let manifest = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default"}, "spec": spec});
        let refused =
            apply(of, &[], &Value::Null, &manifest, writer("kubectl", &now), false).expect_err("a refusal");
        refused.message.replacen(
            "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): ",
            "",
            1,
        )
    };
    let pod = |spec: Value| json!({"template": {"spec": spec}});
    // As kube-apiserver 1.34 says it.
    for (spec, wanted) in [
        (json!({"replica": 2}), ".spec.replica: field not declared in schema"),
        (
            pod(json!({"containers": {"name": "c"}})),
            ".spec.template.spec.containers: expected list, got &{map[name:c]}",
        ),
        (
            pod(json!({"containers": [{"name": "c", "env": [{"name": "A"}, {"name": "A"}],
                "ports": [{"containerPort": 80}, {"containerPort": 80}]}]})),
            "errors:\n  .spec.template.spec.containers[name=\"c\"].env: duplicate entries for key [name=\"A\"]\n  \
             .spec.template.spec.containers[name=\"c\"].ports: duplicate entries for key [containerPort=80,protocol=\"TCP\"]",
        ),
    ] {
        assert_eq!(said(spec), wanted);
    }
}
