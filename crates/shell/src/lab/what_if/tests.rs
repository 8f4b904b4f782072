use cluster::World;
use scheduler::what_if::Edit;

use super::*;
use crate::{Machine, Output, run};

/// A kind cluster with two workers and some pods.
fn lab(lines: &[&str]) -> (Machine, World) {
    let (mut machine, mut world) = (Machine::default(), World::empty(1));
    let cluster = "printf 'kind: Cluster\\napiVersion: kind.x-k8s.io/v1alpha4\\nnodes: [{role: control-plane}, {role: worker}, {role: worker}]\\n' > kind.yaml";
    for line in [cluster, "kind create cluster --config kind.yaml", "sleep 120"] {
        assert_eq!(run(line, &mut machine, &mut world, &mut Output::default()), 0, "{line}");
    }
    for line in lines {
        run(line, &mut machine, &mut world, &mut Output::default());
    }
    (machine, world)
}

fn says(line: &str, (machine, world): &mut (Machine, World)) -> (i32, String) {
    let mut out = Output::default();
    let exit = run(line, machine, world, &mut out);
    (exit, format!("{}{}", out.stdout(), out.stderr()))
}

const SELECTED: &str =
    r#"kubectl run web --image=nginx --overrides='{"spec":{"nodeSelector":{"disk":"ssd"}}}'"#;
const TOO_LARGE: &str = r#"kubectl run web --image=nginx --overrides='{"spec":{"containers":[{"name":"web","image":"nginx","resources":{"requests":{"cpu":"900"}}}]}}'"#;

#[test]
fn every_edit_can_be_said_as_a_flag_and_is_read_back() {
    let pod = r#"{"metadata": {"name": "web"}, "spec": {"containers": [{"name": "app"}],
        "schedulingGates": [{"name": "g"}], "nodeSelector": {"disk": "ssd"},
        "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}],
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}},
        "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]},
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}}}}"#;
    let pod = serde_json::from_str(pod).expect("a pod");
    let text = str::to_owned;
    let (node, key, effect, topology_key) = (text("n"), text("k"), text("NoSchedule"), text("zone"));
    let edits = [
        Edit::LiftGate { gate: text("g") },
        Edit::Tolerate { key: key.clone(), value: text("v"), effect: effect.clone() },
        Edit::Tolerate { key: key.clone(), value: text(""), effect: effect.clone() },
        Edit::Request { container: text("app"), resource: text("cpu"), amount: text("100m") },
        Edit::DropNodeSelector { key: text("disk") },
        Edit::DropSpread { at: 0, topology_key: topology_key.clone() },
        Edit::DropPodAffinity { at: 0, topology_key: topology_key.clone() },
        Edit::DropPodAntiAffinity { at: 0, topology_key },
        Edit::DropNodeAffinity,
        Edit::DropHostPort { port: 53, protocol: text("UDP") },
        Edit::Uncordon { node: node.clone() },
        Edit::Label { node: node.clone(), key: key.clone(), value: text("v") },
        Edit::Unlabel { node: node.clone(), key: key.clone() },
        Edit::RemoveTaint { node: node.clone(), key, effect },
        Edit::AddNode { like: node.clone() },
        Edit::RaiseMaxPods { node, pods: 9 },
        Edit::DeletePod { namespace: text("shop"), name: text("web") },
    ];
    for edit in edits {
        let words: Vec<String> = flag(&edit).split(' ').map(str::to_owned).collect();
        let given = Given::parse(&words, &[flag::FLAGS]).expect("flags");
        assert_eq!(flag::edits(&given, &pod), Ok(vec![edit]));
    }
}

#[test]
fn a_what_if_changes_nothing() {
    let mut lab = lab(&[SELECTED]);
    let (before, facts) = (lab.1.digest(), lab.1.facts().len());
    let (exit, text) = says("lab what-if web --without node-selector:disk", &mut lab);
    assert_eq!(exit, 0, "{text}");
    assert!(text.starts_with("now   no node: 0/3 nodes are available: "), "{text}");
    assert!(text.contains("\nif    without nodeSelector disk\nthen  kind-worker"), "{text}");
    assert_eq!(says("lab fix web", &mut lab).0, 0);
    assert_eq!((lab.1.digest(), lab.1.facts().len()), (before, facts));
}

#[test]
fn what_a_fix_says_one_can_type_and_then_the_pod_runs() {
    let deployment = r#"kubectl create deployment web --image=nginx; kubectl patch deployment web --type=json -p '[{"op":"add","path":"/spec/template/spec/nodeSelector","value":{"disk":"ssd"}}]'; sleep 5"#;
    for (lines, pod) in [(vec![SELECTED], "web"), (vec![TOO_LARGE], "web"), (vec![deployment], "")] {
        let mut lab = lab(&lines);
        let pending =
            "kubectl get pods --field-selector=status.phase=Pending -o jsonpath='{.items[0].metadata.name}'";
        let pod = if pod.is_empty() { says(pending, &mut lab).1 } else { pod.to_owned() };
        let (exit, text) = says(&format!("lab fix {pod} --json"), &mut lab);
        assert_eq!(exit, 0, "{text}");
        let all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let fixes = all["fixes"].as_array().expect("fixes");
        assert!(!fixes.is_empty());
        for fix in fixes {
            let mut branch = lab.clone();
            for line in fix["commands"].as_array().expect("commands") {
                let line = line.as_str().expect("a line");
                let (exit, said) = says(line, &mut branch);
                assert_eq!(exit, 0, "{line}: {said}");
            }
            let (_, nodes) =
                says("sleep 90; kubectl get pods -o jsonpath='{.items[*].status.phase}'", &mut branch);
            assert_eq!(nodes, "Running", "{fix:#}");
        }
    }
}

#[test]
fn a_flag_that_cannot_be_read_says_what_could() {
    let mut lab = lab(&["kubectl run web --image=nginx"]);
    let (exit, text) = says("lab what-if web --request cpu", &mut lab);
    assert_eq!(
        (exit, text.as_str()),
        (2, "lab: cannot read --request cpu: want --request [CONTAINER:]RESOURCE=AMOUNT\n")
    );
    assert_eq!(says("lab what-if nobody", &mut lab).0, 1);
}
