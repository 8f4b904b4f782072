//! How does a managed node group keep its number of nodes?
//!
//! It launches what lacks, balanced over its subnets, and terminates what is too many; before it terminates a node it
//! cordons it and evicts its pods. MODEL: the newest node goes first; EC2's own order depends on billing hours.
//! Source: EKS user guide (managed node groups: update and scale-down phases); Auto Scaling groups.

use std::collections::BTreeMap;

use api::{
    ApiStatus, Kind, Resource, SimDuration,
    k8s::core::v1::{Node, Pod},
    kinds::{
        aws::{Instance, InstanceState, Subnet},
        eks::{EksCluster, Nodegroup},
        eksctl::NodeGroup,
    },
};
use cni::{WarmTargets, limits, max_pods};

use crate::{
    Change, ClusterId, Controller, Key, Next, Note, Store, Turn, What,
    cloud::instance::{self, Launch},
    node::{
        cluster_named, ipamd,
        join::{MAX_PODS, NODE_NAME, RESERVED_FOR},
        report,
    },
    parts::Process,
    timing,
};

/// A launch that was refused is tried again after this long.
const RETRY: SimDuration = SimDuration::secs(30);
/// How often a draining node is looked at.
const DRAIN_CHECK: SimDuration = SimDuration::secs(2);

/// Keeps every node group at its size.
pub struct Nodegroups;

impl Controller for Nodegroups {
    fn name(&self) -> &'static str {
        "eks-nodegroup"
    }

    fn process(&self) -> Process {
        Process::Alone
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        let object = change.after.as_deref().or(change.before.as_deref());
        let group = match change.key.kind {
            Kind::Nodegroup => change.after.is_some().then(|| change.key.name.to_string()),
            Kind::Instance => object.and_then(Instance::of).and_then(|it| it.nodegroup.clone()),
            Kind::Node => {
                let labels = object.and_then(Node::of).and_then(|node| node.metadata.labels.as_ref());
                labels.and_then(|labels| labels.get("eks.amazonaws.com/nodegroup")).cloned()
            }
            _ => None,
        };
        if let Some(group) = group {
            wake(Key::new(ClusterId::WORLD, Kind::Nodegroup, "", &group));
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(group) = turn.get::<Nodegroup>("", &key.name).cloned() else { return Ok(Next::Done) };
        let passed = turn.now().since(group.since);
        let live = instances(turn.store(), &key.name);
        match group.status.as_str() {
            "CREATING" if passed < timing::NODEGROUP_CREATE => {
                return Ok(Next::After(SimDuration(timing::NODEGROUP_CREATE.0 - passed.0)));
            }
            "DELETING" => return Ok(delete(turn, &group, &live)),
            _ => {}
        }
        let next = resize(turn, &group, &live);
        settle_status(turn, &key.name);
        Ok(next)
    }
}

/// The subnets of a new group: those it names, else the private or the public ones in its zones.
pub(super) fn subnets(store: &Store, cluster: &EksCluster, group: &NodeGroup) -> Vec<String> {
    if !group.subnets.is_empty() {
        return group.subnets.clone();
    }
    let private = group.private_networking == Some(true);
    let fits = |name: &&String| {
        store.get::<Subnet>(ClusterId::WORLD, "", name).is_some_and(|subnet| {
            let zone = group.availability_zones.is_empty()
                || group.availability_zones.contains(&subnet.availability_zone);
            zone && subnet.map_public_ip_on_launch != private
        })
    };
    cluster.subnets.iter().filter(fits).cloned().collect()
}

/// The group's instances that are not going, oldest first.
fn instances(store: &Store, group: &str) -> Vec<Instance> {
    let all = store.list::<Instance>(ClusterId::WORLD, None);
    let mut live: Vec<Instance> = all
        .filter(|it| it.nodegroup.as_deref() == Some(group))
        .filter(|it| !matches!(it.state, InstanceState::ShuttingDown | InstanceState::Terminated))
        .cloned()
        .collect();
    live.sort_by_key(|it| it.launched_at);
    live
}

fn resize(turn: &mut Turn<'_>, group: &Nodegroup, live: &[Instance]) -> Next {
    let wanted = group.desired_size as usize;
    if live.len() < wanted {
        let mut here = live.to_vec();
        for _ in live.len()..wanted {
            match launch(turn, group, &here) {
                Some(new) => here.push(new),
                None => return Next::Every(RETRY),
            }
        }
        return Next::Done;
    }
    let mut next = Next::Done;
    for extra in &live[wanted..] {
        if !drained(turn, extra) {
            next = Next::After(DRAIN_CHECK);
        } else if let Some(id) = extra.metadata.name.as_deref() {
            instance::shut_down(turn, id, true);
        }
    }
    next
}

fn launch(turn: &mut Turn<'_>, group: &Nodegroup, live: &[Instance]) -> Option<Instance> {
    let count = |subnet: &str| live.iter().filter(|it| it.subnet == subnet).count();
    let subnet = group.subnets.iter().min_by_key(|subnet| count(subnet))?.clone();
    let name = group.metadata.name.clone().unwrap_or_default();
    let mut current = turn.get::<Nodegroup>("", &name)?.clone();
    let node_name = current.node_names.get(current.launched as usize).cloned();
    let security_group = turn.get::<EksCluster>("", &group.cluster).map(|c| c.cluster_security_group.clone());
    let launch = Launch {
        instance_type: group.instance_types.first()?.clone(),
        subnet,
        security_groups: security_group.into_iter().collect(),
        cluster: Some(group.cluster.clone()),
        nodegroup: Some(name.clone()),
        user_data: user_data(turn, group, node_name),
    };
    match instance::run(turn, launch) {
        Ok(id) => {
            current.launched += 1;
            turn.put(current.into_object());
            instance::get(turn.store(), &id).cloned()
        }
        Err(error) => {
            let about = turn.key(Kind::Nodegroup, "", &name);
            turn.fact(What::Noted(Note::Refused { about, message: error.to_string() }));
            None
        }
    }
}

