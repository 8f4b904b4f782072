//! What does a pod get that does not ask for it?

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;

use super::{blank_to, zero_to};
use crate::{
    k8s::core::v1::{
        Container, Lifecycle, LifecycleHandler, Pod, PodSpec, Probe, ResourceRequirements, Volume,
    },
    quantity::{Format, Quantity},
};

/// A pod by itself.
pub(super) fn pod(pod: &mut Pod) {
    let Some(spec) = &mut pod.spec else {
        // UPSTREAM: a missing spec is an empty one in Go.
        pod.spec = Some(PodSpec::default());
        return self::pod(pod);
    };
    pod_spec(spec);
    let containers = spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten());
    for container in containers {
        limits_become_requests(container.resources.as_mut());
        if spec.host_network == Some(true) {
            for port in container.ports.iter_mut().flatten() {
                let own = port.container_port;
                zero_to(&mut port.host_port, own);
            }
        }
    }
    pod_level_hugepages(spec);
    pod_level_requests(spec);
    spec.enable_service_links.get_or_insert(true);
}

/// A pod's spec, by itself or in a template.
pub(super) fn pod_spec(spec: &mut PodSpec) {
    blank_to(&mut spec.dns_policy, "ClusterFirst");
    blank_to(&mut spec.restart_policy, "Always");
    blank_to(&mut spec.scheduler_name, "default-scheduler");
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds.get_or_insert(30);
    // UPSTREAM: the old name is kept in step with the new one.
    if super::blank(spec.service_account_name.as_ref()) && !super::blank(spec.service_account.as_ref()) {
        spec.service_account_name.clone_from(&spec.service_account);
    }
    spec.service_account.clone_from(&spec.service_account_name);
    if let Some(overhead) = &mut spec.overhead {
        round_up(overhead);
    }
    if let Some(resources) = &mut spec.resources {
        for list in [&mut resources.limits, &mut resources.requests].into_iter().flatten() {
            round_up(list);
        }
    }
    for volume in spec.volumes.iter_mut().flatten() {
        self::volume(volume);
    }
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        self::container(container);
    }
    for container in spec.ephemeral_containers.iter_mut().flatten() {
        for port in container.ports.iter_mut().flatten() {
            blank_to(&mut port.protocol, "TCP");
        }
        image_pull_policy(container.image.as_deref(), &mut container.image_pull_policy);
        blank_to(&mut container.termination_message_path, "/dev/termination-log");
        blank_to(&mut container.termination_message_policy, "File");
    }
}

fn container(container: &mut Container) {
    image_pull_policy(container.image.as_deref(), &mut container.image_pull_policy);
    blank_to(&mut container.termination_message_path, "/dev/termination-log");
    blank_to(&mut container.termination_message_policy, "File");
    for port in container.ports.iter_mut().flatten() {
        blank_to(&mut port.protocol, "TCP");
    }
    for source in container.env.iter_mut().flatten().filter_map(|var| var.value_from.as_mut()) {
        if let Some(field) = &mut source.field_ref {
            blank_to(&mut field.api_version, "v1");
        }
    }
    if let Some(resources) = &mut container.resources {
        for list in [&mut resources.limits, &mut resources.requests].into_iter().flatten() {
            round_up(list);
        }
    }
    for probe in [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe]
        .into_iter()
        .flatten()
    {
        self::probe(probe);
    }
    if let Some(Lifecycle { post_start, pre_stop, .. }) = &mut container.lifecycle {
        for handler in [post_start, pre_stop].into_iter().flatten() {
            lifecycle_handler(handler);
        }
    }
}

fn probe(probe: &mut Probe) {
    zero_to(&mut probe.timeout_seconds, 1);
    zero_to(&mut probe.period_seconds, 10);
    zero_to(&mut probe.success_threshold, 1);
    zero_to(&mut probe.failure_threshold, 3);
    if let Some(get) = &mut probe.http_get {
        blank_to(&mut get.path, "/");
        blank_to(&mut get.scheme, "HTTP");
    }
    if let Some(grpc) = &mut probe.grpc {
        grpc.service.get_or_insert_default();
    }
}

fn lifecycle_handler(handler: &mut LifecycleHandler) {
    if let Some(get) = &mut handler.http_get {
        blank_to(&mut get.path, "/");
        blank_to(&mut get.scheme, "HTTP");
    }
}

