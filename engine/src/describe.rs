//! What the debug log keeps of a message. Nothing in here runs while the log is off.
//!
//! Numbers and bytes, which a tab puts into words ([`LogEntry`]). A message is kept as its tag, its ids and its length, not
//! decoded: the worker needs no decoder for what it sends. The tab's side of the log shows the whole message.

use bytes::Bytes;
use onesocket_protocol::{
    BatchReader, LinkKey, LogEntry, Parcel, Payload, PayloadKind, RawMessage, Sight, limits,
    log::{self, kind},
    message::tag,
    preface, redact_url_bytes,
};

use crate::{Gathered, Input, PortId, SocketId};

/// Describes an input.
pub fn input(input: &Input, sight: Sight, see: &dyn Fn(LogEntry)) {
    see(match input {
        Input::SocketOpened {
            socket,
            subprotocol,
        } => {
            // A server may choose a subprotocol that is a token.
            let shown = if sight >= Sight::Payloads {
                subprotocol
            } else {
                ""
            };
            about(kind::OPENED, socket.0, shown)
        }
        Input::SocketClosed {
            socket,
            code,
            reason,
            was_clean,
        } => LogEntry {
            code: u32::from(*code),
            len: u32::from(*was_clean),
            ..about(kind::CLOSED, socket.0, reason)
        },
        Input::Frame { port, frame } => return self::frame(IN, *port, frame, see),
        Input::Received {
            socket,
            payload: received,
        } => payload(kind::RECEIVED, *socket, received, sight),
        Input::Gathered { socket, gathered } => {
            let of = |gathered: &Payload| payload(kind::RECEIVED, *socket, gathered, sight);
            return gathered.iter().for_each(|piece| match piece {
                Gathered::One(payload) => see(of(payload)),
                Gathered::Packed(packed) => packed.payloads().for_each(|it| see(of(&it))),
                Gathered::Parcel(it) => see(parcel(*socket, it, sight)),
            });
        }
        Input::ReceivedParcel { socket, parcel: it } => parcel(*socket, it, sight),
        Input::PortOpened(port) => about(kind::PORT_OPENED, port.0, ""),
        Input::PortClosed(port) => about(kind::PORT_CLOSED, port.0, ""),
        Input::SocketClosing(socket) => about(kind::CLOSING, socket.0, ""),
        Input::Buffered { socket, bytes } => LogEntry {
            len: *bytes,
            ..about(kind::BUFFERED, socket.0, "")
        },
        Input::DialRefused { socket, refusal } => LogEntry {
            code: *refusal as u32,
            ..about(kind::REFUSED, socket.0, "")
        },
        Input::Network { online } => LogEntry {
            code: u32::from(*online),
            ..LogEntry::new(kind::NETWORK)
        },
        Input::Slept(slept) => LogEntry {
            len: slept.0,
            ..LogEntry::new(kind::SLEPT)
        },
        Input::Tick => return,
    });
}

/// Describes a dial, by the URL of the key.
pub fn dial(socket: SocketId, key: &LinkKey, subprotocols: usize) -> LogEntry {
    LogEntry {
        // Only their number: subprotocols are often tokens.
        code: subprotocols as u32,
        id: socket.0,
        content: redact_url_bytes(&key.url).into(),
        ..LogEntry::new(kind::DIALLED)
    }
}

/// Describes that we close a socket.
pub fn close(socket: SocketId, code: u16, reason: &str) -> LogEntry {
    LogEntry {
        code: u32::from(code),
        ..about(kind::CLOSED_BY_US, socket.0, reason)
    }
}

/// Describes a payload to a server. Of a credential nothing is shown but its length.
pub fn transmit(socket: SocketId, sent: &Payload, is_credential: bool, sight: Sight) -> LogEntry {
    let sight = if is_credential { Sight::Off } else { sight };
    payload(kind::TRANSMITTED, socket, sent, sight)
}

/// Describes a payload from or to a server.
fn payload(kind: u8, socket: SocketId, payload: &Payload, sight: Sight) -> LogEntry {
    let shown = match sight {
        Sight::Payloads | Sight::Recording => payload.len(),
        Sight::Off | Sight::Messages => 0,
    };
    LogEntry {
        kind,
        id: socket.0,
        code: u32::from(payload.kind() == PayloadKind::Binary),
        len: payload.len() as u32,
        content: payload.bytes().slice(..shown),
    }
}

/// Describes a message that the host has not copied. What is too long for a payload is not read.
fn parcel(socket: SocketId, parcel: &Parcel, sight: Sight) -> LogEntry {
    let len = parcel.len();
    let may_be_read = sight >= Sight::Payloads && len <= limits::MAX_PAYLOAD_BYTES;
    let read = may_be_read.then(|| parcel.read().into_bytes());
    LogEntry {
        kind: kind::RECEIVED,
        id: socket.0,
        code: 1,
        len: len as u32,
        content: read.unwrap_or_default(),
    }
}

/// Describes a frame to a tab, message by message.
pub fn frame_out(port: PortId, frame: &Bytes, see: &dyn Fn(LogEntry)) {
    self::frame(OUT, port, frame, see);
}

/// Says nothing about acknowledgements and log entries: they come of log entries, and would be the next ones for ever.
fn frame(kinds: Kinds, port: PortId, frame: &Bytes, see: &dyn Fn(LogEntry)) {
    let entry = |kind, code, content, len: usize| LogEntry {
        kind,
        id: port.0,
        code,
        len: len as u32,
        content,
    };
    let Ok(batch) = BatchReader::new(frame) else {
        let kind = frame.get(preface::MAGIC.len()).copied().unwrap_or_default();
        return see(entry(
            kinds.preface,
            u32::from(kind),
            Bytes::new(),
            frame.len(),
        ));
    };
    for message in batch {
        see(match message {
            Ok(RawMessage { tag: tag::LOG, .. }) => continue,
            Ok(RawMessage { tag, body }) => entry(
                kinds.message,
                u32::from(tag),
                log::id_bytes(tag, &body),
                body.len(),
            ),
            Err(_) => entry(kinds.broken, 0, Bytes::new(), frame.len()),
        });
    }
}

/// What the entries about the frames of one direction are called.
#[derive(Clone, Copy)]
struct Kinds {
    message: u8,
    preface: u8,
    broken: u8,
}

const IN: Kinds = Kinds {
    message: kind::MESSAGE_IN,
    preface: kind::PREFACE_IN,
    broken: kind::BROKEN_IN,
};

const OUT: Kinds = Kinds {
    message: kind::MESSAGE_OUT,
    preface: kind::PREFACE_OUT,
    broken: kind::BROKEN_OUT,
};

fn about(kind: u8, id: u32, content: &str) -> LogEntry {
    LogEntry {
        id,
        content: Bytes::copy_from_slice(content.as_bytes()),
        ..LogEntry::new(kind)
    }
}
