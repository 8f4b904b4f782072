//! How does a tool wait until something has come about?

use api::SimDuration;
use cluster::{Budget, World};

use crate::eval::Shell;

impl Shell<'_> {
    /// Lets simulated time pass until `done`; whether it came before the limit, which `timeout` may shorten.
    pub(crate) fn wait_until(&mut self, limit: SimDuration, mut done: impl FnMut(&World) -> bool) -> bool {
        let own = self.world.now() + limit;
        let until = self.until.map_or(own, |outer| outer.min(own));
        loop {
            if done(self.world) {
                return true;
            }
            if self.world.is_exhausted() {
                return false;
            }
            match self.world.next_at() {
                Some(at) if at <= until => {
                    self.world.run_until(at, Budget::COMMAND);
                }
                Some(_) | None => {
                    self.world.run_until(until, Budget::COMMAND);
                    return done(self.world);
                }
            }
        }
    }
}
