//! Which node for a pod like many before?
//!
//! [`Classes`] keeps what was found out for pods before and, for the next one, looks only at what has changed. Nodes that
//! look the same are in one [pile](piles); what plugins say of them that look at one node at a time is asked once for each
//! class of pods and kept in a [ranking]; what other pods mean for a pod is [counted](question) where such pods are. Its
//! answer is that of [`crate::pick`], and where a plugin looks farther than that, it asks [`crate::pick`].
//!
//! ```
//! use std::rc::Rc;
//! use scheduler::{NodeTable, Profile, class::Classes, workload::{self, Mix}};
//! let mut table = NodeTable::default();
//! workload::nodes(10).iter().for_each(|node| table.set_node(node));
//! let mut classes = Classes::new(Profile::default_1_34());
//! for pod in workload::pods(20, Mix::Mixed) {
//!     let pod = classes.compile(&pod);
//!     let found = classes.pick(&table, &pod, 0).expect("a node");
//!     table.bind(&Rc::new(pod), found.node);
//! }
//! ```

mod asks;
mod best;
mod crowd;
mod piles;
mod question;
mod ranking;
mod signature;
mod templates;
mod topology;

use std::collections::BTreeMap;
use std::rc::Rc;

use api::k8s::core::v1::Pod;

use crate::node_selector::RequiredNodes;
use crate::plugin::{Cycle, Reach};
use crate::profile::Profile;
use crate::table::{HOSTNAME, NodeTable, ZONE};
use crate::{Pick, PodInfo};
use asks::Asks;
use best::{Scratch, Search, Weights};
use crowd::Crowd;
use piles::Piles;
use question::Question;
use ranking::Ranking;
use templates::Templates;
use topology::Topology;

/// Templates beyond which all is forgotten.
const MOST_TEMPLATES: usize = 1 << 16;

/// What is known of the pods and nodes seen so far.
///
/// INVARIANT: always asked about the same table, or a later state of it.
pub struct Classes {
    profile: Rc<Profile>,
    /// Weights of the plugins that look at other pods; `None` if not both of them run.
    weights: Option<Weights>,
    templates: Templates,
    /// By number of the template.
    known: Vec<Known>,
    by_print: BTreeMap<u64, Vec<usize>>,
    rankings: Vec<Ranking>,
    topology: Topology,
    piles: Piles,
    /// `None` as long as nobody asks about other pods.
    crowd: Option<Crowd>,
    question: Question,
    scratch: Scratch,
    /// Where the table's history was last read.
    seen: Option<Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    nodes: u64,
    namespaces: u64,
    changes: u64,
}

/// What is known of a template.
#[derive(Default)]
struct Known {
    class: Class,
    asks: Option<Asks>,
}

#[derive(Clone, Copy, Default)]
enum Class {
    #[default]
    Unknown,
    /// A plugin looks farther.
    Outside,
    Ranked(usize),
}

impl Classes {
    /// Nothing known yet.
    #[must_use]
    pub fn new(profile: Profile) -> Classes {
        let mut topology = Topology::default();
        // Those that nearly everybody asks for: the nodes need not be looked at again for the first who does.
        topology.watch(HOSTNAME);
        topology.watch(ZONE);
        Classes {
            weights: Weights::of(&profile),
            profile: Rc::new(profile),
            templates: Templates::default(),
            known: Vec::new(),
            by_print: BTreeMap::new(),
            rankings: Vec::new(),
            topology,
            piles: Piles::default(),
            crowd: None,
            question: Question::default(),
            scratch: Scratch::default(),
            seen: None,
        }
    }

    /// The same as [`PodInfo::new`], compiled only once for pods that differ in nothing but their name.
    pub fn compile(&mut self, pod: &Pod) -> PodInfo {
        self.templates.compile(pod)
    }

    /// The same for pods that wait together.
    ///
    /// Each lies elsewhere in memory: looking at all of them before reading the first waits for several at a time.
    pub fn compile_all(&mut self, pods: &[Pod]) -> Vec<PodInfo> {
        pods.iter().for_each(signature::skim);
        pods.iter().map(|pod| self.compile(pod)).collect()
    }

    /// Looks at what has changed in the table, so that the next pod need not wait for it.
    pub fn keep_up(&mut self, table: &NodeTable) {
        self.hear(table);
        self.look(table);
    }

    /// The node that [`crate::pick`] would give.
    pub fn pick(&mut self, table: &NodeTable, pod: &PodInfo, tie: u64) -> Option<Pick> {
        match self.remembered(table, pod, tie) {
            Some(found) => found,
            None => crate::pick(&self.profile, table, pod, tie),
        }
    }

