//! What comes on a port that no tab of ours would post.

use bytes::Bytes;
use onesocket_engine::{Engine, EngineConfig, Input, Output, PortId, Time};
use onesocket_protocol::{
    BatchReader, ChannelId, Connect, DebugLevel, Epoch, Hello, LinkKey, LinkPolicy, LinkState,
    Millis, Outbox, Payload, Preface, Replay, SendFailure, SendId, TabToken, ToTab, ToWorker,
    Version, VersionRange, WorkerError, WorkerScope, frame::HEADER_BYTES, limits,
};

const EPOCH: Epoch = Epoch(5);

/// An engine, and a tab that is written by hand.
struct Peer {
    engine: Engine,
    outbox: Outbox,
    now: u64,
    transmitted: Vec<Payload>,
    watched: Vec<String>,
    dialled: u32,
    closed: Vec<PortId>,
}

#[derive(PartialEq, Debug)]
enum Answer {
    Preface(Preface),
    Message(ToTab),
}

const PORT: PortId = PortId(0);

impl Peer {
    fn new() -> Self {
        let engine = Engine::new(EngineConfig {
            epoch: EPOCH,
            scope: WorkerScope::Shared,
            seed: 1,
            online: true,
            debug: DebugLevel::Off,
        });
        let mut peer = Self {
            engine,
            outbox: Outbox::new(EPOCH, Version::V1),
            now: 0,
            transmitted: Vec::new(),
            watched: Vec::new(),
            dialled: 0,
            closed: Vec::new(),
        };
        peer.input(Input::PortOpened(PORT));
        peer
    }

    fn welcomed() -> Self {
        let mut peer = Self::new();
        let answers = peer.raw(Hello::new(TabToken(1), false).encode());
        assert!(matches!(
            answers[..],
            [
                Answer::Preface(Preface::Welcome(_)),
                Answer::Message(ToTab::Ready { .. })
            ]
        ));
        peer
    }

    /// A channel whose socket is open.
    fn connected() -> Self {
        let mut peer = Self::welcomed();
        peer.say(&[connect(1)]);
        let socket = onesocket_engine::SocketId(1);
        peer.input(Input::SocketOpened {
            socket,
            subprotocol: String::new(),
        });
        peer
    }

