//! For how long what has come may hold the page before the browser has a turn.
//!
//! A frame brings up to thousands of messages, and each costs the page what the app makes of it. The events of a WebSocket are a task each, between which
//! a browser paints and hears its user; so that a frame is no worse, what takes longer than [`SLICE`] goes on in a task of its own, and until all is read
//! the worker posts no more.

use core::{
    cell::{Cell, RefCell},
    fmt,
    task::Waker,
    time::Duration,
};
use std::rc::{Rc, Weak};

use crate::{
    core::Core,
    host::{self, Bell},
};

/// The next task of the browser's event loop, for whoever has held the page for long and is not through. Clones are the same.
///
/// ```
/// use onesocket_manager::{ManagerConfig, Stride, WorkerManager};
///
/// let manager = WorkerManager::new(ManagerConfig::default())?;
/// let (turn, mut stride) = (manager.turn(), Stride::default());
/// stride.begin();
/// // Without a browser nothing is held up, and there is no turn to wait for.
/// assert!(!stride.is_over(1) && turn.wait(std::task::Waker::noop()).is_none());
/// # Ok::<(), onesocket_manager::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Turn(Rc<State>);

struct State {
    /// How many were asked for and have begun.
    number: Cell<u32>,
    is_asked: Cell<bool>,
    /// Whether something that has come was not read yet when the last turn was over.
    is_behind: Cell<bool>,
    /// Who goes on in the next one.
    readers: RefCell<Vec<Waker>>,
    bell: RefCell<Option<Bell>>,
    core: RefCell<Weak<Core>>,
}

impl Turn {
    pub(crate) fn new() -> Self {
        Self(Rc::new(State {
            number: Cell::new(0),
            is_asked: Cell::new(false),
            is_behind: Cell::new(false),
            readers: RefCell::default(),
            bell: RefCell::default(),
            core: RefCell::default(),
        }))
    }

    /// Says whose it is.
    pub(crate) fn belongs_to(&self, core: &Rc<Core>) {
        self.0.core.replace(Rc::downgrade(core));
    }

    /// Has the waker woken in the next turn, and the worker post nothing more until all who have waited are through. Returns the number to ask
    /// [`is_to_come`](Self::is_to_come) about; `None` when there will be no turn, so that the reader has to go on.
    #[must_use]
    pub fn wait(&self, waker: &Waker) -> Option<u32> {
        if !self.ask() {
            return None;
        }
        let mut readers = self.0.readers.borrow_mut();
        if !readers.iter().any(|reader| reader.will_wake(waker)) {
            readers.push(waker.clone());
        }
        Some(self.0.number.get())
    }

    /// Returns whether the turn is still to come that [`wait`](Self::wait) has returned the number of.
    #[must_use]
    pub fn is_to_come(&self, number: u32) -> bool {
        self.is_asked() && self.0.number.get() == number
    }

    /// Asks for one; `false` when there is none to be had.
    pub(crate) fn ask(&self) -> bool {
        if self.is_asked() {
            return true;
        }
        let mut bell = self.0.bell.borrow_mut();
        if bell.is_none() {
            let core = self.0.core.borrow().upgrade();
            *bell = core.and_then(|core| Bell::new(&core));
        }
        let rings = bell.as_ref().is_some_and(Bell::ring);
        self.0.is_asked.set(rings);
        self.0.is_behind.set(rings);
        rings
    }

    /// Asks once more for one that has not come, in case the browser has lost it. One too many does no harm.
    pub(crate) fn ask_again(&self) {
        if let Some(bell) = &*self.0.bell.borrow()
            && self.is_asked()
        {
            bell.ring();
        }
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.is_asked.get()
    }

    /// It has come. Returns who has waited for it.
    pub(crate) fn begin(&self) -> Vec<Waker> {
        self.0.is_asked.set(false);
        self.0.number.set(self.0.number.get().wrapping_add(1));
        self.0.readers.take()
    }

    /// There will be none any more. Returns who has waited for one, to go on without.
    pub(crate) fn end_for_good(&self) -> Vec<Waker> {
        let _bell = self.0.bell.take();
        self.begin()
    }