fn volume(volume: &mut Volume) {
    if *volume == (Volume { name: volume.name.clone(), ..Volume::default() }) {
        volume.empty_dir = Some(Default::default());
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(0o644);
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(0o644);
    }
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert_default();
    }
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(0o644);
        for field in source.items.iter_mut().flatten().filter_map(|item| item.field_ref.as_mut()) {
            blank_to(&mut field.api_version, "v1");
        }
    }
    if let Some(source) = &mut volume.projected {
        source.default_mode.get_or_insert(0o644);
        for source in source.sources.iter_mut().flatten() {
            if let Some(token) = &mut source.service_account_token {
                token.expiration_seconds.get_or_insert(3600);
            }
            let items = source.downward_api.iter_mut().filter_map(|it| it.items.as_mut()).flatten();
            for field in items.filter_map(|item| item.field_ref.as_mut()) {
                blank_to(&mut field.api_version, "v1");
            }
        }
    }
    if let Some(source) = &mut volume.iscsi {
        blank_to(&mut source.iscsi_interface, "default");
    }
    if let Some(source) = &mut volume.rbd {
        blank_to(&mut source.pool, "rbd");
        blank_to(&mut source.user, "admin");
        blank_to(&mut source.keyring, "/etc/ceph/keyring");
    }
    if let Some(source) = &mut volume.azure_disk {
        source.caching_mode.get_or_insert_with(|| "ReadWrite".to_owned());
        source.kind.get_or_insert_with(|| "Shared".to_owned());
        source.fs_type.get_or_insert_with(|| "ext4".to_owned());
        source.read_only.get_or_insert(false);
    }
    if let Some(source) = &mut volume.scale_io {
        blank_to(&mut source.storage_mode, "ThinProvisioned");
        blank_to(&mut source.fs_type, "xfs");
    }
    if let Some(source) = &mut volume.image {
        image_pull_policy(source.reference.as_deref(), &mut source.pull_policy);
    }
    if let Some(claim) = volume.ephemeral.as_mut().and_then(|it| it.volume_claim_template.as_mut()) {
        blank_to(&mut claim.spec.volume_mode, "Filesystem");
    }
}

fn image_pull_policy(image: Option<&str>, policy: &mut Option<String>) {
    blank_to(policy, if is_latest(image.unwrap_or_default()) { "Always" } else { "IfNotPresent" });
}

/// Whether an image name means the tag `latest`: it has that tag, or neither tag nor digest.
///
/// A name that cannot be parsed has no tag. Source: distribution/reference, `ParseNormalizedNamed`.
fn is_latest(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or_default();
    let tag = last.split_once(':').map(|(_, tag)| tag);
    let path = name.strip_suffix(tag.unwrap_or_default()).map_or(name, |it| it.trim_end_matches(':'));
    if !is_image_name(path) {
        return false;
    }
    tag.map_or(digest.is_none(), |tag| tag == "latest")
}

fn is_image_name(name: &str) -> bool {
    let mut parts = name.split('/').peekable();
    let host = |part: &str| part.contains(['.', ':']) || part == "localhost";
    let hosted = name.contains('/') && parts.peek().is_some_and(|part| host(part));
    let fits = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
            && part.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && part.bytes().last().is_some_and(|b| b.is_ascii_alphanumeric())
    };
    let path = if hosted { name.split_once('/').map_or(name, |(_, path)| path) } else { name };
    // A name without a folder is in `library/`.
    let length = path.len() + if path.contains('/') { 0 } else { "library/".len() };
    let is_identifier = name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    length <= 255 && !is_identifier && parts.skip(usize::from(hosted)).all(fits)
}

fn limits_become_requests(resources: Option<&mut ResourceRequirements>) {
    let Some(resources) = resources else { return };
    let Some(limits) = &resources.limits else { return };
    let requests = resources.requests.get_or_insert_default();
    for (name, limit) in limits {
        requests.entry(name.clone()).or_insert_with(|| limit.clone());
    }
}

/// A pod with resources of its own gets, as its limit of huge pages, what its containers may use together.
fn pod_level_hugepages(spec: &mut PodSpec) {
    let empty = |it: &Option<BTreeMap<String, Amount>>| it.as_ref().is_none_or(BTreeMap::is_empty);
    let Some(own) = spec.resources.as_ref().filter(|it| !empty(&it.limits) || !empty(&it.requests)) else {
        return;
    };
    let requested = |name: &String| own.requests.as_ref().is_some_and(|it| it.contains_key(name));
    let mut missing = together(spec, |it| it.limits.as_ref());
    missing.retain(|name, _| name.starts_with("hugepages-") && !requested(name));
    let Some(resources) = spec.resources.as_mut().filter(|_| !missing.is_empty()) else { return };
    let limits = resources.limits.get_or_insert_default();
    for (name, amount) in missing {
        limits.entry(name).or_insert_with(|| Amount(amount.canonical()));
    }
}

