//! When a tab is posted messages.

use onesocket_protocol::{Millis, Pace, limits};

use crate::Time;

/// Counts what a tab was posted in the interval that runs.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    pace: Pace,
    since: Time,
    messages: u32,
    /// Whether the interval before was busy.
    is_busy: bool,
    /// What comes is not a burst, whose first messages are to be there at once, but goes on and on.
    is_stream: bool,
}

impl Pacer {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            pace,
            ..Self::default()
        }
    }

    pub(crate) fn set(&mut self, pace: Pace) {
        self.pace = pace;
    }

    pub(crate) fn since(&self) -> Time {
        self.since
    }

    pub(crate) fn interval(&self) -> Millis {
        self.pace.interval
    }

    /// Returns until when so many bytes of messages have to wait.
    pub(crate) fn holds(&self, now: Time, bytes: usize) -> Option<Time> {
        let end = self.end();
        let is_spent = self.is_stream || self.messages >= self.pace.burst;
        let holds = now < end && is_spent && bytes < limits::MAX_PACED_BYTES;
        holds.then_some(end)
    }

    /// Counts messages that are posted.
    pub(crate) fn count(&mut self, now: Time, messages: u32) {
        self.messages = self.messages.saturating_add(messages);
        let end = self.end();
        if now >= end {
            let was_busy = self.is_busy;
            self.is_busy =
                self.messages >= self.pace.burst / 2 && now < end.after(self.pace.interval);
            self.is_stream = was_busy && self.is_busy;
            self.since = now;
            // What has waited for the end of an interval belongs to it.
            self.messages = if self.is_stream { 0 } else { messages };
        }
    }

    /// Begins to count anew: a tab that has said something may wait for the answer. One behind a burst is not told from the rest.
    pub(crate) fn reset(&mut self) {
        self.messages = 0;
        self.is_busy = false;
        self.is_stream = false;
    }

    fn end(&self) -> Time {
        self.since.after(self.pace.interval)
    }
}
