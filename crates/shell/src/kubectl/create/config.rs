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
    let name = one_name("namespace", args)?;
    Ok((Kind::Namespace, json!({"metadata": metadata(&name), "spec": {}, "status": {}})))
}

pub(super) fn account(_: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name("serviceaccount", args)?;
    Ok((Kind::ServiceAccount, json!({"metadata": metadata(&name)})))
}

/// Keys and texts of `--from-literal`, `--from-file` and `--from-env-file`; `of` is what they are for, and its name.
fn data(kube: &Kube<'_, '_>, of: Kind, name: &str) -> Done<Map<String, Value>> {
    if kube.given.has("from-env-file") && (kube.given.has("from-file") || kube.given.has("from-literal")) {
        return Fail::error("from-env-file cannot be combined with from-file or from-literal");
    }
    let mut data = Map::new();
    let mut put = |key: &str, text: &str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || !key.chars().all(legal) {
            return Fail::error(format!("{key:?} is not a valid key name for a {}: {KEY}", of.info().kind));
        }
        if data.contains_key(key) {
            return Fail::error(if of == Kind::Secret {
                format!("cannot add key {key}, another key by that name already exists")
            } else {
                format!(
                    "cannot add key {key:?}, another key by that name already exists in Data for ConfigMap {name:?}"
                )
            });
        }
        data.insert(key.to_owned(), text.into());
        Ok(())
    };
    let machine = &kube.shell.machine;
    for source in kube.given.values("from-file") {
        let (key, file) = match source.split_once('=') {
            None => (None, source),
            Some(("", file)) => return Fail::error(format!("key name for file path {file} missing")),
            Some((key, "")) => return Fail::error(format!("file path for key name {key} missing")),
            Some((_, file)) if file.contains('=') => {
                return Fail::error("key names or file paths cannot contain '='");
            }
            Some((key, file)) => (Some(key), file),
        };
        let path = machine.path(file);
        match machine.files.get(&path) {
            Some(Entry::File(text)) => put(key.unwrap_or(crate::files::base(file)), text)?,
            Some(Entry::Directory) => {
                if key.is_some() {
                    return Fail::error("cannot give a key name for a directory path");
                }
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
        let Some((key, text)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Fail::error(format!("invalid literal source {pair}, expected key=value"));
        };
        put(key, text)?;
    }
    for file in kube.given.values("from-env-file") {
        let Ok(text) = machine.files.read(&machine.path(file)) else {
            return Fail::error(format!("error reading {file}: no such file or directory"));
        };
        for line in text.lines().map(str::trim_start).filter(|l| !l.trim().is_empty() && !l.starts_with('#'))
        {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) || !key.chars().all(legal) {
                return Fail::error(format!("{key:?} is not a valid key name: {VARIABLE}"));
            }
            put(key, value)?;
        }
    }
    Ok(data)
}

const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const VARIABLE: &str = "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";

pub(super) fn config_map(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name("configmap", args)?;
    let data = data(kube, Kind::ConfigMap, &name)?;
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
    if !matches!(flavour.as_str(), "generic" | "tls" | "docker-registry") {
        return Fail::error(format!(
            "unknown command {:?}\nSee 'kubectl create secret -h' for help and examples",
            args.join(" ")
        ));
    }
    let name = one_name(&format!("secret {flavour}"), rest)?;
    let encoded = |text: &str| Value::from(STANDARD.encode(text));
    let (kind, data) = match flavour.as_str() {
        "generic" => {
            let data = data(kube, Kind::Secret, &name)?;
            let data = data.into_iter().map(|(k, v)| (k, encoded(v.as_str().unwrap_or_default()))).collect();
            (kube.given.value("type").map(str::to_owned), data)
        }
        "tls" => {
            if !(kube.given.has("cert") && kube.given.has("key")) {
                return Fail::error("key and cert must be specified");
            }
            let read = |flag: &str| {
                let file = kube.given.value(flag).unwrap_or_default().to_owned();
                let machine = &kube.shell.machine;
                machine.files.read(&machine.path(&file)).map_err(|_| {
                    Fail::Error(format!("Cannot read file {file}, open {file}: no such file or directory"))
                })
            };
            let (cert, key) = (read("cert")?, read("key")?);
            for (text, what) in [(&cert, "certificate"), (&key, "key")] {
                if !text.contains("-----BEGIN ") {
                    return Fail::error(format!("tls: failed to find any PEM data in {what} input"));
                }
            }
            let data = [("tls.crt".to_owned(), encoded(&cert)), ("tls.key".to_owned(), encoded(&key))]
                .into_iter()
                .collect();
            (Some("kubernetes.io/tls".to_owned()), data)
        }
        "docker-registry" => {
            let text = |flag: &str| kube.given.value(flag).unwrap_or_default().to_owned();
            let (user, password, email) =
                (text("docker-username"), text("docker-password"), text("docker-email"));
            let server = kube.given.value("docker-server").unwrap_or("https://index.docker.io/v1/");
            if user.is_empty() || password.is_empty() || server.is_empty() {
                return Fail::error(
                    "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
                );
            }
            let auth = STANDARD.encode(format!("{user}:{password}"));
            // Go writes the fields in this order, and no empty address.
            let quoted = |text: &str| Value::from(text).to_string();
            let email =
                if email.is_empty() { String::new() } else { format!(",\"email\":{}", quoted(&email)) };
            let config = format!(
                "{{\"auths\":{{{}:{{\"username\":{},\"password\":{}{email},\"auth\":{}}}}}}}",
                quoted(server),
                quoted(&user),
                quoted(&password),
                quoted(&auth)
            );
            let data = [(".dockerconfigjson".to_owned(), encoded(&config))].into_iter().collect();
            (Some("kubernetes.io/dockerconfigjson".to_owned()), data)
        }
        _ => (None, Map::new()),
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
    let name = one_name("quota", args)?;
    let mut spec = json!({});
    if let Some(hard) = kube.given.value("hard") {
        for pair in hard.split(',') {
            let Some((_, amount)) = pair.split_once('=') else {
                return Fail::error(format!("Invalid argument syntax {pair}, expected <resource>=<value>"));
            };
            if api::quantity::Quantity::parse(amount).is_err() {
                return Fail::error(
                    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
                );
            }
        }
        spec["hard"] = Value::Object(pairs(hard));
    }
    if let Some(scopes) = kube.given.value("scopes") {
        spec["scopes"] = scopes.split(',').collect();
    }
    Ok((Kind::ResourceQuota, json!({"metadata": metadata(&name), "spec": spec, "status": {}})))
}

pub(super) fn priority_class(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name("priorityclass", args)?;
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
