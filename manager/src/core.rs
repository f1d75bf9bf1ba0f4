//! What all handles of a manager share. It knows no browser: [`crate::host`] does.

use core::{
    cell::{Cell, RefCell},
    task::Waker,
};
use std::rc::Rc;

use futures::channel::oneshot;
use litemap::LiteMap;
use onesocket_engine::{SessionFailure, TabSession};
use onesocket_protocol::{ChannelId, DebugLevel};

use crate::{
    ConfigError, ManagerConfig, ManagerState, Tier,
    host::{self, Host},
    report::Report,
    turn::Turn,
    wiring::{Control, Wiring},
};

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: ManagerConfig,
    pub(crate) wiring: Wiring,
    pub(crate) turn: Turn,
    pub(crate) report: Report,
    pub(crate) host: Host,
    /// Managers and channels that are alive. Not the count of the `Rc`: tasks hold that too.
    handles: Cell<usize>,
    pings: RefCell<LiteMap<u32, oneshot::Sender<()>>>,
    next_ping: Cell<u32>,
    change_is_due: Cell<bool>,
    /// Who waits until no channel is one socket.
    freed: RefCell<Option<oneshot::Sender<()>>>,
}

impl Core {
    pub(crate) fn new(config: ManagerConfig) -> Result<Rc<Self>, ConfigError> {
        config.check()?;
        let host = Host::new(&config)?;
        if config.debug != DebugLevel::Off {
            host::show_log(config.debug);
        }
        let core = Rc::new(Self {
            wiring: Wiring::new(host.token(), config.build, config.debug),
            turn: Turn::new(),
            report: Report::new(),
            host,
            handles: Cell::new(0),
            pings: RefCell::default(),
            next_ping: Cell::new(0),
            change_is_due: Cell::new(false),
            freed: RefCell::default(),
            config,
        });
        core.turn.belongs_to(&core);
        host::begin(&core);
        Ok(core)
    }

    /// Gives the session one input. What comes of it is posted now and delivered later, outside of the caller's call.
    pub(crate) fn with_session<T>(self: &Rc<Self>, input: impl FnOnce(&mut TabSession) -> T) -> T {
        let result = self
            .wiring
            .with_session(&|frame| self.host.post(frame), |session| {
                let result = input(session);
                session.withhold(self.turn.is_behind());
                result
            });
        host::deliver_soon(self);
        result
    }

    /// Delivers all events, or as many as one turn has time for, and the others in the next. Called from the top of a task only, or from within a sink,
    /// where it does nothing.
    pub(crate) fn deliver(self: &Rc<Self>) {
        self.wiring.deliver(&self.turn, |control| match control {
            Control::Changed => {
                self.change_is_due.set(false);
                self.report.tell_listeners();
            }
            Control::Pong { nonce } => self.on_pong(nonce),
            control => host::on_control(self, control),
        });
    }

    /// The browser has had its turn: who has waited for the next goes on.
    pub(crate) fn on_turn(self: &Rc<Self>) {
        self.turn.begin().into_iter().for_each(Waker::wake);
        self.wiring.resume();
        host::deliver(self);
    }

    /// Takes a new state, and sees to it that the listeners are told.
    pub(crate) fn enter(self: &Rc<Self>, state: ManagerState) {
        if let ManagerState::Running(tier) = state {
            self.wiring.set_prints(tier != Tier::Main);
        }
        self.report.enter(state);
        self.changed();
    }

    /// Sees to it that the listeners are told.
    pub(crate) fn changed(self: &Rc<Self>) {
        if !self.change_is_due.replace(true) {
            self.wiring.push_control(Control::Changed);
            host::deliver_soon(self);
        }
    }

    /// No tier works: every channel is told, every send settled.
    pub(crate) fn fail(self: &Rc<Self>, why: SessionFailure) {
        self.enter(ManagerState::Failed(why.clone()));
        self.with_session(|session| session.fail(why));
    }

    pub(crate) fn close(self: &Rc<Self>, channel: ChannelId) {
        self.with_session(|session| session.close(channel));
        if !self.wiring.holds_one_socket() {
            drop(self.freed.take());
        }
    }

