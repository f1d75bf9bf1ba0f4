//! What a worker tells a tab that went wrong.

use serde::Deserialize;

use crate::StopReason;

/// Why a send never reached a socket.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum SendFailure {
    /// The queue holds as much as it may.
    #[error("the queue is full: {messages} messages, {bytes} bytes")]
    QueueFull {
        /// What it holds.
        messages: u32,
        /// Their bytes.
        bytes: u32,
    },
    /// It waited for an open socket as long as it may.
    #[error("no socket was open within the queue's timeout")]
    Expired,
    /// The channel was closed while it waited.
    #[error("the client was disconnected before it could be sent")]
    Disconnected,
    /// The loop has ended.
    #[error("the connection has stopped")]
    Stopped(#[source] StopReason),
    /// The worker knows no such channel.
    #[error("the worker does not know the channel")]
    UnknownChannel,
    /// The number is not above the one before: the worker does not send twice.
    #[error("the send's number is not above the one before")]
    OutOfOrder,
    /// No worker could be had in any tier, so there is nobody to send it.
    #[error("no worker could be had")]
    NoWorker,
}

/// What a worker has to complain about.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// A message of the tab has an unknown tag: the tab is newer than the worker.
    #[error("the worker does not know message tag {tag}")]
    UnknownMessage {
        /// The tag.
        tag: u8,
    },
    /// A message of the tab can't be read, or is over a cap.
    #[error("the worker can't read a message of tag {tag}")]
    InvalidMessage {
        /// The tag.
        tag: u8,
    },
    /// A frame of the tab can't be read; messages may be missing.
    #[error("the worker can't read a frame of the tab")]
    InvalidFrame,
    /// The channel is not open.
    #[error("the worker does not know the channel")]
    UnknownChannel,
    /// The channel is open already.
    #[error("the channel is open already")]
    ChannelInUse,
    /// The tab has [`limits::MAX_CHANNELS_PER_TAB`](crate::limits::MAX_CHANNELS_PER_TAB) channels.
    #[error("the tab has too many channels")]
    TooManyChannels,
    /// The channel has [`limits::MAX_GREETINGS`](crate::limits::MAX_GREETINGS) greetings.
    #[error("the channel has too many greetings")]
    TooManyGreetings,
    /// The connection was opened by another tab, with another policy. That one counts.
    #[error("the connection is open with another policy, which counts")]
    PolicyDiffers,
    /// A message of the server was over the policy's cap and was not delivered.
    #[error("a message of {bytes} bytes from the server is over the cap of {cap} bytes")]
    ReceivedTooLarge {
        /// Its length. Of a text of more than 64 Mi UTF-16 code units it is their number: such a text is not read.
        bytes: u32,
        /// The cap.
        cap: u32,
    },
    /// The tab has answered with a credential that the server has refused before. It was not dialled with.
    #[error("the server has refused this credential before")]
    CredentialRefused,
}
