//! How does one say an edit on a command line, and how is it read?

use api::k8s::core::v1::Pod;
use scheduler::{table::HOSTNAME, what_if::Edit};

use crate::flag::{Flag, Given, switch, value};

/// Flags of `lab what-if`.
pub(super) const FLAGS: &[Flag] = &[
    value("add-node", '\0'),
    value("delete-pod", '\0'),
    value("label", '\0'),
    value("max-pods", '\0'),
    value("namespace", 'n'),
    value("request", '\0'),
    value("tolerate", '\0'),
    value("uncordon", '\0'),
    value("without", '\0'),
    value("without-taint", '\0'),
    switch("json", '\0'),
];

/// The edits that were asked for.
/// # Errors
/// The first flag that cannot be read, and what would be.
pub(super) fn edits(given: &Given, pod: &Pod) -> Result<Vec<Edit>, String> {
    let mut edits = Vec::new();
    let all = |flag: &'static str| given.values(flag).into_iter().map(move |text| (flag, text.to_owned()));
    let flags = FLAGS.iter().map(|it| it.long).filter(|it| !matches!(*it, "namespace" | "json"));
    for (flag, text) in flags.flat_map(all) {
        let read = one(flag, &text, pod)
            .ok_or_else(|| format!("cannot read --{flag} {text}: want --{flag} {}", form(flag)))?;
        edits.push(read);
    }
    Ok(edits)
}

/// What a flag takes.
fn form(flag: &str) -> &'static str {
    match flag {
        "add-node" | "uncordon" => "NODE",
        "delete-pod" => "[NAMESPACE/]NAME",
        "label" => "NODE:KEY=VALUE or NODE:KEY-",
        "max-pods" => "NODE=N",
        "request" => "[CONTAINER:]RESOURCE=AMOUNT",
        "tolerate" => "KEY[=VALUE]:EFFECT",
        "without" => {
            "gate:NAME, node-selector:KEY, node-affinity, pod-affinity[:N], pod-anti-affinity[:N], spread[:N] or host-port:PORT[/PROTOCOL], as far as the pod has it"
        }
        "without-taint" => "NODE:KEY:EFFECT",
        _ => "",
    }
}

fn one(flag: &str, text: &str, pod: &Pod) -> Option<Edit> {
    let text = text.to_owned();
    Some(match flag {
        "add-node" => Edit::AddNode { like: text },
        "uncordon" => Edit::Uncordon { node: text },
        "delete-pod" => {
            let own = pod.metadata.namespace.as_deref().unwrap_or("default");
            let (namespace, name) = text.split_once('/').unwrap_or((own, &text));
            Edit::DeletePod { namespace: namespace.to_owned(), name: name.to_owned() }
        }
        "label" => {
            let (node, label) = text.split_once(':')?;
            match (label.split_once('='), label.strip_suffix('-')) {
                (Some((key, value)), _) => {
                    Edit::Label { node: node.to_owned(), key: key.to_owned(), value: value.to_owned() }
                }
                (None, Some(key)) => Edit::Unlabel { node: node.to_owned(), key: key.to_owned() },
                (None, None) => return None,
            }
        }
        "max-pods" => {
            let (node, pods) = text.split_once('=')?;
            Edit::RaiseMaxPods { node: node.to_owned(), pods: pods.parse().ok().filter(|it| *it >= 0)? }
        }
        "request" => {
            let (place, amount) = text.split_once('=')?;
            api::quantity::Quantity::parse(amount).ok().filter(|it| it.sign() >= 0)?;
            let first = || pod.spec.as_ref().and_then(|it| it.containers.first()).map(|it| it.name.clone());
            let (container, resource) = match place.split_once(':') {
                Some((container, resource)) => (container.to_owned(), resource),
                None => (first()?, place),
            };
            Edit::Request { container, resource: resource.to_owned(), amount: amount.to_owned() }
        }
        "tolerate" => {
            let (taint, effect) = text.rsplit_once(':')?;
            scheduler::taint::Effect::of(effect)?;
            let (key, value) = taint.split_once('=').unwrap_or((taint, ""));
            Edit::Tolerate { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() }
        }
        "without" => without(&text, pod)?,
        "without-taint" => {
            let (node, taint) = text.split_once(':')?;
            let (key, effect) = taint.rsplit_once(':')?;
            scheduler::taint::Effect::of(effect)?;
            Edit::RemoveTaint { node: node.to_owned(), key: key.to_owned(), effect: effect.to_owned() }
        }
        _ => return None,
    })
}

