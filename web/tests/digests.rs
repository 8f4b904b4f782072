//! Does the page see the same worlds as the binary?
//!
//! Every lesson's solution is played here, in WASM; how it ends is compared with what the native binary said a moment ago,
//! which `cargo verify` hands over in `PODPATH_DIGESTS`.

#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::wasm_bindgen_test;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn every_solution_ends_as_it_does_natively() {
    let native = option_env!("PODPATH_DIGESTS").expect("run by `cargo verify` or `cargo xtask test-web`");
    let digests = lab::lesson::rules::digests();
    assert!(!digests.is_empty(), "no lesson was carried into the page");
    let here: Vec<String> = digests.iter().map(|(slug, digest)| format!("{slug} {digest:016x}")).collect();
    assert_eq!(here, native.lines().collect::<Vec<_>>());
}
