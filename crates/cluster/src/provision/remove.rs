//! How does a cluster go?
//!
//! MODEL: eksctl waits minutes for its CloudFormation stacks; here everything of a cluster goes at once.

use api::{
    Kind,
    kinds::{
        aws::{EniOwner, Instance, Subnet},
        eks::EksCluster,
    },
};
use serde_json::Value;

use super::plane;
use crate::{
    ClusterId, Key, Refusal, Turn,
    cloud::{eni, refuse},
};

pub(super) fn delete_cluster(turn: &mut Turn<'_>, name: &str) -> Result<(), Refusal> {
    let Some(cluster) = turn.get::<EksCluster>("", name).cloned() else {
        let message = format!("No cluster found for name: {name}.");
        return Err(refuse("DeleteCluster", "ResourceNotFoundException", message).into());
    };
    let instances: Vec<String> = turn
        .list::<Instance>(None)
        .filter(|it| it.cluster.as_deref() == Some(name))
        .filter_map(|it| it.metadata.name.clone())
        .collect();
    for id in &instances {
        for eni in eni::of_instance(turn.store(), id)
            .iter()
            .filter_map(|e| e.metadata.name.clone())
            .collect::<Vec<_>>()
        {
            eni::delete(turn, &eni);
        }
        let key = turn.key(Kind::Instance, "", id);
        turn.remove(&key);
    }
    if let Some(id) = plane(turn.store(), name) {
        forget_cluster(turn, name, id);
    }
    let in_vpc: Vec<String> = turn
        .list::<Subnet>(None)
        .filter(|subnet| subnet.vpc == cluster.vpc)
        .filter_map(|subnet| subnet.metadata.name.clone())
        .collect();
    let nats = in_vpc.iter().flat_map(|name| turn.store().enis_in(name));
    let of_nats: Vec<String> =
        nats.filter(|eni| eni.owner == EniOwner::Nat).filter_map(|eni| eni.metadata.name.clone()).collect();
    let gone: Vec<Key> = turn
        .store()
        .iter()
        .filter(|(key, object)| {
            let value = |field: &str| object.to_value().get(field).and_then(Value::as_str).map(str::to_owned);
            match key.kind {
                Kind::Vpc => *key.name == *cluster.vpc,
                Kind::Subnet
                | Kind::RouteTable
                | Kind::InternetGateway
                | Kind::SecurityGroup
                | Kind::NetworkAcl
                | Kind::LoadBalancer
                | Kind::VpcEndpoint => value("vpc").as_deref() == Some(&cluster.vpc),
                Kind::ElasticIp => value("eni").is_some_and(|eni| of_nats.contains(&eni)),
                Kind::Eni | Kind::NatGateway => {
                    value("subnet").is_some_and(|subnet| in_vpc.contains(&subnet))
                }
                Kind::Nodegroup | Kind::FargateProfile => value("cluster").as_deref() == Some(name),
                Kind::EksCluster => *key.name == *name,
                _ => false,
            }
        })
        .map(|(key, _)| key.clone())
        .collect();
    for key in gone {
        turn.remove(&key);
    }
    Ok(())
}

/// Everything of one control plane goes, with every wake for it.
pub(super) fn forget_cluster(turn: &mut Turn<'_>, name: &str, id: ClusterId) {
    let gone: Vec<Key> =
        turn.store().iter().filter(|(key, _)| key.cluster == id).map(|(key, _)| key.clone()).collect();
    for key in gone {
        turn.remove(&key);
    }
    let key = turn.key(Kind::ControlPlane, "", name);
    turn.remove(&key);
    turn.world.forget_cluster(id);
}
