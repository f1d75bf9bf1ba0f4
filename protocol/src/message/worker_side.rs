//! The worker's half of the codec: postcard by hand.
//!
//! What serde and postcard make of the same types is a fifth of the worker's wasm: a visitor for each type and a reader for each
//! kind of number in it. A tab uses them, so every round trip in the tests compares the two.

mod writer;

use bytes::Bytes;

pub(super) use self::writer::encode;
pub(crate) use self::writer::write_status;
use super::{Connect, DebugLevel, ToWorker, check, tag};
use crate::{
    Answer, Auth, Backoff, ChannelId, Credential, DecodeError, GiveUp, Greeting, GreetingId,
    Heartbeat, LatestBy, LinkKey, LinkPolicy, Millis, Pace, Payload, PayloadKind, QueueLimits,
    RawMessage, Replay, SendId, Sight, StatedPolicy, Wake, limits,
};

pub(super) fn decode_v1(raw: &RawMessage) -> Result<ToWorker, DecodeError> {
    if raw.tag != tag::SEND {
        return decode_rare(raw);
    }
    let mut body = Reader::new(&raw.body);
    let message = ToWorker::Send {
        channel: body.channel(),
        id: body.send_id(),
        keep: body.bool(),
        payload: {
            let kind = body.payload_kind();
            let bytes = raw.body.slice(raw.body.len() - body.rest.len()..);
            body.rest = &[];
            body.valid_payload(kind, bytes)
        },
    };
    body.finish(raw.tag, message)
}

/// Out of line, because browsers compile a function as a whole once it is hot.
#[inline(never)]
fn decode_rare(raw: &RawMessage) -> Result<ToWorker, DecodeError> {
    check::fits(raw.body.len(), limits::MAX_BODY_BYTES, raw.tag, "body")?;
    let mut body = Reader::new(&raw.body);
    let message = match raw.tag {
        tag::CONNECT => ToWorker::Connect(Box::new(body.connect())),
        tag::DISCONNECT => ToWorker::Disconnect {
            channel: body.channel(),
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
        tag::HOLDS_LOCK => ToWorker::HoldsLock,
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
    body.finish(raw.tag, message)
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

    fn finish<T>(self, tag: u8, message: T) -> Result<T, DecodeError> {
        if self.is_broken || !self.rest.is_empty() {
            return Err(DecodeError::Malformed { tag });
        }
        Ok(message)
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
                    messages: self.u32(),
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
