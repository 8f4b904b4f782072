//! What would one type to make these edits for real?
//!
//! Most of a pod's spec cannot be changed while the pod is there. Tolerations may be added and gates removed in place;
//! anything else means another template, where an owner has one, and otherwise deleting the pod and making it again.
//! Source: `ValidatePodUpdate` of `pkg/apis/core/validation`, 1.34; `kubectl replace --force`.

use api::{
    Kind,
    k8s::core::v1::{Node, PodSpec},
    kinds::sim::{ControlPlane, Provider},
};
use cluster::{ClusterId, what_if::Subject};
use scheduler::what_if::{Edit, Fix, Side, edit};
use serde_json::{Value, json};

use super::diff;

/// The lines that make the edits, in order; `None` where no line can: the pod comes from a template that cannot be
/// changed, or the template does not hold what the edit would drop.
#[must_use]
pub fn commands(subject: &Subject<'_>, edits: &[Edit]) -> Option<Vec<String>> {
    let at_nodes = edits.iter().filter(|it| it.side() == Side::Node).map(|it| at_node(subject, it));
    let mut lines = at_nodes.collect::<Option<Vec<String>>>()?;
    let at_pod: Vec<Edit> = edits.iter().filter(|it| it.side() == Side::Pod).cloned().collect();
    if !at_pod.is_empty() {
        lines.extend(at_pods(subject, &at_pod)?);
    }
    Some(lines)
}

/// Fixes that one can type, with their lines. Where two come to the same lines (one more node, wherever the node group puts
/// it) the better one stands for both.
#[must_use]
pub fn typed(subject: &Subject<'_>, fixes: Vec<Fix>) -> Vec<(Fix, Vec<String>)> {
    let mut typed: Vec<(Fix, Vec<String>)> = Vec::new();
    for fix in fixes {
        let Some(lines) = commands(subject, &fix.edits) else { continue };
        if typed.iter().all(|(_, other)| *other != lines) {
            typed.push((fix, lines));
        }
    }
    typed
}

fn at_node(subject: &Subject<'_>, edit: &Edit) -> Option<String> {
    Some(match edit {
        Edit::Uncordon { node } => format!("kubectl uncordon {node}"),
        Edit::RemoveTaint { node, key, effect } => format!("kubectl taint nodes {node} {key}:{effect}-"),
        Edit::Label { node, key, value } => {
            let found = subject.world().store().get::<Node>(subject.cluster(), "", node);
            let has = found.and_then(|it| it.metadata.labels.as_ref()).is_some_and(|it| it.contains_key(key));
            format!("kubectl label nodes {node} {key}={value}{}", if has { " --overwrite" } else { "" })
        }
        Edit::Unlabel { node, key } => format!("kubectl label nodes {node} {key}-"),
        Edit::RaiseMaxPods { node, pods } => format!("lab node set-max-pods {node} {pods}"),
        Edit::DeletePod { namespace, name } => {
            format!("kubectl delete pod {name}{}", in_namespace(namespace))
        }
        Edit::AddNode { like } => add_node(subject, like)?,
        Edit::LiftGate { .. }
        | Edit::Tolerate { .. }
        | Edit::Request { .. }
        | Edit::DropNodeSelector { .. }
        | Edit::DropSpread { .. }
        | Edit::DropPodAffinity { .. }
        | Edit::DropPodAntiAffinity { .. }
        | Edit::DropNodeAffinity
        | Edit::DropHostPort { .. } => return None,
    })
}

/// A node group becomes one larger; other clusters have only the lab's own verb.
fn add_node(subject: &Subject<'_>, like: &str) -> Option<String> {
    let store = subject.world().store();
    let planes = store.list::<ControlPlane>(ClusterId::WORLD, None);
    let plane = planes.into_iter().find(|it| it.id == subject.cluster().0)?;
    if plane.provider == Provider::Kind {
        return Some("lab node add".to_owned());
    }
    let group = cluster::what_if::node_group(subject.world(), subject.cluster(), like)?;
    let name = group.metadata.name.as_deref()?;
    let nodes = group.desired_size + 1;
    let most = if nodes > group.max_size { format!(" --nodes-max={nodes}") } else { String::new() };
    Some(format!("eksctl scale nodegroup --cluster={} --name={name} --nodes={nodes}{most}", group.cluster))
}

fn at_pods(subject: &Subject<'_>, edits: &[Edit]) -> Option<Vec<String>> {
    let namespace = subject.pod.metadata.namespace.as_deref().unwrap_or("default");
    let pod = subject.pod.metadata.name.as_deref().unwrap_or_default();
    let place = in_namespace(namespace);
    let Some(owner) = &subject.owner else {
        if subject.is_fixed {
            return None;
        }
        let patch = patch("/spec", subject.pod.spec.as_ref()?, edits)?;
        let in_place = edits.iter().all(|it| matches!(it, Edit::Tolerate { .. } | Edit::LiftGate { .. }));
        let line = format!("kubectl patch pod {pod}{place} --type=json -p {patch}");
        return Some(vec![match in_place {
            true => line,
            false => format!("{line} --dry-run=client -o json | kubectl replace --force -f -"),
        }]);
    };
    let kind = owner.kind.info().singular();
    let mut lines = match edits {
        [Edit::Request { container, resource, amount }] if !container.is_empty() => {
            vec![format!(
                "kubectl set resources {kind} {}{place} -c={container} --requests={resource}={amount}",
                owner.name
            )]
        }
        _ => {
            let patch = patch("/spec/template/spec", &owner.template, edits)?;
            vec![format!("kubectl patch {kind} {}{place} --type=json -p {patch}", owner.name)]
        }
    };
    match owner.kind {
        // UPSTREAM: the first only looks at its template for new pods, the second waits for the broken pod to become ready.
        Kind::ReplicaSet | Kind::StatefulSet => lines.push(format!("kubectl delete pod {pod}{place}")),
        _ => {}
    }
    Some(lines)
}

fn in_namespace(namespace: &str) -> String {
    if namespace == "default" { String::new() } else { format!(" -n {namespace}") }
}

/// A JSON patch in quotes; `None` if nothing there would change.
fn patch(path: &str, before: &PodSpec, edits: &[Edit]) -> Option<String> {
    let mut after = before.clone();
    edit::edit_spec(&mut after, edits);
    let (before, after) = (serde_json::to_value(before).ok()?, serde_json::to_value(&after).ok()?);
    let mut operations = diff::patch(path, &before, &after);
    if operations.is_empty() {
        return None;
    }
    // Written in the order in which people write it.
    let text: Vec<String> = operations.iter_mut().map(operation).collect();
    Some(format!("'[{}]'", text.join(",").replace('\'', r"'\''")))
}

fn operation(it: &mut Value) -> String {
    let value = it.get("value").map(|it| format!(r#","value":{it}"#)).unwrap_or_default();
    format!(
        r#"{{"op":{},"path":{}{value}}}"#,
        it.get("op").unwrap_or(&json!("")),
        it.get("path").unwrap_or(&json!(""))
    )
}
