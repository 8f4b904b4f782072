//! Which number does `{{maxPods t3.small}}` stand for?
//!
//! Numbers in prose come from the simulator's own tables, so that a text cannot drift from what the learner sees.
//! [`watched`] are those that may not be written out where a fact could give them.

use cluster::node::fargate;
use cni::{
    limits::{self, InstanceType},
    max_pods::{Flags, formula, recommended},
};

/// Names of facts about an instance type.
pub const NAMES: &[&str] = &[
    "type",
    "vcpu",
    "memory",
    "enis",
    "ipsPerEni",
    "maxPods",
    "maxPodsCustom",
    "maxPodsPrefix",
    "slots",
    "usable",
    "hostPods",
    "cooldown",
    "fargateOverhead",
    "fargateMax",
];

/// The value of a fact, as prose shows it: `{{maxPods t3.small}}` is `maxPods t3.small` here.
///
/// ```
/// assert_eq!(lab::lesson::facts::value("maxPods t3.small").as_deref(), Some("11"));
/// assert_eq!(lab::lesson::facts::value("maxPods t9.small"), None);
/// ```
#[must_use]
pub fn value(words: &str) -> Option<String> {
    let mut words = words.split_whitespace();
    let (name, subject) = (words.next()?, words.next());
    if words.next().is_some() {
        return None;
    }
    match (name, subject) {
        ("hostPods", None) => Some(cni::max_pods::HOST_NETWORK_PODS.to_string()),
        ("cooldown", None) => Some(format!("{} s", cni::COOLDOWN.as_secs())),
        ("fargateOverhead", None) => Some(format!("{} MiB", fargate::OVERHEAD_MIB)),
        ("fargateMax", Some("vcpu")) => Some((fargate::LARGEST.cpu_milli / 1000).to_string()),
        ("fargateMax", Some("memory")) => Some(format!("{} GB", fargate::LARGEST.memory_mib / 1024)),
        (_, Some(subject)) => of_type(name, limits::of(subject)?),
        (_, None) => None,
    }
}

fn of_type(name: &str, of: &InstanceType) -> Option<String> {
    let custom = Flags { custom_networking: true, ..Flags::default() };
    let prefix = Flags { prefix_delegation: true, ..Flags::default() };
    Some(match name {
        "type" => of.name.to_owned(),
        "vcpu" => of.vcpu?.to_string(),
        "memory" => format!("{} GiB", of.memory_mib? / 1024),
        "enis" => of.enis.to_string(),
        "ipsPerEni" => of.ipv4_per_eni.to_string(),
        // Places for pods on one ENI, and on all: the first address is the ENI's own.
        "slots" => (of.ipv4_per_eni - 1).to_string(),
        "usable" => (of.enis * (of.ipv4_per_eni - 1)).to_string(),
        "maxPods" => formula(of.enis, of.ipv4_per_eni).to_string(),
        "maxPodsCustom" => recommended(of, custom).to_string(),
        "maxPodsPrefix" => recommended(of, prefix).to_string(),
        _ => return None,
    })
}

/// Numbers that a fact gives, with the fact: where one of them stands in prose beside the instance type's name, it
/// has to be written as the fact.
#[must_use]
pub fn watched(instance_type: &str) -> Vec<(String, String)> {
    let facts = ["enis", "ipsPerEni", "maxPods", "maxPodsCustom", "maxPodsPrefix", "vcpu", "memory"];
    facts
        .iter()
        .filter_map(|name| {
            let fact = format!("{name} {instance_type}");
            Some((value(&fact)?, fact))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_t3_small_are_those_of_the_table() {
        // Source: AWS, "Maximum number of pods per instance type": 3 ENIs of 4 addresses, 11 pods.
        let told: Vec<_> = ["enis", "ipsPerEni", "maxPods", "usable"]
            .map(|name| value(&format!("{name} t3.small")))
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(told, ["3", "4", "11", "9"]);
    }

    #[test]
    fn custom_networking_leaves_the_first_eni_out() {
        // (3 - 1) × (4 - 1) + 2
        assert_eq!(value("maxPodsCustom t3.small").as_deref(), Some("8"));
    }
}
