//! `eks list-access-entries`, `create-access-entry` and their kind: which IAM principals a cluster knows.
//!
//! Source: the Amazon EKS API reference (`AccessEntry`). MODEL: groups and policies of an entry are not kept.

use api::{
    Resource,
    kinds::eks::{AccessEntry, EksCluster},
};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, clusters, moment, operation};
use crate::{Turn, provision::nodegroup::ROLE_TYPE};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("eks", "ListAccessEntries", |turn, input| {
        let cluster = clusters::named(turn, input, "clusterName")?;
        let all: Vec<&String> = cluster.access_entries.iter().map(|it| &it.principal_arn).collect();
        Ok(json!({ "accessEntries": all }))
    }),
    operation("eks", "DescribeAccessEntry", |turn, input| {
        let cluster = clusters::named(turn, input, "clusterName")?;
        let at = place(input, &cluster)?;
        Ok(json!({ "accessEntry": shown(turn, &cluster, &cluster.access_entries[at]) }))
    }),
    operation("eks", "CreateAccessEntry", create),
    operation("eks", "DeleteAccessEntry", |turn, input| {
        let mut cluster = clusters::named(turn, input, "clusterName")?;
        let at = place(input, &cluster)?;
        cluster.access_entries.remove(at);
        turn.put(cluster.into_object());
        Ok(json!({}))
    }),
];

fn place(input: &Input<'_>, cluster: &EksCluster) -> Result<usize, crate::AwsError> {
    let arn = input.text("principalArn");
    let at = cluster.access_entries.iter().position(|it| it.principal_arn == arn);
    let message = || {
        format!(
            "The specified principalArn could not be found. You can view your available access entries with 'ListAccessEntries'. {arn}"
        )
    };
    at.ok_or_else(|| input.refuse("ResourceNotFoundException", message()))
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut cluster = clusters::named(turn, input, "clusterName")?;
    let arn = input.text("principalArn");
    if cluster.access_entries.iter().any(|it| it.principal_arn == arn) {
        let message = "The specified access entry resource is already in use on this cluster.";
        return Err(input.refuse("ResourceInUseException", message));
    }
    let kind =
        Some(input.text("type")).filter(|text| !text.is_empty()).unwrap_or_else(|| "STANDARD".to_owned());
    let entry = AccessEntry { principal_arn: arn, kind, created_at: turn.now() };
    let answer = json!({ "accessEntry": shown(turn, &cluster, &entry) });
    cluster.access_entries.push(entry);
    turn.put(cluster.into_object());
    Ok(answer)
}

fn shown(turn: &Turn<'_>, cluster: &EksCluster, it: &AccessEntry) -> Value {
    let name = cluster.metadata.name.as_deref().unwrap_or_default();
    let (node, role) = (it.kind == ROLE_TYPE, it.principal_arn.rsplit('/').next().unwrap_or_default());
    let id = crate::draw::uid(turn.world().seed(), &format!("access {name} {}", it.principal_arn), 0);
    let account = crate::cloud::ACCOUNT;
    json!({
        "clusterName": name,
        "principalArn": it.principal_arn,
        "kubernetesGroups": if node { vec!["system:nodes"] } else { Vec::new() },
        "accessEntryArn": clusters::arn(cluster, &format!("access-entry/{name}/role/{account}/{role}/{id}")),
        "createdAt": moment(turn, it.created_at),
        "modifiedAt": moment(turn, it.created_at),
        "tags": {},
        "username": if node { "system:node:{{EC2PrivateDNSName}}".to_owned() } else { it.principal_arn.clone() },
        "type": it.kind,
    })
}
