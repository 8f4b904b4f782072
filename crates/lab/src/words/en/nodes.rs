//! What happens to nodes and node groups outside the cluster, in English.

/// One sentence for a step that EKS, EC2 or an Auto Scaling group took; nothing for what is not told.
#[must_use]
pub fn node_step(name: &str, detail: &[(&'static str, String)]) -> Option<String> {
    let of = |name: &str| detail.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str());
    Some(match name {
        "NodegroupUpdateScaleUp" => format!(
            "New nodes come first: {} more than the group’s size, with release {}.",
            of("surge"),
            of("release")
        ),
        "NodegroupUpdateUpgrade" => {
            "The new nodes are ready. The old ones are cordoned and drained, and each is terminated once it is empty."
                .to_owned()
        }
        "NodegroupUpdateScaleDown" => {
            format!("Every node has release {}. Those beyond the group’s size go again.", of("release"))
        }
        "NodegroupUpdateOver" => "The update is over.".to_owned(),
        "SpotRebalanceRecommendation" => {
            "EC2 recommends replacing this Spot Instance: it is more likely now to want it back.".to_owned()
        }
        "SpotInterruptionNotice" => "EC2 takes this Spot Instance back in two minutes.".to_owned(),
        "InstanceTakenOut" => {
            "Its Auto Scaling group finds it unhealthy: it is terminated, and another one is launched.".to_owned()
        }
        "NodeRepair" => format!(
            "Node auto repair replaces this node: its condition {} has not been well for {} minutes.",
            of("condition"),
            of("minutes")
        ),
        "ZoneFailed" => {
            "The zone has failed: nothing in it can be reached, and no instance can be launched there.".to_owned()
        }
        "ZoneRecovered" => "The zone works again, and its instances boot.".to_owned(),
        _ => return None,
    })
}
