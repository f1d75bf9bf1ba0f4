//! The Rust of the book in `docs`, compiled. A chapter names the lines it shows by their `ANCHOR`; `cargo xtask tidy` compares both.

#![expect(
    missing_docs,
    missing_debug_implementations,
    reason = "a snippet says what it is in the chapter that shows it"
)]

pub mod authentication;
pub mod debugging;
pub mod delivery;
pub mod deploying;
pub mod faq;
pub mod migrating;
pub mod names;
pub mod pace;
pub mod sharing;
pub mod start;
pub mod tiers;
