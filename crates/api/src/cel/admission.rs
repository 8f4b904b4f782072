//! Which names may the expressions of a policy use, and of which types are they?
//!
//! Source: `k8s.io/apiserver/pkg/admission/plugin/cel/{compile,composition}.go`.

use super::types::Type;

/// A policy's names.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyNames<'a> {
    /// What `object` and `oldObject` are; anything, where several kinds are meant.
    pub object: Option<&'a Type>,
    /// Whether there is `params`, and what it is.
    pub params: Option<&'a Type>,
    /// Whether there is `authorizer`.
    pub authorizer: bool,
    /// The variables so far; `variables` is a name if the policy has any.
    pub variables: Option<&'a [(String, Type)]>,
}

/// The names with their types.
#[must_use]
pub fn policy_names(of: PolicyNames<'_>) -> Vec<(&'static str, Type)> {
    let object = of.object.cloned().unwrap_or(Type::Dyn);
    let mut names = vec![
        ("object", object.clone()),
        ("oldObject", object),
        ("request", request()),
        ("namespaceObject", namespace()),
    ];
    names.extend(of.params.map(|type_| ("params", type_.clone())));
    if of.authorizer {
        let type_ = |name| Type::Opaque(name, Vec::new());
        names.push(("authorizer", type_("kubernetes.authorization.Authorizer")));
        names.push(("authorizer.requestResource", type_("kubernetes.authorization.ResourceCheck")));
    }
    if let Some(variables) = of.variables {
        names.push(("variables", Type::object("kubernetes.variables", variables.iter().cloned())));
    }
    names
}

fn made(name: &str, fields: &[(&str, Type)]) -> Type {
    Type::object(name, fields.iter().map(|(name, type_)| ((*name).to_owned(), type_.clone())))
}

fn request() -> Type {
    let text = || Type::Text;
    let kind =
        made("kubernetes.GroupVersionKind", &[("group", text()), ("version", text()), ("kind", text())]);
    let resource = made(
        "kubernetes.GroupVersionResource",
        &[("group", text()), ("version", text()), ("resource", text())],
    );
    let user = made(
        "kubernetes.UserInfo",
        &[
            ("username", text()),
            ("uid", text()),
            ("groups", Type::list(text())),
            ("extra", Type::map(Type::list(text()))),
        ],
    );
    made(
        "kubernetes.AdmissionRequest",
        &[
            ("kind", kind.clone()),
            ("resource", resource.clone()),
            ("subResource", text()),
            ("requestKind", kind),
            ("requestResource", resource),
            ("requestSubResource", text()),
            ("name", text()),
            ("namespace", text()),
            ("operation", text()),
            ("userInfo", user),
            ("dryRun", Type::Bool),
            ("options", Type::Dyn),
        ],
    )
}

fn namespace() -> Type {
    let (text, texts, time) = (|| Type::Text, || Type::list(Type::Text), || Type::Timestamp);
    let condition = made(
        "kubernetes.NamespaceCondition",
        &[
            ("status", text()),
            ("type", text()),
            ("lastTransitionTime", time()),
            ("message", text()),
            ("reason", text()),
        ],
    );
    let metadata = made(
        "kubernetes.NamespaceMetadata",
        &[
            ("name", text()),
            ("generateName", text()),
            ("namespace", text()),
            ("labels", Type::map(text())),
            ("annotations", Type::map(text())),
            ("UID", text()),
            ("creationTimestamp", time()),
            ("deletionGracePeriodSeconds", Type::Int),
            ("deletionTimestamp", time()),
            ("generation", Type::Int),
            ("resourceVersion", text()),
            ("finalizers", texts()),
        ],
    );
    let spec = made("kubernetes.NamespaceSpec", &[("finalizers", texts())]);
    let status =
        made("kubernetes.NamespaceStatus", &[("conditions", Type::list(condition)), ("phase", text())]);
    made("kubernetes.Namespace", &[("metadata", metadata), ("spec", spec), ("status", status)])
}
