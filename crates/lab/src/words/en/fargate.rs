//! What Fargate makes of a pod, in English.

use cluster::node::fargate::{OVERHEAD_MIB, Size};

use crate::{
    view::fargate::FargateWhy,
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
    let selects = |(namespace, labels): &(String, Vec<(String, String)>)| {
        let labels: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        if labels.is_empty() { namespace.clone() } else { format!("{namespace} + {}", labels.join(" + ")) }
    };
    let selectors: Vec<String> = why.selectors.iter().map(selects).collect();
    let by = if selectors.is_empty() { String::new() } else { format!(" (`{}`)", selectors.join("`, `")) };
    let mut out = vec![step(
        Mark::Good,
        format!("Profile `{}`{by} took it at admission: `schedulerName: fargate-scheduler`", why.profile),
    )];
    if why.refused.is_some() && why.sizing.size.is_some() {
        let text = "Its micro-VM is its own: no host fields, no privileges, no host ports, no volumes of a host or of EBS";
        out.push(step(Mark::Bad, text.to_owned()));
    }
    let it = why.sizing;
    out.push(step(Mark::Number, format!("Requests of its containers together: {}", asked(it.together))));
    if it.init != Size::default() {
        out.push(step(Mark::Number, format!("Its largest init container: {}", asked(it.init))));
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

fn asked(size: Size) -> String {
    format!("`{}m`, `{}Mi`", size.cpu_milli, size.memory_mib)
}
