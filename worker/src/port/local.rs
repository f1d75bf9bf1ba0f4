//! A port without a worker behind it: both ends are in this very page, which is the main tier.
//!
//! It behaves as a `MessageChannel` does, so that the engine and the tab can't tell: delivery is never synchronous, in order,
//! and waits for somebody to listen. It differs in cost, as the buffers never leave wasm memory; and in that a host hears when
//! the tab's end is closed.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

use bytes::Bytes;
use onesocket_protocol::parcel::Enclosed;
use wasm_bindgen_futures::spawn_local;

use super::{Inlet, Outlet, PortEnd};
use crate::held;

/// Makes two ends of one port.
///
/// ```no_run
/// use onesocket_worker::local;
///
/// let (tab, worker) = local::pair();
/// worker.on_frame(|frame| assert_eq!(&frame[..], b"hello"));
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
    /// Posts a buffer; it arrives in a microtask. Ignored once either end is closed.
    pub fn post(&self, frame: &[u8]) {
        self.outgoing.push(Some(Bytes::copy_from_slice(frame)));
    }

    /// Sets who is called with every buffer. What has arrived before waits for it.
    pub fn on_frame(&self, callback: impl Fn(Bytes) + 'static) {
        self.incoming.listen(move |frame| {
            if let Some(frame) = frame {
                callback(frame);
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
        self.incoming.listen(move |frame| match frame {
            Some(frame) => inlet.frame(frame),
            None => inlet.close(),
        });
        Box::new(self)
    }
}

impl Outlet for LocalEnd {
    fn post(&self, frame: &[u8], enclosed: &[Enclosed]) {
        let frame = held::join(frame, enclosed);
        self.outgoing.push(Some(frame.into()));
    }
}

type Listen = dyn Fn(Option<Bytes>);

/// One direction. `None` is its end.
#[derive(Default)]
struct Lane {
    frames: RefCell<VecDeque<Option<Bytes>>>,
    listener: RefCell<Option<Rc<Listen>>>,
    is_scheduled: Cell<bool>,
    is_closed: Cell<bool>,
}

impl Lane {
    fn push(self: &Rc<Self>, frame: Option<Bytes>) {
        if self.is_closed.get() {
            return;
        }
        self.is_closed.set(frame.is_none());
        self.frames.borrow_mut().push_back(frame);
        self.schedule();
    }

    fn listen(self: &Rc<Self>, listener: impl Fn(Option<Bytes>) + 'static) {
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
        let lane = Rc::clone(self);
        spawn_local(async move { lane.deliver() });
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
