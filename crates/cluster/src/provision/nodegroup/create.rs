//! How does a node group begin, and how is a new version of it asked for?
//!
//! EKS maps the role of a managed group by an access entry of its own; for a self-managed one eksctl does, unless it is told not to.
//! Source: EKS API reference (`CreateNodegroup`, `UpdateNodegroupVersion`), user guide (access entries); eksctl
//! `pkg/actions/nodegroup/create.go`.

use api::{
    Resource,
    k8s::core::v1::Taint,
    kinds::{
        eks::{AccessEntry, Care, EksCluster, MaxUnavailable, Nodegroup, Update},
        eksctl::{NodeGroup, NodeGroupTaint},
    },
    meta::ObjectMeta,
};

use super::super::{ami, release};
use crate::{ClusterId, Refusal, Turn, cloud::ACCOUNT, cloud::refuse};

/// The type of an access entry for the role of nodes.
pub(crate) const ROLE_TYPE: &str = "EC2_LINUX";

/// Whether EKS takes a node group as it is asked for.
pub(in crate::provision) fn check(group: &NodeGroup) -> Result<(), Refusal> {
    if group.family().starts_with("Windows") {
        let message = format!("lab: nodes of {} are not available here", group.family());
        return Err(Refusal::Tool(message));
    }
    let unknown: Vec<&str> = types(group).into_iter().filter(|t| cni::limits::of(t).is_none()).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let message = format!("The following supplied instance types do not exist: [{}]", unknown.join(", "));
    Err(refuse("CreateNodegroup", "InvalidParameterException", message).into())
}

fn types(group: &NodeGroup) -> Vec<&str> {
    let mixed = group.instances_distribution.iter().flat_map(|it| &it.instance_types);
    let named = group.instance_type.iter().filter(|it| *it != "mixed");
    let named = named.chain(&group.instance_types).chain(mixed).map(String::as_str);
    let types: Vec<&str> = named.collect();
    if types.is_empty() { vec!["m5.large"] } else { types }
}

/// Who makes a node group.
#[derive(Clone, Copy)]
pub(crate) enum By {
    /// EKS alone: somebody called its API.
    Eks,
    /// eksctl, with a launch template. Unless it is `mapped`, nobody tells the cluster of a self-managed group's role.
    Eksctl { care: Care, mapped: bool },
}

