//! Which environment does a container get?
//!
//! What `envFrom` and `env` say, in that order, with `$(NAME)` replaced, and a few variables for each Service of the
//! namespace. What they need and do not find keeps the container from being created.
//! MODEL: the kubelet hands them over in no order; here the declared ones come first, as they are written.
//! Source: kubelet `kubelet_pods.go` (`makeEnvironmentVariables`), `pkg/kubelet/envvars`, `third_party/forked/golang/expansion`.

use std::{collections::BTreeMap, fmt::Write as _};

use api::{
    k8s::core::v1::{
        ConfigMap, Container, Node, ObjectFieldSelector, Pod, ResourceFieldSelector, Secret, Service,
    },
    kinds::sim::Sandbox,
    meta::Time,
    quantity::Quantity,
};

use crate::{ClusterId, Store, node::internal_ip};

/// Variables by name, in the order in which they are handed over.
pub type Variables = Vec<(String, String)>;

/// The environment that a container of a pod is given now, without what its image sets.
/// # Errors
/// What is missing, in the kubelet's words: `configmap "web" not found`.
pub(super) fn of(
    store: &Store,
    cluster: ClusterId,
    pod: &Pod,
    container: &Container,
) -> Result<Variables, String> {
    let services = services(store, cluster, pod, None);
    let own = own(store, cluster, pod, container, &services)?;
    Ok(with(own, services))
}

/// The environment that a container was given when it was created: nothing that its sources say since is in it.
/// MODEL: a Service that has gone since is not in it either.
#[must_use]
pub fn of_running(store: &Store, cluster: ClusterId, pod: &Pod, container: &Container) -> Variables {
    let (namespace, name) = super::names(pod);
    let sandbox = store.get::<Sandbox>(cluster, namespace, name);
    let work = sandbox.and_then(|it| it.containers.iter().find(|work| work.name == container.name));
    let status = pod.status.as_ref();
    let mut statuses = status.into_iter().flat_map(|it| {
        it.container_statuses
            .iter()
            .chain(&it.init_container_statuses)
            .chain(&it.ephemeral_container_statuses)
            .flatten()
    });
    let status = statuses.find(|it| it.name == container.name);
    let since = status.and_then(|it| it.state.as_ref()?.running.as_ref()?.started_at.clone());
    let services = services(store, cluster, pod, since.as_ref());
    let own = match work.and_then(|work| work.given.as_ref()) {
        Some(given) => given.env.clone(),
        None => own(store, cluster, pod, container, &services).unwrap_or_default(),
    };
    with(own, services)
}

/// The variables that a container's spec declares.
/// # Errors
/// What is missing.
pub(super) fn declared(
    store: &Store,
    cluster: ClusterId,
    pod: &Pod,
    container: &Container,
) -> Result<Variables, String> {
    own(store, cluster, pod, container, &services(store, cluster, pod, None))
}

fn with(mut own: Variables, services: Variables) -> Variables {
    for (name, value) in services {
        if own.iter().all(|(known, _)| *known != name) {
            own.push((name, value));
        }
    }
    own
}

fn own(
    store: &Store,
    cluster: ClusterId,
    pod: &Pod,
    container: &Container,
    services: &Variables,
) -> Result<Variables, String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let find = Find { store, cluster, namespace };
    let mut own = Variables::new();
    for from in container.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        let map = from.config_map_ref.as_ref().map(|it| find.config_map(&it.name, it.optional));
        let secret = from.secret_ref.as_ref().map(|it| find.secret(&it.name, it.optional));
        for (name, value) in map.or(secret).transpose()?.flatten().unwrap_or_default() {
            set(&mut own, format!("{prefix}{name}"), value);
        }
    }
    for variable in container.env.iter().flatten() {
        let value = match (variable.value.as_deref().unwrap_or_default(), &variable.value_from) {
            ("", Some(from)) => {
                if let Some(it) = &from.field_ref {
                    Some(field(store, cluster, pod, it)?)
                } else if let Some(it) = &from.resource_field_ref {
                    Some(resource(store, cluster, pod, container, it)?)
                } else if let Some(it) = &from.config_map_key_ref {
                    find.key(
                        "ConfigMap",
                        find.config_map(&it.name, it.optional)?,
                        &it.name,
                        &it.key,
                        it.optional,
                    )?
                } else if let Some(it) = &from.secret_key_ref {
                    find.key("Secret", find.secret(&it.name, it.optional)?, &it.name, &it.key, it.optional)?
                } else {
                    Some(String::new())
                }
            }
            (text, _) => Some(expand(text, |name| {
                let found = own.iter().chain(services).find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone())
            })),
        };
        if let Some(value) = value {
            set(&mut own, variable.name.clone(), value);
        }
    }
    Ok(own)
}

