//! What is in a cluster before anybody asked for anything?
//!
//! Namespaces, the accounts and certificates that controllers made in them, the default roles and bindings, the
//! Service `kubernetes`, leases, two priority classes, what is served by which API server and how its requests queue. Source: recorded from a fresh 1.34 control plane (tests/vectors: fresh-cluster).

use std::net::IpAddr;

use api::{
    Kind, Object,
    kinds::sim::{ControlPlane, Part, Provider},
};
use serde_json::{Value, json};

use crate::{
    ActorId, ClusterId, Turn, World,
    apiserver::{Call, allocate, create},
    draw::{draw, uid},
    node::join::region_of,
};

/// The namespaces of every cluster.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Accounts of the controllers, in `kube-system`.
const CONTROLLERS: &[&str] = &[
    "attachdetach-controller",
    "certificate-controller",
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "daemon-set-controller",
    "deployment-controller",
    "disruption-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "endpointslicemirroring-controller",
    "ephemeral-volume-controller",
    "expand-controller",
    "generic-garbage-collector",
    "horizontal-pod-autoscaler",
    "job-controller",
    "legacy-service-account-token-cleaner",
    "namespace-controller",
    "node-controller",
    "persistent-volume-binder",
    "pod-garbage-collector",
    "pv-protection-controller",
    "pvc-protection-controller",
    "replicaset-controller",
    "replication-controller",
    "resource-claim-controller",
    "resourcequota-controller",
    "root-ca-cert-publisher",
    "service-account-controller",
    "service-cidrs-controller",
    "statefulset-controller",
    "ttl-after-finished-controller",
    "ttl-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
];

/// Roles and bindings that every API server makes for itself, one a line.
const ACCESS: &str = include_str!("rbac.jsonl");

/// FlowSchemas, PriorityLevelConfigurations and APIServices that every API server makes for itself, one a line.
///
/// MODEL: the lab's requests never queue, so nothing follows from them.
const SYSTEM: &str = include_str!("system.jsonl");

/// What every API server makes for itself beside namespaces and its own Service.
pub fn defaults() -> impl Iterator<Item = (Kind, Value)> {
    let recorded = ACCESS.lines().chain(SYSTEM.lines()).filter_map(|line| {
        let value: Value = serde_json::from_str(line).ok()?;
        let kind = Kind::of_manifest(value["apiVersion"].as_str()?, value["kind"].as_str()?)?;
        Some((kind, value))
    });
    default_priorities().map(|value| (Kind::PriorityClass, value)).chain(recorded)
}

/// The priority classes of every cluster.
fn default_priorities() -> impl Iterator<Item = Value> {
    [
        (
            "system-cluster-critical",
            2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
        (
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
    ]
    .into_iter()
    .map(|(name, value, description)| {
        json!({"metadata": {"name": name}, "value": value, "description": description,
            "preemptionPolicy": "PreemptLowerPriority"})
    })
}

/// Fills a new cluster whose [`ControlPlane`] is in the store: what the API server and the controllers make by
/// themselves within the first second. `endpoints` are the addresses of its API servers.
pub fn bootstrap(world: &mut World, cluster: ClusterId, endpoints: &[IpAddr]) {
    let plane =
        world.store().list::<ControlPlane>(ClusterId::WORLD, None).find(|plane| plane.id == cluster.0);
    let Some(plane) = plane.cloned() else { return };
    let service_cidr = plane.service_cidr;
    let now = json!(world.stamp(world.now()).0.to_string());
    let leases = leases(world, &plane, endpoints, &now);
    let mut turn = Turn::new(world, ActorId("kube-apiserver"), cluster, None);
    let mut make = |namespace: &str, kind: Kind, value: Value| {
        if let Ok(object) = Object::from_value(kind, value) {
            // INVARIANT: these objects are legal and new; a refusal would be an error of this file, and a test sees it.
            let made = create::create(&mut Call::of_turn(&mut turn), namespace, object);
            debug_assert!(made.is_ok(), "{made:?}");
        }
    };
    for name in NAMESPACES {
        make("", Kind::Namespace, json!({"metadata": {"name": name}}));
    }
    for name in NAMESPACES {
        make(name, Kind::ServiceAccount, json!({"metadata": {"name": "default"}}));
        make(name, Kind::ConfigMap, root_ca());
    }
    for name in CONTROLLERS {
        make("kube-system", Kind::ServiceAccount, json!({"metadata": {"name": name}}));
    }
    make(
        "kube-system",
        Kind::ConfigMap,
        json!({"metadata": {"name": "extension-apiserver-authentication"},
        "data": {"client-ca-file": CERTIFICATE}}),
    );
    for (kind, mut value) in defaults() {
        let namespace = value["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        for condition in value["status"]["conditions"].as_array_mut().into_iter().flatten() {
            condition["lastTransitionTime"] = now.clone();
        }
        make(&namespace, kind, value);
    }
    make(
        "",
        Kind::ServiceCIDR,
        json!({"metadata": {"name": "kubernetes"}, "spec": {"cidrs": [service_cidr]}, "status": {"conditions": [{
            "type": "Ready", "status": "True", "lastTransitionTime": now, "reason": "",
            "message": "Kubernetes default Service CIDR is ready"}]}}),
    );
    for lease in leases {
        make("kube-system", Kind::Lease, lease);
    }
    let first = allocate::nth(service_cidr, 1);
    let family = if service_cidr.addr().is_ipv6() { "IPv6" } else { "IPv4" };
    make(
        "default",
        Kind::Service,
        json!({
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": first, "clusterIPs": [first], "type": "ClusterIP", "sessionAffinity": "None",
            "internalTrafficPolicy": "Cluster",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}]}}),
    );
    let labels = json!({"kubernetes.io/service-name": "kubernetes"});
    make(
        "default",
        Kind::EndpointSlice,
        json!({
        "metadata": {"name": "kubernetes", "labels": labels}, "addressType": family,
        "endpoints": endpoints.iter().map(|ip| json!({"addresses": [ip], "conditions": {"ready": true}})).collect::<Vec<_>>(),
        "ports": [{"name": "https", "port": 443, "protocol": "TCP"}]}),
    );
    let subset = json!({"addresses": endpoints.iter().map(|ip| json!({"ip": ip})).collect::<Vec<_>>(),
        "ports": [{"name": "https", "port": 443, "protocol": "TCP"}]});
    let subsets = if endpoints.is_empty() { json!([]) } else { json!([subset]) };
    make(
        "default",
        Kind::Endpoints,
        json!({"subsets": subsets,
        "metadata": {"name": "kubernetes", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}}),
    );
}

