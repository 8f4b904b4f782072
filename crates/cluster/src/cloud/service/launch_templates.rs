//! `ec2 describe-launch-templates`, `describe-launch-template-versions`.
//!
//! eksctl makes one for each of its groups; EKS makes one of its own for each managed group, with a version for each update.
//! Source: the Amazon EC2 API reference (`LaunchTemplate`, `ResponseLaunchTemplateData`); eksctl `pkg/cfn/builder/managed_launch_template.go`,
//! `nodegroup.go`, `block_device_mapping.go`; EKS user guide (customize managed nodes with launch templates).
//! MODEL: user data is left out, and templates of one's own cannot be made.

use api::{
    Resource, SimTime,
    kinds::{
        eks::{Care, EksCluster, Nodegroup},
        eksctl::DEFAULT_AMI_FAMILY,
    },
};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, input::just, operation, second};
use crate::{
    AwsError, ClusterId, Turn,
    cloud::{ACCOUNT, id},
    provision::{nodegroup, release},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeLaunchTemplates", describe),
    operation("ec2", "DescribeLaunchTemplateVersions", versions),
];

/// A launch template of a group.
struct Template<'g> {
    name: String,
    group: &'g Nodegroup,
    /// When each version was made, the first one first, and the release of the images that it names.
    versions: Vec<(SimTime, String)>,
}

/// The id of the launch template with a name.
pub(super) fn id_of(turn: &Turn<'_>, name: &str) -> String {
    id(turn, "lt", name, 0)
}

/// The template that the Auto Scaling group of a group launches from: EKS's own, or eksctl's.
pub(super) fn launched_from(group: &Nodegroup) -> Option<String> {
    match group.care {
        Care::Managed => Some(own(group)),
        Care::SelfManaged => group.launch_template.clone(),
    }
}

/// The name of EKS's own: `eks-` and what the name of the Auto Scaling group ends with.
fn own(group: &Nodegroup) -> String {
    let asg = nodegroup::group_name(group);
    let prefix = format!("eks-{}-", group.meta().name.as_deref().unwrap_or_default());
    format!("eks-{}", asg.strip_prefix(&prefix).unwrap_or(&asg))
}

