//! Small messages of the server that go to the tabs without being looked at, many at a time.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use fastrand::Rng;
use onesocket_engine::{
    ChannelConfig, ChannelEvent, Engine, EngineConfig, Gathered, Input, Output, PortId, SocketId,
    TabOutput, TabSession, Time, Transcode,
};
use onesocket_protocol::{
    Answer, BatchReader, ChannelId, DebugLevel, Epoch, Heartbeat, LatestBy, LinkKey, LinkPolicy,
    Millis, Outbox, Pace, Payload, Replay, TabId, TabToken, Version, VersionRange, Welcome,
    WorkerScope, limits, message::tag,
};

use crate::sim::pack;

fn binary(bytes: &[u8]) -> Payload {
    Payload::binary(bytes.to_vec())
}

/// Lengths 0 to 4, so that rules find what they look for.
fn payload(rng: &mut Rng) -> Payload {
    binary(&vec![rng.u8(0..2); rng.usize(0..5)])
}

fn heartbeat(pong: Option<Payload>) -> LinkPolicy {
    LinkPolicy {
        heartbeat: Some(Heartbeat {
            interval: Millis(4_000),
            deadline: Millis(1_000),
            ping: Payload::text("ping"),
            pong,
        }),
        ..LinkPolicy::default()
    }
}

fn answer(ping: Payload) -> LinkPolicy {
    LinkPolicy {
        answer: Some(Answer {
            ping,
            pong: Payload::text("pong"),
        }),
        ..LinkPolicy::default()
    }
}

fn latest(latest: LatestBy) -> LinkPolicy {
    LinkPolicy {
        latest: Some(latest),
        ..LinkPolicy::default()
    }
}

fn at_most(max_received_bytes: u32) -> LinkPolicy {
    LinkPolicy {
        max_received_bytes,
        ..LinkPolicy::default()
    }
}

fn last(messages: u32, bytes: u32) -> Replay {
    Replay::Last { messages, bytes }
}

/// Policies and replays, and whether anything at all goes to the tabs in packs.
fn cases() -> Vec<(&'static str, LinkPolicy, Replay, bool)> {
    let (same, long) = (binary(&[1; 3]), binary(&[1; 9]));
    let bytes = LatestBy::Bytes { start: 0, len: 1 };
    let none = Replay::None;
    let default = LinkPolicy::default;
    let pong = |pong: &Payload| heartbeat(Some(pong.clone()));
    vec![
        ("no rule", default(), none.clone(), true),
        ("no pong", heartbeat(None), none.clone(), true),
        ("the pong", pong(&same), none.clone(), true),
        ("a long pong", pong(&long), none.clone(), true),
        (
            "a text as pong",
            pong(&Payload::text("abc")),
            none.clone(),
            true,
        ),
        ("the ping", answer(same), none.clone(), true),
        ("a long ping", answer(long), none.clone(), true),
        (
            "a text as ping",
            answer(Payload::text("")),
            none.clone(),
            true,
        ),
        ("the latest", latest(LatestBy::Any), none.clone(), false),
        ("by key", latest(bytes), none.clone(), false),
        ("the cap", at_most(4), none.clone(), true),
        ("over the cap", at_most(2), none.clone(), true),
        ("all over the cap", at_most(0), none, true),
        ("kept", default(), last(20, 1_000), false),
        ("some kept", default(), last(5, 3), false),
        ("none kept", default(), last(0, 1_000), true),
        (
            "asked for",
            default(),
            Replay::Ask(Payload::text("?")),
            true,
        ),
    ]
}

#[test]
fn tabs_are_told_what_they_are_told_when_each_is_read() {
    for (what, policy, replay, may_pack) in cases() {
        let mut packs = 0;
        for seed in 0..30 {
            let [mut packing, mut gathering] =
                [Means::Packed, Means::Gathered].map(|means| World::new(means, &policy, &replay));
            packing.play(seed);
            gathering.play(seed);
            packing.assert_as(&gathering, what, seed);
            packs += packing.packs;
            // What a tab has not read yet when the next comes is all that these two differ in.
            if policy.latest.is_none() {
                let mut receiving = World::new(Means::Received, &policy, &replay);
                receiving.play(seed);
                packing.assert_as(&receiving, what, seed);
            }
        }
        assert_eq!(packs > 0, may_pack, "{what}: {packs}");
    }
}

