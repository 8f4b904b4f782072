//! Paths in English.

use network::{Edit, HopKind, security_group::Direction};

use crate::words::path::{pairs, peer, ports};

/// What a hop is.
#[must_use]
pub fn hop(kind: HopKind) -> &'static str {
    match kind {
        HopKind::Pod => "Pod",
        HopKind::Veth => "veth of",
        HopKind::Node => "Node",
        HopKind::PolicyEgress => "NetworkPolicy, out",
        HopKind::PolicyIngress => "NetworkPolicy, in",
        HopKind::KubeProxy => "kube-proxy",
        HopKind::Dnat => "New destination",
        HopKind::Snat => "New source",
        HopKind::Masq => "Masquerade",
        HopKind::Dns => "Name",
        HopKind::Eni => "ENI",
        HopKind::SgOut => "Security group out,",
        HopKind::SgIn => "Security group in,",
        HopKind::NaclOut => "Network ACL out,",
        HopKind::NaclIn => "Network ACL in,",
        HopKind::Route => "Route table",
        HopKind::Nat => "NAT gateway",
        HopKind::Igw => "Internet gateway",
        HopKind::Pcx => "Peering",
        HopKind::Vgw => "VPN gateway",
        HopKind::Tgw => "Transit gateway",
        HopKind::Vpce => "VPC endpoint",
        HopKind::XEni => "Cross-account ENI",
        HopKind::PublicEndpoint => "Public endpoint",
        HopKind::ApiServer => "API server",
        HopKind::Nlb => "NLB",
        HopKind::Alb => "ALB",
        HopKind::Clb => "CLB",
        HopKind::Target => "Target",
        HopKind::External => "Outside",
        HopKind::Internet => "Internet",
        HopKind::Aws => "AWS service",
        HopKind::Lo => "Loopback",
        HopKind::Host => "Host",
    }
}

/// Why it stops. `parts` is the code, cut at its colons.
#[must_use]
pub fn blocker(parts: &[&str]) -> String {
    match parts {
        ["sg", "out", eni] => format!("No outbound rule of {eni}'s security groups allows it."),
        ["sg", "in", eni] => format!("No inbound rule of {eni}'s security groups allows it."),
        ["nacl", way, acl, rule] if way.starts_with("return") => {
            format!("The request passes, but {acl} rule {rule} denies the reply: network ACLs keep no state.")
        }
        ["nacl", _, acl, rule] => format!("Network ACL {acl} rule {rule} denies it."),
        ["route", "none", table, ip] => format!("Route table {table} has no route for {ip}."),
        ["route", "blackhole", table, to] => {
            format!("Route {to} in {table} leads to a target that no longer exists.")
        }
        ["route", "subnet-not-public", subnet] => {
            format!("{subnet} has no route to an internet gateway, so nothing from the internet gets in.")
        }
        ["route", "nat-no-igw", table] => {
            format!("The NAT gateway's own subnet ({table}) does not lead to an internet gateway.")
        }
        ["route", _, table, ..] => format!("A more specific route of {table} sends it elsewhere."),
        ["igw", "no-public-ip", ip] => {
            format!("{ip} has no public address, and an internet gateway translates for no other.")
        }
        ["igw", _, ip] => format!("The best route for {ip} leads to the internet, but {ip} is private."),
        ["nat", state, id] => format!("NAT gateway {id} is {state}."),
        ["gateway", _, id] => format!("{id} does not lead to that network."),
        ["return-route", _, by, ip] => format!("The way back is missing: {by} has no route to {ip}."),
        ["svc", "no-port", service, port] => format!("Service {service} declares no port {port}."),
        ["svc", "no-endpoints", service] => {
            format!("Service {service} has no ready endpoint: look at its selector and at readiness.")
        }
        ["svc", "no-rule", node, service] => {
            format!(
                "The rules of {node} do not know Service {service}: its kube-proxy did not run when it came."
            )
        }
        ["svc", _, pod, name] => format!("No container of {pod} names a port {name:?}."),
        ["itp-local", _, service] => {
            format!("internalTrafficPolicy of {service} is Local, and this node has no ready endpoint.")
        }
        ["etp-local", _, node, service] => {
            format!("externalTrafficPolicy of {service} is Local, and {node} has no ready endpoint.")
        }
        ["clusterip", _, ip] => {
            format!("{ip} exists only in the rules of cluster nodes; outside them nobody answers for it.")
        }
        ["policy", way, pod, names] => {
            let way = if *way == "ingress" { "incoming" } else { "outgoing" };
            format!("{pod} is isolated for {way} traffic by {names}, and no rule of theirs lets this pass.")
        }
        ["pod" | "external", "refused", name, port] => {
            format!("It gets to {name}, but nothing listens on {port}.")
        }
        ["api", "cidr-not-allowed", ip] => format!("{ip} is not in publicAccessCidrs."),
        ["api", "public-disabled"] => "Public access to the endpoint is off.".to_owned(),
        ["api", ..] => {
            "The name answers addresses inside the VPC, and there is no way into it from here.".to_owned()
        }
        ["lb", "internal", ..] => "The load balancer is internal: it has no public address.".to_owned(),
        ["lb", "no-listener", service, port] => {
            format!("The load balancer of {service} does not listen on {port}.")
        }
        ["lb", "source-ranges", ip] => format!("{ip} is not in loadBalancerSourceRanges."),
        ["lb", ..] => "The load balancer has no healthy target.".to_owned(),
        ["hybrid", what, ip] => format!("The control plane was not told of {ip} ({what})."),
        ["dns", _, name] => format!("The name {name} has no records."),
        other => other.join(":"),
    }
}

