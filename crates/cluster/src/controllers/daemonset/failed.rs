//! How long does a pod that failed stay, before another takes its place on the node?
//!
//! Not at all the first time; then 1 s and twice as long each time, up to 15 minutes, so that the controller does not fight a
//! kubelet that will not have the pod. Nobody sees these counts; they are lost with the process.
//! Source: `failedPodsBackoff` of `pkg/controller/daemon/daemon_controller.go` (`podsShouldBeOnNode`), its 1 s and 15 min in
//! `cmd/kube-controller-manager/app/apps.go`; client-go `util/flowcontrol/backoff.go`, 1.34.

use api::{SimDuration, SimTime, digest::Digest, k8s::apps::v1::DaemonSet};
use imbl::{GenericOrdMap, shared_ptr::RcK};

use crate::ClusterId;

const FIRST: SimDuration = SimDuration::secs(1);
const LONGEST: SimDuration = SimDuration::secs(15 * 60);

/// Of which set, as it was last looked at, and on which node.
type Id = (ClusterId, String, i64, String);

/// What is remembered of pods that failed: the wait, and since when it counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailedPods(GenericOrdMap<Id, (SimDuration, SimTime), RcK>);

impl FailedPods {
    /// Nothing if the pod may go now, which is counted; otherwise when to look again.
    pub(super) fn wait(
        &mut self,
        cluster: ClusterId,
        set: &DaemonSet,
        node: &str,
        now: SimTime,
    ) -> Option<SimDuration> {
        let seen = set.status.as_ref().and_then(|it| it.observed_generation).unwrap_or(0);
        let id = (cluster, set.metadata.uid.clone().unwrap_or_default(), seen, node.to_owned());
        let known = self.0.get(&id).copied().filter(|(_, since)| now.since(*since).0 <= LONGEST.0 * 2);
        let next = match known {
            // UPSTREAM: the whole wait begins anew.
            Some((wait, since)) if now.since(since) < wait => return Some(wait),
            Some((wait, _)) => SimDuration((wait.0 * 2).min(LONGEST.0)),
            None => FIRST,
        };
        let others = self.0.iter().filter(|(_, (_, since))| now.since(*since).0 <= LONGEST.0 * 2);
        self.0 = others.map(|(id, entry)| (id.clone(), *entry)).collect();
        self.0.insert(id, (next, now));
        None
    }

    /// A cluster is gone, or the process that remembered.
    pub(crate) fn forget_cluster(&mut self, cluster: ClusterId) {
        let others = self.0.iter().filter(|(id, _)| id.0 != cluster);
        self.0 = others.map(|(id, entry)| (id.clone(), *entry)).collect();
    }

    /// Adds everything, in order.
    pub(crate) fn digest(&self, digest: &mut Digest) {
        for ((cluster, set, seen, node), (wait, since)) in &self.0 {
            digest.number(u64::from(cluster.0)).bytes(set.as_bytes()).number(seen.unsigned_abs());
            digest.bytes(node.as_bytes()).number(wait.0).number(since.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_fails_again_stays_twice_as_long() {
        let mut failed = FailedPods::default();
        let set = DaemonSet::default();
        let mut at = |seconds: u64| {
            let wait = failed.wait(ClusterId(1), &set, "a", SimTime(seconds * 1000));
            wait.map(SimDuration::as_secs)
        };
        assert_eq!([0, 0, 1, 2, 3, 6, 7].map(&mut at), [None, Some(1), None, Some(2), None, Some(4), None]);
        assert_eq!([3600, 3600].map(at), [None, Some(1)], "what is long ago is forgotten");
    }
}
