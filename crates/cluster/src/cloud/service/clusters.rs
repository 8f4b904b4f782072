//! `eks describe-cluster`, `list-clusters`, `update-cluster-config`, `update-cluster-version`.
//!
//! An update takes its time; until then the cluster is as it was.
//! Source: the Amazon EKS API reference (`Cluster`, `UpdateClusterConfig`); eksctl-io/eksctl#4043, aws/aws-cdk#21439 (refusals).
//! MODEL: no certificate, no platform version; tags are eksctl's.

use api::{
    Resource,
    kinds::eks::{EksCluster, Update},
};
use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Answer, Input, Operation, nodegroups::shown_update, operation, versions};
use crate::{AwsError, ClusterId, Turn, cloud::ACCOUNT};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("eks", "DescribeCluster", describe),
    operation("eks", "ListClusters", list),
    operation("eks", "UpdateClusterConfig", update_config),
    operation("eks", "UpdateClusterVersion", update_version),
];

/// Kinds of the control plane's logs. Source: EKS API reference (`LogSetup`).
const LOGS: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

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
        "logging": {"clusterLogging": logging(it)},
        "identity": {"oidc": {"issuer": format!("https://oidc.eks.{}.amazonaws.com/id/{id}", it.region())}},
        "status": it.status,
        "tags": {"alpha.eksctl.io/cluster-name": name},
        "health": {"issues": []},
        "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        "upgradePolicy": {"supportType": "EXTENDED"},
        "deletionProtection": false,
    })
}

/// The kinds that are written down, and those that are not.
fn logging(it: &EksCluster) -> Vec<Value> {
    let of = |on: bool| {
        let types: Vec<&str> =
            LOGS.into_iter().filter(|log| it.logging.iter().any(|has| has == log) == on).collect();
        (!types.is_empty()).then(|| json!({"types": types, "enabled": on}))
    };
    [of(true), of(false)].into_iter().flatten().collect()
}

/// Changes the doors of the endpoint, or the logs: one at a time.
/// # Errors
/// `ResourceNotFoundException`, `ResourceInUseException` while another update goes on, `InvalidParameterException`.
fn update_config(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let it = named(turn, input, "name")?;
    let asked = |name: &str| !input.value[name].is_null();
    let refuse = |message: &str| Err(input.refuse("InvalidParameterException", message));
    let network = &input.value["resourcesVpcConfig"];
    let beyond = ["subnetIds", "securityGroupIds"].into_iter().any(|name| !network[name].is_null());
    let known = ["name", "resourcesVpcConfig", "logging", "clientRequestToken"];
    let other =
        input.value.as_object().into_iter().flatten().any(|(name, _)| !known.contains(&name.as_str()));
    if other || beyond {
        return refuse("lab: only the endpoint's access and the logging of a cluster are updated here");
    }
    match (asked("resourcesVpcConfig"), asked("logging")) {
        (true, true) => refuse("Only one type of update can be allowed."),
        (false, false) => refuse("No changes needed for the cluster config provided"),
        (true, false) => {
            idle(input, &it, "EndpointAccessUpdate")?;
            let params = endpoint_access(&it, input, network)?;
            begin(turn, it, "EndpointAccessUpdate", params)
        }
        (false, true) => {
            idle(input, &it, "LoggingUpdate")?;
            let params = log_setup(&it, input)?;
            begin(turn, it, "LoggingUpdate", params)
        }
    }
}

type Params = Vec<(String, String)>;

fn endpoint_access(it: &EksCluster, input: &Input<'_>, network: &Value) -> Result<Params, AwsError> {
    let refuse = |message: String| Err(input.refuse("InvalidParameterException", message));
    let public = network["endpointPublicAccess"].as_bool().unwrap_or(it.endpoint_public_access);
    let private = network["endpointPrivateAccess"].as_bool().unwrap_or(it.endpoint_private_access);
    let cidrs = network["publicAccessCidrs"].as_array();
    let named: Option<Vec<String>> =
        cidrs.map(|all| all.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect());
    let (mut wrong, mut barred) = (Vec::new(), Vec::new());
    for text in named.iter().flatten() {
        match text.parse::<IpNet>() {
            Err(_) => wrong.push(text.as_str()),
            // The public door sees no private addresses.
            Ok(IpNet::V4(block)) if block.addr().is_private() && block.prefix_len() > 0 => {
                barred.push(text.as_str());
            }
            Ok(_) => {}
        }
    }
    if !wrong.is_empty() {
        return refuse(format!(
            "The following CIDRs are invalid in publicAccessCidrs: [{}]",
            wrong.join(", ")
        ));
    }
    if !barred.is_empty() {
        return refuse(format!(
            "The following CIDRs are not allowed in publicAccessCidrs: [{}]",
            barred.join(", ")
        ));
    }
    if !public && !private {
        return refuse("Private and public endpoint access cannot both be disabled".to_owned());
    }
    let same = named.as_ref().is_none_or(|named| *named == it.public_access_cidrs);
    if same && public == it.endpoint_public_access && private == it.endpoint_private_access {
        let cidrs = it.public_access_cidrs.join(", ");
        return refuse(format!(
            "Cluster is already at the desired configuration with endpointPrivateAccess: {private} , endpointPublicAccess: {public}, and Public Endpoint Restrictions: [{cidrs}]"
        ));
    }
    let mut params = vec![
        ("EndpointPublicAccess".to_owned(), public.to_string()),
        ("EndpointPrivateAccess".to_owned(), private.to_string()),
    ];
    params.extend(named.map(|named| ("PublicAccessCidrs".to_owned(), json!(named).to_string())));
    Ok(params)
}

