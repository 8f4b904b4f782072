//! `kubectl cordon` and `kubectl uncordon`.

use api::Kind;
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, field};

pub(super) fn cordon(kube: &mut Kube<'_, '_>) -> Done {
    run(kube, true)
}

pub(super) fn uncordon(kube: &mut Kube<'_, '_>) -> Done {
    run(kube, false)
}

fn run(kube: &mut Kube<'_, '_>, closed: bool) -> Done {
    let dry = DryRun::of(kube)?;
    let mut failed = Vec::new();
    for node in nodes(kube)? {
        match mark(kube, &node, closed, dry) {
            Ok(line) => kube.out.line(&line),
            Err(fail) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

/// The nodes that the arguments or the selector name.
pub(super) fn nodes(kube: &mut Kube<'_, '_>) -> Done<Vec<String>> {
    let verb = kube.verb;
    let args = kube.given.args.clone();
    match (args.is_empty(), kube.given.has("selector")) {
        (true, false) => {
            Fail::error(format!("USAGE: {verb} NODE [flags]\nSee 'kubectl {verb} -h' for help and examples"))
        }
        (false, true) => Fail::error(format!(
            "cannot specify both a node name and a --selector option\nSee 'kubectl {verb} -h' for help and examples"
        )),
        (true, true) => {
            let selection = kube.selection();
            let found = kube.list(Kind::Node, "", &selection)?;
            Ok(found.iter().map(|n| field::name(n).to_owned()).collect())
        }
        (false, false) => {
            let mut nodes = Vec::new();
            for arg in args {
                let name = arg
                    .strip_prefix("node/")
                    .or_else(|| arg.strip_prefix("nodes/"))
                    .unwrap_or(&arg)
                    .to_owned();
                // UPSTREAM: one that is not there, and none is touched.
                kube.get(Kind::Node, "", &name)?;
                nodes.push(name);
            }
            Ok(nodes)
        }
    }
}

/// Marks a node; what is printed.
pub(super) fn mark(kube: &mut Kube<'_, '_>, node: &str, closed: bool, dry: DryRun) -> Done<String> {
    let now = kube.get(Kind::Node, "", node)?;
    let word = if closed { "cordoned" } else { "uncordoned" };
    let is = field::at(&now, "spec.unschedulable") == &Value::Bool(true);
    if is == closed {
        return Ok(format!("node/{node} already {word}{}", dry.suffix()));
    }
    if dry != DryRun::Client {
        let wanted = if closed { json!(true) } else { Value::Null };
        kube.patch(
            (Kind::Node, "", node),
            json!({"spec": {"unschedulable": wanted}}),
            dry == DryRun::Server,
        )?;
    }
    Ok(format!("node/{node} {word}{}", dry.suffix()))
}
