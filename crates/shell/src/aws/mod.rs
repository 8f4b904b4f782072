//! What does `aws` print?
//!
//! The few calls that scripts of the lab need: `eks update-kubeconfig|describe-cluster|list-clusters`, `ec2 stop-instances` and its kind. Answers are
//! JSON as the real CLI indents it; refusals end with status 254. Source: AWS CLI 2.

mod show;

use api::kinds::eks::EksCluster;
use cluster::{ClusterId, Principal, Refusal, Reply, Request, cloud::ACCOUNT, request::AwsRequest};
use serde_json::{Map, Value, json};

use crate::{eval::Flow, kubectl::known, output::Hint, tool::Call};
use show::show;

/// `aws SERVICE OPERATION …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args = std::mem::take(&mut call.args);
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--version"] => {
            call.out.line("aws-cli/2.24.0 Python/3.12.6 Linux/6.1.0 exe/x86_64");
            Ok(0)
        }
        ["sts", "get-caller-identity", ..] => {
            let account = ACCOUNT;
            let who = json!({"UserId": "AIDAEXAMPLEEXAMPLE", "Account": account, "Arn": format!("arn:aws:iam::{account}:user/alice")});
            Ok(show(call, &who, &words))
        }
        ["eks", "update-kubeconfig", ..] => Ok(update_kubeconfig(call, &words)),
        ["eks", "list-clusters", ..] => {
            let all = call.shell.world.store().list::<EksCluster>(ClusterId::WORLD, None);
            let names: Vec<String> = all.filter_map(|c| c.metadata.name.clone()).collect();
            Ok(show(call, &json!({"clusters": names}), &words))
        }
        ["eks", "describe-cluster", ..] => Ok(describe_cluster(call, &words)),
        ["ec2", operation, ..] => Ok(ec2(call, operation, &words)),
        [service, operation, ..] => {
            call.out.hint(Hint::NotSimulated { what: format!("aws {service} {operation}") });
            call.out.err(&format!("lab: aws {service} {operation} is not available in this lab yet"));
            Ok(252)
        }
        _ => {
            call.out.err("usage: aws [options] <command> <subcommand> [<subcommand> ...] [parameters]\nTo see help text, you can run:\n\n  aws help\n  aws <command> help\n  aws <command> <subcommand> help\n\naws: error: the following arguments are required: command");
            Ok(252)
        }
    }
}

/// The value after a flag.
fn flag<'w>(words: &[&'w str], name: &str) -> Option<&'w str> {
    words.iter().enumerate().find_map(|(i, word)| match word.strip_prefix(name) {
        Some("") => words.get(i + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    })
}

fn missing(call: &mut Call<'_, '_>, operation: &str, name: &str) -> i32 {
    call.out.err(&format!(
        "\nAn error occurred (ResourceNotFoundException) when calling the {operation} operation: No cluster found for name: {name}."
    ));
    254
}

fn named<'w>(call: &mut Call<'_, '_>, words: &[&'w str]) -> Option<&'w str> {
    let name = flag(words, "--name");
    if name.is_none() {
        call.out.err("\nusage: aws [options] <command> <subcommand> [<subcommand> ...] [parameters]\nTo see help text, you can run:\n\n  aws help\n  aws <command> help\n  aws <command> <subcommand> help\n\naws: error: the following arguments are required: --name");
    }
    name
}

fn update_kubeconfig(call: &mut Call<'_, '_>, words: &[&str]) -> i32 {
    let Some(name) = named(call, words) else { return 252 };
    if call.shell.world.store().get::<EksCluster>(ClusterId::WORLD, "", name).is_none() {
        return missing(call, "DescribeCluster", name);
    }
    let (context, entry, user) = known::by_aws(call.shell.world, name, flag(words, "--alias"));
    let shown = context.name.clone();
    let new = call.shell.machine.kubeconfig.add(context, entry, user);
    let verb = if new { "Added new context" } else { "Updated context" };
    let word = if new { "to" } else { "in" };
    call.out.line(&format!("{verb} {shown} {word} /home/user/.kube/config"));
    0
}

