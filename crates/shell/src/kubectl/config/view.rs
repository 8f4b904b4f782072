//! `kubectl config view`. Source: kubectl `pkg/cmd/config/view.go`.

use serde_json::{Map, Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    kubeconfig::{Cluster, Context, Credential, User},
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
    let some = |list: Vec<Value>| if list.is_empty() { Value::Null } else { Value::Array(list) };
    let clusters = config.clusters.iter().filter(cluster);
    let clusters = clusters.map(|it| json!({"name": it.name, "cluster": shown_cluster(it, bare)}));
    let users = config.users.iter().filter(user);
    let users = users.map(|it| json!({"name": it.name, "user": shown_user(&it.credential, bare)}));
    let contexts = config.contexts.iter().filter(context).map(|it| {
        let mut inner = json!({"cluster": it.cluster, "user": it.user});
        if !it.namespace.is_empty() {
            inner["namespace"] = it.namespace.clone().into();
        }
        json!({"name": it.name, "context": inner})
    });
    let all = json!({"kind": "Config", "apiVersion": "v1", "preferences": {}, "clusters": some(clusters.collect()),
        "users": some(users.collect()), "contexts": some(contexts.collect()), "current-context": current});
    match format {
        Format::Json => kube.out.line(&typed::json(&all)),
        other => print::structured(kube, &other, all)?,
    }
    Ok(())
}

fn shown_cluster(cluster: &Cluster, bare: bool) -> Value {
    let mut out = Map::new();
    if cluster.insecure {
        out.insert("insecure-skip-tls-verify".to_owned(), true.into());
    } else if !cluster.control_plane.is_empty() {
        // MODEL: nobody signs anything here, so that there is no certificate to show with --raw.
        out.insert("certificate-authority-data".to_owned(), if bare { "" } else { "DATA+OMITTED" }.into());
    }
    out.insert("server".to_owned(), cluster.server.clone().into());
    Value::Object(out)
}

fn shown_user(credential: &Credential, bare: bool) -> Value {
    let secret = |text: &str, instead: &str| if bare { text.to_owned() } else { instead.to_owned() };
    match credential {
        Credential::Nothing => json!({}),
        Credential::Certificate => json!({"client-certificate-data": secret("", "DATA+OMITTED"),
            "client-key-data": secret("", "DATA+OMITTED")}),
        Credential::Token(token) => json!({"token": secret(token, "REDACTED")}),
        Credential::Password(user, password) => {
            json!({"password": secret(password, "REDACTED"), "username": user})
        }
        Credential::Exec(args) => {
            json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "args": args,
            "command": "aws", "env": null, "interactiveMode": "IfAvailable", "provideClusterInfo": false}})
        }
    }
}
