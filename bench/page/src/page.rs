//! What both pages need of the browser.

use std::fmt::Write as _;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{FrameTally, Quote, QuoteTally, SAMPLED, Ticker};

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since the page was loaded.
    #[wasm_bindgen(js_namespace = performance)]
    pub fn now() -> f64;
}

/// What a run has received, in either kind.
#[derive(Debug, Clone, Default)]
pub struct Received {
    quotes: QuoteTally,
    frames: FrameTally,
    /// When each quote of [`SAMPLED`] came.
    seen: Vec<f64>,
}

impl Received {
    /// Takes a decoded quote.
    pub fn quote(&mut self, quote: &Quote) {
        if quote.number.is_multiple_of(SAMPLED.into()) {
            self.seen.push(now());
        }
        self.quotes.take(quote);
    }

    /// Takes a decoded ticker.
    pub fn ticker(&mut self, ticker: &Ticker) {
        self.quotes.take_ticker(ticker);
    }

    /// Takes a large frame.
    pub fn frame(&mut self, frame: &[u8]) {
        self.frames.take(frame);
    }

    /// How many of either kind.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.quotes.count + self.frames.count
    }

    /// The report of a run, as JSON.
    #[must_use]
    pub fn report(&self, ms: f64) -> String {
        let misplaced = self.quotes.misplaced + self.frames.misplaced;
        let sum = self.quotes.sum + self.frames.sum;
        let mut report = String::new();
        // Writing into a string does not fail.
        let _ = write!(
            report,
            r#"{{"ms":{ms},"count":{},"misplaced":{misplaced},"sum":{sum},"seen":{:?}}}"#,
            self.count(),
            self.seen
        );
        report
    }
}
