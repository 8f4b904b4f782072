//! `eksctl drain nodegroup`, `eksctl delete nodegroup`: nodes are closed and emptied, then the group's stack goes.
//!
//! Source: eksctl `pkg/ctl/{drain,delete}/nodegroup.go`, `pkg/actions/nodegroup/{drain,delete}.go`, `pkg/drain`.

use ::cluster::{
    ApiRequest, ApiVerb, ClusterId, PatchKind, Principal, Propagation, Refusal, Request, World,
    provision::Provision,
};
use api::{
    Kind, SimDuration, SimTime,
    k8s::core::v1::{Node, Pod},
    kinds::eksctl::ClusterConfig,
};
use serde_json::{Value, json};

use super::{
    ask, cluster_name, config, done, exists,
    get::no_group,
    included, log, named,
    nodegroup::{LONGEST, groups, is_of, name},
    patience,
    tasks::Task,
    warn,
};
use crate::{flag::Given, kubectl::known, tool::Call};

/// A pod that could not be evicted is tried again after so long. Source: `--pod-eviction-wait-period`.
const AGAIN: SimDuration = SimDuration::secs(10);

/// The groups that a command is about: that of a name, or those of the config file.
fn meant(
    call: &mut Call<'_, '_>,
    given: &Given,
    word: Option<&str>,
) -> Result<(String, Vec<String>, bool), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    exists(call.shell.world, &cluster)?;
    let Some(config) = config else {
        let Some(wanted) = named(given, word)?.map(str::to_owned) else {
            return Err("Error: --name must be set".to_owned());
        };
        if groups(call.shell.world, &cluster).iter().all(|it| name(it) != wanted) {
            return Err(no_group(&wanted));
        }
        return Ok((cluster, vec![wanted], true));
    };
    let file = given.value("config-file").unwrap_or_default();
    let own = config.node_groups.len();
    log(
        call,
        &format!("comparing {own} nodegroups defined in the given config ({file:?}) against remote state"),
    );
    let names = of_file(call.shell.world, &cluster, &config, given.on("only-missing"));
    Ok((cluster, names, given.on("approve")))
}

/// The groups of a file that are there; or those that are there and not in the file.
fn of_file(world: &World, cluster: &str, config: &ClusterConfig, only_missing: bool) -> Vec<String> {
    let there: Vec<String> = groups(world, cluster).iter().map(|it| name(it).to_owned()).collect();
    let listed = |wanted: &String| {
        config.node_groups.iter().chain(&config.managed_node_groups).any(|it| it.name == *wanted)
    };
    there.into_iter().filter(|it| listed(it) != only_missing).collect()
}

/// What is intended, or would be if the changes were approved.
fn intended(call: &mut Call<'_, '_>, approved: bool, text: &str) {
    let prefix = if approved { "will" } else { "(plan) would" };
    log(call, &format!("{prefix} {text}"));
}

fn completed(call: &mut Call<'_, '_>, approved: bool, count: usize, text: &str) {
    let prefix = if approved { "" } else { "(plan) would have " };
    done(call, &format!("{prefix}{text}"));
    if !approved && count > 0 {
        warn(call, "no changes were applied, run again with '--approve' to apply the changes");
    }
}

pub(super) fn drain(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, names, approved) = meant(call, given, word)?;
    included(call, &names);
    let verb = if given.on("undo") { "undo drain" } else { "drain" };
    intended(call, approved, &format!("{verb} {} nodegroup(s) in cluster {cluster:?}", names.len()));
    empty(call, given, &cluster, &names, approved)?;
    if !approved && !names.is_empty() {
        warn(call, "no changes were applied, run again with '--approve' to apply the changes");
    }
    Ok(())
}