/// What tells which servers there are, and which of the managers and schedulers leads.
///
/// MODEL: these leases are there, but nobody renews them. Source: `pkg/controlplane/apiserver/server.go`; client-go `tools/leaderelection`.
fn leases(world: &World, plane: &ControlPlane, endpoints: &[IpAddr], now: &Value) -> Vec<Value> {
    let (seed, cluster) = (world.seed(), plane.metadata.name.as_deref().unwrap_or_default());
    let zone = world.store().list::<Part>(ClusterId(plane.id), None).find_map(|part| part.zone.clone());
    let region = zone.as_deref().map(region_of).unwrap_or_default();
    let host = |n: u64| match plane.provider {
        Provider::Eks => {
            let drawn = draw(seed, "control-plane-host", cluster, n);
            format!("ip-10-0-{}-{}.{region}.compute.internal", drawn % 256, drawn / 256 % 256)
        }
        Provider::Kind | Provider::Kwok | Provider::Imported => format!("{cluster}-control-plane"),
    };
    let id = |what: &str, n: u64| uid(seed, &format!("{what}/{cluster}"), n);
    let mut all = Vec::new();
    for n in 0..endpoints.len() as u64 {
        let name = format!("apiserver-{}", base32(seed, &host(n)));
        all.push(json!({
            "metadata": {"name": name, "labels": {"apiserver.kubernetes.io/identity": "kube-apiserver",
                "kubernetes.io/hostname": host(n)}},
            "spec": {"holderIdentity": format!("{name}_{}", id("apiserver", n)), "leaseDurationSeconds": 3600, "renewTime": now}}));
    }
    for leader in ["kube-controller-manager", "kube-scheduler"].into_iter().filter(|_| !endpoints.is_empty())
    {
        all.push(json!({"metadata": {"name": leader}, "spec": {"holderIdentity": format!("{}_{}", host(0), id(leader, 0)),
            "acquireTime": now, "renewTime": now, "leaseDurationSeconds": 15, "leaseTransitions": 0}}));
    }
    all
}

/// The 26 letters by which a server is known. MODEL: drawn; really they are a hash of its host's name.
fn base32(seed: u64, host: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let letter = |n| LETTERS[(draw(seed, "apiserver-id", host, n) % 32) as usize];
    (0..26).map(|n| char::from(letter(n))).collect()
}

/// MODEL: no certificate is ever checked; a word stands for it.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n";

/// The certificate by which pods know their API server.
pub(crate) fn root_ca() -> Value {
    json!({
        "metadata": {
            "name": "kube-root-ca.crt",
            "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to verify the \
                kube-apiserver when using internal endpoints such as the internal service IP or \
                kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."},
        },
        "data": {"ca.crt": CERTIFICATE},
    })
}
