//! `kubectl get`.

use std::{borrow::Borrow, cmp::Ordering, rc::Rc};

use api::{Kind, Object, Scope, SimTime, jsonpath::JsonPath, quantity::Quantity};
use scheduler::go_sort::{self, Go};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube,
    client::wire,
    field,
    print::{self, Format, cells, table::Table},
    resource::{Ask, typed},
    watch::{self, Watched},
};

/// What one kind gave.
struct Found {
    kind: Kind,
    objects: Vec<Rc<Object>>,
    /// Whether it was asked for by name.
    named: bool,
}

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let format = print::format(kube, true)?.unwrap_or(Format::Table { wide: false });
    let args = kube.given.args.clone();
    if let Some(path) = kube.given.value("raw").map(str::to_owned) {
        if !args.is_empty() {
            return Fail::error("arguments may not be passed when --raw is specified");
        }
        return super::raw::get(kube, &path);
    }
    if args.is_empty() && !kube.given.has("filename") {
        return Err(Fail::Plain(NOTHING.to_owned()));
    }
    if !args.is_empty() && kube.given.has("filename") {
        // UPSTREAM: the builder looks for the files first.
        kube.texts()?;
        return Fail::error(
            "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well",
        );
    }
    if let Some(output) = kube.given.value("output").filter(|it| !matches!(*it, "" | "wide"))
        && kube.given.on("show-labels")
    {
        return Fail::error(format!("--show-labels option cannot be used with {output} printer"));
    }
    let watches = kube.given.on("watch") || kube.given.on("watch-only");
    if kube.given.on("output-watch-events") && !watches {
        return Fail::error("--output-watch-events option can only be used with --watch or --watch-only");
    }
    if watches {
        return watched(kube, &args, &format);
    }
    if let Some(part) = kube.given.value("subresource").filter(|it| !it.is_empty()).map(str::to_owned) {
        return super::subresource::run(kube, &args, &format, &part);
    }
    let (mut found, failed, single) = collect(kube, &args)?;
    if let Format::Table { wide } = format {
        if let ([found], Some(path)) = (found.as_mut_slice(), sorting(kube))
            && found.objects.len() > 1
            && sort(&mut json(found).collect::<Vec<_>>(), &path).is_err()
        {
            // UPSTREAM: a table of one kind that cannot be sorted so is as good as empty; one row is in order.
            found.objects.clear();
        }
        print_tables(kube, &found, wide, single)?;
        if found.iter().all(|f| f.objects.is_empty())
            && failed.is_empty()
            && !kube.given.on("ignore-not-found")
        {
            let scoped = found.iter().all(|f| f.kind.info().scope == Scope::Namespaced);
            if kube.given.on("all-namespaces") || !scoped {
                kube.out.err("No resources found");
            } else {
                let namespace = kube.namespace()?;
                kube.out.err(&format!("No resources found in {namespace} namespace."));
            }
        }
    } else if let (Format::Name, None) = (&format, sorting(kube)) {
        for found in &found {
            for object in &found.objects {
                kube.out.line(&typed(found.kind, object.name()));
            }
        }
    } else {
        let mut objects: Vec<Value> = found.iter().flat_map(json).collect();
        if let Some(path) = sorting(kube) {
            sort(&mut objects, &path)?;
        }
        // UPSTREAM: a list is printed though it be empty because of failures; only what was asked for alone is not.
        let nothing =
            objects.is_empty() && ((single && !failed.is_empty()) || kube.given.on("ignore-not-found"));
        if !nothing {
            let one = single && objects.len() == 1;
            let object = if one { objects.remove(0) } else { print::as_list(objects) };
            print::structured(kube, &format, object)?;
        }
    }
    finish(kube, failed)
}

/// What was found, as it goes over the wire.
fn json(found: &Found) -> impl Iterator<Item = Value> {
    found.objects.iter().map(|object| wire(found.kind, object))
}

