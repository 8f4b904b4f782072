//! Are Jobs and CronJobs legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/batch/validation`; schedules by robfig/cron v3 `ParseStandard`.

use serde_json::{Value, json};

use super::{
    cluster_network::domain_prefixed_path,
    internal, job_policy,
    meta::{self, text},
    name, pod,
    report::{At, Report},
};
use crate::{
    k8s::{
        batch::v1::{CronJob, Job, JobSpec},
        core::v1::{Affinity, PodTemplateSpec},
    },
    label::Selector,
    schedule::{self, Schedule},
};

const SPEC: At<'static> = At::root("spec");

pub(super) fn job(report: &mut Report, job: &Job) {
    meta::object_meta(report, &job.metadata, true, name::subdomain);
    let Some(spec) = &job.spec else { return };
    generated_selector(report, job, spec);
    whole_spec(report, spec);
    let completions = spec.completions.filter(|it| *it > 0);
    if let (Some("Indexed"), Some(completions)) = (spec.completion_mode.as_deref(), completions) {
        // The last pod's host name is the longest.
        let own = text(job.metadata.name.as_ref());
        let host = format!("{own}-{}", completions - 1);
        if !name::label(&host).is_empty() {
            let why = format!("will not able to create pod with invalid DNS label: {host}");
            report.invalid(&At::root("metadata").field("name"), own, &why);
        }
    }
}

pub(super) fn job_update(report: &mut Report, new: &Job, old: &Job) {
    // UPSTREAM: looked at as a new Job and as a changed one; what is wrong is said twice.
    job(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    let started = old.status.as_ref().is_some_and(|status| status.start_time.is_some());
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return };
    whole_spec(report, new);
    let at = SPEC.field("completions");
    if new.completions != old.completions {
        let indexed = new.completion_mode.as_deref() == Some("Indexed");
        if !indexed {
            report.invalid(&at, &json!(new.completions), "field is immutable");
        } else if new.completions.is_some() && new.completions != new.parallelism {
            let why = "can only be modified in tandem with spec.parallelism";
            report.invalid(&at, &json!(new.completions), why);
        }
    }
    meta::immutable_selector(report, new.selector.as_ref(), old.selector.as_ref());
    let mut before = old.template.clone();
    if old.suspend == Some(true) && !started {
        let_place_change(&mut before, &new.template);
    }
    if !meta::same(&new.template, &before) {
        report.invalid(&SPEC.field("template"), &internal::pod_template(&new.template), "field is immutable");
    }
    meta::immutable(report, &new.completion_mode, &old.completion_mode, &SPEC.field("completionMode"));
    let at = SPEC.field("podFailurePolicy");
    if new.pod_failure_policy.is_some() != old.pod_failure_policy.is_some()
        || !meta::same(&new.pod_failure_policy, &old.pod_failure_policy)
    {
        let policy = new.pod_failure_policy.as_ref();
        report.invalid(&at, &internal::whole("PodFailurePolicy", &json!(policy)), "field is immutable");
    }
    let at = SPEC.field("backoffLimitPerIndex");
    meta::immutable(report, &new.backoff_limit_per_index, &old.backoff_limit_per_index, &at);
    meta::immutable(report, &new.managed_by, &old.managed_by, &SPEC.field("managedBy"));
    if !meta::same(&new.success_policy, &old.success_policy) {
        let policy = internal::whole("SuccessPolicy", &json!(new.success_policy));
        report.invalid(&SPEC.field("successPolicy"), &policy, "field is immutable");
    }
}

/// A suspended Job that has never run may still be told where its pods go.
fn let_place_change(old: &mut PodTemplateSpec, new: &PodTemplateSpec) {
    let (Some(pod), Some(wanted)) = (&mut old.spec, &new.spec) else { return };
    match (&mut pod.affinity, &wanted.affinity) {
        (Some(had), None) => {
            had.node_affinity = None;
            if *had == Affinity::default() {
                pod.affinity = None;
            }
        }
        (Some(had), Some(wanted)) => had.node_affinity.clone_from(&wanted.node_affinity),
        (None, Some(wanted)) => {
            let node_affinity = wanted.node_affinity.clone();
            pod.affinity = Some(Affinity { node_affinity, ..Affinity::default() });
        }
        (None, None) => {}
    }
    pod.node_selector.clone_from(&wanted.node_selector);
    pod.tolerations.clone_from(&wanted.tolerations);
    pod.scheduling_gates.clone_from(&wanted.scheduling_gates);
    let had = old.metadata.get_or_insert_default();
    let wanted = new.metadata.clone().unwrap_or_default();
    had.annotations = wanted.annotations;
    had.labels = wanted.labels;
}

