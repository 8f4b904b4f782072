//! When does EKS replace a node that is not well?
//!
//! A condition that has not been well for its time, in a managed group that is to be repaired; not when so many nodes are ill that the
//! trouble is rather elsewhere. Without the node monitoring agent nobody writes the conditions but `Ready`.
//! Source: EKS user guide (automatically repair nodes: default actions and times, five nodes and 20 %).
//! MODEL: every repair is a replacement, a reboot too; the node is not drained, for its kubelet mostly does not answer.

use api::{
    Kind, SimDuration,
    k8s::core::v1::Node,
    kinds::{
        aws::Instance,
        eks::{Care, NodeRepairConfig, Nodegroup},
    },
};

use super::{instances, launch, sooner};
use crate::{Key, Next, Note, Turn, What, cloud::instance, node::cluster_named};

/// Conditions that are repaired, and after how many minutes.
const REPAIRS: [(&str, u64); 6] = [
    ("Ready", 30),
    ("ContainerRuntimeReady", 30),
    ("KernelReady", 30),
    ("NetworkingReady", 30),
    ("StorageReady", 30),
    ("AcceleratedHardwareReady", 10),
];

/// What is wrong with a node: the condition, for how long, and how long it may be.
struct Illness {
    condition: String,
    passed: SimDuration,
    allowed: SimDuration,
}

/// Replaces nodes that have not been well for too long.
pub(super) fn check(turn: &mut Turn<'_>, key: &Key, group: &Nodegroup) -> Next {
    let repairs = group.care == Care::Managed
        && group.node_repair_config.as_ref().is_some_and(|it| it.enabled == Some(true));
    let Some(config) = group.node_repair_config.as_ref().filter(|_| repairs) else { return Next::Done };
    let live = instances(turn.store(), key);
    let ill: Vec<(Instance, Illness)> =
        live.iter().filter_map(|it| Some((it.clone(), illness(turn, config, it)?))).collect();
    let part = |percentage: u32| (live.len() * percentage as usize).div_ceil(100);
    let too_many =
        match (config.max_unhealthy_node_threshold_count, config.max_unhealthy_node_threshold_percentage) {
            (Some(count), _) => ill.len() > count as usize,
            (None, Some(percentage)) => ill.len() > part(percentage),
            (None, None) => live.len() > 5 && ill.len() * 100 > live.len() * 20,
        };
    if too_many {
        return Next::Done;
    }
    let at_once =
        match (config.max_parallel_nodes_repaired_count, config.max_parallel_nodes_repaired_percentage) {
            (Some(count), _) => count as usize,
            (None, Some(percentage)) => part(percentage).max(1),
            (None, None) => usize::MAX,
        };
    let mut next = Next::Done;
    let (due, waiting): (Vec<_>, Vec<_>) = ill.into_iter().partition(|(_, it)| it.passed >= it.allowed);
    for (_, it) in waiting {
        // Silence is not work.
        next = sooner(next, Next::Every(SimDuration(it.allowed.0 - it.passed.0)));
    }
    for (it, illness) in due.into_iter().take(at_once) {
        let id = it.metadata.name.clone().unwrap_or_default();
        let detail = vec![
            ("node", it.node.clone().unwrap_or_default()),
            ("condition", illness.condition),
            ("minutes", (illness.allowed.0 / 60_000).to_string()),
        ];
        let about = turn.key(Kind::Instance, "", &id);
        turn.fact(What::Noted(Note::Step { name: "NodeRepair", about, detail }));
        launch::ended(turn, key, &id, "in response to a user request");
        instance::shut_down(turn, &id, true);
    }
    next
}

fn illness(turn: &Turn<'_>, config: &NodeRepairConfig, it: &Instance) -> Option<Illness> {
    let cluster = cluster_named(turn.store(), it.cluster.as_deref()?)?;
    let node = turn.store().get::<Node>(cluster, "", it.node.as_deref()?)?;
    let conditions = node.status.as_ref()?.conditions.as_deref().unwrap_or_default();
    conditions.iter().filter(|it| it.status != "True").find_map(|condition| {
        let (_, minutes) = REPAIRS.iter().find(|(name, _)| *name == condition.type_)?;
        let own = config.node_repair_config_overrides.iter().find(|it| {
            it.node_monitoring_condition == condition.type_
                && (it.node_unhealthy_reason.is_empty()
                    || Some(&it.node_unhealthy_reason) == condition.reason.as_ref())
        });
        if own.is_some_and(|it| it.repair_action == "NoAction") {
            return None;
        }
        let allowed = SimDuration::secs(own.map_or(*minutes, |it| it.min_repair_wait_time_mins) * 60);
        let since = condition.last_transition_time.as_ref()?.0.as_second();
        let passed = u64::try_from(turn.stamp().0.as_second() - since).unwrap_or(0);
        Some(Illness { condition: condition.type_.clone(), passed: SimDuration::secs(passed), allowed })
    })
}
