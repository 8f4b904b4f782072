//! `kubectl debug`: a container put into a pod, a copy of a pod, or a pod on a node.
//!
//! MODEL: no container runs code: with `-i` the container says what `kubectl exec` would, if it got a command.
//! Source: kubectl v1.32 `pkg/cmd/debug/{debug,profiles}.go`.

mod profile;

use api::Kind;
use cluster::{PatchKind, Propagation, draw};
use serde_json::{Value, json};

use self::profile::{Profile, Style};
use crate::kubectl::{Done, Fail, Kube, attach, field, run::is_image};

const LEGACY: &str = "--profile=legacy is deprecated and will be removed in the future. It is recommended to explicitly specify a profile, for example \"--profile=general\".";

/// The pod and the container to look at.
type Made = (String, String);

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let (targets, command) = match kube.given.dash {
        Some(at) => (kube.given.args[..at].to_vec(), kube.given.args[at..].to_vec()),
        None => (kube.given.args.clone(), Vec::new()),
    };
    let profile = Profile::of(kube)?;
    checked(kube, &targets, &command)?;
    if matches!(profile, Profile::Legacy) {
        kube.out.err(LEGACY);
    }
    let mut meant = Vec::new();
    for word in &targets {
        meant.push(kube.meant(word)?);
    }
    if kube.given.has("filename") {
        for manifest in kube.manifests()? {
            let manifest = manifest?;
            meant.push((manifest.kind, kube.get(manifest.kind, &manifest.namespace, &manifest.name)?));
        }
    }
    for (kind, object) in meant {
        let (pod, container) = match kind {
            Kind::Node => on_node(kube, profile, &object, &command)?,
            Kind::Pod if text(kube, "copy-to").is_empty() => inside(kube, profile, &object, &command)?,
            Kind::Pod => copy(kube, profile, &object, &command)?,
            other => {
                let info = other.info();
                let version = match info.group {
                    "" => format!("/{}", info.version),
                    _ => info.api_version(),
                };
                return Fail::error(format!("\"{version}, Kind={}\" not supported by debug", info.kind));
            }
        };
        let attaches =
            if kube.given.has("attach") { kube.given.on("attach") } else { kube.given.on("stdin") };
        if attaches {
            let namespace = kube.namespace()?;
            attach::follow(kube, (&namespace, &pod), &container, &command)?;
        }
    }
    Ok(())
}

fn text(kube: &Kube<'_, '_>, flag: &str) -> String {
    kube.given.value(flag).unwrap_or_default().to_owned()
}

