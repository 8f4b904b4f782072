//! Which nodes are best for pods of one class, as far as plugins see that look at one node at a time?
//!
//! A [`Ranking`] asks the plugins about each state of a node once, those that do not look at a node's pods once for each
//! shape, and keeps the states in lists by score. Scores that mean something only beside those of other nodes divide the
//! shapes into groups: within a group they do not matter. It looks again only at nodes that went from pile to pile.
//! This module does not know about topologies or about other pods.

use std::rc::Rc;

use super::piles::{Pile, Piles};
use crate::filter::{self, PreFiltered, Ready};
use crate::plugin::{Cycle, Reach, Score};
use crate::pod::Template;
use crate::profile::Enabled;
use crate::score;
use crate::table::NodeRef;

/// The best sum of scores that is kept in a list; weights that go beyond it are not for this module.
const MOST: i64 = 1 << 14;
const NONE: u32 = u32::MAX;
const UNKNOWN: u16 = u16::MAX;
const REFUSED: u16 = u16::MAX - 1;

/// The states of nodes, sorted for one class of pods.
pub(super) struct Ranking {
    pub(super) template: Rc<Template>,
    by_shape: Asked,
    by_load: Asked,
    relative: Vec<(Enabled, Box<dyn Score>)>,
    epoch: u64,
    seen: Option<u64>,
    /// By shape.
    shapes: Vec<Option<Judged>>,
    /// By state.
    judged: Vec<Judged>,
    /// The pile of each node when it was looked at, by rank.
    placed: Vec<u32>,
    pub(super) groups: Vec<Group>,
    /// What the relative scores count for, in groups that were asked about together.
    levels: (Vec<usize>, Vec<i64>),
    /// A sum went beyond [`MOST`].
    odd: bool,
}

/// Plugins of one reach.
struct Asked {
    ready: Ready,
    scorers: Vec<(Enabled, Box<dyn Score>)>,
}

impl Asked {
    /// `None` where PreFilter does not leave every node to be asked the same.
    fn of(cycle: &Cycle, reach: Reach) -> Option<Asked> {
        let PreFiltered::Ready(ready) = filter::pre_filter_of(cycle, reach) else { return None };
        ready.names.is_none().then(|| Asked { ready, scorers: score::scorers_of(cycle, reach) })
    }

    fn sum(&self, cycle: &Cycle, node: NodeRef) -> i64 {
        self.scorers.iter().map(|(enabled, it)| enabled.weight * it.score(cycle, node)).sum()
    }
}

/// What the plugins said of a shape or a state.
#[derive(Clone, Copy)]
struct Judged {
    sum: u16,
    group: u16,
    /// In its list; a state without nodes may have been left out.
    listed: bool,
    /// The next of its list.
    next: u32,
}

/// Shapes that the relative scores do not tell apart.
pub(super) struct Group {
    /// Raw relative scores.
    raw: Vec<i64>,
    /// First state of each list, by sum.
    heads: Vec<u32>,
    /// No list above this one has a state.
    top: usize,
    /// Nodes that pass, by place.
    feasible: Vec<u32>,
    pub(super) all: u32,
}

impl Group {
    fn change(&mut self, place: u32, change: impl Fn(&mut u32)) {
        if self.feasible.len() <= place as usize {
            self.feasible.resize(place as usize + 1, 0);
        }
        change(&mut self.feasible[place as usize]);
        change(&mut self.all);
    }

    /// How many nodes of a place pass.
    pub(super) fn feasible(&self, place: u32) -> u32 {
        self.feasible.get(place as usize).copied().unwrap_or(0)
    }
}

