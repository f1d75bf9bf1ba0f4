//! The signs of life of a connection's socket.

use onesocket_protocol::Millis;

use crate::Time;

#[derive(Debug)]
pub(super) struct Life {
    /// How long the answer to the last ping took.
    pub(super) round_trip: Option<Millis>,
    /// When a socket has last said something, or opened.
    pub(super) received: Time,
    /// When a socket was last handed something, or opened.
    pub(super) sent: Time,
    /// When a hint has last led to a ping or a dial.
    pub(super) woke: Option<Time>,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            round_trip: None,
            received: Time(0),
            sent: Time(0),
            woke: None,
        }
    }
}

impl Life {
    /// A socket has opened: both sides have been heard of just now.
    pub(super) fn begin(&mut self, now: Time) {
        self.received = now;
        self.sent = now;
    }
}
