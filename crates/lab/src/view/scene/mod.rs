//! Where does everything stand in the picture?
//!
//! [`scene`] is a pure layout: the same state gives the same picture, so time travel never reshuffles. Nesting is the
//! real nesting: VPC, zone, subnet, node, ENI, slot, pod. All coordinates are whole pixels at 100 %; text never
//! decides a box. Pods are a list of their own with absolute places, so that moving a pod is moving one mark.
//! The order: zones by name; public subnets above private; nodes by creation, then name; ENIs by device number; slots
//! by address; waiting pods by age.

mod layout;
mod node;
mod outside;
mod phone;
mod read;
mod service;
#[cfg(test)]
mod tests;
mod told;

pub use layout::{imagined, scene};
pub use node::cell;
pub use outside::with_outside;
pub(crate) use read::{addresses, parts, public};
pub use told::as_told;

use api::kinds::sim::PartRole;

use crate::view::{pod::PodState, subnet::Block};

/// A place in the picture, in pixels at 100 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub w: i32,
    /// Height.
    pub h: i32,
}

impl Rect {
    pub(crate) const fn new(x: i32, y: i32, w: i32, h: i32) -> Self {
        Self { x, y, w, h }
    }

    /// The x of the middle.
    #[must_use]
    pub fn middle(&self) -> i32 {
        self.x + self.w / 2
    }

    /// The same box, moved.
    #[must_use]
    pub fn moved_by(self, dx: i32, dy: i32) -> Self {
        Self { x: self.x + dx, y: self.y + dy, ..self }
    }
}

/// For which kind of page the picture is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Everything, side by side.
    #[default]
    Desk,
    /// One column: the door, then one node large and the others as tiles.
    Phone,
}

/// The whole picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// Width at 100 %.
    pub w: i32,
    /// Height at 100 %.
    pub h: i32,
    /// Room above everything for what is outside the network; only while it is looked at.
    pub outside: Option<Rect>,
    /// The band above: API server, etcd, door, scheduler.
    pub control_plane: Option<ControlPlaneBand>,
    /// The VPC, or the network of a kind cluster.
    pub networks: Vec<NetworkBox>,
    /// Availability zones.
    pub zones: Vec<Rect>,
    /// Names of the zones, in the same order.
    pub zone_names: Vec<String>,
    /// Subnets.
    pub subnets: Vec<SubnetBox>,
    /// NAT gateways, internet gateways, EKS's own ENIs and what lies outside.
    pub parts: Vec<Part>,
    /// Nodes.
    pub nodes: Vec<NodeBox>,
    /// Every pod that is drawn.
    pub pods: Vec<PodMark>,
    /// Services: rules, so they stand beside the road.
    pub services: Vec<ServiceStrip>,
    /// Room for the legend, where there is some.
    pub legend: Option<Rect>,
}

/// The control plane.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlPlaneBand {
    /// The cluster's name.
    pub cluster: String,
    /// Whether AWS runs it, in an account of its own.
    pub managed: bool,
    /// Whether it is of an imported cluster: nothing was given of it.
    pub imported: bool,
    /// The whole band; empty where it is no band but boxes above and beside the door, on a narrow page.
    pub rect: Rect,
    /// The API server.
    pub api: Rect,
    /// etcd.
    pub etcd: Rect,
    /// The door: where pods without a node wait.
    pub door: Door,
    /// The scheduler.
    pub scheduler: Rect,
    /// The controller manager.
    pub controllers: Rect,
    /// Its parts, by name: each API server, each member of etcd, the scheduler, the controller manager.
    pub parts: Vec<PartMark>,
    /// Nodes that fit and nodes that were looked at, in the last decision that found none.
    pub last_misfit: Option<(usize, usize)>,
}

/// One part of the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartMark {
    /// `Part/etcd-a`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: PartRole,
    /// The letter of its zone; empty where it has none.
    pub letter: String,
    /// Its mark, where there are several of its role; otherwise the role's own box.
    pub rect: Rect,
    /// Whether it runs.
    pub running: bool,
}

