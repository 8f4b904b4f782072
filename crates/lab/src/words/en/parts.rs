//! What follows when a part does not run, in English.

use api::kinds::sim::PartRole;

use crate::{
    view::why::PartWhy,
    words::{Mark, Step},
};

/// One sentence for a part.
pub(super) fn lead(part: &PartWhy) -> String {
    let (running, all) = part.running;
    match (part.role, part.works, part.starts_in) {
        (_, true, Some(seconds)) => {
            format!(
                "It runs again, and acts in {seconds} s: first it has to find the others, or become the leader."
            )
        }
        (PartRole::ApiServer, true, None) if running < all => {
            format!("{running} of {all} API servers run. Every request goes to one that does.")
        }
        (PartRole::ApiServer, true, None) => {
            "Every request passes here: who is it, may they, is it legal. Any server will do.".to_owned()
        }
        (PartRole::ApiServer, false, _) => "No API server runs, so nobody takes a request.".to_owned(),
        (PartRole::Etcd, true, None) if running < all => {
            format!("{running} of {all} members run: more than half, so nothing is missing.")
        }
        (PartRole::Etcd, true, None) => {
            "What the API server accepts is written here, once more than half of the members have it."
                .to_owned()
        }
        (PartRole::Etcd, false, _) => {
            format!(
                "{running} of {all} members run: no majority, so nothing can be written, and nothing read for sure."
            )
        }
        (PartRole::Scheduler, true, None) => {
            "It finds a node for each pod without one. It neither moves nor starts pods.".to_owned()
        }
        (PartRole::Scheduler, false, _) => "It does not run: nobody looks for nodes.".to_owned(),
        (PartRole::ControllerManager, true, None) => {
            "Its controllers compare what is wanted with what is, and take one step at a time.".to_owned()
        }
        (PartRole::ControllerManager, false, _) => {
            "It does not run: nobody compares what is wanted with what is.".to_owned()
        }
    }
}

/// What follows from its absence.
pub(super) fn chain(part: &PartWhy) -> Vec<Step> {
    let bad = |text: &str| Step { mark: Mark::Bad, text: text.to_owned() };
    let good = |text: &str| Step { mark: Mark::Good, text: text.to_owned() };
    let wait = |text: &str| Step { mark: Mark::Wait, text: text.to_owned() };
    let traffic = good("Traffic goes on: the rules and the addresses are on the nodes.");
    if part.works {
        return Vec::new();
    }
    match part.role {
        PartRole::ApiServer => vec![
            bad("`kubectl` finds the connection refused"),
            bad("Scheduler, controllers and kubelets stand still: they act only through the API server"),
            traffic,
        ],
        PartRole::Etcd => vec![
            bad(
                "A write is given up after 7 s: `etcdserver: request timed out`. A read takes a minute to fail",
            ),
            bad("Scheduler, controllers and kubelets change nothing"),
            traffic,
            wait("With more than half of the members back, all catch up by what is there then"),
        ],
        PartRole::Scheduler => vec![
            bad("A new pod stays Pending, without a node and without an event: nobody has looked at it"),
            good("Pods that have a node run on, and the kubelet restarts their containers"),
            wait("Back again it lists all pods without a node, and tries them"),
        ],
        PartRole::ControllerManager => vec![
            bad("A pod that goes is not replaced, and nothing is collected after its owner"),
            bad("EndpointSlices stay as they are: a Service may lead to a pod that is gone"),
            bad("A silent node is not given up, and nobody is evicted from it"),
            good("Pods with a node run on; new ones still get a node"),
            wait("Back again it waits for the old leader's lease, then looks at everything"),
        ],
    }
}

/// What follows on a node without one of its own.
pub(super) fn on_node(part: &str) -> &'static str {
    match part {
        "kubelet" => {
            "**kubelet** off: no lease is renewed. After 50 s the node is NotReady, after 5 more minutes its pods are evicted. The containers run on"
        }
        "runtime" => {
            "**container runtime** off: no container starts or stops here. After half a minute the kubelet says so. What runs goes on"
        }
        _ => {
            "**kube-proxy** off: the rules of this node stay as they were. Old Services answer; new ones, and new pods behind old ones, are not known here"
        }
    }
}

/// One line of the outline.
pub(super) fn entry(name: &str, running: bool) -> String {
    format!("{name}, {}", if running { "running" } else { "stopped" })
}
