//! Fargate cases: sizes of micro-VMs and choice of profiles.

use std::collections::BTreeMap;

use api::kinds::eks::FargateSelector;
use cluster::node::fargate::{self, OVERHEAD_MIB, Size};
use serde_json::{Value, json};

pub(super) fn size(input: &Value) -> Value {
    let sizes = |field: &str| -> Vec<Size> {
        let all = input[field].as_array().into_iter().flatten();
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        all.map(|c| Size { cpu_milli: number(&c["cpu_m"]), memory_mib: number(&c["mem_mib"]) }).collect()
    };
    let requested = fargate::requested(&sizes("containers"), &sizes("init_containers"));
    let mut answer = json!({
        "effective_cpu_m": requested.cpu_milli,
        "effective_mem_mib": requested.memory_mib,
        "mem_with_overhead_mib": requested.memory_mib + OVERHEAD_MIB,
    });
    match fargate::size(requested) {
        Some(size) => {
            answer["vcpu"] = json!(size.cpu_milli as f64 / 1000.0);
            answer["memory_gb"] = json!(size.memory_mib as f64 / 1024.0);
            answer["annotation"] = json!(size.annotation());
        }
        None => answer["error"] = json!("exceeds the largest Fargate configuration"),
    }
    answer
}

pub(super) fn matching(input: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = |value: &Value| -> BTreeMap<String, String> {
        value.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), text(v))).collect()
    };
    let selector =
        |it: &Value| FargateSelector { namespace: text(&it["namespace"]), labels: labels(&it["labels"]) };
    let profiles: BTreeMap<String, Vec<FargateSelector>> = input["profiles"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            (text(&it["name"]), it["selectors"].as_array().into_iter().flatten().map(selector).collect())
        })
        .collect();
    let pod = &input["pod"];
    let (names, chosen) = fargate::matching(&profiles, &text(&pod["namespace"]), &labels(&pod["labels"]));
    let scheduler = if chosen.is_some() { "fargate-scheduler" } else { "default-scheduler" };
    json!({"matching_profiles": names, "profile": chosen, "scheduler": scheduler})
}
