//! Which fields does an object have, and what may stand in them?
//!
//! One schema serves strict decoding, completion, `kubectl explain`, patches and the coverage page. For the kinds of
//! the API it is derived from `k8s-openapi` when this crate is built (`build.rs`), with the Go types and merge keys of
//! `data/go-types.txt`; for the config files of eksctl and kind it is `data/config-files.txt`.
//! What the fields mean is a text of its own, [`DESCRIPTIONS`], which may come later.
//!
//! ```
//! use api::{Kind, schema};
//! let pod = schema::root(Kind::Pod).expect("a schema");
//! let spec = pod.field("spec").and_then(|field| field.ty.object()).expect("a spec");
//! let containers = spec.field("containers").expect("containers");
//! assert!(containers.required);
//! assert_eq!(containers.patch, schema::Patch::Merge { key: "name", retain_keys: false });
//! ```

use std::{collections::BTreeMap, sync::OnceLock};

use crate::{Domain, FieldPath, Kind, asset::Asset, field::Step};

static TEXT: &str = include_str!(concat!(env!("OUT_DIR"), "/schema.txt"));

/// What the fields mean, in the API's own words; read it with [`descriptions`]. About 600 kB.
#[cfg(any(not(target_arch = "wasm32"), feature = "carry"))]
pub static DESCRIPTIONS: Asset =
    Asset::carried("fields", include_str!(concat!(env!("OUT_DIR"), "/descriptions.txt")));
/// What the fields mean, in the API's own words; read it with [`descriptions`]. About 600 kB.
#[cfg(not(any(not(target_arch = "wasm32"), feature = "carry")))]
pub static DESCRIPTIONS: Asset = Asset::brought("fields");

/// A struct of the API.
#[derive(Debug)]
pub struct TypeSchema {
    /// Such as `io.k8s.api.core.v1.Container`.
    pub definition: &'static str,
    /// Its fields in the order of their names.
    pub fields: Vec<FieldSchema>,
}

/// A field of a struct.
#[derive(Debug)]
pub struct FieldSchema {
    /// Such as `containerPort`.
    pub name: &'static str,
    /// Whether the API asks for it.
    pub required: bool,
    /// What may stand in it.
    pub ty: Type,
    /// The Go type, where it has a name of its own: `v1.RestartPolicy`.
    pub go: Option<&'static str>,
    /// How a strategic merge patch treats it.
    pub patch: Patch,
    /// When the API server writes it.
    pub written: Written,
    /// How many fields stand before it in the Go struct.
    pub place: u16,
}

/// When the API server writes a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Also when nothing was ever put there: as zero, an empty string or `null`.
    Always,
    /// Also when nothing was ever put there, but then as `null`.
    OrNull,
    /// When it was set, be it to an empty value.
    WhenSet,
    /// Unless it is empty or zero.
    UnlessEmpty,
}

/// What may stand in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A 32-bit integer.
    Int32,
    /// A 64-bit integer.
    Int64,
    /// Any number.
    Float,
    /// `500m`, `1Gi`, 2.
    Quantity,
    /// `80` or `http`, `1` or `25%`.
    IntOrString,
    /// RFC 3339, whole seconds.
    Time,
    /// RFC 3339 with microseconds.
    MicroTime,
    /// Base64.
    Bytes,
    /// Whatever.
    Any,
    /// A list.
    List(Box<Type>),
    /// A map from strings.
    Map(Box<Type>),
    /// A struct.
    Object(TypeId),
}

/// A struct by its place in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeId(u16);

/// How a strategic merge patch treats a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patch {
    /// The patch's value takes the place of the old; structs and maps merge field by field.
    Replace,
    /// The patch's value takes the place of the old, also of a struct.
    Whole,
    /// A list that merges by a key of its items, or by the items themselves where the key is empty.
    Merge {
        /// Such as `name`; empty for lists of scalars.
        key: &'static str,
        /// Whether an item that is named loses the fields that the patch does not list.
        retain_keys: bool,
    },
    /// A struct that loses the fields that the patch does not list.
    RetainKeys,
}

impl TypeId {
    /// The struct.
    #[must_use]
    pub fn schema(self) -> &'static TypeSchema {
        &table().types[usize::from(self.0)]
    }
}

impl TypeSchema {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FieldSchema> {
        self.fields.binary_search_by(|field| field.name.cmp(name)).ok().map(|at| &self.fields[at])
    }

    /// Such as `Container`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.definition.rsplit('.').next().unwrap_or_default()
    }

    /// The name of the type in Go: `v1.Container`.
    #[must_use]
    pub fn go_name(&self) -> String {
        let mut parts = self.definition.rsplit('.');
        let name = parts.next().unwrap_or_default();
        format!("{}.{name}", parts.next().unwrap_or_default())
    }
}

