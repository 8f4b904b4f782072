//! `lab trace`, `lab fix FROM TO` and `lab node iptables`: what they say, and that the lines of a fix let the packet through.

use cluster::World;
use serde_json::Value;
use shell::{Machine, Output, run};

/// A machine with a cluster of two nodes, two pods and a Service.
fn lab() -> (Machine, World) {
    let (mut machine, mut world) = (Machine::default(), World::empty(1));
    let setup = "eksctl create cluster --name lab --nodes 2 --zones ap-northeast-2a,ap-northeast-2b
        kubectl run web --image=nginx --port=80 --labels=app=web
        kubectl run cat --image=busybox --labels=app=cat -- sleep 3600
        kubectl expose pod web --port=80
        kubectl wait --for=condition=Ready pod --all --timeout=5m
        lab wait idle";
    for line in setup.lines() {
        let mut out = Output::default();
        assert_eq!(run(line.trim(), &mut machine, &mut world, &mut out), 0, "{line}: {}", out.stderr());
    }
    (machine, world)
}

fn said(machine: &mut Machine, world: &mut World, line: &str) -> (i32, String) {
    let mut out = Output::default();
    let exit = run(line, machine, world, &mut out);
    (exit, out.stdout() + &out.stderr())
}

/// Breaks something, asks for the fix, types what it says, and asks for the path again.
fn mended(breaks: &str, from: &str, to: &str) -> String {
    let (mut machine, mut world) = lab();
    let (exit, words) = said(&mut machine, &mut world, breaks);
    assert_eq!(exit, 0, "{words}");
    said(&mut machine, &mut world, "lab wait idle");
    let (exit, before) = said(&mut machine, &mut world, &format!("lab trace {from} {to}"));
    assert_eq!(exit, 1, "{before}");
    let (exit, fix) = said(&mut machine, &mut world, &format!("lab fix {from} {to}"));
    assert_eq!(exit, 0, "{fix}");
    let first = fix.lines().skip(2).take_while(|line| line.starts_with("   "));
    for line in first {
        let (exit, words) = said(&mut machine, &mut world, line.trim());
        assert_eq!(exit, 0, "{line}: {words}");
    }
    said(&mut machine, &mut world, "lab wait 3m");
    let (exit, after) = said(&mut machine, &mut world, &format!("lab trace {from} {to}"));
    assert_eq!(exit, 0, "{fix}{after}");
    fix
}

#[test]
fn a_service_that_selects_nobody_selects_again() {
    let fix = mended("kubectl set selector service web app=wbe", "pod/cat", "svc/web");
    let wanted = "pod/cat → svc/web: blocked by svc:no-endpoints:default/web
1. service default/web: selector app=cat
   kubectl set selector service web app=cat -n default
2. service default/web: selector app=web
   kubectl set selector service web app=web -n default
";
    // To the pod `cat` the Service would lead as well, but nothing listens there.
    let only = wanted.replace(
        "1. service default/web: selector app=cat\n   kubectl set selector service web app=cat -n default\n2.",
        "1.",
    );
    assert_eq!(fix, only);
}

#[test]
fn a_target_port_that_nobody_listens_on_is_mended_in_place() {
    let breaks = r#"kubectl patch service web --type json -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":8080}]'"#;
    let fix = mended(breaks, "pod/cat", "svc/web");
    assert!(fix.contains("service default/web: targetPort of 80 → 80"), "{fix}");
}

#[test]
fn who_may_not_use_the_public_door_is_let_in() {
    let breaks = "aws eks update-cluster-config --name lab --resources-vpc-config publicAccessCidrs=198.51.100.0/24 && lab wait 5m";
    let fix = mended(breaks, "pod/cat", "api");
    assert!(
        fix.contains(
            "update-cluster-config --name lab --resources-vpc-config publicAccessCidrs=198.51.100.0/24,"
        ),
        "{fix}"
    );
}

#[test]
fn what_arrives_already_and_what_nobody_is_called_is_said() {
    let (mut machine, mut world) = lab();
    let (exit, words) = said(&mut machine, &mut world, "lab fix pod/cat svc/web");
    assert_eq!((exit, words.as_str()), (0, "pod/cat → svc/web: reached as it is\n"));
    let (exit, words) = said(&mut machine, &mut world, "lab fix pod/cta svc/web");
    assert_eq!(exit, 2, "{words}");
    assert!(words.starts_with("lab: no \"pod/cta\" to trace from"), "{words}");
    let (exit, words) = said(&mut machine, &mut world, "lab fix pod/cat pod/web:81");
    assert_eq!(exit, 1, "nothing listens there: {words}");
}

