//! What happens to nodes and node groups outside the cluster, in Korean.

/// One sentence for a step that EKS, EC2 or an Auto Scaling group took; nothing for what is not told.
#[must_use]
pub fn node_step(name: &str, detail: &[(&'static str, String)]) -> Option<String> {
    let of = |name: &str| detail.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str());
    Some(match name {
        "NodegroupUpdateScaleUp" => {
            format!(
                "새 노드가 먼저 옵니다. 그룹 크기보다 {}개 많게, 릴리스 {}로 띄웁니다.",
                of("surge"),
                of("release")
            )
        }
        "NodegroupUpdateUpgrade" => {
            "새 노드가 준비되었습니다. 기존 노드를 cordon하고 drain한 뒤, 비는 대로 종료합니다.".to_owned()
        }
        "NodegroupUpdateScaleDown" => {
            format!("모든 노드의 릴리스가 {}입니다. 그룹 크기를 넘는 노드를 다시 줄입니다.", of("release"))
        }
        "NodegroupUpdateOver" => "업데이트가 끝났습니다.".to_owned(),
        "SpotRebalanceRecommendation" => {
            "EC2가 이 스팟 인스턴스의 교체를 권고합니다. 회수될 가능성이 커졌습니다.".to_owned()
        }
        "SpotInterruptionNotice" => "EC2가 2분 뒤에 이 스팟 인스턴스를 회수합니다.".to_owned(),
        "InstanceTakenOut" => {
            "Auto Scaling 그룹이 비정상으로 판단했습니다. 이 인스턴스를 종료하고 새 인스턴스를 띄웁니다."
                .to_owned()
        }
        "NodeRepair" => format!(
            "노드 자동 복구가 이 노드를 교체합니다. {} 컨디션이 {}분 동안 정상이 아니었습니다.",
            of("condition"),
            of("minutes")
        ),
        "ZoneFailed" => {
            "가용 영역에 장애가 났습니다. 이 영역의 어디에도 닿지 않고, 인스턴스를 새로 띄울 수도 없습니다."
                .to_owned()
        }
        "ZoneRecovered" => "가용 영역이 복구되어 인스턴스가 다시 부팅합니다.".to_owned(),
        _ => return None,
    })
}
