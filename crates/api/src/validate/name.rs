//! What may things be called?
//!
//! Each function gives upstream's words for what is wrong with a text; nothing if it is right.
//! Source: apimachinery `util/validation/validation.go`, `util/validation/ip.go` v0.34.1.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) use crate::label::{
    label_value_errors as label_value, qualified_name_errors as qualified, subdomain_errors,
};

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

/// A name that is a subdomain; `prefix` says that letters will be added.
pub(crate) fn subdomain(name: &str, prefix: bool) -> Vec<String> {
    subdomain_errors(&masked(name, prefix))
}

/// A DNS label by RFC 1123.
pub(super) fn label(name: &str) -> Vec<String> {
    let mut errors = longer_than(name, 63);
    if !is_label(name) {
        errors.push(if is_subdomain(name) {
            "must not contain dots".to_owned()
        } else {
            format!(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
            )
        });
    }
    errors
}

/// A name that is a DNS label.
pub(crate) fn label_name(name: &str, prefix: bool) -> Vec<String> {
    label(&masked(name, prefix))
}

/// A name that is a DNS label by RFC 1035: Services.
pub(crate) fn label_1035(name: &str, prefix: bool) -> Vec<String> {
    let name = masked(name, prefix);
    let mut errors = longer_than(&name, 63);
    if !(is_label(&name) && name.starts_with(|c: char| c.is_ascii_lowercase())) {
        errors.push("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')".to_owned());
    }
    errors
}

/// A name that may stand in a URL's path: roles.
pub(super) fn path_segment(name: &str, prefix: bool) -> Vec<String> {
    let mut errors = Vec::new();
    if !prefix && matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    for part in ["/", "%"] {
        if name.contains(part) {
            errors.push(format!("may not contain '{part}'"));
        }
    }
    errors
}

/// A subdomain in which labels may begin with an underscore: DNS search paths.
pub(super) fn subdomain_with_underscore(name: &str) -> Vec<String> {
    let part = |part: &str| {
        let rest = part.strip_prefix('_').unwrap_or(part);
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        rest.bytes().next().is_some_and(inner)
            && rest.bytes().last().is_some_and(inner)
            && rest.bytes().all(|b| inner(b) || b == b'-' || b == b'_')
    };
    let mut errors = longer_than(name, 253);
    if !name.split('.').all(part) {
        errors.push(r"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')".to_owned());
    }
    errors
}

/// `*.example.com`.
pub(super) fn wildcard_subdomain(name: &str) -> Vec<String> {
    let mut errors = longer_than(name, 253);
    if !name.strip_prefix("*.").is_some_and(is_subdomain) {
        errors.push(r"a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')".to_owned());
    }
    errors
}

/// A port's name.
pub(super) fn port_name(name: &str) -> Vec<String> {
    let mut errors = longer_than(name, 15);
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !name.bytes().any(|b| b.is_ascii_lowercase()) {
        errors.push("must contain at least one letter (a-z)".to_owned());
    }
    if name.contains("--") {
        errors.push("must not contain consecutive hyphens".to_owned());
    }
    if name.starts_with('-') || name.ends_with('-') {
        errors.push("must not begin or end with a hyphen".to_owned());
    }
    errors
}

/// A port's number.
pub(super) fn port_number(port: i32) -> Vec<String> {
    if (1..=65535).contains(&port) {
        Vec::new()
    } else {
        vec!["must be between 1 and 65535, inclusive".to_owned()]
    }
}

/// A user's or group's number.
pub(super) fn user_or_group(id: i64) -> Vec<String> {
    if (0..=i64::from(i32::MAX)).contains(&id) {
        Vec::new()
    } else {
        vec!["must be between 0 and 2147483647, inclusive".to_owned()]
    }
}

/// `25%`.
pub(super) fn percent(text: &str) -> Vec<String> {
    let digits = text.strip_suffix('%').unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Vec::new();
    }
    vec!["a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')".to_owned()]
}

/// A header's name.
pub(super) fn http_header(name: &str) -> Vec<String> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Vec::new();
    }
    vec!["a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')".to_owned()]
}

