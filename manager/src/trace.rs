//! The debug log of the tab's side: every frame, either way, message by message.

use core::fmt::{self, Write as _};

use onesocket_protocol::{
    DebugLevel, LinkState, Payload, PayloadKind, Preface, RawMessage, ToTab, ToWorker, Version,
    frame::{Arrived, ArrivedReader},
    message::tag,
};

/// Which way a frame goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    ToWorker,
    ToTab,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToWorker => "tab -> worker",
            Self::ToTab => "worker -> tab",
        })
    }
}

/// Logs a frame. Call it only when the level is not `Off`.
pub(crate) fn log_frame(direction: Direction, arrived: &Arrived, level: DebugLevel) {
    for line in lines(direction, arrived, level) {
        tracing::debug!(target: "onesocket::frames", "{line}");
    }
}

/// A line per message; one line for what is no batch.
fn lines(direction: Direction, arrived: &Arrived, level: DebugLevel) -> Vec<String> {
    let frame = arrived.frame();
    match Preface::decode(frame) {
        Ok(Preface::Batch) => batch_lines(direction, arrived, level),
        Ok(preface) => vec![format!("{direction}: {preface:?}")],
        Err(error) => vec![format!("{direction}: {} bytes, {error}", frame.len())],
    }
}

fn batch_lines(direction: Direction, arrived: &Arrived, level: DebugLevel) -> Vec<String> {
    let reader = match ArrivedReader::new(arrived.clone()) {
        Ok(reader) => reader,
        Err(error) => {
            return vec![format!(
                "{direction}: {} bytes, {error}",
                arrived.frame().len()
            )];
        }
    };
    let header = reader.header();
    let start = format!("{direction}: batch {} ack {}", header.seq, header.ack);
    if header.count == 0 {
        return vec![start];
    }
    let version = Version::from_number(header.version);
    let line = |message| match message {
        // It has a line of its own already.
        Ok(RawMessage { tag: tag::LOG, .. }) => None,
        Ok(raw) => Some(format!(
            "{start}: {}",
            message_line(direction, version, &raw, level)
        )),
        Err(error) => Some(format!("{start}: {error}")),
    };
    reader.filter_map(line).collect()
}

/// The `Debug` of every message hides payloads, and secrets in URLs.
fn message_line(
    direction: Direction,
    version: Option<Version>,
    raw: &RawMessage,
    level: DebugLevel,
) -> String {
    let Some(version) = version else {
        return format!("tag {} of an unknown version", raw.tag);
    };
    let shown = match direction {
        Direction::ToWorker => ToWorker::decode(version, raw).map(|message| match &message {
            ToWorker::Send { payload, .. } => with_content(&message, payload, level),
            _ => format!("{message:?}"),
        }),
        Direction::ToTab => ToTab::decode(version, raw).map(|mut message| {
            if level < DebugLevel::Payloads {
                hide_subprotocol(&mut message);
            }
            match &message {
                ToTab::Message { payload, .. } => with_content(&message, payload, level),
                ToTab::Packed { packed, .. } if level >= DebugLevel::Payloads => packed
                    .payloads()
                    .map(|payload| with_content(&message, &payload, level))
                    .collect::<Vec<_>>()
                    .join("\n"),
                _ => format!("{message:?}"),
            }
        }),
    };
    shown.unwrap_or_else(|error| error.to_string())
}

/// Apps put tokens there, and a server repeats the one that it has chosen.
fn hide_subprotocol(message: &mut ToTab) {
    let subprotocol = match message {
        ToTab::Connected { subprotocol, .. } => subprotocol,
        ToTab::Attached { status, .. } | ToTab::Status { status, .. } => match &mut status.state {
            LinkState::Connected { subprotocol, .. } => subprotocol,
            _ => return,
        },
        _ => return,
    };
    if !subprotocol.is_empty() {
        "***".clone_into(subprotocol);
    }
}

