//! What the scheduler decides, in Korean: every reason of every plugin, what formulas are about, what a pod waits for.

use scheduler::{
    ClusterEvent, EventAction, EventResource, Reason, Sampled,
    decision::{Criterion, Outcome},
    formula::{About, amounts},
};

use crate::view::attempts::{Placed, Woken};

/// What a plugin asks.
#[must_use]
pub fn question(plugin: &str) -> &'static str {
    match plugin {
        "SchedulingGates" => "게이트가 남았나",
        "NodeUnschedulable" => "격리된 노드인가",
        "NodeName" => "지정한 노드인가",
        "TaintToleration" => "테인트를 참는가",
        "NodeAffinity" => "원하는 레이블이 있나",
        "NodePorts" => "호스트 포트가 비었나",
        "NodeResourcesFit" => "자리와 자원이 있나",
        "VolumeRestrictions" => "PVC를 혼자 쓸 수 있나",
        "NodeVolumeLimits" => "볼륨을 더 붙일 수 있나",
        "VolumeBinding" => "볼륨을 여기서 쓸 수 있나",
        "VolumeZone" => "볼륨과 같은 영역인가",
        "PodTopologySpread" => "고르게 퍼졌나",
        "InterPodAffinity" => "다른 파드와의 거리",
        "NodeResourcesBalancedAllocation" => "CPU와 메모리가 고른가",
        "ImageLocality" => "이미지가 있나",
        _ => "",
    }
}

/// A reason in the few words that fit a cell.
#[must_use]
pub fn short(reason: &Reason) -> String {
    match reason {
        Reason::Gated { gates } => format!("게이트 {}", gates.join(", ")),
        Reason::Cordoned {} => "격리됨".to_owned(),
        Reason::OtherNode { wanted } => format!("{wanted} 지정"),
        Reason::Untolerated { key, value, .. } => format!("테인트 {}", pair(key, value)),
        Reason::NotChosen { broken, .. } => format!("{} 아님", first(broken)),
        Reason::Conflicting {} => "조건이 서로 어긋남".to_owned(),
        Reason::NothingLeft { .. } => "남은 노드 없음".to_owned(),
        Reason::PortTaken { ports } => format!("포트 사용 중: {}", ports.join(", ")),
        Reason::TooManyPods { pods, limit } => format!("파드 {pods}/{limit}"),
        Reason::Insufficient { resource, wanted, used, allocatable } => {
            let [wanted, free] = amounts(resource, [*wanted, (allocatable - used).max(0)]);
            format!("{resource} {wanted} > 여유 {free}")
        }
        Reason::ClaimInUse { claims } => format!("PVC 사용 중: {}", claims.join(", ")),
        Reason::DiskTaken { disks } => format!("디스크 사용 중: {}", disks.join(", ")),
        Reason::TooManyVolumes { attached, limit, .. } => format!("볼륨 {attached}/{limit}"),
        Reason::ClaimMissing { claim } => format!("PVC {claim} 없음"),
        Reason::ClaimToBeMade { claim } => format!("PVC {claim} 아직 없음"),
        Reason::ClaimLost { claim, .. } => format!("PVC {claim}의 볼륨 사라짐"),
        Reason::ClaimDeleted { claim } => format!("PVC {claim} 삭제 중"),
        Reason::ClaimOfAnother { claim, .. } => format!("PVC {claim} 주인이 다름"),
        Reason::Unbound {} => "PVC 바인딩 전".to_owned(),
        Reason::VolumeElsewhere { volume, .. } => format!("볼륨 {volume} 다른 곳"),
        Reason::NoVolume { .. } => "맞는 볼륨 없음".to_owned(),
        Reason::VolumeGone { volume, .. } => format!("볼륨 {volume} 사라짐"),
        Reason::OtherZone { volume, .. } => format!("볼륨은 {}", volume.join(", ")),
        Reason::ClaimWithoutClass { claim } => format!("PVC {claim}: 클래스 없음"),
        Reason::ClassMissing { class } => format!("클래스 {class} 없음"),
        Reason::VolumeUnnamed { claim } => format!("PVC {claim}: 볼륨 없음"),
        Reason::VolumeMissing { volume } => format!("볼륨 {volume} 없음"),
        Reason::NoDomain { key } => format!("레이블 {key} 없음"),
        Reason::Skewed { domain, pods, own, least, .. } => format!("{domain}: 차이 {}", pods + own - least),
        Reason::NotNear { .. } => "곁에 둘 파드 없음".to_owned(),
        Reason::NotFar { pods, .. } => format!("피할 파드 {pods}개"),
        Reason::OthersKeepAway { pods, .. } => format!("밀어내는 파드 {pods}개"),
        Reason::NeverPreempts {} => "선점 안 함".to_owned(),
        Reason::MakingRoom { .. } => "자리 비우는 중".to_owned(),
        Reason::NotHelpful { nodes } => format!("선점해도 그대로: {nodes}"),
        Reason::NoVictims { nodes } => format!("덜 중요한 파드 없음: {nodes}"),
        Reason::StillNoRoom { nodes, .. } => format!("그래도 자리 없음: {nodes}"),
    }
}

