//! `kubectl top`.
//!
//! MODEL: no cluster of the lab has a metrics server yet, so that the answer is always the same.

use crate::{
    flag::{Flag, switch, value},
    kubectl::{Done, Fail, Kube},
};

pub(super) const BELOW: &[&str] = &["node", "nodes", "pod", "pods", "no", "po"];

pub(super) const FLAGS: &[Flag] = &[
    value("selector", 'l'),
    value("field-selector", '\0'),
    value("sort-by", '\0'),
    switch("all-namespaces", 'A'),
    switch("containers", '\0'),
    switch("no-headers", '\0'),
    switch("sum", '\0'),
    switch("show-capacity", '\0'),
    switch("show-swap", '\0'),
    switch("use-protocol-buffers", '\0'),
];

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let Some((word, names)) = args.split_first() else {
        kube.out.err(HELP.trim_end());
        return Err(Fail::Exit(1));
    };
    let what = match word.as_str() {
        "node" | "nodes" | "no" => "node",
        "pod" | "pods" | "po" => "pod",
        other => {
            return Fail::error(format!(
                "unknown command {other:?}\nSee 'kubectl top -h' for help and examples"
            ));
        }
    };
    if names.len() > 1 {
        return Fail::error(format!(
            "{what} [NAME | -l label]\nSee 'kubectl top {what} -h' for help and examples"
        ));
    }
    if kube.given.value("sort-by").is_some_and(|by| !matches!(by, "cpu" | "memory" | "")) {
        return Fail::error("--sort-by accepts only cpu or memory");
    }
    if !names.is_empty() && kube.given.has("selector") {
        return Fail::error("only one of NAME or --selector can be provided");
    }
    kube.target()?;
    Fail::error("Metrics API not available")
}

const HELP: &str = "Display resource (CPU/memory) usage.

 The top command allows you to see the resource consumption for nodes or pods.

 This command requires Metrics Server to be correctly configured and working on the server.

Available Commands:
  node          Display resource (CPU/memory) usage of nodes
  pod           Display resource (CPU/memory) usage of pods

Usage:
  kubectl top [flags] [options]

Use \"kubectl top <command> --help\" for more information about a given command.
Use \"kubectl options\" for a list of global command-line options (applies to all commands).
";
