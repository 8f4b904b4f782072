//! Addresses in English: a node's pool, a subnet's blocks.

use api::kinds::aws::ReservationType;
use cluster::node::ipamd::NextRound;
use cni::{Attempt, Move, PoolMode, Why};

use crate::{
    view::{
        pool::{Formula, History, Pool, Term},
        subnet::{Block, BlockState, Holder, Whose},
    },
    words::{Mark, Step},
};

/// What a pool holds, what it should hold, and what follows.
pub fn chain(pool: &Pool) -> Vec<Step> {
    let f = &pool.figures;
    let mode = match f.mode {
        PoolMode::SecondaryIp => "Single addresses",
        PoolMode::Prefix => "Prefixes of 16",
        PoolMode::Ipv6Prefix => "IPv6",
    };
    let held = if f.mode == PoolMode::Ipv6Prefix {
        let resting = f.cooldown;
        format!(
            "{mode}: {} prefix /80 of 2^48 addresses on the primary ENI: used {}, resting {resting}",
            f.prefixes, f.used
        )
    } else {
        format!(
            "{mode}: ENIs {}/{}, addresses {}: used {}, warm {}, resting {}",
            f.enis, pool.max_enis, f.attached, f.used, f.warm, f.cooldown
        )
    };
    let mut out = vec![Step { mark: Mark::Number, text: held }];
    if pool.stale > 0 {
        let text =
            format!("{} held from before the mode was changed do not count: no new pod gets one", pool.stale);
        out.push(Step { mark: Mark::Wait, text });
    }
    if let Some(next) = pool.next.as_ref().filter(|_| f.mode == PoolMode::Ipv6Prefix) {
        let text = match next.plan.moves.is_empty() {
            true => {
                "One prefix is enough for every pod the node may run: no warm target counts, no further ENI is needed"
            }
            false => "It asks EC2 for its one prefix",
        };
        out.push(Step { mark: Mark::Good, text: text.to_owned() });
        let text = "The limit of pods is reckoned as with IPv4 prefixes, though addresses never run short";
        out.push(Step { mark: Mark::Number, text: text.to_owned() });
    } else if let Some(next) = &pool.next {
        out.push(Step { mark: Mark::Number, text: targets(next) });
        out.push(verdict(pool, next));
        out.extend(superfluous(pool, next));
    }
    out.extend(
        pool.error.iter().map(|error| Step { mark: Mark::Bad, text: format!("ipamd’s log: `{error}`") }),
    );
    out
}

/// What a term of the formula counts.
#[must_use]
pub fn term(term: Term, f: &Formula) -> String {
    match term {
        Term::Enis => format!("{} takes {} ENIs whose addresses pods get.", f.instance_type, f.enis),
        Term::Addresses => format!("Each of them takes {} IPv4 addresses.", f.addresses),
        Term::Own => "The first address of each ENI is its own: no pod gets it.".to_owned(),
        Term::PerSlot => "With prefixes each slot holds 16 addresses instead of one.".to_owned(),
        Term::Host => {
            "aws-node and kube-proxy use the node’s own network: they count as pods, and need no address."
                .to_owned()
        }
        Term::Most => format!("No more than {} pods are recommended for a node of this size.", f.result),
    }
}

/// Who holds addresses of a subnet.
#[must_use]
pub fn holder(it: &Holder) -> String {
    match it.whose {
        Whose::Node => format!("node {}", it.name),
        Whose::MicroVm => "a micro-VM of Fargate".to_owned(),
        Whose::Branch => format!("pod {}, with an ENI of its own", it.name),
        Whose::Eks => "EKS: cross-account ENI".to_owned(),
        Whose::Endpoint => format!("interface endpoint {}", it.name),
        Whose::LoadBalancer => format!("load balancer {}", it.name),
        Whose::Nat => "NAT gateway".to_owned(),
        Whose::Account => it.name.clone(),
    }
}

/// How a pool came to be as it is, for those who do not see the curve.
#[must_use]
pub fn history(it: &History) -> String {
    let ends = it.samples.first().zip(it.samples.last());
    ends.map_or_else(String::new, |(first, last)| {
        format!(
            "In use {} → {}, held {} → {}. Subnet {}: free {} → {}.",
            first.used, last.used, first.attached, last.attached, it.subnet, first.free, last.free
        )
    })
}

/// A block of 16 addresses of a subnet.
#[must_use]
pub fn block(block: &Block) -> String {
    let cidr = block.cidr;
    match block.state {
        BlockState::Whole => format!("{cidr}: whole, could become a prefix"),
        BlockState::Reserved(ReservationType::Prefix) => format!("{cidr}: kept for prefixes"),
        BlockState::Reserved(ReservationType::Explicit) => {
            format!("{cidr}: kept for those who name an address")
        }
        BlockState::Broken if block.taken == 0 => format!("{cidr}: holds addresses of AWS’s own, no prefix"),
        BlockState::Broken => format!("{cidr}: {} taken, so no prefix", block.taken.count_ones()),
        BlockState::Full => format!("{cidr}: all taken one by one"),
        BlockState::Prefix => format!("{cidr}: a prefix of an ENI"),
    }
}

