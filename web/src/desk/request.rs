//! Which request is looked at?

use cluster::{Fact, What};
use lab::view::{
    beats::BeatKind,
    request::{RequestView, request},
};

use super::Desk;

/// The part of a request's stages that is told by a beat: from 1; none of them by 0.
const ALL: u8 = 4;

impl Desk {
    /// The request behind an id: `Request/12`, or the API server's last one up to the moment that is seen.
    #[must_use]
    pub fn request(&self, id: &str) -> Option<RequestView> {
        let facts = self.session.facts();
        let seq = match id.strip_prefix("Request/") {
            Some(seq) => seq.parse().ok()?,
            None if id == "ControlPlane/api" => {
                let is_asked = |fact: &&std::rc::Rc<Fact>| matches!(fact.what, What::Asked(_));
                facts.iter().rev().filter(|fact| fact.at <= self.at).find(is_asked)?.seq
            }
            None => return None,
        };
        request(facts.iter(), seq)
    }

    /// How much of a request is told: all of it, unless its story is just being told.
    #[must_use]
    pub fn told_of(&self, seq: u64) -> u8 {
        match &self.beat {
            Some(beat) if beat.seq == seq => match beat.kind {
                BeatKind::Refused => ALL,
                _ => self.stages().min(ALL),
            },
            // Its story is held before the first step.
            None if self.telling() && self.told.first().is_some_and(|beat| beat.seq == seq) => 0,
            _ => ALL,
        }
    }
}
