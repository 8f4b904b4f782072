//! Sentences in Korean: what is seen, then why, then what would change it.

use crate::{
    view::{
        beats::BeatKind,
        inspector::Label,
        outline::{Census, Entry},
        pod::PodState,
        scene::{NodeState, SlotState},
        timeline::Wait,
        why::{EniUse, NodeWhy, PodWhy, Why},
    },
    words::{Mark, Step},
};

/// A pod's state.
#[must_use]
pub fn state(state: PodState) -> &'static str {
    match state {
        PodState::Gated => "게이트",
        PodState::Pending => "Pending (대기)",
        PodState::Creating => "만드는 중",
        PodState::Running => "Running",
        PodState::NotReady => "준비 안 됨",
        PodState::Failed => "실패",
        PodState::Terminating => "종료 중",
        PodState::Completed => "끝남",
    }
}

/// One sentence for a thing.
#[must_use]
pub fn lead(why: &Why) -> String {
    match why {
        Why::Pod(pod) => pod_lead(pod),
        Why::Node(node) => node_lead(node),
        Why::Subnet(subnet) => format!(
            "{} 서브넷 {}입니다. 줄 수 있는 주소 {}개 중 {}개가 남았습니다.",
            if subnet.public { "퍼블릭" } else { "프라이빗" },
            subnet.cidr,
            subnet.total,
            subnet.free
        ),
        Why::Eni(EniUse::Eks, _) => {
            "EKS가 소유한 ENI입니다. 내 서브넷에 있고 주소 하나를 쓰지만, 파드는 여기 앉지 않습니다."
                .to_owned()
        }
        Why::Eni(EniUse::Trunk(branches), _) => format!(
            "트렁크 ENI입니다. 자기 주소를 파드에 주지 않고, 보안 그룹을 따로 쓰는 파드마다 하나씩 붙는 브랜치 ENI {branches}개를 나릅니다."
        ),
        Why::Eni(EniUse::Branch(pod, vlan, groups), _) => format!(
            "파드 {pod}의 브랜치 ENI입니다. 트렁크의 VLAN {vlan}을 쓰고 보안 그룹은 {}입니다.",
            groups.join(", ")
        ),
        Why::Eni(EniUse::MicroVm, _) => {
            "마이크로 VM의 하나뿐인 ENI입니다. 주소는 파드의 것이고, 파드와 함께 없어집니다.".to_owned()
        }
        Why::Eni(EniUse::LoadBalancer(_, Some(service)), _) => {
            format!("서비스 {service}의 로드 밸런서입니다. 자기 서브넷마다 주소를 하나씩 씁니다.")
        }
        Why::Eni(EniUse::LoadBalancer(name, None), _) => {
            format!("로드 밸런서 {name}의 ENI입니다. 자기 서브넷마다 주소를 하나씩 씁니다.")
        }
        Why::Eni(EniUse::Endpoint(service), _) => format!(
            "인터페이스 엔드포인트입니다. VPC 안에서 {service}의 이름을 물으면 이 주소가 답이고, 인터넷을 거치지 않습니다."
        ),
        Why::Eni(EniUse::Account(said), _) if said.is_empty() => {
            "어느 노드에도 붙지 않은 이 계정의 ENI입니다. 그래도 주소는 차지합니다.".to_owned()
        }
        Why::Eni(EniUse::Account(said), _) => {
            format!("EC2의 설명은 ‘{said}’입니다. 노드의 것이 아니지만 주소는 차지합니다.")
        }
        Why::Eni(EniUse::Own, addresses) => {
            format!("이 ENI는 서브넷에서 주소 {addresses}개를 받았습니다. 첫 주소는 ENI 자신의 것입니다.")
        }
        Why::Service(name, ip, ready, all) => format!(
            "서비스 {name}의 주소 {ip}는 모든 노드의 규칙 안에만 있습니다. 뒤에 파드 {all}개, 그중 {ready}개가 받습니다."
        ),
        Why::Part(part) => super::parts::lead(part),
        Why::Door(0, 0) => "기다리는 파드가 없습니다.".to_owned(),
        Why::Door(pending, 0) => format!("파드 {pending}개가 노드를 기다립니다."),
        Why::Door(0, gated) => format!("파드 {gated}개에 게이트가 걸려 있습니다. 스케줄러는 보지 않습니다."),
        Why::Door(pending, gated) => format!("파드 {pending}개가 노드를, {gated}개가 게이트를 기다립니다."),
        Why::Thing(kind, name) => thing(kind, name),
    }
}

