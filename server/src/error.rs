//! What can go wrong: at the start of a server, and in the parameters of a fault.

use std::{io, net::SocketAddr, path::PathBuf};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use thiserror::Error;

use crate::endpoint::Endpoint;

/// Says why a server did not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on: it is in use by another process, or not one of this machine.
    #[error("cannot listen on {addr}")]
    Bind {
        /// The address that was asked for.
        addr: SocketAddr,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// The static directory does not exist or is not a directory: build the files first.
    #[error("the static directory {} is not a directory", dir.display())]
    StaticDir {
        /// The directory that was asked for.
        dir: PathBuf,
    },
    /// A `connect-src` source has a character that would end the directive or the header.
    #[error("{source_expression:?} is not a source of a Content-Security-Policy")]
    ConnectSource {
        /// The source as it was given.
        source_expression: String,
    },
    /// The self-signed certificate could not be made. Please report it.
    #[error("cannot make a self-signed certificate")]
    Certificate(#[source] rcgen::Error),
    /// The certificate was not accepted by the TLS library. Please report it.
    #[error("cannot use the self-signed certificate")]
    Tls(#[source] tokio_rustls::rustls::Error),
}

/// Says which parameter of a fault is bad. Over HTTP it is the text of a 400.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultError {
    /// There is no such WebSocket end point.
    #[error("path {path:?} is none of {}", Endpoint::ALL.map(Endpoint::path).join(", "))]
    UnknownEndpoint {
        /// The path as it was given.
        path: String,
    },
    /// Both a path and an id were given.
    #[error("give path or id, not both")]
    AmbiguousSelection,
    /// The status is not an HTTP error, so a handshake could not be refused with it.
    #[error("status {status} is not in 400..=599")]
    RefusalStatus {
        /// The status as it was given.
        status: u16,
    },
    /// The status cannot be the final answer to a request.
    #[error("status {status} is not in 200..=599")]
    Status {
        /// The status as it was given.
        status: u16,
    },
    /// The close code must not be sent in a close frame (RFC 6455, 7.4).
    #[error("close code {code} may not be sent: use 1000-1003, 1007-1014 or 3000-4999")]
    CloseCode {
        /// The code as it was given.
        code: u16,
    },
    /// The close reason does not fit into a control frame.
    #[error("close reason has {bytes} bytes, at most 123 fit")]
    CloseReason {
        /// Its length in UTF-8.
        bytes: usize,
    },
    /// The delay is longer than any test could mean.
    #[error("delay of {milliseconds} ms is more than 600000 ms")]
    Delay {
        /// The delay as it was given.
        milliseconds: u128,
    },
    /// A reader of zero bytes per second is a half-open socket.
    #[error("bytes_per_second must be at least 1; for 0 use half-open")]
    ReadRate,
    /// The path of an HTTP fault does not start with a slash, or belongs to the fault API.
    #[error("path {path:?} must start with / and not with /fault/")]
    HttpPath {
        /// The path as it was given.
        path: String,
    },
    /// An HTTP fault that changes nothing.
    #[error("give at least one of status, body, mime, csp, delay_ms")]
    EmptyHttpFault,
    /// The value has a character that a header cannot carry.
    #[error("{name} cannot be sent as a header value")]
    HeaderValue {
        /// The parameter.
        name: &'static str,
    },
    /// Neither or both of text and hex.
    #[error("give either text or hex")]
    AmbiguousFrame,
    /// The hexadecimal digits are odd in number or not digits.
    #[error("hex must be pairs of hexadecimal digits")]
    Hex,
}

/// A parameter of a request that is answered with 400 and this text.
#[derive(Debug)]
pub(crate) struct BadParameter(pub(crate) String);

impl From<FaultError> for BadParameter {
    fn from(error: FaultError) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for BadParameter {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.0).into_response()
    }
}
