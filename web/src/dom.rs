//! What the page asks of the browser: where the focus is, how wide the window is, what a key belongs to.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

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

/// Puts the focus on the first element that a selector finds.
pub(crate) fn focus_first(selector: &str) {
    let found = gloo::utils::document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        // What cannot take focus leaves it where it was.
        let _ = element.focus();
    }
}

/// Whether a key belongs to a field in which one types, or to a control that has its own use for it.
pub(crate) fn typing(event: &KeyboardEvent) -> bool {
    let Some(element) = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok()) else {
        return false;
    };
    let field = element.closest("input, textarea, select, .code, [contenteditable]").ok().flatten().is_some();
    let pressing = matches!(event.key().as_str(), " " | "Enter")
        && element.closest("button, a").ok().flatten().is_some();
    field || pressing
}
