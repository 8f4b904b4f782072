//! `kubectl get --watch`: a row for every change, while simulated time passes.
//!
//! MODEL: the real one watches until it is interrupted. Here somebody presses Ctrl+C after a minute in which nothing changed.

use std::rc::Rc;

use api::{Kind, Object, SimDuration, SimTime};
use cluster::{Key, What, apiserver::Selected};
use serde_json::Value;

use super::{
    Done, Fail, Kube,
    client::{Selection, wire},
};

/// How long nothing may change before the watch ends.
const QUIET: SimDuration = SimDuration::secs(60);

/// What is watched.
pub(super) struct Watched {
    pub kind: Kind,
    /// Empty for all of them.
    pub namespace: String,
    /// `None` for all of them.
    pub name: Option<String>,
    pub selection: Selection,
}

/// Calls `row` for every change from now on, at most `until` then, with the moment of it and what happened.
pub(super) fn run(
    kube: &mut Kube<'_, '_>,
    watched: &Watched,
    until: Option<SimTime>,
    mut row: impl FnMut(&mut Kube<'_, '_>, &Value, SimTime, &'static str),
) -> Done {
    let cluster = kube.target()?.cluster;
    let Selection { labels, fields } = &watched.selection;
    let wanted = Selected::parse((kube.shell.world.store(), cluster), watched.kind, labels, fields);
    let wanted = wanted.map_err(|refused| Fail::Error(refused.to_string()))?;
    let mut seen = kube.shell.world.facts().len();
    let mut changed_at = kube.shell.world.now();
    let ends = patience(kube.given.value("request-timeout")).map(|wait| changed_at + wait);
    let ends = ends.into_iter().chain(until).min();
    loop {
        let cut = kube.shell.until.into_iter().chain(ends).min();
        if kube.shell.world.is_exhausted() {
            return Err(Fail::Exit(130));
        }
        let until = |changed_at: SimTime| cut.map_or(changed_at + QUIET, |cut| cut.min(changed_at + QUIET));
        let next = kube.shell.world.next_at().filter(|at| *at <= until(changed_at));
        kube.shell.pass(next.unwrap_or(until(changed_at)), kube.out);
        let facts = kube.shell.world.facts().clone();
        for fact in facts.iter().skip(std::mem::replace(&mut seen, facts.len())) {
            let What::Changed(change) = &fact.what else { continue };
            if cut.is_some_and(|cut| fact.at > cut) || change.key.cluster != cluster {
                continue;
            }
            let shown = |object: &Rc<Object>| watched.shows(&change.key, &wanted, object);
            // What is gone, or fits no longer, is shown once more as it was last.
            let last = change.after.as_ref().or(change.before.as_ref());
            let was_shown = change.before.as_ref().is_some_and(shown);
            if let Some(last) = last
                && (shown(last) || was_shown)
            {
                changed_at = fact.at;
                let event = match &change.after {
                    Some(now) if shown(now) && was_shown => "MODIFIED",
                    Some(now) if shown(now) => "ADDED",
                    Some(_) | None => "DELETED",
                };
                row(kube, &wire(watched.kind, last), fact.at, event);
            }
        }
        let until = until(changed_at);
        if kube.shell.world.now() >= until && kube.shell.world.next_at().is_none_or(|at| at > until) {
            return match cut == Some(until) {
                // The request was to last no longer: the server ends it, and that is no error.
                true if ends == cut => Ok(()),
                true => Err(Fail::Exit(124)),
                false => Err(Fail::Exit(130)),
            };
        }
    }
}

/// `--request-timeout`: whole seconds, or a length of time; nothing and 0 are for ever.
fn patience(typed: Option<&str>) -> Option<SimDuration> {
    let typed = typed?;
    let wait = match typed.parse::<u64>() {
        Ok(seconds) => Some(SimDuration::secs(seconds)),
        Err(_) => crate::text::sleep::seconds(typed),
    };
    wait.filter(|wait| *wait > SimDuration::ZERO)
}

impl Watched {
    fn shows(&self, key: &Key, wanted: &Selected, object: &Object) -> bool {
        key.kind == self.kind
            && (self.namespace.is_empty() || *key.namespace == *self.namespace)
            && self.name.as_deref().is_none_or(|wanted| *key.name == *wanted)
            && wanted.accepts(object)
    }
}
