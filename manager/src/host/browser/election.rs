//! Which tab's dedicated worker is there for all tabs.
//!
//! The tab that holds the leader's lock spawns a worker; the others wait for the lock, and are with that worker meanwhile. The browser
//! gives the lock to the next one when the leader closes, and the worker has ended with it: to the others that is the loss of
//! a worker like any other. A leader that is put aside (frozen, kept for the back button) ends its worker and lets go of
//! the lock before it stands still. Where no event tells it, the worker stands still too; a follower finds that it does not
//! answer, and takes over.

use core::{
    cell::{Cell, RefCell},
    time::Duration,
};
use std::rc::Rc;

use futures::{channel::oneshot, future};
use onesocket_engine::{Loss, TabSession};
use wasm_bindgen_futures::spawn_local;

use super::{
    Verdict, climb, js,
    lock::{self, Bid, BidNews, Held, HeldLock, Mode},
    parting, sleep, succession,
};
use crate::{ManagerState, NotShared, Role, Tier, core::Core, generation::runs_of_holders};

/// This tab's part in it.
#[derive(Debug, Default)]
pub(super) struct Election {
    bid: RefCell<Option<Bid>>,
    alone: Cell<Option<NotShared>>,
    /// The page is frozen, or kept for the back button.
    is_away: Cell<bool>,
    has_been_away: Cell<bool>,
    /// It has ended its own worker by that.
    has_ended_worker: Cell<bool>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    /// The tab that led when this one was welcomed last, in the browser's words.
    leader: RefCell<Option<String>>,
    /// The tab that led when this one began to ask for a meeting.
    sought: RefCell<Option<String>>,
    /// Held, or asked for, while this tab takes over.
    coup: RefCell<Option<HeldLock>>,
}

/// Returns how this tab comes to its next dedicated worker.
pub(super) fn role(core: &Core) -> Role {
    let election = &core.host.election;
    match (election.alone.get(), &*election.bid.borrow()) {
        (Some(why), _) => Role::Alone(why),
        (None, Some(bid)) if bid.is_won() => Role::Leader,
        (None, _) => Role::Follower,
    }
}

/// Returns the name of the hall, which is also that of the lock that the leader's worker holds.
pub(super) fn hall(core: &Core) -> String {
    name(core, "hall")
}

/// Asks for the lead and does not wait for the answer.
pub(super) fn ask(core: &Rc<Core>) {
    if !core.host.election.is_away.get() {
        bid(core);
    }
}

/// Stands for election. A page that is away does so when it is back.
pub(super) async fn stand(core: &Rc<Core>) {
    loop {
        wait_while_away(core).await;
        bid(core);
        if role(core) != Role::Leader {
            return;
        }
        // A worker that was there before has ended, or is about to: its lock goes with it.
        let hall = hall(core);
        let free = Box::pin(lock::watch(&hall, Mode::Exclusive));
        future::select(free, Box::pin(sleep(END_PATIENCE))).await;
        // The page may have been put aside meanwhile, and its lead is another tab's.
        if role(core) == Role::Leader {
            return;
        }
    }
}

/// Waits while the page is put aside. Returns whether it has been since this has last returned.
pub(super) async fn until_back(core: &Core) -> bool {
    wait_while_away(core).await;
    core.host.election.has_ended_worker.set(false);
    core.host.election.has_been_away.take()
}

/// Returns whether the page has been put aside since somebody has waited for its return.
pub(super) fn has_been_away(core: &Core) -> bool {
    core.host.election.has_been_away.get()
}

/// Returns whether the worker that this tab has had was ended because the page was put aside.
pub(super) fn has_ended_worker(core: &Core) -> bool {
    core.host.election.has_ended_worker.get()
}

async fn wait_while_away(core: &Core) {
    while core.host.election.is_away.get() {
        let (tell, told) = oneshot::channel();
        core.host.election.waiting.borrow_mut().push(tell);
        // Nobody drops the other half but with the page.
        let _ = told.await;
    }
}

/// Stands for election no longer, and leads no longer.
pub(super) fn withdraw(core: &Core) {
    drop(leave_lead(core));
}

