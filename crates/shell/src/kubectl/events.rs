//! `kubectl events`. Source: kubectl `pkg/cmd/events`.

use api::Kind;
use scheduler::go_sort::{self, Go};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube, age,
    client::Selection,
    field,
    print::{self, cells::event_times, table::Table},
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let format = print::format(kube, false)?;
    let every = kube.given.on("all-namespaces");
    let namespace = if every { String::new() } else { kube.namespace()? };
    let mut events = kube.list(Kind::Event, &namespace, &Selection::default())?;
    if let Some(about) = kube.given.value("for").map(str::to_owned) {
        let Some((word, name)) = about.split_once('/') else {
            return Fail::error("--for must be in resource/name form");
        };
        let kind = kube.kind(word)?.info().kind;
        events.retain(|e| {
            field::text(e, "involvedObject.kind") == kind && field::text(e, "involvedObject.name") == name
        });
    }
    let types: Vec<String> = kube.given.list("types").into_iter().map(str::to_lowercase).collect();
    if types.iter().any(|t| !matches!(t.as_str(), "normal" | "warning")) {
        return Fail::error("valid --types are Normal or Warning");
    }
    events.retain(|e| types.is_empty() || types.contains(&field::text(e, "type").to_lowercase()));
    if events.is_empty() {
        let wher = if every { String::new() } else { format!(" in {namespace} namespace") };
        kube.out.err(&format!("No events found{wher}."));
        return Ok(());
    }
    go_sort::sort(Go::V1_23, &mut events, |a, b| event_times(a).0 < event_times(b).0);
    if let Some(format) = format {
        // UPSTREAM: a list that says of no kind what it is has no name, and nothing is printed.
        if matches!(format, print::Format::Name) {
            return Ok(());
        }
        return print::structured(kube, &format, print::as_list(events));
    }
    let now = kube.shell.world.stamp(kube.shell.world.now()).0;
    let mut table = Table::default();
    if !kube.given.on("no-headers") {
        let mut head = vec!["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        if every {
            head.insert(0, "NAMESPACE");
        }
        table.row(head.into_iter().map(str::to_owned).collect());
    }
    for event in &events {
        let mut row = row(event, now);
        if every {
            row.insert(0, field::namespace(event).to_owned());
        }
        table.row(row);
    }
    let text = table.print();
    kube.out.out(&text);
    Ok(())
}

fn row(event: &Value, now: jiff::Timestamp) -> Vec<String> {
    let (last, first, count) = event_times(event);
    let seen = if count > 1 {
        format!("{} (x{count} over {})", age::since(&last, now), age::since(&first, now))
    } else {
        age::since(&last, now)
    };
    let about = field::at(event, "involvedObject");
    vec![
        seen,
        field::text(event, "type").to_owned(),
        field::text(event, "reason").to_owned(),
        format!("{}/{}", field::text(about, "kind"), field::text(about, "name")),
        field::text(event, "message").trim().to_owned(),
    ]
}
