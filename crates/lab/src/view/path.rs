//! What does a traced path show?
//!
//! [`path`] turns a trace into the rows of the hop list; [`line`] lays the same path over the picture, in gutters and gaps
//! so that it crosses no label. Hops after the first blocker are ghosts: where it would go on.

use cluster::path::Traced;
use network::{HopKind, Packet, Rule};

use super::scene::{NodeBox, Rect, Scene};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Reached,
    /// Something said no at once.
    Refused,
    /// Nobody answers.
    TimedOut,
}

/// A path as the page lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct PathView {
    /// Where it begins, as it was asked for: `ext:laptop`, `pod:default/web`.
    pub from: String,
    /// Where it leads.
    pub to: String,
    /// The port asked for.
    pub port: u16,
    /// How it ended.
    pub verdict: Verdict,
    /// Number of hops passed before the first blocker.
    pub passed: usize,
    /// Hops and blockers in travel order.
    pub rows: Vec<PathRow>,
    /// Who else a Service could have picked, and whether it was this one.
    pub backends: Vec<BackendShare>,
}

/// One row of the list.
#[derive(Clone, Debug, PartialEq)]
pub enum PathRow {
    /// A place on the way.
    Hop(PathHop),
    /// What stops it: the code of the recorded cases.
    Blocker(String),
}

/// One place on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct PathHop {
    /// From 1; none for a ghost.
    pub number: Option<usize>,
    /// What it is.
    pub kind: HopKind,
    /// Which one; empty where there is only one.
    pub component: String,
    /// What decided.
    pub rule: Rule,
    /// The packet as it enters.
    pub packet: Packet,
    /// Where it is in the picture.
    pub at: Option<String>,
}

/// A backend's share of new connections.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendShare {
    /// `ns/name`, or an address.
    pub name: String,
    /// One in so many.
    pub one_in: u32,
    /// Whether this connection got it.
    pub picked: bool,
}

/// The rows of a traced path.
#[must_use]
pub fn path(traced: &Traced) -> PathView {
    let trace = &traced.trace;
    let verdict = match (trace.reachable(), trace.refused()) {
        (true, _) => Verdict::Reached,
        (false, true) => Verdict::Refused,
        (false, false) => Verdict::TimedOut,
    };
    let mut rows = Vec::new();
    let mut blockers = trace.blockers.iter().peekable();
    let (mut node, mut passed) = (None, 0);
    for (index, hop) in trace.hops.iter().enumerate() {
        while let Some(blocker) = blockers.next_if(|it| it.after <= index) {
            rows.push(PathRow::Blocker(blocker.code.clone()));
        }
        if hop.kind == HopKind::Node {
            node = Some(format!("Node/{}", hop.component));
        }
        if !hop.ghost {
            passed += 1;
        }
        rows.push(PathRow::Hop(PathHop {
            number: (!hop.ghost).then_some(index + 1),
            kind: hop.kind,
            component: hop.component.clone(),
            rule: hop.rule.clone(),
            packet: hop.packet,
            at: place(hop.kind, &hop.component, node.as_deref()),
        }));
    }
    rows.extend(blockers.map(|blocker| PathRow::Blocker(blocker.code.clone())));
    let picked = trace.hops.iter().rev().find(|hop| hop.kind == HopKind::Dnat);
    let picked = picked.and_then(|hop| hop.component.rsplit_once(':')).map(|(ip, _)| ip.to_owned());
    let backends = trace
        .backends
        .iter()
        .map(|it| BackendShare {
            name: it.pod.clone().unwrap_or_else(|| it.ip.to_string()),
            one_in: it.one_in,
            picked: picked.as_deref() == Some(it.ip.to_string().as_str()),
        })
        .collect();
    PathView {
        from: traced.probe.from.clone(),
        to: traced.probe.to.clone(),
        port: traced.probe.port,
        verdict,
        passed,
        rows,
        backends,
    }
}

