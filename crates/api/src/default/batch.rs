//! What do Jobs and CronJobs get that do not ask for it?

use std::collections::BTreeMap;

use super::{apps::template, blank_to, missing_to};
use crate::{
    k8s::{
        batch::v1::{CronJob, Job, JobSpec},
        core::v1::PodTemplateSpec,
    },
    meta::ObjectMeta,
};

pub(super) fn job(job: &mut Job) {
    let spec = job.spec.get_or_insert_default();
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
        spec.parallelism = Some(1);
    }
    spec.parallelism.get_or_insert(1);
    spec.backoff_limit.get_or_insert(if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 });
    // A new one's come when its template has those by which the Job finds its pods.
    if job.metadata.uid.is_some() {
        labels_of_template(&mut job.metadata, &spec.template);
    }
    missing_to(&mut spec.completion_mode, "NonIndexed");
    spec.suspend.get_or_insert(false);
    spec.manual_selector.get_or_insert(false);
    let replaced = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
    missing_to(&mut spec.pod_replacement_policy, replaced);
    conditions(spec);
    template(&mut spec.template);
}

/// A Job without labels is labelled as its pods are.
pub(super) fn labels_of_template(metadata: &mut ObjectMeta, template: &PodTemplateSpec) {
    if metadata.labels.as_ref().is_none_or(BTreeMap::is_empty) {
        metadata.labels = template.metadata.as_ref().and_then(|it| it.labels.clone());
    }
}

/// A failure policy that names a condition means that it is true.
fn conditions(spec: &mut JobSpec) {
    let rules = spec.pod_failure_policy.iter_mut().flat_map(|it| &mut it.rules);
    for condition in rules.flat_map(|it| it.on_pod_conditions.iter_mut().flatten()) {
        if condition.status.is_empty() {
            condition.status = "True".to_owned();
        }
    }
}

pub(super) fn cron_job(cron_job: &mut CronJob) {
    let spec = cron_job.spec.get_or_insert_default();
    blank_to(&mut spec.concurrency_policy, "Allow");
    spec.suspend.get_or_insert(false);
    spec.successful_jobs_history_limit.get_or_insert(3);
    spec.failed_jobs_history_limit.get_or_insert(1);
    // UPSTREAM: the template's own job fields are filled when a Job is made of it, its pods' now.
    let spec = spec.job_template.spec.get_or_insert_default();
    conditions(spec);
    template(&mut spec.template);
}
