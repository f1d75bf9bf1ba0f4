//! The loop inside a worker that gloo registers.

fn main() {
    #[cfg(target_family = "wasm")]
    {
        use gloo_worker::Registrable as _;
        use onesocket_worker::gloo::{OneSocketWorker, Postcard};

        OneSocketWorker::registrar()
            .encoding::<Postcard>()
            .register();
    }
}
