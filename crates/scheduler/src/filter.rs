//! Which nodes pass every filter?

use std::collections::BTreeSet;

use crate::decision::{NodeVerdict, Refusal};
use crate::plugin::{Code, Cycle, Filter, Plugin, PreFilter, Reach, Rejection, Verdict};
use crate::reason::Reason;
use crate::sample::{self, Sample, Sampled};
use crate::table::{NodeRef, NodeTable};

/// What came of PreFilter.
pub(crate) enum PreFiltered {
    Ready(Ready),
    Rejected(&'static dyn Plugin, Reason),
}

/// Filters, ready to be asked about nodes.
pub(crate) struct Ready {
    filters: Vec<(&'static dyn Plugin, Box<dyn Filter>)>,
    /// The nodes that PreFilter left, where it left only some.
    pub(crate) names: Option<BTreeSet<String>>,
    /// Who left only some.
    pub(crate) narrowed_by: Vec<&'static str>,
}

impl Clone for Ready {
    fn clone(&self) -> Self {
        Ready {
            filters: self.filters.iter().map(|(plugin, filter)| (*plugin, filter.boxed())).collect(),
            names: self.names.clone(),
            narrowed_by: self.narrowed_by.clone(),
        }
    }
}

/// What the filters said of every node they were asked about, in the nodes' order.
pub(crate) struct Walked {
    pub(crate) feasible: Vec<NodeRef>,
    pub(crate) refused: Vec<(NodeRef, &'static dyn Plugin, Rejection)>,
    pub(crate) sampled: Option<Sampled>,
}

/// What a filter said, and which.
pub(crate) type Refused = (&'static dyn Plugin, Rejection);

/// Asks every plugin what holds for all nodes.
pub(crate) fn pre_filter(cycle: &Cycle) -> PreFiltered {
    asked(cycle, cycle.profile.plugins.iter().map(|it| it.plugin))
}

/// Asks those plugins that look no farther.
pub(crate) fn pre_filter_of(cycle: &Cycle, reach: Reach) -> PreFiltered {
    let plugins = cycle.profile.plugins.iter().map(|it| it.plugin);
    asked(cycle, plugins.filter(|it| it.reach(cycle.pod) == reach))
}

fn asked(cycle: &Cycle, plugins: impl Iterator<Item = &'static dyn Plugin>) -> PreFiltered {
    let mut ready = Ready { filters: Vec::new(), names: None, narrowed_by: Vec::new() };
    for plugin in plugins {
        match plugin.pre_filter(cycle) {
            PreFilter::Skip => {}
            PreFilter::Ready(filter) => ready.filters.push((plugin, filter)),
            PreFilter::Rejected(reason) => return PreFiltered::Rejected(plugin, reason),
            PreFilter::Narrowed(filter, names) => {
                ready.filters.push((plugin, filter));
                ready.narrowed_by.push(plugin.name());
                let left = match &ready.names {
                    Some(before) => before.intersection(&names).cloned().collect(),
                    None => names,
                };
                if left.is_empty() {
                    let plugins = ready.narrowed_by.iter().map(ToString::to_string).collect();
                    return PreFiltered::Rejected(plugin, Reason::NothingLeft { plugins });
                }
                ready.names = Some(left);
            }
        }
    }
    PreFiltered::Ready(ready)
}

impl Ready {
    /// Names of the filters that have something to ask about this pod, in their order.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        self.filters.iter().map(|(plugin, _)| plugin.name()).collect()
    }

    /// Looks at every node, or at as many as the sample asks for.
    pub(crate) fn walk(&self, cycle: &Cycle, sample: Option<&Sample>) -> Walked {
        let mut walked = Walked { feasible: Vec::new(), refused: Vec::new(), sampled: None };
        let Some(sample) = sample else {
            self.nodes(cycle).for_each(|node| self.look(cycle, node, &mut walked));
            return walked;
        };
        let named: Vec<NodeRef>;
        let order = match &self.names {
            None => sample.order,
            Some(_) => {
                named = self.nodes(cycle).collect();
                &named
            }
        };
        let (of, enough) = (order.len(), sample::enough(order.len()));
        let turned = order.iter().cycle().skip(sample.start % of.max(1)).take(of);
        for node in turned {
            if walked.feasible.len() >= enough {
                break;
            }
            self.look(cycle, *node, &mut walked);
        }
        let looked_at = walked.feasible.len() + walked.refused.len();
        walked.sampled = Some(Sampled { start: sample.start, looked_at, of, enough });
        // As everywhere, by name.
        walked.feasible = by_name(cycle.table, &walked.feasible);
        walked
    }

    fn look(&self, cycle: &Cycle, node: NodeRef, walked: &mut Walked) {
        match self.ask(cycle, node) {
            Ok(()) => walked.feasible.push(node),
            Err((plugin, rejection)) => walked.refused.push((node, plugin, rejection)),
        }
    }

    /// The nodes that pass; `None` if there are none, or if a filter could not go on.
    pub(crate) fn feasible(&self, cycle: &Cycle) -> Option<Vec<NodeRef>> {
        let mut feasible = Vec::with_capacity(cycle.table.len());
        for node in self.nodes(cycle) {
            match self.ask(cycle, node) {
                Ok(()) => feasible.push(node),
                Err((_, rejection)) if rejection.code == Code::Error => return None,
                Err(_) => {}
            }
        }
        Some(feasible).filter(|it| !it.is_empty())
    }

    /// Looks only at the node that the pod has been promised; `None` if there is none or it does not do.
    pub(crate) fn nominated(&self, cycle: &Cycle) -> Option<Walked> {
        let node = cycle.table.find(cycle.pod.nominated_node.as_deref()?)?;
        self.ask(cycle, node).is_ok().then(|| Walked {
            feasible: vec![node],
            refused: Vec::new(),
            sampled: None,
        })
    }

    /// Takes down what was said of the node that the pod has been promised, where PreFilter left others: that one was
    /// asked about all the same, and first.
    pub(crate) fn add_promised(&self, cycle: &Cycle, walked: &mut Walked) {
        let left = |name: &str| self.names.as_ref().is_none_or(|it| it.contains(name));
        let promised = cycle.pod.nominated_node.as_deref().filter(|it| !left(it));
        if let Some(node) = promised.and_then(|it| cycle.table.find(it)) {
            self.look(cycle, node, walked);
        }
    }

    /// Names of the nodes that PreFilter left and that are not among `looked_at`.
    pub(crate) fn not_among(&self, cycle: &Cycle, looked_at: &[NodeVerdict]) -> Vec<String> {
        let seen: BTreeSet<&str> = looked_at.iter().map(|it| it.node.as_str()).collect();
        let names = self.nodes(cycle).map(|node| cycle.table.row(node).name.to_string());
        names.filter(|it| !seen.contains(it.as_str())).collect()
    }

    fn nodes<'a>(&'a self, cycle: &Cycle<'a>) -> Box<dyn Iterator<Item = NodeRef> + 'a> {
        let table = cycle.table;
        match &self.names {
            None => Box::new(table.nodes()),
            Some(names) => Box::new(names.iter().filter_map(|name| table.find(name))),
        }
    }

    /// Whether a node passes, also if the pods that it has been promised to were there.
    pub(crate) fn ask(&self, cycle: &Cycle, node: NodeRef) -> Result<(), Refused> {
        if let Some((table, ready)) = self.with_promised(cycle, node) {
            ready.alone(&Cycle { table: &table, ..*cycle }, node)?;
        }
        self.alone(cycle, node)
    }

    /// Why [`Ready::ask`] refuses a node, with the numbers; none for a node that passes.
    pub(crate) fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let alone = |ready: &Ready, cycle: &Cycle| {
            let refusals = ready.filters.iter().map(|(_, filter)| filter.reasons(cycle, node));
            refusals.into_iter().find(|it| !it.is_empty()).unwrap_or_default()
        };
        match self.with_promised(cycle, node) {
            Some((table, ready)) => {
                let there = alone(&ready, &Cycle { table: &table, ..*cycle });
                if there.is_empty() { alone(self, cycle) } else { there }
            }
            None => alone(self, cycle),
        }
    }

