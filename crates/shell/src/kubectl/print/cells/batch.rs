//! Rows of Jobs and CronJobs.

use jiff::Timestamp;
use serde_json::Value;

use super::{created, name, or};
use crate::kubectl::{
    age,
    field::{at, condition, int, list, selector, text, word},
};

fn containers(o: &Value, template: &str) -> (String, String) {
    let all = list(at(o, template), "containers");
    let column = |field: &str| all.iter().map(|c| text(c, field)).collect::<Vec<_>>().join(",");
    (column("name"), column("image"))
}

pub(super) fn job(o: &Value, now: Timestamp) -> Vec<String> {
    let is = |kind: &str| condition(o, kind).is_some_and(|c| text(c, "status") == "True");
    let status = if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if !at(o, "metadata.deletionTimestamp").is_null() {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else if is("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    };
    let succeeded = int(o, "status.succeeded");
    let completions = match (at(o, "spec.completions"), at(o, "spec.parallelism")) {
        (Value::Null, Value::Null) => format!("{succeeded}/1"),
        (Value::Null, p) if p.as_i64().unwrap_or(0) > 1 => format!("{succeeded}/1 of {p}"),
        (Value::Null, _) => format!("{succeeded}/1"),
        (wanted, _) => format!("{succeeded}/{wanted}"),
    };
    let moment = |path: &str| text(o, path).parse::<Timestamp>().ok().map(Timestamp::as_second);
    let duration = match (moment("status.startTime"), moment("status.completionTime")) {
        (None, _) => String::new(),
        (Some(start), Some(end)) => age::human(end - start),
        (Some(start), None) => age::human(now.as_second() - start),
    };
    let (names, images) = containers(o, "spec.template.spec");
    let selected = selector(at(o, "spec.selector"), "<none>");
    vec![name(o), status.to_owned(), completions, duration, created(o, now), names, images, selected]
}

pub(super) fn cron_job(o: &Value, now: Timestamp) -> Vec<String> {
    let last = match text(o, "status.lastScheduleTime") {
        "" => "<none>".to_owned(),
        moment => age::since(moment, now),
    };
    let (names, images) = containers(o, "spec.jobTemplate.spec.template.spec");
    let suspend = match word(at(o, "spec.suspend")).as_str() {
        "true" => "True",
        "false" => "False",
        _ => "<unset>",
    };
    vec![
        name(o),
        text(o, "spec.schedule").to_owned(),
        or(text(o, "spec.timeZone"), "<none>").to_owned(),
        suspend.to_owned(),
        list(o, "status.active").len().to_string(),
        last,
        created(o, now),
        names,
        images,
        selector(at(o, "spec.jobTemplate.spec.selector"), "<none>"),
    ]
}
