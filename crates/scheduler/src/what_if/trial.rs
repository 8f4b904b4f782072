//! Where are edits tried out?
//!
//! On one copy of the node table: edits are made, something is asked, and the copy is put back. The table that the
//! question came with is never touched.

use std::collections::BTreeSet;
use std::rc::Rc;

use api::k8s::core::v1::Node;

use super::{Edit, Question, Side, edit};
use crate::plugin::Cycle;
use crate::{NodeTable, PodInfo, PodKey};

/// A copy to try edits on.
pub(super) struct Trial<'q> {
    question: Question<'q>,
    table: NodeTable,
    fresh: String,
}

/// How to put the copy back.
enum Undo {
    Node(Box<Node>),
    Fresh(Vec<PodKey>),
    Pod(Rc<PodInfo>, String),
}

/// A name that no node has: how the fresh node is called.
pub(super) fn fresh_name(table: &NodeTable) -> String {
    let numbered = (2..).map(|n: u32| format!("new-node-{n}"));
    let mut names = std::iter::once("new-node".to_owned()).chain(numbered);
    names.find(|it| table.find(it).is_none()).unwrap_or_default()
}

impl<'q> Trial<'q> {
    /// A copy of the question's table, without its pod.
    pub(super) fn new(question: &Question<'q>) -> Self {
        let mut table = question.table.clone();
        table.remove_pod(&PodKey::of(question.pod));
        table.withdraw(&PodKey::of(question.pod));
        Self { question: *question, fresh: fresh_name(&table), table }
    }

    /// The name of the node that [`Edit::AddNode`] adds.
    pub(super) fn fresh(&self) -> &str {
        &self.fresh
    }

    /// Makes edits, asks, and takes them back.
    pub(super) fn with<R>(&mut self, edits: &[Edit], ask: impl FnOnce(&Cycle) -> R) -> R {
        let mut pod = edit::edited_pod(self.question.pod, edits);
        // The node that a pod has was written into it by the scheduler.
        pod.spec.get_or_insert_default().node_name = None;
        let mut pod = PodInfo::new(&pod);
        if edits.iter().any(|it| it.side() == Side::Pod) {
            // A preemption made its promise to the pod as it was.
            pod.nominated_node = None;
        }
        let undo = self.apply(edits);
        let answer = ask(&Cycle { profile: self.question.profile, table: &self.table, pod: &pod });
        undo.into_iter().rev().for_each(|it| self.undo(it));
        answer
    }

    fn apply(&mut self, edits: &[Edit]) -> Vec<Undo> {
        let mut undo = Vec::new();
        let names: BTreeSet<&str> = edits.iter().filter_map(Edit::node).collect();
        let known = names.into_iter().filter(|name| self.question.table.find(name).is_some());
        let nodes: Vec<Node> = known.filter_map(|name| (self.question.node)(name)).collect();
        for node in nodes {
            self.table.set_node(&edit::edited_node(&node, edits));
            undo.push(Undo::Node(Box::new(node)));
        }
        for it in edits {
            if let Edit::AddNode { like } = it {
                undo.extend(self.add_node(like));
            } else if let Edit::DeletePod { namespace, name } = it {
                undo.extend(self.delete_pod(&PodKey::new(namespace, name)));
            }
        }
        undo
    }

    /// A fresh node, on which nothing runs but what its DaemonSets put there at once.
    ///
    /// MODEL: a DaemonSet puts on it what it has put on the node that it is like. Cluster Autoscaler reckons the same way.
    fn add_node(&mut self, like: &str) -> Option<Undo> {
        let at = self.table.find(like).filter(|_| self.table.find(&self.fresh).is_none())?;
        let node = edit::fresh_node(&(self.question.like)(like)?, &self.fresh);
        let daemon =
            |it: &&Rc<PodInfo>| it.template.controller.as_ref().is_some_and(|it| it.kind == "DaemonSet");
        let mut pods: Vec<PodInfo> =
            self.table.row(at).pods.iter().filter(daemon).map(|it| (**it).clone()).collect();
        self.table.set_node(&node);
        for pod in &mut pods {
            pod.key.name = format!("{}@{}", pod.key.name, self.fresh);
            self.table.add_pod(pod, &self.fresh);
        }
        Some(Undo::Fresh(pods.into_iter().map(|it| it.key).collect()))
    }

    fn delete_pod(&mut self, key: &PodKey) -> Option<Undo> {
        let (pod, node) = self.table.pods().find(|(pod, _)| pod.key == *key)?;
        let (pod, node) = (Rc::clone(pod), node.to_owned());
        self.table.remove_pod(key);
        Some(Undo::Pod(pod, node))
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Node(node) => self.table.set_node(&node),
            Undo::Fresh(pods) => {
                pods.iter().for_each(|key| self.table.remove_pod(key));
                self.table.remove_node(&self.fresh.clone());
            }
            Undo::Pod(pod, node) => self.table.place(pod, &node),
        }
    }
}
