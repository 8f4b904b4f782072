//! Which pods are where, as far as other pods ask, and what do they say of other pods?
//!
//! Pods of one namespace with the same labels are one [`Kin`]; a term that pods on nodes carry, or their dislike, is a
//! [`Voice`]. Both know how many of their pods are on which node. A [`Selection`] of pods is matched with a kin once, and
//! a voice with a kin once; after that, pods are only counted.
//! INVARIANT: every pod that is on a node of the table is counted, once.

use std::collections::BTreeMap;

use api::label::Selector;

use super::templates::Templates;
use super::topology::Topology;
use crate::history::Change;
use crate::node_selector::Labels;
use crate::plugins::inter_pod_affinity::HARD_POD_AFFINITY_WEIGHT;
use crate::pod::PodInfo;
use crate::pod_affinity::AffinityTerm;
use crate::profile::Version;
use crate::table::{NodeRef, NodeTable};

/// Kins, voices and selections beyond those of every pod that are kept before all is counted afresh.
const MOST_REMEMBERED: usize = 1 << 13;

static NO_LABELS: Labels = Labels::new();

/// Everybody who is on a node.
#[derive(Default)]
pub(super) struct Crowd {
    kins: Vec<Kin>,
    by_look: BTreeMap<Look, usize>,
    voices: Vec<Voice>,
    by_word: BTreeMap<(AffinityTerm, Says), usize>,
    selections: Vec<Selected>,
    by_selection: BTreeMap<Selection, usize>,
    /// By the number of the template, for pods that are not being deleted.
    members: Vec<Option<Member>>,
}

/// What selectors see of a pod.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    namespace: String,
    labels: Labels,
    terminating: bool,
}

/// Pods that selectors do not tell apart.
struct Kin {
    look: Look,
    spots: Spots,
    /// Voices that mean these pods, of the first so many.
    meant_by: Vec<usize>,
    heard: usize,
}

/// A term of pods that are there.
struct Voice {
    term: AffinityTerm,
    key: usize,
    says: Says,
    spots: Spots,
}

/// What a term asks of pods that it means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    /// Required anti-affinity.
    StayAway,
    /// Preferred, or required and counting for so much.
    Weighs(i64),
}

/// Pods by node.
#[derive(Default)]
pub(super) struct Spots(Vec<(NodeRef, u32)>);

/// A choice of pods.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Selection {
    /// Those that every term of a pod means, where a scheduler of this version decides for that pod.
    All(Vec<AffinityTerm>, Version),
    /// Those of a namespace that a selector chooses and that are not being deleted.
    Siblings(String, Selector),
}

struct Selected {
    selection: Selection,
    /// Kins that are chosen, of the first so many.
    chosen: Vec<usize>,
    seen: usize,
}

/// What a pod is part of.
#[derive(Clone)]
struct Member {
    kin: usize,
    voices: Vec<usize>,
}

impl Crowd {
    /// Everybody who is on a node of the table.
    pub(super) fn of(table: &NodeTable, templates: &Templates, topology: &mut Topology) -> Crowd {
        let mut crowd = Crowd::default();
        for node in table.nodes() {
            for pod in &table.row(node).pods {
                crowd.count((pod, node, true), templates, topology);
            }
        }
        crowd
    }

    /// A pod came or went.
    pub(super) fn apply(&mut self, change: &Change, templates: &Templates, topology: &mut Topology) {
        self.count((&change.pod, change.node, change.came), templates, topology);
    }

    /// Whether too many are remembered who have gone.
    pub(super) fn is_overgrown(&self, pods: usize) -> bool {
        self.kins.len() + self.voices.len() + self.selections.len() > MOST_REMEMBERED + 8 * pods
    }

    fn count(
        &mut self,
        (pod, node, came): (&PodInfo, NodeRef, bool),
        templates: &Templates,
        topology: &mut Topology,
    ) {
        let number = templates.recall(pod).filter(|_| !pod.terminating);
        let known = number.and_then(|it| self.members.get_mut(it)?.take());
        let member = known.unwrap_or_else(|| self.member(pod, topology));
        self.kins[member.kin].spots.change(node, came);
        for voice in &member.voices {
            self.voices[*voice].spots.change(node, came);
        }
        if let Some(number) = number {
            if self.members.len() <= number {
                self.members.resize(number + 1, None);
            }
            self.members[number] = Some(member);
        }
    }

