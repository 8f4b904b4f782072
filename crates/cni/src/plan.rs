//! What should ipamd ask EC2 for next?
//!
//! [`plan`] compares a pool with its targets and names the moves with the arithmetic behind them; it makes none.
//! One call is one round of ipamd's loop: at most one growth, one shrink and one ENI to delete.
//! Source: amazon-vpc-cni-k8s `pkg/ipamd/ipamd.go` (`updateIPPoolIfRequired` and what it calls), v1.23.1.

use api::{SimDuration, SimTime};
use ipnet::IpNet;
use serde::Serialize;

use crate::{
    EniLimits, IpPool, PoolEni, PoolFigures, PoolMode, WarmTargets, figures,
    max_pods::ADDRESSES_PER_PREFIX,
    pool::{blocks, held, resting},
    targets::addresses_per_slot,
};

/// Addresses are given back at most this often.
const SHRINK_INTERVAL: SimDuration = SimDuration::secs(30);
/// A younger ENI is never deleted.
const ENI_MIN_LIFE: SimDuration = SimDuration::secs(60);

/// One thing to ask EC2 for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Attempt {
    /// More addresses or prefixes on an ENI that is there.
    Assign {
        /// The ENI's name.
        eni: String,
        /// How many slots to fill.
        count: u32,
    },
    /// A new ENI.
    CreateEni {
        /// How many of its slots to fill.
        count: u32,
    },
}

/// One move of a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Move {
    /// Ask for these, in order, until one is granted.
    Grow {
        /// What to ask for.
        attempts: Vec<Attempt>,
        /// Whether to ask for nothing for a while if the last of them fails for want of addresses.
        back_off: bool,
    },
    /// Give these blocks back.
    Unassign {
        /// The ENI's name.
        eni: String,
        /// Its blocks.
        blocks: Vec<IpNet>,
    },
    /// Detach and delete an ENI.
    DeleteEni {
        /// The ENI's name.
        eni: String,
    },
}

/// Why a pool grows, shrinks or rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// There is as much as wanted.
    Enough,
    /// Addresses lack.
    Low,
    /// Addresses lack, but the pool has as many as the node may have pods.
    AtMaxPods,
    /// Addresses lack, but every slot of every ENI is filled.
    AtLimit,
    /// Addresses lack, but the node is cordoned or going.
    Paused,
    /// Addresses lack, but the subnet just had none.
    BackOff,
    /// There is more than wanted.
    High,
}

/// The numbers that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Arithmetic {
    /// The pool when it was looked at.
    pub pool: PoolFigures,
    /// Most ENIs.
    pub max_enis: u32,
    /// Slots of an ENI that can serve pods.
    pub slots_per_eni: u32,
    /// Addresses in the pool that no pod holds: resting ones count.
    pub available: u32,
    /// What must be available: whole ENIs or prefixes, or the target in addresses.
    pub wanted: u32,
    /// Slots that lack.
    pub short: u32,
    /// Slots that are too many.
    pub over: u32,
    /// The verdict.
    pub why: Why,
}

/// A round of ipamd's loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolPlan {
    /// What to do, in this order.
    pub moves: Vec<Move>,
    /// Why.
    pub arithmetic: Arithmetic,
}

/// The moves that bring a pool towards its targets.
#[must_use]
pub fn plan(pool: &IpPool, targets: &WarmTargets, limits: &EniLimits, now: SimTime) -> PoolPlan {
    let round = Round { pool, targets, limits, now, f: figures(pool, targets.cooldown, now) };
    if pool.mode == PoolMode::Ipv6Prefix {
        return round.ipv6();
    }
    let (short, over) = round.short_and_over();
    let low = round.is_low(short);
    let mut moves = Vec::new();
    let mut why = if !low && round.wants() && round.at_max_pods() { Why::AtMaxPods } else { Why::Enough };
    if low {
        let (growth, reason) = round.grow(short);
        moves.extend(growth);
        why = reason;
    } else if over > 0 && round.may_shrink() {
        moves.extend(round.shrink(over));
        why = Why::High;
    }
    if round.looks_for_extra_eni() {
        moves.extend(round.deletable_eni().map(|eni| Move::DeleteEni { eni: eni.name.clone() }));
    }
    let arithmetic = Arithmetic {
        available: round.f.available(),
        wanted: round.wanted(),
        max_enis: limits.max_enis(targets),
        slots_per_eni: limits.slots_per_eni(),
        short,
        over,
        why,
        pool: round.f,
    };
    PoolPlan { moves, arithmetic }
}

