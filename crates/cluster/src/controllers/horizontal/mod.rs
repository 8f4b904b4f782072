//! How many pods should there be?
//!
//! Every 15 s an autoscaler compares what its pods use with its target, and writes the size that would meet it, within
//! its bounds and its pace, into the scale of what it manages.
//! Source: `pkg/controller/podautoscaler/horizontal.go` at v1.34.

mod behavior;
mod memory;
mod metric;
mod replicas;
#[cfg(test)]
mod tests;

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::{
        autoscaling::v2::{
            HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerSpec,
            MetricStatus,
        },
        core::v1::Pod,
    },
    label::Selector,
};
use serde_json::{Value, json};

use self::behavior::Sizes;
pub(crate) use self::memory::Recommendations;
use crate::{Change, Controller, EventType, Key, Next, Store, Turn};

/// From one look to the next. Source: `--horizontal-pod-autoscaler-sync-period`.
const SYNC: SimDuration = SimDuration::secs(15);
/// Added to a name in a key: an autoscaler is new, and comes into the line. No object's name has it.
const NEW: &str = "/new";

/// The controller; events know it by this name.
pub(crate) struct HorizontalPodAutoscaling;

impl Controller for HorizontalPodAutoscaling {
    fn name(&self) -> &'static str {
        "horizontal-pod-autoscaler"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind != Kind::HorizontalPodAutoscaler {
            return;
        }
        match (&change.before, &change.after) {
            (None, Some(_)) => {
                let mut key = change.key.clone();
                key.name = format!("{}{NEW}", key.name).into();
                wake(key);
            }
            // One that is known comes round by itself.
            (Some(_), Some(_)) | (None, None) => {}
            (Some(_), None) => wake(change.key.clone()),
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        if let Some(name) = key.name.strip_suffix(NEW) {
            // UPSTREAM: a new autoscaler waits in line like every other.
            turn.remind(turn.actor(), turn.key(key.kind, &key.namespace, name), SYNC);
            return Ok(Next::Done);
        }
        let found = turn.get::<HorizontalPodAutoscaler>(&key.namespace, &key.name).cloned();
        let Some((hpa, spec)) = found.and_then(|it| it.spec.clone().map(|spec| (it, spec))) else {
            turn.world.recommendations().forget(key);
            return Ok(Next::Done);
        };
        let before = hpa.status.clone();
        let object = hpa.clone().into_object();
        let mut round = Round { key: key.clone(), hpa, spec, object };
        round.sync(turn);
        if round.hpa.status != before {
            let mut hpa = round.hpa;
            hpa.metadata.resource_version = None;
            turn.update_status(hpa)?;
        }
        Ok(Next::Every(SYNC))
    }
}

/// What an autoscaler manages, as it is now.
struct Scale {
    of: Key,
    value: Value,
    current: i32,
    selector: String,
}

/// One look at an autoscaler.
struct Round {
    key: Key,
    hpa: HorizontalPodAutoscaler,
    spec: HorizontalPodAutoscalerSpec,
    object: Object,
}

impl Round {
    fn warn(&self, turn: &mut Turn<'_>, reason: &str, message: &str) {
        turn.event(&self.object, EventType::Warning, reason, message);
    }

    fn set(&mut self, turn: &Turn<'_>, type_: &str, holds: bool, reason: &str, message: &str) {
        let word = if holds { "True" } else { "False" };
        let stamp = turn.stamp();
        let all = self.hpa.status.get_or_insert_default().conditions.get_or_insert_default();
        let at = all.iter().position(|it| it.type_ == type_).unwrap_or_else(|| {
            let type_ = type_.to_owned();
            all.push(HorizontalPodAutoscalerCondition {
                type_,
                ..HorizontalPodAutoscalerCondition::default()
            });
            all.len() - 1
        });
        let it = &mut all[at];
        if it.status != word {
            it.last_transition_time = Some(stamp);
        }
        it.status = word.to_owned();
        it.reason = Some(reason.to_owned());
        it.message = Some(message.to_owned());
    }

