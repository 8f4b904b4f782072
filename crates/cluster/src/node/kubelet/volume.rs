//! What do a pod's volumes of configuration hold, and when does a change reach them?
//!
//! A ConfigMap, Secret or downward API volume is written before the pod's sandbox is made, and again when the kubelet next
//! looks at the pod: at once if the pod itself changed or one of its containers is started, else with its regular look, 60
//! to 90 s from one to the next. What is immutable is not asked for again. A file that is mounted alone (`subPath`) and the
//! environment stay as they were when the container was created.
//! MODEL: tokens of service accounts are not written; the regular looks of a pod are evenly apart.
//! Source: kubelet `--sync-frequency` 1m, `pod_workers.go` (`workerResyncIntervalJitterFactor` 0.5), `util/manager/watch_based_manager.go`,
//! `pkg/volume/{configmap,secret,projected,downwardapi}`.

use std::collections::BTreeMap;

use api::{
    SimDuration, SimTime,
    digest::Digest,
    k8s::core::v1::{
        ConfigMap, ConfigMapProjection, ConfigMapVolumeSource, Container, DownwardAPIVolumeFile, KeyToPath,
        Pod, Secret, SecretProjection, Volume,
    },
    kinds::sim::{Given, Sandbox, Written},
};

use super::{env, mount, names, say};
use crate::{Change, ClusterId, EventType, Key, Store, Turn};

/// Files by their path in a volume.
pub(super) type Files = BTreeMap<String, String>;

/// From one regular look at a pod to the next, at least; and how much more it may be.
const SYNC: u64 = 60_000;
const JITTER: u64 = 30_000;

/// The volume that holds a pod's token: every pod has it, and nobody changes it.
const TOKEN_VOLUME: &str = "kube-api-access-";

/// What is written into the volumes of a pod now; `None` if it has none that are made from objects.
pub(super) fn write(store: &Store, cluster: ClusterId, pod: &Pod) -> Option<Written> {
    let mut written = Written { seen: seen(pod), ..Written::default() };
    for volume in volumes(pod) {
        let Some(files) = content(store, cluster, pod, volume) else { continue };
        if is_immutable(store, cluster, pod, volume) {
            written.fixed.push(volume.name.clone());
        }
        written.volumes.insert(volume.name.clone(), files);
    }
    (!written.volumes.is_empty()).then_some(written)
}

/// Writes the volumes anew where their sources differ and the kubelet looks at the pod; says when it will, if not now.
pub(super) fn refresh(turn: &mut Turn<'_>, pod: &Pod, sandbox: &mut Sandbox) -> Option<SimTime> {
    let old = sandbox.written.clone()?;
    let now = turn.now();
    let missing: Vec<String> = mount::missing(turn, pod)
        .into_iter()
        .filter(|(volume, _)| !old.fixed.contains(volume))
        .map(|(_, message)| message)
        .collect();
    let mut new = renewed(turn.store(), turn.cluster(), pod, &old);
    if missing.is_empty() && new.volumes == old.volumes {
        (new.due, new.failures) = (None, 0);
        sandbox.written = Some(new);
        return None;
    }
    let at =
        if new.seen == old.seen { old.due.unwrap_or_else(|| next_look(turn, pod, sandbox)) } else { now };
    if now < at {
        sandbox.written = Some(Written { due: Some(at), ..old });
        return Some(at);
    }
    for message in &missing {
        say(turn, pod, None, EventType::Warning, "FailedMount", message);
    }
    (new.due, new.failures) = (None, 0);
    if !missing.is_empty() {
        new.failures = old.failures + 1;
        new.due = Some(now + mount::retry(old.failures));
    }
    let due = new.due;
    sandbox.written = Some(new);
    due
}

/// Writes them because a container is about to be created.
pub(super) fn look(store: &Store, cluster: ClusterId, pod: &Pod, sandbox: &mut Sandbox) {
    if let Some(old) = &sandbox.written {
        let new = renewed(store, cluster, pod, old);
        sandbox.written = Some(new);
    }
}

