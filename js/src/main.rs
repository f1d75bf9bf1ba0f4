//! The npm package's wasm: one connection, whose messages are text or bytes, as the scripts in `js/npm` need it. What has the shape of
//! JavaScript (events, iterators, `Blob`s, the interface of `WebSocket`) is over there.

#[cfg(target_family = "wasm")]
mod auth;
#[cfg(target_family = "wasm")]
mod connection;
#[cfg(target_family = "wasm")]
mod listener;
#[cfg(target_family = "wasm")]
mod settings;

fn main() {}
