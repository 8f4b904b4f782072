//! What is changed, and what is held against a request, on its way in?
//!
//! THE REGISTRY of admission plugins, in upstream's order: first every `mutate`, later every `validate`. A new one is
//! a file and a line. Source: `pkg/kubeapiserver/options/plugins.go`, `AllOrderedPlugins`.

mod default_toleration_seconds;
mod limit_ranger;
mod namespace_lifecycle;
mod pod_security;
mod policy;
mod priority;
mod resource_quota;
mod service_account;
mod storage;
mod taint_nodes_by_condition;

use api::{ApiStatus, Object};

pub(super) use service_account::wait_for_default_account;
pub(crate) use storage::default_storage_class;

use crate::{ClusterId, Principal, World, apiserver::Call, request::Stage};

/// One write as an admission plugin sees it.
pub(super) struct Review<'a> {
    pub(super) world: &'a World,
    pub(super) cluster: ClusterId,
    /// As it is stored; `None` on creation.
    pub(super) old: Option<&'a Object>,
    /// Through which subresource it comes; empty for the object itself.
    pub(super) part: &'static str,
    /// Who asks; `None` for the control plane itself.
    pub(super) who: Option<&'a Principal>,
    /// Whether nothing will be written.
    pub(super) dry_run: bool,
}

impl<'a> Review<'a> {
    fn new(call: &'a Call<'_>, old: Option<&'a Object>, part: &'static str) -> Self {
        Self { world: call.world, cluster: call.cluster, old, part, who: call.who(), dry_run: call.dry_run }
    }

    fn is_create(&self) -> bool {
        self.old.is_none()
    }
}

/// Field and value of each change.
type Did = Vec<(String, String)>;

type Mutate = fn(&Review<'_>, &mut Object, &mut Did) -> Result<(), ApiStatus>;
type Validate = fn(&Review<'_>, &Object, &mut Vec<String>) -> Result<(), ApiStatus>;

struct Plugin {
    name: &'static str,
    mutate: Option<Mutate>,
    validate: Option<Validate>,
}

const PLUGINS: &[Plugin] = &[
    Plugin { name: "NamespaceLifecycle", mutate: Some(namespace_lifecycle::mutate), validate: None },
    Plugin {
        name: "LimitRanger",
        mutate: Some(limit_ranger::mutate),
        validate: Some(limit_ranger::validate),
    },
    Plugin { name: "ServiceAccount", mutate: Some(service_account::mutate), validate: None },
    Plugin { name: "TaintNodesByCondition", mutate: Some(taint_nodes_by_condition::mutate), validate: None },
    Plugin { name: "PodSecurity", mutate: None, validate: Some(pod_security::validate) },
    Plugin { name: "Priority", mutate: Some(priority::mutate), validate: Some(priority::validate) },
    Plugin {
        name: "DefaultTolerationSeconds",
        mutate: Some(default_toleration_seconds::mutate),
        validate: None,
    },
    Plugin { name: "DefaultStorageClass", mutate: Some(storage::set_class), validate: None },
    Plugin { name: "StorageObjectInUseProtection", mutate: Some(storage::protect), validate: None },
    Plugin { name: "ValidatingAdmissionPolicy", mutate: None, validate: Some(policy::validate) },
    Plugin { name: "ResourceQuota", mutate: None, validate: Some(resource_quota::validate) },
];

/// Every plugin's changes; a plugin that changes nothing leaves no trace.
pub(super) fn mutate(
    call: &mut Call<'_>,
    old: Option<&Object>,
    object: &mut Object,
    part: &'static str,
) -> Result<(), ApiStatus> {
    for plugin in PLUGINS {
        let Some(mutate) = plugin.mutate else { continue };
        let mut did = Did::new();
        let review = Review::new(call, old, part);
        let answer = mutate(&review, object, &mut did);
        if answer.is_err() || (call.is_told() && !did.is_empty()) {
            call.enter(Stage::MutatingAdmission, plugin.name);
            for (field, value) in did {
                call.did(&field, &value);
            }
        }
        answer?;
    }
    Ok(())
}

/// Every plugin's objections, and what it says beside them.
pub(super) fn validate(
    call: &mut Call<'_>,
    old: Option<&Object>,
    object: &Object,
    part: &'static str,
) -> Result<(), ApiStatus> {
    for plugin in PLUGINS {
        let Some(validate) = plugin.validate else { continue };
        let mut warnings = Vec::new();
        let review = Review::new(call, old, part);
        let answer = validate(&review, object, &mut warnings);
        if answer.is_err() || (call.is_told() && !warnings.is_empty()) {
            call.enter(Stage::ValidatingAdmission, plugin.name);
        }
        for warning in warnings {
            call.did("warning", &warning);
            call.warn(&warning);
        }
        answer?;
    }
    Ok(())
}

/// What is held against a deletion.
pub(super) fn validate_delete(call: &mut Call<'_>, object: &Object) -> Result<(), ApiStatus> {
    let answer = namespace_lifecycle::validate_delete(object);
    if answer.is_err() {
        call.enter(Stage::ValidatingAdmission, "NamespaceLifecycle");
    }
    answer?;
    let mut warnings = Vec::new();
    let answer = policy::validate_delete(&Review::new(call, None, ""), object, &mut warnings);
    if answer.is_err() || !warnings.is_empty() {
        call.enter(Stage::ValidatingAdmission, "ValidatingAdmissionPolicy");
    }
    for warning in warnings {
        call.did("warning", &warning);
        call.warn(&warning);
    }
    answer
}
