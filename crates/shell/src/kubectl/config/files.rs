//! Of which files is the kubeconfig made?
//!
//! `--kubeconfig` names one, `$KUBECONFIG` several; otherwise it is the one in the home directory. Of several that say something of the same
//! thing the first has the word. A change is written where the changed entry stands, a new entry to the first file that there is.
//! MODEL: the machine's own file is not on the virtual disk, all others are. Whom a certificate in another file shows is told by the
//! name that its user has in the own one.
//! Source: client-go `tools/clientcmd/{loader,config}.go`.

use api::text;
use serde_json::Value;

use super::view;
use crate::{
    eval::Shell,
    kubectl::{
        known,
        kubeconfig::{Cluster, Context, Credential, Kubeconfig, User},
    },
};

/// Where the file lies if nothing says so.
pub(crate) const FILE: &str = "/home/user/.kube/config";

/// The files of one command, while the machine has what they say together.
pub(crate) struct Files {
    list: Vec<File>,
    merged: Kubeconfig,
}

struct File {
    /// As it was named.
    path: String,
    is_own: bool,
    exists: bool,
    says: Kubeconfig,
}

/// The paths that a command looks at, as they were named.
fn paths(shell: &Shell<'_>, explicit: Option<&str>) -> Vec<String> {
    if let Some(path) = explicit.filter(|path| !path.is_empty()) {
        return vec![path.to_owned()];
    }
    let mut all: Vec<String> = Vec::new();
    for path in shell.machine.variable("KUBECONFIG").unwrap_or_default().split(':') {
        if !path.is_empty() && !all.iter().any(|it| it == path) {
            all.push(path.to_owned());
        }
    }
    if all.is_empty() {
        all.push(shell.machine.kubeconfig.path().to_owned());
    }
    all
}

fn is_own(shell: &Shell<'_>, path: &str) -> bool {
    shell.machine.path(path) == shell.machine.kubeconfig.path()
}

/// The file to which new entries go, and which messages name.
pub(crate) fn default(shell: &Shell<'_>, explicit: Option<&str>) -> String {
    let mut all = paths(shell, explicit);
    let exists =
        |path: &String| is_own(shell, path) || shell.machine.files.get(&shell.machine.path(path)).is_some();
    let at = all.iter().position(exists).unwrap_or(all.len() - 1);
    all.swap_remove(at)
}

/// Reads the files of a command; nothing where the machine's own is the only one.
/// # Errors
/// What is wrong with a file, in client-go's words.
pub(crate) fn open(shell: &mut Shell<'_>, explicit: Option<&str>) -> Result<Option<Files>, String> {
    let paths = paths(shell, explicit);
    if paths.iter().all(|path| is_own(shell, path)) {
        return Ok(None);
    }
    let mut list = Vec::new();
    for path in paths {
        let is_own = is_own(shell, &path);
        let text = shell.machine.files.read(&shell.machine.path(&path)).ok().filter(|_| !is_own);
        let says = match &text {
            _ if is_own => shell.machine.kubeconfig.clone(),
            Some(text) => {
                read(shell, text).map_err(|why| format!("error loading config file {path:?}: {why}"))?
            }
            None => Kubeconfig::default(),
        };
        list.push(File { exists: is_own || text.is_some(), path, is_own, says });
    }
    // What the machine remembers beside its file stays.
    let mut merged = Kubeconfig {
        contexts: Vec::new(),
        clusters: Vec::new(),
        users: Vec::new(),
        current: String::new(),
        ..shell.machine.kubeconfig.clone()
    };
    for Kubeconfig { contexts, clusters, users, current, .. } in list.iter().map(|file| file.says.clone()) {
        contexts.into_iter().for_each(|it| add(&mut merged.contexts, it));
        clusters.into_iter().for_each(|it| add(&mut merged.clusters, it));
        users.into_iter().for_each(|it| add(&mut merged.users, it));
        if merged.current.is_empty() {
            merged.current = current;
        }
    }
    let own = std::mem::replace(&mut shell.machine.kubeconfig, merged.clone());
    // The own one comes back also where this command does not look at it.
    if !list.iter().any(|file| file.is_own) {
        list.push(File { path: own.path().to_owned(), is_own: true, exists: false, says: own });
    }
    Ok(Some(Files { list, merged }))
}

