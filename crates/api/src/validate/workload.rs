//! Are Deployments, ReplicaSets and DaemonSets legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/apps/validation`, `pkg/registry/apps/*/strategy.go`.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};

use super::{
    internal,
    meta::{self, text},
    name, pod,
    report::{At, Report, Shown},
};
use crate::{
    k8s::{
        apps::v1::{DaemonSet, DaemonSetSpec, Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec},
        core::v1::PodTemplateSpec,
    },
    label::Selector,
    meta::{LabelSelector, ObjectMeta},
};

impl Shown for IntOrString {
    fn shown(&self) -> String {
        match self {
            IntOrString::Int(number) => number.shown(),
            IntOrString::String(text) => text.shown(),
        }
    }
}

const SPEC: At<'static> = At::root("spec");

/// A new workload: its metadata, then what its kind says of its spec.
fn new<S>(
    report: &mut Report,
    metadata: &ObjectMeta,
    spec: Option<&S>,
    rule: meta::NameRule,
    look: fn(&mut Report, &S),
) {
    meta::object_meta(report, metadata, true, rule);
    if let Some(spec) = spec {
        look(report, spec);
    }
}

/// A changed workload: the same, then what must have stayed.
fn changed<S>(
    report: &mut Report,
    new: (&ObjectMeta, Option<&S>),
    old: (&ObjectMeta, Option<&S>),
    look: fn(&mut Report, &S),
    fixed: impl FnOnce(&mut Report, &S, &S),
) {
    meta::object_meta_update(report, new.0, old.0);
    let (Some(new), Some(old)) = (new.1, old.1) else { return };
    look(report, new);
    fixed(report, new, old);
}

pub(super) fn deployment(report: &mut Report, it: &Deployment) {
    new(report, &it.metadata, it.spec.as_ref(), name::subdomain, deployment_spec);
}

pub(super) fn deployment_update(report: &mut Report, new: &Deployment, old: &Deployment) {
    let before = (&old.metadata, old.spec.as_ref());
    changed(report, (&new.metadata, new.spec.as_ref()), before, deployment_spec, |report, new, old| {
        meta::immutable_selector(report, Some(&new.selector), Some(&old.selector));
    });
}

fn deployment_spec(report: &mut Report, spec: &DeploymentSpec) {
    report.not_negative(&SPEC.field("replicas"), spec.replicas.unwrap_or_default().into());
    own_selector(report, &spec.selector, "deployment");
    match chooses(&spec.selector) {
        None => report.invalid(
            &SPEC.field("selector"),
            &internal::label_selector(&spec.selector),
            "invalid label selector",
        ),
        Some(selector) => template_of(report, &spec.template, &selector, "ReplicaSet"),
    }
    let at = SPEC.field("strategy");
    if let Some(strategy) = &spec.strategy {
        let at_rolling = at.field("rollingUpdate");
        match (text(strategy.type_.as_ref()), &strategy.rolling_update) {
            ("Recreate", Some(_)) => {
                report.forbidden(&at_rolling, "may not be specified when strategy `type` is 'Recreate'");
            }
            ("Recreate", None) => {}
            ("RollingUpdate", None) => {
                report.required(&at_rolling, "this should be defaulted and never be nil");
            }
            ("RollingUpdate", Some(rolling)) => {
                let at_unavailable = at_rolling.field("maxUnavailable");
                let (unavailable, surge) = (rolling.max_unavailable.as_ref(), rolling.max_surge.as_ref());
                count_or_percent(report, unavailable, &at_unavailable);
                count_or_percent(report, surge, &at_rolling.field("maxSurge"));
                if amount(unavailable) == 0 && amount(surge) == 0 {
                    let zero = IntOrString::Int(0);
                    report.invalid(
                        &at_unavailable,
                        unavailable.unwrap_or(&zero),
                        "may not be 0 when `maxSurge` is 0",
                    );
                }
                at_most_all(report, unavailable, &at_unavailable);
            }
            (other, rolling) => {
                let shown = internal::strategy(
                    other,
                    rolling.as_ref().map(|it| {
                        internal::object(&[
                            ("MaxUnavailable", count(it.max_unavailable.as_ref())),
                            ("MaxSurge", count(it.max_surge.as_ref())),
                        ])
                    }),
                );
                report.not_supported(&at, &shown, &["Recreate", "RollingUpdate"]);
            }
        }
    }
    report.not_negative(&SPEC.field("minReadySeconds"), spec.min_ready_seconds.unwrap_or_default().into());
    let limit = spec.revision_history_limit.unwrap_or_default();
    report.not_negative(&SPEC.field("revisionHistoryLimit"), limit.into());
    if let Some(deadline) = spec.progress_deadline_seconds {
        let at = SPEC.field("progressDeadlineSeconds");
        report.not_negative(&at, deadline.into());
        if deadline <= spec.min_ready_seconds.unwrap_or_default() {
            report.invalid(&at, &deadline, "must be greater than minReadySeconds");
        }
    }
}

