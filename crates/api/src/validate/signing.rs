//! Is a request to sign a certificate legal, and what of it may change?
//!
//! Source: `pkg/apis/certificates/validation/validation.go`, `pkg/apis/core/validation/validation.go` (`ValidateSignerName`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    meta, name,
    report::{At, Report},
};
use crate::{Stored, signing};

/// What may only be seen as true.
const ALWAYS_TRUE: [&str; 3] = ["Approved", "Denied", "Failed"];

/// The longest name of a signer: a domain, and a path that a label and a name fit into.
const LONGEST_SIGNER: usize = 253 + (253 + 63 + 1) + 1;

/// Through which door a change comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Status,
    Approval,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn create(report: &mut Report, new: &Stored) {
    request(report, new, None);
}

/// A change through `door`; the request itself cannot change.
pub(super) fn update(report: &mut Report, new: &Stored, old: &Stored, door: Option<Door>) {
    request(report, new, Some(old));
    let (status, before) = (part(new, "status"), part(old, "status"));
    let at = At::root("status");
    let conditions = at.field("conditions");
    let of = |status: &Value, type_: &str| -> Vec<Value> {
        items(&status["conditions"]).iter().filter(|it| it["type"] == type_).cloned().collect()
    };
    for type_ in ["Approved", "Denied", "Failed"] {
        if of(status, type_).len() < of(before, type_).len() {
            let why = format!("updates may not remove a condition of type {type_:?}");
            report.forbidden(&conditions, &why);
        }
    }
    if door != Some(Door::Approval) {
        for type_ in ["Approved", "Denied"] {
            let (now, had) = (of(status, type_), of(before, type_));
            if now.len() > had.len() {
                report.forbidden(&conditions, &format!("updates may not add a condition of type {type_:?}"));
            }
        }
    }
    let (certificate, had) = (text(&status["certificate"]), text(&before["certificate"]));
    if certificate != had {
        let place = at.field("certificate");
        if door != Some(Door::Status) {
            report.forbidden(&place, "updates may not set certificate content");
        } else if !had.is_empty() {
            report.forbidden(&place, "updates may not modify existing certificate content");
        }
    }
    meta::object_meta_update(report, &new.metadata, &old.metadata);
}

fn part<'s>(stored: &'s Stored, name: &str) -> &'s Value {
    stored.body.get(name).unwrap_or(&Value::Null)
}

fn request(report: &mut Report, stored: &Stored, old: Option<&Stored>) {
    meta::object_meta(report, &stored.metadata, false, |_, _| Vec::new());
    let spec = part(stored, "spec");
    let at = At::root("spec");
    let pem = STANDARD.decode(text(&spec["request"])).unwrap_or_default();
    if let Err(why) = signing::read(&pem) {
        report.invalid(&at.field("request"), text(&spec["request"]), &why);
    }
    let list = at.field("usages");
    let usages = items(&spec["usages"]);
    if usages.is_empty() {
        report.required(&list, "");
    }
    let known = signing::usages();
    for (n, usage) in usages.iter().enumerate() {
        if !known.contains(&text(usage)) {
            report.not_supported(&list.index(n), text(usage), &known);
        }
    }
    for (n, usage) in usages.iter().enumerate() {
        if usages[..n].contains(usage) {
            report.duplicate(&list.index(n), text(usage));
        }
    }
    signer(report, text(&spec["signerName"]), &at.field("signerName"));
    if let Some(seconds) = spec["expirationSeconds"].as_i64().filter(|it| *it < 600) {
        let why = "may not specify a duration less than 600 seconds (10 minutes)";
        report.invalid(&at.field("expirationSeconds"), &seconds, why);
    }
    let status = part(stored, "status");
    conditions(report, items(&status["conditions"]), old);
    let (certificate, had) =
        (text(&status["certificate"]), old.map_or("", |old| text(&part(old, "status")["certificate"])));
    if certificate != had
        && let Some(why) = not_a_certificate(certificate)
    {
        report.invalid(&At::root("status.certificate"), "<certificate data>", &why);
    }
}

