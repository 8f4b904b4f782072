//! How does a tool let time pass?
//!
//! Whatever waits does it here, step by step through [`Shell::pass`], so that commands beside it in the background's list have their turn.

use api::{SimDuration, SimTime};
use cluster::World;

use crate::{eval::Shell, output::Output};

impl Shell<'_> {
    /// Lets simulated time pass until `done`; whether it came before the limit, which `timeout` may shorten.
    pub(crate) fn wait_until(
        &mut self,
        limit: SimDuration,
        out: &mut Output,
        mut done: impl FnMut(&World) -> bool,
    ) -> bool {
        let until = self.no_later(self.world.now() + limit);
        loop {
            if done(self.world) {
                return true;
            }
            if self.world.is_exhausted() {
                return false;
            }
            match self.world.next_at().filter(|at| *at <= until) {
                Some(at) => self.pass(at, out),
                None if self.world.now() >= until => return false,
                None => self.pass(until, out),
            }
        }
    }

    /// Lets simulated time pass until `until`, which `timeout` may bring nearer.
    pub(crate) fn sleep_until(&mut self, until: SimTime, out: &mut Output) {
        let until = self.no_later(until);
        while self.world.now() < until && !self.world.is_exhausted() {
            self.pass(until, out);
        }
    }

    /// Lets simulated time pass until nothing is left to do but what repeats for ever, at most `limit` long.
    pub(crate) fn settle(&mut self, limit: SimDuration, out: &mut Output) {
        let last = self.no_later(self.world.now() + limit);
        while let Some(at) = self.world.next_work_at().filter(|_| !self.world.is_exhausted()) {
            if at > last {
                return self.sleep_until(last, out);
            }
            self.pass(at, out);
        }
    }

    fn no_later(&self, until: SimTime) -> SimTime {
        self.until.map_or(until, |limit| limit.min(until))
    }
}

#[cfg(test)]
mod tests {
    use crate::job::tests::said;

    #[test]
    fn what_follows_has_its_turn_while_the_lab_waits() {
        assert_eq!(said("lab wait 5s & echo on; wait; echo end"), ("on\nend\n".to_owned(), 5000));
    }

    #[test]
    fn a_cluster_that_is_being_made_lets_others_go_on() {
        let (said, at) = said("kind create cluster & sleep 3; echo early; wait; kubectl get nodes");
        assert!(said.starts_with("early\nNAME"), "{said}");
        assert!(at > 10_000, "{at}");
    }

    #[test]
    fn a_limit_holds_for_every_wait() {
        for wait in ["lab wait 60s", "sleep 60", "watch true"] {
            assert_eq!(said(&format!("timeout 5 {wait}")).1, 5000, "{wait}");
        }
    }
}
