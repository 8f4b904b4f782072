//! What do the policies that the cluster's owner wrote hold against a request?
//!
//! A ValidatingAdmissionPolicy says what it is about and what must hold, in CEL; a binding says where, with which parameters, and
//! what follows from a breach: refusal, a warning, or a line in the audit log, which the lab does not keep.
//! Policies are asked in the order of their names; of several refusals the first is said.
//! Source: `k8s.io/apiserver/pkg/admission/plugin/policy/validating`.

pub(super) mod matching;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use api::{
    ApiStatus, Cause, Kind, Object,
    cel::{About, BUDGET, Check, PolicyNames, Program, Scope, Type, Val, Verdict, policy_names},
    k8s::core::v1::Namespace,
    label::Selector,
};
use serde_json::{Value, json};

use super::Review;
use crate::{
    Principal,
    apiserver::{forbidden, kind_of_manifest},
    auth::{self, Attributes},
};

/// What expressions may cost that say whether a request is meant. Source: `k8s.io/apiserver/pkg/apis/cel/config.go`.
const CONDITIONS: u64 = 2_500_000;

/// A breach.
struct Denial {
    message: String,
    reason: String,
}

/// What the policies say of a write.
pub(super) fn validate(
    review: &Review<'_>,
    object: &Object,
    warnings: &mut Vec<String>,
) -> Result<(), ApiStatus> {
    let operation = if review.is_create() { "CREATE" } else { "UPDATE" };
    check(review, operation, object, Some(object), warnings)
}

/// What the policies say of a deletion.
pub(super) fn validate_delete(
    review: &Review<'_>,
    object: &Object,
    warnings: &mut Vec<String>,
) -> Result<(), ApiStatus> {
    check(review, "DELETE", object, None, warnings)
}

/// Whether there is anything to check at all.
pub(super) fn is_used(review: &Review<'_>) -> bool {
    let mut bindings =
        review.world.store().objects(review.cluster, Kind::ValidatingAdmissionPolicyBinding, None);
    bindings.next().is_some()
}

