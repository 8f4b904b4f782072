//! `kubectl api-resources` and `kubectl api-versions`.

use std::collections::BTreeSet;

use api::{Kind, Scope};

use crate::kubectl::{Done, Fail, Kube, print::table::Table};

/// UPSTREAM: arguments are refused by hand.
fn unexpected(kube: &Kube<'_, '_>, verb: &str) -> Done {
    match kube.given.args.as_slice() {
        [] => Ok(()),
        args => Fail::error(format!(
            "unexpected arguments: [{}]\nSee 'kubectl {verb} -h' for help and examples",
            args.join(" ")
        )),
    }
}

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    unexpected(kube, "api-resources")?;
    kube.target()?;
    let output = kube.given.value("output").unwrap_or_default().to_owned();
    if !matches!(output.as_str(), "" | "wide" | "name") {
        return Fail::error(format!("--output {output} is not available"));
    }
    if kube.given.value("sort-by").is_some_and(|by| !matches!(by, "" | "name" | "kind")) {
        return Fail::error("--sort-by accepts only name or kind");
    }
    // Of several versions of a kind the preferred one is shown.
    let mut served: Vec<Kind> = kube.served();
    served.retain(|kind| *kind == kind.stored() || kind.info().group != kind.stored().info().group);
    served.dedup();
    let given = &kube.given;
    let kept = |kind: &Kind| {
        let info = kind.info();
        given.value("api-group").is_none_or(|g| g == info.group)
            && given
                .value("namespaced")
                .is_none_or(|_| given.on("namespaced") == (info.scope == Scope::Namespaced))
            && given.list("verbs").iter().all(|v| info.verbs.contains(v))
            && given.list("categories").iter().all(|c| info.categories.contains(c))
    };
    let mut kinds: Vec<Kind> = served.into_iter().filter(kept).collect();
    match given.value("sort-by") {
        Some("name") => kinds.sort_by_key(|k| k.info().plural),
        Some("kind") => kinds.sort_by_key(|k| k.info().kind),
        Some(_) | None => kinds.sort_by_key(|k| (k.info().group, k.info().plural)),
    }
    if output == "name" {
        for kind in kinds {
            kube.out.line(&kind.info().resource());
        }
        return Ok(());
    }
    let wide = output == "wide";
    let mut table = Table::default();
    if !given.on("no-headers") {
        let mut head = vec!["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
        if wide {
            head.extend(["VERBS", "CATEGORIES"]);
        }
        table.row(head.into_iter().map(str::to_owned).collect());
    }
    for kind in kinds {
        let info = kind.info();
        let mut row = vec![
            info.plural.to_owned(),
            info.short.join(","),
            info.api_version(),
            (info.scope == Scope::Namespaced).to_string(),
            info.kind.to_owned(),
        ];
        if wide {
            row.push(info.verbs.join(","));
            row.push(info.categories.join(","));
        }
        table.row(row);
    }
    let text = table.print();
    kube.out.out(&text);
    Ok(())
}

pub(super) fn versions(kube: &mut Kube<'_, '_>) -> Done {
    unexpected(kube, "api-versions")?;
    kube.target()?;
    let served = kube.served().into_iter();
    let all: BTreeSet<String> = served.map(|k| k.info().api_version()).collect();
    for version in all {
        kube.out.line(&version);
    }
    Ok(())
}