/// What a part of the picture is for.
fn thing(kind: &str, name: &str) -> String {
    let text = match (kind, name) {
        ("ControlPlane", _) => {
            "API 서버, etcd, 스케줄러, 컨트롤러가 있는 컨트롤 플레인입니다. EKS에서는 AWS 계정에 있습니다."
        }
        ("InternetGateway", _) => "VPC와 인터넷 사이의 문입니다. 공인 주소가 있는 것만 지나갑니다.",
        ("NatGateway", _) => {
            "프라이빗 서브넷에서 나가는 연결에 자기 공인 주소를 빌려줍니다. 들어오는 연결은 열지 못합니다."
        }
        ("Vpc", _) => "내 VPC입니다. 서브넷의 주소는 모두 이 범위에서 나옵니다.",
        ("Actor", _) => "클러스터 밖의 컴퓨터입니다. 경로의 한쪽 끝이 됩니다.",
        ("Internet", _) => "VPC 밖입니다.",
        ("Az", _) => "가용 영역입니다. 서브넷은 한 영역에만 있고, 영역끼리는 따로 고장 납니다.",
        ("Network", "unknown") => "서브넷 자료가 없어 노드가 어느 네트워크에 있는지 알 수 없습니다.",
        ("Network", _) => "kind의 노드는 컨테이너이고, 이 네트워크에 함께 있습니다.",
        ("Socket", _) => "ENI를 더 붙일 수 있는 자리입니다.",
        _ => name,
    };
    text.to_owned()
}

fn pod_lead(pod: &PodWhy) -> String {
    if let (PodState::Pending, Some(fargate)) = (pod.state, &pod.fargate) {
        return super::fargate::lead(fargate);
    }
    match pod.state {
        PodState::Gated => format!(
            "게이트 {}개가 남아 있어 스케줄러가 아직 보지 않습니다. 자리가 없어서가 아닙니다.",
            pod.gates.len()
        ),
        PodState::Pending if pod.full.is_some() => {
            "앉을 자리가 없어 문 앞에서 기다립니다. CPU 때문이 아닙니다.".to_owned()
        }
        PodState::Pending if pod.raw.is_some() => "맞는 노드가 없어 문 앞에서 기다립니다.".to_owned(),
        PodState::Pending if pod.unseen => "스케줄러를 기다리는데, 스케줄러가 꺼져 있습니다.".to_owned(),
        PodState::Pending => "스케줄러의 차례를 기다립니다.".to_owned(),
        PodState::Creating => match &pod.trouble {
            Some((reason, _)) => format!("노드는 정해졌지만 시작하지 못하고 있습니다: {reason}."),
            None => "노드가 정해졌고, 주소와 이미지를 받는 중입니다.".to_owned(),
        },
        PodState::Running if pod.host_network => {
            "노드의 네트워크를 그대로 씁니다. 슬롯을 차지하지 않습니다.".to_owned()
        }
        PodState::Running => match (&pod.node, &pod.ip) {
            (Some(node), Some(ip)) => format!("{node}에서 실행 중이고, 주소는 {ip}입니다."),
            _ => "실행 중입니다.".to_owned(),
        },
        PodState::NotReady => "실행 중이지만 아직 준비되지 않아 트래픽을 받지 않습니다.".to_owned(),
        PodState::Failed => match &pod.trouble {
            Some((reason, _)) => format!("컨테이너가 시작하지 못합니다: {reason}."),
            None => "실패했습니다.".to_owned(),
        },
        PodState::Terminating => "지우는 중입니다. 끝나면 자리를 돌려줍니다.".to_owned(),
        PodState::Completed => "할 일을 마쳤습니다.".to_owned(),
    }
}

fn node_lead(node: &NodeWhy) -> String {
    let (pods, limit) = node.pods;
    match node {
        NodeWhy { made_for: Some(pod), ready: true, .. } => {
            format!(
                "{pod} 하나를 위한 Fargate 마이크로 VM입니다. 다른 파드는 오지 않고, 파드와 함께 없어집니다."
            )
        }
        _ if node.complaint.is_some() => {
            "kubelet이 준비되지 않았다고 알려, 새 파드가 오지 않습니다.".to_owned()
        }
        _ if !node.ready => "이 노드에서 소식이 없습니다. 새 파드가 오지 않습니다.".to_owned(),
        _ if node.cordoned => "격리되었습니다. 있던 파드는 남고 새 파드는 오지 않습니다.".to_owned(),
        _ if pods >= limit && limit > 0 => {
            format!("꽉 찼습니다. 파드 {limit}개까지이고 {pods}개가 있습니다.")
        }
        _ => format!("파드 {limit}개까지 받고 지금 {pods}개가 있습니다."),
    }
}

