//! How fast the page is told, and how fast it shows: measured once a second.

use std::time::Duration;

use leptos::prelude::*;

/// One second.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub(crate) struct Rates {
    pub(crate) trades: u64,
    pub(crate) frames: u64,
    /// The longest time between two frames, in milliseconds.
    pub(crate) longest: u64,
}

/// Returns the rates of the last second.
pub(crate) fn use_rates(trades: impl Fn() -> u64 + 'static) -> ReadSignal<Rates> {
    let rates = RwSignal::new(Rates::default());
    let frames = StoredValue::new(Frames::begin());
    count(frames);
    let before = StoredValue::new(trades());
    let measure = move || {
        let trades = trades();
        let seen = frames
            .try_update_value(|frames| std::mem::replace(frames, Frames::begin()))
            .unwrap_or_else(Frames::begin);
        // A busy page's timer is late.
        let seconds = ((now() - seen.begun) / 1000.0).max(0.001);
        let per_second = |count: u64| (count as f64 / seconds).round() as u64;
        rates.set(Rates {
            // The count begins anew with another connection.
            trades: per_second(trades.saturating_sub(before.get_value())),
            frames: per_second(seen.count),
            longest: seen.longest.round() as u64,
        });
        before.set_value(trades);
    };
    if let Ok(interval) = set_interval_with_handle(measure, Duration::from_secs(1)) {
        on_cleanup(move || interval.clear());
    }
    rates.read_only()
}

/// The frames since a moment; times are milliseconds.
struct Frames {
    begun: f64,
    last: f64,
    count: u64,
    longest: f64,
}

impl Frames {
    fn begin() -> Self {
        let now = now();
        Self {
            begun: now,
            last: now,
            count: 0,
            longest: 0.0,
        }
    }

    fn add(&mut self) {
        let now = now();
        self.count += 1;
        self.longest = self.longest.max(now - self.last);
        self.last = now;
    }
}

/// Counts every frame, until whoever owns the count is gone.
fn count(frames: StoredValue<Frames>) {
    request_animation_frame(move || {
        if frames.try_update_value(Frames::add).is_some() {
            count(frames);
        }
    });
}

fn now() -> f64 {
    window()
        .performance()
        .map_or(0.0, |performance| performance.now())
}
