//! Which slices say the same as Endpoints that somebody wrote by hand?
//!
//! One for every set of ports of an Endpoints object whose Service chooses no pods; Endpoints that say so are left alone.
//! Source: `pkg/controller/endpointslicemirroring/{endpointslicemirroring_controller,reconciler,utils}.go`.

use std::collections::BTreeMap;

use api::{
    ApiStatus, Kind, Resource,
    k8s::{
        core::v1::{EndpointAddress, Endpoints, Service},
        discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice},
    },
    meta::ObjectMeta,
};

use super::{
    endpointslice::{MANAGED_BY, SERVICE_NAME},
    managed_by,
};
use crate::{Change, Controller, Key, Next, Store, Turn};

const CONTROLLER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Most addresses of one set of ports.
const MAX_ADDRESSES: usize = 1000;

/// The controller.
pub(crate) struct EndpointSliceMirroring;

impl Controller for EndpointSliceMirroring {
    fn name(&self) -> &'static str {
        "endpoint-slice-mirroring-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        let of = |name: &str| Key::new(change.key.cluster, Kind::Endpoints, &change.key.namespace, name);
        match change.key.kind {
            Kind::Service | Kind::Endpoints => wake(of(&change.key.name)),
            Kind::EndpointSlice => {
                for slice in [&change.before, &change.after].into_iter().flatten() {
                    let labels = slice.meta().labels.as_ref();
                    let label = |key: &str| labels.and_then(|labels| labels.get(key));
                    if let Some(name) =
                        label(SERVICE_NAME).filter(|_| label(MANAGED_BY).is_some_and(|by| by == CONTROLLER))
                    {
                        wake(of(name));
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let endpoints = turn.get::<Endpoints>(&key.namespace, &key.name).cloned();
        let service = turn.get::<Service>(&key.namespace, &key.name);
        let chooses_none = service
            .and_then(|service| service.spec.as_ref())
            .is_some_and(|spec| spec.selector.as_ref().is_none_or(BTreeMap::is_empty));
        let endpoints = endpoints.filter(|it| chooses_none && is_mirrored(it));
        let mut wanted = endpoints.as_ref().map(groups).unwrap_or_default();
        let had: Vec<EndpointSlice> = turn
            .list::<EndpointSlice>(Some(&key.namespace))
            .filter(|slice| {
                let label = |key: &str| slice.metadata.labels.as_ref().and_then(|labels| labels.get(key));
                label(SERVICE_NAME).is_some_and(|name| **name == *key.name)
                    && label(MANAGED_BY).is_some_and(|by| by == CONTROLLER)
            })
            .cloned()
            .collect();
        for slice in had {
            let ports = slice.ports.clone().unwrap_or_default();
            let group = (slice.address_type.clone(), serde_json::to_string(&ports).unwrap_or_default());
            match (&endpoints, wanted.remove(&group)) {
                (Some(endpoints), Some((_, members))) => {
                    let mut new = slice.clone();
                    new.endpoints = members;
                    (new.metadata.labels, new.metadata.annotations) = marks(endpoints);
                    if new != slice {
                        turn.update(new)?;
                    }
                }
                (None, _) | (_, None) => {
                    let name = slice.metadata.name.as_deref().unwrap_or_default();
                    let key = turn.key(Kind::EndpointSlice, &key.namespace, name);
                    turn.delete(&key, None)?;
                }
            }
        }
        let Some(endpoints) = endpoints else { return Ok(Next::Done) };
        for ((address_type, _), (ports, members)) in wanted {
            let (labels, annotations) = marks(&endpoints);
            turn.create(EndpointSlice {
                address_type,
                endpoints: members,
                ports: Some(ports),
                metadata: ObjectMeta {
                    generate_name: Some(format!("{}-", key.name)),
                    namespace: Some(key.namespace.to_string()),
                    owner_references: Some(vec![managed_by(&endpoints)]),
                    labels,
                    annotations,
                    ..ObjectMeta::default()
                },
            })?;
        }
        Ok(Next::Done)
    }
}

/// Whether Endpoints do not say that they are to be left alone.
fn is_mirrored(endpoints: &Endpoints) -> bool {
    let meta = endpoints.meta();
    let skips = meta.labels.as_ref().and_then(|labels| labels.get(SKIP)).is_some_and(|it| it == "true");
    let leads = meta.annotations.as_ref().is_some_and(|all| all.contains_key(LEADER));
    meta.deletion_timestamp.is_none() && !skips && !leads
}

type Marks = Option<BTreeMap<String, String>>;

/// The labels and annotations of a mirror.
fn marks(endpoints: &Endpoints) -> (Marks, Marks) {
    let mut labels = endpoints.metadata.labels.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.to_owned(), endpoints.metadata.name.clone().unwrap_or_default());
    labels.insert(MANAGED_BY.to_owned(), CONTROLLER.to_owned());
    let mut annotations = endpoints.metadata.annotations.clone().unwrap_or_default();
    annotations.remove(LAST_APPLIED);
    (Some(labels), (!annotations.is_empty()).then_some(annotations))
}

/// Addresses by their family and the ports that they have.
type Groups = BTreeMap<(String, String), (Vec<EndpointPort>, Vec<Endpoint>)>;

fn groups(endpoints: &Endpoints) -> Groups {
    let mut groups = Groups::new();
    for subset in endpoints.subsets.iter().flatten() {
        let ports: Vec<EndpointPort> = subset.ports.iter().flatten().map(port).collect();
        let group = serde_json::to_string(&ports).unwrap_or_default();
        let ready = subset.addresses.iter().flatten().map(|it| endpoint(it, true));
        let others = subset.not_ready_addresses.iter().flatten().map(|it| endpoint(it, false));
        for it in ready.chain(others) {
            let family = if it.addresses[0].contains(':') { "IPv6" } else { "IPv4" };
            let key = (family.to_owned(), group.clone());
            let members = &mut groups.entry(key).or_insert_with(|| (ports.clone(), Vec::new())).1;
            if members.len() < MAX_ADDRESSES {
                members.push(it);
            }
        }
    }
    groups
}

fn port(port: &api::k8s::core::v1::EndpointPort) -> EndpointPort {
    EndpointPort {
        name: Some(port.name.clone().unwrap_or_default()),
        port: Some(port.port),
        protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
        app_protocol: port.app_protocol.clone(),
    }
}

fn endpoint(address: &EndpointAddress, ready: bool) -> Endpoint {
    Endpoint {
        addresses: vec![address.ip.clone()],
        conditions: Some(EndpointConditions { ready: Some(ready), ..EndpointConditions::default() }),
        hostname: address.hostname.clone(),
        node_name: address.node_name.clone(),
        target_ref: address.target_ref.clone(),
        ..Endpoint::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use api::Kind;

    use crate::fixture::{cluster, create, list, settle};

    #[test]
    fn endpoints_written_by_hand_have_a_slice_of_their_own() {
        let mut world = cluster();
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"},
            "spec": {"ports": [{"port": 5432}]}});
        let endpoints = json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "db"},
            "subsets": [{"addresses": [{"ip": "10.0.0.9"}], "ports": [{"port": 5432}]}]});
        create(&mut world, service).expect("a Service");
        create(&mut world, endpoints).expect("its Endpoints");
        settle(&mut world);
        let slices = list(&mut world, Kind::EndpointSlice, "default", "kubernetes.io/service-name=db", "");
        assert_eq!(slices.map(|slices| slices.len()), Ok(1));
    }
}
