//! What was said aloud, and because of which command?
//!
//! The cluster's Event objects as they were written, and what EKS, EC2 and Auto Scaling did to nodes; in groups by the line that came
//! before them. Newest last.

use api::{Resource, SimTime, k8s::core::v1::Event};
use cluster::{Fact, Note, What};

use crate::{script::Line, words::Lang};
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
    /// The real words; empty where nobody says any.
    pub message: String,
    /// What a step is about that has no words of its own: names, numbers.
    pub detail: Vec<(&'static str, String)>,
    /// The fact that is the request which led to it, if one did.
    pub asked: Option<u64>,
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

/// Which request led to what: the last one that a chain of causes passes.
#[derive(Default)]
struct Requests(Vec<Option<u64>>);

impl Requests {
    /// The request behind a fact; facts come in their order.
    fn behind(&mut self, fact: &Fact) -> Option<u64> {
        let of = |seq: u64| usize::try_from(seq).ok().and_then(|seq| *self.0.get(seq)?);
        let behind = match fact.what {
            What::Asked(_) => Some(fact.seq),
            What::Changed(_) | What::Decided(_) | What::Traced(_) | What::Planned(_) | What::Noted(_) => {
                fact.cause.and_then(of)
            }
        };
        self.0.push(behind);
        behind
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
    let mut requests = Requests::default();
    for fact in facts.take_while(|fact| fact.at <= until) {
        let asked = requests.behind(fact);
        let Some(event) = event_of(fact, asked).or_else(|| step_of(fact)) else { continue };
        while next < lines.len() && lines[next].at <= fact.at {
            groups.push(FeedGroup { command: Some(lines[next].text.clone()), events: Vec::new() });
            next += 1;
        }
        if only.is_some_and(|only| only != event.about) {
            continue;
        }
        if let Some(group) = groups.last_mut() {
            group.events.push(event);
        }
    }
    groups.retain(|group| !group.events.is_empty());
    groups
}

fn event_of(fact: &Fact, asked: Option<u64>) -> Option<FeedEvent> {
    let What::Changed(change) = &fact.what else { return None };
    let event = change.after.as_deref().and_then(Event::of)?;
    let about = &event.involved_object;
    let name = about.name.clone().unwrap_or_default();
    let kind = about.kind.as_deref().unwrap_or_default();
    Some(FeedEvent {
        seq: fact.seq,
        at: fact.at,
        tone: if event.type_.as_deref() == Some("Warning") { Tone::Warning } else { Tone::Good },
        about: scene_id(kind, about.namespace.as_deref().unwrap_or_default(), &name),
        name,
        reason: event.reason.clone().unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
        detail: Vec::new(),
        asked,
    })
}

/// What AWS did to a node: told of the node where the instance is one.
fn step_of(fact: &Fact) -> Option<FeedEvent> {
    let What::Noted(Note::Step { name: step, about, detail }) = &fact.what else { return None };
    Lang::En.node_step(step, detail)?;
    let node = detail.iter().find(|(key, value)| *key == "node" && !value.is_empty());
    let (kind, name) = match node {
        Some((_, node)) => ("Node", node.clone()),
        None => (about.kind.info().kind, about.name.to_string()),
    };
    let warns = matches!(
        *step,
        "InstanceTakenOut"
            | "NodeRepair"
            | "SpotInterruptionNotice"
            | "SpotRebalanceRecommendation"
            | "ZoneFailed"
    );
    Some(FeedEvent {
        seq: fact.seq,
        at: fact.at,
        tone: if warns { Tone::Warning } else { Tone::Good },
        about: scene_id(kind, "", &name),
        name,
        reason: (*step).to_owned(),
        message: String::new(),
        detail: detail.clone(),
        asked: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Session, library};

    #[test]
    fn what_befalls_an_instance_is_said_of_its_node() {
        let mut session = Session::new(library::scenario("duo").expect("a fixture"), 1).expect("a session");
        session.run_line("lab fault az ap-northeast-2a");
        session.settle(api::SimDuration::secs(600));
        let said = |only: &str| -> Vec<String> {
            let groups = feed(session.facts().iter(), session.lines(), session.head(), Some(only));
            groups.into_iter().flat_map(|group| group.events).map(|event| event.reason).collect()
        };
        assert_eq!(said("AvailabilityZone/ap-northeast-2a"), ["ZoneFailed"]);
        assert!(said("Node/worker-a").contains(&"InstanceTakenOut".to_owned()));
    }

    #[test]
    fn an_event_knows_the_request_that_led_to_it() {
        let scenario = library::scenario("tiny").expect("a fixture");
        let mut session = Session::new(scenario, 1).expect("a session");
        session.run_line("kubectl run a --image=nginx");
        session.settle(api::SimDuration::secs(60));
        let groups = feed(session.facts().iter(), session.lines(), session.head(), Some("Pod/default/a"));
        let events = &groups.last().expect("a group").events;
        assert!(events.iter().any(|event| event.reason == "Scheduled"), "{events:?}");
        for event in events {
            let view =
                super::super::request::request(session.facts().iter(), event.asked.expect("a request"));
            let view = view.expect("its view");
            assert_eq!(
                (view.method, view.path.as_str()),
                ("POST", "/api/v1/namespaces/default/pods"),
                "{event:?}"
            );
        }
    }
}
