//! `eks create-fargate-profile`, `describe-fargate-profile`, `list-fargate-profiles`, `delete-fargate-profile`.
//!
//! Source: the Amazon EKS API reference (`FargateProfile`).

use api::kinds::{eks::FargateProfile, eksctl};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, clusters, operation};
use crate::{
    AwsError, Turn,
    provision::{
        create_fargate_profile, delete_fargate_profile, fargate_profile as asked_for, fargate_profiles,
    },
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("eks", "CreateFargateProfile", create),
    operation("eks", "DeleteFargateProfile", delete),
    operation("eks", "DescribeFargateProfile", describe),
    operation("eks", "ListFargateProfiles", list),
];

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let name = input.text("fargateProfileName");
    let selectors = serde_json::from_value(input.value["selectors"].clone()).unwrap_or_default();
    let wanted = eksctl::FargateProfile {
        name: name.clone(),
        pod_execution_role_arn: Some(input.text("podExecutionRoleArn")),
        selectors,
        subnets: input.texts("subnets"),
        tags: serde_json::from_value(input.value["tags"].clone()).unwrap_or_default(),
        ..eksctl::FargateProfile::default()
    };
    create_fargate_profile(turn, &input.text("clusterName"), &wanted)?;
    describe(turn, input)
}

fn delete(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    delete_fargate_profile(turn, &input.text("clusterName"), &input.text("fargateProfileName"))?;
    describe(turn, input)
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    Ok(json!({ "fargateProfile": shown(named(turn, input)?) }))
}

fn named<'t>(turn: &'t Turn<'_>, input: &Input<'_>) -> Result<&'t FargateProfile, AwsError> {
    let (cluster, name) = (input.text("clusterName"), input.text("fargateProfileName"));
    asked_for(turn.store(), input.action, &cluster, &name)
}

fn list(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    clusters::named(turn, input, "clusterName")?;
    let cluster = input.text("clusterName");
    let names = fargate_profiles(turn.store(), &cluster).filter_map(|it| it.metadata.name.clone());
    Ok(json!({"fargateProfileNames": names.collect::<Vec<_>>()}))
}

fn shown(it: &FargateProfile) -> Value {
    json!({
        "fargateProfileName": it.metadata.name,
        "fargateProfileArn": it.arn,
        "clusterName": it.cluster,
        "createdAt": it.metadata.creation_timestamp.as_ref().map(|at| at.0.to_string().replace('Z', "+00:00")),
        "podExecutionRoleArn": it.pod_execution_role_arn,
        "subnets": it.subnets,
        "selectors": it.selectors,
        "status": it.status,
        "tags": it.metadata.labels.clone().unwrap_or_default(),
        "health": {"issues": []},
    })
}
