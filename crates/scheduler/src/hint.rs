//! May this help that pod?
//!
//! A pod that no node would take waits for events that its refusers have named ([`Plugin::retries_on`]). When one
//! comes, each of them looks closer ([`Plugin::helps`]): a node that the pod does not fit on is no help, nor is the end
//! of a pod that was not in its way. A pod for which nothing helps is not tried.
//! This module does not know what became of a pod that is tried again.
//! Source: `isPodWorthRequeuing` of `pkg/scheduler/backend/queue/scheduling_queue.go` and the plugins' `QueueingHintFn`s,
//! 1.34 (`SchedulerQueueingHints` is on).

use api::k8s::core::v1::{Node, PersistentVolume, PersistentVolumeClaim};
use api::k8s::storage::v1::{CSINode, StorageClass};

use crate::plugin::{ClusterEvent, Plugin};
use crate::pod::PodInfo;
use crate::registry;

/// An object before and after something happened to it; the first is absent if it is new, the second if it is gone.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// A node.
    Node(Option<&'a Node>, Option<&'a Node>),
    /// A pod that has a node, or the waiting pod itself.
    Pod(Option<&'a PodInfo>, Option<&'a PodInfo>),
    /// A claim.
    Claim(Option<&'a PersistentVolumeClaim>, Option<&'a PersistentVolumeClaim>),
    /// A volume.
    Volume(Option<&'a PersistentVolume>, Option<&'a PersistentVolume>),
    /// A class of volumes.
    Class(Option<&'a StorageClass>, Option<&'a StorageClass>),
    /// The drivers of a node.
    Drivers(Option<&'a CSINode>, Option<&'a CSINode>),
}

/// Whether a claim that came or changed is one of the pod's.
pub(crate) fn is_own_claim(pod: &PodInfo, claim: Option<&PersistentVolumeClaim>) -> bool {
    claim.is_some_and(|claim| {
        is_in_namespace(pod, claim) && pod.claims().any(|(own, _)| is_called(claim, &own))
    })
}

/// Whether it is one that the pod names, not one that is made from the pod.
pub(crate) fn is_named_claim(pod: &PodInfo, claim: Option<&PersistentVolumeClaim>) -> bool {
    let named = |claim: &_| pod.claims().any(|(own, ephemeral)| !ephemeral && is_called(claim, &own));
    claim.is_some_and(|claim| is_in_namespace(pod, claim) && named(claim))
}

fn is_in_namespace(pod: &PodInfo, claim: &PersistentVolumeClaim) -> bool {
    claim.metadata.namespace.as_deref().unwrap_or("default") == pod.key.namespace
}

fn is_called(claim: &PersistentVolumeClaim, name: &str) -> bool {
    claim.metadata.name.as_deref() == Some(name)
}

/// Whether one of the plugins that refused the pod waits for `event` and is turned by what happened.
#[must_use]
pub fn helps(refused_by: &[String], event: ClusterEvent, what: &Happening, pod: &PodInfo) -> bool {
    registry::default_plugins().into_iter().map(|it| it.plugin).any(|plugin| {
        let concerned = refused_by.iter().any(|it| it == plugin.name());
        concerned && plugin.retries_on().contains(&event) && plugin.helps(pod, what)
    })
}

