//! Have we compiled a pod like this one before?
//!
//! [`Templates`] compiles what a pod of a controller shares with its siblings once, and numbers it, so that all that is
//! known of a template is found by its number. Two pods share a template only if everything it was compiled from is equal.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::k8s::core::v1::{Pod, PodAffinityTerm, PodSpec};

use super::signature::Signature;
use crate::PodInfo;
use crate::pod::{Number, Template};
use crate::print::Print;
use crate::requests::tells_resources;

/// Templates by number, and how to find them.
#[derive(Default)]
pub(super) struct Templates {
    known: Vec<Known>,
    sources: Vec<Source>,
    by_source: BTreeMap<u64, Vec<usize>>,
    /// The first source of each spec.
    by_shared: BTreeMap<u64, Vec<usize>>,
    by_content: BTreeMap<u64, Vec<usize>>,
    /// How many are in `by_content`.
    listed: usize,
    signature: Signature,
}

/// A template and the namespace it is used in.
struct Known {
    namespace: String,
    template: Rc<Template>,
}

/// What a template was compiled from.
struct Source {
    whole: Box<[u8]>,
    shared: usize,
    number: usize,
}

impl Templates {
    /// The same as [`PodInfo::new`], compiled only once for pods that differ in nothing but their name.
    pub(super) fn compile(&mut self, pod: &Pod) -> PodInfo {
        // What the kubelet tells is not in the signature.
        if pod.status.as_ref().is_some_and(tells_resources) {
            return PodInfo::new(pod);
        }
        self.signature.write(pod);
        let (whole, shared) = (self.signature.whole(), self.signature.shared());
        let print = print(whole);
        let mut same = self.by_source.get(&print).into_iter().flatten().map(|at| &self.sources[*at]);
        if let Some(source) = same.find(|it| it.shared == shared.len() && *it.whole == *whole) {
            return PodInfo::of_template(pod, Rc::clone(&self.known[source.number].template));
        }
        let siblings = self.by_shared.entry(self::print(shared)).or_default();
        let sibling =
            siblings.iter().map(|at| &self.sources[*at]).find(|it| it.whole[..it.shared] == *shared);
        let number = Number::of(self.known.len());
        let template = match sibling {
            Some(it) if !reads_labels(pod.spec.as_ref()) => {
                self.known[it.number].template.with_labels_of(pod, number)
            }
            _ => Template::of(pod).numbered(number),
        };
        if sibling.is_none() {
            siblings.push(self.sources.len());
        }
        let info = PodInfo::of_template(pod, Rc::new(template));
        self.by_source.entry(print).or_default().push(self.sources.len());
        self.sources.push(Source { whole: whole.into(), shared: shared.len(), number: self.known.len() });
        self.known.push(Known { namespace: info.key.namespace.clone(), template: Rc::clone(&info.template) });
        info
    }

    /// The number of a pod's template, if it was compiled here.
    pub(super) fn recall(&self, pod: &PodInfo) -> Option<usize> {
        let number = pod.template.number.get()?;
        let known = self.known.get(number)?;
        (Rc::ptr_eq(&known.template, &pod.template) && known.namespace == pod.key.namespace).then_some(number)
    }

    /// The number of a pod's template, wherever it was compiled.
    pub(super) fn number(&mut self, pod: &PodInfo) -> usize {
        if let Some(number) = self.recall(pod) {
            return number;
        }
        for (number, it) in self.known.iter().enumerate().skip(self.listed) {
            let print = content_print(&it.namespace, &it.template);
            self.by_content.entry(print).or_default().push(number);
        }
        self.listed = self.known.len();
        let namespace = &pod.key.namespace;
        let found = self.by_content.get(&content_print(namespace, &pod.template));
        let same = |at: &&usize| {
            let known = &self.known[**at];
            known.namespace == *namespace && known.template == pod.template
        };
        if let Some(number) = found.into_iter().flatten().find(same) {
            return *number;
        }
        let template = Rc::clone(&pod.template);
        self.known.push(Known { namespace: namespace.clone(), template });
        self.known.len() - 1
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

/// Whether labels of the pod itself take part in what is compiled beside them.
fn reads_labels(spec: Option<&PodSpec>) -> bool {
    let read = |it: &PodAffinityTerm| it.match_label_keys.is_some() || it.mismatch_label_keys.is_some();
    let spread = spec.into_iter().flat_map(|it| it.topology_spread_constraints.iter().flatten());
    terms(spec).any(read) || { spread }.any(|it| it.match_label_keys.is_some())
}

fn terms(spec: Option<&PodSpec>) -> impl Iterator<Item = &PodAffinityTerm> {
    let affinity = spec.and_then(|it| it.affinity.as_ref());
    let near = affinity.and_then(|it| it.pod_affinity.as_ref());
    let far = affinity.and_then(|it| it.pod_anti_affinity.as_ref());
    let required = near
        .and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref())
        .into_iter()
        .chain(far.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref()));
    let preferred = near
        .and_then(|it| it.preferred_during_scheduling_ignored_during_execution.as_ref())
        .into_iter()
        .chain(far.and_then(|it| it.preferred_during_scheduling_ignored_during_execution.as_ref()));
    required.flatten().chain(preferred.flatten().map(|it| &it.pod_affinity_term))
}

fn print(bytes: &[u8]) -> u64 {
    let mut print = Print::default();
    print.bytes(bytes);
    print.finish()
}

fn content_print(namespace: &str, template: &Template) -> u64 {
    let mut print = Print::default();
    print.text(namespace);
    template.labels.values().for_each(|value| print.text(value));
    template.images.iter().for_each(|image| print.text(image));
    print.number(template.class_print());
    print.finish()
}
