//! What can a packet meet in this world now?
//!
//! [`of`] writes the store's objects down as the plain input of [`network::trace`]. It decides nothing: what passes and
//! what blocks is the network crate's to say.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
};

use api::{
    Kind, Object, Resource,
    digest::Digest,
    k8s::{
        apps::v1::DaemonSet,
        core::v1::{Namespace, Node, Pod, Service},
        networking::v1::NetworkPolicy,
    },
    kinds::{
        aws,
        eks::EksCluster,
        sim::{Actor, ControlPlane, KnownService, Machine, Provider, StoppedProxy},
    },
};
use ipnet::IpNet;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use network::network as net;

use crate::{
    ClusterId, Store, World,
    cloud::{acl, endpoint, eni, load_balancer, nat},
    node::{ipamd, kube_proxy, kubelet::image},
    vpc_resource,
};

/// The network as it is now, seen from one cluster.
#[must_use]
pub fn of(world: &World, cluster: ClusterId) -> net::Network {
    let store = world.store();
    let plane = store.list::<ControlPlane>(ClusterId::WORLD, None).find(|it| it.id == cluster.0);
    let eks = plane.and_then(|plane| store.get::<EksCluster>(ClusterId::WORLD, "", name(plane)));
    let mut network = net::Network {
        kube_proxy: net::KubeProxy { mode: "iptables".to_owned() },
        cni: net::Cni { network_policy: enforces_policies(store, cluster, plane), ..vpc_cni(store, cluster) },
        policies: store
            .objects(cluster, Kind::NetworkPolicy, None)
            .filter_map(|(_, it)| policy(it))
            .collect(),
        cluster: control_plane(store, cluster, plane, eks),
        namespaces: store
            .list::<Namespace>(cluster, None)
            .map(|it| (name(it).to_owned(), it.metadata.labels.clone().unwrap_or_default()))
            .collect(),
        nodes: store.list::<Node>(cluster, None).map(|it| node(store, cluster, it)).collect(),
        services: store
            .list::<Service>(cluster, None)
            .map(|it| net::Service {
                lb: eks.and_then(|eks| balancer(store, eks, it)),
                ..service(it, kube_proxy::addresses(store, cluster, it))
            })
            .collect(),
        ..net::Network::default()
    };
    let nodes: BTreeMap<&str, &net::Node> = network.nodes.iter().map(|it| (it.name.as_str(), it)).collect();
    let pods = store.list::<Pod>(cluster, None).filter_map(|it| pod(store, it, &nodes)).collect();
    network.pods = pods;
    if let Some(eks) = eks {
        vpc(store, eks, &mut network);
    }
    actors(store, &mut network);
    // The API servers behind `default/kubernetes` are the EKS-owned ENIs, in every endpoint mode.
    let api: Vec<IpAddr> = network.cluster.cross_account_enis.iter().map(|eni| eni.ip).collect();
    for it in network.services.iter_mut().filter(|it| it.ns == "default" && it.name == "kubernetes") {
        it.endpoints = Some(api.clone());
    }
    network
}

/// As much of the network as an instance meets that is no node yet.
pub(crate) fn around(world: &World, cluster: ClusterId, it: &aws::Instance) -> net::Network {
    let store = world.store();
    let plane = store.list::<ControlPlane>(ClusterId::WORLD, None).find(|it| it.id == cluster.0);
    let eks = plane.and_then(|plane| store.get::<EksCluster>(ClusterId::WORLD, "", name(plane)));
    let mut network =
        net::Network { cluster: control_plane(store, cluster, plane, eks), ..net::Network::default() };
    if let Some(eks) = eks {
        vpc(store, eks, &mut network);
    }
    let enis =
        eni::of_instance(store, name(it)).into_iter().map(|eni| interface(store, cluster, eni)).collect();
    network.nodes.push(net::Node {
        name: name(it).to_owned(),
        ip: Some(it.private_ip.into()),
        public_ip: it.public_ip.map(IpAddr::V4),
        ready: Some(false),
        enis,
        ..net::Node::default()
    });
    network
}

fn interface(store: &Store, cluster: ClusterId, eni: &aws::Eni) -> net::Eni {
    let ip = eni::address(store, cluster, eni);
    net::Eni {
        id: name(eni).to_owned(),
        dev: eni.device_index,
        ip,
        ipv4: ip.is_ipv6().then_some(eni.primary_ip.into()),
        subnet: eni.subnet.clone(),
        sgs: eni.security_groups.clone(),
    }
}

