//! Which long texts may come after the program?
//!
//! What the API's fields mean and what kubectl's help says is long, seldom read, and the same for everybody. A program carries such
//! texts; a page brings each when it is first asked for. An [`Asset`] is the one door to one of them.
//! INVARIANT: no answer is kept that was made while a text was missing. Whoever keeps answers (a session) forgets what was missed
//! before it asks, looks again after, and has the whole thing done once more when the text is there.
//!
//! ```
//! use api::asset::Asset;
//! static WORDS: Asset = Asset::brought("words");
//! assert_eq!((WORDS.text(), WORDS.is_missed()), ("", true));
//! WORDS.bring("once upon a time".to_owned());
//! assert_eq!((WORDS.text(), WORDS.is_missed()), ("once upon a time", false));
//! ```

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

/// A long text that may come after the program.
#[derive(Debug)]
pub struct Asset {
    /// What it is called where it is kept: the name of a file, without an ending.
    pub name: &'static str,
    carried: Option<&'static str>,
    brought: OnceLock<String>,
    missed: AtomicBool,
}

impl Asset {
    /// A text that the program carries.
    #[must_use]
    pub const fn carried(name: &'static str, text: &'static str) -> Self {
        Self { name, carried: Some(text), brought: OnceLock::new(), missed: AtomicBool::new(false) }
    }

    /// A text that somebody brings.
    #[must_use]
    pub const fn brought(name: &'static str) -> Self {
        Self { name, carried: None, brought: OnceLock::new(), missed: AtomicBool::new(false) }
    }

    /// The text. It is empty while it is missing, and that is noted.
    pub fn text(&self) -> &str {
        let text = self.carried.or_else(|| self.brought.get().map(String::as_str));
        if text.is_none() {
            self.missed.store(true, Ordering::Relaxed);
        }
        text.unwrap_or_default()
    }

    /// Whether the text is there.
    pub fn is_here(&self) -> bool {
        self.carried.is_some() || self.brought.get().is_some()
    }

    /// Brings the text. One that is there stays as it is.
    pub fn bring(&self, text: String) {
        // It is the same text: the build that made the program made it.
        let _ = self.brought.set(text);
    }

    /// Whether somebody asked for the text since [`Asset::forget`], and it still is not there.
    pub fn is_missed(&self) -> bool {
        !self.is_here() && self.missed.load(Ordering::Relaxed)
    }

    /// Forgets who asked so far.
    pub fn forget(&self) {
        self.missed.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carried_text_is_never_missed() {
        static WORDS: Asset = Asset::carried("words", "here");
        assert_eq!((WORDS.text(), WORDS.is_missed()), ("here", false));
    }

    #[test]
    fn who_asked_is_forgotten_when_somebody_says_so() {
        static WORDS: Asset = Asset::brought("words");
        assert!(!WORDS.is_missed(), "nobody asked");
        let _ = WORDS.text();
        assert!(WORDS.is_missed());
        WORDS.forget();
        assert!(!WORDS.is_missed());
    }
}