impl Files {
    /// Writes what the command changed, each where it belongs, and gives the machine its own file back.
    pub(crate) fn close(mut self, shell: &mut Shell<'_>) {
        let after = std::mem::take(&mut shell.machine.kubeconfig);
        let looked_at = self.list.iter().filter(|file| file.exists || !file.is_own).count();
        let first = self.list.iter().position(|file| file.exists).unwrap_or(looked_at.saturating_sub(1));
        let mut changed = vec![false; self.list.len()];
        settle(&mut self.list, &self.merged.contexts, &after.contexts, first, &mut changed, |it| {
            &mut it.contexts
        });
        settle(&mut self.list, &self.merged.clusters, &after.clusters, first, &mut changed, |it| {
            &mut it.clusters
        });
        settle(&mut self.list, &self.merged.users, &after.users, first, &mut changed, |it| &mut it.users);
        if after.current != self.merged.current {
            let at = if after.current.is_empty() {
                self.list.iter().position(|file| !file.says.current.is_empty()).unwrap_or(first)
            } else {
                first
            };
            self.list[at].says.current.clone_from(&after.current);
            changed[at] = true;
        }
        for (file, changed) in self.list.into_iter().zip(changed) {
            if file.is_own {
                let Kubeconfig { discovered, definitions, changed, path, .. } = after.clone();
                shell.machine.kubeconfig = Kubeconfig { discovered, definitions, changed, path, ..file.says };
            } else if changed {
                let path = shell.machine.path(&file.path);
                // A folder that is missing is made, as kubectl does.
                shell.machine.files.make_all(crate::files::parent(&path));
                let _ = shell.machine.files.write(&path, &view::text(&file.says));
            }
        }
    }
}

/// Something with a name of its own.
trait Named: Clone + PartialEq {
    fn name(&self) -> &str;
}

