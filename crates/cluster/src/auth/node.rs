//! May this kubelet?
//!
//! MODEL: upstream's node authorizer follows the graph from a node to its pods, Secrets and ConfigMaps; here a node
//! may do what any node may. Source: `plugin/pkg/auth/authorizer/node`.

use crate::{
    ClusterId, Principal, Store,
    auth::{Allowed, Attributes},
};

pub(super) fn authorize(_: &Store, _: ClusterId, who: &Principal, _: &Attributes<'_>) -> Option<Allowed> {
    let is_node = who.user.starts_with("system:node:") && who.groups.iter().any(|g| g == "system:nodes");
    is_node.then(|| Allowed { by: "Node", reason: String::new(), grant: None })
}