/// Gives away the lead, which ends with the bid.
pub(super) fn leave_lead(core: &Core) -> Option<Bid> {
    core.host.election.bid.take()
}

/// Shares with nobody from now on.
pub(super) fn go_alone(core: &Core, why: NotShared) {
    core.host.election.alone.set(Some(why));
    withdraw(core);
}

/// Shares with a leader of the same version again, should there be one by now.
pub(super) fn reconsider(core: &Core) {
    let alone = &core.host.election.alone;
    if alone.get() == Some(NotShared::OtherVersion) {
        alone.set(None);
    }
}

/// The page is about to stand still, and the browser may let its worker stand still with it. There is no time to wait for
/// anything: what the worker had only queued, its tabs still have. Returns whether there was a worker to end.
pub(super) fn step_back(core: &Rc<Core>) -> bool {
    core.host.election.is_away.set(true);
    core.host.election.has_been_away.set(true);
    parting::end_all();
    // Another tab can take over instead.
    let coup = core.host.election.coup.take();
    drop(coup);
    if core.host.election.alone.get().is_some() {
        return false;
    }
    let leads = role(core) == Role::Leader;
    withdraw(core);
    let transport = core.host.transport.borrow();
    let dedicated = transport.as_ref().filter(|way| way.is_dedicated());
    let Some(dedicated) = dedicated else {
        return false;
    };
    if leads {
        dedicated.end_own_worker();
    }
    drop(transport);
    if leads {
        core.host.election.has_ended_worker.set(true);
        core.with_session(TabSession::hush);
        // By this the others see that it has left, and that its worker has not crashed.
        let lock = core.host.lock.take();
        drop(lock);
    }
    // One that is on its way to a worker begins anew when it is back: it has none any more, or another tab leads by then.
    core.host.judge(Verdict::RoleChanged);
    leads
}

/// The page is back. If it has led, it finds its worker gone.
pub(super) fn step_up(core: &Rc<Core>) {
    core.host.election.is_away.set(false);
    for waiting in core.host.election.waiting.take() {
        // Who has stopped waiting does not mind.
        let _ = waiting.send(());
    }
    if core.report.state() == ManagerState::Running(Tier::Dedicated) {
        bid(core);
    }
}

/// This tab has become the leader while it was with the worker of the one before. That one has ended, or will in a moment.
pub(super) fn succeed(core: &Rc<Core>) {
    let epoch = core.host.epoch.get();
    let core = Rc::downgrade(core);
    spawn_local(async move {
        sleep(END_PATIENCE).await;
        let Some(core) = core.upgrade() else { return };
        if core.host.is_following() && core.host.epoch.get() == epoch {
            climb::on_silent(&core);
        }
    });
}

/// Leads instead of a tab whose worker does not answer. When this returns, that worker does nothing any more, or it can't be
/// told.
pub(super) async fn take_over(core: &Rc<Core>, run: Option<String>) -> Loss {
    let coup = HeldLock::take(&name(core, COUP), Mode::Exclusive).await;
    let is_first = coup.as_ref().is_some_and(HeldLock::is_held);
    core.host.election.coup.replace(coup);
    let mut loss = Loss::Ended;
    if is_first {
        // First, so that the leader hears of it first, if it hears anything.
        if role(core) == Role::Follower {
            make_bid(core, true);
        }
        if let Some(run) = run.clone().or(run_of_leader(core).await)
            && !lock::steal(&run).await
        {
            loss = Loss::Unknown;
        }
        lock::steal(&hall(core)).await;
    }
    // Whoever was faster has done the same, unless it stands still by now.
    sleep(succession::LEASE).await;
    let coup = core.host.election.coup.take();
    let is_in_the_way = coup.as_ref().is_some_and(|coup| !coup.is_held());
    drop(coup);
    if is_in_the_way {
        // It stands still itself, and the next one must not wait for it.
        lock::steal(&name(core, COUP)).await;
    }
    let is_run = |held: &Held| run.as_ref() == Some(&held.name);
    if !is_first
        && lock::held()
            .await
            .is_none_or(|held| held.iter().any(is_run))
    {
        loss = Loss::Unknown;
    }
    loss
}

