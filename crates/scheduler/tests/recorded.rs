//! Decisions recorded from kube-scheduler 1.34.1.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use scheduler::class::Classes;
use scheduler::replay::disagreement;
use scheduler::workload::{self, Mix};
use scheduler::{NodeTable, Profile};
use serde_json::Value;

fn cases(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/scheduler").join(name);
    let mut text = String::new();
    let packed = std::fs::read(&path).expect("the recorded cases");
    GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("one case a line")).collect()
}

/// Fails if fewer agree than ever before, and names the first that do not.
fn at_least(name: &str, least: usize) {
    let cases = cases(name);
    let differ: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            disagreement(case)
                .map(|it| format!("{} {}: wanted {} got {}", case["id"], it.at, it.wanted, it.got))
        })
        .collect();
    let agree = cases.len() - differ.len();
    let first =
        differ.iter().take(20).map(|it| it.chars().take(700).collect()).collect::<Vec<String>>().join("\n");
    println!("{name}: {agree} of {}\n{first}", cases.len());
    assert!(agree >= least, "{agree} of {} agree, {least} did before:\n{first}", cases.len());
}

#[test]
fn recorded_scenarios_agree() {
    at_least("open.jsonl.gz", 400);
}

#[test]
fn teaching_scenarios_agree() {
    at_least("teaching.jsonl.gz", 19);
}

/// Scenarios drawn at random, eight kinds of 22: volumes of every source, requests at the level of the pod, sidecars, images,
/// owners, affinity across namespaces, spreading, host ports, and nodes full of equal victims under budgets.
#[test]
fn rarer_scenarios_agree() {
    at_least("rare.jsonl.gz", 176);
}

/// Node, total, nodes that passed and nodes that tied, for every pod of the workload.
fn placements_agree(name: &str, nodes: usize, mix: Mix) {
    let mut classes = Classes::new(Profile::default_1_34());
    let mut table = NodeTable::default();
    workload::nodes(nodes).iter().for_each(|it| table.set_node(it));
    let wanted = cases(name);
    for (pod, wanted) in workload::pods(wanted.len(), mix).iter().zip(&wanted) {
        let pod = classes.compile(pod);
        let got = classes.pick(&table, &pod, 0).expect("a node");
        let node = table.row(got.node).name.to_string();
        let got = serde_json::json!({"pod": pod.key.to_string(), "result": "Scheduled", "node": node,
            "total": got.total, "feasible": got.feasible, "ties": got.ties});
        assert_eq!(got, *wanted);
        table.add_pod(&pod, &node);
    }
}

#[test]
fn the_plain_workload_is_placed_as_kube_scheduler_places_it() {
    placements_agree("perf/placements-100-1000-plain.jsonl.gz", 100, Mix::Plain);
}

#[test]
fn the_mixed_workload_is_placed_as_kube_scheduler_places_it() {
    placements_agree("perf/placements-100-1000-mixed.jsonl.gz", 100, Mix::Mixed);
}

#[test]
fn the_mixed_workload_is_placed_likewise_on_a_thousand_nodes() {
    placements_agree("perf/placements-1000-300-mixed.jsonl.gz", 1000, Mix::Mixed);
}
