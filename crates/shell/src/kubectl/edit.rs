//! `kubectl edit`.
//!
//! The editor is what `KUBE_EDITOR` or `EDITOR` names, run as a command on the file; without one it is closed without a change, and the
//! page is told what it would have shown.
//! Source: kubectl `pkg/cmd/util/editor/editoptions.go`.

use cluster::{PatchKind, draw};
use serde_json::Value;

use crate::{
    kubectl::{Done, Fail, Kube, client::has_schema, field::name, print, resource::typed},
    output::Hint,
};

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
        let Some(after) = open(kube, &before)? else {
            let command = again(kube, &typed(kind, &object_name), &namespace);
            kube.out.hint(Hint::Editor { command, text: before });
            break;
        };
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

/// Flags that say where to ask, as whom, and how.
const KEPT: [&str; 11] = [
    "as",
    "as-group",
    "as-uid",
    "cluster",
    "context",
    "field-manager",
    "kubeconfig",
    "server",
    "subresource",
    "token",
    "user",
];

/// The command that edits just this object.
fn again(kube: &Kube<'_, '_>, object: &str, namespace: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut line = format!("kubectl edit {object}");
    if !namespace.is_empty() {
        line += &format!(" --namespace={namespace}");
    }
    for flag in KEPT {
        for value in kube.given.values(flag) {
            line += &format!(" --{flag}={}", quoted(value));
        }
    }
    line
}

/// What the editor leaves of a text; nothing without an editor.
pub(super) fn open(kube: &mut Kube<'_, '_>, text: &str) -> Done<Option<String>> {
    let machine = &kube.shell.machine;
    let editor = machine.variable("KUBE_EDITOR").or_else(|| machine.variable("EDITOR")).map(str::to_owned);
    let Some(editor) = editor.filter(|e| !matches!(e.as_str(), "" | "vi" | "vim" | "nano")) else {
        return Ok(None);
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
    Ok(Some(after))
}

#[cfg(test)]
mod tests {
    use api::SimDuration;
    use cluster::World;

    use crate::{Hint, Machine, Output, run};

    /// The last line's output after others ran.
    fn said(lines: &[&str]) -> Output {
        let (mut machine, mut world, mut last) = (Machine::default(), World::empty(1), Output::default());
        for line in std::iter::once(&"kind create cluster").chain(lines) {
            last = Output::default();
            run(line, &mut machine, &mut world, &mut last);
            world.settle(SimDuration::secs(60));
        }
        last
    }

    #[test]
    fn an_editor_that_changes_the_file_changes_the_object() {
        let make = "kubectl create deployment web --image=nginx";
        let out =
            said(&[make, "KUBE_EDITOR=\"sed -i 's/replicas: 1/replicas: 3/'\" kubectl edit deploy web"]);
        assert_eq!(out.stdout(), "deployment.apps/web edited\n");
        let out = said(&[make, "KUBE_EDITOR=true kubectl edit deploy web"]);
        assert_eq!(out.stderr(), "Edit cancelled, no changes made.\n");
    }

    #[test]
    fn without_an_editor_the_page_learns_what_to_open_and_how_to_save_it() {
        let make = "kubectl create configmap note --from-literal=a=b";
        let out = said(&[make, "kubectl edit cm note --as=kubernetes-admin --as-group=system:masters"]);
        let [Hint::Editor { command, text }] = out.hints.as_slice() else { panic!("{out:?}") };
        assert!(text.starts_with("# Please edit the object below.") && text.contains("\n  a: b\n"), "{text}");
        let save = format!("KUBE_EDITOR=\"sed -i 's/a: b/a: c/'\" {command}");
        assert_eq!(said(&[make, &save]).stdout(), "configmap/note edited\n", "{command}");
        assert_eq!(out.stderr(), "Edit cancelled, no changes made.\n");
    }
}
