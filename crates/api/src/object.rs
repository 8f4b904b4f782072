//! What does the store hold?
//!
//! [`Object`] is one of the registry's types, or [`Stored`]: a kind without behaviour, kept as it came.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Kind, meta::ObjectMeta};

pub use crate::kind::Object;

/// A type that the registry of kinds lists.
pub trait Resource: Serialize + Clone + Sized {
    /// Its row in the registry.
    const KIND: Kind;
    /// The object, if it is of this kind.
    fn of(object: &Object) -> Option<&Self>;
    /// The object to change, if it is of this kind.
    fn of_mut(object: &mut Object) -> Option<&mut Self>;
    /// As the store holds it.
    fn into_object(self) -> Object;
    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
    /// Its metadata, to change.
    fn meta_mut(&mut self) -> &mut ObjectMeta;
}

/// An object of a kind that the lab stores and shows back but gives no behaviour.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Which kind.
    pub kind: Kind,
    /// Its metadata, typed so that every object can be found and owned.
    pub metadata: ObjectMeta,
    /// Everything else, as it came; without `apiVersion`, `kind` and `metadata`.
    pub body: Map<String, Value>,
}

impl Stored {
    /// Reads any object: metadata typed, the rest as it is.
    /// # Errors
    /// The first value of `metadata` that has the wrong type.
    pub fn from_value(kind: Kind, value: Value) -> Result<Self, serde_json::Error> {
        let mut body = match value {
            Value::Object(body) => body,
            other => serde_json::from_value::<Map<String, Value>>(other)?,
        };
        body.remove("apiVersion");
        body.remove("kind");
        let metadata = match body.remove("metadata") {
            Some(metadata) => serde_json::from_value(metadata)?,
            None => ObjectMeta::default(),
        };
        Ok(Self { kind, metadata, body })
    }
}

impl Stored {
    /// The object in a type of `k8s-openapi`, where one is wanted for a moment; `T` must be the kind's own.
    /// # Errors
    /// The first value that has the wrong type.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let mut fields = self.body.clone();
        fields.insert("metadata".to_owned(), serde_json::to_value(&self.metadata)?);
        serde_json::from_value(Value::Object(fields))
    }

    /// Changes the object in a type of `k8s-openapi`; one that does not fit stays as it is.
    pub fn edit<T: DeserializeOwned + Serialize>(&mut self, change: impl FnOnce(&mut T)) {
        let Ok(mut typed) = self.typed::<T>() else { return };
        change(&mut typed);
        let written = serde_json::to_value(&typed).and_then(|value| Self::from_value(self.kind, value));
        if let Ok(written) = written {
            *self = written;
        }
    }
}

impl Object {
    /// The JSON form, as the API server would send it: `apiVersion`, `kind`, `metadata` and the rest.
    ///
    /// Kinds that no API server serves come out in the same shape, with the group `aws`, `eks` or `sim`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let info = self.kind().info();
        let mut value = match self {
            Object::Stored(stored) => {
                let mut body = stored.body.clone();
                body.insert(
                    "metadata".to_owned(),
                    serde_json::to_value(&stored.metadata).unwrap_or_default(),
                );
                Value::Object(body)
            }
            typed => typed.typed_value(),
        };
        if let Value::Object(fields) = &mut value {
            fields.insert("apiVersion".to_owned(), Value::String(info.api_version()));
            fields.insert("kind".to_owned(), Value::String(info.kind.to_owned()));
        }
        value
    }

    /// The object as `R`, if it is one.
    #[must_use]
    pub fn get<R: Resource>(&self) -> Option<&R> {
        R::of(self)
    }

    /// Its name; empty before it has one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Its namespace; empty where its kind has none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_survives_the_way_to_json_and_back() {
        let value = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
            "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let object = Object::from_value(Kind::Pod, value.clone()).expect("a pod");
        assert_eq!(object.to_value(), value);
    }

    #[test]
    fn a_kind_without_behaviour_keeps_every_field() {
        let value = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a"}, "spec": {"x": 1}});
        let object = Object::from_value(Kind::Ingress, value.clone()).expect("an ingress");
        assert_eq!(object.to_value(), value);
    }
}
