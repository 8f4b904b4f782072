//! How much was asked for, and how much fits?
//!
//! Sums of requests, as the scheduler counts them, for meters and sentences. It decides nothing.

use api::{
    k8s::core::v1::{Node, Pod},
    quantity::Quantity,
};
use cluster::{ClusterId, Store};

/// Thousandths of a unit; zero for what is no quantity.
#[must_use]
pub fn milli(text: &str) -> i64 {
    Quantity::parse(text).map_or(0, |q| q.milli_value())
}

/// What a pod requests of a resource, in thousandths: the sum of its containers, or its largest init container.
///
/// MODEL: pod overhead and sidecar init containers are left to the scheduler; a meter shows no difference.
#[must_use]
pub fn requested(pod: &Pod, resource: &str) -> i64 {
    let Some(spec) = pod.spec.as_ref() else { return 0 };
    let of = |resources: Option<&api::k8s::core::v1::ResourceRequirements>| {
        resources
            .and_then(|r| r.requests.as_ref())
            .and_then(|all| all.get(resource))
            .map_or(0, |q| milli(&q.0))
    };
    let running: i64 = spec.containers.iter().map(|c| of(c.resources.as_ref())).sum();
    let starting =
        spec.init_containers.iter().flatten().map(|c| of(c.resources.as_ref())).max().unwrap_or_default();
    running.max(starting)
}

/// ENIs an instance type takes, and addresses on each.
#[must_use]
pub fn card_limits(instance_type: &str) -> Option<(u32, u32)> {
    cni::limits::of(instance_type).map(|of| (of.enis, of.ipv4_per_eni))
}

/// What a node could still give of a resource, in thousandths.
#[must_use]
pub fn free(store: &Store, cluster: ClusterId, node: &str, resource: &str) -> i64 {
    let whole = store
        .get::<Node>(cluster, "", node)
        .and_then(|n| n.status.as_ref()?.allocatable.as_ref()?.get(resource))
        .map_or(0, |q| milli(&q.0));
    let taken: i64 = store
        .list::<Pod>(cluster, None)
        .filter(|p| p.spec.as_ref().and_then(|s| s.node_name.as_deref()) == Some(node))
        .map(|p| requested(p, resource))
        .sum();
    whole - taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_requests_the_sum_of_its_containers() {
        let pod: Pod = serde_json::from_value(json!({"spec": {"containers": [
            {"name": "a", "resources": {"requests": {"cpu": "100m"}}},
            {"name": "b", "resources": {"requests": {"cpu": "1"}}}]}}))
        .expect("a pod");
        assert_eq!(requested(&pod, "cpu"), 1100);
        assert_eq!(requested(&pod, "memory"), 0);
    }

    #[test]
    fn a_t3_small_takes_three_cards_of_four_addresses() {
        assert_eq!(card_limits("t3.small"), Some((3, 4)));
    }
}