    fn input(&mut self, input: Input) -> Vec<Answer> {
        self.now += 1;
        self.engine.handle_input(Time(self.now), input);
        let mut frames = Vec::new();
        loop {
            match self.engine.poll_output() {
                Output::Post { frame, .. } => frames.push(Bytes::copy_from_slice(frame)),
                Output::Transmit { payload, .. } => self.transmitted.push(payload),
                Output::WatchTab { lock, .. } => self.watched.push(lock),
                Output::Dial { .. } => self.dialled += 1,
                Output::ClosePort(port) => self.closed.push(port),
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        frames.iter().flat_map(|frame| self.read(frame)).collect()
    }

    fn read(&mut self, frame: &Bytes) -> Vec<Answer> {
        match Preface::decode(frame).expect("the engine posts what can be read") {
            Preface::Batch => {
                let batch = BatchReader::new(frame).expect("a batch");
                self.outbox.on_batch(batch.header()).expect("in order");
                batch
                    .map(|raw| ToTab::decode(Version::V1, &raw.expect("whole")).expect("known"))
                    .map(Answer::Message)
                    .collect()
            }
            preface => vec![Answer::Preface(preface)],
        }
    }

    fn raw(&mut self, frame: Vec<u8>) -> Vec<Answer> {
        let frame = Bytes::from(frame);
        let mut answers = self.input(Input::Frame { port: PORT, frame });
        // What waits for an acknowledgement gets it.
        while self.outbox.prepare_frame() {
            let frame = Bytes::copy_from_slice(self.outbox.prepared_frame());
            answers.extend(self.input(Input::Frame { port: PORT, frame }));
        }
        answers
    }

    fn batch(&mut self, messages: &[ToWorker]) -> Vec<u8> {
        messages
            .iter()
            .for_each(|message| self.outbox.push(message));
        assert!(self.outbox.prepare_last_frame());
        self.outbox.prepared_frame().to_vec()
    }

    fn say(&mut self, messages: &[ToWorker]) -> Vec<Answer> {
        let frame = self.batch(messages);
        self.raw(frame)
    }

    /// It still answers.
    fn check_alive(&mut self) {
        let answers = self.say(&[ToWorker::Ping { nonce: 99 }]);
        assert!(
            answers.contains(&Answer::Message(ToTab::Pong { nonce: 99 })),
            "{answers:?}"
        );
    }
}

/// In a tab that joins a stream each of them would be a way there and back later.
#[test]
fn a_tabs_first_messages_do_not_wait_until_it_has_read_that_it_is_connected() {
    let mut peer = Peer::new();
    let message = |text| Input::Received {
        socket: onesocket_engine::SocketId(1),
        payload: Payload::text(text),
    };
    let hello = Hello::new(TabToken(1), false).encode();
    let port = PORT;
    let unread = |peer: &mut Peer, frame: Vec<u8>| {
        let frame = Bytes::from(frame);
        peer.input(Input::Frame { port, frame }).len()
    };
    assert_eq!(
        unread(&mut peer, hello),
        2,
        "a welcome, and that it is ready"
    );
    let connect = peer.batch(&[connect(1)]);
    assert_eq!(unread(&mut peer, connect), 1, "what the connection is");
    let opened = Input::SocketOpened {
        socket: onesocket_engine::SocketId(1),
        subprotocol: String::new(),
    };
    assert_eq!(
        peer.input(opened).len(),
        2,
        "that it is open, and since when"
    );
    assert_eq!(peer.input(message("first")).len(), 1);
    assert_eq!(peer.input(message("second")).len(), 0, "it gathers");
    let read = peer.raw(Preface::encode_probe());
    assert_eq!(read.len(), 2, "alive, and the message: {read:?}");
}

#[test]
fn a_probe_is_answered_at_once_and_begins_and_ends_nothing() {
    let alive = Answer::Preface(Preface::Alive(EPOCH));
    let mut peer = Peer::new();
    assert_eq!(
        peer.raw(Preface::encode_probe()),
        [Answer::Preface(Preface::Alive(EPOCH))]
    );
    let mut peer = Peer::connected();
    // The worker's own batch is not acknowledged, and the tab has said nothing in between.
    let frame = Bytes::from(Preface::encode_probe());
    let answers = peer.input(Input::Frame { port: PORT, frame });
    assert_eq!(answers, [alive]);
    peer.say(&[send(1, "still here")]);
    assert_eq!(peer.transmitted, [Payload::text("still here")]);
}

/// The answer of its server must not wait for the tab to acknowledge the receipt, nor the tab be woken twice.
#[test]
fn a_receipt_of_a_short_batch_is_not_to_be_acknowledged() {
    let mut peer = Peer::connected();
    for id in 1..=3 {
        let frame = peer.batch(&[send(id, "short")]).into();
        let answers = peer.input(Input::Frame { port: PORT, frame });
        assert_eq!(answers, [sent(id)]);
        assert!(!peer.outbox.prepare_frame(), "nothing is owed");
        let payload = Payload::text("the server's answer");
        let socket = onesocket_engine::SocketId(1);
        let answers = peer.input(Input::Received { socket, payload });
        assert!(
            matches!(&answers[..], [Answer::Message(ToTab::Message { .. })]),
            "{answers:?}"
        );
    }
}

/// Its acknowledgement wakes the worker, which then sees what has become of it: `Input::Buffered`.
#[test]
fn a_receipt_of_a_long_batch_is_to_be_acknowledged() {
    let mut peer = Peer::connected();
    let frame = peer.batch(&[send(1, &"long".repeat(1_024))]).into();
    let answers = peer.input(Input::Frame { port: PORT, frame });
    assert_eq!(answers, [sent(1)]);
    assert!(peer.outbox.prepare_frame());
}

/// The host must know: a tab that ends its worker has to read it all the same.
#[test]
fn what_has_waited_is_announced_in_front_of_being_sent() {
    let mut peer = Peer::welcomed();
    peer.say(&[connect(1), send(1, "has waited")]);
    let opened = Input::SocketOpened {
        socket: onesocket_engine::SocketId(1),
        subprotocol: String::new(),
    };
    peer.engine.handle_input(Time(peer.now + 1), opened);
    let mut done = Vec::new();
    loop {
        match peer.engine.poll_output() {
            Output::Post {
                is_announcement: true,
                ..
            } => done.push("announced"),
            Output::Post { .. } => done.push("posted"),
            Output::Transmit { .. } => done.push("sent"),
            Output::Timeout(_) => break,
            _ => {}
        }
    }
    assert_eq!(done, ["announced", "sent", "posted"]);
}

fn sent(through: u64) -> Answer {
    Answer::Message(ToTab::Sent {
        channel: ChannelId(1),
        through: SendId(through),
    })
}

fn connect(channel: u32) -> ToWorker {
    ToWorker::Connect(Box::new(Connect {
        channel: ChannelId(channel),
        key: LinkKey {
            url: "ws://x/".into(),
            subprotocols: Vec::new(),
            account: String::new(),
        },
        policy: LinkPolicy::default().into(),
        replay: Replay::None,
    }))
}

fn send(id: u64, text: &str) -> ToWorker {
    ToWorker::Send {
        channel: ChannelId(1),
        keep: false,
        id: SendId(id),
        payload: Payload::text(text),
    }
}

fn error(error: WorkerError) -> Answer {
    Answer::Message(ToTab::Error {
        channel: None,
        error,
    })
}

fn channel_error(channel: u32, error: WorkerError) -> Answer {
    Answer::Message(ToTab::Error {
        channel: Some(ChannelId(channel)),
        error,
    })
}

/// Changes the tag or the length of the first message of a batch.
fn patched(mut frame: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    frame[HEADER_BYTES + at] = byte;
    frame
}

#[test]
fn an_unknown_tag_costs_one_message() {
    let mut peer = Peer::connected();
    let frame = peer.batch(&[ToWorker::Ping { nonce: 1 }, send(1, "after it")]);
    let answers = peer.raw(patched(frame, 0, 100));
    assert!(
        answers.contains(&error(WorkerError::UnknownMessage { tag: 100 })),
        "{answers:?}"
    );
    assert_eq!(peer.transmitted, [Payload::text("after it")]);
    peer.check_alive();
}

#[test]
fn a_malformed_message_costs_itself() {
    let mut peer = Peer::connected();
    let frame = peer.batch(&[ToWorker::Ping { nonce: 1 }, send(1, "after it")]);
    // A ping's body read as a connect.
    let answers = peer.raw(patched(frame, 0, 1));
    assert!(
        answers.contains(&error(WorkerError::InvalidMessage { tag: 1 })),
        "{answers:?}"
    );
    assert_eq!(peer.transmitted, [Payload::text("after it")]);
    peer.check_alive();
}

#[test]
fn a_broken_frame_costs_its_rest() {
    let mut peer = Peer::connected();
    let frame = peer.batch(&[send(1, "whole"), send(2, "broken")]);
    let answers = peer.raw(frame[..frame.len() - 1].to_vec());
    assert!(
        answers.contains(&error(WorkerError::InvalidFrame)),
        "{answers:?}"
    );
    assert_eq!(peer.transmitted, [Payload::text("whole")]);
    peer.check_alive();
}

#[test]
fn a_frame_that_is_cut_behind_its_header_is_an_error() {
    let len = Peer::connected().batch(&[send(1, "whole")]).len();
    for len in HEADER_BYTES..len {
        let mut peer = Peer::connected();
        let mut frame = peer.batch(&[send(1, "whole")]);
        frame.truncate(len);
        let answers = peer.raw(frame);
        assert!(
            answers.contains(&error(WorkerError::InvalidFrame)),
            "{len}: {answers:?}"
        );
        assert_eq!(peer.transmitted, [], "{len}");
        peer.check_alive();
    }
}

#[test]
fn a_foreign_buffer_is_an_error_and_harms_nothing() {
    let mut peer = Peer::connected();
    for noise in [
        &b""[..],
        b"1skt",
        b"hello",
        b"1skt\x02",
        b"1skt\xff",
        b"1skt\x05",
    ] {
        assert_eq!(
            peer.raw(noise.to_vec()),
            [error(WorkerError::InvalidFrame)],
            "{noise:?}"
        );
    }
    peer.check_alive();
}

#[test]
fn a_batch_before_the_hello_is_answered_with_the_epoch() {
    let mut peer = Peer::new();
    let frame = peer.batch(&[connect(1)]);
    assert_eq!(peer.raw(frame), [Answer::Preface(Preface::Stale(EPOCH))]);
}

#[test]
fn a_batch_of_another_run_is_answered_with_the_epoch() {
    let mut peer = Peer::connected();
    let mut other = Outbox::new(Epoch(4), Version::V1);
    other.push(&send(1, "for the one before"));
    let frame = other.poll_frame().expect("due").to_vec();
    assert_eq!(peer.raw(frame), [Answer::Preface(Preface::Stale(EPOCH))]);
    assert_eq!(peer.transmitted, []);
    peer.check_alive();
}

#[test]
fn a_batch_that_comes_twice_is_read_once() {
    let mut peer = Peer::connected();
    let frame = peer.batch(&[send(1, "once")]);
    peer.raw(frame.clone());
    assert_eq!(peer.raw(frame), [error(WorkerError::InvalidFrame)]);
    assert_eq!(peer.transmitted, [Payload::text("once")]);
    peer.check_alive();
}

#[test]
fn a_send_that_comes_twice_is_sent_once() {
    let mut peer = Peer::connected();
    let answers = peer.say(&[
        send(3, "first"),
        send(3, "again"),
        send(2, "before"),
        send(4, "next"),
    ]);
    let failed = |id| {
        Answer::Message(ToTab::Failed {
            channel: ChannelId(1),
            id: SendId(id),
            failure: SendFailure::OutOfOrder,
        })
    };
    assert!(
        answers.contains(&failed(3)) && answers.contains(&failed(2)),
        "{answers:?}"
    );
    assert_eq!(
        peer.transmitted,
        [Payload::text("first"), Payload::text("next")]
    );
}

#[test]
fn a_hello_of_other_versions_is_refused_with_ours() {
    let mut peer = Peer::new();
    let hello = Hello {
        versions: VersionRange { min: 7, max: 9 },
        ..Hello::new(TabToken(1), true)
    };
    let refused = Answer::Preface(Preface::Refused(onesocket_protocol::Refusal {
        versions: VersionRange::OURS,
    }));
    assert_eq!(peer.raw(hello.encode()), [refused]);
    assert_eq!(peer.watched, [""; 0]);
}

#[test]
fn a_lock_that_the_hello_could_not_name_is_watched_from_when_the_tab_holds_it() {
    let mut peer = Peer::welcomed();
    assert_eq!(peer.watched, [""; 0]);
    peer.say(&[ToWorker::HoldsLock, ToWorker::HoldsLock]);
    peer.say(&[ToWorker::HoldsLock]);
    peer.outbox = Outbox::new(EPOCH, Version::V1);
    peer.raw(Hello::new(TabToken(1), true).encode());
    assert_eq!(peer.watched, [TabToken(1).lock_name()]);
}

#[test]
fn a_lock_that_only_the_second_hello_names_was_not_watched() {
    let mut peer = Peer::welcomed();
    for _ in 0..2 {
        peer.outbox = Outbox::new(EPOCH, Version::V1);
        peer.raw(Hello::new(TabToken(1), true).encode());
    }
    assert_eq!(peer.watched, [TabToken(1).lock_name()]);
}

#[test]
fn an_unknown_channel_is_named_in_the_answer() {
    let mut peer = Peer::connected();
    let channel = ChannelId(9);
    let answers = peer.say(&[
        ToWorker::GetStatus { channel },
        ToWorker::Send {
            channel,
            keep: false,
            id: SendId(1),
            payload: Payload::text("x"),
        },
        ToWorker::Disconnect { channel },
    ]);
    let failure = SendFailure::UnknownChannel;
    assert_eq!(
        answers[..],
        [
            channel_error(9, WorkerError::UnknownChannel),
            Answer::Message(ToTab::Failed {
                channel,
                id: SendId(1),
                failure
            }),
            Answer::Message(ToTab::Detached { channel }),
        ]
    );
}

#[test]
fn a_tab_has_so_many_channels_and_each_once() {
    let mut peer = Peer::welcomed();
    let most = limits::MAX_CHANNELS_PER_TAB as u32;
    let connects: Vec<ToWorker> = (0..=most).map(connect).collect();
    let answers = peer.say(&connects);
    assert!(answers.contains(&channel_error(most, WorkerError::TooManyChannels)));
    let answers = peer.say(&[connect(1)]);
    assert_eq!(answers, [channel_error(1, WorkerError::ChannelInUse)]);
}

#[test]
fn nothing_is_read_after_a_goodbye() {
    let mut peer = Peer::connected();
    peer.say(&[
        send(1, "before"),
        ToWorker::Bye,
        send(2, "after"),
        connect(2),
    ]);
    assert_eq!(peer.transmitted, [Payload::text("before")]);
    let frame = peer.batch(&[ToWorker::Ping { nonce: 1 }]);
    assert_eq!(peer.raw(frame), []);
}

#[test]
fn a_subprotocol_that_was_not_offered_is_refused() {
    let mut peer = Peer::welcomed();
    peer.say(&[connect(1)]);
    let socket = onesocket_engine::SocketId(1);
    let answers = peer.input(Input::SocketOpened {
        socket,
        subprotocol: "surprise".to_owned(),
    });
    assert!(
        answers
            .iter()
            .any(|answer| matches!(answer, Answer::Message(ToTab::Reconnecting { .. }))),
        "{answers:?}"
    );
}

#[test]
fn any_frame_with_any_byte_changed_is_survived() {
    let template = {
        let mut peer = Peer::connected();
        peer.batch(&[
            connect(2),
            send(1, "text"),
            ToWorker::Reconnect {
                channel: ChannelId(1),
            },
        ])
    };
    for at in 0..template.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut frame = template.clone();
            frame[at] = byte;
            Peer::connected().raw(frame);
        }
    }
}