/// When a plan may come out otherwise though nothing in the pool changes: an address has rested, an ENI is old enough,
/// a wait is over. `None` if time alone changes nothing.
#[must_use]
pub fn changes_at(pool: &IpPool, targets: &WarmTargets, now: SimTime) -> Option<SimTime> {
    let idle =
        |eni: &&PoolEni| eni.device_index != 0 && !eni.trunk && eni.blocks.iter().all(|b| held(b) == 0);
    let ages = pool.enis.iter().filter(idle).map(|eni| eni.created_at + ENI_MIN_LIFE);
    let addresses = pool.enis.iter().flat_map(|eni| &eni.blocks).flat_map(|block| &block.addresses);
    let rested = addresses
        .filter(|address| address.sandbox.is_none())
        .filter_map(|address| address.unassigned_at)
        .map(|at| at + targets.cooldown + SimDuration::millis(1));
    let shrink = pool.last_shrink.map(|at| at + SHRINK_INTERVAL + SimDuration::millis(1));
    ages.chain(rested).chain(shrink).chain(pool.back_off_until).filter(|at| *at > now).min()
}

struct Round<'a> {
    pool: &'a IpPool,
    targets: &'a WarmTargets,
    limits: &'a EniLimits,
    now: SimTime,
    f: PoolFigures,
}

