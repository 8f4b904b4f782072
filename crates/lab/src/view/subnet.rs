//! Which blocks of 16 does a subnet have, and which of them could still become a prefix?

use std::{collections::BTreeMap, net::Ipv4Addr};

use api::kinds::aws::{ReservationType, Subnet};
use cluster::{Store, cloud};
use ipnet::Ipv4Net;

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

/// A subnet's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetWhy {
    /// Its block.
    pub cidr: Ipv4Net,
    /// Whether its routes lead to an internet gateway.
    pub public: bool,
    /// Addresses that can be had.
    pub free: u32,
    /// Addresses that are not AWS's own.
    pub total: u32,
    /// Its blocks, ascending; the first of them where there are very many.
    pub blocks: Vec<Block>,
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
        public: super::scene::public(store, subnet),
        free,
        total,
        blocks: blocks(store, subnet),
    }
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
    use cluster::ClusterId;

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
    }

    #[test]
    fn a_reserved_block_is_told_apart_from_one_that_is_merely_whole() {
        use BlockState::{Broken, Reserved, Whole};
        let line = "aws ec2 create-subnet-cidr-reservation --subnet-id spare-a --cidr 10.0.65.80/28 --reservation-type prefix";
        assert_eq!(map(&[line], "spare-a"), [Broken, Reserved(ReservationType::Prefix), Whole, Broken]);
    }
}
