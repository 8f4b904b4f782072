//! Which ends does a learner mean, and which way does a packet take between them now?
//!
//! Ends are said as in lessons: `laptop`, `bastion`, `api`, `Node/worker-a`, `pod/web-1`, `svc/web`, `10.0.64.21`, `aws/s3`, `lb/web`; a bare name
//! is looked for among actors, Services and pods, in this order. A namespace other than `default` goes between:
//! `svc/kube-system/kube-dns`.

use std::{net::IpAddr, rc::Rc};

pub use network::matrix::Cell;
use network::{Network, Probe, Trace, kube_proxy, network::Service};

use crate::{ActorId, ClusterId, What, World, draw::draw};

/// A traced path: what was asked, and the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// What was asked, in the network's words.
    pub probe: Probe,
    /// The answer.
    pub trace: Trace,
}

/// An end that nothing in this world is called by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {name:?} to trace {role}")]
pub struct UnknownEnd {
    /// As it was said.
    pub name: String,
    /// `from` or `to`.
    pub role: &'static str,
    /// What could have been said, in order.
    pub known: Vec<String>,
}

/// Traces `from` to `to` (`name` or `name:port`) and records the answer as a fact. `proto` is `TCP` or `UDP`; without it, what
/// is usual there.
///
/// Where a Service chooses, the choice is drawn as kube-proxy's is: each backend as likely as another.
/// # Errors
/// [`UnknownEnd`] when nothing is called so.
pub fn trace(
    world: &mut World,
    cluster: ClusterId,
    from: &str,
    to: &str,
    proto: Option<&str>,
) -> Result<Rc<Traced>, UnknownEnd> {
    let network = crate::network::of(world, cluster);
    let probe = probe(&network, from, to, world.seed(), world.facts().len() as u64)?;
    let proto = proto.map_or_else(|| probe.proto.clone(), str::to_uppercase);
    let traced = Rc::new(answered(&network, Probe { proto, ..probe }));
    world.fact(ActorId("lab"), None, What::Traced(Rc::clone(&traced)));
    Ok(traced)
}

fn answered(network: &Network, probe: Probe) -> Traced {
    let trace = network::trace(network, &probe);
    Traced { probe, trace }
}

/// The same question with every backend that the Service could have picked, by address; where nobody chooses, the one
/// that was asked. Records nothing.
#[must_use]
pub fn every_choice(world: &World, cluster: ClusterId, traced: &Traced) -> Vec<Traced> {
    let network = crate::network::of(world, cluster);
    let probe = &traced.probe;
    let service =
        probe.to.strip_prefix("svc:").and_then(|id| network.services.iter().find(|it| it.id() == id));
    let choices = service.map_or_else(Vec::new, |it| kube_proxy::choices(&network, &probe.from, it));
    if choices.is_empty() {
        return vec![traced.clone()];
    }
    let with = |it: &kube_proxy::Endpoint<'_>| Probe { pick: Some(it.id()), ..probe.clone() };
    choices.iter().map(|it| answered(&network, with(it))).collect()
}

/// The probe that a learner means.
/// # Errors
/// [`UnknownEnd`] when nothing is called so.
pub fn probe(network: &Network, from: &str, to: &str, seed: u64, n: u64) -> Result<Probe, UnknownEnd> {
    let unknown = |name: &str, role| UnknownEnd { name: name.to_owned(), role, known: ends(network) };
    let start = origin(network, from).ok_or_else(|| unknown(from, "from"))?;
    // `2001:db8::1` has no port, `[2001:db8::1]:80` has one.
    let bare = to.parse::<IpAddr>().is_ok();
    let last = to.rsplit_once(':').filter(|_| !bare);
    let (name, port) = match last.and_then(|(name, port)| Some((name, port.parse().ok()?))) {
        Some((name, port)) => (name, Some(port)),
        None => (to, None),
    };
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let end = target(network, name).ok_or_else(|| unknown(name, "to"))?;
    let service = end.strip_prefix("svc:").and_then(|id| network.services.iter().find(|it| it.id() == id));
    let port = port.unwrap_or_else(|| usual_port(network, &end, service));
    let pick = service.and_then(|service| {
        let ready = kube_proxy::choices(network, &start, service);
        let count = u64::try_from(ready.len()).ok().filter(|count| *count > 0)?;
        let key = format!("{start}>{end}:{port}");
        let chosen = usize::try_from(draw(seed, "kube-proxy", &key, n) % count).ok()?;
        ready.get(chosen).map(kube_proxy::Endpoint::id)
    });
    let proto = if end.ends_with("/kube-dns") { "UDP" } else { "TCP" };
    Ok(Probe { from: start, to: end, port, proto: proto.to_owned(), pick, pick_node: None })
}

