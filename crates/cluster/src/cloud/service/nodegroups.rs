//! `eks describe-nodegroup`, `create-nodegroup`, `update-nodegroup-version` and their kind: managed node groups and their updates.
//!
//! Source: the Amazon EKS API reference (`Nodegroup`, `Update`).

use api::kinds::{
    eks::{Care, EksCluster, Issue, MaxUnavailable, Nodegroup, Update},
    eksctl::{DEFAULT_AMI_FAMILY, NodeGroup, NodeGroupTaint, NodeGroupUpdateConfig},
};
use serde_json::{Map, Value, json};

use super::{Answer, Input, Operation, clusters, launch_templates, moment, operation};
use crate::{
    AwsError, ClusterId, Refusal, Turn,
    provision::{ami, nodegroup, release, remove_nodegroup, scale_nodegroup},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("eks", "DescribeNodegroup", |turn, input| {
        let (cluster, group) = named(turn, input)?;
        Ok(json!({ "nodegroup": shown(turn, &cluster, &group) }))
    }),
    operation("eks", "ListNodegroups", |turn, input| {
        let cluster = clusters::named(turn, input, "clusterName")?;
        let all = turn.store().list::<Nodegroup>(ClusterId::WORLD, None);
        let of =
            all.filter(|it| Some(&it.cluster) == cluster.metadata.name.as_ref() && it.care == Care::Managed);
        Ok(json!({"nodegroups": of.filter_map(|it| it.metadata.name.clone()).collect::<Vec<_>>()}))
    }),
    operation("eks", "CreateNodegroup", create),
    operation("eks", "DeleteNodegroup", |turn, input| {
        let (cluster, group) = named(turn, input)?;
        said(remove_nodegroup(turn, &group.cluster, &input.text("nodegroupName")))?;
        let (_, group) = named(turn, input)?;
        Ok(json!({ "nodegroup": shown(turn, &cluster, &group) }))
    }),
    operation("eks", "UpdateNodegroupConfig", configure),
    operation("eks", "UpdateNodegroupVersion", |turn, input| {
        let (_, group) = named(turn, input)?;
        let text = |name: &str| Some(input.text(name)).filter(|text| !text.is_empty());
        let (minor, asked) = (text("version"), text("releaseVersion"));
        let force = input.value["force"].as_bool() == Some(true);
        let update = said(nodegroup::update_version(turn, group, minor.as_deref(), asked.as_deref(), force))?;
        Ok(json!({ "update": shown_update(turn, &update) }))
    }),
    operation("eks", "DescribeUpdate", |turn, input| {
        let (updates, id) = (updated(turn, input)?, input.text("updateId"));
        let found = updates.iter().find(|it| it.id == id);
        let message = || format!("No update found for ID: {id}");
        let found = found.ok_or_else(|| input.refuse("ResourceNotFoundException", message()))?;
        Ok(json!({ "update": shown_update(turn, found) }))
    }),
    operation("eks", "ListUpdates", |turn, input| {
        let updates = updated(turn, input)?;
        Ok(json!({"updateIds": updates.iter().map(|it| &it.id).collect::<Vec<_>>()}))
    }),
];

/// What a refusal of the tools is in the service's own form.
fn said<T>(answer: Result<T, Refusal>) -> Result<T, AwsError> {
    answer.map_err(|refusal| match refusal {
        Refusal::Aws(error) => error,
        other => crate::cloud::refuse("", "ServerException", other.to_string()),
    })
}

/// The managed group that a request names. EKS does not know of self-managed ones.
fn named(turn: &Turn<'_>, input: &Input<'_>) -> Result<(EksCluster, Nodegroup), AwsError> {
    let cluster = clusters::named(turn, input, "clusterName")?;
    let group = group(turn, input, &cluster)?;
    Ok((cluster, group))
}

fn group(turn: &Turn<'_>, input: &Input<'_>, cluster: &EksCluster) -> Result<Nodegroup, AwsError> {
    let name = input.text("nodegroupName");
    let found = turn.get::<Nodegroup>(cluster.metadata.name.as_deref().unwrap_or_default(), &name).cloned();
    let found = found.filter(|it| it.care == Care::Managed);
    let message = || format!("No node group found for name: {name}.");
    found.ok_or_else(|| input.refuse("ResourceNotFoundException", message()))
}

