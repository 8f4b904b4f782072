//! What would be if nodes or the CNI's settings were others, in Korean.

use cluster::import::outlook::{NodeOutlook, Outlook};

use crate::words::{Mark, Step};

/// What would be of a node, its subnet, and pods that wait.
#[must_use]
pub fn would_be(it: &Outlook, node: &str) -> Vec<Step> {
    let step = |mark, text: String| Step { mark, text };
    let mut out = Vec::new();
    let here = it.nodes.iter().find(|of| of.now.name == node);
    out.extend(here.map(|of| limit(of, it.replaces_nodes)).map(|text| step(Mark::Number, text)));
    if let Some((then, of)) = here.and_then(|of| Some((of.held?, of))) {
        let now = of
            .now
            .held
            .map_or(String::new(), |now| format!(" (지금은 ENI {}개에 {}개)", now.enis, now.addresses));
        let text = format!(
            "ENI {}개에 주소 {}개를 갖게 됩니다{now}. 그중 {}개는 파드가 바로 쓸 수 있습니다.",
            then.enis, then.addresses, then.spare
        );
        out.push(step(Mark::Number, text));
    }
    for subnet in &it.subnets {
        let (name, free) = (&subnet.name, subnet.free);
        out.push(match subnet.then {
            then if then < 0 => {
                step(Mark::Bad, format!("서브넷 `{name}`: 남은 주소 {free}개, {}개 모자람", -then))
            }
            then => step(Mark::Good, format!("서브넷 `{name}`: 남은 주소 {free} → {then}개")),
        });
        if let Some(blocks) = subnet.whole_blocks {
            let mark = if blocks == 0 { Mark::Bad } else { Mark::Number };
            out.push(step(mark, format!("지금 `{name}`에서 프리픽스가 될 수 있는 온전한 블록: {blocks}개")));
        }
    }
    if !it.pods.is_empty() {
        let placed = it.pods.iter().filter(|pod| pod.node.is_some()).count();
        let mark = if placed == it.pods.len() { Mark::Good } else { Mark::Wait };
        out.push(step(mark, format!("기다리는 파드 {}개 중 노드를 찾는 파드: {placed}개", it.pods.len())));
    }
    if it.unable.iter().any(|name| name == node) {
        out.push(step(Mark::Bad, "이 타입의 노드는 프리픽스를 가질 수 없음".to_owned()));
    }
    if it.default_targets {
        let text = "aws-node 파드가 자료에 없어, CNI가 배포될 때의 설정 그대로라고 보았음";
        out.push(step(Mark::Wait, text.to_owned()));
    }
    out
}

fn limit(of: &NodeOutlook, replaced: bool) -> String {
    match replaced {
        true => format!(
            "이 자리에 새 {} 노드가 오면 파드를 {}개가 아니라 {}개까지 받습니다.",
            of.instance_type, of.now.max_pods, of.max_pods
        ),
        false => format!("노드는 그대로이고, 지금처럼 파드를 {}개까지 받습니다.", of.max_pods),
    }
}
