//! Which messages are over a cap.

use super::{Connect, ToTab, ToWorker, tag};
use crate::{Credential, Greeting, LatestBy, LinkState, OverCap, Payload, Replay, Status, limits};

impl ToWorker {
    pub(super) fn check_caps(&self) -> Result<(), OverCap> {
        match self {
            Self::Connect(connect) => check_connect(connect),
            Self::Send { payload, .. } => check_payload(tag::SEND, payload),
            Self::Greet { greeting, .. } => check_greeting(greeting),
            Self::Credential {
                credential: Some(credential),
                ..
            } => check_credential(credential),
            Self::Close { reason, .. } => {
                let cap = limits::MAX_CLOSE_REASON_BYTES;
                fits(reason.len(), cap, tag::CLOSE, "reason")
            }
            _ => Ok(()),
        }
    }
}

impl ToTab {
    pub(super) fn check_caps(&self) -> Result<(), OverCap> {
        match self {
            Self::Attached { status, .. } => check_status(tag::ATTACHED, status),
            Self::Connected { subprotocol, .. } => check_subprotocol(tag::CONNECTED, subprotocol),
            Self::Message { payload, .. } => check_payload(tag::MESSAGE, payload),
            Self::Status { status, .. } => check_status(tag::STATUS, status),
            Self::Packed { channel, packed } => {
                let bits = u32::BITS - channel.0.leading_zeros();
                let front = bits.div_ceil(7).max(1) as usize;
                let len = front + packed.bytes().len();
                fits(len, limits::MAX_BODY_BYTES, tag::PACKED, "body")
            }
            _ => Ok(()),
        }
    }
}

fn check_connect(connect: &Connect) -> Result<(), OverCap> {
    let Connect {
        key,
        policy,
        replay,
        channel: _,
    } = connect;
    let fits = |len, cap, field| fits(len, cap, tag::CONNECT, field);
    fits(key.url.len(), limits::MAX_TEXT_BYTES, "url")?;
    fits(key.account.len(), limits::MAX_TEXT_BYTES, "account")?;
    fits(
        key.subprotocols.len(),
        limits::MAX_SUBPROTOCOLS,
        "subprotocols",
    )?;
    for subprotocol in &key.subprotocols {
        fits(subprotocol.len(), limits::MAX_TEXT_BYTES, "subprotocols")?;
    }
    fits(
        policy.fatal_codes.len(),
        limits::MAX_FATAL_CODES,
        "fatal codes",
    )?;
    fits(
        policy.auth.codes.len(),
        limits::MAX_FATAL_CODES,
        "auth codes",
    )?;
    fits(
        policy.max_received_bytes as usize,
        limits::MAX_PAYLOAD_BYTES,
        "max received bytes",
    )?;
    if let Some(LatestBy::JsonMember(name)) = &policy.latest {
        fits(name.len(), limits::MAX_TEXT_BYTES, "latest by")?;
    }
    if let Some(heartbeat) = &policy.heartbeat {
        fits(heartbeat.ping.len(), limits::MAX_GREETING_BYTES, "ping")?;
        fits(
            heartbeat.pong.as_ref().map_or(0, Payload::len),
            limits::MAX_GREETING_BYTES,
            "pong",
        )?;
    }
    if let Some(answer) = &policy.answer {
        fits(
            answer.ping.len().max(answer.pong.len()),
            limits::MAX_TEXT_BYTES,
            "answer",
        )?;
    }
    if let Replay::Ask(payload) = replay {
        fits(payload.len(), limits::MAX_GREETING_BYTES, "replay")?;
    }
    Ok(())
}

fn check_credential(credential: &Credential) -> Result<(), OverCap> {
    let fits = |len, cap, field| fits(len, cap, tag::CREDENTIAL, field);
    let url = credential.url.as_ref().map_or(0, String::len);
    fits(url, limits::MAX_TEXT_BYTES, "url")?;
    let first = credential.first.as_ref().map_or(0, Payload::len);
    fits(first, limits::MAX_GREETING_BYTES, "first")?;
    let count = credential.subprotocols.len();
    fits(count, limits::MAX_SUBPROTOCOLS, "subprotocols")?;
    for subprotocol in &credential.subprotocols {
        fits(subprotocol.len(), limits::MAX_TEXT_BYTES, "subprotocols")?;
    }
    Ok(())
}

fn check_greeting(greeting: &Greeting) -> Result<(), OverCap> {
    let farewell = greeting.farewell.as_ref().map_or(0, Payload::len);
    fits(
        greeting.payload.len(),
        limits::MAX_GREETING_BYTES,
        tag::GREET,
        "greeting",
    )?;
    fits(farewell, limits::MAX_GREETING_BYTES, tag::GREET, "farewell")
}

fn check_status(tag: u8, status: &Status) -> Result<(), OverCap> {
    match &status.state {
        LinkState::Connected { subprotocol, .. } => check_subprotocol(tag, subprotocol),
        _ => Ok(()),
    }
}

fn check_subprotocol(tag: u8, subprotocol: &str) -> Result<(), OverCap> {
    fits(
        subprotocol.len(),
        limits::MAX_TEXT_BYTES,
        tag,
        "subprotocol",
    )
}

pub(super) fn check_payload(tag: u8, payload: &Payload) -> Result<(), OverCap> {
    fits(payload.len(), limits::MAX_PAYLOAD_BYTES, tag, "payload")
}

pub(super) fn fits(len: usize, cap: usize, tag: u8, field: &'static str) -> Result<(), OverCap> {
    if len > cap {
        Err(OverCap { tag, field })
    } else {
        Ok(())
    }
}
