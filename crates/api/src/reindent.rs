//! How was this flattened manifest indented?
//!
//! Posts lose their leading spaces. Where every line stands at the margin, [`reindent`] asks the schema where each key
//! can belong, tries all ways, and offers the one that decodes and validates; if there are several, or none, it offers
//! nothing. Names of fields win over keys of free maps (labels), except in a map that is still empty.
//!
//! ```
//! let flat = "apiVersion: v1\nkind: Pod\nmetadata:\nname: a\nspec:\ncontainers:\n- name: c\nimage: i\n";
//! let there = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: c\n    image: i\n";
//! assert_eq!(api::reindent::reindent(flat).as_deref(), Some(there));
//! ```

use serde_json::Value;

use crate::{
    Kind, Severity, diagnose,
    schema::{self, Type, TypeSchema},
    text,
};

/// Most attempts at placing a line before giving up.
const BUDGET: u32 = 20_000;
/// Most ways that are looked at more closely.
const WAYS: usize = 16;

/// The indented form of a flattened stream of documents, if there is exactly one.
#[must_use]
pub fn reindent(text: &str) -> Option<String> {
    if text.len() > 64 * 1024
        || text.lines().any(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty())
    {
        return None;
    }
    let mut out = String::new();
    let mut at = 0;
    let mut changed = false;
    for piece in text::split(text) {
        out.push_str(&text[at..piece.offset]);
        let indented = document(piece.text)?;
        changed |= indented != piece.text;
        out.push_str(&indented);
        at = piece.offset + piece.text.len();
    }
    out.push_str(&text[at..]);
    changed.then_some(out)
}

fn document(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let parsed: Vec<Line<'_>> = lines.iter().map(|line| Line::read(line)).collect::<Option<_>>()?;
    let first = |name: &str| {
        let named = parsed.iter().find(|line| line.key == Some(name) && !line.dash);
        named.and_then(|line| line.value).map(unquoted)
    };
    let root = root(&first("apiVersion")?, &first("kind")?)?;
    let mut search =
        Search { lines: &parsed, depths: vec![0; parsed.len()], found: Vec::new(), left: BUDGET };
    search.place(0, &[Frame::Struct { schema: root, used: Vec::new() }]);
    if search.left == 0 {
        return None;
    }
    let mut ways: Vec<String> = search.found.iter().map(|depths| written(&lines, &parsed, depths)).collect();
    ways.sort();
    ways.dedup();
    ways.retain(|way| diagnose::manifest(way).iter().all(|it| it.severity != Severity::Error));
    match ways.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn root(api_version: &str, kind: &str) -> Option<&'static TypeSchema> {
    match (api_version, kind) {
        ("eksctl.io/v1alpha5", "ClusterConfig") => schema::definition("eksctl.v1alpha5.ClusterConfig"),
        ("kind.x-k8s.io/v1alpha4", "Cluster") => schema::definition("kind.v1alpha4.Cluster"),
        _ => schema::root(Kind::of_manifest(api_version, kind)?),
    }
}

/// A line without its place.
#[derive(Clone, Copy)]
struct Line<'t> {
    /// A comment or nothing: it goes where the next line goes.
    empty: bool,
    /// Whether it begins a list item.
    dash: bool,
    key: Option<&'t str>,
    value: Option<&'t str>,
}

impl<'t> Line<'t> {
    /// Reads a line; nothing if its value goes on over several lines, or has an anchor.
    fn read(line: &'t str) -> Option<Self> {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            return Some(Self { empty: true, dash: false, key: None, value: None });
        }
        let (dash, rest) = match text.strip_prefix("- ") {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        let quoted = rest.starts_with(['"', '\'']);
        let pair = match rest.strip_suffix(':') {
            Some(key) if !quoted && !key.contains(": ") => Some((key, None)),
            _ => rest.split_once(": ").filter(|_| !quoted).map(|(key, value)| (key, Some(value.trim()))),
        };
        let (key, value) = match pair {
            Some((key, value)) => {
                (Some(key.trim()), value.filter(|it| !it.is_empty() && !it.starts_with('#')))
            }
            None => (None, Some(rest)),
        };
        let goes_on = value.is_some_and(|value| value.starts_with(['|', '>', '&', '*', '!']));
        let fits = !goes_on && (dash || key.is_some()) && !rest.starts_with("- ");
        fits.then_some(Self { empty: false, dash, key, value })
    }
}