/// Why bytes are no certificates in PEM.
fn not_a_certificate(bytes: &str) -> Option<String> {
    let pem = STANDARD.decode(bytes).unwrap_or_default();
    let pem = String::from_utf8_lossy(&pem);
    let mut blocks =
        pem.split("-----BEGIN ").skip(1).filter_map(|block| block.split_once("-----")).map(|(name, _)| name);
    match blocks.next() {
        _ if bytes.is_empty() => None,
        None => Some("must contain at least one CERTIFICATE PEM block".to_owned()),
        Some("CERTIFICATE") => {
            let other = blocks.find(|name| *name != "CERTIFICATE");
            other.map(|name| format!("only CERTIFICATE PEM blocks are allowed, found {name:?}"))
        }
        Some(name) => Some(format!("only CERTIFICATE PEM blocks are allowed, found {name:?}")),
    }
}

fn conditions(report: &mut Report, all: &[Value], old: Option<&Stored>) {
    let at = At::root("status");
    let list = at.field("conditions");
    let before = old.map_or(&[][..], |old| items(&part(old, "status")["conditions"]));
    let had = |type_: &str| before.iter().any(|it| it["type"] == type_);
    let had_both = had("Approved") && had("Denied");
    let mut seen: Vec<&str> = Vec::new();
    for (n, condition) in all.iter().enumerate() {
        let (at, type_, status) = (list.index(n), text(&condition["type"]), text(&condition["status"]));
        if type_.is_empty() {
            report.required(&at.field("type"), "");
        }
        let may: &[&str] =
            if ALWAYS_TRUE.contains(&type_) { &["True"] } else { &["False", "True", "Unknown"] };
        if status.is_empty() {
            report.required(&at.field("status"), "");
        } else if !may.contains(&status) {
            report.not_supported(&at.field("status"), status, may);
        }
        let other = match type_ {
            "Approved" => "Denied",
            "Denied" => "Approved",
            _ => "",
        };
        if !other.is_empty() && seen.contains(&other) && !had_both {
            report.invalid(&list, type_, "Approved and Denied conditions are mutually exclusive");
        }
        if seen.contains(&type_) {
            report.duplicate(&at.field("type"), type_);
        }
        seen.push(type_);
    }
}

/// `domain/path`.
fn signer(report: &mut Report, signer: &str, at: &At<'_>) {
    if signer.is_empty() {
        report.required(at, "");
        return;
    }
    if signer == "kubernetes.io/legacy-unknown" {
        report.invalid(at, signer, "the legacy signerName is not allowed via this API version");
        return;
    }
    let segments: Vec<&str> = signer.split('/').collect();
    let [domain, path] = segments.as_slice() else {
        report.invalid(
            at,
            signer,
            "must be a fully qualified domain and path of the form 'example.com/signer-name'",
        );
        return;
    };
    let place = at;
    if domain.len() > 253 {
        report.too_long(place, 253);
    }
    let labels: Vec<&str> = domain.split('.').collect();
    let wrong = |label: &&str| {
        let all = name::label_name(label, false);
        (!all.is_empty())
            .then(|| all.into_iter().map(|why| format!("validating label {label:?}: {why}")).collect())
    };
    let whys: Option<Vec<String>> = labels.iter().find_map(wrong);
    for why in whys.unwrap_or_default() {
        report.invalid(place, *domain, &why);
    }
    if labels.len() < 2 {
        report.invalid(place, *domain, "should be a domain with at least two segments separated by dots");
    }
    let wrong = |part: &str| {
        let all = name::subdomain(part, false);
        (!all.is_empty())
            .then(|| all.into_iter().map(|why| format!("validating label {part:?}: {why}")).collect())
    };
    let whys: Option<Vec<String>> = path.split('.').find_map(wrong);
    for why in whys.unwrap_or_default() {
        report.invalid(place, *path, &why);
    }
    if signer.len() > LONGEST_SIGNER {
        report.too_long(place, LONGEST_SIGNER);
    }
}
