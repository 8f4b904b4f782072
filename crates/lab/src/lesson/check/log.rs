//! What did the learner do that no object holds?

use std::collections::BTreeMap;

use api::SimTime;

/// Something the learner did that no object holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: SimTime,
    /// Such as `trace`, `select`, `answer`.
    pub action: String,
    /// With what.
    pub with: BTreeMap<String, String>,
}

/// Everything the learner did, and how much of it lay behind when each goal was met.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// In order.
    pub deeds: imbl::GenericVector<Deed, imbl::shared_ptr::RcK>,
    /// By goal: number of deeds before it was first met.
    pub marks: BTreeMap<String, usize>,
}

impl Log {
    /// The first answer to a question: an answer is locked once given.
    #[must_use]
    pub fn answer(&self, id: &str) -> Option<&str> {
        self.deeds
            .iter()
            .find(|deed| deed.action == "answer" && deed.with.get("id").is_some_and(|i| i == id))
            .and_then(|deed| deed.with.get("value"))
            .map(String::as_str)
    }

    /// The last explanation: cause and evidence. Unlike an answer it may be given again.
    #[must_use]
    pub fn explanation(&self) -> Option<(&str, &str)> {
        let deed = self.deeds.iter().rev().find(|deed| deed.action == "explain")?;
        Some((deed.with.get("cause")?, deed.with.get("evidence")?))
    }
}
