//! `describe` for requests to sign a certificate: who shall be certified stands inside them.
//!
//! Source: kubectl `pkg/describe/describe.go` (`describeCertificateSigningRequest`).

use api::signing;
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
const OTHERS: [(u8, &str); 4] = [
    (signing::DNS, "DNS Names"),
    (signing::MAIL, "Email Addresses"),
    (signing::LOCATOR, "URIs"),
    (signing::ADDRESS, "IP Addresses"),
];

pub(super) fn request(o: &Value, events: Option<&str>) -> Done<String> {
    let pem = base64::engine::general_purpose::STANDARD.decode(text(o, "spec.request")).unwrap_or_default();
    let asked = signing::read(&pem).map_err(|why| Fail::Error(format!("error parsing CSR: {why}")))?;
    let (subject, others) = (asked.subject, asked.others);
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
