//! The change of tier that the app asks for.

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
    sleep,
};
use crate::{AttemptOutcome, ManagerState, SwitchError, Tier, core::Core};

pub(crate) fn switch(core: &Rc<Core>, to: Tier) -> oneshot::Receiver<Result<(), SwitchError>> {
    let (tell, told) = oneshot::channel();
    let Some(from) = core.report.tier() else {
        // The receiver is at hand.
        let _ = tell.send(Err(SwitchError::NotRunning));
        return told;
    };
    core.enter(ManagerState::Switching { from, to });
    let core = Rc::clone(core);
    spawn_local(async move {
        let switched = run(&core, to).await;
        // Who has stopped waiting does not mind.
        let _ = tell.send(switched);
    });
    told
}

async fn run(core: &Rc<Core>, to: Tier) -> Result<(), SwitchError> {
    hand_over(core).await;
    if core.report.state() == ManagerState::Released {
        return Err(SwitchError::Dropped);
    }
    let transport = core.host.transport.take();
    drop(transport);
    core.report.end_running(AttemptOutcome::Left);
    match attempt(core, to).await {
        Ok(()) => {
            core.enter(ManagerState::Running(to));
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

/// Waits until the old worker has given back what it had only queued, but not for ever: it may be dead.
async fn hand_over(core: &Rc<Core>) {
    let (tell, told) = oneshot::channel();
    core.host.handed_over.replace(Some(tell));
    core.with_session(TabSession::hand_over);
    if let Either::Right(_) = future::select(told, Box::pin(sleep(PATIENCE))).await {
        core.host.handed_over.take();
        core.with_session(|session| session.detach(Loss::Unknown));
    }
}

/// A worker answers within milliseconds; one that is busy for longer would hold up the app.
const PATIENCE: Duration = Duration::from_secs(2);
