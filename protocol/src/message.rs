//! The typed messages, one enum per direction, and their register of tags.
//!
//! A tab writes and reads bodies with serde and postcard, but for its sends ([`Outgoing`]); a worker does both by hand (`worker_side`), for the sake of
//! its wasm.
//!
//! A body is postcard, but for the payload of [`ToWorker::Send`] and [`ToTab::Message`], what [`ToTab::Packed`] packs and the content of [`ToTab::Log`]: that is the
//! rest of the body as it is, so that it can be handed on without a copy.

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    ChannelId, Credential, DecodeError, Greeting, GreetingId, LinkKey, LogEntry, Millis, OverCap,
    Pace, Packed, Payload, PayloadKind, RawMessage, ReconnectCause, Replay, SendId, Sight,
    StatedPolicy, Status, StopReason, Version, limits,
};

mod check;
mod delivered;
mod failure;
#[cfg(feature = "next-version")]
mod next_version;
mod outgoing;
pub(crate) mod worker_side;

pub use delivered::Delivered;
pub use failure::{SendFailure, WorkerError};
pub use outgoing::Outgoing;

/// The register of tags. A number that was given out is never given to another message.
pub mod tag {
    macro_rules! tags {
        ($($name:ident = $number:literal)*) => {
            $(#[doc = concat!("Tag ", $number, ".")] pub const $name: u8 = $number;)*
            /// Every tag, for tests.
            pub const ALL: &[u8] = &[$($number),*];
        };
    }
    tags! {
        CONNECT = 1
        DISCONNECT = 2
        SEND = 3
        GET_STATUS = 4
        PING = 5
        SET_DEBUG = 6
        BYE = 7
        GREET = 8
        UNGREET = 9
        DELAY = 10
        RECONNECT = 11
        NETWORK = 12
        ACKNOWLEDGE = 13
        WAKE = 14
        CREDENTIAL = 15
        LOG_OUT = 16
        CLOSE = 17
        PACE = 18
        INSPECT = 19
        HOLDS_LOCK = 20
        READY = 129
        ATTACHED = 130
        CONNECTED = 131
        DISCONNECTED = 132
        RECONNECTING = 133
        MESSAGE = 134
        STATUS = 135
        ERROR = 136
        SENT = 137
        FAILED = 138
        PONG = 139
        LOG = 140
        LAGGED = 141
        DETACHED = 142
        MARK = 143
        UPDATE_AVAILABLE = 144
        NEED_CREDENTIAL = 145
        BUFFERED = 146
        PACKED = 147
    }
}

/// A message that can be appended to a batch.
pub trait Encode {
    /// Checks the caps. Whoever makes a message out of values that are not its own calls this first: the other side does not
    /// take a message that fails here, and a frame over [`limits::MAX_FRAME_BYTES`] is lost as a whole.
    ///
    /// # Errors
    ///
    /// When a field is over its cap.
    ///
    /// ```
    /// use onesocket_protocol::{ChannelId, Encode, OverCap, Payload, SendId, ToWorker, limits, message::tag};
    ///
    /// let send = |bytes| ToWorker::Send {
    ///     channel: ChannelId(1),
    ///     id: SendId(1),
    ///     keep: false,
    ///     payload: Payload::binary(vec![0; bytes]),
    /// };
    /// assert_eq!(send(limits::MAX_PAYLOAD_BYTES).check(), Ok(()));
    /// assert_eq!(send(limits::MAX_PAYLOAD_BYTES + 1).check(), Err(OverCap { tag: tag::SEND, field: "payload" }));
    /// ```
    fn check(&self) -> Result<(), OverCap>;

