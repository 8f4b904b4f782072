//! What does a node's address pool hold, how did it come to that, and where does the node's limit of pods come from?

use std::rc::Rc;

use api::{
    Object, SimTime,
    kinds::{
        aws::Subnet,
        cni::{IpPool, PoolBlock, PoolMode},
    },
};
use cluster::{
    Change, ClusterId, Fact, What, cloud,
    node::ipamd::{self, NextRound},
};
use cni::{
    limits::InstanceType,
    max_pods::{ADDRESSES_PER_PREFIX, Flags, recommended},
};

use ipnet::IpNet;

use super::{Moment, scene::NodeBox};

/// Where a node's limit of pods comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formula {
    /// The node's type.
    pub instance_type: &'static str,
    /// ENIs whose addresses pods get: all that the type takes, under custom networking all but the primary one.
    pub enis: u32,
    /// Addresses on each.
    pub addresses: u32,
    /// Addresses in each slot: 16 where the limit was set for prefixes.
    pub per_slot: u32,
    /// Pods on the node's own network, by the formula.
    pub host: u32,
    /// What comes out.
    pub sum: u32,
    /// What the calculator makes of it: never more than 110, or 250 on large types.
    pub result: u32,
    /// The node's own limit, which may differ.
    pub limit: u32,
    /// Pods there now, and how many of them use the node's own network.
    pub pods: u32,
    /// Those on the node's own network.
    pub host_pods: u32,
}

/// A term of the formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// How many ENIs.
    Enis,
    /// How many addresses each has.
    Addresses,
    /// Each one's own.
    Own,
    /// Addresses in a slot.
    PerSlot,
    /// Pods that need no address.
    Host,
    /// The most that is recommended.
    Most,
}

impl Formula {
    /// Of a node with so many pods, some of them on its own network.
    pub(super) fn of(instance: &InstanceType, pool: &IpPool, limit: u32, pods: u32, host_pods: u32) -> Self {
        let flags = |prefix_delegation| Flags {
            prefix_delegation,
            custom_networking: pool.custom_networking,
            ..Flags::default()
        };
        // The kubelet's limit is set as the node starts: a change of mode comes too late for it.
        let prefixes =
            pool.mode != PoolMode::SecondaryIp && limit > recommended(instance, flags(false)) && limit > 0;
        let all = |prefixes| recommended(instance, Flags { show_max_allowed: true, ..flags(prefixes) });
        let enis = instance.enis.saturating_sub(u32::from(pool.custom_networking));
        let (sum, result) = (all(prefixes), recommended(instance, flags(prefixes)));
        let per_slot = if prefixes { ADDRESSES_PER_PREFIX } else { 1 };
        let addresses = instance.ipv4_per_eni;
        let host = sum - enis * addresses.saturating_sub(1) * per_slot;
        Self {
            instance_type: instance.name,
            enis,
            addresses,
            per_slot,
            host,
            sum,
            result,
            limit,
            pods,
            host_pods,
        }
    }

    /// What a term counts, on the node's card.
    #[must_use]
    pub fn counted(&self, term: Term, node: &NodeBox) -> Vec<String> {
        let enis = node.enis.iter().skip(node.enis.len().saturating_sub(self.enis as usize));
        let slots = |own: bool| {
            let of = |slots: &[super::scene::SlotMark]| match own {
                true => slots.iter().take(1).map(|it| it.id.clone()).collect::<Vec<_>>(),
                false => slots.iter().map(|it| it.id.clone()).collect(),
            };
            enis.clone().flat_map(|eni| of(&eni.slots)).collect()
        };
        match term {
            Term::Enis => enis.map(|eni| eni.id.clone()).collect(),
            Term::Addresses => slots(false),
            Term::Own => slots(true),
            Term::PerSlot => enis.flat_map(|eni| eni.slots.iter().skip(1).map(|it| it.id.clone())).collect(),
            Term::Host => node.host.iter().map(|pod| pod.id.clone()).collect(),
            Term::Most => vec![node.id.clone()],
        }
    }
}

