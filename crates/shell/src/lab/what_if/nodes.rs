//! `lab what-if --prefix-delegation`, `--instance-type FROM=TO`, `--warm-ip-target N` …: what would nodes, subnets and waiting
//! pods be?

use cluster::import::outlook::{Change, NoOutlook, NodeOutlook, Outlook, outlook};
use cni::limits;

use crate::{
    eval::Flow,
    flag::{Flag, FlagError, Given, switch, value},
    kubectl::print::table::Table,
    lab::{act, usage},
    tool::{Call, nearest},
};

const PREFIX_DELEGATION: &str = "prefix-delegation";
const INSTANCE_TYPE: &str = "instance-type";
/// As the CNI's variables are called.
const TARGETS: [&str; 4] = ["warm-eni-target", "warm-ip-target", "minimum-ip-target", "warm-prefix-target"];
const FLAGS: &[Flag] = &[
    switch(PREFIX_DELEGATION, '\0'),
    value(INSTANCE_TYPE, '\0'),
    value(TARGETS[0], '\0'),
    value(TARGETS[1], '\0'),
    value(TARGETS[2], '\0'),
    value(TARGETS[3], '\0'),
    switch("json", '\0'),
];

/// Whether the line asks about nodes, not about a pod.
pub(super) fn is_meant(args: &[String]) -> bool {
    let names = |arg: &String, flag: &str| {
        arg.strip_prefix("--")
            .is_some_and(|it| it == flag || it.strip_prefix(flag).is_some_and(|it| it.starts_with('=')))
    };
    let ours = |arg: &String| FLAGS.iter().any(|flag| flag.long != "json" && names(arg, flag.long));
    args.iter().any(ours)
}

/// Answers it.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let given = match Given::parse(&call.args, &[FLAGS]) {
        Ok(given) => given,
        Err(FlagError::Help) => return Ok(usage(call, "what-if")),
        Err(error) => {
            call.out.err(&format!("lab: {error}"));
            return Ok(usage(call, "what-if"));
        }
    };
    let Some(change) = change(&given) else { return Ok(usage(call, "what-if")) };
    let Some(cluster) = act::here(call) else {
        call.out.err("lab: there is no cluster in the current context");
        return Ok(1);
    };
    let found = match outlook(call.shell.world, cluster, &change) {
        Ok(found) => found,
        Err(error) => {
            let near = match &error {
                NoOutlook::UnknownType(name) => nearest(name, limits::every().iter().map(|it| it.name)),
                NoOutlook::NoNode(..) => Vec::new(),
            };
            let near = near.first().map(|it| format!("; did you mean {it:?}?")).unwrap_or_default();
            call.out.err(&format!("lab: {error}{near}"));
            return Ok(1);
        }
    };
    if given.on("json") {
        call.out.line(&format!("{:#}", serde_json::json!({"change": change, "then": found})));
        return Ok(0);
    }
    for line in said(&found) {
        call.out.line(&line);
    }
    Ok(0)
}

/// What is asked about; nothing where a flag cannot be read.
fn change(given: &Given) -> Option<Change> {
    let target = |flag: &str| given.value(flag).map(|it| it.parse::<u32>().ok());
    let [eni, ip, minimum, prefix] = TARGETS.map(target);
    let instance_type = given.value(INSTANCE_TYPE).map(|it| it.split_once('='));
    let said = |it: Option<Option<u32>>| it.map_or(Some(None), |it| it.map(Some));
    Some(Change {
        prefix_delegation: given.on(PREFIX_DELEGATION),
        instance_type: match instance_type {
            None => None,
            Some(types) => types.map(|(from, to)| Some((from.to_owned(), to.to_owned())))?,
        },
        warm_eni: said(eni)?,
        warm_ip: said(ip)?,
        minimum_ip: said(minimum)?,
        warm_prefix: said(prefix)?,
    })
}

/// The tables.
fn said(it: &Outlook) -> Vec<String> {
    let mut lines = vec![match it.replaces_nodes {
        true => "if every such node were replaced by a new one with the same pods:".to_owned(),
        false => "once the pools have come to rest:".to_owned(),
    }];
    let mut add = |head: [&str; 4], rows: Vec<[String; 4]>| {
        if rows.is_empty() {
            return;
        }
        let mut table = Table::default();
        table.row(head.map(str::to_owned).into());
        rows.into_iter().for_each(|row| table.row(row.into()));
        lines.push(String::new());
        lines.extend(table.print().lines().map(|line| line.trim_end().to_owned()));
    };
    add(["NODE", "TYPE", "MAX PODS", "ADDRESSES HELD"], it.nodes.iter().map(node).collect());
    let subnets = it.subnets.iter().map(|it| {
        let lack = (it.then < 0).then(|| format!("{} addresses lack", -it.then));
        let blocks = it.whole_blocks.map(|blocks| format!("{blocks} whole blocks for prefixes now"));
        let remarks: Vec<String> = lack.into_iter().chain(blocks).collect();
        [it.name.clone(), format!("{} free", it.free), format!("-> {}", it.then.max(0)), remarks.join(", ")]
    });
    add(["SUBNET", "NOW", "THEN", ""], subnets.collect());
    let pods = it.pods.iter().map(|it| match &it.node {
        Some(node) => [it.pod.clone(), "no node".to_owned(), format!("-> {node}"), String::new()],
        None => [it.pod.clone(), "no node".to_owned(), "-> no node".to_owned(), it.message.clone()],
    });
    add(["PENDING POD", "NOW", "THEN", ""], pods.collect());
    if !it.unable.is_empty() {
        lines.push(format!("cannot hold prefixes: {}", it.unable.join(", ")));
    }
    if it.default_targets {
        lines.push(
            "the pods of aws-node were not given: the CNI is taken to have the settings it is shipped with"
                .to_owned(),
        );
    }
    lines
}

fn node(it: &NodeOutlook) -> [String; 4] {
    let instance_type = match it.now.instance_type == it.instance_type {
        true => it.instance_type.clone(),
        false => format!("{} -> {}", it.now.instance_type, it.instance_type),
    };
    let held = match (it.now.held, it.held) {
        (Some(now), Some(then)) => format!("{} -> {}", now.addresses, then.addresses),
        (None, Some(then)) => format!("? -> {}", then.addresses),
        (_, None) => "?".to_owned(),
    };
    [it.now.name.clone(), instance_type, format!("{} -> {}", it.now.max_pods, it.max_pods), held]
}
