//! What does `kubectl` print?
//!
//! Flags, kubeconfig, requests, tables and messages of kubectl 1.32. Objects are looked at in their JSON form, as kubectl itself
//! does; what an API server answers is decided in `cluster`. THE REGISTRY of verbs is [`VERBS`]: a verb is a file and a line.
//! Source: kubernetes/kubectl v0.32, `pkg/cmd`; recorded cases in tests/vectors/kubectl.

pub mod age;
mod api_resources;
mod apply;
mod attach;
mod auth;
mod autoscale;
mod client;
mod config;
mod cordon;
mod create;
mod delete;
mod describe;
pub(crate) mod diff;
pub(crate) mod discovery;
mod drain;
mod edit;
mod events;
mod exec;
mod explain;
mod expose;
mod fail;
mod field;
mod get;
pub mod known;
pub mod kubeconfig;
mod label;
mod logs;
mod patch;
mod pods;
mod port_forward;
pub mod print;
mod prune;
mod raw;
mod replace;
mod resource;
mod rollout;
mod rules;
mod run;
mod scale;
mod set;
mod source;
mod taint;
mod top;
mod version;
mod wait;
mod watch;

pub use client::Target;
pub(crate) use fail::{Done, Fail};
use serde_json::Value;
pub use version::CLIENT;

use crate::{
    eval::{Flow, Shell},
    flag::{Flag, FlagError, Given, switch, value},
    output::{Hint, Output, Stdin},
    tool::Call,
};

/// One run of kubectl.
pub struct Kube<'c, 's> {
    /// What it may read.
    pub stdin: &'c mut Stdin,
    /// What it writes.
    pub out: &'c mut Output,
    /// The machine and the world.
    pub shell: &'c mut Shell<'s>,
    /// Flags and arguments.
    pub given: Given,
    /// The verb as registered.
    pub verb: &'static str,
    target: Option<Target>,
    /// What the server has warned of already.
    warned: std::collections::BTreeSet<String>,
}

/// One verb.
pub struct Verb {
    /// What one types after `kubectl`.
    pub name: &'static str,
    /// The words that may follow it, where it has verbs of its own.
    pub below: &'static [&'static str],
    /// Its flags, without those of every verb.
    pub flags: &'static [Flag],
    pub(crate) run: fn(&mut Kube<'_, '_>) -> Done,
}

/// Flags of every verb.
pub const GLOBAL: &[Flag] = &[
    value("namespace", 'n'),
    value("context", '\0'),
    value("cluster", '\0'),
    value("user", '\0'),
    value("kubeconfig", '\0'),
    value("server", 's'),
    value("token", '\0'),
    value("as", '\0'),
    value("as-group", '\0'),
    value("as-uid", '\0'),
    value("request-timeout", '\0'),
    value("v", 'v'),
    value("cache-dir", '\0'),
    value("certificate-authority", '\0'),
    value("client-certificate", '\0'),
    value("client-key", '\0'),
    value("tls-server-name", '\0'),
    value("log-flush-frequency", '\0'),
    value("password", '\0'),
    value("username", '\0'),
    value("profile", '\0'),
    value("profile-output", '\0'),
    value("vmodule", '\0'),
    switch("insecure-skip-tls-verify", '\0'),
    switch("match-server-version", '\0'),
    switch("disable-compression", '\0'),
    switch("warnings-as-errors", '\0'),
];

const fn verb(name: &'static str, flags: &'static [Flag], run: fn(&mut Kube<'_, '_>) -> Done) -> Verb {
    Verb { name, below: &[], flags, run }
}

const fn verbs(
    name: &'static str,
    below: &'static [&'static str],
    flags: &'static [Flag],
    run: fn(&mut Kube<'_, '_>) -> Done,
) -> Verb {
    Verb { name, below, flags, run }
}

