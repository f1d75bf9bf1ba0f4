//! The tests that need more than one crate: simulations, and suites in real browsers.

pub mod browser;
pub mod herd;
pub mod replay;
pub mod suite;
pub mod wasm_units;
