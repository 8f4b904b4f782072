use serde_json::json;

use super::*;
use crate::network::Network;

/// Two nodes in two subnets with a pod each, and a Service in front of the second; nothing lets the first pod in.
fn world() -> Network {
    let eni = |id: &str, ip: &str, subnet: &str, group: &str| json!({"id": id, "dev": 0, "ip": ip, "subnet": subnet, "sgs": [group]});
    let pod = |name: &str, node: &str, ip: &str, eni: &str| {
        json!({"ns": "default", "name": name, "labels": {"app": name}, "node": node, "ip": ip, "eni": eni, "ready": true,
            "ports": [{"containerPort": 8080}]})
    };
    serde_json::from_value(json!({
        "vpc": {"id": "v", "cidrs": ["10.0.0.0/16"], "dnsSupport": true, "dnsHostnames": true},
        "subnets": [{"id": "a", "cidr": "10.0.0.0/24", "rt": "r"}, {"id": "b", "cidr": "10.0.1.0/24", "rt": "r", "nacl": "n"}],
        "routeTables": [{"id": "r"}],
        "nacls": [{"id": "n", "in": [{"n": 100, "proto": "-1", "cidr": "0.0.0.0/0", "action": "deny"}],
            "out": [{"n": 100, "proto": "-1", "cidr": "0.0.0.0/0", "action": "allow"}]}],
        "sgs": [{"id": "sg-a", "out": [{"proto": "-1", "peer": "0.0.0.0/0"}]}, {"id": "sg-b"}],
        "cni": {"networkPolicy": true},
        "nodes": [{"name": "one", "enis": [eni("eni-a", "10.0.0.10", "a", "sg-a")]},
            {"name": "two", "enis": [eni("eni-b", "10.0.1.10", "b", "sg-b")]}],
        "pods": [pod("cat", "one", "10.0.0.11", "eni-a"), pod("web", "two", "10.0.1.11", "eni-b")],
        "services": [{"ns": "default", "name": "web", "type": "ClusterIP", "clusterIP": "172.20.0.10", "selector": {"app": "web"},
            "ports": [{"port": 80, "targetPort": 8080}]}],
        "policies": [{"name": "none", "namespace": "default", "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}],
    }))
    .expect("a world")
}

fn probe(to: &str, port: u16) -> Probe {
    let (from, to, proto) = ("pod:default/cat".to_owned(), to.to_owned(), "TCP".to_owned());
    Probe { from, to, port, proto, ..Probe::default() }
}

fn edits(network: &Network, probe: &Probe) -> Vec<Vec<Edit>> {
    smallest_fixes(network, probe).into_iter().map(|fix| fix.edits).collect()
}

#[test]
fn every_rule_in_the_way_is_answered_and_no_other() {
    let network = world();
    let found = edits(&network, &probe("svc:default/web", 80));
    assert_eq!(found.len(), 2, "by the sender's group, or by its address alone");
    for edits in &found {
        let kinds: Vec<String> = edits
            .iter()
            .map(|edit| match edit {
                Edit::NaclRule { acl, rule, .. } => format!("{acl} {} {:?} {}", rule.n, rule.to, rule.cidr),
                Edit::SecurityGroupRule { group, rule, .. } => format!("{group} {:?}", rule.from),
                Edit::PolicyRule { policy, port, .. } => format!("{policy} {port}"),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(kinds, ["n 99 Some(8080) 10.0.0.11/32", "sg-b Some(8080)", "none 8080"]);
    }
}

#[test]
fn none_of_the_edits_can_be_spared() {
    let network = world();
    let asked = probe("svc:default/web", 80);
    for fix in smallest_fixes(&network, &asked) {
        for left_out in 0..fix.edits.len() {
            let mut changed = network.clone();
            let others = fix.edits.iter().enumerate().filter(|(at, _)| *at != left_out);
            others.for_each(|(_, edit)| edit.apply(&mut changed));
            assert!(!trace(&changed, &asked).reachable(), "without {:?}", fix.edits[left_out]);
        }
    }
}

#[test]
fn a_selector_or_a_port_that_misses_is_mended_at_the_service() {
    let mut network = world();
    network.policies.clear();
    network.nacls.clear();
    network.subnets[1].nacl = None;
    let all = network.sgs[0].outbound.clone();
    network.sgs[1].inbound = all;
    let asked = probe("svc:default/web", 80);
    assert!(edits(&network, &asked).is_empty(), "it arrives already");
    let mut missing = network.clone();
    missing.services[0].selector = Some([("app".to_owned(), "wbe".to_owned())].into());
    let of = |app: &str| Edit::Selector {
        service: "default/web".to_owned(),
        selector: [("app".to_owned(), app.to_owned())].into(),
    };
    assert_eq!(edits(&missing, &asked), [[of("cat")], [of("web")]]);
    let mut other = network.clone();
    other.services[0].ports[0].target_port = None;
    let target = Edit::TargetPort { service: "default/web".to_owned(), port: 80, target: 8080 };
    assert_eq!(edits(&other, &asked), [[target]]);
    let port = Edit::ServicePort {
        service: "default/web".to_owned(),
        port: 81,
        target: 8080,
        protocol: "TCP".to_owned(),
    };
    assert_eq!(edits(&network, &probe("svc:default/web", 81)), [[port]]);
    assert!(edits(&network, &probe("pod:default/web", 81)).is_empty(), "nothing listens there");
}
