//! `kubectl events`. Source: kubectl `pkg/cmd/events`.

use api::Kind;
use scheduler::go_sort::{self, Go};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube, age,
    client::Selection,
    field,
    print::{self, Format, cells::event_times, table::Table},
    watch::{self, Watched},
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
    let selection = Selection { fields: about, ..Selection::default() };
    let mut events = kube.list(Kind::Event, &namespace, &selection)?;
    let wanted = |e: &Value| types.is_empty() || types.contains(&field::text(e, "type").to_lowercase());
    events.retain(wanted);
    if kube.given.on("watch") {
        let watched = Watched { kind: Kind::Event, namespace, name: None, selection };
        return watch(kube, &watched, &events, format.as_ref(), wanted);
    }
    if events.is_empty() {
        let wher = if every { String::new() } else { format!(" in {namespace} namespace") };
        kube.out.err(&format!("No events found{wher}."));
        return Ok(());
    }
    go_sort::sort(Go::V1_23, &mut events, |a, b| event_times(a).0 < event_times(b).0);
    if let Some(format) = format {
        // UPSTREAM: a list that says of no kind what it is has no name, and nothing is printed.
        if matches!(format, Format::Name) {
            return Ok(());
        }
        return print::structured(kube, &format, print::as_list(events));
    }
    let mut table = Table::default();
    if !kube.given.on("no-headers") {
        table.row(head(every));
    }
    for event in &events {
        table.row(row(kube, event, every));
    }
    let text = table.print();
    kube.out.out(&text);
    Ok(())
}

/// `--watch`: what there is as the server has it, then every change. Columns never become narrower.
fn watch(
    kube: &mut Kube<'_, '_>,
    watched: &Watched,
    events: &[Value],
    format: Option<&Format>,
    wanted: impl Fn(&Value) -> bool,
) -> Done {
    let every = watched.namespace.is_empty();
    let mut widest: Vec<String> = Vec::new();
    let mut show = |kube: &mut Kube<'_, '_>, event: &Value| match format {
        Some(format) => {
            if print::structured(kube, format, event.clone()).is_err() {
                kube.out.err("error: unable to print an event");
            }
        }
        None => {
            let is_first = widest.is_empty();
            let cells = row(kube, event, every);
            if is_first {
                widest = if kube.given.on("no-headers") { cells.clone() } else { head(every) };
            }
            let head = widest.clone();
            for (cell, widest) in cells.iter().zip(&mut widest) {
                if cell.chars().count() > widest.chars().count() {
                    widest.clone_from(cell);
                }
            }
            let mut table = Table::default();
            for row in [head, widest.clone(), cells] {
                table.row(row);
            }
            let text = table.print();
            let from = if is_first && !kube.given.on("no-headers") { 0 } else { 2 };
            for line in text.lines().enumerate().filter(|(at, _)| *at == from || *at == 2).map(|(_, it)| it) {
                kube.out.line(line);
            }
        }
    };
    for event in events {
        show(kube, event);
    }
    watch::run(kube, watched, None, |kube, event, _, what| {
        // Events go after an hour: that is no news.
        if what != "DELETED" && wanted(event) {
            show(kube, event);
        }
    })
}

fn head(every: bool) -> Vec<String> {
    let head = ["NAMESPACE", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    head.iter().skip(usize::from(!every)).map(|&word| word.to_owned()).collect()
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

fn row(kube: &Kube<'_, '_>, event: &Value, every: bool) -> Vec<String> {
    let now = kube.shell.world.stamp(kube.shell.world.now()).0;
    let (last, first, count) = event_times(event);
    let seen = if count > 1 {
        format!("{} (x{count} over {})", age::since(&last, now), age::since(&first, now))
    } else {
        age::since(&last, now)
    };
    let about = field::at(event, "involvedObject");
    let cells = [
        field::namespace(event).to_owned(),
        seen,
        field::text(event, "type").to_owned(),
        field::text(event, "reason").to_owned(),
        format!("{}/{}", field::text(about, "kind"), field::text(about, "name")),
        field::text(event, "message").trim().to_owned(),
    ];
    cells.into_iter().skip(usize::from(!every)).collect()
}
