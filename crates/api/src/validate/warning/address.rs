//! Is an address or a block written as later versions will want it?
//!
//! Source: apimachinery `util/validation/ip.go` v0.34.1, `GetWarningsForIP`, `GetWarningsForCIDR`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::{name, report::At};

/// An address that was let through for the sake of old objects.
pub(super) fn ip(out: &mut Vec<String>, text: &str, at: &At<'_>) {
    let Some(address) = name::ip(text) else { return };
    if !is_standard(text, address) {
        out.push(format!(
            "{at}: non-standard IP address \"{text}\" will be considered invalid in a future Kubernetes release: use \"{}\"",
            plain(address)
        ));
    } else if address.is_ipv6() && address.to_string() != text {
        out.push(format!(
            "{at}: IPv6 address \"{text}\" should be in RFC 5952 canonical format (\"{address}\")"
        ));
    }
}

/// A block of addresses.
pub(super) fn cidr(out: &mut Vec<String>, text: &str, at: &At<'_>) {
    let Some((address, length)) = name::cidr(text) else { return };
    let Ok(block) = IpNet::new(plain(address), length_of(address, length)) else { return };
    let before = out.len();
    let whole = block.trunc();
    if block.addr() != whole.addr() {
        out.push(format!(
            "{at}: CIDR value \"{text}\" is ambiguous in this context (should be \"{whole}\" or \"{}/{}\"?)",
            block.addr(),
            block.max_prefix_len()
        ));
    }
    let (written, digits) = text.split_once('/').unwrap_or_default();
    if !is_standard(written, address) || digits.len() > 1 && digits.starts_with('0') {
        out.push(format!(
            "{at}: non-standard CIDR value \"{text}\" will be considered invalid in a future Kubernetes release: use \"{whole}\""
        ));
    }
    if out.len() == before && address.is_ipv6() && format!("{address}/{length}") != text {
        out.push(format!(
            "{at}: IPv6 CIDR value \"{text}\" should be in RFC 5952 canonical format (\"{address}/{length}\")"
        ));
    }
}

/// No zero in front of a number, no IPv4 address in IPv6 dress.
fn is_standard(text: &str, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.to_string() == text,
        IpAddr::V6(address) => address.to_ipv4_mapped().is_none(),
    }
}

fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn length_of(address: IpAddr, length: u8) -> u8 {
    if address.is_ipv6() && plain(address).is_ipv4() { length.saturating_sub(96) } else { length }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(look: fn(&mut Vec<String>, &str, &At<'_>), text: &str) -> Vec<String> {
        let mut out = Vec::new();
        look(&mut out, text, &At::root("f"));
        out
    }

    // The values of apimachinery's own tables for these two functions.
    #[test]
    fn addresses_that_will_not_be_read_for_ever_are_named_with_their_better_form() {
        let zeros = "f: non-standard IP address \"192.012.2.2\" will be considered invalid in a future Kubernetes release: use \"192.12.2.2\"";
        assert_eq!(said(ip, "192.012.2.2"), [zeros]);
        let dressed = "f: non-standard IP address \"::ffff:192.12.2.2\" will be considered invalid in a future Kubernetes release: use \"192.12.2.2\"";
        assert_eq!(said(ip, "::ffff:192.12.2.2"), [dressed]);
        let long =
            "f: IPv6 address \"2001:db8:0:0::2\" should be in RFC 5952 canonical format (\"2001:db8::2\")";
        assert_eq!(said(ip, "2001:db8:0:0::2"), [long]);
        assert_eq!(said(ip, "192.12.2.2"), Vec::<String>::new());
    }

    #[test]
    fn blocks_with_bits_beyond_their_length_are_ambiguous() {
        let bits = "f: CIDR value \"1.2.3.4/16\" is ambiguous in this context (should be \"1.2.0.0/16\" or \"1.2.3.4/32\"?)";
        assert_eq!(said(cidr, "1.2.3.4/16"), [bits]);
        let zeros = "f: non-standard CIDR value \"192.012.2.0/24\" will be considered invalid in a future Kubernetes release: use \"192.12.2.0/24\"";
        assert_eq!(said(cidr, "192.012.2.0/24"), [zeros]);
        assert_eq!(said(cidr, "10.0.0.0/8"), Vec::<String>::new());
    }
}
