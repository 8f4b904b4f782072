//! `eksctl get cluster`, `eksctl get nodegroup`.
//!
//! Source: eksctl `pkg/ctl/get/cluster.go`, `nodegroup.go`, `pkg/actions/nodegroup/get.go`; aws-sdk-go-v2 `eks/types` (`Cluster`).

use ::cluster::{
    AwsRequest, ClusterId, Principal, Reply, Request, World,
    provision::{group_name, image_of, release_of},
};
use api::kinds::{
    eks::{Care, EksCluster, Nodegroup},
    eksctl::ClusterConfig,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    cluster_name, config, exists, named,
    nodegroup::{groups, name},
    print::{self, Form},
};
use crate::{flag::Given, tool::Call};

/// A cluster as the list of all shows it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    name: String,
    region: String,
    owned: &'static str,
}

pub(super) fn clusters(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let (form, wanted) = (Form::of(given)?, named(given, word)?);
    let wanted = wanted.map(str::to_owned).or(config.map(|it: ClusterConfig| it.metadata.name));
    if given.on("all-regions") && wanted.is_some() {
        let why = "it must be used without cluster name flag/argument";
        return Err(format!("Error: --all-regions is for listing all clusters, {why}"));
    }
    if let Some(wanted) = wanted {
        exists(call.shell.world, &wanted)?;
        return one(call, form, &wanted);
    }
    let all = call.shell.world.store().list::<EksCluster>(ClusterId::WORLD, None);
    // MODEL: every cluster of the lab is eksctl's.
    let describe = |it: &EksCluster| Description {
        name: it.metadata.name.clone().unwrap_or_default(),
        region: it.region().to_owned(),
        owned: "True",
    };
    let found: Vec<Description> = all.map(describe).collect();
    match form {
        Form::Table if found.is_empty() => call.out.line("No clusters found"),
        Form::Table => {
            let rows = found.into_iter().map(|it| vec![it.name, it.region, it.owned.to_owned()]);
            call.out.out(&print::table(&["NAME", "REGION", "EKSCTL CREATED"], rows.collect()));
        }
        form => print::data(call, form, &found),
    }
    Ok(())
}

/// Members of a cluster in the SDK for Go, which names those without a value too.
const MEMBERS: [&str; 26] = [
    "AccessConfig",
    "Arn",
    "CertificateAuthority",
    "ClientRequestToken",
    "ComputeConfig",
    "ConnectorConfig",
    "CreatedAt",
    "DeletionProtection",
    "EncryptionConfig",
    "Endpoint",
    "Health",
    "Id",
    "Identity",
    "KubernetesNetworkConfig",
    "Logging",
    "Name",
    "OutpostConfig",
    "PlatformVersion",
    "RemoteNetworkConfig",
    "ResourcesVpcConfig",
    "RoleArn",
    "Status",
    "StorageConfig",
    "Tags",
    "UpgradePolicy",
    "Version",
];

/// One cluster, with more of it. MODEL: of what is inside its members those without a value are left out.
fn one(call: &mut Call<'_, '_>, form: Form, wanted: &str) -> Result<(), String> {
    let input = json!({ "name": wanted });
    let request = AwsRequest { service: "eks", action: "DescribeCluster", input };
    let answer = match call.shell.world.request(&Principal::admin(), Request::Aws(request)) {
        Ok(Reply::Value(answer)) => answer["cluster"].clone(),
        Ok(Reply::Object(_) | Reply::List(_)) => Value::Null,
        Err(other) => return Err(format!("Error: {other}")),
    };
    if form != Form::Table {
        let of = pascal(&answer);
        let whole: Map<String, Value> =
            MEMBERS.iter().map(|&name| (name.to_owned(), of[name].clone())).collect();
        print::data(call, form, &[whole]);
        return Ok(());
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let list = |value: &Value| {
        let mut all: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all.join(",")
    };
    let network = &answer["resourcesVpcConfig"];
    let header = ["NAME", "VERSION", "STATUS", "CREATED", "VPC", "SUBNETS", "SECURITYGROUPS", "PROVIDER"];
    let row = vec![
        text(&answer["name"]),
        text(&answer["version"]),
        text(&answer["status"]),
        text(&answer["createdAt"]).replace("+00:00", "Z"),
        text(&network["vpcId"]),
        list(&network["subnetIds"]),
        list(&network["securityGroupIds"]),
        "EKS".to_owned(),
    ];
    call.out.out(&print::table(&header, vec![row]));
    Ok(())
}

/// Names as Go has them: their first letter is a capital one. Tags keep theirs.
fn pascal(value: &Value) -> Value {
    let capital = |name: &str| {
        let mut letters = name.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
            .unwrap_or_default()
    };
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| {
                    let value = if name == "tags" { value.clone() } else { pascal(value) };
                    (capital(name), value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(pascal).collect()),
        other => other.clone(),
    }
}

/// What `get nodegroup` prints. Source: eksctl `pkg/actions/nodegroup/get.go` (`Summary`).
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    stack_name: String,
    cluster: String,
    name: String,
    status: String,
    max_size: u32,
    min_size: u32,
    desired_capacity: u32,
    instance_type: String,
    #[serde(rename = "ImageID")]
    image_id: String,
    creation_time: String,
    #[serde(rename = "NodeInstanceRoleARN")]
    role: String,
    auto_scaling_group_name: String,
    version: String,
    #[serde(rename = "Type")]
    kind: &'static str,
}