fn generated_selector(report: &mut Report, job: &Job, spec: &JobSpec) {
    let (Some(selector), false) = (&spec.selector, spec.manual_selector == Some(true)) else { return };
    let uid = text(job.metadata.uid.as_ref());
    let expected = [
        ("controller-uid", uid),
        ("job-name", text(job.metadata.name.as_ref())),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", text(job.metadata.name.as_ref())),
    ];
    let has = spec.template.metadata.as_ref().and_then(|it| it.labels.as_ref());
    let at = SPEC.field("template.metadata.labels");
    for (key, value) in expected {
        match has.and_then(|it| it.get(key)) {
            None => report.required(&at.key(key), &format!("must be '{value}'")),
            Some(own) if own != value => {
                report.invalid(&at.key(key), &json!(has), &format!("must be '{value}'"));
            }
            Some(_) => {}
        }
    }
    let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    if Selector::from_label_selector(selector).is_ok_and(|it| !it.matches(&expected)) {
        report.invalid(
            &SPEC.field("selector"),
            &internal::label_selector(selector),
            "`selector` not auto-generated",
        );
    }
}

fn whole_spec(report: &mut Report, spec: &JobSpec) {
    job_spec(report, spec, &SPEC);
    let labels = spec.template.metadata.as_ref().and_then(|it| it.labels.clone()).unwrap_or_default();
    let strays = match &spec.selector {
        None => {
            report.required(&SPEC.field("selector"), "");
            true
        }
        Some(selector) => {
            meta::label_selector(report, Some(selector), &SPEC.field("selector"));
            Selector::from_label_selector(selector).is_ok_and(|it| !it.matches(&labels))
        }
    };
    if strays {
        let shown = if labels.is_empty() { Value::Null } else { json!(labels) };
        let why = "`selector` does not match template `labels`";
        report.invalid(&SPEC.field("template.metadata.labels"), &shown, why);
    }
}

fn job_spec(report: &mut Report, spec: &JobSpec, at: &At<'_>) {
    for (field, value) in [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ] {
        report.not_negative(&at.field(field), value.unwrap_or_default());
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        report.required(&at.field("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    if let Some(manager) = &spec.managed_by {
        const LONGEST: usize = 63;
        domain_prefixed_path(report, manager, &at.field("managedBy"));
        if manager.len() > LONGEST {
            report.too_long(&at.field("managedBy"), LONGEST);
        }
    }
    match spec.completion_mode.as_deref() {
        None | Some("NonIndexed") => {
            for (field, value) in [
                ("backoffLimitPerIndex", spec.backoff_limit_per_index),
                ("maxFailedIndexes", spec.max_failed_indexes),
            ] {
                if let Some(value) = value {
                    report.invalid(&at.field(field), &value, "requires indexed completion mode");
                }
            }
        }
        Some("Indexed") => indexed(report, spec, at),
        Some(other) => report.not_supported(&at.field("completionMode"), other, &["NonIndexed", "Indexed"]),
    }
    job_policy::failure(report, spec, at);
    job_policy::success(report, spec, at);
    job_policy::replacement(report, spec, at);
    pod::template(report, &spec.template, &at.field("template"));
    let policy = spec.template.spec.as_ref().and_then(|it| it.restart_policy.as_ref());
    let at_policy = at.field("template.spec.restartPolicy");
    match text(policy) {
        "OnFailure" if spec.pod_failure_policy.is_some() => {
            let why = "only \"Never\" is supported when podFailurePolicy is specified";
            report.invalid(&at_policy, "OnFailure", why);
        }
        "OnFailure" | "Never" => {}
        "" | "Always" => report.required(&at_policy, "valid values: \"OnFailure\", \"Never\""),
        other => report.not_supported(&at_policy, other, &["OnFailure", "Never"]),
    }
}

/// What an indexed Job needs, and how large it may be.
fn indexed(report: &mut Report, spec: &JobSpec, at: &At<'_>) {
    const MANY: i32 = 100_000;
    const MANY_AT_ONCE: i32 = 10_000;
    let (parallelism, failed) = (at.field("parallelism"), at.field("maxFailedIndexes"));
    let Some(completions) = spec.completions else {
        report.required(&at.field("completions"), "when completion mode is Indexed");
        return;
    };
    let most = |report: &mut Report, at: &At<'_>, value: Option<i32>, limit: i32, when: &str| {
        if let Some(value) = value.filter(|value| *value > limit) {
            report.invalid(at, &value, &format!("must be less than or equal to {limit}{when}"));
        }
    };
    most(report, &parallelism, spec.parallelism, MANY, " when completion mode is Indexed");
    if spec.max_failed_indexes.is_some_and(|it| it > completions) {
        report.invalid(
            &failed,
            &spec.max_failed_indexes.unwrap_or_default(),
            "must be less than or equal to completions",
        );
    }
    most(report, &failed, spec.max_failed_indexes, MANY, "");
    if completions > MANY && spec.backoff_limit_per_index.is_some() {
        if spec.max_failed_indexes.is_none() {
            report.required(&failed, &format!("must be specified when completions is above {MANY}"));
        }
        let when = format!(" when completions are above {MANY} and used with backoff limit per index");
        most(report, &parallelism, spec.parallelism, MANY_AT_ONCE, &when);
        most(report, &failed, spec.max_failed_indexes, MANY_AT_ONCE, &when);
    }
}

pub(super) fn cron_job(report: &mut Report, job: &CronJob) {
    const LONGEST: usize = 52;
    meta::object_meta(report, &job.metadata, true, name::subdomain);
    let named = text(job.metadata.name.as_ref());
    cron_spec(report, job);
    if named.len() > LONGEST {
        let why = format!("must be no more than {LONGEST} characters");
        report.invalid(&At::root("metadata.name"), named, &why);
    }
}

pub(super) fn cron_job_update(report: &mut Report, new: &CronJob, old: &CronJob) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    cron_spec(report, new);
}

