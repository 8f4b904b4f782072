//! `eks describe-cluster`, `list-clusters`.
//!
//! Source: the Amazon EKS API reference (`Cluster`). MODEL: no certificate, no platform version; tags are eksctl's.

use api::kinds::eks::EksCluster;
use serde_json::{Value, json};

use super::{Answer, Input, Operation, operation};
use crate::{AwsError, ClusterId, Turn, cloud::ACCOUNT};

pub(super) const OPERATIONS: &[Operation] =
    &[operation("eks", "DescribeCluster", describe), operation("eks", "ListClusters", list)];

/// The cluster that a request names by a parameter.
/// # Errors
/// `ResourceNotFoundException`.
pub(super) fn named(turn: &Turn<'_>, input: &Input<'_>, parameter: &str) -> Result<EksCluster, AwsError> {
    let name = input.text(parameter);
    let found = turn.store().get::<EksCluster>(ClusterId::WORLD, "", &name).cloned();
    let message = || format!("No cluster found for name: {name}.");
    found.ok_or_else(|| input.refuse("ResourceNotFoundException", message()))
}

/// The ARN of something of EKS in a cluster's region: `cluster/lab`, `nodegroup/lab/small/…`.
pub(super) fn arn(cluster: &EksCluster, what: &str) -> String {
    format!("arn:aws:eks:{}:{ACCOUNT}:{what}", cluster.region())
}

fn list(turn: &mut Turn<'_>, _: &Input<'_>) -> Answer {
    let all = turn.store().list::<EksCluster>(ClusterId::WORLD, None);
    Ok(json!({"clusters": all.filter_map(|it| it.metadata.name.clone()).collect::<Vec<_>>()}))
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let it = named(turn, input, "name")?;
    Ok(json!({ "cluster": shown(&it) }))
}

fn shown(it: &EksCluster) -> Value {
    let name = it.metadata.name.as_deref().unwrap_or_default();
    let host = it.endpoint.trim_start_matches("https://");
    let id = host.split('.').next().unwrap_or_default();
    let ipv6 = it.service_cidr.addr().is_ipv6();
    let family = if ipv6 { "serviceIpv6Cidr" } else { "serviceIpv4Cidr" };
    json!({
        "name": name,
        "arn": arn(it, &format!("cluster/{name}")),
        "createdAt": it.metadata.creation_timestamp.as_ref().map(|at| at.0.to_string().replace('Z', "+00:00")),
        "version": it.version,
        "endpoint": it.endpoint,
        "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/eksctl-{name}-cluster-ServiceRole"),
        "resourcesVpcConfig": {
            "subnetIds": it.subnets,
            "securityGroupIds": [],
            "clusterSecurityGroupId": it.cluster_security_group,
            "vpcId": it.vpc,
            "endpointPublicAccess": it.endpoint_public_access,
            "endpointPrivateAccess": it.endpoint_private_access,
            "publicAccessCidrs": it.public_access_cidrs,
        },
        "kubernetesNetworkConfig": {
            family: it.service_cidr,
            "ipFamily": if ipv6 { "ipv6" } else { "ipv4" },
            "elasticLoadBalancing": {"enabled": false},
        },
        "logging": {"clusterLogging": [{
            "types": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
            "enabled": false,
        }]},
        "identity": {"oidc": {"issuer": format!("https://oidc.eks.{}.amazonaws.com/id/{id}", it.region())}},
        "status": it.status,
        "tags": {"alpha.eksctl.io/cluster-name": name},
        "health": {"issues": []},
        "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        "upgradePolicy": {"supportType": "EXTENDED"},
        "deletionProtection": false,
    })
}