impl Ranking {
    /// Nothing known yet. `None` where the class is not for this module.
    pub(super) fn new(cycle: &Cycle) -> Option<Ranking> {
        let (mut by_shape, by_load) = (Asked::of(cycle, Reach::Shape)?, Asked::of(cycle, Reach::Node)?);
        let (relative, plain) = by_shape.scorers.into_iter().partition(|(_, it)| it.is_relative());
        by_shape.scorers = plain;
        // Groups are of shapes.
        by_load.scorers.iter().all(|(_, it)| !it.is_relative()).then(|| Ranking {
            template: Rc::clone(&cycle.pod.template),
            by_shape,
            by_load,
            relative,
            epoch: 0,
            seen: None,
            shapes: Vec::new(),
            judged: Vec::new(),
            placed: Vec::new(),
            groups: Vec::new(),
            levels: (Vec::new(), Vec::new()),
            odd: false,
        })
    }

    /// Looks again at what has changed. `false` where the class is not for this module.
    pub(super) fn catch_up(&mut self, cycle: &Cycle, piles: &Piles) -> bool {
        if self.epoch != piles.epoch {
            // Columns of resources may have come with the nodes.
            let Some(anew) = Ranking::new(cycle) else { return false };
            *self = Ranking { epoch: piles.epoch, ..anew };
            self.shapes.resize(piles.models().len(), None);
        }
        self.judged.resize(piles.states(), Judged { sum: 0, group: UNKNOWN, listed: false, next: NONE });
        match self.seen.and_then(|seen| piles.moved_since(seen)) {
            Some(moved) => moved.iter().for_each(|rank| self.follow(cycle, piles, *rank)),
            None => self.recount(cycle, piles),
        }
        self.seen = Some(piles.position());
        !self.odd
    }

    /// Looks at every pile.
    fn recount(&mut self, cycle: &Cycle, piles: &Piles) {
        self.placed.clear();
        self.placed.extend(piles.piles_of());
        for group in &mut self.groups {
            group.feasible.clear();
            group.all = 0;
        }
        for pile in (0..).take(piles.len()).map(|pile| piles.get(pile)) {
            if let Some(rank) = pile.nodes.front() {
                let nodes = u32::try_from(pile.nodes.len()).unwrap_or(NONE);
                let group = self.enter(cycle, piles, pile, *rank);
                if let Some(group) = self.groups.get_mut(usize::from(group)) {
                    group.change(pile.place, |count| *count += nodes);
                }
            }
        }
    }

    /// Looks at a node that has moved. Where it has been in between does not matter.
    fn follow(&mut self, cycle: &Cycle, piles: &Piles, rank: u32) {
        let at = piles.pile_of(rank);
        let before = std::mem::replace(&mut self.placed[rank as usize], at);
        if before == at {
            return;
        }
        let (before, pile) = (piles.get(before), piles.get(at));
        let left = self.judged[before.state as usize].group;
        let entered = self.enter(cycle, piles, pile, rank);
        if left == entered && before.place == pile.place {
            return;
        }
        if let Some(group) = self.groups.get_mut(usize::from(left)) {
            group.change(before.place, |count| *count -= 1);
        }
        if let Some(group) = self.groups.get_mut(usize::from(entered)) {
            group.change(pile.place, |count| *count += 1);
        }
    }

    /// The group of a pile that has nodes, one of which is given; afterwards its state is in its list.
    fn enter(&mut self, cycle: &Cycle, piles: &Piles, pile: &Pile, rank: u32) -> u16 {
        if self.judged[pile.state as usize].group == UNKNOWN {
            let shape = self.judge_shape(cycle, piles.shape_in(pile.state), piles.node(rank));
            self.judged[pile.state as usize] = self.judge(cycle, shape, piles.node(rank));
        }
        let judged = &mut self.judged[pile.state as usize];
        if judged.listed || judged.group == REFUSED {
            return judged.group;
        }
        judged.listed = true;
        let (group, sum) = (&mut self.groups[usize::from(judged.group)], usize::from(judged.sum));
        if group.heads.len() <= sum {
            group.heads.resize(sum + 1, NONE);
        }
        judged.next = std::mem::replace(&mut group.heads[sum], pile.state);
        group.top = group.top.max(sum);
        judged.group
    }

