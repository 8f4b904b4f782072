//! What only the lab knows.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::meta::ObjectMeta;

/// Who runs a control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Provider {
    /// Amazon EKS.
    Eks,
    /// kind: Kubernetes in containers on the laptop.
    Kind,
}

/// A Kubernetes control plane of this world. `metadata.name` is the cluster's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlane {
    /// The cluster's name.
    pub metadata: ObjectMeta,
    /// Which part of the store is its own.
    pub id: u16,
    /// Who runs it.
    pub provider: Provider,
    /// Such as `v1.34.2-eks-ecaa3a6`.
    pub version: String,
    /// Addresses of Services.
    pub service_cidr: Ipv4Net,
    /// Addresses of pods where they are not the VPC's own (kind).
    pub pod_cidr: Option<Ipv4Net>,
}

/// Somebody or something outside the cluster that can be one end of a path: a laptop, a bastion, an office.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    /// Its name.
    pub metadata: ObjectMeta,
    /// `internet` or `subnet/<name>`.
    pub at: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Whose credentials it holds.
    pub identity: Option<String>,
}
