//! What sinks hear, in which order, and what they may do meanwhile.

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
