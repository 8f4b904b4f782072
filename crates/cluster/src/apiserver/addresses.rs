//! From which blocks do Services have their addresses, and how is it known which are taken?
//!
//! From 1.33 on a ServiceCIDR is a block, and an IPAddress is an address that is taken, for which the server makes and removes one as
//! Services come and go. Servers before know one block, and of each Service its addresses.
//! Source: `pkg/registry/core/service/ipallocator/{cidrallocator,ipallocator}.go`.

use std::{collections::BTreeSet, net::IpAddr};

use api::{Kind, Object, k8s::core::v1::Service};
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::{ActorId, Key, Store, apiserver::Call};

/// From which minor release on blocks and addresses are objects.
const AS_OBJECTS: u32 = 33;

/// Marks an address that belongs to a Service.
pub(crate) const MANAGED_BY: (&str, &str) = ("ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io");

fn are_objects(call: &Call<'_>) -> bool {
    super::release(call.world, call.cluster).minor >= AS_OBJECTS
}

/// The blocks of a ServiceCIDR.
pub(crate) fn blocks_of(object: &Object) -> Vec<IpNet> {
    let Object::Stored(stored) = object else { return Vec::new() };
    let blocks = stored.body.get("spec").and_then(|spec| spec["cidrs"].as_array());
    blocks.into_iter().flatten().filter_map(|block| block.as_str()?.parse().ok()).collect()
}

/// Whether Services may have addresses of a ServiceCIDR: also while nobody has looked at it yet.
fn is_ready(object: &Object) -> bool {
    let Object::Stored(stored) = object else { return false };
    let conditions = stored.body.get("status").and_then(|status| status["conditions"].as_array());
    let said = conditions.into_iter().flatten().find(|it| it["type"] == "Ready");
    stored.metadata.deletion_timestamp.is_none() && said.is_none_or(|it| it["status"] == "True")
}

/// The blocks of the cluster's family from which an address may be had; `own` is that of the control plane.
pub(super) fn blocks(call: &Call<'_>, own: IpNet) -> Vec<IpNet> {
    if !are_objects(call) {
        return vec![own];
    }
    let ranges = call.world.store().objects(call.cluster, Kind::ServiceCIDR, None);
    let ready = ranges.filter(|(_, range)| is_ready(range)).flat_map(|(_, range)| blocks_of(range));
    ready.filter(|block| block.addr().is_ipv6() == own.addr().is_ipv6()).collect()
}

/// The addresses that nobody else can have.
pub(super) fn taken(call: &Call<'_>) -> BTreeSet<IpAddr> {
    let store = call.world.store();
    let of_services = store.list::<Service>(call.cluster, None).flat_map(|it| addresses(Some(it)));
    let objects = store.objects(call.cluster, Kind::IPAddress, None);
    let objects = objects.filter_map(|(key, _)| key.name.parse().ok()).filter(|_| are_objects(call));
    of_services.chain(objects).collect()
}

fn addresses(service: Option<&Service>) -> BTreeSet<IpAddr> {
    let spec = service.and_then(|service| service.spec.as_ref());
    let ips = spec.and_then(|spec| spec.cluster_ips.as_ref());
    ips.into_iter().flatten().filter_map(|ip| api::validate::ip(ip)).collect()
}

fn service(store: &Store, key: &Key) -> Option<Service> {
    match &**store.object(key)? {
        Object::Service(service) => Some((**service).clone()),
        _ => None,
    }
}

/// Takes the addresses of a Service that is about to be written, and gives back those that it had; of one that goes, all.
pub(super) fn keep(call: &mut Call<'_>, key: &Key, now: Option<&Service>) {
    if !are_objects(call) {
        return;
    }
    let before = service(call.world.store(), key);
    let (before, now) = (addresses(before.as_ref()), addresses(now));
    let server = ActorId("kube-apiserver");
    for gone in before.difference(&now) {
        let own = call.key(Kind::IPAddress, "", &gone.to_string());
        call.world.remove(server, None, &own);
    }
    for ip in now.difference(&before) {
        let own = call.key(Kind::IPAddress, "", &ip.to_string());
        if call.world.store().object(&own).is_some() {
            continue;
        }
        let uid = super::names::uid_of(call.world, &own);
        let object = taken_by(key, *ip, &uid, &json!(call.world.stamp(call.world.now())));
        if let Ok(object) = Object::from_value(Kind::IPAddress, object) {
            call.world.put(server, None, call.cluster, object);
        }
    }
}

fn taken_by(service: &Key, ip: IpAddr, uid: &str, now: &Value) -> Value {
    let family = if ip.is_ipv6() { "IPv6" } else { "IPv4" };
    json!({
        "metadata": {"name": ip, "uid": uid, "creationTimestamp": now,
            "labels": {"ipaddress.kubernetes.io/ip-family": family, MANAGED_BY.0: MANAGED_BY.1}},
        "spec": {"parentRef": {"resource": "services", "namespace": &*service.namespace, "name": &*service.name}}})
}
