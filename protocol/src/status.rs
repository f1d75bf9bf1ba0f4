//! How a connection is doing, as every tab may ask at any time.

use core::fmt;

use serde::{Deserialize, Deserializer};

use crate::{Millis, limits};

/// How a connection is doing.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Status {
    /// What the loop is doing.
    pub state: LinkState,
    /// How many tabs share the connection.
    pub tabs: u32,
    /// Messages that wait for an open socket, of all tabs.
    pub queued_messages: u32,
    /// Their bytes.
    pub queued_bytes: u32,
    /// How many sockets have been dialled for this connection.
    pub dials: u32,
    /// The round trip of the last heartbeat.
    pub round_trip: Option<Millis>,
}

impl Status {
    /// How it is doing while no worker has it.
    pub const WITHOUT_WORKER: Self = Self {
        state: LinkState::Connecting { attempt: 0 },
        tabs: 0,
        queued_messages: 0,
        queued_bytes: 0,
        dials: 0,
        round_trip: None,
    };
}

/// What the loop of a connection is doing. As text, one line for a user:
///
/// ```
/// use onesocket_protocol::{LinkState, Millis, ReconnectCause, StopReason};
///
/// let (attempt, delay) = (2, Millis(1_500));
/// let state = LinkState::Reconnecting { attempt, delay, cause: ReconnectCause::Unreachable };
/// assert_eq!(state.to_string(), "the server can't be reached: reconnecting in 1500 ms");
/// let state = LinkState::Stopped(StopReason::LoggedOut);
/// assert_eq!(state.to_string(), "stopped: logged out");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub enum LinkState {
    /// A socket is being opened; or no worker has the connection, and all numbers of the status are 0.
    Connecting {
        /// How many dials in a row have failed before this one; 0 for the first.
        attempt: u32,
    },
    /// The socket is open.
    Connected {
        /// The subprotocol that the server chose; empty when none.
        subprotocol: String,
        /// How long it has been open.
        uptime: Millis,
    },
    /// The loop waits before it dials again.
    Reconnecting {
        /// Which dial in a row after the lost or failed one comes, from 1.
        attempt: u32,
        /// How long until then.
        delay: Millis,
        /// Why there is no socket.
        cause: ReconnectCause,
    },
    /// The browser says that it is offline. The loop dials at once when it is back, and now and then until then, within the backoff's cap, because browsers
    /// may be wrong: that changes nothing here unless a socket opens.
    Offline {
        /// Which dial in a row after the lost or failed one comes, from 1.
        attempt: u32,
    },
    /// The loop has ended. It starts anew when a tab joins, or asks for a new socket.
    Stopped(StopReason),
    /// Nothing is dialled before a tab comes with a credential: the server has refused the last one, or no tab has one. The
    /// tabs are asked again when one joins, or asks for a new socket; when the server has refused none, also at a wake, when the browser is online
    /// again, and at the pace of the backoff.
    NeedsAuth {
        /// Whether the server has refused the last one.
        refused: bool,
    },
}

impl LinkState {
    /// Returns whether a socket is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. })
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { .. } => f.write_str("connecting"),
            Self::Connected { .. } => f.write_str("connected"),
            Self::Reconnecting { delay, cause, .. } => {
                write!(f, "{cause}: reconnecting in {} ms", delay.0)
            }
            Self::Offline { .. } => f.write_str("the browser is offline"),
            Self::Stopped(reason) => write!(f, "stopped: {reason}"),
            Self::NeedsAuth { .. } => f.write_str("a credential is needed"),
        }
    }
}

/// Why a socket was lost or could not be opened, when the loop goes on.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[non_exhaustive]
pub enum ReconnectCause {
    /// The dial failed: no server, a refused handshake, a certificate. Browsers hide which
    /// ([WHATWG WebSockets](https://websockets.spec.whatwg.org/#feedback-from-the-protocol)).
    Unreachable,
    /// The dial took longer than the connect timeout.
    ConnectTimeout,
    /// An open socket was closed.
    Closed(CloseInfo),
    /// The server did not answer a heartbeat in time.
    HeartbeatTimeout,
    /// The server can be reached, and accepts none of the subprotocols: it has opened the socket without one of them, or only when none was offered. A failed
    /// handshake does not say so, and is followed now and then by such a dial, while no socket of the connection was ever open.
    SubprotocolRefused,
    /// The browser said that it is offline.
    Offline,
    /// The app asked for a new socket.
    Requested,
    /// The machine has slept for so long that the socket is not trusted any more.
    Slept,
}

impl fmt::Display for ReconnectCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("the server can't be reached"),
            Self::ConnectTimeout => f.write_str("the server did not answer the handshake in time"),
            Self::Closed(close) => write!(f, "the socket was closed: {close}"),
            Self::HeartbeatTimeout => f.write_str("the server did not answer a heartbeat in time"),
            Self::SubprotocolRefused => f.write_str("the server accepts none of the subprotocols"),
            Self::Offline => f.write_str("the browser is offline"),
            Self::Requested => f.write_str("a new socket was asked for"),
            Self::Slept => f.write_str("the machine has slept"),
        }
    }
}

/// Why the loop of a connection has ended.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum StopReason {
    /// The server closed with one of the fatal codes.
    #[error("the server closed the connection for good: {0}")]
    FatalClose(CloseInfo),
    /// The give-up policy said so.
    #[error("gave up after {attempts} attempts: {cause}")]
    GaveUp {
        /// How many dials there were.
        attempts: u32,
        /// Why the last one failed.
        cause: ReconnectCause,
    },
    /// The browser does not take the URL.
    #[error("the browser refuses the url as invalid")]
    InvalidUrl,
    /// The browser refuses it for security: an insecure `ws:` URL from a secure page, or, where the worker's script is served with a Content Security Policy of its
    /// own, one whose `connect-src` lacks the URL's origin.
    #[error("the browser refuses the url as insecure, or by the policy of the worker's script")]
    InsecureUrl,
    /// The browser does not take the subprotocols: one is no token, or comes twice.
    #[error("the browser refuses the subprotocols as invalid")]
    InvalidSubprotocol,
    /// No worker could be had in any tier.
    #[error("no worker could be started in any tier")]
    NoWorker,
    /// The last tab has left.
    #[error("the last tab has left")]
    Unused,
    /// A tab has logged out.
    #[error("logged out")]
    LoggedOut,
    /// A tab has closed it, see [`ToWorker::Close`](crate::ToWorker::Close). This is what became of its socket: a server that answers
    /// repeats the code. 1006 when there was no socket yet, or no answer.
    #[error("a tab has closed the connection: {0}")]
    Closed(CloseInfo),
}

/// How a socket was closed, as its [close event](https://developer.mozilla.org/en-US/docs/Web/API/CloseEvent) said.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct CloseInfo {
    /// The close code; 1006 when there was no closing handshake.
    pub code: u16,
    /// The server's explanation; at most 123 bytes ([RFC 6455, section 5.5](https://www.rfc-editor.org/rfc/rfc6455#section-5.5)).
    #[serde(deserialize_with = "explanation")]
    pub reason: String,
    /// Whether there was a closing handshake.
    pub was_clean: bool,
}

impl fmt::Display for CloseInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "code {}", self.code)?;
        if !self.reason.is_empty() {
            write!(f, ", {}", self.reason)?;
        }
        Ok(())
    }
}

/// Cuts an explanation that the other side did not cut.
fn explanation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let mut text = String::deserialize(deserializer)?;
    text.truncate(limits::cut(&text).len());
    Ok(text)
}
