//! What does a kustomization build?
//!
//! [`build`] reads the kustomization of a directory, with those it stands on, and gives the manifests as `kubectl kustomize` prints
//! them and `-k` sends them: generated, patched, transformed, their references and hashes put right, in kustomize's legacy order.
//! Source: kubernetes-sigs/kustomize v5.5 `api/internal/target`, `api/konfig/builtinpluginconsts`; answers of kubectl v1.32.
//!
//! MODEL: Helm charts, plugins, validators and configurations of the transformers are not read; what is built says so by a refusal.

mod external;
mod generate;
mod label;
mod patch;
mod read;
mod refer;
mod replace;
mod resource;
mod transform;
mod vars;

use api::emit;
use serde_json::Value;

use self::resource::{Resource, Resources};
use crate::{
    files::Entry,
    kubectl::{Done, Fail, Kube},
};

pub(super) use generate::hashed;

/// The names a kustomization may have.
const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Deepest chain of kustomizations.
const DEEPEST: usize = 32;

/// `kubectl kustomize DIR`.
pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let directory = match kube.given.args.as_slice() {
        [] => ".".to_owned(),
        [one] => one.clone(),
        _ => return Fail::error("specify one path to kustomization.yaml"),
    };
    let text = build(kube, &directory)?;
    let Some(target) = kube.given.value("output").filter(|it| !it.is_empty()).map(str::to_owned) else {
        kube.out.out(&text);
        return Ok(());
    };
    let path = kube.shell.machine.path(&target);
    let written = kube.shell.machine.files.write(&path, &text);
    written.map_err(|error| Fail::Error(format!("open {target}: {}", error.to_string().to_lowercase())))
}

/// The manifests that the kustomization of a directory builds, as one text.
pub(super) fn build(kube: &mut Kube<'_, '_>, directory: &str) -> Done<String> {
    let path = kube.shell.machine.path(directory);
    match kube.shell.machine.files.get(&path) {
        Some(Entry::Directory) => {}
        Some(Entry::File(_)) => {
            return Fail::error(format!("must build at directory: '{path}': file is not directory"));
        }
        None => {
            return Fail::error(format!(
                "must build at directory: not a valid directory: {}",
                missing(directory, &path)
            ));
        }
    }
    let mut resources = Resources::default();
    accumulate(kube, &path, &[], &mut resources)?;
    resources.add_hashes();
    refer::fix(&mut resources);
    vars::resolve(&mut resources)?;
    resources.sort();
    let texts: Vec<String> = resources.all.iter().map(|it| emit::yaml(&it.object)).collect();
    Ok(texts.join("---\n"))
}

/// How kustomize says that a path leads nowhere.
fn missing(typed: &str, path: &str) -> String {
    format!("evalsymlink failure on '{typed}' : lstat {path}: no such file or directory")
}

/// Adds what a directory's kustomization makes, before names get their hashes; what it changes it changes in all there is.
fn accumulate(kube: &mut Kube<'_, '_>, path: &str, above: &[String], resources: &mut Resources) -> Done {
    let file = read::kustomization(kube, path)?;
    for (field, instead) in read::DEPRECATED {
        if file.get(*field).is_some() {
            kube.out.err(&format!(
                "# Warning: '{field}' is deprecated. Please use '{instead}' instead.{} Run 'kustomize edit fix' to update your Kustomization automatically.",
                if *field == "vars" { " [EXPERIMENTAL]" } else { "" }
            ));
        }
    }
    let mut above = above.to_vec();
    above.push(path.to_owned());
    for field in ["resources", "bases"] {
        for entry in read::texts(&file, field) {
            let found = one(kube, path, &entry, &above)
                .map_err(|fail| Fail::Error(format!("accumulating resources: {}", fail.bare())))?;
            resources.vars.extend(found.vars);
            for resource in found.all {
                resources.add(resource).map_err(|why| {
                    let place = crate::files::resolve(path, &entry);
                    Fail::Error(format!(
                        "accumulating resources: accumulation err='accumulating resources from '{entry}': '{place}' must resolve to a file': recursed merging from path '{place}': {why}"
                    ))
                })?;
            }
        }
    }
    generate::run(kube, path, &file, resources)?;
    for entry in read::texts(&file, "components") {
        component(kube, path, &entry, &above, resources)
            .map_err(|fail| Fail::Error(format!("accumulating components: {}", fail.bare())))?;
    }
    patch::run(kube, path, &file, resources)?;
    transform::run(&file, resources)?;
    replace::run(kube, path, &file, resources)?;
    external::run(kube, path, &file, &above, resources)?;
    resources.vars.extend(read::list(&file, "vars").cloned());
    refer::fix(resources);
    Ok(())
}