    /// The pods that have been promised the node and come first, as if they were there; `None` if there are none.
    fn with_promised(&self, cycle: &Cycle, node: NodeRef) -> Option<(NodeTable, Ready)> {
        if !cycle.table.has_nominated() {
            return None;
        }
        let weighty = |it: &&std::rc::Rc<crate::PodInfo>| {
            it.priority() >= cycle.pod.priority() && it.key != cycle.pod.key
        };
        let name = cycle.table.row(node).name.clone();
        let mut promised = cycle.table.nominated(&name).filter(weighty).peekable();
        promised.peek()?;
        let (mut table, mut ready) = (cycle.table.clone(), self.clone());
        for pod in promised {
            table.add_pod(pod, &name);
            ready.pod_added(&Cycle { table: &table, ..*cycle }, pod, node);
        }
        Some((table, ready))
    }

    /// Whether a node passes as it is.
    pub(crate) fn alone(&self, cycle: &Cycle, node: NodeRef) -> Result<(), Refused> {
        for (plugin, filter) in &self.filters {
            let verdict: Verdict = filter.filter(cycle, node);
            verdict.map_err(|rejection| (*plugin, rejection))?;
        }
        Ok(())
    }

    /// What every filter has against a node as it is, not only the first.
    pub(crate) fn every_reason(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        self.filters.iter().flat_map(|(_, filter)| filter.reasons(cycle, node)).collect()
    }

