//! What does kube-proxy write for a Service?
//!
//! Rules as `iptables-save` prints them, for a cluster without a cluster CIDR and without masquerade-all, as EKS runs it.
//! Chain names are base32 of a SHA-256, cut to 16 letters. Source: kube-proxy, iptables mode. [`save`] is all that a node has.

mod save;

use std::fmt::Write;

use data_encoding::BASE32;
pub use save::{Chain, Table, of_services, save};
use sha2::{Digest as _, Sha256};

/// One port of a Service and its endpoints.
#[derive(Clone, Debug, Default)]
pub struct ServiceRules {
    /// `ns/name`, with `:port` if the port has a name.
    pub name: String,
    /// `tcp` or `udp`.
    pub proto: String,
    /// The Service's address.
    pub cluster_ip: String,
    /// Its port.
    pub port: u16,
    /// Its port on every node.
    pub node_port: Option<u16>,
    /// `ip:port`, in kube-proxy's order.
    pub endpoints: Vec<String>,
    /// Those of them on this node, where a traffic policy is `Local`.
    pub local: Vec<String>,
    /// `internalTrafficPolicy: Local`.
    pub internal_local: bool,
    /// `externalTrafficPolicy: Local`.
    pub external_local: bool,
    /// Where load balancers ask for this node's health.
    pub health_check_node_port: Option<u16>,
    /// `sessionAffinity: ClientIP`: for how many seconds.
    pub affinity: Option<u32>,
}

impl ServiceRules {
    fn chain(&self, prefix: &str) -> String {
        chain(prefix, &format!("{}{}", self.name, self.proto))
    }

    fn chain_of(&self, endpoint: &str) -> String {
        chain("KUBE-SEP-", &format!("{}{}{endpoint}", self.name, self.proto))
    }

    /// Nothing but local endpoints is of use.
    fn only_local(&self) -> bool {
        self.internal_local && self.node_port.is_none()
    }

    /// A rule that ends packets to its address or its node port.
    fn ended(&self, external: bool, why: &str, target: &str) -> String {
        let ServiceRules { name, proto, cluster_ip, port, .. } = self;
        let comment = format!("-m comment --comment \"{name} has no {why}\"");
        match self.node_port.filter(|_| external) {
            Some(node_port) => format!(
                "filter: -A KUBE-EXTERNAL-SERVICES -p {proto} {comment} -m addrtype --dst-type LOCAL -m {proto} --dport {node_port} -j {target}"
            ),
            None => format!(
                "filter: -A KUBE-SERVICES -d {} -p {proto} {comment} -m {proto} --dport {port} -j {target}",
                alone(cluster_ip)
            ),
        }
    }
}

/// The mask of one address, as `-m recent` prints it.
fn mask(ip: &str) -> &'static str {
    if ip.contains(':') { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" } else { "255.255.255.255" }
}

/// The address of `ip:port`.
fn address(endpoint: &str) -> &str {
    endpoint.rsplit_once(':').map_or(endpoint, |(ip, _)| ip).trim_matches(['[', ']'])
}

/// The block of one address.
fn alone(ip: &str) -> String {
    format!("{ip}/{}", if ip.contains(':') { 128 } else { 32 })
}

/// The name of a chain: a prefix and 16 letters that stand for these words.
#[must_use]
pub fn chain(prefix: &str, words: &str) -> String {
    let hash = Sha256::digest(words.as_bytes());
    format!("{prefix}{}", &BASE32.encode(&hash)[..16])
}

/// The name of a pod's veth on its node: `eni` and eleven digits that stand for namespace and name.
///
/// Source: amazon-vpc-cni-k8s, names of host veths.
#[must_use]
pub fn veth(namespace: &str, name: &str) -> String {
    let hash = sha1::Sha1::digest(format!("{namespace}.{name}").as_bytes());
    let hex = hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("eni{}", &hex[..11])
}

/// One in `n` as `iptables-save` prints it: kube-proxy writes ten decimals, the kernel keeps 31 bits.
#[must_use]
pub fn probability(n: usize) -> String {
    let written = format!("{:.10}", 1.0 / n as f64);
    let kept = (written.parse::<f64>().unwrap_or_default() * f64::from(0x8000_0000_u32)).round();
    format!("{:.11}", kept / f64::from(0x8000_0000_u32))
}

