//! What do `configurationValues` change in an add-on's objects?
//!
//! What all add-ons take (resources, tolerations, labels, …), and what each has of its own. A value that no object shows has no effect.
//! MODEL: of vpc-cni `cri` and `originalMatchLabels` change nothing: EKS keeps its selector; the Windows settings stand in a ConfigMap that
//! nobody here reads. kube-proxy's mode stands in its configuration; paths are walked by iptables' rules whatever it says.
//! Source: amazon-vpc-cni-k8s `charts/aws-vpc-cni` (templates); addons.md §4.

use api::{Kind, Object};
use serde_json::{Map, Value, json};

/// An add-on's objects with its settings worked in.
pub(super) fn configured(addon: &str, objects: Vec<Object>, values: &Value) -> Vec<Object> {
    let mut out: Vec<Object> = objects
        .into_iter()
        .filter_map(|object| {
            let (kind, mut value) = (object.kind(), object.to_value());
            match kind {
                Kind::DaemonSet | Kind::Deployment => workload(&mut value, values),
                Kind::ConfigMap => config_map(object.name(), &mut value, values),
                Kind::PodDisruptionBudget if !budget(&mut value, values) => return None,
                _ => {}
            }
            match addon {
                "vpc-cni" if kind == Kind::DaemonSet => aws_node(&mut value, values),
                "eks-pod-identity-agent" if kind == Kind::DaemonSet => {
                    arguments(
                        &mut value["spec"]["template"]["spec"]["containers"][0],
                        &values["agent"]["additionalArgs"],
                    );
                }
                _ => {}
            }
            Some(Object::from_value(kind, value).unwrap_or(object))
        })
        .collect();
    if addon == "vpc-cni" && values["eniConfig"]["create"] == true {
        out.extend(eni_configs(&values["eniConfig"]["subnets"]));
    }
    out
}

/// What every add-on takes for its workload.
fn workload(value: &mut Value, values: &Value) {
    let minimum =
        values["autoScaling"].get("minReplicas").filter(|_| values["autoScaling"]["enabled"] == true);
    let replicas = values.get("replicaCount").or(values.get("replicas")).or(minimum);
    if let Some(replicas) = replicas {
        value["spec"]["replicas"] = replicas.clone();
    }
    let template = &mut value["spec"]["template"];
    for (field, setting) in [("annotations", "podAnnotations"), ("labels", "podLabels")] {
        let Some(more) = values[setting].as_object().filter(|more| !more.is_empty()) else { continue };
        let fields = &mut template["metadata"][field];
        let mut all: Map<String, Value> = fields.as_object().cloned().unwrap_or_default();
        all.extend(more.iter().map(|(key, value)| (key.clone(), json!(text(value)))));
        *fields = Value::Object(all);
    }
    let spec = &mut template["spec"];
    for field in ["nodeSelector", "tolerations", "affinity", "topologySpreadConstraints"] {
        if let Some(wanted) = values.get(field) {
            spec[field] = wanted.clone();
        }
    }
    if let Some(main) = spec.pointer_mut("/containers/0") {
        if let Some(resources) = values.get("resources") {
            main["resources"] = resources.clone();
        }
        set_env(main, values.get("env"));
    }
    if let Some(init) = spec.pointer_mut("/initContainers/0") {
        if let Some(resources) = values["init"].get("resources") {
            init["resources"] = resources.clone();
        }
        set_env(init, values.pointer("/init/env"));
    }
}

