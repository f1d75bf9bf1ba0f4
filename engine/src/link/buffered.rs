//! What the open socket holds that has not gone to the network: told to whoever sends, so that a sender can wait.
//!
//! A signal and nothing else. A send that was handed to the socket is sent, and what comes next is handed over too.

use onesocket_protocol::{Millis, ToTab};

use super::{Ctx, EVERY, Link, Member, lifecycle::State};

/// What an open socket holds, as its host has last seen it.
#[derive(Debug, Default)]
pub(crate) struct Buffered {
    bytes: u32,
    last_wait: u32,
}

impl Buffered {
    fn new(bytes: u32) -> Self {
        let last_wait = FIRST_WAIT / 2;
        Self { bytes, last_wait }
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
        let State::Open(open) = &mut self.state else {
            return;
        };
        open.buffered = Buffered::new(bytes);
        self.watch(ctx);
        let channel = EVERY;
        self.tell_all(ctx, ToTab::Buffered { channel, bytes });
    }

    /// A channel sends for the first time, and was told nothing so far.
    pub(super) fn tell_buffered(&self, ctx: &mut Ctx<'_>, member: Member) {
        if let State::Open(open) = &self.state
            && open.buffered.bytes > 0
        {
            let (channel, bytes) = (member.channel, open.buffered.bytes);
            ctx.tell(member, &ToTab::Buffered { channel, bytes });
        }
    }
}

/// About a frame of the page, in milliseconds. It doubles for as long as nothing changes: what has hung for long is seen a little late.
const FIRST_WAIT: u32 = 16;

/// While a server reads nothing for minutes, looking costs about one timer a second.
const LONGEST_WAIT: u32 = 1024;