/// Asks and does not read until the session is over; returns how often it could.
fn overrun(peer: &mut Peer) -> u32 {
    let ask = ToWorker::GetStatus {
        channel: ChannelId(1),
    };
    let asks = vec![ask; 20_000];
    let stale = Answer::Preface(Preface::Stale(EPOCH));
    let mut rounds = 0;
    loop {
        let mut frame = peer.batch(&asks);
        // The acknowledgement.
        frame[24..32].fill(0);
        let frame = Bytes::from(frame);
        let answers = peer.input(Input::Frame { port: PORT, frame });
        if answers.contains(&stale) {
            return rounds;
        }
        rounds += 1;
        assert!(rounds < 500, "it may go on for ever");
    }
}

#[test]
fn who_asks_and_never_reads_is_taken_for_gone() {
    let mut peer = Peer::connected();
    let rounds = overrun(&mut peer);
    assert!(rounds > 10, "{rounds} rounds are no reason");
    peer.outbox = Outbox::new(EPOCH, Version::V1);
    peer.raw(Hello::new(TabToken(1), false).encode());
    peer.check_alive();
}

#[test]
fn what_a_tab_that_never_reads_had_said_of_the_network_held_for_ever() {
    let mut peer = Peer::connected();
    peer.say(&[ToWorker::Network { online: false }]);
    peer.input(Input::SocketClosed {
        socket: onesocket_engine::SocketId(1),
        code: 1006,
        reason: String::new(),
        was_clean: false,
    });
    overrun(&mut peer);
    peer.outbox = Outbox::new(EPOCH, Version::V1);
    peer.raw(Hello::new(TabToken(1), false).encode());
    let answers = peer.say(&[connect(1)]);
    let is_online = |answer: &Answer| {
        let Answer::Message(ToTab::Attached { status, .. }) = answer else {
            return false;
        };
        matches!(status.state, LinkState::Connecting { .. })
    };
    assert!(answers.iter().any(is_online), "{answers:?}");
}