/// The updates that a request asks for: those of a group, or of the cluster itself. MODEL: those of add-ons are not kept.
fn updated(turn: &Turn<'_>, input: &Input<'_>) -> Result<Vec<Update>, AwsError> {
    let cluster = clusters::named(turn, input, "name")?;
    if input.text("nodegroupName").is_empty() {
        return Ok(cluster.updates);
    }
    Ok(group(turn, input, &cluster)?.updates)
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let cluster = clusters::named(turn, input, "clusterName")?;
    let (sizes, name) = (&input.value["scalingConfig"], input.text("nodegroupName"));
    let types = input.texts("instanceTypes");
    let update = &input.value["updateConfig"];
    let spec = NodeGroup {
        name: name.clone(),
        // EKS: a node group without a type has t3.medium, one without sizes has two of at most two.
        instance_types: if types.is_empty() { vec!["t3.medium".to_owned()] } else { types },
        desired_capacity: number(&sizes["desiredSize"]).or(Some(2)),
        min_size: number(&sizes["minSize"]).or(Some(1)),
        max_size: number(&sizes["maxSize"]).or(Some(2)),
        subnets: input.texts("subnets"),
        labels: texts_by_name(&input.value["labels"]),
        taints: input.value["taints"].as_array().into_iter().flatten().map(taint).collect(),
        spot: Some(input.text("capacityType") == "SPOT"),
        release_version: Some(input.text("releaseVersion")).filter(|text| !text.is_empty()),
        ami_family: Some(family(input)?.to_owned()),
        volume_size: number(&input.value["diskSize"]),
        update_config: Some(NodeGroupUpdateConfig {
            max_unavailable: number(&update["maxUnavailable"]),
            max_unavailable_percentage: number(&update["maxUnavailablePercentage"]),
        }),
        node_repair_config: serde_json::from_value(input.value["nodeRepairConfig"].clone()).ok(),
        ..NodeGroup::default()
    };
    for subnet in &spec.subnets {
        crate::cloud::subnet::asked_for(turn.store(), subnet, input.action).map_err(|_| {
            let message = format!("The subnet ID '{subnet}' does not exist");
            input.refuse("InvalidParameterException", message)
        })?;
    }
    let in_cluster = cluster.metadata.name.clone().unwrap_or_default();
    said(nodegroup::create(turn, &in_cluster, &spec, nodegroup::By::Eks))?;
    let (cluster, group) = named(turn, input)?;
    Ok(json!({ "nodegroup": shown(turn, &cluster, &group) }))
}

