//! Between the pure session and the code of others: frames in, frames out, events to the sinks.
//!
//! Two rules make it safe against re-entrancy. Whoever gives the session an input drains it wholly, but for a frame, whose news are taken one
//! by one as they are delivered; and a sink is only called by [`Wiring::deliver`], outside of any borrow. A sink may therefore call
//! whatever it likes: what it does comes behind the news that are left. So may a `tracing` subscriber, which hears the lines of the log in the same way.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use bytes::Bytes;
use litemap::LiteMap;
use onesocket_engine::{ChannelConfig, ChannelEvent, SessionFailure, TabOutput, TabSession};
use onesocket_protocol::{
    ChannelId, DebugLevel, Epoch, LogEntry, LogLevel, Sight, TabId, TabToken, Version, WorkerError,
    frame::Arrived,
};

use crate::{
    inspection::{Observation, Observers},
    trace::{self, Direction},
    turn::{Stride, Turn},
};

pub(crate) type Sink = Rc<RefCell<dyn FnMut(ChannelEvent)>>;

/// The session, what it has said and what is not yet delivered, and who wants to hear it.
pub(crate) struct Wiring {
    session: RefCell<TabSession>,
    undelivered: RefCell<VecDeque<Delivery>>,
    sinks: RefCell<LiteMap<ChannelId, Sink>>,
    delivering: Cell<bool>,
    /// Whether what is undelivered waits for the next turn.
    is_pausing: Cell<bool>,
    /// How many of the undelivered are the manager's own.
    controls: Cell<usize>,
    stride: RefCell<Stride>,
    debug: Cell<DebugLevel>,
    /// Whether the worker's log goes to this page's console. In the page itself the worker has written it there.
    prints: Cell<bool>,
    observers: Observers,
}

/// Something to be told, in its turn.
enum Delivery {
    Event(ChannelId, ChannelEvent),
    Control(Control),
    Observation(Observation),
    Line(Line),
}

/// Something for the page's log.
enum Line {
    /// Of the worker's log.
    Entry(LogEntry),
    Complaint(WorkerError),
    /// What was posted, and how much of it is shown.
    Posted(Bytes, DebugLevel),
}

/// What the session says to the manager itself.
#[derive(Debug)]
pub(crate) enum Control {
    Welcomed {
        epoch: Epoch,
        version: Version,
        tab: TabId,
    },
    Refused(SessionFailure),
    Restarted {
        epoch: Epoch,
    },
    HandedOver,
    Pong {
        nonce: u32,
    },
    /// State or ladder have changed: the listeners want to know.
    Changed,
}

impl Wiring {
    pub(crate) fn new(token: TabToken, build: u64, debug: DebugLevel) -> Self {
        Self {
            session: RefCell::new(TabSession::new(token, debug).with_build(build)),
            undelivered: RefCell::default(),
            sinks: RefCell::default(),
            delivering: Cell::new(false),
            is_pausing: Cell::new(false),
            controls: Cell::new(0),
            stride: RefCell::default(),
            debug: Cell::new(debug),
            prints: Cell::new(true),
            observers: Observers::default(),
        }
    }

    /// Gives the session one input, and drains it. `post` is called within a borrow: it must not call back. Neither a
    /// `MessagePort` nor a local end does.
    pub(crate) fn with_session<T>(
        &self,
        post: &dyn Fn(&[u8]),
        input: impl FnOnce(&mut TabSession) -> T,
    ) -> T {
        let mut session = self.session.borrow_mut();
        let result = input(&mut session);
        while let Some(output) = session.poll_output() {
            self.take(output, post);
        }
        result
    }

    /// Returns the bytes of the session's hello.
    pub(crate) fn hello(&self, holds_lock: bool) -> Vec<u8> {
        self.session.borrow().hello(holds_lock).encode()
    }

    pub(crate) fn buffered_bytes(&self, channel: ChannelId) -> usize {
        self.session.borrow().buffered_bytes(channel)
    }

    pub(crate) fn socket_bytes(&self, channel: ChannelId) -> u32 {
        self.session.borrow().socket_bytes(channel)
    }

    pub(crate) fn greetings(&self, channel: ChannelId) -> usize {
        self.session.borrow().greetings(channel)
    }

    pub(crate) fn holds_one_socket(&self) -> bool {
        self.session.borrow().holds_one_socket()
    }

    pub(crate) fn owes_log_out(&self) -> bool {
        self.session.borrow().owes_log_out()
    }

    pub(crate) fn awaits_ack(&self) -> bool {
        self.session.borrow().awaits_ack()
    }

    /// A frame has come from the worker. What comes of it is told by [`deliver`](Self::deliver), and posted by the next
    /// [`with_session`](Self::with_session).
    pub(crate) fn handle_frame(&self, arrived: Arrived) {
        if self.debug.get() != DebugLevel::Off {
            trace::log_frame(Direction::ToTab, &arrived, self.debug.get());
        }
        self.session.borrow_mut().handle_arrived(arrived);
    }