/// The port that is meant where none is said: the Service's or the pod's first, 443 for the API.
fn usual_port(network: &Network, end: &str, service: Option<&Service>) -> u16 {
    if let Some(port) = service.and_then(|it| it.ports.first()) {
        return port.port;
    }
    let pod = end.strip_prefix("pod:").and_then(|id| network.pods.iter().find(|it| it.id() == id));
    if let Some(port) = pod.and_then(|it| it.ports.first()) {
        return port.container_port;
    }
    match end {
        it if it.starts_with("node:") => 10250,
        "api" => 443,
        it if it.starts_with("aws:") => 443,
        _ => 80,
    }
}

fn origin(network: &Network, said: &str) -> Option<String> {
    match split(said) {
        (Some("node" | "no" | "nodes"), name) => node(network, name),
        (Some("pod" | "po" | "pods"), name) => pod(network, name),
        (Some(_), _) => pod(network, said),
        (None, "control-plane" | "cp") => Some("cp".to_owned()),
        (None, name) => actor(network, name).or_else(|| pod(network, name)).or_else(|| node(network, name)),
    }
}

fn target(network: &Network, said: &str) -> Option<String> {
    if said.parse::<IpAddr>().is_ok() {
        return Some(format!("ip:{said}"));
    }
    match split(said) {
        (Some("node" | "no" | "nodes"), name) => node(network, name),
        (Some("pod" | "po" | "pods"), name) => pod(network, name),
        (Some("svc" | "service" | "services"), name) => service(network, name),
        (Some("lb"), name) => balancer(network, name),
        (Some("aws"), name) => network.aws.contains_key(name).then(|| format!("aws:{name}")),
        (Some(_), _) => service(network, said).or_else(|| pod(network, said)),
        (None, "api" | "cluster-api") => Some("api".to_owned()),
        (None, name) => service(network, name)
            .or_else(|| pod(network, name))
            .or_else(|| node(network, name))
            .or_else(|| actor(network, name)),
    }
}

/// `pod/web` → (`pod`, `web`); the kind in lower case, as `Node/worker-a` is said in lessons.
fn split(said: &str) -> (Option<&'static str>, &str) {
    const WORDS: &[&str] =
        &["node", "no", "nodes", "pod", "po", "pods", "svc", "service", "services", "aws", "lb"];
    let Some((kind, name)) = said.split_once('/') else { return (None, said) };
    let kind = kind.to_lowercase();
    match WORDS.iter().find(|word| **word == kind) {
        Some(word) => (Some(word), name),
        None => (Some(""), said),
    }
}

fn in_namespace(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("default/{name}") }
}

fn pod(network: &Network, name: &str) -> Option<String> {
    let id = in_namespace(name);
    network.pods.iter().find(|it| it.id() == id).map(|_| format!("pod:{id}"))
}

/// A Service that has a load balancer, by that.
fn balancer(network: &Network, name: &str) -> Option<String> {
    let id = in_namespace(name);
    network.services.iter().any(|it| it.id() == id && it.lb.is_some()).then(|| format!("lb:{id}"))
}

fn service(network: &Network, name: &str) -> Option<String> {
    let id = in_namespace(name);
    network.services.iter().find(|it| it.id() == id).map(|_| format!("svc:{id}"))
}

fn node(network: &Network, name: &str) -> Option<String> {
    network.nodes.iter().find(|it| it.name == name).map(|it| format!("node:{}", it.name))
}

fn actor(network: &Network, name: &str) -> Option<String> {
    let host = network.hosts.iter().find(|it| it.name == name).map(|it| format!("host:{}", it.name));
    host.or_else(|| network.external.iter().find(|it| it.name == name).map(|it| format!("ext:{}", it.name)))
}

/// How an end of a probe is said: what [`probe`] understands as that.
///
/// ```
/// use cluster::path::said;
/// assert_eq!(said("pod:default/web"), "pod/web");
/// assert_eq!(said("svc:shop/cart"), "svc/shop/cart");
/// assert_eq!(said("ext:laptop"), "laptop");
/// ```
#[must_use]
pub fn said(end: &str) -> String {
    let Some((kind, name)) = end.split_once(':') else { return end.to_owned() };
    match kind {
        "node" => format!("Node/{name}"),
        "pod" | "svc" | "lb" => format!("{kind}/{}", short(name)),
        "aws" => format!("aws/{name}"),
        // Of IPv6, colons stand before that of the port.
        "ip" if name.contains(':') => format!("[{name}]"),
        _ => name.to_owned(),
    }
}

/// Whose ends a matrix has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The pods of one namespace.
    Namespace(String),
    /// Every pod, node and machine, and who stands outside.
    Vpc,
}

