//! `kubectl edit`.
//!
//! The editor is what `KUBE_EDITOR` or `EDITOR` names, run as a command on the file; without one it is closed without a change, and the
//! page is told what it would have shown.
//! Source: kubectl `pkg/cmd/util/editor/editoptions.go`.

use api::Kind;
use cluster::{PatchKind, draw};
use serde_json::{Value, json};

use crate::{
    kubectl::{Done, Fail, Kube, client::has_schema, field::name, print, resource::typed},
    output::Hint,
};

const CANCELLED: &str = "Edit cancelled, no changes made.";
const HEAD: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

/// What was chosen to be edited: kind, namespace, name, and the object as it is.
struct Chosen {
    kind: Kind,
    namespace: String,
    name: String,
    live: Value,
}

impl Chosen {
    fn typed(&self) -> String {
        typed(self.kind, &self.name)
    }

    /// Whether an edited object is this one.
    // MODEL: one whose uid was taken out is still known by its kind and name; the real command knows objects by their uid alone.
    fn is(&self, edited: &Value) -> bool {
        match edited["metadata"]["uid"].as_str() {
            Some(uid) => self.live["metadata"]["uid"] == uid,
            None => name(edited) == self.name && edited["kind"] == self.live["kind"],
        }
    }
}

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let mut chosen = Vec::new();
    for (kind, namespace, name) in kube.chosen_or_all(&args)? {
        let mut live = kube.get(kind, &namespace, &name)?;
        print::hide_managed(&mut live, kube);
        chosen.push(Chosen { kind, namespace, name, live });
    }
    let whole = match chosen.as_slice() {
        [] => return Fail::error("edit cancelled, no objects found"),
        [one] => one.live.clone(),
        many => {
            let items: Vec<&Value> = many.iter().map(|it| &it.live).collect();
            json!({ "apiVersion": "v1", "items": items, "kind": "List", "metadata": {} })
        }
    };
    let before = format!("{HEAD}{}", api::emit::yaml(&whole));
    let Some(after) = open(kube, &before)? else {
        let command = again(kube, &chosen);
        kube.out.hint(Hint::Editor { command, text: before });
        kube.out.err(CANCELLED);
        return Ok(());
    };
    let wanted = read(&after)?;
    if wanted.is_empty() || wanted.iter().eq(chosen.iter().map(|it| &it.live)) {
        kube.out.err(CANCELLED);
        return Ok(());
    }
    for wanted in wanted {
        let Some(it) = chosen.iter().find(|it| it.is(&wanted)) else {
            return Fail::error(format!("no original object found for {}", name(&wanted)));
        };
        if it.live == wanted {
            kube.out.line(&format!("{} skipped", it.typed()));
            continue;
        }
        if has_schema(it.kind) {
            let patch = api::patch::three_way(it.kind, &it.live, &wanted, &it.live);
            let at = (it.kind, it.namespace.as_str(), it.name.as_str());
            kube.patch_part(at, "", PatchKind::Strategic, patch, false)?;
        } else {
            kube.update(it.kind, &it.namespace, &it.name, wanted, false)?;
        }
        kube.out.line(&format!("{} edited", it.typed()));
    }
    Ok(())
}

/// The objects of an edited file, one by one.
fn read(text: &str) -> Done<Vec<Value>> {
    let mut objects = Vec::new();
    for document in &api::text::read(text).documents {
        if let Some(error) = document.kubectl_error() {
            return Fail::error(format!("The edited file had a syntax error: {error}"));
        }
        match document.to_value() {
            Value::Null => {}
            Value::Object(mut list) if list.get("kind").is_some_and(|kind| kind == "List") => {
                if let Some(Value::Array(items)) = list.remove("items") {
                    objects.extend(items);
                }
            }
            one => objects.push(one),
        }
    }
    Ok(objects)
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

/// The command that edits just these objects.
fn again(kube: &Kube<'_, '_>, chosen: &[Chosen]) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut line = "kubectl edit".to_owned();
    for file in kube.given.values("filename") {
        line += &format!(" --filename={}", quoted(file));
    }
    if !kube.given.has("filename") {
        chosen.iter().for_each(|it| line += &format!(" {}", it.typed()));
    }
    if let Some(namespace) = chosen.iter().map(|it| &it.namespace).find(|it| !it.is_empty()) {
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
    fn several_objects_stand_in_one_file() {
        let make = [
            "kubectl create configmap a --from-literal=k=1",
            "kubectl create configmap b --from-literal=k=1",
        ];
        let edit = "KUBE_EDITOR=\"sed -i '9s/1/2/'\" kubectl edit configmap a b";
        assert_eq!(said(&[make[0], make[1], edit]).stdout(), "configmap/a edited\nconfigmap/b skipped\n");
        let same = said(&[make[0], make[1], "KUBE_EDITOR=true kubectl edit configmap a b"]);
        assert_eq!(same.stderr(), "Edit cancelled, no changes made.\n");
        let shown = said(&[make[0], make[1], "kubectl edit configmap a b"]);
        let [Hint::Editor { command, text }] = shown.hints.as_slice() else { panic!("{shown:?}") };
        assert_eq!(command, "kubectl edit configmap/a configmap/b --namespace=default");
        assert!(
            text.contains("\nitems:\n- apiVersion: v1\n") && text.ends_with("kind: List\nmetadata: {}\n"),
            "{text}"
        );
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
