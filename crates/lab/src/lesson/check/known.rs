//! Which kinds and fields can a check name?
//!
//! Kubernetes kinds by their own name, others as `aws/Subnet`, `eks/Nodegroup`, `sim/IpPool`. A field that no object
//! of the kind has would make a goal unreachable, so it is an error when the lesson is loaded.

use api::{
    Domain, FieldPath, Kind,
    schema::{self, TypeSchema},
};

use super::{Op, Pattern, Subject};
use crate::lesson::fields::Errors;

impl Subject {
    /// As lessons write it.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Subject::Kind(kind) => {
                let info = kind.info();
                match info.domain() {
                    Domain::Kubernetes => info.kind.to_owned(),
                    Domain::Aws | Domain::Eks | Domain::Sim => format!("{}/{}", info.group, info.kind),
                }
            }
            Subject::Decision => "sim/Decision".to_owned(),
            Subject::Request => "sim/Request".to_owned(),
        }
    }

    /// Every subject, in the registry's order.
    pub(super) fn every() -> impl Iterator<Item = Subject> {
        let kinds = Kind::EVERY.iter().copied().map(Subject::Kind);
        kinds.chain([Subject::Decision, Subject::Request])
    }

    /// The subject with this name; of two kinds with one name the first in the registry.
    pub(super) fn parse(word: &str) -> Option<Subject> {
        Self::every().find(|subject| subject.word() == word)
    }

    /// Fields that stand at the top of its objects, where we know them all.
    fn fields(self) -> Option<&'static [&'static str]> {
        Some(match self {
            Subject::Decision => &["pod", "picked", "perNode", "reasons", "ties"],
            Subject::Request => &["rejectedAt", "user", "verb", "resource", "namespace", "name", "message"],
            Subject::Kind(Kind::IpPool) => &[
                "node",
                "mode",
                "attached",
                "used",
                "warm",
                "cooldown",
                "enis",
                "maxPods",
                "customNetworking",
                "prefixes",
                "freePrefixes",
                "servedAtOnce",
            ],
            Subject::Kind(Kind::Vpc) => &["metadata", "cidrs", "enableDnsSupport", "enableDnsHostnames"],
            Subject::Kind(Kind::Subnet) => &[
                "metadata",
                "vpc",
                "cidr",
                "availabilityZone",
                "mapPublicIpOnLaunch",
                "routeTable",
                "networkAcl",
                "reservations",
                "free",
                "freeBlocks",
            ],
            Subject::Kind(Kind::RouteTable) => &["metadata", "vpc", "routes"],
            Subject::Kind(Kind::InternetGateway) => &["metadata", "vpc"],
            Subject::Kind(Kind::NatGateway) => &["metadata", "subnet", "publicIp", "allocation", "state"],
            Subject::Kind(Kind::ElasticIp) => &["metadata", "publicIp", "eni"],
            Subject::Kind(Kind::VpcEndpoint) => &[
                "metadata",
                "vpc",
                "type",
                "service",
                "routeTables",
                "subnets",
                "securityGroups",
                "privateDns",
                "available",
            ],
            Subject::Kind(Kind::NetworkAcl) => &["metadata", "vpc", "isDefault", "entries"],
            Subject::Kind(Kind::SecurityGroup) => &["metadata", "vpc", "inbound", "outbound"],
            Subject::Kind(Kind::Eni) => &[
                "metadata",
                "subnet",
                "primaryIp",
                "secondaryIps",
                "prefixes",
                "securityGroups",
                "owner",
                "instance",
                "deviceIndex",
                "attachment",
                "createdAt",
            ],
            Subject::Kind(Kind::Instance) => &[
                "metadata",
                "instanceType",
                "subnet",
                "privateIp",
                "publicIp",
                "state",
                "node",
                "nodegroup",
                "launchedAt",
                "userData",
                "spot",
                "rebalanceRecommended",
                "interruptionNotice",
                "impairedSince",
                "stateReason",
            ],
            Subject::Kind(Kind::EksCluster) => &[
                "metadata",
                "version",
                "status",
                "vpc",
                "subnets",
                "serviceCidr",
                "endpointPublicAccess",
                "endpointPrivateAccess",
                "publicAccessCidrs",
                "endpoint",
                "clusterSecurityGroup",
                "accessEntries",
            ],
            Subject::Kind(Kind::Nodegroup) => &[
                "metadata",
                "cluster",
                "instanceTypes",
                "subnets",
                "minSize",
                "maxSize",
                "desiredSize",
                "labels",
                "taints",
                "maxPodsPerNode",
                "status",
                "care",
                "releaseVersion",
                "updates",
                "issues",
            ],
            Subject::Kind(Kind::FargateProfile) => {
                &["metadata", "cluster", "arn", "podExecutionRoleArn", "subnets", "selectors", "status"]
            }
            Subject::Kind(Kind::Part) => {
                &["metadata", "role", "zone", "running", "since", "offFor", "actsFrom"]
            }
            Subject::Kind(Kind::Machine) => &[
                "metadata",
                "instance",
                "kubeletRunning",
                "networkReady",
                "podCidr",
                "startedAt",
                "images",
                "runtimeStopped",
                "proxyStopped",
                "microVm",
            ],
            Subject::Kind(_) => return None,
        })
    }
}