impl ControlPlaneBand {
    /// How many parts of a role run, and how many there are.
    #[must_use]
    pub fn running(&self, role: PartRole) -> (usize, usize) {
        let of = || self.parts.iter().filter(|part| part.role == role);
        (of().filter(|part| part.running).count(), of().count())
    }

    /// Whether a role does its work: more than half of etcd's members, one of anything else.
    #[must_use]
    pub fn works(&self, role: PartRole) -> bool {
        let (running, all) = self.running(role);
        match role {
            PartRole::Etcd => all == 0 || running * 2 > all,
            PartRole::ApiServer | PartRole::Scheduler | PartRole::ControllerManager => {
                all == 0 || running > 0
            }
        }
    }
}

/// Where pods without a node wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// Its frame.
    pub rect: Rect,
    /// Pods that the scheduler could not place, or has not looked at yet.
    pub pending: usize,
    /// Pods with a gate on them.
    pub gated: usize,
    /// Age of the oldest, in seconds.
    pub oldest_secs: Option<u64>,
    /// Pods that found no place in the drawing.
    pub more: usize,
    /// How many pods find one.
    pub places: usize,
}

impl Door {
    /// A door without pods in front of it.
    pub(crate) fn empty(rect: Rect, places: usize) -> Self {
        Self { rect, pending: 0, gated: 0, oldest_secs: None, more: 0, places }
    }

    /// The square of the pod that stands at a place.
    pub(crate) fn place(&self, index: usize) -> Rect {
        let x = self.rect.x + 120 + 60 * i32::try_from(index).unwrap_or(0);
        Rect::new(x, self.rect.y + (self.rect.h - 44) / 2, 44, 44)
    }
}

/// A network: a VPC, or that of a kind cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkBox {
    /// `Vpc/vpc-0a1b`.
    pub id: String,
    /// Its plate.
    pub rect: Rect,
    /// What it is.
    pub kind: NetworkKind,
    /// Its blocks, where they are known.
    pub cidr: String,
}

/// What a [`NetworkBox`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// A VPC.
    Vpc,
    /// The network of containers on the laptop.
    Laptop,
    /// That of an imported cluster whose subnets were not given.
    NotGiven,
}

/// How many addresses a subnet has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// More than a quarter.
    Enough,
    /// A quarter or less.
    Low,
    /// None.
    Out,
}

impl Supply {
    pub(crate) fn of(free: u32, total: u32) -> Self {
        match free {
            0 => Supply::Out,
            _ if free * 4 <= total => Supply::Low,
            _ => Supply::Enough,
        }
    }
}

/// A subnet.
#[derive(Clone, Debug, PartialEq)]
pub struct SubnetBox {
    /// `Subnet/subnet-…`.
    pub id: String,
    /// Its plate.
    pub rect: Rect,
    /// Whether its route table leads to an internet gateway.
    pub public: bool,
    /// Its block.
    pub cidr: String,
    /// Addresses that nobody has.
    pub free: u32,
    /// Addresses that can be given out: five of each subnet are AWS's own.
    pub total: u32,
    /// How many are left, as a word.
    pub supply: Supply,
    /// Whether nothing is drawn in it.
    pub empty: bool,
    /// ENIs that stand there and are not drawn.
    pub undrawn: usize,
    /// Whether a node in it wants prefixes, and no block of 16 is whole.
    pub fragmented: bool,
    /// Its blocks of 16, where they are few enough for the line of its label.
    pub blocks: Vec<Block>,
    /// Where a thumb meets it, over what stands near its label; nothing on a wide page, where a pointer meets its plate.
    pub handle: Option<Rect>,
}

/// What a [`Part`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// A NAT gateway.
    Nat,
    /// The ENI of a load balancer.
    LoadBalancer,
    /// The ENI of an interface endpoint.
    Endpoint,
    /// An internet gateway.
    InternetGateway,
    /// The control plane's own ENI in the account's subnet, as a card.
    CrossAccountEni,
    /// The same, as a tag on the subnet's label line.
    CrossAccountTag,
    /// A machine that is no node: a laptop outside, a bastion in a subnet.
    Actor,
    /// Everything that has no place of its own out there.
    Internet,
}

