//! Which families of addresses does a Service have?
//!
//! A cluster serves one family, IPv4 or IPv6, as EKS does. MODEL: kind can serve both; here it serves IPv4.
//! Source: `pkg/registry/core/service/storage/alloc.go`, `initIPFamilyFields`, 1.34.

use api::{
    ApiStatus, Cause, Kind,
    k8s::core::v1::{Service, ServiceSpec},
    validate,
};
use serde_json::json;

use crate::{ClusterId, Store, node::is_ipv6};

/// The family that a cluster serves.
pub(crate) fn own(store: &Store, cluster: ClusterId) -> &'static str {
    if is_ipv6(store, cluster) { "IPv6" } else { "IPv4" }
}

/// Fills in families and policy; `own` is the cluster's family, `before` the stored Service's spec.
/// # Errors
/// 422 for what does not go together, or not with the cluster.
pub(super) fn settle(
    service: &mut Service,
    own: &str,
    before: Option<&ServiceSpec>,
) -> Result<(), ApiStatus> {
    let spec = service.spec.get_or_insert_default();
    if spec.type_.as_deref() == Some("ExternalName") || before.is_some_and(|before| same(before, spec)) {
        return Ok(());
    }
    let headless = spec.cluster_ip.as_deref() == Some("None");
    let anywhere = headless && spec.selector.as_ref().is_none_or(std::collections::BTreeMap::is_empty);
    if spec.ip_family_policy.is_none() {
        let had = before.and_then(|before| before.ip_family_policy.clone());
        let usual = if anywhere { "RequireDualStack" } else { "SingleStack" };
        spec.ip_family_policy = Some(had.unwrap_or_else(|| usual.to_owned()));
    }
    refuse(service, validate::service_addresses(service))?;
    let mut causes = Vec::new();
    let spec = service.spec.get_or_insert_default();
    let single = spec.ip_family_policy.as_deref() == Some("SingleStack");
    if let Some(before) = before {
        of_changed(spec, before, single, &mut causes);
    }
    let families = spec.ip_families.get_or_insert_default();
    let ips = spec.cluster_ips.as_deref().unwrap_or_default();
    if single {
        for (several, what) in [(ips.len() == 2, "cluster IPs"), (families.len() == 2, "IP families")] {
            if several {
                let why = format!(
                    "must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
                );
                causes.push(wrong("spec.ipFamilyPolicy", "\"SingleStack\"", &why));
            }
        }
    }
    for (index, ip) in ips.iter().enumerate().skip(families.len()).take_while(|(_, ip)| *ip != "None") {
        let family = if ip.contains(':') { "IPv6" } else { "IPv4" };
        if family == own {
            families.push(own.to_owned());
        } else {
            let field = format!("spec.clusterIPs[{index}]");
            let why = format!("{family} is not configured on this cluster");
            causes.push(wrong(&field, &json!(ips).to_string(), &why));
        }
    }
    if anywhere && causes.is_empty() {
        if families.is_empty() {
            families.push(own.to_owned());
        }
        if families.len() < 2 && !single {
            let other = if families[0] == "IPv4" { "IPv6" } else { "IPv4" };
            families.push(other.to_owned());
        }
        return Ok(());
    }
    if causes.is_empty() {
        if spec.ip_family_policy.as_deref() == Some("RequireDualStack") {
            let why = "this cluster is not configured for dual-stack services";
            causes.push(wrong("spec.ipFamilyPolicy", "\"RequireDualStack\"", why));
        }
        for (index, family) in families.iter().enumerate().filter(|(_, family)| *family != own) {
            let field = format!("spec.ipFamilies[{index}]");
            causes.push(wrong(&field, &format!("{family:?}"), "not configured on this cluster"));
        }
    }
    if families.is_empty() {
        families.push(own.to_owned());
    }
    refuse(service, causes)
}

/// What goes with fewer addresses or families than there were.
fn of_changed(spec: &mut ServiceSpec, before: &ServiceSpec, single: bool, causes: &mut Vec<Cause>) {
    let policy = json!(spec.ip_family_policy).to_string();
    let lists = [
        (&mut spec.cluster_ips, &before.cluster_ips, "cluster IP"),
        (&mut spec.ip_families, &before.ip_families, "IP family"),
    ];
    for (now, had, what) in lists {
        let count = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
        if single && *now == *had && count(now) > 1 {
            now.get_or_insert_default().truncate(1);
        } else if !single && count(now) == 1 && count(had) == 2 {
            let why = format!("must be 'SingleStack' to release the secondary {what}");
            causes.push(wrong("spec.ipFamilyPolicy", &policy, &why));
        }
    }
}

/// Whether nothing is to be settled anew: a Service that prefers two families keeps what it got.
fn same(before: &ServiceSpec, spec: &ServiceSpec) -> bool {
    spec.ip_family_policy.as_deref() == Some("PreferDualStack")
        && before.ip_family_policy == spec.ip_family_policy
        && before.type_ == spec.type_
        && before.cluster_ip == spec.cluster_ip
        && before.cluster_ips == spec.cluster_ips
        && before.ip_families == spec.ip_families
}

fn wrong(field: &str, value: &str, why: &str) -> Cause {
    let (reason, message) = ("FieldValueInvalid".to_owned(), format!("Invalid value: {value}: {why}"));
    Cause { reason, message, field: field.to_owned() }
}

fn refuse(service: &Service, causes: Vec<Cause>) -> Result<(), ApiStatus> {
    let name = service.metadata.name.as_deref().unwrap_or_default();
    if causes.is_empty() { Ok(()) } else { Err(ApiStatus::invalid(Kind::Service, name, causes)) }
}
