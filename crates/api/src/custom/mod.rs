//! What does a CustomResourceDefinition add to a cluster, and what may its objects look like?
//!
//! [`Definition`] reads a definition; [`Definition::kind`] makes the [`Kind`] of one of its versions, which is used like
//! any other. A version's [`Version::read`] prunes and defaults what is sent, its [`Version::check`] holds the schema
//! against it. Whether a definition is legal itself is said by [`crate::validate`].
//! This module does not know which definitions a cluster has.
//! Source: `k8s.io/apiextensions-apiserver` v0.34 and later.

mod declared;
mod format;
mod rules;
mod schema;
mod value;

use std::{cell::RefCell, cmp::Ordering};

use serde_json::Value;

use crate::{Kind, KindInfo, Scope, Stored, kind::CUSTOM};

pub use self::value::Blocked;
pub(crate) use self::{
    declared::{Declaration, LARGEST_REQUEST, declared},
    format::is as is_format,
    rules::names as rule_names,
};

/// A kind that a definition adds, by its group and plural: all its versions are one kind to the store.
#[derive(Clone, Copy, Debug)]
pub struct Custom(&'static KindInfo);

impl Custom {
    /// What it is called.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        self.0
    }

    fn key(self) -> (&'static str, &'static str) {
        (self.0.group, self.0.plural)
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Custom {}

impl PartialOrd for Custom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Custom {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl std::hash::Hash for Custom {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

thread_local! {
    // INVARIANT: only ever added to; a kind's names are the same for ever, so nothing can be seen of the order in which they came.
    static KNOWN: RefCell<Vec<&'static KindInfo>> = const { RefCell::new(Vec::new()) };
}

/// The one copy of these names. A definition's names live as long as the process: kinds are compared and copied everywhere, and
/// a learner defines few.
fn intern(wanted: &Definition, version: &str) -> &'static KindInfo {
    KNOWN.with_borrow_mut(|known| {
        let is_same = |info: &&&'static KindInfo| {
            info.group == wanted.group
                && info.version == version
                && info.plural == wanted.plural
                && info.kind == wanted.kind
                && info.singular == Some(wanted.singular.as_str())
                && info.short.iter().eq(wanted.short.iter())
                && info.scope == wanted.scope
                && info.categories.iter().eq(wanted.categories.iter())
        };
        if let Some(info) = known.iter().find(is_same) {
            return *info;
        }
        let text = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let list = |list: &[String]| -> &'static [&'static str] {
            Box::leak(list.iter().map(|it| text(it)).collect::<Vec<_>>().into_boxed_slice())
        };
        let info: &'static KindInfo = Box::leak(Box::new(KindInfo {
            group: text(&wanted.group),
            version: text(version),
            plural: text(&wanted.plural),
            kind: text(&wanted.kind),
            singular: Some(text(&wanted.singular)),
            short: list(&wanted.short),
            scope: wanted.scope,
            categories: list(&wanted.categories),
            verbs: CUSTOM,
            simulated: false,
        }));
        known.push(info);
        info
    })
}

/// What a CustomResourceDefinition says.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Such as `lab.example.com`.
    pub group: String,
    /// Such as `widgets`.
    pub plural: String,
    /// Such as `widget`.
    pub singular: String,
    /// Such as `Widget`.
    pub kind: String,
    /// Such as `WidgetList`.
    pub list_kind: String,
    /// Such as `wx`.
    pub short: Vec<String>,
    /// Such as `all`.
    pub categories: Vec<String>,
    /// Where its objects' names are unique.
    pub scope: Scope,
    /// As they are listed.
    pub versions: Vec<Version>,
    /// Whether the API server has begun to serve it.
    pub established: bool,
    /// Whether it is being deleted: then nothing new is made of it.
    pub going: bool,
}