/// Every verb, sorted by name.
pub const VERBS: &[Verb] = &[
    verb("annotate", label::FLAGS, label::annotate),
    verb("api-resources", api_resources::FLAGS, api_resources::run),
    verb("api-versions", &[], api_resources::versions),
    verbs("apply", apply::BELOW, apply::FLAGS, apply::run),
    verb("attach", attach::FLAGS, attach::run),
    verbs("auth", auth::BELOW, auth::FLAGS, auth::run),
    verb("autoscale", autoscale::FLAGS, autoscale::run),
    verbs("cluster-info", &["dump"], &[], version::cluster_info),
    verbs("config", config::BELOW, config::FLAGS, config::run),
    verb("cordon", cordon::FLAGS, cordon::cordon),
    verb("cp", attach::COPY_FLAGS, attach::copy),
    verbs("create", create::BELOW, create::FLAGS, create::run),
    verb("delete", delete::FLAGS, delete::run),
    verb("describe", describe::FLAGS, describe::run),
    verb("diff", diff::FLAGS, diff::run),
    verb("drain", drain::FLAGS, drain::run),
    verb("edit", edit::FLAGS, edit::run),
    verb("events", events::FLAGS, events::run),
    verb("exec", exec::FLAGS, exec::run),
    verb("explain", explain::FLAGS, explain::run),
    verb("expose", expose::FLAGS, expose::run),
    verb("get", get::FLAGS, get::run),
    verb("label", label::FLAGS, label::label),
    verb("logs", logs::FLAGS, logs::run),
    verb("options", &[], version::options),
    verb("patch", patch::FLAGS, patch::run),
    verb("port-forward", port_forward::FLAGS, port_forward::run),
    verb("replace", replace::FLAGS, replace::run),
    verbs("rollout", rollout::BELOW, rollout::FLAGS, rollout::run),
    verb("run", run::FLAGS, run::run),
    verb("scale", scale::FLAGS, scale::run),
    verbs("set", set::BELOW, set::FLAGS, set::run),
    verb("taint", taint::FLAGS, taint::run),
    verbs("top", top::BELOW, top::FLAGS, top::run),
    verb("uncordon", cordon::FLAGS, cordon::uncordon),
    verb("version", version::FLAGS, version::run),
    verb("wait", wait::FLAGS, wait::run),
];

/// Verbs that the real kubectl has beside these.
const REAL: &[&str] =
    &["alpha", "certificate", "completion", "debug", "help", "kustomize", "plugin", "proxy"];

/// `kubectl …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args = std::mem::take(&mut call.args);
    // Flags of every verb may stand before the verb.
    let mut at = 0;
    while args.get(at).is_some_and(|a| a.starts_with('-') && a.len() > 1) {
        let name = args[at].trim_start_matches('-');
        let takes = GLOBAL.iter().any(|f| {
            f.takes == crate::flag::Takes::Value
                && (f.long == name || (args[at].len() == 2 && name.starts_with(f.short)))
        });
        at += if takes && !args[at].contains('=') { 2 } else { 1 };
    }
    let Some(typed) = args.get(at).cloned() else {
        call.out.out(HELP);
        return Ok(0);
    };
    let mut rest: Vec<String> = args[..at].to_vec();
    rest.extend(args.into_iter().skip(at + 1));
    let Some(verb) = VERBS.iter().find(|v| v.name == typed) else {
        return Ok(unknown(&typed, call.out));
    };
    let given = match Given::parse(&rest, &[verb.flags, GLOBAL]) {
        Ok(given) => given,
        Err(FlagError::Help) => {
            call.out.out(&format!("Usage:\n  kubectl {} [flags] [options]\n", verb.name));
            return Ok(0);
        }
        Err(error) => {
            let path = path(verb, &rest);
            call.out.err(&format!("error: {error}\nSee 'kubectl {path} --help' for usage."));
            if let FlagError::Unknown(flag) = &error {
                let known = verb.flags.iter().chain(GLOBAL).map(|f| f.long);
                let nearest = crate::tool::nearest(flag, known).iter().map(|f| format!("--{f}")).collect();
                call.out.hint(Hint::UnknownFlag { flag: format!("--{flag}"), nearest });
            }
            return Ok(1);
        }
    };
    if let Some(missing) = missing(&path(verb, &given.args), &given) {
        call.out.err(&missing);
        return Ok(1);
    }
    let mut kube = Kube {
        stdin: &mut *call.stdin,
        out: &mut *call.out,
        shell: &mut *call.shell,
        given,
        verb: verb.name,
        target: None,
        warned: std::collections::BTreeSet::new(),
    };
    match (verb.run)(&mut kube) {
        Ok(()) => Ok(0),
        Err(fail) => fail.print(call.out),
    }
}

