//! What is the smallest change that lets it through?
//!
//! Every edit answers the first thing in the way; the network is copied, changed and traced again, until the packet arrives.
//! All sets of the smallest size that do are given, so that the reader can choose. None is given where no edit helps: where
//! nothing listens, where the name means nothing, where somebody else's network refuses.

mod edit;

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use crate::{
    Blocker, Network, Probe, Trace,
    network::{Labels, NaclRule, Pod, SecurityRule, Service},
    owner, route,
    security_group::Direction,
    trace,
};
pub use edit::{Edit, Peer, policy_peer};

/// Edits that lead to the end, and how the packet goes then.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// In the order in which they were needed.
    pub edits: Vec<Edit>,
    /// The way with them.
    pub trace: Trace,
}

/// More edits than that are no small change.
const MOST_EDITS: usize = 4;
/// A search that goes on for longer is given up.
const MOST_TRACES: usize = 600;

/// All of the smallest sets of edits with which the probe arrives; none where it does already, or never will.
///
/// ```
/// use network::{Network, Probe, smallest_fixes};
/// let probe = Probe { from: "ext:laptop".into(), to: "api".into(), port: 443, ..Default::default() };
/// assert!(smallest_fixes(&Network::default(), &probe).is_empty());
/// ```
#[must_use]
pub fn smallest_fixes(network: &Network, probe: &Probe) -> Vec<Fix> {
    let mut level = vec![(network.clone(), Fix { edits: Vec::new(), trace: trace(network, probe) })];
    let mut traces = 0;
    for _ in 0..MOST_EDITS {
        let (mut found, mut next, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for (network, Fix { edits, trace: before }) in &level {
            let Some(blocker) = before.blockers.first() else { return Vec::new() };
            for edit in candidates(network, probe, before, blocker) {
                let mut edits = edits.clone();
                edits.push(edit.clone());
                let mut set = edits.clone();
                set.sort();
                if traces == MOST_TRACES || !seen.insert(set) {
                    continue;
                }
                traces += 1;
                let mut changed = network.clone();
                edit.apply(&mut changed);
                let trace = trace(&changed, probe);
                // What is in the way as before was not answered by this edit.
                let moved = trace.blockers.first() != Some(blocker);
                let arrives = trace.reachable();
                let fix = Fix { edits, trace };
                match (arrives, moved) {
                    (true, _) => found.push(fix),
                    (false, true) => next.push((changed, fix)),
                    (false, false) => {}
                }
            }
        }
        if !found.is_empty() {
            found.sort_by(|a, b| a.edits.cmp(&b.edits));
            return found;
        }
        level = next;
    }
    Vec::new()
}

/// What could answer a blocker.
fn candidates(network: &Network, probe: &Probe, trace: &Trace, blocker: &Blocker) -> BTreeSet<Edit> {
    // The steps of a pull are told apart by a suffix.
    let code = blocker.code.split_once('(').map_or(blocker.code.as_str(), |(code, _)| code);
    let (kind, rest) = code.split_once(':').unwrap_or((code, ""));
    let (word, rest) = rest.split_once(':').unwrap_or((rest, ""));
    let asked = Asked { network, probe, blocker };
    match (kind, word) {
        ("sg", "in") => asked.security_group(rest, Direction::In),
        ("sg", "out") => asked.security_group(rest, Direction::Out),
        ("nacl", "in") => asked.nacl(rest, Direction::In, false),
        ("nacl", "out") => asked.nacl(rest, Direction::Out, false),
        ("nacl", "return-in") => asked.nacl(rest, Direction::In, true),
        ("nacl", "return-out") => asked.nacl(rest, Direction::Out, true),
        ("route", "none" | "blackhole") => asked.route(first(rest)),
        ("route", "nat-no-igw") => asked.public_route(rest),
        ("route", "subnet-not-public") => asked.public_route(table_of(network, rest)),
        ("return-route", "none") => asked.return_route(first(rest)),
        ("igw", "private-destination") => asked.route(asked.last_table(trace)),
        ("igw", "no-public-ip") => asked.by_nat(blocker.packet.src),
        ("nat", _) => asked.route(asked.last_table(trace)),
        ("api", "cidr-not-allowed") => [Edit::PublicCidr { block: IpNet::from(blocker.packet.src) }].into(),
        ("api", "private-unreachable-from-internet" | "public-disabled") => [Edit::PublicAccess].into(),
        ("policy", "ingress") => asked.policy(rest, Direction::In),
        ("policy", "egress") => asked.policy(rest, Direction::Out),
        ("svc", "no-port") => asked.service_port(rest),
        ("svc", "no-endpoints") => asked.selector(rest),
        ("lb", "no-healthy-targets") => asked.selector(rest),
        ("svc", "named-port-missing") | ("pod", "refused") => asked.target_port(first(rest)),
        ("itp-local", _) => [Edit::TrafficPolicy { service: rest.to_owned(), external: false }].into(),
        ("etp-local", _) => {
            let service = rest.split_once(':').map_or(rest, |(_, service)| service).to_owned();
            [Edit::TrafficPolicy { service, external: true }].into()
        }
        ("lb", "source-ranges") => {
            let service = asked.service().map(Service::id).unwrap_or_default();
            [Edit::SourceRange { service, block: IpNet::from(blocker.packet.src) }].into()
        }
        ("hybrid", "not-in-remoteNodeNetworks") => asked.remote(false),
        ("hybrid", "not-in-remotePodNetworks") => asked.remote(true),
        ("dns", "no-records") if rest == "api" && !network.vpc.dns_support => [Edit::DnsSupport].into(),
        ("dns", "no-records") => asked.selector(rest),
        _ => BTreeSet::new(),
    }
}

fn first(rest: &str) -> &str {
    rest.split(':').next().unwrap_or_default()
}

fn table_of<'n>(network: &'n Network, subnet: &str) -> &'n str {
    route::table_of(network, subnet).map_or("", |table| table.id.as_str())
}

