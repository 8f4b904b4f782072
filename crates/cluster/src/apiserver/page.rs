//! Which part of a list does a reader get, and as of when?
//!
//! A part that is not the last says where to go on; whoever goes on sees the list as it was when it began. What was is
//! found by taking back the changes since, as long as etcd would have kept it.
//! Source: apimachinery `pkg/apis/meta/internalversion/validation`, apiserver `pkg/storage/{continue.go,etcd3/store.go,
//! etcd3/errors.go,cacher}`.

use std::{collections::BTreeMap, rc::Rc};

use api::{ApiStatus, Cause, Kind, Object, SimDuration};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::{
    Key, What,
    apiserver::{Call, read::Selected},
    request::{List, Page},
};

/// How long etcd keeps what was: the API server compacts every five minutes what is older than five.
const KEPT: SimDuration = SimDuration::secs(300);

/// What an answer's `continue` holds.
struct Token {
    revision: u64,
    /// Of the last object that was given, relative to what is listed: `/web`, `/default/web`.
    after: String,
}

const VERSION: &str = "meta.k8s.io/v1";

impl Token {
    fn written(&self) -> String {
        let start = format!("{}\u{0}", self.after);
        let text = json!({"v": VERSION, "rv": self.revision, "start": start});
        // In the order of the fields of upstream's structure.
        let text = format!("{{\"v\":{},\"rv\":{},\"start\":{}}}", text["v"], text["rv"], text["start"]);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    }

    fn read(text: &str) -> Result<Self, String> {
        let unpadded = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let bytes = unpadded.decode(text).map_err(|_| {
            let is_letter = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            let at = text.bytes().position(|b| !is_letter(&b)).unwrap_or(text.len());
            format!("illegal base64 data at input byte {at}")
        })?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| unreadable(&bytes))?;
        if token["v"] != VERSION {
            let version = &token["v"];
            return Err(format!("server does not recognize this encoded version {version}"));
        }
        let revision = token["rv"].as_u64().unwrap_or_default();
        if revision == 0 {
            return Err(format!("incorrect encoded start resourceVersion (version {VERSION})"));
        }
        let start = token["start"].as_str().unwrap_or_default();
        if start.is_empty() {
            return Err(format!("encoded start key empty (version {VERSION})"));
        }
        let start = if start.starts_with('/') { start.to_owned() } else { format!("/{start}") };
        if start.split('/').any(|word| word == "..") {
            return Err(start.trim_start_matches('/').to_owned());
        }
        Ok(Self { revision, after: start.trim_end_matches('\u{0}').to_owned() })
    }
}

/// What Go's JSON reader says of a text that does not even begin as one.
fn unreadable(bytes: &[u8]) -> String {
    match String::from_utf8_lossy(bytes).trim_start().chars().next() {
        None => "unexpected end of JSON input".to_owned(),
        Some(first) => format!("invalid character '{first}' looking for beginning of value"),
    }
}

/// The part of a list that `page` names.
pub(super) fn read(
    call: &Call<'_>,
    kind: Kind,
    namespace: &str,
    selected: &Selected,
    page: &Page,
) -> Result<List, ApiStatus> {
    validate(page)?;
    let now = call.world.store().revision();
    let (revision, after) = as_of(page, now)?;
    let within = (!namespace.is_empty()).then_some(namespace);
    let current = call.world.store().objects(call.cluster, kind, within);
    let all: Vec<Rc<Object>> = match revision {
        None => current.map(|(_, object)| Rc::clone(object)).collect(),
        Some(revision) => {
            let current = current.map(|(key, object)| (key.clone(), Rc::clone(object))).collect();
            let token = after.is_some();
            was(call, kind, namespace, current, revision)
                .ok_or_else(|| expired(token))?
                .into_values()
                .collect()
        }
    };
    let place = |object: &Object| match within {
        None if !object.namespace().is_empty() => format!("/{}/{}", object.namespace(), object.name()),
        _ => format!("/{}", object.name()),
    };
    let rest: Vec<Rc<Object>> = match &after {
        None => all,
        Some(after) => all.into_iter().filter(|object| place(object) > *after).collect(),
    };
    let limit = usize::try_from(page.limit).unwrap_or_default();
    let mut list = List { revision: revision.unwrap_or(now), ..List::default() };
    for (index, object) in rest.iter().enumerate() {
        if !selected.accepts(object) {
            continue;
        }
        list.items.push(selected.shown(kind, object));
        let left = rest.len() - index - 1;
        if limit > 0 && list.items.len() >= limit && left > 0 {
            list.token = Token { revision: list.revision, after: place(object) }.written();
            list.remaining = selected.is_all().then_some(left as u64);
            break;
        }
    }
    Ok(list)
}