#[test]
fn a_rule_about_one_of_them_is_kept() {
    let replay = Replay::None;
    let numbers: [&[u8]; 3] = [b"a", b"", b"abc"];
    let payloads = numbers.map(binary);
    let told = |policy: &LinkPolicy, means| {
        let mut world = World::new(means, policy, &replay);
        world.join();
        world.open_socket();
        world.receive(&payloads);
        world.settle();
        (world.messages(0), world.transmitted)
    };
    for means in [Means::Packed, Means::Gathered, Means::Received] {
        let (got, sent) = told(&heartbeat(Some(payloads[1].clone())), means);
        assert_eq!(got, [&b"a"[..], b"abc"]);
        assert!(sent.is_empty());
        let (got, sent) = told(&answer(payloads[2].clone()), means);
        assert_eq!(got, [&b"a"[..], b""]);
        assert_eq!(sent, [Payload::text("pong")]);
        let (got, _) = told(&at_most(2), means);
        assert_eq!(got, [&b"a"[..], b""]);
    }
}

#[test]
fn a_tab_that_joins_later_is_replayed_them() {
    let mut world = World::new(Means::Packed, &LinkPolicy::default(), &last(3, 100));
    world.join();
    world.open_socket();
    world.receive(&[1, 2, 3, 4].map(|number| binary(&[number])));
    world.join();
    world.receive(&[5, 6].map(|number| binary(&[number])));
    world.settle();
    assert_eq!(world.messages(0), [[1], [2], [3], [4], [5], [6]]);
    assert_eq!(world.messages(1), [[2], [3], [4], [5], [6]]);
    let events = world.tabs[1].events.iter();
    let replayed = events
        .filter(|(_, event)| matches!(event, ChannelEvent::Message { replayed, .. } if *replayed));
    assert_eq!(replayed.count(), 3);
}

#[test]
fn each_is_transcoded() {
    for means in [Means::Packed, Means::Gathered] {
        let mut world = World::new(means, &LinkPolicy::default(), &Replay::None);
        world.engine.transcode(Transcode::new(|_, payload| {
            let is_plain = payload.is_empty();
            (!is_plain).then(|| Payload::text(format!("{} B", payload.len())))
        }));
        world.join();
        world.open_socket();
        world.receive(&[binary(b"abc"), binary(b""), binary(b"a")]);
        world.settle();
        assert_eq!(world.messages(0), [&b"3 B"[..], b"", b"1 B"]);
    }
}

#[test]
fn they_show_that_the_server_lives() {
    let text = Payload::text("pong");
    let long = binary(&[1; 9]);
    let pong = binary(&[1]);
    for (pong, is_measured) in [
        (None, true),
        (Some(text), false),
        (Some(long), false),
        (Some(pong), true),
    ] {
        for is_silent in [true, false] {
            let policy = heartbeat(pong.clone());
            let mut world = World::new(Means::Packed, &policy, &Replay::None);
            world.join();
            world.open_socket();
            world.now += 4_000;
            world.input(Input::Tick);
            assert_eq!(world.transmitted, [Payload::text("ping")]);
            world.now += 500;
            if !is_silent {
                world.receive(&[2, 1, 2].map(|number| binary(&[number])));
            }
            world.now += 500;
            world.input(Input::Tick);
            assert_eq!(world.closes, usize::from(is_silent), "{pong:?}");
            if !is_silent {
                let tab = &mut world.tabs[0];
                let channel = tab.channels[0];
                tab.session.ask_status(channel);
                world.settle();
                let round_trip = world.tabs[0].round_trip();
                let expect = is_measured.then_some(Millis(500));
                assert_eq!(round_trip, expect, "{pong:?}");
            }
        }
    }
}

#[test]
fn of_a_socket_that_is_not_open_nothing_is_told() {
    let mut world = World::new(Means::Packed, &LinkPolicy::default(), &Replay::None);
    world.join();
    for socket in [0, 1, 77].map(SocketId) {
        let gathered = vec![Gathered::Packed(pack(&[binary(&[1])]))];
        world.input(Input::Gathered { socket, gathered });
    }
    world.settle();
    assert_eq!(world.messages(0), [[0; 0]; 0]);
}

