//! `kubectl explain`: what a field means, from the schema. Source: kubectl `pkg/explain/v2/templates/plaintext.tmpl`; case o-explain.

mod old;
mod shape;

use api::schema;

use self::shape::{Descriptions, Field, Shape};
use crate::kubectl::{Done, Fail, Kube};

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
    if path.contains('/') {
        return Err(Fail::Plain(format!("the server doesn't have a resource type {path:?}")));
    }
    let mut parts = path.split('.').filter(|p| !p.is_empty());
    let word = parts.next().unwrap_or_default();
    let Some(mut kind) = kube.known(word) else {
        return Err(Fail::Plain(format!("the server doesn't have a resource type {word:?}")));
    };
    if let Some(version) = kube.given.value("api-version").map(str::to_owned) {
        let plural = kind.info().plural;
        let other = |it: &api::Kind| it.info().plural == plural && it.info().api_version() == version;
        kind = kube.served().into_iter().find(other).unwrap_or(kind);
    }
    let info = kind.info();
    if let Some(version) = kube.given.value("api-version")
        && version != info.api_version()
    {
        let group = if version.contains('/') { "" } else { "/" };
        let resource = format!("{group}{version}, Resource={}", info.plural);
        let version = version.to_owned();
        let is_served = kube.served().into_iter().any(|it| it.info().api_version() == version);
        return Fail::error(match is_served {
            true => format!("GVR ({resource}) not found in OpenAPI schema"),
            false => format!("couldn't find resource for \"{resource}\""),
        });
    }
    let mut text = String::new();
    if !info.group.is_empty() {
        text.push_str(&format!("GROUP:      {}\n", info.group));
    }
    text.push_str(&format!("KIND:       {}\nVERSION:    {}\n\n", info.kind, info.version));
    let descriptions = schema::descriptions();
    let defined = kube.target().ok().and_then(|target| {
        let definition = cluster::apiserver::definition(kube.shell.world.store(), target.cluster, kind)?;
        definition.version(info.version).map(|version| version.schema.clone())
    });
    let root = match &defined {
        Some(schema) => Some(Shape::Defined(schema, true)),
        None => schema::root(kind).map(Shape::Known),
    };
    let Some(root) = root else {
        kube.out.out(&text);
        return Fail::error(format!("GVR ({}) not found in OpenAPI schema", info.resource()));
    };
    let mut at = Some(root);
    let mut found: Option<Field<'_>> = None;
    let mut path: Vec<&str> = parts.collect();
    // A group after the resource names no fields.
    let group: Vec<&str> = info.group.split('.').filter(|part| !part.is_empty()).collect();
    if path.starts_with(&group) {
        path.drain(..group.len());
    }
    for name in &path {
        let field = at.and_then(|at| at.fields(descriptions).into_iter().find(|field| field.name == *name));
        let Some(field) = field else {
            kube.out.out(&text);
            let last = path.last().unwrap_or(name);
            return Fail::error(format!("field {last:?} does not exist"));
        };
        at = field.inner;
        found = Some(field);
    }
    if kube.given.value("output") == Some("plaintext-openapiv2") {
        let words = found.as_ref().map_or_else(|| root.words(descriptions), Field::paragraphs);
        let text = old::text(info, found.as_ref(), &words, at, descriptions, kube.given.on("recursive"));
        kube.out.out(&text);
        return Ok(());
    }
    let words = if let Some(field) = &found {
        text.push_str(&format!("FIELD: {} <{}>\n", field.name, field.type_));
        if !field.values.is_empty() {
            text.push_str(&format!("ENUM:\n    {}", field.values.join("\n    ")));
        }
        text.push_str("\n\n");
        field.paragraphs()
    } else {
        root.words(descriptions)
    };
    text.push_str("DESCRIPTION:\n");
    if words.is_empty() {
        text.push_str("    <empty>\n");
    } else {
        words.iter().for_each(|words| text.push_str(&wrapped(words, WIDTH, 4)));
        text.push_str("    \n");
    }
    if let Some(of) = at {
        text.push_str("FIELDS:\n");
        fields(of, descriptions, 2, kube.given.on("recursive"), &mut vec![], &mut text);
    }
    text.push('\n');
    kube.out.out(&text);
    Ok(())
}

/// The names of the fields below a path that begins with a resource: `pods.spec`.
#[must_use]
pub fn names(path: &str) -> Vec<String> {
    let mut parts = path.split('.');
    let kind = parts.next().and_then(api::Kind::of_resource);
    let Some(root) = kind.and_then(schema::root).map(Shape::Known) else { return Vec::new() };
    // Names need no words.
    let descriptions = Descriptions::new();
    let mut at = Some(root);
    for part in parts {
        at = at.and_then(|at| at.fields(&descriptions).into_iter().find(|it| it.name == part)?.inner);
    }
    at.map(|at| at.fields(&descriptions).into_iter().map(|it| it.name.to_string()).collect())
        .unwrap_or_default()
}

fn fields(
    of: Shape<'_>,
    descriptions: &Descriptions,
    indent: usize,
    recursive: bool,
    above: &mut Vec<Option<&'static str>>,
    text: &mut String,
) {
    for mut field in of.fields(descriptions) {
        let required = if field.required { " -required-" } else { "" };
        let pad = " ".repeat(indent);
        text.push_str(&format!("{pad}{}\t<{}>{required}\n", field.name, field.type_));
        if !field.values.is_empty() {
            if field.values.len() > MOST_VALUES {
                field.values.truncate(MOST_VALUES);
                field.values.push("....".to_owned());
            }
            text.push_str(&format!("{pad}enum: {}\n", field.values.join(", ")));
        }
        if recursive {
            if let Some(inner) = field.inner
                && (inner.definition().is_none() || !above.contains(&inner.definition()))
                && above.len() < DEEPEST
            {
                above.push(inner.definition());
                fields(inner, descriptions, indent + 2, true, above, text);
                above.pop();
            }
        } else {
            let words = field.words.as_deref().unwrap_or("<no description>");
            text.push_str(&wrapped(words, WIDTH + 2 - indent, indent + 2));
            text.push('\n');
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_keep_their_blanks() {
        assert_eq!(wrapped("one two.  three four", 12, 2), "  one two.\n  three four\n");
        assert_eq!(wrapped("a\n\n  * b  c", 12, 0), "a\n\n  * b  c\n");
    }
}
