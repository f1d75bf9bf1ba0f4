//! The model server: down for a while, then taking handshakes one after the other, as fast as it can.

use super::{Micros, SECOND};

/// What a server can take.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    /// Handshakes per second: TLS, authentication, the first query.
    pub handshakes_per_second: u64,
    /// Handshakes that may wait; one more is refused at once.
    pub backlog: u64,
}

/// What a handshake comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Refused,
    /// Served at that moment, if the client is still there. The work is done in any case: a server learns of a client that
    /// has given up when it writes to it.
    ServedAt(Micros),
}

#[derive(Debug)]
pub(super) struct Door {
    server: Server,
    closed_until: Micros,
    free_at: Micros,
}

impl Door {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            closed_until: 0,
            free_at: 0,
        }
    }

    pub(super) fn close_until(&mut self, at: Micros) {
        self.closed_until = at;
        self.free_at = at;
    }

    /// How long one handshake takes.
    pub(super) fn slot(&self) -> Micros {
        SECOND / self.server.handshakes_per_second
    }

    pub(super) fn knock(&mut self, now: Micros) -> Answer {
        let slot = self.slot();
        let waiting = self.free_at.saturating_sub(now) / slot;
        if now < self.closed_until || waiting >= self.server.backlog {
            return Answer::Refused;
        }
        self.free_at = self.free_at.max(now) + slot;
        Answer::ServedAt(self.free_at)
    }
}