impl Round<'_> {
    /// One prefix on the primary ENI, once; it is never given back, and no target counts.
    fn ipv6(self) -> PoolPlan {
        let primary = self.pool.enis.iter().find(|eni| eni.device_index == 0 && !eni.excluded);
        let lacks = self.f.prefixes == 0;
        let attempt =
            primary.filter(|_| lacks).map(|eni| Attempt::Assign { eni: eni.name.clone(), count: 1 });
        let moves = attempt.map(|it| Move::Grow { attempts: vec![it], back_off: false });
        let arithmetic = Arithmetic {
            available: self.f.available(),
            wanted: 1,
            max_enis: self.limits.max_enis(self.targets),
            slots_per_eni: self.limits.slots_per_eni(),
            short: u32::from(lacks),
            over: 0,
            why: if lacks { Why::Low } else { Why::Enough },
            pool: self.f,
        };
        PoolPlan { moves: moves.into_iter().collect(), arithmetic }
    }

    fn prefixes(&self) -> bool {
        self.pool.mode == PoolMode::Prefix
    }

    /// What must be available for the pool not to be low.
    fn wanted(&self) -> u32 {
        if self.targets.in_addresses() {
            self.targets.warm_ip
        } else if self.prefixes() {
            self.targets.warm_prefix * ADDRESSES_PER_PREFIX
        } else {
            self.targets.warm_eni * self.limits.addresses_per_eni(self.pool.mode)
        }
    }

    /// Slots that lack and slots that are too many, by targets in addresses or in prefixes. Without either only whole
    /// ENIs come and go, and both are zero.
    fn short_and_over(&self) -> (u32, u32) {
        if !self.targets.in_addresses() {
            let extra = self.f.free_prefixes.saturating_sub(self.targets.warm_prefix);
            return (0, if self.prefixes() { extra } else { 0 });
        }
        let (warm, floor) = (self.targets.warm_ip, self.targets.minimum_ip);
        let (available, total) = (self.f.available(), self.f.attached);
        let short = warm.saturating_sub(available).max(floor.saturating_sub(total));
        if !self.prefixes() {
            return (short, available.saturating_sub(warm).min(total.saturating_sub(floor)));
        }
        let needed = (self.f.used + warm).div_ceil(ADDRESSES_PER_PREFIX);
        let over = self.f.free_prefixes.min(self.f.prefixes.saturating_sub(needed));
        let floor = floor.div_ceil(ADDRESSES_PER_PREFIX);
        (short.div_ceil(ADDRESSES_PER_PREFIX), over.min(self.f.prefixes.saturating_sub(floor)))
    }

    fn at_max_pods(&self) -> bool {
        self.f.attached >= self.pool.max_pods
    }

    fn wants(&self) -> bool {
        self.f.available() < self.wanted() || (self.wanted() == 0 && self.f.available() == 0)
    }

    fn is_low(&self, short: u32) -> bool {
        if self.at_max_pods() {
            return false;
        }
        if self.targets.in_addresses() { short > 0 } else { self.wants() }
    }

    fn grow(&self, short: u32) -> (Option<Move>, Why) {
        if self.targets.paused && !self.targets.manage_non_schedulable {
            return (None, Why::Paused);
        }
        if self.pool.back_off_until.is_some_and(|until| self.now < until) {
            return (None, Why::BackOff);
        }
        let want = self.want(short);
        let mut attempts = Vec::new();
        for eni in self.pool.enis.iter().filter(|eni| self.is_allocatable(eni)) {
            let room = self.limits.slots_per_eni() - eni.blocks.len() as u32;
            let count = room.min(want);
            attempts.push(Attempt::Assign { eni: eni.name.clone(), count });
            // UPSTREAM: after any refusal it asks for one, even if one was what it asked for.
            attempts.push(Attempt::Assign { eni: eni.name.clone(), count: 1 });
            if !self.targets.subnet_discovery {
                return (Some(Move::Grow { attempts, back_off: true }), Why::Low);
            }
        }
        let creates = self.has_room_for_eni();
        if creates {
            attempts.push(Attempt::CreateEni { count: want.min(self.limits.slots_per_eni()) });
        }
        if attempts.is_empty() {
            return (None, Why::AtLimit);
        }
        (Some(Move::Grow { attempts, back_off: creates }), Why::Low)
    }

    /// Slots to ask for.
    fn want(&self, short: u32) -> u32 {
        match (self.pool.mode, self.targets.in_addresses()) {
            (PoolMode::SecondaryIp, true) => short,
            (PoolMode::SecondaryIp, false) => self.limits.slots_per_eni(),
            (PoolMode::Prefix, true) => short.max(1),
            (PoolMode::Ipv6Prefix, _) => 1,
            (PoolMode::Prefix, false) => self.targets.warm_prefix.saturating_sub(self.f.free_prefixes).max(1),
        }
    }

    fn is_allocatable(&self, eni: &PoolEni) -> bool {
        let kept_from_pods =
            eni.trunk || eni.excluded || (self.pool.custom_networking && eni.device_index == 0);
        !kept_from_pods && (eni.blocks.len() as u32) < self.limits.slots_per_eni()
    }

    fn has_room_for_eni(&self) -> bool {
        let trunk_to_come =
            self.targets.pod_eni && self.limits.trunk_capable && !self.pool.enis.iter().any(|eni| eni.trunk);
        self.f.enis < self.limits.max_enis(self.targets).saturating_sub(u32::from(trunk_to_come))
    }

    fn may_shrink(&self) -> bool {
        self.pool.last_shrink.is_none_or(|at| self.now.since(at) > SHRINK_INTERVAL)
    }

    /// Blocks without a pod, resting ones included, ENI by ENI.
    fn shrink(&self, over: u32) -> Vec<Move> {
        let mut left = over as usize;
        let mut moves = Vec::new();
        for eni in &self.pool.enis {
            let free: Vec<IpNet> = blocks(eni, self.pool.mode)
                .filter(|block| held(block) == 0)
                .map(|block| block.cidr)
                .take(left)
                .collect();
            left -= free.len();
            if !free.is_empty() {
                moves.push(Move::Unassign { eni: eni.name.clone(), blocks: free });
            }
        }
        moves
    }

    fn looks_for_extra_eni(&self) -> bool {
        if self.targets.in_addresses() {
            return true;
        }
        let target = if self.prefixes() { self.targets.warm_prefix } else { self.targets.warm_eni };
        let spare = (target + 1) * self.limits.addresses_per_eni(self.pool.mode);
        let idle = |eni: &PoolEni| eni.device_index != 0 && !eni.trunk && pods(eni, self.pool.mode) == 0;
        self.f.available() >= spare || (self.prefixes() && self.pool.enis.iter().any(idle))
    }

    fn deletable_eni(&self) -> Option<&PoolEni> {
        self.pool.enis.iter().find(|eni| {
            eni.device_index != 0
                && !eni.trunk
                && self.now.since(eni.created_at) >= ENI_MIN_LIFE
                && eni.blocks.iter().all(|b| held(b) == 0 && resting(b, self.targets.cooldown, self.now) == 0)
                && self.others_are_enough(eni)
        })
    }

    fn others_are_enough(&self, eni: &PoolEni) -> bool {
        let per_slot = addresses_per_slot(self.pool.mode);
        let rounded = |addresses: u32| addresses.div_ceil(per_slot) * per_slot;
        let others = || {
            self.pool
                .enis
                .iter()
                .filter(|other| other.name != eni.name)
                .flat_map(|other| blocks(other, self.pool.mode))
        };
        let total = others().count() as u32 * per_slot;
        let free = total - others().map(held).sum::<u32>();
        let free_prefixes = others().filter(|block| held(block) == 0).count() as u32;
        free >= rounded(self.targets.warm_ip)
            && total >= rounded(self.targets.minimum_ip)
            && (!self.prefixes() || free_prefixes >= self.targets.warm_prefix)
    }
}