    /// A pod has been put on a node; `cycle` shows it there.
    pub(crate) fn pod_added(&mut self, cycle: &Cycle, pod: &crate::PodInfo, node: NodeRef) {
        for (_, filter) in &mut self.filters {
            filter.pod_added(cycle, pod, node);
        }
    }

    /// A pod has been taken from a node; `cycle` no longer shows it there.
    pub(crate) fn pod_removed(&mut self, cycle: &Cycle, pod: &crate::PodInfo, node: NodeRef) {
        for (_, filter) in &mut self.filters {
            filter.pod_removed(cycle, pod, node);
        }
    }
}

/// The nodes in the order of their names: the table has them so, and to mark them costs less than to sort.
fn by_name(table: &NodeTable, nodes: &[NodeRef]) -> Vec<NodeRef> {
    let mut marked = vec![false; nodes.iter().map(|node| node.index() + 1).max().unwrap_or(0)];
    for node in nodes {
        marked[node.index()] = true;
    }
    table.nodes().filter(|node| marked.get(node.index()) == Some(&true)).collect()
}

impl Walked {
    /// A verdict for every node looked at, by name.
    pub(crate) fn verdicts(&self, cycle: &Cycle, ready: &Ready) -> Vec<NodeVerdict> {
        let verdict = |node: NodeRef, rejected| NodeVerdict {
            node: cycle.table.row(node).name.to_string(),
            load: cycle.table.load(node),
            rejected,
            scores: Vec::new(),
            total: 0,
        };
        let passed = self.feasible.iter().map(|node| verdict(*node, None));
        let refused = self.refused.iter().map(|(node, plugin, rejection)| {
            let because = ready.reasons(cycle, *node);
            verdict(*node, Some(Refusal::of(plugin.name(), rejection, because)))
        });
        let mut verdicts: Vec<_> = passed.chain(refused).collect();
        verdicts.sort_by(|a, b| a.node.cmp(&b.node));
        verdicts
    }

    /// The plugins that refused a node, by name: those that left only some nodes among them.
    pub(crate) fn rejected_by(&self, ready: &Ready) -> Vec<&'static str> {
        let refused = self.refused.iter().map(|(_, plugin, _)| plugin.name());
        let names: BTreeSet<_> = refused.chain(ready.narrowed_by.iter().copied()).collect();
        names.into_iter().collect()
    }

    /// The first filter that could not go on.
    pub(crate) fn error(&self) -> Option<String> {
        let (_, plugin, rejection) = self.refused.iter().find(|(_, _, it)| it.code == Code::Error)?;
        Some(format!("running {:?} filter plugin: {}", plugin.name(), rejection.reasons.join(", ")))
    }
}
