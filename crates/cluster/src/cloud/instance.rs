//! How do instances come and go?
//!
//! A launch takes an address for the primary ENI at once and time until the machine runs. What runs on it is not
//! known here.

use std::{collections::BTreeMap, net::Ipv4Addr};

use api::{
    Resource,
    kinds::{
        aws::{EniOwner, Instance, InstanceState},
        cni::PoolMode,
    },
    meta::ObjectMeta,
};
use cni::limits::{self, InstanceType};

use crate::{
    AwsError, ClusterId, Store, Turn,
    cloud::{
        eni::{self, NewEni},
        id, refuse, subnet, zone,
    },
};

/// The instance with this id.
#[must_use]
pub fn get<'s>(store: &'s Store, name: &str) -> Option<&'s Instance> {
    store.get(ClusterId::WORLD, "", name)
}

/// What the type of an instance allows.
#[must_use]
pub fn limits(store: &Store, name: &str) -> Option<&'static InstanceType> {
    get(store, name).and_then(|instance| limits::of(&instance.instance_type))
}

/// What to launch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    pub instance_type: String,
    /// Name of the subnet.
    pub subnet: String,
    pub security_groups: Vec<String>,
    /// EKS cluster to join.
    pub cluster: Option<String>,
    pub nodegroup: Option<String>,
    pub user_data: BTreeMap<String, String>,
    /// Whether it is to be a spot instance.
    pub spot: bool,
}

/// Launches an instance; gives its id.
/// # Errors
/// `InvalidParameterValue` for a type that is not there, `InsufficientInstanceCapacity` in a zone that has failed,
/// `InsufficientFreeAddressesInSubnet` for a full subnet.
pub(crate) fn run(turn: &mut Turn<'_>, launch: Launch) -> Result<String, AwsError> {
    const OPERATION: &str = "RunInstances";
    if limits::of(&launch.instance_type).is_none() {
        let message = format!("Invalid value '{}' for InstanceType.", launch.instance_type);
        return Err(refuse(OPERATION, "InvalidParameterValue", message));
    }
    zone::has_capacity(turn, &launch.instance_type, &launch.subnet)
        .map_err(|message| refuse(OPERATION, zone::NO_CAPACITY, message))?;
    let new = NewEni {
        operation: OPERATION,
        subnet: &launch.subnet,
        slots: 0,
        mode: PoolMode::SecondaryIp,
        owner: EniOwner::Instance,
        security_groups: launch.security_groups.clone(),
        address: None,
        description: String::new(),
    };
    let primary = eni::create(turn, new)?;
    let private_ip = eni::get(turn.store(), &primary).map_or(Ipv4Addr::UNSPECIFIED, |eni| eni.primary_ip);
    // INVARIANT: no id comes twice while its first bearer is known: a terminated instance stays to be seen for a while.
    let name = (0..).map(|n| id(turn, "i", &primary, n)).find(|name| get(turn.store(), name).is_none());
    let name = name.unwrap_or_default();
    let public = subnet::get(turn.store(), &launch.subnet).is_some_and(|s| s.map_public_ip_on_launch);
    let public_ip = public.then(|| public_address(turn, &name));
    let now = turn.now();
    let instance = Instance {
        metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
        instance_type: launch.instance_type,
        subnet: launch.subnet,
        private_ip,
        public_ip,
        state: InstanceState::Pending,
        since: now,
        node: None,
        cluster: launch.cluster,
        nodegroup: launch.nodegroup,
        launched_at: now,
        user_data: launch.user_data,
        drain: None,
        spot: launch.spot,
        rebalance_recommended: None,
        interruption_notice: None,
        impaired_since: None,
        state_reason: None,
        left_group: false,
    };
    turn.put(instance.into_object());
    eni::attach(turn, &primary, &name, 0)?;
    eni::attached(turn, &primary);
    Ok(name)
}

/// An address of AWS's public range in Seoul, drawn for its owner.
/// Source: ip-ranges.json, 3.34.0.0/15 of ap-northeast-2.
pub(crate) fn public_address(turn: &Turn<'_>, owner: &str) -> Ipv4Addr {
    let drawn = crate::draw::draw(turn.world().seed(), "public-ip", owner, 0);
    let [_, a, b, c] = u32::try_from(drawn & 0x01ff_ffff).unwrap_or_default().to_be_bytes();
    Ipv4Addr::new(3, 34 + (a & 1), b, c.max(1))
}

/// Asks an instance to stop, or to go for good.
pub(crate) fn shut_down(turn: &mut Turn<'_>, name: &str, for_good: bool) {
    let Some(instance) = get(turn.store(), name) else { return };
    let to = match (instance.state, for_good) {
        (InstanceState::Terminated | InstanceState::ShuttingDown, _) | (InstanceState::Stopped, false) => {
            return;
        }
        (_, true) => InstanceState::ShuttingDown,
        (_, false) => InstanceState::Stopping,
    };
    let mut going = instance.clone();
    going
        .state_reason
        .get_or_insert_with(|| "Client.UserInitiatedShutdown: User initiated shutdown".to_owned());
    turn.put(going.into_object());
    enter(turn, name, to);
}

/// Starts a stopped instance again.
pub(crate) fn start(turn: &mut Turn<'_>, name: &str) {
    if get(turn.store(), name).is_some_and(|it| it.state == InstanceState::Stopped) {
        enter(turn, name, InstanceState::Pending);
    }
}

/// Enters a state of its life. Whoever terminates loses its ENIs.
pub(crate) fn enter(turn: &mut Turn<'_>, name: &str, state: InstanceState) {
    let Some(mut instance) = get(turn.store(), name).cloned() else { return };
    if state == InstanceState::Pending {
        instance.state_reason = None;
    }
    instance.state = state;
    instance.since = turn.now();
    turn.put(instance.into_object());
    if state == InstanceState::Terminated {
        let store = turn.store();
        let own = eni::of_instance(store, name);
        // MODEL: the controller deletes branches a minute after their node, EC2 no trunk before them; here all go at once.
        let branches = own.iter().filter(|eni| eni.trunk).flat_map(|trunk| eni::branches(store, trunk));
        let enis: Vec<String> =
            own.iter().copied().chain(branches).filter_map(|eni| eni.metadata.name.clone()).collect();
        for eni in enis {
            eni::delete(turn, &eni);
        }
    }
}
