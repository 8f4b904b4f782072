//! Are a Job's policies legal: which failures count, what is success, which pods are replaced?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/batch/validation/validation.go`.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    internal, name,
    report::{At, Report, Written},
};
use crate::k8s::batch::v1::{
    JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule, SuccessPolicyRule,
};

/// Most rules of either policy, and most conditions of one rule.
const MOST: usize = 20;
/// Most exit codes of one rule.
const MOST_CODES: usize = 255;
/// Most bytes of a rule's indexes.
const MOST_INDEXES: usize = 64 * 1024;

/// The policy of failures, in the order of the server: before it what is counted, after it the pods.
pub(super) fn failure(report: &mut Report, spec: &JobSpec, at: &At<'_>) {
    let Some(policy) = &spec.pod_failure_policy else { return };
    let at = at.field("podFailurePolicy");
    let at = at.field("rules");
    report.too_many(&at, policy.rules.len(), MOST);
    for (i, rule) in policy.rules.iter().enumerate() {
        failure_rule(report, spec, rule, &at.index(i));
    }
}

fn failure_rule(report: &mut Report, spec: &JobSpec, rule: &PodFailurePolicyRule, at: &At<'_>) {
    const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];
    let action = at.field("action");
    match rule.action.as_str() {
        "" => report.required(&action, "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]"),
        "FailIndex" if spec.backoff_limit_per_index.is_none() => {
            report.invalid(&action, "FailIndex", "requires the backoffLimitPerIndex to be set");
        }
        known if ACTIONS.contains(&known) => {}
        other => report.not_supported(&action, other, ACTIONS),
    }
    let conditions = rule.on_pod_conditions.as_deref().unwrap_or_default();
    if let Some(codes) = &rule.on_exit_codes {
        exit_codes(report, spec, codes, &at.field("onExitCodes"));
    }
    pod_conditions(report, conditions, &at.field("onPodConditions"));
    match (rule.on_exit_codes.is_some(), !conditions.is_empty()) {
        (true, true) => {
            report.invalid_here(at, "specifying both OnExitCodes and OnPodConditions is not supported");
        }
        (false, false) => {
            report.invalid_here(at, "specifying one of OnExitCodes and OnPodConditions is required");
        }
        (true, false) | (false, true) => {}
    }
}

fn pod_conditions(report: &mut Report, all: &[PodFailurePolicyOnPodConditionsPattern], at: &At<'_>) {
    report.too_many(at, all.len(), MOST);
    for (i, pattern) in all.iter().enumerate() {
        let at = at.index(i);
        report.each_invalid(&at.field("type"), pattern.type_.as_str(), name::qualified(&pattern.type_));
        let status = at.field("status");
        match pattern.status.as_str() {
            "" => report.required(&status, "valid values: [\"False\" \"True\" \"Unknown\"]"),
            "False" | "True" | "Unknown" => {}
            other => report.not_supported(&status, other, &["False", "True", "Unknown"]),
        }
    }
}

fn exit_codes(
    report: &mut Report,
    spec: &JobSpec,
    codes: &PodFailurePolicyOnExitCodesRequirement,
    at: &At<'_>,
) {
    let operator = at.field("operator");
    match codes.operator.as_str() {
        "" => report.required(&operator, "valid values: [\"In\" \"NotIn\"]"),
        "In" | "NotIn" => {}
        other => report.not_supported(&operator, other, &["In", "NotIn"]),
    }
    let pod = spec.template.spec.as_ref();
    let mut containers =
        pod.into_iter().flat_map(|pod| pod.containers.iter().chain(pod.init_containers.iter().flatten()));
    if let Some(name) = codes.container_name.as_ref().filter(|name| !containers.any(|it| it.name == **name)) {
        let why = "must be one of the container or initContainer names in the pod template";
        report.invalid(&at.field("containerName"), name, why);
    }
    let at = at.field("values");
    if codes.values.is_empty() {
        report.invalid(&at, &json!(codes.values), "at least one value is required");
    }
    report.too_many(&at, codes.values.len(), MOST_CODES);
    let mut seen = BTreeSet::new();
    for (i, code) in codes.values.iter().enumerate() {
        if codes.operator == "In" && *code == 0 {
            report.invalid(&at.index(i), code, "must not be 0 for the In operator");
        }
        if !seen.insert(code) {
            report.duplicate(&at.index(i), code);
        }
    }
    if !codes.values.is_sorted() {
        report.invalid(&at, &json!(codes.values), "must be ordered");
    }
}

