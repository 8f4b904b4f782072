//! `kubectl replace -f`.

use cluster::Propagation;
use serde_json::Value;

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, print, raw::PARTS, resource::typed, source::Manifest};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    if !kube.given.has("filename") {
        return Fail::error("must specify one of -f and -k");
    }
    if let Some(path) = kube.given.value("raw").filter(|it| !it.is_empty()).map(str::to_owned) {
        return super::raw::replace(kube, &path);
    }
    let format = print::format(kube, false)?;
    let dry = DryRun::of(kube)?;
    let force = kube.given.on("force");
    let part = kube.given.value("subresource").unwrap_or_default().to_owned();
    let part = PARTS.iter().find(|it| **it == part).copied();
    let mut failed = Vec::new();
    let manifests = kube.manifests()?;
    for manifest in manifests {
        let done: Done<(String, Value)> = manifest.and_then(|mut m| {
            m.value = super::apply::saved(kube, m.value);
            let at = (m.kind, m.namespace.as_str(), m.name.as_str());
            if force {
                let was_there = match kube.remove(at, Some(0), Propagation::Background, false) {
                    Err(fail) if !fail.is_not_found() => return Err(fail),
                    removed => removed.is_ok(),
                };
                let info = m.kind.info();
                let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
                if was_there {
                    kube.out.line(&format!("{}{group} {:?} deleted", info.singular(), m.name));
                }
                kube.wait(None, |kube| Ok(kube.peek(m.kind, &m.namespace, &m.name).is_none()))?;
                let mut fresh = m.value;
                if let Some(Value::Object(meta)) = fresh.get_mut("metadata") {
                    meta.remove("resourceVersion");
                    meta.remove("uid");
                }
                let object = kube.create(m.kind, &m.namespace, fresh, false)?;
                return Ok((format!("{} replaced", typed(m.kind, &m.name)), object));
            }
            let object = if dry == DryRun::Client {
                m.value
            } else {
                name_the_revision(kube, &mut m);
                let done = match part {
                    Some(part) => kube.update_part((m.kind, &m.namespace, &m.name), part, m.value),
                    None => kube.update(m.kind, &m.namespace, &m.name, m.value, dry == DryRun::Server),
                };
                done.map_err(|fail| fail.when("replacing", &m.source))?
            };
            Ok((format!("{} replaced{}", typed(m.kind, &m.name), dry.suffix()), object))
        });
        match (done, &format) {
            (Ok((_, object)), Some(format)) => print::structured(kube, format, object)?,
            (Ok((line, _)), None) => kube.out.line(&line),
            (Err(fail), _) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

/// A manifest that does not say which revision it replaces replaces the one that is there.
fn name_the_revision(kube: &mut Kube<'_, '_>, manifest: &mut Manifest) {
    if manifest.value["metadata"]["resourceVersion"].as_str().is_some_and(|it| !it.is_empty()) {
        return;
    }
    // What cannot be read is sent as it is: the answer says why.
    let Ok(there) = kube.object(manifest.kind, &manifest.namespace, &manifest.name) else { return };
    if let (Some(revision), Some(Value::Object(metadata))) =
        (&there.meta().resource_version, manifest.value.get_mut("metadata"))
    {
        metadata.insert("resourceVersion".to_owned(), revision.as_str().into());
    }
}