/// A reason with its numbers, and what would change it.
#[must_use]
pub fn sentence(reason: &Reason) -> String {
    match reason {
        Reason::Gated { gates } => format!(
            "`schedulingGates`에 `{}` 게이트가 남아 있습니다. 붙인 쪽이 떼기 전에는 스케줄러가 보지 않습니다.",
            gates.join("`, `")
        ),
        Reason::Cordoned {} => {
            "격리(cordon)된 노드입니다. 있던 파드는 남고 새 파드는 오지 않습니다. `kubectl uncordon`으로 다시 엽니다."
                .to_owned()
        }
        Reason::OtherNode { wanted } => {
            format!("파드의 `nodeName`은 `{wanted}`인데, 이 노드는 다른 노드입니다.")
        }
        Reason::Untolerated { key, value, effect, .. } => format!(
            "노드에 `{}:{effect}` 테인트가 있고 파드에는 맞는 톨러레이션이 없습니다. 톨러레이션을 더하거나 테인트를 떼야 합니다.",
            pair(key, value)
        ),
        Reason::NotChosen { broken, labels } => {
            let has = if labels.is_empty() {
                "이 노드에는 그런 레이블이 없습니다.".to_owned()
            } else {
                format!("이 노드의 값은 `{}`입니다.", labels.join("`, `"))
            };
            format!("파드가 요구한 {} 조건이 맞지 않습니다. {has}", terms(broken, " 또는 "))
        }
        Reason::Conflicting {} => {
            "노드 이름을 고르는 조건들이 서로 어긋나서, 모두 만족하는 노드가 없습니다.".to_owned()
        }
        Reason::NothingLeft { plugins } => format!(
            "`{}`에 맞는 노드가 하나도 없습니다. 다른 노드는 보지 않았습니다.",
            plugins.join("`, `")
        ),
        Reason::PortTaken { ports } => format!(
            "이 노드의 `{}` 포트는 이미 있는 파드가 씁니다. 호스트 포트는 노드마다 파드 하나만 쓸 수 있습니다.",
            ports.join("`, `")
        ),
        Reason::TooManyPods { pods, limit } => format!(
            "파드 자리 {limit}개 중 {pods}개가 찼습니다. CPU가 남아도 `maxPods`(EKS에서는 ENI 주소 수로 정함)를 넘지 못합니다."
        ),
        Reason::Insufficient { resource, wanted, used, allocatable } => {
            let [wanted_text, used_text, all] = amounts(resource, [*wanted, *used, *allocatable]);
            let hope = if wanted > allocatable {
                "요청이 노드 전체보다 커서 다른 파드를 내보내도 소용없습니다."
            } else {
                "실제 사용량이 아니라 요청량으로 셉니다."
            };
            format!(
                "이 파드의 {resource} 요청은 {wanted_text}, 이 노드의 파드들이 이미 요청한 양은 {all} 중 {used_text}입니다. {hope}"
            )
        }
        Reason::ClaimInUse { claims } => format!(
            "`{}` PVC는 파드 하나만 쓸 수 있는데(ReadWriteOncePod) 다른 파드가 쓰고 있습니다.",
            claims.join("`, `")
        ),
        Reason::DiskTaken { disks } => {
            format!("이 노드의 다른 파드가 `{}` 디스크를 쓰고 있어 두 번 붙일 수 없습니다.", disks.join("`, `"))
        }
        Reason::TooManyVolumes { driver, attached, new, limit } => format!(
            "`{driver}` 드라이버는 이 노드에 볼륨을 {limit}개까지 붙입니다. 지금 {attached}개이고 이 파드가 {new}개를 더합니다."
        ),
        Reason::ClaimMissing { claim } => {
            format!("파드가 쓰는 PersistentVolumeClaim `{claim}`이(가) 없습니다.")
        }
        Reason::ClaimToBeMade { claim } => {
            format!("`{claim}` PVC는 파드에서 만들어지는데 아직 없습니다.")
        }
        Reason::ClaimLost { claim, volume } => {
            format!("`{claim}` PVC가 쓰던 볼륨 `{volume}`이(가) 사라졌습니다.")
        }
        Reason::ClaimDeleted { claim } => format!("`{claim}` PVC를 지우는 중입니다."),
        Reason::ClaimOfAnother { claim, pod } => {
            format!("`{claim}` PVC가 있지만 `{pod}` 파드를 위해 만든 것이 아닙니다. 주인이 따로 있습니다.")
        }
        Reason::Unbound {} => {
            "바로 바인딩되는 클래스의 PVC에 아직 볼륨이 없습니다. 바인딩될 때까지 스케줄러가 기다립니다.".to_owned()
        }
        Reason::VolumeElsewhere { claim, volume, .. } => format!(
            "`{claim}` PVC의 볼륨 `{volume}`은(는) 노드 어피니티 때문에 이 노드에서 쓸 수 없습니다. EBS 볼륨은 만든 영역을 떠나지 못합니다."
        ),
        Reason::NoVolume { claims } => format!(
            "`{}` PVC에 맞는 빈 볼륨이 여기 없고, 클래스가 이 노드에 새로 만들 수도 없습니다.",
            claims.join("`, `")
        ),
        Reason::VolumeGone { claim, volume } => {
            format!("`{claim}` PVC가 바인딩된 볼륨 `{volume}`이(가) 없습니다.")
        }
        Reason::OtherZone { label, volume, node } => format!(
            "볼륨의 `{label}` 값은 `{}`, 노드의 값은 `{}`입니다.",
            volume.join("`, `"),
            if node.is_empty() { "–" } else { node }
        ),
        Reason::ClaimWithoutClass { claim } => {
            format!("`{claim}` PVC에는 볼륨도 스토리지 클래스도 없어서 만들어 줄 곳이 없습니다.")
        }
        Reason::ClassMissing { class } => format!("StorageClass `{class}`이(가) 없습니다."),
        Reason::VolumeUnnamed { claim } => {
            format!("`{claim}` PVC의 클래스는 바로 바인딩되는데 아직 볼륨이 없습니다.")
        }
        Reason::VolumeMissing { volume } => format!("PersistentVolume `{volume}`이(가) 없습니다."),
        Reason::NoDomain { key } => {
            format!("노드에 `{key}` 레이블이 없어서 어느 도메인에도 들지 않고, 분산 조건을 지킬 수 없습니다.")
        }
        Reason::Skewed { key, domain, pods, own, least, max_skew, domains, min_domains } => {
            let few = if domains < min_domains {
                format!(" 도메인이 {domains}개로 `minDomains` {min_domains}보다 적어, 가장 적은 곳을 0으로 셉니다.")
            } else {
                String::new()
            };
            format!(
                "`{key}={domain}`에 해당 파드가 {pods}개 있고, 오면 {}개가 됩니다. 가장 적은 도메인은 {least}개이고 차이는 {max_skew}까지만 됩니다.{few}",
                pods + own
            )
        }
        Reason::NotNear { places } => {
            format!("곁에 있어야 할 파드가 `{}`에 없습니다.", places.join("`, `"))
        }
        Reason::NotFar { place, pods } => {
            format!("파드의 안티어피니티가 `{place}`에 있는 파드 {pods}개를 피합니다.")
        }
        Reason::OthersKeepAway { place, pods } => {
            format!("`{place}`의 파드 {pods}개가 안티어피니티로 이 파드를 밀어냅니다. 양쪽으로 통하는 조건입니다.")
        }
        Reason::NeverPreempts {} => {
            "`preemptionPolicy`가 `Never`입니다. 자리를 기다릴 뿐 아무도 내보내지 않습니다.".to_owned()
        }
        Reason::MakingRoom { node } => {
            format!("`{node}`의 파드들이 이 파드에게 자리를 비우는 중입니다. 끝날 때까지 더 내보내지 않습니다.")
        }
        Reason::NotHelpful { nodes } => {
            format!("노드 {nodes}개는 자리 문제가 아니라서 파드를 내보내도 달라지지 않습니다.")
        }
        Reason::NoVictims { nodes } => {
            format!("노드 {nodes}개에는 이 파드보다 덜 중요한 파드가 없어서 내보낼 수 없습니다.")
        }
        Reason::StillNoRoom { nodes, words } => {
            format!("노드 {nodes}개는 덜 중요한 파드를 모두 내보내도 맞지 않습니다: `{words}`.")
        }
    }
}

