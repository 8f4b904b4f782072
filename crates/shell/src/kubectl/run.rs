//! `kubectl run`: one pod. Source: kubectl `pkg/cmd/run/run.go`, `pkg/generate/versioned/run.go`.

use api::Kind;
use serde_json::{Value, json};

use crate::{
    flag::{Flag, optional, switch, value},
    kubectl::{Done, Fail, Kube, apply::DryRun, print},
};

pub(super) const FLAGS: &[Flag] = &[
    value("image", '\0'),
    value("image-pull-policy", '\0'),
    value("labels", 'l'),
    value("env", '\0'),
    value("port", '\0'),
    value("restart", '\0'),
    value("overrides", '\0'),
    value("override-type", '\0'),
    value("annotations", '\0'),
    value("output", 'o'),
    value("template", '\0'),
    value("pod-running-timeout", '\0'),
    value("timeout", '\0'),
    value("grace-period", '\0'),
    value("field-manager", '\0'),
    optional("dry-run", "unchanged"),
    switch("command", '\0'),
    switch("attach", '\0'),
    switch("stdin", 'i'),
    switch("tty", 't'),
    switch("rm", '\0'),
    switch("expose", '\0'),
    switch("privileged", '\0'),
    switch("quiet", 'q'),
    switch("leave-stdin-open", '\0'),
    switch("save-config", '\0'),
    switch("wait", '\0'),
    switch("force", '\0'),
];

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let Some((name, rest)) = args.split_first().filter(|_| kube.given.dash != Some(0)) else {
        return Err(Fail::Plain(
            "error: NAME is required for run\nSee 'kubectl run -h' for help and examples".to_owned(),
        ));
    };
    let Some(image) = kube.given.value("image").map(str::to_owned) else {
        return Fail::error("required flag(s) \"image\" not set");
    };
    let format = print::format(kube, false)?;
    let dry = DryRun::of(kube)?;
    let restart = kube.given.value("restart").unwrap_or("Always").to_owned();
    if !matches!(restart.as_str(), "Always" | "OnFailure" | "Never") {
        return Fail::error(format!(
            "invalid restart policy: {restart}\nSee 'kubectl run -h' for help and examples"
        ));
    }
    let mut labels = serde_json::Map::new();
    for pair in kube.given.list("labels").into_iter().filter(|p| !p.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Fail::error(format!("unexpected label spec: {pair}"));
        };
        labels.insert(key.to_owned(), value.into());
    }
    if labels.is_empty() {
        labels.insert("run".to_owned(), name.as_str().into());
    }
    let mut container = json!({"name": name, "image": image, "resources": {}});
    if let Some(policy) = kube.given.value("image-pull-policy") {
        container["imagePullPolicy"] = policy.into();
    }
    if !rest.is_empty() {
        let field = if kube.given.on("command") { "command" } else { "args" };
        container[field] = rest.to_vec().into();
    }
    let mut env = Vec::new();
    for pair in kube.given.values("env") {
        let Some((key, value)) = pair.split_once('=') else {
            return Fail::error(format!("invalid env: {pair}"));
        };
        env.push(json!({"name": key, "value": value}));
    }
    if !env.is_empty() {
        container["env"] = env.into();
    }
    if let Some(port) = kube.given.int("port") {
        container["ports"] = json!([{"containerPort": port}]);
    }
    if kube.given.on("privileged") {
        container["securityContext"] = json!({"privileged": true});
    }
    for (flag, field) in [("stdin", "stdin"), ("tty", "tty")] {
        if kube.given.on(flag) {
            container[field] = true.into();
        }
    }
    if kube.given.on("stdin") && restart == "Never" {
        container["stdinOnce"] = true.into();
    }
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"creationTimestamp": null, "labels": labels, "name": name},
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart},
        "status": {}
    });
    if let Some(text) = kube.given.value("overrides") {
        let Ok(overrides) = serde_json::from_str::<Value>(text) else {
            return Fail::error(format!("invalid overrides: {text}"));
        };
        if kube.given.value("override-type") == Some("strategic") {
            let merged = api::patch::strategic_merge(Kind::Pod, &mut pod, &overrides);
            merged.map_err(|error| Fail::Error(error.to_string()))?;
        } else {
            api::patch::json_merge(&mut pod, &overrides);
        }
    }
    let namespace = if dry == DryRun::Client {
        kube.given.value("namespace").unwrap_or_default().to_owned()
    } else {
        kube.namespace()?
    };
    if dry == DryRun::Client {
        if !namespace.is_empty() {
            pod["metadata"]["namespace"] = namespace.into();
        }
    } else {
        pod = kube.create(Kind::Pod, &namespace, pod, dry == DryRun::Server)?;
    }
    match format {
        Some(format) => print::structured(kube, &format, pod)?,
        None => kube.out.line(&format!("pod/{name} created{}", dry.suffix())),
    }
    if kube.given.on("expose") && dry == DryRun::No {
        let port = kube.given.int("port").unwrap_or_default();
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"ports": [{"port": port, "protocol": "TCP", "targetPort": port}], "selector": {"run": name}}});
        let namespace = kube.namespace()?;
        kube.create(Kind::Service, &namespace, service, false)?;
        kube.out.line(&format!("service/{name} created"));
    }
    Ok(())
}
