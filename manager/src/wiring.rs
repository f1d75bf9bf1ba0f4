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
mod tests {
    use onesocket_engine::Delivery;

    use onesocket_protocol::{
        BatchHeader, LinkKey, LinkPolicy, Outbox, Payload, Replay, ToTab, VersionRange, Welcome,
    };

    use super::*;

    fn config() -> ChannelConfig {
        let key = LinkKey {
            url: "wss://x.org/".to_owned(),
            subprotocols: Vec::new(),
            account: String::new(),
        };
        ChannelConfig {
            key,
            policy: LinkPolicy::default(),
            replay: Replay::None,
        }
    }

    fn ignore(_: &[u8]) {}

    fn deliver(wiring: &Wiring) {
        wiring.deliver(&Turn::new(), |control| panic!("{control:?}"));
    }

    #[test]
    fn no_sink_is_called_from_within_a_call() {
        let wiring = Wiring::new(TabToken(1), 0, DebugLevel::Off);
        let heard = Rc::new(RefCell::new(Vec::new()));
        let hear = Rc::clone(&heard);
        let channel = wiring.open(&ignore, config(), move |event| {
            hear.borrow_mut().push(event)
        });
        wiring.with_session(&ignore, |session| session.fail(SessionFailure::NoTier));
        wiring.with_session(&ignore, |session| session.close(channel));
        assert!(heard.borrow().is_empty() && wiring.wants_delivery());

        deliver(&wiring);
        let expect = [
            ChannelEvent::Failed(SessionFailure::NoTier),
            ChannelEvent::Closed,
        ];
        assert_eq!(*heard.borrow(), expect);
        assert!(!wiring.has_sinks() && !wiring.wants_delivery());
    }

    #[test]
    fn a_sink_may_open_send_close_and_deliver() {
        let wiring = Rc::new(Wiring::new(TabToken(1), 0, DebugLevel::Payloads));
        let order = Rc::new(RefCell::new(Vec::new()));
        let (inner, note) = (Rc::clone(&wiring), Rc::clone(&order));
        let first = wiring.open(&ignore, config(), move |event| {
            note.borrow_mut().push(format!("first {event:?}"));
            if matches!(event, ChannelEvent::Failed(_)) {
                let also = Rc::clone(&note);
                let second = inner.open(&ignore, config(), move |event| {
                    also.borrow_mut().push(format!("second {event:?}"));
                });
                let sent = inner.with_session(&ignore, |session| {
                    session.send(second, Payload::text("x"), Delivery::AtMostOnce)
                });
                assert!(sent.is_err());
                inner.with_session(&ignore, |session| session.close(second));
                deliver(&inner);
                note.borrow_mut().push("first ends".to_owned());
            }
        });
        wiring.with_session(&ignore, |session| session.fail(SessionFailure::NoTier));
        deliver(&wiring);
        assert_eq!(
            *order.borrow(),
            [
                "first Failed(NoTier)",
                "first ends",
                "second Failed(NoTier)",
                "second Closed"
            ]
        );
        wiring.with_session(&ignore, |session| session.close(first));
        deliver(&wiring);
        assert!(!wiring.has_sinks());
    }

    #[test]
    fn what_a_sink_owns_may_drop_into_the_wiring() {
        struct DropsInto(Rc<Wiring>, ChannelId);
        impl Drop for DropsInto {
            fn drop(&mut self) {
                self.0
                    .with_session(&ignore, |session| session.close(self.1));
                let _ = self.0.open(&ignore, config(), |_| {});
            }
        }

        let wiring = Rc::new(Wiring::new(TabToken(1), 0, DebugLevel::Off));
        let other = wiring.open(&ignore, config(), |_| {});
        let owned = DropsInto(Rc::clone(&wiring), other);
        let channel = wiring.open(&ignore, config(), move |_| {
            let _ = &owned;
        });
        wiring.with_session(&ignore, |session| session.close(channel));
        deliver(&wiring);
        assert_eq!(
            wiring.sinks.borrow().len(),
            1,
            "the one that was opened by the drop"
        );
    }

