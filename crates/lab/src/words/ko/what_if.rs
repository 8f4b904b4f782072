//! What-ifs and fixes in Korean.

use scheduler::what_if::Edit;

use crate::words::what_if::{Texts, topology};

/// The texts around them.
pub const TEXTS: Texts = Texts {
    what_if: "만약에",
    still: "그래도",
    then: "그러면",
    still_nowhere: "그래도 들어갈 곳 없음",
    then_nowhere: "그러면 들어갈 곳 없음",
    only_one: "하나 남아 점수 없음",
    fit: "노드 {}개 통과",
    fresh: "새 노드",
    not_applied: "가정일 뿐, 바뀐 것은 없습니다.",
    clear: "원래대로",
    fixes: "이러면 들어갑니다",
    show_more: "{}개 더 보기",
    cut_short: "방법이 더 있을 수 있습니다. 탐색을 도중에 멈췄습니다.",
    try_it: "가정",
    apply: "갈래에서 적용",
    commands: "명령",
    no_address: "스케줄러는 올려 주지만 {}의 ENI로는 파드 {}개까지입니다. 주소 없이 멈춥니다.",
};

/// An edit in a few words.
#[must_use]
pub fn edit(edit: &Edit) -> String {
    match edit {
        Edit::LiftGate { gate } => format!("게이트 {gate} 없이"),
        Edit::Tolerate { key, value, .. } if value.is_empty() => format!("{key} 테인트 허용"),
        Edit::Tolerate { key, value, .. } => format!("{key}={value} 테인트 허용"),
        Edit::Request { container, resource, amount } if container.is_empty() => {
            format!("{resource} 요청 {amount}")
        }
        Edit::Request { container, resource, amount } => format!("{container}의 {resource} 요청 {amount}"),
        Edit::DropNodeSelector { key } => format!("nodeSelector {key} 없이"),
        Edit::DropSpread { topology_key, .. } => format!("{} 분산 규칙 없이", topology(topology_key)),
        Edit::DropPodAffinity { topology_key, .. } => {
            format!("파드 어피니티({}) 없이", topology(topology_key))
        }
        Edit::DropPodAntiAffinity { topology_key, .. } => {
            format!("안티어피니티({}) 없이", topology(topology_key))
        }
        Edit::DropNodeAffinity => "노드 어피니티 없이".to_owned(),
        Edit::DropHostPort { port, .. } => format!("호스트 포트 {port} 없이"),
        Edit::Uncordon { node } => format!("{node} 격리 해제"),
        Edit::Label { node, key, value } => format!("{node}에 레이블 {key}={value}"),
        Edit::Unlabel { node, key } => format!("{node}의 레이블 {key} 없이"),
        Edit::RemoveTaint { node, key, .. } => format!("{node}의 {key} 테인트 없이"),
        Edit::AddNode { like } => format!("{like} 같은 노드 +1"),
        Edit::RaiseMaxPods { node, pods } => format!("{node}에 파드 {pods}개까지"),
        Edit::DeletePod { name, .. } => format!("파드 {name} 없이"),
    }
}
