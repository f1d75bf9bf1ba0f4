//! Postcard over binary messages.

use std::cell::Cell;

use bytes::Bytes;
use onesocket_protocol::{Payload, PayloadKind};
use serde::{Serialize, de::DeserializeOwned};

use super::{Codec, DecodeError, EncodeError};

/// [Postcard](https://docs.rs/postcard) over binary messages: small and quick, and not self-describing, so that client and
/// server must agree on the types.
///
/// Bytes behind a message are ignored, as `postcard::from_bytes` does it: a field that the other side has appended at the end disturbs nobody,
/// and a longer message of another type may be read as this one. Who wants an error writes a [`Codec`] of their own;
/// [`Transcoded`](super::Transcoded) tells one.
///
/// ```
/// use onesocket::{Payload, codec::{Codec, Postcard}};
///
/// let payload = Codec::<_, (u8, bool)>::encode(&Postcard, &(7u8, true))?;
/// assert_eq!(payload, Payload::binary(vec![7, 1]));
/// let back: (u8, bool) = Codec::<(), _>::decode(&Postcard, &payload)?;
/// assert_eq!(back, (7, true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Postcard;

impl<Tx: Serialize + ?Sized, Rx: DeserializeOwned> Codec<Tx, Rx> for Postcard {
    fn encode(&self, message: &Tx) -> Result<Payload, EncodeError> {
        let scratch = SCRATCH.take();
        let mut bytes = postcard::to_extend(message, scratch).map_err(EncodeError::new)?;
        if bytes.capacity() > MOST_SCRATCH_BYTES {
            return Ok(Payload::binary(bytes));
        }
        let payload = Payload::binary(Bytes::copy_from_slice(&bytes));
        bytes.clear();
        SCRATCH.set(bytes);
        Ok(payload)
    }

    fn decode(&self, payload: &Payload) -> Result<Rx, DecodeError> {
        match payload.kind() {
            PayloadKind::Binary => {
                postcard::from_bytes(payload.bytes()).map_err(DecodeError::invalid)
            }
            PayloadKind::Text => Err(DecodeError::wrong_kind(payload)),
        }
    }
}

thread_local! {
    /// Where a message is written first: its length is not known before, and to copy it once is less than to grow for each.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The memory of a page's wasm never shrinks, but it can be used for something else. What is larger is not copied.
const MOST_SCRATCH_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use serde::{Serializer, ser::Error as _};

    use super::*;

    /// Encodes another message while it is encoded itself.
    struct Nested(Vec<u8>);

    impl Serialize for Nested {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let inner = encode(&self.0).map_err(S::Error::custom)?;
            (1_u8, inner.bytes().to_vec()).serialize(serializer)
        }
    }

    struct Fails;

    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("on purpose"))
        }
    }

    fn encode(message: &impl Serialize) -> Result<Payload, EncodeError> {
        <Postcard as Codec<_, ()>>::encode(&Postcard, message)
    }

    #[test]
    fn each_message_is_whole_whatever_was_encoded_before_or_within() {
        for length in [3, 70_000, 0, 40_000, 100] {
            let message = vec![7_u8; length];
            let expect = postcard::to_allocvec(&message).expect("it has a form");
            let payload = encode(&message).expect("it has a form");
            assert_eq!(payload.bytes()[..], expect);
            assert!(encode(&Fails).is_err());

            let nested = encode(&Nested(message)).expect("it has a form");
            let (_, inner): (u8, Vec<u8>) = postcard::from_bytes(nested.bytes()).expect("a pair");
            assert_eq!(inner, expect);
            assert_eq!(payload.bytes()[..], expect, "it is a copy");
        }
    }
}