/// `--watch`: the list first, then a row for every change.
fn watched(kube: &mut Kube<'_, '_>, args: &[String], format: &Format) -> Done {
    let asks = kube.asks(args)?;
    let [ask] = asks.asks.as_slice() else {
        return Fail::error("you may only specify a single resource type");
    };
    let (found, mut failed, single) = collect(kube, args)?;
    let mut shown: Vec<Value> = found.iter().flat_map(json).collect();
    if let Some(path) = sorting(kube) {
        kube.out.err("warning: --watch requested, --sort-by will be ignored for watch events received");
        sort(&mut shown, &path)
            .map_err(|fail| Fail::Error(format!("unable to output the provided object: {}", fail.bare())))?;
    }
    if !failed.is_empty() {
        return Err(failed.remove(0));
    }
    let namespace = kube.scope(ask.kind)?;
    let wide = matches!(format, Format::Table { wide: true });
    let is_table = matches!(format, Format::Table { .. });
    if kube.given.on("watch-only") {
        shown.clear();
    } else if is_table {
        let prefixed = kube.given.on("show-kind");
        if !shown.is_empty() {
            let events = vec!["ADDED"; shown.len()];
            let text = evented(kube, ask.kind, &shown, wide, prefixed, (kube.shell.world.now(), &events));
            kube.out.out(&text);
        }
    } else {
        for object in shown.clone() {
            print::structured(kube, format, as_event(kube, object, "ADDED"))?;
        }
    }
    let asked = ask.name.as_deref().filter(|_| single).unwrap_or_default();
    kube.allowed("watch", (ask.kind, &namespace, asked), "")?;
    let mut events = vec!["ADDED"; shown.len()];
    let watched = Watched {
        kind: ask.kind,
        namespace,
        name: ask.name.clone().filter(|_| single),
        selection: kube.selection(),
    };
    watch::run(kube, &watched, None, |kube, object, at, event| {
        let begins = shown.is_empty();
        shown.push(object.clone());
        events.push(event);
        if !is_table {
            // What cannot be printed was refused with the list already.
            let _ = print::structured(kube, format, as_event(kube, object.clone(), event));
            return;
        }
        // UPSTREAM: a row is as wide as any before it.
        let text = evented(kube, ask.kind, &shown, wide, kube.given.on("show-kind"), (at, &events));
        let from = text.lines().count() - if begins { text.lines().count() } else { 1 };
        for line in text.lines().skip(from) {
            kube.out.line(line);
        }
    })
}

/// The table of a watch; with `--output-watch-events` each row begins with what happened.
fn evented(
    kube: &Kube<'_, '_>,
    kind: Kind,
    shown: &[Value],
    wide: bool,
    prefixed: bool,
    (at, events): (SimTime, &[&str]),
) -> String {
    let text = table(kube, kind, shown, wide, prefixed, at);
    if !kube.given.on("output-watch-events") {
        return text;
    }
    let head = if kube.given.on("no-headers") { None } else { Some("EVENT") };
    let words = head.into_iter().chain(events.iter().copied());
    let width = words.clone().map(str::len).max().unwrap_or_default();
    text.lines().zip(words).map(|(line, word)| format!("{word:<width$}   {line}\n")).collect()
}

/// An object of a watch as `--output-watch-events` prints it in other formats.
fn as_event(kube: &Kube<'_, '_>, object: Value, event: &str) -> Value {
    if !kube.given.on("output-watch-events") {
        return object;
    }
    let mut object = object;
    print::hide_managed(&mut object, kube);
    serde_json::json!({"object": object, "type": event})
}

const NOTHING: &str = "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n\nerror: Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples";

/// Ends with the failures that stood between the objects.
pub(super) fn finish(kube: &mut Kube<'_, '_>, mut failed: Vec<Fail>) -> Done {
    match failed.len() {
        0 => Ok(()),
        1 => Err(failed.remove(0)),
        _ => {
            for fail in failed {
                // UPSTREAM: one of many is told without a word that it is an error, and without its causes in lines of their own.
                let fail = match fail {
                    Fail::Error(text) => Fail::Plain(text),
                    Fail::Server(status) if status.reason == "Invalid" => {
                        Fail::Plain(format!("Error from server (Invalid): {}", status.message))
                    }
                    other => other,
                };
                fail.print(kube.out)?;
            }
            Err(Fail::Exit(1))
        }
    }
}