/// The chain behind a thing.
#[must_use]
pub fn chain(why: &Why) -> Vec<Step> {
    let step = |mark, text: String| Step { mark, text };
    match why {
        Why::Pod(pod) => {
            let mut out = Vec::new();
            for gate in &pod.gates {
                out.push(step(Mark::Gate, format!("게이트 `{gate}`")));
            }
            if let Some((need, free)) = pod.cpu.filter(|(need, free)| need <= free) {
                out.push(step(Mark::Good, format!("CPU는 이유가 아님: `{need}m ≤ {free}m`")));
            }
            if pod.state != PodState::Pending && pod.state != PodState::Gated {
                if let Some(placed) = pod.placed.as_ref().filter(|_| pod.fargate.is_none()) {
                    out.push(step(Mark::Good, super::scheduler::placed(placed)));
                }
                if let (Some((eni, device)), Some(ip)) = (&pod.card, &pod.ip) {
                    out.push(step(
                        Mark::Good,
                        format!("`eth{device}` ({eni})에 미리 받아 둔 `{ip}`를 받았습니다"),
                    ));
                }
            }
            let address = pod.ip.as_deref();
            out.extend(pod.fargate.iter().flat_map(|it| super::fargate::chain(it, address)));
            if let Some((reason, message)) = &pod.trouble {
                out.push(step(Mark::Bad, format!("**{reason}** {message}")));
            }
            out
        }
        Why::Node(node) => {
            let mut out = Vec::new();
            for switch in node.switches.iter().filter(|it| !it.running) {
                out.push(step(Mark::Bad, super::parts::on_node(&switch.name).to_owned()));
            }
            if let Some(complaint) = &node.complaint {
                out.push(step(Mark::Bad, format!("`{complaint}`")));
            }
            for taint in node.taints.iter().filter(|_| node.made_for.is_none()) {
                out.push(step(Mark::Wait, format!("테인트 `{taint}`: 이 테인트에 톨러레이션이 있는 파드만 옵니다")));
            }
            out.extend(node.pool.iter().flat_map(super::address::chain));
            if node.unseen {
                out.push(step(Mark::Wait, "네트워크 인터페이스 자료가 없어, 이 노드가 서브넷에서 받아 둔 주소는 알 수 없습니다".to_owned()));
            }
            out
        }
        Why::Subnet(subnet) => vec![
            step(Mark::Number, "각 서브넷에서 처음 넷과 마지막 하나는 AWS가 씁니다".to_owned()),
            step(
                Mark::Number,
                match (subnet.whole(), subnet.blocks.len()) {
                    (0, all) => format!(
                        "16개짜리 블록 {all}개 가운데 온전한 것이 없어 프리픽스가 들어갈 자리가 없습니다"
                    ),
                    (whole, all) => format!(
                        "16개짜리 블록 {all}개 중 {whole}개가 온전합니다. 온전한 블록만 프리픽스가 될 수 있습니다"
                    ),
                },
            ),
        ]
        .into_iter()
        .chain(subnet.ipv6_cidr.map(|cidr| {
            step(Mark::Good, format!("IPv6 블록은 `{cidr}`입니다. 노드마다 여기서 /80 프리픽스를 받고, 모자라지 않습니다"))
        }))
        .collect(),
        Why::Part(part) => super::parts::chain(part),
        Why::Eni(..) | Why::Service(..) | Why::Door(..) | Why::Thing(..) => Vec::new(),
    }
}

/// How many pods do what, for readers.
#[must_use]
pub fn census(census: Census) -> String {
    let mut parts = vec![format!("파드 {}개 실행 중", census.running)];
    let rest = [(census.pending, "Pending"), (census.gated, "게이트"), (census.failed, "실패")];
    parts.extend(
        rest.iter().filter(|(count, _)| *count > 0).map(|(count, state)| format!("{state} {count}개")),
    );
    parts.join(", ")
}

