use super::*;
use crate::fixture::{node, pod_object};

/// A small cluster: a line for each node, a pod on a node for each triple.
struct Lab {
    lines: Vec<&'static str>,
    table: NodeTable,
}

fn lab(lines: &[&'static str], pods: &[(&str, &str, &str)]) -> Lab {
    let mut table = NodeTable::default();
    lines.iter().for_each(|line| table.set_node(&node(line)));
    for (name, at, spec) in pods {
        table.add_pod(&crate::PodInfo::new(&pod_object(name, spec)), at);
    }
    Lab { lines: lines.to_vec(), table }
}

impl Lab {
    fn ask<R>(&self, spec: &str, ask: impl FnOnce(&Question) -> R) -> R {
        let pod = pod_object("web", spec);
        let profile = Profile::default_1_34();
        let find =
            |name: &str| self.lines.iter().find(|it| it.split(' ').next() == Some(name)).map(|it| node(it));
        ask(&Question { profile: &profile, table: &self.table, pod: &pod, tie: 0, node: &find, like: &find })
    }

    /// Fixes in short: the edits as data, and the node.
    fn fixes(&self, spec: &str) -> Vec<(Vec<Edit>, String)> {
        self.ask(spec, |it| fix::smallest(it).fixes.into_iter().map(|it| (it.edits, it.node)).collect())
    }
}

fn text(value: &str) -> String {
    value.to_owned()
}

fn request(cpu: &str) -> String {
    format!(r#"{{"containers": [{{"name": "app", "resources": {{"requests": {{"cpu": "{cpu}"}}}}}}]}}"#)
}

fn lowered(amount: &str) -> Edit {
    Edit::Request { container: text("app"), resource: text("cpu"), amount: text(amount) }
}

#[test]
fn a_tainted_node_is_answered_by_a_toleration_or_without_the_taint() {
    let lab = lab(&["a taint=gpu:NoSchedule"], &[]);
    let (key, effect) = (text("gpu"), text("NoSchedule"));
    let tolerate = Edit::Tolerate { key: key.clone(), value: String::new(), effect: effect.clone() };
    let remove = Edit::RemoveTaint { node: text("a"), key, effect };
    assert_eq!(lab.fixes("{}"), [(vec![tolerate], text("a")), (vec![remove], text("a"))]);
}

#[test]
fn a_cordoned_node_is_answered_by_uncordon_and_by_another_like_it() {
    let fixes = lab(&["a cordoned"], &[]).fixes("{}");
    assert_eq!(fixes[0], (vec![Edit::Uncordon { node: text("a") }], text("a")));
    assert_eq!(fixes[1], (vec![Edit::AddNode { like: text("a") }], text("new-node")));
}

#[test]
fn a_request_is_lowered_to_what_the_roomiest_node_has() {
    let lab = lab(&["a cpu=1", "b cpu=2"], &[("x", "b", &request("1755m"))]);
    let fixes = lab.fixes(&request("3"));
    assert_eq!(fixes[0], (vec![lowered("1")], text("a")));
    // A fresh node leaves it more, but takes an edit more.
    assert_eq!(fixes[1].0, [lowered("2"), Edit::AddNode { like: text("b") }]);
    // What is left is rounded down to ten thousandths of a CPU.
    let lab = self::lab(&["b cpu=2"], &[("x", "b", &request("1755m"))]);
    assert_eq!(lab.fixes(&request("3"))[0], (vec![lowered("240m")], text("b")));
}

#[test]
fn of_many_like_nodes_two_are_named() {
    let fixes = lab(&["a cordoned", "b cordoned", "c cordoned", "d cordoned"], &[]).fixes("{}");
    let uncordon = |node| (vec![Edit::Uncordon { node: text(node) }], text(node));
    assert_eq!(fixes[..2], [uncordon("a"), uncordon("b")]);
    assert_eq!(fixes[2..], [(vec![Edit::AddNode { like: text("a") }], text("new-node"))]);
}

#[test]
fn a_fresh_node_helps_only_a_pod_that_fits_on_an_empty_one() {
    let lab = lab(&["a cpu=2"], &[("x", "a", &request("1500m"))]);
    assert!(lab.fixes(&request("1")).contains(&(vec![Edit::AddNode { like: text("a") }], text("new-node"))));
    let edits: Vec<Vec<Edit>> = lab.fixes(&request("3")).into_iter().map(|it| it.0).collect();
    assert_eq!(edits, [vec![lowered("500m")], vec![lowered("2"), Edit::AddNode { like: text("a") }]]);
}

#[test]
fn what_a_daemon_set_takes_is_missing_on_a_fresh_node_too() {
    let mut lab = lab(&["a cpu=2"], &[]);
    let mut daemon = pod_object("agent", &request("500m"));
    daemon.metadata.owner_references = serde_json::from_str(
        r#"[{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": "1", "controller": true}]"#,
    )
    .expect("an owner");
    lab.table.add_pod(&crate::PodInfo::new(&daemon), "a");
    assert_eq!(lab.fixes(&request("1800m")), [(vec![lowered("1500m")], text("a"))]);
}

#[test]
fn two_refusals_of_the_only_node_take_two_edits_and_one_refusal_elsewhere_takes_one() {
    let (selector, disk) = (r#"{"nodeSelector": {"disk": "ssd"}}"#, text("disk"));
    let drop = Edit::DropNodeSelector { key: disk.clone() };
    let one = lab(&["a cordoned"], &[]).fixes(selector);
    assert!(one.iter().all(|it| it.0.len() == 2), "{one:?}");
    assert_eq!(one[0].0, [drop.clone(), Edit::Uncordon { node: text("a") }]);
    let two = lab(&["a cordoned", "b"], &[]).fixes(selector);
    assert_eq!(two[0], (vec![drop], text("b")));
    let label = Edit::Label { node: text("b"), key: disk, value: text("ssd") };
    assert_eq!(two[1], (vec![label], text("b")));
}

#[test]
fn labels_that_say_what_a_machine_is_are_not_ours_to_set() {
    let lab = lab(&["a"], &[]);
    let fixes = lab.fixes(r#"{"nodeSelector": {"kubernetes.io/arch": "arm64"}}"#);
    assert_eq!(fixes, [(vec![Edit::DropNodeSelector { key: text("kubernetes.io/arch") }], text("a"))]);
}

#[test]
fn taints_that_follow_a_condition_have_no_answer() {
    let lab = lab(&["a taint=node.kubernetes.io/not-ready:NoSchedule"], &[]);
    assert_eq!(lab.fixes("{}"), []);
}

#[test]
fn all_gates_are_lifted_before_anything_else_is_asked() {
    let gated = r#"{"schedulingGates": [{"name": "b"}, {"name": "a"}]}"#;
    let lift = |gate| Edit::LiftGate { gate: text(gate) };
    assert_eq!(lab(&["n"], &[]).fixes(gated), [(vec![lift("a"), lift("b")], text("n"))]);
    let cordoned = lab(&["n cordoned"], &[]).fixes(gated);
    assert_eq!(cordoned[0].0, [lift("a"), lift("b"), Edit::Uncordon { node: text("n") }]);
}

#[test]
fn a_full_node_is_answered_by_another_or_by_a_higher_limit() {
    let lab = lab(&["a pods=1"], &[("x", "a", "{}")]);
    let delete = Edit::DeletePod { namespace: text("default"), name: text("x") };
    let raise = Edit::RaiseMaxPods { node: text("a"), pods: 2 };
    let edits: Vec<Vec<Edit>> = lab.fixes("{}").into_iter().map(|it| it.0).collect();
    assert_eq!(edits, [vec![Edit::AddNode { like: text("a") }], vec![raise], vec![delete]]);
}

#[test]
fn of_two_ports_the_one_that_is_taken_is_named() {
    let spec = |port: u16| {
        format!(
            r#"{{"containers": [{{"name": "c", "ports": [{{"hostPort": {port}, "containerPort": 1}}]}}]}}"#
        )
    };
    let lab = lab(&["a"], &[("x", "a", &spec(80))]);
    assert_eq!(lab.fixes(&spec(80))[0].0, [Edit::DropHostPort { port: 80, protocol: text("TCP") }]);
}

#[test]
fn the_constraint_that_forbids_is_named_and_the_other_left_alone() {
    let spread = |key: &str| {
        format!(
            r#"{{"maxSkew": 1, "topologyKey": "{key}", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {{"matchLabels": {{"app": "web"}}}}}}"#
        )
    };
    let spec = format!(
        r#"{{"topologySpreadConstraints": [{}, {}]}}"#,
        spread("kubernetes.io/hostname"),
        spread("zone")
    );
    let lab = lab(&["a zone=x", "b zone=y cordoned"], &[("web", "a", "{}")]);
    // The pod of the question has that name too: it is looked at as if it were on no node.
    assert_eq!(lab.fixes(&spec), []);
    let lab = self::lab(&["a zone=x", "b zone=y cordoned"], &[("x", "a", "{}")]);
    assert_eq!(lab.fixes(&spec), []);
}

#[test]
fn anti_affinity_is_answered_by_dropping_it_by_a_fresh_node_or_without_the_other_pod() {
    let spec = r#"{"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}]}}}"#;
    let lab = lab(&["a"], &[("x", "a", "{}")]);
    let drop = Edit::DropPodAntiAffinity { at: 0, topology_key: text("kubernetes.io/hostname") };
    let delete = Edit::DeletePod { namespace: text("default"), name: text("x") };
    let edits: Vec<Vec<Edit>> = lab.fixes(spec).into_iter().map(|it| it.0).collect();
    assert_eq!(edits, [vec![drop], vec![Edit::AddNode { like: text("a") }], vec![delete]]);
}

#[test]
fn a_what_if_leaves_the_table_alone() {
    let lab = lab(&["a", "b cordoned"], &[("web", "a", "{}")]);
    let before = lab.table.clone();
    let edits = [Edit::Uncordon { node: text("b") }, Edit::AddNode { like: text("a") }];
    let decision = lab.ask("{}", |it| it.decide(&edits));
    assert_eq!(decision.feasible().collect::<Vec<_>>(), ["a", "b", "new-node"]);
    assert!(lab.table == before);
}

#[test]
fn a_pod_that_has_a_node_is_looked_at_as_if_it_had_none() {
    let lab = lab(&["a pods=1", "b"], &[("web", "a", "{}")]);
    let decision = lab.ask(r#"{"nodeName": "a"}"#, |it| it.decide(&[]));
    assert_eq!(decision.feasible().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn a_menu_offers_a_node_what_keeps_nodes_out_a_request_and_each_constraint() {
    let lab = lab(&["a", "b cordoned"], &[]);
    let spec = r#"{"containers": [{"name": "app"}], "nodeSelector": {"kubernetes.io/hostname": "a"}}"#;
    let edits = lab.ask(spec, |it| offers(it, &it.decide(&[])));
    let expected = [
        Edit::AddNode { like: text("a") },
        Edit::Uncordon { node: text("b") },
        lowered("100m"),
        Edit::DropNodeSelector { key: text("kubernetes.io/hostname") },
    ];
    assert_eq!(edits, expected);
}
