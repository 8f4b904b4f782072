//! What was said aloud, and because of which command?
//!
//! The cluster's Event objects as they were written, in groups by the line that came before them. Newest last.

use api::{Resource, SimTime, k8s::core::v1::Event};
use cluster::{Fact, What};

use crate::script::Line;
use std::rc::Rc;

/// How an event sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// A warning.
    Warning,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEvent {
    /// Number of the fact.
    pub seq: u64,
    /// When.
    pub at: SimTime,
    /// How it sounds.
    pub tone: Tone,
    /// What it is about, as the scene knows it: `Pod/default/web-…`.
    pub about: String,
    /// Name of that.
    pub name: String,
    /// Such as `FailedScheduling`.
    pub reason: String,
    /// The real words.
    pub message: String,
}

/// The events after one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedGroup {
    /// The line; nothing for what happened before the first.
    pub command: Option<String>,
    /// Its events.
    pub events: Vec<FeedEvent>,
}

/// Id by which the scene knows an object.
#[must_use]
pub fn scene_id(kind: &str, namespace: &str, name: &str) -> String {
    match kind {
        "Node" => format!("Node/{name}"),
        _ if namespace.is_empty() => format!("{kind}/{name}"),
        _ => format!("{kind}/{namespace}/{name}"),
    }
}

/// The feed up to a moment.
#[must_use]
pub fn feed<'f>(
    facts: impl Iterator<Item = &'f Rc<Fact>>,
    lines: &[Line],
    until: SimTime,
    only: Option<&str>,
) -> Vec<FeedGroup> {
    let mut groups: Vec<FeedGroup> = vec![FeedGroup { command: None, events: Vec::new() }];
    let mut next = 0;
    for fact in facts.take_while(|fact| fact.at <= until) {
        let What::Changed(change) = &fact.what else { continue };
        let Some(event) = change.after.as_deref().and_then(Event::of) else { continue };
        while next < lines.len() && lines[next].at <= fact.at {
            groups.push(FeedGroup { command: Some(lines[next].text.clone()), events: Vec::new() });
            next += 1;
        }
        let about = &event.involved_object;
        let name = about.name.clone().unwrap_or_default();
        let kind = about.kind.as_deref().unwrap_or_default();
        let id = scene_id(kind, about.namespace.as_deref().unwrap_or_default(), &name);
        if only.is_some_and(|only| only != id) {
            continue;
        }
        let tone = if event.type_.as_deref() == Some("Warning") { Tone::Warning } else { Tone::Good };
        if let Some(group) = groups.last_mut() {
            group.events.push(FeedEvent {
                seq: fact.seq,
                at: fact.at,
                tone,
                about: id,
                name,
                reason: event.reason.clone().unwrap_or_default(),
                message: event.message.clone().unwrap_or_default(),
            });
        }
    }
    groups.retain(|group| !group.events.is_empty());
    groups
}
