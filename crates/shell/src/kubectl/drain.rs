//! `kubectl drain`: closes a node, evicts its pods, waits until they are gone.
//!
//! Source: kubectl `pkg/drain/{drain,filters}.go`, `pkg/cmd/drain/drain.go`; cases seq-drain, mut-drain-*.

use api::{Kind, SimDuration};
use cluster::Propagation;
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    client::Selection,
    cordon,
    field::{at, list, map, name, namespace, text},
};

/// Between two tries of an eviction that a budget forbids.
const RETRY: SimDuration = SimDuration::secs(5);

const UNMANAGED: &str = "cannot delete Pods that declare no controller (use --force to override)";
const LOCAL: &str = "Pods with local storage (use --delete-emptydir-data to override)";
const DAEMONS: &str = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)";

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let dry = DryRun::of(kube)?;
    if kube.given.value("pod-selector").is_some_and(|it| api::label::Selector::parse(it).is_err()) {
        return Fail::error("--pod-selector=<pod_selector> must be a valid label selector");
    }
    let nodes = cordon::nodes(kube)?;
    for node in &nodes {
        let line = cordon::mark(kube, node, true, dry)?;
        kube.out.line(&line);
    }
    let mut undone: Vec<(String, Vec<String>)> = Vec::new();
    for node in &nodes {
        match drain(kube, node, dry) {
            Ok(errors) if errors.is_empty() => kube.out.line(&format!("node/{node} drained{}", dry.suffix())),
            Ok(errors) => {
                let text = match errors.as_slice() {
                    [only] => only.clone(),
                    many => format!("[{}]", many.join(", ")),
                };
                kube.out.err(&format!(
                    "error: unable to drain node {node:?} due to error: {text}, continuing command..."
                ));
                undone.push((node.clone(), errors));
            }
            Err(other) => return Err(other),
        }
    }
    if !undone.is_empty() {
        kube.out.err("There are pending nodes to be drained:");
        for (node, _) in &undone {
            kube.out.err(&format!(" {node}"));
        }
        for text in undone.iter().flat_map(|(_, errors)| errors) {
            kube.out.err(text);
        }
        return Err(Fail::Exit(1));
    }
    Ok(())
}

