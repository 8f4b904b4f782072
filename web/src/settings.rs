//! What does this browser want: language, light, motion, and what it kept from last time?
//!
//! Storage may be blocked or full; then nothing new is kept, the page says so, and all else works.

use lab::words::Lang;
use std::collections::BTreeMap;

const PREFIX: &str = "podpath.";

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark ink on light ground.
    Light,
    /// Light ink on dark ground.
    Dark,
}

impl Theme {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Light,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

/// Whether this browser keeps anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// It does.
    Open,
    /// There is no room left for more.
    Full,
    /// It was told not to.
    Blocked,
}

/// What was chosen, here or by the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Language of the page.
    pub lang: Lang,
    /// Light or dark.
    pub theme: Theme,
    /// Whether nothing should travel.
    pub calm: bool,
    /// Whether this browser keeps anything.
    pub storage: Storage,
    /// Whether single letters are shortcuts.
    pub letters: bool,
}

fn prefers(query: &str) -> bool {
    gloo::utils::window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}

impl Settings {
    /// The address decides, then what was kept, then the system.
    #[must_use]
    pub fn read(query: &BTreeMap<String, String>) -> Self {
        let storage = keep("probe", "1");
        let asked = |name: &str| query.get(name).cloned().or_else(|| kept(name));
        let navigator = gloo::utils::window().navigator();
        let lang = match asked("lang").as_deref() {
            Some("ko") => Lang::Ko,
            Some("en") => Lang::En,
            _ => {
                Lang::of(&navigator.languages().iter().filter_map(|tag| tag.as_string()).collect::<Vec<_>>())
            }
        };
        let theme = match asked("theme").as_deref() {
            Some("dark") => Theme::Dark,
            Some("light") => Theme::Light,
            _ if prefers("(prefers-color-scheme: dark)") => Theme::Dark,
            _ => Theme::Light,
        };
        let calm = match query.get("motion").map(String::as_str) {
            Some("reduce") => true,
            _ => prefers("(prefers-reduced-motion: reduce)"),
        };
        let letters = kept("letters").as_deref() != Some("off");
        Self { lang, theme, calm, storage, letters }
    }

    /// Tells the style sheets and the readers.
    pub fn show(&self) {
        let document = gloo::utils::document();
        let Some(root) = document.document_element() else { return };
        // A root element takes attributes; if it did not, the page would only look like the system's choice.
        let _ = root.set_attribute("lang", self.lang.tag());
        let _ = root.set_attribute("data-theme", self.theme.name());
        if self.calm {
            let _ = root.set_attribute("data-motion", "reduce");
        }
    }

    /// Keeps a choice for next time.
    pub fn store(&self) {
        keep("lang", self.lang.tag());
        keep("theme", self.theme.name());
        keep("letters", if self.letters { "on" } else { "off" });
    }
}

/// This browser's storage, if it lets the page have it.
fn drawer() -> Option<web_sys::Storage> {
    gloo::utils::window().local_storage().ok().flatten()
}

/// What was kept under a name.
#[must_use]
pub fn kept(name: &str) -> Option<String> {
    drawer()?.get_item(&format!("{PREFIX}{name}")).ok().flatten()
}

/// Keeps a text under a name. What was kept there before stays if there is no room.
pub fn keep(name: &str, text: &str) -> Storage {
    match drawer().map(|drawer| drawer.set_item(&format!("{PREFIX}{name}"), text)) {
        None => Storage::Blocked,
        Some(Err(_)) => Storage::Full,
        Some(Ok(())) => Storage::Open,
    }
}

/// Keeps nothing under a name any longer.
pub fn forget(name: &str) {
    if let Some(drawer) = drawer() {
        // What cannot be removed was not kept.
        let _ = drawer.remove_item(&format!("{PREFIX}{name}"));
    }
}

/// Tells tests which world the page has reached.
pub fn mark_digest(digest: u64) {
    if let Some(root) = gloo::utils::document().document_element() {
        let _ = root.set_attribute("data-digest", &format!("{digest:016x}"));
    }
}

/// Marks the page as ready to be used, for tests and pictures.
pub fn mark_ready() {
    if let Some(root) = gloo::utils::document().document_element() {
        let _ = root.set_attribute("data-ready", "1");
    }
}