fn targets(next: &NextRound) -> String {
    let it = &next.targets;
    if it.in_addresses() {
        return format!("`WARM_IP_TARGET={}` `MINIMUM_IP_TARGET={}`", it.warm_ip, it.minimum_ip);
    }
    let slots = next.plan.arithmetic.slots_per_eni;
    match next.plan.arithmetic.pool.mode {
        PoolMode::Prefix => {
            format!(
                "`WARM_PREFIX_TARGET={}`: {} addresses spare",
                it.warm_prefix, next.plan.arithmetic.wanted
            )
        }
        PoolMode::Ipv6Prefix => String::new(),
        PoolMode::SecondaryIp => format!(
            "`WARM_ENI_TARGET={}`: {} × {slots} = {} addresses spare",
            it.warm_eni, it.warm_eni, next.plan.arithmetic.wanted
        ),
    }
}

fn verdict(pool: &Pool, next: &NextRound) -> Step {
    let sums = &next.plan.arithmetic;
    let free = match (sums.available, sums.wanted) {
        (free, wanted) if free < wanted => format!("free {free} < {wanted}"),
        (free, wanted) => format!("free {free} ≥ {wanted}"),
    };
    let floor = next.targets.minimum_ip;
    let compared = if next.targets.in_addresses() && sums.pool.attached < floor {
        format!("{free}, pool {} < floor {floor}", sums.pool.attached)
    } else {
        free
    };
    let say = |mark, what: String| Step { mark, text: format!("{compared}: {what}") };
    match sums.why {
        Why::Enough => say(Mark::Good, "that is enough".to_owned()),
        Why::Low => say(Mark::Wait, format!("{}{}", growth(pool, next), soon(next))),
        Why::AtMaxPods => say(
            Mark::Number,
            format!("but it holds as many as the node may run pods, {}", sums.pool.max_pods),
        ),
        Why::AtLimit => say(Mark::Bad, "but every slot of its ENIs is filled".to_owned()),
        Why::Paused => say(Mark::Wait, "but the node is cordoned".to_owned()),
        Why::BackOff => say(Mark::Bad, "but its subnet just had none left; it asks again later".to_owned()),
        Why::High => say(Mark::Wait, format!("{} too many, it gives them back{}", sums.over, soon(next))),
    }
}

fn growth(pool: &Pool, next: &NextRound) -> String {
    if next.after.is_none() {
        return "it waits for the ENI that is being attached".to_owned();
    }
    let attempts = next.plan.moves.iter().find_map(|it| match it {
        Move::Grow { attempts, .. } => attempts.first(),
        Move::Unassign { .. } | Move::DeleteEni { .. } => None,
    });
    match attempts {
        Some(Attempt::Assign { eni, count }) => format!("it asks for {count} more on `{}`", pool.device(eni)),
        Some(Attempt::CreateEni { count }) => format!("it attaches another ENI with {count}"),
        None => "it asks for more".to_owned(),
    }
}

fn soon(next: &NextRound) -> String {
    let after = next.after.map(|after| format!(", in {:.1} s", after.0 as f64 / 1000.0));
    after.unwrap_or_default()
}

fn superfluous(pool: &Pool, next: &NextRound) -> Option<Step> {
    next.plan.moves.iter().find_map(|it| match it {
        Move::DeleteEni { eni } => Some(Step {
            mark: Mark::Wait,
            text: format!("`{}` is superfluous: the whole ENI goes back{}", pool.device(eni), soon(next)),
        }),
        Move::Grow { .. } | Move::Unassign { .. } => None,
    })
}

#[cfg(test)]
mod tests {
    use cluster::ClusterId;

    use crate::{
        Session, library,
        view::{
            Moment,
            why::{self, Why},
        },
    };

    /// What is said of worker-a's pool after some lines, on nodes whose ENIs serve three pods each.
    fn said(lines: &[&str]) -> Vec<String> {
        let mut session = Session::new(library::scenario("pool").expect("a fixture"), 1).expect("a session");
        lines.iter().for_each(|line| drop(session.run_line(line)));
        let why = why::why(Moment::of(session.world()), ClusterId(1), "Node/worker-a", None);
        let Some(Why::Node(node)) = why else { panic!("no node") };
        super::chain(&node.pool.expect("a pool")).into_iter().map(|step| step.text).collect()
    }

    #[test]
    fn a_node_without_pods_holds_a_whole_spare_eni() {
        assert_eq!(
            said(&[]),
            [
                "Single addresses: ENIs 1/3, addresses 3: used 0, warm 3, resting 0",
                "`WARM_ENI_TARGET=1`: 1 × 3 = 3 addresses spare",
                "free 3 ≥ 3: that is enough"
            ]
        );
    }

    #[test]
    fn targets_in_addresses_are_told_instead_of_enis() {
        let set = "kubectl set env daemonset aws-node -n kube-system WARM_IP_TARGET=1 MINIMUM_IP_TARGET=6";
        let told = said(&[set, "lab wait idle"]);
        assert_eq!(told[1], "`WARM_IP_TARGET=1` `MINIMUM_IP_TARGET=6`");
        assert_eq!(told[2], "free 6 ≥ 1: that is enough");
    }
}