/// Names every field of `body` that no object of the kind has.
pub(super) fn check_fields(
    subject: Subject,
    body: &[(String, Pattern)],
    path: &FieldPath,
    errors: &mut Errors,
) {
    let what = format!("field of {}", subject.word());
    if let Some(known) = subject.fields() {
        for (name, _) in body.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            errors.unknown(&path.field(name), &what, name, known.iter().copied());
        }
    } else if let Subject::Kind(kind) = subject
        && let Some(root) = schema::root(kind)
    {
        walk(root, body, derived(kind), &what, path, errors);
    }
}

/// Fields that checks can name and no object has.
fn derived(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Node => &["podsUsed", "maxPods"],
        // In `status`; no other struct of a pod has a field of this name.
        Kind::Pod => &["display"],
        _ => &[],
    }
}

fn walk(
    at: &'static TypeSchema,
    body: &[(String, Pattern)],
    derived: &[&str],
    what: &str,
    path: &FieldPath,
    errors: &mut Errors,
) {
    for (name, pattern) in body {
        let path = path.field(name);
        match at.field(name) {
            Some(field) => {
                let maps = matches!(field.ty, schema::Type::Map(_));
                if let Some(inner) = field.ty.inner_object().filter(|_| !maps) {
                    inside(inner, pattern, derived, what, &path, errors);
                }
            }
            None if derived.contains(&name.as_str()) => {}
            None => errors.unknown(&path, what, name, at.fields.iter().map(|field| field.name)),
        }
    }
}

/// Looks into an object, and into the items of a list however an operator reaches them.
fn inside(
    at: &'static TypeSchema,
    pattern: &Pattern,
    derived: &[&str],
    what: &str,
    path: &FieldPath,
    errors: &mut Errors,
) {
    match pattern {
        Pattern::Subset(fields) => walk(at, fields, derived, what, path, errors),
        Pattern::Contains(items) => {
            items.iter().for_each(|item| inside(at, item, derived, what, path, errors));
        }
        Pattern::Ops(ops) => {
            for op in ops {
                match op {
                    Op::Only(items) => {
                        items.iter().for_each(|item| inside(at, item, derived, what, path, errors));
                    }
                    Op::Each(item) => inside(at, item, derived, what, path, errors),
                    _ => {}
                }
            }
        }
        Pattern::Equal(_) => {}
    }
}

/// Kinds that the derived fields in `body` are computed from, besides the object's own.
pub(super) fn derived_from(kind: Kind, body: &[(String, Pattern)]) -> &'static [Kind] {
    let asks = |field: &str| body.iter().any(|(name, _)| name == field);
    match kind {
        Kind::Subnet if asks("free") || asks("freeBlocks") => &[Kind::Eni],
        Kind::Node if asks("podsUsed") => &[Kind::Pod],
        _ => &[],
    }
}
