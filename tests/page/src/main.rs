//! The page that the browser suite drives: the library's own API, called from JavaScript by the names of clients.

#[cfg(target_family = "wasm")]
mod api;
#[cfg(target_family = "wasm")]
mod config;
#[cfg(target_family = "wasm")]
mod gloo;
#[cfg(target_family = "wasm")]
mod heap;
#[cfg(target_family = "wasm")]
mod quote;
#[cfg(target_family = "wasm")]
mod report;
#[cfg(target_family = "wasm")]
mod seen;

fn main() {}
