//! The worker's half of the codec: postcard by hand.
//!
//! What serde and postcard make of the same types is a fifth of the worker's wasm: a visitor for each type and a reader for each
//! kind of number in it. A tab uses them, so every round trip in the tests compares the two.

use bytes::Bytes;

use super::{Connect, DebugLevel, SendFailure, ToTab, ToWorker, WorkerError, check, tag};
use crate::{
    Answer, Auth, Backoff, ChannelId, CloseInfo, Credential, DecodeError, GiveUp, Greeting,
    GreetingId, Heartbeat, LatestBy, LinkKey, LinkPolicy, LinkState, LogEntry, Millis, Pace,
    Payload, PayloadKind, QueueLimits, RawMessage, ReconnectCause, Replay, SendId, Sight,
    StatedPolicy, Status, StopReason, Wake, limits,
};

pub(super) fn decode_v1(raw: &RawMessage) -> Result<ToWorker, DecodeError> {
    if !matches!(raw.tag, tag::SEND) {
        check::fits(raw.body.len(), limits::MAX_BODY_BYTES, raw.tag, "body")?;
    }
    let mut body = Reader::new(&raw.body);
    let message = match raw.tag {
        tag::CONNECT => ToWorker::Connect(Box::new(body.connect())),
        tag::DISCONNECT => ToWorker::Disconnect {
            channel: body.channel(),
        },
        tag::SEND => ToWorker::Send {
            channel: body.channel(),
            id: body.send_id(),
            keep: body.bool(),
            payload: {
                let kind = body.payload_kind();
                let bytes = raw.body.slice(raw.body.len() - body.rest.len()..);
                body.rest = &[];
                body.valid_payload(kind, bytes)
            },
        },
        tag::GET_STATUS => ToWorker::GetStatus {
            channel: body.channel(),
        },
        tag::PING => ToWorker::Ping { nonce: body.u32() },
        tag::SET_DEBUG => ToWorker::SetDebug {
            level: match body.variant(3) {
                0 => DebugLevel::Off,
                1 => DebugLevel::Messages,
                _ => DebugLevel::Payloads,
            },
        },
        tag::INSPECT => ToWorker::Inspect {
            sight: match body.variant(4) {
                0 => Sight::Off,
                1 => Sight::Messages,
                2 => Sight::Payloads,
                _ => Sight::Recording,
            },
        },
        tag::BYE => ToWorker::Bye,
        tag::GREET => ToWorker::Greet {
            channel: body.channel(),
            greeting: Greeting {
                id: GreetingId(body.u32()),
                payload: body.payload(),
                farewell: body.optional_payload(),
            },
        },
        tag::UNGREET => ToWorker::Ungreet {
            channel: body.channel(),
            greeting: GreetingId(body.u32()),
        },
        tag::DELAY => ToWorker::Delay {
            channel: body.channel(),
            delay: body.millis(),
        },
        tag::RECONNECT => ToWorker::Reconnect {
            channel: body.channel(),
        },
        tag::NETWORK => ToWorker::Network {
            online: body.bool(),
        },
        tag::ACKNOWLEDGE => ToWorker::Acknowledge {
            channel: body.channel(),
            id: body.send_id(),
        },
        tag::WAKE => ToWorker::Wake,
        tag::PACE => ToWorker::Pace(Pace {
            interval: body.millis(),
            burst: body.u32(),
        }),
        tag::CREDENTIAL => ToWorker::Credential {
            channel: body.channel(),
            request: body.u32(),
            credential: body.bool().then(|| Credential {
                url: body.bool().then(|| body.text()),
                subprotocols: body.list(limits::MAX_SUBPROTOCOLS, Reader::text),
                first: body.optional_payload(),
            }),
        },
        tag::LOG_OUT => ToWorker::LogOut {
            channel: body.channel(),
            drain: body.optional_u32().map(Millis),
        },
        tag::CLOSE => ToWorker::Close {
            channel: body.channel(),
            code: body.code(),
            reason: body.text(),
        },
        tag => return Err(DecodeError::UnknownTag { tag }),
    };
    if body.is_broken || !body.rest.is_empty() {
        return Err(DecodeError::Malformed { tag: raw.tag });
    }
    Ok(message)
}

/// Reads a body from its front. Once something is wrong, everything is zero and empty, and `is_broken` says so: one check at
/// the end instead of one per field.
struct Reader<'a> {
    rest: &'a [u8],
    is_broken: bool,
}

impl<'a> Reader<'a> {
    fn new(rest: &'a [u8]) -> Self {
        let is_broken = false;
        Self { rest, is_broken }
    }

    fn fail(&mut self) {
        self.is_broken = true;
        self.rest = &[];
    }

