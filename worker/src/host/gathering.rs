//! When messages of a stream are gathered before the engine sees them.
//!
//! While every tab has a batch in flight, or one that waits for its pace, a message can't be passed on. So those of a stream are left
//! to the prelude, in the page to the browser, which keep them without a call of wasm, until the next input or for a few milliseconds. A lone
//! message, or the first ones of a burst, are never in there: they go to the engine at once.

use std::cell::Cell;

use onesocket_engine::{Engine, Gathered, Input, Time};
use onesocket_protocol::Pace;

use super::Inner;

/// How many messages have come lately, of all sockets.
#[derive(Debug, Default)]
pub(super) struct Stream {
    since: Cell<Time>,
    messages: Cell<usize>,
    /// Whether the window before this one was a stream's.
    was_busy: Cell<bool>,
    is_gathered: Cell<bool>,
}

impl Stream {
    fn count(&self, messages: usize) {
        self.messages.set(self.messages.get() + messages);
    }

    /// Returns until when messages may be gathered, while there is a stream of them.
    fn until(&self, now: Time) -> Option<Time> {
        let is_busy = self.messages.get() >= BUSY;
        if now.0 >= self.since.get().0 + WINDOW_MILLIS {
            self.since.set(now);
            self.messages.set(0);
            self.was_busy.set(is_busy);
        }
        let end = Time(self.since.get().0 + WINDOW_MILLIS);
        (is_busy || self.was_busy.get()).then_some(end)
    }
}

impl Inner {
    /// Puts what was gathered into the inbox: it came before whatever comes now.
    pub(super) fn take_gathered(&self) {
        if self.stream.is_gathered.get() {
            self.take_all_gathered();
        }
    }

    #[inline(never)]
    fn take_all_gathered(&self) {
        for (id, socket) in self.sockets.borrow().iter() {
            socket.take_gathered(*id, |input| self.inbox.borrow_mut().push(input));
        }
    }

    pub(super) fn count_received(&self, input: &Input) {
        self.stream.count(match input {
            Input::Received { .. } | Input::ReceivedParcel { .. } => 1,
            Input::Gathered { gathered, .. } => gathered.iter().map(count).sum(),
            _ => return,
        });
    }

    /// Begins to gather, or ends it, and returns when the timer has to ring.
    pub(super) fn gather(
        &self,
        engine: &Engine,
        now: Time,
        deadline: Option<Time>,
    ) -> Option<Time> {
        // The log tells when a message came.
        let until = self.stream.until(now).filter(|_| !self.is_debugging());
        if until.is_none() && !self.stream.is_gathered.get() {
            return deadline;
        }
        let mut is_gathered = false;
        for (id, socket) in self.sockets.borrow().iter() {
            let gather = until.is_some() && engine.may_gather(*id);
            is_gathered |= socket.gather(gather);
        }
        self.stream.is_gathered.set(is_gathered);
        match (until, deadline) {
            (Some(until), Some(deadline)) if is_gathered => Some(until.min(deadline)),
            (Some(until), None) if is_gathered => Some(until),
            _ => deadline,
        }
    }
}

fn count(gathered: &Gathered) -> usize {
    match gathered {
        Gathered::One(_) | Gathered::Parcel(_) => 1,
        Gathered::Packed(packed) => packed.count() as usize,
    }
}

/// A frame: what a stream's messages wait at most, if the tab is not ready for them before.
const WINDOW_MILLIS: u64 = Pace::SHOWN.interval.0 as u64;

/// So many messages in a window are a stream, as for the pace of a tab.
const BUSY: usize = Pace::SHOWN.burst as usize / 2;
