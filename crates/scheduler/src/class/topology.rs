//! In which topologies are the nodes, as far as pods ask?
//!
//! A node label that pods spread over or want to be near by is watched. Labels of few values, such as a zone, divide the
//! nodes into *places*: nodes of one place have the same values. Of labels of many values, such as a host name, a place
//! says only whether its nodes have them.
//! This module does not know about pods.

use std::collections::BTreeMap;

use crate::table::{HOSTNAME, NodeRef, NodeTable};

/// No value, no node.
pub(super) const NONE: u32 = u32::MAX;
/// The key of a topology in which every node is alone.
pub(super) const NODE: usize = usize::MAX;
/// More values than this do not make places.
const MOST_VALUES: usize = 32;

/// Watched labels and the places they make.
#[derive(Default)]
pub(super) struct Topology {
    keys: Vec<Key>,
    /// Of each place, the value of each key; of a fine key, 0 if its nodes have one.
    places: Vec<Vec<u32>>,
    /// By rank.
    place_of: Vec<u32>,
    /// Whether a key has been added since the nodes were looked at.
    stale: bool,
}

/// A watched label.
#[derive(Default)]
struct Key {
    name: String,
    /// Too many values to make places.
    fine: bool,
    /// By rank.
    value_of: Vec<u32>,
    values: usize,
    /// Of a fine key, the ranks of the nodes with each value.
    nodes_of: Vec<Vec<u32>>,
    /// Whether some node has an empty value, which upstream does not always tell from none.
    has_empty: bool,
}

impl Topology {
    /// Begins to watch a label, and gives its key.
    pub(super) fn watch(&mut self, name: &str) -> usize {
        if let Some(at) = self.keys.iter().position(|it| it.name == name) {
            return at;
        }
        self.keys.push(Key { name: name.to_owned(), ..Key::default() });
        self.stale = true;
        self.keys.len() - 1
    }

    /// Whether the nodes must be looked at again.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Looks at every node, in the order of names.
    pub(super) fn rebuild(&mut self, table: &NodeTable, order: &[NodeRef]) {
        self.stale = false;
        let mut places = BTreeMap::new();
        let mut values_of: Vec<Vec<u32>> = vec![Vec::with_capacity(self.keys.len()); order.len()];
        for key in &mut self.keys {
            key.rebuild(table, order);
            for (values, value) in values_of.iter_mut().zip(&key.value_of) {
                values.push(if key.fine && *value != NONE { 0 } else { *value });
            }
        }
        self.places.clear();
        self.place_of.clear();
        for values in values_of {
            let place = *places.entry(values).or_insert_with_key(|values| {
                self.places.push(values.clone());
                u32::try_from(self.places.len() - 1).unwrap_or(NONE)
            });
            self.place_of.push(place);
        }
    }

    /// How many places there are.
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    /// The place of a node.
    pub(super) fn place_of(&self, rank: u32) -> u32 {
        self.place_of[rank as usize]
    }

    /// Whether the nodes of a place have the label.
    pub(super) fn has(&self, key: usize, place: u32) -> bool {
        self.places[place as usize][key] != NONE
    }

    /// The value of a coarse key in a place, or [`NONE`].
    pub(super) fn value_in(&self, key: usize, place: u32) -> u32 {
        self.places[place as usize][key]
    }

    /// The value of a node, or [`NONE`].
    pub(super) fn value_of(&self, key: usize, rank: u32) -> u32 {
        if key == NODE { rank } else { self.keys[key].value_of[rank as usize] }
    }

    /// Whether nodes of one place may have different values.
    pub(super) fn is_fine(&self, key: usize) -> bool {
        key == NODE || self.keys[key].fine
    }

    /// How many values there are.
    pub(super) fn values(&self, key: usize) -> usize {
        if key == NODE { self.place_of.len() } else { self.keys[key].values }
    }

    /// Whether some node has an empty value.
    pub(super) fn has_empty(&self, key: usize) -> bool {
        self.keys[key].has_empty
    }

    /// Calls for every node with a value of a fine key.
    pub(super) fn for_nodes_of(&self, key: usize, value: u32, mut call: impl FnMut(u32)) {
        if key == NODE {
            call(value);
        } else {
            self.keys[key].nodes_of[value as usize].iter().for_each(|rank| call(*rank));
        }
    }
}

impl Key {
    fn rebuild(&mut self, table: &NodeTable, order: &[NodeRef]) {
        let mut values: BTreeMap<&str, u32> = BTreeMap::new();
        self.value_of.clear();
        self.value_of.extend(order.iter().map(|node| {
            let Some(value) = table.row(*node).labels.get(&self.name) else { return NONE };
            let next = u32::try_from(values.len()).unwrap_or(NONE);
            *values.entry(value).or_insert(next)
        }));
        self.has_empty = values.contains_key("");
        self.values = values.len();
        self.fine = self.values > MOST_VALUES || self.name == HOSTNAME;
        self.nodes_of.clear();
        if self.fine {
            self.nodes_of.resize(self.values, Vec::new());
            for (rank, value) in (0..).zip(&self.value_of).filter(|(_, value)| **value != NONE) {
                self.nodes_of[*value as usize].push(rank);
            }
        }
    }
}
