//! What does `eksctl` print?
//!
//! Log lines with the time of day go to standard output, `Error: …` to standard error. A command takes as long as the real one, in simulated time.
//! Source: eksctl 0.230, `pkg/actions/nodegroup`, `pkg/ctl`; recorded by hand, see decisions.

mod addon;
mod cluster;
mod drain;
mod fargate;
mod get;
mod nodegroup;
mod print;
mod subnets;
mod tasks;

use ::cluster::{AwsError, ClusterId, Principal, Refusal, Reply, Request, World, provision::Provision};
use api::{SimDuration, kinds::eksctl::ClusterConfig};

use crate::{
    eval::Flow,
    flag::{Flag, FlagError, Given, duration, int, optional, switch, value},
    output::Hint,
    tool::Call,
};

pub(crate) const VERSION: &str = "0.230.0";

const FLAGS: &[Flag] = &[
    value("cluster", '\0'),
    value("name", 'n'),
    value("region", 'r'),
    value("config-file", 'f'),
    value("profile", 'p'),
    value("version", '\0'),
    value("zones", '\0'),
    value("vpc-cidr", '\0'),
    value("nodegroup-name", '\0'),
    value("node-type", 't'),
    value("instance-types", '\0'),
    value("node-labels", '\0'),
    value("node-zones", '\0'),
    value("node-ami-family", '\0'),
    value("subnet-ids", '\0'),
    value("output", 'o'),
    value("node-ami", '\0'),
    duration("timeout"),
    duration("max-grace-period"),
    duration("pod-eviction-wait-period"),
    int("parallel"),
    switch("undo", '\0'),
    switch("enable-node-repair", '\0'),
    switch("only-missing", '\0'),
    int("chunk-size"),
    value("include", '\0'),
    value("exclude", '\0'),
    value("only", '\0'),
    value("kubernetes-version", '\0'),
    value("release-version", '\0'),
    value("color", 'C'),
    value("verbose", 'v'),
    int("nodes"),
    int("nodes-min"),
    int("nodes-max"),
    int("node-volume-size"),
    int("max-pods-per-node"),
    switch("managed", '\0'),
    switch("fargate", '\0'),
    switch("spot", '\0'),
    switch("node-private-networking", 'P'),
    switch("without-nodegroup", '\0'),
    switch("wait", 'w'),
    switch("drain", '\0'),
    switch("approve", '\0'),
    switch("force", '\0'),
    switch("force-upgrade", '\0'),
    switch("update-auth-configmap", '\0'),
    switch("preserve", '\0'),
    switch("disable-eviction", '\0'),
    switch("all-regions", 'A'),
    optional("dry-run", "true"),
];