/// What the VPC CNI's DaemonSet is told. MODEL: its pods have been replaced since it was told.
fn vpc_cni(store: &Store, cluster: ClusterId) -> net::Cni {
    let env = ipamd::settings(store, cluster);
    let text = |name: &str| env.get(name).map_or("", String::as_str);
    let blocks = text("AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS").split(',');
    net::Cni {
        external_snat: text("AWS_VPC_K8S_CNI_EXTERNALSNAT") == "true",
        exclude_snat_cidrs: blocks.filter_map(|block| block.trim().parse().ok()).collect(),
        sgpp: Some(text("POD_SECURITY_GROUP_ENFORCING_MODE"))
            .filter(|mode| !mode.is_empty())
            .unwrap_or("strict")
            .to_owned(),
        ..net::Cni::default()
    }
}

fn policy(object: &Object) -> Option<net::Policy> {
    let Object::Stored(stored) = object else { return None };
    let it: NetworkPolicy = stored.typed().ok()?;
    let (name, namespace) = (object.name().to_owned(), object.namespace().to_owned());
    Some(net::Policy { name, namespace, spec: it.spec.unwrap_or_default() })
}

/// Whether somebody on the nodes heeds NetworkPolicies: the VPC CNI's agent if it is told to, kind's own network always.
///
/// MODEL: a policy holds as soon as it is stored. Sources: aws-network-policy-agent (`--enable-network-policy`); kind's release notes
/// of v0.24.
fn enforces_policies(store: &Store, cluster: ClusterId, plane: Option<&ControlPlane>) -> bool {
    if plane.is_some_and(|plane| plane.provider == Provider::Kind) {
        return true;
    }
    let daemons = store.get::<DaemonSet>(cluster, "kube-system", "aws-node");
    let pod = daemons.and_then(|it| it.spec.as_ref()?.template.spec.as_ref());
    let mut args = pod.into_iter().flat_map(|it| &it.containers).filter_map(|it| it.args.as_ref()).flatten();
    args.any(|arg| arg == "--enable-network-policy=true")
}

/// What every kube-proxy of a cluster knows now.
pub(crate) fn known_services(store: &Store, cluster: ClusterId) -> Vec<KnownService> {
    let known = |it: &Service| KnownService {
        service: it.clone(),
        endpoints: match name(it) {
            // Written by the API servers themselves; see `of`.
            "kubernetes" if it.metadata.namespace.as_deref() == Some("default") => {
                api_addresses(store, cluster)
            }
            _ => kube_proxy::addresses(store, cluster, it),
        },
    };
    store.list::<Service>(cluster, None).map(known).collect()
}

fn api_addresses(store: &Store, cluster: ClusterId) -> Vec<IpAddr> {
    let plane = store.list::<ControlPlane>(ClusterId::WORLD, None).find(|it| it.id == cluster.0);
    let eks = plane.and_then(|plane| store.get::<EksCluster>(ClusterId::WORLD, "", name(plane)));
    control_plane(store, cluster, plane, eks).cross_account_enis.iter().map(|eni| eni.ip).collect()
}

fn name<R: Resource>(object: &R) -> &str {
    object.meta().name.as_deref().unwrap_or_default()
}

fn control_plane(
    store: &Store,
    cluster: ClusterId,
    plane: Option<&ControlPlane>,
    eks: Option<&EksCluster>,
) -> net::Cluster {
    let dns = store.get::<Service>(cluster, "kube-system", "kube-dns");
    let dns_ip = dns.and_then(|it| it.spec.as_ref()?.cluster_ip.as_deref()?.parse().ok());
    let mut seen = net::Cluster {
        service_cidr: plane.map(|plane| plane.service_cidr),
        dns_ip,
        ..net::Cluster::default()
    };
    if let Some(eks) = eks {
        seen.endpoint = net::Endpoint {
            public: eks.endpoint_public_access,
            private: eks.endpoint_private_access,
            public_cidrs: eks.public_access_cidrs.iter().filter_map(|cidr| cidr.parse().ok()).collect(),
            public_ip: Some(public_address(eks).into()),
        };
        seen.cross_account_enis = store
            .list::<aws::Eni>(ClusterId::WORLD, None)
            .filter(|eni| eni.owner == aws::EniOwner::Eks && in_subnets(eks, eni))
            .map(|eni| net::CrossAccountEni {
                id: name(eni).to_owned(),
                ip: eni::address(store, cluster, eni),
                subnet: eni.subnet.clone(),
                sgs: eni.security_groups.clone(),
            })
            .collect();
    } else if plane.is_some_and(|plane| matches!(plane.provider, Provider::Kind | Provider::Kwok)) {
        // kind and kwokctl publish the API server on the laptop itself.
        seen.endpoint = net::Endpoint {
            public: true,
            private: false,
            public_cidrs: "0.0.0.0/0".parse().into_iter().collect(),
            public_ip: Some(Ipv4Addr::LOCALHOST.into()),
        };
    }
    seen
}

