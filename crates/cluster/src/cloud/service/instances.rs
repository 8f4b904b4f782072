//! `ec2 describe-instances`, `stop-instances`, `start-instances`, `terminate-instances`.
//!
//! Source: the Amazon EC2 API reference (`Instance`, `InstanceStateChange`).

use api::kinds::aws::{Eni, Instance, InstanceState, SecurityGroup, Subnet};
use serde_json::{Value, json};

use super::{
    Answer, Input, Operation, input::just, interfaces, operation, second, security_groups::group_name,
};
use crate::{
    ClusterId, Turn,
    cloud::{ACCOUNT, eni, instance, subnet},
    node::join::private_dns_name,
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeInstances", describe),
    operation("ec2", "StopInstances", |turn, input| {
        change(turn, input, "StoppingInstances", |turn, id| instance::shut_down(turn, id, false))
    }),
    operation("ec2", "StartInstances", |turn, input| {
        change(turn, input, "StartingInstances", instance::start)
    }),
    operation("ec2", "TerminateInstances", |turn, input| {
        change(turn, input, "TerminatingInstances", |turn, id| instance::shut_down(turn, id, true))
    }),
];

/// The instances that a request names.
/// # Errors
/// `InvalidInstanceID.NotFound`, `InvalidInstanceID.Malformed`.
fn named(turn: &Turn<'_>, input: &Input<'_>) -> Result<Vec<String>, crate::AwsError> {
    let ids = input.texts("InstanceIds");
    let unknown: Vec<&str> =
        ids.iter().filter(|id| instance::get(turn.store(), id).is_none()).map(String::as_str).collect();
    match unknown.as_slice() {
        [] => Ok(ids),
        [one] if !one.starts_with("i-") => {
            Err(input.refuse("InvalidInstanceID.Malformed", format!("Invalid id: \"{one}\"")))
        }
        [one] => {
            Err(input.refuse("InvalidInstanceID.NotFound", format!("The instance ID '{one}' does not exist")))
        }
        many => {
            let many = many.join(", ");
            let message = format!("The instance IDs '{many}' do not exist");
            Err(input.refuse("InvalidInstanceID.NotFound", message))
        }
    }
}

fn change(turn: &mut Turn<'_>, input: &Input<'_>, answer: &str, act: impl Fn(&mut Turn<'_>, &str)) -> Answer {
    let mut changes = Vec::new();
    for id in named(turn, input)? {
        let before = state(turn, &id);
        act(turn, &id);
        changes.push(json!({"InstanceId": id, "CurrentState": state(turn, &id), "PreviousState": before}));
    }
    Ok(json!({ answer: changes }))
}

fn state(turn: &Turn<'_>, id: &str) -> Value {
    let (code, name) = match instance::get(turn.store(), id).map(|it| it.state) {
        Some(InstanceState::Pending) => (0, "pending"),
        Some(InstanceState::Running) => (16, "running"),
        Some(InstanceState::ShuttingDown) => (32, "shutting-down"),
        Some(InstanceState::Stopping) => (64, "stopping"),
        Some(InstanceState::Stopped) => (80, "stopped"),
        Some(InstanceState::Terminated) | None => (48, "terminated"),
    };
    json!({"Code": code, "Name": name})
}

/// The name of the state alone.
fn state_name(turn: &Turn<'_>, id: &str) -> String {
    state(turn, id)["Name"].as_str().unwrap_or_default().to_owned()
}

/// One reservation for each: the lab launches them one by one.
fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let ids = named(turn, input)?;
    let mut reservations = Vec::new();
    for it in turn.store().list::<Instance>(ClusterId::WORLD, None) {
        let id = it.metadata.name.as_deref().unwrap_or_default();
        let wanted = ids.is_empty() || ids.iter().any(|wanted| wanted == id);
        let tags = tags(it);
        let passes = input.passes(|filter| match filter {
            "instance-id" => just(id),
            "instance-state-name" => just(state_name(turn, id)),
            "instance-type" => just(&it.instance_type),
            "subnet-id" => just(&it.subnet),
            "vpc-id" => {
                just(subnet::get(turn.store(), &it.subnet).map(|s| s.vpc.clone()).unwrap_or_default())
            }
            "availability-zone" => just(zone(turn, it)),
            "private-ip-address" => just(it.private_ip),
            "private-dns-name" => just(dns(turn, it)),
            "tag-key" => Some(tags.iter().map(|(key, _)| key.clone()).collect()),
            other => {
                let key = other.strip_prefix("tag:")?;
                Some(tags.iter().filter(|(k, _)| k == key).map(|(_, value)| value.clone()).collect())
            }
        })?;
        if wanted && passes {
            reservations.push(json!({
                "ReservationId": crate::cloud::id(turn, "r", id, 0),
                "OwnerId": ACCOUNT,
                "Groups": [],
                "Instances": [shown(turn, it)],
            }));
        }
    }
    Ok(json!({ "Reservations": reservations }))
}

