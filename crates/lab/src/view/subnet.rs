//! Which blocks of 16 does a subnet have, and which of them could still become a prefix?

use std::{collections::BTreeMap, net::Ipv4Addr};

use api::kinds::aws::{EniOwner, Instance, ReservationType, Subnet};
use cluster::{ClusterId, Store, cloud};
use ipnet::{Ipv4Net, Ipv6Net};

use super::behind;

/// Blocks that a map shows at most: those of a /20.
const MOST: usize = 256;

/// How a block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockState {
    /// All of it is free: it could become a prefix.
    Whole,
    /// All of it is free, and kept for this.
    Reserved(ReservationType),
    /// Some addresses are taken, or AWS's own: it cannot become a prefix.
    Broken,
    /// Nothing is left.
    Full,
    /// It is a prefix of an ENI.
    Prefix,
}

/// A block of 16 addresses, aligned as prefixes are; the last of a small subnet's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its addresses.
    pub cidr: Ipv4Net,
    /// Those that somebody holds, a bit for each, the first address the lowest bit.
    pub taken: u16,
    /// Those that AWS keeps.
    pub own: u16,
    /// How it stands.
    pub state: BlockState,
}

/// Whose ENIs hold addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// A node's.
    Node,
    /// A micro-VM's of Fargate.
    MicroVm,
    /// A pod's with security groups of its own.
    Branch,
    /// EKS's own.
    Eks,
    /// A NAT gateway's.
    Nat,
    /// An interface endpoint's.
    Endpoint,
    /// A load balancer's.
    LoadBalancer,
    /// Of the account, for something else.
    Account,
}

/// Somebody who holds addresses of a subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What it is.
    pub whose: Whose,
    /// Its name: the node's, the pod's, what EC2's description says, or the ENI's.
    pub name: String,
    /// What the scene calls it.
    pub id: String,
    /// ENIs that stand in the subnet.
    pub enis: u32,
    /// Addresses, the ENIs' own included.
    pub addresses: u32,
}

/// A subnet's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetWhy {
    /// Its block.
    pub cidr: Ipv4Net,
    /// Its IPv6 block.
    pub ipv6_cidr: Option<Ipv6Net>,
    /// Whether its routes lead to an internet gateway.
    pub public: bool,
    /// Addresses that can be had.
    pub free: u32,
    /// Addresses that are not AWS's own.
    pub total: u32,
    /// Its blocks, ascending; the first of them where there are very many.
    pub blocks: Vec<Block>,
    /// Who holds addresses, those with most first.
    pub holders: Vec<Holder>,
    /// Addresses that something holds of which nothing was given.
    pub unseen: u32,
}

impl SubnetWhy {
    /// Blocks that could become prefixes.
    #[must_use]
    pub fn whole(&self) -> usize {
        let gives =
            |state| matches!(state, BlockState::Whole | BlockState::Reserved(ReservationType::Prefix));
        self.blocks.iter().filter(|block| gives(block.state)).count()
    }
}

/// The addresses of a subnet.
pub(super) fn why(store: &Store, subnet: &Subnet) -> SubnetWhy {
    let (free, total) = super::scene::addresses(store, subnet);
    SubnetWhy {
        cidr: subnet.cidr,
        ipv6_cidr: subnet.ipv6_cidr,
        public: super::scene::public(store, subnet),
        free,
        total,
        blocks: blocks(store, subnet),
        holders: holders(store, subnet),
        unseen: subnet.held_unseen,
    }
}

fn holders(store: &Store, subnet: &Subnet) -> Vec<Holder> {
    let mut all: Vec<Holder> = Vec::new();
    for eni in store.enis_in(subnet.metadata.name.as_deref().unwrap_or_default()) {
        let own = eni.metadata.name.as_deref().unwrap_or_default();
        let description = || Some(behind::description(eni)).filter(|it| !it.is_empty());
        let instance = || store.get::<Instance>(ClusterId::WORLD, "", eni.instance.as_deref()?);
        let node = || instance().and_then(|it| it.node.as_deref());
        let (whose, name) = match eni.owner {
            EniOwner::Instance if node().is_some() => (Whose::Node, node().unwrap_or_default()),
            EniOwner::Instance | EniOwner::Account => (Whose::Account, description().unwrap_or(own)),
            EniOwner::Eks => (Whose::Eks, own),
            EniOwner::Nat => (Whose::Nat, own),
            EniOwner::Endpoint => (Whose::Endpoint, behind::endpoint(store, eni)),
            EniOwner::LoadBalancer => {
                let (name, balancer) = behind::load_balancer(store, eni);
                (Whose::LoadBalancer, balancer.map_or(name, |it| it.service.as_str()))
            }
            EniOwner::Fargate => (Whose::MicroVm, own),
            EniOwner::Branch => (Whose::Branch, eni.branch.as_ref().map_or(own, |it| it.pod.as_str())),
        };
        let id = if whose == Whose::Node { format!("Node/{name}") } else { format!("Eni/{own}") };
        let addresses = cloud::eni::addresses(eni);
        // What the account calls by one name is one thing to a reader.
        let same = |it: &&mut Holder| {
            it.id == id || (whose, it.whose, it.name.as_str()) == (Whose::Account, Whose::Account, name)
        };
        match all.iter_mut().find(same) {
            Some(it) => (it.enis, it.addresses) = (it.enis + 1, it.addresses + addresses),
            None => all.push(Holder { whose, name: name.to_owned(), id, enis: 1, addresses }),
        }
    }
    all.sort_by(|a, b| (b.addresses, a.whose, &a.name).cmp(&(a.addresses, b.whose, &b.name)));
    all
}

