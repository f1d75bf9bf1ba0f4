//! A message as servers of prices send it, in JSON: 150 to 180 bytes of text.

use serde::{Deserialize, Serialize};

/// The state of one market.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticker {
    /// Counts from 0; tells whether one is missing or out of place.
    pub sequence: u64,
    /// What it is about.
    pub symbol: String,
    /// When it was made, in milliseconds since 1970.
    pub time: u64,
    /// The best price that is offered.
    pub bid: f64,
    /// For how much.
    pub bid_size: f64,
    /// The best price that is asked.
    pub ask: f64,
    /// For how much.
    pub ask_size: f64,
    /// The last price that was paid.
    pub last: f64,
    /// How much was sold today.
    pub volume: f64,
    /// How the price has changed today, in per cent.
    pub change: Option<f64>,
}

impl Ticker {
    /// The account of a page whose worker is to transcode them.
    pub const ACCOUNT: &str = "tickers-1";

    /// Makes the one with a number.
    #[must_use]
    pub fn numbered(number: u64) -> Self {
        let cents = |base: u64, step: u64| (base + number * step % 9_973) as f64 / 100.0;
        Self {
            sequence: number,
            symbol: "BTC-USD".to_owned(),
            time: START + number,
            bid: cents(6_412_300, 7),
            bid_size: cents(75, 11),
            ask: cents(6_412_400, 7),
            ask_size: cents(120, 13),
            last: cents(6_412_350, 7),
            volume: cents(1_823_344, 17),
            change: Some(cents(0, 3) - 50.0),
        }
    }

    /// Adds up every field: who has not read one gets another sum. In the order of the page in JavaScript, so that both round alike.
    #[must_use]
    pub fn sum(&self) -> f64 {
        // The whole time would be so large that cents are rounded away in the sum over all.
        let time = self.time as f64 - START as f64;
        let whole = self.sequence as f64 + time + self.symbol.len() as f64;
        let prices = self.bid + self.ask + self.last;
        let sizes = self.bid_size + self.ask_size + self.volume;
        whole + prices + sizes + self.change.unwrap_or_default()
    }
}

/// The time of the first, which `socket.js` knows too.
const START: u64 = 1_718_900_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_long_as_it_says() {
        for number in [0, 1, 99_999] {
            let json = serde_json::to_string(&Ticker::numbered(number)).unwrap();
            assert!((150..180).contains(&json.len()), "{json}: {}", json.len());
        }
    }
}
