//! What follows when a part does not run, in Korean.

use api::kinds::sim::PartRole;

use crate::{
    view::why::PartWhy,
    words::{Mark, Step},
};

/// One sentence for a part.
pub(super) fn lead(part: &PartWhy) -> String {
    let (running, all) = part.running;
    match (part.role, part.works, part.starts_in) {
        (_, true, Some(seconds)) => {
            format!(
                "다시 켜졌고 {seconds}초 뒤에 일을 시작합니다. 먼저 API 서버를 찾거나 리더가 되어야 합니다."
            )
        }
        (PartRole::ApiServer, true, None) if running < all => {
            format!("API 서버 {all}대 중 {running}대가 동작합니다. 요청은 살아 있는 서버로 갑니다.")
        }
        (PartRole::ApiServer, true, None) => {
            "모든 요청이 지나는 곳입니다. 누구인지, 해도 되는지, 내용이 맞는지 봅니다. 어느 서버든 같습니다."
                .to_owned()
        }
        (PartRole::ApiServer, false, _) => "동작하는 API 서버가 없어 아무도 요청을 받지 않습니다.".to_owned(),
        (PartRole::Etcd, true, None) if running < all => {
            format!("멤버 {all}개 중 {running}개가 동작합니다. 과반이므로 아무것도 달라지지 않습니다.")
        }
        (PartRole::Etcd, true, None) => {
            "API 서버가 받아들인 객체가 적히는 곳입니다. 멤버의 과반이 받아 적어야 쓰기가 끝납니다."
                .to_owned()
        }
        (PartRole::Etcd, false, _) => {
            format!(
                "멤버 {all}개 중 {running}개만 동작합니다. 과반이 안 되어 쓸 수 없고, 확실하게 읽을 수도 없습니다."
            )
        }
        (PartRole::Scheduler, true, None) => {
            "노드가 없는 파드에 노드를 골라 줍니다. 파드를 옮기거나 시작하지는 않습니다.".to_owned()
        }
        (PartRole::Scheduler, false, _) => "꺼져 있습니다. 노드를 찾아 주는 곳이 없습니다.".to_owned(),
        (PartRole::ControllerManager, true, None) => {
            "컨트롤러들이 원하는 상태와 지금 상태를 견주어 한 걸음씩 맞춰 갑니다.".to_owned()
        }
        (PartRole::ControllerManager, false, _) => {
            "꺼져 있습니다. 원하는 상태와 지금 상태를 견주는 곳이 없습니다.".to_owned()
        }
    }
}

/// What follows from its absence.
pub(super) fn chain(part: &PartWhy) -> Vec<Step> {
    let bad = |text: &str| Step { mark: Mark::Bad, text: text.to_owned() };
    let good = |text: &str| Step { mark: Mark::Good, text: text.to_owned() };
    let wait = |text: &str| Step { mark: Mark::Wait, text: text.to_owned() };
    let traffic = good("트래픽은 그대로입니다. 규칙과 주소는 노드에 있습니다");
    if part.works {
        return Vec::new();
    }
    match part.role {
        PartRole::ApiServer => vec![
            bad("`kubectl`의 연결이 거부됩니다"),
            bad("스케줄러, 컨트롤러, kubelet이 모두 멈춥니다. API 서버를 거쳐야만 일하기 때문입니다"),
            traffic,
        ],
        PartRole::Etcd => vec![
            bad(
                "쓰기는 7초 만에 포기됩니다: `etcdserver: request timed out`. 읽기는 1분을 기다리다 실패합니다",
            ),
            bad("스케줄러, 컨트롤러, kubelet이 아무것도 바꾸지 못합니다"),
            traffic,
            wait("과반이 돌아오면 그때의 상태를 보고 모두 따라잡습니다"),
        ],
        PartRole::Scheduler => vec![
            bad("새 파드는 노드도 이벤트도 없이 Pending으로 남습니다. 아무도 보지 않았기 때문입니다"),
            good("노드가 정해진 파드는 계속 돌고, 컨테이너가 죽으면 kubelet이 다시 띄웁니다"),
            wait("돌아오면 노드가 없는 파드를 모두 읽어 다시 배치합니다"),
        ],
        PartRole::ControllerManager => vec![
            bad("사라진 파드가 채워지지 않고, 주인을 잃은 객체도 치워지지 않습니다"),
            bad("EndpointSlice가 그대로라, 서비스가 이미 없는 파드로 보낼 수 있습니다"),
            bad("소식이 끊긴 노드도 그대로 두고, 파드를 내보내지도 않습니다"),
            good("노드가 정해진 파드는 계속 돌고, 새 파드도 노드를 받습니다"),
            wait("돌아오면 옛 리더의 임차(lease)가 끝나기를 기다린 뒤 모든 것을 살펴봅니다"),
        ],
    }
}

/// What follows on a node without one of its own.
pub(super) fn on_node(part: &str) -> &'static str {
    match part {
        "kubelet" => {
            "**kubelet**이 꺼졌습니다. lease를 갱신하지 않아 50초 뒤 NotReady가 되고, 5분이 더 지나면 파드가 축출됩니다. 컨테이너는 계속 돕니다"
        }
        "runtime" => {
            "**컨테이너 런타임**이 꺼졌습니다. 여기서는 컨테이너를 시작하지도 멈추지도 못합니다. 30초 뒤 kubelet이 알립니다. 돌던 컨테이너는 계속 돕니다"
        }
        _ => {
            "**kube-proxy**가 꺼졌습니다. 이 노드의 규칙은 그때 그대로입니다. 옛 서비스는 답하지만, 새 서비스나 새로 붙은 파드는 여기서 모릅니다"
        }
    }
}

/// One line of the outline.
pub(super) fn entry(name: &str, running: bool) -> String {
    format!("{name}, {}", if running { "동작 중" } else { "꺼짐" })
}
