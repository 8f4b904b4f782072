//! `lab import FILE…`: somebody's own cluster, as kubectl and the AWS CLI printed it, beside the lab's.

use cluster::{
    ClusterId, Principal, Request, World,
    import::{
        Import,
        account::{Account, Missing, NodeRow, Why, account},
    },
    provision::Provision,
    request::Reply,
};

use crate::{
    eval::Flow,
    kubectl::{known, print::table::Table},
    tool::Call,
};

pub(super) const USAGE: &str = "lab import FILE…";

/// Most rows of each table.
const MOST: usize = 20;

/// Reads the files, makes the cluster, and makes its context the current one.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.is_empty() || call.args.iter().any(|it| it == "--help" || it == "-h") {
        call.out.line("Prints what is known of a cluster, and shows it: nothing leaves this page.");
        call.out.line("  kubectl get nodes,pods,svc,deploy -A -o yaml > cluster.yaml");
        call.out.line("  aws ec2 describe-subnets > subnets.json                        (if you can)");
        call.out.line("  aws ec2 describe-network-interfaces > interfaces.json          (if you can)");
        call.out.line("  lab import cluster.yaml subnets.json interfaces.json");
        return Ok(super::usage(call, "import"));
    }
    let mut files = Vec::new();
    for name in call.args.clone() {
        match call.shell.machine.files.read(&call.shell.machine.path(&name)) {
            Ok(text) => files.push((name, text.to_string())),
            Err(error) => {
                call.out.err(&format!("lab: {name}: {error}"));
                return Ok(1);
            }
        }
    }
    let import = match Import::read(&files) {
        Ok(import) => import,
        Err(error) => {
            call.out.err(&format!("lab: {error}"));
            return Ok(1);
        }
    };
    let unknown: Vec<String> = import.unknown.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    let asked = call
        .shell
        .world
        .request(&Principal::admin(), Request::Provision(Provision::Import(Box::new(import))));
    let name = match asked {
        Ok(Reply::Value(value)) => value["cluster"].as_str().unwrap_or_default().to_owned(),
        Ok(_) => String::new(),
        Err(refusal) => {
            call.out.err(&format!("lab: {refusal}"));
            return Ok(1);
        }
    };
    let Some(plane) = known::plane(call.shell.world, &name) else { return Ok(1) };
    let (context, entry, user) = known::entries(call.shell.world, plane);
    let cluster = ClusterId(plane.id);
    call.shell.machine.kubeconfig.add(context, entry, user);
    for line in said(call.shell.world, cluster, &name, &unknown) {
        call.out.line(&line);
    }
    Ok(0)
}

/// The cluster in figures, what holds its pods up, and what was not given.
fn said(world: &World, cluster: ClusterId, name: &str, unknown: &[String]) -> Vec<String> {
    let it = account(world, cluster);
    let mut lines = vec![format!("imported {name:?}: {} nodes. It stands still, as it was.", it.nodes.len())];
    if !unknown.is_empty() {
        lines.push(format!("left out, of kinds that the lab does not have: {}", unknown.join(", ")));
    }
    lines.extend(nodes(&it));
    lines.extend(subnets(&it));
    lines.extend(waiting(&it));
    lines.extend(it.missing.iter().map(|what| format!("not given: {}", missing(*what))));
    lines
}

/// A table with its head, its rows up to [`MOST`], and how many more there are.
fn table(head: &[&str], rows: Vec<Vec<String>>) -> Vec<String> {
    let more = rows.len().saturating_sub(MOST);
    let mut table = Table::default();
    table.row(head.iter().map(|it| (*it).to_owned()).collect());
    rows.into_iter().take(MOST).for_each(|row| table.row(row));
    let mut lines = vec![String::new()];
    lines.extend(table.print().lines().map(str::to_owned));
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}

fn nodes(it: &Account) -> Vec<String> {
    let row = |node: &NodeRow| {
        let held = node.held.map(|it| (it.enis.to_string(), it.addresses.to_string(), it.spare.to_string()));
        let (enis, addresses, spare) = held.unwrap_or_else(|| ("?".into(), "?".into(), "?".into()));
        let instance_type =
            if node.instance_type.is_empty() { "?".to_owned() } else { node.instance_type.clone() };
        vec![
            node.name.clone(),
            instance_type,
            format!("{}/{}", node.pods, node.max_pods),
            enis,
            addresses,
            spare,
        ]
    };
    table(&["NODE", "TYPE", "PODS", "ENIS", "ADDRESSES HELD", "SPARE"], it.nodes.iter().map(row).collect())
}

fn subnets(it: &Account) -> Vec<String> {
    if it.subnets.is_empty() {
        return Vec::new();
    }
    let rows = it.subnets.iter().map(|it| {
        vec![
            it.name.clone(),
            it.cidr.clone(),
            format!("{}/{}", it.free, it.usable),
            it.held_unseen.to_string(),
        ]
    });
    table(&["SUBNET", "CIDR", "FREE", "TAKEN BY OTHERS"], rows.collect())
}

