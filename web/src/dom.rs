//! What the page asks of the browser: where the focus is, how wide the window is, what a key belongs to.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent};

/// Width of the window, in CSS pixels.
pub(crate) fn window_width() -> f64 {
    gloo::utils::window().inner_width().ok().and_then(|w| w.as_f64()).unwrap_or(1440.0)
}

/// Puts the focus into the region with this id.
pub(crate) fn focus(id: &str) {
    focus_first(&format!("#{id} [tabindex='0'], #{id} button, #{id}[tabindex]"));
}

/// Shows the end of what scrolls.
pub(crate) fn scroll_down(selector: &str) {
    if let Some(element) = gloo::utils::document().query_selector(selector).ok().flatten() {
        element.set_scroll_top(element.scroll_height());
    }
}

/// Moves what scrolls sideways so that what it holds is in the middle.
pub(crate) fn centre(scrolling: &str, held: &str) {
    let find = |selector: &str| gloo::utils::document().query_selector(selector).ok().flatten();
    let (Some(outer), Some(inner)) = (find(scrolling), find(held)) else { return };
    let (frame, at) = (outer.get_bounding_client_rect(), inner.get_bounding_client_rect());
    let off = at.left() + at.width() / 2.0 - frame.left() - frame.width() / 2.0;
    // The browser keeps it within what there is to scroll.
    outer.set_scroll_left(outer.scroll_left() + off as i32);
}

/// Puts the focus on the first element that a selector finds.
pub(crate) fn focus_first(selector: &str) {
    let found = gloo::utils::document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        // What cannot take focus leaves it where it was.
        let _ = element.focus();
    }
}

/// Whether nothing in particular has the focus.
pub(crate) fn nothing_focused() -> bool {
    gloo::utils::document().active_element().is_none_or(|e| e.tag_name() == "BODY")
}

/// Where a key was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a field in which one types.
    Field,
    /// In the editor's text.
    Editor,
    /// On a control that has its own use for the key.
    Control,
    /// In the scene, its outline or the timeline, or nowhere in particular.
    Scene,
    /// Somewhere else on the page.
    Elsewhere,
}

impl Place {
    /// Whether a key was pressed in the command line while nothing stands there.
    pub(crate) fn is_empty_command(event: &KeyboardEvent) -> bool {
        let field = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
        field.is_some_and(|field| field.id() == "command" && field.value().is_empty())
    }

    /// Where this key was pressed.
    pub(crate) fn of(event: &KeyboardEvent) -> Self {
        let Some(element) = event.target().and_then(|t| t.dyn_into::<Element>().ok()) else {
            return Place::Scene;
        };
        let within = |selector: &str| element.closest(selector).ok().flatten().is_some();
        if within(".code") {
            // From outside, what happens within the editor's shadow root happens to its host.
            let inner = event.composed_path().get(0);
            return if inner == *AsRef::<wasm_bindgen::JsValue>::as_ref(&element) {
                Place::Elsewhere
            } else {
                Place::Editor
            };
        }
        if within("input, textarea, select, [contenteditable]") {
            return Place::Field;
        }
        if matches!(event.key().as_str(), " " | "Enter") && within("button, a, summary") {
            return Place::Control;
        }
        let scene = within(".stage, #decision, #outline, #timeline, .scrub");
        if scene || matches!(element.tag_name().as_str(), "BODY" | "HTML") {
            Place::Scene
        } else {
            Place::Elsewhere
        }
    }
}

/// The address of a file that is loaded late, under whatever name it was given.
pub(crate) fn asset_address(name: &str) -> Option<String> {
    let link = gloo::utils::document().query_selector(&format!("link[data-asset='{name}']")).ok().flatten();
    link.and_then(|link| link.get_attribute("href"))
}
