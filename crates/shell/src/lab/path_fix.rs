//! `lab fix FROM TO`: the smallest changes that let a packet through, and what one would type for them.
//!
//! Only reads. What lies in somebody else's hands (the far side of a peering, a network on premises) has no line to type.

use api::{Resource, kinds::sim::ControlPlane};
use cluster::{ClusterId, World, path};
use network::{
    Edit, Network, Peer, Probe, network::Service, policy_peer, security_group::Direction, smallest_fixes,
};
use serde_json::{Value, json};

use super::trace;
use crate::{eval::Flow, flag::Given, tool::Call};

/// Changes that let a packet through.
#[derive(Clone, Debug, PartialEq)]
pub struct PathFix {
    /// What changes.
    pub edits: Vec<Edit>,
    /// What one would type; shorter than the edits where some lie in somebody else's hands.
    pub lines: Vec<String>,
}

impl PathFix {
    /// Whether lines are all that it takes.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.lines.len() == self.edits.len()
    }
}

/// The smallest changes with which a probe arrives; none where it does, or never will.
#[must_use]
pub fn path_fixes(world: &World, cluster: ClusterId, network: &Network, probe: &Probe) -> Vec<PathFix> {
    let name = name_of(world, cluster);
    let lines = |edits: &[Edit]| edits.iter().filter_map(|it| typed(network, &name, it)).collect();
    let fixes = smallest_fixes(network, probe).into_iter();
    fixes.map(|fix| PathFix { lines: lines(&fix.edits), edits: fix.edits }).collect()
}

/// `lab fix FROM TO[:PORT] [--json]`.
pub(super) fn run(call: &mut Call<'_, '_>, given: &Given) -> Result<i32, Flow> {
    let [from, to] = given.args.as_slice() else { return Ok(super::usage(call, "fix")) };
    let cluster = trace::current(call);
    let world = &*call.shell.world;
    let network = cluster::network::of(world, cluster);
    // The backend that `lab trace` would choose now.
    let probe = match path::probe(&network, from, to, world.seed(), world.facts().len() as u64) {
        Ok(probe) => probe,
        Err(error) => return Ok(trace::unknown(call, error)),
    };
    let now = network::trace(&network, &probe);
    if now.reachable() {
        call.out.line(&format!("{from} → {to}: reached as it is"));
        return Ok(0);
    }
    let fixes = path_fixes(world, cluster, &network, &probe);
    let exit = i32::from(fixes.is_empty());
    if given.on("json") {
        let fixes = fixes.iter().map(|fix| json!({"edits": fix.edits, "commands": fix.lines}));
        let all =
            json!({"from": from, "to": to, "blockers": now.blockers, "fixes": fixes.collect::<Vec<_>>()});
        call.out.line(&format!("{all:#}"));
        return Ok(exit);
    }
    let codes: Vec<&str> = now.blockers.iter().map(|it| it.code.as_str()).collect();
    call.out.line(&format!("{from} → {to}: blocked by {}", codes.join(", ")));
    if fixes.is_empty() {
        call.out.line("no small change helps");
    }
    for (number, fix) in (1..).zip(&fixes) {
        let edits: Vec<String> = fix.edits.iter().map(words).collect();
        call.out.line(&format!("{number}. {}", edits.join(" + ")));
        for line in &fix.lines {
            call.out.line(&format!("   {line}"));
        }
    }
    Ok(exit)
}

/// What the cluster is called.
fn name_of(world: &World, cluster: ClusterId) -> String {
    let planes = world.store().list::<ControlPlane>(ClusterId::WORLD, None);
    let found = planes.into_iter().find(|it| it.id == cluster.0);
    found.and_then(|it| it.meta().name.clone()).unwrap_or_default()
}

