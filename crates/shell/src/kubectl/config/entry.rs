//! `kubectl config set-credentials` and `set-cluster`. Source: kubectl `pkg/cmd/config/{set_credentials,set_cluster}.go`.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::{files, property, view};
use crate::kubectl::{Done, Fail, Kube, help, kubeconfig::Credential};

/// What a flag sets, and what it takes away.
type Pairs = (Vec<(String, String)>, Vec<String>);

/// `NAME=VALUE` and `NAME-` of a flag that may be given several times.
fn pairs(kube: &mut Kube<'_, '_>, flag: &str) -> Done<Pairs> {
    let given = kube.given.values(flag);
    let words: Vec<String> =
        given.iter().flat_map(|it| it.split(',')).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    for word in words {
        if let Some((name, value)) = word.split_once('=') {
            set.push((name.to_owned(), value.to_owned()));
        } else if let Some(name) = word.strip_suffix('-') {
            removed.push(name.to_owned());
        } else {
            help::print(&kube.command, kube.out);
            return Fail::error(format!("invalid {flag} format: {word}"));
        }
    }
    Ok((set, removed))
}

/// The text of a file that a flag names, in base64.
fn embedded(kube: &Kube<'_, '_>, flag: &str, path: &str) -> Done<String> {
    let text = kube.shell.machine.files.read(&kube.shell.machine.path(path));
    let text = text.map_err(|_| {
        Fail::Error(format!("could not stat {flag} file {path}: stat {path}: no such file or directory"))
    })?;
    Ok(base64::engine::general_purpose::STANDARD.encode(text.as_bytes()))
}

pub(super) fn set_credentials(kube: &mut Kube<'_, '_>, name: &str) -> Done {
    let text = |flag: &str| kube.given.value(flag).map(str::to_owned);
    let (token, username, password) = (text("token"), text("username"), text("password"));
    let (provider, command, version) =
        (text("auth-provider"), text("exec-command"), text("exec-api-version"));
    let mode = text("exec-interactive-mode");
    let basic = username.is_some() || password.is_some();
    let info =
        kube.given.has("exec-provide-cluster-info").then(|| kube.given.on("exec-provide-cluster-info"));
    let (variables, without) = pairs(kube, "exec-env")?;
    let (settings, dropped) = pairs(kube, "auth-provider-arg")?;
    if mode.as_deref().is_some_and(|mode| !matches!(mode, "IfAvailable" | "Never" | "Always")) {
        return Fail::error("invalid interactive mode type, can be only IfAvailable, Never, Always");
    }
    if token.is_some() && basic {
        return Fail::error(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password",
        );
    }
    let config = &kube.shell.machine.kubeconfig;
    let old =
        config.users.iter().find(|it| it.name == *name).map(|it| view::shown_user(&it.credential, true));
    let mut user: Map<String, Value> = old.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    for flag in ["client-certificate", "client-key"] {
        let Some(path) = kube.given.value(flag).map(str::to_owned) else { continue };
        let data = format!("{flag}-data");
        if kube.given.on("embed-certs") {
            let text = embedded(kube, flag, &path)?;
            user.remove(flag);
            user.insert(data, text.into());
        } else {
            user.remove(&data);
            user.insert(flag.to_owned(), path.into());
        }
    }
    if let Some(token) = token {
        user.retain(|field, _| !matches!(field.as_str(), "username" | "password" | "tokenFile"));
        user.insert("token".to_owned(), token.into());
    }
    if basic {
        user.remove("token");
        user.extend(username.map(|it| ("username".to_owned(), it.into())));
        user.extend(password.map(|it| ("password".to_owned(), it.into())));
    }
    if let Some(provider) = provider
        && user.get("auth-provider").is_none_or(|it| it["name"] != provider.as_str())
    {
        user.insert("auth-provider".to_owned(), json!({"config": null, "name": provider}));
    }
    if let Some(of) = user.get_mut("auth-provider") {
        if !of["config"].is_object() {
            of["config"] = json!({});
        }
        if let Some(config) = of["config"].as_object_mut() {
            config.retain(|name, _| !dropped.contains(name));
            config.extend(settings.into_iter().map(|(name, value)| (name, value.into())));
        }
    }
    if let Some(command) = command {
        let exec = user
            .entry("exec")
            .or_insert_with(|| json!({"args": null, "env": null, "provideClusterInfo": false}));
        exec["command"] = command.into();
    }
    // UPSTREAM: without a plugin the rest is not looked at.
    if let Some(exec) = user.get_mut("exec") {
        let set = [("apiVersion", version.map(Value::from)), ("interactiveMode", mode.map(Value::from))];
        for (field, value) in set.into_iter().chain([("provideClusterInfo", info.map(Value::from))]) {
            if let Some(value) = value {
                exec[field] = value;
            }
        }
        let args = kube.given.values("exec-arg");
        if !args.is_empty() {
            exec["args"] = args.iter().flat_map(|it| it.split(',')).collect();
        }
        let mut env: Vec<Value> = exec["env"].as_array().cloned().unwrap_or_default();
        env.retain(|it| !without.iter().any(|name| it["name"] == name.as_str()));
        for (name, value) in &variables {
            match env.iter_mut().find(|it| it["name"] == name.as_str()) {
                Some(had) => had["value"] = value.as_str().into(),
                None => env.push(json!({"name": name, "value": value})),
            }
        }
        if !without.is_empty() || !variables.is_empty() {
            exec["env"] = env.into();
        }
    }
    let known = &kube.shell.machine.kubeconfig;
    let made = files::user(known, name, Value::Object(user));
    match &made.credential {
        Credential::Exec(_) => {
            let config = &mut kube.shell.machine.kubeconfig;
            config.users.retain(|it| it.name != name);
            config.users.push(made);
            config.users.sort_by(|a, b| a.name.cmp(&b.name));
        }
        Credential::Certificate
        | Credential::Nothing
        | Credential::Password(..)
        | Credential::Token(_)
        | Credential::Other(_) => {
            property::give(&mut kube.shell.machine.kubeconfig, name, made.credential);
        }
    }
    kube.out.line(&format!("User {name:?} set."));
    Ok(())
}

