//! Which manifests does `-f` name?
//!
//! A file, `-` for standard input, a directory. Source: cli-runtime `pkg/resource/visitor.go`; messages recorded.

use api::{Kind, Scope};
use serde_json::Value;

use crate::{
    files::Entry,
    kubectl::{Done, Fail, Kube, field},
    output::Hint,
};

/// One object of a manifest.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// As messages name it: the path as typed, or `STDIN`.
    pub source: String,
    pub kind: Kind,
    pub namespace: String,
    pub name: String,
    pub value: Value,
}

impl Kube<'_, '_> {
    /// The texts that `-f` names, with the names messages give them.
    pub(super) fn texts(&mut self) -> Done<Vec<(String, String)>> {
        let mut texts = Vec::new();
        let mut missing = Vec::new();
        for name in self.given.list("filename").into_iter().map(str::to_owned).collect::<Vec<_>>() {
            if let Some((directory, text)) = self.built.as_ref().filter(|(directory, _)| *directory == name) {
                texts.push((directory.clone(), text.clone()));
                continue;
            }
            if name == "-" {
                texts.push(("STDIN".to_owned(), self.stdin.rest()));
                continue;
            }
            if name.starts_with("http://") || name.starts_with("https://") {
                let host = name.split('/').nth(2).unwrap_or_default().to_owned();
                return Fail::error(format!(
                    "unable to read URL \"{name}\", server reported dial tcp: lookup {host}: no such host"
                ));
            }
            let machine = &self.shell.machine;
            let path = machine.path(&name);
            match machine.files.get(&path) {
                Some(Entry::File(text)) => texts.push((name, text.to_string())),
                Some(Entry::Directory) => {
                    let recursive = self.given.on("recursive");
                    let mut found = Vec::new();
                    for (file, entry) in machine.files.below(&path) {
                        let below = file.strip_prefix(&format!("{path}/")).unwrap_or_default();
                        let manifest = [".json", ".yaml", ".yml"].iter().any(|e| below.ends_with(e));
                        if let Entry::File(text) = entry
                            && manifest
                            && (recursive || !below.contains('/'))
                        {
                            // UPSTREAM: what is found below a directory is named by its clean path.
                            let folder = name.trim_start_matches("./").trim_end_matches(['/', '.']);
                            let gap = if folder.is_empty() { "" } else { "/" };
                            found.push((format!("{folder}{gap}{below}"), text.to_string()));
                        }
                    }
                    if found.is_empty() {
                        return Fail::error(format!(
                            "error reading [{name}]: recognized file extensions are [.json .yaml .yml]"
                        ));
                    }
                    texts.extend(found);
                }
                // UPSTREAM: a path that is not there may be a pattern.
                None => match crate::glob::expand(&name, &machine.cwd, &machine.files) {
                    found if found.is_empty() => {
                        missing.push(Fail::Error(format!("the path {name:?} does not exist")));
                    }
                    found => texts.extend(found.into_iter().filter_map(|name| {
                        let text = machine.files.read(&machine.path(&name)).ok()?.to_string();
                        Some((name, text))
                    })),
                },
            }
        }
        super::get::finish(self, missing)?;
        Ok(texts)
    }

    /// `-k`: what a kustomization builds stands for a file of its directory's name.
    pub(super) fn kustomized(&mut self) -> Done {
        let Some(directory) = self.given.value("kustomize").filter(|it| !it.is_empty()).map(str::to_owned)
        else {
            return Ok(());
        };
        if self.given.has("filename") {
            return Fail::error("only one of -f or -k can be specified");
        }
        let text = super::kustomize::build(self, &directory).map_err(|fail| match fail {
            // UPSTREAM: what reads is told of it without a word that it is an error.
            Fail::Error(text) if self.verb == "get" => Fail::Plain(text),
            other => other,
        })?;
        self.given.add("filename", directory.clone());
        self.built = Some((directory, text));
        Ok(())
    }

