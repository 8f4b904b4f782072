//! Whose is each field of an object?
//!
//! Whoever writes an object owns the fields that the write changed; who applies a manifest owns the fields it names. [`update`] notes
//! the owners after a write, [`apply`] merges a manifest and refuses to change what somebody else owns. The list of owners is
//! `metadata.managedFields`.
//! Source: `sigs.k8s.io/structured-merge-diff` v6, `merge/update.go`; apimachinery `pkg/util/managedfields/internal`.

mod made;
mod set;
mod shape;
#[cfg(test)]
mod tests;
mod typed;
mod upgrade;
mod walk;

use serde_json::{Value, json};

use crate::{
    ApiStatus, Cause, Kind,
    canonical::canonical,
    meta::{FieldsV1, ManagedFieldsEntry, Time},
};

use self::shape::Shape;
pub use self::{
    made::complete,
    set::Set,
    upgrade::{is_applied, upgraded},
};

/// The annotation that holds the last manifest of `kubectl apply`.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The manager of `kubectl apply --server-side`.
const KUBECTL: &str = "kubectl";

/// UPSTREAM: when somebody scales is not noted. Source: apimachinery `pkg/util/managedfields/scalehandler.go`.
const SCALE: &str = "scale";

/// Most managers that are noted as writers. Source: apimachinery `pkg/util/managedfields/internal/fieldmanager.go`.
const MOST_WRITERS: usize = 10;

/// Who stands for writers of long ago.
const ANCIENT: &str = "ancient-changes";

/// Most bytes of annotations.
const MOST_ANNOTATIONS: usize = 256 * 1024;

/// Fields that belong to nobody.
const NOBODYS: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Whoever writes.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// Such as `kubectl-create`.
    pub manager: &'a str,
    /// Through which subresource; empty for the object itself.
    pub part: &'a str,
    /// When.
    pub now: &'a Time,
    /// Whether the status has a door of its own, so that nobody owns it through the main one.
    pub splits_status: bool,
}

/// What kind of object it is, and for a custom kind its schema.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    /// The kind.
    pub kind: Kind,
    /// Its schema, where a definition has one.
    pub schema: Option<&'a Value>,
}

impl<'a> Of<'a> {
    fn shape(self) -> Shape<'a> {
        Shape::of(self.kind, self.schema)
    }
}

/// Every object has such sets, and hardly anybody reads them: they are kept as one text each.
fn folded(set: &Set) -> FieldsV1 {
    FieldsV1(Value::String(serde_json::to_string(set).unwrap_or_default()))
}

/// Unfolds `fieldsV1` of every manager in the JSON form of an object: as it goes over the wire.
pub fn unfold(object: &mut Value) {
    let entries = object.pointer_mut("/metadata/managedFields").and_then(Value::as_array_mut);
    for fields in entries.into_iter().flatten().filter_map(|entry| entry.get_mut("fieldsV1")) {
        if let Some(tree) = fields.as_str().and_then(|text| serde_json::from_str(text).ok()) {
            *fields = tree;
        }
    }
}

fn sets(entries: &[ManagedFieldsEntry]) -> Vec<(ManagedFieldsEntry, Set)> {
    let read = |fields: &Value| match fields {
        Value::String(text) => serde_json::from_str(text).map(|tree| Set::of(&tree)).unwrap_or_default(),
        tree => Set::of(tree),
    };
    let fields = |entry: &ManagedFieldsEntry| entry.fields_v1.as_ref().map(|it| read(&it.0));
    entries.iter().map(|entry| (entry.clone(), fields(entry).unwrap_or_default())).collect()
}

/// The entries in upstream's order: who applied before who wrote, older before newer.
fn entries(sets: Vec<(ManagedFieldsEntry, Set)>) -> Vec<ManagedFieldsEntry> {
    let mut entries: Vec<ManagedFieldsEntry> = sets
        .into_iter()
        .filter(|(_, set)| !set.is_empty())
        .map(|(mut entry, set)| {
            entry.fields_type = Some("FieldsV1".to_owned());
            entry.fields_v1 = Some(folded(&set));
            entry
        })
        .collect();
    entries.sort_by_key(|entry| {
        (
            entry.operation.clone(),
            entry.time.as_ref().map(|time| time.0.as_second()),
            entry.manager.clone(),
            entry.api_version.clone(),
            entry.subresource.clone(),
        )
    });
    entries
}

