//! `--raw`: one path of the API, asked as it is.
//!
//! Source: kubectl `pkg/rawhttp`; the paths are those of `kubectl api-resources`.

use api::{Domain, Kind};
use cluster::{ApiRequest, ApiVerb, ClusterId, Propagation, Reply};
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, client::wire, print::typed};

/// What a path names.
struct Path {
    kind: Kind,
    namespace: String,
    name: String,
    part: &'static str,
    labels: String,
    fields: String,
}

/// Parts of objects that are served by themselves.
pub(super) const PARTS: [&str; 6] =
    ["eviction", "binding", "ephemeralcontainers", "resize", "scale", "status"];

/// What is said of a path that nobody serves.
pub(super) const MISSING: &str =
    "Error from server (NotFound): the server could not find the requested resource";

/// Reads a path of an object or a list.
fn read(path: &str) -> Option<Path> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut words = path.trim_matches('/').split('/');
    let (group, version) = match words.next()? {
        "api" => ("", words.next()?),
        "apis" => (words.next()?, words.next()?),
        _ => return None,
    };
    let mut words: Vec<&str> = words.collect();
    let mut namespace = String::new();
    if words.first() == Some(&"namespaces") && words.len() > 2 {
        words.remove(0);
        namespace = words.remove(0).to_owned();
    }
    let mut words = words.into_iter();
    let plural = words.next()?;
    let kind = Kind::EVERY.iter().copied().find(|kind| {
        let info = kind.info();
        info.domain() == Domain::Kubernetes
            && (info.group, info.plural) == (group, plural)
            && info.version == version
    })?;
    let name = words.next().unwrap_or_default().to_owned();
    let part = match words.next() {
        None => "",
        Some(typed) => PARTS.iter().find(|p| **p == typed)?,
    };
    let parameter = |name: &str| {
        let given = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
        given.map(|(_, value)| decoded(value)).unwrap_or_default()
    };
    let (labels, fields) = (parameter("labelSelector"), parameter("fieldSelector"));
    Some(Path { kind, namespace, name, part, labels, fields })
}

/// A value of a query as it was before it was escaped.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        let escaped = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match (byte, escaped.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(one)) => {
                bytes.push(one);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn request(path: &Path, verb: ApiVerb) -> ApiRequest {
    ApiRequest::new(ClusterId::WORLD, verb, path.kind, &path.namespace, &path.name).of(path.part)
}

fn missing() -> Fail {
    Fail::Plain(MISSING.to_owned())
}