/// aws-node's probes and its second container, the agent of network policies.
fn aws_node(value: &mut Value, values: &Value) {
    let containers = &mut value["spec"]["template"]["spec"]["containers"];
    for (probe, setting) in
        [("livenessProbe", "livenessProbeTimeoutSeconds"), ("readinessProbe", "readinessProbeTimeoutSeconds")]
    {
        if let Some(seconds) = values.get(setting) {
            containers[0][probe]["timeoutSeconds"] = seconds.clone();
        }
    }
    let (agent, settings) = (&mut containers[1], &values["nodeAgent"]);
    if let Some(resources) = settings.get("resources") {
        agent["resources"] = resources.clone();
    }
    let flags = [
        ("--enable-network-policy=", values.get("enableNetworkPolicy")),
        ("--enable-cloudwatch-logs=", settings.get("enableCloudWatchLogs")),
        ("--enable-policy-event-logs=", settings.get("enablePolicyEventLogs")),
        ("--metrics-bind-addr=:", settings.get("metricsBindAddr")),
        ("--health-probe-bind-addr=:", settings.get("healthProbeBindAddr")),
        ("--conntrack-cache-cleanup-period=", settings.get("conntrackCacheCleanupPeriod")),
    ];
    for (flag, wanted) in flags {
        let args = agent["args"].as_array_mut().into_iter().flatten();
        for arg in args.filter(|arg| arg.as_str().is_some_and(|arg| arg.starts_with(flag))) {
            if let Some(wanted) = wanted {
                *arg = json!(format!("{flag}{}", text(wanted)));
            }
        }
    }
    if let Some(port) = settings["metricsBindAddr"].as_str().and_then(|port| port.parse::<u16>().ok()) {
        agent["ports"][0]["containerPort"] = json!(port);
    }
}

fn config_map(name: &str, value: &mut Value, values: &Value) {
    let data = &mut value["data"];
    match name {
        "coredns" => {
            if let Some(corefile) = values.get("corefile") {
                data["Corefile"] = corefile.clone();
            }
        }
        "amazon-vpc-cni" => {
            for (key, setting) in [
                ("enable-windows-ipam", "enableWindowsIpam"),
                ("enable-network-policy-controller", "enableNetworkPolicy"),
                ("enable-windows-prefix-delegation", "enableWindowsPrefixDelegation"),
                ("warm-windows-prefix-target", "warmWindowsPrefixTarget"),
                ("warm-windows-ip-target", "warmWindowsIPTarget"),
                ("minimum-windows-ip-target", "minimumWindowsIPTarget"),
                ("branch-eni-cooldown", "branchENICooldown"),
            ] {
                if let Some(wanted) = values.get(setting) {
                    data[key] = json!(text(wanted));
                }
            }
        }
        "kube-proxy-config" => {
            let Some(config) = data["config"].as_str() else { return };
            let mut config = config.to_owned();
            if let Some(mode) = values["mode"].as_str() {
                config = config.replace("mode: \"iptables\"", &format!("mode: {mode:?}"));
            }
            if let Some(scheduler) = values["ipvs"]["scheduler"].as_str() {
                config.push_str(&format!("\nipvs:\n  scheduler: {scheduler:?}"));
            }
            data["config"] = json!(config);
        }
        _ => {}
    }
}

/// Whether the budget stays, and what it says.
fn budget(value: &mut Value, values: &Value) -> bool {
    let wanted = &values["podDisruptionBudget"];
    for (field, other) in [("maxUnavailable", "minAvailable"), ("minAvailable", "maxUnavailable")] {
        if let (Some(amount), Some(spec)) = (wanted.get(field), value["spec"].as_object_mut()) {
            spec.remove(other);
            spec.insert(field.to_owned(), amount.clone());
        }
    }
    wanted["enabled"] != false
}

/// One `ENIConfig` for each zone.
fn eni_configs(subnets: &Value) -> impl Iterator<Item = Object> {
    subnets.as_object().into_iter().flatten().filter_map(|(zone, of)| {
        let mut spec = json!({"subnet": of["id"]});
        if let Some(groups) = of.get("securityGroups") {
            spec["securityGroups"] = groups.clone();
        }
        super::object(json!({"apiVersion": "crd.k8s.amazonaws.com/v1alpha1", "kind": "ENIConfig",
            "metadata": {"name": zone}, "spec": spec}))
    })
}

/// A flag and its value, one after the other.
fn arguments(container: &mut Value, more: &Value) {
    for (flag, value) in more.as_object().into_iter().flatten() {
        if let Some(args) = container["args"].as_array_mut() {
            args.extend([json!(flag), json!(text(value))]);
        }
    }
}

