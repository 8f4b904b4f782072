//! How big is each box, from the slots outward, and where does it stand?

use std::collections::BTreeMap;

use api::{
    k8s::core::v1::Pod,
    kinds::{
        aws::{Eni, EniOwner, InternetGateway, NatGateway, Subnet, Vpc},
        sim::{Actor, ControlPlane, Part as ControlPart, PartRole, Provider},
    },
};
use cluster::{ClusterId, Store, import::outlook::Outlook};
use jiff::Timestamp;

use super::{
    ControlPlaneBand, Door, Form, NetworkBox, NetworkKind, NodeSize, Part, PartKind, PartMark, PodMark, Rect,
    Scene, Seat, SubnetBox, Supply,
    node::{self, Card},
    phone,
    read::{self, NodeRow},
    service,
};
use crate::view::{
    Moment, behind,
    pod::{self, PodState},
};

/// Rim between the picture's edge and its bands.
const RIM: i32 = 16;
/// Height of the control plane's band.
const BAND: i32 = 124;
/// Least width of a zone.
const ZONE: i32 = 234;
/// Widest row of zones in which large cards may stand.
const LARGE_FITS: i32 = 1000;
/// The internet gateway's card.
const GATEWAY: (i32, i32) = (150, 26);

/// The picture of one cluster and its network at a moment.
///
/// `focus` is the node that a narrow picture shows large; without one it is the first that takes pods.
#[must_use]
pub fn scene(moment: Moment<'_>, cluster: ClusterId, form: Form, focus: Option<&str>) -> Scene {
    laid(moment, cluster, form, focus, &read::nodes(moment.store, cluster, moment.now))
}

/// The same with the nodes as they would be.
#[must_use]
pub fn imagined(
    moment: Moment<'_>,
    cluster: ClusterId,
    form: Form,
    focus: Option<&str>,
    then: &Outlook,
) -> Scene {
    let mut rows = read::nodes(moment.store, cluster, moment.now);
    read::imagine(&mut rows, moment, then);
    laid(moment, cluster, form, focus, &rows)
}

fn laid(
    moment: Moment<'_>,
    cluster: ClusterId,
    form: Form,
    focus: Option<&str>,
    rows: &[NodeRow<'_>],
) -> Scene {
    match form {
        Form::Desk => desk(moment, cluster, rows),
        Form::Phone => phone::phone(moment, cluster, rows, focus),
    }
}

pub(super) fn plane(store: &Store, cluster: ClusterId) -> Option<&ControlPlane> {
    store.list::<ControlPlane>(ClusterId::WORLD, None).find(|plane| plane.id == cluster.0)
}

fn desk(moment: Moment<'_>, cluster: ClusterId, rows: &[NodeRow<'_>]) -> Scene {
    let store = moment.store;
    let mut scene = Scene::default();
    let plane = plane(store, cluster);
    let top = if plane.is_some() { 12 + BAND + 12 } else { 12 };
    let subnets: Vec<&Subnet> = store.list::<Subnet>(ClusterId::WORLD, None).collect();
    let bottom = if subnets.is_empty() {
        if rows.is_empty() && plane.is_none() { top } else { containers(&mut scene, plane, rows, top) }
    } else {
        vpc(&mut scene, store, rows, &subnets, top)
    };
    scene.w = scene.w.max(778);
    scene.networks.iter_mut().for_each(|n| n.rect.w = scene.w - 2 * RIM);
    if let Some(plane) = plane {
        let waiting = read::waiting(store, cluster);
        let (band, pods) = band(store, plane, &waiting, moment.clock, scene.w);
        scene.control_plane = Some(band);
        scene.pods.extend(pods);
    }
    scene.h = service::strips(&mut scene, store, cluster, bottom + 10) + 8;
    scene
}

