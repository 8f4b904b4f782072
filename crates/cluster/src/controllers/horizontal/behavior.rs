//! How fast may a size change?
//!
//! What was recommended a short time ago holds a change back, and rules limit its pace; without rules of its own an
//! autoscaler waits five minutes before it shrinks, and at most doubles (or takes four) when it grows.
//! Source: `pkg/controller/podautoscaler/horizontal.go` (`normalizeDesiredReplicas…`, `convertDesiredReplicas…`).

use api::{
    SimDuration, SimTime,
    k8s::autoscaling::v2::{HPAScalingRules, HorizontalPodAutoscalerSpec},
};

use super::memory::Past;

/// How long an autoscaler remembers that it wanted more. Source: `--horizontal-pod-autoscaler-downscale-stabilization`.
const DOWN_WINDOW: u32 = 300;

/// A size, and why it is that.
pub(super) struct Verdict {
    /// Such as `DesiredWithinRange`.
    pub reason: &'static str,
    /// In words.
    pub message: &'static str,
    /// The size.
    pub size: i32,
}

/// What holds of the current size, the least, and the wish.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub current: i32,
    pub least: i32,
    pub wanted: i32,
}

fn window(rules: Option<&HPAScalingRules>, or: u32) -> SimDuration {
    let seconds = rules.and_then(|rules| rules.stabilization_window_seconds).map(i32::unsigned_abs);
    SimDuration::secs(seconds.unwrap_or(or).into())
}

fn before(now: SimTime, time: SimDuration) -> SimTime {
    SimTime(now.0.saturating_sub(time.0))
}

/// The wish, held back by what was recommended before; it is remembered itself.
pub(super) fn stabilized(
    spec: &HorizontalPodAutoscalerSpec,
    past: &mut Past,
    sizes: Sizes,
    now: SimTime,
) -> Verdict {
    let Sizes { current, wanted, .. } = sizes;
    let size = match &spec.behavior {
        None => {
            let since = before(now, SimDuration::secs(DOWN_WINDOW.into()));
            let recent = past.recommended.iter().filter(|(at, _)| *at > since).map(|(_, size)| *size);
            recent.max().map_or(wanted, |most| most.max(wanted))
        }
        Some(behavior) => {
            let up = before(now, window(behavior.scale_up.as_ref(), 0));
            let down = before(now, window(behavior.scale_down.as_ref(), DOWN_WINDOW));
            let since = |since: SimTime| past.recommended.iter().filter(move |(at, _)| *at > since);
            let least = since(up).map(|(_, size)| *size).fold(wanted, i32::min);
            let most = since(down).map(|(_, size)| *size).fold(wanted, i32::max);
            current.max(least).min(most)
        }
    };
    past.recommended.push((now, wanted));
    let (reason, message) = if spec.behavior.is_some() && wanted >= current {
        (
            "ScaleUpStabilized",
            "recent recommendations were lower than current one, applying the lowest recent recommendation",
        )
    } else {
        (
            "ScaleDownStabilized",
            "recent recommendations were higher than current one, applying the highest recent recommendation",
        )
    };
    if size == wanted {
        let message = "recommended size matches current size";
        return Verdict { reason: "ReadyForNewScale", message, size };
    }
    Verdict { reason, message, size }
}

const WITHIN: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");
const TOO_MANY: (&str, &str) =
    ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: (&str, &str) =
    ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const UP_LIMIT: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const DOWN_LIMIT: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");

/// The wish, within the bounds and the pace.
pub(super) fn limited(
    spec: &HorizontalPodAutoscalerSpec,
    past: &Past,
    sizes: Sizes,
    now: SimTime,
) -> Verdict {
    let Sizes { current, least, wanted } = sizes;
    let most = spec.max_replicas;
    let verdict = |size: i32, (reason, message)| Verdict { reason, message, size };
    let (mut floor, mut ceiling) = ((least, TOO_FEW), (most, TOO_MANY));
    match &spec.behavior {
        None => {
            let pace = current.saturating_mul(2).max(4);
            if most > pace {
                ceiling = (pace, UP_LIMIT);
            }
        }
        Some(behavior) if wanted > current => {
            let pace = pace(behavior.scale_up.as_ref(), past, current, now, true).max(current);
            if most > pace {
                ceiling = (pace, UP_LIMIT);
            }
        }
        Some(behavior) => {
            let pace = pace(behavior.scale_down.as_ref(), past, current, now, false).min(current);
            if least < pace {
                floor = (pace, DOWN_LIMIT);
            }
        }
    }
    // UPSTREAM: with rules of its own, a wish that changes nothing is within range whatever the bounds.
    if spec.behavior.is_some() && wanted == current {
        return verdict(wanted, WITHIN);
    }
    if wanted < floor.0 {
        verdict(floor.0, floor.1)
    } else if wanted > ceiling.0 {
        verdict(ceiling.0, ceiling.1)
    } else {
        verdict(wanted, WITHIN)
    }
}