pub(super) fn delete(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, names, approved) = meant(call, given, word)?;
    let (count, waits) = (names.len(), given.on("wait"));
    included(call, &names);
    if given.not_off("drain") {
        intended(call, approved, &format!("drain {count} nodegroup(s) in cluster {cluster:?}"));
        if let Err(error) = empty(call, given, &cluster, &names, approved) {
            warn(call, "error occurred during drain, to skip drain use '--drain=false' flag");
            return Err(error);
        }
    }
    intended(call, approved, &format!("delete {count} nodegroups from cluster {cluster:?}"));
    let suffix = if waits { "" } else { " [async]" };
    let tasks = names.iter().map(|it| Task::One(format!("delete nodegroup {it:?}{suffix}")));
    let tree = Task::parallel(vec![Task::parallel(tasks.collect())]).describe();
    log(call, &if approved { tree } else { format!("(plan) {tree}") });
    for group in names.iter().filter(|_| approved) {
        ask(call, Provision::DeleteNodegroup { cluster: cluster.clone(), name: group.clone() })?;
        let stack = format!("eksctl-{cluster}-nodegroup-{group}");
        log(call, &format!("will delete stack {stack:?}"));
        if waits {
            log(call, &format!("waiting for stack {stack:?} to get deleted"));
        }
    }
    if waits && approved {
        call.shell.wait_until(patience(given, LONGEST), call.out, |world| {
            groups(world, &cluster).iter().all(|it| names.iter().all(|wanted| wanted != name(it)))
        });
    }
    completed(call, approved, count, &format!("deleted {count} nodegroup(s) from cluster {cluster:?}"));
    Ok(())
}

/// Closes and empties the nodes of groups, or opens them again.
/// # Errors
/// When the time is over, in eksctl's words.
pub(super) fn empty(
    call: &mut Call<'_, '_>,
    given: &Given,
    cluster: &str,
    names: &[String],
    approved: bool,
) -> Result<(), String> {
    let parallel = given.int("parallel").unwrap_or(1);
    log(call, &format!("starting parallel draining, max in-flight of {parallel}"));
    let Some(id) = known::plane(call.shell.world, cluster).map(|it| ClusterId(it.id)) else { return Ok(()) };
    let again =
        given.value("pod-eviction-wait-period").and_then(crate::text::sleep::seconds).unwrap_or(AGAIN);
    let until = call.shell.world.now() + patience(given, LONGEST);
    for group in names.iter().filter(|_| approved) {
        let drain = Drain {
            cluster: id,
            group,
            undo: given.on("undo"),
            delete: given.on("disable-eviction"),
            again,
            until,
        };
        drain.run(call)?;
    }
    Ok(())
}

/// The draining of one group.
struct Drain<'g> {
    cluster: ClusterId,
    group: &'g str,
    /// Nodes are opened again instead.
    undo: bool,
    /// Pods are deleted past their budgets.
    delete: bool,
    again: SimDuration,
    until: SimTime,
}

