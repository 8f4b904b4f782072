//! Which fields of a pod does a server of this version forget, because their feature is off?
//!
//! They are dropped before validation, from pods and templates alike. Source: kubernetes v1.34.1
//! `pkg/api/pod/util.go` `dropDisabledFields`, `pkg/features/kube_features.go`: ContainerRestartRules, HostnameOverride,
//! EnvFiles, ImageVolume, ContainerStopSignals, ClusterTrustBundleProjection and PodCertificateRequest are off.

use crate::k8s::core::v1::{EnvVar, Lifecycle, PodSpec, VolumeMount};

/// Drops what is off.
pub(super) fn drop_disabled(spec: &mut PodSpec) {
    let before = spec.volumes.iter().flatten();
    let images: Vec<String> = before.filter(|it| it.image.is_some()).map(|it| it.name.clone()).collect();
    if let Some(volumes) = spec.volumes.as_mut().filter(|_| !images.is_empty()) {
        volumes.retain(|it| it.image.is_none());
    }
    let sources = spec.volumes.iter_mut().flatten().filter_map(|it| it.projected.as_mut());
    for source in sources.flat_map(|it| it.sources.iter_mut().flatten()) {
        source.cluster_trust_bundle = None;
        source.pod_certificate = None;
    }
    spec.hostname_override = None;
    let shared = |env: &mut Option<Vec<EnvVar>>,
                  mounts: &mut Option<Vec<VolumeMount>>,
                  lifecycle: &mut Option<Lifecycle>| {
        for source in env.iter_mut().flatten().filter_map(|it| it.value_from.as_mut()) {
            source.file_key_ref = None;
        }
        if let Some(mounts) = mounts {
            mounts.retain(|it| !images.contains(&it.name));
        }
        if let Some(hooks) = lifecycle.as_mut().filter(|it| it.stop_signal.is_some()) {
            hooks.stop_signal = None;
            if *hooks == Lifecycle::default() {
                *lifecycle = None;
            }
        }
    };
    for container in &mut spec.containers {
        container.restart_policy = None;
        container.restart_policy_rules = None;
        shared(&mut container.env, &mut container.volume_mounts, &mut container.lifecycle);
    }
    for container in spec.init_containers.iter_mut().flatten() {
        container.restart_policy = container.restart_policy.take().filter(|it| it == "Always");
        container.restart_policy_rules = None;
        shared(&mut container.env, &mut container.volume_mounts, &mut container.lifecycle);
    }
    for container in spec.ephemeral_containers.iter_mut().flatten() {
        container.restart_policy = None;
        container.restart_policy_rules = None;
        shared(&mut container.env, &mut container.volume_mounts, &mut container.lifecycle);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_feature_that_is_off_brought_is_dropped() {
        let spec = json!({"hostnameOverride": "a", "volumes": [{"name": "i", "image": {"reference": "x"}}, {"name": "e", "emptyDir": {}}],
            "containers": [{"name": "c", "restartPolicy": "Never", "lifecycle": {"stopSignal": "SIGUSR1"},
                "volumeMounts": [{"name": "i", "mountPath": "/i"}, {"name": "e", "mountPath": "/e"}]}],
            "initContainers": [{"name": "s", "restartPolicy": "Always"}, {"name": "n", "restartPolicy": "OnFailure"}]});
        let mut spec: PodSpec = serde_json::from_value(spec).expect("a spec");
        drop_disabled(&mut spec);
        let left = json!({"volumes": [{"name": "e", "emptyDir": {}}],
            "containers": [{"name": "c", "volumeMounts": [{"name": "e", "mountPath": "/e"}]}],
            "initContainers": [{"name": "s", "restartPolicy": "Always"}, {"name": "n"}]});
        assert_eq!(serde_json::to_value(spec).expect("JSON"), left);
    }
}