    /// Appends tag, length and body, as they are in a version.
    fn encode(&self, version: Version, out: &mut Vec<u8>);
}

/// What a tab says to its worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToWorker {
    /// Opens a channel: joins the connection of this key, or opens it.
    Connect(Box<Connect>),
    /// Closes a channel. What it had queued and not sent fails with [`SendFailure::Disconnected`]; the answer's last message
    /// is [`ToTab::Detached`].
    Disconnect {
        /// The channel.
        channel: ChannelId,
    },
    /// Sends a payload, at once or when the socket is open.
    Send {
        /// The channel.
        channel: ChannelId,
        /// Its number; the receipt names it.
        id: SendId,
        /// Whether it is kept, and sent again on every new socket, until [`ToWorker::Acknowledge`] names it.
        keep: bool,
        /// What is sent.
        payload: Payload,
    },
    /// The server has acknowledged a send that was to be kept; it need not be kept any more.
    Acknowledge {
        /// The channel.
        channel: ChannelId,
        /// Which.
        id: SendId,
    },
    /// Asks for a [`ToTab::Status`].
    GetStatus {
        /// The channel.
        channel: ChannelId,
    },
    /// Asks for a [`ToTab::Pong`].
    Ping {
        /// What the pong repeats.
        nonce: u32,
    },
    /// Turns the debug log of the worker on or off, for all tabs.
    SetDebug {
        /// What is logged.
        level: DebugLevel,
    },
    /// The tab goes: all its channels are closed.
    Bye,
    /// Registers a greeting.
    Greet {
        /// The channel.
        channel: ChannelId,
        /// The greeting.
        greeting: Greeting,
    },
    /// Drops a greeting.
    Ungreet {
        /// The channel.
        channel: ChannelId,
        /// Its name.
        greeting: GreetingId,
    },
    /// Passes on a delay that the server has asked for in a message of the app's own protocol: the next dial waits at least
    /// that long.
    Delay {
        /// The channel.
        channel: ChannelId,
        /// How long.
        delay: Millis,
    },
    /// Asks for a new socket now: ends a wait, starts a stopped loop anew, replaces an open socket.
    Reconnect {
        /// The channel.
        channel: ChannelId,
    },
    /// Passes on the page's `online` and `offline` events, which Chromium's workers do not get
    /// ([browser-compat-data#14442](https://github.com/mdn/browser-compat-data/issues/14442)). It holds until the tab says
    /// otherwise or is gone; the worker is offline when every tab that has said anything says so.
    Network {
        /// Whether the browser says that it is online.
        online: bool,
    },
    /// The tab has become visible, has come back from the back/forward cache, or its browser is online again: an open socket
    /// may have died meanwhile, and a wait may have become pointless.
    Wake,
    /// The tab holds the Web Lock of its token since its hello, which has not said so: see [`Hello::holds_lock`](crate::Hello::holds_lock).
    HoldsLock,
    /// Says how often the tab wants to be posted messages. It holds until the tab says otherwise; [`Pace::default`] until it has
    /// said anything.
    Pace(Pace),
    /// Says how much the tab wants to see of the worker, until it says otherwise or its session ends. Unless that is nothing, the answer
    /// is a survey: an entry of the log for each port and each link.
    Inspect {
        /// How much.
        sight: Sight,
    },
    /// Answers a [`ToTab::NeedCredential`].
    Credential {
        /// The channel.
        channel: ChannelId,
        /// The question's number.
        request: u32,
        /// What to dial with; `None` when the tab has none.
        credential: Option<Credential>,
    },
    /// Ends the connection, for all its tabs, with [`StopReason::LoggedOut`]. What is sent after it fails.
    LogOut {
        /// The channel.
        channel: ChannelId,
        /// How long what is queued may still wait for an open socket; `None`: not at all.
        drain: Option<Millis>,
    },
    /// Closes the socket by a code of the app's and ends the loop, for all its tabs, with [`StopReason::Closed`]. A dial is broken off.
    Close {
        /// The channel.
        channel: ChannelId,
        /// The close code; 1005 stands for none.
        code: u16,
        /// The explanation for the server.
        reason: String,
    },
}

/// What a channel asks for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Connect {
    /// The channel's name.
    pub channel: ChannelId,
    /// Which connection.
    pub key: LinkKey,
    /// How it should behave.
    pub policy: StatedPolicy,
    /// What the channel is given when the connection is open already.
    pub replay: Replay,
}

