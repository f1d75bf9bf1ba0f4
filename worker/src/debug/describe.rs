//! What the debug log says about a message. Nothing in here runs while the log is off.
//!
//! A message is shown by its name, its ids and its length, not decoded: the worker needs no decoder for what it sends, and that
//! alone is a tenth of its wasm. The tab's side of the log shows the whole message.

use std::fmt;

use bytes::Bytes;
use onesocket_engine::{Input, PortId, SocketId};
use onesocket_protocol::{
    BatchReader, DebugLevel, Payload, PayloadKind, RawMessage, message::tag, preface, redact_url,
};

use crate::host::Event;

/// Logs an input.
pub(crate) fn event(event: &Event, level: DebugLevel) {
    match event {
        Event::SocketOpened {
            socket,
            subprotocol,
        } => say(format_args!(
            "socket {} is open, subprotocol '{subprotocol}'",
            socket.0
        )),
        Event::SocketClosed {
            socket,
            code,
            reason,
            was_clean,
        } => {
            let how = if *was_clean {
                "closed"
            } else {
                "closed uncleanly"
            };
            say(format_args!(
                "socket {} is {how}, code {code}, reason '{reason}'",
                socket.0
            ));
        }
        Event::Plain(input) => plain(input, level),
    }
}

fn plain(input: &Input<'_>, level: DebugLevel) {
    match input {
        Input::Frame { port, frame } => self::frame("->", *port, frame),
        Input::Received {
            socket,
            payload: received,
        } => payload("->", *socket, received, level),
        Input::PortOpened(port) => say(format_args!("port {} is open", port.0)),
        Input::PortClosed(port) => say(format_args!("port {} is gone", port.0)),
        Input::SocketClosing(socket) => say(format_args!("socket {} is closing", socket.0)),
        Input::DialRefused { socket, .. } => say(format_args!("socket {} is refused", socket.0)),
        Input::Network { online } => say(format_args!(
            "the network is {}",
            if *online { "up" } else { "down" }
        )),
        Input::Tick | Input::SocketOpened { .. } | Input::SocketClosed { .. } => {}
    }
}

/// Logs a dial.
pub(crate) fn dial(socket: SocketId, url: &str, subprotocols: usize) {
    // Subprotocols are often tokens.
    let url = redact_url(url);
    say(format_args!(
        "socket {} dials {url}, {subprotocols} subprotocols",
        socket.0
    ));
}

/// Logs that we close a socket.
pub(crate) fn close(socket: SocketId, code: u16, reason: &str) {
    say(format_args!(
        "socket {} is closed by us, code {code}, reason '{reason}'",
        socket.0
    ));
}

/// Logs a payload from or to a server.
pub(crate) fn payload(direction: &str, socket: SocketId, payload: &Payload, level: DebugLevel) {
    let kind = match payload.kind() {
        PayloadKind::Text => "text",
        PayloadKind::Binary => "binary",
    };
    let content = match level {
        DebugLevel::Payloads => content(payload),
        DebugLevel::Off | DebugLevel::Messages => String::new(),
    };
    let (socket, len) = (socket.0, payload.len());
    say(format_args!(
        "socket {socket} {direction} {kind}, {len} B {content}"
    ));
}

/// Logs a frame from or to a tab, message by message.
///
/// Says nothing about acknowledgements and log lines: they come of log lines, and would be the next ones for ever.
pub(crate) fn frame(direction: &str, port: PortId, frame: &Bytes) {
    let port = port.0;
    let Ok(batch) = BatchReader::new(frame) else {
        let kind = frame
            .get(preface::MAGIC.len())
            .map_or("foreign", preface_name);
        return say(format_args!(
            "port {port} {direction} {kind}, {} B",
            frame.len()
        ));
    };
    for message in batch {
        match message {
            Ok(RawMessage { tag: tag::LOG, .. }) => {}
            Ok(RawMessage { tag, body }) => {
                let (name, ids) = message_shape(tag);
                let ids = Ids { body: &body, ids };
                say(format_args!(
                    "port {port} {direction} {name}{ids}, {} B",
                    body.len()
                ));
            }
            Err(_) => say(format_args!(
                "port {port} {direction} a frame that ends early, {} B",
                frame.len()
            )),
        }
    }
}

/// The ids that a body begins with, as ` name value`.
struct Ids<'a> {
    body: &'a [u8],
    ids: &'static [&'static str],
}

impl fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut body = self.body;
        for name in self.ids {
            let Some(id) = varint(&mut body) else { break };
            write!(f, " {name} {id}")?;
        }
        Ok(())
    }
}

/// Takes a number as postcard writes it: seven bits a byte, the lowest first.
fn varint(body: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = body.split_first()?;
        *body = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn preface_name(kind: &u8) -> &'static str {
    match *kind {
        preface::kind::HELLO => "hello",
        preface::kind::WELCOME => "welcome",
        preface::kind::REFUSED => "refused",
        preface::kind::FAILED => "failed",
        preface::kind::BATCH => "a broken batch",
        preface::kind::STALE => "stale",
        _ => "foreign",
    }
}

/// Returns a message's name and the ids that its body begins with.
fn message_shape(tag: u8) -> (&'static str, &'static [&'static str]) {
    const CHANNEL: &[&str] = &["channel"];
    match tag {
        tag::CONNECT => ("connect", CHANNEL),
        tag::DISCONNECT => ("disconnect", CHANNEL),
        tag::SEND => ("send", &["channel", "id"]),
        tag::GET_STATUS => ("get status", CHANNEL),
        tag::PING => ("ping", &["nonce"]),
        tag::SET_DEBUG => ("set debug", &["level"]),
        tag::BYE => ("bye", &[]),
        tag::GREET => ("greet", &["channel", "greeting"]),
        tag::UNGREET => ("ungreet", &["channel", "greeting"]),
        tag::DELAY => ("delay", &["channel", "ms"]),
        tag::RECONNECT => ("reconnect", CHANNEL),
        tag::NETWORK => ("network", &["online"]),
        tag::READY => ("ready", &[]),
        tag::ATTACHED => ("attached", CHANNEL),
        tag::CONNECTED => ("connected", CHANNEL),
        tag::DISCONNECTED => ("disconnected", CHANNEL),
        tag::RECONNECTING => ("reconnecting", &["channel", "attempt"]),
        tag::MESSAGE => ("message", CHANNEL),
        tag::STATUS => ("status", CHANNEL),
        tag::ERROR => ("error", &[]),
        tag::SENT => ("sent", &["channel", "through"]),
        tag::FAILED => ("failed", &["channel", "id"]),
        tag::PONG => ("pong", &["nonce"]),
        tag::LAGGED => ("lagged", &["channel", "missed"]),
        tag::DETACHED => ("detached", CHANNEL),
        _ => ("unknown", &[]),
    }
}

/// The only place of this module that logs: each has its own metadata and its own filter in the wasm.
fn say(line: fmt::Arguments<'_>) {
    tracing::debug!(target: "onesocket", "{line}");
}

/// Returns the beginning of a payload.
fn content(payload: &Payload) -> String {
    let escape = |byte: &u8| std::ascii::escape_default(*byte).map(char::from);
    match payload.as_text() {
        Some(text) => text.chars().take(SHOWN_CHARS).collect(),
        None => payload
            .bytes()
            .iter()
            .flat_map(escape)
            .take(SHOWN_CHARS)
            .collect(),
    }
}

/// Enough to know a message by, and not so much that a console drowns.
const SHOWN_CHARS: usize = 200;
