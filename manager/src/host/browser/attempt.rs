//! One attempt at one tier, from the constructor to the welcome.

use core::{future::Future, time::Duration};
use std::rc::Rc;

use futures::{
    StreamExt as _,
    channel::mpsc::{self, UnboundedReceiver},
    future::{self, Either},
};
use onesocket_engine::Loss;

use super::{
    Verdict, diagnose, now, sleep, succession,
    transport::{Spawner, to_session},
};
use crate::{Attempt, AttemptOutcome, ManagerState, Tier, TierFailure, core::Core};

/// Why a tier does not run in the end.
pub(super) enum NotRunning {
    Failed(TierFailure),
    /// The last handle was dropped meanwhile.
    Released,
}

/// Brings the tab to a tier, or reports why not. No transport is left behind by a failure.
pub(super) async fn attempt(core: &Rc<Core>, tier: Tier) -> Result<(), NotRunning> {
    match attempt_once(core, tier).await {
        // It serves the tabs of another build, and may do so for days.
        Err(NotRunning::Failed(TierFailure::VersionMismatch { .. }))
            if tier == Tier::Shared && succession::part(core) =>
        {
            attempt_once(core, tier).await
        }
        result => result,
    }
}

async fn attempt_once(core: &Rc<Core>, tier: Tier) -> Result<(), NotRunning> {
    let started = now();
    let result = until_welcome(core, tier).await;
    core.host.verdicts.take();
    if tier == Tier::Shared && result.is_ok() {
        succession::note_welcome(core);
    }
    let outcome = match &result {
        Ok(()) => AttemptOutcome::Running,
        Err(NotRunning::Failed(failure)) => AttemptOutcome::Failed(failure.clone()),
        Err(NotRunning::Released) => return result,
    };
    core.report.push(Attempt {
        tier,
        outcome,
        duration: now().saturating_sub(started),
    });
    core.changed();
    if let Err(NotRunning::Failed(failure)) = &result {
        tracing::warn!(target: "onesocket::tab", %tier, "the tier does not work: {failure}");
        core.with_session(|session| session.detach(Loss::Unknown));
        let transport = core.host.transport.take();
        drop(transport);
        diagnose::begin(core, tier, failure);
    }
    result
}

async fn until_welcome(core: &Rc<Core>, tier: Tier) -> Result<(), NotRunning> {
    let Some(page) = &core.host.page else {
        return Err(NotRunning::Failed(TierFailure::Unsupported));
    };
    if tier == Tier::Shared {
        succession::follow(core).await;
    }
    if core.report.state() == ManagerState::Released {
        return Err(NotRunning::Released);
    }
    let (verdicts, mut heard) = mpsc::unbounded();
    core.host.verdicts.replace(Some(verdicts.clone()));
    let transport = Spawner::new(core, &page.script, to_session(core), verdicts)
        .spawn(&core.config, tier)
        .map_err(NotRunning::Failed)?;
    core.host.transport.replace(Some(transport));
    let holds_lock = core.host.holds_lock();
    core.with_session(|session| session.attach(holds_lock));

    await_welcome(core.config.hello_timeout, &mut heard, || knock(core)).await
}

/// Waits for the verdict, and knocks every now and then.
pub(super) async fn await_welcome(
    timeout: Duration,
    heard: &mut UnboundedReceiver<Verdict>,
    mut knock: impl FnMut() -> Result<(), NotRunning>,
) -> Result<(), NotRunning> {
    let mut left = timeout;
    while !left.is_zero() {
        let step = left.min(KNOCK_INTERVAL);
        match within(step, heard).await {
            Some(Verdict::Welcomed) => return Ok(()),
            Some(Verdict::Failed(failure)) => return Err(NotRunning::Failed(failure)),
            Some(Verdict::Released) => return Err(NotRunning::Released),
            None => left -= step,
        }
        if !left.is_zero() {
            knock()?;
        }
    }
    Err(NotRunning::Failed(TierFailure::HelloTimeout {
        after: timeout,
    }))
}

fn knock(core: &Rc<Core>) -> Result<(), NotRunning> {
    let hello = core.wiring.hello(core.host.holds_lock());
    match &mut *core.host.transport.borrow_mut() {
        Some(transport) => transport
            .knock(&core.config, &hello)
            .map_err(NotRunning::Failed),
        None => Ok(()),
    }
}

fn within(
    step: Duration,
    heard: &mut UnboundedReceiver<Verdict>,
) -> impl Future<Output = Option<Verdict>> {
    let timeout = Box::pin(sleep(step));
    async move {
        match future::select(heard.next(), timeout).await {
            Either::Left((verdict, _)) => verdict,
            Either::Right(_) => None,
        }
    }
}

/// How long a SharedWorker may be silent before it is asked for one more port. A worker with the prelude answers within that,
/// once its wasm is in the cache; one without it, that has lost the first port, should not cost more than a blink.
const KNOCK_INTERVAL: Duration = Duration::from_millis(500);
