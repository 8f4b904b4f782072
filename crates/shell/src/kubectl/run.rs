//! `kubectl run`: one pod. Source: kubectl `pkg/cmd/run/run.go`, `pkg/generate/versioned/run.go`.

use api::Kind;
use cluster::Propagation;
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, attach, field, pods, print};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let Some((name, rest)) = args.split_first().filter(|_| kube.given.dash != Some(0)) else {
        return Err(Fail::Plain(
            "error: NAME is required for run\nSee 'kubectl run -h' for help and examples".to_owned(),
        ));
    };
    let usage = |text: String| Fail::error(format!("{text}\nSee 'kubectl run -h' for help and examples"));
    let image = kube.given.value("image").unwrap_or_default().to_owned();
    if image.is_empty() {
        return Fail::error("--image is required");
    }
    if !is_image(&image) {
        return Fail::error(format!("Invalid image name {image:?}: invalid reference format"));
    }
    let (stdin, tty) = (kube.given.on("stdin"), kube.given.on("tty"));
    if tty && !stdin {
        return usage("-i/--stdin is required for containers with -t/--tty=true".to_owned());
    }
    if kube.given.on("expose") && !kube.given.has("port") {
        return usage("--port must be set when exposing a service".to_owned());
    }
    let attached = kube.given.value("attach").map_or(stdin, |_| kube.given.on("attach"));
    let format = print::format(kube, false)?;
    let dry = DryRun::of(kube)?;
    let restart = kube.given.value("restart").unwrap_or("Always").to_owned();
    if !matches!(restart.as_str(), "Always" | "OnFailure" | "Never") {
        return usage(format!("invalid restart policy: {restart}"));
    }
    if kube.given.on("rm") && !attached {
        return usage("--rm should only be used for attached containers".to_owned());
    }
    if attached && dry != DryRun::No {
        return usage("--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)".to_owned());
    }
    if let Some(policy) = kube.given.value("image-pull-policy").filter(|p| !p.is_empty())
        && !matches!(policy, "Always" | "Never" | "IfNotPresent")
    {
        return usage(format!("invalid image pull policy: {policy}"));
    }
    let port = match kube.given.value("port").map(str::parse::<i64>) {
        None => None,
        Some(Ok(port)) => Some(port),
        Some(Err(_)) => {
            let text = kube.given.value("port").unwrap_or_default();
            return Fail::error(format!("strconv.Atoi: parsing {text:?}: invalid syntax"));
        }
    };
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
    if let Some(port) = port {
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
    let annotations: serde_json::Map<String, Value> = kube
        .given
        .values("annotations")
        .into_iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect();
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"creationTimestamp": null, "labels": labels, "name": name},
        "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart},
        "status": {}
    });
    if !annotations.is_empty() {
        pod["metadata"]["annotations"] = annotations.into();
    }
    if let Some(text) = kube.given.value("overrides") {
        let Ok(overrides) = serde_json::from_str::<Value>(text) else {
            return Fail::error("Invalid JSON Patch");
        };
        if let Some(other) =
            kube.given.value("override-type").filter(|it| !matches!(*it, "" | "json" | "merge" | "strategic"))
        {
            return Fail::error(format!("invalid override type: {other}"));
        }
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
    if !namespace.is_empty() && (dry == DryRun::Client || kube.given.has("namespace")) {
        pod["metadata"]["namespace"] = namespace.as_str().into();
    }
    if dry != DryRun::Client {
        pod = super::apply::saved_typed(kube, pod);
        pod = kube.create(Kind::Pod, &namespace, pod, dry == DryRun::Server)?;
    }
    let mut exposed = None;
    if kube.given.on("expose") {
        let port = port.unwrap_or_default();
        let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"creationTimestamp": null, "name": name},
            "spec": {"ports": [{"port": port, "protocol": "TCP", "targetPort": port}], "selector": labels},
            "status": {"loadBalancer": {}}});
        if kube.given.has("labels") {
            service["metadata"]["labels"] = json!(labels);
        }
        if dry != DryRun::Client {
            let namespace = kube.namespace()?;
            service = kube.create(Kind::Service, &namespace, service, dry == DryRun::Server)?;
        }
        exposed = Some(service);
    }
    if attached {
        let outcome = attached_to(kube, &namespace, &pod, rest, &restart);
        if kube.given.on("rm") {
            remove(kube, exposed.is_some(), &namespace, name)?;
        }
        return outcome;
    }
    // UPSTREAM: the service is printed before the pod.
    match format {
        Some(format) => {
            let yaml = matches!(format, print::Format::Yaml);
            if let Some(service) = exposed {
                print::structured(kube, &format, service)?;
                if yaml {
                    // UPSTREAM: both the printer and what it prints into put one there.
                    kube.out.out("---\n---\n");
                }
            }
            if let (print::Format::Json, DryRun::Client) = (&format, dry) {
                kube.out.line(&print::typed::json(&pod));
                return Ok(());
            }
            print::structured(kube, &format, pod)
        }
        None => {
            if exposed.is_some() {
                kube.out.line(&format!("service/{name} created{}", dry.suffix()));
            }
            kube.out.line(&format!("pod/{name} created{}", dry.suffix()));
            Ok(())
        }
    }
}

