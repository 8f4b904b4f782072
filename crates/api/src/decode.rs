//! Is this JSON an object of that kind, and in whose words is it not?
//!
//! [`read`] walks a value along the schema as Go's decoder does: fields in the order of their names, wrong types noted
//! (the first is reported), values with a parser of their own (quantities, times, int-or-strings) stopping at once,
//! unknown and misspelt fields collected. It does not look at what the values mean: that is [`crate::validate`].
//! Source: sigs.k8s.io/json (a fork of encoding/json), apimachinery `runtime/serializer/json`; cases of kube-apiserver
//! v1.34.1 in `tests/vectors/validate`.

mod time;

use base64::Engine as _;
use serde_json::{Map, Value};

use self::time::{Layout, parse};
use crate::{
    FieldPath, Kind, Object,
    field::Step,
    quantity::Quantity,
    schema::{self, FieldSchema, Type, TypeSchema},
};

/// A field that strict decoding refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrictError {
    /// Which one.
    pub field: FieldPath,
    /// `unknown field "spec.foo"`.
    pub message: String,
}

/// A value of the wrong type, or one that its parser refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// Which field.
    pub field: FieldPath,
    /// `json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32`.
    pub message: String,
}

/// What the decoder made of a value.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The value without nulls and without fields that the kind does not have.
    pub value: Value,
    /// The fields it does not have, in the server's order.
    pub unknown: Vec<StrictError>,
}

/// The fields that `kind` does not have, in the server's order. None of them is reported if a type is wrong.
#[must_use]
pub fn strict(kind: Kind, value: &Value) -> Vec<StrictError> {
    read(kind, value).map(|decoded| decoded.unknown).unwrap_or_default()
}

/// Reads an object; fields that the kind does not have are dropped.
/// # Errors
/// The first value of the wrong type, in the server's words.
pub fn decode(kind: Kind, value: &Value) -> Result<Object, DecodeError> {
    let decoded = read(kind, value)?;
    Object::from_value(kind, decoded.value)
        .map_err(|error| DecodeError { field: FieldPath::root(), message: format!("json: {error}") })
}

/// Walks a value along the schema of its kind.
/// # Errors
/// The first value of the wrong type, in the server's words.
pub fn read(kind: Kind, value: &Value) -> Result<Decoded, DecodeError> {
    match schema::root(kind) {
        Some(schema) => along(schema, value),
        None => Ok(Decoded { value: value.clone(), unknown: Vec::new() }),
    }
}

/// Walks a value along a struct of the schema.
/// # Errors
/// The first value of the wrong type, in Go's words.
pub fn along(schema: &'static TypeSchema, value: &Value) -> Result<Decoded, DecodeError> {
    let Value::Object(fields) = value else { return Err(no_object(schema, value)) };
    let mut walk = Walk::default();
    let value = walk.object(schema, fields)?;
    match walk.wrong.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(Decoded { value, unknown: walk.unknown }),
    }
}

/// The same, with every value of the wrong type left out and named: for an editor, which shows all of them.
#[must_use]
pub fn look(schema: &'static TypeSchema, value: &Value) -> (Decoded, Vec<DecodeError>) {
    let nothing = |error| (Decoded { value: Value::Null, unknown: Vec::new() }, vec![error]);
    let Value::Object(fields) = value else { return nothing(no_object(schema, value)) };
    let mut walk = Walk { goes_on: true, ..Walk::default() };
    match walk.object(schema, fields) {
        Ok(value) => (Decoded { value, unknown: walk.unknown }, walk.wrong),
        Err(error) => nothing(error),
    }
}

fn no_object(schema: &'static TypeSchema, value: &Value) -> DecodeError {
    let (kind, go) = (kind_of(value), schema.go_name());
    let message = format!("json: cannot unmarshal {kind} into Go value of type {go}");
    DecodeError { field: FieldPath::root(), message }
}

/// A manifest that does not say, or not rightly, what kind of object it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// `apiVersion`, `kind` or both are missing.
    #[error("{}", unset(.api_version, .kind))]
    Unset {
        /// What stands in `apiVersion`.
        api_version: String,
        /// What stands in `kind`.
        kind: String,
    },
    /// There is no such kind in that version.
    #[error("no matches for kind \"{kind}\" in version \"{api_version}\"")]
    Unknown {
        /// What stands in `apiVersion`.
        api_version: String,
        /// What stands in `kind`.
        kind: String,
    },
}