/// `eksctl …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let mut args = std::mem::take(&mut call.args);
    // `--nodes` has a short form of its own.
    for arg in &mut args {
        if let Some(number) = arg.strip_prefix("-N") {
            *arg = format!("--nodes{}{number}", if number.is_empty() { "" } else { "=" });
        } else if let Some(rest) = arg.strip_prefix("-m").filter(|r| r.is_empty()) {
            *arg = format!("--nodes-min{rest}");
        } else if let Some(rest) = arg.strip_prefix("-M").filter(|r| r.is_empty()) {
            *arg = format!("--nodes-max{rest}");
        }
    }
    let own = args.iter().any(|it| it == "fargateprofile" || it == "fargateprofiles");
    let given = match Given::parse(&args, &[if own { fargate::FLAGS } else { &[] }, FLAGS]) {
        Ok(given) => given,
        Err(FlagError::Help) => {
            call.out.out(HELP);
            return Ok(0);
        }
        Err(error) => {
            call.out.err(&format!("Error: {error}"));
            if let FlagError::Unknown(flag) = &error {
                let nearest = crate::tool::nearest(flag, FLAGS.iter().map(|f| f.long));
                let nearest = nearest.iter().map(|f| format!("--{f}")).collect();
                call.out.hint(Hint::UnknownFlag { flag: format!("--{flag}"), nearest });
            }
            return Ok(1);
        }
    };
    let words: Vec<&str> = given.args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] => {
            call.out.out(HELP);
            Ok(())
        }
        ["version"] => {
            call.out.line(VERSION);
            Ok(())
        }
        ["create", "cluster", rest @ ..] => cluster::create(call, &given, rest.first().copied()),
        ["get", "cluster" | "clusters", rest @ ..] => get::clusters(call, &given, rest.first().copied()),
        ["upgrade", "cluster", rest @ ..] => cluster::upgrade(call, &given, rest.first().copied()),
        ["delete", "cluster", rest @ ..] => cluster::delete(call, &given, rest.first().copied()),
        ["create", "nodegroup" | "ng", rest @ ..] => nodegroup::create(call, &given, rest.first().copied()),
        ["get", "nodegroup" | "nodegroups" | "ng", rest @ ..] => {
            get::nodegroups(call, &given, rest.first().copied())
        }
        ["scale", "nodegroup" | "ng", rest @ ..] => nodegroup::scale(call, &given, rest.first().copied()),
        ["upgrade", "nodegroup" | "ng", rest @ ..] => nodegroup::upgrade(call, &given, rest.first().copied()),
        ["delete", "nodegroup" | "ng", rest @ ..] => drain::delete(call, &given, rest.first().copied()),
        ["drain", "nodegroup" | "ng", rest @ ..] => drain::drain(call, &given, rest.first().copied()),
        ["create", "fargateprofile", rest @ ..] => fargate::create(call, &given, rest.first().copied()),
        ["get", "fargateprofile" | "fargateprofiles", rest @ ..] => {
            fargate::get(call, &given, rest.first().copied())
        }
        ["delete", "fargateprofile", rest @ ..] => fargate::delete(call, &given, rest.first().copied()),
        ["create", "addon", rest @ ..] => addon::create(call, &given, rest.first().copied()),
        ["get", "addon" | "addons", rest @ ..] => addon::get(call, &given, rest.first().copied()),
        ["update", "addon", rest @ ..] => addon::update(call, &given, rest.first().copied()),
        ["delete", "addon", rest @ ..] => addon::delete(call, &given, rest.first().copied()),
        ["utils", "write-kubeconfig"] => cluster::write_kubeconfig(call, &given),
        [
            verb @ ("create" | "get" | "delete" | "scale" | "utils" | "upgrade" | "update" | "enable"
            | "drain"),
            ..,
        ] => {
            call.out.hint(Hint::NotSimulated { what: format!("eksctl {}", words.join(" ")) });
            Err(format!("lab: eksctl {verb} is not available for this here"))
        }
        [other, ..] => {
            let known = [
                "create", "get", "update", "upgrade", "delete", "scale", "drain", "utils", "version", "info",
            ];
            let nearest = crate::tool::nearest(other, known.into_iter());
            call.out.hint(Hint::UnknownCommand { name: format!("eksctl {other}"), nearest });
            Err(format!("Error: unknown command {other:?} for \"eksctl\"\nRun 'eksctl --help' for usage."))
        }
    };
    match done {
        Ok(()) => Ok(0),
        Err(message) => {
            call.out.err(&message);
            Ok(1)
        }
    }
}

const HELP: &str = "The official CLI for Amazon EKS\n\nUsage: eksctl [command] [flags]\n\nCommands:\n  eksctl create                          Create resource(s)\n  eksctl delete                          Delete resource(s)\n  eksctl get                             Get resource(s)\n  eksctl scale                           Scale resources(s)\n  eksctl utils                           Various utils\n  eksctl version                         Output the version of eksctl\n\nUse 'eksctl [command] --help' for more information about a command.\n";

/// A log line.
fn log(call: &mut Call<'_, '_>, text: &str) {
    mark(call, "ℹ", text);
}

/// A log line of success.
fn done(call: &mut Call<'_, '_>, text: &str) {
    mark(call, "✔", text);
}

/// A log line of warning.
fn warn(call: &mut Call<'_, '_>, text: &str) {
    mark(call, "!", text);
}

/// A log line of something that went wrong.
fn critical(call: &mut Call<'_, '_>, text: &str) {
    mark(call, "✖", text);
}

fn mark(call: &mut Call<'_, '_>, sign: &str, text: &str) {
    let line = marked(call.shell.world, sign, text);
    call.out.line(&line);
}

/// A log line: the time of day, a sign, the text.
fn marked(world: &World, sign: &str, text: &str) -> String {
    let now = world.stamp(world.now()).0.to_zoned(jiff::tz::TimeZone::UTC);
    let now = jiff::fmt::strtime::format("%Y-%m-%d %H:%M:%S", &now).unwrap_or_default();
    format!("{now} [{sign}]  {text}")
}

