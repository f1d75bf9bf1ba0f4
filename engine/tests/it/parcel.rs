//! Large messages of the server that go to the tabs without being read.

use std::{cell::Cell, collections::VecDeque, rc::Rc};

use bytes::Bytes;
use onesocket_engine::{
    ChannelConfig, ChannelEvent, Engine, EngineConfig, Gathered, Input, Output, PortId, SocketId,
    TabOutput, TabSession, Time, describe,
};
use onesocket_protocol::{
    Answer, ChannelId, DebugLevel, Epoch, Heartbeat, LatestBy, LinkKey, LinkPolicy, Millis, Outbox,
    Pace, Parcel, Payload, Replay, Sight, TabToken, Version, WorkerError, WorkerScope,
    frame::Arrived,
    limits,
    parcel::{Contents, assemble},
};

const SOCKET: SocketId = SocketId(1);

#[test]
fn small_and_large_messages_reach_every_tab_in_order() {
    let mut world = World::new(3, &ChannelConfigs::default());
    let expect: Vec<Bytes> = (0..40)
        .map(|number| match number % 2 {
            0 => Bytes::from(vec![number; 3]),
            _ => Bytes::from(vec![number; 100_000 + usize::from(number)]),
        })
        .collect();
    for bytes in &expect {
        match bytes.len() {
            3 => world.receive(bytes.clone()),
            _ => world.receive_parcel(bytes.clone()),
        }
        if bytes[0] % 5 == 0 {
            world.settle();
        }
    }
    world.settle();
    for tab in &world.tabs {
        assert!(tab.messages == expect);
    }
    assert_eq!(world.held.reads.get(), 0, "nobody has to read any");
    assert_eq!(world.held.alive.get(), 0);
    let larges = expect.len() / 2;
    assert_eq!(world.given_away, larges, "the last tab gets the buffer");
    assert_eq!(world.copied, 2 * larges, "the others get copies");
}

#[test]
fn two_channels_of_one_tab_get_it_in_one_frame() {
    let mut world = World::new(1, &ChannelConfigs::default());
    world.tabs[0].session.open(config(LinkPolicy::default()));
    world.settle();
    world.receive_parcel(vec![1; 50_000].into());
    world.settle();
    assert!(world.tabs[0].messages == [[1; 50_000].as_slice(); 2]);
    assert_eq!(world.given_away, 0, "one of the two would get nothing");
    assert_eq!(world.held.alive.get(), 0);
}

#[test]
fn a_tab_is_told_of_what_has_arrived_beside_a_frame_and_reads_it_not() {
    let mut world = World::new(2, &ChannelConfigs::default());
    world.arrives_closed = true;
    let other = world.tabs[0].session.open(config(LinkPolicy::default()));
    world.tabs[0].session.close(other);
    world.settle();
    for number in 0..3 {
        world.receive(Bytes::from(vec![number; 3]));
        world.receive_parcel(vec![number; 20_000].into());
        world.settle();
    }
    for tab in &world.tabs {
        let lens = tab.messages.iter().map(Bytes::len);
        assert_eq!(lens.collect::<Vec<_>>(), [3, 3, 3]);
        let lens = tab.unread.iter().map(Parcel::len);
        assert_eq!(lens.collect::<Vec<_>>(), [20_000; 3]);
        assert_eq!(tab.errors, []);
    }
    assert_eq!((world.held.reads.get(), world.held.alive.get()), (0, 3));
    let last = world.tabs[1].unread.pop().expect("a parcel");
    world.tabs[0].unread.clear();
    assert_eq!(last.into_payload(), Payload::binary(vec![2; 20_000]));
    assert_eq!((world.held.reads.get(), world.held.alive.get()), (1, 2));
}

#[test]
fn a_batch_without_a_number_brings_no_parcel() {
    let mut world = World::new(1, &ChannelConfigs::default());
    let mut worker = Outbox::new(Epoch(1), Version::V1);
    worker.push_parcel(ChannelId(1), &world.held.parcel(vec![1; 20_000].into()));
    assert!(worker.prepare_frame());
    let mut frame = worker.prepared_frame().to_vec();
    // Where it stands: PROTOCOL.md, section 4.
    frame[16..24].fill(0);
    let arrived = Arrived::new(frame.into(), worker.enclosed().to_vec());
    let session = &mut world.tabs[0].session;
    session.handle_arrived(arrived.expect("a batch"));
    let output = std::iter::from_fn(|| session.poll_output().map(|output| format!("{output:?}")));
    assert_eq!(output.collect::<Vec<_>>(), ["Error(InvalidFrame)"]);
}

