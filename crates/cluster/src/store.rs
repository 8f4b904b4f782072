//! What is there now?
//!
//! One store for Kubernetes objects, AWS resources and address pools alike; there is no second place for state.
//! It is a persistent map: a clone costs nothing, so checkpoints and what-ifs are clones.

use std::{cmp::Ordering, rc::Rc};

use api::{
    Kind, Object, Resource, Scope,
    digest::Digest,
    k8s::core::v1::Pod,
    kinds::{
        aws::{Eni, Instance, Subnet},
        sim::Sandbox,
    },
};
use equivalent::{Comparable, Equivalent};
use imbl::{GenericOrdMap, GenericOrdSet, shared_ptr::RcK};
use smol_str::SmolStr;

use crate::{
    crew::{Crews, Look},
    holdings::{Held, Holdings},
    node::ipamd::is_aws_node,
};

/// Which part of the store: the world itself, or one of its Kubernetes clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub u16);

impl ClusterId {
    /// The AWS account and what lies around it.
    pub const WORLD: Self = Self(0);
}

/// Where an object stands in the store. Sorted as etcd sorts: by kind, then namespace, then name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Whose part of the store.
    pub cluster: ClusterId,
    /// Which kind.
    pub kind: Kind,
    /// Empty where the kind has none. Of what AWS names within a cluster (node groups, Fargate profiles): that cluster's name.
    pub namespace: SmolStr,
    /// The object's name.
    pub name: SmolStr,
}

impl Key {
    /// The key of an object of `kind`; what its scope does not need is dropped.
    #[must_use]
    pub fn new(cluster: ClusterId, kind: Kind, namespace: &str, name: &str) -> Self {
        let kind = kind.stored();
        let (cluster, namespace) = scoped(cluster, kind, namespace);
        Self { cluster, kind, namespace: namespace.into(), name: name.into() }
    }

    /// The key under which `object` stands in `cluster`.
    #[must_use]
    pub fn of(cluster: ClusterId, object: &Object) -> Self {
        Self::new(cluster, object.kind(), object.namespace(), object.name())
    }
}

/// A key that is only looked for.
struct Sought<'k> {
    cluster: ClusterId,
    kind: Kind,
    namespace: &'k str,
    name: &'k str,
}

impl<'k> Sought<'k> {
    /// As [`Key::new`].
    fn new(cluster: ClusterId, kind: Kind, namespace: &'k str, name: &'k str) -> Self {
        let (cluster, namespace) = scoped(cluster, kind, namespace);
        Self { cluster, kind, namespace, name }
    }
}

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.compare(key).is_eq()
    }
}

impl Comparable<Key> for Sought<'_> {
    fn compare(&self, key: &Key) -> Ordering {
        (self.cluster, self.kind, self.namespace, self.name).cmp(&(
            key.cluster,
            key.kind,
            &*key.namespace,
            &*key.name,
        ))
    }
}

/// Cluster and namespace as the kind's scope has them.
fn scoped(cluster: ClusterId, kind: Kind, namespace: &str) -> (ClusterId, &str) {
    match kind.info().scope {
        Scope::World => (ClusterId::WORLD, namespace),
        Scope::Cluster => (cluster, ""),
        Scope::Namespaced => (cluster, namespace),
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            write!(out, "{}/{}", self.kind.info().kind, self.name)
        } else {
            write!(out, "{}/{}/{}", self.kind.info().kind, self.namespace, self.name)
        }
    }
}

/// One write.
#[derive(Clone, Debug)]
pub struct Change {
    /// What was written.
    pub key: Key,
    /// As it was; `None` if it is new.
    pub before: Option<Rc<Object>>,
    /// As it is; `None` if it is gone.
    pub after: Option<Rc<Object>>,
    /// The store's revision after this write.
    pub revision: u64,
}

/// By what else than its key an object is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// The uid of one of its owners.
    Owner,
    /// The namespace of a pod that nobody manages.
    Orphan,
    /// The node that a pod is bound to, or that an instance is.
    Node,
    /// The node that a sandbox is on.
    Sandbox,
    /// The node that a pod of aws-node is bound to.
    AwsNode,
    /// The instance that an ENI belongs to.
    Instance,
    /// The subnet that an ENI stands in.
    Subnet,
    /// The uid of the object an event is about.
    Involved,
}

