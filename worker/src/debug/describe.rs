//! What the debug log says about a message. Nothing in here runs while the log is off.

use std::fmt::Debug;

use bytes::Bytes;
use onesocket_engine::{Input, PortId, SocketId};
use onesocket_protocol::{
    BatchReader, DebugLevel, DecodeError, Payload, PayloadKind, Preface, RawMessage, ToTab, ToWorker, Version, message::tag,
    redact_url,
};
use tracing::debug;

use crate::host::Event;

/// Logs an input.
pub(crate) fn event(event: &Event, level: DebugLevel) {
    match event {
        Event::SocketOpened { socket, subprotocol } => debug!("socket {} open, subprotocol {subprotocol:?}", socket.0),
        Event::SocketClosed { socket, code, reason, was_clean } => {
            debug!("socket {} closed, code {code}, reason {reason:?}, clean {was_clean}", socket.0);
        }
        Event::Plain(Input::Frame { port, frame }) => to_worker(*port, frame, level),
        Event::Plain(Input::Received { socket, payload: received }) => payload("socket ->", socket.0, received, level),
        Event::Plain(Input::Tick) => {}
        Event::Plain(input) => debug!("{input:?}"),
    }
}

/// Logs a dial.
pub(crate) fn dial(socket: SocketId, url: &str, subprotocols: &[String]) {
    // Subprotocols are often tokens.
    debug!("socket {} dial {}, {} subprotocols", socket.0, redact_url(url), subprotocols.len());
}

/// Logs a payload to or from a server.
pub(crate) fn payload(direction: &str, id: u32, payload: &Payload, level: DebugLevel) {
    debug!("{direction} {id} {payload:?}{}", content(Some(payload), level));
}

/// Logs a frame from a tab, message by message.
fn to_worker(port: PortId, frame: &Bytes, level: DebugLevel) {
    frame_lines("->", port, frame, level, ToWorker::decode, |message| match message {
        ToWorker::Send { payload, .. } => Some(payload),
        _ => None,
    });
}

/// Logs a frame to a tab, message by message.
pub(crate) fn to_tab(port: PortId, frame: &[u8], level: DebugLevel) {
    let frame = Bytes::copy_from_slice(frame);
    frame_lines("<-", port, &frame, level, ToTab::decode, |message| match message {
        ToTab::Message { payload, .. } => Some(payload),
        _ => None,
    });
}

/// Says nothing about acknowledgements and log lines: they come of log lines, and would be the next ones for ever.
fn frame_lines<M: Debug>(
    direction: &str,
    port: PortId,
    frame: &Bytes,
    level: DebugLevel,
    decode: impl Fn(Version, &RawMessage) -> Result<M, DecodeError>,
    payload: impl Fn(&M) -> Option<&Payload>,
) {
    let port = port.0;
    match Preface::decode(frame) {
        Ok(Preface::Batch) => {}
        Ok(preface) => return debug!("port {port} {direction} {preface:?}"),
        Err(error) => return debug!("port {port} {direction} {} bytes: {error}", frame.len()),
    }
    let reader = match BatchReader::new(frame) {
        Ok(reader) => reader,
        Err(error) => return debug!("port {port} {direction} {} bytes: {error}", frame.len()),
    };
    let Some(version) = Version::from_number(reader.header().version) else {
        return debug!("port {port} {direction} a batch of version {}", reader.header().version);
    };
    for raw in reader {
        match raw.map(|raw| (raw.tag, decode(version, &raw))) {
            Ok((tag::LOG, _)) => {}
            Ok((_, Ok(message))) => debug!("port {port} {direction} {message:?}{}", content(payload(&message), level)),
            Ok((_, Err(error))) => debug!("port {port} {direction} {error}"),
            Err(error) => debug!("port {port} {direction} {error}"),
        }
    }
}

/// Returns the beginning of a payload where the level shows it.
fn content(payload: Option<&Payload>, level: DebugLevel) -> String {
    let Some(payload) = payload.filter(|_| level == DebugLevel::Payloads) else {
        return String::new();
    };
    let text = match payload.kind() {
        PayloadKind::Text => payload.as_text().unwrap_or_default().chars().take(SHOWN_CHARS).collect(),
        PayloadKind::Binary => payload.bytes().iter().copied().flat_map(std::ascii::escape_default).take(SHOWN_CHARS).map(char::from).collect::<String>(),
    };
    format!(" {text}")
}

/// Enough to know a message by, and not so much that a console drowns.
const SHOWN_CHARS: usize = 200;
