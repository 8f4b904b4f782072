//! The picture while a story is told.
//!
//! The state of a moment holds all of that moment, and a pod may be written, decided on and bound in one. A story tells these one
//! after the other: a pod whose door has not been told is not there yet, and one whose node has not been told is at the door.

use super::{Scene, Seat};
use crate::view::{
    beats::{Beat, BeatKind},
    pod::PodState,
};

/// The same picture when the first `count` of the story's beats have been told.
#[must_use]
pub fn as_told(mut scene: Scene, story: &[Beat], count: usize) -> Scene {
    let Some(door) = scene.control_plane.as_ref().map(|band| band.door.clone()) else { return scene };
    let (told, ahead) = story.split_at(count.min(story.len()));
    let has = |beats: &[Beat], kind: BeatKind, id: &str| beats.iter().any(|b| b.kind == kind && b.id == id);
    scene.pods.retain(|pod| !has(ahead, BeatKind::Door, &pod.id));
    let mut standing = scene.pods.iter().filter(|pod| pod.seat == Seat::Door).count();
    let mut more = 0;
    scene.pods.retain_mut(|pod| {
        if pod.seat == Seat::Door
            || !has(told, BeatKind::Door, &pod.id)
            || !has(ahead, BeatKind::Bind, &pod.id)
        {
            return true;
        }
        if standing >= door.places {
            more += 1;
            return false;
        }
        pod.rect = door.place(standing);
        (pod.seat, pod.state) = (Seat::Door, PodState::Pending);
        pod.octet.clear();
        standing += 1;
        true
    });
    if let Some(band) = &mut scene.control_plane {
        band.door.pending = band.door.pending.max(standing.saturating_sub(band.door.gated) + more);
        band.door.more += more;
    }
    scene
}

#[cfg(test)]
mod tests {
    use api::SimTime;

    use super::*;
    use crate::view::{
        reason::Reason,
        scene::{ControlPlaneBand, Door, PodMark, Rect},
    };

    fn beat(kind: BeatKind) -> Beat {
        Beat {
            seq: 0,
            at: SimTime::ZERO,
            kind,
            id: "Pod/default/a".to_owned(),
            detail: String::new(),
            reason: Reason::None,
        }
    }

    fn bound() -> Scene {
        let rect = Rect::new(100, 10, 300, 72);
        Scene {
            control_plane: Some(ControlPlaneBand {
                cluster: String::new(),
                managed: true,
                imported: false,
                rect: Rect::new(16, 0, 700, 100),
                api: Rect::default(),
                etcd: Rect::default(),
                door: Door::empty(rect, 3),
                scheduler: Rect::default(),
                controllers: Rect::default(),
                parts: Vec::new(),
                last_misfit: None,
            }),
            pods: vec![PodMark {
                id: "Pod/default/a".to_owned(),
                name: "a".to_owned(),
                tag: "a".to_owned(),
                rect: Rect::new(300, 300, 44, 44),
                state: PodState::Creating,
                octet: String::new(),
                seat: Seat::Node,
            }],
            ..Scene::default()
        }
    }

    #[test]
    fn a_pod_stands_at_the_door_until_its_node_is_told() {
        let story = [beat(BeatKind::Door), beat(BeatKind::Schedule), beat(BeatKind::Bind)];
        let seats = |count| as_told(bound(), &story, count).pods.first().map(|pod| pod.seat);
        assert_eq!([0, 1, 2, 3].map(seats), [None, Some(Seat::Door), Some(Seat::Door), Some(Seat::Node)]);
    }
}