/// A list, map or struct that has begun.
#[derive(Clone)]
enum Frame<'t> {
    Struct { schema: &'static TypeSchema, used: Vec<&'t str> },
    Map { item: &'static Type, used: Vec<&'t str> },
    List { item: &'static Type, count: usize },
}

impl Frame<'_> {
    /// Whether nothing more is needed in it.
    fn is_complete(&self) -> bool {
        match self {
            Frame::Struct { schema, used } => {
                !used.is_empty()
                    && schema.fields.iter().all(|field| !field.required || used.contains(&field.name))
            }
            Frame::Map { used, .. } => !used.is_empty(),
            Frame::List { count, .. } => *count > 0,
        }
    }

    /// How much deeper its contents stand: items of a list stand at the list's own name.
    fn depth(stack: &[Frame<'_>]) -> usize {
        stack.iter().filter(|frame| !matches!(frame, Frame::List { .. })).count().saturating_sub(1)
    }
}

struct Search<'l, 't> {
    lines: &'l [Line<'t>],
    depths: Vec<usize>,
    found: Vec<Vec<usize>>,
    left: u32,
}

impl<'t> Search<'_, 't> {
    /// Places the lines from `at` on, in all ways.
    fn place(&mut self, at: usize, stack: &[Frame<'t>]) {
        if self.left == 0 || self.found.len() >= WAYS {
            return;
        }
        self.left -= 1;
        let Some(line) = self.lines.get(at).copied() else {
            if stack.iter().all(Frame::is_complete) {
                self.found.push(self.depths.clone());
            }
            return;
        };
        if line.empty {
            return self.place(at + 1, stack);
        }
        let mut in_maps = Vec::new();
        let before = self.found.len();
        for end in (1..=stack.len()).rev() {
            let (open, closed) = stack.split_at(end);
            if !closed.iter().all(Frame::is_complete) {
                break;
            }
            let Some(next) = accept(open, line) else { continue };
            self.depths[at] = Frame::depth(open);
            match open.last() {
                Some(Frame::Map { used, .. }) if !used.is_empty() => in_maps.push((Frame::depth(open), next)),
                _ => self.place(at + 1, &next),
            }
        }
        if self.found.len() == before {
            for (depth, next) in in_maps {
                self.depths[at] = depth;
                self.place(at + 1, &next);
            }
        }
    }
}

/// The stack after a line was put into its innermost frame, if it fits there.
fn accept<'t>(stack: &[Frame<'t>], line: Line<'t>) -> Option<Vec<Frame<'t>>> {
    let mut next = stack.to_vec();
    let top = next.last_mut()?;
    if line.dash {
        let Frame::List { item, count } = top else { return None };
        *count += 1;
        let item = *item;
        let Some(key) = line.key else { return fits(item, line.value?).then_some(next) };
        next.push(opened(item)?);
        return put(next, key, line.value);
    }
    put(next, line.key?, line.value)
}

/// Whether the server of this version forgets the field: nobody writes it there.
///
/// Only sidecars have a restart policy of their own. See `default::gate`.
fn is_forgotten(stack: &[Frame<'_>], key: &str) -> bool {
    let in_list = |name: &str| match stack.iter().rev().nth(2) {
        Some(Frame::Struct { used, .. }) => used.last() == Some(&name),
        _ => false,
    };
    let Some(Frame::Struct { schema, .. }) = stack.last() else { return false };
    match (schema.name(), key) {
        ("Container", "restartPolicy") => in_list("containers"),
        ("Container", "restartPolicyRules")
        | ("PodSpec", "hostnameOverride")
        | ("Lifecycle", "stopSignal") => true,
        _ => false,
    }
}

fn put<'t>(mut stack: Vec<Frame<'t>>, key: &'t str, value: Option<&'t str>) -> Option<Vec<Frame<'t>>> {
    if is_forgotten(&stack, key) {
        return None;
    }
    let ty: &'static Type = match stack.last_mut()? {
        Frame::Struct { schema, used } => {
            let field = schema.field(key).filter(|_| !used.contains(&key))?;
            used.push(key);
            &field.ty
        }
        Frame::Map { item, used } => {
            if used.contains(&key) {
                return None;
            }
            used.push(key);
            item
        }
        Frame::List { .. } => return None,
    };
    match value {
        Some(value) => fits(ty, value).then_some(stack),
        None => {
            stack.push(opened(ty)?);
            Some(stack)
        }
    }
}