    /// The answer from what is known; `None` where that cannot say.
    fn remembered(&mut self, table: &NodeTable, pod: &PodInfo, tie: u64) -> Option<Option<Pick>> {
        let weights = self.weights?;
        if table.is_empty() || table.has_nominated() || pod.nominated_node.is_some() {
            return None;
        }
        if self.templates.len() > MOST_TEMPLATES {
            *self = Classes::new(Profile::clone(&self.profile));
        }
        let number = self.templates.number(pod);
        if self.known.len() <= number {
            self.known.resize_with(number + 1, Known::default);
        }
        let profile = Rc::clone(&self.profile);
        let cycle = Cycle { profile: &profile, table, pod };
        let Class::Ranked(at) = self.class(&cycle, number) else { return None };
        self.hear(table);
        self.listen(&cycle, number);
        self.look(table);
        if !self.rankings[at].catch_up(&cycle, &self.piles) {
            return None;
        }
        let mut asked = false;
        if let (Some(crowd), Some(asks)) = (&mut self.crowd, &mut self.known[number].asks) {
            if !asks.prepare(&cycle, &self.piles, &self.topology) {
                return None;
            }
            asked = self.question.ask(asks, crowd, (table, &self.piles, &self.topology));
        }
        let search = Search {
            ranking: &mut self.rankings[at],
            piles: &self.piles,
            topology: &self.topology,
            question: asked.then_some(&mut self.question),
            weights,
        };
        Some(search.best(&cycle, tie, &mut self.scratch))
    }

    fn class(&mut self, cycle: &Cycle, number: usize) -> Class {
        if let Class::Unknown = self.known[number].class {
            self.known[number].class = self.find_class(cycle);
        }
        self.known[number].class
    }

    fn find_class(&mut self, cycle: &Cycle) -> Class {
        let template = &cycle.pod.template;
        let outside = |it: &crate::profile::Enabled| it.plugin.reach(cycle.pod) == Reach::Cluster;
        if self.profile.plugins.iter().any(outside) || !template.gates.is_empty() {
            return Class::Outside;
        }
        let same = self.by_print.entry(template.class_print()).or_default();
        if let Some(at) = same.iter().find(|at| self.rankings[**at].template.same_class(template)) {
            return Class::Ranked(*at);
        }
        let Some(ranking) = Ranking::new(cycle) else { return Class::Outside };
        let terms = template.preferred_nodes.iter().flatten().flat_map(|(_, term)| term.keys());
        let required = template.required_nodes.iter().flat_map(RequiredNodes::keys);
        required.chain(terms.map(String::as_str)).for_each(|label| self.piles.watch(label));
        same.push(self.rankings.len());
        self.rankings.push(ranking);
        Class::Ranked(self.rankings.len() - 1)
    }

    /// Counts the pods that came and went, if anybody asks.
    fn hear(&mut self, table: &NodeTable) {
        let Some(crowd) = &mut self.crowd else { return };
        let seen = self.seen.filter(|it| it.namespaces == table.history.namespaces);
        let changes = seen.and_then(|it| table.history.since(it.changes));
        match changes.filter(|_| !crowd.is_overgrown(table.pod_count())) {
            Some(changes) => changes.iter().for_each(|it| {
                crowd.apply(it, &self.templates, &mut self.topology);
            }),
            None => self.gather(table),
        }
    }

    /// Counts all pods afresh.
    fn gather(&mut self, table: &NodeTable) {
        self.crowd = Some(Crowd::of(table, &self.templates, &mut self.topology));
        self.known.iter_mut().for_each(|it| it.asks = None);
    }

    /// Works out what the pod asks about others, and whether others may ask about it.
    fn listen(&mut self, cycle: &Cycle, number: usize) {
        let template = &cycle.pod.template;
        let silent = template.affinity.is_empty() && template.spread.is_empty();
        if self.crowd.is_none() {
            let table = cycle.table;
            if silent && table.owners.is_empty() && table.with_affinity().next().is_none() {
                return;
            }
            self.gather(table);
        }
        let Some(crowd) = &mut self.crowd else { return };
        let asks = &mut self.known[number].asks;
        let asks = asks.get_or_insert_with(|| Asks::of(cycle, crowd, &mut self.topology));
        asks.take_defaults(cycle, crowd, &mut self.topology);
    }

    /// Puts nodes that have changed into their piles.
    fn look(&mut self, table: &NodeTable) {
        let history = &table.history;
        let stale = self.topology.is_stale() || self.piles.is_stale();
        let seen = self.seen.filter(|it| it.nodes == history.nodes && !stale);
        match seen.and_then(|it| history.since(it.changes)) {
            Some(changes) => {
                changes.iter().for_each(|it| self.piles.look(table, &self.topology, it.node));
            }
            None => self.piles.rebuild(table, &mut self.topology),
        }
        let changes = history.position();
        self.seen = Some(Seen { nodes: history.nodes, namespaces: history.namespaces, changes });
    }
}