fn in_subnets(eks: &EksCluster, eni: &aws::Eni) -> bool {
    eks.subnets.contains(&eni.subnet)
}

/// The public address that the endpoint's name answers.
///
/// MODEL: the real one is any of several of AWS's; one of a documentation block stands for it (RFC 5737).
fn public_address(eks: &EksCluster) -> Ipv4Addr {
    let draw = Digest::default().bytes(eks.endpoint.as_bytes()).finish();
    Ipv4Addr::new(198, 51, 100, 10 + u8::try_from(draw % 200).unwrap_or(0))
}

fn vpc(store: &Store, eks: &EksCluster, network: &mut net::Network) {
    if let Some(vpc) = store.get::<aws::Vpc>(ClusterId::WORLD, "", &eks.vpc) {
        network.vpc = net::Vpc {
            id: name(vpc).to_owned(),
            cidrs: vpc.cidrs.iter().copied().map(IpNet::V4).chain(vpc.ipv6_cidr.map(IpNet::V6)).collect(),
            dns_support: vpc.enable_dns_support,
            dns_hostnames: vpc.enable_dns_hostnames,
        };
    }
    network.subnets = store
        .list::<aws::Subnet>(ClusterId::WORLD, None)
        .filter(|it| it.vpc == eks.vpc)
        .map(|it| net::Subnet {
            id: name(it).to_owned(),
            cidr: it.cidr.into(),
            ipv6_cidr: it.ipv6_cidr.map(IpNet::V6),
            az: it.availability_zone.clone(),
            rt: it.route_table.clone(),
            // A default ACL as it came lets everything pass: the network crate's word for that is none.
            nacl: acl::of_subnet(store, it)
                .filter(|acl| !acl::is_pristine(acl))
                .map(|acl| name(acl).to_owned()),
        })
        .collect();
    network.route_tables = store
        .list::<aws::RouteTable>(ClusterId::WORLD, None)
        .filter(|it| it.vpc == eks.vpc)
        .map(|it| net::RouteTable {
            id: name(it).to_owned(),
            routes: it
                .routes
                .iter()
                .filter(|route| route.target != "local")
                .map(|route| net::Route {
                    dst: route.destination.clone(),
                    via: route.target.clone(),
                    state: (!nat::leads_somewhere(store, &route.target)).then(|| "blackhole".to_owned()),
                })
                .collect(),
        })
        .collect();
    network.sgs = store
        .list::<aws::SecurityGroup>(ClusterId::WORLD, None)
        .map(|it| net::SecurityGroup {
            id: name(it).to_owned(),
            inbound: it.inbound.iter().map(security_rule).collect(),
            outbound: it.outbound.iter().map(security_rule).collect(),
        })
        .collect();
    let mut gateways = BTreeMap::new();
    let attached = |it: &&aws::InternetGateway| !it.vpc.is_empty();
    for igw in store.list::<aws::InternetGateway>(ClusterId::WORLD, None).filter(attached) {
        let kind = if igw.egress_only { "eigw" } else { "igw" };
        gateways.insert(name(igw).to_owned(), net::Gateway { kind: kind.to_owned(), ..Default::default() });
    }
    for nat in store.list::<aws::NatGateway>(ClusterId::WORLD, None) {
        let gateway = net::Gateway {
            kind: "nat".to_owned(),
            subnet: Some(nat.subnet.clone()),
            public_ip: Some(nat.public_ip.into()),
            state: Some(nat::state(nat).to_owned()),
            ..Default::default()
        };
        gateways.insert(name(nat).to_owned(), gateway);
    }
    network.gateways = gateways;
    network.nacls = store
        .list::<aws::NetworkAcl>(ClusterId::WORLD, None)
        .filter(|it| it.vpc == eks.vpc)
        .map(|it| net::Nacl {
            id: name(it).to_owned(),
            inbound: it.entries.iter().filter(|entry| !entry.egress).map(acl_rule).collect(),
            outbound: it.entries.iter().filter(|entry| entry.egress).map(acl_rule).collect(),
        })
        .collect();
    network.vpc_endpoints = store
        .list::<aws::VpcEndpoint>(ClusterId::WORLD, None)
        .filter(|it| it.vpc == eks.vpc && it.available)
        .map(|it| net::VpcEndpoint {
            id: name(it).to_owned(),
            kind: match it.kind {
                aws::EndpointKind::Gateway => "gateway",
                aws::EndpointKind::Interface => "interface",
            }
            .to_owned(),
            service: endpoint::short(&it.service).to_owned(),
            route_tables: it.route_tables.clone(),
            ips: endpoint::enis(store, it).map(|eni| (eni.subnet.clone(), eni.primary_ip.into())).collect(),
            sgs: it.security_groups.clone(),
            private_dns: it.private_dns,
        })
        .collect();
    network.aws = endpoint::SERVICES
        .iter()
        .map(|(service, _)| {
            let (ip, block) = (endpoint::public_address(service), endpoint::prefix(service));
            ((*service).to_owned(), net::AwsService { ip: ip.into(), prefixes: vec![block.into()] })
        })
        .collect();
}

