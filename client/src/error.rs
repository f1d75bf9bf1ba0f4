//! What can go wrong, by the call that it goes wrong in.

use std::time::Duration;

use onesocket_engine::{SendRejected, SessionFailure};
use onesocket_manager::ConfigError;
use onesocket_protocol::{Millis, OverCap, SendFailure, SendId, StopReason, WorkerError};

use crate::codec::{DecodeError, EncodeError};

/// A client that can't be built. Nothing was started.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The URL can't be parsed, also not relative to the page. Correct it.
    #[error("not a url: {url}")]
    InvalidUrl {
        /// The URL, without its secrets.
        url: String,
    },
    /// The URL's scheme is none of `ws`, `wss`, `http` and `https`. Correct it.
    #[error("not a websocket url, its scheme is {scheme}")]
    UnsupportedScheme {
        /// The scheme.
        scheme: String,
    },
    /// A `ws:` URL from an `https:` page, the page's own host included; only loopback (`localhost`, `*.localhost`, `127.*`, `[::1]`) is let through. Browsers refuse
    /// it ([mixed content](https://developer.mozilla.org/en-US/docs/Web/Security/Mixed_content)). Use `wss:`.
    #[error("an https page may not open {url}")]
    InsecureUrl {
        /// The URL, without its secrets.
        url: String,
    },
    /// A subprotocol is no token, comes twice, or there are too many
    /// ([RFC 6455, section 4.1](https://www.rfc-editor.org/rfc/rfc6455#section-4.1)). Correct it.
    #[error("invalid subprotocol")]
    InvalidSubprotocol,
    /// The URL, a subprotocol or the account is over 8 KiB, or something else is over its cap in
    /// [`limits`](onesocket_protocol::limits). Make it shorter.
    #[error("the configuration is over a cap")]
    OverCap(#[source] OverCap),
    /// A time is so short that pings or dials would follow each other at once. Make it longer; all are whole milliseconds.
    #[error("the {what} of {} ms is under the least of {} ms", given.0, least.0)]
    TooShort {
        /// Which one, such as `heartbeat's interval`.
        what: &'static str,
        /// How long it is.
        given: Millis,
        /// How long it must be.
        least: Millis,
    },
    /// The worker's configuration is wrong.
    #[error("the worker's configuration is wrong")]
    Worker(#[source] ConfigError),
}

/// A socket that was not closed, because no browser would let a script do it like this
/// ([WHATWG WebSockets](https://websockets.spec.whatwg.org/#dom-websocket-close)).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The code is neither 1000 nor in 3000 to 4999. Use one that is.
    #[error("a script may not close with the code {code}")]
    Code {
        /// The code.
        code: u16,
    },
    /// There is a reason and no code, and a close frame has none without the other. Say a code.
    #[error("a reason needs a code")]
    ReasonWithoutCode,
    /// The reason does not fit into a close frame. Make it shorter.
    #[error("the reason of {bytes} bytes is over the cap of {cap} bytes")]
    ReasonTooLong {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        cap: usize,
    },
}

/// A greeting that was not registered.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GreetError {
    /// The codec could not encode it, or its farewell.
    #[error("the greeting was not registered")]
    Encode(#[source] EncodeError),
    /// It, or its farewell, is over 1 MiB.
    #[error("the greeting of {bytes} bytes is over the cap of {cap} bytes")]
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        cap: usize,
    },
    /// The client holds 1,024 greetings already. Drop one first.
    #[error("the client has {cap} greetings already")]
    TooMany {
        /// How many it may have.
        cap: usize,
    },
}

/// A send that did not end as sent.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The codec could not encode it. It was not sent.
    #[error("the message was not sent")]
    Encode(#[source] EncodeError),
    /// It was not taken. It was not sent.
    #[error("the message was not sent")]
    Rejected(#[source] SendRejected),
    /// It was taken and never reached a socket. It was not sent and will not be.
    #[error("the message was not sent")]
    NotSent(#[source] SendFailure),
    /// It was to be sent until the server acknowledges it, and the codec has no name for it: see
    /// [`Codec::ack_id`](crate::Codec::ack_id). It was not sent.
    #[error("the codec does not say how the message is acknowledged")]
    NoAckId,
    /// It may have been sent, and will not be sent again: the worker was lost while it handed it to the socket; it was posted, and the page went into
    /// the back-forward cache before its receipt came, or its worker hung and could not be fenced off, or did not answer a change of tier within 2 s; or
    /// the server has not acknowledged it in time, or before the connection has stopped.
    #[error("message {id} may have been sent")]
    MaybeSent {
        /// Its number.
        id: SendId,
    },
    /// The client was dropped while it waited. It may have been sent if a socket was open.
    #[error("the client was dropped")]
    Dropped,
}

/// A client that sends nothing more, so that nobody should wait to send; see [`Client::ready`](crate::Client::ready).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadyError {
    /// The connection has stopped. [`Client::reconnect`](crate::Client::reconnect) starts it anew, or a tab that joins; not for a client that was logged
    /// out.
    #[error("the connection has stopped")]
    Stopped(#[source] StopReason),
    /// There is no worker, and none will come by itself. [`Client::reconnect`](crate::Client::reconnect) tries the tiers again.
    #[error("there is no worker")]
    NoWorker(#[source] SessionFailure),
    /// The client is closed.
    #[error("the client is closed")]
    Closed,
}

/// A request that got no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request was not sent, or may not have been.
    #[error("the request failed")]
    Send(#[source] SendError),
    /// No answer came in time. The request may have been carried out, and one that still waits for a socket is sent when there is one.
    #[error("no answer within {} ms", Millis::from(*after).0)]
    Timeout {
        /// How long was waited.
        after: Duration,
    },
    /// The builder was not told how to tell an answer from a message, see
    /// [`replies`](crate::ClientBuilder::replies). It was not sent.
    #[error("the client does not know what an answer looks like")]
    NoReplies,
    /// The client was dropped while it waited.
    #[error("the client was dropped")]
    Dropped,
}

/// Something that went wrong. Only [`NoWorker`](Self::NoWorker) and [`WorkerError::TooManyChannels`] end anything; see
/// [`Event::Error`](crate::Event::Error).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A message of the server can't be decoded. It was not delivered.
    #[error("a message of {bytes} bytes can't be decoded")]
    Undecodable {
        /// Its length.
        bytes: usize,
        /// What the codec says.
        source: DecodeError,
    },
    /// The worker complains.
    #[error("the worker complains")]
    Worker(#[source] WorkerError),
    /// What the app has supplied can't be a credential. Correct it; the next tab is asked meanwhile.
    #[error("the credential can't be dialled with")]
    InvalidCredential(#[source] BuildError),
    /// There is no worker and none will come. This one does end it: no tier is tried again before [`Client::reconnect`](crate::Client::reconnect) is called,
    /// the browser is online again, the page comes back from the back/forward cache, or another client is built.
    #[error("there is no worker")]
    NoWorker(#[source] SessionFailure),
}
