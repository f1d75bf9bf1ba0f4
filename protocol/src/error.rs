//! What can be wrong with bytes from the other side.

use crate::{Epoch, VersionRange};

/// A preface that can't be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrefaceError {
    /// The buffer does not start with onesocket's magic bytes: some other script posts on this port.
    #[error("not a onesocket frame")]
    NotOurs,
    /// The buffer ends before its layout does.
    #[error("preface of kind {kind} ends after {len} bytes")]
    Truncated {
        /// The kind byte.
        kind: u8,
        /// How many bytes there are.
        len: usize,
    },
    /// The kind byte is not one that this build knows.
    #[error("unknown frame kind {kind}")]
    UnknownKind {
        /// The kind byte.
        kind: u8,
    },
    /// A field of the preface holds a value that is not allowed.
    #[error("invalid {field} in the preface")]
    Invalid {
        /// The field.
        field: &'static str,
    },
    /// The other side speaks no version that this build speaks.
    #[error("no common protocol version: this build speaks {ours}, the other side {theirs}")]
    NoCommonVersion {
        /// What this build speaks.
        ours: VersionRange,
        /// What the other side speaks.
        theirs: VersionRange,
    },
}

/// A batch whose envelope can't be read, or that does not belong here. What was not read of it yet is lost.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It is no batch.
    #[error(transparent)]
    Preface(#[from] PrefaceError),
    /// It is longer than [`limits::MAX_FRAME_BYTES`](crate::limits::MAX_FRAME_BYTES).
    #[error("frame of {len} bytes is over the cap")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// It ends inside a message.
    #[error("frame ends inside message {index} of {count}")]
    Truncated {
        /// The message, counted from 0.
        index: u32,
        /// How many messages the header announces.
        count: u32,
    },
    /// It goes on after its last message.
    #[error("{extra} bytes after the last message of the frame")]
    Trailing {
        /// How many bytes are left over.
        extra: usize,
    },
    /// It is of another run of the worker. A worker answers with [`Preface::Stale`](crate::Preface::Stale), a tab says hello
    /// again.
    #[error("frame of epoch {theirs}, this side is in epoch {ours}")]
    WrongEpoch {
        /// This side's.
        ours: Epoch,
        /// The frame's.
        theirs: Epoch,
    },
    /// Its messages are of another version than the one that was agreed on.
    #[error("frame of version {theirs}, version {ours} was agreed on")]
    WrongVersion {
        /// What was agreed on.
        ours: u16,
        /// The frame's.
        theirs: u16,
    },
    /// It is not the one that comes next. A port neither loses nor repeats, so the other side is broken: start anew with it.
    #[error("frame number {seq} where number {expected} comes next")]
    OutOfSequence {
        /// The number that comes next.
        expected: u64,
        /// The frame's.
        seq: u64,
    },
    /// It announces more messages than [`limits::MAX_BATCH_MESSAGES`](crate::limits::MAX_BATCH_MESSAGES).
    #[error("{count} messages in one frame are over the cap")]
    TooMany {
        /// How many messages the header announces.
        count: u32,
    },
}

/// One message of a batch that can't be read. The other messages of the batch are not touched by it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Its tag is not in this build's register: the other side is newer.
    #[error("unknown message tag {tag}")]
    UnknownTag {
        /// The tag.
        tag: u8,
    },
    /// Its tag is known and its body is not what that tag stands for.
    #[error("malformed body of message tag {tag}")]
    Malformed {
        /// The tag.
        tag: u8,
    },
    /// A field is over its cap.
    #[error(transparent)]
    OverCap(#[from] OverCap),
}

/// A field of a message that is over its cap in [`limits`](crate::limits). The other side would not take the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field} of message tag {tag} is over its cap")]
pub struct OverCap {
    /// The message's tag.
    pub tag: u8,
    /// The field.
    pub field: &'static str,
}