fn is(entry: &ManagedFieldsEntry, writer: Writer<'_>, operation: &str, version: &str) -> bool {
    entry.manager.as_deref() == Some(writer.manager)
        && entry.operation.as_deref() == Some(operation)
        && entry.subresource.as_deref().unwrap_or_default() == writer.part
        && (operation == "Apply" || entry.api_version.as_deref() == Some(version))
}

fn entry(writer: Writer<'_>, operation: &str, version: &str) -> ManagedFieldsEntry {
    ManagedFieldsEntry {
        api_version: Some(version.to_owned()),
        manager: Some(writer.manager.to_owned()),
        operation: Some(operation.to_owned()),
        subresource: (!writer.part.is_empty()).then(|| writer.part.to_owned()),
        time: (writer.part != SCALE).then(|| writer.now.clone()),
        ..ManagedFieldsEntry::default()
    }
}

/// What of a set a writer may own at all.
fn stripped(mut set: Set, writer: Writer<'_>) -> Set {
    for name in ["apiVersion", "kind", "metadata"] {
        set.forget(&[name]);
    }
    for name in NOBODYS {
        set.drop(&["metadata", name]);
    }
    // A signing request is approved in its status.
    if matches!(writer.part, "status" | "approval") {
        // A Deployment's status brings annotations along.
        set.drop(&["spec"]);
        ["labels", "finalizers", "ownerReferences"].iter().for_each(|name| set.drop(&["metadata", name]));
    } else if writer.splits_status {
        set.drop(&["status"]);
    }
    set
}

/// The owners after `old` became `new`; `old` is `null` for a new object.
#[must_use]
pub fn update(
    of: Of<'_>,
    had: &[ManagedFieldsEntry],
    old: &Value,
    new: &Value,
    writer: Writer<'_>,
) -> Vec<ManagedFieldsEntry> {
    let version = of.kind.info().api_version();
    // What Go writes of a value to which nobody has put anything is nobody's.
    let whole = |value: &Value| canonical(of.kind, if value.is_null() { json!({}) } else { value.clone() });
    let changed = walk::compare(of.shape(), &whole(old), &whole(new));
    let taken = stripped(changed.modified.union(&changed.added), writer);
    let gone = stripped(changed.removed, writer);
    if taken.is_empty() && gone.is_empty() {
        return had.to_vec();
    }
    let mut all = sets(had);
    for (_, set) in &mut all {
        *set = set.difference(&taken).difference(&gone);
    }
    if !taken.is_empty() {
        match all.iter_mut().find(|(entry, _)| is(entry, writer, "Update", &version)) {
            Some((entry, set)) => {
                if writer.part != SCALE {
                    entry.time = Some(writer.now.clone());
                }
                *set = set.union(&taken);
            }
            None => all.push((entry(writer, "Update", &version), taken)),
        }
    }
    all.retain(|(_, set)| !set.is_empty());
    merge_oldest(&mut all);
    entries(all)
}

/// Merges the writers of longest ago, each version by itself, until there are no more than [`MOST_WRITERS`].
/// Source: apimachinery `pkg/util/managedfields/internal/capmanagers.go`.
fn merge_oldest(all: &mut Vec<(ManagedFieldsEntry, Set)>) {
    let since = |entry: &ManagedFieldsEntry| entry.time.as_ref().map_or(0, |time| time.0.as_second());
    let (mut writers, rest): (Vec<_>, Vec<_>) =
        all.drain(..).partition(|(entry, _)| entry.operation.as_deref() == Some("Update"));
    // UPSTREAM: of equally old ones the text counts by which each is known there, which begins with the name.
    writers.sort_by_key(|(entry, _)| {
        let word = |text: &Option<String>| text.clone().unwrap_or_default();
        (since(entry), word(&entry.manager), word(&entry.api_version), word(&entry.subresource))
    });
    let mut over = writers.len().saturating_sub(MOST_WRITERS);
    let mut kept: Vec<(ManagedFieldsEntry, Set)> = Vec::new();
    for (entry, set) in writers {
        let oldest = kept.iter_mut().find(|(first, _)| over > 0 && first.api_version == entry.api_version);
        match oldest {
            Some((first, sum)) => {
                *sum = sum.union(&set);
                first.manager = Some(ANCIENT.to_owned());
                first.subresource = None;
                first.time = entry.time;
                over -= 1;
            }
            None => kept.push((entry, set)),
        }
    }
    all.extend(rest);
    all.extend(kept);
}

