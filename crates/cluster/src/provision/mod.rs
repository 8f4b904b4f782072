//! How do clusters and nodes come into the world?
//!
//! A [`Scenario`] becomes a [`World`] in which everything is in place and has settled; eksctl, kind and the lab make and
//! change clusters by [`Provision`] requests. Both go the same way: a scenario is what the tools would have made.

pub(crate) mod ami;
mod change;
mod eks;
mod fargate;
#[cfg(test)]
mod ipv6_tests;
mod kind;
mod kwok;
mod lay;
pub(crate) mod nodegroup;
#[cfg(test)]
mod properties;
pub(crate) mod release;
mod remove;
mod request;
mod scenario;
#[cfg(test)]
pub(crate) mod tests;
mod vpc;

pub use ami::{image_of, newest_image, release_of};
pub(crate) use change::{delete_nodegroup as remove_nodegroup, scale as scale_nodegroup};
pub(crate) use eks::DEFAULT_VERSION;
pub use eks::Eks;
pub use fargate::{
    FargateProfiles, asked_for as fargate_profile, profile_in as fargate_profile_in,
    profiles as fargate_profiles,
};
pub(crate) use fargate::{create as create_fargate_profile, delete as delete_fargate_profile};
pub use nodegroup::{Nodegroups, group_name};
pub use request::Provision;
pub use scenario::{
    ActorSpec, ClusterFile, EndpointSpec, ImageSpec, InterfaceSpec, RuleSpec, Scenario, SecurityGroupSpec,
};

use api::{Diagnostic, FieldPath, SimDuration, kinds::sim::ControlPlane, meta::ObjectMeta};
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::{ActorId, ClusterId, Refusal, Store, Turn, World, parts};

/// A scenario that has not settled after this long is begun as it is.
const SETTLE: SimDuration = SimDuration::secs(900);

impl World {
    /// The world that a scenario describes, after everything has come to rest.
    /// # Errors
    /// Everything that is wrong with the scenario.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, Vec<Diagnostic>> {
        let mut world = World::empty(seed);
        let wrong = |message: String| vec![Diagnostic::error(FieldPath::root(), message)];
        lay::lay(&mut world, scenario).map_err(|refusal| wrong(refusal.to_string()))?;
        world.settle(SETTLE);
        let mut refused = Vec::new();
        for manifest in &scenario.manifests {
            refused.extend(lay::apply(&mut world, manifest).err().into_iter().flat_map(wrong));
            // One after the other: of two pods that run at the beginning, one started first.
            world.settle(SETTLE);
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        world.begin();
        Ok(world)
    }
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

/// Answers one request of a tool.
/// # Errors
/// In the words of the tool or of the service behind it.
pub(crate) fn serve(world: &mut World, what: Provision) -> Result<Value, Refusal> {
    let mut turn = Turn::new(world, ActorId("provision"), ClusterId::WORLD, None);
    let turn = &mut turn;
    match what {
        Provision::CreateCluster(config) => eks::create(turn, *config)?,
        Provision::DeleteCluster { name } => remove::delete_cluster(turn, &name)?,
        Provision::CreateNodegroup { cluster, group, care, mapped } => {
            nodegroup::create(turn, &cluster, &group, nodegroup::By::Eksctl { care, mapped })?;
        }
        Provision::UpgradeNodegroup { cluster, name, minor, release, force } => {
            change::upgrade(turn, &cluster, &name, (minor.as_deref(), release.as_deref()), force)?;
        }
        Provision::ScaleNodegroup { cluster, name, desired, min, max } => {
            change::scale(turn, &cluster, &name, desired, min, max)?;
        }
        Provision::DeleteNodegroup { cluster, name } => change::delete_nodegroup(turn, &cluster, &name)?,
        Provision::CreateFargateProfile { cluster, profile } => fargate::create(turn, &cluster, &profile)?,
        Provision::DeleteFargateProfile { cluster, name } => fargate::delete(turn, &cluster, &name)?,
        Provision::ScheduleCoreDns { cluster } => fargate::schedule_coredns(turn, &cluster),
        Provision::UpdateAddon { cluster, name, configuration_values } => {
            change::update_addon(turn, &cluster, &name, &configuration_values)?;
        }
        Provision::CreateKindCluster { name, config, image } => {
            kind::create(turn, &name, &config, image.as_deref())?;
        }
        Provision::DeleteKindCluster { name } => kind::delete(turn, &name),
        Provision::AddNode { cluster } => change::add_node(turn, cluster)?,
        Provision::SetMaxPods { cluster, node, max_pods } => {
            change::set_max_pods(turn, cluster, &node, max_pods)?;
        }
        Provision::Stop { cluster, fault } => parts::stop(turn, cluster, &fault)?,
        Provision::Clear { cluster, fault } => parts::clear(turn, cluster, fault.as_ref())?,
        Provision::Import(import) => {
            let name = crate::import::lay(turn, *import)?;
            return Ok(json!({"cluster": name}));
        }
        Provision::JoinNode { cluster, node, pod_cidr } => change::join(turn, cluster, *node, pod_cidr)?,
    }
    Ok(json!({}))
}

/// The part of the store of the cluster with this name, whoever runs it.
fn plane(store: &Store, name: &str) -> Option<ClusterId> {
    crate::node::cluster_named(store, name)
}

/// A part of the store that no cluster has had.
pub(crate) fn next_cluster(store: &Store) -> ClusterId {
    let planes = store.list::<ControlPlane>(ClusterId::WORLD, None);
    ClusterId(planes.into_iter().map(|plane| plane.id).max().unwrap_or(0) + 1)
}

/// CoreDNS's address: the tenth of the Services' block.
pub(crate) fn dns_address(services: IpNet) -> String {
    crate::apiserver::allocate::nth(services, 10).map(|ip| ip.to_string()).unwrap_or_default()
}
