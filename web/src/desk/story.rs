//! How far is the story of the last command told, and by whom is it moved on?
//!
//! By the clock, beat after beat, or by the learner: a story that is held waits, and a step shows exactly one beat more or
//! one less. The picture is that of the beat's moment; while a request is told it is that before the request.

use api::SimTime;
use cluster::World;
use lab::view::beats::{Beat, BeatKind, beats};

use super::Desk;

/// Longest story of one command, in milliseconds at full speed.
const LONGEST_STORY: f64 = 2500.0;

/// A story being told.
pub(super) struct Story {
    beats: Vec<Beat>,
    /// How many of them have been shown.
    next: usize,
    /// When the next beat is due, on the page's clock.
    due: f64,
    /// Milliseconds on the page for one of the beats' own.
    pace: f64,
    /// Whether it waits for a step.
    held: bool,
    before: World,
}

impl Desk {
    /// Begins to tell what the facts from `first` on led to.
    pub(super) fn tell(&mut self, before: World, first: usize, now: f64) {
        self.told = beats(self.session.facts().iter().skip(first));
        self.before = Some(before.clone());
        self.furthest = 0;
        if self.told.is_empty() || (self.speed <= 0.0 && !self.stepping) {
            self.look_at_head();
            return;
        }
        self.begin(before, 0, now);
    }

    fn begin(&mut self, before: World, next: usize, now: f64) {
        let beats = self.told.clone();
        let whole: f64 = beats.iter().map(|beat| f64::from(beat.kind.millis())).sum();
        let pace = (LONGEST_STORY / whole).min(1.0) / self.speed.max(0.01);
        self.seen = before.clone();
        self.at = before.now();
        self.beat = None;
        self.story = Some(Story { beats, next, due: now, pace, held: self.stepping, before });
    }

    /// A frame passed; whether something changed.
    pub fn frame(&mut self, now: f64) -> bool {
        let Some(story) = self.story.as_mut().filter(|story| !story.held && now >= story.due) else {
            return false;
        };
        let first = story.next;
        while now >= story.due && story.next < story.beats.len() {
            story.due += f64::from(story.beats[story.next].kind.millis()) * story.pace;
            story.next += 1;
        }
        if story.next > first {
            self.show_beat();
        } else {
            self.look_at_head();
        }
        true
    }

    /// Shows the last beat that is told, or what was before the first.
    fn show_beat(&mut self) {
        let Some(story) = &self.story else { return };
        self.furthest = self.furthest.max(story.next);
        let Some(beat) = story.next.checked_sub(1).and_then(|last| story.beats.get(last)).cloned() else {
            self.seen = story.before.clone();
            self.at = story.before.now();
            self.beat = None;
            return;
        };
        let asking = matches!(
            beat.kind,
            BeatKind::Request
                | BeatKind::Authentication
                | BeatKind::Authorization
                | BeatKind::Admission
                | BeatKind::Storage
        );
        // Until it is stored nothing has happened yet, though no time passes.
        let unborn = asking && beat.at == story.before.now();
        self.seen = if unborn { story.before.clone() } else { self.session.seek(beat.at).clone() };
        self.at = beat.at;
        self.beat = Some(beat);
    }

    /// What has been told so far of the last story.
    pub fn told_so_far(&self) -> impl Iterator<Item = &Beat> {
        let count = self.story.as_ref().map_or(self.told.len(), |story| story.next);
        self.told.iter().take(count)
    }

    /// The fact of the first step that was never told; none once all were, though one steps back.
    #[must_use]
    pub fn ahead(&self) -> Option<u64> {
        let story = self.story.as_ref()?;
        story.beats.get(self.furthest.max(story.next)).map(|beat| beat.seq)
    }

    /// How far the request that is told now has come: one for each stage it passed.
    #[must_use]
    pub fn stages(&self) -> u8 {
        match self.beat.as_ref().map(|beat| (beat.kind, beat.seq)) {
            None | Some((BeatKind::Request, _)) => 0,
            Some((BeatKind::Authentication, _)) => 1,
            Some((BeatKind::Authorization, _)) => 2,
            Some((BeatKind::Admission, _)) => 3,
            // Those before the refusal were passed.
            Some((BeatKind::Refused, seq)) => {
                let passed = self.told.iter().filter(|it| it.seq == seq && it.kind != BeatKind::Refused);
                u8::try_from(passed.count().saturating_sub(1)).unwrap_or(0)
            }
            Some(_) => 4,
        }
    }

    /// Whether the beat that is told now is a refusal.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.beat.as_ref().is_some_and(|beat| beat.kind == BeatKind::Refused)
    }

    /// Whether something is being told, by the clock or step by step.
    #[must_use]
    pub fn telling(&self) -> bool {
        self.story.is_some()
    }

    /// Whether something is being told by the clock.
    #[must_use]
    pub fn playing(&self) -> bool {
        self.story.as_ref().is_some_and(|story| !story.held)
    }

    /// Where a story that waits for steps is: beats told, and all of them.
    #[must_use]
    pub fn held(&self) -> Option<(usize, usize)> {
        self.story.as_ref().filter(|story| story.held).map(|story| (story.next, story.beats.len()))
    }

    /// Stops telling, where it is.
    pub fn pause(&mut self) {
        if let Some(story) = &mut self.story {
            story.held = true;
        }
    }

    /// Tells on, or the last command's story again, from its beginning or from where one looks.
    pub fn play(&mut self, now: f64) {
        if let Some(story) = self.story.as_mut().filter(|story| story.held) {
            story.held = false;
            story.due = now;
            return;
        }
        let from = if self.at < self.session.head() {
            self.at
        } else {
            self.session.lines().last().map_or(SimTime::ZERO, |line| line.at)
        };
        let first = self.session.facts().iter().position(|fact| fact.at >= from).unwrap_or(0);
        let before = self.session.seek(SimTime(from.0.saturating_sub(1))).clone();
        self.tell(before, first, now);
        if let Some(story) = &mut self.story {
            story.held = false;
        }
    }

    /// One beat on or back while a story is told; from its end, back into it; without one, the next or last moment at which
    /// anything happened.
    pub fn step(&mut self, forward: bool) {
        let at_end = self.story.is_none() && self.at >= self.session.head();
        if let Some(before) = self.before.clone().filter(|_| at_end && !forward && !self.told.is_empty()) {
            self.begin(before, self.told.len() + 1, 0.0);
        }
        match &mut self.story {
            None => self.step_moment(forward),
            Some(story) if forward && story.next >= story.beats.len() => self.look_at_head(),
            Some(story) if !forward && story.next == 0 => {
                self.story = None;
                self.step_moment(forward);
            }
            Some(story) => {
                story.held = true;
                story.next = if forward { story.next + 1 } else { story.next - 1 };
                self.show_beat();
            }
        }
    }

    fn step_moment(&mut self, forward: bool) {
        let at = self.at;
        let facts = self.session.facts();
        let next = if forward {
            facts.iter().map(|fact| fact.at).find(|t| *t > at)
        } else {
            facts.iter().map(|fact| fact.at).take_while(|t| *t < at).last()
        };
        if let Some(next) = next {
            self.seek(next);
        }
    }
}