    #[test]
    fn a_sink_that_sends_hears_the_rest_of_the_frame_behind_it() {
        let wiring = Rc::new(Wiring::new(TabToken(1), 0, DebugLevel::Off));
        let order = Rc::new(RefCell::new(Vec::new()));
        let (inner, note) = (Rc::clone(&wiring), Rc::clone(&order));
        let posts = Rc::new(Cell::new(0));
        let posted = Rc::clone(&posts);
        let channel = ChannelId(1);
        let opened = wiring.open(&ignore, config(), move |event| {
            let ChannelEvent::Message { payload, .. } = event else {
                return;
            };
            note.borrow_mut().push(payload.as_text().map(str::to_owned));
            if payload == Payload::text("0") {
                let count = |_: &[u8]| posted.set(posted.get() + 1);
                let answer = Payload::text("answer");
                let sent = inner.with_session(&count, |session| {
                    session.send(channel, answer, Delivery::AtMostOnce)
                });
                assert!(sent.is_ok());
                inner.deliver(&Turn::new(), |_| ());
                note.borrow_mut().push(None);
            }
        });
        assert_eq!(opened, channel);
        wiring.with_session(&ignore, |session| session.attach(false));
        let welcome = Welcome {
            version: Version::V1.number(),
            versions: VersionRange::OURS,
            epoch: Epoch(7),
            tab: TabId(1),
        };
        wiring.handle_frame(Bytes::from(welcome.encode()).into());
        // What comes of it is its own batch, which is acknowledged first.
        wiring.with_session(&ignore, |_| ());
        let mut worker = Outbox::new(Epoch(7), Version::V1);
        let header = BatchHeader {
            version: Version::V1.number(),
            epoch: Epoch(7),
            seq: 1,
            ack: 0,
            count: 0,
        };
        assert!(worker.on_batch(header).is_ok());
        for text in ["0", "1", "2"] {
            worker.push(&ToTab::Message {
                channel,
                replayed: false,
                payload: Payload::text(text),
            });
        }
        let frame = worker.poll_frame().map(Bytes::copy_from_slice);
        wiring.handle_frame(frame.unwrap_or_default().into());
        wiring.deliver(&Turn::new(), |_| ());
        let heard: Vec<Option<String>> = order.take();
        let heard: Vec<Option<&str>> = heard.iter().map(Option::as_deref).collect();
        assert_eq!(heard, [Some("0"), None, Some("1"), Some("2")]);
        let count = |_: &[u8]| posts.set(posts.get() + 1);
        wiring.with_session(&count, |_| ());
        assert_eq!(posts.get(), 1, "the send took the acknowledgement along");
    }

    /// Their time is the test's own.
    #[cfg(not(target_family = "wasm"))]
    mod turns {
        use core::time::Duration;

        use onesocket_protocol::Packed;

        use super::*;
        use crate::{ManagerConfig, core::Core, host};

        /// A pack of the numbers from `from` to `to`.
        fn pack(from: u32, to: u32) -> Packed {
            let mut bytes = Vec::new();
            for number in from..to {
                bytes.extend(4u32.to_le_bytes());
                bytes.extend(number.to_le_bytes());
            }
            Packed::new(bytes).expect("whole messages")
        }

        fn numbers(event: &ChannelEvent) -> Vec<u32> {
            let number = |payload: &Payload| {
                let bytes = payload.bytes()[..].try_into().expect("four bytes");
                u32::from_le_bytes(bytes)
            };
            match event {
                ChannelEvent::Packed(packed) => packed.payloads().map(|it| number(&it)).collect(),
                ChannelEvent::Message { payload, .. } => vec![number(payload)],
                _ => Vec::new(),
            }
        }

        /// A wiring with a channel whose sink needs so long for each message, and a page.
        fn slow(each: Duration) -> (Wiring, ChannelId, Rc<RefCell<Vec<u32>>>, Rc<Core>) {
            let wiring = Wiring::new(TabToken(1), 0, DebugLevel::Off);
            let heard = Rc::new(RefCell::new(Vec::new()));
            let hear = Rc::clone(&heard);
            let channel = wiring.open(&ignore, config(), move |event| {
                let numbers = numbers(&event);
                host::pass(each * numbers.len() as u32);
                hear.borrow_mut().extend(numbers);
            });
            let core = Core::new(ManagerConfig::default()).expect("a configuration");
            assert!(core.turn.begin().is_empty());
            (wiring, channel, heard, core)
        }

        fn push(wiring: &Wiring, channel: ChannelId, event: ChannelEvent) {
            wiring
                .undelivered
                .borrow_mut()
                .push_back(super::super::Delivery::Event(channel, event));
        }

