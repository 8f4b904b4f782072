//! What do Jobs and CronJobs get that do not ask for it?

use super::{apps::template, blank_to};
use crate::k8s::batch::v1::{CronJob, Job};

pub(super) fn job(job: &mut Job) {
    let spec = job.spec.get_or_insert_default();
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
        spec.parallelism = Some(1);
    }
    spec.parallelism.get_or_insert(1);
    spec.backoff_limit.get_or_insert(if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 });
    if job.metadata.labels.as_ref().is_none_or(std::collections::BTreeMap::is_empty) {
        job.metadata.labels = spec.template.metadata.as_ref().and_then(|it| it.labels.clone());
    }
    blank_to(&mut spec.completion_mode, "NonIndexed");
    spec.suspend.get_or_insert(false);
    spec.manual_selector.get_or_insert(false);
    let replaced = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
    blank_to(&mut spec.pod_replacement_policy, replaced);
    template(&mut spec.template);
}

pub(super) fn cron_job(cron_job: &mut CronJob) {
    let spec = cron_job.spec.get_or_insert_default();
    blank_to(&mut spec.concurrency_policy, "Allow");
    spec.suspend.get_or_insert(false);
    spec.successful_jobs_history_limit.get_or_insert(3);
    spec.failed_jobs_history_limit.get_or_insert(1);
    // UPSTREAM: the template's own job fields are filled when a Job is made of it, its pods' now.
    template(&mut spec.job_template.spec.get_or_insert_default().template);
}
