//! `--raw`: one path of the API, asked as it is.
//!
//! Source: kubectl `pkg/rawhttp`; the paths are those of `kubectl api-resources`.

pub(super) mod discovery;
mod path;

use api::{ApiStatus, Cause, Kind, Object, SimDuration};
use cluster::{ApiRequest, ApiVerb, ClusterId, Propagation, Reply, request::Page};
use serde_json::{Value, json};

use self::path::Path;
use crate::kubectl::{
    Done, Fail, Kube,
    client::{Selection, wire},
    print::typed,
    watch::{self, Watched},
};

pub(super) use self::path::PARTS;

/// What is said of a path that nobody serves.
pub(super) const MISSING: &str =
    "Error from server (NotFound): the server could not find the requested resource";

fn missing() -> Fail {
    Fail::Plain(MISSING.to_owned())
}

fn read(kube: &mut Kube<'_, '_>, path: &str) -> Done<Path> {
    let kinds = kube.served();
    Path::read(path, &kinds).ok_or_else(missing)
}

/// What is written without a manager's name is the program's.
fn request(path: &Path, verb: ApiVerb) -> ApiRequest {
    ApiRequest::new(ClusterId::WORLD, verb, path.kind, &path.namespace, &path.name)
        .of(path.part)
        .by("kubectl")
}

/// A path that can be asked for.
fn checked(path: &str) -> Done {
    if path.starts_with('/') {
        return Ok(());
    }
    Fail::error(format!("--raw must be a valid URL path: parse {path:?}: invalid URI for request"))
}

