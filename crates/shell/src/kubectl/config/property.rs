//! `kubectl config set` and `unset`: one value by its path.
//!
//! MODEL: preferences, extensions and the files of certificates are taken and not kept.
//! Source: kubectl `pkg/cmd/config/{set,unset,navigation_step_parser}.go`.

use crate::kubectl::{
    Done, Fail, Kube,
    kubeconfig::{Credential, Kubeconfig, User},
};

const CONTEXT: &[&str] = &["cluster", "user", "namespace", "extensions"];
const CLUSTER: &[&str] = &[
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
    "extensions",
];
const USER: &[&str] = &[
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "act-as",
    "act-as-uid",
    "act-as-groups",
    "act-as-user-extra",
    "username",
    "password",
    "auth-provider",
    "exec",
    "extensions",
];

/// What a path names.
enum Place<'p> {
    Current,
    /// A map as a whole: `clusters`.
    Map,
    /// An entry as a whole: its map and its name.
    Entry(&'p str, String),
    /// A field of an entry.
    Field(&'p str, String, &'p str),
    /// Something that the lab does not keep.
    Other,
}

/// UPSTREAM: names may have dots, so that a name ends where a field's name begins.
fn place(path: &str) -> Done<Place<'_>> {
    let wrong = || Fail::Error(format!("unable to parse {path} after [] at api.Config"));
    let (map, rest) = path.split_once('.').map_or((path, None), |(map, rest)| (map, Some(rest)));
    let fields = match map {
        "current-context" => {
            return match rest {
                None => Ok(Place::Current),
                Some(_) => Fail::error(format!("unable to parse one or more field values of {path}")),
            };
        }
        "contexts" => CONTEXT,
        "clusters" => CLUSTER,
        "users" => USER,
        "preferences" | "extensions" | "kind" | "apiVersion" => return Ok(Place::Other),
        _ => return Err(wrong()),
    };
    let Some(rest) = rest else { return Ok(Place::Map) };
    let parts: Vec<&str> = rest.split('.').collect();
    let field = parts.iter().enumerate().skip(1).find(|(_, part)| fields.contains(part));
    Ok(match field {
        Some((at, field)) if at + 1 == parts.len() => Place::Field(map, parts[..at].join("."), field),
        Some(_) => return Fail::error(format!("unable to parse one or more field values of {path}")),
        None => Place::Entry(map, rest.to_owned()),
    })
}

pub(super) fn set(kube: &mut Kube<'_, '_>, path: &str, text: &str) -> Done {
    let place = place(path)?;
    if text.is_empty() {
        return Fail::error("you cannot use set to unset a property");
    }
    let config = &mut kube.shell.machine.kubeconfig;
    match place {
        Place::Current => config.current = text.to_owned(),
        // UPSTREAM: what is there is printed as Go prints a map of pointers.
        Place::Map | Place::Entry(..) => return Fail::error("can't set a map to a value: map[]"),
        Place::Field("contexts", name, field) => {
            let context = config.context_mut(&name);
            match field {
                "cluster" => context.cluster = text.to_owned(),
                "user" => context.user = text.to_owned(),
                "namespace" => context.namespace = text.to_owned(),
                _ => {}
            }
        }
        Place::Field("clusters", name, field) => {
            let on = match text {
                "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
                _ => None,
            };
            let is_switch = matches!(field, "insecure-skip-tls-verify" | "disable-compression");
            if is_switch && on.is_none() {
                return Fail::error(format!("strconv.ParseBool: parsing {text:?}: invalid syntax"));
            }
            let cluster = config.cluster_mut(&name);
            match field {
                "server" => cluster.server = text.to_owned(),
                "insecure-skip-tls-verify" => cluster.insecure = on.unwrap_or_default(),
                "tls-server-name" | "proxy-url" | "certificate-authority" => {
                    cluster.other.insert(field.to_owned(), text.into());
                }
                _ => {}
            }
        }
        Place::Field(_, name, field) => {
            let old = config.users.iter().find(|it| it.name == name).map(|it| it.credential.clone());
            let (user, password) = match &old {
                Some(Credential::Password(user, password)) => (user.clone(), password.clone()),
                Some(_) | None => (String::new(), String::new()),
            };
            let credential = match field {
                "token" => Credential::Token(text.to_owned()),
                "username" => Credential::Password(text.to_owned(), password),
                "password" => Credential::Password(user, text.to_owned()),
                _ => old.unwrap_or(Credential::Nothing),
            };
            give(config, &name, credential);
        }
        Place::Other => {}
    }
    kube.out.line(&format!("Property {path:?} set."));
    Ok(())
}