/// A dial brings its URL along, which may be long.
#[test]
fn a_small_frame_of_requests_for_new_sockets_dialled_for_each() {
    let channel = ChannelId(1);
    let reconnect = ToWorker::Reconnect { channel };
    let close = ToWorker::Close {
        channel,
        code: 1000,
        reason: String::new(),
    };
    let log_out = ToWorker::LogOut {
        channel,
        drain: None,
    };
    for others in [vec![], vec![close], vec![log_out]] {
        let mut peer = Peer::connected();
        let asked = [others, vec![reconnect.clone()]].concat();
        let asked: Vec<ToWorker> = asked.iter().cycle().take(10_000).cloned().collect();
        peer.say(&asked);
        peer.input(Input::Tick);
        let dialled = peer.dialled;
        assert!((2..=4).contains(&dialled), "{dialled} dials");
        peer.check_alive();
    }
}

#[test]
fn a_frame_that_asks_for_more_than_its_tab_may_be_told_was_read_to_its_end() {
    let mut peer = Peer::welcomed();
    let mut connect = connect(1);
    if let ToWorker::Connect(connect) = &mut connect {
        connect.key.subprotocols = vec!["x".repeat(8_192)];
    }
    peer.say(&[connect]);
    peer.input(Input::SocketOpened {
        socket: onesocket_engine::SocketId(1),
        subprotocol: "x".repeat(8_192),
    });
    let channel = ChannelId(1);
    let mut flood = vec![ToWorker::GetStatus { channel }; 60_000];
    flood.push(send(1, "behind it"));
    peer.say(&flood);
    assert_eq!(peer.transmitted, []);
}

