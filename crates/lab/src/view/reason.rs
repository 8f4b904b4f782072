//! What stands behind one step of a story?
//!
//! Each beat shows one fact; [`Reason`] is what whoever decided recorded with it: the stages of a request, the scheduler's
//! decision, the ENI of an address. Nothing is worked out again here; sentences are in `words`.

use std::{collections::BTreeMap, rc::Rc};

use api::{Resource, k8s::core::v1::Pod, kinds::cni::IpPool};
use cluster::{
    Asked, Change, Fact, What,
    request::{Passed, Stage},
};
use scheduler::Decision;

/// What stands behind a beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing more than the beat says.
    None,
    /// Who sent the request: user, verb, kind and name.
    Sent(String, &'static str, String),
    /// Whom the server took it to be: user and groups.
    Known(String, String),
    /// Who allowed it, and the binding that gave the right, where one did.
    Allowed(&'static str, String),
    /// Admission plugins that were asked, and the fields they filled in.
    Admitted(Vec<&'static str>, Vec<(String, String)>),
    /// The store's revision of the write.
    Stored(String),
    /// Names of the gates that keep the scheduler from looking.
    Gated(Vec<String>),
    /// What the scheduler saw.
    Decided(Box<Choice>),
    /// Who wrote which node on it.
    Bound(String),
    /// The node whose kubelet has taken the pod.
    Taken(String),
    /// The address, its ENI and the device number.
    Address(String, Option<(String, u32)>),
    /// The image that runs.
    Runs(String),
    /// Somebody's words: the scheduler's message, a refusal.
    Words(String),
}

/// A scheduling decision in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The node, if there is one.
    pub node: Option<String>,
    /// Nodes that were looked at, and how many passed.
    pub looked: usize,
    /// Those that passed.
    pub fit: usize,
    /// The chosen node's total; none where only one was left.
    pub total: Option<i64>,
    /// Nodes that were scored, with their totals.
    pub scored: Vec<(String, i64)>,
    /// Nodes that were refused, and why.
    pub refused: Vec<(String, Vec<scheduler::Reason>)>,
}

impl Choice {
    fn of(decision: &Decision) -> Self {
        let refused = decision.nodes.iter().filter_map(|node| {
            node.rejected.as_ref().map(|refusal| (node.node.clone(), refusal.because.clone()))
        });
        let refused: Vec<_> = refused.collect();
        let chosen = decision.nodes.iter().find(|it| Some(&it.node) == decision.node.as_ref());
        Self {
            node: decision.node.clone(),
            looked: decision.nodes.len(),
            fit: decision.nodes.len() - refused.len(),
            scored: decision
                .nodes
                .iter()
                .filter(|it| !it.scores.is_empty())
                .map(|it| (it.node.clone(), it.total))
                .collect(),
            total: chosen.filter(|it| !it.scores.is_empty()).map(|it| it.total),
            refused,
        }
    }
}

/// What was recorded so far, while facts go by in their order.
#[derive(Default)]
pub(super) struct Record {
    decisions: BTreeMap<String, Rc<Decision>>,
    /// ENI and device by the pod that got one of its addresses.
    addresses: BTreeMap<String, (String, u32)>,
}

impl Record {
    /// Takes note of one fact.
    pub fn follow(&mut self, fact: &Fact) {
        match &fact.what {
            What::Decided(decision) => {
                self.decisions.insert(decision.pod.clone(), Rc::clone(decision));
            }
            What::Changed(Change { after: Some(after), .. }) => {
                let Some(pool) = IpPool::of(after) else { return };
                for eni in &pool.enis {
                    for pod in eni.blocks.iter().flat_map(|b| &b.addresses).filter_map(|a| a.sandbox.as_ref())
                    {
                        self.addresses.insert(pod.clone(), (eni.name.clone(), eni.device_index));
                    }
                }
            }
            What::Changed(_) | What::Asked(_) | What::Traced(_) | What::Planned(_) | What::Noted(_) => {}
        }
    }

    /// The scheduler's last word on a pod, as `namespace/name`.
    pub fn decided(&self, pod: &str) -> Reason {
        self.decisions.get(pod).map_or(Reason::None, |it| Reason::Decided(Box::new(Choice::of(it))))
    }

    /// Where a pod's address comes from.
    pub fn address(&self, pod: &str, ip: &str) -> Reason {
        Reason::Address(ip.to_owned(), self.addresses.get(pod).cloned())
    }
}

/// The reason of one of a request's five beats; `stages` are those that the beat stands for.
pub(super) fn asked(asked: &Asked, stages: &[Stage]) -> Reason {
    let passed: Vec<&Passed> = asked.passed.iter().filter(|it| stages.contains(&it.stage)).collect();
    let said = |field: &str| -> String {
        let all = passed.iter().flat_map(|it| &it.did);
        all.into_iter().find(|(name, _)| *name == field).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    match stages.first() {
        None => {
            let kind = asked.kind.map_or("", |kind| kind.info().kind);
            Reason::Sent(asked.who.user.clone(), asked.verb, format!("{kind}/{}", asked.name))
        }
        Some(Stage::Authentication) => Reason::Known(said("user"), said("groups")),
        Some(Stage::Authorization) => Reason::Allowed(passed.first().map_or("", |it| it.by), said("binding")),
        Some(Stage::Storage) => Reason::Stored(said("revision")),
        Some(_) => {
            let plugins = passed.iter().filter(|it| it.stage != Stage::Decoding && !it.by.is_empty());
            let changed = passed.iter().filter(|it| it.stage == Stage::MutatingAdmission);
            let mut changed: Vec<(String, String)> = changed
                .flat_map(|it| &it.changed)
                .map(|edit| (edit.field.clone(), edit.after.clone().unwrap_or_default()))
                .collect();
            // One of them is told as an example: not a whole structure, if there is another.
            changed.sort_by_key(|(_, value)| value.len() > LONGEST_EXAMPLE);
            Reason::Admitted(plugins.map(|it| it.by).collect(), changed)
        }
    }
}

/// Longest value that is told as an example, in bytes.
const LONGEST_EXAMPLE: usize = 32;

/// Why a pod that was just written waits.
pub(super) fn door(pod: &Pod) -> Reason {
    let gates = pod.spec.as_ref().and_then(|s| s.scheduling_gates.as_ref());
    Reason::Gated(gates.map(|all| all.iter().map(|gate| gate.name.clone()).collect()).unwrap_or_default())
}

/// What a pod runs.
pub(super) fn runs(pod: &Pod) -> Reason {
    let images = pod.spec.iter().flat_map(|s| &s.containers).filter_map(|c| c.image.clone());
    Reason::Runs(images.collect::<Vec<_>>().join(", "))
}

/// Why no node fits, in the scheduler's words.
pub(super) fn misfit(pod: &Pod) -> Reason {
    let all = pod.status.as_ref().and_then(|s| s.conditions.as_ref());
    let message = all.and_then(|all| all.iter().find(|c| c.type_ == "PodScheduled")?.message.clone());
    message.map_or(Reason::None, Reason::Words)
}