    fn member(&mut self, pod: &PodInfo, topology: &mut Topology) -> Member {
        let theirs = &pod.template.affinity;
        let away = theirs.required_anti.iter().map(|term| (term, Says::StayAway));
        let near = theirs.required.iter().map(|term| (term, Says::Weighs(HARD_POD_AFFINITY_WEIGHT)));
        let liked = theirs.preferred.iter().map(|(weight, term)| (term, Says::Weighs(*weight)));
        let disliked = theirs.preferred_anti.iter().map(|(weight, term)| (term, Says::Weighs(-weight)));
        let said = away.chain(near).chain(liked).chain(disliked);
        let voices = said.map(|(term, says)| self.voice(term, says, topology)).collect();
        Member { kin: self.kin(pod), voices }
    }

    fn voice(&mut self, term: &AffinityTerm, says: Says, topology: &mut Topology) -> usize {
        *self.by_word.entry((term.clone(), says)).or_insert_with(|| {
            let key = topology.watch(&term.topology_key);
            self.voices.push(Voice { term: term.clone(), key, says, spots: Spots::default() });
            self.voices.len() - 1
        })
    }

    /// What a pod is, on a node or not.
    pub(super) fn kin(&mut self, pod: &PodInfo) -> usize {
        let look = Look {
            namespace: pod.key.namespace.clone(),
            labels: pod.template.labels.clone(),
            terminating: pod.terminating,
        };
        *self.by_look.entry(look).or_insert_with_key(|look| {
            let (look, spots) = (look.clone(), Spots::default());
            self.kins.push(Kin { look, spots, meant_by: Vec::new(), heard: 0 });
            self.kins.len() - 1
        })
    }

    /// Takes down a selection, and gives its number.
    pub(super) fn select(&mut self, selection: Selection) -> usize {
        *self.by_selection.entry(selection).or_insert_with_key(|selection| {
            self.selections.push(Selected { selection: selection.clone(), chosen: Vec::new(), seen: 0 });
            self.selections.len() - 1
        })
    }

    /// Where the pods of a selection are, kin by kin.
    pub(super) fn chosen(&mut self, selection: usize, table: &NodeTable) -> impl Iterator<Item = &Spots> {
        let Selected { selection, chosen, seen } = &mut self.selections[selection];
        for (at, kin) in self.kins.iter().enumerate().skip(*seen) {
            if selection.chooses(&kin.look, table) {
                chosen.push(at);
            }
        }
        *seen = self.kins.len();
        chosen.iter().map(|at| &self.kins[*at].spots)
    }

    /// Terms of pods that are there that mean pods of this kin: on which key, what they ask, and where they are.
    pub(super) fn meant_by(
        &mut self,
        kin: usize,
        table: &NodeTable,
    ) -> impl Iterator<Item = (usize, Says, &Spots)> {
        let Kin { look, meant_by, heard, .. } = &mut self.kins[kin];
        for (at, voice) in self.voices.iter().enumerate().skip(*heard) {
            if voice.term.chooses(&look.namespace, &look.labels, labels(table, look)) {
                meant_by.push(at);
            }
        }
        *heard = self.voices.len();
        let voices = meant_by.iter().map(|at| &self.voices[*at]);
        voices.map(|it| (it.key, it.says, &it.spots))
    }
}

fn labels<'t>(table: &'t NodeTable, look: &Look) -> &'t Labels {
    table.namespace(&look.namespace).unwrap_or(&NO_LABELS)
}

impl Selection {
    fn chooses(&self, look: &Look, table: &NodeTable) -> bool {
        match self {
            Selection::All(terms, version) => terms
                .iter()
                .all(|it| it.chooses_as_own(&look.namespace, &look.labels, labels(table, look), *version)),
            Selection::Siblings(namespace, selector) => {
                !look.terminating && *namespace == look.namespace && selector.matches(&look.labels)
            }
        }
    }
}

impl Spots {
    fn change(&mut self, node: NodeRef, came: bool) {
        match self.0.binary_search_by_key(&node, |it| it.0) {
            Ok(at) if came => self.0[at].1 += 1,
            Ok(at) if self.0[at].1 > 1 => self.0[at].1 -= 1,
            Ok(at) => drop(self.0.remove(at)),
            Err(at) if came => self.0.insert(at, (node, 1)),
            Err(_) => {}
        }
    }

    /// Nodes with how many of the pods are there.
    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeRef, i64)> {
        self.0.iter().map(|(node, pods)| (*node, i64::from(*pods)))
    }
}
