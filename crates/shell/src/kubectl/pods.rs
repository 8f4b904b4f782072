//! Which pod does a word mean, and which of its containers?
//!
//! `web-0`, `deploy/web`, `svc/web`. Source: kubectl `pkg/polymorphichelpers`, `pkg/util/podutils`, `pkg/cmd/util/podcmd`.

use std::cmp::Reverse;

use api::{Kind, SimDuration};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube,
    client::Selection,
    field::{self, at, int, list, name, name_of, text},
};

/// Longest wait for a pod to be there, unless `--pod-running-timeout` says otherwise.
pub(super) const WAIT: SimDuration = SimDuration::secs(60);

impl Kube<'_, '_> {
    /// The object a word means, where a bare name is a pod's.
    pub(super) fn meant(&mut self, word: &str) -> Done<(Kind, Value)> {
        let (kind, name) = match word.split_once('/') {
            Some((kind, name)) => (self.kind(kind)?, name),
            None => (Kind::Pod, word),
        };
        let namespace = self.scope(kind)?;
        Ok((kind, self.get(kind, &namespace, name)?))
    }

    /// The pod of an object, and how many there are: the best to read from first.
    ///
    /// Waits for the first pod of a selector to be made.
    pub(super) fn pod_of(&mut self, kind: Kind, object: Value, verb: &str) -> Done<(Value, usize)> {
        if kind == Kind::Pod {
            return Ok((object, 1));
        }
        let selector = match kind {
            Kind::Service if field::map(&object, "spec.selector").next().is_none() => {
                let name = name(&object);
                return Fail::error(format!(
                    "cannot {verb} *v1.Service: invalid service '{name}': Service is defined without a selector"
                ));
            }
            Kind::Service | Kind::ReplicationController => field::pairs(&object, "spec.selector", ""),
            Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
                field::selector(at(&object, "spec.selector"), "")
            }
            other => {
                let info = other.info();
                let go = format!("*{}.{}", info.version, info.kind);
                return Fail::error(format!("cannot {verb} {go}: selector for {go} not implemented"));
            }
        };
        let namespace = field::namespace(&object).to_owned();
        let selection = Selection { labels: selector, fields: String::new() };
        let limit = match self.given.value("pod-running-timeout").map(crate::text::sleep::seconds) {
            Some(Some(limit)) => limit,
            Some(None) | None if verb == "get the logs from" => SimDuration::secs(20),
            Some(None) | None => WAIT,
        };
        let mut pods = Vec::new();
        let found = self.wait(Some(limit), |kube| {
            pods = kube.list(Kind::Pod, &namespace, &selection)?;
            Ok(!pods.is_empty())
        })?;
        if !found {
            return Fail::error("timed out waiting for the condition");
        }
        pods.sort_by_key(rank);
        let count = pods.len();
        Ok((pods.swap_remove(0), count))
    }
}

/// The pod that says most stands first: on a node, running, ready, and that for longest.
fn rank(pod: &Value) -> (bool, u8, bool, String, Reverse<i64>, String) {
    let phase = match text(pod, "status.phase") {
        "Running" => 0,
        "Pending" => 2,
        _ => 1,
    };
    let ready = field::condition(pod, "Ready").filter(|c| text(c, "status") == "True");
    let restarts = list(pod, "status.containerStatuses").iter().map(|s| int(s, "restartCount")).max();
    (
        text(pod, "spec.nodeName").is_empty(),
        phase,
        ready.is_none(),
        ready.map_or(String::new(), |c| text(c, "lastTransitionTime").to_owned()),
        Reverse(restarts.unwrap_or(0)),
        text(pod, "metadata.creationTimestamp").to_owned(),
    )
}

/// All containers of a pod: those that run, then those that prepare.
pub(super) fn containers(pod: &Value) -> impl Iterator<Item = (&Value, &'static str)> {
    let of = move |path: &str, note: &'static str| list(pod, path).iter().map(move |c| (c, note));
    of("spec.containers", "")
        .chain(of("spec.ephemeralContainers", " (ephem)"))
        .chain(of("spec.initContainers", " (init)"))
}

/// The container meant where none is named; says so if there is a choice.
pub(super) fn default_container(kube: &mut Kube<'_, '_>, pod: &Value, quiet: bool) -> String {
    let marked = at(pod, "metadata.annotations").get("kubectl.kubernetes.io/default-container");
    if let Some(marked) = marked.and_then(Value::as_str)
        && containers(pod).any(|(c, _)| name_of(c) == marked)
    {
        return marked.to_owned();
    }
    let first = list(pod, "spec.containers").first().map(name_of).unwrap_or_default().to_owned();
    let all: Vec<String> = containers(pod).map(|(c, note)| format!("{}{note}", name_of(c))).collect();
    if all.len() > 1 && !quiet {
        kube.out.err(&format!("Defaulted container {first:?} out of: {}", all.join(", ")));
    }
    first
}

/// Where a container is in its life.
pub(super) fn status_of<'p>(pod: &'p Value, container: &str) -> Option<&'p Value> {
    ["status.containerStatuses", "status.initContainerStatuses", "status.ephemeralContainerStatuses"]
        .iter()
        .flat_map(|path| list(pod, path))
        .find(|s| name_of(s) == container)
}