impl Drain<'_> {
    fn nodes(&self, world: &World) -> Vec<(String, bool)> {
        let all = world.store().list::<Node>(self.cluster, None).filter(|node| is_of(node, self.group));
        all.filter_map(|node| {
            let closed = node.spec.as_ref().and_then(|it| it.unschedulable) == Some(true);
            Some((node.metadata.name.clone()?, closed))
        })
        .collect()
    }

    fn run(&self, call: &mut Call<'_, '_>) -> Result<(), String> {
        let nodes = self.nodes(call.shell.world);
        if nodes.is_empty() {
            let selector = format!("alpha.eksctl.io/nodegroup-name={}", self.group);
            warn(
                call,
                &format!("no nodes found in nodegroup {:?} (label selector: {selector:?})", self.group),
            );
            return Ok(());
        }
        let mut drained: Vec<String> = Vec::new();
        // Nodes that come meanwhile are drained, too.
        loop {
            self.close(call);
            if self.undo {
                return Ok(());
            }
            let left = self.nodes(call.shell.world).into_iter().map(|(node, _)| node);
            let left: Vec<String> = left.filter(|it| !drained.contains(it)).collect();
            if left.is_empty() {
                done(call, &format!("drained all nodes: [{}]", drained.join(" ")));
                return Ok(());
            }
            for node in left {
                self.empty(call, &node)?;
                drained.push(node);
            }
        }
    }

    /// Closes every node of the group, or opens it.
    fn close(&self, call: &mut Call<'_, '_>) {
        let word = if self.undo { "uncordon" } else { "cordon" };
        for (node, closed) in self.nodes(call.shell.world) {
            if closed != self.undo {
                continue;
            }
            let wanted = if self.undo { Value::Null } else { json!(true) };
            let patch = ApiVerb::Patch(PatchKind::Strategic, json!({"spec": {"unschedulable": wanted}}));
            let request = ApiRequest::new(self.cluster, patch, Kind::Node, "", &node);
            match call.shell.world.request(&Principal::admin(), Request::Api(request)) {
                Ok(_) => log(call, &format!("{word} node {node:?}")),
                Err(error) => super::critical(call, &error.to_string()),
            }
        }
    }

    /// Evicts the pods of a node until there are none left but those of DaemonSets.
    fn empty(&self, call: &mut Call<'_, '_>, node: &str) -> Result<(), String> {
        let mut reported = call.shell.world.now();
        loop {
            let pods = self.pods(call.shell.world, node);
            if pods.is_empty() {
                return Ok(());
            }
            let now = call.shell.world.now();
            if now >= self.until {
                return Err(format!(
                    "Error: draining nodegroups: timed out waiting for node {node:?} to be drained"
                ));
            }
            if now.since(reported) > SimDuration::secs(60) {
                warn(call, &format!("{} pods are unevictable from node {node}", pods.len()));
                reported = now;
            }
            let mut refused = false;
            for (namespace, pod) in &pods {
                refused |= self.evict(call, namespace, pod)?;
            }
            // UPSTREAM: eksctl asks again and again for pods that are going; here it waits until one has gone.
            let pause = if refused { self.again } else { self.until.since(now) };
            let count = pods.len();
            call.shell.wait_until(pause, call.out, |world| !refused && self.pods(world, node).len() < count);
        }
    }

    /// Asks for the end of a pod; whether it was refused for now.
    fn evict(&self, call: &mut Call<'_, '_>, namespace: &str, pod: &str) -> Result<bool, String> {
        let request = if self.delete {
            let delete = ApiVerb::Delete { grace: None, propagation: Propagation::Background };
            ApiRequest::new(self.cluster, delete, Kind::Pod, namespace, pod)
        } else {
            let eviction = json!({"metadata": {"name": pod, "namespace": namespace}});
            ApiRequest::new(self.cluster, ApiVerb::Create(eviction), Kind::Pod, namespace, pod).of("eviction")
        };
        match call.shell.world.request(&Principal::admin(), Request::Api(request)) {
            Ok(_) => Ok(false),
            Err(Refusal::Api(status)) if matches!(status.reason.as_str(), "TooManyRequests" | "NotFound") => {
                Ok(true)
            }
            Err(error) => Err(format!(
                "Error: draining nodegroups: unrecoverable error evicting pod: {namespace}/{pod}: {error}"
            )),
        }
    }

    /// The pods of a node that have to go. Source: eksctl `pkg/drain/evictor/filter.go`.
    fn pods(&self, world: &World, node: &str) -> Vec<(String, String)> {
        let all = world.store().list::<Pod>(self.cluster, None);
        let on = |pod: &&Pod| pod.spec.as_ref().and_then(|it| it.node_name.as_deref()) == Some(node);
        let stays = |pod: &Pod| {
            let owners = pod.metadata.owner_references.iter().flatten();
            let notes = pod.metadata.annotations.as_ref();
            let mirror = notes.is_some_and(|it| it.contains_key("kubernetes.io/config.mirror"));
            mirror || owners.into_iter().any(|it| it.kind == "DaemonSet" && it.controller == Some(true))
        };
        all.filter(on)
            .filter(|pod| !stays(pod))
            .filter_map(|pod| Some((pod.metadata.namespace.clone()?, pod.metadata.name.clone()?)))
            .collect()
    }
}
