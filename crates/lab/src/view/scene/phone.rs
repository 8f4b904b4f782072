//! The picture for a narrow page: the control plane and the door on top, one node large, the others as chips in a strip above it.

use api::kinds::{
    aws::Subnet,
    sim::{ControlPlane, PartRole, Provider},
};
use cluster::ClusterId;

use super::{
    ControlPlaneBand, NetworkBox, NodeBox, NodeSize, PodMark, Rect, Scene, SubnetBox, Supply,
    layout::{self, plane},
    node,
    read::{self, NodeRow},
};
use crate::view::Moment;

/// Width of the page that this is drawn for.
const WIDTH: i32 = 390;

/// Height of the line above a node that names its subnet.
const LABEL: i32 = 30;
/// Least height of what a thumb meets.
const THUMB: i32 = 44;

/// The picture in one column.
pub(super) fn phone(
    moment: Moment<'_>,
    cluster: ClusterId,
    rows: &[NodeRow<'_>],
    focus: Option<&str>,
) -> Scene {
    let mut scene = Scene { w: WIDTH, ..Scene::default() };
    let mut y = 6;
    if let Some(plane) = plane(moment.store, cluster) {
        let (band, pods) = band(moment, cluster, plane);
        y = band.door.rect.y + band.door.rect.h + 6;
        scene.control_plane = Some(band);
        scene.pods.extend(pods);
    }
    let chosen = focus
        .and_then(|name| rows.iter().find(|row| row.name == name))
        .or_else(|| rows.iter().find(|row| !row.tainted))
        .or_else(|| rows.first());
    y += strip(&mut scene, rows, chosen, y);
    y = match chosen {
        Some(row) => large(&mut scene, moment, cluster, row, y),
        None => subnets(&mut scene, moment, y),
    };
    scene.h = (y + 6).max(440);
    scene
}

/// Tiles in a row, and their height; wider where they are few.
const TILES: i32 = 6;
/// Nodes among which the strip shows all but the chosen one: two rows, with the tile that leads on.
const PAGE: usize = 2 * TILES as usize;

/// The other nodes as tiles; of very many those that come with the chosen one, and a tile that leads to the next. Its height.
fn strip(scene: &mut Scene, rows: &[NodeRow<'_>], chosen: Option<&NodeRow<'_>>, y: i32) -> i32 {
    let is_chosen = |row: &NodeRow<'_>| chosen.is_some_and(|it| it.name == row.name);
    let paged = rows.len() > PAGE + 1;
    let page = rows.iter().position(is_chosen).unwrap_or(0) / PAGE;
    let shown = if paged { rows.chunks(PAGE).nth(page).unwrap_or_default() } else { rows };
    let mut tiles: Vec<NodeBox> = shown
        .iter()
        .filter(|row| !is_chosen(row))
        .map(|row| node::card(row, NodeSize::Tile, 0).node)
        .collect();
    if paged {
        let next = rows.chunks(PAGE).nth(page + 1).or_else(|| rows.chunks(PAGE).next()).unwrap_or_default();
        let hidden = rows.iter().filter(|row| shown.iter().all(|it| it.name != row.name));
        let all: Vec<NodeBox> = hidden.map(|row| node::card(row, NodeSize::Tile, 0).node).collect();
        tiles.extend(next.first().map(|row| NodeBox {
            name: format!("+{}", all.len()),
            pods: all.iter().map(|it| it.pods).sum(),
            max_pods: all.iter().map(|it| it.max_pods).sum(),
            worst: all.iter().filter_map(|it| it.worst).max_by_key(|it| it.badness()),
            ..node::card(row, NodeSize::Tile, 0).node
        }));
    }
    let (across, pitch) = if tiles.len() <= 4 { (4, 92) } else { (TILES, (WIDTH - 24 + 6) / TILES) };
    for (index, mut tile) in tiles.into_iter().enumerate() {
        let index = i32::try_from(index).unwrap_or(0);
        let (column, row) = (index % across, index / across);
        tile.rect = Rect::new(12 + pitch * column, y + 50 * row, pitch - 6, THUMB);
        scene.nodes.push(tile);
    }
    let drawn = i32::try_from(scene.nodes.len()).unwrap_or(0);
    if drawn == 0 { 4 } else { 50 * ((drawn + across - 1) / across) }
}

/// Boxes of one height in a row, as wide as a thumb needs; the scheduler's is within the door's frame, where it takes from.
fn band(moment: Moment<'_>, cluster: ClusterId, plane: &ControlPlane) -> (ControlPlaneBand, Vec<PodMark>) {
    let column = |n: i32| Rect::new(12 + n * (118 + 6), 6, 118, 44);
    let (api, etcd, controllers) = (column(0), column(1), column(2));
    let frame = Rect::new(12, api.y + api.h + 6, WIDTH - 24, 52);
    let scheduler = Rect::new(frame.x + frame.w - 64, frame.y + 4, 60, 44);
    let (door, pods) = layout::door(&read::waiting(moment.store, cluster), moment.clock, frame, 3);
    let member = |role: Rect, place: i32, of: i32| match of {
        0 | 1 => role,
        _ => Rect::new(role.x + role.w - 8 - 18 * (of - place), role.y + role.h - 21, 16, 16),
    };
    let band = ControlPlaneBand {
        cluster: plane.metadata.name.clone().unwrap_or_default(),
        managed: plane.provider == Provider::Eks,
        imported: plane.provider == Provider::Imported,
        rect: Rect::default(),
        api,
        etcd,
        door,
        scheduler,
        controllers,
        parts: layout::parts(moment.store, plane, |role, place, of| match role {
            PartRole::ApiServer => member(api, place, of),
            PartRole::Etcd => member(etcd, place, of),
            PartRole::Scheduler => scheduler,
            PartRole::ControllerManager => controllers,
        }),
        last_misfit: None,
    };
    (band, pods)
}

/// Where no node is yet: the subnets in which one could be, each as a line.
fn subnets(scene: &mut Scene, moment: Moment<'_>, mut y: i32) -> i32 {
    let mut all: Vec<&Subnet> = moment.store.list::<Subnet>(ClusterId::WORLD, None).collect();
    all.sort_by_key(|it| (&it.availability_zone, !read::public(moment.store, it), &it.metadata.name));
    for subnet in all {
        let rect = Rect::new(12, y, WIDTH - 24, THUMB);
        let undrawn = moment.store.enis_in(subnet.metadata.name.as_deref().unwrap_or_default()).count();
        scene.subnets.push(SubnetBox { empty: true, undrawn, ..boxed(moment, subnet, rect, rect, false) });
        y += THUMB + 6;
    }
    y
}

/// The box of a subnet, and where a thumb meets it.
fn boxed(moment: Moment<'_>, subnet: &Subnet, rect: Rect, handle: Rect, fragmented: bool) -> SubnetBox {
    let (free, total) = read::addresses(moment.store, subnet);
    SubnetBox {
        id: format!("Subnet/{}", subnet.metadata.name.as_deref().unwrap_or_default()),
        rect,
        public: read::public(moment.store, subnet),
        cidr: subnet.cidr.to_string(),
        free,
        total,
        supply: Supply::of(free, total),
        empty: false,
        undrawn: 0,
        fragmented,
        blocks: crate::view::subnet::few(moment.store, subnet),
        handle: Some(handle),
    }
}

fn large(scene: &mut Scene, moment: Moment<'_>, cluster: ClusterId, row: &NodeRow<'_>, y: i32) -> i32 {
    let card = node::narrow(row, WIDTH - 48).moved(26, y + LABEL);
    let rect = Rect::new(12, y, WIDTH - 24, card.node.rect.h + LABEL + 6);
    // As far above the label as nothing else stands, and the rest below it.
    let handle = Rect { y: y - 6, h: THUMB + 1, ..rect };
    let subnet = row.subnet.and_then(|name| moment.store.get::<Subnet>(ClusterId::WORLD, "", name));
    match subnet {
        Some(subnet) => {
            let fragmented = read::fragmented(moment.store, subnet, std::slice::from_ref(&row));
            scene.subnets.push(boxed(moment, subnet, rect, handle, fragmented));
        }
        None => {
            scene.networks.push(NetworkBox { rect, ..layout::beside_vpcs(plane(moment.store, cluster)) });
        }
    }
    scene.nodes.push(card.node);
    scene.pods.extend(card.pods);
    rect.y + rect.h
}