    /// The one text that `-f` names.
    pub(crate) fn body(&mut self) -> Done<String> {
        Ok(self.texts()?.into_iter().next().map(|(_, text)| text).unwrap_or_default())
    }

    /// The manifests that `-f` names, and the failures between them in order.
    pub(crate) fn manifests(&mut self) -> Done<Vec<Done<Manifest>>> {
        let mut manifests = Vec::new();
        let texts = self.texts()?;
        // UPSTREAM: to replace nothing is no mistake, but by force it is.
        let may_be_empty = self.verb == "replace" && !self.given.on("force");
        if texts.iter().all(|(_, text)| text.trim().is_empty()) && !may_be_empty {
            return Fail::error(format!("no objects passed to {}", self.verb));
        }
        let target = self.target()?;
        let validates = self.validates()?;
        for (source, text) in texts {
            // UPSTREAM: before anything else is asked, what the server's objects look like is.
            if validates
                && target.who.user.is_empty()
                && self.shell.world.published(&target.who, target.cluster, "openapi/v3").is_err()
            {
                return Fail::error(format!(
                    "error validating {source:?}: error validating data: failed to download openapi: the server has asked for the client to provide credentials; if you choose to ignore these errors, turn validation off with --validate=false"
                ));
            }
            if flattened(&text)
                && let Some(text) = api::text::reindent(&text)
            {
                self.out.hint(Hint::Reindent { name: source.clone(), text });
            }
            let reading = api::text::read(&text);
            if reading.documents.is_empty() && !reading.diagnostics.is_empty() {
                let message = reading.diagnostics[0].message.clone();
                manifests.push(if text.len() > api::text::MAX_BYTES {
                    // MODEL: kubectl sends a file's objects one by one; here the whole file counts.
                    Err(Fail::Plain(format!(
                        "Error from server (RequestEntityTooLarge): error when creating {source:?}: {message}"
                    )))
                } else {
                    Fail::error(message)
                });
            }
            for document in &reading.documents {
                if let Some(error) = document.kubectl_error() {
                    manifests.push(Fail::error(format!("error parsing {source}: {error}")));
                    break;
                }
                let root = document.to_value();
                if root.is_null() {
                    continue;
                }
                let items = match root.get("items").and_then(Value::as_array) {
                    Some(items) if field::text(&root, "kind").ends_with("List") => items.clone(),
                    Some(_) | None => vec![root],
                };
                for item in items {
                    manifests.push(self.manifest(&source, item, &target.namespace, validates));
                }
            }
        }
        if manifests.is_empty() && !may_be_empty {
            return Fail::error(format!("no objects passed to {}", self.verb));
        }
        Ok(manifests)
    }

    /// Whether manifests are held against the schema before anything is done with them.
    fn validates(&self) -> Done<bool> {
        let asked = match self.given.value("validate") {
            None | Some("strict" | "warn" | "true" | "True" | "TRUE" | "t" | "T" | "1") => true,
            Some("ignore" | "false" | "False" | "FALSE" | "f" | "F" | "0") => false,
            Some(other) => {
                return Fail::error(format!(
                    "invalid - validate option {other:?}; must be one of: strict (or true), warn, ignore (or false)"
                ));
            }
        };
        Ok(asked && matches!(self.command.as_str(), "apply" | "create" | "replace"))
    }