type Index = GenericOrdSet<(ClusterId, By, Rc<str>, Key), RcK>;

/// All state.
#[derive(Clone, Debug, Default)]
pub struct Store {
    objects: GenericOrdMap<Key, Rc<Object>, RcK>,
    // INVARIANT: exactly `entries` of every object; rebuilt from scratch in a test.
    index: Index,
    crews: Crews,
    holdings: Holdings,
    revision: u64,
}

/// What `object` is indexed under.
fn entries(object: &Object) -> Vec<(By, &str)> {
    let owners = object.meta().owner_references.iter().flatten();
    let mut entries: Vec<_> = owners.map(|owner| (By::Owner, owner.uid.as_str())).collect();
    match object {
        Object::Pod(pod) => {
            if !pod.metadata.owner_references.iter().flatten().any(|owner| owner.controller == Some(true)) {
                entries.push((By::Orphan, object.namespace()));
            }
            let node = pod.spec.as_ref().and_then(|s| s.node_name.as_deref());
            entries.extend(node.map(|node| (By::Node, node)));
            entries.extend(node.filter(|_| is_aws_node(pod)).map(|node| (By::AwsNode, node)));
        }
        Object::Sandbox(sandbox) => entries.push((By::Sandbox, sandbox.node.as_str())),
        Object::Event(event) => {
            entries.extend(event.involved_object.uid.as_deref().map(|uid| (By::Involved, uid)));
        }
        Object::Eni(eni) => {
            entries.extend(eni.instance.as_deref().map(|instance| (By::Instance, instance)));
            entries.push((By::Subnet, eni.subnet.as_str()));
        }
        Object::Instance(instance) => {
            entries.extend(instance.node.as_deref().map(|node| (By::Node, node)));
        }
        _ => {}
    }
    entries
}

impl Store {
    /// Number of writes so far; the `resourceVersion` of the newest.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The object at `key`.
    #[must_use]
    pub fn object(&self, key: &Key) -> Option<&Rc<Object>> {
        self.objects.get(key)
    }

    /// The object of type `R` with this name.
    #[must_use]
    pub fn get<R: Resource>(&self, cluster: ClusterId, namespace: &str, name: &str) -> Option<&R> {
        self.objects.get(&Sought::new(cluster, R::KIND, namespace, name)).and_then(|o| R::of(o))
    }

