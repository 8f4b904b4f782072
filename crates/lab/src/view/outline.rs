//! The scene as a tree for readers: the same things, in the same order, as text.

use super::{
    pod::PodState,
    scene::{NetworkKind, NodeState, Rect, Scene, Seat, SlotState},
};

/// What an entry says; sentences are in `words`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The control plane's cluster.
    ControlPlane(String),
    /// A part of the control plane, or of a node: its name, and whether it runs.
    Running(String, bool),
    /// The door: pending, gated.
    Door(usize, usize),
    /// A VPC, or a kind network: its blocks.
    Network(NetworkKind, String),
    /// A zone's name.
    Zone(String),
    /// A subnet: public, block, free, total.
    Subnet(bool, String, u32, u32, bool),
    /// A node: name, about, state, pods, limit, warm addresses.
    Node(String, String, NodeState, u32, u32, usize),
    /// An ENI: device, id, used, seats.
    Eni(String, String, usize, usize),
    /// A slot: its state and address.
    Slot(SlotState, String),
    /// A pod: name, state, last number of its address.
    Pod(String, PodState, String),
    /// A pod on its node's own network: name, state.
    HostPod(String, PodState),
    /// A part: its name and address.
    Part(String, String),
    /// A Service: name, address, pods behind it.
    Service(String, String, usize),
}

/// One line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id in the scene.
    pub id: String,
    /// How deep, from 1.
    pub level: u8,
    /// What it says.
    pub entry: Entry,
}

/// How many pods do what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// They run.
    pub running: usize,
    /// They have no node.
    pub pending: usize,
    /// The scheduler does not look at them.
    pub gated: usize,
    /// They have failed, or cannot start.
    pub failed: usize,
}

/// Counts the pods of a picture, those on their node's own network too.
#[must_use]
pub fn census(scene: &Scene) -> Census {
    let hosts = scene.nodes.iter().flat_map(|node| &node.host).map(|pod| pod.state);
    let mut census = Census::default();
    for state in scene.pods.iter().map(|pod| pod.state).chain(hosts) {
        match state {
            PodState::Running => census.running += 1,
            PodState::Pending => census.pending += 1,
            PodState::Gated => census.gated += 1,
            PodState::Failed => census.failed += 1,
            PodState::Creating | PodState::NotReady | PodState::Terminating | PodState::Completed => {}
        }
    }
    census
}

/// The lines that a name or an address finds: those that begin with it first, each once.
#[must_use]
pub fn find<'a>(items: &'a [Item], sought: &str) -> Vec<&'a Item> {
    let sought = sought.trim().to_lowercase();
    if sought.is_empty() {
        return Vec::new();
    }
    let rank = |item: &Item| {
        let places = called(&item.entry).into_iter().filter_map(|name| name.to_lowercase().find(&sought));
        places.min()
    };
    let mut found: Vec<(bool, &Item)> =
        items.iter().filter_map(|item| Some((rank(item)? > 0, item))).collect();
    found.sort_by_key(|(later, _)| *later);
    found.into_iter().map(|(_, item)| item).collect()
}

/// Names and addresses of what a line is about.
fn called(entry: &Entry) -> Vec<&str> {
    match entry {
        Entry::Door(..) => Vec::new(),
        Entry::ControlPlane(name)
        | Entry::Network(_, name)
        | Entry::Zone(name)
        | Entry::Subnet(_, name, ..)
        | Entry::Node(name, ..)
        | Entry::Running(name, _)
        | Entry::HostPod(name, _)
        | Entry::Slot(_, name) => vec![name],
        Entry::Eni(device, id, ..) => vec![id, device],
        Entry::Pod(name, _, address) | Entry::Part(name, address) | Entry::Service(name, address, _) => {
            vec![name, address]
        }
    }
}

fn within(inner: Rect, outer: Rect) -> bool {
    inner.x >= outer.x && inner.y >= outer.y && inner.x < outer.x + outer.w && inner.y < outer.y + outer.h
}

