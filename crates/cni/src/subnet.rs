//! Which addresses of a subnet are free?
//!
//! Five are EC2's own: the first four and the last. Addresses are given lowest first, prefixes as the lowest free
//! aligned /28; a request is granted whole or not at all. Ranges can be reserved: for prefixes, or for those who name an
//! address.
//! MODEL: EC2 does not document which free address it picks; the lab takes the lowest.
//! Source: the VPC user guide (subnet CIDR blocks, subnet CIDR reservations), cni-spec §8.

use std::net::Ipv4Addr;

use api::kinds::aws::ReservationType;
use fixedbitset::FixedBitSet;
use ipnet::Ipv4Net;

/// Why EC2 gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Exhausted {
    /// Not enough single addresses.
    #[error("InsufficientFreeAddressesInSubnet")]
    Addresses,
    /// No free aligned /28, though single addresses may be free.
    #[error("InsufficientCidrBlocks")]
    Blocks,
}

impl Exhausted {
    /// EC2's sentence.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Addresses => {
                "The specified subnet does not have enough free addresses to satisfy the request."
            }
            Self::Blocks => {
                "The specified subnet does not have enough free cidr blocks to satisfy the request."
            }
        }
    }
}

/// The addresses of one subnet and which are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetAddresses {
    cidr: Ipv4Net,
    /// By place in the block.
    used: FixedBitSet,
    reserved: Vec<(Ipv4Net, ReservationType)>,
    // INVARIANT: no address below this one can be given as a single address.
    low: u32,
}

/// Whether a block may be a subnet: /16 to /28.
#[must_use]
pub fn valid(cidr: Ipv4Net) -> bool {
    (16..=28).contains(&cidr.prefix_len())
}

/// Addresses in a block.
#[must_use]
pub fn total(cidr: Ipv4Net) -> u32 {
    1u32.checked_shl(u32::from(32 - cidr.prefix_len())).unwrap_or(u32::MAX)
}

/// Addresses in a subnet that EC2 does not keep.
#[must_use]
pub fn usable(cidr: Ipv4Net) -> u32 {
    total(cidr).saturating_sub(5)
}

/// First and last address that can be had.
#[must_use]
pub fn usable_range(cidr: Ipv4Net) -> (Ipv4Addr, Ipv4Addr) {
    let first = u32::from(cidr.network()) + 4;
    let last = u32::from(cidr.broadcast()).saturating_sub(1);
    (Ipv4Addr::from(first), Ipv4Addr::from(last))
}

/// Whether two blocks share an address.
#[must_use]
pub fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

impl SubnetAddresses {
    /// An empty subnet.
    #[must_use]
    pub fn new(cidr: Ipv4Net) -> Self {
        let cidr = cidr.trunc();
        let used = FixedBitSet::with_capacity(total(cidr) as usize);
        Self { cidr, used, reserved: Vec::new(), low: u32::from(usable_range(cidr).0) }
    }

    /// Where in the block an address is; beyond its end for one that is not in it.
    fn place(&self, address: u32) -> usize {
        address.checked_sub(u32::from(self.cidr.network())).map_or(usize::MAX, |place| place as usize)
    }

    /// The subnet's block.
    #[must_use]
    pub fn cidr(&self) -> Ipv4Net {
        self.cidr
    }

    /// Keeps a range from being given as single addresses; what is taken in it stays taken.
    pub fn reserve(&mut self, range: Ipv4Net, what_for: ReservationType) {
        self.reserved.push((range, what_for));
    }

    /// Addresses of reserved ranges that nobody holds.
    #[must_use]
    pub fn set_aside(&self) -> u32 {
        let (first, last) = usable_range(self.cidr);
        let ranges = self.reserved.iter().map(|(range, _)| {
            let (low, high) = (range.network().max(first), range.broadcast().min(last));
            (u32::from(low), u32::from(high))
        });
        let left = |(low, high): (u32, u32)| {
            let taken = self.used.count_ones(self.place(low)..self.place(high) + 1);
            let taken = u32::try_from(taken).unwrap_or(u32::MAX);
            (high - low + 1).saturating_sub(taken)
        };
        ranges.filter(|(low, high)| low <= high).map(left).sum()
    }

    fn is_reserved(&self, address: u32) -> bool {
        self.reserved.iter().any(|(range, _)| range.contains(&Ipv4Addr::from(address)))
    }

