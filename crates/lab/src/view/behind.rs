//! What stands behind an ENI that is no machine's, and what behind a Service?
//!
//! EC2 names a load balancer and an endpoint in the ENI's description, and nowhere else.

use api::{
    k8s::{
        core::v1::{Pod, Service},
        discovery::v1::EndpointSlice,
    },
    kinds::{
        aws::{Eni, LoadBalancer, VpcEndpoint},
        sim::{ControlPlane, Provider},
    },
};
use cluster::{ClusterId, Store};

use super::pod;

/// What EC2 says that an ENI is for.
pub(super) fn description(eni: &Eni) -> &str {
    let notes = eni.metadata.annotations.as_ref();
    notes.and_then(|all| all.get("description")).map_or("", String::as_str)
}

/// The name of a load balancer's ENI's load balancer, and itself where the world has it.
///
/// Source: Elastic Load Balancing user guides: `ELB name` of a classic one, `ELB net/name/id` and `ELB app/name/id` of others.
pub(super) fn load_balancer<'s>(store: &'s Store, eni: &'s Eni) -> (&'s str, Option<&'s LoadBalancer>) {
    let said = description(eni).trim_start_matches("ELB ");
    let own = said.strip_prefix("net/").or_else(|| said.strip_prefix("app/")).unwrap_or(said);
    let own = own.split('/').next().unwrap_or_default();
    (own, store.get(ClusterId::WORLD, "", own))
}

/// The service of an endpoint's ENI, such as `ecr.dkr`; the endpoint's own name where the world has no such endpoint.
pub(super) fn endpoint<'s>(store: &'s Store, eni: &'s Eni) -> &'s str {
    let own = description(eni).rsplit(' ').next().unwrap_or_default();
    let found = store.get::<VpcEndpoint>(ClusterId::WORLD, "", own);
    // `com.amazonaws.REGION.ecr.dkr`: what stands before the service is the same for all.
    found.and_then(|it| it.service.splitn(4, '.').nth(3)).unwrap_or(own)
}

/// A pod behind a Service.
pub(super) struct Endpoint {
    /// Its namespace and name.
    pub pod: (String, String),
    /// Its address.
    pub address: String,
    /// Whether it takes traffic.
    pub ready: bool,
}

/// Whether a cluster is an imported one.
pub(super) fn imported(store: &Store, cluster: ClusterId) -> bool {
    let mut planes = store.list::<ControlPlane>(ClusterId::WORLD, None);
    planes.any(|it| it.id == cluster.0 && it.provider == Provider::Imported)
}

/// What is behind a Service, as its slices say; where an import has none, as its selector does.
pub(super) fn service(store: &Store, cluster: ClusterId, service: &Service) -> Vec<Endpoint> {
    let (namespace, name) = (service.metadata.namespace.as_deref(), service.metadata.name.as_deref());
    let of_it = |slice: &&EndpointSlice| {
        let label = slice.metadata.labels.as_ref().and_then(|all| all.get("kubernetes.io/service-name"));
        label.map(String::as_str) == name
    };
    let mut slices = store.list::<EndpointSlice>(cluster, namespace).filter(of_it).peekable();
    if slices.peek().is_none() && imported(store, cluster) {
        return selected(store, cluster, service);
    }
    let read = |it: &api::k8s::discovery::v1::Endpoint| {
        let pod = it.target_ref.clone().unwrap_or_default();
        Endpoint {
            pod: (pod.namespace.unwrap_or_default(), pod.name.unwrap_or_default()),
            address: it.addresses.first().cloned().unwrap_or_default(),
            ready: it.conditions.as_ref().and_then(|it| it.ready) != Some(false),
        }
    };
    slices.flat_map(|it| &it.endpoints).map(read).collect()
}

fn selected(store: &Store, cluster: ClusterId, service: &Service) -> Vec<Endpoint> {
    let selector = service.spec.as_ref().and_then(|it| it.selector.as_ref());
    let Some(selector) = selector.filter(|it| !it.is_empty()) else { return Vec::new() };
    let matches = |pod: &&Pod| {
        let labels = pod.metadata.labels.as_ref();
        selector.iter().all(|(key, value)| labels.and_then(|it| it.get(key)) == Some(value))
    };
    let read = |it: &Pod| {
        let address = it.status.as_ref()?.pod_ip.clone()?;
        let (namespace, name) = (it.metadata.namespace.clone(), it.metadata.name.clone());
        let pod = (namespace.unwrap_or_default(), name.unwrap_or_default());
        Some(Endpoint { pod, address, ready: pod::ready(it) })
    };
    store
        .list::<Pod>(cluster, service.metadata.namespace.as_deref())
        .filter(matches)
        .filter_map(read)
        .collect()
}
