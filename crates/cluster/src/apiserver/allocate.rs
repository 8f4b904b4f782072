//! Which address and which node ports does a Service get?
//!
//! The range is cut in a lower band, for those that ask for a certain number, and an upper one, in which the server
//! begins at a random place and takes the first free number. Only when the upper band is full it takes from the lower.
//! Source: `pkg/registry/core/service/ipallocator/ipallocator.go`, `portallocator/allocator.go`
//! (`calculateRangeOffset`), `pkg/registry/core/service/storage/alloc.go`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use api::{
    ApiStatus, Cause, Kind, Object,
    k8s::core::v1::{Service, ServicePort, ServiceSpec},
    kinds::sim::ControlPlane,
};
use ipnet::IpNet;

use crate::{
    ClusterId, Store,
    apiserver::{Call, addresses, families},
    draw::draw,
};

/// Node ports of a cluster, unless its API server was started with others.
const NODE_PORTS: std::ops::RangeInclusive<i32> = 30000..=32767;

/// Brings the single and the plural form of the address together. Source: `normalizeClusterIPs`.
fn normalize_addresses(old: Option<&ServiceSpec>, service: &mut Service) {
    let Some(spec) = service.spec.as_mut() else { return };
    let single = spec.cluster_ip.clone().filter(|ip| !ip.is_empty());
    let same_list = spec.cluster_ips.is_none() || old.is_some_and(|old| old.cluster_ips == spec.cluster_ips);
    let same_single = old.is_some_and(|old| {
        old.cluster_ip.as_deref().unwrap_or_default() == single.as_deref().unwrap_or_default()
    });
    if same_list && !same_single {
        spec.cluster_ips = single.map(|ip| vec![ip]);
    }
}

/// Gives a new Service what it needs.
pub(super) fn on_create(call: &Call<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Service(service) = object else { return Ok(()) };
    normalize_addresses(None, service);
    families::settle(service, families::own(call.world.store(), call.cluster), None)?;
    address(call, service)?;
    node_ports(call, service)?;
    health_check_port(call, service, None)?;
    service.status.get_or_insert_default().load_balancer.get_or_insert_default();
    Ok(())
}

/// Keeps what the old Service has, drops what the new type has no use for, and gives what it needs beside it.
pub(super) fn on_update(call: &Call<'_>, old: &Object, object: &mut Object) -> Result<(), ApiStatus> {
    let (Object::Service(old), Object::Service(service)) = (old, object) else { return Ok(()) };
    let before = old.spec.clone().unwrap_or_default();
    keep_given(&before, service.spec.get_or_insert_default());
    normalize_addresses(Some(&before), service);
    families::settle(service, families::own(call.world.store(), call.cluster), Some(&before))?;
    let named = |spec: &ServiceSpec| kind_of(spec) == "ExternalName";
    if named(&before) && !service.spec.as_ref().is_some_and(named) {
        address(call, service)?;
    }
    changed_node_ports(call, service, &before)?;
    health_check_port(call, service, Some(&before))
}

/// What was given to the old Service and the new one does not mention. Source: `patchAllocatedValues`.
fn keep_given(before: &ServiceSpec, spec: &mut ServiceSpec) {
    let (named, names) = (kind_of(before) == "ExternalName", kind_of(spec) == "ExternalName");
    if !named && !names {
        if spec.cluster_ip.as_deref().unwrap_or_default().is_empty() {
            spec.cluster_ip.clone_from(&before.cluster_ip);
        }
        if spec.cluster_ips.as_ref().is_none_or(Vec::is_empty) {
            spec.cluster_ips.clone_from(&before.cluster_ips);
        }
    }
    if needs_node_ports(before) && needs_node_ports(spec) {
        let written: BTreeSet<i32> = numbers(spec).intersection(&numbers(before)).copied().collect();
        let name = |port: &ServicePort| port.name.clone().unwrap_or_default();
        for port in spec.ports.iter_mut().flatten().filter(|port| port.node_port.unwrap_or(0) == 0) {
            let had = before.ports.iter().flatten().find(|old| name(old) == name(port));
            port.node_port = had.and_then(|had| had.node_port).filter(|had| !written.contains(had));
        }
    }
    if needs_health_check_port(before) && needs_health_check_port(spec) {
        spec.health_check_node_port =
            spec.health_check_node_port.filter(|port| *port != 0).or(before.health_check_node_port);
    }
}

