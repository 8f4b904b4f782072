//! Are Endpoints and EndpointSlices legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/discovery/validation`, `ValidateEndpoints` in `pkg/apis/core/validation`.

use super::{
    container, meta, name,
    report::{At, Report},
    service::usable_address,
};
use crate::k8s::{
    core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints},
    discovery::v1::{Endpoint, EndpointHints, EndpointSlice},
};

/// What one slice, one endpoint and one hint may hold.
const MOST_ENDPOINTS: usize = 1000;
const MOST_PORTS: usize = 20000;
const MOST_ADDRESSES: usize = 100;
const MOST_HINTS: usize = 8;

pub(super) fn endpoints(report: &mut Report, new: &Endpoints, old: Option<&Endpoints>) {
    if let Some(old) = old {
        meta::object_meta_update(report, &new.metadata, &old.metadata);
    }
    meta::object_meta(report, &new.metadata, true, name::subdomain);
    // What stands unchanged was legal once.
    if old.is_none_or(|old| old.subsets != new.subsets) {
        for (index, subset) in new.subsets.iter().flatten().enumerate() {
            self::subset(report, subset, &At::root("subsets").index(index));
        }
    }
}

fn subset(report: &mut Report, subset: &EndpointSubset, at: &At<'_>) {
    let ready = subset.addresses.as_deref().unwrap_or_default();
    let not_ready = subset.not_ready_addresses.as_deref().unwrap_or_default();
    if ready.is_empty() && not_ready.is_empty() {
        report.required(at, "must specify `addresses` or `notReadyAddresses`");
    }
    for (field, addresses) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
        for (index, address) in addresses.iter().enumerate() {
            self::address(report, address, &at.field(field).index(index));
        }
    }
    let ports = subset.ports.as_deref().unwrap_or_default();
    for (index, port) in ports.iter().enumerate() {
        self::port(report, port, ports.len() > 1, &at.field("ports").index(index));
    }
}

fn address(report: &mut Report, address: &EndpointAddress, at: &At<'_>) {
    let at_ip = at.field("ip");
    report.each_invalid(&at_ip, &address.ip, name::ip_errors(&address.ip));
    if let Some(host) = address.hostname.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("hostname"), host, name::label(host));
    }
    if let Some(node) = &address.node_name {
        report.each_invalid(&at.field("nodeName"), node, name::subdomain(node, false));
    }
    match name::ip(&address.ip) {
        None => report.invalid(&at_ip, &address.ip, "must be a valid IP address"),
        Some(_) => usable_address(report, &address.ip, &at_ip),
    }
}

fn port(report: &mut Report, port: &EndpointPort, needs_name: bool, at: &At<'_>) {
    match meta::text(port.name.as_ref()) {
        "" if needs_name => report.required(&at.field("name"), ""),
        "" => {}
        named => report.each_invalid(&at.field("name"), named, name::label(named)),
    }
    report.each_invalid(&at.field("port"), &port.port, name::port_number(port.port));
    container::protocol(report, meta::text(port.protocol.as_ref()), &at.field("protocol"));
    if let Some(spoken) = &port.app_protocol {
        report.each_invalid(&at.field("appProtocol"), spoken, name::qualified(spoken));
    }
}

pub(super) fn endpoint_slice(report: &mut Report, new: &EndpointSlice, old: Option<&EndpointSlice>) {
    const TYPES: &[&str] = &["FQDN", "IPv4", "IPv6"];
    meta::object_meta(report, &new.metadata, true, name::subdomain);
    let at = At::root("addressType");
    match new.address_type.as_str() {
        "" => report.required(&at, ""),
        kind if !TYPES.contains(&kind) => report.not_supported(&at, kind, TYPES),
        _ => {}
    }
    slice_ports(report, new);
    if old.is_none_or(|old| old.endpoints != new.endpoints) {
        let at = At::root("endpoints");
        report.too_many(&at, new.endpoints.len(), MOST_ENDPOINTS);
        for (index, endpoint) in
            new.endpoints.iter().enumerate().take_while(|_| new.endpoints.len() <= MOST_ENDPOINTS)
        {
            self::endpoint(report, endpoint, &new.address_type, &at.index(index));
        }
    }
    if let Some(old) = old {
        meta::immutable(report, &new.address_type, &old.address_type, &At::root("addressType"));
    }
}

