//! From tier to tier until one works.

use core::time::Duration;
use std::rc::Rc;

use futures::future;
use onesocket_engine::{Loss, SessionFailure, TabSession};
use onesocket_protocol::{Epoch, TabToken};
use wasm_bindgen_futures::spawn_local;

use super::{
    Verdict,
    attempt::{NotRunning, attempt},
    climb_back, election, health, js,
    lock::{self, HeldLock, Mode},
    now, sleep, succession,
};
use crate::{
    Attempt, AttemptOutcome, ManagerState, NotShared, Role, SkipReason, Tier, TierFailure,
    core::Core, crash_loop,
};

/// Starts at the top.
pub(super) fn begin(core: &Rc<Core>) {
    core.enter(ManagerState::Starting);
    let core = Rc::clone(core);
    spawn_local(async move {
        if core.report.ladder().attempts().is_empty() {
            note_skipped(&core);
        }
        climb(&core, core.config.tiers.tiers()).await;
    });
}

/// Takes another token, and by that another lock, if a worker may know the one that the tab has. Locks are granted in the order in which they were asked for:
/// a worker that hangs would be given this one when the tab is gone, and those behind it never.
pub(super) fn renew_token(core: &Rc<Core>) {
    if !core.host.has_told_token.replace(false) {
        return;
    }
    let token = TabToken(js::random_u64());
    core.host.token.set(token);
    core.with_session(|session| session.go_by(token));
    let lock = core.host.lock.take();
    drop(lock);
}

/// Asks for the lock of the tab's token, unless it has been asked for. A worker that is greeted before it is granted is told later.
pub(super) fn ask_for_lock(core: &Rc<Core>) {
    let lock = core.host.lock.borrow();
    if lock.as_ref().is_some_and(|lock| !lock.is_lost()) {
        return;
    }
    drop(lock);
    let weak = Rc::downgrade(core);
    let on_taken = move || {
        if let Some(core) = weak.upgrade() {
            on_lock_taken(&core);
        }
    };
    let name = core.host.token().lock_name();
    let Some(lock) = HeldLock::ask(&name, Mode::Exclusive, on_taken) else {
        return;
    };
    let granted = lock.granted();
    core.host.lock.replace(Some(lock));
    let core = Rc::downgrade(core);
    spawn_local(async move {
        if granted.await.is_ok()
            && let Some(core) = core.upgrade().filter(|core| core.host.holds_lock())
        {
            core.with_session(TabSession::hold_lock);
        }
    });
}

/// The worker takes the tab for gone, and closes its port without a word. So the tab says hello on another one: nothing is wrong with the worker. That of a
/// leader ends with its port, and the tab starts it anew.
fn on_lock_taken(core: &Rc<Core>) {
    let lock = core.host.lock.borrow();
    let is_lost = lock.as_ref().is_some_and(HeldLock::is_lost);
    drop(lock);
    if !is_lost || core.host.judge(Verdict::RoleChanged) {
        return;
    }
    let ManagerState::Running(tier @ (Tier::Shared | Tier::Dedicated)) = core.report.state() else {
        return;
    };
    tracing::warn!(target: "onesocket::tab", %tier, "the lock of this tab was taken away");
    core.host.watching.take();
    core.host.epoch.set(None);
    // The goodbye is for a worker that was not granted the lock.
    core.with_session(|session| session.abandon(Loss::Unknown));
    let transport = core.host.transport.take();
    drop(transport);
    core.report.end_running(AttemptOutcome::Left);
    core.enter(ManagerState::Starting);
    climb_from(core, tier);
}

/// Takes the ladder from the tier on that has worked.
pub(super) fn climb_from(core: &Rc<Core>, tier: Tier) {
    let core = Rc::clone(core);
    spawn_local(async move {
        let tiers = core.config.tiers.tiers().iter();
        let rest: Vec<Tier> = tiers.skip_while(|t| **t != tier).copied().collect();
        climb(&core, &rest).await;
    });
}

/// Sees to it that the tab holds the lock of its token, unless that takes too long.
pub(super) async fn hold_lock(core: &Rc<Core>) {
    ask_for_lock(core);
    let lock = core.host.lock.borrow().as_ref().map(HeldLock::granted);
    if let Some(granted) = lock {
        lock::patiently(granted).await;
    }
}