/// An edit in a few words.
fn words(edit: &Edit) -> String {
    let way = |direction: &Direction| match direction {
        Direction::In => "from",
        Direction::Out => "to",
    };
    match edit {
        Edit::SecurityGroupRule { group, direction, rule } => {
            let port = rule.from.map_or_else(|| "all".to_owned(), |port| port.to_string());
            format!("{group} allows {} {port} {} {}", rule.proto, way(direction), rule.peer)
        }
        Edit::NaclRule { acl, direction, rule } => {
            let ports = match (rule.from, rule.to) {
                (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
                (first, _) => first.map_or_else(|| "all".to_owned(), |port| port.to_string()),
            };
            let (proto, cidr) = (&rule.proto, rule.cidr);
            format!("{acl} rule {} allows {proto} {ports} {} {cidr}", rule.n, way(direction))
        }
        Edit::Route { table, destination, target } => format!("{table}: {destination} → {target}"),
        Edit::ReturnRoute { gateway, source } => format!("behind {gateway}: a route back to {source}"),
        Edit::PublicAccess => "public access to the API endpoint".to_owned(),
        Edit::PublicCidr { block } => format!("publicAccessCidrs with {block}"),
        Edit::PolicyRule { namespace, policy, direction, peer, protocol, port } => {
            let peer = match peer {
                Peer::Pods { namespace, labels } => {
                    let labels: Vec<String> =
                        labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    format!("{namespace}/{}", labels.join(","))
                }
                Peer::Block(block) => block.to_string(),
            };
            format!("networkpolicy {namespace}/{policy} allows {protocol} {port} {} {peer}", way(direction))
        }
        Edit::ServicePort { service, port, target, .. } => {
            format!("service {service}: port {port} → {target}")
        }
        Edit::TargetPort { service, port, target } => {
            format!("service {service}: targetPort of {port} → {target}")
        }
        Edit::Selector { service, selector } => {
            let labels: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("service {service}: selector {}", labels.join(","))
        }
        Edit::TrafficPolicy { service, external } => {
            format!("service {service}: {} Cluster", policy_field(*external))
        }
        Edit::SourceRange { service, block } => {
            format!("service {service}: loadBalancerSourceRanges with {block}")
        }
        Edit::RemoteNetwork { pods: true, block } => format!("remotePodNetworks with {block}"),
        Edit::RemoteNetwork { pods: false, block } => format!("remoteNodeNetworks with {block}"),
        Edit::DnsSupport => "enableDnsSupport of the VPC".to_owned(),
    }
}

fn policy_field(external: bool) -> &'static str {
    if external { "externalTrafficPolicy" } else { "internalTrafficPolicy" }
}