fn unset(api_version: &str, kind: &str) -> &'static str {
    match (api_version, kind) {
        ("", "") => "[apiVersion not set, kind not set]",
        ("", _) => "apiVersion not set",
        _ => "kind not set",
    }
}

impl MappingError {
    /// What kubectl prints after `error: ` for a manifest that came from `source` (a file's name or `STDIN`).
    #[must_use]
    pub fn kubectl(&self, manifest: &Value, source: &str) -> String {
        match self {
            MappingError::Unset { .. } => format!(
                "error validating \"{source}\": error validating data: {self}; if you choose to ignore these errors, turn validation off with --validate=false"
            ),
            MappingError::Unknown { .. } => {
                let of = |field: &str| manifest["metadata"][field].as_str().unwrap_or_default().to_owned();
                format!(
                    "resource mapping not found for name: \"{}\" namespace: \"{}\" from \"{source}\": {self}\nensure CRDs are installed first",
                    of("name"),
                    of("namespace")
                )
            }
        }
    }
}

/// The kind that a manifest names.
/// # Errors
/// Nothing is named, or what is named is not there.
pub fn mapping(manifest: &Value) -> Result<Kind, MappingError> {
    let of = |field: &str| manifest[field].as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (of("apiVersion"), of("kind"));
    if api_version.is_empty() || kind.is_empty() {
        return Err(MappingError::Unset { api_version, kind });
    }
    Kind::of_manifest(&api_version, &kind).ok_or(MappingError::Unknown { api_version, kind })
}

/// A refusal to decode as the API server says it: `Pod in version "v1" cannot be handled as a Pod: …`.
#[must_use]
pub fn bad_request(kind: Kind, why: &str) -> String {
    let info = kind.info();
    format!("{0} in version \"{1}\" cannot be handled as a {0}: {why}", info.kind, info.version)
}

#[derive(Default)]
struct Walk {
    path: Vec<Step>,
    /// The struct one is in and the names of the fields passed, as Go's error context has them.
    inside: &'static str,
    names: Vec<&'static str>,
    unknown: Vec<StrictError>,
    wrong: Vec<DecodeError>,
    /// Whether what Go stops at is noted like the rest.
    goes_on: bool,
}

impl Walk {
    fn object(
        &mut self,
        schema: &'static TypeSchema,
        fields: &Map<String, Value>,
    ) -> Result<Value, DecodeError> {
        let mut out = Map::new();
        for (name, value) in fields {
            self.path.push(Step::Field(name.clone()));
            match schema.field(name) {
                None => self.unknown.push(StrictError {
                    field: FieldPath(self.path.clone()),
                    message: format!("unknown field \"{}\"", go_path(&self.path)),
                }),
                Some(field) => {
                    let outer = std::mem::replace(&mut self.inside, schema.name());
                    self.names.push(field.name);
                    let read = self.typed(&field.ty, false, field, value)?;
                    self.names.pop();
                    self.inside = outer;
                    if let Some(read) = read {
                        out.insert(name.clone(), read);
                    }
                }
            }
            self.path.pop();
        }
        Ok(Value::Object(out))
    }

