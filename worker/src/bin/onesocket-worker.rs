//! The prebuilt generic worker: `cargo xtask build` wraps it in the prelude and the start of `worker/js`.

fn main() {
    onesocket_worker::serve();
}
