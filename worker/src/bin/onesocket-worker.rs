//! The prebuilt generic worker: `cargo xtask build` wraps it in the prelude and the start of `worker/js`.

/// Less than half of the wasm of the standard library's allocator. An app's own binary chooses its own.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf = rlsf::GlobalTlsf::new();

fn main() {
    onesocket_worker::serve();
}