/// A small box with an icon, a name and an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Such as `NatGateway/nat-0a1b`.
    pub id: String,
    /// What it is.
    pub kind: PartKind,
    /// Its frame.
    pub rect: Rect,
    /// Its name, where it has one of its own.
    pub name: String,
    /// Its address.
    pub address: String,
}

/// How much of a node is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeSize {
    /// Slots of 52 pixels with the last number of each address.
    Large,
    /// Slots of 20 pixels.
    Medium,
    /// Name and pods only: a node that keeps most pods away.
    Folded,
    /// A tile with one tick for each pod it may hold.
    Tile,
}

/// What a node's card says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Ready.
    Ready,
    /// Ready, and takes no new pods.
    Cordoned,
    /// Not ready, or not heard of.
    NotReady,
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeBox {
    /// `Node/worker-a`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address, as a host name would write it, and its instance type.
    pub about: String,
    /// The card.
    pub rect: Rect,
    /// How much of it is drawn.
    pub size: NodeSize,
    /// What the card says first.
    pub state: NodeState,
    /// Pods on it that count.
    pub pods: u32,
    /// Whether it is a micro-VM, made for its one pod.
    pub fargate: bool,
    /// Pods that use the node's own network.
    pub host_pods: u32,
    /// The kubelet's limit.
    pub max_pods: u32,
    /// Requested CPU, in thousandths of what may be requested.
    pub cpu: u32,
    /// Requested memory, in thousandths of what may be requested.
    pub memory: u32,
    /// Whether a taint keeps most pods away.
    pub tainted: bool,
    /// The worst pod on it, for a tile.
    pub worst: Option<PodState>,
    /// Its ENIs, by device number.
    pub enis: Vec<EniRow>,
    /// Pods that use the node's own network, and where they stand.
    pub host: Vec<HostPod>,
    /// The y of the line above the pods without a slot.
    pub host_line: Option<i32>,
    /// Whether this is how it would be, not how it is.
    pub imagined: bool,
    /// What of `kubelet`, `runtime`, `kube-proxy` does not run.
    pub stopped: Vec<&'static str>,
}

impl NodeBox {
    /// Whether no further pod may come, by number.
    #[must_use]
    pub fn full(&self) -> bool {
        !self.fargate && self.max_pods > 0 && self.pods >= self.max_pods
    }
}

/// How an ENI is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EniState {
    /// In its socket.
    Attached,
    /// On its way in.
    Attaching,
    /// On its way out.
    Detaching,
    /// The socket is empty.
    None,
}

/// An ENI, or an empty socket for one.
#[derive(Clone, Debug, PartialEq)]
pub struct EniRow {
    /// `Eni/eni-0a3f`; `Socket/<node>/2` if there is none.
    pub id: String,
    /// `eth0`.
    pub device: String,
    /// Its id; empty if there is none.
    pub eni: String,
    /// How it is shown.
    pub state: EniState,
    /// Whether it is a trunk: pods get branch ENIs on it, and none of its own addresses.
    pub trunk: bool,
    /// The row.
    pub rect: Rect,
    /// The tray that holds its slots.
    pub tray: Rect,
    /// Its slots, the primary address first.
    pub slots: Vec<SlotMark>,
    /// Pods that sit in it.
    pub used: usize,
    /// Pods that could: 16 in each slot where the CNI asks for prefixes.
    pub seats: usize,
}

/// How a slot is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// The card's own address.
    Primary,
    /// A pod has it.
    Used,
    /// Here and free.
    Warm,
    /// Given back a moment ago.
    Cooldown {
        /// Seconds that it still rests.
        left: u64,
        /// Seconds of the whole rest.
        of: u64,
    },
    /// No address yet.
    Empty,
    /// Held from before the CNI's mode was changed: no new pod gets it.
    Stale,
    /// A /28.
    Prefix(Sixteen),
}

/// The addresses of a /28, a bit for each, the first the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sixteen {
    /// Those that pods have.
    pub used: u16,
    /// Those that were given back a moment ago.
    pub resting: u16,
}