/// Makes a node group; its instances come by themselves.
/// # Errors
/// In the words of EKS.
pub(crate) fn create(turn: &mut Turn<'_>, cluster: &str, group: &NodeGroup, by: By) -> Result<(), Refusal> {
    const OPERATION: &str = "CreateNodegroup";
    let (care, mapped, disk, template) = match by {
        By::Eks => (Care::Managed, true, ami::EKS_DISK_GIB, None),
        By::Eksctl { care, mapped } => {
            let stack = format!("eksctl-{cluster}-nodegroup-{}", group.name);
            (care, mapped, ami::EKSCTL_DISK_GIB, Some(stack))
        }
    };
    let Some(eks) = turn.store().get::<EksCluster>(ClusterId::WORLD, "", cluster).cloned() else {
        let message = format!("No cluster found for name: {cluster}.");
        return Err(refuse(OPERATION, "ResourceNotFoundException", message).into());
    };
    if turn.get::<Nodegroup>(cluster, &group.name).is_some() {
        let message = format!("NodeGroup already exists with name {} and cluster name {cluster}", group.name);
        return Err(refuse(OPERATION, "ResourceInUseException", message).into());
    }
    check(group)?;
    let image = match &group.release_version {
        Some(asked) => known(&ami_type(group), group.family(), asked, &eks.version, OPERATION)?,
        None => match group.ami.as_deref().filter(|it| it.starts_with("ami-")) {
            Some(ami) => of_image(group.family(), ami, &eks.version, OPERATION)?,
            None => release::latest(&eks.version),
        },
    };
    // eksctl: two nodes unless sizes say otherwise.
    let desired = group.desired_capacity.or(group.min_size).unwrap_or(2);
    let (min, max) = (group.min_size.unwrap_or(desired), group.max_size.unwrap_or(desired));
    if desired > max || desired < min {
        let message = format!("desired capacity {desired} can't be greater than max size {max}");
        return Err(refuse(OPERATION, "InvalidParameterException", message).into());
    }
    let role = role(turn, cluster, &group.name);
    let config = group.update_config.unwrap_or_default();
    let max_unavailable = match (config.max_unavailable, config.max_unavailable_percentage) {
        (Some(nodes), _) => MaxUnavailable::Nodes(nodes),
        (None, Some(part)) => MaxUnavailable::Percentage(part),
        (None, None) => MaxUnavailable::default(),
    };
    // UPSTREAM: of self-managed groups eksctl takes no `spot`; spot instances are a matter of their distribution.
    let spot = care == Care::Managed && group.spot == Some(true);
    let distribution = group.instances_distribution.as_ref().filter(|_| care == Care::SelfManaged);
    let types: Vec<String> = types(group).into_iter().map(str::to_owned).collect();
    let nodegroup = Nodegroup {
        metadata: ObjectMeta {
            name: Some(group.name.clone()),
            namespace: Some(cluster.to_owned()),
            creation_timestamp: Some(turn.stamp()),
            ..ObjectMeta::default()
        },
        cluster: cluster.to_owned(),
        subnets: super::subnets(turn.store(), &eks, group),
        min_size: min,
        max_size: max,
        desired_size: desired,
        labels: group.labels.clone(),
        taints: group.taints.iter().map(taint).collect(),
        max_pods_per_node: group.max_pods_per_node,
        status: "CREATING".to_owned(),
        since: turn.now(),
        care,
        spot,
        on_demand: distribution.map(|it| {
            (
                it.on_demand_base_capacity.unwrap_or(0),
                it.on_demand_percentage_above_base_capacity.unwrap_or(100),
            )
        }),
        capacity_rebalance: match care {
            Care::Managed => spot,
            Care::SelfManaged => distribution.is_some_and(|it| it.capacity_rebalance),
        },
        ami_type: ami_type(group),
        ami_family: group.family().to_owned(),
        disk_size: group.volume_size.unwrap_or(disk),
        launch_template: template,
        instance_types: types,
        release_version: image.clone(),
        image_release: image,
        max_unavailable,
        role: role.clone(),
        node_repair_config: group.node_repair_config.clone().filter(|_| care == Care::Managed),
        created_at: turn.now(),
        ..Nodegroup::default()
    };
    turn.put(nodegroup.into_object());
    if mapped || care == Care::Managed {
        map(turn, eks, role);
    }
    Ok(())
}

/// A taint as Kubernetes has it.
pub(crate) fn taint(it: &NodeGroupTaint) -> Taint {
    Taint {
        key: it.key.clone(),
        value: (!it.value.is_empty()).then(|| it.value.clone()),
        effect: it.effect.clone(),
        time_added: None,
    }
}

fn ami_type(group: &NodeGroup) -> String {
    let custom = group.ami.as_deref().is_some_and(|it| it.starts_with("ami-"));
    let machine = types(group).first().copied().unwrap_or_default();
    if custom { "CUSTOM".to_owned() } else { ami::ami_type(group.family(), machine).to_owned() }
}

/// The role that eksctl makes for a group. Source: eksctl `pkg/cfn/builder/iam.go`, CloudFormation's names of resources.
fn role(turn: &Turn<'_>, cluster: &str, group: &str) -> String {
    let suffix =
        crate::draw::hex(turn.world().seed(), "role", &format!("{cluster}/{group}"), 0, 12).to_uppercase();
    format!("arn:aws:iam::{ACCOUNT}:role/eksctl-{cluster}-nodegroup-{group}-NodeInstanceRole-{suffix}")
}

