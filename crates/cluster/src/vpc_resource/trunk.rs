//! How does a node get its trunk ENI, and what becomes of branches that nobody uses?
//!
//! Source: amazon-vpc-resource-controller-k8s `pkg/provider/branch/{provider,trunk/trunk,cooldown/cooldown}.go`.

use api::{
    ApiStatus, Object, Resource, SimDuration, Stored,
    k8s::core::v1::{ConfigMap, Event, Node},
    kinds::{
        aws::{Attachment, Eni, EniOwner, Instance},
        cni::{EniConfig, PoolMode},
    },
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::json;

use super::{CUSTOM_NETWORKING, FEATURE, POD_ENI, cni_node_kind, feature, instance_of, trunk_of};
use crate::{
    AwsError, EventType, Next, Store, Turn,
    cloud::{
        eni::{self, NewEni},
        instance,
    },
};

/// A trunk that could not be made is tried again after this long.
pub(super) const RETRY: SimDuration = SimDuration::secs(30);

/// Makes the CNINode and, where it is asked for, the trunk; deletes branches that have rested.
pub(super) fn keep(turn: &mut Turn<'_>, node: &str) -> Result<Next, ApiStatus> {
    let (Some(object), Some(it)) = (turn.get::<Node>("", node).cloned(), instance_of(turn.store(), node))
    else {
        return Ok(Next::Done);
    };
    cni_node(turn, &object, &it)?;
    if feature(turn.store(), turn.cluster(), node, FEATURE).is_none() {
        return Ok(Next::Done);
    }
    let id = it.metadata.name.clone().unwrap_or_default();
    let Some(branches) = instance::limits(turn.store(), &id).and_then(|limits| limits.branch_enis) else {
        let message = format!(
            "The instance type {} is not supported for trunk interface (Security Group for Pods)",
            it.instance_type
        );
        say_once(turn, &object, EventType::Warning, "Unsupported", &message);
        return Ok(Next::Done);
    };
    let Some(trunk) = trunk_of(turn.store(), &id).cloned() else {
        let Err(error) = make(turn, node, &it) else { return Ok(Next::Done) };
        let about = object.into_object();
        let message = format!("Failed to create trunk interface: Error Code: {}", error.code);
        turn.event(&about, EventType::Warning, "TrunkENICreationFailed", &message);
        let message = "The node failed initializing trunk interface";
        turn.event(&about, EventType::Normal, "NodeTrunkFailedInit", message);
        return Ok(Next::Every(RETRY));
    };
    if trunk.attachment != Attachment::Attached {
        return Ok(Next::Done);
    }
    advertise(turn, &object, branches)?;
    Ok(clear(turn, &trunk))
}

/// The node's CNINode, if it has none yet.
fn cni_node(turn: &mut Turn<'_>, node: &Node, it: &Instance) -> Result<(), ApiStatus> {
    let name = node.metadata.name.clone().unwrap_or_default();
    let (cluster, key) = (turn.cluster(), turn.key(cni_node_kind(), "", &name));
    let served = crate::apiserver::serves(turn.store(), cluster, cni_node_kind());
    if !served || node.metadata.deletion_timestamp.is_some() || turn.store().object(&key).is_some() {
        return Ok(());
    }
    let os = node.metadata.labels.as_ref().and_then(|labels| labels.get("kubernetes.io/os"));
    let value = json!({
        "apiVersion": "vpcresources.k8s.aws/v1alpha1",
        "kind": "CNINode",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/os": os},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node.metadata.uid, "controller": true},
            ],
        },
        "spec": {"tags": {
            "cluster.k8s.amazonaws.com/name": it.cluster,
            "node.k8s.amazonaws.com/instance_id": it.metadata.name,
        }},
    });
    if let Ok(stored) = Stored::from_value(cni_node_kind(), value) {
        turn.create_object(Object::Stored(Box::new(stored)))?;
    }
    Ok(())
}

/// Subnet and security groups of the trunk and its branches: the ENIConfig's under custom networking, else the instance's.
pub(super) fn place(store: &Store, turn: &Turn<'_>, node: &str, it: &Instance) -> (String, Vec<String>) {
    let primary = eni::of_instance(store, it.metadata.name.as_deref().unwrap_or_default());
    let own = primary.first().map(|eni| eni.security_groups.clone()).unwrap_or_default();
    let config = feature(store, turn.cluster(), node, CUSTOM_NETWORKING);
    let config = config.and_then(|name| turn.get::<EniConfig>("", &name));
    match config.filter(|config| !config.subnet().is_empty()) {
        Some(config) => {
            let groups = Some(config.security_groups()).filter(|groups| !groups.is_empty());
            (config.subnet().to_owned(), groups.unwrap_or(own))
        }
        None => (it.subnet.clone(), own),
    }
}

