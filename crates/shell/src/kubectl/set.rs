//! `kubectl set image|resources|env|serviceaccount|selector`. Source: kubectl `pkg/cmd/set`.

use api::{Kind, quantity::Quantity};
use serde_json::{Map, Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    field, print,
    resource::{NO_RESOURCE, typed},
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let mut args = kube.given.args.clone();
    if args.is_empty() {
        kube.out.out("Configure application resources.\n\n These commands help you make changes to existing application resources.\n");
        return Ok(());
    }
    match args.remove(0).as_str() {
        "image" => image(kube, &args),
        "resources" => resources(kube, &args),
        "env" => env(kube, &args),
        "selector" => selector(kube, &args),
        "serviceaccount" => account(kube, &args),
        other => {
            Fail::error(format!("unknown command {other:?}\nSee 'kubectl set -h' for help and examples"))
        }
    }
}

/// Where the pod's spec stands in an object of a kind.
pub(super) fn pod_spec(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Pod => Some("spec"),
        Kind::CronJob => Some("spec.jobTemplate.spec.template.spec"),
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::DaemonSet
        | Kind::StatefulSet
        | Kind::Job
        | Kind::ReplicationController => Some("spec.template.spec"),
        _ => None,
    }
}

/// Sends what changed in the named containers and says so.
fn send(
    kube: &mut Kube<'_, '_>,
    (kind, namespace, name): (Kind, &str, &str),
    changes: Vec<(&'static str, Value)>,
    message: &str,
) -> Done {
    let dry = DryRun::of(kube)?;
    let Some(path) = pod_spec(kind) else {
        return Fail::error(format!(
            "{}/{name} is not a pod or does not have a pod template",
            kind.info().plural
        ));
    };
    let mut patch = json!({});
    for (field, items) in changes {
        if items.as_array().is_none_or(|i| !i.is_empty()) {
            field::make(&mut patch, path)[field] = items;
        }
    }
    if patch.as_object().is_some_and(Map::is_empty) {
        return Ok(());
    }
    let after = if dry == DryRun::Client {
        kube.get(kind, namespace, name)?
    } else {
        kube.patch((kind, namespace, name), patch, dry == DryRun::Server)?
    };
    match print::format(kube, false)? {
        Some(format) => print::structured(kube, &format, after),
        None => {
            kube.out.line(&format!("{} {message}{}", typed(kind, name), dry.suffix()));
            Ok(())
        }
    }
}

fn split(args: &[String]) -> (Vec<String>, Vec<String>) {
    args.iter().cloned().partition(|a| !a.contains('=') && (!a.ends_with('-') || a.len() == 1))
}

fn image(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let (targets, images) = split(args);
    if targets.is_empty() && !kube.given.has("filename") {
        return Fail::error(NO_RESOURCE);
    }
    if images.is_empty() {
        return Fail::error("at least one image update is required");
    }
    let mut failed = Vec::new();
    for (kind, namespace, name) in kube.chosen_from(&targets)? {
        let done = image_one(kube, (kind, &namespace, &name), &images);
        failed.extend(done.err());
    }
    super::get::finish(kube, failed)
}

fn no_template(kind: Kind, name: &str) -> Fail {
    let info = kind.info();
    Fail::Error(format!(
        "{}/{name} the object is not a pod or does not have a pod template: *{}.{}",
        info.plural, info.version, info.kind
    ))
}

fn image_one(kube: &mut Kube<'_, '_>, at: (Kind, &str, &str), images: &[String]) -> Done {
    let live = kube.get(at.0, at.1, at.2)?;
    let Some(path) = pod_spec(at.0) else { return Err(no_template(at.0, at.2)) };
    let spec = field::at(&live, path);
    let mut changes = vec![("containers", Vec::new()), ("initContainers", Vec::new())];
    let mut missing = Vec::new();
    for pair in images {
        let (container, image) = pair.split_once('=').unwrap_or((pair, ""));
        let mut found = false;
        for (field, list) in &mut changes {
            for has in
                field::list(spec, field).iter().filter(|c| container == "*" || field::name_of(c) == container)
            {
                found = true;
                if field::text(has, "image") != image {
                    list.push(json!({"name": field::name_of(has), "image": image}));
                }
            }
        }
        if !found {
            missing.push(format!("unable to find container named {container:?}"));
        }
    }
    let changes = changes.into_iter().map(|(field, list)| (field, Value::Array(list))).collect();
    send(kube, at, changes, "image updated").map_err(|fail| match fail {
        Fail::Server(status) => {
            Fail::Error(format!("failed to patch image update to pod template: {}", status.message))
        }
        other => other,
    })?;
    // UPSTREAM: the containers that are there are changed all the same.
    match missing.as_slice() {
        [] => Ok(()),
        [only] => Fail::error(only.clone()),
        many => Fail::error(format!("[{}]", many.join(", "))),
    }
}

fn quantities(text: Option<&str>) -> Done<Map<String, Value>> {
    let mut out = Map::new();
    for pair in text.into_iter().flat_map(|t| t.split(',')).filter(|p| !p.is_empty()) {
        let Some((resource, amount)) = pair.split_once('=') else {
            return Fail::error(format!("Invalid argument syntax {pair}, expected <resource>=<value>"));
        };
        if Quantity::parse(amount).is_err() {
            return Fail::error(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            );
        }
        out.insert(resource.to_owned(), amount.into());
    }
    Ok(out)
}

fn resources(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    if args.is_empty() && !kube.given.has("filename") {
        return Fail::error(NO_RESOURCE);
    }
    let requests = quantities(kube.given.value("requests"))?;
    let limits = quantities(kube.given.value("limits"))?;
    if requests.is_empty() && limits.is_empty() {
        return Fail::error(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        );
    }
    let wanted = kube.given.value("containers").unwrap_or("*").to_owned();
    let mut failed = Vec::new();
    for (kind, namespace, name) in kube.chosen_from(args)? {
        let live = match kube.get(kind, &namespace, &name) {
            Ok(live) => live,
            Err(fail) => {
                failed.push(fail);
                continue;
            }
        };
        let Some(path) = pod_spec(kind) else {
            failed.push(no_template(kind, &name));
            continue;
        };
        let spec = field::at(&live, path);
        let chosen: Vec<&Value> = field::list(spec, "containers")
            .iter()
            .filter(|c| crate::glob::matches(&wanted, field::name_of(c)))
            .collect();
        if chosen.is_empty() {
            failed.push(Fail::Error(format!("unable to find container named {wanted}")));
            continue;
        }
        let changed: Vec<Value> = chosen
            .into_iter()
            .map(|container| {
                let mut resources = Map::new();
                if !requests.is_empty() {
                    resources.insert("requests".to_owned(), Value::Object(requests.clone()));
                }
                if !limits.is_empty() {
                    resources.insert("limits".to_owned(), Value::Object(limits.clone()));
                }
                json!({"name": field::name_of(container), "resources": resources})
            })
            .collect();
        let before = live.clone();
        let mut after = live;
        let same =
            api::patch::strategic_merge(kind, &mut after, &wrap(kind, &changed)).is_ok() && after == before;
        if same {
            continue;
        }
        let sent = send(
            kube,
            (kind, &namespace, &name),
            vec![("containers", changed.into())],
            "resource requirements updated",
        );
        failed.extend(sent.err().map(|fail| match fail {
            Fail::Server(status) => {
                Fail::Error(format!("failed to patch resources update to pod template {}", status.message))
            }
            other => other,
        }));
    }
    super::get::finish(kube, failed)
}

fn wrap(kind: Kind, containers: &[Value]) -> Value {
    let mut patch = json!({});
    field::make(&mut patch, pod_spec(kind).unwrap_or("spec"))["containers"] = containers.to_vec().into();
    patch
}

fn env(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let (targets, mut changes) = split(args);
    changes.extend(kube.given.values("env").into_iter().map(str::to_owned));
    if targets.is_empty() && !kube.given.has("filename") {
        return Fail::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        );
    }
    if changes.iter().any(|c| {
        let gone = c.strip_suffix('-').filter(|_| !c.contains('='));
        gone.is_some_and(|gone| changes.iter().any(|c| c.split_once('=').is_some_and(|(key, _)| key == gone)))
    }) {
        return Fail::error(
            "can not both modify and remove the same environment variable in the same command",
        );
    }
    if changes.is_empty() && !kube.given.on("list") {
        return kube.chosen_from(&targets).map(drop);
    }
    let wanted = kube.given.value("containers").unwrap_or("*").to_owned();
    let mut failed = Vec::new();
    for (kind, namespace, name) in kube.chosen_from(&targets)? {
        let live = match kube.get(kind, &namespace, &name) {
            Ok(live) => live,
            Err(fail) => {
                failed.push(fail);
                continue;
            }
        };
        let Some(path) = pod_spec(kind) else {
            failed.push(no_template(kind, &name));
            continue;
        };
        let spec = field::at(&live, path);
        let containers: Vec<Value> = field::list(spec, "containers")
            .iter()
            .filter(|c| crate::glob::matches(&wanted, field::name_of(c)))
            .cloned()
            .collect();
        if kube.given.on("list") {
            for container in &containers {
                kube.out.line(&format!(
                    "# {} {name}, container {}",
                    kind.info().kind,
                    field::name_of(container)
                ));
                for variable in field::list(container, "env") {
                    let key = field::name_of(variable);
                    match variable.get("valueFrom") {
                        Some(from) => kube.out.line(&format!("# {key} {}", from_words(from))),
                        None => kube.out.line(&format!("{key}={}", field::text(variable, "value"))),
                    }
                }
            }
            continue;
        }
        if containers.is_empty() && !kube.given.on("list") {
            kube.out.err(&format!(
                "Warning: {}/{name} does not have any containers matching {wanted:?}",
                kind.info().kind
            ));
            continue;
        }
        // Nothing to take away, nothing to say.
        let is_there = |key: &str| {
            containers.iter().any(|c| field::list(c, "env").iter().any(|it| field::name_of(it) == key))
        };
        if changes.iter().all(|it| !it.contains('=') && !is_there(it.trim_end_matches('-'))) {
            continue;
        }
        let changed: Vec<Value> = containers
            .iter()
            .map(|container| {
                let env: Vec<Value> = changes
                    .iter()
                    .map(|change| match change.split_once('=') {
                        Some((key, value)) => json!({"name": key, "value": value}),
                        None => json!({"name": change.trim_end_matches('-'), "$patch": "delete"}),
                    })
                    .collect();
                let mut change = json!({"name": field::name_of(container), "env": env});
                // What is new comes last, as kubectl has it.
                let had: Vec<&str> = field::list(container, "env").iter().map(field::name_of).collect();
                if !had.is_empty() {
                    let gone = |name: &&&str| !changes.contains(&format!("{name}-"));
                    let set = changes.iter().filter_map(|change| change.split_once('=')).map(|(key, _)| key);
                    let mut order: Vec<&str> = had.iter().filter(gone).copied().collect();
                    order.extend(set.filter(|key| !had.contains(key)));
                    change["$setElementOrder/env"] = order.iter().map(|name| json!({"name": name})).collect();
                }
                change
            })
            .collect();
        let sent = send(kube, (kind, &namespace, &name), vec![("containers", changed.into())], "env updated");
        failed.extend(sent.err().map(|fail| match fail {
            Fail::Server(status) => {
                Fail::Error(format!("failed to patch env update to pod template: {}", status.message))
            }
            other => other,
        }));
    }
    super::get::finish(kube, failed)
}

