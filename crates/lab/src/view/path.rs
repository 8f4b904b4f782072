//! What does a traced path show?
//!
//! [`path`] turns a trace into the rows of the hop list; [`line`] lays the same path over the picture. Hops after the
//! first blocker are ghosts: where it would go on.

mod line;

use std::collections::BTreeSet;

pub use cluster::path::{Matrix, Scope};
use cluster::{ClusterId, World, path::Traced};
use network::{HopKind, Network, Packet, Probe, Rule, iptables};
pub use network::{Verdict, iptables::Step};
pub use shell::lab::path_fix::PathFix;
use shell::lab::path_fix::path_fixes;

pub use line::{PathLine, PathMark, line, thread};

/// A path as the page lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct PathView {
    /// Where it begins, as it was asked for: `ext:laptop`, `pod:default/web`.
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// The port asked for.
    pub port: u16,
    /// How it ended.
    pub verdict: Verdict,
    /// Number of hops passed before the first blocker.
    pub passed: usize,
    /// Hops and blockers in travel order.
    pub rows: Vec<PathRow>,
    /// Who else a Service could have picked, and whether it was this one.
    pub backends: Vec<BackendShare>,
    /// The smallest changes that would let it through.
    pub fixes: Vec<PathFix>,
    /// Asks for it once more.
    pub again: String,
}

/// One row of the list.
#[derive(Clone, Debug, PartialEq)]
pub enum PathRow {
    /// A place on the way.
    Hop(PathHop),
    /// What stops it: the code of the recorded cases.
    Blocker(String),
}

/// One place on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct PathHop {
    /// From 1; none for a ghost.
    pub number: Option<usize>,
    /// What it is.
    pub kind: HopKind,
    /// Which one; empty where there is only one.
    pub component: String,
    /// What decided.
    pub rule: Rule,
    /// The packet as it enters.
    pub packet: Packet,
    /// Where it is in the picture.
    pub at: Option<String>,
    /// The rules of kube-proxy that it meets here.
    pub rules: Vec<Step>,
}

/// A backend's share of new connections.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendShare {
    /// `ns/name`, or an address.
    pub name: String,
    /// One in so many.
    pub one_in: u32,
    /// Whether this connection got it.
    pub picked: bool,
}

/// Every end that a path can have, as `lab trace` calls them.
#[must_use]
pub fn ends(world: &World, cluster: ClusterId) -> Vec<String> {
    cluster::path::ends(&cluster::network::of(world, cluster))
}

/// The namespaces whose pods could be asked about: those that have some with an address.
#[must_use]
pub fn namespaces(world: &World, cluster: ClusterId) -> Vec<String> {
    let network = cluster::network::of(world, cluster);
    let all: BTreeSet<String> =
        network.pods.into_iter().filter(|it| it.ip.is_some()).map(|it| it.ns).collect();
    all.into_iter().collect()
}

/// Who reaches whom by TCP, on one port or else on each one's usual port.
#[must_use]
pub fn matrix(world: &World, cluster: ClusterId, scope: &Scope, port: Option<u16>) -> Matrix {
    cluster::path::matrix(&cluster::network::of(world, cluster), scope, port, "TCP")
}

/// What `lab trace` calls a thing of the scene; none if no packet can begin or end there.
///
/// ```
/// use lab::view::path::said;
/// assert_eq!(said("Pod/default/web-1").as_deref(), Some("pod/web-1"));
/// assert_eq!(said("Service/kube-system/kube-dns").as_deref(), Some("svc/kube-system/kube-dns"));
/// assert_eq!(said("Subnet/subnet-1"), None);
/// ```
#[must_use]
pub fn said(id: &str) -> Option<String> {
    let (kind, name) = id.split_once('/').unwrap_or((id, ""));
    let short = name.strip_prefix("default/").unwrap_or(name);
    match kind {
        "Node" => Some(format!("Node/{name}")),
        "Pod" => Some(format!("pod/{short}")),
        "Service" => Some(format!("svc/{short}")),
        "ControlPlane" => Some("api".to_owned()),
        _ => None,
    }
}

/// The rows of a path traced in a world as it is, and what would mend it there.
#[must_use]
pub fn path(world: &World, cluster: ClusterId, traced: &Traced) -> PathView {
    let network = cluster::network::of(world, cluster);
    let fixes = if traced.trace.reachable() {
        Vec::new()
    } else {
        path_fixes(world, cluster, &network, &traced.probe)
    };
    let mut view = PathView { fixes, ..listed(traced) };
    let rules = rules(&network, traced);
    let proxies = view.rows.iter_mut().filter_map(|row| match row {
        PathRow::Hop(hop) if hop.kind == HopKind::KubeProxy => Some(hop),
        PathRow::Hop(_) | PathRow::Blocker(_) => None,
    });
    proxies.zip(rules).for_each(|(hop, rules)| hop.rules = rules);
    view
}

