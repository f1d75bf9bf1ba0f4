//! gloo-net in the page: what an app in Rust has without this library.

#[cfg(target_family = "wasm")]
mod app {
    onesocket_bench_page::export!(onesocket_bench_page::path::GlooNet);
}

fn main() {}
