//! `ec2 describe-internet-gateways`, `create-internet-gateway`, `attach-internet-gateway` and their kind;
//! `describe-egress-only-internet-gateways`.
//!
//! A gateway that is attached to nothing has no VPC.
//! Source: the Amazon EC2 API reference (`InternetGateway`), its error codes.

use api::{
    Kind, Resource,
    kinds::aws::{Instance, InstanceState, InternetGateway, NatGateway, NatGatewayState},
};
use serde_json::{Value, json};

use super::{
    Answer, Input, Operation,
    input::{absent, just},
    operation, tags,
};
use crate::{
    AwsError, ClusterId, Key, Turn,
    cloud::{ACCOUNT, id, subnet},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeInternetGateways", gateways),
    operation("ec2", "CreateInternetGateway", create),
    operation("ec2", "AttachInternetGateway", attach),
    operation("ec2", "DetachInternetGateway", detach),
    operation("ec2", "DeleteInternetGateway", delete),
    operation("ec2", "DescribeEgressOnlyInternetGateways", egress_only_gateways),
];

fn gateways(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let unknown = ("InvalidInternetGatewayID.NotFound", "internetGateway ID");
    let found =
        input.select::<InternetGateway>(turn.store(), "InternetGatewayIds", unknown, |it, filter| {
            match filter {
                _ if it.egress_only => Some(Vec::new()),
                "internet-gateway-id" => just(it.metadata.name.as_deref().unwrap_or_default()),
                "attachment.vpc-id" => just(&it.vpc),
                "attachment.state" => just(if it.vpc.is_empty() { "detached" } else { "available" }),
                "owner-id" => just(ACCOUNT),
                _ => None,
            }
        })?;
    let found = found.into_iter().filter(|it| !it.egress_only);
    Ok(json!({"InternetGateways": found.map(shown).collect::<Vec<_>>()}))
}

fn egress_only_gateways(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let unknown = ("InvalidGatewayID.NotFound", "gateway ID");
    let tags_only = |_: &InternetGateway, _: &str| None;
    let found =
        input.select::<InternetGateway>(turn.store(), "EgressOnlyInternetGatewayIds", unknown, tags_only)?;
    let shown = |it: &InternetGateway| {
        json!({
            "Attachments": [{"State": "attached", "VpcId": it.vpc}],
            "EgressOnlyInternetGatewayId": it.metadata.name,
            "Tags": tags::shown(&it.metadata),
        })
    };
    let found = found.into_iter().filter(|it| it.egress_only);
    Ok(json!({"EgressOnlyInternetGateways": found.map(shown).collect::<Vec<_>>()}))
}

fn shown(it: &InternetGateway) -> Value {
    let attached = (!it.vpc.is_empty()).then(|| json!({"State": "available", "VpcId": it.vpc}));
    json!({
        "Attachments": attached.into_iter().collect::<Vec<_>>(),
        "InternetGatewayId": it.metadata.name,
        "OwnerId": ACCOUNT,
        "Tags": tags::shown(&it.metadata),
    })
}

/// The gateway that a request names.
/// # Errors
/// `InvalidInternetGatewayID.NotFound`.
fn named(turn: &Turn<'_>, input: &Input<'_>) -> Result<InternetGateway, AwsError> {
    let name = input.text("InternetGatewayId");
    let found = turn.get::<InternetGateway>("", &name).filter(|it| !it.egress_only).cloned();
    let message = || absent("internetGateway ID", &name);
    found.ok_or_else(|| input.refuse("InvalidInternetGatewayID.NotFound", message()))
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let name = (turn.now().0..).map(|n| id(turn, "igw", "", n));
    let name = name.into_iter().find(|name| turn.get::<InternetGateway>("", name).is_none());
    let made = InternetGateway {
        metadata: input.metadata(&name.unwrap_or_default()),
        vpc: String::new(),
        egress_only: false,
    };
    let answer = json!({ "InternetGateway": shown(&made) });
    turn.put(made.into_object());
    Ok(answer)
}

/// # Errors
/// `InvalidInternetGatewayID.NotFound`, `InvalidVpcID.NotFound`, `Resource.AlreadyAssociated`, `InvalidParameterValue` for a VPC that has one.
fn attach(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut it = named(turn, input)?;
    let vpc = input.text("VpcId");
    subnet::vpc_named(turn, &vpc, input.action)?;
    if !it.vpc.is_empty() {
        let message =
            format!("resource {} is already attached to network {}", input.text("InternetGatewayId"), it.vpc);
        return Err(input.refuse("Resource.AlreadyAssociated", message));
    }
    if turn.list::<InternetGateway>(None).any(|other| other.vpc == vpc && !other.egress_only) {
        let message = format!("Network {vpc} already has an internet gateway attached");
        return Err(input.refuse("InvalidParameterValue", message));
    }
    it.vpc = vpc;
    turn.put(it.into_object());
    Ok(json!({}))
}

/// # Errors
/// `InvalidInternetGatewayID.NotFound`, `Gateway.NotAttached`; `DependencyViolation` while something of the VPC has a public address.
fn detach(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut it = named(turn, input)?;
    let vpc = input.text("VpcId");
    if it.vpc != vpc || vpc.is_empty() {
        let message =
            format!("resource {} is not attached to network {vpc}", input.text("InternetGatewayId"));
        return Err(input.refuse("Gateway.NotAttached", message));
    }
    let inside = |name: &str| subnet::get(turn.store(), name).is_some_and(|it| it.vpc == vpc);
    let instances = turn
        .list::<Instance>(None)
        .any(|it| it.public_ip.is_some() && it.state != InstanceState::Terminated && inside(&it.subnet));
    let nats =
        turn.list::<NatGateway>(None).any(|it| it.state != NatGatewayState::Deleted && inside(&it.subnet));
    if instances || nats {
        let message = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        );
        return Err(input.refuse("DependencyViolation", message));
    }
    it.vpc.clear();
    turn.put(it.into_object());
    Ok(json!({}))
}

/// # Errors
/// `InvalidInternetGatewayID.NotFound`; `DependencyViolation` while it is attached.
fn delete(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (it, name) = (named(turn, input)?, input.text("InternetGatewayId"));
    if !it.vpc.is_empty() {
        let message = format!("The internetGateway '{name}' has dependencies and cannot be deleted.");
        return Err(input.refuse("DependencyViolation", message));
    }
    turn.remove(&Key::new(ClusterId::WORLD, Kind::InternetGateway, "", &name));
    Ok(json!({}))
}
