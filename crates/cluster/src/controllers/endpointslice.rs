//! Which pods stand behind a Service?
//!
//! Slices of up to 100 endpoints for every set of ports; an endpoint stays in its slice while it is there. Without
//! pods one empty slice remains. Source: `staging/src/k8s.io/endpointslice/{reconciler,utils}.go`.

use std::collections::BTreeMap;

use api::{
    ApiStatus, Kind, Resource,
    k8s::{
        core::v1::{Node, ObjectReference, Pod, Service, ServicePort},
        discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice},
    },
    label::Selector,
    meta::ObjectMeta,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{is_ready, managed_by, phase};
use crate::{Change, Controller, Key, Next, Store, Turn};

/// Most endpoints of one slice.
const MAX_ENDPOINTS: usize = 100;
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(super) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const CONTROLLER: &str = "endpointslice-controller.k8s.io";
/// Marks slices and Endpoints of a Service without an address.
pub(super) const HEADLESS: &str = "service.kubernetes.io/headless";

/// The controller.
pub(crate) struct EndpointSliceController;

impl Controller for EndpointSliceController {
    fn name(&self) -> &'static str {
        "endpoint-slice-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        services_of(change, store, wake);
        if change.key.kind == Kind::EndpointSlice {
            for slice in [&change.before, &change.after].into_iter().flatten() {
                if let Some(name) = slice.meta().labels.as_ref().and_then(|labels| labels.get(SERVICE_NAME)) {
                    wake(Key::new(change.key.cluster, Kind::Service, &change.key.namespace, name));
                }
            }
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(service) = turn.get::<Service>(&key.namespace, &key.name).cloned() else {
            return Ok(Next::Done);
        };
        let Some(selector) = selector(&service).filter(|_| service.metadata.deletion_timestamp.is_none())
        else {
            return Ok(Next::Done);
        };
        let mut wanted: BTreeMap<String, (Vec<EndpointPort>, Vec<Endpoint>)> = BTreeMap::new();
        for pod in turn.list::<Pod>(Some(&key.namespace)).filter(|pod| selector.matches(labels(pod))) {
            let Some(endpoint) = endpoint(turn, &service, pod) else { continue };
            let ports = ports(&service, pod);
            let group = serde_json::to_string(&ports).unwrap_or_default();
            wanted.entry(group).or_insert_with(|| (ports, Vec::new())).1.push(endpoint);
        }
        write(turn, &service, wanted)?;
        Ok(Next::Done)
    }
}

fn labels(pod: &Pod) -> &BTreeMap<String, String> {
    static NOTHING: BTreeMap<String, String> = BTreeMap::new();
    pod.metadata.labels.as_ref().unwrap_or(&NOTHING)
}

/// What a Service chooses its pods by; `None` if it chooses none.
pub(super) fn selector(service: &Service) -> Option<Selector> {
    let spec = service.spec.as_ref().filter(|spec| spec.type_.as_deref() != Some("ExternalName"))?;
    spec.selector.as_ref().filter(|labels| !labels.is_empty()).map(Selector::from_set)
}

/// Wakes the Services that a change may concern: the Service itself, or those that choose a pod that changed.
pub(super) fn services_of(change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
    match change.key.kind {
        Kind::Service if change.after.is_some() => wake(change.key.clone()),
        Kind::Pod => {
            let pods = [&change.before, &change.after].map(|pod| pod.as_ref().and_then(|pod| Pod::of(pod)));
            if let [Some(before), Some(after)] = pods
                && seen(before) == seen(after)
            {
                return;
            }
            for service in store.list::<Service>(change.key.cluster, Some(&change.key.namespace)) {
                let chosen = selector(service)
                    .is_some_and(|s| pods.iter().flatten().any(|pod| s.matches(labels(pod))));
                if chosen {
                    let name = service.metadata.name.as_deref().unwrap_or_default();
                    wake(Key::new(change.key.cluster, Kind::Service, &change.key.namespace, name));
                }
            }
        }
        _ => {}
    }
}