/// What a worker says to a tab.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToTab {
    /// The first message after the welcome.
    Ready {
        /// Where the loop runs.
        scope: WorkerScope,
        /// Whether the debug log is on.
        debug: DebugLevel,
    },
    /// A channel is open; this is how its connection is doing.
    Attached {
        /// The channel.
        channel: ChannelId,
        /// How its connection is doing.
        status: Status,
    },
    /// The socket is open and the greetings are sent.
    Connected {
        /// The channel.
        channel: ChannelId,
        /// The subprotocol that the server chose; empty when none.
        subprotocol: String,
    },
    /// The loop has ended.
    Disconnected {
        /// The channel.
        channel: ChannelId,
        /// Why.
        reason: StopReason,
    },
    /// There is no socket, and the loop will dial again.
    Reconnecting {
        /// The channel.
        channel: ChannelId,
        /// Which dial in a row after the lost or failed one comes, from 1.
        attempt: u32,
        /// How long until then; `None` while the browser is offline.
        delay: Option<Millis>,
        /// Why there is no socket.
        cause: ReconnectCause,
    },
    /// The server has sent a message.
    Message {
        /// The channel.
        channel: ChannelId,
        /// Whether it was received before this channel joined.
        replayed: bool,
        /// The message.
        payload: Payload,
    },
    /// The server has sent these messages, one behind the other. None was received before this channel joined.
    Packed {
        /// The channel.
        channel: ChannelId,
        /// The messages.
        packed: Packed,
    },
    /// How the connection is doing: after every change of the state, and when asked for.
    Status {
        /// The channel.
        channel: ChannelId,
        /// How it is doing.
        status: Status,
    },
    /// Something is wrong; the connection lives on.
    Error {
        /// The channel, when it is about one.
        channel: Option<ChannelId>,
        /// What.
        error: WorkerError,
    },
    /// Receipt: all sends of the channel up to this one, but those that failed, were handed to an open socket.
    Sent {
        /// The channel.
        channel: ChannelId,
        /// The last of them.
        through: SendId,
    },
    /// Receipt: this send never reached a socket and never will.
    Failed {
        /// The channel.
        channel: ChannelId,
        /// Which.
        id: SendId,
        /// Why.
        failure: SendFailure,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's.
        nonce: u32,
    },
    /// An entry of the worker's log.
    Log(LogEntry),
    /// The tab did not acknowledge for so long that messages were dropped: here, between what came on the channel before this
    /// and what comes after it.
    Lagged {
        /// The channel.
        channel: ChannelId,
        /// How many.
        missed: u64,
    },
    /// How far sends may have been handed to a socket: those of the channel after this one certainly have not been, so far as
    /// the batches that this frame acknowledges are concerned. It is no receipt, and may stand in a frame without a sequence
    /// number, in front of all that waits.
    Mark {
        /// The channel.
        channel: ChannelId,
        /// The last that may have been.
        through: SendId,
    },
    /// Asks the tab for the credential of the next dial; answered by [`ToWorker::Credential`].
    NeedCredential {
        /// The channel.
        channel: ChannelId,
        /// What the answer repeats.
        request: u32,
        /// Whether the server has refused the last one.
        refused: bool,
    },
    /// A channel is closed; nothing follows on it.
    Detached {
        /// The channel.
        channel: ChannelId,
    },
    /// The worker has met a newer build than the tab's, or is of one itself.
    UpdateAvailable {
        /// The newest build number that was met, when it is above the tab's own; else 0, and the protocol is newer.
        build: u64,
    },
    /// How much the open socket holds that has not gone to the network: of all tabs, and also what [`ToTab::Sent`] has told of. It holds
    /// until the worker says otherwise or the socket is lost. Only a channel that has sent something is told.
    Buffered {
        /// The channel.
        channel: ChannelId,
        /// How many bytes, rounded down to a multiple of [`limits::BUFFERED_STEP_BYTES`].
        bytes: u32,
    },
}

/// Where the loop runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum WorkerScope {
    /// In a SharedWorker.
    Shared,
    /// In a dedicated Worker.
    Dedicated,
    /// On the page's main thread.
    Main,
}

