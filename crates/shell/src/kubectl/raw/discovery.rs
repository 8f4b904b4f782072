//! What does the API server say of itself: its groups, their resources, its health, its release?
//!
//! Source: apiserver `pkg/endpoints/{installer,discovery}`, apimachinery `pkg/version`; the parts of resources are those
//! that a 1.34 server lists.

use api::{Domain, Kind, Scope};
use base64::Engine as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Groups of the server's own, in the order of its list: kube-aggregator's `apiServicePriorities`.
const ORDER: [&str; 20] = [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// Verbs of a part that is read and written.
const CHANGED: &str = "get patch update";

/// Parts of resources: resource, part, kind, the kind's API version if it is not the resource's, verbs.
const PARTS: &[(&str, &str, &str, &str, &str)] = &[
    ("certificatesigningrequests", "approval", "CertificateSigningRequest", "", CHANGED),
    ("deployments", "scale", "Scale", "autoscaling/v1", CHANGED),
    ("namespaces", "finalize", "Namespace", "", "update"),
    ("nodes", "proxy", "NodeProxyOptions", "", "create delete get patch update"),
    ("pods", "attach", "PodAttachOptions", "", "create get"),
    ("pods", "binding", "Binding", "", "create"),
    ("pods", "ephemeralcontainers", "Pod", "", CHANGED),
    ("pods", "eviction", "Eviction", "policy/v1", "create"),
    ("pods", "exec", "PodExecOptions", "", "create get"),
    ("pods", "log", "Pod", "", "get"),
    ("pods", "portforward", "PodPortForwardOptions", "", "create get"),
    ("pods", "proxy", "PodProxyOptions", "", "create delete get patch update"),
    ("pods", "resize", "Pod", "", CHANGED),
    ("replicasets", "scale", "Scale", "autoscaling/v1", CHANGED),
    ("replicationcontrollers", "scale", "Scale", "autoscaling/v1", CHANGED),
    ("serviceaccounts", "token", "TokenRequest", "authentication.k8s.io/v1", "create"),
    ("services", "proxy", "ServiceProxyOptions", "", "create delete get patch update"),
    ("statefulsets", "scale", "Scale", "autoscaling/v1", CHANGED),
];

/// Resources whose status is a part of its own.
const WITH_STATUS: &[&str] = &[
    "certificatesigningrequests",
    "cronjobs",
    "customresourcedefinitions",
    "daemonsets",
    "deployments",
    "flowschemas",
    "horizontalpodautoscalers",
    "ingresses",
    "apiservices",
    "jobs",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "poddisruptionbudgets",
    "pods",
    "prioritylevelconfigurations",
    "replicasets",
    "replicationcontrollers",
    "resourceclaims",
    "resourcequotas",
    "servicecidrs",
    "services",
    "statefulsets",
    "validatingadmissionpolicies",
    "volumeattachments",
];

/// What stands at a path that is no object's; `None` if nothing does. `kinds` are those that are served.
pub(super) fn at(path: &str, kinds: &[Kind]) -> Option<Value> {
    match path {
        "" => Some(json!({"paths": paths(kinds)})),
        "/apis" => {
            let all: Vec<Value> = groups(kinds).into_iter().map(|group| group_of(group, kinds)).collect();
            Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": all}))
        }
        "/api/v1" => resources("", "v1", kinds),
        other => match other.strip_prefix("/apis/")?.split('/').collect::<Vec<_>>().as_slice() {
            [group] if groups(kinds).contains(group) => {
                let mut shown = json!({"kind": "APIGroup", "apiVersion": "v1"});
                for (key, value) in group_of(group, kinds).as_object().into_iter().flatten() {
                    shown[key] = value.clone();
                }
                Some(shown)
            }
            [group, version] => resources(group, version, kinds),
            _ => None,
        },
    }
}

/// The groups that are served: the server's own in their order, then those of definitions.
fn groups(kinds: &[Kind]) -> Vec<&'static str> {
    let served = kinds.iter().map(|k| k.info()).filter(|i| i.domain() == Domain::Kubernetes);
    let mut all: Vec<&str> = served.map(|i| i.group).filter(|g| !g.is_empty()).collect();
    all.sort_unstable_by_key(|g| (ORDER.iter().position(|it| it == g).unwrap_or(ORDER.len()), *g));
    all.dedup();
    all
}

