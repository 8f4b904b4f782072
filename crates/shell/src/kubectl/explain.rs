//! `kubectl explain`: what a field means, from the schema. Source: kubectl `pkg/explain/v2/templates/plaintext.tmpl`; case o-explain.

use api::{
    Kind,
    schema::{self, FieldSchema, Type, TypeSchema},
};

use crate::{
    flag::{Flag, switch, value},
    kubectl::{Done, Fail, Kube},
};

pub(super) const FLAGS: &[Flag] =
    &[value("api-version", '\0'), value("output", 'o'), switch("recursive", '\0')];

/// Columns of a description.
const WIDTH: usize = 76;
/// Deepest listing of `--recursive`.
const DEEPEST: usize = 12;

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let [path] = args.as_slice() else {
        return Err(Fail::Plain(if args.is_empty() {
            "error: You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.".to_owned()
        } else {
            "error: We accept only this format: explain RESOURCE".to_owned()
        }));
    };
    kube.target()?;
    let path = path.replace('/', ".");
    let mut parts = path.split('.').filter(|p| !p.is_empty());
    let word = parts.next().unwrap_or_default();
    let Some(kind) = Kind::of_resource(word) else {
        return Err(Fail::Plain(format!("the server doesn't have a resource type {word:?}")));
    };
    let info = kind.info();
    if let Some(version) = kube.given.value("api-version")
        && version != info.api_version()
    {
        return Fail::error(format!("couldn't find resource for \"{version}, Resource={}\"", info.plural));
    }
    let mut text = String::new();
    if !info.group.is_empty() {
        text.push_str(&format!("GROUP:      {}\n", info.group));
    }
    text.push_str(&format!("KIND:       {}\nVERSION:    {}\n\n", info.kind, info.version));
    let descriptions = schema::descriptions(schema::DESCRIPTIONS);
    let Some(root) = schema::root(kind) else {
        kube.out.out(&text);
        return Fail::error(format!("GVR ({}) not found in OpenAPI schema", info.resource()));
    };
    let mut at: Option<&'static TypeSchema> = Some(root);
    let mut found: Option<(&'static TypeSchema, &'static FieldSchema)> = None;
    for name in parts {
        let field = at.and_then(|t| t.field(name).map(|f| (t, f)));
        let Some((owner, field)) = field else {
            kube.out.out(&text);
            return Fail::error(format!("field {name:?} does not exist"));
        };
        found = Some((owner, field));
        at = field.ty.inner_object();
    }
    if let Some((owner, field)) = found {
        text.push_str(&format!("FIELD: {} <{}>\n\n\n", field.name, type_name(&field.ty)));
        text.push_str("DESCRIPTION:\n");
        if let Some(words) = descriptions.get(&(owner.definition, field.name)) {
            text.push_str(&wrapped(words, 4));
        }
        if let Some(of) = at
            && let Some(words) = descriptions.get(&(of.definition, ""))
        {
            text.push_str(&wrapped(words, 4));
        }
    } else {
        text.push_str("DESCRIPTION:\n");
        if let Some(words) = descriptions.get(&(root.definition, "")) {
            text.push_str(&wrapped(words, 4));
        }
    }
    text.push_str("    \n");
    match at {
        Some(of) => {
            text.push_str("FIELDS:\n");
            fields(of, &descriptions, 2, kube.given.on("recursive"), &mut vec![], &mut text);
            text.push('\n');
        }
        None => text.push('\n'),
    }
    kube.out.out(&text);
    Ok(())
}

type Descriptions<'d> = std::collections::BTreeMap<(&'d str, &'d str), String>;

fn fields(
    of: &'static TypeSchema,
    descriptions: &Descriptions<'_>,
    indent: usize,
    recursive: bool,
    above: &mut Vec<&'static str>,
    text: &mut String,
) {
    for field in &of.fields {
        let required = if field.required { " -required-" } else { "" };
        let pad = " ".repeat(indent);
        text.push_str(&format!("{pad}{}\t<{}>{required}\n", field.name, type_name(&field.ty)));
        if recursive {
            if let Some(inner) = field.ty.inner_object()
                && !above.contains(&inner.definition)
                && above.len() < DEEPEST
            {
                above.push(inner.definition);
                fields(inner, descriptions, indent + 2, true, above, text);
                above.pop();
            }
        } else {
            if let Some(words) = descriptions.get(&(of.definition, field.name)) {
                text.push_str(&wrapped(words, indent + 2));
            }
            text.push('\n');
        }
    }
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Text | Type::Time | Type::MicroTime | Type::Bytes => "string".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Int32 | Type::Int64 => "integer".to_owned(),
        Type::Float => "number".to_owned(),
        Type::Quantity => "Quantity".to_owned(),
        Type::IntOrString => "IntOrString".to_owned(),
        Type::Any => "Object".to_owned(),
        Type::List(item) => format!("[]{}", type_name(item)),
        Type::Map(item) => format!("map[string]{}", type_name(item)),
        Type::Object(id) => id.schema().name().to_owned(),
    }
}

/// Lines of at most [`WIDTH`] columns, indented; paragraphs keep their breaks.
fn wrapped(words: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut out = String::new();
    for line in words.lines() {
        let mut now = String::new();
        for word in line.split_whitespace() {
            if !now.is_empty() && now.chars().count() + 1 + word.chars().count() > WIDTH {
                out.push_str(&format!("{pad}{now}\n"));
                now.clear();
            }
            if !now.is_empty() {
                now.push(' ');
            }
            now.push_str(word);
        }
        out.push_str(&format!("{pad}{now}\n"));
    }
    out
}