#[test]
fn a_tab_that_does_not_read_is_told_how_many_it_has_missed() {
    let mut world = World::new(Means::Packed, &LinkPolicy::default(), &Replay::None);
    world.join();
    world.join();
    world.open_socket();
    world.tabs[1].is_frozen = true;
    let payloads = vec![binary(&[1; 1_000]); 60];
    let packs = 2 * limits::MAX_BACKLOG_BYTES / 60_000;
    for pack in 0..packs {
        if pack == 1 {
            world.now += u64::from(limits::MAX_BURST_MILLIS);
        }
        world.receive(&payloads);
        world.settle();
    }
    let all = 60 * packs;
    assert_eq!(world.messages(0).len(), all);
    world.tabs[1].is_frozen = false;
    world.settle();
    let missed: u64 = (world.tabs[1].events.iter())
        .map(|(_, event)| match event {
            ChannelEvent::Lagged { missed } => *missed,
            _ => 0,
        })
        .sum();
    assert!(missed > 0 && missed.is_multiple_of(60), "{missed}");
    assert_eq!(world.messages(1).len() + missed as usize, all);
}

#[test]
fn a_burst_is_held_whole() {
    let mut world = World::new(Means::Packed, &LinkPolicy::default(), &Replay::None);
    world.join();
    world.open_socket();
    let payloads = vec![binary(&[1; 1_000]); 60];
    let packs = 3 * limits::MAX_BACKLOG_BYTES / 60_000;
    for _ in 0..packs {
        world.receive(&payloads);
    }
    world.settle();
    assert_eq!(world.messages(0).len(), 60 * packs);
}

#[test]
fn what_is_for_no_channel_of_the_tab_is_not_told() {
    let mut session = TabSession::new(TabToken(1), DebugLevel::Off);
    let channel =
        session.open(World::new(Means::Packed, &LinkPolicy::default(), &Replay::None).config);
    session.attach(false);
    let welcome = Welcome {
        version: 1,
        versions: VersionRange { min: 1, max: 1 },
        epoch: Epoch(1),
        tab: TabId(1),
    };
    session.handle_frame(&welcome.encode().into());
    let mut worker = Outbox::new(Epoch(1), Version::V1);
    for channel in [ChannelId(99), channel] {
        let packed = pack(&[binary(b"a"), binary(b"b")]);
        worker.push_packed(channel, &packed);
    }
    let frame = Bytes::copy_from_slice(worker.poll_frame().expect("a batch"));
    session.handle_frame(&frame);
    let mut told = Vec::new();
    while let Some(output) = session.poll_output() {
        if let TabOutput::Event {
            channel,
            event: ChannelEvent::Packed(packed),
        } = output
        {
            told.push((channel, packed.count()));
        }
    }
    assert_eq!(told, [(channel, 2)]);
}

#[test]
fn the_latest_of_another_channel_that_came_before_is_told_before() {
    let latest = latest(LatestBy::Any);
    let mut world = World::new(Means::Packed, &latest, &Replay::None);
    world.join();
    world.open_socket();
    let first = world.socket;
    world.config.key.url = "wss://y/".to_owned();
    world.config.policy = LinkPolicy::default();
    world.open_channel(0);
    world.open_socket();
    let second = core::mem::replace(&mut world.socket, first);
    assert_ne!(first, second);
    for state in [&b"first"[..], b"second"] {
        world.receive(&[binary(state)]);
    }
    world.socket = second;
    world.receive(&[binary(b"c"), binary(b"d")]);
    world.settle();
    assert_eq!(world.messages(0), [&b"first"[..], b"second", b"c", b"d"]);
}

/// A tab with the usual pace, which acknowledges at once.
fn paced() -> World {
    let mut world = World::new(Means::Packed, &LinkPolicy::default(), &Replay::None);
    world.join();
    world.tabs[0].session.set_pace(Pace::default());
    world.open_socket();
    world.now += 1_000;
    world
}

fn receive_pack(world: &mut World, count: usize) {
    world.receive(&vec![binary(&[1]); count]);
    world.settle();
}