fn log_setup(it: &EksCluster, input: &Input<'_>) -> Result<Params, AwsError> {
    let asked = &input.value["logging"];
    let unknown = setups(asked).find(|(log, _)| !LOGS.contains(log));
    if let Some((log, _)) = unknown {
        return Err(input.refuse("InvalidParameterException", format!("Unsupported log type: {log}")));
    }
    if setups(asked).all(|(log, on)| it.logging.iter().any(|has| has == log) == on) {
        let message = "No changes needed for the logging config provided";
        return Err(input.refuse("InvalidParameterException", message));
    }
    Ok(vec![("ClusterLogging".to_owned(), asked.to_string())])
}

/// Kinds of logs, and whether they are to be written down.
fn setups(logging: &Value) -> impl Iterator<Item = (&str, bool)> {
    let setups = logging["clusterLogging"].as_array().into_iter().flatten();
    setups.flat_map(|setup| {
        let on = setup["enabled"].as_bool() == Some(true);
        setup["types"].as_array().into_iter().flatten().filter_map(Value::as_str).map(move |log| (log, on))
    })
}

/// To the next minor; one may not be left out.
/// # Errors
/// As [`update_config`].
fn update_version(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let it = named(turn, input, "name")?;
    idle(input, &it, "VersionUpdate")?;
    let wanted = input.text("version");
    let minor = |text: &str| text.strip_prefix("1.").and_then(|it| it.parse::<u32>().ok());
    let (Some(from), Some(to)) = (minor(&it.version), minor(&wanted).filter(|_| versions::exists(&wanted)))
    else {
        return Err(input.refuse("InvalidParameterException", "unsupported Kubernetes version"));
    };
    if to != from + 1 {
        let message = format!("Unsupported Kubernetes minor version update from {} to {wanted}", it.version);
        return Err(input.refuse("InvalidParameterException", message));
    }
    begin(turn, it, "VersionUpdate", vec![("Version".to_owned(), wanted)])
}

/// One update at a time.
/// # Errors
/// `ResourceInUseException`.
fn idle(input: &Input<'_>, it: &EksCluster, kind: &str) -> Result<(), AwsError> {
    if it.status == "ACTIVE" {
        return Ok(());
    }
    let name = it.metadata.name.as_deref().unwrap_or_default();
    let message = match it.updates.last().filter(|it| it.status == "InProgress") {
        Some(going) => {
            format!("Cannot {kind} because cluster {name} currently has update {} in progress", going.id)
        }
        None => format!("Cannot {kind} because cluster {name} is not in ACTIVE status"),
    };
    Err(input.refuse("ResourceInUseException", message))
}

fn begin(turn: &mut Turn<'_>, mut it: EksCluster, kind: &str, params: Params) -> Answer {
    let name = it.metadata.name.clone().unwrap_or_default();
    let count = it.updates.len() as u64;
    let update = Update {
        id: crate::draw::uid(turn.world().seed(), &format!("update {name}"), count),
        kind: kind.to_owned(),
        status: "InProgress".to_owned(),
        params,
        created_at: turn.now(),
        since: turn.now(),
        ..Update::default()
    };
    let shown = shown_update(turn, &update);
    it.updates.push(update);
    (it.status, it.since) = ("UPDATING".to_owned(), turn.now());
    turn.put(it.into_object());
    Ok(json!({ "update": shown }))
}

/// The update that went on is over: the cluster is as it was asked to be.
pub(crate) fn updated(it: &mut EksCluster) -> Option<String> {
    it.status = "ACTIVE".to_owned();
    let update = it.updates.last_mut()?;
    update.status = "Successful".to_owned();
    let params = update.params.clone();
    let mut version = None;
    for (name, value) in params {
        match name.as_str() {
            "EndpointPublicAccess" => it.endpoint_public_access = value == "true",
            "EndpointPrivateAccess" => it.endpoint_private_access = value == "true",
            "PublicAccessCidrs" => it.public_access_cidrs = serde_json::from_str(&value).unwrap_or_default(),
            "ClusterLogging" => {
                let asked: Value = serde_json::from_str(&value).unwrap_or_default();
                for (log, on) in setups(&asked) {
                    it.logging.retain(|has| has != log);
                    it.logging.extend(on.then(|| log.to_owned()));
                }
            }
            "Version" => {
                it.version.clone_from(&value);
                version = Some(value);
            }
            _ => {}
        }
    }
    version
}
