//! What may be written at this place of a manifest, and what does a field mean?
//!
//! [`complete`] and [`explain`] find the place by indentation, because a text that is being written is seldom whole; what is known of
//! it is the schema that also decodes and explains. Flow style (`{…}`, `[…]`) is left alone.
//! Descriptions are upstream's own, their first sentence.

use std::collections::BTreeMap;

use api::{
    Kind,
    kind::Domain,
    schema::{self, FieldSchema, Type, TypeSchema},
};

/// What may follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Letters before the cursor that belong to the word.
    pub typed: usize,
    /// What the word may become: needed fields first, then by name.
    pub offers: Vec<Word>,
}

/// A field, or a value of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As it is written.
    pub name: String,
    /// The field's type; empty for a value.
    pub kind: String,
    /// What it is, in a sentence.
    pub about: String,
}

/// What may be written between `before` and `after`.
#[must_use]
pub fn complete(before: &str, after: &str) -> Completion {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let typed =
        line.len() - line.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "./-_".contains(c)).len();
    let nothing = Completion { typed, offers: Vec::new() };
    let (head, word) = line.split_at(line.len() - typed);
    if line.trim_start().starts_with('#') || line.contains(['{', '[', '"', '\'']) {
        return nothing;
    }
    let above: Vec<&str> = before.lines().collect();
    let above = &above[..above.len() - usize::from(!line.is_empty())];
    let document = Document::around(above, line, after);
    let offers = match head.trim_start_matches(['-', ' ']).split_once(':') {
        Some((key, rest)) if rest.trim().is_empty() && rest.starts_with(' ') => {
            document.values(key.trim(), line)
        }
        Some(_) => Vec::new(),
        // A dash that is typed is no word yet.
        None if word.starts_with('-') => Vec::new(),
        None => document.fields(line, head, after),
    };
    // A word that is whole is done, though a longer one begins like it: Enter must not make it that.
    if offers.iter().any(|it| it.name == word) {
        return nothing;
    }
    Completion { typed, offers: offers.into_iter().filter(|it| it.name.starts_with(word)).collect() }
}

/// The field whose name stands at `at`, counted in units of UTF-16 as browsers do.
#[must_use]
pub fn explain(text: &str, at: usize) -> Option<Word> {
    let mut units = 0;
    let place = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > at
    })?;
    let start = text[..place.0].rfind('\n').map_or(0, |found| found + 1);
    let (before, rest) = text.split_at(start);
    let line = rest.lines().next()?;
    let key = Key::of(line)?;
    let column = place.0 - start;
    if !(key.column..key.column + key.name.len()).contains(&column) {
        return None;
    }
    let above: Vec<&str> = before.lines().collect();
    let document = Document::around(&above, line, &rest[line.len()..]);
    let owner = document.owner(key.limit())?;
    owner.field(key.name).map(|field| word(owner, field))
}

/// A line that says a key.
#[derive(Clone, Copy)]
struct Key<'t> {
    name: &'t str,
    /// Where it begins.
    column: usize,
    /// Where the first dash before it stands.
    dash: Option<usize>,
}

impl<'t> Key<'t> {
    fn of(line: &'t str) -> Option<Self> {
        let rest = line.trim_start_matches([' ', '-']);
        let column = line.len() - rest.len();
        if rest.starts_with('#') {
            return None;
        }
        let (name, value) = rest.split_once(':')?;
        let whole = value.is_empty() || value.starts_with(' ');
        whole.then_some(Self { name: name.trim(), column, dash: line[..column].find('-') })
    }

    /// What it belongs to begins left of this.
    fn limit(&self) -> usize {
        self.dash.map_or(self.column, |dash| dash + 1)
    }
}

/// The document that is being written, as far as lines tell.
struct Document<'t> {
    above: &'t [&'t str],
    root: Option<&'static TypeSchema>,
    versioned: Option<String>,
}