/// What a manifest makes of an object, and whose its fields are then. `live` is `null` if there is none yet.
/// # Errors
/// 409 with every field that somebody else owns and the manifest would change, unless `force`; before that a manifest
/// that says itself whose its fields are, or that is not of its kind's form.
pub fn apply(
    of: Of<'_>,
    had: &[ManagedFieldsEntry],
    live: &Value,
    manifest: &Value,
    writer: Writer<'_>,
    force: bool,
) -> Result<(Value, Vec<ManagedFieldsEntry>), ApiStatus> {
    let version = of.kind.info().api_version();
    let shape = of.shape();
    fits(of, manifest)?;
    let nothing = json!({});
    let live = if live.is_null() { &nothing } else { live };
    let wanted = stripped(walk::fields(shape, manifest), writer);
    // Who wrote what nobody noted is not known any more.
    // Source: apimachinery `pkg/util/managedfields/internal/skipnonapplied.go`.
    let unnoted = if had.is_empty() && *live != json!({}) {
        let unknown = Writer { manager: "before-first-apply", ..writer };
        update(of, &[], &Value::Null, live, unknown)
    } else {
        Vec::new()
    };
    let mut all = sets(if had.is_empty() { &unnoted } else { had });
    let before = all.iter().position(|(entry, _)| is(entry, writer, "Apply", &version));
    let (own, last) = match before {
        Some(at) => {
            let (own, last) = all.remove(at);
            (Some(own), last)
        }
        None => (None, Set::default()),
    };
    let others = all.iter().fold(Set::default(), |sum, (_, set)| sum.union(set));
    let mut merged = walk::merge(shape, live, manifest);
    // What this manager applied before and does not apply now goes, if nobody else has it.
    let dropped = last.difference(&wanted);
    walk::remove(shape, &mut merged, &dropped, &others.union(&wanted));
    let changed = walk::compare(shape, live, &merged);
    let taken = changed.modified.union(&changed.added);
    let conflicts: Vec<(ManagedFieldsEntry, Set)> = all
        .iter()
        .map(|(entry, set)| (entry.clone(), set.intersection(&taken)))
        .filter(|(_, set)| !set.is_empty())
        .collect();
    if !force && !conflicts.is_empty() {
        let allowed = if writer.manager == KUBECTL { was_applied(of, live) } else { Set::default() };
        let left = conflicts.into_iter().map(|(entry, set)| (entry, set.difference(&allowed)));
        let left: Vec<(ManagedFieldsEntry, Set)> = left.filter(|(_, set)| !set.is_empty()).collect();
        if !left.is_empty() {
            return Err(conflict(&left));
        }
    }
    for (_, set) in &mut all {
        *set = set.difference(&taken).difference(&changed.removed);
    }
    let mut entry = entry(writer, "Apply", &version);
    if changed.is_empty() {
        // UPSTREAM: who changes nothing keeps the time of its last change, and has none if there was no such.
        entry.time = own.and_then(|own| own.time);
    }
    all.push((entry, wanted));
    if writer.manager == KUBECTL {
        keep_last_applied(&mut merged, manifest);
    }
    Ok((merged, entries(all)))
}

/// Where an object tells what was applied on the client's side, it is told what is applied now.
/// Source: apimachinery `pkg/util/managedfields/internal/lastappliedupdater.go`.
fn keep_last_applied(merged: &mut Value, manifest: &Value) {
    let Some(annotations) = merged.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) else {
        return;
    };
    if annotations.get(LAST_APPLIED).and_then(Value::as_str).is_none_or(str::is_empty) {
        return;
    }
    let mut own = manifest.clone();
    if let Some(annotations) = own.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    annotations.insert(LAST_APPLIED.to_owned(), format!("{}\n", crate::emit::compact(&own)).into());
    let size: usize =
        annotations.iter().map(|(key, value)| key.len() + value.as_str().unwrap_or_default().len()).sum();
    if size > MOST_ANNOTATIONS {
        annotations.remove(LAST_APPLIED);
    }
}

