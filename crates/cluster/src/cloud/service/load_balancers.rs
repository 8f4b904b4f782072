//! `elb describe-load-balancers`, `elbv2 describe-load-balancers`.
//!
//! Source: the Elastic Load Balancing API references, version 2012-06-01 (`LoadBalancerDescription`) and 2015-12-01 (`LoadBalancer`).

use api::{
    Resource,
    kinds::aws::{LoadBalancer, LoadBalancerKind, SecurityGroup},
};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, moment, operation, security_groups::group_name};
use crate::{
    ClusterId, Turn,
    cloud::{ACCOUNT, load_balancer, subnet},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("elb", "DescribeLoadBalancers", classic),
    operation("elbv2", "DescribeLoadBalancers", networks),
];

fn name(it: &LoadBalancer) -> &str {
    it.meta().name.as_deref().unwrap_or_default()
}

fn all<'t>(turn: &'t Turn<'_>, kind: LoadBalancerKind) -> impl Iterator<Item = &'t LoadBalancer> {
    turn.store().list::<LoadBalancer>(ClusterId::WORLD, None).filter(move |it| it.kind == kind)
}

fn scheme(it: &LoadBalancer) -> &'static str {
    if it.internal { "internal" } else { "internet-facing" }
}

fn zone(turn: &Turn<'_>, name: &str) -> Option<String> {
    subnet::get(turn.store(), name).map(|it| it.availability_zone.clone())
}

fn classic(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let names = input.texts("LoadBalancerNames");
    if let Some(unknown) =
        names.iter().find(|it| !all(turn, LoadBalancerKind::Classic).any(|lb| name(lb) == *it))
    {
        let message = format!("There is no ACTIVE Load Balancer named '{unknown}'");
        return Err(input.refuse("LoadBalancerNotFound", message));
    }
    let wanted = |it: &&LoadBalancer| names.is_empty() || names.iter().any(|wanted| wanted == name(it));
    let shown = |it: &LoadBalancer| {
        let listener = |one: &api::kinds::aws::Listener| {
            json!({"PolicyNames": [], "Listener": {"Protocol": one.protocol, "LoadBalancerPort": one.port,
                "InstanceProtocol": one.protocol, "InstancePort": one.node_port}})
        };
        let group = it.security_groups.first().and_then(|group| turn.get::<SecurityGroup>("", group));
        json!({
            "LoadBalancerName": name(it),
            "DNSName": it.dns_name,
            "CanonicalHostedZoneName": it.dns_name,
            "ListenerDescriptions": it.listeners.iter().map(listener).collect::<Vec<_>>(),
            "Policies": {"AppCookieStickinessPolicies": [], "LBCookieStickinessPolicies": [], "OtherPolicies": []},
            "BackendServerDescriptions": [],
            "AvailabilityZones": it.subnets.iter().filter_map(|subnet| zone(turn, subnet)).collect::<Vec<_>>(),
            "Subnets": it.subnets,
            "VPCId": it.vpc,
            "Instances": targets(turn, it),
            "SourceSecurityGroup": group.map(|it| json!({"OwnerAlias": ACCOUNT, "GroupName": group_name(it)})),
            "SecurityGroups": it.security_groups,
            "CreatedTime": moment(turn, it.created_at),
            "Scheme": scheme(it),
        })
    };
    let found: Vec<Value> = all(turn, LoadBalancerKind::Classic).filter(wanted).map(shown).collect();
    Ok(json!({ "LoadBalancerDescriptions": found }))
}

/// The instances behind it: those of the cluster's nodes.
fn targets(turn: &Turn<'_>, it: &LoadBalancer) -> Vec<Value> {
    let all = turn.list::<api::kinds::aws::Instance>(None);
    let nodes = all.filter(|node| node.cluster.as_ref() == Some(&it.cluster) && node.node.is_some());
    nodes.map(|node| json!({"InstanceId": node.metadata.name})).collect()
}

fn networks(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (names, arns) = (input.texts("Names"), input.texts("LoadBalancerArns"));
    let arn = |turn: &Turn<'_>, it: &LoadBalancer| {
        let region = subnet::region(turn.store(), &it.vpc);
        let unique = load_balancer::unique(turn, it);
        format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/net/{}/{unique}", name(it))
    };
    let known = |wanted: &String| {
        all(turn, LoadBalancerKind::Network).any(|it| name(it) == wanted || arn(turn, it) == *wanted)
    };
    if let Some(unknown) = names.iter().chain(&arns).find(|wanted| !known(wanted)) {
        let message = format!("Load balancers '[{unknown}]' not found");
        return Err(input.refuse("LoadBalancerNotFound", message));
    }
    let wanted = |it: &&LoadBalancer| {
        (names.is_empty() && arns.is_empty())
            || names.iter().any(|wanted| wanted == name(it))
            || arns.contains(&arn(turn, it))
    };
    let shown = |it: &LoadBalancer| {
        let zones = it.subnets.iter().map(
            |subnet| json!({"ZoneName": zone(turn, subnet), "SubnetId": subnet, "LoadBalancerAddresses": []}),
        );
        json!({
            "LoadBalancerArn": arn(turn, it),
            "DNSName": it.dns_name,
            "CreatedTime": moment(turn, it.created_at),
            "LoadBalancerName": name(it),
            "Scheme": scheme(it),
            "VpcId": it.vpc,
            "State": {"Code": "active"},
            "Type": "network",
            "AvailabilityZones": zones.collect::<Vec<_>>(),
            "IpAddressType": "ipv4",
        })
    };
    let found: Vec<Value> = all(turn, LoadBalancerKind::Network).filter(wanted).map(shown).collect();
    Ok(json!({ "LoadBalancers": found }))
}