/// Every rule of one Service port; rules of the filter table begin with `filter: `.
#[must_use]
pub fn rules(service: &ServiceRules) -> Vec<String> {
    let ServiceRules { name, proto, cluster_ip, port, .. } = service;
    let mut rules = Vec::new();
    if service.endpoints.is_empty() {
        let six = cluster_ip.contains(':');
        let target = format!(
            "REJECT --reject-with {}",
            if six { "icmp6-port-unreachable" } else { "icmp-port-unreachable" }
        );
        rules.push(service.ended(false, "endpoints", &target));
        rules.extend(service.node_port.map(|_| service.ended(true, "endpoints", &target)));
        rules.extend(health_check(service));
        return rules;
    }
    let (cluster_chain, local_chain) = (service.chain("KUBE-SVC-"), service.chain("KUBE-SVL-"));
    if service.internal_local && service.local.is_empty() {
        rules.push(service.ended(false, "local endpoints", "DROP"));
    } else {
        let to = if service.internal_local { &local_chain } else { &cluster_chain };
        rules.push(format!(
            "-A KUBE-SERVICES -d {} -p {proto} -m comment --comment \"{name} cluster IP\" -m {proto} --dport {port} -j {to}",
            alone(cluster_ip)
        ));
    }
    if let Some(node_port) = service.node_port {
        external(&mut rules, service, node_port, &cluster_chain, &local_chain);
    }
    rules.extend(health_check(service));
    if !service.only_local() {
        spread(&mut rules, service, &cluster_chain, &service.endpoints);
    }
    if service.internal_local || (service.external_local && service.node_port.is_some()) {
        spread(&mut rules, service, &local_chain, &service.local);
    }
    for endpoint in if service.only_local() { &service.local } else { &service.endpoints } {
        let sep = service.chain_of(endpoint);
        let ip = address(endpoint);
        let comment = format!("-m comment --comment \"{name}\"");
        rules.push(format!("-A {sep} -s {} {comment} -j KUBE-MARK-MASQ", alone(ip)));
        let remember =
            service.affinity.map(|_| format!("-m recent --set --name {sep} --mask {} --rsource ", mask(ip)));
        rules.push(format!(
            "-A {sep} -p {proto} {comment} {}-m {proto} -j DNAT --to-destination {endpoint}",
            remember.unwrap_or_default()
        ));
    }
    rules
}

fn health_check(service: &ServiceRules) -> Option<String> {
    let port = service.health_check_node_port?;
    Some(format!(
        "filter: -A KUBE-NODEPORTS -p tcp -m comment --comment \"{} health check node port\" -m tcp --dport {port} -j ACCEPT",
        service.name
    ))
}

fn external(
    rules: &mut Vec<String>,
    service: &ServiceRules,
    node_port: u16,
    cluster_chain: &str,
    local_chain: &str,
) {
    let ServiceRules { name, proto, .. } = service;
    if service.external_local && service.local.is_empty() {
        rules.push(service.ended(true, "local endpoints", "DROP"));
    }
    let ext = service.chain("KUBE-EXT-");
    rules.push(format!(
        "-A KUBE-NODEPORTS -p {proto} -m comment --comment \"{name}\" -m {proto} --dport {node_port} -j {ext}"
    ));
    if !service.external_local {
        rules.push(format!(
            "-A {ext} -m comment --comment \"masquerade traffic for {name} external destinations\" -j KUBE-MARK-MASQ"
        ));
        rules.push(format!("-A {ext} -j {cluster_chain}"));
        return;
    }
    rules.push(format!(
        "-A {ext} -m comment --comment \"masquerade LOCAL traffic for {name} external destinations\" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ"
    ));
    rules.push(format!(
        "-A {ext} -m comment --comment \"route LOCAL traffic for {name} external destinations\" -m addrtype --src-type LOCAL -j {cluster_chain}"
    ));
    if !service.local.is_empty() {
        rules.push(format!("-A {ext} -j {local_chain}"));
    }
}