#[test]
fn each_of_a_pack_counts_for_the_pace() {
    for (count, is_held) in [(20, true), (16, true), (15, false), (1, false)] {
        let mut world = paced();
        receive_pack(&mut world, count);
        assert_eq!(world.messages(0).len(), count, "it begins an interval");
        world.now += 1;
        receive_pack(&mut world, 1);
        let is_told = world.messages(0).len() == count + 1;
        assert_eq!(!is_told, is_held, "{count}");
        world.now += 15;
        world.input(Input::Tick);
        world.settle();
        assert_eq!(world.messages(0).len(), count + 1);
    }
}

#[test]
fn packs_are_known_for_a_stream() {
    // What comes at the end of an interval counts for it and for the next one: half of a burst in both is busy.
    for (count, is_stream) in [(20, true), (4, true), (3, false), (1, false)] {
        let mut world = paced();
        for _ in 0..3 {
            world.now += 16;
            receive_pack(&mut world, count);
        }
        let before = world.messages(0).len();
        world.now += 1;
        receive_pack(&mut world, 1);
        let is_held = world.messages(0).len() == before;
        assert_eq!(is_held, is_stream, "{count}");
    }
}

/// How the host hands messages over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Means {
    Packed,
    Gathered,
    Received,
}

/// An engine, and its tabs.
struct World {
    engine: Engine,
    means: Means,
    config: ChannelConfig,
    now: u64,
    tabs: Vec<Tab>,
    socket: SocketId,
    is_dialling: bool,
    transmitted: Vec<Payload>,
    closes: usize,
    /// How many packs were posted.
    packs: usize,
}

struct Tab {
    session: TabSession,
    channels: Vec<ChannelId>,
    to_tab: VecDeque<Bytes>,
    to_worker: VecDeque<Bytes>,
    is_frozen: bool,
    events: Vec<(ChannelId, ChannelEvent)>,
}

impl Tab {
    fn of_channels(&self) -> BTreeMap<ChannelId, Vec<&ChannelEvent>> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (channel, event) in &self.events {
            all.entry(*channel).or_default().push(event);
        }
        all
    }

    fn round_trip(&self) -> Option<Millis> {
        let statuses = self.events.iter().rev();
        let mut statuses = statuses.filter_map(|(_, event)| match event {
            ChannelEvent::Status(status) => Some(status),
            _ => None,
        });
        statuses.next().expect("a status").round_trip
    }
}

impl World {
    fn new(means: Means, policy: &LinkPolicy, replay: &Replay) -> Self {
        let key = LinkKey {
            url: "wss://x/".to_owned(),
            subprotocols: Vec::new(),
            account: String::new(),
        };
        Self {
            engine: Engine::new(EngineConfig {
                epoch: Epoch(1),
                scope: WorkerScope::Shared,
                seed: 1,
                online: true,
                debug: DebugLevel::Off,
            }),
            means,
            config: ChannelConfig {
                key,
                policy: policy.clone(),
                replay: replay.clone(),
            },
            now: 0,
            tabs: Vec::new(),
            socket: SocketId(0),
            is_dialling: false,
            transmitted: Vec::new(),
            closes: 0,
            packs: 0,
        }
    }

    /// Does anything, the same for each seed.
    fn play(&mut self, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        self.join();
        self.open_channel(0);
        self.open_socket();
        for _ in 0..60 {
            let tab = rng.usize(0..self.tabs.len());
            match rng.u8(0..32) {
                0 if self.tabs.len() < 4 => self.join(),
                1 if self.tabs[tab].channels.len() < 3 => self.open_channel(tab),
                2 => self.tabs[tab].is_frozen ^= true,
                20 if self.tabs[tab].channels.len() > 1 => self.close_channel(tab),
                3 => self.input(Input::SocketClosing(self.socket)),
                4 => self.input(Input::SocketClosed {
                    socket: self.socket,
                    code: 1006,
                    reason: String::new(),
                    was_clean: false,
                }),
                5 | 6 => self.open_socket(),
                7..12 => {
                    self.now += rng.u64(0..2_000);
                    self.input(Input::Tick);
                }
                12 => {
                    let (socket, payload) = (self.socket, Payload::text("text"));
                    self.input(Input::Received { socket, payload });
                }
                13..20 => self.settle(),
                _ => {
                    let count = rng.usize(1..12);
                    let payloads: Vec<_> = (0..count).map(|_| payload(&mut rng)).collect();
                    self.receive(&payloads);
                }
            }
        }
        self.tabs.iter_mut().for_each(|tab| tab.is_frozen = false);
        self.settle();
    }

