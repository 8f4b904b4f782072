//! Going from one decision to another in the table.
//!
//! The page goes to the moment of the decision that is looked at, so that everything on it tells of the same; closing the
//! table leads back to where one was.

use api::SimTime;
use yew::Context;

use super::App;

/// A decision that was turned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The fact that it is.
    pub fact: u64,
    /// Its moment.
    at: SimTime,
    /// The moment that was seen before one began to turn.
    from: SimTime,
}

impl App {
    /// Turns to a decision.
    pub(super) fn look(&mut self, context: &Context<Self>, fact: u64) {
        let Some((at, decision)) = self.desk.decision_of(fact) else { return };
        let from = self.looked.map_or(self.desk.at, |it| it.from);
        self.tried.clear();
        self.desk.seek(at);
        self.selected = Some(format!("Pod/{}", decision.pod));
        self.decision = true;
        self.looked = Some(Looked { fact, at, from });
        let end =
            decision.node.clone().unwrap_or_else(|| self.settings.lang.outcome(decision.outcome).to_owned());
        self.say(context, format!("{}: {end}", decision.pod));
    }

    /// Closes the table, and goes back to the moment that was seen before one turned to other decisions.
    pub(super) fn close_decision(&mut self) -> bool {
        self.tried.clear();
        if let Some(looked) = self.looked.take().filter(|it| it.at == self.desk.at) {
            self.desk.seek(looked.from);
        }
        std::mem::take(&mut self.decision)
    }
}