fn waiting(it: &Account) -> Vec<String> {
    if it.waiting.is_empty() {
        return vec![String::new(), "no pod is Pending".to_owned()];
    }
    // Pods of one owner mostly wait for the same.
    let mut groups: Vec<(&str, String, usize)> = Vec::new();
    for it in &it.waiting {
        let why = match &it.why {
            Why::NoNode(message) => message.clone(),
            Why::Fits(node) => {
                format!("{node} would take it by all that was given: what holds it up is not among it")
            }
            Why::NoAddress(node) => format!("it is on {node}, whose interfaces have no address left for it"),
            Why::OnNode { node, reason, message } if message.is_empty() => {
                format!("it is on {node}: {reason}")
            }
            Why::OnNode { node, reason, message } => format!("it is on {node}: {reason}: {message}"),
        };
        let name = it.owner.as_deref().unwrap_or(&it.pod);
        match groups.iter_mut().find(|group| (group.0, &group.1) == (name, &why)) {
            Some(group) => group.2 += 1,
            None => groups.push((name, why, 1)),
        }
    }
    let rows = groups.into_iter().map(|(name, why, pods)| vec![name.to_owned(), pods.to_string(), why]);
    table(&["PENDING", "PODS", "WHY"], rows.collect())
}

fn missing(what: Missing) -> &'static str {
    match what {
        Missing::Subnets => "aws ec2 describe-subnets, so nothing is known of what is free",
        Missing::Interfaces => {
            "aws ec2 describe-network-interfaces of every node, so what they hold in advance is not known"
        }
        Missing::Owners => {
            "what owns the pods (ReplicaSets, DaemonSets, …), so nothing is made, moved or replaced"
        }
        Missing::AwsNode => {
            "the pods of aws-node, so the CNI is taken to have the settings it is shipped with"
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    const NODE: &str = "cat > cluster.yaml <<'EOF'\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Node\n  metadata:\n    \
        name: a\n    labels: {node.kubernetes.io/instance-type: m5.large}\n  status:\n    capacity: {pods: '29', cpu: '2', memory: 8Gi}\n    \
        allocatable: {pods: '29', cpu: '2', memory: 8Gi}\nEOF\n";

    #[test]
    fn a_cluster_is_shown_with_what_is_not_known_of_it() {
        let (out, err, status) = sh(&format!("{NODE}lab import cluster.yaml\nkubectl get nodes -o name"));
        assert_eq!((err.as_str(), status), ("", 0));
        assert!(out.starts_with("imported \"imported\": 1 nodes."), "{out}");
        assert!(out.contains("a      m5.large   0/29   ?      ?                ?"), "{out}");
        assert!(out.contains("not given: aws ec2 describe-subnets"), "{out}");
        assert!(out.ends_with("node/a\n"), "{out}");
    }

    #[test]
    fn pods_of_one_owner_that_wait_for_the_same_are_one_row() {
        let pod = |name: &str, owner: &str| {
            format!(
                "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: {name}\n    namespace: shop\n    labels: {{pod-template-hash: 5d9}}\n    \
                ownerReferences: [{{apiVersion: apps/v1, kind: ReplicaSet, name: {owner}, uid: a, controller: true}}]\n  \
                spec:\n    nodeSelector: {{disk: ssd}}\n    containers: [{{name: a, image: a}}]\n  status: {{phase: Pending}}\n"
            )
        };
        let pods = [pod("web-5d9-a", "web-5d9"), pod("web-5d9-b", "web-5d9"), pod("old-c", "old")].concat();
        let nodes = NODE.strip_suffix("EOF\n").expect("a here-document");
        let (out, err, _) = sh(&format!("{nodes}{pods}EOF\nlab import cluster.yaml"));
        assert_eq!(err, "");
        assert!(out.contains("shop/deployment/web   2      0/1 nodes are available"), "{out}");
        assert!(out.contains("shop/replicaset/old   1      0/1 nodes are available"), "{out}");
    }

    #[test]
    fn nodes_of_another_type_are_weighed() {
        let asks = "lab import cluster.yaml > /dev/null\nlab what-if --instance-type m5.large=m6i.xlarge";
        let (out, _, status) = sh(&format!("{NODE}{asks}"));
        assert!(out.contains("a      m5.large -> m6i.xlarge   29 -> 58   ?"), "{out}");
        assert_eq!(status, 0);
        let (_, err, status) = sh(&format!("{NODE}{asks}e"));
        assert_eq!(
            (err.as_str(), status),
            ("lab: unknown instance type \"m6i.xlargee\"; did you mean \"m6i.xlarge\"?\n", 1)
        );
    }

    #[test]
    fn changes_are_asked_about_together_and_a_target_wants_a_number() {
        let asks = "lab import cluster.yaml > /dev/null\nlab what-if --instance-type m5.large=m6i.xlarge --prefix-delegation";
        let (out, _, _) = sh(&format!("{NODE}{asks}"));
        assert!(out.contains("a      m5.large -> m6i.xlarge   29 -> 110   ?"), "{out}");
        let asks = "lab import cluster.yaml > /dev/null\nlab what-if --warm-ip-target";
        assert!(sh(&format!("{NODE}{asks} 2")).0.contains("once the pools have come to rest:"));
        assert_eq!(sh(&format!("{NODE}{asks} two")).2, 2);
    }

    #[test]
    fn what_is_no_cluster_is_refused() {
        let (_, err, status) = sh("echo hello: 1 > f.yaml\nlab import f.yaml");
        assert!(err.starts_with("lab: f.yaml: this is neither what kubectl"), "{err}");
        assert_eq!(status, 1);
        assert_eq!(sh("lab import no.yaml").1, "lab: no.yaml: No such file or directory\n");
    }
}
