//! Are IngressClasses, IPAddresses and ServiceCIDRs legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/networking/validation`.

use serde_json::json;

use super::{
    internal, meta, name,
    report::{At, Report},
};
use crate::k8s::networking::v1::{
    IPAddress, IngressClass, IngressClassParametersReference, ParentReference, ServiceCIDR,
};

const SPEC: At<'static> = At::root("spec");

pub(super) fn ingress_class(report: &mut Report, class: &IngressClass) {
    const LONGEST: usize = 250;
    meta::object_meta(report, &class.metadata, false, name::subdomain);
    let spec = class.spec.as_ref();
    let at = SPEC.field("controller");
    let controller = meta::text(spec.and_then(|it| it.controller.as_ref()));
    if controller.len() > LONGEST {
        report.too_long(&at, LONGEST);
    }
    domain_prefixed_path(report, controller, &at);
    if let Some(parameters) = spec.and_then(|it| it.parameters.as_ref()) {
        self::parameters(report, parameters, &SPEC.field("parameters"));
    }
}

pub(super) fn ingress_class_update(report: &mut Report, new: &IngressClass, old: &IngressClass) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    let controller =
        |it: &IngressClass| it.spec.as_ref().and_then(|it| it.controller.clone()).unwrap_or_default();
    meta::immutable(report, &controller(new), &controller(old), &SPEC.field("controller"));
    ingress_class(report, new);
}

fn parameters(report: &mut Report, it: &IngressClassParametersReference, at: &At<'_>) {
    if let Some(group) = &it.api_group {
        report.each_invalid(&at.field("apiGroup"), group, name::subdomain(group, false));
    }
    for (field, value) in [("kind", &it.kind), ("name", &it.name)] {
        segment(report, value, &at.field(field));
    }
    let at_namespace = at.field("namespace");
    match (it.scope.as_deref(), &it.namespace) {
        (None, _) => report.required(&at.field("scope"), ""),
        (Some("Namespace"), None) => {
            report.required(&at_namespace, "`parameters.scope` is set to 'Namespace'");
        }
        (Some("Namespace"), Some(namespace)) => {
            report.each_invalid(&at_namespace, namespace, name::label_name(namespace, false));
        }
        (Some("Cluster"), Some(_)) => {
            report.forbidden(&at_namespace, "`parameters.scope` is set to 'Cluster'");
        }
        (Some("Cluster"), None) => {}
        (Some(other), _) => report.not_supported(&at.field("scope"), other, &["Cluster", "Namespace"]),
    }
}

/// A word that must be there and may stand in a URL's path.
fn segment(report: &mut Report, value: &str, at: &At<'_>) {
    if value.is_empty() {
        report.required(at, "");
    } else {
        report.each_invalid(at, value, name::path_segment(value, false));
    }
}

/// `acme.io/foo`.
pub(super) fn domain_prefixed_path(report: &mut Report, text: &str, at: &At<'_>) {
    if text.is_empty() {
        report.required(at, "");
        return;
    }
    let Some((host, path)) = text.split_once('/').filter(|(host, path)| !host.is_empty() && !path.is_empty())
    else {
        report.invalid(at, text, "must be a domain-prefixed path (such as \"acme.io/foo\")");
        return;
    };
    report.each_invalid(at, host, name::subdomain(host, false));
    if !path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b)) {
        let why = r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')";
        report.invalid(at, path, why);
    }
}

pub(super) fn ip_address(report: &mut Report, address: &IPAddress) {
    meta::object_meta(report, &address.metadata, false, |name, _| name::strict_ip_errors(name));
    let none = ParentReference::default();
    // MODEL: an IPAddress with an empty `parentRef` counts as one without.
    let Some(parent) = address.spec.as_ref().map(|it| &it.parent_ref).filter(|it| **it != none) else {
        report.required(&SPEC.field("parentRef"), "");
        return;
    };
    let at = SPEC.field("parentRef");
    if let Some(group) = parent.group.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("group"), group, name::subdomain(group, false));
    }
    segment(report, &parent.resource, &at.field("resource"));
    segment(report, &parent.name, &at.field("name"));
    if let Some(namespace) = parent.namespace.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("namespace"), namespace, name::path_segment(namespace, false));
    }
}