impl FieldSchema {
    /// The name of the field's type in Go: `[]v1.Container`, `map[string]string`, `int32`.
    #[must_use]
    pub fn go_type(&self) -> String {
        self.go.map_or_else(|| self.ty.go_type(), str::to_owned)
    }

    /// The name of the type of an item or value, in Go.
    #[must_use]
    pub fn go_item(&self) -> String {
        let listed = self.go.and_then(|go| go.strip_prefix("[]").or_else(|| go.strip_prefix("map[string]")));
        match (listed, &self.ty) {
            (Some(item), _) => item.to_owned(),
            (None, Type::List(item) | Type::Map(item)) => item.go_type(),
            (None, other) => other.go_type(),
        }
    }
}

impl Type {
    /// The struct, if it is one.
    #[must_use]
    pub fn object(&self) -> Option<&'static TypeSchema> {
        match self {
            Type::Object(id) => Some(id.schema()),
            _ => None,
        }
    }

    /// The struct here, or in the items or values of a list or map.
    #[must_use]
    pub fn inner_object(&self) -> Option<&'static TypeSchema> {
        match self {
            Type::Object(id) => Some(id.schema()),
            Type::List(item) | Type::Map(item) => item.inner_object(),
            _ => None,
        }
    }

    fn go_type(&self) -> String {
        match self {
            Type::Text => "string".to_owned(),
            Type::Boolean => "bool".to_owned(),
            Type::Int32 => "int32".to_owned(),
            Type::Int64 => "int64".to_owned(),
            Type::Float => "float64".to_owned(),
            Type::Quantity => "resource.Quantity".to_owned(),
            Type::IntOrString => "intstr.IntOrString".to_owned(),
            Type::Time => "v1.Time".to_owned(),
            Type::MicroTime => "v1.MicroTime".to_owned(),
            Type::Bytes => "[]uint8".to_owned(),
            Type::Any => "interface {}".to_owned(),
            Type::List(item) => format!("[]{}", item.go_type()),
            Type::Map(item) => format!("map[string]{}", item.go_type()),
            Type::Object(id) => id.schema().go_name(),
        }
    }
}

/// The schema of a kind; nothing for kinds that no API server serves, or that keep every field as it comes.
#[must_use]
pub fn root(kind: Kind) -> Option<&'static TypeSchema> {
    let info = kind.info();
    if info.domain() != Domain::Kubernetes {
        return None;
    }
    let package = match info.group {
        "apiextensions.k8s.io" => "apiextensions-apiserver.pkg.apis.apiextensions".to_owned(),
        "apiregistration.k8s.io" => "kube-aggregator.pkg.apis.apiregistration".to_owned(),
        "" => "api.core".to_owned(),
        group => format!("api.{}", group.split('.').next().unwrap_or_default()),
    };
    definition(&format!("io.k8s.{package}.{}.{}", info.version, info.kind))
}

/// A struct by its whole name: `io.k8s.api.core.v1.PodSpec`, `eksctl.v1alpha5.ClusterConfig`, `kind.v1alpha4.Cluster`.
#[must_use]
pub fn definition(name: &str) -> Option<&'static TypeSchema> {
    let table = table();
    table.names.get(name).map(|at| &table.types[usize::from(*at)])
}

/// The field that a path leads to, through lists and maps.
#[must_use]
pub fn field(root: &'static TypeSchema, path: &FieldPath) -> Option<&'static FieldSchema> {
    let (mut at, mut found) = (Some(root), None);
    for step in &path.0 {
        if let Step::Field(name) = step {
            let field = at?.field(name)?;
            at = field.ty.inner_object();
            found = Some(field);
        }
    }
    found
}

/// What structs and fields mean, by definition and field; the empty field is the struct itself.
pub type Descriptions = BTreeMap<(&'static str, &'static str), String>;

/// What [`DESCRIPTIONS`] says; nothing while it is missing.
#[must_use]
pub fn descriptions() -> &'static Descriptions {
    static READ: OnceLock<Descriptions> = OnceLock::new();
    static NOTHING: Descriptions = BTreeMap::new();
    match DESCRIPTIONS.text() {
        "" => &NOTHING,
        text => READ.get_or_init(|| described(text)),
    }
}

fn described(text: &'static str) -> Descriptions {
    let mut found = BTreeMap::new();
    let mut definition = "";
    for line in text.lines() {
        let Some((name, words)) = line.split_once('\t') else { continue };
        let words = unescaped(words);
        match name.strip_prefix(' ') {
            Some(field) => found.insert((definition, field), words),
            None => {
                definition = name;
                found.insert((definition, ""), words)
            }
        };
    }
    found
}

fn unescaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut letters = words.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.push(if letters.next() == Some('n') { '\n' } else { '\\' }),
            other => out.push(other),
        }
    }
    out
}

