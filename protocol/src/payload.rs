//! What an app sends and receives: the content of one WebSocket message.

use core::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The content of one WebSocket message, text or binary. Cloning shares the bytes.
///
/// ```
/// use onesocket_protocol::Payload;
///
/// let text = Payload::text("hi");
/// assert_eq!(text.as_text(), Some("hi"));
/// assert_eq!(Payload::binary(vec![1, 2]).as_text(), None);
/// assert_eq!(text.len(), 2);
/// assert_eq!(Payload::from("hi"), text);
/// assert_eq!(Payload::from(vec![1, 2]), Payload::binary(vec![1, 2]));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Payload {
    kind: PayloadKind,
    bytes: Bytes,
}

impl Payload {
    /// Makes a text payload.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            kind: PayloadKind::Text,
            bytes: Bytes::from(text.into()),
        }
    }

    /// Makes a binary payload.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self {
            kind: PayloadKind::Binary,
            bytes: bytes.into(),
        }
    }

    /// Makes a payload of a kind; `None` when `kind` is text and `bytes` is not UTF-8.
    #[must_use]
    pub fn from_parts(kind: PayloadKind, bytes: Bytes) -> Option<Self> {
        if kind == PayloadKind::Text && core::str::from_utf8(&bytes).is_err() {
            return None;
        }
        Some(Self { kind, bytes })
    }

    /// Returns the same in memory of its own: what is kept for long must not keep the frame or the pack that it came in.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            kind: self.kind,
            bytes: Bytes::copy_from_slice(&self.bytes),
        }
    }

    /// Returns whether it is text or binary.
    #[must_use]
    pub fn kind(&self) -> PayloadKind {
        self.kind
    }

    /// Returns its bytes; of a text, the UTF-8.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Takes its bytes; of a text, the UTF-8.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Returns the text, or `None` when it is binary.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.kind {
            PayloadKind::Text => core::str::from_utf8(&self.bytes).ok(),
            PayloadKind::Binary => None,
        }
    }

    /// Returns the number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Text as a text payload.
impl From<String> for Payload {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// Text as a text payload.
impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// Bytes as a binary payload.
impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::binary(bytes)
    }
}

/// Bytes as a binary payload.
impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::binary(bytes)
    }
}

/// Shows the kind and the length only: payloads carry secrets, and a `Debug` ends up in logs.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({} B)", self.kind, self.bytes.len())
    }
}

/// Makes a text payload of what the browser has encoded as UTF-8, without a look at it: for workers.
///
/// It is no function of [`Payload`], which apps have. What is no UTF-8 is a frame that nobody can read: a tab that sends it again and again would never be
/// through.
#[doc(hidden)]
#[must_use]
pub fn text_of_utf8(bytes: Vec<u8>) -> Payload {
    Payload {
        kind: PayloadKind::Text,
        bytes: bytes.into(),
    }
}

/// Whether a payload is text or binary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum PayloadKind {
    /// UTF-8 text.
    Text,
    /// Bytes.
    Binary,
}