impl<'t> Document<'t> {
    fn around(above: &'t [&'t str], line: &str, after: &str) -> Self {
        let start = above.iter().rposition(|it| it.trim_end() == "---").map_or(0, |at| at + 1);
        let above = &above[start..];
        let below = after.lines().take_while(|it| it.trim_end() != "---");
        let mut said = BTreeMap::new();
        for line in above.iter().copied().chain([line]).chain(below) {
            if let Some((key, value)) = line.split_once(':')
                && matches!(key, "apiVersion" | "kind")
            {
                said.entry(key).or_insert_with(|| value.trim().to_owned());
            }
        }
        let text = |key: &str| said.get(key).map(String::as_str).unwrap_or_default();
        let root = match (text("apiVersion"), text("kind")) {
            ("eksctl.io/v1alpha5", "ClusterConfig") => schema::definition("eksctl.v1alpha5.ClusterConfig"),
            ("kind.x-k8s.io/v1alpha4", "Cluster") => schema::definition("kind.v1alpha4.Cluster"),
            (version, kind) => Kind::of_manifest(version, kind).and_then(schema::root),
        };
        Self { above, root, versioned: said.remove("apiVersion") }
    }

    /// The struct to which keys belong that stand under the lines above and right of `limit`.
    fn owner(&self, mut limit: usize) -> Option<&'static TypeSchema> {
        let mut path = Vec::new();
        for key in self.above.iter().rev().filter_map(|line| Key::of(line)) {
            if key.column < limit {
                path.push(key.name);
                limit = key.limit();
            } else if key.dash.is_some_and(|dash| dash < limit) && key.column == limit {
                limit = key.limit();
            }
        }
        let mut owner = self.root?;
        for name in path.iter().rev() {
            owner = owner.field(name)?.ty.inner_object()?;
        }
        Some(owner)
    }

    /// Fields that may stand on this line and do not stand beside it yet.
    fn fields(&self, line: &str, head: &str, after: &str) -> Vec<Word> {
        let column = head.len();
        let dash = head.find('-');
        let mut limit = column;
        let mut there = Vec::new();
        if let Some(dash) = dash {
            limit = dash + 1;
        } else {
            for key in self.above.iter().rev().filter_map(|line| Key::of(line)) {
                if key.column < column {
                    break;
                }
                if key.column == column {
                    there.push(key.name);
                    if key.dash.is_some() {
                        limit = key.limit();
                        break;
                    }
                }
            }
        }
        for line in after.lines().skip(1) {
            let Some(key) = Key::of(line).filter(|key| key.column >= column && key.limit() >= column) else {
                break;
            };
            if key.column == column {
                there.push(key.name);
            }
        }
        if column == 0 && self.root.is_none() {
            let start =
                ["apiVersion", "kind", "metadata", "spec"].iter().filter(|name| !there.contains(name));
            return start.map(|name| plain(name, "string")).collect();
        }
        let Some(owner) = self.owner(limit) else { return Vec::new() };
        let mut fields: Vec<&FieldSchema> = owner
            .fields
            .iter()
            .filter(|field| !there.contains(&field.name))
            // Nobody writes a status; who has begun to type it may.
            .filter(|field| column > 0 || field.name != "status" || !line.is_empty())
            .collect();
        fields.sort_by_key(|field| (!field.required, field.name));
        fields.into_iter().map(|field| word(owner, field)).collect()
    }

    /// Values that a key can have.
    fn values(&self, key: &str, line: &str) -> Vec<Word> {
        let column = line.len() - line.trim_start_matches([' ', '-']).len();
        let served =
            || Kind::EVERY.iter().map(|kind| kind.info()).filter(|info| info.domain() == Domain::Kubernetes);
        match (column, key) {
            (0, "kind") => {
                let of = self.versioned.as_deref().filter(|version| !version.is_empty());
                let kinds = served().filter(|info| of.is_none_or(|version| info.api_version() == version));
                sorted(kinds.map(|info| info.kind.to_owned()))
            }
            (0, "apiVersion") => sorted(
                served()
                    .map(api::kind::KindInfo::api_version)
                    .chain(["eksctl.io/v1alpha5".to_owned(), "kind.x-k8s.io/v1alpha4".to_owned()]),
            ),
            _ => {
                let limit = Key::of(line).map_or(column, |key| key.limit());
                let field = self.owner(limit).and_then(|owner| owner.field(key));
                match field.map(|field| &field.ty) {
                    Some(Type::Boolean) => sorted(["false".to_owned(), "true".to_owned()].into_iter()),
                    _ => Vec::new(),
                }
            }
        }
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<Word> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|name| plain(&name, "")).collect()
}

