//! `kubectl get --watch`: a row for every change, while simulated time passes.
//!
//! MODEL: the real one watches until it is interrupted. Here somebody presses Ctrl+C after a minute in which nothing changed.

use std::collections::BTreeMap;

use api::{Kind, SimDuration, label::Selector};
use cluster::{Budget, Key};
use serde_json::Value;

use super::{
    Done, Fail, Kube,
    client::Selection,
    field::{self, name, text},
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

/// Calls `row` for every change from now on.
pub(super) fn run(
    kube: &mut Kube<'_, '_>,
    watched: &Watched,
    mut row: impl FnMut(&mut Kube<'_, '_>, &Value),
) -> Done {
    let mut known = seen(kube, watched)?;
    let mut changed_at = kube.shell.world.now();
    loop {
        let cut = kube.shell.until;
        let own = changed_at + QUIET;
        let until = cut.map_or(own, |cut| if cut < own { cut } else { own });
        if kube.shell.world.is_exhausted() {
            return Err(Fail::Exit(130));
        }
        match kube.shell.world.next_at().filter(|at| *at <= until) {
            Some(at) => drop(kube.shell.world.run_until(at, Budget::COMMAND)),
            None => {
                kube.shell.world.run_until(until, Budget::COMMAND);
                return Err(Fail::Exit(if cut == Some(until) { 124 } else { 130 }));
            }
        }
        let now = seen(kube, watched)?;
        for (key, object) in &now {
            let version = |o: &Value| text(o, "metadata.resourceVersion").to_owned();
            if known.get(key).is_none_or(|before| version(before) != version(object)) {
                changed_at = kube.shell.world.now();
                row(kube, object);
            }
        }
        for (_, object) in known.iter().filter(|(key, _)| !now.contains_key(key)) {
            changed_at = kube.shell.world.now();
            row(kube, object);
        }
        known = now;
    }
}

/// What the store holds of it, without asking: a watch is one request.
fn seen(kube: &mut Kube<'_, '_>, watched: &Watched) -> Done<BTreeMap<Key, Value>> {
    let cluster = kube.target()?.cluster;
    let selector = Selector::parse(&watched.selection.labels).map_err(|e| Fail::Error(e.to_string()))?;
    let space = Some(watched.namespace.as_str()).filter(|n| !n.is_empty());
    let objects = kube.shell.world.store().objects(cluster, watched.kind, space);
    Ok(objects
        .map(|(key, object)| (key.clone(), object.to_value()))
        .filter(|(_, object)| {
            let labels = field::map(object, "metadata.labels")
                .map(|(key, value)| (key.to_owned(), field::word(value)))
                .collect::<BTreeMap<_, _>>();
            watched.name.as_deref().is_none_or(|wanted| wanted == name(object)) && selector.matches(&labels)
        })
        .collect())
}
