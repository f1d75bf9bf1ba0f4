//! Every message and every variant of what is in one, with its name in `tests/golden`.

use bytes::Bytes;
use onesocket_protocol::{
    Answer, Auth, Backoff, ChannelId, CloseInfo, Connect, Credential, DebugLevel, Encode, Epoch,
    FailedStart, GiveUp, Greeting, GreetingId, Heartbeat, Hello, LatestBy, LinkKey, LinkPolicy,
    LinkState, LogEntry, LogLevel, Millis, Pace, Packed, Payload, Preface, QueueLimits,
    ReconnectCause, Refusal, Replay, SendFailure, SendId, Sight, Status, StopReason, TabId,
    TabToken, ToTab, ToWorker, Version, VersionRange, Wake, Welcome, WorkerError, WorkerScope,
    log::kind, message::tag,
};

const CHANNEL: ChannelId = ChannelId(3);
const BUILD: u64 = 0x0000_0190_5b1e_7c00;

pub(crate) fn prefaces() -> Vec<(&'static str, Vec<u8>, Preface)> {
    let versions = VersionRange { min: 1, max: 1 };
    let token = TabToken(0x0123_4567_89ab_cdef);
    let hello = |holds_lock, build| Hello {
        holds_lock,
        versions,
        token,
        build,
    };
    let welcome = Welcome {
        version: 1,
        versions,
        epoch: Epoch(0xfedc_ba98_7654_3210),
        tab: TabId(258),
    };
    let refusal = Refusal {
        versions: VersionRange { min: 2, max: 513 },
    };
    let failed = FailedStart {
        reason: "CompileError: désolé".to_owned(),
    };
    let stale = Epoch(0xfedc_ba98_7654_3210);
    vec![
        (
            "preface-hello",
            hello(false, 0).encode(),
            Preface::Hello(hello(false, 0)),
        ),
        (
            "preface-hello-lock",
            hello(true, BUILD).encode(),
            Preface::Hello(hello(true, BUILD)),
        ),
        (
            "preface-welcome",
            welcome.encode(),
            Preface::Welcome(welcome),
        ),
        (
            "preface-refused",
            refusal.encode(),
            Preface::Refused(refusal),
        ),
        ("preface-failed", failed.encode(), Preface::Failed(failed)),
        (
            "preface-stale",
            Preface::encode_stale(stale),
            Preface::Stale(stale),
        ),
        ("preface-probe", Preface::encode_probe(), Preface::Probe),
        (
            "preface-alive",
            Preface::encode_alive(stale),
            Preface::Alive(stale),
        ),
    ]
}

pub(crate) fn to_worker() -> Vec<(&'static str, ToWorker)> {
    let connect = |replay| {
        ToWorker::Connect(Box::new(Connect {
            channel: CHANNEL,
            key: key(),
            policy: policy().into(),
            replay,
        }))
    };
    let send = |payload| ToWorker::Send {
        channel: CHANNEL,
        id: SendId(300),
        keep: false,
        payload,
    };
    let debug = |level| ToWorker::SetDebug { level };
    let greet = |farewell| ToWorker::Greet {
        channel: CHANNEL,
        greeting: Greeting {
            id: GreetingId(4),
            payload: Payload::text("hello"),
            farewell,
        },
    };
    let credential = |credential| ToWorker::Credential {
        channel: CHANNEL,
        request: 7,
        credential,
    };
    let (messages, bytes) = (50, 65_536);
    vec![
        ("connect", connect(Replay::None)),
        (
            "connect-replay-last",
            connect(Replay::Last { messages, bytes }),
        ),
        (
            "connect-replay-ask",
            connect(Replay::Ask(Payload::text("snapshot"))),
        ),
        ("connect-defaults", connect_with_defaults()),
        ("disconnect", ToWorker::Disconnect { channel: CHANNEL }),
        ("send-text", send(Payload::text("grüße"))),
        ("send-binary", send(Payload::binary(vec![0, 255]))),
        ("send-empty", send(Payload::binary(vec![]))),
        (
            "send-keep",
            ToWorker::Send {
                channel: CHANNEL,
                id: SendId(300),
                keep: true,
                payload: Payload::text("hi"),
            },
        ),
        (
            "acknowledge",
            ToWorker::Acknowledge {
                channel: CHANNEL,
                id: SendId(300),
            },
        ),
        ("get-status", ToWorker::GetStatus { channel: CHANNEL }),
        ("ping", ToWorker::Ping { nonce: u32::MAX }),
        ("set-debug-off", debug(DebugLevel::Off)),
        ("set-debug-messages", debug(DebugLevel::Messages)),
        ("set-debug-payloads", debug(DebugLevel::Payloads)),
        ("bye", ToWorker::Bye),
        ("greet", greet(None)),
        ("greet-farewell", greet(Some(Payload::binary(vec![9])))),
        (
            "ungreet",
            ToWorker::Ungreet {
                channel: CHANNEL,
                greeting: GreetingId(4),
            },
        ),
        (
            "delay",
            ToWorker::Delay {
                channel: CHANNEL,
                delay: Millis(5_000),
            },
        ),
        ("reconnect", ToWorker::Reconnect { channel: CHANNEL }),
        ("network-offline", ToWorker::Network { online: false }),
        ("network-online", ToWorker::Network { online: true }),
        ("wake", ToWorker::Wake),
        ("holds-lock", ToWorker::HoldsLock),
        ("pace", ToWorker::Pace(Pace::HIDDEN)),
        (
            "inspect",
            ToWorker::Inspect {
                sight: Sight::Recording,
            },
        ),
        ("credential", credential(Some(full_credential()))),
        ("credential-empty", credential(Some(Credential::default()))),
        ("credential-none", credential(None)),
        (
            "log-out",
            ToWorker::LogOut {
                channel: CHANNEL,
                drain: None,
            },
        ),
        (
            "log-out-drain",
            ToWorker::LogOut {
                channel: CHANNEL,
                drain: Some(Millis(5_000)),
            },
        ),
        (
            "close",
            ToWorker::Close {
                channel: CHANNEL,
                code: 3000,
                reason: "done".into(),
            },
        ),
    ]
}

