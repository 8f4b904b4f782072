//! What would the real systems say to this text, and where?
//!
//! For the editor: everything that reading, decoding, validating and the tools' own config files have to say, at line
//! and column, all at once. Severity tells who minds: an error is refused, a warning accepted with a remark, an
//! information is kept and not simulated. It does not know which cluster the text will meet.
//!
//! ```
//! let found = api::diagnose::manifest("apiVersion: v1\nkind: Pod\nmetadata:\n  name: Web\nspec:\n  containers: []\n");
//! let places: Vec<_> = found.iter().filter_map(|it| Some((it.field.to_string(), it.span?.line))).collect();
//! assert_eq!(places, [("metadata.name".to_owned(), 4), ("spec.containers".to_owned(), 6)]);
//! ```

use crate::{
    Diagnostic, FieldPath, Kind, Object, Scope, decode, default,
    field::Step,
    kinds::{eksctl, kind_config},
    meta::Time,
    schema,
    text::{self, Document},
    validate,
};

/// Most remarks on one text; nobody reads more.
const MOST: usize = 500;

/// Everything that is to be said of a text, document by document.
#[must_use]
pub fn manifest(text: &str) -> Vec<Diagnostic> {
    let reading = text::read(text);
    let mut found = reading.diagnostics;
    for document in reading.documents.iter().filter(|document| document.error.is_none()) {
        found.extend(self::document(document));
    }
    found.sort_by_key(|it| it.span.map(|span| (span.start, span.end)));
    found.truncate(MOST);
    found
}

/// What a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Objects, for `kubectl apply`; or nobody can tell.
    Objects,
    /// Part of something, such as a patch: it names neither an API version nor a kind.
    Part,
    /// A config of eksctl, kind or the lab: the API server does not know its kind.
    Config,
}

/// What a text is for, by the kinds that it names.
#[must_use]
pub fn purpose(text: &str) -> Purpose {
    let reading = text::read(text);
    let of = |document: &Document| match (document.api_version(), document.kind()) {
        _ if document.error.is_some() => Purpose::Objects,
        (Some(version), _)
            if ["eksctl.io/", "kind.x-k8s.io/", "podpath/"].iter().any(|it| version.starts_with(it)) =>
        {
            Purpose::Config
        }
        (None, None) => Purpose::Part,
        _ => Purpose::Objects,
    };
    let mut all = reading.documents.iter().map(of);
    match all.next() {
        Some(first) if all.all(|it| it == first) => first,
        _ => Purpose::Objects,
    }
}

/// Everything that is to be said of one document that could be read.
#[must_use]
pub fn document(document: &Document) -> Vec<Diagnostic> {
    let mut found = match (document.api_version(), document.kind()) {
        (Some(version), Some("ClusterConfig")) if version.starts_with("eksctl.io/") => {
            eksctl::read(document).1
        }
        (Some(version), Some("Cluster")) if version.starts_with("kind.x-k8s.io/") => {
            kind_config::read(document).1
        }
        // The lab's own files are read by who owns them.
        (Some(version), _) if version.starts_with("podpath/") => Vec::new(),
        _ => object(document),
    };
    for duplicate in &document.duplicates {
        let message = format!("key {:?} already set in map", duplicate.key);
        found.push(Diagnostic::warning(FieldPath::root(), message).hint("duplicate-key").at(duplicate.span));
    }
    found
}

fn object(document: &Document) -> Vec<Diagnostic> {
    let value = document.value();
    let kind = match decode::mapping(value) {
        Ok(kind) => kind,
        Err(error) => {
            let field = FieldPath::of(match &error {
                decode::MappingError::Unset { api_version, .. } if api_version.is_empty() => "apiVersion",
                _ => "kind",
            });
            return vec![placed(document, Diagnostic::error(field, error.to_string()).hint("kind-unknown"))];
        }
    };
    let Some(schema) = schema::root(kind) else { return Vec::new() };
    let (decoded, wrong) = decode::look(schema, value);
    let mut found = Vec::new();
    for unknown in decoded.unknown {
        let span = document.key_span_of(&unknown.field);
        let hint = match meant(schema, &unknown.field) {
            Some(name) => format!("unknown-field {name}"),
            None => "unknown-field".to_owned(),
        };
        let diagnostic = Diagnostic::error(unknown.field, unknown.message).hint(&hint);
        found.push(Diagnostic { span, ..diagnostic });
    }
    // The server goes no further than wrong types and unknown fields; who writes wants to know the rest too. What only follows from
    // a value that could not be read is not part of it.
    let follows = |cause: &FieldPath| {
        wrong.iter().any(|wrong| cause.0.starts_with(&wrong.field.0) || wrong.field.0.starts_with(&cause.0))
    };
    if let Ok(object) = Object::from_value(kind, decoded.value) {
        let refused = !found.is_empty() || !wrong.is_empty();
        let rest = meaning(object).into_iter().filter(|it| !follows(&it.field));
        let rest = rest.filter(|it| !refused || it.severity == crate::Severity::Error);
        found.extend(rest.map(|it| placed(document, it)));
    }
    for wrong in wrong {
        found.push(placed(document, Diagnostic::error(wrong.field, wrong.message).hint("wrong-type")));
    }
    if !kind.info().simulated {
        let message = format!("{} is stored and shown back, not simulated", kind.info().kind);
        let field = FieldPath::of("kind");
        let diagnostic = Diagnostic::warning(field, message).hint("not-simulated");
        found.push(placed(document, Diagnostic { severity: crate::Severity::Info, ..diagnostic }));
    }
    found
}

