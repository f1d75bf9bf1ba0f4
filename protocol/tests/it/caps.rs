//! Every length has a cap: refused by whoever makes the message and by whoever reads it.

use bytes::Bytes;
use onesocket_protocol::{
    Answer, Auth, BatchReader, ChannelId, CloseInfo, Connect, DecodeError, Encode, Epoch,
    FailedStart, FrameError, Greeting, GreetingId, Heartbeat, LatestBy, LinkKey, LinkPolicy,
    LogEntry, LogLevel, Millis, Outbox, OverCap, Payload, Preface, RawMessage, Replay, SendId,
    StopReason, ToTab, ToWorker, Version, limits, log::kind, message::tag,
};

use crate::{Message, raw, strategies::pack};

#[test]
fn a_connect_at_its_caps_fits_and_one_over_any_of_them_is_refused() {
    let is_refused = |field: &'static str, connect: Connect| {
        refused(
            &ToWorker::Connect(Box::new(connect)),
            OverCap {
                tag: tag::CONNECT,
                field,
            },
        );
    };
    let check = |field, change: fn(&mut Connect)| {
        let mut connect = greatest_connect();
        change(&mut connect);
        is_refused(field, connect);
    };
    let check_policy = |field, change: fn(&mut LinkPolicy)| {
        let mut connect = greatest_connect();
        let mut policy = LinkPolicy::clone(&connect.policy);
        change(&mut policy);
        connect.policy = policy.into();
        is_refused(field, connect);
    };
    fits(&ToWorker::Connect(Box::new(greatest_connect())));
    check("url", |connect| connect.key.url.push('x'));
    check("account", |connect| connect.key.account.push('x'));
    check("subprotocols", |connect| {
        connect.key.subprotocols.push(String::new())
    });
    check("subprotocols", |connect| {
        connect.key.subprotocols[7].push('x')
    });
    check_policy("fatal codes", |policy| policy.fatal_codes.push(1));
    check_policy("auth codes", |policy| policy.auth.codes.push(1));
    check_policy("max received bytes", |policy| {
        policy.max_received_bytes += 1
    });
    check_policy("latest by", |policy| {
        let name = "n".repeat(limits::MAX_TEXT_BYTES + 1);
        policy.latest = Some(LatestBy::JsonMember(name));
    });
    check("replay", |connect| {
        connect.replay = Replay::Ask(greeting_payload(1))
    });
    check_policy("ping", |policy| {
        policy.heartbeat.as_mut().expect("has one").ping = greeting_payload(1);
    });
    check_policy("pong", |policy| {
        policy.heartbeat.as_mut().expect("has one").pong = Some(greeting_payload(1));
    });
    check_policy("answer", |policy| {
        let ping = Payload::binary(vec![1; limits::MAX_TEXT_BYTES + 1]);
        policy.answer.as_mut().expect("has one").ping = ping;
    });
    check_policy("answer", |policy| {
        let pong = Payload::binary(vec![1; limits::MAX_TEXT_BYTES + 1]);
        policy.answer.as_mut().expect("has one").pong = pong;
    });
}

#[test]
fn the_reason_of_a_close_is_capped() {
    let close = |more| ToWorker::Close {
        channel: ChannelId(u32::MAX),
        code: 3000,
        reason: "r".repeat(limits::MAX_CLOSE_REASON_BYTES + more),
    };
    fits(&close(0));
    refused(
        &close(1),
        OverCap {
            tag: tag::CLOSE,
            field: "reason",
        },
    );
}

#[test]
fn a_greeting_and_its_farewell_are_capped() {
    let greet = |more, more_farewell| ToWorker::Greet {
        channel: ChannelId(u32::MAX),
        greeting: Greeting {
            id: GreetingId(u32::MAX),
            payload: greeting_payload(more),
            farewell: Some(greeting_payload(more_farewell)),
        },
    };
    fits(&greet(0, 0));
    refused(
        &greet(1, 0),
        OverCap {
            tag: tag::GREET,
            field: "greeting",
        },
    );
    refused(
        &greet(0, 1),
        OverCap {
            tag: tag::GREET,
            field: "farewell",
        },
    );
}

#[test]
fn a_subprotocol_that_a_server_chose_is_capped() {
    let connected = |len| ToTab::Connected {
        channel: ChannelId(1),
        subprotocol: "x".repeat(len),
    };
    fits(&connected(limits::MAX_TEXT_BYTES));
    refused(
        &connected(limits::MAX_TEXT_BYTES + 1),
        OverCap {
            tag: tag::CONNECTED,
            field: "subprotocol",
        },
    );
}