fn map(turn: &mut Turn<'_>, mut eks: EksCluster, role: String) {
    if eks.access_entries.iter().all(|it| it.principal_arn != role) {
        let entry = AccessEntry { principal_arn: role, kind: ROLE_TYPE.to_owned(), created_at: turn.now() };
        eks.access_entries.push(entry);
        turn.put(eks.into_object());
    }
}

/// A release that there is for a minor, by the name that EKS has for it.
fn known(ami_type: &str, family: &str, asked: &str, minor: &str, operation: &str) -> Result<String, Refusal> {
    let found = release::of_minor(minor).into_iter().find(|it| ami::release(ami_type, family, it) == asked);
    if let Some(found) = found {
        return Ok(found);
    }
    let message = format!("Requested release version {asked} is not valid for kubernetes version {minor}.");
    Err(refuse(operation, "InvalidParameterException", message).into())
}

/// The release of an image. MODEL: there are the images of the cluster's own minor.
fn of_image(family: &str, ami: &str, minor: &str, operation: &str) -> Result<String, Refusal> {
    let found = release::of_minor(minor).into_iter().find(|it| release::image_id(family, it) == ami);
    found.ok_or_else(|| {
        let message = format!("The image id '[{ami}]' does not exist");
        refuse(operation, "InvalidAMIID.NotFound", message).into()
    })
}

/// Asks for another version of a managed group: the newest release of a minor, or a certain one. Gives the update.
/// # Errors
/// `ResourceNotFoundException`; `ResourceInUseException` while the group changes; `InvalidParameterException` for a release that there is
/// not, and for a version that is newer than the cluster's.
pub(crate) fn update_version(
    turn: &mut Turn<'_>,
    mut group: Nodegroup,
    minor: Option<&str>,
    asked: Option<&str>,
    force: bool,
) -> Result<Update, Refusal> {
    const OPERATION: &str = "UpdateNodegroupVersion";
    if !matches!(group.status.as_str(), "ACTIVE" | "DEGRADED") {
        let message = "Nodegroup cannot be updated as it is currently not in Active State";
        return Err(refuse(OPERATION, "ResourceInUseException", message).into());
    }
    let cluster = turn.get::<EksCluster>("", &group.cluster).map(|it| it.version.clone()).unwrap_or_default();
    let own = release::minor_of(&group.release_version);
    // Only the releases of Amazon Linux name their minor.
    let named = asked.filter(|_| group.ami_type.starts_with("AL2")).map(release::minor_of);
    let minor = minor.map(str::to_owned).or(named).unwrap_or(own);
    let number = |text: &str| text.split('.').nth(1).and_then(|n| n.parse::<u32>().ok()).unwrap_or_default();
    if number(&minor) > number(&cluster) {
        let message = format!(
            "Nodegroup Kubernetes version {minor} should not be newer than cluster version {cluster}"
        );
        return Err(refuse(OPERATION, "InvalidParameterException", message).into());
    }
    let image = match asked {
        Some(asked) => known(&group.ami_type, &group.ami_family, asked, &minor, OPERATION)?,
        None => release::latest(&minor),
    };
    let mut update = begun(turn, &group, "VersionUpdate");
    update.force = force;
    let named = ami::release(&group.ami_type, &group.ami_family, &image);
    update.params = vec![("Version".to_owned(), minor), ("ReleaseVersion".to_owned(), named)];
    group.image_release = image;
    group.updates.push(update.clone());
    (group.status, group.since) = ("UPDATING".to_owned(), turn.now());
    turn.put(group.into_object());
    Ok(update)
}

/// An update that begins now.
pub(in crate::provision) fn begun(turn: &Turn<'_>, group: &Nodegroup, kind: &str) -> Update {
    let name = group.metadata.name.as_deref().unwrap_or_default();
    let n = group.updates.len() as u64;
    Update {
        id: crate::draw::uid(turn.world().seed(), &format!("update {}/{name}", group.cluster), n),
        kind: kind.to_owned(),
        status: "InProgress".to_owned(),
        created_at: turn.now(),
        since: turn.now(),
        ..Update::default()
    }
}