/// `a=b,c=d` of a flag.
fn pairs(kube: &Kube<'_, '_>, flag: &str) -> Vec<(String, String)> {
    let all = kube.given.list(flag).into_iter().filter_map(|pair| pair.split_once('='));
    all.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Refuses flags that do not go together.
fn checked(kube: &mut Kube<'_, '_>, targets: &[String], command: &[String]) -> Done {
    let (image, copied) = (text(kube, "image"), text(kube, "copy-to"));
    let (container, images) = (text(kube, "container"), pairs(kube, "set-image"));
    if kube.given.on("attach") && image.is_empty() && container.is_empty() {
        return Fail::error(
            "you must specify --container or create a new container using --image in order to attach.",
        );
    }
    if copied.is_empty() {
        for (flag, given) in [
            ("replace", kube.given.on("replace")),
            ("same-node", kube.given.on("same-node")),
            ("set-image", !images.is_empty()),
        ] {
            if given {
                return Fail::error(format!("--{flag} may only be used with --copy-to."));
            }
        }
        if image.is_empty() {
            return Fail::error("you must specify --image when not using --copy-to.");
        }
    } else {
        if image.is_empty() && images.is_empty() && command.is_empty() {
            return Fail::error("you must specify --image, --set-image or command arguments.");
        }
        if !command.is_empty() && container.is_empty() && image.is_empty() {
            return Fail::error(
                "you must specify an existing container or a new image when specifying args.",
            );
        }
    }
    if !image.is_empty() && !is_image(&image) {
        return Fail::error(format!("invalid image name {image:?}: invalid reference format"));
    }
    if targets.is_empty() && !kube.given.has("filename") {
        return Fail::error("NAME or filename is required for debug");
    }
    let policy = text(kube, "image-pull-policy");
    if !matches!(policy.as_str(), "" | "Always" | "IfNotPresent" | "Never") {
        return Fail::error(format!("invalid image pull policy: {policy}"));
    }
    if let Some((name, image)) = images.iter().find(|(_, image)| !is_image(image)) {
        return Fail::error(format!(
            "invalid image name {image:?} for container {name:?}: invalid reference format"
        ));
    }
    let target = text(kube, "target");
    if !target.is_empty() {
        if !copied.is_empty() {
            return Fail::error("--target is incompatible with --copy-to. Use --share-processes instead.");
        }
        say(
            kube,
            &format!(
                "Targeting container {target:?}. If you don't see processes from this container it may be because the container runtime doesn't support this feature."
            ),
        );
    }
    if kube.given.on("tty") && !kube.given.on("stdin") {
        return Fail::error("-i/--stdin is required for containers with -t/--tty=true");
    }
    Ok(())
}

/// What `--quiet` leaves out.
fn say(kube: &mut Kube<'_, '_>, line: &str) {
    if !kube.given.on("quiet") {
        kube.out.line(line);
    }
}

/// The debugging container as the flags describe it.
fn container(kube: &Kube<'_, '_>, name: &str, command: &[String]) -> Value {
    let mut made = json!({"name": name, "image": text(kube, "image"), "resources": {},
        "terminationMessagePolicy": "File"});
    dress(kube, &mut made, command);
    made
}

/// What the flags say of a container.
fn dress(kube: &Kube<'_, '_>, made: &mut Value, command: &[String]) {
    let image = text(kube, "image");
    if !image.is_empty() {
        made["image"] = image.into();
    }
    if !command.is_empty() {
        let field = if kube.given.on("arguments-only") { "args" } else { "command" };
        made[field] = command.to_vec().into();
        if field == "command"
            && let Value::Object(fields) = &mut *made
        {
            fields.remove("args");
        }
    }
    let env: Vec<Value> =
        pairs(kube, "env").iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    if !env.is_empty() {
        made["env"] = env.into();
    }
    let policy = text(kube, "image-pull-policy");
    if !policy.is_empty() {
        made["imagePullPolicy"] = policy.into();
    }
    for flag in ["stdin", "tty"] {
        if kube.given.on(flag) {
            made[flag] = true.into();
        }
    }
}

/// The container's name: the one that was given, or a drawn one.
fn named(kube: &mut Kube<'_, '_>, pod: &Value) -> String {
    let given = text(kube, "container");
    if !given.is_empty() {
        return given;
    }
    let (seed, now) = (kube.shell.world.seed(), kube.shell.world.now().0);
    let key = format!("{}/{}@{now}", field::namespace(pod), field::name(pod));
    let taken = |name: &str| {
        let lists = ["containers", "initContainers", "ephemeralContainers"];
        let all = lists.iter().flat_map(|it| field::list(field::at(pod, "spec"), it));
        all.into_iter().any(|it| field::text(it, "name") == name)
    };
    let mut n = 0;
    let name = loop {
        let name = format!("debugger-{}", draw::suffix(seed, "debug-container", &key, n, 5));
        if !taken(&name) {
            break name;
        }
        n += 1;
    };
    say(kube, &format!("Defaulting debug container name to {name}."));
    name
}

/// Puts a container into a pod that runs.
fn inside(kube: &mut Kube<'_, '_>, profile: Profile, pod: &Value, command: &[String]) -> Done<Made> {
    let name = named(kube, pod);
    let mut made = container(kube, &name, command);
    if let Value::Object(fields) = &mut made {
        fields.remove("resources");
    }
    let target = text(kube, "target");
    if !target.is_empty() {
        made["targetContainerName"] = target.into();
    }
    let mut none = Value::Null;
    profile.apply(kube, Style::Inside, &mut none, &mut made);
    let at = (Kind::Pod, field::namespace(pod), field::name(pod));
    let patch = json!({"spec": {"ephemeralContainers": [made]}});
    kube.patch_part(at, "ephemeralcontainers", PatchKind::Strategic, patch, false)?;
    Ok((field::name(pod).to_owned(), name))
}

/// Makes a copy of a pod with one container more, or with others changed.
fn copy(kube: &mut Kube<'_, '_>, profile: Profile, pod: &Value, command: &[String]) -> Done<Made> {
    let (name, namespace) = (field::name(pod).to_owned(), field::namespace(pod).to_owned());
    let mut meta = json!({"name": text(kube, "copy-to"), "namespace": namespace});
    for part in ["annotations", "labels"] {
        let own = field::at(field::at(pod, "metadata"), part);
        if !own.is_null() {
            meta[part] = own.clone();
        }
    }
    let mut spec = field::at(pod, "spec").clone();
    if let Value::Object(fields) = &mut spec {
        fields.remove("ephemeralContainers");
        if !kube.given.on("same-node") {
            fields.remove("nodeName");
        }
    }
    if kube.given.has("share-processes") {
        spec["shareProcessNamespace"] = kube.given.on("share-processes").into();
    }
    let images = pairs(kube, "set-image");
    for own in spec["containers"].as_array_mut().into_iter().flatten() {
        let of = |name: &str| images.iter().rev().find(|(key, _)| key == name).map(|(_, image)| image);
        if let Some(image) = of(field::text(own, "name")).or_else(|| of("*")) {
            own["image"] = image.as_str().into();
        }
    }
    let mut copied = json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec});
    let wanted = text(kube, "container");
    let place =
        field::list(&copied, "spec.containers").iter().position(|it| field::text(it, "name") == wanted);
    let place = match place {
        Some(place) => Some(place),
        None if !text(kube, "image").is_empty() => {
            let name = named(kube, &copied);
            let made = json!({"name": name, "resources": {}, "terminationMessagePolicy": "File"});
            let all = copied["spec"]["containers"].as_array_mut();
            all.map(|all| {
                all.push(made);
                all.len() - 1
            })
        }
        None if !images.is_empty() => None,
        None => return Fail::error("you must specify image when creating new container"),
    };
    if let Some(place) = place {
        let mut made = copied["spec"]["containers"][place].take();
        dress(kube, &mut made, command);
        profile.apply(kube, Style::Copy, &mut copied, &mut made);
        copied["spec"]["containers"][place] = made;
    }
    let at = place.unwrap_or_default();
    let container = field::text(&copied["spec"]["containers"][at], "name").to_owned();
    kube.create(Kind::Pod, &namespace, copied, false)?;
    if kube.given.on("replace") {
        kube.remove((Kind::Pod, &namespace, &name), Some(0), Propagation::Background, false)?;
    }
    Ok((text(kube, "copy-to"), container))
}