#[test]
fn a_payload_is_capped_and_the_greatest_one_fits_behind_an_almost_full_batch() {
    let send = |len| ToWorker::Send {
        channel: ChannelId(u32::MAX),
        id: SendId(u64::MAX),
        keep: true,
        payload: Payload::binary(vec![0; len]),
    };
    refused(
        &send(limits::MAX_PAYLOAD_BYTES + 1),
        OverCap {
            tag: tag::SEND,
            field: "payload",
        },
    );

    let greatest = send(limits::MAX_PAYLOAD_BYTES);
    assert_eq!(greatest.check(), Ok(()));
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    let overhead = 36 + 5 + 17;
    outbox.push(&send(limits::FULL_BATCH_BYTES - overhead - 1));
    outbox.push(&greatest);
    let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("a batch"));
    assert!(frame.len() > limits::MAX_PAYLOAD_BYTES + limits::FULL_BATCH_BYTES);
    let batch = BatchReader::new(&frame).expect("a frame within the cap");
    assert_eq!(batch.header().count, 2);
    let last = batch.last().expect("two messages").expect("a whole frame");
    assert_eq!(ToWorker::decode_v1(&last), Ok(greatest));
}

#[test]
fn a_frame_over_the_cap_is_refused_before_it_is_looked_at() {
    let len = limits::MAX_FRAME_BYTES + 1;
    let frame = Bytes::from(vec![0; len]);
    assert_eq!(
        BatchReader::new(&frame).err(),
        Some(FrameError::TooLong { len })
    );
}

#[test]
fn a_batch_is_full_at_so_many_messages() {
    let mut outbox = Outbox::new(Epoch(1), Version::V1);
    for _ in 0..=limits::MAX_BATCH_MESSAGES {
        outbox.push(&ToWorker::Bye);
    }
    let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("a batch"));
    let batch = BatchReader::new(&frame).expect("a batch at the cap");
    assert_eq!(batch.header().count, limits::MAX_BATCH_MESSAGES);
    assert_eq!(
        batch.filter_map(Result::ok).count(),
        limits::MAX_BATCH_MESSAGES as usize
    );
    assert_eq!(outbox.backlog_bytes(), 5);
}

#[test]
fn an_explanation_is_cut_between_characters() {
    // Three bytes each, and the cap is no multiple of three.
    let long = "€".repeat(limits::MAX_REASON_BYTES);
    let cut = "€".repeat(limits::MAX_REASON_BYTES / 3);

    let failed = FailedStart {
        reason: long.clone(),
    }
    .encode();
    let expected = Preface::Failed(FailedStart {
        reason: cut.clone(),
    });
    assert_eq!(Preface::decode(&failed), Ok(expected));
    let invalid = [
        b"1skt\x04".to_vec(),
        vec![0xff; 2 * limits::MAX_REASON_BYTES],
    ]
    .concat();
    let Ok(Preface::Failed(failed)) = Preface::decode(&invalid) else {
        unreachable!("any bytes are a reason");
    };
    assert!(failed.reason.len() <= limits::MAX_REASON_BYTES);

    let log = |text: &str| LogEntry::line(LogLevel::Info, text, text);
    assert_eq!(log(&long), log(&cut));

    let disconnected = |reason: &str| ToTab::Disconnected {
        channel: ChannelId(1),
        reason: StopReason::FatalClose(CloseInfo {
            code: 4000,
            reason: reason.to_owned(),
            was_clean: true,
        }),
    };
    assert_eq!(
        ToTab::decode_v1(&raw(&disconnected(&long))),
        Ok(disconnected(&cut))
    );
}

#[test]
fn an_explanation_that_the_other_side_did_not_cut_is_cut_here() {
    let log = |len| {
        ToTab::Log(LogEntry {
            content: vec![b'x'; len].into(),
            ..LogEntry::new(kind::CLOSED)
        })
    };
    let body = [
        vec![kind::CLOSED, 0, 0, 0],
        vec![b'x'; limits::MAX_LOG_BYTES + 1],
    ]
    .concat();
    assert_eq!(
        ToTab::decode_v1(&RawMessage {
            tag: tag::LOG,
            body: body.into()
        }),
        Ok(log(limits::MAX_LOG_BYTES))
    );
    assert_eq!(
        ToTab::decode_v1(&raw(&log(limits::MAX_LOG_BYTES + 1))),
        Ok(log(limits::MAX_LOG_BYTES))
    );
}