/// What a container is created with and keeps.
pub(super) fn given(
    store: &Store,
    cluster: ClusterId,
    pod: &Pod,
    container: &Container,
    sandbox: &Sandbox,
) -> Option<Given> {
    let derives = container.env_from.as_ref().is_some_and(|from| !from.is_empty())
        || container.env.iter().flatten().any(|it| it.value_from.is_some());
    let mut files = Files::new();
    for mount in container.volume_mounts.iter().flatten() {
        let Ok(Some(part)) = mount::part_of_volume(store, cluster, pod, container, mount) else { continue };
        let written = sandbox.written.iter().find_map(|it| it.volumes.get(&mount.name));
        for (path, text) in written.into_iter().flatten() {
            if let Some(rest) =
                path.strip_prefix(part.as_str()).filter(|it| it.is_empty() || it.starts_with('/'))
            {
                files.insert(format!("{}{rest}", mount.mount_path), text.clone());
            }
        }
    }
    let env = || env::declared(store, cluster, pod, container).unwrap_or_default();
    (derives || !files.is_empty()).then(|| Given { env: env(), files })
}

/// Wakes the pods that hold what was written from an object.
pub(super) fn wake_holders(change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
    let (cluster, namespace) = (change.key.cluster, &*change.key.namespace);
    for sandbox in store.list::<Sandbox>(cluster, Some(namespace)).filter(|it| it.written.is_some()) {
        let name = sandbox.metadata.name.as_deref().unwrap_or_default();
        if store.get::<Pod>(cluster, namespace, name).is_some_and(|pod| names_it(pod, &change.key)) {
            wake(Key::new(cluster, api::Kind::Pod, namespace, name));
        }
    }
}

fn names_it(pod: &Pod, object: &Key) -> bool {
    let is_map = object.kind == api::Kind::ConfigMap;
    volumes(pod).any(|volume| {
        let own = if is_map {
            volume.config_map.as_ref().map(|it| it.name.as_str())
        } else {
            volume.secret.as_ref().and_then(|it| it.secret_name.as_deref())
        };
        let parts = volume.projected.iter().flat_map(|it| it.sources.iter().flatten());
        let mut parts = parts.filter_map(|source| {
            let map = source.config_map.as_ref().map(|it| it.name.as_str()).filter(|_| is_map);
            map.or(source.secret.as_ref().map(|it| it.name.as_str()).filter(|_| !is_map))
        });
        own == Some(&*object.name) || parts.any(|name| *name == *object.name)
    })
}

/// What is there now; what cannot be had, or never changes, stays.
fn renewed(store: &Store, cluster: ClusterId, pod: &Pod, old: &Written) -> Written {
    let mut new = write(store, cluster, pod).unwrap_or_default();
    for (volume, files) in &old.volumes {
        if old.fixed.contains(volume) || !new.volumes.contains_key(volume) {
            new.volumes.insert(volume.clone(), files.clone());
        }
    }
    new.fixed.clone_from(&old.fixed);
    (new.due, new.failures) = (old.due, old.failures);
    new
}

/// The pod's next regular look.
fn next_look(turn: &Turn<'_>, pod: &Pod, sandbox: &Sandbox) -> SimTime {
    let key = super::key_of(turn.cluster(), pod);
    let apart = SYNC + turn.draw("sync", &key, 0) % JITTER;
    let from = sandbox.probed_from;
    from + SimDuration(turn.now().since(from).0.div_ceil(apart).saturating_mul(apart))
}

fn volumes(pod: &Pod) -> impl Iterator<Item = &Volume> {
    let all = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    all.filter(|volume| !volume.name.starts_with(TOKEN_VOLUME))
}

fn seen(pod: &Pod) -> u64 {
    let mut digest = Digest::default();
    let meta = &pod.metadata;
    for (name, value) in meta.labels.iter().flatten().chain(meta.annotations.iter().flatten()) {
        digest.bytes(name.as_bytes()).bytes(value.as_bytes());
    }
    digest.finish()
}

fn is_immutable(store: &Store, cluster: ClusterId, pod: &Pod, volume: &Volume) -> bool {
    let (namespace, _) = names(pod);
    let map = volume
        .config_map
        .as_ref()
        .and_then(|it| store.get::<ConfigMap>(cluster, namespace, &it.name)?.immutable);
    let secret = volume
        .secret
        .as_ref()
        .and_then(|it| store.get::<Secret>(cluster, namespace, it.secret_name.as_deref()?)?.immutable);
    map.or(secret) == Some(true)
}

