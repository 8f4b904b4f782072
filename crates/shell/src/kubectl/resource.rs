//! Which objects do the arguments name?
//!
//! `pods`, `po`, `deploy/web`, `deployments.apps web`, `svc,rs`, `all`, files. Source: cli-runtime `pkg/resource/builder.go`.

use api::{Kind, Scope};

use crate::kubectl::{Done, Fail, Kube, client::Selection, field};

/// One thing asked for: a kind, and a name or everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub kind: Kind,
    /// `None` for the whole list.
    pub name: Option<String>,
}

/// What a verb says that was told of no resource.
pub(crate) const NO_RESOURCE: &str = "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// What the arguments ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asks {
    pub asks: Vec<Ask>,
    /// Whether it was written as `TYPE/NAME`.
    pub slashed: bool,
    /// How many kinds were typed.
    pub kinds: usize,
}

/// The order of `kubectl get all`.
const ALL: &[Kind] = &[
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Service,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::HorizontalPodAutoscaler,
    Kind::CronJob,
    Kind::Job,
];

fn unknown(word: &str) -> Fail {
    // UPSTREAM: version and group are not named.
    let plural = word.split('.').next().unwrap_or(word);
    Fail::Error(format!("the server doesn't have a resource type {plural:?}"))
}

impl Kube<'_, '_> {
    /// The kind a word means, if the server has it.
    pub(crate) fn kind(&mut self, word: &str) -> Done<Kind> {
        self.known(word).ok_or_else(|| unknown(word))
    }

    /// Reads the arguments as kinds and names.
    pub(crate) fn asks(&mut self, args: &[String]) -> Done<Asks> {
        self.target()?;
        let mut asks = Asks::default();
        let Some((first, names)) = args.split_first() else { return Ok(asks) };
        if args.iter().any(|a| a.contains('/')) {
            asks.slashed = true;
            for arg in args {
                let (types, name) = match arg.split_once('/') {
                    Some((types, name)) if !types.is_empty() && !name.is_empty() && !name.contains('/') => {
                        (types, name)
                    }
                    Some(_) if arg.matches('/').count() > 1 => {
                        return Fail::error(
                            "arguments in resource/name form may not have more than one slash",
                        );
                    }
                    Some(_) => {
                        return Fail::error(
                            "arguments in resource/name form must have a single resource and name",
                        );
                    }
                    None => {
                        return Fail::error("there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'".to_string());
                    }
                };
                for word in types.split(',') {
                    asks.asks.push(Ask { kind: self.kind(word)?, name: Some(name.to_owned()) });
                }
            }
            asks.kinds = asks.asks.len();
            return Ok(asks);
        }
        let mut kinds = Vec::new();
        for word in first.split(',') {
            if word == "all" {
                kinds.extend(ALL);
                // Definitions may add to it.
                kinds.extend(self.served().into_iter().filter(|kind| {
                    matches!(kind, Kind::Custom(_)) && kind.info().categories.contains(&"all")
                }));
            } else {
                kinds.push(self.kind(word)?);
            }
        }
        asks.kinds = kinds.len();
        for kind in kinds {
            if names.is_empty() {
                asks.asks.push(Ask { kind, name: None });
            }
            for name in names {
                asks.asks.push(Ask { kind, name: Some(name.clone()) });
            }
        }
        Ok(asks)
    }

    /// `-l` and `--field-selector`.
    pub(crate) fn selection(&self) -> Selection {
        let text = |flag: &str| self.given.value(flag).unwrap_or_default().to_owned();
        Selection { labels: text("selector"), fields: text("field-selector") }
    }

    /// The namespace for a kind: empty for all of them.
    pub(crate) fn scope(&mut self, kind: Kind) -> Done<String> {
        let every = self.given.on("all-namespaces") || kind.info().scope != Scope::Namespaced;
        if every { Ok(String::new()) } else { self.namespace() }
    }
}

/// `deployment.apps/web`.
pub(crate) fn typed(kind: Kind, name: &str) -> String {
    let info = kind.info();
    let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
    format!("{}{group}/{name}", info.singular())
}

impl Kube<'_, '_> {
    /// The objects that a changing verb is to change: by file, by name, by selector or `--all`.
    pub(crate) fn chosen(&mut self) -> Done<Vec<(Kind, String, String)>> {
        let args = self.given.args.clone();
        self.chosen_from(&args)
    }

    /// The same, where a kind without a name means all of it.
    pub(crate) fn chosen_or_all(&mut self, args: &[String]) -> Done<Vec<(Kind, String, String)>> {
        self.chosen_with(args, true)
    }

    /// The same from some of the arguments.
    pub(crate) fn chosen_from(&mut self, args: &[String]) -> Done<Vec<(Kind, String, String)>> {
        self.chosen_with(args, false)
    }

    fn chosen_with(&mut self, args: &[String], all: bool) -> Done<Vec<(Kind, String, String)>> {
        let mut targets = Vec::new();
        if self.given.has("filename") {
            for manifest in self.manifests()? {
                let manifest = manifest?;
                targets.push((manifest.kind, manifest.namespace, manifest.name));
            }
            return Ok(targets);
        }
        if args.is_empty() {
            return Fail::error(NO_RESOURCE);
        }
        let selection = self.selection();
        let listed =
            all || self.given.on("all") || !selection.labels.is_empty() || !selection.fields.is_empty();
        let asks = self.asks(args)?;
        for ask in asks.asks {
            let namespace = self.scope(ask.kind)?;
            match ask.name {
                // What `expose` calls a selector chooses pods, later.
                Some(_) if selection.any() && self.verb != "expose" => {
                    return Fail::error(if asks.slashed {
                        "selectors and the all flag cannot be used when passing resource/name arguments"
                    } else {
                        "name cannot be provided when a selector is specified"
                    });
                }
                Some(name) => targets.push((ask.kind, namespace, name)),
                None if listed => {
                    for object in self.list(ask.kind, &namespace, &selection)? {
                        let (namespace, name) = (field::namespace(&object), field::name(&object));
                        targets.push((ask.kind, namespace.to_owned(), name.to_owned()));
                    }
                }
                None => return Fail::error("resource(s) were provided, but no name was specified"),
            }
        }
        Ok(targets)
    }
}
