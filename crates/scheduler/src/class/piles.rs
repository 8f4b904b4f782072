//! Which nodes look the same to plugins that look at one node at a time?
//!
//! Nodes with the same capacity, taints, images and load are in one *state*; those of a state that are also in one
//! [place](super::topology) are a *pile*. A pod that comes or goes moves one node from pile to pile. States are few where
//! many nodes are alike, and what was found out about a state stays true when its nodes have left it.
//! This module does not know about pods that wait.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::topology::{NONE, Topology};
use crate::pod::HostPort;
use crate::print::Print;
use crate::table::{NodeRef, NodeTable};
use crate::taint::Taint;

/// States beyond those of every node that are kept before all is built afresh.
const MOST_STATES: usize = 1 << 13;
/// How many moves are remembered at least.
const MOST_MOVES: usize = 1 << 13;

/// Every node in its pile.
#[derive(Default)]
pub(super) struct Piles {
    /// Counts how often all was built afresh: numbers of states and piles mean something only within one epoch.
    pub(super) epoch: u64,
    /// Labels that pods' node selectors and node affinities look at.
    labels: BTreeSet<String>,
    stale: bool,
    order: Vec<NodeRef>,
    /// By the index of the node.
    ranks: Vec<u32>,
    /// By rank.
    shape_of: Vec<u32>,
    /// A node of each shape.
    models: Vec<NodeRef>,
    /// Pairs of shape and place that there are.
    sites: Vec<(u32, u32)>,
    states: Vec<State>,
    /// The first state of each print.
    by_print: BTreeMap<u64, u32>,
    piles: Vec<Pile>,
    /// By rank.
    pile_of: Vec<u32>,
    /// Nodes that went from pile to pile, by rank, the latest last; older ones have been forgotten.
    moved: Vec<u32>,
    forgotten: u64,
    amounts: Vec<i64>,
}

/// What plugins see of a node whatever its pods.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Shape<'t> {
    capacity: Vec<i64>,
    allowed_pods: i64,
    unschedulable: bool,
    taints: &'t [Taint],
    images: &'t BTreeMap<String, i64>,
    labels: Vec<Option<&'t String>>,
}

/// What such plugins see of a node.
struct State {
    shape: u32,
    /// Number of pods, what they ask for, and what they count for.
    amounts: Box<[i64]>,
    ports: Vec<HostPort>,
    piles: Vec<u32>,
    nodes: u32,
    /// The next state of the same print, or [`NONE`].
    next: u32,
}

/// Nodes of one state in one place.
pub(super) struct Pile {
    pub(super) state: u32,
    pub(super) place: u32,
    /// Ranks, ascending.
    pub(super) nodes: VecDeque<u32>,
}

impl Piles {
    /// Begins to tell nodes apart by a label.
    pub(super) fn watch(&mut self, label: &str) {
        if !self.labels.contains(label) {
            self.labels.insert(label.to_owned());
            self.stale = true;
        }
    }

    /// Whether all must be built afresh.
    pub(super) fn is_stale(&self) -> bool {
        self.stale || self.states.len() > MOST_STATES + 8 * self.order.len()
    }

    /// Puts every node into its pile.
    pub(super) fn rebuild(&mut self, table: &NodeTable, topology: &mut Topology) {
        self.stale = false;
        self.epoch += 1;
        self.order.clear();
        self.order.extend(table.nodes());
        topology.rebuild(table, &self.order);
        let size = self.order.iter().map(|it| it.index() + 1).max().unwrap_or(0);
        self.ranks = vec![NONE; size];
        for (rank, node) in (0..).zip(&self.order) {
            self.ranks[node.index()] = rank;
        }
        self.find_shapes(table);
        let sites = (0..).zip(&self.shape_of).map(|(rank, shape)| (*shape, topology.place_of(rank)));
        let sites: BTreeSet<(u32, u32)> = sites.collect();
        self.sites = sites.into_iter().collect();
        self.states.clear();
        self.by_print.clear();
        self.piles.clear();
        self.pile_of = vec![NONE; self.order.len()];
        for at in 0..self.order.len() {
            self.look(table, topology, self.order[at]);
        }
        // Who looks for the first time looks at piles, not at moves.
        self.forgotten = self.position();
        self.moved.clear();
    }

    fn find_shapes(&mut self, table: &NodeTable) {
        let mut shapes = BTreeMap::new();
        self.shape_of.clear();
        self.models.clear();
        for node in &self.order {
            let row = table.row(*node);
            let shape = Shape {
                capacity: table.capacity(*node).collect(),
                allowed_pods: row.allowed_pods,
                unschedulable: row.unschedulable,
                taints: &row.taints,
                images: &row.images,
                labels: self.labels.iter().map(|label| row.labels.get(label)).collect(),
            };
            let shape = *shapes.entry(shape).or_insert_with(|| {
                self.models.push(*node);
                u32::try_from(self.models.len() - 1).unwrap_or(NONE)
            });
            self.shape_of.push(shape);
        }
    }

