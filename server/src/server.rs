//! Starting and stopping: the configuration and the running server.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::extract::FromRef;
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    accept::{Accept, bind},
    endpoint::{chat::ChatState, ledger::Ledger},
    error::ServerError,
    fault::Faults,
    registry::Registry,
    site,
    stats::{ClientStats, Stats},
    tls::SelfSigned,
};

/// Is where a server begins: [`Server::builder`].
#[derive(Debug)]
pub enum Server {}

impl Server {
    /// Returns the configuration of a server on a free port of 127.0.0.1, without files and TLS.
    #[must_use]
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }
}

/// Configures a server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerBuilder {
    /// Where to listen. The default is 127.0.0.1 with port 0, which takes a free port.
    pub addr: SocketAddr,
    /// The directory of the static files, `index.html` for each directory. The default is none: every other path is 404.
    pub static_dir: Option<PathBuf>,
    /// How many frames of a room a newcomer gets. The default is 50, 0 keeps none; each costs the memory of its frame.
    pub history: usize,
    /// The rooms, for a history that outlives this server. The default is an empty state.
    pub chat: ChatState,
    /// What `/ledger` writes into, for a record that outlives this server. The default is an empty one.
    pub ledger: Ledger,
    /// Whether to serve https and wss with a self-signed certificate for localhost, 127.0.0.1 and ::1. The default is false.
    pub tls: bool,
    /// The sources of `connect-src`. The default is `'self' ws: wss:`, so that a page can be pointed at any WebSocket server. `'self'`
    /// is for the wasm files and, by CSP 3, for sockets of the same host and port.
    pub connect_sources: Vec<String>,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            static_dir: None,
            history: 50,
            chat: ChatState::new(),
            ledger: Ledger::new(),
            tls: false,
            connect_sources: ["'self'", "ws:", "wss:"].map(str::to_owned).to_vec(),
        }
    }
}

impl ServerBuilder {
    /// Listens on an address; port 0 takes a free port.
    #[must_use]
    pub fn addr(mut self, addr: SocketAddr) -> Self {
        self.addr = addr;
        self
    }

    /// Serves the files of a directory.
    #[must_use]
    pub fn static_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.static_dir = Some(dir.into());
        self
    }

    /// Keeps so many frames of each room.
    #[must_use]
    pub fn history(mut self, frames: usize) -> Self {
        self.history = frames;
        self
    }

    /// Shares rooms with another server, or with the next one on this port.
    #[must_use]
    pub fn chat(mut self, chat: ChatState) -> Self {
        self.chat = chat;
        self
    }

    /// Writes into the ledger of another server, or of the one before on this port.
    #[must_use]
    pub fn ledger(mut self, ledger: Ledger) -> Self {
        self.ledger = ledger;
        self
    }

    /// Serves https and wss.
    #[must_use]
    pub fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    /// Allows pages to connect to these sources and no others, in the words of a Content-Security-Policy.
    #[must_use]
    pub fn connect_sources<S: Into<String>>(
        mut self,
        sources: impl IntoIterator<Item = S>,
    ) -> Self {
        self.connect_sources = sources.into_iter().map(Into::into).collect();
        self
    }

    /// Starts the server; it accepts connections when this returns. Needs a tokio runtime with time and IO.
    ///
    /// # Errors
    /// [`ServerError::Bind`] when the address cannot be had within 1 s, [`ServerError::StaticDir`], [`ServerError::ConnectSource`];
    /// [`ServerError::Certificate`] and [`ServerError::Tls`] with TLS only.
    ///
    /// # Cancel safety
    /// Nothing is left behind when the future is dropped.
    pub async fn start(self) -> Result<RunningServer, ServerError> {
        if let Some(dir) = self.static_dir.as_ref().filter(|dir| !dir.is_dir()) {
            return Err(ServerError::StaticDir { dir: dir.clone() });
        }
        let policy = site::content_security_policy(&self.connect_sources).map_err(|source| {
            ServerError::ConnectSource {
                source_expression: source.clone(),
            }
        })?;
        let tls = self.tls.then(SelfSigned::new).transpose()?;
        let bind_error = |source| ServerError::Bind {
            addr: self.addr,
            source,
        };
        let listener = bind(self.addr).await.map_err(bind_error)?;
        let addr = listener.local_addr().map_err(bind_error)?;

        let registry = Registry::new();
        let faults = Faults::new(registry.clone());
        let app = App {
            registry,
            faults,
            chat: self.chat,
            ledger: self.ledger,
            history: self.history,
        };
        let stop = CancellationToken::new();
        let live = watch::Sender::new(0);
        let accept = Accept {
            listener,
            tls: tls.as_ref().map(|tls| tls.acceptor.clone()),
            router: site::router(app.clone(), self.static_dir.as_deref(), policy),
            stop: stop.clone(),
            live: live.clone(),
        };
        Ok(RunningServer {
            addr,
            certificate: tls.map(|tls| tls.certificate.to_vec()),
            app,
            live,
            accept: tokio::spawn(accept.run()),
            stop: stop.drop_guard(),
        })
    }
}