fn set(all: &mut Variables, name: String, value: String) {
    match all.iter_mut().find(|(known, _)| *known == name) {
        Some(old) => old.1 = value,
        None => all.push((name, value)),
    }
}

struct Find<'s> {
    store: &'s Store,
    cluster: ClusterId,
    namespace: &'s str,
}

/// Keys and their values; `None` of what is optional and not there.
type Found = Option<BTreeMap<String, String>>;

impl Find<'_> {
    fn config_map(&self, name: &str, optional: Option<bool>) -> Result<Found, String> {
        let map = self.store.get::<ConfigMap>(self.cluster, self.namespace, name);
        let data = map.map(|it| it.data.clone().unwrap_or_default());
        if data.is_none() && optional != Some(true) {
            return Err(format!("configmap {name:?} not found"));
        }
        Ok(data)
    }

    fn secret(&self, name: &str, optional: Option<bool>) -> Result<Found, String> {
        let secret = self.store.get::<Secret>(self.cluster, self.namespace, name);
        if secret.is_none() && optional != Some(true) {
            return Err(format!("secret {name:?} not found"));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(secret.map(|it| it.data.iter().flatten().map(|(k, v)| (k.clone(), text(&v.0))).collect()))
    }

    fn key(
        &self,
        kind: &str,
        found: Found,
        name: &str,
        key: &str,
        optional: Option<bool>,
    ) -> Result<Option<String>, String> {
        let Some(data) = found else { return Ok(None) };
        match data.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None if optional == Some(true) => Ok(None),
            None => Err(format!("couldn't find key {key} in {kind} {}/{name}", self.namespace)),
        }
    }
}