#[test]
fn every_backend_is_traced_and_said_as_data() {
    let (mut machine, mut world) = lab();
    said(&mut machine, &mut world, "kubectl run web-2 --image=nginx --port=80 --labels=app=web");
    said(&mut machine, &mut world, "lab wait idle");
    let (exit, text) = said(&mut machine, &mut world, "lab trace pod/cat svc/web --all --json");
    assert_eq!(exit, 0, "{text}");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let all = all.as_array().expect("a list");
    let mut backends: Vec<&str> = all.iter().filter_map(|one| one["backend"].as_str()).collect();
    backends.sort_unstable();
    assert_eq!(backends, ["default/web", "default/web-2"]);
    for one in all {
        assert_eq!(one["verdict"], "reached");
        assert_eq!(one["backends"].as_array().map(Vec::len), Some(2));
    }
    let (exit, text) = said(&mut machine, &mut world, "lab trace pod/cat svc/web:80 --proto udp");
    assert_eq!(exit, 1, "{text}");
    assert!(text.contains("svc:no-port:default/web:80"), "{text}");
    let (exit, text) = said(&mut machine, &mut world, "lab trace pod/cat svc/web --proto icmp");
    assert_eq!((exit, text.as_str()), (2, "lab: \"icmp\" is no protocol that is traced: tcp or udp\n"));
}

#[test]
fn a_stopped_kube_proxy_keeps_its_rules() {
    let (mut machine, mut world) = lab();
    let (_, nodes) = said(&mut machine, &mut world, "kubectl get nodes -o name");
    let node = nodes.lines().next().and_then(|it| it.strip_prefix("node/")).expect("a node").to_owned();
    let count = format!("lab node iptables {node} | grep -c default/web");
    // The Service's own rule, and of each endpoint one that chooses it and two of its chain.
    assert_eq!(said(&mut machine, &mut world, &count).1, "4\n");
    said(&mut machine, &mut world, &format!("lab fault stop kube-proxy {node}"));
    said(&mut machine, &mut world, "kubectl run web-2 --image=nginx --port=80 --labels=app=web");
    said(&mut machine, &mut world, "lab wait idle");
    assert_eq!(said(&mut machine, &mut world, &count).1, "4\n");
    said(&mut machine, &mut world, "lab fault clear");
    said(&mut machine, &mut world, "lab wait idle");
    assert_eq!(said(&mut machine, &mut world, &count).1, "7\n");
}

#[test]
fn a_policy_shows_in_the_matrix() {
    let (mut machine, mut world) = lab();
    let (exit, open) = said(&mut machine, &mut world, "lab matrix --port 80");
    let wanted = "           1 2\n1 pod/cat  · ✓\n2 pod/web  R ·\n✓ reached  R refused  ✕ timed out; rows ask columns\n";
    assert_eq!((exit, open.as_str()), (0, wanted));
    let policy = "kubectl apply -f - <<E\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\nspec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}\nE";
    assert_eq!(said(&mut machine, &mut world, policy).0, 0);
    // Nobody heeds it before the VPC CNI's agent is told to.
    assert_eq!(said(&mut machine, &mut world, "lab matrix --port 80").1, open);
    let agent = "aws eks update-addon --cluster-name lab --addon-name vpc-cni --configuration-values '{\"enableNetworkPolicy\":\"true\"}'";
    let (exit, words) = said(&mut machine, &mut world, agent);
    assert_eq!(exit, 0, "{words}");
    said(&mut machine, &mut world, "lab wait 5m");
    let (_, shut) = said(&mut machine, &mut world, "lab matrix --port 80");
    assert!(shut.contains("pod/cat  · ✕"), "{shut}");
    let (_, data) = said(&mut machine, &mut world, "lab matrix --vpc --port 10250 --json");
    let data: Value = serde_json::from_str(&data).expect("JSON");
    let cells = data.as_array().expect("a list");
    assert!(cells.iter().any(|it| it["from"] == "pod/cat" && it["verdict"] == "reached"), "{data:#}");
}