/// The owners that a request itself names, in upstream's order; nothing where it is silent about them.
/// An empty list, or one empty entry, takes all of them away.
/// Source: apimachinery `pkg/util/managedfields/internal/fieldmanager.go` (`decodeLiveOrNew`).
#[must_use]
pub fn given(named: Option<Vec<ManagedFieldsEntry>>) -> Option<Vec<ManagedFieldsEntry>> {
    let named = named?;
    if named == [ManagedFieldsEntry::default()] {
        return Some(Vec::new());
    }
    Some(entries(sets(&named)))
}

fn fits(of: Of<'_>, manifest: &Value) -> Result<(), ApiStatus> {
    let meta = &manifest["metadata"];
    if meta["managedFields"].as_array().is_some_and(|entries| !entries.is_empty()) {
        return Err(ApiStatus::bad_request("metadata.managedFields must be nil"));
    }
    let misfits = typed::misfits(of.shape(), manifest);
    let why = match misfits.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("errors:\n  {}", many.join("\n  ")),
    };
    let info = of.kind.info();
    let text = |field: &str| meta[field].as_str().unwrap_or_default().to_owned();
    let message = format!(
        "failed to create typed patch object ({}/{}; {}/{}, Kind={}): {why}",
        text("namespace"),
        text("name"),
        info.group,
        info.version,
        info.kind
    );
    // UPSTREAM: a plain Go error, which has neither a reason nor causes.
    Err(ApiStatus {
        code: 500,
        reason: String::new(),
        message,
        causes: Vec::new(),
        name: String::new(),
        group: String::new(),
        kind: String::new(),
    })
}

/// What of the live object `kubectl` applied on the client's side before, as its annotation tells: that may be taken over
/// without a word. Source: apimachinery `pkg/util/managedfields/internal/lastappliedmanager.go`.
fn was_applied(of: Of<'_>, live: &Value) -> Set {
    let annotations = live.pointer("/metadata/annotations");
    let last = annotations.and_then(|it| it.get(LAST_APPLIED)).and_then(Value::as_str);
    let Some(last) = last.and_then(|last| serde_json::from_str::<Value>(last).ok()) else {
        return Set::default();
    };
    let shape = of.shape();
    if last["apiVersion"] != of.kind.info().api_version() || !typed::misfits(shape, &last).is_empty() {
        return Set::default();
    }
    let differs = walk::compare(shape, &last, live);
    walk::fields(shape, &last)
        .difference(&differs.modified)
        .difference(&differs.added)
        .difference(&differs.removed)
}

/// `"kubectl-replace" using v1`.
fn named(entry: &ManagedFieldsEntry) -> String {
    let mut words = format!("{:?}", entry.manager.as_deref().unwrap_or_default());
    if let Some(part) = entry.subresource.as_deref().filter(|part| !part.is_empty()) {
        words.push_str(&format!(" with subresource {part:?}"));
    }
    if entry.operation.as_deref() == Some("Update") {
        words.push_str(&format!(" using {}", entry.api_version.as_deref().unwrap_or_default()));
    }
    words
}

fn conflict(conflicts: &[(ManagedFieldsEntry, Set)]) -> ApiStatus {
    let mut sorted: Vec<(String, Vec<String>)> =
        conflicts.iter().map(|(entry, set)| (named(entry), set.paths())).collect();
    sorted.sort();
    let count: usize = sorted.iter().map(|(_, paths)| paths.len()).sum();
    let message = match sorted.as_slice() {
        [(manager, paths)] if count == 1 => {
            format!("Apply failed with 1 conflict: conflict with {manager}: {}", paths.concat())
        }
        many => {
            let mut lines = Vec::new();
            for (manager, paths) in many {
                lines.push(format!("conflicts with {manager}:"));
                lines.extend(paths.iter().map(|path| format!("- {path}")));
            }
            format!("Apply failed with {count} conflicts: {}", lines.join("\n"))
        }
    };
    let causes = sorted.iter().flat_map(|(manager, paths)| {
        paths.iter().map(move |path| Cause {
            reason: "FieldManagerConflict".to_owned(),
            message: format!("conflict with {manager}"),
            field: path.clone(),
        })
    });
    ApiStatus {
        code: 409,
        reason: "Conflict".to_owned(),
        message,
        causes: causes.collect(),
        name: String::new(),
        group: String::new(),
        kind: String::new(),
    }
}