    /// A value of a type, the field's own or that of its items; nothing for null and for what was noted as wrong.
    fn typed(
        &mut self,
        ty: &Type,
        item: bool,
        field: &'static FieldSchema,
        value: &Value,
    ) -> Result<Option<Value>, DecodeError> {
        let go = || if item { field.go_item() } else { field.go_type() };
        let read = match (ty, value) {
            (_, Value::Null) => return Ok(None),
            (Type::Any, value)
            | (Type::Text, value @ Value::String(_))
            | (Type::Boolean, value @ Value::Bool(_)) => value.clone(),
            (Type::Float, value @ Value::Number(_)) => value.clone(),
            (Type::Int32, Value::Number(number))
                if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) =>
            {
                value.clone()
            }
            (Type::Int64, Value::Number(number)) if number.as_i64().is_some() => value.clone(),
            (Type::Int32 | Type::Int64, Value::Number(number)) => {
                self.note(&format!("number {number}"), &go());
                return Ok(None);
            }
            (Type::Quantity, value) => match self.quantity(value) {
                Ok(read) => read,
                Err(error) => return self.stop(error),
            },
            (Type::IntOrString, value) => match self.int_or_string(value) {
                Ok(read) => read,
                Err(error) => return self.stop(error),
            },
            (Type::Time | Type::MicroTime, value) => match self.time(ty, value) {
                Ok(read) => read,
                Err(error) => return self.stop(error),
            },
            (Type::Bytes, Value::String(text)) => {
                if let Some(at) = illegal_base64(text) {
                    self.wrong(format!("illegal base64 data at input byte {at}"));
                    return Ok(None);
                }
                // Line breaks are legal in base64 for Go and not for the types.
                Value::String(text.replace(['\n', '\r'], ""))
            }
            // UPSTREAM: Go takes bytes one by one too.
            (Type::Bytes, Value::Array(items)) => {
                let mut bytes = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    match item.as_u64().map(u8::try_from) {
                        Some(Ok(byte)) => bytes.push(byte),
                        _ => {
                            self.path.push(Step::Index(u32::try_from(index).unwrap_or(u32::MAX)));
                            let what = match item {
                                Value::Number(number) => format!("number {number}"),
                                other => kind_of(other).to_owned(),
                            };
                            self.note(&what, "uint8");
                            self.path.pop();
                            bytes.push(0);
                        }
                    }
                }
                Value::String(base64::engine::general_purpose::STANDARD.encode(bytes))
            }
            (Type::List(inner), Value::Array(items)) => {
                let mut out = Vec::with_capacity(items.len());
                for (index, value) in items.iter().enumerate() {
                    self.path.push(Step::Index(u32::try_from(index).unwrap_or(u32::MAX)));
                    let read = self.typed(inner, true, field, value)?;
                    out.push(read.unwrap_or_else(|| zero(inner)));
                    self.path.pop();
                }
                Value::Array(out)
            }
            (Type::Map(inner), Value::Object(entries)) => {
                let mut out = Map::new();
                for (key, value) in entries {
                    self.path.push(Step::Key(key.clone()));
                    let read = self.typed(inner, true, field, value)?;
                    out.insert(key.clone(), read.unwrap_or_else(|| zero(inner)));
                    self.path.pop();
                }
                Value::Object(out)
            }
            (Type::Object(id), Value::Object(fields)) => {
                let mut read = self.object(id.schema(), fields)?;
                if let Some(read) = read.as_object_mut()
                    && id.schema().name() == "PersistentVolumeClaim"
                {
                    // A claim's template may call itself anything: it is a claim by its place.
                    read.remove("apiVersion");
                    read.remove("kind");
                }
                // INVARIANT: a selector that is empty differs from one that is not there; the types cannot say so.
                if id.schema().name() == "LabelSelector"
                    && read.as_object().is_some_and(|read| read.values().all(is_empty_list))
                {
                    read["matchExpressions"] = Value::Array(Vec::new());
                }
                read
            }
            (_, other) => {
                self.note(kind_of(other), &go());
                return Ok(None);
            }
        };
        Ok(Some(read))
    }

    fn quantity(&self, value: &Value) -> Result<Value, DecodeError> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match Quantity::parse(text.trim()) {
            Ok(quantity) => Ok(Value::String(quantity.canonical())),
            Err(error) => Err(self.error(error.to_string())),
        }
    }

    fn int_or_string(&self, value: &Value) -> Result<Value, DecodeError> {
        match value {
            Value::String(_) => Ok(value.clone()),
            Value::Number(number) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {
                Ok(value.clone())
            }
            Value::Number(number) => Err(self.mismatch(&format!("number {number}"), "int32")),
            other => Err(self.mismatch(kind_of(other), "int32")),
        }
    }

    fn time(&self, ty: &Type, value: &Value) -> Result<Value, DecodeError> {
        let Value::String(text) = value else { return Err(self.mismatch(kind_of(value), "string")) };
        let layout = if *ty == Type::Time { Layout::Seconds } else { Layout::Micros };
        parse(text, layout).map(Value::String).map_err(|why| self.error(why))
    }

    /// Go ends here; an editor reads on.
    fn stop(&mut self, error: DecodeError) -> Result<Option<Value>, DecodeError> {
        if !self.goes_on {
            return Err(error);
        }
        self.wrong.push(error);
        Ok(None)
    }

    fn note(&mut self, what: &str, go: &str) {
        let error = self.mismatch(what, go);
        self.wrong.push(error);
    }

    fn wrong(&mut self, message: String) {
        let error = self.error(message);
        self.wrong.push(error);
    }

    fn mismatch(&self, what: &str, go: &str) -> DecodeError {
        let place = format!("{}.{}", self.inside, self.names.join("."));
        self.error(format!("json: cannot unmarshal {what} into Go struct field {place} of type {go}"))
    }

    fn error(&self, message: String) -> DecodeError {
        DecodeError { field: FieldPath(self.path.clone()), message }
    }
}

