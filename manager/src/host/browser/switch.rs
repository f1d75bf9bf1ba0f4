//! The orderly change of tier: the app asks for it, or a better one works again.

use core::time::Duration;
use std::rc::Rc;

use futures::{
    channel::oneshot,
    future::{self, Either},
};
use onesocket_engine::{Loss, TabSession};
use wasm_bindgen_futures::spawn_local;

use super::{
    attempt::{NotRunning, attempt},
    climb::climb,
    climb_back, parting, sleep,
};
use crate::{AttemptOutcome, ManagerState, SwitchError, Tier, core::Core};

/// As the app wants it.
pub(crate) fn switch(core: &Rc<Core>, to: Tier) -> oneshot::Receiver<Result<(), SwitchError>> {
    move_to(core, to, AttemptOutcome::Left)
}

/// `left` is what the ladder then says of the tier that runs now.
pub(super) fn move_to(
    core: &Rc<Core>,
    to: Tier,
    left: AttemptOutcome,
) -> oneshot::Receiver<Result<(), SwitchError>> {
    let (tell, told) = oneshot::channel();
    let Some(from) = core.report.tier() else {
        // The receiver is at hand.
        let _ = tell.send(Err(SwitchError::NotRunning));
        return told;
    };
    core.enter(ManagerState::Switching { from, to });
    let core = Rc::clone(core);
    spawn_local(async move {
        let switched = run(&core, to, left).await;
        // Who has stopped waiting does not mind.
        let _ = tell.send(switched);
    });
    told
}

async fn run(core: &Rc<Core>, to: Tier, left: AttemptOutcome) -> Result<(), SwitchError> {
    let is_told = hand_over(core).await;
    if core.report.state() == ManagerState::Released {
        return Err(SwitchError::Dropped);
    }
    if is_told {
        parting::part(core);
    } else {
        let transport = core.host.transport.take();
        drop(transport);
    }
    core.report.end_running(left);
    match attempt(core, to).await {
        Ok(()) => {
            core.enter(ManagerState::Running(to));
            climb_back::plan(core, to);
            Ok(())
        }
        Err(NotRunning::Released) => Err(SwitchError::Dropped),
        Err(NotRunning::Failed(failure)) => {
            let others = core.config.tiers.tiers().iter().filter(|tier| **tier != to);
            let others: Vec<Tier> = others.copied().collect();
            let now = climb(core, &others).await;
            Err(SwitchError::Failed {
                tier: to,
                failure,
                now,
            })
        }
    }
}

/// Waits until the old worker has given back what it had only queued, but not for ever: it may be dead. Returns whether it has.
async fn hand_over(core: &Rc<Core>) -> bool {
    let (tell, told) = oneshot::channel();
    core.host.handed_over.replace(Some(tell));
    core.with_session(TabSession::hand_over);
    match future::select(told, Box::pin(sleep(PATIENCE))).await {
        // It is canceled when the worker fails meanwhile.
        Either::Left((told, _)) => told.is_ok(),
        Either::Right(_) => {
            core.host.handed_over.take();
            core.with_session(|session| session.abandon(Loss::Unknown));
            false
        }
    }
}

/// A worker answers within milliseconds; one that is busy for longer would hold up the app.
const PATIENCE: Duration = Duration::from_secs(2);