fn collect(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Vec<Found>, Vec<Fail>, bool)> {
    let mut failed = Vec::new();
    let mut found: Vec<Found> = Vec::new();
    let mut keep = |kind: Kind, objects: Vec<Rc<Object>>, named: bool| {
        if named
            && let Some(last) = found.last_mut()
            && last.kind == kind
            && last.named
        {
            last.objects.extend(objects);
        } else {
            found.push(Found { kind, objects, named });
        }
    };
    if kube.given.has("filename") {
        let manifests = kube.manifests()?;
        let single = manifests.len() == 1;
        for manifest in manifests {
            match manifest.and_then(|m| Ok((m.kind, kube.object(m.kind, &m.namespace, &m.name)?))) {
                Ok((kind, object)) => keep(kind, vec![object], true),
                Err(fail) => failed.push(fail),
            }
        }
        return Ok((found, failed, single));
    }
    let asks = kube.asks(args)?;
    let selection = kube.selection();
    let single = asks.asks.len() == 1 && asks.asks[0].name.is_some();
    let every = kube.given.on("all-namespaces");
    for Ask { kind, name } in &asks.asks {
        match name {
            Some(_) if every => {
                return Fail::error("a resource cannot be retrieved by name across all namespaces");
            }
            Some(_) if selection.any() => {
                return Fail::error(if asks.slashed {
                    "selectors and the all flag cannot be used when passing resource/name arguments"
                } else {
                    "name cannot be provided when a selector is specified"
                });
            }
            Some(name) => {
                let namespace = kube.scope(*kind)?;
                match kube.object(*kind, &namespace, name) {
                    Ok(object) => keep(*kind, vec![object], true),
                    Err(fail) if fail.is_not_found() && kube.given.on("ignore-not-found") => {}
                    Err(fail) => failed.push(fail),
                }
            }
            None => {
                let namespace = kube.scope(*kind)?;
                match kube.objects(*kind, &namespace, &selection) {
                    Ok(objects) => keep(*kind, objects, false),
                    Err(fail) => failed.push(fail),
                }
            }
        }
    }
    Ok((found, failed, single))
}

fn print_tables(kube: &mut Kube<'_, '_>, found: &[Found], wide: bool, single: bool) -> Done {
    let kinds = found.iter().map(|f| f.kind).collect::<std::collections::BTreeSet<_>>().len();
    let prefixed = kube.given.on("show-kind") || (kinds > 1 && !single);
    let mut first = true;
    for found in found.iter().filter(|f| !f.objects.is_empty()) {
        if !first && !kube.given.on("no-headers") {
            kube.out.out("\n");
        }
        first = false;
        let now = kube.shell.world.now();
        let text = match sorting(kube).filter(|_| found.objects.len() > 1) {
            Some(path) => {
                let mut objects: Vec<Value> = json(found).collect();
                sort(&mut objects, &path)?;
                table(kube, found.kind, &objects, wide, prefixed, now)
            }
            // JSON is made and forgotten row by row: of thousands it would fill the memory.
            None => {
                let rows = in_order(found).into_iter().map(|object| match &**object {
                    Object::Pod(pod) => cells::essence(pod),
                    object => object.to_value(),
                });
                table(kube, found.kind, rows, wide, prefixed, now)
            }
        };
        kube.out.out(&text);
    }
    Ok(())
}

/// The objects as the server's own table has them.
fn in_order(found: &Found) -> Vec<&Rc<Object>> {
    let mut objects: Vec<_> = found.objects.iter().collect();
    if found.kind == Kind::FlowSchema {
        // UPSTREAM: in the order in which they are tried.
        objects.sort_by_cached_key(|it| field::at(&it.to_value(), "spec.matchingPrecedence").as_i64());
    }
    objects
}

