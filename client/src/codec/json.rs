//! JSON over text messages.

use onesocket_protocol::Payload;
use serde::{Serialize, de::DeserializeOwned};

use super::{Codec, DecodeError, EncodeError};

/// [JSON](https://docs.rs/serde_json): sends text, reads text and UTF-8 in binary messages.
///
/// ```
/// use onesocket::codec::{Codec, Json};
///
/// let payload = Codec::<_, Vec<u8>>::encode(&Json, &[1, 2])?;
/// assert_eq!(payload.as_text(), Some("[1,2]"));
/// let back: Vec<u8> = Codec::<[u8; 2], _>::decode(&Json, &payload)?;
/// assert_eq!(back, [1, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl<Tx: Serialize + ?Sized, Rx: DeserializeOwned> Codec<Tx, Rx> for Json {
    fn encode(&self, message: &Tx) -> Result<Payload, EncodeError> {
        serde_json::to_string(message)
            .map(Payload::text)
            .map_err(EncodeError::new)
    }

    fn decode(&self, payload: &Payload) -> Result<Rx, DecodeError> {
        serde_json::from_slice(payload.bytes()).map_err(DecodeError::invalid)
    }
}
