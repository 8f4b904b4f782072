//! Which pods are on nodes, or wait for one?
//!
//! A map by the pods' keys, looked up for every pod that is placed. Keys of siblings differ only at their ends, which is
//! where comparing texts is slowest: the map compares their prints, and the keys only where prints are equal.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use crate::pod::{PodInfo, PodKey};
use crate::print::Print;
use crate::table::NodeRef;

/// Pods and where they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placed {
    by_print: BTreeMap<u64, Spot>,
    len: usize,
}

/// The pods of one print: hardly ever more than the first.
#[derive(Clone, Debug)]
struct Spot {
    first: Placement,
    others: Vec<Placement>,
}

/// A pod and where it is.
pub(crate) type Placement = (Rc<PodInfo>, Whereabouts);

/// Where a pod is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// On a node.
    On(NodeRef),
    /// It waits for a node of this name.
    WaitsFor(Rc<str>),
}

fn print(key: &PodKey) -> u64 {
    let mut print = Print::default();
    print.text(&key.name);
    print.text(&key.namespace);
    print.finish()
}

impl Placed {
    /// How many pods there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a pod, and gives what was there under its key.
    pub(crate) fn insert(&mut self, pod: Rc<PodInfo>, at: Whereabouts) -> Option<Placement> {
        self.len += 1;
        match self.by_print.entry(print(&pod.key)) {
            Entry::Vacant(spot) => {
                spot.insert(Spot { first: (pod, at), others: Vec::new() });
                None
            }
            Entry::Occupied(mut spot) => {
                let Spot { first, others } = spot.get_mut();
                let mut all = std::iter::once(first).chain(others.iter_mut());
                if let Some(same) = all.find(|it| it.0.key == pod.key) {
                    self.len -= 1;
                    return Some(std::mem::replace(same, (pod, at)));
                }
                others.push((pod, at));
                None
            }
        }
    }

    /// Takes a pod out.
    pub(crate) fn remove(&mut self, key: &PodKey) -> Option<Placement> {
        let Entry::Occupied(mut spot) = self.by_print.entry(print(key)) else { return None };
        let Spot { first, others } = spot.get_mut();
        let found = if first.0.key == *key {
            match others.pop() {
                Some(other) => std::mem::replace(first, other),
                None => spot.remove().first,
            }
        } else {
            others.swap_remove(others.iter().position(|it| it.0.key == *key)?)
        };
        self.len -= 1;
        Some(found)
    }

    /// A pod and where it is.
    pub(crate) fn get_mut(&mut self, key: &PodKey) -> Option<&mut Placement> {
        let Spot { first, others } = self.by_print.get_mut(&print(key))?;
        std::iter::once(first).chain(others).find(|it| it.0.key == *key)
    }

    /// Every pod and where it is, by key.
    pub(crate) fn sorted(&self) -> Vec<&Placement> {
        let spots = self.by_print.values();
        let mut all: Vec<_> = spots.flat_map(|it| std::iter::once(&it.first).chain(&it.others)).collect();
        all.sort_by(|a, b| a.0.key.cmp(&b.0.key));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str) -> Rc<PodInfo> {
        Rc::new(PodInfo { key: PodKey::new("default", name), ..PodInfo::default() })
    }

    #[test]
    fn a_pod_is_found_by_its_key_until_it_is_taken_out() {
        let mut placed = Placed::default();
        for name in ["b", "a", "b"] {
            placed.insert(pod(name), Whereabouts::WaitsFor("node".into()));
        }
        let names = |it: &Placed| it.sorted().iter().map(|it| it.0.key.name.clone()).collect::<Vec<_>>();
        assert_eq!((names(&placed), placed.len()), (vec!["a".to_owned(), "b".to_owned()], 2));
        placed.remove(&PodKey::new("default", "b"));
        assert_eq!((names(&placed), placed.len()), (vec!["a".to_owned()], 1));
    }
}
