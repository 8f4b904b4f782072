//! Which objects does a reader get?
//!
//! Source of the field labels: `pkg/apis/*/v1/conversion.go` and the `SelectableFields` of the kinds' strategies.

use std::rc::Rc;

use api::{ApiStatus, Kind, Object, custom::Version, label::Selector};

use crate::{
    ClusterId, Store,
    apiserver::{Call, definitions},
};

/// One object.
pub(super) fn get(call: &Call<'_>, kind: Kind, namespace: &str, name: &str) -> Result<Rc<Object>, ApiStatus> {
    let key = call.key(kind, namespace, name);
    let version = definitions::version(call.world.store(), call.cluster, kind);
    let found = call.world.store().object(&key).ok_or_else(|| ApiStatus::not_found(kind, name))?;
    Ok(definitions::as_asked(version.as_ref(), kind, found))
}

/// What a reader of a list, or of its changes, wants of it.
pub struct Selected {
    labels: Selector,
    fields: Vec<Field>,
    version: Option<Version>,
}

impl Selected {
    /// Reads both selectors, as `-l` and `--field-selector` give them.
    /// # Errors
    /// 400 of one that cannot be read, or that names a field by which the kind is not selected.
    pub fn parse(
        (store, cluster): (&Store, ClusterId),
        kind: Kind,
        labels: &str,
        fields: &str,
    ) -> Result<Self, ApiStatus> {
        let labels = Selector::parse(labels).map_err(|error| ApiStatus::bad_request(error.to_string()))?;
        let version = definitions::version(store, cluster, kind);
        let own = version.as_ref().map(|version| version.selectable.as_slice()).unwrap_or_default();
        let fields = parse(kind, own, fields)?;
        Ok(Self { labels, fields, version })
    }

    /// Whether it is everything.
    pub(super) fn is_all(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object is wanted.
    #[must_use]
    pub fn accepts(&self, object: &Object) -> bool {
        let nothing = std::collections::BTreeMap::new();
        let labels = object.meta().labels.as_ref().unwrap_or(&nothing);
        (self.labels.is_empty() || self.labels.matches(labels))
            && self.fields.iter().all(|field| field.accepts(object))
    }

    /// The object in the version that was asked for.
    pub(super) fn shown(&self, kind: Kind, object: &Rc<Object>) -> Rc<Object> {
        definitions::as_asked(self.version.as_ref(), kind, object)
    }
}

/// One condition on one field.
struct Field {
    name: String,
    value: String,
    equal: bool,
}

impl Field {
    fn accepts(&self, object: &Object) -> bool {
        (value_of(object, &self.name) == self.value) == self.equal
    }
}

fn parse(kind: Kind, own: &[String], text: &str) -> Result<Vec<Field>, ApiStatus> {
    let terms = text.split(',').filter(|term| !term.is_empty());
    terms
        .map(|term| {
            let field = ["!=", "==", "="].iter().find_map(|operator| {
                let (name, value) = term.split_once(operator)?;
                Some(Field { name: name.to_owned(), value: value.to_owned(), equal: *operator != "!=" })
            });
            if let Some(bare) = field.as_ref().and_then(|field| field.value.chars().find(|it| *it == '=')) {
                let why =
                    format!("invalid field selector: unescaped character in value: {}", u32::from(bare));
                return Err(ApiStatus::bad_request(why));
            }
            let field = field.ok_or_else(|| {
                ApiStatus::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"))
            })?;
            if is_selectable(kind, &field.name) || own.contains(&field.name) {
                Ok(field)
            } else {
                Err(ApiStatus::bad_request(not_selectable(kind, &field.name)))
            }
        })
        .collect()
}

/// UPSTREAM: each kind that has fields of its own says so in its own words, and all others in the same.
fn not_selectable(kind: Kind, field: &str) -> String {
    match kind {
        Kind::Job => format!("field label {field:?} not supported for Job"),
        Kind::Pod
        | Kind::Node
        | Kind::Namespace
        | Kind::Service
        | Kind::Secret
        | Kind::Event
        | Kind::ReplicationController
        | Kind::CertificateSigningRequest
        | Kind::Custom(_) => format!("field label not supported: {field}"),
        _ => {
            format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
        }
    }
}

fn is_selectable(kind: Kind, field: &str) -> bool {
    let own: &[&str] = match kind {
        Kind::Pod => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
        Kind::Node => &["spec.unschedulable"],
        Kind::Namespace => &["status.phase"],
        Kind::Service => &["spec.clusterIP", "spec.type"],
        Kind::Secret => &["type"],
        Kind::Event => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        Kind::ReplicationController => &["status.replicas"],
        Kind::Job => &["status.successful"],
        Kind::CertificateSigningRequest => &["spec.signerName"],
        _ => &[],
    };
    matches!(field, "metadata.name" | "metadata.namespace") || own.contains(&field)
}

fn value_of(object: &Object, field: &str) -> String {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    match (field, object) {
        ("metadata.name", _) => object.name().to_owned(),
        ("metadata.namespace", _) => object.namespace().to_owned(),
        ("spec.nodeName", Object::Pod(pod)) => {
            text(pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()))
        }
        ("status.phase", Object::Pod(pod)) => {
            text(pod.status.as_ref().and_then(|status| status.phase.as_deref()))
        }
        ("source", Object::Event(event)) => {
            let source = event.source.as_ref().and_then(|source| source.component.as_deref());
            match source {
                None | Some("") => text(event.reporting_component.as_deref()),
                source => text(source),
            }
        }
        _ => shown(&object.to_value(), field),
    }
}

/// The value at a dotted path, as a selector compares it: absent booleans are `false`, absent texts empty.
fn shown(value: &serde_json::Value, field: &str) -> String {
    let found = field.split('.').try_fold(value, |value, name| value.get(name));
    match found {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None if field == "status.successful" => shown(value, "status.succeeded"),
        None if matches!(field, "spec.unschedulable" | "spec.hostNetwork") => "false".to_owned(),
        None if matches!(field, "status.replicas" | "status.succeeded") => "0".to_owned(),
        None => String::new(),
    }
}