    fn byte(&mut self) -> u8 {
        match self.rest {
            [byte, rest @ ..] => {
                self.rest = rest;
                *byte
            }
            [] => {
                self.fail();
                0
            }
        }
    }

    /// Seven bits a byte, the lowest first.
    #[inline(never)]
    fn number(&mut self, max: u64) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            // Of the tenth byte one bit is left.
            let fits = number <= max && (shift < 63 || byte < 2);
            match byte {
                0x80.. => {}
                _ if fits => return number,
                _ => break,
            }
        }
        self.fail();
        0
    }

    fn u32(&mut self) -> u32 {
        self.number(u64::from(u32::MAX)) as u32
    }

    /// The number of one of so many variants.
    fn variant(&mut self, variants: u32) -> u32 {
        self.number(u64::from(variants - 1)) as u32
    }

    fn bool(&mut self) -> bool {
        let byte = self.byte();
        if byte > 1 {
            self.fail();
        }
        byte == 1
    }

    fn millis(&mut self) -> Millis {
        Millis(self.u32())
    }

    fn optional_u32(&mut self) -> Option<u32> {
        self.bool().then(|| self.u32())
    }

    fn channel(&mut self) -> ChannelId {
        ChannelId(self.u32())
    }

    fn send_id(&mut self) -> SendId {
        SendId(self.number(u64::MAX))
    }

    fn slice(&mut self) -> &'a [u8] {
        let len = self.u32() as usize;
        match self.rest.split_at_checked(len) {
            Some((slice, rest)) => {
                self.rest = rest;
                slice
            }
            None => {
                self.fail();
                &[]
            }
        }
    }

    fn text(&mut self) -> String {
        let text = core::str::from_utf8(self.slice());
        if text.is_err() {
            self.fail();
        }
        text.unwrap_or_default().to_owned()
    }

    /// A list in which no more is kept than shows that it is over its cap: an empty text takes one byte here and 24 in memory.
    fn list<T>(&mut self, cap: usize, read: impl Fn(&mut Self) -> T) -> Vec<T> {
        let mut list = Vec::new();
        for _ in 0..self.u32() {
            let item = read(self);
            if self.is_broken {
                break;
            }
            if list.len() <= cap {
                list.push(item);
            }
        }
        list
    }

    fn payload_kind(&mut self) -> PayloadKind {
        match self.variant(2) {
            0 => PayloadKind::Text,
            _ => PayloadKind::Binary,
        }
    }

    fn payload(&mut self) -> Payload {
        let kind = self.payload_kind();
        // It may be kept for long, so it does not keep the frame.
        let bytes = Bytes::copy_from_slice(self.slice());
        self.valid_payload(kind, bytes)
    }

    fn valid_payload(&mut self, kind: PayloadKind, bytes: Bytes) -> Payload {
        Payload::from_parts(kind, bytes).unwrap_or_else(|| {
            self.fail();
            Payload::binary(Bytes::new())
        })
    }

    fn optional_payload(&mut self) -> Option<Payload> {
        self.bool().then(|| self.payload())
    }

    fn connect(&mut self) -> Connect {
        Connect {
            channel: self.channel(),
            key: LinkKey {
                url: self.text(),
                subprotocols: self.list(limits::MAX_SUBPROTOCOLS, Self::text),
                account: self.text(),
            },
            policy: self.stated_policy(),
            replay: match self.variant(3) {
                0 => Replay::None,
                1 => Replay::Last {
                    frames: self.u32(),
                    bytes: self.u32(),
                },
                _ => Replay::Ask(self.payload()),
            },
        }
    }

    fn code(&mut self) -> u16 {
        self.number(u64::from(u16::MAX)) as u16
    }

    fn codes(&mut self) -> Vec<u16> {
        self.list(limits::MAX_FATAL_CODES, Self::code)
    }

    fn stated_policy(&mut self) -> StatedPolicy {
        let before = self.rest;
        let policy = self.policy();
        let read = before.len() - self.rest.len();
        StatedPolicy::new(policy, before.get(..read).unwrap_or_default())
    }

    fn policy(&mut self) -> LinkPolicy {
        LinkPolicy {
            backoff: Backoff {
                base: self.millis(),
                cap: self.millis(),
                stable_after: self.millis(),
                spread: self.millis(),
            },
            connect_timeout: self.millis(),
            give_up: GiveUp {
                attempts: self.optional_u32(),
                after: self.optional_u32().map(Millis),
            },
            fatal_codes: self.codes(),
            heartbeat: self.bool().then(|| Heartbeat {
                interval: self.millis(),
                deadline: self.millis(),
                ping: self.payload(),
                pong: self.optional_payload(),
            }),
            answer: self.bool().then(|| Answer {
                ping: self.payload(),
                pong: self.payload(),
            }),
            queue: QueueLimits {
                messages: self.u32(),
                bytes: self.u32(),
                timeout: self.optional_u32().map(Millis),
            },
            linger: self.millis(),
            max_received_bytes: self.u32(),
            wake: Wake {
                deadline: self.millis(),
                replace_after: self.optional_u32().map(Millis),
            },
            latest: self.bool().then(|| match self.variant(3) {
                0 => LatestBy::Any,
                1 => LatestBy::Bytes {
                    start: self.u32(),
                    len: self.u32(),
                },
                _ => LatestBy::JsonMember(self.text()),
            }),
            auth: Auth {
                codes: self.codes(),
                ask: self.optional_u32().map(Millis),
            },
        }
    }
}