fn acl_rule(entry: &aws::NetworkAclEntry) -> net::NaclRule {
    let proto = match entry.protocol.as_str() {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        other => other,
    };
    net::NaclRule {
        n: entry.number,
        proto: proto.to_owned(),
        from: entry.ports.map(|(first, _)| first),
        to: entry.ports.map(|(_, last)| last),
        cidr: entry.cidr,
        action: if entry.allow { "allow" } else { "deny" }.to_owned(),
    }
}

fn security_rule(rule: &aws::SecurityGroupRule) -> net::SecurityRule {
    net::SecurityRule {
        proto: rule.protocol.clone(),
        from: rule.ports.map(|(first, _)| first),
        to: rule.ports.map(|(_, last)| last),
        peer: rule.peer.clone(),
    }
}

fn node(store: &Store, cluster: ClusterId, node: &Node) -> net::Node {
    let machine = store.get::<Machine>(cluster, "", name(node));
    let stopped = machine.and_then(|machine| machine.proxy_stopped.as_ref());
    let rules =
        |it: &StoppedProxy| it.services.iter().map(|it| service(&it.service, it.endpoints.clone())).collect();
    let instance = store.instances_of(name(node)).next();
    let mut enis = instance.map_or_else(Vec::new, |it| eni::of_instance(store, name(it)));
    enis.retain(|eni| eni.attachment == aws::Attachment::Attached);
    let vm = machine.and_then(|machine| machine.micro_vm.as_ref());
    enis.extend(vm.and_then(|vm| eni::get(store, &vm.eni)));
    let status = node.status.as_ref();
    let ready = status
        .and_then(|it| it.conditions.as_ref())
        .is_some_and(|all| all.iter().any(|it| it.type_ == "Ready" && it.status == "True"));
    let internal = status
        .and_then(|it| it.addresses.as_ref())
        .and_then(|all| all.iter().find(|it| it.type_ == "InternalIP"))
        .and_then(|it| it.address.parse().ok());
    net::Node {
        name: name(node).to_owned(),
        public_ip: instance.and_then(|it| it.public_ip).map(IpAddr::V4),
        ip: internal,
        fargate: vm.is_some(),
        ready: Some(ready),
        enis: enis.into_iter().map(|eni| interface(store, cluster, eni)).collect(),
        rules: stopped.map(rules),
        ..net::Node::default()
    }
}

