//! How long does a pod stay on a node that went silent?
//!
//! 300 s, unless it says otherwise. Source: `plugin/pkg/admission/defaulttolerationseconds/admission.go`.

use api::{ApiStatus, Object, k8s::core::v1::Toleration};

use super::Review;

const SECONDS: i64 = 300;
const TAINTS: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

pub(super) fn mutate(_: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Pod(pod) = object else { return Ok(()) };
    let tolerations = pod.spec.get_or_insert_default().tolerations.get_or_insert_default();
    for taint in TAINTS {
        if tolerations.iter().any(|toleration| covers(toleration, taint)) {
            continue;
        }
        tolerations.push(Toleration {
            key: Some(taint.to_owned()),
            operator: Some("Exists".to_owned()),
            effect: Some("NoExecute".to_owned()),
            toleration_seconds: Some(SECONDS),
            value: None,
        });
    }
    Ok(())
}

fn covers(toleration: &Toleration, taint: &str) -> bool {
    let is = |field: &Option<String>, value: &str| field.as_deref().unwrap_or_default() == value;
    (is(&toleration.key, taint) || is(&toleration.key, ""))
        && (is(&toleration.effect, "NoExecute") || is(&toleration.effect, ""))
}
