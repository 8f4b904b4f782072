//! What do commands find in a running container?
//!
//! `cat` and `ls` of what the kubelet itself put there: files of ConfigMaps, Secrets and the downward API as they were last
//! written, the pod's hosts and hostname. What else an image holds is not known.
//! Source: kubelet `kubelet_pods.go` (`managedHostsFileContent`), `pkg/volume/util/atomic_writer.go` (`..data`).

use std::{collections::BTreeSet, fmt::Write as _};

use api::{
    k8s::core::v1::{Container, Pod},
    kinds::sim::Sandbox,
};

use super::{health::no_such_file, names, volume};
use crate::{ClusterId, Store};

/// What a command prints, and how it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What it prints.
    pub out: String,
    /// What it complains of.
    pub err: String,
    /// Its exit code.
    pub code: i32,
}

/// What is at a path.
#[derive(Debug, PartialEq)]
enum There {
    File(String),
    Directory(BTreeSet<String>),
    Nothing,
}

/// What a command line says inside a container; `None` where the lab does not know.
#[must_use]
pub fn says(
    store: &Store,
    cluster: ClusterId,
    pod: &Pod,
    container: &Container,
    words: &[&str],
) -> Option<Said> {
    let (program, rest) = words.split_first()?;
    let program = program.rsplit('/').next().unwrap_or_default();
    if matches!(program, "sh" | "bash" | "ash") {
        let ["-c", script] = rest else { return None };
        let is_plain = !script.contains(['|', '&', ';', '>', '<', '$', '`', '*', '"', '\'', '\n']);
        let words: Vec<&str> = script.split_whitespace().collect();
        return says(store, cluster, pod, container, &words).filter(|_| is_plain);
    }
    let lists = match program {
        "cat" => false,
        "ls" => true,
        _ => return None,
    };
    let (flags, paths): (Vec<&str>, Vec<&str>) = rest.iter().partition(|word| word.starts_with('-'));
    // Several directories get headings.
    let many = lists && paths.len() > 1;
    if paths.is_empty() || many || flags.iter().any(|flag| !lists || !matches!(*flag, "-1" | "-a" | "-A")) {
        return None;
    }
    let image = container.image.as_deref().unwrap_or_default();
    let mut said = Said::default();
    for path in &paths {
        let there = find(store, cluster, pod, container, path)?;
        match there {
            There::File(_) if lists => said.out += &format!("{path}\n"),
            There::File(text) => said.out += &text,
            There::Directory(names) if lists => {
                let hidden = flags.iter().any(|flag| *flag != "-1");
                let dots = if flags.contains(&"-a") { vec![".", ".."] } else { Vec::new() };
                for name in dots.into_iter().chain(names.iter().map(String::as_str)) {
                    if hidden || !name.starts_with('.') {
                        said.out += &format!("{name}\n");
                    }
                }
            }
            There::Directory(_) => {
                said.err += &format!("cat: {}: Is a directory\n", path);
                said.code = 1;
            }
            There::Nothing => {
                let why = no_such_file(program, path, image);
                let _ = writeln!(said.err, "{}", why.trim_end());
                said.code = if why.starts_with("ls: cannot access") { 2 } else { 1 };
            }
        }
    }
    Some(said)
}

fn find(store: &Store, cluster: ClusterId, pod: &Pod, container: &Container, path: &str) -> Option<There> {
    let (namespace, name) = names(pod);
    let path = path.strip_prefix("/var/run/").map_or_else(|| path.to_owned(), |rest| format!("/run/{rest}"));
    let path = path.trim_end_matches('/');
    let sandbox = store.get::<Sandbox>(cluster, namespace, name)?;
    let root = |mount: &str| mount.trim_end_matches('/').replacen("/var/run/", "/run/", 1);
    let mounts = container.volume_mounts.iter().flatten();
    let under = |mount: &str| {
        let rest = path.strip_prefix(mount)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/').to_owned())
    };
    let mount = mounts
        .filter_map(|mount| Some((under(&root(&mount.mount_path))?, mount)))
        .max_by_key(|(_, mount)| mount.mount_path.len());
    let Some((rest, mount)) = mount else { return own_file(pod, sandbox, path) };
    let volume = pod.spec.as_ref()?.volumes.iter().flatten().find(|it| it.name == mount.name)?;
    let in_part = mount.sub_path.is_some() || mount.sub_path_expr.is_some();
    if in_part {
        volume::content(store, cluster, pod, volume)?;
        let given = sandbox.containers.iter().find(|work| work.name == container.name)?.given.as_ref();
        let files = given.map(|it| it.files.clone()).unwrap_or_default();
        let files = files.into_iter().filter_map(|(file, text)| {
            let rest = file.strip_prefix(&mount.mount_path)?;
            Some((rest.trim_start_matches('/').to_owned(), text))
        });
        return Some(at(&files.collect(), &rest));
    }
    let written = sandbox.written.as_ref().and_then(|it| it.volumes.get(&mount.name).cloned());
    let files = written.or_else(|| volume::content(store, cluster, pod, volume))?;
    // A token is made when it is asked for, and is different each hour.
    let sources = volume.projected.iter().flat_map(|it| it.sources.iter().flatten());
    let token = sources.filter_map(|it| it.service_account_token.as_ref()).map(|it| it.path.clone()).next();
    if token.as_deref() == Some(rest.trim_start_matches("..data/")) {
        return None;
    }
    let mut there = at(&files, rest.trim_start_matches("..data").trim_start_matches('/'));
    if let (There::Directory(names), true) = (&mut there, rest.is_empty()) {
        names.extend(token);
        names.insert("..data".to_owned());
    }
    Some(there)
}

fn at(files: &volume::Files, path: &str) -> There {
    if let Some(text) = files.get(path) {
        return There::File(text.clone());
    }
    let below = if path.is_empty() { String::new() } else { format!("{path}/") };
    let names: BTreeSet<String> = files
        .keys()
        .filter_map(|file| Some(file.strip_prefix(&below)?.split('/').next()?.to_owned()))
        .collect();
    if names.is_empty() && !path.is_empty() { There::Nothing } else { There::Directory(names) }
}

/// The files that every pod is given.
fn own_file(pod: &Pod, sandbox: &Sandbox, path: &str) -> Option<There> {
    let spec = pod.spec.as_ref()?;
    let host = spec.hostname.clone().filter(|it| !it.is_empty()).or_else(|| pod.metadata.name.clone())?;
    if spec.host_network == Some(true) {
        return None;
    }
    match path {
        "/etc/hostname" => Some(There::File(format!("{host}\n"))),
        "/etc/hosts" => {
            let mut text = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost \
                            ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\n\
                            fe00::2\tip6-allrouters\n"
                .to_owned();
            let (ip, namespace) = (sandbox.ip?, names(pod).0);
            let domain = spec.subdomain.as_ref().filter(|it| !it.is_empty());
            let _ = match domain {
                Some(domain) => writeln!(text, "{ip}\t{host}.{domain}.{namespace}.svc.cluster.local\t{host}"),
                None => writeln!(text, "{ip}\t{host}"),
            };
            for (i, alias) in spec.host_aliases.iter().flatten().enumerate() {
                if i == 0 {
                    text += "\n# Entries added by HostAliases.\n";
                }
                let hosts = alias.hostnames.clone().unwrap_or_default().join("\t");
                let _ = writeln!(text, "{}\t{hosts}", alias.ip);
            }
            Some(There::File(text))
        }
        _ => None,
    }
}