pub(super) fn replica_set(report: &mut Report, it: &ReplicaSet) {
    new(report, &it.metadata, it.spec.as_ref(), name::subdomain, replica_set_spec);
}

pub(super) fn replica_set_update(report: &mut Report, new: &ReplicaSet, old: &ReplicaSet) {
    let before = (&old.metadata, old.spec.as_ref());
    changed(report, (&new.metadata, new.spec.as_ref()), before, replica_set_spec, |report, new, old| {
        meta::immutable_selector(report, Some(&new.selector), Some(&old.selector));
    });
}

fn replica_set_spec(report: &mut Report, spec: &ReplicaSetSpec) {
    report.not_negative(&SPEC.field("replicas"), spec.replicas.unwrap_or_default().into());
    report.not_negative(&SPEC.field("minReadySeconds"), spec.min_ready_seconds.unwrap_or_default().into());
    own_selector(report, &spec.selector, "deployment");
    match (chooses(&spec.selector), &spec.template) {
        (None, _) => report.invalid(
            &SPEC.field("selector"),
            &internal::label_selector(&spec.selector),
            "invalid label selector",
        ),
        (Some(_), None) => report.required(&SPEC.field("template"), ""),
        (Some(selector), Some(template)) => template_of(report, template, &selector, "ReplicaSet"),
    }
}

pub(super) fn daemon_set(report: &mut Report, it: &DaemonSet) {
    new(report, &it.metadata, it.spec.as_ref(), name::subdomain, daemon_set_spec);
}

pub(super) fn daemon_set_update(report: &mut Report, new: &DaemonSet, old: &DaemonSet) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return };
    // UPSTREAM: what must have stayed comes first here.
    meta::immutable_selector(report, Some(&new.selector), Some(&old.selector));
    daemon_set_spec(report, new);
}

fn daemon_set_spec(report: &mut Report, spec: &DaemonSetSpec) {
    meta::label_selector(report, Some(&spec.selector), &SPEC.field("selector"));
    if chooses(&spec.selector).is_some_and(|selector| !matches(&selector, &spec.template)) {
        mismatch(report, &spec.template);
    }
    if is_empty(&spec.selector) {
        let why = "empty selector is invalid for daemonset";
        report.invalid(&SPEC.field("selector"), &json!({}), why);
    }
    let at = SPEC.field("template");
    pod::template(report, &spec.template, &at);
    always_restarts(report, &spec.template, "DaemonSet");
    report.not_negative(&SPEC.field("minReadySeconds"), spec.min_ready_seconds.unwrap_or_default().into());
    if let Some(strategy) = &spec.update_strategy {
        let at = SPEC.field("updateStrategy");
        match (text(strategy.type_.as_ref()), &strategy.rolling_update) {
            ("OnDelete", _) => {}
            ("RollingUpdate", None) => report.required(&at.field("rollingUpdate"), ""),
            ("RollingUpdate", Some(rolling)) => {
                let at = at.field("rollingUpdate");
                let (unavailable, surge) = (rolling.max_unavailable.as_ref(), rolling.max_surge.as_ref());
                for (field, value) in [("maxUnavailable", unavailable), ("maxSurge", surge)] {
                    count_or_percent(report, value, &at.field(field));
                    at_most_all(report, value, &at.field(field));
                }
                match (amount(unavailable) != 0, amount(surge) != 0) {
                    (true, true) => {
                        let why = "may not be set when maxUnavailable is non-zero";
                        report.invalid(&at.field("maxSurge"), surge.unwrap_or(&IntOrString::Int(0)), why);
                    }
                    (false, false) => {
                        report.required(&at.field("maxUnavailable"), "cannot be 0 when maxSurge is 0");
                    }
                    _ => {}
                }
            }
            (other, rolling) => {
                let shown = internal::strategy(
                    other,
                    rolling.as_ref().map(|it| {
                        internal::object(&[
                            ("MaxUnavailable", count(it.max_unavailable.as_ref())),
                            ("MaxSurge", count(it.max_surge.as_ref())),
                        ])
                    }),
                );
                report.not_supported(&at, &shown, &["RollingUpdate", "OnDelete"]);
            }
        }
    }
    let limit = spec.revision_history_limit.unwrap_or_default();
    report.not_negative(&SPEC.field("revisionHistoryLimit"), limit.into());
}

