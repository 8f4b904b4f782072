//! What if the page itself breaks?
//!
//! A panic, or a trap without one, ends the WebAssembly module: nothing of it can be called again. So what is to be shown then is
//! handed over beforehand: the words, and a link to the session as it was after the last command. `boot.js` hears of the failure
//! and shows them; the page as it was last drawn stays below.

use js_sys::{Object, Reflect};
use lab::words::Ui;
use wasm_bindgen::JsValue;

/// What `boot.js` and the page share.
fn shared() -> Option<JsValue> {
    Reflect::get(&js_sys::global(), &"podpath".into()).ok().filter(JsValue::is_object)
}

fn hand_over(name: &str, value: &JsValue) {
    if let Some(shared) = shared() {
        // Without `boot.js` nobody would listen.
        let _ = Reflect::set(&shared, &name.into(), value);
    }
}

/// Hands over the address of the session as it is now.
pub fn remember(link: &str) {
    hand_over("link", &link.into());
}

/// Hands over the words of the page's language.
pub fn speak(ui: &Ui) {
    let words = Object::new();
    for (name, text) in [("crashed", ui.crashed), ("reload", ui.reopen), ("link", ui.copy_by_hand)] {
        let _ = Reflect::set(&words, &name.into(), &text.into());
    }
    hand_over("words", &words);
}
