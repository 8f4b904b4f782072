//! What can be imagined of a node: another type, prefixes, other targets of the CNI; and what would be then.

use api::{
    k8s::core::v1::Node,
    kinds::cni::{IpPool, PoolMode},
};
use cluster::{ClusterId, Store, node::ipamd};
use cni::{WarmTargets, limits};

/// What can be different about the nodes of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Their type now.
    pub instance_type: &'static str,
    /// Others of its family, smallest first.
    pub family: Vec<&'static str>,
    /// Whether prefixes could be had and are not.
    pub prefixes: bool,
    /// What the CNI holds in reserve now; nothing where none answers, or where reserves do not count.
    pub targets: Option<WarmTargets>,
}

/// What can be imagined of a node; nothing of one whose addresses are not the VPC CNI's.
#[must_use]
pub fn offer(store: &Store, cluster: ClusterId, node: &str) -> Option<Offer> {
    let labels = store.get::<Node>(cluster, "", node)?.metadata.labels.as_ref()?;
    let of = limits::of(labels.get("node.kubernetes.io/instance-type")?)?;
    let pool = store.get::<IpPool>(cluster, "", node);
    // With IPv6 one prefix is all that a node ever asks for.
    let ipv6 = pool.is_some_and(|it| it.mode == PoolMode::Ipv6Prefix);
    let family = of.name.split_once('.').map_or(of.name, |it| it.0);
    let is_like = |it: &&limits::InstanceType| it.name.split_once('.').is_some_and(|it| it.0 == family);
    let mut others: Vec<&limits::InstanceType> = limits::every().iter().filter(is_like).collect();
    others.sort_by_key(|it| (it.vcpu, it.memory_mib, it.name));
    Some(Offer {
        instance_type: of.name,
        family: others.into_iter().map(|it| it.name).filter(|name| *name != of.name).collect(),
        prefixes: of.prefix_capable() && pool.is_none_or(|it| it.mode == PoolMode::SecondaryIp),
        targets: ipamd::targets_on(store, cluster, node).filter(|_| !ipv6),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Session, library,
        view::{
            Moment,
            scene::{self, Form, NodeBox, SlotState},
        },
    };
    use cluster::import::outlook::{Change, outlook};

    const CLUSTER: ClusterId = ClusterId(1);

    fn imagined(change: &Change) -> NodeBox {
        let mut session = Session::new(library::scenario("pool").expect("a fixture"), 1).expect("a session");
        for line in ["kubectl create deployment web --image=nginx --replicas=4", "lab wait idle"] {
            session.run_line(line);
        }
        let (world, before) = (session.world(), session.digest());
        let then = outlook(world, CLUSTER, change).expect("an outlook");
        let scene = scene::imagined(Moment::of(world), CLUSTER, Form::Desk, None, &then);
        assert_eq!(session.digest(), before, "nothing is committed");
        scene.nodes.into_iter().find(|it| it.id == "Node/worker-a").expect("its card")
    }

    fn count(node: &NodeBox, is: impl Fn(&SlotState) -> bool) -> usize {
        node.enis.iter().flat_map(|eni| &eni.slots).filter(|slot| is(&slot.state)).count()
    }

    #[test]
    fn with_fewer_in_reserve_an_eni_goes_and_what_stays_has_its_address() {
        let node = imagined(&Change { warm_ip: Some(1), ..Change::default() });
        assert!(node.imagined);
        assert_eq!(count(&node, |it| *it == SlotState::Warm), 1);
        assert!(node.enis.iter().flat_map(|eni| &eni.slots).all(|slot| !slot.imagined));
    }

    #[test]
    fn another_type_has_its_own_sockets_and_nobody_knows_its_addresses() {
        let to = ("t3.small".to_owned(), "m5.large".to_owned());
        let node = imagined(&Change { instance_type: Some(to), ..Change::default() });
        assert_eq!((node.max_pods, node.enis.len()), (29, 3));
        assert!(node.about.ends_with(" · m5.large"), "{}", node.about);
        let held = node.enis.iter().flat_map(|eni| &eni.slots).filter(|slot| slot.state != SlotState::Empty);
        assert!(held.into_iter().all(|slot| slot.imagined && slot.address.is_empty()));
        assert_eq!(count(&node, |it| *it == SlotState::Used), 2);
    }

    #[test]
    fn prefixes_hold_the_same_pods() {
        let node = imagined(&Change { prefix_delegation: true, ..Change::default() });
        let used: u32 = node
            .enis
            .iter()
            .flat_map(|eni| &eni.slots)
            .map(|slot| match slot.state {
                SlotState::Prefix(all) => all.used.count_ones(),
                _ => 0,
            })
            .sum();
        assert_eq!((used, node.max_pods), (2, 110));
    }

    #[test]
    fn a_type_is_offered_its_family() {
        let session = Session::new(library::scenario("pool").expect("a fixture"), 1).expect("a session");
        let offer = offer(session.world().store(), CLUSTER, "worker-a").expect("an offer");
        assert_eq!(offer.instance_type, "t3.small");
        assert_eq!(offer.family.first(), Some(&"t3.nano"));
        assert!(offer.prefixes && offer.targets.is_some_and(|it| it.warm_eni == 1));
    }
}