fn zone(turn: &Turn<'_>, it: &Instance) -> String {
    turn.get::<Subnet>("", &it.subnet).map(|subnet| subnet.availability_zone.clone()).unwrap_or_default()
}

fn dns(turn: &Turn<'_>, it: &Instance) -> String {
    let zone = zone(turn, it);
    private_dns_name(it.private_ip, crate::node::join::region_of(&zone))
}

/// The tags that EKS and eksctl put on a node's instance.
/// Source: EKS user guide (managed node groups: tags); eksctl `pkg/cfn/builder/managed_nodegroup.go`.
pub(super) fn tags(it: &Instance) -> Vec<(String, String)> {
    let mut tags = Vec::new();
    if let (Some(cluster), Some(group)) = (it.cluster.as_deref(), it.nodegroup.as_deref()) {
        let mut add = |key: &str, value: &str| tags.push((key.to_owned(), value.to_owned()));
        add("Name", &format!("{cluster}-{group}-Node"));
        add("alpha.eksctl.io/cluster-name", cluster);
        add("alpha.eksctl.io/nodegroup-name", group);
        add("eks:cluster-name", cluster);
        add("eks:nodegroup-name", group);
        add(&format!("kubernetes.io/cluster/{cluster}"), "owned");
    }
    tags.extend(it.metadata.labels.iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    tags
}

fn shown(turn: &Turn<'_>, it: &Instance) -> Value {
    let id = it.metadata.name.as_deref().unwrap_or_default();
    let gone = matches!(it.state, InstanceState::Terminated);
    let reason = it.state_reason.as_deref();
    let transition = match reason.filter(|text| text.starts_with("Client.")) {
        Some(_) => {
            format!("User initiated ({} GMT)", second(turn, it.since).replace('T', " ").replace("+00:00", ""))
        }
        None => String::new(),
    };
    let enis: Vec<&Eni> = eni::of_instance(turn.store(), id);
    let groups: Vec<Value> = enis
        .first()
        .into_iter()
        .flat_map(|eni| &eni.security_groups)
        .map(
            |name| json!({"GroupId": name, "GroupName": turn.get::<SecurityGroup>("", name).map(group_name)}),
        )
        .collect();
    json!({
        "InstanceId": id,
        "InstanceType": it.instance_type,
        "Ipv6Address": enis.first().and_then(|primary| primary.ipv6_address),
        "LaunchTime": second(turn, it.launched_at),
        "Placement": {"AvailabilityZone": zone(turn, it), "GroupName": "", "Tenancy": "default"},
        "Monitoring": {"State": "disabled"},
        "State": state(turn, id),
        "StateReason": reason.map(|text| json!({"Code": text.split(':').next(), "Message": text})),
        "StateTransitionReason": transition,
        "InstanceLifecycle": it.spot.then_some("spot"),
        "SpotInstanceRequestId": it.spot.then(|| crate::cloud::id(turn, "sir", id, 0)),
        "PrivateDnsName": if gone { String::new() } else { dns(turn, it) },
        "PrivateIpAddress": (!gone).then_some(it.private_ip),
        "PublicDnsName": "",
        "PublicIpAddress": it.public_ip.filter(|_| !gone),
        "SubnetId": (!gone).then_some(&it.subnet),
        "VpcId": subnet::get(turn.store(), &it.subnet).filter(|_| !gone).map(|s| s.vpc.clone()),
        "Architecture": instance::limits(turn.store(), id).map(|of| if of.arch == "amd64" { "x86_64" } else { "arm64" }),
        "NetworkInterfaces": enis.into_iter().map(|eni| interfaces::of_instance(turn, eni)).collect::<Vec<_>>(),
        "SecurityGroups": groups,
        "SourceDestCheck": (!gone).then_some(true),
        "Tags": tags(it).into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>(),
    })
}