/// Waits until a leader's worker that is gone can do nothing any more: it may be there still, and have lost its lock.
pub(super) async fn wait_for_end(core: &Core) {
    let coup = name(core, COUP);
    let held = lock::held().await.unwrap_or_default();
    if held.iter().any(|held| held.name == coup) {
        sleep(succession::LEASE).await;
    }
}

/// Notes who leads the worker that this follower is with.
pub(super) fn note_leader(core: &Rc<Core>) {
    let core = Rc::clone(core);
    spawn_local(async move {
        let leader = leader(&core).await;
        core.host.election.leader.replace(leader);
    });
}

/// Notes whose worker this follower asks for.
pub(super) fn note_sought(core: &Rc<Core>) {
    let core = Rc::clone(core);
    spawn_local(async move {
        let leader = leader(&core).await;
        core.host.election.sought.replace(leader);
    });
}

/// Returns whether another tab leads than when this follower began to ask, and its worker may only not be up yet. One that runs answers at once if
/// it does anything.
pub(super) async fn has_new_leader(core: &Core) -> bool {
    let leader = leader(core).await;
    let is_new = leader.is_some() && leader != *core.host.election.sought.borrow();
    is_new && run_of_leader(core).await.is_none()
}

/// Returns whether the tab that led has closed, or was put aside; else it was the worker alone that has ended. A tab that has gone to
/// another tier still holds its own lock.
pub(super) async fn has_leader_left(core: &Core) -> bool {
    let held = lock::held().await.unwrap_or_default();
    match &*core.host.election.leader.borrow() {
        Some(leader) => held.iter().all(|held| held.client != *leader),
        None => true,
    }
}

async fn leader(core: &Core) -> Option<String> {
    let name = name(core, LEADER);
    let mut held = lock::held().await?.into_iter();
    let lock = held.find(|held| held.name == name);
    lock.map(|held| held.client)
}

async fn run_of_leader(core: &Core) -> Option<String> {
    let (hall, held) = (hall(core), lock::held().await?);
    let held: Vec<(&str, &str)> = held.iter().map(Held::as_pair).collect();
    runs_of_holders(&hall, &held).find_map(|run| run.map(str::to_owned))
}

fn bid(core: &Rc<Core>) {
    let election = &core.host.election;
    if election.alone.get().is_some() || election.bid.borrow().is_some() {
        return;
    }
    if !core.config.share_dedicated {
        election.alone.set(Some(NotShared::SwitchedOff));
    } else if !js::get(&js_sys::global(), "BroadcastChannel").is_function() {
        election.alone.set(Some(NotShared::NoBroadcastChannel));
    } else {
        make_bid(core, false);
    }
}

fn make_bid(core: &Rc<Core>, steals: bool) {
    let weak = Rc::downgrade(core);
    let bid = Bid::make(&name(core, LEADER), steals, move |news| {
        if let Some(core) = weak.upgrade() {
            on_news(&core, news);
        }
    });
    if bid.is_none() {
        core.host.election.alone.set(Some(NotShared::NoWebLocks));
    }
    let before = core.host.election.bid.replace(bid);
    drop(before);
}

fn on_news(core: &Rc<Core>, news: BidNews) {
    match news {
        BidNews::Won => {}
        BidNews::Refused => go_alone(core, NotShared::NoWebLocks),
        BidNews::Stolen => withdraw(core),
    }
    if core.host.judge(Verdict::RoleChanged) {
        return;
    }
    if news == BidNews::Stolen {
        climb::on_deposed(core);
    } else if core.host.is_following() {
        succeed(core);
    }
}

fn name(core: &Core, what: &str) -> String {
    let script = core.host.page.as_ref().map_or("", |page| &page.script);
    format!("onesocket-{what} {} {script}", core.config.name)
}

/// Held by who leads.
const LEADER: &str = "leader";

/// Held by who takes over, so that it is one.
const COUP: &str = "coup";

/// A worker whose page closes, or that is terminated, has ended within milliseconds.
const END_PATIENCE: Duration = Duration::from_millis(300);
