//! How does a node group keep its number of nodes?
//!
//! Its Auto Scaling group launches what lacks, balanced over its subnets ([`launch`]), and ends what is too many. EKS drains the nodes of a
//! managed group before ([`drain`]), and brings them to new versions ([`update`]); of a self-managed group it does not know.
//! MODEL: the newest node goes first; EC2's own order depends on zones, launch templates and billing hours.
//! Source: EKS user guide (managed node groups); Auto Scaling user guide.

mod create;
mod drain;
mod health;
mod launch;
mod repair;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use create::{By, ROLE_TYPE, create, taint, update_version};
pub(in crate::provision) use create::{begun, check};
pub use launch::group_name;

use api::{
    ApiStatus, Kind, Resource, SimDuration,
    k8s::core::v1::Node,
    kinds::{
        aws::{Instance, InstanceState, RouteTable, Subnet},
        eks::{Care, EksCluster, Issue, Nodegroup},
        eksctl::NodeGroup,
    },
};

use crate::{
    Change, ClusterId, Controller, Key, Next, Store, Turn,
    cloud::instance,
    node::{cluster_named, report},
    parts::Process,
    timing,
};
use drain::Drained;

/// A launch that was refused is tried again after this long.
const RETRY: SimDuration = SimDuration::secs(30);
/// How often a group is looked at while nodes come or go.
const CHECK: SimDuration = SimDuration::secs(2);
/// `user_data`: the release of the image that an instance was launched from.
pub(crate) const IMAGE: &str = "imageRelease";

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
            Kind::Nodegroup => change.after.is_some().then(|| change.key.clone()),
            Kind::Instance => object.and_then(Instance::of).and_then(key_of),
            Kind::Node => {
                let labels = object.and_then(Node::of).and_then(|node| node.metadata.labels.as_ref());
                let label = |name: &str| labels.and_then(|labels| labels.get(name));
                label("alpha.eksctl.io/cluster-name")
                    .zip(label("alpha.eksctl.io/nodegroup-name"))
                    .map(|(cluster, group)| key(cluster, group))
            }
            _ => None,
        };
        group.into_iter().for_each(wake);
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(group) = found(turn, key) else { return Ok(Next::Done) };
        let passed = turn.now().since(group.since);
        let well = health::check(turn, key, &group);
        let well = sooner(well, repair::check(turn, key, &group));
        let live = instances(turn.store(), key);
        match group.status.as_str() {
            "CREATING" if passed < timing::NODEGROUP_CREATE => {
                return Ok(Next::After(SimDuration(timing::NODEGROUP_CREATE.0 - passed.0)));
            }
            "CREATING" if group.launched == 0 && unaddressed(turn, group.clone()) => return Ok(Next::Done),
            "CREATE_FAILED" if group.launched == 0 => return Ok(Next::Done),
            "DELETING" => return Ok(delete(turn, key, &group)),
            _ => {}
        }
        let Some(group) = found(turn, key) else { return Ok(Next::Done) };
        let next = sooner(well, sooner(resize(turn, key, &group, &live), update::step(turn, key)));
        Ok(sooner(next, settle_status(turn, key)))
    }
}

/// Where a cluster's node group stands in the store.
pub(crate) fn key(cluster: &str, name: &str) -> Key {
    Key::new(ClusterId::WORLD, Kind::Nodegroup, cluster, name)
}

/// Where the group of an instance stands.
pub(crate) fn key_of(it: &Instance) -> Option<Key> {
    Some(key(it.cluster.as_deref()?, it.nodegroup.as_deref()?))
}

fn found(turn: &Turn<'_>, key: &Key) -> Option<Nodegroup> {
    turn.get::<Nodegroup>(&key.namespace, &key.name).cloned()
}

