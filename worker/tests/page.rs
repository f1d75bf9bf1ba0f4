//! The suite on the page's main thread.

#![cfg(target_family = "wasm")]

#[path = "suite/suite.rs"]
mod suite;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
