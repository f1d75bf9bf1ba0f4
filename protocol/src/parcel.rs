//! Payloads that stay out of this memory on their way through it.
//!
//! A browser gives a worker each message in a buffer of its own, and takes such a buffer over when it is posted. To bring its bytes into wasm
//! memory and out of it again is three copies, which a large payload is better spared when nobody in here has to look at it. So it
//! goes as a [`Parcel`]: a handle of the host's, and a length, which counts wherever the bytes would. Whoever reads the frame reads the bytes in
//! their place; what comes of it is the same message, byte for byte, as without a parcel ([`assemble`] makes the same frame).
//!
//! The tab keeps it closed, too, until the app reads the message: wasm memory never shrinks, so what waits for a slow reader is better outside of it.

use core::{any::Any, fmt};
use std::rc::Rc;

use bytes::Bytes;

use crate::{Payload, limits};

/// Where the bytes of a parcel are. They never change.
pub trait Contents: Any {
    /// Copies all of them into this memory.
    fn read(&self) -> Bytes;

    /// Gives their memory back, where that can be done before nobody has them any more. They are not read again.
    fn release(&self) {}
}

/// A binary payload of which only the length is known in here. Cloning shares it, and the last drop lets go of it.
///
/// ```
/// use bytes::Bytes;
/// use onesocket_protocol::{Payload, parcel::Parcel};
///
/// let parcel = Parcel::new(Bytes::from_static(b"abc"), 3);
/// assert_eq!(parcel.len(), 3);
/// assert_eq!(parcel.read(), Payload::binary("abc"));
/// assert!(parcel.is_last());
/// ```
#[derive(Clone)]
pub struct Parcel {
    contents: Rc<dyn Contents>,
    len: usize,
}

impl Parcel {
    /// Makes one of something that has `len` bytes.
    pub fn new(contents: impl Contents, len: usize) -> Self {
        Self {
            contents: Rc::new(contents),
            len,
        }
    }

    /// Returns the number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies it into this memory.
    #[must_use]
    pub fn read(&self) -> Payload {
        Payload::binary(self.contents.read())
    }

    /// Copies it into this memory, and gives back its own when nobody else has it.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use onesocket_protocol::{Payload, parcel::Parcel};
    ///
    /// let parcel = Parcel::new(Bytes::from_static(b"abc"), 3);
    /// assert_eq!(parcel.into_payload(), Payload::binary("abc"));
    /// ```
    #[must_use]
    pub fn into_payload(self) -> Payload {
        let payload = self.read();
        if self.is_last() {
            self.contents.release();
        }
        payload
    }

    /// Returns whether nobody else has it, so that its contents may be given away.
    #[must_use]
    pub fn is_last(&self) -> bool {
        Rc::strong_count(&self.contents) == 1
    }

    /// Returns the contents, if they are of this type.
    #[must_use]
    pub fn contents<T: Contents>(&self) -> Option<&T> {
        let contents: &dyn Any = &*self.contents;
        contents.downcast_ref()
    }
}

/// Shows the length only: payloads carry secrets, and a `Debug` ends up in logs.
impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parcel({} B)", self.len)
    }
}

/// The same parcel; what is in it is not compared.
impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.contents, &other.contents)
    }
}

impl Eq for Parcel {}

/// What is in this memory anyway: for simulated hosts.
impl Contents for Bytes {
    fn read(&self) -> Bytes {
        self.clone()
    }
}

/// A parcel on its way with a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enclosed {
    /// How many of the bytes that the frame has without its parcels stand in front of it.
    pub at: usize,
    /// The parcel.
    pub parcel: Parcel,
}

/// Returns the frame with the bytes of its parcels in their places. `None` when a place is behind the frame's end or in front of the place before, or
/// when it would be longer than [`limits::MAX_FRAME_BYTES`].
#[must_use]
pub fn assemble(frame: &[u8], enclosed: &[Enclosed]) -> Option<Vec<u8>> {
    let parcels = enclosed.iter().map(|enclosed| enclosed.parcel.len());
    let len = parcels.fold(frame.len(), usize::saturating_add);
    if len > limits::MAX_FRAME_BYTES {
        return None;
    }
    let mut assembled = Vec::with_capacity(len);
    let mut from = 0;
    for Enclosed { at, parcel } in enclosed {
        assembled.extend_from_slice(frame.get(from..*at)?);
        assembled.extend_from_slice(parcel.read().bytes());
        from = *at;
    }
    assembled.extend_from_slice(frame.get(from..)?);
    Some(assembled)
}