    fn sync(&mut self, turn: &mut Turn<'_>) {
        let scale = match self.scale(turn) {
            Ok(scale) => scale,
            Err(why) => {
                self.warn(turn, "FailedGetScale", &why);
                let message =
                    format!("the HPA controller was unable to get the target's current scale: {why}");
                self.set(turn, "AbleToScale", false, "FailedGetScale", &message);
                return;
            }
        };
        let message = "the HPA controller was able to get the target's current scale";
        self.set(turn, "AbleToScale", true, "SucceededGetScale", message);
        let current = scale.current;
        let least = self.spec.min_replicas.unwrap_or(1);
        let mut measured = None;
        let (desired, why) = if current == 0 && least != 0 {
            let message = "scaling is disabled since the replica count of the target is zero";
            self.set(turn, "ScalingActive", false, "ScalingDisabled", message);
            (0, String::new())
        } else if current > self.spec.max_replicas {
            (self.spec.max_replicas, "Current number of replicas above Spec.MaxReplicas".to_owned())
        } else if current < least {
            (least, "Current number of replicas below Spec.MinReplicas".to_owned())
        } else {
            let (wanted, metric, statuses) = match self.compute(turn, &scale) {
                Ok(computed) => computed,
                Err(why) => {
                    self.hpa.status.get_or_insert_default().current_replicas = Some(current);
                    self.warn(turn, "FailedComputeMetricsReplicas", &why);
                    return;
                }
            };
            measured = Some(statuses);
            let why = match wanted.cmp(&current) {
                std::cmp::Ordering::Greater => format!("{metric} above target"),
                std::cmp::Ordering::Less => "All metrics below target".to_owned(),
                std::cmp::Ordering::Equal => String::new(),
            };
            (self.normalize(turn, Sizes { current, least, wanted }), why)
        };
        let rescale = desired != current;
        if rescale && !self.rescale(turn, &scale, desired, &why) {
            self.hpa.status.get_or_insert_default().current_replicas = Some(current);
            return;
        }
        let stamp = turn.stamp();
        let status = self.hpa.status.get_or_insert_default();
        status.current_replicas = Some(current).filter(|current| *current != 0);
        status.desired_replicas = desired;
        status.current_metrics = measured;
        if rescale {
            status.last_scale_time = Some(stamp);
        }
    }

    fn scale(&self, turn: &mut Turn<'_>) -> Result<Scale, String> {
        let target = &self.spec.scale_target_ref;
        let version = target.api_version.as_deref().unwrap_or_default();
        let Some(kind) = Kind::of_manifest(version, &target.kind) else {
            let group = version.split_once('/').map_or("", |(group, _)| group);
            return Err(format!("no matches for kind {:?} in group {group:?}", target.kind));
        };
        let of = turn.key(kind, &self.key.namespace, &target.name);
        let value = turn.scale(&of, None).map_err(|refusal| refusal.message)?;
        let number = value.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
        let selector = value.pointer("/status/selector").and_then(Value::as_str).unwrap_or_default();
        let (current, selector) = (i32::try_from(number).unwrap_or(i32::MAX), selector.to_owned());
        Ok(Scale { of, value, current, selector })
    }

    /// The largest size that a metric asks for, that metric, and what was measured.
    fn compute(
        &mut self,
        turn: &mut Turn<'_>,
        scale: &Scale,
    ) -> Result<(i32, String, Vec<MetricStatus>), String> {
        let pods = self.pods(turn, scale)?;
        let specs = self.spec.metrics.clone().unwrap_or_default();
        let mut best: Option<(i32, String)> = None;
        let (mut statuses, mut wrong) = (Vec::new(), Vec::new());
        for metric in &specs {
            match metric::compute(turn, metric, &pods, scale.current, &self.key.namespace) {
                Ok((replicas, name, status)) => {
                    if best.as_ref().is_none_or(|(most, _)| *most == 0 || replicas > *most) {
                        best = Some((replicas, name));
                    }
                    statuses.push(status);
                }
                Err(failure) => {
                    self.warn(turn, failure.reason, &failure.message);
                    statuses.push(MetricStatus::default());
                    wrong.push(failure);
                }
            }
        }
        let (replicas, name) = best.unwrap_or_default();
        if let Some(first) = wrong.first()
            && (wrong.len() >= specs.len() || replicas < scale.current)
        {
            let message = format!("the HPA was unable to compute the replica count: {}", first.message);
            self.set(turn, "ScalingActive", false, first.reason, &message);
            let (number, of) = (wrong.len(), specs.len());
            return Err(format!(
                "invalid metrics ({number} invalid out of {of}), first error is: {}: {}",
                first.what, first.message
            ));
        }
        let message = format!("the HPA was able to successfully calculate a replica count from {name}");
        self.set(turn, "ScalingActive", true, "ValidMetricFound", &message);
        Ok((replicas, name, statuses))
    }