    /// Asks about a node of a state, of which something is known by its shape.
    fn judge(&mut self, cycle: &Cycle, shape: Judged, node: NodeRef) -> Judged {
        if shape.group == REFUSED || self.by_load.ready.alone(cycle, node).is_err() {
            return Judged { group: REFUSED, ..shape };
        }
        let sum = i64::from(shape.sum) + self.by_load.sum(cycle, node);
        Judged { sum: self.kept(sum), ..shape }
    }

    /// Asks about a node of a shape, unless it is known.
    fn judge_shape(&mut self, cycle: &Cycle, shape: u32, node: NodeRef) -> Judged {
        if let Some(judged) = self.shapes[shape as usize] {
            return judged;
        }
        let mut judged = Judged { sum: 0, group: REFUSED, listed: false, next: NONE };
        if self.by_shape.ready.alone(cycle, node).is_ok() {
            judged.sum = self.kept(self.by_shape.sum(cycle, node));
            judged.group = self.group_of(self.relative.iter().map(|(_, it)| it.score(cycle, node)).collect());
        }
        self.shapes[shape as usize] = Some(judged);
        judged
    }

    fn group_of(&mut self, raw: Vec<i64>) -> u16 {
        let group = self.groups.iter().position(|it| it.raw == raw).unwrap_or_else(|| {
            self.groups.push(Group { raw, heads: Vec::new(), top: 0, feasible: Vec::new(), all: 0 });
            self.groups.len() - 1
        });
        self.odd |= group >= usize::from(REFUSED);
        u16::try_from(group).unwrap_or(REFUSED)
    }

    /// A sum as it is kept.
    fn kept(&mut self, sum: i64) -> u16 {
        self.odd |= !(0..MOST).contains(&sum);
        u16::try_from(sum.clamp(0, MOST)).unwrap_or(0)
    }

    /// What the relative scores count for where these groups have nodes that pass, group by group.
    pub(super) fn levels(&mut self, cycle: &Cycle, used: &[usize]) -> &[i64] {
        let (known, levels) = &mut self.levels;
        if *known != used {
            *known = used.to_vec();
            *levels = vec![0; used.len()];
            for (at, (enabled, scorer)) in self.relative.iter().enumerate() {
                let mut scores: Vec<i64> = used.iter().map(|group| self.groups[*group].raw[at]).collect();
                scorer.normalize(cycle, &[], &mut scores);
                levels.iter_mut().zip(scores).for_each(|(level, it)| *level += enabled.weight * it);
            }
        }
        levels
    }

    /// The group and the sum of a node; `None` if it does not pass.
    pub(super) fn of_node(&self, piles: &Piles, rank: u32) -> Option<(usize, i64)> {
        let judged = self.judged[piles.get(piles.pile_of(rank)).state as usize];
        (judged.group < REFUSED).then(|| (usize::from(judged.group), i64::from(judged.sum)))
    }

    /// The highest sum of a group below `sum`, or of all, that may have nodes.
    pub(super) fn below(&mut self, group: usize, sum: Option<usize>) -> Option<usize> {
        let Group { heads, top, .. } = &mut self.groups[group];
        let left = &heads[..sum.unwrap_or(heads.len()).min(*top + 1)];
        let found = left.iter().rposition(|it| *it != NONE);
        if sum.is_none() {
            *top = found.unwrap_or(0);
        }
        found
    }

    /// Calls for every pile of the states of a group with this sum.
    pub(super) fn visit(&mut self, group: usize, sum: usize, piles: &Piles, mut call: impl FnMut(u32)) {
        let mut before = NONE;
        let mut at = self.groups[group].heads[sum];
        while at != NONE {
            let Judged { next, .. } = self.judged[at as usize];
            if !piles.is_empty(at) {
                piles.of_state(at).iter().for_each(|pile| call(*pile));
                before = at;
            } else {
                self.judged[at as usize].listed = false;
                match self.judged.get_mut(before as usize) {
                    Some(before) => before.next = next,
                    None => self.groups[group].heads[sum] = next,
                }
            }
            at = next;
        }
    }
}