/// What is asked, and what is in the way.
struct Asked<'n> {
    network: &'n Network,
    probe: &'n Probe,
    blocker: &'n Blocker,
}

impl<'n> Asked<'n> {
    /// Each group of the ENI may let the other end: by its own groups, or by its address alone.
    fn security_group(&self, eni: &str, direction: Direction) -> BTreeSet<Edit> {
        let packet = self.blocker.packet;
        let peer = match direction {
            Direction::In => packet.src,
            Direction::Out => packet.dst,
        };
        let groups = self.groups_of(eni, direction);
        let peers = || {
            let by_group = owner::groups_of(self.network, peer).iter().cloned();
            by_group.chain([IpNet::from(peer).to_string()])
        };
        let rule = |peer: String| SecurityRule {
            proto: self.probe.proto.to_lowercase(),
            from: Some(packet.port),
            to: Some(packet.port),
            peer,
        };
        let edit = |group: &String| {
            peers()
                .map(|peer| Edit::SecurityGroupRule { group: group.clone(), direction, rule: rule(peer) })
                .collect::<Vec<_>>()
        };
        groups.iter().flat_map(edit).collect()
    }

    /// The groups of the ENI that stopped the packet: the one that owns its address, or a load balancer's.
    fn groups_of(&self, eni: &str, direction: Direction) -> Vec<String> {
        let packet = self.blocker.packet;
        let own = match direction {
            Direction::In => packet.dst,
            Direction::Out => packet.src,
        };
        if let Some(owner) = owner::owner_of(self.network, own).filter(|owner| owner.eni == eni) {
            return owner.groups.to_vec();
        }
        let balancers = self.network.services.iter().filter_map(|it| Some((it, it.lb.as_ref()?)));
        let named = balancers.filter(|(service, _)| eni.ends_with(&format!(":{}", service.name)));
        named.flat_map(|(_, lb)| lb.sgs.clone()).collect()
    }

    /// A rule before the one that denies.
    fn nacl(&self, place: &str, direction: Direction, reply: bool) -> BTreeSet<Edit> {
        let Some((acl, number)) = place.rsplit_once(':') else { return BTreeSet::new() };
        let Some(found) = self.network.nacls.iter().find(|it| it.id == acl) else { return BTreeSet::new() };
        let rules = match direction {
            Direction::In => &found.inbound,
            Direction::Out => &found.outbound,
        };
        let taken = |n: u32| rules.iter().any(|it| it.n == n);
        let free = match number.parse::<u32>() {
            Ok(denies) => (1..denies).rev().find(|n| !taken(*n)),
            // The console goes on by hundreds.
            Err(_) => Some((rules.iter().map(|it| it.n).max().unwrap_or(0) / 100 + 1) * 100),
        };
        let packet = self.blocker.packet;
        let inwards = direction == Direction::In;
        // A reply goes the other way round, to whatever port the client has.
        let peer = if inwards == reply { packet.dst } else { packet.src };
        // The ephemeral ports that AWS advises to open.
        let (from, to) = if reply { (1024, 65_535) } else { (packet.port, packet.port) };
        free.map(|n| Edit::NaclRule {
            acl: acl.to_owned(),
            direction,
            rule: NaclRule {
                n,
                proto: self.probe.proto.to_lowercase(),
                from: Some(from),
                to: Some(to),
                cidr: IpNet::from(peer),
                action: "allow".to_owned(),
            },
        })
        .into_iter()
        .collect()
    }

