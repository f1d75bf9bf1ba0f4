//! A dedicated worker that is left in good order.
//!
//! A send has its receipt when it is handed to the worker's socket, which may hold it for a while: Chromium drops what it holds when the worker is terminated.
//! So the worker is left to itself for some seconds, in which it closes the socket behind that. Where its tab leads, it leads until then: tabs that follow lose
//! their worker no sooner.

use core::{
    cell::{Cell, RefCell},
    time::Duration,
};
use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

use super::{election, lock::Bid, sleep, transport::Transport};
use crate::core::Core;

/// A drop ends the worker, and then the lead.
struct Parting {
    number: u64,
    _transport: Transport,
    _bid: Option<Bid>,
    /// Whose page is listened to.
    _core: Rc<Core>,
}

thread_local! {
    static NEXT: Cell<u64> = const { Cell::new(0) };
    static PARTING: RefCell<Vec<Parting>> = const { RefCell::new(Vec::new()) };
}

/// Lets go of the worker that the tab is with. Returns whether it is the tab's own, and parts.
pub(super) fn part(core: &Rc<Core>) -> bool {
    let transport = core.host.transport.take();
    let Some(transport) = transport.filter(Transport::owns_worker) else {
        return false;
    };
    let number = NEXT.replace(NEXT.get() + 1);
    let parting = Parting {
        number,
        _transport: transport,
        _bid: election::leave_lead(core),
        _core: Rc::clone(core),
    };
    PARTING.with_borrow_mut(|all| all.push(parting));
    spawn_local(async move {
        sleep(PATIENCE).await;
        let ended = PARTING.with_borrow_mut(|all| {
            let at = all.iter().position(|parting| parting.number == number);
            at.map(|at| all.remove(at))
        });
        drop(ended);
    });
    true
}

/// Ends those that part: the page is about to stand still, or needs a worker again, which must not be taken from it in a moment.
pub(super) fn end() {
    let parting = PARTING.take();
    drop(parting);
}

/// A socket outlives its last tab by a linger of 2 s by default, and its close waits for what it holds.
const PATIENCE: Duration = Duration::from_secs(10);
