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
    for one in all {
        failed.extend(change(kube, &one, &images).err());
    }
    crate::kubectl::get::finish(kube, failed)
}

fn change(kube: &mut Kube<'_, '_>, one: &Picked, images: &[String]) -> Done {
    let mut spec = one.spec()?;
    let mut missing = Vec::new();
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
            missing.push(format!("unable to find container named {container:?}"));
        }
    }
    // UPSTREAM: the containers that are there are changed all the same.
    send(kube, one, one.with_spec(spec), "image updated")
        .map_err(not_patched("image update to pod template"))?;
    match missing.as_slice() {
        [] => Ok(()),
        [only] => Fail::error(only.clone()),
        many => Fail::error(format!("[{}]", many.join(", "))),
    }
}
