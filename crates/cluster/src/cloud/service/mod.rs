//! What do AWS services answer to a request from outside?
//!
//! One file for each noun of a service; each names its operations in a table, and [`TABLES`] names the tables. Input and output have the
//! service's own names, in no order: `aws` prints answers in the order of the service's model. Fields without a value are left out.
//! MODEL: codes of refusals are those of the API references; a sentence that nobody has recorded is worded like those that were.

mod access;
mod addons;
mod addresses;
mod autoscaling;
mod clusters;
mod fargate_profiles;
mod identity;
mod input;
mod instance_types;
mod instances;
mod interfaces;
mod internet_gateways;
mod launch_templates;
mod load_balancers;
mod nat_gateways;
mod network_acls;
mod nodegroups;
mod route_tables;
mod security_groups;
mod subnets;
mod tags;
mod versions;
mod vpc_endpoints;
mod vpcs;

pub(crate) use clusters::updated as cluster_updated;
pub use identity::{Caller, caller};
pub(crate) use input::{Input, alike};

use api::SimTime;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::{ActorId, AwsError, AwsRequest, ClusterId, Turn, World, cloud::refuse};

/// One operation of a service.
pub(crate) struct Operation {
    service: &'static str,
    /// Such as `DescribeInstances`.
    action: &'static str,
    run: fn(&mut Turn<'_>, &Input<'_>) -> Answer,
}

/// What a service says.
pub(crate) type Answer = Result<Value, AwsError>;

const fn operation(
    service: &'static str,
    action: &'static str,
    run: fn(&mut Turn<'_>, &Input<'_>) -> Answer,
) -> Operation {
    Operation { service, action, run }
}

/// Every operation that the lab answers.
const TABLES: &[&[Operation]] = &[
    access::OPERATIONS,
    addons::OPERATIONS,
    addresses::OPERATIONS,
    autoscaling::OPERATIONS,
    clusters::OPERATIONS,
    fargate_profiles::OPERATIONS,
    identity::OPERATIONS,
    instance_types::OPERATIONS,
    instances::OPERATIONS,
    interfaces::OPERATIONS,
    internet_gateways::OPERATIONS,
    launch_templates::OPERATIONS,
    load_balancers::OPERATIONS,
    nat_gateways::OPERATIONS,
    network_acls::OPERATIONS,
    nodegroups::OPERATIONS,
    route_tables::OPERATIONS,
    security_groups::OPERATIONS,
    subnets::OPERATIONS,
    tags::OPERATIONS,
    versions::OPERATIONS,
    vpc_endpoints::OPERATIONS,
    vpcs::OPERATIONS,
];

fn find(service: &str, action: &str) -> Option<&'static Operation> {
    TABLES.iter().copied().flatten().find(|it| it.service == service && it.action == action)
}

/// Whether the lab answers an operation of a service.
#[must_use]
pub fn answers(service: &str, action: &str) -> bool {
    find(service, action).is_some()
}

/// Answers one request.
/// # Errors
/// The service's refusal.
pub(crate) fn serve(world: &mut World, request: &AwsRequest) -> Answer {
    let Some(operation) = find(request.service, request.action) else {
        let message = format!("The action {} is not valid for this web service.", request.action);
        return Err(refuse(request.action, "InvalidAction", message));
    };
    let actor = if request.service == "ec2" { "ec2" } else { "eks" };
    let mut turn = Turn::new(world, ActorId(actor), ClusterId::WORLD, None);
    let mut answer = (operation.run)(&mut turn, &Input { action: operation.action, value: &request.input })?;
    without_nulls(&mut answer);
    Ok(answer)
}

/// A service leaves out what has no value.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// A moment as the command line writes it: EKS counts in thousandths, EC2 in seconds.
/// Source: AWS CLI 2 (`cli_timestamp_format` iso8601, Python's `isoformat`).
fn moment(turn: &Turn<'_>, at: SimTime) -> String {
    let milli = turn.world().epoch().as_millisecond().saturating_add_unsigned(at.0);
    let at = Timestamp::from_millisecond(milli).unwrap_or(turn.world().epoch()).to_zoned(TimeZone::UTC);
    let whole = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S", &at).unwrap_or_default();
    match milli.rem_euclid(1000) {
        0 => format!("{whole}+00:00"),
        part => format!("{whole}.{part:03}000+00:00"),
    }
}

/// Such a moment in whole seconds.
fn second(turn: &Turn<'_>, at: SimTime) -> String {
    moment(turn, SimTime(at.0 / 1000 * 1000))
}
