//! Which structs does `k8s-openapi` lack?
//!
//! Written in its style: `metadata` first, fields in camelCase, absent means unset.

pub mod aws;
pub mod cni;
pub mod eks;
pub mod eksctl;
pub mod kind_config;
pub mod sim;
