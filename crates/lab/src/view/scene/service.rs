//! The strips of Services below the network: address, ports, and the pods behind them.

use std::collections::BTreeMap;

use api::k8s::{
    core::v1::{Pod, Service},
    discovery::v1::EndpointSlice,
};
use cluster::{ClusterId, Store};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{EndpointMark, Rect, Scene, ServiceStrip};
use crate::view::pod;

/// Strips that are drawn; further Services are found in the outline and by `kubectl get services`.
const MOST_STRIPS: usize = 3;

/// Adds the strips from `top` on; the y below the last.
pub(super) fn strips(scene: &mut Scene, store: &Store, cluster: ClusterId, top: i32) -> i32 {
    let mut slices: BTreeMap<(String, String), Vec<&EndpointSlice>> = BTreeMap::new();
    for slice in store.list::<EndpointSlice>(cluster, None) {
        let service = slice.metadata.labels.as_ref().and_then(|all| all.get("kubernetes.io/service-name"));
        if let (Some(service), Some(namespace)) = (service, slice.metadata.namespace.as_ref()) {
            slices.entry((namespace.clone(), service.clone())).or_default().push(slice);
        }
    }
    let mut y = top;
    let ours = store.list::<Service>(cluster, None).filter(|service| {
        let meta = &service.metadata;
        meta.namespace.as_deref() != Some("kube-system")
            && meta.labels.as_ref().is_none_or(|all| all.get("provider").is_none_or(|p| p != "kubernetes"))
            && !(meta.namespace.as_deref() == Some("default") && meta.name.as_deref() == Some("kubernetes"))
    });
    for service in ours.take(MOST_STRIPS) {
        let key = (
            service.metadata.namespace.clone().unwrap_or_default(),
            service.metadata.name.clone().unwrap_or_default(),
        );
        let rect = Rect::new(16, y, scene.w - 32, 80);
        let behind = slices.get(&key).map(Vec::as_slice).unwrap_or_default();
        scene.services.push(strip(store, cluster, service, behind, rect));
        y += 88;
    }
    y
}

fn strip(
    store: &Store,
    cluster: ClusterId,
    service: &Service,
    slices: &[&EndpointSlice],
    rect: Rect,
) -> ServiceStrip {
    let spec = service.spec.as_ref();
    let port = spec.and_then(|s| s.ports.as_ref()).and_then(|all| all.first());
    let ip = spec.and_then(|s| s.cluster_ip.clone()).unwrap_or_default();
    let target = port.and_then(|p| p.target_port.as_ref()).map(|target| match target {
        IntOrString::Int(port) => port.to_string(),
        IntOrString::String(name) => name.clone(),
    });
    let places = usize::try_from((rect.w - 380) / 184).unwrap_or(0).min(4);
    let endpoints = slices
        .iter()
        .flat_map(|slice| &slice.endpoints)
        .take(places)
        .enumerate()
        .map(|(index, endpoint)| {
            let reference = endpoint.target_ref.as_ref();
            let namespace = reference.and_then(|r| r.namespace.as_deref()).unwrap_or_default();
            let name = reference.and_then(|r| r.name.as_deref()).unwrap_or_default();
            let pod = store.get::<Pod>(cluster, namespace, name);
            let from_right = i32::try_from(places - index).unwrap_or(1);
            EndpointMark {
                pod: format!("Pod/{namespace}/{name}"),
                tag: pod.map(pod::workload).unwrap_or_default().chars().take(2).collect(),
                address: endpoint.addresses.first().cloned().unwrap_or_default(),
                ready: endpoint.conditions.as_ref().and_then(|c| c.ready) != Some(false),
                rect: Rect::new(rect.x + rect.w - 184 * from_right, rect.y + 18, 172, 44),
            }
        })
        .collect();
    ServiceStrip {
        id: format!(
            "Service/{}/{}",
            service.metadata.namespace.as_deref().unwrap_or("default"),
            service.metadata.name.as_deref().unwrap_or_default()
        ),
        name: service.metadata.name.clone().unwrap_or_default(),
        kind: spec.and_then(|s| s.type_.clone()).unwrap_or_else(|| "ClusterIP".to_owned()),
        address: match port {
            Some(port) if ip != "None" => format!("{ip}:{}", port.port),
            _ => ip,
        },
        ports: port.map(|p| (p.port, target.unwrap_or_else(|| p.port.to_string()))),
        rect,
        endpoints,
    }
}
