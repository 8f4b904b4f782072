//! Does a security group let it pass?
//!
//! Stateful, allow rules only: the union of all rules of all groups on the ENI. A rule whose peer is a group matches the
//! private address of an ENI that has this group, and never traffic that arrives by a public address or after another
//! ENI's address was put in its place. Source: Amazon VPC User Guide, security group rules.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use crate::{
    network::{Network, SecurityRule},
    trace::Rule,
};

/// Which way, seen from the ENI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Into the ENI.
    In,
    /// Out of it.
    Out,
}

/// The first rule that lets traffic with `peer` pass, by the order of groups and rules; `also` are groups that the peer
/// has beside those of the ENI that owns its address (a load balancer's).
#[must_use]
pub fn allows(
    network: &Network,
    groups: &[String],
    direction: Direction,
    peer: IpAddr,
    also: &[String],
    proto: &str,
    port: u16,
) -> Option<Rule> {
    let owned = crate::owner::groups_of(network, peer);
    for group in groups {
        let Some(found) = network.sgs.iter().find(|sg| sg.id == *group) else { continue };
        let rules = match direction {
            Direction::In => &found.inbound,
            Direction::Out => &found.outbound,
        };
        let hit = rules.iter().find(|rule| {
            protocol_and_port(&rule.proto, rule.from, rule.to, proto, port)
                && peer_matches(rule, peer, owned, also)
        });
        if let Some(rule) = hit {
            return Some(Rule::SecurityGroup { group: group.clone(), rule: rule.clone() });
        }
    }
    None
}

fn peer_matches(rule: &SecurityRule, peer: IpAddr, owned: &[String], also: &[String]) -> bool {
    match rule.peer.parse::<IpNet>() {
        Ok(cidr) => cidr.contains(&peer),
        Err(_) => owned.contains(&rule.peer) || also.contains(&rule.peer),
    }
}

/// Whether a rule's protocol and ports hold this protocol and port; `-1` ignores ports.
pub(crate) fn protocol_and_port(
    rule: &str,
    from: Option<u16>,
    to: Option<u16>,
    proto: &str,
    port: u16,
) -> bool {
    rule == "-1"
        || (rule.eq_ignore_ascii_case(proto)
            && from.is_none_or(|from| from <= port)
            && to.or(from).is_none_or(|to| port <= to))
}