const COMPONENT: &str = "Component";

/// A component works on what was gathered before it.
fn component(
    kube: &mut Kube<'_, '_>,
    base: &str,
    entry: &str,
    above: &[String],
    resources: &mut Resources,
) -> Done {
    let place = crate::files::resolve(base, entry);
    match kube.shell.machine.files.get(&place) {
        Some(Entry::Directory) => {}
        Some(Entry::File(_)) => {
            return Fail::error(format!("loader.New \"'{place}': file is not directory\""));
        }
        None => {
            let why = missing(&place, &place);
            return Fail::error(format!("loader.New \"error loading {entry} with git: {why}\""));
        }
    }
    if above.len() >= DEEPEST || above.contains(&place) {
        return Fail::error(format!("loader.New \"cycle detected: candidate root '{place}'\""));
    }
    let inner = |why: String| Fail::Error(format!("accumulateDirectory: {why:?}"));
    let kind = read::kind(kube, &place).map_err(|fail| inner(fail.bare()))?;
    if kind != COMPONENT {
        let why = format!("expected kind '{COMPONENT}' for path '{place}' but got '{kind}'");
        return Err(inner(why));
    }
    accumulate(kube, &place, above, resources)
        .map_err(|fail| inner(format!("recursed accumulation of path '{place}': {}", fail.bare())))
}

/// What a directory's kustomization makes by itself.
fn gathered(kube: &mut Kube<'_, '_>, path: &str, above: &[String]) -> Done<Resources> {
    let mut resources = Resources::default();
    accumulate(kube, path, above, &mut resources)?;
    Ok(resources)
}

