//! Whom does kubectl ask, as whom, and what comes back?

use std::rc::Rc;

use api::{Kind, Object, Scope, SimDuration, kinds::sim::ControlPlane};
use cluster::{
    ApiRequest, ApiVerb, ClusterId, Key, PatchKind, Principal, Propagation, Refusal, Reply, Request,
    parts::Silence, request::Proof,
};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube,
    kubeconfig::{Context, Credential, User},
};

/// The cluster a command speaks to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which part of the store.
    pub cluster: ClusterId,
    /// Who asks.
    pub who: Principal,
    /// From `-n`, the context, or `default`.
    pub namespace: String,
    /// `https://…`.
    pub server: String,
    /// Such as `v1.34.2-eks-ecaa3a6`.
    pub version: String,
    /// How the user shows itself.
    pub credential: Option<Credential>,
    /// The user's own id, where its credential carries one.
    pub uid: String,
    /// What else its credential says, by name.
    pub extra: Vec<(&'static str, String)>,
}

/// Whom the server takes a caller to be: who, their own id, and what else it knows of them.
type Shown = (Principal, String, Vec<(&'static str, String)>);

impl Target {
    /// The minor version of the server.
    #[must_use]
    pub fn minor(&self) -> u32 {
        self.version.split('.').nth(1).and_then(|m| m.parse().ok()).unwrap_or(34)
    }
}

/// What may be asked for in a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// `-l`.
    pub labels: String,
    /// `--field-selector`.
    pub fields: String,
}

impl Selection {
    pub(crate) fn any(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }
}

impl Kube<'_, '_> {
    /// The current context, or the one that `--context` names.
    pub(crate) fn context(&self) -> Done<Option<Context>> {
        let config = &self.shell.machine.kubeconfig;
        match self.given.value("context") {
            Some(name) => match config.context(name) {
                Some(context) => Ok(Some(context.clone())),
                None => Err(Fail::Plain(format!(
                    "Error in configuration: context was not found for specified context: {name}"
                ))),
            },
            None => Ok(config.context(&config.current).cloned()),
        }
    }

    /// The cluster this command speaks to.
    pub(crate) fn target(&mut self) -> Done<Target> {
        if let Some(target) = &self.target {
            return Ok(target.clone());
        }
        if self.given.value("request-timeout").is_some_and(|it| !is_timeout(it)) {
            return Fail::error(
                "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
            );
        }
        if let Some(file) = self.given.value("kubeconfig").filter(|it| !it.is_empty()) {
            let machine = &self.shell.machine;
            let path = machine.path(file);
            if !["/dev/null", machine.kubeconfig.path()].contains(&path.as_str())
                && machine.files.get(&path).is_none()
            {
                return Fail::error(format!("stat {file}: no such file or directory"));
            }
        }
        let context = self.context()?;
        let config = &self.shell.machine.kubeconfig;
        let of_context = |own: fn(&Context) -> &String| context.as_ref().map(own).map(String::as_str);
        // Who makes a binding means by `--user` whom it is for.
        let binds = matches!(
            (self.verb, self.given.args.first().map(String::as_str)),
            ("create", Some("clusterrolebinding" | "rolebinding")) | ("set", Some("subject"))
        );
        let global = |name: &str| self.given.value(name).filter(|it| !it.is_empty() && !binds);
        let named = global("cluster");
        let cluster = named.or(of_context(|c| &c.cluster));
        let cluster = cluster.and_then(|name| config.clusters.iter().find(|k| k.name == name));
        if let Some(name) = named.filter(|_| cluster.is_none()) {
            return Fail::error(format!("no server found for cluster {name:?}"));
        }
        let named = global("user");
        let user = named.or(of_context(|c| &c.user));
        let user = user.and_then(|name| config.users.iter().find(|u| u.name == name));
        if let Some(name) = named.filter(|_| user.is_none()) {
            return Fail::error(format!("auth info {name:?} does not exist"));
        }
        let server = match (self.given.value("server"), cluster) {
            (Some(server), _) => server.to_owned(),
            (None, Some(cluster)) => cluster.server.clone(),
            (None, None) => "http://localhost:8080".to_owned(),
        };
        let known = cluster.filter(|c| c.server == server);
        let plane = known.and_then(|known| {
            let mut planes = self.shell.world.store().list::<ControlPlane>(ClusterId::WORLD, None);
            planes.find(|plane| plane.metadata.name.as_deref() == Some(&known.control_plane))
        });
        // Who names a server by hand has to know by what its certificate is signed, or not care.
        let name = super::config::files::behind(self.shell, &server);
        let plane = match plane {
            None if !name.is_empty() && !self.given.on("insecure-skip-tls-verify") => {
                return Err(Fail::Plain(
                    "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority"
                        .to_owned(),
                ));
            }
            None => super::known::plane(self.shell.world, &name),
            plane => plane,
        };
        let Some(plane) = plane else { return Err(nowhere(&server)) };
        let (mut who, mut uid, mut extra) = user.map(shown_by).unwrap_or_default();
        // UPSTREAM: a client certificate is sent beside the token, and the server looks at it first.
        let by_certificate = user.is_some_and(|user| user.credential == Credential::Certificate);
        if let Some(token) = self.given.value("token").filter(|_| !by_certificate) {
            let owner = config.users.iter().find(|u| u.credential == Credential::Token(token.to_owned()));
            let account = by_token(token);
            (who, uid, extra) = owner.map(shown_by).or(account).unwrap_or_default();
        }
        let other = self.given.value("as").filter(|it| !it.is_empty());
        if other.is_none() && (self.given.has("as-group") || self.given.has("as-uid")) {
            return Fail::error(format!(
                "requesting uid, groups or user-extra for {} without impersonating a user",
                user.map(|user| user.name.as_str()).unwrap_or_default()
            ));
        }
        if let Some(other) = other {
            let mut groups: Vec<String> =
                self.given.values("as-group").into_iter().map(str::to_owned).collect();
            let mut as_other = account_of(other);
            if !groups.is_empty() {
                if !groups.iter().any(|g| g == "system:authenticated") && other != "system:anonymous" {
                    groups.push("system:authenticated".to_owned());
                }
                as_other.groups = groups;
            }
            let real = std::mem::replace(&mut who, as_other);
            who.real = Some(Box::new(real));
            uid = self.given.value("as-uid").unwrap_or_default().to_owned();
            extra.clear();
        }
        let namespace = self.given.value("namespace").map(str::to_owned).filter(|n| !n.is_empty());
        let namespace = namespace
            .or_else(|| context.map(|c| c.namespace).filter(|n| !n.is_empty()))
            .unwrap_or_else(|| "default".to_owned());
        let target = Target {
            cluster: ClusterId(plane.id),
            who,
            namespace,
            server,
            version: plane.version.clone(),
            credential: user.map(|u| u.credential.clone()),
            uid,
            extra,
        };
        // UPSTREAM: who may not even ask what the server serves gets no better answer than this.
        if target.who.user == "system:anonymous" && self.verb != "auth" {
            return Err(Fail::Plain("Error from server (Forbidden): unknown".to_owned()));
        }
        self.target = Some(target.clone());
        Ok(target)
    }

    /// Whether a part of a pod may be read, in the server's words if not.
    pub(crate) fn may_get(&mut self, pod: &str, part: &'static str) -> Done {
        self.may("get", pod, part)
    }

    /// Whether a part of a pod may be posted to.
    pub(crate) fn may_create(&mut self, pod: &str, part: &'static str) -> Done {
        self.may("create", pod, part)
    }

    fn may(&mut self, verb: &str, pod: &str, part: &str) -> Done {
        let namespace = self.namespace()?;
        self.allowed(verb, (Kind::Pod, &namespace, pod), part)
    }

    /// Whether something may be done that the lab does without a request of its own, in the server's words if not.
    pub(crate) fn allowed(
        &mut self,
        verb: &str,
        (kind, namespace, name): (Kind, &str, &str),
        part: &str,
    ) -> Done {
        let who = self.target()?.who;
        let info = kind.info();
        let asked = serde_json::json!({"spec": {"resourceAttributes": {"verb": verb, "group": info.group,
            "resource": info.plural, "subresource": part, "namespace": namespace, "name": name}}});
        let review = self.create(Kind::SelfSubjectAccessReview, "", asked, false)?;
        if review["status"]["allowed"] == true {
            return Ok(());
        }
        let resource = info.resource();
        let what = if name.is_empty() { resource.to_string() } else { format!("{resource} {name:?}") };
        let part = if part.is_empty() { String::new() } else { format!("/{part}") };
        let place = match namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {namespace:?}"),
        };
        Err(Fail::Server(api::ApiStatus::forbidden(format!(
            "{what} is forbidden: User {:?} cannot {verb} resource \"{}{part}\" in API group {:?} {place}",
            who.user, info.plural, info.group
        ))))
    }

    /// The namespace of this command.
    pub(crate) fn namespace(&mut self) -> Done<String> {
        Ok(self.target()?.namespace)
    }

    /// Sends one request and prints the server's warnings.
    pub(crate) fn ask(&mut self, request: ApiRequest) -> Done<Reply> {
        let target = self.target()?;
        let request = ApiRequest { cluster: target.cluster, ..request };
        let asked = of_custom(&request);
        match self.shell.world.silence(&request) {
            None => {}
            Some(Silence::NoServer) => return Err(refused(&target.server)),
            Some(Silence::NoQuorum(wait)) => {
                let until = self.shell.world.now() + wait;
                self.shell.sleep_until(until, self.out);
                if self.shell.world.now() < until {
                    // `timeout` did not wait that long.
                    return Err(Fail::Exit(124));
                }
            }
        }
        let answer = self.shell.world.request(&target.who, Request::Api(request));
        let warnings = self.shell.world.last_asked().map(|asked| asked.warnings.clone()).unwrap_or_default();
        for warning in warnings {
            // Each is said once by one command.
            if self.warned.insert(warning.clone()) {
                self.out.err(&format!("Warning: {warning}"));
            }
        }
        let known = &mut self.shell.machine.kubeconfig.discovered;
        let discovered = known.contains(&target.server);
        if answer.is_ok() && !discovered {
            known.push(target.server.clone());
        }
        answer.map_err(|refusal| match refusal {
            // UPSTREAM: who is refused already when asking what the server serves is told so in other words.
            Refusal::Api(status) if status.reason == "Unauthorized" && discovered => {
                Fail::Error("You must be logged in to the server (Unauthorized)".to_owned())
            }
            Refusal::Api(mut status) => {
                // UPSTREAM: a path that nobody serves is refused without a word of what was asked; the client adds it.
                if let Some(asked) = asked.filter(|_| status.reason == "NotFound" && status.name.is_empty()) {
                    status.message.push_str(&asked);
                }
                Fail::Server(status)
            }
            Refusal::Aws(error) => Fail::Plain(error.to_string()),
            Refusal::Tool(text) => Fail::Plain(text),
        })
    }

    fn one(&mut self, request: ApiRequest) -> Done<Value> {
        let kind = request.kind;
        match self.ask(request)? {
            Reply::Object(object) => Ok(wire(kind, &object)),
            Reply::Value(value) => Ok(value),
            Reply::List(_) => Fail::error("unexpected list"),
        }
    }

    pub(crate) fn request(&mut self, verb: ApiVerb, kind: Kind, namespace: &str, name: &str) -> ApiRequest {
        let namespace = if kind.info().scope == Scope::Namespaced { namespace } else { "" };
        let strict = self.verb == "apply"
            && !matches!(self.given.value("validate"), Some("false" | "ignore" | "warn"));
        ApiRequest {
            manager: self.manager(),
            strict,
            ..ApiRequest::new(ClusterId::WORLD, verb, kind, namespace, name)
        }
    }

    /// As whose the fields are noted that a command writes.
    fn manager(&self) -> String {
        if let Some(given) = self.given.value("field-manager").filter(|it| !it.is_empty()) {
            return given.to_owned();
        }
        match self.verb {
            "apply" if self.given.on("server-side") => "kubectl".to_owned(),
            "apply" => "kubectl-client-side-apply".to_owned(),
            "annotate" | "autoscale" | "create" | "edit" | "expose" | "label" | "patch" | "replace"
            | "rollout" | "run" | "set" | "taint" => format!("kubectl-{}", self.verb),
            // UPSTREAM: where a command names no manager the beginning of its user agent counts.
            _ => "kubectl".to_owned(),
        }
    }

    /// Reads one object.
    pub(crate) fn get(&mut self, kind: Kind, namespace: &str, name: &str) -> Done<Value> {
        let request = self.request(ApiVerb::Get, kind, namespace, name);
        self.one(request).map_err(|fail| self.nowhere(kind, namespace, fail))
    }

    /// UPSTREAM: where something is not found in a namespace that there is not, that is said instead; `default` is never doubted.
    /// Source: cli-runtime `pkg/resource/visitor.go` (`Info.Get`).
    fn nowhere(&mut self, kind: Kind, namespace: &str, fail: Fail) -> Fail {
        let doubtful = kind.info().scope == Scope::Namespaced && !matches!(namespace, "" | "default");
        if !doubtful || !fail.is_not_found() {
            return fail;
        }
        let request = self.request(ApiVerb::Get, Kind::Namespace, "", namespace);
        match self.ask(request) {
            Err(other) if other.is_not_found() => other,
            Ok(_) | Err(_) => fail,
        }
    }

    /// Reads one, as the server has it.
    pub(crate) fn object(&mut self, kind: Kind, namespace: &str, name: &str) -> Done<Rc<Object>> {
        let request = self.request(ApiVerb::Get, kind, namespace, name);
        match self.ask(request).map_err(|fail| self.nowhere(kind, namespace, fail))? {
            Reply::Object(object) => Ok(object),
            Reply::List(_) | Reply::Value(_) => Fail::error("unexpected list"),
        }
    }

    /// Reads many; an empty namespace means all.
    pub(crate) fn list(&mut self, kind: Kind, namespace: &str, selection: &Selection) -> Done<Vec<Value>> {
        Ok(self.objects(kind, namespace, selection)?.iter().map(|object| wire(kind, object)).collect())
    }

    /// Reads many, as the server has them: JSON is made of each where it is wanted.
    pub(crate) fn objects(
        &mut self,
        kind: Kind,
        namespace: &str,
        selection: &Selection,
    ) -> Done<Vec<Rc<Object>>> {
        let verb = ApiVerb::List {
            label_selector: selection.labels.clone(),
            field_selector: selection.fields.clone(),
            page: cluster::request::Page::default(),
        };
        let request = self.request(verb, kind, namespace, "");
        let answer = self.ask(request).map_err(|fail| match fail {
            // UPSTREAM: kubectl says what it looked for when a selector cannot be read.
            Fail::Server(mut status) if status.reason == "BadRequest" && selection.any() => {
                let info = kind.info();
                let version = if info.group.is_empty() { "/v1".to_owned() } else { info.api_version() };
                status.message = format!(
                    "Unable to find \"{version}, Resource={}\" that match label selector {:?}, field selector {:?}: {}",
                    info.plural, selection.labels, selection.fields, status.message
                );
                Fail::Server(status)
            }
            Fail::Server(mut status)
                if matches!(kind, Kind::Custom(_))
                    && status.reason == "NotFound"
                    && status.name.is_empty() =>
            {
                let info = kind.info();
                status.message = format!(
                    "Unable to list \"{}, Resource={}\": {}",
                    info.api_version(),
                    info.plural,
                    status.message
                );
                Fail::Server(status)
            }
            other => other,
        })?;
        match answer {
            Reply::List(list) => Ok(list.items),
            Reply::Object(_) | Reply::Value(_) => Fail::error("unexpected object"),
        }
    }

    /// Makes one object.
    pub(crate) fn create(&mut self, kind: Kind, namespace: &str, value: Value, dry_run: bool) -> Done<Value> {
        let value = self.recorded(value);
        let request = self.request(ApiVerb::Create(value), kind, namespace, "").dry(dry_run);
        self.one(request)
    }

    /// Puts one object in the place of another.
    pub(crate) fn update(
        &mut self,
        kind: Kind,
        namespace: &str,
        name: &str,
        value: Value,
        dry_run: bool,
    ) -> Done<Value> {
        let value = self.recorded(value);
        let request = self.request(ApiVerb::Update(value), kind, namespace, name).dry(dry_run);
        self.one(request)
    }

    /// Puts a part of one object in the place of another.
    pub(crate) fn update_part(
        &mut self,
        (kind, namespace, name): (Kind, &str, &str),
        part: &'static str,
        value: Value,
    ) -> Done<Value> {
        let request = self.request(ApiVerb::Update(value), kind, namespace, name).of(part);
        self.one(request)
    }

    /// Changes one object, or a part of it.
    pub(crate) fn patch_part(
        &mut self,
        (kind, namespace, name): (Kind, &str, &str),
        part: &'static str,
        how: PatchKind,
        patch: Value,
        dry_run: bool,
    ) -> Done<Value> {
        let patch = if part.is_empty() && how != PatchKind::Json { self.recorded(patch) } else { patch };
        let request = self.request(ApiVerb::Patch(how, patch), kind, namespace, name).of(part).dry(dry_run);
        self.one(request)
    }

    /// Applies a part of an object as another manager than the command's own.
    pub(crate) fn apply_as(
        &mut self,
        manager: &str,
        (kind, namespace, name): (Kind, &str, &str),
        part: Value,
        dry_run: bool,
    ) -> Done<Value> {
        let how = PatchKind::Apply { force: false };
        let request = self.request(ApiVerb::Patch(how, part), kind, namespace, name).dry(dry_run);
        self.one(ApiRequest { manager: manager.to_owned(), ..request })
    }

    /// Changes one object by a strategic merge patch.
    pub(crate) fn patch(&mut self, at: (Kind, &str, &str), patch: Value, dry_run: bool) -> Done<Value> {
        let how = if has_schema(at.0) { PatchKind::Strategic } else { PatchKind::Merge };
        self.patch_part(at, "", how, patch, dry_run)
    }

    /// Removes one object.
    pub(crate) fn remove(
        &mut self,
        (kind, namespace, name): (Kind, &str, &str),
        grace: Option<u64>,
        propagation: Propagation,
        dry_run: bool,
    ) -> Done<()> {
        let request =
            self.request(ApiVerb::Delete { grace, propagation }, kind, namespace, name).dry(dry_run);
        self.ask(request).map(drop)
    }

    /// Posts to a part of an object: `eviction`.
    pub(crate) fn post(
        &mut self,
        (kind, namespace, name): (Kind, &str, &str),
        part: &'static str,
        value: Value,
    ) -> Done {
        let request = self.request(ApiVerb::Create(value), kind, namespace, name).of(part);
        self.ask(request).map(drop)
    }
}

