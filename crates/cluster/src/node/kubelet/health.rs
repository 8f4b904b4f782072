//! What does a probe, or a hook, find in a container?
//!
//! A port answers if the image serves it; where nobody said what an image serves, if the container declares the port
//! or declares none. HTTP answers what the image's entry says. A command is judged by its words: `cat` and `test -f` by the
//! files that the container's script has made so far.
//! MODEL: what else a command would find out is not known; it succeeds.
//! Source of the words: kubelet `pkg/kubelet/prober`, `pkg/probe/{http,tcp,grpc,exec}`; Go's `net/http`.

use api::{
    SimDuration, SimTime,
    host_port::join,
    k8s::core::v1::{Container, HTTPGetAction, Probe},
    kinds::sim::{Image, Machine},
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{container::go_duration, process::Process};

/// A container that runs, as a probe meets it.
pub(super) struct Health<'h> {
    /// Its spec.
    pub container: &'h Container,
    /// What is known of its image.
    pub image: &'h Image,
    /// What its process does.
    pub process: &'h Process,
    /// When it was started.
    pub since: SimTime,
    /// The pod's address.
    pub ip: &'h str,
    /// The node.
    pub machine: &'h Machine,
}

/// What a connection to a port finds.
enum Port {
    Answers,
    Refuses,
    Hangs,
}