    /// All objects of a kind, by namespace and name; one namespace or all.
    pub fn objects<'s>(
        &'s self,
        cluster: ClusterId,
        kind: Kind,
        namespace: Option<&'s str>,
    ) -> impl Iterator<Item = (&'s Key, &'s Rc<Object>)> {
        let start = Key::new(cluster, kind, namespace.unwrap_or_default(), "");
        let end = start.clone();
        self.objects
            .range(start..)
            .take_while(move |(key, _)| key.cluster == end.cluster && key.kind == end.kind)
            .take_while(move |(key, _)| {
                namespace.is_none_or(|n| *key.namespace == *n || key.namespace.is_empty())
            })
    }

    /// All objects of type `R`, by namespace and name; one namespace or all.
    pub fn list<'s, R: Resource + 's>(
        &'s self,
        cluster: ClusterId,
        namespace: Option<&'s str>,
    ) -> impl Iterator<Item = &'s R> {
        self.objects(cluster, R::KIND, namespace).filter_map(|(_, object)| R::of(object))
    }

    fn by<'s>(
        &'s self,
        cluster: ClusterId,
        by: By,
        value: &str,
    ) -> impl Iterator<Item = (&'s Key, &'s Rc<Object>)> {
        let value: Rc<str> = value.into();
        let first =
            Key { cluster: ClusterId(0), kind: Kind::EVERY[0], namespace: "".into(), name: "".into() };
        self.index
            .range((cluster, by, Rc::clone(&value), first)..)
            .take_while(move |(c, b, v, _)| (*c, *b) == (cluster, by) && *v == value)
            .filter_map(|(_, _, _, key)| Some((key, self.objects.get(key)?)))
    }

    /// The objects that name `uid` as an owner, in key order.
    pub fn owned_by(&self, cluster: ClusterId, uid: &str) -> impl Iterator<Item = (&Key, &Rc<Object>)> {
        self.by(cluster, By::Owner, uid)
    }

    /// How many active pods the controller with this uid has; those that look alike are counted together.
    pub(crate) fn crew(&self, cluster: ClusterId, uid: &str) -> Rc<Vec<Look>> {
        self.crews.of(cluster, uid)
    }

    /// What is taken of a subnet; `None` of one that is not there.
    pub(crate) fn held(&self, subnet: &str) -> Option<&Rc<Held>> {
        self.holdings.get(subnet)
    }

    /// The pods of a namespace that nobody manages, by name.
    pub fn orphan_pods(&self, cluster: ClusterId, namespace: &str) -> impl Iterator<Item = &Pod> {
        self.by(cluster, By::Orphan, namespace).filter_map(|(_, object)| Pod::of(object))
    }

    /// The pods bound to a node, by namespace and name.
    pub fn pods_on(&self, cluster: ClusterId, node: &str) -> impl Iterator<Item = &Pod> {
        self.by(cluster, By::Node, node).filter_map(|(_, object)| Pod::of(object))
    }

    /// The pods of aws-node that are bound to a node.
    pub(crate) fn aws_nodes_on(&self, cluster: ClusterId, node: &str) -> impl Iterator<Item = &Pod> {
        self.by(cluster, By::AwsNode, node).filter_map(|(_, object)| Pod::of(object))
    }

    /// The sandboxes on a node, by namespace and name.
    pub fn sandboxes_on(&self, cluster: ClusterId, node: &str) -> impl Iterator<Item = &Sandbox> {
        self.by(cluster, By::Sandbox, node).filter_map(|(_, object)| Sandbox::of(object))
    }

    /// The instance that is a node of that name, of whichever cluster.
    pub fn instances_of(&self, node: &str) -> impl Iterator<Item = &Instance> {
        self.by(ClusterId::WORLD, By::Node, node).filter_map(|(_, object)| Instance::of(object))
    }

    /// The ENIs of an instance, by name.
    pub fn enis_of(&self, instance: &str) -> impl Iterator<Item = &Eni> {
        self.by(ClusterId::WORLD, By::Instance, instance).filter_map(|(_, object)| Eni::of(object))
    }

    /// The ENIs that stand in a subnet, by name.
    pub fn enis_in(&self, subnet: &str) -> impl Iterator<Item = &Eni> {
        self.by(ClusterId::WORLD, By::Subnet, subnet).filter_map(|(_, object)| Eni::of(object))
    }

    /// The events about the object with this uid, by namespace and name.
    pub fn events_about(&self, cluster: ClusterId, uid: &str) -> impl Iterator<Item = (&Key, &Rc<Object>)> {
        self.by(cluster, By::Involved, uid)
    }

    fn reindex(&mut self, key: &Key, before: Option<&Object>, after: Option<&Object>) {
        if key.kind == Kind::Pod {
            self.crews.apply(key.cluster, before, after);
        }
        self.index(key, before, after);
        match key.kind {
            Kind::Subnet => self.hold(&key.name),
            Kind::Eni => {
                let (before, after) = (before.and_then(Eni::of), after.and_then(Eni::of));
                if !after.is_some_and(|after| self.holdings.grow(before, after)) {
                    [before, after].into_iter().flatten().for_each(|eni| self.hold(&eni.subnet));
                }
            }
            _ => {}
        }
    }

    /// Counts what is taken of a subnet.
    fn hold(&mut self, subnet: &str) {
        let found = self.get::<Subnet>(ClusterId::WORLD, "", subnet);
        let held = found.map(|it| Held::of(it, self.enis_in(subnet)));
        self.holdings.set(subnet, held);
    }

    fn index(&mut self, key: &Key, before: Option<&Object>, after: Option<&Object>) {
        let (before, after) = (before.map_or_else(Vec::new, entries), after.map_or_else(Vec::new, entries));
        if before == after {
            return;
        }
        for (by, value) in before {
            self.index.remove(&(key.cluster, by, value.into(), key.clone()));
        }
        for (by, value) in after {
            self.index.insert((key.cluster, by, value.into(), key.clone()));
        }
    }

    /// Everything, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Rc<Object>)> {
        self.objects.iter()
    }

    /// Writes an object and stamps it with the new revision; the object as written, and the write.
    pub fn put(&mut self, cluster: ClusterId, mut object: Object) -> (Rc<Object>, Change) {
        self.revision += 1;
        object.meta_mut().resource_version = Some(self.revision.to_string());
        let key = Key::of(cluster, &object);
        let after = Rc::new(object);
        let before = self.objects.insert(key.clone(), Rc::clone(&after));
        self.reindex(&key, before.as_deref(), Some(&after));
        let change = Change { key, before, after: Some(Rc::clone(&after)), revision: self.revision };
        (after, change)
    }

    /// Puts a recorded object in place as it is, with the version it had, or a new one where none was recorded.
    pub fn restore(&mut self, cluster: ClusterId, mut object: Object) -> Change {
        let version = object.meta().resource_version.as_deref().and_then(|v| v.parse().ok());
        self.revision = self.revision.max(version.unwrap_or(0)) + u64::from(version.is_none());
        if version.is_none() {
            object.meta_mut().resource_version = Some(self.revision.to_string());
        }
        let key = Key::of(cluster, &object);
        let after = Rc::new(object);
        let before = self.objects.insert(key.clone(), Rc::clone(&after));
        self.reindex(&key, before.as_deref(), Some(&after));
        Change { key, before, after: Some(after), revision: self.revision }
    }

    /// Removes an object; `None` if it was not there.
    pub fn remove(&mut self, key: &Key) -> Option<Change> {
        let before = self.objects.remove(key)?;
        self.reindex(key, Some(&before), None);
        self.revision += 1;
        Some(Change { key: key.clone(), before: Some(before), after: None, revision: self.revision })
    }

    /// Repeats a write that another store has seen, as it was: how a store is rolled forward by facts.
    pub fn replay(&mut self, change: &Change) {
        let before = match &change.after {
            Some(object) => self.objects.insert(change.key.clone(), Rc::clone(object)),
            None => self.objects.remove(&change.key),
        };
        self.reindex(&change.key, before.as_deref(), change.after.as_deref());
        self.revision = change.revision;
    }

    /// Adds every object's bytes, in key order.
    pub fn digest(&self, digest: &mut Digest) {
        digest.number(self.revision);
        for (key, object) in &self.objects {
            digest.number(u64::from(key.cluster.0)).bytes(object.to_value().to_string().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::k8s::core::v1::Pod;

    fn pod(namespace: &str, name: &str) -> Object {
        let mut pod = Pod::default();
        pod.metadata.namespace = Some(namespace.to_owned());
        pod.metadata.name = Some(name.to_owned());
        pod.into_object()
    }

    #[test]
    fn a_list_is_one_kind_of_one_namespace_in_name_order() {
        let mut store = Store::default();
        for (namespace, name) in [("b", "x"), ("a", "z"), ("a", "y")] {
            store.put(ClusterId(1), pod(namespace, name));
        }
        store.put(ClusterId(2), pod("a", "other-cluster"));
        let names = |ns| {
            store.objects(ClusterId(1), Kind::Pod, ns).map(|(k, _)| k.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(Some("a")), ["y", "z"]);
        assert_eq!(names(None), ["y", "z", "x"]);
    }

    #[test]
    fn what_is_counted_equals_a_count_from_scratch() {
        let mut store = Store::default();
        for step in 0..200_u64 {
            let draw = crate::draw::draw(1, "step", "", step);
            let mut object = pod("a", &format!("p{}", draw % 5));
            if let Object::Pod(pod) = &mut object {
                pod.spec.get_or_insert_default().node_name =
                    (draw & 8 != 0).then(|| format!("n{}", draw % 3));
                let owner = serde_json::json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "s", "controller": true,
                    "uid": format!("u{}", (draw >> 8) % 2)}]);
                pod.metadata.owner_references = serde_json::from_value(owner).ok().filter(|_| draw & 64 != 0);
                let labels = [("app".to_owned(), format!("l{}", (draw >> 10) % 2))];
                pod.metadata.labels = Some(labels.into()).filter(|_| draw & 128 != 0);
                let ready = serde_json::json!({"phase": if draw & 4096 != 0 { "Running" } else { "Failed" },
                    "conditions": [{"type": "Ready", "status": if draw & 8192 != 0 { "True" } else { "False" }}]});
                pod.status = serde_json::from_value(ready).ok();
            }
            if draw & 48 == 0 {
                store.remove(&Key::of(ClusterId(1), &object));
            } else {
                store.put(ClusterId(1), object);
            }
            let (mut fresh, mut crews) = (Index::new(), Crews::default());
            for (key, object) in &store.objects {
                crews.apply(key.cluster, None, Some(object));
                for (by, value) in entries(object) {
                    fresh.insert((key.cluster, by, value.into(), key.clone()));
                }
            }
            assert_eq!(store.index, fresh);
            for uid in ["u0", "u1"] {
                let counted = |crews: &Crews| {
                    let mut looks = Vec::clone(&crews.of(ClusterId(1), uid));
                    looks.sort_by(|a, b| a.labels.cmp(&b.labels));
                    looks
                };
                assert_eq!(counted(&store.crews), counted(&crews));
            }
        }
    }

    #[test]
    fn what_is_held_of_a_subnet_equals_a_count_from_scratch() {
        let subnet = |name: &str| {
            let body = serde_json::json!({"metadata": {"name": name}, "vpc": "v", "cidr": "10.0.0.0/26",
                "availabilityZone": "a", "mapPublicIpOnLaunch": false, "routeTable": "", "reservations": []});
            serde_json::from_value::<Subnet>(body).expect("a subnet").into_object()
        };
        let mut store = Store::default();
        store.put(ClusterId::WORLD, subnet("s0"));
        for step in 0..300_u64 {
            let draw = crate::draw::draw(2, "step", "", step);
            let ip = |shift: u32| std::net::Ipv4Addr::new(10, 0, 0, ((draw >> shift) % 64) as u8);
            let eni = Eni {
                metadata: api::meta::ObjectMeta {
                    name: Some(format!("e{}", draw % 4)),
                    ..Default::default()
                },
                subnet: format!("s{}", (draw >> 4) % 2),
                primary_ip: ip(8),
                secondary_ips: (0..(draw >> 16) % 4).map(|n| ip(20 + 2 * n as u32)).collect(),
                prefixes: if draw & 64 != 0 {
                    vec!["10.0.0.32/28".parse().expect("a block")]
                } else {
                    Vec::new()
                },
                ipv6_address: None,
                ipv6_prefix: None,
                security_groups: Vec::new(),
                owner: api::kinds::aws::EniOwner::Instance,
                trunk: false,
                branch: None,
                instance: None,
                device_index: 0,
                attachment: api::kinds::aws::Attachment::Attached,
                created_at: api::SimTime(0),
                since: api::SimTime(0),
            };
            let object = eni.into_object();
            match draw % 7 {
                0 => drop(store.remove(&Key::of(ClusterId::WORLD, &object))),
                1 => drop(store.put(ClusterId::WORLD, subnet("s1"))),
                2 => drop(store.remove(&Key::of(ClusterId::WORLD, &subnet("s1")))),
                _ => drop(store.put(ClusterId::WORLD, object)),
            }
            for name in ["s0", "s1"] {
                let found = store.get::<Subnet>(ClusterId::WORLD, "", name);
                let counted = found.map(|it| Held::of(it, store.enis_in(name)));
                assert_eq!(store.held(name).map(|held| &**held), counted.as_ref(), "step {step}");
            }
        }
    }

    #[test]
    fn a_clone_does_not_see_later_writes() {
        let mut store = Store::default();
        let before = store.clone();
        store.put(ClusterId(1), pod("a", "x"));
        assert!(before.get::<Pod>(ClusterId(1), "a", "x").is_none());
        assert!(store.get::<Pod>(ClusterId(1), "a", "x").is_some());
    }
}