    pub(crate) fn open(
        &self,
        post: &dyn Fn(&[u8]),
        config: ChannelConfig,
        sink: impl FnMut(ChannelEvent) + 'static,
    ) -> ChannelId {
        let channel = self.with_session(post, |session| session.open(config));
        self.sinks
            .borrow_mut()
            .insert(channel, Rc::new(RefCell::new(sink)));
        channel
    }

    pub(crate) fn set_debug(&self, post: &dyn Fn(&[u8]), level: DebugLevel) {
        self.debug.set(level);
        self.with_session(post, |session| session.set_debug(level));
    }

    pub(crate) fn observers(&self) -> &Observers {
        &self.observers
    }

    pub(crate) fn set_prints(&self, prints: bool) {
        self.prints.set(prints);
    }

    pub(crate) fn push_control(&self, control: Control) {
        self.controls.set(self.controls.get() + 1);
        self.undelivered
            .borrow_mut()
            .push_back(Delivery::Control(control));
    }

    /// Returns whether a delivery is due that nobody is making.
    pub(crate) fn wants_delivery(&self) -> bool {
        let is_made = self.delivering.get() || self.is_pausing.get();
        !is_made && !self.undelivered.borrow().is_empty()
    }

    /// Returns whether a channel has not had its last event.
    pub(crate) fn has_sinks(&self) -> bool {
        !self.sinks.borrow().is_empty()
    }

    /// Drops all sinks: nobody listens any more.
    pub(crate) fn drop_sinks(&self) {
        let sinks = core::mem::take(&mut *self.sinks.borrow_mut());
        drop(sinks);
    }

    /// Tells everything that is to be told, or as much as the turn has time for; then the next is asked for, and [`resume`](Self::resume) has to be called in it.
    /// Does nothing when called from within a sink: the call outside goes on.
    pub(crate) fn deliver(&self, turn: &Turn, control: impl Fn(Control)) {
        if self.is_pausing.get() || self.delivering.replace(true) {
            return;
        }
        let _delivering = Resetting(&self.delivering);
        self.stride.borrow_mut().begin();
        self.deliver_all(turn, &control);
    }

    /// What has waited for the next turn does so no more.
    pub(crate) fn resume(&self) {
        self.is_pausing.set(false);
    }

    #[inline(never)]
    fn deliver_all(&self, turn: &Turn, control: &dyn Fn(Control)) {
        while let Some(delivery) = self.next() {
            let told = match delivery {
                Delivery::Event(channel, event) => self.tell_some(channel, event),
                rare => {
                    self.deliver_rare(rare, control);
                    1
                }
            };
            if self.stride.borrow_mut().is_over(told) && self.may_pause() && turn.ask() {
                return self.is_pausing.set(true);
            }
        }
    }

    /// Takes what is to be told next.
    fn next(&self) -> Option<Delivery> {
        loop {
            let next = self.undelivered.borrow_mut().pop_front();
            if next.is_some() {
                return next;
            }
            let news = self.session.borrow_mut().poll_news();
            match news? {
                TabOutput::Event { channel, event } => {
                    return Some(Delivery::Event(channel, event));
                }
                rare => self.take_rare(rare, &|_| {}),
            }
        }
    }

    /// Returns whether something is left that may wait for the next turn. What the manager itself waits for may not: somebody has a timer for it.
    #[inline(never)]
    fn may_pause(&self) -> bool {
        loop {
            let news = self.session.borrow_mut().poll_news();
            match news {
                Some(news) => self.take(news, &|_| {}),
                None => break,
            }
        }
        self.controls.get() == 0 && !self.undelivered.borrow().is_empty()
    }

