//! Do the NetworkPolicies let it pass?
//!
//! A pod is isolated for a direction when a policy selects it and lists that direction; then one rule of one of them
//! must allow the peer and the port. Not isolated = all allowed. Ports are those of the pod, after translation.
//! Not applied to pods on the host's network, on Fargate, or to traffic from the pod's own node.
//! Source: networking.k8s.io/v1 NetworkPolicy.

use std::net::IpAddr;

use api::label::Selector;
use ipnet::IpNet;
use k8s_openapi::{
    api::networking::v1::{IPBlock, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec},
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use crate::{
    network::{Labels, Network, Pod, Policy},
    security_group::Direction,
};

/// What the policies say of one pod and one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No policy selects it for this direction.
    NotIsolated,
    /// Isolated by these, and a rule lets it pass.
    Allowed(Vec<String>),
    /// Isolated by these, and no rule lets it pass.
    Denied(Vec<String>),
}

/// Whether policies are enforced at this pod at all.
#[must_use]
pub fn enforced(network: &Network, pod: &Pod) -> bool {
    network.cni.network_policy && !pod.host_network && !pod.fargate
}

/// What the policies say of `pod` in `direction`, with `peer` on the other side. `target` is the pod whose port is
/// asked for (the pod itself for ingress, the peer for egress): it gives named ports their number.
#[must_use]
pub fn check(
    network: &Network,
    pod: &Pod,
    direction: Direction,
    peer: IpAddr,
    target: Option<&Pod>,
    proto: &str,
    port: u16,
) -> Verdict {
    let selecting: Vec<&Policy> = network
        .policies
        .iter()
        .filter(|policy| policy.namespace == pod.ns && lists(&policy.spec, direction))
        .filter(|policy| policy.spec.pod_selector.as_ref().is_none_or(|s| selects(s, &pod.labels)))
        .collect();
    if selecting.is_empty() {
        return Verdict::NotIsolated;
    }
    let peer_pod = network.pods.iter().find(|p| p.ip == Some(peer) && !p.host_network);
    let passes = selecting.iter().any(|policy| {
        let to_peer = |peers: Option<&Vec<NetworkPolicyPeer>>| {
            peers.is_none_or(|peers| {
                peers.is_empty() || peers.iter().any(|it| peer_matches(network, policy, it, peer, peer_pod))
            })
        };
        let to_port = |ports: Option<&Vec<NetworkPolicyPort>>| {
            ports.is_none_or(|ports| {
                ports.is_empty() || ports.iter().any(|it| port_matches(it, target, proto, port))
            })
        };
        match direction {
            Direction::In => policy
                .spec
                .ingress
                .iter()
                .flatten()
                .any(|rule| to_peer(rule.from.as_ref()) && to_port(rule.ports.as_ref())),
            Direction::Out => policy
                .spec
                .egress
                .iter()
                .flatten()
                .any(|rule| to_peer(rule.to.as_ref()) && to_port(rule.ports.as_ref())),
        }
    });
    let names: Vec<String> = selecting.iter().map(|policy| policy.name.clone()).collect();
    if passes { Verdict::Allowed(names) } else { Verdict::Denied(names) }
}

/// Whether a policy is about a direction: by `policyTypes`, or ingress always and egress if it has egress rules.
fn lists(spec: &NetworkPolicySpec, direction: Direction) -> bool {
    match (&spec.policy_types, direction) {
        (Some(types), Direction::In) if !types.is_empty() => types.iter().any(|t| t == "Ingress"),
        (Some(types), Direction::Out) if !types.is_empty() => types.iter().any(|t| t == "Egress"),
        (_, Direction::In) => true,
        (_, Direction::Out) => spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
    }
}

fn peer_matches(
    network: &Network,
    policy: &Policy,
    peer: &NetworkPolicyPeer,
    ip: IpAddr,
    pod: Option<&Pod>,
) -> bool {
    if let Some(block) = &peer.ip_block {
        return in_block(block, ip);
    }
    let Some(pod) = pod else { return false };
    let namespace_fits = match &peer.namespace_selector {
        None => pod.ns == policy.namespace,
        Some(selector) => selects(selector, &namespace_labels(network, &pod.ns)),
    };
    namespace_fits && peer.pod_selector.as_ref().is_none_or(|selector| selects(selector, &pod.labels))
}

fn namespace_labels(network: &Network, namespace: &str) -> Labels {
    let mut labels = network.namespaces.get(namespace).cloned().unwrap_or_default();
    labels.insert("kubernetes.io/metadata.name".to_owned(), namespace.to_owned());
    labels
}

fn in_block(block: &IPBlock, ip: IpAddr) -> bool {
    let holds = |cidr: &String| cidr.parse::<IpNet>().is_ok_and(|cidr| cidr.contains(&ip));
    holds(&block.cidr) && !block.except.iter().flatten().any(holds)
}

fn port_matches(rule: &NetworkPolicyPort, target: Option<&Pod>, proto: &str, port: u16) -> bool {
    if !rule.protocol.as_deref().unwrap_or("TCP").eq_ignore_ascii_case(proto) {
        return false;
    }
    match (&rule.port, rule.end_port) {
        (None, _) => true,
        (Some(IntOrString::Int(first)), None) => *first == i32::from(port),
        (Some(IntOrString::Int(first)), Some(last)) => (*first..=last).contains(&i32::from(port)),
        (Some(IntOrString::String(name)), _) => target.is_some_and(|pod| {
            pod.ports.iter().any(|declared| {
                declared.name.as_deref() == Some(name)
                    && declared.container_port == port
                    && declared.protocol.as_deref().unwrap_or("TCP").eq_ignore_ascii_case(proto)
            })
        }),
    }
}

/// Whether a label selector selects these labels; an empty one selects all, an illegal one none.
fn selects(selector: &LabelSelector, labels: &Labels) -> bool {
    Selector::from_label_selector(selector).is_ok_and(|selector| selector.matches(labels))
}
