//! `lab node …`, `lab fault …`: what no real tool does.

use cluster::{ClusterId, Principal, Request, parts::Fault, provision::Provision};

use crate::{
    eval::Flow,
    kubectl::known,
    output::Hint,
    tool::{Call, nearest},
};

/// The cluster of the current context.
pub(super) fn here(call: &Call<'_, '_>) -> Option<ClusterId> {
    let config = &call.shell.machine.kubeconfig;
    let context = config.context(&config.current)?;
    let entry = config.clusters.iter().find(|c| c.name == context.cluster)?;
    known::plane(call.shell.world, &entry.control_plane).map(|plane| ClusterId(plane.id))
}

fn ask(call: &mut Call<'_, '_>, what: Provision) -> Result<i32, Flow> {
    match call.shell.world.request(&Principal::admin(), Request::Provision(what)) {
        Ok(_) => Ok(0),
        Err(refusal) => {
            call.out.err(&format!("lab: {refusal}"));
            Ok(1)
        }
    }
}

/// `lab node iptables NODE`: what `iptables-save` prints there.
fn iptables(call: &mut Call<'_, '_>, cluster: ClusterId, name: &str) -> i32 {
    let network = cluster::network::of(call.shell.world, cluster);
    let Some(node) = network.nodes.iter().find(|it| it.name == name) else {
        call.out.err(&format!("lab: node {name:?} not found"));
        let nearest = nearest(name, network.nodes.iter().map(|it| it.name.as_str()));
        call.out.hint(Hint::UnknownCommand { name: name.to_owned(), nearest });
        return 1;
    };
    if node.fargate {
        call.out.err(&format!(
            "lab: {name} is a Fargate micro-VM: nobody gets a shell on it, and AWS keeps its kube-proxy"
        ));
        return 1;
    }
    for table in network::iptables::save(&network, node) {
        call.out.out(&table.to_string());
    }
    0
}

/// `lab node add`, `lab node set-max-pods NODE N`, `lab node restart NODE`, `lab node iptables NODE`.
pub(super) fn node(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(cluster) = here(call) else {
        call.out.err("lab: there is no cluster in the current context");
        return Ok(1);
    };
    let words: Vec<String> = call.args.clone();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["iptables", node] => Ok(iptables(call, cluster, node)),
        ["add"] => ask(call, Provision::AddNode { cluster }),
        ["set-max-pods", node, limit] => match limit.parse() {
            Ok(max_pods) => ask(call, Provision::SetMaxPods { cluster, node: (*node).to_owned(), max_pods }),
            Err(_) => Ok(super::usage(call, "node")),
        },
        ["restart", node] => {
            for part in [Fault::Kubelet, Fault::Runtime, Fault::KubeProxy] {
                let fault = Some(part((*node).to_owned()));
                match ask(call, Provision::Clear { cluster, fault })? {
                    0 => {}
                    failed => return Ok(failed),
                }
            }
            Ok(0)
        }
        _ => Ok(super::usage(call, "node")),
    }
}

/// `lab fault stop PART`, `lab fault stop kubelet|runtime|kube-proxy NODE`, `lab fault az ZONE`,
/// `lab fault rebalance|interrupt NODE` (a spot instance's; an instance's id will do), and `lab fault clear` before the same
/// words for the way back; alone it brings every part back.
pub(super) fn fault(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let words: Vec<String> = call.args.clone();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (clears, named) = match words.as_slice() {
        ["stop", named @ ..] => (false, named),
        ["clear", named @ ..] => (true, named),
        all @ ["az" | "rebalance" | "interrupt", _] => (false, all),
        _ => return Ok(super::usage(call, "fault")),
    };
    let fault = match named {
        [] if clears => None,
        ["kubelet", node] => Some(Fault::Kubelet((*node).to_owned())),
        ["runtime", node] => Some(Fault::Runtime((*node).to_owned())),
        ["kube-proxy", node] => Some(Fault::KubeProxy((*node).to_owned())),
        ["az", zone] => Some(Fault::Zone((*zone).to_owned())),
        ["rebalance", node] => Some(Fault::Rebalance((*node).to_owned())),
        ["interrupt", node] => Some(Fault::Interruption((*node).to_owned())),
        [part]
            if !matches!(*part, "kubelet" | "runtime" | "kube-proxy" | "az" | "rebalance" | "interrupt") =>
        {
            Some(Fault::Part((*part).to_owned()))
        }
        _ => return Ok(super::usage(call, "fault")),
    };
    let Some(cluster) = here(call) else {
        call.out.err("lab: there is no cluster in the current context");
        return Ok(1);
    };
    match fault {
        Some(fault) if !clears => ask(call, Provision::Stop { cluster, fault }),
        fault => ask(call, Provision::Clear { cluster, fault }),
    }
}
