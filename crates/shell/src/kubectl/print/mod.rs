//! How is an object printed?
//!
//! `-o yaml|json|name|wide|jsonpath=…|custom-columns=…`; without `-o` a table. Source: cli-runtime `pkg/printers`, kubectl `pkg/cmd/get`.

pub mod cells;
mod columns;
pub(crate) mod custom;
pub mod table;
mod template;
pub(crate) mod typed;

use api::{
    emit,
    jsonpath::{JsonPath, PrintError},
};
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, field};

pub(crate) use columns::{Columns, go_text as columns_text};

/// What `-o` asks for.
#[derive(Clone, Debug)]
pub(crate) enum Format {
    /// The table, with its wide columns or without.
    Table {
        wide: bool,
    },
    Yaml,
    Json,
    Name,
    JsonPath(JsonPath),
    JsonPathAsJson(JsonPath),
    Columns(Columns),
    Template(template::Template),
}

const ALLOWED: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml";
const ALLOWED_WITHOUT_TABLE: &str = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,templatefile,yaml";

/// Reads `-o`.
pub(crate) fn format(kube: &Kube<'_, '_>, tables: bool) -> Done<Option<Format>> {
    let Some(typed) = kube.given.value("output") else { return Ok(None) };
    let (name, rest) = typed.split_once('=').map_or((typed, None), |(n, r)| (n, Some(r)));
    let lower = typed.to_lowercase();
    let name = if matches!(lower.as_str(), "yaml" | "json" | "name") { lower.as_str() } else { name };
    let path = |rest: &str| {
        JsonPath::parse(rest).map_err(|error| Fail::Error(format!("error parsing jsonpath {rest}, {error}")))
    };
    let rest_or_flag = || rest.filter(|r| !r.is_empty()).or_else(|| kube.given.value("template"));
    Ok(Some(match name {
        "" => return Ok(None),
        "wide" if tables => Format::Table { wide: true },
        "yaml" => Format::Yaml,
        "json" => Format::Json,
        "name" => Format::Name,
        "jsonpath" | "jsonpath-as-json" | "go-template" | "custom-columns" if rest_or_flag().is_none() => {
            return Fail::error(match name {
                "custom-columns" => "custom-columns format specified but no custom columns given",
                _ => "template format specified but no template given",
            });
        }
        "jsonpath" => Format::JsonPath(path(rest_or_flag().unwrap_or_default())?),
        "jsonpath-as-json" => Format::JsonPathAsJson(path(rest_or_flag().unwrap_or_default())?),
        "custom-columns" if tables => Format::Columns(Columns::parse(rest.unwrap_or_default())?),
        "go-template" | "template" => {
            Format::Template(template::Template::parse(rest_or_flag().unwrap_or_default())?)
        }
        _ => {
            let allowed = if tables { ALLOWED } else { ALLOWED_WITHOUT_TABLE };
            return Fail::error(format!(
                "unable to match a printer suitable for the output format {typed:?}, allowed formats are: {allowed}"
            ));
        }
    }))
}

/// An object as `-o yaml` and `-o json` show it: without managed fields.
pub(crate) fn hide_managed(value: &mut Value, kube: &Kube<'_, '_>) {
    if !kube.given.on("show-managed-fields")
        && let Some(Value::Object(meta)) = value.get_mut("metadata")
    {
        meta.remove("managedFields");
    }
}

/// Several objects as one.
pub(crate) fn as_list(items: Vec<Value>) -> Value {
    let mut list = json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}});
    list["items"] = Value::Array(items);
    list
}

/// Prints one object, or a list of them, in a format that is no table.
pub(crate) fn structured(kube: &mut Kube<'_, '_>, format: &Format, mut object: Value) -> Done {
    if !matches!(format, Format::Yaml | Format::Json) {
        // Whoever picks fields may pick these too.
    } else if let Some(Value::Array(items)) = object.get_mut("items") {
        for item in items {
            hide_managed(item, kube);
        }
    } else {
        hide_managed(&mut object, kube);
    }
    match format {
        Format::Yaml => kube.out.out(&emit::yaml(&object)),
        Format::Json => kube.out.line(&emit::json(&object)),
        Format::JsonPath(path) => {
            let text = path.try_print(&object).map_err(|error| jsonpath_failed(kube, &error, &object))?;
            kube.out.out(&text);
        }
        Format::JsonPathAsJson(path) => {
            let text = path.as_json(&object).map_err(|error| jsonpath_failed(kube, &error, &object))?;
            kube.out.out(&text);
        }
        Format::Template(template) => {
            let (text, failed) = template.print(&object);
            kube.out.out(&text);
            if let Some(fail) = failed {
                return Err(fail);
            }
        }
        Format::Columns(columns) => {
            let objects: Vec<&Value> = match object.get("items").and_then(Value::as_array) {
                Some(items) => items.iter().collect(),
                None => vec![&object],
            };
            let text = columns.print(&objects, !kube.given.on("no-headers"));
            kube.out.out(&text);
        }
        Format::Name => {
            let objects: Vec<&Value> = match object.get("items").and_then(Value::as_array) {
                Some(items) => items.iter().collect(),
                None => vec![&object],
            };
            for object in objects {
                let line = name_of(object);
                kube.out.line(&line);
            }
        }
        Format::Table { .. } => {}
    }
    Ok(())
}

/// `deployment.apps/web`, from an object itself.
pub(crate) fn name_of(object: &Value) -> String {
    let version = field::text(object, "apiVersion");
    let kind = field::text(object, "kind").to_lowercase();
    match version.split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{}", field::name(object)),
        None => format!("{kind}/{}", field::name(object)),
    }
}

fn jsonpath_failed(kube: &Kube<'_, '_>, error: &PrintError, object: &Value) -> Fail {
    let typed = kube.given.value("output").and_then(|o| o.split_once('=')).map(|o| o.1);
    let template = typed.filter(|t| !t.is_empty()).or(kube.given.value("template")).unwrap_or_default();
    Fail::Error(format!(
        "error executing jsonpath {template:?}: Error executing template: {error}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
        go(object),
    ))
}

fn go(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let inner: Vec<String> = fields.iter().map(|(k, v)| format!("{k:?}:{}", go(v))).collect();
            format!("map[string]interface {{}}{{{}}}", inner.join(", "))
        }
        Value::Array(items) => {
            let inner: Vec<String> = items.iter().map(go).collect();
            format!("[]interface {{}}{{{}}}", inner.join(", "))
        }
        Value::String(text) => format!("{text:?}"),
        Value::Null => "interface {}(nil)".to_owned(),
        other => other.to_string(),
    }
}
