//! Which names does a resolver ask for, and who answers?
//!
//! A name with a dot at its end is asked once, as it is. With at least `ndots` dots it is tried as it is first, then with
//! each item of the search list; with fewer, the other way round. The first answer with records wins. CoreDNS answers
//! the cluster's own zone and forwards the rest. Source: resolv.conf(5); Kubernetes documents, DNS for Services and Pods.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

/// A pod's resolver settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Resolv {
    /// Whom to ask.
    pub nameserver: String,
    /// What to append.
    pub search: Vec<String>,
    /// From how many dots on a name is tried as it is first.
    pub ndots: usize,
}

/// One question of the resolver. IPv6 addresses are asked for beside each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The full name, with the dot at its end.
    pub name: String,
    /// Whether it has records.
    pub found: bool,
    /// Where CoreDNS got the answer: `cluster`, or `forward:<address>`.
    pub answered_by: String,
}

/// How a name was resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// In order.
    pub queries: Vec<Query>,
    /// The records of the last question; none if no name had any.
    pub answer: Option<Vec<IpAddr>>,
}

/// The names that a resolver tries, in order.
#[must_use]
pub fn candidates(resolv: &Resolv, name: &str) -> Vec<String> {
    if name.ends_with('.') {
        return vec![name.to_owned()];
    }
    let as_is = format!("{name}.");
    let searched = resolv.search.iter().map(|suffix| format!("{name}.{suffix}."));
    if name.matches('.').count() >= resolv.ndots {
        std::iter::once(as_is).chain(searched).collect()
    } else {
        searched.chain(std::iter::once(as_is)).collect()
    }
}

/// Resolves `name` against what the zones hold; `upstream` is whom CoreDNS forwards to.
#[must_use]
pub fn resolve(
    resolv: &Resolv,
    name: &str,
    zones: &BTreeMap<String, Vec<IpAddr>>,
    upstream: &str,
) -> Resolution {
    let mut queries = Vec::new();
    for name in candidates(resolv, name) {
        let records = zones.get(&name);
        // Whoever asks the VPC's resolver itself gets no answer from CoreDNS.
        let asks_cluster = resolv.nameserver != upstream;
        let in_cluster = asks_cluster
            && ["cluster.local.", "in-addr.arpa.", "ip6.arpa."]
                .iter()
                .any(|zone| name == *zone || name.ends_with(&format!(".{zone}")));
        let answered_by = if in_cluster { "cluster".to_owned() } else { format!("forward:{upstream}") };
        queries.push(Query { name, found: records.is_some(), answered_by });
        if let Some(records) = records.filter(|records| !records.is_empty()) {
            return Resolution { queries, answer: Some(records.clone()) };
        }
    }
    Resolution { queries, answer: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_two_dots_costs_four_wrong_questions_first() {
        let resolv = Resolv {
            nameserver: "172.20.0.10".to_owned(),
            search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "internal"]
                .map(str::to_owned)
                .to_vec(),
            ndots: 5,
        };
        let names = candidates(&resolv, "www.example.com");
        assert_eq!(names.len(), 5);
        assert_eq!(names[4], "www.example.com.");
    }
}
