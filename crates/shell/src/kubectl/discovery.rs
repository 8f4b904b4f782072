//! Which kinds does kubectl believe the server to have?
//!
//! What the server serves by itself is always known. What definitions add was asked once and is kept in `~/.kube/cache`: a word that
//! kubectl does not know makes it ask again, one that it knows does not, even if the definition is gone by then.
//! Source: client-go `discovery/cached/disk`, `restmapper/shortcut.go`; kubectl keeps the answer six hours.

use api::{Domain, Kind, SimDuration, SimTime};

use crate::kubectl::Kube;

/// How long an answer is believed.
const KEPT: SimDuration = SimDuration::secs(6 * 3600);

/// What definitions had added when a server was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// `https://…`.
    pub server: String,
    /// When it was asked.
    pub at: SimTime,
    /// By group and plural, preferred versions first.
    pub kinds: Vec<Kind>,
}

impl Kube<'_, '_> {
    /// Whether the cluster's API server serves a kind.
    pub(crate) fn serves(&mut self, kind: Kind) -> bool {
        let cluster = self.target().map(|target| target.cluster);
        cluster.is_ok_and(|cluster| cluster::apiserver::serves(self.shell.world.store(), cluster, kind))
    }

    /// Every kind that the server serves, asked anew.
    pub(crate) fn served(&mut self) -> Vec<Kind> {
        let built_in: Vec<Kind> = Kind::EVERY.iter().copied().filter(|kind| self.serves(*kind)).collect();
        built_in.into_iter().chain(self.ask_custom()).collect()
    }

    /// The kind a word means, if the server is believed to have it.
    pub(crate) fn known(&mut self, word: &str) -> Option<Kind> {
        let word = word.to_lowercase();
        let built_in = Kind::of_resource(&word).filter(|kind| self.serves(*kind));
        let found = built_in.or_else(|| self.custom(|kind| kind.info().is_called(&word)));
        // UPSTREAM: a short name with its whole group means the kind, whatever version stands between them.
        found.or_else(|| {
            let (short, rest) = word.split_once('.')?;
            let (_, group) = rest.split_once('.')?;
            self.served().into_iter().find(|kind| {
                let info = kind.info();
                info.group == group && info.short.contains(&short)
            })
        })
    }

    /// The kind of a manifest, if the server is believed to have it.
    pub(crate) fn known_manifest(&mut self, api_version: &str, name: &str) -> Option<Kind> {
        let built_in = Kind::of_manifest(api_version, name).filter(|kind| self.serves(*kind));
        built_in.or_else(|| {
            self.custom(|kind| kind.info().kind == name && kind.info().api_version() == api_version)
        })
    }

    fn custom(&mut self, is_meant: impl Fn(Kind) -> bool) -> Option<Kind> {
        let server = self.target().ok()?.server;
        let now = self.shell.world.now();
        let kept = self.shell.machine.kubeconfig.definitions.iter();
        let kept = kept.filter(|it| it.server == server && now < it.at + KEPT);
        let found = kept.flat_map(|it| it.kinds.iter().copied()).find(|kind| is_meant(*kind));
        found.or_else(|| self.ask_custom().into_iter().find(|kind| is_meant(*kind)))
    }

    fn ask_custom(&mut self) -> Vec<Kind> {
        let Ok(target) = self.target() else { return Vec::new() };
        let store = self.shell.world.store();
        let kinds = cluster::apiserver::custom_kinds(store, target.cluster);
        let kinds: Vec<Kind> =
            kinds.into_iter().filter(|kind| kind.info().domain() == Domain::Kubernetes).collect();
        let at = self.shell.world.now();
        let kept = &mut self.shell.machine.kubeconfig.definitions;
        kept.retain(|it| it.server != target.server);
        kept.push(Discovered { server: target.server, at, kinds: kinds.clone() });
        kinds
    }
}