/// `kubectl get --raw`.
pub(super) fn get(kube: &mut Kube<'_, '_>, asked: &str) -> Done {
    let target = kube.target()?;
    checked(asked)?;
    let (plain, query) = asked.split_once('?').unwrap_or((asked, ""));
    let plain = plain.trim_end_matches('/');
    let verbose = query.split('&').any(|it| it.split('=').next() == Some("verbose"));
    if let Some(health) = discovery::health(plain, verbose) {
        kube.out.out(&health);
        return Ok(());
    }
    match plain {
        "/version" => {
            kube.out.out(&discovery::version(&target.version));
            return Ok(());
        }
        "/api" => {
            let address = target.server.trim_start_matches("https://").to_owned();
            kube.out.line(&typed::compact(&json!({"kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})));
            return Ok(());
        }
        _ => {}
    }
    let kinds = kube.served();
    if let Some(value) = discovery::at(plain, &kinds) {
        kube.out.line(&typed::compact(&value));
        return Ok(());
    }
    let path = read(kube, asked)?;
    if path.name.is_empty() {
        return list(kube, &path);
    }
    shown(kube, &path, request(&path, ApiVerb::Get))
}

fn list(kube: &mut Kube<'_, '_>, path: &Path) -> Done {
    let number = |name: &str| match path.parameter(name).as_str() {
        "" => Ok(0),
        text => text.parse::<i64>().map_err(|_| {
            let why = format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
            Fail::Server(ApiStatus::bad_request(why))
        }),
    };
    let (limit, seconds) = (number("limit")?, number("timeoutSeconds")?);
    // UPSTREAM: whatever is neither `0` nor `false` is true.
    if !matches!(path.parameter("watch").as_str(), "" | "0" | "false") {
        return watch(kube, path, seconds);
    }
    let page = Page {
        limit,
        token: path.parameter("continue"),
        revision: path.parameter("resourceVersion"),
        matching: path.parameter("resourceVersionMatch"),
    };
    let (label_selector, field_selector) = (path.parameter("labelSelector"), path.parameter("fieldSelector"));
    match kube.ask(request(path, ApiVerb::List { label_selector, field_selector, page }))? {
        Reply::List(list) => {
            let mut meta = json!({"resourceVersion": list.revision.to_string()});
            if !list.token.is_empty() {
                meta["continue"] = list.token.into();
            }
            if let Some(remaining) = list.remaining {
                meta["remainingItemCount"] = remaining.into();
            }
            let items = list.items.iter().map(|object| whole(path.kind, object)).collect();
            let shown = listed(path.kind, items, &meta);
            kube.out.line(&typed::compact(&shown));
            Ok(())
        }
        Reply::Object(_) | Reply::Value(_) => Fail::error("unexpected object"),
    }
}

/// A list as it goes over the wire; what is in one of the server's own kinds does not say what it is.
fn listed(kind: Kind, mut items: Vec<Value>, meta: &Value) -> Value {
    let info = kind.info();
    for item in items.iter_mut().filter(|_| !matches!(kind, Kind::Custom(_))) {
        if let Value::Object(fields) = item {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
    }
    json!({"kind": format!("{}List", info.kind), "apiVersion": info.api_version(), "metadata": meta, "items": items})
}

/// `?watch=true`: what there is, then every change until the time is up.
fn watch(kube: &mut Kube<'_, '_>, path: &Path, seconds: i64) -> Done {
    let revision = path.parameter("resourceVersion");
    let since = match revision.as_str() {
        "" => 0,
        text => text.parse::<u64>().map_err(|_| {
            let why = format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
            Fail::Plain(format!("Error from server: {why}"))
        })?,
    };
    let (labels, fields) = (path.parameter("labelSelector"), path.parameter("fieldSelector"));
    let selection = Selection { labels, fields };
    // MODEL: a watch from a revision begins with what is there now, if that is newer.
    for object in kube.objects(path.kind, &path.namespace, &selection)? {
        let of: u64 =
            object.meta().resource_version.as_deref().unwrap_or_default().parse().unwrap_or_default();
        if since == 0 || of > since {
            event(kube, "ADDED", &wire(path.kind, &object));
        }
    }
    let watched = Watched { kind: path.kind, namespace: path.namespace.clone(), name: None, selection };
    let ends = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
    let ends = ends.map(|seconds| kube.shell.world.now() + SimDuration::secs(seconds));
    watch::run(kube, &watched, ends, |kube, value, _, how| event(kube, how, value))
}

fn event(kube: &mut Kube<'_, '_>, how: &str, object: &Value) {
    kube.out.line(&typed::compact(&json!({"type": how, "object": object})));
}

/// `kubectl delete --raw`.
pub(super) fn delete(kube: &mut Kube<'_, '_>, asked: &str) -> Done {
    checked(asked)?;
    let path = read(kube, asked)?;
    let dry = dry_run(&path, "DeleteOptions")?;
    let propagation = match path.parameter("propagationPolicy").as_str() {
        "Foreground" => Propagation::Foreground,
        "Orphan" => Propagation::Orphan,
        _ => Propagation::Background,
    };
    let grace = path.parameter("gracePeriodSeconds").parse().ok();
    let verb = ApiVerb::Delete { grace, propagation };
    let info = path.kind.info();
    if path.name.is_empty() {
        if !info.verbs.contains(&"deletecollection") {
            let why = "the server does not allow this method on the requested resource";
            return Err(Fail::Plain(format!("Error from server (MethodNotAllowed): {why}")));
        }
        let selection =
            Selection { labels: path.parameter("labelSelector"), fields: path.parameter("fieldSelector") };
        let all = kube.objects(path.kind, &path.namespace, &selection)?;
        for object in &all {
            let one = request(&path, verb.clone()).dry(dry);
            kube.ask(ApiRequest { name: object.name().to_owned(), ..one })?;
        }
        let items = all.iter().map(|object| wire(path.kind, object)).collect();
        let revision = kube.shell.world.store().revision().to_string();
        let shown = listed(path.kind, items, &json!({"resourceVersion": revision}));
        kube.out.line(&typed::compact(&shown));
        return Ok(());
    }
    match kube.ask(request(&path, verb).dry(dry))? {
        // What is gone is told as such; what waits for something is shown.
        Reply::Object(object) if dry || kube.ask(request(&path, ApiVerb::Get)).is_err() => {
            let line = gone(&path, &object);
            kube.out.line(&line);
        }
        Reply::Object(object) => {
            let line = typed::compact(&wire(path.kind, &object));
            kube.out.line(&line);
        }
        Reply::Value(_) | Reply::List(_) => return Fail::error("unexpected answer"),
    }
    Ok(())
}

fn gone(path: &Path, object: &Object) -> String {
    let info = path.kind.info();
    let quoted = |text: &str| Value::from(text).to_string();
    let group = match info.group {
        "" => String::new(),
        group => format!(",\"group\":{}", quoted(group)),
    };
    // The details stand in the order of their type's fields.
    format!(
        "{{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{{}},\"status\":\"Success\",\"details\":{{\"name\":{}{group},\"kind\":{},\"uid\":{}}}}}",
        quoted(&path.name),
        quoted(info.plural),
        quoted(object.meta().uid.as_deref().unwrap_or_default())
    )
}

/// `kubectl create --raw`, with the body that `-f` names.
pub(super) fn create(kube: &mut Kube<'_, '_>, asked: &str) -> Done {
    let (path, body) = sent(kube, asked)?;
    let dry = dry_run(&path, "CreateOptions")?;
    shown(kube, &path, request(&path, ApiVerb::Create(body)).dry(dry))
}

/// `kubectl replace --raw`, with the body that `-f` names.
pub(super) fn replace(kube: &mut Kube<'_, '_>, asked: &str) -> Done {
    let (path, body) = sent(kube, asked)?;
    let dry = dry_run(&path, "UpdateOptions")?;
    shown(kube, &path, request(&path, ApiVerb::Update(body)).dry(dry))
}

/// The path and the body that goes there, as the server decodes it.
fn sent(kube: &mut Kube<'_, '_>, asked: &str) -> Done<(Path, Value)> {
    if kube.given.values("filename").len() != 1 {
        return Fail::error("--raw can only use a single local file or stdin");
    }
    checked(asked)?;
    let text = kube.body()?;
    let path = read(kube, asked)?;
    let wanted = path.kind.info();
    let refuse = |why: String| Err(Fail::Server(ApiStatus::bad_request(why)));
    if let Some(wrong) = api::json::error(&text) {
        return refuse(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: {wrong} \
             ({})",
            wanted.kind,
            summary(&text)
        ));
    }
    let body: Value = serde_json::from_str(&text).map_err(|error| Fail::Error(error.to_string()))?;
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    let is_other = !kind.is_empty() && (kind, version) != (wanted.kind, &wanted.api_version());
    if path.part.is_empty() && is_other {
        if Kind::of_manifest(version, kind).is_none() {
            return refuse(format!(
                "{} in version {:?} cannot be handled as a {}: no kind {kind:?} is registered for version {version:?} in \
                 scheme \"pkg/api/legacyscheme/scheme.go:30\"",
                kind,
                version.rsplit('/').next().unwrap_or_default(),
                wanted.kind
            ));
        }
        let version = version.rsplit('/').next().unwrap_or_default();
        let inner = wanted.group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
        return refuse(format!(
            "{kind} in version {version:?} cannot be handled as a {}: converting ({version}.{kind}) to ({inner}.{}): \
             unknown conversion",
            wanted.kind, wanted.kind
        ));
    }
    let body = match path.parameter("fieldValidation").as_str() {
        "Strict" => body,
        how if path.part.is_empty() => kube.lax(path.kind, &body, how != "Ignore"),
        _ => body,
    };
    Ok((path, body))
}

/// Bytes of a body that a refusal shows.
const SHOWN: usize = 30;

/// The beginning of a body: as it is where it could be JSON, otherwise by its bytes.
fn summary(text: &str) -> String {
    let is_json = text.starts_with('{');
    let bytes = if is_json { text.as_bytes() } else { text.trim_start().as_bytes() };
    let head = &bytes[..bytes.len().min(SHOWN)];
    let shown = match is_json {
        true => String::from_utf8_lossy(head).into_owned(),
        false => head.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    if bytes.len() > SHOWN { format!("{shown} ...") } else { shown }
}

/// Whether nothing is to be written.
fn dry_run(path: &Path, options: &str) -> Done<bool> {
    match path.parameter("dryRun").as_str() {
        "" => Ok(false),
        "All" => Ok(true),
        other => {
            let cause = Cause {
                reason: "FieldValueNotSupported".to_owned(),
                message: format!("Unsupported value: [{other:?}]: supported values: \"All\""),
                field: "dryRun".to_owned(),
            };
            Err(Fail::Server(ApiStatus::invalid_options(options, vec![cause])))
        }
    }
}

/// An object with whose its fields are, as nobody hides it here.
fn whole(kind: Kind, object: &Object) -> Value {
    let mut value = wire(kind, object);
    api::managed::complete(&mut value);
    value
}

fn shown(kube: &mut Kube<'_, '_>, path: &Path, asked: ApiRequest) -> Done {
    let value = match kube.ask(asked)? {
        Reply::Object(object) => whole(path.kind, &object),
        Reply::Value(value) => value,
        Reply::List(_) => return Fail::error("unexpected list"),
    };
    kube.out.line(&typed::compact(&value));
    Ok(())
}