/// What a workload's selector chooses.
pub(super) enum Choice {
    /// A selector that was left out chooses nothing.
    Nothing,
    /// An empty one chooses everything.
    By(Selector),
}

impl Choice {
    pub(super) fn is_everything(&self) -> bool {
        matches!(self, Choice::By(selector) if selector.is_empty())
    }
}

/// Reads a selector; nothing if it is not legal.
// INVARIANT: decoding leaves an empty list of requirements where the manifest says `{}`, so that it differs from a
// selector that is not there.
pub(super) fn chooses(selector: &LabelSelector) -> Option<Choice> {
    if selector.match_labels.is_none() && selector.match_expressions.is_none() {
        return Some(Choice::Nothing);
    }
    Selector::from_label_selector(selector).ok().map(Choice::By)
}

pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    let there = selector.match_labels.is_some() || selector.match_expressions.is_some();
    there
        && selector.match_labels.as_ref().is_none_or(std::collections::BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

pub(super) fn own_selector(report: &mut Report, selector: &LabelSelector, kind: &str) {
    let at = SPEC.field("selector");
    if selector.match_labels.is_none() && selector.match_expressions.is_none() {
        report.required(&at, "");
        return;
    }
    meta::label_selector(report, Some(selector), &at);
    if is_empty(selector) {
        report.invalid(&at, &json!({}), &format!("empty selector is invalid for {kind}"));
    }
}

fn labels(metadata: Option<&ObjectMeta>) -> Option<&std::collections::BTreeMap<String, String>> {
    metadata.and_then(|it| it.labels.as_ref()).filter(|labels| !labels.is_empty())
}

pub(super) fn matches(choice: &Choice, template: &PodTemplateSpec) -> bool {
    let none = std::collections::BTreeMap::new();
    match choice {
        Choice::Nothing => false,
        Choice::By(selector) => selector.matches(labels(template.metadata.as_ref()).unwrap_or(&none)),
    }
}

pub(super) fn mismatch(report: &mut Report, template: &PodTemplateSpec) {
    let shown = json!(template.metadata.as_ref().and_then(|it| it.labels.as_ref()));
    report.invalid(
        &SPEC.field("template.metadata.labels"),
        &shown,
        "`selector` does not match template `labels`",
    );
}

fn template_of(report: &mut Report, template: &PodTemplateSpec, choice: &Choice, kind: &str) {
    if !choice.is_everything() && !matches(choice, template) {
        mismatch(report, template);
    }
    pod::template(report, template, &SPEC.field("template"));
    always_restarts(report, template, kind);
}

pub(super) fn always_restarts(report: &mut Report, template: &PodTemplateSpec, kind: &str) {
    let Some(spec) = &template.spec else { return };
    let at = SPEC.field("template.spec");
    let policy = text(spec.restart_policy.as_ref());
    if policy != "Always" {
        report.not_supported(&at.field("restartPolicy"), policy, &["Always"]);
    }
    if spec.active_deadline_seconds.is_some() {
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        report.forbidden(&at.field("activeDeadlineSeconds"), &why);
    }
}

/// A number that is not negative, or a percentage.
pub(super) fn count_or_percent(report: &mut Report, value: Option<&IntOrString>, at: &At<'_>) {
    match value {
        Some(IntOrString::String(text)) => report.each_invalid(at, text, name::percent(text)),
        Some(IntOrString::Int(number)) => report.not_negative(at, (*number).into()),
        None => {}
    }
}

/// A percentage up to one hundred.
pub(super) fn at_most_all(report: &mut Report, value: Option<&IntOrString>, at: &At<'_>) {
    let Some(IntOrString::String(text)) = value else { return };
    if name::percent(text).is_empty() && amount(value) > 100 {
        report.invalid(at, text, "must not be greater than 100%");
    }
}

fn amount(value: Option<&IntOrString>) -> i64 {
    match value {
        Some(IntOrString::Int(number)) => (*number).into(),
        Some(IntOrString::String(text)) => {
            // UPSTREAM: a text that is no percentage counts as its number, however large.
            let digits = text.strip_suffix('%').unwrap_or(text);
            let number = digits.strip_prefix('+').unwrap_or(digits);
            let whole = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            number.parse().unwrap_or(if whole { i64::MAX } else { 0 })
        }
        None => 0,
    }
}

fn count(value: Option<&IntOrString>) -> Value {
    value.map_or(json!(0), |it| json!(it))
}