/// What the debug log shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub enum DebugLevel {
    /// Nothing.
    #[default]
    Off,
    /// Every message by its name, ids and length.
    Messages,
    /// The content of payloads too. It may hold secrets.
    Payloads,
}

/// How grave a log line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something may fail.
    Warn,
    /// What an operator wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl ToWorker {
    /// Decodes a message.
    ///
    /// # Errors
    ///
    /// When the tag is unknown, the body is malformed or a field is over its cap. Other messages of the batch are fine.
    pub fn decode(version: Version, raw: &RawMessage) -> Result<Self, DecodeError> {
        let message = match version {
            Version::V1 => worker_side::decode_v1(raw)?,
            #[cfg(feature = "next-version")]
            Version::V2 => worker_side::decode_v1(&next_version::open(raw)?)?,
        };
        message.check()?;
        Ok(message)
    }

    fn encode_v1(&self, out: &mut Vec<u8>) {
        match self {
            Self::Connect(connect) => put(out, tag::CONNECT, connect, &[]),
            Self::Disconnect { channel } => put(out, tag::DISCONNECT, channel, &[]),
            Self::Send {
                channel,
                id,
                keep,
                payload,
            } => {
                let (channel, id, keep) = (*channel, *id, *keep);
                Outgoing {
                    channel,
                    id,
                    keep,
                    payload,
                }
                .encode_v1(out);
            }
            Self::GetStatus { channel } => put(out, tag::GET_STATUS, channel, &[]),
            Self::Ping { nonce } => put(out, tag::PING, nonce, &[]),
            Self::SetDebug { level } => put(out, tag::SET_DEBUG, level, &[]),
            Self::Bye => put(out, tag::BYE, &(), &[]),
            Self::Greet { channel, greeting } => put(out, tag::GREET, &(channel, greeting), &[]),
            Self::Ungreet { channel, greeting } => {
                put(out, tag::UNGREET, &(channel, greeting), &[])
            }
            Self::Delay { channel, delay } => put(out, tag::DELAY, &(channel, delay), &[]),
            Self::Reconnect { channel } => put(out, tag::RECONNECT, channel, &[]),
            Self::Network { online } => put(out, tag::NETWORK, online, &[]),
            Self::Acknowledge { channel, id } => {
                put(out, tag::ACKNOWLEDGE, &(channel, id), &[]);
            }
            Self::Wake => put(out, tag::WAKE, &(), &[]),
            Self::HoldsLock => put(out, tag::HOLDS_LOCK, &(), &[]),
            Self::Pace(pace) => put(out, tag::PACE, pace, &[]),
            Self::Inspect { sight } => put(out, tag::INSPECT, sight, &[]),
            Self::Credential {
                channel,
                request,
                credential,
            } => put(out, tag::CREDENTIAL, &(channel, request, credential), &[]),
            Self::LogOut { channel, drain } => put(out, tag::LOG_OUT, &(channel, drain), &[]),
            Self::Close {
                channel,
                code,
                reason,
            } => put(out, tag::CLOSE, &(channel, code, reason), &[]),
        }
    }
}

impl Encode for ToWorker {
    fn check(&self) -> Result<(), OverCap> {
        self.check_caps()
    }

    fn encode(&self, version: Version, out: &mut Vec<u8>) {
        match version {
            Version::V1 => self.encode_v1(out),
            #[cfg(feature = "next-version")]
            Version::V2 => next_version::seal(out, |out| self.encode_v1(out)),
        }
    }
}

impl ToTab {
    /// Returns the channel that it is about, if it is about one.
    #[must_use]
    pub fn channel(&self) -> Option<ChannelId> {
        match self {
            Self::Attached { channel, .. }
            | Self::Connected { channel, .. }
            | Self::Disconnected { channel, .. }
            | Self::Reconnecting { channel, .. }
            | Self::Message { channel, .. }
            | Self::Packed { channel, .. }
            | Self::Status { channel, .. }
            | Self::Sent { channel, .. }
            | Self::Failed { channel, .. }
            | Self::Lagged { channel, .. }
            | Self::Mark { channel, .. }
            | Self::NeedCredential { channel, .. }
            | Self::Buffered { channel, .. }
            | Self::Detached { channel } => Some(*channel),
            Self::Error { channel, .. } => *channel,
            Self::Ready { .. }
            | Self::Pong { .. }
            | Self::Log(_)
            | Self::UpdateAvailable { .. } => None,
        }
    }