/// What an endpoint tells of a pod.
fn seen(pod: &Pod) -> impl PartialEq + '_ {
    let status = pod.status.as_ref();
    (
        pod.metadata.labels.as_ref(),
        pod.metadata.deletion_timestamp.is_some(),
        status.and_then(|status| status.pod_ip.as_deref()),
        is_ready(pod),
        matches!(phase(pod), "Succeeded" | "Failed"),
    )
}

/// Whether a pod belongs behind a Service: it has an address and has not ended.
pub(super) fn address(pod: &Pod) -> Option<&str> {
    let ip = pod.status.as_ref()?.pod_ip.as_deref().filter(|ip| !ip.is_empty())?;
    (!matches!(phase(pod), "Succeeded" | "Failed")).then_some(ip)
}

pub(super) fn target(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".to_owned()),
        name: pod.metadata.name.clone(),
        namespace: pod.metadata.namespace.clone(),
        uid: pod.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}

/// The pod's own name in the Service's domain, where both agree on it.
pub(super) fn hostname(service: &Service, pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let same = spec.subdomain.is_some() && spec.subdomain == service.metadata.name;
    spec.hostname.clone().filter(|name| same && !name.is_empty())
}

fn endpoint(turn: &Turn<'_>, service: &Service, pod: &Pod) -> Option<Endpoint> {
    let ip = address(pod)?;
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
    let zone = node
        .as_deref()
        .and_then(|node| turn.get::<Node>("", node))
        .and_then(|node| node.metadata.labels.as_ref()?.get("topology.kubernetes.io/zone").cloned());
    let early = service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses) == Some(true);
    let terminating = pod.metadata.deletion_timestamp.is_some();
    let serving = is_ready(pod);
    Some(Endpoint {
        addresses: vec![ip.to_owned()],
        conditions: Some(EndpointConditions {
            ready: Some(early || (serving && !terminating)),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        hostname: hostname(service, pod),
        node_name: node,
        target_ref: Some(target(pod)),
        zone,
        ..Endpoint::default()
    })
}

/// The number of a Service's port on a pod; `None` if no container has a port of that name.
pub(super) fn target_port(port: &ServicePort, pod: &Pod) -> Option<i32> {
    match &port.target_port {
        None | Some(IntOrString::Int(0)) => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => {
            let protocol = |text: &Option<String>| text.clone().unwrap_or_else(|| "TCP".to_owned());
            let spec = pod.spec.as_ref()?;
            let sidecars = spec
                .init_containers
                .iter()
                .flatten()
                .filter(|c| c.restart_policy.as_deref() == Some("Always"));
            let ports = spec.containers.iter().chain(sidecars).filter_map(|c| c.ports.as_ref()).flatten();
            ports
                .into_iter()
                .find(|at| {
                    at.name.as_ref() == Some(name) && protocol(&at.protocol) == protocol(&port.protocol)
                })
                .map(|at| at.container_port)
        }
    }
}

fn ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    let ports = ports.into_iter().flatten().filter_map(|port| {
        Some(EndpointPort {
            name: Some(port.name.clone().unwrap_or_default()),
            port: Some(target_port(port, pod)?),
            protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
            app_protocol: port.app_protocol.clone(),
        })
    });
    ports.collect()
}

fn slice_labels(service: &Service) -> BTreeMap<String, String> {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.to_owned(), service.metadata.name.clone().unwrap_or_default());
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER.to_owned());
    labels.remove(HEADLESS);
    if service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None") {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels
}

