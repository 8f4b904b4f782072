//! Which quality of service does a pod get?
//!
//! Guaranteed if every container limits cpu and memory and asks for just that; BestEffort if none asks for anything.
//! Source: `pkg/apis/core/v1/helper/qos`.

use api::{
    k8s::core::v1::{Container, PodSpec},
    quantity::Quantity,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

type List = Option<std::collections::BTreeMap<String, Text>>;

/// Only these decide.
const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub(super) fn class(spec: &PodSpec) -> &'static str {
    let containers: Vec<&Container> =
        spec.containers.iter().chain(spec.init_containers.iter().flatten()).collect();
    let of = |container: &Container| {
        let resources = container.resources.clone().unwrap_or_default();
        RESOURCES.map(|name| (amount(&resources.requests, name), amount(&resources.limits, name)))
    };
    let amounts: Vec<_> = containers.into_iter().flat_map(of).collect();
    if amounts.iter().all(|(request, limit)| request.is_none() && limit.is_none()) {
        "BestEffort"
    } else if amounts
        .iter()
        .all(|(request, limit)| limit.is_some() && (request.is_none() || request == limit))
    {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// The amount, unless it is zero or not there.
fn amount(list: &List, name: &str) -> Option<Quantity> {
    let text = list.as_ref()?.get(name)?;
    Quantity::parse(&text.0).ok().filter(|amount| amount.sign() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn class_of(resources: &serde_json::Value) -> &'static str {
        let spec = json!({"containers": [{"name": "c", "resources": resources}]});
        class(&serde_json::from_value(spec).expect("a pod's spec"))
    }

    #[test]
    fn equal_limits_and_requests_are_guaranteed() {
        assert_eq!(class_of(&json!({})), "BestEffort");
        assert_eq!(class_of(&json!({"requests": {"cpu": "1"}})), "Burstable");
        assert_eq!(class_of(&json!({"limits": {"cpu": "1", "memory": "1Gi"}})), "Guaranteed");
        let equal = json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}});
        assert_eq!(class_of(&equal), "Guaranteed");
    }
}
