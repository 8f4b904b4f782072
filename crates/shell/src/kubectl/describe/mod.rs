//! `kubectl describe`.
//!
//! THE REGISTRY of describers is [`text`]. Source: kubectl `pkg/describe/describe.go` v0.32.

mod events;
mod generic;
mod network;
mod node;
mod other;
mod pod;
pub(super) mod template;
mod workload;
mod writer;

use api::Kind;
use serde_json::Value;

use crate::{
    flag::{Flag, switch, value},
    kubectl::{Done, Fail, Kube, field},
};

pub(super) const FLAGS: &[Flag] = &[
    value("filename", 'f'),
    value("selector", 'l'),
    value("chunk-size", '\0'),
    switch("all-namespaces", 'A'),
    switch("recursive", 'R'),
    switch("show-events", '\0'),
];

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let mut failed = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    let mut found: Vec<(Kind, Value)> = Vec::new();
    if kube.given.has("filename") {
        for manifest in kube.manifests()? {
            match manifest.and_then(|m| Ok((m.kind, kube.get(m.kind, &m.namespace, &m.name)?))) {
                Ok(it) => found.push(it),
                Err(fail) => failed.push(fail),
            }
        }
    } else {
        if args.is_empty() {
            return Err(Fail::Plain(NOTHING.to_owned()));
        }
        let selection = kube.selection();
        let mut listed = false;
        for ask in kube.asks(&args)?.asks {
            let namespace = kube.scope(ask.kind)?;
            match ask.name {
                None => {
                    listed = true;
                    match kube.list(ask.kind, &namespace, &selection) {
                        Ok(all) => found.extend(all.into_iter().map(|o| (ask.kind, o))),
                        Err(fail) => failed.push(fail),
                    }
                }
                Some(name) => match kube.get(ask.kind, &namespace, &name) {
                    Ok(object) => found.push((ask.kind, object)),
                    Err(fail) if fail.is_not_found() => {
                        // UPSTREAM: a name that does not exist is tried as the beginning of one.
                        let near = kube.list(ask.kind, &namespace, &selection).unwrap_or_default();
                        let before = found.len();
                        found.extend(
                            near.into_iter()
                                .filter(|o| field::name(o).starts_with(&name))
                                .map(|o| (ask.kind, o)),
                        );
                        if found.len() == before {
                            failed.push(fail);
                        }
                    }
                    Err(fail) => failed.push(fail),
                },
            }
        }
        if found.is_empty() && failed.is_empty() && listed {
            let namespace = kube.namespace()?;
            let every = kube.given.on("all-namespaces");
            kube.out.err(&if every {
                "No resources found".to_owned()
            } else {
                format!("No resources found in {namespace} namespace.")
            });
        }
    }
    for (kind, object) in &found {
        texts.push(text(kube, *kind, object)?);
    }
    kube.out.out(&texts.join("\n\n"));
    super::get::finish(kube, failed)
}

const NOTHING: &str = "error: You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n";

/// What `describe` says of one object.
fn text(kube: &mut Kube<'_, '_>, kind: Kind, o: &Value) -> Done<String> {
    let now = kube.shell.world.stamp(kube.shell.world.now()).0;
    let show = kube.given.not_off("show-events");
    let events = if show { events::of(kube, kind, o) } else { Vec::new() };
    let events = if show { Some(events::section(&events, now)) } else { None };
    Ok(match kind {
        Kind::Pod => pod::pod(o, events.as_deref(), now),
        Kind::Node => node::node(kube, o, events.as_deref(), now)?,
        Kind::Deployment => workload::deployment(kube, o, events.as_deref())?,
        Kind::ReplicaSet => workload::replica_set(kube, o, events.as_deref())?,
        Kind::DaemonSet => workload::daemon_set(kube, o, events.as_deref())?,
        Kind::StatefulSet => workload::stateful_set(kube, o, events.as_deref())?,
        Kind::Service => network::service(kube, o, events.as_deref())?,
        Kind::Endpoints => network::endpoints(o, events.as_deref()),
        Kind::Namespace => other::namespace(kube, o)?,
        Kind::ConfigMap => other::config_map(o, events.as_deref()),
        Kind::Secret => other::secret(o),
        Kind::RoleBinding | Kind::ClusterRoleBinding => other::role_binding(o),
        Kind::ResourceQuota => other::quota(o),
        Kind::PodDisruptionBudget => other::disruption_budget(o, events.as_deref()),
        Kind::ServiceAccount => other::account(o, events.as_deref()),
        _ => generic::object(o, events.as_deref()),
    })
}
