//! What Fargate makes of a pod, in Korean.

use cluster::node::fargate::{OVERHEAD_MIB, Size};

use crate::{
    view::fargate::{FargateWhy, amount},
    words::{Mark, Step},
};

/// One sentence for a pod that waits for Fargate.
pub(super) fn lead(why: &FargateWhy) -> String {
    match why {
        _ if why.refused.is_some() => {
            "Fargate가 맡았지만 실행하지 않습니다. 다시 살펴보지 않으므로 고쳐서 새로 만들어야 합니다."
                .to_owned()
        }
        _ if why.waits_for_address => "프로파일의 서브넷에 마이크로 VM이 쓸 빈 주소가 없습니다.".to_owned(),
        FargateWhy { boots_for: Some(0), .. } => {
            "마이크로 VM이 부팅을 마치고 클러스터에 참여하는 중입니다.".to_owned()
        }
        FargateWhy { boots_for: Some(seconds), .. } => {
            format!("마이크로 VM이 부팅 중입니다. {seconds}초 남았습니다. 기존 노드는 상관없습니다.")
        }
        _ => "fargate-scheduler를 기다립니다.".to_owned(),
    }
}

/// Who took it, and how its size came about.
pub(super) fn chain(why: &FargateWhy, address: Option<&str>) -> Vec<Step> {
    let step = |mark, text: String| Step { mark, text };
    let by = why.selected_by();
    let mut out = vec![step(
        Mark::Good,
        format!("어드미션에서 프로파일 `{}`{by}이 맡음: `schedulerName: fargate-scheduler`", why.profile),
    )];
    if why.refused.is_some() && why.sizing.size.is_some() {
        let text =
            "마이크로 VM은 이 파드만의 것: 호스트 필드, 특권, 호스트 포트, 호스트나 EBS의 볼륨은 쓸 수 없음";
        out.push(step(Mark::Bad, text.to_owned()));
    }
    let it = why.sizing;
    out.push(step(Mark::Number, format!("컨테이너 요청의 합: {}", amount(it.together))));
    if it.init != Size::default() {
        out.push(step(Mark::Number, format!("가장 큰 init 컨테이너: {}", amount(it.init))));
    }
    let memory = it.requested.memory_mib;
    let sum = format!(
        "{memory} + {OVERHEAD_MIB} = {} MiB: 파드와 kubelet, kube-proxy, containerd의 몫",
        memory + OVERHEAD_MIB
    );
    out.push(step(Mark::Number, sum));
    out.push(match it.size {
        Some(size) => step(
            Mark::Good,
            format!(
                "{}m와 {} MiB를 담는 가장 작은 크기: **{}**",
                it.requested.cpu_milli,
                memory + OVERHEAD_MIB,
                size.annotation()
            ),
        ),
        None => step(Mark::Bad, "이만큼 큰 크기는 없음".to_owned()),
    });
    out.extend(address.map(|ip| step(Mark::Good, format!("마이크로 VM의 ENI를 혼자 씀: `{ip}`"))));
    out
}