    /// Who has waited has gone on by now: if nobody waits again, all is read.
    pub(crate) fn end(&self) {
        self.0.is_behind.set(self.is_asked());
    }

    /// Returns whether the worker should post nothing more yet.
    pub(crate) fn is_behind(&self) -> bool {
        self.0.is_behind.get()
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("is_asked", &self.is_asked())
            .finish_non_exhaustive()
    }
}

/// Counts messages that are told or read in one go, and looks at the clock: the more rarely the less a message costs.
#[derive(Debug)]
pub struct Stride {
    /// How many messages are between two looks.
    len: u32,
    left: u32,
    began: Option<Duration>,
    since: Duration,
}

impl Default for Stride {
    fn default() -> Self {
        Self {
            len: FIRST,
            left: FIRST,
            began: None,
            since: Duration::ZERO,
        }
    }
}

impl Stride {
    /// The page is held from now on. A few messages that cost nothing, such as a lone one, need no clock; what the last ones cost says little of those that come.
    pub fn begin(&mut self) {
        self.len = self.len.min(FIRST);
        self.left = self.len;
        self.began = None;
        if self.len < FIRST {
            self.look();
        }
    }

    /// Returns how many messages may follow before the next look.
    pub(crate) fn left(&self) -> u32 {
        self.left
    }

    /// Counts messages. Returns whether the page was held for so long that more should wait for the next turn.
    pub fn is_over(&mut self, messages: u32) -> bool {
        self.left = self.left.saturating_sub(messages);
        self.left == 0 && self.look()
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn look(&mut self) -> bool {
        let now = host::now();
        let since = core::mem::replace(&mut self.since, now);
        let held = match self.began {
            None => {
                self.began = Some(now);
                Duration::ZERO
            }
            Some(began) => {
                let took = now.saturating_sub(since).as_secs_f64();
                let fitting = f64::from(self.len) * LOOK.as_secs_f64() / took;
                let most = self.len.saturating_mul(2).min(LONGEST);
                // A cast from what is infinite, or no number, stays within.
                self.len = (fitting as u32).clamp(1, most);
                now.saturating_sub(began)
            }
        };
        self.left = self.len;
        held >= SLICE
    }
}

/// Half of a frame at 60 per second: the other half is the browser's.
const SLICE: Duration = Duration::from_millis(8);

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(1);

const FIRST: u32 = 4;

/// Messages that cost little may be followed by some that cost much.
const LONGEST: u32 = 64;

/// Their time is the test's own.
#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use core::sync::atomic::{AtomicBool, Ordering};
    use std::{sync::Arc, task::Wake};

    use super::*;
    use crate::ManagerConfig;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_waited_for_a_turn_of_a_manager_that_is_gone_waited_for_ever() {
        let core = Core::new(ManagerConfig::default()).expect("a configuration");
        let turn = core.turn.clone();
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let number = turn.wait(&waker).expect("there will be one");
        assert!(turn.is_to_come(number) && turn.is_behind());
        drop(core);
        assert!(woken.0.load(Ordering::Relaxed) && !turn.is_to_come(number));
        assert_eq!(turn.wait(&waker), None, "it goes on without");
    }

    #[test]
    fn a_turn_is_asked_for_once_and_tells_all_who_wait() {
        let core = Core::new(ManagerConfig::default()).expect("a configuration");
        let wakers = [(); 2].map(|()| Waker::from(Arc::<Woken>::default()));
        let numbers = wakers.each_ref().map(|waker| core.turn.wait(waker));
        assert_eq!(numbers[0], numbers[1]);
        assert_eq!(core.turn.wait(&wakers[0]), numbers[0]);
        assert_eq!(core.turn.begin().len(), 2, "each is woken once");
        core.turn.end();
        assert!(!core.turn.is_behind());
    }

    #[test]
    fn behind_a_burst_that_cost_nothing_a_hundred_costly_messages_were_read_in_one_turn() {
        let mut stride = Stride::default();
        stride.begin();
        for _ in 0..1_000 {
            assert!(!stride.is_over(1));
        }
        stride.begin();
        let costly = (1..).find(|_| {
            host::pass(Duration::from_millis(5));
            stride.is_over(1)
        });
        assert!(costly <= Some(8), "{costly:?}");
    }
}
