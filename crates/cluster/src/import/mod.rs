//! What does somebody's own cluster look like?
//!
//! An [`Import`] is what `kubectl get nodes,pods,svc,deploy -A -o yaml` printed (or json, or more kinds) and, if given, what
//! `aws ec2 describe-subnets` and `aws ec2 describe-network-interfaces` printed. It becomes a cluster beside the others, as it
//! was: its objects with their own versions and times, its subnets, ENIs and pools. It stands still. Owners of its pods
//! are not among what was given, and a controller that does not see them would clear their pods away; so neither the
//! scheduler nor the controllers run, and no node has a kubelet. What is not given is said ([`account::Account`]), never made up.

pub mod account;
mod aws;
mod lay;
pub mod outlook;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use api::{Kind, Object, Severity, text};
use serde_json::Value;

pub(crate) use lay::lay;

/// Why nothing can be set in motion.
pub(crate) const STANDS_STILL: &str = "an imported cluster stands still: what owns its pods was not given, and controllers that do not see it \
     would clear the pods away; ask lab what-if instead";

/// Everything that was given, read.
#[derive(Clone, Debug, Default)]
pub struct Import {
    objects: Vec<Object>,
    subnets: Vec<aws::DescribedSubnet>,
    interfaces: Option<Vec<aws::DescribedInterface>>,
    /// Objects of kinds that the lab does not have, by kind and number: they are left out.
    pub unknown: BTreeMap<String, usize>,
}

/// Why something cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotImported {
    /// The text cannot be read.
    #[error("{file}:{line}:{column}: {message}")]
    Text {
        /// Which file.
        file: String,
        /// From 1.
        line: u32,
        /// From 1.
        column: u32,
        /// What is wrong.
        message: String,
    },
    /// An object is not what its kind says.
    #[error("{file}: {object}: {message}")]
    Object {
        /// Which file.
        file: String,
        /// Such as `Pod/web`.
        object: String,
        /// What is wrong.
        message: String,
    },
    /// Something else was given.
    #[error(
        "{0}: this is neither what kubectl get -o yaml prints nor what aws ec2 describe-subnets or describe-network-interfaces does"
    )]
    Stranger(String),
    /// There is no node in it.
    #[error("there is no Node in it: give what kubectl get nodes,pods,svc,deploy -A -o yaml prints")]
    NoNodes,
}

impl Import {
    /// Reads files by name and text.
    /// # Errors
    /// The first thing that cannot be read.
    pub fn read(files: &[(String, String)]) -> Result<Self, NotImported> {
        let mut import = Self::default();
        for (file, text) in files {
            for value in documents(file, text)? {
                import.take(file, value)?;
            }
        }
        if !import.objects.iter().any(|it| it.kind() == Kind::Node) {
            return Err(NotImported::NoNodes);
        }
        Ok(import)
    }

    fn take(&mut self, file: &str, value: Value) -> Result<(), NotImported> {
        let of = |what: &str| value.get(what).filter(|it| it.is_array()).cloned();
        if let Some(list) = of("Subnets") {
            self.subnets.extend(aws::read(file, "Subnets", list)?);
        } else if let Some(list) = of("NetworkInterfaces") {
            let read: Vec<_> = aws::read(file, "NetworkInterfaces", list)?;
            self.interfaces.get_or_insert_default().extend(read);
        } else if value["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) {
            let Value::Object(mut map) = value else { return Ok(()) };
            let Some(Value::Array(items)) = map.remove("items") else { return Ok(()) };
            for item in items {
                self.object(file, item)?;
            }
        } else if value["kind"].is_string() && value["metadata"].is_object() {
            self.object(file, value)?;
        } else if !value.is_null() {
            return Err(NotImported::Stranger(file.to_owned()));
        }
        Ok(())
    }

    fn object(&mut self, file: &str, value: Value) -> Result<(), NotImported> {
        let (version, kind) =
            (value["apiVersion"].as_str().unwrap_or_default(), value["kind"].as_str().unwrap_or_default());
        let Some(known) = Kind::of_manifest(version, kind) else {
            *self.unknown.entry(kind.to_owned()).or_default() += 1;
            return Ok(());
        };
        let name = value["metadata"]["name"].as_str().unwrap_or_default();
        let object = format!("{kind}/{name}");
        let read = Object::from_value(known, value).map_err(|error| NotImported::Object {
            file: file.to_owned(),
            object,
            message: error.to_string(),
        })?;
        self.objects.push(read);
        Ok(())
    }
}

/// The documents of a file. What the tools print as JSON is read as such: it is faster, and no dump is short.
fn documents(file: &str, text: &str) -> Result<Vec<Value>, NotImported> {
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(vec![value]);
    }
    let reading = text::read(text);
    if let Some(wrong) = reading.diagnostics.iter().find(|it| it.severity == Severity::Error) {
        let (line, column) = wrong.span.map_or((1, 1), |span| (span.line, span.column));
        let message = wrong.message.clone();
        return Err(NotImported::Text { file: file.to_owned(), line, column, message });
    }
    Ok(reading.documents.iter().map(text::Document::to_value).collect())
}