impl Named for Context {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for Cluster {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for User {
    fn name(&self) -> &str {
        &self.name
    }
}

/// Adds what nobody has said yet.
fn add<T: Named>(all: &mut Vec<T>, one: T) {
    if let Err(at) = all.binary_search_by(|it| it.name().cmp(one.name())) {
        all.insert(at, one);
    }
}

/// Brings the entries of one map to the files: what is new or changed, then what is gone.
fn settle<T: Named>(
    files: &mut [File],
    before: &[T],
    after: &[T],
    first: usize,
    changed: &mut [bool],
    of: impl Fn(&mut Kubeconfig) -> &mut Vec<T>,
) {
    let mut origin = |name: &str| {
        files.iter_mut().position(|file| {
            let looked_at = file.exists || !file.is_own;
            looked_at && of(&mut file.says).iter().any(|it| it.name() == name)
        })
    };
    let mut steps: Vec<(usize, String, Option<T>)> = Vec::new();
    for one in after.iter().filter(|one| !before.contains(one)) {
        steps.push((origin(one.name()).unwrap_or(first), one.name().to_owned(), Some(one.clone())));
    }
    for one in before.iter().filter(|one| !after.iter().any(|it| it.name() == one.name())) {
        steps.extend(origin(one.name()).map(|at| (at, one.name().to_owned(), None)));
    }
    for (at, name, now) in steps {
        let list = of(&mut files[at].says);
        list.retain(|it| it.name() != name);
        now.into_iter().for_each(|one| add(list, one));
        changed[at] = true;
    }
}

/// A file as it is read.
fn read(shell: &Shell<'_>, text: &str) -> Result<Kubeconfig, String> {
    let read = text::read(text);
    if let Some(wrong) = read.diagnostics.first() {
        let why = wrong.message.trim_start_matches("error converting YAML to JSON: ");
        return Err(why.to_owned());
    }
    let value = read.documents.first().map(text::Document::to_value).unwrap_or_default();
    let own = &shell.machine.kubeconfig;
    let word = |of: &Value, name: &str| of[name].as_str().unwrap_or_default().to_owned();
    let entries = |map: &str| value[map].as_array().cloned().unwrap_or_default();
    let mut config = Kubeconfig { current: word(&value, "current-context"), ..Kubeconfig::default() };
    for entry in entries("contexts") {
        let of = &entry["context"];
        let (cluster, user, namespace) = (word(of, "cluster"), word(of, "user"), word(of, "namespace"));
        add(&mut config.contexts, Context { name: word(&entry, "name"), cluster, user, namespace });
    }
    for entry in entries("clusters") {
        let mut other = entry["cluster"].as_object().cloned().unwrap_or_default();
        let server = other.remove("server").and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default();
        let insecure = other.remove("insecure-skip-tls-verify") == Some(Value::Bool(true));
        let control_plane = behind(shell, &server);
        if !control_plane.is_empty() {
            other.remove("certificate-authority-data");
        }
        let other = other.into_iter().collect();
        add(
            &mut config.clusters,
            Cluster { name: word(&entry, "name"), server, control_plane, insecure, other },
        );
    }
    for entry in entries("users") {
        add(&mut config.users, user(own, &word(&entry, "name"), entry["user"].clone()));
    }
    Ok(config)
}

/// The control plane behind an address.
pub(crate) fn behind(shell: &Shell<'_>, server: &str) -> String {
    let own = shell.machine.kubeconfig.clusters.iter().find(|it| it.server == server);
    if let Some(own) = own {
        return own.control_plane.clone();
    }
    let planes = shell.world.store().list::<api::kinds::sim::ControlPlane>(cluster::ClusterId::WORLD, None);
    let mut entries = planes.map(|plane| known::entries(shell.world, plane).1);
    entries.find(|entry| entry.server == server).map(|entry| entry.control_plane).unwrap_or_default()
}

/// A user as its JSON says, with whom the server takes it to be; `own` is what the machine knows of users.
pub(super) fn user(own: &Kubeconfig, name: &str, value: Value) -> User {
    let credential = view::credential(value);
    let nobody = || (String::new(), Vec::new(), String::new());
    let like = |user: &User| (user.identity.clone(), user.groups.clone(), user.uid.clone());
    let (identity, groups, uid) = match &credential {
        Credential::Exec(_) => {
            let groups = ["system:masters", "system:authenticated"].map(str::to_owned).to_vec();
            ("kubernetes-admin".to_owned(), groups, String::new())
        }
        Credential::Certificate => own
            .users
            .iter()
            .find(|it| it.name == name && it.credential == credential)
            .map_or_else(nobody, like),
        Credential::Token(_) | Credential::Nothing | Credential::Password(..) | Credential::Other(_) => {
            own.users.iter().find(|it| it.credential == credential).map_or_else(nobody, like)
        }
    };
    User { name: name.to_owned(), identity, groups, credential, uid }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    const SECOND: &str = "cat > second <<'X'\napiVersion: v1\nkind: Config\nclusters: [{name: b, cluster: {server: 'https://9.9.9.9', tls-server-name: t}}]\ncontexts: [{name: b, context: {cluster: b, user: b}}]\nusers: [{name: b, user: {token: x}}]\ncurrent-context: b\nX\n";

    #[test]
    fn an_entry_is_changed_in_the_file_where_it_stands_and_new_ones_go_to_the_first() {
        let line = format!(
            "{SECOND}export KUBECONFIG=first:second; kubectl config set-context b --namespace=blue; kubectl config current-context; \
             cat second; kubectl config set-cluster a --server=https://a; ls; KUBECONFIG= kubectl config get-contexts -o name"
        );
        assert_eq!(
            sh(&line).0,
            "Context \"b\" modified.\nb\napiVersion: v1\nclusters:\n- cluster:\n    server: https://9.9.9.9\n    tls-server-name: t\n  name: b\ncontexts:\n- context:\n    cluster: b\n    namespace: blue\n    user: b\n  name: b\ncurrent-context: b\nkind: Config\npreferences: {}\nusers:\n- name: b\n  user:\n    token: x\nCluster \"a\" set.\nsecond\n"
        );
    }

    #[test]
    fn a_file_that_is_missing_is_made_and_the_own_one_stays_as_it_is() {
        let line = "KUBECONFIG=new kubectl config set-cluster a --server=https://a; cat new; kubectl config get-clusters";
        assert_eq!(
            sh(line).0,
            "Cluster \"a\" set.\napiVersion: v1\nclusters:\n- cluster:\n    server: https://a\n  name: a\ncontexts: null\ncurrent-context: \"\"\nkind: Config\npreferences: {}\nusers: null\nNAME\n"
        );
    }

    #[test]
    fn a_plugin_is_set_and_shown() {
        let line = "kubectl config set-credentials e --exec-command=p --exec-api-version=client.authentication.k8s.io/v1 \
            --exec-arg=x,y --exec-env=A=b >/dev/null; kubectl config view -o jsonpath='{.users[0].user}'; \
            kubectl config set-credentials e --exec-interactive-mode=Sometimes";
        assert_eq!(
            sh(line),
            (
                r#"{"exec":{"apiVersion":"client.authentication.k8s.io/v1","args":["x","y"],"command":"p","env":[{"name":"A","value":"b"}],"provideClusterInfo":false}}"#.to_owned(),
                "error: invalid interactive mode type, can be only IfAvailable, Never, Always\n".to_owned(),
                1
            )
        );
    }
}
