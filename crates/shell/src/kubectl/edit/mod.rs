//! `kubectl edit`.
//!
//! Several objects stand in one file; what became of each is sent as a patch. `create --edit` opens its objects one by one.
//! MODEL: of the parts of an object only its status is edited; a Scale is refused, which the real one opens and cannot save.
//! Source: kubectl `pkg/cmd/util/editor/editoptions.go`.

mod session;

use api::Kind;
use cluster::PatchKind;
use serde_json::{Value, json};

pub(super) use self::session::{Opened, run as open};
use crate::kubectl::{Done, Fail, Kube, client::has_schema, field::name, print, resource::typed};

/// What stands above the objects.
pub(super) const HEAD: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
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
    if let Some(other) = kube.given.value("output").filter(|it| !matches!(*it, "" | "json" | "yaml")) {
        return Fail::error(format!(
            "unable to match a printer suitable for the output format {other:?}, allowed formats are: json,yaml"
        ));
    }
    let part = match kube.given.value("subresource") {
        None | Some("") => "",
        Some("status") => "status",
        Some(_) => return Err(Fail::Plain(super::raw::MISSING.to_owned())),
    };
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
    let json = kube.given.value("output") == Some("json");
    let text = if json { api::emit::json(&whole) + "\n" } else { api::emit::yaml(&whole) };
    let opened = Opened {
        head: HEAD,
        text: &text,
        json,
        named: chosen.first().map(|it| named(it.kind, &it.name)).unwrap_or_default(),
        again: Some(again(kube, &chosen)),
    };
    open(kube, opened, |kube, objects, refused| {
        for wanted in objects {
            let Some(it) = chosen.iter().find(|it| it.is(&wanted)) else {
                return Fail::error(format!(
                    "no original object found for &unstructured.Unstructured{{Object:{}}}",
                    print::go_syntax(&wanted)
                ));
            };
            if it.live == wanted {
                kube.out.line(&format!("{} skipped", it.typed()));
                continue;
            }
            if ["apiVersion", "kind"].iter().any(|key| it.live.get(key) != wanted.get(key))
                || name(&it.live) != name(&wanted)
            {
                return Fail::error("At least one of apiVersion, kind and name was changed");
            }
            let sent = if has_schema(it.kind) {
                let patch = api::patch::three_way(it.kind, &it.live, &wanted, &it.live);
                let at = (it.kind, it.namespace.as_str(), it.name.as_str());
                kube.patch_part(at, part, PatchKind::Strategic, patch, false)
            } else {
                kube.update(it.kind, &it.namespace, &it.name, wanted, false)
            };
            match sent {
                Ok(_) => kube.out.line(&format!("{} edited", it.typed())),
                Err(fail) => refused.add(kube, &named(it.kind, &it.name), fail)?,
            }
        }
        Ok(())
    })
}

/// `deployments.apps "web"`.
pub(super) fn named(kind: Kind, name: &str) -> String {
    format!("{} {name:?}", kind.info().resource())
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
    fn a_refused_text_is_opened_again_and_kept() {
        let make = "kubectl create deployment web --image=nginx";
        let out = said(&[make, "EDITOR=\"sed -i 's/replicas: 1/replicas: x/'\" kubectl edit deploy web"]);
        let lines: Vec<String> = out.stderr().lines().map(str::to_owned).collect();
        let [refused, kept, end] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(refused, "error: deployments.apps \"web\" is invalid");
        let path = kept.strip_prefix("A copy of your changes has been stored to \"");
        assert!(path.is_some_and(|path| path.starts_with("/tmp/kubectl-edit-")), "{kept}");
        assert_eq!(end, "error: Edit cancelled, no valid changes were saved.");
        let [Hint::Editor { text, .. }] = out.hints.as_slice() else { panic!("{out:?}") };
        assert!(text.contains("# deployments.apps \"web\" was not valid"), "{text}");
    }

    #[test]
    fn an_object_may_be_edited_before_it_is_made() {
        let file = "kubectl create deployment web --image=nginx --dry-run=client -o yaml > d.yaml";
        let out = said(&[file, "EDITOR=\"sed -i 's/nginx/httpd/'\" kubectl create --edit -f d.yaml"]);
        assert_eq!(out.stdout(), "deployment.apps/web created\n");
        let out = said(&[file, "EDITOR=true kubectl create --edit -f d.yaml"]);
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