fn with_content(message: &dyn fmt::Debug, payload: &Payload, level: DebugLevel) -> String {
    let mut line = format!("{message:?}");
    if level < DebugLevel::Payloads {
        return line;
    }
    let shown = &payload.bytes()[..payload.len().min(MAX_SHOWN_BYTES)];
    line.push_str(": ");
    match payload.kind() {
        PayloadKind::Text => line.push_str(&String::from_utf8_lossy(shown)),
        PayloadKind::Binary => {
            for byte in shown {
                // Writing to a string does not fail.
                let _ = write!(line, "{byte:02x}");
            }
        }
    }
    if shown.len() < payload.len() {
        line.push('…');
    }
    line
}

/// A console shows no more of a line at a glance.
const MAX_SHOWN_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use onesocket_protocol::{
        Answer, ChannelId, Connect, Credential, Epoch, Greeting, GreetingId, Heartbeat, Hello,
        LinkKey, LinkPolicy, LogEntry, LogLevel, Millis, Outbox, Packed, Replay, SendId, Status,
        TabToken,
    };

    use super::*;

    fn sends() -> Bytes {
        let mut outbox = Outbox::new(Epoch(7), Version::V1);
        for (id, payload) in [
            (1, Payload::text("s3cret")),
            (2, Payload::binary(vec![0xab; 2000])),
        ] {
            outbox.push(&ToWorker::Send {
                channel: ChannelId(1),
                id: SendId(id),
                keep: false,
                payload,
            });
        }
        Bytes::copy_from_slice(outbox.poll_frame().expect("nothing is in flight"))
    }

    #[test]
    fn every_message_of_a_batch_has_its_line() {
        let lines = lines(Direction::ToWorker, &sends().into(), DebugLevel::Messages);
        let expect = [
            "tab -> worker: batch 1 ack 0: Send { channel: ChannelId(1), id: SendId(1), keep: false, payload: Text(6 B) }",
            "tab -> worker: batch 1 ack 0: Send { channel: ChannelId(1), id: SendId(2), keep: false, payload: Binary(2000 B) }",
        ];
        assert_eq!(lines, expect);
    }

    #[test]
    fn payloads_are_shown_only_when_asked_for_and_never_at_any_length() {
        let lines = lines(Direction::ToWorker, &sends().into(), DebugLevel::Payloads);
        assert!(
            lines[0].ends_with("payload: Text(6 B) }: s3cret"),
            "{}",
            lines[0]
        );
        assert!(lines[1].ends_with("abab…"), "{}", lines[1]);
        assert!(lines[1].len() < 2 * MAX_SHOWN_BYTES + 150);
    }

    #[test]
    fn a_pack_has_one_line_or_one_for_each_payload_that_is_shown() {
        let packed = Packed::new(&b"\x02\0\0\0\xab\xcd\0\0\0\0"[..]).expect("two messages");
        let mut outbox = Outbox::new(Epoch(7), Version::V1);
        let channel = ChannelId(1);
        outbox.push(&ToTab::Packed { channel, packed });
        let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("nothing is in flight"));
        let shown = |level| lines(Direction::ToTab, &frame.clone().into(), level).join("\n");
        let pack = "Packed { channel: ChannelId(1), packed: Packed(2, 10 B) }";
        let start = "worker -> tab: batch 1 ack 0: ";
        assert_eq!(shown(DebugLevel::Messages), format!("{start}{pack}"));
        let each = format!("{start}{pack}: abcd\n{pack}: ");
        assert_eq!(shown(DebugLevel::Payloads), each);
    }

    #[test]
    fn a_subprotocol_is_shown_only_when_payloads_are() {
        let channel = ChannelId(1);
        let status = || Status {
            state: LinkState::Connected {
                subprotocol: "s3cret".to_owned(),
                uptime: Millis(5),
            },
            tabs: 1,
            queued_messages: 0,
            queued_bytes: 0,
            dials: 1,
            round_trip: None,
        };
        let mut outbox = Outbox::new(Epoch(7), Version::V1);
        outbox.push(&ToTab::Connected {
            channel,
            subprotocol: "s3cret".to_owned(),
        });
        outbox.push(&ToTab::Attached {
            channel,
            status: status(),
        });
        outbox.push(&ToTab::Status {
            channel,
            status: status(),
        });
        let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("nothing is in flight"));
        let shown = |level| lines(Direction::ToTab, &frame.clone().into(), level);
        let hidden = shown(DebugLevel::Messages);
        assert_eq!(hidden.len(), 3);
        for line in &hidden {
            assert!(!line.contains("s3cret"), "{line}");
            assert!(line.contains("subprotocol: \"***\""), "{line}");
        }
        let all = shown(DebugLevel::Payloads);
        assert!(all.iter().all(|line| line.contains("s3cret")), "{all:?}");
    }

    #[test]
    fn what_a_policy_and_a_greeting_send_is_never_shown() {
        let channel = ChannelId(1);
        let policy = LinkPolicy {
            heartbeat: Some(
                Heartbeat::every(Duration::from_secs(20), Payload::text("s3cret-ping"))
                    .pong(Payload::text("s3cret-pong")),
            ),
            answer: Some(Answer {
                ping: Payload::text("s3cret-question"),
                pong: Payload::text("s3cret-answer"),
            }),
            ..LinkPolicy::default()
        };
        let mut outbox = Outbox::new(Epoch(7), Version::V1);
        outbox.push(&ToWorker::Connect(Box::new(Connect {
            channel,
            key: LinkKey {
                url: "wss://x.org/?token=s3cret".to_owned(),
                subprotocols: vec!["s3cret".to_owned()],
                account: "s3cret".to_owned(),
            },
            policy: policy.into(),
            replay: Replay::Ask(Payload::text("s3cret")),
        })));
        outbox.push(&ToWorker::Greet {
            channel,
            greeting: Greeting {
                id: GreetingId(1),
                payload: Payload::text("s3cret"),
                farewell: Some(Payload::text("s3cret")),
            },
        });
        outbox.push(&ToWorker::Credential {
            channel,
            request: 1,
            credential: Some(Credential {
                url: Some("wss://x.org/s3cret".to_owned()),
                subprotocols: vec!["s3cret".to_owned()],
                first: Some(Payload::text("s3cret")),
            }),
        });
        let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("nothing is in flight"));
        for level in [DebugLevel::Messages, DebugLevel::Payloads] {
            let lines = lines(Direction::ToWorker, &frame.clone().into(), level);
            assert_eq!(lines.len(), 3);
            for line in lines {
                assert!(!line.contains("s3cret"), "{line}");
            }
        }
    }

    #[test]
    fn what_is_no_batch_has_one_line() {
        let hello = Bytes::from(Hello::new(TabToken(5), true).encode());
        let shown = lines(Direction::ToWorker, &hello.into(), DebugLevel::Messages);
        assert_eq!(shown.len(), 1);
        assert!(
            shown[0].starts_with("tab -> worker: Hello(Hello { holds_lock: true"),
            "{shown:?}"
        );
        let garbage = lines(
            Direction::ToTab,
            &Bytes::from_static(b"<!doctype").into(),
            DebugLevel::Messages,
        );
        assert_eq!(garbage, ["worker -> tab: 9 bytes, not a onesocket frame"]);
    }

    #[test]
    fn the_workers_log_lines_are_not_logged_twice() {
        let mut outbox = Outbox::new(Epoch(7), Version::V1);
        let log = ToTab::Log(LogEntry::line(LogLevel::Info, "t", "x"));
        outbox.push(&log);
        outbox.push(&ToTab::Pong { nonce: 1 });
        let frame = Bytes::copy_from_slice(outbox.poll_frame().expect("nothing is in flight"));
        let lines = lines(
            Direction::ToTab,
            &frame.clone().into(),
            DebugLevel::Messages,
        );
        assert_eq!(lines, ["worker -> tab: batch 1 ack 0: Pong { nonce: 1 }"]);
    }

    #[test]
    fn a_cut_frame_says_where() {
        let frame = sends();
        let cut = frame.slice(..frame.len() - 1);
        let lines = lines(Direction::ToWorker, &cut.into(), DebugLevel::Messages);
        assert_eq!(lines.len(), 2);
        assert!(
            lines[1].ends_with("frame ends inside message 1 of 2"),
            "{}",
            lines[1]
        );
    }
}
