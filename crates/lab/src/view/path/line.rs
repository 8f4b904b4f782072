//! How does a path lie over the picture?
//!
//! A line never crosses a label. It runs where none stands: down the rim left of everything, through the gap above the
//! network, through the network's header (the bus), down the gutter left of each zone, and just above a row of slots. Every
//! thing has a port to one of those lanes; two things are joined by their ports.

use network::HopKind;

use super::{PathHop, PathRow, PathView};
use crate::view::scene::{NodeBox, Rect, Scene};

type Point = (i32, i32);

/// A path over the picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathLine {
    /// What was travelled: corners in order.
    pub travelled: Vec<(i32, i32)>,
    /// Where it would go on.
    pub ghost: Vec<(i32, i32)>,
    /// Numbers beside the things that decide.
    pub marks: Vec<PathMark>,
    /// Ids of what the path touches: the rest is dimmed.
    pub touched: Vec<String>,
}

/// A number on the edge of a thing that decides.
#[derive(Clone, Debug, PartialEq)]
pub struct PathMark {
    /// Middle of the mark.
    pub x: i32,
    /// Middle of the mark.
    pub y: i32,
    /// The hop's number; none for the blocker.
    pub number: Option<usize>,
    /// Whether it stops here.
    pub blocked: bool,
    /// Whether the packet never came here.
    pub ghost: bool,
}

/// The path laid over a picture; things that the picture does not draw are passed over.
#[must_use]
pub fn line(view: &PathView, scene: &Scene) -> PathLine {
    let mut found = PathLine::default();
    let mut last: Option<Stop> = None;
    let mut stopped = false;
    for row in &view.rows {
        let hop = match row {
            PathRow::Hop(hop) => hop,
            PathRow::Blocker(_) => {
                if let Some(stop) = last.as_ref().filter(|_| !stopped) {
                    let (x, y) = stop.badge();
                    // The number of the thing that says no gives way to its sign.
                    found.marks.retain(|mark| (mark.x, mark.y) != (x, y));
                    found.marks.push(PathMark { x, y, number: None, blocked: true, ghost: false });
                }
                stopped = true;
                continue;
            }
        };
        let Some(id) = spot(scene, hop) else { continue };
        if last.as_ref().is_some_and(|before| before.id == id) {
            continue;
        }
        // A node's own frame is no place of its own: the packet is on its way to a pod, an ENI or a rule in it.
        let inner = id.starts_with("Node/") && !ends_there(view, hop);
        let Some(stop) = Stop::at(scene, &id).filter(|_| !inner) else { continue };
        let ghost = hop.number.is_none();
        let target = if ghost { &mut found.ghost } else { &mut found.travelled };
        if let Some(before) = &last {
            let way = join(scene, before, &stop);
            let known = usize::from(!target.is_empty() && target.last() == way.first());
            target.extend(way.into_iter().skip(known));
        }
        let (x, mut y) = stop.badge();
        // A node's number sits where the line meets its edge.
        if let Some((node, inner)) = last.as_ref().and_then(|before| in_its_node(before, &stop)) {
            if node.id == stop.id {
                y = inner.over_row();
            } else if let Some(mark) = found.marks.last_mut() {
                mark.y = inner.over_row();
            }
        }
        found.marks.push(PathMark { x, y, number: hop.number, blocked: false, ghost });
        found.touched.push(id);
        last = Some(stop);
    }
    found.travelled.dedup();
    found.ghost.dedup();
    found
}

/// Where a hop is drawn: the rules of kube-proxy at its label on the node, everything else where it is.
fn spot(scene: &Scene, hop: &PathHop) -> Option<String> {
    let at = hop.at.clone()?;
    if matches!(hop.kind, HopKind::KubeProxy | HopKind::Dnat) {
        let node = scene.nodes.iter().find(|node| node.id == at);
        let label = node.and_then(|node| node.host.iter().find(|host| host.name == "kube-proxy"));
        return label.map(|label| label.id.clone()).or(Some(at));
    }
    Some(at)
}

/// The amber thread from the scheduler to the node that has no room: corners in order, to the node's edge.
#[must_use]
pub fn thread(scene: &Scene, node: &str) -> Option<Vec<(i32, i32)>> {
    let band = scene.control_plane.as_ref()?;
    let card = scene.nodes.iter().find(|it| it.id == node)?.rect;
    if band.rect.w == 0 {
        let (x, from) = (card.middle(), band.door.rect);
        return Some(vec![(x, from.y + from.h), (x, card.y)]);
    }
    let start = (band.scheduler.middle(), band.scheduler.y + band.scheduler.h);
    let gap = lanes(scene).gap;
    let side = zone_of(scene, card).map_or(card.x + card.w + 6, |zone| zone.x + zone.w + 4);
    let end = (card.x + card.w, card.y + 24);
    Some(vec![start, (start.0, gap), (side, gap), (side, end.1), end])
}