pub(crate) fn to_tab() -> Vec<(&'static str, ToTab)> {
    let mut samples = vec![
        (
            "connected",
            ToTab::Connected {
                channel: CHANNEL,
                subprotocol: "v2.chat".to_owned(),
            },
        ),
        (
            "sent",
            ToTab::Sent {
                channel: CHANNEL,
                through: SendId(300),
            },
        ),
        ("pong", ToTab::Pong { nonce: u32::MAX }),
        (
            "lagged",
            ToTab::Lagged {
                channel: CHANNEL,
                missed: 1 << 40,
            },
        ),
        ("detached", ToTab::Detached { channel: CHANNEL }),
        (
            "need-credential",
            ToTab::NeedCredential {
                channel: CHANNEL,
                request: 7,
                refused: true,
            },
        ),
        (
            "mark",
            ToTab::Mark {
                channel: CHANNEL,
                through: SendId(300),
            },
        ),
        (
            "buffered",
            ToTab::Buffered {
                channel: CHANNEL,
                bytes: 3 << 18,
            },
        ),
        ("update-available", ToTab::UpdateAvailable { build: BUILD }),
        (
            "update-available-protocol",
            ToTab::UpdateAvailable { build: 0 },
        ),
    ];
    samples.extend(settings());
    samples.extend(messages());
    samples.extend(statuses());
    samples.extend(reconnecting());
    samples.extend(disconnected());
    samples.extend(failures());
    samples.extend(errors());
    samples
}

/// The name, tag, length and body of every message.
pub(crate) fn encoded() -> Vec<(&'static str, Vec<u8>)> {
    let worker = to_worker();
    let tab = to_tab();
    let worker = worker
        .iter()
        .map(|(name, message)| (*name, encode(message)));
    let tab = tab.iter().map(|(name, message)| (*name, encode(message)));
    worker.chain(tab).collect()
}

fn encode(message: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(Version::V1, &mut bytes);
    bytes
}

fn full_credential() -> Credential {
    Credential {
        url: Some("wss://example.org/chat?token=fresh".to_owned()),
        subprotocols: vec!["v2.chat".to_owned(), "bearer.fresh".to_owned()],
        first: Some(Payload::text("log in")),
    }
}

fn key() -> LinkKey {
    LinkKey {
        url: "wss://example.org/chat?token=s3cret".to_owned(),
        subprotocols: vec!["v2.chat".to_owned(), "v1.chat".to_owned()],
        account: "alice".to_owned(),
    }
}

