//! Which plugins are there?
//!
//! THE REGISTRY of plugins: a new one is a file in [`crate::plugins`] and a line here. The order is the order in which
//! they run; it decides which plugin is the first to refuse a node.
//! Source: `getDefaultPlugins` of `pkg/scheduler/apis/config/v1`, 1.34.

use crate::plugins;
use crate::profile::Enabled;

/// The default plugins of 1.34 with their weights.
#[must_use]
pub fn default_plugins() -> Vec<Enabled> {
    vec![
        Enabled { plugin: &plugins::scheduling_gates::SchedulingGates, weight: 0 },
        Enabled { plugin: &plugins::node_unschedulable::NodeUnschedulable, weight: 0 },
        Enabled { plugin: &plugins::node_name::NodeName, weight: 0 },
        Enabled { plugin: &plugins::taint_toleration::TaintToleration, weight: 3 },
        Enabled { plugin: &plugins::node_affinity::NodeAffinity, weight: 2 },
        Enabled { plugin: &plugins::node_ports::NodePorts, weight: 0 },
        Enabled { plugin: &plugins::node_resources_fit::NodeResourcesFit, weight: 1 },
        Enabled { plugin: &plugins::volume_restrictions::VolumeRestrictions, weight: 0 },
        Enabled { plugin: &plugins::node_volume_limits::NodeVolumeLimits, weight: 0 },
        Enabled { plugin: &plugins::volume_binding::VolumeBinding, weight: 0 },
        Enabled { plugin: &plugins::volume_zone::VolumeZone, weight: 0 },
        Enabled { plugin: &plugins::pod_topology_spread::PodTopologySpread, weight: 2 },
        Enabled { plugin: &plugins::inter_pod_affinity::InterPodAffinity, weight: 2 },
        Enabled { plugin: &plugins::balanced_allocation::NodeResourcesBalancedAllocation, weight: 1 },
        Enabled { plugin: &plugins::image_locality::ImageLocality, weight: 1 },
    ]
}
