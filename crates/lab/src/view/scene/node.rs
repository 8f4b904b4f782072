//! How big is a node's card, and what stands where on it? Places are relative to the card.

use api::k8s::core::v1::Pod;

use super::{
    EniRow, HostPod, NodeBox, NodeSize, PodMark, Rect, Seat, SlotMark, SlotState,
    read::{self, CardRow, NodeRow},
};
use crate::view::pod;

/// Slot and pod sizes; a slot of a large card holds a pod with a rim of four pixels.
const SLOT_LARGE: i32 = 52;
const POD_LARGE: i32 = 44;
const SMALL: i32 = 20;
/// A pod in a /28, on a large and on a small card, and how far it is to the next.
const TINY: (i32, i32) = (9, 12);
const TINIEST: (i32, i32) = (3, 4);
const PITCH_LARGE: i32 = 60;
const PITCH_MEDIUM: i32 = 24;
/// More slots than this in one row are wrapped nowhere: the row shows a bar.
const MOST_SLOTS: usize = 16;

/// A card and the pods on it.
pub(super) struct Card {
    pub node: NodeBox,
    pub pods: Vec<PodMark>,
}

impl Card {
    /// The same card elsewhere.
    pub(super) fn moved(mut self, dx: i32, dy: i32) -> Self {
        let go = |r: &mut Rect| *r = r.moved_by(dx, dy);
        go(&mut self.node.rect);
        for row in &mut self.node.enis {
            go(&mut row.rect);
            go(&mut row.tray);
            row.slots.iter_mut().for_each(|slot| go(&mut slot.rect));
        }
        self.node.host.iter_mut().for_each(|host| go(&mut host.rect));
        self.node.host_line = self.node.host_line.map(|y| y + dy);
        self.pods.iter_mut().for_each(|pod| go(&mut pod.rect));
        self
    }
}

/// Whether a large card's widest row still has slots that can be counted at a glance.
pub(super) fn may_be_large(row: &NodeRow<'_>) -> bool {
    row.cards.iter().map(|c| c.slots.len()).max().unwrap_or(0) <= 6
}

/// The card of a node at its least width, or at `wide` if that is more.
pub(super) fn card(row: &NodeRow<'_>, size: NodeSize, wide: i32) -> Card {
    let mut card = Card { node: plain(row, size), pods: Vec::new() };
    match size {
        NodeSize::Large => slots(&mut card, row, &LARGE, wide),
        NodeSize::Medium => slots(&mut card, row, &MEDIUM, wide),
        NodeSize::Folded if row.fargate => slots(&mut card, row, &MICRO_VM, wide),
        NodeSize::Folded => folded(&mut card, row, wide),
        NodeSize::Tile => tile(&mut card),
    }
    card
}

/// The card for a narrow page: exactly `w` wide, its slots as far apart as that allows.
pub(super) fn narrow(row: &NodeRow<'_>, w: i32) -> Card {
    let most = row.cards.iter().map(|c| c.slots.len().min(MOST_SLOTS)).max().unwrap_or(4).max(1);
    let pitch = ((w - 76) / i32::try_from(most).unwrap_or(4)).min(67);
    let measure = if pitch >= 54 {
        Measure { head: 40, tray: 64, pitch, row: 56, right: 12, least: w, host_row: 34, ..LARGE }
    } else {
        Measure { head: 44, tray: 50, pitch: pitch.min(24), least: w, ..MEDIUM }
    };
    let mut card = Card { node: plain(row, NodeSize::Large), pods: Vec::new() };
    slots(&mut card, row, &measure, w);
    card
}

fn plain(row: &NodeRow<'_>, size: NodeSize) -> NodeBox {
    let host = row.pods.iter().filter(|p| pod::on_host_network(p)).count();
    NodeBox {
        id: format!("Node/{}", row.name),
        name: if row.fargate { "Fargate".to_owned() } else { row.name.to_owned() },
        about: row.about.clone(),
        rect: Rect::default(),
        size,
        state: row.state,
        pods: u32::try_from(row.pods.len()).unwrap_or(u32::MAX),
        fargate: row.fargate,
        host_pods: u32::try_from(host).unwrap_or(u32::MAX),
        max_pods: row.max_pods,
        cpu: row.cpu,
        memory: row.memory,
        tainted: row.tainted && !row.fargate,
        worst: row.pods.iter().map(|p| pod::state(p)).max_by_key(|s| s.badness()),
        enis: Vec::new(),
        host: Vec::new(),
        host_line: None,
        imagined: row.imagined,
        stopped: row.stopped.clone(),
    }
}

/// The measures of one size of card.
struct Measure {
    head: i32,
    tray: i32,
    slot: i32,
    pitch: i32,
    row: i32,
    right: i32,
    least: i32,
    host_label: i32,
    host_row: i32,
    letter: i32,
    large: bool,
}