/// The name of an environment variable, as relaxed in 1.34.
pub(super) fn env_var(name: &str) -> Vec<String> {
    if name.is_empty() {
        return vec!["environment variable name must be non-empty".to_owned()];
    }
    if name.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'=') {
        return Vec::new();
    }
    vec![
        "a valid environment variable name must consist only of printable ASCII characters other than '='"
            .to_owned(),
    ]
}

/// A key of a ConfigMap or Secret.
pub(super) fn config_key(key: &str) -> Vec<String> {
    let mut errors = longer_than(key, 253);
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
        errors.push("a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')".to_owned());
    }
    match key {
        "." => errors.push("must not be '.'".to_owned()),
        ".." => errors.push("must not be '..'".to_owned()),
        key if key.starts_with("..") => errors.push("must not start with '..'".to_owned()),
        _ => {}
    }
    errors
}

/// An address, read as leniently as upstream does in fields of old: leading zeros are let through.
#[must_use]
pub fn ip(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(IpAddr::V6(address));
    }
    let mut parts = [0u8; 4];
    let mut given = text.split('.');
    for part in &mut parts {
        let digits = given.next().filter(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))?;
        *part = digits.parse().ok()?;
    }
    given.next().is_none().then(|| IpAddr::V4(Ipv4Addr::from(parts)))
}

/// What is wrong with an address.
pub(super) fn ip_errors(text: &str) -> Vec<String> {
    if ip(text).is_some() {
        return Vec::new();
    }
    vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()]
}

/// A block of addresses: the address and the length of its prefix.
pub(super) fn cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let address = ip(address)?;
    let length: u8 = length.parse().ok().filter(|_| length.bytes().all(|b| b.is_ascii_digit()))?;
    (length <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, length))
}

/// What is wrong with a block of addresses.
pub(super) fn cidr_errors(text: &str) -> Vec<String> {
    if cidr(text).is_some() {
        return Vec::new();
    }
    vec!["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned()]
}

/// What is wrong with an address in a field of today: it must be written in the one right way.
pub(super) fn strict_ip_errors(text: &str) -> Vec<String> {
    let Some(address) = ip(text) else { return ip_errors(text) };
    if text.parse::<IpAddr>().is_err() {
        return vec!["must not have leading 0s".to_owned()];
    }
    if matches!(address, IpAddr::V6(it) if it.to_ipv4_mapped().is_some()) {
        return vec!["must not be an IPv4-mapped IPv6 address".to_owned()];
    }
    canonical(text, &address.to_string())
}

/// What is wrong with a block of addresses in a field of today.
pub(super) fn strict_cidr_errors(text: &str) -> Vec<String> {
    let Some((address, length)) = cidr(text) else { return cidr_errors(text) };
    let (written, digits) = text.split_once('/').unwrap_or_default();
    if written.parse::<IpAddr>().is_err() || digits.len() > 1 && digits.starts_with('0') {
        return vec!["must not have leading 0s in IP or prefix length".to_owned()];
    }
    if matches!(address, IpAddr::V6(it) if it.to_ipv4_mapped().is_some()) {
        return vec!["must not have an IPv4-mapped IPv6 address".to_owned()];
    }
    let Ok(block) = ipnet::IpNet::new(address, length) else { return cidr_errors(text) };
    if block.trunc() != block {
        return vec!["must not have bits set beyond the prefix length".to_owned()];
    }
    canonical(text, &block.to_string())
}

fn canonical(text: &str, right: &str) -> Vec<String> {
    if text == right { Vec::new() } else { vec![format!("must be in canonical form ({right:?})")] }
}

/// A generated name's prefix may end in a dash: letters will follow.
// UPSTREAM: the sign before the dash goes with it.
fn masked(name: &str, prefix: bool) -> String {
    if !prefix || name.len() < 2 || !name.ends_with('-') {
        return name.to_owned();
    }
    format!("{}a", String::from_utf8_lossy(&name.as_bytes()[..name.len() - 2]))
}

fn longer_than(text: &str, most: usize) -> Vec<String> {
    if text.len() > most { vec![format!("must be no more than {most} characters")] } else { Vec::new() }
}

fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
        && text.bytes().all(|b| inner(b) || b == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}
