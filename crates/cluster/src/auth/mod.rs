//! Who is it, and may they?
//!
//! Authentication knows everybody whom a credential named; a principal without a name is nobody. Authorization asks
//! each authorizer of [`AUTHORIZERS`] in turn: the first that allows decides, none denies, silence is a refusal.
//! Source: apiserver `pkg/authorization/union`, `pkg/endpoints/handlers/responsewriters/errors.go`.

pub(crate) mod escalation;
mod node;
mod rbac;

use api::{ApiStatus, Kind};
use serde_json::Value;

use crate::{ClusterId, Principal, Store, request::Proof};
pub use escalation::beyond;
use rbac::Grant;
pub(crate) use rbac::held;

/// What is asked, as an authorizer sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) verb: &'a str,
    /// The API group of the resource.
    pub(crate) group: &'a str,
    /// Its plural, or any word: a review may ask about anything.
    pub(crate) resource: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    /// A path that is no resource, such as `/healthz`; then the fields about one are empty.
    pub(crate) path: &'a str,
}

impl Attributes<'_> {
    /// The resource of a kind.
    pub(crate) fn of(kind: Kind) -> Self {
        let info = kind.info();
        Self { group: info.group, resource: info.plural, ..Self::default() }
    }
}

/// Why a request may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) by: &'static str,
    pub(crate) reason: String,
    /// The rule and who gave it, where rules decide.
    pub(crate) grant: Option<Grant>,
}

type Authorizer = fn(&Store, ClusterId, &Principal, &Attributes<'_>) -> Option<Allowed>;

/// THE REGISTRY of authorizers, in the order in which they are asked.
const AUTHORIZERS: &[Authorizer] = &[node::authorize, rbac::authorize];

/// Which authenticator of the server knows who is asking.
/// # Errors
/// 401 for nobody.
pub(crate) fn authenticate(who: &Principal) -> Result<&'static str, ApiStatus> {
    if who.user.is_empty() {
        return Err(ApiStatus::unauthorized());
    }
    Ok(match who.proof {
        Proof::Nothing => "anonymous",
        Proof::Certificate => "x509",
        Proof::Token => "tokenfile",
        Proof::AccountToken => "serviceaccount",
        Proof::IamToken => "aws-iam-authenticator",
    })
}

/// What must be allowed to the one who wants to act as `who`.
/// Source: apiserver `pkg/endpoints/filters/impersonation.go`.
pub(crate) fn impersonations(who: &Principal) -> Vec<Attributes<'_>> {
    let of = |resource, namespace, name| Attributes {
        verb: "impersonate",
        resource,
        namespace,
        name,
        ..Attributes::default()
    };
    let mut all = vec![match account(&who.user) {
        Some((namespace, name)) => of("serviceaccounts", namespace, name),
        None => of("users", "", who.user.as_str()),
    }];
    // Groups that the server adds by itself need not be asked for.
    let own = |group: &str| {
        matches!(group, "system:authenticated" | "system:unauthenticated")
            || (account(&who.user).is_some() && group.starts_with("system:serviceaccounts"))
    };
    all.extend(who.groups.iter().filter(|group| !own(group)).map(|group| of("groups", "", group)));
    all
}

/// Namespace and name of the account behind a user.
fn account(user: &str) -> Option<(&str, &str)> {
    user.strip_prefix("system:serviceaccount:")?.split_once(':')
}

/// Whether `who` may do this.
/// # Errors
/// 403 with upstream's sentence.
pub(crate) fn authorize(
    store: &Store,
    cluster: ClusterId,
    who: &Principal,
    what: &Attributes<'_>,
) -> Result<Allowed, ApiStatus> {
    allowed(store, cluster, who, what).ok_or_else(|| denied(who, what, &complaint(store, cluster, who, what)))
}

/// The same as an answer rather than a refusal.
pub(crate) fn allowed(
    store: &Store,
    cluster: ClusterId,
    who: &Principal,
    what: &Attributes<'_>,
) -> Option<Allowed> {
    if who.groups.iter().any(|group| group == "system:masters") {
        return Some(Allowed { by: "system:masters", reason: String::new(), grant: None });
    }
    AUTHORIZERS.iter().find_map(|authorizer| authorizer(store, cluster, who, what))
}

/// What authorizers say beside a no.
pub(crate) fn complaint(store: &Store, cluster: ClusterId, who: &Principal, what: &Attributes<'_>) -> String {
    rbac::complaint(store, cluster, who, what.namespace)
}

/// The rules that `who` has in a namespace, as their roles write them.
pub(crate) fn rules<'s>(
    store: &'s Store,
    cluster: ClusterId,
    who: &'s Principal,
    namespace: &'s str,
) -> Vec<&'s Value> {
    rbac::rules_of(store, cluster, who, namespace)
}

fn denied(who: &Principal, what: &Attributes<'_>, complaint: &str) -> ApiStatus {
    let named = if what.name.is_empty() { String::new() } else { format!(" \"{}\"", what.name) };
    let resource = if what.subresource.is_empty() {
        what.resource.to_owned()
    } else {
        format!("{}/{}", what.resource, what.subresource)
    };
    let qualified = if what.group.is_empty() {
        what.resource.to_owned()
    } else {
        format!("{}.{}", what.resource, what.group)
    };
    let scope = if what.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{}\"", what.namespace)
    };
    let why = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
    let mut status = ApiStatus::forbidden(format!(
        "{qualified}{named} is forbidden: User \"{}\" cannot {} resource \"{resource}\" in API group \"{}\" {scope}{why}",
        who.user, what.verb, what.group,
    ));
    status.name = what.name.to_owned();
    status.group = what.group.to_owned();
    status.kind = what.resource.to_owned();
    status
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests say what must hold")]
mod tests {
    use super::*;

    fn ask(user: &str, kind: Kind, namespace: &str, name: &str) -> Result<Allowed, ApiStatus> {
        let what = Attributes { verb: "list", namespace, name, ..Attributes::of(kind) };
        authorize(&Store::default(), ClusterId(1), &Principal::system(user), &what)
    }

    #[test]
    fn a_refusal_names_user_verb_resource_group_and_scope() {
        assert_eq!(
            ask("dev", Kind::Pod, "default", "").unwrap_err().message,
            "pods is forbidden: User \"dev\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""
        );
        assert_eq!(
            ask("dev", Kind::Node, "", "").unwrap_err().message,
            "nodes is forbidden: User \"dev\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"
        );
    }

    #[test]
    fn nobody_is_refused_before_anything_else() {
        let nobody = Principal::default();
        assert_eq!(authenticate(&nobody).unwrap_err().message, "Unauthorized");
    }
}
