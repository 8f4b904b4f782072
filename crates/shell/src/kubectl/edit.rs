//! `kubectl edit`.
//!
//! The editor is what `KUBE_EDITOR` or `EDITOR` names, run as a command on the file; without one it is closed without a change.
//! Source: kubectl `pkg/cmd/util/editor/editoptions.go`.

use cluster::{PatchKind, draw};
use serde_json::Value;

use crate::kubectl::{Done, Fail, Kube, client::has_schema, field::name, print, resource::typed};

const HEAD: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let mut edited = false;
    for (kind, namespace, object_name) in kube.chosen()? {
        let mut live = kube.get(kind, &namespace, &object_name)?;
        print::hide_managed(&mut live, kube);
        let before = format!("{HEAD}{}", api::emit::yaml(&live));
        let after = open(kube, &before)?;
        let reading = api::text::read(&after);
        let Some(document) = reading.documents.first().filter(|_| after != before) else { continue };
        if let Some(error) = document.kubectl_error() {
            return Fail::error(format!("The edited file had a syntax error: {error}"));
        }
        let wanted: Value = document.to_value();
        if wanted == live || wanted.is_null() {
            continue;
        }
        let at = (kind, namespace.as_str(), object_name.as_str());
        if has_schema(kind) {
            let patch = api::patch::three_way(kind, &live, &wanted, &live);
            kube.patch_part(at, "", PatchKind::Strategic, patch, false)?;
        } else {
            kube.update(kind, &namespace, &object_name, wanted, false)?;
        }
        edited = true;
        kube.out.line(&format!("{} edited", typed(kind, name(&live))));
    }
    if !edited {
        kube.out.err("Edit cancelled, no changes made.");
    }
    Ok(())
}

/// What the editor leaves of a text.
pub(super) fn open(kube: &mut Kube<'_, '_>, text: &str) -> Done<String> {
    let machine = &kube.shell.machine;
    let editor = machine.variable("KUBE_EDITOR").or_else(|| machine.variable("EDITOR")).map(str::to_owned);
    let Some(editor) = editor.filter(|e| !matches!(e.as_str(), "" | "vi" | "vim" | "nano")) else {
        return Ok(text.to_owned());
    };
    let world = &kube.shell.world;
    let path = format!(
        "/tmp/kubectl-edit-{}.yaml",
        draw::draw(world.seed(), "kubectl-edit", text, 0) % 4_294_967_296
    );
    let lost = |_| Fail::Error(format!("unable to write {path}"));
    kube.shell.machine.files.make_all("/tmp");
    kube.shell.machine.files.write(&path, text).map_err(lost)?;
    let status = kube.shell.line(&format!("{editor} {path}"), kube.stdin, kube.out)?;
    let after = kube.shell.machine.files.read(&path).map(|t| t.to_string()).unwrap_or_default();
    kube.shell.machine.files.remove(&path);
    if status != 0 {
        return Fail::error(format!(
            "there was a problem with the editor {:?}",
            editor.split(' ').next().unwrap_or_default()
        ));
    }
    Ok(after)
}
