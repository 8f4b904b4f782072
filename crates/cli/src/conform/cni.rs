//! Suite `cni`: address arithmetic and the warm pool.
//!
//! The warm-pool cases replay what their recorder did: a tick every 5 s in which ipamd looks first and pods without an
//! address try again after it, against an EC2 whose calls take no time.

use std::collections::{BTreeMap, BTreeSet};

use cni::{
    discovery::{self, Candidate},
    karpenter, kube_reserved,
    limits::{self, Hypervisor},
    max_pods, split, subnet,
};
use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};

use super::{Disagreement, Outcome};

mod fargate;
mod machine;

/// Runs one case.
pub(super) fn run(case: &Value) -> Vec<Outcome> {
    vec![compare(case)]
}

fn compare(case: &Value) -> Outcome {
    let (input, expect) = (&case["input"], &case["expect"]);
    let got = answer(case["kind"].as_str().unwrap_or_default(), input);
    let disagree = |at: &str, wanted: &Value, got: &Value| {
        Err(Disagreement {
            id: case["id"].as_str().unwrap_or_default().to_owned(),
            at: at.to_owned(),
            wanted: wanted.to_string(),
            got: got.to_string(),
        })
    };
    if let Some(any) = expect["any_of"].as_array() {
        let got = &got["after"];
        return if any.contains(got) { Ok(()) } else { disagree("any_of", &expect["any_of"], got) };
    }
    let fields = expect.as_object().into_iter().flatten();
    for (field, wanted) in fields {
        if !equal(wanted, &got[field]) {
            return disagree(field, wanted, &got[field]);
        }
    }
    Ok(())
}

/// Numbers are equal whether or not they are written with a point.
fn equal(wanted: &Value, got: &Value) -> bool {
    match (wanted.as_f64(), got.as_f64()) {
        (Some(wanted), Some(got)) => (wanted - got).abs() < 1e-9,
        _ => wanted == got,
    }
}

fn answer(kind: &str, input: &Value) -> Value {
    match kind {
        "max_pods" => json!({"max_pods": max_pods(input)}),
        "kube_reserved" => kube_reserved(input),
        "subnet" => subnet(input),
        "split" => split(input),
        "prefix_fragmentation" => fragmentation(input),
        "subnet_pick" => subnet_pick(input),
        "warm_pool" | "warm_pool_any" => machine::warm_pool(input),
        "subnet_exhaustion" => machine::exhaustion(input),
        "node_init" => machine::node_init(input),
        "karpenter_allocatable" => karpenter(input),
        "fargate_size" => fargate::size(input),
        "fargate_match" => fargate::matching(input),
        _ => Value::Null,
    }
}

fn number(input: &Value, field: &str) -> u32 {
    input[field].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or_default()
}

fn net(input: &Value, field: &str) -> Option<Ipv4Net> {
    input[field].as_str()?.parse().ok()
}

fn max_pods(input: &Value) -> u32 {
    let (enis, per_eni, vcpu) = (number(input, "enis"), number(input, "ipv4_per_eni"), number(input, "vcpu"));
    let hypervisor = match input["hypervisor"].as_str() {
        Some("nitro") => Hypervisor::Nitro,
        Some("xen") => Hypervisor::Xen,
        _ => Hypervisor::Metal,
    };
    let is = |field: &str| input[field] == Value::Bool(true);
    let flags = max_pods::Flags {
        prefix_delegation: is("prefix_delegation"),
        custom_networking: is("custom_networking"),
        max_eni: input["max_eni"].as_u64().map(|_| number(input, "max_eni")),
        show_max_allowed: is("show_max_allowed"),
    };
    match input["mode"].as_str() {
        Some("calculator") => max_pods::calculator(enis, per_eni, vcpu, hypervisor, flags),
        Some("auto_mode") => max_pods::auto_mode(enis, per_eni),
        Some("karpenter") => {
            let per_core = input["pods_per_core"].as_u64().map(|_| number(input, "pods_per_core"));
            max_pods::karpenter(enis, per_eni, vcpu, number(input, "reserved_enis"), per_core)
        }
        _ => max_pods::formula(enis, per_eni),
    }
}

fn kube_reserved(input: &Value) -> Value {
    let (vcpu, pods) = (number(input, "vcpu"), number(input, "max_pods"));
    let memory = i64::from(number(input, "memory_mib"));
    json!({
        "kube_reserved_cpu_m": kube_reserved::cpu_milli(vcpu),
        "kube_reserved_memory_mib": kube_reserved::memory_mib(pods),
        "kube_reserved_ephemeral": kube_reserved::EPHEMERAL_STORAGE,
        "eviction_hard_memory_mib": kube_reserved::EVICTION_MEMORY_MIB,
        "allocatable_cpu_m": i64::from(vcpu) * 1000 - kube_reserved::cpu_milli(vcpu),
        "allocatable_memory_mib": kube_reserved::allocatable_memory_mib(memory, pods),
    })
}

