//! `kubectl wait`. Source: kubectl `pkg/cmd/wait`; case o-wait-for.

use api::{Kind, SimDuration, jsonpath::JsonPath};

use crate::kubectl::{Done, Fail, Kube, field, resource::typed};

enum For {
    Delete,
    Create,
    Condition(String, String),
    Path(JsonPath, Option<String>),
}

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let what = read(kube.given.value("for").unwrap_or_default())?;
    let limit = match kube.given.value("timeout") {
        None => SimDuration::secs(30),
        Some(text) => match crate::text::sleep::seconds(text) {
            Some(limit) => limit,
            None => {
                return Fail::error(format!(
                    "invalid argument {text:?} for \"--timeout\" flag: time: invalid duration {text:?}\nSee 'kubectl wait --help' for usage."
                ));
            }
        },
    };
    let deadline = kube.shell.world.now() + limit;
    if matches!(what, For::Create) {
        return created(kube, limit);
    }
    let targets = kube.chosen()?;
    if targets.is_empty() {
        return if matches!(what, For::Delete) { Ok(()) } else { Fail::error("no matching resources found") };
    }
    let mut failed = Vec::new();
    for (kind, namespace, name) in targets {
        if !matches!(what, For::Delete)
            && let Err(fail) = kube.get(kind, &namespace, &name)
        {
            failed.push(fail);
            continue;
        }
        let left = deadline.since(kube.shell.world.now());
        // UPSTREAM: what is looked at after the time is over counts as not met.
        if limit > SimDuration::ZERO && left == SimDuration::ZERO {
            failed.push(late(kind, &name));
            continue;
        }
        let done = kube.wait(Some(left), |kube| {
            let object = kube.peek(kind, &namespace, &name);
            Ok(match (&what, object) {
                (For::Delete, object) => object.is_none(),
                (For::Create, object) => object.is_some(),
                (_, None) => false,
                (For::Condition(wanted, status), Some(object)) => field::list(&object, "status.conditions")
                    .iter()
                    .filter(|c| field::text(c, "type").eq_ignore_ascii_case(wanted))
                    .any(|c| field::text(c, "status").eq_ignore_ascii_case(status)),
                (For::Path(path, wanted), Some(object)) => {
                    let found = path.values(&object);
                    match (found.as_slice(), wanted) {
                        ([only], Some(wanted)) => api::jsonpath::text(only) == *wanted,
                        ([_, ..], None) => true,
                        _ => false,
                    }
                }
            })
        })?;
        if done {
            let word = if matches!(what, For::Delete) { String::new() } else { met(kube, kind, &name) };
            if !word.is_empty() {
                kube.out.line(&word);
            }
        } else {
            failed.push(match limit {
                SimDuration::ZERO => {
                    Fail::Error(format!("condition not met for {}/{name}", kind.info().plural))
                }
                _ => late(kind, &name),
            });
        }
    }
    super::get::finish(kube, failed)
}

fn late(kind: Kind, name: &str) -> Fail {
    Fail::Error(format!("timed out waiting for the condition on {}/{name}", kind.info().plural))
}

/// What is said of an object that meets the condition.
fn met(kube: &Kube<'_, '_>, kind: Kind, name: &str) -> String {
    let note = if kube.given.value("output") == Some("name") { "" } else { " condition met" };
    format!("{}{note}", typed(kind, name))
}

fn created(kube: &mut Kube<'_, '_>, limit: SimDuration) -> Done {
    let args = kube.given.args.clone();
    let mut failed = Vec::new();
    for ask in kube.asks(&args)?.asks {
        let (kind, name): (Kind, String) = (ask.kind, ask.name.unwrap_or_default());
        let namespace = kube.scope(kind)?;
        if kube.wait(Some(limit), |kube| Ok(kube.peek(kind, &namespace, &name).is_some()))? {
            let line = met(kube, kind, &name);
            kube.out.line(&line);
        } else {
            // UPSTREAM: what does not exist yet is not named.
            failed.push(Fail::Error("timed out waiting for the condition".to_owned()));
        }
    }
    super::get::finish(kube, failed)
}

fn read(text: &str) -> Done<For> {
    match text.to_lowercase().as_str() {
        "delete" => return Ok(For::Delete),
        "create" => return Ok(For::Create),
        _ => {}
    }
    if let Some(condition) = text.strip_prefix("condition=") {
        let (name, status) = condition.split_once('=').unwrap_or((condition, "true"));
        return Ok(For::Condition(name.to_owned(), status.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("jsonpath=") {
        let wrong = || {
            Fail::Error("unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'".to_owned())
        };
        let end = rest.rfind('}').map_or_else(|| rest.find('=').unwrap_or(rest.len()), |at| at + 1);
        let (path, wanted) = rest.split_at(end);
        if path.starts_with('{') != path.ends_with('}') {
            return Err(wrong());
        }
        let path = JsonPath::relaxed(path.trim_matches(['\'', '"'])).map_err(|_| wrong())?;
        let wanted = match wanted.strip_prefix('=') {
            Some("") => {
                return Fail::error(
                    "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
                );
            }
            Some(wanted) => Some(wanted.trim_matches(['\'', '"']).to_owned()),
            None => None,
        };
        return Ok(For::Path(path, wanted));
    }
    Fail::error(format!("unrecognized condition: {text:?}"))
}