fn make(turn: &mut Turn<'_>, node: &str, it: &Instance) -> Result<(), AwsError> {
    let id = it.metadata.name.as_deref().unwrap_or_default();
    let (subnet, security_groups) = place(turn.store(), turn, node, it);
    let taken: Vec<u32> = eni::of_instance(turn.store(), id).iter().map(|eni| eni.device_index).collect();
    let most = instance::limits(turn.store(), id).map_or(0, |limits| limits.enis);
    let Some(device) = (1..most).rev().find(|device| !taken.contains(device)) else {
        let message = "Interface count exceeds the limit for the instance";
        return Err(crate::cloud::refuse("AttachNetworkInterface", "AttachmentLimitExceeded", message));
    };
    let new = NewEni {
        operation: "CreateNetworkInterface",
        subnet: &subnet,
        slots: 0,
        mode: PoolMode::SecondaryIp,
        owner: EniOwner::Instance,
        security_groups,
        address: None,
        description: "aws-k8s-trunk-eni".to_owned(),
    };
    let made = eni::create(turn, new)?;
    eni::change(turn, &made, |eni| eni.trunk = true);
    eni::attach(turn, &made, id, device).inspect_err(|_| eni::delete(turn, &made))
}

fn advertise(turn: &mut Turn<'_>, node: &Node, branches: u32) -> Result<(), ApiStatus> {
    let offered = node.status.as_ref().and_then(|status| status.capacity.as_ref());
    if offered.is_some_and(|offered| offered.contains_key(POD_ENI)) {
        return Ok(());
    }
    let name = node.metadata.name.as_deref().unwrap_or_default();
    // MODEL: the controller writes the capacity, the kubelet's next report what is allocatable; here both at once.
    turn.patch_status::<Node>("", name, |node| {
        let status = node.status.get_or_insert_default();
        for resources in [&mut status.capacity, &mut status.allocatable] {
            resources.get_or_insert_default().insert(POD_ENI.to_owned(), Quantity(branches.to_string()));
        }
    })?;
    let message = "The node has trunk interface initialized successfully";
    turn.event(&node.clone().into_object(), EventType::Normal, "NodeTrunkInitiated", message);
    Ok(())
}

/// Deletes the branches that have rested; says when to look at the next.
/// MODEL: the controller looks every 30 s; here a branch goes when its time is over.
fn clear(turn: &mut Turn<'_>, trunk: &Eni) -> Next {
    let rest = cooldown(turn);
    let now = turn.now();
    let (mut gone, mut next) = (Vec::new(), None);
    for eni in eni::branches(turn.store(), trunk) {
        let Some(released) = eni.branch.as_ref().and_then(|branch| branch.released_at) else { continue };
        let due = released + rest;
        if due <= now {
            gone.extend(eni.metadata.name.clone());
        } else {
            next = Some(next.map_or(due, |soonest: api::SimTime| soonest.min(due)));
        }
    }
    for name in gone {
        eni::delete(turn, &name);
    }
    next.map_or(Next::Done, |due| Next::Every(due.since(now)))
}

/// How long a branch rests: `branch-eni-cooldown` of the ConfigMap `amazon-vpc-cni`, at least 30 s.
pub(super) fn cooldown(turn: &Turn<'_>) -> SimDuration {
    let settings = turn.get::<ConfigMap>("kube-system", "amazon-vpc-cni").and_then(|it| it.data.as_ref());
    let seconds = settings.and_then(|data| data.get("branch-eni-cooldown")?.parse::<u64>().ok());
    SimDuration::secs(seconds.unwrap_or(60).max(30))
}

/// Says what is said when a node is looked at for the first time.
fn say_once(turn: &mut Turn<'_>, node: &Node, how: EventType, reason: &str, message: &str) {
    let uid = node.metadata.uid.clone().unwrap_or_default();
    let said = turn
        .store()
        .events_about(turn.cluster(), &uid)
        .any(|(_, event)| Event::of(event).is_some_and(|event| event.reason.as_deref() == Some(reason)));
    if !said {
        turn.event(&node.clone().into_object(), how, reason, message);
    }
}