/// The band above, and the pods at its door.
fn band(
    store: &Store,
    plane: &ControlPlane,
    waiting: &[&Pod],
    clock: Timestamp,
    width: i32,
) -> (ControlPlaneBand, Vec<PodMark>) {
    let rect = Rect::new(RIM, 12, width - 2 * RIM, BAND);
    let y = rect.y + 30;
    let api = Rect::new(rect.x + 16, y, 116, 82);
    let etcd = Rect::new(api.x + 132, y, 112, 82);
    let scheduler = Rect::new(rect.x + rect.w - 158, y, 142, 38);
    let controllers = Rect { y: y + 44, ..scheduler };
    let left = etcd.x + etcd.w + 14;
    let rect_door = Rect::new(left, y, scheduler.x - 14 - left, 82);
    let parts = parts(store, plane, |role, place, of| match role {
        PartRole::ApiServer => member(api, place, of),
        PartRole::Etcd => member(etcd, place, of),
        PartRole::Scheduler => scheduler,
        PartRole::ControllerManager => controllers,
    });
    let places = usize::try_from((rect_door.w - 120) / 60).unwrap_or(1).max(1);
    let (door, pods) = door(waiting, clock, rect_door, places);
    let band = ControlPlaneBand {
        cluster: plane.metadata.name.clone().unwrap_or_default(),
        managed: plane.provider == Provider::Eks,
        imported: plane.provider == Provider::Imported,
        rect,
        api,
        etcd,
        door,
        scheduler,
        controllers,
        parts,
        last_misfit: None,
    };
    (band, pods)
}

/// Height and width of the mark of one among several parts.
const MEMBER: i32 = 24;

/// The mark of one among several in their role's box; a single one is the box.
fn member(role: Rect, place: i32, of: i32) -> Rect {
    if of < 2 {
        return role;
    }
    Rect::new(role.x + 10 + place * (MEMBER + 8), role.y + role.h - MEMBER - 8, MEMBER, MEMBER)
}

/// The parts of a control plane, each where `at` puts it: by its role, its number among those of that role, and how many they are.
pub(super) fn parts(
    store: &Store,
    plane: &ControlPlane,
    at: impl Fn(PartRole, i32, i32) -> Rect,
) -> Vec<PartMark> {
    let all: Vec<&ControlPart> = store.list::<ControlPart>(ClusterId(plane.id), None).collect();
    let mark = |part: &&ControlPart| {
        let name = part.metadata.name.clone().unwrap_or_default();
        let same: Vec<&&ControlPart> = all.iter().filter(|it| it.role == part.role).collect();
        let index = same.iter().position(|it| it.metadata.name == part.metadata.name).unwrap_or(0);
        let count = |n: usize| i32::try_from(n).unwrap_or(0);
        PartMark {
            id: format!("Part/{name}"),
            role: part.role,
            letter: part
                .zone
                .as_deref()
                .and_then(|zone| zone.chars().last())
                .map(String::from)
                .unwrap_or_default(),
            rect: at(part.role, count(index), count(same.len())),
            running: part.running,
            name,
        }
    };
    all.iter().map(mark).collect()
}

/// The door with its counts, and the pods that find a place at it.
pub(super) fn door(waiting: &[&Pod], clock: Timestamp, rect: Rect, places: usize) -> (Door, Vec<PodMark>) {
    let count = |state: PodState| waiting.iter().filter(|p| pod::state(p) == state).count();
    let oldest = waiting.iter().filter_map(|p| p.metadata.creation_timestamp.as_ref()).map(|t| t.0).min();
    let shown = if waiting.len() > places { places - 1 } else { waiting.len() };
    let door = Door {
        pending: count(PodState::Pending),
        gated: count(PodState::Gated),
        oldest_secs: oldest.map(|born| u64::try_from(clock.as_second() - born.as_second()).unwrap_or(0)),
        more: waiting.len() - shown,
        ..Door::empty(rect, places)
    };
    let pods = waiting.iter().take(shown).enumerate();
    let pods = pods.map(|(index, p)| node::mark(p, door.place(index), Seat::Door, true)).collect();
    (door, pods)
}

/// The network of nodes that stand in no subnet.
pub(super) fn beside_vpcs(plane: Option<&ControlPlane>) -> NetworkBox {
    let imported = plane.is_some_and(|it| it.provider == Provider::Imported);
    let (id, kind) = match imported {
        true => ("Network/unknown", NetworkKind::NotGiven),
        false => ("Network/kind", NetworkKind::Laptop),
    };
    NetworkBox { id: id.to_owned(), kind, rect: Rect::default(), cidr: String::new() }
}