fn spread(rules: &mut Vec<String>, service: &ServiceRules, from: &str, endpoints: &[String]) {
    let comment = |endpoint| format!("-A {from} -m comment --comment \"{} -> {endpoint}\"", service.name);
    if let Some(seconds) = service.affinity {
        for endpoint in endpoints {
            let sep = service.chain_of(endpoint);
            rules.push(format!(
                "{} -m recent --rcheck --seconds {seconds} --reap --name {sep} --mask {} --rsource -j {sep}",
                comment(endpoint),
                mask(address(endpoint))
            ));
        }
    }
    for (i, endpoint) in endpoints.iter().enumerate() {
        let sep = service.chain_of(endpoint);
        let left = endpoints.len() - i;
        let chance = if left > 1 {
            format!("-m statistic --mode random --probability {} ", probability(left))
        } else {
            String::new()
        };
        rules.push(format!("{} {chance}-j {sep}", comment(endpoint)));
    }
}

/// A rule that a packet meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// As it is printed.
    pub rule: String,
    /// Whether it took the packet; else the packet went on to the next rule.
    pub taken: bool,
}

/// The rules of the `nat` table that a new connection to a Service port meets, up to the new destination `endpoint`; by the node's
/// port or else by the Service's address, from `source`. Rules of other Services in the same chains are left out.
#[must_use]
pub fn walk(service: &ServiceRules, by_node_port: bool, source: &str, endpoint: &str) -> Vec<Step> {
    let all = rules(service);
    let of = |chain: &str| {
        let start = format!("-A {chain} ");
        all.iter().filter(move |rule| rule.starts_with(&start)).cloned().collect::<Vec<_>>()
    };
    let mut steps = Vec::new();
    let mut chain = if by_node_port { "KUBE-NODEPORTS" } else { "KUBE-SERVICES" }.to_owned();
    let sep = service.chain_of(endpoint);
    // No chain leads back to one before it: services, external, service, endpoint.
    for _ in 0..4 {
        let Some(next) = of(&chain).into_iter().find_map(|rule| {
            let target = rule
                .rsplit_once(" -j ")
                .map(|(_, target)| target.split(' ').next().unwrap_or_default().to_owned());
            let target = target.unwrap_or_default();
            let marks = target == "KUBE-MARK-MASQ";
            let taken = match target.as_str() {
                // Whoever asks itself is masqueraded, and whatever came by a node's port.
                "KUBE-MARK-MASQ" if rule.contains("masquerade LOCAL") => false,
                "KUBE-MARK-MASQ" => chain != sep || source == address(endpoint),
                "DNAT" => true,
                it if it.starts_with("KUBE-SEP-") => it == sep && !rule.contains("--rcheck"),
                _ => !rule.contains("--src-type LOCAL"),
            };
            steps.push(Step { rule, taken });
            (taken && !marks).then_some(target)
        }) else {
            break;
        };
        chain = next;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_a_real_node() {
        assert_eq!(veth("default", "web-1"), "eni0761ccbeace");
        assert_eq!(chain("KUBE-SVC-", "kube-system/kube-dns:dnsudp"), "KUBE-SVC-TCOU7JCQXEZGVUNU");
    }

    #[test]
    fn a_connection_meets_the_rules_up_to_its_endpoint() {
        let service = ServiceRules {
            name: "default/web".into(),
            proto: "tcp".into(),
            cluster_ip: "172.20.1.2".into(),
            port: 80,
            node_port: Some(30_080),
            endpoints: ["10.0.1.1:80", "10.0.1.2:80", "10.0.1.3:80"].map(str::to_owned).to_vec(),
            ..ServiceRules::default()
        };
        let taken = |steps: Vec<Step>| steps.iter().map(|it| it.taken).collect::<Vec<_>>();
        // The address; one chance missed, one taken; no masquerade, the new destination.
        let second = walk(&service, false, "10.0.9.9", "10.0.1.2:80");
        assert_eq!(taken(second), [true, false, true, false, true]);
        // The port; marked, on to the Service; the first chance; no masquerade of its own, the new destination.
        let first = walk(&service, true, "10.0.9.9", "10.0.1.1:80");
        assert_eq!(taken(first), [true, true, true, true, false, true]);
        // It asks itself.
        let own = walk(&service, false, "10.0.1.1", "10.0.1.1:80");
        assert_eq!(taken(own), [true, true, true, true]);
    }

    #[test]
    fn one_third_is_what_the_kernel_keeps() {
        assert_eq!(probability(3), "0.33333333349");
        assert_eq!(probability(7), "0.14285714272");
    }
}