impl Kube<'_, '_> {
    /// With `--record`: what is sent, noting which command sends it.
    fn recorded(&self, mut value: Value) -> Value {
        if self.given.on("record") && value.is_object() {
            let mut line = format!("kubectl {}", self.verb);
            for word in self.given.args.iter().cloned().chain(self.given.shown()) {
                line.push(' ');
                line.push_str(&word);
            }
            let annotations = super::field::make(&mut value, "metadata.annotations");
            if annotations.is_null() {
                *annotations = serde_json::json!({});
            }
            annotations["kubernetes.io/change-cause"] = line.into();
        }
        value
    }
}

/// What was asked about a custom kind, as the client adds it to an answer that does not say: ` (get widgets.lab.example.com x)`.
fn of_custom(request: &ApiRequest) -> Option<String> {
    let Kind::Custom(custom) = request.kind else { return None };
    let verb = match &request.verb {
        ApiVerb::Get | ApiVerb::List { .. } => "get",
        ApiVerb::Create(_) => "post",
        ApiVerb::Update(_) => "put",
        ApiVerb::Patch(..) => "patch",
        ApiVerb::Delete { .. } => "delete",
    };
    let name = if request.name.is_empty() { String::new() } else { format!(" {}", request.name) };
    Some(format!(" ({verb} {}{name})", custom.info().resource()))
}

