//! The picture for a narrow page: the door on top, one node large, the others as chips in a strip above it.

use api::kinds::aws::Subnet;
use cluster::ClusterId;

use super::{
    ControlPlaneBand, NetworkBox, NodeSize, Rect, Scene, Seat, SubnetBox, Supply,
    layout::{self, plane},
    node,
    read::{self, NodeRow},
};
use crate::view::Moment;

/// Width of the page that this is drawn for.
const WIDTH: i32 = 390;

/// The picture in one column.
pub(super) fn phone(
    moment: Moment<'_>,
    cluster: ClusterId,
    rows: &[NodeRow<'_>],
    focus: Option<&str>,
) -> Scene {
    let mut scene = Scene { w: WIDTH, ..Scene::default() };
    let waiting = read::waiting(moment.store, cluster);
    let rect = Rect::new(12, 6, WIDTH - 24, 62);
    let shown = if waiting.len() > 3 { 2 } else { waiting.len() };
    for (index, p) in waiting.iter().take(shown).enumerate() {
        let x = rect.x + 120 + 60 * i32::try_from(index).unwrap_or(0);
        scene.pods.push(node::mark(p, Rect::new(x, rect.y + 9, 44, 44), Seat::Door, true));
    }
    if let Some(plane) = plane(moment.store, cluster) {
        scene.control_plane = Some(ControlPlaneBand {
            cluster: plane.metadata.name.clone().unwrap_or_default(),
            managed: false,
            rect: Rect::default(),
            api: Rect::default(),
            etcd: Rect::default(),
            door: layout::door(&waiting, shown, moment.clock, rect),
            scheduler: Rect::new(rect.x + rect.w - 44, rect.y + 11, 36, 40),
            controllers: Rect::default(),
            parts: layout::parts(moment.store, plane, |_| Rect::default()),
            last_misfit: None,
        });
    }
    let chosen = focus
        .and_then(|name| rows.iter().find(|row| row.name == name))
        .or_else(|| rows.iter().find(|row| !row.tainted))
        .or_else(|| rows.first());
    let mut y = 74;
    let others = rows.iter().filter(|row| chosen.is_none_or(|c| c.name != row.name));
    for (index, row) in others.take(4).enumerate() {
        let mut card = node::card(row, NodeSize::Tile, 0);
        card.node.rect = Rect::new(12 + 92 * i32::try_from(index).unwrap_or(0), y, 86, 44);
        scene.nodes.push(card.node);
    }
    if rows.len() > 1 {
        y += 50;
    } else {
        y += 4;
    }
    if let Some(row) = chosen {
        y = large(&mut scene, moment, row, y);
    }
    scene.h = (y + 6).max(404);
    scene
}

fn large(scene: &mut Scene, moment: Moment<'_>, row: &NodeRow<'_>, y: i32) -> i32 {
    let card = node::narrow(row, WIDTH - 48).moved(26, y + 28);
    let rect = Rect::new(12, y, WIDTH - 24, card.node.rect.h + 34);
    let subnet = row.subnet.and_then(|name| moment.store.get::<Subnet>(ClusterId::WORLD, "", name));
    match subnet {
        Some(subnet) => {
            let (free, total) = read::addresses(moment.store, subnet);
            scene.subnets.push(SubnetBox {
                id: format!("Subnet/{}", row.subnet.unwrap_or_default()),
                rect,
                public: read::public(moment.store, subnet),
                cidr: subnet.cidr.to_string(),
                free,
                total,
                supply: Supply::of(free, total),
                empty: false,
            });
        }
        None => scene.networks.push(NetworkBox {
            id: "Network/kind".to_owned(),
            rect,
            vpc: false,
            cidr: String::new(),
        }),
    }
    scene.nodes.push(card.node);
    scene.pods.extend(card.pods);
    rect.y + rect.h
}