struct Sorted {
    go: Vec<Value>,
    warnings: Vec<(&'static str, String)>,
    errors: Vec<(&'static str, String)>,
}

/// Drains one node; what stands against it.
fn drain(kube: &mut Kube<'_, '_>, node: &str, dry: DryRun) -> Done<Vec<String>> {
    let sorted = sort(kube, node)?;
    if !sorted.errors.is_empty() {
        let all = grouped(&sorted.errors);
        return Ok(all.iter().map(|(why, pods)| format!("cannot delete {why}: {pods}")).collect());
    }
    if !sorted.warnings.is_empty() {
        let text: Vec<String> =
            grouped(&sorted.warnings).iter().map(|(why, pods)| format!("{why}: {pods}")).collect();
        kube.out.err(&format!("Warning: {}", text.join("; ")));
    }
    let word = if kube.given.on("disable-eviction") { "deleting" } else { "evicting" };
    for pod in &sorted.go {
        kube.out.line(&format!("{word} pod {}/{}{}", namespace(pod), name(pod), dry.suffix()));
    }
    if dry != DryRun::No {
        return Ok(Vec::new());
    }
    match evict(kube, &sorted.go) {
        Ok(()) => Ok(Vec::new()),
        Err(Fail::Error(text)) => Ok(vec![text]),
        Err(other) => Err(other),
    }
}

fn sort(kube: &mut Kube<'_, '_>, node: &str) -> Done<Sorted> {
    let labels = kube.given.value("pod-selector").unwrap_or_default().to_owned();
    let selection = Selection { labels, fields: format!("spec.nodeName={node}") };
    let pods = kube.list(Kind::Pod, "", &selection)?;
    let mut sorted = Sorted { go: Vec::new(), warnings: Vec::new(), errors: Vec::new() };
    let force = kube.given.on("force");
    let empty = kube.given.on("delete-emptydir-data") || kube.given.on("delete-local-data");
    for pod in pods {
        let named = format!("{}/{}", namespace(&pod), name(&pod));
        let finished = matches!(text(&pod, "status.phase"), "Succeeded" | "Failed");
        let owner =
            list(&pod, "metadata.ownerReferences").iter().find(|o| at(o, "controller") == &Value::Bool(true));
        if map(&pod, "metadata.annotations").any(|(k, _)| k == "kubernetes.io/config.mirror") {
            continue;
        }
        let mut stays = None;
        if owner.is_some_and(|o| text(o, "kind") == "DaemonSet") && !finished {
            let owner_name = owner.map_or("", |o| text(o, "name")).to_owned();
            let there = kube.get(Kind::DaemonSet, namespace(&pod), &owner_name).is_ok();
            if there {
                if kube.given.on("ignore-daemonsets") {
                    sorted.warnings.push(("ignoring DaemonSet-managed Pods", named));
                } else {
                    sorted.errors.push((DAEMONS, named));
                }
                continue;
            }
            stays = Some(UNMANAGED);
        }
        if !finished && list(&pod, "spec.volumes").iter().any(|v| v.get("emptyDir").is_some()) {
            if empty {
                // Said by a warning of its own only together with other reasons: nothing here.
            } else {
                sorted.errors.push((LOCAL, named.clone()));
                continue;
            }
        }
        if owner.is_none() && !finished {
            stays = Some(UNMANAGED);
        }
        match stays {
            Some(why) if !force => {
                sorted.errors.push((why, named));
                continue;
            }
            Some(_) => sorted.warnings.push(("deleting Pods that declare no controller", named)),
            None => {}
        }
        sorted.go.push(pod);
    }
    Ok(sorted)
}

/// Pods by reason, reasons in order.
fn grouped(all: &[(&'static str, String)]) -> Vec<(&'static str, String)> {
    let mut reasons: Vec<&'static str> = all.iter().map(|(why, _)| *why).collect();
    // UPSTREAM: a Go map, in no order; pods without a controller come first here, as recorded.
    reasons.sort_by_key(|why| (!why.starts_with("cannot") && !why.starts_with("deleting"), *why));
    reasons.dedup();
    let pods = |why: &str| {
        all.iter().filter(|(w, _)| *w == why).map(|(_, p)| p.as_str()).collect::<Vec<_>>().join(", ")
    };
    reasons.into_iter().map(|why| (why, pods(why))).collect()
}

fn evict(kube: &mut Kube<'_, '_>, pods: &[Value]) -> Done {
    let grace = kube.given.int("grace-period").filter(|g| *g >= 0).and_then(|g| u64::try_from(g).ok());
    let limit =
        kube.given.value("timeout").and_then(crate::text::sleep::seconds).filter(|t| *t > SimDuration::ZERO);
    let deadline = limit.map(|l| kube.shell.world.now() + l);
    let mut waiting: Vec<Value> = pods.to_vec();
    let mut going: Vec<Value> = Vec::new();
    loop {
        let mut again = Vec::new();
        for pod in waiting {
            match ask(kube, &pod, grace) {
                Ok(()) => going.push(pod),
                Err(Fail::Server(status)) if status.reason == "NotFound" => {
                    kube.out.line(&format!("pod/{} evicted", name(&pod)));
                }
                Err(Fail::Server(status)) if status.reason == "TooManyRequests" => {
                    kube.out.err(&format!(
                        "error when evicting pods/{:?} -n {:?} (will retry after 5s): {}",
                        name(&pod),
                        namespace(&pod),
                        status.message
                    ));
                    again.push(pod);
                }
                Err(Fail::Server(status)) => {
                    return Fail::error(format!(
                        "error when evicting pods/{:?} -n {:?}: {}",
                        name(&pod),
                        namespace(&pod),
                        status.message
                    ));
                }
                Err(other) => return Err(other),
            }
        }
        let left = deadline.map(|d| d.since(kube.shell.world.now()));
        let pause = match (again.is_empty(), left) {
            (true, left) => left,
            (false, Some(left)) => Some(left.min(RETRY)),
            (false, None) => Some(RETRY),
        };
        let there = kube.shell.world.now();
        let finished = kube.wait(pause, |kube| {
            let mut still = Vec::new();
            for pod in std::mem::take(&mut going) {
                let now = kube.peek(Kind::Pod, namespace(&pod), name(&pod));
                if now.is_some_and(|n| at(&n, "metadata.uid") == at(&pod, "metadata.uid")) {
                    still.push(pod);
                } else {
                    kube.out.line(&format!("pod/{} evicted", name(&pod)));
                }
            }
            going = still;
            Ok(going.is_empty() && again.is_empty())
        })?;
        if finished {
            return Ok(());
        }
        let timed_out =
            deadline.is_some_and(|d| kube.shell.world.now() >= d) || kube.shell.world.now() == there;
        if timed_out {
            let mut texts: Vec<String> = Vec::new();
            for pod in again.iter().chain(&going) {
                texts.push(format!(
                    "error when waiting for pod {:?} in namespace {:?} to terminate: global timeout reached: {}",
                    name(pod),
                    namespace(pod),
                    kube.given.value("timeout").unwrap_or("0s")
                ));
            }
            return Fail::error(match texts.as_slice() {
                [only] => only.clone(),
                many => format!("[{}]", many.join(", ")),
            });
        }
        waiting = again;
    }
}

fn ask(kube: &mut Kube<'_, '_>, pod: &Value, grace: Option<u64>) -> Done {
    let at = (Kind::Pod, namespace(pod), name(pod));
    if kube.given.on("disable-eviction") {
        return kube.remove(at, grace, Propagation::Background, false);
    }
    let mut body = json!({"apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": name(pod), "namespace": namespace(pod)}});
    if let Some(grace) = grace {
        body["deleteOptions"] = json!({"gracePeriodSeconds": grace});
    }
    kube.post(at, "eviction", body)
}
