//! What a tab's session is asked for, what it answers, and what it wants done.

use onesocket_protocol::{
    ChannelId, Connect, Encode, Epoch, LinkKey, LinkPolicy, LogEntry, Millis, OverCap, Packed,
    Parcel, Payload, ReconnectCause, Replay, SendFailure, SendId, Status, StopReason, TabId,
    ToWorker, Version, VersionRange, WorkerError,
};

/// What a channel asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelConfig {
    /// Which connection.
    pub key: LinkKey,
    /// How it should behave.
    pub policy: LinkPolicy,
    /// What the channel is given when the connection is open already.
    pub replay: Replay,
}

impl ChannelConfig {
    /// Checks that a worker will take it. One that is over a cap would be refused there, without a word to the channel.
    ///
    /// # Errors
    ///
    /// When something is over its cap.
    pub fn check(&self) -> Result<(), OverCap> {
        let Self {
            key,
            policy,
            replay,
        } = self.clone();
        let channel = ChannelId(0);
        let connect = Connect {
            channel,
            key,
            policy: policy.into(),
            replay,
        };
        ToWorker::Connect(Box::new(connect)).check()
    }
}

/// Why a worker can't be used, or none could be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionFailure {
    /// The worker and this page come from builds that share no protocol version.
    #[error("the page speaks protocol {ours}, its worker {theirs}")]
    VersionMismatch {
        /// What this build speaks.
        ours: VersionRange,
        /// What the worker speaks.
        theirs: VersionRange,
    },
    /// The worker's script ran, and its wasm did not, or has trapped since.
    #[error("the worker has failed: {reason}")]
    WorkerFailed {
        /// The browser's words.
        reason: String,
    },
    /// No tier is left to try. The ladder tells what became of each.
    #[error("no worker could be started in any tier")]
    NoTier,
    /// This is not a browser: on native targets the library is inert.
    #[error("there is no browser")]
    NoBrowser,
}

/// Why a send was not even taken. It certainly reached no socket.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendRejected {
    /// The payload is over the cap.
    #[error("the payload of {bytes} bytes is over the cap of {cap} bytes")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The cap.
        cap: usize,
    },
    /// So much is without a receipt already that the page's memory is at stake.
    #[error("{bytes} bytes wait for their receipts already")]
    Overloaded {
        /// How much waits.
        bytes: usize,
    },
    /// The channel is closed.
    #[error("the client is closed")]
    Closed,
    /// There is no worker, and none will come.
    #[error("nobody can send it")]
    Failed(#[source] SessionFailure),
}

/// Something that a client is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ChannelEvent {
    /// How the connection is doing.
    Status(Status),
    /// The worker asks for the credential of the next dial; answered by [`TabSession::credential`](crate::TabSession::credential).
    NeedCredential {
        /// What the answer repeats.
        request: u32,
        /// Whether the server has refused the last one.
        refused: bool,
    },
    /// The socket is open and the greetings are sent.
    Connected {
        /// The subprotocol that the server chose; empty when none.
        subprotocol: String,
    },
    /// The loop has ended.
    Disconnected {
        /// Why.
        reason: StopReason,
    },
    /// There is no socket, and the loop will dial again.
    Reconnecting {
        /// Which dial in a row after the lost or failed one comes, from 1.
        attempt: u32,
        /// How long until then; `None` while the browser is offline.
        delay: Option<Millis>,
        /// Why there is no socket.
        cause: ReconnectCause,
    },
    /// The server has sent a message.
    Message {
        /// Whether it was received before this channel joined.
        replayed: bool,
        /// The message.
        payload: Payload,
    },
    /// The server has sent these messages, after this channel joined.
    Packed(Packed),
    /// The server has sent this binary message, after this channel joined. It need not be read before somebody wants it.
    Parcel(Parcel),
    /// The page did not read for so long that messages were dropped, here.
    Lagged {
        /// How many.
        missed: u64,
    },
    /// Something is wrong; the connection lives on.
    Error(WorkerError),
    /// All sends up to this one, but those that failed, were handed to an open socket.
    Sent {
        /// The last of them.
        through: SendId,
    },
    /// The server has acknowledged this send, by the app's own protocol.
    Acknowledged {
        /// Which.
        id: SendId,
    },
    /// This send never reached a socket and never will.
    NotSent {
        /// Which.
        id: SendId,
        /// Why.
        failure: SendFailure,
    },
    /// This send may have reached the server or not, and will not be sent again: the worker was lost while it handed it to the
    /// socket, or no acknowledgement came for as long as it was to be kept.
    MaybeSent {
        /// Which.
        id: SendId,
    },
    /// What the open socket holds that has not gone to the network has changed: see
    /// [`TabSession::socket_bytes`](crate::TabSession::socket_bytes).
    Buffered {
        /// How many bytes, of all tabs, in steps of
        /// [`BUFFERED_STEP_BYTES`](onesocket_protocol::limits::BUFFERED_STEP_BYTES).
        bytes: u32,
    },
    /// A newer build of the app is out: another tab runs it, or the worker does.
    UpdateAvailable {
        /// The newest build number that was met, above this tab's own; `None` when only the protocol is known to be newer.
        build: Option<u64>,
    },
    /// There is no worker, and none will come.
    Failed(SessionFailure),
    /// The channel is closed. Nothing follows.
    Closed,
}

/// Something to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum TabOutput<'a> {
    /// Post a buffer on the port of the last attach.
    Post(&'a [u8]),
    /// The worker has answered the hello.
    Welcomed {
        /// Which run of the worker it is.
        epoch: Epoch,
        /// The version that both speak.
        version: Version,
        /// The tab's number there.
        tab: TabId,
    },
    /// This worker can't be used, or no longer. The channels wait for the next attach.
    Refused(SessionFailure),
    /// Behind the port there is another run of the worker than before. Hello is said again already.
    Restarted {
        /// Which run it is now.
        epoch: Epoch,
    },
    /// The worker has let go of every channel: attach the next one.
    HandedOver,
    /// Something for a client.
    Event {
        /// Its channel.
        channel: ChannelId,
        /// What.
        event: ChannelEvent,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's.
        nonce: u32,
    },
    /// An entry of the worker's log.
    Log(LogEntry),
    /// Something is wrong that belongs to no channel.
    Error(WorkerError),
}
