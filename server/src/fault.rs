//! Faults on demand: what a network and a bad deployment do to a client.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    extract::ws::{CloseFrame, Message},
    http::StatusCode,
};
use tokio::sync::watch;

use crate::{
    connection::Connection,
    endpoint::Endpoint,
    error::FaultError,
    registry::{Command, Registry, Socket},
    sync::lock,
};

mod api;
mod http;

pub use self::http::HttpFault;
pub(crate) use self::{
    api::{Flag, routes},
    http::apply,
};

/// Breaks the server of a test, in the process or over HTTP.
///
/// Clones share one state. Faults for sockets hit those that a [`Selection`] names and return how many; the others stay on until
/// [`Faults::clear`].
///
/// Over HTTP each is a `POST` with a query. The answer is `{"sockets":n}`, how many sockets it hit; a bad parameter is 400 with a
/// text, a peer that is not on a loopback address gets 403. Those marked `+` also take `path=/chat` or `id=7`, which select the
/// sockets of an end point or one of [`Stats::clients`](crate::Stats::clients).
///
/// | `POST` | method |
/// |---|---|
/// | `/fault/drop` + | [`Self::drop_sockets`] |
/// | `/fault/refuse?next=N&status=503` | [`Self::refuse`] |
/// | `/fault/close?code=4001&reason=…&hold=1` + | [`Self::close`], or with `hold=1` [`Self::close_and_hold`]; the code is 1000 if absent |
/// | `/fault/half-open?new=1` + | [`Self::half_open`], and with `new=1` [`Self::half_open_new`] |
/// | `/fault/delay?ms=N` | [`Self::delay`] |
/// | `/fault/handshake-delay?ms=N` | [`Self::handshake_delay`] |
/// | `/fault/slow-reader?bytes_per_second=N` | [`Self::slow_reader`] |
/// | `/fault/http?path=/x.js&status=&body=&mime=&csp=&isolates=true&delay_ms=` | [`Self::http`] |
/// | `/fault/inject?text=…` or `?hex=…` + | [`Self::inject`] |
/// | `/fault/token?allow=T` or `?expire=T` | [`Self::allow_token`], [`Self::expire_token`] |
/// | `/fault/clear` | [`Self::clear`] |
#[derive(Debug, Clone)]
pub struct Faults {
    registry: Arc<Registry>,
    settings: Arc<Mutex<Settings>>,
    delay: watch::Sender<Duration>,
    tokens: watch::Sender<BTreeSet<String>>,
}

