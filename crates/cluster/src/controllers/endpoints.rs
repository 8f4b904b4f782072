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

/// One subset per set of ports, addresses by number.
fn subsets(turn: &Turn<'_>, service: &Service, selector: &api::label::Selector) -> Vec<EndpointSubset> {
    let nothing = BTreeMap::new();
    let namespace = service.metadata.namespace.as_deref().unwrap_or_default();
    let early = service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses) == Some(true);
    let mut groups: BTreeMap<String, EndpointSubset> = BTreeMap::new();
    let chosen = turn
        .list::<Pod>(Some(namespace))
        .filter(|pod| selector.matches(pod.metadata.labels.as_ref().unwrap_or(&nothing)));
    for pod in chosen.filter(|pod| pod.metadata.deletion_timestamp.is_none()).take(MAX_ADDRESSES) {
        let Some(ip) = address(pod) else { continue };
        let ports = ports(service, pod);
        if ports.is_empty()
            && service.spec.as_ref().and_then(|spec| spec.ports.as_ref()).is_some_and(|p| !p.is_empty())
        {
            continue;
        }
        let address = EndpointAddress {
            ip: ip.to_owned(),
            hostname: hostname(service, pod),
            node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            target_ref: Some(target(pod)),
        };
        let group = serde_json::to_string(&ports).unwrap_or_default();
        let subset = groups.entry(group).or_insert_with(|| EndpointSubset {
            ports: (!ports.is_empty()).then_some(ports),
            ..EndpointSubset::default()
        });
        let ready = early || is_ready(pod);
        let list = if ready { &mut subset.addresses } else { &mut subset.not_ready_addresses };
        list.get_or_insert_default().push(address);
    }
    let number = |address: &EndpointAddress| address.ip.parse::<std::net::Ipv4Addr>().ok();
    for subset in groups.values_mut() {
        for list in [&mut subset.addresses, &mut subset.not_ready_addresses].into_iter().flatten() {
            list.sort_by_key(number);
        }
    }
    groups.into_values().collect()
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