impl Health<'_> {
    /// What a probe finds at a moment.
    /// # Errors
    /// What follows `Readiness probe failed: `.
    pub fn probe(&self, probe: &Probe, now: SimTime) -> Result<(), String> {
        let timeout = SimDuration::secs(u64::from(probe.timeout_seconds.unwrap_or(1).unsigned_abs()));
        if let Some(exec) = &probe.exec {
            return self.command(exec.command.as_deref().unwrap_or_default(), Some(timeout), now).map(drop);
        }
        if let Some(get) = &probe.http_get {
            return self.get(get, timeout, now);
        }
        if let Some(socket) = &probe.tcp_socket {
            let Some(port) = number(&socket.port, self.container) else { return Ok(()) };
            return match self.port(port, now) {
                Port::Answers | Port::Hangs => Ok(()),
                Port::Refuses => Err(refused(socket.host.as_deref().unwrap_or(self.ip), port)),
            };
        }
        if let Some(grpc) = &probe.grpc {
            return match self.port(grpc.port, now) {
                Port::Answers => Ok(()),
                Port::Refuses | Port::Hangs => Err(self.no_service(grpc.port, timeout)),
            };
        }
        Ok(())
    }

    /// What a probe finds whose packets come to nothing; `None` for a command.
    pub fn unanswered(&self, probe: &Probe) -> Option<String> {
        if let Some(get) = &probe.http_get {
            let scheme = get.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
            let (host, port) = (get.host.as_deref().unwrap_or(self.ip), number(&get.port, self.container)?);
            let url = format!("{scheme}://{}{}", join(host, port), get.path.as_deref().unwrap_or("/"));
            let why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
            return Some(format!("Get {url:?}: {why}"));
        }
        if let Some(socket) = &probe.tcp_socket {
            let host = socket.host.as_deref().unwrap_or(self.ip);
            return Some(format!(
                "dial tcp {}: i/o timeout",
                join(host, number(&socket.port, self.container)?)
            ));
        }
        let timeout = SimDuration::secs(u64::from(probe.timeout_seconds.unwrap_or(1).unsigned_abs()));
        probe.grpc.as_ref().map(|grpc| self.no_service(grpc.port, timeout))
    }

    fn no_service(&self, port: i32, timeout: SimDuration) -> String {
        format!(
            "timeout: failed to connect service \"{}\" within {}: context deadline exceeded",
            join(self.ip, port),
            go_duration(timeout)
        )
    }

    /// What an HTTP request finds.
    /// # Errors
    /// Go's words for no answer, or the probe's for a bad one.
    pub fn get(&self, get: &HTTPGetAction, timeout: SimDuration, now: SimTime) -> Result<(), String> {
        let Some(port) = number(&get.port, self.container) else { return Ok(()) };
        let host = get.host.as_deref().filter(|host| !host.is_empty()).unwrap_or(self.ip);
        let path = get.path.as_deref().unwrap_or("/");
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let scheme = get.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
        let url = format!("{scheme}://{}{path}", join(host, port));
        match self.port(port, now) {
            Port::Refuses => Err(format!("Get {url:?}: {}", refused(host, port))),
            Port::Hangs => Err(format!(
                "Get {url:?}: {}",
                if timeout.0 > 0 {
                    "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
                } else {
                    "EOF"
                }
            )),
            Port::Answers if scheme == "https" && port == 80 => {
                Err(format!("Get {url:?}: http: server gave HTTP response to HTTPS client"))
            }
            Port::Answers => {
                let bare = path.split('?').next().unwrap_or_default();
                let answers = &self.image.answers;
                match answers.get(bare).or_else(|| answers.get("*")).copied().unwrap_or(200) {
                    200..=399 => Ok(()),
                    code => Err(format!("HTTP probe failed with statuscode: {code}")),
                }
            }
        }
    }

    fn port(&self, port: i32, now: SimTime) -> Port {
        let age = now.since(self.since).0;
        let declared: Vec<i32> = self.container.ports.iter().flatten().map(|p| p.container_port).collect();
        let served = if self.image.ports.is_empty() {
            declared.is_empty() || declared.contains(&port)
        } else {
            self.image.ports.iter().any(|served| i32::from(*served) == port)
        };
        if !served || age < self.image.serves_after {
            Port::Refuses
        } else if self.image.hangs_after.is_some_and(|after| age >= after) {
            Port::Hangs
        } else {
            Port::Answers
        }
    }

    /// How long a command takes, run in the container.
    /// # Errors
    /// What it prints, if it fails.
    pub fn command(
        &self,
        words: &[String],
        timeout: Option<SimDuration>,
        now: SimTime,
    ) -> Result<SimDuration, String> {
        let line: Vec<&str> = words.iter().map(String::as_str).collect();
        if line.iter().any(|word| word.ends_with("grpc-health-probe")) {
            // aws-node: ipamd listens once it has set the node up.
            let refused = "{\"level\":\"info\",\"msg\":\"timeout: failed to connect service \\\":50051\\\" within 5s\"}";
            return if self.machine.network_ready { Ok(SimDuration::ZERO) } else { Err(refused.to_owned()) };
        }
        let script = line.join(" ");
        let takes = super::process::duration(&script);
        if let Some(timeout) = timeout.filter(|timeout| takes > *timeout) {
            let limit = go_duration(timeout);
            return Err(format!("command timed out: {script:?} timed out after {limit}"));
        }
        self.verdict(&script, now).map(|()| takes)
    }

    /// What the last command of a script finds.
    fn verdict(&self, script: &str, now: SimTime) -> Result<(), String> {
        let script = script.trim_end();
        if script.ends_with("exit 0") || script.ends_with("true") {
            return Ok(());
        }
        if script.ends_with("exit 1") || script.ends_with("false") {
            return Err(String::new());
        }
        let last = script.rsplit([';', '\n', '|', '&']).next().unwrap_or_default();
        let mut words = last.split_whitespace().skip_while(|word| super::process::is_wrapper(word));
        let program = words.next().map(|word| word.rsplit('/').next().unwrap_or_default());
        let path = words.filter(|word| !word.starts_with('-')).find(|word| word.starts_with('/'));
        let (Some(program), Some(path)) = (program, path) else { return Ok(()) };
        if !matches!(program, "cat" | "ls" | "stat" | "test" | "[" | "head" | "tail") || self.has(path, now) {
            return Ok(());
        }
        Err(no_such_file(program, path, self.container.image.as_deref().unwrap_or_default()))
    }

    /// Whether a file is there: the script made it, a volume holds it, or every system has it.
    fn has(&self, path: &str, now: SimTime) -> bool {
        let age = now.since(self.since);
        let made = self.process.files.iter().rev().find(|(at, file, _)| *at <= age && file == path);
        if let Some((_, _, is_there)) = made {
            return *is_there;
        }
        let mounts = self.container.volume_mounts.iter().flatten();
        let under = |mount: &str| path.strip_prefix(mount).is_some_and(|rest| rest.starts_with('/'));
        mounts.filter(|it| it.mount_path != "/tmp").any(|it| under(it.mount_path.trim_end_matches('/')))
            || ["/etc/", "/bin/", "/usr/", "/proc/", "/dev/"].iter().any(|known| path.starts_with(known))
    }

    /// When something that a probe may find changes next.
    pub fn next_change(&self, now: SimTime) -> Option<SimTime> {
        let files = self.process.files.iter().map(|(at, ..)| *at);
        let image = [Some(self.image.serves_after), self.image.hangs_after].into_iter().flatten();
        let all = files.chain(image.map(SimDuration)).map(|after| self.since + after);
        all.filter(|at| *at > now).min()
    }
}

