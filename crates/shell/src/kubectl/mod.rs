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
mod beside;
mod certificate;
mod client;
mod command;
pub(crate) mod config;
mod cordon;
mod create;
mod debug;
mod delete;
mod describe;
pub(crate) mod diff;
pub(crate) mod discovery;
mod drain;
mod dump;
mod edit;
mod events;
mod exec;
mod explain;
mod expose;
mod fail;
mod field;
mod get;
pub(crate) mod help;
pub mod known;
pub mod kubeconfig;
mod kustomize;
mod label;
mod logs;
mod patch;
mod pods;
mod port_forward;
pub mod print;
mod prune;
mod raw;
mod reconcile;
mod replace;
mod resource;
mod rollout;
mod rules;
mod run;
mod scale;
mod set;
mod source;
mod subresource;
mod taint;
mod top;
mod version;
mod wait;
mod watch;

pub use client::Target;
pub use command::{below, find, flags};
pub use explain::names as fields;
pub(crate) use fail::{Done, Fail};
use serde_json::Value;
pub use version::CLIENT;

use crate::{
    eval::{Flow, Shell},
    flag::{FlagError, Given},
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
    /// The whole name of the command: `create secret tls`.
    pub command: String,
    target: Option<Target>,
    /// What `-k` built, and the directory it was built from.
    built: Option<(String, String)>,
    /// What the server has warned of already.
    warned: std::collections::BTreeSet<String>,
}

/// One verb.
pub struct Verb {
    /// What one types after `kubectl`.
    pub name: &'static str,
    pub(crate) run: fn(&mut Kube<'_, '_>) -> Done,
}

const fn verb(name: &'static str, run: fn(&mut Kube<'_, '_>) -> Done) -> Verb {
    Verb { name, run }
}

/// Every verb, sorted by name.
pub const VERBS: &[Verb] = &[
    verb("alpha", beside::alpha),
    verb("annotate", label::annotate),
    verb("api-resources", api_resources::run),
    verb("api-versions", api_resources::versions),
    verb("apply", apply::run),
    verb("attach", attach::run),
    verb("auth", auth::run),
    verb("autoscale", autoscale::run),
    verb("certificate", certificate::run),
    verb("cluster-info", version::cluster_info),
    verb("completion", beside::completion),
    verb("config", config::run),
    verb("cordon", cordon::cordon),
    verb("cp", attach::copy),
    verb("create", create::run),
    verb("debug", debug::run),
    verb("delete", delete::run),
    verb("describe", describe::run),
    verb("diff", diff::run),
    verb("drain", drain::run),
    verb("edit", edit::run),
    verb("events", events::run),
    verb("exec", exec::run),
    verb("explain", explain::run),
    verb("expose", expose::run),
    verb("get", get::run),
    verb("kustomize", kustomize::run),
    verb("label", label::label),
    verb("logs", logs::run),
    verb("options", version::options),
    verb("patch", patch::run),
    verb("plugin", beside::plugin),
    verb("port-forward", port_forward::run),
    verb("proxy", beside::proxy),
    verb("replace", replace::run),
    verb("rollout", rollout::run),
    verb("run", run::run),
    verb("scale", scale::run),
    verb("set", set::run),
    verb("taint", taint::run),
    verb("top", top::run),
    verb("uncordon", cordon::uncordon),
    verb("version", version::run),
    verb("wait", wait::run),
];

/// `kubectl …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let args = std::mem::take(&mut call.args);
    let (command, rest) = find(&args);
    // A command that no help names.
    let hidden = command::first("", &args).filter(|at| args[*at] == "alpha").map(|_| "alpha");
    let first = hidden.or(command.split(' ').next()).unwrap_or_default();
    let verb = match (VERBS.iter().find(|v| v.name == first), command::first("", &args)) {
        (Some(verb), _) => verb,
        (None, Some(at)) if args[at] == "help" => {
            let words: Vec<String> = args.iter().filter(|it| !it.starts_with('-')).skip(1).cloned().collect();
            help::topic(&words, call.out);
            return Ok(0);
        }
        (None, Some(_))
            if args.iter().any(|it| it == "--help" || it == "-h") && help::of(&command).is_some() =>
        {
            help::print(&command, call.out);
            return Ok(0);
        }
        (None, Some(at)) => {
            let exit = (args.len() == 1).then(|| help::alone(&args[at], call.out)).flatten();
            return Ok(exit.unwrap_or_else(|| unknown(&args[at], call.out)));
        }
        (None, None) => {
            match Given::parse(&args, &[flags("")]) {
                Ok(_) | Err(FlagError::Help) => help::print("", call.out),
                Err(error) => {
                    call.out.err(&format!("error: {error}\nSee 'kubectl --help' for usage."));
                    return Ok(1);
                }
            }
            return Ok(0);
        }
    };
    // What stands after the verb in a command's name is given back to the verb as its first arguments.
    let rest: Vec<String> = command.split(' ').skip(1).map(str::to_owned).chain(rest).collect();
    let known = [flags(&command), flags("")];
    let given = match Given::parse(&rest, &known) {
        Ok(given) => given,
        Err(FlagError::Help) => {
            help::print(&command, call.out);
            return Ok(0);
        }
        Err(error) => {
            call.out.err(&format!("error: {error}\nSee 'kubectl {command} --help' for usage."));
            if let FlagError::Unknown(flag) = &error {
                let known = known.iter().flat_map(|flags| flags.iter()).map(|f| f.long);
                let nearest = crate::tool::nearest(flag, known).iter().map(|f| format!("--{f}")).collect();
                call.out.hint(Hint::UnknownFlag { flag: format!("--{flag}"), nearest });
            }
            return Ok(1);
        }
    };
    let names_no_more = given.args.len() + 1 == command.split(' ').count();
    if let Some(exit) = names_no_more.then(|| help::alone(&command, call.out)).flatten() {
        return Ok(exit);
    }
    if given.has("record") {
        call.out.err("Flag --record has been deprecated, --record will be removed in the future");
    }
    if let Some(missing) = missing(&command, &given) {
        call.out.err(&missing);
        return Ok(1);
    }
    let file = given.value("kubeconfig").map(str::to_owned);
    let files = match config::files::open(call.shell, file.as_deref()) {
        Ok(files) => files,
        Err(why) => {
            call.out.err(&format!("error: {why}"));
            return Ok(1);
        }
    };
    let mut kube = Kube {
        stdin: &mut *call.stdin,
        out: &mut *call.out,
        shell: &mut *call.shell,
        given,
        verb: verb.name,
        command,
        target: None,
        built: None,
        warned: std::collections::BTreeSet::new(),
    };
    let done = kube.kustomized().and_then(|()| (verb.run)(&mut kube));
    if let Some(files) = files {
        files.close(kube.shell);
    }
    match (done, kube.warned.len()) {
        (Ok(()), warnings @ 1..) if kube.given.on("warnings-as-errors") => {
            let many = if warnings == 1 { "" } else { "s" };
            call.out.err(&format!("error: {warnings} warning{many} received"));
            Ok(1)
        }
        (Ok(()), _) => Ok(0),
        (Err(fail), _) => fail.print(call.out),
    }
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
