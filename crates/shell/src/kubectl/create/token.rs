//! `kubectl create token`: a token for a service account.
//!
//! MODEL: the token has the three parts of a real one and says whose it is; nobody signed it.

use api::Kind;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::one_name;
use crate::kubectl::{
    Done, Fail, Kube, field,
    print::{self, Format},
};

/// Seconds below which no token is made. Source: `pkg/apis/authentication/validation`.
const SHORTEST: i64 = 600;

pub(super) fn run(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let name = one_name("token", args)?;
    let namespace = kube.namespace()?;
    let bound = kube.given.value("bound-object-kind").filter(|it| !it.is_empty());
    let bound = match bound {
        None => None,
        Some("Pod") => Some(Kind::Pod),
        Some("Secret") => Some(Kind::Secret),
        Some("Node") => Some(Kind::Node),
        Some(_) => return Fail::error("supported --bound-object-kind values are Node, Pod, Secret"),
    };
    let object = kube.given.value("bound-object-name").unwrap_or_default().to_owned();
    match (bound, object.is_empty(), kube.given.has("bound-object-uid")) {
        (Some(_), true, _) => {
            return Fail::error("--bound-object-name is required if --bound-object-kind is provided");
        }
        (None, false, _) => {
            return Fail::error("--bound-object-name can only be set if --bound-object-kind is provided");
        }
        (None, true, true) => {
            return Fail::error("--bound-object-uid can only be set if --bound-object-kind is provided");
        }
        _ => {}
    }
    let refused = |fail: Fail| match fail {
        Fail::Server(status) => Fail::Error(format!("failed to create token: {}", status.message)),
        other => other,
    };
    kube.allowed("create", (Kind::ServiceAccount, &namespace, &name), "token").map_err(refused)?;
    let account = kube.get(Kind::ServiceAccount, &namespace, &name).map_err(refused)?;
    let duration = kube.given.value("duration").and_then(seconds).filter(|it| *it != 0);
    if duration.is_some_and(|it| it < SHORTEST) {
        return Fail::error(format!(
            "failed to create token: TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: {}: may not specify a duration less than 10 minutes",
            duration.unwrap_or_default()
        ));
    }
    let mut of = json!({"namespace": namespace,
        "serviceaccount": {"name": name, "uid": field::text(&account, "metadata.uid")}});
    if let Some(kind) = bound {
        let found = kube.get(kind, &namespace, &object).map_err(refused)?;
        let uid = field::text(&found, "metadata.uid");
        if let Some(other) = kube.given.value("bound-object-uid").filter(|it| !it.is_empty() && *it != uid) {
            // Source: `pkg/registry/core/serviceaccount/storage/token.go`.
            return Fail::error(format!(
                "failed to create token: Operation cannot be fulfilled on {} {object:?}: the UID in the bound object reference ({other}) does not match the UID in record. The object might have been deleted and then recreated",
                kind.info().kind
            ));
        }
        of[kind.info().singular()] = json!({"name": object, "uid": field::text(&found, "metadata.uid")});
    }
    let audiences = match kube.given.list("audience") {
        none if none.is_empty() => vec!["https://kubernetes.default.svc".to_owned()],
        some => some.into_iter().map(str::to_owned).collect(),
    };
    let now = kube.shell.world.stamp(kube.shell.world.now()).0.as_second();
    let seconds = duration.unwrap_or(3600);
    let key = format!("{namespace}/{name}");
    let nth = kube.shell.world.store().revision();
    let claims = json!({
        "jti": cluster::draw::uid(kube.shell.world.seed(), &key, nth),
        "aud": audiences, "exp": now + seconds, "iat": now, "nbf": now,
        "iss": "https://kubernetes.default.svc",
        "kubernetes.io": of,
        "sub": format!("system:serviceaccount:{namespace}:{name}"),
    });
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let head = part(json!({"alg": "RS256", "kid": "podpath"}).to_string());
    let body = part(claims.to_string());
    let signature = part(format!("{now}/{namespace}/{name}"));
    let token = format!("{head}.{body}.{signature}");
    let Some(format) = print::format(kube, false)? else {
        kube.out.line(&token);
        return Ok(());
    };
    let reference = bound.map(|kind| {
        let info = kind.info();
        let uid = &of[info.singular()]["uid"];
        json!({"kind": info.kind, "apiVersion": info.api_version(), "name": object, "uid": uid})
    });
    let time = |at: i64| jiff::Timestamp::from_second(at).unwrap_or_default().to_string();
    let request = json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": name, "namespace": namespace, "uid": field::text(&account, "metadata.uid"), "creationTimestamp": time(now)},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference},
        "status": {"token": token, "expirationTimestamp": time(now + seconds)}});
    match format {
        Format::Json => kube.out.line(&print::typed::json(&request)),
        format => print::structured(kube, &format, request)?,
    }
    Ok(())
}

/// `10m`, `1h30m`.
fn seconds(text: &str) -> Option<i64> {
    crate::text::sleep::seconds(text).map(|d| i64::try_from(d.0 / 1000).unwrap_or(i64::MAX))
}

/// Whom a token made here stands for.
pub(in crate::kubectl) fn owner(token: &str) -> Option<String> {
    let claims = claims(token)?;
    let sub = claims["sub"].as_str()?;
    sub.starts_with("system:serviceaccount:").then(|| sub.to_owned())
}

/// What the server knows of a token's bearer beside the name: the account's uid, and what the token is bound to.
/// Source: `pkg/serviceaccount/util.go` (`UserInfo`); `legacy.go` for the token of a Secret.
pub(in crate::kubectl) fn bearer(token: &str) -> (String, Vec<(&'static str, String)>) {
    let claims = claims(token).unwrap_or_default();
    let own = &claims["kubernetes.io"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let uid = text(&own["serviceaccount"]["uid"])
        .or_else(|| text(&claims["kubernetes.io/serviceaccount/service-account.uid"]));
    let extra = [
        ("authentication.kubernetes.io/credential-id", text(&claims["jti"]).map(|id| format!("JTI={id}"))),
        ("authentication.kubernetes.io/node-name", text(&own["node"]["name"])),
        ("authentication.kubernetes.io/node-uid", text(&own["node"]["uid"])),
        ("authentication.kubernetes.io/pod-name", text(&own["pod"]["name"])),
        ("authentication.kubernetes.io/pod-uid", text(&own["pod"]["uid"])),
    ];
    let extra = extra.into_iter().filter_map(|(name, value)| Some((name, value?)));
    (uid.unwrap_or_default(), extra.collect())
}

fn claims(token: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()
}