impl Faults {
    pub(crate) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            settings: Arc::default(),
            delay: watch::Sender::new(Duration::ZERO),
            tokens: watch::Sender::new(BTreeSet::new()),
        }
    }

    /// Resets the TCP connections of sockets, without a close frame.
    pub fn drop_sockets(&self, selection: Selection) -> usize {
        self.each(selection, |socket| socket.connection.abort())
    }

    /// Refuses the next handshakes with an HTTP status; 0 refuses none any more.
    ///
    /// # Errors
    /// [`FaultError::RefusalStatus`] unless the status is in 400..=599.
    pub fn refuse(&self, next: u32, status: u16) -> Result<(), FaultError> {
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|status| status.is_client_error() || status.is_server_error())
            .ok_or(FaultError::RefusalStatus { status })?;
        lock(&self.settings).refusal = (next > 0).then_some(Refusal {
            remaining: next,
            status,
        });
        Ok(())
    }

    /// Closes sockets cleanly: sends a close frame and waits up to 2 s for the answer. Half-open sockets cannot.
    ///
    /// # Errors
    /// [`FaultError::CloseCode`] for a code that must not be sent, [`FaultError::CloseReason`] above 123 bytes.
    pub fn close(
        &self,
        selection: Selection,
        code: u16,
        reason: &str,
    ) -> Result<usize, FaultError> {
        let frame = checked_close(code, reason)?;
        Ok(self.each(selection, |socket| {
            socket.command(Command::Close(frame.clone()));
        }))
    }

    /// Closes sockets, and does not hang up: sends a close frame, and from then on they are half-open.
    ///
    /// # Errors
    /// As [`Self::close`].
    pub fn close_and_hold(
        &self,
        selection: Selection,
        code: u16,
        reason: &str,
    ) -> Result<usize, FaultError> {
        let frame = checked_close(code, reason)?;
        Ok(self.each(selection, |socket| {
            socket.command(Command::CloseAndHold(frame.clone()));
        }))
    }

    /// Makes sockets half-open: the TCP connection stays, the server neither reads nor writes. New sockets are normal.
    pub fn half_open(&self, selection: Selection) -> usize {
        self.each(selection, |socket| socket.connection.freeze(true))
    }

    /// Makes each new socket half-open as soon as its handshake is answered, until [`Self::clear`].
    pub fn half_open_new(&self, on: bool) {
        lock(&self.settings).half_open_new = on;
    }

    /// Delays each outgoing text and binary frame by a time and keeps their order; zero for no delay. At most 10 minutes.
    ///
    /// Close frames and pongs are not delayed, injected frames are.
    ///
    /// # Errors
    /// [`FaultError::Delay`] above 10 minutes.
    pub fn delay(&self, delay: Duration) -> Result<(), FaultError> {
        self.delay.send_replace(checked_delay(delay)?);
        Ok(())
    }

    /// Delays the answer to each new handshake; zero for no delay. At most 10 minutes.
    ///
    /// # Errors
    /// [`FaultError::Delay`] above 10 minutes.
    pub fn handshake_delay(&self, delay: Duration) -> Result<(), FaultError> {
        lock(&self.settings).handshake_delay = checked_delay(delay)?;
        Ok(())
    }

    /// Makes all open and new sockets read at most so many bytes per second each, so that clients feel backpressure; `None` lifts it.
    ///
    /// The kernel still takes what fits into its buffers. The server's is cut to 64 KiB and stays so for the rest of the connection;
    /// the client's grows to some megabytes.
    pub fn slow_reader(&self, bytes_per_second: Option<NonZeroU32>) {
        let rate = bytes_per_second.map(NonZeroU32::get);
        lock(&self.settings).read_rate = rate;
        self.each(Selection::All, |socket| {
            socket.connection.limit_reading(rate)
        });
    }

    /// Answers requests for a path in another way. A second fault for the path replaces the first one.
    ///
    /// The path is compared exactly and without the query. It can be that of a WebSocket end point or `/stats` too.
    ///
    /// # Errors
    /// [`FaultError::HttpPath`], [`FaultError::EmptyHttpFault`], [`FaultError::Status`], [`FaultError::HeaderValue`],
    /// [`FaultError::Delay`].
    pub fn http(&self, path: &str, fault: HttpFault) -> Result<(), FaultError> {
        if !path.starts_with('/') || path.starts_with("/fault/") {
            return Err(FaultError::HttpPath {
                path: path.to_owned(),
            });
        }
        let checked = fault.check()?;
        lock(&self.settings).http.insert(path.to_owned(), checked);
        Ok(())
    }

    /// Sends a frame to sockets before what is queued for them.
    pub fn inject(&self, selection: Selection, frame: InjectedFrame) -> usize {
        let message = match frame {
            InjectedFrame::Text(text) => Message::Text(text.into()),
            InjectedFrame::Binary(bytes) => Message::Binary(bytes.into()),
        };
        self.each(selection, |socket| {
            socket.command(Command::Inject(message.clone()));
        })
    }

    /// Makes a token valid for `/auth`. At first none is.
    pub fn allow_token(&self, token: &str) {
        self.tokens.send_modify(|tokens| {
            tokens.insert(token.to_owned());
        });
    }

    /// Makes a token invalid: the sockets on `/auth` that have it are closed with 4401, and new ones too.
    pub fn expire_token(&self, token: &str) {
        self.tokens.send_modify(|tokens| {
            tokens.remove(token);
        });
    }

    /// Ends every fault, but leaves the tokens: later sockets and requests are normal, and half-open sockets wake up and go on.
    pub fn clear(&self) {
        *lock(&self.settings) = Settings::default();
        self.delay.send_replace(Duration::ZERO);
        self.each(Selection::All, |socket| {
            socket.connection.freeze(false);
            socket.connection.limit_reading(None);
        });
    }

    /// Takes one of the refusals that are left.
    pub(crate) fn take_refusal(&self) -> Option<StatusCode> {
        let mut settings = lock(&self.settings);
        let refusal = settings.refusal.as_mut()?;
        let status = refusal.status;
        refusal.remaining -= 1;
        if refusal.remaining == 0 {
            settings.refusal = None;
        }
        Some(status)
    }

    /// Applies to a new socket what new sockets get.
    pub(crate) fn greet(&self, connection: &Connection) {
        let settings = lock(&self.settings);
        connection.limit_reading(settings.read_rate);
        if settings.half_open_new {
            connection.freeze(true);
        }
    }

    pub(crate) fn current_handshake_delay(&self) -> Duration {
        lock(&self.settings).handshake_delay
    }

    pub(crate) fn watch_delay(&self) -> watch::Receiver<Duration> {
        self.delay.subscribe()
    }

    pub(crate) fn watch_tokens(&self) -> watch::Receiver<BTreeSet<String>> {
        self.tokens.subscribe()
    }

    fn http_fault(&self, path: &str) -> Option<http::Checked> {
        lock(&self.settings).http.get(path).cloned()
    }

    fn each(&self, selection: Selection, mut hit: impl FnMut(&Socket)) -> usize {
        let sockets = self.registry.open_sockets();
        sockets
            .iter()
            .filter(|socket| selection.includes(socket))
            .map(|socket| hit(socket))
            .count()
    }
}

