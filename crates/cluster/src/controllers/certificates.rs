//! Which approved requests become certificates, and which are approved without anybody's word?
//!
//! A signer looks at requests in its name: what does not keep its rules fails, what does is signed with the cluster's authority.
//! On EKS only what runs in the cluster gets certificates: users show IAM credentials instead, and requests of clients stay approved.
//! Requests that have been answered go after a while.
//! Source: `pkg/controller/certificates/{signer,approver,cleaner}`, `pkg/apis/certificates/helpers.go`; for EKS the page "Secure workloads with
//! Kubernetes certificates" of its user guide and aws/containers-roadmap#1604.

use api::{
    ApiStatus, Kind, Object, SimDuration, Stored,
    kinds::sim::{ControlPlane, Provider},
    signing::{self, SigningRequest, Terms},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    Change, ClusterId, Controller, Key, Next, Principal, Store, Turn,
    auth::{self, Attributes},
};

const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";

/// How long a certificate lasts, and how long at least. Source: `--cluster-signing-duration`; `signer.go`.
const LONGEST: i64 = 365 * 24 * 3600;
const SHORTEST: i64 = 600;
/// It counts from a little earlier, and ends as much earlier unless it is short. Source: `signer.go`, `policies.go`.
const BACKDATED: i64 = 300;
const SHORT: i64 = 8 * 3600;

/// How often the cleaner looks, how long it leaves answered requests, and how long those that nobody answered. Source: `cleaner.go`.
const LOOKS: SimDuration = SimDuration::secs(3600);
const ANSWERED: i64 = 3600;
const PENDING: i64 = 24 * 3600;

/// The controllers that sign.
pub(crate) struct Signing;

/// The controller that approves what nodes ask for themselves.
pub(crate) struct Approving;

/// The controller that removes what is done.
pub(crate) struct Cleaning;

fn woken(change: &Change, wake: &mut dyn FnMut(Key)) {
    if change.key.kind == Kind::CertificateSigningRequest && change.after.is_some() {
        wake(change.key.clone());
    }
}

/// A request as it stands, and what is in it.
fn found(turn: &Turn<'_>, key: &Key) -> Option<(Stored, Result<SigningRequest, String>)> {
    let Some(Object::Stored(stored)) = turn.store().object(key).map(|it| (**it).clone()) else { return None };
    let pem = STANDARD.decode(text(&stored, "/spec/request")).unwrap_or_default();
    let read = signing::read(&pem);
    Some((*stored, read))
}

fn value<'s>(stored: &'s Stored, path: &str) -> &'s Value {
    let (part, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let below = stored.body.get(part).and_then(|it| it.get(rest));
    below.unwrap_or(&Value::Null)
}

fn text<'s>(stored: &'s Stored, path: &str) -> &'s str {
    value(stored, path).as_str().unwrap_or_default()
}

fn has(stored: &Stored, condition: &str) -> bool {
    value(stored, "/status/conditions").as_array().into_iter().flatten().any(|it| it["type"] == condition)
}

fn usages(stored: &Stored) -> Vec<&str> {
    value(stored, "/spec/usages").as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn add(stored: &mut Stored, condition: Value) {
    let status = stored.body.entry("status").or_insert_with(|| json!({}));
    match status["conditions"].as_array_mut() {
        Some(all) => all.push(condition),
        None => status["conditions"] = json!([condition]),
    }
}

impl Controller for Signing {
    fn name(&self) -> &'static str {
        "certificatesigningrequest-signing-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        woken(change, wake);
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some((mut stored, Ok(request))) = found(turn, key) else { return Ok(Next::Done) };
        let is_open = has(&stored, "Approved") && !has(&stored, "Denied") && !has(&stored, "Failed");
        if !is_open || !text(&stored, "/status/certificate").is_empty() {
            return Ok(Next::Done);
        }
        let Some(rules) = rules(turn, text(&stored, "/spec/signerName")) else { return Ok(Next::Done) };
        if let Err(why) = rules(&request, &usages(&stored)) {
            let now = turn.stamp();
            add(
                &mut stored,
                json!({"type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": why,
                    "lastUpdateTime": now}),
            );
        } else {
            let pem = certificate(turn, key, &stored, &request);
            let status = stored.body.entry("status").or_insert_with(|| json!({}));
            status["certificate"] = STANDARD.encode(pem).into();
        }
        turn.update_status_object(Object::Stored(Box::new(stored)))?;
        Ok(Next::Done)
    }
}