/// Appends tag, length and body.
pub(super) fn encode(message: &ToTab, out: &mut Vec<u8>) {
    framed(out, |mut body| body.message(message));
}

/// Appends what `write` writes, behind the tag that it returns and its length.
pub(super) fn framed(out: &mut Vec<u8>, write: impl FnOnce(Writer<'_>) -> u8) {
    let start = out.len();
    out.extend_from_slice(&[0; 5]);
    let body = out.len();
    let tag = write(Writer(out));
    let len = (out.len() - body) as u32;
    if let Some([first, head @ ..]) = out.get_mut(start..body) {
        *first = tag;
        head.copy_from_slice(&len.to_le_bytes());
    }
}

/// Appends a status as it is in a message.
pub(crate) fn write_status(status: &Status, out: &mut Vec<u8>) {
    Writer(out).status(status);
}

pub(super) struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    /// Appends what is behind the channel of a message of the server, and returns its tag.
    pub(super) fn delivered(&mut self, replayed: bool, payload: &Payload) -> u8 {
        self.byte(u8::from(replayed));
        self.byte(payload.kind() as u8);
        self.0.extend_from_slice(payload.bytes());
        tag::MESSAGE
    }

    /// Appends a body and returns its tag.
    fn message(&mut self, message: &ToTab) -> u8 {
        if let Some(channel) = message.channel() {
            if matches!(message, ToTab::Error { .. }) {
                self.byte(1);
            }
            self.u32(channel.0);
        }
        match message {
            ToTab::Ready { scope, debug } => {
                self.byte(*scope as u8);
                self.byte(*debug as u8);
                tag::READY
            }
            ToTab::Attached { status, .. } => {
                self.status(status);
                tag::ATTACHED
            }
            ToTab::Connected { subprotocol, .. } => {
                self.slice(subprotocol.as_bytes());
                tag::CONNECTED
            }
            ToTab::Disconnected { reason, .. } => {
                self.stop_reason(reason);
                tag::DISCONNECTED
            }
            ToTab::Reconnecting {
                attempt,
                delay,
                cause,
                ..
            } => {
                self.u32(*attempt);
                self.optional_millis(*delay);
                self.cause(cause);
                tag::RECONNECTING
            }
            ToTab::Message {
                replayed, payload, ..
            } => self.delivered(*replayed, payload),
            ToTab::Status { status, .. } => {
                self.status(status);
                tag::STATUS
            }
            ToTab::Error { channel, error } => {
                if channel.is_none() {
                    self.byte(0);
                }
                self.worker_error(error);
                tag::ERROR
            }
            ToTab::Sent { through, .. } => {
                self.number(through.0);
                tag::SENT
            }
            ToTab::Failed { id, failure, .. } => {
                self.number(id.0);
                self.send_failure(failure);
                tag::FAILED
            }
            ToTab::Pong { nonce } => {
                self.u32(*nonce);
                tag::PONG
            }
            ToTab::Log(LogEntry {
                kind,
                id,
                code,
                len,
                content,
            }) => {
                self.byte(*kind);
                for number in [id, code, len] {
                    self.u32(*number);
                }
                let shown = content.len().min(limits::MAX_LOG_BYTES);
                self.0.extend(content.get(..shown).unwrap_or_default());
                tag::LOG
            }
            ToTab::Lagged { missed, .. } => {
                self.number(*missed);
                tag::LAGGED
            }
            ToTab::Detached { .. } => tag::DETACHED,
            ToTab::NeedCredential {
                request, refused, ..
            } => {
                self.u32(*request);
                self.byte(u8::from(*refused));
                tag::NEED_CREDENTIAL
            }
            ToTab::Mark { through, .. } => {
                self.number(through.0);
                tag::MARK
            }
            ToTab::UpdateAvailable { build } => {
                self.number(*build);
                tag::UPDATE_AVAILABLE
            }
            ToTab::Buffered { bytes, .. } => {
                self.u32(*bytes);
                tag::BUFFERED
            }
        }
    }

    #[inline(never)]
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    #[inline(never)]
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    pub(super) fn u32(&mut self, number: u32) {
        self.number(u64::from(number));
    }

    fn optional_millis(&mut self, millis: Option<Millis>) {
        self.byte(u8::from(millis.is_some()));
        if let Some(millis) = millis {
            self.u32(millis.0);
        }
    }

    fn slice(&mut self, slice: &[u8]) {
        self.u32(slice.len() as u32);
        self.0.extend_from_slice(slice);
    }

    fn status(&mut self, status: &Status) {
        let Status {
            state,
            tabs,
            queued_messages,
            queued_bytes,
            dials,
            round_trip,
        } = status;
        match state {
            LinkState::Connecting { attempt } => {
                self.byte(0);
                self.u32(*attempt);
            }
            LinkState::Connected {
                subprotocol,
                uptime,
            } => {
                self.byte(1);
                self.slice(subprotocol.as_bytes());
                self.u32(uptime.0);
            }
            LinkState::Reconnecting {
                attempt,
                delay,
                cause,
            } => {
                self.byte(2);
                self.u32(*attempt);
                self.u32(delay.0);
                self.cause(cause);
            }
            LinkState::Offline { attempt } => {
                self.byte(3);
                self.u32(*attempt);
            }
            LinkState::Stopped(reason) => {
                self.byte(4);
                self.stop_reason(reason);
            }
            LinkState::NeedsAuth { refused } => {
                self.byte(5);
                self.byte(u8::from(*refused));
            }
        }
        for number in [tabs, queued_messages, queued_bytes, dials] {
            self.u32(*number);
        }
        self.optional_millis(*round_trip);
    }

    fn cause(&mut self, cause: &ReconnectCause) {
        self.byte(match cause {
            ReconnectCause::Unreachable => 0,
            ReconnectCause::ConnectTimeout => 1,
            ReconnectCause::Closed(close) => {
                self.byte(2);
                return self.close_info(close);
            }
            ReconnectCause::HeartbeatTimeout => 3,
            ReconnectCause::SubprotocolRefused => 4,
            ReconnectCause::Offline => 5,
            ReconnectCause::Requested => 6,
            ReconnectCause::Slept => 7,
        });
    }

    fn stop_reason(&mut self, reason: &StopReason) {
        self.byte(match reason {
            StopReason::FatalClose(close) => {
                self.byte(0);
                return self.close_info(close);
            }
            StopReason::GaveUp { attempts, cause } => {
                self.byte(1);
                self.u32(*attempts);
                return self.cause(cause);
            }
            StopReason::InvalidUrl => 2,
            StopReason::InsecureUrl => 3,
            StopReason::InvalidSubprotocol => 4,
            StopReason::NoWorker => 5,
            StopReason::Unused => 6,
            StopReason::LoggedOut => 7,
            StopReason::Closed(close) => {
                self.byte(8);
                return self.close_info(close);
            }
        });
    }

    fn close_info(&mut self, close: &CloseInfo) {
        self.u32(u32::from(close.code));
        self.slice(limits::cut(&close.reason).as_bytes());
        self.byte(u8::from(close.was_clean));
    }

    fn send_failure(&mut self, failure: &SendFailure) {
        self.byte(match failure {
            SendFailure::QueueFull { messages, bytes } => {
                self.byte(0);
                self.u32(*messages);
                return self.u32(*bytes);
            }
            SendFailure::Expired => 1,
            SendFailure::Disconnected => 2,
            SendFailure::Stopped(reason) => {
                self.byte(3);
                return self.stop_reason(reason);
            }
            SendFailure::UnknownChannel => 4,
            SendFailure::OutOfOrder => 5,
            SendFailure::NoWorker => 6,
        });
    }

    fn worker_error(&mut self, error: &WorkerError) {
        self.byte(match error {
            WorkerError::UnknownMessage { tag } => {
                self.byte(0);
                return self.byte(*tag);
            }
            WorkerError::InvalidMessage { tag } => {
                self.byte(1);
                return self.byte(*tag);
            }
            WorkerError::InvalidFrame => 2,
            WorkerError::UnknownChannel => 3,
            WorkerError::ChannelInUse => 4,
            WorkerError::TooManyChannels => 5,
            WorkerError::TooManyGreetings => 6,
            WorkerError::PolicyDiffers => 7,
            WorkerError::ReceivedTooLarge { bytes, cap } => {
                self.byte(8);
                self.u32(*bytes);
                return self.u32(*cap);
            }
            WorkerError::CredentialRefused => 9,
        });
    }
}