/// The address pool of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its numbers.
    pub figures: cni::PoolFigures,
    /// Addresses of its ENIs from before the mode was changed, which no new pod gets.
    pub stale: u32,
    /// ENIs that the type takes.
    pub max_enis: u32,
    /// The device number of each ENI that ipamd knows, by name.
    pub devices: Vec<(String, u32)>,
    /// What its ipamd will do next, and why; none where none answers.
    pub next: Option<NextRound>,
    /// The last thing that its ipamd could not do, as its log says it.
    pub error: Option<String>,
    /// How it came to be as it is, if that was asked for.
    pub history: Option<History>,
}

impl Pool {
    /// The pool at a moment, on a node that takes so many ENIs.
    pub(super) fn of(moment: Moment<'_>, cluster: ClusterId, pool: &IpPool, max_enis: u32) -> Self {
        let figures = cni::figures(pool, pool.cooldown, moment.now);
        let all = pool.enis.iter().filter(|eni| !eni.excluded).flat_map(|eni| &eni.blocks);
        let of = |block: &PoolBlock| match block.cidr {
            IpNet::V4(cidr) => 1 << (32 - cidr.prefix_len()),
            IpNet::V6(_) => 0,
        };
        let held: u32 = all.map(of).sum();
        Self {
            stale: held.saturating_sub(figures.attached),
            figures,
            max_enis,
            devices: pool.enis.iter().map(|eni| (eni.name.clone(), eni.device_index)).collect(),
            next: ipamd::next_round(moment.store, cluster, &pool.node, moment.now),
            error: pool.error.clone(),
            history: None,
        }
    }

    /// An ENI as the node calls it: `eth1`.
    #[must_use]
    pub fn device(&self, eni: &str) -> String {
        let device = self.devices.iter().find(|(name, _)| name == eni);
        device.map_or_else(|| eni.to_owned(), |(_, index)| format!("eth{index}"))
    }
}

/// A pool and its subnet over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The subnet's block.
    pub subnet: String,
    /// Every state that lasted, oldest first; the last is the one now.
    pub samples: Vec<Sample>,
    /// The end of time: the last sample lasts until then.
    pub until: SimTime,
}

/// A pool and its subnet from a moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// From when on.
    pub at: SimTime,
    /// Addresses that pods have.
    pub used: u32,
    /// Addresses of the pool.
    pub attached: u32,
    /// Free addresses of the subnet.
    pub free: u32,
}

/// What a node's pool was from a moment on, from what happened: the state now, walked back change by change. Nothing where
/// nothing changed.
#[must_use]
pub fn history<'f>(
    moment: Moment<'_>,
    cluster: ClusterId,
    node: &str,
    since: SimTime,
    facts: impl DoubleEndedIterator<Item = &'f Rc<Fact>>,
) -> Option<History> {
    let store = moment.store;
    // One /80 is held from the first to the last moment: there is nothing to draw.
    let pool = store.get::<IpPool>(cluster, "", node).filter(|it| it.mode != PoolMode::Ipv6Prefix)?;
    let home = store.instances_of(node).next()?.subnet.as_str();
    let subnet = store.get::<Subnet>(ClusterId::WORLD, "", home)?;
    let count = |pool: &IpPool| {
        let figures = cni::figures(pool, pool.cooldown, moment.now);
        (figures.used, figures.attached)
    };
    let mut state = (count(pool), i64::from(cloud::subnet::free(store, subnet)));
    let mut samples: Vec<Sample> = Vec::new();
    let sample = |at, ((used, attached), free): ((u32, u32), i64)| Sample {
        at,
        used,
        attached,
        free: u32::try_from(free).unwrap_or(0),
    };
    for fact in facts.rev().skip_while(|it| it.at > moment.now).take_while(|it| it.at > since) {
        let What::Changed(change) = &fact.what else { continue };
        let before = match before(change, cluster, node, home) {
            Some(Before::Pool(pool)) => (count(pool), state.1),
            Some(Before::Enis(more)) => (state.0, state.1 + more),
            None => continue,
        };
        if before != state && samples.last().is_none_or(|it| it.at != fact.at) {
            samples.push(sample(fact.at, state));
        }
        state = before;
    }
    samples.push(sample(since, state));
    samples.reverse();
    samples.dedup_by(|next, one| Sample { at: one.at, ..*next } == *one);
    (samples.len() > 1).then(|| History {
        subnet: subnet.cidr.to_string(),
        samples,
        until: moment.now.max(since),
    })
}

