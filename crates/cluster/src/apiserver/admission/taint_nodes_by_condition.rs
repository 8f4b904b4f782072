//! May pods go to a node that has only just registered?
//!
//! Not before it is ready. Source: `plugin/pkg/admission/nodetaint/admission.go`.

use api::{ApiStatus, Object, k8s::core::v1::Taint};

use super::Review;

const NOT_READY: &str = "node.kubernetes.io/not-ready";

pub(super) fn mutate(_: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Node(node) = object else { return Ok(()) };
    let taints = node.spec.get_or_insert_default().taints.get_or_insert_default();
    if taints.iter().any(|taint| taint.key == NOT_READY && taint.effect == "NoSchedule") {
        return Ok(());
    }
    taints.push(Taint { key: NOT_READY.to_owned(), effect: "NoSchedule".to_owned(), ..Taint::default() });
    Ok(())
}
