//! In a browser: the port to the worker, the events of the page, and the tasks that move between tiers.

use core::{
    cell::{Cell, RefCell},
    fmt,
    time::Duration,
};
use std::rc::Rc;

use futures::channel::{mpsc, oneshot};
use onesocket_engine::SessionFailure;
use onesocket_protocol::{Epoch, TabToken};
use wasm_bindgen_futures::spawn_local;

mod attempt;
mod bell;
mod cached;
mod climb;
mod climb_back;
mod detect;
mod diagnose;
mod early;
mod election;
mod hall;
mod health;
mod js;
mod lock;
mod page;
mod parting;
mod release;
mod succession;
mod switch;
mod transport;

pub(crate) use bell::Bell;
pub(crate) use detect::detect;
pub(crate) use onesocket_worker::show_in_console as show_log;
pub(crate) use release::release;
pub(crate) use switch::switch;

use crate::{
    ConfigError, ManagerConfig, ManagerState, Start, Tier, TierFailure, climb_back::Patience,
    core::Core, wiring::Control,
};
use cached::Left;
use election::Election;
use health::Watching;
use lock::HeldLock;
use page::Page;
use succession::Succession;
use transport::Transport;

pub(crate) struct Host {
    token: Cell<TabToken>,
    /// Whether a worker may have been told of the token.
    has_told_token: Cell<bool>,
    /// `None` where there is no page: in a worker, in Node.
    page: Option<Page>,
    lock: RefCell<Option<HeldLock>>,
    transport: RefCell<Option<Transport>>,
    /// The attempt that waits for an answer.
    verdicts: RefCell<Option<mpsc::UnboundedSender<Verdict>>>,
    /// The switch that waits for the old worker.
    handed_over: RefCell<Option<oneshot::Sender<()>>>,
    /// The release that waits for the last word on every channel.
    settled: RefCell<Option<oneshot::Sender<()>>>,
    delivery_is_due: Cell<bool>,
    answer_is_due: Cell<bool>,
    /// Which run of a worker has welcomed this tab.
    epoch: Cell<Option<Epoch>>,
    watching: RefCell<Option<Watching>>,
    /// How many frames the worker has posted.
    heard: Cell<u64>,
    is_watching: Cell<bool>,
    is_probing: Cell<bool>,
    succession: Succession,
    election: Election,
    /// The tier whose worker is lost, until it can be replaced.
    burying: Cell<Option<Tier>>,
    /// What was left when the page went into the back-forward cache.
    left: RefCell<Option<Left>>,
    /// When workers were lost, the latest last.
    losses: RefCell<Vec<Duration>>,
    /// The number of the plan to go back to a better tier.
    climbs: Cell<u32>,
    patience: RefCell<Patience>,
}

/// How an attempt ends.
#[derive(Debug)]
enum Verdict {
    Welcomed,
    Failed(TierFailure),
    /// The worker is to be had in another way than it was.
    RoleChanged,
    Released,
}

