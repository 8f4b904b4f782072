//! `kubectl apply --prune`: what was applied before and is in no manifest any more goes.
//!
//! Source: kubectl `pkg/cmd/apply/prune.go`, `pkg/util/prune/prune.go`.

use std::collections::BTreeSet;

use api::{Kind, Scope};
use cluster::Propagation;
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube,
    apply::{DryRun, LAST},
    field,
    resource::typed,
};

/// Kinds that are looked through unless a list says otherwise.
const KINDS: [Kind; 16] = [
    Kind::ConfigMap,
    Kind::Endpoints,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Secret,
    Kind::Service,
    Kind::CronJob,
    Kind::Job,
    Kind::Ingress,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::Namespace,
    Kind::PersistentVolume,
];

/// The kinds that `--prune-allowlist` names.
pub(super) fn listed(kube: &mut Kube<'_, '_>) -> Done<Vec<Kind>> {
    let named: Vec<String> = kube.given.values("prune-allowlist").into_iter().map(str::to_owned).collect();
    let read = |gvk: String| {
        let [group, version, kind] = gvk.split('/').collect::<Vec<_>>()[..] else {
            return Fail::error(format!(
                "invalid GroupVersionKind format: {gvk}, please follow <group/version/kind>"
            ));
        };
        let version = if group == "core" { version.to_owned() } else { format!("{group}/{version}") };
        kube.known_manifest(&version, kind)
            .map_or_else(|| Fail::error(format!("no matches for kind {kind:?} in version {version:?}")), Ok)
    };
    named.into_iter().map(read).collect()
}

/// Removes what `applied` leaves out, in the namespaces it is about.
pub(super) fn run(kube: &mut Kube<'_, '_>, applied: &[Value], dry: DryRun) -> Done {
    // Nobody is warned who says which kinds.
    if !kube.given.has("prune-allowlist") {
        kube.out.err("W0302 09:00:00.000000    4242 prune.go:71] Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.");
    }
    let listed = listed(kube)?;
    let kinds = if listed.is_empty() { KINDS.to_vec() } else { listed };
    let kept: BTreeSet<&str> = applied.iter().map(|o| field::text(o, "metadata.uid")).collect();
    let spaces: BTreeSet<&str> = applied.iter().map(field::namespace).filter(|n| !n.is_empty()).collect();
    let selection = kube.selection();
    for kind in kinds {
        let namespaced = kind.info().scope == Scope::Namespaced;
        let spaces: Vec<&str> = if namespaced { spaces.iter().copied().collect() } else { vec![""] };
        for space in spaces {
            for object in kube.list(kind, space, &selection)? {
                let ours = field::at(&object, "metadata.annotations").get(LAST).is_some();
                if !ours || kept.contains(field::text(&object, "metadata.uid")) {
                    continue;
                }
                let name = field::name(&object).to_owned();
                if dry != DryRun::Client {
                    let at = (kind, space, name.as_str());
                    kube.remove(at, None, Propagation::Background, dry == DryRun::Server)?;
                }
                kube.out.line(&format!("{} pruned{}", typed(kind, &name), dry.suffix()));
            }
        }
    }
    Ok(())
}