fn certificate(turn: &Turn<'_>, key: &Key, stored: &Stored, request: &SigningRequest) -> String {
    let asked = value(stored, "/spec/expirationSeconds").as_i64();
    let lasts = asked.map_or(LONGEST, |asked| asked.clamp(SHORTEST, LONGEST));
    let end = if lasts < SHORT { lasts } else { lasts - BACKDATED };
    let now = turn.stamp().0;
    let at =
        |seconds: i64| jiff::Timestamp::from_second(now.as_second().saturating_add(seconds)).unwrap_or(now);
    let drawn: Vec<u8> = (0..34).flat_map(|n| turn.draw("certificate", key, n).to_be_bytes()).collect();
    let terms = Terms { usages: &usages(stored), from: at(-BACKDATED), until: at(end), drawn: &drawn };
    signing::certify(request, terms)
}

type Rules = fn(&SigningRequest, &[&str]) -> Result<(), String>;

/// What a signer of this cluster asks of a request; none if nobody here signs in its name.
fn rules(turn: &Turn<'_>, signer: &str) -> Option<Rules> {
    let mut planes = turn.world().store().list::<ControlPlane>(ClusterId::WORLD, None);
    let on_eks = planes.any(|plane| plane.id == turn.cluster().0 && plane.provider == Provider::Eks);
    match (signer, on_eks) {
        ("kubernetes.io/kubelet-serving", _) => Some(of_kubelet_server),
        ("beta.eks.amazonaws.com/app-serving", true) => Some(of_server_on_eks),
        ("kubernetes.io/kube-apiserver-client", false) => Some(of_client),
        (KUBELET_CLIENT, false) => Some(of_kubelet),
        _ => None,
    }
}

fn of_client(_: &SigningRequest, usages: &[&str]) -> Result<(), String> {
    let may = ["digital signature", "key encipherment", "client auth"];
    if let Some(usage) = usages.iter().find(|usage| !may.contains(usage)) {
        return Err(format!("invalid usage for client certificate: {usage}"));
    }
    if usages.contains(&"client auth") {
        return Ok(());
    }
    Err("missing required usage for client certificate: client auth".to_owned())
}

fn of_server_on_eks(_: &SigningRequest, usages: &[&str]) -> Result<(), String> {
    let may = ["digital signature", "key encipherment", "server auth"];
    match usages.iter().find(|usage| !may.contains(usage)) {
        Some(usage) => Err(format!("invalid usage for server certificate: {usage}")),
        None => Ok(()),
    }
}

/// Whether the usages are these, or these without key encipherment.
fn are_usages(usages: &[&str], purpose: &str) -> Result<(), String> {
    let mut given = usages.to_vec();
    given.sort_unstable();
    let mut wanted = vec!["digital signature", "key encipherment", purpose];
    wanted.sort_unstable();
    let without: Vec<&str> = wanted.iter().copied().filter(|usage| *usage != "key encipherment").collect();
    if given == wanted || given == without {
        return Ok(());
    }
    Err(format!("usages did not match [{}]", wanted.join(" ")))
}

fn is_node(request: &SigningRequest) -> Result<(), String> {
    if request.common_name().starts_with("system:node:") {
        return Ok(());
    }
    Err("subject common name does not begin with system:node:".to_owned())
}

fn of_nodes(request: &SigningRequest) -> Result<(), String> {
    if request.organizations() == ["system:nodes"] {
        return Ok(());
    }
    Err("subject organization is not system:nodes".to_owned())
}

/// Refuses other names of these sorts.
fn without(request: &SigningRequest, sorts: &[(u8, &str)]) -> Result<(), String> {
    match sorts.iter().find(|(tag, _)| request.has(*tag)) {
        Some((_, sort)) => Err(format!("{sort} subjectAltNames are not allowed")),
        None => Ok(()),
    }
}

fn of_kubelet_server(request: &SigningRequest, usages: &[&str]) -> Result<(), String> {
    of_nodes(request)?;
    if !request.has(signing::DNS) && !request.has(signing::ADDRESS) {
        return Err("DNS or IP subjectAltName is required".to_owned());
    }
    without(request, &[(signing::MAIL, "Email"), (signing::LOCATOR, "URI")])?;
    are_usages(usages, "server auth")?;
    is_node(request)
}

fn of_kubelet(request: &SigningRequest, usages: &[&str]) -> Result<(), String> {
    of_nodes(request)?;
    let sorts = [
        (signing::DNS, "DNS"),
        (signing::MAIL, "Email"),
        (signing::ADDRESS, "IP"),
        (signing::LOCATOR, "URI"),
    ];
    without(request, &sorts)?;
    is_node(request)?;
    are_usages(usages, "client auth")
}

