//! `kubectl autoscale`.
//!
//! UPSTREAM: kubectl 1.32 still writes version 1 of the kind.

use api::Kind;
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    field::name,
    print::{self, Format},
    resource::typed,
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let dry = DryRun::of(kube)?;
    let number = |flag: &str| kube.given.int(flag).unwrap_or(-1);
    let (min, max, percent) = (number("min"), number("max"), number("cpu-percent"));
    if max < 1 {
        return Fail::error(format!("--max=MAXPODS is required and must be at least 1, max: {max}"));
    }
    if max < min {
        return Fail::error(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {max}, min: {min}"
        ));
    }
    let format = print::format(kube, false)?;
    let namespace = kube.namespace()?;
    for (kind, space, target) in kube.chosen()? {
        // UPSTREAM: what a file names is taken to be there.
        if !kube.given.has("filename") {
            kube.get(kind, &space, &target)?;
        }
        let info = kind.info();
        let scales = match kind {
            Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController => true,
            Kind::Custom(_) => {
                let cluster = kube.target()?.cluster;
                let definition = cluster::apiserver::definition(kube.shell.world.store(), cluster, kind);
                definition
                    .as_ref()
                    .and_then(|it| it.version(info.version))
                    .is_some_and(|it| it.scale.is_some())
            }
            _ => false,
        };
        if !scales {
            let version = info.api_version();
            let group = if info.group.is_empty() { format!("/{}", info.version) } else { version };
            return Fail::error(format!(
                "cannot autoscale a {}: could not find scale subresource for {group}, Resource={} in discovery information",
                info.kind, info.plural
            ));
        }
        let own = kube.given.value("name").filter(|n| !n.is_empty()).unwrap_or(&target).to_owned();
        let mut spec = json!({"maxReplicas": max,
            "scaleTargetRef": {"apiVersion": info.api_version(), "kind": info.kind, "name": target}});
        if min > 0 {
            spec["minReplicas"] = min.into();
        }
        if percent >= 0 {
            spec["targetCPUUtilizationPercentage"] = percent.into();
        }
        let mut object = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": own}, "spec": spec});
        if dry == DryRun::Client {
            object["metadata"]["creationTimestamp"] = Value::Null;
            object["status"] = json!({"currentReplicas": 0, "desiredReplicas": 0});
            print_one(kube, format.as_ref(), object, &format!("created{}", dry.suffix()))?;
            continue;
        }
        object["metadata"]["namespace"] = namespace.clone().into();
        let made = kube.create(Kind::AutoscalerV1, &namespace, object, dry == DryRun::Server)?;
        print_one(kube, format.as_ref(), made, &format!("autoscaled{}", dry.suffix()))?;
    }
    Ok(())
}

fn print_one(kube: &mut Kube<'_, '_>, format: Option<&Format>, object: Value, done: &str) -> Done {
    match format {
        Some(Format::Json) => kube.out.line(&print::typed::json(&object)),
        Some(format) => print::structured(kube, format, object)?,
        None => kube.out.line(&format!("{} {done}", typed(Kind::HorizontalPodAutoscaler, name(&object)))),
    }
    Ok(())
}