/// What a change says of the time before it.
enum Before<'c> {
    /// The pool was this.
    Pool(&'c IpPool),
    /// The subnet had so many more free addresses.
    Enis(i64),
}

fn before<'c>(change: &'c Change, cluster: ClusterId, node: &str, subnet: &str) -> Option<Before<'c>> {
    let (was, is) = (change.before.as_deref(), change.after.as_deref());
    match was.or(is)? {
        Object::IpPool(it) if it.node == node && change.key.cluster == cluster => {
            was.is_some().then_some(Before::Pool(it))
        }
        Object::Eni(it) if it.subnet == subnet => {
            let held = |it: Option<&Object>| match it {
                Some(Object::Eni(eni)) => i64::from(cloud::eni::addresses(eni)),
                _ => 0,
            };
            Some(Before::Enis(held(is) - held(was)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Session, library,
        view::scene::{Form, scene},
    };

    const CLUSTER: ClusterId = ClusterId(1);

    fn session(fixture: &str, lines: &[&str]) -> Session {
        let scenario = library::scenario(fixture).expect("a fixture");
        let mut session = Session::new(scenario, 1).expect("a session");
        lines.iter().for_each(|line| drop(session.run_line(line)));
        session
    }

    #[test]
    fn history_ends_as_it_is_and_begins_as_it_was() {
        let start = session("pool", &[]).head();
        let session =
            session("pool", &["kubectl create deployment web --image=nginx --replicas=4", "lab wait idle"]);
        let moment = Moment::of(session.world());
        let found = history(moment, CLUSTER, "worker-a", start, session.facts().iter()).expect("a history");
        let ends = |it: &Sample| (it.used, it.attached, it.free);
        assert_eq!(ends(&found.samples[0]), (0, 3, 23));
        assert_eq!(ends(found.samples.last().expect("a last")), (2, 6, 19));
        assert!(found.samples.is_sorted_by_key(|it| it.at));
    }

    #[test]
    fn terms_count_what_is_on_the_card() {
        let session = session("pool", &[]);
        let moment = Moment::of(session.world());
        let scene = scene(moment, CLUSTER, Form::Desk, None);
        let node = scene.nodes.iter().find(|it| it.id == "Node/worker-a").expect("its card");
        let pool = moment.store.get::<IpPool>(CLUSTER, "", "worker-a").expect("a pool");
        let of = cni::limits::of("t3.small").expect("a type");
        let formula = Formula::of(of, pool, 11, 2, 2);
        assert_eq!((formula.sum, formula.host, formula.per_slot), (11, 2, 1));
        let count = |term| formula.counted(term, node).len();
        assert_eq!((count(Term::Enis), count(Term::Own), count(Term::Host)), (3, 1, 2));
    }

    #[test]
    fn a_limit_for_prefixes_says_so() {
        let of = cni::limits::of("t3.small").expect("a type");
        let pool = IpPool { mode: PoolMode::Prefix, ..IpPool::default() };
        let formula = Formula::of(of, &pool, 110, 2, 2);
        assert_eq!((formula.per_slot, formula.sum, formula.result), (16, 146, 110));
        assert_eq!(Formula::of(of, &pool, 11, 2, 2).per_slot, 1);
    }
}
