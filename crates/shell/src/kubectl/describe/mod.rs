//! `kubectl describe`.
//!
//! THE REGISTRY of describers is [`text`]. Source: kubectl `pkg/describe/describe.go` v0.32.

mod access;
mod batch;
mod container;
mod events;
mod generic;
mod ingress;
mod network;
mod node;
mod other;
mod pod;
mod policy;
mod scaling;
mod signing;
mod storage;
pub(super) mod template;
mod volume;
mod workload;
mod writer;

use api::Kind;
use serde_json::Value;

use crate::kubectl::{Done, Fail, Kube, client::Selection, field};

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
        let asks = kube.asks(&args)?;
        if !asks.slashed && asks.kinds > 1 && asks.asks.iter().any(|ask| ask.name.is_some()) {
            return Fail::error("you may only specify a single resource type");
        }
        for ask in asks.asks {
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
                    Err(fail) if fail.is_not_found() && args.len() == 2 => {
                        return beginning_with(kube, ask.kind, &name, fail);
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

/// UPSTREAM: a name that does not exist is tried as the beginning of one, unless it is written as `TYPE/NAME`.
fn beginning_with(kube: &mut Kube<'_, '_>, kind: Kind, name: &str, fail: Fail) -> Done {
    let namespace = kube.scope(kind)?;
    let near = kube.list(kind, &namespace, &Selection::default())?;
    let near: Vec<&Value> = near.iter().filter(|o| field::name(o).starts_with(name)).collect();
    for object in &near {
        let text = text(kube, kind, object)?;
        kube.out.line(&text);
    }
    if near.is_empty() { Err(fail) } else { Ok(()) }
}

const NOTHING: &str = "error: You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n";

/// What `describe` says of one object.
fn text(kube: &mut Kube<'_, '_>, kind: Kind, o: &Value) -> Done<String> {
    let now = kube.shell.world.stamp(kube.shell.world.now()).0;
    let show = kube.given.not_off("show-events");
    let events = if show { events::of(kube, kind, o) } else { Vec::new() };
    let events = if show { Some(events::section(&events, now)) } else { None };
    let events = events.as_deref();
    Ok(match kind {
        Kind::Pod => pod::pod(o, events, now),
        Kind::Node => node::node(kube, o, events, now)?,
        Kind::Deployment => workload::deployment(kube, o, events)?,
        Kind::ReplicaSet => workload::replica_set(kube, o, events)?,
        Kind::ReplicationController => workload::replication_controller(kube, o, events)?,
        Kind::DaemonSet => workload::daemon_set(kube, o, events)?,
        Kind::StatefulSet => workload::stateful_set(kube, o, events)?,
        Kind::Job => batch::job(o, events),
        Kind::CronJob => batch::cron_job(o, events),
        Kind::HorizontalPodAutoscaler => scaling::autoscaler(o, events),
        Kind::PodDisruptionBudget => other::disruption_budget(o, events),
        Kind::PriorityClass => other::priority_class(o, events),
        Kind::Service => network::service(kube, o, events)?,
        Kind::Endpoints => network::endpoints(o, events),
        Kind::EndpointSlice => network::slice(o, events),
        Kind::Ingress => ingress::ingress(kube, o, events),
        Kind::IngressClass => ingress::class(o, events),
        Kind::NetworkPolicy => policy::network_policy(o),
        Kind::Namespace => other::namespace(kube, o)?,
        Kind::LimitRange => other::limit_range(o),
        Kind::ResourceQuota => other::quota(o),
        Kind::ConfigMap => other::config_map(o, events),
        Kind::Secret => other::secret(o),
        Kind::PersistentVolume => storage::volume(o, events, now),
        Kind::PersistentVolumeClaim => storage::claim(kube, o, events, now)?,
        Kind::StorageClass => storage::storage_class(o, events),
        Kind::CSINode => storage::csi_node(o, events),
        Kind::VolumeAttributesClass => storage::attributes_class(o, events),
        Kind::CertificateSigningRequest => signing::request(o, events)?,
        Kind::Role | Kind::ClusterRole => access::role(o),
        Kind::RoleBinding | Kind::ClusterRoleBinding => access::binding(o),
        Kind::ServiceAccount => access::account(kube, o, events),
        Kind::AutoscalerV1 => scaling::autoscaler(&api::autoscaling::to_v2(o), events),
        // UPSTREAM: kubectl 1.32 asks for them once more, in a version that servers do not serve any more.
        Kind::IPAddress | Kind::ServiceCIDR => {
            let why = "Error from server (NotFound): the server could not find the requested resource";
            return Err(Fail::Plain(why.to_owned()));
        }
        _ => generic::object(o, events),
    })
}