/// A pod that has a node and an address. Its containers listen on their declared ports and on those of their images.
fn pod(store: &Store, pod: &Pod, nodes: &BTreeMap<&str, &net::Node>) -> Option<net::Pod> {
    let (spec, status) = (pod.spec.as_ref()?, pod.status.as_ref()?);
    let on = spec.node_name.as_deref()?;
    let ip: IpAddr = status.pod_ip.as_deref()?.parse().ok()?;
    let ready = status
        .conditions
        .as_ref()
        .is_some_and(|all| all.iter().any(|it| it.type_ == "Ready" && it.status == "True"));
    let eni = nodes.get(on).and_then(|node| owner(store, node, ip));
    let mut ports: Vec<net::PodPort> = Vec::new();
    for container in &spec.containers {
        ports.extend(container.ports.iter().flatten().filter_map(|port| {
            Some(net::PodPort {
                name: port.name.clone(),
                container_port: u16::try_from(port.container_port).ok()?,
                protocol: port.protocol.clone(),
            })
        }));
        let image = container.image.as_deref().unwrap_or_default();
        for port in image::of(store, image).ports {
            if !ports.iter().any(|it| it.container_port == port) {
                ports.push(net::PodPort { name: None, container_port: port, protocol: None });
            }
        }
    }
    Some(net::Pod {
        ns: pod.metadata.namespace.clone().unwrap_or_default(),
        name: name(pod).to_owned(),
        labels: pod.metadata.labels.clone().unwrap_or_default(),
        node: on.to_owned(),
        ip: Some(ip),
        eni,
        ready: ready && pod.metadata.deletion_timestamp.is_none(),
        host_network: spec.host_network == Some(true),
        fargate: nodes.get(on).is_some_and(|node| node.fargate),
        branch_eni: branch(store, pod, ip.is_ipv6()),
        ports,
    })
}

/// The ENI that a pod has to itself.
fn branch(store: &Store, pod: &Pod, ipv6: bool) -> Option<net::BranchEni> {
    let (id, _) = vpc_resource::annotated(pod, ipv6)?;
    let eni = eni::get(store, &id)?;
    Some(net::BranchEni {
        vlan: eni.branch.as_ref()?.vlan,
        subnet: eni.subnet.clone(),
        sgs: eni.security_groups.clone(),
        id,
    })
}

/// Which of a node's ENIs holds an address, by secondary address or prefix.
fn owner(store: &Store, node: &net::Node, ip: IpAddr) -> Option<String> {
    node.enis
        .iter()
        .filter_map(|eni| store.get::<aws::Eni>(ClusterId::WORLD, "", &eni.id))
        .find(|eni| {
            let mut own = eni.ipv6_address.map(IpAddr::V6).into_iter().chain([eni.primary_ip.into()]);
            (node.fargate && own.any(|own| own == ip))
                || eni::blocks_of(eni).iter().any(|block| block.contains(&ip))
        })
        .map(|eni| name(eni).to_owned())
}

/// The load balancer that a Service has. MODEL: from the internet it has the address of a documentation block (RFC 5737).
fn balancer(store: &Store, eks: &EksCluster, it: &Service) -> Option<net::LoadBalancer> {
    let own = format!("{}/{}", it.metadata.namespace.as_deref().unwrap_or_default(), name(it));
    let found = load_balancer::of_service(store, name(eks), &own)?;
    let draw = Digest::default().bytes(found.dns_name.as_bytes()).finish();
    let public = Ipv4Addr::new(198, 51, 100, 10 + u8::try_from(draw % 200).unwrap_or(0));
    Some(net::LoadBalancer {
        kind: match found.kind {
            aws::LoadBalancerKind::Classic => "clb",
            aws::LoadBalancerKind::Network => "nlb",
        }
        .to_owned(),
        target: "instance".to_owned(),
        scheme: if found.internal { "internal" } else { "internet-facing" }.to_owned(),
        ips: load_balancer::enis(store, found)
            .map(|eni| (eni.subnet.clone(), eni.primary_ip.into()))
            .collect(),
        sgs: found.security_groups.clone(),
        public_ip: (!found.internal).then_some(public.into()),
        ..net::LoadBalancer::default()
    })
}

fn service(service: &Service, endpoints: Vec<IpAddr>) -> net::Service {
    let spec = service.spec.clone().unwrap_or_default();
    let port = |it: &api::k8s::core::v1::ServicePort| {
        Some(net::ServicePort {
            name: it.name.clone(),
            port: u16::try_from(it.port).ok()?,
            target_port: match &it.target_port {
                None => None,
                Some(IntOrString::Int(number)) => Some(net::PortRef::Number(u16::try_from(*number).ok()?)),
                Some(IntOrString::String(name)) => Some(net::PortRef::Name(name.clone())),
            },
            node_port: it.node_port.and_then(|number| u16::try_from(number).ok()),
            protocol: it.protocol.clone(),
        })
    };
    net::Service {
        ns: service.metadata.namespace.clone().unwrap_or_default(),
        name: name(service).to_owned(),
        kind: spec.type_.unwrap_or_else(|| "ClusterIP".to_owned()),
        cluster_ip: spec.cluster_ip,
        // Without a selector nobody finds endpoints for it, and somebody may have written them.
        endpoints: Some(endpoints),
        selector: spec.selector,
        ports: spec.ports.iter().flatten().filter_map(port).collect(),
        etp: spec.external_traffic_policy,
        itp: spec.internal_traffic_policy,
        health_check_node_port: spec.health_check_node_port.and_then(|number| u16::try_from(number).ok()),
        affinity_seconds: (spec.session_affinity.as_deref() == Some("ClientIP")).then(|| {
            let seconds = spec.session_affinity_config.and_then(|it| it.client_ip?.timeout_seconds);
            // Source: core/v1 defaults.
            seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(10_800)
        }),
        ..net::Service::default()
    }
}