pub(super) fn ip_address_update(report: &mut Report, new: &IPAddress, old: &IPAddress) {
    ip_address(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    let parent = |it: &IPAddress| it.spec.as_ref().map(|it| it.parent_ref.clone());
    if parent(new) != parent(old) {
        let shown = parent(new).map_or_else(
            || "null".to_owned(),
            |it| {
                internal::object(&[
                    ("Group", json!(it.group.unwrap_or_default())),
                    ("Resource", json!(it.resource)),
                    ("Namespace", json!(it.namespace.unwrap_or_default())),
                    ("Name", json!(it.name)),
                ])
                .0
            },
        );
        report.invalid(&SPEC.field("parentRef"), &super::report::Written(shown), "field is immutable");
    }
}

pub(super) fn service_cidr(report: &mut Report, it: &ServiceCIDR) {
    meta::object_meta(report, &it.metadata, false, name::subdomain);
    blocks(report, blocks_of(it));
}

fn blocks_of(it: &ServiceCIDR) -> &[String] {
    it.spec.as_ref().and_then(|it| it.cidrs.as_deref()).unwrap_or_default()
}

fn blocks(report: &mut Report, blocks: &[String]) {
    let at = SPEC.field("cidrs");
    if blocks.is_empty() {
        report.required(&at, "at least one CIDR required");
        return;
    }
    if blocks.len() > 2 {
        let shown = internal::object(&[("CIDRs", json!(blocks))]);
        report.invalid(&at, &shown, "may only hold up to 2 values");
        return;
    }
    for (index, block) in blocks.iter().enumerate() {
        report.each_invalid(&at.index(index), block, name::strict_cidr_errors(block));
    }
    if let [first, second] = blocks
        && let (Some((first, _)), Some((second, _))) = (name::cidr(first), name::cidr(second))
        && first.is_ipv4() == second.is_ipv4()
    {
        let why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
        report.invalid(&at, &json!(blocks), why);
    }
}

pub(super) fn service_cidr_update(report: &mut Report, new: &ServiceCIDR, old: &ServiceCIDR) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    let (now, before) = (blocks_of(new), blocks_of(old));
    let at = SPEC.field("cidrs");
    let widened = before.len() == 1 && now.len() == 2;
    if !widened && now.len() != before.len() {
        report.invalid(&at, &json!(now), "field is immutable");
        return;
    }
    for (index, (now, _)) in now.iter().zip(before).enumerate().filter(|(_, (now, before))| now != before) {
        report.invalid(&at.index(index), now, "field is immutable");
    }
    if widened {
        blocks(report, now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Kind, decode, default, validate};

    fn messages(kind: Kind, object: &Value) -> Vec<String> {
        let mut object = decode::decode(kind, object).expect("an object");
        default::apply_defaults(&mut object);
        validate::create(&object).into_iter().map(|it| it.message).collect()
    }

    #[test]
    fn blocks_are_written_in_the_one_right_way() {
        for (block, why) in [
            ("10.0.0.1/8", "must not have bits set beyond the prefix length"),
            ("010.0.0.0/8", "must not have leading 0s in IP or prefix length"),
            ("2001:DB8::/32", "must be in canonical form (\"2001:db8::/32\")"),
        ] {
            let cidr = json!({"metadata": {"name": "a"}, "spec": {"cidrs": [block]}});
            let wanted = format!("Invalid value: {block:?}: {why}");
            assert_eq!(messages(Kind::ServiceCIDR, &cidr), [wanted]);
        }
    }

    #[test]
    fn parameters_of_the_whole_cluster_have_no_namespace() {
        let class = json!({"metadata": {"name": "a"}, "spec": {"controller": "a.b/c",
            "parameters": {"kind": "K", "name": "n", "namespace": "x"}}});
        let wanted = "Forbidden: `parameters.scope` is set to 'Cluster'";
        assert_eq!(messages(Kind::IngressClass, &class), [wanted]);
    }
}
