//! `ec2 describe-instance-types`, `describe-instance-type-offerings`, `describe-availability-zones`.
//!
//! Source: the Amazon EC2 API reference (`InstanceTypeInfo`); the values are those of [`cni::limits`].
//! MODEL: of a type only what that table holds is shown; every type is offered in every zone.

use std::collections::BTreeSet;

use api::kinds::aws::Subnet;
use cni::limits::{self, Hypervisor, InstanceType};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, alike, input::just, operation};
use crate::{
    Turn, World,
    node::join::{region_of, zone_id},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeInstanceTypes", describe),
    operation("ec2", "DescribeInstanceTypeOfferings", offerings),
    operation("ec2", "DescribeAvailabilityZones", zones),
];

/// The region of a world without a subnet: that of the lab's scenarios.
const REGION: &str = "ap-northeast-2";

fn describe(_: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let wanted = input.texts("InstanceTypes");
    let unknown: Vec<&str> =
        wanted.iter().map(String::as_str).filter(|name| limits::of(name).is_none()).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        let message = format!("The following supplied instance types do not exist: [{unknown}]");
        return Err(input.refuse("InvalidInstanceType", message));
    }
    let mut found = Vec::new();
    for it in limits::every() {
        let passes = input.passes(|filter| match filter {
            "instance-type" => just(it.name),
            "bare-metal" => just(it.hypervisor == Hypervisor::Metal),
            "hypervisor" => Some(hypervisor(it).map(str::to_owned).into_iter().collect()),
            "processor-info.supported-architecture" => just(architecture(it)),
            "vcpu-info.default-vcpus" => just(it.vcpu?),
            "memory-info.size-in-mib" => just(it.memory_mib?),
            "network-info.maximum-network-interfaces" => just(it.enis),
            "network-info.ipv4-addresses-per-interface" => just(it.ipv4_per_eni),
            _ => None,
        })?;
        if passes && (wanted.is_empty() || wanted.iter().any(|name| name == it.name)) {
            found.push(shown(it));
        }
    }
    Ok(json!({ "InstanceTypes": found }))
}

fn hypervisor(it: &InstanceType) -> Option<&'static str> {
    match it.hypervisor {
        Hypervisor::Nitro => Some("nitro"),
        Hypervisor::Xen => Some("xen"),
        Hypervisor::Metal => None,
    }
}

fn architecture(it: &InstanceType) -> &'static str {
    if it.arch == "amd64" { "x86_64" } else { "arm64" }
}

fn shown(it: &InstanceType) -> Value {
    json!({
        "InstanceType": it.name,
        "BareMetal": it.hypervisor == Hypervisor::Metal,
        "Hypervisor": hypervisor(it),
        "ProcessorInfo": {"SupportedArchitectures": [architecture(it)]},
        "VCpuInfo": it.vcpu.map(|count| json!({"DefaultVCpus": count})),
        "MemoryInfo": it.memory_mib.map(|size| json!({"SizeInMiB": size})),
        "NetworkInfo": {
            "MaximumNetworkInterfaces": it.enis,
            "Ipv4AddressesPerInterface": it.ipv4_per_eni,
        },
        "GpuInfo": (it.gpu > 0).then(|| json!({"Gpus": [{"Count": it.gpu}]})),
    })
}

/// The zones that the account has: those of its subnets, three at least.
fn known_zones(world: &World) -> Vec<String> {
    let subnets = world.store().list::<Subnet>(crate::ClusterId::WORLD, None);
    let used: BTreeSet<String> =
        subnets.map(|it| it.availability_zone.clone()).filter(|zone| !zone.is_empty()).collect();
    let region = used.iter().next().map_or(REGION, |zone| region_of(zone)).to_owned();
    let own = ["a", "b", "c"].map(|letter| format!("{region}{letter}"));
    used.into_iter().chain(own).collect::<BTreeSet<_>>().into_iter().collect()
}

fn offerings(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let zones = known_zones(turn.world());
    let by = match input.text("LocationType").as_str() {
        "" => "region".to_owned(),
        by @ ("region" | "availability-zone" | "availability-zone-id") => by.to_owned(),
        other => {
            let message = format!("Invalid value '{other}' for LocationType.");
            return Err(input.refuse("InvalidParameterValue", message));
        }
    };
    let locations: Vec<String> = match by.as_str() {
        "region" => zones.first().map(|zone| region_of(zone).to_owned()).into_iter().collect(),
        "availability-zone" => zones,
        _ => zones.iter().map(|zone| zone_id(zone)).collect(),
    };
    let mut found = Vec::new();
    for location in &locations {
        for it in limits::every() {
            let passes = input.passes(|filter| match filter {
                "instance-type" => just(it.name),
                "location" => just(location),
                _ => None,
            })?;
            if passes {
                found.push(json!({"InstanceType": it.name, "LocationType": by, "Location": location}));
            }
        }
    }
    Ok(json!({ "InstanceTypeOfferings": found }))
}

fn zones(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (names, ids) = (input.texts("ZoneNames"), input.texts("ZoneIds"));
    let known = known_zones(turn.world());
    let unknown = names.iter().find(|name| !known.contains(name));
    if let Some(unknown) =
        unknown.or_else(|| ids.iter().find(|id| !known.iter().any(|it| zone_id(it) == **id)))
    {
        let message = format!("Invalid availability zone: [{unknown}]");
        return Err(input.refuse("InvalidParameterValue", message));
    }
    let mut found = Vec::new();
    for zone in &known {
        let (region, own) = (region_of(zone), zone_id(zone));
        let passes = input.passes(|filter| match filter {
            "zone-name" => just(zone),
            "zone-id" => just(&own),
            "region-name" | "group-name" => just(region),
            "state" => just("available"),
            "zone-type" => just("availability-zone"),
            "opt-in-status" => just("opt-in-not-required"),
            _ => None,
        })?;
        let wanted = (names.is_empty() || names.contains(zone))
            && (ids.is_empty() || ids.iter().any(|id| alike(id, &own)));
        if passes && wanted {
            found.push(json!({
                "OptInStatus": "opt-in-not-required",
                "Messages": [],
                "RegionName": region,
                "ZoneName": zone,
                "ZoneId": own,
                "GroupName": region,
                "NetworkBorderGroup": region,
                "ZoneType": "availability-zone",
                "State": "available",
            }));
        }
    }
    Ok(json!({ "AvailabilityZones": found }))
}