#[test]
fn it_is_read_where_a_rule_may_be_about_it() {
    let heartbeat = |pong| LinkPolicy {
        heartbeat: Some(Heartbeat {
            interval: Millis(30_000),
            deadline: Millis(1_000),
            ping: Payload::text("ping"),
            pong: Some(pong),
        }),
        ..LinkPolicy::default()
    };
    let answer = |ping| LinkPolicy {
        answer: Some(Answer {
            ping,
            pong: Payload::text("pong"),
        }),
        ..LinkPolicy::default()
    };
    let latest = LinkPolicy {
        latest: Some(LatestBy::Any),
        ..LinkPolicy::default()
    };
    let same = || Payload::binary(vec![7; 500]);
    let other = || Payload::binary(vec![7; 501]);
    let text = || Payload::text("x".repeat(500));
    let last = |messages, bytes| Replay::Last { messages, bytes };
    let cases = [
        ("no rule", LinkPolicy::default(), Replay::None, false, true),
        ("the pong", heartbeat(same()), Replay::None, true, false),
        (
            "another length",
            heartbeat(other()),
            Replay::None,
            false,
            true,
        ),
        ("a text", heartbeat(text()), Replay::None, false, true),
        ("the ping", answer(same()), Replay::None, true, false),
        ("not that ping", answer(other()), Replay::None, false, true),
        ("by key", latest, Replay::None, true, true),
        ("kept", LinkPolicy::default(), last(5, 500), true, true),
        ("not kept", LinkPolicy::default(), last(5, 499), false, true),
        (
            "none kept",
            LinkPolicy::default(),
            last(0, 500),
            false,
            true,
        ),
    ];
    for (what, policy, replay, is_read, is_told) in cases {
        let mut world = World::new(1, &ChannelConfigs { policy, replay });
        world.receive_parcel(vec![7; 500].into());
        assert_eq!(world.held.reads.get() > 0, is_read, "{what}");
        world.settle();
        assert_eq!(world.tabs[0].messages.len() == 1, is_told, "{what}");
        assert_eq!(world.held.alive.get(), 0, "{what}");
    }
}

#[test]
fn it_shows_that_the_server_lives() {
    let policy = LinkPolicy {
        heartbeat: Some(Heartbeat {
            interval: Millis(4_000),
            deadline: Millis(1_000),
            ping: Payload::text("ping"),
            pong: Some(Payload::text("pong")),
        }),
        ..LinkPolicy::default()
    };
    for is_silent in [true, false] {
        let mut world = World::new(
            1,
            &ChannelConfigs {
                policy: policy.clone(),
                replay: Replay::None,
            },
        );
        world.now += 4_000;
        world.input(Input::Tick);
        assert_eq!(world.transmitted, [Payload::text("ping")]);
        if !is_silent {
            world.receive_parcel(vec![1; 50_000].into());
        }
        world.now += 1_000;
        world.input(Input::Tick);
        assert_eq!(world.closes, usize::from(is_silent));
    }
}

#[test]
fn the_latest_of_another_channel_that_came_before_is_told_before() {
    let latest = LinkPolicy {
        latest: Some(LatestBy::Any),
        ..LinkPolicy::default()
    };
    let configs = ChannelConfigs {
        policy: latest,
        replay: Replay::None,
    };
    let mut world = World::new(1, &configs);
    let mut other = config(LinkPolicy::default());
    other.key.url = "wss://y/".to_owned();
    world.tabs[0].session.open(other);
    world.settle();
    let socket = SocketId(2);
    world.input(Input::SocketOpened {
        socket,
        subprotocol: String::new(),
    });
    world.settle();
    for state in ["first", "second"] {
        world.receive(Bytes::from_static(state.as_bytes()));
    }
    let large = Bytes::from(vec![1; 50_000]);
    let parcel = world.held.parcel(large.clone());
    world.input(Input::ReceivedParcel { socket, parcel });
    world.settle();
    assert!(world.tabs[0].messages == [&b"first"[..], b"second", &large]);
}

#[test]
fn what_is_not_kept_interrupts_a_replay() {
    let replay = Replay::Last {
        messages: 5,
        bytes: 100,
    };
    let configs = ChannelConfigs {
        replay,
        ..ChannelConfigs::default()
    };
    let mut world = World::new(1, &configs);
    world.receive(Bytes::from_static(b"before"));
    world.receive_parcel(vec![1; 50_000].into());
    world.receive(Bytes::from_static(b"after"));
    world.join(&configs);
    world.settle();
    assert_eq!(world.tabs[1].messages, [&b"after"[..]]);
}

