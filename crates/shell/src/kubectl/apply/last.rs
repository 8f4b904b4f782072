//! `kubectl apply view-last-applied|set-last-applied|edit-last-applied`: the annotation that `apply` compares with.
//! Source: kubectl `pkg/cmd/apply/apply_{view,set,edit}_last_applied.go`.

use api::emit;
use cluster::PatchKind;
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::{DryRun, LAST},
    edit::{self, Opened},
    field, print,
    resource::typed,
};

fn last_of(object: &Value) -> Option<&str> {
    field::at(object, "metadata.annotations").get(LAST).and_then(Value::as_str)
}

pub(super) fn view(kube: &mut Kube<'_, '_>) -> Done {
    let as_json = match kube.given.value("output") {
        None | Some("" | "yaml") => false,
        Some("json") => true,
        Some(other) => {
            return Fail::error(format!(
                "Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json\nSee 'kubectl apply view-last-applied -h' for help and examples"
            ));
        }
    };
    let mut found = Vec::new();
    for (kind, namespace, name) in chosen(kube)? {
        found.push(kube.get(kind, &namespace, &name)?);
    }
    for live in found {
        // UPSTREAM: that there is none was to be said, and is not.
        let Some(Ok(last)) = last_of(&live).map(serde_json::from_str::<Value>) else { continue };
        kube.out.out(&if as_json { emit::json(&last) + "\n" } else { emit::yaml(&last) });
    }
    Ok(())
}

fn chosen(kube: &mut Kube<'_, '_>) -> Done<Vec<(api::Kind, String, String)>> {
    let args = kube.given.args[1..].to_vec();
    kube.chosen_from(&args)
}

pub(super) fn set(kube: &mut Kube<'_, '_>) -> Done {
    let dry = DryRun::of(kube)?;
    let format = print::format(kube, false)?;
    if !kube.given.has("filename") {
        return Fail::error(super::super::resource::NO_RESOURCE);
    }
    let mut wanted = Vec::new();
    for manifest in kube.manifests()? {
        let manifest = manifest?;
        let mut own = manifest.value.clone();
        // What the file says, not what it would be applied as.
        if let Some(Value::Object(annotations)) = own.pointer_mut("/metadata/annotations") {
            annotations.remove(LAST);
        }
        let text = format!("{}\n", emit::compact(&own));
        let live = kube.get(manifest.kind, &manifest.namespace, &manifest.name)?;
        if last_of(&live).is_none() && !kube.given.on("create-annotation") {
            return Fail::error(format!(
                "no last-applied-configuration annotation found on resource: {}, to create the annotation, run the command with --create-annotation",
                manifest.name
            ));
        }
        if last_of(&live) == Some(text.as_str()) {
            kube.out.line(&format!("set-last-applied {}: no changes required.", manifest.name));
        } else {
            wanted.push((manifest, text, live));
        }
    }
    for (manifest, text, live) in wanted {
        let at = (manifest.kind, manifest.namespace.as_str(), manifest.name.as_str());
        let patch = json!({"metadata": {"annotations": {LAST: text}}});
        let after = match dry {
            DryRun::Client => live,
            DryRun::No | DryRun::Server => {
                kube.patch_part(at, "", PatchKind::Merge, patch, dry == DryRun::Server)?
            }
        };
        match &format {
            None => kube.out.line(&format!("{} configured{}", typed(at.0, at.2), dry.suffix())),
            Some(format) => print::structured(kube, format, after)?,
        }
    }
    Ok(())
}

const HEAD: &str = "# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
";

pub(super) fn edit(kube: &mut Kube<'_, '_>) -> Done {
    let mut found = Vec::new();
    for (kind, namespace, name) in chosen(kube)? {
        let live = kube.get(kind, &namespace, &name)?;
        let Some(Ok(last)) = last_of(&live).map(serde_json::from_str::<Value>) else {
            return Fail::error(
                "no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`",
            );
        };
        found.push((kind, namespace, name, last));
    }
    for (kind, namespace, name, last) in found {
        let opened = Opened {
            head: HEAD,
            text: &emit::yaml(&last),
            json: false,
            named: edit::named(kind, &name),
            again: None,
        };
        edit::open(kube, opened, |kube, objects, _| {
            for wanted in objects {
                let text = format!("{}\n", emit::compact(&wanted));
                let patch = json!({"metadata": {"annotations": {LAST: text}}});
                kube.patch_part((kind, &namespace, &name), "", PatchKind::Merge, patch, false)?;
                kube.out.line(&format!("{} edited", typed(kind, &name)));
            }
            Ok(())
        })?;
    }
    Ok(())
}
