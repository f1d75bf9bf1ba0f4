//! What the host asks of its surroundings: where it runs, what time it is, something random.

use std::cell::Cell;

use onesocket_engine::Time;
use onesocket_protocol::{Millis, WorkerScope};
use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

#[cfg(not(feature = "gloo-net"))]
use crate::socket::Dial;
use crate::{lock::LockManager, serve::prelude::Prelude};

/// Returns where this code runs; `None` where the loop can't (a service worker, a worklet, Node).
///
/// It looks at the class of the global object, so it can be called before anything else.
#[must_use]
pub fn scope() -> Option<WorkerScope> {
    let global = Global::get();
    if global.has_type::<web_sys::SharedWorkerGlobalScope>() {
        Some(WorkerScope::Shared)
    } else if global.has_type::<web_sys::DedicatedWorkerGlobalScope>() {
        Some(WorkerScope::Dedicated)
    } else if global.has_type::<web_sys::Window>() {
        Some(WorkerScope::Main)
    } else {
        None
    }
}

/// Returns whether this code runs in a SharedWorker or a dedicated Worker, where [`serve`](crate::serve) is to be called.
#[must_use]
pub fn is_worker() -> bool {
    matches!(scope(), Some(WorkerScope::Shared | WorkerScope::Dedicated))
}

/// The engine's clock: milliseconds since the host started, monotonic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: f64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: performance_now(),
        }
    }

    pub(crate) fn now(self) -> Time {
        Time((performance_now() - self.start) as u64)
    }

    /// Returns the milliseconds until `moment`; 0 when it has passed.
    ///
    /// Rounded up, or the timer would be early by a fraction and the engine would find nothing due.
    pub(crate) fn until(self, moment: Time) -> f64 {
        (moment.0 as f64 + self.start - performance_now())
            .ceil()
            .max(0.0)
    }
}

/// How far the wall clock is in front of the engine's, which some systems stop while the machine sleeps
/// ([W3C hr-time#115](https://github.com/w3c/hr-time/issues/115)).
#[derive(Debug)]
pub(crate) struct Lead {
    lead: Cell<f64>,
    /// When it was asked last, by the wall clock.
    asked: Cell<f64>,
}

impl Lead {
    pub(crate) fn start() -> Self {
        let wall = js_sys::Date::now();
        Self {
            lead: Cell::new(wall - performance_now()),
            asked: Cell::new(wall),
        }
    }

    /// Returns for how long the machine has slept since the last call, if it has. A wall clock that was set forward looks
    /// the same.
    ///
    /// Asked for each message, so it looks at the other clock only when there was time enough to sleep.
    pub(crate) fn slept(&self) -> Option<Millis> {
        let wall = js_sys::Date::now();
        if wall - self.asked.replace(wall) < SHORTEST_SLEEP_MILLIS {
            return None;
        }
        let lead = wall - performance_now();
        let gained = lead - self.lead.replace(lead);
        (gained >= SHORTEST_SLEEP_MILLIS).then_some(Millis(gained as u32))
    }
}

/// Above what a clock is corrected by now and then, below any sleep that a socket does not survive.
const SHORTEST_SLEEP_MILLIS: f64 = 5_000.0;

/// Returns a random number that another worker or tab does not draw too.
pub(crate) fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    if get_random_values(&mut bytes).is_err() {
        // No browser is known to refuse eight bytes. Without them a weaker number still tells two runs apart.
        return js_sys::Math::random().to_bits() ^ js_sys::Date::now().to_bits().rotate_left(32);
    }
    u64::from_le_bytes(bytes)
}

/// Returns what the browser says about the network; `true` where it says nothing.
pub(crate) fn is_online() -> bool {
    let navigator = Global::navigator();
    navigator.is_none_or(|navigator| navigator.online() != Some(false))
}

#[wasm_bindgen]
extern "C" {
    /// The global object, of whatever kind. What js-sys has for it tries four names and keeps what it finds.
    #[wasm_bindgen(js_name = globalThis, extends = EventTarget)]
    pub(crate) type Global;

    #[wasm_bindgen(static_method_of = Global, getter = globalThis)]
    pub(crate) fn get() -> Global;

    #[wasm_bindgen(static_method_of = Global, getter)]
    pub(crate) fn navigator() -> Option<Navigator>;

    #[wasm_bindgen(static_method_of = Global, getter)]
    pub(crate) fn onesocket() -> Option<Prelude>;

    #[cfg(not(feature = "gloo-net"))]
    #[wasm_bindgen(static_method_of = Global, getter, js_name = onesocketDial)]
    pub(crate) fn onesocket_dial() -> Option<Dial>;

    pub(crate) type Navigator;

    #[wasm_bindgen(method, getter, js_name = onLine)]
    fn online(this: &Navigator) -> Option<bool>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn locks(this: &Navigator) -> Option<LockManager>;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(crate) fn performance_now() -> f64;

    #[wasm_bindgen(catch, js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]) -> Result<JsValue, JsValue>;
}
