//! The driver: wait, one input, drain, repeat.

mod act;
mod fence;
mod gathering;
mod slots;

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::{Rc, Weak},
};

use onesocket_engine::{
    Engine, EngineConfig, Fifo, Input, LogSink, PortId, SocketId, Time, describe,
};
use onesocket_protocol::{DebugLevel, Epoch, LogEntry, Sight, WorkerScope, inspect};

use self::{fence::Fence, gathering::Stream, slots::Slots};
use crate::{
    alarm::Alarm,
    environment::{self, Clock, Global, Lead},
    listener::Listener,
    lock::{TabWatch, WorkerLock},
    port::{Inlet, Outlet, PortEnd},
    socket::Socket,
};

/// Drives one engine. Cloning shares it.
///
/// It runs in whichever context it was started in, which may be the page. A drop of the last clone ends it as [`stop`](Self::stop)
/// does.
#[derive(Clone)]
pub struct Host {
    inner: Rc<Inner>,
}

impl Host {
    /// Starts a loop with a random epoch. It holds no port and no socket yet.
    #[must_use]
    pub fn start(scope: WorkerScope, debug: DebugLevel) -> Self {
        let epoch = Epoch(environment::random_u64());
        let clock = Clock::start();
        let seed = environment::random_u64();
        let config = EngineConfig {
            epoch,
            scope,
            seed,
            online: environment::is_online(),
            debug,
        };
        let engine = Engine::new(config);
        #[cfg(feature = "transcode")]
        let engine = crate::transcode::prepare(engine, scope);
        let inner = Rc::new(Inner {
            epoch,
            clock,
            lead: Lead::start(),
            engine: RefCell::new(engine),
            inbox: RefCell::default(),
            is_driving: Cell::new(false),
            is_stopped: Cell::new(false),
            fence: Fence::default(),
            seen: Cell::new(Sight::Off),
            #[cfg(feature = "tracing")]
            forwards_lines: scope != WorkerScope::Main,
            last_port: Cell::new(0),
            ports: RefCell::default(),
            sockets: RefCell::default(),
            stream: Stream::default(),
            alarm: Alarm::default(),
            sink: LogSink::default(),
            network: RefCell::default(),
        });
        inner
            .network
            .replace(Vec::from(network_listeners(&Rc::downgrade(&inner))));
        #[cfg(feature = "tracing")]
        crate::debug::register(&Rc::downgrade(&inner));
        inner.on_debug(debug.into());
        Self { inner }
    }

    /// Returns which run this is; a tab reads the same in its welcome.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.inner.epoch
    }

    /// Takes a tab in. Nothing is posted to it before it says hello.
    ///
    /// A host that was stopped drops the port at once.
    pub fn accept(&self, end: impl PortEnd) {
        let host = Rc::downgrade(&self.inner);
        self.accept_with(|port| end.open(Inlet { host, port }));
    }

    pub(crate) fn accept_with(&self, open: impl FnOnce(PortId) -> Box<dyn Outlet>) {
        if self.inner.is_stopped.get() {
            return;
        }
        let port = PortId(self.inner.last_port.get() + 1);
        self.inner.last_port.set(port.0);
        let outlet = open(port);
        self.inner.ports.borrow_mut().push(
            port,
            Port {
                outlet,
                watch: None,
            },
        );
        self.inner.input(Input::PortOpened(port));
    }

    /// Ends the loop: closes every socket and port, and the timer. The tabs hear nothing from it any more, and what was
    /// queued for a socket is gone, so they have to be moved elsewhere first.
    pub fn stop(&self) {
        self.inner.stop();
    }

    /// Makes everything depend on this lock; to be called before the first port is accepted.
    pub(crate) fn fence(&self, lock: WorkerLock) {
        self.inner.fence(lock);
    }

    /// Posts a buffer to every tab past the engine, if that can be done without a panic.
    pub(crate) fn try_post_to_all(&self, frame: &[u8]) {
        if let Ok(ports) = self.inner.ports.try_borrow() {
            ports
                .iter()
                .for_each(|(_, port)| port.outlet.post(frame, &[]));
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("epoch", &self.inner.epoch)
            .finish_non_exhaustive()
    }
}

pub(crate) struct Inner {
    epoch: Epoch,
    clock: Clock,
    lead: Lead,
    engine: RefCell<Engine>,
    inbox: RefCell<Fifo<Input>>,
    is_driving: Cell<bool>,
    is_stopped: Cell<bool>,
    fence: Fence,
    /// What the engine's tabs want to see, at hand where every message passes by.
    seen: Cell<Sight>,
    /// Not in the page: its console is this context's own, and a line that comes back to it would be the next one for ever.
    #[cfg(feature = "tracing")]
    forwards_lines: bool,
    last_port: Cell<u32>,
    ports: RefCell<Slots<PortId, Port>>,
    sockets: RefCell<Slots<SocketId, Socket>>,
    stream: Stream,
    pub(crate) alarm: Alarm,
    sink: LogSink,
    network: RefCell<Vec<Listener>>,
}

struct Port {
    outlet: Box<dyn Outlet>,
    watch: Option<TabWatch>,
}

impl Inner {
    /// Gives the engine an input, now or, when this comes out of an output, right after that.
    pub(crate) fn input(self: &Rc<Self>, input: Input) {
        if !self.is_stopped.get() {
            self.take_gathered();
            self.inbox.borrow_mut().push(input);
            self.drive();
        }
    }

