//! Which route does a subnet's router take?
//!
//! Longest prefix wins whatever its state: a /24 blackhole beats a working default route. Every block of the VPC is an
//! implicit local route. Source: Amazon VPC User Guide, route priority.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::network::{Network, RouteTable};

/// Where the router sends a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Inside the VPC.
    Local,
    /// To a gateway or an endpoint; with the destination of the route that matched.
    Via {
        /// Its id.
        target: String,
        /// The route's destination.
        destination: String,
    },
    /// Nowhere: the route's target is gone.
    Blackhole {
        /// The route's destination.
        destination: String,
    },
    /// Nowhere: no route.
    None,
}

/// The way for `to` by `table`.
#[must_use]
pub fn lookup(network: &Network, table: &RouteTable, to: IpAddr) -> Way {
    let local = network.vpc.cidrs.iter().filter(|cidr| cidr.contains(&to)).map(IpNet::prefix_len).max();
    let mut best: Option<(u8, Way)> = local.map(|length| (length, Way::Local));
    let written = table.routes.iter().map(|it| (it.dst.clone(), it.via.clone(), it.state.as_deref()));
    for (destination, target, state) in written.chain(gateway_endpoints(network, table)) {
        let Some(length) = matched(network, &destination, to) else { continue };
        // Equal length: local, then static.
        if best.as_ref().is_some_and(|(other, _)| *other >= length) {
            continue;
        }
        let way = if state == Some("blackhole") {
            Way::Blackhole { destination }
        } else {
            Way::Via { target, destination }
        };
        best = Some((length, way));
    }
    best.map_or(Way::None, |(_, way)| way)
}

/// A gateway endpoint puts its service's prefix list into the route tables it is associated with.
fn gateway_endpoints<'n>(
    network: &'n Network,
    table: &'n RouteTable,
) -> impl Iterator<Item = (String, String, Option<&'n str>)> {
    network
        .vpc_endpoints
        .iter()
        .filter(|it| it.kind == "gateway" && it.route_tables.contains(&table.id))
        .map(|it| (format!("pl-{}", it.service), it.id.clone(), None))
}

/// Length of the longest block of a destination that holds `to`: a block, or a service's prefix list.
fn matched(network: &Network, destination: &str, to: IpAddr) -> Option<u8> {
    if let Some(service) = destination.strip_prefix("pl-") {
        let prefixes = network.aws.get(service).map(|aws| aws.prefixes.as_slice()).unwrap_or_default();
        return prefixes.iter().filter(|cidr| cidr.contains(&to)).map(IpNet::prefix_len).max();
    }
    let cidr: IpNet = destination.parse().ok()?;
    cidr.contains(&to).then(|| cidr.prefix_len())
}

/// The table of a subnet.
pub(crate) fn table_of<'n>(network: &'n Network, subnet: &str) -> Option<&'n RouteTable> {
    let subnet = network.subnets.iter().find(|s| s.id == subnet)?;
    network.route_tables.iter().find(|table| table.id == subnet.rt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Route;

    fn route(dst: &str, via: &str, state: Option<&str>) -> Route {
        Route { dst: dst.to_owned(), via: via.to_owned(), state: state.map(str::to_owned) }
    }

    #[test]
    fn a_longer_blackhole_beats_a_working_default_route() {
        let network = Network::default();
        let table = RouteTable {
            id: "rtb".to_owned(),
            routes: vec![
                route("0.0.0.0/0", "nat-1", None),
                route("203.0.113.0/24", "pcx-1", Some("blackhole")),
            ],
        };
        let way = lookup(&network, &table, IpAddr::from([203, 0, 113, 9]));
        assert_eq!(way, Way::Blackhole { destination: "203.0.113.0/24".to_owned() });
    }
}
