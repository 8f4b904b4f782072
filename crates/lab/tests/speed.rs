//! The figures of what a learner waits for, inside a browser.
#![cfg(target_arch = "wasm32")]

use js_sys::Promise;
use lab::workload;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn every_figure_is_said() {
    let window = web_sys::window().expect("a window");
    let clock = window.performance().expect("a clock");
    let mut lines = 0;
    for line in workload::figures(move || clock.now() / 1e3) {
        console_log!("{line}");
        lines += 1;
        // The driver asks the page how it is, and gives up if it hears nothing for half a minute.
        let turn = Promise::new(&mut |done, _| drop(window.set_timeout_with_callback(&done)));
        JsFuture::from(turn).await.expect("a turn of the browser");
    }
    assert_eq!(lines, 11);
}
