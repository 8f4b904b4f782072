//! Which decision is looked at, and in which world is it asked about?
//!
//! Decisions are facts of the session. In large clusters a fact says only what was decided; the rest is worked out again
//! when somebody looks, and kept until another decision is looked at.

use std::rc::Rc;

use api::{SimTime, k8s::core::v1::Pod};
use cluster::{Fact, What, World};
use lab::view::{
    attempts::{attempts, turn, waiting},
    decision::{Past, Table, about_node, table},
    what_if::gated,
};
use scheduler::Decision;

use super::Desk;

impl Desk {
    /// The last decision about a pod up to the moment that is seen; without a pod, the last of all.
    #[must_use]
    pub fn decided(&self, id: Option<&str>) -> Option<Rc<Decision>> {
        self.decided_at(id).map(|(_, decision)| decision)
    }

    fn decided_at(&self, id: Option<&str>) -> Option<(&Fact, Rc<Decision>)> {
        let pod = id.and_then(|id| id.strip_prefix("Pod/"));
        if id.is_some() && pod.is_none() {
            return None;
        }
        self.session.facts().iter().rev().filter(|fact| fact.at <= self.at).find_map(|fact| {
            match &fact.what {
                What::Decided(decision) if pod.is_none_or(|pod| decision.pod == pod) => {
                    Some((&**fact, Rc::clone(decision)))
                }
                _ => None,
            }
        })
    }

    /// When the decision that is a fact was made, and about which pod.
    #[must_use]
    pub fn decision_of(&self, fact: u64) -> Option<(SimTime, Rc<Decision>)> {
        let fact = self.session.facts().get(usize::try_from(fact).ok()?)?;
        match &fact.what {
            What::Decided(decision) => Some((fact.at, Rc::clone(decision))),
            _ => None,
        }
    }

    /// Whether there is a table to show of this thing.
    #[must_use]
    pub fn has_decision(&self, id: Option<&str>) -> bool {
        self.gated(id).is_some() || self.decided_at(id).is_some()
    }

    /// What the scheduler says of a pod with gates.
    fn gated(&self, id: Option<&str>) -> Option<Decision> {
        gated(&self.seen, self.cluster(), id?.strip_prefix("Pod/")?)
    }

    /// The same as a table: of the decision that is this fact, or else of the last one up to the moment that is seen.
    #[must_use]
    pub fn decision(&self, id: Option<&str>, fact: Option<u64>) -> Option<Table> {
        if let Some(decision) = self.gated(id).filter(|_| fact.is_none()) {
            return Some(table(&decision, Past { at: self.at, ..Past::default() }, |_| String::new()));
        }
        let (seq, at, told) = match fact {
            Some(seq) => self.decision_of(seq).map(|(at, told)| (seq, at, told))?,
            None => self.decided_at(id).map(|(fact, told)| (fact.seq, fact.at, told))?,
        };
        let known = self.explained.borrow().clone().filter(|(of, _)| Rc::ptr_eq(of, &told));
        let decision = match known {
            Some((_, decision)) => decision,
            None => self.session.explained(seq)?,
        };
        *self.explained.borrow_mut() = Some((told, Rc::clone(&decision)));
        let facts = self.session.facts();
        let cause = |seq| facts.get(usize::try_from(seq).ok()?).cloned();
        let past = Past {
            at,
            fact: Some(seq),
            turn: turn(facts.iter(), seq),
            attempts: attempts(facts.iter(), cause, &decision.pod),
            waiting: waiting(self.moment(), self.cluster(), &decision.pod),
        };
        Some(table(&decision, past, |name| about_node(self.moment(), self.cluster(), name)))
    }

    /// The world in which to ask what could have been different: as it is seen for a pod that still waits after the attempt
    /// that is looked at, else as it was when the decision was about to be made.
    #[must_use]
    pub fn asked_in(&self, table: &Table) -> World {
        let Some(attempt) = table.attempt.and_then(|at| table.attempts.get(at)) else {
            return self.seen.clone();
        };
        let last = table.attempts.iter().rfind(|it| it.at <= self.at);
        if attempt.node.is_none() && last == Some(attempt) && self.is_there(&table.pod) {
            return self.seen.clone();
        }
        let Some((_, told)) = self.decision_of(attempt.fact) else { return self.seen.clone() };
        let known = self.made_in.borrow().clone().filter(|(of, _)| Rc::ptr_eq(of, &told));
        let world = known.map(|it| it.1).or_else(|| self.session.just_before(attempt.fact));
        let world = world.unwrap_or_else(|| self.seen.clone());
        *self.made_in.borrow_mut() = Some((told, world.clone()));
        world
    }

    fn is_there(&self, pod: &str) -> bool {
        let (namespace, name) = pod.split_once('/').unwrap_or_default();
        self.moment().store.get::<Pod>(self.cluster(), namespace, name).is_some()
    }
}