#[test]
fn announced_lengths_are_not_believed() {
    // Were any of these allocated, the test would not come to its end.
    for announced in [u64::MAX, 1 << 60, 1 << 40, 1 << 32] {
        let (channel, empty) = (vec![1], vec![0]);
        let url = [channel.clone(), varint(announced)].concat();
        let subprotocols = [channel.clone(), empty, varint(announced), vec![0; 100]].concat();
        for body in [url, subprotocols] {
            let raw = RawMessage {
                tag: tag::CONNECT,
                body: body.into(),
            };
            assert_eq!(
                ToWorker::decode_v1(&raw),
                Err(DecodeError::Malformed { tag: tag::CONNECT })
            );
        }
        let id = vec![1];
        let greeting = [channel, id, vec![1], varint(announced), vec![0; 100]].concat();
        let raw = RawMessage {
            tag: tag::GREET,
            body: greeting.into(),
        };
        assert_eq!(
            ToWorker::decode_v1(&raw),
            Err(DecodeError::Malformed { tag: tag::GREET })
        );
        let (channel, len) = (vec![1], (announced as u32).max(1 << 20));
        let raw = RawMessage {
            tag: tag::PACKED,
            body: [channel, len.to_le_bytes().to_vec(), vec![0; 100]]
                .concat()
                .into(),
        };
        assert_eq!(
            ToTab::decode_v1(&raw),
            Err(DecodeError::Malformed { tag: tag::PACKED })
        );
    }
}

#[test]
fn a_list_of_a_million_empty_texts_is_over_its_cap_and_not_kept() {
    let mut connect = greatest_connect();
    connect.policy = LinkPolicy {
        heartbeat: None,
        answer: None,
        ..LinkPolicy::clone(&connect.policy)
    }
    .into();
    connect.replay = Replay::None;
    connect.key.subprotocols = vec![String::new(); 1_000_000];
    refused(
        &ToWorker::Connect(Box::new(connect)),
        OverCap {
            tag: tag::CONNECT,
            field: "subprotocols",
        },
    );
}

#[test]
fn a_body_without_a_payload_is_capped_as_a_whole() {
    let body = Bytes::from(vec![0; limits::MAX_BODY_BYTES + 1]);
    for tag in [tag::CONNECT, tag::BYE, tag::GREET] {
        let over = OverCap { tag, field: "body" };
        let raw = RawMessage {
            tag,
            body: body.clone(),
        };
        assert_eq!(ToWorker::decode_v1(&raw), Err(over.into()));
    }
    let over = OverCap {
        tag: tag::LOG,
        field: "body",
    };
    assert_eq!(
        ToTab::decode_v1(&RawMessage {
            tag: tag::LOG,
            body
        }),
        Err(over.into())
    );
}

#[test]
fn a_pack_is_capped_as_a_whole() {
    for (channel, front) in [(0, 1), (127, 1), (128, 2), (u32::MAX, 5)] {
        let packed = |more| ToTab::Packed {
            channel: ChannelId(channel),
            packed: pack(&[vec![0; limits::MAX_BODY_BYTES - front - 4 + more]]),
        };
        fits(&packed(0));
        refused(
            &packed(1),
            OverCap {
                tag: tag::PACKED,
                field: "body",
            },
        );
    }
}

fn fits<M: Message + PartialEq + std::fmt::Debug>(message: &M) {
    assert_eq!(message.check(), Ok(()));
    assert_eq!(M::decode_v1(&raw(message)).as_ref(), Ok(message));
}

fn refused<M: Message + PartialEq + std::fmt::Debug>(message: &M, over: OverCap) {
    assert_eq!(message.check(), Err(over));
    assert_eq!(M::decode_v1(&raw(message)), Err(DecodeError::OverCap(over)));
}

fn greatest_connect() -> Connect {
    let text = "x".repeat(limits::MAX_TEXT_BYTES);
    Connect {
        channel: ChannelId(u32::MAX),
        key: LinkKey {
            url: text.clone(),
            subprotocols: vec![text.clone(); limits::MAX_SUBPROTOCOLS],
            account: text,
        },
        policy: LinkPolicy {
            fatal_codes: vec![u16::MAX; limits::MAX_FATAL_CODES],
            auth: Auth {
                codes: vec![u16::MAX; limits::MAX_FATAL_CODES],
                ask: None,
            },
            heartbeat: Some(Heartbeat {
                interval: Millis(u32::MAX),
                deadline: Millis(u32::MAX),
                ping: greeting_payload(0),
                pong: Some(greeting_payload(0)),
            }),
            answer: Some(Answer {
                ping: Payload::binary(vec![1; limits::MAX_TEXT_BYTES]),
                pong: Payload::binary(vec![1; limits::MAX_TEXT_BYTES]),
            }),
            max_received_bytes: limits::MAX_PAYLOAD_BYTES as u32,
            latest: Some(LatestBy::JsonMember("n".repeat(limits::MAX_TEXT_BYTES))),
            ..LinkPolicy::default()
        }
        .into(),
        replay: Replay::Ask(greeting_payload(0)),
    }
}

fn greeting_payload(more: usize) -> Payload {
    Payload::binary(vec![1; limits::MAX_GREETING_BYTES + more])
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