/// What a program of an image says of a file that is not there.
pub(super) fn no_such_file(program: &str, path: &str, image: &str) -> String {
    let gnu = ["debian", "ubuntu", "nginx", "httpd", "redis", "postgres", "mysql", "python"];
    let is_gnu = gnu.iter().any(|name| image.contains(name)) && !image.contains("alpine");
    match (program, is_gnu) {
        ("cat", false) => format!("cat: can't open '{path}': No such file or directory\n"),
        ("cat", true) => format!("cat: {path}: No such file or directory\n"),
        ("ls", false) => format!("ls: {path}: No such file or directory\n"),
        ("ls", true) => format!("ls: cannot access '{path}': No such file or directory\n"),
        ("stat", false) => format!("stat: can't stat '{path}': No such file or directory\n"),
        ("stat", true) => format!("stat: cannot statx '{path}': No such file or directory\n"),
        ("head" | "tail", false) => format!("{program}: {path}: No such file or directory\n"),
        ("head" | "tail", true) => {
            format!("{program}: cannot open '{path}' for reading: No such file or directory\n")
        }
        _ => String::new(),
    }
}

fn refused(host: &str, port: i32) -> String {
    format!("dial tcp {}: connect: connection refused", join(host, port))
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::node::kubelet::process;

    fn found(container: Value, image: &Image, probe: Value, seconds: u64) -> Result<(), String> {
        let container: Container = serde_json::from_value(container).expect("a container");
        let probe: Probe = serde_json::from_value(probe).expect("a probe");
        let process = process::of(&container, image);
        let machine = Machine::default();
        let (since, ip) = (SimTime::ZERO, "10.0.0.9");
        let health = Health { container: &container, image, process: &process, since, ip, machine: &machine };
        health.probe(&probe, since + SimDuration::secs(seconds))
    }

    /// Expected: `pkg/probe/http/http.go`, `net/http`.
    #[test]
    fn http_answers_hangs_or_refuses() {
        let image = Image {
            ports: vec![80],
            serves_after: 5000,
            hangs_after: Some(60_000),
            answers: [("/".to_owned(), 200), ("*".to_owned(), 404)].into(),
            ..Image::default()
        };
        let get = |path: &str, port: u16, seconds: u64| {
            let probe = json!({"timeoutSeconds": 1, "httpGet": {"path": path, "port": port}});
            found(json!({"name": "c"}), &image, probe, seconds).map_or_else(|why| why, |()| "well".to_owned())
        };
        assert_eq!(get("/", 80, 10), "well");
        assert_eq!(get("/healthz", 80, 10), "HTTP probe failed with statuscode: 404");
        let refused = |port: u16| {
            format!("Get \"http://10.0.0.9:{port}/\": dial tcp 10.0.0.9:{port}: connect: connection refused")
        };
        assert_eq!((get("/", 80, 4), get("/", 8080, 10)), (refused(80), refused(8080)));
        let hangs = "Get \"http://10.0.0.9:80/\": context deadline exceeded \
             (Client.Timeout exceeded while awaiting headers)";
        assert_eq!(get("/", 80, 60), hangs);
    }

    #[test]
    fn a_command_is_judged_by_the_files_that_the_script_made() {
        let container = json!({"name": "c", "image": "busybox",
            "args": ["/bin/sh", "-c", "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"]});
        let probe = json!({"exec": {"command": ["cat", "/tmp/healthy"]}});
        assert_eq!(found(container.clone(), &Image::default(), probe.clone(), 10), Ok(()));
        let gone = "cat: can't open '/tmp/healthy': No such file or directory\n".to_owned();
        assert_eq!(found(container, &Image::default(), probe, 31), Err(gone));
    }

    /// Expected: `k8s.io/cri-client/pkg/remote_runtime.go` (`ErrCommandTimedOut`).
    #[test]
    fn a_command_that_takes_too_long_has_timed_out() {
        let probe = json!({"timeoutSeconds": 1, "exec": {"command": ["sh", "-c", "sleep 5"]}});
        let why = "command timed out: \"sh -c sleep 5\" timed out after 1s".to_owned();
        assert_eq!(found(json!({"name": "c"}), &Image::default(), probe, 9), Err(why));
    }
}
