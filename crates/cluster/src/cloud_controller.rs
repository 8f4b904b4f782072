//! Which load balancer does a Service have?
//!
//! The service controller of the cloud controller manager that EKS runs: a Service of type LoadBalancer gets a Classic Load Balancer, or
//! with the annotation a Network Load Balancer, in subnets found by their tags, with every node as its target. What another controller
//! is to make (`loadBalancerClass`, type `external`) stays without.
//! MODEL: the AWS Load Balancer Controller is not there. In an IPv6 cluster nothing is made: the in-tree controller has IPv4 targets only.
//! Source: kubernetes `staging/src/k8s.io/cloud-provider/controllers/service/controller.go`; cloud-provider-aws
//! `pkg/providers/v1/aws.go` (`findELBSubnets`), `aws_loadbalancer.go`.

use std::collections::BTreeMap;

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::core::v1::{LoadBalancerIngress, LoadBalancerStatus, Service},
    kinds::{
        aws::{Listener, LoadBalancer, LoadBalancerKind, SecurityGroup, SecurityGroupRule, Subnet},
        eks::EksCluster,
        sim::ControlPlane,
    },
    meta::ObjectMeta,
};

use crate::{
    Change, ClusterId, Controller, EventType, Key, Next, Store, Turn,
    cloud::{load_balancer, subnet},
    node::is_ipv6,
    parts::Process,
};

/// Keeps a Service until its load balancer is gone.
const FINALIZER: &str = "service.kubernetes.io/load-balancer-cleanup";
/// The first wait after a failure. Source: `minRetryDelay`.
const RETRY: SimDuration = SimDuration::secs(5);
const TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";
const INTERNAL: &str = "service.beta.kubernetes.io/aws-load-balancer-internal";

/// Makes load balancers for Services.
pub struct ServiceController;

impl Controller for ServiceController {
    fn name(&self) -> &'static str {
        "service-controller"
    }

    fn process(&self) -> Process {
        Process::ControllerManager
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind != Kind::Service || change.after.is_none() {
            return;
        }
        let service = change.after.as_deref().and_then(Service::of);
        if service.is_some_and(|it| wants(it) || has_finalizer(it))
            && eks(store, change.key.cluster).is_some()
        {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(service) = turn.get::<Service>(&key.namespace, &key.name).cloned() else {
            return Ok(Next::Done);
        };
        let Some(cluster) = eks(turn.store(), turn.cluster()).cloned() else { return Ok(Next::Done) };
        if wants(&service) && service.metadata.deletion_timestamp.is_none() {
            ensure(turn, key, &service, &cluster)
        } else if has_finalizer(&service) {
            remove(turn, key, &service, &cluster)
        } else {
            Ok(Next::Done)
        }
    }
}

fn eks(store: &Store, cluster: ClusterId) -> Option<&EksCluster> {
    let plane = store.list::<ControlPlane>(ClusterId::WORLD, None).find(|plane| plane.id == cluster.0)?;
    store.get(ClusterId::WORLD, "", plane.metadata.name.as_deref()?)
}

fn wants(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.is_some_and(|it| it.type_.as_deref() == Some("LoadBalancer") && it.load_balancer_class.is_none())
}

fn has_finalizer(service: &Service) -> bool {
    service.metadata.finalizers.iter().flatten().any(|it| it == FINALIZER)
}

fn annotation<'s>(service: &'s Service, name: &str) -> &'s str {
    service.metadata.annotations.as_ref().and_then(|all| all.get(name)).map_or("", String::as_str)
}

fn full_name(key: &Key) -> String {
    format!("{}/{}", key.namespace, key.name)
}

fn say(turn: &mut Turn<'_>, service: &Service, reason: &str, message: &str) {
    turn.event(&Object::Service(Box::new(service.clone())), EventType::Normal, reason, message);
}

