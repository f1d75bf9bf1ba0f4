//! A WebSocket in a worker of gloo-worker.

#[cfg(target_family = "wasm")]
mod app {
    onesocket_bench_page::export!(onesocket_bench_page::relay::GlooWorker);
}

fn main() {}
