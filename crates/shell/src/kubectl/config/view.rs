//! `kubectl config view`. Source: kubectl `pkg/cmd/config/view.go`.

use serde_json::{Map, Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    kubeconfig::{Cluster, Context, Credential, Kubeconfig, User},
    print::{self, Format, typed},
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let format = print::format(kube, false)?.unwrap_or(Format::Yaml);
    let config = kube.shell.machine.kubeconfig.clone();
    let current = kube.given.value("context").unwrap_or(&config.current).to_owned();
    let minify = kube.given.on("minify");
    let chosen = config.context(&current);
    if minify && chosen.is_none() {
        return Fail::error(if current.is_empty() {
            "current-context must exist in order to minify".to_owned()
        } else {
            format!("cannot locate context {current}")
        });
    }
    let bare = kube.given.on("raw") || kube.given.on("flatten");
    let cluster = |c: &&Cluster| !minify || chosen.is_some_and(|it| it.cluster == c.name);
    let user = |u: &&User| !minify || chosen.is_some_and(|it| it.user == u.name);
    let context = |c: &&Context| !minify || c.name == current;
    let shown = Kubeconfig {
        contexts: config.contexts.iter().filter(context).cloned().collect(),
        clusters: config.clusters.iter().filter(cluster).cloned().collect(),
        users: config.users.iter().filter(user).cloned().collect(),
        current: current.clone(),
        ..Kubeconfig::default()
    };
    let all = whole(&shown, bare);
    match format {
        Format::Json => kube.out.line(&typed::json(&all)),
        other => print::structured(kube, &other, all)?,
    }
    Ok(())
}

fn whole(config: &Kubeconfig, bare: bool) -> Value {
    let some = |list: Vec<Value>| if list.is_empty() { Value::Null } else { Value::Array(list) };
    let clusters = config.clusters.iter();
    let clusters = clusters.map(|it| json!({"name": it.name, "cluster": shown_cluster(it, bare)}));
    let users = config.users.iter();
    let users = users.map(|it| json!({"name": it.name, "user": shown_user(&it.credential, bare)}));
    let contexts = config.contexts.iter().map(|it| {
        let mut inner = json!({"cluster": it.cluster, "user": it.user});
        if !it.namespace.is_empty() {
            inner["namespace"] = it.namespace.clone().into();
        }
        json!({"name": it.name, "context": inner})
    });
    json!({"kind": "Config", "apiVersion": "v1", "preferences": {}, "clusters": some(clusters.collect()),
        "users": some(users.collect()), "contexts": some(contexts.collect()), "current-context": config.current})
}

/// A file as kubectl writes it.
pub(super) fn text(config: &Kubeconfig) -> String {
    api::emit::yaml(&whole(config, true))
}

/// How a user shows itself, from the JSON of its entry.
pub(super) fn credential(user: Value) -> Credential {
    let word = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
    let names: Vec<&str> = user.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let exec = &user["exec"];
    let args = || exec["args"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    match names.as_slice() {
        [] => Credential::Nothing,
        ["token"] => Credential::Token(word("token")),
        ["username" | "password"] | ["password", "username"] => {
            Credential::Password(word("username"), word("password"))
        }
        ["client-certificate-data", "client-key-data"] => Credential::Certificate,
        ["exec"]
            if exec["command"] == "aws" && args().any(|arg| arg == "get-token") && exec["env"].is_null() =>
        {
            Credential::Exec(args().collect())
        }
        _ => {
            let mut user = user;
            let exec = &mut user["exec"];
            let version = exec["apiVersion"].as_str().unwrap_or_default();
            // UPSTREAM: what older versions of the plugins' API leave out is filled in when it is read.
            if version.ends_with("beta1") && exec["interactiveMode"].is_null() {
                exec["interactiveMode"] = "IfAvailable".into();
            }
            if exec.is_null()
                && let Some(fields) = user.as_object_mut()
            {
                fields.remove("exec");
            }
            Credential::Other(user)
        }
    }
}

fn shown_cluster(cluster: &Cluster, bare: bool) -> Value {
    let mut out = Map::new();
    if cluster.insecure {
        out.insert("insecure-skip-tls-verify".to_owned(), true.into());
    } else if !cluster.control_plane.is_empty() {
        // MODEL: nobody signs anything here, so that there is no certificate to show with --raw.
        out.insert("certificate-authority-data".to_owned(), if bare { "" } else { "DATA+OMITTED" }.into());
    }
    if !cluster.server.is_empty() {
        out.insert("server".to_owned(), cluster.server.clone().into());
    }
    for (name, value) in &cluster.other {
        let hidden = name == "certificate-authority-data" && !bare;
        out.insert(name.clone(), if hidden { "DATA+OMITTED".into() } else { value.clone() });
    }
    Value::Object(out)
}

pub(super) fn shown_user(credential: &Credential, bare: bool) -> Value {
    let secret = |text: &str, instead: &str| if bare { text.to_owned() } else { instead.to_owned() };
    match credential {
        Credential::Nothing => json!({}),
        Credential::Certificate => json!({"client-certificate-data": secret("", "DATA+OMITTED"),
            "client-key-data": secret("", "DATA+OMITTED")}),
        Credential::Token(token) => json!({"token": secret(token, "REDACTED")}),
        Credential::Password(user, password) => {
            json!({"password": secret(password, "REDACTED"), "username": user})
        }
        Credential::Other(user) => {
            let mut user = user.clone();
            for (name, value) in user.as_object_mut().into_iter().flatten().filter(|_| !bare) {
                match name.as_str() {
                    "token" | "password" => *value = "REDACTED".into(),
                    "client-certificate-data" | "client-key-data" => *value = "DATA+OMITTED".into(),
                    _ => {}
                }
            }
            user
        }
        Credential::Exec(args) => {
            json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "args": args,
            "command": "aws", "env": null, "interactiveMode": "IfAvailable", "provideClusterInfo": false}})
        }
    }
}