fn ensure(turn: &mut Turn<'_>, key: &Key, service: &Service, eks: &EksCluster) -> Result<Next, ApiStatus> {
    let cluster = eks.metadata.name.clone().unwrap_or_default();
    let had = load_balancer::of_service(turn.store(), &cluster, &full_name(key)).cloned();
    let listeners = listeners(service);
    let internal = !matches!(annotation(service, INTERNAL), "" | "false");
    let kind = match annotation(service, TYPE) {
        "nlb" => LoadBalancerKind::Network,
        _ => LoadBalancerKind::Classic,
    };
    // MODEL: the real controller looks at more of a Service than its listeners, scheme and type.
    if had.as_ref().is_some_and(|it| (it.kind, it.internal, &it.listeners) == (kind, internal, &listeners)) {
        return Ok(Next::Done);
    }
    let elsewhere =
        matches!(annotation(service, TYPE), "external" | "nlb-ip") || is_ipv6(turn.store(), turn.cluster());
    if elsewhere && has_finalizer(service) {
        return Ok(Next::Done);
    }
    say(turn, service, "EnsuringLoadBalancer", "Ensuring load balancer");
    if !has_finalizer(service) {
        turn.patch::<Service>(&key.namespace, &key.name, |it| {
            it.metadata.finalizers.get_or_insert_default().push(FINALIZER.to_owned());
        })?;
    }
    if elsewhere {
        return Ok(Next::Done);
    }
    if let Some(had) = &had {
        take_away(turn, eks, had);
    }
    let name = name_of(service);
    let made = find_subnets(turn.store(), &eks.vpc, internal).and_then(|subnets| {
        let mut it = LoadBalancer {
            metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
            vpc: eks.vpc.clone(),
            kind,
            internal,
            subnets,
            listeners,
            cluster: cluster.clone(),
            service: full_name(key),
            ..LoadBalancer::default()
        };
        open(turn, eks, &mut it, service);
        load_balancer::create(turn, it.clone()).map_err(|error| {
            close(turn, eks, &it);
            error.to_string()
        })
    });
    if let Err(why) = made {
        let message = format!("Error syncing load balancer: failed to ensure load balancer: {why}");
        let about = Object::Service(Box::new(service.clone()));
        turn.event(&about, EventType::Warning, "SyncLoadBalancerFailed", &message);
        return Ok(Next::Every(RETRY));
    }
    let hostname = load_balancer::get(turn.store(), &name).map(|it| it.dns_name.clone());
    turn.patch_status::<Service>(&key.namespace, &key.name, |it| {
        let ingress = LoadBalancerIngress { hostname, ..LoadBalancerIngress::default() };
        it.status.get_or_insert_default().load_balancer =
            Some(LoadBalancerStatus { ingress: Some(vec![ingress]) });
    })?;
    say(turn, service, "EnsuredLoadBalancer", "Ensured load balancer");
    Ok(Next::Done)
}

fn remove(turn: &mut Turn<'_>, key: &Key, service: &Service, eks: &EksCluster) -> Result<Next, ApiStatus> {
    let cluster = eks.metadata.name.as_deref().unwrap_or_default();
    if let Some(had) = load_balancer::of_service(turn.store(), cluster, &full_name(key)).cloned() {
        say(turn, service, "DeletingLoadBalancer", "Deleting load balancer");
        take_away(turn, eks, &had);
    }
    turn.take_finalizer(key, FINALIZER)?;
    say(turn, service, "DeletedLoadBalancer", "Deleted load balancer");
    if turn.get::<Service>(&key.namespace, &key.name).is_some() {
        turn.patch_status::<Service>(&key.namespace, &key.name, |it| {
            it.status.get_or_insert_default().load_balancer = Some(LoadBalancerStatus::default());
        })?;
    }
    Ok(Next::Done)
}

/// `a` and the Service's uid without hyphens, 32 letters. Source: `DefaultLoadBalancerName`.
fn name_of(service: &Service) -> String {
    let uid = service.metadata.uid.clone().unwrap_or_default().replace('-', "");
    format!("a{uid}").chars().take(32).collect()
}

fn listeners(service: &Service) -> Vec<Listener> {
    let ports = service.spec.iter().filter_map(|spec| spec.ports.as_ref()).flatten();
    let listener = |port: &api::k8s::core::v1::ServicePort| {
        Some(Listener {
            port: u16::try_from(port.port).ok()?,
            node_port: u16::try_from(port.node_port?).ok()?,
            protocol: port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()),
        })
    };
    ports.filter_map(listener).collect()
}

