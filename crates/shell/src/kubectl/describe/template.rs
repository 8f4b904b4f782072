//! Labels, annotations, tolerations, pod templates: what many descriptions have in common.

use serde_json::Value;

use super::{
    container::containers,
    volume::volumes,
    writer::{Writer, align},
};
use crate::kubectl::field::{at, int, list, map, pairs, text, word};

/// Longest annotation on one line.
const LONGEST: usize = 140;

/// `Labels:` and its kind: one pair a line.
pub(super) fn labels(w: &mut Writer, indent: &str, title: &str, of: &Value) {
    let fields: Vec<String> =
        of.as_object().into_iter().flatten().map(|(k, v)| format!("{k}={}", word(v))).collect();
    // UPSTREAM: what belongs to a template is indented in its title only.
    column(w, indent, "", title, &fields);
}

/// The same with every line indented.
pub(super) fn indented_labels(w: &mut Writer, indent: &str, title: &str, of: &Value) {
    let fields: Vec<String> =
        of.as_object().into_iter().flatten().map(|(k, v)| format!("{k}={}", word(v))).collect();
    column(w, indent, indent, title, &fields);
}

/// `Title:` with its lines below each other.
pub(super) fn column(w: &mut Writer, indent: &str, inner: &str, title: &str, lines: &[String]) {
    if lines.is_empty() {
        w.raw(&format!("{indent}{title}:\t<none>\n"));
    }
    for (i, line) in lines.iter().enumerate() {
        if i == 0 {
            w.raw(&format!("{indent}{title}:\t{line}\n"));
        } else {
            w.raw(&format!("{inner}\t{line}\n"));
        }
    }
}

/// `Annotations:`, without what kubectl keeps there for itself.
///
/// A long value, or one of several lines, stands below its key.
pub(super) fn annotations(w: &mut Writer, indent: &str, of: &Value) {
    let mut lines = Vec::new();
    for (key, value) in of.as_object().into_iter().flatten() {
        if key == "kubectl.kubernetes.io/last-applied-configuration" {
            continue;
        }
        let value = word(value);
        let value = value.strip_suffix('\n').unwrap_or(&value);
        if value.len() + key.len() + 2 > LONGEST || value.contains('\n') {
            lines.push(format!("{key}:"));
            // UPSTREAM: these lines begin with a tab of their own, whatever the indent.
            lines.extend(value.split('\n').map(|line| format!("\0{}", shorten(line))));
        } else {
            lines.push(format!("{key}: {value}"));
        }
    }
    if lines.is_empty() {
        w.raw(&format!("{indent}Annotations:\t<none>\n"));
    }
    for (i, line) in lines.iter().enumerate() {
        match line.strip_prefix('\0') {
            Some(line) => w.raw(&format!("\t  {line}\n")),
            None if i == 0 => w.raw(&format!("{indent}Annotations:\t{line}\n")),
            None => w.raw(&format!("\t{line}\n")),
        }
    }
}

fn shorten(line: &str) -> String {
    if line.len() <= LONGEST - 2 {
        return line.to_owned();
    }
    let mut end = LONGEST - 2;
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &line[..end])
}

/// `Tolerations:`.
pub(super) fn tolerations(w: &mut Writer, indent: &str, of: &[Value]) {
    let mut of: Vec<&Value> = of.iter().collect();
    of.sort_by_key(|t| text(t, "key"));
    let lines: Vec<String> = of
        .iter()
        .map(|t| {
            let mut line = text(t, "key").to_owned();
            if !text(t, "value").is_empty() {
                line.push_str(&format!("={}", text(t, "value")));
            }
            if !text(t, "effect").is_empty() {
                line.push_str(&format!(":{}", text(t, "effect")));
            }
            if text(t, "operator") == "Exists" && text(t, "value").is_empty() {
                line.push_str(if line.is_empty() { "op=Exists" } else { " op=Exists" });
            }
            if let Some(seconds) = at(t, "tolerationSeconds").as_i64() {
                line.push_str(&format!(" for {seconds}s"));
            }
            line
        })
        .collect();
    column(w, indent, "", "Tolerations", &lines);
}