    fn assert_as(&self, other: &Self, what: &str, seed: u64) {
        let what = format!("{what}, seed {seed}, {:?}", other.means);
        for (tab, others) in self.tabs.iter().zip(&other.tabs) {
            // Between channels there is no promise.
            assert_eq!(tab.of_channels(), others.of_channels(), "{what}");
        }
        assert_eq!(self.transmitted, other.transmitted, "{what}");
        assert_eq!(self.closes, other.closes, "{what}");
        assert_eq!(other.packs, 0, "{what}");
    }

    fn join(&mut self) {
        let port = self.tabs.len() as u32;
        let mut session = TabSession::new(TabToken(u64::from(port)), DebugLevel::Off);
        session.set_pace(Pace::AT_ONCE);
        let channels = vec![session.open(self.config.clone())];
        session.attach(false);
        self.tabs.push(Tab {
            session,
            channels,
            to_tab: VecDeque::new(),
            to_worker: VecDeque::new(),
            is_frozen: false,
            events: Vec::new(),
        });
        self.input(Input::PortOpened(PortId(port)));
        self.settle();
    }

    fn open_channel(&mut self, tab: usize) {
        let tab = &mut self.tabs[tab];
        tab.channels.push(tab.session.open(self.config.clone()));
        self.settle();
    }

    fn close_channel(&mut self, tab: usize) {
        let tab = &mut self.tabs[tab];
        let channel = tab.channels.pop().expect("it has some");
        tab.session.close(channel);
        self.settle();
    }

    fn open_socket(&mut self) {
        if core::mem::take(&mut self.is_dialling) {
            self.input(Input::SocketOpened {
                socket: self.socket,
                subprotocol: String::new(),
            });
            self.settle();
        }
    }

    fn receive(&mut self, payloads: &[Payload]) {
        let socket = self.socket;
        match self.means {
            Means::Packed => {
                let gathered = vec![Gathered::Packed(pack(payloads))];
                self.input(Input::Gathered { socket, gathered });
            }
            Means::Gathered => {
                let gathered = payloads.iter().cloned().map(Gathered::One).collect();
                self.input(Input::Gathered { socket, gathered });
            }
            Means::Received => payloads.iter().cloned().for_each(|payload| {
                self.input(Input::Received { socket, payload });
            }),
        }
    }

    fn input(&mut self, input: Input) {
        self.engine.handle_input(Time(self.now), input);
        loop {
            match self.engine.poll_output() {
                Output::Dial { socket, .. } => {
                    self.socket = socket;
                    self.is_dialling = true;
                }
                Output::Post { port, frame, .. } => {
                    let frame = Bytes::copy_from_slice(frame);
                    let messages = BatchReader::new(&frame).into_iter().flatten().flatten();
                    self.packs += messages.filter(|raw| raw.tag == tag::PACKED).count();
                    self.tabs[port.0 as usize].to_tab.push_back(frame);
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
                if !tab.is_frozen {
                    for frame in core::mem::take(&mut tab.to_tab) {
                        is_busy = true;
                        tab.session.handle_frame(&frame);
                    }
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
                // As if each had come by itself.
                TabOutput::Event {
                    channel,
                    event: ChannelEvent::Packed(packed),
                } => tab.events.extend(packed.payloads().map(|payload| {
                    let replayed = false;
                    (channel, ChannelEvent::Message { replayed, payload })
                })),
                TabOutput::Event { channel, event } => tab.events.push((channel, event)),
                TabOutput::Error(error) => panic!("{error}"),
                _ => {}
            }
        }
    }

    /// What a tab was told of the server's messages, on all of its channels.
    fn messages(&self, tab: usize) -> Vec<Vec<u8>> {
        let events = self.tabs[tab].events.iter();
        let payloads = events.filter_map(|(_, event)| match event {
            ChannelEvent::Message { payload, .. } => Some(payload.bytes().to_vec()),
            _ => None,
        });
        payloads.collect()
    }
}
