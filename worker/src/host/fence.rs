//! What keeps a worker that was given up from doing anything when it wakes up.
//!
//! A worker may hang for a while and then go on; its tabs have moved to a successor meanwhile, and before they did, one of them has
//! stolen its Web Lock. The browser tells a worker of that by a task, but in front of that task there may be messages, timers
//! and socket events: old work, which must not be done twice. So the lock is a lease: nothing is given to the engine unless the lock was seen
//! in the hands of this worker within [`Epoch::LEASE_MILLIS`], and a thief waits that long before it does anything.
//!
//! A worker that is busy asks in good time and waits for nothing. One that has been idle asks when it wakes up, and what has
//! woken it waits for the answer, about a millisecond.

use std::{
    cell::{Cell, OnceCell},
    rc::Rc,
};

use onesocket_engine::Time;
use onesocket_protocol::Epoch;

use super::Inner;
use crate::{lock::WorkerLock, serve::prelude};

/// Open where there are no Web Locks, and where nobody else can be running: in the page itself.
#[derive(Debug, Default)]
pub(super) struct Fence {
    lock: OnceCell<WorkerLock>,
    /// When the browser was last asked, of those times when the lock was held.
    held_at: Cell<Time>,
    is_asking: Cell<bool>,
}

impl Inner {
    /// Ends this worker when the lock is lost, and lets it do nothing in the meantime.
    pub(super) fn fence(self: &Rc<Self>, lock: WorkerLock) {
        self.fence.held_at.set(self.clock.now());
        let host = Rc::downgrade(self);
        lock.on_stolen(move || {
            if let Some(host) = host.upgrade() {
                host.on_fenced();
            }
        });
        let is_first = self.fence.lock.set(lock).is_ok();
        debug_assert!(is_first, "a worker has one lock");
    }

    /// Returns whether the engine may act now. When not, it goes on with what is in the inbox as soon as it may.
    pub(super) fn may_act(self: &Rc<Self>, now: Time) -> bool {
        let Some(lock) = self.fence.lock.get() else {
            return true;
        };
        let age = now.0.saturating_sub(self.fence.held_at.get().0);
        if age > Epoch::LEASE_MILLIS / 2 && !self.fence.is_asking.replace(true) {
            let host = Rc::downgrade(self);
            lock.is_held(move |is_held| {
                let Some(host) = host.upgrade() else { return };
                host.fence.is_asking.set(false);
                if is_held {
                    host.fence.held_at.set(now);
                    host.resume();
                } else {
                    host.on_fenced();
                }
            });
        }
        age <= Epoch::LEASE_MILLIS
    }

    /// Somebody has taken this worker for dead, and others do its work by now.
    fn on_fenced(&self) {
        self.stop();
        prelude::close_worker();
    }
}
