//! What do eksctl, `aws eks update-kubeconfig` and kind write into a kubeconfig?
//!
//! Source: eksctl `pkg/utils/kubeconfig` (`<user>@<cluster>.<region>.eksctl.io`), kind `pkg/cluster/internal/kubeconfig` (everything is called
//! `kind-<cluster>`), awscli `customizations/eks` (everything is called by the cluster's ARN).

use api::{
    Resource,
    kinds::{
        eks::EksCluster,
        sim::{ControlPlane, Provider},
    },
};
use cluster::{ClusterId, World, cloud::ACCOUNT, draw};

use crate::kubectl::kubeconfig::{Cluster, Context, Credential, User};

/// Where a cluster stands if nothing says so.
const REGION: &str = "ap-northeast-2";

/// The control plane with this name.
#[must_use]
pub fn plane<'w>(world: &'w World, name: &str) -> Option<&'w ControlPlane> {
    world
        .store()
        .list::<ControlPlane>(ClusterId::WORLD, None)
        .find(|plane| plane.meta().name.as_deref() == Some(name))
}

/// The region of an EKS cluster, from its endpoint's name.
#[must_use]
pub fn region(world: &World, name: &str) -> String {
    let cluster: Option<&EksCluster> = world.store().get(ClusterId::WORLD, "", name);
    cluster.map(EksCluster::region).filter(|region| !region.is_empty()).unwrap_or(REGION).to_owned()
}

fn endpoint(world: &World, name: &str) -> String {
    let cluster: Option<&EksCluster> = world.store().get(ClusterId::WORLD, "", name);
    cluster.map(|it| it.endpoint.clone()).unwrap_or_default()
}

/// The entries that the cluster's own tool writes.
#[must_use]
pub fn entries(world: &World, plane: &ControlPlane) -> (Context, Cluster, User) {
    let name = plane.meta().name.as_deref().unwrap_or_default();
    let made = |context: &str, entry: &str, user: &str, server: String, credential: Credential| {
        make([context, entry, user], server, name, credential, admins(plane))
    };
    match plane.provider {
        Provider::Eks => {
            let region = region(world, name);
            let entry = format!("{name}.{region}.eksctl.io");
            let exec = ["eks", "get-token", "--output", "json", "--cluster-name", name, "--region", &region];
            let exec = Credential::Exec(exec.map(str::to_owned).to_vec());
            let user = format!("alice@{entry}");
            made(&user, &entry, &user, endpoint(world, name), exec)
        }
        Provider::Imported => {
            // Where its own endpoint is was not given.
            made(name, name, name, "https://imported.invalid".to_owned(), Credential::Certificate)
        }
        Provider::Kind | Provider::Kwok => {
            let tool = if plane.provider == Provider::Kind { "kind" } else { "kwok" };
            let entry = format!("{tool}-{name}");
            // Both take any free port of the laptop; ours follows from the seed.
            let port = 32_768 + draw::draw(world.seed(), "kind-port", name, 0) % 28_232;
            let server = format!("https://127.0.0.1:{port}");
            made(&entry, &entry, &entry, server, Credential::Certificate)
        }
    }
}

/// The entries that `aws eks update-kubeconfig` writes; `alias` names the context.
#[must_use]
pub fn by_aws(world: &World, name: &str, alias: Option<&str>) -> (Context, Cluster, User) {
    let region = region(world, name);
    let arn = format!("arn:aws:eks:{region}:{ACCOUNT}:cluster/{name}");
    let exec = ["--region", &region, "eks", "get-token", "--cluster-name", name, "--output", "json"];
    let exec = Credential::Exec(exec.map(str::to_owned).to_vec());
    make([alias.unwrap_or(&arn), &arn, &arn], endpoint(world, name), name, exec, "system:masters")
}

/// The group by which the cluster's creator may do everything.
fn admins(plane: &ControlPlane) -> &'static str {
    let minor = plane.version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    // Source: kubeadm 1.29, which kind runs; it keeps system:masters for a file that nobody uses.
    let by_kubeadm = plane.provider == Provider::Kind && minor.is_none_or(|minor| minor >= 29);
    if by_kubeadm { "kubeadm:cluster-admins" } else { "system:masters" }
}

fn make(
    [context, cluster, user]: [&str; 3],
    server: String,
    control_plane: &str,
    credential: Credential,
    group: &str,
) -> (Context, Cluster, User) {
    (
        Context {
            name: context.to_owned(),
            cluster: cluster.to_owned(),
            user: user.to_owned(),
            namespace: String::new(),
        },
        Cluster {
            name: cluster.to_owned(),
            server,
            control_plane: control_plane.to_owned(),
            insecure: false,
            other: std::collections::BTreeMap::new(),
        },
        User {
            name: user.to_owned(),
            identity: "kubernetes-admin".to_owned(),
            groups: vec![group.to_owned(), "system:authenticated".to_owned()],
            credential,
            uid: String::new(),
        },
    )
}