struct Table {
    types: Vec<TypeSchema>,
    names: BTreeMap<&'static str, u16>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let definitions = TEXT.lines().filter(|line| !line.starts_with(' '));
        let names = definitions.zip(0u16..).collect::<BTreeMap<_, _>>();
        let mut types: Vec<TypeSchema> = Vec::with_capacity(names.len());
        for line in TEXT.lines() {
            match line.strip_prefix(' ') {
                None => types.push(TypeSchema { definition: line, fields: Vec::new() }),
                Some(field) => {
                    if let Some(of) = types.last_mut() {
                        let place = u16::try_from(of.fields.len()).unwrap_or(u16::MAX);
                        of.fields.push(FieldSchema { place, ..read_field(field, &names) });
                    }
                }
            }
        }
        for of in &mut types {
            of.fields.sort_by_key(|field| field.name);
        }
        Table { types, names }
    })
}

fn read_field(line: &'static str, names: &BTreeMap<&'static str, u16>) -> FieldSchema {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    let ty = read_type(words.next().unwrap_or("*"), names);
    let go = words.next().filter(|go| *go != "-");
    let patch = match (words.next(), words.next()) {
        (Some("merge"), key) => Patch::Merge { key: key.unwrap_or_default(), retain_keys: false },
        (Some("merge,retainKeys"), key) => Patch::Merge { key: key.unwrap_or_default(), retain_keys: true },
        (Some("retainKeys"), _) => Patch::RetainKeys,
        (Some("replace"), _) => Patch::Whole,
        _ => Patch::Replace,
    };
    let (name, written) = match name.split_at(name.len().saturating_sub(1)) {
        (name, "=") => (name, Written::Always),
        (name, "^") => (name, Written::OrNull),
        (name, "?") => (name, Written::WhenSet),
        (name, "~") => (name, Written::UnlessEmpty),
        _ if matches!(ty, Type::Text | Type::Bytes | Type::List(_) | Type::Map(_)) => {
            (name, Written::UnlessEmpty)
        }
        _ => (name, Written::WhenSet),
    };
    let required = name.ends_with('!');
    FieldSchema { name: name.trim_end_matches('!'), required, ty, go, patch, written, place: 0 }
}

fn read_type(code: &str, names: &BTreeMap<&'static str, u16>) -> Type {
    match code.split_at(code.len().min(1)) {
        ("[", item) => Type::List(Box::new(read_type(item, names))),
        ("{", item) => Type::Map(Box::new(read_type(item, names))),
        ("#", name) => names.get(name).map_or(Type::Any, |at| Type::Object(TypeId(*at))),
        ("s", _) => Type::Text,
        ("b", _) => Type::Boolean,
        ("i", _) => Type::Int32,
        ("l", _) => Type::Int64,
        ("f", _) => Type::Float,
        ("q", _) => Type::Quantity,
        ("x", _) => Type::IntOrString,
        ("t", _) => Type::Time,
        ("m", _) => Type::MicroTime,
        ("y", _) => Type::Bytes,
        _ => Type::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_kind_has_a_schema_with_metadata_or_is_a_review() {
        let built_in = |kind: &&Kind| kind.info().domain() == Domain::Kubernetes && !kind.info().is_custom();
        for kind in Kind::EVERY.iter().filter(built_in) {
            let schema = root(*kind).unwrap_or_else(|| panic!("{kind:?} has no schema"));
            assert!(schema.field("metadata").is_some(), "{kind:?}");
        }
    }

    #[test]
    fn fields_know_their_go_types_and_merge_keys() {
        let pod = root(Kind::Pod).expect("a schema");
        let at = |path: &str| field(pod, &FieldPath::of(path)).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(at("spec.containers").go_type(), "[]v1.Container");
        assert_eq!(at("spec.containers").go_item(), "v1.Container");
        assert_eq!(at("spec.containers.resources.requests").go_type(), "v1.ResourceList");
        assert_eq!(at("spec.nodeSelector").go_type(), "map[string]string");
        assert_eq!(at("spec.restartPolicy").go_type(), "v1.RestartPolicy");
        assert_eq!(
            at("spec.containers.ports").patch,
            Patch::Merge { key: "containerPort", retain_keys: false }
        );
        assert_eq!(at("metadata.finalizers").patch, Patch::Merge { key: "", retain_keys: false });
        assert_eq!(at("spec.volumes").patch, Patch::Merge { key: "name", retain_keys: true });
    }

    #[test]
    fn descriptions_are_found_by_definition_and_field() {
        let all = descriptions();
        let words = &all[&("io.k8s.api.core.v1.PodSpec", "nodeName")];
        assert!(words.contains("node"), "{words}");
    }

    #[test]
    fn config_files_of_the_tools_have_a_schema() {
        let cluster = definition("eksctl.v1alpha5.ClusterConfig").expect("a schema");
        assert!(field(cluster, &FieldPath::of("managedNodeGroups.maxPodsPerNode")).is_some());
        assert!(definition("kind.v1alpha4.Cluster").is_some_and(|it| it.field("nodes").is_some()));
    }
}