const LARGE: Measure = Measure {
    head: 56,
    tray: 74,
    slot: SLOT_LARGE,
    pitch: PITCH_LARGE,
    row: 60,
    right: 118,
    least: 432,
    host_label: 24,
    host_row: 38,
    letter: 7,
    large: true,
};

const MEDIUM: Measure = Measure {
    head: 46,
    tray: 44,
    slot: SMALL,
    pitch: PITCH_MEDIUM,
    row: 28,
    right: 10,
    least: 218,
    host_label: 20,
    host_row: 34,
    letter: 6,
    large: false,
};

/// Least width of a folded card.
pub(super) const FOLDED: i32 = 202;

/// A folded card with the one ENI of a micro-VM on it.
const MICRO_VM: Measure = Measure { head: 50, least: FOLDED, host_row: 6, ..MEDIUM };

fn slots(card: &mut Card, row: &NodeRow<'_>, measure: &Measure, wide: i32) {
    let id = card.node.id.trim_start_matches("Node/").to_owned();
    let most = row.cards.iter().map(|c| c.slots.len().min(MOST_SLOTS)).max().unwrap_or(0);
    let slots = i32::try_from(most.max(4)).unwrap_or(4);
    let w = (measure.tray + slots * measure.pitch + measure.right).max(measure.least).max(wide);
    let mut seated: Vec<String> = Vec::new();
    let mut y = measure.head;
    for one in &row.cards {
        let (eni, pods) = eni_row(&id, one, row, measure, slots, y, w);
        seated.extend(pods.iter().map(|p| p.id.clone()));
        card.node.enis.push(eni);
        card.pods.extend(pods);
        y += measure.row;
    }
    // A node without cards of its own (kind) seats its pods in one tray, in name order.
    let loose: Vec<&&Pod> = row
        .pods
        .iter()
        .filter(|p| !pod::on_host_network(p) && !seated.contains(&format!("Pod/{}", read::path(p))))
        .collect();
    if row.cards.is_empty() {
        let across = ((w - 32) / measure.pitch).max(1);
        let rows = (i32::try_from(loose.len()).unwrap_or(0) + across - 1) / across;
        for (index, p) in loose.iter().enumerate() {
            let index = i32::try_from(index).unwrap_or(0);
            let rect = Rect::new(
                16 + (index % across) * measure.pitch + 4,
                y + (index / across) * measure.row + 4,
                if measure.large { POD_LARGE } else { SMALL },
                if measure.large { POD_LARGE } else { SMALL },
            );
            card.pods.push(mark(p, rect, Seat::Node, measure.large));
        }
        y += rows.max(1) * measure.row;
    }
    card.node.host_line = Some(y + 2);
    y += hosts(card, row, measure, y + 8, w);
    if !row.cards.is_empty() && !loose.is_empty() {
        // Bound, but without an address yet: beside the pods that need none, or below where those leave no room.
        let first = w - 12 - 24 * i32::try_from(loose.len().min(6)).unwrap_or(0);
        let last_line = card.node.host.last().map_or(0, |label| label.rect.y);
        let beside = card.node.host.iter().filter(|label| label.rect.y == last_line);
        if beside.map(|label| label.rect.x + label.rect.w).max().is_some_and(|end| end > first - 8) {
            y += SMALL + 12;
        }
        for (index, p) in loose.iter().take(6).enumerate() {
            let x = first + 24 * i32::try_from(index).unwrap_or(0);
            let rect = Rect::new(x, y - SMALL - 10, SMALL, SMALL);
            card.pods.push(mark(p, rect, Seat::Node, false));
        }
    }
    card.node.rect = Rect::new(0, 0, w, y);
}

/// Labels of pods on the node's own network; the height they take.
fn hosts(card: &mut Card, row: &NodeRow<'_>, measure: &Measure, top: i32, w: i32) -> i32 {
    let left = if measure.large { measure.tray + 4 } else { measure.tray };
    let (mut x, mut y) = (left, top);
    let mut all: Vec<_> = row.pods.iter().filter(|p| pod::on_host_network(p)).collect();
    // A path meets kube-proxy first, and its number stands before it.
    all.sort_by_key(|p| pod::workload(p) != "kube-proxy");
    for p in all {
        let name = pod::workload(p);
        let wide = 12 + measure.letter * i32::try_from(name.chars().count()).unwrap_or(8);
        if x + wide > w - 8 && x > left {
            x = left;
            y += measure.host_label + 6;
        }
        card.node.host.push(HostPod {
            id: format!("Pod/{}", read::path(p)),
            name,
            rect: Rect::new(x, y, wide, measure.host_label),
            state: pod::state(p),
        });
        x += wide + 8;
    }
    y - top + measure.host_row
}