    /// Whether an address could be had: inside, not EC2's own, not taken.
    #[must_use]
    pub fn is_free(&self, address: Ipv4Addr) -> bool {
        let (first, last) = usable_range(self.cidr);
        (first..=last).contains(&address) && !self.used.contains(self.place(u32::from(address)))
    }

    /// Marks an address as taken; says whether it was free.
    pub fn take(&mut self, address: Ipv4Addr) -> bool {
        let free = self.is_free(address);
        if free {
            self.used.insert(self.place(u32::from(address)));
        }
        free
    }

    /// Marks all 16 addresses of a prefix as taken; says whether all were free.
    pub fn take_prefix(&mut self, prefix: Ipv4Net) -> bool {
        let free = self.block_is_free(u32::from(prefix.network()));
        if free {
            self.take_block(prefix);
        }
        free
    }

    /// Gives an address back.
    pub fn give_back(&mut self, address: Ipv4Addr) {
        let place = self.place(u32::from(address));
        if place < self.used.len() {
            self.used.remove(place);
        }
        let (first, _) = usable_range(self.cidr);
        self.low = self.low.min(u32::from(address)).max(u32::from(first));
    }

    /// Gives a prefix back.
    pub fn give_back_prefix(&mut self, prefix: Ipv4Net) {
        prefix.hosts_and_ends().for_each(|address| self.give_back(address));
    }

    /// Free single addresses: those of reserved ranges do not count.
    /// Source: EC2's `AvailableIpAddressCount`, kubernetes-iteration-toolkit #511.
    #[must_use]
    pub fn free(&self) -> u32 {
        let taken = u32::try_from(self.used.count_ones(..)).unwrap_or(u32::MAX);
        usable(self.cidr).saturating_sub(taken).saturating_sub(self.set_aside())
    }

    /// The lowest `count` free addresses, now taken.
    /// # Errors
    /// [`Exhausted::Addresses`]; nothing is taken.
    pub fn assign(&mut self, count: u32) -> Result<Vec<Ipv4Addr>, Exhausted> {
        if self.free() < count {
            return Err(Exhausted::Addresses);
        }
        let last = u32::from(usable_range(self.cidr).1);
        let mut given = Vec::new();
        let mut at = self.low;
        while (given.len() as u64) < u64::from(count) && at <= last {
            if !self.is_reserved(at) && !self.used.put(self.place(at)) {
                given.push(Ipv4Addr::from(at));
            }
            at += 1;
        }
        self.low = at;
        Ok(given)
    }

    /// Every aligned /28 that could become a prefix: those of ranges reserved for prefixes first, each part ascending.
    ///
    /// All 16 addresses are free. The first and the last block hold EC2's own addresses and never count.
    /// MODEL: EC2 picks among several reserved ranges at random; whether it turns to unreserved ones when they are full is
    /// not documented, the lab does.
    #[must_use]
    pub fn free_blocks(&self) -> Vec<Ipv4Net> {
        self.prefixes_to_give().collect()
    }

    fn prefixes_to_give(&self) -> impl Iterator<Item = Ipv4Net> {
        let (first, last) = (u32::from(self.cidr.network()), u32::from(self.cidr.broadcast()));
        let all = move || (first..=last).step_by(16).filter(|base| self.block_is_free(*base));
        let kept = all().filter_map(block).filter(|block| self.kept_for_prefixes(block));
        let others = all()
            .filter_map(block)
            .filter(|block| self.reserved.iter().all(|(range, _)| !overlap(range, block)));
        kept.chain(others)
    }

    fn kept_for_prefixes(&self, block: &Ipv4Net) -> bool {
        self.reserved.iter().any(|(range, kind)| *kind == ReservationType::Prefix && range.contains(block))
    }

    /// `count` free prefixes, now taken.
    /// # Errors
    /// [`Exhausted::Blocks`]; nothing is taken.
    pub fn assign_prefixes(&mut self, count: u32) -> Result<Vec<Ipv4Net>, Exhausted> {
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        let blocks: Vec<Ipv4Net> = self.prefixes_to_give().take(wanted).collect();
        if blocks.len() < wanted {
            return Err(Exhausted::Blocks);
        }
        for block in &blocks {
            self.take_block(*block);
        }
        Ok(blocks)
    }