/// Makes a pod that shares a node's namespaces and sees its disk at `/host`.
fn on_node(kube: &mut Kube<'_, '_>, profile: Profile, node: &Value, command: &[String]) -> Done<Made> {
    let given = text(kube, "container");
    let name = if given.is_empty() { "debugger".to_owned() } else { given };
    let node = field::name(node).to_owned();
    let (seed, now) = (kube.shell.world.seed(), kube.shell.world.now().0);
    let pod =
        format!("node-debugger-{node}-{}", draw::suffix(seed, "debug-node", &format!("{node}@{now}"), 0, 5));
    say(kube, &format!("Creating debugging pod {pod} with container {name} on node {node}."));
    let mut made = container(kube, &name, command);
    let mut object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod},
        "spec": {"nodeName": node, "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]}});
    profile.apply(kube, Style::Node, &mut object, &mut made);
    object["spec"]["containers"] = json!([made]);
    let namespace = kube.namespace()?;
    kube.create(Kind::Pod, &namespace, object, false)?;
    Ok((pod, name))
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    const POD: &str = "kind create cluster 2>/dev/null; kubectl run web --image=nginx >/dev/null; sleep 20; ";

    #[test]
    fn a_container_is_put_into_a_pod() {
        let out = stdout(&format!(
            "{POD}kubectl debug web --image=busybox --profile=general -c look; kubectl get pod web -o jsonpath='{{.spec.ephemeralContainers[*].name}} {{.spec.ephemeralContainers[0].securityContext.capabilities.add}}'"
        ));
        assert_eq!(out, "look [\"SYS_PTRACE\"]");
    }

    #[test]
    fn a_copy_has_no_labels_and_one_container_more() {
        let out = stdout(&format!(
            "{POD}kubectl debug web --image=busybox --profile=general --copy-to=web2 -c look --same-node; kubectl get pod web2 -o jsonpath='{{.metadata.labels}}{{.spec.containers[*].name}} {{.spec.shareProcessNamespace}}'"
        ));
        assert_eq!(out, "web look true");
    }

    #[test]
    fn flags_that_do_not_go_together_are_refused() {
        for (line, wanted) in [
            ("web", "error: you must specify --image when not using --copy-to.\n"),
            ("web --copy-to=a", "error: you must specify --image, --set-image or command arguments.\n"),
            ("web --image=x --replace", "error: --replace may only be used with --copy-to.\n"),
            ("--image=x", "error: NAME or filename is required for debug\n"),
            ("web --image=x --profile=foo", "error: unknown profile: foo\n"),
        ] {
            assert_eq!(sh(&format!("kubectl debug {line}")).1, wanted, "{line}");
        }
    }
}
