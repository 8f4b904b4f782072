//! What do other pods mean for this pod, in each topology?
//!
//! A [`Question`] counts, for one pod, the pods that it or they ask about, by the values of the labels that they name. It
//! costs as much as there are nodes with such pods. Nodes that share a value of a fine label with such a pod are
//! exceptions, to be asked about one by one; all others of a place share its answer.

use std::collections::BTreeSet;

use super::asks::{Asks, Bound};
use super::crowd::{Crowd, Says, Spots};
use super::piles::Piles;
use super::topology::{NODE, NONE, Topology};
use crate::plugins::pod_topology_spread::{unevenness, weight};
use crate::table::NodeTable;

/// Counts for one pod; kept from pod to pod for its memory.
#[derive(Default)]
pub(super) struct Question {
    hard: Vec<(Tally, i64)>,
    near: Vec<Tally>,
    /// Nobody is there yet, and the pod may be the first.
    first: bool,
    far: Vec<Tally>,
    likes: Vec<Tally>,
    soft: Vec<Soft>,
    strict: bool,
    /// Tallies of nothing.
    spare: Vec<Tally>,
}

/// Numbers by value of a label.
#[derive(Default)]
struct Tally {
    key: usize,
    counts: Vec<i64>,
    /// Values whose number is not 0, or was not.
    touched: Vec<u32>,
}

/// A constraint that scores.
struct Soft {
    tally: Tally,
    /// The label that a node must have.
    key: usize,
    max_skew: i64,
    weight: f64,
}

/// A place, and the node in it if it is an exception.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) place: u32,
    /// Or [`NONE`].
    pub(super) rank: u32,
}

impl Tally {
    fn add(&mut self, value: u32, number: i64) {
        let count = &mut self.counts[value as usize];
        if *count == 0 {
            self.touched.push(value);
        }
        *count += number;
    }

    /// The number at a spot; `None` where its nodes have no such label.
    fn at(&self, topology: &Topology, spot: Spot) -> Option<i64> {
        if self.key == NODE {
            return Some(self.counts.get(spot.rank as usize).copied().unwrap_or(0));
        }
        let value = topology.value_in(self.key, spot.place);
        if value == NONE {
            return None;
        }
        if !topology.is_fine(self.key) {
            return Some(self.counts[value as usize]);
        }
        Some(if spot.rank == NONE { 0 } else { self.counts[topology.value_of(self.key, spot.rank) as usize] })
    }
}

impl Question {
    /// Counts for a pod that asks for this. `false` if other pods mean nothing for it.
    pub(super) fn ask(
        &mut self,
        asks: &Asks,
        crowd: &mut Crowd,
        (table, piles, topology): (&NodeTable, &Piles, &Topology),
    ) -> bool {
        self.clear();
        let ground = Ground { piles, topology };
        for bound in &asks.hard {
            let labels = || asks.hard.iter().map(|it| it.key);
            let tally = self.spread(bound, bound.key, labels, crowd, table, ground);
            let there = || tally.touched.iter().map(|value| tally.counts[*value as usize]);
            let emptiest = if there().count() < bound.domains { 0 } else { there().min().unwrap_or(0) };
            let domains = i64::try_from(bound.domains).unwrap_or(i64::MAX);
            let least = if domains < bound.constraint.min_domains { 0 } else { emptiest };
            let most = bound.constraint.max_skew + least - i64::from(bound.itself);
            self.hard.push((tally, most));
        }
        if let Some(near) = &asks.near {
            for key in &near.keys {
                let mut tally = self.tally(*key, topology);
                for spots in crowd.chosen(near.selection, table) {
                    ground.add(&mut tally, spots, 1);
                }
                self.near.push(tally);
            }
            self.first = near.itself && self.near.iter().all(|it| it.touched.is_empty());
        }
        for (selection, key) in &asks.far {
            let at = find_or_push(&mut self.far, *key, &mut self.spare, topology);
            for spots in crowd.chosen(*selection, table) {
                ground.add(&mut self.far[at], spots, 1);
            }
        }
        for (selection, key, weight) in &asks.likes {
            let at = find_or_push(&mut self.likes, *key, &mut self.spare, topology);
            for spots in crowd.chosen(*selection, table) {
                ground.add(&mut self.likes[at], spots, *weight);
            }
        }
        for (key, says, spots) in crowd.meant_by(asks.kin, table) {
            let (tallies, weight) = match says {
                Says::StayAway => (&mut self.far, 1),
                Says::Weighs(weight) => (&mut self.likes, weight),
            };
            let at = find_or_push(tallies, key, &mut self.spare, topology);
            ground.add(&mut tallies[at], spots, weight);
        }
        self.strict = asks.strict;
        for bound in &asks.soft {
            let (key, max_skew) = (bound.key, bound.constraint.max_skew);
            let labels = || asks.soft.iter().filter(|_| asks.strict && !bound.by_node).map(|it| it.key);
            let tally_key = if bound.by_node { NODE } else { key };
            let tally = self.spread(bound, tally_key, labels, crowd, table, ground);
            self.soft.push(Soft { tally, key, max_skew, weight: 0.0 });
        }
        !(self.hard.is_empty() && self.near.is_empty() && self.far.is_empty())
            || self.likes()
            || self.spreads()
    }