    /// Makes it be about another channel, if it is about one: so one message can be told to many.
    pub fn redirect(&mut self, to: ChannelId) {
        match self {
            Self::Attached { channel, .. }
            | Self::Connected { channel, .. }
            | Self::Disconnected { channel, .. }
            | Self::Reconnecting { channel, .. }
            | Self::Message { channel, .. }
            | Self::Packed { channel, .. }
            | Self::Status { channel, .. }
            | Self::Sent { channel, .. }
            | Self::Failed { channel, .. }
            | Self::Lagged { channel, .. }
            | Self::Mark { channel, .. }
            | Self::NeedCredential { channel, .. }
            | Self::Buffered { channel, .. }
            | Self::Detached { channel }
            | Self::Error {
                channel: Some(channel),
                ..
            } => *channel = to,
            Self::Error { channel: None, .. }
            | Self::Ready { .. }
            | Self::Pong { .. }
            | Self::Log(_)
            | Self::UpdateAvailable { .. } => {}
        }
    }

    /// Decodes a message.
    ///
    /// # Errors
    ///
    /// When the tag is unknown, the body is malformed or a field is over its cap. Other messages of the batch are fine.
    pub fn decode(version: Version, raw: &RawMessage) -> Result<Self, DecodeError> {
        match version {
            Version::V1 => Self::decode_v1(raw),
            #[cfg(feature = "next-version")]
            Version::V2 => Self::decode_v1(&next_version::open(raw)?),
        }
    }

    /// Returns whose binary message it is, new to its channel, of which this is all but the payload.
    pub(crate) fn decode_front(version: Version, raw: &RawMessage) -> Option<ChannelId> {
        if raw.tag != tag::MESSAGE {
            return None;
        }
        let front = match version {
            Version::V1 => head(raw),
            #[cfg(feature = "next-version")]
            Version::V2 => head(&next_version::open(raw).ok()?),
        };
        match front {
            Ok(((channel, false, PayloadKind::Binary), 0)) => Some(channel),
            _ => None,
        }
    }

    fn decode_v1(raw: &RawMessage) -> Result<Self, DecodeError> {
        if raw.tag != tag::MESSAGE {
            return Self::decode_rare(raw);
        }
        let ((channel, replayed, kind), rest) = head(raw)?;
        let payload = payload(raw, kind, rest)?;
        check::check_payload(raw.tag, &payload)?;
        Ok(Self::Message {
            channel,
            replayed,
            payload,
        })
    }

