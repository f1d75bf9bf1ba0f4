//! What the benchmark's server sends, and what every page in Rust does with it.

#[cfg(target_family = "wasm")]
pub mod page;
mod quote;
mod tally;

pub use quote::Quote;
pub use tally::{FrameTally, QuoteTally};