/// Whether strategic merge patches are understood for a kind.
pub(crate) fn has_schema(kind: Kind) -> bool {
    api::schema::root(kind).is_some()
}

/// An object as it goes over the wire.
pub(crate) fn wire(kind: Kind, object: &Object) -> Value {
    let mut value = object.to_value();
    if let (Value::Object(fields), true) = (&mut value, kind != object.kind()) {
        fields.insert("apiVersion".to_owned(), kind.info().api_version().into());
        fields.insert("kind".to_owned(), kind.info().kind.into());
    }
    api::managed::unfold(&mut value);
    api::canonical::canonical(kind, value)
}

/// Somebody with the groups that the server adds to them.
fn account_of(user: &str) -> Principal {
    let mut groups = Vec::new();
    let mut parts = user.strip_prefix("system:serviceaccount:").into_iter().flat_map(|rest| rest.split(':'));
    if let (Some(namespace), Some(_)) = (parts.next(), parts.next()) {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{namespace}"));
    }
    let all = if user == "system:anonymous" { "system:unauthenticated" } else { "system:authenticated" };
    groups.push(all.to_owned());
    Principal { user: user.to_owned(), groups, ..Principal::default() }
}

/// Whom the server takes the bearer of an account's token to be.
fn by_token(token: &str) -> Option<Shown> {
    let account = super::create::token_owner(token)?;
    let (uid, extra) = super::create::bearer(token);
    Some((Principal { proof: Proof::AccountToken, ..account_of(&account) }, uid, extra))
}