/// What the new pod's container says, and how it ends where that matters.
///
/// MODEL: a container that serves is let go at once, as if Ctrl-C was pressed.
fn attached_to(
    kube: &mut Kube<'_, '_>,
    namespace: &str,
    pod: &Value,
    command: &[String],
    restart: &str,
) -> Done {
    let (name, container) = (field::name(pod).to_owned(), first_container(pod));
    attach::follow(kube, (namespace, &name), &container, command)?;
    if restart == "Always" {
        if kube.given.on("tty") && !kube.given.on("quiet") {
            kube.out.line(&format!(
                "Session ended, resume using 'kubectl attach {name} -c {container} -i -t' command when the pod is running"
            ));
        }
        return Ok(());
    }
    let ended = |kube: &mut Kube<'_, '_>| {
        let phase = kube.peek(Kind::Pod, namespace, &name);
        phase.map(|it| field::text(&it, "status.phase").to_owned()).unwrap_or_default()
    };
    let over = kube.wait(Some(pods::WAIT), |kube| {
        let phase = ended(kube);
        Ok(phase == "Succeeded" || (phase == "Failed" && restart == "Never"))
    })?;
    if !over {
        return Fail::error("timed out waiting for the condition");
    }
    if ended(kube) == "Failed" {
        let object = kube.get(Kind::Pod, namespace, &name)?;
        let status = field::list(&object, "status.containerStatuses").first();
        let state = status.map_or(&Value::Null, |it| field::at(it, "state.terminated"));
        let (reason, message) = (field::text(state, "reason"), field::text(state, "message"));
        let code = i32::try_from(field::int(state, "exitCode")).unwrap_or(1);
        kube.out.err(&format!("pod {namespace}/{name} terminated ({reason})\n{message}"));
        return Err(Fail::Exit(code));
    }
    Ok(())
}

fn first_container(pod: &Value) -> String {
    field::list(pod, "spec.containers").first().map(field::name_of).unwrap_or_default().to_owned()
}

/// Takes away what was made (`--rm`).
fn remove(kube: &mut Kube<'_, '_>, exposed: bool, namespace: &str, name: &str) -> Done {
    let made = [Some(Kind::Pod), exposed.then_some(Kind::Service)];
    for kind in made.into_iter().flatten() {
        kube.remove((kind, namespace, name), None, Propagation::Background, false)?;
        kube.out.line(&format!("{} {name:?} deleted", kind.info().singular()));
        kube.wait(None, |kube| Ok(kube.peek(kind, namespace, name).is_none()))?;
    }
    Ok(())
}

/// Whether a text can be the reference of an image. Source: distribution/reference.
pub(super) fn is_image(text: &str) -> bool {
    let (text, digest) = text.split_once('@').map_or((text, None), |(t, d)| (t, Some(d)));
    let slash = text.rfind('/').map_or(0, |at| at + 1);
    let (path, tag) = match text[slash..].split_once(':') {
        Some((_, tag)) => (&text[..text.len() - tag.len() - 1], Some(tag)),
        None => (text, None),
    };
    let part = |p: &str| {
        !p.is_empty()
            && p.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
            && p.starts_with(|c: char| c.is_ascii_alphanumeric())
            && p.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    let mut parts = path.split('/').peekable();
    let first = parts.next().unwrap_or_default();
    let host = parts.peek().is_some() && (first.contains(['.', ':']) || first == "localhost");
    let word = |t: &str| t.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    (host || part(first))
        && parts.all(part)
        && tag.is_none_or(|t| !t.is_empty() && t.len() <= 128 && word(t) && !t.starts_with(['.', '-']))
        && digest.is_none_or(|d| d.contains(':'))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    const RUN: &str = "kind create cluster 2>/dev/null; kubectl run t --rm -it --image=busybox";

    #[test]
    fn a_pod_for_one_command_says_what_it_says_and_goes() {
        let out = stdout(&format!("{RUN} --restart=Never -- echo hi; kubectl get pods -o name"));
        assert_eq!(out, "hi\npod \"t\" deleted\n");
        let out = stdout(&format!("{RUN} -- hostname"));
        let ended =
            "Session ended, resume using 'kubectl attach t -c t -i -t' command when the pod is running";
        assert_eq!(out, format!("t\n{ended}\npod \"t\" deleted\n"));
    }

    #[test]
    fn a_pod_whose_image_is_missing_is_not_waited_for_for_ever() {
        let (out, err, _) = sh("kind create cluster 2>/dev/null; kubectl run t --rm -i --image=ngnix");
        assert_eq!(out, "pod \"t\" deleted\n");
        assert_eq!(err, "error: timed out waiting for the condition\n");
    }
}
