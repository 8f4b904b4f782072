//! The events about an object.

use api::Kind;
use jiff::Timestamp;
use scheduler::go_sort::{self, Go};
use serde_json::Value;

use crate::kubectl::{
    Kube, age,
    client::Selection,
    field::{at, namespace, text},
    print::cells::event_times,
};

/// The events about an object, oldest first.
pub(super) fn of(kube: &mut Kube<'_, '_>, kind: Kind, o: &Value) -> Vec<Value> {
    let space =
        if kind.info().scope == api::Scope::Namespaced { namespace(o).to_owned() } else { String::new() };
    let Ok(mut events) = kube.list(Kind::Event, &space, &Selection::default()) else { return Vec::new() };
    let name = text(o, "metadata.name");
    let mirror = o.pointer("/metadata/annotations/kubernetes.io~1config.mirror");
    let uid = mirror.filter(|_| kind == Kind::Pod).unwrap_or(at(o, "metadata.uid"));
    events.retain(|e| {
        let about = at(e, "involvedObject");
        let same = at(about, "uid") == uid || (kind == Kind::Node && text(about, "uid") == name);
        // UPSTREAM: whatever kind the events of a pod claim to be about.
        let kinds = kind == Kind::Pod || text(about, "kind") == kind.info().kind;
        same && kinds && text(about, "name") == name && text(about, "namespace") == space
    });
    // UPSTREAM: by the old field, which events of the new kind leave empty: they stand first.
    go_sort::sort(Go::V1_23, &mut events, |a, b| text(a, "lastTimestamp") < text(b, "lastTimestamp"));
    events
}

/// The closing section of a description.
pub(super) fn text_of(events: &[Value], now: Timestamp, level: usize) -> String {
    if events.is_empty() {
        return "Events:\t<none>\n".to_owned();
    }
    let pad = "  ".repeat(level);
    let mut out =
        format!("Events:\n{pad}Type\tReason\tAge\tFrom\tMessage\n{pad}----\t------\t----\t----\t-------\n");
    for event in events {
        let (last, first, count) = event_times(event);
        let seen = if count > 1 {
            format!("{} (x{count} over {})", age::since(&last, now), age::since(&first, now))
        } else {
            age::since(&first, now)
        };
        let source = match text(event, "source.component") {
            "" => text(event, "reportingComponent"),
            source => source,
        };
        out.push_str(&format!(
            "{pad}{}\t{}\t{seen}\t{source}\t{}\n",
            text(event, "type"),
            text(event, "reason"),
            text(event, "message").trim()
        ));
    }
    out
}

pub(super) fn section(events: &[Value], now: Timestamp) -> String {
    text_of(events, now, 1)
}
