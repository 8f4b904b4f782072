//! What happened when, on five lanes?
//!
//! Commands, API server, scheduler, node and CNI, EC2. Ticks closer than a pixel are one. A wait with an end is a bar.

use std::{collections::BTreeMap, rc::Rc};

use api::{
    Kind, Resource, SimTime,
    kinds::aws::{Attachment, Eni, Instance, InstanceState},
};
use cluster::{Fact, What};

use super::request;
use crate::script::{self, Line};

/// A lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// What was typed.
    Command,
    /// The API server.
    Api,
    /// The scheduler.
    Scheduler,
    /// Kubelets and ipamd.
    Node,
    /// EC2.
    Ec2,
}

/// Something that took no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Where.
    pub lane: Lane,
    /// When.
    pub at: SimTime,
    /// Whether it went wrong.
    pub bad: bool,
}

/// What a bar waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// An ENI on its way to this device number.
    Attach(u32),
    /// An instance booting.
    Boot,
}

/// Something that took time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Where.
    pub lane: Lane,
    /// From.
    pub from: SimTime,
    /// To; the head, if it is not over.
    pub to: SimTime,
    /// For what.
    pub wait: Wait,
}

/// The lanes between two moments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Left end.
    pub from: SimTime,
    /// Right end.
    pub to: SimTime,
    /// The head of the session.
    pub head: SimTime,
    /// What was typed, shortened.
    pub commands: Vec<(SimTime, String)>,
    /// Ticks.
    pub marks: Vec<Mark>,
    /// When something was asked of the API server, and the fact that it was; of those within a few pixels the one that says most.
    pub asked: Vec<(SimTime, u64)>,
    /// Bars.
    pub bars: Vec<Bar>,
    /// When anything happened at all, in order: where one steps to.
    pub stops: Vec<SimTime>,
}

/// Pixels that the lanes are assumed to have.
const PIXELS: u64 = 900;
/// As many as a pointer meets at once.
const HIT: u64 = 8;
/// Shown before the first command.
const LEAD: u64 = 5_000;
/// Least stretch of time shown.
const LEAST: u64 = 20_000;

fn lane(fact: &Fact) -> Option<(Lane, bool)> {
    match &fact.what {
        // `kubectl apply` asks for what may not be there yet: nothing is wrong with that.
        What::Asked(asked) => {
            let bad = asked.refused.as_ref().is_some_and(|it| asked.verb != "get" || it.code != 404);
            Some((Lane::Api, bad))
        }
        What::Traced(_) => None,
        What::Planned(_) => Some((Lane::Node, false)),
        What::Noted(_) => actor_lane(fact).map(|lane| (lane, false)),
        What::Changed(change) => {
            let warning = change
                .after
                .as_deref()
                .and_then(api::k8s::core::v1::Event::of)
                .is_some_and(|event| event.type_.as_deref() == Some("Warning"));
            if matches!(change.key.kind, Kind::Lease) {
                return None;
            }
            actor_lane(fact).map(|lane| (lane, warning))
        }
        What::Decided(decision) => Some((Lane::Scheduler, decision.node.is_none())),
    }
}

fn actor_lane(fact: &Fact) -> Option<Lane> {
    match fact.actor.0 {
        "default-scheduler" | "scheduler" => Some(Lane::Scheduler),
        "kubelet" | "ipamd" | "kubelet-node-status" | "nodeadm" | "kube-proxy" => Some(Lane::Node),
        "ec2" | "eks" => Some(Lane::Ec2),
        _ => Some(Lane::Api),
    }
}

/// The first words of a line that say what it does.
#[must_use]
pub fn short_command(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().take(4).collect();
    let words = match words.as_slice() {
        ["kubectl" | "eksctl" | "aws", rest @ ..] => rest,
        all => all,
    };
    let short = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    short.chars().take(24).collect()
}