/// Whether one of these plugins waits for `event` at all.
#[must_use]
pub fn concerns(refused_by: &[String], event: ClusterEvent) -> bool {
    let waits = |plugin: &dyn Plugin| {
        refused_by.iter().any(|it| it == plugin.name()) && plugin.retries_on().contains(&event)
    };
    registry::default_plugins().into_iter().any(|it| waits(it.plugin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{node, pod};
    use crate::plugin::{EventAction as Do, EventResource as On};

    /// Whether the plugin would have the pod tried again after `before` has become `after`.
    fn node_helps(plugin: &str, action: Do, before: Option<&str>, after: Option<&str>, spec: &str) -> bool {
        let (before, after) = (before.map(node), after.map(node));
        let what = Happening::Node(before.as_ref(), after.as_ref());
        helps(&[plugin.to_owned()], ClusterEvent::new(On::Node, action), &what, &pod("web", spec))
    }

    fn pod_goes(plugin: &str, gone: &str, spec: &str) -> bool {
        let mut gone = pod("other", gone);
        std::rc::Rc::make_mut(&mut gone.template).node_name = "a".to_owned();
        let event = ClusterEvent::new(On::AssignedPod, Do::Delete);
        helps(&[plugin.to_owned()], event, &Happening::Pod(Some(&gone), None), &pod("web", spec))
    }

    const BIG: &str = r#"{"containers": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]}"#;

    /// `TestIsSchedulableAfterNodeChange` of noderesources/fit_test.go.
    #[test]
    fn more_room_helps_only_if_the_pod_fits_and_it_is_room_the_pod_asks_for() {
        let fit =
            |before, after| node_helps("NodeResourcesFit", Do::UpdateNodeAllocatable, before, after, BIG);
        assert!(fit(Some("a cpu=1"), Some("a cpu=2")));
        assert!(!fit(Some("a cpu=1"), Some("a cpu=1 memory=32Gi")), "still too small");
        assert!(!fit(Some("a cpu=4"), Some("a cpu=4 memory=32Gi")), "memory was not asked for");
        assert!(fit(Some("a cpu=4 pods=1"), Some("a cpu=4 pods=2")), "one more pod");
        assert!(node_helps("NodeResourcesFit", Do::Add, None, Some("a cpu=2"), BIG));
        assert!(!node_helps("NodeResourcesFit", Do::Add, None, Some("a cpu=1"), BIG));
        assert!(!node_helps("NodeResourcesFit", Do::UpdateNodeTaint, Some("a cpu=1"), Some("a cpu=2"), BIG));
    }

    /// `Test_isSchedulableAfterNodeChange` of tainttoleration and nodeunschedulable.
    #[test]
    fn a_taint_that_goes_helps_only_if_no_other_is_left() {
        let taints = |before, after| node_helps("TaintToleration", Do::UpdateNodeTaint, before, after, "{}");
        assert!(taints(Some("a taint=gpu:NoSchedule"), Some("a")));
        assert!(!taints(Some("a taint=gpu:NoSchedule taint=x:NoExecute"), Some("a taint=x:NoExecute")));
        assert!(!taints(Some("a"), Some("a taint=x:PreferNoSchedule")), "it was tolerated before");
        assert!(!node_helps("TaintToleration", Do::Add, None, Some("a taint=gpu:NoSchedule"), "{}"));
        let cordon =
            |before, after| node_helps("NodeUnschedulable", Do::UpdateNodeTaint, before, after, "{}");
        assert!(cordon(Some("a cordoned"), Some("a")));
        assert!(!cordon(Some("a"), Some("a")));
    }

    /// `Test_isSchedulableAfterNodeChange` of nodeaffinity, interpodaffinity and podtopologyspread.
    #[test]
    fn a_label_helps_only_if_it_is_the_one_asked_for() {
        let ssd = r#"{"nodeSelector": {"disk": "ssd"}}"#;
        let affinity = |before, after| node_helps("NodeAffinity", Do::UpdateNodeLabel, before, after, ssd);
        assert!(affinity(Some("a"), Some("a disk=ssd")));
        assert!(!affinity(Some("a disk=ssd"), Some("a disk=ssd rack=1")), "it matched before");
        assert!(!affinity(Some("a"), Some("a disk=hdd")));
        let spread = r#"{"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable":
            "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}]}"#;
        let domain =
            |before, after| node_helps("PodTopologySpread", Do::UpdateNodeLabel, before, after, spread);
        assert!(domain(Some("a zone=1"), Some("a zone=2")));
        assert!(!domain(Some("a zone=1"), Some("a zone=1 rack=1")));
        assert!(node_helps("PodTopologySpread", Do::Delete, Some("a zone=1"), None, spread));
        assert!(!node_helps("PodTopologySpread", Do::Delete, Some("a"), None, spread));
        let near = r#"{"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey":
            "zone", "labelSelector": {"matchLabels": {"app": "db"}}}]}}}"#;
        let topology =
            |before, after| node_helps("InterPodAffinity", Do::UpdateNodeLabel, before, after, near);
        assert!(topology(Some("a"), Some("a zone=1")));
        assert!(!topology(Some("a zone=1"), Some("a zone=1 rack=1")));
    }

    /// `Test_isSchedulableAfterPodDeleted` of nodeports, `…PodChange` of interpodaffinity and podtopologyspread.
    #[test]
    fn the_end_of_a_pod_helps_those_it_was_in_the_way_of() {
        let port = |port: u16| {
            format!(
                r#"{{"containers": [{{"name": "c", "ports": [{{"containerPort": 80, "hostPort": {port}, "protocol": "TCP"}}]}}]}}"#
            )
        };
        assert!(pod_goes("NodePorts", &port(80), &port(80)));
        assert!(!pod_goes("NodePorts", &port(81), &port(80)));
        assert!(pod_goes("NodeResourcesFit", "{}", BIG), "any end frees room");
        let apart = |app: &str| {
            format!(
                r#"{{"affinity": {{"podAntiAffinity": {{"requiredDuringSchedulingIgnoredDuringExecution": [{{"topologyKey": "zone",
                "labelSelector": {{"matchLabels": {{"app": "{app}"}}}}}}]}}}}}}"#
            )
        };
        assert!(pod_goes("InterPodAffinity", "{}", &apart("other")));
        assert!(!pod_goes("InterPodAffinity", "{}", &apart("third")));
        assert!(!pod_goes("InterPodAffinity", &apart("web"), "{}"), "what it wanted is not looked at");
        assert!(!pod_goes("TaintToleration", "{}", "{}"), "the plugin does not wait for that");
    }

    /// `TestEventsToRegister`, `Test_isSchedulableAfterPodChange` of interpodaffinity.
    #[test]
    fn new_labels_of_the_pod_itself_do_not_turn_inter_pod_affinity() {
        let event = ClusterEvent::new(On::UnscheduledPod, Do::UpdatePodLabel);
        let (before, after) = (pod("web", "{}"), pod("web", "{}"));
        let what = Happening::Pod(Some(&before), Some(&after));
        assert!(!helps(&["InterPodAffinity".to_owned()], event, &what, &after));
    }

    /// `TestIsSchedulableAfterPodScaleDown` of noderesources/fit_test.go.
    #[test]
    fn a_pod_that_asks_for_less_helps_those_that_want_what_it_leaves() {
        let asks = |name: &str, cpu: u32, memory: u32| {
            let spec = format!(
                r#"{{"nodeName": "a", "containers": [{{"name": "c", "resources": {{"requests": {{"cpu": "{cpu}", "memory": "{memory}Mi"}}}}}}]}}"#
            );
            pod(name, &spec)
        };
        let shrinks = |before: &PodInfo, after: &PodInfo| {
            let event = ClusterEvent::new(On::AssignedPod, Do::UpdatePodScaleDown);
            let what = Happening::Pod(Some(before), Some(after));
            helps(&["NodeResourcesFit".to_owned()], event, &what, &pod("web", BIG))
        };
        assert!(shrinks(&asks("other", 2, 8), &asks("other", 1, 8)));
        assert!(!shrinks(&asks("other", 2, 8), &asks("other", 2, 4)), "memory was not asked for");
    }

    /// `TestCSILimits…PVCAdded` and `Test_isSchedulableAfterPersistentVolumeClaimChange` of volumebinding.
    #[test]
    fn only_its_own_claim_helps_a_pod() {
        let mut claim = PersistentVolumeClaim::default();
        claim.metadata.namespace = Some("default".to_owned());
        claim.metadata.name = Some("data".to_owned());
        let event = ClusterEvent::new(On::PersistentVolumeClaim, Do::Add);
        let wants = |name: &str| {
            let spec = format!(
                r#"{{"volumes": [{{"name": "v", "persistentVolumeClaim": {{"claimName": "{name}"}}}}]}}"#
            );
            let what = Happening::Claim(None, Some(&claim));
            helps(&["VolumeBinding".to_owned()], event, &what, &pod("web", &spec))
        };
        assert!(wants("data"));
        assert!(!wants("other"));
    }
}