impl Summary {
    fn of(group: &Nodegroup, cluster: &str) -> Self {
        let managed = group.care == Care::Managed;
        let created = group.metadata.creation_timestamp.as_ref().map(|at| at.0.to_string());
        let number = group.release_version.split('-').next().unwrap_or_default();
        let minor: Vec<&str> = number.split('.').take(2).collect();
        Self {
            stack_name: group.launch_template.clone().unwrap_or_default(),
            cluster: cluster.to_owned(),
            name: name(group).to_owned(),
            status: if managed { group.status.clone() } else { "CREATE_COMPLETE".to_owned() },
            max_size: group.max_size,
            min_size: group.min_size,
            desired_capacity: group.desired_size,
            instance_type: group.instance_types.join(","),
            image_id: match (managed, group.ami_type.as_str()) {
                (true, "CUSTOM") => release_of(group),
                (true, other) => other.to_owned(),
                (false, _) => image_of(group),
            },
            creation_time: created.unwrap_or_default(),
            role: group.role.clone(),
            auto_scaling_group_name: group_name(group),
            // Of a self-managed group its first node tells, if there is one.
            version: match managed {
                true => minor.join("."),
                false if group.desired_size == 0 => String::new(),
                false => number.to_owned(),
            },
            kind: if managed { "managed" } else { "unmanaged" },
        }
    }

    fn row(self) -> Vec<String> {
        vec![
            self.cluster,
            self.name,
            self.status,
            self.creation_time,
            self.min_size.to_string(),
            self.max_size.to_string(),
            self.desired_capacity.to_string(),
            self.instance_type,
            self.image_id,
            self.auto_scaling_group_name,
            self.kind.to_owned(),
        ]
    }
}

const HEADER: [&str; 11] = [
    "CLUSTER",
    "NODEGROUP",
    "STATUS",
    "CREATED",
    "MIN SIZE",
    "MAX SIZE",
    "DESIRED CAPACITY",
    "INSTANCE TYPE",
    "IMAGE ID",
    "ASG NAME",
    "TYPE",
];

/// What EKS says of a managed group that there is not.
pub(super) fn no_group(name: &str) -> String {
    format!(
        "Error: operation error EKS: DescribeNodegroup, https response error StatusCode: 404, ResourceNotFoundException: No node group found for name: {name}."
    )
}

pub(super) fn nodegroups(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    let (form, wanted) = (Form::of(given)?, named(given, word)?);
    exists(call.shell.world, &cluster)?;
    let found = in_order(call.shell.world, &cluster, wanted);
    if let Some(wanted) = wanted.filter(|_| found.is_empty()) {
        return Err(no_group(wanted));
    }
    match form {
        Form::Table if found.is_empty() => return Err("Error: No nodegroups found".to_owned()),
        Form::Table => {
            let rows = found.into_iter().map(Summary::row).collect();
            call.out.out(&print::table(&HEADER, rows));
        }
        form => print::data(call, form, &found),
    }
    Ok(())
}

/// Self-managed groups come first.
fn in_order(world: &World, cluster: &str, wanted: Option<&str>) -> Vec<Summary> {
    let mut all: Vec<Nodegroup> = groups(world, cluster)
        .into_iter()
        .filter(|it| wanted.is_none_or(|wanted| wanted == name(it)))
        .collect();
    all.sort_by_key(|it| it.care == Care::Managed);
    all.iter().map(|it| Summary::of(it, cluster)).collect()
}
