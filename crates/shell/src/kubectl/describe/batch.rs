//! `describe` for Jobs and CronJobs.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    template,
    writer::{Writer, flag},
};
use crate::kubectl::{
    age,
    field::{self, at, int, list, text, word},
};

pub(super) fn job(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    w.line(0, format!("Selector:\t{}", field::selector(at(o, "spec.selector"), "")));
    template::marks(&mut w, o);
    template::controlled(&mut w, o);
    optional(&mut w, "Parallelism", at(o, "spec.parallelism"));
    w.line(0, format!("Completions:\t{}", or_unset(at(o, "spec.completions"))));
    optional(&mut w, "Completion Mode", at(o, "spec.completionMode"));
    optional(&mut w, "Suspend", at(o, "spec.suspend"));
    optional(&mut w, "Backoff Limit", at(o, "spec.backoffLimit"));
    optional(&mut w, "TTL Seconds After Finished", at(o, "spec.ttlSecondsAfterFinished"));
    let (start, end) = (text(o, "status.startTime"), text(o, "status.completionTime"));
    for (title, moment) in [("Start Time", start), ("Completed At", end)] {
        if !moment.is_empty() {
            w.line(0, format!("{title}:\t{}", age::long(moment)));
        }
    }
    if let (Ok(_), Ok(end)) = (start.parse::<Timestamp>(), end.parse::<Timestamp>()) {
        w.line(0, format!("Duration:\t{}", age::since(start, end)));
    }
    if let Some(seconds) = at(o, "spec.activeDeadlineSeconds").as_i64() {
        w.line(0, format!("Active Deadline Seconds:\t{seconds}s"));
    }
    let ready = at(o, "status.ready").as_i64().map_or(String::new(), |ready| format!(" ({ready} Ready)"));
    let count = |what: &str| int(at(o, "status"), what);
    w.line(
        0,
        format!(
            "Pods Statuses:\t{} Active{ready} / {} Succeeded / {} Failed",
            count("active"),
            count("succeeded"),
            count("failed")
        ),
    );
    if text(o, "spec.completionMode") == "Indexed" {
        w.line(0, format!("Completed Indexes:\t{}", indexes(text(o, "status.completedIndexes"))));
    }
    template::template(&mut w, at(o, "spec.template"));
    template::close(w, events)
}

/// At most about fifty characters of a list, cut after a comma.
fn indexes(all: &str) -> String {
    match all.get(50..).and_then(|rest| rest.find(',')) {
        _ if all.is_empty() => "<none>".to_owned(),
        Some(comma) => format!("{}...", &all[..=50 + comma]),
        None => all.to_owned(),
    }
}

pub(super) fn cron_job(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    w.line(0, format!("Schedule:\t{}", text(o, "spec.schedule")));
    w.line(0, format!("Concurrency Policy:\t{}", text(o, "spec.concurrencyPolicy")));
    w.line(0, format!("Suspend:\t{}", flag(at(o, "spec.suspend"))));
    w.line(
        0,
        format!("Successful Job History Limit:\t{}", or_unset(at(o, "spec.successfulJobsHistoryLimit"))),
    );
    w.line(0, format!("Failed Job History Limit:\t{}", or_unset(at(o, "spec.failedJobsHistoryLimit"))));
    let deadline = at(o, "spec.startingDeadlineSeconds").as_i64();
    w.line(
        0,
        format!("Starting Deadline Seconds:\t{}", deadline.map_or("<unset>".to_owned(), |s| format!("{s}s"))),
    );
    let job = at(o, "spec.jobTemplate.spec");
    let selector = match at(job, "selector") {
        Value::Null => "<unset>".to_owned(),
        selector => field::selector(selector, ""),
    };
    w.line(0, format!("Selector:\t{selector}"));
    w.line(0, format!("Parallelism:\t{}", or_unset(at(job, "parallelism"))));
    w.line(0, format!("Completions:\t{}", or_unset(at(job, "completions"))));
    if let Some(seconds) = at(job, "activeDeadlineSeconds").as_i64() {
        w.line(0, format!("Active Deadline Seconds:\t{seconds}s"));
    }
    template::template(&mut w, at(job, "template"));
    let last = match text(o, "status.lastScheduleTime") {
        "" => "<unset>".to_owned(),
        moment => age::long(moment),
    };
    w.line(0, format!("Last Schedule Time:\t{last}"));
    let active: Vec<&str> = list(o, "status.active").iter().map(|job| text(job, "name")).collect();
    let active = if active.is_empty() { "<none>".to_owned() } else { active.join(", ") };
    w.line(0, format!("Active Jobs:\t{active}"));
    template::close(w, events)
}

fn optional(w: &mut Writer, title: &str, value: &Value) {
    if !value.is_null() {
        w.line(0, format!("{title}:\t{}", word(value)));
    }
}

fn or_unset(value: &Value) -> String {
    if value.is_null() { "<unset>".to_owned() } else { word(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_indexes_are_cut_after_a_comma() {
        let many: Vec<String> = (0..40).map(|i| (i * 2).to_string()).collect();
        assert!(indexes(&many.join(",")).ends_with(",..."));
        assert_eq!((indexes(""), indexes("0-2")), ("<none>".to_owned(), "0-2".to_owned()));
    }
}
