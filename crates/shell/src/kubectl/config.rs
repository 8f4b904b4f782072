//! `kubectl config`: contexts, clusters and users of this machine. Source: kubectl `pkg/cmd/config`.

use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    kubeconfig::{Cluster, Context, Credential, User},
    print::table::Table,
};

/// Where the file would lie.
const FILE: &str = "/home/user/.kube/config";

/// The file that messages name.
fn file(kube: &Kube<'_, '_>) -> String {
    kube.shell.machine.variable("KUBECONFIG").unwrap_or(FILE).to_owned()
}

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let mut args = kube.given.args.clone();
    if args.is_empty() {
        kube.out.out("Modify kubeconfig files using subcommands like \"kubectl config set current-context my-context\".\n");
        return Ok(());
    }
    let below = args.remove(0);
    let first = args.first().cloned();
    let need = |what: &str| first.clone().ok_or_else(|| Fail::Plain(format!("error: {what}")));
    match below.as_str() {
        "current-context" => match kube.shell.machine.kubeconfig.current.clone() {
            none if none.is_empty() => Fail::error("current-context is not set"),
            current => {
                kube.out.line(&current);
                Ok(())
            }
        },
        "get-contexts" => get_contexts(kube, &args),
        "get-clusters" => {
            let names: Vec<String> =
                kube.shell.machine.kubeconfig.clusters.iter().map(|c| c.name.clone()).collect();
            names_table(kube, &names);
            Ok(())
        }
        "get-users" => {
            let names: Vec<String> =
                kube.shell.machine.kubeconfig.users.iter().map(|u| u.name.clone()).collect();
            names_table(kube, &names);
            Ok(())
        }
        "use-context" => {
            let name = need("accepts 1 arg(s), received 0")?;
            let config = &mut kube.shell.machine.kubeconfig;
            if config.context(&name).is_none() {
                return Fail::error(format!("no context exists with the name: {name:?}"));
            }
            config.current.clone_from(&name);
            kube.out.line(&format!("Switched to context {name:?}."));
            Ok(())
        }
        "set-context" => set_context(kube, first),
        "set-credentials" => {
            let name = need("unexpected args: []")?;
            let token = kube.given.value("token").unwrap_or_default().to_owned();
            let config = &mut kube.shell.machine.kubeconfig;
            config.users.retain(|u| u.name != name);
            let credential = Credential::Token(token);
            // Whose token it is does not depend on what one calls the entry.
            let same = config.users.iter().find(|u| u.credential == credential).cloned();
            config.users.push(User {
                name: name.clone(),
                identity: same.as_ref().map(|u| u.identity.clone()).unwrap_or_default(),
                groups: same.as_ref().map(|u| u.groups.clone()).unwrap_or_default(),
                uid: same.map(|u| u.uid).unwrap_or_default(),
                credential,
            });
            config.users.sort_by(|a, b| a.name.cmp(&b.name));
            kube.out.line(&format!("User {name:?} set."));
            Ok(())
        }
        "set-cluster" => {
            let name = need("unexpected args: []")?;
            let server = kube.given.value("server").unwrap_or_default().to_owned();
            let config = &mut kube.shell.machine.kubeconfig;
            match config.clusters.iter_mut().find(|c| c.name == name) {
                Some(cluster) => cluster.server = server,
                None => {
                    config.clusters.push(Cluster {
                        name: name.clone(),
                        server,
                        control_plane: String::new(),
                    });
                    config.clusters.sort_by(|a, b| a.name.cmp(&b.name));
                }
            }
            kube.out.line(&format!("Cluster {name:?} set."));
            Ok(())
        }
        "delete-context" | "delete-cluster" | "delete-user" => {
            let what = below.trim_start_matches("delete-").to_owned();
            let name = need(&format!("you must specify a {what} name"))?;
            let file = file(kube);
            let config = &mut kube.shell.machine.kubeconfig;
            let before = (config.contexts.len(), config.clusters.len(), config.users.len());
            match what.as_str() {
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
        "rename-context" => {
            let [old, new] = args.as_slice() else { return Fail::error("accepts 2 arg(s)") };
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
            context.name.clone_from(new);
            if config.current == *old {
                config.current.clone_from(new);
            }
            kube.out.line(&format!("Context {old:?} renamed to {new:?}."));
            Ok(())
        }
        "view" => {
            view(kube);
            Ok(())
        }
        other => {
            Fail::error(format!("unknown command {other:?}\nSee 'kubectl config -h' for help and examples"))
        }
    }
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
    for name in names {
        if config.context(name).is_none() {
            return Fail::error(format!("context {name} not found"));
        }
    }
    let shown = config.contexts.iter().filter(|c| names.is_empty() || names.contains(&c.name));
    if kube.given.value("output") == Some("name") {
        shown.for_each(|context| kube.out.line(&context.name));
        return Ok(());
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
    Ok(())
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
    if new {
        let blank = Context {
            name: name.clone(),
            cluster: String::new(),
            user: String::new(),
            namespace: String::new(),
        };
        config.contexts.push(blank);
        config.contexts.sort_by(|a, b| a.name.cmp(&b.name));
    }
    if let Some(context) = config.contexts.iter_mut().find(|c| c.name == name) {
        context.cluster = cluster.unwrap_or_else(|| context.cluster.clone());
        context.user = user.unwrap_or_else(|| context.user.clone());
        context.namespace = namespace.unwrap_or_else(|| context.namespace.clone());
    }
    kube.out.line(&format!("Context {name:?} {}.", if new { "created" } else { "modified" }));
    Ok(())
}

fn view(kube: &mut Kube<'_, '_>) {
    let config = &kube.shell.machine.kubeconfig;
    let minify = kube.given.on("minify");
    let current = config.context(&config.current);
    let cluster = |c: &&Cluster| !minify || current.is_some_and(|k| k.cluster == c.name);
    let user = |u: &&User| !minify || current.is_some_and(|k| k.user == u.name);
    let context = |c: &&Context| !minify || c.name == config.current;
    let some = |list: Vec<Value>| if list.is_empty() { Value::Null } else { Value::Array(list) };
    let clusters = config.clusters.iter().filter(cluster).map(|c| {
        json!({"cluster": {"certificate-authority-data": "DATA+OMITTED", "server": c.server}, "name": c.name})
    });
    let users = config.users.iter().filter(user).map(|u| {
        let shown = match &u.credential {
            Credential::Certificate => json!({"client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED"}),
            Credential::Token(_) => json!({"token": "REDACTED"}),
            Credential::Exec(args) => json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "args": args,
                "command": "aws", "env": null, "interactiveMode": "IfAvailable", "provideClusterInfo": false}}),
        };
        json!({"name": u.name, "user": shown})
    });
    let contexts = config.contexts.iter().filter(context).map(|c| {
        let mut inner = json!({"cluster": c.cluster, "user": c.user});
        if !c.namespace.is_empty() {
            inner["namespace"] = c.namespace.clone().into();
        }
        json!({"context": inner, "name": c.name})
    });
    let all = json!({"apiVersion": "v1", "clusters": some(clusters.collect()), "contexts": some(contexts.collect()),
        "current-context": config.current, "kind": "Config", "preferences": {}, "users": some(users.collect())});
    let text = match kube.given.value("output") {
        Some("json") => api::emit::json(&all) + "\n",
        Some(path) if path.starts_with("jsonpath=") => {
            let path = path.trim_start_matches("jsonpath=").trim_matches('\'');
            api::jsonpath::JsonPath::parse(path).map(|p| p.print(&all)).unwrap_or_default()
        }
        Some(_) | None => api::emit::yaml(&all),
    };
    kube.out.out(&text);
}