/// The line that makes an edit, in a cluster of that name; `None` where there is none.
fn typed(network: &Network, cluster: &str, edit: &Edit) -> Option<String> {
    Some(match edit {
        Edit::SecurityGroupRule { group, direction, rule } => {
            let (proto, port) = (&rule.proto, rule.from?);
            let by_group = rule.peer.starts_with("sg-");
            match direction {
                Direction::In => {
                    let peer = if by_group { "--source-group" } else { "--cidr" };
                    format!(
                        "aws ec2 authorize-security-group-ingress --group-id {group} --protocol {proto} --port {port} {peer} {}",
                        rule.peer
                    )
                }
                Direction::Out => {
                    let peer = if by_group {
                        format!("UserIdGroupPairs=[{{GroupId={}}}]", rule.peer)
                    } else {
                        format!("IpRanges=[{{CidrIp={}}}]", rule.peer)
                    };
                    format!(
                        "aws ec2 authorize-security-group-egress --group-id {group} --ip-permissions \
                         'IpProtocol={proto},FromPort={port},ToPort={port},{peer}'"
                    )
                }
            }
        }
        Edit::NaclRule { acl, direction, rule } => format!(
            "aws ec2 create-network-acl-entry --network-acl-id {acl} {} --rule-number {} --protocol {} --port-range \
             From={},To={} --cidr-block {} --rule-action allow",
            if *direction == Direction::In { "--ingress" } else { "--egress" },
            rule.n,
            rule.proto,
            rule.from?,
            rule.to?,
            rule.cidr
        ),
        Edit::Route { table, destination, target } => route(network, table, destination, target)?,
        Edit::PublicAccess => format!(
            "aws eks update-cluster-config --name {cluster} --resources-vpc-config endpointPublicAccess=true"
        ),
        Edit::PublicCidr { block } => {
            let known = network.cluster.endpoint.public_cidrs.iter().chain([block]);
            let all: Vec<String> = known.map(ToString::to_string).collect();
            format!(
                "aws eks update-cluster-config --name {cluster} --resources-vpc-config publicAccessCidrs={}",
                all.join(",")
            )
        }
        Edit::PolicyRule { namespace, policy, direction, peer, protocol, port } => {
            let found =
                network.policies.iter().find(|it| it.namespace == *namespace && it.name == *policy)?;
            let peer = serde_json::to_value(policy_peer(namespace, peer)).ok()?;
            let ports = json!([{"port": port, "protocol": protocol}]);
            let (field, rule, is_there) = match direction {
                Direction::In => {
                    ("ingress", json!({"from": [peer], "ports": ports}), found.spec.ingress.is_some())
                }
                Direction::Out => {
                    ("egress", json!({"to": [peer], "ports": ports}), found.spec.egress.is_some())
                }
            };
            let patch = if is_there {
                json!([{"op": "add", "path": format!("/spec/{field}/-"), "value": rule}])
            } else {
                json!([{"op": "add", "path": format!("/spec/{field}"), "value": [rule]}])
            };
            format!("kubectl patch networkpolicy {policy} -n {namespace} --type json -p '{patch}'")
        }
        Edit::ServicePort { service, port, target, protocol } => {
            let found = service_of(network, service)?;
            // Of several ports each must have a name.
            let unnamed = found.ports.iter().enumerate().filter(|(_, it)| it.name.is_none());
            let mut patch: Vec<Value> = unnamed
                .map(|(at, it)| {
                    json!({"op": "add", "path": format!("/spec/ports/{at}/name"), "value": format!("port-{}", it.port)})
                })
                .collect();
            patch
                .push(json!({"op": "add", "path": "/spec/ports/-", "value": {"name": format!("port-{port}"),
                "port": port, "protocol": protocol, "targetPort": target}}));
            on_service(service, "json", &Value::Array(patch))
        }
        Edit::TargetPort { service, port, target } => {
            let at = service_of(network, service)?.ports.iter().position(|it| it.port == *port)?;
            let path = format!("/spec/ports/{at}/targetPort");
            on_service(service, "json", &json!([{"op": "add", "path": path, "value": target}]))
        }
        Edit::Selector { service, selector } => {
            let (namespace, name) = service.split_once('/')?;
            let labels: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("kubectl set selector service {name} {} -n {namespace}", labels.join(","))
        }
        Edit::TrafficPolicy { service, external } => {
            on_service(service, "merge", &json!({"spec": {policy_field(*external): "Cluster"}}))
        }
        Edit::SourceRange { service, block } => {
            let patch = json!([{"op": "add", "path": "/spec/loadBalancerSourceRanges/-", "value": block}]);
            on_service(service, "json", &patch)
        }
        Edit::ReturnRoute { .. } | Edit::RemoteNetwork { .. } | Edit::DnsSupport => return None,
    })
}

fn service_of<'n>(network: &'n Network, id: &str) -> Option<&'n Service> {
    network.services.iter().find(|it| it.id() == id)
}

fn on_service(id: &str, how: &str, patch: &Value) -> String {
    let (namespace, name) = id.split_once('/').unwrap_or(("default", id));
    format!("kubectl patch service {name} -n {namespace} --type {how} -p '{patch}'")
}

/// A route that is new, or in place of the one that the table has.
fn route(network: &Network, table: &str, destination: &str, target: &str) -> Option<String> {
    let found = network.route_tables.iter().find(|it| it.id == table)?;
    let verb =
        if found.routes.iter().any(|it| it.dst == destination) { "replace-route" } else { "create-route" };
    let block =
        if destination.contains(':') { "--destination-ipv6-cidr-block" } else { "--destination-cidr-block" };
    let by = match target.split('-').next()? {
        "nat" => "--nat-gateway-id",
        "pcx" => "--vpc-peering-connection-id",
        "tgw" => "--transit-gateway-id",
        "igw" | "vgw" => "--gateway-id",
        _ => return None,
    };
    Some(format!("aws ec2 {verb} --route-table-id {table} {block} {destination} {by} {target}"))
}