/// `kubectl get --raw`.
pub(super) fn get(kube: &mut Kube<'_, '_>, path: &str) -> Done {
    let target = kube.target()?;
    if !path.starts_with('/') {
        return Fail::error(format!(
            "--raw must be a valid URL path: parse {path:?}: invalid URI for request"
        ));
    }
    let plain = path.split('?').next().unwrap_or(path);
    match plain.trim_end_matches('/') {
        "/healthz" | "/livez" | "/readyz" => {
            kube.out.out("ok");
            return Ok(());
        }
        "/version" => {
            kube.out.out(&version(&target.version));
            return Ok(());
        }
        "/api" => {
            let address = target.server.trim_start_matches("https://").to_owned();
            kube.out.line(&typed::compact(&json!({"kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})));
            return Ok(());
        }
        "/apis" => {
            let all: Vec<Value> = groups().iter().map(|group| group_of(group)).collect();
            let list = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": all});
            kube.out.line(&typed::compact(&list));
            return Ok(());
        }
        other => {
            if let Some(group) = other.strip_prefix("/apis/").filter(|g| !g.contains('/')) {
                if !groups().contains(&group) {
                    return Err(missing());
                }
                let mut shown = json!({"kind": "APIGroup", "apiVersion": "v1"});
                for (key, value) in group_of(group).as_object().into_iter().flatten() {
                    shown[key] = value.clone();
                }
                kube.out.line(&typed::compact(&shown));
                return Ok(());
            }
        }
    }
    let Some(path) = read(path) else { return Err(missing()) };
    let verb = if path.name.is_empty() {
        ApiVerb::List { label_selector: path.labels.clone(), field_selector: path.fields.clone() }
    } else {
        ApiVerb::Get
    };
    let info = path.kind.info();
    let value = match kube.ask(request(&path, verb))? {
        Reply::Object(object) => wire(path.kind, &object),
        Reply::Value(value) => value,
        Reply::List(objects) => {
            let items: Vec<Value> = objects
                .iter()
                .map(|object| {
                    let mut item = wire(path.kind, object);
                    if let Value::Object(fields) = &mut item {
                        fields.remove("apiVersion");
                        fields.remove("kind");
                    }
                    item
                })
                .collect();
            json!({"kind": format!("{}List", info.kind), "apiVersion": info.api_version(),
                "metadata": {"resourceVersion": kube.shell.world.store().revision().to_string()}, "items": items})
        }
    };
    kube.out.line(&typed::compact(&value));
    Ok(())
}

/// `kubectl delete --raw`.
pub(super) fn delete(kube: &mut Kube<'_, '_>, path: &str) -> Done {
    let Some(path) = read(path).filter(|p| !p.name.is_empty()) else { return Err(missing()) };
    let verb = ApiVerb::Delete { grace: None, propagation: Propagation::Background };
    let info = path.kind.info();
    match kube.ask(request(&path, verb))? {
        // What is gone is told as such; what waits for something is shown.
        Reply::Object(object) if kube.ask(request(&path, ApiVerb::Get)).is_err() => {
            let quoted = |text: &str| Value::from(text).to_string();
            let group = match info.group {
                "" => String::new(),
                group => format!(",\"group\":{}", quoted(group)),
            };
            // The details stand in the order of their type's fields.
            kube.out.line(&format!(
                "{{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{{}},\"status\":\"Success\",\"details\":{{\"name\":{}{group},\"kind\":{},\"uid\":{}}}}}",
                quoted(&path.name),
                quoted(info.plural),
                quoted(object.meta().uid.as_deref().unwrap_or_default())
            ));
        }
        Reply::Object(object) => {
            let line = typed::compact(&wire(path.kind, &object));
            kube.out.line(&line);
        }
        Reply::Value(_) | Reply::List(_) => return Fail::error("unexpected answer"),
    }
    Ok(())
}

/// `kubectl create --raw`, with the body that `-f` names.
pub(super) fn create(kube: &mut Kube<'_, '_>, path: &str) -> Done {
    if kube.given.values("filename").len() != 1 {
        return Fail::error("--raw can only use a single local file or stdin");
    }
    let Some(path) = read(path) else { return Err(missing()) };
    let body = body(kube, path.kind)?;
    answer(kube, &path, ApiVerb::Create(body))
}

/// `kubectl replace --raw`, with the body that `-f` names.
pub(super) fn replace(kube: &mut Kube<'_, '_>, path: &str) -> Done {
    if kube.given.values("filename").len() != 1 {
        return Fail::error("--raw can only use a single local file or stdin");
    }
    let Some(path) = read(path) else { return Err(missing()) };
    let body = body(kube, path.kind)?;
    answer(kube, &path, ApiVerb::Update(body))
}

/// Bytes of a body that a refusal shows.
const SHOWN: usize = 30;

/// What `-f` names, which is sent as it is and has to be JSON.
fn body(kube: &mut Kube<'_, '_>, kind: Kind) -> Done<Value> {
    let text = kube.body()?;
    let Some(wrong) = api::json::error(&text) else {
        return serde_json::from_str(&text).map_err(|error| Fail::Error(error.to_string()));
    };
    let bytes = text.trim_start().as_bytes();
    let hex: String = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    let more = if bytes.len() > SHOWN { " ..." } else { "" };
    let mut status = api::ApiStatus::forbidden(format!(
        "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {wrong} ({hex}{more})",
        kind.info().kind
    ));
    (status.code, status.reason) = (400, "BadRequest".to_owned());
    Err(Fail::Server(status))
}

fn answer(kube: &mut Kube<'_, '_>, path: &Path, verb: ApiVerb) -> Done {
    let value = match kube.ask(request(path, verb))? {
        Reply::Object(object) => wire(path.kind, &object),
        Reply::Value(value) => value,
        Reply::List(_) => return Fail::error("unexpected list"),
    };
    kube.out.line(&typed::compact(&value));
    Ok(())
}

/// The groups that are served, in the order of their names.
fn groups() -> Vec<&'static str> {
    let served = Kind::EVERY.iter().map(|k| k.info()).filter(|i| i.domain() == Domain::Kubernetes);
    let mut all: Vec<&str> = served.map(|i| i.group).filter(|g| !g.is_empty()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn group_of(group: &str) -> Value {
    let served = Kind::EVERY.iter().map(|k| k.info()).filter(|i| i.group == group);
    let mut versions: Vec<&str> = served.map(|i| i.version).collect();
    versions.sort_unstable_by_key(|v| (v.contains("alpha"), v.contains("beta"), std::cmp::Reverse(*v)));
    versions.dedup();
    let one = |version: &str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
    let all: Vec<Value> = versions.iter().map(|v| one(v)).collect();
    json!({"name": group, "versions": all, "preferredVersion": all.first()})
}

/// `/version`, which is indented by two blanks.
fn version(version: &str) -> String {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let lines = [
        ("major", major),
        ("minor", minor),
        ("gitVersion", version),
        ("gitTreeState", "clean"),
        ("compiler", "gc"),
        ("platform", "linux/amd64"),
    ];
    let lines: Vec<String> =
        lines.iter().map(|(key, value)| format!("  {key:?}: {}", Value::from(*value))).collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use api::Scope;

    use super::*;

    #[test]
    fn paths_name_kinds_namespaces_and_parts() {
        let path = read("/api/v1/namespaces/default/pods/web-0/eviction").expect("a path");
        assert_eq!(
            (path.kind, path.namespace.as_str(), path.name.as_str(), path.part),
            (Kind::Pod, "default", "web-0", "eviction")
        );
        let path = read("/api/v1/namespaces/default").expect("a path");
        assert_eq!((path.kind, path.name.as_str()), (Kind::Namespace, "default"));
        assert!(read("/apis/nope/v1/things").is_none());
        assert_eq!(read("/api/v1/nodes").map(|p| p.kind.info().scope), Some(Scope::Cluster));
    }
}