/// A setting as text: eksctl's YAML may have numbers and booleans where the schema has them.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn set_env(container: &mut Value, wanted: Option<&Value>) {
    for (name, value) in wanted.and_then(Value::as_object).into_iter().flatten() {
        let value = text(value);
        let env = &mut container["env"];
        if !env.is_array() {
            *env = json!([]);
        }
        let Some(env) = env.as_array_mut() else { continue };
        match env.iter_mut().find(|var| var["name"] == name.as_str()) {
            Some(var) => var["value"] = json!(value),
            None => env.push(json!({"name": name, "value": value})),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addons::{AWS_NODE, KUBE_PROXY, coredns_budget, objects};

    fn one(addon: &str, manifest: &str, kind: Kind, name: &str, values: &Value) -> Option<Value> {
        let all =
            configured(addon, objects(manifest, &[("DNS", "10.96.0.10"), ("ENDPOINT", "https://x")]), values);
        all.into_iter().find(|it| it.kind() == kind && it.name() == name).map(|it| it.to_value())
    }

    #[test]
    fn each_setting_of_vpc_cni_stands_where_the_chart_puts_it() {
        let values = json!({
            "enableNetworkPolicy": "true", "livenessProbeTimeoutSeconds": 30, "branchENICooldown": "90",
            "nodeAgent": {"metricsBindAddr": "9162", "resources": {"requests": {"cpu": "50m"}}},
            "init": {"resources": {"requests": {"cpu": "10m"}}},
            "podLabels": {"team": "net"}, "podAnnotations": {"a": "b"},
            "eniConfig": {"create": true, "region": "x", "subnets": {"x-a": {"id": "subnet-1", "securityGroups": ["sg-1"]}}},
        });
        let set = one("vpc-cni", AWS_NODE, Kind::DaemonSet, "aws-node", &values).expect("a DaemonSet");
        let spec = &set["spec"]["template"]["spec"];
        let args = spec["containers"][1]["args"].to_string();
        assert!(
            args.contains("--enable-network-policy=true") && args.contains("--metrics-bind-addr=:9162"),
            "{args}"
        );
        assert_eq!(spec["containers"][0]["livenessProbe"]["timeoutSeconds"], 30);
        assert_eq!(spec["containers"][1]["resources"]["requests"]["cpu"], "50m");
        assert_eq!(spec["initContainers"][0]["resources"]["requests"]["cpu"], "10m");
        assert_eq!(set["spec"]["template"]["metadata"]["labels"]["team"], "net");
        assert_eq!(set["spec"]["template"]["metadata"]["labels"]["k8s-app"], "aws-node");
        assert_eq!(set["spec"]["template"]["metadata"]["annotations"]["a"], "b");
        let map = one("vpc-cni", AWS_NODE, Kind::ConfigMap, "amazon-vpc-cni", &values).expect("a ConfigMap");
        assert_eq!(map["data"]["branch-eni-cooldown"], "90");
        assert_eq!(map["data"]["enable-network-policy-controller"], "true");
        let eni = one("vpc-cni", AWS_NODE, Kind::ENIConfig, "x-a", &values).expect("an ENIConfig");
        assert_eq!(eni["spec"], json!({"subnet": "subnet-1", "securityGroups": ["sg-1"]}));
    }

    #[test]
    fn corednss_budget_and_kube_proxys_mode_follow_their_settings() {
        let budget = |values: Value| {
            let all = configured("coredns", coredns_budget().into_iter().collect(), &values);
            all.first().map(Object::to_value)
        };
        let values = json!({"podDisruptionBudget": {"minAvailable": 1}});
        assert_eq!(budget(values).expect("a budget")["spec"]["minAvailable"], 1);
        assert_eq!(budget(json!({"podDisruptionBudget": {"enabled": false}})), None);
        let values = json!({"mode": "ipvs", "ipvs": {"scheduler": "rr"}});
        let map = one("kube-proxy", KUBE_PROXY, Kind::ConfigMap, "kube-proxy-config", &values)
            .expect("a ConfigMap");
        let config = map["data"]["config"].as_str().unwrap_or_default();
        assert!(config.contains("mode: \"ipvs\"") && config.ends_with("scheduler: \"rr\""), "{config}");
    }
}