/// Laptops on the internet, and machines in a subnet of the VPC.
fn actors(store: &Store, network: &mut net::Network) {
    for actor in store.list::<Actor>(ClusterId::WORLD, None) {
        let own = name(actor).to_owned();
        match actor.at.strip_prefix("subnet/") {
            Some(subnet) => {
                let eni = store.get::<aws::Eni>(ClusterId::WORLD, "", &format!("eni-{own}"));
                network.hosts.push(net::Host {
                    name: own,
                    ip: actor.address.into(),
                    ipv6: eni.and_then(|eni| eni.ipv6_address).map(IpAddr::V6),
                    subnet: subnet.to_owned(),
                    sgs: eni.map(|eni| eni.security_groups.clone()).unwrap_or_default(),
                    public_ip: None,
                });
            }
            None => {
                network.external.push(net::External {
                    name: own,
                    ip: actor.address.into(),
                    ports: None,
                    via: None,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        fixture::{HERE, create, settle},
        path::{Traced, trace},
        provision::tests::fixture,
    };

    /// A Deployment of three behind a Service, and a client, on three zones.
    fn shop() -> World {
        let mut world = fixture("tri");
        let labels = json!({"app": "web"});
        let container =
            json!({"name": "c", "image": "nginx:1.27", "ports": [{"name": "http", "containerPort": 80}]});
        let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 3, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "http"}]}});
        let client = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client"},
            "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/pause:3.10"}]}});
        for manifest in [web, service, client] {
            create(&mut world, manifest).expect("a legal manifest");
        }
        settle(&mut world);
        world
    }

    fn go(world: &mut World, from: &str, to: &str) -> std::rc::Rc<Traced> {
        trace(world, HERE, from, to, None).expect("both ends are there")
    }

    #[test]
    fn a_client_reaches_a_service_by_one_of_its_pods() {
        let mut world = shop();
        let network = of(&world, HERE);
        let zones: std::collections::BTreeSet<_> =
            network.pods.iter().filter(|pod| pod.name.starts_with("web")).map(|pod| &pod.node).collect();
        assert_eq!(zones.len(), 3, "one pod in each zone");
        let traced = go(&mut world, "pod/client", "svc/web:80");
        assert_eq!(traced.trace.blockers, []);
        assert_eq!(traced.trace.backends.len(), 3);
    }

    #[test]
    fn every_pod_has_an_address_of_its_nodes_subnet() {
        let world = shop();
        let network = of(&world, HERE);
        for pod in network.pods.iter().filter(|pod| !pod.host_network) {
            let node = network.nodes.iter().find(|node| node.name == pod.node).expect("its node");
            let subnet = network.subnets.iter().find(|it| it.id == node.enis[0].subnet).expect("its subnet");
            assert!(pod.ip.is_some_and(|ip| subnet.cidr.contains(&ip)), "{} {:?}", pod.name, pod.ip);
            assert!(pod.eni.is_some(), "an ENI of its node holds {}'s address", pod.name);
        }
    }

    #[test]
    fn a_laptop_goes_to_the_public_door_and_a_node_to_the_eks_owned_eni() {
        let mut world = shop();
        let words = |traced: &Traced| traced.trace.hops.iter().map(|hop| hop.kind.word()).collect::<Vec<_>>();
        let laptop = go(&mut world, "laptop", "api:443");
        assert_eq!(words(&laptop), ["external", "dns", "public-endpoint", "api-server"]);
        let node = go(&mut world, "Node/worker-a", "api:443");
        assert_eq!(node.trace.blockers, []);
        assert!(words(&node).contains(&"x-eni"));
    }
}
