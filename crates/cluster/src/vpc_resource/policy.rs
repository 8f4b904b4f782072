//! Which security groups does a pod get of its own?
//!
//! Those of every SecurityGroupPolicy of its namespace whose selectors it and its service account meet.
//! Source: amazon-vpc-resource-controller-k8s `pkg/utils/helper.go` (`filterPodSecurityGroups`).

use std::collections::BTreeMap;

use api::{
    Object,
    k8s::core::v1::{Pod, ServiceAccount},
    label::Selector,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::policy_kind;
use crate::{ClusterId, Store};

/// Whether a namespace has policies at all.
pub(crate) fn are_in(store: &Store, cluster: ClusterId, namespace: &str) -> bool {
    store.objects(cluster, policy_kind(), Some(namespace)).next().is_some()
}

/// The groups, each once, in the order of the policies' names; none if no policy means the pod.
pub(crate) fn groups(store: &Store, cluster: ClusterId, namespace: &str, pod: &Pod) -> Vec<String> {
    let account = pod.spec.as_ref().and_then(|spec| spec.service_account_name.as_deref());
    let account = store.get::<ServiceAccount>(cluster, namespace, account.unwrap_or("default"));
    let empty = BTreeMap::new();
    let labels = pod.metadata.labels.as_ref().unwrap_or(&empty);
    let account = account.and_then(|it| it.metadata.labels.as_ref()).unwrap_or(&empty);
    let mut groups: Vec<String> = Vec::new();
    for (_, object) in store.objects(cluster, policy_kind(), Some(namespace)) {
        let Object::Stored(policy) = &**object else { continue };
        let Some(spec) = policy.body.get("spec") else { continue };
        let selectors = [(&spec["podSelector"], labels), (&spec["serviceAccountSelector"], account)];
        let mut given = selectors.iter().filter(|(selector, _)| !selector.is_null()).peekable();
        if given.peek().is_none() || !given.all(|(selector, labels)| matches(selector, labels)) {
            continue;
        }
        let named = spec["securityGroups"]["groupIds"].as_array().into_iter().flatten();
        for group in named.filter_map(Value::as_str) {
            if !groups.iter().any(|known| known == group) {
                groups.push(group.to_owned());
            }
        }
    }
    groups
}

fn matches(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let selector = serde_json::from_value::<LabelSelector>(selector.clone()).ok();
    let selector = selector.and_then(|selector| Selector::from_label_selector(&selector).ok());
    selector.is_some_and(|selector| selector.matches(labels))
}