        #[test]
        fn a_sink_that_needs_long_lets_the_browser_have_its_turns() {
            let (wiring, channel, heard, core) = slow(Duration::from_millis(2));
            push(&wiring, channel, ChannelEvent::Packed(pack(0, 100)));
            let payload = Payload::binary(100u32.to_le_bytes().to_vec());
            let replayed = false;
            push(
                &wiring,
                channel,
                ChannelEvent::Message { replayed, payload },
            );
            push(&wiring, channel, ChannelEvent::Packed(pack(101, 120)));

            let mut turns = Vec::new();
            loop {
                let before = heard.borrow().len();
                wiring.deliver(&core.turn, |_| ());
                turns.push(heard.borrow().len() - before);
                if !core.turn.is_asked() {
                    break;
                }
                assert!(!wiring.wants_delivery(), "nobody delivers in between");
                let len = heard.borrow().len();
                wiring.deliver(&core.turn, |_| ());
                assert_eq!(heard.borrow().len(), len);
                assert!(core.turn.begin().is_empty());
                wiring.resume();
            }
            assert!(heard.borrow().iter().copied().eq(0..120), "all, in order");
            // 8 ms of 2 ms each, and at first what is between two looks at the clock.
            assert!(turns.iter().all(|told| (1..=8).contains(told)), "{turns:?}");
            assert!(turns.iter().skip(1).all(|told| *told <= 4), "{turns:?}");
        }

        #[test]
        fn what_costs_nothing_is_told_in_one_turn() {
            let (wiring, channel, heard, core) = slow(Duration::ZERO);
            push(&wiring, channel, ChannelEvent::Packed(pack(0, 10_000)));
            wiring.deliver(&core.turn, |_| ());
            assert_eq!(heard.borrow().len(), 10_000);
            assert!(!core.turn.is_asked());
        }

        #[test]
        fn what_the_manager_waits_for_is_put_off_by_no_sink() {
            let (wiring, channel, heard, core) = slow(Duration::from_millis(2));
            push(&wiring, channel, ChannelEvent::Packed(pack(0, 100)));
            wiring.push_control(Control::HandedOver);
            let handed_over = Cell::new(false);
            wiring.deliver(&core.turn, |control| {
                handed_over.set(matches!(control, Control::HandedOver));
            });
            assert!(handed_over.get() && heard.borrow().len() == 100);
            push(&wiring, channel, ChannelEvent::Packed(pack(0, 100)));
            wiring.deliver(&core.turn, |_| ());
            assert!(core.turn.is_asked(), "no control is left");
        }
    }

    thread_local! {
        static HEARD: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
        static WIRING: RefCell<Option<Rc<Wiring>>> = const { RefCell::new(None) };
    }

    /// A subscriber of the app's that sends what is logged to its server.
    struct CallsBack;

    impl tracing::Subscriber for CallsBack {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            HEARD.with_borrow_mut(|heard| heard.push(event.metadata().target()));
            let wiring = WIRING.with_borrow(Clone::clone);
            if let Some(wiring) = wiring {
                let payload = Payload::text("logged");
                let sent = wiring.with_session(&ignore, |session| {
                    session.send(ChannelId(1), payload, Delivery::AtMostOnce)
                });
                assert!(sent.is_ok());
            }
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn who_hears_a_line_may_call_into_the_wiring() {
        let wiring = Rc::new(Wiring::new(TabToken(1), 0, DebugLevel::Messages));
        wiring.open(&ignore, config(), |_| {});
        wiring.with_session(&ignore, |session| session.attach(false));
        let welcome = Welcome {
            version: Version::V1.number(),
            versions: VersionRange::OURS,
            epoch: Epoch(7),
            tab: TabId(1),
        };
        wiring.handle_frame(Bytes::from(welcome.encode()).into());
        let mut worker = Outbox::new(Epoch(7), Version::V1);
        worker.push(&ToTab::Log(LogEntry::line(LogLevel::Info, "t", "x")));
        worker.push(&ToTab::Error {
            channel: None,
            error: WorkerError::InvalidFrame,
        });
        let frame = worker.poll_frame().map(Bytes::copy_from_slice);
        WIRING.set(Some(Rc::clone(&wiring)));
        tracing::subscriber::with_default(CallsBack, || {
            // The connect is posted, and is a line.
            wiring.with_session(&ignore, |_| ());
            wiring.handle_frame(frame.unwrap_or_default().into());
            wiring.with_session(&ignore, |_| ());
            wiring.deliver(&Turn::new(), |_| ());
        });
        WIRING.set(None);
        let heard = HEARD.take();
        for target in ["onesocket::frames", "onesocket::worker", "onesocket::tab"] {
            assert!(heard.contains(&target), "{target}: {heard:?}");
        }
    }

    #[test]
    fn garbage_from_the_worker_is_no_panic() {
        let wiring = Wiring::new(TabToken(1), 0, DebugLevel::Payloads);
        wiring.handle_frame(Bytes::from_static(b"<!doctype html>").into());
        wiring.handle_frame(Arrived::default());
        wiring.with_session(&ignore, |_| ());
        deliver(&wiring);
    }
}
