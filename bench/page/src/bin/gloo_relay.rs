//! The worker behind `bench-gloo-worker`.

fn main() {
    #[cfg(target_family = "wasm")]
    {
        use gloo_worker::Registrable as _;

        onesocket_bench_page::relay::Relay::registrar().register();
    }
}
