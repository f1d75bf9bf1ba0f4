//! A port without a worker behind it: both ends are in this very page, which is the main tier.
//!
//! It behaves as a `MessageChannel` does, so that the engine and the tab can't tell: delivery is never synchronous, in order,
//! and waits for somebody to listen. It differs in cost, as the buffers never leave wasm memory and come in a microtask, for as long as the browser
//! has a turn once in a while; and in that a host hears when the tab's end is closed.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

use bytes::Bytes;
use onesocket_protocol::{frame::Arrived, parcel::Enclosed};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{MessageChannel, MessagePort};

use super::{Inlet, Outlet, PortEnd};
use crate::environment::performance_now;

/// Makes two ends of one port.
///
/// ```no_run
/// use onesocket_worker::local;
///
/// let (tab, worker) = local::pair();
/// worker.on_frame(|arrived| assert_eq!(&arrived.frame()[..], b"hello"));
/// tab.post(b"hello");
/// ```
#[must_use]
pub fn pair() -> (LocalEnd, LocalEnd) {
    let (there, back) = (Rc::<Lane>::default(), Rc::<Lane>::default());
    (
        LocalEnd {
            incoming: Rc::clone(&back),
            outgoing: Rc::clone(&there),
        },
        LocalEnd {
            incoming: there,
            outgoing: back,
        },
    )
}

/// One end of a local port. A drop closes it.
pub struct LocalEnd {
    incoming: Rc<Lane>,
    outgoing: Rc<Lane>,
}

impl LocalEnd {
    /// Posts a buffer; it arrives in a microtask, or in a task when others have come for long without one in between. Ignored once either end is
    /// closed.
    pub fn post(&self, frame: &[u8]) {
        self.outgoing
            .push(Some(Bytes::copy_from_slice(frame).into()));
    }

    /// Sets who is called with every buffer, and what belongs into it. What has arrived before waits for it.
    pub fn on_frame(&self, callback: impl Fn(Arrived) + 'static) {
        self.incoming.listen(move |arrived| {
            if let Some(arrived) = arrived {
                callback(arrived);
            }
        });
    }

    /// Closes both directions: this end hears nothing any more, the other end what was posted before.
    pub fn close(&self) {
        self.incoming.close();
        self.outgoing.push(None);
    }
}

impl Drop for LocalEnd {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for LocalEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnd").finish_non_exhaustive()
    }
}

impl PortEnd for LocalEnd {
    fn open(self, inlet: Inlet) -> Box<dyn Outlet> {
        self.incoming.listen(move |arrived| match arrived {
            // A tab encloses nothing.
            Some(arrived) => inlet.frame(arrived.frame().clone()),
            None => inlet.close(),
        });
        Box::new(self)
    }
}

impl Outlet for LocalEnd {
    fn post(&self, frame: &[u8], enclosed: &[Enclosed]) {
        // The engine encloses nothing out of place.
        let frame = Bytes::copy_from_slice(frame);
        let arrived = Arrived::new(frame, enclosed.to_vec());
        self.outgoing.push(Some(arrived.unwrap_or_default()));
    }
}

type Listen = dyn Fn(Option<Arrived>);

/// One direction. `None` is its end.
#[derive(Default)]
struct Lane {
    frames: RefCell<VecDeque<Option<Arrived>>>,
    listener: RefCell<Option<Rc<Listen>>>,
    is_scheduled: Cell<bool>,
    is_closed: Cell<bool>,
    /// How often it has delivered since it has looked at the clock.
    deliveries: Cell<u32>,
    /// When the browser was asked for a turn last, or had one.
    began: Cell<f64>,
    /// Whether it has not had that turn yet, and whether what is scheduled waits for it.
    is_asked: Cell<bool>,
    waits: Cell<bool>,
}

impl Lane {
    fn push(self: &Rc<Self>, frame: Option<Arrived>) {
        if self.is_closed.get() {
            return;
        }
        self.is_closed.set(frame.is_none());
        self.frames.borrow_mut().push_back(frame);
        self.schedule();
    }

    fn listen(self: &Rc<Self>, listener: impl Fn(Option<Arrived>) + 'static) {
        self.listener.replace(Some(Rc::new(listener)));
        self.schedule();
    }

    fn close(&self) {
        self.is_closed.set(true);
        self.frames.take();
        // Its captures may own the other end; they are dropped after the slot is free again.
        let _listener = self.listener.take();
    }

    fn schedule(self: &Rc<Self>) {
        if self.listener.borrow().is_none()
            || self.frames.borrow().is_empty()
            || self.is_scheduled.replace(true)
        {
            return;
        }
        if self.has_lasted() && self.must_wait() {
            return;
        }
        let lane = Rc::clone(self);
        spawn_local(async move { lane.deliver() });
    }

    /// Whether it may have kept the browser from everything else for long. A clock that is asked per message costs more than what it finds out.
    fn has_lasted(&self) -> bool {
        let deliveries = self.deliveries.get() + 1;
        self.deliveries.set(deliveries % LOOK_AFTER);
        deliveries == LOOK_AFTER && performance_now() - self.began.get() >= MOST_MILLIS
    }

    /// Only asks at first: behind a pause the browser has had its turns, and nobody has told. An app that sends whenever its last send is done would else keep
    /// the browser from everything else, for ever; so would one for which each message is work.
    #[inline(never)]
    fn must_wait(self: &Rc<Self>) -> bool {
        if self.is_asked.get() {
            self.waits.set(true);
            return true;
        }
        self.began.set(performance_now());
        self.is_asked.set(self.ask_turn());
        false
    }

    /// Asks for a task of its own. A timer would be late in a hidden page. `false` where there is no such task.
    fn ask_turn(self: &Rc<Self>) -> bool {
        let Ok(channel) = MessageChannel::new() else {
            return false;
        };
        let (ours, theirs) = (channel.port1(), channel.port2());
        let lane = Rc::clone(self);
        let on_turn = Closure::once_into_js({
            // Both, as neither may be collected before.
            let ports = [ours.clone(), theirs.clone()];
            move || {
                ports.iter().for_each(MessagePort::close);
                lane.is_asked.set(false);
                lane.began.set(performance_now());
                if lane.waits.replace(false) {
                    lane.deliver();
                }
            }
        });
        ours.set_onmessage(Some(on_turn.unchecked_ref()));
        theirs.post_message(&JsValue::NULL).is_ok()
    }

    fn deliver(&self) {
        self.is_scheduled.set(false);
        // What is posted meanwhile has its own microtask: a ping-pong must not hold this one for ever.
        let count = self.frames.borrow().len();
        for _ in 0..count {
            let listener = self.listener.borrow().clone();
            let Some(listener) = listener else { return };
            let frame = self.frames.borrow_mut().pop_front();
            let Some(frame) = frame else { return };
            listener(frame);
        }
    }
}

/// After so many deliveries a lane looks at the clock.
const LOOK_AFTER: u32 = 8;

/// Half of a frame at 60 per second: the other half is the browser's.
const MOST_MILLIS: f64 = 8.0;
