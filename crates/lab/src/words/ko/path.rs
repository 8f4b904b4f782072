//! 한국어로 말하는 경로.

use network::{Edit, HopKind, security_group::Direction};

use crate::words::path::{pairs, peer, ports};

/// What a hop is.
#[must_use]
pub fn hop(kind: HopKind) -> &'static str {
    match kind {
        HopKind::Pod => "파드",
        HopKind::Veth => "veth",
        HopKind::Node => "노드",
        HopKind::PolicyEgress => "NetworkPolicy 나가는 쪽",
        HopKind::PolicyIngress => "NetworkPolicy 들어오는 쪽",
        HopKind::KubeProxy => "kube-proxy",
        HopKind::Dnat => "목적지 바꾸기",
        HopKind::Snat => "출발지 바꾸기",
        HopKind::Masq => "마스커레이드",
        HopKind::Dns => "이름 풀이",
        HopKind::Eni => "ENI",
        HopKind::SgOut => "보안 그룹(아웃)",
        HopKind::SgIn => "보안 그룹(인)",
        HopKind::NaclOut => "네트워크 ACL(아웃)",
        HopKind::NaclIn => "네트워크 ACL(인)",
        HopKind::Route => "라우팅 테이블",
        HopKind::Nat => "NAT 게이트웨이",
        HopKind::Igw => "인터넷 게이트웨이",
        HopKind::Pcx => "피어링",
        HopKind::Vgw => "VPN 게이트웨이",
        HopKind::Tgw => "전송 게이트웨이",
        HopKind::Vpce => "VPC 엔드포인트",
        HopKind::XEni => "교차 계정 ENI",
        HopKind::PublicEndpoint => "퍼블릭 엔드포인트",
        HopKind::ApiServer => "API 서버",
        HopKind::Nlb => "NLB",
        HopKind::Alb => "ALB",
        HopKind::Clb => "CLB",
        HopKind::Target => "대상",
        HopKind::External => "바깥",
        HopKind::Internet => "인터넷",
        HopKind::Aws => "AWS 서비스",
        HopKind::Lo => "루프백",
        HopKind::Host => "호스트",
    }
}

/// Why it stops. `parts` is the code, cut at its colons.
#[must_use]
pub fn blocker(parts: &[&str]) -> String {
    match parts {
        ["sg", "out", eni] => format!("{eni}의 보안 그룹에 이 트래픽을 내보내는 규칙이 없습니다."),
        ["sg", "in", eni] => format!("{eni}의 보안 그룹에 이 트래픽을 들이는 규칙이 없습니다."),
        ["nacl", way, acl, rule] if way.starts_with("return") => {
            format!(
                "요청은 지나가지만 응답을 {acl} 규칙 {rule}이 막습니다. 네트워크 ACL은 상태를 기억하지 않습니다."
            )
        }
        ["nacl", _, acl, rule] => format!("네트워크 ACL {acl} 규칙 {rule}이 막습니다."),
        ["route", "none", table, ip] => format!("라우팅 테이블 {table}에 {ip}로 가는 경로가 없습니다."),
        ["route", "blackhole", table, to] => {
            format!("{table}의 경로 {to}는 이미 없어진 대상을 가리킵니다.")
        }
        ["route", "subnet-not-public", subnet] => {
            format!("{subnet}에는 인터넷 게이트웨이로 가는 경로가 없어 인터넷에서 들어올 수 없습니다.")
        }
        ["route", "nat-no-igw", table] => {
            format!("NAT 게이트웨이가 놓인 서브넷({table})이 인터넷 게이트웨이로 이어지지 않습니다.")
        }
        ["route", _, table, ..] => format!("{table}의 더 구체적인 경로가 다른 곳으로 보냅니다."),
        ["igw", "no-public-ip", ip] => {
            format!("{ip}에는 공인 주소가 없고, 인터넷 게이트웨이는 공인 주소가 있는 것만 바꿔 줍니다.")
        }
        ["igw", _, ip] => format!("{ip}로 가는 가장 좋은 경로가 인터넷인데, {ip}는 사설 주소입니다."),
        ["nat", state, id] => format!("NAT 게이트웨이 {id}의 상태가 {state}입니다."),
        ["gateway", _, id] => format!("{id}는 그 네트워크로 이어지지 않습니다."),
        ["return-route", _, by, ip] => format!("돌아오는 길이 없습니다. {by}에 {ip}로 가는 경로가 없습니다."),
        ["svc", "no-port", service, port] => format!("서비스 {service}에는 포트 {port}가 없습니다."),
        ["svc", "no-endpoints", service] => {
            format!("서비스 {service}에 준비된 엔드포인트가 없습니다. 셀렉터와 준비 상태를 보세요.")
        }
        ["svc", "no-rule", node, service] => {
            format!(
                "{node}의 규칙에 서비스 {service}가 없습니다. 서비스가 생길 때 이 노드의 kube-proxy가 꺼져 있었습니다."
            )
        }
        ["svc", _, pod, name] => format!("{pod}의 컨테이너에는 이름이 {name:?}인 포트가 없습니다."),
        ["itp-local", _, service] => {
            format!("{service}의 internalTrafficPolicy가 Local인데 이 노드에는 준비된 엔드포인트가 없습니다.")
        }
        ["etp-local", _, node, service] => {
            format!("{service}의 externalTrafficPolicy가 Local인데 {node}에는 준비된 엔드포인트가 없습니다.")
        }
        ["clusterip", _, ip] => {
            format!("{ip}는 클러스터 노드의 규칙 안에만 있습니다. 그 밖에서는 아무도 대답하지 않습니다.")
        }
        ["policy", way, pod, names] => {
            let way = if *way == "ingress" { "들어오는" } else { "나가는" };
            format!("{names} 때문에 {pod}의 {way} 트래픽이 격리되어 있고, 이것을 허용하는 규칙이 없습니다.")
        }
        ["pod" | "external", "refused", name, port] => {
            format!("{name}까지는 닿지만 {port}에서 듣는 프로세스가 없습니다.")
        }
        ["api", "cidr-not-allowed", ip] => format!("{ip}는 publicAccessCidrs에 없습니다."),
        ["api", "public-disabled"] => "엔드포인트의 퍼블릭 액세스가 꺼져 있습니다.".to_owned(),
        ["api", ..] => "이름이 VPC 안의 주소를 답하는데, 여기서는 VPC로 들어갈 길이 없습니다.".to_owned(),
        ["lb", "internal", ..] => "내부용 로드 밸런서라 공인 주소가 없습니다.".to_owned(),
        ["lb", "no-listener", service, port] => {
            format!("{service}의 로드 밸런서는 {port}에서 듣지 않습니다.")
        }
        ["lb", "source-ranges", ip] => format!("{ip}는 loadBalancerSourceRanges에 없습니다."),
        ["lb", ..] => "로드 밸런서에 정상인 대상이 없습니다.".to_owned(),
        ["hybrid", what, ip] => format!("컨트롤 플레인은 {ip}를 모릅니다({what})."),
        ["dns", _, name] => format!("이름 {name}에 레코드가 없습니다."),
        other => other.join(":"),
    }
}