/// The files of a volume; `None` if it is made from no object, or lacks it.
pub(super) fn content(store: &Store, cluster: ClusterId, pod: &Pod, volume: &Volume) -> Option<Files> {
    let from = Source { store, cluster, pod };
    if let Some(it) = &volume.config_map {
        let ConfigMapVolumeSource { items, name, optional, .. } = it;
        return from.config_map(name, items.as_deref(), *optional);
    }
    if let Some(it) = &volume.secret {
        return from.secret(it.secret_name.as_deref().unwrap_or_default(), it.items.as_deref(), it.optional);
    }
    if let Some(it) = &volume.downward_api {
        return Some(from.fields(it.items.as_deref().unwrap_or_default()));
    }
    let mut files = Files::new();
    for source in volume.projected.as_ref()?.sources.iter().flatten() {
        if let Some(ConfigMapProjection { items, name, optional }) = &source.config_map {
            files.extend(from.config_map(name, items.as_deref(), *optional)?);
        } else if let Some(SecretProjection { items, name, optional }) = &source.secret {
            files.extend(from.secret(name, items.as_deref(), *optional)?);
        } else if let Some(it) = &source.downward_api {
            files.extend(from.fields(it.items.as_deref().unwrap_or_default()));
        }
    }
    Some(files)
}

struct Source<'s> {
    store: &'s Store,
    cluster: ClusterId,
    pod: &'s Pod,
}