/// Says which open sockets a fault hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// Those of one end point.
    Endpoint(Endpoint),
    /// The one with an [id](crate::ClientStats::id).
    Socket(u64),
}

impl Selection {
    fn includes(self, socket: &Socket) -> bool {
        match self {
            Self::All => true,
            Self::Endpoint(endpoint) => socket.about.endpoint == endpoint,
            Self::Socket(id) => socket.id == id,
        }
    }
}

/// A frame for [`Faults::inject`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InjectedFrame {
    /// A text frame.
    Text(String),
    /// A binary frame.
    Binary(Vec<u8>),
}

#[derive(Debug, Default)]
struct Settings {
    refusal: Option<Refusal>,
    half_open_new: bool,
    handshake_delay: Duration,
    /// Bytes per second.
    read_rate: Option<u32>,
    http: BTreeMap<String, http::Checked>,
}

#[derive(Debug)]
struct Refusal {
    /// At least 1.
    remaining: u32,
    status: StatusCode,
}

fn checked_close(code: u16, reason: &str) -> Result<CloseFrame, FaultError> {
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(FaultError::CloseCode { code });
    }
    if reason.len() > MAX_CLOSE_REASON_BYTES {
        return Err(FaultError::CloseReason {
            bytes: reason.len(),
        });
    }
    Ok(CloseFrame {
        code,
        reason: reason.into(),
    })
}

fn checked_delay(delay: Duration) -> Result<Duration, FaultError> {
    if delay > MAX_DELAY {
        return Err(FaultError::Delay {
            milliseconds: delay.as_millis(),
        });
    }
    Ok(delay)
}

/// A control frame carries 125 bytes, two of them the code (RFC 6455, 5.5).
const MAX_CLOSE_REASON_BYTES: usize = 123;

/// Longer than any test waits; a longer one is a mistake in the unit.
const MAX_DELAY: Duration = Duration::from_secs(600);
