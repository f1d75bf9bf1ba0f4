//! The one timer of a host.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use gloo_timers::callback::Timeout;
use onesocket_engine::{Input, Time};

use crate::{environment::Clock, host::Inner};

/// Rings once, at the engine's next deadline. Silent after a drop.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    deadline: Cell<Option<Time>>,
    timeout: RefCell<Option<Timeout>>,
}

impl Alarm {
    /// Arms the timer for `deadline`, or disarms it. Costs nothing while the deadline stays what it was.
    pub(crate) fn set(&self, deadline: Option<Time>, clock: Clock, host: &Rc<Inner>) {
        if self.deadline.replace(deadline) == deadline {
            return;
        }
        let timeout = deadline.map(|deadline| {
            let delay = clock.until(deadline).min(LONGEST_MILLIS) as u32;
            let host = Rc::downgrade(host);
            Timeout::new(delay, move || {
                if let Some(host) = host.upgrade() {
                    host.alarm.disarm();
                    host.input(Input::Tick);
                }
            })
        });
        self.timeout.replace(timeout);
    }

    pub(crate) fn disarm(&self) {
        self.deadline.take();
        self.timeout.take();
    }
}

/// `setTimeout` takes a 32-bit integer and fires at once when it overflows:
/// <https://developer.mozilla.org/en-US/docs/Web/API/Window/setTimeout#maximum_delay_value>. An early tick does no harm.
const LONGEST_MILLIS: f64 = i32::MAX as f64;
