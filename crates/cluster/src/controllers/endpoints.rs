//! The same as slices, in the old shape: which addresses stand behind a Service?
//!
//! Source: `pkg/controller/endpoint/endpoints_controller.go`, `pkg/api/v1/endpoints/util.go` (`RepackSubsets`).

use std::collections::BTreeMap;

use api::{
    ApiStatus, Kind,
    k8s::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Pod, Service},
    meta::ObjectMeta,
};

use super::{
    endpointslice::{HEADLESS, address, hostname, selector, services_of, target, target_port},
    is_ready,
};
use crate::{Change, Controller, Key, Next, Store, Turn};

/// Most addresses shown; the rest is in slices only.
const MAX_ADDRESSES: usize = 1000;

/// The controller.
pub(crate) struct EndpointsController;

impl Controller for EndpointsController {
    fn name(&self) -> &'static str {
        "endpoint-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        services_of(change, store, wake);
        match change.key.kind {
            Kind::Service if change.after.is_none() => wake(change.key.clone()),
            Kind::Endpoints => {
                wake(Key::new(change.key.cluster, Kind::Service, &change.key.namespace, &change.key.name));
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let own = turn.key(Kind::Endpoints, &key.namespace, &key.name);
        let Some(service) = turn.get::<Service>(&key.namespace, &key.name).cloned() else {
            if turn.store().object(&own).is_some() {
                turn.delete(&own, None)?;
            }
            return Ok(Next::Done);
        };
        let Some(selector) = selector(&service) else { return Ok(Next::Done) };
        let subsets = subsets(turn, &service, &selector);
        let mut labels = service.metadata.labels.clone().unwrap_or_default();
        labels.insert("endpoints.kubernetes.io/managed-by".to_owned(), "endpoint-controller".to_owned());
        if service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None") {
            labels.insert(HEADLESS.to_owned(), String::new());
        }
        let time = serde_json::to_value(turn.stamp()).unwrap_or_default();
        let time = time.as_str().unwrap_or_default().to_owned();
        let annotations = [("endpoints.kubernetes.io/last-change-trigger-time".to_owned(), time)];
        let subsets = (!subsets.is_empty()).then_some(subsets);
        match turn.get::<Endpoints>(&key.namespace, &key.name).cloned() {
            Some(had) if had.subsets == subsets && had.metadata.labels.as_ref() == Some(&labels) => {}
            Some(mut had) => {
                had.subsets = subsets;
                had.metadata.labels = Some(labels);
                had.metadata.annotations.get_or_insert_default().extend(annotations);
                turn.update(had)?;
            }
            None => {
                let annotations = subsets.is_some().then(|| BTreeMap::from(annotations));
                let metadata = ObjectMeta {
                    name: Some(key.name.to_string()),
                    namespace: Some(key.namespace.to_string()),
                    labels: Some(labels),
                    annotations,
                    ..ObjectMeta::default()
                };
                turn.create(Endpoints { metadata, subsets })?;
            }
        }
        Ok(Next::Done)
    }
}

/// Addresses, and whether each is ready.
type Members = Vec<(EndpointAddress, bool)>;

/// One subset per set of addresses, with the ports that all of them have. Addresses stand in the order of their letters, ports
/// in that of a hash.
///
/// MODEL: upstream sorts the subsets by a hash of what is in them; here the widest comes first.
fn subsets(turn: &Turn<'_>, service: &Service, selector: &api::label::Selector) -> Vec<EndpointSubset> {
    let nothing = BTreeMap::new();
    let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
    let early = service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses) == Some(true);
    // A Service without ports has its addresses behind none.
    let mut by_port: Vec<(Option<EndpointPort>, Members)> = Vec::new();
    let chosen = turn
        .list::<Pod>(Some(namespace))
        .filter(|pod| selector.matches(pod.metadata.labels.as_ref().unwrap_or(&nothing)));
    let has_ports =
        service.spec.as_ref().and_then(|spec| spec.ports.as_ref()).is_some_and(|ports| !ports.is_empty());
    for pod in chosen.filter(|pod| pod.metadata.deletion_timestamp.is_none()).take(MAX_ADDRESSES) {
        let Some(ip) = address(pod) else { continue };
        let ports: Vec<Option<EndpointPort>> = match ports(service, pod) {
            ports if has_ports => ports.into_iter().map(Some).collect(),
            _ => vec![None],
        };
        let address = EndpointAddress {
            ip: ip.to_owned(),
            hostname: hostname(service, pod),
            node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            target_ref: Some(target(pod)),
        };
        for port in ports {
            let member = (address.clone(), early || is_ready(pod));
            match by_port.iter_mut().find(|(has, _)| *has == port) {
                Some((_, members)) => members.push(member),
                None => by_port.push((port, vec![member])),
            }
        }
    }
    let mut subsets: Vec<(Members, EndpointSubset)> = Vec::new();
    for (port, mut members) in by_port {
        members.sort_by(|(a, _), (b, _)| a.ip.cmp(&b.ip));
        let at = subsets.iter().position(|(has, _)| *has == members).unwrap_or_else(|| {
            let list = |ready: bool| {
                let list: Vec<_> =
                    members.iter().filter(|(_, is)| *is == ready).map(|(it, _)| it.clone()).collect();
                (!list.is_empty()).then_some(list)
            };
            let subset =
                EndpointSubset { addresses: list(true), not_ready_addresses: list(false), ports: None };
            subsets.push((members.clone(), subset));
            subsets.len() - 1
        });
        if let (Some((_, subset)), Some(port)) = (subsets.get_mut(at), port) {
            subset.ports.get_or_insert_default().push(port);
        }
    }
    subsets.sort_by_key(|(members, _)| std::cmp::Reverse(members.len()));
    let mut subsets: Vec<EndpointSubset> = subsets.into_iter().map(|(_, subset)| subset).collect();
    for ports in subsets.iter_mut().filter_map(|subset| subset.ports.as_mut()) {
        ports.sort_by_cached_key(api::dump::order_of_port);
    }
    subsets
}

fn ports(service: &Service, pod: &Pod) -> Vec<EndpointPort> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    let ports = ports.into_iter().flatten().filter_map(|port| {
        Some(EndpointPort {
            name: port.name.clone().filter(|name| !name.is_empty()),
            port: target_port(port, pod)?,
            protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
            app_protocol: port.app_protocol.clone(),
        })
    });
    ports.collect()
}
