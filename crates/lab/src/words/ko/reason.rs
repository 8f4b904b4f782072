//! Why each step of a story happened, in Korean.

use crate::view::reason::{Choice, Reason};

/// One or two sentences; empty where the step says it all.
#[must_use]
pub fn reason(reason: &Reason) -> String {
    match reason {
        Reason::None => String::new(),
        Reason::Sent(user, verb, what) => format!("`{user}`의 요청: `{verb}` {what}."),
        Reason::Known(user, groups) => {
            format!("누구인지 확인했습니다. 사용자 `{user}`, 그룹 `{groups}`.")
        }
        Reason::Allowed(by, reason) if reason.is_empty() => format!("`{by}` 인가가 허락했습니다."),
        Reason::Allowed(by, binding) => format!("`{by}` 인가가 허락했습니다. 근거는 `{binding}`입니다."),
        Reason::Admitted(plugins, _) if plugins.is_empty() => {
            "이 요청을 고치거나 막을 플러그인이 없었습니다.".to_owned()
        }
        Reason::Admitted(plugins, changed) => {
            let first = format!("플러그인 {}개가 검사했습니다.", plugins.len());
            match changed.split_first() {
                Some(((field, value), [])) => {
                    format!("{first} 채워 넣은 필드는 `{field}: {value}`입니다.")
                }
                Some(((field, value), rest)) => {
                    format!("{first} `{field}: {value}` 외에 필드 {}개를 채워 넣었습니다.", rest.len())
                }
                None => first,
            }
        }
        Reason::Stored(revision) => format!("etcd에 리비전 `{revision}`번으로 적었습니다."),
        Reason::Gated(gates) if gates.is_empty() => {
            "`nodeName`이 비어 있습니다. 아직 어느 노드에도 없고, 스케줄러를 기다립니다.".to_owned()
        }
        Reason::Gated(gates) => {
            format!("게이트 `{}` 때문에 스케줄러가 보지 않습니다.", gates.join("`, `"))
        }
        Reason::Decided(choice) => decided(choice),
        Reason::Bound(node) => format!("스케줄러가 `nodeName: {node}`이라고 적었습니다."),
        Reason::Taken(node) => {
            format!("`{node}` 노드의 kubelet이 자기 노드의 파드를 발견하고 컨테이너를 준비합니다.")
        }
        Reason::Address(ip, Some((eni, device))) => {
            format!("`eth{device}` ({eni})에 미리 붙여 둔 `{ip}` 주소를 받았습니다.")
        }
        Reason::Address(ip, None) => format!("`{ip}` 주소를 받았습니다."),
        Reason::Runs(image) => format!("kubelet이 `{image}` 이미지로 컨테이너를 시작했습니다."),
        Reason::Words(words) => words.clone(),
    }
}

fn decided(choice: &Choice) -> String {
    let mut out = format!("노드 {}개 중 {}개가 통과했습니다.", choice.looked, choice.fit);
    if let Some((node, reasons)) = choice.refused.first() {
        let words = reasons.iter().map(super::scheduler::short).collect::<Vec<_>>().join(", ");
        out.push_str(&format!(" `{node}` 탈락: {words}."));
    }
    match (&choice.node, choice.total) {
        (Some(node), Some(total)) => out.push_str(&format!(" 점수는 `{node}` {total}점이 가장 높습니다.")),
        (Some(node), None) => {
            out.push_str(&format!(" 하나만 남아 점수 없이 `{node}`입니다."));
        }
        (None, _) => {}
    }
    out
}
