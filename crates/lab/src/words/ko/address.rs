//! Addresses in Korean: a node's pool, a subnet's blocks.

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
        PoolMode::SecondaryIp => "낱개 주소",
        PoolMode::Prefix => "16개짜리 프리픽스",
        PoolMode::Ipv6Prefix => "IPv6",
    };
    let held = if f.mode == PoolMode::Ipv6Prefix {
        let resting = f.cooldown;
        format!(
            "{mode}: 기본 ENI의 /80 프리픽스 {}개(주소 2^48개): 사용 {}, 쿨다운 {resting}",
            f.prefixes, f.used
        )
    } else {
        format!(
            "{mode}: ENI {}/{}개, 주소 {}개: 사용 {}, 웜 {}, 쿨다운 {}",
            f.enis, pool.max_enis, f.attached, f.used, f.warm, f.cooldown
        )
    };
    let mut out = vec![Step { mark: Mark::Number, text: held }];
    if pool.stale > 0 {
        let text = format!("모드를 바꾸기 전에 받은 {}개는 세지 않음: 새 파드에 주지 않음", pool.stale);
        out.push(Step { mark: Mark::Wait, text });
    }
    if let Some(next) = pool.next.as_ref().filter(|_| f.mode == PoolMode::Ipv6Prefix) {
        let text = match next.plan.moves.is_empty() {
            true => {
                "노드가 실행할 수 있는 모든 파드에 프리픽스 하나로 충분함: 웜 목표는 쓰지 않고 ENI를 더 붙이지 않음"
            }
            false => "EC2에 프리픽스 하나를 요청함",
        };
        out.push(Step { mark: Mark::Good, text: text.to_owned() });
        let text = "최대 파드 수는 IPv4 프리픽스일 때와 같은 식으로 정해짐: 주소가 모자라는 일은 없음";
        out.push(Step { mark: Mark::Number, text: text.to_owned() });
    } else if let Some(next) = &pool.next {
        out.push(Step { mark: Mark::Number, text: targets(next) });
        out.push(verdict(pool, next));
        out.extend(superfluous(pool, next));
    }
    out.extend(
        pool.error.iter().map(|error| Step { mark: Mark::Bad, text: format!("ipamd 로그: `{error}`") }),
    );
    out
}

/// What a term of the formula counts.
#[must_use]
pub fn term(term: Term, f: &Formula) -> String {
    match term {
        Term::Enis => {
            format!("{}에는 파드에 주소를 주는 ENI를 {}개 붙일 수 있습니다.", f.instance_type, f.enis)
        }
        Term::Addresses => format!("ENI마다 IPv4 주소를 {}개 가질 수 있습니다.", f.addresses),
        Term::Own => "각 ENI의 첫 주소는 ENI 자신의 것이어서 파드에 주지 않습니다.".to_owned(),
        Term::PerSlot => "프리픽스를 쓰면 슬롯 하나에 주소가 한 개가 아니라 16개 들어갑니다.".to_owned(),
        Term::Host => {
            "aws-node와 kube-proxy는 노드의 네트워크를 씁니다. 파드 수에는 들어가지만 주소는 필요 없습니다."
                .to_owned()
        }
        Term::Most => format!("이 크기의 노드에는 파드를 {}개까지 권장합니다.", f.result),
    }
}

/// Who holds addresses of a subnet.
#[must_use]
pub fn holder(it: &Holder) -> String {
    match it.whose {
        Whose::Node => format!("노드 {}", it.name),
        Whose::MicroVm => "Fargate 마이크로 VM".to_owned(),
        Whose::Branch => format!("전용 ENI를 가진 파드 {}", it.name),
        Whose::Eks => "EKS의 교차 계정 ENI".to_owned(),
        Whose::LoadBalancer => format!("로드 밸런서 {}", it.name),
        Whose::Endpoint => format!("인터페이스 엔드포인트 {}", it.name),
        Whose::Nat => "NAT 게이트웨이".to_owned(),
        Whose::Account => it.name.clone(),
    }
}

/// How a pool came to be as it is, for those who do not see the curve.
#[must_use]
pub fn history(it: &History) -> String {
    let ends = it.samples.first().zip(it.samples.last());
    ends.map_or_else(String::new, |(first, last)| {
        format!(
            "사용 {} → {}개, 보유 {} → {}개. 서브넷 {}: 남은 주소 {} → {}개.",
            first.used, last.used, first.attached, last.attached, it.subnet, first.free, last.free
        )
    })
}