    /// Goes on with what waits, and with what was gathered since: it came later than all that is in the inbox.
    pub(crate) fn resume(self: &Rc<Self>) {
        self.take_gathered();
        self.drive();
    }

    /// Works off the inbox: each input, and the log that comes of it. Nothing may be gathered, as gathering may end by it.
    fn drive(self: &Rc<Self>) {
        if self.is_driving.replace(true) {
            return;
        }
        self.notice_sleep();
        self.notice_sockets();
        while let Some(input) = self.next_input() {
            let now = self.clock.now();
            if !self.may_act(now) {
                self.inbox.borrow_mut().push_front(input);
                self.is_driving.set(false);
                return;
            }
            if !self.note(now, &input) {
                continue;
            }
            let mut engine = self.engine.borrow_mut();
            engine.handle_input(now, input);
            self.drain(&mut engine, now);
        }
        // Lines of the app's own come by themselves.
        #[cfg(feature = "tracing")]
        if self.sink.is_loud() {
            self.drain(&mut self.engine.borrow_mut(), self.clock.now());
        }
        self.is_driving.set(false);
    }

    fn next_input(&self) -> Option<Input> {
        self.inbox.borrow_mut().pop()
    }

    /// In front of what has come meanwhile: a send must not be handed to a socket that is not to be trusted.
    fn notice_sleep(&self) {
        if let Some(slept) = self.lead.slept() {
            let mut inbox = self.inbox.borrow_mut();
            inbox.push_front(Input::Slept(slept));
        }
    }

    /// What changes without an event, or in front of it. A socket's close event is a task of its own, which may stand in the queue
    /// behind the one that runs now: without this the engine would hand messages to a socket that drops them silently. The state
    /// can't change again before this task ends, so once per wake is enough.
    ///
    /// What was handed over in this task, no browser has passed on before its end. So a socket is asked what it holds before it is
    /// handed more; whoever has sent acknowledges the receipt, which is the next wake. What it says goes behind what waits: several
    /// answers may wait for the lock, and the last must be the newest.
    ///
    /// A message of a server makes the engine hand nothing to other sockets than its own, but farewells of a tab that is cut off.
    fn notice_sockets(&self) {
        let mut inbox = self.inbox.borrow_mut();
        let only = match inbox.front() {
            Some(Input::Received { socket, .. } | Input::ReceivedParcel { socket, .. }) => {
                Some(*socket).filter(|_| inbox.len() == 1)
            }
            _ => None,
        };
        for (id, socket) in self.sockets.borrow_mut().iter_mut() {
            if only.is_some_and(|only| only != *id) {
                continue;
            }
            if socket.is_newly_closing() {
                inbox.push_front(Input::SocketClosing(*id));
            }
            if let Some(bytes) = socket.newly_buffered() {
                let socket = *id;
                inbox.push(Input::Buffered { socket, bytes });
            }
        }
    }

    pub(crate) fn stop(&self) {
        self.is_stopped.set(true);
        self.inbox.take();
        self.alarm.disarm();
        self.network.take();
        let _sockets = self.sockets.take();
        let _ports = self.ports.take();
    }
}

#[cfg(feature = "faults")]
impl Inner {
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Whatever comes from now on waits in the inbox, for ever.
    pub(crate) fn mute(&self) {
        self.is_driving.set(true);
    }

    pub(crate) fn lose_sockets(&self) {
        self.sockets
            .borrow()
            .iter()
            .for_each(|(_, socket)| socket.lose());
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// The `online` and `offline` events of this context. Chromium's workers have none
/// ([browser-compat-data#14442](https://github.com/mdn/browser-compat-data/issues/14442)): there the tabs pass theirs on.
fn network_listeners(host: &Weak<Inner>) -> [Listener; 2] {
    let global = Global::get();
    [("online", true), ("offline", false)].map(|(event, online)| {
        let host = host.clone();
        Listener::new(&global, event, move |_| {
            if let Some(host) = host.upgrade() {
                host.input(Input::Network { online });
            }
        })
    })
}

impl Inner {
    #[inline(never)]
    fn on_debug(&self, seen: Sight) {
        self.seen.set(seen);
        #[cfg(feature = "tracing")]
        if seen != Sight::Off {
            crate::debug::install();
        }
    }

    /// Passes a line of the app's own on.
    #[cfg(feature = "tracing")]
    pub(crate) fn push_line(&self, line: LogEntry) {
        if self.forwards_lines {
            self.sink.push(line);
        }
    }

    /// Logs what comes in. Call it only while the log is on.
    #[inline(never)]
    fn see_input(&self, now: Time, input: &Input) {
        let seen = self.seen.get();
        if seen == Sight::Recording {
            self.sink.push(inspect::moment(now.0 as u32));
            if let Input::Frame { port, frame } = input {
                self.sink.push(inspect::frame(port.0, frame));
            }
        }
        describe::input(input, seen, &|entry| self.see(entry));
    }

    /// Logs what was seen. Call it only while the log is on.
    fn see(&self, entry: LogEntry) {
        #[cfg(feature = "tracing")]
        crate::debug::show(&entry);
        // Not by way of the subscriber: the engine must know what it is about, as not every tab may read it.
        self.sink.push(entry);
    }
}