/// One slot of an ENI.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotMark {
    /// `Slot/worker-a/eth0/1`.
    pub id: String,
    /// Its square.
    pub rect: Rect,
    /// How it is shown.
    pub state: SlotState,
    /// The last number of its address.
    pub octet: String,
    /// The whole address or block; empty where only one is imagined.
    pub address: String,
    /// Whether what it holds is only imagined.
    pub imagined: bool,
}

/// A pod on its node's own network: a label without a slot.
#[derive(Clone, Debug, PartialEq)]
pub struct HostPod {
    /// `Pod/kube-system/aws-node-x`.
    pub id: String,
    /// Its workload.
    pub name: String,
    /// Its label.
    pub rect: Rect,
    /// Its state.
    pub state: PodState,
}

/// Where a pod stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// At the door.
    Door,
    /// In a slot.
    Slot,
    /// In the one slot of its micro-VM.
    MicroVm,
    /// On a node, beside its slots.
    Node,
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodMark {
    /// `Pod/default/web-…`.
    pub id: String,
    /// Its full name.
    pub name: String,
    /// The first letters of its workload.
    pub tag: String,
    /// Its square.
    pub rect: Rect,
    /// Its state.
    pub state: PodState,
    /// The last number of its address; empty without one, or where there is no room.
    pub octet: String,
    /// Where it stands.
    pub seat: Seat,
}

/// A Service: an agreement on every node, on no card.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceStrip {
    /// `Service/default/web`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `ClusterIP` and the like.
    pub kind: String,
    /// Its address and first port.
    pub address: String,
    /// First port, and the port it leads to.
    pub ports: Option<(i32, String)>,
    /// Its strip.
    pub rect: Rect,
    /// Pods behind it.
    pub endpoints: Vec<EndpointMark>,
}

/// One pod behind a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointMark {
    /// The pod's id in the picture.
    pub pod: String,
    /// The first letters of its workload.
    pub tag: String,
    /// Its address.
    pub address: String,
    /// Whether it takes traffic.
    pub ready: bool,
    /// Its box.
    pub rect: Rect,
}

impl Scene {
    /// Where a thing stands.
    #[must_use]
    pub fn rect_of(&self, id: &str) -> Option<Rect> {
        let pod = || self.pods.iter().find(|p| p.id == id).map(|p| p.rect);
        let host = || self.nodes.iter().flat_map(|n| &n.host).find(|p| p.id == id).map(|p| p.rect);
        let node = || self.nodes.iter().find(|n| n.id == id).map(|n| n.rect);
        let eni = || self.nodes.iter().flat_map(|n| &n.enis).find(|e| e.id == id).map(|e| e.rect);
        let slot = || {
            let slots = self.nodes.iter().flat_map(|n| &n.enis).flat_map(|e| &e.slots);
            slots.into_iter().find(|s| s.id == id).map(|s| s.rect)
        };
        let subnet = || self.subnets.iter().find(|s| s.id == id).map(|s| s.rect);
        let part = || self.parts.iter().find(|p| p.id == id).map(|p| p.rect);
        let service = || self.services.iter().find(|s| s.id == id).map(|s| s.rect);
        let network = || self.networks.iter().find(|n| n.id == id).map(|n| n.rect);
        let band = || {
            let band = self.control_plane.as_ref()?;
            match id {
                "ControlPlane/api" => Some(band.api),
                "ControlPlane/etcd" => Some(band.etcd),
                "ControlPlane/door" => Some(band.door.rect),
                "ControlPlane/scheduler" => Some(band.scheduler),
                "ControlPlane/controller-manager" => Some(band.controllers),
                _ => band.parts.iter().find(|part| part.id == id).map(|part| part.rect),
            }
            .filter(|rect| rect.w > 0)
        };
        pod()
            .or_else(host)
            .or_else(node)
            .or_else(eni)
            .or_else(slot)
            .or_else(subnet)
            .or_else(part)
            .or_else(service)
            .or_else(network)
            .or_else(band)
    }
}