/// The table of some objects of one kind.
pub(super) fn table(
    kube: &Kube<'_, '_>,
    kind: Kind,
    objects: impl IntoIterator<Item = impl Borrow<Value>>,
    wide: bool,
    prefixed: bool,
    at: SimTime,
) -> String {
    let now = kube.shell.world.stamp(at).0;
    let store = kube.shell.world.store();
    let cluster = kube.target.as_ref().map(|target| target.cluster);
    let defined = cluster.and_then(|cluster| cluster::apiserver::definition(store, cluster, kind));
    let defined = defined.as_ref().and_then(|it| it.version(kind.info().version));
    // Without the server's columns there are those that kubectl knows itself.
    let bare = !kube.given.not_off("server-print");
    let columns: Vec<(String, bool)> = match defined {
        _ if bare => vec![("NAME".to_owned(), false), ("AGE".to_owned(), false)],
        Some(version) => print::custom::columns(version),
        None => cells::columns(kind).into_iter().map(|(name, wide)| (name.to_owned(), wide)).collect(),
    };
    // UPSTREAM: from 1.34 on a quota's age stands last, as everywhere else.
    let moved = kind == Kind::ResourceQuota && kube.target.as_ref().is_some_and(|t| t.minor() >= 34);
    let columns = match columns.as_slice() {
        [name, age, request, limit] if moved => {
            vec![name.clone(), request.clone(), limit.clone(), age.clone()]
        }
        _ => columns,
    };
    // UPSTREAM: from 1.34 on an account's secrets are not counted.
    let gone = (kind == Kind::ServiceAccount && kube.target.as_ref().is_some_and(|t| t.minor() >= 34))
        .then(|| columns.iter().position(|(name, _)| name == "SECRETS"))
        .flatten();
    let shown = |i: usize| gone != Some(i) && columns.get(i).is_some_and(|(_, only_wide)| wide || !only_wide);
    let spaced = kube.given.on("all-namespaces") && kind.info().scope == Scope::Namespaced;
    let labels = kube.given.list("label-columns");
    let mut table = Table::default();
    if !kube.given.on("no-headers") {
        let mut head: Vec<String> = Vec::new();
        if spaced {
            head.push("NAMESPACE".to_owned());
        }
        head.extend(columns.iter().enumerate().filter(|(i, _)| shown(*i)).map(|(_, (name, _))| name.clone()));
        head.extend(labels.iter().map(|key| key.rsplit('/').next().unwrap_or(key).to_uppercase()));
        if kube.given.on("show-labels") {
            head.push("LABELS".to_owned());
        }
        table.row(head);
    }
    for object in objects {
        let object = object.borrow();
        let mut row: Vec<String> = Vec::new();
        if spaced {
            row.push(field::namespace(object).to_owned());
        }
        let mut all = match defined {
            _ if bare => {
                let since =
                    crate::kubectl::age::since(field::text(object, "metadata.creationTimestamp"), now);
                vec![field::name(object).to_owned(), since]
            }
            Some(version) => print::custom::cells(version, object, now),
            None => cells::cells(kind, object, now),
        };
        if !moved && !bare && kind == Kind::ResourceQuota {
            all.swap(1, 3);
            all.swap(2, 3);
        }
        for (i, cell) in all.into_iter().enumerate().filter(|(i, _)| shown(*i)) {
            let is_name = columns.get(i).is_some_and(|(name, _)| name == "NAME");
            row.push(if prefixed && is_name { typed(kind, &cell) } else { cell });
        }
        let own = field::at(object, "metadata.labels");
        row.extend(labels.iter().map(|key| field::word(own.get(key).unwrap_or(&Value::Null))));
        if kube.given.on("show-labels") {
            row.push(field::pairs(object, "metadata.labels", "<none>"));
        }
        table.row(row);
    }
    table.print()
}

/// The path that `--sort-by` names, if it names one.
fn sorting(kube: &Kube<'_, '_>) -> Option<String> {
    kube.given.value("sort-by").filter(|path| !path.is_empty()).map(str::to_owned)
}

/// Sorts by the first value at a path: numbers and quantities by size, texts by their bytes.
pub(super) fn sort(objects: &mut [Value], path: &str) -> Done {
    let parsed = JsonPath::relaxed(path).map_err(|error| Fail::Error(error.to_string()))?;
    let keys: Vec<Option<Value>> =
        objects.iter().map(|o| parsed.values(o).first().map(|v| v.as_ref().clone())).collect();
    if !objects.is_empty() && keys.iter().all(Option::is_none) {
        let bare = path.trim_start_matches('{').trim_end_matches('}').trim_start_matches('.');
        return Fail::error(format!(
            "couldn't find any field with path \"{{.{bare}}}\" in the list of objects"
        ));
    }
    let mut order: Vec<usize> = (0..objects.len()).collect();
    go_sort::sort(Go::V1_23, &mut order, |a, b| match (&keys[*a], &keys[*b]) {
        // UPSTREAM: what has no such field stands before everything, even before what has none either.
        (None, _) => true,
        (Some(_), None) => false,
        (Some(a), Some(b)) => compare(a, b).is_lt(),
    });
    let sorted: Vec<Value> = order.into_iter().map(|i| std::mem::take(&mut objects[i])).collect();
    for (place, object) in objects.iter_mut().zip(sorted) {
        *place = object;
    }
    Ok(())
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (a, b) => {
            let (a, b) = (field::word(a), field::word(b));
            match (Quantity::parse(&a), Quantity::parse(&b)) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => a.cmp(&b),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::stdout;

    #[test]
    fn kinds_stand_apart_by_a_blank_line_where_they_have_headers() {
        let ask =
            "kind create cluster 2>/dev/null; kubectl create configmap a; kubectl get cm/a svc/kubernetes";
        assert_eq!(stdout(&format!("{ask} | grep -c '^$'")), "configmap/a created\n1\n");
        assert_eq!(stdout(&format!("{ask} --no-headers | grep -c '^$'")), "configmap/a created\n0\n");
    }
}
