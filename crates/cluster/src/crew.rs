//! How many pods has a controller, and how many of them are ready?
//!
//! Who counts thousands of pods whenever one of them changes does nothing else. So they are counted when they change.
//! INVARIANT: equals a count of the active pods in the store, from scratch.

use std::{collections::BTreeMap, rc::Rc};

use api::{Object, Resource, k8s::core::v1::Pod, meta::Time};
use imbl::{GenericOrdMap, shared_ptr::RcK};

use crate::{
    ClusterId,
    controllers::{controller_of, is_active, is_ready, ready_since},
};

type Labels = BTreeMap<String, String>;

/// The active pods of one controller that carry the same labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    /// What they carry.
    pub labels: Labels,
    /// How many they are.
    pub pods: usize,
    /// How many of them are ready.
    pub ready: usize,
}

/// The active pods of every controller, by its uid.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Crews(GenericOrdMap<(ClusterId, Rc<str>), Rc<Vec<Look>>, RcK>);

/// What counts of a pod: whose it is, its labels, whether it is ready.
fn seen(object: Option<&Object>) -> Option<(&str, &Labels, bool)> {
    static NOTHING: Labels = Labels::new();
    let pod = object.and_then(Pod::of).filter(|pod| is_active(pod))?;
    let owner = controller_of(&pod.metadata)?;
    Some((&owner.uid, pod.metadata.labels.as_ref().unwrap_or(&NOTHING), is_ready(pod)))
}

/// Whether a pod's controller has nothing to see in a change of it.
pub(crate) fn counts_the_same(before: &Pod, after: &Pod) -> bool {
    fn counted(pod: &Pod) -> Option<(&str, bool, bool, Option<&Time>)> {
        let owner = controller_of(&pod.metadata)?;
        Some((&owner.uid, is_active(pod), is_ready(pod), ready_since(pod)))
    }
    let leaves = |pod: &Pod| pod.metadata.deletion_timestamp.is_some();
    before.metadata.labels == after.metadata.labels
        && leaves(before) == leaves(after)
        && counted(before).is_some_and(|it| Some(it) == counted(after))
}

impl Crews {
    /// Takes over one write.
    pub(crate) fn apply(&mut self, cluster: ClusterId, before: Option<&Object>, after: Option<&Object>) {
        let (before, after) = (seen(before), seen(after));
        if before == after {
            return;
        }
        if let Some((uid, labels, ready)) = before {
            self.change(cluster, uid, |looks| {
                let Some(at) = looks.iter().position(|look| look.labels == *labels) else { return };
                looks[at].pods -= 1;
                looks[at].ready -= usize::from(ready);
                if looks[at].pods == 0 {
                    looks.remove(at);
                }
            });
        }
        if let Some((uid, labels, ready)) = after {
            self.change(cluster, uid, |looks| {
                let at = looks.iter().position(|look| look.labels == *labels).unwrap_or_else(|| {
                    looks.push(Look { labels: labels.clone(), pods: 0, ready: 0 });
                    looks.len() - 1
                });
                looks[at].pods += 1;
                looks[at].ready += usize::from(ready);
            });
        }
    }

    fn change(&mut self, cluster: ClusterId, uid: &str, change: impl FnOnce(&mut Vec<Look>)) {
        let looks = self.0.entry((cluster, uid.into())).or_default();
        change(Rc::make_mut(looks));
        if looks.is_empty() {
            self.0.remove(&(cluster, uid.into()));
        }
    }

    /// The active pods that a controller has, those that look alike together.
    pub(crate) fn of(&self, cluster: ClusterId, uid: &str) -> Rc<Vec<Look>> {
        self.0.get(&(cluster, uid.into())).cloned().unwrap_or_default()
    }
}