pub(super) fn unset(kube: &mut Kube<'_, '_>, path: &str) -> Done {
    let place = place(path)?;
    let config = &mut kube.shell.machine.kubeconfig;
    let known = |map: &str, name: &str| match map {
        "contexts" => config.contexts.iter().any(|it| it.name == name),
        "clusters" => config.clusters.iter().any(|it| it.name == name),
        _ => config.users.iter().any(|it| it.name == name),
    };
    match place {
        Place::Current => config.current.clear(),
        Place::Map => match path {
            "contexts" => config.contexts.clear(),
            "clusters" => config.clusters.clear(),
            _ => config.users.clear(),
        },
        Place::Entry("contexts", name) => config.contexts.retain(|it| it.name != name),
        Place::Entry("clusters", name) => config.clusters.retain(|it| it.name != name),
        Place::Entry(_, name) => config.users.retain(|it| it.name != name),
        Place::Field(map, name, _) if !known(map, &name) => {
            return Fail::error(format!("current map key `{name}` is invalid"));
        }
        Place::Field("contexts", name, field) => {
            let context = config.context_mut(&name);
            match field {
                "cluster" => context.cluster.clear(),
                "user" => context.user.clear(),
                "namespace" => context.namespace.clear(),
                _ => {}
            }
        }
        Place::Field("clusters", name, field) => {
            let cluster = config.cluster_mut(&name);
            match field {
                "server" => cluster.server.clear(),
                "insecure-skip-tls-verify" => cluster.insecure = false,
                field => drop(cluster.other.remove(field)),
            }
        }
        Place::Field(_, name, field) => {
            let old = config.users.iter().find(|it| it.name == name).map(|it| it.credential.clone());
            let credential = match (old, field) {
                (Some(Credential::Token(_)), "token") => Credential::Nothing,
                (Some(Credential::Password(_, password)), "username") => {
                    Credential::Password(String::new(), password)
                }
                (Some(Credential::Password(user, _)), "password") => {
                    Credential::Password(user, String::new())
                }
                (old, _) => old.unwrap_or(Credential::Nothing),
            };
            give(config, &name, credential);
        }
        Place::Other => {}
    }
    kube.out.line(&format!("Property {path:?} unset."));
    Ok(())
}

/// Gives a user, new or known, a credential. Whose token it is does not depend on what one calls the entry.
pub(super) fn give(config: &mut Kubeconfig, name: &str, credential: Credential) {
    let same = config.users.iter().find(|it| it.credential == credential).cloned();
    config.users.retain(|it| it.name != name);
    config.users.push(User {
        name: name.to_owned(),
        identity: same.as_ref().map(|it| it.identity.clone()).unwrap_or_default(),
        groups: same.as_ref().map(|it| it.groups.clone()).unwrap_or_default(),
        uid: same.map(|it| it.uid).unwrap_or_default(),
        credential,
    });
    config.users.sort_by(|a, b| a.name.cmp(&b.name));
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    #[test]
    fn values_are_set_and_unset_by_their_paths() {
        let line = "kubectl config set contexts.a.b.namespace shop; kubectl config get-contexts --no-headers; \
            kubectl config unset contexts.a.b; kubectl config unset clusters.x.server; kubectl config set foo bar";
        assert_eq!(
            sh(line),
            (
                "Property \"contexts.a.b.namespace\" set.\n      a.b               shop\nProperty \"contexts.a.b\" unset.\n".to_owned(),
                "error: current map key `x` is invalid\nerror: unable to parse foo after [] at api.Config\n".to_owned(),
                1
            )
        );
    }
}
