//! What does the API server say when etcd does not answer it?
//!
//! A read goes to the majority and is tried again until the request's time is up. A write is given up by etcd itself.
//! A deletion reads first. What needs no storage (who may do what) is answered as ever, and what is refused before
//! storage is refused as ever.
//! Source: etcd `server/config` (`ReqTimeout`: 5 s and two elections), etcd client `retry_interceptor.go` (reads are tried
//! again); apiserver `endpoints/handlers` (34 s for what changes something), `--request-timeout` (60 s); the words were
//! taken from a real server whose only etcd member had lost its majority.

use api::{ApiStatus, Kind, SimDuration};

use crate::{ApiRequest, ApiVerb, ClusterId, Reply, Store, apiserver::status};

/// etcd gives a write up.
const WRITE: SimDuration = SimDuration::secs(7);
/// The API server gives up what changes something.
const DELETE: SimDuration = SimDuration::secs(34);
/// The API server gives up anything.
const READ: SimDuration = SimDuration::secs(60);

/// Why a request is not answered as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// No API server runs: nobody takes the connection.
    NoServer,
    /// etcd has no majority: after so long the API server says so.
    NoQuorum(SimDuration),
}

/// Why this request will not be answered as it should be; `None` if it will.
pub(crate) fn silence(store: &Store, cluster: ClusterId, request: &ApiRequest) -> Option<Silence> {
    use api::kinds::sim::PartRole;
    super::silent_since(&super::of(store, cluster).collect::<Vec<_>>())?;
    let mut servers = super::of(store, cluster).filter(|part| part.role == PartRole::ApiServer).peekable();
    if servers.peek().is_some() && servers.all(|part| !part.running) {
        return Some(Silence::NoServer);
    }
    is_stored(request.kind).then_some(Silence::NoQuorum(match request.verb {
        ApiVerb::Get | ApiVerb::List { .. } => READ,
        ApiVerb::Create(_) | ApiVerb::Update(_) | ApiVerb::Patch(..) => WRITE,
        ApiVerb::Delete { .. } => DELETE,
    }))
}

/// Whether an answer about this kind comes from etcd.
fn is_stored(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::SelfSubjectReview
            | Kind::SelfSubjectAccessReview
            | Kind::SelfSubjectRulesReview
            | Kind::SubjectAccessReview
            | Kind::LocalSubjectAccessReview
    )
}

/// Whether an answer is one that only storage could have given.
pub(crate) fn needs_storage(answer: &Result<Reply, ApiStatus>) -> bool {
    match answer {
        Ok(_) => true,
        Err(status) => match status.reason.as_str() {
            "AlreadyExists" | "Conflict" => true,
            // Otherwise it is the path that is not there.
            "NotFound" => !status.name.is_empty(),
            _ => false,
        },
    }
}

/// What is said instead.
pub(crate) fn unanswered(kind: Kind, verb: &'static str, name: &str) -> ApiStatus {
    let (code, reason, message) = match verb {
        "get" | "list" => {
            let name = if name.is_empty() { String::new() } else { format!(" {name}") };
            let what = format!("get {}{name}", kind.info().resource());
            let message = format!(
                "the server was unable to return a response in the time allotted, but may still be processing the request ({what})"
            );
            (504, "Timeout", message)
        }
        "delete" => {
            let message =
                "Timeout: request did not complete within requested timeout - context deadline exceeded";
            (504, "Timeout", message.to_owned())
        }
        _ => (500, "", "etcdserver: request timed out".to_owned()),
    };
    status(code, reason, message)
}
