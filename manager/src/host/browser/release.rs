//! The end: nobody holds the manager any more.

use core::time::Duration;
use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use futures::{
    channel::oneshot,
    future::{self, Either},
};
use onesocket_engine::{Loss, TabSession};
use wasm_bindgen_futures::spawn_local;

use super::{Verdict, election, sleep, succession};
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
    let lock = core.host.lock.take();
    drop(lock);
    succession::release(core);
    core.host.watching.take();
    core.wiring.drop_sinks();
    if core.host.owns_worker() {
        part(core);
    } else {
        end(core);
    }
}

fn end(core: &Core) {
    if let Some(page) = &core.host.page {
        page.stop_listening();
    }
    let transport = core.host.transport.take();
    drop(transport);
    election::withdraw(core);
}

/// What a worker's socket was handed it may still hold, and to terminate the worker would lose it. So it is left to itself for a while, in which it closes
/// the socket behind that; where this tab leads, it leads until then.
fn part(core: &Rc<Core>) {
    PARTING.with_borrow_mut(|parting| parting.push(Rc::downgrade(core)));
    let core = Rc::clone(core);
    spawn_local(async move {
        sleep(PARTING_PATIENCE).await;
        end(&core);
        PARTING.with_borrow_mut(|parting| parting.retain(|other| !is_same(other, &core)));
    });
}

/// Ends the workers that this page has left: it needs one again, which must not be taken from it in a moment.
pub(super) fn end_parting() {
    for core in PARTING.take().iter().filter_map(Weak::upgrade) {
        end(&core);
    }
}

fn is_same(one: &Weak<Core>, other: &Rc<Core>) -> bool {
    core::ptr::eq(one.as_ptr(), Rc::as_ptr(other))
}

thread_local! {
    static PARTING: RefCell<Vec<Weak<Core>>> = const { RefCell::new(Vec::new()) };
}

/// A worker settles a channel within milliseconds.
const PATIENCE: Duration = Duration::from_millis(500);

/// A socket outlives its last tab by a linger of 2 s by default, and its close waits for what it holds.
const PARTING_PATIENCE: Duration = Duration::from_secs(10);

/// Apps log out and let go of the client at once, perhaps before there is a worker, or while one is replaced. One that is not there by then
/// is not to be had.
const LOG_OUT_PATIENCE: Duration = Duration::from_secs(30);
