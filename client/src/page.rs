//! What the client needs of the page it runs in, if any.

#[cfg(target_family = "wasm")]
mod browser;
#[cfg(not(target_family = "wasm"))]
mod inert;
mod url;

#[cfg(target_family = "wasm")]
pub(crate) use browser::{Frames, random_53_bits, resolve_url, sleep, soon, spawn};
#[cfg(all(test, not(target_family = "wasm")))]
pub(crate) use inert::run_due;
#[cfg(not(target_family = "wasm"))]
pub(crate) use inert::{Frames, random_53_bits, resolve_url, sleep, soon, spawn};
