//! What the benchmark's server sends, and what every page in Rust does with it.

#[cfg(target_family = "wasm")]
pub mod events;
#[cfg(target_family = "wasm")]
pub mod page;
#[cfg(target_family = "wasm")]
pub mod path;
mod quote;
#[cfg(target_family = "wasm")]
pub mod relay;
mod tally;
mod ticker;

pub use quote::Quote;
pub use tally::{FrameTally, QuoteTally};
pub use ticker::Ticker;

/// When each message of so many has come is noted by a page.
pub const SAMPLED: u32 = 100;

/// What the server pings with, in a message of its own.
pub const PING: [u8; 1] = [9];

/// What it is to be answered.
pub const PONG: [u8; 1] = [10];