/// What one line of a formula is about.
#[must_use]
pub fn about(about: &About) -> String {
    match about {
        About::Resource(resource) => (*resource).to_owned(),
        About::Mean => "평균".to_owned(),
        About::Distance => "두 비율의 차이".to_owned(),
        About::Image(image) => image.clone(),
        About::NoImage => "이미지 없음".to_owned(),
        About::Images => "컨테이너마다 23~1000 MiB 사이".to_owned(),
        About::Taints => "참지 못하는 PreferNoSchedule 테인트".to_owned(),
        About::Terms => "맞는 조건의 가중치".to_owned(),
        About::Domain(key) => format!("{key}: 해당 파드 × 도메인 가중치"),
        About::Domains => "모든 도메인".to_owned(),
        About::Unspread => "조건의 레이블이 없음".to_owned(),
        About::Place(place) => place.clone(),
        About::Places => "모든 위치".to_owned(),
        About::Compared => "다른 노드와 비교".to_owned(),
        About::Incomparable => "노드끼리 차이 없음".to_owned(),
        About::Weighted => "× 가중치".to_owned(),
    }
}

/// How a score is meant, in one sentence.
#[must_use]
pub fn meaning(plugin: &str) -> &'static str {
    match plugin {
        "NodeResourcesFit" => {
            "요청량으로 보아 덜 찬 노드일수록 높습니다. 이 파드까지 더하고, 요청이 없는 컨테이너는 100m와 200Mi로 셉니다."
        }
        "NodeResourcesBalancedAllocation" => "CPU와 메모리의 비율이 비슷할수록 높습니다.",
        "ImageLocality" => "이미지가 많이 있을수록 높고, 여러 노드에 있는 이미지는 더 크게 셉니다.",
        "TaintToleration" => "참지 못하는 PreferNoSchedule 테인트가 적을수록 높습니다.",
        "NodeAffinity" => "선호 조건의 가중치 합이 클수록 높습니다.",
        "PodTopologySpread" => "같은 도메인에 해당 파드가 적을수록 높습니다.",
        "InterPodAffinity" => "어피니티 가중치가 크고 안티어피니티 가중치가 작을수록 높습니다.",
        _ => "",
    }
}

