//! `kubectl explain`: what a field means, from the schema. Source: kubectl `pkg/explain/v2/templates/plaintext.tmpl`; case o-explain.

use api::schema::{self, FieldSchema, Type, TypeSchema};

use crate::{
    flag::{Flag, switch, value},
    kubectl::{Done, Fail, Kube},
};

pub(super) const FLAGS: &[Flag] =
    &[value("api-version", '\0'), value("output", 'o'), switch("recursive", '\0')];

/// Columns of a description.
const WIDTH: usize = 76;
/// Most values named in a list of fields.
const MOST_VALUES: usize = 4;
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
    if let Some(other) =
        kube.given.value("output").filter(|it| !matches!(*it, "" | "plaintext" | "plaintext-openapiv2"))
    {
        return Fail::error(format!("unrecognized format: {other}"));
    }
    kube.target()?;
    if path.starts_with('.') {
        return Fail::error("invalid jsonpath syntax, first node must be field node");
    }
    let path = path.replace('/', ".");
    let mut parts = path.split('.').filter(|p| !p.is_empty());
    let word = parts.next().unwrap_or_default();
    let Some(kind) = kube.known(word) else {
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
        text.push_str(&format!("FIELD: {} <{}>\n", field.name, shown_type(field)));
        let values = descriptions.get(&(owner.definition, field.name)).map(|w| values(w)).unwrap_or_default();
        if !values.is_empty() {
            text.push_str(&format!("ENUM:\n    {}", values.join("\n    ")));
        }
        text.push_str("\n\n");
        text.push_str("DESCRIPTION:\n");
        if let Some(words) = descriptions.get(&(owner.definition, field.name)) {
            text.push_str(&wrapped(words, WIDTH, 4));
        }
        if let Some(of) = at.map(|of| of.definition).or_else(|| leaf(&field.ty))
            && let Some(words) = descriptions.get(&(of, ""))
        {
            text.push_str(&wrapped(words, WIDTH, 4));
        }
    } else {
        text.push_str("DESCRIPTION:\n");
        if let Some(words) = descriptions.get(&(root.definition, "")) {
            text.push_str(&wrapped(words, WIDTH, 4));
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
        // A kind's metadata may be left out, whatever its Rust type says.
        let top = field.name == "metadata" && of.field("kind").is_some();
        let required = if field.required && !top { " -required-" } else { "" };
        let pad = " ".repeat(indent);
        text.push_str(&format!("{pad}{}\t<{}>{required}\n", field.name, shown_type(field)));
        let mut values =
            descriptions.get(&(of.definition, field.name)).map(|w| values(w)).unwrap_or_default();
        if !values.is_empty() {
            if values.len() > MOST_VALUES {
                values.truncate(MOST_VALUES);
                values.push("....");
            }
            text.push_str(&format!("{pad}enum: {}\n", values.join(", ")));
        }
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
                text.push_str(&wrapped(words, WIDTH + 2 - indent, indent + 2));
            } else {
                text.push_str(&format!("{}<no description>\n", " ".repeat(indent + 2)));
            }
            text.push('\n');
        }
    }
}

/// The values that a description names at its end.
fn values(description: &str) -> Vec<&str> {
    let Some((_, list)) = description.rsplit_once("Possible enum values:\n") else { return Vec::new() };
    let names = list.lines().filter_map(|line| line.strip_prefix(" - `\"")?.split_once("\"`"));
    names.map(|(name, _)| if name.is_empty() { "\"\"" } else { name }).collect()
}

fn shown_type(field: &FieldSchema) -> String {
    if field.name == "fieldsV1" { "FieldsV1".to_owned() } else { type_name(&field.ty) }
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

/// A text broken into lines of at most `width` columns, each indented; blanks between words stay as they are.
///
/// UPSTREAM: a word as long as a line is never moved to a line of its own. Source: mitchellh/go-wordwrap.
fn wrapped(words: &str, width: usize, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut out = String::new();
    for line in words.split('\n') {
        let (mut now, mut current) = (String::new(), 0);
        let (mut word, mut blanks) = (String::new(), String::new());
        let (mut word_len, mut blanks_len) = (0, 0);
        for c in line.chars() {
            if c.is_whitespace() {
                if blanks.is_empty() || !word.is_empty() {
                    current += blanks_len + word_len;
                    now.push_str(&std::mem::take(&mut blanks));
                    now.push_str(&std::mem::take(&mut word));
                    (blanks_len, word_len) = (0, 0);
                }
                blanks.push(c);
                blanks_len += 1;
            } else {
                word.push(c);
                word_len += 1;
                if current + word_len + blanks_len > width && word_len < width {
                    out.push_str(&format!("{pad}{now}\n"));
                    now.clear();
                    blanks.clear();
                    (current, blanks_len) = (0, 0);
                }
            }
        }
        if !word.is_empty() || current + blanks_len <= width {
            now.push_str(&blanks);
        }
        now.push_str(&word);
        out.push_str(&format!("{pad}{now}\n"));
    }
    out
}

/// What is said of a type that has no fields of its own.
fn leaf(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::List(item) | Type::Map(item) => leaf(item),
        Type::Time => Some("io.k8s.apimachinery.pkg.apis.meta.v1.Time"),
        Type::MicroTime => Some("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"),
        Type::Quantity => Some("io.k8s.apimachinery.pkg.api.resource.Quantity"),
        Type::IntOrString => Some("io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
        Type::Text
        | Type::Bytes
        | Type::Boolean
        | Type::Int32
        | Type::Int64
        | Type::Float
        | Type::Any
        | Type::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_named_where_a_field_takes_only_some() {
        let descriptions = schema::descriptions(schema::DESCRIPTIONS);
        let of = |owner: &'static str, field: &'static str| {
            descriptions.get(&(owner, field)).map(|words| values(words)).unwrap_or_default()
        };
        assert_eq!(of("io.k8s.api.networking.v1.NetworkPolicyPort", "protocol"), ["SCTP", "TCP", "UDP"]);
        assert_eq!(of("io.k8s.api.core.v1.HostPathVolumeSource", "type")[..2], ["\"\"", "BlockDevice"]);
        assert!(of("io.k8s.api.core.v1.PersistentVolumeClaimSpec", "accessModes").is_empty());
        assert!(of("io.k8s.apimachinery.pkg.apis.meta.v1.Condition", "status").is_empty());
    }

    #[test]
    fn lines_break_between_words_and_keep_their_blanks() {
        assert_eq!(wrapped("one two.  three four", 12, 2), "  one two.\n  three four\n");
        assert_eq!(wrapped("a\n\n  * b  c", 12, 0), "a\n\n  * b  c\n");
    }
}
