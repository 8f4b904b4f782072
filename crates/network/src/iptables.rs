//! What does kube-proxy write for a Service?
//!
//! Rules as `iptables-save` prints them, for a cluster without a cluster CIDR and without masquerade-all, as EKS runs it.
//! Chain names are base32 of a SHA-256, cut to 16 letters. Source: kube-proxy, iptables mode.

use std::fmt::Write;

use data_encoding::BASE32;
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
    /// For `externalTrafficPolicy: Local`: those on this node.
    pub local: Option<Vec<String>>,
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
    if service.endpoints.is_empty() {
        let mut rules = vec![format!(
            "filter: -A KUBE-SERVICES -d {cluster_ip}/32 -p {proto} -m comment --comment \"{name} has no endpoints\" -m {proto} --dport {port} -j REJECT --reject-with icmp-port-unreachable"
        )];
        if let Some(node_port) = service.node_port {
            rules.push(format!(
                "filter: -A KUBE-EXTERNAL-SERVICES -p {proto} -m comment --comment \"{name} has no endpoints\" -m addrtype --dst-type LOCAL -m {proto} --dport {node_port} -j REJECT --reject-with icmp-port-unreachable"
            ));
        }
        return rules;
    }
    let words = format!("{name}{proto}");
    let cluster_chain = chain("KUBE-SVC-", &words);
    let mut rules = vec![format!(
        "-A KUBE-SERVICES -d {cluster_ip}/32 -p {proto} -m comment --comment \"{name} cluster IP\" -m {proto} --dport {port} -j {cluster_chain}"
    )];
    let local_chain = chain("KUBE-SVL-", &words);
    if let Some(node_port) = service.node_port {
        external(&mut rules, service, node_port, &words, &cluster_chain, &local_chain);
    }
    spread(&mut rules, service, &cluster_chain, &service.endpoints);
    if let Some(local) = &service.local {
        spread(&mut rules, service, &local_chain, local);
    }
    for endpoint in &service.endpoints {
        let sep = chain("KUBE-SEP-", &format!("{words}{endpoint}"));
        let ip = endpoint.rsplit_once(':').map_or(endpoint.as_str(), |(ip, _)| ip);
        rules.push(format!("-A {sep} -s {ip}/32 -m comment --comment \"{name}\" -j KUBE-MARK-MASQ"));
        rules.push(format!(
            "-A {sep} -p {proto} -m comment --comment \"{name}\" -m {proto} -j DNAT --to-destination {endpoint}"
        ));
    }
    rules
}

fn external(
    rules: &mut Vec<String>,
    service: &ServiceRules,
    node_port: u16,
    words: &str,
    cluster_chain: &str,
    local_chain: &str,
) {
    let ServiceRules { name, proto, .. } = service;
    if service.local.as_ref().is_some_and(Vec::is_empty) {
        rules.push(format!(
            "filter: -A KUBE-EXTERNAL-SERVICES -p {proto} -m comment --comment \"{name} has no local endpoints\" -m addrtype --dst-type LOCAL -m {proto} --dport {node_port} -j DROP"
        ));
    }
    let ext = chain("KUBE-EXT-", words);
    rules.push(format!(
        "-A KUBE-NODEPORTS -p {proto} -m comment --comment \"{name}\" -m {proto} --dport {node_port} -j {ext}"
    ));
    let Some(local) = &service.local else {
        rules.push(format!(
            "-A {ext} -m comment --comment \"masquerade traffic for {name} external destinations\" -j KUBE-MARK-MASQ"
        ));
        rules.push(format!("-A {ext} -j {cluster_chain}"));
        return;
    };
    rules.push(format!(
        "-A {ext} -m comment --comment \"masquerade LOCAL traffic for {name} external destinations\" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ"
    ));
    rules.push(format!(
        "-A {ext} -m comment --comment \"route LOCAL traffic for {name} external destinations\" -m addrtype --src-type LOCAL -j {cluster_chain}"
    ));
    if !local.is_empty() {
        rules.push(format!("-A {ext} -j {local_chain}"));
    }
}

fn spread(rules: &mut Vec<String>, service: &ServiceRules, from: &str, endpoints: &[String]) {
    let words = format!("{}{}", service.name, service.proto);
    for (i, endpoint) in endpoints.iter().enumerate() {
        let sep = chain("KUBE-SEP-", &format!("{words}{endpoint}"));
        let left = endpoints.len() - i;
        let chance = if left > 1 {
            format!("-m statistic --mode random --probability {} ", probability(left))
        } else {
            String::new()
        };
        rules.push(format!(
            "-A {from} -m comment --comment \"{} -> {endpoint}\" {chance}-j {sep}",
            service.name
        ));
    }
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
    fn one_third_is_what_the_kernel_keeps() {
        assert_eq!(probability(3), "0.33333333349");
        assert_eq!(probability(7), "0.14285714272");
    }
}
