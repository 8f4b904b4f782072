//! What happened, when, by whom, and because of what?
//!
//! Facts drive motion and explanation; objects are state. They are recorded while things happen, never made up after.

use std::rc::Rc;

use api::SimTime;

use crate::{ActorId, Change, Key, path::Traced, request::Asked};

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its number, from 0, without gaps.
    pub seq: u64,
    /// When.
    pub at: SimTime,
    /// By whom.
    pub actor: ActorId,
    /// The fact that led to it.
    pub cause: Option<u64>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum What {
    /// An object was written or removed.
    Changed(Change),
    /// Somebody asked the API server, AWS or a tool for something; with the stages the request passed.
    Asked(Rc<Asked>),
    /// The scheduler tried to find a pod a node.
    Decided(Rc<::scheduler::Decision>),
    /// Somebody asked for a path.
    Traced(Rc<Traced>),
    /// ipamd compared a node's pool with its targets and acts on it.
    Planned(Rc<Planned>),
    /// Something worth saying that no object holds.
    Noted(Note),
}

/// A round of ipamd on one node.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The node.
    pub node: Key,
    /// Moves and the arithmetic behind them.
    pub plan: cni::PoolPlan,
}

/// Something worth saying that no object holds.
#[derive(Clone, Debug)]
pub enum Note {
    /// A step towards an object's wish took place: its name (such as `PullStarted`), and what it is about.
    Step {
        /// Such as `PullStarted`, `EniAttachStarted`.
        name: &'static str,
        /// What it is about.
        about: Key,
        /// More words, as data: names, numbers, addresses.
        detail: Vec<(&'static str, String)>,
    },
    /// A controller's write was refused; it will try again.
    Refused {
        /// What it looked at.
        about: Key,
        /// The API server's sentence.
        message: String,
    },
}