fn eni_row(
    node: &str,
    card: &CardRow<'_>,
    row: &NodeRow<'_>,
    measure: &Measure,
    across: i32,
    y: i32,
    w: i32,
) -> (EniRow, Vec<PodMark>) {
    let device = format!("eth{}", card.device);
    let pad = if measure.large { 4 } else { 2 };
    let tray = Rect::new(
        measure.tray,
        y - 2,
        across * measure.pitch,
        if measure.large { measure.slot + 4 } else { measure.slot + 6 },
    );
    let mut pods = Vec::new();
    let mut slots = Vec::new();
    for (index, slot) in card.slots.iter().take(MOST_SLOTS).enumerate() {
        let at = i32::try_from(index).unwrap_or(0);
        let rect = Rect::new(
            measure.tray + pad + at * measure.pitch,
            if measure.large { y } else { y + 1 },
            measure.slot,
            measure.slot,
        );
        for (sandbox, ip) in &slot.pods {
            let Some(p) = row.pods.iter().find(|p| read::path(p) == *sandbox) else { continue };
            let place = matches!(slot.state, SlotState::Prefix(_)).then(|| i32::from(read::place(*ip)));
            let pod = seated(p, rect, place, measure.large);
            pods.push(PodMark { seat: if row.fargate { Seat::MicroVm } else { pod.seat }, ..pod });
        }
        slots.push(SlotMark {
            id: format!("Slot/{node}/{device}/{index}"),
            rect,
            state: slot.state,
            octet: slot.octet.clone(),
            address: slot.address.clone(),
            imagined: slot.imagined,
        });
    }
    let used = card.slots.iter().map(|slot| slot.pods.len()).sum();
    let eni = EniRow {
        id: card.eni.map_or_else(|| format!("Socket/{node}/{}", card.device), |eni| format!("Eni/{eni}")),
        device,
        eni: card.eni.unwrap_or_default().to_owned(),
        state: card.state,
        trunk: card.trunk,
        rect: Rect::new(0, y - 2, w, measure.row - 4),
        tray,
        slots,
        used,
        seats: card.seats,
    };
    (eni, pods)
}

/// The cell of an address within the slot of its /28: four rows of four; on a large card the block's name stands above them.
#[must_use]
pub fn cell(place: i32, large: bool) -> Rect {
    let (size, pitch) = if large { TINY } else { TINIEST };
    let (left, top, row) = if large { (4, 12, 10) } else { (2, 2, pitch) };
    Rect::new(left + (place % 4) * pitch, top + (place / 4) * row, size, size)
}

/// A pod in its slot, or at its place among the 16 of a /28.
fn seated(p: &Pod, slot: Rect, place: Option<i32>, large: bool) -> PodMark {
    if let Some(place) = place {
        let rect = cell(place, large).moved_by(slot.x, slot.y);
        return PodMark { tag: String::new(), ..mark(p, rect, Seat::Slot, false) };
    }
    let (rim, size) = if large { (4, POD_LARGE) } else { (0, SMALL) };
    mark(p, Rect::new(slot.x + rim, slot.y + rim, size, size), Seat::Slot, large)
}

/// The square of a pod.
pub(super) fn mark(p: &Pod, rect: Rect, seat: Seat, large: bool) -> PodMark {
    let workload = pod::workload(p);
    let letters = if large { 4 } else { 2 };
    let octet = read::address(p).and_then(|ip| ip.rsplit('.').next()).filter(|_| large);
    PodMark {
        id: format!("Pod/{}", read::path(p)),
        name: p.metadata.name.clone().unwrap_or_default(),
        tag: workload.chars().take(letters).collect(),
        rect,
        state: pod::state(p),
        octet: octet.map(|o| format!(".{o}")).unwrap_or_default(),
        seat,
    }
}

fn folded(card: &mut Card, row: &NodeRow<'_>, wide: i32) {
    let w = wide.max(FOLDED);
    let across = ((w - 20) / PITCH_MEDIUM).max(1);
    let pods: Vec<&&Pod> = row.pods.iter().filter(|p| !pod::on_host_network(p)).collect();
    let rows = (i32::try_from(pods.len()).unwrap_or(0) + across - 1) / across;
    for (index, p) in pods.iter().enumerate() {
        let index = i32::try_from(index).unwrap_or(0);
        let rect = Rect::new(
            10 + (index % across) * PITCH_MEDIUM,
            55 + (index / across) * PITCH_MEDIUM,
            SMALL,
            SMALL,
        );
        card.pods.push(mark(p, rect, Seat::Node, false));
    }
    card.node.host_line = Some(46);
    card.node.rect = Rect::new(0, 0, w, 60 + PITCH_MEDIUM * rows.max(1));
}

fn tile(card: &mut Card) {
    let ticks = i32::try_from(card.node.max_pods.min(112)).unwrap_or(0);
    card.node.rect = Rect::new(0, 0, 70, (44 + ((ticks + 5) / 6) * 8 + 18).max(82));
}
