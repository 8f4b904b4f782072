//! `kubectl attach` and `kubectl cp`: what they refuse; and what `kubectl run -i` and `kubectl debug -i` see.
//!
//! MODEL: no container runs code, so that there is nothing to attach to and no file to copy. A container that was made for one
//! command says what `kubectl exec` would.
//! Source: kubectl v1.32 `pkg/cmd/attach/attach.go`, `pkg/cmd/cp/cp.go`, `pkg/cmd/run/run.go` (`handleAttachPod`).

use api::Kind;
use serde_json::Value;

use crate::{
    kubectl::{
        Done, Fail, Kube, exec,
        field::{at, name_of, text},
        pods,
    },
    output::Hint,
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let [word, rest @ ..] = args.as_slice() else {
        return Fail::error("at least 1 argument is required for attach");
    };
    let word = match rest {
        [] => word.clone(),
        [name] => format!("{word}/{name}"),
        _ => {
            return Fail::error(format!(
                "expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {}: [{}]",
                args.len(),
                args.join(" ")
            ));
        }
    };
    let (kind, object) = kube.meant(&word)?;
    let (pod, _) = kube.pod_of(kind, object, "attach to")?;
    let phase = text(&pod, "status.phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return Fail::error(format!(
            "cannot attach a container in a completed pod; current phase is {phase}"
        ));
    }
    match kube.given.value("container").map(str::to_owned) {
        Some(named) if !pods::containers(&pod).any(|(c, _)| name_of(c) == named) => {
            return Fail::error(format!(
                "cannot attach to the container: container {named} not found in pod {}",
                crate::kubectl::field::name(&pod)
            ));
        }
        Some(_) => {}
        None => drop(pods::default_container(kube, &pod, kube.given.on("quiet"))),
    }
    let place = (Kind::Pod, crate::kubectl::field::namespace(&pod), crate::kubectl::field::name(&pod));
    if let Err(fail) = kube.allowed("create", place, "attach") {
        kube.out.err("If you don't see a command prompt, try pressing enter.");
        return Err(fail);
    }
    if text(&pod, "spec.nodeName").is_empty() {
        kube.out.err("If you don't see a command prompt, try pressing enter.");
        return Err(Fail::Plain(format!(
            "Error from server (BadRequest): pod {} does not have a host assigned",
            crate::kubectl::field::name(&pod)
        )));
    }
    refuse(kube, "attach")
}

/// Waits until a new container runs, or has ended, and shows what its command says.
pub(super) fn follow(
    kube: &mut Kube<'_, '_>,
    (namespace, pod): (&str, &str),
    container: &str,
    command: &[String],
) -> Done {
    let begun = |pod: &Value| {
        let status = pods::status_of(pod, container);
        status.is_some_and(|it| {
            !at(it, "state.running").is_null()
                || !at(it, "state.terminated").is_null()
                || !at(it, "lastState.terminated").is_null()
        })
    };
    let limit = kube.given.value("pod-running-timeout").and_then(crate::text::sleep::seconds);
    let there = kube.wait(Some(limit.unwrap_or(pods::WAIT)), |kube| {
        Ok(kube.peek(Kind::Pod, namespace, pod).as_ref().is_none_or(begun))
    })?;
    if !there {
        return Fail::error("timed out waiting for the condition");
    }
    let object = kube.get(Kind::Pod, namespace, pod)?;
    kube.allowed("create", (Kind::Pod, namespace, pod), "attach")?;
    let runs = pods::status_of(&object, container).is_some_and(|it| !at(it, "state.running").is_null());
    if runs && !kube.given.on("quiet") {
        kube.out.err("If you don't see a command prompt, try pressing enter.");
    }
    if command.is_empty() {
        return refuse(kube, "attach");
    }
    exec::inside(kube, &object, container, command)
}

pub(super) fn copy(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let [from, to] = args.as_slice() else {
        return Fail::error("source and destination are required");
    };
    let remote = |text: &str| {
        let (place, _) = text.split_once(':')?;
        let (namespace, pod) = place.split_once('/').map_or((None, place), |(n, p)| (Some(n.to_owned()), p));
        Some((namespace, pod.to_owned()))
    };
    let (namespace, pod) = match (remote(from), remote(to)) {
        (Some(_), Some(_)) => {
            return Fail::error("one of src or dest must be a local file specification");
        }
        (Some(it), None) | (None, Some(it)) => it,
        (None, None) => {
            return Fail::error("one of src or dest must be a remote file specification");
        }
    };
    let remote_path = |text: &str| text.split_once(':').map(|(_, path)| path.to_owned());
    if remote_path(from).or(remote_path(to)).is_some_and(|path| path.is_empty()) {
        return Fail::error("filepath can not be empty");
    }
    if remote(from).is_none() {
        let machine = &kube.shell.machine;
        if machine.files.get(&machine.path(from)).is_none() {
            return Fail::error(format!("{from} doesn't exist in local filesystem"));
        }
    }
    let namespace = match namespace {
        Some(namespace) => namespace,
        None => kube.namespace()?,
    };
    kube.get(Kind::Pod, &namespace, &pod)?;
    kube.allowed("create", (Kind::Pod, &namespace, &pod), "exec")?;
    refuse(kube, "cp")
}

fn refuse(kube: &mut Kube<'_, '_>, verb: &str) -> Done {
    kube.out.err(&format!("lab: containers run no code here: kubectl {verb} has nothing to reach"));
    kube.out.hint(Hint::NotSimulated { what: format!("kubectl {verb}") });
    Err(Fail::Exit(1))
}
