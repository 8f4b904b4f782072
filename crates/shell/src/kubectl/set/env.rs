//! `kubectl set env`. Source: kubectl `pkg/cmd/set/set_env.go`, `pkg/cmd/set/env`.

use api::Kind;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube, field,
    set::{Picked, not_patched, picked, send},
};

/// What shall be set and what shall go.
#[derive(Default)]
struct Changes {
    /// Variables as containers have them, with their names.
    set: Vec<Value>,
    gone: Vec<String>,
}

pub(super) fn run(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let is_change = |arg: &String| arg.contains('=') || arg.ends_with('-');
    let at = args.iter().position(is_change).unwrap_or(args.len());
    let (targets, typed) = args.split_at(at);
    if !typed.iter().all(is_change) {
        return Fail::error(format!(
            "all resources must be specified before environment changes: {}",
            args.join(" ")
        ));
    }
    if targets.is_empty() && !kube.given.has("filename") {
        return Fail::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        );
    }
    if kube.given.on("list") && kube.given.has("output") {
        return Fail::error("--list and --output may not be specified together");
    }
    if kube.given.has("keys") && !kube.given.has("from") {
        return Fail::error("when specifying --keys, a configmap or secret must be provided with --from");
    }
    let mut specs: Vec<String> = kube.given.values("env").into_iter().map(str::to_owned).collect();
    specs.extend(typed.iter().cloned());
    let mut changes = read(kube, &specs)?;
    if let Some(source) = kube.given.value("from").map(str::to_owned) {
        from(kube, &source, &mut changes)?;
    }
    if let Some(prefix) = kube.given.value("prefix") {
        for variable in &mut changes.set {
            variable["name"] = format!("{prefix}{}", field::name_of(variable)).into();
        }
    }
    if kube.given.on("local") && !kube.given.has("filename") {
        return Fail::error(crate::kubectl::resource::NO_RESOURCE);
    }
    let mut failed = Vec::new();
    for one in picked(kube, targets)? {
        let after = match after(kube, &one, &changes) {
            Ok(after) => after,
            Err(fail) => {
                failed.push(fail);
                continue;
            }
        };
        if kube.given.on("list") {
            continue;
        }
        let differs = after != one.live;
        let sent = send(kube, &one, after, "env updated").map_err(not_patched("env update to pod template"));
        // UPSTREAM: what was only to go by `--env` is sent first and complained about then.
        let done =
            sent.and_then(|()| match differs && !one.local && changes.set.is_empty() && typed.is_empty() {
                true => Fail::error("at least one environment variable must be provided"),
                false => Ok(()),
            });
        failed.extend(done.err());
    }
    crate::kubectl::get::finish(kube, failed)
}

/// Reads `KEY=value`, `KEY-` and `-` for what stands on standard input.
fn read(kube: &mut Kube<'_, '_>, specs: &[String]) -> Done<Changes> {
    let mut changes = Changes::default();
    let variable = |key: &str, value: &str| json!({"name": key, "value": value});
    let mut named: Vec<&str> = Vec::new();
    for spec in specs {
        if spec == "-" {
            let text = kube.stdin.rest();
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
            changes.set.extend(
                lines.filter_map(|line| line.split_once('=')).map(|(key, value)| variable(key, value)),
            );
        } else if let Some((key, value)) = spec.split_once('=') {
            if !is_variable_name(key) {
                return Fail::error(format!(
                    "{key:?} is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
                ));
            }
            named.push(key);
            changes.set.push(variable(key, value));
        } else if let Some(key) = spec.strip_suffix('-') {
            changes.gone.push(key.to_owned());
        } else {
            return Fail::error(format!("unknown environment variable: {spec}"));
        }
    }
    if changes.gone.iter().any(|gone| named.contains(&gone.as_str())) {
        return Fail::error(
            "can not both modify and remove the same environment variable in the same command",
        );
    }
    Ok(changes)
}

fn is_variable_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

/// Adds the keys of a ConfigMap or a Secret, by their references.
fn from(kube: &mut Kube<'_, '_>, source: &str, changes: &mut Changes) -> Done {
    let wanted: Vec<String> = kube.given.list("keys").into_iter().map(str::to_owned).collect();
    for (kind, namespace, name) in kube.chosen_from(&[source.to_owned()])? {
        let object = kube.get(kind, &namespace, &name)?;
        let part = match kind {
            Kind::ConfigMap => "configMapKeyRef",
            Kind::Secret => "secretKeyRef",
            _ => return Fail::error("unsupported resource specified in --from"),
        };
        for (key, _) in field::map(&object, "data") {
            if !wanted.is_empty() && !wanted.iter().any(|it| it == key) {
                continue;
            }
            let plain: String =
                key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
            let variable = plain.to_uppercase();
            if variable != key {
                kube.out.err(&format!("Warning: key {key} transferred to {variable}"));
            }
            changes.set.push(json!({"name": variable, "valueFrom": {part: {"key": key, "name": name}}}));
        }
    }
    Ok(())
}