fn note_skipped(core: &Rc<Core>) {
    for tier in Tier::ALL {
        if !core.config.tiers.allows(tier) {
            let outcome = AttemptOutcome::Skipped(SkipReason::NotAllowed);
            core.report.push(Attempt {
                tier,
                outcome,
                duration: Duration::ZERO,
            });
        }
    }
}

/// Tries one tier after the other. When none works, every channel is told.
pub(super) async fn climb(core: &Rc<Core>, tiers: &[Tier]) -> Option<Tier> {
    for &tier in tiers {
        loop {
            match attempt(core, tier).await {
                Ok(()) => {
                    core.enter(ManagerState::Running(tier));
                    climb_back::plan(core, tier);
                    // Another tab may have announced a successor while this one was on its way.
                    health::catch_up(core);
                    return Some(tier);
                }
                Err(NotRunning::Failed(failure)) if escape(core, tier, &failure).await => {}
                Err(NotRunning::Failed(_)) => break,
                Err(NotRunning::Released) => return None,
            }
        }
    }
    election::withdraw(core);
    core.fail(explain(core));
    None
}

/// Returns whether the same tier is to be tried again: a SharedWorker that hangs has a successor, and a leader can be replaced.
async fn escape(core: &Rc<Core>, tier: Tier, failure: &TierFailure) -> bool {
    let is_silent = matches!(failure, TierFailure::HelloTimeout { .. });
    match tier {
        Tier::Shared => is_silent && !is_crash_loop(core) && succession::escape(core).await,
        Tier::Dedicated if election::role(core) == Role::Follower => {
            if matches!(failure, TierFailure::VersionMismatch { .. }) {
                election::go_alone(core, NotShared::OtherVersion);
                return true;
            }
            if !is_silent {
                return false;
            }
            if election::has_new_leader(core).await {
                return true;
            }
            let takes_over = !is_crash_loop(core);
            if takes_over {
                election::take_over(core, None).await;
            }
            takes_over
        }
        Tier::Dedicated | Tier::Main => false,
    }
}

/// The worker can't be used, or no longer.
pub(super) fn on_refused(core: &Rc<Core>, failure: SessionFailure) {
    let Some(failure) = of_worker(failure) else {
        return;
    };
    if core.host.judge(Verdict::Failed(failure.clone())) {
        return;
    }
    if let Some(tier) = core.host.burying.get() {
        // Its last words have come behind the news of its end.
        if core.report.refine(tier, &TierFailure::WorkerGone, failure) {
            core.changed();
        }
        return;
    }
    match core.report.state() {
        ManagerState::Running(tier) => leave(core, tier, failure),
        ManagerState::Switching { .. } => {
            // It was to be left anyway.
            let handed_over = core.host.handed_over.take();
            drop(handed_over);
        }
        ManagerState::Idle
        | ManagerState::Starting
        | ManagerState::Failed(_)
        | ManagerState::Released => {}
    }
}

/// The worker has ended, and nobody has said why.
pub(super) fn on_gone(core: &Rc<Core>) {
    if let ManagerState::Running(tier) = core.report.state() {
        leave(core, tier, TierFailure::WorkerGone);
    }
}

/// The worker hangs.
pub(super) fn on_silent(core: &Rc<Core>) {
    if let ManagerState::Running(tier) = core.report.state() {
        leave(core, tier, TierFailure::Unresponsive);
    }
}

/// Another tab leads now, because this one's worker has not answered.
pub(super) fn on_deposed(core: &Rc<Core>) {
    if let ManagerState::Running(tier @ Tier::Dedicated) = core.report.state() {
        leave(core, tier, TierFailure::Deposed);
    }
}

