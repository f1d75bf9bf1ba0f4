//! What the manager tells about itself: its state, its ladder, and to whom.

use core::fmt;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures::channel::oneshot;
use litemap::LiteMap;
use onesocket_engine::SessionFailure;

use crate::{Attempt, AttemptOutcome, Ladder, NextClimb, Role, Tier, TierFailure};

/// What a [`WorkerManager`](crate::WorkerManager) is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ManagerState {
    /// Nothing yet: it was made with [`Start::Lazy`](crate::Start::Lazy).
    Idle,
    /// It tries the tiers.
    Starting,
    /// A tier runs.
    Running(Tier),
    /// It changes from one tier to another.
    Switching {
        /// The one that is left.
        from: Tier,
        /// The one that comes.
        to: Tier,
    },
    /// No tier works; every channel has been told. [`WorkerManager::start`](crate::WorkerManager::start) tries them again, and so does a page that comes
    /// back from the back-forward cache.
    Failed(SessionFailure),
    /// The last handle is gone and the worker released.
    Released,
}

impl fmt::Display for ManagerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("not started"),
            Self::Starting => f.write_str("starting"),
            Self::Running(tier) => write!(f, "running ({tier})"),
            Self::Switching { from, to } => write!(f, "switching from {from} to {to}"),
            Self::Failed(failure) => write!(f, "failed: {failure}"),
            Self::Released => f.write_str("released"),
        }
    }
}

type Listener = Rc<RefCell<dyn FnMut(&ManagerState, &Ladder)>>;
type ReadyResult = Result<Tier, SessionFailure>;

/// State and ladder, and those who want to know.
pub(crate) struct Report {
    state: RefCell<ManagerState>,
    ladder: RefCell<Ladder>,
    listeners: RefCell<LiteMap<u64, Listener>>,
    next_listener: Cell<u64>,
    waiting: RefCell<Vec<oneshot::Sender<ReadyResult>>>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            state: RefCell::new(ManagerState::Idle),
            ladder: RefCell::default(),
            listeners: RefCell::default(),
            next_listener: Cell::new(0),
            waiting: RefCell::default(),
        }
    }

    pub(crate) fn state(&self) -> ManagerState {
        self.state.borrow().clone()
    }

    pub(crate) fn ladder(&self) -> Ladder {
        self.ladder.borrow().clone()
    }

    pub(crate) fn tier(&self) -> Option<Tier> {
        match *self.state.borrow() {
            // Sends still go to the old tier until it has handed over.
            ManagerState::Running(tier) | ManagerState::Switching { from: tier, .. } => Some(tier),
            ManagerState::Idle
            | ManagerState::Starting
            | ManagerState::Failed(_)
            | ManagerState::Released => None,
        }
    }

    /// Takes a new state. The caller sees to it that the listeners are told.
    pub(crate) fn enter(&self, state: ManagerState) {
        *self.state.borrow_mut() = state;
        if let Some(result) = self.settled() {
            for waiting in self.waiting.take() {
                // Who has stopped waiting does not mind.
                let _ = waiting.send(result.clone());
            }
        }
    }

    pub(crate) fn push(&self, attempt: Attempt) {
        self.ladder.borrow_mut().push(attempt);
    }

    pub(crate) fn set_next_climb(&self, next_climb: NextClimb) {
        self.ladder.borrow_mut().set_next_climb(next_climb);
    }

    pub(crate) fn set_role(&self, role: Option<Role>) {
        self.ladder.borrow_mut().set_role(role);
    }

    pub(crate) fn end_running(&self, outcome: AttemptOutcome) {
        self.ladder.borrow_mut().end_running(outcome);
    }

    pub(crate) fn refine(&self, tier: Tier, from: &TierFailure, to: TierFailure) -> bool {
        self.ladder.borrow_mut().refine(tier, from, to)
    }

    /// Resolves when a tier runs, or none can be had.
    pub(crate) fn ready(&self) -> oneshot::Receiver<ReadyResult> {
        let (tell, told) = oneshot::channel();
        match self.settled() {
            Some(result) => {
                // The receiver is at hand.
                let _ = tell.send(result);
            }
            None => self.waiting.borrow_mut().push(tell),
        }
        told
    }

    pub(crate) fn listen(&self, listener: impl FnMut(&ManagerState, &Ladder) + 'static) -> u64 {
        let id = self.next_listener.get();
        self.next_listener.set(id + 1);
        self.listeners
            .borrow_mut()
            .insert(id, Rc::new(RefCell::new(listener)));
        id
    }

    pub(crate) fn unlisten(&self, id: u64) {
        let listener = self.listeners.borrow_mut().remove(&id);
        drop(listener);
    }

    /// Tells all listeners how things are. Each is called outside of any borrow.
    pub(crate) fn tell_listeners(&self) {
        let (state, ladder) = (self.state(), self.ladder());
        let ids: Vec<u64> = self.listeners.borrow().keys().copied().collect();
        for id in ids {
            let listener = self.listeners.borrow().get(&id).cloned();
            if let Some(listener) = listener {
                (*listener.borrow_mut())(&state, &ladder);
            }
        }
    }

    fn settled(&self) -> Option<ReadyResult> {
        match &*self.state.borrow() {
            ManagerState::Running(tier) => Some(Ok(*tier)),
            ManagerState::Failed(failure) => Some(Err(failure.clone())),
            ManagerState::Idle
            | ManagerState::Starting
            | ManagerState::Switching { .. }
            | ManagerState::Released => None,
        }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("state", &self.state)
            .field("ladder", &self.ladder)
            .finish_non_exhaustive()
    }
}
