//! `eks create-addon`, `describe-addon`, `update-addon`, `delete-addon`, `list-addons`, and what there is to choose from.
//!
//! Source: the Amazon EKS API reference. MODEL: the add-ons are those of `crate::addons`.

use api::kinds::eks::Addon;
use serde_json::{Value, json};

use super::{Answer, Input, Operation, clusters, moment, operation};
use crate::{
    AwsError, ClusterId, Turn,
    addons::{self, Resolve, Wanted},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("eks", "CreateAddon", create),
    operation("eks", "DeleteAddon", delete),
    operation("eks", "DescribeAddon", describe),
    operation("eks", "DescribeAddonConfiguration", configuration),
    operation("eks", "DescribeAddonVersions", versions),
    operation("eks", "ListAddons", list),
    operation("eks", "UpdateAddon", update),
];

fn resolve(input: &Input<'_>) -> Result<Resolve, AwsError> {
    match input.text("resolveConflicts").as_str() {
        "" | "NONE" => Ok(Resolve::None),
        "OVERWRITE" => Ok(Resolve::Overwrite),
        "PRESERVE" => Ok(Resolve::Preserve),
        other => {
            let message = format!(
                "Invalid ResolveConflicts value: {other}. Value must be one of: [OVERWRITE, NONE, PRESERVE]"
            );
            Err(input.refuse("InvalidParameterException", message))
        }
    }
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let cluster = clusters::named(turn, input, "clusterName")?;
    let (version, values) = (input.text("addonVersion"), input.text("configurationValues"));
    let version = Some(version.as_str()).filter(|version| !version.is_empty());
    let wanted = Wanted { version, values: &values, resolve: resolve(input)? };
    let made = addons::create(turn, &cluster, &input.text("addonName"), &wanted)?;
    Ok(json!({ "addon": shown(turn, &cluster, &made) }))
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let cluster = clusters::named(turn, input, "clusterName")?;
    let found = addons::asked_for(turn.store(), &cluster, &input.text("addonName"), input.action)?;
    Ok(json!({ "addon": shown(turn, &cluster, &found) }))
}

fn delete(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let cluster = clusters::named(turn, input, "clusterName")?;
    let preserve = input.value["preserve"] == true;
    let gone = addons::delete(turn, &cluster, &input.text("addonName"), preserve)?;
    Ok(json!({ "addon": shown(turn, &cluster, &gone) }))
}

fn list(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let cluster = clusters::named(turn, input, "clusterName")?;
    let all = turn.store().list::<Addon>(ClusterId::WORLD, None);
    let of = all.filter(|it| Some(&it.cluster) == cluster.metadata.name.as_ref());
    Ok(json!({ "addons": of.map(|it| it.addon.clone()).collect::<Vec<_>>() }))
}

fn update(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let cluster = clusters::named(turn, input, "clusterName")?;
    let (name, version) = (input.text("addonName"), input.text("addonVersion"));
    let before = addons::asked_for(turn.store(), &cluster, &name, input.action)?;
    // What is not given stays.
    let values =
        input.value["configurationValues"].as_str().unwrap_or(&before.configuration_values).to_owned();
    let version = Some(version.as_str()).filter(|version| !version.is_empty());
    let how = resolve(input)?;
    let wanted = Wanted { version, values: &values, resolve: how };
    let done = addons::update(turn, &cluster, &name, &wanted)?;
    let said = |kind: &str, value: Option<&str>| value.map(|value| json!({"type": kind, "value": value}));
    let params: Vec<Value> = [
        said("AddonVersion", version),
        said("ResolveConflicts", input.value["resolveConflicts"].as_str()),
        said("ConfigurationValues", input.value["configurationValues"].as_str()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let id = crate::draw::uid(turn.world().seed(), &format!("{}/{name}", done.cluster), turn.now().0);
    Ok(json!({"update": {
        "id": id,
        "status": "InProgress",
        "type": "AddonUpdate",
        "params": params,
        "createdAt": moment(turn, turn.now()),
        "errors": [],
    }}))
}

fn versions(_: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (wanted, minor) = (input.text("addonName"), input.text("kubernetesVersion"));
    const MINORS: [&str; 6] = ["1.35", "1.34", "1.33", "1.32", "1.31", "1.30"];
    let minors: Vec<&str> = MINORS.into_iter().filter(|it| minor.is_empty() || *it == minor).collect();
    let names = addons::KNOWN.into_iter().filter(|name| wanted.is_empty() || *name == wanted);
    let all: Vec<Value> = names
        .map(|name| {
            let mut known: Vec<&str> = Vec::new();
            for version in minors.iter().flat_map(|minor| addons::versions(name, minor)) {
                if !known.contains(version) {
                    known.push(version);
                }
            }
            let fits = |version: &str| -> Vec<Value> {
                let minors = minors.iter().filter(|minor| addons::versions(name, minor).contains(&version));
                minors
                    .map(|minor| {
                        let first = addons::versions(name, minor).first() == Some(&version);
                        json!({"clusterVersion": minor, "platformVersions": ["*"], "defaultVersion": first})
                    })
                    .collect()
            };
            let shown: Vec<Value> = known
                .iter()
                .map(|version| {
                    json!({"addonVersion": version, "architecture": ["amd64", "arm64"],
                        "compatibilities": fits(version), "requiresConfiguration": false,
                        "requiresIamPermissions": name == "vpc-cni"})
                })
                .collect();
            json!({"addonName": name, "type": "networking", "addonVersions": shown, "publisher": "eks", "owner": "aws"})
        })
        .collect();
    Ok(json!({ "addons": all }))
}

fn configuration(_: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (name, version) = (input.text("addonName"), input.text("addonVersion"));
    let Some(schema) = addons::schema::of(&name) else {
        return Err(input.refuse("InvalidParameterException", "Addon specified is not supported"));
    };
    Ok(json!({"addonName": name, "addonVersion": version, "configurationSchema": schema.to_string()}))
}

fn shown(turn: &Turn<'_>, cluster: &api::kinds::eks::EksCluster, it: &Addon) -> Value {
    let id = crate::draw::uid(turn.world().seed(), &format!("{}/{}", it.cluster, it.addon), 0);
    let issues: Vec<Value> =
        it.issues.iter().map(|it| json!({"code": it.code, "message": it.message})).collect();
    let values = Some(&it.configuration_values).filter(|values| !values.is_empty());
    json!({
        "addonName": it.addon,
        "clusterName": it.cluster,
        "status": it.status,
        "addonVersion": it.version,
        "health": {"issues": issues},
        "addonArn": clusters::arn(cluster, &format!("addon/{}/{}/{id}", it.cluster, it.addon)),
        "createdAt": moment(turn, it.created_at),
        "modifiedAt": moment(turn, it.since),
        "tags": {},
        "configurationValues": values,
    })
}