fn pods(eni: &PoolEni, mode: PoolMode) -> u32 {
    blocks(eni, mode).map(held).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{COOLDOWN, SandboxId, assign, pool::tests::pool};

    const SMALL: EniLimits =
        EniLimits { enis: 3, ipv4_per_eni: 4, prefix_capable: true, trunk_capable: false };

    fn targets(env: &[(&str, &str)]) -> WarmTargets {
        let env: BTreeMap<String, String> = env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        WarmTargets::from_env(&env)
    }

    fn with_pods(text: &str, pods: usize) -> IpPool {
        let mut p = pool(text);
        for n in 0..pods {
            assign(&mut p, &SandboxId(format!("default/{n}")), COOLDOWN, SimTime::ZERO).expect("an address");
        }
        p
    }

    #[test]
    fn one_whole_eni_in_reserve_is_enough() {
        let p = pool("eth0=10.0.0.5,10.0.0.6,10.0.0.7");
        assert_eq!(plan(&p, &targets(&[]), &SMALL, SimTime::ZERO).moves, []);
    }

    #[test]
    fn the_first_pod_brings_the_second_eni() {
        let p = with_pods("eth0=10.0.0.5,10.0.0.6,10.0.0.7", 1);
        let growth = Move::Grow { attempts: vec![Attempt::CreateEni { count: 3 }], back_off: true };
        let it = plan(&p, &targets(&[]), &SMALL, SimTime::ZERO);
        assert_eq!(it.moves, [growth]);
        assert_eq!((it.arithmetic.available, it.arithmetic.wanted), (2, 3));
    }

    #[test]
    fn a_full_instance_says_so() {
        let p = with_pods("eth0=10.0.0.5 eth1=10.0.0.6 eth2=10.0.0.7", 3);
        let one_slot = EniLimits { ipv4_per_eni: 2, ..SMALL };
        assert_eq!(plan(&p, &targets(&[]), &one_slot, SimTime::ZERO).arithmetic.why, Why::AtLimit);
    }

    #[test]
    fn max_pods_ends_growth() {
        let mut p = with_pods("eth0=10.0.0.5,10.0.0.6,10.0.0.7", 3);
        p.max_pods = 3;
        assert_eq!(plan(&p, &targets(&[]), &SMALL, SimTime::ZERO).arithmetic.why, Why::AtMaxPods);
    }

    #[test]
    fn one_ipv6_prefix_is_asked_for_and_no_target_counts() {
        let mut p = pool("eth0=");
        p.mode = PoolMode::Ipv6Prefix;
        let wants = targets(&[("WARM_ENI_TARGET", "1"), ("WARM_PREFIX_TARGET", "5")]);
        let ask = Attempt::Assign { eni: "eth0".to_owned(), count: 1 };
        let growth = Move::Grow { attempts: vec![ask], back_off: false };
        assert_eq!(plan(&p, &wants, &SMALL, SimTime::ZERO).moves, [growth]);
        let mut p = with_pods("eth0=2001:db8:0:1:2::/80", 0);
        p.mode = PoolMode::Ipv6Prefix;
        assert_eq!(plan(&p, &wants, &SMALL, SimTime::ZERO).moves, []);
    }

    #[test]
    fn a_spare_eni_goes_after_a_minute() {
        let p = pool("eth0=10.0.0.5,10.0.0.6,10.0.0.7 eth1=10.0.0.8,10.0.0.9,10.0.0.10");
        assert_eq!(plan(&p, &targets(&[]), &SMALL, SimTime(59_000)).moves, []);
        let gone = Move::DeleteEni { eni: "eth1".to_owned() };
        assert_eq!(plan(&p, &targets(&[]), &SMALL, SimTime(60_000)).moves, [gone]);
    }
}
