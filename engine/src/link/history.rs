//! The last messages of the open socket, for tabs that join later.

use onesocket_protocol::{Payload, Replay, limits};

use crate::Fifo;

/// Keeps nothing until a tab has asked for a replay.
#[derive(Debug, Default)]
pub(crate) struct History {
    entries: Fifo<Payload>,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

impl History {
    /// Keeps at least as much as this replay asks for, from now on.
    pub(crate) fn grow(&mut self, replay: &Replay) {
        if let Replay::Last { messages, bytes } = replay {
            self.max_messages = self
                .max_messages
                .max((*messages).min(limits::MAX_REPLAY_MESSAGES) as usize);
            self.max_bytes = self
                .max_bytes
                .max((*bytes).min(limits::MAX_REPLAY_BYTES) as usize);
        }
    }

    /// Whether some replay has asked for messages.
    pub(crate) fn is_kept(&self) -> bool {
        self.max_messages > 0
    }

    /// Whether it would keep a message of this length.
    pub(crate) fn keeps(&self, len: usize) -> bool {
        self.is_kept() && len <= self.max_bytes
    }

    pub(crate) fn push(&mut self, payload: &Payload) {
        if self.is_kept() {
            self.keep(payload);
        }
    }

    #[inline(never)]
    fn keep(&mut self, payload: &Payload) {
        if payload.len() > self.max_bytes {
            // What can't be kept interrupts the row: a replay without it would have a hole.
            self.clear();
            return;
        }
        self.bytes += payload.len();
        self.entries.push(payload.clone());
        while self.entries.len() > self.max_messages || self.bytes > self.max_bytes {
            if let Some(oldest) = self.entries.pop() {
                self.bytes -= oldest.len();
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// Returns the newest messages that fit, oldest first.
    pub(crate) fn last(&self, messages: u32, bytes: u32) -> impl Iterator<Item = &Payload> {
        let mut left = bytes as usize;
        let fitting = self
            .entries
            .iter()
            .rev()
            .take(messages as usize)
            .take_while(|payload| {
                let fits = payload.len() <= left;
                left = left.saturating_sub(payload.len());
                fits
            });
        let count = fitting.count();
        self.entries.iter().skip(self.entries.len() - count)
    }
}
