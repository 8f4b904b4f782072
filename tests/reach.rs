//! What must hold of every trace and every fix, whatever the world?
//!
//! The worlds are the recorded path cases, and what is left of them when parts are taken away.

use std::{io::Read, path::Path};

use network::{Edit, Network, Probe, network::SecurityRule, smallest_fixes, trace};
use proptest::prelude::*;
use serde_json::Value;

/// World and question of every recorded case that asks for one path.
fn cases() -> Vec<(String, Value, Probe)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/paths/open.jsonl.gz");
    let mut text = String::new();
    let file = std::fs::File::open(path).expect("the recordings are in the repository");
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("text");
    let case = |line: &str| {
        let mut case: Value = serde_json::from_str(line).expect("a case");
        let probe = serde_json::from_value(case["query"].take()).ok()?;
        Some((case["id"].to_string(), case["world"].take(), probe))
    };
    text.lines().filter_map(case).collect()
}

fn read(world: &Value) -> Network {
    serde_json::from_value(world.clone()).expect("a world")
}

#[test]
fn a_proposed_fix_lets_the_packet_through_and_none_of_its_edits_is_spare() {
    let (mut blocked, mut answered) = (0, 0);
    for (id, world, probe) in cases() {
        let network = read(&world);
        let fixes = smallest_fixes(&network, &probe);
        if trace(&network, &probe).reachable() {
            assert!(fixes.is_empty(), "{id}: nothing is to be mended");
            continue;
        }
        blocked += 1;
        answered += usize::from(!fixes.is_empty());
        for fix in &fixes {
            let without = |left_out: Option<usize>| {
                let mut changed = network.clone();
                let others = fix.edits.iter().enumerate().filter(|(at, _)| Some(*at) != left_out);
                others.for_each(|(_, edit)| edit.apply(&mut changed));
                trace(&changed, &probe)
            };
            assert_eq!(without(None), fix.trace, "{id}: {:?}", fix.edits);
            assert!(fix.trace.reachable(), "{id}: {:?}", fix.edits);
            for at in 0..fix.edits.len() {
                assert!(!without(Some(at)).reachable(), "{id}: {:?} is spare", fix.edits[at]);
            }
        }
    }
    assert!(answered * 4 >= blocked * 3, "{answered} of {blocked} have an answer");
}

#[test]
fn a_rule_that_allows_never_blocks_and_neither_does_a_policy_less() {
    for (id, world, probe) in cases() {
        let network = read(&world);
        let before = trace(&network, &probe);
        let codes = |network: &Network| trace(network, &probe).blockers.len();
        let mut open = network.clone();
        for group in &mut open.sgs {
            let all =
                SecurityRule { proto: "-1".to_owned(), from: None, to: None, peer: "0.0.0.0/0".to_owned() };
            group.inbound.push(all.clone());
            group.outbound.push(all);
        }
        assert!(!before.reachable() || trace(&open, &probe).reachable(), "{id}: open groups");
        let mut free = network.clone();
        free.policies.clear();
        assert!(!before.reachable() || trace(&free, &probe).reachable(), "{id}: no policies");
        assert!(codes(&free) <= codes(&network), "{id}: no policies");
    }
}

/// Lists in which nothing is first.
fn turned(mut network: Network) -> Network {
    network.subnets.reverse();
    network.route_tables.reverse();
    network.route_tables.iter_mut().for_each(|it| it.routes.reverse());
    network.vpc_endpoints.reverse();
    network.sgs.reverse();
    network.sgs.iter_mut().for_each(|it| it.inbound.reverse());
    network.nacls.reverse();
    network.nacls.iter_mut().for_each(|it| it.inbound.reverse());
    network.hosts.reverse();
    network.external.reverse();
    network.pods.reverse();
    network.services.reverse();
    network.policies.reverse();
    network
}

#[test]
fn the_order_of_lists_decides_nothing() {
    for (id, world, probe) in cases() {
        let network = read(&world);
        let said = |network: &Network| {
            let trace = trace(network, &probe);
            let policies_apart = |code: &str| {
                let mut names: Vec<String> = code.split([':', ',']).map(str::to_owned).collect();
                names.sort();
                names
            };
            let blockers: Vec<_> = trace.blockers.iter().map(|it| policies_apart(&it.code)).collect();
            (blockers, trace.hops.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(said(&network), said(&turned(network.clone())), "{id}");
    }
}

/// Takes away every part whose turn has come.
fn thin(value: &mut Value, turns: &mut impl Iterator<Item = bool>) {
    match value {
        Value::Array(all) => {
            all.retain(|_| !turns.next().unwrap_or(false));
            all.iter_mut().for_each(|it| thin(it, turns));
        }
        Value::Object(fields) => fields.values_mut().for_each(|it| thin(it, turns)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_of_a_world_makes_no_trace_go_on_for_ever_or_break(
        which in any::<prop::sample::Index>(), gone in prop::collection::vec(prop::bool::weighted(0.15), 400),
    ) {
        let cases = cases();
        let (_, world, probe) = which.get(&cases);
        let mut world = world.clone();
        thin(&mut world, &mut gone.into_iter());
        let network = read(&world);
        let found = trace(&network, probe);
        prop_assert!(found.hops.len() < 200);
        for fix in smallest_fixes(&network, probe) {
            prop_assert!(fix.trace.reachable());
            prop_assert!(fix.edits.len() <= 4 && fix.edits.iter().collect::<std::collections::BTreeSet<&Edit>>().len() == fix.edits.len());
        }
    }
}
