//! Postcard over binary messages.

use onesocket_protocol::{Payload, PayloadKind};
use serde::{Serialize, de::DeserializeOwned};

use super::{Codec, DecodeError, EncodeError};

/// [Postcard](https://docs.rs/postcard) over binary messages: small and quick, and not self-describing, so that client and
/// server must agree on the types.
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
        postcard::to_allocvec(message)
            .map(Payload::binary)
            .map_err(EncodeError::new)
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