/// Asks for something to be made; the refusal in eksctl's words.
fn ask(call: &mut Call<'_, '_>, what: Provision) -> Result<(), String> {
    match call.shell.world.request(&Principal::admin(), Request::Provision(what)) {
        Ok(Reply::Object(_) | Reply::List(_) | Reply::Value(_)) => Ok(()),
        Err(Refusal::Aws(error)) => Err(format!("Error: {}", refused(&error))),
        Err(other) if other.to_string().starts_with("lab: ") => Err(other.to_string()),
        Err(other) => Err(format!("Error: {other}")),
    }
}

/// A refusal of AWS's as its SDK for Go says it; the id of the request is left out.
/// Source: aws-sdk-go-v2: errors of EKS have a type of their own, those of EC2 and Auto Scaling are `api error`s.
fn refused(error: &AwsError) -> String {
    let AwsError { operation, code, message, .. } = error;
    let status = match code.as_str() {
        "ResourceNotFoundException" => 404,
        "ResourceInUseException" => 409,
        _ => 400,
    };
    let (service, kind) = match operation.as_str() {
        "UpdateAutoScalingGroup" => ("Auto Scaling", "api error "),
        "DescribeSubnets" => ("EC2", "api error "),
        _ => ("EKS", ""),
    };
    format!(
        "operation error {service}: {operation}, https response error StatusCode: {status}, {kind}{code}: {message}"
    )
}

/// The groups that a command goes on with.
fn included<S: AsRef<str>>(call: &mut Call<'_, '_>, names: &[S]) {
    let list = names.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    let what = match names.len() {
        0 => return,
        1 => format!("1 nodegroup ({list}) was"),
        n => format!("{n} nodegroups ({list}) were"),
    };
    log(call, &format!("{what} included (based on the include/exclude rules)"));
}

/// How long a command waits, unless `--timeout` says otherwise.
fn patience(given: &Given, usual: SimDuration) -> SimDuration {
    given.value("timeout").and_then(crate::text::sleep::seconds).unwrap_or(usual)
}

/// The name that a flag or an argument gives, not both.
fn named<'g>(given: &'g Given, word: Option<&'g str>) -> Result<Option<&'g str>, String> {
    match (given.value("name"), word) {
        (Some(flag), Some(word)) => {
            Err(format!("Error: --name={flag} and argument {word} cannot be used at the same time"))
        }
        (flag, word) => Ok(flag.or(word)),
    }
}

/// The config file that `-f` names.
fn config(call: &mut Call<'_, '_>, given: &Given) -> Result<Option<ClusterConfig>, String> {
    let Some(file) = given.value("config-file") else { return Ok(None) };
    let text = if file == "-" {
        call.stdin.rest()
    } else {
        let machine = &call.shell.machine;
        match machine.files.read(&machine.path(file)) {
            Ok(text) => text.to_string(),
            Err(error) => {
                let why = error.to_string().to_lowercase();
                return Err(format!("Error: loading config file {file:?}: open {file}: {why}"));
            }
        }
    };
    let reading = api::text::read(&text);
    let Some(document) = reading.documents.first() else {
        return Err(format!("Error: loading config file {file:?}: no data found"));
    };
    let broken = document.kubectl_error();
    let (config, found) = api::kinds::eksctl::read(document);
    let refused = broken
        .map(|error| format!("loading config file {file:?}: {error}"))
        .or_else(|| api::kinds::eksctl::refusal(file, &found));
    match refused {
        Some(refusal) => {
            if let Some(text) = api::text::reindent(&text) {
                call.out.hint(Hint::Reindent { name: file.to_owned(), text });
            }
            Err(format!("Error: {refusal}"))
        }
        None => Ok(config),
    }
}

/// The cluster that a command is about.
fn cluster_name(given: &Given, config: Option<&ClusterConfig>) -> Result<String, String> {
    match (given.value("cluster"), config) {
        (Some(_), Some(_)) => Err("Error: cannot use --cluster when --config-file/-f is set".to_owned()),
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(config)) => Ok(config.metadata.name.clone()),
        (None, None) => Err("Error: --cluster must be set".to_owned()),
    }
}

fn exists(world: &World, cluster: &str) -> Result<(), String> {
    match world.store().get::<api::kinds::eks::EksCluster>(ClusterId::WORLD, "", cluster) {
        Some(_) => Ok(()),
        None => Err(format!(
            "Error: unable to describe cluster control plane: operation error EKS: DescribeCluster, https response error StatusCode: 404, ResourceNotFoundException: No cluster found for name: {cluster}."
        )),
    }
}