    fn manifest(
        &mut self,
        source: &str,
        mut item: Value,
        namespace: &str,
        validates: bool,
    ) -> Done<Manifest> {
        let invalid = |what: &str| {
            Fail::error(format!(
                "error validating {source:?}: error validating data: {what}; if you choose to ignore these errors, turn validation off with --validate=false"
            ))
        };
        let (version, kind_name) =
            (field::text(&item, "apiVersion").to_owned(), field::text(&item, "kind").to_owned());
        if validates && !item.is_object() {
            return invalid("invalid object to validate");
        }
        if !item.is_object() {
            return Fail::error(format!(
                "error parsing {source}: error converting YAML to JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                if item.is_array() { "array" } else { "string" }
            ));
        }
        match (version.is_empty(), kind_name.is_empty()) {
            (true, true) if validates => return invalid("[apiVersion not set, kind not set]"),
            (true, _) if validates => return invalid("apiVersion not set"),
            (_, true) if validates => return invalid("kind not set"),
            (_, true) => {
                let json = api::emit::compact(&item);
                return Fail::error(format!(
                    "unable to decode {source:?}: Object 'Kind' is missing in '{json}'"
                ));
            }
            _ => {}
        }
        let metadata = serde_json::json!({"metadata": item.get("metadata")});
        if let Err(error) = api::decode::read(Kind::ConfigMap, &metadata) {
            // Of every kind alike the metadata is read before anything is sent.
            let why = error.message.replace("field ConfigMap.", "field metadataOnlyObject.");
            return Fail::error(format!("unable to decode {source:?}: {why}"));
        }
        let name = field::name(&item).to_owned();
        let own = field::namespace(&item).to_owned();
        let Some(kind) = self.known_manifest(&version, &kind_name) else {
            return Fail::error(format!(
                "resource mapping not found for name: {name:?} namespace: {own:?} from {source:?}: no matches for kind {kind_name:?} in version {version:?}\nensure CRDs are installed first"
            ));
        };
        let namespaced = kind.info().scope == Scope::Namespaced;
        if namespaced && own.is_empty() && !self.given.on("local") {
            *field::make(&mut item, "metadata.namespace") = namespace.into();
        }
        if namespaced && !own.is_empty() && self.given.has("namespace") && own != namespace {
            return Fail::error(format!(
                "the namespace from the provided object {own:?} does not match the namespace {namespace:?}. You must pass '--namespace={own}' to perform this operation."
            ));
        }
        let namespace = if !namespaced {
            String::new()
        } else if own.is_empty() {
            namespace.to_owned()
        } else {
            own
        };
        Ok(Manifest { source: source.to_owned(), kind, namespace, name, value: item })
    }

    /// What the server makes of an object where `--validate` does not ask it to be strict: unknown fields are dropped,
    /// with a warning each if `warn` is asked for.
    pub(crate) fn validated(&mut self, kind: Kind, value: &Value) -> Value {
        let warns = match self.given.value("validate") {
            Some("false" | "ignore") => false,
            Some("warn") => true,
            Some(_) | None => return value.clone(),
        };
        self.lax(kind, value, warns)
    }

    /// An object without the fields that its kind does not have; with a warning of each if `warns`.
    pub(crate) fn lax(&mut self, kind: Kind, value: &Value, warns: bool) -> Value {
        let store = self.shell.world.store();
        let cluster = self.target.as_ref().map(|target| target.cluster);
        let defined = cluster.and_then(|cluster| cluster::apiserver::definition(store, cluster, kind));
        if let Some(version) = defined.as_ref().and_then(|it| it.version(kind.info().version)) {
            let mut value = value.clone();
            for field in version.read(&mut value) {
                if warns {
                    self.out.err(&format!("Warning: unknown field {field:?}"));
                }
            }
            return value;
        }
        let unknown = api::decode::strict(kind, value);
        if unknown.is_empty() {
            return value.clone();
        }
        for error in unknown.iter().filter(|_| warns) {
            self.out.err(&format!("Warning: {}", error.message));
        }
        api::decode::read(kind, value).map_or_else(|_| value.clone(), |decoded| decoded.value)
    }
}

/// Whether a manifest looks as if its indentation had been lost: it has nothing but lines that begin at the margin.
fn flattened(text: &str) -> bool {
    text.lines().any(|line| matches!(line.trim_end(), "metadata:" | "spec:"))
        && !text.lines().any(|line| line.starts_with([' ', '\t']))
}
