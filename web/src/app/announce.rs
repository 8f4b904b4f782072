//! What do readers hear, and how often?
//!
//! One message in two seconds at most; what comes sooner waits, and what waited is said together. Eyes see the same text where the
//! page shows it. Source: WAI-ARIA live regions; a reader that is interrupted says nothing to its end.

/// Milliseconds between two messages.
const PAUSE: f64 = 2000.0;
/// Messages that are said together, at most; the oldest are the least worth.
const TOGETHER: usize = 4;

/// The polite voice of the page.
#[derive(Debug)]
pub struct Announcer {
    said: String,
    waiting: Vec<String>,
    last: f64,
}

impl Default for Announcer {
    fn default() -> Self {
        Self { said: String::new(), waiting: Vec::new(), last: f64::NEG_INFINITY }
    }
}

impl Announcer {
    /// What was said last.
    #[must_use]
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Takes a message at `now`, on the page's clock; says it at once, or gives the milliseconds until [`Self::due`] may.
    pub fn say(&mut self, message: impl Into<String>, now: f64) -> Option<f64> {
        let message = message.into();
        if !self.waiting.contains(&message) {
            self.waiting.push(message);
        }
        let spare = self.waiting.len().saturating_sub(TOGETHER);
        self.waiting.drain(..spare);
        self.due(now)
    }

    /// Says what waited, or gives the milliseconds that are left.
    pub fn due(&mut self, now: f64) -> Option<f64> {
        let left = self.last + PAUSE - now;
        if self.waiting.is_empty() || left > 0.0 {
            return (!self.waiting.is_empty()).then_some(left);
        }
        self.said = std::mem::take(&mut self.waiting).join(" · ");
        self.last = now;
        None
    }

    /// Forgets everything: another session is open.
    pub fn clear(&mut self) {
        self.said.clear();
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_within_two_seconds_is_said_together() {
        let mut voice = Announcer::default();
        assert_eq!(voice.say("a", 100.0), None);
        assert_eq!(voice.said(), "a");
        assert_eq!(voice.say("b", 600.0), Some(1500.0));
        assert_eq!(voice.say("c", 700.0), Some(1400.0));
        assert_eq!(voice.said(), "a");
        assert_eq!(voice.due(2100.0), None);
        assert_eq!(voice.said(), "b · c");
    }

    #[test]
    fn a_message_that_waits_already_is_said_once() {
        let mut voice = Announcer::default();
        voice.say("a", 0.0);
        voice.say("b", 1.0);
        voice.say("b", 2.0);
        voice.due(2000.0);
        assert_eq!(voice.said(), "b");
    }
}