fn versions(group: &str, kinds: &[Kind]) -> Vec<&'static str> {
    let served = kinds.iter().map(|k| k.info()).filter(|i| i.group == group);
    let mut versions: Vec<&str> = served.map(|i| i.version).collect();
    versions.sort_unstable_by_key(|v| (v.contains("alpha"), v.contains("beta"), std::cmp::Reverse(*v)));
    versions.dedup();
    versions
}

fn group_of(group: &str, kinds: &[Kind]) -> Value {
    let one = |version: &str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    let all: Vec<Value> = versions(group, kinds).into_iter().map(one).collect();
    json!({"name": group, "versions": all, "preferredVersion": all.first()})
}

/// The list of a version's resources and of their parts, by their names.
fn resources(group: &str, version: &str, kinds: &[Kind]) -> Option<Value> {
    let of = |kind: &&Kind| {
        let info = kind.info();
        info.domain() == Domain::Kubernetes && info.group == group && info.version == version
    };
    let mut all: Vec<(String, Value)> = Vec::new();
    for kind in kinds.iter().filter(of) {
        let info = kind.info();
        let namespaced = info.scope == Scope::Namespaced;
        let mut shown = json!({"name": info.plural, "singularName": info.singular(), "namespaced": namespaced,
            "kind": info.kind, "verbs": info.verbs});
        let short = kind.stored().info().short;
        if !short.is_empty() {
            shown["shortNames"] = json!(short);
        }
        if !info.categories.is_empty() {
            shown["categories"] = json!(info.categories);
        }
        if info.verbs.contains(&"watch") {
            shown["storageVersionHash"] = storage_hash(*kind).into();
        }
        all.push((info.plural.to_owned(), shown));
        let status = (info.plural, "status", info.kind, "", CHANGED);
        let status = WITH_STATUS.contains(&info.plural).then_some(&status);
        let is_own = !matches!(kind, Kind::Custom(_));
        for (_, part, of, other, verbs) in
            PARTS.iter().filter(|it| it.0 == info.plural).chain(status).filter(|_| is_own)
        {
            let name = format!("{}/{part}", info.plural);
            let mut shown = json!({"name": name, "singularName": "", "namespaced": namespaced});
            if let Some((group, version)) = other.split_once('/') {
                shown["group"] = group.into();
                shown["version"] = version.into();
            }
            shown["kind"] = (*of).into();
            shown["verbs"] = json!(verbs.split(' ').collect::<Vec<_>>());
            all.push((name, shown));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all.dedup_by(|a, b| a.0 == b.0);
    let served: Vec<Value> = all.into_iter().map(|(_, shown)| shown).collect();
    let at = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (!served.is_empty()).then(
        || json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": at, "resources": served}),
    )
}

/// A hash of the version in which etcd holds a kind.
fn storage_hash(kind: Kind) -> String {
    let info = kind.stored().info();
    let (group, version) = match (kind, info.group) {
        (Kind::VolumeAttributesClass, _) => (info.group, "v1beta1"),
        (Kind::CustomResourceDefinition, _) => (info.group, "v1beta1"),
        (_, "resource.k8s.io") => (info.group, "v1beta2"),
        _ => (info.group, info.version),
    };
    let hash = Sha256::digest(format!("{group}/{version}/{}", info.kind));
    base64::engine::general_purpose::STANDARD.encode(&hash[..8])
}

/// Every path that is worth asking, by name. MODEL: of the checks under `/healthz` only some are named.
fn paths(kinds: &[Kind]) -> Vec<String> {
    let mut all: Vec<String> = ["/.well-known/openid-configuration", "/api", "/api/v1", "/apis", "/apis/"]
        .into_iter()
        .chain(["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/"])
        .chain(["/openid/v1/jwks", "/readyz", "/version"])
        .map(str::to_owned)
        .collect();
    for group in groups(kinds) {
        all.push(format!("/apis/{group}"));
        all.extend(versions(group, kinds).into_iter().map(|version| format!("/apis/{group}/{version}")));
    }
    for (check, door) in CHECKS {
        let doors = ["healthz", "livez", "readyz"].into_iter().filter(|it| door.is_empty() || *it == door);
        all.extend(doors.map(|door| format!("/{door}/{check}")));
    }
    all.sort_unstable();
    all
}

/// Checks of the server's health in the order they are made, and of which door alone.
const CHECKS: [(&str, &str); 33] = [
    ("ping", ""),
    ("log", ""),
    ("informer-sync", "readyz"),
    ("poststarthook/start-apiserver-admission-initializer", ""),
    ("poststarthook/generic-apiserver-start-informers", ""),
    ("poststarthook/priority-and-fairness-config-consumer", ""),
    ("poststarthook/priority-and-fairness-filter", ""),
    ("poststarthook/storage-object-count-tracker-hook", ""),
    ("poststarthook/start-apiextensions-informers", ""),
    ("poststarthook/start-apiextensions-controllers", ""),
    ("poststarthook/crd-informer-synced", ""),
    ("poststarthook/start-system-namespaces-controller", ""),
    ("poststarthook/start-cluster-authentication-info-controller", ""),
    ("poststarthook/start-kube-apiserver-identity-lease-controller", ""),
    ("poststarthook/start-kube-apiserver-identity-lease-garbage-collector", ""),
    ("poststarthook/start-legacy-token-tracking-controller", ""),
    ("poststarthook/start-service-ip-repair-controllers", ""),
    ("poststarthook/rbac/bootstrap-roles", ""),
    ("poststarthook/scheduling/bootstrap-system-priority-classes", ""),
    ("poststarthook/priority-and-fairness-config-producer", ""),
    ("poststarthook/bootstrap-controller", ""),
    ("poststarthook/start-kubernetes-service-cidr-controller", ""),
    ("poststarthook/start-kube-aggregator-informers", ""),
    ("poststarthook/apiservice-status-local-available-controller", ""),
    ("poststarthook/apiservice-status-remote-available-controller", ""),
    ("poststarthook/apiservice-registration-controller", ""),
    ("poststarthook/apiservice-wait-for-first-sync", ""),
    ("poststarthook/apiservice-discovery-controller", ""),
    ("poststarthook/kube-apiserver-autoregistration", ""),
    ("autoregister-completion", ""),
    ("poststarthook/apiservice-openapi-controller", ""),
    ("poststarthook/apiservice-openapiv3-controller", ""),
    ("shutdown", "readyz"),
];

/// What `/healthz`, `/livez`, `/readyz` and the checks under them say; `None` if the path is none of these.
pub(super) fn health(path: &str, verbose: bool) -> Option<String> {
    let mut words = path.trim_start_matches('/').splitn(2, '/');
    let door = words.next().filter(|door| matches!(*door, "healthz" | "livez" | "readyz"))?;
    let made = |of: &str| of.is_empty() || of == door;
    if let Some(check) = words.next() {
        return CHECKS.iter().any(|(name, of)| *name == check && made(of)).then(|| "ok".to_owned());
    }
    if !verbose {
        return Some("ok".to_owned());
    }
    let lines = CHECKS.iter().filter(|(_, of)| made(of)).map(|(name, _)| format!("[+]{name} ok\n"));
    Some(format!("{}{door} check passed\n", lines.collect::<String>()))
}

/// `/version`, which is indented by two blanks.
pub(in crate::kubectl) fn version(version: &str) -> String {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let oldest = minor.parse::<u32>().map_or_else(|_| String::new(), |it| it.saturating_sub(1).to_string());
    let lines = [
        ("major", major),
        ("minor", minor),
        ("emulationMajor", major),
        ("emulationMinor", minor),
        ("minCompatibilityMajor", major),
        ("minCompatibilityMinor", &oldest),
        ("gitVersion", version),
        ("gitCommit", "$Format:%H$"),
        ("gitTreeState", ""),
        ("buildDate", "1970-01-01T00:00:00Z"),
        ("goVersion", "go1.24.11"),
        ("compiler", "gc"),
        ("platform", "linux/amd64"),
    ];
    let lines: Vec<String> =
        lines.iter().map(|(key, value)| format!("  {key:?}: {}", Value::from(*value))).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_lists_its_resources_and_their_parts() {
        let list = at("/apis/policy/v1", Kind::EVERY).expect("a list");
        assert_eq!(list["resources"][0]["storageVersionHash"], "EVWiDmWqyJw=");
        assert_eq!(list["resources"][1]["name"], "poddisruptionbudgets/status");
        assert!(at("/apis/policy/v2", Kind::EVERY).is_none());
    }

    #[test]
    fn a_door_of_health_makes_its_own_checks() {
        assert_eq!(health("/livez/ping", false).as_deref(), Some("ok"));
        assert_eq!(health("/livez/shutdown", false), None);
        let said = health("/readyz", true).unwrap_or_default();
        assert!(said.starts_with("[+]ping ok\n[+]log ok\n[+]informer-sync ok\n"), "{said}");
        assert!(said.ends_with("[+]shutdown ok\nreadyz check passed\n"), "{said}");
    }
}
