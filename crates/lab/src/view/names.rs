//! Which words of an output name something in the scene?

use api::{
    Kind,
    k8s::core::v1::{Node, Pod, Service},
};
use cluster::{ClusterId, Store};

use super::why::name_of;
use std::collections::BTreeMap;

/// A stretch of output: plain, or the name of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// As printed.
    pub text: String,
    /// The thing's id in the scene.
    pub id: Option<String>,
}

/// Names of a cluster's things and their ids in the scene.
#[must_use]
pub fn names(store: &Store, cluster: ClusterId) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for service in store.list::<Service>(cluster, None) {
        let namespace = service.metadata.namespace.as_deref().unwrap_or("default");
        out.insert(
            name_of(service).to_owned(),
            format!("{}/{namespace}/{}", Kind::Service.info().kind, name_of(service)),
        );
    }
    for node in store.list::<Node>(cluster, None) {
        out.insert(name_of(node).to_owned(), format!("Node/{}", name_of(node)));
    }
    for pod in store.list::<Pod>(cluster, None) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        out.insert(name_of(pod).to_owned(), format!("Pod/{namespace}/{}", name_of(pod)));
    }
    out
}

/// What the scene calls an object that is written `kind/name`; nothing where the cluster has none of that name.
#[must_use]
pub fn called(store: &Store, cluster: ClusterId, object: &str) -> Option<String> {
    let (kind, name) = object.split_once('/')?;
    let (kind, _) = kind.split_once('.').unwrap_or((kind, ""));
    let info = Kind::EVERY.iter().map(|kind| kind.info()).find(|info| {
        let names = [info.kind, info.plural].into_iter().chain(info.short.iter().copied());
        names.into_iter().any(|it| it.eq_ignore_ascii_case(kind))
    })?;
    let id = names(store, cluster).remove(name).filter(|id| id.starts_with(&format!("{}/", info.kind)));
    let own = format!("{}/{name}", info.kind);
    let is_there =
        |id: &String| super::inspector::key_of(cluster, id).is_some_and(|key| store.object(&key).is_some());
    id.or(Some(own).filter(is_there))
}

/// The output with its names found.
#[must_use]
pub fn pieces(text: &str, names: &BTreeMap<String, String>) -> Vec<Piece> {
    let part = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let mut out: Vec<Piece> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let (head, tail) = if word == 0 {
            rest.split_at(rest.find(part).unwrap_or(rest.len()))
        } else {
            rest.split_at(word)
        };
        let id = names.get(head.trim_end_matches('.')).cloned();
        match out.last_mut() {
            Some(last) if last.id.is_none() && id.is_none() => last.text.push_str(head),
            Some(_) | None => out.push(Piece { text: head.to_owned(), id }),
        }
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_table_is_found_and_nothing_is_lost() {
        let names = BTreeMap::from([("web-1".to_owned(), "Pod/default/web-1".to_owned())]);
        let text = "NAME    READY\nweb-1   1/1\npod/web-1 created web-10\n";
        let found = pieces(text, &names);
        assert_eq!(found.iter().map(|p| p.text.as_str()).collect::<String>(), text);
        assert_eq!(found.iter().filter(|p| p.id.is_some()).count(), 2);
    }
}
