//! From tier to tier until one works.

use core::time::Duration;
use std::rc::Rc;

use onesocket_engine::{Loss, SessionFailure};
use wasm_bindgen_futures::spawn_local;

use super::{
    Verdict,
    attempt::{NotRunning, attempt},
    lock::TabLock,
    now,
};
use crate::{Attempt, AttemptOutcome, ManagerState, SkipReason, Tier, TierFailure, core::Core};

/// Starts at the top.
pub(super) fn begin(core: &Rc<Core>) {
    core.enter(ManagerState::Starting);
    let core = Rc::clone(core);
    spawn_local(async move {
        if core.host.lock.borrow().is_none() {
            let lock = TabLock::take(core.host.token).await;
            core.host.lock.replace(lock);
        }
        if core.report.state() == ManagerState::Released {
            core.host.lock.take();
            return;
        }
        if core.report.ladder().attempts().is_empty() {
            note_skipped(&core);
        }
        climb(&core, core.config.tiers.tiers()).await;
    });
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
        match attempt(core, tier).await {
            Ok(()) => {
                core.enter(ManagerState::Running(tier));
                return Some(tier);
            }
            Err(NotRunning::Failed(_)) => {}
            Err(NotRunning::Released) => return None,
        }
    }
    core.fail(explain(core));
    None
}

/// The worker can't be used, or no longer.
pub(super) fn on_refused(core: &Rc<Core>, failure: SessionFailure) {
    let Some(failure) = of_worker(failure) else {
        return;
    };
    if core.host.judge(Verdict::Failed(failure.clone())) {
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
        core.with_session(|session| session.detach(Loss::Unknown));
        leave(core, tier, TierFailure::WorkerGone);
    }
}

/// The worker hangs. Not on the main tier: there the page itself would hang with it.
pub(super) fn on_silent(core: &Rc<Core>) {
    if let ManagerState::Running(tier @ (Tier::Shared | Tier::Dedicated)) = core.report.state() {
        core.with_session(|session| session.abandon(Loss::Unknown));
        leave(core, tier, TierFailure::Unresponsive);
    }
}

/// The worker that ran is lost: starts another one on its tier, and goes on with those below it when that does not work, or
/// has worked too often.
fn leave(core: &Rc<Core>, tier: Tier, failure: TierFailure) {
    tracing::error!(target: "onesocket::tab", %tier, "the worker has failed: {failure}");
    // A SharedWorker that hangs is the one that its name leads to.
    let hangs = tier == Tier::Shared && failure == TierFailure::Unresponsive;
    let is_loop = is_crash_loop(core) || hangs;
    core.report.end_running(AttemptOutcome::Failed(failure));
    core.enter(ManagerState::Starting);
    let transport = core.host.transport.take();
    drop(transport);
    let core = Rc::clone(core);
    spawn_local(async move {
        let tiers = core.config.tiers.tiers().iter();
        let tiers = tiers.skip_while(|t| **t != tier);
        let rest: Vec<Tier> = tiers.skip(usize::from(is_loop)).copied().collect();
        climb(&core, &rest).await;
    });
}

fn is_crash_loop(core: &Core) -> bool {
    let now = now();
    let mut losses = core.host.losses.borrow_mut();
    losses.retain(|loss| now.saturating_sub(*loss) < CRASH_LOOP_WINDOW);
    losses.push(now);
    losses.len() > MAX_LOSSES
}

/// What kills a worker more often than this within the window will kill the next one too.
const MAX_LOSSES: usize = 2;
const CRASH_LOOP_WINDOW: Duration = Duration::from_secs(60);

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