fn karpenter(input: &Value) -> Value {
    let overhead = (input["vm_memory_overhead_percent"].as_f64().unwrap_or_default() * 1000.0).round() as i64;
    let of = input["type"].as_str().and_then(limits::of);
    let Some(it) = of.and_then(|of| karpenter::allocatable(of, overhead)) else { return Value::Null };
    json!({"allocatable_cpu_m": it.cpu_milli, "allocatable_memory_mib": it.memory_mib, "pods": it.pods, "pod_eni": it.pod_eni})
}

fn subnet(input: &Value) -> Value {
    let Some(cidr) = net(input, "cidr").filter(|cidr| subnet::valid(*cidr)) else {
        return json!({"valid": false, "error": "subnet size must be between /28 and /16"});
    };
    let cidr = cidr.trunc();
    let (first, last) = subnet::usable_range(cidr);
    let nth = |n: u32| std::net::Ipv4Addr::from(u32::from(cidr.network()) + n);
    json!({
        "valid": true,
        "canonical": cidr,
        "total": subnet::total(cidr),
        "usable": subnet::usable(cidr),
        "first_usable": first,
        "last_usable": last,
        "reserved": {"network": nth(0), "vpc_router": nth(1), "dns": nth(2), "future_use": nth(3),
            "broadcast": cidr.broadcast()},
        "prefixes_28_when_empty": subnet::SubnetAddresses::new(cidr).free_blocks().len(),
    })
}

fn split(input: &Value) -> Value {
    let Some(vpc) = net(input, "vpc_cidr") else { return Value::Null };
    if input["mode"] == "eksctl" {
        return match split::eksctl(vpc, number(input, "zones")) {
            Ok(split) => json!({"public": split.public, "private": split.private, "unused": split.unused}),
            Err(error) => json!({"error": error.to_string()}),
        };
    }
    match split::equal(vpc, number(input, "n")) {
        Ok((subnets, unallocated)) => json!({
            "new_prefix": subnets.first().map(Ipv4Net::prefix_len),
            "usable_each": subnets.first().map(|s| subnet::usable(*s)),
            "subnets": subnets,
            "unallocated": unallocated,
        }),
        Err(error) => json!({"error": error.to_string()}),
    }
}

/// A subnet with the case's addresses taken.
fn addresses(input: &Value, field: &str) -> Option<subnet::SubnetAddresses> {
    let mut addresses = subnet::SubnetAddresses::new(net(input, field)?);
    for address in input["used"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        addresses.take(address.parse().ok()?);
    }
    Some(addresses)
}

fn fragmentation(input: &Value) -> Value {
    let Some(mut subnet) = addresses(input, "cidr") else { return Value::Null };
    let blocks = subnet.free_blocks();
    let free = subnet.free();
    let allocation = match subnet.assign_prefixes(number(input, "want_prefixes")) {
        Ok(assigned) => json!({"ok": true, "assigned": assigned}),
        Err(error) => json!({"ok": false, "error_code": error.to_string(), "error_message": error.message()}),
    };
    json!({
        "free_addresses": free,
        "free_28_blocks": blocks.len(),
        "max_prefix_pods": blocks.len() * 16,
        "blocks": blocks,
        "allocation": allocation,
    })
}

fn subnet_pick(input: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let candidates: Vec<Candidate> = input["subnets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|subnet| Candidate {
            id: text(&subnet["id"]),
            free: number(subnet, "free"),
            tags: subnet["tags"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, v)| (k.clone(), text(v)))
                .collect(),
        })
        .collect();
    match discovery::order(&candidates, &text(&input["node_subnet"]), &text(&input["cluster_name"])) {
        Ok(order) => json!({"order": order}),
        Err(error) => json!({"error": error.to_string()}),
    }
}

fn environment(input: &Value) -> BTreeMap<String, String> {
    let pairs = input["env"].as_object().map(Map::iter).into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

fn sorted(words: BTreeSet<String>) -> Vec<String> {
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn recorded_cases_agree() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/cni/open.jsonl.gz");
        let cases = super::super::documents(&file).expect("the recorded cases");
        let agree = cases.iter().filter(|case| super::compare(case).is_ok()).count();
        assert_eq!(cases.len(), 624);
        assert!(agree >= 620, "{agree} of {} agree", cases.len());
    }
}
