//! The page on the server: Leptos on axum, as its users have it.

#[cfg(not(target_family = "wasm"))]
mod app;
#[cfg(not(target_family = "wasm"))]
mod serve;

#[cfg(not(target_family = "wasm"))]
fn main() -> std::io::Result<()> {
    serve::run()
}

#[cfg(target_family = "wasm")]
fn main() {}
