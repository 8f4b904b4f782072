//! How does a pod get its branch ENI, and when does it lose it?
//!
//! Source: amazon-vpc-resource-controller-k8s `pkg/provider/branch/provider.go` (`CreateAndAnnotateResources`),
//! `trunk/trunk.go` (`CreateAndAssociateBranchENIs`). MODEL: EC2 needs a second or two for it; here it is there before the
//! kubelet asks for the pod's network.

use api::{
    ApiStatus, Resource,
    k8s::core::v1::Pod,
    kinds::{
        aws::{Branch, Eni, EniOwner},
        cni::PoolMode,
    },
};
use serde::Serialize;

use super::{POD_ENI, asks, instance_of, policy, trunk, trunk_of};
use crate::{
    AwsError, EventType, Key, Next, Turn,
    cloud::{
        self,
        eni::{self, NewEni},
        instance, subnet,
    },
    node::finished,
};

/// VLANs of a trunk: 1 to 120. Source: `MaxAllocatableVlanIds`.
const VLANS: u32 = 121;

/// What the annotation says of one branch, in the order in which Go writes the struct `ENIDetails`.
#[derive(Serialize)]
struct Details {
    #[serde(rename = "eniId")]
    eni_id: String,
    #[serde(rename = "ifAddress")]
    if_address: String,
    #[serde(rename = "privateIp")]
    private_ip: String,
    #[serde(rename = "ipv6Addr")]
    ipv6_addr: String,
    #[serde(rename = "vlanId")]
    vlan_id: u32,
    #[serde(rename = "subnetCidr")]
    subnet_cidr: String,
    #[serde(rename = "subnetV6Cidr")]
    subnet_v6_cidr: String,
    #[serde(rename = "associationID")]
    association_id: String,
}

/// Gives a pod that asks for one its branch ENI; lets that of a pod that is gone rest.
pub(super) fn keep(turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
    let pod = turn.get::<Pod>(&key.namespace, &key.name).cloned();
    release(turn, key, pod.as_ref().filter(|pod| !finished(pod)));
    let Some(pod) = pod.filter(|pod| asks(pod) && !finished(pod)) else { return Ok(Next::Done) };
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    let annotated = pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(POD_ENI));
    let Some(it) = instance_of(turn.store(), &node).filter(|_| !annotated) else { return Ok(Next::Done) };
    let id = it.metadata.name.as_deref().unwrap_or_default();
    // Upstream drops the event too: the pod is looked at again when it changes.
    let Some(of) = trunk_of(turn.store(), id).cloned() else { return Ok(Next::Done) };
    let groups = policy::groups(turn.store(), turn.cluster(), &key.namespace, &pod);
    let about = pod.clone().into_object();
    if groups.is_empty() {
        let message = "Pod will get the instance security group as the pod didn't match any Security Group from SecurityGroupPolicy";
        turn.event(&about, EventType::Warning, "SecurityGroupRequested", message);
    } else {
        let message = format!("Pod will get the following Security Groups [{}]", groups.join(" "));
        turn.event(&about, EventType::Normal, "SecurityGroupRequested", &message);
    }
    let most = instance::limits(turn.store(), id).and_then(|limits| limits.branch_enis).unwrap_or(0);
    if eni::branches(turn.store(), &of).count() as u64 >= u64::from(most) {
        return Ok(Next::After(trunk::cooldown(turn)));
    }
    let (subnet, own) = trunk::place(turn.store(), turn, &node, &it);
    let groups = if groups.is_empty() { own } else { groups };
    match make(turn, key, &pod, &of, &subnet, groups) {
        Ok(details) => {
            let text = serde_json::to_string(&[details]).unwrap_or_default();
            turn.patch::<Pod>(&key.namespace, &key.name, |pod| {
                pod.metadata.annotations.get_or_insert_default().insert(POD_ENI.to_owned(), text.clone());
            })?;
            let message = format!("Allocated {text} to the pod");
            turn.event(&about, EventType::Normal, "ResourceAllocated", &message);
            Ok(Next::Done)
        }
        Err(error) => {
            let message = format!(
                "failed to allocate branch ENI to pod: creating network interface, operation error EC2: {}, https \
                 response error StatusCode: 400, api error {}: {}",
                error.operation, error.code, error.message
            );
            turn.event(&about, EventType::Warning, "BranchAllocationFailed", &message);
            Ok(Next::Every(trunk::RETRY))
        }
    }
}

