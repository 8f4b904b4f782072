//! What does an incident ask at its end?
//!
//! An incident gives no instructions: a symptom, and tools. It is over when what was broken works again *and* the
//! learner has named the cause together with an object that proves it (`lab explain CAUSE KIND/NAME`). Naming a wrong
//! cause costs nothing: the pane says what speaks against it, and one may look again.

use api::{FieldPath, SimDuration};
use serde_json::json;

use super::{
    Goal,
    check::Check,
    fields::{Errors, Fields},
};

/// The goal that an explanation meets; no goal of the file may have this id.
pub const EXPLAINED: &str = "explained";

/// How many causes there are to choose from: one right, four plausible.
const CAUSES: usize = 5;

/// What was wrong, and what proves it.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// What is to be seen at the start, and no longer at the end.
    pub symptom: Check,
    /// What may have caused it, in the prose's order.
    pub causes: Vec<String>,
    /// What did.
    pub cause: String,
    /// Objects that prove it, as `Subnet/pods-a`.
    pub evidence: Vec<String>,
}

impl Diagnosis {
    /// Reads `symptom`, `causes` and `evidence` of an incident.
    pub(super) fn read(fields: &mut Fields<'_>, errors: &mut Errors) -> Option<Self> {
        let at = fields.at("symptom");
        let symptom = fields.need("symptom", errors).and_then(|value| Check::read(value, &at, errors));
        let at = fields.at("causes");
        let mut inner = fields.need("causes", errors).and_then(|value| Fields::open(value, &at, errors))?;
        let causes = inner.texts("options", errors);
        let cause = inner.text("answer", errors);
        inner.close(errors);
        if causes.len() != CAUSES {
            errors.push(&at.field("options"), format!("{} causes, expected {CAUSES}", causes.len()));
        }
        if !causes.contains(&cause) {
            errors.unknown(&at.field("answer"), "cause", &cause, causes.iter().map(String::as_str));
        }
        let evidence = fields.texts("evidence", errors);
        if evidence.is_empty() {
            errors.push(&fields.at("evidence"), "nothing would prove the cause");
        }
        Some(Self { symptom: symptom?, causes, cause, evidence })
    }

    /// The goal that the right explanation meets.
    pub(super) fn goal(&self, errors: &mut Errors) -> Option<Goal> {
        let did =
            json!({"did": {"action": "explain", "cause": self.cause, "evidence": {"$in": self.evidence}}});
        let check = Check::read(&did, &FieldPath::of("causes"), errors)?;
        Some(Goal {
            id: EXPLAINED.to_owned(),
            check,
            after: None,
            once: true,
            hold: SimDuration::ZERO,
            from_start: false,
        })
    }

    /// Whether `cause` with `evidence` is the right explanation.
    #[must_use]
    pub fn is_right(&self, cause: &str, evidence: &str) -> bool {
        cause == self.cause && self.evidence.iter().any(|it| it == evidence)
    }
}
