//! Which nodes are best for pods of one class, as far as plugins see that look at one node at a time?
//!
//! A [`Ranking`] asks the plugins about each state of a node once and keeps the states in lists by score. Scores that mean
//! something only beside those of other nodes divide the states into groups: within a group they do not matter. It looks
//! again only at nodes that went from pile to pile.
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
    ready: Ready,
    plain: Vec<(Enabled, Box<dyn Score>)>,
    pub(super) relative: Vec<(Enabled, Box<dyn Score>)>,
    epoch: u64,
    seen: Option<u64>,
    /// By state.
    judged: Vec<Judged>,
    /// The pile of each node when it was looked at, by rank.
    placed: Vec<u32>,
    pub(super) groups: Vec<Group>,
    /// A sum went beyond [`MOST`].
    odd: bool,
}

/// What the plugins said of a state.
#[derive(Clone, Copy)]
struct Judged {
    sum: u16,
    group: u16,
    /// In its list; a state without nodes may have been left out.
    listed: bool,
    /// The next of its list.
    next: u32,
}

/// States that the relative scores do not tell apart.
pub(super) struct Group {
    /// Raw relative scores.
    pub(super) raw: Vec<i64>,
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
    /// Nothing known yet. `None` where PreFilter does not leave every node to be asked the same.
    pub(super) fn new(cycle: &Cycle) -> Option<Ranking> {
        let ready = ready(cycle)?;
        let (relative, plain) = scorers(cycle);
        Some(Ranking {
            template: Rc::clone(&cycle.pod.template),
            ready,
            plain,
            relative,
            epoch: 0,
            seen: None,
            judged: Vec::new(),
            placed: Vec::new(),
            groups: Vec::new(),
            odd: false,
        })
    }

    /// Looks again at what has changed. `false` where the class is not for this module.
    pub(super) fn catch_up(&mut self, cycle: &Cycle, piles: &Piles) -> bool {
        if self.epoch != piles.epoch {
            // Columns of resources may have come with the nodes.
            let Some(ready) = ready(cycle) else { return false };
            self.ready = ready;
            (self.epoch, self.seen, self.odd) = (piles.epoch, None, false);
            self.judged.clear();
            self.groups.clear();
        }
        let unknown = Judged { sum: 0, group: UNKNOWN, listed: false, next: NONE };
        self.judged.resize(piles.states(), unknown);
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
            self.judge(cycle, pile.state, piles.node(rank));
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

    /// Asks the plugins about a node of the state.
    fn judge(&mut self, cycle: &Cycle, state: u32, node: NodeRef) {
        let judged = &mut self.judged[state as usize];
        if self.ready.alone(cycle, node).is_err() {
            judged.group = REFUSED;
            return;
        }
        let sum: i64 = self.plain.iter().map(|(enabled, it)| enabled.weight * it.score(cycle, node)).sum();
        self.odd |= !(0..MOST).contains(&sum);
        judged.sum = u16::try_from(sum.clamp(0, MOST)).unwrap_or(0);
        let raw = || self.relative.iter().map(|(_, it)| it.score(cycle, node));
        let group = self.groups.iter().position(|it| it.raw.iter().copied().eq(raw()));
        let group = group.unwrap_or_else(|| {
            let raw = raw().collect();
            self.groups.push(Group { raw, heads: Vec::new(), top: 0, feasible: Vec::new(), all: 0 });
            self.groups.len() - 1
        });
        judged.group = u16::try_from(group).unwrap_or(REFUSED);
        self.odd |= judged.group >= REFUSED;
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

fn ready(cycle: &Cycle) -> Option<Ready> {
    match filter::pre_filter_of(cycle, Reach::Node) {
        PreFiltered::Ready(ready) => Some(ready).filter(|it| it.names.is_none()),
        PreFiltered::Rejected(..) => None,
    }
}

/// Relative scores and those that stand for themselves.
type Scorers = (Vec<(Enabled, Box<dyn Score>)>, Vec<(Enabled, Box<dyn Score>)>);

fn scorers(cycle: &Cycle) -> Scorers {
    score::scorers_of(cycle, Reach::Node).into_iter().partition(|(_, it)| it.is_relative())
}