/// A constraint of the pod; `None` if it has none like that.
fn without(text: &str, pod: &Pod) -> Option<Edit> {
    let spec = pod.spec.as_ref()?;
    let affinity = spec.affinity.as_ref();
    let (what, which) = text.split_once(':').unwrap_or((text, ""));
    let at: u32 = if which.is_empty() { 0 } else { which.parse().unwrap_or(u32::MAX) };
    let place = usize::try_from(at).ok()?;
    let key = |key: Option<&String>| key.cloned();
    Some(match what {
        "gate" => {
            let found = spec.scheduling_gates.iter().flatten().any(|it| it.name == which);
            return found.then(|| Edit::LiftGate { gate: which.to_owned() });
        }
        "node-selector" => {
            let found = spec.node_selector.as_ref()?.contains_key(which);
            return found.then(|| Edit::DropNodeSelector { key: which.to_owned() });
        }
        "node-affinity" => {
            affinity?.node_affinity.as_ref()?.required_during_scheduling_ignored_during_execution.as_ref()?;
            Edit::DropNodeAffinity
        }
        "pod-affinity" => {
            let terms = &affinity?.pod_affinity.as_ref()?.required_during_scheduling_ignored_during_execution;
            let topology_key = key(terms.as_ref()?.get(place).map(|it| &it.topology_key))?;
            Edit::DropPodAffinity { at, topology_key }
        }
        "pod-anti-affinity" => {
            let terms =
                &affinity?.pod_anti_affinity.as_ref()?.required_during_scheduling_ignored_during_execution;
            let topology_key = key(terms.as_ref()?.get(place).map(|it| &it.topology_key))?;
            Edit::DropPodAntiAffinity { at, topology_key }
        }
        "spread" => {
            let all = spec.topology_spread_constraints.as_ref()?;
            let topology_key = key(all.get(place).map(|it| &it.topology_key))?;
            Edit::DropSpread { at, topology_key }
        }
        "host-port" => {
            let (port, protocol) = which.split_once('/').unwrap_or((which, "TCP"));
            Edit::DropHostPort { port: port.parse().ok()?, protocol: protocol.to_uppercase() }
        }
        _ => return None,
    })
}

/// An edit as the flag that asks for it.
#[must_use]
pub fn flag(edit: &Edit) -> String {
    match edit {
        Edit::LiftGate { gate } => format!("--without gate:{gate}"),
        Edit::Tolerate { key, value, effect } if value.is_empty() => format!("--tolerate {key}:{effect}"),
        Edit::Tolerate { key, value, effect } => format!("--tolerate {key}={value}:{effect}"),
        Edit::Request { container, resource, amount } => format!("--request {container}:{resource}={amount}"),
        Edit::DropNodeSelector { key } => format!("--without node-selector:{key}"),
        Edit::DropSpread { at, .. } => format!("--without spread:{at}"),
        Edit::DropPodAffinity { at, .. } => format!("--without pod-affinity:{at}"),
        Edit::DropPodAntiAffinity { at, .. } => format!("--without pod-anti-affinity:{at}"),
        Edit::DropNodeAffinity => "--without node-affinity".to_owned(),
        Edit::DropHostPort { port, protocol } => format!("--without host-port:{port}/{protocol}"),
        Edit::Uncordon { node } => format!("--uncordon {node}"),
        Edit::Label { node, key, value } => format!("--label {node}:{key}={value}"),
        Edit::Unlabel { node, key } => format!("--label {node}:{key}-"),
        Edit::RemoveTaint { node, key, effect } => format!("--without-taint {node}:{key}:{effect}"),
        Edit::AddNode { like } => format!("--add-node {like}"),
        Edit::RaiseMaxPods { node, pods } => format!("--max-pods {node}={pods}"),
        Edit::DeletePod { namespace, name } => format!("--delete-pod {namespace}/{name}"),
    }
}

/// An edit in a few words.
#[must_use]
pub fn words(edit: &Edit) -> String {
    let topology = |key: &str| if key == HOSTNAME { "hostname".to_owned() } else { key.to_owned() };
    match edit {
        Edit::LiftGate { gate } => format!("without gate {gate}"),
        Edit::Tolerate { key, value, effect } if value.is_empty() => format!("tolerate {key}:{effect}"),
        Edit::Tolerate { key, value, effect } => format!("tolerate {key}={value}:{effect}"),
        Edit::Request { container, resource, amount } if container.is_empty() => {
            format!("request {resource}={amount}")
        }
        Edit::Request { container, resource, amount } => {
            format!("request {resource}={amount} in {container}")
        }
        Edit::DropNodeSelector { key } => format!("without nodeSelector {key}"),
        Edit::DropSpread { topology_key, .. } => format!("without spreading over {}", topology(topology_key)),
        Edit::DropPodAffinity { topology_key, .. } => {
            format!("without pod affinity in {}", topology(topology_key))
        }
        Edit::DropPodAntiAffinity { topology_key, .. } => {
            format!("without pod anti-affinity in {}", topology(topology_key))
        }
        Edit::DropNodeAffinity => "without node affinity".to_owned(),
        Edit::DropHostPort { port, protocol } => format!("without host port {port}/{protocol}"),
        Edit::Uncordon { node } => format!("uncordon {node}"),
        Edit::Label { node, key, value } => format!("label {key}={value} on {node}"),
        Edit::Unlabel { node, key } => format!("no label {key} on {node}"),
        Edit::RemoveTaint { node, key, effect } => format!("without taint {key}:{effect} on {node}"),
        Edit::AddNode { like } => format!("+1 node like {like}"),
        Edit::RaiseMaxPods { node, pods } => format!("{pods} pods on {node}"),
        Edit::DeletePod { namespace, name } => format!("without pod {namespace}/{name}"),
    }
}
