//! What is changed, and what is held against a request, on its way in?
//!
//! THE REGISTRY of admission plugins, in upstream's order: first every `mutate`, later every `validate`. A new one is
//! a file and a line. Source: `pkg/kubeapiserver/options/plugins.go`, `AllOrderedPlugins`.

mod certificate;
mod class;
mod default_toleration_seconds;
mod fargate;
mod limit_ranger;
mod namespace_lifecycle;
mod pod_eni;
mod pod_security;
mod policy;
mod priority;
mod resource_quota;
mod runtime_class;
mod service_account;
mod storage;
mod taint_nodes_by_condition;
mod webhook;

use api::{
    ApiStatus, Kind, Object, Scope,
    kinds::sim::{ControlPlane, Provider},
};

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

type Concerns = fn(&Review<'_>, &Object) -> bool;
type Mutate = fn(&Review<'_>, &mut Object) -> Result<(), ApiStatus>;
type Validate = fn(&Review<'_>, &Object, &mut Vec<String>) -> Result<(), ApiStatus>;

struct Plugin {
    name: &'static str,
    /// Whether it looks at such a write at all.
    concerns: Concerns,
    mutate: Option<Mutate>,
    validate: Option<Validate>,
}

impl Plugin {
    const fn mutating(name: &'static str, concerns: Concerns, mutate: Mutate) -> Self {
        Self { name, concerns, mutate: Some(mutate), validate: None }
    }

    const fn validating(name: &'static str, concerns: Concerns, validate: Validate) -> Self {
        Self { name, concerns, mutate: None, validate: Some(validate) }
    }

    const fn also(mut self, validate: Validate) -> Self {
        self.validate = Some(validate);
        self
    }
}

const PLUGINS: &[Plugin] = &[
    Plugin::mutating("NamespaceLifecycle", new_in_namespace, namespace_lifecycle::mutate),
    Plugin::mutating(
        "LimitRanger",
        |r, o| r.is_create() && matches!(o.kind(), Kind::Pod | Kind::PersistentVolumeClaim),
        limit_ranger::mutate,
    )
    .also(limit_ranger::validate),
    Plugin::mutating("ServiceAccount", new_pod, service_account::mutate),
    Plugin::mutating(
        "TaintNodesByCondition",
        |r, o| r.is_create() && o.kind() == Kind::Node,
        taint_nodes_by_condition::mutate,
    ),
    Plugin::validating("PodSecurity", |_, o| pod_security::concerns(o), pod_security::validate),
    Plugin::mutating("Priority", |r, o| pod(r, o) || o.kind() == Kind::PriorityClass, priority::mutate)
        .also(priority::validate),
    Plugin::mutating("DefaultTolerationSeconds", pod, default_toleration_seconds::mutate),
    Plugin::mutating(
        "DefaultStorageClass",
        |r, o| r.is_create() && o.kind() == Kind::PersistentVolumeClaim,
        storage::set_class,
    ),
    Plugin::mutating(
        "StorageObjectInUseProtection",
        |r, o| {
            let kinds = [Kind::PersistentVolumeClaim, Kind::PersistentVolume, Kind::VolumeAttributesClass];
            r.is_create() && kinds.contains(&o.kind())
        },
        storage::protect,
    ),
    Plugin::validating("PersistentVolumeClaimResize", storage::grows, storage::resize),
    Plugin::mutating(
        "RuntimeClass",
        |r, o| new_pod(r, o) && runtime_class::concerns(o),
        runtime_class::mutate,
    )
    .also(runtime_class::validate),
    Plugin::validating(
        "CertificateApproval",
        |r, o| certificate::changes(r, o, "approval"),
        certificate::approval,
    ),
    Plugin::validating(
        "CertificateSigning",
        |r, o| certificate::changes(r, o, "status"),
        certificate::signed,
    ),
    Plugin::validating(
        "CertificateSubjectRestriction",
        |r, o| r.is_create() && o.kind() == Kind::CertificateSigningRequest,
        certificate::subject,
    ),
    Plugin::mutating(
        "DefaultIngressClass",
        |r, o| r.is_create() && o.kind() == Kind::Ingress,
        class::ingress,
    ),
    // Webhooks are called in the order of their names.
    Plugin::mutating(fargate::NAME, fargate::concerns, fargate::mutate),
    Plugin::mutating(
        "MutatingAdmissionWebhook",
        |r, _| webhook::is_used(r, Kind::MutatingWebhookConfiguration),
        webhook::mutate,
    ),
    Plugin::mutating("mpod.vpc.k8s.aws", |r, o| new_pod(r, o) && pod_eni::concerns(r, o), pod_eni::mutate),
    Plugin::validating("ValidatingAdmissionPolicy", |r, _| policy::is_used(r), policy::validate),
    Plugin::validating(
        "ValidatingAdmissionWebhook",
        |r, _| webhook::is_used(r, Kind::ValidatingWebhookConfiguration),
        webhook::validate,
    ),
    Plugin::validating("vpod.vpc.k8s.aws", pod_eni::is_annotated, pod_eni::validate),
    Plugin::validating("ResourceQuota", resource_quota::concerns, resource_quota::validate),
];

/// Whether EKS runs the control plane.
fn on_eks(review: &Review<'_>) -> bool {
    let mut planes = review.world.store().list::<ControlPlane>(ClusterId::WORLD, None);
    planes.any(|plane| plane.id == review.cluster.0 && plane.provider == Provider::Eks)
}

fn new_in_namespace(review: &Review<'_>, object: &Object) -> bool {
    review.is_create() && object.kind().info().scope == Scope::Namespaced
}

fn new_pod(review: &Review<'_>, object: &Object) -> bool {
    review.is_create() && object.kind() == Kind::Pod
}

fn pod(review: &Review<'_>, object: &Object) -> bool {
    review.part.is_empty() && object.kind() == Kind::Pod
}

/// Every plugin's changes.
pub(super) fn mutate(
    call: &mut Call<'_>,
    old: Option<&Object>,
    object: &mut Object,
    part: &'static str,
) -> Result<(), ApiStatus> {
    for plugin in PLUGINS {
        let Some(mutate) = plugin.mutate else { continue };
        let review = Review::new(call, old, part);
        if !(plugin.concerns)(&review, object) {
            continue;
        }
        let answer = mutate(&review, object);
        call.enter(Stage::MutatingAdmission, plugin.name);
        call.changed(object);
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
        if !(plugin.concerns)(&review, object) {
            continue;
        }
        let answer = validate(&review, object, &mut warnings);
        call.enter(Stage::ValidatingAdmission, plugin.name);
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
    call.enter(Stage::ValidatingAdmission, "NamespaceLifecycle");
    namespace_lifecycle::validate_delete(object)?;
    let mut warnings = Vec::new();
    let review = Review::new(call, None, "");
    if policy::is_used(&review) {
        let answer = policy::validate_delete(&review, object, &mut warnings);
        call.enter(Stage::ValidatingAdmission, "ValidatingAdmissionPolicy");
        for warning in warnings {
            call.did("warning", &warning);
            call.warn(&warning);
        }
        answer?;
    }
    for (name, kind) in [
        ("MutatingAdmissionWebhook", Kind::MutatingWebhookConfiguration),
        ("ValidatingAdmissionWebhook", Kind::ValidatingWebhookConfiguration),
    ] {
        let review = Review::new(call, None, "");
        if webhook::is_used(&review, kind) {
            let answer = webhook::validate_delete(&review, kind, object);
            call.enter(Stage::ValidatingAdmission, name);
            answer?;
        }
    }
    Ok(())
}
