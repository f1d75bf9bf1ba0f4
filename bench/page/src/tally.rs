//! Shows whether everything has come, once, in order and undamaged.

use crate::{Quote, Ticker};

/// What became of numbered quotes, or tickers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct QuoteTally {
    /// How many.
    pub count: u64,
    /// How many had another number than the one that was due.
    pub misplaced: u64,
    /// The sum over all fields of all.
    pub sum: f64,
}

impl QuoteTally {
    /// Takes the next one.
    pub fn take(&mut self, quote: &Quote) {
        self.take_numbered(quote.number, quote.sum());
    }

    /// Takes the next one of JSON.
    pub fn take_ticker(&mut self, ticker: &Ticker) {
        self.take_numbered(ticker.sequence, ticker.sum());
    }

    fn take_numbered(&mut self, number: u64, sum: f64) {
        self.misplaced += u64::from(number != self.count);
        self.count += 1;
        self.sum += sum;
    }

    /// What it must be after so many.
    #[must_use]
    pub fn expected(count: u64) -> Self {
        let mut tally = Self::default();
        (0..count).for_each(|number| tally.take(&Quote::numbered(number)));
        tally
    }

    /// What it must be after so many of JSON.
    #[must_use]
    pub fn expected_tickers(count: u64) -> Self {
        let mut tally = Self::default();
        (0..count).for_each(|number| tally.take_ticker(&Ticker::numbered(number)));
        tally
    }
}

/// What became of numbered large frames: the number in the first eight bytes, then the place of each byte, of which one in
/// [`STRIDE`](Self::STRIDE) is read; reading all would measure the loop that does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FrameTally {
    /// How many.
    pub count: u64,
    /// How many had another number than the one that was due.
    pub misplaced: u64,
    /// The sum of the bytes that were read.
    pub sum: f64,
}

impl FrameTally {
    /// How far apart the bytes are that are read: one in each page of memory. No power of two, so that they differ.
    pub const STRIDE: usize = 4093;

    /// Takes the next one.
    pub fn take(&mut self, frame: &[u8]) {
        let number = frame.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        self.misplaced += u64::from(number != Some(self.count));
        self.count += 1;
        let read = frame.iter().skip(8).step_by(Self::STRIDE);
        self.sum += read.map(|byte| f64::from(*byte)).sum::<f64>();
    }

    /// What it must be after so many of a size.
    #[must_use]
    pub fn expected(count: u64, size: usize) -> Self {
        let mut frame = Self::frame(size);
        let mut tally = Self::default();
        for number in 0..count {
            frame[..8].copy_from_slice(&number.to_le_bytes());
            tally.take(&frame);
        }
        tally
    }

    /// The first frame of a size.
    #[must_use]
    pub fn frame(size: usize) -> Vec<u8> {
        let mut frame: Vec<u8> = (0..size.max(8)).map(|place| place as u8).collect();
        frame[..8].fill(0);
        frame
    }
}
