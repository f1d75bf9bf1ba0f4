//! The app's own worker binary: what an app writes that does not want the prebuilt one. It can be made to fail.

#[cfg(target_family = "wasm")]
mod faults {
    #![expect(unreachable_pub, reason = "wasm-bindgen exports public items")]

    use wasm_bindgen::prelude::wasm_bindgen;

    /// What a bug does that Rust finds.
    #[wasm_bindgen]
    pub fn fail_by_panic() {
        panic!("told to panic");
    }

    /// What a bug does that only the machine finds.
    #[wasm_bindgen]
    pub fn fail_by_trap() {
        core::arch::wasm32::unreachable();
    }
}

fn main() {
    #[cfg(target_family = "wasm")]
    onesocket_worker::serve();
}
