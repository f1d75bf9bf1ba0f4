//! What the open socket holds that has not gone to the network: told to whoever sends, so that a sender can wait.
//!
//! A signal and nothing else. A send that was handed to the socket is sent, and what comes next is handed over too.

use onesocket_protocol::{Millis, ToTab};

use super::{Ctx, EVERY, Link, Member, lifecycle::State};

/// What the socket that was opened last holds, as its host has last seen it.
#[derive(Debug, Default)]
pub(crate) struct Buffered {
    bytes: u32,
    last_wait: u32,
    /// Whether it has become less since that was last of interest.
    pub(super) has_fallen: bool,
}

impl Buffered {
    fn update(&mut self, bytes: u32) {
        self.has_fallen |= bytes < self.bytes;
        self.bytes = bytes;
        self.last_wait = FIRST_WAIT / 2;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Returns how long until the next look, if there is something to be seen: browsers have no event for a socket that drains.
    pub(super) fn next_wait(&mut self) -> Option<Millis> {
        if self.bytes == 0 {
            return None;
        }
        self.last_wait = (self.last_wait * 2).min(LONGEST_WAIT);
        Some(Millis(self.last_wait))
    }
}

impl Link {
    /// The host has seen another amount than before.
    pub(super) fn on_buffered(&mut self, ctx: &mut Ctx<'_>, bytes: u32) {
        self.buffered.update(bytes);
        self.watch(ctx);
        let channel = EVERY;
        self.tell_all(ctx, ToTab::Buffered { channel, bytes });
    }

    /// Returns whether the socket has passed something on since it was last asked: it lives, and an answer may have to wait behind the rest.
    pub(super) fn has_drained(&mut self) -> bool {
        core::mem::take(&mut self.buffered.has_fallen)
    }

    /// A channel sends for the first time, and was told nothing so far.
    pub(super) fn tell_buffered(&self, ctx: &mut Ctx<'_>, member: Member) {
        let bytes = self.buffered.bytes;
        if bytes > 0 && matches!(self.state, State::Open(_)) {
            let channel = member.channel;
            ctx.tell(member, &ToTab::Buffered { channel, bytes });
        }
    }
}

/// About a frame of the page, in milliseconds. It doubles for as long as nothing changes: what has hung for long is seen a little late.
const FIRST_WAIT: u32 = 16;

/// While a server reads nothing for minutes, looking costs about one timer a second.
const LONGEST_WAIT: u32 = 1024;