/// One line of the outline.
#[must_use]
pub fn entry(entry: &Entry) -> String {
    match entry {
        Entry::ControlPlane(name) => format!("컨트롤 플레인 {name}"),
        Entry::Running(name, running) => super::parts::entry(name, *running),
        Entry::Door(pending, gated) => format!("문 앞, Pending {pending}, 게이트 {gated}"),
        Entry::Network(kind, cidr) => {
            format!("{} {cidr}", super::ui::UI.network(*kind)).trim_end().to_owned()
        }
        Entry::Zone(name) => format!("가용 영역 {name}"),
        Entry::Subnet(public, cidr, free, total, fragmented) => {
            format!(
                "{} 서브넷 {cidr}, 남은 주소 {total}개 중 {free}개{}",
                if *public { "퍼블릭" } else { "프라이빗" },
                if *fragmented { ", 프리픽스가 될 블록 없음" } else { "" }
            )
        }
        Entry::Node(name, about, state, pods, limit, warm) => {
            let state = match state {
                NodeState::Ready => "Ready",
                NodeState::Cordoned => "격리됨",
                NodeState::NotReady => "NotReady",
            };
            format!("노드 {name}, {about}, {state}, 파드 {limit}개 중 {pods}개, 웜 주소 {warm}개")
        }
        Entry::Eni(device, id, used, seats) => format!("ENI {device} {id}, 자리 {seats}개 중 {used}개 사용"),
        Entry::Slot(slot, address) => match slot {
            SlotState::Primary => format!("ENI 자신의 주소 {address}"),
            SlotState::Used => format!("사용 중 {address}"),
            SlotState::Warm => format!("웜 {address}"),
            SlotState::Cooldown { left, .. } => format!("쿨다운 {left}초 {address}"),
            SlotState::Empty => "빈 자리".to_owned(),
            SlotState::Stale => format!("지금 CNI 모드에서는 쓰지 않음 {address}"),
            SlotState::Prefix(all) => format!("프리픽스 {address}, 16개 중 {}개 사용", all.used.count_ones()),
        },
        Entry::Pod(name, pod, address) => format!("파드 {name}, {}{}", state(*pod), after(address)),
        Entry::HostPod(name, pod) => format!("파드 {name}, {}, 호스트 네트워크", state(*pod)),
        Entry::Part(name, address) => format!("{name} {address}"),
        Entry::Service(name, address, pods) => format!("서비스 {name} {address}, 파드 {pods}개"),
    }
}

fn after(address: &str) -> String {
    if address.is_empty() { String::new() } else { format!(", {address}") }
}

/// One to three words for a beat.
#[must_use]
pub fn beat(kind: BeatKind) -> &'static str {
    match kind {
        BeatKind::Request => "요청",
        BeatKind::Authentication => "인증",
        BeatKind::Authorization => "인가",
        BeatKind::Admission => "어드미션",
        BeatKind::Storage => "etcd에 기록",
        BeatKind::Door => "문 앞",
        BeatKind::Schedule => "스케줄러",
        BeatKind::Bind => "노드에 배정",
        BeatKind::Kubelet => "kubelet",
        BeatKind::Address => "IP 할당",
        BeatKind::Running => "Running",
        BeatKind::Misfit => "맞는 노드 없음",
        BeatKind::Attach => "ENI 붙이기",
        BeatKind::Gone => "사라짐",
        BeatKind::Rules => "규칙 갱신",
        BeatKind::Refused => "거절",
    }
}

/// The name of a fact.
#[must_use]
pub fn label(label: Label) -> &'static str {
    match label {
        Label::Namespace => "네임스페이스",
        Label::Node => "노드",
        Label::Address => "주소",
        Label::Status => "상태",
        Label::Restarts => "재시작",
        Label::Image => "이미지",
        Label::Cpu => "CPU",
        Label::Memory => "메모리",
        Label::Owner => "소유자",
        Label::Gates => "게이트",
        Label::Price => "정가(us-east-1)",
        Label::InstanceType => "인스턴스 타입",
        Label::Zone => "가용 영역",
        Label::Pods => "최대 파드 수",
        Label::Version => "버전",
        Label::Taints => "테인트",
        Label::Cidr => "CIDR",
        Label::Ipv6 => "IPv6",
        Label::Free => "남은 주소",
        Label::Subnet => "서브넷",
        Label::Attachment => "연결",
        Label::Created => "생성",
    }
}

/// What a bar waits for.
#[must_use]
pub fn wait(wait: &Wait, secs: u64) -> String {
    match wait {
        Wait::Attach(device) => format!("eth{device} 붙이기 {secs} s"),
        Wait::Boot => format!("부팅 {secs} s"),
    }
}