/// Whether a path ends (or begins) at this very hop.
fn ends_there(view: &PathView, hop: &PathHop) -> bool {
    let hops =
        || view.rows.iter().filter_map(|row| if let PathRow::Hop(hop) = row { Some(hop) } else { None });
    hops().next() == Some(hop) || hops().next_back() == Some(hop)
}

/// In which part of the picture a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the strip above everything.
    Outside,
    /// In the control plane's band.
    Plane,
    /// On the network's upper edge.
    Gateway,
    /// In the network; the x of its gutter.
    Inside(i32),
}

/// A thing on the way.
struct Stop {
    id: String,
    rect: Rect,
    place: Place,
    /// The card in which it lies.
    node: Option<String>,
}

/// Where lines may run across the whole picture.
struct Lanes {
    rim: i32,
    gap: i32,
    bus: i32,
}

fn lanes(scene: &Scene) -> Lanes {
    let plate = scene.networks.first().map(|it| it.rect).or_else(|| scene.subnets.first().map(|it| it.rect));
    let top = plate.map_or(0, |rect| rect.y);
    Lanes { rim: 8, gap: top - 8, bus: top + 27 }
}

fn zone_of(scene: &Scene, rect: Rect) -> Option<Rect> {
    let inside = |zone: &&Rect| rect.x >= zone.x && rect.x < zone.x + zone.w;
    scene.zones.iter().find(inside).copied()
}

/// The node in whose card a thing lies.
fn node_of(scene: &Scene, rect: Rect) -> Option<&NodeBox> {
    scene.nodes.iter().find(|node| {
        let r = node.rect;
        (r.x..=r.x + r.w).contains(&rect.x) && (r.y..=r.y + r.h).contains(&rect.y)
    })
}

impl Stop {
    fn at(scene: &Scene, id: &str) -> Option<Self> {
        let rect = scene.rect_of(id)?;
        let node = node_of(scene, rect).map(|node| node.id.clone());
        let outside = scene.outside.is_some_and(|strip| rect.y >= strip.y && rect.y < strip.y + strip.h);
        let place = match id.split('/').next().unwrap_or_default() {
            _ if outside => Place::Outside,
            "ControlPlane" => Place::Plane,
            "InternetGateway" => Place::Gateway,
            _ => {
                let card = node_of(scene, rect).map_or(rect, |node| node.rect);
                Place::Inside(zone_of(scene, rect).map_or(card.x - 6, |zone| zone.x - 4))
            }
        };
        Some(Self { id: id.to_owned(), rect, place, node })
    }

    /// Where its number sits: on its left edge; off the corner of a pod, so that its letters stay readable.
    fn badge(&self) -> Point {
        let r = self.rect;
        match self.is_pod() {
            true if r.w == r.h && r.w < 30 => (r.x - 3, r.y - 6),
            true if r.w == r.h => (r.x, r.y),
            true => (r.x - 8, r.y + r.h / 2),
            false => (r.x, r.y + r.h / 2),
        }
    }

    fn is_node(&self) -> bool {
        self.id.starts_with("Node/")
    }

    /// The lane just above its row.
    fn over_row(&self) -> i32 {
        self.rect.y - 4
    }

    fn is_pod(&self) -> bool {
        self.id.starts_with("Pod/")
    }

    /// From its edge to the lane on which it meets the other: the last point is on the lane.
    fn port(&self, other: Place, lanes: &Lanes) -> Vec<Point> {
        let r = self.rect;
        let (left, middle) = ((r.x, r.y + r.h / 2), r.middle());
        match (self.place, other) {
            (Place::Outside, _) | (Place::Plane, Place::Outside) => vec![left, (lanes.rim, left.1)],
            (Place::Plane, _) => vec![(middle, r.y + r.h), (middle, lanes.gap)],
            (Place::Gateway, Place::Outside | Place::Plane | Place::Gateway) => {
                let rim = (other == Place::Outside).then_some((lanes.rim, lanes.gap));
                [(r.x, r.y), (r.x, lanes.gap)].into_iter().chain(rim).collect()
            }
            // Along its left edge: a line from side to side would strike its name out.
            (Place::Gateway, Place::Inside(_)) => vec![(r.x, r.y + r.h), (r.x, lanes.bus)],
            (Place::Inside(gutter), other) => {
                let mut way = if self.is_pod() {
                    vec![(middle, r.y), (middle, self.over_row()), (gutter, self.over_row())]
                } else {
                    vec![left, (gutter, left.1)]
                };
                match other {
                    Place::Inside(its) if its == gutter => {}
                    Place::Inside(_) | Place::Gateway => way.push((gutter, lanes.bus)),
                    Place::Plane => way.push((gutter, lanes.gap)),
                    Place::Outside => way.extend([(gutter, lanes.gap), (lanes.rim, lanes.gap)]),
                }
                way
            }
        }
    }
}

