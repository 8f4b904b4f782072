//! Are a container's probes and hooks legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{
    container::Around,
    meta::text,
    name,
    report::{At, Report},
};
use crate::{
    default::blank,
    k8s::core::v1::{ExecAction, GRPCAction, HTTPGetAction, Lifecycle, Probe, SleepAction, TCPSocketAction},
};

/// What a probe is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Restarts the container.
    Liveness,
    /// Takes it out of Services.
    Readiness,
    /// Holds the others back.
    Startup,
}

/// A probe.
pub(super) fn probe(report: &mut Report, probe: &Probe, purpose: Purpose, around: &Around<'_>, at: &At<'_>) {
    let handler = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref(),
        sleep: None,
    };
    handler.check(report, around.grace, at);
    for (field, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        report.not_negative(&at.field(field), value.unwrap_or_default().into());
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|seconds| *seconds <= 0) {
        report.invalid(&at.field("terminationGracePeriodSeconds"), &seconds, "must be greater than 0");
    }
    match purpose {
        Purpose::Liveness | Purpose::Startup => {
            let threshold = probe.success_threshold.unwrap_or_default();
            if threshold != 1 {
                report.invalid(&at.field("successThreshold"), &threshold, "must be 1");
            }
        }
        Purpose::Readiness => {
            if let Some(seconds) = probe.termination_grace_period_seconds {
                let at = at.field("terminationGracePeriodSeconds");
                report.invalid(&at, &seconds, "must not be set for readinessProbes");
            }
        }
    }
}

/// `lifecycle`.
pub(super) fn lifecycle(report: &mut Report, lifecycle: &Lifecycle, around: &Around<'_>, at: &At<'_>) {
    for (field, handler) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
        let Some(it) = handler else { continue };
        let handler = Handler {
            exec: it.exec.as_ref(),
            http_get: it.http_get.as_ref(),
            tcp_socket: it.tcp_socket.as_ref(),
            grpc: None,
            sleep: it.sleep.as_ref(),
        };
        handler.check(report, around.grace, &at.field(field));
    }
    if lifecycle.stop_signal.is_some() && around.os.is_none() {
        let why = "may not be set for containers with empty `spec.os.name`";
        report.forbidden(&at.field("stopSignal"), why);
    }
}

/// What a probe or hook does.
struct Handler<'h> {
    exec: Option<&'h ExecAction>,
    http_get: Option<&'h HTTPGetAction>,
    tcp_socket: Option<&'h TCPSocketAction>,
    grpc: Option<&'h GRPCAction>,
    sleep: Option<&'h SleepAction>,
}

impl Handler<'_> {
    fn check(&self, report: &mut Report, grace: Option<i64>, at: &At<'_>) {
        let mut count = 0;
        let mut another = |report: &mut Report, field: &str| {
            count += 1;
            if count > 1 {
                report.forbidden(&at.field(field), "may not specify more than 1 handler type");
            }
            count == 1
        };
        if let Some(exec) = self.exec.filter(|_| another(report, "exec"))
            && exec.command.as_ref().is_none_or(Vec::is_empty)
        {
            report.required(&at.field("exec.command"), "");
        }
        if let Some(get) = self.http_get.filter(|_| another(report, "httpGet")) {
            let at = at.field("httpGet");
            if blank(get.path.as_ref()) {
                report.required(&at.field("path"), "");
            }
            port_or_name(report, &get.port, &at.field("port"));
            let scheme = text(get.scheme.as_ref());
            if !matches!(scheme, "HTTP" | "HTTPS") {
                report.not_supported(&at.field("scheme"), scheme, &["HTTP", "HTTPS"]);
            }
            for header in get.http_headers.iter().flatten() {
                report.each_invalid(&at.field("httpHeaders"), &header.name, name::http_header(&header.name));
            }
        }
        if let Some(tcp) = self.tcp_socket.filter(|_| another(report, "tcpSocket")) {
            port_or_name(report, &tcp.port, &at.field("tcpSocket.port"));
        }
        if let Some(grpc) = self.grpc.filter(|_| another(report, "grpc")) {
            port_or_name(report, &IntOrString::Int(grpc.port), &at.field("grpc.port"));
        }
        if let Some(sleep) = self.sleep.filter(|_| another(report, "sleep"))
            && let Some(grace) = grace.filter(|grace| sleep.seconds < 0 || sleep.seconds > *grace)
        {
            let why = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
            report.invalid(&at.field("sleep"), &sleep.seconds, &why);
        }
        if count == 0 {
            report.required(at, "must specify a handler type");
        }
    }
}

/// A port by number or name.
pub(super) fn port_or_name(report: &mut Report, port: &IntOrString, at: &At<'_>) {
    match port {
        IntOrString::Int(number) => report.each_invalid(at, number, name::port_number(*number)),
        IntOrString::String(name) => report.each_invalid(at, name, name::port_name(name)),
    }
}