pub(super) fn set_cluster(kube: &mut Kube<'_, '_>, name: &str) -> Done {
    let text = |flag: &str| kube.given.value(flag).map(str::to_owned);
    let (server, authority) = (text("server"), text("certificate-authority"));
    let others = ["tls-server-name", "proxy-url"].map(|flag| (flag, text(flag)));
    let insecure = kube.given.on("insecure-skip-tls-verify");
    if insecure && authority.as_deref().is_some_and(|it| !it.is_empty()) {
        return Fail::error("you cannot specify a certificate authority and insecure mode at the same time");
    }
    let mut signed: Option<(&str, String)> = None;
    if kube.given.on("embed-certs") {
        let Some(path) = authority.filter(|it| !it.is_empty()) else {
            return Fail::error("you must specify a --certificate-authority to embed");
        };
        signed = Some(("certificate-authority-data", embedded(kube, "certificate-authority", &path)?));
    } else if let Some(path) = authority {
        signed = Some(("certificate-authority", path));
    }
    let cluster = kube.shell.machine.kubeconfig.cluster_mut(name);
    cluster.server = server.unwrap_or_else(|| cluster.server.clone());
    // UPSTREAM: a cluster that is set again without saying so is looked at closely again.
    cluster.insecure = insecure;
    let signatures = ["certificate-authority", "certificate-authority-data"];
    if insecure || signed.is_some() {
        cluster.other.retain(|field, _| !signatures.contains(&field.as_str()));
    }
    cluster.other.extend(signed.map(|(field, value)| (field.to_owned(), value.into())));
    for (field, value) in others {
        cluster.other.extend(value.map(|value| (field.to_owned(), value.into())));
    }
    kube.out.line(&format!("Cluster {name:?} set."));
    Ok(())
}