/// As of which revision, unless it is now, and after which object.
fn as_of(page: &Page, now: u64) -> Result<(Option<u64>, Option<String>), ApiStatus> {
    if !page.token.is_empty() {
        if !matches!(page.revision.as_str(), "" | "0") {
            let why = "specifying resource version is not allowed when using continue";
            return Err(ApiStatus::bad_request(why));
        }
        let token = Token::read(&page.token).map_err(|why| {
            ApiStatus::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
        })?;
        return Ok((Some(token.revision), Some(token.after)));
    }
    if page.revision.is_empty() {
        return Ok((None, None));
    }
    let revision: u64 = page.revision.parse().map_err(|_| {
        let given = &page.revision;
        ApiStatus::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {given:?}: strconv.ParseUint: parsing {given:?}: \
             invalid syntax"
        ))
    })?;
    if revision > now {
        let why = format!("Timeout: Too large resource version: {revision}, current: {now}");
        return Err(super::status(504, "Timeout", why));
    }
    // UPSTREAM: whoever gives a revision and a limit and does not say how it is meant gets exactly that one.
    let exact = page.matching == "Exact" || (page.matching.is_empty() && page.limit > 0 && revision > 0);
    Ok((exact.then_some(revision), None))
}

/// The objects of a kind as they were at a revision; `None` if that is forgotten.
fn was(
    call: &Call<'_>,
    kind: Kind,
    namespace: &str,
    mut objects: BTreeMap<Key, Rc<Object>>,
    revision: u64,
) -> Option<BTreeMap<Key, Rc<Object>>> {
    let now = call.world.now();
    for fact in call.world.facts().iter().rev() {
        let What::Changed(change) = &fact.what else { continue };
        if change.revision <= revision {
            return Some(objects);
        }
        if now > fact.at + KEPT {
            return None;
        }
        let key = &change.key;
        if key.cluster != call.cluster || key.kind != kind.stored() {
            continue;
        }
        if !namespace.is_empty() && &*key.namespace != namespace {
            continue;
        }
        match &change.before {
            Some(before) => objects.insert(key.clone(), Rc::clone(before)),
            None => objects.remove(key),
        };
    }
    // What came before the first fact was always there, or nobody remembers it.
    (call.world.store().revision() == revision).then_some(objects)
}

/// 410: what was is compacted.
fn expired(goes_on: bool) -> ApiStatus {
    let why = if goes_on {
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without \
         the continue parameter, or use the continue token in this response to retrieve the remainder of the results. \
         Continuing with the provided token results in an inconsistent list - objects that were created, modified, or \
         deleted between the time the first chunk was returned and now may show up in the list."
    } else {
        "The resourceVersion for the provided list is too old."
    };
    super::status(410, "Expired", why)
}

/// 422 of parameters that do not go together.
fn validate(page: &Page) -> Result<(), ApiStatus> {
    const FIELD: &str = "resourceVersionMatch";
    if page.matching.is_empty() {
        return Ok(());
    }
    let mut causes = Vec::new();
    let mut forbid = |why: &str| {
        causes.push(Cause {
            reason: "FieldValueForbidden".to_owned(),
            message: format!("Forbidden: {why}"),
            field: FIELD.to_owned(),
        });
    };
    if page.revision.is_empty() {
        forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if !page.token.is_empty() {
        forbid("resourceVersionMatch is forbidden when continue is provided");
    }
    match page.matching.as_str() {
        "Exact" if page.revision == "0" => {
            forbid("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        "Exact" | "NotOlderThan" => {}
        other => causes.push(Cause {
            reason: "FieldValueNotSupported".to_owned(),
            message: format!(
                "Unsupported value: {other:?}: supported values: \"Exact\", \"NotOlderThan\", \"\""
            ),
            field: FIELD.to_owned(),
        }),
    }
    if causes.is_empty() { Ok(()) } else { Err(ApiStatus::invalid_options("ListOptions", causes)) }
}

#[cfg(test)]
mod tests {
    use crate::{
        fixture::{cluster, config, create, delete, page, settle},
        request::Page,
    };
    use api::{Kind, SimDuration};

    fn of(limit: i64, token: &str) -> Page {
        Page { limit, token: token.to_owned(), ..Page::default() }
    }

    #[test]
    fn a_list_in_parts_stays_as_it_was_when_it_began() {
        let mut world = cluster();
        for name in ["a", "b", "c", "d"] {
            create(&mut world, config(name)).expect("made");
        }
        let first = page(&mut world, Kind::ConfigMap, of(2, "")).expect("a list");
        assert_eq!((first.items.len(), first.remaining), (2, Some(3)));
        delete(&mut world, Kind::ConfigMap, "c").expect("gone");
        let second = page(&mut world, Kind::ConfigMap, of(2, &first.token)).expect("a list");
        let names: Vec<&str> = second.items.iter().map(|it| it.name()).collect();
        assert_eq!((names, second.remaining), (vec!["c", "d"], Some(1)));
    }

    #[test]
    fn what_was_is_forgotten_after_a_while() {
        let mut world = cluster();
        create(&mut world, config("a")).expect("made");
        let first = page(&mut world, Kind::ConfigMap, of(1, "")).expect("a list");
        create(&mut world, config("b")).expect("made");
        settle(&mut world);
        let later = world.now() + SimDuration::secs(601);
        world.run_until(later, crate::Budget(1_000_000));
        create(&mut world, config("d")).expect("made");
        let error = page(&mut world, Kind::ConfigMap, of(1, &first.token)).expect_err("too old");
        assert!(error.starts_with("The provided continue parameter is too old"), "{error}");
    }

    #[test]
    fn what_no_server_wrote_is_no_token() {
        let error = page(&mut cluster(), Kind::ConfigMap, of(1, "abc")).expect_err("no token");
        assert_eq!(
            error,
            "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value"
        );
    }
}
