//! `lab what-if` and `lab fix`: what would be decided about a pod if something were different?
//!
//! Both only read. `lab what-if POD` makes edits on a copy and decides again; `lab fix POD` looks for the smallest sets of
//! edits after which a pod fits that does not, and says what one would type.

mod command;
mod diff;
mod flag;
mod nodes;
#[cfg(test)]
mod tests;

pub use command::{commands, typed};
pub use flag::{flag, words};

use cluster::what_if::Subject;
use scheduler::{Decision, Outcome, what_if::fix};
use serde_json::json;

use crate::{
    eval::Flow,
    flag::{Flag, Given, switch, value},
    lab::{act, path_fix, usage},
    tool::Call,
};

const FIX_FLAGS: &[Flag] = &[value("namespace", 'n'), switch("json", '\0')];
/// Nodes that are named with their totals.
const MOST_TOTALS: usize = 5;

/// Namespace and name of the pod that is meant: `web`, `pod/web`, `shop/web`, `pod/shop/web`.
fn pod(call: &Call<'_, '_>, given: &Given) -> Option<(String, String)> {
    let [what] = given.args.as_slice() else { return None };
    let lower = ["pod/", "pods/", "po/", "Pod/"];
    let what = lower.iter().find_map(|prefix| what.strip_prefix(prefix)).unwrap_or(what);
    let config = &call.shell.machine.kubeconfig;
    let current = config.context(&config.current).map(|it| it.namespace.clone()).filter(|it| !it.is_empty());
    let namespace = given.value("namespace").map(str::to_owned).or(current);
    Some(match what.split_once('/') {
        Some((namespace, name)) => (namespace.to_owned(), name.to_owned()),
        None => (namespace.unwrap_or_else(|| "default".to_owned()), what.to_owned()),
    })
}

/// Reads the line, finds the pod, and lets `answer` say something about it: the text and the exit status.
fn about(
    call: &mut Call<'_, '_>,
    verb: &str,
    flags: &[Flag],
    answer: impl FnOnce(&Subject<'_>, &Given) -> Result<(String, i32), String>,
) -> Result<i32, Flow> {
    let given = match Given::parse(&call.args, &[flags]) {
        Ok(given) => given,
        Err(crate::flag::FlagError::Help) => return Ok(usage(call, verb)),
        Err(error) => {
            call.out.err(&format!("lab: {error}"));
            return Ok(usage(call, verb));
        }
    };
    let Some((namespace, name)) = pod(call, &given) else { return Ok(usage(call, verb)) };
    let Some(cluster) = act::here(call) else {
        call.out.err("lab: there is no cluster in the current context");
        return Ok(1);
    };
    let Some(subject) = Subject::of(call.shell.world, cluster, &namespace, &name) else {
        call.out.err(&format!("lab: no pod {name:?} in namespace {namespace:?}"));
        return Ok(1);
    };
    match answer(&subject, &given) {
        Ok((text, exit)) => {
            call.out.line(&text);
            Ok(exit)
        }
        Err(error) => {
            call.out.err(&format!("lab: {error}"));
            Ok(2)
        }
    }
}

/// `lab what-if POD FLAG…`.
pub(super) fn what_if(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if nodes::is_meant(&call.args) {
        return nodes::run(call);
    }
    about(call, "what-if", flag::FLAGS, |subject, given| {
        let edits = flag::edits(given, subject.pod)?;
        let (now, then) = subject.ask(|it| (it.decide(&[]), it.decide(&edits)));
        let exit = i32::from(then.outcome != Outcome::Scheduled);
        if given.on("json") {
            let all = json!({"pod": now.pod, "edits": edits, "now": now, "then": then});
            return Ok((format!("{all:#}"), exit));
        }
        let edits: Vec<String> = edits.iter().map(words).collect();
        let edits = if edits.is_empty() { "nothing changes".to_owned() } else { edits.join(", ") };
        Ok((format!("now   {}\nif    {edits}\nthen  {}", decided(&now), decided(&then)), exit))
    })
}

/// A decision in one line: the node and the totals, or the scheduler's message.
fn decided(decision: &Decision) -> String {
    let Some(node) = &decision.node else {
        return format!("no node: {}", decision.message.as_deref().unwrap_or_default());
    };
    let mut totals: Vec<_> = decision.nodes.iter().filter(|it| !it.scores.is_empty()).collect();
    totals.sort_by_key(|it| (Some(&it.node) != decision.node.as_ref(), -it.total, it.node.clone()));
    if totals.is_empty() {
        return format!("{node}, the only one left");
    }
    let shown: Vec<String> =
        totals.iter().take(MOST_TOTALS).map(|it| format!("{} {}", it.node, it.total)).collect();
    let more = totals.len().saturating_sub(MOST_TOTALS);
    format!(
        "{node}: {}{}",
        shown.join(", "),
        if more > 0 { format!(" and {more} more") } else { String::new() }
    )
}

/// `lab fix POD`, or `lab fix FROM TO` for a path.
pub(super) fn fix(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if let Ok(given) = Given::parse(&call.args, &[FIX_FLAGS])
        && given.args.len() == 2
    {
        return path_fix::run(call, &given);
    }
    about(call, "fix", FIX_FLAGS, |subject, given| {
        let (now, found) = subject.ask(|it| (it.decide(&[]), fix::smallest(it)));
        if now.outcome == Outcome::Scheduled {
            return Ok((format!("{} fits as it is: {}", now.pod, decided(&now)), 0));
        }
        let typed = typed(subject, found.fixes);
        let exit = i32::from(typed.is_empty());
        if given.on("json") {
            let fixes = typed.iter().map(|(fix, commands)| json!({"edits": fix.edits, "node": fix.node, "total": fix.total, "feasible": fix.feasible, "commands": commands}));
            let all = json!({"pod": now.pod, "fixes": fixes.collect::<Vec<_>>(), "complete": found.complete});
            return Ok((format!("{all:#}"), exit));
        }
        let mut lines =
            vec![format!("{} fits nowhere: {}", now.pod, now.message.as_deref().unwrap_or_default())];
        for (number, (fix, commands)) in (1..).zip(&typed) {
            let edits: Vec<String> = fix.edits.iter().map(words).collect();
            lines.push(format!("{number}. {} → {}", edits.join(" + "), fix.node));
            lines.extend(commands.iter().map(|it| format!("   {it}")));
        }
        if typed.is_empty() {
            lines.push("no edit was found after which it fits".to_owned());
        }
        if !found.complete {
            lines.push("there may be more: the search was cut short".to_owned());
        }
        Ok((lines.join("\n"), exit))
    })
}
