//! `kubectl rollout status`. Source: kubectl `pkg/polymorphichelpers/rollout_status.go`.

use api::{Kind, SimDuration};
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube,
    field::{self, at, condition, int as number, text},
    rollout::{Place, REVISION},
};

pub(super) fn run(kube: &mut Kube<'_, '_>, place: Place<'_>) -> Done {
    let (kind, namespace, name) = place;
    let live = kube.get(kind, namespace, name)?;
    if let Some(wanted) = kube.given.int("revision").filter(|it| *it > 0 && kind == Kind::Deployment) {
        let running = at(&live, "metadata.annotations").get(REVISION).map(field::word).unwrap_or_default();
        if running != wanted.to_string() {
            return Fail::error(format!(
                "desired revision ({wanted}) is different from the running revision ({running})"
            ));
        }
    }
    let limit =
        kube.given.value("timeout").and_then(crate::text::sleep::seconds).filter(|t| *t > SimDuration::ZERO);
    let watch = kube.given.not_off("watch");
    let mut seen = Value::Null;
    let mut ended: Option<Done> = None;
    let reached = kube.wait(limit, |kube| {
        let Some(object) = kube.peek(kind, namespace, name) else {
            ended = Some(Fail::error("object has been deleted"));
            return Ok(true);
        };
        match word(kind, name, &object) {
            Ok((line, done)) => {
                // UPSTREAM: it is said at every write, also when it is the same again.
                let version = at(&object, "metadata.resourceVersion");
                if *version != seen {
                    kube.out.line(&line);
                    seen = version.clone();
                }
                Ok(done || !watch)
            }
            Err(fail) => {
                ended = Some(Err(fail));
                Ok(true)
            }
        }
    })?;
    match ended {
        Some(result) => result,
        None if reached => Ok(()),
        None => Fail::error("timed out waiting for the condition"),
    }
}

fn word(kind: Kind, name: &str, o: &Value) -> Done<(String, bool)> {
    let observed = number(o, "metadata.generation") <= number(o, "status.observedGeneration");
    let wanted = number(o, "spec.replicas");
    let (updated, available) = (number(o, "status.updatedReplicas"), number(o, "status.availableReplicas"));
    Ok(match kind {
        Kind::Deployment if !observed => {
            ("Waiting for deployment spec update to be observed...".to_owned(), false)
        }
        Kind::Deployment => {
            if condition(o, "Progressing").is_some_and(|c| text(c, "reason") == "ProgressDeadlineExceeded") {
                return Fail::error(format!("deployment {name:?} exceeded its progress deadline"));
            }
            let replicas = number(o, "status.replicas");
            if updated < wanted {
                (
                    format!(
                        "Waiting for deployment {name:?} rollout to finish: {updated} out of {wanted} new replicas have been updated..."
                    ),
                    false,
                )
            } else if replicas > updated {
                (
                    format!(
                        "Waiting for deployment {name:?} rollout to finish: {} old replicas are pending termination...",
                        replicas - updated
                    ),
                    false,
                )
            } else if available < updated {
                (
                    format!(
                        "Waiting for deployment {name:?} rollout to finish: {available} of {updated} updated replicas are available..."
                    ),
                    false,
                )
            } else {
                (format!("deployment {name:?} successfully rolled out"), true)
            }
        }
        Kind::DaemonSet => {
            if text(o, "spec.updateStrategy.type") != "RollingUpdate" {
                return Fail::error("rollout status is only available for RollingUpdate strategy type");
            }
            let desired = number(o, "status.desiredNumberScheduled");
            let updated = number(o, "status.updatedNumberScheduled");
            let available = number(o, "status.numberAvailable");
            if !observed {
                ("Waiting for daemon set spec update to be observed...".to_owned(), false)
            } else if updated < desired {
                (
                    format!(
                        "Waiting for daemon set {name:?} rollout to finish: {updated} out of {desired} new pods have been updated..."
                    ),
                    false,
                )
            } else if available < desired {
                (
                    format!(
                        "Waiting for daemon set {name:?} rollout to finish: {available} of {desired} updated pods are available..."
                    ),
                    false,
                )
            } else {
                (format!("daemon set {name:?} successfully rolled out"), true)
            }
        }
        Kind::StatefulSet => {
            if text(o, "spec.updateStrategy.type") != "RollingUpdate" {
                return Fail::error("rollout status is only available for RollingUpdate strategy type");
            }
            let rolling = at(o, "spec.updateStrategy.rollingUpdate");
            let partition = number(o, "spec.updateStrategy.rollingUpdate.partition");
            let ready = number(o, "status.readyReplicas");
            if !observed {
                ("Waiting for statefulset spec update to be observed...".to_owned(), false)
            } else if ready < wanted {
                (format!("Waiting for {} pods to be ready...", wanted - ready), false)
            } else if !rolling.is_null() {
                if updated < wanted - partition {
                    (
                        format!(
                            "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...",
                            wanted - partition
                        ),
                        false,
                    )
                } else {
                    (format!("partitioned roll out complete: {updated} new pods have been updated..."), true)
                }
            } else if text(o, "status.updateRevision") != text(o, "status.currentRevision") {
                (
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {}...",
                        text(o, "status.updateRevision")
                    ),
                    false,
                )
            } else {
                (
                    format!(
                        "statefulset rolling update complete {} pods at revision {}...",
                        number(o, "status.currentReplicas"),
                        text(o, "status.currentRevision")
                    ),
                    true,
                )
            }
        }
        other => {
            let info = other.info();
            let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
            return Fail::error(format!("no status viewer has been implemented for {}{group}", info.kind));
        }
    })
}
