//! Who am I, what may I do, and what may somebody else do?
//!
//! Reviews are asked and answered, never stored. Everybody whom the server knows may ask about themselves: the role
//! `system:basic-user` of every cluster says so. Source: `pkg/registry/authorization`, `pkg/registry/authentication`.

use api::{ApiStatus, Kind};
use serde_json::{Value, json};

use crate::{
    ApiRequest, ApiVerb, Principal,
    apiserver::Call,
    auth::{self, Attributes},
};

/// The answer to a question about whoever asks; `None` if it is none.
pub(super) fn of_oneself(
    call: &Call<'_>,
    who: &Principal,
    request: &ApiRequest,
) -> Option<Result<Value, ApiStatus>> {
    // What is no object at all is left for decoding to refuse.
    let ApiVerb::Create(asked @ Value::Object(_)) = &request.verb else { return None };
    if !who.groups.iter().any(|g| g == "system:authenticated" || g == "system:masters") {
        return None;
    }
    let status = match request.kind {
        Kind::SelfSubjectReview => json!({"userInfo": {"username": who.user, "groups": who.groups}}),
        Kind::SelfSubjectAccessReview => access(call, request.cluster, who, &asked["spec"]),
        Kind::SelfSubjectRulesReview => rules(call, request.cluster, who, &asked["spec"]),
        _ => return None,
    };
    let mut answer = asked.clone();
    if answer["metadata"].is_null() {
        answer["metadata"] = json!({});
    }
    let info = request.kind.info();
    answer["apiVersion"] = info.api_version().into();
    answer["kind"] = info.kind.into();
    answer["status"] = status;
    Some(Ok(answer))
}

/// Whether a kind asks about somebody else.
pub(super) fn is_of_others(kind: Kind) -> bool {
    matches!(kind, Kind::SubjectAccessReview | Kind::LocalSubjectAccessReview)
}

/// The answer to a question about somebody else.
pub(super) fn of_others(call: &Call<'_>, kind: Kind, mut asked: Value) -> Value {
    let groups = asked["spec"]["groups"].as_array().into_iter().flatten();
    let who = Principal {
        user: asked["spec"]["user"].as_str().unwrap_or_default().to_owned(),
        groups: groups.filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Principal::default()
    };
    let cluster = call.key(kind, "", "").cluster;
    asked["status"] = access(call, cluster, &who, &asked["spec"]);
    asked
}

fn access(call: &Call<'_>, cluster: crate::ClusterId, who: &Principal, spec: &Value) -> Value {
    let about = |of: &str, field: &str| spec[of][field].as_str().unwrap_or_default().to_owned();
    let resource = ["verb", "group", "resource", "subresource", "namespace", "name"]
        .map(|f| about("resourceAttributes", f));
    let (path, path_verb) = (about("nonResourceAttributes", "path"), about("nonResourceAttributes", "verb"));
    let [verb, group, resource, subresource, namespace, name] = &resource;
    let what = Attributes {
        verb: if path.is_empty() { verb } else { &path_verb },
        group,
        resource,
        subresource,
        namespace,
        name,
        path: &path,
    };
    match auth::allowed(call.world.store(), cluster, who, &what) {
        Some(allowed) if allowed.reason.is_empty() => json!({"allowed": true}),
        Some(allowed) => json!({"allowed": true, "reason": allowed.reason}),
        None => match auth::complaint(call.world.store(), cluster, who, &what) {
            none if none.is_empty() => json!({"allowed": false}),
            reason => json!({"allowed": false, "reason": reason}),
        },
    }
}

fn rules(call: &Call<'_>, cluster: crate::ClusterId, who: &Principal, spec: &Value) -> Value {
    let namespace = spec["namespace"].as_str().unwrap_or_default();
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    for rule in auth::rules(call.world.store(), cluster, who, namespace) {
        let kept = |fields: &[&str]| {
            let some = fields.iter().filter_map(|f| Some(((*f).to_owned(), rule.get(f)?.clone())));
            Value::Object(some.collect())
        };
        if rule.get("resources").is_some() {
            resources.push(kept(&["verbs", "apiGroups", "resources", "resourceNames"]));
        }
        if rule.get("nonResourceURLs").is_some() {
            paths.push(kept(&["verbs", "nonResourceURLs"]));
        }
    }
    json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
}
