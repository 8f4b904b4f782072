//! `kubectl set image`. Source: kubectl `pkg/cmd/set/set_image.go`.

use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube, field,
    set::{Picked, not_patched, only_files, picked, send, split},
};

pub(super) fn run(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let (targets, images) = split(args);
    if let Some(late) = images.iter().find(|it| !it.contains('=') && !it.ends_with('-')) {
        return Fail::error(format!("all resources must be specified before image changes: {late}"));
    }
    only_files(kube)?;
    let all = picked(kube, &targets)?;
    if images.is_empty() {
        return Fail::error("at least one image update is required");
    }
    let mut failed = Vec::new();
    let changed = all.iter().map(|one| Ok((one, changed(one, &images, &mut failed)?)));
    let changed: Vec<(&Picked, Value)> = changed.collect::<Done<_>>()?;
    for (one, spec) in changed {
        // UPSTREAM: the containers that are there are changed all the same.
        let sent = send(kube, one, one.with_spec(spec), "image updated");
        failed.extend(sent.map_err(not_patched("image update to pod template")).err());
    }
    crate::kubectl::get::finish(kube, failed)
}

/// The pod's spec with other images; a container that is not there is a failure.
fn changed(one: &Picked, images: &[String], failed: &mut Vec<Fail>) -> Done<Value> {
    let mut spec = one.spec()?;
    for pair in images {
        let (container, image) = pair.split_once('=').unwrap_or((pair, ""));
        let mut found = false;
        for list in ["containers", "initContainers"] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
            for has in containers.filter(|it| container == "*" || field::name_of(it) == container) {
                found = true;
                has["image"] = image.into();
            }
        }
        if !found {
            failed.push(Fail::Plain(format!("error: unable to find container named {container:?}")));
        }
    }
    Ok(spec)
}
