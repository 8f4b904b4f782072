//! Have we compiled a pod like this one before?
//!
//! [`Templates`] compiles what a pod of a controller shares with its siblings once, and numbers it, so that all that is
//! known of a template is found by its number. Two pods share a template only if everything it was compiled from is equal.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::k8s::core::v1::{Pod, PodAffinityTerm, PodSpec};
use api::meta::{LabelSelector, OwnerReference};

use crate::PodInfo;
use crate::node_selector::Labels;
use crate::pod::{Number, Template};
use crate::print::Print;

/// Templates by number, and how to find them.
#[derive(Default)]
pub(super) struct Templates {
    known: Vec<Known>,
    sources: Vec<Source>,
    by_source: BTreeMap<u64, Vec<usize>>,
    by_spec: BTreeMap<u64, Vec<usize>>,
    by_content: BTreeMap<u64, Vec<usize>>,
}

/// A template and the namespace it is used in.
struct Known {
    namespace: String,
    template: Rc<Template>,
}

/// What a template was compiled from.
struct Source {
    namespace: Option<String>,
    labels: Option<Labels>,
    owners: Option<Vec<OwnerReference>>,
    spec: Rc<Option<PodSpec>>,
    number: usize,
}

impl Templates {
    /// The same as [`PodInfo::new`], compiled only once for pods that differ in nothing but their name.
    pub(super) fn compile(&mut self, pod: &Pod) -> PodInfo {
        let meta = &pod.metadata;
        let of_spec = spec_print(pod.spec.as_ref());
        let print = source_print(of_spec, pod);
        let candidates = self.by_source.get(&print).into_iter().flatten().map(|at| &self.sources[*at]);
        let same = |it: &&Source| {
            it.labels == meta.labels
                && it.owners == meta.owner_references
                && it.namespace == meta.namespace
                && *it.spec == pod.spec
        };
        if let Some(source) = candidates.into_iter().find(same) {
            return PodInfo::of_template(pod, Rc::clone(&self.known[source.number].template));
        }
        let candidates =
            self.by_spec.get(&of_spec.finish()).into_iter().flatten().map(|at| &self.sources[*at]);
        let sibling = candidates
            .into_iter()
            .find(|it| it.namespace == meta.namespace && *it.spec == pod.spec)
            .map(|it| (Rc::clone(&it.spec), Rc::clone(&self.known[it.number].template)));
        let number = Number::of(self.known.len());
        let (spec, template) = match sibling {
            Some((spec, sibling)) if !reads_labels(pod.spec.as_ref()) => {
                (spec, sibling.with_labels_of(pod, number))
            }
            _ => (Rc::new(pod.spec.clone()), Template::of(pod).numbered(number)),
        };
        let info = PodInfo::of_template(pod, Rc::new(template));
        self.by_source.entry(print).or_default().push(self.sources.len());
        self.by_spec.entry(of_spec.finish()).or_default().push(self.sources.len());
        self.sources.push(Source {
            namespace: meta.namespace.clone(),
            labels: meta.labels.clone(),
            owners: meta.owner_references.clone(),
            spec,
            number: self.known.len(),
        });
        self.by_content.entry(content_print(&info)).or_default().push(self.known.len());
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
        let found = self.by_content.entry(content_print(pod)).or_default();
        let same = |at: &&usize| {
            let known = &self.known[**at];
            known.namespace == pod.key.namespace && known.template == pod.template
        };
        if let Some(number) = found.iter().find(same) {
            return *number;
        }
        found.push(self.known.len());
        let template = Rc::clone(&pod.template);
        self.known.push(Known { namespace: pod.key.namespace.clone(), template });
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

fn spec_print(spec: Option<&PodSpec>) -> Print {
    let mut print = Print::default();
    for container in spec.into_iter().flat_map(|it| &it.containers) {
        print.text(&container.name);
        let requests = container.resources.as_ref().and_then(|it| it.requests.as_ref());
        requests.into_iter().flatten().for_each(|(_, amount)| print.text(&amount.0));
    }
    for constraint in spec.into_iter().flat_map(|it| it.topology_spread_constraints.iter().flatten()) {
        print.text(&constraint.topology_key);
        labels(&mut print, constraint.label_selector.as_ref());
    }
    for term in terms(spec) {
        print.text(&term.topology_key);
        labels(&mut print, term.label_selector.as_ref());
    }
    let selector = spec.and_then(|it| it.node_selector.as_ref());
    selector.into_iter().flatten().for_each(|(_, value)| print.text(value));
    print
}

fn labels(print: &mut Print, selector: Option<&LabelSelector>) {
    let labels = selector.and_then(|it| it.match_labels.as_ref());
    labels.into_iter().flatten().for_each(|(_, value)| print.text(value));
}

fn source_print(mut print: Print, pod: &Pod) -> u64 {
    pod.metadata.labels.iter().flatten().for_each(|(_, value)| print.text(value));
    print.finish()
}

fn content_print(pod: &PodInfo) -> u64 {
    let mut print = Print::default();
    let template = &pod.template;
    template.labels.values().for_each(|value| print.text(value));
    template.images.iter().for_each(|image| print.text(image));
    print.number(template.class_print());
    print.finish()
}
