//! `describe` for requests to sign a certificate: who shall be certified stands inside them.
//!
//! MODEL: of a request only its names are read; keys and signatures are not looked at.
//! Source: kubectl `pkg/describe/describe.go` (`describeCertificateSigningRequest`); RFC 2986, RFC 5280 4.2.1.6 and X.690.

use base64::Engine as _;
use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    Done, Fail, age,
    field::{at, name, pairs, text},
    print::cells::signing_status,
};

/// Fields of a subject by the last byte of their identifier 2.5.4.N, in the order they are told in; the first two always are.
const SUBJECT: [(u8, &str); 9] = [
    (3, "Common Name"),
    (5, "Serial Number"),
    (10, "Organization"),
    (11, "Organizational Unit"),
    (6, "Country"),
    (7, "Locality"),
    (8, "Province"),
    (9, "StreetAddress"),
    (17, "PostalCode"),
];
/// Other names by their tag, in the order they are told in.
const OTHERS: [(u8, &str); 4] =
    [(0x82, "DNS Names"), (0x81, "Email Addresses"), (0x86, "URIs"), (0x87, "IP Addresses")];

const SEQUENCE: u8 = 0x30;
const ATTRIBUTES: u8 = 0xa0;
const OCTETS: u8 = 0x04;
/// 1.2.840.113549.1.9.14
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
/// 2.5.29.17
const OTHER_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

pub(super) fn request(o: &Value, events: Option<&str>) -> Done<String> {
    let (subject, others) = names(text(o, "spec.request")).ok_or_else(|| {
        Fail::Error("error parsing CSR: PEM block type must be CERTIFICATE REQUEST".to_owned())
    })?;
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    for (title, path) in [("Labels", "metadata.labels"), ("Annotations", "metadata.annotations")] {
        w.line(0, format!("{title}:\t{}", pairs(o, path, "<none>")));
    }
    w.line(0, format!("CreationTimestamp:\t{}", age::long(text(o, "metadata.creationTimestamp"))));
    w.line(0, format!("Requesting User:\t{}", text(o, "spec.username")));
    let signer = text(o, "spec.signerName");
    if !signer.is_empty() {
        w.line(0, format!("Signer:\t{signer}"));
    }
    if let Some(seconds) = at(o, "spec.expirationSeconds").as_i64() {
        w.line(0, format!("Requested Duration:\t{}", age::human(seconds)));
    }
    w.line(0, format!("Status:\t{}", signing_status(o)));
    w.line(0, "Subject:");
    for (field, title) in SUBJECT {
        let values: Vec<&str> =
            subject.iter().filter(|(own, _)| *own == field).map(|(_, value)| value.as_str()).collect();
        match title {
            "Common Name" | "Serial Number" => {
                w.line(0, format!("\t{title}:\t{}", values.last().unwrap_or(&"")));
            }
            _ if values.is_empty() => {}
            _ => w.line(0, format!("\t{title}:\t{}", values.join("\n\t\t"))),
        }
    }
    if !others.is_empty() {
        w.line(0, "Subject Alternative Names:");
        for (tag, title) in OTHERS {
            let values: Vec<&str> =
                others.iter().filter(|(own, _)| *own == tag).map(|(_, value)| value.as_str()).collect();
            if !values.is_empty() {
                w.line(0, format!("\t{title}:\t{}", values.join("\n\t\t")));
            }
        }
    }
    Ok(template::close(w, events))
}

/// The value that begins here: its tag, what is in it, and what follows.
fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        if count > 4 || rest.len() < count {
            return None;
        }
        let (digits, after) = rest.split_at(count);
        length = digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit));
        rest = after;
    }
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

/// The values in a row.
fn values(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let Some((tag, inner, rest)) = value(bytes) {
        found.push((tag, inner));
        bytes = rest;
    }
    found
}

/// Fields or other names with their values.
type Names = Vec<(u8, String)>;