fn plain(name: &str, kind: &str) -> Word {
    Word { name: name.to_owned(), kind: kind.to_owned(), about: String::new() }
}

fn word(owner: &'static TypeSchema, field: &FieldSchema) -> Word {
    let about =
        schema::descriptions().get(&(owner.definition, field.name)).map(String::as_str).unwrap_or_default();
    let sentence = about.find(". ").map_or(about, |at| &about[..=at]);
    Word {
        name: field.name.to_owned(),
        kind: field.go_type(),
        about: sentence.lines().next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n";

    fn names(before: &str, after: &str) -> Vec<String> {
        complete(before, after).offers.into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn fields_are_offered_where_they_belong() {
        assert_eq!(names(&format!("{POD}  sched"), ""), ["schedulerName", "schedulingGates"]);
        assert_eq!(names(&format!("{POD}  schedulingGates:\n    - n"), ""), ["name"]);
        assert_eq!(
            names(&format!("{POD}  containers:\n  - name: app\n    imagePull"), ""),
            ["imagePullPolicy"]
        );
        assert_eq!(
            names(
                &format!(
                    "{POD}  containers:\n    - name: app\n      ports:\n        - containerPort: 80\n  nodeN"
                ),
                ""
            ),
            ["nodeName"]
        );
        assert_eq!(
            names("apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmana", ""),
            ["managedNodeGroups"]
        );
        assert_eq!(names("kind: Pod\napiVersion: v1\n---\nme", ""), ["metadata"]);
    }

    #[test]
    fn what_stands_there_already_is_not_offered_again() {
        let found = names(&format!("{POD}  containers:\n    - na"), "\n      image: x\n");
        assert_eq!(found, ["name"]);
        let found = names(&format!("{POD}  containers:\n    - name: x\n      ima"), "\n      image: x\n");
        assert_eq!(found, ["imagePullPolicy"]);
    }

    #[test]
    fn values_are_offered_where_few_are_possible() {
        assert_eq!(names("apiVersion: apps/v1\nkind: D", ""), ["DaemonSet", "Deployment"]);
        assert_eq!(names("apiVersion: v1\nkind: Pod", ""), [""; 0]);
        assert_eq!(names(&format!("{POD}  hostNetwork: t"), ""), ["true"]);
        assert_eq!(names(&format!("{POD}  nodeName: w"), ""), [""; 0]);
        assert_eq!(names(&format!("{POD}  containers: [{{na"), ""), [""; 0]);
    }

    #[test]
    fn a_field_under_the_pointer_is_explained_in_one_sentence() {
        let text = format!("{POD}  schedulingGates:\n    - name: 파드\n      x: y\n");
        let at = |sought: &str| text[..text.find(sought).expect("it is there")].encode_utf16().count() + 1;
        let found = explain(&text, at("schedulingGates")).expect("a field");
        assert_eq!((found.name.as_str(), found.kind.as_str()), ("schedulingGates", "[]v1.PodSchedulingGate"));
        assert!(found.about.starts_with("SchedulingGates is"), "{}", found.about);
        assert_eq!(explain(&text, at("x: y")), None);
        assert_eq!(explain(&text, usize::MAX), None);
    }
}
