//! May a container or pod ask for these amounts?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`, `pkg/apis/core/helper`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;

use super::{
    name,
    report::{At, Report},
};
use crate::{k8s::core::v1::ResourceRequirements, quantity::Quantity};

const STANDARD: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];
const INTEGER: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];
const QUOTA: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];

/// Whose resources are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A container.
    Container,
    /// A pod as a whole.
    Pod,
}

/// The limits and requests of a container or pod.
pub(super) fn requirements(
    report: &mut Report,
    requirements: &ResourceRequirements,
    owner: Owner,
    claims: &BTreeSet<&str>,
    at: &At<'_>,
) {
    let (at_limits, at_requests) = (at.field("limits"), at.field("requests"));
    let none = BTreeMap::new();
    let limits = requirements.limits.as_ref().unwrap_or(&none);
    let requests = requirements.requests.as_ref().unwrap_or(&none);
    for (name, amount) in limits {
        let at = at_limits.key(name);
        resource_name(report, name, owner, &at);
        amount_of(report, name, amount, &at);
        huge_pages(report, name, amount, &at);
    }
    for (name, amount) in requests {
        let at = at_requests.key(name);
        resource_name(report, name, owner, &at);
        amount_of(report, name, amount, &at);
        match limits.get(name) {
            Some(limit) => match (Quantity::parse(&amount.0), Quantity::parse(&limit.0)) {
                (Ok(asked), Ok(most)) if asked != most && !may_overcommit(name) => {
                    report.invalid(
                        &at_requests,
                        &amount.0,
                        &format!("must be equal to {name} limit of {}", limit.0),
                    );
                }
                (Ok(asked), Ok(most)) if asked > most => {
                    let why = format!("must be less than or equal to {name} limit of {}", limit.0);
                    report.invalid(&at_requests, &amount.0, &why);
                }
                _ => {}
            },
            None if !may_overcommit(name) => {
                report.required(&at_limits, "Limit must be set for non overcommitable resources");
            }
            None => {}
        }
        huge_pages(report, name, amount, &at);
    }
    let mut names = limits.keys().chain(requests.keys());
    let computes = names.clone().any(|name| matches!(name.as_str(), "cpu" | "memory"));
    if !computes && names.any(|name| is_huge_pages(name)) {
        report.forbidden(at, "HugePages require cpu or memory");
    }
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (index, claim) in requirements.claims.iter().flatten().enumerate() {
        let at_claims = at.field("claims");
        let at = at_claims.index(index);
        if claim.name.is_empty() {
            report.required(&at, "");
            continue;
        }
        let named = claim.name.as_str();
        let request = claim.request.as_deref().unwrap_or_default();
        if seen.contains(&(named, "")) {
            // All requests of that claim are taken.
            report.duplicate(&at, named);
        } else {
            if request.is_empty() {
                for _ in seen.iter().filter(|(name, _)| *name == named) {
                    report.duplicate(&at, named);
                }
            } else {
                report.each_invalid(&at.field("request"), request, name::label(request));
                if seen.contains(&(named, request)) {
                    report.duplicate(&at, &format!("{named}/{request}"));
                }
            }
            seen.insert((named, request));
        }
        if !claims.contains(claim.name.as_str()) {
            let named = if claims.is_empty() {
                " which is empty".to_owned()
            } else {
                format!(": {}", claims.iter().copied().collect::<Vec<_>>().join(", "))
            };
            let remark = format!("must be one of the names in pod.spec.resourceClaims{named}");
            report.not_found(&at, &claim.name, &remark);
        }
    }
}

fn resource_name(report: &mut Report, name: &str, owner: Owner, at: &At<'_>) {
    let before = report.causes.len();
    any_resource_name(report, name, at);
    if owner == Owner::Pod {
        if report.causes.len() == before && !(matches!(name, "cpu" | "memory") || is_huge_pages(name)) {
            report.not_supported(at, name, &["cpu", "hugepages-", "memory"]);
        }
        return;
    }
    if !name.contains('/') {
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !is_huge_pages(name) {
            report.invalid(at, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        report.invalid(at, name, "doesn't follow extended resource name standard");
    }
}

/// The name of a resource of containers.
pub(super) fn container_resource_name(report: &mut Report, name: &str, at: &At<'_>) {
    resource_name(report, name, Owner::Container, at);
}

fn any_resource_name(report: &mut Report, name: &str, at: &At<'_>) {
    let errors = name::qualified(name);
    if !errors.is_empty() {
        report.each_invalid(at, name, errors);
    } else if !name.contains('/') && !STANDARD.contains(&name) && !is_quota_huge_pages(name) {
        report.invalid(at, name, "must be a standard resource type or fully qualified");
    }
}

/// The name of a resource in a quota.
pub(super) fn quota_resource_name(report: &mut Report, name: &str, at: &At<'_>) {
    any_resource_name(report, name, at);
    let counted = name.starts_with("count/");
    if !name.contains('/') && !counted && !QUOTA.contains(&name) && !is_quota_huge_pages(name) {
        report.invalid(at, name, "must be a standard resource for quota");
    }
}

/// Whether a quota knows what this counts.
pub(super) fn is_quota_resource(name: &str) -> bool {
    QUOTA.contains(&name) || is_quota_huge_pages(name)
}

/// The name of a resource in a limit range, for containers or for anything.
pub(super) fn limit_range_resource_name(report: &mut Report, kind: &str, name: &str, at: &At<'_>) {
    if matches!(kind, "Pod" | "Container") {
        resource_name(report, name, Owner::Container, at);
    } else {
        any_resource_name(report, name, at);
    }
}

/// An amount: not negative, and whole where halves make no sense.
pub(super) fn amount_of(report: &mut Report, name: &str, amount: &Amount, at: &At<'_>) {
    let Ok(quantity) = Quantity::parse(&amount.0) else { return };
    if quantity.sign() < 0 {
        report.invalid(at, &amount.0, "must be greater than or equal to 0");
    }
    if (INTEGER.contains(&name) || is_extended(name)) && quantity.milli_value() % 1000 != 0 {
        report.invalid(at, &amount.0, "must be an integer");
    }
}

/// An amount that is not negative, of whatever it be.
pub(super) fn not_negative_amount(report: &mut Report, amount: &Amount, at: &At<'_>) {
    if Quantity::parse(&amount.0).is_ok_and(|it| it.sign() < 0) {
        report.invalid(at, &amount.0, "must be greater than or equal to 0");
    }
}

fn huge_pages(report: &mut Report, name: &str, amount: &Amount, at: &At<'_>) {
    let Some(size) = name.strip_prefix("hugepages-") else { return };
    let (Ok(size), Ok(quantity)) = (Quantity::parse(size), Quantity::parse(&amount.0)) else { return };
    let fits = size.sign() > 0 && size.milli_value() % 1000 == 0 && quantity.value() % size.value() == 0;
    if !fits {
        report.invalid(at, &amount.0, &format!("{} is not positive integer multiple of {name}", amount.0));
    }
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn is_quota_huge_pages(name: &str) -> bool {
    is_huge_pages(name) || name.starts_with("requests.hugepages-")
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && name::qualified(&format!("requests.{name}")).is_empty()
}

/// Whether more of this may be promised than there is.
pub(super) fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_pages(name)
}
