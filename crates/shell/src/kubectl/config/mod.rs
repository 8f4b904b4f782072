//! `kubectl config`: contexts, clusters and users of this machine. Source: kubectl `pkg/cmd/config`.

mod entry;
pub(crate) mod files;
mod property;
mod view;

use crate::kubectl::{
    Done, Fail, Kube, help,
    kubeconfig::{Context, Kubeconfig},
    print::table::Table,
};

pub(crate) use files::FILE;

/// The file that messages name.
fn file(kube: &Kube<'_, '_>) -> String {
    files::default(kube.shell, kube.given.value("kubeconfig"))
}

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let (below, args) = kube.given.word();
    match (below.as_str(), args.as_slice()) {
        ("current-context", _) => match kube.shell.machine.kubeconfig.current.clone() {
            none if none.is_empty() => Fail::error("current-context is not set"),
            current => {
                kube.out.line(&current);
                Ok(())
            }
        },
        ("get-contexts", names) => get_contexts(kube, names),
        ("get-clusters", _) => {
            let names: Vec<String> =
                kube.shell.machine.kubeconfig.clusters.iter().map(|c| c.name.clone()).collect();
            names_table(kube, &names);
            Ok(())
        }
        ("get-users", _) => {
            let names: Vec<String> =
                kube.shell.machine.kubeconfig.users.iter().map(|u| u.name.clone()).collect();
            names_table(kube, &names);
            Ok(())
        }
        ("use-context", [name]) => {
            let config = &mut kube.shell.machine.kubeconfig;
            if config.context(name).is_none() {
                return Fail::error(format!("no context exists with the name: {name:?}"));
            }
            config.current.clone_from(name);
            kube.out.line(&format!("Switched to context {name:?}."));
            Ok(())
        }
        ("set-context", [] | [_]) => set_context(kube, args.first().cloned()),
        ("set-credentials", [name]) => entry::set_credentials(kube, name),
        ("set-cluster", [name]) => entry::set_cluster(kube, name),
        ("set", [path, text]) => property::set(kube, path, text),
        ("unset", [path]) => property::unset(kube, path),
        ("delete-context" | "delete-cluster" | "delete-user", [name]) => delete(kube, &below, name),
        ("rename-context", [old, new]) => rename(kube, old, new),
        ("view", []) => view::run(kube),
        ("view", unexpected) => Fail::error(format!(
            "unexpected arguments: [{}]\nSee 'kubectl config view -h' for help and examples",
            unexpected.join(" ")
        )),
        ("delete-user", _) => Fail::error(
            "user to delete is required\nSee 'kubectl config delete-user -h' for help and examples",
        ),
        ("delete-context" | "delete-cluster", _) => {
            help::print(&kube.command, kube.out);
            Ok(())
        }
        ("use-context" | "set-context" | "set-cluster" | "set" | "unset" | "rename-context", unexpected) => {
            help::print(&kube.command, kube.out);
            Fail::error(format!("Unexpected args: [{}]", unexpected.join(" ")))
        }
        ("set-credentials", unexpected) => {
            help::print(&kube.command, kube.out);
            Fail::error(format!("unexpected args: [{}]", unexpected.join(" ")))
        }
        (other, _) => {
            Fail::error(format!("unknown command {other:?}\nSee 'kubectl config -h' for help and examples"))
        }
    }
}

/// `below` is `delete-context`, `delete-cluster` or `delete-user`.
fn delete(kube: &mut Kube<'_, '_>, below: &str, name: &str) -> Done {
    let what = below.trim_start_matches("delete-");
    let file = file(kube);
    let config = &mut kube.shell.machine.kubeconfig;
    let before = (config.contexts.len(), config.clusters.len(), config.users.len());
    match what {
        "context" => config.contexts.retain(|c| c.name != name),
        "cluster" => config.clusters.retain(|c| c.name != name),
        _ => config.users.retain(|u| u.name != name),
    }
    if before == (config.contexts.len(), config.clusters.len(), config.users.len()) {
        return Fail::error(format!("cannot delete {what} {name}, not in {file}"));
    }
    if what == "context" && config.current == name {
        kube.out.err("warning: this removed your active context, use \"kubectl config use-context\" to select a different one");
    }
    kube.out.line(&format!("deleted {what} {name} from {file}"));
    Ok(())
}

fn rename(kube: &mut Kube<'_, '_>, old: &str, new: &str) -> Done {
    let file = file(kube);
    let config = &mut kube.shell.machine.kubeconfig;
    if config.context(new).is_some() {
        return Fail::error(format!(
            "cannot rename the context {old:?}, the context {new:?} already exists in {file}"
        ));
    }
    let Some(context) = config.contexts.iter_mut().find(|c| c.name == *old) else {
        return Fail::error(format!("cannot rename the context {old:?}, it's not in {file}"));
    };
    new.clone_into(&mut context.name);
    if config.current == *old {
        new.clone_into(&mut config.current);
    }
    kube.out.line(&format!("Context {old:?} renamed to {new:?}."));
    Ok(())
}

fn names_table(kube: &mut Kube<'_, '_>, names: &[String]) {
    if !kube.given.on("no-headers") {
        kube.out.line("NAME");
    }
    for name in names {
        kube.out.line(name);
    }
}

fn get_contexts(kube: &mut Kube<'_, '_>, names: &[String]) -> Done {
    let config = kube.shell.machine.kubeconfig.clone();
    let shown = config.contexts.iter().filter(|c| names.is_empty() || names.contains(&c.name));
    if kube.given.value("output") == Some("name") {
        shown.for_each(|context| kube.out.line(&context.name));
        return missing(&config, names);
    }
    let mut table = Table::default();
    if !kube.given.on("no-headers") {
        table.row(["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"].map(str::to_owned).to_vec());
    }
    for context in shown {
        let mark = if context.name == config.current { "*" } else { "" };
        let Context { name, cluster, user, namespace } = context.clone();
        table.row(vec![mark.to_owned(), name, cluster, user, namespace]);
    }
    let text = table.print();
    kube.out.out(&text);
    missing(&config, names)
}

/// The first context that is not there, complained about after those that are.
fn missing(config: &Kubeconfig, names: &[String]) -> Done {
    match names.iter().find(|name| config.context(name).is_none()) {
        Some(name) => Fail::error(format!("context {name} not found")),
        None => Ok(()),
    }
}

fn set_context(kube: &mut Kube<'_, '_>, name: Option<String>) -> Done {
    let current = kube.shell.machine.kubeconfig.current.clone();
    let name = match (kube.given.on("current"), name) {
        (true, None) if current.is_empty() => return Fail::error("no current context is set"),
        (true, None) => current,
        (true, Some(_)) => return Fail::error("you cannot specify both a context name and --current"),
        (false, Some(name)) => name,
        (false, None) => return Fail::error("you must specify a non-empty context name or --current"),
    };
    let text = |flag: &str| kube.given.value(flag).map(str::to_owned);
    let (cluster, user, namespace) = (text("cluster"), text("user"), text("namespace"));
    let config = &mut kube.shell.machine.kubeconfig;
    let new = config.context(&name).is_none();
    let context = config.context_mut(&name);
    context.cluster = cluster.unwrap_or_else(|| context.cluster.clone());
    context.user = user.unwrap_or_else(|| context.user.clone());
    context.namespace = namespace.unwrap_or_else(|| context.namespace.clone());
    kube.out.line(&format!("Context {name:?} {}.", if new { "created" } else { "modified" }));
    Ok(())
}
