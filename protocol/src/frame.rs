//! A batch: the envelope of typed messages, the same in every version.
//!
//! ```text
//! 0   magic "1skt"
//! 4   kind, 5
//! 5   version of the messages, u16
//! 7   zero
//! 8   epoch of the worker, u64
//! 16  sequence number of this batch, u64; 0 when it only acknowledges, marks, and receipts
//! 24  highest sequence number received from the other side, u64; 0 when none
//! 32  count of messages, u32
//! 36  the messages: tag u8, length of the body u32, body
//! ```

use core::iter::FusedIterator;

use bytes::Bytes;

use crate::{Epoch, FrameError, PrefaceError, limits, preface};

mod arrived;

pub use arrived::{Arrived, ArrivedReader};

/// Bytes before the first message.
pub const HEADER_BYTES: usize = 36;

/// Bytes before the body of a message.
pub const MESSAGE_HEADER_BYTES: usize = 5;

/// What a batch says before its messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchHeader {
    /// The number of the [`Version`](crate::Version) that encodes the messages.
    pub version: u16,
    /// Which run of the worker this is for, or from.
    pub epoch: Epoch,
    /// 1, 2, 3, … for batches with messages; 0 for one that is not acknowledged: it has no message but
    /// [`ToTab::Mark`](crate::ToTab::Mark) and [`ToTab::Sent`](crate::ToTab::Sent), and none at all to the worker.
    pub seq: u64,
    /// The highest sequence number received from the other side so far.
    pub ack: u64,
    /// How many messages follow.
    pub count: u32,
}

impl BatchHeader {
    /// Writes the header over the first [`HEADER_BYTES`] of `frame`, which must be there.
    pub(crate) fn write_to(self, frame: &mut [u8]) {
        frame[..4].copy_from_slice(&preface::MAGIC);
        frame[4] = preface::kind::BATCH;
        frame[5..7].copy_from_slice(&self.version.to_le_bytes());
        frame[7] = 0;
        frame[8..16].copy_from_slice(&self.epoch.0.to_le_bytes());
        frame[16..24].copy_from_slice(&self.seq.to_le_bytes());
        frame[24..32].copy_from_slice(&self.ack.to_le_bytes());
        frame[32..36].copy_from_slice(&self.count.to_le_bytes());
    }

    fn read(frame: &[u8]) -> Result<Self, FrameError> {
        let rest = frame
            .strip_prefix(&preface::MAGIC)
            .ok_or(PrefaceError::NotOurs)?;
        match rest.first() {
            Some(&preface::kind::BATCH) => {}
            Some(&kind) => return Err(PrefaceError::UnknownKind { kind }.into()),
            None => return Err(PrefaceError::NotOurs.into()),
        }
        let truncated = PrefaceError::Truncated {
            kind: preface::kind::BATCH,
            len: frame.len(),
        };
        let header = frame.first_chunk::<HEADER_BYTES>().ok_or(truncated)?;
        let u64_at = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&header[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        Ok(Self {
            version: u16::from_le_bytes([header[5], header[6]]),
            epoch: Epoch(u64_at(8)),
            seq: u64_at(16),
            ack: u64_at(24),
            count: u32::from_le_bytes([header[32], header[33], header[34], header[35]]),
        })
    }
}

/// One message of a batch, not yet decoded. Its body shares the bytes of the batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawMessage {
    /// Which message it is.
    pub tag: u8,
    /// Its body.
    pub body: Bytes,
}

/// Reads a batch message by message, without copying.
///
/// An error ends it: behind a length that can't be trusted nothing can be read.
#[derive(Debug)]
pub struct BatchReader {
    header: BatchHeader,
    frame: Bytes,
    /// Where the next message begins.
    at: usize,
    index: u32,
    failed: bool,
}

impl BatchReader {
    /// Reads the header of a batch.
    ///
    /// # Errors
    ///
    /// When it is no batch, or over one of the caps.
    pub fn new(frame: &Bytes) -> Result<Self, FrameError> {
        if frame.len() > limits::MAX_FRAME_BYTES {
            return Err(FrameError::TooLong { len: frame.len() });
        }
        let header = BatchHeader::read(frame)?;
        if header.count > limits::MAX_BATCH_MESSAGES {
            return Err(FrameError::TooMany {
                count: header.count,
            });
        }
        Ok(Self {
            header,
            frame: frame.clone(),
            at: HEADER_BYTES,
            index: 0,
            failed: false,
        })
    }

    /// Returns what the batch says before its messages.
    #[must_use]
    pub fn header(&self) -> BatchHeader {
        self.header
    }

    fn read_message(&mut self) -> Result<RawMessage, FrameError> {
        let message = self.split_message().ok_or_else(|| self.truncated())?;
        self.index += 1;
        Ok(message)
    }

    fn truncated(&self) -> FrameError {
        FrameError::Truncated {
            index: self.index,
            count: self.header.count,
        }
    }

    fn split_message(&mut self) -> Option<RawMessage> {
        let (tag, len) = self.message_header()?;
        let start = self.at + MESSAGE_HEADER_BYTES;
        if self.frame.len() - start < len {
            return None;
        }
        self.at = start + len;
        let body = self.frame.slice(start..self.at);
        Some(RawMessage { tag, body })
    }

    /// Returns the tag of the next message, and how long its body is said to be.
    fn message_header(&self) -> Option<(u8, usize)> {
        let rest = self.frame.get(self.at..)?;
        let &[tag, ref len @ ..] = rest.first_chunk::<MESSAGE_HEADER_BYTES>()?;
        Some((tag, u32::from_le_bytes(*len) as usize))
    }
}

impl Iterator for BatchReader {
    type Item = Result<RawMessage, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = if self.index < self.header.count {
            self.read_message()
        } else if self.at == self.frame.len() {
            return None;
        } else {
            Err(FrameError::Trailing {
                extra: self.frame.len() - self.at,
            })
        };
        self.failed = item.is_err();
        Some(item)
    }
}

impl FusedIterator for BatchReader {}
