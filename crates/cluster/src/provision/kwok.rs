//! What does kwokctl make on the laptop?
//!
//! A control plane and nothing else: no node of its own, no add-on, no pod. A Node that somebody applies is played by
//! `node::kwok`. Source: kwok v0.7 (`kwokctl create cluster`, default name `kwok`, context `kwok-kwok`).

use std::net::Ipv4Addr;

use api::{
    Resource,
    kinds::sim::{ControlPlane, Provider},
    meta::ObjectMeta,
};
use ipnet::Ipv4Net;

use crate::{Turn, apiserver, parts};

/// The version of a cluster whose file names none. Source: kwok v0.7.
pub(super) const DEFAULT_VERSION: &str = "v1.33.0";
/// kwokctl's name for a cluster that was given none.
const NAME: &str = "kwok";
/// Where the API server answers, in Docker's network.
const ENDPOINT: Ipv4Addr = Ipv4Addr::new(172, 18, 0, 2);

/// Makes the cluster: its API server answers at once.
pub(super) fn create(turn: &mut Turn<'_>, version: &str) {
    let block = |second, length| Ipv4Net::new(Ipv4Addr::new(10, second, 0, 0), length).unwrap_or_default();
    let id = super::next_cluster(turn.store());
    let plane = ControlPlane {
        metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
        id: id.0,
        provider: Provider::Kwok,
        version: version.to_owned(),
        service_cidr: block(96, 16).into(),
        // Wide enough for a block for each of 16,384 nodes.
        pod_cidr: Some(block(0, 10)),
    };
    turn.put(plane.clone().into_object());
    parts::lay(turn, &plane, &[]);
    apiserver::bootstrap(turn.world, id, &[ENDPOINT.into()]);
}