/// The subnets of a new group: those it names, else the private or the public ones in its zones.
fn subnets(store: &Store, cluster: &EksCluster, group: &NodeGroup) -> Vec<String> {
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

/// Whether EKS gives a new group up, for its nodes would get no public addresses in public subnets.
/// Source: aws/amazon-vpc-cni-k8s#878 and sassoftware/viya4-iac-aws#271 (the sentence; a subnet with a route to an internet gateway).
fn unaddressed(turn: &mut Turn<'_>, mut group: Nodegroup) -> bool {
    let store = turn.store();
    let bare = |name: &&String| {
        let Some(subnet) = store.get::<Subnet>(ClusterId::WORLD, "", name) else { return false };
        let table = store.get::<RouteTable>(ClusterId::WORLD, "", &subnet.route_table);
        let out = table.is_some_and(|it| it.routes.iter().any(|route| route.target.starts_with("igw-")));
        out && !subnet.map_public_ip_on_launch
    };
    let bare: Vec<String> = group.subnets.iter().filter(bare).cloned().collect();
    if bare.is_empty() || group.care == Care::SelfManaged {
        return false;
    }
    let name = group.metadata.name.as_deref().unwrap_or_default();
    let message = format!(
        "One or more Amazon EC2 Subnets of [{}] for node group {name} does not automatically assign public IP addresses to instances launched into it. If you want your instances to be assigned a public IP address, then you need to enable auto-assign public IP address for the subnet. See IP addressing in VPC guide: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-ip-addressing.html#subnet-public-ip",
        bare.join(", ")
    );
    let code = "Ec2SubnetInvalidConfiguration".to_owned();
    group.issues = vec![Issue { code, message, resource_ids: bare }];
    (group.status, group.since) = ("CREATE_FAILED".to_owned(), turn.now());
    turn.put(group.into_object());
    true
}

/// The instances that a group counts, oldest first: one that ended by itself until the group has noticed.
fn members(store: &Store, group: &Key) -> Vec<Instance> {
    let all = store.list::<Instance>(ClusterId::WORLD, None);
    let mut members: Vec<Instance> =
        all.filter(|it| key_of(it).as_ref() == Some(group) && !it.left_group).cloned().collect();
    members.sort_by_key(|it| it.launched_at);
    members
}

/// Those of them that run, or are about to.
fn instances(store: &Store, group: &Key) -> Vec<Instance> {
    let mut live = members(store, group);
    live.retain(|it| matches!(it.state, InstanceState::Pending | InstanceState::Running));
    live
}

/// Brings the number of instances to what the Auto Scaling group wants.
fn resize(turn: &mut Turn<'_>, key: &Key, group: &Nodegroup, live: &[Instance]) -> Next {
    let wanted = group.capacity() as usize;
    // Capacity rebalancing: one that EC2 wants back does not count any more, but stays until its successor is ready.
    let at_risk = |it: &Instance| group.capacity_rebalance && it.rebalance_recommended.is_some();
    let (leaving, sound): (Vec<Instance>, Vec<Instance>) = live.iter().cloned().partition(at_risk);
    let members = members(turn.store(), key).len() - leaving.len();
    let mut next = Next::Done;
    if members < wanted {
        next = launch::more(turn, key, group, &sound, wanted - members);
    }
    for extra in sound.iter().skip(wanted) {
        next = sooner(next, let_go(turn, group, extra, launch::SHRINKING));
    }
    let succeeded = sound.len() >= wanted && sound.iter().all(|it| is_ready(turn.store(), it));
    for it in &leaving {
        next = sooner(next, health::replace(turn, group, it, succeeded));
    }
    next
}

/// Ends an instance that is too many. EKS empties the node of a managed group first, and does not wait for ever.
fn let_go(turn: &mut Turn<'_>, group: &Nodegroup, it: &Instance, why: &str) -> Next {
    let runs = it.state == InstanceState::Running && it.impaired_since.is_none();
    let drained = match group.care {
        Care::Managed if runs => drain::drain(turn, it, false),
        Care::Managed | Care::SelfManaged => Drained::Overdue,
    };
    if drained == Drained::Going {
        return Next::After(CHECK);
    }
    if let (Some(key), Some(id)) = (key_of(it), it.metadata.name.as_deref()) {
        launch::ended(turn, &key, id, why);
        instance::shut_down(turn, id, true);
    }
    Next::Done
}

/// The earlier of two.
fn sooner(one: Next, other: Next) -> Next {
    match (one, other) {
        (Next::After(a), Next::After(b)) => Next::After(a.min(b)),
        (Next::After(a), _) | (_, Next::After(a)) => Next::After(a),
        (Next::Every(a), Next::Every(b)) => Next::Every(a.min(b)),
        (Next::Every(a), Next::Done) | (Next::Done, Next::Every(a)) => Next::Every(a),
        (Next::Done, Next::Done) => Next::Done,
    }
}

/// Whether the node of an instance is ready.
fn is_ready(store: &Store, it: &Instance) -> bool {
    let cluster = it.cluster.as_deref().and_then(|name| cluster_named(store, name));
    let node = cluster.zip(it.node.as_deref()).and_then(|(id, node)| store.get::<Node>(id, "", node));
    node.is_some_and(report::is_ready)
}

fn delete(turn: &mut Turn<'_>, key: &Key, group: &Nodegroup) -> Next {
    let mut next = Next::Done;
    for it in &members(turn.store(), key) {
        next = sooner(next, let_go(turn, group, it, launch::SHRINKING));
    }
    let going = turn.store().list::<Instance>(ClusterId::WORLD, None).any(|it| {
        key_of(it).as_ref() == Some(key) && (it.state != InstanceState::Terminated || it.node.is_some())
    });
    let passed = turn.now().since(group.since);
    if going || next != Next::Done {
        return next;
    }
    if passed < timing::NODEGROUP_DELETE {
        return Next::After(SimDuration(timing::NODEGROUP_DELETE.0 - passed.0));
    }
    turn.remove(key);
    Next::Done
}

/// Active once every wanted node is ready, unless an update of the version goes on; a new group whose nodes do not come has failed.
/// Source: EKS user guide (troubleshooting: `NodeCreationFailure`).
fn settle_status(turn: &mut Turn<'_>, key: &Key) -> Next {
    let Some(mut group) = found(turn, key) else { return Next::Done };
    if group.updating().is_some_and(|it| it.kind == "VersionUpdate") {
        return Next::Done;
    }
    let live = instances(turn.store(), key);
    let all = live.len() == group.desired_size as usize && live.iter().all(|it| is_ready(turn.store(), it));
    if all && matches!(group.status.as_str(), "CREATING" | "UPDATING" | "DEGRADED") {
        group.status = "ACTIVE".to_owned();
        group.since = turn.now();
        group.issues.clear();
        if let Some(update) = group.updates.last_mut().filter(|it| it.status == "InProgress") {
            update.status = "Successful".to_owned();
        }
        turn.put(group.into_object());
        return Next::Done;
    }
    let passed = turn.now().since(group.created_at);
    if group.status != "CREATING" || group.care == Care::SelfManaged {
        return Next::Done;
    }
    if passed < update::NODES_READY {
        // Whoever waits for rest need not wait for a failure.
        return Next::Every(SimDuration(update::NODES_READY.0 - passed.0));
    }
    (group.status, group.since) = ("CREATE_FAILED".to_owned(), turn.now());
    if group.issues.is_empty() {
        let absent = live.iter().filter(|it| !is_ready(turn.store(), it));
        let message = "Instances failed to join the kubernetes cluster".to_owned();
        let resource_ids = absent.filter_map(|it| it.metadata.name.clone()).collect();
        group.issues = vec![Issue { code: "NodeCreationFailure".to_owned(), message, resource_ids }];
    }
    turn.put(group.into_object());
    Next::Done
}