/// One version of a custom kind.
#[derive(Clone, Debug)]
pub struct Version {
    /// Such as `v1alpha1`.
    pub name: String,
    /// Whether it can be asked for.
    pub served: bool,
    /// Whether it is the one that is stored.
    pub storage: bool,
    /// Its structural schema; `null` if there is none.
    pub schema: Value,
    /// Whether the status has a door of its own.
    pub has_status: bool,
    /// Where `scale` finds its numbers.
    pub scale: Option<Scale>,
    /// What a table shows beside the name.
    pub columns: Vec<Column>,
    /// What is said to whoever uses it.
    pub deprecation: Option<String>,
    /// Fields, dotted, that a field selector may name.
    pub selectable: Vec<String>,
}

/// Where `scale` finds its numbers, as simple JSON paths.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Such as `.spec.replicas`.
    pub spec: String,
    /// Such as `.status.replicas`.
    pub status: String,
    /// Such as `.status.selector`.
    pub selector: Option<String>,
}

/// A column of a custom kind's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the definition writes it; shown in capitals.
    pub name: String,
    /// `integer`, `number`, `string`, `boolean` or `date`.
    pub type_: String,
    /// A JSON path without braces: `.spec.size`.
    pub path: String,
    /// Whether only `-o wide` shows it.
    pub wide: bool,
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

impl Definition {
    /// Reads a stored definition; `None` if it lacks what the server asks for.
    #[must_use]
    pub fn of(stored: &Stored) -> Option<Self> {
        let spec = stored.body.get("spec")?;
        let names = &spec["names"];
        let group = text(spec, "group");
        let kind = text(names, "kind");
        let or = |text: String, default: String| if text.is_empty() { default } else { text };
        let listed = spec["versions"].as_array()?;
        let versions: Vec<Version> = listed.iter().map(|it| Version::of(it, listed, &group, &kind)).collect();
        let conditions = stored.body.get("status").and_then(|status| status["conditions"].as_array());
        let established = conditions.is_some_and(|conditions| {
            conditions.iter().any(|it| it["type"] == "Established" && it["status"] == "True")
        });
        Some(Self {
            plural: text(names, "plural"),
            singular: or(text(names, "singular"), kind.to_lowercase()),
            list_kind: or(text(names, "listKind"), format!("{kind}List")),
            short: texts(&names["shortNames"]),
            categories: texts(&names["categories"]),
            scope: if spec["scope"] == "Cluster" { Scope::Cluster } else { Scope::Namespaced },
            group,
            kind,
            versions,
            established,
            going: stored.metadata.deletion_timestamp.is_some(),
        })
    }

    /// The kind of one of its versions.
    #[must_use]
    pub fn kind(&self, version: &str) -> Kind {
        Kind::Custom(Custom(intern(self, version)))
    }

    /// The kinds of the versions that are served, the preferred one first.
    #[must_use]
    pub fn served(&self) -> Vec<Kind> {
        let mut names: Vec<&str> =
            self.versions.iter().filter(|it| it.served).map(|it| it.name.as_str()).collect();
        names.sort_by_key(|name| std::cmp::Reverse(priority(name)));
        names.into_iter().map(|name| self.kind(name)).collect()
    }

    /// The version of this name.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }
}

/// `v10` before `v2` before `v1beta2` before `v1alpha1` before whatever else, that by its letters.
fn priority(version: &str) -> (u8, u64, u64, std::cmp::Reverse<&str>) {
    let other = (0, 0, 0, std::cmp::Reverse(version));
    let Some(rest) = version.strip_prefix('v') else { return other };
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (major, rest) = rest.split_at(digits(rest));
    let Ok(major) = major.parse::<u64>() else { return other };
    let (stage, minor) = if let Some(minor) = rest.strip_prefix("beta") {
        (2, minor)
    } else if let Some(minor) = rest.strip_prefix("alpha") {
        (1, minor)
    } else if rest.is_empty() {
        return (3, major, 0, std::cmp::Reverse(""));
    } else {
        return other;
    };
    let is_plain = !minor.is_empty() && digits(minor) == minor.len();
    let Some(minor) = minor.parse().ok().filter(|_| is_plain) else { return other };
    (stage, major, minor, std::cmp::Reverse(""))
}

