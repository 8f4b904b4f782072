//! `kubectl patch`.

use api::Kind;
use cluster::PatchKind;
use serde_json::Value;

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, field, print, resource::typed};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let format = print::format(kube, false)?;
    let dry = DryRun::of(kube)?;
    let text = match (kube.given.value("patch"), kube.given.value("patch-file")) {
        (Some(_), Some(_)) => return Fail::error("cannot specify --patch and --patch-file together"),
        (Some(text), None) if !text.is_empty() => text.to_owned(),
        (None, Some(file)) => {
            let machine = &kube.shell.machine;
            match machine.files.read(&machine.path(file)) {
                Ok(text) => text.to_string(),
                Err(error) => {
                    return Fail::error(format!(
                        "unable to read patch file: open {file}: {}",
                        error.to_string().to_lowercase()
                    ));
                }
            }
        }
        (Some(_) | None, None) => {
            return Fail::error("must specify --patch or --patch-file containing the contents of the patch");
        }
    };
    let how = match kube.given.value("type").map(str::to_lowercase).as_deref() {
        None | Some("strategic") => PatchKind::Strategic,
        Some("merge") => PatchKind::Merge,
        Some("json") => PatchKind::Json,
        Some(other) => {
            return Fail::error(format!("--type must be one of [json merge strategic], not {other:?}"));
        }
    };
    // UPSTREAM: what looks like JSON is sent as it is, and the server reads it.
    if text.trim_start().starts_with('{')
        && let Some(wrong) = api::json::error(&text)
    {
        for (kind, namespace, name) in kube.chosen()? {
            kube.get(kind, &namespace, &name)?;
        }
        let mut status = api::ApiStatus::forbidden(wrong);
        (status.code, status.reason) = (400, "BadRequest".to_owned());
        return Err(Fail::Server(status));
    }
    let reading = api::text::read(&text);
    let document = reading.documents.first();
    if let Some(error) = document.and_then(api::text::Document::kubectl_error) {
        return Fail::error(format!(
            "unable to parse {text:?}: {}",
            error.trim_start_matches("error converting YAML to JSON: ")
        ));
    }
    let patch: Value = document.map(api::text::Document::to_value).unwrap_or(Value::Null);
    let part = match kube.given.value("subresource") {
        Some("status") => "status",
        Some("approval") => "approval",
        Some("scale") => "scale",
        Some("resize") => "resize",
        Some("ephemeralcontainers") => "ephemeralcontainers",
        None | Some("") => "",
        Some(_) => {
            for (kind, namespace, name) in kube.chosen()? {
                kube.get(kind, &namespace, &name)?;
            }
            return Err(Fail::Plain(
                "Error from server (NotFound): the server could not find the requested resource".to_owned(),
            ));
        }
    };
    if kube.given.on("local") {
        if !kube.given.args.is_empty() {
            return Fail::error("cannot specify --local and server resources");
        }
        for manifest in kube.manifests()? {
            let manifest = manifest?;
            let (before, kind) = (manifest.value, manifest.kind);
            let after = patched_here(kind, how, &before, &patch)?;
            match &format {
                Some(format) => print::structured(kube, format, after)?,
                None => {
                    let note = if after == before { " (no change)" } else { "" };
                    kube.out.line(&format!("{} patched{note}", typed(kind, &manifest.name)));
                }
            }
        }
        return Ok(());
    }
    let mut failed = Vec::new();
    for (kind, namespace, name) in kube.chosen()? {
        let at = (kind, namespace.as_str(), name.as_str());
        let changed = kube.get(kind, &namespace, &name).and_then(|before| {
            if dry == DryRun::Client {
                let after = patched_here(kind, how, &before, &patch)?;
                return Ok((before, after));
            }
            let after = kube.patch_part(at, part, how, patch.clone(), dry == DryRun::Server);
            Ok((before, after.map_err(|fail| not_supported(fail, kind, how))?))
        });
        match (changed, &format) {
            (Ok((_, after)), Some(format)) => print::structured(kube, format, after)?,
            (Ok((before, after)), None) => {
                let same = field::at(&before, "metadata.resourceVersion")
                    == field::at(&after, "metadata.resourceVersion");
                let same = if dry == DryRun::Client { before == after } else { same && dry == DryRun::No };
                let note = if same { " (no change)" } else { "" };
                let what = match part {
                    "scale" => format!("scale.autoscaling/{name}"),
                    _ => typed(kind, &name),
                };
                // UPSTREAM: that nothing was sent, or nothing kept, is not said.
                kube.out.line(&format!("{what} patched{note}"));
            }
            (Err(fail), _) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

/// The way that the server does not know is named with the kind.
fn not_supported(fail: Fail, kind: Kind, how: PatchKind) -> Fail {
    let media = match how {
        PatchKind::Strategic => "application/strategic-merge-patch+json",
        PatchKind::Merge => "application/merge-patch+json",
        PatchKind::Json => "application/json-patch+json",
        PatchKind::Apply { .. } => "application/apply-patch+yaml",
    };
    match fail {
        Fail::Server(status) if status.code == 415 => {
            let info = kind.info();
            Fail::Plain(format!(
                "error: {media} is not supported by {}, Kind={}: {}",
                info.api_version(),
                info.kind,
                status.message
            ))
        }
        other => other,
    }
}

/// What kubectl makes of an object by itself.
fn patched_here(kind: Kind, how: PatchKind, before: &Value, patch: &Value) -> Done<Value> {
    let mut after = before.clone();
    let changed = match how {
        PatchKind::Strategic => api::patch::strategic_merge(kind, &mut after, patch),
        PatchKind::Json => api::patch::json_patch(&mut after, patch),
        PatchKind::Merge | PatchKind::Apply { .. } => {
            api::patch::json_merge(&mut after, patch);
            Ok(())
        }
    };
    changed.map_or_else(|error| Fail::error(error.to_string()), |()| Ok(after))
}