fn policy() -> LinkPolicy {
    LinkPolicy {
        backoff: Backoff {
            base: Millis(1_000),
            cap: Millis(30_000),
            stable_after: Millis(5_000),
            spread: Millis(6_000),
        },
        connect_timeout: Millis(10_000),
        give_up: GiveUp {
            attempts: Some(10),
            after: Some(Millis(60_000)),
        },
        fatal_codes: vec![1008, 4001],
        heartbeat: Some(Heartbeat {
            interval: Millis(20_000),
            deadline: Millis(5_000),
            ping: Payload::text("ping"),
            pong: Some(Payload::text("pong")),
        }),
        answer: Some(Answer {
            ping: Payload::text("2"),
            pong: Payload::text("3"),
        }),
        queue: QueueLimits {
            messages: 10_000,
            bytes: 8_388_608,
            timeout: Some(Millis(300_000)),
        },
        linger: Millis(2_000),
        max_received_bytes: 67_108_864,
        wake: Wake {
            deadline: Millis(3_000),
            replace_after: Some(Millis(120_000)),
        },
        latest: Some(LatestBy::JsonMember(String::from("symbol"))),
        auth: Auth {
            codes: vec![4401, 1008],
            ask: Some(Millis(10_000)),
        },
    }
}

/// Written out, so that another default does not change the golden bytes.
fn connect_with_defaults() -> ToWorker {
    let mut policy = policy();
    policy.give_up = GiveUp::default();
    policy.heartbeat = None;
    policy.answer = None;
    policy.queue.timeout = None;
    policy.fatal_codes.clear();
    policy.wake.replace_after = None;
    policy.auth.codes.clear();
    policy.auth.ask = None;
    ToWorker::Connect(Box::new(Connect {
        channel: CHANNEL,
        key: LinkKey {
            url: "ws://localhost".to_owned(),
            subprotocols: vec![],
            account: String::new(),
        },
        policy: policy.into(),
        replay: Replay::None,
    }))
}

fn settings() -> Vec<(&'static str, ToTab)> {
    let ready = |scope| ToTab::Ready {
        scope,
        debug: DebugLevel::Messages,
    };
    let log = |level| ToTab::Log(LogEntry::line(level, "app::cart", "a line"));
    let send = LogEntry {
        kind: kind::MESSAGE_IN,
        id: 300,
        code: u32::from(tag::SEND),
        len: 70_000,
        content: Bytes::from_static(&[0x81, 0x01, 0x07]),
    };
    vec![
        ("ready-shared", ready(WorkerScope::Shared)),
        ("ready-dedicated", ready(WorkerScope::Dedicated)),
        ("ready-main", ready(WorkerScope::Main)),
        ("log-error", log(LogLevel::Error)),
        ("log-warn", log(LogLevel::Warn)),
        ("log-info", log(LogLevel::Info)),
        ("log-debug", log(LogLevel::Debug)),
        ("log-trace", log(LogLevel::Trace)),
        ("log-message", ToTab::Log(send)),
    ]
}

fn messages() -> Vec<(&'static str, ToTab)> {
    let message = |replayed, payload| ToTab::Message {
        channel: CHANNEL,
        replayed,
        payload,
    };
    vec![
        ("message-text", message(false, Payload::text("grüße"))),
        (
            "message-binary",
            message(false, Payload::binary(vec![0, 255])),
        ),
        ("message-replayed", message(true, Payload::text(""))),
        (
            "packed",
            ToTab::Packed {
                channel: CHANNEL,
                packed: Packed::new(&b"\x02\0\0\0\0\xff\0\0\0\0\x03\0\0\0abc"[..]).expect("three"),
            },
        ),
    ]
}

fn statuses() -> Vec<(&'static str, ToTab)> {
    let status = |state| Status {
        state,
        tabs: 6,
        queued_messages: 2,
        queued_bytes: 300,
        dials: 4,
        round_trip: None,
    };
    let connected = LinkState::Connected {
        subprotocol: String::new(),
        uptime: Millis(1),
    };
    let reconnecting = LinkState::Reconnecting {
        attempt: 2,
        delay: Millis(1_500),
        cause: ReconnectCause::Closed(close()),
    };
    let tell = |state| ToTab::Status {
        channel: CHANNEL,
        status: status(state),
    };
    let round_trip = Some(Millis(42));
    vec![
        (
            "attached",
            ToTab::Attached {
                channel: CHANNEL,
                status: Status {
                    round_trip,
                    ..status(connected.clone())
                },
            },
        ),
        (
            "status-connecting",
            tell(LinkState::Connecting { attempt: 1 }),
        ),
        ("status-connected", tell(connected)),
        ("status-reconnecting", tell(reconnecting)),
        ("status-offline", tell(LinkState::Offline { attempt: 2 })),
        (
            "status-stopped",
            tell(LinkState::Stopped(StopReason::Unused)),
        ),
        (
            "status-needs-auth",
            tell(LinkState::NeedsAuth { refused: true }),
        ),
    ]
}

