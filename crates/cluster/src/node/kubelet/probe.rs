//! When is a container probed, and what follows?
//!
//! A probe's worker ticks every period, from the moment at which the pod was first looked at; readiness is probed at once when
//! a container has started. Nothing is probed before `initialDelaySeconds`, and nothing but startup before that
//! has succeeded. What thresholds make of the results counts: a failed liveness or startup probe ends the container.
//! MODEL: a probe that succeeds is not run again before something changes that it could find.
//! Source: kubelet `pkg/kubelet/prober/{worker,prober_manager,prober}.go`, `kuberuntime_manager.go`.

use api::{
    SimDuration,
    k8s::core::v1::{Container, Probe},
    kinds::sim::{ContainerStep, Probing},
};

use super::{
    container::{Pass, process_of},
    end::Kill,
    health::Health,
    status::is_sidecar,
};
use crate::{EventType::Warning, node::ipamd, timing, vpc_resource};

/// The three questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Startup,
    Readiness,
    Liveness,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Startup => "Startup",
            Kind::Readiness => "Readiness",
            Kind::Liveness => "Liveness",
        }
    }

    fn of(self, container: &Container) -> Option<&Probe> {
        match self {
            Kind::Startup => container.startup_probe.as_ref(),
            Kind::Readiness => container.readiness_probe.as_ref(),
            Kind::Liveness => container.liveness_probe.as_ref(),
        }
    }
}

impl Pass<'_, '_> {
    fn probing(&mut self, at: usize, kind: Kind) -> &mut Probing {
        let work = &mut self.sandbox.containers[at];
        match kind {
            Kind::Startup => &mut work.startup,
            Kind::Readiness => &mut work.readiness,
            Kind::Liveness => &mut work.liveness,
        }
    }

    /// Says when a probe is run first; `at_once` if its worker is woken now.
    pub(super) fn plan_probe(&mut self, at: usize, kind: Kind, at_once: bool) {
        let container = self.container(at);
        let played = self.machine.played && kind != Kind::Readiness;
        let sidecar = is_sidecar(self.pod, &container.name);
        let Some(probe) = kind.of(&container).filter(|_| !played) else { return };
        if self.sandbox.containers[at].init && !sidecar {
            return;
        }
        let (now, since) = (self.turn.now(), self.sandbox.containers[at].since);
        let allowed = since + seconds(probe.initial_delay_seconds, 0);
        let first = if self.machine.played {
            allowed + timing::FIRST_PROBE
        } else if at_once {
            let soon = now + timing::FIRST_PROBE;
            soon + SimDuration(ticks(allowed.since(soon), period(probe)))
        } else {
            let from = self.sandbox.probed_from;
            let earliest = allowed.max(now + SimDuration(1));
            from + SimDuration(ticks(earliest.since(from), period(probe)))
        };
        self.probing(at, kind).at = Some(first);
    }

    /// Runs the probes that are due; says whether there were any.
    pub(super) fn probe(&mut self, at: usize) -> bool {
        let now = self.turn.now();
        let mut any = false;
        for kind in [Kind::Startup, Kind::Readiness, Kind::Liveness] {
            let runs = self.sandbox.containers[at].step == ContainerStep::Running;
            if runs && self.probing(at, kind).at.is_some_and(|due| due <= now) {
                any = true;
                self.run_probe(at, kind);
            }
        }
        any
    }

    fn run_probe(&mut self, at: usize, kind: Kind) {
        let now = self.turn.now();
        let container = self.container(at);
        let Some(probe) = kind.of(&container).cloned() else {
            self.probing(at, kind).at = None;
            return;
        };
        let (image, process) = (self.image(&container), process_of(self.turn, &container));
        let ip = self.sandbox.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let since = self.sandbox.containers[at].since;
        let health = Health {
            container: &container,
            image: &image,
            process: &process,
            since,
            ip: &ip,
            machine: &self.machine,
        };
        let cut_off = vpc_resource::is_annotated(self.pod) && {
            let (store, cluster) = (self.turn.store(), self.turn.cluster());
            ipamd::keeps_probes_from_branches(store, cluster, &self.sandbox.node)
        };
        let found = match health.unanswered(&probe).filter(|_| cut_off) {
            Some(why) => Err(why),
            None => health.probe(&probe, now),
        };
        let changes = health.next_change(now);
        if let Err(why) = &found {
            self.say(at, Warning, "Unhealthy", &format!("{} probe failed: {why}", kind.word()));
        }
        let well = found.is_ok();
        let (failures, successes) =
            (probe.failure_threshold.unwrap_or(3), probe.success_threshold.unwrap_or(1));
        let needed = u32::try_from(if well { successes } else { failures }).unwrap_or(1);
        let probing = self.probing(at, kind);
        probing.run = if probing.last == Some(well) { probing.run.saturating_add(1) } else { 1 };
        probing.last = Some(well);
        let counts = probing.run >= needed;
        if counts {
            probing.result = Some(well);
        }
        let tick = period(&probe);
        probing.at = if well && counts {
            // The tick at which something else may be found.
            changes.map(|then| now + SimDuration(ticks(then.since(now), tick)))
        } else {
            Some(now + tick)
        };
        if counts {
            self.follows(at, kind, well, &probe);
        }
    }

    fn follows(&mut self, at: usize, kind: Kind, well: bool, probe: &Probe) {
        match (kind, well) {
            (Kind::Startup, true) => {
                self.probing(at, kind).at = None;
                let unprobed = self.container(at).readiness_probe.is_none();
                self.edit(at, |s| {
                    s.started = Some(true);
                    s.ready = unprobed;
                });
                self.plan_probe(at, Kind::Readiness, true);
                self.plan_probe(at, Kind::Liveness, false);
            }
            (Kind::Readiness, ready) => self.edit(at, |s| s.ready = ready),
            (Kind::Liveness, true) => {}
            (Kind::Startup | Kind::Liveness, false) => {
                for kind in [Kind::Startup, Kind::Readiness, Kind::Liveness] {
                    self.probing(at, kind).at = None;
                }
                let (name, init) = (&self.sandbox.containers[at].name, self.sandbox.containers[at].init);
                let failed = format!("ontainer {name} failed {} probe", kind.word().to_lowercase());
                let policy = self.pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
                let message = match (init, policy) {
                    (true, _) => format!("Init c{failed}"),
                    (false, Some("Never")) => format!("C{failed}"),
                    (false, _) => format!("C{failed}, will be restarted"),
                };
                let own = self.pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
                let grace = probe.termination_grace_period_seconds.or(own);
                self.kill(at, Kill { message, grace, failed: None });
            }
        }
    }
}

fn period(probe: &Probe) -> SimDuration {
    seconds(probe.period_seconds, 10).max(SimDuration::secs(1))
}

fn seconds(value: Option<i32>, unset: u64) -> SimDuration {
    SimDuration::secs(value.map_or(unset, |v| u64::from(v.unsigned_abs())))
}

/// Milliseconds of as many whole periods as `wait` needs.
fn ticks(wait: SimDuration, period: SimDuration) -> u64 {
    wait.0.div_ceil(period.0).saturating_mul(period.0)
}
