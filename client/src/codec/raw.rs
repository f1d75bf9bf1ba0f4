//! Messages as they are.

use onesocket_protocol::{Payload, PayloadKind};

use super::{Codec, DecodeError, EncodeError};

/// Text messages, as `String`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text;

impl<Tx: AsRef<str> + ?Sized> Codec<Tx, String> for Text {
    fn encode(&self, message: &Tx) -> Result<Payload, EncodeError> {
        Ok(Payload::text(message.as_ref()))
    }

    fn decode(&self, payload: &Payload) -> Result<String, DecodeError> {
        payload
            .as_text()
            .map(str::to_owned)
            .ok_or_else(|| DecodeError::wrong_kind(payload))
    }
}

/// Binary messages, as [`bytes::Bytes`] without a copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bytes;

impl<Tx: AsRef<[u8]> + ?Sized> Codec<Tx, bytes::Bytes> for Bytes {
    fn encode(&self, message: &Tx) -> Result<Payload, EncodeError> {
        Ok(Payload::binary(bytes::Bytes::copy_from_slice(
            message.as_ref(),
        )))
    }

    fn decode(&self, payload: &Payload) -> Result<bytes::Bytes, DecodeError> {
        match payload.kind() {
            PayloadKind::Binary => Ok(payload.bytes().clone()),
            PayloadKind::Text => Err(DecodeError::wrong_kind(payload)),
        }
    }
}

/// Both kinds, as [`Payload`], without a copy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw;

impl Codec<Payload, Payload> for Raw {
    fn encode(&self, message: &Payload) -> Result<Payload, EncodeError> {
        Ok(message.clone())
    }

    fn decode(&self, payload: &Payload) -> Result<Payload, DecodeError> {
        Ok(payload.clone())
    }
}
