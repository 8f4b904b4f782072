//! How important is a pod?
//!
//! The number of its PriorityClass, of the default class, or zero. Source: `plugin/pkg/admission/priority`.

use api::{
    ApiStatus, Kind, Object,
    k8s::{core::v1::Pod, scheduling::v1::PriorityClass},
};

use super::Review;
use crate::apiserver::forbidden;

pub(super) fn mutate(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Pod(pod) = object else { return Ok(()) };
    let name = pod.metadata.name.clone().or_else(|| pod.metadata.generate_name.clone()).unwrap_or_default();
    let spec = pod.spec.get_or_insert_default();
    if let Some(before) = review.old.and_then(|old| old.get::<Pod>()).and_then(|old| old.spec.as_ref()) {
        // A pod keeps what it was given; its author need not repeat it.
        spec.priority = spec.priority.or(before.priority);
        if spec.preemption_policy.is_none() {
            spec.preemption_policy.clone_from(&before.preemption_policy);
        }
        return Ok(());
    }
    let store = review.world.store();
    let class = match spec.priority_class_name.as_deref().filter(|class| !class.is_empty()) {
        Some(class) => {
            let found = store.get::<PriorityClass>(review.cluster, "", class);
            let no_class =
                || forbidden(Kind::Pod, &name, &format!("no PriorityClass with name {class} was found"));
            Some(found.ok_or_else(no_class)?)
        }
        None => default_class(review),
    };
    let priority = class.map_or(0, |class| class.value);
    if let Some(class) = class.filter(|_| spec.priority_class_name.as_deref().unwrap_or_default().is_empty())
    {
        spec.priority_class_name.clone_from(&class.metadata.name);
    }
    if let Some(given) = spec.priority.filter(|given| *given != priority) {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller \
             computed {priority} from the given PriorityClass name"
        );
        return Err(forbidden(Kind::Pod, &name, &why));
    }
    let policy = class.and_then(|class| class.preemption_policy.clone());
    let policy = policy.unwrap_or_else(|| "PreemptLowerPriority".to_owned());
    if let Some(given) = spec.preemption_policy.as_ref().filter(|given| **given != policy) {
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
             controller computed {policy} from the given PriorityClass name"
        );
        return Err(forbidden(Kind::Pod, &name, &why));
    }
    spec.priority = Some(priority);
    spec.preemption_policy = Some(policy);
    Ok(())
}

/// The class marked as default; of several, the one with the lowest value.
fn default_class<'a>(review: &'a Review<'_>) -> Option<&'a PriorityClass> {
    let classes = review.world.store().list::<PriorityClass>(review.cluster, None);
    classes.filter(|class| class.global_default == Some(true)).min_by_key(|class| class.value)
}

/// Only one class may be the default.
pub(super) fn validate(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    let Object::PriorityClass(class) = object else { return Ok(()) };
    if class.global_default != Some(true) {
        return Ok(());
    }
    let marked = default_class(review).filter(|marked| marked.metadata.name != class.metadata.name);
    let Some(marked) = marked.and_then(|marked| marked.metadata.name.as_deref()) else { return Ok(()) };
    let why = format!("PriorityClass {marked} is already marked as default. Only one default can exist");
    Err(forbidden(Kind::PriorityClass, object.name(), &why))
}
