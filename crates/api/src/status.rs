//! How does the API server say no?
//!
//! The shape of `metav1.Status`; its `message` is the text that `kubectl` prints after `Error from server (Reason): `.

use serde::{Deserialize, Serialize};

/// One cause of a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Such as `FieldValueInvalid`.
    pub reason: String,
    /// Without the field's name.
    pub message: String,
    /// Such as `spec.containers[0].image`.
    pub field: String,
}

/// A refusal by the API server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ApiStatus {
    /// HTTP status code.
    pub code: u16,
    /// Such as `NotFound`; empty where upstream gives none.
    pub reason: String,
    /// The whole sentence.
    pub message: String,
    /// For `Invalid`: what is wrong, one by one.
    pub causes: Vec<Cause>,
    /// The object's name, where there is one.
    pub name: String,
    /// The resource's group, where there is one.
    pub group: String,
    /// Kind or resource, as upstream fills it.
    pub kind: String,
}

impl ApiStatus {
    fn new(code: u16, reason: &str, message: String) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            message,
            causes: Vec::new(),
            name: String::new(),
            group: String::new(),
            kind: String::new(),
        }
    }

    /// 404: `pods "x" not found`.
    #[must_use]
    pub fn not_found(kind: crate::Kind, name: &str) -> Self {
        let info = kind.info();
        let mut status = Self::new(404, "NotFound", format!("{} \"{name}\" not found", info.resource()));
        status.name = name.to_owned();
        status.group = info.group.to_owned();
        status.kind = info.plural.to_owned();
        status
    }

    /// 409: `pods "x" already exists`.
    #[must_use]
    pub fn already_exists(kind: crate::Kind, name: &str) -> Self {
        let info = kind.info();
        let mut status =
            Self::new(409, "AlreadyExists", format!("{} \"{name}\" already exists", info.resource()));
        status.name = name.to_owned();
        status.group = info.group.to_owned();
        status.kind = info.plural.to_owned();
        status
    }

    /// 409: the object changed since it was read.
    #[must_use]
    pub fn conflict(kind: crate::Kind, name: &str, why: &str) -> Self {
        let info = kind.info();
        let mut status = Self::new(
            409,
            "Conflict",
            format!("Operation cannot be fulfilled on {} \"{name}\": {why}", info.resource()),
        );
        status.name = name.to_owned();
        status.group = info.group.to_owned();
        status.kind = info.plural.to_owned();
        status
    }

    /// 400 with upstream's words.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message.into())
    }

    /// 401: nobody known.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized".to_owned())
    }

    /// 403 with upstream's words.
    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "Forbidden", message.into())
    }

    /// 422 of a request's parameters: `ListOptions.meta.k8s.io "" is invalid: ...`.
    #[must_use]
    pub fn invalid_options(kind: &str, causes: Vec<Cause>) -> Self {
        let said: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let said = if said.len() == 1 { said.join("") } else { format!("[{}]", said.join(", ")) };
        let mut status = Self::new(422, "Invalid", format!("{kind}.meta.k8s.io \"\" is invalid: {said}"));
        status.group = "meta.k8s.io".to_owned();
        status.kind = kind.to_owned();
        status.causes = causes;
        status
    }

    /// 422: `Pod "x" is invalid: ...`, one cause or several.
    #[must_use]
    pub fn invalid(kind: crate::Kind, name: &str, causes: Vec<Cause>) -> Self {
        let info = kind.info();
        // What two rules find is listed twice among the causes and said once.
        let mut said: Vec<String> = Vec::new();
        for words in causes.iter().map(|c| format!("{}: {}", c.field, c.message)) {
            if !said.contains(&words) {
                said.push(words);
            }
        }
        let said = match said.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let qualified = if info.group.is_empty() {
            info.kind.to_owned()
        } else {
            format!("{}.{}", info.kind, info.group)
        };
        let mut status = Self::new(422, "Invalid", format!("{qualified} \"{name}\" is invalid: {said}"));
        status.name = name.to_owned();
        status.group = info.group.to_owned();
        status.kind = info.kind.to_owned();
        status.causes = causes;
        status
    }
}
