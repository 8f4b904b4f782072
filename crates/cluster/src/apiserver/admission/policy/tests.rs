#![allow(clippy::needless_pass_by_value, reason = "a line of JSON is handed over")]
#![allow(clippy::unwrap_used, reason = "tests say what must hold")]
use serde_json::{Value, json};

use crate::{
    World,
    fixture::{cluster, config, create, delete, merge},
};

const VERSION: &str = "admissionregistration.k8s.io/v1";

/// A policy about ConfigMaps with its binding.
fn policy(world: &mut World, spec: Value, binding: Value) {
    let mut whole = json!({"matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE", "DELETE"], "resources": ["configmaps"]}]}});
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let policy = json!({"apiVersion": VERSION, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"}, "spec": whole});
    create(world, policy).unwrap();
    let mut bound = json!({"policyName": "p", "validationActions": ["Deny"]});
    bound.as_object_mut().unwrap().extend(binding.as_object().unwrap().clone());
    let binding = json!({"apiVersion": VERSION, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "b"}, "spec": bound});
    create(world, binding).unwrap();
}

fn said(spec: Value) -> String {
    let mut world = cluster();
    policy(&mut world, spec, json!({}));
    create(&mut world, config("c")).map_or_else(|error| error, |_| String::new())
}

#[test]
fn a_breach_is_refused_in_the_words_of_the_policy() {
    let start =
        "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";
    for (validation, words) in [
        (json!({"expression": "has(object.data)"}), String::new()),
        (json!({"expression": "size(object.data) > 5", "message": "too small"}), format!("{start}too small")),
        (
            json!({"expression": "size(object.data) > 5"}),
            format!("{start}failed expression: size(object.data) > 5"),
        ),
        (
            json!({"expression": "false", "messageExpression": "'not ' + object.metadata.name"}),
            format!("{start}not c"),
        ),
        (
            json!({"expression": "object.spec.size > 1"}),
            format!("{start}expression 'object.spec.size > 1' resulted in error: no such key: spec"),
        ),
    ] {
        assert_eq!(said(json!({"validations": [validation]})), words);
    }
}

#[test]
fn conditions_and_variables_come_before_the_validations() {
    let validations = json!([{"expression": "variables.keys > 5"}]);
    let variables = json!([{"name": "keys", "expression": "size(object.data)"}]);
    let said_with = |condition: &str| {
        said(
            json!({"validations": validations, "variables": variables, "matchConditions": [{"name": "n", "expression": condition}]}),
        )
    };
    assert_eq!(said_with("request.operation == 'DELETE'"), "");
    assert!(said_with("request.name == 'c'").ends_with("failed expression: variables.keys > 5"));
}

#[test]
fn warnings_let_the_request_pass() {
    let mut world = cluster();
    policy(
        &mut world,
        json!({"validations": [{"expression": "false", "message": "no"}]}),
        json!({"validationActions": ["Warn"]}),
    );
    create(&mut world, config("c")).unwrap();
    assert_eq!(
        world.last_asked().unwrap().warnings,
        ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no"]
    );
}

#[test]
fn parameters_come_from_the_object_that_the_binding_names() {
    let mut world = cluster();
    let spec = json!({"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [{"expression": "size(object.data) <= int(params.data.a)", "message": "too many"}]});
    let mut limits = config("limits");
    limits["data"] = json!({"a": "1"});
    create(&mut world, limits).unwrap();
    let reference = json!({"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"});
    policy(&mut world, spec, json!({"paramRef": reference}));
    create(&mut world, config("c")).unwrap();
    let error =
        merge(&mut world, api::Kind::ConfigMap, "c", json!({"data": {"x": "1", "y": "2"}})).unwrap_err();
    assert!(error.ends_with("denied request: too many"), "{error}");
}

#[test]
fn a_deletion_is_asked_about_what_goes() {
    let mut world = cluster();
    create(&mut world, config("c")).unwrap();
    policy(
        &mut world,
        json!({"validations": [{"expression": "request.operation != 'DELETE' || oldObject.metadata.name != 'c'"}]}),
        json!({}),
    );
    assert!(delete(&mut world, api::Kind::ConfigMap, "c").unwrap_err().contains("denied request"));
}

#[test]
fn the_authorizer_is_asked_for_whoever_made_the_request() {
    let start =
        "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";
    let check = "authorizer.group('').resource('pods').namespace('default')";
    for (expression, words) in [
        // The cluster's creator may do anything.
        (format!("{check}.check('delete').allowed()"), String::new()),
        ("authorizer.requestResource.check('create').allowed()".to_owned(), String::new()),
        ("authorizer.path('/healthz').check('get').allowed()".to_owned(), String::new()),
        (
            "authorizer.serviceAccount('default', 'nobody').group('').resource('pods').check('get').allowed()".to_owned(),
            format!("{start}failed expression: authorizer.serviceAccount('default', 'nobody').group('').resource('pods').check('get').allowed()"),
        ),
        (
            format!("{check}.check('a').allowed() && {check}.check('b').allowed() && {check}.check('c').allowed()"),
            format!("{start}expression '{check}.check('a').allowed() && {check}.check('b').allowed() && {check}.check('c').allowed()' resulted in error: operation cancelled: actual cost limit exceeded"),
        ),
        (
            "authorizer.path('').check('get').allowed()".to_owned(),
            format!("{start}expression 'authorizer.path('').check('get').allowed()' resulted in error: path must not be empty"),
        ),
    ] {
        assert_eq!(said(json!({"validations": [{"expression": expression}]})), words);
    }
}
