//! The tests of the protocol that need nothing but its public face.

mod arrived;
mod caps;
mod clock;
mod golden;
mod lag;
mod negotiation;
mod parcel;
mod perturbed;
mod redact;
mod round_trip;
mod samples;
mod spec;
mod strategies;

use bytes::Bytes;
use onesocket_protocol::{BatchReader, DecodeError, Encode, RawMessage, ToTab, ToWorker, Version};

/// A message of either direction, so that a test can be written once.
trait Message: Encode + Sized {
    fn decode_v1(raw: &RawMessage) -> Result<Self, DecodeError>;
}

impl Message for ToWorker {
    fn decode_v1(raw: &RawMessage) -> Result<Self, DecodeError> {
        Self::decode(Version::V1, raw)
    }
}

impl Message for ToTab {
    fn decode_v1(raw: &RawMessage) -> Result<Self, DecodeError> {
        Self::decode(Version::V1, raw)
    }
}

/// Encodes a message and splits what a batch reader would.
fn raw(message: &impl Encode) -> RawMessage {
    let mut bytes = Vec::new();
    message.encode(Version::V1, &mut bytes);
    let (head, body) = bytes.split_at(onesocket_protocol::frame::MESSAGE_HEADER_BYTES);
    assert_eq!(head[1..], (body.len() as u32).to_le_bytes());
    RawMessage {
        tag: head[0],
        body: Bytes::copy_from_slice(body),
    }
}

fn decode_all<M: Message>(batch: BatchReader) -> Vec<M> {
    batch
        .map(|raw| M::decode_v1(&raw.expect("a whole frame")).expect("a whole message"))
        .collect()
}