/// The node ports that are written.
fn numbers(spec: &ServiceSpec) -> BTreeSet<i32> {
    let ports = spec.ports.iter().flatten();
    ports.filter_map(|port| port.node_port).filter(|number| *number != 0).collect()
}

fn needs_health_check_port(spec: &ServiceSpec) -> bool {
    kind_of(spec) == "LoadBalancer" && spec.external_traffic_policy.as_deref() == Some("Local")
}

fn kind_of(spec: &ServiceSpec) -> &str {
    spec.type_.as_deref().unwrap_or("ClusterIP")
}

fn needs_node_ports(spec: &ServiceSpec) -> bool {
    match kind_of(spec) {
        "NodePort" => true,
        "LoadBalancer" => spec.allocate_load_balancer_node_ports.unwrap_or(true),
        _ => false,
    }
}

fn control_plane(store: &Store, cluster: ClusterId) -> Option<&ControlPlane> {
    store.list::<ControlPlane>(ClusterId::WORLD, None).find(|plane| plane.id == cluster.0)
}

fn refuse(service: &Service, field: String, message: String) -> ApiStatus {
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let cause = Cause { reason: "FieldValueInvalid".to_owned(), message, field };
    ApiStatus::invalid(Kind::Service, name, vec![cause])
}

fn address(call: &Call<'_>, service: &mut Service) -> Result<(), ApiStatus> {
    let spec = service.spec.get_or_insert_default();
    if kind_of(spec) == "ExternalName" {
        return Ok(());
    }
    let asked = spec.cluster_ip.clone().filter(|ip| !ip.is_empty());
    let asked = asked.or_else(|| spec.cluster_ips.as_ref().and_then(|ips| ips.first().cloned()));
    if asked.as_deref() == Some("None") {
        spec.cluster_ip.clone_from(&asked);
        spec.cluster_ips = Some(vec!["None".to_owned()]);
        return Ok(());
    }
    let Some(own) = control_plane(call.world.store(), call.cluster).map(|plane| plane.service_cidr) else {
        return Ok(());
    };
    let (blocks, used) = (addresses::blocks(call, own), addresses::taken(call));
    let address = match asked {
        Some(text) => {
            let refuse = |why: &str| {
                let message = format!("Invalid value: [\"{text}\"]: failed to allocate IP {text}: {why}");
                refuse(service, "spec.clusterIPs".to_owned(), message)
            };
            match api::validate::ip(&text) {
                Some(ip) if !blocks.iter().any(|block| is_usable(*block, ip)) => {
                    // Servers that do not keep addresses as objects yet word it in another way.
                    let words = if super::release(call.world, call.cluster).minor < 33 {
                        format!(
                            "the provided IP ({ip}) is not in the valid range. The range of valid IPs is {own}"
                        )
                    } else {
                        "the provided network does not match the current range".to_owned()
                    };
                    return Err(refuse(&words));
                }
                Some(ip) if used.contains(&ip) => return Err(refuse("provided IP is already allocated")),
                // It stays as it was written.
                Some(_) => text,
                None => return Err(refuse("invalid IP address")),
            }
        }
        // UPSTREAM: a dry run does not look for one that is free.
        None if call.dry_run => own.network().to_string(),
        None => {
            let free = blocks.iter().find_map(|block| free_address(call, service, *block, &used));
            free.ok_or_else(no_address_left)?.to_string()
        }
    };
    let spec = service.spec.get_or_insert_default();
    spec.cluster_ip = Some(address.clone());
    spec.cluster_ips = Some(vec![address]);
    Ok(())
}

/// Whether a Service can have an address: not the network's own and, of IPv4, the broadcast address.
fn is_usable(range: IpNet, ip: IpAddr) -> bool {
    range.contains(&ip) && ip != range.network() && (ip.is_ipv6() || ip != range.broadcast())
}