/// A kind cluster: its nodes are containers on one network of the laptop.
fn containers(scene: &mut Scene, plane: Option<&ControlPlane>, rows: &[NodeRow<'_>], top: i32) -> i32 {
    let size = size_of_all(rows, 1, 1);
    let across = if rows.len() > 3 && size != NodeSize::Tile { 2 } else { 3 };
    let (mut x, mut y, mut tall, mut wide) = (RIM + 16, top + 34, 0, 0);
    for (index, row) in rows.iter().enumerate() {
        if index > 0 && index % across == 0 {
            x = RIM + 16;
            y += tall + 12;
            tall = 0;
        }
        let card = node::card(row, size, 0).moved(x, y);
        x += card.node.rect.w + 12;
        tall = tall.max(card.node.rect.h);
        wide = wide.max(x + 4);
        seat(scene, card);
    }
    let rect = Rect::new(RIM, top, (wide - RIM).max(360), (y + tall + 16 - top).max(96));
    let cidr = plane.and_then(|p| p.pod_cidr).map(|c| c.to_string()).unwrap_or_default();
    scene.networks.push(NetworkBox { rect, cidr, ..beside_vpcs(plane) });
    scene.w = rect.w + 2 * RIM;
    // One narrow card in a wide plate stands in its middle.
    let spare = (778 - 2 * RIM - (wide - RIM)) / 2;
    if spare > 0 {
        for node in &mut scene.nodes {
            shift(node, spare);
        }
        for pod in &mut scene.pods {
            pod.rect.x += spare;
        }
    }
    rect.y + rect.h
}

fn shift(node: &mut super::NodeBox, dx: i32) {
    node.rect.x += dx;
    node.host.iter_mut().for_each(|h| h.rect.x += dx);
    for row in &mut node.enis {
        row.rect.x += dx;
        row.tray.x += dx;
        row.slots.iter_mut().for_each(|s| s.rect.x += dx);
    }
}

fn seat(scene: &mut Scene, card: Card) {
    scene.nodes.push(card.node);
    scene.pods.extend(card.pods);
}

/// One size for all nodes that are not folded, so many of them below each other at most.
fn size_of_all(rows: &[NodeRow<'_>], zones: i32, deepest: usize) -> NodeSize {
    let open: Vec<&NodeRow<'_>> = rows.iter().filter(|row| !row.is_aside()).collect();
    let large = open.len() <= 3 && open.iter().all(|row| node::may_be_large(row));
    let widest = open.iter().map(|row| node::card(row, NodeSize::Large, 0).node.rect.w).max().unwrap_or(0);
    match rows.len() {
        _ if large && deepest < 2 && zones * (widest + 48) <= LARGE_FITS => NodeSize::Large,
        0..=12 => NodeSize::Medium,
        _ => NodeSize::Tile,
    }
}

/// A micro-VM has little to show; beside large cards what keeps pods away is folded.
fn drawn(row: &NodeRow<'_>, size: NodeSize) -> NodeSize {
    let folds = (row.fargate && size != NodeSize::Tile) || (row.is_aside() && size == NodeSize::Large);
    if folds { NodeSize::Folded } else { size }
}

/// What stands in one subnet.
struct Content<'a, 's> {
    subnet: &'s Subnet,
    public: bool,
    rows: Vec<&'a NodeRow<'s>>,
    /// EKS's own ENIs.
    crossing: Vec<&'s Eni>,
    /// NAT gateways, load balancers and interface endpoints, each with its address here.
    middleboxes: Vec<Middlebox>,
    /// Machines that are no nodes.
    actors: Vec<&'s Actor>,
}

fn vpc(scene: &mut Scene, store: &Store, rows: &[NodeRow<'_>], subnets: &[&Subnet], top: i32) -> i32 {
    let mut zones: BTreeMap<&str, Vec<Content<'_, '_>>> = BTreeMap::new();
    for subnet in subnets {
        let name = subnet.metadata.name.as_deref();
        zones.entry(subnet.availability_zone.as_str()).or_default().push(Content {
            subnet,
            public: read::public(store, subnet),
            rows: rows.iter().filter(|row| row.subnet == name).collect(),
            crossing: store
                .list::<Eni>(ClusterId::WORLD, None)
                .filter(|eni| eni.owner == EniOwner::Eks && Some(eni.subnet.as_str()) == name)
                .collect(),
            middleboxes: middleboxes(store, name.unwrap_or_default()),
            actors: store
                .list::<Actor>(ClusterId::WORLD, None)
                .filter(|actor| actor.at.strip_prefix("subnet/") == name)
                .collect(),
        });
    }
    for content in zones.values_mut() {
        content.sort_by_key(|c| (!c.public, c.subnet.metadata.name.clone()));
    }
    let busy = zones.values().filter(|all| all.iter().any(|c| c.rows.iter().any(|r| !r.is_aside()))).count();
    let open =
        |all: &[Content<'_, '_>]| all.iter().flat_map(|c| &c.rows).filter(|row| !row.is_aside()).count();
    let deepest = zones.values().map(|all| open(all)).max().unwrap_or(0);
    let size = size_of_all(rows, i32::try_from(busy.max(1)).unwrap_or(1), deepest);
    let widths: Vec<i32> = zones.values().map(|all| zone_width(all, size)).collect();
    let shared = widths.iter().copied().filter(|w| *w > ZONE).max().unwrap_or(ZONE);
    let spare = 778 - 2 * RIM - 24 - 8 * (i32::try_from(zones.len()).unwrap_or(1) - 1);
    let narrow = widths.iter().filter(|w| **w <= ZONE).count();
    let wide = i32::try_from(widths.len() - narrow).unwrap_or(0);
    let shared = if narrow == 0 { shared.max(spare / wide.max(1)) } else { shared };
    let rest = (spare - wide * shared) / i32::try_from(narrow.max(1)).unwrap_or(1);
    let narrow_width = rest.max(ZONE);
    let (mut x, mut tallest) = (RIM + 12, 0);
    let mut columns = Vec::new();
    for (index, (name, all)) in zones.iter().enumerate() {
        let w = if widths[index] > ZONE { shared } else { narrow_width };
        let before = scene.subnets.len();
        let h = zone(scene, store, all, size, Rect::new(x, top + 30, w, 0));
        columns.push((before, scene.subnets.len(), scene.zones.len()));
        scene.zones.push(Rect::new(x, top + 30, w, h));
        scene.zone_names.push((*name).to_owned());
        tallest = tallest.max(h);
        x += w + 8;
    }
    for (from, to, zone) in columns {
        let short = tallest - scene.zones[zone].h;
        scene.zones[zone].h = tallest;
        if from < to {
            let last = &mut scene.subnets[to - 1];
            let free = Rect::new(last.rect.x + 8, last.rect.y + last.rect.h, last.rect.w - 16, short - 8);
            last.rect.h += short;
            if scene.legend.is_none() && free.h >= 128 && free.w >= 190 {
                scene.legend = Some(Rect { h: 128, ..free });
            }
        }
    }
    let h = 30 + tallest + 8;
    scene.w = x - 8 + 12 + RIM;
    for one in store.list::<Vpc>(ClusterId::WORLD, None).take(1) {
        let blocks: Vec<String> = one.cidrs.iter().map(ToString::to_string).collect();
        let given = subnets
            .iter()
            .any(|it| Some(&it.vpc) == one.metadata.name.as_ref() && !it.route_table.is_empty());
        scene.networks.push(NetworkBox {
            id: format!("Vpc/{}", one.metadata.name.as_deref().unwrap_or_default()),
            rect: Rect::new(RIM, top, scene.w - 2 * RIM, h),
            kind: NetworkKind::Vpc,
            // Those of an import are only what its subnets say.
            cidr: if given { blocks.join(", ") } else { String::new() },
        });
    }
    for one in store.list::<InternetGateway>(ClusterId::WORLD, None).filter(|it| !it.egress_only).take(1) {
        let id = one.metadata.name.clone().unwrap_or_default();
        // On the border: half of it is the internet's side.
        let (w, h) = GATEWAY;
        scene.parts.push(Part {
            id: format!("InternetGateway/{id}"),
            kind: PartKind::InternetGateway,
            rect: Rect::new(scene.w / 2 - w / 2, top - 5, w, h),
            name: id,
            address: String::new(),
        });
    }
    top + h
}

fn zone_width(all: &[Content<'_, '_>], size: NodeSize) -> i32 {
    let node = |row: &&NodeRow<'_>| {
        if row.is_aside() && size == NodeSize::Large {
            0
        } else {
            node::card(row, drawn(row, size), 0).node.rect.w
        }
    };
    all.iter()
        .map(|content| {
            let widest = content.rows.iter().map(node).max().unwrap_or(0);
            match size {
                _ if widest == 0 => 0,
                NodeSize::Large => widest + 48,
                NodeSize::Tile => 4 * (widest + 8) + 24,
                NodeSize::Medium | NodeSize::Folded
                    if content.rows.iter().filter(|row| !row.fargate).count() > 2 =>
                {
                    2 * widest + 40
                }
                NodeSize::Medium | NodeSize::Folded => widest + 32,
            }
        })
        .max()
        .unwrap_or(0)
        .max(ZONE)
}

/// Lays the subnets of one zone below each other; the height they take.
fn zone(scene: &mut Scene, store: &Store, all: &[Content<'_, '_>], size: NodeSize, at: Rect) -> i32 {
    let mut y = at.y + 26;
    for content in all {
        let plate = Rect::new(at.x + 8, y, at.w - 16, 0);
        let h = subnet(scene, content, size, plate);
        let name = content.subnet.metadata.name.as_deref().unwrap_or_default();
        let (free, total) = read::addresses(store, content.subnet);
        scene.subnets.push(SubnetBox {
            id: format!("Subnet/{name}"),
            rect: Rect { h, ..plate },
            public: content.public,
            cidr: content.subnet.cidr.to_string(),
            free,
            total,
            supply: Supply::of(free, total),
            empty: content.rows.is_empty()
                && content.crossing.is_empty()
                && content.middleboxes.is_empty()
                && content.actors.is_empty(),
            undrawn: store.enis_in(name).filter(|eni| eni.owner == EniOwner::Account).count()
                + content.middleboxes.len().saturating_sub(chips(plate.w).1),
            fragmented: read::fragmented(store, content.subnet, &content.rows),
            blocks: crate::view::subnet::few(store, content.subnet),
            handle: None,
        });
        y += h + 8;
    }
    y - at.y
}

/// What only passes traffic on, with an address in a subnet.
struct Middlebox {
    kind: PartKind,
    id: String,
    name: String,
    address: String,
}

/// NAT gateways of a subnet, then load balancers, then interface endpoints.
fn middleboxes(store: &Store, subnet: &str) -> Vec<Middlebox> {
    let of = |owner: EniOwner| store.enis_in(subnet).filter(move |eni| eni.owner == owner);
    let new = |kind, id: String, name: String, address: String| Middlebox { kind, id, name, address };
    let nats = store.list::<NatGateway>(ClusterId::WORLD, None).filter(|nat| nat.subnet == subnet);
    let mut all: Vec<Middlebox> = nats
        .map(|nat| {
            let id = nat.metadata.name.clone().unwrap_or_default();
            let own = of(EniOwner::Nat).find(|eni| behind::description(eni).ends_with(&id));
            let address = own.map_or(nat.public_ip, |eni| eni.primary_ip).to_string();
            new(PartKind::Nat, format!("NatGateway/{id}"), id, address)
        })
        .collect();
    let eni = |eni: &Eni| format!("Eni/{}", eni.metadata.name.as_deref().unwrap_or_default());
    let balancers = of(EniOwner::LoadBalancer).map(|it| {
        let (own, balancer) = behind::load_balancer(store, it);
        // The name that a Service's load balancer gets says nothing; its Service does.
        let name = balancer.and_then(|it| it.service.rsplit('/').next()).unwrap_or(own);
        new(PartKind::LoadBalancer, eni(it), name.to_owned(), it.primary_ip.to_string())
    });
    let endpoints = of(EniOwner::Endpoint).map(|it| {
        new(PartKind::Endpoint, eni(it), behind::endpoint(store, it).to_owned(), it.primary_ip.to_string())
    });
    // Of an import only the interface is given.
    let unknown =
        of(EniOwner::Nat).filter(|it| all.iter().all(|nat| !behind::description(it).ends_with(&nat.name)));
    let unknown = unknown.map(|it| new(PartKind::Nat, eni(it), String::new(), it.primary_ip.to_string()));
    let rest: Vec<Middlebox> = unknown.chain(balancers).chain(endpoints).collect();
    all.extend(rest);
    all
}

/// How wide a middlebox's label is, with the gap after it, and how high.
const CHIP: (i32, i32) = (140, 24);

/// How many middleboxes stand side by side in a subnet so wide, and how many are drawn.
fn chips(width: i32) -> (usize, usize) {
    let across = usize::try_from((width - 24) / CHIP.0).unwrap_or(1).max(1);
    (across, if across > 1 { 2 * across } else { 4 })
}

/// Whether a node is drawn as a micro-VM's small card.
fn is_small_vm(row: &NodeRow<'_>, size: NodeSize) -> bool {
    row.fargate && size != NodeSize::Tile
}

/// Places cards in so many columns, from the plate's top on; the y below them.
fn grid(scene: &mut Scene, rows: &[&&NodeRow<'_>], size: NodeSize, columns: i32, plate: Rect) -> i32 {
    let widest = rows.iter().map(|row| node::card(row, drawn(row, size), 0).node.rect.w).max().unwrap_or(0);
    let (mut column, mut tall, mut y) = (0, 0, plate.y);
    for row in rows {
        let size = drawn(row, size);
        let margin = if size == NodeSize::Large { 16 } else { 8 };
        let wide = match size {
            NodeSize::Tile => 0,
            _ if columns == 1 || row.fargate => (plate.w - 2 * margin - 8 * (columns - 1)) / columns,
            _ => widest,
        };
        let card = node::card(row, size, wide);
        let (w, h) = (card.node.rect.w, card.node.rect.h);
        seat(scene, card.moved(plate.x + margin + column * (w + 8), y));
        tall = tall.max(h);
        column += 1;
        if column == columns {
            y += tall + 8;
            (column, tall) = (0, 0);
        }
    }
    if column > 0 { y + tall + 8 } else { y }
}

/// Places what is in a subnet; its height.
fn subnet(scene: &mut Scene, content: &Content<'_, '_>, size: NodeSize, plate: Rect) -> i32 {
    let mut y = plate.y + 24;
    let mut x = plate.x + 24;
    let (across, most) = chips(plate.w);
    for (index, it) in content.middleboxes.iter().take(most).enumerate() {
        if index > 0 && index % across == 0 {
            (x, y) = (plate.x + 24, y + CHIP.1);
        }
        scene.parts.push(Part {
            id: it.id.clone(),
            kind: it.kind,
            rect: Rect::new(x, y, CHIP.0 - 8, 20),
            name: it.name.clone(),
            address: it.address.clone(),
        });
        x += CHIP.0;
    }
    // Machines stand in a row of their own where the middleboxes leave none.
    if !content.actors.is_empty() && content.middleboxes.len() > 1 {
        (x, y) = (plate.x + 24, y + CHIP.1);
    }
    for actor in &content.actors {
        let name = actor.metadata.name.clone().unwrap_or_default();
        scene.parts.push(Part {
            id: format!("Actor/{name}"),
            kind: PartKind::Actor,
            rect: Rect::new(x, y - 2, 150, 36),
            name,
            address: actor.address.to_string(),
        });
        x += 158;
    }
    if !content.middleboxes.is_empty() || !content.actors.is_empty() {
        y += if content.actors.is_empty() { 24 } else { 40 };
    }
    let (vms, machines): (Vec<_>, Vec<_>) = content.rows.iter().partition(|row| is_small_vm(row, size));
    let columns = match size {
        NodeSize::Tile => 4,
        _ if machines.len() > 2 => 2,
        _ => 1,
    };
    // Micro-VMs, which are smaller, stand below: as many side by side as there is room for.
    let across = ((plate.w - 8) / (node::FOLDED + 8)).clamp(1, i32::try_from(vms.len().max(1)).unwrap_or(1));
    y = grid(scene, &machines, size, columns, Rect { y, ..plate });
    y = grid(scene, &vms, size, across, Rect { y, ..plate });
    let large = machines.iter().any(|row| drawn(row, size) == NodeSize::Large);
    for eni in &content.crossing {
        let id = eni.metadata.name.clone().unwrap_or_default();
        let (kind, rect) = if large {
            (PartKind::CrossAccountTag, Rect::new(plate.x + plate.w - 256, plate.y + 3, 140, 18))
        } else {
            (PartKind::CrossAccountEni, Rect::new(plate.x + 8, y, plate.w - 16, 44))
        };
        if !large {
            y += 52;
        }
        scene.parts.push(Part {
            id: format!("Eni/{id}"),
            kind,
            rect,
            name: id,
            address: eni.primary_ip.to_string(),
        });
    }
    (y - plate.y).max(48)
}
