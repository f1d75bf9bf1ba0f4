//! How an app's messages become WebSocket messages, and back.

use std::{error::Error, sync::Arc};

use onesocket_protocol::{Payload, PayloadKind};

mod acks;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "postcard")]
mod postcard;
mod raw;
#[cfg(all(feature = "json", feature = "postcard"))]
mod transcoded;

pub use acks::{Acks, acks};
#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "postcard")]
pub use postcard::Postcard;
pub use raw::{Bytes, Raw, Text};
#[cfg(all(feature = "json", feature = "postcard"))]
pub use transcoded::Transcoded;

/// Turns messages of type `Tx` into payloads, and payloads into messages of type `Rx`.
///
/// Runs in the page, on its main thread. It must not panic: a panic ends the page's wasm.
///
/// ```
/// use onesocket::{Payload, codec::{Codec, DecodeError, EncodeError}};
///
/// /// Numbers as decimal text.
/// struct Decimal;
///
/// impl Codec<u32, u32> for Decimal {
///     fn encode(&self, message: &u32) -> Result<Payload, EncodeError> {
///         Ok(Payload::text(message.to_string()))
///     }
///
///     fn decode(&self, payload: &Payload) -> Result<u32, DecodeError> {
///         let text = payload.as_text().ok_or_else(|| DecodeError::wrong_kind(payload))?;
///         text.parse().map_err(DecodeError::invalid)
///     }
/// }
///
/// assert_eq!(Decimal.decode(&Payload::text("7")).ok(), Some(7));
/// assert_eq!(
///     Decimal.decode(&Payload::binary(vec![7])).map_err(|e| e.to_string()),
///     Err("a binary message where the codec expects text".to_owned()),
/// );
/// ```
pub trait Codec<Tx: ?Sized, Rx> {
    /// Makes the payload of a message.
    ///
    /// # Errors
    ///
    /// When the message has no form in this codec.
    fn encode(&self, message: &Tx) -> Result<Payload, EncodeError>;

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// When the payload is none. The client delivers an [`Event::Error`](crate::Event::Error), and the connection lives on.
    fn decode(&self, payload: &Payload) -> Result<Rx, DecodeError>;

    /// Returns the name by which the server will acknowledge a message, for
    /// [`Delivery::UntilAcknowledged`](crate::Delivery::UntilAcknowledged). It is part of the message, and should be random:
    /// tabs that share a socket see each other's acknowledgements. The default knows none.
    ///
    /// [`acks`] adds this and [`acknowledges`](Self::acknowledges) to a codec that has neither.
    fn ack_id(&self, message: &Tx) -> Option<u64> {
        let _ = message;
        None
    }

    /// Returns the name of the message that this one of the server acknowledges. Such a message is not delivered to the app, in
    /// no tab, but to the [request](crate::Client::request) that it answers. The default knows none.
    fn acknowledges(&self, message: &Rx) -> Option<u64> {
        let _ = message;
        None
    }
}

/// A codec that is chosen at run time:
///
/// ```
/// use onesocket::{Client, Codec, codec::{Json, Postcard}};
///
/// let codec = |is_debug| -> Box<dyn Codec<u32, u32>> {
///     if is_debug { Box::new(Json) } else { Box::new(Postcard) }
/// };
/// assert_eq!(codec(true).encode(&7).ok(), Some("7".into()));
/// let client: Client<u32, u32> = Client::builder("wss://example.org/", codec(false)).build()?;
/// # Ok::<(), onesocket::BuildError>(())
/// ```
impl<Tx: ?Sized, Rx, C: Codec<Tx, Rx> + ?Sized> Codec<Tx, Rx> for Box<C> {
    fn encode(&self, message: &Tx) -> Result<Payload, EncodeError> {
        (**self).encode(message)
    }

    fn decode(&self, payload: &Payload) -> Result<Rx, DecodeError> {
        (**self).decode(payload)
    }

    fn ack_id(&self, message: &Tx) -> Option<u64> {
        (**self).ack_id(message)
    }

    fn acknowledges(&self, message: &Rx) -> Option<u64> {
        (**self).acknowledges(message)
    }
}

/// A message that has no form in the codec.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the message can't be encoded")]
pub struct EncodeError(#[source] Arc<dyn Error + Send + Sync>);

impl EncodeError {
    /// Makes one of the codec's own error.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into().into())
    }
}

/// A payload that is no message of the codec.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Text where the codec expects binary, or the other way round.
    #[error("a {} message where the codec expects {}", name(*got), name(other(*got)))]
    WrongKind {
        /// What it is.
        got: PayloadKind,
    },
    /// The content can't be read.
    #[error("the message can't be decoded")]
    Invalid(#[source] Arc<dyn Error + Send + Sync>),
}

impl DecodeError {
    /// Makes the error for a payload of the other kind.
    #[must_use]
    pub fn wrong_kind(payload: &Payload) -> Self {
        Self::WrongKind {
            got: payload.kind(),
        }
    }

    /// Makes one of the codec's own error.
    pub fn invalid(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Invalid(source.into().into())
    }
}

fn name(kind: PayloadKind) -> &'static str {
    match kind {
        PayloadKind::Text => "text",
        PayloadKind::Binary => "binary",
    }
}

fn other(kind: PayloadKind) -> PayloadKind {
    match kind {
        PayloadKind::Text => PayloadKind::Binary,
        PayloadKind::Binary => PayloadKind::Text,
    }
}
