//! What does a pod ask about other pods, in terms of what is counted?
//!
//! [`Asks`] is worked out once for a template: its selectors become [selections](super::crowd::Selection), its topology keys
//! watched labels. What of it depends on the nodes, the domains of its spreading constraints, is worked out once for
//! each state of the nodes.

use api::label::Selector;

use super::crowd::{Crowd, Selection};
use super::piles::Piles;
use super::topology::{NONE, Topology};
use crate::plugin::Cycle;
use crate::plugins::pod_topology_spread::{counts, default_constraints};
use crate::spread::Constraint;
use crate::table::HOSTNAME;

/// What the pods of a template ask about other pods.
pub(super) struct Asks {
    pub(super) kin: usize,
    /// Required affinity.
    pub(super) near: Option<Near>,
    /// Required anti-affinity: selections and keys.
    pub(super) far: Vec<(usize, usize)>,
    /// Preferred affinity: selections, keys and weights.
    pub(super) likes: Vec<(usize, usize, i64)>,
    /// Constraints that filter.
    pub(super) hard: Vec<Bound>,
    /// Constraints that score.
    pub(super) soft: Vec<Bound>,
    /// The constraints are the pod's own: nodes that lack one of the labels get no score.
    pub(super) strict: bool,
    /// What the soft constraints were made from, if they are not the pod's own.
    defaults: Option<Selector>,
    epoch: u64,
}

/// Pods that must be in the same topologies.
pub(super) struct Near {
    pub(super) selection: usize,
    pub(super) keys: Vec<usize>,
    /// The pod itself is one of them.
    pub(super) itself: bool,
}

/// A spreading constraint.
pub(super) struct Bound {
    pub(super) constraint: Constraint,
    pub(super) key: usize,
    /// Host names are compared by node.
    pub(super) by_node: bool,
    /// `None` counts no pod.
    pub(super) selection: Option<usize>,
    /// The pod itself counts.
    pub(super) itself: bool,
    /// Whose pods count, by shape; `None` for all.
    eligible: Option<Vec<bool>>,
    /// How many domains there are.
    pub(super) domains: usize,
}

impl Asks {
    pub(super) fn of(cycle: &Cycle, crowd: &mut Crowd, topology: &mut Topology) -> Asks {
        let pod = cycle.pod;
        let own = &pod.template.affinity;
        let version = cycle.profile.version;
        let near = (!own.required.is_empty()).then(|| {
            let labels = cycle.table.namespace(&pod.key.namespace).cloned().unwrap_or_default();
            Near {
                selection: crowd.select(Selection::All(own.required.clone(), version)),
                keys: own.required.iter().map(|it| topology.watch(&it.topology_key)).collect(),
                itself: own.required.iter().all(|it| it.matches_as_own(pod, &labels, version)),
            }
        });
        let liked = own.preferred.iter().map(|(weight, term)| (*weight, term));
        let disliked = own.preferred_anti.iter().map(|(weight, term)| (-weight, term));
        let spread = &pod.template.spread;
        let bound = |it: &Constraint, crowd: &mut Crowd, topology: &mut Topology| {
            Bound::of(it.clone(), cycle, crowd, topology)
        };
        Asks {
            kin: crowd.kin(pod),
            near,
            far: own
                .required_anti
                .iter()
                .map(|it| {
                    (
                        crowd.select(Selection::All(vec![it.clone()], version)),
                        topology.watch(&it.topology_key),
                    )
                })
                .collect(),
            likes: liked
                .chain(disliked)
                .map(|(weight, it)| {
                    let selection = crowd.select(Selection::All(vec![it.clone()], version));
                    (selection, topology.watch(&it.topology_key), weight)
                })
                .collect(),
            hard: spread.iter().filter(|it| it.hard).map(|it| bound(it, crowd, topology)).collect(),
            soft: spread.iter().filter(|it| !it.hard).map(|it| bound(it, crowd, topology)).collect(),
            strict: !spread.is_empty(),
            defaults: None,
            epoch: 0,
        }
    }

