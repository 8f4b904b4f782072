//! Does a probe succeed?
//!
//! A port answers if the image serves it; where nobody said what an image serves, if the container declares the port
//! or declares none. MODEL: a probe that has once succeeded goes on to succeed; liveness probes are not run.
//! Source of the words: kubelet `pkg/kubelet/prober`.

use api::{
    SimDuration,
    k8s::core::v1::{Container, Probe},
    kinds::sim::{Image, Machine},
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// How long after its start a container is probed first.
pub(super) fn first_after(probe: &Probe) -> SimDuration {
    SimDuration(seconds(probe.initial_delay_seconds, 0).0 + 200)
}

/// How long between two probes.
pub(super) fn period(probe: &Probe) -> SimDuration {
    seconds(probe.period_seconds, 10)
}

fn seconds(value: Option<i32>, unset: u64) -> SimDuration {
    SimDuration::secs(value.map_or(unset, |v| u64::from(v.unsigned_abs())))
}

/// What a probe finds.
/// # Errors
/// What follows `Readiness probe failed: `.
pub(super) fn run(
    probe: &Probe,
    container: &Container,
    image: &Image,
    ip: &str,
    machine: &Machine,
) -> Result<(), String> {
    if let Some(exec) = &probe.exec {
        let words = exec.command.as_deref().unwrap_or_default();
        return command(words, machine);
    }
    let (port, http) = match (&probe.http_get, &probe.tcp_socket) {
        (Some(get), _) => (&get.port, Some(get.path.as_deref().unwrap_or("/"))),
        (None, Some(socket)) => (&socket.port, None),
        (None, None) => return Ok(()),
    };
    let Some(port) = number(port, container) else { return Ok(()) };
    let declared: Vec<i32> = container.ports.iter().flatten().map(|p| p.container_port).collect();
    let answers = if image.ports.is_empty() {
        declared.is_empty() || declared.contains(&port)
    } else {
        image.ports.iter().any(|served| i32::from(*served) == port)
    };
    match (answers, http) {
        (true, _) => Ok(()),
        (false, Some(path)) => Err(format!(
            "Get \"http://{ip}:{port}{path}\": dial tcp {ip}:{port}: connect: connection refused"
        )),
        (false, None) => Err(format!("dial tcp {ip}:{port}: connect: connection refused")),
    }
}

fn number(port: &IntOrString, container: &Container) -> Option<i32> {
    match port {
        IntOrString::Int(port) => Some(*port),
        IntOrString::String(name) => {
            let declared = container.ports.iter().flatten().find(|p| p.name.as_deref() == Some(name));
            declared.map(|p| p.container_port)
        }
    }
}

fn command(words: &[String], machine: &Machine) -> Result<(), String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.iter().any(|word| word.ends_with("grpc-health-probe")) {
        // aws-node: ipamd listens once it has set the node up.
        let refused =
            "{\"level\":\"info\",\"msg\":\"timeout: failed to connect service \\\":50051\\\" within 5s\"}";
        return if machine.network_ready { Ok(()) } else { Err(refused.to_owned()) };
    }
    match words.as_slice() {
        ["cat", file] => Err(format!("cat: can't open '{file}': No such file or directory\n")),
        [.., last] if *last == "false" || last.trim_end().ends_with("exit 1") => Err(String::new()),
        _ => Ok(()),
    }
}
