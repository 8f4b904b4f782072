//! The strips of Services below the network: address, ports, and the pods behind them.

use api::k8s::core::v1::{Pod, Service};
use cluster::{ClusterId, Store};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{EndpointMark, Rect, Scene, ServiceStrip};
use crate::view::{behind, pod};

/// Strips that are drawn; further Services are found in the outline and by `kubectl get services`.
const MOST_STRIPS: usize = 3;

/// Adds the strips from `top` on; the y below the last.
pub(super) fn strips(scene: &mut Scene, store: &Store, cluster: ClusterId, top: i32) -> i32 {
    let mut y = top;
    let ours = store.list::<Service>(cluster, None).filter(|service| {
        let meta = &service.metadata;
        meta.namespace.as_deref() != Some("kube-system")
            && meta.labels.as_ref().is_none_or(|all| all.get("provider").is_none_or(|p| p != "kubernetes"))
            && !(meta.namespace.as_deref() == Some("default") && meta.name.as_deref() == Some("kubernetes"))
    });
    for service in ours.take(MOST_STRIPS) {
        let rect = Rect::new(16, y, scene.w - 32, 80);
        scene.services.push(strip(store, cluster, service, rect));
        y += 88;
    }
    y
}

fn strip(store: &Store, cluster: ClusterId, service: &Service, rect: Rect) -> ServiceStrip {
    let spec = service.spec.as_ref();
    let port = spec.and_then(|s| s.ports.as_ref()).and_then(|all| all.first());
    let ip = spec.and_then(|s| s.cluster_ip.clone()).unwrap_or_default();
    let target = port.and_then(|p| p.target_port.as_ref()).map(|target| match target {
        IntOrString::Int(port) => port.to_string(),
        IntOrString::String(name) => name.clone(),
    });
    let places = usize::try_from((rect.w - 380) / 184).unwrap_or(0).min(4);
    let endpoints = behind::service(store, cluster, service)
        .into_iter()
        .take(places)
        .enumerate()
        .map(|(index, endpoint)| {
            let (namespace, name) = &endpoint.pod;
            let pod = store.get::<Pod>(cluster, namespace, name);
            let from_right = i32::try_from(places - index).unwrap_or(1);
            EndpointMark {
                pod: format!("Pod/{namespace}/{name}"),
                tag: pod.map(pod::workload).unwrap_or_default().chars().take(2).collect(),
                address: endpoint.address,
                ready: endpoint.ready,
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