fn from_words(from: &Value) -> String {
    let key = |of: &str| {
        format!(
            "{}, key {}",
            field::text(from, &format!("{of}.name")),
            field::text(from, &format!("{of}.key"))
        )
    };
    if from.get("configMapKeyRef").is_some() {
        format!("from configmap {}", key("configMapKeyRef"))
    } else if from.get("secretKeyRef").is_some() {
        format!("from secret {}", key("secretKeyRef"))
    } else if from.get("fieldRef").is_some() {
        format!("from field path {}", field::text(from, "fieldRef.fieldPath"))
    } else {
        format!("from resource {}", field::text(from, "resourceFieldRef.resource"))
    }
}

fn account(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let Some((account, targets)) = args.split_last() else {
        return Fail::error("serviceaccount is required");
    };
    if targets.is_empty() && !kube.given.has("filename") {
        return Fail::error(NO_RESOURCE);
    }
    let mut failed = Vec::new();
    for (kind, namespace, name) in kube.chosen_from(targets)? {
        let change = vec![("serviceAccountName", json!(account))];
        failed.extend(send(kube, (kind, &namespace, &name), change, "serviceaccount updated").err());
    }
    super::get::finish(kube, failed)
}

/// UPSTREAM: only Services can be given another selector here.
fn selector(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let Some((text, targets)) = args.split_last() else { return Fail::error("one selector is required") };
    if targets.is_empty() && !kube.given.has("filename") {
        return Fail::error(NO_RESOURCE);
    }
    let wanted: Map<String, Value> = text
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.trim_end_matches('=').to_owned(), value.trim_start_matches('=').into()))
        .collect();
    let dry = DryRun::of(kube)?;
    let format = print::format(kube, false)?;
    let mut failed = Vec::new();
    for (kind, namespace, name) in kube.chosen_from(targets)? {
        let live = kube.get(kind, &namespace, &name)?;
        if kind != Kind::Service {
            failed.push(Fail::Error("setting a selector is only supported for Services".to_owned()));
            continue;
        }
        let mut after = live.clone();
        field::make(&mut after, "spec")["selector"] = Value::Object(wanted.clone());
        if dry != DryRun::Client {
            after = kube.update(kind, &namespace, &name, after, dry == DryRun::Server)?;
        }
        match &format {
            Some(format) => print::structured(kube, format, after)?,
            None => kube.out.line(&format!("{} selector updated{}", typed(kind, &name), dry.suffix())),
        }
    }
    super::get::finish(kube, failed)
}