/// What is said of a deprecated version that brings no words of its own: which newer one to use, if there is one.
/// Source: apiextensions-apiserver `pkg/apiserver/customresource_handler.go` (`defaultDeprecationWarning`).
fn deprecation(name: &str, all: &[Value], group: &str, kind: &str) -> String {
    let newer = all.iter().filter(|it| it["served"] == true && it["deprecated"] != true);
    let newer = newer.filter_map(|it| it["name"].as_str()).filter(|it| priority(it) > priority(name));
    match newer.max_by_key(|it| priority(it)) {
        Some(newer) => {
            format!("{group}/{name} {kind} is deprecated; use {group}/{newer} {kind}")
        }
        None => format!("{group}/{name} {kind} is deprecated"),
    }
}

impl Version {
    fn of(value: &Value, all: &[Value], group: &str, kind: &str) -> Self {
        let name = text(value, "name");
        let parts = &value["subresources"];
        let scale = parts.get("scale").filter(|it| it.is_object());
        let column = |it: &Value| Column {
            name: text(it, "name"),
            type_: text(it, "type"),
            path: text(it, "jsonPath"),
            wide: it["priority"].as_i64().unwrap_or(0) != 0,
        };
        let mut columns: Vec<Column> =
            value["additionalPrinterColumns"].as_array().into_iter().flatten().map(column).collect();
        if columns.is_empty() {
            columns.push(Column {
                name: "Age".to_owned(),
                type_: "date".to_owned(),
                path: ".metadata.creationTimestamp".to_owned(),
                wide: false,
            });
        }
        let selectable = value["selectableFields"].as_array().into_iter().flatten();
        let deprecated = value["deprecated"] == true;
        Self {
            served: value["served"] == true,
            storage: value["storage"] == true,
            schema: value["schema"]["openAPIV3Schema"].clone(),
            has_status: parts.get("status").is_some_and(Value::is_object),
            scale: scale.map(|it| Scale {
                spec: text(it, "specReplicasPath"),
                status: text(it, "statusReplicasPath"),
                selector: it["labelSelectorPath"].as_str().map(str::to_owned),
            }),
            columns,
            deprecation: deprecated.then(|| match value["deprecationWarning"].as_str() {
                Some(words) => words.to_owned(),
                None => deprecation(&name, all, group, kind),
            }),
            selectable: selectable
                .map(|it| text(it, "jsonPath").trim_start_matches('.').to_owned())
                .collect(),
            name,
        }
    }

    /// Drops from an object what the schema does not know, and fills in its defaults; the paths of what was dropped.
    pub fn read(&self, object: &mut Value) -> Vec<String> {
        let unknown = schema::prune(object, &self.schema);
        schema::fill(object, &self.schema);
        unknown
    }

    /// Whether the schema has rules in CEL anywhere.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        schema::has_rules(&self.schema)
    }

    /// Asks the rules in CEL about an object that keeps to the schema otherwise.
    #[must_use]
    pub fn ask(&self, old: Option<&Value>, object: &Value) -> Vec<crate::Cause> {
        rules::ask(&self.schema, old, object)
    }

    /// Holds the schema against an object, alone or after `old`: what was wrong before and did not change is let be.
    #[must_use]
    pub fn check(&self, old: Option<&Value>, object: &Value) -> Vec<crate::Cause> {
        value::check(&self.schema, old, object)
    }
}

/// Holds a schema against one value, such as a default.
pub(crate) fn check_value(schema: &Value, value: &Value) -> Vec<crate::Cause> {
    value::check(schema, None, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_preferred_as_upstream_sorts_them() {
        let mut versions =
            ["v1alpha1", "foo1", "v11beta2", "v10", "v2", "v3beta1", "v12alpha1", "foo10", "v1"];
        versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        // The example of the Kubernetes documentation, "Versions in CustomResourceDefinitions".
        assert_eq!(
            versions,
            ["v10", "v2", "v1", "v11beta2", "v3beta1", "v12alpha1", "v1alpha1", "foo1", "foo10"]
        );
    }
}
