//! How often is a text opened before it is taken?
//!
//! A refused text is opened again with the reasons above it, until it is taken or comes back as it was; then it stays on the disk.
//! The editor is what `KUBE_EDITOR` or `EDITOR` names, run as a command on the file; without one nothing is changed. The page is told
//! what was shown last and not answered: the object, or what was refused under the reasons.
//! Source: kubectl `pkg/cmd/util/editor/editoptions.go` (`Run`, `addError`, `preservedFile`).

use cluster::draw;
use serde_json::Value;

use crate::{
    kubectl::{Done, Fail, Kube},
    output::Hint,
    tool,
};

const CANCELLED: &str = "Edit cancelled, no changes made.";

/// What is opened.
pub(in crate::kubectl) struct Opened<'t> {
    /// The comment above it.
    pub head: &'t str,
    /// The objects as they are.
    pub text: &'t str,
    /// The first object as a refusal of the whole names it: `deployments.apps "web"`.
    pub named: String,
    /// Whether the text is JSON, above which no comment can stand.
    pub json: bool,
    /// The command by which the page opens it again, where there is one.
    pub again: Option<String>,
}

/// What the server refused of an edited text.
#[derive(Default)]
pub(in crate::kubectl) struct Refused {
    reasons: Vec<String>,
    /// Whether an object changed meanwhile, or may not be changed.
    retryable: bool,
    /// Whether an object is gone.
    lost: bool,
}

impl Refused {
    /// Keeps why an object was refused, and says that it was; `named` is `deployments.apps "web"`.
    pub(super) fn add(&mut self, kube: &mut Kube<'_, '_>, named: &str, fail: Fail) -> Done {
        let Fail::Server(status) = &fail else { return Err(fail) };
        let said = match status.reason.as_str() {
            "Invalid" => {
                let causes = status.causes.iter().map(|it| format!("{}: {}", it.field, it.message));
                self.reasons.push(reason(&format!("{named} was not valid"), causes));
                format!("error: {named} is invalid")
            }
            "NotFound" => {
                self.lost = true;
                format!("error: {named} could not be found on the server")
            }
            _ => {
                self.retryable = true;
                format!("error: {named} could not be patched: {}", status.message)
            }
        };
        kube.out.err(&said);
        Ok(())
    }
}

/// A reason as the comment above the text gives it.
fn reason(head: &str, causes: impl Iterator<Item = String>) -> String {
    let causes: Vec<String> = causes.map(|cause| format!("# * {}\n", hashed(&cause))).collect();
    let colon = if causes.is_empty() { "" } else { ":" };
    format!("# {}{colon}\n{}#\n", hashed(head), causes.concat())
}

fn hashed(text: &str) -> String {
    text.replace('\n', "\n# ")
}

