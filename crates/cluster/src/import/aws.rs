//! What does the AWS CLI print of subnets and network interfaces?
//!
//! Source: Amazon EC2 API reference, `Subnet` and `NetworkInterface`.

use std::net::{Ipv4Addr, Ipv6Addr};

use api::{
    SimTime,
    kinds::aws::{Attachment, Eni, EniOwner, Subnet},
    meta::ObjectMeta,
};
use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::NotImported;

/// An entry of `Subnets`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribedSubnet {
    pub subnet_id: String,
    #[serde(default)]
    pub vpc_id: String,
    pub cidr_block: Ipv4Net,
    #[serde(default)]
    ipv6_cidr_block_association_set: Vec<Ipv6Block>,
    #[serde(default)]
    pub availability_zone: String,
    /// What EC2 says is free.
    pub available_ip_address_count: u32,
    #[serde(default)]
    map_public_ip_on_launch: bool,
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// An entry of `NetworkInterfaces`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribedInterface {
    network_interface_id: String,
    subnet_id: String,
    private_ip_address: Ipv4Addr,
    #[serde(default)]
    private_ip_addresses: Vec<Address>,
    #[serde(default)]
    ipv4_prefixes: Vec<Prefix>,
    #[serde(default)]
    ipv6_addresses: Vec<Ipv6Address>,
    #[serde(default)]
    ipv6_prefixes: Vec<Ipv6Prefix>,
    #[serde(default)]
    groups: Vec<Group>,
    #[serde(default)]
    interface_type: String,
    #[serde(default)]
    description: String,
    attachment: Option<Attached>,
}

/// A tag.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    #[serde(default)]
    value: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Address {
    #[serde(default)]
    primary: bool,
    private_ip_address: Ipv4Addr,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Prefix {
    ipv4_prefix: Ipv4Net,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipv6Block {
    ipv6_cidr_block: Ipv6Net,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipv6Address {
    ipv6_address: Ipv6Addr,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipv6Prefix {
    ipv6_prefix: Ipv6Net,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    #[serde(default)]
    group_id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attached {
    instance_id: Option<String>,
    #[serde(default)]
    device_index: u32,
}

/// Reads a list of the AWS CLI's output.
pub(super) fn read<T: DeserializeOwned>(file: &str, what: &str, list: Value) -> Result<Vec<T>, NotImported> {
    serde_json::from_value(list).map_err(|error| NotImported::Object {
        file: file.to_owned(),
        object: what.to_owned(),
        message: error.to_string(),
    })
}

impl DescribedSubnet {
    /// As the lab keeps it; `held_unseen` are the addresses that no given interface holds.
    pub(super) fn subnet(&self, held_unseen: u32) -> Subnet {
        let tags = self.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        Subnet {
            metadata: ObjectMeta {
                name: Some(self.subnet_id.clone()),
                labels: Some(tags),
                ..ObjectMeta::default()
            },
            vpc: self.vpc_id.clone(),
            cidr: self.cidr_block,
            ipv6_cidr: self.ipv6_cidr_block_association_set.first().map(|it| it.ipv6_cidr_block),
            availability_zone: self.availability_zone.clone(),
            map_public_ip_on_launch: self.map_public_ip_on_launch,
            route_table: String::new(),
            network_acl: None,
            reservations: Vec::new(),
            held_unseen,
        }
    }
}

impl DescribedInterface {
    /// As the lab keeps it.
    pub(super) fn eni(&self, now: SimTime) -> Eni {
        let instance = self.attachment.as_ref().and_then(|it| it.instance_id.clone());
        let owner = match (self.interface_type.as_str(), &instance) {
            ("nat_gateway", _) => EniOwner::Nat,
            ("vpc_endpoint", _) => EniOwner::Endpoint,
            _ if self.description.starts_with("ELB ") => EniOwner::LoadBalancer,
            ("branch", _) => EniOwner::Branch,
            // Source: EKS user guide, "Amazon EKS networking requirements": the description is `Amazon EKS` and the cluster's name.
            _ if self.description.starts_with("Amazon EKS ") => EniOwner::Eks,
            (_, Some(_)) => EniOwner::Instance,
            (_, None) => EniOwner::Account,
        };
        let secondary = self.private_ip_addresses.iter().filter(|it| !it.primary);
        let mut secondary_ips: Vec<Ipv4Addr> = secondary.map(|it| it.private_ip_address).collect();
        secondary_ips.sort_unstable();
        let mut prefixes: Vec<Ipv4Net> = self.ipv4_prefixes.iter().map(|it| it.ipv4_prefix).collect();
        prefixes.sort_unstable();
        let description = [("description".to_owned(), self.description.clone())];
        Eni {
            metadata: ObjectMeta {
                name: Some(self.network_interface_id.clone()),
                annotations: Some(description.into()),
                ..ObjectMeta::default()
            },
            subnet: self.subnet_id.clone(),
            primary_ip: self.private_ip_address,
            secondary_ips,
            prefixes,
            ipv6_address: self.ipv6_addresses.first().map(|it| it.ipv6_address),
            ipv6_prefix: self.ipv6_prefixes.first().map(|it| it.ipv6_prefix),
            security_groups: self.groups.iter().map(|it| it.group_id.clone()).collect(),
            owner,
            trunk: self.interface_type == "trunk",
            // Which trunk carries a branch, and for which pod, the description of the interface does not say.
            branch: None,
            device_index: self.attachment.as_ref().map_or(0, |it| it.device_index),
            attachment: if instance.is_some() { Attachment::Attached } else { Attachment::Available },
            instance,
            created_at: now,
            since: now,
        }
    }
}
