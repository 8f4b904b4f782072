//! Which images does a node throw away?
//!
//! Those that no container uses, when its disk is fuller than 85 %: until 80 % is left, every five minutes. Where too few of
//! them are found the node says so. All of them go before a pod is evicted for want of disk.
//! MODEL: the one that goes first is the first by name, where a kubelet takes the one not used for longest; an image is
//! taken for unused as soon as its last pod is gone, where a kubelet lets it lie for two minutes.
//! Source: kubelet `pkg/kubelet/images/image_gc_manager.go` (`GarbageCollect`, `DeleteUnusedImages`), `kubelet.go`
//! (`ImageGCPeriod`, `StartGarbageCollection`); defaults of `imageGCHighThresholdPercent` and `imageGCLowThresholdPercent`.

use std::collections::BTreeSet;

use api::{
    Resource, SimDuration, SimTime,
    k8s::core::v1::{Container, Pod},
    kinds::sim::{Machine, Sandbox},
};

use super::{
    eviction::UNPACKED,
    image_list,
    kubelet::{self, image},
    report,
};
use crate::Turn;

/// Fuller than this, images go.
const HIGH_PERCENT: i64 = 85;
/// Until no more than this is used.
const LOW_PERCENT: i64 = 80;
/// From one look to the next.
const PERIOD: SimDuration = SimDuration::secs(300);

/// Removes images when it is time; says when it is again, while the disk (what is free, what there is) is too full.
pub(super) fn collect(
    turn: &mut Turn<'_>,
    machine: &mut Machine,
    (free, all): (i64, i64),
) -> Option<SimTime> {
    let now = turn.now();
    let used = 100 - free.clamp(0, all).saturating_mul(100) / all.max(1);
    if used < HIGH_PERCENT {
        machine.image_collection = None;
        return None;
    }
    let Some(at) = machine.image_collection else {
        let since = now.since(machine.started_at).0;
        let next = machine.started_at + SimDuration((since / PERIOD.0 + 1) * PERIOD.0);
        machine.image_collection = Some(next);
        return machine.image_collection;
    };
    if at <= now {
        let name = machine.metadata.name.clone().unwrap_or_default();
        let wanted = all.saturating_mul(100 - LOW_PERCENT) / 100 - free.max(0);
        let freed = unused(turn, machine, wanted);
        if freed < wanted {
            let message = format!(
                "Failed to garbage collect required amount of images. Attempted to free {wanted} bytes, but only found {freed} \
                 bytes eligible to free."
            );
            report::warn(turn, &name, "FreeDiskSpaceFailed", &message);
            // UPSTREAM: the first failure is not said a second time under this name.
            if machine.image_collection_failed {
                report::warn(turn, &name, "ImageGCFailed", &message);
            }
        }
        machine.image_collection_failed = freed < wanted;
        machine.image_collection = Some(at + PERIOD);
    }
    machine.image_collection
}

/// Removes images of a node that nobody uses; how many bytes they took.
pub(super) fn free(turn: &mut Turn<'_>, node: &str, wanted: i64) -> i64 {
    let Some(mut machine) = turn.get::<Machine>("", node).cloned() else { return 0 };
    let freed = unused(turn, &mut machine, wanted);
    if freed > 0 {
        turn.put(machine.into_object());
    }
    freed
}

fn unused(turn: &Turn<'_>, machine: &mut Machine, wanted: i64) -> i64 {
    let node = machine.metadata.name.clone().unwrap_or_default();
    let used = in_use(turn, &node);
    let mut freed = 0i64;
    let store = turn.store();
    machine.images.retain(|named| {
        // The image of sandboxes is pinned.
        if freed >= wanted || used.contains(named) || named.contains("/pause") {
            return true;
        }
        let size = i64::try_from(image::of(store, named).size).unwrap_or(i64::MAX / 8);
        freed = freed.saturating_add(size.saturating_mul(UNPACKED));
        false
    });
    if freed > 0 {
        image_list::changed(turn, machine);
    }
    freed
}

/// Images of the containers that are there.
fn in_use(turn: &Turn<'_>, node: &str) -> BTreeSet<String> {
    let has_sandbox = |pod: &&Pod| {
        let (namespace, name) = kubelet::names(pod);
        turn.get::<Sandbox>(namespace, name).is_some()
    };
    let pods = turn.store().pods_on(turn.cluster(), node).filter(has_sandbox);
    let image = |container: &Container| container.image.clone();
    pods.filter_map(|pod| pod.spec.as_ref())
        .flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()))
        .filter_map(image)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]

    use api::{
        Kind,
        k8s::core::v1::{Event, Node},
        kinds::sim::Machine,
    };
    use serde_json::json;

    use crate::{
        ApiVerb, Propagation, World,
        node::{
            kubelet::{
                image,
                tests::{HERE, ask, phase, run, sh, wait, world},
            },
            report,
        },
    };

    fn said(world: &World, reason: &str) -> Vec<String> {
        let all = world.store().list::<Event>(HERE, None);
        let about = all.filter(|it| it.reason.as_deref() == Some(reason));
        about.map(|it| it.message.clone().unwrap()).collect()
    }

    fn has_image(world: &World, named: &str) -> bool {
        let machine = world.store().get::<Machine>(HERE, "", "a").unwrap();
        machine.images.iter().any(|it| it == named)
    }

    /// Expected: `image_gc_manager.go` (`GarbageCollect`), `kubelet.go` (`StartGarbageCollection`).
    #[test]
    fn a_disk_that_is_too_full_and_has_no_image_to_spare_is_said_so() {
        let mut world = world();
        run(&mut world, json!({"containers": [sh("fallocate -l 14848M /big; sleep 36000")]}));
        wait(&mut world, 305);
        let free = "Failed to garbage collect required amount of images. Attempted to free ";
        assert!(said(&world, "FreeDiskSpaceFailed")[0].starts_with(free));
        assert!(said(&world, "ImageGCFailed").is_empty());
        wait(&mut world, 300);
        assert!(said(&world, "ImageGCFailed")[0].ends_with(" bytes eligible to free."));
        assert_eq!(phase(&world), "Running");
    }

    /// Expected: `eviction_manager.go` (`reclaimNodeLevelResources`).
    #[test]
    fn images_that_nobody_uses_go_before_pods() {
        let mut world = world();
        let other = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q", "namespace": "default"},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
        ask(&mut world, Kind::Pod, "", ApiVerb::Create(other));
        wait(&mut world, 30);
        ask(
            &mut world,
            Kind::Pod,
            "q",
            ApiVerb::Delete { grace: None, propagation: Propagation::Background },
        );
        wait(&mut world, 5);
        assert!(has_image(&world, "nginx"));
        let size = |named: &str| image::of(world.store(), named).size;
        // What is left is just less than a tenth, by half of what nginx takes.
        let big = (15u64 << 30) - 3 * size("busybox:1.36") - 3 * size("nginx") / 2;
        run(&mut world, json!({"containers": [sh(&format!("fallocate -l {big} /big; sleep 36000"))]}));
        wait(&mut world, 60);
        assert_eq!((has_image(&world, "nginx"), phase(&world)), (false, "Running"));
        assert_eq!(said(&world, "EvictionThresholdMet"), ["Attempting to reclaim ephemeral-storage"]);
        let node = world.store().get::<Node>(HERE, "", "a").unwrap();
        assert_eq!(report::condition(node, "DiskPressure").unwrap().status, "True");
    }
}