fn check(
    review: &Review<'_>,
    operation: &str,
    about: &Object,
    new: Option<&Object>,
    warnings: &mut Vec<String>,
) -> Result<(), ApiStatus> {
    let store = review.world.store();
    if about.kind().info().group == "admissionregistration.k8s.io" {
        return Ok(());
    }
    let stored = |kind: Kind| {
        let objects = store.objects(review.cluster, kind, None);
        objects.filter_map(|(_, object)| match &**object {
            Object::Stored(stored) => Some(stored.as_ref()),
            _ => None,
        })
    };
    let asked = Asked::new(review, operation, about, new);
    let mut refusal = None;
    for policy in stored(Kind::ValidatingAdmissionPolicy) {
        let spec = policy.body.get("spec").unwrap_or(&Value::Null);
        if !matching::covers(review, &asked, &spec["matchConstraints"], true) {
            continue;
        }
        let name = policy.metadata.name.as_deref().unwrap_or_default();
        for binding in stored(Kind::ValidatingAdmissionPolicyBinding) {
            let bound = binding.body.get("spec").unwrap_or(&Value::Null);
            if bound["policyName"] != name
                || !matching::covers(review, &asked, &bound["matchResources"], false)
            {
                continue;
            }
            let by = binding.metadata.name.as_deref().unwrap_or_default();
            let denials = match params(review, spec, bound, about.namespace()) {
                Ok(all) => all.iter().flat_map(|params| asked.ask(review, spec, params)).collect(),
                Err(_) if spec["failurePolicy"] == "Ignore" => Vec::new(),
                Err(why) => {
                    let message = format!("failed to configure binding: {why}");
                    let denial = Denial { message, reason: String::new() };
                    refusal = refusal.or_else(|| Some(refuse(about, name, by, &denial)));
                    continue;
                }
            };
            for denial in denials {
                for action in bound["validationActions"].as_array().into_iter().flatten() {
                    match action.as_str() {
                        Some("Warn") => warnings.push(format!(
                            "Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{by}': {}",
                            denial.message
                        )),
                        Some("Deny") => {
                            refusal = refusal.or_else(|| Some(refuse(about, name, by, &denial)));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    refusal.map_or(Ok(()), Err)
}

fn refuse(about: &Object, policy: &str, binding: &str, denial: &Denial) -> ApiStatus {
    let message = format!(
        "ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {}",
        denial.message
    );
    let mut status = forbidden(about.kind(), about.name(), &message);
    let (code, reason) = match denial.reason.as_str() {
        "Unauthorized" => (401, "Unauthorized"),
        "Forbidden" => (403, "Forbidden"),
        "RequestEntityTooLarge" => (413, "RequestEntityTooLarge"),
        _ => (422, "Invalid"),
    };
    status.code = code;
    reason.clone_into(&mut status.reason);
    status.causes.push(Cause { reason: String::new(), message, field: String::new() });
    status
}

/// The objects that a binding gives its policy; one `null` where it gives none.
fn params(review: &Review<'_>, spec: &Value, bound: &Value, namespace: &str) -> Result<Vec<Value>, String> {
    let wanted = &spec["paramKind"];
    let reference = &bound["paramRef"];
    if wanted.is_null() || reference.is_null() {
        return Ok(vec![Value::Null]);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, name) = (text(&wanted["apiVersion"]), text(&wanted["kind"]));
    let store = review.world.store();
    let kind = kind_of_manifest(store, review.cluster, &version, &name).ok_or_else(|| {
        format!("failed to find resource referenced by paramKind: '{version}, Kind={name}'")
    })?;
    let own = text(&reference["namespace"]);
    let namespace = if own.is_empty() { namespace.to_owned() } else { own };
    let found: Vec<Value> = match reference["name"].as_str().filter(|name| !name.is_empty()) {
        Some(name) => {
            let key = crate::Key::new(review.cluster, kind, &namespace, name);
            store.object(&key).map(|object| object.to_value()).into_iter().collect()
        }
        None => {
            let selector = serde_json::from_value(reference["selector"].clone()).unwrap_or_default();
            let selector = Selector::from_label_selector(&selector).map_err(|error| error.to_string())?;
            let nothing = std::collections::BTreeMap::new();
            let objects = store.objects(review.cluster, kind, (!namespace.is_empty()).then_some(&namespace));
            let chosen = objects
                .filter(|(_, object)| selector.matches(object.meta().labels.as_ref().unwrap_or(&nothing)));
            chosen.map(|(_, object)| object.to_value()).collect()
        }
    };
    match (found.is_empty(), reference["parameterNotFoundAction"].as_str()) {
        (true, Some("Allow")) => Ok(Vec::new()),
        (true, _) => Err("no params found for policy binding with `Deny` parameterNotFoundAction".to_owned()),
        (false, _) => Ok(found),
    }
}

/// A request as expressions see it.
pub(super) struct Asked {
    operation: String,
    kind: Kind,
    part: &'static str,
    object: Value,
    old: Value,
    namespace: Value,
    request: Value,
}

impl Asked {
    pub(super) fn new(review: &Review<'_>, operation: &str, about: &Object, new: Option<&Object>) -> Self {
        let info = about.kind().info();
        let old = if operation == "DELETE" { Some(about) } else { review.old };
        let value = |object: Option<&Object>| object.map_or(Value::Null, Object::to_value);
        let namespace = review.world.store().get::<Namespace>(review.cluster, "", about.namespace());
        let (object, old) = (value(new), value(old));
        let user = review.who;
        let request = json!({
            "kind": {"group": info.group, "version": info.version, "kind": info.kind},
            "resource": {"group": info.group, "version": info.version, "resource": info.plural},
            "subResource": review.part,
            "requestKind": {"group": info.group, "version": info.version, "kind": info.kind},
            "requestResource": {"group": info.group, "version": info.version, "resource": info.plural},
            "requestSubResource": review.part,
            "name": about.name(),
            "namespace": about.namespace(),
            "operation": operation,
            "userInfo": {
                "username": user.map_or("system:kube-controller-manager", |user| user.user.as_str()),
                "groups": user.map_or_else(Vec::new, |user| user.groups.clone()),
            },
            "dryRun": review.dry_run,
        });
        Self {
            operation: operation.to_owned(),
            kind: about.kind(),
            part: review.part,
            namespace: namespace
                .map_or(Value::Null, |it| value(Some(&api::Resource::into_object(it.clone())))),
            object,
            old,
            request,
        }
    }

    /// Whether the conditions of a webhook mean this request.
    pub(super) fn is_meant(&self, review: &Review<'_>, hook: &Value) -> Result<bool, String> {
        let names = Names { has_params: false, variables: None };
        let authorizer = |check: &Check, verb: &str| authorized(review, check, verb);
        let scope = Scope { authorizer: Some(&authorizer), ..self.scope(&names, &Value::Null) };
        meant(hook, &names, scope)
    }

    /// The names with what they stand for.
    fn scope<'a>(&self, names: &Names, params: &Value) -> Scope<'a> {
        let mut scope = Scope { has_variables: true, ..Scope::default() };
        let types = names.list(true);
        let typed = |name: &str, value: &Value| {
            let type_ = types.iter().find(|(it, _)| *it == name).map_or(&Type::Dyn, |(_, type_)| type_);
            Val::typed(value, type_)
        };
        scope.names.extend([
            ("object", Val::of(&self.object)),
            ("oldObject", Val::of(&self.old)),
            ("request", typed("request", &self.request)),
            ("params", Val::of(params)),
            ("namespaceObject", typed("namespaceObject", &self.namespace)),
            ("authorizer", Val::Check(Rc::default())),
            ("authorizer.requestResource", Val::Check(Rc::new(self.about_itself()))),
        ]);
        scope
    }

    /// What the request is about, as a question to the authorizer.
    fn about_itself(&self) -> Check {
        let info = self.kind.info();
        let text = |field: &str| Rc::from(self.request[field].as_str().unwrap_or_default());
        Check {
            about: About::Resource,
            group: Rc::from(info.group),
            resource: Rc::from(info.plural),
            subresource: Rc::from(self.part),
            namespace: text("namespace"),
            name: text("name"),
            ..Check::default()
        }
    }

    /// What a policy holds against the request.
    fn ask(&self, review: &Review<'_>, spec: &Value, params: &Value) -> Vec<Denial> {
        let ignores = spec["failurePolicy"] == "Ignore";
        let on_error = |message: String| {
            if ignores { Vec::new() } else { vec![Denial { message, reason: String::new() }] }
        };
        let mut budget = BUDGET;
        let mut names = Names { has_params: !spec["paramKind"].is_null(), variables: None };
        let authorizer = |check: &Check, verb: &str| authorized(review, check, verb);
        let scope = || Scope { authorizer: Some(&authorizer), ..self.scope(&names, params) };
        match meant(spec, &names, scope()) {
            Ok(true) => {}
            Ok(false) => return Vec::new(),
            Err(error) => return on_error(error),
        }
        let mut scope = scope();
        names.variables = spec["variables"].as_array().filter(|it| !it.is_empty()).map(|_| Vec::new());
        for variable in spec["variables"].as_array().into_iter().flatten() {
            let name = variable["name"].as_str().unwrap_or_default().to_owned();
            let text = variable["expression"].as_str().unwrap_or_default();
            let program = Program::compile(text, &names.list(true));
            let type_ = program.as_ref().map_or(Type::Dyn, |program| program.result().clone());
            let value = program.and_then(|program| program.run(&scope, &mut budget));
            scope.variables.push((name.clone(), value));
            names.variables.get_or_insert_default().push((name, type_));
        }
        let mut denials = Vec::new();
        for validation in spec["validations"].as_array().into_iter().flatten() {
            match run(&validation["expression"], &names, &scope, &mut budget) {
                Ok(Val::Bool(true)) => {}
                Ok(_) => {
                    let message = message(validation, &names, &scope, &mut budget);
                    let reason = validation["reason"].as_str().unwrap_or("Invalid").to_owned();
                    denials.push(Denial { message, reason });
                }
                Err(error) => denials.extend(on_error(error)),
            }
        }
        denials
    }
}

/// The names that a policy's expressions may use, as far as the policy decides.
struct Names {
    has_params: bool,
    variables: Option<Vec<(String, Type)>>,
}

impl Names {
    fn list(&self, authorizer: bool) -> Vec<(&'static str, Type)> {
        policy_names(PolicyNames {
            params: self.has_params.then_some(&Type::Dyn),
            authorizer,
            variables: self.variables.as_deref(),
            ..PolicyNames::default()
        })
    }
}

/// Whether every one of the conditions holds; they do not see the namespace.
/// # Errors
/// What those say that cannot be asked, unless another does not hold.
fn meant(of: &Value, names: &Names, mut scope: Scope<'_>) -> Result<bool, String> {
    scope.names.insert("namespaceObject", Val::Null);
    let (mut failed, mut budget) = (Vec::new(), CONDITIONS);
    for condition in of["matchConditions"].as_array().into_iter().flatten() {
        match run(&condition["expression"], names, &scope, &mut budget) {
            Ok(Val::Bool(true)) => {}
            Ok(_) => return Ok(false),
            Err(error) => failed.push(error),
        }
    }
    match failed.as_slice() {
        [] => Ok(true),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}

/// What the authorizer says of whoever made the request, or of an account.
fn authorized(review: &Review<'_>, check: &Check, verb: &str) -> Verdict {
    let of_account = check.account.as_ref().map(|(namespace, name)| Principal {
        user: format!("system:serviceaccount:{namespace}:{name}"),
        groups: vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")],
        ..Principal::default()
    });
    // The control plane itself may do anything.
    let who = of_account.or_else(|| review.who.cloned()).unwrap_or_else(Principal::admin);
    let what = Attributes {
        verb,
        group: &check.group,
        resource: &check.resource,
        subresource: &check.subresource,
        namespace: &check.namespace,
        name: &check.name,
        path: &check.path,
    };
    let store = review.world.store();
    match auth::allowed(store, review.cluster, &who, &what) {
        Some(allowed) => Verdict { allowed: true, reason: allowed.reason },
        None => Verdict { allowed: false, reason: auth::complaint(store, review.cluster, &who, &what) },
    }
}

fn run(expression: &Value, names: &Names, scope: &Scope<'_>, budget: &mut u64) -> Result<Val, String> {
    let text = expression.as_str().unwrap_or_default();
    let program = Program::compile(text, &names.list(true))?;
    program.run(scope, budget).map_err(|error| format!("expression '{text}' resulted in error: {error}"))
}

/// What is said of a breach: the expression's own message, the written one, or the expression itself.
fn message(validation: &Value, names: &Names, scope: &Scope<'_>, budget: &mut u64) -> String {
    let made = validation["messageExpression"].as_str().and_then(|text| {
        let made = Program::compile(text, &names.list(false)).ok()?.run(scope, budget).ok()?;
        let made = made.as_text()?.trim().to_owned();
        (!made.is_empty() && !made.contains('\n')).then_some(made)
    });
    let written = || validation["message"].as_str().map(str::trim).filter(|it| !it.is_empty());
    made.or_else(|| written().map(str::to_owned)).unwrap_or_else(|| {
        format!("failed expression: {}", validation["expression"].as_str().unwrap_or_default().trim())
    })
}