/// Whom the server takes a user of the kubeconfig to be.
fn shown_by(user: &User) -> Shown {
    let owner = match &user.credential {
        Credential::Token(token) => by_token(token),
        Credential::Certificate
        | Credential::Exec(_)
        | Credential::Nothing
        | Credential::Password(..)
        | Credential::Other(_) => None,
    };
    if let Some(owner) = owner {
        return owner;
    }
    let proof = match &user.credential {
        Credential::Certificate => Proof::Certificate,
        Credential::Token(_) | Credential::Nothing | Credential::Password(..) | Credential::Other(_) => {
            Proof::Token
        }
        Credential::Exec(_) => Proof::IamToken,
    };
    let (name, groups) = (user.identity.clone(), user.groups.clone());
    let (uid, extra) = match proof {
        Proof::IamToken => by_iam(),
        _ => (user.uid.clone(), Vec::new()),
    };
    (Principal { user: name, groups, proof, real: None }, uid, extra)
}

/// The id of an IAM user, and what else EKS tells the server of them, in the order of names.
/// Source: aws-iam-authenticator `pkg/server/server.go`; an IAM user has no session, so its name is empty.
fn by_iam() -> (String, Vec<(&'static str, String)>) {
    let caller = cluster::cloud::caller();
    let id = || caller.user_id.to_owned();
    let extra = vec![
        ("accessKeyId", caller.access_key_id.to_owned()),
        ("arn", caller.arn.clone()),
        ("canonicalArn", caller.arn.clone()),
        ("principalId", id()),
        ("sessionName", String::new()),
        ("sigs.k8s.io/aws-iam-authenticator/principalId", id()),
    ];
    (format!("aws-iam-authenticator:{}:{}", caller.account, caller.user_id), extra)
}

/// `0`, `5`, `10s`.
fn is_timeout(text: &str) -> bool {
    text.parse::<i64>().is_ok() || crate::flag::wrong_duration(text).is_none()
}

fn refused(server: &str) -> Fail {
    let host = host_of(server);
    Fail::Plain(format!(
        "The connection to the server {host} was refused - did you specify the right host or port?"
    ))
}

/// No server of the lab is there; what is no address is not even in DNS. Source: case err-conn; Go's `net.DNSError`.
fn nowhere(server: &str) -> Fail {
    let host = host_of(server);
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if name == "localhost" || name.parse::<std::net::IpAddr>().is_ok() {
        return refused(server);
    }
    Fail::Plain(format!("Unable to connect to the server: dial tcp: lookup {name}: no such host"))
}

/// Name and port: `127.0.0.1:6443`.
fn host_of(server: &str) -> &str {
    let host = server.trim_start_matches("https://").trim_start_matches("http://");
    host.split('/').next().unwrap_or(host)
}

/// Longest wait without a limit of its own. MODEL: the real kubectl waits until the learner interrupts it; after an hour of
/// simulated time the lab does that.
pub(crate) const LONGEST: SimDuration = SimDuration::secs(3600);

impl Kube<'_, '_> {
    /// Lets simulated time pass until `done`; whether it came before the limit.
    pub(crate) fn wait(
        &mut self,
        limit: Option<SimDuration>,
        mut done: impl FnMut(&mut Self) -> Done<bool>,
    ) -> Done<bool> {
        let start = self.shell.world.now();
        let own = start + limit.unwrap_or(LONGEST);
        let cut = self.shell.until.filter(|until| *until < own);
        let until = cut.unwrap_or(own);
        loop {
            if done(self)? {
                return Ok(true);
            }
            // The world is chasing its own tail: as if somebody had pressed Ctrl+C.
            if self.shell.world.is_exhausted() {
                return Err(Fail::Exit(130));
            }
            match self.shell.world.next_at() {
                Some(at) if at <= until => self.shell.pass(at, self.out),
                Some(_) | None => {
                    self.shell.pass(until, self.out);
                    if self.shell.world.now() < until {
                        continue;
                    }
                    return if cut.is_some() {
                        Err(Fail::Exit(124))
                    } else if limit.is_none() {
                        Err(Fail::Exit(130))
                    } else {
                        done(self)
                    };
                }
            }
        }
    }

    /// What the store holds, without asking: a watch sees it so.
    pub(crate) fn peek(&mut self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let cluster = self.target().ok()?.cluster;
        let key = Key::new(cluster, kind, namespace, name);
        self.shell.world.store().object(&key).map(|object| object.to_value())
    }
}