#[test]
fn one_over_the_cap_is_an_error_and_not_kept() {
    let policy = LinkPolicy {
        max_received_bytes: 1_000,
        ..LinkPolicy::default()
    };
    let configs = ChannelConfigs {
        policy,
        replay: Replay::None,
    };
    let mut world = World::new(2, &configs);
    world.receive_parcel(vec![1; 1_001].into());
    world.receive_parcel(vec![1; 1_000].into());
    world.settle();
    let error = WorkerError::ReceivedTooLarge {
        bytes: 1_001,
        cap: 1_000,
    };
    for tab in &world.tabs {
        assert_eq!(
            (tab.messages.len(), &tab.errors[..]),
            (1, &[error.clone()][..])
        );
    }
    assert_eq!((world.held.reads.get(), world.held.alive.get()), (0, 0));
}

#[test]
fn one_over_the_cap_is_not_read_whatever_the_rules_are() {
    struct TooLarge;
    impl Contents for TooLarge {
        fn read(&self) -> Bytes {
            panic!("it is read");
        }
    }
    let policy = LinkPolicy {
        max_received_bytes: 20_000,
        latest: Some(LatestBy::Any),
        heartbeat: Some(Heartbeat {
            interval: Millis(30_000),
            deadline: Millis(1_000),
            ping: Payload::text("ping"),
            pong: Some(Payload::binary(vec![7; 500])),
        }),
        ..LinkPolicy::default()
    };
    let configs = ChannelConfigs {
        policy,
        replay: Replay::Last {
            messages: 9,
            bytes: 1_000_000,
        },
    };
    let mut world = World::new(1, &configs);
    let parcel = Parcel::new(TooLarge, 20_001);
    world.input(Input::ReceivedParcel {
        socket: SOCKET,
        parcel,
    });
    world.settle();
    let error = WorkerError::ReceivedTooLarge {
        bytes: 20_001,
        cap: 20_000,
    };
    assert_eq!(world.tabs[0].errors, [error]);
}

#[test]
fn of_a_socket_that_is_not_open_nothing_is_kept() {
    let mut world = World::new(1, &ChannelConfigs::default());
    for socket in [SocketId(0), SocketId(2), SocketId(77)] {
        let parcel = world.held.parcel(vec![1; 50_000].into());
        world.input(Input::ReceivedParcel { socket, parcel });
    }
    world.settle();
    assert!(world.tabs[0].messages.is_empty());
    assert_eq!(world.held.alive.get(), 0);
}

#[test]
fn the_log_of_messages_reads_no_parcel() {
    let world = World::new(1, &ChannelConfigs::default());
    let parcel = || world.held.parcel(vec![7; 50_000].into());
    let inputs = || {
        let (socket, gathered) = (SOCKET, vec![Gathered::Parcel(parcel())]);
        let parcel = parcel();
        [
            Input::Gathered { socket, gathered },
            Input::ReceivedParcel { socket, parcel },
        ]
    };
    for (sight, reads) in [(Sight::Messages, 0), (Sight::Payloads, 2)] {
        for input in inputs() {
            describe::input(&input, sight, &|entry| {
                assert_eq!(entry.len, 50_000);
                assert_eq!(entry.content.is_empty(), reads == 0);
            });
        }
        assert_eq!(world.held.reads.get(), reads, "{sight:?}");
    }
}

#[test]
fn those_that_were_gathered_before_a_sleep_are_delivered_and_prove_nothing() {
    let mut world = World::new(1, &ChannelConfigs::default());
    world.now += 600_000;
    for large in [1, 2] {
        let parcel = world.held.parcel(vec![large; 50_000].into());
        world.input(Input::Gathered {
            socket: SOCKET,
            gathered: vec![Gathered::Parcel(parcel)],
        });
        // In the same millisecond as what follows.
        world.now -= 1;
    }
    assert_eq!(world.closes, 0);
    world.input(Input::Tick);
    world.settle();
    assert_eq!(world.closes, 1, "replaced");
    let larges = [1, 2].map(|large| Bytes::from(vec![large; 50_000]));
    assert!(world.tabs[0].messages == larges);
    assert_eq!((world.held.reads.get(), world.held.alive.get()), (0, 0));
}

