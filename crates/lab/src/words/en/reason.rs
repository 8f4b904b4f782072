//! Why each step of a story happened, in English.

use crate::view::reason::{Choice, Reason};

/// One or two sentences; empty where the step says it all.
#[must_use]
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::None => String::new(),
        Reason::Sent(user, verb, what) => format!("`{user}` asks to `{verb}` {what}."),
        Reason::Known(user, groups) => format!("It knows who asks: user `{user}`, groups `{groups}`."),
        Reason::Allowed(by, reason) if reason.is_empty() => format!("The `{by}` authorizer allows it."),
        Reason::Allowed(by, binding) => format!("The `{by}` authorizer allows it, by `{binding}`."),
        Reason::Admitted(plugins, _) if plugins.is_empty() => {
            "No plugin changes or stops this request.".to_owned()
        }
        Reason::Admitted(plugins, changed) => {
            let first = format!("{} plugins look at it.", plugins.len());
            match changed.split_first() {
                Some(((field, value), [])) => {
                    format!("{first} One field is filled in: `{field}: {value}`.")
                }
                Some(((field, value), rest)) => {
                    format!("{first} `{field}: {value}` and {} more fields are filled in.", rest.len())
                }
                None => first,
            }
        }
        Reason::Stored(revision) => format!("Written to etcd as revision `{revision}`."),
        Reason::Gated(gates) if gates.is_empty() => {
            "Its `nodeName` is empty: it is on no node yet, and waits for the scheduler.".to_owned()
        }
        Reason::Gated(gates) => {
            format!("The scheduler does not look while `{}` is on it.", gates.join("`, `"))
        }
        Reason::Decided(choice) => decided(choice),
        Reason::Bound(node) => format!("The scheduler writes `nodeName: {node}` on it."),
        Reason::Taken(node) => {
            format!("The kubelet of `{node}` finds a pod for its node and prepares the containers.")
        }
        Reason::Address(ip, Some((eni, device))) => {
            format!("It gets `{ip}`, which was waiting on `eth{device}` ({eni}).")
        }
        Reason::Address(ip, None) => format!("It gets `{ip}`."),
        Reason::Runs(image) => format!("The kubelet starts its container from `{image}`."),
        Reason::Words(words) => words.clone(),
    }
}

fn decided(choice: &Choice) -> String {
    let mut out = format!("{} of {} nodes pass.", choice.fit, choice.looked);
    if let Some((node, reasons)) = choice.refused.first() {
        let words = reasons.iter().map(super::scheduler::short).collect::<Vec<_>>().join(", ");
        out.push_str(&format!(" `{node}` is out: {words}."));
    }
    match (&choice.node, choice.total) {
        (Some(node), Some(total)) => out.push_str(&format!(" `{node}` has the best total, {total}.")),
        (Some(node), None) => out.push_str(&format!(" One is left, so nothing is scored: `{node}`.")),
        (None, _) => {}
    }
    out
}