/// `$(NAME)` where the name is known, `$$` for one `$`; the rest as it is written.
#[must_use]
pub fn expand(text: &str, of: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|it| it.split_once(')')) {
            match of(name) {
                Some(value) => out.push_str(&value),
                None => {
                    let _ = write!(out, "$({name})");
                }
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

/// What the kubelet says of the Services that a pod may know of, those of its namespace and `kubernetes`: of all there are,
/// or of those that were there at a moment.
fn services(store: &Store, cluster: ClusterId, pod: &Pod, at: Option<&Time>) -> Variables {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let links = pod.spec.as_ref().and_then(|spec| spec.enable_service_links) != Some(false);
    let was_there = |service: &&Service| {
        let since = service.metadata.creation_timestamp.as_ref();
        at.zip(since).is_none_or(|(at, since)| since.0 <= at.0)
    };
    let mut all: BTreeMap<&str, &Service> = BTreeMap::new();
    for service in store.list::<Service>(cluster, None).filter(was_there) {
        let name = service.metadata.name.as_deref().unwrap_or_default();
        let home = service.metadata.namespace.as_deref().unwrap_or_default();
        let master = home == "default" && name == "kubernetes";
        if master {
            all.entry(name).or_insert(service);
        } else if home == namespace && links {
            all.insert(name, service);
        }
    }
    all.into_iter().flat_map(|(name, service)| variables_of(name, service)).collect()
}

fn variables_of(name: &str, service: &Service) -> Variables {
    let upper = |text: &str| text.replace('-', "_").to_uppercase();
    let (prefix, mut out) = (upper(name), Variables::new());
    let spec = service.spec.as_ref();
    let ip = spec.and_then(|spec| spec.cluster_ip.as_deref()).filter(|ip| !ip.is_empty() && *ip != "None");
    let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let (Some(ip), Some(first)) = (ip, ports.first()) else { return out };
    out.push((format!("{prefix}_SERVICE_HOST"), ip.to_owned()));
    out.push((format!("{prefix}_SERVICE_PORT"), first.port.to_string()));
    for port in ports {
        if let Some(named) = port.name.as_deref().filter(|named| !named.is_empty()) {
            out.push((format!("{prefix}_SERVICE_PORT_{}", upper(named)), port.port.to_string()));
        }
    }
    for (i, port) in ports.iter().enumerate() {
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        let lower = protocol.to_lowercase();
        let address = format!("{lower}://{}", api::host_port::join(ip, port.port));
        let own = format!("{prefix}_PORT_{}_{protocol}", port.port);
        if i == 0 {
            out.push((format!("{prefix}_PORT"), address.clone()));
        }
        out.push((own.clone(), address));
        out.push((format!("{own}_PROTO"), lower));
        out.push((format!("{own}_PORT"), port.port.to_string()));
        out.push((format!("{own}_ADDR"), ip.to_owned()));
    }
    out
}

pub(super) fn field(
    store: &Store,
    cluster: ClusterId,
    pod: &Pod,
    of: &ObjectFieldSelector,
) -> Result<String, String> {
    let spec = pod.spec.clone().unwrap_or_default();
    let status = pod.status.clone().unwrap_or_default();
    let node = spec.node_name.clone().unwrap_or_default();
    let host = || store.get::<Node>(cluster, "", &node).and_then(internal_ip).unwrap_or_default().to_owned();
    let meta = &pod.metadata;
    let one = |map: &Option<BTreeMap<String, String>>, key: &str| {
        map.as_ref().and_then(|map| map.get(key)).cloned().unwrap_or_default()
    };
    let path = of.field_path.as_str();
    let quoted = |open: &str| path.strip_prefix(open).and_then(|rest| rest.strip_suffix("']"));
    if let Some(key) = quoted("metadata.labels['") {
        return Ok(one(&meta.labels, key));
    }
    if let Some(key) = quoted("metadata.annotations['") {
        return Ok(one(&meta.annotations, key));
    }
    Ok(match path {
        "metadata.name" => meta.name.clone().unwrap_or_default(),
        "metadata.namespace" => meta.namespace.clone().unwrap_or_default(),
        "metadata.uid" => meta.uid.clone().unwrap_or_default(),
        "metadata.labels" => lines(&meta.labels),
        "metadata.annotations" => lines(&meta.annotations),
        "spec.nodeName" => node,
        "spec.serviceAccountName" => spec.service_account_name.unwrap_or_default(),
        "status.hostIP" | "status.hostIPs" => host(),
        "status.podIP" | "status.podIPs" => status.pod_ip.unwrap_or_default(),
        _ => return Err(format!("unsupported fieldPath: {path}")),
    })
}

/// Labels or annotations as a downward API volume writes them: sorted, a line each.
fn lines(map: &Option<BTreeMap<String, String>>) -> String {
    let all: Vec<String> = map.iter().flatten().map(|(key, value)| format!("{key}={value:?}")).collect();
    all.join("\n")
}

/// A limit or request; a limit that is not set is what the node offers.
pub(super) fn resource(
    store: &Store,
    cluster: ClusterId,
    pod: &Pod,
    own: &Container,
    of: &ResourceFieldSelector,
) -> Result<String, String> {
    let spec = pod.spec.as_ref();
    let named = of.container_name.as_deref().filter(|name| !name.is_empty());
    let container = match named {
        None => own,
        Some(name) => spec
            .into_iter()
            .flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()))
            .find(|container| container.name == name)
            .ok_or_else(|| format!("container {name} not found"))?,
    };
    let unsupported = || format!("unsupported container resource : {}", of.resource);
    let (side, name) = of.resource.split_once('.').ok_or_else(unsupported)?;
    let resources = container.resources.as_ref();
    let asked = match side {
        "limits" => resources.and_then(|it| it.limits.as_ref()),
        "requests" => resources.and_then(|it| it.requests.as_ref()),
        _ => return Err(unsupported()),
    };
    let node = spec.and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    let offered = || {
        let node = store.get::<Node>(cluster, "", node)?;
        node.status.as_ref()?.allocatable.as_ref()?.get(name).filter(|_| side == "limits")
    };
    let amount = asked.and_then(|it| it.get(name)).or_else(offered);
    let amount = amount.and_then(|it| Quantity::parse(&it.0).ok());
    let divisor = of.divisor.as_ref().and_then(|it| Quantity::parse(&it.0).ok()).filter(|it| it.sign() > 0);
    let count = |it: &Quantity| if name == "cpu" { it.milli_value() } else { it.value() };
    let unit = divisor.as_ref().map_or(if name == "cpu" { 1000 } else { 1 }, count).max(1);
    let all = amount.as_ref().map_or(0, count);
    Ok(all.div_euclid(unit).saturating_add(i64::from(all.rem_euclid(unit) > 0)).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]

    use api::Kind;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        World,
        fixture::{HERE, cluster, config, create, get},
    };

    fn env(world: &mut World, container: Value) -> Result<Variables, String> {
        let mut container = container;
        container["name"] = "c".into();
        container["image"] = "nginx".into();
        create(
            world,
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"a": "b"}},
            "spec": {"enableServiceLinks": false, "containers": [container]}}),
        )
        .unwrap();
        get(world, Kind::Pod, "web").unwrap();
        let pod = world.store().get::<Pod>(HERE, "default", "web").unwrap();
        let all = of(world.store(), HERE, pod, &pod.spec.as_ref().unwrap().containers[0])?;
        Ok(all.into_iter().filter(|(name, _)| !name.starts_with("KUBERNETES_")).collect())
    }

    fn pairs(all: &[(&str, &str)]) -> Variables {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_declared_before_can_be_named() {
        let mut world = cluster();
        let got = env(
            &mut world,
            json!({"env": [{"name": "A", "value": "1"},
            {"name": "B", "value": "$(A)-$(C)-$$(A)"}, {"name": "C", "value": "3"},
            {"name": "P", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a']"}}}]}),
        );
        let want = [("A", "1"), ("B", "1-$(C)-$(A)"), ("C", "3"), ("P", "web"), ("L", "b")];
        assert_eq!(got.unwrap(), pairs(&want));
    }

    #[test]
    fn a_map_gives_all_its_keys_and_env_comes_after_it() {
        let mut world = cluster();
        create(&mut world, config("web")).unwrap();
        let got = env(
            &mut world,
            json!({"envFrom": [{"prefix": "X_", "configMapRef": {"name": "web"}},
            {"configMapRef": {"name": "web"}}], "env": [{"name": "a", "value": "2"}]}),
        );
        assert_eq!(got.unwrap(), pairs(&[("X_a", "1"), ("a", "2")]));
    }

    /// Expected: kubelet `makeEnvironmentVariables`, `ExtractContainerResourceValue`.
    #[test]
    fn what_is_not_there_is_named() {
        let key = |kind: &str, name: &str| json!({"env": [{"name": "A", "valueFrom": {kind: {"name": name, "key": "k"}}}]});
        for (container, want) in [
            (json!({"envFrom": [{"configMapRef": {"name": "no"}}]}), "configmap \"no\" not found"),
            (json!({"envFrom": [{"secretRef": {"name": "no"}}]}), "secret \"no\" not found"),
            (key("configMapKeyRef", "web"), "couldn't find key k in ConfigMap default/web"),
            (key("secretKeyRef", "no"), "secret \"no\" not found"),
        ] {
            let mut world = cluster();
            create(&mut world, config("web")).unwrap();
            assert_eq!(env(&mut world, container), Err(want.to_owned()));
        }
    }

    #[test]
    fn resources_are_counted_in_their_divisor_and_rounded_up() {
        let mut world = cluster();
        let from = |resource: &str, divisor: &str| {
            json!({"name": resource.replace('.', "_"),
                "valueFrom": {"resourceFieldRef": {"resource": resource, "divisor": divisor}}})
        };
        let got = env(
            &mut world,
            json!({"resources": {"requests": {"cpu": "250m", "memory": "100Mi"}},
            "env": [from("requests.cpu", "0"), from("requests.memory", "1Mi")]}),
        );
        assert_eq!(got.unwrap(), pairs(&[("requests_cpu", "1"), ("requests_memory", "100")]));
    }

    #[test]
    fn a_service_gives_the_variables_of_old_links() {
        let service = json!({"metadata": {"name": "my-db"}, "spec": {"clusterIP": "172.20.0.9",
            "ports": [{"name": "sql", "port": 5432, "protocol": "TCP"}]}});
        let service: Service = serde_json::from_value(service).unwrap();
        let want = [
            ("MY_DB_SERVICE_HOST", "172.20.0.9"),
            ("MY_DB_SERVICE_PORT", "5432"),
            ("MY_DB_SERVICE_PORT_SQL", "5432"),
            ("MY_DB_PORT", "tcp://172.20.0.9:5432"),
            ("MY_DB_PORT_5432_TCP", "tcp://172.20.0.9:5432"),
            ("MY_DB_PORT_5432_TCP_PROTO", "tcp"),
            ("MY_DB_PORT_5432_TCP_PORT", "5432"),
            ("MY_DB_PORT_5432_TCP_ADDR", "172.20.0.9"),
        ];
        assert_eq!(variables_of("my-db", &service), pairs(&want));
    }
}