fn free_address(call: &Call<'_>, service: &Service, range: IpNet, used: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    // Usable: all but the network's own address and, of IPv4, the broadcast address.
    let hosts = u32::from(range.max_prefix_len() - range.prefix_len());
    let size = 1u64.checked_shl(hosts).unwrap_or(u64::MAX);
    let end = if range.addr().is_ipv6() { size } else { size - 1 };
    let lower = if size >= 32 { (size / 16).clamp(16, 256) } else { 0 };
    let key = call.key(
        Kind::Service,
        service.metadata.namespace.as_deref().unwrap_or_default(),
        &seed_name(service),
    );
    let draw = |n| {
        draw(call.world.seed(), "cluster-ip", &format!("{}/{key}@{}", call.cluster.0, call.world.now().0), n)
    };
    let bands = [(lower + 1, end), (1, lower + 1)];
    for (n, (first, end)) in (0..).zip(bands) {
        let width = end.saturating_sub(first);
        if width == 0 {
            continue;
        }
        let start = draw(n) % width;
        let free = (0..width)
            .filter_map(|step| nth(range, first + (start + step) % width))
            .find(|ip| !used.contains(ip));
        if free.is_some() {
            return free;
        }
    }
    None
}

fn no_address_left() -> ApiStatus {
    let why = "Internal error occurred: failed to allocate a serviceIP: range is full";
    super::status(500, "InternalError", why)
}

/// An address of a block by its place in it.
pub(crate) fn nth(range: IpNet, place: u64) -> Option<IpAddr> {
    let address = match range {
        IpNet::V4(range) => {
            let number = u32::from(range.network()).checked_add(u32::try_from(place).ok()?)?;
            IpAddr::V4(Ipv4Addr::from(number))
        }
        IpNet::V6(range) => {
            let number = u128::from(range.network()).checked_add(u128::from(place))?;
            IpAddr::V6(Ipv6Addr::from(number))
        }
    };
    range.contains(&address).then_some(address)
}

fn seed_name(service: &Service) -> String {
    service.metadata.name.clone().unwrap_or_default()
}

/// Numbers that other Services have, by protocol: one can serve TCP and UDP at once.
fn taken(call: &Call<'_>, service: &Service) -> BTreeSet<i32> {
    let own = service.metadata.uid.as_deref();
    let others = call.world.store().list::<Service>(call.cluster, None);
    let others =
        others.filter(|other| other.metadata.uid.as_deref() != own).filter_map(|it| it.spec.as_ref());
    others
        .flat_map(|spec| {
            let health = spec.health_check_node_port.filter(|port| *port != 0);
            spec.ports.iter().flatten().filter_map(|port| port.node_port).chain(health)
        })
        .collect()
}

/// Reserves a number that is asked for.
fn reserve(call: &Call<'_>, used: &mut BTreeSet<i32>, number: i32) -> Result<(), String> {
    // UPSTREAM: a dry run does not look at the range.
    if !call.dry_run && !NODE_PORTS.contains(&number) {
        return Err(format!(
            "provided port is not in the valid range. The range of valid ports is {}-{}",
            NODE_PORTS.start(),
            NODE_PORTS.end()
        ));
    }
    if used.insert(number) { Ok(()) } else { Err("provided port is already allocated".to_owned()) }
}

fn no_port_left() -> ApiStatus {
    let why = "Internal error occurred: failed to allocate a nodePort: range is full";
    super::status(500, "InternalError", why)
}

/// Gives the ports of a new Service their numbers; one port has one number under every protocol. Source: `initNodePorts`.
fn node_ports(call: &Call<'_>, service: &mut Service) -> Result<(), ApiStatus> {
    let spec = service.spec.clone().unwrap_or_default();
    if !matches!(kind_of(&spec), "NodePort" | "LoadBalancer") {
        return Ok(());
    }
    let mut used = taken(call, service);
    let mut ports = spec.ports.clone().unwrap_or_default();
    let mut given: BTreeMap<i32, i32> = BTreeMap::new();
    for index in 0..ports.len() {
        let (port, number) = (ports[index].port, ports[index].node_port.unwrap_or(0));
        if number == 0 && !needs_node_ports(&spec) {
            continue;
        }
        let wrong = |number: i32, why: String| {
            let field = format!("spec.ports[{index}].nodePort");
            refuse(service, field, format!("Invalid value: {number}: {why}"))
        };
        match given.get(&port) {
            None => {
                let asked = ports.iter().filter(|it| it.port == port).filter_map(|it| it.node_port);
                let chosen = match asked.into_iter().find(|number| *number != 0) {
                    Some(asked) => {
                        reserve(call, &mut used, asked).map_err(|why| wrong(asked, why))?;
                        asked
                    }
                    None => {
                        let free = free_port(call, service, index, &used).ok_or_else(no_port_left)?;
                        used.insert(free);
                        free
                    }
                };
                ports[index].node_port = Some(chosen);
                given.insert(port, chosen);
            }
            Some(same) if number == 0 => ports[index].node_port = Some(*same),
            Some(same) if *same == number => {}
            Some(_) => reserve(call, &mut used, number).map_err(|why| wrong(number, why))?,
        }
    }
    service.spec.get_or_insert_default().ports = Some(ports);
    Ok(())
}