    /// Every gateway that leads to the packet's destination.
    fn route(&self, table: &str) -> BTreeSet<Edit> {
        let to = self.blocker.packet.dst;
        let gateways = self.network.gateways.iter();
        let ways = gateways.filter_map(|(id, gateway)| {
            let destination = match id.split('-').next()? {
                "igw" | "nat" if gateway.state.as_deref().is_none_or(|it| it == "available") => {
                    everywhere(to)
                }
                "pcx" | "tgw" | "vgw" => gateway.remote_cidrs.iter().find(|it| it.contains(&to))?.to_string(),
                _ => return None,
            };
            Some((destination, id.clone()))
        });
        // A more specific one that leads nowhere would go on winning.
        let found = self.network.route_tables.iter().find(|it| it.id == table);
        let written = found.into_iter().flat_map(|it| &it.routes).map(|it| it.dst.clone());
        let holds = |it: &String| it.parse::<IpNet>().is_ok_and(|block| block.contains(&to));
        let written: Vec<String> = written.filter(holds).collect();
        let edits = ways.flat_map(|(destination, target)| {
            let destinations = written.iter().cloned().chain([destination]);
            let edit = move |destination| {
                let (table, target) = (table.to_owned(), target.clone());
                Edit::Route { table, destination, target }
            };
            destinations.map(edit)
        });
        edits.collect()
    }

    /// A table's way to the internet.
    fn public_route(&self, table: &str) -> BTreeSet<Edit> {
        let to = self.blocker.packet.dst;
        let known = self.network.gateways.keys().filter(|id| id.starts_with("igw-")).cloned();
        let used = self.network.route_tables.iter().flat_map(|it| &it.routes).map(|it| it.via.clone());
        known
            .chain(used.filter(|id| id.starts_with("igw-")))
            .map(|target| Edit::Route { table: table.to_owned(), destination: everywhere(to), target })
            .collect()
    }

    /// The far side learns the way back, or the own side does.
    fn return_route(&self, at: &str) -> BTreeSet<Edit> {
        let packet = self.blocker.packet;
        if self.network.gateways.contains_key(at) {
            let cidrs = self.network.vpc.cidrs.iter().filter(|it| it.contains(&packet.src)).copied();
            let source = cidrs.chain([IpNet::from(packet.src)]).next();
            return source
                .map(|source| Edit::ReturnRoute { gateway: at.to_owned(), source })
                .into_iter()
                .collect();
        }
        let remote =
            |it: &&crate::network::Gateway| it.remote_cidrs.iter().any(|it| it.contains(&packet.src));
        let ways = self.network.gateways.iter().filter(|(_, gateway)| remote(gateway));
        ways.filter_map(|(id, gateway)| {
            let destination = gateway.remote_cidrs.iter().find(|it| it.contains(&packet.src))?.to_string();
            Some(Edit::Route { table: at.to_owned(), destination, target: id.clone() })
        })
        .collect()
    }

    /// By a NAT gateway instead, which has a public address.
    fn by_nat(&self, from: IpAddr) -> BTreeSet<Edit> {
        let Some(owner) = owner::owner_of(self.network, from) else { return BTreeSet::new() };
        let table = table_of(self.network, owner.subnet);
        let to = self.blocker.packet.dst;
        let works = |state: Option<&str>| state.is_none_or(|it| it == "available");
        let nats = self.network.gateways.iter();
        nats.filter(|(id, it)| id.starts_with("nat-") && works(it.state.as_deref()))
            .map(|(id, _)| Edit::Route {
                table: table.to_owned(),
                destination: everywhere(to),
                target: id.clone(),
            })
            .collect()
    }