fn opened<'t>(ty: &'static Type) -> Option<Frame<'t>> {
    Some(match ty {
        Type::Object(id) => Frame::Struct { schema: id.schema(), used: Vec::new() },
        Type::Map(item) => Frame::Map { item, used: Vec::new() },
        Type::List(item) => Frame::List { item, count: 0 },
        _ => return None,
    })
}

/// Whether a value on the line itself has the right type.
fn fits(ty: &Type, value: &str) -> bool {
    let read = text::read(&format!("v: {value}"));
    let Some(document) = read.documents.first().filter(|document| document.error.is_none()) else {
        return false;
    };
    match (ty, &document.value()["v"]) {
        (_, Value::Null) => false,
        (Type::Any, _)
        | (Type::Text | Type::Time | Type::MicroTime | Type::Bytes, Value::String(_))
        | (Type::Boolean, Value::Bool(_))
        | (Type::Int32 | Type::Int64 | Type::Float, Value::Number(_))
        | (Type::Quantity | Type::IntOrString, Value::String(_) | Value::Number(_))
        | (Type::List(_), Value::Array(_))
        | (Type::Map(_) | Type::Object(_), Value::Object(_)) => true,
        _ => false,
    }
}

fn written(lines: &[&str], parsed: &[Line<'_>], depths: &[usize]) -> String {
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        // A comment stands with the line it speaks of.
        let of = (index..parsed.len()).find(|at| !parsed[*at].empty).unwrap_or(index);
        let depth = if line.trim().is_empty() { 0 } else { depths.get(of).copied().unwrap_or_default() };
        out.push_str(&"  ".repeat(depth));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pod_of_the_scheduling_post_gets_its_indentation_back() {
        let flat = "apiVersion: v1\nkind: Pod\nmetadata:\nname: test-pod\nspec:\nschedulingGates:\n- name: example.com/foo\n- name: example.com/bar\ncontainers:\n- name: pause\nimage: registry.k8s.io/pause:3.6\n";
        let there = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: test-pod\nspec:\n  schedulingGates:\n  - name: example.com/foo\n  - name: example.com/bar\n  containers:\n  - name: pause\n    image: registry.k8s.io/pause:3.6\n";
        assert_eq!(reindent(flat).as_deref(), Some(there));
    }

    #[test]
    fn a_kind_config_gets_its_indentation_back() {
        let flat = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\nimage: kindest/node:v1.32.2\n";
        let there = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n  image: kindest/node:v1.32.2\n";
        assert_eq!(reindent(flat).as_deref(), Some(there));
    }

    #[test]
    fn a_deployment_and_a_service_in_one_stream_get_theirs() {
        let there = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  labels:\n    app: web\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n      - name: web\n        image: nginx\n        ports:\n        - containerPort: 80\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: web\n  ports:\n  - port: 80\n";
        let flat: String = there.lines().map(|line| format!("{}\n", line.trim_start())).collect();
        assert_eq!(reindent(&flat).as_deref(), Some(there));
    }

    #[test]
    fn the_restart_policy_is_the_pods() {
        let there = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: c\n    image: i\n  restartPolicy: Never\n";
        let flat: String = there.lines().map(|line| format!("{}\n", line.trim_start())).collect();
        assert_eq!(reindent(&flat).as_deref(), Some(there));
    }

    #[test]
    fn a_key_that_fits_in_two_places_gets_no_offer() {
        // Both a container and, since 1.34, a pod have resources.
        let flat = "apiVersion: v1\nkind: Pod\nmetadata:\nname: a\nspec:\ncontainers:\n- name: c\nimage: i\nresources:\nlimits:\ncpu: 1\n";
        assert_eq!(reindent(flat), None);
        assert_eq!(reindent("a: 1\nb: 2\n"), None);
        assert_eq!(reindent("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"), None);
    }
}