/// The lanes of everything up to the head.
#[must_use]
pub fn timeline<'f>(facts: impl Iterator<Item = &'f Rc<Fact>>, lines: &[Line], head: SimTime) -> Timeline {
    let mut marks: BTreeMap<(Lane, u64), Mark> = BTreeMap::new();
    let mut bars: Vec<Bar> = Vec::new();
    let mut open: BTreeMap<String, (SimTime, Wait)> = BTreeMap::new();
    let mut stops: Vec<SimTime> = Vec::new();
    let mut asked: BTreeMap<u64, (u8, SimTime, u64)> = BTreeMap::new();
    // What happened long before the first command is not what the learner looks at.
    let from = lines.first().map_or(head, |line| line.at).0.saturating_sub(LEAD);
    let from = if from > LEAST { from } else { 0 };
    let span = (head.0 - from.min(head.0)).max(LEAST);
    let step = (span / PIXELS).max(1);
    for fact in facts {
        if let What::Changed(change) = &fact.what {
            let name = change.key.name.to_string();
            if let Some(eni) = change.after.as_deref().and_then(Eni::of) {
                follow(&mut open, &mut bars, &name, fact.at, eni.attachment == Attachment::Attaching, || {
                    Wait::Attach(eni.device_index)
                });
            }
            if let Some(instance) = change.after.as_deref().and_then(Instance::of) {
                let booting = instance.state == InstanceState::Pending;
                follow(&mut open, &mut bars, &name, fact.at, booting, || Wait::Boot);
            }
        }
        if let What::Asked(request) = &fact.what
            && fact.at.0 >= from
        {
            let weight = request::weight(request);
            let place = asked.entry(fact.at.0 / (step * HIT)).or_insert((weight, fact.at, fact.seq));
            if weight >= place.0 {
                *place = (weight, fact.at, fact.seq);
            }
        }
        let Some((lane, bad)) = lane(fact) else { continue };
        if stops.last() != Some(&fact.at) {
            stops.push(fact.at);
        }
        let mark = marks.entry((lane, fact.at.0 / step)).or_insert(Mark { lane, at: fact.at, bad });
        mark.bad |= bad;
    }
    for (from, wait) in open.into_values() {
        bars.push(Bar { lane: Lane::Ec2, from, to: head, wait });
    }
    bars.retain(|bar| bar.to > bar.from && bar.to.0 > from);
    bars.iter_mut().for_each(|bar| bar.from = bar.from.max(SimTime(from)));
    let commands = lines
        .iter()
        .filter(|line| !script::is_wait(&line.text))
        .map(|line| (line.at, short_command(&line.text)))
        .collect();
    Timeline {
        from: SimTime(from),
        to: SimTime(from + span + span / 12),
        head,
        commands,
        marks: marks.into_values().filter(|mark| mark.at.0 >= from).collect(),
        asked: asked.into_values().map(|(_, at, seq)| (at, seq)).collect(),
        bars,
        stops,
    }
}

fn follow(
    open: &mut BTreeMap<String, (SimTime, Wait)>,
    bars: &mut Vec<Bar>,
    name: &str,
    at: SimTime,
    waiting: bool,
    wait: impl FnOnce() -> Wait,
) {
    match (waiting, open.contains_key(name)) {
        (true, false) => drop(open.insert(name.to_owned(), (at, wait()))),
        (false, true) => {
            if let Some((from, wait)) = open.remove(name) {
                bars.push(Bar { lane: Lane::Ec2, from, to: at, wait });
            }
        }
        (true, true) | (false, false) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_by_its_verb_and_object() {
        assert_eq!(short_command("kubectl scale deploy/web --replicas=9"), "scale deploy/web");
        assert_eq!(short_command("kubectl apply -f - <<EOF\nkind: Pod"), "apply -f");
        assert_eq!(short_command("ls"), "ls");
    }

    #[test]
    fn an_empty_session_shows_the_least_stretch() {
        let line = timeline(std::iter::empty(), &[], SimTime::ZERO);
        assert_eq!(line.to, SimTime(LEAST + LEAST / 12));
        assert!(line.stops.is_empty());
    }
}
