//! The end: nobody holds the manager any more.

use core::time::Duration;
use std::rc::Rc;

use futures::{
    channel::oneshot,
    future::{self, Either},
};
use onesocket_engine::{Loss, TabSession};
use wasm_bindgen_futures::spawn_local;

use super::{Verdict, election, parting, sleep, succession};
use crate::{ManagerState, core::Core};

/// Waits until the worker has settled the closed channels, says goodbye and lets go of it; unless a new handle is made
/// meanwhile, as a framework does that drops one component and mounts the next.
pub(crate) fn release(core: &Rc<Core>) {
    if core.report.state() == ManagerState::Released {
        return;
    }
    let core = Rc::clone(core);
    spawn_local(async move {
        if core.wiring.has_sinks() {
            let (tell, settled) = oneshot::channel();
            core.host.settled.replace(Some(tell));
            let patience = match core.wiring.owes_log_out() {
                true => LOG_OUT_PATIENCE,
                false => PATIENCE,
            };
            if let Either::Left((Err(oneshot::Canceled), _)) =
                future::select(settled, Box::pin(sleep(patience))).await
            {
                // A later release has taken over.
                return;
            }
        }
        if !core.is_used() && core.report.state() != ManagerState::Released {
            let_go(&core);
        }
    });
}

fn let_go(core: &Rc<Core>) {
    core.with_session(TabSession::bye);
    // What is heard from here on, or happens to the page, is of no use to a worker.
    core.with_session(|session| session.detach(Loss::Unknown));
    core.enter(ManagerState::Released);
    core.host.judge(Verdict::Released);
    // An attempt that waits for the page's return would wait for ever: nobody listens for that any more.
    election::step_up(core);
    let lock = core.host.lock.take();
    drop(lock);
    succession::release(core);
    core.host.watching.take();
    core.wiring.drop_sinks();
    parting::part(core);
    // For as long as a worker of this tab's parts the page is listened to.
    if let Some(page) = core
        .host
        .page
        .as_ref()
        .filter(|_| !parting::is_parting(core))
    {
        page.stop_listening();
    }
    election::withdraw(core);
}

/// A worker settles a channel within milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);

/// Apps log out and let go of the client at once, perhaps before there is a worker, or while one is replaced. One that is not there by then
/// is not to be had.
const LOG_OUT_PATIENCE: Duration = Duration::from_secs(30);