    /// The table of the last route that was taken.
    fn last_table<'t>(&self, trace: &'t Trace) -> &'t str {
        let mut routes = trace.hops.iter().filter(|it| it.kind == crate::HopKind::Route && !it.ghost);
        routes.next_back().map_or("", |it| first(&it.component))
    }

    /// A rule more in one of the policies that isolate the pod.
    fn policy(&self, rest: &str, direction: Direction) -> BTreeSet<Edit> {
        let Some((pod, names)) = rest.split_once(':') else { return BTreeSet::new() };
        let namespace = pod.split('/').next().unwrap_or_default();
        let packet = self.blocker.packet;
        let other = match direction {
            Direction::In => packet.src,
            Direction::Out => packet.dst,
        };
        let at = self.network.pods.iter().find(|it| it.ip == Some(other) && !it.host_network);
        let peer = match at.filter(|it| !it.labels.is_empty()) {
            Some(Pod { ns, labels, .. }) => Peer::Pods { namespace: ns.clone(), labels: labels.clone() },
            None => Peer::Block(IpNet::from(other)),
        };
        let edit = |policy: &str| Edit::PolicyRule {
            namespace: namespace.to_owned(),
            policy: policy.to_owned(),
            direction,
            peer: peer.clone(),
            protocol: self.probe.proto.to_uppercase(),
            port: packet.port,
        };
        names.split(',').map(edit).collect()
    }

    /// The Service that the probe goes to.
    fn service(&self) -> Option<&'n Service> {
        let (kind, name) = self.probe.to.split_once(':')?;
        let id = match kind {
            "svc" | "lb" => name,
            "nodeport" => name.split_once('/')?.1,
            "ip" => {
                let at = |it: &&Service| it.cluster_ip.as_deref() == Some(name);
                return self.network.services.iter().find(at);
            }
            _ => return None,
        };
        self.network.services.iter().find(|it| it.id() == id)
    }

    /// The port that was asked for, to wherever the pods listen.
    fn service_port(&self, rest: &str) -> BTreeSet<Edit> {
        let Some((service, port)) = rest.rsplit_once(':') else { return BTreeSet::new() };
        let Ok(port) = port.parse() else { return BTreeSet::new() };
        let edit = |target| Edit::ServicePort {
            service: service.to_owned(),
            port,
            target,
            protocol: self.probe.proto.to_uppercase(),
        };
        self.listened_to(service).into_iter().map(edit).collect()
    }

    /// Where the pods of a Service listen.
    fn listened_to(&self, service: &str) -> BTreeSet<u16> {
        let Some(service) = self.network.services.iter().find(|it| it.id() == service) else {
            return BTreeSet::new();
        };
        let endpoints = crate::kube_proxy::ready(self.network, service);
        endpoints.iter().filter_map(|it| it.pod).flat_map(|pod| self.open(pod)).collect()
    }

    fn open(&self, pod: &Pod) -> Vec<u16> {
        let same = |protocol: Option<&str>| protocol.unwrap_or("TCP").eq_ignore_ascii_case(&self.probe.proto);
        pod.ports.iter().filter(|it| same(it.protocol.as_deref())).map(|it| it.container_port).collect()
    }

    /// The Service's port leads to where the chosen pod listens.
    fn target_port(&self, pod: &str) -> BTreeSet<Edit> {
        let Some(service) = self.service() else { return BTreeSet::new() };
        let Some(pod) = self.network.pods.iter().find(|it| it.id() == pod) else { return BTreeSet::new() };
        let number = self.probe.port;
        let asked = |it: &&crate::network::ServicePort| it.port == number || it.node_port == Some(number);
        let Some(port) = service.ports.iter().find(asked) else { return BTreeSet::new() };
        let edit = |target| Edit::TargetPort { service: service.id(), port: port.port, target };
        self.open(pod).into_iter().map(edit).collect()
    }

    /// What the selector would have to say for ready pods of the namespace: the same keys, with their values.
    fn selector(&self, service: &str) -> BTreeSet<Edit> {
        let Some(found) = self.network.services.iter().find(|it| it.id() == service) else {
            return BTreeSet::new();
        };
        let Some(selector) = found.selector.as_ref().filter(|it| !it.is_empty()) else {
            return BTreeSet::new();
        };
        let pods = self.network.pods.iter().filter(|pod| pod.ns == found.ns && pod.ready);
        let fitting = pods.filter_map(|pod| {
            let values: Labels =
                selector.keys().filter_map(|key| Some((key.clone(), pod.labels.get(key)?.clone()))).collect();
            (!values.is_empty() && values != *selector).then_some(values)
        });
        fitting.map(|selector| Edit::Selector { service: service.to_owned(), selector }).collect()
    }

    fn remote(&self, pods: bool) -> BTreeSet<Edit> {
        [Edit::RemoteNetwork { pods, block: IpNet::from(self.blocker.packet.dst) }].into()
    }
}

/// The block of every address of the family of `to`.
fn everywhere(to: IpAddr) -> String {
    if to.is_ipv6() { "::/0" } else { "0.0.0.0/0" }.to_owned()
}

#[cfg(test)]
mod tests;
