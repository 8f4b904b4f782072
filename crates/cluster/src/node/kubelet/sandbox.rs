//! How does a pod get its sandbox?
//!
//! Its volumes are mounted first. When the step is due the CNI plugin is asked. A refusal is an event and another try: upstream waits 10 to 15 s.

use api::{
    ApiStatus, Resource, SimDuration,
    k8s::core::v1::Pod,
    kinds::{
        aws::Attachment,
        sim::{Machine, Sandbox, SandboxStep},
    },
};

use super::{container, mount, network, next, say, status, volume};
use crate::{EventType, Next, Turn, cloud::eni, controllers::attach_detach, timing};

/// Asks for an address when it is due.
pub(super) fn step(
    turn: &mut Turn<'_>,
    pod: &Pod,
    mut sandbox: Sandbox,
    machine: &Machine,
) -> Result<Next, ApiStatus> {
    let now = turn.now();
    let missing = mount::missing(turn, pod);
    if missing.is_empty() {
        sandbox.mounts_until = None;
    } else if let Some(until) = sandbox.mounts_until.filter(|until| *until <= now) {
        let unmounted: Vec<&str> = missing.iter().map(|(volume, _)| volume.as_str()).collect();
        let message = mount::waited(unmounted);
        say(turn, pod, None, EventType::Warning, "FailedMount", &message);
        // The next look at the pod begins to wait anew.
        let key = super::key_of(turn.cluster(), pod);
        let jitter = turn.draw("mount", &key, until.0) % 5000;
        sandbox.mounts_until = Some(now + timing::BACK_OFF + SimDuration(jitter) + mount::WAIT);
        turn.put(sandbox.clone().into_object());
    }
    if missing.is_empty() && sandbox.step == SandboxStep::Mounting {
        (sandbox.step, sandbox.failures, sandbox.due) = (SandboxStep::Creating, 0, now);
        sandbox.probed_from = now;
    }
    if now < sandbox.due {
        return Ok(wait(turn, &sandbox, machine));
    }
    if !attach_detach::is_ready(turn, pod) {
        return Ok(Next::Done);
    }
    if !missing.is_empty() {
        for (_, message) in missing {
            say(turn, pod, None, EventType::Warning, "FailedMount", &message);
        }
        sandbox.step = SandboxStep::Mounting;
        sandbox.due = now + mount::retry(sandbox.failures);
        sandbox.failures += 1;
        sandbox.mounts_until.get_or_insert(now + mount::WAIT);
        turn.put(sandbox.clone().into_object());
        return Ok(wait(turn, &sandbox, machine));
    }
    if !machine.played {
        sandbox.written = volume::write(turn.store(), turn.cluster(), pod);
    }
    match network::add(turn, pod, machine) {
        Ok(ip) => {
            sandbox.ip = Some(ip);
            sandbox.step = SandboxStep::Ready;
            turn.put(sandbox.clone().into_object());
            status::write(turn, pod, &sandbox)?;
            container::step(turn, pod, sandbox, machine)
        }
        Err(why) => {
            let plugin = if machine.pod_cidr.is_some() { "ptp" } else { "aws-cni" };
            let named = if machine.pod_cidr.is_some() { "kindnet" } else { "aws-cni" };
            let message = format!(
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \
                 \"{}\": plugin type=\"{plugin}\" name=\"{named}\" failed (add): {why}",
                sandbox.id
            );
            say(turn, pod, None, EventType::Warning, "FailedCreatePodSandBox", &message);
            let key = super::key_of(turn.cluster(), pod);
            sandbox.failures += 1;
            let jitter = turn.draw("sandbox-retry", &key, u64::from(sandbox.failures)) % 5000;
            sandbox.due = now + SimDuration(timing::SANDBOX_RETRY.0 + jitter);
            sandbox.id = turn.hex("sandbox", &key, now.0, 64);
            turn.put(sandbox.clone().into_object());
            Ok(wait(turn, &sandbox, machine))
        }
    }
}

/// A retry that will find an address is work; one that nobody can tell about may go on for ever.
fn wait(turn: &Turn<'_>, sandbox: &Sandbox, machine: &Machine) -> Next {
    if sandbox.step == SandboxStep::Mounting {
        let until = sandbox.mounts_until.unwrap_or(sandbox.due);
        return next(turn.now(), None, Some(sandbox.due.min(until)));
    }
    let hopeful = sandbox.failures == 0
        || network::has_address(turn, &sandbox.node)
        || machine.instance.as_deref().is_some_and(|it| {
            eni::of_instance(turn.store(), it).iter().any(|eni| eni.attachment == Attachment::Attaching)
        });
    let due = Some(sandbox.due);
    if hopeful { next(turn.now(), due, None) } else { next(turn.now(), None, due) }
}
