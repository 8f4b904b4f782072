//! What does it say, in which language?
//!
//! One folder per language. Sentences are made from the data of [`crate::view`] and nowhere else; terms that engineers
//! say in English stay English, and API words are never translated.

pub mod en;
pub mod ko;
pub mod path;
mod ui;

pub use ui::Ui;

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lang {
    /// Korean.
    Ko,
    /// English.
    En,
}

impl Lang {
    /// The first of some preferences that the page speaks; English if it speaks none.
    #[must_use]
    pub fn of(preferences: &[String]) -> Self {
        preferences
            .iter()
            .find_map(|tag| match tag.split('-').next() {
                Some("ko") => Some(Lang::Ko),
                Some("en") => Some(Lang::En),
                _ => None,
            })
            .unwrap_or(Lang::En)
    }

    /// As in `lang` attributes.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Ko => "ko",
            Lang::En => "en",
        }
    }

    /// The short texts.
    #[must_use]
    pub fn ui(self) -> &'static Ui {
        match self {
            Lang::Ko => &ko::ui::UI,
            Lang::En => &en::ui::UI,
        }
    }

    /// One of two texts.
    #[must_use]
    pub fn pick<T>(self, korean: T, english: T) -> T {
        match self {
            Lang::Ko => korean,
            Lang::En => english,
        }
    }
}

/// Puts a value into a text's `{}`.
#[must_use]
pub fn fill(text: &str, value: impl std::fmt::Display) -> String {
    text.replacen("{}", &value.to_string(), 1)
}

/// How old the oldest of some waiting things is.
#[must_use]
pub fn seconds(ui: &Ui, secs: u64) -> String {
    let age = if secs < 120 { fill(ui.seconds, secs) } else { fill(ui.whole_minutes, secs / 60) };
    fill(ui.oldest, age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_the_page_speaks_wins() {
        let of = |tags: &[&str]| Lang::of(&tags.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["ja", "ko-KR", "en"]), Lang::Ko);
        assert_eq!(of(&["fr"]), Lang::En);
    }

    #[test]
    fn a_value_takes_the_place_of_the_braces() {
        assert_eq!(fill(Lang::En.ui().minutes, 8), "~8 min");
    }
}
