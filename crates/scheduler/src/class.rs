//! Which node for a pod like many before?
//!
//! Pods of one class ask for the same; where every plugin looks at one node at a time, what was found out for the class
//! stays true of every node that has not changed. [`Classes`] keeps it: the nodes that pass, sorted by score, and looks
//! again only at nodes that pods came to or went from. Its answer is that of [`crate::pick`]; where a plugin looks at
//! more than one node at a time, it asks [`crate::pick`].
//!
//! ```
//! use scheduler::{NodeTable, Profile, class::Classes, workload::{self, Mix}};
//! let mut table = NodeTable::default();
//! workload::nodes(10).iter().for_each(|node| table.set_node(node));
//! let mut classes = Classes::new(Profile::default_1_34());
//! for pod in workload::pods(20, Mix::Plain) {
//!     let pod = classes.compile(&pod);
//!     let found = classes.pick(&table, &pod, 0).expect("a node");
//!     let node = table.row(found.node).name.clone();
//!     table.add_pod(&pod, &node);
//! }
//! ```

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::digest::Digest;
use api::k8s::core::v1::{Pod, PodSpec};
use api::meta::{ObjectMeta, OwnerReference};

use crate::filter::{self, PreFiltered, Ready};
use crate::node_selector::Labels;
use crate::plugin::{Cycle, Score};
use crate::pod::Template;
use crate::profile::{Enabled, Profile};
use crate::score;
use crate::table::{NodeRef, NodeTable};
use crate::{Pick, PodInfo};

/// What is known of the pods seen so far.
///
/// INVARIANT: always asked about the same table, or a later state of it.
pub struct Classes {
    profile: Profile,
    templates: BTreeMap<u64, Vec<(Source, Rc<Template>)>>,
    classes: BTreeMap<u64, Vec<Class>>,
}

/// What a template was compiled from.
#[derive(PartialEq)]
struct Source {
    namespace: Option<String>,
    labels: Option<Labels>,
    owners: Option<Vec<OwnerReference>>,
    spec: Option<PodSpec>,
}

impl Classes {
    /// Nothing known yet.
    #[must_use]
    pub fn new(profile: Profile) -> Classes {
        Classes { profile, templates: BTreeMap::new(), classes: BTreeMap::new() }
    }

    /// The same as [`PodInfo::new`], compiled only once for pods that differ in nothing but their name.
    pub fn compile(&mut self, pod: &Pod) -> PodInfo {
        let known = self.templates.entry(print(pod)).or_default();
        let same = |(source, _): &&(Source, Rc<Template>)| source.is_of(pod);
        if let Some((_, template)) = known.iter().find(same) {
            return PodInfo::of_template(pod, Rc::clone(template));
        }
        let info = PodInfo::new(pod);
        known.push((Source::of(pod), Rc::clone(&info.template)));
        info
    }

    /// The node that [`crate::pick`] would give.
    pub fn pick(&mut self, table: &NodeTable, pod: &PodInfo, tie: u64) -> Option<Pick> {
        let cycle = Cycle { profile: &self.profile, table, pod };
        let local = self.profile.plugins.iter().all(|it| it.plugin.is_local(&cycle));
        if !local || table.has_nominated() || pod.nominated_node.is_some() || !pod.template.gates.is_empty() {
            return crate::pick(&self.profile, table, pod, tie);
        }
        let known = self.classes.entry(pod.template.class_print()).or_default();
        let at = match known.iter().position(|it| it.template.same_class(&pod.template)) {
            Some(at) => at,
            None => {
                let Some(class) = Class::new(&cycle) else {
                    return crate::pick(&self.profile, table, pod, tie);
                };
                known.push(class);
                known.len() - 1
            }
        };
        let class = known.get_mut(at)?;
        class.catch_up(&cycle);
        class.best(&cycle, tie)
    }
}

impl Source {
    fn of(pod: &Pod) -> Source {
        let ObjectMeta { namespace, labels, owner_references, .. } = pod.metadata.clone();
        Source { namespace, labels, owners: owner_references, spec: pod.spec.clone() }
    }

    fn is_of(&self, pod: &Pod) -> bool {
        let meta = &pod.metadata;
        self.labels == meta.labels
            && self.spec == pod.spec
            && self.namespace == meta.namespace
            && self.owners == meta.owner_references
    }
}

/// A number that equal sources share, and others hardly ever.
fn print(pod: &Pod) -> u64 {
    let mut digest = Digest::default();
    for (_, value) in pod.metadata.labels.iter().flatten() {
        digest.bytes(value.as_bytes());
    }
    for container in pod.spec.iter().flat_map(|it| &it.containers) {
        digest.bytes(container.name.as_bytes());
        let requests = container.resources.as_ref().and_then(|it| it.requests.as_ref());
        for (_, amount) in requests.into_iter().flatten() {
            digest.bytes(amount.0.as_bytes());
        }
    }
    digest.finish()
}

