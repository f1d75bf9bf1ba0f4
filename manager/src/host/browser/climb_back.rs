//! Back to a better tier, when it works again.
//!
//! It is visited first, behind the back of the one that runs: a worker is spawned and said hello to. Only when it answers, the tab
//! moves over in good order, with everything that is on its way.

use std::{cell::Cell, rc::Rc};

use bytes::Bytes;
use futures::channel::mpsc;
use onesocket_protocol::{
    Hello, Preface, TabToken, Version, VersionRange, Welcome, frame::Arrived,
};
use wasm_bindgen_futures::spawn_local;

use super::{
    Verdict,
    attempt::{NotRunning, Stop, await_welcome, page_for},
    diagnose, js, now, sleep, succession, switch,
    transport::{Spawner, Transport},
};
use crate::{
    Attempt, AttemptOutcome, ManagerState, NextClimb, Tier, TierFailure, climb_back::candidates,
    core::Core,
};

/// A tier has begun to run: plans when to try those above it, if that makes sense.
pub(super) fn plan(core: &Rc<Core>, running: Tier) {
    // An earlier plan is off.
    let plan = core.host.climbs.get().wrapping_add(1);
    core.host.climbs.set(plan);
    core.report.set_next_climb(next_climb(core, running));
    core.changed();
    let NextClimb::Planned { after } = core.report.ladder().next_climb() else {
        return;
    };
    let core = Rc::downgrade(core);
    spawn_local(async move {
        sleep(after).await;
        loop {
            let Some(core) = core.upgrade() else { return };
            if core.host.climbs.get() != plan
                || core.report.state() != ManagerState::Running(running)
            {
                return;
            }
            let Some(freed) = core.until_free() else {
                return try_again(&core, running).await;
            };
            drop(core);
            // However it ends.
            let _ = freed.await;
        }
    });
}

/// What has failed may have done so for want of a network.
pub(super) fn on_online(core: &Rc<Core>) {
    match core.report.state() {
        ManagerState::Failed(_) => super::start(core),
        ManagerState::Running(tier) => {
            let is_sooner = core.host.patience.borrow_mut().begin_anew();
            if is_sooner {
                plan(core, tier);
            }
        }
        ManagerState::Idle
        | ManagerState::Starting
        | ManagerState::Switching { .. }
        | ManagerState::Released => {}
    }
}

fn next_climb(core: &Core, running: Tier) -> NextClimb {
    let tiers = core.config.tiers.tiers();
    let mut patience = core.host.patience.borrow_mut();
    let climb_back = core.config.climb_back.unwrap_or_default();
    let rank = tiers.iter().position(|tier| *tier == running);
    patience.note_running(rank.unwrap_or_default(), now(), &climb_back);
    if candidates(tiers, running, &core.report.ladder()).is_empty() {
        NextClimb::None
    } else if core.config.climb_back.is_none() {
        NextClimb::Off
    } else {
        let after = patience.next_wait(&climb_back, js_sys::Math::random());
        NextClimb::Planned { after }
    }
}

async fn try_again(core: &Rc<Core>, running: Tier) {
    let tiers = core.config.tiers.tiers();
    for tier in candidates(tiers, running, &core.report.ladder()) {
        let started = now();
        let visit = visit(core, tier).await;
        if core.report.state() != ManagerState::Running(running) {
            return;
        }
        match visit {
            // It has been opened meanwhile.
            Ok(_) if core.wiring.holds_one_socket() => break,
            // The worker that was visited lives until its tab is there: a fresh one would have to load everything again.
            Ok(_visit) => {
                let _ = switch::move_to(core, tier, AttemptOutcome::Climbed).await;
                return;
            }
            Err(failure) => {
                core.report.push(Attempt {
                    tier,
                    outcome: AttemptOutcome::Failed(failure.clone()),
                    duration: now().saturating_sub(started),
                });
                diagnose::begin(core, tier, &failure);
            }
        }
    }
    plan(core, running);
}

/// Says hello to a worker of the tier, and goodbye. The tab's own session knows nothing of it.
async fn visit(core: &Rc<Core>, tier: Tier) -> Result<Transport, TierFailure> {
    let visited = knock_at(core, tier).await;
    let has_other = match visited {
        Err(TierFailure::HelloTimeout { .. }) if tier == Tier::Shared => {
            succession::escape(core).await
        }
        Err(TierFailure::VersionMismatch { .. }) if tier == Tier::Shared => succession::part(core),
        _ => false,
    };
    if has_other {
        return knock_at(core, tier).await;
    }
    visited
}

async fn knock_at(core: &Rc<Core>, tier: Tier) -> Result<Transport, TierFailure> {
    let page = page_for(core, tier)?;
    if tier == Tier::Shared {
        succession::follow(core).await;
    }
    let (verdicts, mut heard) = mpsc::unbounded();
    let welcome = Rc::new(Cell::new(None));
    let (tell, note) = (verdicts.clone(), Rc::clone(&welcome));
    let on_frame = move |_, arrived: Arrived| {
        if let Some(verdict) = verdict(arrived.frame(), &note) {
            // Who has stopped waiting does not mind.
            let _ = tell.unbounded_send(verdict);
        }
    };
    let spawner = Spawner::new(core, &page.script, Rc::new(on_frame), verdicts);
    let mut transport = spawner.spawn(core, tier, None, None)?;
    // A token of its own, and no lock: it is no tab that the worker would have to wait for.
    let hello = Hello::new(TabToken(js::random_u64()), false).encode();
    transport.post(&hello);
    let knock = || transport.knock(&core.config, &hello);
    match await_welcome(core.config.hello_timeout, &mut heard, knock).await {
        Ok(()) => {}
        Err(Stop::NotRunning(NotRunning::Failed(failure))) => return Err(failure),
        Err(Stop::NotRunning(NotRunning::Released) | Stop::RoleChanged) => {
            return Err(TierFailure::WorkerGone);
        }
    }
    if let Some((Welcome { epoch, .. }, version)) = welcome.get() {
        transport.say_goodbye(epoch, version);
    }
    Ok(transport)
}

fn verdict(frame: &Bytes, welcome: &Cell<Option<(Welcome, Version)>>) -> Option<Verdict> {
    let mismatch = |theirs| {
        let ours = VersionRange::OURS;
        Verdict::Failed(TierFailure::VersionMismatch { ours, theirs })
    };
    match Preface::decode(frame) {
        Ok(Preface::Welcome(welcomed)) => match Version::from_number(welcomed.version) {
            Some(version) => {
                welcome.set(Some((welcomed, version)));
                Some(Verdict::Welcomed)
            }
            None => Some(mismatch(welcomed.versions)),
        },
        Ok(Preface::Refused(refusal)) => Some(mismatch(refusal.versions)),
        Ok(Preface::Failed(failed)) => {
            let reason = failed.reason;
            Some(Verdict::Failed(TierFailure::WasmFailed { reason }))
        }
        Ok(_) | Err(_) => None,
    }
}
