//! Is a text what its format promises?
//!
//! Formats that the API server does not know, and some that it knows but hardly any definition uses, allow anything.
//! Source: kube-openapi `pkg/validation/strfmt`.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `text` is of the format.
pub(crate) fn is(format: &str, text: &str) -> bool {
    match format {
        "date-time" | "datetime" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => text.parse::<ipnet::IpNet>().is_ok(),
        "byte" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        "uuid" | "uuid3" | "uuid4" | "uuid5" => is_uuid(format, text),
        "email" => text.split_once('@').is_some_and(|(who, at)| !who.is_empty() && !at.is_empty()),
        "mac" => is_mac(text),
        "duration" => is_duration(text),
        _ => true,
    }
}

fn is_uuid(format: &str, text: &str) -> bool {
    let bare: String = text.chars().filter(|c| *c != '-').collect();
    let is_hex = bare.len() == 32 && bare.chars().all(|c| c.is_ascii_hexdigit());
    let version = match format {
        "uuid3" => Some('3'),
        "uuid4" => Some('4'),
        "uuid5" => Some('5'),
        _ => None,
    };
    is_hex && version.is_none_or(|version| bare.chars().nth(12) == Some(version))
}

fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    parts.len() == 6 && parts.iter().all(|it| it.len() == 2 && it.chars().all(|c| c.is_ascii_hexdigit()))
}

/// `1h30m`, `-1.5s`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.trim_start_matches(['-', '+']);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let unit = ["ns", "us", "µs", "ms", "s", "m", "h", "d", "w"]
            .into_iter()
            .rfind(|unit| after.starts_with(unit) && !(*unit == "m" && after.starts_with("ms")));
        let Some(unit) = unit.filter(|_| number.parse::<f64>().is_ok()) else { return false };
        rest = &after[unit.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_tell_right_from_wrong() {
        for (format, right, wrong) in [
            ("date-time", "2026-01-02T03:04:05Z", "yesterday"),
            ("date", "2026-01-02", "2026-1-2"),
            ("ipv4", "10.0.0.1", "10.0.0.256"),
            ("cidr", "10.0.0.0/8", "10.0.0.0"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
            ("duration", "1h30m10ms", "1 hour"),
        ] {
            assert!(is(format, right), "{format} {right}");
            assert!(!is(format, wrong), "{format} {wrong}");
        }
        assert!(is("fancy", "anything"));
    }
}
