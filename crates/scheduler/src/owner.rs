//! Which pods belong together, as far as default spreading goes?
//!
//! Pods without spreading constraints are spread by what their Services and their controller select.
//! Source: `helper.DefaultSelector` of the scheduler's plugins, 1.34.

use std::collections::BTreeMap;

use api::k8s::apps::v1::{ReplicaSet, StatefulSet};
use api::k8s::core::v1::Service;
use api::label::Selector;
use api::meta::ObjectMeta;

use crate::pod::PodInfo;

/// Kind, namespace and name.
type OwnerKey = (&'static str, String, String);

/// Selectors of Services, ReplicaSets and StatefulSets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners(BTreeMap<OwnerKey, Selector>);

impl Owners {
    /// Adds a Service or takes over its selector; one without a selector owns nothing.
    pub fn set_service(&mut self, service: &Service) {
        let key = key("Service", &service.metadata);
        match service.spec.as_ref().and_then(|it| it.selector.as_ref()) {
            Some(labels) => self.0.insert(key, Selector::from_set(labels)),
            None => self.0.remove(&key),
        };
    }

    /// Adds a ReplicaSet or takes over its selector.
    pub fn set_replica_set(&mut self, set: &ReplicaSet) {
        let selector = set.spec.as_ref().and_then(|it| Selector::from_label_selector(&it.selector).ok());
        self.0.insert(key("ReplicaSet", &set.metadata), selector.unwrap_or_default());
    }

    /// Adds a StatefulSet or takes over its selector.
    pub fn set_stateful_set(&mut self, set: &StatefulSet) {
        let selector = set.spec.as_ref().and_then(|it| Selector::from_label_selector(&it.selector).ok());
        self.0.insert(key("StatefulSet", &set.metadata), selector.unwrap_or_default());
    }

    /// Forgets one: `Service`, `ReplicaSet` or `StatefulSet`.
    pub fn remove(&mut self, kind: &str, namespace: &str, name: &str) {
        self.0.retain(|key, _| (key.0, key.1.as_str(), key.2.as_str()) != (kind, namespace, name));
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the pod's Services and controller select together; empty if it has none.
    #[must_use]
    pub fn selector(&self, pod: &PodInfo) -> Selector {
        let mut requirements = Vec::new();
        for ((kind, namespace, name), selector) in &self.0 {
            let owns =
                namespace == &pod.key.namespace
                    && match *kind {
                        "Service" => selector.matches(&pod.template.labels),
                        kind => pod.template.controller.as_ref().is_some_and(|it| {
                            it.kind == kind && it.api_version == "apps/v1" && &it.name == name
                        }),
                    };
            if owns {
                requirements.extend(selector.requirements.iter().cloned());
            }
        }
        requirements.sort();
        requirements.dedup();
        Selector { requirements }
    }
}

fn key(kind: &'static str, meta: &ObjectMeta) -> OwnerKey {
    let namespace = meta.namespace.clone().unwrap_or_else(|| "default".to_owned());
    (kind, namespace, meta.name.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
        serde_json::from_value(value).expect("an object")
    }

    /// `rsKind` and `ssKind` of `helper/spread.go` are of `apps/v1`.
    #[test]
    fn a_controller_of_another_group_owns_nothing() {
        let mut owners = Owners::default();
        owners.set_replica_set(&read(json!({"metadata": {"name": "web"}, "spec": {
            "selector": {"matchLabels": {"app": "web"}}}})));
        let owned_by = |group: &str| {
            let owner = json!({"apiVersion": group, "kind": "ReplicaSet", "name": "web", "uid": "1",
                "controller": true});
            let pod = json!({"metadata": {"name": "web-1", "ownerReferences": [owner]}});
            owners.selector(&PodInfo::new(&read(pod))).requirements.len()
        };
        assert_eq!((owned_by("apps/v1"), owned_by("extensions/v1beta1")), (1, 0));
    }
}