/// What preemption compared when it chose.
#[must_use]
pub fn criterion(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::Budgets => "PodDisruptionBudget이 지키는 파드를 가장 적게 내보냅니다",
        Criterion::HighestPriority => "내보낼 파드 중 가장 높은 우선순위가 가장 낮습니다",
        Criterion::Priorities => "내보낼 파드의 우선순위 합이 가장 작습니다",
        Criterion::Victims => "내보낼 파드가 가장 적습니다",
        Criterion::Started => "가장 중요한 희생 파드가 가장 늦게 시작했습니다",
    }
}

/// What would have the pod tried again.
#[must_use]
pub fn event(event: ClusterEvent) -> String {
    let what = match event.resource {
        EventResource::Node => "노드",
        EventResource::AssignedPod => "노드에 있는 파드",
        EventResource::UnscheduledPod => "이 파드",
        EventResource::PersistentVolumeClaim => "PersistentVolumeClaim",
        EventResource::PersistentVolume => "PersistentVolume",
        EventResource::StorageClass => "StorageClass",
        EventResource::CSINode => "CSINode",
    };
    let how = match event.action {
        EventAction::Add => "추가",
        EventAction::Delete => "삭제",
        EventAction::Update => "변경",
        EventAction::UpdateNodeAllocatable => "할당 가능량 변경",
        EventAction::UpdateNodeLabel | EventAction::UpdatePodLabel => "레이블 변경",
        EventAction::UpdateNodeTaint => "테인트 변경",
        EventAction::UpdatePodScaleDown => "요청량 감소",
        EventAction::UpdatePodToleration => "톨러레이션 변경",
        EventAction::UpdatePodSchedulingGatesEliminated => "마지막 게이트 제거",
    };
    format!("{what} {how}")
}

/// How an attempt ended.
#[must_use]
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Scheduled => "노드를 찾음",
        Outcome::Unschedulable => "맞는 노드 없음",
        Outcome::Gated => "게이트 때문에 시도 안 함",
        Outcome::Error => "계속할 수 없음",
    }
}

/// What had a pod tried.
#[must_use]
pub fn woken(woken: &Woken) -> String {
    match woken {
        Woken::New => "새로 만든 파드".to_owned(),
        Woken::Changed(kind, name) => format!("{kind} {name} 변경"),
        Woken::Came(kind, name) => format!("{kind} {name} 추가"),
        Woken::Went(kind, name) => format!("{kind} {name} 삭제"),
        Woken::Time => "5분이 지남".to_owned(),
        Woken::Rested => "쉬는 시간이 끝남".to_owned(),
    }
}

