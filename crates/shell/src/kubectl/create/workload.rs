//! Deployments, Jobs, CronJobs, budgets.

use api::Kind;
use serde_json::{Value, json};

use super::{metadata, one_name};
use crate::kubectl::{Done, Fail, Kube, field};

/// The container name that kubectl makes of an image.
fn container_name(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split(['@', ':']).next().unwrap_or(name);
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '-' })
        .collect()
}

fn split_command(kube: &Kube<'_, '_>, args: &[String]) -> (Vec<String>, Vec<String>) {
    // `args` begin after the generator's own word.
    let at = kube.given.dash.map_or(args.len(), |d| d.saturating_sub(1)).min(args.len());
    (args[..at].to_vec(), args[at..].to_vec())
}

pub(super) fn deployment(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let (names, command) = split_command(kube, args);
    let name = one_name("deployment", &names)?;
    let images: Vec<String> = kube.given.list("image").into_iter().map(str::to_owned).collect();
    if images.len() > 1 && !command.is_empty() {
        return Fail::error("cannot specify multiple --image options and command");
    }
    let replicas = kube.given.int("replicas").unwrap_or(1);
    if replicas < -1 {
        return Fail::error("replicas must be a non-negative number");
    }
    let containers: Vec<Value> = images
        .iter()
        .map(|image| {
            let mut container = json!({"image": image, "name": container_name(image), "resources": {}});
            if !command.is_empty() {
                container["command"] = command.clone().into();
            }
            container
        })
        .collect();
    let mut containers = containers;
    if let (Some(port), Some(first)) = (kube.given.int("port").filter(|p| *p >= 0), containers.first_mut()) {
        first["ports"] = json!([{"containerPort": port}]);
    }
    let labels = json!({"app": name});
    let mut meta = metadata(&name);
    meta["labels"] = labels.clone();
    Ok((
        Kind::Deployment,
        json!({"metadata": meta, "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels}, "strategy": {},
            "template": {"metadata": {"creationTimestamp": null, "labels": labels}, "spec": {"containers": containers}}},
            "status": {}}),
    ))
}

fn job_spec(name: &str, image: &str, command: Vec<String>, restart: &str) -> Value {
    let mut container = json!({"image": image, "name": name, "resources": {}});
    if !command.is_empty() {
        container["command"] = command.into();
    }
    json!({"template": {"metadata": {"creationTimestamp": null}, "spec": {"containers": [container], "restartPolicy": restart}}})
}

pub(super) fn job(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let (names, command) = split_command(kube, args);
    let name = one_name("job", &names)?;
    let spec = match (
        kube.given.value("image").map(str::to_owned),
        kube.given.value("from").map(str::to_owned),
    ) {
        (Some(_), Some(_)) => return Fail::error("either --image or --from must be specified"),
        (None, None) => return Fail::error("either --image or --from must be specified"),
        (Some(image), None) => job_spec(&name, &image, command, "Never"),
        (None, Some(from)) => {
            let Some((word, cron)) = from.split_once('/') else {
                kube.kind(&from)?;
                return Fail::error("--from must be specified as TYPE/NAME");
            };
            let kind = kube.kind(word)?;
            let namespace = kube.namespace()?;
            let cron = kube.get(kind, &namespace, cron)?;
            if kind != Kind::CronJob {
                let info = kind.info();
                let version: String = info.version.split('/').next_back().unwrap_or_default().to_owned();
                return Fail::error(format!("unknown object type *{version}.{}", info.kind));
            }
            let template = field::at(&cron, "spec.jobTemplate").clone();
            let mut meta = metadata(&name);
            meta["annotations"] = json!({"cronjob.kubernetes.io/instantiate": "manual"});
            meta["ownerReferences"] = json!([{"apiVersion": "batch/v1", "controller": true, "kind": "CronJob",
                "name": field::name(&cron), "uid": field::text(&cron, "metadata.uid")}]);
            if let Some(labels) = template.pointer("/metadata/labels") {
                meta["labels"] = labels.clone();
            }
            let mut spec = field::at(&template, "spec").clone();
            // Go writes the moment of creation of every template, even of one that was never created.
            let of_template = field::make(&mut spec, "template.metadata");
            if of_template.get("creationTimestamp").is_none() {
                of_template["creationTimestamp"] = Value::Null;
            }
            return Ok((Kind::Job, json!({"metadata": meta, "spec": spec, "status": {}})));
        }
    };
    Ok((Kind::Job, json!({"metadata": metadata(&name), "spec": spec, "status": {}})))
}

pub(super) fn cron_job(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let (names, command) = split_command(kube, args);
    let name = one_name("cronjob", &names)?;
    let text = |flag: &str| kube.given.value(flag).unwrap_or_default().to_owned();
    let (image, schedule) = (text("image"), text("schedule"));
    if image.is_empty() {
        return Fail::error("--image must be specified");
    }
    if schedule.is_empty() {
        return Fail::error("--schedule must be specified");
    }
    let restart = kube.given.value("restart").unwrap_or("OnFailure").to_owned();
    let spec = job_spec(&name, &image, command, &restart);
    Ok((
        Kind::CronJob,
        json!({"metadata": metadata(&name), "spec": {"jobTemplate": {"metadata": metadata(&name), "spec": spec}, "schedule": schedule},
            "status": {}}),
    ))
}

pub(super) fn disruption_budget(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name("poddisruptionbudget", args)?;
    let Some(selector) = kube.given.value("selector").filter(|s| !s.is_empty()).map(str::to_owned) else {
        return Fail::error("a selector must be specified");
    };
    // Source: kubectl `pkg/cmd/create/create_pdb.go`: `^\d+%?$`, more or less.
    for flag in ["min-available", "max-unavailable"] {
        let digits = kube.given.value(flag).map(|it| it.strip_suffix('%').unwrap_or(it));
        if digits.is_some_and(|it| it.is_empty() || !it.bytes().all(|b| b.is_ascii_digit())) {
            return Fail::error(format!("invalid format specified for {flag}"));
        }
    }
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    let mut spec = json!({"selector": {"matchLabels": super::pairs(&selector)}});
    match (kube.given.value("min-available"), kube.given.value("max-unavailable")) {
        (Some(_), Some(_)) => {
            return Fail::error("min-available and max-unavailable cannot be both specified");
        }
        (None, None) => return Fail::error("one of min-available or max-unavailable must be specified"),
        (Some(min), None) => spec["minAvailable"] = number(min),
        (None, Some(max)) => spec["maxUnavailable"] = number(max),
    }
    let status =
        json!({"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0});
    Ok((Kind::PodDisruptionBudget, json!({"metadata": metadata(&name), "spec": spec, "status": status})))
}