/// A verb with what it is about, as messages name it: `create deployment`.
fn path(verb: &Verb, args: &[String]) -> String {
    let mut words = args.iter().filter(|a| !a.starts_with('-')).map(String::as_str);
    let below = match verb.name {
        "create" => words.next().map(create::canonical),
        _ => words.next(),
    };
    let Some(below) = below.filter(|b| verb.below.contains(b)) else { return verb.name.to_owned() };
    let of = match (verb.name, below) {
        ("create", "service" | "secret") => words.next().map_or(String::new(), |word| format!(" {word}")),
        _ => String::new(),
    };
    format!("{} {below}{of}", verb.name)
}

/// Flags that must be given, by what needs them.
const REQUIRED: &[(&str, &[&str])] = &[
    ("autoscale", &["max"]),
    ("create clusterrolebinding", &["clusterrole"]),
    ("create cronjob", &["image", "schedule"]),
    ("create deployment", &["image"]),
    ("create service externalname", &["external-name"]),
    ("run", &["image"]),
    ("scale", &["replicas"]),
];

/// UPSTREAM: cobra looks for them before anything else is said.
fn missing(path: &str, given: &Given) -> Option<String> {
    let (_, flags) = REQUIRED.iter().find(|(of, _)| *of == path)?;
    let missing: Vec<String> =
        flags.iter().filter(|f| !given.has(f)).map(|f| Value::from(*f).to_string()).collect();
    (!missing.is_empty()).then(|| format!("error: required flag(s) {} not set", missing.join(", ")))
}

fn unknown(typed: &str, out: &mut Output) -> i32 {
    if REAL.contains(&typed) {
        out.err(&format!("lab: kubectl {typed} is not available in this lab yet"));
        out.hint(Hint::NotSimulated { what: format!("kubectl {typed}") });
        return 1;
    }
    // UPSTREAM: cobra suggests names at most two edits away or that begin with what was typed, in the order they were added.
    const ADDED: &[&str] = &[
        "create",
        "expose",
        "run",
        "set",
        "explain",
        "get",
        "edit",
        "delete",
        "rollout",
        "scale",
        "autoscale",
        "certificate",
        "cluster-info",
        "top",
        "cordon",
        "uncordon",
        "drain",
        "taint",
        "describe",
        "logs",
        "attach",
        "exec",
        "port-forward",
        "proxy",
        "cp",
        "auth",
        "debug",
        "events",
        "diff",
        "apply",
        "patch",
        "replace",
        "wait",
        "kustomize",
        "label",
        "annotate",
        "completion",
        "api-resources",
        "api-versions",
        "config",
        "plugin",
        "version",
    ];
    let lower = typed.to_lowercase();
    let near: Vec<&str> = ADDED
        .iter()
        .filter(|name| strsim::levenshtein(&lower, name) <= 2 || name.starts_with(&lower))
        .copied()
        .collect();
    let mut text = format!("error: unknown command {typed:?} for \"kubectl\"");
    if !near.is_empty() {
        text.push_str("\n\nDid you mean this?");
        for name in &near {
            text.push_str(&format!("\n\t{name}"));
        }
    }
    out.err(&text);
    out.hint(Hint::UnknownCommand {
        name: format!("kubectl {typed}"),
        nearest: crate::tool::nearest(typed, ADDED.iter().copied()),
    });
    1
}

const HELP: &str = "kubectl controls the Kubernetes cluster manager.

 Find more information at: https://kubernetes.io/docs/reference/kubectl/

Usage:
  kubectl [flags] [options]

Use \"kubectl <command> --help\" for more information about a given command.
Use \"kubectl options\" for a list of global command-line options (applies to all commands).
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::sh;

    #[test]
    fn verbs_are_listed_in_order_and_once() {
        assert!(VERBS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn unknown_verbs_and_flags_are_refused_in_kubectl_s_words() {
        assert_eq!(
            sh("kubectl gett pods"),
            (
                String::new(),
                "error: unknown command \"gett\" for \"kubectl\"\n\nDid you mean this?\n\tset\n\tget\n"
                    .to_owned(),
                1
            )
        );
        assert_eq!(
            sh("kubectl get pods --frob").1,
            "error: unknown flag: --frob\nSee 'kubectl get --help' for usage.\n"
        );
    }

    #[test]
    fn without_a_cluster_nothing_answers() {
        assert_eq!(
            sh("kubectl get pods"),
            (
                String::new(),
                "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n".to_owned(),
                1
            )
        );
    }
}
