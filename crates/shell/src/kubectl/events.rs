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
    let about = match kube.given.value("for").filter(|it| !it.is_empty()).map(str::to_owned) {
        Some(about) => for_object(kube, &about)?,
        None => String::new(),
    };
    let types: Vec<String> = kube.given.list("types").into_iter().map(str::to_lowercase).collect();
    if types.iter().any(|t| !matches!(t.as_str(), "normal" | "warning")) {
        return Fail::error("valid --types are Normal or Warning");
    }
    let mut events =
        kube.list(Kind::Event, &namespace, &Selection { fields: about, ..Selection::default() })?;
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

/// The field selector that `--for` means.
fn for_object(kube: &mut Kube<'_, '_>, about: &str) -> Done<String> {
    let parts: Vec<&str> = about.split('/').collect();
    let (word, name) = match parts.as_slice() {
        [_] => return Fail::error("--for must be in resource/name form"),
        [word, name] => (word.to_lowercase(), *name),
        _ => return Fail::error("arguments in resource/name form may not have more than one slash"),
    };
    kube.target()?;
    let Some(kind) = kube.known(&word) else {
        let (plural, group) = word.split_once('.').unwrap_or((&word, ""));
        let group = if group.is_empty() { String::new() } else { format!(" in group {group:?}") };
        return Err(Fail::Plain(format!("the server doesn't have a resource type {plural:?}{group}")));
    };
    if name.is_empty() {
        return Ok(String::new());
    }
    let info = kind.info();
    let version = info.api_version();
    Ok(format!(
        "involvedObject.kind={},involvedObject.apiVersion={version},involvedObject.name={name}",
        info.kind
    ))
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
