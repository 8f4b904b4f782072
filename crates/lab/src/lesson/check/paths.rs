//! Does a packet go that way?
//!
//! A path check is asked of the present world only: a path depends on nearly everything, so it is not asked again after
//! every event. A hop of a check is a partial object: `hop` is the hop's word (`eni`, `nat`, `route` …), everything else is
//! compared with what the hop recorded.

use ::network::{Hop, Trace};
use cluster::{World, path};
use serde_json::Value;

use super::{
    PathSpec,
    eval::Lets,
    outcome::{Outcome, Truth, Why},
};
use crate::lesson::{check::Pattern, fields::Errors, snapshot::Snapshot};

/// Who traces packets.
pub trait Paths {
    /// Whether packets can be traced at this moment.
    fn now(&self, snapshot: &Snapshot) -> bool;
    /// Whether the way is as `spec` says.
    fn ask(&self, spec: &PathSpec, snapshot: &Snapshot) -> Outcome;
}

/// Traces packets in a world, at its present.
#[derive(Clone, Copy)]
pub struct Present<'w>(pub &'w World);

impl Paths for Present<'_> {
    fn now(&self, snapshot: &Snapshot) -> bool {
        snapshot.next() == self.0.facts().len()
    }

    fn ask(&self, spec: &PathSpec, snapshot: &Snapshot) -> Outcome {
        let to = spec.port.map_or_else(|| spec.to.clone(), |port| format!("{}:{port}", spec.to));
        let network = cluster::network::of(self.0, snapshot.cluster());
        let probe = match path::probe(&network, &spec.from, &to, self.0.seed(), 0) {
            Ok(mut probe) => {
                if let Some(proto) = &spec.proto {
                    probe.proto = proto.to_uppercase();
                }
                probe
            }
            Err(unknown) => {
                return Outcome { got: Some(unknown.name), why: Some(Why::Path), ..Outcome::default() };
            }
        };
        judge(spec, &::network::trace(&network, &probe))
    }
}

/// Nobody traces packets.
#[derive(Clone, Copy, Debug)]
pub struct NoPaths;

impl Paths for NoPaths {
    fn now(&self, _: &Snapshot) -> bool {
        false
    }

    fn ask(&self, _: &PathSpec, _: &Snapshot) -> Outcome {
        Outcome { ok: Truth::Unknown, ..Outcome::default() }
    }
}

fn judge(spec: &PathSpec, trace: &Trace) -> Outcome {
    let verdict = |ok: bool| if ok { "ok" } else { "blocked" }.to_owned();
    let passed: Vec<&Hop> = trace.hops.iter().filter(|hop| !hop.ghost).collect();
    let ordered = {
        let mut hops = passed.iter();
        spec.via.iter().all(|want| hops.any(|hop| is_like(hop, want)))
    };
    let avoided = spec.not_via.iter().all(|unwanted| !passed.iter().any(|hop| is_like(hop, unwanted)));
    let blocker = spec.blocked_by.as_ref().is_none_or(|want| {
        let first = trace.blockers.first();
        first.is_some_and(|it| {
            let word = want["hop"].as_str().unwrap_or_default();
            let next = trace.hops.get(it.after);
            it.code.split(':').next() == Some(word) || next.is_some_and(|hop| is_like(hop, want))
        })
    });
    let ok = trace.reachable() == spec.ok && ordered && avoided && blocker;
    Outcome {
        ok: ok.into(),
        got: Some(trace.blockers.first().map_or_else(|| verdict(true), |it| it.code.clone())),
        want: Some(verdict(spec.ok)),
        why: (!ok).then_some(Why::Path),
        ..Outcome::default()
    }
}

fn is_like(hop: &Hop, want: &Value) -> bool {
    let mut value = serde_json::to_value(hop).unwrap_or_default();
    value["hop"] = Value::from(hop.kind.word());
    let mut errors = Errors::default();
    Pattern::read(want, &api::FieldPath::root(), &mut errors)
        .is_some_and(|pattern| pattern.holds(Some(&value), &Lets::new()) == Truth::Yes)
}
