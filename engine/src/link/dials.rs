//! What a connection remembers of its dials, by which the next one is timed.

use onesocket_protocol::Millis;

use crate::Time;

#[derive(Debug)]
pub(super) struct Dials {
    /// How many there were.
    pub(super) count: u32,
    /// When the last was, bare ones not counted.
    pub(super) last: Option<Time>,
    /// How many in a row have failed, or led to a socket that did not stay open.
    pub(super) attempt: u32,
    /// How many, bare ones not counted, there were since a socket was stable.
    pub(super) fruitless: u32,
    /// Whether any has ever led to an open socket.
    pub(super) was_open: bool,
    /// Whether the last that opened a socket had none of the subprotocols, and no bare one has failed since.
    pub(super) are_subprotocols_refused: bool,
    /// The server has asked not to be dialled before this.
    pub(super) not_before: Option<Time>,
    /// Over how long the next is spread at least: until a socket is stable again, because whoever has lost one is not alone.
    pub(super) spread: Millis,
    /// When the one that a tab has asked for was begun, or is searched a credential for, or was asked for.
    pub(super) requested: Option<Time>,
}

impl Default for Dials {
    fn default() -> Self {
        Self {
            count: 0,
            last: None,
            attempt: 0,
            fruitless: 0,
            was_open: false,
            are_subprotocols_refused: false,
            not_before: None,
            spread: Millis(0),
            requested: None,
        }
    }
}

impl Dials {
    /// The next one is the first, and nothing is held against the server.
    pub(super) fn begin_anew(&mut self, spread: Millis) {
        self.attempt = 0;
        self.fruitless = 0;
        self.spread = spread;
    }

    /// What has failed before a sleep, or on the network before, says nothing about now, and the network often is up some seconds behind the wake: those seconds
    /// are not to become a long wait. What a policy grants stays counted, as does the spread: a herd is not over because a client of it was away.
    pub(super) fn forgive(&mut self) {
        self.attempt = 0;
    }
}
