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
    bid: Option<Bid>,
    /// Whose page is listened to.
    core: Rc<Core>,
}

impl Parting {
    /// Whether it holds what a tab has to have for a worker of its own.
    fn is_in_the_way_of(&self, core: &Core) -> bool {
        self.bid.is_some() && election::hall(&self.core) == election::hall(core)
    }
}

thread_local! {
    static NEXT: Cell<u64> = const { Cell::new(0) };
    static PARTING: RefCell<Vec<Parting>> = const { RefCell::new(Vec::new()) };
}

/// Lets go of the worker that the tab is with. Its own parts.
pub(super) fn part(core: &Rc<Core>) {
    let transport = core.host.transport.take();
    let Some(mut transport) = transport.filter(Transport::owns_worker) else {
        return;
    };
    // Its successor's line has the same number.
    transport.deafen();
    let number = NEXT.replace(NEXT.get() + 1);
    let parting = Parting {
        number,
        _transport: transport,
        bid: election::leave_lead(core),
        core: Rc::clone(core),
    };
    PARTING.with_borrow_mut(|all| all.push(parting));
    spawn_local(async move {
        sleep(PATIENCE).await;
        end_if(|parting| parting.number == number);
    });
}

/// Returns whether a worker of this tab's parts.
pub(super) fn is_parting(core: &Rc<Core>) -> bool {
    PARTING.with_borrow(|all| all.iter().any(|parting| Rc::ptr_eq(&parting.core, core)))
}

/// Ends what is in the way of a tab that needs a dedicated worker, and would lose it in a moment.
pub(super) fn make_way(core: &Core) {
    end_if(|parting| parting.is_in_the_way_of(core));
}

/// The page is about to stand still, and the workers with it.
pub(super) fn end_all() {
    end_if(|_| true);
}

fn end_if(is_over: impl Fn(&Parting) -> bool) {
    // Dropped outside of the borrow: a drop runs JS.
    let over: Vec<Parting> =
        PARTING.with_borrow_mut(|all| all.extract_if(.., |parting| is_over(parting)).collect());
    drop(over);
}

/// A socket outlives its last tab by a linger of 2 s by default, and its close waits for what it holds.
const PATIENCE: Duration = Duration::from_secs(10);