impl Host {
    pub(crate) fn new(config: &ManagerConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            token: Cell::new(TabToken(js::random_u64())),
            has_told_token: Cell::new(false),
            page: Page::new(config)?,
            lock: RefCell::default(),
            transport: RefCell::default(),
            verdicts: RefCell::default(),
            handed_over: RefCell::default(),
            settled: RefCell::default(),
            delivery_is_due: Cell::new(false),
            answer_is_due: Cell::new(false),
            epoch: Cell::new(None),
            watching: RefCell::default(),
            heard: Cell::new(0),
            is_watching: Cell::new(false),
            is_probing: Cell::new(false),
            succession: Succession::default(),
            election: Election::default(),
            burying: Cell::new(None),
            left: RefCell::default(),
            losses: RefCell::default(),
            climbs: Cell::new(0),
            patience: RefCell::default(),
        })
    }

    pub(crate) fn token(&self) -> TabToken {
        self.token.get()
    }

    pub(crate) fn post(&self, frame: &[u8]) {
        if let Some(transport) = &*self.transport.borrow() {
            transport.post(frame);
        }
    }

    /// Tells the attempt that is under way; `false` when there is none.
    fn judge(&self, verdict: Verdict) -> bool {
        match &*self.verdicts.borrow() {
            Some(verdicts) => verdicts.unbounded_send(verdict).is_ok(),
            None => false,
        }
    }

    /// Returns whether the worker is another tab's.
    fn is_following(&self) -> bool {
        let transport = self.transport.borrow();
        transport.as_ref().is_some_and(Transport::is_follower)
    }

    fn holds_lock(&self) -> bool {
        self.lock.borrow().as_ref().is_some_and(HeldLock::is_held)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

pub(crate) fn begin(core: &Rc<Core>) {
    let Some(page) = &core.host.page else {
        return core.fail(SessionFailure::NoBrowser);
    };
    let starts_now = core.config.start == Start::Now;
    if starts_now {
        attempt::prepare(core);
    }
    page.listen(core);
    if starts_now {
        start(core);
    }
}

pub(crate) fn start(core: &Rc<Core>) {
    if core.host.page.is_none() {
        return;
    }
    match core.report.state() {
        ManagerState::Idle => {}
        ManagerState::Failed(_) => core.with_session(onesocket_engine::TabSession::revive),
        ManagerState::Starting
        | ManagerState::Running(_)
        | ManagerState::Switching { .. }
        | ManagerState::Released => return,
    }
    climb::begin(core);
}

/// Delivers in a microtask, so that no sink runs within a call of its owner.
pub(crate) fn deliver_soon(core: &Rc<Core>) {
    health::watch_for_ack(core);
    if !core.wiring.wants_delivery() || core.host.delivery_is_due.replace(true) {
        return;
    }
    let core = Rc::clone(core);
    spawn_local(async move { deliver(&core) });
}

/// Posts what a frame has called for, behind what the app's tasks make of its news: what they send takes the acknowledgement along. When they go on with it in
/// the next turn, that posts it.
fn answer_soon(core: &Rc<Core>) {
    if !core.host.answer_is_due.replace(true) {
        let core = Rc::clone(core);
        spawn_local(async move {
            core.host.answer_is_due.set(false);
            core.turn.end();
            core.with_session(|_| ());
        });
    }
}

/// Delivers now. Only a task that the browser has started may do so.
pub(crate) fn deliver(core: &Rc<Core>) {
    core.host.delivery_is_due.set(false);
    core.deliver();
    if !core.wiring.has_sinks() {
        let settled = core.host.settled.take();
        if let Some(settled) = settled {
            // Who has stopped waiting does not mind.
            let _ = settled.send(());
        }
    }
}

pub(crate) fn on_control(core: &Rc<Core>, control: Control) {
    match control {
        Control::Welcomed {
            epoch,
            version,
            tab,
        } => {
            tracing::debug!(target: "onesocket::tab", %epoch, %version, %tab, "welcomed");
            if let Some(transport) = &mut *core.host.transport.borrow_mut() {
                transport.dismiss_losers(epoch, version);
            }
            // The worker can connect while this page sees to the rest.
            core.with_session(|_| ());
            core.host.judge(Verdict::Welcomed);
            health::watch_worker(core, epoch);
        }
        Control::Refused(failure) => climb::on_refused(core, failure),
        Control::Restarted { epoch } => {
            tracing::warn!(target: "onesocket::tab", %epoch, "the browser has restarted the worker");
        }
        Control::HandedOver => {
            let handed_over = core.host.handed_over.take();
            if let Some(handed_over) = handed_over {
                // Who has stopped waiting does not mind.
                let _ = handed_over.send(());
            }
        }
        Control::Pong { .. } | Control::Changed => {}
    }
}

/// Returns which run of a worker has welcomed this tab last.
pub(crate) fn epoch(core: &Core) -> Option<Epoch> {
    core.host.epoch.get()
}

pub(crate) fn now() -> Duration {
    js::now()
}

pub(crate) fn sleep(duration: Duration) -> impl Future<Output = ()> {
    gloo_timers::future::sleep(duration)
}
