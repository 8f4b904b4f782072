//! What may be asked of the authorizer, step by step?
//!
//! A question is put together (`authorizer.group('apps').resource('deployments').namespace('prod')`) and then asked with a verb.
//! Source: `k8s.io/apiserver/pkg/cel/library/authz.go`.

use std::rc::Rc;

use super::{super::eval::no_overload, super::value::Val, Answer};
use crate::validate::name;

/// What `check` costs: no more than two fit into one expression.
pub(in crate::cel) const CHECK: usize = 350_000;

/// A question to the authorizer, as far as it is put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// What of it is there.
    pub about: About,
    /// Namespace and name of the account that is asked about instead of whoever made the request.
    pub account: Option<(Rc<str>, Rc<str>)>,
    /// The API group of the resource.
    pub group: Rc<str>,
    /// Its plural.
    pub resource: Rc<str>,
    /// Its part, such as `status`.
    pub subresource: Rc<str>,
    /// Its namespace; empty for all.
    pub namespace: Rc<str>,
    /// Its name; empty for all.
    pub name: Rc<str>,
    /// A path that is no resource.
    pub path: Rc<str>,
}

/// How far a question is put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// `authorizer`: about nothing yet.
    #[default]
    Nothing,
    /// `authorizer.path(…)`.
    Path,
    /// `authorizer.group(…)`.
    Group,
    /// `authorizer.group(…).resource(…)`.
    Resource,
}

impl About {
    pub(in crate::cel) fn type_name(self) -> &'static str {
        match self {
            About::Nothing => "kubernetes.authorization.Authorizer",
            About::Path => "kubernetes.authorization.PathCheck",
            About::Group => "kubernetes.authorization.GroupCheck",
            About::Resource => "kubernetes.authorization.ResourceCheck",
        }
    }
}

/// What the authorizer answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be done.
    pub allowed: bool,
    /// Why.
    pub reason: String,
}

/// A question with one part more.
pub(super) fn ask(step: &str, check: &Check, args: &[Val]) -> Answer {
    let texts: Vec<Rc<str>> = args.iter().filter_map(|arg| arg.as_text().map(Rc::from)).collect();
    let blank = |text: &Rc<str>| text.trim().is_empty();
    let mut next = check.clone();
    match (check.about, step, texts.as_slice()) {
        (About::Nothing, "path", [path]) if blank(path) => return Err("path must not be empty".to_owned()),
        (About::Nothing, "path", [path]) => (next.about, next.path) = (About::Path, Rc::clone(path)),
        (About::Nothing, "group", [group]) => (next.about, next.group) = (About::Group, Rc::clone(group)),
        (About::Nothing, "serviceAccount", [namespace, account]) => {
            if !name::subdomain(account, false).is_empty() {
                return Err("Invalid service account name".to_owned());
            }
            if !name::label_name(namespace, false).is_empty() {
                return Err("Invalid service account namespace".to_owned());
            }
            next.account = Some((Rc::clone(namespace), Rc::clone(account)));
        }
        (About::Group, "resource", [resource]) if blank(resource) => {
            return Err("resource must not be empty".to_owned());
        }
        (About::Group, "resource", [resource]) => {
            (next.about, next.resource) = (About::Resource, Rc::clone(resource));
        }
        (About::Resource, "subresource", [part]) => next.subresource = Rc::clone(part),
        (About::Resource, "namespace", [namespace]) => next.namespace = Rc::clone(namespace),
        (About::Resource, "name", [name]) => next.name = Rc::clone(name),
        // What lists may be narrowed to does not matter to RBAC.
        (About::Resource, "fieldSelector" | "labelSelector", [_]) => {}
        _ => return Err(no_overload()),
    }
    Ok(Val::Check(Rc::new(next)))
}

/// What is asked of an answer. RBAC never fails.
pub(super) fn told(name: &str, verdict: &Verdict) -> Answer {
    match name {
        "allowed" => Ok(Val::Bool(verdict.allowed)),
        "reason" => Ok(Val::text(&verdict.reason)),
        "errored" => Ok(Val::Bool(false)),
        "error" => Ok(Val::text("")),
        _ => Err(no_overload()),
    }
}