fn slice_ports(report: &mut Report, slice: &EndpointSlice) {
    let ports = slice.ports.as_deref().unwrap_or_default();
    let at = At::root("ports");
    report.too_many(&at, ports.len(), MOST_PORTS);
    if ports.len() > MOST_PORTS {
        return;
    }
    let mut names = std::collections::BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = at.index(index);
        let named = meta::text(port.name.as_ref());
        if !named.is_empty() {
            report.each_invalid(&at.field("name"), named, name::label(named));
        }
        if !names.insert(named) {
            report.duplicate(&at.field("name"), named);
        }
        let protocol = meta::text(port.protocol.as_ref());
        if !["SCTP", "TCP", "UDP"].contains(&protocol) {
            report.not_supported(&at.field("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
        }
        if let Some(spoken) = &port.app_protocol {
            report.each_invalid(&at.field("appProtocol"), spoken, name::qualified(spoken));
        }
    }
}

fn endpoint(report: &mut Report, endpoint: &Endpoint, kind: &str, at: &At<'_>) {
    let at_addresses = at.field("addresses");
    if endpoint.addresses.is_empty() {
        report.required(&at_addresses, "must contain at least 1 address");
    }
    report.too_many(&at_addresses, endpoint.addresses.len(), MOST_ADDRESSES);
    for (index, address) in endpoint.addresses.iter().enumerate() {
        let at = at_addresses.index(index);
        match kind {
            "IPv4" => match name::ip(address) {
                None => report.each_invalid(&at, address, name::ip_errors(address)),
                Some(ip) => {
                    if ip.is_ipv6() {
                        report.invalid(&at_addresses, address, "must be an IPv4 address");
                    }
                    usable_address(report, address, &at);
                }
            },
            "IPv6" => {
                let wrong = name::strict_ip_errors(address);
                if wrong.is_empty() {
                    if name::ip(address).is_some_and(|it| it.is_ipv4()) {
                        report.invalid(&at_addresses, address, "must be an IPv6 address");
                    }
                    usable_address(report, address, &at);
                }
                report.each_invalid(&at, address, wrong);
            }
            "FQDN" => full_domain(report, address, &at),
            _ => {}
        }
    }
    if let Some(node) = &endpoint.node_name {
        report.each_invalid(&at.field("nodeName"), node, name::subdomain(node, false));
    }
    if let Some(host) = &endpoint.hostname {
        report.each_invalid(&at.field("hostname"), host, name::label(host));
    }
    if let Some(hints) = &endpoint.hints {
        self::hints(report, hints, &at.field("hints"));
    }
}

/// A domain of at least two labels.
fn full_domain(report: &mut Report, text: &str, at: &At<'_>) {
    if text.is_empty() {
        report.required(at, "");
        return;
    }
    let domain = text.strip_suffix('.').unwrap_or(text);
    let wrong = name::subdomain(domain, false);
    if !wrong.is_empty() {
        report.invalid(at, domain, &wrong.join(","));
    } else if !domain.contains('.') {
        report.invalid(at, domain, "should be a domain with at least two segments separated by dots");
    } else if let Some((label, wrong)) =
        domain.split('.').map(|it| (it, name::label(it))).find(|(_, wrong)| !wrong.is_empty())
    {
        report.invalid(at, label, &wrong.join(","));
    }
}

fn hints(report: &mut Report, hints: &EndpointHints, at: &At<'_>) {
    let zones: Vec<&String> = hints.for_zones.iter().flatten().map(|it| &it.name).collect();
    let nodes: Vec<&String> = hints.for_nodes.iter().flatten().map(|it| &it.name).collect();
    for (field, names) in [("forZones", zones), ("forNodes", nodes)] {
        let at = at.field(field);
        report.too_many(&at, names.len(), MOST_HINTS);
        if names.len() > MOST_HINTS {
            return;
        }
        for (index, named) in names.iter().enumerate() {
            let at = at.index(index);
            let at = at.field("name");
            if names[..index].contains(named) {
                report.duplicate(&at, *named);
            }
            let wrong =
                if field == "forZones" { name::label_value(named) } else { name::subdomain(named, false) };
            report.each_invalid(&at, *named, wrong);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Kind, decode, default, validate};

    #[test]
    fn addresses_of_a_slice_are_of_its_type_and_usable() {
        let slice = json!({"metadata": {"name": "a", "namespace": "default"}, "addressType": "IPv4",
            "endpoints": [{"addresses": ["x"]}, {"addresses": ["127.0.0.1"]}, {"addresses": ["2001:db8::1"]}, {"addresses": []}]});
        let mut slice = decode::decode(Kind::EndpointSlice, &slice).expect("a slice");
        default::apply_defaults(&mut slice);
        let causes = validate::create(&slice).into_iter();
        assert_eq!(
            causes.map(|it| format!("{}: {}", it.field, it.message)).collect::<Vec<_>>(),
            [
                r#"endpoints[0].addresses[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
                r#"endpoints[1].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)"#,
                r#"endpoints[2].addresses: Invalid value: "2001:db8::1": must be an IPv4 address"#,
                "endpoints[3].addresses: Required value: must contain at least 1 address",
            ]
        );
    }
}
