//! The app's own worker binary: what an app writes that does not want the prebuilt one. It transcodes, and can be made to fail.

#[cfg(target_family = "wasm")]
mod quote;

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
    {
        use onesocket_worker::json_to_postcard;

        use crate::quote::{QUOTES, Quote};

        // ANCHOR: worker
        onesocket_worker::transcode(|link, payload| match link.account.as_str() {
            QUOTES => json_to_postcard::<Quote>(payload),
            _ => None,
        });
        onesocket_worker::serve();
        // ANCHOR_END: worker
    }
}
