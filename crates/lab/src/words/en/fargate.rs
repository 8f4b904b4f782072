//! What Fargate makes of a pod, in English.

use cluster::node::fargate::{OVERHEAD_MIB, Size};

use crate::{
    view::fargate::{FargateWhy, amount},
    words::{Mark, Step},
};

/// One sentence for a pod that waits for Fargate.
pub(super) fn lead(why: &FargateWhy) -> String {
    match why {
        _ if why.refused.is_some() => {
            "Fargate took it and will not run it. It is not looked at again: its owner has to make a new one."
                .to_owned()
        }
        _ if why.waits_for_address => {
            "No subnet of its profile has a free address for its micro-VM.".to_owned()
        }
        FargateWhy { boots_for: Some(0), .. } => "Its micro-VM has booted and joins the cluster.".to_owned(),
        FargateWhy { boots_for: Some(seconds), .. } => {
            format!("Its micro-VM boots: {seconds} s to go. No node that is there matters.")
        }
        _ => "It waits for fargate-scheduler.".to_owned(),
    }
}

/// Who took it, and how its size came about.
pub(super) fn chain(why: &FargateWhy, address: Option<&str>) -> Vec<Step> {
    let step = |mark, text: String| Step { mark, text };
    let by = why.selected_by();
    let mut out = vec![step(
        Mark::Good,
        format!("Profile `{}`{by} took it at admission: `schedulerName: fargate-scheduler`", why.profile),
    )];
    if why.refused.is_some() && why.sizing.size.is_some() {
        let text = "Its micro-VM is its own: no host fields, no privileges, no host ports, no volumes of a host or of EBS";
        out.push(step(Mark::Bad, text.to_owned()));
    }
    let it = why.sizing;
    out.push(step(Mark::Number, format!("Requests of its containers together: {}", amount(it.together))));
    if it.init != Size::default() {
        out.push(step(Mark::Number, format!("Its largest init container: {}", amount(it.init))));
    }
    let memory = it.requested.memory_mib;
    let sum = format!(
        "{memory} + {OVERHEAD_MIB} = {} MiB for pod, kubelet, kube-proxy and containerd",
        memory + OVERHEAD_MIB
    );
    out.push(step(Mark::Number, sum));
    out.push(match it.size {
        Some(size) => step(
            Mark::Good,
            format!(
                "The smallest size with {}m and {} MiB: **{}**",
                it.requested.cpu_milli,
                memory + OVERHEAD_MIB,
                size.annotation()
            ),
        ),
        None => step(Mark::Bad, "No size is that large".to_owned()),
    });
    out.extend(address.map(|ip| step(Mark::Good, format!("The ENI of its micro-VM is its own: `{ip}`"))));
    out
}

#[cfg(test)]
mod tests {
    use cluster::ClusterId;

    use crate::{
        Session, library,
        view::{
            Moment,
            scene::{Form, NodeSize, Seat, scene},
            why::{self, Why},
        },
    };

    /// A session with a profile for the namespace `default`, after some lines.
    fn session(lines: &[&str]) -> Session {
        let mut session = Session::new(library::scenario("farg").expect("a fixture"), 1).expect("a session");
        let profile = "eksctl create fargateprofile --cluster podpath --name fp --namespace default";
        for line in std::iter::once(&profile).chain(lines) {
            session.run_line(line);
        }
        session
    }

    fn said(session: &Session, pod: &str) -> Vec<String> {
        let why = why::why(Moment::of(session.world()), ClusterId(1), &format!("Pod/default/{pod}"), None);
        let Some(Why::Pod(pod)) = why else { panic!("no pod") };
        let steps = super::chain(pod.fargate.as_ref().expect("a profile took it"), pod.ip.as_deref());
        std::iter::once(super::super::sentences::lead(&Why::Pod(pod)))
            .chain(steps.into_iter().map(|step| step.text))
            .collect()
    }

    #[test]
    fn a_pod_tells_the_arithmetic_of_its_size() {
        let big = r#"kubectl run big --image=nginx --overrides='{"spec":{"containers":[{"name":"big","image":"nginx","resources":{"requests":{"cpu":"1","memory":"8Gi"}}}]}}'"#;
        let session = session(&[big, "lab wait 2s"]);
        assert_eq!(
            said(&session, "big"),
            [
                "Its micro-VM boots: 39 s to go. No node that is there matters.",
                "Profile `fp` (`default`) took it at admission: `schedulerName: fargate-scheduler`",
                "Requests of its containers together: `1000m`, `8192Mi`",
                "8192 + 256 = 8448 MiB for pod, kubelet, kube-proxy and containerd",
                "The smallest size with 1000m and 8448 MiB: **2vCPU 9GB**",
            ]
        );
    }

    #[test]
    fn a_refused_pod_tells_what_a_micro_vm_has_not() {
        let session = session(&["kubectl run root --image=nginx --privileged", "lab wait idle"]);
        let told = said(&session, "root");
        assert!(told[0].starts_with("Fargate took it and will not run it."), "{told:?}");
        assert!(told[2].starts_with("Its micro-VM is its own"), "{told:?}");
    }

    #[test]
    fn a_micro_vm_stands_in_its_subnet_with_its_pod_in_the_one_slot() {
        let session = session(&["kubectl run a --image=nginx", "lab wait idle"]);
        let scene = scene(Moment::of(session.world()), ClusterId(1), Form::Desk, None);
        let node = scene.nodes.iter().find(|it| it.name == "Fargate").expect("its card");
        assert_eq!((node.size, node.enis.len(), node.enis[0].slots.len()), (NodeSize::Folded, 1, 1));
        assert!(node.about.ends_with(" · 0.25vCPU 0.5GB"), "{}", node.about);
        let pod = scene.pods.iter().find(|it| it.id == "Pod/default/a").expect("the pod");
        assert_eq!((pod.seat, pod.rect), (Seat::MicroVm, node.enis[0].slots[0].rect));
        let home = scene.subnets.iter().find(|it| {
            let (inner, outer) = (node.rect, it.rect);
            inner.x >= outer.x
                && inner.x + inner.w <= outer.x + outer.w
                && inner.y >= outer.y
                && inner.y + inner.h <= outer.y + outer.h
        });
        assert!(home.is_some_and(|it| !it.public), "within a private subnet");
    }
}