/// One subnet in each zone: of those that fit the one with the tag of its role, then the first by name.
fn find_subnets(store: &Store, vpc: &str, internal: bool) -> Result<Vec<String>, String> {
    let role = if internal { "kubernetes.io/role/internal-elb" } else { "kubernetes.io/role/elb" };
    let tagged = |it: &Subnet| it.metadata.labels.as_ref().is_some_and(|tags| tags.contains_key(role));
    let mut by_zone: BTreeMap<&str, &Subnet> = BTreeMap::new();
    let all = store.list::<Subnet>(ClusterId::WORLD, None).filter(|it| it.vpc == vpc);
    for it in all.filter(|it| internal || subnet::is_public(store, it)) {
        let had = by_zone.entry(&it.availability_zone).or_insert(it);
        if tagged(it) && !tagged(had) {
            *had = it;
        }
    }
    let names: Vec<String> = by_zone.values().filter_map(|it| it.metadata.name.clone()).collect();
    if names.is_empty() {
        return Err("could not find any suitable subnets for creating the ELB".to_owned());
    }
    Ok(names)
}

/// Opens the way: a Classic Load Balancer has a group of its own that the nodes' group lets in; of a Network Load Balancer the node ports
/// are let in from everywhere.
fn open(turn: &mut Turn<'_>, eks: &EksCluster, it: &mut LoadBalancer, service: &Service) {
    let own = it.metadata.name.clone().unwrap_or_default();
    let ranges = service.spec.as_ref().and_then(|spec| spec.load_balancer_source_ranges.clone());
    let ranges = ranges.filter(|all| !all.is_empty()).unwrap_or_else(|| vec!["0.0.0.0/0".to_owned()]);
    let rules = |port: fn(&Listener) -> u16| -> Vec<SecurityGroupRule> {
        let one = |listener: &Listener| {
            let (port, protocol) = (port(listener), listener.protocol.to_lowercase());
            let rule = move |peer: &String| SecurityGroupRule {
                protocol: protocol.clone(),
                ports: Some((port, port)),
                peer: peer.clone(),
            };
            ranges.iter().map(rule).collect::<Vec<_>>()
        };
        it.listeners.iter().flat_map(one).collect()
    };
    let let_in = match it.kind {
        LoadBalancerKind::Classic => {
            let group = crate::cloud::id(turn, "sg", &own, 0);
            let description = format!("Security group for Kubernetes ELB {own} ({})", it.service);
            let notes = [("group-name", format!("k8s-elb-{own}")), ("description", description)];
            let metadata = ObjectMeta {
                name: Some(group.clone()),
                annotations: Some(notes.map(|(key, value)| (key.to_owned(), value)).into()),
                ..ObjectMeta::default()
            };
            let outbound = crate::cloud::security_group::everywhere(false);
            let inbound = rules(|listener| listener.port);
            turn.put(SecurityGroup { metadata, vpc: it.vpc.clone(), inbound, outbound }.into_object());
            it.security_groups = vec![group.clone()];
            vec![SecurityGroupRule { protocol: "-1".to_owned(), ports: None, peer: group }]
        }
        LoadBalancerKind::Network => rules(|listener| listener.node_port),
    };
    let nodes = turn.store().get::<SecurityGroup>(ClusterId::WORLD, "", &eks.cluster_security_group).cloned();
    if let Some(mut nodes) = nodes {
        nodes.inbound.extend(let_in);
        turn.put(nodes.into_object());
    }
}

