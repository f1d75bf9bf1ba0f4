//! The small message: 200 bytes in postcard, each field at a fixed place, so that a page in JavaScript reads it by a `DataView` and pays for
//! nothing that a page in Rust does not.

use serde::{Deserialize, Serialize};

/// What the feed of a trading page could send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Counts from 0; tells whether one is missing or out of place.
    #[serde(with = "postcard::fixint::le")]
    pub number: u64,
    /// When it was made.
    pub time: f64,
    /// The best price that is offered.
    pub bid: f64,
    /// The best price that is asked.
    pub ask: f64,
    /// The next prices.
    pub levels: [f64; 20],
    /// What it is about.
    pub symbol: [u8; 8],
}

impl Quote {
    /// Its length in postcard.
    pub const BYTES: usize = 200;

    /// Makes the one with a number. All its numbers are whole, so that their sum is exact in any order.
    #[must_use]
    pub fn numbered(number: u64) -> Self {
        let bid = (number % 997) as f64;
        Self {
            number,
            time: number as f64,
            bid,
            ask: bid + 1.0,
            levels: core::array::from_fn(|level| ((number + level as u64) % 251) as f64),
            symbol: *b"ONESOCKT",
        }
    }

    /// Adds up every field: who has not read one gets another sum.
    #[must_use]
    pub fn sum(&self) -> f64 {
        let symbol: u32 = self.symbol.iter().map(|byte| u32::from(*byte)).sum();
        let levels: f64 = self.levels.iter().sum();
        self.number as f64 + self.time + self.bid + self.ask + levels + f64::from(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_where_the_pages_in_javascript_read_it() {
        let quote = Quote::numbered(0x0102_0304);
        let bytes = postcard::to_allocvec(&quote).unwrap();
        assert_eq!(bytes.len(), Quote::BYTES);
        assert_eq!(bytes[..8], quote.number.to_le_bytes());
        let at = |place: usize| f64::from_le_bytes(bytes[place..place + 8].try_into().unwrap());
        assert_eq!([at(8), at(16), at(24)], [quote.time, quote.bid, quote.ask]);
        assert_eq!([at(32), at(184)], [quote.levels[0], quote.levels[19]]);
        assert_eq!(bytes[192..], quote.symbol);
    }
}