/// Who reaches whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The ends, as they are said: rows and columns.
    pub ends: Vec<String>,
    /// What comes of each row asking each column; none where one would ask itself.
    pub cells: Vec<Vec<Option<Cell>>>,
}

/// Who reaches whom, on one port or else on each one's usual port. `proto` is `TCP` or `UDP`.
#[must_use]
pub fn matrix(network: &Network, scope: &Scope, port: Option<u16>, proto: &str) -> Matrix {
    let pods = network.pods.iter().filter(|it| it.ip.is_some());
    let ends: Vec<String> = match scope {
        Scope::Namespace(name) => {
            pods.filter(|it| it.ns == *name).map(|it| format!("pod:{}", it.id())).collect()
        }
        Scope::Vpc => {
            let outside = network.external.iter().map(|it| format!("ext:{}", it.name));
            let hosts = network.hosts.iter().map(|it| format!("host:{}", it.name));
            let nodes = network.nodes.iter().map(|it| format!("node:{}", it.name));
            // On the node's own network, they reach what the node reaches.
            let pods = pods.filter(|it| !it.host_network).map(|it| format!("pod:{}", it.id()));
            outside.chain(hosts).chain(nodes).chain(pods).collect()
        }
    };
    let asked = |from: &str, to: &str| {
        let port = port.unwrap_or_else(|| usual_port(network, to, None));
        let (from, to, proto) = (from.to_owned(), to.to_owned(), proto.to_owned());
        Some(Probe { from, to, port, proto, ..Probe::default() })
    };
    let cells = network::matrix::cells(network, &ends, asked);
    Matrix { ends: ends.iter().map(|end| said(end)).collect(), cells }
}

/// Everything that can be said as an end.
#[must_use]
pub fn ends(network: &Network) -> Vec<String> {
    let actors = network.external.iter().map(|it| it.name.clone());
    let hosts = network.hosts.iter().map(|it| it.name.clone());
    let nodes = network.nodes.iter().map(|it| format!("Node/{}", it.name));
    let services = network.services.iter().map(|it| format!("svc/{}", short(&it.id())));
    let pods = network.pods.iter().map(|it| format!("pod/{}", short(&it.id())));
    let aws = network.aws.keys().map(|name| format!("aws/{name}"));
    actors
        .chain(hosts)
        .chain(["api".to_owned()])
        .chain(nodes)
        .chain(services)
        .chain(pods)
        .chain(aws)
        .collect()
}

fn short(id: &str) -> String {
    id.strip_prefix("default/").unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use network::network::{External, Node, Pod};

    use super::*;

    fn small() -> Network {
        let pod = |ns: &str, name: &str| Pod { ns: ns.to_owned(), name: name.to_owned(), ..Pod::default() };
        let service = Service { ns: "default".to_owned(), name: "web".to_owned(), ..Service::default() };
        let laptop = External {
            name: "laptop".to_owned(),
            ip: IpAddr::from([203, 0, 113, 7]),
            ports: None,
            via: None,
        };
        Network {
            pods: vec![pod("default", "web"), pod("shop", "cart")],
            services: vec![service],
            nodes: vec![Node { name: "worker-a".to_owned(), ..Node::default() }],
            external: vec![laptop],
            ..Network::default()
        }
    }

    #[test]
    fn ends_are_said_as_in_lessons() {
        let network = small();
        for (said, meant) in [
            ("laptop", "ext:laptop"),
            ("Node/worker-a", "node:worker-a"),
            ("web", "svc:default/web"),
            ("pod/web", "pod:default/web"),
            ("shop/cart", "pod:shop/cart"),
            ("pod/shop/cart", "pod:shop/cart"),
            ("10.0.64.9", "ip:10.0.64.9"),
            ("api", "api"),
        ] {
            assert_eq!(target(&network, said).as_deref(), Some(meant), "{said}");
        }
    }

    #[test]
    fn an_end_is_said_as_it_is_understood() {
        let network = small();
        for end in ["ext:laptop", "node:worker-a", "svc:default/web", "pod:shop/cart", "ip:10.0.64.9", "api"]
        {
            let again = probe(&network, "laptop", &format!("{}:80", said(end)), 0, 0);
            assert_eq!(again.map(|it| it.to).as_deref(), Ok(end));
        }
        let six = probe(&network, "laptop", &format!("{}:80", said("ip:2001:db8::1")), 0, 0);
        assert_eq!(six.map(|it| it.to).as_deref(), Ok("ip:2001:db8::1"));
    }

    #[test]
    fn an_unknown_end_says_what_could_have_been_said() {
        let error = probe(&small(), "laptpo", "api:443", 0, 0).expect_err("a typing error");
        assert_eq!((error.name.as_str(), error.role), ("laptpo", "from"));
        assert!(error.known.contains(&"laptop".to_owned()));
    }
}
