#![allow(clippy::needless_pass_by_value, reason = "a line of JSON is handed over")]
#![allow(clippy::unwrap_used, reason = "tests say what must hold")]
use api::{Kind, k8s::core::v1::PodSpec, meta::ObjectMeta};
use serde_json::{Value, json};

use super::{
    check::{self, Subject},
    policy::{Level, Standard},
};
use crate::fixture::{cluster, create, merge};

/// What a standard says of a pod: its container `a` with a security context, and more of its spec.
fn said(level: Level, version: Option<u32>, container: Value, spec: Value) -> String {
    said_with(level, version, container, spec, json!({}))
}

fn said_with(
    level: Level,
    version: Option<u32>,
    container: Value,
    mut spec: Value,
    annotations: Value,
) -> String {
    let mut one = json!({"name": "a"});
    one.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let containers = spec.as_object_mut().unwrap().entry("containers").or_insert_with(|| json!([]));
    containers.as_array_mut().unwrap().insert(0, one);
    let spec: PodSpec = serde_json::from_value(spec).unwrap();
    let meta =
        ObjectMeta { annotations: serde_json::from_value(annotations).unwrap(), ..ObjectMeta::default() };
    let found = check::run(Standard { level, version }, 34, &Subject { meta: &meta, spec: &spec });
    super::details(&found)
}

fn baseline(container: Value, spec: Value) -> String {
    said(Level::Baseline, None, container, spec)
}

fn security(context: Value) -> Value {
    json!({"securityContext": context})
}

/// A container that keeps to the restricted standard, but for what is said.
fn restricted(context: Value, spec: Value) -> String {
    let mut whole = json!({"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"}});
    whole.as_object_mut().unwrap().extend(context.as_object().unwrap().clone());
    said(Level::Restricted, None, security(whole), spec)
}

#[test]
fn each_baseline_check_says_what_is_wrong() {
    let none = || json!({});
    for (container, spec, words) in [
        (none(), none(), ""),
        (
            security(json!({"capabilities": {"add": ["SYS_TIME", "NET_ADMIN", "CHOWN"]}})),
            none(),
            "non-default capabilities (container \"a\" must not include \"NET_ADMIN\", \"SYS_TIME\" in securityContext.capabilities.add)",
        ),
        (
            none(),
            json!({"hostPID": true, "hostNetwork": true}),
            "host namespaces (hostNetwork=true, hostPID=true)",
        ),
        (
            none(),
            json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}, {"name": "w", "hostPath": {"path": "/"}}]}),
            "hostPath volumes (volumes \"v\", \"w\")",
        ),
        (
            json!({"ports": [{"containerPort": 80, "hostPort": 8080}]}),
            json!({"initContainers": [{"name": "i", "ports": [{"containerPort": 1, "hostPort": 443}]}]}),
            "hostPort (containers \"i\", \"a\" use hostPorts 443, 8080)",
        ),
        (
            json!({"livenessProbe": {"httpGet": {"port": 80, "host": "10.0.0.1"}}}),
            none(),
            "probe or lifecycle host (container \"a\" uses probe or lifecycle host \"10.0.0.1\")",
        ),
        (
            security(json!({"privileged": true})),
            none(),
            "privileged (container \"a\" must not set securityContext.privileged=true)",
        ),
        (
            security(json!({"procMount": "Unmasked"})),
            none(),
            "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")",
        ),
        (
            security(json!({"seLinuxOptions": {"type": "spc_t", "role": "r"}})),
            json!({"securityContext": {"seLinuxOptions": {"user": "u"}}}),
            "seLinuxOptions (pod and container \"a\" set forbidden securityContext.seLinuxOptions: type \"spc_t\"; user may not be set; role may not be set)",
        ),
        (
            security(json!({"seccompProfile": {"type": "Unconfined"}})),
            none(),
            "seccompProfile (container \"a\" must not set securityContext.seccompProfile.type to \"Unconfined\")",
        ),
        (
            none(),
            json!({"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}, {"name": "net.ipv4.tcp_rmem", "value": "1"}]}}),
            "forbidden sysctls (kernel.msgmax)",
        ),
        (
            security(json!({"windowsOptions": {"hostProcess": true}})),
            none(),
            "hostProcess (container \"a\" must not set securityContext.windowsOptions.hostProcess=true)",
        ),
        (
            security(json!({"appArmorProfile": {"type": "Unconfined"}})),
            none(),
            "forbidden AppArmor profile (container \"a\" must not set AppArmor profile type to \"Unconfined\")",
        ),
    ] {
        assert_eq!(baseline(container, spec), words);
    }
}

