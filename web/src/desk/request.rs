//! Which request is looked at?

use cluster::What;
use lab::view::{
    beats::BeatKind,
    request::{RequestView, request},
};

use super::Desk;

/// The part of a request's stages that is told by a beat: from 1; none of them by 0.
const ALL: u8 = 4;

impl Desk {
    /// The request behind an id, such as `Request/12`.
    #[must_use]
    pub fn request(&self, id: &str) -> Option<RequestView> {
        let seq = id.strip_prefix("Request/")?.parse().ok()?;
        request(self.session.facts().iter(), seq)
    }

    /// The last request that the API server answered, up to the moment that is seen.
    #[must_use]
    pub fn last_request(&self) -> Option<u64> {
        let facts = self.session.facts().iter().rev().filter(|fact| fact.at <= self.at);
        facts.filter(|fact| matches!(fact.what, What::Asked(_))).map(|fact| fact.seq).next()
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
