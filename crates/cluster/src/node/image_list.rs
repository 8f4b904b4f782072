//! Which images does a node say it has?
//!
//! Those of its runtime's store, the largest first and no more than fifty, under the names that the runtime gives them: the
//! digest, then the tag. The kubelet asks its runtime every half minute and writes what it then knows.
//! MODEL: an image has the one tag that it was pulled by, and the digests are made up.
//! Source: kubelet `pkg/kubelet/nodestatus/setters.go` (`Images`), `pkg/kubelet/images/image_gc_manager.go` (`Start`),
//! `pkg/kubelet/util/sliceutils` (`ByImageSize`); default of `nodeStatusMaxImages`, 1.34.

use std::collections::BTreeMap;

use api::{
    ApiStatus, Resource, SimDuration, SimTime,
    k8s::core::v1::{ContainerImage, Node},
    kinds::sim::Machine,
};

use super::{kubelet::image, kwok};
use crate::{Store, Turn};

/// From one question to the runtime to the next.
const PERIOD: SimDuration = SimDuration::secs(30);
/// Most images that a node names.
const MOST: usize = 50;

/// The image of sandboxes on EKS's Amazon Linux 2023: baked in, so that it has tags but no digest.
/// Source: awslabs/amazon-eks-ami `templates/al2023/runtime/bin/cache-pause-container`, `variables-default.json`.
pub(crate) const PAUSE: &str = "localhost/kubernetes/pause:latest";
/// What it was baked from.
const PAUSE_FROM: &str = "public.ecr.aws/eks-distro/kubernetes/pause:3.10";

/// The images of a machine are others: when its node's status says so. Nodes of kwok and of a recorder have no such list.
pub(super) fn changed(turn: &Turn<'_>, machine: &mut Machine) {
    if machine.played || kwok::block(turn.store(), turn.cluster()).is_some() {
        return;
    }
    let rounds = turn.now().since(machine.started_at).0 / PERIOD.0 + 1;
    machine.images_told_at = Some(machine.started_at + SimDuration(rounds * PERIOD.0));
}

/// Writes the list if it is time; otherwise when it will be, if there is anything to tell.
pub(super) fn tell(turn: &mut Turn<'_>, machine: &Machine) -> Result<Option<SimTime>, ApiStatus> {
    if machine.images_told_at.is_none_or(|due| due > turn.now()) {
        return Ok(machine.images_told_at);
    }
    let name = machine.metadata.name.clone().unwrap_or_default();
    let images = list(turn.store(), machine);
    turn.patch_status::<Node>("", &name, |node| node.status.get_or_insert_default().images = images)?;
    turn.put(Machine { images_told_at: None, ..machine.clone() }.into_object());
    Ok(None)
}

/// The images of a machine as its node's status has them.
pub(super) fn list(store: &Store, machine: &Machine) -> Option<Vec<ContainerImage>> {
    // Two spellings of one name are one image.
    let images: BTreeMap<String, u64> =
        machine.images.iter().map(|named| (image::canonical(named), image::of(store, named).size)).collect();
    let mut sorted: Vec<(u64, String, String)> =
        images.into_iter().map(|(named, size)| (size, image::digest(&named), named)).collect();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let status = |(size, digest, named): (u64, String, String)| ContainerImage {
        names: Some(names(&named, &digest)),
        size_bytes: i64::try_from(size).ok(),
    };
    let images: Vec<ContainerImage> = sorted.into_iter().take(MOST).map(status).collect();
    (!images.is_empty()).then_some(images)
}

fn names(named: &str, digest: &str) -> Vec<String> {
    if named == PAUSE {
        return vec![named.to_owned(), PAUSE_FROM.to_owned()];
    }
    if named.contains('@') {
        return vec![named.to_owned()];
    }
    vec![format!("{}@sha256:{digest}", image::without_tag(named)), named.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(images: &[&str]) -> Vec<(Vec<String>, Option<i64>)> {
        let machine =
            Machine { images: images.iter().map(|it| (*it).to_owned()).collect(), ..Machine::default() };
        let all = list(&Store::default(), &machine).into_iter().flatten();
        all.map(|it| (it.names.unwrap_or_default(), it.size_bytes)).collect()
    }

    #[test]
    fn the_largest_image_is_first_and_each_has_digest_and_tag() {
        let said = of(&["busybox:1.36", "nginx:1.27", PAUSE]);
        let tags: Vec<&str> = said.iter().map(|it| it.0[1].as_str()).collect();
        assert_eq!(tags, ["docker.io/library/nginx:1.27", "docker.io/library/busybox:1.36", PAUSE_FROM]);
        assert!(said[0].0[0].starts_with("docker.io/library/nginx@sha256:"));
        assert_eq!(said[0].1, Some(72_188_133));
    }

    #[test]
    fn two_spellings_are_one_image_and_fifty_are_enough() {
        assert_eq!(of(&["nginx", "nginx:latest", "docker.io/library/nginx"]).len(), 1);
        let many: Vec<String> = (0..60).map(|at| format!("me/app:{at}")).collect();
        assert_eq!(of(&many.iter().map(String::as_str).collect::<Vec<_>>()).len(), MOST);
    }
}
