//! URLs, as Go reads them.
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/urls.go`; Go's `net/url.ParseRequestURI`.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    super::{
        eval::no_overload,
        value::{MapKey, Val},
    },
    Answer,
};

/// A URL's parts.
#[derive(Debug)]
pub struct Url {
    pub(in super::super) text: String,
    scheme: String,
    host: String,
    path: String,
    query: String,
}

fn parse(text: &str) -> Result<Url, String> {
    let wrong = |why: &str| format!("parse {text:?}: {why}");
    if text.is_empty() {
        return Err(wrong("empty url"));
    }
    if text.chars().any(|c| c < ' ' || c == '\u{7f}') {
        return Err(wrong("net/url: invalid control character in URL"));
    }
    let scheme_end = text.find(':').filter(|end| {
        let scheme = &text[..*end];
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if text.starts_with(':') {
        return Err(wrong("missing protocol scheme"));
    }
    let (scheme, rest) = match scheme_end {
        Some(end) => (text[..end].to_lowercase(), &text[end + 1..]),
        None => (String::new(), text),
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !rest.starts_with('/') {
        if scheme.is_empty() {
            return Err(wrong("invalid URI for request"));
        }
        return Ok(Url {
            text: text.to_owned(),
            scheme,
            host: String::new(),
            path: String::new(),
            query: query.to_owned(),
        });
    }
    let (host, path) =
        match rest.strip_prefix("//").filter(|_| !scheme.is_empty() || !rest.starts_with("///")) {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let host = rest[..end].rsplit_once('@').map_or(&rest[..end], |(_, host)| host);
                (host, &rest[end..])
            }
            None => ("", rest),
        };
    let port = host.rsplit_once(':').filter(|_| !host.ends_with(']')).map(|(_, port)| port);
    if let Some(port) = port.filter(|port| !port.chars().all(|c| c.is_ascii_digit())) {
        return Err(wrong(&format!("invalid port \":{port}\" after host")));
    }
    if let Some(bad) = host.chars().find(|c| matches!(c, ' ' | '<' | '>' | '^' | '\\' | '{' | '}' | '|')) {
        return Err(wrong(&format!("invalid character {:?} in host name", bad.to_string())));
    }
    Ok(Url {
        text: text.to_owned(),
        scheme,
        host: host.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
    })
}

pub(super) fn call(name: &str, text: &str) -> Answer {
    let parsed = parse(text);
    if name == "isURL" {
        return Ok(Val::Bool(parsed.is_ok()));
    }
    parsed
        .map(|url| Val::Url(Rc::new(url)))
        .map_err(|why| format!("URL parse error during conversion from string: {why}"))
}

pub(super) fn of(name: &str, url: &Url) -> Answer {
    let port = url.host.rsplit_once(':').filter(|_| !url.host.ends_with(']'));
    let hostname = port.map_or(url.host.as_str(), |(host, _)| host);
    Ok(match name {
        "getScheme" => Val::text(&url.scheme),
        "getHost" => Val::text(&url.host),
        "getHostname" => Val::text(hostname.trim_matches(['[', ']'])),
        "getPort" => Val::text(port.map_or("", |(_, port)| port)),
        "getEscapedPath" => Val::text(&escaped(&url.path)),
        "getQuery" => {
            let mut found: BTreeMap<MapKey, Vec<Val>> = BTreeMap::new();
            for pair in url.query.split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                let key = MapKey::Text(Rc::from(unescaped(key).as_str()));
                found.entry(key).or_default().push(Val::text(&unescaped(value)));
            }
            Val::Map(Rc::new(found.into_iter().map(|(key, values)| (key, Val::list(values))).collect()))
        }
        _ => return Err(no_overload()),
    })
}

fn escaped(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~/$&+,;=:@%!'()*".contains(c);
    let mut out = String::new();
    for letter in path.chars() {
        if is_plain(letter) {
            out.push(letter);
        } else {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    out
}

fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(code)) => {
                out.push(code);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