/// As the strict decoder writes a path: map keys like fields.
fn go_path(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Field(name) | Step::Key(name) if out.is_empty() => out.push_str(name),
            Step::Field(name) | Step::Key(name) => {
                out.push('.');
                out.push_str(name);
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What Go leaves in a list where the text says null.
fn zero(ty: &Type) -> Value {
    match ty {
        Type::Text | Type::Bytes => Value::from(""),
        Type::Boolean => Value::from(false),
        Type::Int32 | Type::Int64 | Type::Float | Type::IntOrString => Value::from(0),
        Type::Quantity => Value::from("0"),
        Type::List(_) => Value::Array(Vec::new()),
        Type::Map(_) | Type::Object(_) => Value::Object(Map::new()),
        Type::Time | Type::MicroTime | Type::Any => Value::Null,
    }
}

/// The byte that Go's `base64.StdEncoding` objects to.
pub(crate) fn illegal_base64(text: &str) -> Option<usize> {
    let legal: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    if base64::engine::general_purpose::STANDARD.decode(&legal).is_ok() {
        return None;
    }
    let bytes = text.as_bytes();
    let is_break = |b: u8| matches!(b, b'\n' | b'\r');
    let mut held = 0;
    for (at, byte) in bytes.iter().copied().enumerate() {
        match byte {
            b if is_break(b) => {}
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => held = (held + 1) % 4,
            b'=' if held >= 2 => {
                let mut rest = at + 1;
                while bytes.get(rest).copied().is_some_and(is_break) {
                    rest += 1;
                }
                if held == 2 {
                    match bytes.get(rest) {
                        None => return Some(bytes.len()),
                        Some(b'=') => rest += 1,
                        Some(_) => return Some(rest),
                    }
                    while bytes.get(rest).copied().is_some_and(is_break) {
                        rest += 1;
                    }
                }
                return Some(if rest < bytes.len() { rest } else { bytes.len() });
            }
            _ => return Some(at),
        }
    }
    // The last group is not full.
    Some(bytes.len() - held.min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(value: &Value) -> String {
        read(Kind::Pod, value).expect_err("a refusal").message
    }

    #[test]
    fn wrong_types_are_named_as_go_names_them() {
        let port = json!({"spec": {"containers": [{"ports": [{"containerPort": "80"}]}]}});
        assert_eq!(
            refusal(&port),
            "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"
        );
        let gates = json!({"spec": {"schedulingGates": ["a"]}});
        assert_eq!(
            refusal(&gates),
            "json: cannot unmarshal string into Go struct field PodSpec.spec.schedulingGates of type v1.PodSchedulingGate"
        );
        let requests = json!({"spec": {"containers": [{"resources": {"requests": []}}]}});
        assert_eq!(
            refusal(&requests),
            "json: cannot unmarshal array into Go struct field ResourceRequirements.spec.containers.resources.requests of type v1.ResourceList"
        );
    }

    #[test]
    fn unknown_fields_come_in_the_order_of_their_names() {
        let pod = json!({"spec": {"restartPolcy": "Never", "contianers": [], "containers": [{"port": 1}]}});
        let unknown: Vec<_> = strict(Kind::Pod, &pod).into_iter().map(|it| it.message).collect();
        assert_eq!(
            unknown,
            [
                "unknown field \"spec.containers[0].port\"",
                "unknown field \"spec.contianers\"",
                "unknown field \"spec.restartPolcy\""
            ]
        );
    }

    #[test]
    fn base64_is_refused_at_the_byte_that_go_names() {
        for (text, at) in
            [("a-b=", Some(1)), ("hunter2", Some(4)), ("aGk=", None), ("aGk", Some(0)), ("a===", Some(1))]
        {
            assert_eq!(illegal_base64(text), at, "{text}");
        }
    }
}
