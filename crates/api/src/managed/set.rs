//! A set of fields, as `fieldsV1` writes it.
//!
//! Source: structured-merge-diff `fieldpath/{set,serialize,element}.go`.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value};

/// Fields of an object. A step is written as `f:name`, `k:{"name":"a"}` or `v:"x"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    members: BTreeSet<String>,
    below: BTreeMap<String, Set>,
}

impl Set {
    /// Reads `fieldsV1`.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let mut set = Self::default();
        for (step, inner) in value.as_object().into_iter().flatten() {
            if step == "." {
                continue;
            }
            let fields = inner.as_object();
            if fields.is_none_or(|it| it.is_empty() || it.contains_key(".")) {
                set.members.insert(step.clone());
            }
            let inner = Self::of(inner);
            if !inner.is_empty() {
                set.below.insert(step.clone(), inner);
            }
        }
        set
    }

    /// Whether no field is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.below.values().all(Self::is_empty)
    }

    pub(super) fn insert(&mut self, path: &[String]) {
        match path {
            [] => {}
            [last] => {
                self.members.insert(last.clone());
            }
            [step, rest @ ..] => self.below.entry(step.clone()).or_default().insert(rest),
        }
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.members.extend(other.members.iter().cloned());
        for (step, set) in &other.below {
            let own = out.below.entry(step.clone()).or_default();
            *own = own.union(set);
        }
        out
    }

    pub(super) fn difference(&self, other: &Self) -> Self {
        self.combined(other, |own, other| own && !other)
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |own, other| own && other)
    }

    fn combined(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Self {
        let nothing = Self::default();
        let members = self.members.iter().filter(|step| keep(true, other.members.contains(*step)));
        let below = self
            .below
            .iter()
            .map(|(step, set)| (step.clone(), set.combined(other.below.get(step).unwrap_or(&nothing), keep)));
        Self {
            members: members.cloned().collect(),
            below: below.filter(|(_, set)| !set.is_empty()).collect(),
        }
    }

    pub(super) fn members(&self) -> &BTreeSet<String> {
        &self.members
    }

    pub(super) fn below(&self, step: &str) -> Option<&Self> {
        self.below.get(step)
    }

    /// Takes one field out; what lies below it stays.
    pub(super) fn forget(&mut self, path: &[&str]) {
        match path {
            [] => {}
            [last] => {
                self.members.remove(&format!("f:{last}"));
            }
            [step, rest @ ..] => {
                if let Some(set) = self.below.get_mut(&format!("f:{step}")) {
                    set.forget(rest);
                }
                self.below.retain(|_, set| !set.is_empty());
            }
        }
    }

    /// Takes a field out with everything below it.
    pub(super) fn drop(&mut self, path: &[&str]) {
        match path {
            [] => {}
            [last] => {
                self.members.remove(&format!("f:{last}"));
                self.below.remove(&format!("f:{last}"));
            }
            [step, rest @ ..] => {
                if let Some(set) = self.below.get_mut(&format!("f:{step}")) {
                    set.drop(rest);
                }
                self.below.retain(|_, set| !set.is_empty());
            }
        }
    }

    /// Every field as messages write it: `.spec.containers[name="a"].image`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let own = self.members.iter().map(|step| shown(step));
        let below = self.below.iter().flat_map(|(step, set)| {
            let start = shown(step);
            set.paths().into_iter().map(move |path| format!("{start}{path}"))
        });
        own.chain(below).collect()
    }
}

/// As `fieldsV1`: steps by name, and `.` before them where the field itself is in the set too.
impl Serialize for Set {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Below { set: self, itself: false }.serialize(serializer)
    }
}

struct Below<'s> {
    set: &'s Set,
    itself: bool,
}

impl Serialize for Below<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nothing = Set::default();
        let mut out = serializer.serialize_map(None)?;
        if self.itself {
            out.serialize_entry(".", &Below { set: &nothing, itself: false })?;
        }
        let steps: BTreeSet<&String> = self.set.members.iter().chain(self.set.below.keys()).collect();
        for step in steps {
            let below = self.set.below.get(step);
            let itself = below.is_some() && self.set.members.contains(step);
            out.serialize_entry(step, &Below { set: below.unwrap_or(&nothing), itself })?;
        }
        out.end()
    }
}

/// A step as messages write it.
pub(super) fn shown(step: &str) -> String {
    let (sort, rest) = step.split_once(':').unwrap_or(("f", step));
    match sort {
        "k" => {
            let key: Map<String, Value> = serde_json::from_str(rest).unwrap_or_default();
            let fields: Vec<String> = key.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", fields.join(","))
        }
        "v" => format!("[={rest}]"),
        "i" => format!("[{rest}]"),
        _ => format!(".{rest}"),
    }
}