/// Pods that ask for the same.
struct Class {
    template: Rc<Template>,
    ready: Ready,
    /// Scores that stand for themselves.
    plain: Vec<(Enabled, Box<dyn Score>)>,
    /// Scores that mean something only beside those of the other nodes.
    relative: Vec<(Enabled, Box<dyn Score>)>,
    nodes_revision: u64,
    seen: u64,
    /// The nodes in the order of their names.
    order: Vec<NodeRef>,
    /// Position in `order`, by node.
    ranks: BTreeMap<NodeRef, u32>,
    /// The nodes that pass, by raw relative scores, then by the weighted sum of the others, the best first.
    groups: BTreeMap<Vec<i64>, BTreeMap<Reverse<i64>, BTreeSet<u32>>>,
    /// Where each node that passes stands, by rank.
    places: Vec<Option<(Vec<i64>, i64)>>,
    feasible: usize,
}

impl Class {
    /// `None` where not every node is to be asked the same.
    fn new(cycle: &Cycle) -> Option<Class> {
        let PreFiltered::Ready(ready) = filter::pre_filter(cycle) else { return None };
        if ready.names.is_some() {
            return None;
        }
        let (relative, plain) = score::scorers(cycle, &[]).into_iter().partition(|(_, it)| it.is_relative());
        let mut class = Class {
            template: Rc::clone(&cycle.pod.template),
            ready,
            plain,
            relative,
            nodes_revision: 0,
            seen: 0,
            order: Vec::new(),
            ranks: BTreeMap::new(),
            groups: BTreeMap::new(),
            places: Vec::new(),
            feasible: 0,
        };
        class.begin(cycle);
        Some(class)
    }

    fn begin(&mut self, cycle: &Cycle) {
        // Columns may have come with the nodes.
        if let PreFiltered::Ready(ready) = filter::pre_filter(cycle) {
            self.ready = ready;
        }
        self.order = cycle.table.nodes().collect();
        self.ranks = self.order.iter().copied().zip(0..).collect();
        self.groups.clear();
        self.places = vec![None; self.order.len()];
        self.feasible = 0;
        (self.nodes_revision, self.seen) = cycle.table.position();
        for rank in 0..self.order.len() {
            self.look(cycle, rank);
        }
    }

    /// Looks again at the nodes that have changed.
    fn catch_up(&mut self, cycle: &Cycle) {
        match cycle.table.changed_since(self.nodes_revision, self.seen) {
            None => self.begin(cycle),
            Some(changed) => {
                let changed: BTreeSet<NodeRef> = changed.iter().copied().collect();
                for node in changed {
                    if let Some(rank) = self.ranks.get(&node) {
                        self.look(cycle, *rank as usize);
                    }
                }
                self.seen = cycle.table.position().1;
            }
        }
    }

    fn look(&mut self, cycle: &Cycle, rank: usize) {
        let node = self.order[rank];
        let name = u32::try_from(rank).unwrap_or(u32::MAX);
        if let Some((group, sum)) = self.places[rank].take() {
            self.feasible -= 1;
            let members = self.groups.get_mut(&group);
            if let Some(sums) = members {
                if let Some(names) = sums.get_mut(&Reverse(sum)) {
                    names.remove(&name);
                    if names.is_empty() {
                        sums.remove(&Reverse(sum));
                    }
                }
                if sums.is_empty() {
                    self.groups.remove(&group);
                }
            }
        }
        if self.ready.alone(cycle, node).is_err() {
            return;
        }
        let group: Vec<i64> = self.relative.iter().map(|(_, it)| it.score(cycle, node)).collect();
        let sum = self.plain.iter().map(|(enabled, it)| enabled.weight * it.score(cycle, node)).sum();
        self.groups.entry(group.clone()).or_default().entry(Reverse(sum)).or_default().insert(name);
        self.places[rank] = Some((group, sum));
        self.feasible += 1;
    }

    fn best(&self, cycle: &Cycle, tie: u64) -> Option<Pick> {
        let heads = self.groups.values().filter_map(|sums| sums.first_key_value());
        let heads: Vec<(i64, &BTreeSet<u32>)> = heads.map(|(Reverse(sum), names)| (*sum, names)).collect();
        let nodes: Vec<NodeRef> =
            heads.iter().filter_map(|(_, names)| Some(self.order[*names.first()? as usize])).collect();
        if self.feasible == 1 {
            return Some(Pick { node: *nodes.first()?, total: 0, feasible: 1, ties: 1 });
        }
        let mut totals: Vec<i64> = heads.iter().map(|(sum, _)| *sum).collect();
        for (i, (enabled, scorer)) in self.relative.iter().enumerate() {
            let mut scores: Vec<i64> = self.groups.keys().map(|raw| raw[i]).collect();
            scorer.normalize(cycle, &nodes, &mut scores);
            totals.iter_mut().zip(scores).for_each(|(total, score)| *total += enabled.weight * score);
        }
        let total = totals.iter().copied().max()?;
        let best = heads.iter().zip(&totals).filter(|(_, it)| **it == total).map(|((_, names), _)| *names);
        let best: Vec<&BTreeSet<u32>> = best.collect();
        let ties = best.iter().map(|names| names.len()).sum();
        let drawn = crate::draw(tie, ties);
        let rank = match best[..] {
            [names] => *names.iter().nth(drawn)?,
            _ => {
                let mut names: Vec<u32> = best.into_iter().flatten().copied().collect();
                names.sort_unstable();
                *names.get(drawn)?
            }
        };
        Some(Pick { node: self.order[rank as usize], total, feasible: self.feasible, ties })
    }
}