/// Pages that start their worker early, and make no client.
#[test]
fn ports_on_which_nobody_said_hello_were_kept_for_ever() {
    let mut peer = Peer::welcomed();
    peer.input(Input::PortOpened(PortId(1)));
    peer.now += 60_000;
    peer.input(Input::PortOpened(PortId(2)));
    peer.now += 60_000;
    let asked = peer.input(Input::PortOpened(PortId(3)));
    assert_eq!(asked, [Answer::Preface(Preface::Stale(EPOCH))]);
    peer.now += 60_000;
    peer.input(Input::PortOpened(PortId(4)));
    assert_eq!(peer.closed, []);
    peer.now += 60_000;
    peer.input(Input::PortOpened(PortId(5)));
    assert_eq!(peer.closed, [PortId(1)]);
    peer.now += 60_000;
    peer.input(Input::PortOpened(PortId(6)));
    assert_eq!(peer.closed, [PortId(1), PortId(2)]);
    // One that is used stays.
    peer.check_alive();
}

/// It says no goodbye, as it knows of no welcome; and the lock of its token it may not have had yet.
#[test]
fn a_tab_that_went_behind_its_hello_was_remembered_for_as_long_as_the_machine_had_slept() {
    let mut peer = Peer::new();
    peer.input(Input::Slept(Millis(600_000)));
    let frame = Bytes::from(Hello::new(TabToken(1), false).encode());
    peer.input(Input::Frame { port: PORT, frame });
    peer.now += 121_000;
    peer.input(Input::PortOpened(PortId(1)));
    assert_eq!(peer.closed, [], "it may have slept");
    peer.now += 121_000;
    peer.input(Input::PortOpened(PortId(2)));
    assert!(peer.closed.contains(&PORT));
}

#[test]
fn a_tab_that_goes_behind_its_hello_is_forgotten() {
    for holds_lock in [false, true] {
        let mut peer = Peer::new();
        peer.now += 119_000;
        let frame = Bytes::from(Hello::new(TabToken(1), holds_lock).encode());
        peer.input(Input::Frame { port: PORT, frame });
        peer.now += 119_000;
        peer.input(Input::PortOpened(PortId(1)));
        assert_eq!(peer.closed, [], "it may be slow");
        peer.now += 2_000;
        peer.input(Input::PortOpened(PortId(2)));
        assert_eq!(peer.closed, [], "it may have slept");
        peer.now += 121_000;
        peer.input(Input::PortOpened(PortId(3)));
        assert_eq!(peer.closed.contains(&PORT), !holds_lock);
        assert_eq!(peer.watched.len(), usize::from(holds_lock));
    }
}
