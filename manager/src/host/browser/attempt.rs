//! One attempt at one tier, from the constructor to the welcome.

use core::{future::Future, pin::pin, time::Duration};
use std::rc::Rc;

use futures::{
    StreamExt as _,
    channel::mpsc::{self, UnboundedReceiver},
    future::{self, Either},
};
use onesocket_engine::Loss;
use onesocket_protocol::limits;
use wasm_bindgen_futures::spawn_local;

use super::{
    Verdict,
    climb::{ask_for_lock, hold_lock, renew_token},
    diagnose, early, election, now,
    page::Page,
    parting, sleep, succession,
    transport::{self, Spawner, Transport, to_session},
};
use crate::{
    Attempt, AttemptOutcome, ManagerState, NotShared, Role, Tier, TierFailure, core::Core,
};

/// Why a tier does not run in the end.
pub(super) enum NotRunning {
    Failed(TierFailure),
    /// The last handle was dropped meanwhile.
    Released,
}

/// Why an attempt ends.
pub(super) enum Stop {
    NotRunning(NotRunning),
    /// It has to be begun anew: this tab has been elected meanwhile, is the leader no longer, has gone over to another SharedWorker, or has stood still for so long
    /// that its worker may have closed its port.
    RoleChanged,
}

impl From<TierFailure> for Stop {
    fn from(failure: TierFailure) -> Self {
        Self::NotRunning(NotRunning::Failed(failure))
    }
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
    let result = loop {
        match until_welcome(core, tier).await {
            Ok(role) => {
                core.report.set_role(role);
                break Ok(());
            }
            Err(Stop::NotRunning(why)) => break Err(why),
            Err(Stop::RoleChanged) => {
                core.with_session(|session| session.detach(Loss::Unknown));
                let transport = core.host.transport.take();
                drop(transport);
            }
        }
    };
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

/// Asks the browser what the first attempt has to know. It answers in milliseconds, in which there is enough to do.
pub(super) fn prepare(core: &Rc<Core>) {
    let tiers = core.config.tiers.tiers().iter();
    match tiers.copied().find(|tier| transport::is_there(*tier)) {
        Some(Tier::Shared) => {
            ask_for_lock(core);
            succession::ask(core);
        }
        Some(Tier::Dedicated) => {
            parting::make_way(core);
            election::ask(core);
            ask_for_lock(core);
        }
        Some(Tier::Main) | None => {}
    }
}

/// Returns the page, if there is one, and the browser has workers of this tier.
pub(super) fn page_for(core: &Core, tier: Tier) -> Result<&Page, TierFailure> {
    let page = core.host.page.as_ref();
    page.filter(|_| transport::is_there(tier))
        .ok_or(TierFailure::Unsupported)
}

/// Returns the part that this tab plays in the end, where there is one to play.
async fn until_welcome(core: &Rc<Core>, tier: Tier) -> Result<Option<Role>, Stop> {
    let page = page_for(core, tier)?;
    let early = loop {
        if election::until_back(core).await {
            election::reconsider(core);
            succession::come_back(core).await;
        }
        let early = (tier == Tier::Shared)
            .then(|| early::shared(core))
            .flatten();
        if tier != Tier::Main {
            renew_token(core);
        }
        // The lock that tells a worker that this tab is gone; the page's own loop goes with it. Each question to the browser
        // takes milliseconds, so they are asked together.
        match tier {
            // The page is with it already: to wait would spare nobody anything.
            Tier::Shared if early.is_some() => ask_for_lock(core),
            Tier::Shared => {
                future::join(hold_lock(core), succession::follow(core)).await;
            }
            Tier::Dedicated => {
                parting::make_way(core);
                election::ask(core);
                hold_lock(core).await;
                election::stand(core).await;
            }
            Tier::Main => {}
        }
        // What a page holds is let go of when it is put aside.
        if !election::has_been_away(core) {
            break early;
        }
    };
    let is_early = early.is_some();
    if tier != Tier::Dedicated {
        election::withdraw(core);
    }
    if core.report.state() == ManagerState::Released {
        core.host.lock.take();
        return Err(Stop::NotRunning(NotRunning::Released));
    }
    let role = (tier == Tier::Dedicated).then(|| election::role(core));
    if role == Some(Role::Follower) {
        election::note_sought(core);
    }
    let (verdicts, mut heard) = mpsc::unbounded();
    core.host.verdicts.replace(Some(verdicts.clone()));
    let transport = Spawner::new(core, &page.script, to_session(core), verdicts)
        .spawn(core, tier, role, early)?;
    core.host.transport.replace(Some(transport));
    let holds_lock = core.host.holds_lock();
    core.host.has_told_token.set(true);
    let greeted = now();
    core.with_session(|session| session.attach(holds_lock));

    let welcome = await_welcome(core.config.hello_timeout, &mut heard, || knock(core));
    if is_early {
        welcome_here(core, welcome).await?;
    } else {
        welcome.await?;
    }
    if now().saturating_sub(greeted) > LATE_WELCOME {
        return Err(Stop::RoleChanged);
    }
    look_after(core, role);
    Ok(role)
}

/// Waits for the welcome of a SharedWorker that the page is with already, and leaves it when the others are with another one. Which it is the
/// browser says while the worker reads the hello; if it is late, it is [looked after](super::health::catch_up) behind the welcome.
async fn welcome_here(
    core: &Core,
    welcome: impl Future<Output = Result<(), Stop>>,
) -> Result<(), Stop> {
    let (welcome, held) = (pin!(welcome), pin!(succession::answer(core)));
    match future::select(welcome, held).await {
        Either::Left((welcomed, _)) => welcomed,
        Either::Right((held, welcome)) => {
            if succession::follow_to(core, &held.unwrap_or_default()).await {
                return Err(Stop::RoleChanged);
            }
            welcome.await
        }
    }
}

/// Waits for the verdict, and knocks every now and then.
pub(super) async fn await_welcome(
    timeout: Duration,
    heard: &mut UnboundedReceiver<Verdict>,
    mut knock: impl FnMut() -> Result<(), TierFailure>,
) -> Result<(), Stop> {
    let mut left = timeout;
    while !left.is_zero() {
        let step = left.min(KNOCK_INTERVAL);
        match within(step, heard).await {
            Some(Verdict::Welcomed) => return Ok(()),
            Some(Verdict::Failed(failure)) => return Err(failure.into()),
            Some(Verdict::RoleChanged) => return Err(Stop::RoleChanged),
            Some(Verdict::Released) => return Err(Stop::NotRunning(NotRunning::Released)),
            None => left -= step,
        }
        if !left.is_zero() {
            knock()?;
        }
    }
    Err(TierFailure::HelloTimeout { after: timeout }.into())
}

/// Sees to what the welcome has left open.
fn look_after(core: &Rc<Core>, role: Option<Role>) {
    if role == Some(Role::Follower) {
        // Not before the welcome: a tab follows until it hears that it is elected, and then it has a use for it.
        early::end(core);
    }
    match role {
        Some(Role::Leader) => {
            let epoch = core.host.epoch.get();
            let core = Rc::downgrade(core);
            spawn_local(async move {
                sleep(KNOCK_INTERVAL).await;
                let Some(core) = core.upgrade() else { return };
                // A successor may not have had the time.
                let is_same = core.host.epoch.get() == epoch
                    && core.report.state() == ManagerState::Running(Tier::Dedicated);
                let transport = core.host.transport.borrow();
                let is_deaf = transport.as_ref().is_some_and(Transport::is_unannounced);
                drop(transport);
                if is_same && is_deaf {
                    election::go_alone(&core, NotShared::NoPrelude);
                    core.report
                        .set_role(Some(Role::Alone(NotShared::NoPrelude)));
                    core.changed();
                }
            });
        }
        // Elected between the worker's welcome and its being read.
        Some(Role::Follower) if election::role(core) == Role::Leader => election::succeed(core),
        Some(Role::Follower) => election::note_leader(core),
        Some(_) | None => {}
    }
}

fn knock(core: &Rc<Core>) -> Result<(), TierFailure> {
    let hello = core.wiring.hello(core.host.holds_lock());
    match &mut *core.host.transport.borrow_mut() {
        Some(transport) => transport.knock(&core.config, &hello),
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

const LATE_WELCOME: Duration = Duration::from_millis(limits::LATE_WELCOME_MILLIS as u64);
