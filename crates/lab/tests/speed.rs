//! The figures of what a learner waits for, inside a browser.
#![cfg(target_arch = "wasm32")]

use lab::workload;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn every_figure_is_said() {
    let clock = web_sys::window().and_then(|it| it.performance()).expect("a clock");
    let mut lines = 0;
    workload::figures(
        || clock.now() / 1e3,
        |line| {
            console_log!("{line}");
            lines += 1;
        },
    );
    assert_eq!(lines, 11);
}