/// Takes back what [`open`] let in.
fn close(turn: &mut Turn<'_>, eks: &EksCluster, it: &LoadBalancer) {
    let ports: Vec<u16> = it.listeners.iter().map(|listener| listener.node_port).collect();
    let of_it = |rule: &SecurityGroupRule| match it.kind {
        LoadBalancerKind::Classic => it.security_groups.contains(&rule.peer),
        LoadBalancerKind::Network => {
            rule.ports.is_some_and(|(first, last)| first == last && ports.contains(&first))
        }
    };
    let nodes = turn.store().get::<SecurityGroup>(ClusterId::WORLD, "", &eks.cluster_security_group).cloned();
    if let Some(mut nodes) = nodes {
        nodes.inbound.retain(|rule| !of_it(rule));
        turn.put(nodes.into_object());
    }
    for group in &it.security_groups {
        turn.remove(&Key::new(ClusterId::WORLD, Kind::SecurityGroup, "", group));
    }
}

fn take_away(turn: &mut Turn<'_>, eks: &EksCluster, it: &LoadBalancer) {
    load_balancer::delete(turn, it.metadata.name.as_deref().unwrap_or_default());
    close(turn, eks, it);
}

#[cfg(test)]
mod tests {
    use api::{Kind, k8s::core::v1::Event, kinds::aws::EniOwner};
    use serde_json::json;

    use super::*;
    use crate::{
        World,
        fixture::{HERE, create, delete, settle},
        path::trace,
        provision::tests::fixture,
    };

    fn shop(annotations: &serde_json::Value) -> World {
        let mut world = fixture("tri");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx:1.27", "ports": [{"containerPort": 80}]}]}});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "annotations": annotations},
            "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]}});
        for manifest in [pod, service] {
            create(&mut world, manifest).expect("a legal manifest");
        }
        settle(&mut world);
        assert_eq!(crate::check::broken(&world), Vec::<String>::new());
        world
    }

    fn hostname(world: &World) -> Option<String> {
        let service = world.store().get::<Service>(HERE, "default", "web")?;
        let status = service.status.as_ref()?.load_balancer.as_ref()?;
        status.ingress.as_ref()?.first()?.hostname.clone()
    }

    fn standing(world: &World) -> Vec<&str> {
        let enis = world.store().list::<api::kinds::aws::Eni>(ClusterId::WORLD, None);
        let mut all: Vec<&str> =
            enis.filter(|eni| eni.owner == EniOwner::LoadBalancer).map(|eni| eni.subnet.as_str()).collect();
        all.sort_unstable();
        all
    }

    fn free(world: &World, name: &str) -> u32 {
        subnet::free(world.store(), subnet::get(world.store(), name).expect("a subnet"))
    }

    #[test]
    fn a_classic_one_takes_an_address_of_every_public_subnet_and_gives_it_back() {
        let before = free(&fixture("tri"), "public-a");
        let mut world = shop(&json!({}));
        assert_eq!(standing(&world), ["public-a", "public-b", "public-c"]);
        assert_eq!(free(&world, "public-a"), before - 1);
        assert!(hostname(&world).is_some_and(|it| it.ends_with(".ap-northeast-2.elb.amazonaws.com")));
        let traced = trace(&mut world, HERE, "laptop", "lb/web:80", None).expect("both ends are there");
        assert_eq!(traced.trace.blockers, []);
        delete(&mut world, Kind::Service, "web").expect("it goes");
        settle(&mut world);
        assert!(world.store().get::<Service>(HERE, "default", "web").is_none());
        assert_eq!((standing(&world), free(&world, "public-a")), (Vec::new(), before));
    }

    #[test]
    fn an_internal_network_one_stands_in_the_private_subnets() {
        let world = shop(&json!({(TYPE): "nlb", (INTERNAL): "true"}));
        assert_eq!(standing(&world), ["private-a", "private-b", "private-c"]);
        assert!(hostname(&world).is_some_and(|it| it.ends_with(".elb.ap-northeast-2.amazonaws.com")));
        let said: Vec<String> =
            world.store().list::<Event>(HERE, None).filter_map(|it| it.reason.clone()).collect();
        assert!(said.iter().any(|it| it == "EnsuredLoadBalancer"), "{said:?}");
    }

    #[test]
    fn what_another_controller_is_to_make_stays_without() {
        let world = shop(&json!({(TYPE): "external"}));
        assert_eq!((standing(&world).len(), hostname(&world)), (0, None));
    }
}
