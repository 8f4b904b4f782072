//! `kubectl set serviceaccount`. Source: kubectl `pkg/cmd/set/set_serviceaccount.go`.

use crate::kubectl::{
    Done, Fail, Kube,
    set::{picked, send},
};

pub(super) fn run(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let Some((account, targets)) = args.split_last() else {
        return Fail::error("serviceaccount is required");
    };
    if kube.given.on("local") && !kube.given.has("filename") {
        return Fail::error(crate::kubectl::resource::NO_RESOURCE);
    }
    let mut failed = Vec::new();
    for one in picked(kube, targets)? {
        let done = one.spec().and_then(|mut spec| {
            spec["serviceAccountName"] = account.clone().into();
            send(kube, &one, one.with_spec(spec), "serviceaccount updated")
        });
        failed.extend(done.err().map(|fail| match fail {
            Fail::Server(status) => {
                Fail::Error(format!("failed to patch ServiceAccountName {}", status.message))
            }
            other => other,
        }));
    }
    crate::kubectl::get::finish(kube, failed)
}
