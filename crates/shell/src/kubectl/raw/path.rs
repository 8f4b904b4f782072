//! What does a path of the API name?

use api::{Domain, Kind};

/// What a path names, and what its query asks for.
pub(super) struct Path {
    pub kind: Kind,
    pub namespace: String,
    pub name: String,
    pub part: &'static str,
    query: Vec<(String, String)>,
}

/// Parts of objects that are served by themselves.
pub(crate) const PARTS: [&str; 7] =
    ["approval", "eviction", "binding", "ephemeralcontainers", "resize", "scale", "status"];

impl Path {
    /// Reads a path of an object or a list of one of `kinds`.
    pub(super) fn read(path: &str, kinds: &[Kind]) -> Option<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut words = path.trim_matches('/').split('/');
        let (group, version) = match words.next()? {
            "api" => ("", words.next()?),
            "apis" => (words.next()?, words.next()?),
            _ => return None,
        };
        let mut words: Vec<&str> = words.collect();
        let mut namespace = String::new();
        let is_part = matches!(words.get(2), Some(&("status" | "finalize"))) && words.len() == 3;
        if words.first() == Some(&"namespaces") && words.len() > 2 && !is_part {
            words.remove(0);
            namespace = words.remove(0).to_owned();
        }
        let mut words = words.into_iter();
        let plural = words.next()?;
        let kind = kinds.iter().copied().find(|kind| {
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
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key.to_owned(), decoded(value))
        });
        Some(Self { kind, namespace, name, part, query: query.collect() })
    }

    /// A parameter of the query; empty if it is not there.
    pub(super) fn parameter(&self, name: &str) -> String {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
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

#[cfg(test)]
mod tests {
    use api::Scope;

    use super::*;

    fn read(path: &str) -> Option<Path> {
        Path::read(path, Kind::EVERY)
    }

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

    #[test]
    fn a_query_is_read_as_it_was_before_it_was_escaped() {
        let path = read("/api/v1/pods?labelSelector=a%3Db+c&limit=3").expect("a path");
        assert_eq!((path.parameter("labelSelector"), path.parameter("limit")), ("a=b c".into(), "3".into()));
        assert_eq!(path.parameter("continue"), "");
    }
}
