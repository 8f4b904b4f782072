//! Do the expressions of a ValidatingAdmissionPolicy fit the kinds that it is about?
//!
//! What does not fit is no reason to refuse the policy: it is told in its status, as warnings.
//! Source: `pkg/controller/validatingadmissionpolicystatus`; apiserver `pkg/admission/plugin/policy/validating/typechecking.go`.

use api::{
    ApiStatus, Kind, Object, Stored,
    cel::{PolicyNames, Program, Type, policy_names, type_of},
};
use serde_json::{Value, json};

use crate::{Change, Controller, Key, Next, Store, Turn};

/// The controller.
pub(crate) struct PolicyStatus;

/// Of how many kinds at most something is said.
const MOST_KINDS: usize = 10;

impl Controller for PolicyStatus {
    fn name(&self) -> &'static str {
        "validatingadmissionpolicy-status"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == Kind::ValidatingAdmissionPolicy && change.after.is_some() {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(Object::Stored(policy)) = turn.store().object(key).map(|it| (**it).clone()) else {
            return Ok(Next::Done);
        };
        let generation = json!(policy.metadata.generation.unwrap_or(1));
        let seen = policy.body.get("status").map(|status| &status["observedGeneration"]);
        if policy.metadata.deletion_timestamp.is_some() || seen == Some(&generation) {
            return Ok(Next::Done);
        }
        let warnings = warnings(&policy);
        let checked = if warnings.is_empty() { json!({}) } else { json!({"expressionWarnings": warnings}) };
        let mut policy = policy;
        let status = json!({"observedGeneration": generation, "typeChecking": checked});
        policy.body.insert("status".to_owned(), status);
        turn.update_status_object(Object::Stored(policy))?;
        Ok(Next::Done)
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The kinds that a policy names one by one.
fn kinds(spec: &Value) -> Vec<Kind> {
    let mut all = Vec::new();
    for rule in items(&spec["matchConstraints"]["resourceRules"]) {
        let names = |field: &str| -> Vec<&str> { items(&rule[field]).filter_map(Value::as_str).collect() };
        let is = |list: &[&str], word: &str| list.contains(&word);
        let (groups, versions, resources) = (names("apiGroups"), names("apiVersions"), names("resources"));
        for kind in Kind::EVERY.iter().copied() {
            let info = kind.info();
            if is(&groups, info.group) && is(&versions, info.version) && is(&resources, info.plural) {
                all.push(kind);
            }
        }
    }
    all.truncate(MOST_KINDS);
    all
}

fn warnings(policy: &Stored) -> Vec<Value> {
    let spec = policy.body.get("spec").unwrap_or(&Value::Null);
    let kinds: Vec<(Kind, Type)> =
        kinds(spec).into_iter().filter_map(|kind| Some((kind, type_of(kind)?))).collect();
    let mut found = Vec::new();
    for (n, validation) in items(&spec["validations"]).enumerate() {
        for field in ["expression", "messageExpression"] {
            let Some(text) = validation[field].as_str().filter(|text| !text.is_empty()) else { continue };
            let said: String = kinds
                .iter()
                .filter_map(|(kind, type_)| {
                    let why = fits(spec, type_, text).err()?;
                    let info = kind.info();
                    Some(format!("{}/{}, Kind={}: {why}\n", info.group, info.version, info.kind))
                })
                .collect();
            if !said.is_empty() {
                found.push(json!({"fieldRef": format!("spec.validations[{n}].{field}"), "warning": said}));
            }
        }
    }
    found
}

/// Compiles an expression as one about objects of a type.
fn fits(spec: &Value, object: &Type, text: &str) -> Result<(), String> {
    let mut variables: Vec<(String, Type)> = Vec::new();
    let params = (!spec["paramKind"].is_null()).then_some(&Type::Dyn);
    let names = |variables: &[(String, Type)]| {
        let variables = (!variables.is_empty()).then_some(variables);
        policy_names(PolicyNames { object: Some(object), params, authorizer: true, variables })
    };
    for variable in items(&spec["variables"]) {
        let text = variable["expression"].as_str().unwrap_or_default();
        let type_ = Program::compile(text, &names(&variables)).map_or(Type::Dyn, |it| it.result().clone());
        variables.push((variable["name"].as_str().unwrap_or_default().to_owned(), type_));
    }
    Program::compile(text, &names(&variables)).map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]
    use serde_json::json;

    use crate::fixture::{HERE, cluster, create, settle};

    #[test]
    fn a_field_that_the_kind_does_not_have_is_told_in_the_status() {
        let mut world = cluster();
        create(
            &mut world,
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "typed"}, "spec": {"matchConstraints": {"resourceRules": [{"apiGroups": [""],
                "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
                "validations": [{"expression": "object.spec.containers.all(c, c.imagge != 'x')"},
                    {"expression": "object.spec.hostNetwork != true"}]}}),
        )
        .unwrap();
        settle(&mut world);
        let key = crate::Key::new(HERE, api::Kind::ValidatingAdmissionPolicy, "", "typed");
        // As kube-apiserver 1.34 says it.
        assert_eq!(
            world.store().object(&key).unwrap().to_value()["status"],
            json!({"observedGeneration": 1, "typeChecking": {"expressionWarnings": [{
                "fieldRef": "spec.validations[0].expression",
                "warning": "/v1, Kind=Pod: ERROR: <input>:1:32: undefined field 'imagge'\n | \
                            object.spec.containers.all(c, c.imagge != 'x')\n | ...............................^\n"}]}})
        );
    }
}
