//! What does `iptables-save` print on a node?
//!
//! The chains that kube-proxy, kubelet and the VPC CNI keep there, the tables and the chains of each by name. Sources: kube-proxy
//! 1.34 (`pkg/proxy/iptables`), kubelet 1.34 (`kubelet_network_linux.go`), amazon-vpc-cni-k8s (`pkg/networkutils`).

use std::{collections::BTreeMap, fmt, net::IpAddr};

use super::{ServiceRules, rules};
use crate::{
    kube_proxy,
    network::{Network, Node, Service},
};

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// `mangle`, `filter` or `nat`.
    pub name: &'static str,
    /// Its chains, by name; those of the kernel first.
    pub chains: Vec<Chain>,
}

/// One chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Whether it is the kernel's own, which lets pass what none of its rules takes.
    pub builtin: bool,
    /// Its rules, as they are printed.
    pub rules: Vec<String>,
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "*{}", self.name)?;
        for chain in &self.chains {
            writeln!(out, ":{} {} [0:0]", chain.name, if chain.builtin { "ACCEPT" } else { "-" })?;
        }
        for rule in self.chains.iter().flat_map(|chain| &chain.rules) {
            writeln!(out, "{rule}")?;
        }
        writeln!(out, "COMMIT")
    }
}

/// The kernel's chains of each table, in its order.
const TABLES: [(&str, &[&str]); 3] = [
    ("mangle", &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
    ("filter", &["INPUT", "FORWARD", "OUTPUT"]),
    ("nat", &["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"]),
];

/// What is there before any Service: table, rule. Without a rule only the chain is there.
const ALWAYS: &[(&str, &str)] = &[
    ("mangle", "KUBE-KUBELET-CANARY"),
    ("mangle", "KUBE-PROXY-CANARY"),
    ("filter", "KUBE-KUBELET-CANARY"),
    ("filter", "KUBE-PROXY-CANARY"),
    ("filter", "KUBE-EXTERNAL-SERVICES"),
    ("filter", "KUBE-NODEPORTS"),
    ("filter", "KUBE-PROXY-FIREWALL"),
    ("filter", "KUBE-SERVICES"),
    ("nat", "KUBE-KUBELET-CANARY"),
    ("nat", "KUBE-PROXY-CANARY"),
    ("nat", "KUBE-NODEPORTS"),
    // Each rule of kube-proxy's list of jumps is put before those that are there: kubelet's own, which came first.
    (
        "filter",
        "-A INPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
    ),
    ("filter", "-A INPUT -m comment --comment \"kubernetes health check service ports\" -j KUBE-NODEPORTS"),
    (
        "filter",
        "-A INPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES",
    ),
    ("filter", "-A INPUT -j KUBE-FIREWALL"),
    (
        "filter",
        "-A FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
    ),
    ("filter", "-A FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD"),
    (
        "filter",
        "-A FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES",
    ),
    (
        "filter",
        "-A FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES",
    ),
    (
        "filter",
        "-A OUTPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
    ),
    (
        "filter",
        "-A OUTPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES",
    ),
    ("filter", "-A OUTPUT -j KUBE-FIREWALL"),
    ("filter", "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP"),
    (
        "filter",
        "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" -m mark --mark 0x4000/0x4000 -j ACCEPT",
    ),
    (
        "filter",
        "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ),
    ("nat", "-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"),
    ("nat", "-A OUTPUT -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES"),
    ("nat", "-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING"),
    ("nat", "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"),
    ("nat", "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN"),
    ("nat", "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0"),
    (
        "nat",
        "-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully",
    ),
];

/// Martian packets to the loopback network; of IPv4 alone.
const LOCALNET: &str = "-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \"block incoming localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP";

/// What the VPC CNI marks, so that what came in by the primary ENI leaves by it.
///
/// MODEL: the primary interface is `ens5`, as on Nitro instances with Amazon Linux 2023.
const MARKS: [&str; 3] = [
    "-A PREROUTING -i ens5 -m comment --comment \"AWS, primary ENI\" -m addrtype --dst-type LOCAL --limit-iface-in -j CONNMARK --set-xmark 0x80/0x80",
    "-A PREROUTING -i eni+ -m comment --comment \"AWS, primary ENI\" -j CONNMARK --restore-mark --nfmask 0x80 --ctmask 0x80",
    "-A PREROUTING -i vlan+ -m comment --comment \"AWS, primary ENI\" -j CONNMARK --restore-mark --nfmask 0x80 --ctmask 0x80",
];

/// The tables of a node, as its own family of addresses has them; none of a Fargate micro-VM, whose kube-proxy nobody can ask.
#[must_use]
pub fn save(network: &Network, node: &Node) -> Vec<Table> {
    if node.fargate {
        return Vec::new();
    }
    let six = node.address().is_some_and(|ip| ip.is_ipv6());
    let mut tables: Vec<(Table, BTreeMap<String, Vec<String>>)> = TABLES
        .iter()
        .map(|(name, builtin)| {
            let kernel = |name: &&str| Chain { name: (*name).to_owned(), builtin: true, rules: Vec::new() };
            (Table { name, chains: builtin.iter().map(kernel).collect() }, BTreeMap::new())
        })
        .collect();
    let mut add = |table: &str, rule: &str| {
        let Some((table, own)) = tables.iter_mut().find(|(it, _)| it.name == table) else { return };
        let name = rule.strip_prefix("-A ").and_then(|rest| rest.split(' ').next());
        let kernel = table.chains.iter_mut().find(|it| Some(it.name.as_str()) == name);
        match (name, kernel) {
            (Some(_), Some(chain)) => chain.rules.push(rule.to_owned()),
            (Some(name), None) => own.entry(name.to_owned()).or_default().push(rule.to_owned()),
            (None, _) => drop(own.entry(rule.to_owned()).or_default()),
        }
    };
    if !six {
        MARKS.iter().for_each(|rule| add("mangle", rule));
        add("filter", LOCALNET);
    }
    ALWAYS.iter().for_each(|(table, rule)| add(table, rule));
    snat(network, node, &mut add);
    for service in of_services(network, node) {
        for rule in rules(&service) {
            match rule.strip_prefix("filter: ") {
                Some(rule) => add("filter", rule),
                None => add("nat", &rule),
            }
        }
    }
    let loopback = if six { "::1/128" } else { "" };
    let but = if loopback.is_empty() { String::new() } else { format!("! -d {loopback} ") };
    add(
        "nat",
        &format!(
            "-A KUBE-SERVICES {but}-m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"
        ),
    );
    let named = |(name, rules)| Chain { name, builtin: false, rules };
    tables
        .into_iter()
        .map(|(table, own)| Table {
            chains: table.chains.into_iter().chain(own.into_iter().map(named)).collect(),
            ..table
        })
        .collect()
}

/// What leaves the VPC takes the node's own address, unless the VPC CNI is told not to.
fn snat(network: &Network, node: &Node, add: &mut impl FnMut(&str, &str)) {
    let Some(own) = node.address().filter(IpAddr::is_ipv4) else { return };
    // Once the chain is made it stays.
    add("nat", "AWS-SNAT-CHAIN-0");
    if network.cni.external_snat {
        return;
    }
    add("nat", "-A POSTROUTING -m comment --comment \"AWS SNAT CHAIN\" -j AWS-SNAT-CHAIN-0");
    for block in network.vpc.cidrs.iter().filter(|it| it.addr().is_ipv4()) {
        add(
            "nat",
            &format!("-A AWS-SNAT-CHAIN-0 -d {block} -m comment --comment \"AWS SNAT CHAIN\" -j RETURN"),
        );
    }
    for block in &network.cni.exclude_snat_cidrs {
        let to = if block.prefix_len() == 0 { String::new() } else { format!("-d {block} ") };
        add(
            "nat",
            &format!("-A AWS-SNAT-CHAIN-0 {to}-m comment --comment \"AWS SNAT CHAIN EXCLUSION\" -j RETURN"),
        );
    }
    add(
        "nat",
        &format!(
            "-A AWS-SNAT-CHAIN-0 ! -o vlan+ -m comment --comment \"AWS, SNAT\" -m addrtype ! --dst-type LOCAL -j SNAT --to-source {own} --random-fully"
        ),
    );
}

/// What a node's kube-proxy knows of every Service port, by namespace, name and port.
#[must_use]
pub fn of_services(network: &Network, node: &Node) -> Vec<ServiceRules> {
    let known = node.rules.as_ref().unwrap_or(&network.services);
    let mut all: Vec<ServiceRules> = known.iter().flat_map(|it| of_service(network, node, it)).collect();
    all.sort_by(|a, b| (&a.name, &a.proto).cmp(&(&b.name, &b.proto)));
    all
}

fn of_service(network: &Network, node: &Node, service: &Service) -> Vec<ServiceRules> {
    let Some(ip) = service.cluster_ip.as_ref().filter(|ip| ip.parse::<IpAddr>().is_ok()) else {
        return Vec::new();
    };
    let ready = kube_proxy::ready(network, service);
    let here = kube_proxy::local(&ready, &node.name);
    let port = |port: &crate::network::ServicePort| {
        let proto = port.protocol.as_deref().unwrap_or("TCP");
        let written = |endpoints: &[kube_proxy::Endpoint<'_>]| {
            let target = |it: &kube_proxy::Endpoint<'_>| {
                Some(
                    std::net::SocketAddr::from((it.ip, kube_proxy::target_port(port, it, proto).ok()?))
                        .to_string(),
                )
            };
            let mut all: Vec<String> = endpoints.iter().filter_map(target).collect();
            // `byEndpoint` of kube-proxy: by what is written.
            all.sort();
            all
        };
        let local = |policy: Option<&str>| policy == Some("Local");
        let named = port.name.as_deref().filter(|name| !name.is_empty());
        ServiceRules {
            name: named.map_or_else(|| service.id(), |name| format!("{}:{name}", service.id())),
            proto: proto.to_lowercase(),
            cluster_ip: ip.clone(),
            port: port.port,
            node_port: port.node_port,
            endpoints: written(&ready),
            local: written(&here),
            internal_local: local(service.itp.as_deref()),
            external_local: local(service.etp.as_deref()),
            health_check_node_port: service.health_check_node_port,
            affinity: service.affinity_seconds,
        }
    };
    service.ports.iter().map(port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Eni, Pod, ServicePort};

    fn eni(ip: [u8; 4]) -> Eni {
        Eni { id: "eni-1".into(), dev: 0, ip: ip.into(), ipv4: None, subnet: String::new(), sgs: Vec::new() }
    }

    fn network() -> Network {
        let pod = |name: &str, node: &str, ip: [u8; 4]| Pod {
            ns: "default".into(),
            name: name.into(),
            node: node.into(),
            ip: Some(ip.into()),
            ready: true,
            labels: [("app".to_owned(), "web".to_owned())].into(),
            ..Pod::default()
        };
        let port = ServicePort {
            name: None,
            port: 80,
            target_port: Some(crate::network::PortRef::Number(8080)),
            node_port: Some(30_080),
            protocol: None,
        };
        Network {
            nodes: vec![Node { name: "a".into(), enis: vec![eni([10, 0, 1, 5])], ..Node::default() }],
            pods: vec![pod("x", "a", [10, 0, 1, 21]), pod("y", "b", [10, 0, 2, 9])],
            services: vec![Service {
                ns: "default".into(),
                name: "web".into(),
                kind: "NodePort".into(),
                cluster_ip: Some("172.20.1.2".into()),
                selector: Some([("app".to_owned(), "web".to_owned())].into()),
                ports: vec![port],
                etp: Some("Local".into()),
                affinity_seconds: Some(10_800),
                ..Service::default()
            }],
            vpc: crate::network::Vpc {
                cidrs: vec!["10.0.0.0/16".parse().expect("a block")],
                ..Default::default()
            },
            ..Network::default()
        }
    }

    fn chain<'t>(tables: &'t [Table], table: &str, chain: &str) -> &'t [String] {
        let table = tables.iter().find(|it| it.name == table).expect("a table");
        table.chains.iter().find(|it| it.name == chain).map_or(&[], |it| &it.rules)
    }

    #[test]
    fn a_node_port_that_stays_local_has_a_chain_of_its_own() {
        let network = network();
        let tables = save(&network, &network.nodes[0]);
        let words = "default/webtcp";
        let local = super::super::chain("KUBE-SVL-", words);
        let sep = super::super::chain("KUBE-SEP-", &format!("{words}10.0.1.21:8080"));
        assert_eq!(
            chain(&tables, "nat", &local),
            [
                format!(
                    "-A {local} -m comment --comment \"default/web -> 10.0.1.21:8080\" -m recent --rcheck --seconds 10800 --reap --name {sep} --mask 255.255.255.255 --rsource -j {sep}"
                ),
                format!("-A {local} -m comment --comment \"default/web -> 10.0.1.21:8080\" -j {sep}"),
            ]
        );
        let last = chain(&tables, "nat", "KUBE-SERVICES").last().map(String::as_str).unwrap_or_default();
        assert!(last.contains("must be the last rule"), "{last}");
    }

    #[test]
    fn what_leaves_the_vpc_takes_the_nodes_address() {
        let mut network = network();
        let rules =
            |network: &Network| chain(&save(network, &network.nodes[0]), "nat", "AWS-SNAT-CHAIN-0").to_vec();
        assert_eq!(rules(&network).len(), 2);
        assert!(rules(&network)[1].ends_with("-j SNAT --to-source 10.0.1.5 --random-fully"));
        network.cni.external_snat = true;
        assert!(rules(&network).is_empty());
    }

    #[test]
    fn every_jump_leads_to_a_chain_of_its_table() {
        let network = network();
        for table in save(&network, &network.nodes[0]) {
            for rule in table.chains.iter().flat_map(|it| &it.rules) {
                let target =
                    rule.rsplit_once("-j ").map_or("", |(_, to)| to.split(' ').next().unwrap_or_default());
                let ends =
                    ["ACCEPT", "DROP", "REJECT", "RETURN", "MARK", "CONNMARK", "SNAT", "DNAT", "MASQUERADE"];
                assert!(ends.contains(&target) || table.chains.iter().any(|it| it.name == target), "{rule}");
            }
        }
    }
}
