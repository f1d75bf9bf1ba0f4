//! The back-forward cache. A page in it runs nothing, and a browser throws it out when its SharedWorker posts to it
//! ([whatwg/html#12086](https://github.com/whatwg/html/issues/12086)); WebKit releases the Web Locks of such a page, by which a
//! worker takes it for gone. So the tab leaves its worker, and says hello again when it comes back.

use std::rc::Rc;

use onesocket_engine::Loss;
use wasm_bindgen_futures::spawn_local;

use super::{Verdict, climb::climb_from, transport::Transport};
use crate::{AttemptOutcome, ManagerState, Tier, core::Core};

/// What a tab has left.
pub(super) struct Left {
    tier: Tier,
    /// The way to a worker of this page alone: it may still read the goodbye, for as long as the browser lets it. Not to one that has led:
    /// it has ended, and Chromium throws a page out for what is said in the hall that it listens in.
    own: Option<Transport>,
}

/// The page goes into the cache, and may never come back. `has_ended`: the worker was terminated just now.
pub(super) fn on_hidden(core: &Rc<Core>, has_ended: bool) {
    // A request that is granted in the cache would hold the lock until the page comes back.
    core.host.watching.take();
    let lock = core.host.lock.take();
    let ManagerState::Running(tier) = core.report.state() else {
        drop(lock);
        // One that is on its way to a worker begins anew when it is back.
        core.host.judge(Verdict::RoleChanged);
        return;
    };
    // What is sent from here on is kept for the next hello.
    core.with_session(|session| match tier {
        // The loop has read all that was posted, and what waits in it for a socket ends with it in a moment.
        Tier::Main => session.abandon(Loss::Ended),
        // Its worker was terminated, and may have handed on what this page has not read the receipt of.
        Tier::Dedicated if has_ended => session.detach(Loss::Unknown),
        // The worker still sends what it has queued.
        Tier::Shared | Tier::Dedicated => session.bye(),
    });
    core.with_session(|session| session.detach(Loss::Unknown));
    core.host.epoch.set(None);
    let mut transport = core.host.transport.take();
    core.host.left.replace(Some(Left {
        tier,
        own: transport.take_if(|own| !has_ended && own.owns_worker()),
    }));
    match tier {
        // The goodbye arrives in a microtask, and this one stands behind it.
        Tier::Main => spawn_local(async move { drop(transport) }),
        // A closed port delivers nothing that is already on its way.
        Tier::Shared | Tier::Dedicated => drop(transport),
    }
    // Chromium throws out a page that holds a lock which the worker waits for. It is behind the goodbye that it is released.
    drop(lock);
    core.report.end_running(AttemptOutcome::Left);
    core.enter(ManagerState::Starting);
}

/// The page is shown again.
pub(super) fn on_shown(core: &Rc<Core>) {
    // Nothing says that what a page has posted to itself outlives its time in the cache.
    core.turn.ask_again();
    let Some(Left { tier, own }) = core.host.left.take() else {
        // WebKit ends what a page loads when it goes, its worker's script and wasm too, and says that it has failed.
        if matches!(core.report.state(), ManagerState::Failed(_)) {
            super::start(core);
        }
        return;
    };
    drop(own);
    if core.report.state() == ManagerState::Released {
        return;
    }
    climb_from(core, tier);
}