/// The subject of a request in base64 of PEM, and its other names.
fn names(request: &str) -> Option<(Names, Names)> {
    let decode = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).ok();
    let pem = String::from_utf8(decode(request)?).ok()?;
    let body = pem.split("-----BEGIN CERTIFICATE REQUEST-----").nth(1)?.split("-----END").next()?;
    let der = decode(&body.split_whitespace().collect::<String>())?;
    let (_, request, _) = value(&der)?;
    let (_, info, _) = value(request)?;
    let parts = values(info);
    let mut subject = Vec::new();
    for (_, set) in values(parts.get(1)?.1) {
        for (_, pair) in values(set) {
            if let [(_, [0x55, 0x04, field]), (_, text)] = values(pair).as_slice() {
                subject.push((*field, String::from_utf8_lossy(text).into_owned()));
            }
        }
    }
    let mut others = Vec::new();
    let attributes = parts.iter().find(|(tag, _)| *tag == ATTRIBUTES).map_or(&[][..], |(_, inner)| inner);
    for (_, attribute) in values(attributes) {
        let attribute = values(attribute);
        let [(_, EXTENSION_REQUEST), (_, set)] = attribute.as_slice() else { continue };
        for (_, extension) in values(set).into_iter().flat_map(|(_, list)| values(list)) {
            let extension = values(extension);
            if extension.first().is_none_or(|(_, id)| *id != OTHER_NAMES) {
                continue;
            }
            let octets = extension.iter().find(|(tag, _)| *tag == OCTETS);
            let list = octets.and_then(|(_, inner)| value(inner)).filter(|(tag, ..)| *tag == SEQUENCE);
            for (tag, text) in list.map(|(_, list, _)| values(list)).unwrap_or_default() {
                others.push((tag, shown(tag, text)));
            }
        }
    }
    Some((subject, others))
}

fn shown(tag: u8, text: &[u8]) -> String {
    match (tag, <[u8; 4]>::try_from(text), <[u8; 16]>::try_from(text)) {
        (0x87, Ok(four), _) => std::net::Ipv4Addr::from(four).to_string(),
        (0x87, _, Ok(sixteen)) => std::net::Ipv6Addr::from(sixteen).to_string(),
        _ => String::from_utf8_lossy(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl req -new -newkey ec … -subj /O=devs/CN=joe -addext subjectAltName=DNS:a.example.com,IP:10.0.0.1`
    const REQUEST: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQkNEQ0JzQUlCQURBZE1RMHdDd1lEVlFRS0RBUmtaWFp6TVF3d0NnWURWUVFEREFOcWIyVXdXVEFUQmdjcQpoa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVRaVThUMVJxUFZhSzA5YkRKWHdPNUdGT091ZUVqMTRYN3RGTzl0CnhqbmZ0OXNDNWR4RDBBTC9temRCanljenlTZmc2QUlzdC81UTJ3YlNJMEpvYTFBK29ERXdMd1lKS29aSWh2Y04KQVFrT01TSXdJREFlQmdOVkhSRUVGekFWZ2cxaExtVjRZVzF3YkdVdVkyOXRod1FLQUFBQk1Bb0dDQ3FHU000OQpCQU1DQTBjQU1FUUNJQW1iaTN5aEdCR0pwdWoyVGx4VjRzOGVINzZ4b0duRkwzVkI5SHlxeE1nWkFpQWN3ajIwClVvaDliWnAweVlBYW9vL2ladGZsNXRNOThoVDllWlNDNnY2cDFBPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==";

    #[test]
    fn subject_and_other_names_are_read() {
        let (subject, others) = names(REQUEST).expect("a request");
        assert_eq!(subject, [(10, "devs".to_owned()), (3, "joe".to_owned())]);
        assert_eq!(others, [(0x82, "a.example.com".to_owned()), (0x87, "10.0.0.1".to_owned())]);
        assert_eq!(names("YQ=="), None);
    }
}
