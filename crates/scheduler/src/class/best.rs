//! Which node is best, all plugins together?
//!
//! Nodes that share everything that is not in a [ranking](super::ranking)'s sum are one [`Candidate`]: those of a place and
//! a group, without the exceptions, which are candidates of their own. Only the best sum of a candidate can win, so that
//! normalising over candidates is normalising over nodes, and no loop is over all nodes.

use super::piles::Piles;
use super::question::{Question, Spot};
use super::ranking::Ranking;
use super::topology::{NONE, Topology};
use crate::plugin::{Cycle, Reach};
use crate::plugins::inter_pod_affinity::liking;
use crate::plugins::pod_topology_spread::evenness;
use crate::profile::Profile;
use crate::{Pick, PodInfo};

/// What is looked at in one search.
pub(super) struct Search<'a> {
    pub(super) ranking: &'a mut Ranking,
    pub(super) piles: &'a Piles,
    pub(super) topology: &'a Topology,
    /// `None` where other pods mean nothing for this one: then all nodes are in one place.
    pub(super) question: Option<&'a mut Question>,
    pub(super) weights: Weights,
}

/// What the scores of the two plugins that look at other pods count for.
#[derive(Clone, Copy)]
pub(super) struct Weights {
    spread: i64,
    affinity: i64,
}

impl Weights {
    /// `None` if one of the two does not run.
    pub(super) fn of(profile: &Profile) -> Option<Weights> {
        let empty = PodInfo::default();
        let find = |reach| profile.plugins.iter().find(|it| it.plugin.reach(&empty) == reach);
        let (spread, affinity) = (find(Reach::Siblings)?.weight, find(Reach::Pods)?.weight);
        Some(Weights { spread, affinity })
    }
}

/// Nodes that only the sum of a ranking tells apart.
struct Candidate {
    group: usize,
    spot: Spot,
    nodes: u32,
    /// The best sum; -1 before it is known.
    sum: i64,
    total: i64,
    liking: i64,
}

/// Memory that is kept from search to search. INVARIANT: no mark between searches.
#[derive(Default)]
pub(super) struct Scratch {
    candidates: Vec<Candidate>,
    /// By rank: whether the node is a candidate of its own.
    marked: Vec<bool>,
    exceptions: Vec<u32>,
    /// By pile: how many of its nodes are marked.
    excepted: Vec<u32>,
    /// By group and place: how many marked nodes pass the ranking.
    apart: Vec<u32>,
    /// By place.
    numbers: Vec<u32>,
    /// Piles that have the best sum of their candidate.
    tops: Vec<(u32, u32)>,
    ranks: Vec<u32>,
    /// Groups of candidates.
    used: Vec<usize>,
}

