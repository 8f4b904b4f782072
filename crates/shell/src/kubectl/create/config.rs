//! Namespaces, ConfigMaps, Secrets, accounts, quotas, priority classes.

use api::Kind;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{metadata, one_name, pairs};
use crate::{
    files::Entry,
    kubectl::{Done, Fail, Kube},
};

pub(super) fn namespace(_: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    Ok((Kind::Namespace, json!({"metadata": metadata(&name), "spec": {}, "status": {}})))
}

pub(super) fn account(_: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    Ok((Kind::ServiceAccount, json!({"metadata": metadata(&name)})))
}

/// Keys and texts of `--from-literal`, `--from-file` and `--from-env-file`.
fn data(kube: &Kube<'_, '_>) -> Done<Map<String, Value>> {
    let mut data = Map::new();
    let mut put = |key: &str, text: &str| {
        if data.contains_key(key) {
            return Fail::error(format!(
                "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap {:?}",
                ""
            ));
        }
        data.insert(key.to_owned(), text.into());
        Ok(())
    };
    let machine = &kube.shell.machine;
    for source in kube.given.values("from-file") {
        let (key, file) = source.split_once('=').map_or((None, source), |(k, f)| (Some(k), f));
        let path = machine.path(file);
        match machine.files.get(&path) {
            Some(Entry::File(text)) => put(key.unwrap_or(crate::files::base(file)), text)?,
            Some(Entry::Directory) => {
                for name in machine.files.list(&path) {
                    if let Some(Entry::File(text)) = machine.files.get(&format!("{path}/{name}")) {
                        put(&name, text)?;
                    }
                }
            }
            None => return Fail::error(format!("error reading {file}: no such file or directory")),
        }
    }
    for pair in kube.given.values("from-literal") {
        let Some((key, text)) = pair.split_once('=') else {
            return Fail::error(format!("invalid literal source {pair}, expected key=value"));
        };
        let text = text.strip_prefix(['"', '\'']).and_then(|t| t.strip_suffix(['"', '\''])).unwrap_or(text);
        put(key, text)?;
    }
    for file in kube.given.values("from-env-file") {
        let Ok(text) = machine.files.read(&machine.path(file)) else {
            return Fail::error(format!("error reading {file}: no such file or directory"));
        };
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            put(key, value)?;
        }
    }
    Ok(data)
}

pub(super) fn config_map(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    let data = data(kube)?;
    let mut object = json!({"metadata": metadata(&name)});
    if !data.is_empty() {
        object["data"] = Value::Object(data);
    }
    Ok((Kind::ConfigMap, object))
}

pub(super) fn secret(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let Some((flavour, rest)) = args.split_first() else {
        return Fail::error("must specify one of docker-registry, generic, tls");
    };
    let name = one_name(rest)?;
    let encoded = |text: &str| Value::from(STANDARD.encode(text));
    let (kind, data) = match flavour.as_str() {
        "generic" => {
            let data = data(kube)?;
            let data = data.into_iter().map(|(k, v)| (k, encoded(v.as_str().unwrap_or_default()))).collect();
            (kube.given.value("type").map(str::to_owned), data)
        }
        "tls" => {
            let read = |flag: &str| {
                let file = kube.given.value(flag).unwrap_or_default().to_owned();
                let machine = &kube.shell.machine;
                machine
                    .files
                    .read(&machine.path(&file))
                    .map_err(|_| Fail::Error(format!("open {file}: no such file or directory")))
            };
            let (cert, key) = (read("cert")?, read("key")?);
            let data = [("tls.crt".to_owned(), encoded(&cert)), ("tls.key".to_owned(), encoded(&key))]
                .into_iter()
                .collect();
            (Some("kubernetes.io/tls".to_owned()), data)
        }
        "docker-registry" => {
            let text = |flag: &str| kube.given.value(flag).unwrap_or_default().to_owned();
            let server =
                kube.given.value("docker-server").unwrap_or("https://index.docker.io/v1/").to_owned();
            let auth = STANDARD.encode(format!("{}:{}", text("docker-username"), text("docker-password")));
            let config = json!({"auths": {server: {"username": text("docker-username"), "password": text("docker-password"),
                "email": text("docker-email"), "auth": auth}}});
            let data = [(".dockerconfigjson".to_owned(), encoded(&config.to_string()))].into_iter().collect();
            (Some("kubernetes.io/dockerconfigjson".to_owned()), data)
        }
        other => {
            return Fail::error(format!(
                "unknown command {other:?}\nSee 'kubectl create secret -h' for help and examples"
            ));
        }
    };
    let data: Map<String, Value> = data;
    let mut object = json!({"metadata": metadata(&name)});
    if !data.is_empty() {
        object["data"] = Value::Object(data);
    }
    if let Some(kind) = kind {
        object["type"] = kind.into();
    }
    Ok((Kind::Secret, object))
}

pub(super) fn quota(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    let mut spec = json!({});
    if let Some(hard) = kube.given.value("hard") {
        spec["hard"] = Value::Object(pairs(hard));
    }
    if let Some(scopes) = kube.given.value("scopes") {
        spec["scopes"] = scopes.split(',').collect();
    }
    Ok((Kind::ResourceQuota, json!({"metadata": metadata(&name), "spec": spec, "status": {}})))
}

pub(super) fn priority_class(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    let mut object = json!({"metadata": metadata(&name), "value": kube.given.int("value").unwrap_or(0),
        "preemptionPolicy": kube.given.value("preemption-policy").unwrap_or("PreemptLowerPriority")});
    if kube.given.on("global-default") {
        object["globalDefault"] = true.into();
    }
    if let Some(text) = kube.given.value("description") {
        object["description"] = text.into();
    }
    Ok((Kind::PriorityClass, object))
}
