//! Which ReplicaSet of a Deployment is the new one, and how many pods may each have?
//!
//! The arithmetic and the annotations of a rollout; nothing here writes. Source:
//! `pkg/controller/deployment/util/deployment_util.go`.

use std::collections::BTreeMap;

use api::{
    canonical::same,
    k8s::{
        apps::v1::{Deployment, DeploymentSpec, ReplicaSet},
        core::v1::PodTemplateSpec,
    },
};

use crate::controllers::share;

/// Tells the pods of one template from those of another.
pub(super) const HASH_LABEL: &str = "pod-template-hash";
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";

/// Annotations that stay with the Deployment, or that the controller writes itself.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
];

/// A Deployment with its ReplicaSets, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    pub(super) deployment: Deployment,
    pub(super) spec: DeploymentSpec,
    /// The set of the present template.
    pub(super) new: Option<ReplicaSet>,
    /// All others.
    pub(super) old: Vec<ReplicaSet>,
}

pub(super) fn wanted(set: &ReplicaSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

pub(super) fn actual(set: &ReplicaSet) -> i32 {
    set.status.as_ref().map_or(0, |status| status.replicas)
}

pub(super) fn available(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0)
}

pub(super) fn ready(set: &ReplicaSet) -> i32 {
    set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0)
}

pub(super) fn revision(set: &ReplicaSet) -> i64 {
    let text = set.metadata.annotations.as_ref().and_then(|all| all.get(REVISION));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A template without the label that the controller adds.
fn without_hash(template: &PodTemplateSpec) -> PodTemplateSpec {
    let mut template = template.clone();
    if let Some(labels) = template.metadata.as_mut().and_then(|meta| meta.labels.as_mut()) {
        labels.remove(HASH_LABEL);
    }
    template
}

impl Rollout {
    /// Sorts the sets of a Deployment.
    pub(super) fn of(deployment: Deployment, mut sets: Vec<ReplicaSet>) -> Self {
        let spec = deployment.spec.clone().unwrap_or_default();
        sets.sort_by(|a, b| {
            let key = |set: &ReplicaSet| {
                let created = set.metadata.creation_timestamp.as_ref().map(|time| time.0);
                (created, set.metadata.name.clone())
            };
            key(a).cmp(&key(b))
        });
        let template = without_hash(&spec.template);
        let is_new = |set: &ReplicaSet| {
            let has = set.spec.as_ref().and_then(|spec| spec.template.as_ref()).map(without_hash);
            has.is_some_and(|has| has == template || same(&has, &template))
        };
        let new = sets.iter().position(is_new).map(|at| sets.remove(at));
        Self { deployment, spec, new, old: sets }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ReplicaSet> {
        self.old.iter().chain(&self.new)
    }

    pub(super) fn name(&self) -> &str {
        self.deployment.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.deployment.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn replicas(&self) -> i32 {
        self.spec.replicas.unwrap_or(1)
    }

    pub(super) fn is_rolling(&self) -> bool {
        self.spec.strategy.as_ref().and_then(|it| it.type_.as_deref()) != Some("Recreate")
    }

    /// Surge and unavailable pods, in numbers. Both zero would stand still: then one may be missing.
    fn fence(&self) -> (i32, i32) {
        let rolling = self.spec.strategy.as_ref().and_then(|it| it.rolling_update.as_ref());
        let surge = share(self.replicas(), rolling.and_then(|it| it.max_surge.as_ref()), "25%", true);
        let missing =
            share(self.replicas(), rolling.and_then(|it| it.max_unavailable.as_ref()), "25%", false);
        if surge == 0 && missing == 0 { (0, 1) } else { (surge, missing) }
    }

    /// A number of every set, added up. UPSTREAM: as an int32, which wraps.
    pub(super) fn sum(&self, of: fn(&ReplicaSet) -> i32) -> i32 {
        self.all().map(of).fold(0, i32::wrapping_add)
    }

    /// How many pods there may be at a time. UPSTREAM: an int32, which wraps: 2147483647 replicas with a surge are none at all.
    pub(super) fn most(&self) -> i32 {
        self.replicas().wrapping_add(self.max_surge())
    }

    fn max_surge(&self) -> i32 {
        if self.is_rolling() { self.fence().0 } else { 0 }
    }

    pub(super) fn max_unavailable(&self) -> i32 {
        if self.is_rolling() && self.replicas() != 0 { self.fence().1.min(self.replicas()) } else { 0 }
    }

    pub(super) fn has_deadline(&self) -> bool {
        self.spec.progress_deadline_seconds.is_some_and(|seconds| seconds != i32::MAX)
    }

    /// How many pods the new set, which has `has`, may have now.
    pub(super) fn new_replicas(&self, has: i32) -> i32 {
        if !self.is_rolling() {
            return self.replicas();
        }
        let current = self.old.iter().map(wanted).fold(has, i32::wrapping_add);
        let most = self.most();
        if current >= most {
            return has;
        }
        has + (most - current).min(self.replicas() - has)
    }

    /// The revision after the highest of the old sets.
    pub(super) fn next_revision(&self) -> i64 {
        self.old.iter().map(revision).max().unwrap_or(0) + 1
    }

    /// Whether every pod is of the new template and available.
    pub(super) fn is_complete(&self, updated: i32, all: i32, available: i32, observed: i64) -> bool {
        updated == self.replicas()
            && all == self.replicas()
            && available == self.replicas()
            && observed >= self.deployment.metadata.generation.unwrap_or(0)
    }
}

/// Copies the Deployment's annotations and writes the revision; whether anything changed.
pub(super) fn annotate(rollout: &Rollout, set: &mut ReplicaSet, revision: i64, exists: bool) -> bool {
    let before = set.metadata.annotations.clone();
    let annotations: &mut BTreeMap<String, String> = set.metadata.annotations.get_or_insert_default();
    for (key, value) in rollout.deployment.metadata.annotations.iter().flatten() {
        if !NOT_COPIED.contains(&key.as_str()) {
            annotations.insert(key.clone(), value.clone());
        }
    }
    let had: i64 = annotations.get(REVISION).and_then(|text| text.parse().ok()).unwrap_or(0);
    if had < revision {
        if had > 0 {
            let history = annotations.get(REVISION_HISTORY).filter(|text| !text.is_empty());
            let history = history.map_or_else(|| had.to_string(), |text| format!("{text},{had}"));
            annotations.insert(REVISION_HISTORY.to_owned(), history);
        }
        annotations.insert(REVISION.to_owned(), revision.to_string());
    }
    if !exists {
        note_replicas(rollout, set);
    }
    set.metadata.annotations != before
}

/// Notes how many pods the Deployment wants, so that scaling is seen as such; whether anything changed.
pub(super) fn note_replicas(rollout: &Rollout, set: &mut ReplicaSet) -> bool {
    let before = set.metadata.annotations.clone();
    let annotations = set.metadata.annotations.get_or_insert_default();
    annotations.insert(DESIRED_REPLICAS.to_owned(), rollout.replicas().to_string());
    annotations.insert(MAX_REPLICAS.to_owned(), rollout.most().to_string());
    set.metadata.annotations != before
}
