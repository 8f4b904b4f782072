//! `eks describe-cluster-versions`: which minors of Kubernetes are there, and until when?
//!
//! Source: the Amazon EKS user guide (Kubernetes release calendar), as of early 2026; the API reference (`ClusterVersionInformation`).
//! MODEL: platform versions and patches are left out: the lab does not follow them.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Answer, Input, Operation, operation};
use crate::{Turn, provision::DEFAULT_VERSION};

pub(super) const OPERATIONS: &[Operation] = &[operation("eks", "DescribeClusterVersions", describe)];

/// A minor: when EKS released it, and the ends of standard and of extended support.
type Minor = (&'static str, Date, Date, Date);

const fn day(year: i16, month: i8, day: i8) -> Date {
    jiff::civil::date(year, month, day)
}

/// Newest first.
const CALENDAR: [Minor; 6] = [
    ("1.35", day(2026, 1, 28), day(2027, 3, 27), day(2028, 3, 27)),
    ("1.34", day(2025, 10, 2), day(2026, 12, 2), day(2027, 12, 2)),
    ("1.33", day(2025, 5, 29), day(2026, 7, 29), day(2027, 7, 29)),
    ("1.32", day(2025, 1, 23), day(2026, 3, 23), day(2027, 3, 23)),
    ("1.31", day(2024, 9, 26), day(2025, 11, 26), day(2026, 11, 26)),
    ("1.30", day(2024, 5, 23), day(2025, 7, 23), day(2026, 7, 23)),
];

/// Whether there is such a minor.
pub(super) fn exists(minor: &str) -> bool {
    CALENDAR.iter().any(|(name, ..)| *name == minor)
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let today = turn.world().stamp(turn.now()).0.to_zoned(jiff::tz::TimeZone::UTC).date();
    let wanted = input.texts("clusterVersions");
    let only_default = input.value["defaultOnly"].as_bool() == Some(true);
    let all = input.value["includeAll"].as_bool() == Some(true);
    // The member `status` is the older one, in small letters.
    let status = match input.text("versionStatus") {
        older if older.is_empty() => input.text("status").replace('-', "_").to_uppercase(),
        given => given,
    };
    if let Some(unknown) = wanted.iter().find(|name| !CALENDAR.iter().any(|(minor, ..)| minor == *name)) {
        let message = format!("Cluster version(s) {unknown} not found.");
        return Err(input.refuse("InvalidParameterException", message));
    }
    let kept = |(minor, _, standard, extended): &&Minor| {
        let now = status_of(today, *standard, *extended);
        (wanted.is_empty() || wanted.iter().any(|it| it == minor))
            && (!only_default || *minor == DEFAULT_VERSION)
            && (status.is_empty() || status == now)
            && (all || now != "UNSUPPORTED")
    };
    let shown = CALENDAR.iter().filter(kept).map(|it| shown(it, today));
    Ok(json!({"clusterVersions": shown.collect::<Vec<_>>()}))
}

fn status_of(today: Date, standard: Date, extended: Date) -> &'static str {
    match () {
        () if today < standard => "STANDARD_SUPPORT",
        () if today < extended => "EXTENDED_SUPPORT",
        () => "UNSUPPORTED",
    }
}

fn shown((minor, released, standard, extended): &Minor, today: Date) -> Value {
    let status = status_of(today, *standard, *extended);
    let midnight = |date: &Date| format!("{date}T00:00:00+00:00");
    json!({
        "clusterVersion": minor,
        "clusterType": "eks",
        "defaultVersion": *minor == DEFAULT_VERSION,
        "releaseDate": midnight(released),
        "endOfStandardSupportDate": midnight(standard),
        "endOfExtendedSupportDate": midnight(extended),
        "status": status.to_lowercase().replace('_', "-"),
        "versionStatus": status,
    })
}
