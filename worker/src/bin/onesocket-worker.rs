//! The prebuilt generic worker: `cargo xtask build` wraps it in the prelude and the start of `worker/js`.

// The standard library's way to a `main` gives the main thread a name and a number, which nobody asks for here.
#![cfg_attr(target_family = "wasm", no_main)]

/// Less than half of the wasm of the standard library's allocator. An app's own binary chooses its own.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf<Growth> = rlsf::GlobalTlsf::new();

/// What grows is copied, even where it could grow in place: buffers double, and the outboxes use theirs again.
#[cfg(target_family = "wasm")]
struct Growth;

#[cfg(target_family = "wasm")]
impl rlsf::GlobalTlsfOptions for Growth {
    const ENABLE_REALLOCATION: bool = false;
}

#[cfg_attr(target_family = "wasm", wasm_bindgen::prelude::wasm_bindgen(start))]
fn main() {
    onesocket_worker::serve();
}
