//! `kubectl drain`: closes a node, evicts its pods, waits until they are gone.
//!
//! Source: kubectl `pkg/drain/{drain,filters}.go`, `pkg/cmd/drain/drain.go`; cases seq-drain, mut-drain-*.

use api::{Kind, SimDuration, SimTime};
use cluster::Propagation;
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    client::{LONGEST, Selection},
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
                let text = summed(&errors);
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
    if dry != DryRun::No {
        for pod in &sorted.go {
            kube.out.line(&format!("evicting pod {}/{}{}", namespace(pod), name(pod), dry.suffix()));
        }
        return Ok(Vec::new());
    }
    let errors = match kube.given.on("disable-eviction") {
        true => delete(kube, &sorted.go),
        false => evict(kube, &sorted.go),
    }?;
    if !errors.is_empty() {
        let left = sort(kube, node)?.go;
        if !left.is_empty() {
            kube.out.err(&format!(
                "There are pending pods in node {node:?} when an error occurred: {}",
                summed(&errors)
            ));
            left.iter().for_each(|pod| kube.out.err(&format!("pod/{}", name(pod))));
        }
    }
    Ok(errors)
}

/// Several errors as one.
fn summed(errors: &[String]) -> String {
    match errors {
        [only] => only.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

fn sort(kube: &mut Kube<'_, '_>, node: &str) -> Done<Sorted> {
    let labels = kube.given.value("pod-selector").unwrap_or_default().to_owned();
    let selection = Selection { labels, fields: format!("spec.nodeName={node}") };
    let pods = kube.list(Kind::Pod, "", &selection)?;
    let mut sorted = Sorted { go: Vec::new(), warnings: Vec::new(), errors: Vec::new() };
    let force = kube.given.on("force");
    let empty = kube.given.on("delete-emptydir-data");
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

/// How far one pod's eviction is.
enum Progress {
    /// To be asked for at a moment.
    Due(SimTime),
    /// Granted: the pod is going.
    Going,
    Ended,
}

struct Limits {
    grace: Option<u64>,
    timeout: String,
    deadline: Option<SimTime>,
}

fn limits(kube: &Kube<'_, '_>) -> Limits {
    let limit =
        kube.given.value("timeout").and_then(crate::text::sleep::seconds).filter(|t| *t > SimDuration::ZERO);
    Limits {
        grace: kube.given.int("grace-period").and_then(|grace| u64::try_from(grace).ok()),
        timeout: kube.given.value("timeout").unwrap_or("0s").to_owned(),
        deadline: limit.map(|limit| kube.shell.world.now() + limit),
    }
}

/// Whether a pod is no longer there, or another one under its name.
fn is_gone(kube: &mut Kube<'_, '_>, pod: &Value) -> bool {
    let now = kube.peek(Kind::Pod, namespace(pod), name(pod));
    now.is_none_or(|now| at(&now, "metadata.uid") != at(pod, "metadata.uid"))
}

/// Evicts each pod by itself; what went wrong with some keeps none of the others.
fn evict(kube: &mut Kube<'_, '_>, pods: &[Value]) -> Done<Vec<String>> {
    let limits = limits(kube);
    let gives_up = kube.shell.world.now() + LONGEST;
    let mut all: Vec<(&Value, Progress)> =
        pods.iter().map(|pod| (pod, Progress::Due(kube.shell.world.now()))).collect();
    let mut errors = Vec::new();
    loop {
        let now = kube.shell.world.now();
        let late = limits.deadline.is_some_and(|deadline| now >= deadline);
        if limits.deadline.is_none() && now >= gives_up {
            return Err(Fail::Exit(130));
        }
        for (pod, _) in all.iter().filter(|(_, it)| matches!(it, Progress::Due(when) if *when <= now)) {
            kube.out.line(&format!("evicting pod {}/{}", namespace(pod), name(pod)));
        }
        for (pod, progress) in &mut all {
            let place = format!("pods/{:?} -n {:?}", name(pod), namespace(pod));
            match progress {
                Progress::Due(when) if *when <= now && late => {
                    let timeout = &limits.timeout;
                    errors.push(format!("error when evicting {place}: global timeout reached: {timeout}"));
                    *progress = Progress::Ended;
                }
                Progress::Due(when) if *when <= now => {
                    *progress = match ask(kube, pod, limits.grace) {
                        Ok(()) => Progress::Going,
                        Err(fail) if fail.is_not_found() => Progress::Ended,
                        Err(Fail::Server(status)) if status.reason == "TooManyRequests" => {
                            kube.out.err(&format!(
                                "error when evicting {place} (will retry after 5s): {}",
                                status.message
                            ));
                            Progress::Due(now + RETRY)
                        }
                        Err(Fail::Server(status)) => {
                            errors.push(format!("error when evicting {place}: {}", status.message));
                            Progress::Ended
                        }
                        Err(other) => return Err(other),
                    };
                }
                Progress::Going if late => {
                    errors.push(format!(
                        "error when waiting for pod {:?} in namespace {:?} to terminate: global timeout reached: {}",
                        name(pod),
                        namespace(pod),
                        limits.timeout
                    ));
                    *progress = Progress::Ended;
                }
                Progress::Due(_) | Progress::Going | Progress::Ended => {}
            }
        }
        // Until the next try, or until the time is over for those that are going.
        let going = all.iter().any(|(_, it)| matches!(it, Progress::Going));
        let due = all.iter().filter_map(|(_, it)| match it {
            Progress::Due(when) => Some(*when),
            Progress::Going | Progress::Ended => None,
        });
        let next = due.chain(limits.deadline.filter(|_| going)).min();
        if next.is_none() && !going {
            return Ok(errors);
        }
        let pause = next.map(|next| next.since(kube.shell.world.now()));
        kube.wait(pause, |kube| {
            for (pod, progress) in &mut all {
                if matches!(progress, Progress::Going) && is_gone(kube, pod) {
                    kube.out.line(&format!("pod/{} evicted", name(pod)));
                    *progress = Progress::Ended;
                }
            }
            Ok(all.iter().all(|(_, it)| matches!(it, Progress::Ended)))
        })?;
    }
}

/// Deletes the pods past their budgets and waits until all are gone.
fn delete(kube: &mut Kube<'_, '_>, pods: &[Value]) -> Done<Vec<String>> {
    let limits = limits(kube);
    for pod in pods {
        let place = (Kind::Pod, namespace(pod), name(pod));
        match kube.remove(place, limits.grace, Propagation::Background, false) {
            Ok(()) => {}
            Err(fail) if fail.is_not_found() => {}
            Err(Fail::Server(status)) => return Ok(vec![status.message]),
            Err(other) => return Err(other),
        }
    }
    let pause = limits.deadline.map(|deadline| deadline.since(kube.shell.world.now()));
    let mut left: Vec<&Value> = pods.iter().collect();
    let finished = kube.wait(pause, |kube| {
        left.retain(|pod| {
            let gone = is_gone(kube, pod);
            if gone {
                kube.out.line(&format!("pod/{} deleted", name(pod)));
            }
            !gone
        });
        Ok(left.is_empty())
    })?;
    if finished {
        return Ok(Vec::new());
    }
    Ok(vec![format!("global timeout reached: {}", limits.timeout)])
}

fn ask(kube: &mut Kube<'_, '_>, pod: &Value, grace: Option<u64>) -> Done {
    let at = (Kind::Pod, namespace(pod), name(pod));
    let mut body = json!({"apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": name(pod), "namespace": namespace(pod)}});
    if let Some(grace) = grace {
        body["deleteOptions"] = json!({"gracePeriodSeconds": grace});
    }
    kube.post(at, "eviction", body)
}

#[cfg(test)]
mod tests {
    use cluster::World;

    use crate::{Machine, Output, run};

    #[test]
    fn a_budget_that_never_allows_is_not_waited_for_without_end() {
        let (mut machine, mut world, mut out) = (Machine::default(), World::empty(1), Output::default());
        let mut exit = 0;
        for line in [
            "kind create cluster --name a",
            "kubectl run one --image=registry.k8s.io/pause:3.10 --labels=app=one",
            "kubectl wait --for=condition=Ready pod/one",
            "kubectl create poddisruptionbudget one --selector=app=one --min-available=1",
            "kubectl drain a-control-plane --ignore-daemonsets --delete-emptydir-data --force --pod-selector=app=one",
        ] {
            exit = run(line, &mut machine, &mut world, &mut out);
        }
        let tries = out.stderr().matches("will retry after 5s").count();
        assert_eq!((exit, tries), (130, 720), "{}", out.stdout());
    }
}
