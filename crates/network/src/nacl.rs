//! Does a network ACL let it pass?
//!
//! Stateless, at the border of a subnet: the lowest numbered rule that matches decides, and if none does it is denied.
//! A subnet without an ACL of its own has the default one, which allows all. Source: Amazon VPC User Guide, network ACLs.

use std::net::IpAddr;

use crate::{
    network::{Nacl, Network},
    security_group::{Direction, protocol_and_port},
};

/// The client's source port, where replies go. Fixed, as in the recorded cases.
pub const CLIENT_PORT: u16 = 40_000;

/// What an ACL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The ACL's id.
    pub acl: String,
    /// The rule that decided; none for `*`.
    pub number: Option<u32>,
    /// Whether it passes.
    pub allowed: bool,
}

impl Said {
    /// `<acl>:<rule or *>`.
    #[must_use]
    pub fn place(&self) -> String {
        match self.number {
            Some(number) => format!("{}:{number}", self.acl),
            None => format!("{}:*", self.acl),
        }
    }
}

/// What the ACL of `subnet` says of a packet with `peer` on the other side; none where the default ACL allows all.
///
/// `port` is the destination port of this very packet: for replies, the client's.
#[must_use]
pub fn check(
    network: &Network,
    subnet: &str,
    direction: Direction,
    peer: IpAddr,
    proto: &str,
    port: u16,
) -> Option<Said> {
    let id = network.subnets.iter().find(|s| s.id == subnet)?.nacl.as_ref()?;
    let acl: &Nacl = network.nacls.iter().find(|acl| acl.id == *id)?;
    let rules = match direction {
        Direction::In => &acl.inbound,
        Direction::Out => &acl.outbound,
    };
    let hit = rules
        .iter()
        .filter(|rule| {
            protocol_and_port(&rule.proto, rule.from, rule.to, proto, port) && rule.cidr.contains(&peer)
        })
        .min_by_key(|rule| rule.n);
    Some(Said {
        acl: acl.id.clone(),
        number: hit.map(|rule| rule.n),
        allowed: hit.is_some_and(|rule| rule.action == "allow"),
    })
}