#[test]
fn each_restricted_check_says_what_is_wrong() {
    let none = || json!({});
    for (context, spec, words) in [
        (none(), none(), ""),
        (
            json!({"capabilities": {"add": ["CHOWN"]}}),
            none(),
            "unrestricted capabilities (container \"a\" must set securityContext.capabilities.drop=[\"ALL\"]; \
             container \"a\" must not include \"CHOWN\" in securityContext.capabilities.add)",
        ),
        (
            none(),
            json!({"volumes": [{"name": "v", "hostPath": {"path": "/"}}, {"name": "n", "nfs": {"server": "s", "path": "/"}}, {"name": "e", "emptyDir": {}}]}),
            "restricted volume types (volumes \"v\", \"n\" use restricted volume types \"hostPath\", \"nfs\")",
        ),
        (
            json!({"runAsNonRoot": false}),
            json!({"securityContext": {"runAsNonRoot": false}}),
            "runAsNonRoot != true (pod and container \"a\" must not set securityContext.runAsNonRoot=false)",
        ),
        (json!({"runAsUser": 0}), none(), "runAsUser=0 (container \"a\" must not set runAsUser=0)"),
        (
            json!({"seccompProfile": null}),
            none(),
            "seccompProfile (pod or container \"a\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")",
        ),
        (
            json!({"seccompProfile": null}),
            json!({"securityContext": {"seccompProfile": {"type": "Localhost"}}}),
            "",
        ),
    ] {
        assert_eq!(restricted(context, spec), words);
    }
}

#[test]
fn a_version_asks_what_its_release_asked() {
    let plain = || json!({});
    assert_eq!(
        said(Level::Restricted, Some(7), plain(), plain()),
        "runAsNonRoot != true (pod or container \"a\" must set securityContext.runAsNonRoot=true)"
    );
    let windows = json!({"os": {"name": "windows"}, "securityContext": {"runAsNonRoot": true}});
    assert_eq!(said(Level::Restricted, Some(25), plain(), windows.clone()), "");
    assert!(
        said(Level::Restricted, Some(24), plain(), windows).contains("allowPrivilegeEscalation != false")
    );
    let probe = json!({"readinessProbe": {"tcpSocket": {"port": 80, "host": "h"}}});
    assert_eq!(said(Level::Baseline, Some(33), probe, plain()), "");
    let old = json!({"container.seccomp.security.alpha.kubernetes.io/a": "unconfined"});
    assert_eq!(
        said_with(Level::Baseline, Some(18), plain(), plain(), old),
        "seccompProfile (forbidden annotation container.seccomp.security.alpha.kubernetes.io/a=\"unconfined\")"
    );
}

#[test]
fn labels_that_mean_nothing_are_refused() {
    let mut world = cluster();
    let labels = json!({"pod-security.kubernetes.io/enforce": "bogus", "pod-security.kubernetes.io/enforce-version": "1.2"});
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels}});
    assert_eq!(
        create(&mut world, namespace).unwrap_err(),
        "Namespace \"shop\" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"bogus\": \
         must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/enforce-version]: \
         Invalid value: \"1.2\": must be \"latest\" or \"v1.x\"]"
    );
}

#[test]
fn a_stricter_namespace_names_the_pods_that_are_there() {
    let mut world = cluster();
    for name in ["b", "a", "c"] {
        create(&mut world, crate::fixture::pod(name)).unwrap();
    }
    let labels = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    merge(&mut world, Kind::Namespace, "default", labels).unwrap();
    assert_eq!(
        world.last_asked().unwrap().warnings,
        [
            "existing pods in namespace \"default\" violate the new PodSecurity enforce level \"restricted:latest\"",
            "a (and 2 other pods): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile"
        ]
    );
}

#[test]
fn an_enforced_level_is_warned_of_where_templates_break_it() {
    let mut world = cluster();
    let labels = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}});
    merge(&mut world, Kind::Namespace, "default", labels).unwrap();
    let template = json!({"metadata": {"labels": {"app": "x"}},
        "spec": {"hostNetwork": true, "restartPolicy": "Never", "containers": [{"name": "a", "image": "i"}]}});
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": template}});
    create(&mut world, job).unwrap();
    assert_eq!(
        world.last_asked().unwrap().warnings,
        ["would violate PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)"]
    );
}
