//! `kubectl get --subresource`: a part of an object that the server answers for by itself. Source: kubectl `pkg/cmd/get/get.go`;
//! columns of a Scale from `pkg/printers/internalversion` of Kubernetes.

use cluster::{ApiRequest, ApiVerb, ClusterId, Reply};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube, age,
    client::wire,
    field,
    get::table,
    print::{self, Format, table::Table},
    raw::PARTS,
};

/// `kubectl get KIND NAME --subresource=PART`.
pub(super) fn run(kube: &mut Kube<'_, '_>, args: &[String], format: &Format, part: &str) -> Done {
    let asks = kube.asks(args)?.asks;
    if asks.iter().any(|ask| ask.name.is_none()) {
        return Fail::error("subresource cannot be used when bulk resources are specified");
    }
    let mut failed = Vec::new();
    let mut shown = Vec::new();
    for ask in asks {
        let namespace = kube.scope(ask.kind)?;
        let name = ask.name.unwrap_or_default();
        let known = PARTS.iter().find(|it| **it == part).copied();
        let got = match known {
            Some("status") => kube.get(ask.kind, &namespace, &name),
            Some(part) => {
                let request =
                    ApiRequest::new(ClusterId::WORLD, ApiVerb::Get, ask.kind, &namespace, &name).of(part);
                kube.ask(request).map(|reply| match reply {
                    Reply::Object(object) => wire(ask.kind, &object),
                    Reply::Value(value) => value,
                    Reply::List(_) => Value::Null,
                })
            }
            None => Err(Fail::Plain(super::raw::MISSING.to_owned())),
        };
        match got {
            Ok(value) => shown.push((ask.kind, value)),
            Err(fail) => failed.push(fail),
        }
    }
    if let Format::Table { wide } = format {
        for (kind, value) in &shown {
            let text = match field::text(value, "kind") {
                "Scale" => scale(kube, value),
                _ => table(kube, *kind, [value], *wide, kube.given.on("show-kind"), kube.shell.world.now()),
            };
            kube.out.out(&text);
        }
    } else if !shown.is_empty() {
        let mut values: Vec<Value> = shown.into_iter().map(|(_, value)| value).collect();
        let value = if values.len() == 1 { values.remove(0) } else { print::as_list(values) };
        print::structured(kube, format, value)?;
    }
    super::get::finish(kube, failed)
}

fn scale(kube: &Kube<'_, '_>, value: &Value) -> String {
    let now = kube.shell.world.stamp(kube.shell.world.now()).0;
    let mut table = Table::default();
    if !kube.given.on("no-headers") {
        table.row(["NAME", "DESIRED", "AVAILABLE", "AGE"].map(str::to_owned).to_vec());
    }
    let number = |path| field::word(field::at(value, path));
    let since = age::since(field::text(value, "metadata.creationTimestamp"), now);
    table.row(vec![field::name(value).to_owned(), number("spec.replicas"), number("status.replicas"), since]);
    table.print()
}
