//! The figures of the workload, inside a browser.
#![cfg(target_arch = "wasm32")]

use scheduler::workload;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Bytes of a page of WASM memory.
const PAGE: usize = 1 << 16;

#[wasm_bindgen_test]
fn every_figure_is_said() {
    let clock = web_sys::window().and_then(|it| it.performance()).expect("a clock");
    let held = || Some(core::arch::wasm32::memory_size(0) * PAGE);
    let mut lines = 0;
    workload::figures(
        || clock.now() / 1e3,
        held,
        |line| {
            console_log!("{line}");
            lines += 1;
        },
    );
    assert_eq!(lines, 10);
}