#[test]
fn a_tab_that_does_not_read_holds_a_bounded_number_and_is_told_what_it_missed() {
    let mut world = World::new(2, &ChannelConfigs::default());
    world.tabs[1].is_frozen = true;
    let (total, len) = (1_000, 64 * 1024);
    for number in 0..total {
        if number == 1 {
            world.now += u64::from(limits::MAX_BURST_MILLIS);
        }
        world.receive_parcel(vec![number as u8; len].into());
        world.settle();
    }
    assert_eq!(world.tabs[0].messages.len(), total);
    let most = (limits::MAX_BACKLOG_BYTES + 2 * limits::FULL_BATCH_BYTES) / len;
    let held = world.held.alive.get();
    assert!((most / 2..=most).contains(&held), "{held}");

    world.tabs[1].is_frozen = false;
    world.settle();
    let tab = &world.tabs[1];
    assert!(tab.missed > 0);
    assert_eq!(tab.messages.len() + tab.missed, total);
    assert_eq!(world.held.alive.get(), 0);
}

#[test]
fn a_burst_is_held_whole() {
    let mut world = World::new(1, &ChannelConfigs::default());
    let (total, len) = (900, 64 * 1024);
    for number in 0..total {
        world.receive_parcel(vec![number as u8; len].into());
    }
    assert!(total * len > 3 * limits::MAX_BACKLOG_BYTES);
    assert_eq!(world.held.alive.get(), total - 1, "the first was posted");
    world.settle();
    assert_eq!(
        (world.tabs[0].messages.len(), world.tabs[0].missed),
        (total, 0)
    );
    assert_eq!(world.held.alive.get(), 0);
}

#[test]
fn what_waits_for_a_tab_is_let_go_of_with_it() {
    let ends: [fn(&mut World); 4] = [
        |world| world.input(Input::PortClosed(PortId(1))),
        |world| {
            // It starts over on the same port.
            world.tabs[1].session.attach(false);
            world.drain_tab(1);
        },
        |world| {
            world.tabs[1].session.bye();
            world.drain_tab(1);
        },
        |world| world.engine = engine(),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut world = World::new(2, &ChannelConfigs::default());
        world.tabs[1].is_frozen = true;
        for _ in 0..100 {
            world.receive_parcel(vec![1; 64 * 1024].into());
            world.settle();
        }
        assert!(world.held.alive.get() > 50, "they wait");
        end(&mut world);
        let waiting = core::mem::take(&mut world.tabs[1].to_worker);
        for frame in waiting {
            world.input(Input::Frame {
                port: PortId(1),
                frame,
            });
        }
        assert_eq!(world.held.alive.get(), 0, "end {number}");
    }
}

#[derive(Default)]
struct ChannelConfigs {
    policy: LinkPolicy,
    replay: Replay,
}

fn config(policy: LinkPolicy) -> ChannelConfig {
    let key = LinkKey {
        url: "wss://x/".to_owned(),
        subprotocols: Vec::new(),
        account: String::new(),
    };
    ChannelConfig {
        key,
        policy,
        replay: Replay::None,
    }
}

/// What the host holds: the buffers that the engine has not let go of.
#[derive(Clone, Default)]
struct Held {
    alive: Rc<Cell<usize>>,
    reads: Rc<Cell<usize>>,
}

struct Buffer {
    held: Held,
    bytes: Bytes,
}

impl Held {
    fn parcel(&self, bytes: Bytes) -> Parcel {
        self.alive.set(self.alive.get() + 1);
        let len = bytes.len();
        let held = self.clone();
        Parcel::new(Buffer { held, bytes }, len)
    }
}

impl Contents for Buffer {
    fn read(&self) -> Bytes {
        self.held.reads.set(self.held.reads.get() + 1);
        self.bytes.clone()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.held.alive.set(self.held.alive.get() - 1);
    }
}

/// An engine whose socket is open, and its tabs.
struct World {
    engine: Engine,
    held: Held,
    now: u64,
    tabs: Vec<Tab>,
    /// Whether frames come to the tabs with their parcels beside them, as they do where there is no port in between.
    arrives_closed: bool,
    given_away: usize,
    copied: usize,
    transmitted: Vec<Payload>,
    closes: usize,
}

struct Tab {
    session: TabSession,
    to_tab: VecDeque<Arrived>,
    to_worker: VecDeque<Bytes>,
    is_frozen: bool,
    messages: Vec<Bytes>,
    /// What it was told of and has not read.
    unread: Vec<Parcel>,
    missed: usize,
    errors: Vec<WorkerError>,
}

fn engine() -> Engine {
    Engine::new(EngineConfig {
        epoch: Epoch(1),
        scope: WorkerScope::Shared,
        seed: 1,
        online: true,
        debug: DebugLevel::Off,
    })
}