/// A pod with limits of its own gets requests: what its containers ask for, else its limit.
fn pod_level_requests(spec: &mut PodSpec) {
    let Some(limits) = spec.resources.as_ref().and_then(|it| it.limits.clone()).filter(|it| !it.is_empty())
    else {
        return;
    };
    let own = spec.resources.as_ref().and_then(|it| it.requests.clone()).unwrap_or_default();
    let mut requests = own.clone();
    for (name, amount) in container_requests(spec) {
        if matches!(name.as_str(), "cpu" | "memory") && !own.contains_key(&name) {
            requests.insert(name, Amount(amount.canonical()));
        }
    }
    for (name, limit) in limits {
        if matches!(name.as_str(), "cpu" | "memory") || name.starts_with("hugepages-") {
            requests.entry(name).or_insert(limit);
        }
    }
    if let Some(resources) = spec.resources.as_mut().filter(|_| !requests.is_empty()) {
        resources.requests = Some(requests);
    }
}

/// What the containers of a pod ask for together: the sum of those that run, or the most that an init container needs.
pub(crate) fn container_requests(spec: &PodSpec) -> BTreeMap<String, Quantity> {
    together(spec, |it| it.requests.as_ref())
}

/// The same for their requests or their limits.
fn together(
    spec: &PodSpec,
    list: impl Fn(&ResourceRequirements) -> Option<&BTreeMap<String, Amount>>,
) -> BTreeMap<String, Quantity> {
    let asked = |container: &Container| -> BTreeMap<String, Quantity> {
        let amounts = container.resources.iter().filter_map(&list).flatten();
        amounts.filter_map(|(name, amount)| Some((name.clone(), Quantity::parse(&amount.0).ok()?))).collect()
    };
    let mut running: BTreeMap<String, Quantity> = BTreeMap::new();
    let mut sidecars: BTreeMap<String, Quantity> = BTreeMap::new();
    let mut peak: BTreeMap<String, Quantity> = BTreeMap::new();
    for container in &spec.containers {
        add(&mut running, asked(container));
    }
    for container in spec.init_containers.iter().flatten() {
        let mut now = asked(container);
        if container.restart_policy.as_deref() == Some("Always") {
            add(&mut running, now.clone());
            add(&mut sidecars, now);
            now = sidecars.clone();
        } else {
            add(&mut now, sidecars.clone());
        }
        most(&mut peak, now);
    }
    most(&mut running, peak);
    running
}

fn add(to: &mut BTreeMap<String, Quantity>, more: BTreeMap<String, Quantity>) {
    for (name, amount) in more {
        let sum = to.remove(&name).map_or_else(|| amount.clone(), |had| had + &amount);
        to.insert(name, sum);
    }
}

fn most(to: &mut BTreeMap<String, Quantity>, other: BTreeMap<String, Quantity>) {
    for (name, amount) in other {
        if to.get(&name).is_none_or(|had| *had < amount) {
            to.insert(name, amount);
        }
    }
}

/// Amounts finer than a thousandth are rounded up.
pub(super) fn round_up(list: &mut BTreeMap<String, Amount>) {
    for amount in list.values_mut() {
        if let Ok(quantity) = Quantity::parse(&amount.0) {
            let rounded = Quantity::from_milli(quantity.milli_value(), Format::DecimalSi);
            // Only what is finer changes, so that 1Gi stays 1Gi.
            if rounded != quantity && amount.0.ends_with(['n', 'u']) {
                amount.0 = rounded.canonical();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_tag_or_with_latest_is_always_pulled() {
        for (image, latest) in [
            ("nginx", true),
            ("nginx:latest", true),
            (&"a".repeat(64), false),
            (&"b".repeat(254), false),
            ("nginx:1.27", false),
            ("localhost:5000/nginx", true),
            ("nginx@sha256:0123", false),
            ("NGINX:1.27", false),
            ("Nginx", false),
            ("", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image}");
        }
    }

    /// `defaultHugePagePodLimits`, then `defaultPodRequests`, of `pkg/apis/core/v1/defaults.go`.
    #[test]
    fn huge_pages_of_containers_become_the_pods() {
        let defaulted = |own: &str| {
            let text = r#"{"resources": OWN, "containers": [{"name": "a", "image": "i", "resources":
                {"limits": {"hugepages-2Mi": "4Mi"}, "requests": {"cpu": "1"}}}]}"#;
            let mut spec = serde_json::from_str(&text.replace("OWN", own)).expect("a pod spec");
            pod_level_hugepages(&mut spec);
            pod_level_requests(&mut spec);
            serde_json::to_string(&spec.resources).expect("json")
        };
        assert_eq!(
            defaulted(r#"{"requests": {"memory": "1Gi"}}"#),
            r#"{"limits":{"hugepages-2Mi":"4Mi"},"requests":{"cpu":"1","hugepages-2Mi":"4Mi","memory":"1Gi"}}"#
        );
        assert_eq!(defaulted("{}"), "{}");
    }
}