/// The worker that ran is lost: starts another one on its tier, and goes on with those below it when that does not work, or
/// has worked too often.
fn leave(core: &Rc<Core>, tier: Tier, failure: TierFailure) {
    let is_planned = election::has_ended_worker(core);
    let outcome = if is_planned {
        AttemptOutcome::Left
    } else {
        tracing::error!(target: "onesocket::tab", %tier, "the worker has failed: {failure}");
        AttemptOutcome::Failed(failure.clone())
    };
    core.report.end_running(outcome);
    core.enter(ManagerState::Starting);
    core.host.burying.set(Some(tier));
    core.with_session(TabSession::hush);
    let is_following = core.host.is_following();
    let core = Rc::clone(core);
    spawn_local(async move {
        bury(&core, tier, &failure).await;
        core.host.burying.set(None);
        // Leaders come and go: that says nothing about the worker.
        let is_natural = is_planned || (is_following && election::has_leader_left(&core).await);
        let is_loop = !is_natural && is_crash_loop(&core);
        if is_loop {
            core.report.push(Attempt {
                tier,
                outcome: AttemptOutcome::Skipped(SkipReason::CrashLoop),
                duration: Duration::ZERO,
            });
        }
        if core.report.state() == ManagerState::Released {
            return;
        }
        election::reconsider(&core);
        let tiers = core.config.tiers.tiers().iter();
        let tiers = tiers.skip_while(|t| **t != tier);
        let rest: Vec<Tier> = tiers.skip(usize::from(is_loop)).copied().collect();
        climb(&core, &rest).await;
    });
}

/// Lets go of a worker that is lost, after its last words: they say what became of sends.
async fn bury(core: &Rc<Core>, tier: Tier, failure: &TierFailure) {
    let loss = put_down(core, tier, failure).await;
    // The goodbye is for a worker that wakes up where nothing could fence it off.
    core.with_session(|session| session.abandon(loss));
    let transport = core.host.transport.take();
    drop(transport);
}

/// Sees to it that the worker does nothing any more, as far as that can be done.
async fn put_down(core: &Rc<Core>, tier: Tier, failure: &TierFailure) -> Loss {
    let run = core.host.epoch.get().map(Epoch::lock_name);
    let run = run.unwrap_or_default();
    match (tier, failure) {
        (Tier::Shared, TierFailure::Unresponsive) => {
            return succession::give_up(core, &run).await;
        }
        (Tier::Shared, TierFailure::WorkerGone) => {
            sleep(LAST_WORDS).await;
            succession::succeed(core, &run).await;
        }
        (Tier::Dedicated, TierFailure::Unresponsive) if core.host.is_following() => {
            return election::take_over(core, Some(run)).await;
        }
        (Tier::Dedicated, TierFailure::WorkerGone) if core.host.is_following() => {
            election::wait_for_end(core).await;
            sleep(LAST_WORDS).await;
        }
        // It ends itself, and only then can it do nothing any more. Until then Firefox gives its error to whoever connects by its name.
        // Nor does the tab that owns it end it at once: it may be about to tell the followers why.
        (Tier::Shared | Tier::Dedicated, TierFailure::WasmFailed { .. }) => {
            let ended = lock::watch(&run, Mode::Shared);
            future::select(Box::pin(ended), Box::pin(sleep(END_PATIENCE))).await;
            if tier == Tier::Shared {
                succession::succeed(core, &run).await;
            } else {
                end_own_worker(core);
            }
        }
        _ => {
            end_own_worker(core);
            sleep(LAST_WORDS).await;
        }
    }
    Loss::Ended
}

fn end_own_worker(core: &Core) {
    if let Some(transport) = &*core.host.transport.borrow() {
        transport.end_own_worker();
    }
}

fn is_crash_loop(core: &Core) -> bool {
    crash_loop::note_loss(&mut core.host.losses.borrow_mut(), now())
}

/// What a worker has posted before its end, and the news of its end, come on different ways.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A worker that closes itself is gone within milliseconds.
const END_PATIENCE: Duration = Duration::from_millis(500);

fn of_worker(failure: SessionFailure) -> Option<TierFailure> {
    match failure {
        SessionFailure::VersionMismatch { ours, theirs } => {
            Some(TierFailure::VersionMismatch { ours, theirs })
        }
        SessionFailure::WorkerFailed { reason } => Some(TierFailure::WasmFailed { reason }),
        // Those are said to the session and never by it.
        _ => None,
    }
}

/// With a single tier its own failure says more than that there was none.
fn explain(core: &Rc<Core>) -> SessionFailure {
    if let [_] = core.config.tiers.tiers() {
        match core.report.ladder().last_failure() {
            Some(TierFailure::VersionMismatch { ours, theirs }) => {
                return SessionFailure::VersionMismatch {
                    ours: *ours,
                    theirs: *theirs,
                };
            }
            Some(TierFailure::WasmFailed { reason }) => {
                return SessionFailure::WorkerFailed {
                    reason: reason.clone(),
                };
            }
            Some(_) | None => {}
        }
    }
    SessionFailure::NoTier
}