    /// Takes over what the pod's Services and controller select, where it has no constraints of its own.
    pub(super) fn take_defaults(&mut self, cycle: &Cycle, crowd: &mut Crowd, topology: &mut Topology) {
        if self.strict || (cycle.table.owners.is_empty() && self.soft.is_empty()) {
            return;
        }
        let constraints = default_constraints(cycle);
        let selector = constraints.first().and_then(|it| it.selector.as_ref());
        if selector != self.defaults.as_ref() {
            self.defaults = selector.cloned();
            let bounds = constraints.into_iter().map(|it| Bound::of(it, cycle, crowd, topology));
            self.soft = bounds.collect();
            self.epoch = 0;
        }
    }

    /// Works out what depends on the nodes. `false` where what is counted cannot answer.
    pub(super) fn prepare(&mut self, cycle: &Cycle, piles: &Piles, topology: &Topology) -> bool {
        if self.epoch != piles.epoch {
            self.epoch = piles.epoch;
            let keys: Vec<usize> = self.hard.iter().map(|it| it.key).collect();
            self.hard.iter_mut().chain(&mut self.soft).for_each(|it| it.find_eligible(cycle, piles));
            self.hard.iter_mut().for_each(|it| it.count_domains(piles, topology, &keys));
        }
        // Upstream takes a missing label for an empty value here.
        let vague = |it: &Bound| !self.strict && topology.has_empty(it.key);
        self.soft.iter().all(|it| it.by_node || !(topology.is_fine(it.key) || vague(it)))
    }
}

impl Bound {
    fn of(constraint: Constraint, cycle: &Cycle, crowd: &mut Crowd, topology: &mut Topology) -> Bound {
        let pod = cycle.pod;
        let selector = constraint.selector.as_ref();
        // UPSTREAM: an empty selector counts none, though the pod itself counts.
        let counting = selector.filter(|it| !it.is_empty());
        let siblings = |it: &Selector| Selection::Siblings(pod.key.namespace.clone(), it.clone());
        Bound {
            key: topology.watch(&constraint.topology_key),
            by_node: !constraint.hard && constraint.topology_key == HOSTNAME,
            selection: counting.map(|it| crowd.select(siblings(it))),
            itself: selector.is_some_and(|it| it.matches(&pod.template.labels)),
            eligible: None,
            domains: 0,
            constraint,
        }
    }

    fn find_eligible(&mut self, cycle: &Cycle, piles: &Piles) {
        let chooses = self.constraint.honors_affinity && cycle.pod.template.required_nodes.is_some();
        let eligible = || piles.models().iter().map(|node| counts(&self.constraint, cycle, *node)).collect();
        self.eligible = (chooses || self.constraint.honors_taints).then(eligible);
    }

    fn count_domains(&mut self, piles: &Piles, topology: &Topology, keys: &[usize]) {
        let mut there = vec![false; topology.values(self.key)];
        let mut look = |shape: u32, place: u32, value: u32| {
            if value != NONE && self.is_eligible(shape) && keys.iter().all(|key| topology.has(*key, place)) {
                there[value as usize] = true;
            }
        };
        if topology.is_fine(self.key) {
            for rank in (0..).take(piles.nodes()) {
                let value = topology.value_of(self.key, rank);
                look(piles.shape_of(rank), topology.place_of(rank), value);
            }
        } else {
            for (shape, place) in piles.sites() {
                look(*shape, *place, topology.value_in(self.key, *place));
            }
        }
        self.domains = there.iter().filter(|it| **it).count();
    }

    /// Whether pods count that are on nodes of this shape.
    pub(super) fn is_eligible(&self, shape: u32) -> bool {
        self.eligible.as_ref().is_none_or(|it| it[shape as usize])
    }
}