fn describe_cluster(call: &mut Call<'_, '_>, words: &[&str]) -> i32 {
    let Some(name) = named(call, words) else { return 252 };
    let Some(it) = call.shell.world.store().get::<EksCluster>(ClusterId::WORLD, "", name).cloned() else {
        return missing(call, "DescribeCluster", name);
    };
    let region = known::region(call.shell.world, name);
    let answer = json!({"cluster": {
        "name": name,
        "arn": format!("arn:aws:eks:{region}:{}:cluster/{name}", ACCOUNT),
        "version": it.version,
        "endpoint": it.endpoint,
        "resourcesVpcConfig": {
            "subnetIds": it.subnets,
            "securityGroupIds": [],
            "clusterSecurityGroupId": it.cluster_security_group,
            "vpcId": it.vpc,
            "endpointPublicAccess": it.endpoint_public_access,
            "endpointPrivateAccess": it.endpoint_private_access,
            "publicAccessCidrs": it.public_access_cidrs,
        },
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": it.service_ipv4_cidr, "ipFamily": "ipv4"},
        "status": it.status,
    }});
    show(call, &answer, words)
}

/// `stop-instances` as `StopInstances`, `--instance-ids i-1 i-2` as its parameters.
fn ec2(call: &mut Call<'_, '_>, operation: &str, words: &[&str]) -> i32 {
    let pascal = |text: &str| text.split('-').map(|p| p[..1].to_uppercase() + &p[1..]).collect::<String>();
    let action = match operation {
        "stop-instances" => "StopInstances",
        "start-instances" => "StartInstances",
        "terminate-instances" => "TerminateInstances",
        "describe-instances" => "DescribeInstances",
        "associate-vpc-cidr-block" => "AssociateVpcCidrBlock",
        "create-subnet" => "CreateSubnet",
        "create-tags" => "CreateTags",
        "delete-tags" => "DeleteTags",
        "describe-subnets" => "DescribeSubnets",
        "describe-network-interfaces" => "DescribeNetworkInterfaces",
        "create-network-interface" => "CreateNetworkInterface",
        "delete-network-interface" => "DeleteNetworkInterface",
        "create-subnet-cidr-reservation" => "CreateSubnetCidrReservation",
        "get-subnet-cidr-reservations" => "GetSubnetCidrReservations",
        "delete-subnet-cidr-reservation" => "DeleteSubnetCidrReservation",
        other => {
            call.out.hint(Hint::NotSimulated { what: format!("aws ec2 {other}") });
            call.out.err(&format!("lab: aws ec2 {other} is not available in this lab yet"));
            return 252;
        }
    };
    let mut input = Map::new();
    let mut name = String::new();
    for word in &words[2..] {
        if let Some(flag) = word
            .strip_prefix("--")
            .filter(|f| !f.is_empty() && f.split('-').all(|p| !p.is_empty() && p.is_ascii()))
        {
            name = pascal(flag);
        } else if !matches!(name.as_str(), "" | "Query" | "Output" | "Region" | "Profile") {
            let list = input.entry(name.clone()).or_insert_with(|| json!([]));
            if let Value::Array(items) = list {
                items.push((*word).into());
            }
        }
    }
    let request = AwsRequest { service: "ec2", action, input: Value::Object(input) };
    match call.shell.world.request(&Principal::admin(), Request::Aws(request)) {
        Ok(Reply::Value(Value::Null)) => 0,
        Ok(Reply::Value(answer)) => show(call, &answer, words),
        Ok(Reply::Object(_) | Reply::List(_)) => 0,
        Err(Refusal::Aws(error)) => {
            call.out.err(&format!("\n{error}"));
            254
        }
        Err(other) => {
            call.out.err(&other.to_string());
            254
        }
    }
}