    /// Looks again at a node that a pod came to or went from.
    pub(super) fn look(&mut self, table: &NodeTable, topology: &Topology, node: NodeRef) {
        let Some(rank) = self.ranks.get(node.index()).copied().filter(|it| *it != NONE) else { return };
        let state = self.state_of(table, node, self.shape_of[rank as usize]);
        let pile = self.pile(state, topology.place_of(rank));
        let before = std::mem::replace(&mut self.pile_of[rank as usize], pile);
        if before == pile {
            return;
        }
        if self.moved.len() > MOST_MOVES.max(4 * self.order.len()) {
            self.forgotten = self.position();
            self.moved.clear();
        }
        if before != NONE {
            let pile = &mut self.piles[before as usize];
            if let Ok(at) = pile.nodes.binary_search(&rank) {
                pile.nodes.remove(at);
            }
            self.states[pile.state as usize].nodes -= 1;
        }
        let nodes = &mut self.piles[pile as usize].nodes;
        // Ranks mostly come in order.
        if nodes.back().is_none_or(|last| *last < rank) {
            nodes.push_back(rank);
        } else {
            nodes.insert(nodes.partition_point(|it| *it < rank), rank);
        }
        self.states[state as usize].nodes += 1;
        self.moved.push(rank);
    }

    fn state_of(&mut self, table: &NodeTable, node: NodeRef, shape: u32) -> u32 {
        let row = table.row(node);
        self.amounts.clear();
        self.amounts.push(i64::try_from(row.pods.len()).unwrap_or(i64::MAX));
        self.amounts.extend([table.nonzero_milli_cpu(node), table.nonzero_memory(node)]);
        self.amounts.extend(table.usage(node));
        // A column may come later, with the first pod that asks for the resource.
        while self.amounts.last() == Some(&0) {
            self.amounts.pop();
        }
        let mut print = Print::default();
        print.number(u64::from(shape));
        self.amounts.iter().for_each(|it| print.number(it.cast_unsigned()));
        row.ports.iter().for_each(|it| print.number(u64::from(it.port.cast_unsigned())));
        let new = u32::try_from(self.states.len()).unwrap_or(NONE);
        let mut at = *self.by_print.entry(print.finish()).or_insert(new);
        while let Some(state) = self.states.get_mut(at as usize) {
            if state.shape == shape && *state.amounts == *self.amounts && state.ports == row.ports {
                return at;
            }
            if state.next == NONE {
                state.next = new;
            }
            at = state.next;
        }
        let (amounts, ports) = (self.amounts.as_slice().into(), row.ports.clone());
        self.states.push(State { shape, amounts, ports, piles: Vec::new(), nodes: 0, next: NONE });
        new
    }

    fn pile(&mut self, state: u32, place: u32) -> u32 {
        let piles = &mut self.states[state as usize].piles;
        if let Some(at) = piles.iter().find(|at| self.piles[**at as usize].place == place) {
            return *at;
        }
        let at = u32::try_from(self.piles.len()).unwrap_or(NONE);
        piles.push(at);
        self.piles.push(Pile { state, place, nodes: VecDeque::new() });
        at
    }
}

/// Questions.
impl Piles {
    /// How many nodes there are.
    pub(super) fn nodes(&self) -> usize {
        self.order.len()
    }

    /// A node by its rank: its place in the order of names.
    pub(super) fn node(&self, rank: u32) -> NodeRef {
        self.order[rank as usize]
    }

    /// The rank of a node; `None` for one that is not known.
    pub(super) fn rank(&self, node: NodeRef) -> Option<u32> {
        self.ranks.get(node.index()).copied().filter(|it| *it != NONE)
    }

    /// What a node looks like whatever its pods.
    pub(super) fn shape_of(&self, rank: u32) -> u32 {
        self.shape_of[rank as usize]
    }

    /// What the nodes of a state look like whatever their pods.
    pub(super) fn shape_in(&self, state: u32) -> u32 {
        self.states[state as usize].shape
    }

    /// A node of each shape.
    pub(super) fn models(&self) -> &[NodeRef] {
        &self.models
    }

    /// Every pair of shape and place that there is.
    pub(super) fn sites(&self) -> &[(u32, u32)] {
        &self.sites
    }

    /// The pile that a node is in.
    pub(super) fn pile_of(&self, rank: u32) -> u32 {
        self.pile_of[rank as usize]
    }

    /// How many states there are, empty ones too.
    pub(super) fn states(&self) -> usize {
        self.states.len()
    }

    /// How many piles there are, empty ones too.
    pub(super) fn len(&self) -> usize {
        self.piles.len()
    }

    /// A pile.
    pub(super) fn get(&self, pile: u32) -> &Pile {
        &self.piles[pile as usize]
    }

    /// The piles of a state.
    pub(super) fn of_state(&self, state: u32) -> &[u32] {
        &self.states[state as usize].piles
    }

    /// Whether a state has no node now.
    pub(super) fn is_empty(&self, state: u32) -> bool {
        self.states[state as usize].nodes == 0
    }

    /// How many moves there have been.
    pub(super) fn position(&self) -> u64 {
        self.forgotten + u64::try_from(self.moved.len()).unwrap_or(0)
    }

    /// Nodes that have moved since a position, by rank; `None` if that has been forgotten.
    pub(super) fn moved_since(&self, position: u64) -> Option<&[u32]> {
        let skip = usize::try_from(position.checked_sub(self.forgotten)?).ok()?;
        self.moved.get(skip..)
    }

    /// The pile of every node, by rank.
    pub(super) fn piles_of(&self) -> &[u32] {
        &self.pile_of
    }
}