impl Source<'_> {
    fn config_map(&self, name: &str, items: Option<&[KeyToPath]>, optional: Option<bool>) -> Option<Files> {
        let map = self.store.get::<ConfigMap>(self.cluster, names(self.pod).0, name);
        let all = map.map(|it| {
            let mut all = it.data.clone().unwrap_or_default();
            all.extend(it.binary_data.iter().flatten().map(|(key, bytes)| (key.clone(), text(&bytes.0))));
            all
        });
        chosen(all, items, optional)
    }

    fn secret(&self, name: &str, items: Option<&[KeyToPath]>, optional: Option<bool>) -> Option<Files> {
        let secret = self.store.get::<Secret>(self.cluster, names(self.pod).0, name);
        let all = secret
            .map(|it| it.data.iter().flatten().map(|(key, bytes)| (key.clone(), text(&bytes.0))).collect());
        chosen(all, items, optional)
    }

    fn fields(&self, items: &[DownwardAPIVolumeFile]) -> Files {
        let of = |item: &DownwardAPIVolumeFile| {
            let field = item.field_ref.as_ref().map(|it| env::field(self.store, self.cluster, self.pod, it));
            let none = Container::default();
            let amount = item
                .resource_field_ref
                .as_ref()
                .map(|it| env::resource(self.store, self.cluster, self.pod, &none, it));
            Some((item.path.clone(), field.or(amount)?.ok()?))
        };
        items.iter().filter_map(of).collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All keys, or those that the volume names under the paths that it gives them.
fn chosen(all: Option<Files>, items: Option<&[KeyToPath]>, optional: Option<bool>) -> Option<Files> {
    let optional = optional == Some(true);
    let all = match all {
        Some(all) => all,
        None if optional => Files::new(),
        None => return None,
    };
    let Some(items) = items.filter(|items| !items.is_empty()) else { return Some(all) };
    let mut files = Files::new();
    for item in items {
        match all.get(&item.key) {
            Some(value) => drop(files.insert(item.path.clone(), value.clone())),
            None if optional => {}
            None => return None,
        }
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]

    use api::Kind;
    use serde_json::{Value, json};

    use crate::{
        ApiRequest, ApiVerb, PatchKind, Principal, Request, World,
        node::kubelet::{
            env, inside,
            tests::{HERE, ask, has_said, pod, run, wait, world},
        },
    };

    fn config(world: &mut World, more: &Value) {
        let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "default"},
            "data": {"k": "one", "other": "x"}});
        map.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(world, Kind::ConfigMap, "", ApiVerb::Create(map));
    }

    fn change(world: &mut World, kind: Kind, name: &str, patch: Value) {
        let request = ApiRequest::new(HERE, ApiVerb::Patch(PatchKind::Merge, patch), kind, "default", name);
        world.request(&Principal::admin(), Request::Api(request)).map_err(|why| why.to_string()).unwrap();
    }

    fn start(world: &mut World) {
        let from = json!([{"name": "K", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}]);
        let mounts = json!([{"name": "v", "mountPath": "/etc/config"},
            {"name": "v", "mountPath": "/etc/one", "subPath": "k"},
            {"name": "d", "mountPath": "/etc/pod"}]);
        run(
            world,
            json!({"volumes": [{"name": "v", "configMap": {"name": "m"}},
                {"name": "d", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}],
            "containers": [{"image": "nginx", "env": from, "volumeMounts": mounts}]}),
        );
    }

    fn cat(world: &World, path: &str) -> String {
        let container = pod(world).spec.as_ref().unwrap().containers[0].clone();
        let said = inside::says(world.store(), HERE, pod(world), &container, &["cat", path]).unwrap();
        said.out + &said.err
    }

    fn variable(world: &World) -> String {
        let container = pod(world).spec.as_ref().unwrap().containers[0].clone();
        let all = env::of_running(world.store(), HERE, pod(world), &container);
        all.into_iter().find(|(name, _)| name == "K").unwrap().1
    }

    /// Expected: `pod_workers.go` (60 s and up to half as much again); a subPath and a variable are bound at creation.
    #[test]
    fn a_change_of_a_config_map_reaches_its_volume_later_and_nothing_else() {
        let mut world = world();
        config(&mut world, &json!({}));
        start(&mut world);
        change(&mut world, Kind::ConfigMap, "m", json!({"data": {"k": "two"}}));
        wait(&mut world, 1);
        assert_eq!((cat(&world, "/etc/config/k").as_str(), variable(&world).as_str()), ("one", "one"));
        wait(&mut world, 90);
        assert_eq!((cat(&world, "/etc/config/k").as_str(), variable(&world).as_str()), ("two", "one"));
        assert_eq!(cat(&world, "/etc/one"), "one");
    }

    /// Expected: `configmap.go` (`SetUpAt`): what is optional and not there is an empty volume, until it is there.
    #[test]
    fn what_is_optional_comes_later() {
        let mut world = world();
        let mounts = json!([{"name": "v", "mountPath": "/etc/config"}]);
        run(
            &mut world,
            json!({"volumes": [{"name": "v", "configMap": {"name": "m", "optional": true}}],
                "containers": [{"image": "busybox", "command": ["sleep", "3600"], "volumeMounts": mounts}]}),
        );
        assert_eq!(
            cat(&world, "/etc/config/k"),
            "cat: can't open '/etc/config/k': No such file or directory\n"
        );
        config(&mut world, &json!({}));
        wait(&mut world, 91);
        assert_eq!(cat(&world, "/etc/config/k"), "one");
    }

    #[test]
    fn a_pod_that_changes_itself_has_its_volumes_looked_at() {
        let mut world = world();
        config(&mut world, &json!({}));
        start(&mut world);
        change(&mut world, Kind::ConfigMap, "m", json!({"data": {"k": "two"}}));
        change(&mut world, Kind::Pod, "p", json!({"metadata": {"labels": {"a": "b"}}}));
        wait(&mut world, 1);
        assert_eq!(
            (cat(&world, "/etc/config/k").as_str(), cat(&world, "/etc/pod/labels").as_str()),
            ("two", "a=\"b\"")
        );
    }

    /// Expected: `watch_based_manager.go`: what is immutable is watched no more.
    #[test]
    fn what_is_immutable_stays_and_what_has_gone_is_missed() {
        for (immutable, missed) in [(true, false), (false, true)] {
            let mut world = world();
            config(&mut world, &json!({"immutable": immutable}));
            start(&mut world);
            let gone = ApiVerb::Delete { grace: None, propagation: crate::Propagation::Background };
            ask(&mut world, Kind::ConfigMap, "m", gone);
            wait(&mut world, 95);
            let warning =
                "FailedMount: MountVolume.SetUp failed for volume \"v\" : configmap \"m\" not found";
            assert_eq!((has_said(&world, warning), cat(&world, "/etc/config/k").as_str()), (missed, "one"));
        }
    }

    #[test]
    fn what_is_not_there_is_said_in_the_programs_words() {
        let mut world = world();
        config(&mut world, &json!({}));
        start(&mut world);
        assert_eq!(cat(&world, "/etc/config/no"), "cat: /etc/config/no: No such file or directory\n");
        assert_eq!(cat(&world, "/etc/config"), "cat: /etc/config: Is a directory\n");
        let container = pod(&world).spec.as_ref().unwrap().containers[0].clone();
        let ls = inside::says(world.store(), HERE, pod(&world), &container, &["ls", "/etc/config"]).unwrap();
        assert_eq!(ls.out, "k\nother\n");
        let ip = pod(&world).status.as_ref().unwrap().pod_ip.clone().unwrap();
        assert!(cat(&world, "/etc/hosts").ends_with(&format!("fe00::2\tip6-allrouters\n{ip}\tp\n")));
    }
}
