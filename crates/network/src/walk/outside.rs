//! From and to the world outside: the internet, peers, the API endpoint, AWS services.

use std::net::IpAddr;

use super::{Origin, Step, Target, Walk};
use crate::{
    owner,
    route::{self, Way},
    security_group::Direction,
    trace::{HopKind, Rule},
};

impl<'n> Walk<'n> {
    /// To the cluster's API endpoint by its name.
    ///
    /// Inside the VPC the name answers the EKS-owned ENIs if private access is on and the VPC's resolver may say so;
    /// elsewhere it answers the public address, and with public access off the private ones even there.
    /// Source: Amazon EKS User Guide, cluster API server endpoint.
    pub(crate) fn go_to_api(&mut self, origin: Origin<'n>) -> Step {
        self.target = Target::Api;
        let endpoint = &self.net.cluster.endpoint;
        let inside = match origin {
            Origin::Pod(_, node) | Origin::Node(node) => !node.hybrid,
            Origin::Host(_) | Origin::ControlPlane(_) => true,
            Origin::External(_) => false,
        };
        if inside && !self.net.vpc.dns_support {
            return self.stop("dns:no-records:api".to_owned());
        }
        let answers_private = !endpoint.public || (inside && endpoint.private && self.net.vpc.dns_hostnames);
        if !answers_private {
            let Some(public) = endpoint.public_ip else { return self.stop("dns:no-records:api".to_owned()) };
            self.packet.dst = public;
            self.hop(HopKind::Dns, format!("public:{public}"), Rule::Answers(vec![public]));
            return match origin {
                Origin::External(_) => self.public_endpoint(),
                Origin::Node(node) | Origin::Pod(_, node) if node.hybrid => self.public_endpoint(),
                Origin::Pod(..) | Origin::Node(_) | Origin::Host(_) | Origin::ControlPlane(_) => {
                    self.go_to_address(origin, public)
                }
            };
        }
        let addresses: Vec<IpAddr> = self.net.cluster.cross_account_enis.iter().map(|eni| eni.ip).collect();
        let Some(&first) = addresses.first().filter(|_| endpoint.private) else {
            return self.stop("api:public-disabled".to_owned());
        };
        self.packet.dst = first;
        self.hop(HopKind::Dns, format!("private:{first}"), Rule::Answers(addresses));
        if let Origin::External(external) = origin
            && external.via.is_none()
        {
            return self.stop("api:private-unreachable-from-internet".to_owned());
        }
        self.go_to_address(origin, first)
    }

    /// The public door: its list of allowed blocks, then an API server.
    pub(crate) fn public_endpoint(&mut self) -> Step {
        let src = self.packet.src;
        let allowed = self.net.cluster.endpoint.public_cidrs.iter().find(|cidr| cidr.contains(&src));
        let rule = allowed.map_or(Rule::Passage, |cidr| Rule::PublicCidr(cidr.to_string()));
        self.hop(HopKind::PublicEndpoint, String::new(), rule);
        if allowed.is_none() {
            self.deny(format!("api:cidr-not-allowed:{src}"));
        }
        self.pass(HopKind::ApiServer, String::new());
        Ok(())
    }

    /// To an AWS service by its public name: an interface endpoint answers inside the VPC if it has private DNS.
    pub(crate) fn go_to_aws(&mut self, origin: Origin<'n>, service: &str) -> Step {
        let Some((name, aws)) = self.net.aws.get_key_value(service) else {
            return self.stop(format!("dns:no-records:{service}"));
        };
        self.target = Target::Aws(name);
        let subnet = match origin {
            Origin::Pod(pod, node) => owner::pod_owner(self.net, pod).or(owner::node_owner(node)),
            Origin::Node(node) => owner::node_owner(node),
            Origin::Host(host) => Some(owner::host_owner(host)),
            Origin::External(_) | Origin::ControlPlane(_) => None,
        }
        .map(|it| it.subnet);
        let private = subnet.and_then(|subnet| {
            let answers = self.net.vpc.dns_support && self.net.vpc.dns_hostnames;
            let endpoint =
                self.net.vpc_endpoints.iter().find(|it| {
                    answers && it.kind == "interface" && it.service == service && it.private_dns
                })?;
            endpoint.ips.get(subnet).or_else(|| endpoint.ips.values().next()).copied()
        });
        let (word, ip) = private.map_or(("public", aws.ip), |ip| ("private", ip));
        self.packet.dst = ip;
        self.hop(HopKind::Dns, format!("{word}:{ip}"), Rule::Answers(vec![ip]));
        self.go_to_address(origin, ip)
    }

    /// From the internet to an address inside the VPC.
    pub(crate) fn enter_from_internet(&mut self, src: IpAddr) -> Step {
        let to = self.packet.dst;
        let Some(destination) = owner::owner_of(self.net, to) else {
            return self.stop(format!("igw:no-public-ip:{to}"));
        };
        if owner::public_of(self.net, to).is_none() {
            return self.stop(format!("igw:no-public-ip:{to}"));
        }
        self.in_by_igw(destination.subnet, src)?;
        self.reach_eni_from_outside(destination, src)
    }

    /// Through the internet gateway into a subnet, if its route table leads back there.
    pub(crate) fn in_by_igw(&mut self, subnet: &str, src: IpAddr) -> Step {
        let way =
            route::table_of(self.net, subnet).map_or(Way::None, |table| route::lookup(self.net, table, src));
        match way {
            Way::Via { target, .. } if target.starts_with("igw-") => {
                self.pass(HopKind::Igw, target);
                Ok(())
            }
            Way::Local | Way::Via { .. } | Way::Blackhole { .. } | Way::None => {
                self.stop(format!("route:subnet-not-public:{subnet}"))
            }
        }
    }

    /// From behind a peering, VPN or transit gateway to an address inside the VPC.
    pub(crate) fn enter_from_gateway(&mut self, gateway: Option<&str>, src: IpAddr) -> Step {
        let to = self.packet.dst;
        let Some(destination) = owner::owner_of(self.net, to) else {
            return self.stop(format!("ip:unused:{to}"));
        };
        let gateway = gateway.unwrap_or_default();
        let Some(table) = route::table_of(self.net, destination.subnet) else {
            return self.stop(format!("return-route:none:{}:{src}", destination.subnet));
        };
        match route::lookup(self.net, table, src) {
            Way::Via { target, .. } if target == gateway => {}
            Way::Local | Way::Via { .. } | Way::Blackhole { .. } | Way::None => {
                return self.stop(format!("return-route:none:{}:{src}", table.id));
            }
        }
        let kind = match gateway.split('-').next().unwrap_or_default() {
            "pcx" => HopKind::Pcx,
            "tgw" => HopKind::Tgw,
            _ => HopKind::Vgw,
        };
        self.pass(kind, gateway.to_owned());
        self.reach_eni_from_outside(destination, src)
    }

    fn reach_eni_from_outside(&mut self, destination: owner::Owner<'n>, src: IpAddr) -> Step {
        self.border(destination.subnet, Direction::In, src, self.packet.port);
        self.filter_in(&destination.eni, destination.groups, src);
        self.pass(HopKind::Eni, destination.eni.clone());
        self.reply_out_of(destination.subnet, src);
        self.arrive(destination)
    }
}
