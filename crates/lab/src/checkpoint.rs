//! From where is a moment had soonest?
//!
//! [`Checkpoints`] keep everything (world, machine, progress) before some lines, thinned with age: what lies between is
//! replayed. A [`Trail`] keeps worlds only, as they were left while time passed. Both are clones of persistent maps:
//! they cost what has changed since. Dropping them changes no answer.

use api::SimTime;
use cluster::World;
use shell::Machine;

use crate::lesson::{check::log::Deed, progress::Progress};

/// Checkpoints kept before the old ones are thinned.
const MOST: usize = 128;

/// Everything that a session is at a moment.
#[derive(Clone)]
pub struct Moment {
    /// The world.
    pub world: World,
    /// The learner's machine.
    pub machine: Machine,
    /// How far the learner is, in a lesson.
    pub progress: Option<Progress>,
}

impl Moment {
    /// Lets the progress follow the world, and what the learner did.
    pub fn follow(&mut self, deeds: Vec<Deed>) {
        if let Some(progress) = &mut self.progress {
            progress.follow(&self.world, deeds);
        }
    }
}

/// Moments before lines, by number of lines done.
pub struct Checkpoints(Vec<(usize, Moment)>);

impl Checkpoints {
    /// The beginning.
    #[must_use]
    pub fn new(start: Moment) -> Self {
        Self(vec![(0, start)])
    }

    /// Keeps the moment after `count` lines.
    pub fn add(&mut self, count: usize, moment: &Moment) {
        if self.0.last().is_some_and(|(last, _)| *last >= count) {
            return;
        }
        self.0.push((count, moment.clone()));
        if self.0.len() > MOST {
            // The older half keeps every second one; the beginning stays.
            let half = self.0.len() / 2;
            let mut index = 0;
            self.0.retain(|_| {
                index += 1;
                index > half || index % 2 == 1
            });
        }
    }

    /// The last one with at most `count` lines, and how many it has.
    #[must_use]
    pub fn before(&self, count: usize) -> (usize, Moment) {
        let index = self.0.partition_point(|(lines, _)| *lines <= count).saturating_sub(1);
        let (lines, moment) = &self.0[index];
        (*lines, moment.clone())
    }

    /// Forgets those with more than `count` lines.
    pub fn cut(&mut self, count: usize) {
        self.0.retain(|(lines, _)| *lines <= count);
    }
}

/// Worlds in the order of their times, with the number of lines done or begun by then.
pub struct Trail(Vec<(usize, World)>);

impl Trail {
    /// The beginning.
    #[must_use]
    pub fn new(start: World) -> Self {
        Self(vec![(0, start)])
    }

    /// Adds what a world left behind.
    pub fn extend(&mut self, worlds: Vec<World>, count: usize) {
        self.0.extend(worlds.into_iter().map(|world| (count, world)));
    }

    /// Adds the world with which a stretch ended.
    pub fn end(&mut self, world: World, count: usize) {
        self.0.push((count, world));
    }

    /// The last world at or before `at`.
    #[must_use]
    pub fn before(&self, at: SimTime) -> &World {
        let index = self.0.partition_point(|(_, world)| world.now() <= at).saturating_sub(1);
        &self.0[index].1
    }

    /// The last world in which fact `seq` had not happened yet.
    #[must_use]
    pub fn before_fact(&self, seq: u64) -> Option<&World> {
        let count = usize::try_from(seq).ok()?;
        let index = self.0.partition_point(|(_, world)| world.facts().len() <= count).checked_sub(1)?;
        self.0.get(index).map(|(_, world)| world)
    }

    /// Whether a copy lies after `world` and not after `at`: something may have been asked there.
    #[must_use]
    pub fn between(&self, world: &World, at: SimTime) -> bool {
        self.before(at).now() > world.now()
    }

    /// Forgets what came after `count` lines or after `at`.
    pub fn cut(&mut self, count: usize, at: SimTime) {
        self.0.retain(|(lines, world)| *lines <= count && world.now() <= at);
    }
}