    fn block_is_free(&self, base: u32) -> bool {
        let (first, last) = usable_range(self.cidr);
        base.is_multiple_of(16)
            && base >= u32::from(first)
            && base.checked_add(15).is_some_and(|end| end <= u32::from(last))
            && !self.used.contains_any_in_range(self.place(base)..self.place(base) + 16)
    }

    fn take_block(&mut self, block: Ipv4Net) {
        let first = self.place(u32::from(block.network()));
        self.used.insert_range(first..first + 16);
    }
}

fn block(base: u32) -> Option<Ipv4Net> {
    Ipv4Net::new(Ipv4Addr::from(base), 28).ok()
}

trait HostsAndEnds {
    fn hosts_and_ends(&self) -> impl Iterator<Item = Ipv4Addr>;
}

impl HostsAndEnds for Ipv4Net {
    /// All addresses of the block: in a /28 prefix the first and the last go to pods too.
    fn hosts_and_ends(&self) -> impl Iterator<Item = Ipv4Addr> {
        (u32::from(self.network())..=u32::from(self.broadcast())).map(Ipv4Addr::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(cidr: &str) -> SubnetAddresses {
        SubnetAddresses::new(cidr.parse().expect("a block"))
    }

    #[test]
    fn the_first_address_is_the_fifth_and_the_last_is_kept() {
        let mut s = subnet("10.0.64.0/28");
        assert_eq!(s.free(), 11);
        let all = s.assign(11).expect("eleven addresses");
        assert_eq!(all.first().map(ToString::to_string).as_deref(), Some("10.0.64.4"));
        assert_eq!(all.last().map(ToString::to_string).as_deref(), Some("10.0.64.14"));
        assert_eq!(s.assign(1), Err(Exhausted::Addresses));
    }

    #[test]
    fn a_request_is_granted_whole_or_not_at_all() {
        let mut s = subnet("10.0.64.0/28");
        assert_eq!(s.assign(12), Err(Exhausted::Addresses));
        assert_eq!(s.free(), 11);
    }

    #[test]
    fn an_address_given_back_is_given_out_first() {
        let mut s = subnet("10.0.64.0/26");
        let three = s.assign(3).expect("three");
        s.give_back(three[1]);
        assert_eq!(s.assign(2).expect("two"), [three[1], "10.0.64.7".parse().expect("an address")]);
    }

    #[test]
    fn first_and_last_block_never_are_prefixes() {
        assert_eq!(subnet("10.0.0.0/24").free_blocks().len(), 14);
        assert_eq!(subnet("10.0.0.0/26").free_blocks().len(), 2);
        assert_eq!(subnet("10.0.0.0/27").free_blocks().len(), 0);
    }

    #[test]
    fn one_address_spoils_its_block() {
        let mut s = subnet("10.0.0.0/26");
        assert!(s.take("10.0.0.20".parse().expect("an address")));
        assert_eq!(s.assign_prefixes(2), Err(Exhausted::Blocks));
        assert_eq!(s.assign_prefixes(1).expect("one")[0].to_string(), "10.0.0.32/28");
    }

    #[test]
    fn a_range_reserved_for_prefixes_is_left_by_single_addresses() {
        let mut s = subnet("10.0.0.0/26");
        s.reserve("10.0.0.16/28".parse().expect("a block"), ReservationType::Prefix);
        assert_eq!((s.free(), s.set_aside()), (43, 16));
        let singles = s.assign(20).expect("twenty");
        assert_eq!(singles.last().map(ToString::to_string).as_deref(), Some("10.0.0.39"));
        assert_eq!(s.assign_prefixes(1).expect("one")[0].to_string(), "10.0.0.16/28");
        assert_eq!(s.assign_prefixes(1), Err(Exhausted::Blocks));
        assert_eq!((s.free(), s.set_aside()), (23, 0));
    }

    #[test]
    fn a_range_reserved_for_those_who_name_it_gives_no_prefix() {
        let mut s = subnet("10.0.0.0/26");
        s.reserve("10.0.0.16/29".parse().expect("a block"), ReservationType::Explicit);
        assert_eq!(s.free_blocks(), ["10.0.0.32/28".parse().expect("a block")]);
        assert!(s.take("10.0.0.17".parse().expect("an address")));
        assert_eq!(s.set_aside(), 7);
    }
}
