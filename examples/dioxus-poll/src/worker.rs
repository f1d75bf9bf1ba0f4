//! The worker, as an app brings its own: Trunk builds it beside the page.

fn main() {
    #[cfg(target_family = "wasm")]
    onesocket_worker::serve();
}