fn all<'t>(turn: &'t Turn<'_>) -> Vec<Template<'t>> {
    let mut found = Vec::new();
    for group in turn.store().list::<Nodegroup>(ClusterId::WORLD, None) {
        let updates = group.updates.iter().filter(|it| it.kind == "VersionUpdate");
        let mut later: Vec<SimTime> = updates.map(|it| it.created_at).collect();
        later.insert(0, group.created_at);
        let made = |at: &SimTime| (*at, group.image_release.clone());
        if let Some(name) = group.launch_template.clone() {
            found.push(Template { name, group, versions: later.iter().take(1).map(made).collect() });
        }
        if group.care == Care::Managed {
            found.push(Template { name: own(group), group, versions: later.iter().map(made).collect() });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Whether a request names a template, by its id or its name, or none at all.
fn meant(turn: &Turn<'_>, input: &Input<'_>, it: &Template<'_>) -> bool {
    let (ids, names) = (input.texts("LaunchTemplateIds"), input.texts("LaunchTemplateNames"));
    let own = id_of(turn, &it.name);
    (ids.is_empty() || ids.contains(&own)) && (names.is_empty() || names.contains(&it.name))
}

fn absent(input: &Input<'_>, what: &str, name: &str) -> AwsError {
    let (code, message) = match what {
        "id" => {
            let message = format!("The specified launch template, with template ID {name}, does not exist.");
            ("InvalidLaunchTemplateId.NotFound", message)
        }
        _ => {
            let message = "At least one of the launch templates specified in the request does not exist.";
            ("InvalidLaunchTemplateName.NotFoundException", message.to_owned())
        }
    };
    input.refuse(code, message)
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let there = all(turn);
    let has = |wanted: &dyn Fn(&Template<'_>) -> bool| there.iter().any(wanted);
    for wanted in input.texts("LaunchTemplateIds") {
        if !has(&|it| id_of(turn, &it.name) == wanted) {
            return Err(absent(input, "id", &wanted));
        }
    }
    for wanted in input.texts("LaunchTemplateNames") {
        if !has(&|it| it.name == wanted) {
            return Err(absent(input, "name", &wanted));
        }
    }
    let mut found = Vec::new();
    for it in there.iter().filter(|it| meant(turn, input, it)) {
        let tags = tags(it);
        let passes = input.passes(|filter| match filter {
            "launch-template-name" => just(&it.name),
            "create-time" => just(second(turn, it.group.created_at)),
            "tag-key" => Some(tags.iter().map(|(key, _)| key.clone()).collect()),
            other => {
                let key = other.strip_prefix("tag:")?;
                Some(tags.iter().filter(|(k, _)| k == key).map(|(_, value)| value.clone()).collect())
            }
        })?;
        if passes {
            let shown: Vec<Value> =
                tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            found.push(json!({
                "LaunchTemplateId": id_of(turn, &it.name),
                "LaunchTemplateName": it.name,
                "CreateTime": second(turn, it.group.created_at),
                "CreatedBy": created_by(it),
                "DefaultVersionNumber": 1,
                "LatestVersionNumber": it.versions.len(),
                "Tags": shown,
                "Operator": {"Managed": false},
            }));
        }
    }
    Ok(json!({ "LaunchTemplates": found }))
}

/// EKS acts by its service-linked role, eksctl as whoever runs it.
fn created_by(it: &Template<'_>) -> String {
    if it.group.launch_template.as_ref() == Some(&it.name) {
        return format!("arn:aws:iam::{ACCOUNT}:user/admin");
    }
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForAmazonEKSNodegroup/EKS")
}

/// Tags of a template: CloudFormation's of eksctl's stack, or EKS's own.
fn tags(it: &Template<'_>) -> Vec<(String, String)> {
    let (cluster, group) = (&it.group.cluster, it.group.metadata.name.clone().unwrap_or_default());
    let own = it.group.launch_template.as_ref() != Some(&it.name);
    let pairs = if own {
        vec![("eks:cluster-name", cluster.clone()), ("eks:nodegroup-name", group)]
    } else {
        vec![
            ("alpha.eksctl.io/cluster-name", cluster.clone()),
            ("alpha.eksctl.io/nodegroup-name", group),
            ("aws:cloudformation:stack-name", it.name.clone()),
        ]
    };
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn versions(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (by_id, by_name) = (input.text("LaunchTemplateId"), input.text("LaunchTemplateName"));
    if by_id.is_empty() && by_name.is_empty() {
        let message = "The request must contain the parameter LaunchTemplateName or LaunchTemplateId";
        return Err(input.refuse("MissingParameter", message));
    }
    let there = all(turn);
    let found = there.iter().find(|it| it.name == by_name || id_of(turn, &it.name) == by_id);
    let Some(found) = found else {
        let (what, name) = if by_id.is_empty() { ("name", &by_name) } else { ("id", &by_id) };
        return Err(absent(input, what, name));
    };
    let latest = found.versions.len();
    let wanted = input.texts("Versions");
    let number = |text: &str| match text {
        "$Latest" => Some(latest),
        "$Default" => Some(1),
        other => other.parse().ok().filter(|number| (1..=latest).contains(number)),
    };
    if let Some(unknown) = wanted.iter().find(|text| number(text).is_none()) {
        let message = format!(
            "Could not find the specified version {unknown} for the launch template with ID {}.",
            id_of(turn, &found.name)
        );
        return Err(input.refuse("InvalidLaunchTemplateId.VersionNotFound", message));
    }
    let wanted: Vec<usize> = wanted.iter().filter_map(|text| number(text)).collect();
    let shown = found.versions.iter().enumerate().rev().map(|(at, version)| (at + 1, version));
    let shown = shown.filter(|(number, _)| wanted.is_empty() || wanted.contains(number));
    let shown: Vec<Value> = shown
        .map(|(number, (at, image))| {
            json!({
                "LaunchTemplateId": id_of(turn, &found.name),
                "LaunchTemplateName": found.name,
                "VersionNumber": number,
                "CreateTime": second(turn, *at),
                "CreatedBy": created_by(found),
                "DefaultVersion": number == 1,
                "LaunchTemplateData": data(turn, found, image),
                "Operator": {"Managed": false},
            })
        })
        .collect();
    Ok(json!({ "LaunchTemplateVersions": shown }))
}

/// What a version of a template says of an instance.
fn data(turn: &Turn<'_>, it: &Template<'_>, image: &str) -> Value {
    let group = it.group;
    let of_eksctl = group.launch_template.as_ref() == Some(&it.name);
    let cluster = turn.get::<EksCluster>("", &group.cluster);
    let security_group = cluster.map(|it| it.cluster_security_group.clone());
    // eksctl's template of a managed group leaves image and machine to EKS.
    let whole = !of_eksctl || group.care == Care::SelfManaged;
    let bottlerocket = group.ami_family.starts_with("Bottlerocket");
    let root = match group.ami_family.as_str() {
        DEFAULT_AMI_FAMILY | "AmazonLinux2" => "/dev/xvda",
        _ if bottlerocket => "/dev/xvdb",
        _ => "/dev/sda1",
    };
    let name = format!("{}-{}-Node", group.cluster, group.metadata.name.as_deref().unwrap_or_default());
    let tags = json!([{"Key": "Name", "Value": name}]);
    let specified =
        ["instance", "volume", "network-interface"].map(|it| json!({"ResourceType": it, "Tags": tags}));
    json!({
        "EbsOptimized": Value::Null,
        "BlockDeviceMappings": [{
            "DeviceName": root,
            "Ebs": {"Iops": 3000, "VolumeSize": group.disk_size, "VolumeType": "gp3", "Throughput": 125},
        }],
        "ImageId": whole.then(|| release::image_id(&group.ami_family, image)),
        "InstanceType": whole.then(|| group.instance_types.first()),
        "TagSpecifications": specified,
        "SecurityGroupIds": security_group.into_iter().collect::<Vec<_>>(),
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
    })
}