fn reconnecting() -> Vec<(&'static str, ToTab)> {
    let reconnecting = |cause| ToTab::Reconnecting {
        channel: CHANNEL,
        attempt: 2,
        delay: Some(Millis(1_500)),
        cause,
    };
    let offline = ToTab::Reconnecting {
        channel: CHANNEL,
        attempt: 2,
        delay: None,
        cause: ReconnectCause::Offline,
    };
    vec![
        (
            "reconnecting-unreachable",
            reconnecting(ReconnectCause::Unreachable),
        ),
        (
            "reconnecting-connect-timeout",
            reconnecting(ReconnectCause::ConnectTimeout),
        ),
        (
            "reconnecting-closed",
            reconnecting(ReconnectCause::Closed(close())),
        ),
        (
            "reconnecting-heartbeat-timeout",
            reconnecting(ReconnectCause::HeartbeatTimeout),
        ),
        (
            "reconnecting-subprotocol-refused",
            reconnecting(ReconnectCause::SubprotocolRefused),
        ),
        ("reconnecting-offline", offline),
        (
            "reconnecting-requested",
            reconnecting(ReconnectCause::Requested),
        ),
        ("reconnecting-slept", reconnecting(ReconnectCause::Slept)),
    ]
}

fn disconnected() -> Vec<(&'static str, ToTab)> {
    let disconnected = |reason| ToTab::Disconnected {
        channel: CHANNEL,
        reason,
    };
    let gave_up = StopReason::GaveUp {
        attempts: 10,
        cause: ReconnectCause::Unreachable,
    };
    vec![
        (
            "disconnected-fatal-close",
            disconnected(StopReason::FatalClose(close())),
        ),
        ("disconnected-gave-up", disconnected(gave_up)),
        (
            "disconnected-invalid-url",
            disconnected(StopReason::InvalidUrl),
        ),
        (
            "disconnected-insecure-url",
            disconnected(StopReason::InsecureUrl),
        ),
        (
            "disconnected-invalid-subprotocol",
            disconnected(StopReason::InvalidSubprotocol),
        ),
        ("disconnected-no-worker", disconnected(StopReason::NoWorker)),
        ("disconnected-unused", disconnected(StopReason::Unused)),
        (
            "disconnected-logged-out",
            disconnected(StopReason::LoggedOut),
        ),
        (
            "disconnected-closed",
            disconnected(StopReason::Closed(close())),
        ),
    ]
}

fn failures() -> Vec<(&'static str, ToTab)> {
    let failed = |failure| ToTab::Failed {
        channel: CHANNEL,
        id: SendId(300),
        failure,
    };
    let (messages, bytes) = (10_000, 123_456);
    vec![
        (
            "failed-queue-full",
            failed(SendFailure::QueueFull { messages, bytes }),
        ),
        ("failed-expired", failed(SendFailure::Expired)),
        ("failed-disconnected", failed(SendFailure::Disconnected)),
        (
            "failed-stopped",
            failed(SendFailure::Stopped(StopReason::FatalClose(close()))),
        ),
        (
            "failed-unknown-channel",
            failed(SendFailure::UnknownChannel),
        ),
        ("failed-no-worker", failed(SendFailure::NoWorker)),
        ("failed-out-of-order", failed(SendFailure::OutOfOrder)),
    ]
}

fn errors() -> Vec<(&'static str, ToTab)> {
    let of_tab = |error| ToTab::Error {
        channel: None,
        error,
    };
    let of_channel = |error| ToTab::Error {
        channel: Some(CHANNEL),
        error,
    };
    let (bytes, cap) = (70_000_000, 67_108_864);
    vec![
        (
            "error-unknown-message",
            of_tab(WorkerError::UnknownMessage { tag: 99 }),
        ),
        (
            "error-invalid-message",
            of_tab(WorkerError::InvalidMessage { tag: 3 }),
        ),
        ("error-invalid-frame", of_tab(WorkerError::InvalidFrame)),
        (
            "error-unknown-channel",
            of_channel(WorkerError::UnknownChannel),
        ),
        (
            "error-channel-in-use",
            of_channel(WorkerError::ChannelInUse),
        ),
        (
            "error-too-many-channels",
            of_channel(WorkerError::TooManyChannels),
        ),
        (
            "error-too-many-greetings",
            of_channel(WorkerError::TooManyGreetings),
        ),
        (
            "error-policy-differs",
            of_channel(WorkerError::PolicyDiffers),
        ),
        (
            "error-received-too-large",
            of_channel(WorkerError::ReceivedTooLarge { bytes, cap }),
        ),
        (
            "error-credential-refused",
            of_channel(WorkerError::CredentialRefused),
        ),
    ]
}

fn close() -> CloseInfo {
    CloseInfo {
        code: 4001,
        reason: "auf Wiedersehen".to_owned(),
        was_clean: true,
    }
}
