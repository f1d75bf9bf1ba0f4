//! What page and worker agree on: a message of a server that speaks JSON, and the name by which its shape is known.

use serde::{Deserialize, Serialize};

/// Part of the account. It changes whenever `Quote` does.
pub(crate) const QUOTES: &str = "quotes-1";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quote {
    symbol: String,
    bid: f64,
    levels: Vec<u32>,
}
