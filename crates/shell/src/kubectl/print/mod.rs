//! How is an object printed?
//!
//! `-o yaml|json|name|wide|jsonpath=…|custom-columns=…`; without `-o` a table. Source: cli-runtime `pkg/printers`, kubectl `pkg/cmd/get`.

pub mod cells;
mod columns;
pub(crate) mod custom;
pub mod table;
mod template;

use api::{
    emit,
    jsonpath::{JsonPath, PrintError},
};
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, field};

pub(crate) use api::typed;
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

/// Reads `-o` and `--template`.
pub(crate) fn format(kube: &Kube<'_, '_>, tables: bool) -> Done<Option<Format>> {
    let template = kube.given.value("template").filter(|it| !it.is_empty());
    let typed = kube.given.value("output").filter(|it| !it.is_empty());
    let Some(typed) = typed.or(template.map(|_| "go-template")) else { return Ok(None) };
    let lower = typed.to_lowercase();
    match lower.as_str() {
        "yaml" => return Ok(Some(Format::Yaml)),
        "json" => return Ok(Some(Format::Json)),
        "name" => return Ok(Some(Format::Name)),
        "wide" if tables && typed == "wide" => return Ok(Some(Format::Table { wide: true })),
        _ => {}
    }
    // UPSTREAM: where there is a --template, what stands after the equals sign belongs to the name.
    let (name, text) = match (template, typed.split_once('=')) {
        (Some(template), _) => (typed, template),
        (None, Some((name, text))) => (name, text),
        (None, None) => (typed, ""),
    };
    let columns = tables && matches!(name, "custom-columns" | "custom-columns-file");
    let templates = [
        "go-template",
        "go-template-file",
        "jsonpath",
        "jsonpath-as-json",
        "jsonpath-file",
        "template",
        "templatefile",
    ];
    if !columns && !templates.contains(&name) {
        let allowed = if tables { ALLOWED } else { ALLOWED_WITHOUT_TABLE };
        return Fail::error(format!(
            "unable to match a printer suitable for the output format {typed:?}, allowed formats are: {allowed}"
        ));
    }
    if text.is_empty() {
        return Fail::error(if columns {
            "custom-columns format specified but no custom columns given"
        } else {
            "template format specified but no template given"
        });
    }
    let read = |what: &str| {
        let machine = &kube.shell.machine;
        machine.files.read(&machine.path(text)).map_err(|error| {
            Fail::Error(format!(
                "error reading {what} {text}, open {text}: {}",
                error.to_string().to_lowercase()
            ))
        })
    };
    let text = match name {
        "custom-columns-file" => columns::of_file(&read("template")?)?,
        "go-template-file" | "templatefile" | "jsonpath-file" => read("--template")?.to_string(),
        _ => text.to_owned(),
    };
    let may_miss = kube.given.not_off("allow-missing-template-keys");
    let path = || {
        JsonPath::parse(&text)
            .map(|path| if may_miss { path } else { path.needing_keys() })
            .map_err(|error| Fail::Error(format!("error parsing jsonpath {text}, {error}")))
    };
    Ok(Some(match name {
        "jsonpath" | "jsonpath-file" => Format::JsonPath(path()?),
        "jsonpath-as-json" => Format::JsonPathAsJson(path()?),
        "custom-columns" | "custom-columns-file" => Format::Columns(Columns::parse(&text)?),
        _ => Format::Template(template::Template::parse(&text, !may_miss)?),
    }))
}

/// An object as `-o yaml` and `-o json` show it: without managed fields.
pub(crate) fn hide_managed(value: &mut Value, kube: &Kube<'_, '_>) {
    if kube.given.on("show-managed-fields") {
        api::managed::complete(value);
    } else if let Some(Value::Object(meta)) = value.get_mut("metadata") {
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
        go_syntax(object),
    ))
}

/// A value as Go's `%#v` prints it.
pub(crate) fn go_syntax(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let inner: Vec<String> = fields.iter().map(|(k, v)| format!("{k:?}:{}", go_syntax(v))).collect();
            format!("map[string]interface {{}}{{{}}}", inner.join(", "))
        }
        Value::Array(items) => {
            let inner: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", inner.join(", "))
        }
        Value::String(text) => format!("{text:?}"),
        Value::Null => "interface {}(nil)".to_owned(),
        other => other.to_string(),
    }
}
