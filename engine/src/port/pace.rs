//! When a tab is posted messages.

use onesocket_protocol::{Millis, Pace, limits};

use crate::Time;

/// Counts what a tab was posted in the interval that runs.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    pace: Pace,
    since: Time,
    messages: u32,
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
        let holds =
            now < end && self.messages >= self.pace.burst && bytes < limits::MAX_PACED_BYTES;
        holds.then_some(end)
    }

    /// Counts messages that are posted.
    pub(crate) fn count(&mut self, now: Time, messages: u32) {
        if now >= self.end() {
            self.since = now;
            self.messages = 0;
        }
        self.messages = self.messages.saturating_add(messages);
    }

    /// Begins to count anew: a tab that has said something may wait for the answer.
    pub(crate) fn reset(&mut self) {
        self.messages = 0;
    }

    fn end(&self) -> Time {
        self.since.after(self.pace.interval)
    }
}