/// A change that lets a packet through.
#[must_use]
pub fn edit(edit: &Edit) -> String {
    let way = |direction: &Direction, other: &str| match direction {
        Direction::In => format!("{other} →"),
        Direction::Out => format!("→ {other}"),
    };
    match edit {
        Edit::SecurityGroupRule { group, direction, rule } => {
            let ports = ports(rule.from, rule.to).unwrap_or_else(|| "전체".to_owned());
            format!("보안 그룹 {group}: {} {ports} 허용", way(direction, &rule.peer))
        }
        Edit::NaclRule { acl, direction, rule } => {
            let ports = ports(rule.from, rule.to).unwrap_or_else(|| "전체".to_owned());
            let other = way(direction, &rule.cidr.to_string());
            format!("네트워크 ACL {acl}: 규칙 {}: {other} {ports} 허용", rule.n)
        }
        Edit::Route { table, destination, target } => {
            format!("라우팅 테이블 {table}: {destination} → {target}")
        }
        Edit::ReturnRoute { gateway, source } => {
            format!("{gateway} 너머의 네트워크: {source}행 경로 추가")
        }
        Edit::PublicAccess => "API 엔드포인트: 퍼블릭 액세스 켜기".to_owned(),
        Edit::PublicCidr { block } => format!("publicAccessCidrs: {block} 추가"),
        Edit::PolicyRule { namespace, policy, direction, peer: whom, protocol, port } => {
            let whom = way(direction, &peer(whom));
            format!("NetworkPolicy {namespace}/{policy}: {whom} {protocol} {port} 허용")
        }
        Edit::ServicePort { service, port, target, .. } => {
            format!("서비스 {service}: 포트 {port} → {target} 추가")
        }
        Edit::TargetPort { service, port, target } => {
            format!("서비스 {service}: 포트 {port}의 targetPort → {target}")
        }
        Edit::Selector { service, selector } => {
            format!("서비스 {service}: 셀렉터 → {}", pairs(selector))
        }
        Edit::TrafficPolicy { service, external: true } => {
            format!("서비스 {service}: externalTrafficPolicy를 Cluster로")
        }
        Edit::TrafficPolicy { service, external: false } => {
            format!("서비스 {service}: internalTrafficPolicy를 Cluster로")
        }
        Edit::SourceRange { service, block } => {
            format!("서비스 {service}: loadBalancerSourceRanges에 {block} 추가")
        }
        Edit::RemoteNetwork { pods: true, block } => format!("remotePodNetworks: {block} 추가"),
        Edit::RemoteNetwork { pods: false, block } => format!("remoteNodeNetworks: {block} 추가"),
        Edit::DnsSupport => "VPC: enableDnsSupport 켜기".to_owned(),
    }
}