/// `Pod Template:` with all below it.
pub(super) fn template(w: &mut Writer, template: &Value) {
    w.line(0, "Pod Template:");
    body(w, template);
}

fn body(w: &mut Writer, template: &Value) {
    labels(w, "  ", "Labels", at(template, "metadata.labels"));
    if map(template, "metadata.annotations").next().is_some() {
        annotations(w, "  ", at(template, "metadata.annotations"));
    }
    let spec = at(template, "spec");
    if !text(spec, "serviceAccountName").is_empty() {
        w.line(1, format!("Service Account:\t{}", text(spec, "serviceAccountName")));
    }
    if !list(spec, "initContainers").is_empty() {
        containers(w, "Init Containers", list(spec, "initContainers"), &[], "  ", None);
    }
    containers(w, "Containers", list(spec, "containers"), &[], "  ", None);
    volumes(w, list(spec, "volumes"), "  ");
    spread(w, list(spec, "topologySpreadConstraints"), "  ");
    if !text(spec, "priorityClassName").is_empty() {
        w.line(1, format!("Priority Class Name:\t{}", text(spec, "priorityClassName")));
    }
    labels(w, "  ", "Node-Selectors", at(spec, "nodeSelector"));
    tolerations(w, "  ", list(spec, "tolerations"));
}

/// The template as `rollout history --revision` shows it: cells are not aligned.
pub(in crate::kubectl) fn bare(value: &Value) -> String {
    let mut w = Writer::default();
    template(&mut w, value);
    w.unaligned()
}

/// `Topology Spread Constraints:`.
pub(super) fn spread(w: &mut Writer, constraints: &[Value], indent: &str) {
    let mut constraints: Vec<&Value> = constraints.iter().collect();
    constraints.sort_by_key(|c| text(c, "topologyKey"));
    let lines: Vec<String> = constraints
        .iter()
        .map(|c| {
            let selector = match at(c, "labelSelector") {
                Value::Null => String::new(),
                some => format!(" for selector {}", crate::kubectl::field::selector(some, "<none>")),
            };
            format!(
                "{}:{} when max skew {} is exceeded{selector}",
                text(c, "topologyKey"),
                text(c, "whenUnsatisfiable"),
                int(c, "maxSkew")
            )
        })
        .collect();
    if !lines.is_empty() {
        column(w, indent, indent, "Topology Spread Constraints", &lines);
    }
}

/// `a=b,c=d`, or `<none>`.
pub(super) fn selector(o: &Value, path: &str) -> String {
    pairs(o, path, "<none>")
}

/// The head of almost every description.
pub(super) fn head(w: &mut Writer, o: &Value, namespaced: bool) {
    w.line(0, format!("Name:\t{}", crate::kubectl::field::name(o)));
    if namespaced {
        w.line(0, format!("Namespace:\t{}", crate::kubectl::field::namespace(o)));
    }
}

/// Labels and annotations of an object.
pub(super) fn marks(w: &mut Writer, o: &Value) {
    labels(w, "", "Labels", at(o, "metadata.labels"));
    annotations(w, "", at(o, "metadata.annotations"));
}

/// Closes a description with its events.
pub(super) fn close(mut w: Writer, events: Option<&str>) -> String {
    if let Some(events) = events {
        w.raw(events);
    }
    align(&w.unaligned())
}

/// `Controlled By:`, if anything does.
pub(super) fn controlled(w: &mut Writer, o: &Value) {
    let owner =
        list(o, "metadata.ownerReferences").iter().find(|r| at(r, "controller") == &Value::Bool(true));
    if let Some(owner) = owner {
        w.line(0, format!("Controlled By:\t{}/{}", text(owner, "kind"), text(owner, "name")));
    }
}