/// What nodeadm finds at boot. EKS works out max pods from the CNI's settings at the time of the launch; a number in the
/// group's config overrides it for the kubelet, but not for the memory that is reserved.
fn user_data(turn: &Turn<'_>, group: &Nodegroup, node_name: Option<String>) -> BTreeMap<String, String> {
    let of = group.instance_types.first().and_then(|t| limits::of(t));
    let targets = cni_targets(turn, &group.cluster);
    let flags = max_pods::Flags {
        prefix_delegation: targets.prefix_delegation,
        custom_networking: targets.custom_networking,
        max_eni: targets.max_eni,
        show_max_allowed: false,
    };
    let recommended = of.map_or(110, |of| max_pods::recommended(of, flags));
    let reserved = match group.max_pods_per_node {
        Some(_) => of.map_or(110, |of| max_pods::formula(of.enis, of.ipv4_per_eni)),
        None => recommended,
    };
    let mut data = BTreeMap::from([
        (MAX_PODS.to_owned(), group.max_pods_per_node.unwrap_or(recommended).to_string()),
        (RESERVED_FOR.to_owned(), reserved.to_string()),
    ]);
    data.extend(node_name.map(|name| (NODE_NAME.to_owned(), name)));
    data
}

/// The settings of a cluster's aws-node DaemonSet.
fn cni_targets(turn: &Turn<'_>, cluster: &str) -> WarmTargets {
    let id = cluster_named(turn.store(), cluster);
    WarmTargets::from_env(&id.map(|id| ipamd::settings(turn.store(), id)).unwrap_or_default())
}

/// Cordons a node and evicts its pods; says whether they are gone. MODEL: disruption budgets are not asked.
fn drained(turn: &mut Turn<'_>, it: &Instance) -> bool {
    let cluster = it.cluster.as_deref().and_then(|name| cluster_named(turn.store(), name));
    let (Some(cluster), Some(node)) = (cluster, it.node.as_deref()) else { return true };
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    let cordoned = |node: &Node| node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true));
    if there.get::<Node>("", node).is_some_and(|node| !cordoned(node)) {
        let _ = there.patch::<Node>("", node, |node| {
            node.spec.get_or_insert_default().unschedulable = Some(true);
        });
    }
    let pods: Vec<(Key, bool)> = there
        .store()
        .pods_on(cluster, node)
        .filter(|pod| !stays(pod))
        .map(|pod| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let key = Key::new(cluster, Kind::Pod, &text(&pod.metadata.namespace), &text(&pod.metadata.name));
            (key, pod.metadata.deletion_timestamp.is_some())
        })
        .collect();
    for (key, going) in &pods {
        if !going {
            let _ = there.delete(key, None);
        }
    }
    pods.is_empty()
}

/// Pods of DaemonSets and of the node itself are not evicted.
fn stays(pod: &Pod) -> bool {
    let owners = pod.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|owner| matches!(owner.kind.as_str(), "DaemonSet" | "Node"))
}

fn delete(turn: &mut Turn<'_>, group: &Nodegroup, live: &[Instance]) -> Next {
    let name = group.metadata.name.clone().unwrap_or_default();
    let mut next = Next::Done;
    for it in live {
        if !drained(turn, it) {
            next = Next::After(DRAIN_CHECK);
        } else if let Some(id) = it.metadata.name.as_deref() {
            instance::shut_down(turn, id, true);
        }
    }
    let going = turn.store().list::<Instance>(ClusterId::WORLD, None).any(|it| {
        it.nodegroup.as_deref() == Some(&*name)
            && (it.state != InstanceState::Terminated || it.node.is_some())
    });
    let passed = turn.now().since(group.since);
    if going || next != Next::Done {
        return next;
    }
    if passed < timing::NODEGROUP_DELETE {
        return Next::After(SimDuration(timing::NODEGROUP_DELETE.0 - passed.0));
    }
    let key = turn.key(Kind::Nodegroup, "", &name);
    turn.remove(&key);
    Next::Done
}

/// Active once every wanted node is ready.
fn settle_status(turn: &mut Turn<'_>, name: &str) {
    let Some(mut group) = turn.get::<Nodegroup>("", name).cloned() else { return };
    let cluster = cluster_named(turn.store(), &group.cluster);
    let ready = |it: &Instance| {
        let node =
            cluster.zip(it.node.as_deref()).and_then(|(id, node)| turn.store().get::<Node>(id, "", node));
        node.is_some_and(report::is_ready)
    };
    let live = instances(turn.store(), name);
    let all = live.len() == group.desired_size as usize && live.iter().all(ready);
    if all && matches!(group.status.as_str(), "CREATING" | "UPDATING") {
        group.status = "ACTIVE".to_owned();
        group.since = turn.now();
        turn.put(group.into_object());
    }
}
