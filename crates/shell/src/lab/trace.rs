//! `lab trace`: which way does a packet take, and who stops it?

use api::{Resource, kinds::sim::ControlPlane};
use cluster::{
    ClusterId,
    path::{self, Traced},
};
use network::{Hop, Probe, Rule, Trace, Verdict};
use serde_json::{Value, json};

use crate::{
    eval::Flow,
    flag::{Flag, FlagError, Given, switch, value},
    lab::{LabCall, usage},
    output::{Hint, Output},
    tool::{Call, nearest},
};

pub(super) const USAGE: &str = "lab trace FROM TO[:PORT] [--proto tcp|udp] [--all] [--json]";

const FLAGS: &[Flag] = &[value("proto", '\0'), switch("all", '\0'), switch("json", '\0')];

/// `lab trace FROM TO[:PORT]`.
pub(super) fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let given = match Given::parse(&call.args, &[FLAGS]) {
        Ok(given) => given,
        Err(FlagError::Help) => return Ok(usage(call, "trace")),
        Err(error) => {
            call.out.err(&format!("lab: {error}"));
            return Ok(usage(call, "trace"));
        }
    };
    let proto = given.value("proto");
    if let Some(other) = proto.filter(|it| !["tcp", "udp"].contains(&it.to_lowercase().as_str())) {
        call.out.err(&format!("lab: {other:?} is no protocol that is traced: tcp or udp"));
        return Ok(2);
    }
    let [from, to] = given.args.as_slice() else { return Ok(usage(call, "trace")) };
    let (from, to) = (from.clone(), to.clone());
    let cluster = current(call);
    let traced = match path::trace(call.shell.world, cluster, &from, &to, proto) {
        Ok(traced) => traced,
        Err(error) => return Ok(unknown(call, error)),
    };
    call.shell.machine.journal.push(LabCall::Trace { from: from.clone(), to: to.clone() });
    let all = if given.on("all") {
        path::every_choice(call.shell.world, cluster, &traced)
    } else {
        vec![Traced::clone(&traced)]
    };
    if given.on("json") {
        let shown: Vec<Value> = all.iter().map(as_json).collect();
        let text = match shown.as_slice() {
            [one] if !given.on("all") => format!("{one:#}"),
            _ => format!("{:#}", Value::Array(shown)),
        };
        call.out.line(&text);
    } else {
        for (number, one) in all.iter().enumerate() {
            if number > 0 {
                call.out.line("");
            }
            let backends = one.trace.backends.len();
            if let Some(pick) = one.probe.pick.as_ref().filter(|_| given.on("all") && backends > 1) {
                call.out.line(&format!("one in {backends}: {pick}"));
            }
            print(call.out, &from, &to, one);
        }
    }
    Ok(i32::from(!all.iter().all(|it| it.trace.reachable())))
}

/// What was asked and what came of it.
fn as_json(traced: &Traced) -> Value {
    let Probe { from, to, port, proto, pick, .. } = &traced.probe;
    let Trace { hops, blockers, backends, records } = &traced.trace;
    json!({"from": from, "to": to, "port": port, "proto": proto, "backend": pick, "verdict": verdict(&traced.trace),
        "hops": hops, "blockers": blockers, "backends": backends, "records": records})
}

fn verdict(trace: &Trace) -> &'static str {
    match trace.verdict() {
        Verdict::Reached => "reached",
        Verdict::Refused => "refused",
        Verdict::TimedOut => "timed out",
    }
}

/// Says that nothing is called so, and what might have been meant.
pub(super) fn unknown(call: &mut Call<'_, '_>, error: path::UnknownEnd) -> i32 {
    call.out.err(&format!("lab: {error}"));
    let known = error.known.iter().map(String::as_str);
    let nearest = nearest(&error.name, known);
    call.out.hint(Hint::UnknownCommand { name: error.name, nearest });
    2
}

/// The cluster of the current context, or the only one there is.
pub(super) fn current(call: &Call<'_, '_>) -> ClusterId {
    let config = &call.shell.machine.kubeconfig;
    let plane = config
        .context(&config.current)
        .and_then(|context| config.clusters.iter().find(|it| it.name == context.cluster))
        .map(|it| it.control_plane.as_str());
    call.shell
        .world
        .store()
        .list::<ControlPlane>(ClusterId::WORLD, None)
        .find(|it| plane.is_none_or(|name| it.meta().name.as_deref() == Some(name)))
        .map_or(ClusterId::WORLD, |it| ClusterId(it.id))
}

/// The hops as a numbered list, ghosts after the first blocker, then the verdict.
fn print(out: &mut Output, from: &str, to: &str, traced: &Traced) {
    let trace = &traced.trace;
    let name_width = trace.hops.iter().map(|hop| hop.to_string().len()).max().unwrap_or(0);
    let mut blockers = trace.blockers.iter().peekable();
    for (i, hop) in trace.hops.iter().enumerate() {
        while let Some(blocker) = blockers.next_if(|it| it.after <= i) {
            out.line(&format!("  ✕ {}", blocker.code));
        }
        let number = if hop.ghost { "·".to_owned() } else { (i + 1).to_string() };
        let line = format!("{number:>3} {:<name_width$}  {}", hop.to_string(), decided(hop));
        out.line(line.trim_end());
    }
    for blocker in blockers {
        out.line(&format!("  ✕ {}", blocker.code));
    }
    out.line(&format!("{from} → {to}: {}", verdict(trace)));
}

/// The rule that decided, in a few words; empty where there was nothing to decide.
fn decided(hop: &Hop) -> String {
    match &hop.rule {
        Rule::Passage => String::new(),
        Rule::SecurityGroup { group, rule } => match (rule.from, rule.to) {
            (Some(first), Some(last)) if first != last => {
                format!("{group}: {} {first}-{last} {}", rule.proto, rule.peer)
            }
            (Some(port), _) => format!("{group}: {} {port} {}", rule.proto, rule.peer),
            (None, _) => format!("{group}: all {}", rule.peer),
        },
        Rule::Nacl { number: Some(number) } => format!("rule {number}"),
        Rule::Nacl { number: None } => "rule *".to_owned(),
        Rule::Route { destination, target } => format!("{destination} → {target}"),
        Rule::Policies(names) => names.join(", "),
        Rule::OneOf(0) => "no endpoints".to_owned(),
        Rule::OneOf(count) => format!("one of {count}"),
        Rule::Rewrote(before) => format!("was {before}"),
        Rule::Answers(addresses) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Rule::IpRule { priority, table } => format!("ip rule {priority} → table {table}"),
        Rule::PublicCidr(cidr) => format!("allowed by {cidr}"),
    }
}