/// Its blocks where they are few: those of a /25.
pub(super) fn few(store: &Store, subnet: &Subnet) -> Vec<Block> {
    if subnet.cidr.prefix_len() < 25 { Vec::new() } else { blocks(store, subnet) }
}

fn blocks(store: &Store, subnet: &Subnet) -> Vec<Block> {
    let mut singles: BTreeMap<Ipv4Net, u16> = BTreeMap::new();
    let mut prefixes: Vec<Ipv4Net> = Vec::new();
    for eni in store.enis_in(subnet.metadata.name.as_deref().unwrap_or_default()) {
        prefixes.extend(&eni.prefixes);
        for ip in std::iter::once(eni.primary_ip).chain(eni.secondary_ips.iter().copied()) {
            if let Some((block, bit)) = place(ip) {
                *singles.entry(block).or_default() |= bit;
            }
        }
    }
    let free = cloud::subnet::addresses(store, subnet).free_blocks();
    let (first, last) = cni::subnet::usable_range(subnet.cidr);
    let reserved = |block: &Ipv4Net| {
        let mut all = subnet.reservations.iter();
        all.find(|it| it.cidr.contains(block) || block.contains(&it.cidr)).map(|it| it.kind)
    };
    let all = subnet.cidr.subnets(28).into_iter().flatten().take(MOST);
    all.map(|cidr| {
        let taken = singles.get(&cidr).copied().unwrap_or(0);
        let not_ours = (u32::from(cidr.network())..=u32::from(cidr.broadcast())).map(Ipv4Addr::from);
        let own = not_ours
            .filter(|ip| !(first..=last).contains(ip))
            .flat_map(place)
            .fold(0, |all, (_, bit)| all | bit);
        let state = match reserved(&cidr) {
            _ if prefixes.contains(&cidr) => BlockState::Prefix,
            Some(kind) if taken | own == 0 => BlockState::Reserved(kind),
            _ if free.contains(&cidr) => BlockState::Whole,
            _ if taken | own == u16::MAX => BlockState::Full,
            _ => BlockState::Broken,
        };
        Block { cidr, taken: if state == BlockState::Prefix { u16::MAX } else { taken }, own, state }
    })
    .collect()
}

/// The block of an address, and its place there.
fn place(ip: Ipv4Addr) -> Option<(Ipv4Net, u16)> {
    let block = Ipv4Net::new(ip, 28).ok()?.trunc();
    Some((block, 1 << (u32::from(ip) - u32::from(block.network()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Session, library};

    fn map(lines: &[&str], subnet: &str) -> Vec<BlockState> {
        let mut session =
            Session::new(library::scenario("street").expect("a fixture"), 1).expect("a session");
        lines.iter().for_each(|line| drop(session.run_line(line)));
        let store = session.world().store();
        let subnet = store.get::<Subnet>(ClusterId::WORLD, "", subnet).expect("a subnet");
        why(store, subnet).blocks.iter().map(|block| block.state).collect()
    }

    #[test]
    fn strangers_break_every_block_of_a_subnet_that_is_mostly_free() {
        use BlockState::Broken;
        assert_eq!(map(&[], "scattered-a"), [Broken, Broken, Broken, Broken]);
        let session = Session::new(library::scenario("street").expect("a fixture"), 1).expect("a session");
        let store = session.world().store();
        let scattered = store.get::<Subnet>(ClusterId::WORLD, "", "scattered-a").expect("a subnet");
        let holders = why(store, scattered).holders;
        assert_eq!(holders.iter().map(|it| (it.enis, it.addresses)).collect::<Vec<_>>(), [(8, 8)]);
    }

    #[test]
    fn every_address_of_a_subnet_has_its_holder() {
        let session = Session::new(library::scenario("pool").expect("a fixture"), 1).expect("a session");
        let store = session.world().store();
        for subnet in store.list::<Subnet>(ClusterId::WORLD, None) {
            let it = why(store, subnet);
            let held: u32 = it.holders.iter().map(|holder| holder.addresses).sum();
            assert_eq!(it.free + held, it.total, "{}: {:?}", it.cidr, it.holders);
        }
    }

    #[test]
    fn a_reserved_block_is_told_apart_from_one_that_is_merely_whole() {
        use BlockState::{Broken, Reserved, Whole};
        let line = "aws ec2 create-subnet-cidr-reservation --subnet-id spare-a --cidr 10.0.65.80/28 --reservation-type prefix";
        assert_eq!(map(&[line], "spare-a"), [Broken, Reserved(ReservationType::Prefix), Whole, Broken]);
    }
}
