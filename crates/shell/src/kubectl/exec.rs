//! `kubectl exec`.
//!
//! MODEL: no container runs code. What a command would say is known only where the pod itself says it: its name, its environment without
//! what its image sets, the files that its kubelet wrote for it.
//! Source of the refusals: kubectl `pkg/cmd/exec`.

use api::k8s::core::v1::{Container, Pod};
use cluster::node::kubelet::{env, inside};
use serde_json::Value;

use crate::{
    kubectl::{
        Done, Fail, Kube,
        field::{at, name, name_of, text},
        pods,
    },
    output::Hint,
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let dash = kube.given.dash;
    let word = args.first().filter(|_| dash != Some(0)).cloned();
    if dash.is_none() && args.len() > 1 {
        return Fail::error(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\nSee 'kubectl exec -h' for help and examples",
        );
    }
    let command: Vec<String> = dash.map_or(Vec::new(), |dash| args[dash..].to_vec());
    let Some(word) = word else {
        return Fail::error("pod, type/name or --filename must be specified");
    };
    if command.is_empty() {
        return Fail::error("you must specify at least one command for the container");
    }
    let (kind, object) = kube.meant(&word)?;
    let (pod, _) = kube.pod_of(kind, object, "attach to")?;
    let phase = text(&pod, "status.phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return Fail::error(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        ));
    }
    let container = match kube.given.value("container").map(str::to_owned) {
        Some(named) if pods::containers(&pod).any(|(c, _)| name_of(c) == named) => named,
        Some(named) => {
            // kubectl passes the name on; the server refuses it.
            let mut status =
                api::ApiStatus::forbidden(format!("container {named} is not valid for pod {}", name(&pod)));
            (status.code, status.reason) = (400, "BadRequest".to_owned());
            return Err(Fail::Server(status));
        }
        None => pods::default_container(kube, &pod, kube.given.on("quiet")),
    };
    kube.may_create(name(&pod), "exec")?;
    if text(&pod, "spec.nodeName").is_empty() {
        let mut status =
            api::ApiStatus::forbidden(format!("pod {} does not have a host assigned", name(&pod)));
        (status.code, status.reason) = (400, "BadRequest".to_owned());
        return Err(Fail::Server(status));
    }
    let running = pods::status_of(&pod, &container).is_some_and(|s| !at(s, "state.running").is_null());
    if !running {
        return Fail::error(format!(
            "Internal error occurred: unable to upgrade connection: container not found (\"{container}\")"
        ));
    }
    inside(kube, &pod, &container, &command)
}

/// The variable that a command prints and nothing else: `printenv NAME`, `sh -c 'echo $NAME'`.
fn echoed<'w>(program: &str, argument: &'w str) -> Option<&'w str> {
    let name = match program {
        "printenv" => argument,
        _ => argument.strip_prefix("echo ")?.trim_matches('"').strip_prefix('$')?,
    };
    let name = name.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_');
    is_name.then_some(name)
}

/// The environment that the kubelet gave a container.
pub(super) fn variables(kube: &mut Kube<'_, '_>, pod: &Value, own: &Value) -> Done<env::Variables> {
    let cluster = kube.target()?.cluster;
    let pod: Option<Pod> = serde_json::from_value(pod.clone()).ok();
    let own: Option<Container> = serde_json::from_value(own.clone()).ok();
    let (Some(pod), Some(own)) = (pod, own) else { return Ok(env::Variables::new()) };
    // What has gone since the container was started is not asked for again.
    Ok(env::of_running(kube.shell.world.store(), cluster, &pod, &own))
}

/// What a command finds in what the kubelet put into a container.
fn found(kube: &mut Kube<'_, '_>, pod: &Value, own: &Value, words: &[&str]) -> Done<Option<inside::Said>> {
    let cluster = kube.target()?.cluster;
    let pod: Option<Pod> = serde_json::from_value(pod.clone()).ok();
    let own: Option<Container> = serde_json::from_value(own.clone()).ok();
    let (Some(pod), Some(own)) = (pod, own) else { return Ok(None) };
    Ok(inside::says(kube.shell.world.store(), cluster, &pod, &own, words))
}

/// What a command says inside of a container.
pub(super) fn inside(kube: &mut Kube<'_, '_>, pod: &Value, container: &str, command: &[String]) -> Done {
    let own = pods::containers(pod).find(|(c, _)| name_of(c) == container).map(|(c, _)| c);
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["hostname"] => kube.out.line(name(pod)),
        ["true"] => {}
        ["false"] => {
            kube.out.err("command terminated with exit code 1");
            return Err(Fail::Exit(1));
        }
        ["echo", rest @ ..] => kube.out.line(&rest.join(" ")),
        ["env" | "printenv"] => {
            kube.out.line("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
            kube.out.line(&format!("HOSTNAME={}", name(pod)));
            for (variable, value) in own.map(|own| variables(kube, pod, own)).transpose()?.unwrap_or_default()
            {
                kube.out.line(&format!("{variable}={value}"));
            }
            kube.out.line("HOME=/root");
        }
        ["printenv", wanted] | ["sh" | "bash" | "/bin/sh" | "/bin/bash", "-c", wanted]
            if echoed(words[0], wanted).is_some() =>
        {
            let all = own.map(|own| variables(kube, pod, own)).transpose()?.unwrap_or_default();
            let wanted = echoed(words[0], wanted).unwrap_or_default();
            match all.iter().find(|(known, _)| known == wanted) {
                Some((_, value)) => kube.out.line(value),
                None if words[0] == "printenv" => {
                    kube.out.err("command terminated with exit code 1");
                    return Err(Fail::Exit(1));
                }
                None => kube.out.line(""),
            }
        }
        _ => {
            if let Some(said) = own.map(|own| found(kube, pod, own, &words)).transpose()?.flatten() {
                kube.out.out(&said.out);
                for line in said.err.lines() {
                    kube.out.err(line);
                }
                if said.code == 0 {
                    return Ok(());
                }
                kube.out.err(&format!("command terminated with exit code {}", said.code));
                return Err(Fail::Exit(said.code));
            }
            let what = format!("kubectl exec -- {}", command.join(" "));
            kube.out.err(&format!("lab: containers run no code here: {} says nothing", command[0]));
            kube.out.hint(Hint::NotSimulated { what });
            return Err(Fail::Exit(1));
        }
    }
    Ok(())
}