/// A change that lets a packet through.
#[must_use]
pub fn edit(edit: &Edit) -> String {
    let way = |direction: &Direction| match direction {
        Direction::In => "in from",
        Direction::Out => "out to",
    };
    match edit {
        Edit::SecurityGroupRule { group, direction, rule } => {
            let ports = ports(rule.from, rule.to).unwrap_or_else(|| "everything".to_owned());
            format!("security group {group}: allow {ports} {} {}", way(direction), rule.peer)
        }
        Edit::NaclRule { acl, direction, rule } => {
            let ports = ports(rule.from, rule.to).unwrap_or_else(|| "everything".to_owned());
            format!("network ACL {acl}: rule {} allows {ports} {} {}", rule.n, way(direction), rule.cidr)
        }
        Edit::Route { table, destination, target } => {
            format!("route table {table}: {destination} → {target}")
        }
        Edit::ReturnRoute { gateway, source } => {
            format!("the network behind {gateway}: a route back to {source}")
        }
        Edit::PublicAccess => "API endpoint: public access on".to_owned(),
        Edit::PublicCidr { block } => format!("publicAccessCidrs: add {block}"),
        Edit::PolicyRule { namespace, policy, direction, peer: whom, protocol, port } => {
            let whom = peer(whom);
            format!("NetworkPolicy {namespace}/{policy}: allow {protocol} {port} {} {whom}", way(direction))
        }
        Edit::ServicePort { service, port, target, .. } => {
            format!("Service {service}: add port {port} → {target}")
        }
        Edit::TargetPort { service, port, target } => {
            format!("Service {service}: targetPort of {port} becomes {target}")
        }
        Edit::Selector { service, selector } => {
            format!("Service {service}: select {}", pairs(selector))
        }
        Edit::TrafficPolicy { service, external: true } => {
            format!("Service {service}: externalTrafficPolicy Cluster")
        }
        Edit::TrafficPolicy { service, external: false } => {
            format!("Service {service}: internalTrafficPolicy Cluster")
        }
        Edit::SourceRange { service, block } => {
            format!("Service {service}: loadBalancerSourceRanges gets {block}")
        }
        Edit::RemoteNetwork { pods: true, block } => format!("remotePodNetworks: add {block}"),
        Edit::RemoteNetwork { pods: false, block } => format!("remoteNodeNetworks: add {block}"),
        Edit::DnsSupport => "VPC: enableDnsSupport on".to_owned(),
    }
}