/// The family of images that a type of EKS's is of.
/// # Errors
/// `InvalidParameterException` for a type that there is not.
fn family(input: &Input<'_>) -> Result<&'static str, AwsError> {
    let given = input.text("amiType");
    if given.is_empty() {
        return Ok(DEFAULT_AMI_FAMILY);
    }
    let message = || format!("The following supplied AMI type is not supported: {given}");
    ami::family_of(&given).ok_or_else(|| input.refuse("InvalidParameterException", message()))
}

fn texts_by_name(value: &Value) -> std::collections::BTreeMap<String, String> {
    let all = value.as_object().into_iter().flatten();
    all.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

const EFFECTS: [(&str, &str); 3] =
    [("NO_SCHEDULE", "NoSchedule"), ("NO_EXECUTE", "NoExecute"), ("PREFER_NO_SCHEDULE", "PreferNoSchedule")];

/// A taint of EKS as Kubernetes has it.
fn taint(it: &Value) -> NodeGroupTaint {
    let text = |name: &str| it[name].as_str().unwrap_or_default().to_owned();
    let effect =
        EFFECTS.iter().find(|(eks, _)| *eks == text("effect")).map(|(_, effect)| (*effect).to_owned());
    NodeGroupTaint { key: text("key"), value: text("value"), effect: effect.unwrap_or_default() }
}

/// Sizes go to the Auto Scaling group at once. MODEL: labels and taints reach only nodes that come later.
fn configure(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (_, mut group) = named(turn, input)?;
    if group.updating().is_some() {
        let message = "Nodegroup cannot be updated as it is currently not in Active State";
        return Err(input.refuse("ResourceInUseException", message));
    }
    let (labels, taints) = (&input.value["labels"], &input.value["taints"]);
    group.labels.extend(texts_by_name(&labels["addOrUpdateLabels"]));
    for gone in labels["removeLabels"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        group.labels.remove(gone);
    }
    for change in ["removeTaints", "addOrUpdateTaints"] {
        for given in taints[change].as_array().into_iter().flatten().map(taint) {
            group.taints.retain(|it| it.key != given.key || it.effect != given.effect);
            if change == "addOrUpdateTaints" {
                group.taints.push(nodegroup::taint(&given));
            }
        }
    }
    let unavailable = &input.value["updateConfig"];
    if let Some(nodes) = number(&unavailable["maxUnavailable"]) {
        group.max_unavailable = MaxUnavailable::Nodes(nodes);
    } else if let Some(part) = number(&unavailable["maxUnavailablePercentage"]) {
        group.max_unavailable = MaxUnavailable::Percentage(part);
    }
    if let Ok(config) = serde_json::from_value(input.value["nodeRepairConfig"].clone()) {
        group.node_repair_config = Some(config);
    }
    turn.put(api::Resource::into_object(group.clone()));
    let sizes = &input.value["scalingConfig"];
    let size = |name: &str| number(&sizes[name]);
    let name = input.text("nodegroupName");
    said(scale_nodegroup(
        turn,
        &group.cluster,
        &name,
        size("desiredSize"),
        size("minSize"),
        size("maxSize"),
    ))?;
    let (_, group) = named(turn, input)?;
    Ok(json!({"update": group.updates.last().map(|it| shown_update(turn, it))}))
}

fn shown(turn: &Turn<'_>, cluster: &EksCluster, it: &Nodegroup) -> Value {
    let name = it.metadata.name.as_deref().unwrap_or_default();
    let asg = nodegroup::group_name(it);
    let id = asg.rsplit_once(&format!("{name}-")).map(|(_, id)| id.to_owned()).unwrap_or_default();
    let taints: Vec<Value> = it
        .taints
        .iter()
        .map(|taint| {
            let effect = EFFECTS.iter().find(|(_, effect)| *effect == taint.effect).map(|(eks, _)| eks);
            json!({"key": taint.key, "value": taint.value, "effect": effect})
        })
        .collect();
    json!({
        "nodegroupName": name,
        "nodegroupArn": clusters::arn(cluster, &format!("nodegroup/{}/{name}/{id}", it.cluster)),
        "clusterName": it.cluster,
        "version": release::minor_of(&it.release_version),
        "releaseVersion": ami::release(&it.ami_type, &it.ami_family, &it.release_version),
        "createdAt": moment(turn, it.created_at),
        "modifiedAt": moment(turn, it.since),
        "status": it.status,
        "capacityType": if it.spot { "SPOT" } else { "ON_DEMAND" },
        "scalingConfig": {"minSize": it.min_size, "maxSize": it.max_size, "desiredSize": it.desired_size},
        "instanceTypes": it.instance_types,
        "subnets": it.subnets,
        "amiType": it.ami_type,
        "diskSize": it.launch_template.is_none().then_some(it.disk_size),
        "launchTemplate": it.launch_template.as_ref().map(|name| json!({
            "name": name,
            "version": "1",
            "id": launch_templates::id_of(turn, name),
        })),
        "nodeRole": it.role,
        "labels": it.labels,
        "taints": (!taints.is_empty()).then_some(taints),
        "resources": {"autoScalingGroups": [{"name": asg}]},
        "health": {"issues": it.issues.iter().map(issue).collect::<Vec<_>>()},
        "updateConfig": match it.max_unavailable {
            MaxUnavailable::Nodes(nodes) => json!({"maxUnavailable": nodes}),
            MaxUnavailable::Percentage(part) => json!({"maxUnavailablePercentage": part}),
        },
        "nodeRepairConfig": it.node_repair_config,
        "tags": {"alpha.eksctl.io/cluster-name": it.cluster, "alpha.eksctl.io/nodegroup-name": name},
    })
}

fn issue(it: &Issue) -> Value {
    json!({"code": it.code, "message": it.message, "resourceIds": it.resource_ids})
}

pub(super) fn shown_update(turn: &Turn<'_>, it: &Update) -> Value {
    let errors: Vec<Value> = it
        .errors
        .iter()
        .map(|it| {
            let mut fields = Map::new();
            fields.insert("errorCode".to_owned(), json!(it.code));
            fields.insert("errorMessage".to_owned(), json!(it.message));
            fields.insert("resourceIds".to_owned(), json!(it.resource_ids));
            Value::Object(fields)
        })
        .collect();
    json!({
        "id": it.id,
        "status": it.status,
        "type": it.kind,
        "params": it.params.iter().map(|(kind, value)| json!({"type": kind, "value": value})).collect::<Vec<_>>(),
        "createdAt": moment(turn, it.created_at),
        "errors": errors,
    })
}
