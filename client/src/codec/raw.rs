//! Messages as they are.

use onesocket_protocol::{Payload, PayloadKind};

use super::{Codec, DecodeError, EncodeError};

/// Text messages, as `String`.
///
/// ```
/// use onesocket::{Payload, codec::{Codec, Text}};
///
/// let payload = Codec::<str, String>::encode(&Text, "hello")?;
/// assert_eq!(payload, Payload::text("hello"));
/// assert!(Codec::<str, String>::decode(&Text, &Payload::binary(vec![1])).is_err());
/// # Ok::<(), onesocket::codec::EncodeError>(())
/// ```
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
///
/// ```
/// use onesocket::{Payload, codec::{Bytes, Codec}};
///
/// let bytes = Codec::<[u8], _>::decode(&Bytes, &Payload::binary(vec![1, 2]))?;
/// assert_eq!(bytes[..], [1, 2]);
/// # Ok::<(), onesocket::codec::DecodeError>(())
/// ```
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
///
/// ```
/// use onesocket::{Payload, codec::{Codec, Raw}};
///
/// let text = Payload::text("hello");
/// assert_eq!(Raw.encode(&text)?, text);
/// # Ok::<(), onesocket::codec::EncodeError>(())
/// ```
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
