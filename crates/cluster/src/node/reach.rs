//! Do an instance's paths let it become a node?
//!
//! Its kubelet has to reach the API server's endpoint, by whatever the cluster's endpoint mode and the subnet's routes leave; where the world
//! knows addresses of EC2's API, nodeadm has to reach that first.
//! MODEL: of ECR, S3 and STS nobody asks here: images are pulled whatever their paths.
//! Source: EKS user guide (private clusters; cluster endpoint access control); awslabs/amazon-eks-ami, nodeadm.

use api::kinds::aws::Instance;
use network::Probe;

use crate::{ClusterId, World, network as world_network};

/// What an instance asks for in vain.
pub(crate) struct Unreachable {
    /// `api`, or a service: `ec2`.
    pub what: &'static str,
    /// The blocker's code: `route:none:…`.
    pub code: String,
}

/// What keeps an instance from joining a cluster, if anything does.
pub(crate) fn blocked(world: &World, cluster: ClusterId, it: &Instance) -> Option<Unreachable> {
    let network = world_network::around(world, cluster, it);
    // A cluster that has no endpoint in this VPC (an imported one) is not asked.
    let known = |what: &&(&str, &str)| what.1 == "api" || network.aws.contains_key(what.0);
    [("ec2", "aws:ec2"), ("api", "api")].iter().filter(known).find_map(|(what, to)| {
        let from = format!("node:{}", it.metadata.name.as_deref().unwrap_or_default());
        let probe =
            Probe { from, to: (*to).to_owned(), port: 443, proto: "TCP".to_owned(), ..Probe::default() };
        let code = network::trace(&network, &probe).blockers.first().map(|it| it.code.clone())?;
        Some(Unreachable { what, code })
    })
}
