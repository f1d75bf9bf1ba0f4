//! What the desk knows of all trades.

use std::collections::VecDeque;

use crate::feed::{self, SYMBOLS, Trade};

/// The table.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) rows: Vec<Row>,
    pub(crate) trades: u64,
    /// Those whose numbers were passed over.
    pub(crate) missed: u64,
    next: Option<u64>,
}

/// One row of it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cents: i64,
    pub(crate) volume: u64,
    pub(crate) trades: u64,
    /// The points of its line, in a box of 100 by 24.
    pub(crate) line: String,
    opened: i64,
    history: VecDeque<i64>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            rows: (0..SYMBOLS.len()).map(Row::new).collect(),
            trades: 0,
            missed: 0,
            next: None,
        }
    }

    pub(crate) fn take(&mut self, trade: Trade) {
        self.trades += 1;
        // A tab may come when the feed has long begun, and each socket's feed begins at 0.
        let expected = self.next.unwrap_or(trade.number);
        self.missed += trade.number.saturating_sub(expected);
        self.next = Some(trade.number + 1);
        if let Some(row) = self.rows.get_mut(trade.row) {
            row.take(trade);
        }
    }
}

impl Row {
    fn new(row: usize) -> Self {
        let opened = feed::opened(row);
        Self {
            cents: opened,
            volume: 0,
            trades: 0,
            line: String::new(),
            opened,
            history: VecDeque::new(),
        }
    }

    fn take(&mut self, trade: Trade) {
        self.cents = trade.cents;
        self.volume += trade.volume;
        if self.trades.is_multiple_of(TRADES_PER_POINT) {
            let surplus = (self.history.len() + 1).saturating_sub(POINTS);
            self.history.drain(..surplus);
            self.history.push_back(trade.cents);
            self.line = line(&self.history);
        }
        self.trades += 1;
    }

    /// The change since the opening, in hundredths of a per cent.
    pub(crate) fn change(&self) -> i64 {
        (self.cents - self.opened) * 10_000 / self.opened
    }
}

/// Draws from the right: the newest price is always at the end of the box.
fn line(history: &VecDeque<i64>) -> String {
    let low = history.iter().min().copied().unwrap_or_default();
    let high = history.iter().max().copied().unwrap_or_default();
    let height = (high - low).max(1) as f64;
    let first = POINTS - history.len();
    let point = |(index, cents): (usize, &i64)| {
        let x = (first + index) as f64 * 100.0 / (POINTS - 1) as f64;
        let y = 22.0 - (cents - low) as f64 * 20.0 / height;
        format!("{x:.1},{y:.1}")
    };
    let points: Vec<_> = history.iter().enumerate().map(point).collect();
    points.join(" ")
}

const POINTS: usize = 48;
const TRADES_PER_POINT: u64 = 20;