/// Where a hop is in the picture; rules of a node are where the node is.
fn place(kind: HopKind, component: &str, node: Option<&str>) -> Option<String> {
    match kind {
        HopKind::Pod | HopKind::Veth | HopKind::PolicyEgress | HopKind::PolicyIngress => {
            Some(format!("Pod/{component}"))
        }
        HopKind::Node => Some(format!("Node/{component}")),
        HopKind::KubeProxy | HopKind::Dnat | HopKind::Snat | HopKind::Masq | HopKind::Lo => {
            node.map(str::to_owned)
        }
        HopKind::Eni | HopKind::SgOut | HopKind::SgIn | HopKind::XEni => Some(format!("Eni/{component}")),
        HopKind::Nat => Some(format!("NatGateway/{component}")),
        HopKind::Igw => Some(format!("InternetGateway/{component}")),
        HopKind::External | HopKind::Host => Some(format!("Actor/{component}")),
        HopKind::ApiServer | HopKind::PublicEndpoint => Some("ControlPlane/api".to_owned()),
        HopKind::Dns
        | HopKind::NaclOut
        | HopKind::NaclIn
        | HopKind::Route
        | HopKind::Pcx
        | HopKind::Vgw
        | HopKind::Tgw
        | HopKind::Vpce
        | HopKind::Nlb
        | HopKind::Alb
        | HopKind::Clb
        | HopKind::Target
        | HopKind::Internet
        | HopKind::Aws => None,
    }
}

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
    let mut last: Option<(String, (i32, i32))> = None;
    let mut stopped = false;
    for row in &view.rows {
        let hop = match row {
            PathRow::Hop(hop) => hop,
            PathRow::Blocker(_) => {
                if let Some((_, (x, y))) = &last.as_ref().filter(|_| !stopped) {
                    let (x, y) = (*x, *y);
                    found.marks.push(PathMark { x, y, number: None, blocked: true, ghost: false });
                    found.ghost.push((x, y));
                }
                stopped = true;
                continue;
            }
        };
        let Some(id) = hop.at.as_ref() else { continue };
        if last.as_ref().is_some_and(|(before, _)| before == id) {
            continue;
        }
        // A node's own frame is no place of its own: the packet is on its way to a pod, an ENI or a rule in it.
        let inner = id.starts_with("Node/") && !ends_there(view, hop);
        let Some(rect) = scene.rect_of(id).filter(|_| !inner) else { continue };
        let way = corners(scene, last.as_ref().map(|(id, at)| (id.as_str(), *at)), id, rect);
        let ghost = hop.number.is_none();
        let target = if ghost { &mut found.ghost } else { &mut found.travelled };
        target.extend(way.iter().skip(usize::from(!target.is_empty())));
        if let Some(end) = way.last() {
            last = Some((id.clone(), *end));
        }
        found.marks.push(PathMark {
            x: rect.x,
            y: rect.y + rect.h / 2,
            number: hop.number,
            blocked: false,
            ghost,
        });
        found.touched.push(id.clone());
    }
    found
}

/// Whether a path ends (or begins) at this very hop.
fn ends_there(view: &PathView, hop: &PathHop) -> bool {
    let hops =
        || view.rows.iter().filter_map(|row| if let PathRow::Hop(hop) = row { Some(hop) } else { None });
    hops().next() == Some(hop) || hops().next_back() == Some(hop)
}

/// Corners from where the line is to a thing: along the gutter beside a node and the gap above it.
fn corners(scene: &Scene, from: Option<(&str, (i32, i32))>, id: &str, to: Rect) -> Vec<(i32, i32)> {
    let end = anchor(id, to);
    let Some((from_id, start)) = from else { return vec![end] };
    let (a, b) = (node_of(scene, from_id, start), node_of(scene, id, end));
    let mut way = vec![start];
    match (a, b) {
        (Some(a), Some(b)) if a.id == b.id => {
            // Inside one node: over the row, through the gap above the slots.
            let y = start.1.min(end.1) - 4;
            way.extend([(start.0, y), (end.0, y)]);
        }
        _ => {
            if let Some(a) = a {
                way.extend([(start.0, start.1 - 4), (a.rect.x - 9, start.1 - 4)]);
                way.push((a.rect.x - 9, a.rect.y - 5));
            }
            let height = way.last().map_or(start.1, |corner| corner.1);
            match b {
                Some(b) => {
                    way.push((b.rect.x - 9, height));
                    way.push((b.rect.x - 9, end.1 - 4));
                    way.push((end.0, end.1 - 4));
                }
                None => way.push((end.0, height)),
            }
        }
    }
    way.push(end);
    way.dedup();
    way
}

/// Where a line touches a thing: a pod at its top, everything else at its left edge.
fn anchor(id: &str, rect: Rect) -> (i32, i32) {
    if id.starts_with("Pod/") { (rect.middle(), rect.y) } else { (rect.x, rect.y + rect.h / 2) }
}

/// The node in whose card a thing lies.
fn node_of<'s>(scene: &'s Scene, id: &str, at: (i32, i32)) -> Option<&'s NodeBox> {
    let inside = id.starts_with("Pod/") || id.starts_with("Eni/") || id.starts_with("Node/");
    scene.nodes.iter().filter(|_| inside).find(|node| {
        let r = node.rect;
        (r.x - 8..=r.x + r.w).contains(&at.0) && (r.y..=r.y + r.h).contains(&at.1)
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use network::{Blocker, Hop, Probe, Trace};

    use super::*;

    fn hop(kind: HopKind, component: &str, ghost: bool) -> Hop {
        let packet = Packet { src: Ipv4Addr::LOCALHOST, dst: Ipv4Addr::LOCALHOST, port: 80 };
        Hop { kind, component: component.to_owned(), packet, rule: Rule::Passage, ghost }
    }

    fn blocked() -> Traced {
        let trace = Trace {
            hops: vec![
                hop(HopKind::Pod, "default/a", false),
                hop(HopKind::Eni, "eni-1", false),
                hop(HopKind::Pod, "default/b", true),
            ],
            blockers: vec![Blocker { code: "sg:in:eni-2".to_owned(), after: 2 }],
            ..Trace::default()
        };
        Traced { probe: Probe::default(), trace }
    }

    #[test]
    fn a_blocker_stands_where_it_stops_and_what_follows_has_no_number() {
        let view = path(&blocked());
        assert_eq!(view.verdict, Verdict::TimedOut);
        assert_eq!(view.passed, 2);
        assert!(matches!(&view.rows[2], PathRow::Blocker(code) if code == "sg:in:eni-2"));
        assert!(matches!(&view.rows[3], PathRow::Hop(hop) if hop.number.is_none()));
    }

    #[test]
    fn a_path_over_an_empty_picture_has_no_line() {
        assert_eq!(line(&path(&blocked()), &Scene::default()), PathLine::default());
    }
}