fn make(
    turn: &mut Turn<'_>,
    key: &Key,
    pod: &Pod,
    trunk: &Eni,
    subnet: &str,
    security_groups: Vec<String>,
) -> Result<Details, AwsError> {
    let taken: Vec<u32> =
        eni::branches(turn.store(), trunk).filter_map(|eni| Some(eni.branch.as_ref()?.vlan)).collect();
    let vlan = (1..VLANS).find(|vlan| !taken.contains(vlan)).unwrap_or(VLANS);
    let new = NewEni {
        operation: "CreateNetworkInterface",
        subnet,
        slots: 0,
        mode: PoolMode::SecondaryIp,
        owner: EniOwner::Branch,
        security_groups,
        address: None,
        description: "aws-k8s-branch-eni".to_owned(),
    };
    let made = eni::create(turn, new)?;
    let branch = Branch {
        trunk: trunk.metadata.name.clone().unwrap_or_default(),
        vlan,
        pod: format!("{}/{}", key.namespace, key.name),
        pod_uid: pod.metadata.uid.clone().unwrap_or_default(),
        released_at: None,
    };
    eni::change(turn, &made, |eni| eni.branch = Some(branch));
    let eni = eni::get(turn.store(), &made);
    let address = eni.map(|eni| eni.primary_ip.to_string());
    let ipv6_address = eni.and_then(|eni| eni.ipv6_address).map(|it| it.to_string());
    let of = subnet::get(turn.store(), subnet);
    let (cidr, ipv6_cidr) = (of.map(|it| it.cidr.to_string()), of.and_then(|it| it.ipv6_cidr));
    Ok(Details {
        if_address: mac(turn, &made),
        private_ip: address.unwrap_or_default(),
        ipv6_addr: ipv6_address.unwrap_or_default(),
        vlan_id: vlan,
        subnet_cidr: cidr.unwrap_or_default(),
        subnet_v6_cidr: ipv6_cidr.map(|it| it.to_string()).unwrap_or_default(),
        association_id: cloud::id(turn, "trunk-assoc", &made, 0),
        eni_id: made,
    })
}

/// A hardware address of an ENI, drawn for its name; EC2's begin with an even second digit of 2, 6, a or e.
fn mac(turn: &Turn<'_>, eni: &str) -> String {
    let digits = crate::draw::hex(turn.world().seed(), "mac", eni, 0, 10);
    let pairs: Vec<&str> = (0..5).filter_map(|n| digits.get(2 * n..2 * n + 2)).collect();
    format!("02:{}", pairs.join(":"))
}

/// Begins the rest of the branches of an earlier pod of this name.
fn release(turn: &mut Turn<'_>, key: &Key, now_there: Option<&Pod>) {
    let (of, uid) =
        (format!("{}/{}", key.namespace, key.name), now_there.and_then(|pod| pod.metadata.uid.clone()));
    let left: Vec<String> = turn
        .store()
        .list::<Eni>(crate::ClusterId::WORLD, None)
        .filter(|eni| {
            eni.branch.as_ref().is_some_and(|branch| {
                branch.pod == of && branch.released_at.is_none() && Some(&branch.pod_uid) != uid.as_ref()
            })
        })
        .filter_map(|eni| eni.metadata.name.clone())
        .collect();
    let now = turn.now();
    for name in left {
        eni::change(turn, &name, |eni| {
            if let Some(branch) = &mut eni.branch {
                branch.released_at = Some(now);
            }
        });
    }
}