/// What each kube-proxy on the way has written of the Service that was asked for.
fn rules(network: &Network, traced: &Traced) -> Vec<Vec<Step>> {
    let Traced { probe, trace } = traced;
    let (mut node, mut found) = (None, Vec::new());
    for (index, hop) in trace.hops.iter().enumerate() {
        match hop.kind {
            HopKind::Node => node = network.nodes.iter().find(|it| it.name == hop.component),
            HopKind::KubeProxy => {
                let after = trace.hops.get(index + 1).filter(|it| it.kind == HopKind::Dnat);
                let known = node.map_or_else(Vec::new, |node| iptables::of_services(network, node));
                let by_node_port = |it: &iptables::ServiceRules| it.node_port == Some(hop.packet.port);
                let asked = known.iter().find(|it| {
                    let by_address =
                        it.cluster_ip.parse() == Ok(hop.packet.dst) && it.port == hop.packet.port;
                    it.proto.eq_ignore_ascii_case(&probe.proto) && (by_address || by_node_port(it))
                });
                found.push(asked.zip(after).map_or_else(Vec::new, |(it, after)| {
                    let by_address = it.cluster_ip.parse() == Ok(hop.packet.dst);
                    iptables::walk(it, !by_address, &hop.packet.src.to_string(), &after.component)
                }));
            }
            _ => {}
        }
    }
    found
}

fn listed(traced: &Traced) -> PathView {
    let trace = &traced.trace;
    let mut rows = Vec::new();
    let mut blockers = trace.blockers.iter().peekable();
    let (mut node, mut passed) = (None, 0);
    for (index, hop) in trace.hops.iter().enumerate() {
        while let Some(blocker) = blockers.next_if(|it| it.after <= index) {
            rows.push(PathRow::Blocker(blocker.code.clone()));
        }
        if hop.kind == HopKind::Node {
            node = Some(format!("Node/{}", hop.component));
        }
        if !hop.ghost {
            passed += 1;
        }
        rows.push(PathRow::Hop(PathHop {
            number: (!hop.ghost).then_some(index + 1),
            kind: hop.kind,
            component: hop.component.clone(),
            rule: hop.rule.clone(),
            packet: hop.packet,
            at: place(hop.kind, &hop.component, node.as_deref()),
            rules: Vec::new(),
        }));
    }
    rows.extend(blockers.map(|blocker| PathRow::Blocker(blocker.code.clone())));
    let picked = trace.hops.iter().rev().find(|hop| hop.kind == HopKind::Dnat);
    let picked = picked.and_then(|hop| hop.component.rsplit_once(':')).map(|(ip, _)| ip.to_owned());
    let backends = trace
        .backends
        .iter()
        .map(|it| BackendShare {
            name: it.pod.clone().unwrap_or_else(|| it.ip.to_string()),
            one_in: it.one_in,
            picked: picked.as_deref() == Some(it.ip.to_string().as_str()),
        })
        .collect();
    let Probe { from, to, port, proto, .. } = &traced.probe;
    let udp = if proto == "UDP" { " --proto udp" } else { "" };
    let again = format!("lab trace {} {}:{port}{udp}", cluster::path::said(from), cluster::path::said(to));
    PathView {
        from: from.clone(),
        to: to.clone(),
        port: *port,
        verdict: trace.verdict(),
        passed,
        rows,
        backends,
        fixes: Vec::new(),
        again,
    }
}

/// Where a hop is in the picture; rules of a node are where the node is.
fn place(kind: HopKind, component: &str, node: Option<&str>) -> Option<String> {
    match kind {
        HopKind::Pod | HopKind::Veth | HopKind::PolicyEgress | HopKind::PolicyIngress => {
            Some(format!("Pod/{component}"))
        }
        HopKind::Node => Some(format!("Node/{component}")),
        HopKind::KubeProxy | HopKind::Dnat | HopKind::Snat | HopKind::Masq | HopKind::Lo => {
            node.map(str::to_owned)
        }
        HopKind::Eni | HopKind::SgOut | HopKind::SgIn | HopKind::XEni => Some(format!("Eni/{component}")),
        HopKind::Nat => Some(format!("NatGateway/{component}")),
        HopKind::Igw => Some(format!("InternetGateway/{component}")),
        HopKind::Internet => Some("Internet".to_owned()),
        HopKind::External | HopKind::Host => Some(format!("Actor/{component}")),
        HopKind::ApiServer | HopKind::PublicEndpoint => Some("ControlPlane/api".to_owned()),
        HopKind::Dns
        | HopKind::NaclOut
        | HopKind::NaclIn
        | HopKind::Route
        | HopKind::Pcx
        | HopKind::Vgw
        | HopKind::Tgw
        | HopKind::Vpce
        | HopKind::Nlb
        | HopKind::Alb
        | HopKind::Clb
        | HopKind::Target
        | HopKind::Aws => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use network::{Blocker, Hop, Trace};

    use super::*;

    fn hop(kind: HopKind, component: &str, ghost: bool) -> Hop {
        let here = IpAddr::from([127, 0, 0, 1]);
        let packet = Packet { src: here, dst: here, port: 80 };
        Hop { kind, component: component.to_owned(), packet, rule: Rule::Passage, ghost }
    }

    fn blocked() -> Traced {
        let trace = Trace {
            hops: vec![
                hop(HopKind::Pod, "default/a", false),
                hop(HopKind::Eni, "eni-1", false),
                hop(HopKind::Pod, "default/b", true),
            ],
            blockers: vec![Blocker {
                code: "sg:in:eni-2".to_owned(),
                after: 2,
                packet: hop(HopKind::Pod, "", false).packet,
            }],
            ..Trace::default()
        };
        Traced { probe: Probe::default(), trace }
    }

    #[test]
    fn a_blocker_stands_where_it_stops_and_what_follows_has_no_number() {
        let view = listed(&blocked());
        assert_eq!(view.verdict, Verdict::TimedOut);
        assert_eq!(view.passed, 2);
        assert!(matches!(&view.rows[2], PathRow::Blocker(code) if code == "sg:in:eni-2"));
        assert!(matches!(&view.rows[3], PathRow::Hop(hop) if hop.number.is_none()));
    }
}