    /// Out of line, because browsers compile a function as a whole once it is hot.
    #[inline(never)]
    fn decode_rare(raw: &RawMessage) -> Result<Self, DecodeError> {
        let message = match raw.tag {
            tag::READY => {
                let (scope, debug) = body(raw)?;
                Self::Ready { scope, debug }
            }
            tag::ATTACHED => {
                let (channel, status) = body(raw)?;
                Self::Attached { channel, status }
            }
            tag::CONNECTED => {
                let (channel, subprotocol) = body(raw)?;
                Self::Connected {
                    channel,
                    subprotocol,
                }
            }
            tag::DISCONNECTED => {
                let (channel, reason) = body(raw)?;
                Self::Disconnected { channel, reason }
            }
            tag::RECONNECTING => {
                let (channel, attempt, delay, cause) = body(raw)?;
                Self::Reconnecting {
                    channel,
                    attempt,
                    delay,
                    cause,
                }
            }
            tag::STATUS => {
                let (channel, status) = body(raw)?;
                Self::Status { channel, status }
            }
            tag::ERROR => {
                let (channel, error) = body(raw)?;
                Self::Error { channel, error }
            }
            tag::SENT => {
                let (channel, through) = body(raw)?;
                Self::Sent { channel, through }
            }
            tag::FAILED => {
                let (channel, id, failure) = body(raw)?;
                Self::Failed {
                    channel,
                    id,
                    failure,
                }
            }
            tag::PONG => Self::Pong { nonce: body(raw)? },
            tag::LOG => {
                check::fits(raw.body.len(), limits::MAX_BODY_BYTES, raw.tag, "body")?;
                let ((kind, id, code, len), rest) = head(raw)?;
                let content = raw.body.slice(raw.body.len() - rest..);
                Self::Log(LogEntry {
                    kind,
                    id,
                    code,
                    len,
                    content: content.slice(..rest.min(limits::MAX_LOG_BYTES)),
                })
            }
            tag::LAGGED => {
                let (channel, missed) = body(raw)?;
                Self::Lagged { channel, missed }
            }
            tag::DETACHED => Self::Detached {
                channel: body(raw)?,
            },
            tag::MARK => {
                let (channel, through) = body(raw)?;
                Self::Mark { channel, through }
            }
            tag::UPDATE_AVAILABLE => Self::UpdateAvailable { build: body(raw)? },
            tag::NEED_CREDENTIAL => {
                let (channel, request, refused) = body(raw)?;
                Self::NeedCredential {
                    channel,
                    request,
                    refused,
                }
            }
            tag::BUFFERED => {
                let (channel, bytes) = body(raw)?;
                Self::Buffered { channel, bytes }
            }
            tag::PACKED => {
                check::fits(raw.body.len(), limits::MAX_BODY_BYTES, raw.tag, "body")?;
                let (channel, rest) = head(raw)?;
                let packed = Packed::new(raw.body.slice(raw.body.len() - rest..))
                    .ok_or(DecodeError::Malformed { tag: raw.tag })?;
                Self::Packed { channel, packed }
            }
            tag => return Err(DecodeError::UnknownTag { tag }),
        };
        message.check()?;
        Ok(message)
    }
}

impl Encode for ToTab {
    fn check(&self) -> Result<(), OverCap> {
        self.check_caps()
    }

    fn encode(&self, version: Version, out: &mut Vec<u8>) {
        match version {
            Version::V1 => worker_side::encode(self, out),
            #[cfg(feature = "next-version")]
            Version::V2 => next_version::seal(out, |out| worker_side::encode(self, out)),
        }
    }
}

fn body<T: DeserializeOwned>(raw: &RawMessage) -> Result<T, DecodeError> {
    check::fits(raw.body.len(), limits::MAX_BODY_BYTES, raw.tag, "body")?;
    match postcard::take_from_bytes(&raw.body) {
        Ok((value, [])) => Ok(value),
        _ => Err(DecodeError::Malformed { tag: raw.tag }),
    }
}

/// Reads the front of a body and returns how many bytes are behind it.
fn head<T: DeserializeOwned>(raw: &RawMessage) -> Result<(T, usize), DecodeError> {
    match postcard::take_from_bytes(&raw.body) {
        Ok((value, rest)) => Ok((value, rest.len())),
        Err(_) => Err(DecodeError::Malformed { tag: raw.tag }),
    }
}

fn payload(raw: &RawMessage, kind: PayloadKind, rest: usize) -> Result<Payload, DecodeError> {
    let bytes: Bytes = raw.body.slice(raw.body.len() - rest..);
    Payload::from_parts(kind, bytes).ok_or(DecodeError::Malformed { tag: raw.tag })
}

fn put<T: Serialize + ?Sized>(out: &mut Vec<u8>, tag: u8, front: &T, tail: &[u8]) {
    let start = out.len();
    out.extend([tag, 0, 0, 0, 0]);
    let body = out.len();
    // Into a vector nothing fails but a type that can't say its length, of which the messages have none.
    let written = postcard::serialize_with_flavor(front, Appending(out));
    debug_assert!(written.is_ok(), "every message has a postcard form");
    out.extend_from_slice(tail);
    let len = (out.len() - body) as u32;
    out[start + 1..body].copy_from_slice(&len.to_le_bytes());
}

/// Lets postcard write to the end of a vector, whole slices at a time.
struct Appending<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Appending<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
