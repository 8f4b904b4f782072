//! Sizes against what people have measured, and their rules for any pod.

use serde_json::{Value, json};

use super::*;

fn of(cpu_milli: u64, memory_mib: u64) -> Option<String> {
    size(Size { cpu_milli, memory_mib }).map(Size::annotation)
}

#[test]
fn memory_is_rounded_up_after_the_overhead() {
    assert_eq!(of(0, 0).as_deref(), Some("0.25vCPU 0.5GB"));
    assert_eq!(of(250, 257).as_deref(), Some("0.25vCPU 1GB"));
    assert_eq!(of(1000, 8192).as_deref(), Some("2vCPU 9GB"));
    assert_eq!(of(1000, 2560).as_deref(), Some("1vCPU 3GB"));
    assert_eq!(of(250, 3072).as_deref(), Some("0.5vCPU 4GB"));
    assert_eq!(of(17_000, 0), None);
}

#[test]
fn measured_pods_have_the_size_they_had() {
    // Provisioned sizes that somebody wrote down beside their requests, when 4 vCPU were the most.
    for (cpu, memory, wanted) in [
        (250, 1000, "0.25vCPU 2GB"),
        (255, 1000, "0.5vCPU 2GB"),
        (260, 1750, "0.5vCPU 2GB"),
        (255, 1800, "0.5vCPU 3GB"),
        (255, 10 * 1024, "2vCPU 11GB"),
    ] {
        assert_eq!(of(cpu, memory).as_deref(), Some(wanted), "{cpu}m {memory}Mi");
    }
}

#[test]
fn no_size_is_smaller_than_what_was_asked_for_and_more_is_never_less() {
    let steps = |most: u64| (0..60).map(move |n| most * n * n / 3600);
    for cpu_milli in steps(16_000) {
        let mut before = Size::default();
        for memory_mib in steps(122_880 - OVERHEAD_MIB) {
            let got = size(Size { cpu_milli, memory_mib }).expect("a size");
            assert!(got.cpu_milli >= cpu_milli && got.memory_mib >= memory_mib + OVERHEAD_MIB);
            assert!(got.cpu_milli >= before.cpu_milli && got.memory_mib >= before.memory_mib);
            let more = size(Size { cpu_milli: (cpu_milli + 1).min(16_000), memory_mib }).expect("a size");
            assert!(more.cpu_milli >= got.cpu_milli && more.memory_mib >= got.memory_mib);
            before = got;
        }
    }
}

#[test]
fn words_of_a_selector_may_be_patterns() {
    let selector = |namespace: &str, label: (&str, &str)| FargateSelector {
        namespace: namespace.to_owned(),
        labels: BTreeMap::from([(label.0.to_owned(), label.1.to_owned())]),
    };
    let labels = BTreeMap::from([("app".to_owned(), "web-1".to_owned())]);
    assert!(selects(&selector("team-?", ("a*", "web-*")), "team-a", &labels));
    assert!(!selects(&selector("team-?", ("a*", "web-*")), "team-", &labels));
    assert!(!selects(&selector("*", ("app", "web-??")), "team-a", &labels));
}

fn sized(spec: Value) -> Sizing {
    sizing(&serde_json::from_value(spec).expect("a pod's spec"))
}

fn container(cpu: &str, memory: &str) -> Value {
    json!({"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}})
}

#[test]
fn containers_add_up_and_the_largest_init_container_counts() {
    let two = json!([container("500m", "512Mi"), container("500m", "512Mi")]);
    let init = json!([container("100m", "2Gi"), container("200m", "1Gi")]);
    let got = sized(json!({"containers": two, "initContainers": init}));
    assert_eq!(got.together, Size { cpu_milli: 1000, memory_mib: 1024 });
    assert_eq!(got.init, Size { cpu_milli: 200, memory_mib: 2048 });
    assert_eq!(got.requested, Size { cpu_milli: 1000, memory_mib: 2048 });
    assert_eq!(got.size.map(Size::annotation).as_deref(), Some("1vCPU 3GB"));
}

#[test]
fn coredns_with_256_megabytes_fits_the_smallest() {
    // 256 MB are 245 MiB and a bit less: with the overhead 501, not 512.
    let got = sized(json!({"containers": [container("0.25", "256M")]}));
    assert_eq!(got.requested.memory_mib, 245);
    assert_eq!(got.size.map(Size::annotation).as_deref(), Some("0.25vCPU 0.5GB"));
}

#[test]
fn a_disk_is_twenty_gibibytes_or_more_than_was_asked_for() {
    for (asked, provisioned) in [(0, 20), (20, 20), (21, 25), (100, 115)] {
        assert_eq!(disk_gib(asked << 30), provisioned, "{asked} GiB");
    }
}
