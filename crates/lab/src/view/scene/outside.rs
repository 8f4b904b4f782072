//! What is outside the network, while somebody looks at a path that comes from there or goes there.
//!
//! The picture of a lesson has no room to spare for it, so it opens a strip above everything only then.

use api::kinds::sim::Actor;
use cluster::ClusterId;

use super::{Part, PartKind, Rect, Scene};
use crate::view::{
    Moment,
    path::{PathRow, PathView},
};

/// Height of the strip, with the gap below it.
const STRIP: i32 = 52;
const CARD: (i32, i32) = (166, 36);

/// The same picture with room above it for the ends of a path that are outside; unchanged if it has none.
#[must_use]
pub fn with_outside(mut scene: Scene, moment: Moment<'_>, path: &PathView) -> Scene {
    let mut cards: Vec<Part> = Vec::new();
    for row in &path.rows {
        let PathRow::Hop(hop) = row else { continue };
        let Some(id) = hop.at.as_deref().filter(|id| cards.iter().all(|card| card.id != *id)) else {
            continue;
        };
        let card = match id.strip_prefix("Actor/") {
            Some(name) => moment
                .store
                .get::<Actor>(ClusterId::WORLD, "", name)
                .filter(|actor| !actor.at.starts_with("subnet/"))
                .map(|actor| (PartKind::Actor, name.to_owned(), actor.address.to_string())),
            None if id == "Internet" => {
                Some((PartKind::Internet, hop.component.clone(), hop.packet.dst.to_string()))
            }
            None => None,
        };
        let Some((kind, name, address)) = card else { continue };
        let x = 32 + (CARD.0 + 16) * i32::try_from(cards.len()).unwrap_or(0);
        cards.push(Part { id: id.to_owned(), kind, rect: Rect::new(x, 10, CARD.0, CARD.1), name, address });
    }
    if cards.is_empty() {
        return scene;
    }
    scene.lower(STRIP);
    scene.outside = Some(Rect::new(16, 10, scene.w - 32, CARD.1));
    scene.parts.extend(cards);
    scene
}

impl Scene {
    /// Moves everything down.
    fn lower(&mut self, dy: i32) {
        self.h += dy;
        let down = |rect: &mut Rect| rect.y += dy;
        if let Some(band) = &mut self.control_plane {
            let roles = [&mut band.api, &mut band.etcd, &mut band.scheduler, &mut band.controllers];
            roles.into_iter().chain([&mut band.rect, &mut band.door.rect]).for_each(down);
            band.parts.iter_mut().for_each(|it| down(&mut it.rect));
        }
        self.networks.iter_mut().for_each(|it| down(&mut it.rect));
        self.zones.iter_mut().for_each(down);
        self.subnets.iter_mut().for_each(|it| down(&mut it.rect));
        self.parts.iter_mut().for_each(|it| down(&mut it.rect));
        self.pods.iter_mut().for_each(|it| down(&mut it.rect));
        self.legend.iter_mut().for_each(down);
        for node in &mut self.nodes {
            down(&mut node.rect);
            node.host_line = node.host_line.map(|y| y + dy);
            node.host.iter_mut().for_each(|it| down(&mut it.rect));
            for row in &mut node.enis {
                down(&mut row.rect);
                down(&mut row.tray);
                row.slots.iter_mut().for_each(|it| down(&mut it.rect));
            }
        }
        for service in &mut self.services {
            down(&mut service.rect);
            service.endpoints.iter_mut().for_each(|it| down(&mut it.rect));
        }
    }
}
