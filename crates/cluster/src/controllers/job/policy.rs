//! What does a failed pod mean for its Job, and when has the Job succeeded enough?
//!
//! Source: `pkg/controller/job/pod_failure_policy.go`, `success_policy.go`.

use api::k8s::{
    batch::v1::{JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule},
    core::v1::{ContainerStatus, Pod},
};

use super::index::Indexes;

/// What the first matching rule says of a failed pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// No rule matches, or one that counts: it is one more failure.
    Count,
    /// As if it had not been.
    Ignore,
    /// Its index has failed for good.
    FailIndex,
    /// The Job has failed, and why.
    FailJob(String),
}

/// What the Job's rules say of a failed pod.
pub(super) fn of(spec: &JobSpec, pod: &Pod) -> Action {
    let rules = spec.pod_failure_policy.as_ref().map(|policy| policy.rules.as_slice()).unwrap_or_default();
    for (at, rule) in rules.iter().enumerate() {
        if let Some(what) = matched(rule, pod) {
            return match rule.action.as_str() {
                "Ignore" => Action::Ignore,
                "FailIndex" => Action::FailIndex,
                "FailJob" => Action::FailJob(format!("{what} matching FailJob rule at index {at}")),
                _ => Action::Count,
            };
        }
    }
    Action::Count
}

/// What of the pod a rule is about, in words, if it is about it.
fn matched(rule: &PodFailurePolicyRule, pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let name = |text: &Option<String>| text.clone().unwrap_or_default();
    let pod = format!("{}/{}", name(&pod.metadata.namespace), name(&pod.metadata.name));
    if let Some(codes) = &rule.on_exit_codes {
        let all = status.container_statuses.iter().flatten();
        let mut all = all.chain(status.init_container_statuses.iter().flatten());
        let (container, code) = all.find_map(|it| ended(it, codes))?;
        return Some(format!("Container {container} for pod {pod} failed with exit code {code}"));
    }
    let wanted = rule.on_pod_conditions.iter().flatten();
    let mut conditions = status.conditions.iter().flatten();
    let found = conditions.find(|it| wanted.clone().any(|w| w.type_ == it.type_ && w.status == it.status))?;
    Some(format!("Pod {pod} has condition {}", found.type_))
}

fn ended<'s>(
    status: &'s ContainerStatus,
    codes: &PodFailurePolicyOnExitCodesRequirement,
) -> Option<(&'s str, i32)> {
    let code = status.state.as_ref()?.terminated.as_ref()?.exit_code;
    let named = codes.container_name.as_ref().is_none_or(|name| *name == status.name);
    let listed = codes.values.contains(&code);
    let fits = match codes.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    };
    (named && code != 0 && fits).then_some((status.name.as_str(), code))
}

/// The words of the first rule of the success policy that the done indexes fulfil.
pub(super) fn succeeded(spec: &JobSpec, done: &Indexes) -> Option<String> {
    let rules = &spec.success_policy.as_ref()?.rules;
    let at = rules.iter().position(|rule| {
        let count = rule.succeeded_count;
        match &rule.succeeded_indexes {
            Some(text) => {
                let wanted = Indexes::parse(text, spec.completions.unwrap_or(0));
                let common = wanted.common(done);
                wanted.total() > 0 && (common == wanted.total() || count.is_some_and(|count| common >= count))
            }
            None => count.is_some_and(|count| done.total() > 0 && done.total() >= count),
        }
    })?;
    Some(format!("Matched rules at index {at}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests say what must hold")]
    use serde_json::json;

    use super::*;

    fn spec(value: &serde_json::Value) -> JobSpec {
        let mut whole = json!({"template": {}, "completions": 9});
        whole.as_object_mut().expect("an object").extend(value.as_object().expect("an object").clone());
        serde_json::from_value(whole).expect("a spec")
    }

    fn pod(code: i32) -> Pod {
        let value = json!({"metadata": {"namespace": "default", "name": "etl-x"}, "status": {"phase": "Failed",
            "conditions": [{"type": "DisruptionTarget", "status": "True"}],
            "containerStatuses": [{"name": "m", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"terminated": {"exitCode": code}}}]}});
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let spec = spec(&json!({"podFailurePolicy": {"rules": [
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]}}));
        let why =
            "Container m for pod default/etl-x failed with exit code 42 matching FailJob rule at index 0";
        assert_eq!(of(&spec, &pod(42)), Action::FailJob(why.to_owned()));
        assert_eq!(of(&spec, &pod(1)), Action::Ignore);
    }

    #[test]
    fn enough_of_the_leaders_is_success() {
        let spec = spec(&json!({"successPolicy": {"rules": [
            {"succeededIndexes": "0-3", "succeededCount": 2}, {"succeededCount": 4}]}}));
        assert_eq!(succeeded(&spec, &Indexes::parse("3,5", 9)), None);
        assert_eq!(succeeded(&spec, &Indexes::parse("1,3", 9)).as_deref(), Some("Matched rules at index 0"));
        assert_eq!(succeeded(&spec, &Indexes::parse("5-8", 9)).as_deref(), Some("Matched rules at index 1"));
    }
}
