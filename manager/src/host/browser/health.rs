//! Whether the worker still runs: it may end without a word, and it may hang.

use core::time::Duration;
use std::rc::{Rc, Weak};

use futures::future::{self, AbortHandle};
use onesocket_protocol::{Epoch, Preface};
use wasm_bindgen_futures::spawn_local;

use super::{
    climb,
    lock::{self, Mode, Watch},
    page::Page,
    sleep, succession, switch,
};
use crate::{AttemptOutcome, ManagerState, Tier, core::Core};

/// No event says that a worker has ended: its port just falls silent.
pub(super) fn watch_worker(core: &Rc<Core>, epoch: Epoch) {
    core.host.epoch.set(Some(epoch));
    let weak = Rc::downgrade(core);
    let leader = watch_leader(Weak::clone(&weak));
    let end = async move {
        let watch = lock::watch(&epoch.lock_name(), Mode::Shared).await;
        let is_current = |core: &Rc<Core>| core.host.epoch.get() == Some(epoch);
        let Some(core) = weak.upgrade().filter(is_current) else {
            return;
        };
        match watch {
            Watch::Released => climb::on_gone(&core),
            // It has ended since its welcome, or it is a worker that holds no lock.
            Watch::NotHeld => check(&core),
            Watch::Impossible => {}
        }
    };
    let (watching, handle) = future::abortable(future::join(end, leader));
    core.host.watching.replace(Some(Watching(handle)));
    spawn_local(async move {
        // An error says that nobody wants to know any more.
        let _ = watching.await;
    });
}

/// The wait for the end of a worker. A drop gives it up.
pub(super) struct Watching(AbortHandle);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A leader's page that the browser suspends without a word keeps its locks, and its worker stands still with it: a follower that only listens
/// would wait for ever. One that nobody looks at asks when it is shown.
async fn watch_leader(core: Weak<Core>) {
    loop {
        let is_silent = until_silent(&core, SILENCE / 2, |core| core.host.is_following()).await;
        let Some(core) = core.upgrade().filter(|core| core.host.is_following()) else {
            return;
        };
        if is_silent && core.host.page.as_ref().is_some_and(Page::is_shown) {
            check(&core);
        }
    }
}

/// A worker in a busy loop keeps its lock and its ports; what gives it away is that it acknowledges nothing.
pub(super) fn watch_for_ack(core: &Rc<Core>) {
    if core.host.is_watching.get() || !core.wiring.awaits_ack() {
        return;
    }
    core.host.is_watching.set(true);
    let half = core.config.ack_timeout / 2;
    let core = Rc::downgrade(core);
    spawn_local(async move {
        let is_silent = until_silent(&core, half, |core| core.wiring.awaits_ack()).await;
        let Some(core) = core.upgrade() else { return };
        core.host.is_watching.set(false);
        if is_silent {
            check(&core);
        }
    });
}

/// Waits until nothing has come from the worker in two of these halves, and returns whether it is so: `false` when it does not matter any more.
///
/// It is looked at twice, so that a page that was itself blocked reads first what has come meanwhile.
async fn until_silent(core: &Weak<Core>, half: Duration, matters: fn(&Core) -> bool) -> bool {
    let mut heard = None;
    let mut silent = 0;
    while silent < 2 {
        sleep(half).await;
        let Some(core) = core.upgrade().filter(|core| matters(core)) else {
            return false;
        };
        let now = Some(core.host.heard.get());
        silent = if heard == now { silent + 1 } else { 0 };
        heard = now;
    }
    true
}

/// Sees to it that the page that is shown has a worker that runs, and the one that the other tabs have.
pub(super) fn check_shown(core: &Rc<Core>) {
    check(core);
    catch_up(core);
}

/// Moves to the successor that other tabs are with, should this one have missed that.
pub(super) fn catch_up(core: &Rc<Core>) {
    let is_shared = |core: &Rc<Core>| core.report.state() == ManagerState::Running(Tier::Shared);
    let core = Rc::downgrade(core);
    spawn_local(async move {
        if let Some(core) = core.upgrade().filter(is_shared)
            && succession::follow(&core).await
            && is_shared(&core)
        {
            let moved = switch::move_to(&core, Tier::Shared, AttemptOutcome::Left);
            // The ladder tells how it went.
            drop(moved);
        }
    });
}

/// Asks the worker for a sign of life, and leaves it when there is none.
pub(super) fn check(core: &Rc<Core>) {
    // On the main tier the page itself would hang with it.
    let runs = matches!(
        core.report.state(),
        ManagerState::Running(Tier::Shared | Tier::Dedicated)
    );
    if !runs || core.host.is_probing.replace(true) {
        return;
    }
    let (epoch, before) = (core.host.epoch.get(), core.host.heard.get());
    core.host.post(&Preface::encode_probe());
    let half = core.config.probe_timeout / 2;
    let core = Rc::downgrade(core);
    spawn_local(async move {
        let has_answered = |core: &Rc<Core>| core.host.heard.get() != before;
        for _ in 0..2 {
            sleep(half).await;
            let Some(core) = core.upgrade() else { return };
            if has_answered(&core) || core.host.epoch.get() != epoch {
                core.host.is_probing.set(false);
                // Alive, and still owing an acknowledgement: what it was asked for may take long.
                return watch_for_ack(&core);
            }
        }
        if let Some(core) = core.upgrade() {
            core.host.is_probing.set(false);
            climb::on_silent(&core);
        }
    });
}

/// How long the leader's worker may say nothing to a follower that is shown, before it is asked. The answer keeps no radio awake, but the processes of
/// both pages.
const SILENCE: Duration = Duration::from_secs(15);