/// A node and what lies in it, whichever comes first; none if neither is a node.
fn in_its_node<'s>(a: &'s Stop, b: &'s Stop) -> Option<(&'s Stop, &'s Stop)> {
    let holds = |node: &Stop, inner: &Stop| node.is_node() && inner.node.as_ref() == Some(&node.id);
    match (holds(a, b), holds(b, a)) {
        (true, _) => Some((a, b)),
        (false, true) => Some((b, a)),
        (false, false) => None,
    }
}

/// Corners from one thing to another.
fn join(scene: &Scene, a: &Stop, b: &Stop) -> Vec<Point> {
    if a.node.is_some() && a.node == b.node {
        // Inside one node: over the row, in the gap above the slots.
        if let Some((node, inner)) = in_its_node(a, b) {
            let (lane, top) = (inner.over_row(), (inner.rect.middle(), inner.rect.y));
            let mut way = vec![(node.rect.x, lane), (top.0, lane), top];
            if node.id == b.id {
                way.reverse();
            }
            return way;
        }
        let end = |stop: &Stop| {
            let r = stop.rect;
            if stop.is_pod() { (r.middle(), r.y) } else { (r.x, r.y + r.h / 2) }
        };
        let (start, end) = (end(a), end(b));
        let y = start.1.min(end.1) - 4;
        let trays = scene.nodes.iter().find(|node| Some(&node.id) == a.node.as_ref());
        let trays = trays.and_then(|node| node.enis.first()).map(|row| row.tray.x - 3);
        if let Some(corridor) = trays.filter(|_| a.is_pod() && b.is_pod() && start.1 != end.1) {
            // From row to row: between the names of the cards and their trays.
            let (from, to) = (start.1 - 4, end.1 - 4);
            return vec![start, (start.0, from), (corridor, from), (corridor, to), (end.0, to), end];
        }
        return vec![start, (start.0, y), (end.0, y), end];
    }
    let lanes = lanes(scene);
    let back = b.port(a.place, &lanes);
    let mut way = a.port(b.place, &lanes);
    way.extend(back.into_iter().rev());
    way.dedup();
    way
}

#[cfg(test)]
mod tests {
    use network::{Packet, Rule};

    use super::*;
    use crate::view::{
        path::Verdict,
        scene::{NetworkBox, NetworkKind, Part, PartKind},
    };

    fn view(stops: &[(&str, HopKind)]) -> PathView {
        let ip = std::net::IpAddr::from([127, 0, 0, 1]);
        let hop = |(index, (at, kind)): (usize, &(&str, HopKind))| {
            PathRow::Hop(PathHop {
                number: Some(index + 1),
                kind: *kind,
                component: String::new(),
                rule: Rule::Passage,
                packet: Packet { src: ip, dst: ip, port: 80 },
                at: Some((*at).to_owned()),
                rules: Vec::new(),
            })
        };
        PathView {
            from: "ext:laptop".to_owned(),
            to: "api".to_owned(),
            port: 443,
            verdict: Verdict::Reached,
            passed: stops.len(),
            rows: stops.iter().enumerate().map(hop).collect(),
            backends: Vec::new(),
            fixes: Vec::new(),
            again: String::new(),
        }
    }

    fn part(id: &str, kind: PartKind, rect: Rect) -> Part {
        Part { id: id.to_owned(), kind, rect, name: String::new(), address: String::new() }
    }

    fn picture() -> Scene {
        Scene {
            outside: Some(Rect::new(16, 8, 700, 40)),
            networks: vec![NetworkBox {
                id: "Vpc/v".to_owned(),
                rect: Rect::new(16, 200, 700, 300),
                kind: NetworkKind::Vpc,
                cidr: String::new(),
            }],
            zones: vec![Rect::new(28, 230, 300, 250)],
            zone_names: vec!["a".to_owned()],
            parts: vec![
                part("Actor/laptop", PartKind::Actor, Rect::new(32, 8, 160, 40)),
                part("InternetGateway/igw", PartKind::InternetGateway, Rect::new(300, 195, 150, 26)),
                part("NatGateway/nat", PartKind::Nat, Rect::new(60, 280, 130, 36)),
            ],
            ..Scene::default()
        }
    }

    #[test]
    fn a_path_over_an_empty_picture_has_no_line() {
        let nowhere = view(&[("Pod/default/a", HopKind::Pod)]);
        assert_eq!(line(&nowhere, &Scene::default()), PathLine::default());
    }

    #[test]
    fn a_line_has_right_angles_and_enters_the_network_at_its_gateway() {
        let way = line(
            &view(&[
                ("Actor/laptop", HopKind::External),
                ("InternetGateway/igw", HopKind::Igw),
                ("NatGateway/nat", HopKind::Nat),
            ]),
            &picture(),
        );
        let straight = |pair: &[Point]| pair[0].0 == pair[1].0 || pair[0].1 == pair[1].1;
        assert!(way.travelled.windows(2).all(straight), "{:?}", way.travelled);
        let inside = way.travelled.iter().position(|p| p.1 > 200).expect("it goes in");
        assert_eq!(way.travelled[inside - 1].0, 300, "{:?}", way.travelled);
        assert_eq!(way.marks.iter().map(|m| m.number).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    }
}
