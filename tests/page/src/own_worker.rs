//! The app's own worker binary: what an app writes that does not want the prebuilt one.

fn main() {
    #[cfg(target_family = "wasm")]
    onesocket_worker::serve();
}