    /// What ends when no channel is one socket any more, which no other worker can take over, and when it is asked for again; `None` when none
    /// is.
    pub(crate) fn until_free(&self) -> Option<oneshot::Receiver<()>> {
        self.wiring.holds_one_socket().then(|| {
            let (tell, told) = oneshot::channel();
            self.freed.replace(Some(tell));
            told
        })
    }

    pub(crate) fn ping(self: &Rc<Self>) -> Ping {
        let nonce = self.next_ping.get();
        self.next_ping.set(nonce.wrapping_add(1));
        let (answer, answered) = oneshot::channel();
        self.pings.borrow_mut().insert(nonce, answer);
        self.with_session(|session| session.ping(nonce));
        Ping {
            answered,
            core: Rc::clone(self),
            nonce,
        }
    }

    fn on_pong(&self, nonce: u32) {
        let answer = self.pings.borrow_mut().remove(&nonce);
        if let Some(answer) = answer {
            // Who has stopped waiting does not mind.
            let _ = answer.send(());
        }
    }

    pub(crate) fn is_used(&self) -> bool {
        self.handles.get() > 0
    }

    pub(crate) fn add_handle(&self) {
        self.handles.set(self.handles.get() + 1);
    }

    pub(crate) fn drop_handle(self: &Rc<Self>) {
        self.handles.set(self.handles.get() - 1);
        if !self.is_used() {
            host::release(self);
        }
    }
}

impl Drop for Core {
    /// A stream may be read when its client and its manager are gone.
    fn drop(&mut self) {
        self.turn.end_for_good().into_iter().for_each(Waker::wake);
    }
}

/// A ping that somebody waits for. A lost worker answers none, so a drop forgets it.
pub(crate) struct Ping {
    pub(crate) answered: oneshot::Receiver<()>,
    core: Rc<Core>,
    nonce: u32,
}

impl Drop for Ping {
    fn drop(&mut self) {
        self.core.pings.borrow_mut().remove(&self.nonce);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use onesocket_engine::ChannelConfig;
    use onesocket_protocol::{GiveUp, LinkKey, LinkPolicy, QueueLimits, Replay};

    use super::*;
    use crate::{Channel, WorkerManager};

    fn open(manager: &WorkerManager, attempts: Option<u32>, messages: u32) -> Channel {
        let policy = LinkPolicy {
            give_up: GiveUp {
                attempts,
                after: None,
            },
            queue: QueueLimits {
                messages,
                ..QueueLimits::default()
            },
            ..LinkPolicy::default()
        };
        let key = LinkKey {
            url: "wss://x.org/".to_owned(),
            subprotocols: Vec::new(),
            account: String::new(),
        };
        let replay = Replay::None;
        let config = ChannelConfig {
            key,
            policy,
            replay,
        };
        manager.open(config, |_| ())
    }

    #[test]
    fn what_is_one_socket_puts_off_a_change_of_tier_until_it_is_closed() {
        let manager = WorkerManager::new(ManagerConfig::default()).expect("a manager");
        let core = manager.core();
        // They dial again, or what they send waits.
        let _others = [
            open(&manager, None, 10_000),
            open(&manager, None, 0),
            open(&manager, Some(2), 0),
            open(&manager, Some(1), 10_000),
        ];
        assert!(core.until_free().is_none());

        let once = [open(&manager, Some(1), 0), open(&manager, Some(1), 0)];
        let mut freed = core.until_free().expect("it is put off");
        let [first, last] = once;
        first.close();
        assert!((&mut freed).now_or_never().is_none());
        open(&manager, None, 0).close();
        assert!((&mut freed).now_or_never().is_none());
        last.close();
        assert!(freed.now_or_never().is_some());
        assert!(core.until_free().is_none());
    }

    #[test]
    fn a_ping_that_nobody_waits_for_is_forgotten() {
        let core = Core::new(ManagerConfig::default()).expect("a configuration");
        let ping = core.ping();
        assert_eq!(core.pings.borrow().len(), 1);
        drop(ping);
        assert_eq!(core.pings.borrow().len(), 0);
    }
}