/// What one entry of `resources` stands for.
fn one(kube: &mut Kube<'_, '_>, base: &str, entry: &str, above: &[String]) -> Done<Resources> {
    let place = crate::files::resolve(base, entry);
    let failed =
        |why: String| Fail::error(format!("accumulation err='accumulating resources from '{entry}': {why}"));
    match kube.shell.machine.files.get(&place).cloned() {
        Some(Entry::File(text)) => {
            let mut resources = Resources::default();
            let mut add = |object: Value| resources.add(Resource::new(object)).map_err(Fail::Error);
            for document in api::text::read(&text).documents {
                if let Some(error) = document.kubectl_error() {
                    let why = error.trim_start_matches("error converting YAML to JSON: ").to_owned();
                    return failed(format!(
                        "MalformedYAMLError: {why} in File: {entry}': must build at directory: '{place}': file is not directory"
                    ));
                }
                let object = document.to_value();
                match object.get("items").and_then(Value::as_array) {
                    Some(items) if object["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) => {
                        items.iter().cloned().try_for_each(&mut add)?;
                    }
                    _ if object.is_null() => {}
                    _ if object["kind"].as_str().is_none_or(str::is_empty) => {
                        return failed(format!(
                            "missing metadata.name in object {{{{ }} {{{{ }} map[] map[]}}}}': must build at directory: '{place}': file is not directory"
                        ));
                    }
                    _ => add(object)?,
                }
            }
            Ok(resources)
        }
        Some(Entry::Directory) if above.contains(&place) || above.len() >= DEEPEST => {
            let visited = above.last().cloned().unwrap_or_default();
            failed(format!(
                "'{place}' must resolve to a file': cycle detected: candidate root '{place}' contains visited root '{visited}'"
            ))
        }
        Some(Entry::Directory) if read::kind(kube, &place).is_ok_and(|kind| kind == COMPONENT) => {
            failed(format!(
                "'{place}' must resolve to a file': expected kind != '{COMPONENT}' for path '{place}'"
            ))
        }
        Some(Entry::Directory) => gathered(kube, &place, above).map_err(|fail| {
            Fail::Error(format!(
                "accumulation err='accumulating resources from '{entry}': '{place}' must resolve to a file': recursed accumulation of path '{place}': {}",
                fail.bare()
            ))
        }),
        None => {
            let why = missing(&place, &place);
            let first = match entry.split_once("://") {
                Some((_, rest)) => {
                    let host = rest.split('/').next().unwrap_or_default();
                    format!("Get \"{entry}\": dial tcp: lookup {host}: no such host")
                }
                None => why.clone(),
            };
            failed(format!("{first}': must build at directory: not a valid directory: {why}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    const FILES: &str = "mkdir -p base over; cd base
printf 'apiVersion: v1\\nkind: Service\\nmetadata: {name: web}\\nspec: {selector: {app: web}}\\n' > svc.yaml
printf 'apiVersion: apps/v1\\nkind: Deployment\\nmetadata: {name: web}\\nspec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: \"nginx:1\", envFrom: [{configMapRef: {name: cfg}}]}]}}}\\n' > deploy.yaml
printf 'resources: [deploy.yaml, svc.yaml]\\nsecretGenerator: [{name: sec, literals: [p=w]}]\\nconfigMapGenerator: [{name: cfg, literals: [a=b]}]\\n' > kustomization.yaml
cd ../over\n";

    fn over(kustomization: &str, then: &str) -> String {
        stdout(&format!(
            "{FILES}printf 'resources: [../base]\\n{kustomization}' > kustomization.yaml\n{then}"
        ))
    }

    #[test]
    fn generated_names_end_with_kustomize_s_hash_and_are_followed() {
        let out = over("namePrefix: p-\\n", "kubectl kustomize . | grep ' name: '");
        assert_eq!(
            out,
            "  name: p-cfg-4h2mbtbbt6\n  name: p-sec-m7cg948gg9\n  name: p-web\n  name: p-web\n            name: p-cfg-4h2mbtbbt6\n        name: c\n"
        );
    }

    #[test]
    fn what_a_patch_adds_to_a_list_stands_first() {
        let patch = "patches:\\n- target: {kind: Deployment}\\n  patch: |\\n    kind: Deployment\\n    metadata: {name: any}\\n    spec: {template: {spec: {containers: [{name: side, image: x}]}}}\\n";
        let wanted = "        name: side\n            name: cfg-4h2mbtbbt6\n        name: c\n";
        assert_eq!(over(patch, "kubectl kustomize | grep '^ .*  name: [cs]'"), wanted);
    }

    #[test]
    fn components_replacements_transformers_and_vars_do_their_part() {
        let component = "mkdir comp; printf 'kind: Component\\nimages: [{name: nginx, newTag: \"2\"}]\\n' > comp/kustomization.yaml; ";
        let file = "components: [comp]\\nreplacements: [{source: {kind: Service, name: web, fieldPath: spec.selector.app}, targets: [{select: {kind: Deployment}, fieldPaths: [\"spec.template.spec.containers.[name=c].image\"], options: {delimiter: \":\"}}]}]\\ntransformers: [t.yaml]\\n";
        let made = "printf 'kind: PrefixTransformer\\nmetadata: {name: t}\\nprefix: p-\\n' > t.yaml; ";
        let out = over(file, &format!("{component}{made}kubectl kustomize . | grep -E ' image:|^  name: '"));
        assert_eq!(
            out,
            "  name: p-cfg-4h2mbtbbt6\n  name: p-sec-m7cg948gg9\n  name: p-web\n  name: p-web\n        image: web:2\n"
        );
        let var = "namePrefix: p-\\nvars: [{name: S, objref: {kind: Service, name: web, apiVersion: v1}}]\\npatches: [{target: {kind: Deployment}, patch: \"[{op: add, path: /spec/template/spec/containers/0/args, value: [$(S).x]}]\"}]\\n";
        assert_eq!(
            over(var, "kubectl kustomize . 2>/dev/null | grep -A1 args"),
            "      - args:\n        - p-web.x\n"
        );
    }

    #[test]
    fn wrong_input_is_refused_in_kustomize_s_words() {
        for (file, wanted) in [
            ("resorces: [a]", "error: invalid Kustomization: json: unknown field \"resorces\"\n"),
            (
                "namePrefix: [a]",
                "error: invalid Kustomization: json: cannot unmarshal array into Go struct field Kustomization.namePrefix of type string\n",
            ),
            ("", "error: kustomization.yaml is empty\n"),
            (
                "replicas: [{name: q, count: 2}]",
                "error: resource with name q does not match a config with the following GVK [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] ReplicationController.[noVer].[noGrp]]\n",
            ),
            ("configMapGenerator: [{literals: [a=b]}]", "error: a configmap must have a name\n"),
        ] {
            assert_eq!(
                sh(&format!("echo '{file}' > kustomization.yaml; kubectl kustomize")).1,
                wanted,
                "{file}"
            );
        }
    }
}
