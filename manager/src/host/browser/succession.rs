//! From a SharedWorker that hangs, or has ended, to its successor.
//!
//! Who leaves one that hangs announces the next generation by a lock, then steals the lock of the one that hangs. By that it is
//! fenced off, should it ever wake up; and every other tab hears that its worker is gone, finds the announcement, and follows.
//! Nobody goes to the successor before the lease of the old one has run out.

use core::{
    cell::{Cell, OnceCell, RefCell},
    time::Duration,
};

use js_sys::Promise;
use onesocket_engine::Loss;
use onesocket_protocol::{Epoch, Version};

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
    /// What the browser was asked before it was needed.
    asked: RefCell<Option<Promise>>,
    /// The name of this build's own workers, once it has parted with those that do not speak its protocol.
    apart: OnceCell<String>,
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

/// Asks which locks are held, for who wants to know next.
pub(super) fn ask(core: &Core) {
    core.host.succession.asked.replace(lock::query());
}

/// Returns which locks are held, or were when somebody has [asked](ask). A drop of the future changes nothing.
pub(super) async fn answer(core: &Core) -> Option<Vec<Held>> {
    let asked = core.host.succession.asked.take().or_else(lock::query)?;
    lock::answer(asked).await
}

/// Goes over to the newest generation that other tabs tell of, and to the workers of this build's own if there are any.
/// Returns whether that is another worker than before.
pub(super) async fn follow(core: &Core) -> bool {
    match answer(core).await {
        Some(held) => follow_to(core, &held).await,
        None => false,
    }
}

/// The same, when it is known what is held. It waits only when there is another worker to go to, and must not be dropped then.
pub(super) async fn follow_to(core: &Core, held: &[Held]) -> bool {
    let names = || held.iter().map(|held| held.name.as_str());
    let own = own_name(core);
    let lives = script(core).is_some_and(|script| {
        let name = &own;
        Family { script, name }.lives(names())
    });
    // The others of this build are there. Where they came from may be free by now, and would be a second worker.
    let has_parted = lives && part(core);
    let Some(family) = family(core) else {
        return false;
    };
    let newest = family.newest(names());
    let is_newer = newest > core.host.succession.generation.get();
    if is_newer {
        enter(core, newest).await;
    }
    is_newer || has_parted
}

/// Returns the generation of the worker that has welcomed this tab: the tab may be on its way to a newer one when it loses that.
fn left(core: &Core) -> Generation {
    let succession = &core.host.succession;
    let welcomed = succession.welcomed.get();
    welcomed.unwrap_or_else(|| succession.generation.get())
}

/// Goes over to what is newer than a generation that this tab leaves, if it has not done so already. Returns whether there is something newer.
async fn follow_after(core: &Core, generation: Generation) -> bool {
    follow(core).await || core.host.succession.generation.get() > generation
}

/// Turns away from workers that do not speak this build's protocol, to those of its own; `false` when it has done so before.
pub(super) fn part(core: &Core) -> bool {
    let succession = &core.host.succession;
    let is_new = succession.apart.set(own_name(core)).is_ok();
    if is_new {
        succession.generation.set(Generation::default());
        succession.welcomed.set(None);
        release(core);
    }
    is_new
}

/// All builds of the same newest version meet under this name.
fn own_name(core: &Core) -> String {
    format!("{}~v{}", core.config.name, Version::NEWEST.number())
}

/// Leaves the SharedWorker of this run to its successor. Without Web Locks nobody can tell whether it does something still.
pub(super) async fn give_up(core: &Core, run: &str) -> Loss {
    give_up_of(core, run, left(core)).await
}

async fn give_up_of(core: &Core, run: &str, generation: Generation) -> Loss {
    // Somebody may have been faster: then it is the same successor.
    if !follow_after(core, generation).await {
        enter(core, generation.next()).await;
    }
    let is_fenced = lock::steal(run).await;
    sleep(LEASE).await;
    if is_fenced {
        Loss::Ended
    } else {
        Loss::Unknown
    }
}

/// The SharedWorker of this run has ended, or another tab has fenced it off: goes to the next generation. The name of one that has
/// ended may lead to what is left of it: in Firefox, after a trap, for more than half a minute.
pub(super) async fn succeed(core: &Core, run: &str) {
    let Some(held) = lock::held().await else {
        // Other tabs could not be told of another name.
        return;
    };
    let ended = left(core);
    let held: Vec<(&str, &str)> = held.iter().map(Held::as_pair).collect();
    let in_place = family(core).map_or_else(Vec::new, |it| it.runs_in_place(ended, &held));
    // A tab that was frozen meanwhile may find others that have closed and begun anew.
    let has_begun_anew = in_place.iter().flatten().any(|other| *other != run);
    if follow_after(core, ended).await {
        if in_place.contains(&None) {
            sleep(LEASE).await;
        }
    } else if !has_begun_anew {
        enter(core, ended.next()).await;
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
            .runs_in_place(generation, &held)
            .into_iter()
            .find_map(|run| run.map(ToOwned::to_owned))
    };
    let generation = core.host.succession.generation.get();
    match run {
        // Its code runs, and answers a hello at once if it does anything.
        Some(run) => give_up_of(core, &run, generation).await == Loss::Ended,
        // Nobody is there any more, and nobody comes: the name leads to what is left of a worker that has ended.
        None if core.host.succession.welcomed.get() == Some(generation) => {
            enter(core, generation.next()).await;
            true
        }
        None => false,
    }
}

/// Holds again what a browser may have released while the page was in the back-forward cache, and follows the others.
pub(super) async fn come_back(core: &Core) {
    let told = core.host.succession.told.take();
    if told.is_some() {
        drop(told);
        enter(core, core.host.succession.generation.get()).await;
    }
    follow(core).await;
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
    let script = script(core)?;
    let apart = core.host.succession.apart.get();
    let name = apart.unwrap_or(&core.config.name);
    Some(Family { script, name })
}

fn script(core: &Core) -> Option<&str> {
    let page = core.host.page.as_ref()?;
    Some(&page.script)
}

/// How long a worker goes on that has lost its lock.
pub(super) const LEASE: Duration = Duration::from_millis(Epoch::LEASE_MILLIS);
