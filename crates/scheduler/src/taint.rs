//! Which taints does a pod tolerate?
//!
//! Source: `Toleration.ToleratesTaint` of `k8s.io/api/core/v1`, 1.34.

use api::k8s::core::v1::{Taint as WrittenTaint, Toleration as Written};

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Keeps new pods away.
    NoSchedule,
    /// Makes new pods look elsewhere first.
    PreferNoSchedule,
    /// Keeps new pods away and drives the others out.
    NoExecute,
}

/// A mark on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint {
    /// Such as `dedicated`.
    pub key: String,
    /// Such as `gpu`; may be empty.
    pub value: String,
    /// What it does.
    pub effect: Effect,
}

/// A pod's patience with taints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toleration {
    key: String,
    value: String,
    exists: bool,
    /// `None`: every effect.
    effect: Option<Effect>,
}

impl Effect {
    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Effect::NoSchedule => "NoSchedule",
            Effect::PreferNoSchedule => "PreferNoSchedule",
            Effect::NoExecute => "NoExecute",
        }
    }

    /// Reads an effect; `None` for a word that is none.
    #[must_use]
    pub fn of(text: &str) -> Option<Effect> {
        match text {
            "NoSchedule" => Some(Effect::NoSchedule),
            "PreferNoSchedule" => Some(Effect::PreferNoSchedule),
            "NoExecute" => Some(Effect::NoExecute),
            _ => None,
        }
    }
}

impl Taint {
    /// A taint as written; `None` for an effect that does not exist.
    #[must_use]
    pub fn of(taint: &WrittenTaint) -> Option<Taint> {
        let effect = Effect::of(&taint.effect)?;
        Some(Taint { key: taint.key.clone(), value: taint.value.clone().unwrap_or_default(), effect })
    }

    /// The mark that a cordoned node behaves as if it had.
    #[must_use]
    pub fn unschedulable() -> Taint {
        Taint {
            key: "node.kubernetes.io/unschedulable".to_owned(),
            value: String::new(),
            effect: Effect::NoSchedule,
        }
    }

    /// Whether it keeps new pods away.
    #[must_use]
    pub fn forbids(&self) -> bool {
        self.effect != Effect::PreferNoSchedule
    }
}

impl Toleration {
    /// A toleration as written; `None` for an operator or effect that does not exist, which tolerates nothing.
    #[must_use]
    pub fn of(written: &Written) -> Option<Toleration> {
        let exists = match written.operator.as_deref() {
            None | Some("" | "Equal") => false,
            Some("Exists") => true,
            Some(_) => return None,
        };
        let effect = match written.effect.as_deref() {
            None | Some("") => None,
            Some(text) => Some(Effect::of(text)?),
        };
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        Some(Toleration { key: text(&written.key), value: text(&written.value), exists, effect })
    }

    /// Whether it covers a taint.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.effect.is_none_or(|effect| effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && (self.exists || self.value == taint.value)
    }

    /// Whether it can matter for [`Effect::PreferNoSchedule`].
    #[must_use]
    pub fn softens(&self) -> bool {
        matches!(self.effect, None | Some(Effect::PreferNoSchedule))
    }
}

/// Whether one of the tolerations covers the taint.
#[must_use]
pub fn tolerated(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|it| it.tolerates(taint))
}