    /// Counts the pods of a constraint on nodes that count and have the labels.
    fn spread<L: Iterator<Item = usize>>(
        &mut self,
        bound: &Bound,
        key: usize,
        labels: impl Fn() -> L,
        crowd: &mut Crowd,
        table: &NodeTable,
        Ground { piles, topology }: Ground,
    ) -> Tally {
        let mut tally = self.tally(key, topology);
        let Some(selection) = bound.selection else { return tally };
        for (node, pods) in crowd.chosen(selection, table).flat_map(Spots::iter) {
            let Some(rank) = piles.rank(node) else { continue };
            let value = topology.value_of(key, rank);
            let counts = bound.by_node || bound.is_eligible(piles.shape_of(rank));
            if value != NONE && counts && labels().all(|it| topology.has(it, topology.place_of(rank))) {
                tally.add(value, pods);
            }
        }
        tally
    }

    fn tally(&mut self, key: usize, topology: &Topology) -> Tally {
        tally(key, &mut self.spare, topology)
    }

    fn clear(&mut self) {
        let hard = self.hard.drain(..).map(|it| it.0);
        let plain = self.near.drain(..).chain(self.far.drain(..)).chain(self.likes.drain(..));
        for mut tally in hard.chain(plain).chain(self.soft.drain(..).map(|it| it.tally)) {
            tally.touched.drain(..).for_each(|value| tally.counts[value as usize] = 0);
            self.spare.push(tally);
        }
        self.first = false;
    }
}

/// What the nodes are like.
#[derive(Clone, Copy)]
struct Ground<'a> {
    piles: &'a Piles,
    topology: &'a Topology,
}

impl Ground<'_> {
    fn add(self, tally: &mut Tally, spots: &Spots, weight: i64) {
        for (node, pods) in spots.iter() {
            let Some(rank) = self.piles.rank(node) else { continue };
            let value = self.topology.value_of(tally.key, rank);
            if value != NONE {
                tally.add(value, pods * weight);
            }
        }
    }
}

fn tally(key: usize, spare: &mut Vec<Tally>, topology: &Topology) -> Tally {
    let mut tally = spare.pop().unwrap_or_default();
    tally.key = key;
    // INVARIANT: all are 0. Never shorter again: filling it anew would cost as much as there are nodes.
    tally.counts.resize(topology.values(key).max(tally.counts.len()), 0);
    tally
}

fn find_or_push(tallies: &mut Vec<Tally>, key: usize, spare: &mut Vec<Tally>, topology: &Topology) -> usize {
    tallies.iter().position(|it| it.key == key).unwrap_or_else(|| {
        tallies.push(tally(key, spare, topology));
        tallies.len() - 1
    })
}

/// Answers.
impl Question {
    /// Calls for every node that does not share the answer of its place; for some more than once.
    pub(super) fn for_exceptions(&self, topology: &Topology, mut call: impl FnMut(u32)) {
        let hard = self.hard.iter().map(|it| &it.0);
        let plain = self.near.iter().chain(&self.far).chain(&self.likes);
        for tally in hard.chain(plain).chain(self.soft.iter().map(|it| &it.tally)) {
            if topology.is_fine(tally.key) {
                tally.touched.iter().for_each(|value| topology.for_nodes_of(tally.key, *value, &mut call));
            }
        }
    }

    /// Whether nodes at a spot pass.
    pub(super) fn passes(&self, topology: &Topology, spot: Spot) -> bool {
        let mut there = true;
        for tally in &self.near {
            let Some(pods) = tally.at(topology, spot) else { return false };
            there &= pods > 0;
        }
        (there || self.first)
            && self.hard.iter().all(|(it, most)| it.at(topology, spot).is_some_and(|pods| pods <= *most))
            && self.far.iter().all(|it| it.at(topology, spot).is_none_or(|pods| pods <= 0))
    }

    /// The raw score of InterPodAffinity.
    pub(super) fn liking(&self, topology: &Topology, spot: Spot) -> i64 {
        self.likes.iter().filter_map(|it| it.at(topology, spot)).sum()
    }

    /// Whether pods' affinities score.
    pub(super) fn likes(&self) -> bool {
        !self.likes.is_empty()
    }

    /// Whether spreading scores.
    pub(super) fn spreads(&self) -> bool {
        !self.soft.is_empty()
    }

    /// Whether nodes of a place get no score for spreading.
    pub(super) fn is_ignored(&self, topology: &Topology, place: u32) -> bool {
        self.strict && self.soft.iter().any(|it| !topology.has(it.key, place))
    }

    /// Takes down how many nodes have passed in each place: domains of more nodes weigh more.
    pub(super) fn weigh(&mut self, topology: &Topology, passed: &[u32]) {
        let mut soft = std::mem::take(&mut self.soft);
        let scored = || {
            let passed = (0..).zip(passed).filter(|(_, nodes)| **nodes > 0);
            passed.filter(|(place, _)| !(self.strict && soft.iter().any(|it| !topology.has(it.key, *place))))
        };
        let domains = |it: &Soft| match it.tally.key {
            NODE => scored().map(|(_, nodes)| *nodes as usize).sum(),
            key => scored().map(|(place, _)| topology.value_in(key, place)).collect::<BTreeSet<u32>>().len(),
        };
        let weights: Vec<f64> = soft.iter().map(|it| weight(domains(it))).collect();
        soft.iter_mut().zip(weights).for_each(|(it, weight)| it.weight = weight);
        self.soft = soft;
    }

    /// The raw score of PodTopologySpread.
    pub(super) fn unevenness(&self, topology: &Topology, spot: Spot) -> i64 {
        let counted = |it: &Soft| {
            topology.has(it.key, spot.place).then_some(())?;
            Some((it.tally.at(topology, spot)?, it.weight, it.max_skew))
        };
        unevenness(self.soft.iter().filter_map(counted))
    }
}
