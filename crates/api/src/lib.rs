//! What does this text say, and is it legal?
//!
//! Objects, the registry of kinds, and everything that can be said of a manifest without knowing a cluster: reading,
//! decoding, defaulting, validating, patching. This crate does not know about time passing, about a store, or about
//! what AWS or Kubernetes do next.
//!
//! ```
//! use api::{Kind, Scope};
//! assert_eq!(Kind::Pod.info().plural, "pods");
//! assert_eq!(Kind::Node.info().scope, Scope::Cluster);
//! ```

pub mod asset;
pub mod autoscaling;
pub mod canonical;
pub mod cel;
pub mod custom;
pub mod decode;
pub mod default;
pub mod diagnose;
pub mod diagnostic;
pub mod digest;
pub mod dump;
pub mod emit;
pub mod field;
pub mod host_port;
pub mod json;
pub mod jsonpath;
pub mod kind;
pub mod kinds;
pub mod label;
pub mod managed;
pub mod object;
pub mod parts;
pub mod patch;
pub mod quantity;
pub mod reindent;
pub mod schedule;
pub mod schema;
pub mod signing;
pub mod status;
pub mod text;
pub mod time;
pub mod typed;
pub mod validate;

pub use diagnostic::{Diagnostic, Severity, Span};
pub use field::FieldPath;
pub use kind::{Domain, Kind, KindInfo, Scope};
pub use object::{Object, Resource, Stored};
pub use status::{ApiStatus, Cause};
pub use time::{SimDuration, SimTime};

pub use k8s_openapi::ByteString;
pub use k8s_openapi::api as k8s;
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
