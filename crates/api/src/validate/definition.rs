//! Is a CustomResourceDefinition legal?
//!
//! Its names, its versions, that each schema is structural (every field has a type, nothing but values is said in `anyOf` and the like),
//! its columns. Rules in CEL are looked at where expressions are.
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go`, `pkg/apiserver/schema/validation.go`.

use regex::Regex;
use serde_json::Value;

use super::{
    meta,
    name::{label_1035, subdomain},
    regexp::go_words,
    report::{At, Report, Written},
};
use crate::{Cause, Stored, jsonpath::JsonPath};

const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const NO_PATH: &str = "must be a simple json path starting with .";
/// How deep a schema is followed.
const DEEPEST: usize = 64;

pub(super) fn create(report: &mut Report, new: &Stored) {
    let spec = new.body.get("spec").unwrap_or(&Value::Null);
    meta::generic_object_meta(report, &new.metadata, false, subdomain);
    let wanted = format!("{}.{}", text(&spec["names"]["plural"]), text(&spec["group"]));
    let at = At::root("metadata");
    for (field, name) in [("generateName", &new.metadata.generate_name), ("name", &new.metadata.name)] {
        let name = meta::text(name.as_ref());
        if !name.is_empty() && name != wanted {
            report.invalid(&at.field(field), name, "must be spec.names.plural+\".\"+spec.group");
        }
    }
    of_spec(report, spec, &Value::Null);
    let versions = spec["versions"].as_array();
    if !versions.into_iter().flatten().any(|version| version["storage"] == true) {
        let at = At::root("status");
        report.invalid(&at.field("storedVersions"), &Value::Null, "must have at least one stored version");
    }
    preserves_unknown(report, spec);
}

pub(super) fn update(report: &mut Report, new: &Stored, old: &Stored) {
    meta::generic_object_meta_update(report, &new.metadata, &old.metadata);
    let spec = new.body.get("spec").unwrap_or(&Value::Null);
    let before = old.body.get("spec").unwrap_or(&Value::Null);
    of_spec(report, spec, before);
    let at = At::root("spec");
    let names = at.field("names");
    let mut immutable = |at: &At<'_>, new: &Value, old: &Value| {
        if new != old {
            report.invalid(at, new, "field is immutable");
        }
    };
    let established = old.body.get("status").and_then(|status| status["conditions"].as_array());
    let established = established.is_some_and(|conditions| {
        conditions.iter().any(|it| it["type"] == "Established" && it["status"] == "True")
    });
    if established {
        immutable(&at.field("scope"), &spec["scope"], &before["scope"]);
        immutable(&names.field("kind"), &spec["names"]["kind"], &before["names"]["kind"]);
    }
    immutable(&at.field("group"), &spec["group"], &before["group"]);
    immutable(&names.field("plural"), &spec["names"]["plural"], &before["names"]["plural"]);
    let stored = At::root("status");
    let stored = stored.field("storedVersions");
    let kept = new.body.get("status").and_then(|status| status["storedVersions"].as_array());
    for (n, version) in kept.into_iter().flatten().map(text).enumerate() {
        if !spec["versions"].as_array().into_iter().flatten().any(|it| it["name"] == version) {
            let why = format!(
                "missing from spec.versions; {version} was previously a storage version, and must remain in spec.versions \
                 until a storage migration ensures no data remains persisted in {version} and removes {version} from \
                 status.storedVersions"
            );
            report.invalid(&stored.index(n), version, &why);
        }
    }
    preserves_unknown(report, spec);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `before` is the spec that was there.
fn of_spec(report: &mut Report, spec: &Value, before: &Value) {
    let at = At::root("spec");
    let group = text(&spec["group"]);
    if group.is_empty() {
        report.required(&at.field("group"), "");
    } else {
        let wrong = subdomain(group, false);
        if !wrong.is_empty() {
            report.invalid(&at.field("group"), group, &wrong.join(","));
        } else if !group.contains('.') {
            report.invalid(&at.field("group"), group, "should be a domain with at least one dot");
        }
    }
    match text(&spec["scope"]) {
        "" => report.required(&at.field("scope"), ""),
        "Cluster" | "Namespaced" => {}
        other => report.not_supported(&at.field("scope"), other, &["Cluster", "Namespaced"]),
    }
    let versions: Vec<&Value> = spec["versions"].as_array().into_iter().flatten().collect();
    let listed = at.field("versions");
    for (n, version) in versions.iter().enumerate() {
        if !version["schema"]["openAPIV3Schema"].is_object() {
            let at = listed.index(n);
            report.required(&at.field("schema.openAPIV3Schema"), "");
        }
    }
    let defaulted = |version: &&Value| has_defaults(&version["schema"]["openAPIV3Schema"], 0);
    if spec["preserveUnknownFields"] == true && versions.iter().any(defaulted) {
        let why = "must be false in order to use defaults in the schema";
        report.invalid(&at.field("preserveUnknownFields"), &true, why);
    }
    let shared = Shared::of(&versions);
    for (n, version) in versions.iter().enumerate() {
        of_version(report, version, &listed.index(n), shared, is_known(version, before));
    }
    let shown = shared.shown(&versions, &spec["versions"]);
    let mut names: Vec<&str> = versions.iter().map(|version| text(&version["name"])).collect();
    names.sort_unstable();
    if names.windows(2).any(|two| two[0] == two[1]) {
        report.invalid(&listed, &shown, "must contain unique version names");
    }
    if versions.iter().filter(|version| version["storage"] == true).count() != 1 {
        let why = "must have exactly one version marked as storage version";
        report.invalid(&listed, &shown, why);
    }
    of_names(report, &spec["names"], &at.field("names"));
    if let Some(first) = versions.first() {
        if shared.schema {
            of_schema(report, first, &at.field("validation.openAPIV3Schema"), is_known(first, before));
        }
        if shared.subresources {
            of_subresources(report, first, &at.field("subresources"));
        }
        if shared.columns {
            of_columns(report, first, &at.field("additionalPrinterColumns"));
        }
        if shared.selectable {
            super::selectable::check(report, first, &at.field("selectableFields"));
        }
    }
    let strategy = at.field("conversion.strategy");
    match text(&spec["conversion"]["strategy"]) {
        "None" | "Webhook" => {}
        "" => report.required(&strategy, ""),
        other => report.not_supported(&strategy, other, &["None", "Webhook"]),
    }
}

/// UPSTREAM: said after all else.
fn preserves_unknown(report: &mut Report, spec: &Value) {
    if spec["preserveUnknownFields"] == true {
        let at = At::root("spec");
        let why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
        report.invalid(&at.field("preserveUnknownFields"), &true, why);
    }
}

fn of_names(report: &mut Report, names: &Value, at: &At<'_>) {
    for name in ["plural", "singular", "kind", "listKind"] {
        if text(&names[name]).is_empty() {
            report.required(&at.field(name), "");
        }
    }
    for (name, mixed) in [("plural", false), ("singular", false), ("kind", true), ("listKind", true)] {
        let said = text(&names[name]);
        let wrong = label_1035(&if mixed { said.to_lowercase() } else { said.to_owned() }, false);
        if !said.is_empty() && !wrong.is_empty() {
            let may = if mixed { "may have mixed case, but should otherwise match: " } else { "" };
            report.invalid(&at.field(name), said, &format!("{may}{}", wrong.join(",")));
        }
    }
    let each = |report: &mut Report, name: &str| {
        let list = at.field(name);
        for (n, short) in names[name].as_array().into_iter().flatten().map(text).enumerate() {
            let wrong = label_1035(short, false);
            if !wrong.is_empty() {
                report.invalid(&list.index(n), short, &wrong.join(","));
            }
        }
    };
    each(report, "shortNames");
    let (kind, list_kind) = (text(&names["kind"]), text(&names["listKind"]));
    if !kind.is_empty() && kind == list_kind {
        report.invalid(&at.field("listKind"), list_kind, "kind and listKind may not be the same");
    }
    each(report, "categories");
}

/// Which parts are the same in every version.
///
/// UPSTREAM: what is the same moves to the definition itself before it is validated, and is complained of there.
#[derive(Clone, Copy)]
struct Shared {
    schema: bool,
    subresources: bool,
    columns: bool,
    selectable: bool,
}

impl Shared {
    fn of(versions: &[&Value]) -> Self {
        let same = |part: &str| versions.windows(2).all(|two| two[0][part] == two[1][part]);
        Self {
            schema: same("schema"),
            subresources: same("subresources"),
            columns: same("additionalPrinterColumns"),
            selectable: same("selectableFields"),
        }
    }

    /// The versions as a complaint shows them: in the names of Go's fields.
    /// MODEL: where versions differ in their parts, those are shown as they were written.
    fn shown(self, versions: &[&Value], written: &Value) -> Written {
        if !(self.schema && self.subresources && self.columns && self.selectable) {
            return Written(crate::emit::compact(written));
        }
        let shown = versions.iter().map(|version| {
            let bool_of = |name: &str| version[name] == true;
            format!(
                "{{\"Name\":{},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":{},\"Schema\":null,\
                 \"Subresources\":null,\"AdditionalPrinterColumns\":null,\"SelectableFields\":null}}",
                version["name"],
                bool_of("served"),
                bool_of("storage"),
                bool_of("deprecated"),
                version["deprecationWarning"],
            )
        });
        Written(format!("[{}]", shown.collect::<Vec<_>>().join(",")))
    }
}

/// Whether a version's schema is the one that it had.
fn is_known(version: &Value, before: &Value) -> bool {
    let mut had = before["versions"].as_array().into_iter().flatten();
    had.any(|had| had["name"] == version["name"] && had["schema"] == version["schema"])
}

fn of_version(report: &mut Report, version: &Value, at: &At<'_>, shared: Shared, known: bool) {
    let name = text(&version["name"]);
    let wrong = label_1035(name, false);
    if !wrong.is_empty() {
        report.invalid(&at.field("name"), name, &wrong.join(","));
    }
    if version["deprecated"] != true && !version["deprecationWarning"].is_null() {
        let why = "can only be set for deprecated versions";
        report.invalid(&at.field("deprecationWarning"), &version["deprecationWarning"], why);
    }
    if !shared.schema {
        of_schema(report, version, &at.field("schema.openAPIV3Schema"), known);
    }
    if !shared.subresources {
        of_subresources(report, version, &at.field("subresources"));
    }
    if !shared.columns {
        of_columns(report, version, &at.field("additionalPrinterColumns"));
    }
    if !shared.selectable {
        super::selectable::check(report, version, &at.field("selectableFields"));
    }
}

fn of_schema(report: &mut Report, version: &Value, at: &At<'_>, known: bool) {
    let schema = &version["schema"]["openAPIV3Schema"];
    if !schema.is_object() {
        return;
    }
    let type_ = text(&schema["type"]);
    if version["subresources"]["status"].is_object() && !type_.is_empty() && type_ != "object" {
        let why = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
        report.invalid(&at.field("type"), type_, why);
    }
    if schema["nullable"] == true {
        report.forbidden(&at.field("nullable"), "nullable cannot be true at the root");
    }
    let mut found = Report::default();
    structure(&mut found, schema, at, Level::Root, 0);
    // UPSTREAM: a structural schema's faults are sorted, because Go's maps have no order.
    found.causes.sort_by_key(|cause: &Cause| format!("{}: {}", cause.field, cause.message));
    if found.causes.is_empty() {
        defaults(&mut found, schema, at, 0);
    }
    // Rules are compiled only where nothing is wrong with the structure and its defaults.
    let is_sound = found.causes.is_empty();
    report.causes.append(&mut found.causes);
    keywords(report, schema, at, 0);
    super::rules::check(report, schema, at, is_sound, known);
}

/// Whether defaults fit the fields that they are for.
fn defaults(report: &mut Report, schema: &Value, at: &At<'_>, depth: usize) {
    if depth > DEEPEST || !schema.is_object() {
        return;
    }
    if !schema["default"].is_null() {
        let place = at.field("default");
        for cause in crate::custom::check_value(schema, &schema["default"]) {
            let below = cause.field.strip_prefix("<nil>").unwrap_or(&cause.field);
            // UPSTREAM: what the schema says of an item is put behind a dot, what the list says is not.
            let of_list = below.starts_with('[') && !cause.message.contains(" in body ");
            let dot = if below.is_empty() || of_list { "" } else { "." };
            report.causes.push(Cause { field: format!("{place}{dot}{below}"), ..cause });
        }
    }
    defaults(report, &schema["items"], &at.field("items"), depth + 1);
    let properties = at.field("properties");
    for (name, own) in schema["properties"].as_object().into_iter().flatten() {
        defaults(report, own, &properties.key(name), depth + 1);
    }
    defaults(report, &schema["additionalProperties"], &at.field("additionalProperties"), depth + 1);
}

fn has_defaults(schema: &Value, depth: usize) -> bool {
    let below = |it: &Value| has_defaults(it, depth + 1);
    depth <= DEEPEST
        && schema.is_object()
        && (!schema["default"].is_null()
            || below(&schema["items"])
            || below(&schema["additionalProperties"])
            || schema["properties"].as_object().into_iter().flatten().any(|(_, own)| below(own)))
}

fn of_subresources(report: &mut Report, version: &Value, at: &At<'_>) {
    if let Some(scale) = version["subresources"].get("scale").filter(|it| it.is_object()) {
        of_scale(report, scale, &at.field("scale"));
    }
}

fn of_columns(report: &mut Report, version: &Value, at: &At<'_>) {
    for (n, column) in version["additionalPrinterColumns"].as_array().into_iter().flatten().enumerate() {
        of_column(report, column, &at.index(n));
    }
}

fn of_scale(report: &mut Report, scale: &Value, at: &At<'_>) {
    for (field, below) in [("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")] {
        let path = text(&scale[field]);
        if path.is_empty() {
            report.required(&at.field(field), "");
        } else if !path.starts_with('.') {
            report.invalid(&at.field(field), path, NO_PATH);
        } else if !path.starts_with(&format!("{below}.")) {
            report.invalid(&at.field(field), path, &format!("should be a json path under {below}"));
        }
    }
    let selector = text(&scale["labelSelectorPath"]);
    if !selector.is_empty() && !selector.starts_with('.') {
        report.invalid(&at.field("labelSelectorPath"), selector, NO_PATH);
    } else if !selector.is_empty() && !selector.starts_with(".spec.") && !selector.starts_with(".status.") {
        let why = "should be a json path under either .spec or .status";
        report.invalid(&at.field("labelSelectorPath"), selector, why);
    }
}

fn of_column(report: &mut Report, column: &Value, at: &At<'_>) {
    if text(&column["name"]).is_empty() {
        report.required(&at.field("name"), "");
    }
    let one_of = format!("must be one of {}", COLUMN_TYPES.join(","));
    match text(&column["type"]) {
        "" => report.required(&at.field("type"), &one_of),
        known if COLUMN_TYPES.contains(&known) => {}
        other => report.invalid(&at.field("type"), other, &one_of),
    }
    let format = text(&column["format"]);
    if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
        report.invalid(&at.field("format"), format, &format!("must be one of {}", COLUMN_FORMATS.join(",")));
    }
    let path = text(&column["jsonPath"]);
    let at = at.field("JSONPath");
    if path.is_empty() {
        report.required(&at, "");
    } else if !path.starts_with('.') {
        report.invalid(&at, path, NO_PATH);
    } else if let Err(error) = JsonPath::parse(&format!("{{{path}}}")) {
        report.invalid(&at, path, &format!("is an invalid path: {error}"));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Whether every field and item says what it is, and nothing else is said elsewhere.
fn structure(report: &mut Report, schema: &Value, at: &At<'_>, level: Level, depth: usize) {
    if depth > DEEPEST || !schema.is_object() {
        return;
    }
    let on = |name: &str| schema[name] == true;
    let type_ = text(&schema["type"]);
    // UPSTREAM: a list of schemas is refused in other words, and not told apart here.
    if type_ == "array" && !schema["items"].is_object() && !is_list(&schema["items"]) {
        report.required(&at.field("items"), "must be specified");
    }
    structure(report, &schema["items"], &at.field("items"), Level::Item, depth + 1);
    let properties = at.field("properties");
    for (name, own) in schema["properties"].as_object().into_iter().flatten() {
        structure(report, own, &properties.key(name), Level::Field, depth + 1);
    }
    let every = &schema["additionalProperties"];
    if !every.is_null() && *every != Value::Bool(false) {
        if level == Level::Root {
            report.forbidden(&at.field("additionalProperties"), "must not be used at the root");
        }
        structure(report, every, &at.field("additionalProperties"), Level::Field, depth + 1);
    }
    let (either, keeps, embedded) = (
        on("x-kubernetes-int-or-string"),
        on("x-kubernetes-preserve-unknown-fields"),
        on("x-kubernetes-embedded-resource"),
    );
    if either && keeps {
        let why = "must be false if x-kubernetes-int-or-string is true";
        report.invalid(&at.field("x-kubernetes-preserve-unknown-fields"), &true, why);
    }
    values(report, schema, at, either, depth);
    if embedded && type_ != "object" {
        let why = "must be object if x-kubernetes-embedded-resource is true";
        if type_.is_empty() {
            report.required(&at.field("type"), why);
        } else {
            report.invalid(&at.field("type"), type_, why);
        }
    } else if type_.is_empty() && !either && !keeps {
        let why = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        report.required(&at.field("type"), why);
    }
    if level == Level::Root && !type_.is_empty() && type_ != "object" {
        report.invalid(&at.field("type"), type_, "must be object at the root");
    }
    let metadata = &schema["properties"]["metadata"];
    if level == Level::Root && metadata.is_object() {
        let at = properties.key("metadata");
        if text(&metadata["type"]) != "object" {
            report.invalid(&at.field("type"), text(&metadata["type"]), "must be object");
        }
        let mut names = metadata["properties"].as_object().into_iter().flatten().map(|(name, _)| name);
        let is_said = |name: &String| !matches!(name.as_str(), "type" | "properties" | "description");
        let is_more = names.any(|name| !matches!(name.as_str(), "name" | "generateName"))
            || metadata.as_object().is_some_and(|fields| fields.keys().any(is_said));
        if is_more {
            let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
            report.forbidden(&at, why);
        }
    }
}

/// What stands under `anyOf` and the like may speak of values only.
fn values(report: &mut Report, schema: &Value, at: &At<'_>, either: bool, depth: usize) {
    let pattern = text(&schema["pattern"]);
    if !pattern.is_empty()
        && let Err(error) = Regex::new(pattern)
    {
        let why = format!("must be a valid regular expression, but isn't: {}", go_words(pattern, &error));
        report.invalid(&at.field("pattern"), pattern, &why);
    }
    let is_pair = |it: &Value| it["anyOf"] == serde_json::json!([{"type": "integer"}, {"type": "string"}]);
    for junctor in ["anyOf", "allOf", "oneOf"] {
        if junctor == "anyOf" && either && is_pair(schema) {
            continue;
        }
        let list = at.field(junctor);
        for (n, inner) in schema[junctor].as_array().into_iter().flatten().enumerate() {
            nested(report, inner, &list.index(n), depth + 1);
        }
    }
    nested(report, &schema["not"], &at.field("not"), depth + 1);
}

fn nested(report: &mut Report, schema: &Value, at: &At<'_>, depth: usize) {
    if depth > DEEPEST || !schema.is_object() {
        return;
    }
    values(report, schema, at, false, depth);
    nested(report, &schema["items"], &at.field("items"), depth + 1);
    let properties = at.field("properties");
    for (name, own) in schema["properties"].as_object().into_iter().flatten() {
        nested(report, own, &properties.key(name), depth + 1);
    }
    let set = |name: &str| match &schema[name] {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    for (name, why) in [
        ("type", "must be empty to be structural"),
        ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"),
        ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"),
        ("nullable", "must be false to be structural"),
        ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
        ("x-kubernetes-embedded-resource", "must be false to be structural"),
        ("x-kubernetes-int-or-string", "must be false to be structural"),
    ] {
        if set(name) {
            report.forbidden(&at.field(name), why);
        }
    }
}

/// Words of the schema that contradict each other, wherever they stand.
fn keywords(report: &mut Report, schema: &Value, at: &At<'_>, depth: usize) {
    if depth > DEEPEST || !schema.is_object() {
        return;
    }
    for keyword in ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] {
        let is_there = match &schema[keyword] {
            Value::String(text) => !text.is_empty(),
            Value::Object(all) => !all.is_empty() || keyword == "additionalItems",
            other => !other.is_null(),
        };
        if is_there {
            report.forbidden(&at.field(keyword), &format!("{keyword} is not supported"));
        }
    }
    let type_ = text(&schema["type"]);
    if type_ == "null" {
        report.forbidden(&at.field("type"), "type cannot be set to null, use nullable as an alternative");
    } else if !type_.is_empty() && !TYPES.contains(&type_) {
        let mut listed = TYPES;
        listed.sort_unstable();
        report.not_supported(&at.field("type"), type_, &listed);
    }
    if schema["uniqueItems"] == true {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        report.forbidden(&at.field("uniqueItems"), why);
    }
    if is_list(&schema["items"]) {
        report.forbidden(&at.field("items"), "items must be a schema object and not an array");
    }
    let every = &schema["additionalProperties"];
    let has_properties = schema["properties"].as_object().is_some_and(|it| !it.is_empty());
    if has_properties && (every.is_object() || *every == Value::Bool(false)) {
        let why = "additionalProperties and properties are mutual exclusive";
        report.forbidden(&at.field("additionalProperties"), why);
    }
    keywords(report, every, &at.field("additionalProperties"), depth + 1);
    let properties = at.field("properties");
    for (name, own) in schema["properties"].as_object().into_iter().flatten() {
        keywords(report, own, &properties.key(name), depth + 1);
    }
    keywords(report, &schema["items"], &at.field("items"), depth + 1);
    of_map(report, schema, type_, at);
    of_list(report, schema, type_, at);
}

fn is_list(schema: &Value) -> bool {
    schema.as_array().is_some_and(|all| !all.is_empty())
}

fn of_map(report: &mut Report, schema: &Value, type_: &str, at: &At<'_>) {
    let Some(map) = schema["x-kubernetes-map-type"].as_str() else { return };
    let why = "must be object if x-kubernetes-map-type is specified";
    match type_ {
        "object" => {}
        "" => report.required(&at.field("type"), why),
        other => report.invalid(&at.field("type"), other, why),
    }
    if !matches!(map, "atomic" | "granular") {
        report.not_supported(&at.field("x-kubernetes-map-type"), map, &["atomic", "granular"]);
    }
}

fn of_list(report: &mut Report, schema: &Value, type_: &str, at: &At<'_>) {
    let listed = &schema["x-kubernetes-list-type"];
    let list = at.field("x-kubernetes-list-type");
    let keys: Vec<&str> =
        schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().map(text).collect();
    if listed.is_string() && type_ != "array" {
        let why = "must be array if x-kubernetes-list-type is specified";
        if type_.is_empty() {
            report.required(&at.field("type"), why);
        } else {
            report.invalid(&at.field("type"), type_, why);
        }
    }
    match listed.as_str() {
        None | Some("atomic" | "set" | "map") => {}
        Some(other) => report.not_supported(&list, other, &["atomic", "set", "map"]),
    }
    if !keys.is_empty() && listed != "map" {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        match listed.as_str() {
            None => report.required(&list, why),
            Some(other) => report.invalid(&list, other, why),
        }
    }
    let items = &schema["items"];
    if listed == "set" && type_ == "array" {
        let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
        let of_items = &items["x-kubernetes-list-type"];
        match text(&items["type"]) {
            "array" if of_items.is_string() && of_items != "atomic" => {
                report.invalid(&at.field("items.x-kubernetes-list-type"), of_items, why);
            }
            // UPSTREAM: the sort of the list is shown, which a map has not.
            "object" if items["x-kubernetes-map-type"] != "atomic" => {
                report.invalid(&at.field("items.x-kubernetes-map-type"), of_items, why);
            }
            _ => {}
        }
    }
    if listed != "map" {
        return;
    }
    if keys.is_empty() {
        let why = "must not be empty if x-kubernetes-list-type is map";
        report.required(&at.field("x-kubernetes-list-map-keys"), why);
    }
    if text(&items["type"]) != "object" {
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        report.invalid(&at.field("items.type"), text(&items["type"]), why);
        return;
    }
    let required: Vec<&str> = items["required"].as_array().into_iter().flatten().map(text).collect();
    let fields = at.field("items.properties");
    for key in keys {
        let own = &items["properties"][key];
        if own.is_null() {
            let why = "entries must all be names of item properties";
            report.invalid(
                &at.field("x-kubernetes-list-map-keys"),
                &schema["x-kubernetes-list-map-keys"],
                why,
            );
        } else if !required.contains(&key) && own["default"].is_null() {
            let why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            report.required(&fields.key(key).field("default"), why);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Kind, decode, default, validate};

    fn said(change: impl FnOnce(&mut serde_json::Value)) -> Vec<String> {
        let mut value = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.lab.example.com"},
            "spec": {"group": "lab.example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema":
                    {"type": "object", "properties": {"spec": {"type": "object"}}}}}]}});
        change(&mut value);
        let mut object = decode::decode(Kind::CustomResourceDefinition, &value).expect("a definition");
        default::apply_defaults(&mut object);
        validate::create(&object).iter().map(|it| format!("{}: {}", it.field, it.message)).collect()
    }

    #[test]
    fn a_definition_that_says_what_it_must_is_legal() {
        assert_eq!(said(|_| {}), [""; 0]);
    }

    #[test]
    fn each_fault_is_named_where_it_stands() {
        assert_eq!(
            said(|it| it["metadata"]["name"] = "foo.example.com".into()),
            ["metadata.name: Invalid value: \"foo.example.com\": must be spec.names.plural+\".\"+spec.group"]
        );
        assert_eq!(
            said(|it| it["spec"]["versions"][0]["schema"] = json!(null)),
            ["spec.versions[0].schema.openAPIV3Schema: Required value"]
        );
        assert_eq!(
            said(|it| {
                it["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"] =
                    json!({"size": {"minimum": 1}, "list": {"type": "array"}});
            }),
            [
                "spec.validation.openAPIV3Schema.properties[spec].properties[list].items: Required value: must be specified",
                "spec.validation.openAPIV3Schema.properties[spec].properties[size].type: Required value: must not be empty for specified object fields",
            ]
        );
        assert_eq!(
            said(|it| it["spec"]["scope"] = "Namespace".into()),
            ["spec.scope: Unsupported value: \"Namespace\": supported values: \"Cluster\", \"Namespaced\""]
        );
    }
}
