//! What happens next?
//!
//! One store, one clock, one queue of wakes: [`World`]. Everything that acts is a [`Controller`], everything that is
//! asked comes through [`World::request`], everything that happened is a [`Fact`]. This crate does not know about
//! shell text, lessons, languages or pixels.
//!
//! ```
//! let mut world = cluster::World::empty(7);
//! assert_eq!(world.now(), api::SimTime::ZERO);
//! assert!(world.next_at().is_none());
//! ```

mod actors;
mod addons;
pub mod apiserver;
mod auth;
pub mod check;
pub mod client;
pub mod cloud;
mod cloud_controller;
pub mod controller;
mod controllers;
mod crew;
pub mod draw;
pub mod fact;
#[cfg(test)]
mod fixture;
mod holdings;
pub mod import;
pub mod metrics;
pub mod network;
pub mod node;
pub mod parts;
pub mod path;
pub mod provision;
pub mod queue;
mod quota;
pub mod request;
mod scheduler;
pub mod store;
pub mod timing;
mod turn;
pub(crate) mod vpc_resource;
pub mod what_if;
mod world;

pub use apiserver::EventType;
pub use controller::{ActorId, Controller, Next};
pub use fact::{Fact, Note, What};
pub use provision::{Provision, Scenario};
pub use request::{
    ApiRequest, ApiVerb, Asked, AwsError, AwsRequest, PatchKind, Principal, Propagation, Refusal, Reply,
    Request,
};
pub use store::{Change, ClusterId, Key, Store};
pub use turn::Turn;
pub use world::{Budget, Ended, Ran, World};