    /// Tells an event, of many messages no more than may be told before the next look at the clock. Returns how many messages it was.
    fn tell_some(&self, channel: ChannelId, event: ChannelEvent) -> u32 {
        let ChannelEvent::Packed(mut packed) = event else {
            self.tell(channel, event);
            return 1;
        };
        let most = self.stride.borrow().left();
        let first = packed.split_to(most);
        if packed.count() > 0 {
            let rest = Delivery::Event(channel, ChannelEvent::Packed(packed));
            self.undelivered.borrow_mut().push_front(rest);
        }
        let told = first.count();
        self.tell(channel, ChannelEvent::Packed(first));
        told
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn deliver_rare(&self, delivery: Delivery, control: &dyn Fn(Control)) {
        match delivery {
            Delivery::Event(channel, event) => self.tell(channel, event),
            Delivery::Control(what) => {
                self.controls.set(self.controls.get() - 1);
                control(what);
            }
            Delivery::Observation(what) => self.observers.tell(&what),
            Delivery::Line(line) => line.log(),
        }
    }

    fn on_log(&self, entry: LogEntry) {
        let is_inspected = self.observers.sight() != Sight::Off;
        // Who looks on has not asked for a flooded console.
        if self.prints.get() && (!is_inspected || self.debug.get() != DebugLevel::Off) {
            self.push_line(Line::Entry(entry.clone()));
        }
        if is_inspected {
            self.push_observation(Observation::Entry(entry));
        }
    }

    fn push_observation(&self, what: Observation) {
        self.undelivered
            .borrow_mut()
            .push_back(Delivery::Observation(what));
    }

    fn push_line(&self, line: Line) {
        self.undelivered
            .borrow_mut()
            .push_back(Delivery::Line(line));
    }

    /// Only messages are told here, so that what drops any other event is out of line.
    fn tell(&self, channel: ChannelId, event: ChannelEvent) {
        match event {
            ChannelEvent::Packed(packed) => {
                if let Some(sink) = self.sink(channel) {
                    (*sink.borrow_mut())(ChannelEvent::Packed(packed));
                }
            }
            ChannelEvent::Message { replayed, payload } => {
                if let Some(sink) = self.sink(channel) {
                    (*sink.borrow_mut())(ChannelEvent::Message { replayed, payload });
                }
            }
            event => self.tell_rare(channel, event),
        }
    }

    #[inline(never)]
    fn tell_rare(&self, channel: ChannelId, event: ChannelEvent) {
        let is_last = matches!(event, ChannelEvent::Closed);
        if let Some(sink) = self.sink(channel) {
            (*sink.borrow_mut())(event);
        }
        if is_last {
            self.forget(channel);
        }
    }

    fn sink(&self, channel: ChannelId) -> Option<Sink> {
        self.sinks.borrow().get(&channel).cloned()
    }

    #[inline(never)]
    fn forget(&self, channel: ChannelId) {
        // Dropped outside of the borrow: what the sink owns may drop channels.
        let sink = self.sinks.borrow_mut().remove(&channel);
        drop(sink);
    }

    fn take(&self, output: TabOutput<'_>, post: &dyn Fn(&[u8])) {
        match output {
            TabOutput::Event { channel, event } => self
                .undelivered
                .borrow_mut()
                .push_back(Delivery::Event(channel, event)),
            output => self.take_rare(output, post),
        }
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn take_rare(&self, output: TabOutput<'_>, post: &dyn Fn(&[u8])) {
        let control = match output {
            TabOutput::Post(frame) => {
                if self.debug.get() != DebugLevel::Off {
                    let copy = Bytes::copy_from_slice(frame);
                    self.push_line(Line::Posted(copy, self.debug.get()));
                }
                if let Some(opening) = self.observers.note_posted(frame) {
                    self.push_observation(opening);
                }
                return post(frame);
            }
            // Taken already.
            TabOutput::Event { .. } => return,
            TabOutput::Log(entry) => return self.on_log(entry),
            TabOutput::Error(error) => return self.push_line(Line::Complaint(error)),
            TabOutput::Welcomed {
                epoch,
                version,
                tab,
            } => Control::Welcomed {
                epoch,
                version,
                tab,
            },
            TabOutput::Refused(failure) => Control::Refused(failure),
            TabOutput::Restarted { epoch } => Control::Restarted { epoch },
            TabOutput::HandedOver => Control::HandedOver,
            TabOutput::Pong { nonce } => Control::Pong { nonce },
        };
        self.push_control(control);
    }
}

impl core::fmt::Debug for Wiring {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let channels = self.sinks.borrow().len();
        f.debug_struct("Wiring")
            .field("channels", &channels)
            .finish_non_exhaustive()
    }
}

impl Line {
    fn log(self) {
        match self {
            Self::Entry(entry) => log(&entry),
            Self::Complaint(error) => {
                tracing::warn!(target: "onesocket::tab", "the worker complains: {error}");
            }
            Self::Posted(frame, level) => {
                trace::log_frame(Direction::ToWorker, &frame.into(), level);
            }
        }
    }
}

/// A line of the worker's log. The target of a `tracing` event is fixed at compile time, so the worker's stands in front.
fn log(entry: &LogEntry) {
    let target = entry.target();
    match entry.level() {
        LogLevel::Error => tracing::error!(target: "onesocket::worker", "{target}: {entry}"),
        LogLevel::Warn => tracing::warn!(target: "onesocket::worker", "{target}: {entry}"),
        LogLevel::Info => tracing::info!(target: "onesocket::worker", "{target}: {entry}"),
        LogLevel::Debug => tracing::debug!(target: "onesocket::worker", "{target}: {entry}"),
        LogLevel::Trace => tracing::trace!(target: "onesocket::worker", "{target}: {entry}"),
    }
}

/// Clears the flag even when a sink panics, where panics unwind.
struct Resetting<'a>(&'a Cell<bool>);

impl Drop for Resetting<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

#[cfg(test)]
mod tests;
