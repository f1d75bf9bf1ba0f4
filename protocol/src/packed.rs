//! Many small messages of the server as one.

use core::{fmt, ops::Range};

use bytes::Bytes;

use crate::Payload;

/// Binary messages of the server in one piece, each behind its length as a u32, little-endian. Cloning shares the bytes.
///
/// What a stream brings is passed on so: whoever passes it on has no work with each message, and whoever reads it little.
///
/// ```
/// use onesocket_protocol::{Packed, Payload};
///
/// let packed = Packed::new(&b"\x02\0\0\0hi\0\0\0\0"[..]).expect("two lengths, and as much behind them");
/// assert_eq!(packed.count(), 2);
/// let payloads: Vec<_> = packed.payloads().collect();
/// assert_eq!(payloads, [Payload::binary(&b"hi"[..]), Payload::binary(&b""[..])]);
///
/// assert!(Packed::new(&b"\x03\0\0\0hi"[..]).is_none(), "less than its length says");
/// assert!(Packed::new(&b"\x02\0"[..]).is_none(), "half a length");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Packed {
    bytes: Bytes,
    count: u32,
    longest: u32,
}

impl Packed {
    /// Takes what is packed already. `None` when it does not end where its last message ends.
    pub fn new(bytes: impl Into<Bytes>) -> Option<Self> {
        let bytes = bytes.into();
        let (mut rest, mut count, mut longest) = (&bytes[..], 0, 0);
        while !rest.is_empty() {
            let (len, behind) = rest.split_first_chunk()?;
            let len = u32::from_le_bytes(*len);
            rest = behind.get(len as usize..)?;
            count += 1;
            longest = len.max(longest);
        }
        Some(Self {
            bytes,
            count,
            longest,
        })
    }

    /// Returns how many messages there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Returns the length of the longest. No message is longer, and of what was [split](Self::split_to) perhaps none is as long.
    #[must_use]
    pub fn longest(&self) -> u32 {
        self.longest
    }

    /// Returns the bytes as they are packed.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the same in memory of its own: what is kept for long must not keep the frame that it came in.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            bytes: Bytes::copy_from_slice(&self.bytes),
            ..*self
        }
    }

    /// Takes the first messages away, at most so many, and returns them; they share the bytes.
    ///
    /// ```
    /// # use onesocket_protocol::{Packed, Payload};
    /// let mut packed = Packed::new(&b"\x02\0\0\0hi\0\0\0\0"[..]).expect("two messages");
    /// let first = packed.split_to(1);
    /// assert_eq!((first.count(), packed.count()), (1, 1));
    /// assert!(first.payloads().eq([Payload::binary(&b"hi"[..])]));
    /// assert!(packed.payloads().eq([Payload::binary(&b""[..])]));
    /// ```
    pub fn split_to(&mut self, messages: u32) -> Self {
        let (mut at, mut count) = (0, 0);
        while count < messages
            && let Some(range) = message_at(&self.bytes, at)
        {
            at = range.end;
            count += 1;
        }
        self.count -= count;
        Self {
            bytes: self.bytes.split_to(at),
            count,
            longest: self.longest,
        }
    }

    /// Returns the messages, in order; they share the bytes.
    #[must_use]
    pub fn payloads(&self) -> Payloads {
        Payloads {
            bytes: self.bytes.clone(),
            at: 0,
        }
    }
}

/// The messages of a [`Packed`] that have not been taken, in order. They share its bytes.
#[derive(Clone, Debug)]
pub struct Payloads {
    bytes: Bytes,
    at: usize,
}

impl Iterator for Payloads {
    type Item = Payload;

    fn next(&mut self) -> Option<Payload> {
        let range = message_at(&self.bytes, self.at)?;
        self.at = range.end;
        Some(Payload::binary(self.bytes.slice(range)))
    }
}

/// Where the message is whose length is at `at`; `None` behind the last one.
fn message_at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let len = bytes.get(at..)?.first_chunk()?;
    let start = at + size_of::<u32>();
    Some(start..start + u32::from_le_bytes(*len) as usize)
}

/// Shows lengths only, as [`Payload`] does.
impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({}, {} B)", self.count, self.bytes.len())
    }
}