/// Gives the new ports of a changed Service their numbers. Source: `updateNodePorts`.
fn changed_node_ports(call: &Call<'_>, service: &mut Service, before: &ServiceSpec) -> Result<(), ApiStatus> {
    let spec = service.spec.clone().unwrap_or_default();
    if !matches!(kind_of(&spec), "NodePort" | "LoadBalancer") {
        return Ok(());
    }
    let had = numbers(before);
    let mut used = taken(call, service);
    used.extend(&had);
    let mut ports = spec.ports.clone().unwrap_or_default();
    let (mut reserved, mut met) = (BTreeSet::new(), BTreeSet::new());
    for (index, port) in ports.iter_mut().enumerate() {
        let number = match port.node_port.filter(|number| *number != 0) {
            None if !needs_node_ports(&spec) => continue,
            None => {
                let free = free_port(call, service, index, &used).ok_or_else(no_port_left)?;
                used.insert(free);
                free
            }
            Some(number) => {
                if !had.contains(&number) && reserved.insert(number) {
                    reserve(call, &mut used, number).map_err(|why| {
                        let field = format!("spec.ports[{index}].nodePort");
                        refuse(service, field, format!("Invalid value: {number}: {why}"))
                    })?;
                }
                number
            }
        };
        port.node_port = Some(number);
        let protocol = protocol(port);
        if !met.insert((protocol.clone(), number)) {
            return Err(super::status(500, "", format!("duplicate nodePort: {{{protocol} {number}}}")));
        }
    }
    service.spec.get_or_insert_default().ports = Some(ports);
    Ok(())
}

/// Gives a balanced Service that keeps traffic on its nodes a port that says whether a node has endpoints.
fn health_check_port(
    call: &Call<'_>,
    service: &mut Service,
    before: Option<&ServiceSpec>,
) -> Result<(), ApiStatus> {
    let spec = service.spec.clone().unwrap_or_default();
    if !needs_health_check_port(&spec) || before.is_some_and(needs_health_check_port) {
        return Ok(());
    }
    let mut used = taken(call, service);
    used.extend(numbers(&spec));
    let number = match spec.health_check_node_port.filter(|number| *number != 0) {
        Some(number) => {
            reserve(call, &mut used, number).map_err(|why| {
                let why = format!("failed to allocate requested HealthCheck NodePort {number}: {why}");
                super::status(500, "InternalError", format!("Internal error occurred: {why}"))
            })?;
            number
        }
        None => free_port(call, service, usize::MAX, &used).ok_or_else(no_port_left)?,
    };
    service.spec.get_or_insert_default().health_check_node_port = Some(number);
    Ok(())
}

fn protocol(port: &ServicePort) -> String {
    port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())
}

/// Like an address: first the upper band from a random place, then the lower.
fn free_port(call: &Call<'_>, service: &Service, index: usize, used: &BTreeSet<i32>) -> Option<i32> {
    let size = NODE_PORTS.end() - NODE_PORTS.start() + 1;
    let band = (size / 32).clamp(16, 128);
    let upper = NODE_PORTS.start() + band;
    let key = call.key(
        Kind::Service,
        service.metadata.namespace.as_deref().unwrap_or_default(),
        &seed_name(service),
    );
    let seed = format!("{}/{key}@{}", call.cluster.0, call.world.now().0);
    let draw = draw(call.world.seed(), "node-port", &seed, index as u64);
    let width = NODE_PORTS.end() - upper + 1;
    let start = i32::try_from(draw % u64::from(width.unsigned_abs())).unwrap_or(0);
    let above = (0..width).map(|step| upper + (start + step) % width);
    let below = *NODE_PORTS.start()..upper;
    above.chain(below).find(|number| !used.contains(number))
}
