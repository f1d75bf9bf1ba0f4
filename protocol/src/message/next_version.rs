//! A second version of the messages, for tests of two builds at once; no release has it.
//!
//! A body begins with a byte of its own, so that whoever takes a message of one version for one of the other can't read it.

use crate::{DecodeError, RawMessage, frame::MESSAGE_HEADER_BYTES};

/// Not what any body of version 1 begins with in a test: there, channels and nonces are small numbers.
const SEAL: u8 = 0xa5;

/// Returns the message as it is in version 1.
pub(super) fn open(raw: &RawMessage) -> Result<RawMessage, DecodeError> {
    match raw.body.first() {
        Some(&SEAL) => Ok(RawMessage {
            tag: raw.tag,
            body: raw.body.slice(1..),
        }),
        _ => Err(DecodeError::Malformed { tag: raw.tag }),
    }
}

/// Appends a message that `encode` appends as it is in version 1.
pub(super) fn seal(out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    encode(out);
    let body = start + MESSAGE_HEADER_BYTES;
    out.insert(body, SEAL);
    let len = (out.len() - body) as u32;
    out[start + 1..body].copy_from_slice(&len.to_le_bytes());
}
