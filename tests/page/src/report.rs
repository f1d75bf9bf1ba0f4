//! What a scenario gets to see, as JSON.

use std::error::Error;

use onesocket::{Event, LinkState, Payload, PayloadKind, Status};
use serde_json::{Value, json};

/// Names an error by the words of its whole chain of causes, which is what a developer would read.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

pub(crate) fn event<Rx>(event: Event<Rx>, content: impl Fn(Rx) -> Value) -> Value {
    match event {
        Event::Message(message) => json!({ "type": "message", "content": content(message) }),
        Event::Replayed(message) => json!({ "type": "replayed", "content": content(message) }),
        Event::Connected { subprotocol } => {
            json!({ "type": "connected", "subprotocol": subprotocol })
        }
        Event::Reconnecting {
            attempt,
            delay,
            cause,
        } => json!({
            "type": "reconnecting",
            "attempt": attempt,
            "delay_ms": delay.map(|delay| delay.as_millis() as u64),
            "cause": format!("{cause:?}"),
        }),
        Event::Disconnected { reason } => {
            json!({ "type": "disconnected", "reason": format!("{reason:?}") })
        }
        Event::NeedsAuth { refused } => json!({ "type": "needs_auth", "refused": refused }),
        Event::Status(now) => json!({ "type": "status", "status": status(&now) }),
        Event::UpdateAvailable { build } => json!({ "type": "update", "build": build }),
        Event::Lagged { missed } => json!({ "type": "lagged", "missed": missed }),
        Event::Error(error) => {
            json!({ "type": "error", "kind": format!("{error:?}"), "text": chain(&error) })
        }
        _ => json!({ "type": "unknown" }),
    }
}

/// Text as it is; of binary messages the length and a checksum, because a megabyte of JSON helps nobody.
pub(crate) fn payload(payload: &Payload) -> Value {
    match payload.kind() {
        PayloadKind::Text => json!(payload.as_text()),
        PayloadKind::Binary => {
            // The server numbers its feed's frames by their first eight bytes.
            let number = payload
                .bytes()
                .first_chunk()
                .map(|bytes| u64::from_le_bytes(*bytes));
            json!({ "bytes": payload.len(), "sum": checksum(payload.bytes()), "number": number })
        }
    }
}

pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

pub(crate) fn status(status: &Status) -> Value {
    let state = match &status.state {
        LinkState::Connecting { .. } => "connecting",
        LinkState::Connected { .. } => "connected",
        LinkState::Reconnecting { .. } => "reconnecting",
        LinkState::Offline { .. } => "offline",
        LinkState::NeedsAuth { .. } => "needs_auth",
        LinkState::Stopped(_) => "stopped",
    };
    json!({
        "state": state,
        "detail": format!("{:?}", status.state),
        "tabs": status.tabs,
        "queued_messages": status.queued_messages,
        "queued_bytes": status.queued_bytes,
        "dials": status.dials,
        "round_trip_ms": status.round_trip.map(|time| time.0),
    })
}

/// What a client has heard of the server's numbered frames: how many messages, and the first that is not in its place.
pub(crate) fn feed(events: &[Value]) -> Value {
    let numbers: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "message")
        .map(|event| &event["content"]["number"])
        .collect();
    let misplaced = numbers
        .iter()
        .enumerate()
        .find(|(at, number)| number.as_u64() != Some(*at as u64));
    json!({ "messages": numbers.len(), "misplaced": misplaced.map(|(at, number)| format!("{number} at {at}")) })
}
