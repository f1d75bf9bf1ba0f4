//! A frame whose parcels are beside it: how a tab reads it without copying what nobody has asked for.

use std::vec;

use bytes::Bytes;

use super::{BatchHeader, BatchReader, HEADER_BYTES, MESSAGE_HEADER_BYTES, RawMessage};
use crate::{
    ChannelId, FrameError, Parcel, Preface, ToTab, Version, limits,
    parcel::{self, Enclosed},
};

/// A frame as it has arrived. The parcels of a batch need not be read before a message is asked for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Arrived {
    /// Of a batch perhaps without its parcels.
    frame: Bytes,
    /// What belongs into it, almost always nothing, and nothing into its header.
    enclosed: Vec<Enclosed>,
}

impl Arrived {
    /// Makes one of a frame and what belongs into it. `None` when [`assemble`](parcel::assemble) must put it together, and can't: a batch is left as it is.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use onesocket_protocol::{Parcel, frame::Arrived, parcel::Enclosed};
    ///
    /// let parcel = Parcel::new(Bytes::from_static(b"--"), 2);
    /// let arrived = |at| Arrived::new(Bytes::from_static(b"frame"), vec![Enclosed { at, parcel: parcel.clone() }]);
    /// assert_eq!(arrived(2), Some(Bytes::from_static(b"fr--ame").into()));
    /// assert_eq!(arrived(6), None);
    /// ```
    #[must_use]
    pub fn new(frame: Bytes, enclosed: Vec<Enclosed>) -> Option<Self> {
        let may_wait = |first: &Enclosed| {
            first.at >= HEADER_BYTES && Preface::decode(&frame) == Ok(Preface::Batch)
        };
        if enclosed.first().is_none_or(may_wait) {
            return Some(Self { frame, enclosed });
        }
        Some(Bytes::from(parcel::assemble(&frame, &enclosed)?).into())
    }

    /// Returns the frame, of a batch perhaps without its parcels.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }
}

impl From<Bytes> for Arrived {
    fn from(frame: Bytes) -> Self {
        let enclosed = Vec::new();
        Self { frame, enclosed }
    }
}

/// Reads a batch with parcels message by message: the same messages as a [`BatchReader`] reads of the frame that is put together.
///
/// A parcel is read for the message that it belongs into, unless [`next_parcel`](Self::next_parcel) takes it as it is.
#[derive(Debug)]
pub struct ArrivedReader {
    reader: BatchReader,
    /// What belongs into the messages that were not read.
    enclosed: vec::IntoIter<Enclosed>,
}

impl ArrivedReader {
    /// Reads the header of a batch.
    ///
    /// # Errors
    ///
    /// When it is no batch, or over one of the caps.
    pub fn new(arrived: Arrived) -> Result<Self, FrameError> {
        let Arrived { frame, enclosed } = arrived;
        let parcels = enclosed.iter().map(|enclosed| enclosed.parcel.len());
        let len = parcels.fold(frame.len(), usize::saturating_add);
        if len > limits::MAX_FRAME_BYTES {
            return Err(FrameError::TooLong { len });
        }
        Ok(Self {
            reader: BatchReader::new(&frame)?,
            enclosed: enclosed.into_iter(),
        })
    }

    /// Returns what the batch says before its messages.
    #[must_use]
    pub fn header(&self) -> BatchHeader {
        self.reader.header
    }

    /// Takes the next message, if it is a binary one of the server's whose payload is a parcel, and says for which channel it is. `None` for any other, which
    /// stays.
    pub fn next_parcel(&mut self, version: Version) -> Option<(ChannelId, Parcel)> {
        let reader = &mut self.reader;
        let Enclosed { at, parcel } = self.enclosed.as_slice().first()?;
        if reader.failed || reader.index >= reader.header.count {
            return None;
        }
        let (tag, len) = reader.message_header()?;
        let front = reader.frame.get(reader.at + MESSAGE_HEADER_BYTES..*at)?;
        if front.len() + parcel.len() != len || parcel.len() > limits::MAX_PAYLOAD_BYTES {
            return None;
        }
        let body = reader.frame.slice_ref(front);
        let channel = ToTab::decode_front(version, &RawMessage { tag, body })?;
        let Enclosed { at, parcel } = self.enclosed.next()?;
        reader.at = at;
        reader.index += 1;
        Some((channel, parcel))
    }

    /// Whether the next parcel belongs into the next message, or into none.
    fn is_parcel_due(&self) -> bool {
        let reader = &self.reader;
        let Some(next) = self.enclosed.as_slice().first() else {
            return false;
        };
        let header = reader.message_header();
        let end = header.and_then(|(_, len)| (reader.at + MESSAGE_HEADER_BYTES).checked_add(len));
        end.is_none_or(|end| next.at < end)
    }

    /// From the next message on the frame becomes what it is without parcels.
    fn put_together(&mut self) -> Option<()> {
        let reader = &mut self.reader;
        let mut enclosed: Vec<_> = self.enclosed.by_ref().collect();
        for Enclosed { at, .. } in &mut enclosed {
            *at = at.checked_sub(reader.at)?;
        }
        let rest = parcel::assemble(reader.frame.get(reader.at..)?, &enclosed)?;
        reader.frame = rest.into();
        reader.at = 0;
        Some(())
    }
}

impl Iterator for ArrivedReader {
    type Item = Result<RawMessage, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_parcel_due() && self.put_together().is_none() {
            self.reader.failed = true;
            return Some(Err(self.reader.truncated()));
        }
        self.reader.next()
    }
}