impl Controller for Approving {
    fn name(&self) -> &'static str {
        "certificatesigningrequest-approving-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        woken(change, wake);
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some((mut stored, Ok(request))) = found(turn, key) else { return Ok(Next::Done) };
        let is_open = !has(&stored, "Approved") && !has(&stored, "Denied");
        if !is_open
            || text(&stored, "/spec/signerName") != KUBELET_CLIENT
            || of_kubelet(&request, &usages(&stored)).is_err()
        {
            return Ok(Next::Done);
        }
        let groups = value(&stored, "/spec/groups").as_array().into_iter().flatten();
        let who = Principal {
            user: text(&stored, "/spec/username").to_owned(),
            groups: groups.filter_map(Value::as_str).map(str::to_owned).collect(),
            ..Principal::default()
        };
        let of_itself =
            ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.");
        let of_any = ("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.");
        let mut ways = vec![of_any];
        if who.user == request.common_name() {
            ways.insert(0, of_itself);
        }
        let may = |subresource| {
            let what =
                Attributes { verb: "create", subresource, ..Attributes::of(Kind::CertificateSigningRequest) };
            auth::allowed(turn.store(), turn.cluster(), &who, &what).is_some()
        };
        if let Some((_, message)) = ways.into_iter().find(|(subresource, _)| may(subresource)) {
            let approved =
                json!({"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message});
            add(&mut stored, approved);
            turn.update_approval(Object::Stored(Box::new(stored)))?;
        }
        Ok(Next::Done)
    }
}

/// MODEL: the cleaner looks at every full hour since the beginning; a real one counts from its own start.
impl Controller for Cleaning {
    fn name(&self) -> &'static str {
        "certificatesigningrequest-cleaner-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        woken(change, wake);
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some((stored, _)) = found(turn, key) else { return Ok(Next::Done) };
        let rest = turn.now().0 % LOOKS.0;
        let age = |since: &Value| {
            let since = since.as_str().and_then(|it| it.parse::<jiff::Timestamp>().ok())?;
            Some(turn.stamp().0.as_second() - since.as_second())
        };
        if rest == 0 && is_done(&stored, age) {
            turn.delete(key, None)?;
            return Ok(Next::Done);
        }
        Ok(Next::Every(SimDuration(LOOKS.0 - rest)))
    }
}

/// Whether a request has been answered long ago, or never was; `age` gives the seconds since a moment.
fn is_done(stored: &Stored, age: impl Fn(&Value) -> Option<i64>) -> bool {
    let conditions: Vec<&Value> =
        value(stored, "/status/conditions").as_array().into_iter().flatten().collect();
    let created = serde_json::json!(stored.metadata.creation_timestamp);
    if conditions.is_empty() {
        return age(&created).is_some_and(|age| age > PENDING);
    }
    let is_issued = !text(stored, "/status/certificate").is_empty();
    // It was signed when it was approved.
    let asked = value(stored, "/spec/expirationSeconds").as_i64();
    let lasts = asked.map_or(LONGEST, |asked| asked.clamp(SHORTEST, LONGEST));
    conditions.iter().any(|condition| {
        let Some(age) = age(&condition["lastUpdateTime"]) else { return false };
        match condition["type"].as_str() {
            Some("Approved") => is_issued && age > ANSWERED.min(lasts),
            Some("Denied" | "Failed") => age > ANSWERED,
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ActorId, Budget,
        fixture::{HERE, cluster, get, settle},
    };

    fn request(status: &Value) -> Stored {
        let all = json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"name": "a", "creationTimestamp": "2026-03-02T09:00:00Z"},
            "spec": {"request": "", "signerName": "example.com/a"}, "status": status});
        match api::decode::decode(Kind::CertificateSigningRequest, &all) {
            Ok(Object::Stored(stored)) => *stored,
            other => panic!("{other:?}"),
        }
    }

    /// Expected: `cleaner_test.go` (`TestCleanerWithApprovedExpiredCSR` and its table).
    #[test]
    fn answered_requests_go_after_an_hour_and_others_after_a_day() {
        let answered = |how: &str| json!([{"type": how, "lastUpdateTime": "2026-03-02T09:00:00Z"}]);
        for (status, keeps) in [
            (json!({}), PENDING),
            (json!({"conditions": answered("Denied")}), ANSWERED),
            (json!({"conditions": answered("Failed")}), ANSWERED),
            (json!({"conditions": answered("Approved"), "certificate": "eA=="}), ANSWERED),
            (json!({"conditions": answered("Approved")}), i64::MAX),
        ] {
            let stored = request(&status);
            assert!(!is_done(&stored, |_| Some(keeps)), "{status}");
            assert_eq!(is_done(&stored, |_| Some(keeps.saturating_add(1))), keeps != i64::MAX, "{status}");
        }
    }

    #[test]
    fn a_request_that_nobody_answers_is_there_for_a_day() {
        let mut world = cluster();
        world.put(ActorId("scenario"), None, HERE, Object::Stored(Box::new(request(&json!({})))));
        settle(&mut world);
        let day = world.now() + SimDuration::secs(24 * 3600 - 60);
        world.run_until(day, Budget::COMMAND);
        assert!(get(&mut world, Kind::CertificateSigningRequest, "a").is_ok());
        let day = world.now() + SimDuration::secs(2 * 3600);
        world.run_until(day, Budget::COMMAND);
        assert!(get(&mut world, Kind::CertificateSigningRequest, "a").is_err());
    }
}
