//! How do NAT gateways and Elastic IP addresses come and go?
//!
//! A NAT gateway is an ENI in its subnet, with an Elastic IP address in front of it.
//! Source: the Amazon EC2 API reference (`CreateNatGateway`, `AllocateAddress`), the VPC user guide (NAT gateways).
//! MODEL: public ones only, in one zone; what fails is refused at once, where EC2 makes a gateway in state `failed`.

use api::{
    Kind, Resource,
    kinds::{
        aws::{ElasticIp, Eni, EniOwner, InternetGateway, NatGateway, NatGatewayState},
        cni::PoolMode,
    },
    meta::ObjectMeta,
};

use crate::{
    AwsError, ClusterId, Key, Store, Turn,
    cloud::{
        eni::{self, NewEni},
        id, instance, refuse, subnet,
    },
};

/// Takes a public address; gives its allocation's id.
pub(crate) fn allocate(turn: &mut Turn<'_>, metadata: impl Fn(&str) -> ObjectMeta) -> String {
    let name = (0..).map(|n| id(turn, "eipalloc", "", n)).find(|id| turn.get::<ElasticIp>("", id).is_none());
    let name = name.unwrap_or_default();
    let public_ip = instance::public_address(turn, &name);
    turn.put(ElasticIp { metadata: metadata(&name), public_ip, eni: None }.into_object());
    name
}

/// The Elastic IP address of that name.
/// # Errors
/// `InvalidAllocationID.NotFound`.
pub(crate) fn address<'t>(
    turn: &'t Turn<'_>,
    name: &str,
    operation: &str,
) -> Result<&'t ElasticIp, AwsError> {
    let message = || format!("The allocation ID '{name}' does not exist");
    let found = turn.get::<ElasticIp>("", name);
    found.ok_or_else(|| refuse(operation, "InvalidAllocationID.NotFound", message()))
}

/// The ENI of a NAT gateway.
#[must_use]
pub fn eni_of<'s>(store: &'s Store, nat: &NatGateway) -> Option<&'s Eni> {
    eni::described(store, &nat.subnet, &description(nat.metadata.name.as_deref().unwrap_or_default()))
}

fn description(name: &str) -> String {
    format!("Interface for NAT Gateway {name}")
}

/// Makes a NAT gateway in a subnet.
/// # Errors
/// `InvalidSubnetID.NotFound`, `InvalidAllocationID.NotFound`, `Resource.AlreadyAssociated`, `Gateway.NotAttached`,
/// `InsufficientFreeAddressesInSubnet`.
pub(crate) fn create(
    turn: &mut Turn<'_>,
    name: &str,
    metadata: ObjectMeta,
    subnet: &str,
    allocation: &str,
    state: NatGatewayState,
) -> Result<(), AwsError> {
    const OPERATION: &str = "CreateNatGateway";
    let vpc = subnet::asked_for(turn.store(), subnet, OPERATION)?.vpc.clone();
    let elastic = address(turn, allocation, OPERATION)?.clone();
    if elastic.eni.is_some() {
        let message = format!("Elastic IP address [{allocation}] is already associated");
        return Err(refuse(OPERATION, "Resource.AlreadyAssociated", message));
    }
    if !turn.list::<InternetGateway>(None).any(|gateway| gateway.vpc == vpc) {
        let message = format!("Network {vpc} has no Internet gateway attached");
        return Err(refuse(OPERATION, "Gateway.NotAttached", message));
    }
    let new = NewEni {
        operation: OPERATION,
        subnet,
        slots: 0,
        mode: PoolMode::SecondaryIp,
        owner: EniOwner::Nat,
        security_groups: Vec::new(),
        address: None,
        description: description(name),
    };
    let eni = eni::create(turn, new)?;
    let nat = NatGateway {
        metadata,
        subnet: subnet.to_owned(),
        public_ip: elastic.public_ip,
        allocation: allocation.to_owned(),
        state,
        created_at: turn.now(),
        since: turn.now(),
    };
    turn.put(ElasticIp { eni: Some(eni), ..elastic }.into_object());
    turn.put(nat.into_object());
    Ok(())
}

/// EC2's word for where it is in its life.
#[must_use]
pub fn state(nat: &NatGateway) -> &'static str {
    match nat.state {
        NatGatewayState::Pending => "pending",
        NatGatewayState::Available => "available",
        NatGatewayState::Deleting => "deleting",
        NatGatewayState::Deleted => "deleted",
    }
}

/// Whether the target of a route is there: otherwise the route is a black hole.
#[must_use]
pub fn leads_somewhere(store: &Store, target: &str) -> bool {
    fn get<'s, R: Resource + 's>(store: &'s Store, name: &str) -> Option<&'s R> {
        store.get::<R>(ClusterId::WORLD, "", name)
    }
    get::<InternetGateway>(store, target).is_some_and(|it| !it.vpc.is_empty())
        || get::<NatGateway>(store, target).is_some_and(|nat| nat.state != NatGatewayState::Deleted)
}

/// Begins to delete a NAT gateway.
/// # Errors
/// `NatGatewayNotFound`.
pub(crate) fn delete(turn: &mut Turn<'_>, name: &str) -> Result<(), AwsError> {
    let Some(nat) = turn.get::<NatGateway>("", name) else {
        let message = format!("NAT gateway {name} was not found");
        return Err(refuse("DeleteNatGateway", "NatGatewayNotFound", message));
    };
    if matches!(nat.state, NatGatewayState::Pending | NatGatewayState::Available) {
        enter(turn, name, NatGatewayState::Deleting);
    }
    Ok(())
}

/// Enters a state of its life. Whoever is deleted loses its ENI; its Elastic IP address stays the account's.
pub(super) fn enter(turn: &mut Turn<'_>, name: &str, state: NatGatewayState) {
    let Some(mut nat) = turn.get::<NatGateway>("", name).cloned() else { return };
    if state == NatGatewayState::Deleted {
        let eni = eni_of(turn.store(), &nat).and_then(|eni| eni.metadata.name.clone());
        if let Some(eni) = eni {
            eni::delete(turn, &eni);
        }
        if let Some(elastic) = turn.get::<ElasticIp>("", &nat.allocation).cloned() {
            turn.put(ElasticIp { eni: None, ..elastic }.into_object());
        }
    }
    nat.state = state;
    nat.since = turn.now();
    turn.put(nat.into_object());
}

/// Gives an Elastic IP address back.
/// # Errors
/// `InvalidAllocationID.NotFound`; `InvalidIPAddress.InUse` while something holds it.
pub(crate) fn release(turn: &mut Turn<'_>, name: &str) -> Result<(), AwsError> {
    const OPERATION: &str = "ReleaseAddress";
    if address(turn, name, OPERATION)?.eni.is_some() {
        let message = format!(
            "Address with allocation id [{name}] cannot be released because it is locked to your account or in use."
        );
        return Err(refuse(OPERATION, "InvalidIPAddress.InUse", message));
    }
    turn.remove(&Key::new(ClusterId::WORLD, Kind::ElasticIp, "", name));
    Ok(())
}
