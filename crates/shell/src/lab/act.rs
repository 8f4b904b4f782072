//! `lab node …`, `lab fault …`, `lab calc …`: what no real tool does.

use cluster::{ClusterId, Principal, Request, provision::Provision};

use crate::{eval::Flow, kubectl::known, tool::Call};

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

/// `lab node add`, `lab node set-max-pods NODE N`, `lab node stop-kubelet|start-kubelet NODE`.
pub(super) fn node(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(cluster) = here(call) else {
        call.out.err("lab: there is no cluster in the current context");
        return Ok(1);
    };
    let words: Vec<String> = call.args.clone();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["add"] => ask(call, Provision::AddNode { cluster }),
        ["set-max-pods", node, limit] => match limit.parse() {
            Ok(max_pods) => ask(call, Provision::SetMaxPods { cluster, node: (*node).to_owned(), max_pods }),
            Err(_) => Ok(super::usage(call, "node")),
        },
        [verb @ ("stop-kubelet" | "start-kubelet" | "restart"), node] => {
            let running = *verb != "stop-kubelet";
            ask(call, Provision::RunKubelet { cluster, node: (*node).to_owned(), running })
        }
        _ => Ok(super::usage(call, "node")),
    }
}

/// `lab fault az ZONE`.
pub(super) fn fault(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    match call.args.as_slice() {
        [what, zone] if what == "az" => {
            let zone = zone.clone();
            ask(call, Provision::FailZone { zone })
        }
        _ => Ok(super::usage(call, "fault")),
    }
}

/// `lab calc max-pods TYPE`: cards × (addresses − 1) + 2.
pub(super) fn calc(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let [what, name] = call.args.as_slice() else { return Ok(super::usage(call, "calc")) };
    if what != "max-pods" {
        return Ok(super::usage(call, "calc"));
    }
    match cni::limits::of(name) {
        Some(limits) => {
            let (cards, each) = (limits.enis, limits.ipv4_per_eni);
            let most = cards * each.saturating_sub(1) + 2;
            call.out.line(&format!("{cards} x ({each} - 1) + 2 = {most}"));
            Ok(0)
        }
        None => {
            call.out.err(&format!("lab: unknown instance type {name:?}"));
            Ok(1)
        }
    }
}