/// The object with its containers' variables changed; `--list` tells them.
fn after(kube: &mut Kube<'_, '_>, one: &Picked, changes: &Changes) -> Done<Value> {
    let mut spec = one.spec()?;
    let pattern = kube.given.value("containers").unwrap_or("*").to_owned();
    let mut found = false;
    let mut unresolved = false;
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for container in containers.filter(|it| crate::glob::matches(&pattern, field::name_of(it))) {
            found = true;
            let own = field::list(container, "env").to_vec();
            if !kube.given.not_off("overwrite") {
                unclaimed(one, &own, changes)?;
            }
            let env = changed(&own, changes);
            if env != own {
                container["env"] = env.clone().into();
            }
            if kube.given.on("list") {
                let (kind, container) = (one.kind.info().kind, field::name_of(container));
                kube.out.line(&format!("# {kind} {}, container {container}", one.name));
                unresolved |= !listed(kube, one, &env);
            }
        }
    }
    if !found {
        kube.out.err(&format!(
            "Warning: {}/{} does not have any containers matching {pattern:?}",
            one.kind.info().kind,
            one.name
        ));
    }
    if unresolved {
        return Fail::error(format!("{} failed to retrieve valueFrom references", one.shown()));
    }
    Ok(one.with_spec(spec))
}

/// `--overwrite=false`: nothing that is there may be set.
fn unclaimed(one: &Picked, own: &[Value], changes: &Changes) -> Done {
    for variable in &changes.set {
        let name = field::name_of(variable);
        if let Some(has) = own.iter().find(|it| field::name_of(it) == name) {
            return Fail::error(format!(
                "{} '{name}' already has a value ({}), and --overwrite is false",
                one.shown(),
                field::text(has, "value")
            ));
        }
    }
    Ok(())
}

/// What is changed stays where it is; what is new comes last.
fn changed(own: &[Value], changes: &Changes) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    let newer = |name: &str| changes.set.iter().rev().find(|it| field::name_of(it) == name);
    let kept = own.iter().filter(|it| !changes.gone.iter().any(|gone| gone == field::name_of(it)));
    for variable in kept.chain(&changes.set) {
        let name = field::name_of(variable);
        if out.iter().any(|it| field::name_of(it) == name) || changes.gone.iter().any(|gone| gone == name) {
            continue;
        }
        out.push(newer(name).unwrap_or(variable).clone());
    }
    out
}

/// Prints the variables of one container; whether all could be resolved.
fn listed(kube: &mut Kube<'_, '_>, one: &Picked, env: &[Value]) -> bool {
    let mut complete = true;
    for variable in env {
        let name = field::name_of(variable);
        let Some(from) = variable.get("valueFrom") else {
            kube.out.line(&format!("{name}={}", field::text(variable, "value")));
            continue;
        };
        match kube.given.on("resolve").then(|| resolved(kube, one, from)) {
            Some(Some(value)) => kube.out.line(&format!("{name}={value}")),
            Some(None) => {
                complete = false;
                kube.out.line(&format!("# {name} {}", reference(from)));
            }
            None => kube.out.line(&format!("# {name} {}", reference(from))),
        }
    }
    complete
}

/// What a reference stands for now.
fn resolved(kube: &mut Kube<'_, '_>, one: &Picked, from: &Value) -> Option<String> {
    for (part, kind) in [("configMapKeyRef", Kind::ConfigMap), ("secretKeyRef", Kind::Secret)] {
        let Some(reference) = from.get(part) else { continue };
        let object = kube.get(kind, &one.namespace, field::text(reference, "name")).ok()?;
        let value = field::at(&object, "data").get(field::text(reference, "key"))?.as_str()?;
        return match kind {
            Kind::Secret => STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
            _ => Some(value.to_owned()),
        };
    }
    let path = field::text(from, "fieldRef.fieldPath");
    (!path.is_empty()).then(|| field::word(field::at(&one.live, path)))
}

fn reference(from: &Value) -> String {
    let key = |of: &str, what: &str| {
        let (name, key) = (field::text(from, &format!("{of}.name")), field::text(from, &format!("{of}.key")));
        format!("from {what} {name}, key {key}")
    };
    if from.get("configMapKeyRef").is_some() {
        key("configMapKeyRef", "configmap")
    } else if from.get("secretKeyRef").is_some() {
        key("secretKeyRef", "secret")
    } else if from.get("fieldRef").is_some() {
        format!("from field path {}", field::text(from, "fieldRef.fieldPath"))
    } else {
        format!("from resource {}", field::text(from, "resourceFieldRef.resource"))
    }
}