impl Search<'_> {
    /// The best node; `None` if no node passes.
    pub(super) fn best(mut self, cycle: &Cycle, tie: u64, scratch: &mut Scratch) -> Option<Pick> {
        scratch.candidates.clear();
        scratch.tops.clear();
        self.find_exceptions(scratch);
        self.find_places(scratch);
        self.find_sums(scratch);
        let feasible = scratch.candidates.iter().map(|it| it.nodes as usize).sum();
        if feasible > 1 {
            self.total(cycle, scratch);
        }
        let found = self.draw(feasible, tie, scratch);
        for rank in scratch.exceptions.drain(..) {
            scratch.marked[rank as usize] = false;
            scratch.excepted[self.piles.pile_of(rank) as usize] = 0;
        }
        found
    }

    fn places(&self) -> usize {
        if self.question.is_some() { self.topology.places() } else { 1 }
    }

    /// Asks about nodes one by one that do not share the answer of their place.
    fn find_exceptions(&mut self, scratch: &mut Scratch) {
        let Some(question) = self.question.as_deref() else { return };
        let (piles, topology) = (self.piles, self.topology);
        scratch.marked.resize(piles.nodes(), false);
        scratch.excepted.resize(piles.len().max(scratch.excepted.len()), 0);
        let places = topology.places();
        scratch.apart.clear();
        scratch.apart.resize(places * self.ranking.groups.len(), 0);
        question.for_exceptions(topology, |rank| {
            if std::mem::replace(&mut scratch.marked[rank as usize], true) {
                return;
            }
            scratch.exceptions.push(rank);
            scratch.excepted[piles.pile_of(rank) as usize] += 1;
            let Some((group, sum)) = self.ranking.of_node(piles, rank) else { return };
            let place = topology.place_of(rank);
            scratch.apart[group * places + place as usize] += 1;
            let spot = Spot { place, rank };
            if question.passes(topology, spot) {
                scratch.candidates.push(Candidate::new(group, spot, 1, sum));
            }
        });
    }

    /// Asks about the other nodes place by place.
    fn find_places(&self, scratch: &mut Scratch) {
        let places = self.places();
        for place in (0..).take(places) {
            let spot = Spot { place, rank: NONE };
            let passes = |it: &&mut Question| it.passes(self.topology, spot);
            if !self.question.as_ref().is_none_or(passes) {
                continue;
            }
            for (at, group) in self.ranking.groups.iter().enumerate() {
                let nodes = match &self.question {
                    None => group.all,
                    Some(_) => group.feasible(place) - scratch.apart[at * places + place as usize],
                };
                if nodes > 0 {
                    scratch.candidates.push(Candidate::new(at, spot, nodes, -1));
                }
            }
        }
    }

    /// Goes down the sums of each group until every candidate has its own.
    fn find_sums(&mut self, Scratch { candidates, excepted, tops, numbers, .. }: &mut Scratch) {
        let places = self.places();
        for group in 0..self.ranking.groups.len() {
            numbers.clear();
            numbers.resize(places, NONE);
            let mut open = 0;
            for (number, it) in (0..).zip(&*candidates) {
                if it.group == group && it.sum < 0 {
                    numbers[it.spot.place as usize] = number;
                    open += 1;
                }
            }
            let mut sum = None;
            while open > 0 {
                let Some(next) = self.ranking.below(group, sum) else { break };
                sum = Some(next);
                let value = i64::try_from(next).unwrap_or(0);
                self.ranking.visit(group, next, self.piles, |at| {
                    let pile = self.piles.get(at);
                    let place = if self.question.is_some() { pile.place as usize } else { 0 };
                    let Some(candidate) = candidates.get_mut(numbers[place] as usize) else { return };
                    let marked = if self.question.is_some() { excepted[at as usize] as usize } else { 0 };
                    if pile.nodes.len() == marked {
                        return;
                    }
                    if candidate.sum < 0 {
                        candidate.sum = value;
                        open -= 1;
                    }
                    if candidate.sum == value {
                        tops.push((numbers[place], at));
                    }
                });
            }
        }
    }

    /// Adds up every plugin's score.
    fn total(&mut self, cycle: &Cycle, Scratch { candidates, numbers, used, .. }: &mut Scratch) {
        used.clear();
        used.extend((0..self.ranking.groups.len()).filter(|at| candidates.iter().any(|it| it.group == *at)));
        for (group, level) in used.iter().zip(self.ranking.levels(cycle, used)) {
            let members = candidates.iter_mut().filter(|it| it.group == *group);
            members.for_each(|it| it.total = it.sum + level);
        }
        let Some(question) = self.question.as_deref_mut() else { return };
        let topology = self.topology;
        if question.likes() {
            candidates.iter_mut().for_each(|it| it.liking = question.liking(topology, it.spot));
            let likings = || candidates.iter().map(|it| it.liking);
            let (least, most) = (likings().min().unwrap_or(0), likings().max().unwrap_or(0));
            for it in &mut *candidates {
                it.total += self.weights.affinity * liking(it.liking, least, most);
            }
        }
        if question.spreads() {
            numbers.clear();
            numbers.resize(topology.places(), 0);
            candidates.iter().for_each(|it| numbers[it.spot.place as usize] += it.nodes);
            question.weigh(topology, numbers);
            let ignored = |it: &Candidate| question.is_ignored(topology, it.spot.place);
            let scored = || candidates.iter().filter(|it| !ignored(it));
            let raw = || scored().map(|it| question.unevenness(topology, it.spot));
            let (least, most) = (raw().min().unwrap_or(0), raw().max().unwrap_or(0).max(0));
            for it in candidates.iter_mut() {
                if !question.is_ignored(topology, it.spot.place) {
                    let raw = question.unevenness(topology, it.spot);
                    it.total += self.weights.spread * evenness(raw, least, most);
                }
            }
        }
    }

    /// Draws among the nodes with the best total, by name.
    fn draw(&self, feasible: usize, tie: u64, scratch: &mut Scratch) -> Option<Pick> {
        let Scratch { candidates, marked, exceptions, excepted, tops, ranks, .. } = scratch;
        let total = candidates.iter().map(|it| it.total).max()?;
        tops.retain(|(number, _)| candidates[*number as usize].total == total);
        ranks.clear();
        let alone = candidates.iter().filter(|it| it.total == total && it.spot.rank != NONE);
        ranks.extend(alone.map(|it| it.spot.rank));
        let marked_in = |at: u32| if exceptions.is_empty() { 0 } else { excepted[at as usize] as usize };
        let piled: usize = tops.iter().map(|(_, at)| self.piles.get(*at).nodes.len() - marked_in(*at)).sum();
        let ties = piled + ranks.len();
        let drawn = crate::draw(tie, ties);
        let is_marked = |rank: u32| !exceptions.is_empty() && marked[rank as usize];
        let nodes = |at: u32| self.piles.get(at).nodes.iter().copied().filter(|it| !is_marked(*it));
        let rank = if drawn == 0 {
            let first = tops.iter().filter_map(|(_, at)| nodes(*at).next()).min();
            first.into_iter().chain(ranks.iter().copied()).min()?
        } else if let ([(_, at)], true) = (&tops[..], exceptions.is_empty()) {
            *self.piles.get(*at).nodes.get(drawn)?
        } else {
            ranks.extend(tops.iter().flat_map(|(_, at)| nodes(*at)));
            *ranks.select_nth_unstable(drawn).1
        };
        Some(Pick { node: self.piles.node(rank), total, feasible, ties })
    }
}

impl Candidate {
    fn new(group: usize, spot: Spot, nodes: u32, sum: i64) -> Candidate {
        Candidate { group, spot, nodes, sum, total: 0, liking: 0 }
    }
}