    /// The pods that the target chooses, which must be nobody else's business.
    fn pods(&mut self, turn: &mut Turn<'_>, scale: &Scale) -> Result<Vec<Pod>, String> {
        let fail = |round: &mut Self,
                    turn: &mut Turn<'_>,
                    event: &str,
                    reason: &str,
                    message: &str,
                    condition: &str| {
            round.warn(turn, event, message);
            round.set(turn, "ScalingActive", false, reason, condition);
            Err(message.to_owned())
        };
        if scale.selector.is_empty() {
            let why = "the HPA target's scale is missing a selector";
            return fail(self, turn, "SelectorRequired", "InvalidSelector", "selector is required", why);
        }
        let selector = match Selector::parse(&scale.selector) {
            Ok(selector) => selector,
            Err(why) => {
                let message =
                    format!("couldn't convert selector into a corresponding internal selector object: {why}");
                return fail(self, turn, "InvalidSelector", "InvalidSelector", &message, &message);
            }
        };
        let chosen = |pod: &&Pod| selector.matches(&pod.metadata.labels.clone().unwrap_or_default());
        let pods: Vec<Pod> = turn.list::<Pod>(Some(&self.key.namespace)).filter(chosen).cloned().collect();
        let rivals = self.rivals(turn, &pods);
        if rivals.len() > 1 {
            let all = rivals.join(" ");
            let message =
                format!("pods by selector {} are controlled by multiple HPAs: [{all}]", scale.selector);
            return fail(self, turn, "AmbiguousSelector", "AmbiguousSelector", &message, &message);
        }
        Ok(pods)
    }

    /// The autoscalers that manage any of these pods, this one among them.
    fn rivals(&self, turn: &mut Turn<'_>, pods: &[Pod]) -> Vec<String> {
        let namespace = self.key.namespace.to_string();
        let all: Vec<HorizontalPodAutoscaler> = turn.list(Some(&namespace)).cloned().collect();
        let mut rivals = Vec::new();
        for other in all {
            let name = other.metadata.name.clone().unwrap_or_default();
            let Some(spec) = other.spec.clone() else { continue };
            let object = other.clone().into_object();
            let round = Self { key: self.key.clone(), hpa: other, spec, object };
            let selector = round.scale(turn).ok().and_then(|scale| Selector::parse(&scale.selector).ok());
            let chooses = |pod: &Pod| {
                let labels = pod.metadata.labels.clone().unwrap_or_default();
                selector.as_ref().is_some_and(|it| !it.is_empty() && it.matches(&labels))
            };
            if pods.iter().any(chooses) {
                rivals.push(format!("{namespace}/{name}"));
            }
        }
        rivals
    }

    /// The wish, as far as the past, the pace and the bounds let it.
    fn normalize(&mut self, turn: &mut Turn<'_>, sizes: Sizes) -> i32 {
        let now = turn.now();
        let key = self.key.clone();
        let mut past = turn.world.recommendations().of(&key, sizes.current, now);
        let held = behavior::stabilized(&self.spec, &mut past, sizes, now);
        self.set(turn, "AbleToScale", true, held.reason, held.message);
        let sizes = Sizes { wanted: held.size, ..sizes };
        let limited = behavior::limited(&self.spec, &past, sizes, now);
        self.set(turn, "ScalingLimited", limited.size != held.size, limited.reason, limited.message);
        turn.world.recommendations().keep(&key, past, now);
        limited.size
    }

    /// Writes the size; whether that went well.
    fn rescale(&mut self, turn: &mut Turn<'_>, scale: &Scale, desired: i32, why: &str) -> bool {
        let mut wanted = scale.value.clone();
        wanted["spec"]["replicas"] = json!(desired);
        if let Err(refusal) = turn.scale(&scale.of, Some(wanted)) {
            let error = refusal.message;
            let message = format!("New size: {desired}; reason: {why}; error: {error}");
            self.warn(turn, "FailedRescale", &message);
            let message = format!("the HPA controller was unable to update the target scale: {error}");
            self.set(turn, "AbleToScale", false, "FailedUpdateScale", &message);
            return false;
        }
        let message = format!("the HPA controller was able to update the target scale to {desired}");
        self.set(turn, "AbleToScale", true, "SucceededRescale", &message);
        let message = format!("New size: {desired}; reason: {why}");
        turn.event(&self.object, EventType::Normal, "SuccessfulRescale", &message);
        let (key, now) = (self.key.clone(), turn.now());
        let mut past = turn.world.recommendations().of(&key, scale.current, now);
        past.changes.push((now, desired - scale.current));
        turn.world.recommendations().keep(&key, past, now);
        true
    }
}