/// How far the rules of one direction let the size go now.
fn pace(rules: Option<&HPAScalingRules>, past: &Past, current: i32, now: SimTime, up: bool) -> i32 {
    let select = rules.and_then(|rules| rules.select_policy.as_deref()).unwrap_or("Max");
    let policies = rules.and_then(|rules| rules.policies.as_deref()).unwrap_or_default();
    if select == "Disabled" {
        return current;
    }
    let limits = policies.iter().map(|policy| {
        let period = SimDuration::secs(policy.period_seconds.unsigned_abs().into());
        let (added, removed) = past.changed(before(now, period));
        let start = current - added + removed;
        let share = f64::from(start) * f64::from(policy.value) / 100.0;
        match (policy.type_.as_str(), up) {
            ("Pods", true) => start.saturating_add(policy.value),
            ("Pods", false) => start.saturating_sub(policy.value),
            (_, true) => (f64::from(start) + share).ceil() as i32,
            (_, false) => (f64::from(start) - share) as i32,
        }
    });
    // The rule that allows the larger change, or with `Min` the smaller.
    let limit = if (select == "Min") == up { limits.min() } else { limits.max() };
    limit.unwrap_or(if up { i32::MAX } else { i32::MIN })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests say what must hold")]

    use serde_json::{Value, json};

    use super::*;

    fn spec(behavior: &Value) -> HorizontalPodAutoscalerSpec {
        let value = json!({"maxReplicas": 50, "scaleTargetRef": {"kind": "Deployment", "name": "a"},
            "behavior": behavior});
        serde_json::from_value(value).expect("a spec")
    }

    fn at(seconds: u64) -> SimTime {
        SimTime(seconds * 1000)
    }

    #[test]
    fn a_smaller_size_waits_five_minutes() {
        let mut past = Past { recommended: vec![(at(100), 6)], ..Past::default() };
        let sizes = Sizes { current: 6, least: 1, wanted: 2 };
        let early = stabilized(&spec(&Value::Null), &mut past, sizes, at(399));
        assert_eq!((early.size, early.reason), (6, "ScaleDownStabilized"));
        let late = stabilized(&spec(&Value::Null), &mut past, sizes, at(400));
        assert_eq!((late.size, late.reason), (2, "ReadyForNewScale"));
    }

    #[test]
    fn without_rules_a_size_at_most_doubles() {
        let limit = |current, wanted| {
            let it =
                limited(&spec(&Value::Null), &Past::default(), Sizes { current, least: 1, wanted }, at(0));
            (it.size, it.reason)
        };
        assert_eq!(limit(1, 10), (4, "ScaleUpLimit"));
        assert_eq!(limit(5, 30), (10, "ScaleUpLimit"));
        assert_eq!(limit(30, 60), (50, "TooManyReplicas"));
        assert_eq!(limit(3, 0), (1, "TooFewReplicas"));
        assert_eq!(limit(3, 4), (4, "DesiredWithinRange"));
    }

    #[test]
    fn rules_count_what_was_changed_within_their_period() {
        let rules = json!({"scaleUp": {"policies": [{"type": "Pods", "value": 3, "periodSeconds": 60},
            {"type": "Percent", "value": 50, "periodSeconds": 60}], "selectPolicy": "Max"},
            "scaleDown": {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}]}});
        let spec = spec(&rules);
        let past = Past { changes: vec![(at(50), 2)], ..Past::default() };
        let size = |current, wanted| {
            let it = limited(&spec, &past, Sizes { current, least: 1, wanted }, at(100));
            (it.size, it.reason)
        };
        assert_eq!(size(10, 40), (12, "ScaleUpLimit"), "from 8, by half");
        assert_eq!(size(4, 40), (5, "ScaleUpLimit"), "from 2, by three");
        assert_eq!(size(22, 2), (18, "ScaleDownLimit"), "from 20, by a tenth");
    }
}
