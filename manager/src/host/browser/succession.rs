//! From a SharedWorker that hangs to its successor.
//!
//! Who leaves it first announces the next generation by a lock, then steals the lock of the one that hangs. By that it is fenced
//! off, should it ever wake up; and every other tab hears that its worker is gone, finds the announcement, and follows. Nobody
//! goes to the successor before the lease of the old one has run out.

use core::{
    cell::{Cell, RefCell},
    time::Duration,
};

use onesocket_engine::Loss;
use onesocket_protocol::Epoch;

use super::{
    lock::{self, Held, HeldLock, Mode},
    sleep,
};
use crate::{
    core::Core,
    generation::{Family, Generation},
};

/// Which of the SharedWorkers of its app this tab is with.
#[derive(Debug, Default)]
pub(super) struct Succession {
    generation: Cell<Generation>,
    /// The generation in which a SharedWorker has welcomed this tab last.
    welcomed: Cell<Option<Generation>>,
    /// Tells tabs that come later; none for the first generation, which everybody tries anyway.
    told: RefCell<Option<HeldLock>>,
}

/// Returns the name of the SharedWorker to connect to.
pub(super) fn worker_name(core: &Core) -> String {
    let generation = core.host.succession.generation.get();
    family(core).map_or_else(String::new, |family| family.worker_name(generation))
}

/// A SharedWorker has welcomed this tab.
pub(super) fn note_welcome(core: &Core) {
    let succession = &core.host.succession;
    succession.welcomed.set(Some(succession.generation.get()));
}

/// Goes over to the newest generation that other tabs tell of. Returns whether that is another one than before.
pub(super) async fn follow(core: &Core) -> bool {
    let (Some(family), Some(held)) = (family(core), lock::held().await) else {
        return false;
    };
    let newest = family.newest(held.iter().map(|held| held.name.as_str()));
    let is_newer = newest > core.host.succession.generation.get();
    if is_newer {
        enter(core, newest).await;
    }
    is_newer
}

/// Leaves the SharedWorker of this run to its successor. Without Web Locks nobody can tell whether it does something still.
pub(super) async fn give_up(core: &Core, run: &str) -> Loss {
    // Somebody may have been faster: then it is the same successor.
    if !follow(core).await {
        enter(core, core.host.succession.generation.get().next()).await;
    }
    let is_fenced = lock::steal(run).await;
    sleep(LEASE).await;
    if is_fenced {
        Loss::Ended
    } else {
        Loss::Unknown
    }
}

/// A SharedWorker has not answered a hello. Returns whether that is because it hangs, and there is a successor to try.
pub(super) async fn escape(core: &Core) -> bool {
    if follow(core).await {
        return true;
    }
    let run = {
        let (Some(family), Some(held)) = (family(core), lock::held().await) else {
            return false;
        };
        let held: Vec<(&str, &str)> = held.iter().map(Held::as_pair).collect();
        let generation = core.host.succession.generation.get();
        family
            .run_in_place(generation, &held)
            .map(ToOwned::to_owned)
    };
    let generation = core.host.succession.generation.get();
    match run {
        // Its code runs, and answers a hello at once if it does anything.
        Some(run) => give_up(core, &run).await == Loss::Ended,
        // Nobody is there any more, and nobody comes: the name leads to what is left of a worker that has ended. Seen in Firefox after a trap.
        None if core.host.succession.welcomed.get() == Some(generation) => {
            enter(core, generation.next()).await;
            true
        }
        None => false,
    }
}

/// Lets go of what tells others of this tab.
pub(super) fn release(core: &Core) {
    let told = core.host.succession.told.take();
    drop(told);
}

async fn enter(core: &Core, generation: Generation) {
    let Some(family) = family(core) else { return };
    core.host.succession.generation.set(generation);
    let told = HeldLock::take(&family.tabs_lock(generation), Mode::Shared).await;
    core.host.succession.told.replace(told);
}

fn family(core: &Core) -> Option<Family<'_>> {
    let page = core.host.page.as_ref()?;
    Some(Family {
        script: &page.script,
        name: &core.config.name,
    })
}

/// How long a worker goes on that has lost its lock.
pub(super) const LEASE: Duration = Duration::from_millis(Epoch::LEASE_MILLIS);