/// The objects of an edited file, one by one.
fn read(text: &str) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    for document in &api::text::read(text).documents {
        if let Some(error) = document.kubectl_error() {
            return Err(error);
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

/// A text without its comments.
fn bare(text: &str) -> String {
    let lines = text.split('\n').filter(|line| !line.trim_start().starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether two texts say the same.
fn same(one: &str, other: &str) -> bool {
    match (read(one), read(other)) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), Err(_)) => bare(one) == bare(other),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

/// Opens a text; `act` does what it became asks for, and keeps what was refused.
pub(in crate::kubectl) fn run(
    kube: &mut Kube<'_, '_>,
    opened: Opened<'_>,
    mut act: impl FnMut(&mut Kube<'_, '_>, Vec<Value>, &mut Refused) -> Done,
) -> Done {
    let with = |above: &str, text: &str| match opened.json {
        true => text.to_owned(),
        false => format!("{}{above}{text}", opened.head),
    };
    let mut shown = with("", opened.text);
    let mut refused: Option<(String, String)> = None;
    loop {
        let Some((path, after)) = open(kube, &shown, opened.json)? else {
            if let Some(command) = opened.again {
                kube.out.hint(Hint::Editor { command, text: shown });
            }
            kube.out.err(CANCELLED);
            return Ok(());
        };
        if let Some((_, before)) = &refused
            && same(before, &after)
        {
            kept(kube, &path);
            if let Some(command) = opened.again {
                kube.out.hint(Hint::Editor { command, text: shown });
            }
            return Fail::error("Edit cancelled, no valid changes were saved.");
        }
        if let Some((path, _)) = refused.take() {
            kube.shell.machine.files.remove(&path);
        }
        let mut found = Refused::default();
        match read(&after) {
            Err(error) => {
                let cause = format!(
                    "<nil>: Invalid value: \"The edited file failed validation\": error parsing: {error}"
                );
                let head = format!("{} was not valid", opened.named);
                found.reasons.push(reason(&head, std::iter::once(cause)));
                kube.out.err(&format!("error: {} is invalid", opened.named));
            }
            Ok(_) if same(opened.text, &after) => {
                kube.shell.machine.files.remove(&path);
                kube.out.err(CANCELLED);
                return Ok(());
            }
            Ok(wanted) if wanted.is_empty() => {
                let cause =
                    "<nil>: Invalid value: \"The edited file failed validation\": invalid object to validate";
                let head = format!("{} was not valid", opened.named);
                found.reasons.push(reason(&head, std::iter::once(cause.to_owned())));
                kube.out.err(&format!("error: {} is invalid", opened.named));
            }
            Ok(wanted) => act(kube, wanted, &mut found).inspect_err(|_| kept(kube, &path))?,
        }
        if found.retryable {
            kube.out.err(&format!("You can run `kubectl replace -f {path}` to try this update again."));
            return Err(Fail::Exit(1));
        }
        if found.lost {
            kube.out.err(&format!("The edits you made on deleted resources have been saved to {path:?}"));
            return Err(Fail::Exit(1));
        }
        if found.reasons.is_empty() {
            kube.shell.machine.files.remove(&path);
            return Ok(());
        }
        shown = with(&found.reasons.concat(), &bare(&after));
        refused = Some((path, after));
    }
}

fn kept(kube: &mut Kube<'_, '_>, path: &str) {
    kube.out.err(&format!("A copy of your changes has been stored to {path:?}"));
}

/// The file that the editor leaves of a text, and what it says; nothing without an editor.
fn open(kube: &mut Kube<'_, '_>, text: &str, json: bool) -> Done<Option<(String, String)>> {
    let machine = &kube.shell.machine;
    let editor = machine.variable("KUBE_EDITOR").or_else(|| machine.variable("EDITOR")).map(str::to_owned);
    let Some(editor) = editor.filter(|e| !matches!(e.as_str(), "" | "vi" | "vim" | "nano")) else {
        return Ok(None);
    };
    let world = &kube.shell.world;
    let path = format!(
        "/tmp/kubectl-edit-{}.{}",
        draw::draw(world.seed(), "kubectl-edit", text, 0) % 4_294_967_296,
        if json { "json" } else { "yaml" }
    );
    let lost = |_| Fail::Error(format!("unable to write {path}"));
    kube.shell.machine.files.make_all("/tmp");
    kube.shell.machine.files.write(&path, text).map_err(lost)?;
    let program = editor.split(' ').next().unwrap_or_default();
    // UPSTREAM: a line is left to a shell, which says itself that there is no such command.
    let is_line = editor.contains(['\"', '\'', '\\']);
    if !is_line && tool::find(program).is_none() {
        kube.shell.machine.files.remove(&path);
        return Fail::error(format!("unable to launch the editor {program:?}"));
    }
    let status = kube.shell.line(&format!("{editor} {path}"), kube.stdin, kube.out)?;
    if status != 0 {
        kept(kube, &path);
        return Fail::error(format!("there was a problem with the editor {program:?}"));
    }
    let after = kube.shell.machine.files.read(&path).map(|t| t.to_string()).unwrap_or_default();
    Ok(Some((path, after)))
}