/// Is a server that accepts connections, until [`Self::stop`] or until it is dropped.
///
/// Dropped, it stops as well, but the port is free only some time later.
#[derive(Debug)]
pub struct RunningServer {
    addr: SocketAddr,
    certificate: Option<Vec<u8>>,
    app: App,
    live: watch::Sender<usize>,
    accept: JoinHandle<()>,
    stop: DropGuard,
}

impl RunningServer {
    /// Returns the address that it listens on, with the real port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the URL of its root without a slash at the end, such as `http://127.0.0.1:8080`.
    ///
    /// A server that listens on all addresses gives the loopback one.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http{}", self.url_tail())
    }

    /// Returns the same for WebSockets, such as `ws://127.0.0.1:8080`.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws{}", self.url_tail())
    }

    /// Returns the self-signed certificate in DER, for clients that shall trust it; `None` without TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// Returns what it has counted, without the clients.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.app.registry.stats()
    }

    /// Lists the open sockets.
    #[must_use]
    pub fn clients(&self) -> Vec<ClientStats> {
        self.app.registry.clients()
    }

    /// Returns the faults, the same state that the HTTP fault API changes.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.app.faults
    }

    /// Returns the rooms, for a server to come.
    #[must_use]
    pub fn chat(&self) -> &ChatState {
        &self.app.chat
    }

    /// Stops: resets every connection, sockets and others, and frees the port before it returns.
    ///
    /// # Cancel safety
    /// The server stops all the same when the future is dropped, with the port free some time later.
    pub async fn stop(self) {
        let Self {
            live, accept, stop, ..
        } = self;
        stop.disarm().cancel();
        // It cannot panic, and the runtime that could abort it runs this future.
        let _ = accept.await;
        let mut live = live.subscribe();
        // Every connection ends at once. If one did not, waiting longer would not help its client.
        let _ = timeout(STOP_TIMEOUT, live.wait_for(|live| *live == 0)).await;
    }

    fn url_tail(&self) -> String {
        let mut addr = self.addr;
        if addr.ip().is_unspecified() {
            addr.set_ip(if addr.is_ipv4() {
                Ipv4Addr::LOCALHOST.into()
            } else {
                Ipv6Addr::LOCALHOST.into()
            });
        }
        let secure = if self.certificate.is_some() { "s" } else { "" };
        format!("{secure}://{addr}")
    }
}

/// What every handler can reach.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) registry: Arc<Registry>,
    pub(crate) faults: Faults,
    pub(crate) chat: ChatState,
    pub(crate) ledger: Ledger,
    pub(crate) history: usize,
}

impl FromRef<App> for Faults {
    fn from_ref(app: &App) -> Self {
        app.faults.clone()
    }
}

const STOP_TIMEOUT: Duration = Duration::from_secs(1);
