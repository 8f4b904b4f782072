//! Who may approve and sign, and whom may nobody be certified as?
//!
//! Whoever approves or signs needs the verb on the signer's name, or on all names of its domain.
//! Source: `plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}`, `pkg/registry/…/certificates/authorization.go`.

use api::{ApiStatus, Kind, Object, signing};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::Review;
use crate::{
    apiserver::forbidden,
    auth::{self, Attributes},
};

fn text<'o>(object: &'o Object, part: &str, field: &str) -> &'o str {
    let Object::Stored(stored) = object else { return "" };
    stored.body.get(part).and_then(|part| part.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a request is changed through `part`.
pub(super) fn changes(review: &Review<'_>, object: &Object, part: &str) -> bool {
    object.kind() == Kind::CertificateSigningRequest && review.part == part && !review.is_create()
}

fn authorized(review: &Review<'_>, object: &Object, verb: &str) -> Result<(), ApiStatus> {
    let Some(who) = review.who else { return Ok(()) };
    let signer = review.old.map_or("", |old| text(old, "spec", "signerName"));
    let all = format!("{}/*", signer.split('/').next().unwrap_or_default());
    let may = |name: &str| {
        let what = Attributes {
            verb,
            group: "certificates.k8s.io",
            resource: "signers",
            name,
            ..Attributes::default()
        };
        auth::allowed(review.world.store(), review.cluster, who, &what).is_some()
    };
    if may(signer) || may(&all) {
        return Ok(());
    }
    let why = format!("user not permitted to {verb} requests with signerName {signer:?}");
    Err(forbidden(object.kind(), object.name(), &why))
}

pub(super) fn approval(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    authorized(review, object, "approve")
}

pub(super) fn signed(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    let status = |object: &Object| {
        let Object::Stored(stored) = object else { return [Value::Null, Value::Null] };
        let status = stored.body.get("status").unwrap_or(&Value::Null);
        [status["certificate"].clone(), status["conditions"].clone()]
    };
    if review.old.is_some_and(|old| status(old) == status(object)) {
        return Ok(());
    }
    authorized(review, object, "sign")
}

/// No client may become a member of the group that may do anything.
pub(super) fn subject(_: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    const CLIENT: &str = "kubernetes.io/kube-apiserver-client";
    if text(object, "spec", "signerName") != CLIENT {
        return Ok(());
    }
    let pem = STANDARD.decode(text(object, "spec", "request")).unwrap_or_default();
    let refused = |why: &str| Err(forbidden(object.kind(), object.name(), why));
    match signing::read(&pem) {
        Err(why) => refused(&format!("failed to parse CSR: {why}")),
        Ok(request) if request.organizations().contains(&"system:masters") => {
            refused(&format!("use of {CLIENT} signer with system:masters group is not allowed"))
        }
        Ok(_) => Ok(()),
    }
}
