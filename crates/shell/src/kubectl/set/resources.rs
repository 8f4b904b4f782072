//! `kubectl set resources`. Source: kubectl `pkg/cmd/set/set_resources.go`, `pkg/generate/versioned/run.go`.

use api::quantity::Quantity;
use serde_json::{Map, Value, json};

use crate::kubectl::{
    Done, Fail, Kube, field,
    set::{Picked, only_files, picked, send},
};

pub(super) fn run(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    only_files(kube)?;
    let all = picked(kube, args)?;
    let requests = quantities(kube.given.value("requests"))?;
    let limits = quantities(kube.given.value("limits"))?;
    if requests.is_empty() && limits.is_empty() {
        return Fail::error(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        );
    }
    let mut failed = Vec::new();
    for one in all {
        failed.extend(change(kube, &one, [("limits", &limits), ("requests", &requests)]).err());
    }
    crate::kubectl::get::finish(kube, failed)
}

fn quantities(text: Option<&str>) -> Done<Map<String, Value>> {
    let mut out = Map::new();
    for pair in text.into_iter().flat_map(|t| t.split(',')).filter(|p| !p.is_empty()) {
        let Some((resource, amount)) = pair.split_once('=') else {
            return Fail::error(format!("Invalid argument syntax {pair}, expected <resource>=<value>"));
        };
        if Quantity::parse(amount).is_err() {
            return Fail::error(
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            );
        }
        out.insert(resource.to_owned(), amount.into());
    }
    Ok(out)
}

fn change(kube: &mut Kube<'_, '_>, one: &Picked, wanted: [(&str, &Map<String, Value>); 2]) -> Done {
    let mut spec = one.spec()?;
    let pattern = kube.given.value("containers").unwrap_or("*").to_owned();
    let mut found = false;
    let containers = spec.get_mut("containers").and_then(Value::as_array_mut).into_iter().flatten();
    for container in containers.filter(|it| crate::glob::matches(&pattern, field::name_of(it))) {
        found = true;
        for (list, amounts) in wanted {
            for (resource, amount) in amounts {
                let own = field::make(container, "resources");
                if !own[list].is_object() {
                    own[list] = json!({});
                }
                own[list][resource] = amount.clone();
            }
        }
    }
    if !found {
        return Fail::error(format!("unable to find container named {pattern}"));
    }
    send(kube, one, one.with_spec(spec), "resource requirements updated").map_err(|fail| match fail {
        Fail::Server(status) => {
            Fail::Error(format!("failed to patch resources update to pod template {}", status.message))
        }
        other => other,
    })
}
