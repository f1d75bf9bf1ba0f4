//! The page in the browser: it takes over what the server has rendered.

#[cfg(target_family = "wasm")]
mod app;

// ANCHOR: hydrate
/// Called by the script that the server puts into the page.
#[cfg(target_family = "wasm")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(app::App);
}
// ANCHOR_END: hydrate

fn main() {}