/// The policy of success.
pub(super) fn success(report: &mut Report, spec: &JobSpec, at: &At<'_>) {
    let Some(policy) = &spec.success_policy else { return };
    let at = at.field("successPolicy");
    if spec.completion_mode.as_deref() != Some("Indexed") {
        let rules = policy.rules.iter().map(|it| {
            let fields = [
                ("SucceededIndexes", json!(it.succeeded_indexes)),
                ("SucceededCount", json!(it.succeeded_count)),
            ];
            internal::object(&fields).0
        });
        let shown = format!("{{\"Rules\":[{}]}}", rules.collect::<Vec<_>>().join(","));
        report.invalid(&at, &Written(shown), "requires indexed completion mode");
        return;
    }
    let at = at.field("rules");
    if policy.rules.is_empty() {
        let why = "at least one rules must be specified when the successPolicy is specified";
        report.required(&at, why);
    }
    report.too_many(&at, policy.rules.len(), MOST);
    for (i, rule) in policy.rules.iter().enumerate() {
        success_rule(report, spec.completions.unwrap_or_default(), rule, &at.index(i));
    }
}

fn success_rule(report: &mut Report, completions: i32, rule: &SuccessPolicyRule, at: &At<'_>) {
    if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
        report.required(at, "at least one of succeededCount or succeededIndexes must be specified");
    }
    let mut total = 0;
    if let Some(text) = &rule.succeeded_indexes {
        let at = at.field("succeededIndexes");
        if text.len() > MOST_INDEXES {
            report.too_long(&at, MOST_INDEXES);
        }
        match indexes(text, completions) {
            Ok(number) => total = number,
            Err(why) => report.invalid(&at, text, &format!("error parsing succeededIndexes: {why}")),
        }
    }
    let Some(count) = rule.succeeded_count else { return };
    let at = at.field("succeededCount");
    report.not_negative(&at, count.into());
    let mut most = |number: i32, what: &str| {
        if count > number {
            report.invalid(&at, &count, &format!("must be less than or equal to {number} ({what})"));
        }
    };
    most(completions, "the number of specified completions");
    if rule.succeeded_indexes.is_some() {
        most(total, "the number of indexes in the specified succeededIndexes field");
    }
}

/// How many indexes a text such as `0,2-4` names.
fn indexes(text: &str, completions: i32) -> Result<i32, String> {
    let (mut total, mut last) = (0, None::<i32>);
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let (first, end) = interval(part, completions)?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(format!("non-increasing order, previous: {last}, current: {first}"));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}

fn interval(part: &str, completions: i32) -> Result<(i32, i32), String> {
    let limits: Vec<&str> = part.split('-').collect();
    if limits.len() > 2 {
        return Err(format!(
            "the fragment {part:?} violates the requirement that an index interval can have at most two parts separated by '-'"
        ));
    }
    let number = |text: &str| {
        text.parse::<i32>().map_err(|_| format!("cannot convert string to integer for index: {text:?}"))
    };
    let first = number(limits[0])?;
    if first >= completions {
        return Err(format!("too large index: {:?}", limits[0]));
    }
    let Some(text) = limits.get(1) else { return Ok((first, first)) };
    let end = number(text)?;
    if end >= completions {
        return Err(format!("too large index: {text:?}"));
    }
    if first >= end {
        return Err(format!("non-increasing order, previous: {first}, current: {end}"));
    }
    Ok((first, end))
}

/// Which pods are replaced.
pub(super) fn replacement(report: &mut Report, spec: &JobSpec, at: &At<'_>) {
    let Some(policy) = spec.pod_replacement_policy.as_deref() else { return };
    let at = at.field("podReplacementPolicy");
    match (policy, spec.pod_failure_policy.is_some()) {
        ("Failed", _) | ("TerminatingOrFailed", false) => {}
        (other, true) => report.not_supported(&at, other, &["Failed"]),
        (other, false) => report.not_supported(&at, other, &["Failed", "TerminatingOrFailed"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_numbers_and_intervals_in_order() {
        assert_eq!(indexes("", 5), Ok(0));
        assert_eq!(indexes("0,2-4", 5), Ok(4));
        assert_eq!(indexes("3,1", 5), Err("non-increasing order, previous: 3, current: 1".to_owned()));
        assert_eq!(indexes("5", 5), Err("too large index: \"5\"".to_owned()));
        assert_eq!(indexes("a", 5), Err("cannot convert string to integer for index: \"a\"".to_owned()));
    }
}