/// A block of 16 addresses of a subnet.
#[must_use]
pub fn block(block: &Block) -> String {
    let cidr = block.cidr;
    match block.state {
        BlockState::Whole => format!("{cidr}: 온전함, 프리픽스가 될 수 있음"),
        BlockState::Reserved(ReservationType::Prefix) => format!("{cidr}: 프리픽스용으로 예약됨"),
        BlockState::Reserved(ReservationType::Explicit) => format!("{cidr}: 주소를 지정하는 쪽에 예약됨"),
        BlockState::Broken if block.taken == 0 => {
            format!("{cidr}: AWS가 쓰는 주소가 있어 프리픽스가 될 수 없음")
        }
        BlockState::Broken => format!("{cidr}: {}개가 쓰여 프리픽스가 될 수 없음", block.taken.count_ones()),
        BlockState::Full => format!("{cidr}: 낱개로 모두 쓰임"),
        BlockState::Prefix => format!("{cidr}: ENI가 가진 프리픽스"),
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
            format!("`WARM_PREFIX_TARGET={}`: 여유 주소 {}개", it.warm_prefix, next.plan.arithmetic.wanted)
        }
        PoolMode::Ipv6Prefix => String::new(),
        PoolMode::SecondaryIp => format!(
            "`WARM_ENI_TARGET={}`: {} × {slots} = 여유 주소 {}개",
            it.warm_eni, it.warm_eni, next.plan.arithmetic.wanted
        ),
    }
}

fn verdict(pool: &Pool, next: &NextRound) -> Step {
    let sums = &next.plan.arithmetic;
    let free = match (sums.available, sums.wanted) {
        (free, wanted) if free < wanted => format!("남은 주소 {free} < {wanted}"),
        (free, wanted) => format!("남은 주소 {free} ≥ {wanted}"),
    };
    let floor = next.targets.minimum_ip;
    let compared = if next.targets.in_addresses() && sums.pool.attached < floor {
        format!("{free}, 풀 {} < 바닥 {floor}", sums.pool.attached)
    } else {
        free
    };
    let say = |mark, what: String| Step { mark, text: format!("{compared}: {what}") };
    match sums.why {
        Why::Enough => say(Mark::Good, "충분합니다".to_owned()),
        Why::Low => say(Mark::Wait, format!("{}{}", soon(next), growth(pool, next))),
        Why::AtMaxPods => say(
            Mark::Number,
            format!("그러나 이미 노드의 최대 파드 수 {}만큼 쥐고 있습니다", sums.pool.max_pods),
        ),
        Why::AtLimit => say(Mark::Bad, "그러나 ENI의 슬롯이 모두 찼습니다".to_owned()),
        Why::Paused => say(Mark::Wait, "그러나 노드가 cordon되어 있습니다".to_owned()),
        Why::BackOff => {
            say(Mark::Bad, "그러나 방금 서브넷에 남은 것이 없었습니다. 나중에 다시 요청합니다".to_owned())
        }
        Why::High => say(Mark::Wait, format!("{}{}개를 돌려줍니다", soon(next), sums.over)),
    }
}

fn growth(pool: &Pool, next: &NextRound) -> String {
    if next.after.is_none() {
        return "붙고 있는 ENI를 기다립니다".to_owned();
    }
    let attempts = next.plan.moves.iter().find_map(|it| match it {
        Move::Grow { attempts, .. } => attempts.first(),
        Move::Unassign { .. } | Move::DeleteEni { .. } => None,
    });
    match attempts {
        Some(Attempt::Assign { eni, count }) => format!("`{}`에 {count}개를 더 요청합니다", pool.device(eni)),
        Some(Attempt::CreateEni { count }) => format!("{count}개를 채운 새 ENI를 붙입니다"),
        None => "더 요청합니다".to_owned(),
    }
}

fn soon(next: &NextRound) -> String {
    let after = next.after.map(|after| format!("{:.1}초 뒤 ", after.0 as f64 / 1000.0));
    after.unwrap_or_default()
}

fn superfluous(pool: &Pool, next: &NextRound) -> Option<Step> {
    next.plan.moves.iter().find_map(|it| match it {
        Move::DeleteEni { eni } => Some(Step {
            mark: Mark::Wait,
            text: format!("`{}`: 남는 ENI입니다. {}통째로 돌려줍니다", pool.device(eni), soon(next)),
        }),
        Move::Grow { .. } | Move::Unassign { .. } => None,
    })
}