/// The tree of a picture.
#[must_use]
pub fn outline(scene: &Scene) -> Vec<Item> {
    let mut items = Vec::new();
    let mut add = |level, id: &str, entry| items.push(Item { id: id.to_owned(), level, entry });
    if let Some(band) = &scene.control_plane {
        add(1, "ControlPlane", Entry::ControlPlane(band.cluster.clone()));
        for part in &band.parts {
            add(2, &part.id, Entry::Running(part.name.clone(), part.running));
        }
        add(2, "ControlPlane/door", Entry::Door(band.door.pending, band.door.gated));
        for pod in scene.pods.iter().filter(|p| p.seat == Seat::Door) {
            add(3, &pod.id, Entry::Pod(pod.name.clone(), pod.state, String::new()));
        }
    }
    for network in &scene.networks {
        add(1, &network.id, Entry::Network(network.kind, network.cidr.clone()));
    }
    for (zone, name) in scene.zones.iter().zip(&scene.zone_names) {
        add(2, &format!("Az/{name}"), Entry::Zone(name.clone()));
        for subnet in scene.subnets.iter().filter(|s| within(s.rect, *zone)) {
            add(
                3,
                &subnet.id,
                Entry::Subnet(
                    subnet.public,
                    subnet.cidr.clone(),
                    subnet.free,
                    subnet.total,
                    subnet.fragmented,
                ),
            );
            for part in scene.parts.iter().filter(|p| within(p.rect, subnet.rect)) {
                add(4, &part.id, Entry::Part(part.name.clone(), part.address.clone()));
            }
            for node in scene.nodes.iter().filter(|n| within(n.rect, subnet.rect)) {
                node_items(scene, node, 4, &mut add);
            }
        }
    }
    if scene.zones.is_empty() {
        for node in &scene.nodes {
            node_items(scene, node, 2, &mut add);
        }
    }
    for service in &scene.services {
        let behind = service.endpoints.len();
        add(1, &service.id, Entry::Service(service.name.clone(), service.address.clone(), behind));
    }
    items
}

fn node_items(scene: &Scene, node: &super::scene::NodeBox, level: u8, add: &mut impl FnMut(u8, &str, Entry)) {
    let warm = node.enis.iter().flat_map(|e| &e.slots).filter(|s| s.state == SlotState::Warm).count();
    let entry =
        Entry::Node(node.name.clone(), node.about.clone(), node.state, node.pods, node.max_pods, warm);
    add(level, &node.id, entry);
    for part in &node.stopped {
        // It has no place of its own in the picture: the node says what of it does not run.
        add(level + 1, &node.id, Entry::Running((*part).to_owned(), false));
    }
    let pods: Vec<_> =
        scene.pods.iter().filter(|p| p.seat != Seat::Door && within(p.rect, node.rect)).collect();
    for eni in node.enis.iter().filter(|e| !e.eni.is_empty()) {
        add(level + 1, &eni.id, Entry::Eni(eni.device.clone(), eni.eni.clone(), eni.used, eni.seats));
        for slot in &eni.slots {
            let mut seated = pods.iter().filter(|p| within(p.rect, slot.rect)).peekable();
            if seated.peek().is_none() {
                add(level + 2, &slot.id, Entry::Slot(slot.state, slot.address.clone()));
            }
            for pod in seated {
                add(level + 2, &pod.id, Entry::Pod(pod.name.clone(), pod.state, slot.address.clone()));
            }
        }
    }
    let in_slot = |rect: Rect| node.enis.iter().flat_map(|e| &e.slots).any(|s| within(rect, s.rect));
    for pod in pods.iter().filter(|p| !in_slot(p.rect)) {
        add(level + 1, &pod.id, Entry::Pod(pod.name.clone(), pod.state, String::new()));
    }
    for host in &node.host {
        add(level + 1, &host.id, Entry::HostPod(host.name.clone(), host.state));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_found_by_the_beginning_of_its_name_before_its_middle_and_by_its_address() {
        let pod = |name: &str, address: &str| Item {
            id: format!("Pod/default/{name}"),
            level: 3,
            entry: Entry::Pod(name.to_owned(), PodState::Running, address.to_owned()),
        };
        let items = [pod("old-web", "10.0.64.9"), pod("web-1", "10.0.64.21")];
        let ids = |sought: &str| find(&items, sought).iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids("WEB"), ["Pod/default/web-1", "Pod/default/old-web"]);
        assert_eq!(ids("64.21"), ["Pod/default/web-1"]);
        assert!(ids(" ").is_empty());
    }
}