/// The field that an unknown one was probably meant to be: the same in other letters, or nearly so.
fn meant(root: &'static schema::TypeSchema, unknown: &FieldPath) -> Option<&'static str> {
    let mut parent = unknown.clone();
    let Some(Step::Field(name)) = parent.0.pop() else { return None };
    let owner = match parent.0.is_empty() {
        true => root,
        false => schema::field(root, &parent)?.ty.inner_object()?,
    };
    let distance = |known: &&schema::FieldSchema| {
        strsim::damerau_levenshtein(&known.name.to_lowercase(), &name.to_lowercase())
    };
    let nearest = owner.fields.iter().min_by_key(distance)?;
    (distance(&nearest) <= name.len() / 3).then_some(nearest.name)
}

/// What validation says of an object as a create would bring it.
fn meaning(mut object: Object) -> Vec<Diagnostic> {
    default::apply_defaults(&mut object);
    let namespaced = object.kind().info().scope == Scope::Namespaced;
    let is_job = object.kind() == Kind::Job;
    let metadata = object.meta_mut();
    if namespaced && default::blank(metadata.namespace.as_ref()) {
        metadata.namespace = Some("default".to_owned());
    }
    let named = !default::blank(metadata.name.as_ref());
    if let Some(prefix) = metadata.generate_name.clone().filter(|prefix| !named && !prefix.is_empty()) {
        metadata.name = Some(format!("{prefix}xxxxx"));
    }
    if is_job {
        // A Job is selected by the uid that it will get.
        metadata.uid = Some("00000000-0000-4000-8000-000000000000".to_owned());
    }
    default::prepare_for_create(&mut object, &Time(Default::default()));
    let causes = validate::create(&object).into_iter();
    let mut found: Vec<Diagnostic> = causes
        .map(|cause| {
            let hint = cause.reason.trim_start_matches("FieldValue").to_lowercase();
            Diagnostic::error(FieldPath::parse(&cause.field), cause.message).hint(&hint)
        })
        .collect();
    // What is refused gets no remarks.
    let remarks =
        if found.is_empty() { validate::warnings(&object, validate::Release::CURRENT) } else { Vec::new() };
    for warning in remarks {
        let (field, message) = warning.split_once(": ").unwrap_or(("", &warning));
        found.push(Diagnostic::warning(FieldPath::parse(field), message));
    }
    found
}

fn placed(document: &Document, diagnostic: Diagnostic) -> Diagnostic {
    let span = document.span_of(&diagnostic.field);
    Diagnostic { span, ..diagnostic }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;

    #[test]
    fn a_text_is_for_the_api_server_unless_all_of_it_is_for_something_else() {
        assert_eq!(purpose("apiVersion: v1\nkind: Pod\n"), Purpose::Objects);
        assert_eq!(purpose("apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\n"), Purpose::Config);
        assert_eq!(purpose("spec:\n  replicas: 2\n"), Purpose::Part);
        assert_eq!(purpose("kind: Pod\n---\nspec: {}\n"), Purpose::Objects);
        assert_eq!((purpose(""), purpose("a: [")), (Purpose::Objects, Purpose::Objects));
    }

    fn said(text: &str) -> Vec<(u32, u32, String)> {
        let at = |it: Diagnostic| {
            let span = it.span.expect("a place");
            (span.line, span.column, it.message)
        };
        manifest(text).into_iter().map(at).collect()
    }

    #[test]
    fn an_unknown_field_is_shown_at_its_name() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: c\n    image: i\n    port: 80\n";
        assert_eq!(said(text), [(8, 5, "unknown field \"spec.containers[0].port\"".to_owned())]);
    }

    #[test]
    fn a_missing_field_is_shown_at_its_list_item() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: c\n    image: i\n  - name: d\n";
        assert_eq!(said(text), [(8, 5, "Required value".to_owned())]);
    }

    #[test]
    fn wrong_types_and_unknown_kinds_are_said_in_the_servers_words() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  replicas: three\n  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}\n";
        let words =
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32";
        assert_eq!(said(text), [(5, 13, words.to_owned())]);
        let text = "apiVersion: v1\nkind: Deployment\nmetadata: {name: a}\n";
        assert_eq!(said(text), [(2, 7, "no matches for kind \"Deployment\" in version \"v1\"".to_owned())]);
    }

    #[test]
    fn what_the_server_stops_at_does_not_hide_the_rest() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: A}\nspec:\n  containers:\n  - name: c\n    image: i\n    ports: [{containerPort: \"80\"}]\n    \
                    resources: {requests: {memory: 1GB}, limits: {cpu: []}}\n    readinessprobe: {}\n";
        let found = manifest(text);
        let lines: Vec<u32> = found.iter().filter_map(|it| it.span).map(|span| span.line).collect();
        assert_eq!(lines, [3, 8, 9, 9, 10], "{found:?}");
        assert_eq!(found[4].hint.as_deref(), Some("unknown-field readinessProbe"));
    }

    #[test]
    fn every_document_is_looked_at_and_lines_count_from_the_top() {
        let text = "a: [\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: A}\n";
        let lines: Vec<u32> = manifest(text).iter().filter_map(|it| it.span).map(|span| span.line).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], 5);
    }

    #[test]
    fn a_kind_without_behaviour_is_marked() {
        let text = "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: a}\nspec: {controller: a.b/c}\n";
        let found = manifest(text);
        assert_eq!(found.last().map(|it| it.severity), Some(Severity::Info));
    }
}