fn write(
    turn: &mut Turn<'_>,
    service: &Service,
    mut wanted: BTreeMap<String, (Vec<EndpointPort>, Vec<Endpoint>)>,
) -> Result<(), ApiStatus> {
    let namespace = service.metadata.namespace.clone().unwrap_or_default();
    let labels = slice_labels(service);
    let uid = service.metadata.uid.clone().unwrap_or_default();
    let slices: Vec<EndpointSlice> = turn
        .store()
        .owned_by(turn.cluster(), &uid)
        .filter_map(|(_, object)| EndpointSlice::of(object))
        .filter(|slice| {
            slice.metadata.labels.as_ref().and_then(|l| l.get(MANAGED_BY)).is_some_and(|by| by == CONTROLLER)
        })
        .cloned()
        .collect();
    let (mut kept, mut spare) = (0, Vec::new());
    for mut slice in slices {
        let group = serde_json::to_string(&slice.ports.clone().unwrap_or_default()).unwrap_or_default();
        let before = slice.clone();
        if let Some((_, endpoints)) = wanted.get_mut(&group) {
            refill(&mut slice.endpoints, endpoints);
        } else {
            slice.endpoints.clear();
        }
        if slice.endpoints.is_empty() {
            spare.push(before);
            continue;
        }
        kept += 1;
        slice.metadata.labels = Some(labels.clone());
        if slice != before {
            trigger(turn, &mut slice);
            turn.update(slice)?;
        }
    }
    let mut fresh: Vec<(Option<Vec<EndpointPort>>, Vec<Endpoint>)> = Vec::new();
    for (ports, endpoints) in wanted.into_values() {
        fresh.extend(endpoints.chunks(MAX_ENDPOINTS).map(|part| (Some(ports.clone()), part.to_vec())));
    }
    // A Service without endpoints keeps one empty slice.
    if kept == 0 && fresh.is_empty() {
        fresh.push((None, Vec::new()));
    }
    let mut spare = spare.into_iter();
    for (ports, endpoints) in fresh {
        // A slice that would go is used again.
        let old = spare.next();
        let mut slice = old.clone().unwrap_or_else(|| empty_slice(service));
        (slice.ports, slice.endpoints) = (ports, endpoints);
        slice.metadata.labels = Some(labels.clone());
        if Some(&slice) == old.as_ref() {
            continue;
        }
        if !slice.endpoints.is_empty() || old.is_some() {
            trigger(turn, &mut slice);
        }
        if old.is_some() {
            turn.update(slice)?
        } else {
            turn.create(slice)?
        };
    }
    for slice in spare {
        let key =
            turn.key(Kind::EndpointSlice, &namespace, slice.metadata.name.as_deref().unwrap_or_default());
        turn.delete(&key, None)?;
    }
    Ok(())
}

/// The family of a Service's addresses. Of two the first counts: a cluster serves one.
fn family(service: &Service) -> &str {
    let families = service.spec.as_ref().and_then(|spec| spec.ip_families.as_ref());
    families.and_then(|all| all.first()).map_or("IPv4", String::as_str)
}

fn empty_slice(service: &Service) -> EndpointSlice {
    EndpointSlice {
        address_type: family(service).to_owned(),
        endpoints: Vec::new(),
        ports: None,
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", service.metadata.name.as_deref().unwrap_or_default())),
            namespace: service.metadata.namespace.clone(),
            owner_references: Some(vec![managed_by(service)]),
            ..ObjectMeta::default()
        },
    }
}

/// Keeps in place what is still wanted, and fills the room with what is new.
fn refill(slice: &mut Vec<Endpoint>, wanted: &mut Vec<Endpoint>) {
    let uid = |endpoint: &Endpoint| endpoint.target_ref.as_ref().and_then(|target| target.uid.clone());
    slice.retain_mut(|endpoint| match wanted.iter().position(|new| uid(new) == uid(endpoint)) {
        Some(at) => {
            *endpoint = wanted.remove(at);
            true
        }
        None => false,
    });
    let room = MAX_ENDPOINTS.saturating_sub(slice.len()).min(wanted.len());
    slice.extend(wanted.drain(..room));
}

fn trigger(turn: &Turn<'_>, slice: &mut EndpointSlice) {
    let time = serde_json::to_value(turn.stamp()).unwrap_or_default();
    let time = time.as_str().unwrap_or_default().to_owned();
    let annotations = slice.metadata.annotations.get_or_insert_default();
    annotations.insert("endpoints.kubernetes.io/last-change-trigger-time".to_owned(), time);
}
