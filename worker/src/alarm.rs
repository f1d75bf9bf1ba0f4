//! The one timer of a host.

use std::{cell::RefCell, rc::Rc};

use gloo_timers::callback::Timeout;
use onesocket_engine::Time;

use crate::environment::Clock;

/// Rings once, at the engine's next deadline. Silent after a drop.
#[derive(Debug)]
pub(crate) struct Alarm {
    clock: Clock,
    armed: Rc<RefCell<Option<Armed>>>,
}

#[derive(Debug)]
struct Armed {
    deadline: Time,
    _timeout: Timeout,
}

impl Alarm {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            armed: Rc::default(),
        }
    }

    /// Arms the timer for `deadline`, or disarms it. Costs nothing while the deadline stays what it was.
    pub(crate) fn set(&self, deadline: Option<Time>, ring: impl FnOnce() + 'static) {
        let armed = self.armed.borrow().as_ref().map(|armed| armed.deadline);
        if armed == deadline {
            return;
        }
        let next = deadline.map(|deadline| {
            let delay = self.clock.until(deadline).min(LONGEST_MILLIS) as u32;
            let slot = Rc::downgrade(&self.armed);
            let timeout = Timeout::new(delay, move || {
                if let Some(slot) = slot.upgrade() {
                    slot.take();
                }
                ring();
            });
            Armed {
                deadline,
                _timeout: timeout,
            }
        });
        self.armed.replace(next);
    }

    pub(crate) fn disarm(&self) {
        self.armed.take();
    }
}

/// `setTimeout` takes a 32-bit integer and fires at once when it overflows:
/// <https://developer.mozilla.org/en-US/docs/Web/API/Window/setTimeout#maximum_delay_value>. An early tick does no harm.
const LONGEST_MILLIS: f64 = i32::MAX as f64;