fn cron_spec(report: &mut Report, job: &CronJob) {
    let Some(spec) = &job.spec else { return };
    let at = SPEC.field("schedule");
    if spec.schedule.is_empty() {
        report.required(&at, "");
    } else {
        if let Err(why) = Schedule::parse(&spec.schedule) {
            report.invalid(&at, &spec.schedule, &why);
        }
        if spec.schedule.contains("TZ") {
            let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            report.invalid(&at, &spec.schedule, why);
        }
    }
    if let Some(zone) = &spec.time_zone {
        time_zone(report, zone, &SPEC.field("timeZone"));
    }
    let deadline = spec.starting_deadline_seconds.unwrap_or_default();
    report.not_negative(&SPEC.field("startingDeadlineSeconds"), deadline);
    match text(spec.concurrency_policy.as_ref()) {
        "Allow" | "Forbid" | "Replace" => {}
        "" => report.required(&SPEC.field("concurrencyPolicy"), ""),
        other => {
            report.not_supported(&SPEC.field("concurrencyPolicy"), other, &["Allow", "Forbid", "Replace"]);
        }
    }
    let at = SPEC.field("jobTemplate.spec");
    if let Some(inner) = &spec.job_template.spec {
        job_spec(report, inner, &at);
        if let Some(selector) = &inner.selector {
            report.invalid(
                &at.field("selector"),
                &internal::label_selector(selector),
                "`selector` will be auto-generated",
            );
        }
        if inner.manual_selector == Some(true) {
            report.not_supported(&at.field("manualSelector"), &true, &["nil", "false"]);
        }
    }
    for (field, value) in [
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ] {
        report.not_negative(&SPEC.field(field), value.unwrap_or_default().into());
    }
}

fn time_zone(report: &mut Report, zone: &str, at: &At<'_>) {
    if zone.is_empty() {
        report.invalid(at, zone, "timeZone must be nil or non-empty string");
        return;
    }
    let local = zone.eq_ignore_ascii_case("local");
    if local {
        let why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        report.invalid(at, zone, why);
    }
    // UPSTREAM: Go takes `Local` for the zone of its machine, but only written so.
    if zone != "Local" && schedule::zone(zone).is_none() {
        report.invalid(at, zone, &format!("unknown time zone {zone}"));
    }
}