/// How a pod came to its node.
#[must_use]
pub fn placed(placed: &Placed) -> String {
    match placed {
        Placed::Scheduler(node) => format!("스케줄러가 `{node}`를 골랐습니다"),
        Placed::OnlyNode(node) => {
            format!(
                "DaemonSet이 `{node}`용으로 만들었습니다(이름으로 고르는 노드 어피니티). 스케줄러는 이 노드 하나만 검사했습니다"
            )
        }
        Placed::ByName(node) => {
            format!(
                "매니페스트에 `nodeName: {node}`이라고 적혀 있어 스케줄러가 보지 않았고, 자리가 있는지도 따지지 않았습니다"
            )
        }
        Placed::Static(node) => {
            format!(
                "`{node}`의 kubelet이 파일을 읽어 돌립니다. API에 보이는 것은 거울이고, 아무도 스케줄하지 않았습니다"
            )
        }
        Placed::Before(node) => {
            format!("이 세계가 시작될 때 이미 `{node}`에 있었습니다. 결정 기록이 없습니다")
        }
    }
}

/// What equal totals came to.
#[must_use]
pub fn tie(ties: &[String], node: &str) -> String {
    format!(
        "노드 {}대의 합계가 같습니다: `{}`. kube-scheduler는 이 중 하나를 무작위로 고릅니다. 여기서는 시드로 뽑아 `{node}`입니다.",
        ties.len(),
        listed(ties)
    )
}

/// PreFilter left only some nodes.
#[must_use]
pub fn narrowed(names: &[String]) -> String {
    format!("파드가 노드를 이름으로 정해서 이 노드만 보았습니다: `{}`.", listed(names))
}

/// Enough nodes had passed, so that others were not looked at.
#[must_use]
pub fn sampled(sampled: Sampled) -> String {
    let Sampled { looked_at, of, enough, .. } = sampled;
    let rest = of - looked_at.min(of);
    format!(
        "노드가 {of}대면 통과한 노드 {enough}대로 충분합니다(`percentageOfNodesToScore`). {looked_at}대를 보았을 때 다 찼으므로 나머지 {rest}대는 보지 않았고, 다음 파드는 거기서 시작합니다."
    )
}

/// Only the promised node was looked at.
#[must_use]
pub fn nominated_only(node: &str) -> String {
    format!("선점으로 `{node}`를 미리 약속받은 파드입니다. 이제 통과하므로 다른 노드는 보지 않았습니다.")
}

/// The pod was refused before any node was looked at.
#[must_use]
pub fn before_nodes(plugin: &str) -> String {
    format!("노드를 보기도 전에 `{plugin}`에서 막혔습니다. 그래서 노드 칸이 없습니다.")
}

/// What decided between the chosen node and the next.
#[must_use]
pub fn decided(plugin: &str, lead: i64, gap: i64) -> String {
    format!("`{plugin}` 점수가 갈랐습니다. 다음 노드보다 +{lead}, 합계로는 {gap} 차이입니다.")
}

/// Whom preemption evicts.
#[must_use]
pub fn evicts(node: &str, victims: &[String]) -> String {
    format!(
        "이 파드에게 `{node}`를 약속했습니다(`nominatedNodeName`). 거기서 내보낼 파드: `{}`.",
        victims.join("`, `")
    )
}

/// Why this candidate.
#[must_use]
pub fn chosen_by(by: Option<Criterion>, candidates: usize, ties: usize) -> String {
    match by {
        Some(by) => format!("후보 {candidates}대 중 이 노드를 고른 기준: {}.", criterion(by)),
        None if ties > 1 => format!("후보 {ties}대가 모든 기준에서 같습니다. 어느 쪽이든 될 수 있습니다."),
        None => "후보가 이 노드뿐입니다.".to_owned(),
    }
}

fn listed(names: &[String]) -> String {
    const MOST: usize = 6;
    let shown = names.iter().take(MOST).cloned().collect::<Vec<_>>().join("`, `");
    if names.len() > MOST { format!("{shown}`, … `+{}", names.len() - MOST) } else { shown }
}

fn pair(key: &str, value: &str) -> String {
    if value.is_empty() { key.to_owned() } else { format!("{key}={value}") }
}

fn first(broken: &[Vec<String>]) -> &str {
    broken.first().and_then(|it| it.first()).map_or("", String::as_str)
}

fn terms(broken: &[Vec<String>], or: &str) -> String {
    let term = |it: &Vec<String>| format!("`{}`", it.join("` `"));
    broken.iter().map(term).collect::<Vec<_>>().join(or)
}
