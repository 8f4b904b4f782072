//! What does AWS do?
//!
//! EC2 as state in the store: subnets with exact accounting, ENIs, instances and gateways with the durations of
//! their transitions. [`service`] answers requests from outside; ipamd and node groups call [`eni`] and [`instance`] directly.
//! The actor [`Ec2`] ends what takes time. This module does not know about pods.
//! Source: the Amazon EC2 API reference; cni-spec §8 for the errors that teach.

pub mod acl;
pub(crate) mod ebs;
pub mod endpoint;
pub mod eni;
pub mod instance;
pub mod load_balancer;
pub mod nat;
mod reservation;
pub(crate) mod security_group;
mod service;
pub(crate) mod spot;
pub mod subnet;
pub(crate) mod zone;

pub use service::{Caller, answers, caller};
pub(crate) use service::{alike, cluster_updated, serve};

use api::{
    ApiStatus, Kind, Object,
    kinds::aws::{Attachment, InstanceState, NatGateway, NatGatewayState},
};

use crate::{AwsError, Change, Controller, Key, Next, Store, Turn, parts::Process, timing};

/// The account that everything belongs to, but for what EKS owns: one of those that AWS's own examples use.
pub const ACCOUNT: &str = "111122223333";

/// A no from EC2.
pub(crate) fn refuse(operation: &str, code: &str, message: impl Into<String>) -> AwsError {
    AwsError { code: code.to_owned(), operation: operation.to_owned(), message: message.into() }
}

/// An id as EC2 makes them: a prefix and 17 hexadecimal digits, the first of them 0.
pub(crate) fn id(turn: &Turn<'_>, prefix: &str, about: &str, n: u64) -> String {
    let seed = turn.world().seed();
    format!("{prefix}-0{}", crate::draw::hex(seed, prefix, about, n, 16))
}

/// Ends what takes EC2 time: attachments, boots, shutdowns.
pub struct Ec2;

impl Controller for Ec2 {
    fn name(&self) -> &'static str {
        "ec2"
    }

    fn process(&self) -> Process {
        Process::Alone
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        let takes_time = change.after.as_deref().is_some_and(|object| match object {
            Object::Eni(it) => matches!(it.attachment, Attachment::Attaching | Attachment::Detaching),
            Object::Instance(it) => {
                let passes = matches!(
                    it.state,
                    InstanceState::Pending | InstanceState::Stopping | InstanceState::ShuttingDown
                );
                passes || it.interruption_notice.is_some()
            }
            Object::NatGateway(it) => {
                matches!(it.state, NatGatewayState::Pending | NatGatewayState::Deleting)
            }
            Object::VpcEndpoint(it) => !it.available,
            _ => false,
        });
        if takes_time {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        Ok(match key.kind {
            Kind::Eni => eni_step(turn, &key.name),
            Kind::NatGateway => nat_step(turn, &key.name),
            Kind::VpcEndpoint => endpoint_step(turn, &key.name),
            _ => instance_step(turn, &key.name),
        })
    }
}

fn eni_step(turn: &mut Turn<'_>, name: &str) -> Next {
    let Some(it) = eni::get(turn.store(), name) else { return Next::Done };
    let took = turn.now().since(it.since);
    let wait = match it.attachment {
        Attachment::Attaching => timing::ENI_ATTACH,
        Attachment::Detaching => timing::ENI_DETACH,
        Attachment::Available | Attachment::Attached => return Next::Done,
    };
    if took < wait {
        return Next::After(api::SimDuration(wait.0 - took.0));
    }
    match it.attachment {
        Attachment::Attaching => eni::attached(turn, name),
        Attachment::Detaching => eni::delete(turn, name),
        Attachment::Available | Attachment::Attached => {}
    }
    Next::Done
}

fn nat_step(turn: &mut Turn<'_>, name: &str) -> Next {
    let Some(it) = turn.get::<NatGateway>("", name) else { return Next::Done };
    let (wait, then) = match it.state {
        NatGatewayState::Pending => (timing::NAT_GATEWAY_CREATE, NatGatewayState::Available),
        NatGatewayState::Deleting => (timing::NAT_GATEWAY_DELETE, NatGatewayState::Deleted),
        NatGatewayState::Available | NatGatewayState::Deleted => return Next::Done,
    };
    let took = turn.now().since(it.since);
    if took < wait {
        return Next::After(api::SimDuration(wait.0 - took.0));
    }
    nat::enter(turn, name, then);
    Next::Done
}

fn endpoint_step(turn: &mut Turn<'_>, name: &str) -> Next {
    let Some(it) = endpoint::get(turn.store(), name).filter(|it| !it.available) else { return Next::Done };
    let took = turn.now().since(it.created_at);
    if took < timing::VPC_ENDPOINT_CREATE {
        return Next::After(api::SimDuration(timing::VPC_ENDPOINT_CREATE.0 - took.0));
    }
    endpoint::ready(turn, name);
    Next::Done
}

fn instance_step(turn: &mut Turn<'_>, name: &str) -> Next {
    let Some(it) = instance::get(turn.store(), name) else { return Next::Done };
    if let Some(next) = spot::reclaim(turn, it.clone()) {
        return next;
    }
    let Some(it) = instance::get(turn.store(), name) else { return Next::Done };
    let took = turn.now().since(it.since);
    let (wait, then) = match it.state {
        // Without its zone no machine comes up.
        InstanceState::Pending if it.impaired_since.is_some() => return Next::Done,
        InstanceState::Pending => (timing::INSTANCE_PENDING, InstanceState::Running),
        InstanceState::Stopping => (timing::INSTANCE_STOP, InstanceState::Stopped),
        InstanceState::ShuttingDown => (timing::INSTANCE_TERMINATE, InstanceState::Terminated),
        InstanceState::Running | InstanceState::Stopped | InstanceState::Terminated => return Next::Done,
    };
    if took < wait {
        return Next::After(api::SimDuration(wait.0 - took.0));
    }
    instance::enter(turn, name, then);
    Next::Done
}