impl World {
    fn new(tabs: usize, configs: &ChannelConfigs) -> Self {
        let mut world = Self {
            engine: engine(),
            held: Held::default(),
            now: 0,
            tabs: Vec::new(),
            arrives_closed: false,
            given_away: 0,
            copied: 0,
            transmitted: Vec::new(),
            closes: 0,
        };
        for _ in 0..tabs {
            world.join(configs);
        }
        world.settle();
        world.input(Input::SocketOpened {
            socket: SOCKET,
            subprotocol: String::new(),
        });
        world.settle();
        world
    }

    fn join(&mut self, configs: &ChannelConfigs) {
        let port = self.tabs.len() as u32;
        let mut session = TabSession::new(TabToken(u64::from(port)), DebugLevel::Off);
        session.set_pace(Pace::AT_ONCE);
        session.open(ChannelConfig {
            replay: configs.replay.clone(),
            ..config(configs.policy.clone())
        });
        session.attach(false);
        self.tabs.push(Tab {
            session,
            to_tab: VecDeque::new(),
            to_worker: VecDeque::new(),
            is_frozen: false,
            messages: Vec::new(),
            unread: Vec::new(),
            missed: 0,
            errors: Vec::new(),
        });
        self.input(Input::PortOpened(PortId(port)));
        self.drain_tab(port as usize);
    }

    fn receive(&mut self, bytes: Bytes) {
        let (socket, payload) = (SOCKET, Payload::binary(bytes));
        self.input(Input::Received { socket, payload });
    }

    fn receive_parcel(&mut self, bytes: Bytes) {
        let (socket, parcel) = (SOCKET, self.held.parcel(bytes));
        self.input(Input::ReceivedParcel { socket, parcel });
    }

    fn input(&mut self, input: Input) {
        self.now += 1;
        self.engine.handle_input(Time(self.now), input);
        loop {
            match self.engine.poll_output() {
                Output::Post {
                    port,
                    frame,
                    enclosed,
                    ..
                } => {
                    let reads = self.held.reads.get();
                    let closed = self.arrives_closed.then(|| enclosed.to_vec());
                    let arrived =
                        Arrived::new(Bytes::copy_from_slice(frame), closed.unwrap_or_default());
                    let frame = assemble(frame, enclosed).expect("parcels in their places");
                    self.held.reads.set(reads);
                    let last = enclosed.iter().filter(|enclosed| enclosed.parcel.is_last());
                    let given_away = last.count();
                    self.given_away += given_away;
                    self.copied += enclosed.len() - given_away;
                    let frame = match self.arrives_closed {
                        true => arrived,
                        false => Some(Bytes::from(frame).into()),
                    };
                    self.tabs[port.0 as usize]
                        .to_tab
                        .push_back(frame.expect("parcels in their places"));
                }
                Output::Transmit { payload, .. } => self.transmitted.push(payload),
                Output::Close { .. } => self.closes += 1,
                Output::Timeout(_) => return,
                _ => {}
            }
        }
    }

    /// Until nobody has anything to say.
    fn settle(&mut self) {
        let mut is_busy = true;
        while is_busy {
            is_busy = false;
            for number in 0..self.tabs.len() {
                let tab = &mut self.tabs[number];
                if tab.is_frozen {
                    continue;
                }
                for frame in core::mem::take(&mut tab.to_tab) {
                    is_busy = true;
                    tab.session.handle_arrived(frame);
                }
                self.drain_tab(number);
                for frame in core::mem::take(&mut self.tabs[number].to_worker) {
                    is_busy = true;
                    let port = PortId(number as u32);
                    self.input(Input::Frame { port, frame });
                }
            }
        }
    }

    fn drain_tab(&mut self, number: usize) {
        let tab = &mut self.tabs[number];
        while let Some(output) = tab.session.poll_output() {
            match output {
                TabOutput::Post(frame) => {
                    let frame = Bytes::copy_from_slice(frame);
                    tab.to_worker.push_back(frame);
                }
                TabOutput::Event { event, .. } => match event {
                    ChannelEvent::Message { payload, .. } => {
                        tab.messages.push(payload.into_bytes());
                    }
                    ChannelEvent::Packed(packed) => tab
                        .messages
                        .extend(packed.payloads().map(Payload::into_bytes)),
                    ChannelEvent::Parcel(parcel) => tab.unread.push(parcel),
                    ChannelEvent::Lagged { missed } => tab.missed += missed as usize,
                    ChannelEvent::Error(error) => tab.errors.push(error),
                    _ => {}
                },
                TabOutput::Error(error) => panic!("{error}"),
                _ => {}
            }
        }
    }
}
